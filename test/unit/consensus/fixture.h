/* What the tests of this room share: made-up chains of headers, drafts of blocks that are valid until a test breaks one
 * rule, the rules in the order in which a node applies them, and a line that says how many cases a test went through.
 */
#ifndef CAIRN_TEST_CONSENSUS_FIXTURE_H
#define CAIRN_TEST_CONSENSUS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/random.h"
#include "consensus/block_check.h"
#include "support/data.h"

static inline void print_count(const char *what, size_t count)
{
    fprintf(stderr, "%s: %zu cases\n", what, count);
}

/* COUNT linked headers from height 0, SPACING_S apart, their hashes without meaning. The caller frees it. */
struct header_node *chain_make(size_t count, uint32_t start_time, uint32_t spacing_s, uint32_t bits);

/* One more link at N. */
void chain_link(struct header_node *n, const struct header_node *prev, uint32_t time, uint32_t bits, int32_t version);

enum { DRAFT_TXS = 6, DRAFT_INS = 4, DRAFT_OUTS = 4, DRAFT_HEIGHT = 200 };

struct draft_tx {
    struct tx_in in[DRAFT_INS];
    struct tx_out out[DRAFT_OUTS];
    struct tx_out spent[DRAFT_INS];
    coin_origin origins[DRAFT_INS];
    struct span items[DRAFT_INS][2];
    struct tx tx; /* points to the above */
};

/* A block on a made-up regtest chain: a coinbase with a witness commitment (its last output), a payment with two
 * inputs, and a spend with a witness. */
struct draft {
    struct chain_params params;
    struct header_node *chain;
    const struct header_node *prev;
    int64_t now_s;
    struct block_header header;
    struct draft_tx txs[DRAFT_TXS];
    size_t tx_count;
    struct arena arena;
    bool keep_root;       /* leave header.merkle_root as it is */
    bool keep_commitment; /* leave the coinbase's last output as it is */
    bool no_mining;
    unsigned check_flags; /* of block_check */
};

void draft_init(struct draft *d);
void draft_clear(struct draft *d);

/* A transaction with IN_COUNT inputs spending outputs of 1 BTC made at height 1, and one output of VALUE. */
struct draft_tx *draft_add(struct draft *d, size_t in_count, amount_sat value);

/* LEN bytes of VALUE in the draft's arena. */
struct span draft_bytes(struct draft *d, size_t len, uint8_t value);

/* Fills in commitment, merkle root and nonce as the draft says, writes and parses the block. */
struct block *draft_build(struct draft *d);

/* Every rule in a node's order; the first that fails fills *V. */
bool judge(const struct draft *d, const struct block *b, amount_sat *fees, struct verdict *v);

#endif
