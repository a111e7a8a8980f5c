/* The laboratory in real time: processes of cairnd on loopback, a miner for each share of hash power, an attacker with
 * a hideout and an outlet, a merchant. Whatever happens to this process, nothing stays behind. */
#ifndef CAIRN_LAB_LIVE_H
#define CAIRN_LAB_LIVE_H

#include "lab/source.h"

struct lab_live;

struct lab_live_options {
    const struct lab_scenario *scenario; /* copied */
    const char *cairnd;                  /* path of the program */
    const char *miner;                   /* of cairn-miner; NULL: the nodes make their blocks themselves */
    const char *folder;                  /* where temporary folders go: TMPDIR or /tmp */
    uint16_t port_base;                  /* P2P and RPC ports from here on; 0: any free ones */
    double speed;               /* the scenario's minutes go so many times faster (60: a block each ten seconds) */
    bool (*stopped)(void *arg); /* asked a hundred times a second, also at start-up: end now. NULL: never */
    void *stopped_arg;
};

MUST_USE enum result lab_live_new(struct lab_live **out, const struct lab_live_options *o, struct error *e);
/* Ends all processes and removes all files. */
void lab_live_free(struct lab_live *l);
/* Takes in what happened for MILLISECONDS; false: over. */
bool lab_live_run(struct lab_live *l, int milliseconds);
/* How somebody else reaches the nodes: a line each, with ready-made cairn-cli and bitcoind options. */
void lab_live_describe(const struct lab_live *l, struct buffer *out);
struct lab_source lab_live_source(struct lab_live *l);

#endif
