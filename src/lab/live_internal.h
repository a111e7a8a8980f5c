/* Shared by the files of a live laboratory. Inside the room. */
#ifndef CAIRN_LAB_LIVE_INTERNAL_H
#define CAIRN_LAB_LIVE_INTERNAL_H

#include "lab/dice.h"
#include "lab/live.h"
#include "lab/live_process.h"
#include "lab/live_rpc.h"
#include "lab/wallet.h"
#include "lab/world.h"

enum { LIVE_NAME = 24, LIVE_PREMINED = 120 };

/* A node: a process, and what is known of it. */
struct live_member {
    char name[LIVE_NAME];   /* "honest 1" */
    char folder[LIVE_NAME]; /* "honest-1" */
    enum lab_role role;
    uint16_t p2p_port, rpc_port;
    pid_t pid;
    struct live_rpc rpc;
    uint32_t tip; /* number of a block */
    int64_t probed_us;
    int side;                      /* during a partition: 0 or 1 */
    uint32_t told_power;           /* millionths */
    int64_t told_pool, seen_reorg; /* id of getreorgs */
    bool told_down, warned;
};

struct live_link {
    uint32_t from, to; /* FROM dials */
    bool up;
};

struct live_block {
    char hash[LIVE_HASH_TEXT];
    uint32_t parent;
    int32_t height;
    uint32_t source; /* a node that has it */
    bool attacker, secret, was_secret;
    bool at_hideout, at_outlet;
    char (*txids)[LIVE_HASH_TEXT]; /* without the coinbase */
    size_t tx_count;
};

struct live_order {
    struct lab_order o;
    char txid[LIVE_HASH_TEXT], conflict[LIVE_HASH_TEXT];
    int64_t since_us;
    bool was_confirmed, told, slow_told;
};

/* Thrown out by a reorganisation of the observer, and not in a block again. */
struct live_missing {
    char txid[LIVE_HASH_TEXT];
    int32_t height; /* of the new tip then */
};

struct live_attack {
    bool active, led, raced;
    bool hidden; /* the merchant is eclipsed and sees the attacker's branch alone */
    enum lab_strategy strategy;
    uint32_t fork;                                 /* the attacker's branch begins on it */
    size_t order;                                  /* of the theft; SIZE_MAX: there is none */
    unsigned honest_blocks, attacker_blocks;       /* found since it began */
    int32_t public_height;                         /* when it thought last */
    int64_t free_us;                               /* an eclipse ends at this instant; 0: not yet known */
    struct lab_coin payment_change, conflict_coin; /* whose value 0: none */
};

struct lab_live {
    struct lab_live_options options;
    char *cairnd, *miner, *parent; /* copies for the options */
    struct lab_scenario scenario;  /* with the settings in force */
    bool has_scenario;

    struct live_loop loop;
    struct live_guard guard;
    struct live_member *members;
    size_t member_count;
    uint32_t merchant, outlet, hideout; /* LAB_NONE: there is none */
    uint32_t observer;                  /* whose thrown out transactions are told */
    struct live_link *links;
    size_t link_count, link_cap;
    bool partitioned, eclipsed, unsettled;

    int64_t began_us; /* on the machine's clock */
    bool running, over;
    char failure[256];

    struct live_block *blocks;
    size_t block_count, block_cap;

    struct lab_dice dice;
    struct random random;
    double honest_power, attacker_power; /* the beginning's power is 1 */
    double one_miner;                    /* of an honest node of the beginning */
    int64_t next_block_us, next_pay_us, last_block_us;
    bool silence_told;

    struct lab_wallet wallet;
    struct live_order *orders;
    size_t order_count, order_cap;
    struct live_missing *missing;
    size_t missing_count, missing_cap;
    struct live_attack attack;
    uint32_t invalidated; /* a block; LAB_NONE */
    const char *outcome;  /* of the last attempt; NULL: none is over */
    bool attempt_over;    /* it was a theft, and is decided: nothing more to wait for but that all is whole again */
    int32_t over_height;  /* of the public branch then */
    bool look_at_orders;

    struct lab_event *events;
    size_t event_count, event_cap;
    uint8_t log_hash[32];
    size_t cued;        /* events that cues have been held against */
    bool *cue_done;     /* of each cue */
    const char **names; /* of the nodes, for lines of text */
};

/* ---- live.c ---- */

int64_t live_virtual_us(const struct lab_live *l);
/* Begins an event; live_emitted ends it. */
struct lab_event *live_emit(struct lab_live *l, enum lab_event_kind kind, uint32_t node);
void live_emitted(struct lab_live *l);
void live_emit_text(struct lab_live *l, enum lab_event_kind kind, uint32_t node, const char *text);
void live_end(struct lab_live *l, const char *how);
/* Something that must not be: said once, and the laboratory is over. */
void live_broken(struct lab_live *l, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- live_start.c ---- */

/* From nothing to nodes that are connected and have one chain. */
MUST_USE enum result live_start(struct lab_live *l, struct error *e);
/* Back to nothing: no process, no folder. */
void live_stop(struct lab_live *l);

/* ---- live_net.c ---- */

void live_net_plan(struct lab_live *l);
/* Makes the links that should be there, and ends the others. */
void live_net_apply(struct lab_live *l);
void live_net_partition(struct lab_live *l);
void live_net_heal(struct lab_live *l);

/* ---- live_chain.c ---- */

/* The number of a block, LAB_NONE: nobody has told of it. */
uint32_t live_block_find(const struct lab_live *l, const char *hash);
/* The same, asking NODE for what is not known; events tell of what is new. */
uint32_t live_block_learn(struct lab_live *l, uint32_t node, const char *hash, bool attacker, bool secret);
/* The newest block that is below both. */
uint32_t live_block_fork(const struct lab_live *l, uint32_t a, uint32_t b);
bool live_block_has(const struct live_block *b, const char *txid);
static inline int32_t live_height(const struct lab_live *l, uint32_t block)
{
    return l->blocks[block].height;
}
/* Asks all for their tips where it is time, and tells of what changed. */
void live_chain_look(struct lab_live *l);
/* The highest tip of those that are public; of equals the first one's. */
uint32_t live_public_tip(const struct lab_live *l);
/* Hands BLOCK, and what is below it and the other does not have, to the hideout or the outlet. */
void live_hand(struct lab_live *l, uint32_t to, uint32_t block);

/* ---- live_mine.c ---- */

void live_mining_init(struct lab_live *l);
void live_mining_power(struct lab_live *l, uint32_t q_ppm);
void live_mining_join(struct lab_live *l, uint64_t miners);
void live_mining_leave(struct lab_live *l);
/* Power has changed: events, and new dice for the next block. */
void live_mining_changed(struct lab_live *l);
/* The dice of the seed itself, as in virtual time: an attack is a trial. */
void live_mining_attack(struct lab_live *l);
/* Whoever's turn it is by now mines. */
void live_mining_look(struct lab_live *l);
/* A block by NODE on its own tip; its number, LAB_NONE: it did not work. */
/* A cairn-miner finds one block for NODE (live_miner.c); false: it did not in time. */
bool live_miner_find(struct lab_live *l, uint32_t node, char hash[LIVE_HASH_TEXT]);
uint32_t live_mine(struct lab_live *l, uint32_t node, bool empty, bool secret);
void live_mine_for_attacker(struct lab_live *l);

/* ---- live_shop.c: who pays, and the merchant's book ---- */

void live_txid_text(char out[LIVE_HASH_TEXT], const struct txid *txid);
bool live_send(struct lab_live *l, uint32_t node, const struct lab_tx *tx);
/* Expects AMOUNT from a transaction; the number of the order. */
size_t live_order_new(struct lab_live *l, uint32_t node, const struct lab_tx *tx, amount_sat amount, bool theft);
void live_orders_look(struct lab_live *l);
void live_clock_look(struct lab_live *l);
MUST_USE enum result live_pay_order(struct lab_live *l, amount_sat amount, struct error *e);
/* Payments of the public that are due. */
void live_public_look(struct lab_live *l);

/* ---- live_attack.c ---- */

MUST_USE enum result live_attack_begin(struct lab_live *l, enum lab_strategy strategy, struct error *e);
void live_attack_look(struct lab_live *l);
/* All secret blocks up to a height. */
void live_attack_show(struct lab_live *l, int32_t up_to_height);
/* WHY: "gave up", "out of blocks", "leaves", "won". */
void live_attack_end(struct lab_live *l, const char *why);
/* Whether the attacker mines on its own branch, in secret, and with nothing in its blocks. */
bool live_attack_is_secret(const struct lab_live *l);
bool live_attack_is_empty(const struct lab_live *l);
/* Whether a transaction of the merchant's customers may get to the hideout. */
bool live_attack_takes(const struct lab_live *l, bool is_order);

/* ---- live_command.c ---- */

MUST_USE enum result live_command(struct lab_live *l, const struct lab_command *c, struct error *e);

#endif
