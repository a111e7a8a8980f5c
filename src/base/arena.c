/* Bump allocation in chunks that double up to 1 MiB. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"

enum { ARENA_ALIGN = 16, ARENA_FIRST = 4096, ARENA_MAX = 1 << 20 };

struct arena_chunk {
    struct arena_chunk *older;
    size_t used;
    size_t size;
    _Alignas(16) unsigned char data[];
};

static struct arena_chunk *arena_add_chunk(struct arena *a, size_t need)
{
    size_t size = a->chunk ? a->chunk->size * 2 : ARENA_FIRST;
    if (size > ARENA_MAX) size = ARENA_MAX;
    if (size < need) size = need;
    struct arena_chunk *c = mem_alloc(sizeof(*c) + size);
    *c = (struct arena_chunk){.older = a->chunk, .size = size};
    a->chunk = c;
    a->bytes += sizeof(*c) + size;
    return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
    CHECK(size <= SIZE_MAX / 2);
    size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct arena_chunk *c = a->chunk;
    if (!c || c->size - c->used < size) c = arena_add_chunk(a, size);
    void *p = c->data + c->used;
    c->used += size;
    return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    CHECK(size == 0 || count <= SIZE_MAX / 2 / size);
    return arena_alloc(a, count * size);
}

static void arena_free_from(struct arena *a, struct arena_chunk *c)
{
    while (c) {
        struct arena_chunk *older = c->older;
        a->bytes -= sizeof(*c) + c->size;
        free(c);
        c = older;
    }
}

void arena_clear(struct arena *a)
{
    arena_free_from(a, a->chunk);
    a->chunk = NULL;
}

void arena_reset(struct arena *a)
{
    if (!a->chunk) return;
    arena_free_from(a, a->chunk->older);
    a->chunk->older = NULL;
    a->chunk->used = 0;
}
