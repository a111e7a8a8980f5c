/* The disk of a virtual machine: the ports of the chain and a few small files, in memory. What was written and not
 * synced may be lost, or torn, when the machine dies; and the disk itself can fail. */
#ifndef CAIRN_SIM_DISK_H
#define CAIRN_SIM_DISK_H

#include "base/random.h"
#include "chain/chain.h"
#include "store/store.h"

/* A database: batches since the last sync can be lost, the last ones first. */
struct sim_kv {
    struct kv_ops ops;
    struct kv_store store;      /* what a reader sees */
    struct kv_store *snapshots; /* [0] as it was when last synced, then after each batch since, but for the last */
    size_t snapshot_count, snapshot_cap;
    struct memory_fault *fault;
    bool safe; /* no snapshots: whatever is written stays */
};

struct sim_write {
    uint64_t offset;
    size_t len;
};

struct sim_file {
    struct buffer now, durable;
    struct sim_write *writes; /* since the last sync */
    size_t write_count, write_cap;
    bool exists, durable_exists;
};

/* blk and rev files: every write since the last sync of its file may be there, half there, or not. */
struct sim_files {
    struct sim_file *files[2];
    size_t count[2], cap[2];
    struct memory_fault *fault;
    bool safe;
};

enum sim_small_file { SMALL_PEERS, SMALL_BANS, SMALL_ANCHORS, SMALL_FILES };

struct sim_disk {
    struct sim_kv index, coins;
    struct sim_files files;
    struct memory_fault fault;
    struct buffer small[SMALL_FILES]; /* replaced atomically; len 0: none */
};

void sim_disk_open(struct sim_disk *d);
void sim_disk_close(struct sim_disk *d);

/* From now on nothing that was written is ever lost, which saves the copies: for machines that never lose power
 * (sim_disk_lose_power must not be called). */
void sim_disk_make_safe(struct sim_disk *d);

/* A safe disk with the same content; OUT must not be open. */
void sim_disk_copy(struct sim_disk *out, const struct sim_disk *from);

/* The chain's ports on this disk (no workers). The disk must stay where it is. */
struct chain_ports sim_disk_ports(struct sim_disk *d);

/* The machine loses power: what is not durable survives as chance has it. */
void sim_disk_lose_power(struct sim_disk *d, struct random *random);

/* The AFTER-th write from now on and all that follow fail with RESULT; AFTER 0: the disk is well. */
void sim_disk_set_fault(struct sim_disk *d, uint64_t after, enum result result, bool apply_torn);

/* Bytes held, the shadows included. */
size_t sim_disk_memory(const struct sim_disk *d);

#endif
