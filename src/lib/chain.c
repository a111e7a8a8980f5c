/* The public chain: the engine's chain with the shell's storage and threads, or with memory, behind its ports. */
#include "lib/handles.h"

#include "cairn/chain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain.h"
#include "store/store.h"

enum { MIB = 1 << 20, BLOCK_FILE_BYTES = 128 * MIB, SIG_CACHE_BYTES = 16 * MIB, DATABASE_CACHE_BYTES = 8 * MIB };

struct cairn_chain {
    struct chain *chain;
    struct chain_ports ports;
    bool on_disk;
    bool has_index, has_coins, has_files; /* what was opened */
    struct memory_fault no_fault;
};

struct cairn_coins {
    struct coins_iter *iter;
};

static void tell(struct cairn_error *out, const struct error *e)
{
    if (out) snprintf(out->text, sizeof out->text, "%s", e->text[0] ? e->text : result_name(e->code));
}

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

void cairn_chain_options_init(struct cairn_chain_options *options)
{
    *options = (struct cairn_chain_options){.threads = 1, .cache_bytes = UINT64_C(450) * MIB};
}

static enum result make_folder(char *out, size_t size, const char *folder, const char *name, struct error *e)
{
    int len = snprintf(out, size, "%s%s", folder, name);
    if (len < 0 || (size_t)len >= size) return error_set(e, RESULT_INVALID, "path too long: %s", folder);
    if (mkdir(out, 0700) != 0 && errno != EEXIST) return error_set(e, RESULT_IO, "cannot create %s", out);
    return RESULT_OK;
}

static enum result open_disk(struct cairn_chain *c, const char *folder, const uint8_t key[8], struct error *e)
{
    char path[4096], blocks[4096];
    enum result r = make_folder(path, sizeof path, folder, "", e);
    if (r == RESULT_OK) r = make_folder(blocks, sizeof blocks, folder, "/blocks", e);
    if (r == RESULT_OK) r = make_folder(path, sizeof path, folder, "/blocks/index", e);
    if (r == RESULT_OK) r = leveldb_store_open(&c->ports.index, path, DATABASE_CACHE_BYTES, false, NULL, e);
    c->has_index = r == RESULT_OK;
    if (r == RESULT_OK) r = flat_files_open(&c->ports.files, blocks, key, false, NULL, e);
    c->has_files = r == RESULT_OK;
    if (r == RESULT_OK) r = make_folder(path, sizeof path, folder, "/chainstate", e);
    if (r == RESULT_OK) r = leveldb_store_open(&c->ports.coins, path, DATABASE_CACHE_BYTES, false, NULL, e);
    c->has_coins = r == RESULT_OK;
    return r;
}

static void open_memory(struct cairn_chain *c)
{
    memory_store_open(&c->ports.index, &c->no_fault);
    memory_store_open(&c->ports.coins, &c->no_fault);
    memory_files_open(&c->ports.files, &c->no_fault);
    c->has_index = c->has_coins = c->has_files = true;
}

void cairn_chain_free(struct cairn_chain *chain)
{
    if (!chain) return;
    if (chain->chain) chain_free(chain->chain);
    if (chain->has_index) (chain->on_disk ? leveldb_store_close : memory_store_close)(&chain->ports.index);
    if (chain->has_coins) (chain->on_disk ? leveldb_store_close : memory_store_close)(&chain->ports.coins);
    if (chain->has_files) (chain->on_disk ? flat_files_close : memory_files_close)(&chain->ports.files);
    thread_pool_close(&chain->ports.workers);
    free(chain);
}

/* The engine's options from the public ones; false where assume_valid is no hash. */
static bool engine_options(struct chain_options *out, const struct cairn_chain_options *options,
                           const struct chain_params *params)
{
    *out = (struct chain_options){.minimum_chain_work = params->minimum_chain_work,
                                  .assume_valid = params->assume_valid,
                                  .cache_bytes = options->cache_bytes,
                                  .max_file_bytes = BLOCK_FILE_BYTES,
                                  .sig_cache_bytes = SIG_CACHE_BYTES};
    CHECK(getrandom(out->seed, sizeof out->seed, 0) == sizeof out->seed);
    if (!options->assume_valid) return true;
    memset(&out->assume_valid, 0, sizeof out->assume_valid);
    return strcmp(options->assume_valid, "0") == 0 || block_hash_parse(&out->assume_valid, options->assume_valid);
}

/* Connects and disconnects until the tip is the best there is. Where WATCH turns out to be invalid, *V says why. */
static enum result settle(struct cairn_chain *c, const struct block *given, const struct block_node *watch,
                          struct verdict *v, struct error *e)
{
    for (;;) {
        struct notice n = {0};
        enum result r = chain_step(c->chain, now_s(), given, &n, e);
        if (r != RESULT_OK) return r;
        bool done = n.kind == NOTICE_NONE;
        if (n.kind == NOTICE_INVALID && n.node == watch) *v = n.verdict;
        notice_clear(&n);
        if (done) return chain_flush_if_needed(c->chain, e);
    }
}

struct cairn_chain *cairn_chain_open(const char *network, const char *folder, const struct cairn_chain_options *options,
                                     struct cairn_error *error)
{
    struct error e = {0};
    struct cairn_chain_options standard;
    cairn_chain_options_init(&standard);
    if (!options) options = &standard;
    const struct chain_params *params = chain_params_find(network);
    struct chain_options o;
    if (!params || !engine_options(&o, options, params)) {
        error_set(&e, RESULT_INVALID, "%s", params ? "assume_valid is no block hash" : "unknown network");
        tell(error, &e);
        return NULL;
    }
    struct cairn_chain *c = mem_calloc(1, sizeof *c);
    c->on_disk = folder != NULL;
    thread_pool_open(&c->ports.workers, options->threads);
    enum result r = RESULT_OK;
    uint8_t key[8];
    CHECK(getrandom(key, sizeof key, 0) == sizeof key);
    if (c->on_disk)
        r = open_disk(c, folder, key, &e);
    else
        open_memory(c);
    struct verdict v = {0};
    if (r == RESULT_OK) r = chain_open(&c->chain, params, &o, &c->ports, now_s(), NULL, &e);
    if (r == RESULT_OK) r = settle(c, NULL, NULL, &v, &e);
    if (r == RESULT_OK) return c;
    tell(error, &e);
    cairn_chain_free(c);
    return NULL;
}

bool cairn_chain_flush(struct cairn_chain *chain, struct cairn_error *error)
{
    struct error e = {0};
    if (chain_flush(chain->chain, false, &e) == RESULT_OK) return true;
    tell(error, &e);
    return false;
}

int32_t cairn_chain_height(const struct cairn_chain *chain)
{
    return chain_height(chain->chain);
}

bool cairn_chain_hash(const struct cairn_chain *chain, int32_t height, uint8_t out[32])
{
    const struct block_node *n = chain_at(chain->chain, height);
    if (n) memcpy(out, n->header.hash.bytes, 32);
    return n != NULL;
}

static struct block_node *find(const struct cairn_chain *chain, const uint8_t hash[32])
{
    struct block_hash h;
    memcpy(h.bytes, hash, 32);
    return chain_find(chain->chain, &h);
}

int32_t cairn_chain_find(const struct cairn_chain *chain, const uint8_t hash[32])
{
    const struct block_node *n = find(chain, hash);
    return n && chain_contains(chain->chain, n) ? n->header.height : -1;
}

struct cairn_block *cairn_chain_block(struct cairn_chain *chain, const uint8_t hash[32], struct cairn_error *error)
{
    struct error e = {0};
    struct block *block = NULL;
    const struct block_node *n = find(chain, hash);
    enum result r =
        n ? chain_read_block(chain->chain, n, &block, &e) : error_set(&e, RESULT_NOT_FOUND, "unknown block");
    if (r == RESULT_OK) return cairn_block_wrap(block);
    e.code = r;
    tell(error, &e);
    return NULL;
}

static enum cairn_process_status judge(const struct verdict *v, struct cairn_verdict *verdict)
{
    if (verdict) {
        verdict->valid = verdict_ok(v);
        snprintf(verdict->reason, sizeof verdict->reason, "%s", v->reason);
        snprintf(verdict->detail, sizeof verdict->detail, "%.*s", (int)sizeof verdict->detail - 1, v->detail);
    }
    return verdict_ok(v) ? CAIRN_PROCESS_ACCEPTED : CAIRN_PROCESS_INVALID;
}

enum cairn_process_status cairn_chain_process(struct cairn_chain *chain, const struct cairn_block *block,
                                              struct cairn_verdict *verdict, struct cairn_error *error)
{
    struct error e = {0};
    struct verdict v = {0};
    struct block_node *node = NULL;
    bool is_new = false;
    enum result r =
        chain_accept_block(chain->chain, block->block, now_s(), ACCEPT_REQUESTED, NULL, &node, &is_new, &v, &e);
    if (r == RESULT_OK && verdict_ok(&v) && is_new) r = settle(chain, block->block, node, &v, &e);
    if (r != RESULT_OK) {
        e.code = r;
        tell(error, &e);
        return CAIRN_PROCESS_FAILED;
    }
    enum cairn_process_status status = judge(&v, verdict);
    return status == CAIRN_PROCESS_ACCEPTED && !is_new ? CAIRN_PROCESS_KNOWN : status;
}

static void fill_coin(struct cairn_coin *out, const struct outpoint *at, const struct coin *coin)
{
    memcpy(out->txid, at->txid.bytes, 32);
    out->index = at->index;
    out->height = coin_height(coin->origin);
    out->coinbase = coin_is_coinbase(coin->origin);
    out->output = (struct cairn_output){.value = coin->value, .script_pubkey = bytes_of(coin->script_pubkey)};
}

bool cairn_chain_coin(struct cairn_chain *chain, const uint8_t txid[32], uint32_t index, struct cairn_coin *out)
{
    struct outpoint at = {.index = index};
    memcpy(at.txid.bytes, txid, 32);
    struct coin coin;
    struct error e;
    if (coins_get(chain->chain->coins, &at, &coin, &e) != RESULT_OK) return false;
    fill_coin(out, &at, &coin);
    return true;
}

struct cairn_coins *cairn_coins_new(struct cairn_chain *chain, struct cairn_error *error)
{
    if (!cairn_chain_flush(chain, error)) return NULL;
    struct cairn_coins *coins = mem_calloc(1, sizeof *coins);
    coins->iter = coins_iter_new(chain->chain->coins);
    return coins;
}

void cairn_coins_free(struct cairn_coins *coins)
{
    if (!coins) return;
    coins_iter_free(coins->iter);
    free(coins);
}

bool cairn_coins_next(struct cairn_coins *coins, struct cairn_coin *out, struct cairn_error *error)
{
    struct error e = {0};
    struct outpoint at;
    struct coin coin;
    enum result r = RESULT_OK;
    if (error) error->text[0] = '\0';
    if (!coins_iter_next(coins->iter, &at, &coin, &r, &e)) {
        e.code = r;
        if (r != RESULT_OK) tell(error, &e);
        return false;
    }
    fill_coin(out, &at, &coin);
    return true;
}
