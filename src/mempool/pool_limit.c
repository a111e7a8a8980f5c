/* What keeps the pool within its bounds: age, memory, and the fee that entrants must pay after there was no room. */
#include "base/check.h"
#include "mempool/mempool_internal.h"
#include "mempool/pool_store.h"

#include <math.h>

/* ---- the rolling minimum fee ---- */

enum { ROLLING_STEP_S = 10 /* decay is not worth its while more often */ };

static struct fee_rate rolling_rate(const struct mempool *m)
{
    return (struct fee_rate){llround(m->rolling_rate)};
}

struct fee_rate mempool_min_fee(struct mempool *m)
{
    if (!m->block_since_bump || m->rolling_rate == 0) return rolling_rate(m);
    if (m->now_s > m->rolling_update_s + ROLLING_STEP_S) {
        double half_life = MEMPOOL_ROLLING_HALF_LIFE_S;
        uint64_t used = pool_memory(m);
        if (used < m->options.max_bytes / 4)
            half_life /= 4;
        else if (used < m->options.max_bytes / 2)
            half_life /= 2;
        m->rolling_rate /= exp2((double)(m->now_s - m->rolling_update_s) / half_life);
        m->rolling_update_s = m->now_s;
        if (m->rolling_rate < (double)m->options.incremental.sat_per_kvb / 2) {
            m->rolling_rate = 0;
            return (struct fee_rate){0};
        }
    }
    struct fee_rate rate = rolling_rate(m);
    return rate.sat_per_kvb < m->options.incremental.sat_per_kvb ? m->options.incremental : rate;
}

/* The rate that an entrant must exceed once a chunk of RATE had to go: more than that by what is worth relaying. */
static struct fee_rate rate_after(const struct mempool *m, struct fee_frac rate)
{
    /* With what users added, a chunk may count for more than there is. */
    amount_sat fee = rate.fee > MAX_MONEY_SAT ? MAX_MONEY_SAT : rate.fee;
    if (fee < -MAX_MONEY_SAT) fee = -MAX_MONEY_SAT;
    struct fee_rate out = fee_rate_of(fee, ((uint64_t)rate.size + 3) / 4);
    out.sat_per_kvb += m->options.incremental.sat_per_kvb;
    return out;
}

/* ---- age ---- */

size_t pool_expire(struct mempool *m, int64_t time_s)
{
    size_t before = m->count;
    while (m->count && m->entries[0]->time_s < time_s) {
        struct pool_set set = {0};
        pool_set_add(&set, m->entries[0]);
        pool_add_descendants(m, &set);
        pool_remove(m, &set, REMOVED_EXPIRY);
        pool_set_clear(&set);
    }
    return before - m->count;
}

/* ---- memory ---- */

/* Coins of the chain that nobody here spends any more need not stay in memory. */
static void uncache_coins(struct mempool *m, const struct tx *tx)
{
    for (size_t i = 0; i < tx->in_count; i++)
        if (!pool_find(m, &tx->in[i].prevout.txid)) coins_uncache(m->chain->coins, &tx->in[i].prevout);
}

/* Drops the chunk that pays least; returns how many transactions it had. */
static unsigned drop_worst(struct mempool *m, struct fee_rate *after)
{
    struct pool_set set = {0};
    struct fee_frac rate;
    tx_id ids[LIN_MAX];
    unsigned n = tx_graph_worst(m->graph, ids, &rate);
    *after = rate_after(m, rate);
    if ((double)after->sat_per_kvb > m->rolling_rate) {
        m->rolling_rate = (double)after->sat_per_kvb;
        m->block_since_bump = false;
    }
    for (unsigned i = 0; i < n; i++) {
        pool_set_add(&set, m->by_id[ids[i]]);
        uncache_coins(m, &m->by_id[ids[i]]->tx);
    }
    pool_remove(m, &set, REMOVED_SIZE_LIMIT);
    pool_set_clear(&set);
    return n;
}

static void trim(struct mempool *m)
{
    struct fee_rate most = {0}, rate;
    size_t dropped = 0;
    char text[AMOUNT_TEXT];
    while (m->count && pool_memory(m) > m->options.max_bytes) {
        dropped += drop_worst(m, &rate);
        if (rate.sat_per_kvb > most.sat_per_kvb) most = rate;
    }
    if (dropped)
        log_debug(m->log, LOGC_MEMPOOL, "No room for %zu transactions, rolling minimum fee bumped to %s BTC/kvB",
                  dropped, amount_text(text, most.sat_per_kvb));
}

void pool_limit(struct mempool *m)
{
    size_t expired = pool_expire(m, m->now_s - m->options.expiry_s);
    if (expired) log_debug(m->log, LOGC_MEMPOOL, "Expired %zu transactions from the memory pool", expired);
    trim(m);
}
