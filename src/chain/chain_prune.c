/* Pruning: which block files may go, and deleting them so that a crash at any instant leaves a chain that opens. */
#include "chain/chain_prune.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/chain_internal.h"

enum {
    LOCK_DISTANCE = 10,         /* blocks kept below a lock, for a reorganisation */
    CHUNKS_PER_FILE = 8,        /* blk files are taken to grow by so much at once, */
    UNDO_CHUNKS_PER_FILE = 128, /* and rev files by so much: room that is left below the target */
    BLOCK_BYTES_GUESS = 1000000 /* of the blocks to come while catching up */
};

static const uint32_t data_and_undo = BLOCK_HAVE_DATA | BLOCK_HAVE_UNDO;

/* ---- what is there ---- */

int32_t chain_prune_height(const struct chain *c)
{
    int32_t h = chain_height(c);
    while (h > 0 && (c->active[h]->status & data_and_undo) == data_and_undo) h--;
    return h > 0 ? h : -1;
}

bool chain_has_data(const struct chain *c, int32_t from, uint32_t status)
{
    for (int32_t h = chain_height(c); h >= 0 && h >= from; h--) {
        uint32_t wanted = h ? status : status & ~(uint32_t)BLOCK_HAVE_UNDO;
        if ((c->active[h]->status & wanted) != wanted) return false;
    }
    return true;
}

const struct block_node *chain_missing_data(const struct chain *c, const struct block_node *n)
{
    for (; n && !chain_contains(c, n); n = block_node_prev(n))
        if (!(n->status & BLOCK_HAVE_DATA)) return n;
    return NULL;
}

struct block_node *chain_first_since(const struct chain *c, int64_t time_s)
{
    size_t from = 0, to = c->active_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if ((int64_t)c->active[middle]->header.time_max < time_s)
            from = middle + 1;
        else
            to = middle;
    }
    return from < c->active_count ? c->active[from] : NULL;
}

enum result chain_index_pruned(const struct kv_store *index, bool *pruned, struct error *e)
{
    struct buffer value = {0};
    enum result r = index->ops->get(index->ctx, span_str(INDEX_KEY_PRUNED), &value, e);
    buffer_clear(&value);
    *pruned = r == RESULT_OK;
    return r == RESULT_NOT_FOUND ? RESULT_OK : r;
}

/* ---- locks ---- */

static struct prune_lock *find_lock(struct chain *c, const char *name)
{
    for (size_t i = 0; i < PRUNE_LOCKS; i++)
        if (c->prune_locks[i].name && !strcmp(c->prune_locks[i].name, name)) return &c->prune_locks[i];
    return NULL;
}

void chain_prune_lock(struct chain *c, const char *name, int32_t height)
{
    struct prune_lock *lock = find_lock(c, name);
    for (size_t i = 0; !lock && i < PRUNE_LOCKS; i++)
        if (!c->prune_locks[i].name) lock = &c->prune_locks[i];
    CHECK(lock != NULL);
    *lock = (struct prune_lock){.name = name, .height = height};
}

bool chain_prune_unlock(struct chain *c, const char *name)
{
    struct prune_lock *lock = find_lock(c, name);
    if (lock) *lock = (struct prune_lock){0};
    return lock != NULL;
}

void prune_locks_move_back(struct chain *c, int32_t height)
{
    for (size_t i = 0; i < PRUNE_LOCKS; i++) {
        struct prune_lock *lock = &c->prune_locks[i];
        if (!lock->name || lock->height <= height) continue;
        lock->height = height;
        log_debug(c->log, LOGC_PRUNE, "%s prune lock moved back to %d", lock->name, height);
    }
}

/* The highest block that the locks let go; -1: none. */
static int32_t limit_by_locks(const struct chain *c)
{
    int32_t last = chain_height(c);
    const char *name = NULL;
    for (size_t i = 0; i < PRUNE_LOCKS; i++) {
        const struct prune_lock *lock = &c->prune_locks[i];
        if (!lock->name) continue;
        int32_t below = lock->height - LOCK_DISTANCE - 1;
        if (below < 0) below = -1;
        if (below < last) last = below;
        if (last == below) name = lock->name;
    }
    if (name) log_debug(c->log, LOGC_PRUNE, "%s limited pruning to height %d", name, last);
    return last;
}

/* ---- which files ---- */

/* Files that go: a flag for each. */
struct prune_plan {
    bool *gone;
    size_t count;
    int32_t last; /* height up to which blocks may go; -1: none */
};

static void plan_new(struct prune_plan *p, const struct chain *c, int32_t height)
{
    int32_t last = limit_by_locks(c), keep = chain_height(c) - MIN_BLOCKS_TO_KEEP;
    if (last > height) last = height;
    if (last > keep) last = keep;
    *p = (struct prune_plan){.gone = mem_calloc(c->file_count, sizeof(bool)), .last = last > 0 ? last : -1};
}

/* The last file is being written to and stays. */
static bool may_go(const struct chain *c, const struct prune_plan *p, size_t file)
{
    const struct chain_file *f = &c->files[file];
    return file + 1 < c->file_count && f->size > 0 && (int64_t)f->height_last <= p->last;
}

static void plan_take(struct prune_plan *p, size_t file)
{
    p->gone[file] = true;
    p->count++;
}

static uint64_t chunk_bytes(const struct chain *c, uint32_t per_file)
{
    uint64_t chunk = c->options.max_file_bytes / per_file;
    return chunk ? chunk : 1;
}

/* Room to leave below the target: for the next chunks, and while catching up for all that is still to come, so that
 * each look deletes much and there are few of them. */
static uint64_t room_wanted(const struct chain *c)
{
    uint64_t room = chunk_bytes(c, CHUNKS_PER_FILE) + chunk_bytes(c, UNDO_CHUNKS_PER_FILE);
    const struct block_node *best = c->tree.best_header;
    if (c->initial_download && best && best->header.height > chain_height(c))
        room += (uint64_t)BLOCK_BYTES_GUESS * (uint64_t)(best->header.height - chain_height(c));
    return room;
}

static void plan_target(struct prune_plan *p, const struct chain *c)
{
    uint64_t used = chain_disk_bytes(c), target = c->options.prune_target;
    uint64_t room = chunk_bytes(c, CHUNKS_PER_FILE) + chunk_bytes(c, UNDO_CHUNKS_PER_FILE);
    if (used + room >= target) {
        room = room_wanted(c);
        for (size_t i = 0; i < c->file_count && used + room >= target; i++) {
            if (!may_go(c, p, i)) continue;
            plan_take(p, i);
            used -= (uint64_t)c->files[i].size + c->files[i].undo_size;
        }
    }
    log_debug(c->log, LOGC_PRUNE, "target=%lluMiB actual=%lluMiB max_prune_height=%d removed %zu blk/rev pairs",
              (unsigned long long)(target >> 20), (unsigned long long)(used >> 20), p->last, p->count);
}

/* ---- deleting ---- */

void prune_note_growth(struct chain *c, enum flat_kind kind, uint64_t from, uint64_t to)
{
    uint64_t chunk = chunk_bytes(c, kind == FLAT_BLOCKS ? CHUNKS_PER_FILE : UNDO_CHUNKS_PER_FILE);
    if ((from + chunk - 1) / chunk != (to + chunk - 1) / chunk) c->prune_due = true;
}

/* Whatever cannot be deleted now is looked for at the next start: the index does not count on it any more. */
static void remove_pair(struct chain *c, uint32_t number)
{
    const struct flat_store *s = &c->ports.files;
    struct error e = {0};
    bool ok = !s->ops->remove(s->ctx, FLAT_BLOCKS, number, &e) && !s->ops->remove(s->ctx, FLAT_UNDO, number, &e);
    if (ok)
        log_debug(c->log, LOGC_BLOCKSTORAGE, "Prune: deleted blk/rev (%05u)", number);
    else
        log_warning(c->log, "Prune: %s", e.text);
}

/* Makes tree and files such as if the blocks of the planned files had lost their data. */
static void forget_data(struct chain *c, const struct prune_plan *p)
{
    for (size_t i = 0; i < c->tree.count; i++) {
        struct block_node *n = c->tree.nodes[i];
        if (!(n->status & data_and_undo) || n->file >= c->file_count || !p->gone[n->file]) continue;
        n->status &= ~data_and_undo;
        n->file = n->data_pos = n->data_len = n->undo_pos = 0;
        n->dirty = true;
    }
    for (size_t i = 0; i < c->file_count; i++)
        if (p->gone[i]) c->files[i] = (struct chain_file){.dirty = true};
    c->have_pruned = true;
    c->complete = NULL;
}

/* First the coins, which may need any of the blocks to be brought forward after a crash; then an index that does not
 * count on the files; the files last. */
static enum result delete_planned(struct chain *c, const struct prune_plan *p, struct error *e)
{
    if (!p->count) return RESULT_OK;
    enum result r = chain_flush(c, false, e);
    if (r) return r;
    forget_data(c, p);
    r = index_write_dirty(c, e);
    for (size_t i = 0; !r && i < c->file_count; i++)
        if (p->gone[i]) remove_pair(c, (uint32_t)i);
    if (!r && c->options.check_index) chain_check_index(c);
    return r;
}

bool chain_prune_due(const struct chain *c)
{
    return c->prune_due && !c->reindexing && chain_is_pruned(c) && !chain_prunes_manually(c) && c->active_count > 0;
}

enum result chain_prune(struct chain *c, struct error *e)
{
    if (!chain_prune_due(c)) return RESULT_OK;
    c->prune_due = false;
    if ((uint64_t)chain_height(c) <= c->params.prune_after_height) return RESULT_OK;
    struct prune_plan p;
    plan_new(&p, c, chain_height(c));
    plan_target(&p, c);
    enum result r = delete_planned(c, &p, e);
    free(p.gone);
    return r;
}

enum result chain_prune_to(struct chain *c, int32_t height, struct error *e)
{
    CHECK(chain_is_pruned(c));
    if (height <= 0 || c->reindexing || c->active_count == 0) return RESULT_OK;
    struct prune_plan p;
    plan_new(&p, c, height);
    for (size_t i = 0; i < c->file_count; i++)
        if (may_go(c, &p, i)) plan_take(&p, i);
    log_info(c->log, "Prune (Manual): prune_height=%d removed %zu blk/rev pairs", p.last, p.count);
    enum result r = delete_planned(c, &p, e);
    free(p.gone);
    return r;
}

/* ---- at start-up ---- */

void prune_remove_leftovers(struct chain *c)
{
    const struct flat_store *s = &c->ports.files;
    uint64_t size;
    for (uint32_t i = 0; c->have_pruned && i + 1 < c->file_count; i++) {
        if (c->files[i].size) continue;
        bool gone =
            s->ops->size(s->ctx, FLAT_BLOCKS, i, &size, NULL) && s->ops->size(s->ctx, FLAT_UNDO, i, &size, NULL);
        if (!gone) remove_pair(c, i);
    }
}

enum result prune_before_reindex(struct chain *c, struct error *e)
{
    const struct flat_store *s = &c->ports.files;
    uint32_t blocks = s->ops->count(s->ctx, FLAT_BLOCKS), undo = s->ops->count(s->ctx, FLAT_UNDO), first = 0;
    uint64_t size;
    log_info(c->log, "Deleting the undo files, and the block files that a reindex of a pruned chain cannot use");
    while (first < blocks && !s->ops->size(s->ctx, FLAT_BLOCKS, first, &size, NULL)) first++;
    enum result r = RESULT_OK;
    for (uint32_t i = first; !r && i < blocks; i++) r = s->ops->remove(s->ctx, FLAT_BLOCKS, i, e);
    for (uint32_t i = 0; !r && i < undo; i++) r = s->ops->remove(s->ctx, FLAT_UNDO, i, e);
    return r;
}
