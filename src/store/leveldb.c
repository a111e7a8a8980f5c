/* LevelDB behind the key-value port. */
#include <errno.h>
#include <leveldb/c.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "store/store.h"

enum {
    BLOOM_BITS = 10,
    MAX_FILE_BYTES = 32 << 20,
    MAX_OPEN_FILES = 1000, /* on 64-bit machines tables are mapped: few of them take a descriptor */
    CACHE_BYTES_MIN = 1 << 20,
};

struct leveldb_store {
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *read, *scan;
    leveldb_writeoptions_t *write, *sync;
    char *path;
    struct log *log;
};

/* LevelDB's C interface tells errors as text only: "Corruption: ...", "IO error: ...". Takes TEXT. */
static enum result failed(const struct leveldb_store *s, const char *action, char *text, struct error *e)
{
    enum result code = RESULT_IO;
    if (strstr(text, "No space left") || strstr(text, "Disk quota exceeded"))
        code = RESULT_FULL;
    else if (!strncmp(text, "Corruption", strlen("Corruption")))
        code = RESULT_CORRUPT;
    else if (strstr(text, "/LOCK") || strstr(text, "already held by process"))
        code = RESULT_BUSY;
    error_set(e, code, "%s database %s: LevelDB error: %s", action, s->path, text);
    log_error(s->log, "%s database %s: LevelDB error: %s", action, s->path, text);
    leveldb_free(text);
    return code;
}

/* ---- port ------------------------------------------------------------------------------------------------------ */

static enum result store_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    struct leveldb_store *s = ctx;
    char *text = NULL;
    size_t len = 0;
    value->len = 0;
    char *found = leveldb_get(s->db, s->read, (const char *)key.data, key.len, &len, &text);
    if (text) return failed(s, "Reading", text, e);
    if (!found) return RESULT_NOT_FOUND;
    buffer_put(value, found, len);
    leveldb_free(found);
    return RESULT_OK;
}

static void *store_batch_new(void *ctx)
{
    (void)ctx;
    return leveldb_writebatch_create();
}

static void store_batch_put(void *batch, struct span key, struct span value)
{
    leveldb_writebatch_put(batch, (const char *)key.data, key.len, value.len ? (const char *)value.data : "",
                           value.len);
}

static void store_batch_del(void *batch, struct span key)
{
    leveldb_writebatch_delete(batch, (const char *)key.data, key.len);
}

static enum result store_batch_write(void *ctx, void *batch, bool sync, struct error *e)
{
    struct leveldb_store *s = ctx;
    char *text = NULL;
    leveldb_write(s->db, sync ? s->sync : s->write, batch, &text);
    leveldb_writebatch_clear(batch);
    return text ? failed(s, "Writing", text, e) : RESULT_OK;
}

static void store_batch_free(void *batch)
{
    leveldb_writebatch_destroy(batch);
}

struct store_iter {
    const struct leveldb_store *store;
    leveldb_iterator_t *it;
    bool given; /* the entry at hand was handed out */
};

static void *store_iter_new(void *ctx)
{
    struct leveldb_store *s = ctx;
    struct store_iter *it = mem_calloc(1, sizeof(*it));
    it->store = s;
    it->it = leveldb_create_iterator(s->db, s->scan);
    leveldb_iter_seek_to_first(it->it);
    return it;
}

static void store_iter_seek(void *iter, struct span key)
{
    struct store_iter *it = iter;
    leveldb_iter_seek(it->it, key.len ? (const char *)key.data : "", key.len);
    it->given = false;
}

static bool store_iter_next(void *iter, struct span *key, struct span *value)
{
    struct store_iter *it = iter;
    if (it->given && leveldb_iter_valid(it->it)) leveldb_iter_next(it->it);
    it->given = true;
    if (!leveldb_iter_valid(it->it)) return false;
    size_t key_len, value_len;
    const char *k = leveldb_iter_key(it->it, &key_len);
    const char *v = leveldb_iter_value(it->it, &value_len);
    *key = span_of(k, key_len);
    *value = span_of(v, value_len);
    return true;
}

static enum result store_iter_result(void *iter, struct error *e)
{
    struct store_iter *it = iter;
    char *text = NULL;
    leveldb_iter_get_error(it->it, &text);
    return text ? failed(it->store, "Reading", text, e) : RESULT_OK;
}

static void store_iter_free(void *iter)
{
    struct store_iter *it = iter;
    leveldb_iter_destroy(it->it);
    free(it);
}

static uint64_t store_disk_bytes(void *ctx)
{
    static const char first[1] = {0}, last[4] = {'\xff', '\xff', '\xff', '\xff'};
    struct leveldb_store *s = ctx;
    const char *from = first, *to = last;
    size_t from_len = 0, to_len = sizeof(last);
    uint64_t bytes = 0;
    leveldb_approximate_sizes(s->db, 1, &from, &from_len, &to, &to_len, &bytes);
    return bytes;
}

static const struct kv_ops leveldb_ops = {
    .get = store_get,
    .batch_new = store_batch_new,
    .batch_put = store_batch_put,
    .batch_del = store_batch_del,
    .batch_write = store_batch_write,
    .batch_free = store_batch_free,
    .iter_new = store_iter_new,
    .iter_seek = store_iter_seek,
    .iter_next = store_iter_next,
    .iter_result = store_iter_result,
    .iter_free = store_iter_free,
    .disk_bytes = store_disk_bytes,
};

/* ---- opening --------------------------------------------------------------------------------------------------- */

static void set_options(struct leveldb_store *s, size_t cache_bytes)
{
    if (cache_bytes < CACHE_BYTES_MIN) cache_bytes = CACHE_BYTES_MIN;
    s->cache = leveldb_cache_create_lru(cache_bytes / 2);
    s->filter = leveldb_filterpolicy_create_bloom(BLOOM_BITS);
    s->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(s->options, 1);
    leveldb_options_set_paranoid_checks(s->options, 1);
    leveldb_options_set_compression(s->options, leveldb_no_compression);
    leveldb_options_set_filter_policy(s->options, s->filter);
    leveldb_options_set_cache(s->options, s->cache);
    leveldb_options_set_write_buffer_size(s->options, cache_bytes / 4); /* two of them may be in memory at once */
    leveldb_options_set_max_file_size(s->options, MAX_FILE_BYTES);
    leveldb_options_set_max_open_files(s->options, MAX_OPEN_FILES);
    s->read = leveldb_readoptions_create();
    s->scan = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(s->read, 1);
    leveldb_readoptions_set_verify_checksums(s->scan, 1);
    leveldb_readoptions_set_fill_cache(s->scan, 0);
    s->write = leveldb_writeoptions_create();
    s->sync = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(s->sync, 1);
}

static void leveldb_store_free(struct leveldb_store *s)
{
    if (s->db) leveldb_close(s->db);
    leveldb_writeoptions_destroy(s->sync);
    leveldb_writeoptions_destroy(s->write);
    leveldb_readoptions_destroy(s->scan);
    leveldb_readoptions_destroy(s->read);
    leveldb_options_destroy(s->options);
    leveldb_filterpolicy_destroy(s->filter);
    leveldb_cache_destroy(s->cache);
    free(s->path);
    free(s);
}

static enum result open_database(struct leveldb_store *s, bool wipe, struct error *e)
{
    char *text = NULL;
    if (wipe) {
        log_info(s->log, "Wiping LevelDB in %s", s->path);
        leveldb_destroy_db(s->options, s->path, &text);
        if (text) return failed(s, "Wiping", text, e);
    }
    if (mkdir(s->path, 0700) && errno != EEXIST)
        return error_set(e, errno == ENOSPC ? RESULT_FULL : RESULT_IO, "Cannot create folder %s: %s", s->path,
                         strerror(errno));
    log_info(s->log, "Opening LevelDB in %s", s->path);
    s->db = leveldb_open(s->options, s->path, &text);
    return text ? failed(s, "Opening", text, e) : RESULT_OK;
}

enum result leveldb_store_open(struct kv_store *out, const char *path, size_t cache_bytes, bool wipe, struct log *log,
                               struct error *e)
{
    struct leveldb_store *s = mem_calloc(1, sizeof(*s));
    s->path = mem_strdup(path);
    s->log = log;
    set_options(s, cache_bytes);
    enum result result = open_database(s, wipe, e);
    if (result != RESULT_OK) {
        leveldb_store_free(s);
        *out = (struct kv_store){0};
        return result;
    }
    log_info(log, "Opened LevelDB successfully");
    *out = (struct kv_store){.ops = &leveldb_ops, .ctx = s};
    return RESULT_OK;
}

void leveldb_store_close(struct kv_store *s)
{
    if (s->ctx) leveldb_store_free(s->ctx);
    *s = (struct kv_store){0};
}
