/* Races by the million: the rules of race.c, eight blocks at a time.
 *
 * Chance: 64 blocks are decided at once. A block is the attacker's where a random fraction is below q; the fractions
 * are compared bit by bit from the highest on, a word of random bits for each bit, until all 64 are decided (seven to
 * eight words). Nothing is rounded but q itself, to 2^-64.
 *
 * A table says for eight blocks how far the walk of the lead goes up, down, and where it ends: where no end of the race
 * is in reach they are one step. What is left of an octet after the z-th confirmation is thrown away: dice do not
 * remember.
 *
 * Trials come in portions of 4096 with a seed each, so that any part can be run anywhere. */
#include <string.h>

#include "lab/race.h"
#include "lab/setup.h"

enum { PORTION = 4096, BUFFERED = 512 };

/* Eight blocks, lowest bit first, 1: the attacker's. */
struct octet {
    int8_t net;       /* of the attacker's lead */
    uint8_t up, down; /* farthest on the way */
    uint8_t honest;
};

struct table {
    struct octet row[256];
    uint8_t until[256][8]; /* blocks until there are 1 ... 8 of the others; nonsense where there are fewer */
    uint64_t threshold;    /* q as a fraction of 2^64 */
};

struct dice {
    uint64_t s[4];
    size_t at;
    uint8_t blocks[BUFFERED];
};

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* xoshiro256** (base/random.c), here so that the compiler can keep its state in registers. */
static inline uint64_t draw(uint64_t s[4])
{
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static uint64_t mix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Other rules, other numbers: cells of a table with one seed are independent. */
static void dice_init(struct dice *d, const struct race_rules *r, uint64_t seed, uint64_t portion)
{
    uint64_t parts[] = {portion, r->q_ppm, r->z, r->premine, r->patience, r->budget}, x = seed;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) x = mix(&x) ^ parts[i];
    for (int i = 0; i < 4; i++) d->s[i] = mix(&x);
    d->at = BUFFERED;
}

static void dice_refill(struct dice *d, uint64_t threshold)
{
    uint64_t s[4];
    memcpy(s, d->s, sizeof(s));
    for (size_t i = 0; i < BUFFERED; i += 8) {
        uint64_t below = 0, open = UINT64_MAX;
        for (uint64_t digits = threshold; open && digits; digits <<= 1) {
            uint64_t bits = draw(s);
            if (digits >> 63) {
                below |= open & ~bits;
                open &= bits;
            } else {
                open &= ~bits;
            }
        }
        for (size_t b = 0; b < 8; b++) d->blocks[i + b] = (uint8_t)(below >> (8 * b));
    }
    memcpy(d->s, s, sizeof(s));
    d->at = 0;
}

static inline uint8_t dice_octet(struct dice *d, uint64_t threshold)
{
    if (d->at == BUFFERED) dice_refill(d, threshold);
    return d->blocks[d->at++];
}

static void table_init(struct table *t, uint32_t q_ppm)
{
    for (unsigned v = 0; v < 256; v++) {
        int lead = 0, up = 0, down = 0, honest = 0;
        for (int b = 0; b < 8; b++) {
            bool attacker = v >> b & 1;
            lead += attacker ? 1 : -1;
            if (!attacker) t->until[v][honest++] = (uint8_t)(b + 1);
            if (lead > up) up = lead;
            if (-lead > down) down = -lead;
        }
        t->row[v] = (struct octet){(int8_t)lead, (uint8_t)up, (uint8_t)down, (uint8_t)honest};
    }
    /* floor(q 2^64 / 10^6), in two halves; all of it would not fit */
    uint64_t high = ((uint64_t)q_ppm << 32) / LAB_PPM, rest = ((uint64_t)q_ppm << 32) % LAB_PPM;
    t->threshold = q_ppm >= LAB_PPM ? UINT64_MAX : high << 32 | (rest << 32) / LAB_PPM;
}

/* Where a race stands; BEHIND: the others' blocks less the attacker's and the premined ones. */
struct walk {
    unsigned honest, found;
    int behind;
    bool stolen;
};

struct limits {
    unsigned z, found;
    int premine, patience;
};

/* What is asked after each block; true: it is over. */
static inline bool is_over(const struct limits *l, struct walk *w)
{
    if (w->honest >= l->z) {
        if (w->behind < 0) return w->stolen = true;
        if (w->behind >= l->patience) return true;
    }
    return w->found >= l->found;
}

static bool one_by_one(const struct limits *l, struct walk *w, uint8_t octet)
{
    for (int b = 0; b < 8; b++) {
        int honest = !(octet >> b & 1);
        w->honest += (unsigned)honest;
        w->behind += honest ? 1 : -1;
        w->found++;
        if (is_over(l, w)) return true;
    }
    return false;
}

/* Until the z-th confirmation; true: it is over. */
static inline bool deliver(const struct table *t, const struct limits *l, struct dice *d, struct walk *w)
{
    while (w->honest < l->z) {
        uint8_t octet = dice_octet(d, t->threshold);
        unsigned missing = l->z - w->honest, honest = t->row[octet].honest, found = 8;
        if (l->found - w->found <= 8) {
            if (one_by_one(l, w, octet)) return true;
            continue;
        }
        if (honest >= missing) {
            honest = missing;
            found = t->until[octet][missing - 1];
        }
        w->honest += honest;
        w->found += found;
        w->behind += 2 * (int)honest - (int)found;
    }
    return is_over(l, w);
}

static inline void run(const struct table *t, const struct limits *l, struct dice *d, struct walk *w)
{
    *w = (struct walk){.behind = -l->premine};
    if (deliver(t, l, d, w)) return;
    for (;;) {
        uint8_t octet = dice_octet(d, t->threshold);
        struct octet o = t->row[octet];
        if ((o.up > w->behind) | (l->found - w->found <= 8)) {
            if (one_by_one(l, w, octet)) return;
            continue;
        }
        if (w->behind + o.down >= l->patience) return;
        w->honest += o.honest;
        w->behind -= o.net;
        w->found += 8;
    }
}

static void count(struct race_counts *c, const struct walk *w, bool with_histograms)
{
    c->trials++;
    if (!w->stolen) return;
    c->stolen++;
    c->depth_sum += w->honest;
    c->blocks_sum += w->found;
    if (!with_histograms) return;
    c->depth[w->honest < RACE_HISTOGRAM ? w->honest : RACE_HISTOGRAM - 1]++;
    c->blocks[w->found < RACE_HISTOGRAM ? w->found : RACE_HISTOGRAM - 1]++;
}

void race_many(const struct race_rules *r, uint64_t seed, uint64_t first, uint64_t trials, bool with_histograms,
               struct race_counts *add_to)
{
    struct table t;
    struct limits l = {.z = r->z, .found = RACE_LONGEST, .premine = (int)r->premine, .patience = RACE_LONGEST};
    if (r->budget && r->budget < RACE_LONGEST) l.found = r->budget;
    if (r->patience && r->patience < RACE_LONGEST) l.patience = (int)r->patience;
    table_init(&t, r->q_ppm);
    for (uint64_t portion = first / PORTION; trials && portion * PORTION < first + trials; portion++) {
        struct dice d;
        dice_init(&d, r, seed, portion);
        for (uint64_t i = portion * PORTION; i < (portion + 1) * PORTION && i < first + trials; i++) {
            struct walk w;
            run(&t, &l, &d, &w);
            if (i >= first) count(add_to, &w, with_histograms);
        }
    }
}
