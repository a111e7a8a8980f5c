/* -coinstatsindex: gettxoutsetinfo's numbers after every block.
 *
 *   's' || height (be32) || hash  the numbers, see numbers_write
 *
 * The state beside them is the running MuHash, which finishes into the 32 bytes that a record holds. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "base/reader.h"
#include "index/follow.h"
#include "script/script.h"

enum { NUMBERS_KEY = 1 + 4 + 32, NUMBERS = 32 + 8 * 8 + 3 * 32 };

struct coin_stats_index {
    struct index_follow follow;
    struct coin_stats stats; /* after the best block */
    struct muhash muhash;
    struct buffer scratch; /* bytes of one coin */
};

/* ---- records ---- */

static void numbers_key(uint8_t key[NUMBERS_KEY], const struct block_node *n)
{
    key[0] = 's';
    put_be32(key + 1, (uint32_t)n->header.height);
    memcpy(key + 5, n->header.hash.bytes, 32);
}

static void put_u256(struct buffer *out, struct u256 v)
{
    u256_to_le(buffer_extend(out, 32), v);
}

static struct u256 read_u256(struct reader *r)
{
    uint8_t bytes[32];
    read_bytes(r, bytes, sizeof(bytes));
    return u256_from_le(bytes);
}

static void numbers_write(struct buffer *out, const struct coin_stats *s)
{
    buffer_put(out, s->muhash, sizeof(s->muhash));
    buffer_put_le64(out, s->txouts);
    buffer_put_le64(out, s->bogosize);
    buffer_put_le64(out, (uint64_t)s->total_amount);
    buffer_put_le64(out, (uint64_t)s->subsidy);
    buffer_put_le64(out, (uint64_t)s->unspendable_genesis);
    buffer_put_le64(out, (uint64_t)s->unspendable_bip30);
    buffer_put_le64(out, (uint64_t)s->unspendable_scripts);
    buffer_put_le64(out, (uint64_t)s->unspendable_unclaimed);
    put_u256(out, s->prevouts_spent);
    put_u256(out, s->new_outputs);
    put_u256(out, s->coinbase);
}

static void add_up_unspendable(struct coin_stats *s)
{
    s->unspendable = s->unspendable_genesis + s->unspendable_bip30 + s->unspendable_scripts + s->unspendable_unclaimed;
}

static bool numbers_read(struct coin_stats *s, struct span data)
{
    if (data.len != NUMBERS) return false;
    struct reader r = reader_of(data);
    read_bytes(&r, s->muhash, sizeof(s->muhash));
    s->txouts = read_le64(&r);
    s->bogosize = read_le64(&r);
    s->total_amount = (amount_sat)read_le64(&r);
    s->subsidy = (amount_sat)read_le64(&r);
    s->unspendable_genesis = (amount_sat)read_le64(&r);
    s->unspendable_bip30 = (amount_sat)read_le64(&r);
    s->unspendable_scripts = (amount_sat)read_le64(&r);
    s->unspendable_unclaimed = (amount_sat)read_le64(&r);
    s->prevouts_spent = read_u256(&r);
    s->new_outputs = read_u256(&r);
    s->coinbase = read_u256(&r);
    bool good = money_range(s->total_amount) && money_range(s->subsidy) && money_range(s->unspendable_genesis) &&
                money_range(s->unspendable_bip30) && money_range(s->unspendable_scripts) &&
                money_range(s->unspendable_unclaimed);
    if (good) add_up_unspendable(s);
    return good;
}

enum result coin_stats_index_get(struct coin_stats_index *x, const struct block_node *n, struct coin_stats *out,
                                 struct error *e)
{
    struct buffer value = {0};
    uint8_t key[NUMBERS_KEY];
    numbers_key(key, n);
    enum result r = x->follow.store.ops->get(x->follow.store.ctx, span_of(key, sizeof(key)), &value, e);
    if (!r && !numbers_read(out, buffer_span(&value)))
        r = error_set(e, RESULT_CORRUPT, "coinstatsindex: the record at height %d is malformed", n->header.height);
    buffer_clear(&value);
    return r;
}

/* ---- coins in and out ---- */

static void hash_coin(struct coin_stats_index *x, const struct outpoint *at, const struct coin *coin, bool insert)
{
    x->scratch.len = 0;
    coin_hash_bytes(&x->scratch, at, coin);
    if (insert)
        muhash_insert(&x->muhash, x->scratch.data, x->scratch.len);
    else
        muhash_remove(&x->muhash, x->scratch.data, x->scratch.len);
}

static struct u256 plus(struct u256 sum, amount_sat v)
{
    return u256_add(sum, u256_from_u64((uint64_t)v));
}

/* The outputs of the transaction at POSITION: hashed in or out; counted only going forward. */
static void move_outputs(struct coin_stats_index *x, const struct index_block *b, size_t position, bool add)
{
    struct coin_stats *s = &x->stats;
    const struct tx *tx = &b->block->txs[position];
    struct outpoint at = {.txid = tx->txid};
    for (size_t i = 0; i < tx->out_count; i++) {
        const struct tx_out *o = &tx->out[i];
        if (script_is_unspendable(o->script_pubkey)) {
            if (add) s->unspendable_scripts += o->value;
            continue;
        }
        at.index = (uint32_t)i;
        struct coin coin = {o->value, coin_origin_of(b->node->header.height, position == 0), o->script_pubkey};
        hash_coin(x, &at, &coin, add);
        if (!add) continue;
        if (position == 0)
            s->coinbase = plus(s->coinbase, o->value);
        else
            s->new_outputs = plus(s->new_outputs, o->value);
        s->txouts++;
        s->total_amount += o->value;
        s->bogosize += coin_bogosize(o->script_pubkey.len);
    }
}

/* The coins that the transaction spends, SPENT being its first. */
static void move_inputs(struct coin_stats_index *x, const struct tx *tx, const struct coin *spent, bool add)
{
    struct coin_stats *s = &x->stats;
    for (size_t i = 0; i < tx->in_count; i++) {
        hash_coin(x, &tx->in[i].prevout, &spent[i], !add);
        if (!add) continue;
        s->prevouts_spent = plus(s->prevouts_spent, spent[i].value);
        s->txouts--;
        s->total_amount -= spent[i].value;
        s->bogosize -= coin_bogosize(spent[i].script_pubkey.len);
    }
}

static void move_coins(struct coin_stats_index *x, const struct index_block *b, bool add)
{
    if (!b->node->header.prev) return; /* the coinbase of genesis is no coin */
    size_t spent = 0;
    bool lost = block_is_bip30_unspendable(&b->node->header); /* its coinbase was overwritten by a later one */
    for (size_t i = 0; i < b->block->tx_count; i++) {
        if (i > 0 || !lost) move_outputs(x, b, i, add);
        if (i == 0) continue;
        move_inputs(x, &b->block->txs[i], b->undo->coins + spent, add);
        spent += b->block->txs[i].in_count;
    }
}

/* What came in and did not come out again was not claimed by the miner. */
static enum result add_unclaimed(struct coin_stats *s, struct error *e)
{
    add_up_unspendable(s);
    struct u256 in = plus(s->prevouts_spent, s->subsidy);
    struct u256 out = plus(u256_add(s->new_outputs, s->coinbase), s->unspendable);
    if (u256_cmp(in, out) < 0 || u256_cmp(u256_sub(in, out), u256_from_u64(MAX_MONEY_SAT)) > 0)
        return error_set(e, RESULT_CORRUPT, "coinstatsindex: the sums do not add up");
    s->unspendable_unclaimed += (amount_sat)u256_sub(in, out).w[0];
    add_up_unspendable(s);
    return RESULT_OK;
}

static enum result add_block(void *index, const struct index_block *b, struct error *e)
{
    struct coin_stats_index *x = index;
    struct coin_stats *s = &x->stats;
    const struct chain_params *params = &x->follow.chain->params;
    amount_sat subsidy = block_subsidy(b->node->header.height, params);
    s->subsidy += subsidy;
    if (!b->node->header.prev)
        s->unspendable_genesis += subsidy;
    else if (block_is_bip30_unspendable(&b->node->header))
        s->unspendable_bip30 += subsidy;
    move_coins(x, b, true);
    enum result r = add_unclaimed(s, e);
    if (r) return r;
    muhash_final(&x->muhash, s->muhash);
    struct buffer value = {0};
    uint8_t key[NUMBERS_KEY];
    numbers_key(key, b->node);
    numbers_write(&value, s);
    x->follow.store.ops->batch_put(b->batch, span_of(key, sizeof(key)), buffer_span(&value));
    buffer_clear(&value);
    return RESULT_OK;
}

/* The record of the block stays: it can be asked for by its hash. */
static enum result take_back_block(void *index, const struct index_block *b, struct error *e)
{
    struct coin_stats_index *x = index;
    const struct block_node *prev = block_node_prev(b->node);
    move_coins(x, b, false);
    if (!prev) {
        x->stats = (struct coin_stats){0};
        return RESULT_OK;
    }
    uint8_t hash[32];
    enum result r = coin_stats_index_get(x, prev, &x->stats, e);
    muhash_final(&x->muhash, hash);
    if (r == RESULT_NOT_FOUND || (!r && memcmp(hash, x->stats.muhash, 32)))
        r = error_set(e, RESULT_CORRUPT, "coinstatsindex: taking back the block at height %d failed",
                      b->node->header.height);
    return r;
}

/* ---- the running hash as state ---- */

static void save_state(void *index, struct buffer *out)
{
    struct coin_stats_index *x = index;
    muhash_write(&x->muhash, buffer_extend(out, MUHASH_BYTES));
}

static enum result load_state(void *index, const struct block_node *n, struct span state, struct error *e)
{
    struct coin_stats_index *x = index;
    if (!n) {
        x->stats = (struct coin_stats){0};
        muhash_init(&x->muhash);
        return RESULT_OK;
    }
    enum result r = coin_stats_index_get(x, n, &x->stats, e);
    uint8_t hash[32] = {0};
    if (state.len == MUHASH_BYTES) {
        muhash_read(&x->muhash, state.data);
        muhash_final(&x->muhash, hash);
    }
    if (r == RESULT_NOT_FOUND || (!r && memcmp(hash, x->stats.muhash, 32)))
        r = error_set(e, RESULT_CORRUPT, "coinstatsindex: state and record at height %d differ", n->header.height);
    return r;
}

static const struct index_ops coin_stats_ops = {.name = "coinstatsindex",
                                                .wants_undo = true,
                                                .add = add_block,
                                                .take_back = take_back_block,
                                                .save = save_state,
                                                .load = load_state};

/* ---- the index ---- */

enum result coin_stats_index_open(struct coin_stats_index **out, struct kv_store store, struct chain *chain,
                                  struct log *log, struct error *e)
{
    struct coin_stats_index *x = mem_calloc(1, sizeof(*x));
    enum result r = index_follow_open(&x->follow, &coin_stats_ops, x, store, chain, log, e);
    *out = r ? NULL : x;
    if (r) coin_stats_index_free(x);
    return r;
}

enum result coin_stats_index_flush(struct coin_stats_index *x, struct error *e)
{
    return index_follow_flush(&x->follow, e);
}

void coin_stats_index_free(struct coin_stats_index *x)
{
    if (!x) return;
    buffer_clear(&x->scratch);
    free(x);
}

enum result coin_stats_index_on_notice(struct coin_stats_index *x, const struct notice *notice, struct error *e)
{
    return index_follow_notice(&x->follow, notice, e);
}

enum result coin_stats_index_catch_up(struct coin_stats_index *x, unsigned blocks, bool *synced, struct error *e)
{
    return index_follow_catch_up(&x->follow, blocks, synced, e);
}

void coin_stats_index_info(const struct coin_stats_index *x, struct index_info *out)
{
    index_follow_info(&x->follow, out);
}
