/* Blocks of the virtual network: found by chance and hash power, real ones with work that counts; and a list of all
 * that anybody ever made, with what is wrong with each. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/block_check.h"
#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "miner/block_template.h"
#include "primitives/compact_size.h"
#include "script/script.h"
#include "sim/internal.h"

enum { NONCE_TRIES = 1000, TX_OUTPUTS_MAX = 4, FORGE_SCRIPT = 8, LOW_HEADERS = 4000 };

/* ---- the list ---- */

struct sim_block *sim_block_find(const struct sim *s, const struct block_hash *hash)
{
    return hashmap_get(&s->blocks, hash);
}

struct sim_block *sim_block_add(struct sim *s, struct span raw, struct sim_block *parent, const char *fault)
{
    struct reader r = reader_of(raw);
    struct block_header h;
    struct block_hash hash;
    block_header_read(&h, &r);
    block_header_hash(&hash, &h);
    struct sim_block *b = sim_block_find(s, &hash);
    if (b) return b;
    b = mem_calloc(1, sizeof(*b));
    *b = (struct sim_block){.hash = hash, .parent = parent, .time = h.time, .fault = fault, .found_us = s->now_us};
    b->height = parent ? parent->height + 1 : 0;
    b->valid = !fault && (!parent || parent->valid);
    b->index = (uint32_t)s->block_count;
    buffer_put_span(&b->raw, raw);
    hashmap_put(&s->blocks, b);
    s->block_list = mem_grow(s->block_list, &s->block_cap, s->block_count + 1, sizeof(struct sim_block *));
    s->block_list[s->block_count++] = b;
    if (b->valid && (!s->best || b->height > s->best->height)) s->best = b;
    if (b->valid)
        s->report->blocks++;
    else
        s->report->invalid_blocks++;
    return b;
}

void sim_blocks_init(struct sim *s)
{
    hashmap_init(&s->blocks, offsetof(struct sim_block, hash), sizeof(struct block_hash), s->options.seed);
    sim_block_add(s, s->params.genesis_raw, NULL, NULL);
}

/* ---- honest blocks ---- */

/* Appends a transaction that spends output 0 of AT, worth VALUE, into some outputs that anybody can spend. */
static void put_spend(struct buffer *out, struct random *random, const struct outpoint *at, amount_sat value)
{
    size_t outputs = 1 + (size_t)random_below(random, TX_OUTPUTS_MAX);
    buffer_put_le32(out, 2);
    buffer_put_u8(out, 1);
    buffer_put(out, at->txid.bytes, 32);
    buffer_put_le32(out, at->index);
    buffer_put_u8(out, 0);
    buffer_put_le32(out, SEQUENCE_FINAL);
    buffer_put_u8(out, (uint8_t)outputs);
    for (size_t i = 0; i < outputs; i++) {
        buffer_put_le64(out, (uint64_t)(value / (amount_sat)outputs));
        buffer_put_u8(out, 1);
        buffer_put_u8(out, OP_1);
    }
    buffer_put_le32(out, 0);
}

/* What goes into a block behind its coinbase. */
struct spends {
    struct tx *txs;
    size_t count;
    amount_sat fees;
    struct arena arena;
    struct template_choice choice;
};

/* What the miner's pool offers, most of the time, and what nobody but the miner knows. */
static void make_spends(struct sim_node *n, struct spends *out)
{
    struct sim *s = n->sim;
    struct template_limits limits = template_limits_default();
    struct sim_payment *own[SIM_PAY_PRIVATE_MAX];
    size_t most = (size_t)random_below(&s->random, s->swarm.max_txs + 1);
    if (sim_chance(s, 900)) template_choose(n->node->mempool, n->node->chain, &limits, &out->choice);
    out->fees = out->choice.fees_sat;
    size_t own_count = sim_pay_privately(n, own, most, &out->fees);
    out->txs = mem_calloc(out->choice.count + own_count + 1, sizeof(*out->txs));
    for (size_t i = 0; i < out->choice.count; i++) out->txs[out->count++] = out->choice.entries[i]->tx;
    for (size_t i = 0; i < own_count; i++) {
        bool parsed = tx_parse(&out->txs[out->count++], buffer_span(&own[i]->raw), &out->arena, 0);
        CHECK(parsed);
    }
}

static void spends_clear(struct spends *p)
{
    free(p->txs);
    template_choice_clear(&p->choice);
    arena_clear(&p->arena);
}

/* Anybody can spend it, and no two blocks are alike. */
static void make_script(struct sim *s, uint32_t tag, struct buffer *out)
{
    buffer_put_u8(out, FORGE_SCRIPT);
    buffer_put_le32(out, tag);
    buffer_put_le32(out, (uint32_t)s->block_count);
    buffer_put_u8(out, OP_DROP);
    buffer_put_u8(out, OP_1);
}

static void submit(struct sim_node *n, struct buffer *raw, const struct sim_lock *lock)
{
    struct sim *s = n->sim;
    struct error e;
    struct verdict v = {0};
    bool is_new;
    struct block *b = block_parse(buffer_span(raw));
    CHECK(b);
    struct sim_block *parent = sim_block_find(s, &b->header.prev);
    CHECK(parent);
    struct sim_block *known = sim_block_add(s, buffer_span(raw), parent, NULL);
    sim_trace(s, "block", n->index, (uint64_t)known->height, hash_bytes(0, known->hash.bytes, 32));
    sim_wallet_add(s, &(struct sim_coin){.at = {b->txs[0].txid, 0},
                                         .value = b->txs[0].out[0].value,
                                         .lock = *lock,
                                         .ripe = known->height + COINBASE_MATURITY});
    if (node_submit_block(n->node, b, &is_new, &v, &e)) {
        n->fatal = true;
    } else if (!verdict_ok(&v) && strcmp(v.reason, "time-too-new") != 0) {
        sim_fail(s, "node %u refuses its own block at height %d: %s", n->index, known->height, v.reason);
    }
    block_free(b);
}

void sim_mine_on(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct buffer raw = {0}, script = {0};
    struct spends spends = {0};
    struct sim_lock lock = sim_lock_new(s, n->index);
    sim_node_set_clock(n);
    make_spends(n, &spends);
    sim_lock_script_pubkey(&script, &lock);
    block_template_build(n->node->chain, node_time_s(n->node), buffer_span(&script), spends.txs, spends.count,
                         spends.fees, &raw);
    uint64_t tries = NONCE_TRIES;
    bool found = nonce_search(raw.data, &s->params, &tries);
    CHECK(found);
    spends_clear(&spends);
    submit(n, &raw, &lock);
    buffer_clear(&raw);
    buffer_clear(&script);
    sim_node_pump(n);
}

/* Who finds it: by hash power, whoever is up or not. */
static struct sim_node *draw_miner(struct sim *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->node_count; i++) sum += s->nodes[i]->power;
    if (!sum) return NULL;
    uint64_t at = random_below(&s->random, sum);
    for (size_t i = 0; i < s->node_count; i++) {
        if (at < s->nodes[i]->power) return s->nodes[i];
        at -= s->nodes[i]->power;
    }
    return NULL;
}

/* When all is mended one node alone finds blocks, and not often: what is in doubt is decided, and then there is time to
 * agree. */
static void mine_final(struct sim *s)
{
    struct sim_node *n = s->nodes[0];
    sim_at(s, s->now_us + (s->final_blocks < 2 ? 1 : 5) * SIM_MINUTE_US, EV_MINE, 0, 0, 0);
    if (!n->node || n->fatal) return;
    sim_mine_on(n);
    if (!n->node) return;
    s->final_blocks++;
    s->final = sim_block_find(s, &chain_tip(n->node->chain)->header.hash);
}

void sim_mine_event(struct sim *s)
{
    if (s->mining_over) return;
    if (s->recovering) {
        mine_final(s);
        return;
    }
    struct sim_node *n = draw_miner(s);
    sim_at(s, s->now_us + sim_poisson_us(s, s->swarm.block_us), EV_MINE, 0, 0, 0);
    if (n && n->node && !n->fatal) sim_mine_on(n);
}

void sim_premine(struct sim_node *n, unsigned count)
{
    struct sim *s = n->sim;
    /* A chain of yesterday, a block each ten minutes or less. */
    int64_t step = count ? 20 * SIM_HOUR_US / count : 0, base = n->clock.wall_base_us;
    if (step > 10 * SIM_MINUTE_US) step = 10 * SIM_MINUTE_US;
    for (unsigned i = 0; i < count && !s->report->failed; i++) {
        n->clock.wall_base_us = base - step * (int64_t)(count - i);
        sim_mine_on(n);
    }
    n->clock.wall_base_us = base;
}

/* ---- forged ones ---- */

static int by_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t least_time(const struct sim_block *parent)
{
    uint32_t times[MEDIAN_TIME_SPAN];
    size_t count = 0;
    for (const struct sim_block *b = parent; b && count < MEDIAN_TIME_SPAN; b = b->parent) times[count++] = b->time;
    qsort(times, count, sizeof(times[0]), by_time);
    return times[count / 2] + 1;
}

/* The wire form of the coinbase, without a witness. */
static void put_coinbase(struct sim *s, struct buffer *out, int32_t height, amount_sat value)
{
    struct buffer number = {0}, script = {0};
    script_put_int(&number, height);
    if (height <= 16) buffer_put_u8(&number, OP_0);
    make_script(s, UINT32_MAX, &script);
    buffer_put_le32(out, 2);
    buffer_put_u8(out, 1);
    memset(buffer_extend(out, 32), 0, 32);
    buffer_put_le32(out, OUTPOINT_NULL);
    buffer_put_u8(out, (uint8_t)number.len);
    buffer_put_span(out, buffer_span(&number));
    buffer_put_le32(out, SEQUENCE_FINAL);
    buffer_put_u8(out, 1);
    buffer_put_le64(out, (uint64_t)value);
    buffer_put_u8(out, (uint8_t)script.len);
    buffer_put_span(out, buffer_span(&script));
    buffer_put_le32(out, 0);
    buffer_clear(&number);
    buffer_clear(&script);
}

static void txid_of(struct txid *out, struct span raw)
{
    struct arena arena = {0};
    struct tx tx;
    bool parsed = tx_parse(&tx, raw, &arena, 0);
    CHECK(parsed);
    *out = tx.txid;
    arena_clear(&arena);
}

static void grind(struct sim *s, uint8_t header[HEADER_BYTES], bool with_work)
{
    uint64_t tries = NONCE_TRIES;
    struct block_header h;
    struct block_hash hash;
    if (with_work) {
        bool found = nonce_search(header, &s->params, &tries);
        CHECK(found);
        return;
    }
    for (uint32_t nonce = 0;; nonce++) {
        put_le32(header + 76, nonce);
        struct reader r = reader_of(span_of(header, HEADER_BYTES));
        block_header_read(&h, &r);
        block_header_hash(&hash, &h);
        if (!pow_check(&hash, h.bits, &s->params)) return;
    }
}

struct sim_block *sim_forge_block(struct sim *s, struct sim_block *parent, const char *fault, uint32_t time)
{
    bool amount = !strcmp(fault, "amount"), height = !strcmp(fault, "height"), missing = !strcmp(fault, "missing");
    bool work = !strcmp(fault, "work"), good = !strcmp(fault, "none");
    struct buffer raw = {0}, coinbase = {0}, spend = {0};
    struct txid ids[2];
    size_t count = missing ? 2 : 1;
    put_coinbase(s, &coinbase, parent->height + 1 + height, block_subsidy(parent->height + 1, &s->params) + amount);
    txid_of(&ids[0], buffer_span(&coinbase));
    if (missing) {
        struct outpoint nowhere = {.index = 7};
        random_bytes(&s->random, nowhere.txid.bytes, 32);
        put_spend(&spend, &s->random, &nowhere, 1000);
        txid_of(&ids[1], buffer_span(&spend));
    }
    struct block_header h = {.version = 0x20000000, .prev = parent->hash, .bits = s->params.pow_limit_bits};
    uint32_t least = least_time(parent);
    h.time = time > least ? time : least;
    uint8_t leaves[64];
    memcpy(leaves, ids[0].bytes, 32);
    memcpy(leaves + 32, ids[1].bytes, missing ? 32 : 0);
    merkle_root(h.merkle_root, leaves, count, NULL);
    block_header_write(buffer_extend(&raw, HEADER_BYTES), &h);
    grind(s, raw.data, !work);
    buffer_put_compact_size(&raw, count);
    buffer_put_span(&raw, buffer_span(&coinbase));
    buffer_put_span(&raw, buffer_span(&spend));
    struct sim_block *b = sim_block_add(s, buffer_span(&raw), parent, good ? NULL : fault);
    buffer_clear(&raw);
    buffer_clear(&coinbase);
    buffer_clear(&spend);
    return b;
}

void sim_forge_headers(struct sim *s, unsigned count, struct buffer *out)
{
    struct block_header h = {.version = 0x20000000, .prev = s->params.genesis_hash, .bits = s->params.pow_limit_bits};
    h.time = s->block_list[0]->time;
    random_bytes(&s->random, h.merkle_root, sizeof(h.merkle_root));
    for (unsigned i = 0; i < count && i < LOW_HEADERS; i++) {
        h.time += 60;
        uint8_t *at = buffer_extend(out, HEADER_BYTES);
        block_header_write(at, &h);
        grind(s, at, true);
        struct reader r = reader_of(span_of(at, HEADER_BYTES));
        block_header_read(&h, &r);
        block_header_hash(&h.prev, &h);
    }
}
