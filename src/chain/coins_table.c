/* The coins' table and slabs: linear probing with backward-shift deletion over records cut from large chunks. */
#include "chain/coins_table.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/siphash.h"

enum { TABLE_CAP_MIN = 1024 };

static uint32_t outpoint_hash(const struct coins *c, const struct outpoint *at)
{
    return (uint32_t)siphash13uj_hash_u64(c->k0, c->k1, at->txid.bytes, at->index);
}

/* ---- slabs ----------------------------------------------------------------------------------------------------- */

/* Free and pending records keep the reference of the next one in their first bytes. */
static void set_link(struct coin_record *r, uint32_t next)
{
    memcpy(r, &next, sizeof(next));
}

static uint32_t get_link(const struct coin_record *r)
{
    uint32_t next;
    memcpy(&next, r, sizeof(next));
    return next;
}

static void slab_free(struct coins *c, uint32_t ref, uint32_t granules)
{
    set_link(coins_record(c, ref), c->slab.free[granules]);
    c->slab.free[granules] = ref;
}

/* What is left of the last chunk becomes one free record, too small for anybody where it is below a record's head. */
static void slab_new_chunk(struct coins *c)
{
    struct coin_slab *s = &c->slab;
    if (s->chunk_count > 0 && s->used < COIN_CHUNK_GRANULES)
        slab_free(c, (uint32_t)((s->chunk_count - 1) << COIN_CHUNK_BITS) + s->used, COIN_CHUNK_GRANULES - s->used);
    CHECK(s->chunk_count < COIN_CHUNKS_MAX);
    s->chunks = mem_grow(s->chunks, &s->chunk_cap, s->chunk_count + 1, sizeof(*s->chunks));
    s->chunks[s->chunk_count++] = mem_alloc(COIN_CHUNK_BYTES);
    s->used = s->chunk_count == 1; /* reference 0 means nothing */
}

static uint32_t slab_alloc(struct coins *c, uint32_t granules)
{
    struct coin_slab *s = &c->slab;
    uint32_t ref = s->free[granules];
    if (ref) {
        s->free[granules] = get_link(coins_record(c, ref));
        return ref;
    }
    if (s->chunk_count == 0 || granules > COIN_CHUNK_GRANULES - s->used) slab_new_chunk(c);
    ref = (uint32_t)((s->chunk_count - 1) << COIN_CHUNK_BITS) + s->used;
    s->used += granules;
    return ref;
}

static void slab_free_later(struct coins *c, uint32_t ref)
{
    set_link(coins_record(c, ref), c->slab.pending);
    c->slab.pending = ref;
}

void coins_release_pending(struct coins *c)
{
    uint32_t ref = c->slab.pending;
    while (ref) {
        const struct coin_record *r = coins_record(c, ref);
        uint32_t next = get_link(r);
        slab_free(c, ref, coin_granules(r->script_len));
        ref = next;
    }
    c->slab.pending = 0;
}

static void slab_clear(struct coin_slab *s)
{
    for (size_t i = 0; i < s->chunk_count; i++) free(s->chunks[i]);
    free(s->chunks);
    *s = (struct coin_slab){0};
}

/* ---- table ----------------------------------------------------------------------------------------------------- */

void coins_table_init(struct coins *c)
{
    c->cap = TABLE_CAP_MIN;
    c->slots = mem_calloc(c->cap, sizeof(*c->slots));
    c->count = c->dirty = 0;
}

void coins_table_clear(struct coins *c)
{
    free(c->slots);
    c->slots = NULL;
    c->cap = c->count = c->dirty = 0;
    slab_clear(&c->slab);
}

/* The slot that holds this outpoint, or the free one where it would go. */
static size_t find_slot(const struct coins *c, const struct outpoint *at, uint32_t hash)
{
    size_t mask = c->cap - 1, i = hash & mask;
    for (; c->slots[i].ref; i = (i + 1) & mask)
        if (c->slots[i].hash == hash && !memcmp(&coins_record(c, c->slots[i].ref)->at, at, sizeof(*at))) break;
    return i;
}

struct coin_place coins_place(const struct coins *c, const struct outpoint *at)
{
    uint32_t hash = outpoint_hash(c, at);
    return (struct coin_place){.slot = find_slot(c, at, hash), .hash = hash};
}

struct coin_record *coins_find(const struct coins *c, const struct outpoint *at)
{
    return coins_at(c, coins_place(c, at));
}

/* The first free slot from the home of HASH on. */
static size_t free_slot(const struct coins *c, uint32_t hash)
{
    size_t mask = c->cap - 1, i = hash & mask;
    while (c->slots[i].ref) i = (i + 1) & mask;
    return i;
}

static void table_grow(struct coins *c)
{
    struct coin_slot *old = c->slots;
    size_t old_cap = c->cap;
    c->cap = old_cap * 2;
    c->slots = mem_calloc(c->cap, sizeof(*c->slots));
    for (size_t k = 0; k < old_cap; k++)
        if (old[k].ref) c->slots[free_slot(c, old[k].hash)] = old[k];
    free(old);
}

static uint32_t record_new(struct coins *c, const struct outpoint *at, const struct coin *coin, unsigned flags)
{
    size_t len = coin ? coin->script_pubkey.len : 0;
    CHECK(len <= MAX_SCRIPT_SIZE);
    uint32_t ref = slab_alloc(c, coin_granules(len));
    struct coin_record *r = coins_record(c, ref);
    r->at = *at;
    r->origin = coin ? coin->origin : 0;
    r->value = coin ? coin->value : 0;
    r->script_len = (uint32_t)len;
    r->flags = (uint8_t)flags;
    if (len) memcpy(r->script, coin->script_pubkey.data, len);
    return ref;
}

struct coin_record *coins_insert(struct coins *c, struct coin_place place, const struct outpoint *at,
                                 const struct coin *coin, unsigned flags)
{
    CHECK(!c->slots[place.slot].ref);
    if ((c->count + 1) * 4 > c->cap * 3) {
        table_grow(c);
        place.slot = free_slot(c, place.hash);
    }
    uint32_t ref = record_new(c, at, coin, flags);
    c->slots[place.slot] = (struct coin_slot){.hash = place.hash, .ref = ref};
    c->count++;
    c->dirty += (flags & COIN_DIRTY) != 0;
    return coins_record(c, ref);
}

void coins_replace(struct coins *c, struct coin_place place, const struct coin *coin, unsigned flags)
{
    uint32_t old = c->slots[place.slot].ref;
    CHECK(old);
    struct outpoint at = coins_record(c, old)->at;
    coins_set_flags(c, coins_record(c, old), flags);
    c->slots[place.slot].ref = record_new(c, &at, coin, flags);
    slab_free_later(c, old);
}

/* Closes the gap that an entry leaves; returns its record. */
static uint32_t take_out(struct coins *c, struct coin_place place)
{
    size_t hole = place.slot, mask = c->cap - 1;
    uint32_t ref = c->slots[hole].ref;
    CHECK(ref);
    c->dirty -= (coins_record(c, ref)->flags & COIN_DIRTY) != 0;
    c->count--;
    for (size_t i = (hole + 1) & mask; c->slots[i].ref; i = (i + 1) & mask) {
        size_t home = c->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        c->slots[hole] = c->slots[i];
        hole = i;
    }
    c->slots[hole] = (struct coin_slot){0};
    return ref;
}

void coins_remove(struct coins *c, struct coin_place place)
{
    slab_free_later(c, take_out(c, place));
}

void coins_remove_now(struct coins *c, struct coin_place place)
{
    uint32_t ref = take_out(c, place);
    slab_free(c, ref, coin_granules(coins_record(c, ref)->script_len));
}

void coins_set_flags(struct coins *c, struct coin_record *r, unsigned flags)
{
    c->dirty -= (r->flags & COIN_DIRTY) != 0;
    c->dirty += (flags & COIN_DIRTY) != 0;
    r->flags = (uint8_t)flags;
}

/* A look-up is mostly two waits for memory, the slot and the record: here those of many overlap. */
void coins_warm(const struct coins *c, const struct outpoint *at, size_t count)
{
    uint32_t hashes[COINS_WARM];
    for (size_t from = 0; from < count; from += COINS_WARM) {
        size_t n = count - from < COINS_WARM ? count - from : COINS_WARM;
        for (size_t i = 0; i < n; i++) {
            hashes[i] = outpoint_hash(c, &at[from + i]);
            __builtin_prefetch(&c->slots[hashes[i] & (c->cap - 1)]);
        }
        for (size_t i = 0; i < n; i++) coins_warm_record(c, c->slots[hashes[i] & (c->cap - 1)].ref);
    }
}

size_t coins_memory(const struct coins *c)
{
    const struct coin_slab *s = &c->slab;
    /* References are 32 bits wide: a cache that nears their end asks for a flush, whatever the limit is. */
    if (s->chunk_count > COIN_CHUNKS_MAX - COIN_CHUNKS_MAX / 16) return SIZE_MAX;
    return sizeof(*c) + c->cap * sizeof(*c->slots) + s->chunk_cap * sizeof(*s->chunks) +
           s->chunk_count * (size_t)COIN_CHUNK_BYTES;
}

/* ---- invariants ------------------------------------------------------------------------------------------------ */

/* Granules on a list; every record on it has CLASS granules where that is not 0. */
static size_t list_granules(const struct coins *c, uint32_t ref, uint32_t class)
{
    size_t sum = 0, guard = c->slab.chunk_count * (size_t)COIN_CHUNK_GRANULES;
    for (; ref; ref = get_link(coins_record(c, ref))) {
        sum += class ? class : coin_granules(coins_record(c, ref)->script_len);
        CHECK(sum <= guard);
    }
    return sum;
}

static void check_slab(const struct coins *c, size_t live)
{
    const struct coin_slab *s = &c->slab;
    size_t sum = live + list_granules(c, s->pending, 0);
    for (uint32_t k = 1; k < COIN_CLASSES; k++) sum += list_granules(c, s->free[k], k);
    if (s->chunk_count == 0) {
        CHECK(sum == 0);
        return;
    }
    CHECK(sum + 1 + (COIN_CHUNK_GRANULES - s->used) == s->chunk_count * (size_t)COIN_CHUNK_GRANULES);
}

void coins_check(const struct coins *c)
{
    size_t count = 0, dirty = 0, live = 0;
    for (size_t i = 0; i < c->cap; i++) {
        if (!c->slots[i].ref) continue;
        const struct coin_record *r = coins_record(c, c->slots[i].ref);
        count++;
        dirty += (r->flags & COIN_DIRTY) != 0;
        live += coin_granules(r->script_len);
        CHECK(c->slots[i].hash == outpoint_hash(c, &r->at));
        CHECK(find_slot(c, &r->at, c->slots[i].hash) == i);
        CHECK(!(r->flags & (COIN_FRESH | COIN_SPENT)) || r->flags & COIN_DIRTY);
        CHECK((r->flags & (COIN_FRESH | COIN_SPENT)) != (COIN_FRESH | COIN_SPENT));
        CHECK(r->script_len <= MAX_SCRIPT_SIZE);
    }
    CHECK(count == c->count && dirty == c->dirty && count * 4 <= c->cap * 3);
    check_slab(c, live);
}
