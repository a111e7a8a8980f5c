/* What the owner should know: rules that we do not know were activated, a chain that we refuse has more work, or a
 * reorganisation was deep. */
#ifndef CAIRN_NODE_WARNINGS_H
#define CAIRN_NODE_WARNINGS_H

#include "chain/chain.h"

struct reorg;

enum { WARNING_TEXT = 256 };

enum warning_kind { WARNING_UNKNOWN_RULES, WARNING_INVALID_CHAIN, WARNING_REORGANISATION, WARNING_KINDS };

struct warnings {
    char text[WARNING_KINDS][WARNING_TEXT]; /* "" where there is none */
    int32_t bits_checked_at;                /* height of the tip at the last look at the version bits; 0: never */
};

/* Looks again after the tip moved or a block failed. Returns a mask of the kinds that are new (1 << kind). */
unsigned warnings_update(struct warnings *w, struct chain *c);

/* Says what O did, in place of what was said of an earlier one. NULL: that is over. */
void warnings_set_reorg(struct warnings *w, const struct reorg *o);

/* Version bits that were locked in (mask) by the headers up to TIP and that no deployment of ours explains; *ACTIVE the
 * part that holds already. Signalling counts over whole retarget periods: 1815 of 2016, on test networks three
 * quarters. */
uint32_t unknown_version_bits(const struct chain_params *p, const struct header_node *tip, uint32_t *active);

#endif
