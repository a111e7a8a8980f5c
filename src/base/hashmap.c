/* Open addressing with linear probing and backward-shift deletion. */
#include "base/hashmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/endian.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ 0xa0761d6478bd642fu ^ (uint64_t)len;
    for (; len >= 8; p += 8, len -= 8) h = mix(h ^ get_le64(p), 0xe7037ed1a0b428dbu ^ seed);
    uint64_t tail = 0;
    for (size_t i = 0; i < len; i++) tail |= (uint64_t)p[i] << (8 * i);
    return mix(h ^ tail, 0x8ebc6af09c88c6e3u ^ seed);
}

void hashmap_init(struct hashmap *m, size_t key_offset, size_t key_len, uint64_t seed)
{
    *m = (struct hashmap){.key_offset = key_offset, .key_len = key_len, .seed = seed};
}

void hashmap_clear(struct hashmap *m)
{
    free(m->slots);
    m->slots = NULL;
    m->cap = m->count = 0;
}

static const void *key_of(const struct hashmap *m, const void *item)
{
    return (const char *)item + m->key_offset;
}

static size_t home_of(const struct hashmap *m, const void *key)
{
    return (size_t)hash_bytes(m->seed, key, m->key_len) & (m->cap - 1);
}

/* The slot that holds KEY, or the free one where it would go. */
static size_t hashmap_find(const struct hashmap *m, const void *key)
{
    size_t i = home_of(m, key);
    while (m->slots[i] && memcmp(key_of(m, m->slots[i]), key, m->key_len)) i = (i + 1) & (m->cap - 1);
    return i;
}

void *hashmap_get(const struct hashmap *m, const void *key)
{
    return m->cap ? m->slots[hashmap_find(m, key)] : NULL;
}

static void hashmap_grow(struct hashmap *m)
{
    void **old = m->slots;
    size_t old_cap = m->cap;
    m->cap = old_cap ? old_cap * 2 : 16;
    m->slots = mem_calloc(m->cap, sizeof(*m->slots));
    for (size_t i = 0; i < old_cap; i++) {
        if (!old[i]) continue;
        /* All keys differ: what is in the way need not be looked at. */
        size_t to = home_of(m, key_of(m, old[i]));
        while (m->slots[to]) to = (to + 1) & (m->cap - 1);
        m->slots[to] = old[i];
    }
    free(old);
}

void hashmap_put(struct hashmap *m, void *item)
{
    if ((m->count + 1) * 3 > m->cap * 2) hashmap_grow(m);
    size_t i = hashmap_find(m, key_of(m, item));
    CHECK(!m->slots[i]);
    m->slots[i] = item;
    m->count++;
}

void *hashmap_del(struct hashmap *m, const void *key)
{
    if (!m->cap) return NULL;
    size_t hole = hashmap_find(m, key);
    void *item = m->slots[hole];
    if (!item) return NULL;
    m->count--;
    size_t mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i]; i = (i + 1) & mask) {
        size_t home = home_of(m, key_of(m, m->slots[i]));
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = NULL;
    return item;
}

void *hashmap_next(const struct hashmap *m, size_t *at)
{
    while (*at < m->cap) {
        void *item = m->slots[(*at)++];
        if (item) return item;
    }
    return NULL;
}
