/* What of the pool is mined: chunks by their rate as long as they fit. */
#include <stdlib.h>

#include "base/alloc.h"
#include "miner/block_template.h"

enum {
    FAILURES_NEAR_FULL = 1000, /* chunks in a row that do not fit a block that is ... */
    NEAR_FULL_WU = 4000,       /* ... full but for so much: it is full enough */
};

struct template_limits template_limits_default(void)
{
    return (struct template_limits){.max_weight_wu = MAX_BLOCK_WEIGHT,
                                    .reserved_weight_wu = TEMPLATE_RESERVED_WEIGHT_WU,
                                    .reserved_sigops = TEMPLATE_RESERVED_SIGOPS,
                                    .min_rate = {TEMPLATE_MIN_FEE_RATE}};
}

void template_choice_clear(struct template_choice *choice)
{
    free(choice->entries);
    *choice = (struct template_choice){0};
}

/* A chunk under consideration. */
struct chunk {
    const struct mempool_entry *txs[LIN_MAX];
    unsigned count;
    struct fee_frac rate; /* satoshis and adjusted weight */
    uint64_t sigop_cost;
};

static bool next_chunk(struct mempool *m, const struct tx_graph_builder *b, struct chunk *out)
{
    tx_id ids[LIN_MAX];
    out->count = tx_graph_builder_chunk(b, ids, &out->rate);
    out->sigop_cost = 0;
    for (unsigned i = 0; i < out->count; i++) {
        out->txs[i] = mempool_of_id(m, ids[i]);
        out->sigop_cost += out->txs[i]->sigop_cost;
    }
    return out->count > 0;
}

/* Compared in virtual bytes, as the option gives it. */
static bool pays_enough(const struct chunk *chunk, struct fee_rate least)
{
    int64_t vsize = (chunk->rate.size + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;
    struct fee_frac has = {chunk->rate.fee, vsize}, wanted = {least.sat_per_kvb, 1000};
    return fee_frac_cmp(has, wanted) >= 0;
}

/* What just fills the block does not fit, as in Core. */
static bool fits(const struct chunk *chunk, const struct template_choice *so_far, const struct template_limits *limits)
{
    return so_far->weight_wu + (uint64_t)chunk->rate.size < limits->max_weight_wu &&
           so_far->sigop_cost + chunk->sigop_cost < TEMPLATE_SIGOPS_LIMIT;
}

static bool is_final(const struct chunk *chunk, int32_t height, int64_t median_time_s)
{
    for (unsigned i = 0; i < chunk->count; i++)
        if (!tx_is_final(&chunk->txs[i]->tx, height, median_time_s)) return false;
    return true;
}

static void log_rate(struct log *log, const struct mempool_entry *e)
{
    char rate[AMOUNT_TEXT], id[HASH_TEXT];
    amount_text(rate, fee_rate_of(mempool_modified_fee(e), e->vsize).sat_per_kvb);
    log_info(log, "fee rate %s BTC/kvB txid %s", rate, txid_text(id, &e->tx.txid));
}

static void take(const struct chunk *chunk, const struct template_limits *limits, struct template_choice *out)
{
    out->entries = mem_grow(out->entries, &out->cap, out->count + chunk->count, sizeof(*out->entries));
    for (unsigned i = 0; i < chunk->count; i++) {
        const struct mempool_entry *e = chunk->txs[i];
        out->entries[out->count++] = e;
        out->fees_sat += e->fee;
        out->sigop_cost += e->sigop_cost;
        out->weight_wu += e->weight_wu;
        if (limits->log) log_rate(limits->log, e);
    }
}

void template_choose(struct mempool *m, const struct chain *c, const struct template_limits *limits,
                     struct template_choice *out)
{
    const struct header_node *tip = &chain_tip(c)->header;
    int64_t median_time_s = header_median_time(tip);
    struct tx_graph_builder *b = tx_graph_builder_new(mempool_graph(m));
    struct chunk chunk;
    unsigned failures = 0;
    *out = (struct template_choice){.weight_wu = limits->reserved_weight_wu, .sigop_cost = limits->reserved_sigops};
    while (next_chunk(m, b, &chunk) && pays_enough(&chunk, limits->min_rate)) {
        if (fits(&chunk, out, limits) && is_final(&chunk, tip->height + 1, median_time_s)) {
            take(&chunk, limits, out);
            tx_graph_builder_take(b);
            failures = 0;
        } else {
            tx_graph_builder_skip(b);
            if (++failures > FAILURES_NEAR_FULL && out->weight_wu + NEAR_FULL_WU > limits->max_weight_wu) break;
        }
    }
    tx_graph_builder_free(b);
}
