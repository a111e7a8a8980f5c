/* Keys and coins of the people in a world, and really signed payments (P2WPKH). Keys are known to everybody: they are
 * hashes of their owner's number. */
#ifndef CAIRN_LAB_WALLET_H
#define CAIRN_LAB_WALLET_H

#include "base/buffer.h"
#include "primitives/tx.h"

enum lab_owner {
    LAB_OWNER_ATTACKER,
    LAB_OWNER_ATTACKER_BACK, /* where it pays what it takes back */
    LAB_OWNER_MERCHANT,
    LAB_OWNER_CUSTOMER,
    LAB_OWNER_PUBLIC,
    LAB_OWNER_MINERS = 100, /* plus the node's number */
};

struct lab_coin {
    struct outpoint at;
    amount_sat value;
    uint32_t owner;
    bool spent;
};

struct lab_wallet {
    struct lab_coin *coins;
    size_t count, cap;
};

/* A transaction as bytes. */
struct lab_tx {
    struct buffer raw;
    struct txid txid;
    struct outpoint spends;
};

void lab_wallet_clear(struct lab_wallet *w);
void lab_wallet_add(struct lab_wallet *w, const struct outpoint *at, amount_sat value, uint32_t owner);
/* The first unspent coin of OWNER with at least this value (from the SKIP-th on, counted round), or NULL. */
struct lab_coin *lab_wallet_find(struct lab_wallet *w, uint32_t owner, amount_sat least, uint64_t skip);

/* Appends the script that pays to OWNER. */
void lab_owner_script(struct buffer *out, uint32_t owner);
void lab_owner_secret(uint8_t out[32], uint32_t owner);

/* Signs a payment of AMOUNT from COIN to OWNER; the rest less FEE goes back to the coin's owner. */
void lab_tx_make(struct lab_tx *out, const struct lab_coin *coin, uint32_t to, amount_sat amount, amount_sat fee);
void lab_tx_clear(struct lab_tx *tx);

#endif
