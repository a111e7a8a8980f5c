/* Shared by the files of a world. */
#ifndef CAIRN_LAB_WORLD_INTERNAL_H
#define CAIRN_LAB_WORLD_INTERNAL_H

#include <jansson.h>

#include "lab/dice.h"
#include "lab/image.h"
#include "lab/wallet.h"
#include "lab/world.h"
#include "node/reorgs.h"
#include "sim/internal.h"

struct rpc_server;

enum { LAB_RELAYS = 3 };

/* What EV_SCENARIO means here: A. */
enum lab_timer {
    LAB_TIMER_MINE,    /* C: generation */
    LAB_TIMER_REACT,   /* the attacker thinks */
    LAB_TIMER_PAY,     /* somebody of the public pays */
    LAB_TIMER_SILENCE, /* the merchant has had no block for long; C: its blocks then */
    LAB_TIMER_ORDER,   /* the merchant has waited for long; C: for which order */
    LAB_TIMER_FREE,    /* the eclipse ends */
};

struct lab_member {
    struct sim_node *sim;
    enum lab_role role;
    char name[24];
    uint64_t weight; /* of the hash power; the attacker's is that of the world */
    struct rpc_server *rpc;
    uint64_t seen_reorg;
    size_t pool;      /* last told */
    bool invalidated; /* its operator called a block invalid that others follow */
};

/* A transaction that a reorganisation threw out, and that is not in a block again. */
struct lab_missing {
    struct txid txid;
    int64_t at_us; /* when, on the simulator's clock */
};

struct lab_attack {
    bool active, shown, led, raced;
    bool hidden; /* the merchant alone sees the attacker's branch */
    enum lab_strategy strategy;
    struct sim_block *fork; /* the attacker's branch begins on it */
    size_t order;           /* of the theft; SIZE_MAX: there is none */
    int64_t began_us;
    int32_t seen_height; /* of the public branch when it thought last (selfish) */
    int32_t own_height;  /* of the hideout then */
};

struct lab_world {
    struct lab_setup setup;
    struct sim *sim;
    struct sim_report report;
    struct lab_image *own_image; /* NULL: the caller's was used */
    int64_t base_us;             /* instant 0 of the world in the simulator */
    uint32_t base_block;         /* block 0 in the simulator's list */
    int32_t base_height;
    bool begun, over;
    bool attempt_over; /* a theft was tried and is decided: nothing more to wait for but that all is whole again */
    char name[64];
    const char *end;

    struct lab_member *members;
    size_t member_count;
    uint32_t merchant, outlet, hideout; /* LAB_NONE: there is none */
    uint32_t observer;                  /* whose thrown out transactions are told */
    bool eclipsed;

    struct lab_event *events;
    size_t event_count, event_cap;
    uint8_t log_hash[32];

    struct lab_dice dice;
    uint64_t attacker_weight, base_weight; /* BASE: that finds a block each block_us */
    uint64_t mining;                       /* generation of the timer */
    bool react_due;

    struct lab_wallet wallet;
    struct random random; /* of who pays whom */
    struct lab_order *orders;
    struct lab_order_book {
        bool was_there; /* the merchant's node knew of it */
        struct txid txid;
    } * books;
    size_t order_count, order_cap, book_cap;
    uint64_t merchant_blocks; /* how often its tip moved */

    struct lab_missing *missing;
    size_t missing_count, missing_cap;
    struct lab_attack attack;
    struct lab_outcome outcome;
    int32_t over_height; /* of the public branch when the attempt ended */
    struct sim_block *invalidated;

    struct lab_fact {
        bool attacker, secret, was_secret, tolerated;
        uint32_t miner, txs;
    } * facts; /* by number of block */
    size_t fact_count, fact_cap;
};

/* ---- world.c ---- */

struct lab_event *lab_emit(struct lab_world *w, enum lab_event_kind kind, uint32_t node);
/* Ends an event: it gets into the hash. */
void lab_emitted(struct lab_world *w);
void lab_emit_text(struct lab_world *w, enum lab_event_kind kind, uint32_t node, const char *text);
void lab_world_end(struct lab_world *w, const char *how);
/* A world at its instant, on the simulator's clock. */
void lab_timer(struct lab_world *w, int64_t after_us, enum lab_timer what, uint64_t c);
static inline uint32_t lab_block_id(const struct lab_world *w, const struct sim_block *b)
{
    return !b || b->index <= w->base_block ? 0 : b->index - w->base_block;
}
static inline struct sim_block *lab_sim_block(const struct lab_world *w, uint32_t id)
{
    return w->sim->block_list[w->base_block + id];
}
struct sim_block *lab_tip_of(const struct lab_world *w, uint32_t node);

/* ---- world_net.c: who is there, and who is connected to whom ---- */

void lab_net_init(struct lab_world *w, const struct lab_image *image);
/* Starts all and waits until they are connected. */
void lab_net_start(struct lab_world *w);
void lab_net_partition(struct lab_world *w);
void lab_net_heal(struct lab_world *w);
void lab_net_free_merchant(struct lab_world *w);
void lab_net_set_latency(struct lab_world *w, int64_t us);

/* ---- world_mine.c ---- */

void lab_mining_init(struct lab_world *w);
void lab_mining_restart(struct lab_world *w);
void lab_mining_event(struct lab_world *w, uint64_t generation);
void lab_mining_power(struct lab_world *w, uint32_t q_ppm);
void lab_mining_join(struct lab_world *w, uint64_t miners);
void lab_mining_tell(struct lab_world *w);
/* A block by this node on its own tip; SECRET is a fact of the record alone. */
struct sim_block *lab_mine_on(struct lab_world *w, uint32_t node, bool empty, bool secret);
/* Hands a block of the list to a node, as its owner can (submitblock); false where it is refused. */
bool lab_hand_block(struct lab_world *w, uint32_t node, const struct sim_block *b);
/* The same for B and what lies below it, oldest first. */
void lab_hand_branch(struct lab_world *w, uint32_t node, struct sim_block *b);
/* The highest tip of the nodes that mine in public; of equals the first one's. */
struct sim_block *lab_public_tip(const struct lab_world *w);

/* ---- world_rpc.c ---- */

/* "result" of a call that must not fail (FORMAT, ARGS: the params as json_pack takes them), or NULL with the error's
 * message in WHY (may be NULL). A new reference. */
json_t *lab_call(struct lab_world *w, uint32_t node, char *why, size_t why_size, const char *method, const char *format,
                 ...);
/* sendrawtransaction at a node; false with the reason. */
bool lab_send(struct lab_world *w, uint32_t node, const struct lab_tx *tx, char *why, size_t why_size);

/* ---- world_shop.c ---- */

/* The merchant expects AMOUNT from this transaction. Returns the number of the order. */
size_t lab_order_new(struct lab_world *w, const struct lab_tx *tx, amount_sat amount, bool theft);
void lab_orders_look(struct lab_world *w);
/* The merchant's clock: its tip moved; nothing came for long; an order has waited for long. */
void lab_clock_block(struct lab_world *w);
void lab_clock_silence(struct lab_world *w, uint64_t blocks);
void lab_clock_order(struct lab_world *w, size_t order);
enum result lab_pay_order(struct lab_world *w, amount_sat amount, struct error *e);
void lab_public_pays(struct lab_world *w);

/* ---- world_watch.c ---- */

void lab_on_tip(struct sim_node *n, const struct block_node *old);

/* ---- strategy.c ---- */

enum result lab_attack_begin(struct lab_world *w, enum lab_strategy strategy, struct error *e);
void lab_attack_think(struct lab_world *w);
void lab_attack_think_soon(struct lab_world *w);
/* All that is secret becomes known. */
void lab_attack_show(struct lab_world *w, int32_t up_to_height);
/* WHY: "gave up", "out of blocks", "leaves", "won". */
void lab_attack_end(struct lab_world *w, const char *why);
/* Somebody found a block. */
void lab_attack_on_block(struct lab_world *w, bool attacker);
/* The order's state changed. */
void lab_attack_on_order(struct lab_world *w, size_t order);
bool lab_attack_is_secret(const struct lab_world *w);
/* Gives the relays around an eclipsed merchant the branch of TIP. */
void lab_attack_relay(struct lab_world *w, struct sim_block *tip);
/* Gives the hideout what is public. */
void lab_attack_follow(struct lab_world *w);

void lab_double_begin(struct lab_world *w);
void lab_double_think(struct lab_world *w);
/* Eclipsed, and the goods are gone: the merchant may see the network, if that is still ahead. */
void lab_double_let_go(struct lab_world *w);
/* Some output of it is the merchant's. */
bool lab_pays_merchant(const struct tx *tx);
void lab_takeover_begin(struct lab_world *w);
void lab_takeover_think(struct lab_world *w);
void lab_selfish_think(struct lab_world *w);

/* ---- world_settle.c, world_command.c: world.h ---- */

#endif
