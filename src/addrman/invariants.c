/* The address manager's invariants, recomputed from the entries and compared with tables, counts and indexes. */
#include "addrman/tables.h"

/* Where an entry of new says it is, it is, and belongs there. */
static int check_places(const struct addrman *a, const struct addr_entry *e)
{
    if (e->refs > ADDRMAN_NEW_BUCKETS_PER_ADDRESS) return -3;
    if (e->refs == 0) return -4;
    for (unsigned i = 0; i < e->refs; i++) {
        unsigned bucket = e->places[i] / ADDRMAN_BUCKET_SIZE;
        if (tables_new_at(a, e->places[i]) != e) return -12;
        if (tables_slot_in_new_bucket(a, &e->info.addr.at, bucket) != e->places[i]) return -19;
        for (unsigned j = 0; j < i; j++)
            if (e->places[j] == e->places[i]) return -15;
    }
    return 0;
}

static int check_entry(const struct addrman *a, const struct addr_entry *e, size_t at)
{
    const struct addrman_info *i = &e->info;
    if (e->in_tried) {
        if (i->last_success_s == 0) return -1;
        if (e->refs) return -2;
        if (tables_tried_at(a, tables_tried_slot(a, &i->addr.at)) != e) return -17;
    } else {
        int code = check_places(a, e);
        if (code) return code;
    }
    if (tables_find(a, &i->addr.at) != e) return -5;
    if (e->order_at != at) return -14;
    if (i->last_try_s < 0) return -6;
    return i->last_success_s < 0 ? -8 : 0;
}

/* Entries in the rows, counted. */
static size_t occupied(struct addr_entry **const *rows, unsigned count)
{
    size_t found = 0;
    for (unsigned b = 0; b < count; b++)
        for (unsigned i = 0; rows[b] && i < ADDRMAN_BUCKET_SIZE; i++) found += rows[b][i] != NULL;
    return found;
}

static int check_collisions(const struct addrman *a)
{
    if (a->collision_count > ADDRMAN_MAX_COLLISIONS) return -22;
    for (size_t i = 0; i < a->collision_count; i++) {
        const struct addr_entry *e = a->collisions[i];
        if (e->order_at >= a->order_count || a->order[e->order_at] != e || e->in_tried) return -22;
        if (!tables_tried_at(a, tables_tried_slot(a, &e->info.addr.at))) return -22;
    }
    return 0;
}

int addrman_check(const struct addrman *a)
{
    static const uint8_t no_key[32];
    size_t in_new = 0, in_tried = 0, places = 0, counts[NET_COUNT][2] = {{0}};
    if (a->order_count != a->new_count + a->tried_count) return -7;
    for (size_t i = 0; i < a->order_count; i++) {
        const struct addr_entry *e = a->order[i];
        int code = check_entry(a, e, i);
        if (code) return code;
        *(e->in_tried ? &in_tried : &in_new) += 1;
        places += e->refs;
        counts[netaddr_network(&e->info.addr.at.addr)][e->in_tried]++;
    }
    if (in_tried != a->tried_count) return -9;
    if (in_new != a->new_count) return -10;
    if (a->by_endpoint.count != a->order_count) return -5;
    if (occupied(a->tried_rows, ADDRMAN_TRIED_BUCKETS) != in_tried) return -11;
    if (occupied(a->new_rows, ADDRMAN_NEW_BUCKETS) != places) return -12;
    if (memcmp(a->key, no_key, sizeof(no_key)) == 0) return -16;
    if (memcmp(counts, a->counts, sizeof(counts)) != 0) return -21;
    return check_collisions(a);
}
