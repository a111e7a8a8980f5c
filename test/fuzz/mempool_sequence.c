/* The life of a pool on a small chain in memory: transactions of all sorts come, compete and expire, blocks with some
 * of them are connected, branches overtake one another, users change priorities, time passes. After each step all
 * invariants are recomputed, and what is in the pool, and why the rest is not, is compared with a naive pool
 * (mempool_naive_rules.h). The first byte chooses the limits. */
#include "crypto/ripemd160.h"
#include "fuzz/mempool_naive_rules.h"

enum { STEPS = 120, INS = 3, OUTS = 4, MEMORY_SMALL = 40000, EXPIRY_SHORT_S = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#ifdef __clang__
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:thread_local_quarantine_size_kb=512";
}
#endif

enum setup {
    SETUP_SMALL = 1,        /* there is room for some dozens */
    SETUP_CLUSTERS = 2,     /* of five at most */
    SETUP_CLUSTER_SIZE = 4, /* of few bytes */
    SETUP_SHORT = 8,        /* short lives */
    SETUP_LOOSE = 16,       /* nothing need be standard */
    SETUP_FREE = 32,        /* no least fee */
};

/* Made once: a chain whose coins anybody can spend. */
struct base {
    struct chain_params params;
    struct chain_options options;
    struct chain_ports ports;
    struct memory_fault fault;
    struct block *blocks[BASE_BLOCKS];
    uint8_t script[23]; /* p2sh of OP_TRUE */
    int64_t now_s;
};

struct run {
    struct reader in;
    const struct base *base;
    struct memory_fault fault;
    struct chain_ports ports;
    struct mempool *m;
    struct naive naive;
    struct arena arena;
    int64_t now_s;
    uint32_t tag;
    bool back[NAIVE_TXS]; /* of disconnected blocks, since the pool was settled */
    bool disconnected;
};

static uint8_t next(struct run *r)
{
    return reader_left(&r->in) ? read_u8(&r->in) : 0;
}

static size_t next_below(struct run *r, size_t limit)
{
    return next(r) % limit;
}

/* ---- the chain ---- */

static struct draft draft_for(const struct base *b, const struct header_node *prev, uint32_t tag)
{
    struct draft d = draft_on(prev, &b->params, tag);
    d.coinbase_script = span_of(b->script, sizeof(b->script));
    d.coinbase_outputs = BASE_OUTPUTS;
    return d;
}

static bool is_in(const struct block *b, const struct txid *txid)
{
    for (size_t i = 1; i < b->tx_count; i++)
        if (txid_equal(&b->txs[i].txid, txid)) return true;
    return false;
}

/* What B has leaves, who spends the same as well, and all that depends on those. Priorities end for the first two. */
static void naive_connected(struct run *r, const struct block *b)
{
    struct naive *n = &r->naive;
    bool pool[NAIVE_TXS] = {0}, gone[NAIVE_TXS] = {0};
    for (size_t i = 0; i < n->count; i++) {
        struct known *k = &n->all[i];
        bool mined = is_in(b, &k->tx->txid);
        for (size_t t = 1; t < b->tx_count && k->in_pool && !mined; t++) gone[i] |= naive_conflict(&b->txs[t], k->tx);
        if (mined) k->in_pool = false;
        if (mined || gone[i]) k->delta = 0;
    }
    naive_pool(n, pool);
    naive_reach(n, gone, pool, DOWN);
    for (size_t i = 0; i < n->count; i++) n->all[i].in_pool &= !gone[i];
}

static void spread(struct run *r, const struct notice *n)
{
    CHECK(n->kind != NOTICE_INVALID);
    if (n->kind == NOTICE_CONNECTED) {
        naive_connected(r, n->block);
        mempool_on_connected(r->m, n->block, n->node);
    } else if (n->kind == NOTICE_DISCONNECTED) {
        mempool_on_disconnected(r->m, n->block);
        for (size_t i = 0; i < r->naive.count; i++) r->back[i] |= is_in(n->block, &r->naive.all[i].tx->txid);
        r->disconnected = true;
    }
}

/* R may be NULL: nobody has to know. */
static void step_chain(struct chain *c, int64_t now_s, struct run *r)
{
    struct error e;
    for (;;) {
        struct notice n;
        CHECK(chain_step(c, now_s, NULL, &n, &e) == RESULT_OK);
        bool idle = n.kind == NOTICE_NONE;
        if (r && !idle) spread(r, &n);
        notice_clear(&n);
        if (idle) return;
    }
}

static struct block_node *feed(struct chain *c, const struct block *b, int64_t now_s)
{
    struct block_node *node;
    struct verdict v = {0};
    struct error e;
    bool is_new;
    CHECK(chain_accept_block(c, b, now_s, ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e) == RESULT_OK);
    CHECK(verdict_ok(&v));
    return node;
}

static void make_base(struct base *b)
{
    static const uint8_t op_true[] = {0x51};
    struct chain *c;
    struct error e;
    b->params = *chain_params_get(CHAIN_REGTEST);
    b->options = (struct chain_options){.cache_bytes = 8 << 20, .max_file_bytes = 1 << 20, .sig_cache_bytes = 1 << 16};
    memcpy(b->script, "\xa9\x14", 2);
    hash160(b->script + 2, op_true, 1);
    b->script[22] = 0x87;
    memory_store_open(&b->ports.index, &b->fault);
    memory_store_open(&b->ports.coins, &b->fault);
    memory_files_open(&b->ports.files, &b->fault);
    CHECK(chain_open(&c, &b->params, &b->options, &b->ports, INT64_C(2000000000), NULL, &e) == RESULT_OK);
    step_chain(c, INT64_C(2000000000), NULL);
    for (int i = 0; i < BASE_BLOCKS; i++) {
        struct draft d = draft_for(b, &chain_tip(c)->header, 1);
        b->blocks[i] = draft_mine(&d, &b->params);
        (void)feed(c, b->blocks[i], INT64_C(2000000000));
        step_chain(c, INT64_C(2000000000), NULL);
    }
    b->now_s = chain_tip(c)->header.time;
    CHECK(chain_flush(c, false, &e) == RESULT_OK);
    chain_free(c);
}

/* ---- transactions ---- */

/* Of the base's coinbases, or of somebody that was made, whatever became of him. */
static struct outpoint any_outpoint(struct run *r, uint8_t which)
{
    if (which < 96 || !r->naive.count) {
        const struct block *b = r->base->blocks[which % 10 + (which >= 90)];
        return outpoint_of(b, 0, which / 10 % BASE_OUTPUTS);
    }
    size_t back = which < 250 ? (size_t)(which - 96) / 3 : next(r);
    const struct tx *tx = r->naive.all[back < r->naive.count ? r->naive.count - 1 - back : 0].tx;
    size_t index = next_below(r, tx->out_count);
    return (struct outpoint){tx->txid, naive_is_data(&tx->out[index]) ? 0 : (uint32_t)index};
}

/* The same, mostly one that is there and unspent. */
static struct outpoint next_outpoint(struct run *r)
{
    uint8_t which = next(r);
    struct outpoint at = any_outpoint(r, which);
    for (uint8_t i = 1; i < 16 && which % 8 > 1; i++) {
        struct coin coin;
        struct error e;
        bool found;
        CHECK(mempool_get_coin(r->m, &at, &coin, &found, &e) == RESULT_OK);
        if (found) break;
        at = any_outpoint(r, (uint8_t)(which + 37 * i));
    }
    return at;
}

static amount_sat value_of(struct run *r, const struct outpoint *at)
{
    for (size_t i = 0; i < r->naive.count; i++)
        if (txid_equal(&r->naive.all[i].tx->txid, &at->txid)) return r->naive.all[i].tx->out[at->index].value;
    return r->base->blocks[0]->txs[0].out[0].value;
}

static uint32_t next_sequence(struct run *r)
{
    uint8_t which = next(r);
    if (which < 200) return which & 1 ? SEQUENCE_FINAL : SEQUENCE_FINAL - 2;
    return which < 240 ? which % 8 : 1U << 22 | (which % 4);
}

static uint32_t next_lock_time(struct run *r)
{
    uint8_t which = next(r);
    if (which < 224) return 0;
    if (which < 248) return (uint32_t)chain_height(r->naive.chain) + which % 8 - 2;
    return (uint32_t)r->base->now_s + which % 8 * 600;
}

static void put_input(struct run *r, struct buffer *b, const struct outpoint *at)
{
    buffer_put(b, at->txid.bytes, 32);
    buffer_put_le32(b, at->index);
    buffer_put(b, "\x02\x01\x51", 3);
    buffer_put_le32(b, next_sequence(r));
}

/* SUM less a fee in equal parts; SHAPE tells of dust and of bytes for nothing. */
static void put_outputs(struct run *r, struct buffer *b, amount_sat sum, uint8_t shape)
{
    size_t count = 1 + shape % OUTS, dust = shape >= 192 ? shape % 3 : 0, pad = (shape & 0x38) == 8 ? next(r) * 64U : 0;
    uint8_t price = next(r);
    amount_sat fee = price < 200 ? price * 4 : (price - 199) * 400;
    if (price == 255) fee = -1;
    sum -= fee;
    buffer_put_compact_size(b, count + dust + (pad > 0));
    for (size_t i = 0; i < count + dust; i++) {
        amount_sat value = i < count ? sum / (amount_sat)count : 0;
        if (i == 0) value += sum % (amount_sat)count;
        buffer_put_le64(b, (uint64_t)(value < 0 ? 0 : value));
        buffer_put_u8(b, sizeof(r->base->script));
        buffer_put(b, r->base->script, sizeof(r->base->script));
    }
    if (!pad) return;
    buffer_put_le64(b, 0);
    buffer_put_compact_size(b, pad + 1);
    buffer_put_u8(b, 0x6a);
    memset(buffer_extend(b, pad), 0, pad);
}

/* Makes one; false where there are too many already, or this one was made before. */
static bool make_tx(struct run *r)
{
    struct naive *n = &r->naive;
    struct buffer b = {0};
    uint8_t shape = next(r), versions = next(r);
    size_t ins = 1 + versions / 4 % INS;
    amount_sat sum = 0;
    if (n->count == NAIVE_TXS) return false;
    buffer_put_le32(&b, versions % 4 ? 2 + (versions % 4 == 3) : 1);
    buffer_put_compact_size(&b, ins);
    for (size_t i = 0; i < ins; i++) {
        struct outpoint at = next_outpoint(r);
        sum += value_of(r, &at);
        put_input(r, &b, &at);
    }
    put_outputs(r, &b, sum, shape);
    buffer_put_le32(&b, next_lock_time(r));
    uint8_t *raw = arena_alloc(&r->arena, b.len);
    memcpy(raw, b.data, b.len);
    struct tx *tx = arena_alloc(&r->arena, sizeof(*tx));
    CHECK(tx_parse(tx, span_of(raw, b.len), &r->arena, 0));
    buffer_clear(&b);
    for (size_t i = 0; i < n->count; i++)
        if (txid_equal(&n->all[i].tx->txid, &tx->txid)) return false;
    r->back[n->count] = false;
    n->all[n->count++] = (struct known){.tx = tx};
    return true;
}

/* ---- comparison ---- */

/* The naive pool is EXPECTED; where there is little room, what is missing of it went with all that depends on it. */
static void compare(struct run *r, const bool *expected, bool may_lack)
{
    struct naive *n = &r->naive;
    size_t count = 0;
    mempool_check(r->m);
    for (size_t i = 0; i < n->count; i++) {
        const struct mempool_entry *e = mempool_find(r->m, &n->all[i].tx->txid);
        CHECK(!e || expected[i]);
        CHECK(e || !expected[i] || may_lack);
        n->all[i].in_pool = e != NULL;
        count += e != NULL;
        CHECK(!e || (e->delta == n->all[i].delta && e->time_s == n->all[i].time_s));
    }
    CHECK(count == mempool_count(r->m));
}

static void expected_after_expiry(struct run *r, bool *expected)
{
    const struct naive *n = &r->naive;
    bool old[NAIVE_TXS] = {0};
    for (size_t i = 0; i < n->count; i++) old[i] = expected[i] && n->all[i].time_s < r->now_s - n->options.expiry_s;
    naive_reach(n, old, expected, DOWN);
    for (size_t i = 0; i < n->count; i++) expected[i] &= !old[i];
}

static bool is_small(const struct run *r)
{
    return r->naive.options.max_bytes < 1000000;
}

/* ---- steps ---- */

/* A reason that was right, though the naive pool found another one first or cannot tell. */
static bool also_right(const char *reason, const char *expected, bool replaces, bool sibling)
{
    if (!strcmp(reason, "txn-already-known")) return !strcmp(expected, "bad-txns-inputs-missingorspent");
    if (strcmp(reason, "replacement-failed")) return false;
    return replaces && (!expected[0] || !strcmp(expected, "bad-txns-spends-conflicting-tx") ||
                        !strcmp(expected, "missing-ephemeral-spends") || sibling);
}

static void accept(struct run *r, size_t at, unsigned flags)
{
    struct naive *n = &r->naive;
    const struct tx *tx = n->all[at].tx;
    struct mempool_outcome out = {0};
    struct error e;
    bool gone[NAIVE_TXS] = {0}, expected[NAIVE_TXS] = {0}, replaces = false, sibling = false;
    const struct view *v = naive_view(n);
    bool known = n->all[at].in_pool;
    const char *right =
        known ? "txn-already-in-mempool" : naive_judge(n, v, at, mempool_min_fee(r->m), gone, &replaces, &sibling);
    if (known && !naive_final(tx, v->tip)) right = "non-final";
    CHECK(mempool_accept(r->m, &tx, 1, r->now_s, flags, &out, &e) == RESULT_OK);
    const struct verdict *verdict = &out.txs[0].verdict;
    bool full = !strcmp(verdict->reason, "mempool full");
    bool good = verdict_ok(verdict) || full;
    if (strcmp(full ? "" : verdict->reason, right) &&
        !also_right(verdict->reason, right, !known && replaces, sibling)) {
        fprintf(stderr, "the pool says \"%s\" (%s), the naive one \"%s\"\n", verdict->reason, verdict->detail, right);
        CHECK(!"they disagree");
    }
    naive_pool(n, expected);
    bool enters = good && !(flags & MEMPOOL_TEST);
    if (enters) {
        for (size_t i = 0; i < n->count; i++) expected[i] &= !gone[i];
        expected[at] = true;
        n->all[at].time_s = r->now_s;
        expected_after_expiry(r, expected);
    }
    CHECK(!full || (enters && (is_small(r) || !expected[at]))); /* what it rests on may have been too old */
    compare(r, expected, enters && is_small(r));
    CHECK(!enters || mempool_memory(r->m) <= n->options.max_bytes);
    mempool_outcome_clear(&out);
}

static void accept_some(struct run *r, unsigned flags)
{
    if (make_tx(r)) accept(r, r->naive.count - 1, flags);
}

static void accept_again(struct run *r)
{
    if (r->naive.count) accept(r, next(r) % r->naive.count, 0);
}

/* Two or three at once, only to ask. */
static void test_several(struct run *r)
{
    struct naive *n = &r->naive;
    const struct tx *txs[3];
    struct mempool_outcome out = {0};
    struct error e;
    bool expected[NAIVE_TXS] = {0};
    size_t first = next(r), count = 2 + first % 2;
    if (n->count < count) return;
    for (size_t i = 0; i < count; i++) txs[i] = n->all[(first + i) % n->count].tx;
    CHECK(mempool_accept(r->m, txs, count, r->now_s, MEMPOOL_TEST, &out, &e) == RESULT_OK);
    mempool_outcome_clear(&out);
    naive_pool(n, expected);
    compare(r, expected, false);
}

/* After the chain moved: who could be in its next block, of those who were there and those who came back. */
static void settle(struct run *r)
{
    struct naive *n = &r->naive;
    const struct header_node *tip = &chain_tip(n->chain)->header;
    bool expected[NAIVE_TXS] = {0}, oversized = false, returned[NAIVE_TXS] = {0};
    for (size_t i = 0; i < n->count; i++) {
        bool mined = naive_mined(n, tip, &n->all[i].tx->txid);
        returned[i] = r->back[i] && !mined;
        expected[i] = (n->all[i].in_pool || returned[i]) && !mined;
        if (returned[i]) n->all[i].time_s = r->now_s;
    }
    mempool_settle(r->m);
    /* Clusters are made to fit before those leave whom the tip does not allow. */
    for (size_t i = 0; i < n->count; i++) oversized |= expected[i] && naive_oversized(n, expected, i);
    naive_keep_valid(n, naive_view(n), expected, returned);
    if (r->disconnected) expected_after_expiry(r, expected);
    compare(r, expected, oversized || (r->disconnected && is_small(r)));
    memset(r->back, 0, sizeof(r->back));
    r->disconnected = false;
}

/* A block on PREV with those that it can have, of the ones that the bits of a mask name. */
static struct block *make_block(struct run *r, const struct header_node *prev)
{
    struct naive *n = &r->naive;
    struct view v = view_at(n, prev);
    struct draft d = draft_for(r->base, prev, ++r->tag);
    static const bool nobody[NAIVE_TXS];
    uint8_t mask = next(r), from = next(r);
    for (size_t i = 0; i < n->count && d.tx_count < DRAFT_TXS; i++) {
        const struct tx *tx = n->all[(from + i) % n->count].tx;
        amount_sat fee;
        if (!(mask >> i % 8 & 1) || naive_mined(n, prev, &tx->txid)) continue;
        bool twice = false;
        for (size_t a = 0; a < tx->in_count; a++)
            for (size_t b = 0; b < a; b++)
                twice |= !memcmp(&tx->in[a].prevout, &tx->in[b].prevout, sizeof(struct outpoint));
        if (twice || naive_consensus(n, &v, nobody, tx, &fee)[0]) continue;
        size_t start = d.txs.len;
        tx_write(&d.txs, tx);
        draft_tx_end(&d, start);
        view_apply(&v, tx, prev->height + 1);
    }
    view_clear(&v);
    return draft_mine(&d, &r->base->params);
}

/* COUNT blocks on the one that is DEPTH below the tip. */
static void connect(struct run *r, int32_t depth, size_t count)
{
    struct naive *n = &r->naive;
    const struct block_node *tip = chain_tip(n->chain);
    int32_t height = tip->header.height - depth;
    struct block_node *prev = chain_at(n->chain, height < BASE_BLOCKS ? BASE_BLOCKS : height);
    for (size_t i = 0; i < count && n->block_count < NAIVE_BLOCKS; i++) {
        struct block *b = make_block(r, &prev->header);
        n->blocks[n->block_count++] = b;
        prev = feed(n->chain, b, r->base->now_s + 1000000);
    }
    step_chain(n->chain, r->base->now_s + 1000000, r);
    settle(r);
}

static void connect_branch(struct run *r)
{
    uint8_t how = next(r);
    connect(r, 1 + how % 3, 1 + how / 4 % 4);
}

/* A user takes the tip away, and perhaps gives it back. */
static void disconnect(struct run *r)
{
    struct naive *n = &r->naive;
    struct block_node *tip = chain_tip(n->chain);
    if (tip->header.height <= BASE_BLOCKS) return;
    chain_invalidate(n->chain, tip);
    step_chain(n->chain, r->base->now_s + 1000000, r);
    if (next(r) & 1) settle(r);
    chain_reconsider(n->chain, tip);
    step_chain(n->chain, r->base->now_s + 1000000, r);
    settle(r);
}

static void prioritise(struct run *r)
{
    struct naive *n = &r->naive;
    if (!n->count) return;
    struct known *k = &n->all[next(r) % n->count];
    amount_sat delta = ((amount_sat)next(r) - 128) * 50;
    mempool_prioritise(r->m, &k->tx->txid, delta);
    k->delta += delta;
    bool expected[NAIVE_TXS] = {0};
    naive_pool(n, expected);
    compare(r, expected, false);
}

static void pass_time(struct run *r)
{
    r->now_s += (int64_t)next(r) * 30;
    mempool_set_time(r->m, r->now_s);
}

static void step(struct run *r)
{
    uint8_t what = next(r);
    if (what < 160)
        accept_some(r, 0);
    else if (what < 170)
        accept_some(r, MEMPOOL_TEST);
    else if (what < 180)
        accept_again(r);
    else if (what < 186)
        test_several(r);
    else if (what < 210)
        connect(r, 0, 1);
    else if (what < 228)
        connect_branch(r);
    else if (what < 236)
        disconnect(r);
    else if (what < 248)
        prioritise(r);
    else
        pass_time(r);
}

/* ---- a run ---- */

static struct mempool_options options_of(uint8_t setup)
{
    struct mempool_options o = mempool_options_default();
    if (setup & SETUP_SMALL) o.max_bytes = MEMORY_SMALL;
    if (setup & SETUP_CLUSTERS) o.cluster_count = 5;
    if (setup & SETUP_CLUSTER_SIZE) o.cluster_vbytes = 1200;
    if (setup & SETUP_SHORT) o.expiry_s = EXPIRY_SHORT_S;
    if (setup & SETUP_FREE) o.min_relay = (struct fee_rate){0};
    o.require_standard = !(setup & SETUP_LOOSE);
    return o;
}

static void run_open(struct run *r, const struct base *b)
{
    struct naive *n = &r->naive;
    struct error e;
    r->base = b;
    r->now_s = b->now_s;
    memory_store_clone(&r->ports.index, &b->ports.index, &r->fault);
    memory_store_clone(&r->ports.coins, &b->ports.coins, &r->fault);
    memory_files_clone(&r->ports.files, &b->ports.files, &r->fault);
    CHECK(chain_open(&n->chain, &b->params, &b->options, &r->ports, b->now_s, NULL, &e) == RESULT_OK);
    step_chain(n->chain, b->now_s, NULL);
    n->base = b->blocks;
    n->options = options_of(next(r));
    r->m = mempool_new(&n->options, n->chain, NULL);
    mempool_set_time(r->m, r->now_s);
}

static void run_close(struct run *r)
{
    mempool_free(r->m);
    view_clear(&r->naive.view);
    chain_free(r->naive.chain);
    for (size_t i = 0; i < r->naive.block_count; i++) block_free(r->naive.blocks[i]);
    memory_store_close(&r->ports.index);
    memory_store_close(&r->ports.coins);
    memory_files_close(&r->ports.files);
    arena_clear(&r->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct base base;
    static struct run r;
    if (!base.blocks[0]) make_base(&base);
    r = (struct run){.in = reader_of(span_of(data, size)), .fault.result = RESULT_IO};
    run_open(&r, &base);
    for (int i = 0; i < STEPS && reader_left(&r.in); i++) step(&r);
    run_close(&r);
    return 0;
}
