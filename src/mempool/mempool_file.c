/* The saved pool: a version, a key, transactions with their times and deltas, deltas of others, the unbroadcast. */
#include "mempool/mempool_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/reader.h"
#include "mempool/mempool_internal.h"
#include "primitives/compact_size.h"

enum {
    VERSION_PLAIN = 1,
    VERSION_KEYED = 2,
    KEY = 8,
    TXID = 32,
    WINDOW = 1 << 16, /* bytes decoded at a time; more where something is longer */
    MAX_LIST = 32 << 20,
};

/* The key counts from the first byte of the file. */
static void obfuscate(const uint8_t key[KEY], size_t offset, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) data[i] ^= key[(offset + i) % KEY];
}

/* ---- writing ---- */

static size_t expected_bytes(const struct mempool *m)
{
    size_t bytes = 64 + (m->deltas.count + m->unbroadcast.count) * (TXID + 8);
    for (size_t i = 0; i < m->count; i++) bytes += m->entries[i]->tx.size + 16;
    return bytes;
}

static void write_entries(struct mempool *m, struct buffer *out)
{
    struct mempool_list list = mempool_ordered(m);
    buffer_put_le64(out, list.count);
    log_info(m->log, "Writing %zu mempool transactions to file...", list.count);
    for (size_t i = 0; i < list.count; i++) {
        const struct mempool_entry *e = list.entries[i];
        tx_write(out, &e->tx);
        buffer_put_le64(out, (uint64_t)e->time_s);
        buffer_put_le64(out, (uint64_t)e->delta);
    }
    free(list.entries);
}

/* Of transactions that are not here. */
static void write_deltas(const struct mempool *m, struct buffer *out)
{
    size_t count, others = 0;
    struct mempool_delta *deltas = mempool_deltas(m, &count);
    for (size_t i = 0; i < count; i++) others += !deltas[i].entry;
    buffer_put_compact_size(out, others);
    for (size_t i = 0; i < count; i++) {
        if (deltas[i].entry) continue;
        buffer_put(out, deltas[i].txid.bytes, TXID);
        buffer_put_le64(out, (uint64_t)deltas[i].delta);
    }
    free(deltas);
}

static void write_unbroadcast(const struct mempool *m, struct buffer *out)
{
    size_t count;
    struct txid *txids = mempool_unbroadcast(m, &count);
    log_info(m->log, "Writing %zu unbroadcast transactions to file.", count);
    buffer_put_compact_size(out, count);
    for (size_t i = 0; i < count; i++) buffer_put(out, txids[i].bytes, TXID);
    free(txids);
}

void mempool_file_write(struct mempool *m, const uint8_t key[8], struct buffer *out)
{
    size_t start = out->len;
    buffer_reserve(out, expected_bytes(m));
    buffer_put_le64(out, key ? VERSION_KEYED : VERSION_PLAIN);
    if (key) {
        buffer_put_compact_size(out, KEY);
        buffer_put(out, key, KEY);
    }
    size_t hidden = out->len;
    write_entries(m, out);
    write_deltas(m, out);
    write_unbroadcast(m, out);
    if (key) obfuscate(key, hidden - start, out->data + hidden, out->len - hidden);
}

/* ---- reading ---- */

enum stage { STAGE_TXS, STAGE_DELTAS, STAGE_UNBROADCAST, STAGE_DONE };

struct mempool_file_reader {
    struct mempool *m;
    struct span file;
    struct mempool_file_options options;
    struct mempool_file_counts counts;
    bool keyed;
    uint8_t key[KEY];
    size_t pos;           /* of what is next in the file */
    struct buffer window; /* plain bytes of the file from window_at on */
    size_t window_at;
    struct arena arena;
    enum stage stage;
    uint64_t tried; /* transactions */
    uint64_t left;  /* entries of the list being read */
    unsigned tenth; /* of the progress that was reported */
};

static bool fill_window(struct mempool_file_reader *r, size_t wanted)
{
    size_t left = r->file.len - r->pos, len = wanted < left ? wanted : left;
    if (r->window_at == r->pos && r->window.len >= len) return false; /* there is no more */
    r->window.len = 0;
    buffer_put(&r->window, r->file.data + r->pos, len);
    r->window_at = r->pos;
    if (r->keyed) obfuscate(r->key, r->pos, r->window.data, len);
    return true;
}

static struct reader window_reader(const struct mempool_file_reader *r)
{
    struct span s = buffer_span(&r->window);
    size_t skipped = r->pos - r->window_at;
    if (r->pos < r->window_at || skipped > s.len) return reader_of(span_of(NULL, 0));
    return reader_of(span_of(s.data + skipped, s.len - skipped));
}

/* READ something from the window, which grows until it is whole. */
static bool read_whole(struct mempool_file_reader *r, void (*read)(void *out, struct reader *in, struct arena *arena),
                       void *out)
{
    for (size_t wanted = WINDOW;; wanted *= 2) {
        struct reader in = window_reader(r);
        const uint8_t *start = in.pos;
        arena_reset(&r->arena);
        read(out, &in, &r->arena);
        if (!in.failed) {
            r->pos += (size_t)(in.pos - start);
            return true;
        }
        if (!fill_window(r, wanted) && r->window.len < wanted) return false;
    }
}

struct saved_tx {
    struct tx tx;
    int64_t time_s;
    int64_t delta;
};

static void read_tx(void *out, struct reader *in, struct arena *arena)
{
    struct saved_tx *s = out;
    tx_read(&s->tx, in, arena, 0);
    s->time_s = (int64_t)read_le64(in);
    s->delta = (int64_t)read_le64(in);
}

static void read_count(void *out, struct reader *in, struct arena *arena)
{
    (void)arena;
    *(uint64_t *)out = read_compact_size(in);
}

static void read_total(void *out, struct reader *in, struct arena *arena)
{
    (void)arena;
    *(uint64_t *)out = read_le64(in);
}

struct saved_delta {
    struct txid txid;
    int64_t delta;
};

static void read_delta(void *out, struct reader *in, struct arena *arena)
{
    struct saved_delta *s = out;
    (void)arena;
    read_bytes(in, s->txid.bytes, TXID);
    s->delta = (int64_t)read_le64(in);
}

static void read_txid(void *out, struct reader *in, struct arena *arena)
{
    (void)arena;
    read_bytes(in, ((struct txid *)out)->bytes, TXID);
}

struct mempool_file_reader *mempool_file_open(struct mempool *m, struct span file,
                                              const struct mempool_file_options *options, struct error *e)
{
    struct reader in = reader_of(file);
    uint64_t version = read_le64(&in);
    uint8_t key[KEY] = {0};
    if (version == VERSION_KEYED) {
        if (read_compact_size(&in) != KEY) reader_fail(&in);
        read_bytes(&in, key, KEY);
    }
    if (in.failed || (version != VERSION_KEYED && version != VERSION_PLAIN)) {
        if (in.failed)
            error_set(e, RESULT_CORRUPT, "the file is too short");
        else
            error_set(e, RESULT_CORRUPT, "its version %llu is not known", (unsigned long long)version);
        return NULL;
    }
    struct mempool_file_reader *r = mem_calloc(1, sizeof(*r));
    r->m = m;
    r->file = file;
    r->options = *options;
    r->keyed = version == VERSION_KEYED;
    memcpy(r->key, key, KEY);
    r->pos = (size_t)(in.pos - file.data);
    r->window_at = r->pos;
    if (!read_whole(r, read_total, &r->counts.total)) {
        mempool_file_close(r);
        error_set(e, RESULT_CORRUPT, "the file is too short");
        return NULL;
    }
    log_info(m->log, "Loading %llu mempool transactions from file...", (unsigned long long)r->counts.total);
    return r;
}

static enum result fail(struct mempool_file_reader *r, const char *what, struct error *e)
{
    r->stage = STAGE_DONE;
    return error_set(e, RESULT_CORRUPT, "%s at byte %zu of %zu cannot be read", what, r->pos, r->file.len);
}

static enum result take_tx(struct mempool_file_reader *r, struct error *e)
{
    struct saved_tx s;
    struct verdict v = {0};
    struct mempool *m = r->m;
    if (!read_whole(r, read_tx, &s)) return fail(r, "the transaction", e);
    r->tried++;
    tx_hash(&s.tx);
    if (r->options.use_current_time) s.time_s = m->now_s;
    if (s.delta && r->options.apply_deltas) mempool_prioritise(m, &s.tx.txid, s.delta);
    if (s.time_s <= m->now_s - m->options.expiry_s) {
        r->counts.expired++;
        return RESULT_OK;
    }
    enum result result = mempool_accept_one(m, &s.tx, s.time_s, 0, &v, e);
    if (result) return result;
    if (verdict_ok(&v))
        r->counts.accepted++;
    else if (mempool_find(m, &s.tx.txid))
        r->counts.known++;
    else
        r->counts.failed++;
    return RESULT_OK;
}

static void report_progress(struct mempool_file_reader *r)
{
    unsigned percent = (unsigned)(100.0 * (double)r->tried / (double)r->counts.total);
    if (percent / 10 <= r->tenth) return;
    r->tenth = percent / 10;
    log_info(r->m->log, "Progress loading mempool transactions from file: %u%% (tried %llu, %llu remaining)", percent,
             (unsigned long long)r->tried, (unsigned long long)(r->counts.total - r->tried));
}

static enum result begin_list(struct mempool_file_reader *r, enum stage stage, struct error *e)
{
    r->stage = stage;
    return read_whole(r, read_count, &r->left) && r->left <= MAX_LIST ? RESULT_OK : fail(r, "a list", e);
}

static enum result take_delta(struct mempool_file_reader *r, struct error *e)
{
    struct saved_delta s;
    if (!read_whole(r, read_delta, &s)) return fail(r, "a delta", e);
    if (r->options.apply_deltas && s.delta) mempool_prioritise(r->m, &s.txid, s.delta);
    return RESULT_OK;
}

static enum result take_unbroadcast(struct mempool_file_reader *r, struct error *e)
{
    struct txid txid;
    if (!read_whole(r, read_txid, &txid)) return fail(r, "a transaction's hash", e);
    if (!r->options.apply_unbroadcast) return RESULT_OK;
    r->counts.unbroadcast++;
    if (mempool_find(r->m, &txid)) mempool_add_unbroadcast(r->m, &txid);
    return RESULT_OK;
}

static void finish(struct mempool_file_reader *r)
{
    const struct mempool_file_counts *c = &r->counts;
    r->stage = STAGE_DONE;
    log_info(r->m->log,
             "Imported mempool transactions from file: %llu succeeded, %llu failed, %llu expired, %llu already there, "
             "%llu waiting for initial broadcast",
             (unsigned long long)c->accepted, (unsigned long long)c->failed, (unsigned long long)c->expired,
             (unsigned long long)c->known, (unsigned long long)c->unbroadcast);
}

static enum result step(struct mempool_file_reader *r, struct error *e)
{
    enum result result = RESULT_OK;
    switch (r->stage) {
    case STAGE_TXS:
        if (r->tried == r->counts.total) return begin_list(r, STAGE_DELTAS, e);
        report_progress(r);
        return take_tx(r, e);
    case STAGE_DELTAS:
        if (!r->left) return begin_list(r, STAGE_UNBROADCAST, e);
        result = take_delta(r, e);
        break;
    case STAGE_UNBROADCAST:
        if (r->left)
            result = take_unbroadcast(r, e);
        else
            finish(r);
        break;
    case STAGE_DONE: return RESULT_OK;
    }
    if (r->left) r->left--;
    return result;
}

enum result mempool_file_step(struct mempool_file_reader *r, unsigned limit, bool *done, struct error *e)
{
    enum result result = RESULT_OK;
    for (unsigned i = 0; i < limit && !result && r->stage != STAGE_DONE; i++) result = step(r, e);
    *done = r->stage == STAGE_DONE;
    return result;
}

const struct mempool_file_counts *mempool_file_counts_of(const struct mempool_file_reader *r)
{
    return &r->counts;
}

void mempool_file_close(struct mempool_file_reader *r)
{
    if (!r) return;
    buffer_clear(&r->window);
    arena_clear(&r->arena);
    free(r);
}
