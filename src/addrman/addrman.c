/* What happens to addresses: heard of, tried, reached, seen again. */
#include "addrman/addrman.h"

#include <limits.h>
#include <stdlib.h>

#include "addrman/tables.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "crypto/sha256.h"

/* Two independent secrets from one seed: what the choices show must tell nothing about the key. */
static void derive(uint8_t out[32], const uint8_t seed[32], const char *purpose)
{
    struct sha256 h;
    tagged_hash_init(&h, purpose);
    sha256_put(&h, seed, 32);
    sha256_final(&h, out);
}

struct addrman *addrman_new(const struct addrman_options *options)
{
    struct addrman *a = mem_calloc(1, sizeof(*a));
    uint8_t seed[32];
    derive(seed, options->seed, "addrman/choices");
    random_init(&a->random, seed);
    if (options->key_is_one)
        a->key[0] = 1;
    else
        derive(a->key, options->seed, "addrman/key");
    derive(seed, options->seed, "addrman/map");
    hashmap_init(&a->by_endpoint, offsetof(struct addr_entry, key), sizeof(struct endpoint_key), get_le64(seed));
    a->log = options->log;
    a->check_one_in = options->check_one_in;
    a->last_good_s = 1;
    return a;
}

void addrman_free(struct addrman *a)
{
    if (!a) return;
    tables_empty(a);
    free(a);
}

static void maybe_check(struct addrman *a)
{
    if (a->check_one_in == 0 || ++a->calls < a->check_one_in) return;
    a->calls = 0;
    CHECK(addrman_check(a) == 0);
}

size_t addrman_size(const struct addrman *a, enum network net, enum addrman_table table)
{
    size_t in_new = net == NET_COUNT ? a->new_count : a->counts[net][0];
    size_t in_tried = net == NET_COUNT ? a->tried_count : a->counts[net][1];
    return (table != ADDRMAN_TRIED ? in_new : 0) + (table != ADDRMAN_NEW ? in_tried : 0);
}

bool addrman_is_terrible(const struct addrman_info *i, int64_t now_s)
{
    int64_t seen_s = i->addr.time;
    if (now_s - i->last_try_s <= 60) return false; /* a connection may be on its way */
    if (seen_s > now_s + 10 * 60) return true;
    if (now_s - seen_s > ADDRMAN_HORIZON_S) return true;
    if (i->last_success_s == 0 && i->attempts >= ADDRMAN_RETRIES) return true;
    return now_s - i->last_success_s > ADDRMAN_MIN_FAIL_S && i->attempts >= ADDRMAN_MAX_FAILURES;
}

double addrman_chance(const struct addrman_info *i, int64_t now_s)
{
    double chance = now_s - i->last_try_s < 10 * 60 ? 0.01 : 1.0;
    for (int32_t n = 0; n < i->attempts && n < 8; n++) chance *= 0.66;
    return chance;
}

static uint32_t time_less(uint32_t time, int64_t penalty_s)
{
    return penalty_s >= time ? 0 : (uint32_t)(time - penalty_s);
}

/* A known address is told again. True where it may take one more place in new. */
static bool heard_again(struct addrman *a, struct addr_entry *e, const struct peer_addr *addr, int64_t penalty_s,
                        int64_t now_s)
{
    struct peer_addr *known = &e->info.addr;
    bool online = now_s - addr->time < 24 * 3600;
    int64_t interval_s = online ? 3600 : 24 * 3600;
    if (known->time < addr->time - interval_s - penalty_s) known->time = time_less(addr->time, penalty_s);
    known->services |= addr->services;
    if (addr->time <= known->time || e->in_tried || e->refs == ADDRMAN_NEW_BUCKETS_PER_ADDRESS) return false;
    /* Each place more is twice as hard to get. */
    return random_below(&a->random, UINT64_C(1) << e->refs) == 0;
}

static bool add_one(struct addrman *a, const struct peer_addr *addr, const struct netaddr *source, int64_t penalty_s,
                    int64_t now_s)
{
    if (!netaddr_is_routable(&addr->at.addr)) return false;
    if (netaddr_equal(&addr->at.addr, source)) penalty_s = 0;
    struct addr_entry *e = tables_find(a, &addr->at);
    if (e && !heard_again(a, e, addr, penalty_s, now_s)) return false;

    unsigned slot = tables_new_slot(a, &addr->at, source);
    struct addr_entry *there = tables_new_at(a, slot);
    if (there) {
        if (there == e) return false;
        bool spare = there->refs > 1 && !e; /* has other places, while the newcomer would have none */
        if (!spare && !addrman_is_terrible(&there->info, now_s)) return false;
        tables_clear_new(a, slot);
    }
    if (!e) {
        struct addrman_info info = {.addr = *addr, .source = *source};
        info.addr.time = time_less(addr->time, penalty_s);
        e = tables_create(a, &info);
    }
    tables_place(a, e, slot);
    char text[ENDPOINT_TEXT];
    log_debug(a->log, LOGC_ADDRMAN, "Added %s to new[%u][%u]", endpoint_text(text, &addr->at),
              slot / ADDRMAN_BUCKET_SIZE, slot % ADDRMAN_BUCKET_SIZE);
    return true;
}

size_t addrman_add(struct addrman *a, const struct peer_addr *addrs, size_t count, const struct netaddr *source,
                   int64_t penalty_s, int64_t now_s)
{
    CHECK(penalty_s >= 0);
    size_t added = 0;
    for (size_t i = 0; i < count; i++) added += add_one(a, &addrs[i], source, penalty_s, now_s);
    if (added) {
        char text[NETADDR_TEXT];
        log_debug(a->log, LOGC_ADDRMAN, "Added %zu addresses (of %zu) from %s: %zu tried, %zu new", added, count,
                  netaddr_text(text, source), a->tried_count, a->new_count);
    }
    maybe_check(a);
    return added;
}

static bool wait_for_test(struct addrman *a, struct addr_entry *e, const struct addr_entry *there)
{
    bool waits = false;
    for (size_t i = 0; i < a->collision_count; i++) waits |= a->collisions[i] == e;
    if (!waits && a->collision_count < ADDRMAN_MAX_COLLISIONS) a->collisions[a->collision_count++] = e;
    char old_text[ENDPOINT_TEXT], new_text[ENDPOINT_TEXT];
    log_debug(a->log, LOGC_ADDRMAN, "%s holds the place in tried that %s wants; %zu such collisions",
              endpoint_text(old_text, &there->info.addr.at), endpoint_text(new_text, &e->info.addr.at),
              a->collision_count);
    return false;
}

static bool good(struct addrman *a, struct addr_entry *e, bool test_before_evict, int64_t now_s)
{
    e->info.last_success_s = now_s;
    e->info.last_try_s = now_s;
    e->info.attempts = 0; /* the time stays: it would show whom we are connected to */
    if (e->in_tried) return false;
    struct addr_entry *there = tables_tried_at(a, tables_tried_slot(a, &e->info.addr.at));
    if (there && test_before_evict) return wait_for_test(a, e, there);
    tables_make_tried(a, e);
    return true;
}

bool addrman_good(struct addrman *a, const struct endpoint *e, int64_t now_s)
{
    a->last_good_s = now_s;
    struct addr_entry *entry = tables_find(a, e);
    bool moved = entry && good(a, entry, true, now_s);
    if (moved) {
        char text[ENDPOINT_TEXT];
        log_debug(a->log, LOGC_ADDRMAN, "Moved %s to tried", endpoint_text(text, e));
    }
    maybe_check(a);
    return moved;
}

void addrman_attempt(struct addrman *a, const struct endpoint *e, bool count_failure, int64_t now_s)
{
    struct addr_entry *entry = tables_find(a, e);
    if (!entry) return;
    struct addrman_info *i = &entry->info;
    i->last_try_s = now_s;
    if (count_failure && i->last_count_attempt_s < a->last_good_s) {
        i->last_count_attempt_s = now_s;
        if (i->attempts < INT32_MAX) i->attempts++;
    }
    maybe_check(a);
}

void addrman_connected(struct addrman *a, const struct endpoint *e, int64_t now_s)
{
    struct addr_entry *entry = tables_find(a, e);
    if (!entry || now_s < 0 || now_s > UINT32_MAX) return;
    if (now_s - entry->info.addr.time > 20 * 60) entry->info.addr.time = (uint32_t)now_s;
    maybe_check(a);
}

void addrman_set_services(struct addrman *a, const struct endpoint *e, uint64_t services)
{
    struct addr_entry *entry = tables_find(a, e);
    if (entry) entry->info.addr.services = services;
    maybe_check(a);
}

/* Whether the entry OLD in tried has to make room for the CANDIDATE; *UNDECIDED where that must wait. */
static bool must_go(const struct addrman_info *old, const struct addrman_info *candidate, int64_t now_s,
                    bool *undecided)
{
    *undecided = false;
    if (now_s - old->last_success_s < ADDRMAN_REPLACEMENT_S) return false;
    if (now_s - old->last_try_s < ADDRMAN_REPLACEMENT_S) {
        *undecided = now_s - old->last_try_s <= 60; /* the attempt may yet succeed */
        return !*undecided;
    }
    if (now_s - candidate->last_success_s > ADDRMAN_TEST_WINDOW_S) return true;
    *undecided = true;
    return false;
}

static bool still_waits(const struct addrman *a, const struct addr_entry *e)
{
    for (size_t i = 0; i < a->collision_count; i++)
        if (a->collisions[i] == e) return true;
    return false;
}

static void end_collision(struct addrman *a, const struct addr_entry *e)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->collision_count; i++)
        if (a->collisions[i] != e) a->collisions[kept++] = a->collisions[i];
    a->collision_count = kept;
}

void addrman_resolve_collisions(struct addrman *a, int64_t now_s)
{
    struct addr_entry *candidates[ADDRMAN_MAX_COLLISIONS];
    size_t count = a->collision_count;
    memcpy(candidates, a->collisions, count * sizeof(struct addr_entry *));
    for (size_t i = 0; i < count; i++) {
        struct addr_entry *e = candidates[i];
        if (!still_waits(a, e)) continue; /* deleted to make room for one that lost its place in tried */
        struct addr_entry *old = tables_tried_at(a, tables_tried_slot(a, &e->info.addr.at));
        CHECK(old);
        bool undecided;
        if (must_go(&old->info, &e->info, now_s, &undecided)) {
            char old_text[ENDPOINT_TEXT], new_text[ENDPOINT_TEXT];
            log_debug(a->log, LOGC_ADDRMAN, "%s takes the place of %s in tried",
                      endpoint_text(new_text, &e->info.addr.at), endpoint_text(old_text, &old->info.addr.at));
            a->last_good_s = now_s;
            good(a, e, false, now_s);
        } else if (!undecided) {
            end_collision(a, e);
        }
    }
    maybe_check(a);
}
