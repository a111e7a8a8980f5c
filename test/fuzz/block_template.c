/* Templates of random pools: transactions of all sizes and rates that depend on one another, spend several outputs,
 * count many signature operations, wait for heights; priorities; limits of all sorts. Whatever is chosen, the block
 * must be valid by our own rules, pay exactly what its transactions leave, and keep within its limits. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"
#include "base/reader.h"
#include "miner/block_template.h"
#include "primitives/compact_size.h"
#include "store/store.h"

enum { HEIGHT = 140, RIPE = 40, STEPS = 300, SIGOPS_SCRIPT = 20, COINS = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An output that anybody can spend. */
struct coin_at {
    struct outpoint at;
    amount_sat value;
};

struct run {
    struct reader in;
    struct chain *chain;
    struct mempool *pool;
    struct coin_at coins[COINS]; /* spent or not */
    size_t coin_count;
    uint32_t tag;
    int64_t now_s;
};

static uint32_t next(struct run *r, uint32_t below)
{
    if (reader_left(&r->in) < 2) return 0;
    return (uint32_t)read_le16(&r->in) % below;
}

/* ---- one chain for all runs ---- */

static const uint8_t anyone[] = {0x51};

struct base {
    struct chain_params params;
    struct memory_fault fault;
    struct chain_ports ports;
    struct chain *chain;
    struct coin_at rewards[RIPE];
    int64_t now_s;
};

static void advance(struct base *b, const struct block *given)
{
    struct error e;
    for (bool idle = false; !idle;) {
        struct notice notice;
        CHECK(!chain_step(b->chain, b->now_s, given, &notice, &e));
        idle = notice.kind == NOTICE_NONE;
        notice_clear(&notice);
    }
}

static void mine(struct base *b)
{
    struct verdict v = {0};
    struct error e;
    struct block_node *node;
    uint64_t tries = UINT32_MAX;
    bool is_new;
    const struct template_wishes wishes = {.script_pubkey = span_of(anyone, sizeof(anyone))};
    struct block_template *t = block_template_new(b->chain, b->now_s, NULL, &wishes);
    block_template_seal(t);
    CHECK(block_template_solve(t, &b->params, &tries));
    CHECK(!chain_accept_block(b->chain, t->block, b->now_s, ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e));
    advance(b, t->block);
    CHECK(chain_tip(b->chain) == node);
    const struct tx *coinbase = &t->block->txs[0];
    if (t->height <= RIPE) b->rewards[t->height - 1] = (struct coin_at){{coinbase->txid, 0}, coinbase->out[0].value};
    block_template_free(t);
    b->now_s += 600;
}

static const struct base *base(void)
{
    static struct base b;
    static const struct chain_options options = {
        .cache_bytes = 64 << 20, .max_file_bytes = 1 << 20, .sig_cache_bytes = 1 << 16};
    struct error e;
    if (b.chain) return &b;
    b.params = *chain_params_get(CHAIN_REGTEST);
    b.now_s = 1750000000;
    memory_store_open(&b.ports.index, &b.fault);
    memory_store_open(&b.ports.coins, &b.fault);
    memory_files_open(&b.ports.files, &b.fault);
    CHECK(!chain_open(&b.chain, &b.params, &options, &b.ports, b.now_s, NULL, &e));
    advance(&b, NULL);
    for (int i = 0; i < HEIGHT; i++) mine(&b);
    return &b;
}

/* ---- the pool ---- */

static void put_output(struct buffer *out, amount_sat value, const void *script, size_t len)
{
    buffer_put_le64(out, (uint64_t)value);
    buffer_put_compact_size(out, len);
    buffer_put(out, script, len);
}

static void put_outputs(struct run *r, struct buffer *out, amount_sat value, uint32_t outputs)
{
    uint8_t script[] = {8, 0, 0, 0, 0, 0, 0, 0, 0, 0x75, 0x51};
    uint8_t sigops[SIGOPS_SCRIPT];
    uint32_t heavy = next(r, 8) == 0 ? next(r, 40) : 0, padding = next(r, 4) ? next(r, 200) : next(r, 30000);
    memset(sigops, 0xac, sizeof(sigops)); /* OP_CHECKSIG: a cost of 4 each */
    put_le32(script + 1, r->tag++);
    buffer_put_compact_size(out, outputs + heavy + 1);
    for (uint32_t i = 0; i < outputs; i++) put_output(out, value / outputs, script, sizeof(script));
    for (uint32_t i = 0; i < heavy; i++) put_output(out, 0, sigops, sizeof(sigops));
    uint8_t *filler = mem_calloc(padding + 1, 1);
    filler[0] = 0x6a;
    put_output(out, 0, filler, padding + 1);
    free(filler);
}

static void accept(struct run *r, struct span raw, amount_sat value, uint32_t outputs)
{
    struct arena arena = {0};
    struct verdict v = {0};
    struct error e;
    struct tx tx;
    CHECK(tx_parse(&tx, raw, &arena, 0));
    CHECK(!mempool_accept_one(r->pool, &tx, r->now_s, 0, &v, &e));
    for (uint32_t i = 0; verdict_ok(&v) && i < outputs && r->coin_count < COINS; i++)
        r->coins[r->coin_count++] = (struct coin_at){{tx.txid, i}, value / outputs};
    arena_clear(&arena);
}

/* Spends one to four outputs, confirmed or not, spent or not. */
static void add(struct run *r)
{
    struct buffer raw = {0};
    uint32_t inputs = 1 + next(r, 4), outputs = 1 + next(r, 5), rate = next(r, 3) ? next(r, 2000) : next(r, 60000);
    bool waits = next(r, 10) == 0;
    amount_sat value = 0;
    uint32_t at = next(r, (uint32_t)r->coin_count);
    buffer_put_le32(&raw, 2);
    buffer_put_u8(&raw, (uint8_t)inputs);
    for (uint32_t i = 0; i < inputs; i++) {
        const struct coin_at *coin = &r->coins[(at + i * 7) % r->coin_count];
        value += coin->value;
        buffer_put(&raw, coin->at.txid.bytes, 32);
        buffer_put_le32(&raw, coin->at.index);
        buffer_put_u8(&raw, 0);
        buffer_put_le32(&raw, waits ? next(r, 3) : SEQUENCE_FINAL);
    }
    value -= value > rate ? rate : 0;
    put_outputs(r, &raw, value, outputs);
    buffer_put_le32(&raw, waits ? HEIGHT - 1 + next(r, 3) : 0);
    accept(r, buffer_span(&raw), value, outputs);
    buffer_clear(&raw);
}

static void prioritise(struct run *r)
{
    size_t count = mempool_count(r->pool);
    if (!count) return;
    const struct mempool_entry *e = mempool_at(r->pool, next(r, (uint32_t)count));
    struct txid id = e->tx.txid;
    mempool_prioritise(r->pool, &id, ((amount_sat)next(r, 65535) - 32768) * (next(r, 2) ? 1 : COIN_SAT));
}

/* ---- what must hold ---- */

static amount_sat output_sum(const struct tx *tx)
{
    amount_sat sum = 0;
    for (size_t i = 0; i < tx->out_count; i++) sum += tx->out[i].value;
    return sum;
}

/* Fees as the coins say that are spent, not as the pool remembers. */
static amount_sat true_fees(const struct run *r, const struct block *b)
{
    amount_sat fees = 0;
    for (size_t i = 1; i < b->tx_count; i++) {
        const struct tx *tx = &b->txs[i];
        for (size_t k = 0; k < tx->in_count; k++)
            for (size_t c = 0; c < r->coin_count; c++)
                if (r->coins[c].at.index == tx->in[k].prevout.index &&
                    txid_equal(&r->coins[c].at.txid, &tx->in[k].prevout.txid))
                    fees += r->coins[c].value;
        fees -= output_sum(tx);
    }
    return fees;
}

static void check_template(struct run *r, const struct template_limits *limits, struct block_template *t)
{
    struct verdict v = {0};
    struct error e;
    block_template_seal(t);
    CHECK(!chain_test_block(r->chain, t->block, r->now_s, BLOCK_CHECK_NO_POW, &v, &e));
    CHECK(verdict_ok(&v));
    amount_sat fees = r->coin_count < COINS ? true_fees(r, t->block) : t->fees_sat;
    CHECK(t->fees_sat == fees);
    CHECK(t->block->txs[0].out[0].value == block_subsidy(t->height, &r->chain->params) + fees);
    bool empty = t->block->tx_count == 1;
    CHECK(empty || t->weight_wu < limits->max_weight_wu);
    CHECK(empty || block_weight(t->block) < limits->max_weight_wu);
    CHECK(t->sigop_cost < TEMPLATE_SIGOPS_LIMIT);
    struct block *again = block_parse(t->block->raw);
    CHECK(again && again->tx_count == t->block->tx_count);
    for (size_t i = 0; i < again->tx_count; i++)
        CHECK(wtxid_equal(&again->txs[i].wtxid, &t->block->txs[i].wtxid) &&
              txid_equal(&again->txs[i].txid, &t->block->txs[i].txid));
    block_free(again);
}

/* With room for all, all that pays is in. */
static void check_complete(struct run *r, const struct template_choice *choice)
{
    uint64_t weight = 0, sigops = 0;
    size_t final = 0;
    for (size_t i = 0; i < mempool_count(r->pool); i++) {
        const struct mempool_entry *e = mempool_at(r->pool, i);
        weight += e->adjusted_weight;
        sigops += e->sigop_cost;
        final += mempool_chunk(r->pool, e).fee >= 0;
    }
    if (weight + 1000 < MAX_BLOCK_WEIGHT - TEMPLATE_RESERVED_WEIGHT_WU && sigops + 1000 < TEMPLATE_SIGOPS_LIMIT)
        CHECK(choice->count == final);
}

static void make(struct run *r, bool free_choice)
{
    struct template_limits limits = template_limits_default();
    struct template_choice choice;
    const struct template_wishes wishes = {.script_pubkey = span_of(anyone, sizeof(anyone))};
    limits.min_rate.sat_per_kvb = 0;
    if (!free_choice) {
        limits.max_weight_wu = next(r, 4) ? TEMPLATE_RESERVED_WEIGHT_WU + next(r, 40000) : MAX_BLOCK_WEIGHT;
        limits.min_rate.sat_per_kvb = next(r, 3) ? 0 : next(r, 30000);
        limits.reserved_sigops = next(r, 2) ? TEMPLATE_RESERVED_SIGOPS : TEMPLATE_SIGOPS_LIMIT - 1 - next(r, 2000);
    }
    template_choose(r->pool, r->chain, &limits, &choice);
    struct block_template *t = block_template_new(r->chain, r->now_s, &choice, &wishes);
    check_template(r, &limits, t);
    if (free_choice) check_complete(r, &choice);
    block_template_free(t);
    template_choice_clear(&choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct base *b = base();
    struct run *r = mem_calloc(1, sizeof(*r));
    struct mempool_options options = mempool_options_default();
    options.require_standard = false;
    options.min_relay.sat_per_kvb = 0;
    options.incremental.sat_per_kvb = 0;
    *r = (struct run){.in = reader_of(span_of(data, size)), .chain = b->chain, .now_s = b->now_s};
    memcpy(r->coins, b->rewards, sizeof(b->rewards));
    r->coin_count = RIPE;
    r->pool = mempool_new(&options, b->chain, NULL);
    mempool_set_time(r->pool, b->now_s);
    for (int step = 0; step < STEPS && reader_left(&r->in); step++) {
        switch (next(r, 16)) {
        case 0: make(r, false); break;
        case 1: prioritise(r); break;
        default: add(r); break;
        }
    }
    make(r, true);
    mempool_check(r->pool);
    mempool_free(r->pool);
    free(r);
    return 0;
}
