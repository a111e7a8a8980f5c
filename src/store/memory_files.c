/* The flat files' port in memory. */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "store/memory_fault.h"

enum { KINDS = 2 };

struct memory_file {
    struct buffer data;
    bool exists;
};

struct memory_files {
    pthread_rwlock_t lock;
    struct memory_file *files[KINDS];
    size_t count[KINDS], cap[KINDS];
    struct memory_fault *fault;
};

static struct memory_file *find_file(const struct memory_files *m, enum flat_kind kind, uint32_t file)
{
    return file < m->count[kind] && m->files[kind][file].exists ? &m->files[kind][file] : NULL;
}

static enum result no_file(struct error *e, enum flat_kind kind, uint32_t file)
{
    return error_set(e, RESULT_NOT_FOUND, "there is no file %s%05u.dat", kind == FLAT_BLOCKS ? "blk" : "rev", file);
}

static enum result files_read(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, uint8_t *out, size_t len,
                              struct error *e)
{
    struct memory_files *m = ctx;
    enum result result = RESULT_OK;
    pthread_rwlock_rdlock(&m->lock);
    const struct memory_file *f = find_file(m, kind, file);
    if (!f)
        result = no_file(e, kind, file);
    else if (offset > f->data.len || len > f->data.len - offset)
        result = error_set(e, RESULT_CORRUPT, "file %u ends before byte %llu", file, (unsigned long long)offset + len);
    else if (len)
        memcpy(out, f->data.data + offset, len);
    pthread_rwlock_unlock(&m->lock);
    return result;
}

static struct memory_file *make_file(struct memory_files *m, enum flat_kind kind, uint32_t file)
{
    size_t old = m->count[kind];
    if (file >= old) {
        m->files[kind] = mem_grow(m->files[kind], &m->cap[kind], (size_t)file + 1, sizeof(struct memory_file));
        memset(m->files[kind] + old, 0, (file + 1 - old) * sizeof(struct memory_file));
        m->count[kind] = (size_t)file + 1;
    }
    m->files[kind][file].exists = true;
    return &m->files[kind][file];
}

static void put_at(struct buffer *b, uint64_t offset, struct span data)
{
    if (offset + data.len > b->len) {
        size_t gap = (size_t)offset + data.len - b->len;
        memset(buffer_extend(b, gap), 0, gap);
    }
    if (data.len) memcpy(b->data + offset, data.data, data.len);
}

/* A write that fails may leave its first half, as a disk does. */
static enum result files_write(void *ctx, enum flat_kind kind, uint32_t file, uint64_t offset, struct span data,
                               struct error *e)
{
    struct memory_files *m = ctx;
    pthread_rwlock_wrlock(&m->lock);
    enum result result = memory_fault_write(m->fault, e);
    if (result == RESULT_OK)
        put_at(&make_file(m, kind, file)->data, offset, data);
    else if (memory_fault_torn(m->fault))
        put_at(&make_file(m, kind, file)->data, offset, span_of(data.data, data.len / 2));
    pthread_rwlock_unlock(&m->lock);
    return result;
}

static enum result files_sync(void *ctx, enum flat_kind kind, uint32_t file, uint64_t size, bool finalize,
                              struct error *e)
{
    struct memory_files *m = ctx;
    pthread_rwlock_wrlock(&m->lock);
    struct memory_file *f = find_file(m, kind, file);
    enum result result = f ? memory_fault_write(m->fault, e) : no_file(e, kind, file);
    if (result == RESULT_OK && finalize) {
        if (size > f->data.len)
            put_at(&f->data, size, span_of(NULL, 0));
        else
            f->data.len = (size_t)size;
    }
    pthread_rwlock_unlock(&m->lock);
    return result;
}

static enum result files_remove(void *ctx, enum flat_kind kind, uint32_t file, struct error *e)
{
    struct memory_files *m = ctx;
    pthread_rwlock_wrlock(&m->lock);
    enum result result = memory_fault_write(m->fault, e);
    struct memory_file *f = find_file(m, kind, file);
    if (result == RESULT_OK && f) {
        buffer_clear(&f->data);
        f->exists = false;
    }
    pthread_rwlock_unlock(&m->lock);
    return result;
}

static enum result files_size(void *ctx, enum flat_kind kind, uint32_t file, uint64_t *bytes, struct error *e)
{
    struct memory_files *m = ctx;
    pthread_rwlock_rdlock(&m->lock);
    const struct memory_file *f = find_file(m, kind, file);
    if (f) *bytes = f->data.len;
    pthread_rwlock_unlock(&m->lock);
    return f ? RESULT_OK : no_file(e, kind, file);
}

static uint32_t files_count(void *ctx, enum flat_kind kind)
{
    struct memory_files *m = ctx;
    pthread_rwlock_rdlock(&m->lock);
    size_t count = m->count[kind];
    while (count > 0 && !m->files[kind][count - 1].exists) count--;
    pthread_rwlock_unlock(&m->lock);
    return (uint32_t)count;
}

static const struct flat_ops memory_ops = {
    .read = files_read,
    .write = files_write,
    .sync = files_sync,
    .remove = files_remove,
    .size = files_size,
    .count = files_count,
};

void memory_files_open(struct flat_store *out, struct memory_fault *fault)
{
    struct memory_files *m = mem_calloc(1, sizeof(*m));
    pthread_rwlock_init(&m->lock, NULL);
    m->fault = fault;
    *out = (struct flat_store){.ops = &memory_ops, .ctx = m};
}

void memory_files_clone(struct flat_store *out, const struct flat_store *s, struct memory_fault *fault)
{
    struct memory_files *from = s->ctx;
    memory_files_open(out, fault);
    pthread_rwlock_rdlock(&from->lock);
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < from->count[kind]; i++)
            if (from->files[kind][i].exists)
                put_at(&make_file(out->ctx, kind, (uint32_t)i)->data, 0, buffer_span(&from->files[kind][i].data));
    pthread_rwlock_unlock(&from->lock);
}

void memory_files_close(struct flat_store *s)
{
    struct memory_files *m = s->ctx;
    *s = (struct flat_store){0};
    if (!m) return;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < m->count[kind]; i++) buffer_clear(&m->files[kind][i].data);
        free(m->files[kind]);
    }
    pthread_rwlock_destroy(&m->lock);
    free(m);
}
