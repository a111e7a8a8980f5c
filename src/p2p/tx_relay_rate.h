/* How many transactions a second are told to peers (-txsendrate): what a flood brings beyond that waits, and goes out
 * best first. One measure for the peers that came to us, and one, half as tight again and more, for those we chose. */
#ifndef CAIRN_P2P_TX_RELAY_RATE_H
#define CAIRN_P2P_TX_RELAY_RATE_H

#include "mempool/mempool.h"

/* Tokens come at RATE a second up to CAP; they may be overdrawn. */
struct tx_tokens {
    double rate, cap, value;
};

struct tx_backlog {
    struct tx_tokens count, size; /* transactions; bytes with witness */
    double count_floor;           /* no further overdrawn */
    int64_t filled_us;            /* wall; 0: never */
    struct wtxid *ids;            /* that wait */
    size_t waiting, cap;
    size_t tidy_at; /* when so many wait, those that left the pool are dropped */
};

/* RATE: transactions a second to inbound peers. MULTIPLE: of it that these peers get. */
void tx_backlog_init(struct tx_backlog *b, unsigned rate, double multiple);
void tx_backlog_clear(struct tx_backlog *b);

void tx_backlog_put(struct tx_backlog *b, const struct mempool *m, const struct wtxid *id);
/* Forgets all that waits. */
void tx_backlog_drop(struct tx_backlog *b);

void tx_backlog_fill(struct tx_backlog *b, int64_t wall_us);
bool tx_backlog_is_due(const struct tx_backlog *b);
/* What may go out now, best first, and pays for it; the caller frees the list. Only where it is due. */
struct mempool_list tx_backlog_take(struct tx_backlog *b, struct mempool *m);

/* The best WANTED of these in the order of mining, without duplicates (caller frees the list). IDS keeps those that are
 * left; what is not in the pool any more is dropped from it. */
struct mempool_list tx_relay_best(struct mempool *m, struct wtxid *ids, size_t *count, size_t wanted);

#endif
