/* Proof of work: compact targets, retargets, chain work. */
#include "consensus/pow.h"

#include "base/check.h"

enum { RETARGET_CLAMP = 4 }; /* a target moves by at most this factor at once */

struct u256 compact_to_target(uint32_t bits, bool *negative, bool *overflow)
{
    unsigned size = bits >> 24;
    uint32_t word = bits & 0x007fffff;
    if (size <= 3) word >>= 8 * (3 - size);
    if (negative) *negative = word != 0 && (bits & 0x00800000) != 0;
    if (overflow) *overflow = word != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32));
    struct u256 v = u256_from_u64(word);
    return size <= 3 ? v : u256_shl(v, 8 * (size - 3));
}

uint32_t target_to_compact(struct u256 target)
{
    uint32_t size = (u256_bits(target) + 7) / 8;
    uint32_t word =
        size <= 3 ? (uint32_t)target.w[0] << 8 * (3 - size) : (uint32_t)u256_shr(target, 8 * (size - 3)).w[0];
    if (word & 0x00800000) { /* would read as a sign */
        word >>= 8;
        size++;
    }
    return word | size << 24;
}

/* Expands BITS; false where it is negative, zero or too large for a number of 256 bits. */
static bool usable_target(struct u256 *target, uint32_t bits)
{
    bool negative, overflow;
    *target = compact_to_target(bits, &negative, &overflow);
    return !negative && !overflow && !u256_is_zero(*target);
}

bool pow_check(const struct block_hash *hash, uint32_t bits, const struct chain_params *p)
{
    struct u256 target;
    if (!usable_target(&target, bits) || u256_cmp(target, p->pow_limit) > 0) return false;
    return u256_cmp(u256_from_le(hash->bytes), target) <= 0;
}

struct u256 pow_work(uint32_t bits)
{
    struct u256 target;
    if (!usable_target(&target, bits)) return u256_from_u64(0);
    /* 2^256 / (t + 1) does not fit the type, but equals (2^256 - 1 - t) / (t + 1) + 1. */
    struct u256 one = u256_from_u64(1);
    return u256_add(u256_div(u256_not(target), u256_add(target, one)), one);
}

/* BITS * SPAN / the target timespan, at most the network's limit. Modulo 2^256 as every node computes it. */
static struct u256 scaled_target(uint32_t bits, int64_t span_s, const struct chain_params *p)
{
    struct u256 t = u256_mul_u32(compact_to_target(bits, NULL, NULL), (uint32_t)span_s);
    t = u256_div(t, u256_from_u64((uint64_t)p->target_timespan_s));
    return u256_cmp(t, p->pow_limit) > 0 ? p->pow_limit : t;
}

uint32_t pow_retarget(uint32_t last_bits, uint32_t last_time, uint32_t first_bits, uint32_t first_time,
                      const struct chain_params *p)
{
    if (p->no_retargeting) return last_bits;
    int64_t span_s = (int64_t)last_time - first_time;
    int64_t least = p->target_timespan_s / RETARGET_CLAMP, most = p->target_timespan_s * RETARGET_CLAMP;
    if (span_s < least) span_s = least;
    if (span_s > most) span_s = most;
    return target_to_compact(scaled_target(p->enforce_bip94 ? first_bits : last_bits, span_s, p));
}

/* Within a period where the 20-minute rule holds: the limit after a long pause, else the bits of the nearest header
 * that is not at the limit (or begins the period). */
static uint32_t min_difficulty_bits(const struct header_node *prev, uint32_t time, const struct chain_params *p)
{
    if ((int64_t)time > (int64_t)prev->time + p->target_spacing_s * 2) return p->pow_limit_bits;
    const struct header_node *n = prev;
    while (n->prev && n->height % retarget_interval(p) != 0 && n->bits == p->pow_limit_bits) n = n->prev;
    return n->bits;
}

uint32_t pow_next_bits(const struct header_node *prev, uint32_t time, const struct chain_params *p)
{
    int32_t interval = retarget_interval(p);
    if ((prev->height + 1) % interval != 0)
        return p->allow_min_difficulty ? min_difficulty_bits(prev, time, p) : prev->bits;
    const struct header_node *first = header_ancestor(prev, prev->height - (interval - 1));
    CHECK(first);
    return pow_retarget(prev->bits, prev->time, first->bits, first->time, p);
}

bool pow_permitted_transition(const struct chain_params *p, int32_t height, uint32_t old_bits, uint32_t new_bits)
{
    if (p->allow_min_difficulty) return true;
    if (height % retarget_interval(p) != 0) return old_bits == new_bits;
    /* The bounds are rounded through the compact form, as a real retarget would be. */
    struct u256 seen = compact_to_target(new_bits, NULL, NULL);
    struct u256 easiest = scaled_target(old_bits, p->target_timespan_s * RETARGET_CLAMP, p);
    struct u256 hardest = scaled_target(old_bits, p->target_timespan_s / RETARGET_CLAMP, p);
    easiest = compact_to_target(target_to_compact(easiest), NULL, NULL);
    hardest = compact_to_target(target_to_compact(hardest), NULL, NULL);
    return u256_cmp(easiest, seen) >= 0 && u256_cmp(hardest, seen) <= 0;
}

double pow_difficulty(uint32_t bits)
{
    unsigned shift = bits >> 24;
    double difficulty = (double)0x0000ffff / (double)(bits & 0x00ffffff);
    for (; shift < 29; shift++) difficulty *= 256.0;
    for (; shift > 29; shift--) difficulty /= 256.0;
    return difficulty;
}
