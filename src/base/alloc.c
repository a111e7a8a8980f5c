/* Allocation that stops the process instead of failing. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void *mem_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    CHECK(p != NULL);
    return p;
}

void *mem_calloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    CHECK(p != NULL);
    return p;
}

void *mem_realloc(void *old, size_t count, size_t size)
{
    CHECK(size == 0 || count <= SIZE_MAX / size);
    size_t bytes = count * size;
    void *p = realloc(old, bytes ? bytes : 1);
    CHECK(p != NULL);
    return p;
}

void *mem_dup(const void *data, size_t len)
{
    void *p = mem_alloc(len);
    if (len) memcpy(p, data, len);
    return p;
}

char *mem_strdup(const char *text)
{
    return mem_dup(text, strlen(text) + 1);
}

void *mem_grow(void *items, size_t *cap, size_t needed, size_t size)
{
    if (needed <= *cap) return items;
    size_t want = *cap ? *cap : 8;
    while (want < needed) {
        CHECK(want <= SIZE_MAX / 2);
        want *= 2;
    }
    *cap = want;
    return mem_realloc(items, want, size);
}
