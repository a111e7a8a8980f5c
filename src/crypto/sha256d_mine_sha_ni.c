/* Searching for proof of work by the SHA extension of x86-64, two headers at a time: while one waits for its rounds,
 * the other's run. */
#include "crypto/sha256d_mine.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE __attribute__((target("sha,sse4.1"), always_inline)) static inline

enum { WAYS = 2 };

_Alignas(16) static const uint32_t round_constants[64] = {
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

/* The registers as the instructions want them: A B E F and C D G H, the first in the top word. */
struct state {
    __m128i abef, cdgh;
};

INLINE struct state pack(const uint32_t s[8])
{
    return (struct state){_mm_set_epi32((int)s[0], (int)s[1], (int)s[4], (int)s[5]),
                          _mm_set_epi32((int)s[2], (int)s[3], (int)s[6], (int)s[7])};
}

/* Four rounds, I to I+3, on words M. */
INLINE void four_rounds(struct state *s, __m128i m, int i)
{
    __m128i kw = _mm_add_epi32(m, _mm_load_si128((const __m128i *)(const void *)(round_constants + i)));
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* The next four words of the schedule in place of the oldest, M[I & 3]. */
INLINE void extend(__m128i m[4], int i)
{
    __m128i older = _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]);
    older = _mm_add_epi32(older, _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4));
    m[i & 3] = _mm_sha256msg2_epu32(older, m[(i + 3) & 3]);
}

/* Rounds 4*FROM to 4*END - 1 of all ways, in step. */
INLINE void rounds(struct state s[WAYS], __m128i m[WAYS][4], int from, int end)
{
#pragma GCC unroll 16
    for (int i = from; i < end; i++) {
#pragma GCC unroll 2
        for (int way = 0; way < WAYS; way++) {
            if (i >= 4) extend(m[way], i);
            four_rounds(&s[way], m[way][i & 3], 4 * i);
        }
    }
}

/* The words of a hash in message order. */
INLINE void unpack(__m128i out[2], const struct state *s)
{
    __m128i feba = _mm_shuffle_epi32(s->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(s->cdgh, 0xb1);
    out[0] = _mm_blend_epi16(feba, dchg, 0xf0);
    out[1] = _mm_alignr_epi8(dchg, feba, 8);
}

/* After 62 rounds what word 7 is made of stands at F: the lowest of ABEF. */
INLINE uint32_t top_word(const struct state *s)
{
    return __builtin_bswap32((uint32_t)_mm_cvtsi128_si32(s->abef) + initial[7]);
}

/* The top words of the double hashes of WAYS nonces from NONCE on. */
INLINE void hash(uint32_t top[WAYS], const struct mine_job *job, const struct state *mid, uint32_t nonce)
{
    struct state s[WAYS];
    __m128i m[WAYS][4];
    for (int way = 0; way < WAYS; way++) {
        s[way] = *mid;
        m[way][0] = _mm_set_epi32((int)__builtin_bswap32(nonce + (uint32_t)way), (int)job->tail[2], (int)job->tail[1],
                                  (int)job->tail[0]);
        m[way][1] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
        m[way][2] = _mm_setzero_si128();
        m[way][3] = _mm_set_epi32(640, 0, 0, 0); /* bits */
    }
    rounds(s, m, 0, 16);
    for (int way = 0; way < WAYS; way++) {
        s[way].abef = _mm_add_epi32(s[way].abef, mid->abef);
        s[way].cdgh = _mm_add_epi32(s[way].cdgh, mid->cdgh);
        unpack(m[way], &s[way]);
        m[way][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
        m[way][3] = _mm_set_epi32(256, 0, 0, 0); /* bits */
        s[way] = pack(initial);
    }
    rounds(s, m, 0, 15);
    for (int way = 0; way < WAYS; way++) {
        extend(m[way], 15);
        __m128i kw = _mm_add_epi32(m[way][3], _mm_load_si128((const __m128i *)(const void *)(round_constants + 60)));
        s[way].abef = _mm_sha256rnds2_epu32(s[way].cdgh, s[way].abef, kw);
        top[way] = top_word(&s[way]);
    }
}

__attribute__((target("sha,sse4.1"))) bool mine_scan_sha_ni(const struct mine_job *job, uint32_t first, uint64_t count,
                                                            uint32_t *nonce)
{
    struct state mid = pack(job->mid);
    for (uint64_t done = 0; done < count; done += WAYS) {
        uint32_t top[WAYS];
        hash(top, job, &mid, first + (uint32_t)done);
        for (uint32_t way = 0; way < WAYS && done + way < count; way++) {
            if (top[way] > job->limit) continue;
            *nonce = first + (uint32_t)done + way;
            return true;
        }
    }
    return false;
}
#else
bool mine_scan_sha_ni(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    return mine_scan_c(job, first, count, nonce);
}
#endif
