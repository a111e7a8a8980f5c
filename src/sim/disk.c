/* Disks that lose what was not synced. */
#include "sim/disk.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "store/memory_fault.h"

/* ---- databases: the store in memory, with a copy at each point to which a crash may take it back ---- */

static void drop_snapshots(struct sim_kv *k)
{
    for (size_t i = 0; i < k->snapshot_count; i++) memory_store_close(&k->snapshots[i]);
    k->snapshot_count = 0;
}

static void add_snapshot(struct sim_kv *k)
{
    k->snapshots = mem_grow(k->snapshots, &k->snapshot_cap, k->snapshot_count + 1, sizeof(*k->snapshots));
    memory_store_clone(&k->snapshots[k->snapshot_count++], &k->store, NULL);
}

static enum result kv_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    struct sim_kv *k = ctx;
    return k->store.ops->get(k->store.ctx, key, value, e);
}

static void *kv_batch_new(void *ctx)
{
    struct sim_kv *k = ctx;
    return k->store.ops->batch_new(k->store.ctx);
}

static enum result kv_batch_write(void *ctx, void *batch, bool sync, struct error *e)
{
    struct sim_kv *k = ctx;
    if (!sync && !k->safe) add_snapshot(k);
    enum result r = k->store.ops->batch_write(k->store.ctx, batch, sync, e);
    if (sync && !r && !k->safe) {
        drop_snapshots(k);
        add_snapshot(k);
    }
    return r;
}

static void *kv_iter_new(void *ctx)
{
    struct sim_kv *k = ctx;
    return k->store.ops->iter_new(k->store.ctx);
}

static uint64_t kv_disk_bytes(void *ctx)
{
    struct sim_kv *k = ctx;
    return k->store.ops->disk_bytes(k->store.ctx);
}

static void kv_open(struct sim_kv *k, struct memory_fault *fault)
{
    *k = (struct sim_kv){.fault = fault};
    memory_store_open(&k->store, fault);
    k->ops = *k->store.ops; /* batches and iterators, which do not know their store, are the inner one's */
    k->ops.get = kv_get;
    k->ops.batch_new = kv_batch_new;
    k->ops.batch_write = kv_batch_write;
    k->ops.iter_new = kv_iter_new;
    k->ops.disk_bytes = kv_disk_bytes;
    add_snapshot(k);
}

static void kv_close(struct sim_kv *k)
{
    drop_snapshots(k);
    free(k->snapshots);
    memory_store_close(&k->store);
    *k = (struct sim_kv){0};
}

/* Back to one of the snapshots, or not at all. */
static void kv_lose_power(struct sim_kv *k, struct random *random)
{
    size_t keep = (size_t)random_below(random, k->snapshot_count + 1);
    struct kv_store left;
    memory_store_clone(&left, keep < k->snapshot_count ? &k->snapshots[keep] : &k->store, k->fault);
    drop_snapshots(k);
    memory_store_close(&k->store);
    k->store = left;
    add_snapshot(k);
}

/* ---- files ---- */

static struct sim_file *find_file(struct sim_files *m, enum flat_kind kind, uint32_t file)
{
    if (file >= m->count[kind] || !m->files[kind][file].exists) return NULL;
    return &m->files[kind][file];
}

static enum result no_file(struct error *e, enum flat_kind kind, uint32_t file)
{
    return error_set(e, RESULT_NOT_FOUND, "there is no file %s%05u.dat", kind == FLAT_BLOCKS ? "blk" : "rev", file);
}

static enum result files_read(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, uint8_t *out, size_t len,
                              struct error *e)
{
    const struct sim_file *f = find_file(ctx, kind, file);
    if (!f) return no_file(e, kind, file);
    if (offset > f->now.len || len > f->now.len - offset)
        return error_set(e, RESULT_CORRUPT, "file %u ends before byte %llu", file, (unsigned long long)offset + len);
    if (len) memcpy(out, f->now.data + offset, len);
    return RESULT_OK;
}

static void put_at(struct buffer *b, uint64_t offset, struct span data)
{
    if (offset + data.len > b->len) {
        size_t gap = (size_t)offset + data.len - b->len;
        memset(buffer_extend(b, gap), 0, gap);
    }
    if (data.len) memcpy(b->data + offset, data.data, data.len);
}

static struct sim_file *make_file(struct sim_files *m, enum flat_kind kind, uint32_t file)
{
    size_t old = m->count[kind];
    if (file >= old) {
        m->files[kind] = mem_grow(m->files[kind], &m->cap[kind], (size_t)file + 1, sizeof(struct sim_file));
        memset(m->files[kind] + old, 0, (file + 1 - old) * sizeof(struct sim_file));
        m->count[kind] = (size_t)file + 1;
    }
    m->files[kind][file].exists = true;
    return &m->files[kind][file];
}

static void write_noted(const struct sim_files *m, struct sim_file *f, uint64_t offset, struct span data)
{
    put_at(&f->now, offset, data);
    if (m->safe) return;
    f->writes = mem_grow(f->writes, &f->write_cap, f->write_count + 1, sizeof(*f->writes));
    f->writes[f->write_count++] = (struct sim_write){offset, data.len};
}

static enum result files_write(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, struct span data,
                               struct error *e)
{
    struct sim_files *m = ctx;
    enum result result = memory_fault_write(m->fault, e);
    if (result == RESULT_OK)
        write_noted(m, make_file(m, kind, file), offset, data);
    else if (memory_fault_torn(m->fault))
        write_noted(m, make_file(m, kind, file), offset, span_of(data.data, data.len / 2));
    return result;
}

/* What WRITE put into the file, as far as it is there still. */
static struct span written(const struct sim_file *f, const struct sim_write *write)
{
    if (write->offset >= f->now.len) return span_of(NULL, 0);
    size_t left = f->now.len - (size_t)write->offset;
    return span_of(f->now.data + write->offset, write->len < left ? write->len : left);
}

static void make_durable(struct sim_file *f)
{
    for (size_t i = 0; i < f->write_count; i++) put_at(&f->durable, f->writes[i].offset, written(f, &f->writes[i]));
    if (f->durable.len > f->now.len) f->durable.len = f->now.len;
    f->write_count = 0;
    f->durable_exists = f->exists;
}

static enum result files_sync(void *ctx, enum flat_kind kind, uint32_t file, uint64_t size, bool finalize,
                              struct error *e)
{
    struct sim_files *m = ctx;
    struct sim_file *f = find_file(m, kind, file);
    if (!f) return no_file(e, kind, file);
    enum result result = memory_fault_write(m->fault, e);
    if (result) return result;
    if (finalize && size < f->now.len) f->now.len = (size_t)size;
    if (finalize && size > f->now.len) put_at(&f->now, size, span_of(NULL, 0));
    if (!m->safe) make_durable(f);
    return RESULT_OK;
}

/* A removal is durable at once: the harder case, since the index may know of the file still. */
static enum result files_remove(void *ctx, enum flat_kind kind, uint32_t file, struct error *e)
{
    struct sim_files *m = ctx;
    enum result result = memory_fault_write(m->fault, e);
    struct sim_file *f = find_file(m, kind, file);
    if (result || !f) return result;
    buffer_clear(&f->now);
    buffer_clear(&f->durable);
    f->write_count = 0;
    f->exists = f->durable_exists = false;
    return RESULT_OK;
}

static enum result files_size(void *ctx, enum flat_kind kind, uint32_t file, uint64_t *bytes, struct error *e)
{
    const struct sim_file *f = find_file(ctx, kind, file);
    if (!f) return no_file(e, kind, file);
    *bytes = f->now.len;
    return RESULT_OK;
}

static uint32_t files_count(void *ctx, enum flat_kind kind)
{
    struct sim_files *m = ctx;
    size_t count = m->count[kind];
    while (count > 0 && !m->files[kind][count - 1].exists) count--;
    return (uint32_t)count;
}

static void file_lose_power(struct sim_file *f, struct random *random)
{
    if (!f->write_count) return;
    for (size_t i = 0; i < f->write_count; i++) {
        struct span data = written(f, &f->writes[i]);
        uint64_t fate = random_below(random, 4);
        if (fate == 0) continue;
        if (fate == 1) data.len = (size_t)random_below(random, data.len + 1);
        put_at(&f->durable, f->writes[i].offset, data);
        f->durable_exists = true;
    }
    f->exists = f->durable_exists;
    f->now.len = 0;
    buffer_put_span(&f->now, buffer_span(&f->durable));
    f->write_count = 0;
}

static void files_close(struct sim_files *m)
{
    for (int kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < m->count[kind]; i++) {
            buffer_clear(&m->files[kind][i].now);
            buffer_clear(&m->files[kind][i].durable);
            free(m->files[kind][i].writes);
        }
        free(m->files[kind]);
    }
    *m = (struct sim_files){0};
}

/* ---- all of it ---- */

void sim_disk_open(struct sim_disk *d)
{
    *d = (struct sim_disk){0};
    kv_open(&d->index, &d->fault);
    kv_open(&d->coins, &d->fault);
    d->files.fault = &d->fault;
}

void sim_disk_close(struct sim_disk *d)
{
    kv_close(&d->index);
    kv_close(&d->coins);
    files_close(&d->files);
    for (int i = 0; i < SMALL_FILES; i++) buffer_clear(&d->small[i]);
}

void sim_disk_make_safe(struct sim_disk *d)
{
    drop_snapshots(&d->index);
    drop_snapshots(&d->coins);
    d->index.safe = d->coins.safe = d->files.safe = true;
}

static void kv_copy(struct sim_kv *out, const struct sim_kv *from)
{
    memory_store_close(&out->store);
    memory_store_clone(&out->store, &from->store, out->fault);
}

void sim_disk_copy(struct sim_disk *out, const struct sim_disk *from)
{
    sim_disk_open(out);
    sim_disk_make_safe(out);
    kv_copy(&out->index, &from->index);
    kv_copy(&out->coins, &from->coins);
    for (unsigned kind = 0; kind < 2; kind++) {
        for (size_t i = 0; i < from->files.count[kind]; i++) {
            const struct sim_file *f = &from->files.files[kind][i];
            if (f->exists)
                buffer_put_span(&make_file(&out->files, (enum flat_kind)kind, (uint32_t)i)->now, buffer_span(&f->now));
        }
    }
    for (int i = 0; i < SMALL_FILES; i++) buffer_put_span(&out->small[i], buffer_span(&from->small[i]));
}

void sim_disk_lose_power(struct sim_disk *d, struct random *random)
{
    CHECK(!d->index.safe);
    kv_lose_power(&d->index, random);
    kv_lose_power(&d->coins, random);
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < d->files.count[kind]; i++) file_lose_power(&d->files.files[kind][i], random);
}

void sim_disk_set_fault(struct sim_disk *d, uint64_t after, enum result result, bool apply_torn)
{
    d->fault.fail_after = after;
    d->fault.result = result;
    d->fault.apply_torn = apply_torn;
}

size_t sim_disk_memory(const struct sim_disk *d)
{
    size_t bytes = 0;
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < d->files.count[kind]; i++)
            bytes += d->files.files[kind][i].now.cap + d->files.files[kind][i].durable.cap;
    for (int i = 0; i < SMALL_FILES; i++) bytes += d->small[i].cap;
    bytes += (size_t)d->index.store.ops->disk_bytes(d->index.store.ctx);
    return bytes + (size_t)d->coins.store.ops->disk_bytes(d->coins.store.ctx);
}

struct chain_ports sim_disk_ports(struct sim_disk *d)
{
    static const struct flat_ops file_ops = {.read = files_read,
                                             .write = files_write,
                                             .sync = files_sync,
                                             .remove = files_remove,
                                             .size = files_size,
                                             .count = files_count};
    return (struct chain_ports){.index = {.ops = &d->index.ops, .ctx = &d->index},
                                .coins = {.ops = &d->coins.ops, .ctx = &d->coins},
                                .files = {.ops = &file_ops, .ctx = &d->files}};
}
