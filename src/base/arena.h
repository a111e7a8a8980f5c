/* An arena: many small allocations with one end. Used for what is parsed out of one block or one request. */
#ifndef CAIRN_BASE_ARENA_H
#define CAIRN_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunk; /* newest; NULL until the first allocation */
    size_t bytes;              /* memory held, chunk headers included */
};

/* An empty arena is all zeroes. */

/* SIZE bytes aligned to 16, uninitialised, good until arena_clear or arena_reset. Never NULL. */
void *arena_alloc(struct arena *a, size_t size);

/* COUNT elements of SIZE bytes, uninitialised; an overflow of the product stops the process. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size);

/* Frees everything. */
void arena_clear(struct arena *a);

/* Forgets everything but keeps the newest chunk for reuse. */
void arena_reset(struct arena *a);

#endif
