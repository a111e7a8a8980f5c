/* Making blocks: a template on the tip, and the search for a nonce. */
#ifndef CAIRN_MINER_BLOCK_TEMPLATE_H
#define CAIRN_MINER_BLOCK_TEMPLATE_H

#include "chain/chain.h"

/* Appends to OUT a whole block on the tip, nonce 0, that pays subsidy and FEES_SAT to SCRIPT_PUBKEY, with TXS behind
 * the coinbase. The coinbase carries the height (BIP34), commits to the witness (BIP141) and is not final before the
 * height it is for, as Core's are. */
void block_template_build(struct chain *c, int64_t now_s, struct span script_pubkey, const struct tx *txs,
                          size_t tx_count, amount_sat fees_sat, struct buffer *out);

/* The earliest time of a block on TIP, seconds since 1970: after the median of the last ones, and not before the first
 * of its period allows (BIP94). */
int64_t template_least_time(const struct chain *c, const struct header_node *tip);

/* Counts the header's nonce up until the hash meets its bits or *TRIES is used up or the nonces are; takes what it
 * needed off *TRIES. True where it was found. HEADER holds the 80 bytes and is changed in place: a search goes on where
 * it ended. */
bool nonce_search(uint8_t header[HEADER_BYTES], const struct chain_params *p, uint64_t *tries);

#endif
