/* Private keys as text (wallet import format). */
#include <string.h>

#include "primitives/address.h"
#include "primitives/base58.h"

enum { KEY_BYTES = 32, WIF_BYTES = 1 + KEY_BYTES, COMPRESSED_MARK = 1 };

/* A private key is a number from 1 to the order of secp256k1 less one. */
static bool key_in_range(const uint8_t key[KEY_BYTES])
{
    static const uint8_t zero[KEY_BYTES];
    static const uint8_t order[KEY_BYTES] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
        0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    };
    return memcmp(key, zero, KEY_BYTES) > 0 && memcmp(key, order, KEY_BYTES) < 0;
}

/* Empties a buffer that held a key. */
static void wipe(struct buffer *b)
{
    if (b->data) explicit_bzero(b->data, b->cap);
    buffer_clear(b);
}

bool wif_decode(uint8_t key[32], bool *compressed, const char *text, const struct address_prefixes *prefixes)
{
    struct buffer data = {0};
    buffer_reserve(&data, 64); /* so that growing leaves no copy of the key behind */
    bool ok = base58check_decode(&data, text, WIF_BYTES + 1) && data.len >= WIF_BYTES &&
              data.data[0] == prefixes->wif && (data.len == WIF_BYTES || data.data[WIF_BYTES] == COMPRESSED_MARK) &&
              key_in_range(data.data + 1);
    if (ok) {
        memcpy(key, data.data + 1, KEY_BYTES);
        *compressed = data.len > WIF_BYTES;
    }
    wipe(&data);
    return ok;
}

void wif_encode(struct buffer *out, const uint8_t key[32], bool compressed, const struct address_prefixes *prefixes)
{
    uint8_t data[WIF_BYTES + 1] = {prefixes->wif};
    memcpy(data + 1, key, KEY_BYTES);
    data[WIF_BYTES] = COMPRESSED_MARK;
    base58check_encode(out, span_of(data, compressed ? sizeof(data) : WIF_BYTES));
    explicit_bzero(data, sizeof(data));
}
