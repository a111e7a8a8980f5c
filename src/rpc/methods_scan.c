/* scantxoutset: the coins that pay to given descriptors, found by walking over all of them, some at a time. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hashmap.h"
#include "base/random.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"
#include "rpc/server.h"
#include "rpc/table.h"

enum { SCAN_SLICE = 20000, EXPAND_SLICE = 100, DEFAULT_RANGE_END = 1000 }; /* coins and positions at a time */

/* A script that is looked for. */
struct wanted {
    uint64_t key; /* hash of the script */
    struct wanted *next;
    struct buffer script, text;
};

/* A descriptor of many scripts, of which some are wanted already. */
struct pending {
    const char *descriptor; /* lies in the call's arguments */
    int64_t next, end;      /* indexes, END included */
    unsigned path, paths;   /* of the next */
};

struct scan {
    struct pending *pending;
    size_t pending_count, pending_cap;
    struct coins_iter *iter;
    const struct block_node *at; /* nodes stay as long as the chain */
    struct hashmap wanted;
    uint64_t seed, txouts;
    amount_sat total;
    struct buffer found; /* elements of "unspents" */
    struct json_writer out;
    int progress; /* percent */
    bool aborted;
};

static void scan_free(void *state)
{
    struct scan *s = state;
    struct wanted *w, *next;
    size_t at = 0;
    while ((w = hashmap_next(&s->wanted, &at))) {
        for (; w; w = next) {
            next = w->next;
            buffer_clear(&w->script);
            buffer_clear(&w->text);
            free(w);
        }
    }
    hashmap_clear(&s->wanted);
    free(s->pending);
    coins_iter_free(s->iter);
    buffer_clear(&s->found);
    free(s);
}

static const struct wanted *find_wanted(const struct scan *s, struct span script)
{
    uint64_t key = hash_bytes(s->seed, script.data, script.len);
    const struct wanted *w = hashmap_get(&s->wanted, &key);
    while (w && !span_equal(buffer_span(&w->script), script)) w = w->next;
    return w;
}

/* Takes over the script and its text; the first text of a script stays. */
static void want_script(struct scan *s, struct buffer *script_taken, struct buffer *text_taken)
{
    if (find_wanted(s, buffer_span(script_taken))) {
        buffer_clear(script_taken);
        buffer_clear(text_taken);
        return;
    }
    struct wanted *w = mem_calloc(1, sizeof *w);
    w->key = hash_bytes(s->seed, script_taken->data, script_taken->len);
    w->script = *script_taken;
    w->text = *text_taken;
    *script_taken = *text_taken = (struct buffer){0};
    struct wanted *first = hashmap_get(&s->wanted, &w->key);
    if (first) {
        w->next = first->next;
        first->next = w;
    } else {
        hashmap_put(&s->wanted, w);
    }
}

/* Wants the scripts of DESCRIPTOR at a position; WHOLE (may be NULL) gets what it is. False where the call failed. */
static bool want_at(struct rpc_call *call, struct scan *s, const char *descriptor, struct descriptor_position at,
                    struct descriptor_scripts *whole)
{
    struct descriptor_scripts scripts;
    char error[DESCRIPTOR_ERROR_TEXT];
    if (!descriptor_expand_at(&scripts, span_str(descriptor), false, rpc_prefixes(call), at, error)) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
        return false;
    }
    if (whole) *whole = scripts; /* the flags; the scripts go now */
    if (scripts.needs_secrets)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys: '%s'", descriptor);
    for (size_t i = 0; i < scripts.count; i++) want_script(s, &scripts.script[i], &scripts.text[i]);
    descriptor_scripts_clear(&scripts);
    return !rpc_failed(call);
}

/* A scan object is a descriptor, or {"desc", "range"}. */
static void want_object(struct rpc_call *call, struct scan *s, const json_t *object)
{
    struct descriptor_scripts whole;
    const json_t *text = object, *range = NULL;
    int64_t begin = 0, end = DEFAULT_RANGE_END;
    if (json_is_object(object)) {
        text = json_object_get(object, "desc");
        range = json_object_get(object, "range");
        if (!text || json_is_null(text)) {
            rpc_fail(call, RPC_INVALID_PARAMETER, "Descriptor needs to be provided in scan object");
            return;
        }
    } else if (!json_is_string(object)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Scan object needs to be either a string or an object");
        return;
    }
    const char *descriptor = rpc_value_str(call, text);
    if (range && !json_is_null(range) && !rpc_failed(call)) rpc_value_range(call, range, &begin, &end);
    if (rpc_failed(call)) return;
    if (!want_at(call, s, descriptor, (struct descriptor_position){.index = (uint32_t)begin}, &whole)) return;
    if (!whole.ranged) end = begin;
    if (begin == end && whole.paths == 1) return;
    s->pending = mem_grow(s->pending, &s->pending_cap, s->pending_count + 1, sizeof *s->pending);
    s->pending[s->pending_count++] =
        (struct pending){.descriptor = descriptor, .next = begin, .end = end, .paths = whole.paths};
}

/* Some more scripts of descriptors that have many. True where all are wanted. */
static bool want_some(struct rpc_call *call, struct scan *s)
{
    for (unsigned left = EXPAND_SLICE; left && s->pending_count && !rpc_failed(call); left--) {
        struct pending *p = &s->pending[s->pending_count - 1];
        struct descriptor_position at = {.index = (uint32_t)p->next, .path = p->path};
        want_at(call, s, p->descriptor, at, NULL);
        p->path = (p->path + 1) % p->paths;
        if (p->path == 0) p->next++;
        if (p->next > p->end) s->pending_count--;
    }
    return s->pending_count == 0;
}

static void put_found(struct scan *s, const struct outpoint *at, const struct coin *coin, const struct wanted *wanted)
{
    struct json_writer *w = &s->out;
    int32_t height = coin_height(coin->origin), tip = s->at->header.height;
    const struct header_node *block = header_ancestor(&s->at->header, height);
    jw_object(w);
    jw_kv_hash(w, "txid", at->txid.bytes);
    jw_kv_uint(w, "vout", at->index);
    jw_kv_hex(w, "scriptPubKey", coin->script_pubkey);
    jw_key(w, "desc");
    jw_str_span(w, buffer_span(&wanted->text));
    jw_kv_amount(w, "amount", coin->value);
    jw_kv_bool(w, "coinbase", coin_is_coinbase(coin->origin));
    jw_kv_int(w, "height", height);
    if (block) jw_kv_hash(w, "blockhash", block->hash.bytes);
    jw_kv_int(w, "confirmations", tip - height + 1);
    jw_object_end(w);
    s->total += coin->value;
}

static void put_result(struct rpc_call *call, const struct scan *s)
{
    struct json_writer *w = &call->out;
    jw_object(w);
    jw_kv_bool(w, "success", !s->aborted);
    jw_kv_uint(w, "txouts", s->txouts);
    jw_kv_int(w, "height", s->at->header.height);
    jw_kv_hash(w, "bestblock", s->at->header.hash.bytes);
    jw_key(w, "unspents");
    jw_raw(w, buffer_span(&s->found));
    jw_kv_amount(w, "total_amount", s->total);
    jw_object_end(w);
}

/* True where the last coin has been seen, or none can be read any more (the call failed). */
static bool scan_some(struct rpc_call *call, struct scan *s)
{
    struct outpoint at;
    struct coin coin;
    struct error e = {0};
    enum result r = RESULT_OK;
    for (unsigned left = SCAN_SLICE; left; left--) {
        if (!coins_iter_next(s->iter, &at, &coin, &r, &e)) {
            if (r != RESULT_OK) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
            return true;
        }
        s->txouts++;
        const struct wanted *w = find_wanted(s, coin.script_pubkey);
        if (w) put_found(s, &at, &coin, w);
    }
    /* Coins lie in the order of their ids, which are as good as random. */
    s->progress = (int)((at.txid.bytes[0] * 256 + at.txid.bytes[1]) * 100.0 / 65536.0 + 0.5);
    return false;
}

static bool scan_wake(struct rpc_call *call, enum rpc_wake why)
{
    struct scan *s = call->deferral.state;
    if (why != RPC_WAKE_SLICE) return false;
    if (!s->aborted && !want_some(call, s)) return rpc_failed(call);
    if (rpc_failed(call)) return true;
    if (!s->aborted && !scan_some(call, s)) return false;
    if (rpc_failed(call)) return true;
    jw_array_end(&s->out);
    put_result(call, s);
    return true;
}

static void start_scan(struct rpc_call *call)
{
    struct chain *c = call->node->chain;
    struct error e = {0};
    struct scan *s = mem_calloc(1, sizeof *s);
    s->seed = random_u64(&call->node->random);
    hashmap_init(&s->wanted, offsetof(struct wanted, key), sizeof(uint64_t), s->seed);
    for (size_t i = 0; i < json_array_size(call->args[1]) && !rpc_failed(call); i++)
        want_object(call, s, json_array_get(call->args[1], i));
    enum result r = rpc_failed(call) ? RESULT_OK : chain_flush(c, false, &e);
    if (r != RESULT_OK) rpc_fail_result(call, RPC_INTERNAL_ERROR, r, &e);
    if (rpc_failed(call)) {
        scan_free(s);
        return;
    }
    s->iter = coins_iter_new(c->coins);
    s->at = chain_tip(c);
    s->out = json_writer_of(&s->found);
    jw_array(&s->out);
    rpc_defer(call,
              &(struct rpc_deferral){.wake = scan_wake, .free_state = scan_free, .state = s, .wants_slices = true});
}

static void scantxoutset(struct rpc_call *call)
{
    const char *action = rpc_arg_str(call, 0, "");
    struct rpc_call *running = rpc_server_find_deferred(call->server, call->method);
    struct scan *s = running ? running->deferral.state : NULL;
    if (rpc_failed(call)) return;
    if (strcmp(action, "status") == 0) {
        if (!s) return;
        jw_object(&call->out);
        jw_kv_int(&call->out, "progress", s->progress);
        jw_object_end(&call->out);
    } else if (strcmp(action, "abort") == 0) {
        if (s) s->aborted = true;
        jw_bool(&call->out, s != NULL);
    } else if (strcmp(action, "start") != 0) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid action '%s'", action);
    } else if (s) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Scan already in progress, use action \"abort\" or \"status\"");
    } else if (!rpc_arg_given(call, 1)) {
        rpc_fail(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    } else {
        start_scan(call);
    }
}

const struct rpc_method rpc_scan_methods[] = {
    {
        .name = "scantxoutset",
        .category = "blockchain",
        .summary = "Looks through all unspent outputs for those that pay to output descriptors: addr(ADDRESS), "
                   "raw(HEX), combo(KEY),\npkh(KEY), sh(multi(N,KEY,KEY,...)), tr(KEY), and more. A KEY is a public "
                   "key in hex, or an xpub or xprv with\na path, which may end with * for many children.\nOnly one "
                   "search runs at a time.",
        .args = RPC_ARGS(
            RPC_ARG("action", RPC_STR, NULL,
                    "start searches and answers at the end; abort ends the search that runs; status says "
                    "how far it is."),
            RPC_ARG("scanobjects", RPC_ARR, "", "What to look for. Needed to start.",
                    .inner = RPC_ARGS(
                        RPC_ARG("descriptor", RPC_STR, "", "A descriptor."),
                        RPC_ARG("", RPC_OBJ, "", "One with a range.",
                                .inner = RPC_ARGS(RPC_ARG("desc", RPC_STR, NULL, "The descriptor."),
                                                  RPC_ARG("range", RPC_RANGE, "1000", "The children to look at.")))),
                    .usage = "[scanobjects,...]")),
        .result = "start: success (boolean), txouts (numeric), height (numeric), bestblock (string),\n"
                  "unspents (json array) of txid, vout, scriptPubKey, desc, amount, coinbase, height, blockhash,\n"
                  "confirmations; total_amount (numeric, coins)\n"
                  "abort: true|false (boolean) Whether a search was running.\n"
                  "status: null, or progress (numeric, percent)",
        .examples = "start '[\"raw(76a91411b366edfc0a8b66feebae5c2e25a7b6a5d1cf3188ac)#fm24fxxy\"]'\nstatus\nabort",
        .handler = scantxoutset,
        .needs_node = true,
    },
    {.name = NULL},
};
