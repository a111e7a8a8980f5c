/* The coins' cache against a chained table with one allocation a coin, and a flush against the same records written to
 * LevelDB in no order. The ways of a table are run in turn, RUNS times; printed are the medians and the ratio to the
 * first way. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/compiler.h"
#include "base/hashmap.h"
#include "base/random.h"
#include "chain/coins.h"
#include "crypto/siphash.h"
#include "store/store.h"

enum { RUNS = 5, COINS = 512000, FLUSHED = 200000, MAX_WAYS = 4, SCRIPT = 25, BLOCK = 2500 };

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

struct way {
    const char *name;
    double (*run)(const struct outpoint *at); /* seconds */
};

static void run_table(const char *title, const struct way *ways, size_t count, const struct outpoint *at, double per,
                      const char *unit)
{
    double took[MAX_WAYS][RUNS], first = 0;
    for (int run = 0; run < RUNS; run++)
        for (size_t i = 0; i < count; i++) took[i][run] = ways[i].run(at);
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        double m = median(took[i], RUNS);
        if (i == 0) first = m;
        printf("  %-44s %9.1f %s  %5.2fx\n", ways[i].name, m * 1e9 / per, unit, first / m);
    }
}

static struct coin coin_at(size_t i)
{
    static const uint8_t script[SCRIPT] = {0x76, 0xa9, 0x14, [23] = 0x88, [24] = 0xac};
    return (struct coin){
        .value = (amount_sat)i * 1000, .origin = (coin_origin)i, .script_pubkey = span_of(script, SCRIPT)};
}

/* Look-ups go through the coins in steps, so that neighbours in memory do not help. */
static size_t hop(size_t i)
{
    return i * 390913 % COINS;
}

/* ---- the floor: one load after another, each from where the last one said, over as much memory ---- */

static double chase(const struct outpoint *at)
{
    enum { LINE = 8 };
    (void)at;
    uint64_t *memory = mem_calloc((size_t)COINS * LINE, sizeof(*memory)), next = 0;
    for (size_t i = 0; i < COINS; i++) memory[hop(i) * LINE] = hop(i + 1) * LINE;
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < COINS; i++) next = memory[next];
    double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    CHECK(next == 0);
    free(memory);
    return took;
}

/* ---- the plain table: chains, one allocation for a coin and one for its script ---- */

struct plain {
    struct plain *next;
    struct outpoint at;
    amount_sat value;
    coin_origin origin;
    size_t script_len;
    uint8_t *script;
};

struct plain_table {
    struct plain **heads;
    size_t cap;
};

static size_t plain_home(const struct plain_table *t, const struct outpoint *at)
{
    return siphash24_hash_u32(1, 2, at->txid.bytes, at->index) & (t->cap - 1);
}

static void plain_put(struct plain_table *t, const struct outpoint *at, const struct coin *coin)
{
    struct plain *p = mem_alloc(sizeof(*p)), **head = &t->heads[plain_home(t, at)];
    *p = (struct plain){.next = *head, .at = *at, .value = coin->value, .origin = coin->origin};
    p->script_len = coin->script_pubkey.len;
    p->script = mem_dup(coin->script_pubkey.data, p->script_len);
    *head = p;
}

static struct plain **plain_find(struct plain_table *t, const struct outpoint *at)
{
    struct plain **p = &t->heads[plain_home(t, at)];
    while (*p && memcmp(&(*p)->at, at, sizeof(*at))) p = &(*p)->next;
    return p;
}

static void plain_del(struct plain **at)
{
    struct plain *p = *at;
    *at = p->next;
    free(p->script);
    free(p);
}

static struct plain_table plain_filled(const struct outpoint *at)
{
    struct plain_table t = {.cap = 1 << 19};
    t.heads = mem_calloc(t.cap, sizeof(*t.heads));
    for (size_t i = 0; i < COINS; i++) {
        struct coin coin = coin_at(i);
        plain_put(&t, &at[i], &coin);
    }
    return t;
}

static void plain_clear(struct plain_table *t)
{
    for (size_t i = 0; i < t->cap; i++)
        while (t->heads[i]) plain_del(&t->heads[i]);
    free(t->heads);
}

static double plain_get(const struct outpoint *at)
{
    struct plain_table t = plain_filled(at);
    uint64_t sum = 0;
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < COINS; i++) {
        const struct plain *p = *plain_find(&t, &at[hop(i)]);
        sum += (uint64_t)p->value + p->script[3];
    }
    double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    CHECK(sum == (uint64_t)COINS * (COINS - 1) / 2 * 1000);
    plain_clear(&t);
    return took;
}

static double plain_spend_add(const struct outpoint *at)
{
    struct plain_table t = plain_filled(at);
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < COINS; i++) {
        struct outpoint fresh = at[hop(i)];
        struct coin coin = coin_at(i);
        plain_del(plain_find(&t, &fresh));
        fresh.txid.bytes[0] ^= 0x55;
        plain_put(&t, &fresh, &coin);
    }
    double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    plain_clear(&t);
    return took;
}

/* ---- ours ---- */

static struct coins *coins_filled(struct kv_store store, const struct outpoint *at, size_t count)
{
    struct coins *c = coins_new(store, NULL, 77);
    for (size_t i = 0; i < count; i++) {
        struct coin coin = coin_at(i);
        coins_add(c, &at[i], &coin, false);
    }
    return c;
}

/* WARMED: some outpoints are announced before they are looked up, as coins_prefetch does. */
static double get_with(const struct outpoint *at, bool warmed)
{
    struct kv_store store;
    memory_store_open(&store, NULL);
    struct coins *c = coins_filled(store, at, COINS);
    struct outpoint *order = mem_calloc(COINS, sizeof(*order));
    for (size_t i = 0; i < COINS; i++) order[i] = at[hop(i)];
    uint64_t sum = 0;
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < COINS; i++) {
        struct coin coin;
        if (warmed && i % COINS_WARM == 0) coins_warm(c, order + i, COINS_WARM);
        CHECK(coins_get(c, &order[i], &coin, NULL) == RESULT_OK);
        sum += (uint64_t)coin.value + coin.script_pubkey.data[3];
    }
    double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    CHECK(sum == (uint64_t)COINS * (COINS - 1) / 2 * 1000);
    free(order);
    coins_free(c);
    memory_store_close(&store);
    return took;
}

static double ours_get(const struct outpoint *at)
{
    return get_with(at, false);
}

static double ours_get_warmed(const struct outpoint *at)
{
    return get_with(at, true);
}

static double ours_spend_add(const struct outpoint *at)
{
    struct kv_store store;
    memory_store_open(&store, NULL);
    struct coins *c = coins_filled(store, at, COINS);
    double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < COINS; i++) {
        struct outpoint fresh = at[hop(i)];
        struct coin coin = coin_at(i), spent;
        CHECK(coins_spend(c, &fresh, &spent, NULL) == RESULT_OK);
        fresh.txid.bytes[0] ^= 0x55;
        coins_add(c, &fresh, &coin, false);
        if (i % 5000 == 0) coins_end_block(c);
    }
    double took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
    coins_free(c);
    memory_store_close(&store);
    return took;
}

/* ---- flushing (wall time: LevelDB compacts on a thread of its own) ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static struct kv_store open_store(char *folder)
{
    struct kv_store store;
    strcpy(folder, "/tmp/cairn_bench_XXXXXX");
    CHECK(mkdtemp(folder));
    CHECK(leveldb_store_open(&store, folder, 8 << 20, false, NULL, NULL) == RESULT_OK);
    return store;
}

static void close_store(struct kv_store *store, const char *folder)
{
    leveldb_store_close(store);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* As a cache that does not sort would: batches of 16 MiB in the order of a hash table. */
static double flush_unsorted(const struct outpoint *at)
{
    char folder[32];
    struct kv_store s = open_store(folder);
    struct buffer value = {0};
    size_t bytes = 0;
    double start = seconds(CLOCK_MONOTONIC);
    void *batch = s.ops->batch_new(s.ctx);
    for (size_t i = 0; i < FLUSHED; i++) {
        struct coin coin = coin_at(i);
        uint8_t key[34] = {'C'};
        memcpy(key + 1, at[i].txid.bytes, 32);
        key[33] = (uint8_t)at[i].index;
        value.len = 0;
        coin_pack(&value, &coin);
        s.ops->batch_put(batch, span_of(key, sizeof(key)), buffer_span(&value));
        bytes += sizeof(key) + value.len;
        if (bytes < 16 << 20) continue;
        CHECK(s.ops->batch_write(s.ctx, batch, true, NULL) == RESULT_OK);
        bytes = 0;
    }
    CHECK(s.ops->batch_write(s.ctx, batch, true, NULL) == RESULT_OK);
    double took = seconds(CLOCK_MONOTONIC) - start;
    s.ops->batch_free(batch);
    buffer_clear(&value);
    close_store(&s, folder);
    return took;
}

static double flush_ours(const struct outpoint *at)
{
    char folder[32];
    struct kv_store s = open_store(folder);
    struct block_hash best = {.bytes = {1}};
    struct coins *c = coins_filled(s, at, FLUSHED);
    double start = seconds(CLOCK_MONOTONIC);
    CHECK(coins_flush(c, &best, false, NULL) == RESULT_OK);
    double took = seconds(CLOCK_MONOTONIC) - start;
    coins_free(c);
    close_store(&s, folder);
    return took;
}

/* ---- fetching from LevelDB ---- */

static double fetch_with(const struct outpoint *at, unsigned threads, bool prefetch)
{
    char folder[32];
    struct kv_store s = open_store(folder);
    struct block_hash best = {.bytes = {1}};
    struct workers w;
    thread_pool_open(&w, threads);
    struct coins *c = coins_filled(s, at, FLUSHED);
    CHECK(coins_flush(c, &best, true, NULL) == RESULT_OK);
    coins_free(c);
    c = coins_new(s, &w, 3);
    double start = seconds(CLOCK_MONOTONIC);
    for (size_t i = 0; i < FLUSHED; i += BLOCK) {
        struct coin coin;
        if (prefetch) CHECK(coins_prefetch(c, at + i, BLOCK, NULL) == RESULT_OK);
        for (size_t k = 0; k < BLOCK; k++) CHECK(coins_spend(c, &at[i + k], &coin, NULL) == RESULT_OK);
    }
    double took = seconds(CLOCK_MONOTONIC) - start;
    coins_free(c);
    thread_pool_close(&w);
    close_store(&s, folder);
    return took;
}

static double fetch_singly(const struct outpoint *at)
{
    return fetch_with(at, 1, false);
}

static double fetch_two(const struct outpoint *at)
{
    return fetch_with(at, 2, true);
}

static double fetch_four(const struct outpoint *at)
{
    return fetch_with(at, 4, true);
}

int main(void)
{
    static const struct way get[] = {{"chained table, one allocation a coin", plain_get},
                                     {"coins_get", ours_get},
                                     {"(one dependent load from memory)", chase},
                                     {"coins_warm of 32, 32 coins_get", ours_get_warmed}};
    static const struct way change[] = {{"chained table: del, put", plain_spend_add},
                                        {"coins_spend, coins_add", ours_spend_add}};
    static const struct way flush[] = {{"LevelDB batches in no order", flush_unsorted},
                                       {"coins_flush: packs, sorts, writes", flush_ours}};
    static const struct way fetch[] = {{"coins_spend from LevelDB, one by one", fetch_singly},
                                       {"coins_prefetch, 2 threads", fetch_two},
                                       {"coins_prefetch, 4 threads", fetch_four}};
    struct outpoint *at = mem_calloc(COINS, sizeof(*at));
    struct random rng;
    random_init_u64(&rng, 1);
    for (size_t i = 0; i < COINS; i++) {
        random_bytes(&rng, at[i].txid.bytes, 32);
        at[i].index = (uint32_t)random_below(&rng, 4);
    }
    printf("medians of %d runs\n", RUNS);
    run_table("get, 512,000 coins cached (processor time)", get, ARRAY_LEN(get), at, COINS, "ns/coin");
    run_table("spend one and add one (processor time)", change, ARRAY_LEN(change), at, COINS, "ns/pair");
    run_table("flush of 200,000 coins (wall time)", flush, ARRAY_LEN(flush), at, FLUSHED, "ns/coin");
    run_table("spend 200,000 coins that are on disk (wall time)", fetch, ARRAY_LEN(fetch), at, FLUSHED, "ns/coin");
    free(at);
    return 0;
}
