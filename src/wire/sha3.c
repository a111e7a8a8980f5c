/* SHA3-256: the Keccak permutation over a state of 25 lanes, written out for clarity: it hashes 50 bytes at a time that
 * somebody typed. */
#include "wire/sha3.h"

#include "base/endian.h"

enum { RATE = 136, ROUNDS = 24, LANES = 25 }; /* rate: bytes of the state that take input */

static uint64_t rotate(uint64_t v, unsigned bits)
{
    return bits ? v << bits | v >> (64 - bits) : v;
}

/* Each column gets the parity of its two neighbours. */
static void theta(uint64_t a[LANES])
{
    uint64_t c[5];
    for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int x = 0; x < 5; x++) {
        uint64_t d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
        for (int y = 0; y < LANES; y += 5) a[y + x] ^= d;
    }
}

/* Lanes are rotated by triangular numbers on their way along one long cycle. */
static void rho_pi(uint64_t a[LANES])
{
    unsigned x = 1, y = 0;
    uint64_t moving = a[1];
    for (unsigned t = 1; t < LANES; t++) {
        unsigned next = (2 * x + 3 * y) % 5;
        x = y;
        y = next;
        uint64_t held = a[x + 5 * y];
        a[x + 5 * y] = rotate(moving, t * (t + 1) / 2 % 64);
        moving = held;
    }
}

static void chi(uint64_t a[LANES])
{
    for (int y = 0; y < LANES; y += 5) {
        uint64_t row[5];
        memcpy(row, a + y, sizeof(row));
        for (int x = 0; x < 5; x++) a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

/* The next bit of the generator of the round constants. */
static unsigned lfsr(uint8_t *state)
{
    unsigned bit = *state & 1;
    *state = (uint8_t)(*state << 1 ^ (*state & 0x80 ? 0x71 : 0));
    return bit;
}

static void permute(uint64_t a[LANES])
{
    uint8_t state = 1;
    for (int round = 0; round < ROUNDS; round++) {
        theta(a);
        rho_pi(a);
        chi(a);
        for (int j = 0; j < 7; j++)
            if (lfsr(&state)) a[0] ^= UINT64_C(1) << ((1 << j) - 1);
    }
}

static void absorb(uint64_t a[LANES], const uint8_t block[RATE])
{
    for (int i = 0; i < RATE / 8; i++) a[i] ^= get_le64(block + 8 * i);
    permute(a);
}

void sha3_256(uint8_t out[32], struct span data)
{
    uint64_t a[LANES] = {0};
    for (; data.len >= RATE; data = span_of(data.data + RATE, data.len - RATE)) absorb(a, data.data);
    uint8_t last[RATE] = {0};
    if (data.len) memcpy(last, data.data, data.len);
    last[data.len] = 0x06;
    last[RATE - 1] |= 0x80;
    absorb(a, last);
    for (int i = 0; i < 4; i++) put_le64(out + 8 * i, a[i]);
}
