/* The node's stores: folders under the data directory, LevelDB, flat files, threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chain/chain_prune.h"
#include "daemon/daemon.h"
#include "index/index.h"
#include "store/store.h"

enum { INDEX_CACHE_BYTES = 2 << 20, MAX_THREADS = 16 };

static bool fail_raw(struct start_error *error, const char *headline)
{
    buffer_printf(&error->text, "%s.\nPlease restart with -reindex or -reindex-chainstate to recover.", headline);
    error->raw = true;
    return false;
}

static bool fail(struct daemon *d, struct start_error *error, const struct error *e)
{
    log_error(&d->log.log, "%s", e->text);
    buffer_put_str(&error->text, e->text);
    return false;
}

/* Our machine's trouble is said as it is; what reads back wrong gets Core's headline and the way out. */
static bool fail_store(struct daemon *d, struct start_error *error, const struct error *e, const char *headline)
{
    if (e->code != RESULT_CORRUPT && e->code != RESULT_NOT_FOUND) return fail(d, error, e);
    log_error(&d->log.log, "%s: %s", headline, e->text);
    return fail_raw(error, headline);
}

static char *subfolder(const char *base, const char *name)
{
    char *path = path_join(base, name);
    mkdir(path, 0700);
    return path;
}

/* Half of the cache is LevelDB's for small caches, but no more than 8 MiB: coins are better kept unpacked. */
static size_t coins_db_cache(struct daemon *d)
{
    uint64_t share = d->options.chain.cache_bytes / 2;
    if (share > 8 << 20) share = 8 << 20;
    d->options.chain.cache_bytes -= share;
    return (size_t)share;
}

static bool exists(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static bool open_files(struct daemon *d, struct start_error *error)
{
    struct error e;
    uint8_t key[8];
    bool obfuscate = args_bool_or(&d->args, "blocksxor", true);
    if (getrandom(key, sizeof(key), 0) != sizeof(key)) memset(key, 0, sizeof(key));
    if (flat_files_open(&d->ports.files, d->blocks_dir, obfuscate ? key : NULL, false, &d->log.log, &e))
        return fail(d, error, &e);
    return true;
}

/* A block index that is gone although there are blocks is not silently begun anew. */
static bool index_vanished(struct daemon *d, const char *index_path)
{
    if (exists(index_path, "CURRENT") || d->options.chain.reindex) return false;
    return d->ports.files.ops->count(d->ports.files.ctx, FLAT_BLOCKS) > 0 && exists(d->datadir, "chainstate/CURRENT");
}

/* Asked before anything is wiped: a pruned chain could not be made anew. */
static bool check_not_pruned(struct daemon *d, struct start_error *error)
{
    struct error e;
    bool pruned;
    if (d->options.chain.prune_target) return true;
    if (chain_index_pruned(&d->ports.index, &pruned, &e))
        return fail_store(d, error, &e, "Error opening block database");
    return !pruned ||
           fail_raw(error, "You need to rebuild the database using -reindex to go back to unpruned mode.  This "
                           "will redownload the entire blockchain");
}

static bool open_databases(struct daemon *d, struct start_error *error)
{
    struct error e;
    bool wipe_index = d->options.chain.reindex;
    bool wipe_coins = wipe_index || args_bool(&d->args, "reindex-chainstate");
    char *chain_blocks = subfolder(d->datadir, "blocks");
    char *index = subfolder(chain_blocks, "index"), *coins = subfolder(d->datadir, "chainstate");
    free(chain_blocks);
    bool ok = true;
    if (index_vanished(d, index)) {
        if (args_list_has(&d->args, "test", "reindex_after_failure_noninteractive_yes"))
            wipe_index = wipe_coins = d->options.chain.reindex = true;
        else
            ok = fail_raw(error, "Error initializing block database");
    }
    if (ok && leveldb_store_open(&d->ports.index, index, INDEX_CACHE_BYTES, wipe_index, &d->log.log, &e))
        ok = fail_store(d, error, &e, "Error opening block database");
    ok = ok && check_not_pruned(d, error);
    if (ok && leveldb_store_open(&d->ports.coins, coins, coins_db_cache(d), wipe_coins, &d->log.log, &e))
        ok = fail_store(d, error, &e, "Error opening coins database");
    free(index);
    free(coins);
    return ok;
}

/* FOLDERS, each in the one before, end with NULL. */
static bool open_index(struct daemon *d, const char *const *folders, struct kv_store *out, struct start_error *error)
{
    struct error e;
    char *path = subfolder(d->datadir, "indexes");
    for (; *folders; folders++) {
        char *base = path;
        path = subfolder(base, *folders);
        free(base);
    }
    enum result r = leveldb_store_open(out, path, INDEX_CACHE_BYTES, d->options.chain.reindex, &d->log.log, &e);
    free(path);
    return r ? fail(d, error, &e) : true;
}

static bool open_indexes(struct daemon *d, struct start_error *error)
{
    static const char *const txs[] = {"txindex", NULL}, *const stats[] = {"coinstatsindex", NULL},
                             *const filters[] = {"blockfilter", "basic", "db", NULL};
    if (args_bool(&d->args, "txindex") && !open_index(d, txs, &d->options.tx_index, error)) return false;
    if (args_bool(&d->args, "coinstatsindex") && !open_index(d, stats, &d->options.coin_stats, error)) return false;
    return !wants_filter_index(d) || open_index(d, filters, &d->options.filters, error);
}

static unsigned thread_count(const struct daemon *d)
{
    int64_t par = args_int(&d->args, "par");
    int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (par <= 0) par += cores;
    return (unsigned)(par < 1 ? 1 : par > MAX_THREADS ? MAX_THREADS : par);
}

/* Every file that the index counts blocks in is there. */
static bool check_block_files(struct daemon *d, struct start_error *error)
{
    const struct chain *c = d->node->chain;
    const struct flat_store *s = &d->ports.files;
    struct error e;
    for (uint32_t n = 0; n < c->file_count && !c->reindexing; n++) {
        uint64_t size;
        if (!c->files[n].blocks || !s->ops->size(s->ctx, FLAT_BLOCKS, n, &size, &e)) continue;
        log_error(&d->log.log, "blk%05u.dat, with %u blocks: %s", n, c->files[n].blocks, e.text);
        return fail_raw(error, "Error loading block database");
    }
    return true;
}

/* An index goes on from where it stands: what it has yet to read must not have been pruned. */
static bool check_index_data(struct daemon *d, struct start_error *error)
{
    struct index_info infos[3];
    size_t count = 0;
    if (d->node->tx_index) tx_index_info(d->node->tx_index, &infos[count++]);
    if (d->node->filters) filter_index_info(d->node->filters, &infos[count++]);
    if (d->node->coin_stats) coin_stats_index_info(d->node->coin_stats, &infos[count++]);
    for (size_t i = 0; i < count; i++) {
        if (!infos[i].data_pruned) continue;
        return start_fail(
            error,
            "%s best block of the index goes beyond pruned data%s. Please disable the index or reindex "
            "(which will download the whole blockchain again)\nError: A fatal internal error occurred, see "
            "debug.log for details: Failed to start indexes, shutting down\u2026",
            infos[i].name, infos[i].wants_undo ? " (including undo data)" : "");
    }
    return true;
}

static bool check_witnesses(struct daemon *d, struct start_error *error)
{
    char headline[120];
    if (!chain_lacks_witnesses(d->node->chain)) return true;
    snprintf(headline, sizeof(headline),
             "Witness data for blocks after height %d requires validation. Please restart with -reindex.",
             (int)d->options.params.buried[BURIED_SEGWIT]);
    return fail_raw(error, headline);
}

static bool verify(struct daemon *d, struct start_error *error)
{
    struct error e;
    bool ok;
    int64_t count = args_int(&d->args, "checkblocks"), level = args_int(&d->args, "checklevel");
    const struct block_node *tip = chain_tip(d->node->chain);
    if (!tip) return true;
    if (d->node->chain->have_pruned && (count <= 0 || count > MIN_BLOCKS_TO_KEEP))
        log_warning(&d->log.log, "Only those of the blocks are checked that were not pruned, perhaps %d",
                    MIN_BLOCKS_TO_KEEP);
    if ((int64_t)tip->header.time > node_time_s(d->node) + MAX_FUTURE_BLOCK_TIME_S)
        return fail_raw(error, "The block database contains a block which appears to be from the future. This may be "
                               "due to your computer's date and time being set incorrectly. Only rebuild the block "
                               "database if you are sure that your computer's date and time are correct");
    if (chain_verify(d->node->chain, (int)level, (int32_t)count, &ok, &e)) return fail(d, error, &e);
    return ok ? true : fail_raw(error, "Corrupted block database detected");
}

/* LevelDB names the folder whose bytes are wrong. */
static const char *open_headline(const struct error *e)
{
    return strstr(e->text, "/chainstate") ? "Error opening coins database" : "Error loading block database";
}

bool setup_node(struct daemon *d, struct start_error *error)
{
    struct error e;
    if (!open_files(d, error) || !open_databases(d, error) || !open_indexes(d, error)) return false;
    thread_pool_open(&d->ports.workers, thread_count(d));
    log_info(&d->log.log, "Script verification uses %u threads", workers_threads(&d->ports.workers));
    if (node_open(&d->node, &d->options, &d->ports, clock_us(), &d->log.log, &e))
        return fail_store(d, error, &e, open_headline(&e));
    fees_read(d);
    bool more;
    if (!chain_tip(d->node->chain) && node_advance(d->node, 1, &more, &e)) return fail(d, error, &e);
    const struct block_node *tip = chain_tip(d->node->chain);
    char hash[HASH_TEXT];
    log_info(&d->log.log, "Loaded best chain: hashBestChain=%s height=%d",
             tip ? block_hash_text(hash, &tip->header.hash) : "none", chain_height(d->node->chain));
    return check_witnesses(d, error) && check_block_files(d, error) && check_index_data(d, error) && verify(d, error);
}

void close_stores(struct daemon *d)
{
    thread_pool_close(&d->ports.workers);
    struct kv_store *stores[] = {&d->ports.index, &d->ports.coins, &d->options.tx_index, &d->options.coin_stats,
                                 &d->options.filters};
    for (size_t i = 0; i < ARRAY_LEN(stores); i++)
        if (stores[i]->ops) leveldb_store_close(stores[i]);
    if (d->ports.files.ops) flat_files_close(&d->ports.files);
}
