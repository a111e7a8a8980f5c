/* ChaCha20 (RFC 8439, 2.3). */
#include "crypto/chacha20.h"

#include "base/endian.h"

static inline uint32_t rotl(uint32_t x, int k)
{
    return (x << k) | (x >> (32 - k));
}

static inline void quarter(uint32_t x[16], int a, int b, int c, int d)
{
    x[a] += x[b];
    x[d] = rotl(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotl(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotl(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotl(x[b] ^ x[c], 7);
}

static void chacha20_block(const uint32_t state[16], uint8_t out[64])
{
    uint32_t x[16];
    memcpy(x, state, sizeof(x));
    for (int i = 0; i < 10; i++) {
        for (int j = 0; j < 4; j++) quarter(x, j, 4 + j, 8 + j, 12 + j);
        for (int j = 0; j < 4; j++) quarter(x, j, 4 + (j + 1) % 4, 8 + (j + 2) % 4, 12 + (j + 3) % 4);
    }
    for (int i = 0; i < 16; i++) put_le32(out + 4 * i, x[i] + state[i]);
}

void chacha20_keystream(const uint8_t key[32], uint8_t *out, size_t len)
{
    uint32_t state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    for (int i = 0; i < 8; i++) state[4 + i] = get_le32(key + 4 * i);
    for (; len >= 64; len -= 64, out += 64) {
        chacha20_block(state, out);
        if (++state[12] == 0) state[13]++;
    }
    if (!len) return;
    uint8_t last[64];
    chacha20_block(state, last);
    memcpy(out, last, len);
}
