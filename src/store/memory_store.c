/* The key-value port in memory: a sorted array of entries. Iterators and clones share the array and the entries; a
 * writer copies an array that somebody else still reads. */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "store/memory_fault.h"

struct entry {
    uint32_t refs; /* atomic */
    uint32_t key_len, value_len;
    uint8_t bytes[]; /* key, value */
};

struct table {
    uint32_t refs; /* atomic */
    size_t count, cap;
    struct entry **entries; /* in order of their keys */
};

struct memory_store {
    pthread_rwlock_t lock; /* of TABLE, the pointer and what it points to while it is not shared */
    struct table *table;
    struct memory_fault *fault;
};

static struct span key_of(const struct entry *entry)
{
    return span_of(entry->bytes, entry->key_len);
}

static struct span value_of(const struct entry *entry)
{
    return span_of(entry->bytes + entry->key_len, entry->value_len);
}

static int compare(struct span a, struct span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static struct entry *entry_new(struct span key, struct span value)
{
    struct entry *entry = mem_alloc(sizeof(*entry) + key.len + value.len);
    *entry = (struct entry){.refs = 1, .key_len = (uint32_t)key.len, .value_len = (uint32_t)value.len};
    if (key.len) memcpy(entry->bytes, key.data, key.len);
    if (value.len) memcpy(entry->bytes + key.len, value.data, value.len);
    return entry;
}

static void entry_unref(struct entry *entry)
{
    if (__atomic_sub_fetch(&entry->refs, 1, __ATOMIC_ACQ_REL) == 0) free(entry);
}

static struct table *table_ref(struct table *t)
{
    __atomic_fetch_add(&t->refs, 1, __ATOMIC_RELAXED);
    return t;
}

static void table_unref(struct table *t)
{
    if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
    for (size_t i = 0; i < t->count; i++) entry_unref(t->entries[i]);
    free(t->entries);
    free(t);
}

static struct table *table_new(void)
{
    struct table *t = mem_calloc(1, sizeof(*t));
    t->refs = 1;
    return t;
}

/* The table as only we see it. */
static void make_own(struct memory_store *s)
{
    struct table *old = s->table;
    if (__atomic_load_n(&old->refs, __ATOMIC_ACQUIRE) == 1) return;
    struct table *t = table_new();
    t->entries = mem_grow(t->entries, &t->cap, old->count, sizeof(struct entry *));
    t->count = old->count;
    for (size_t i = 0; i < t->count; i++) {
        t->entries[i] = old->entries[i];
        __atomic_fetch_add(&t->entries[i]->refs, 1, __ATOMIC_RELAXED);
    }
    s->table = t;
    table_unref(old);
}

/* Index of the first entry that is not below KEY. */
static size_t lower_bound(const struct table *t, struct span key)
{
    size_t from = 0, to = t->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare(key_of(t->entries[middle]), key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static bool has_key_at(const struct table *t, size_t i, struct span key)
{
    return i < t->count && span_equal(key_of(t->entries[i]), key);
}

/* ---- batches --------------------------------------------------------------------------------------------------- */

struct change {
    struct entry *entry;
    size_t order;
    bool del;
};

struct batch {
    struct change *changes;
    size_t count, cap;
};

static void *store_batch_new(void *ctx)
{
    (void)ctx;
    return mem_calloc(1, sizeof(struct batch));
}

static void batch_add(struct batch *b, struct span key, struct span value, bool del)
{
    b->changes = mem_grow(b->changes, &b->cap, b->count + 1, sizeof(*b->changes));
    b->changes[b->count] = (struct change){.entry = entry_new(key, value), .order = b->count, .del = del};
    b->count++;
}

static void store_batch_put(void *batch, struct span key, struct span value)
{
    batch_add(batch, key, value, false);
}

static void store_batch_del(void *batch, struct span key)
{
    batch_add(batch, key, span_of(NULL, 0), true);
}

static void batch_empty(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) entry_unref(b->changes[i].entry);
    b->count = 0;
}

static void store_batch_free(void *batch)
{
    struct batch *b = batch;
    batch_empty(b);
    free(b->changes);
    free(b);
}

static int by_key(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    int order = compare(key_of(x->entry), key_of(y->entry));
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Merges the sorted batch into a new array; of changes to one key the last one holds. */
static void merge(struct table *t, struct batch *b)
{
    size_t cap = 0, count = 0, i = 0, k = 0;
    struct entry **merged = mem_grow(NULL, &cap, t->count + b->count + 1, sizeof(struct entry *));
    while (i < t->count || k < b->count) {
        int order = k == b->count   ? -1
                    : i == t->count ? 1
                                    : compare(key_of(t->entries[i]), key_of(b->changes[k].entry));
        if (order < 0) {
            merged[count++] = t->entries[i++];
            continue;
        }
        if (order == 0) entry_unref(t->entries[i++]);
        while (k + 1 < b->count && span_equal(key_of(b->changes[k].entry), key_of(b->changes[k + 1].entry))) k++;
        struct change *last = &b->changes[k++];
        if (last->del) continue;
        __atomic_fetch_add(&last->entry->refs, 1, __ATOMIC_RELAXED);
        merged[count++] = last->entry;
    }
    free(t->entries);
    *t = (struct table){.refs = t->refs, .count = count, .cap = cap, .entries = merged};
}

static enum result store_batch_write(void *ctx, void *batch, bool sync, struct error *e)
{
    struct memory_store *s = ctx;
    struct batch *b = batch;
    (void)sync;
    pthread_rwlock_wrlock(&s->lock);
    enum result result = memory_fault_write(s->fault, e);
    if (result == RESULT_OK || memory_fault_torn(s->fault)) {
        make_own(s);
        if (b->count > 1) qsort(b->changes, b->count, sizeof(*b->changes), by_key);
        merge(s->table, b);
    }
    pthread_rwlock_unlock(&s->lock);
    batch_empty(b);
    return result;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static enum result store_get(void *ctx, struct span key, struct buffer *value, struct error *e)
{
    struct memory_store *s = ctx;
    (void)e;
    value->len = 0;
    pthread_rwlock_rdlock(&s->lock);
    size_t i = lower_bound(s->table, key);
    bool found = has_key_at(s->table, i, key);
    if (found) buffer_put_span(value, value_of(s->table->entries[i]));
    pthread_rwlock_unlock(&s->lock);
    return found ? RESULT_OK : RESULT_NOT_FOUND;
}

struct store_iter {
    struct table *table;
    size_t at;
};

static void *store_iter_new(void *ctx)
{
    struct memory_store *s = ctx;
    struct store_iter *it = mem_calloc(1, sizeof(*it));
    pthread_rwlock_wrlock(&s->lock);
    it->table = table_ref(s->table);
    pthread_rwlock_unlock(&s->lock);
    return it;
}

static void store_iter_seek(void *iter, struct span key)
{
    struct store_iter *it = iter;
    it->at = lower_bound(it->table, key);
}

static bool store_iter_next(void *iter, struct span *key, struct span *value)
{
    struct store_iter *it = iter;
    if (it->at >= it->table->count) return false;
    const struct entry *entry = it->table->entries[it->at++];
    *key = key_of(entry);
    *value = value_of(entry);
    return true;
}

static enum result store_iter_result(void *iter, struct error *e)
{
    (void)iter;
    (void)e;
    return RESULT_OK;
}

static void store_iter_free(void *iter)
{
    struct store_iter *it = iter;
    table_unref(it->table);
    free(it);
}

static uint64_t store_disk_bytes(void *ctx)
{
    struct memory_store *s = ctx;
    uint64_t bytes = 0;
    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->table->count; i++)
        bytes += (uint64_t)s->table->entries[i]->key_len + s->table->entries[i]->value_len;
    pthread_rwlock_unlock(&s->lock);
    return bytes;
}

static const struct kv_ops memory_ops = {
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

static void open_with(struct kv_store *out, struct table *table, struct memory_fault *fault)
{
    struct memory_store *s = mem_calloc(1, sizeof(*s));
    pthread_rwlock_init(&s->lock, NULL);
    s->table = table;
    s->fault = fault;
    *out = (struct kv_store){.ops = &memory_ops, .ctx = s};
}

void memory_store_open(struct kv_store *out, struct memory_fault *fault)
{
    open_with(out, table_new(), fault);
}

void memory_store_clone(struct kv_store *out, const struct kv_store *s, struct memory_fault *fault)
{
    struct memory_store *from = s->ctx;
    pthread_rwlock_wrlock(&from->lock);
    struct table *table = table_ref(from->table);
    pthread_rwlock_unlock(&from->lock);
    open_with(out, table, fault);
}

void memory_store_close(struct kv_store *s)
{
    struct memory_store *m = s->ctx;
    *s = (struct kv_store){0};
    if (!m) return;
    table_unref(m->table);
    pthread_rwlock_destroy(&m->lock);
    free(m);
}
