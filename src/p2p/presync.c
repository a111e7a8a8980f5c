/* The two passes over headers whose chain has too little work to be kept: the first leaves salted commitments of one
 * bit, the second compares them and gives out what lies deep enough under them. Follows the design that Bitcoin Core
 * has had since 24.0. */
#include "p2p/presync.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/pow.h"
#include "crypto/siphash.h"
#include "p2p/headers.h"

enum {
    BITS_STEP = 4096,       /* bytes by which the commitments grow */
    MAX_BLOCKS_A_SECOND = 6 /* what the median-time rule lets a chain have, in the long run */
};

/* A header without its parent's hash: 48 bytes. */
struct slim_header {
    int32_t version;
    uint8_t merkle_root[32];
    uint32_t time;
    uint32_t bits;
    uint32_t nonce;
};

_Static_assert(sizeof(struct slim_header) == 48, "the memory for the second pass is reckoned with this size");

struct presync {
    const struct chain_params *params;
    const struct block_node *start;
    struct u256 minimum_work;
    enum presync_state state;
    uint64_t key[2];
    uint32_t offset; /* headers at heights that leave this rest are committed to */

    /* First pass. */
    struct u256 work;
    struct block_hash last_hash;
    uint32_t last_bits, last_time;
    int32_t height;
    uint8_t *bits;
    size_t bits_cap; /* bytes */
    uint64_t bit_count, bits_read, max_bits;

    /* Second pass: a ring. */
    struct slim_header *held;
    size_t held_first, held_count, held_cap;
    int32_t held_height;         /* of the last one held */
    struct block_hash held_last; /* its hash */
    struct block_hash held_prev; /* parent of the first one held */
    uint32_t held_bits;          /* of the last one */
    struct u256 held_work;       /* of the chain with the last one */
    bool release_all;            /* the work is there: no more need to hold back */
};

struct presync *presync_new(const struct chain_params *params, const struct block_node *start,
                            const struct u256 *minimum_work, int64_t now_s, struct random *secret)
{
    struct presync *s = mem_calloc(1, sizeof(*s));
    const struct header_node *h = &start->header;
    CHECK(params->headers_commitment_period > 0);
    s->params = params;
    s->start = start;
    s->minimum_work = *minimum_work;
    s->offset = (uint32_t)random_below(secret, params->headers_commitment_period);
    s->key[0] = random_u64(secret);
    s->key[1] = random_u64(secret);
    s->work = h->chainwork;
    s->last_hash = h->hash;
    s->last_bits = h->bits;
    s->last_time = h->time;
    s->height = h->height;
    int64_t seconds = now_s - header_median_time(h) + MAX_FUTURE_BLOCK_TIME_S;
    if (seconds > 0) s->max_bits = MAX_BLOCKS_A_SECOND * (uint64_t)seconds / params->headers_commitment_period;
    return s;
}

void presync_free(struct presync *s)
{
    if (!s) return;
    free(s->bits);
    free(s->held);
    free(s);
}

/* Over: keys are never used for a second sync, and the memory goes at once. */
static void finish(struct presync *s)
{
    free(s->bits);
    free(s->held);
    s->bits = NULL;
    s->held = NULL;
    s->bits_cap = s->held_cap = s->held_first = s->held_count = 0;
    s->bit_count = s->bits_read = 0;
    s->state = PRESYNC_FINAL;
}

static bool fail(struct presync_result *out, const char *why, int32_t height)
{
    out->why = why;
    out->height = height;
    return false;
}

static bool commitment_of(const struct presync *s, const struct block_hash *hash)
{
    return siphash24_hash(s->key[0], s->key[1], hash->bytes) & 1;
}

static bool is_committed(const struct presync *s, int32_t height)
{
    return (uint32_t)height % s->params->headers_commitment_period == s->offset;
}

static void add_bit(struct presync *s, bool bit)
{
    size_t byte = (size_t)(s->bit_count / 8);
    if (byte == s->bits_cap) {
        s->bits = mem_realloc(s->bits, s->bits_cap + BITS_STEP, 1);
        memset(s->bits + s->bits_cap, 0, BITS_STEP);
        s->bits_cap += BITS_STEP;
    }
    s->bits[byte] |= (uint8_t)(bit << (s->bit_count % 8));
    s->bit_count++;
}

static bool next_bit(struct presync *s)
{
    uint64_t at = s->bits_read++;
    return s->bits[at / 8] >> (at % 8) & 1;
}

/* ---- first pass ---- */

static bool count_header(struct presync *s, const struct block_header *h, struct presync_result *out)
{
    int32_t height = s->height + 1;
    if (!pow_permitted_transition(s->params, height, s->last_bits, h->bits))
        return fail(out, "invalid difficulty transition", height);
    if (is_committed(s, height)) {
        struct block_hash hash;
        if (s->bit_count >= s->max_bits) return fail(out, "exceeded max commitments", height);
        block_header_hash(&hash, h);
        add_bit(s, commitment_of(s, &hash));
    }
    s->work = u256_add(s->work, pow_work(h->bits));
    s->last_bits = h->bits;
    s->last_time = h->time;
    s->height = height;
    return true;
}

static void begin_redownload(struct presync *s)
{
    const struct header_node *h = &s->start->header;
    s->held_height = h->height;
    s->held_prev = s->held_last = h->hash;
    s->held_bits = h->bits;
    s->held_work = h->chainwork;
    s->state = PRESYNC_REDOWNLOAD;
}

static void count_headers(struct presync *s, const struct block_header *headers, size_t count, bool full,
                          struct presync_result *out)
{
    out->ok = block_hash_equal(&headers[0].prev, &s->last_hash) || fail(out, "non-continuous headers", s->height);
    for (size_t i = 0; i < count && out->ok; i++) out->ok = count_header(s, &headers[i], out);
    if (!out->ok) return;
    block_header_hash(&s->last_hash, &headers[count - 1]);
    if (u256_cmp(s->work, s->minimum_work) >= 0) begin_redownload(s);
    out->request_more = full || s->state == PRESYNC_REDOWNLOAD;
    if (!out->request_more) (void)fail(out, "incomplete headers message", s->height);
}

/* ---- second pass ---- */

static void hold(struct presync *s, const struct block_header *h)
{
    if (s->held_count == s->held_cap) {
        /* The ring is straightened into a larger one. */
        size_t cap = s->held_cap ? s->held_cap * 2 : MAX_HEADERS;
        size_t most = s->params->headers_redownload_size + MAX_HEADERS;
        if (cap > most && most > s->held_count) cap = most;
        struct slim_header *grown = mem_alloc(cap * sizeof(*grown));
        for (size_t i = 0; i < s->held_count; i++) grown[i] = s->held[(s->held_first + i) % s->held_cap];
        free(s->held);
        s->held = grown;
        s->held_cap = cap;
        s->held_first = 0;
    }
    struct slim_header *slim = &s->held[(s->held_first + s->held_count++) % s->held_cap];
    slim->version = h->version;
    memcpy(slim->merkle_root, h->merkle_root, 32);
    slim->time = h->time;
    slim->bits = h->bits;
    slim->nonce = h->nonce;
}

static void release_first(struct presync *s, struct block_header *out)
{
    const struct slim_header *slim = &s->held[s->held_first];
    out->version = slim->version;
    out->prev = s->held_prev;
    memcpy(out->merkle_root, slim->merkle_root, 32);
    out->time = slim->time;
    out->bits = slim->bits;
    out->nonce = slim->nonce;
    block_header_hash(&s->held_prev, out);
    s->held_first = (s->held_first + 1) % s->held_cap;
    s->held_count--;
}

static bool redownload_header(struct presync *s, const struct block_header *h, struct presync_result *out)
{
    int32_t height = s->held_height + 1;
    struct block_hash hash;
    if (!block_hash_equal(&h->prev, &s->held_last)) return fail(out, "non-continuous headers", height);
    if (!pow_permitted_transition(s->params, height, s->held_bits, h->bits))
        return fail(out, "invalid difficulty transition", height);
    block_header_hash(&hash, h);
    s->held_work = u256_add(s->held_work, pow_work(h->bits));
    if (u256_cmp(s->held_work, s->minimum_work) >= 0) s->release_all = true;
    /* Beyond the target there may be no commitments: the chain can have grown since the first pass. */
    if (!s->release_all && is_committed(s, height)) {
        if (s->bits_read == s->bit_count) return fail(out, "commitment overrun", height);
        if (next_bit(s) != commitment_of(s, &hash)) return fail(out, "commitment mismatch", height);
    }
    hold(s, h);
    s->held_height = height;
    s->held_last = hash;
    s->held_bits = h->bits;
    return true;
}

static void redownload_headers(struct presync *s, const struct block_header *headers, size_t count, bool full,
                               struct presync_result *out)
{
    out->ok = true;
    for (size_t i = 0; i < count && out->ok; i++) out->ok = redownload_header(s, &headers[i], out);
    if (!out->ok) return;
    size_t keep = s->release_all ? 0 : s->params->headers_redownload_size;
    if (s->held_count > keep) {
        size_t ready = s->held_count - keep;
        out->headers = mem_alloc(ready * sizeof(*out->headers));
        while (out->count < ready) release_first(s, &out->headers[out->count++]);
    }
    if (s->release_all) return;
    out->request_more = full;
    if (!full) (void)fail(out, "incomplete headers message", s->held_height);
}

void presync_process(struct presync *s, const struct block_header *headers, size_t count, bool full,
                     struct presync_result *out)
{
    *out = (struct presync_result){0};
    if (!count || s->state == PRESYNC_FINAL) return;
    if (s->state == PRESYNC_COUNTING)
        count_headers(s, headers, count, full, out);
    else
        redownload_headers(s, headers, count, full, out);
    if (!out->ok || !out->request_more) finish(s);
}

enum presync_state presync_state(const struct presync *s)
{
    return s->state;
}

size_t presync_locator(const struct presync *s, struct block_hash *out, size_t max)
{
    if (s->state == PRESYNC_FINAL || !max) return 0;
    out[0] = s->state == PRESYNC_COUNTING ? s->last_hash : s->held_last;
    return 1 + headers_locator_hashes(s->start, out + 1, max - 1);
}

int32_t presync_height(const struct presync *s)
{
    return s->height;
}

uint32_t presync_time(const struct presync *s)
{
    return s->last_time;
}

struct u256 presync_work(const struct presync *s)
{
    return s->work;
}

uint64_t presync_max_commitments(const struct presync *s)
{
    return s->max_bits;
}

size_t presync_memory(const struct presync *s)
{
    return sizeof(*s) + s->bits_cap + s->held_cap * sizeof(*s->held);
}
