/* Proof of work: targets, retargets, chain work. */
#ifndef CAIRN_CONSENSUS_POW_H
#define CAIRN_CONSENSUS_POW_H

#include "consensus/header_node.h"
#include "consensus/params.h"

/* Expands the compact form; *NEGATIVE and *OVERFLOW (may be NULL) as Core's SetCompact. */
struct u256 compact_to_target(uint32_t bits, bool *negative, bool *overflow);
uint32_t target_to_compact(struct u256 target);

/* True where HASH meets BITS and BITS is a target that the network allows. */
bool pow_check(const struct block_hash *hash, uint32_t bits, const struct chain_params *p);

/* 2^256 / (target + 1), the expected number of hashes; 0 for a target that makes no sense. */
struct u256 pow_work(uint32_t bits);

/* The bits that a block on PREV must carry; TIME is the new block's (the 20-minute rule looks at it). */
uint32_t pow_next_bits(const struct header_node *prev, uint32_t time, const struct chain_params *p);

/* The retarget alone: the last header of the closing period and the time of its first (plus, for BIP94, its bits). */
uint32_t pow_retarget(uint32_t last_bits, uint32_t last_time, uint32_t first_bits, uint32_t first_time,
                      const struct chain_params *p);

/* Whether NEW_BITS can follow OLD_BITS at HEIGHT whatever the times: used for headers whose parents are not kept. */
bool pow_permitted_transition(const struct chain_params *p, int32_t height, uint32_t old_bits, uint32_t new_bits);

/* Difficulty relative to 1d00ffff. */
double pow_difficulty(uint32_t bits);

#endif
