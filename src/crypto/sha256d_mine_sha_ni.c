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

#define CONSTANTS(I) _mm_load_si128((const __m128i *)(const void *)(round_constants + (I)))

/* Four rounds on words with their constants added. */
INLINE void four_rounds(struct state *s, __m128i kw)
{
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, kw);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(kw, 0x0e));
}

/* The four words behind M[I], M[I + 1] ... of the ring, in place of the oldest, from OLDER, the part that the oldest
 * give; M needs only the last two. */
INLINE void extend_from(__m128i m[4], int i, __m128i older)
{
    older = _mm_add_epi32(older, _mm_alignr_epi8(m[(i + 3) & 3], m[(i + 2) & 3], 4));
    m[i & 3] = _mm_sha256msg2_epu32(older, m[(i + 3) & 3]);
}

INLINE void extend(__m128i m[4], int i)
{
    extend_from(m, i, _mm_sha256msg1_epu32(m[i & 3], m[(i + 1) & 3]));
}

/* Words and rounds 4*FROM to 4*END - 1 of all ways, in step. */
INLINE void rounds(struct state s[WAYS], __m128i m[WAYS][4], int from, int end)
{
#pragma GCC unroll 16
    for (int i = from; i < end; i++) {
#pragma GCC unroll 2
        for (int way = 0; way < WAYS; way++) {
            extend(m[way], i);
            four_rounds(&s[way], _mm_add_epi32(m[way][i & 3], CONSTANTS(4 * i)));
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

/* What is the same for every nonce of a job. Words 4 to 15 of the first block are constants; the nonce is word 3. */
struct fixed {
    struct state mid;  /* before the block */
    __m128i cdgh;      /* after rounds 0 and 1 */
    __m128i kw2;       /* words 2 and 3, with their constants, less the nonce; the rest is nothing */
    __m128i w12, w16;  /* words 12 to 15; 16 to 19, less what the nonce adds to 18 and 19 */
    __m128i older[3];  /* what older words give to words 20 to 23 (all but their own), 24 to 27, 28 to 31 */
    __m128i second_w8; /* of the second block: words 8 to 11; they alone give to words 24 to 27 */
    __m128i second_w12;
};

INLINE uint32_t small0(uint32_t x)
{
    return (x >> 7 | x << 25) ^ (x >> 18 | x << 14) ^ x >> 3;
}

INLINE struct fixed prepare(const struct mine_job *job)
{
    struct fixed f = {.mid = pack(job->mid)};
    __m128i w[4] = {_mm_set_epi32(0, (int)job->tail[2], (int)job->tail[1], (int)job->tail[0]),
                    _mm_set_epi32(0, 0, 0, (int)0x80000000u), _mm_setzero_si128(), _mm_set_epi32(640, 0, 0, 0)};
    __m128i kw = _mm_add_epi32(w[0], CONSTANTS(0));
    f.cdgh = _mm_sha256rnds2_epu32(f.mid.cdgh, f.mid.abef, kw);
    f.kw2 = _mm_srli_si128(kw, 8);
    f.w12 = w[3];
    f.older[0] = _mm_sha256msg1_epu32(w[1], w[2]);
    f.older[1] = _mm_sha256msg1_epu32(w[2], w[3]);
    extend(w, 4);
    f.w16 = w[0];
    f.older[0] = _mm_add_epi32(f.older[0], _mm_alignr_epi8(w[0], w[3], 4));
    f.older[2] = _mm_sha256msg1_epu32(w[3], w[0]);
    f.second_w8 = _mm_set_epi32(0, 0, 0, (int)0x80000000u);
    f.second_w12 = _mm_set_epi32(256, 0, 0, 0); /* bits */
    return f;
}

/* The hash of the header's second block. */
INLINE void first_hash(struct state s[WAYS], const struct fixed *f, uint32_t nonce)
{
    __m128i m[WAYS][4];
#pragma GCC unroll 2
    for (int way = 0; way < WAYS; way++) {
        uint32_t word = __builtin_bswap32(nonce + (uint32_t)way);
        s[way] = (struct state){.abef = f->mid.abef, .cdgh = f->cdgh};
        __m128i kw = _mm_add_epi32(f->kw2, _mm_set_epi32(0, 0, (int)word, 0));
        s[way].abef = _mm_sha256rnds2_epu32(s[way].abef, s[way].cdgh, kw);
        m[way][0] = _mm_add_epi32(f->w16, _mm_set_epi32((int)word, (int)small0(word), 0, 0));
        m[way][3] = f->w12;
    }
#pragma GCC unroll 3
    for (int i = 1; i < 4; i++) {
        __m128i word = i == 1 ? _mm_set_epi32(0, 0, 0, (int)0x80000000u) : i == 2 ? _mm_setzero_si128() : f->w12;
        for (int way = 0; way < WAYS; way++) four_rounds(&s[way], _mm_add_epi32(word, CONSTANTS(4 * i)));
    }
#pragma GCC unroll 4
    for (int i = 4; i < 8; i++) {
#pragma GCC unroll 2
        for (int way = 0; way < WAYS; way++) {
            if (i == 5) m[way][1] = _mm_sha256msg2_epu32(f->older[0], m[way][0]);
            if (i > 5) extend_from(m[way], i, f->older[i - 5]);
            four_rounds(&s[way], _mm_add_epi32(m[way][i & 3], CONSTANTS(4 * i)));
        }
    }
    rounds(s, m, 8, 16);
}

/* The top words of the double hashes of WAYS nonces from NONCE on. */
INLINE void hash(uint32_t top[WAYS], const struct fixed *f, uint32_t nonce)
{
    struct state s[WAYS];
    __m128i m[WAYS][4];
    first_hash(s, f, nonce);
    for (int way = 0; way < WAYS; way++) {
        s[way].abef = _mm_add_epi32(s[way].abef, f->mid.abef);
        s[way].cdgh = _mm_add_epi32(s[way].cdgh, f->mid.cdgh);
        unpack(m[way], &s[way]);
        m[way][2] = f->second_w8;
        m[way][3] = f->second_w12;
        s[way] = pack(initial);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
#pragma GCC unroll 2
        for (int way = 0; way < WAYS; way++) {
            if (i == 6) /* of zeroes and the bit behind the message nothing else comes */
                extend_from(m[way], i, f->second_w8);
            else if (i >= 4)
                extend(m[way], i);
            four_rounds(&s[way], _mm_add_epi32(m[way][i & 3], CONSTANTS(4 * i)));
        }
    }
    rounds(s, m, 8, 15);
    for (int way = 0; way < WAYS; way++) {
        extend(m[way], 15);
        __m128i kw = _mm_add_epi32(m[way][3], CONSTANTS(60));
        s[way].abef = _mm_sha256rnds2_epu32(s[way].cdgh, s[way].abef, kw);
        top[way] = top_word(&s[way]);
    }
}

__attribute__((target("sha,sse4.1"))) bool mine_scan_sha_ni(const struct mine_job *job, uint32_t first, uint64_t count,
                                                            uint32_t *nonce)
{
    struct fixed fixed = prepare(job);
    for (uint64_t done = 0; done < count; done += WAYS) {
        uint32_t top[WAYS];
        hash(top, &fixed, first + (uint32_t)done);
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
