/* A pool on a regtest chain in memory, with coins of one key to spend, for tests of acceptance. */
#ifndef CAIRN_TEST_UNIT_MEMPOOL_ACCEPT_KIT_H
#define CAIRN_TEST_UNIT_MEMPOOL_ACCEPT_KIT_H

#include "crypto/secp.h"
#include "mempool/mempool_internal.h"
#include "script/script.h"
#include "script/sign.h"
#include "support/block_maker.h"
#include "support/chain_kit.h"

enum {
    AK_BLOCKS = 130,       /* mined at the start */
    AK_COINS = 8,          /* outputs of each coinbase */
    AK_OUTPUTS_MAX = 4096, /* known */
    AK_FEE = 2000,
};

/* An output that somebody may spend, though it is not in the chain. */
struct ak_known {
    struct outpoint at;
    struct tx_out out;
};

struct ak {
    struct kit kit;
    struct mempool_options options;
    struct mempool *pool;
    struct sign_keys keys;
    struct arena arena;
    uint8_t script[25];  /* p2pkh of the one key */
    uint8_t witness[22]; /* p2wpkh of it */
    struct ak_known known[AK_OUTPUTS_MAX];
    size_t known_count;
    size_t next; /* which of the coinbases' outputs ak_coin gives */
    int32_t tag; /* makes each block its own */
    struct mempool_outcome out;
    struct verdict verdict;
};

struct ak_in {
    struct outpoint at;
    uint32_t sequence; /* 0: final less 2 */
};

struct ak_out {
    amount_sat value;
    struct span script; /* empty: the key's */
};

/* What a transaction is made of; zeroes are replaced by what is usual. */
struct ak_tx {
    int32_t version; /* 2 */
    uint32_t lock_time;
    const struct ak_in *in;
    size_t in_count;
    const struct ak_out *out;
    size_t out_count;
    bool unsigned_; /* no signatures */
};

void ak_open(struct ak *k, void (*change)(struct mempool_options *options));
void ak_close(struct ak *k);

/* The pool is thrown away; a new one with these options. */
void ak_new_pool(struct ak *k);

/* An output of a mature coinbase that nobody had from here yet; its value. */
struct ak_in ak_coin(struct ak *k, amount_sat *value);

struct tx *ak_make(struct ak *k, const struct ak_tx *from);
/* From one coin of the chain to OUTPUTS equal ones, paying FEE. */
struct tx *ak_pay(struct ak *k, size_t outputs, amount_sat fee);
/* From output INDEX of PARENT to OUTPUTS equal ones. */
struct tx *ak_child(struct ak *k, const struct tx *parent, uint32_t index, size_t outputs, amount_sat fee);
/* The same with a version. */
struct tx *ak_child_of_version(struct ak *k, int32_t version, const struct tx *parent, uint32_t index, size_t outputs,
                               amount_sat fee);

/* TX written out and read again after it was changed by hand. */
struct tx *ak_again(struct ak *k, const struct tx *tx);

/* What would be spent by TX. */
struct tx_out *ak_spent(struct ak *k, const struct tx *tx);

/* Mines TXS on the tip (the pool is told). */
void ak_mine(struct ak *k, struct tx *const *txs, size_t count);

/* Judges, with the outcome in k->out and the verdict in k->verdict; the pool is checked. */
void ak_accept(struct ak *k, const struct tx *tx, unsigned flags);
void ak_good(struct ak *k, const struct tx *tx, unsigned flags);
/* DETAIL may be NULL: any. */
void ak_bad(struct ak *k, const struct tx *tx, enum verdict_kind kind, const char *reason, const char *detail);

#endif
