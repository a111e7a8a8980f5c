/* The coins against a naive model: random operations over the store in memory, and what a flush leaves that fails. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/random.h"
#include "chain/coins.h"
#include "store/store.h"

enum { TXS = 40, OUTPUTS = 5, PLACES = TXS * OUTPUTS };

static const uint32_t indexes[OUTPUTS] = {0, 1, 0xfa, 0xfb, 0x12345};

/* The model: what is unspent at each place. */
struct place {
    bool there;
    struct coin coin; /* the script is ours */
};

struct model {
    struct random rng;
    struct place at[PLACES];
    size_t script_max;
    size_t ops;
};

static struct outpoint place_outpoint(size_t place)
{
    struct outpoint o = {.index = indexes[place % OUTPUTS]};
    uint64_t seed = place / OUTPUTS * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < 32; i++) o.txid.bytes[i] = (uint8_t)(seed >> (8 * (7 - i % 8))) ^ (uint8_t)i;
    return o;
}

static void place_clear(struct place *p)
{
    free((void *)p->coin.script_pubkey.data);
    *p = (struct place){0};
}

static void model_clear(struct model *m)
{
    for (size_t i = 0; i < PLACES; i++) place_clear(&m->at[i]);
}

static void model_copy(struct model *to, const struct model *from)
{
    model_clear(to);
    *to = *from;
    for (size_t i = 0; i < PLACES; i++) {
        struct span s = from->at[i].coin.script_pubkey;
        if (from->at[i].there) to->at[i].coin.script_pubkey = span_of(mem_dup(s.data, s.len), s.len);
    }
}

static void model_put(struct model *m, size_t place)
{
    struct place *p = &m->at[place];
    place_clear(p);
    size_t len = random_below(&m->rng, m->script_max + 1);
    uint8_t *script = mem_alloc(len);
    random_bytes(&m->rng, script, len);
    p->there = true;
    p->coin = (struct coin){.value = (amount_sat)random_below(&m->rng, (uint64_t)MAX_MONEY_SAT + 1),
                            .origin = (coin_origin)random_below(&m->rng, 2000000),
                            .script_pubkey = span_of(script, len)};
}

static void assert_same(const struct coin *got, const struct coin *expected)
{
    cr_assert(got->value == expected->value && got->origin == expected->origin);
    cr_assert(span_equal(got->script_pubkey, expected->script_pubkey));
}

static void step_get(struct model *m, struct coins *c, size_t place, bool spend)
{
    struct outpoint at = place_outpoint(place);
    struct coin coin;
    struct error e;
    enum result r = spend ? coins_spend(c, &at, &coin, &e) : coins_get(c, &at, &coin, &e);
    cr_assert_eq(r, m->at[place].there ? RESULT_OK : RESULT_NOT_FOUND);
    if (r == RESULT_OK) assert_same(&coin, &m->at[place].coin);
    if (spend) place_clear(&m->at[place]);
}

static void step_add(struct model *m, struct coins *c, size_t place, bool overwrite)
{
    struct outpoint at = place_outpoint(place);
    overwrite |= m->at[place].there;
    model_put(m, place);
    coins_add(c, &at, &m->at[place].coin, overwrite);
}

static void step_erase(struct model *m, struct coins *c, size_t place)
{
    struct outpoint at = place_outpoint(place);
    coins_erase(c, &at);
    place_clear(&m->at[place]);
}

static void step_prefetch(struct model *m, struct coins *c)
{
    struct outpoint at[50];
    size_t count = random_below(&m->rng, 50);
    for (size_t i = 0; i < count; i++) at[i] = place_outpoint(random_below(&m->rng, PLACES));
    cr_assert_eq(coins_prefetch(c, at, count, NULL), RESULT_OK);
}

/* Of several places, some often more than once. */
static void step_any_unspent(struct model *m, struct coins *c)
{
    struct outpoint at[6];
    bool any, expected = false;
    size_t count = random_below(&m->rng, ARRAY_LEN(at) + 1);
    for (size_t i = 0; i < count; i++) {
        size_t place = random_below(&m->rng, PLACES);
        at[i] = place_outpoint(place);
        expected |= m->at[place].there;
    }
    cr_assert_eq(coins_any_unspent(c, at, count, &any, NULL), RESULT_OK);
    cr_assert_eq(any, expected);
}

static void step(struct model *m, struct coins *c)
{
    size_t place = random_below(&m->rng, PLACES);
    m->ops++;
    switch (random_below(&m->rng, 12)) {
    case 0:
    case 1: step_get(m, c, place, false); break;
    case 2:
    case 3:
    case 4: step_get(m, c, place, true); break;
    case 5:
    case 6:
    case 7: step_add(m, c, place, false); break;
    case 8: step_add(m, c, place, true); break;
    case 9: step_erase(m, c, place); break;
    case 10: step_prefetch(m, c); break;
    default:
        if (random_below(&m->rng, 2))
            step_any_unspent(m, c);
        else
            coins_end_block(c);
    }
}

static void steps(struct model *m, struct coins *c, size_t count)
{
    for (size_t i = 0; i < count; i++) step(m, c);
    coins_check(c);
}

static bool outpoint_below(const struct outpoint *a, const struct outpoint *b)
{
    int order = memcmp(a->txid.bytes, b->txid.bytes, 32);
    return order ? order < 0 : a->index < b->index;
}

/* True where the store (not the cache) holds exactly the model's coins; they must come in order. */
static bool store_is(struct kv_store store, const struct model *m)
{
    struct coins *c = coins_new(store, NULL, 1);
    struct coins_iter *it = coins_iter_new(c);
    struct outpoint at, before = {0};
    struct coin coin;
    enum result result;
    size_t count = 0, expected = 0, same = 0;
    while (coins_iter_next(it, &at, &coin, &result, NULL)) {
        cr_assert(count == 0 || outpoint_below(&before, &at), "out of order");
        before = at;
        count++;
        for (size_t i = 0; i < PLACES; i++) {
            struct outpoint o = place_outpoint(i);
            const struct coin *x = &m->at[i].coin;
            if (memcmp(&o, &at, sizeof(o)) || !m->at[i].there) continue;
            same +=
                coin.value == x->value && coin.origin == x->origin && span_equal(coin.script_pubkey, x->script_pubkey);
        }
    }
    cr_assert_eq(result, RESULT_OK);
    for (size_t i = 0; i < PLACES; i++) expected += m->at[i].there;
    coins_iter_free(it);
    coins_free(c);
    return count == expected && same == expected;
}

static struct block_hash hash_of(uint64_t n)
{
    struct block_hash h = {.bytes = {0xab}};
    memcpy(h.bytes + 1, &n, sizeof(n));
    return h;
}

static void assert_state(struct coins *c, const struct block_hash *best)
{
    struct coins_state state;
    cr_assert_eq(coins_read_state(c, &state, NULL), RESULT_OK);
    cr_assert(block_hash_equal(&state.best, best));
    cr_assert(hash_is_null(state.next.bytes));
}

static void run_model(uint64_t seed, struct workers *workers)
{
    struct kv_store store;
    struct model *m = mem_calloc(1, sizeof(*m));
    random_init_u64(&m->rng, seed);
    m->script_max = seed % 3 == 0 ? 400 : 60;
    memory_store_open(&store, NULL);
    struct coins *c = coins_new(store, workers, seed);
    for (uint64_t round = 0; round < 60; round++) {
        steps(m, c, random_below(&m->rng, 400));
        struct block_hash best = hash_of(round);
        bool drop = random_below(&m->rng, 2);
        cr_assert_eq(coins_flush(c, &best, drop, NULL), RESULT_OK);
        coins_check(c);
        cr_assert_eq(coins_dirty(c), 0);
        if (drop) cr_assert_eq(coins_cached(c), 0);
        cr_assert(store_is(store, m));
        assert_state(c, &best);
        if (random_below(&m->rng, 4)) continue;
        coins_free(c);
        c = coins_new(store, workers, seed + round);
    }
    coins_free(c);
    memory_store_close(&store);
    model_clear(m);
    free(m);
}

Test(coins, random_operations_as_the_model)
{
    for (uint64_t seed = 1; seed <= 12; seed++) run_model(seed, NULL);
}

Test(coins, random_operations_with_workers)
{
    struct workers w;
    thread_pool_open(&w, 3);
    for (uint64_t seed = 100; seed < 104; seed++) run_model(seed, &w);
    thread_pool_close(&w);
}

/* ---- faults ---- */

struct scene {
    struct model at_a, at_b, now;
    struct kv_store store_a; /* as flushed at block A */
    uint64_t writes;         /* of the flush from A to B */
};

/* Scripts of this length make each flush several batches. */
enum { BIG_SCRIPT = 9900 };

/* Fills the cache with so much that a flush is three batches, beside the model's places. */
static void add_ballast(struct coins *c, uint64_t mark)
{
    uint8_t *script = mem_calloc(1, BIG_SCRIPT);
    for (uint32_t i = 0; i < 4200; i++) {
        struct outpoint at = {.txid = {.bytes = {(uint8_t)(i * 0x9d), 0xee, (uint8_t)mark}}, .index = i};
        struct coin coin = {.value = 1, .script_pubkey = span_of(script, BIG_SCRIPT)};
        coins_add(c, &at, &coin, true);
    }
    free(script);
}

static void drop_ballast(struct coins *c, uint64_t mark)
{
    for (uint32_t i = 0; i < 4200; i++) {
        struct outpoint at = {.txid = {.bytes = {(uint8_t)(i * 0x9d), 0xee, (uint8_t)mark}}, .index = i};
        coins_erase(c, &at);
    }
}

/* What recovery does: from anything between A and B to B, without looking. */
static void redo(struct coins *c, const struct model *b)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct outpoint at = place_outpoint(i);
        if (b->at[i].there)
            coins_add(c, &at, &b->at[i].coin, true);
        else
            coins_erase(c, &at);
    }
}

/* A store as a crash left it: one of three states, and recovery brings the middle one to B. */
static unsigned check_crashed(struct scene *s, const struct kv_store *crashed)
{
    struct block_hash a = hash_of('a'), b = hash_of('b');
    struct kv_store store;
    struct coins_state state;
    memory_store_clone(&store, crashed, NULL);
    struct coins *c = coins_new(store, NULL, 3);
    cr_assert_eq(coins_read_state(c, &state, NULL), RESULT_OK);
    unsigned kind;
    if (hash_is_null(state.next.bytes)) {
        bool done = block_hash_equal(&state.best, &b);
        cr_assert(done || block_hash_equal(&state.best, &a));
        drop_ballast(c, 1);
        cr_assert_eq(coins_flush(c, &state.best, true, NULL), RESULT_OK);
        cr_assert(store_is(store, done ? &s->at_b : &s->at_a));
        kind = done ? 2 : 0;
    } else {
        cr_assert(block_hash_equal(&state.best, &a) && block_hash_equal(&state.next, &b));
        redo(c, &s->at_b);
        drop_ballast(c, 1);
        cr_assert_eq(coins_write_back(c, true, NULL), RESULT_OK);
        struct coins_state still;
        cr_assert_eq(coins_read_state(c, &still, NULL), RESULT_OK);
        cr_assert(!memcmp(&still, &state, sizeof(state)), "writing back leaves the state");
        cr_assert_eq(coins_flush(c, &b, true, NULL), RESULT_OK);
        cr_assert(store_is(store, &s->at_b));
        assert_state(c, &b);
        kind = 1;
    }
    coins_free(c);
    memory_store_close(&store);
    return kind;
}

/* One flush from A to B whose N-th write fails. The node lives on: it spends and adds more and flushes again. */
static unsigned one_fault(struct scene *s, uint64_t n, bool torn)
{
    struct block_hash b = hash_of('b'), d = hash_of('d');
    struct memory_fault fault = {.fail_after = n, .result = n % 2 ? RESULT_FULL : RESULT_IO, .apply_torn = torn};
    struct kv_store store;
    struct error e;
    memory_store_clone(&store, &s->store_a, &fault);
    struct coins *c = coins_new(store, NULL, 2);
    model_copy(&s->now, &s->at_a);
    steps(&s->now, c, 1500);
    add_ballast(c, 1);
    model_copy(&s->at_b, &s->now);
    enum result r = coins_flush(c, &b, false, &e);
    s->writes = fault.writes;
    cr_assert_eq(r, n && n <= fault.writes ? fault.result : RESULT_OK);
    coins_check(c);
    unsigned kind = check_crashed(s, &store);
    fault.fail_after = 0;
    steps(&s->now, c, 1500);
    drop_ballast(c, 1);
    cr_assert_eq(coins_flush(c, &d, n % 2, &e), RESULT_OK);
    coins_check(c);
    cr_assert(store_is(store, &s->now), "a flush after one that failed at write %d", (int)n);
    assert_state(c, &d);
    coins_free(c);
    memory_store_close(&store);
    return kind;
}

Test(coins, every_write_of_a_flush_fails_once)
{
    struct scene *s = mem_calloc(1, sizeof(*s));
    struct block_hash a = hash_of('a');
    unsigned kinds[3] = {0};
    random_init_u64(&s->at_a.rng, 77);
    s->at_a.script_max = 50;
    memory_store_open(&s->store_a, NULL);
    struct coins *c = coins_new(s->store_a, NULL, 1);
    steps(&s->at_a, c, 2000);
    cr_assert_eq(coins_flush(c, &a, true, NULL), RESULT_OK);
    coins_free(c);
    cr_assert_eq(one_fault(s, 0, false), 2);
    uint64_t writes = s->writes;
    cr_assert_geq(writes, 3, "the flush is one of several batches");
    for (uint64_t n = 1; n <= writes; n++) {
        kinds[one_fault(s, n, false)]++;
        kinds[one_fault(s, n, true)]++;
    }
    fprintf(stderr, "coins: %d writes, failed with and without effect: %u before, %u between, %u after\n", (int)writes,
            kinds[0], kinds[1], kinds[2]);
    cr_assert(kinds[0] == 1 && kinds[2] == 1 && kinds[1] == 2 * writes - 2);
    model_clear(&s->at_a);
    model_clear(&s->at_b);
    model_clear(&s->now);
    memory_store_close(&s->store_a);
    free(s);
}

/* ---- single rules ---- */

static struct coin plain_coin(amount_sat value)
{
    return (struct coin){.value = value, .script_pubkey = span_str("a script of some bytes")};
}

Test(coins, made_and_spent_between_flushes_never_reaches_the_store)
{
    struct memory_fault count = {0};
    struct kv_store store;
    struct block_hash a = hash_of(1);
    memory_store_open(&store, &count);
    struct coins *c = coins_new(store, NULL, 5);
    struct coin coin = plain_coin(7), got;
    for (size_t i = 0; i < 100; i++) {
        struct outpoint at = place_outpoint(i);
        coins_add(c, &at, &coin, false);
        cr_assert_eq(coins_spend(c, &at, &got, NULL), RESULT_OK);
    }
    cr_assert_eq(coins_dirty(c), 0);
    cr_assert_eq(coins_cached(c), 0);
    cr_assert_eq(coins_flush(c, &a, false, NULL), RESULT_OK);
    cr_assert_eq(count.writes, 1, "only the state");
    cr_assert_eq(coins_flush(c, &a, false, NULL), RESULT_OK);
    cr_assert_eq(count.writes, 1, "nothing to say");
    coins_free(c);
    memory_store_close(&store);
}

/* ---- a store that looks at the order of what is put ---- */

struct order_watch {
    struct kv_store inner;
    uint8_t last[64];
    size_t last_len, puts, out_of_order;
};

struct watched_batch {
    struct order_watch *watch;
    void *inner;
};

static enum result watch_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    struct order_watch *w = ctx;
    return w->inner.ops->get(w->inner.ctx, key, value, e);
}

static void *watch_batch_new(void *ctx)
{
    struct watched_batch *b = mem_calloc(1, sizeof(*b));
    b->watch = ctx;
    b->inner = b->watch->inner.ops->batch_new(b->watch->inner.ctx);
    return b;
}

static void watch_key(struct order_watch *w, struct span key)
{
    if (key.data[0] != 'C') return;
    w->puts++;
    w->out_of_order += memcmp(w->last, key.data, key.len < w->last_len ? key.len : w->last_len) >= 0 && w->last_len;
    memcpy(w->last, key.data, key.len);
    w->last_len = key.len;
}

static void watch_put(void *batch, struct span key, struct span value)
{
    struct watched_batch *b = batch;
    watch_key(b->watch, key);
    b->watch->inner.ops->batch_put(b->inner, key, value);
}

static void watch_del(void *batch, struct span key)
{
    struct watched_batch *b = batch;
    watch_key(b->watch, key);
    b->watch->inner.ops->batch_del(b->inner, key);
}

static enum result watch_write(void *ctx, void *batch, bool sync, struct error *e)
{
    struct order_watch *w = ctx;
    struct watched_batch *b = batch;
    cr_assert(sync, "no batch may outlive an earlier one");
    return w->inner.ops->batch_write(w->inner.ctx, b->inner, sync, e);
}

static void watch_batch_free(void *batch)
{
    struct watched_batch *b = batch;
    b->watch->inner.ops->batch_free(b->inner);
    free(b);
}

static const struct kv_ops watch_ops = {
    .get = watch_get,
    .batch_new = watch_batch_new,
    .batch_put = watch_put,
    .batch_del = watch_del,
    .batch_write = watch_write,
    .batch_free = watch_batch_free,
};

/* In few and in many (which go through buckets), with many outputs of one transaction. */
Test(coins, flush_in_order_of_the_keys)
{
    for (size_t count = 100; count <= 20000; count *= 200) {
        struct order_watch watch = {0};
        struct random rng;
        struct block_hash best = hash_of(1);
        memory_store_open(&watch.inner, NULL);
        random_init_u64(&rng, count);
        struct coins *c = coins_new((struct kv_store){.ops = &watch_ops, .ctx = &watch}, NULL, 1);
        for (size_t i = 0; i < count; i++) {
            struct outpoint at = {.index = (uint32_t)i};
            struct coin coin = plain_coin(1);
            if (i % 3) random_bytes(&rng, at.txid.bytes, 32);
            if (i % 3 == 2) memset(at.txid.bytes, 0, 6); /* the same start */
            if (i % 7)
                coins_add(c, &at, &coin, true);
            else
                coins_erase(c, &at);
        }
        cr_assert_eq(coins_flush(c, &best, false, NULL), RESULT_OK);
        cr_assert_eq(watch.puts, count);
        cr_assert_eq(watch.out_of_order, 0);
        coins_check(c);
        coins_free(c);
        memory_store_close(&watch.inner);
    }
}

/* A block's spent coins are held while its scripts are checked: nothing may be written over them. */
Test(coins, spans_stay_good_until_the_end_of_the_block)
{
    struct kv_store store;
    struct coin held[PLACES], coin;
    uint8_t scripts[PLACES][40];
    memory_store_open(&store, NULL);
    struct coins *c = coins_new(store, NULL, 5);
    for (size_t i = 0; i < PLACES; i++) {
        struct outpoint at = place_outpoint(i);
        memset(scripts[i], (int)i, 40);
        coin = (struct coin){.value = (amount_sat)i, .script_pubkey = span_of(scripts[i], 40)};
        coins_add(c, &at, &coin, false);
        cr_assert_eq(i % 2 ? coins_spend(c, &at, &held[i], NULL) : coins_get(c, &at, &held[i], NULL), RESULT_OK);
    }
    for (size_t i = 0; i < PLACES; i++) {
        struct outpoint at = place_outpoint(i);
        coin = (struct coin){.value = 1, .script_pubkey = span_str("0123456789012345678901234567890123456789")};
        coins_add(c, &at, &coin, true);
    }
    for (uint32_t i = 0; i < 20000; i++) { /* the table grows meanwhile */
        struct outpoint at = {.txid = {.bytes = {9}}, .index = i};
        coins_add(c, &at, &coin, false);
    }
    for (size_t i = 0; i < PLACES; i++)
        cr_assert(held[i].script_pubkey.len == 40 && !memcmp(held[i].script_pubkey.data, scripts[i], 40));
    coins_check(c);
    size_t before = coins_memory(c);
    coins_end_block(c);
    for (size_t i = 0; i < PLACES; i++) {
        struct outpoint at = {.txid = {.bytes = {8}}, .index = (uint32_t)i};
        coins_add(c, &at, &coin, false);
    }
    cr_assert_eq(coins_memory(c), before, "freed records are used again");
    coins_check(c);
    coins_free(c);
    memory_store_close(&store);
}

static void put_raw(struct kv_store store, struct span key, struct span value)
{
    void *batch = store.ops->batch_new(store.ctx);
    store.ops->batch_put(batch, key, value);
    cr_assert_eq(store.ops->batch_write(store.ctx, batch, true, NULL), RESULT_OK);
    store.ops->batch_free(batch);
}

Test(coins, a_store_known_to_be_empty_is_not_asked_until_something_is_written)
{
    struct kv_store store;
    struct outpoint at = {.txid = {.bytes = {1, 2, 3}}, .index = 4};
    uint8_t key[34] = {'C', 1, 2, 3, [33] = 4};
    struct coins_state state;
    struct block_hash a = hash_of('a');
    struct coin coin = plain_coin(7), got;
    memory_store_open(&store, NULL);
    struct coins *c = coins_new(store, NULL, 1);
    cr_assert_eq(coins_read_state(c, &state, NULL), RESULT_OK);
    put_raw(store, span_of(key, sizeof(key)), span_str("\xff\xff"));
    cr_assert_eq(coins_get(c, &at, &got, NULL), RESULT_NOT_FOUND, "not looked at: it would be malformed");
    cr_assert_eq(coins_prefetch(c, &at, 1, NULL), RESULT_OK);
    coins_add(c, &at, &coin, true);
    cr_assert_eq(coins_flush(c, &a, true, NULL), RESULT_OK);
    cr_assert_eq(coins_get(c, &at, &got, NULL), RESULT_OK);
    cr_assert_eq(got.value, 7);
    coins_free(c);
    memory_store_close(&store);
}

Test(coins, a_store_without_a_state_may_have_coins)
{
    struct kv_store store;
    struct outpoint at = {.txid = {.bytes = {1, 2, 3}}, .index = 4};
    uint8_t key[34] = {'C', 1, 2, 3, [33] = 4};
    struct coins_state state;
    struct coin got;
    memory_store_open(&store, NULL);
    put_raw(store, span_of(key, sizeof(key)), span_str("\xff\xff"));
    struct coins *c = coins_new(store, NULL, 1);
    cr_assert_eq(coins_read_state(c, &state, NULL), RESULT_OK);
    cr_assert_eq(coins_get(c, &at, &got, NULL), RESULT_CORRUPT);
    coins_free(c);
    memory_store_close(&store);
}

Test(coins, malformed_records_are_corruption)
{
    struct kv_store store;
    struct outpoint at = {.txid = {.bytes = {1, 2, 3}}, .index = 4}, other;
    struct coin coin;
    struct coins_state state;
    struct error e;
    enum result result;
    uint8_t key[34] = {'C', 1, 2, 3, [33] = 4};
    memory_store_open(&store, NULL);
    put_raw(store, span_of(key, sizeof(key)), span_str("\xff\xff"));
    put_raw(store, span_str("B"), span_str("short"));
    struct coins *c = coins_new(store, NULL, 1);
    cr_expect_eq(coins_get(c, &at, &coin, &e), RESULT_CORRUPT);
    cr_expect_eq(e.code, RESULT_CORRUPT);
    cr_expect_eq(coins_prefetch(c, &at, 1, &e), RESULT_CORRUPT);
    bool any;
    e.code = RESULT_OK;
    cr_expect_eq(coins_any_unspent(c, &at, 1, &any, &e), RESULT_CORRUPT);
    cr_expect_eq(e.code, RESULT_CORRUPT);
    cr_expect_eq(coins_read_state(c, &state, &e), RESULT_CORRUPT);
    struct coins_iter *it = coins_iter_new(c);
    cr_expect(!coins_iter_next(it, &other, &coin, &result, &e));
    cr_expect_eq(result, RESULT_CORRUPT);
    coins_iter_free(it);
    coins_free(c);
    memory_store_close(&store);
}

Test(coins, keys_that_we_would_not_write_are_corruption)
{
    static const struct {
        size_t len;
        uint8_t tail[6];
    } cases[] = {{0, {0}}, {1, {0xfb}}, {3, {0xfb, 0, 1}}, {5, {0xfc, 0, 0, 0xff, 0xff}}, {2, {1, 0}}, {1, {0xff}}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kv_store store;
        uint8_t key[40] = {'C'};
        memcpy(key + 33, cases[i].tail, cases[i].len);
        memory_store_open(&store, NULL);
        put_raw(store, span_of(key, 33 + cases[i].len), span_of("\0\0\x06", 3));
        struct coins *c = coins_new(store, NULL, 1);
        struct coins_iter *it = coins_iter_new(c);
        struct outpoint at;
        struct coin coin;
        enum result result;
        cr_expect(!coins_iter_next(it, &at, &coin, &result, NULL));
        cr_expect_eq(result, RESULT_CORRUPT, "case %zu", i);
        coins_iter_free(it);
        coins_free(c);
        memory_store_close(&store);
    }
}
