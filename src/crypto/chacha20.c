/* ChaCha20 (RFC 8439, 2.3). */
#include "crypto/chacha20.h"

#include "base/endian.h"

/* A row of the state: four words at once. The compilers turn this into whatever vectors the machine has. */
typedef uint32_t row __attribute__((vector_size(16)));

static inline row rotl(row x, int k)
{
    return (x << k) | (x >> (32 - k));
}

static inline void quarter_rounds(row x[4])
{
    x[0] += x[1];
    x[3] = rotl(x[3] ^ x[0], 16);
    x[2] += x[3];
    x[1] = rotl(x[1] ^ x[2], 12);
    x[0] += x[1];
    x[3] = rotl(x[3] ^ x[0], 8);
    x[2] += x[3];
    x[1] = rotl(x[1] ^ x[2], 7);
}

/* Moves row I round by I words (and back), so that the diagonals of the state become its columns. */
static inline void to_diagonals(row x[4])
{
    x[1] = __builtin_shufflevector(x[1], x[1], 1, 2, 3, 0);
    x[2] = __builtin_shufflevector(x[2], x[2], 2, 3, 0, 1);
    x[3] = __builtin_shufflevector(x[3], x[3], 3, 0, 1, 2);
}

static inline void to_columns(row x[4])
{
    x[1] = __builtin_shufflevector(x[1], x[1], 3, 0, 1, 2);
    x[2] = __builtin_shufflevector(x[2], x[2], 2, 3, 0, 1);
    x[3] = __builtin_shufflevector(x[3], x[3], 1, 2, 3, 0);
}

static void chacha20_block(const uint32_t state[16], uint8_t out[64])
{
    row x[4];
    memcpy(x, state, sizeof(x));
    for (int i = 0; i < 10; i++) {
        quarter_rounds(x);
        to_diagonals(x);
        quarter_rounds(x);
        to_columns(x);
    }
    for (int i = 0; i < 16; i++) put_le32(out + 4 * i, x[i / 4][i % 4] + state[i]);
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
