/* A chain with all indexes, fed the way the node feeds them. */
#ifndef CAIRN_TEST_INDEX_INDEXED_H
#define CAIRN_TEST_INDEX_INDEXED_H

#include "index/index.h"
#include "support/chain_kit.h"

struct indexed {
    struct kit kit;
    struct kv_store tx_store, stats_store, filter_store;
    struct tx_index *txs;
    struct coin_stats_index *stats;
    struct filter_index *filters;
};

/* The chain and its indexes, new. Must stay where it is. */
void indexed_new(struct indexed *x, enum chain_type type);

/* Opens the indexes on the open chain; they take its notices from now on, where they are synced. */
void indexed_open(struct indexed *x);

/* Closes the indexes without a word. */
void indexed_close(struct indexed *x);
void indexed_free(struct indexed *x);

/* Catches up in slices of SLICE blocks; returns how many slices it took. */
size_t indexed_catch_up(struct indexed *x, unsigned slice);

/* The numbers after the block at HEIGHT of the active chain. */
struct coin_stats indexed_stats(struct indexed *x, int32_t height);

/* A whole scan of the coins, COINS at a time. */
struct coin_scan_result indexed_scan(struct indexed *x, enum coin_hash hash, unsigned coins);

/* Index and scan agree about the coins at the tip. */
void indexed_compare(struct indexed *x);

/* Every transaction of the active chain but the genesis coinbase is found in its block. */
void indexed_find_all(struct indexed *x);

/* Every block of the active chain has the filter that is made of it, and the headers are chained. */
void indexed_check_filters(struct indexed *x);

/* HASH is what display order says. */
void expect_hash(const uint8_t hash[32], const char *display);

#endif
