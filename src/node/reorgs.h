/* The last reorganisations: what was left, what was joined, and what became of each transaction that was thrown out.
 *
 * A reorganisation is what lies between two states at rest: the tip before and the tip after, where the second does not
 * descend from the first. Blocks that were tried on the way and failed do not count. An invalidateblock that only takes
 * blocks back is one as well. */
#ifndef CAIRN_NODE_REORGS_H
#define CAIRN_NODE_REORGS_H

#include "chain/chain.h"

struct mempool;
struct node;

enum {
    REORGS_KEPT = 100,             /* older ones drop out */
    REORG_TXS_KEPT = 10000,        /* of one: those nearest to the old tip */
    REORG_TXS_KEPT_TOTAL = 100000, /* of all: then the oldest lose their lists */
    REORG_INPUTS_KEPT = 200000,    /* looked at to find conflicts, of one */
    REORG_ALARM_BLOCKS = 144,      /* on top of the new tip, after which the warning ends */
};

/* What became of a transaction of the old branch, when the chain had come to rest. */
enum reorg_fate {
    REORG_MEMPOOL,    /* waits in the pool again */
    REORG_MINED,      /* is in the new branch as well */
    REORG_CONFLICTED, /* an input of it, or of one that it descends from, is spent by `conflict` of the new branch */
    REORG_DROPPED,    /* out for another reason: policy, time locks, what it spent does not exist any more */
    REORG_COINBASE,   /* the reward of a block that was thrown away */
    REORG_FATES
};

struct reorg_tx {
    struct txid txid;
    struct txid conflict; /* CONFLICTED: the transaction of the new branch; else null */
    int32_t height;       /* of its block in the old branch */
    enum reorg_fate fate;
};

struct reorg {
    uint64_t id;     /* 1 for the first since the node was opened, and so on */
    int64_t time_us; /* since 1970, mocked or real */
    struct block_hash old_tip, new_tip, fork;
    int32_t old_height, new_height, fork_height;
    uint32_t depth;            /* blocks thrown away */
    uint32_t connected;        /* blocks of the new branch up to the new tip */
    bool loading;              /* in the initial download or an import: depth and tips alone, no transactions */
    bool by_operator;          /* invalidateblock, reconsiderblock, preciousblock */
    bool alarm;                /* it was deeper than -reorgalarm and the owner was warned */
    uint64_t tx_count;         /* thrown out in all, coinbases among them; 0 where LOADING */
    size_t fates[REORG_FATES]; /* how many of TXS */
    struct reorg_tx *txs;      /* in the order of the old branch, lowest block first */
    size_t txs_kept;           /* length of TXS; less than TX_COUNT where there were too many, or 0 where it is old */
};

/* The last REORGS_KEPT ones, oldest first; good until the node's next call. An id that is higher than those seen so far
 * is new. */
const struct reorg *node_reorgs(const struct node *n, size_t *count);

/* "mempool", "mined", "conflicted", "dropped", "coinbase" */
const char *reorg_fate_name(enum reorg_fate fate);

/* Transactions that were confirmed before it and are not after it, rewards apart: payments reversed. */
uint64_t reorg_reversed(const struct reorg *o);

/* Where a transaction of a list is now. */
enum reorg_now { REORG_NOW_MEMPOOL, REORG_NOW_CONFIRMED, REORG_NOW_GONE };

/* *HEIGHT: of its block in the active chain where it is confirmed, else -1. */
enum reorg_now node_reorg_tx_now(const struct node *n, const struct reorg_tx *tx, int32_t *height);

/* ---- for the node itself ---- */

struct reorgs;

struct reorgs *reorgs_new(uint64_t hash_seed);
void reorgs_free(struct reorgs *r);

/* The chain is at rest at TIP (may be NULL) and may move now. LOADING: see struct reorg. */
void reorgs_begin(struct reorgs *r, const struct block_node *tip, bool loading);

/* One step of it. */
void reorgs_on_notice(struct reorgs *r, const struct notice *notice);

/* It is at rest again at TIP, and the pool has settled. The new reorganisation, or NULL; good until the next call. */
struct reorg *reorgs_end(struct reorgs *r, const struct block_node *tip, const struct mempool *pool, int64_t time_us);

/* The owner was warned of a reorganisation to a tip at HEIGHT. */
void reorgs_set_alarm(struct reorgs *r, int32_t height);

/* False once REORG_ALARM_BLOCKS were connected on top of the tip that the last alarm was about, or where there was
 * none. */
bool reorgs_alarm_holds(const struct reorgs *r, int32_t tip_height);

#endif
