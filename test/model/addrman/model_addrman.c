/* The address manager against a naive twin: whole tables of indexes, everything searched from end to end, buckets
 * hashed from plain byte strings. Thousands of random calls, with reloads from the file, and all of both compared. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "addrman/addrman.h"
#include "base/endian.h"
#include "base/random.h"
#include "crypto/sha256.h"

enum { UNIVERSE = 700, SOURCES = 10, STEPS = 6000, COMPARE_EACH = 25, RELOAD_EACH = 1500, NONE = -1 };

static const uint8_t MAGIC[4] = {1, 2, 3, 4};

struct twin_entry {
    bool known;
    bool tried;
    int refs;
    struct addrman_info info;
};

struct twin {
    uint8_t key[32];
    struct endpoint names[UNIVERSE];
    struct netaddr sources[SOURCES];
    struct twin_entry entries[UNIVERSE];
    int in_new[ADDRMAN_NEW_BUCKETS][ADDRMAN_BUCKET_SIZE];
    int in_tried[ADDRMAN_TRIED_BUCKETS][ADDRMAN_BUCKET_SIZE];
    int waiting[ADDRMAN_MAX_COLLISIONS];
    int waiting_count;
    int64_t last_good_s;
    int64_t now_s;
};

/* Hashes as the definition says: CompactSize and bytes of every vector in one string. */
static uint64_t hash_of(const struct twin *t, struct buffer *b)
{
    uint8_t hash[32];
    struct buffer all = {0};
    buffer_put(&all, t->key, 32);
    buffer_put_span(&all, buffer_span(b));
    sha256d(hash, all.data, all.len);
    buffer_clear(&all);
    buffer_clear(b);
    return get_le64(hash);
}

static void put_group(struct buffer *b, const struct netaddr *a)
{
    struct netgroup g = netaddr_group(a);
    buffer_put_u8(b, g.len);
    buffer_put(b, g.bytes, g.len);
}

static void put_name(struct buffer *b, const struct endpoint *e)
{
    uint8_t bytes[NETADDR_BYTES + 2];
    size_t len = endpoint_key_bytes(bytes, e);
    buffer_put_u8(b, (uint8_t)len);
    buffer_put(b, bytes, len);
}

static int position_of(const struct twin *t, int id, char table, int bucket)
{
    struct buffer b = {0};
    buffer_put_u8(&b, (uint8_t)table);
    buffer_put_le32(&b, (uint32_t)bucket);
    put_name(&b, &t->names[id]);
    return (int)(hash_of(t, &b) % ADDRMAN_BUCKET_SIZE);
}

static int *new_place(struct twin *t, int id, const struct netaddr *source)
{
    struct buffer b = {0};
    put_group(&b, &t->names[id].addr);
    put_group(&b, source);
    uint64_t choice = hash_of(t, &b) % 64;
    put_group(&b, source);
    buffer_put_le64(&b, choice);
    int bucket = (int)(hash_of(t, &b) % ADDRMAN_NEW_BUCKETS);
    return &t->in_new[bucket][position_of(t, id, 'N', bucket)];
}

static int *tried_place(struct twin *t, int id)
{
    struct buffer b = {0};
    put_name(&b, &t->names[id]);
    uint64_t choice = hash_of(t, &b) % 8;
    put_group(&b, &t->names[id].addr);
    buffer_put_le64(&b, choice);
    int bucket = (int)(hash_of(t, &b) % ADDRMAN_TRIED_BUCKETS);
    return &t->in_tried[bucket][position_of(t, id, 'K', bucket)];
}

static void forget_waiting(struct twin *t, int id)
{
    int kept = 0;
    for (int i = 0; i < t->waiting_count; i++)
        if (t->waiting[i] != id) t->waiting[kept++] = t->waiting[i];
    t->waiting_count = kept;
}

static void empty_place(struct twin *t, int *place)
{
    if (*place == NONE) return;
    struct twin_entry *e = &t->entries[*place];
    if (--e->refs == 0) {
        e->known = false;
        forget_waiting(t, *place);
    }
    *place = NONE;
}

/* Adds as the rules say; REALLY tells what the other one's coin decided where one is thrown. */
static bool twin_add(struct twin *t, int id, const struct peer_addr *addr, const struct netaddr *source,
                     int64_t penalty_s, bool really)
{
    struct twin_entry *e = &t->entries[id];
    if (!netaddr_is_routable(&addr->at.addr)) return false;
    if (netaddr_equal(&addr->at.addr, source)) penalty_s = 0;
    int64_t lowered_s = addr->time - penalty_s < 0 ? 0 : addr->time - penalty_s;
    bool coin = false;
    if (e->known) {
        int64_t interval_s = t->now_s - addr->time < 86400 ? 3600 : 86400;
        if ((int64_t)e->info.addr.time < addr->time - interval_s - penalty_s) e->info.addr.time = (uint32_t)lowered_s;
        e->info.addr.services |= addr->services;
        if (addr->time <= e->info.addr.time || e->tried || e->refs == ADDRMAN_NEW_BUCKETS_PER_ADDRESS) return false;
        coin = true;
    }
    int *place = new_place(t, id, source);
    bool may = *place == NONE;
    if (*place != NONE && *place != id) {
        struct twin_entry *there = &t->entries[*place];
        may = addrman_is_terrible(&there->info, t->now_s) || (there->refs > 1 && !e->known);
    }
    if (!may || (coin && !really)) return false;
    empty_place(t, place);
    if (!e->known) {
        *e = (struct twin_entry){.known = true, .info = {.addr = *addr, .source = *source}};
        e->info.addr.time = (uint32_t)lowered_s;
    }
    e->refs++;
    *place = id;
    return true;
}

static void twin_make_tried(struct twin *t, int id)
{
    struct twin_entry *e = &t->entries[id];
    forget_waiting(t, id);
    for (int b = 0; b < ADDRMAN_NEW_BUCKETS; b++)
        for (int i = 0; i < ADDRMAN_BUCKET_SIZE; i++)
            if (t->in_new[b][i] == id) t->in_new[b][i] = NONE;
    e->refs = 0;
    int *place = tried_place(t, id), old = *place;
    *place = id;
    e->tried = true;
    if (old == NONE) return;
    t->entries[old].tried = false;
    int *back = new_place(t, old, &t->entries[old].info.source);
    empty_place(t, back);
    *back = old;
    t->entries[old].refs = 1;
}

static bool twin_good(struct twin *t, int id, bool test)
{
    struct twin_entry *e = &t->entries[id];
    t->last_good_s = t->now_s;
    if (!e->known) return false;
    e->info.last_success_s = e->info.last_try_s = t->now_s;
    e->info.attempts = 0;
    if (e->tried) return false;
    if (test && *tried_place(t, id) != NONE) {
        int count = t->waiting_count;
        forget_waiting(t, id);
        if (t->waiting_count == count && count == ADDRMAN_MAX_COLLISIONS) return false;
        t->waiting[t->waiting_count++] = id;
        return false;
    }
    twin_make_tried(t, id);
    return true;
}

static void twin_resolve(struct twin *t)
{
    int copy[ADDRMAN_MAX_COLLISIONS], count = t->waiting_count;
    memcpy(copy, t->waiting, sizeof(copy));
    for (int i = 0; i < count; i++) {
        int id = copy[i];
        bool waits = false;
        for (int j = 0; j < t->waiting_count; j++) waits |= t->waiting[j] == id;
        if (!waits) continue;
        const struct addrman_info *old = &t->entries[*tried_place(t, id)].info, *mine = &t->entries[id].info;
        int64_t success_s = t->now_s - old->last_success_s, tried_s = t->now_s - old->last_try_s;
        bool replace = false, end = false;
        if (success_s < ADDRMAN_REPLACEMENT_S)
            end = true;
        else if (tried_s < ADDRMAN_REPLACEMENT_S)
            replace = tried_s > 60;
        else
            replace = t->now_s - mine->last_success_s > ADDRMAN_TEST_WINDOW_S;
        if (replace) twin_good(t, id, false);
        if (replace || end) forget_waiting(t, id);
    }
}

static void twin_attempt(struct twin *t, int id, bool count)
{
    struct addrman_info *i = &t->entries[id].info;
    if (!t->entries[id].known) return;
    i->last_try_s = t->now_s;
    if (count && i->last_count_attempt_s < t->last_good_s) {
        i->last_count_attempt_s = t->now_s;
        i->attempts++;
    }
}

static int id_of(const struct twin *t, const struct endpoint *e)
{
    int id = 0;
    while (id < UNIVERSE && !endpoint_equal(&t->names[id], e)) id++;
    cr_assert_lt(id, UNIVERSE, "an address that nobody told");
    return id;
}

static void compare_info(const struct addrman_info *a, const struct addrman_info *b)
{
    cr_assert(endpoint_equal(&a->addr.at, &b->addr.at) && netaddr_equal(&a->source, &b->source));
    cr_assert(a->addr.time == b->addr.time && a->addr.services == b->addr.services);
    cr_assert(a->last_try_s == b->last_try_s && a->last_count_attempt_s == b->last_count_attempt_s);
    cr_assert(a->last_success_s == b->last_success_s && a->attempts == b->attempts);
}

static void compare_table(const struct addrman *a, const struct twin *t, bool tried)
{
    size_t at = 0, seen = 0, expected = 0;
    struct addrman_info info;
    struct addrman_position p;
    while (addrman_next(a, tried ? ADDRMAN_TRIED : ADDRMAN_NEW, &at, &info, &p)) {
        int id = tried ? t->in_tried[p.bucket][p.position] : t->in_new[p.bucket][p.position];
        cr_assert_neq(id, NONE, "%u/%u", p.bucket, p.position);
        compare_info(&info, &t->entries[id].info);
        cr_assert(p.tried == tried && t->entries[id].tried == tried);
        cr_assert_eq(p.multiplicity, tried ? 1 : (unsigned)t->entries[id].refs);
        seen++;
    }
    const int *all = tried ? &t->in_tried[0][0] : &t->in_new[0][0];
    size_t slots = tried ? ARRAY_LEN(t->in_tried) : ARRAY_LEN(t->in_new);
    for (size_t i = 0; i < slots * ADDRMAN_BUCKET_SIZE; i++) expected += all[i] != NONE;
    cr_assert_eq(seen, expected);
}

static size_t count_known(const struct twin *t, enum network net, bool tried)
{
    size_t count = 0;
    for (int id = 0; id < UNIVERSE; id++) {
        const struct twin_entry *e = &t->entries[id];
        count += e->known && e->tried == tried && (net == NET_COUNT || netaddr_network(&t->names[id].addr) == net);
    }
    return count;
}

static void compare(const struct addrman *a, const struct twin *t)
{
    cr_assert_eq(addrman_check(a), 0);
    compare_table(a, t, false);
    compare_table(a, t, true);
    for (int net = 0; net <= NET_COUNT; net++) {
        cr_assert_eq(addrman_size(a, (enum network)net, ADDRMAN_NEW), count_known(t, (enum network)net, false));
        cr_assert_eq(addrman_size(a, (enum network)net, ADDRMAN_TRIED), count_known(t, (enum network)net, true));
    }
}

/* What is chosen must be there, in the right table and network. */
static void check_choices(struct addrman *a, const struct twin *t, struct random *r)
{
    struct peer_addr chosen, *list;
    int64_t last_try_s;
    bool new_only = random_below(r, 2);
    uint32_t networks = random_below(r, 3) ? 0 : (uint32_t)random_below(r, 1 << NET_COUNT);
    size_t possible = 0;
    for (int net = 0; net < NET_COUNT; net++) {
        if (networks && !(networks >> net & 1)) continue;
        possible += count_known(t, (enum network)net, false) + (new_only ? 0 : count_known(t, (enum network)net, true));
    }
    cr_assert_eq(addrman_select(a, new_only, networks, t->now_s, &chosen, &last_try_s), possible > 0);
    if (possible) {
        const struct twin_entry *e = &t->entries[id_of(t, &chosen.at)];
        cr_assert(e->known && !(new_only && e->tried) && last_try_s == e->info.last_try_s);
        cr_assert(!networks || networks >> netaddr_network(&chosen.at.addr) & 1);
    }
    cr_assert_eq(addrman_select_tried_collision(a, &chosen, &last_try_s), t->waiting_count > 0);
    if (t->waiting_count > 0) {
        bool wanted = false;
        int id = id_of(t, &chosen.at);
        for (int i = 0; i < t->waiting_count; i++) wanted |= *tried_place((struct twin *)t, t->waiting[i]) == id;
        cr_assert(wanted);
    }
    size_t fine = 0, all = 0, limit, percent = random_below(r, 101), max = random_below(r, 50);
    for (int id = 0; id < UNIVERSE; id++) {
        all += t->entries[id].known;
        fine += t->entries[id].known && !addrman_is_terrible(&t->entries[id].info, t->now_s);
    }
    limit = percent ? all * percent / 100 : all;
    limit = max && max < limit ? max : limit;
    size_t count = addrman_get_addr(a, max, (unsigned)percent, NET_COUNT, true, t->now_s, &list);
    cr_assert_eq(count, fine < limit ? fine : limit);
    bool seen[UNIVERSE] = {false};
    for (size_t i = 0; i < count; i++) {
        int id = id_of(t, &list[i].at);
        cr_assert(t->entries[id].known && !seen[id]);
        cr_assert(!addrman_is_terrible(&t->entries[id].info, t->now_s));
        seen[id] = true;
    }
    free(list);
}

static struct netaddr random_addr(struct random *r, unsigned groups)
{
    uint8_t bytes[16];
    struct netaddr a;
    random_bytes(r, bytes, sizeof(bytes));
    uint64_t kind = random_below(r, 20);
    if (kind < 15) {
        bytes[0] = kind < 9 ? 250 : 77;
        bytes[1] = (uint8_t)random_below(r, kind < 9 ? 1 : groups);
        return netaddr_ipv4(bytes);
    }
    if (kind == 15) {
        bytes[0] = 10; /* not routable */
        return netaddr_ipv4(bytes);
    }
    memset(&a, 0, sizeof(a));
    static const enum network others[] = {NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    a.net = others[kind - 16];
    random_bytes(r, a.bytes, netaddr_len(a.net));
    a.bytes[0] = a.net == NET_CJDNS ? 0xfc : a.net == NET_IPV6 ? 0x2a : a.bytes[0];
    return a;
}

static void twin_init(struct twin *t, struct random *r)
{
    memset(t, 0, sizeof(*t));
    t->key[0] = 1;
    t->last_good_s = 1;
    t->now_s = 1700000000;
    memset(t->in_new, 0xff, sizeof(t->in_new));
    memset(t->in_tried, 0xff, sizeof(t->in_tried));
    for (int i = 0; i < SOURCES; i++) t->sources[i] = random_addr(r, 5);
    for (int id = 0; id < UNIVERSE; id++) {
        t->names[id].addr = id < SOURCES ? t->sources[id] : random_addr(r, 40);
        t->names[id].port = (uint16_t)(8000 + id);
    }
}

static void step_add(struct addrman *a, struct twin *t, struct random *r)
{
    int id = (int)random_below(r, UNIVERSE);
    static const int64_t ages_s[] = {0, 10, 4000, 90000, ADDRMAN_HORIZON_S, 2 * ADDRMAN_HORIZON_S};
    int64_t time_s = t->now_s + 700 - (int64_t)random_below(r, 1400) - ages_s[random_below(r, ARRAY_LEN(ages_s))];
    struct peer_addr addr = {t->names[id], random_u64(r) & 0xfff, (uint32_t)time_s};
    const struct netaddr *source = &t->sources[random_below(r, SOURCES)];
    int64_t penalty_s = random_below(r, 2) ? 0 : 7200;
    bool added = addrman_add(a, &addr, 1, source, penalty_s, t->now_s) == 1;
    cr_assert_eq(twin_add(t, id, &addr, source, penalty_s, added), added);
}

static void step(struct addrman *a, struct twin *t, struct random *r)
{
    static const int64_t passing_s[] = {0, 1, 30, 61, 700, 4000, 15000, 90000};
    t->now_s += passing_s[random_below(r, random_below(r, 10) ? 5 : ARRAY_LEN(passing_s))];
    int id = (int)random_below(r, UNIVERSE);
    const struct endpoint *e = &t->names[id];
    switch (random_below(r, 16)) {
    case 0:
    case 1:
    case 2: cr_assert_eq(addrman_good(a, e, t->now_s), twin_good(t, id, true)); break;
    case 3:
    case 4: {
        bool count = random_below(r, 2);
        addrman_attempt(a, e, count, t->now_s);
        twin_attempt(t, id, count);
        break;
    }
    case 5:
        addrman_connected(a, e, t->now_s);
        if (t->entries[id].known && t->now_s - t->entries[id].info.addr.time > 1200)
            t->entries[id].info.addr.time = (uint32_t)t->now_s;
        break;
    case 6:
        addrman_set_services(a, e, (uint64_t)id);
        if (t->entries[id].known) t->entries[id].info.addr.services = (uint64_t)id;
        break;
    case 7:
        addrman_resolve_collisions(a, t->now_s);
        twin_resolve(t);
        break;
    case 8: check_choices(a, t, r); break;
    default: step_add(a, t, r);
    }
}

/* A restart: what is only in memory is gone. */
static struct addrman *reload(struct addrman *a, struct twin *t, uint8_t seed)
{
    struct buffer file = {0};
    struct error e;
    struct addrman *b = addrman_new(&(struct addrman_options){.seed = {seed}});
    addrman_write(a, MAGIC, &file);
    cr_assert_eq(addrman_read(b, MAGIC, buffer_span(&file), &e), RESULT_OK, "%s", e.text);
    buffer_clear(&file);
    addrman_free(a);
    for (int id = 0; id < UNIVERSE; id++) t->entries[id].info.last_try_s = t->entries[id].info.last_count_attempt_s = 0;
    t->waiting_count = 0;
    t->last_good_s = 1;
    return b;
}

static void run(uint64_t seed)
{
    static struct twin t;
    struct random r;
    random_init_u64(&r, seed);
    twin_init(&t, &r);
    struct addrman *a = addrman_new(&(struct addrman_options){.seed = {(uint8_t)seed}, .key_is_one = true});
    int collisions = 0, most_refs = 0;
    for (int n = 1; n <= STEPS; n++) {
        step(a, &t, &r);
        if (n % RELOAD_EACH == 0) a = reload(a, &t, (uint8_t)n);
        if (n % COMPARE_EACH == 0) compare(a, &t);
        if (t.waiting_count > collisions) collisions = t.waiting_count;
        for (int id = 0; id < UNIVERSE; id++)
            if (t.entries[id].refs > most_refs) most_refs = t.entries[id].refs;
    }
    /* The runs must reach what they are there for. */
    cr_assert_geq(collisions, 3, "seed %lu", seed);
    cr_assert_geq(most_refs, 3, "seed %lu", seed);
    cr_assert_gt(count_known(&t, NET_COUNT, true), 50);
    cr_assert_gt(count_known(&t, NET_ONION, true) + count_known(&t, NET_CJDNS, false), 3);
    addrman_free(a);
}

Test(addrman_model, seeds_1_to_3)
{
    for (uint64_t seed = 1; seed <= 3; seed++) run(seed);
}

Test(addrman_model, seeds_4_to_6)
{
    for (uint64_t seed = 4; seed <= 6; seed++) run(seed);
}
