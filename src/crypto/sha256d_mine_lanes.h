/* The body of the kernels that search in lanes (FIPS 180-4): included once by each, which defines
 *   LANES   how many headers at once: 1, 4, 8, 16
 *   TARGET  the attributes of functions that may use the instructions meant
 *   SCAN    the name of the function to make, a mine_scan_fn
 * It is written in the compilers' vectors, so that the same text is tested on a processor without the instructions.
 * Against a plain double hash it saves the first block, three rounds of the second, and what the last four rounds do
 * for words of the hash that nobody looks at. */
#include "crypto/sha256d_mine.h"

#define INLINE __attribute__((always_inline)) TARGET static inline

#if LANES == 1
typedef uint32_t lanes_t;
#define SPLAT(V) ((uint32_t)(V))
#else
typedef uint32_t lanes_t __attribute__((vector_size(4 * LANES)));
#define SPLAT(V) ((lanes_t){0} + (uint32_t)(V))
#endif

#define ROTR(X, N) ((X) >> (N) | (X) << (32 - (N)))
#define SMALL0(X)  (ROTR(X, 7) ^ ROTR(X, 18) ^ (X) >> 3)
#define SMALL1(X)  (ROTR(X, 17) ^ ROTR(X, 19) ^ (X) >> 10)
#define BIG0(X)    (ROTR(X, 2) ^ ROTR(X, 13) ^ ROTR(X, 22))
#define BIG1(X)    (ROTR(X, 6) ^ ROTR(X, 11) ^ ROTR(X, 25))

/* One round; KW is constant plus word. The caller turns the names round instead of moving the registers. BC is B ^ C,
 * which the round before had as its A ^ B. */
#define ROUND(A, B, C, D, E, F, G, H, KW)                                                                              \
    do {                                                                                                               \
        lanes_t t_ = (H) + (KW) + BIG1(E) + ((G) ^ ((E) & ((F) ^ (G))));                                               \
        lanes_t ab_ = (A) ^ (B);                                                                                       \
        (D) += t_;                                                                                                     \
        (H) = t_ + BIG0(A) + ((B) ^ (ab_ & bc));                                                                       \
        bc = ab_;                                                                                                      \
    } while (0)

/* Word I (16 or more) of the schedule, kept in a ring of sixteen. */
#define NEXT(I) (w[(I)&15] += SMALL0(w[((I) + 1) & 15]) + w[((I) + 9) & 15] + SMALL1(w[((I) + 14) & 15]))
#define KW(I)   (k[I] + ((I) < 16 ? w[I] : NEXT(I)))

#define R0(I) ROUND(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], KW(I))
#define R1(I) ROUND(s[7], s[0], s[1], s[2], s[3], s[4], s[5], s[6], KW(I))
#define R2(I) ROUND(s[6], s[7], s[0], s[1], s[2], s[3], s[4], s[5], KW(I))
#define R3(I) ROUND(s[5], s[6], s[7], s[0], s[1], s[2], s[3], s[4], KW(I))
#define R4(I) ROUND(s[4], s[5], s[6], s[7], s[0], s[1], s[2], s[3], KW(I))
#define R5(I) ROUND(s[3], s[4], s[5], s[6], s[7], s[0], s[1], s[2], KW(I))
#define R6(I) ROUND(s[2], s[3], s[4], s[5], s[6], s[7], s[0], s[1], KW(I))
#define R7(I) ROUND(s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], KW(I))

#define EIGHT(I)                                                                                                       \
    R0(I);                                                                                                             \
    R1((I) + 1);                                                                                                       \
    R2((I) + 2);                                                                                                       \
    R3((I) + 3);                                                                                                       \
    R4((I) + 4);                                                                                                       \
    R5((I) + 5);                                                                                                       \
    R6((I) + 6);                                                                                                       \
    R7((I) + 7)

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* The hash of the header's second block: 64 rounds less the three that PRE already went through. */
INLINE void first_hash(lanes_t out[8], const struct mine_job *job, const uint32_t pre[8], lanes_t nonce,
                       const lanes_t k[64])
{
    lanes_t s[8], w[16];
    for (int i = 0; i < 8; i++) s[i] = SPLAT(pre[i]);
    lanes_t bc = s[6] ^ s[7]; /* B and C of round 3 */
    for (int i = 0; i < 3; i++) w[i] = SPLAT(job->tail[i]);
    w[3] = nonce;
    w[4] = SPLAT(0x80000000u);
    for (int i = 5; i < 15; i++) w[i] = SPLAT(0);
    w[15] = SPLAT(640); /* bits */
    R3(3);
    R4(4);
    R5(5);
    R6(6);
    R7(7);
    EIGHT(8);
    EIGHT(16);
    EIGHT(24);
    EIGHT(32);
    EIGHT(40);
    EIGHT(48);
    EIGHT(56);
    for (int i = 0; i < 8; i++) out[i] = s[i] + SPLAT(job->mid[i]);
}

/* Word 7 of the hash of a hash, which after round 60 nothing changes any more. */
INLINE lanes_t second_hash(const lanes_t in[8], const lanes_t k[64])
{
    lanes_t s[8], w[16];
    for (int i = 0; i < 8; i++) s[i] = SPLAT(initial[i]);
    lanes_t bc = s[1] ^ s[2];
    for (int i = 0; i < 8; i++) w[i] = in[i];
    w[8] = SPLAT(0x80000000u);
    for (int i = 9; i < 15; i++) w[i] = SPLAT(0);
    w[15] = SPLAT(256); /* bits */
    EIGHT(0);
    EIGHT(8);
    EIGHT(16);
    EIGHT(24);
    EIGHT(32);
    EIGHT(40);
    EIGHT(48);
    R0(56);
    R1(57);
    R2(58);
    R3(59);
    R4(60);
    return s[7] + SPLAT(initial[7]);
}

INLINE lanes_t swap_bytes(lanes_t v)
{
    lanes_t pairs = (v & 0x00ff00ff) << 8 | (v >> 8 & 0x00ff00ff);
    return pairs << 16 | pairs >> 16;
}

/* Rounds 0 to 2, which do not see the nonce. */
static void pre_rounds(uint32_t pre[8], const struct mine_job *job)
{
    uint32_t r[8];
    for (int i = 0; i < 8; i++) r[i] = job->mid[i];
    for (int i = 0; i < 3; i++) {
        uint32_t t = r[7] + round_constants[i] + job->tail[i] + BIG1(r[4]) + (r[6] ^ (r[4] & (r[5] ^ r[6])));
        uint32_t u = BIG0(r[0]) + ((r[0] & r[1]) | (r[2] & (r[0] | r[1])));
        for (int k = 7; k > 0; k--) r[k] = r[k - 1];
        r[4] += t;
        r[0] = t + u;
    }
    /* The names are turned by three: what is A now has the name that A has in round 3. */
    for (int i = 0; i < 8; i++) pre[(i + 5) & 7] = r[i];
}

TARGET bool SCAN(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    union {
        lanes_t all;
        uint32_t each[LANES];
    } at, top;
    uint32_t pre[8];
    lanes_t k[64];
    pre_rounds(pre, job);
    for (int i = 0; i < 64; i++) k[i] = SPLAT(round_constants[i]);
    __asm__ volatile("" : : "r"(k) : "memory"); /* constants that are read, not made anew from instructions each time */
    /* The nonce stands in the header as a little-endian number, the words are big-endian. */
    for (uint32_t i = 0; i < LANES; i++) at.each[i] = first + i;
    for (uint64_t done = 0; done < count; done += LANES) {
        lanes_t hash[8];
        first_hash(hash, job, pre, swap_bytes(at.all), k);
        top.all = swap_bytes(second_hash(hash, k));
        uint32_t any = 0;
        for (uint32_t i = 0; i < LANES; i++) any |= top.each[i] <= job->limit;
        for (uint32_t i = 0; any && i < LANES && done + i < count; i++) {
            if (top.each[i] > job->limit) continue;
            *nonce = at.each[i];
            return true;
        }
        at.all += LANES;
    }
    return false;
}
