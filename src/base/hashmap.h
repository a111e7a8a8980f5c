/* A hash map from fixed-size keys to pointers. The key lies inside the item at a fixed offset; the map owns neither. */
#ifndef CAIRN_BASE_HASHMAP_H
#define CAIRN_BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashmap {
    void **slots; /* open addressing, linear probing; NULL is free */
    size_t cap;   /* a power of two, or 0 */
    size_t count;
    size_t key_offset;
    size_t key_len;
    uint64_t seed;
};

/* A keyed hash of LEN bytes: fast, good against accidents and, with a secret SEED, against chosen keys. */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t len);

/* Items hold their key of KEY_LEN bytes at KEY_OFFSET. */
void hashmap_init(struct hashmap *m, size_t key_offset, size_t key_len, uint64_t seed);
void hashmap_clear(struct hashmap *m);

/* The item with this key, or NULL. */
void *hashmap_get(const struct hashmap *m, const void *key);

/* Adds ITEM; its key must not be there yet. */
void hashmap_put(struct hashmap *m, void *item);

/* Takes the item with this key out and returns it, or NULL. */
void *hashmap_del(struct hashmap *m, const void *key);

/* Walks all items: start with *AT = 0; NULL at the end. The map must not change meanwhile. */
void *hashmap_next(const struct hashmap *m, size_t *at);

#endif
