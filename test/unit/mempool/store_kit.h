/* A pool over a chain of genesis alone whose coins are made at will, filled through its store: no acceptance judges. */
#ifndef CAIRN_TEST_UNIT_MEMPOOL_STORE_KIT_H
#define CAIRN_TEST_UNIT_MEMPOOL_STORE_KIT_H

#include "mempool/mempool_internal.h"
#include "support/chain_kit.h"

struct sk {
    struct kit kit;
    struct mempool_options options; /* of the next sk_new_pool */
    struct mempool *m;
    struct arena arena;
    struct hashmap txs; /* all that were made */
    uint32_t coins;
    struct log log;
    struct buffer text; /* the log's lines */
};

/* What a transaction is made of. */
struct sk_tx {
    int32_t version; /* 0: 2 */
    const struct outpoint *in;
    size_t in_count;
    size_t out_count; /* 0: 1; the inputs less the fee, in equal parts, the last with what remains */
    amount_sat fee;
    size_t pad; /* bytes of a further output */
};

void sk_open(struct sk *k);
void sk_close(struct sk *k);
void sk_new_pool(struct sk *k);

/* A new coin of the chain. */
struct outpoint sk_coin(struct sk *k, amount_sat value);
struct outpoint sk_out(const struct tx *tx, uint32_t index);

struct tx *sk_make(struct sk *k, const struct sk_tx *from);
/* From one outpoint to one output. */
struct tx *sk_move(struct sk *k, struct outpoint in, amount_sat fee);

/* What an output that was made here, or a coin of the chain, is worth. */
amount_sat sk_value(struct sk *k, const struct outpoint *at);

/* An entry for TX that is not in the pool. */
struct mempool_entry *sk_entry(struct sk *k, const struct tx *tx);
/* Into the pool; NULL where it does not fit. */
struct mempool_entry *sk_try(struct sk *k, const struct tx *tx);
struct mempool_entry *sk_add(struct sk *k, const struct tx *tx);
struct mempool_entry *sk_add_move(struct sk *k, struct outpoint in, amount_sat fee);

/* TXS are in a block: coins change, and the pool loses them. */
void sk_mine(struct sk *k, const struct tx *const *txs, size_t count);

/* The log has a line with TEXT since the last look. */
bool sk_logged(struct sk *k, const char *text);

#endif
