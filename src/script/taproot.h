/* Taproot commitments (BIP341): leaf, branch and tweak hashes, control blocks. */
#ifndef CAIRN_SCRIPT_TAPROOT_H
#define CAIRN_SCRIPT_TAPROOT_H

#include "crypto/sha256.h"

enum {
    TAPROOT_LEAF_MASK = 0xfe,      /* of a control block's first byte; the other bit is the output key's parity */
    TAPROOT_LEAF_TAPSCRIPT = 0xc0, /* leaf version of BIP342 */
    TAPROOT_ANNEX_TAG = 0x50,
    TAPROOT_CONTROL_BASE = 33, /* bytes of a control block without a path */
    TAPROOT_CONTROL_NODE = 32,
    TAPROOT_CONTROL_MAX_NODES = 128,
};

/* Feeds V as a CompactSize. */
void sha256_put_compact_size(struct sha256 *h, uint64_t v);

void tapleaf_hash(uint8_t out[32], uint8_t leaf_version, struct span script);

/* The two children are sorted here. */
void tapbranch_hash(uint8_t out[32], const uint8_t a[32], const uint8_t b[32]);

/* The tweak of INTERNAL by ROOT, NULL where there are no scripts. */
void taptweak_hash(uint8_t out[32], const uint8_t internal[32], const uint8_t *root);

/* 33 bytes and 0 to 128 nodes of 32. */
bool taproot_control_has_valid_size(struct span control);

/* The root that the path of CONTROL (of valid size) leads to from LEAF. */
void taproot_merkle_root(uint8_t out[32], struct span control, const uint8_t leaf[32]);

/* True where OUTPUT commits to LEAF through CONTROL (of valid size). */
bool taproot_commits_to(const uint8_t output[32], struct span control, const uint8_t leaf[32]);

#endif
