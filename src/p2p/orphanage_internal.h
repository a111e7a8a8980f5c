/* Shared by the files of the orphanage. */
#ifndef CAIRN_P2P_ORPHANAGE_INTERNAL_H
#define CAIRN_P2P_ORPHANAGE_INTERNAL_H

#include "base/alloc.h"
#include "base/check.h"
#include "base/hashmap.h"
#include "base/heap.h"
#include "p2p/orphanage.h"

struct kept;

/* An outpoint that orphans spend, with all of them. */
struct spent_output {
    struct outpoint at;
    struct spender *first;
};

/* An input of an orphan. */
struct spender {
    struct kept *orphan;
    struct spent_output *output;
    struct spender *next, *prev;
};

/* A peer with announcements. */
struct announcer {
    peer_id peer;
    struct heap waiting, work; /* of announcements: the oldest is on top; work is to be judged again */
    uint64_t usage, latency;
    size_t count;
};

struct announced {
    struct heap_node node; /* by sequence */
    struct kept *orphan;
    struct announcer *by;
    bool work;
};

struct kept {
    struct orphan orphan;         /* its pointers are its own */
    struct announced **announced; /* parallel to orphan.from */
    size_t cap;
    struct spender *spenders;
    bool work; /* one of its announcements is to be judged again */
};

struct orphanage {
    uint64_t max_latency, peer_usage;
    struct random *random;
    struct log *log;
    struct hashmap by_wtxid, outputs, announcers;
    size_t announcements, work;
    uint64_t usage, input_latency; /* of all transactions, each once */
    uint64_t bytes;                /* heap bytes of all transactions and their inputs */
    int64_t next_sequence;
};

/* Of its inputs alone; an announcement is 1 more. */
static inline uint64_t input_latency(const struct kept *k)
{
    return k->orphan.spend_count / 10;
}

/* ---- orphanage.c ---- */

/* Ends an announcement; with its last one the transaction goes. */
void orphanage_end_announcement(struct orphanage *o, struct announced *a);
/* Changes whether it is to be judged again. */
void orphanage_set_work(struct orphanage *o, struct announced *a, bool work);

/* ---- orphanage_limit.c ---- */

/* Removes what is too much. */
void orphanage_limit(struct orphanage *o);
bool orphanage_is_over(const struct orphanage *o);

#endif
