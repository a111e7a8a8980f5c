/* The tables of the address manager. */
#include "addrman/tables.h"

#include <stdlib.h>

#include "addrman/buckets.h"
#include "base/alloc.h"
#include "base/check.h"

struct addr_entry *tables_find(const struct addrman *a, const struct endpoint *e)
{
    struct endpoint_key key;
    endpoint_key(&key, e);
    return hashmap_get(&a->by_endpoint, key.bytes);
}

static struct addr_entry *at(struct addr_entry **const *rows, unsigned slot)
{
    struct addr_entry **row = rows[slot / ADDRMAN_BUCKET_SIZE];
    return row ? row[slot % ADDRMAN_BUCKET_SIZE] : NULL;
}

static void set(struct addrman *a, bool tried, unsigned slot, struct addr_entry *e)
{
    unsigned bucket = slot / ADDRMAN_BUCKET_SIZE;
    struct addr_entry ***row = tried ? &a->tried_rows[bucket] : &a->new_rows[bucket];
    if (!*row) {
        *row = mem_calloc(ADDRMAN_BUCKET_SIZE, sizeof(**row));
        a->used[tried][a->used_count[tried]++] = (uint16_t)bucket;
    }
    (*row)[slot % ADDRMAN_BUCKET_SIZE] = e;
}

struct addr_entry *tables_new_at(const struct addrman *a, unsigned slot)
{
    return at(a->new_rows, slot);
}

struct addr_entry *tables_tried_at(const struct addrman *a, unsigned slot)
{
    return at(a->tried_rows, slot);
}

unsigned tables_slot_in_new_bucket(const struct addrman *a, const struct endpoint *e, unsigned bucket)
{
    return bucket * ADDRMAN_BUCKET_SIZE + bucket_position(a->key, true, bucket, e);
}

unsigned tables_new_slot(const struct addrman *a, const struct endpoint *e, const struct netaddr *source)
{
    return tables_slot_in_new_bucket(a, e, bucket_of_new(a->key, &e->addr, source));
}

unsigned tables_tried_slot(const struct addrman *a, const struct endpoint *e)
{
    unsigned bucket = bucket_of_tried(a->key, e);
    return bucket * ADDRMAN_BUCKET_SIZE + bucket_position(a->key, false, bucket, e);
}

static void count(struct addrman *a, const struct addr_entry *e, bool tried, int change)
{
    a->counts[netaddr_network(&e->info.addr.at.addr)][tried] += (size_t)change;
    *(tried ? &a->tried_count : &a->new_count) += (size_t)change;
}

struct addr_entry *tables_create(struct addrman *a, const struct addrman_info *info)
{
    struct addr_entry *e = mem_calloc(1, sizeof(*e));
    e->info = *info;
    endpoint_key(&e->key, &info->addr.at);
    hashmap_put(&a->by_endpoint, e);
    a->order = mem_grow(a->order, &a->order_cap, a->order_count + 1, sizeof(struct addr_entry *));
    e->order_at = (uint32_t)a->order_count;
    a->order[a->order_count++] = e;
    count(a, e, false, 1);
    return e;
}

void tables_swap(struct addrman *a, size_t i, size_t j)
{
    struct addr_entry *first = a->order[i], *second = a->order[j];
    a->order[i] = second;
    a->order[j] = first;
    first->order_at = (uint32_t)j;
    second->order_at = (uint32_t)i;
}

static void drop_collision(struct addrman *a, const struct addr_entry *e)
{
    for (size_t i = 0; i < a->collision_count; i++) {
        if (a->collisions[i] != e) continue;
        a->collision_count--;
        memmove(&a->collisions[i], &a->collisions[i + 1], (a->collision_count - i) * sizeof(struct addr_entry *));
        return;
    }
}

void tables_delete(struct addrman *a, struct addr_entry *e)
{
    CHECK(!e->in_tried && e->refs == 0);
    drop_collision(a, e);
    tables_swap(a, e->order_at, a->order_count - 1);
    a->order_count--;
    count(a, e, false, -1);
    hashmap_del(&a->by_endpoint, e->key.bytes);
    free(e);
}

void tables_place(struct addrman *a, struct addr_entry *e, unsigned slot)
{
    CHECK(!e->in_tried && e->refs < ADDRMAN_NEW_BUCKETS_PER_ADDRESS && !tables_new_at(a, slot));
    e->places[e->refs++] = (uint16_t)slot;
    set(a, false, slot, e);
}

void tables_clear_new(struct addrman *a, unsigned slot)
{
    struct addr_entry *e = tables_new_at(a, slot);
    if (!e) return;
    unsigned i = 0;
    while (i < e->refs && e->places[i] != slot) i++;
    CHECK(i < e->refs);
    e->places[i] = e->places[--e->refs];
    set(a, false, slot, NULL);
    if (e->refs == 0) tables_delete(a, e);
}

void tables_place_tried(struct addrman *a, struct addr_entry *e, unsigned slot)
{
    CHECK(!e->in_tried && e->refs == 0 && !tables_tried_at(a, slot));
    count(a, e, false, -1);
    e->in_tried = true;
    set(a, true, slot, e);
    count(a, e, true, 1);
}

static void back_to_new(struct addrman *a, struct addr_entry *e, unsigned tried_slot)
{
    set(a, true, tried_slot, NULL);
    count(a, e, true, -1);
    e->in_tried = false;
    count(a, e, false, 1);
    unsigned slot = tables_new_slot(a, &e->info.addr.at, &e->info.source);
    tables_clear_new(a, slot);
    tables_place(a, e, slot);
}

void tables_make_tried(struct addrman *a, struct addr_entry *e)
{
    drop_collision(a, e);
    while (e->refs) set(a, false, e->places[--e->refs], NULL);
    unsigned slot = tables_tried_slot(a, &e->info.addr.at);
    struct addr_entry *old = tables_tried_at(a, slot);
    if (old) back_to_new(a, old, slot);
    tables_place_tried(a, e, slot);
}

void tables_empty(struct addrman *a)
{
    for (size_t i = 0; i < a->order_count; i++) free(a->order[i]);
    free(a->order);
    for (int i = 0; i < ADDRMAN_NEW_BUCKETS; i++) free(a->new_rows[i]);
    for (int i = 0; i < ADDRMAN_TRIED_BUCKETS; i++) free(a->tried_rows[i]);
    hashmap_clear(&a->by_endpoint);
    a->order = NULL;
    a->order_count = a->order_cap = a->new_count = a->tried_count = a->collision_count = 0;
    memset(a->new_rows, 0, sizeof(a->new_rows));
    memset(a->tried_rows, 0, sizeof(a->tried_rows));
    memset(a->counts, 0, sizeof(a->counts));
    a->used_count[false] = a->used_count[true] = 0;
    a->last_good_s = 1;
}
