/* A laboratory in virtual time: whole nodes (struct node: chain, coins, pool, peers) in the simulator, with roles.
 * Honest miners, an attacker, a merchant who sells against confirmations that its own node's RPC tells, and a public
 * that pays. The same setup and the same commands at the same places give the same events, byte for byte.
 *
 * The attacker has two nodes: the *hideout*, which mines and has no connection, and the *outlet*, an ordinary node of
 * the network through which it hears and speaks. Showing a block is handing it to the outlet. */
#ifndef CAIRN_LAB_WORLD_H
#define CAIRN_LAB_WORLD_H

#include "lab/event.h"
#include "lab/setup.h"

struct lab_world;

enum lab_role { LAB_ROLE_HONEST, LAB_ROLE_WATCHER, LAB_ROLE_MERCHANT, LAB_ROLE_OUTLET, LAB_ROLE_HIDEOUT, LAB_ROLES };

struct lab_world *lab_world_new(const struct lab_setup *setup, const char *name);
/* The same on an image (image.h) that is made once for many worlds and must outlive none of them. */
struct lab_image;
struct lab_world *lab_world_new_on(const struct lab_image *image, const struct lab_setup *setup, const char *name);
void lab_world_free(struct lab_world *w);

/* Goes on until at least one more event is in the list. False: it is over (or it broke: lab_world_failure). */
bool lab_world_step(struct lab_world *w);

/* Goes on until this instant; at most STEPS events of the simulator (0: no limit). False as above. */
bool lab_world_run(struct lab_world *w, int64_t until_us, uint64_t steps);

/* Done at once, at the instant of now. Refused (RESULT_INVALID) where it makes no sense now; nothing changes then. */
MUST_USE enum result lab_world_command(struct lab_world *w, const struct lab_command *c, struct error *e);

int64_t lab_world_now_us(const struct lab_world *w);
/* Instant of what happens next; INT64_MAX: nothing will. */
int64_t lab_world_next_us(const struct lab_world *w);
/* Events of the simulator so far: two runs that got the same commands at the same counts are the same. */
uint64_t lab_world_steps(const struct lab_world *w);
bool lab_world_is_over(const struct lab_world *w);
/* NULL: all is as it must be. Else what broke (a node refused a valid block ...): a fault of ours. */
const char *lab_world_failure(const struct lab_world *w);

/* All that happened; good until the next call that goes on. */
const struct lab_event *lab_world_events(const struct lab_world *w, size_t *count);
/* SHA-256 chain over all events (lab_event_chain). */
void lab_world_log_hash(const struct lab_world *w, uint8_t out[32]);

/* ---- looking ---- */

size_t lab_world_node_count(const struct lab_world *w);
const char *lab_world_node_name(const struct lab_world *w,
                                uint32_t node); /* "honest 1", "merchant", "outlet", "hideout" */

/* A JSON-RPC request to one node, answered as cairnd would answer it; appends the reply. Returns HTTP's status (503:
 * the node is down, or the call waits for something). The caller owns OUT. */
int lab_world_rpc(struct lab_world *w, uint32_t node, struct span request, struct buffer *out);

struct lab_block {
    uint8_t hash[32];
    uint32_t parent; /* LAB_NONE for block 0, which stands for all that went before */
    int32_t height;
    uint32_t miner; /* node */
    bool attacker, secret;
    int64_t found_us;
    uint32_t txs;
};
size_t lab_world_block_count(const struct lab_world *w);
struct lab_block lab_world_block(const struct lab_world *w, uint32_t block);

/* How an attempt to steal stands or ended. */
struct lab_outcome {
    bool over, stolen;
    unsigned honest_blocks, attacker_blocks; /* found since the payment was sent */
    unsigned depth;                          /* blocks that the merchant's node threw away when it was robbed */
    unsigned silence_alarms, slow_alarms;    /* that the merchant's clock gave since the payment was sent */
    unsigned attacker_at_z;                  /* attacker's blocks when the payment had its last confirmation */
    int64_t took_us;
};
struct lab_outcome lab_world_outcome(const struct lab_world *w);

/* The merchant's book. */
enum lab_order_state {
    LAB_ORDER_WAITING,   /* in the pool, or not seen yet */
    LAB_ORDER_CONFIRMED, /* in the chain, not deep enough */
    LAB_ORDER_DELIVERED, /* deep enough: the goods are gone */
    LAB_ORDER_REVERSED,  /* the payment is no longer in the chain, nothing was delivered */
    LAB_ORDER_LOST,      /* delivered, and what paid for it was spent elsewhere */
    LAB_ORDER_STATES,
};
const char *lab_order_state_name(enum lab_order_state s); /* "waiting", "confirmed", "delivered", "reversed", "lost" */
struct lab_order {
    uint8_t txid[32], conflict[32]; /* conflict: zeroes until it is known */
    int64_t amount_sat;
    int confirmations;
    enum lab_order_state state;
    bool theft; /* the attacker's order */
};
const struct lab_order *lab_world_order(const struct lab_world *w, size_t order);

/* Every node up and reachable is at one tip with one UTXO hash, and a fresh node that gets the chain from one of them
 * by the protocol comes to the same; supply and balances add up. Takes virtual time. On success the tip's hash and the
 * coins' (hash_serialized_3) are in TIP and COINS. */
MUST_USE bool lab_world_settle(struct lab_world *w, uint8_t tip[32], uint8_t coins[32], struct error *e);

#endif
