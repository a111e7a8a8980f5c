/* Warnings for the owner. */
#include "node/warnings.h"

#include <stdio.h>

#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "node/reorgs.h"

/* Bits that deployments may use; miners roll the others as they like (BIP323). */
enum { BITS = 5, MAIN_THRESHOLD = 1815, INVALID_BLOCKS_AHEAD = 6 };

#define TOP_BITS UINT32_C(0x20000000)
#define TOP_MASK UINT32_C(0xe0000000)

/* Bits that enough headers of the period ending with LAST set without our expecting them. */
static uint32_t period_bits(const struct chain_params *p, const struct header_node *last, int32_t period,
                            int32_t threshold)
{
    int32_t counts[BITS] = {0};
    const struct header_node *n = last;
    for (int32_t i = 0; i < period && n; i++, n = n->prev) {
        uint32_t version = (uint32_t)n->version;
        if ((version & TOP_MASK) != TOP_BITS || n->height < p->min_bip9_warning_height) continue;
        for (int b = 0; b < BITS; b++) counts[b] += version >> b & 1;
    }
    uint32_t expected = n ? (uint32_t)versionbits_compute(p, n) : 0, bits = 0;
    for (int b = 0; b < BITS; b++)
        if (counts[b] >= threshold && !(expected >> b & 1)) bits |= UINT32_C(1) << b;
    return bits;
}

uint32_t unknown_version_bits(const struct chain_params *p, const struct header_node *tip, uint32_t *active)
{
    int32_t period = p->type == CHAIN_MAIN ? 2016 : retarget_interval(p);
    int32_t threshold = p->type == CHAIN_MAIN ? MAIN_THRESHOLD : period * 3 / 4;
    int32_t end = tip->height - (tip->height + 1) % period; /* the newest period that is complete */
    uint32_t locked_in = 0;
    *active = 0;
    for (int32_t h = end; h > p->min_bip9_warning_height && h > period; h -= period) {
        uint32_t bits = period_bits(p, header_ancestor(tip, h), period, threshold);
        locked_in |= bits;
        if (h < end) *active |= bits;
    }
    return locked_in;
}

static void check_bits(struct warnings *w, const struct chain *c, const struct header_node *tip)
{
    uint32_t active;
    unknown_version_bits(&c->params, tip, &active);
    w->text[WARNING_UNKNOWN_RULES][0] = 0;
    for (int b = 0; b < BITS; b++)
        if (active >> b & 1)
            snprintf(w->text[WARNING_UNKNOWN_RULES], WARNING_TEXT, "Unknown new rules activated (versionbit %d)", b);
}

static void check_invalid_chain(struct warnings *w, const struct chain *c, const struct header_node *tip)
{
    struct u256 limit = u256_add(tip->chainwork, u256_mul_u32(pow_work(tip->bits), INVALID_BLOCKS_AHEAD));
    bool ahead = c->best_invalid && u256_cmp(c->best_invalid->header.chainwork, limit) > 0;
    snprintf(w->text[WARNING_INVALID_CHAIN], WARNING_TEXT, "%s",
             ahead ? "Warning: Found invalid chain more than 6 blocks longer than our best chain. This could be due to "
                     "database corruption or consensus incompatibility with peers."
                   : "");
}

unsigned warnings_update(struct warnings *w, struct chain *c)
{
    const struct block_node *tip = chain_tip(c);
    if (!tip) return 0;
    bool had[WARNING_KINDS];
    for (int k = 0; k < WARNING_KINDS; k++) had[k] = w->text[k][0];
    /* States change only where a period ends. */
    if (!w->bits_checked_at || (tip->header.height + 1) % retarget_interval(&c->params) == 0) {
        check_bits(w, c, &tip->header);
        w->bits_checked_at = tip->header.height;
    }
    check_invalid_chain(w, c, &tip->header);
    unsigned fresh = 0;
    for (int k = 0; k < WARNING_KINDS; k++)
        if (w->text[k][0] && !had[k]) fresh |= 1u << k;
    return fresh;
}

void warnings_set_reorg(struct warnings *w, const struct reorg *o)
{
    char *text = w->text[WARNING_REORGANISATION];
    text[0] = 0;
    if (!o) return;
    snprintf(text, WARNING_TEXT,
             "Warning: A reorganisation threw away %u blocks, those from height %d on, and reversed %llu payments, %zu "
             "of them for good. Wait for more confirmations than usual; getreorgs has the details.",
             o->depth, o->fork_height + 1, (unsigned long long)reorg_reversed(o), o->fates[REORG_CONFLICTED]);
}
