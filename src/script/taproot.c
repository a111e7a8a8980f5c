/* Taproot commitments (BIP341). */
#include "script/taproot.h"

#include "base/check.h"
#include "base/endian.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

void sha256_put_compact_size(struct sha256 *h, uint64_t v)
{
    uint8_t bytes[9];
    size_t len = compact_size_len(v);
    switch (len) {
    case 1: bytes[0] = (uint8_t)v; break;
    case 3: bytes[0] = 0xfd, put_le16(bytes + 1, (uint16_t)v); break;
    case 5: bytes[0] = 0xfe, put_le32(bytes + 1, (uint32_t)v); break;
    default: bytes[0] = 0xff, put_le64(bytes + 1, v);
    }
    sha256_put(h, bytes, len);
}

void tapleaf_hash(uint8_t out[32], uint8_t leaf_version, struct span script)
{
    struct sha256 h;
    tagged_hash_init(&h, "TapLeaf");
    sha256_put(&h, &leaf_version, 1);
    sha256_put_compact_size(&h, script.len);
    if (script.len) sha256_put(&h, script.data, script.len);
    sha256_final(&h, out);
}

void tapbranch_hash(uint8_t out[32], const uint8_t a[32], const uint8_t b[32])
{
    struct sha256 h;
    bool in_order = memcmp(a, b, 32) < 0;
    tagged_hash_init(&h, "TapBranch");
    sha256_put(&h, in_order ? a : b, 32);
    sha256_put(&h, in_order ? b : a, 32);
    sha256_final(&h, out);
}

void taptweak_hash(uint8_t out[32], const uint8_t internal[32], const uint8_t *root)
{
    struct sha256 h;
    tagged_hash_init(&h, "TapTweak");
    sha256_put(&h, internal, 32);
    if (root) sha256_put(&h, root, 32);
    sha256_final(&h, out);
}

bool taproot_control_has_valid_size(struct span control)
{
    return control.len >= TAPROOT_CONTROL_BASE &&
           control.len <= TAPROOT_CONTROL_BASE + TAPROOT_CONTROL_NODE * TAPROOT_CONTROL_MAX_NODES &&
           (control.len - TAPROOT_CONTROL_BASE) % TAPROOT_CONTROL_NODE == 0;
}

void taproot_merkle_root(uint8_t out[32], struct span control, const uint8_t leaf[32])
{
    CHECK(taproot_control_has_valid_size(control));
    memmove(out, leaf, 32);
    for (size_t at = TAPROOT_CONTROL_BASE; at < control.len; at += TAPROOT_CONTROL_NODE)
        tapbranch_hash(out, out, control.data + at);
}

bool taproot_commits_to(const uint8_t output[32], struct span control, const uint8_t leaf[32])
{
    uint8_t root[32], tweak[32];
    const uint8_t *internal = control.data + 1;
    taproot_merkle_root(root, control, leaf);
    taptweak_hash(tweak, internal, root);
    return xonly_tweak_check(output, control.data[0] & 1, internal, tweak);
}
