/* Figures of a run, a row each. */
#include "lab/figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/race.h"
#include "lab/scenario.h"
#include "lab/theory.h"
#include "lab/words.h"
#include "lab/world.h"

struct seen_block {
    uint32_t parent;
    bool attacker, hidden, in_chain, empty, during; /* DURING: found after an attack began */
};

/* What the list of events comes to. */
struct digest {
    const struct lab_setup *setup;
    struct seen_block *blocks; /* by number; 0: all that went before */
    size_t count, cap;
    uint32_t tips[256];
    bool counts[256]; /* nodes of the network: not the hideout */
    size_t nodes;
    int64_t reorgs, deepest, back, dropped, gone, returned, alarms, pool;
    int64_t began_us, ended_us, heal_us, whole_us, alarm_us, paid_us, delivered_us, lost_us;
    int64_t lead; /* largest the attacker had */
    bool apart;
    struct {
        int64_t sat;
        char state[16];
    } orders[256];
};

/* ---- gathering ---- */

static void take_block(struct digest *d, const struct lab_event *e)
{
    d->blocks = mem_grow(d->blocks, &d->cap, (size_t)e->block + 1, sizeof(*d->blocks));
    while (d->count <= e->block) d->blocks[d->count++] = (struct seen_block){.parent = LAB_NONE};
    d->blocks[e->block] = (struct seen_block){
        .parent = e->other, .attacker = e->c != 0, .hidden = e->d != 0, .empty = e->b == 0, .during = d->began_us >= 0};
}

static bool one_tip(const struct digest *d)
{
    uint32_t tip = LAB_NONE;
    for (size_t i = 0; i < d->nodes; i++) {
        if (!d->counts[i]) continue;
        if (tip != LAB_NONE && tip != d->tips[i]) return false;
        tip = d->tips[i];
    }
    return true;
}

static void take_order(struct digest *d, const struct lab_event *e)
{
    if (e->a < 0 || e->a >= (int64_t)ARRAY_LEN(d->orders)) return;
    d->orders[e->a].sat = e->c;
    memcpy(d->orders[e->a].state, e->text, sizeof(d->orders[0].state) - 1);
    if (d->delivered_us < 0 && lab_trigger_matches(LAB_ON_DELIVERED, e)) d->delivered_us = e->at_us;
    if (d->lost_us < 0 && lab_trigger_matches(LAB_ON_STOLEN, e)) d->lost_us = e->at_us;
}

static void take_node(struct digest *d, const struct lab_event *e)
{
    if (e->node >= ARRAY_LEN(d->tips)) return;
    if (d->nodes <= e->node) d->nodes = (size_t)e->node + 1;
    if (e->kind == LAB_EVENT_NODE) d->counts[e->node] = e->b != LAB_ROLE_HIDEOUT;
    if (e->kind == LAB_EVENT_TIP) d->tips[e->node] = e->block;
}

static void first(int64_t *at_us, const struct lab_event *e)
{
    if (*at_us < 0) *at_us = e->at_us;
}

static void take_event(struct digest *d, const struct lab_event *e)
{
    bool secret = e->node < ARRAY_LEN(d->counts) && !d->counts[e->node];
    if (secret && (e->kind == LAB_EVENT_REORG || e->kind == LAB_EVENT_ALARM)) return;
    switch (e->kind) {
    case LAB_EVENT_BLOCK: take_block(d, e); break;
    case LAB_EVENT_SHOWN:
        if (e->block < d->count) d->blocks[e->block].hidden = false;
        break;
    case LAB_EVENT_NODE:
    case LAB_EVENT_TIP: take_node(d, e); break;
    case LAB_EVENT_REORG:
        d->reorgs++;
        if (e->a > d->deepest) d->deepest = e->a;
        if (e->b > d->back) d->back = e->b;
        break;
    case LAB_EVENT_DROPPED: *(e->a ? &d->gone : &d->dropped) += 1; break;
    case LAB_EVENT_RETURNED: d->returned++; break;
    case LAB_EVENT_POOL: d->pool = e->node == 0 ? e->a : d->pool; break;
    case LAB_EVENT_PAYMENT: first(&d->paid_us, e); break;
    case LAB_EVENT_LEDGER: take_order(d, e); break;
    case LAB_EVENT_ALARM:
        d->alarms++;
        first(&d->alarm_us, e);
        break;
    case LAB_EVENT_ATTACK:
        if (strcmp(e->text, "begins") == 0)
            first(&d->began_us, e);
        else if (strcmp(e->text, "leads") != 0 && strcmp(e->text, "publishes") != 0)
            d->ended_us = e->at_us;
        if (e->a > d->lead) d->lead = e->a;
        break;
    default: break;
    }
    if (lab_trigger_matches(LAB_ON_HEAL, e)) d->heal_us = e->at_us, d->whole_us = -1;
    if (d->heal_us >= 0 && d->whole_us < 0 && one_tip(d)) d->whole_us = e->at_us;
}

/* The chain is that of the first node. */
static void mark_chain(struct digest *d)
{
    uint32_t at = d->nodes ? d->tips[0] : 0;
    for (size_t steps = 0; at && at < d->count && steps <= d->count; steps++) {
        d->blocks[at].in_chain = true;
        at = d->blocks[at].parent;
    }
}

/* ---- rows ---- */

enum what { EACH, CHAIN, STALE, ATTACKERS, HONESTS, ATTACKERS_IN_CHAIN, CHAIN_SINCE, EMPTY_SINCE };

static int64_t blocks(const struct digest *d, enum what what)
{
    int64_t n = 0;
    for (size_t i = 1; i < d->count; i++) {
        const struct seen_block *b = &d->blocks[i];
        switch (what) {
        case EACH: n++; break;
        case CHAIN: n += b->in_chain; break;
        case STALE: n += !b->in_chain && !b->hidden; break;
        case ATTACKERS: n += b->during && b->attacker; break;
        case HONESTS: n += b->during && !b->attacker; break;
        case ATTACKERS_IN_CHAIN: n += b->during && b->attacker && b->in_chain; break;
        case CHAIN_SINCE: n += b->during && b->in_chain; break;
        case EMPTY_SINCE: n += b->during && b->in_chain && b->empty; break;
        }
    }
    return n;
}

static void put_percent(struct buffer *out, double part)
{
    buffer_printf(out, "%.2f%%", part * 100);
}

static void put_ratio(struct buffer *out, int64_t part, int64_t whole)
{
    if (!whole)
        buffer_put_str(out, "-");
    else
        put_percent(out, (double)part / (double)whole);
}

static void put_count(struct buffer *out, int64_t n)
{
    buffer_printf(out, "%" PRId64, n);
}

static void put_seconds(struct buffer *out, int64_t from_us, int64_t to_us)
{
    if (from_us < 0 || to_us < from_us)
        buffer_put_str(out, "-");
    else
        buffer_printf(out, "%" PRId64 "s", (to_us - from_us + 500000) / 1000000);
}

static int64_t orders(const struct digest *d, const char *state, bool sat)
{
    int64_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(d->orders); i++)
        if (strcmp(d->orders[i].state, state) == 0) n += sat ? d->orders[i].sat : 1;
    return n;
}

static int64_t tips(const struct digest *d)
{
    int64_t n = 0;
    for (size_t i = 0; i < d->nodes; i++) {
        bool seen = !d->counts[i];
        for (size_t k = 0; k < i; k++) seen |= d->counts[k] && d->tips[k] == d->tips[i];
        n += !seen;
    }
    return n;
}

static double share(uint32_t ppm)
{
    return (double)ppm / LAB_PPM;
}

static void put_races(struct buffer *out, const struct lab_setup *s)
{
    enum { RACES = 100000 };
    struct race_counts sum = {0};
    struct race_rules rules = {
        .q_ppm = s->q_ppm, .z = s->confirmations, .premine = s->premine, .patience = s->patience, .budget = s->budget};
    race_many(&rules, s->seed, 0, RACES, false, &sum);
    put_ratio(out, (int64_t)sum.stolen, RACES);
}

static void put_selfish(struct buffer *out, const struct lab_setup *s)
{
    enum { EVENTS = 1000000 };
    struct selfish_counts c = {0};
    selfish_run(s->q_ppm, s->gamma_ppm, s->seed, EVENTS, &c);
    put_ratio(out, (int64_t)c.attacker, (int64_t)(c.attacker + c.honest));
}

const struct lab_figure_row lab_figure_rows[] = {
    {"blocks", "blocks found"},
    {"chain", "of them in the chain at the end (that of the first node)"},
    {"stale", "shown to the network, and not in the chain"},
    {"stale-share", "stale of all that were shown"},
    {"reorganisations", "each node's counted"},
    {"deepest-reorganisation", "most blocks that a node threw away at once"},
    {"tips", "different tips in the network at the end"},
    {"healed-after", "seconds from the heal to one tip"},
    {"dropped", "payments that reorganisations threw out of the chain, and that can be mined again"},
    {"back-in-pool", "most payments that one node took back into its pool in one reorganisation"},
    {"returned", "of the dropped ones in a block again"},
    {"gone", "payments thrown out for good: something else spent their coin"},
    {"waiting", "payments in the first node's pool at the end"},
    {"paid-to-delivered", "seconds from the first payment to the first delivery"},
    {"delivered-to-lost", "seconds from the first delivery to the theft"},
    {"orders-delivered", "orders that are delivered and paid at the end"},
    {"orders-lost", "orders that are delivered and no longer paid"},
    {"lost", "satoshis of them"},
    {"attacker-blocks", "found by the attacker since it began"},
    {"honest-blocks", "found by the others since then"},
    {"attacker-share", "the attacker's blocks of the chain since then"},
    {"chain-since", "blocks of the chain since then"},
    {"empty-share", "empty blocks of the chain since then"},
    {"attack-took", "seconds from the beginning of the attack to its end"},
    {"alarms", "warnings of nodes"},
    {"alarm-after", "seconds from the beginning of the attack to the first warning"},
    {"race", "share of 100,000 races without blocks that the attacker wins, from this seed on"},
    {"theory-strict", "what it should be: strictly more work"},
    {"theory-paper", "Rosenfeld; Grunspan and Perez-Marco: a tie is enough, or one block in hand"},
    {"theory-nakamoto", "Nakamoto's approximation"},
    {"selfish", "share of a selfish miner in 1,000,000 blocks, from this seed on"},
    {"theory-selfish", "Eyal and Sirer's figure"},
};
const size_t lab_figure_count = ARRAY_LEN(lab_figure_rows);

enum row {
    BLOCKS,
    IN_CHAIN,
    STALES,
    STALE_SHARE,
    REORGS,
    DEEPEST,
    TIPS,
    HEALED,
    DROPPED,
    BACK,
    RETURNED,
    GONE,
    WAITING,
    PAID_DELIVERED,
    DELIVERED_LOST,
    DELIVERED,
    LOST,
    LOST_SAT,
    ATTACKER,
    HONEST,
    ATTACKER_SHARE,
    SINCE,
    EMPTY_SHARE,
    TOOK,
    ALARMS,
    ALARM_AFTER,
    RACE,
    STRICT,
    PAPER,
    NAKAMOTO,
    SELFISH,
    THEORY_SELFISH,
    ROWS,
};
_Static_assert(ROWS == ARRAY_LEN(lab_figure_rows), "a row for each figure");

static void put_theory(struct buffer *out, enum row row, const struct lab_setup *s)
{
    double q = share(s->q_ppm);
    switch (row) {
    case RACE: put_races(out, s); break;
    case STRICT: put_percent(out, theory_strict(q, s->confirmations)); break;
    case PAPER: put_percent(out, theory_paper(q, s->confirmations)); break;
    case NAKAMOTO: put_percent(out, theory_nakamoto(q, s->confirmations)); break;
    case SELFISH: put_selfish(out, s); break;
    default: put_percent(out, theory_selfish_share(q, share(s->gamma_ppm))); break;
    }
}

static void put_row(struct buffer *out, enum row row, const struct digest *d)
{
    switch (row) {
    case BLOCKS: put_count(out, blocks(d, EACH)); break;
    case IN_CHAIN: put_count(out, blocks(d, CHAIN)); break;
    case STALES: put_count(out, blocks(d, STALE)); break;
    case STALE_SHARE: put_ratio(out, blocks(d, STALE), blocks(d, STALE) + blocks(d, CHAIN)); break;
    case REORGS: put_count(out, d->reorgs); break;
    case DEEPEST: put_count(out, d->deepest); break;
    case TIPS: put_count(out, tips(d)); break;
    case HEALED: put_seconds(out, d->heal_us, d->whole_us); break;
    case DROPPED: put_count(out, d->dropped); break;
    case BACK: put_count(out, d->back); break;
    case RETURNED: put_count(out, d->returned); break;
    case GONE: put_count(out, d->gone); break;
    case WAITING: put_count(out, d->pool); break;
    case PAID_DELIVERED: put_seconds(out, d->paid_us, d->delivered_us); break;
    case DELIVERED_LOST: put_seconds(out, d->delivered_us, d->lost_us); break;
    case DELIVERED: put_count(out, orders(d, "delivered", false)); break;
    case LOST: put_count(out, orders(d, "lost", false)); break;
    case LOST_SAT: put_count(out, orders(d, "lost", true)); break;
    case ATTACKER: put_count(out, blocks(d, ATTACKERS)); break;
    case HONEST: put_count(out, blocks(d, HONESTS)); break;
    case ATTACKER_SHARE: put_ratio(out, blocks(d, ATTACKERS_IN_CHAIN), blocks(d, CHAIN_SINCE)); break;
    case SINCE: put_count(out, blocks(d, CHAIN_SINCE)); break;
    case EMPTY_SHARE: put_ratio(out, blocks(d, EMPTY_SINCE), blocks(d, CHAIN_SINCE)); break;
    case TOOK: put_seconds(out, d->began_us, d->ended_us); break;
    case ALARMS: put_count(out, d->alarms); break;
    case ALARM_AFTER: put_seconds(out, d->began_us, d->alarm_us); break;
    default: put_theory(out, row, d->setup); break;
    }
}

static size_t row_named(struct span name)
{
    size_t i = 0;
    while (i < lab_figure_count && !lab_word_is(name, lab_figure_rows[i].name)) i++;
    return i;
}

bool lab_figure_exists(struct span name)
{
    return row_named(name) < lab_figure_count;
}

bool lab_figure_measure(struct buffer *out, struct span name, const struct lab_setup *setup,
                        const struct lab_event *events, size_t count)
{
    size_t row = row_named(name);
    if (row == lab_figure_count) return false;
    struct digest *d = mem_calloc(1, sizeof(*d));
    d->setup = setup;
    d->began_us = d->ended_us = d->heal_us = d->whole_us = d->alarm_us = d->paid_us = d->delivered_us = d->lost_us = -1;
    memset(d->counts, true, sizeof(d->counts));
    for (size_t i = 0; i < count; i++) take_event(d, &events[i]);
    mark_chain(d);
    put_row(out, (enum row)row, d);
    free(d->blocks);
    free(d);
    return true;
}
