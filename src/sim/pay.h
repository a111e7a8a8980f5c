/* The wallets of the virtual network: one list of coins that anybody may spend, and of all payments that anybody made.
 * Users give payments to nodes at random, conflicting ones to several, on both sides of a partition where there is one;
 * afterwards they hand in again what is not settled, as users do. */
#ifndef CAIRN_SIM_PAY_H
#define CAIRN_SIM_PAY_H

#include "base/hashmap.h"
#include "base/random.h"
#include "primitives/tx.h"

struct sim;
struct sim_node;

enum { SIM_LOCK = 11, SIM_PAY_INPUTS = 3, SIM_PAY_OUTPUTS = 12, SIM_PAY_PRIVATE_MAX = 20, SIM_PAY_LEAST = 100000 };

/* A witness script that is like no other and asks for nothing. */
struct sim_lock {
    uint8_t script[SIM_LOCK];
};

struct sim_coin {
    struct outpoint at;
    amount_sat value;
    struct sim_lock lock;
    int32_t ripe; /* a coinbase: the height of the first block that may spend it; else 0 */
};

struct sim_payment {
    struct txid txid; /* first: the key */
    struct wtxid wtxid;
    struct buffer raw;
    struct sim_coin spends[SIM_PAY_INPUTS];
    size_t spend_count;
    bool confirmed, dead; /* in the chain of the last look: there, or no longer possible */
    bool is_probe;        /* one that nobody hands in again, so far */
};

struct sim_wallet {
    struct sim_coin *coins;
    size_t coin_count, coin_cap;
    struct sim_payment **payments; /* parents first */
    size_t count, cap;
    struct hashmap by_txid;
    uint32_t locks;              /* that were made */
    unsigned conflicts;          /* pairs given to two nodes */
    unsigned round;              /* of handing in again */
    size_t unsettled;            /* at the last look ... */
    struct block_hash looked_at; /* ... which was at this tip ... */
    size_t looked_count;         /* ... when there were so many payments */
    int64_t probe_us;            /* when it was made */
    struct sim_payment *probe;
    bool probe_arrived; /* one did, everywhere, by relay alone */
};

void sim_wallet_init(struct sim *s);
void sim_wallet_clear(struct sim *s);

struct sim_lock sim_lock_new(struct sim *s, uint32_t tag);
/* Appends the output script that wants it (P2WSH). */
void sim_lock_script_pubkey(struct buffer *out, const struct sim_lock *lock);
void sim_wallet_add(struct sim *s, const struct sim_coin *coin);
/* Any coin that a block on the best chain may spend, as far as its age goes; NULL: chance met none. */
const struct sim_coin *sim_coin_any(struct sim *s);

/* Appends a transaction of COUNT coins into OUTPUTS new ones of VALUE each, whose locks go to LOCKS (may be NULL). */
void sim_pay_write(struct sim *s, struct buffer *out, const struct sim_coin *coins, size_t count,
                   struct sim_lock *locks, size_t outputs, amount_sat value);
/* A payment of COUNT coins into OUTPUTS new ones, and its fee; it and what it makes are in the lists. */
struct sim_payment *sim_pay_make(struct sim *s, const struct sim_coin *coins, size_t count, size_t outputs,
                                 amount_sat fee);
amount_sat sim_pay_fee(struct sim *s);
/* Any payment at all; NULL: there is none. */
struct sim_payment *sim_pay_any(struct sim *s);

/* What a miner puts into a block besides what is in its pool: at most MAX payments that nobody else has seen. FEES is
 * added to. */
size_t sim_pay_privately(struct sim_node *n, struct sim_payment **out, size_t max, amount_sat *fees);

/* A user pays (EV_PAY). */
void sim_pay_event(struct sim *s);
/* After the faults, once a minute (EV_SETTLE). */
void sim_settle_event(struct sim *s);
/* Each payment is in the chain or can never be, no pool has any, and a payment reached all nodes by relay. */
bool sim_pay_settled(const struct sim *s);

/* What must hold of a node's pool at any time. */
void sim_check_pool(struct sim_node *n);

#endif
