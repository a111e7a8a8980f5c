/* getblockstats: sums, extremes and medians over one block. Fees and rates are in satoshis. */
#include <stdlib.h>

#include "base/alloc.h"
#include "primitives/compact_size.h"
#include "rpc/chain_call.h"
#include "rpc/table.h"
#include "script/script.h"

enum { PERCENTILES = 5, COIN_OVERHEAD = 36 + 4 /* outpoint, height and coinbase flag */ };

/* A rate and the weight that has it. */
struct rated {
    int64_t rate;
    int64_t weight;
};

struct block_stats {
    int64_t max_fee, min_fee, total_fee, max_rate, min_rate;
    int64_t ins, outs, txs, total_out;
    int64_t max_size, min_size, total_size, total_weight;
    int64_t sw_txs, sw_size, sw_weight;
    int64_t utxos, utxo_size, utxo_size_actual;
    int64_t *fees, *sizes;
    struct rated *rates;
    size_t count; /* transactions without the coinbase: elements of the three arrays */
};

static int64_t coin_size(struct span script)
{
    return (int64_t)(8 + compact_size_len(script.len) + script.len) + COIN_OVERHEAD;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int by_rate(const void *a, const void *b)
{
    const struct rated *x = a, *y = b;
    if (x->rate != y->rate) return x->rate < y->rate ? -1 : 1;
    return x->weight < y->weight ? -1 : x->weight > y->weight;
}

/* The middle value, or half the sum of the two in the middle, cut to a whole number; sorts VALUES. */
static int64_t median(int64_t *values, size_t count)
{
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, by_value);
    if (count % 2) return values[count / 2];
    return (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The rates at which 10, 25, 50, 75 and 90 per cent of the weight are reached; sorts the rates. */
static void percentiles(int64_t out[PERCENTILES], struct block_stats *s)
{
    static const int per_cent[PERCENTILES] = {10, 25, 50, 75, 90};
    int64_t reached = 0;
    size_t next = 0;
    memset(out, 0, PERCENTILES * sizeof *out);
    if (s->count == 0) return;
    qsort(s->rates, s->count, sizeof *s->rates, by_rate);
    for (size_t i = 0; i < s->count; i++) {
        reached += s->rates[i].weight;
        while (next < PERCENTILES && reached * 100 >= s->total_weight * per_cent[next]) out[next++] = s->rates[i].rate;
    }
    while (next < PERCENTILES) out[next++] = s->rates[s->count - 1].rate;
}

/* COUNTS: the outputs become coins (not so genesis' and the two coinbases that BIP30 overwrote). */
static int64_t add_outputs(struct block_stats *s, const struct tx *tx, bool counts)
{
    int64_t total = 0;
    s->outs += (int64_t)tx->out_count;
    for (size_t i = 0; i < tx->out_count; i++) {
        int64_t size = coin_size(tx->out[i].script_pubkey);
        total += tx->out[i].value;
        s->utxo_size += size;
        if (!counts || script_is_unspendable(tx->out[i].script_pubkey)) continue;
        s->utxos++;
        s->utxo_size_actual += size;
    }
    return total;
}

static void add_sizes(struct block_stats *s, const struct tx *tx)
{
    int64_t size = tx->size, weight = (int64_t)tx_weight(tx);
    if (size > s->max_size) s->max_size = size;
    if (s->count == 0 || size < s->min_size) s->min_size = size;
    s->total_size += size;
    s->total_weight += weight;
    if (!tx->has_witness) return;
    s->sw_txs++;
    s->sw_size += size;
    s->sw_weight += weight;
}

/* A transaction that is not the coinbase; SPENT has its in_count coins. */
static void add_tx(struct block_stats *s, const struct tx *tx, const struct coin *spent, int64_t total_out)
{
    int64_t fee = -total_out, weight = (int64_t)tx_weight(tx);
    s->ins += (int64_t)tx->in_count;
    s->total_out += total_out;
    for (size_t i = 0; i < tx->in_count; i++) {
        int64_t size = coin_size(spent[i].script_pubkey);
        fee += spent[i].value;
        s->utxo_size -= size;
        s->utxo_size_actual -= size;
    }
    int64_t rate = weight ? fee * WITNESS_SCALE_FACTOR / weight : 0;
    if (fee > s->max_fee) s->max_fee = fee;
    if (rate > s->max_rate) s->max_rate = rate;
    if (s->count == 0 || fee < s->min_fee) s->min_fee = fee;
    if (s->count == 0 || rate < s->min_rate) s->min_rate = rate;
    s->total_fee += fee;
    add_sizes(s, tx);
    s->fees[s->count] = fee;
    s->sizes[s->count] = tx->size;
    s->rates[s->count++] = (struct rated){.rate = rate, .weight = weight};
}

/* True for the two blocks whose coinbases repeat an earlier one (BIP30). */
static bool repeats_coinbase(const struct block_node *n)
{
    static const struct {
        int32_t height;
        const char *hash;
    } repeats[] = {{91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"},
                   {91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"}};
    char text[HASH_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(repeats); i++) {
        if (n->header.height == repeats[i].height &&
            strcmp(block_hash_text(text, &n->header.hash), repeats[i].hash) == 0)
            return true;
    }
    return false;
}

static void gather(struct block_stats *s, const struct block_node *n, const struct block *b, const struct undo *undo)
{
    size_t at = 0;
    s->txs = (int64_t)b->tx_count;
    s->fees = mem_calloc(b->tx_count, sizeof *s->fees);
    s->sizes = mem_calloc(b->tx_count, sizeof *s->sizes);
    s->rates = mem_calloc(b->tx_count, sizeof *s->rates);
    for (size_t i = 0; i < b->tx_count; i++) {
        const struct tx *tx = &b->txs[i];
        bool counts = n->header.height > 0 && !(i == 0 && repeats_coinbase(n));
        int64_t total_out = add_outputs(s, tx, counts);
        if (i == 0) continue;
        add_tx(s, tx, undo->coins + at, total_out);
        at += tx->in_count;
    }
}

static void put_percentiles(struct json_writer *w, struct block_stats *s)
{
    int64_t rates[PERCENTILES];
    percentiles(rates, s);
    jw_array(w);
    for (size_t i = 0; i < PERCENTILES; i++) jw_int(w, rates[i]);
    jw_array_end(w);
}

/* A number by its name, in the order of the reply. */
struct field {
    const char *name;
    int64_t value;
};

enum { FIELDS_MAX = 32 };

static size_t fields_of(struct field out[FIELDS_MAX], struct block_stats *s, const struct block_node *n,
                        const struct chain_params *p)
{
    int64_t others = s->txs - 1;
    const struct field all[] = {
        {"avgfee", others ? s->total_fee / others : 0},
        {"avgfeerate", s->total_weight ? s->total_fee * WITNESS_SCALE_FACTOR / s->total_weight : 0},
        {"avgtxsize", others ? s->total_size / others : 0},
        {"blockhash", 0},
        {"feerate_percentiles", 0},
        {"height", n->header.height},
        {"ins", s->ins},
        {"maxfee", s->max_fee},
        {"maxfeerate", s->max_rate},
        {"maxtxsize", s->max_size},
        {"medianfee", median(s->fees, s->count)},
        {"mediantime", header_median_time(&n->header)},
        {"mediantxsize", median(s->sizes, s->count)},
        {"minfee", s->min_fee},
        {"minfeerate", s->min_rate},
        {"mintxsize", s->min_size},
        {"outs", s->outs},
        {"subsidy", block_subsidy(n->header.height, p)},
        {"swtotal_size", s->sw_size},
        {"swtotal_weight", s->sw_weight},
        {"swtxs", s->sw_txs},
        {"time", n->header.time},
        {"total_out", s->total_out},
        {"total_size", s->total_size},
        {"total_weight", s->total_weight},
        {"totalfee", s->total_fee},
        {"txs", s->txs},
        {"utxo_increase", s->outs - s->ins},
        {"utxo_size_inc", s->utxo_size},
        {"utxo_increase_actual", s->utxos - s->ins},
        {"utxo_size_inc_actual", s->utxo_size_actual},
    };
    memcpy(out, all, sizeof all);
    return ARRAY_LEN(all);
}

static void put_field(struct json_writer *w, const struct field *f, struct block_stats *s, const struct block_node *n)
{
    jw_key(w, f->name);
    if (strcmp(f->name, "blockhash") == 0)
        jw_hash(w, n->header.hash.bytes);
    else if (strcmp(f->name, "feerate_percentiles") == 0)
        put_percentiles(w, s);
    else
        jw_int(w, f->value);
}

static bool is_wanted(const json_t *wanted, const char *name)
{
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        if (strcmp(json_string_value(json_array_get(wanted, i)), name) == 0) return true;
    }
    return json_array_size(wanted) == 0;
}

/* Fails the call where one of the WANTED names is none of FIELDS. */
static void check_wanted(struct rpc_call *call, const json_t *wanted, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const char *name = rpc_value_str(call, json_array_get(wanted, i));
        size_t k = 0;
        while (k < count && strcmp(fields[k].name, name) != 0) k++;
        if (k == count) rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid selected statistic '%s'", name);
    }
}

static void put_stats(struct rpc_call *call, struct block_stats *s, const struct block_node *n)
{
    struct field fields[FIELDS_MAX];
    size_t count = fields_of(fields, s, n, &call->node->chain->params);
    check_wanted(call, call->args[1], fields, count);
    if (rpc_failed(call)) return;
    jw_object(&call->out);
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(call->args[1], fields[i].name)) put_field(&call->out, &fields[i], s, n);
    }
    jw_object_end(&call->out);
}

static void getblockstats(struct rpc_call *call)
{
    struct block_stats s = {0};
    struct undo undo = {0};
    struct error e;
    struct block_node *n = rpc_arg_hash_or_height(call, 0);
    struct block *b = n ? rpc_read_block(call, n) : NULL;
    if (!b) return;
    if (n->header.height > 0 && rpc_block_is_here(call, n, BLOCK_HAVE_UNDO) &&
        chain_read_undo(call->node->chain, n, b, &undo, &e) != RESULT_OK)
        rpc_fail(call, RPC_MISC_ERROR, "Can't read undo data from disk");
    if (!rpc_failed(call)) {
        gather(&s, n, b, &undo);
        put_stats(call, &s, n);
    }
    free(s.fees);
    free(s.sizes);
    free(s.rates);
    undo_clear(&undo);
    block_free(b);
}

const struct rpc_method rpc_blockstats_methods[] = {
    {
        .name = "getblockstats",
        .category = "blockchain",
        .summary = "Numbers about one block. Amounts are in satoshis, rates in satoshis per virtual byte.",
        .args = RPC_ARGS(RPC_ARG("hash_or_height", RPC_NUM, NULL, "The block.",
                                 .flags = RPC_ANY_TYPE | RPC_CLI_OR_STRING, .type_text = "string or numeric"),
                         RPC_ARG("stats", RPC_ARR, "all of them", "Which numbers to give.", .usage = "stats",
                                 .inner = RPC_ARGS(RPC_ARG("name", RPC_STR, "", "A name of the result.")))),
        .result =
            "avgfee, avgfeerate, avgtxsize, blockhash, feerate_percentiles (10, 25, 50, 75 and 90 per cent of the "
            "weight), height, ins,\nmaxfee, maxfeerate, maxtxsize, medianfee, mediantime, mediantxsize, minfee, "
            "minfeerate, mintxsize, outs, subsidy,\nswtotal_size, swtotal_weight, swtxs, time, total_out, "
            "total_size, total_weight, totalfee, txs, utxo_increase,\nutxo_size_inc, utxo_increase_actual, "
            "utxo_size_inc_actual (numeric; \"actual\" leaves out what can never be spent)",
        .examples = "1000 '[\"minfeerate\",\"avgfeerate\"]'",
        .handler = getblockstats,
        .needs_node = true,
    },
    {.name = NULL},
};
