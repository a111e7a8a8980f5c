/* The coins' cache from inside: an open-addressing table of references into slabs of records. Only coins*.c include
 * this. */
#ifndef CAIRN_CHAIN_COINS_TABLE_H
#define CAIRN_CHAIN_COINS_TABLE_H

#include "base/check.h"
#include "chain/coins.h"
#include "script/script.h"

enum coin_flags {
    COIN_FRESH = 1, /* the store has no unspent coin here */
    COIN_DIRTY = 2, /* the store must be told */
    COIN_SPENT = 4, /* no coin (the record stays until the store knows): dirty, never fresh */
};

/* One cached outpoint with its coin. */
struct coin_record {
    struct outpoint at; /* its first bytes link free and pending records */
    coin_origin origin;
    amount_sat value;
    uint32_t script_len : 24;
    uint32_t flags : 8; /* of enum coin_flags */
    uint8_t script[];
};

/* Slabs: chunks cut into granules. A reference counts granules from the first chunk's start and is never 0. */
enum {
    COIN_GRANULE = 8,
    COIN_CHUNK_BITS = 15, /* log2 of a chunk's granules */
    COIN_CHUNK_GRANULES = 1 << COIN_CHUNK_BITS,
    COIN_CHUNK_BYTES = COIN_CHUNK_GRANULES * COIN_GRANULE,
    COIN_CHUNKS_MAX = 1 << (32 - COIN_CHUNK_BITS),
    COIN_RECORD_HEAD = (int)offsetof(struct coin_record, script),
    COIN_CLASSES = (COIN_RECORD_HEAD + MAX_SCRIPT_SIZE + COIN_GRANULE - 1) / COIN_GRANULE + 1,
};

struct coin_slab {
    uint8_t **chunks;
    size_t chunk_count, chunk_cap;
    uint32_t used;               /* granules of the last chunk handed out */
    uint32_t free[COIN_CLASSES]; /* free records by their size in granules, linked; 0 ends */
    uint32_t pending;            /* records that go at the end of the block */
};

/* REF 0: empty. HASH's low bits are the home of the entry. */
struct coin_slot {
    uint32_t hash;
    uint32_t ref;
};

struct coins_fetch; /* one look-up of coins_prefetch */

struct coins {
    struct kv_store store;
    bool store_empty; /* known to hold no coin: it need not be asked */
    struct workers *workers;
    uint64_t k0, k1; /* SipHash key */
    struct coin_slot *slots;
    size_t cap; /* power of two */
    size_t count, dirty;
    struct coin_slab slab;
    struct buffer value, script; /* scratch of look-ups */
    struct coins_fetch *fetches; /* kept for their buffers */
    size_t fetch_cap;
};

static inline struct coin_record *coins_record(const struct coins *c, uint32_t ref)
{
    uint8_t *chunk = c->slab.chunks[ref >> COIN_CHUNK_BITS];
    return (struct coin_record *)(void *)(chunk + (size_t)(ref & (COIN_CHUNK_GRANULES - 1)) * COIN_GRANULE);
}

/* Asks for the memory of a record; REF may be 0. */
static inline void coins_warm_record(const struct coins *c, uint32_t ref)
{
    if (!ref) return;
    const char *record = (const char *)coins_record(c, ref);
    __builtin_prefetch(record);
    __builtin_prefetch(record + COIN_RECORD_HEAD);
}

static inline struct coin coin_of(const struct coin_record *r)
{
    return (struct coin){.value = r->value, .origin = r->origin, .script_pubkey = span_of(r->script, r->script_len)};
}

/* Granules of a record with a script of LEN bytes. */
static inline uint32_t coin_granules(size_t len)
{
    return (uint32_t)((COIN_RECORD_HEAD + len + COIN_GRANULE - 1) / COIN_GRANULE);
}

void coins_table_init(struct coins *c);
void coins_table_clear(struct coins *c);

/* Where an outpoint is in the table, or would go. Good until the next change of the table. */
struct coin_place {
    size_t slot;
    uint32_t hash;
};

struct coin_place coins_place(const struct coins *c, const struct outpoint *at);

/* The record at a place, spent or not; NULL where none is cached. */
static inline struct coin_record *coins_at(const struct coins *c, struct coin_place place)
{
    uint32_t ref = c->slots[place.slot].ref;
    return ref ? coins_record(c, ref) : NULL;
}

/* Both in one. */
struct coin_record *coins_find(const struct coins *c, const struct outpoint *at);

/* Adds a record at its place; there must be none. COIN may be NULL with COIN_SPENT. */
struct coin_record *coins_insert(struct coins *c, struct coin_place place, const struct outpoint *at,
                                 const struct coin *coin, unsigned flags);

/* Puts COIN in the place of the record that is there; the old one goes at the end of the block. */
void coins_replace(struct coins *c, struct coin_place place, const struct coin *coin, unsigned flags);

/* Takes the record out of the table; its bytes go at the end of the block. */
void coins_remove(struct coins *c, struct coin_place place);

/* The same, but its bytes go at once. */
void coins_remove_now(struct coins *c, struct coin_place place);

/* Sets the flags and keeps the count of dirty records. */
void coins_set_flags(struct coins *c, struct coin_record *r, unsigned flags);

/* Returns the pending records to the free lists. */
void coins_release_pending(struct coins *c);

/* ---- the store's records (coins_iter.c) ---- */

enum { COIN_KEY_MAX = 1 + 32 + 5, COIN_KEY_PREFIX = 'C', COIN_STATE_KEY = 'B' };

/* 'C', txid, and the index in a big-endian form whose order is the numbers' order; returns the length. */
size_t coin_key_write(uint8_t out[COIN_KEY_MAX], const struct outpoint *at);
MUST_USE bool coin_key_read(struct outpoint *at, struct span key);

/* Reads one coin from the store into COIN; VALUE and SCRIPT are emptied and used. Thread-safe. */
enum result coin_load(struct kv_store store, const struct outpoint *at, struct coin *coin, struct buffer *value,
                      struct buffer *script, struct error *e);

/* Frees what coins_prefetch keeps. */
void coins_fetches_free(struct coins *c);

#endif
