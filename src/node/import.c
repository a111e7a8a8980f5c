/* Importing blocks from files: parse ahead on the workers, connect in order. */
#include "node/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pow.h"
#include "node/import_scan.h"
#include "node/parse_job.h"

enum {
    LOOKAHEAD = 64,             /* blocks parsed ahead at most */
    LOOKAHEAD_BYTES = 32 << 20, /* and bytes of them */
};

/* A block on its way: found, being parsed and checked on a worker, then consumed in order. */
struct slot {
    struct parse_job job;
    struct import_record record;
};

/* A block that came before its parent: where to find it again. */
struct orphan {
    struct block_hash prev;
    struct import_record record;
    struct orphan *next; /* another with the same parent */
};

struct import {
    struct node *node;
    struct import_source *sources;
    size_t source_count, source_cap;
    size_t source_at;
    struct import_scan scan;
    bool scanning; /* SCAN stands in a source */
    struct slot *slots[LOOKAHEAD];
    size_t first, count; /* ring */
    size_t bytes_ahead;
    struct hashmap orphans; /* by parent */
    struct import_progress progress;
};

struct import *import_new(struct node *n)
{
    struct import *i = mem_calloc(1, sizeof(*i));
    i->node = n;
    hashmap_init(&i->orphans, offsetof(struct orphan, prev), sizeof(struct block_hash), random_u64(&n->random));
    node_set_importing(n, true);
    return i;
}

void import_add(struct import *i, const struct import_source *source)
{
    i->sources = mem_grow(i->sources, &i->source_cap, i->source_count + 1, sizeof(*i->sources));
    i->sources[i->source_count++] = *source;
    i->progress.bytes_total += source->size;
}

/* ---- the parse-ahead ring ---- */

static struct workers *workers_of(struct import *i)
{
    return &i->node->chain->ports.workers;
}

static struct slot *slot_start(struct import *i, const struct import_record *record, uint8_t *raw_taken)
{
    struct slot *s = mem_calloc(1, sizeof(*s));
    s->record = *record;
    parse_job_start(&s->job, workers_of(i), &i->node->chain->params, raw_taken, record->len);
    return s;
}

static void slot_join(struct import *i, struct slot *s)
{
    parse_job_join(&s->job, workers_of(i));
}

static void slot_free(struct slot *s)
{
    parse_job_clear(&s->job);
    free(s);
}

/* Moves to the next source that can be read; false where there is none left. */
static bool next_source(struct import *i)
{
    if (i->scanning) {
        i->progress.bytes_done += i->sources[i->source_at].size;
        i->progress.garbage += i->scan.garbage;
        i->source_at++;
        i->scanning = false;
    }
    if (i->source_at >= i->source_count) return false;
    struct import_source *s = &i->sources[i->source_at];
    log_info(i->node->log, "%s block file %s", s->own_file >= 0 ? "Reindexing" : "Importing", s->name);
    import_scan_begin(&i->scan, s, i->source_at, i->node->chain->params.magic);
    i->scanning = true;
    return true;
}

static void log_scan_end(struct import *i)
{
    struct import_scan *scan = &i->scan;
    const char *name = i->sources[i->source_at].name;
    if (scan->failed) log_error(i->node->log, "Reading %s failed: %s", name, scan->error.text);
    if (scan->truncated)
        log_warning(i->node->log, "%s: the last record is cut short at offset %llu; what came before is kept", name,
                    (unsigned long long)scan->truncated_at);
    if (scan->garbage)
        log_warning(i->node->log, "%s: skipped bytes that are no block in %llu places", name,
                    (unsigned long long)scan->garbage);
}

static void fill_ring(struct import *i)
{
    if (i->count > LOOKAHEAD / 2 || i->bytes_ahead > LOOKAHEAD_BYTES / 2) return;
    while (i->count < LOOKAHEAD && (i->count == 0 || i->bytes_ahead < LOOKAHEAD_BYTES)) {
        if (!i->scanning && !next_source(i)) return;
        struct import_record record;
        struct span bytes;
        if (!import_scan_next(&i->scan, &record, &bytes)) {
            log_scan_end(i);
            if (!next_source(i)) return;
            continue;
        }
        i->slots[(i->first + i->count++) % LOOKAHEAD] = slot_start(i, &record, mem_dup(bytes.data, bytes.len));
        i->bytes_ahead += record.len;
    }
}

/* ---- blocks before their parents ---- */

static void orphan_add(struct import *i, const struct slot *s)
{
    struct orphan *o = mem_calloc(1, sizeof(*o));
    char hash[HASH_TEXT], parent[HASH_TEXT];
    log_debug(i->node->log, LOGC_REINDEX, "LoadExternalBlockFile: Out of order block %s, parent %s not known",
              block_hash_text(hash, &s->job.block->hash), block_hash_text(parent, &s->job.block->header.prev));
    o->prev = s->job.block->header.prev;
    o->record = s->record;
    struct orphan *head = hashmap_get(&i->orphans, o->prev.bytes);
    if (head) {
        o->next = head->next;
        head->next = o;
    } else {
        hashmap_put(&i->orphans, o);
    }
    i->progress.waiting++;
}

static void orphans_free(struct import *i)
{
    size_t at = 0;
    struct orphan *o;
    while ((o = hashmap_next(&i->orphans, &at))) {
        while (o) {
            struct orphan *next = o->next;
            free(o);
            o = next;
        }
    }
    hashmap_clear(&i->orphans);
}

/* ---- consuming ---- */

static void note_rejected(struct import *i, const struct slot *s, const struct verdict *v)
{
    char hash[HASH_TEXT], text[300];
    i->progress.rejected++;
    log_warning(i->node->log, "%s: block %s at offset %llu is refused: %s", i->sources[s->record.source].name,
                s->job.block ? block_hash_text(hash, &s->job.block->hash) : "?", (unsigned long long)s->record.offset,
                verdict_text(text, sizeof(text), v));
}

static bool orphan_take(struct import *i, const struct block_hash *parent, struct orphan **out)
{
    *out = hashmap_del(&i->orphans, parent->bytes);
    return *out != NULL;
}

static enum result accept_slot(struct import *i, struct slot *s, struct error *e)
{
    struct chain *c = i->node->chain;
    const struct import_source *source = &i->sources[s->record.source];
    struct block_position at = {.file = (uint32_t)source->own_file, .pos = (uint32_t)s->record.offset};
    /* A block of ours is written anew where no position can point to it, or its record is longer than it. */
    bool in_place = source->own_file >= 0 && s->record.offset + s->record.len <= UINT32_MAX &&
                    s->job.block->raw.len == s->record.len;
    struct block_node *node;
    struct verdict v = {0};
    bool is_new;
    enum result r = chain_accept_block(c, s->job.block, node_time_s(i->node), ACCEPT_REQUESTED | ACCEPT_PRECHECKED,
                                       in_place ? &at : NULL, &node, &is_new, &v, e);
    if (r) return node_fatal(i->node, r, e);
    if (v.kind == VERDICT_MISSING_PREV) {
        orphan_add(i, s);
        return RESULT_OK;
    }
    if (!verdict_ok(&v)) {
        if (v.kind != VERDICT_CACHED_INVALID) note_rejected(i, s, &v);
        return RESULT_OK;
    }
    i->progress.accepted += is_new;
    return is_new ? node_activate(i->node, s->job.block, e) : RESULT_OK;
}

static void log_out_of_order(struct import *i, const struct block *b)
{
    char hash[HASH_TEXT], parent[HASH_TEXT];
    log_debug(i->node->log, LOGC_REINDEX, "LoadExternalBlockFile: Processing out of order child %s of %s",
              block_hash_text(hash, &b->hash), block_hash_text(parent, &b->header.prev));
}

/* The children of PARENT that were seen before, read again; and theirs. */
static enum result accept_waiting(struct import *i, const struct block_hash *parent, struct error *e)
{
    struct block_hash *queue = NULL;
    size_t cap = 0, count = 0;
    enum result r = RESULT_OK;
    queue = mem_grow(queue, &cap, 1, sizeof(*queue));
    queue[count++] = *parent;
    for (size_t at = 0; at < count && !r; at++) {
        struct orphan *o;
        if (!orphan_take(i, &queue[at], &o)) continue;
        while (o) {
            struct orphan *next = o->next;
            uint8_t *raw = import_record_read(&i->sources[o->record.source], &o->record);
            i->progress.waiting--;
            if (raw && !r) {
                struct slot *s = slot_start(i, &o->record, raw);
                slot_join(i, s);
                if (s->job.block && s->job.good) {
                    log_out_of_order(i, s->job.block);
                    r = accept_slot(i, s, e);
                    queue = mem_grow(queue, &cap, count + 1, sizeof(*queue));
                    queue[count++] = s->job.block->hash;
                }
                slot_free(s);
            } else {
                free(raw);
            }
            free(o);
            o = next;
        }
    }
    free(queue);
    return r;
}

/* A block, and those that waited for it. */
static enum result consume_block(struct import *i, struct slot *s, struct error *e)
{
    i->progress.blocks++;
    if (!s->job.good) {
        note_rejected(i, s, &s->job.verdict);
        return RESULT_OK;
    }
    struct block_hash hash = s->job.block->hash;
    enum result r = accept_slot(i, s, e);
    if (!r && i->orphans.count && chain_find(i->node->chain, &hash)) r = accept_waiting(i, &hash, e);
    return r;
}

/* Whether a record within another is worth parsing: a header with proof of work. Without it a file of overlapping
 * records would be parsed from each of them to the end. */
static bool has_work(const struct import *i, struct span bytes)
{
    struct block_header h;
    struct block_hash hash;
    struct reader r = reader_of(bytes);
    block_header_read(&h, &r);
    block_header_hash(&hash, &h);
    return !r.failed && pow_check(&hash, h.bits, &i->node->chain->params);
}

/* Takes what stands at RECORD if it is a block; in *END where that ends. */
static enum result consume_inner(struct import *i, const struct import_record *record, struct span bytes, uint64_t *end,
                                 struct error *e)
{
    *end = record->offset;
    if (!has_work(i, bytes)) return RESULT_OK;
    struct slot *inner = slot_start(i, record, mem_dup(bytes.data, bytes.len));
    slot_join(i, inner);
    enum result r = RESULT_OK;
    if (inner->job.block) {
        *end += inner->job.block->raw.len;
        r = consume_block(i, inner, e);
    }
    slot_free(inner);
    return r;
}

/* From FROM on the record of S is no block: damage, perhaps with whole blocks behind it that its length covers, the
 * last of them perhaps in part. */
static enum result look_inside(struct import *i, const struct slot *s, uint64_t from, struct error *e)
{
    const struct import_source *source = &i->sources[s->record.source];
    uint64_t end = s->record.offset + s->record.len;
    log_warning(i->node->log, "%s: what stands at offset %llu is no block", source->name, (unsigned long long)from);
    i->progress.garbage++;
    struct import_scan scan = {0};
    import_scan_begin(&scan, source, s->record.source, i->node->chain->params.magic);
    import_scan_from(&scan, from);
    scan.extra = 4 << 20;
    struct import_record record;
    struct span bytes;
    enum result r = RESULT_OK;
    while (!r && import_scan_next(&scan, &record, &bytes) && record.offset - IMPORT_RECORD_HEAD < end) {
        uint64_t next;
        r = consume_inner(i, &record, bytes, &next, e);
        import_scan_from(&scan, next);
    }
    import_scan_end(&scan);
    return r;
}

static enum result consume(struct import *i, struct slot *s, struct error *e)
{
    if (!s->job.block) return look_inside(i, s, s->record.offset, e);
    size_t len = s->job.block->raw.len;
    enum result r = consume_block(i, s, e);
    return r || len == s->record.len ? r : look_inside(i, s, s->record.offset + len, e);
}

enum result import_step(struct import *i, bool *done, struct error *e)
{
    *done = false;
    fill_ring(i);
    if (!i->count) {
        enum result r = node_activate(i->node, NULL, e);
        if (i->orphans.count)
            log_warning(i->node->log, "%zu blocks were left over: their parents are in none of the files",
                        i->progress.waiting);
        node_set_importing(i->node, false);
        i->node->chain->reindexing = false;
        *done = true;
        return r;
    }
    struct slot *s = i->slots[i->first];
    i->first = (i->first + 1) % LOOKAHEAD;
    i->count--;
    i->bytes_ahead -= s->job.len;
    fill_ring(i); /* the workers have something to parse while this one is connected */
    slot_join(i, s);
    enum result r = consume(i, s, e);
    slot_free(s);
    return r;
}

void import_progress(const struct import *i, struct import_progress *out)
{
    *out = i->progress;
    out->name = i->source_at < i->source_count ? i->sources[i->source_at].name : "";
    if (i->scanning) {
        uint64_t pos = i->scan.pos;
        out->bytes_done += pos < i->sources[i->source_at].size ? pos : i->sources[i->source_at].size;
        out->garbage += i->scan.garbage;
    }
}

void import_free(struct import *i)
{
    if (!i) return;
    for (; i->count; i->count--, i->first = (i->first + 1) % LOOKAHEAD) {
        slot_join(i, i->slots[i->first]);
        slot_free(i->slots[i->first]);
    }
    orphans_free(i);
    import_scan_end(&i->scan);
    for (size_t s = 0; s < i->source_count; s++)
        if (i->sources[s].close) i->sources[s].close(i->sources[s].ctx);
    free(i->sources);
    free(i);
}

/* ---- our own files ---- */

struct own_file {
    struct flat_store *files;
    uint32_t number;
    uint64_t size;
    char name[24];
};

static enum result own_read(void *ctx, uint64_t offset, uint8_t *out, size_t len, size_t *got, struct error *e)
{
    struct own_file *f = ctx;
    *got = offset >= f->size ? 0 : f->size - offset < len ? (size_t)(f->size - offset) : len;
    return *got ? f->files->ops->read(f->files->ctx, FLAT_BLOCKS, f->number, offset, out, *got, e) : RESULT_OK;
}

static void own_close(void *ctx)
{
    free(ctx);
}

void import_add_own_files(struct import *i)
{
    struct flat_store *files = &i->node->chain->ports.files;
    uint32_t count = files->ops->count(files->ctx, FLAT_BLOCKS);
    chain_keep_files(i->node->chain);
    for (uint32_t n = 0; n < count; n++) {
        struct own_file *f = mem_calloc(1, sizeof(*f));
        f->files = files;
        f->number = n;
        snprintf(f->name, sizeof(f->name), "blk%05u.dat", n);
        if (files->ops->size(files->ctx, FLAT_BLOCKS, n, &f->size, NULL)) f->size = 0;
        import_add(i, &(struct import_source){own_read, own_close, f, f->size, n, f->name});
    }
}
