/* A crash of the whole machine: what was not synced to a flat file may be gone, file by file. The stores of keys sync
 * every batch; the block files are synced when it matters, and this is where it is seen. */
#include "trees.h"

/* Files as programs see them, and as the disk has them. */
struct lossy {
    struct flat_store live, durable;
};

static enum result lossy_read(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, uint8_t *out, size_t len,
                              struct error *e)
{
    struct lossy *l = ctx;
    return l->live.ops->read(l->live.ctx, kind, file, offset, out, len, e);
}

static enum result lossy_write(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, struct span data,
                               struct error *e)
{
    struct lossy *l = ctx;
    return l->live.ops->write(l->live.ctx, kind, file, offset, data, e);
}

/* Makes TO's file what FROM's is. */
static void copy_file(const struct flat_store *from, const struct flat_store *to, enum flat_kind kind, uint32_t file)
{
    uint64_t size;
    if (from->ops->size(from->ctx, kind, file, &size, NULL)) return;
    uint8_t *bytes = mem_alloc((size_t)size);
    cr_assert_eq(from->ops->read(from->ctx, kind, file, 0, bytes, (size_t)size, NULL), RESULT_OK);
    cr_assert_eq(to->ops->write(to->ctx, kind, file, 0, span_of(bytes, (size_t)size), NULL), RESULT_OK);
    cr_assert_eq(to->ops->sync(to->ctx, kind, file, size, true, NULL), RESULT_OK);
    free(bytes);
}

static enum result lossy_sync(void *ctx, enum flat_kind kind, uint32_t file, uint64_t size, bool finalize,
                              struct error *e)
{
    struct lossy *l = ctx;
    enum result r = l->live.ops->sync(l->live.ctx, kind, file, size, finalize, e);
    if (!r) copy_file(&l->live, &l->durable, kind, file);
    return r;
}

static enum result lossy_remove(void *ctx, enum flat_kind kind, uint32_t file, struct error *e)
{
    struct lossy *l = ctx;
    return l->live.ops->remove(l->live.ctx, kind, file, e);
}

static enum result lossy_size(void *ctx, enum flat_kind kind, uint32_t file, uint64_t *bytes, struct error *e)
{
    struct lossy *l = ctx;
    return l->live.ops->size(l->live.ctx, kind, file, bytes, e);
}

static uint32_t lossy_count(void *ctx, enum flat_kind kind)
{
    struct lossy *l = ctx;
    return l->live.ops->count(l->live.ctx, kind);
}

static const struct flat_ops lossy_ops = {.read = lossy_read,
                                          .write = lossy_write,
                                          .sync = lossy_sync,
                                          .remove = lossy_remove,
                                          .size = lossy_size,
                                          .count = lossy_count};

/* Takes each file from the disk or, by chance, as it was in memory. */
static void after_crash(const struct lossy *l, struct random *random, struct flat_store *out)
{
    for (int kind = FLAT_BLOCKS; kind <= FLAT_UNDO; kind++) {
        uint32_t count = l->live.ops->count(l->live.ctx, (enum flat_kind)kind);
        for (uint32_t i = 0; i < count; i++)
            copy_file(random_below(random, 3) ? &l->durable : &l->live, out, (enum flat_kind)kind, i);
    }
}

/* Runs until write N fails, loses what it may, opens again and finishes. False where N is beyond the last write. */
static bool run(struct tree *t, struct tree_block *a, struct tree_block *b, uint64_t n, uint64_t cache_bytes,
                const char *hash)
{
    static struct kit k, after;
    struct lossy lossy;
    struct error e = {0};
    kit_prepare(&k, CHAIN_REGTEST);
    k.options.check_index = false;
    k.options.cache_bytes = cache_bytes;
    k.options.max_file_bytes = 8192;
    kit_stores(&k);
    lossy.live = k.ports.files;
    memory_files_open(&lossy.durable, NULL);
    k.ports.files = (struct flat_store){&lossy_ops, &lossy};
    k.fault.fail_after = n;
    enum result r = kit_try_open(&k, &e);
    if (!r) r = kit_try_run(&k, NULL, NULL, NULL, &e);
    if (!r) r = tree_try_feed(&k, a, &e);
    if (!r) r = chain_flush(k.chain, false, &e);
    if (!r) r = tree_try_feed(&k, b, &e);
    if (!r) r = chain_flush(k.chain, true, &e);

    struct flat_store live = lossy.live;
    k.ports.files = live;
    kit_clone(&after, &k);
    memory_files_close(&after.ports.files);
    memory_files_open(&after.ports.files, &after.fault);
    after_crash(&lossy, &t->random, &after.ports.files);
    kit_free(&k);
    memory_files_close(&lossy.durable);

    kit_open(&after);
    kit_run(&after);
    bool ok;
    cr_assert_eq(chain_verify(after.chain, 4, 0, &ok, &e), RESULT_OK, "%s", e.text);
    cr_assert(ok, "after write %llu", (unsigned long long)n);
    tree_feed(&after, a);
    tree_feed(&after, b);
    kit_expect_hash(&after, hash);
    kit_free(&after);
    return r != RESULT_OK;
}

Test(chain_sync, machine_crashes, .timeout = 600)
{
    struct tree t;
    char hash[65];
    tree_init(&t, 41);
    struct tree_block *a = tree_grow(&t, t.blocks[0], 112), *b = tree_grow(&t, tree_back(a, 8), 10);
    tree_fresh_hash(&t, b, hash);
    uint64_t n = 1, seen = 0;
    for (; run(&t, a, b, n, 64 << 20, hash); n++) seen++;
    cr_assert_gt(seen, 200);
    for (n = 1; run(&t, a, b, n, 0, hash); n += 7) seen++;
    cr_assert_gt(seen, 260);
    tree_clear(&t);
}
