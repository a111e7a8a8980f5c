/* What happens in a laboratory, as a list of events: the page, the terminal, the report and the statistics are all made
 * of this list and of nothing else. One row a kind says its name and what its fields are called; JSON comes from it. */
#ifndef CAIRN_LAB_EVENT_H
#define CAIRN_LAB_EVENT_H

#include "base/buffer.h"

#define LAB_NONE UINT32_MAX

enum { LAB_TEXT = 480 };

enum lab_event_kind {
    LAB_EVENT_START,   /* A: seed, TEXT: name of the scenario */
    LAB_EVENT_NODE,    /* NODE is there; A: share of the hash power, millionths; TEXT: its name ("honest 2"), B: role */
    LAB_EVENT_LINK,    /* connections changed (of NODE, or of all where it is LAB_NONE); TEXT: "partition", "heal",
                        * "eclipse",    "honest link", "freed" */
    LAB_EVENT_SIDE,    /* during a partition: NODE is on side A (0 or 1) */
    LAB_EVENT_POWER,   /* NODE has share A of all hash power, millionths */
    LAB_EVENT_BLOCK,   /* NODE found BLOCK on OTHER; A: height, B: transactions behind the coinbase, C: 1 by the
                        * attacker, D: 1 kept secret; TEXT: its hash */
    LAB_EVENT_SHOWN,   /* the attacker gave the secret BLOCK to the network */
    LAB_EVENT_TIP,     /* NODE's tip is BLOCK now; A: height */
    LAB_EVENT_REORG,   /* NODE left the branch of OTHER for that of BLOCK; A: blocks thrown away, B: transactions of
                        * them that went back to the pool, C: transactions that can never be mined again */
    LAB_EVENT_PAYMENT, /* order A was paid with transaction TEXT, given to NODE; B: satoshis; C: 1 it is a theft */
    LAB_EVENT_CONFLICT, /* the attacker signed transaction TEXT against order A: it spends the same coin */
    LAB_EVENT_LEDGER,   /* the merchant's book: order A, confirmations B, satoshis C; TEXT: its state */
    LAB_EVENT_DROPPED,  /* NODE's reorganisation threw out transaction TEXT; A: 1 for good, 0 back in its pool */
    LAB_EVENT_RETURNED, /* transaction TEXT, once thrown out, is in BLOCK again; A: blocks found since */
    LAB_EVENT_POOL,     /* NODE has A transactions in its pool (told when a block came or went) */
    LAB_EVENT_ATTACK, /* TEXT: "begins", "leads", "publishes", "won", "gave up", "out of blocks", "leaves"; A: lead over
                       * the public branch, blocks; B: confirmations of the theft's payment */
    LAB_EVENT_ALARM,  /* NODE warns its owner; TEXT: "reorganisation" (A: depth), "no block" (A: minutes), "slow
                       * confirmations" (A: minutes) */
    LAB_EVENT_COMMAND, /* somebody ordered TEXT */
    LAB_EVENT_SAY,     /* TEXT explains what is to be seen: two sentences */
    LAB_EVENT_END,     /* TEXT: how it ended ("stolen", "paid", "gave up", "whole", ...) */
    LAB_EVENT_KINDS,
};

struct lab_event {
    uint64_t seq;  /* counts from 0 */
    int64_t at_us; /* virtual time */
    enum lab_event_kind kind;
    uint32_t node;         /* number of a node, or LAB_NONE */
    uint32_t block, other; /* numbers of blocks in the order in which they were found, or LAB_NONE; 0: the last block
                              that all had when it began */
    int64_t a, b, c, d;
    char text[LAB_TEXT];
};

/* "block", "tip", ...: the value of "e" in JSON. */
const char *lab_event_name(enum lab_event_kind kind);

/* "honest", "watcher", "merchant", "outlet", "hideout" for a role (enum lab_role of world.h). */
const char *lab_role_name(unsigned role);

/* Appends one line of JSON without the new line: {"seq":7,"t":1200000,"e":"tip","node":2,"block":5,"height":106}.
 * Fields have the names of the kind's row; those that the kind does not have are left out. */
void lab_event_json(struct buffer *out, const struct lab_event *e);

/* One line for a terminal, without the new line: virtual time, then words. NAMES are of the nodes. */
void lab_event_plain(struct buffer *out, const struct lab_event *e, const char *const *names, size_t name_count);

/* The next hash of a log: HASH is 32 bytes (zeroes at the start), over it and the event's JSON (SHA-256). */
void lab_event_chain(uint8_t hash[32], const struct lab_event *e);

#endif
