/* Memory that is either there or stops the process: no caller handles a failed allocation. */
#ifndef CAIRN_BASE_ALLOC_H
#define CAIRN_BASE_ALLOC_H

#include <stddef.h>

/* SIZE bytes, uninitialised; free with free(). Never NULL, also for size 0. */
void *mem_alloc(size_t size);

/* COUNT elements of SIZE bytes, zeroed; an overflow of the product stops the process. */
void *mem_calloc(size_t count, size_t size);

/* As realloc for COUNT elements of SIZE bytes; never NULL. */
void *mem_realloc(void *old, size_t count, size_t size);

/* A copy of LEN bytes. */
void *mem_dup(const void *data, size_t len);

/* A copy of a NUL-terminated string. */
char *mem_strdup(const char *text);

/* Grows *ITEMS (elements of SIZE bytes) so that it holds at least NEEDED; doubles *CAP. Returns the new block. */
void *mem_grow(void *items, size_t *cap, size_t needed, size_t size);

#endif
