/* What a miner outside the node makes of a block template (BIP22, BIP23, BIP145): coinbase, merkle root, header, block.
 * Nothing here speaks to a node or reads a clock. */
#ifndef CAIRN_MINER_MINE_WORK_H
#define CAIRN_MINER_MINE_WORK_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/u256.h"
#include "primitives/block.h"

/* Version bits that mean nothing and may be rolled (BIP320). */
#define MINE_ROLLING_MASK UINT32_C(0x1fffe000)

struct mine_template {
    int32_t version;
    uint32_t rolling_mask; /* version bits that the miner may set as it likes; 0: none */
    struct block_hash prev;
    uint32_t bits;
    struct u256 target;
    uint32_t time;      /* what the template says is now */
    uint32_t time_roll; /* seconds that the time may at most be later than that; 0 where it must stay */
    int32_t height;
    amount_sat coinbase_value;
    bool witness;             /* the block commits to witnesses (BIP141) */
    struct buffer commitment; /* script of the output that does; empty: to be computed */
    struct buffer aux;        /* bytes that the node wants in the coinbase's input */
    struct buffer txids;      /* 32 bytes each, without the coinbase's */
    struct buffer wtxids;
    struct buffer txs; /* wire form of all, one behind the other */
    size_t tx_count;
};

void mine_template_clear(struct mine_template *t);

/* Adds a transaction in its wire form; false where it is none. Its hashes are computed, not believed. */
MUST_USE bool mine_template_add_tx(struct mine_template *t, struct span raw);

/* What does not depend on extranonce, time, version and nonce; computed once a template. */
struct mine_plan {
    struct mine_template t;
    struct buffer script;     /* scriptPubKey that is paid */
    struct buffer commitment; /* of the template, or computed; empty without witness */
    struct buffer branch;     /* siblings of the coinbase up to the merkle root */
};

/* Takes the template over (also on failure). False, and a sentence, where no valid block can be made of it. */
MUST_USE bool mine_plan_init(struct mine_plan *p, struct mine_template *t_taken, struct span script_pubkey,
                             struct buffer *error);
void mine_plan_clear(struct mine_plan *p);

/* What a searcher may vary, apart from the nonce. */
struct mine_roll {
    uint64_t extranonce;
    uint32_t version_bits; /* counts up; the plan's mask says where they go */
    uint32_t time_add;     /* at most the template's time_roll */
};

/* The coinbase transaction, with or without its witness, appended to OUT. */
void mine_coinbase(const struct mine_plan *p, uint64_t extranonce, bool witness, struct buffer *out);

/* The header with nonce 0. */
void mine_header(const struct mine_plan *p, const struct mine_roll *roll, uint8_t header[HEADER_BYTES]);

/* The whole block with a header that mine_header made and a nonce was put into, appended to OUT. */
void mine_block(const struct mine_plan *p, const uint8_t header[HEADER_BYTES], uint64_t extranonce, struct buffer *out);

/* Whether the header's hash meets the target. */
bool mine_meets(const uint8_t header[HEADER_BYTES], const struct u256 *target);

/* The number of values that version_bits can take. */
uint32_t mine_version_count(const struct mine_plan *p);
/* The version with the bits of COUNT spread over MASK, lowest first. */
int32_t mine_version(int32_t version, uint32_t mask, uint32_t count);

/* The expected number of hashes to a block: 2^256 / (target + 1). */
double mine_expected_hashes(const struct u256 *target);

#endif
