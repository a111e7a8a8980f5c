/* Choosing addresses: one to connect to, many to tell others, and walking through all. */
#include "addrman/tables.h"
#include "base/alloc.h"
#include "base/check.h"

static bool wanted(uint32_t networks, const struct addr_entry *e)
{
    return networks == 0 || networks >> netaddr_network(&e->info.addr.at.addr) & 1;
}

static size_t count_wanted(const struct addrman *a, uint32_t networks, bool tried)
{
    if (networks == 0) return tried ? a->tried_count : a->new_count;
    size_t count = 0;
    for (int n = 0; n < NET_COUNT; n++)
        if (networks >> n & 1) count += a->counts[n][tried];
    return count;
}

/* The first wanted entry of a random bucket from a random position on, around; NULL where it has none. Buckets that
 * never held anything would be drawn in vain: they are left out, which changes no chances. */
static const struct addr_entry *draw(struct addrman *a, bool tried, uint32_t networks)
{
    uint16_t bucket = a->used[tried][random_below(&a->random, a->used_count[tried])];
    uint64_t first = random_below(&a->random, ADDRMAN_BUCKET_SIZE);
    struct addr_entry *const *row = tried ? a->tried_rows[bucket] : a->new_rows[bucket];
    for (unsigned i = 0; i < ADDRMAN_BUCKET_SIZE; i++) {
        const struct addr_entry *e = row[(first + i) % ADDRMAN_BUCKET_SIZE];
        if (e && wanted(networks, e)) return e;
    }
    return NULL;
}

bool addrman_select(struct addrman *a, bool new_only, uint32_t networks, int64_t now_s, struct peer_addr *out,
                    int64_t *last_try_s)
{
    size_t in_new = count_wanted(a, networks, false), in_tried = count_wanted(a, networks, true);
    if (new_only) in_tried = 0;
    if (in_new + in_tried == 0) return false;
    if (in_new == a->new_count && (new_only || in_tried == a->tried_count)) networks = 0; /* all that we have will do */
    bool tried = in_new == 0 || (in_tried > 0 && random_below(&a->random, 2));
    /* Ends, because every draw of an entry makes the next more likely to be taken. */
    for (double factor = 1.0;;) {
        const struct addr_entry *e = draw(a, tried, networks);
        if (!e) continue;
        double limit = factor * addrman_chance(&e->info, now_s) * (1 << 30);
        if ((double)random_below(&a->random, 1 << 30) < limit) {
            *out = e->info.addr;
            if (last_try_s) *last_try_s = e->info.last_try_s;
            return true;
        }
        factor *= 1.2;
    }
}

size_t addrman_get_addr(struct addrman *a, size_t max, unsigned percent, enum network net, bool filtered, int64_t now_s,
                        struct peer_addr **out)
{
    size_t limit = a->order_count, count = 0;
    if (percent && percent < 100) limit = limit * percent / 100;
    if (max && max < limit) limit = max;
    *out = mem_alloc((limit ? limit : 1) * sizeof(**out));
    for (size_t n = 0; n < a->order_count && count < limit; n++) {
        tables_swap(a, n, n + random_below(&a->random, a->order_count - n));
        const struct addrman_info *i = &a->order[n]->info;
        if (net != NET_COUNT && netaddr_class_of(&i->addr.at.addr) != net) continue;
        if (filtered && addrman_is_terrible(i, now_s)) continue;
        (*out)[count++] = i->addr;
    }
    return count;
}

bool addrman_select_tried_collision(struct addrman *a, struct peer_addr *out, int64_t *last_try_s)
{
    if (a->collision_count == 0) return false;
    const struct addr_entry *candidate = a->collisions[random_below(&a->random, a->collision_count)];
    const struct addr_entry *old = tables_tried_at(a, tables_tried_slot(a, &candidate->info.addr.at));
    CHECK(old);
    *out = old->info.addr;
    if (last_try_s) *last_try_s = old->info.last_try_s;
    return true;
}

static void describe(const struct addr_entry *e, unsigned slot, struct addrman_info *info,
                     struct addrman_position *position)
{
    if (info) *info = e->info;
    if (position)
        *position = (struct addrman_position){.tried = e->in_tried,
                                              .multiplicity = e->in_tried ? 1 : e->refs,
                                              .bucket = slot / ADDRMAN_BUCKET_SIZE,
                                              .position = slot % ADDRMAN_BUCKET_SIZE};
}

bool addrman_next(const struct addrman *a, enum addrman_table table, size_t *at, struct addrman_info *info,
                  struct addrman_position *position)
{
    CHECK(table != ADDRMAN_BOTH);
    bool tried = table == ADDRMAN_TRIED;
    size_t slots = (size_t)(tried ? ADDRMAN_TRIED_BUCKETS : ADDRMAN_NEW_BUCKETS) * ADDRMAN_BUCKET_SIZE;
    while (*at < slots) {
        unsigned slot = (unsigned)(*at)++;
        const struct addr_entry *e = tried ? tables_tried_at(a, slot) : tables_new_at(a, slot);
        if (!e) continue;
        describe(e, slot, info, position);
        return true;
    }
    return false;
}

bool addrman_find(const struct addrman *a, const struct endpoint *e, struct addrman_info *info,
                  struct addrman_position *position)
{
    const struct addr_entry *entry = tables_find(a, e);
    if (!entry) return false;
    describe(entry, entry->in_tried ? tables_tried_slot(a, e) : tables_new_slot(a, e, &entry->info.source), info,
             position);
    return true;
}
