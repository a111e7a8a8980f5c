/* mempool.dat and the files of the fee estimates: read when the node starts, written when it stops and now and then.
 * One that cannot be used is set aside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/daemon.h"
#include "mempool/fee_estimator.h"
#include "mempool/mempool_file.h"

#define FEES_FOLDER   "fees"
#define HISTORY_FILE  "fees/block_policy_estimates.dat"
#define COVERAGE_FILE "fees/mempool_policy_estimator.dat"
#define OLD_FILE      "fee_estimates.dat" /* HISTORY_FILE before it had a folder */
#define POOL_FILE     "mempool.dat"

enum {
    FEES_EVERY_US = 60 * 60 * 1000000LL,
    FEES_OLDEST_H = 60,
    SLICE_US = 15000,
    SLICE_TXS = 8,
};

/* A file of ours that is not what it should be is kept for whoever wants to know why. */
static void set_aside(struct daemon *d, const char *path, const char *why)
{
    struct buffer bad = {0};
    buffer_printf(&bad, "%s.bad", path);
    if (rename(path, buffer_text(&bad)) == 0)
        start_warn(d, "%s cannot be used (%s). It is kept as %s; the node goes on without.", path, why,
                   buffer_text(&bad));
    else
        start_warn(d, "%s cannot be used (%s). The node goes on without.", path, why);
    buffer_clear(&bad);
}

/* ---- fee estimates ---- */

/* Where the history was before it moved. */
static void move_old_history(struct daemon *d, const char *path)
{
    struct error e;
    char *old = path_join(d->datadir, OLD_FILE), *folder = path_join(d->datadir, FEES_FOLDER);
    if (access(old, F_OK) == 0) {
        if (access(path, F_OK) == 0) {
            if (unlink(old) == 0) log_info(&d->log.log, "Removed legacy fee estimates file %s.", old);
        } else if (dir_create(folder, NULL, &e)) {
            log_warning(&d->log.log, "%s", e.text);
        } else if (rename(old, path)) {
            log_warning(&d->log.log,
                        "Failed to migrate fee estimates from %s to %s: %s. Continuing with fresh "
                        "estimates.",
                        old, path, strerror(errno));
        } else {
            log_info(&d->log.log, "Migrated fee estimates from %s to %s.", old, path);
        }
    }
    free(old);
    free(folder);
}

/* Old estimates say nothing of today's fees. */
static bool is_stale(struct daemon *d, const char *path)
{
    struct stat st;
    if (args_bool(&d->args, "acceptstalefeeestimates") || stat(path, &st)) return false;
    int64_t hours = (clock_us() / 1000000 - (int64_t)st.st_mtime) / 3600;
    if (hours <= FEES_OLDEST_H) return false;
    log_warning(&d->log.log,
                "Fee estimation file %s too old (age=%lld > %d hours) and will not be used to avoid serving stale "
                "estimates.",
                path, (long long)hours, FEES_OLDEST_H);
    return true;
}

static void read_history(struct daemon *d)
{
    struct error e;
    struct buffer data = {0};
    char *path = path_join(d->datadir, HISTORY_FILE);
    move_old_history(d, path);
    if (!file_read(path, &data)) {
        log_info(&d->log.log, "%s is not found. Continue anyway.", path);
    } else if (!is_stale(d, path) && fee_estimator_read(d->node->fees, buffer_span(&data), &e)) {
        log_warning(&d->log.log, "Failed to read fee estimates from %s. Continue anyway.", path);
        set_aside(d, path, e.text);
    }
    buffer_clear(&data);
    free(path);
}

static void read_coverage(struct daemon *d)
{
    struct error e;
    struct buffer data = {0};
    char *path = path_join(d->datadir, COVERAGE_FILE);
    const struct block_node *tip = chain_tip(d->node->chain);
    if (tip && file_read(path, &data)) {
        enum result r = fee_coverage_read(fee_estimator_coverage(d->node->fees), buffer_span(&data), &tip->header.hash,
                                          tip->header.height, &e);
        if (r == RESULT_NOT_FOUND)
            log_warning(&d->log.log, "mempool_policy: %s is ignored: %s", path, e.text);
        else if (r)
            set_aside(d, path, e.text);
        else
            log_debug(&d->log.log, LOGC_ESTIMATEFEE, "mempool_policy: mined-block stats successfully read from %s.",
                      path);
    }
    buffer_clear(&data);
    free(path);
}

/* Whoever takes no transactions from peers has nothing to estimate from. */
void fees_read(struct daemon *d)
{
    d->fees_saved_us = clock_steady_us();
    if (args_bool(&d->args, "blocksonly")) {
        mempool_set_estimator(d->node->mempool, NULL);
        fee_estimator_free(d->node->fees);
        d->node->fees = NULL;
        return;
    }
    read_history(d);
    read_coverage(d);
}

static void write_fees(struct daemon *d)
{
    struct error e;
    struct buffer data = {0};
    struct log *log = &d->log.log;
    char *folder = path_join(d->datadir, FEES_FOLDER), *history = path_join(d->datadir, HISTORY_FILE);
    char *coverage = path_join(d->datadir, COVERAGE_FILE);
    bool failed = dir_create(folder, NULL, &e) != RESULT_OK;
    if (!failed) {
        fee_estimator_write(d->node->fees, &data);
        failed = file_replace(history, buffer_span(&data), &e) != RESULT_OK;
    }
    if (!failed) {
        log_debug(log, LOGC_ESTIMATEFEE, "Flushed fee estimates to %s.", history);
        data.len = 0;
        fee_coverage_write(fee_estimator_coverage(d->node->fees), &data);
        failed = file_replace(coverage, buffer_span(&data), &e) != RESULT_OK;
    }
    if (!failed) log_debug(log, LOGC_ESTIMATEFEE, "mempool_policy: mined-block stats flushed to %s.", coverage);
    if (failed) log_warning(log, "Failed to write fee estimates: %s. Continue anyway.", e.text);
    buffer_clear(&data);
    free(folder);
    free(history);
    free(coverage);
}

void fees_save(struct daemon *d)
{
    int64_t now_us = clock_steady_us() + d->mock_leap_us;
    if (!d->node->fees || now_us - d->fees_saved_us < FEES_EVERY_US) return;
    d->fees_saved_us = now_us;
    write_fees(d);
}

/* ---- the pool ---- */

struct mempool_load {
    struct buffer file;
    struct mempool_file_reader *reader;
};

static void end_load(struct daemon *d)
{
    if (!d->mempool_load) return;
    mempool_file_close(d->mempool_load->reader);
    buffer_clear(&d->mempool_load->file);
    free(d->mempool_load);
    d->mempool_load = NULL;
}

static void loaded(struct daemon *d)
{
    end_load(d);
    mempool_set_loaded(d->node->mempool);
    log_info(&d->log.log, "initload thread exit");
}

static void damaged(struct daemon *d, const char *why)
{
    char *path = path_join(d->datadir, POOL_FILE);
    log_info(&d->log.log, "Failed to deserialize mempool data on file: %s. Continuing anyway.", why);
    set_aside(d, path, why);
    free(path);
    loaded(d);
}

/* True where there is something to load. */
static bool begin_load(struct daemon *d)
{
    static const struct mempool_file_options all = {.apply_deltas = true, .apply_unbroadcast = true};
    struct error e;
    if (!args_bool(&d->args, "persistmempool")) {
        loaded(d);
        return false;
    }
    struct mempool_load *l = d->mempool_load = mem_calloc(1, sizeof(*l));
    char *path = path_join(d->datadir, POOL_FILE);
    bool there = file_read(path, &l->file);
    free(path);
    if (!there) {
        log_info(&d->log.log, "Failed to open mempool file. Continuing anyway.");
        loaded(d);
        return false;
    }
    l->reader = mempool_file_open(d->node->mempool, buffer_span(&l->file), &all, &e);
    if (l->reader) return true;
    damaged(d, e.text);
    return false;
}

bool mempool_load_some(struct daemon *d)
{
    struct error e;
    bool done = false;
    enum result r = RESULT_OK;
    if (mempool_is_loaded(d->node->mempool) || d->node->stop_wanted || args_bool(&d->args, "stopafterblockimport"))
        return false;
    if (!d->mempool_load && !begin_load(d)) return false;
    for (int64_t end_us = clock_steady_us() + SLICE_US; !r && !done && clock_steady_us() < end_us;)
        r = mempool_file_step(d->mempool_load->reader, SLICE_TXS, &done, &e);
    if (r == RESULT_CORRUPT && done) {
        damaged(d, e.text);
        return false;
    }
    if (r) {
        node_fatal(d->node, r, &e);
        end_load(d);
        return false;
    }
    if (done) loaded(d);
    return !done;
}

bool mempool_save(struct daemon *d, struct buffer *path)
{
    struct error e;
    uint8_t key[8];
    struct buffer data = {0};
    bool plain = args_bool(&d->args, "persistmempoolv1");
    int64_t start_us = clock_steady_us();
    char *file = path_join(d->datadir, POOL_FILE);
    if (path) buffer_put_str(path, file);
    if (getrandom(key, sizeof(key), 0) != sizeof(key)) memset(key, 0, sizeof(key));
    mempool_file_write(d->node->mempool, plain ? NULL : key, &data);
    int64_t made_us = clock_steady_us();
    bool failed = file_replace(file, buffer_span(&data), &e) != RESULT_OK;
    if (failed)
        log_info(&d->log.log, "Failed to dump mempool: %s. Continuing anyway.", e.text);
    else
        log_info(&d->log.log, "Dumped mempool: %.3fs to copy, %.3fs to dump, %zu bytes dumped to file",
                 (double)(made_us - start_us) / 1e6, (double)(clock_steady_us() - made_us) / 1e6, data.len);
    buffer_clear(&data);
    free(file);
    return !failed;
}

void pool_files_close(struct daemon *d)
{
    end_load(d);
    if (!d->node || d->failed) return;
    if (mempool_is_loaded(d->node->mempool) && args_bool(&d->args, "persistmempool")) (void)!mempool_save(d, NULL);
    if (!d->node->fees) return;
    fee_estimator_flush(d->node->fees);
    write_fees(d);
}
