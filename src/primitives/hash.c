/* Text forms of the typed hashes. */
#include "primitives/hash.h"

#include "base/hex.h"

bool hash_is_null(const uint8_t bytes[32])
{
    static const uint8_t null_hash[32];
    return memcmp(bytes, null_hash, 32) == 0;
}

static char *hash_text(char out[HASH_TEXT], const uint8_t bytes[32])
{
    hex_encode_reversed(out, bytes, 32);
    return out;
}

char *txid_text(char out[HASH_TEXT], const struct txid *id)
{
    return hash_text(out, id->bytes);
}

char *wtxid_text(char out[HASH_TEXT], const struct wtxid *id)
{
    return hash_text(out, id->bytes);
}

char *block_hash_text(char out[HASH_TEXT], const struct block_hash *hash)
{
    return hash_text(out, hash->bytes);
}

bool txid_parse(struct txid *out, const char *text)
{
    return hex_decode_reversed(out->bytes, 32, text);
}

bool block_hash_parse(struct block_hash *out, const char *text)
{
    return hex_decode_reversed(out->bytes, 32, text);
}
