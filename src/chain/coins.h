/* The coins: the set of unspent outputs, a LevelDB store under an open-addressing cache.
 *
 * Cached coins lie packed in slabs; entries carry fresh (not in the store), dirty (differs from the store) and spent
 * marks, so that a coin made and spent between two flushes never reaches the disk. Spans handed out stay good until
 * coins_end_block or a flush: a whole block's inputs can be held while its scripts are verified. */
#ifndef CAIRN_CHAIN_COINS_H
#define CAIRN_CHAIN_COINS_H

#include "chain/coin_codec.h"
#include "chain/ports.h"
#include "primitives/block.h"

struct coins;

/* SEED keys the table's hash. STORE must outlive the coins. */
struct coins *coins_new(struct kv_store store, struct workers *workers, uint64_t seed);
void coins_free(struct coins *c);

/* The block whose chain state the store holds. A flush that was cut short leaves `next` too: the store is somewhere
 * between the two. The chain brings it forward: it undoes and does the blocks between them anew with coins_erase and
 * coins_add (overwriting), whatever of that the store holds already, and flushes at `next`. */
struct coins_state {
    struct block_hash best; /* null: empty store */
    struct block_hash next; /* null: the store is consistent at `best` */
};
enum result coins_read_state(struct coins *c, struct coins_state *out, struct error *e);

/* Finds an unspent coin. RESULT_NOT_FOUND where there is none. */
MUST_USE enum result coins_get(struct coins *c, const struct outpoint *at, struct coin *out, struct error *e);

/* The same; *LOADED tells that it was not cached until now, so that coins_uncache may forget it again. */
MUST_USE enum result coins_get_loaded(struct coins *c, const struct outpoint *at, struct coin *out, bool *loaded,
                                      struct error *e);

/* An unspent coin is in the cache; the store is not asked. */
bool coins_is_cached(const struct coins *c, const struct outpoint *at);

/* Forgets a cached coin that is the same in the store (else nothing): who looked at it for a transaction that came to
 * nothing leaves no trace. Unlike other spans, those of this coin are gone at once. */
void coins_uncache(struct coins *c, const struct outpoint *at);

/* The same, and spends it. */
MUST_USE enum result coins_spend(struct coins *c, const struct outpoint *at, struct coin *out, struct error *e);

/* Adds a coin. OVERWRITE: it may replace an unspent one (BIP30's two exceptions, disconnecting, recovery); without it
 * the caller has made sure that there is none (a coin whose txid is new), and it is taken for fresh. */
void coins_add(struct coins *c, const struct outpoint *at, const struct coin *coin, bool overwrite);

/* Removes a coin if it is there, without reading the store (recovery: it may or may not be in it). */
void coins_erase(struct coins *c, const struct outpoint *at);

/* True where any of COUNT outpoints is unspent (BIP30): looks each one up, in the store on the workers. */
MUST_USE enum result coins_any_unspent(struct coins *c, const struct outpoint *at, size_t count, bool *any,
                                       struct error *e);

/* Loads what is missing of COUNT outpoints from the store, in parallel on the workers. */
enum result coins_prefetch(struct coins *c, const struct outpoint *at, size_t count, struct error *e);

/* Asks for the memory where these outpoints are or would go, so that the waits overlap: best for some dozens that are
 * looked up or added at once afterwards. Changes nothing. */
enum { COINS_WARM = 32 };
void coins_warm(const struct coins *c, const struct outpoint *at, size_t count);

/* The block is done: spans handed out before may go. */
void coins_end_block(struct coins *c);

/* Memory that the cache holds, bytes (table and slabs, as allocated). */
size_t coins_memory(const struct coins *c);
/* Entries in the cache, and how many of them are dirty. */
size_t coins_cached(const struct coins *c);
size_t coins_dirty(const struct coins *c);

/* Writes everything dirty in sorted batches: first a marker {best, next}, the batches, at last the marker {next}. With
 * DROP the cache is empty afterwards, else clean entries stay. A failure leaves the cache as it was (the flush can be
 * tried again) and the store recoverable. */
enum result coins_flush(struct coins *c, const struct block_hash *best, bool drop, struct error *e);

/* During recovery, where the store's state is {best, next} already: writes everything dirty and leaves the state as it
 * is. Recovery may run again from the start after it, however often it is cut short. */
enum result coins_write_back(struct coins *c, bool drop, struct error *e);

/* Forgets everything that was not written: the cache is empty, and the coins are those of the last flush. Spans handed
 * out before are gone. */
void coins_discard(struct coins *c);

/* Iterates over the store (flush first): coins in order of txid bytes, then output index. */
struct coins_iter;
struct coins_iter *coins_iter_new(struct coins *c);
/* False at the end or on failure (*RESULT tells). Spans are good until the next call. */
bool coins_iter_next(struct coins_iter *it, struct outpoint *at, struct coin *out, enum result *result,
                     struct error *e);
void coins_iter_free(struct coins_iter *it);

uint64_t coins_disk_bytes(const struct coins *c);

/* Recomputes every invariant of the cache; stops the process where one fails. For tests. */
void coins_check(const struct coins *c);

#endif
