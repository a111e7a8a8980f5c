/* What a template of a full pool costs: choosing, making the block without hashing anything again, and the check of it
 * as a block; beside it, in the same run, the plain way of old: all packages of ancestors sorted by rate, and the block
 * parsed and hashed. Arguments: MB of the pool (300), runs (50). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/random.h"
#include "consensus/merkle.h"
#include "miner/block_template.h"
#include "primitives/compact_size.h"
#include "store/store.h"

enum { FUNDING = 140, FAN_OUT = 2500, FANS_A_BLOCK = 10, CHANGES = 20, WARM_UP = 3, RUNS_MAX = 1000, PLAIN_RUNS = 10 };

/* Of processor: on a machine that others share the clock on the wall tells of them. */
static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

struct coin_at {
    struct outpoint at;
    amount_sat value;
};

struct bench {
    struct chain_params params;
    struct chain *chain;
    struct memory_fault fault;
    struct chain_ports ports;
    struct mempool *pool;
    struct random random;
    int64_t now_s;
    struct coin_at *coins; /* unspent, confirmed */
    size_t coin_count, coin_cap;
    size_t refused;
};

static const uint8_t anyone[] = {0x51};

static void advance(struct bench *b, const struct block *given)
{
    struct error e;
    for (bool idle = false; !idle;) {
        struct notice notice;
        enum result r = chain_step(b->chain, b->now_s, given, &notice, &e);
        CHECK(!r);
        idle = notice.kind == NOTICE_NONE;
        notice_clear(&notice);
    }
}

/* Mines TXS; the coinbase's output is *REWARD. */
static void mine(struct bench *b, const struct tx *txs, size_t count, struct coin_at *reward)
{
    struct buffer raw = {0};
    struct verdict v = {0};
    struct error e;
    struct block_node *node;
    uint64_t tries = UINT32_MAX;
    bool is_new;
    block_template_build(b->chain, b->now_s, span_of(anyone, sizeof(anyone)), txs, count, 0, &raw);
    CHECK(nonce_search(raw.data, &b->params, &tries));
    struct block *block = block_parse(buffer_span(&raw));
    CHECK(block);
    CHECK(!chain_accept_block(b->chain, block, b->now_s, ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e));
    CHECK(verdict_ok(&v));
    advance(b, block);
    CHECK(chain_tip(b->chain) == node);
    *reward = (struct coin_at){{block->txs[0].txid, 0}, block->txs[0].out[0].value};
    block_free(block);
    buffer_clear(&raw);
    b->now_s++;
}

static void put_input(struct buffer *out, const struct outpoint *at)
{
    buffer_put(out, at->txid.bytes, 32);
    buffer_put_le32(out, at->index);
    buffer_put_u8(out, 0);
    buffer_put_le32(out, SEQUENCE_FINAL);
}

static void put_output(struct buffer *out, amount_sat value)
{
    buffer_put_le64(out, (uint64_t)value);
    buffer_put_u8(out, 22); /* as long as P2WPKH */
    buffer_put_u8(out, 19);
    for (int i = 0; i < 19; i++) buffer_put_u8(out, 7);
    buffer_put(out, "\x75\x51", 2);
}

/* Divides the coins of the first blocks into many. */
static void fan_out(struct bench *b, const struct coin_at *from, size_t count)
{
    struct buffer raw[FANS_A_BLOCK] = {0};
    struct tx txs[FANS_A_BLOCK];
    struct arena arena = {0};
    struct coin_at ignored;
    for (size_t i = 0; i < count; i++) {
        amount_sat each = from[i].value / FAN_OUT;
        buffer_put_le32(&raw[i], 2);
        buffer_put_u8(&raw[i], 1);
        put_input(&raw[i], &from[i].at);
        buffer_put_compact_size(&raw[i], FAN_OUT);
        for (int o = 0; o < FAN_OUT; o++) put_output(&raw[i], each);
        buffer_put_le32(&raw[i], 0);
        CHECK(tx_parse(&txs[i], buffer_span(&raw[i]), &arena, 0));
        for (uint32_t o = 0; o < FAN_OUT; o++) {
            b->coins = mem_grow(b->coins, &b->coin_cap, b->coin_count + 1, sizeof(*b->coins));
            b->coins[b->coin_count++] = (struct coin_at){{txs[i].txid, o}, each};
        }
    }
    mine(b, txs, count, &ignored);
    for (size_t i = 0; i < count; i++) buffer_clear(&raw[i]);
    arena_clear(&arena);
}

static void open_chain(struct bench *b)
{
    struct chain_options options = {.cache_bytes = 1 << 30, .max_file_bytes = 128 << 20, .sig_cache_bytes = 32 << 20};
    struct coin_at rewards[FUNDING], ignored;
    struct error e;
    b->params = *chain_params_get(CHAIN_REGTEST);
    b->now_s = 1750000000;
    random_init_u64(&b->random, 1);
    memory_store_open(&b->ports.index, &b->fault);
    memory_store_open(&b->ports.coins, &b->fault);
    memory_files_open(&b->ports.files, &b->fault);
    CHECK(!chain_open(&b->chain, &b->params, &options, &b->ports, b->now_s, NULL, &e));
    advance(b, NULL);
    for (int i = 0; i < FUNDING; i++) mine(b, NULL, 0, &rewards[i]);
    for (int i = 0; i < 100; i++) mine(b, NULL, 0, &ignored);
    for (size_t i = 0; i + FANS_A_BLOCK <= FUNDING; i += FANS_A_BLOCK) fan_out(b, &rewards[i], FANS_A_BLOCK);
}

/* A transaction on COIN with a usual size and a rate out of a wide range; its own output 0 goes to *NEXT. */
static bool add(struct bench *b, const struct coin_at *coin, struct coin_at *next)
{
    struct buffer raw = {0};
    struct arena arena = {0};
    struct verdict v = {0};
    struct error e;
    struct tx tx;
    size_t outputs = 1 + (size_t)random_below(&b->random, 3), padding = 40 + (size_t)random_below(&b->random, 160);
    if (random_below(&b->random, 30) == 0) padding = (size_t)random_below(&b->random, 4000);
    double rate = exp((double)random_below(&b->random, 1000) / 1000 * log(500)) * 0.2;
    amount_sat fee = (amount_sat)(rate * (double)(60 + 31 * outputs + padding)), left = coin->value - fee;
    if (left < (amount_sat)outputs * 1000) return false;
    buffer_put_le32(&raw, 2);
    buffer_put_u8(&raw, 1);
    put_input(&raw, &coin->at);
    buffer_put_u8(&raw, (uint8_t)outputs + 1);
    put_output(&raw, left - ((amount_sat)outputs - 1) * 600);
    for (size_t i = 1; i < outputs; i++) put_output(&raw, 600);
    buffer_put_le64(&raw, 0); /* stands for the witness */
    buffer_put_compact_size(&raw, padding + 1);
    buffer_put_u8(&raw, 0x6a);
    random_bytes(&b->random, buffer_extend(&raw, padding), padding);
    buffer_put_le32(&raw, 0);
    CHECK(tx_parse(&tx, buffer_span(&raw), &arena, 0));
    CHECK(!mempool_accept_one(b->pool, &tx, b->now_s, 0, &v, &e));
    *next = (struct coin_at){{tx.txid, 0}, tx.out[0].value};
    b->refused += !verdict_ok(&v);
    arena_clear(&arena);
    buffer_clear(&raw);
    return verdict_ok(&v);
}

/* A transaction, and behind one of five a few that follow. */
static void add_some(struct bench *b)
{
    CHECK(b->coin_count > 0);
    struct coin_at coin = b->coins[--b->coin_count];
    if (!add(b, &coin, &coin) || random_below(&b->random, 5)) return;
    for (uint64_t more = 1 + random_below(&b->random, 8); more && add(b, &coin, &coin);) more--;
}

static void fill(struct bench *b, uint64_t mb)
{
    struct mempool_options options = mempool_options_default();
    options.max_bytes = mb * 1000000;
    options.require_standard = false;
    b->pool = mempool_new(&options, b->chain, NULL);
    mempool_set_time(b->pool, b->now_s);
    double start = now_ms();
    while (mempool_min_fee(b->pool).sat_per_kvb == 0 && b->coin_count > 40000) add_some(b);
    for (int i = 0; i < 20000; i++) add_some(b);
    size_t count = mempool_count(b->pool);
    printf("pool: %zu transactions, %.1f MB of memory, %.1f MvB, least rate %lld sat/kvB, filled in %.1f s (%zu "
           "refused)\n",
           count, (double)mempool_memory(b->pool) / 1e6, (double)mempool_vbytes(b->pool) / 1e6,
           (long long)mempool_min_fee(b->pool).sat_per_kvb, (now_ms() - start) / 1e3, b->refused);
}

/* ---- the plain way ---- */

struct package {
    const struct mempool_entry *e;
    struct fee_frac rate;
};

static int best_first(const void *a, const void *b)
{
    return -fee_frac_order(((const struct package *)a)->rate, ((const struct package *)b)->rate);
}

/* Every transaction with all that it needs, sorted by rate, taken as long as it fits. Returns the fees. */
static amount_sat plain_choice(struct bench *b, const struct template_limits *limits, size_t *taken)
{
    size_t count = mempool_count(b->pool);
    struct package *all = mem_alloc(count * sizeof(*all));
    bool *in = mem_calloc(count, sizeof(*in));
    uint64_t weight = limits->reserved_weight_wu;
    amount_sat fees = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mempool_entry *e = mempool_at(b->pool, i);
        struct mempool_list list = mempool_ancestors(b->pool, e);
        all[i] = (struct package){.e = e};
        for (size_t k = 0; k < list.count; k++)
            all[i].rate = fee_frac_add(all[i].rate, (struct fee_frac){mempool_modified_fee(list.entries[k]),
                                                                      (int64_t)list.entries[k]->adjusted_weight});
        free(list.entries);
    }
    qsort(all, count, sizeof(*all), best_first);
    *taken = 0;
    for (size_t i = 0; i < count && weight + 4000 < limits->max_weight_wu; i++) {
        if (in[all[i].e->at]) continue;
        struct mempool_list list = mempool_ancestors(b->pool, all[i].e);
        uint64_t more = 0;
        for (size_t k = 0; k < list.count; k++)
            if (!in[list.entries[k]->at]) more += list.entries[k]->adjusted_weight;
        for (size_t k = 0; k < list.count && weight + more < limits->max_weight_wu; k++) {
            if (in[list.entries[k]->at]) continue;
            in[list.entries[k]->at] = true;
            fees += list.entries[k]->fee;
            ++*taken;
        }
        if (weight + more < limits->max_weight_wu) weight += more;
        free(list.entries);
    }
    free(in);
    free(all);
    return fees;
}

/* ---- measuring ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, double *ms, size_t count)
{
    qsort(ms, count, sizeof(*ms), by_value);
    printf("  %-52s best %7.2f ms, median %7.2f ms, worst %7.2f ms\n", what, ms[0], ms[count / 2], ms[count - 1]);
}

enum what { CHOOSE, MAKE, BOTH, SEAL, TEST, CHECKED, PLAIN_CHOOSE, PLAIN_MAKE, KINDS };

static void run_once(struct bench *b, double ms[KINDS], struct template_choice *choice, struct block_template **out)
{
    struct template_limits limits = template_limits_default();
    struct template_wishes wishes = {.script_pubkey = span_of(anyone, sizeof(anyone))};
    struct verdict v = {0};
    struct error e;
    for (int i = 0; i < CHANGES; i++) add_some(b);
    double start = now_ms();
    template_choose(b->pool, b->chain, &limits, choice);
    double chosen = now_ms();
    struct block_template *t = block_template_new(b->chain, b->now_s, choice, &wishes);
    double made = now_ms();
    block_template_seal(t);
    double sealed = now_ms();
    CHECK(!chain_test_block(b->chain, t->block, b->now_s, BLOCK_CHECK_NO_POW | BLOCK_CHECK_NO_MERKLE, &v, &e));
    double tested = now_ms();
    CHECK(verdict_ok(&v));
    ms[CHOOSE] = chosen - start;
    ms[MAKE] = made - chosen;
    ms[BOTH] = made - start;
    ms[SEAL] = sealed - made;
    ms[TEST] = tested - sealed;
    ms[CHECKED] = ms[BOTH] + ms[TEST];
    *out = t;
}

/* The plain way to the last template that was made. */
static void run_plain(struct bench *b, double ms[KINDS], const struct template_choice *choice,
                      const struct block_template *t, bool last)
{
    struct template_limits limits = template_limits_default();
    uint8_t root[32];
    size_t taken;
    double start = now_ms();
    amount_sat fees = plain_choice(b, &limits, &taken);
    double chosen = now_ms();
    struct block *again = block_parse(t->block->raw);
    block_merkle_root(root, again, NULL);
    double made = now_ms();
    CHECK(memcmp(root, t->block->header.merkle_root, 32) == 0);
    ms[PLAIN_CHOOSE] = chosen - start;
    ms[PLAIN_MAKE] = made - chosen;
    block_free(again);
    if (last)
        printf("block: %zu transactions, weight %llu, fees %lld; the plain way: %zu, fees %lld (%.2f %%)\n",
               choice->count, (unsigned long long)choice->weight_wu, (long long)choice->fees_sat, taken,
               (long long)fees, 100.0 * (double)fees / (double)choice->fees_sat);
}

int main(int argc, char **argv)
{
    static const char *const names[KINDS] = {"choose",
                                             "make the block, with its witness commitment",
                                             "template: both",
                                             "merkle root (whole blocks alone)",
                                             "check as a block",
                                             "template, checked",
                                             "plain: sort all packages of ancestors, choose",
                                             "plain: parse and hash the block, merkle root"};
    static double ms[KINDS][RUNS_MAX];
    uint64_t mb = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;
    size_t runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 50;
    struct bench *b = mem_calloc(1, sizeof(*b));
    if (runs < 1 || runs > RUNS_MAX) runs = RUNS_MAX;
    setvbuf(stdout, NULL, _IOLBF, 0);
    open_chain(b);
    fill(b, mb);
    struct template_choice choice = {0};
    struct block_template *t = NULL;
    double one[KINDS];
    for (size_t i = 0; i < runs + WARM_UP; i++) {
        block_template_free(t);
        template_choice_clear(&choice);
        run_once(b, one, &choice, &t);
        if (i == 0) printf("first template: choose %.2f ms, make %.2f ms\n", one[CHOOSE], one[MAKE]);
        for (int k = 0; k < PLAIN_CHOOSE && i >= WARM_UP; k++) ms[k][i - WARM_UP] = one[k];
    }
    size_t plain_runs = runs < PLAIN_RUNS ? runs : PLAIN_RUNS;
    for (size_t i = 0; i < plain_runs; i++) {
        run_plain(b, one, &choice, t, i + 1 == plain_runs);
        for (int k = PLAIN_CHOOSE; k < KINDS; k++) ms[k][i] = one[k];
    }
    block_template_free(t);
    template_choice_clear(&choice);
    printf("%zu templates after %d of warm-up, some %d transactions come between two; processor time:\n", runs, WARM_UP,
           CHANGES);
    for (int k = 0; k < KINDS; k++) report(names[k], ms[k], k < PLAIN_CHOOSE ? runs : plain_runs);
    mempool_free(b->pool);
    chain_free(b->chain);
    memory_store_close(&b->ports.index);
    memory_store_close(&b->ports.coins);
    memory_files_close(&b->ports.files);
    free(b->coins);
    free(b);
    return 0;
}
