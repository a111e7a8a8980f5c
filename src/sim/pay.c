/* Payments: how they are made, who gets them, and what has become of them in the end. */
#include "sim/pay.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/tx_check.h"
#include "crypto/sha256.h"
#include "node/submit_tx.h"
#include "p2p/p2p_txs.h"
#include "script/script.h"
#include "sim/internal.h"

enum {
    TRIES = 12,
    RECENT = 40,
    FAN_OUT_UNTIL = 60, /* coins */
    PROBE_PATIENCE_US = 4 * 60 * 1000000,
    SEQUENCE_RBF = 0xfffffffd,
};

/* ---- the lists ---- */

void sim_wallet_init(struct sim *s)
{
    hashmap_init(&s->wallet.by_txid, offsetof(struct sim_payment, txid), sizeof(struct txid), s->options.seed);
}

void sim_wallet_clear(struct sim *s)
{
    struct sim_wallet *w = &s->wallet;
    for (size_t i = 0; i < w->count; i++) {
        buffer_clear(&w->payments[i]->raw);
        free(w->payments[i]);
    }
    hashmap_clear(&w->by_txid);
    free(w->payments);
    free(w->coins);
}

struct sim_lock sim_lock_new(struct sim *s, uint32_t tag)
{
    struct buffer out = {0};
    struct sim_lock lock;
    buffer_put_u8(&out, 8);
    buffer_put_le32(&out, tag);
    buffer_put_le32(&out, s->wallet.locks++);
    buffer_put_u8(&out, OP_DROP);
    buffer_put_u8(&out, OP_1);
    memcpy(lock.script, out.data, SIM_LOCK);
    buffer_clear(&out);
    return lock;
}

void sim_lock_script_pubkey(struct buffer *out, const struct sim_lock *lock)
{
    buffer_put_u8(out, OP_0);
    buffer_put_u8(out, 32);
    sha256_once(buffer_extend(out, 32), lock->script, SIM_LOCK);
}

void sim_wallet_add(struct sim *s, const struct sim_coin *coin)
{
    struct sim_wallet *w = &s->wallet;
    w->coins = mem_grow(w->coins, &w->coin_cap, w->coin_count + 1, sizeof(*w->coins));
    w->coins[w->coin_count++] = *coin;
}

struct sim_payment *sim_pay_any(struct sim *s)
{
    struct sim_wallet *w = &s->wallet;
    return w->count ? w->payments[random_below(&s->random, w->count)] : NULL;
}

/* ---- making one ---- */

amount_sat sim_pay_fee(struct sim *s)
{
    return 300 + (amount_sat)random_below(&s->random, 5000);
}

static void put_inputs(struct buffer *out, const struct sim_coin *coins, size_t count)
{
    buffer_put_u8(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        buffer_put(out, coins[i].at.txid.bytes, 32);
        buffer_put_le32(out, coins[i].at.index);
        buffer_put_u8(out, 0);
        buffer_put_le32(out, SEQUENCE_RBF);
    }
}

static void put_witnesses(struct buffer *out, const struct sim_coin *coins, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_put_u8(out, 1);
        buffer_put_u8(out, SIM_LOCK);
        buffer_put(out, coins[i].lock.script, SIM_LOCK);
    }
}

void sim_pay_write(struct sim *s, struct buffer *out, const struct sim_coin *coins, size_t count,
                   struct sim_lock *locks, size_t outputs, amount_sat value)
{
    buffer_put_le32(out, 2);
    buffer_put(out, "\x00\x01", 2);
    put_inputs(out, coins, count);
    buffer_put_u8(out, (uint8_t)outputs);
    for (size_t i = 0; i < outputs; i++) {
        struct sim_lock lock = sim_lock_new(s, UINT32_MAX - 1);
        if (locks) locks[i] = lock;
        buffer_put_le64(out, (uint64_t)value);
        buffer_put_u8(out, 34);
        sim_lock_script_pubkey(out, &lock);
    }
    put_witnesses(out, coins, count);
    buffer_put_le32(out, 0);
}

static amount_sat sum_of(const struct sim_coin *coins, size_t count)
{
    amount_sat sum = 0;
    for (size_t i = 0; i < count; i++) sum += coins[i].value;
    return sum;
}

struct sim_payment *sim_pay_make(struct sim *s, const struct sim_coin *coins, size_t count, size_t outputs,
                                 amount_sat fee)
{
    struct sim_wallet *w = &s->wallet;
    struct sim_payment *p = mem_calloc(1, sizeof(*p));
    struct sim_lock locks[SIM_PAY_OUTPUTS];
    struct arena arena = {0};
    struct tx tx;
    amount_sat value = (sum_of(coins, count) - fee) / (amount_sat)outputs;
    sim_pay_write(s, &p->raw, coins, count, locks, outputs, value);
    CHECK(tx_parse(&tx, buffer_span(&p->raw), &arena, 0));
    p->txid = tx.txid;
    p->wtxid = tx.wtxid;
    p->spend_count = count;
    memcpy(p->spends, coins, count * sizeof(*coins));
    for (size_t i = 0; i < outputs; i++)
        sim_wallet_add(s, &(struct sim_coin){.at = {p->txid, (uint32_t)i}, .value = value, .lock = locks[i]});
    w->payments = mem_grow(w->payments, &w->cap, w->count + 1, sizeof(struct sim_payment *));
    w->payments[w->count++] = p;
    hashmap_put(&w->by_txid, p);
    arena_clear(&arena);
    return p;
}

static size_t outputs_for(struct sim *s, amount_sat value)
{
    if (s->wallet.coin_count < FAN_OUT_UNTIL) return SIM_PAY_OUTPUTS;
    size_t outputs = 1 + (size_t)random_below(&s->random, 3);
    return value < 10 * SIM_PAY_LEAST ? 1 : outputs;
}

/* ---- choosing coins ---- */

static bool is_ripe(const struct sim_node *n, const struct coin *coin)
{
    return !coin_is_coinbase(coin->origin) ||
           chain_height(n->node->chain) + 1 - coin_height(coin->origin) >= COINBASE_MATURITY;
}

static const struct sim_coin *draw_coin(struct sim *s)
{
    struct sim_wallet *w = &s->wallet;
    size_t range = w->coin_count;
    if (sim_chance(s, 500) && range > RECENT) range = RECENT;
    return range ? &w->coins[w->coin_count - 1 - random_below(&s->random, range)] : NULL;
}

const struct sim_coin *sim_coin_any(struct sim *s)
{
    for (int i = 0; i < TRIES; i++) {
        const struct sim_coin *drawn = draw_coin(s);
        if (!drawn || drawn->ripe <= s->best->height + 1) return drawn;
    }
    return NULL;
}

static bool is_among(const struct sim_coin *coins, size_t count, const struct outpoint *at)
{
    for (size_t i = 0; i < count; i++) {
        if (coins[i].at.index == at->index && txid_equal(&coins[i].at.txid, &at->txid)) return true;
    }
    return false;
}

/* Up to MAX coins that N sees as unspent, its pool counted in. */
static size_t choose_coins(struct sim_node *n, struct sim_coin *out, size_t max)
{
    struct sim *s = n->sim;
    size_t count = 0;
    for (int i = 0; i < TRIES && count < max; i++) {
        const struct sim_coin *drawn = draw_coin(s);
        struct coin coin;
        struct error e;
        bool found;
        if (!drawn || drawn->value < SIM_PAY_LEAST || is_among(out, count, &drawn->at)) continue;
        if (mempool_get_coin(n->node->mempool, &drawn->at, &coin, &found, &e)) {
            n->fatal = true;
            return 0;
        }
        if (found && is_ripe(n, &coin)) out[count++] = *drawn;
    }
    return count;
}

/* ---- handing in ---- */

static void hand_in(struct sim_node *n, const struct sim_payment *p)
{
    struct arena arena = {0};
    struct submit_tx outcome = {0};
    struct error e;
    struct tx tx;
    if (!n->node || n->fatal) return;
    sim_node_set_clock(n);
    CHECK(tx_parse(&tx, buffer_span(&p->raw), &arena, 0));
    if (node_submit_tx(n->node, &tx, 0, &outcome, &e)) n->fatal = true;
    sim_trace_text(n->sim, "pay", n->index, outcome.verdict.reason, hash_bytes(0, p->txid.bytes, 32));
    arena_clear(&arena);
    sim_node_pump(n);
}

static struct sim_node *any_node(struct sim *s)
{
    struct sim_node *n = s->nodes[random_below(&s->random, s->node_count)];
    return n->node && !n->fatal ? n : NULL;
}

/* Somebody else, on the other side where the network is parted. */
static struct sim_node *other_node(struct sim *s, const struct sim_node *n)
{
    struct sim_node *other = NULL;
    bool parted = s->partitions[0].active || s->partitions[1].active;
    for (int i = 0; i < TRIES; i++) {
        struct sim_node *m = any_node(s);
        if (!m || m == n) continue;
        other = m;
        if (!parted || s->hosts[m->host]->side != s->hosts[n->host]->side) break;
    }
    return other;
}

static void pay(struct sim *s, struct sim_node *n)
{
    struct sim_coin coins[SIM_PAY_INPUTS];
    size_t count = choose_coins(n, coins, 1 + (size_t)random_below(&s->random, SIM_PAY_INPUTS));
    if (count == 0) return;
    amount_sat value = sum_of(coins, count);
    size_t outputs = outputs_for(s, value); /* first: the order of chances is part of the seed */
    hand_in(n, sim_pay_make(s, coins, count, outputs, sim_pay_fee(s)));
    struct sim_node *other = sim_chance(s, 300) ? other_node(s, n) : NULL;
    if (!other) return;
    size_t part = 1 + (size_t)random_below(&s->random, count); /* the same coins, or some of them */
    value = sum_of(coins, part);
    outputs = outputs_for(s, value);
    hand_in(other, sim_pay_make(s, coins, part, outputs, sim_pay_fee(s)));
    s->wallet.conflicts++;
}

void sim_pay_event(struct sim *s)
{
    if (s->recovering || !s->swarm.pay_us) return;
    sim_at(s, s->now_us + sim_poisson_us(s, s->swarm.pay_us), EV_PAY, 0, 0, 0);
    struct sim_node *n = any_node(s);
    if (n) pay(s, n);
}

/* ---- what only a miner knows ---- */

static bool is_free_in_chain(struct sim_node *n, const struct sim_coin *c)
{
    struct coin coin;
    struct error e;
    enum result r = coins_get(n->node->chain->coins, &c->at, &coin, &e);
    bool ripe = !r && is_ripe(n, &coin);
    coins_end_block(n->node->chain->coins);
    return ripe && !mempool_spender(n->node->mempool, &c->at);
}

size_t sim_pay_privately(struct sim_node *n, struct sim_payment **out, size_t max, amount_sat *fees)
{
    struct sim *s = n->sim;
    struct sim_coin used[SIM_PAY_PRIVATE_MAX];
    size_t count = 0;
    for (int i = 0; i < TRIES && count < max && count < SIM_PAY_PRIVATE_MAX; i++) {
        const struct sim_coin *drawn = draw_coin(s);
        if (!drawn || drawn->value < SIM_PAY_LEAST || is_among(used, count, &drawn->at)) continue;
        if (!is_free_in_chain(n, drawn)) continue;
        used[count] = *drawn;
        amount_sat fee = sim_pay_fee(s);
        size_t outputs = outputs_for(s, used[count].value);
        amount_sat value = (used[count].value - fee) / (amount_sat)outputs * (amount_sat)outputs;
        *fees += used[count].value - value;
        out[count] = sim_pay_make(s, &used[count], 1, outputs, fee);
        count++;
    }
    return count;
}

/* ---- what became of them ---- */

/* An output that was spent, by whom; or with OUTPOINT_NULL a transaction that is there. */
struct fact {
    struct outpoint at; /* first: the key */
    struct txid by;
};

static void note(struct hashmap *facts, const struct outpoint *at, const struct txid *by)
{
    struct fact *f = mem_alloc(sizeof(*f));
    *f = (struct fact){*at, *by};
    free(hashmap_del(facts, at));
    hashmap_put(facts, f);
}

/* All that the chain which ends at TIP has. */
static void read_chain(struct sim *s, const struct sim_block *tip, struct hashmap *facts)
{
    hashmap_init(facts, offsetof(struct fact, at), sizeof(struct outpoint), s->options.seed);
    for (const struct sim_block *at = tip; at && at->parent; at = at->parent) {
        struct block *b = block_parse(buffer_span(&at->raw));
        CHECK(b);
        for (size_t t = 0; t < b->tx_count; t++) {
            const struct tx *tx = &b->txs[t];
            note(facts, &(struct outpoint){tx->txid, OUTPOINT_NULL}, &tx->txid);
            for (size_t i = 0; t && i < tx->in_count; i++) note(facts, &tx->in[i].prevout, &tx->txid);
        }
        block_free(b);
    }
}

/* P can never be in this chain: what it spends was spent by another, or will never be there. */
static bool is_dead(struct sim *s, const struct hashmap *facts, const struct sim_payment *p)
{
    for (size_t i = 0; i < p->spend_count; i++) {
        const struct outpoint *at = &p->spends[i].at;
        if (hashmap_get(facts, at)) return true;
        if (hashmap_get(facts, &(struct outpoint){at->txid, OUTPOINT_NULL})) continue;
        const struct sim_payment *parent = hashmap_get(&s->wallet.by_txid, &at->txid);
        if (!parent || parent->dead) return true;
    }
    return false;
}

static void look(struct sim *s, const struct sim_node *n)
{
    struct sim_wallet *w = &s->wallet;
    const struct block_hash *tip = &chain_tip(n->node->chain)->header.hash;
    struct hashmap facts;
    size_t at = 0;
    if (w->looked_count == w->count && block_hash_equal(&w->looked_at, tip)) return;
    w->looked_count = w->count;
    w->looked_at = *tip;
    read_chain(s, sim_block_find(s, tip), &facts);
    w->unsettled = 0;
    for (size_t i = 0; i < w->count; i++) {
        struct sim_payment *p = w->payments[i];
        p->confirmed = hashmap_get(&facts, &(struct outpoint){p->txid, OUTPOINT_NULL}) != NULL;
        p->dead = !p->confirmed && is_dead(s, &facts, p);
        w->unsettled += !p->confirmed && !p->dead;
    }
    for (void *f; (f = hashmap_next(&facts, &at));) free(f);
    hashmap_clear(&facts);
}

/* One payment that nobody hands in again must reach every pool while all is well. */
static void follow_probe(struct sim *s)
{
    struct sim_wallet *w = &s->wallet;
    size_t holders = 0;
    for (size_t i = 0; w->probe && i < s->node_count; i++) {
        const struct sim_node *n = s->nodes[i];
        holders += n->node && mempool_find(n->node->mempool, &w->probe->txid);
    }
    if (w->probe && holders == s->node_count) {
        w->probe_arrived = true;
        sim_trace(s, "arrived", holders, 0, 0);
    }
    if (w->probe && (w->probe_arrived || w->probe->confirmed || s->now_us - w->probe_us > PROBE_PATIENCE_US)) {
        w->probe->is_probe = false;
        w->probe = NULL;
    }
    if (w->probe || w->probe_arrived || !sim_converged(s)) return;
    struct sim_node *n = any_node(s);
    struct sim_coin coin;
    if (!n || choose_coins(n, &coin, 1) == 0) return;
    w->probe = sim_pay_make(s, &coin, 1, 1, sim_pay_fee(s));
    w->probe->is_probe = true;
    w->probe_us = s->now_us;
    hand_in(n, w->probe);
}

void sim_settle_event(struct sim *s)
{
    struct sim_wallet *w = &s->wallet;
    struct sim_node *judge = s->nodes[0];
    sim_at(s, s->now_us + SIM_MINUTE_US, EV_SETTLE, 0, 0, 0);
    if (judge->node) look(s, judge);
    if (judge->node) follow_probe(s);
    struct sim_node *n = s->nodes[w->round++ % s->node_count];
    for (size_t i = 0; i < w->count; i++) {
        const struct sim_payment *p = w->payments[i];
        if (!p->confirmed && !p->dead && !p->is_probe) hand_in(n, p);
    }
}

/* Whether there are coins to probe with at all. */
static bool has_ripe_coins(const struct sim *s)
{
    return s->final && s->final->height >= COINBASE_MATURITY + 1 && s->wallet.count > 0;
}

bool sim_pay_settled(const struct sim *s)
{
    const struct sim_wallet *w = &s->wallet;
    if (has_ripe_coins(s) && !w->probe_arrived) return false;
    for (size_t i = 0; i < s->node_count; i++) {
        if (!s->nodes[i]->node || mempool_count(s->nodes[i]->node->mempool)) return false;
    }
    return w->unsettled == 0;
}

/* ---- what must hold at any time ---- */

void sim_check_pool(struct sim_node *n)
{
    struct sim *s = n->sim;
    struct mempool *m = n->node->mempool;
    mempool_check(m);
    for (size_t i = 0; i < mempool_count(m); i++) {
        const struct mempool_entry *e = mempool_at(m, i);
        const struct sim_payment *p = hashmap_get(&s->wallet.by_txid, &e->tx.txid);
        if (!p || memcmp(p->wtxid.bytes, e->tx.wtxid.bytes, 32) != 0)
            sim_fail(s, "node %u has a transaction in its pool that nobody made", n->index);
    }
    if (mempool_count(m) > s->report->peak_pool) s->report->peak_pool = mempool_count(m);
}
