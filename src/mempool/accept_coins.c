/* What an entrant spends, and when it may be mined. */
#include "base/check.h"
#include "mempool/accept_internal.h"

/* What an output of a transaction that is not in the chain looks like to who spends it: as if mined in the next block.
 */
static coin_origin unconfirmed_origin(const struct mempool *m)
{
    return coin_origin_of(chain_height(m->chain) + 1, false);
}

static bool take_output(const struct tx *from, uint32_t index, struct tx_out *out)
{
    if (index >= from->out_count) return false;
    *out = from->out[index];
    return true;
}

/* From the pool or, with *LOADED, the chain. The parent in the pool is told in *PARENT. */
static enum result find_coin(struct mempool *m, const struct outpoint *at, struct tx_out *out, coin_origin *origin,
                             struct mempool_entry **parent, bool *loaded, bool *found, struct error *e)
{
    *parent = pool_find(m, &at->txid);
    *loaded = false;
    if (*parent) {
        *found = take_output(&(*parent)->tx, at->index, out);
        *origin = unconfirmed_origin(m);
        return RESULT_OK;
    }
    struct coin coin;
    enum result r = coins_get_loaded(m->chain->coins, at, &coin, loaded, e);
    *found = r == RESULT_OK;
    if (*found) {
        *out = (struct tx_out){.value = coin.value, .script_pubkey = coin.script_pubkey};
        *origin = coin.origin;
    }
    return r == RESULT_NOT_FOUND ? RESULT_OK : r;
}

enum result accept_find_coins(struct mempool *m, const struct tx *tx, struct arena *arena, struct tx_out **spent,
                              coin_origin **origins, bool *missing, struct error *e)
{
    *spent = arena_alloc_array(arena, tx->in_count, sizeof(**spent));
    *origins = arena_alloc_array(arena, tx->in_count, sizeof(**origins));
    *missing = false;
    for (size_t i = 0; i < tx->in_count; i++) {
        struct mempool_entry *parent;
        bool loaded, found;
        enum result r = find_coin(m, &tx->in[i].prevout, &(*spent)[i], &(*origins)[i], &parent, &loaded, &found, e);
        *missing = r || !found;
        if (*missing) return r;
    }
    return RESULT_OK;
}

/* Among the outputs of candidates that come before. */
static bool find_earlier(const struct acceptance *a, const struct outpoint *at, struct tx_out *out)
{
    for (size_t k = 0; k < a->at; k++) {
        const struct tx *tx = a->candidates[k].tx;
        if (txid_equal(&tx->txid, &at->txid)) return take_output(tx, at->index, out);
    }
    return false;
}

enum result candidate_find_coins(struct acceptance *a, struct candidate *c, bool *found, struct error *e)
{
    const struct tx *tx = c->tx;
    c->spent = arena_alloc_array(&a->arena, tx->in_count, sizeof(*c->spent));
    c->origins = arena_alloc_array(&a->arena, tx->in_count, sizeof(*c->origins));
    c->loaded = arena_alloc_array(&a->arena, tx->in_count, sizeof(*c->loaded));
    *found = true;
    for (size_t i = 0; i < tx->in_count && *found; i++) {
        const struct outpoint *at = &tx->in[i].prevout;
        if (find_earlier(a, at, &c->spent[i])) {
            c->origins[i] = unconfirmed_origin(a->m);
            c->loaded[i] = false;
            c->looked_up = i + 1;
            continue;
        }
        struct mempool_entry *parent;
        enum result r = find_coin(a->m, at, &c->spent[i], &c->origins[i], &parent, &c->loaded[i], found, e);
        c->looked_up = i + 1;
        if (r) return r;
        if (parent) pool_set_add(&c->parents, parent);
    }
    return RESULT_OK;
}

void candidate_forget_coins(struct acceptance *a, struct candidate *c)
{
    for (size_t i = 0; i < c->looked_up; i++)
        if (c->loaded[i]) coins_uncache(a->m->chain->coins, &c->tx->in[i].prevout);
    c->looked_up = 0;
}

void accept_set_locks(struct mempool *m, struct mempool_entry *e, const coin_origin *origins)
{
    struct block_node *tip = chain_tip(m->chain);
    int32_t highest = 0;
    for (size_t i = 0; i < e->tx.in_count; i++) {
        int32_t height = coin_height(origins[i]);
        if (height <= tip->header.height && height > highest) highest = height;
    }
    /* Relative locks are held to whether or not they are a rule of blocks yet. */
    tx_sequence_locks(&e->tx, origins, &tip->header, true, &e->lock_height, &e->lock_time_s);
    e->lock_block = chain_at(m->chain, highest);
    CHECK(e->lock_block);
}
