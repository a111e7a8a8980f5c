/* Who finds a block, and when: the dice, the shares of the hash power, and the blocks themselves, which are whole and
 * valid and carry what is in their miner's pool. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "lab/world_internal.h"
#include "miner/block_template.h"
#include "primitives/block.h"

enum { TRIES = 1000 };

/* ---- shares ---- */

static uint64_t honest_weight(const struct lab_world *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w->member_count; i++) sum += w->members[i].weight;
    return sum;
}

static void spread(struct lab_world *w, uint64_t weight)
{
    unsigned n = w->setup.honest;
    for (unsigned i = 0; i < n; i++) w->members[i].weight = weight / n + (i < weight % n);
}

void lab_mining_init(struct lab_world *w)
{
    lab_dice_init(&w->dice, ~w->setup.seed);
    w->facts = mem_grow(w->facts, &w->fact_cap, 1, sizeof(*w->facts));
    w->facts[0] = (struct lab_fact){.miner = LAB_NONE};
    w->fact_count = 1;
    w->attacker_weight = w->setup.q_ppm;
    w->base_weight = w->setup.added ? LAB_PPM - w->setup.q_ppm : LAB_PPM;
    spread(w, LAB_PPM - w->setup.q_ppm);
}

void lab_mining_power(struct lab_world *w, uint32_t q_ppm)
{
    w->attacker_weight = q_ppm;
    spread(w, LAB_PPM - q_ppm);
    lab_mining_tell(w);
    lab_mining_restart(w);
}

void lab_mining_join(struct lab_world *w, uint64_t miners)
{
    uint64_t more = miners * w->base_weight / w->setup.honest;
    spread(w, honest_weight(w) + more);
    lab_mining_tell(w);
    lab_mining_restart(w);
}

void lab_mining_tell(struct lab_world *w)
{
    uint64_t sum = w->attacker_weight + honest_weight(w);
    for (uint32_t i = 0; i < w->member_count; i++) {
        uint64_t weight = w->members[i].weight;
        if (i == w->hideout) weight = w->attacker_weight;
        if (!weight && i != w->hideout) continue;
        lab_emit(w, LAB_EVENT_POWER, i)->a = (int64_t)(weight * LAB_PPM / sum);
        lab_emitted(w);
    }
}

/* ---- when ---- */

void lab_mining_restart(struct lab_world *w)
{
    uint64_t sum = w->attacker_weight + honest_weight(w);
    if (!sum) return;
    int64_t average = (int64_t)((double)w->setup.block_us * (double)w->base_weight / (double)sum);
    lab_timer(w, lab_dice_gap_us(&w->dice, average), LAB_TIMER_MINE, ++w->mining);
}

/* The attacker's share comes first (dice.h). */
static uint32_t draw_finder(struct lab_world *w)
{
    uint64_t at = lab_dice_share(&w->dice, w->attacker_weight + honest_weight(w));
    if (at < w->attacker_weight) return w->attack.active ? w->hideout : w->outlet;
    at -= w->attacker_weight;
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (at < w->members[i].weight) return i;
        at -= w->members[i].weight;
    }
    return 0;
}

void lab_mining_event(struct lab_world *w, uint64_t generation)
{
    if (generation != w->mining) return;
    uint32_t finder = draw_finder(w);
    bool attacker = finder == w->hideout || finder == w->outlet;
    bool secret = attacker && lab_attack_is_secret(w);
    bool empty = attacker && w->attack.active && w->attack.strategy == LAB_STRATEGY_EMPTY;
    lab_mining_restart(w);
    if (lab_mine_on(w, finder, empty, secret)) lab_attack_on_block(w, attacker);
}

/* ---- blocks ---- */

static void note(struct lab_world *w, const struct sim_block *b, uint32_t node, uint32_t txs, bool secret)
{
    uint32_t id = lab_block_id(w, b);
    bool attacker = node == w->hideout || node == w->outlet;
    w->facts = mem_grow(w->facts, &w->fact_cap, (size_t)id + 1, sizeof(*w->facts));
    w->facts[id] =
        (struct lab_fact){.attacker = attacker, .secret = secret, .was_secret = secret, .miner = node, .txs = txs};
    w->fact_count = (size_t)id + 1;
    struct lab_event *e = lab_emit(w, LAB_EVENT_BLOCK, node);
    e->block = id;
    e->other = lab_block_id(w, b->parent);
    e->a = b->height;
    e->b = txs;
    e->c = attacker;
    e->d = secret;
    hex_encode_reversed(e->text, b->hash.bytes, 32);
    lab_emitted(w);
}

/* False where the node does not want it. */
static bool submit(struct lab_world *w, struct sim_node *n, struct span raw)
{
    struct verdict v = {0};
    struct error e;
    bool is_new;
    struct block *b = block_parse(raw);
    CHECK(b);
    sim_node_set_clock(n);
    if (node_submit_block(n->node, b, &is_new, &v, &e))
        sim_fail(w->sim, "node %u broke: %s", n->index, e.text);
    else if (!verdict_ok(&v) && !w->members[n->index].invalidated && n->index != w->hideout)
        sim_fail(w->sim, "node %u refuses a good block: %s", n->index, v.reason);
    block_free(b);
    sim_node_pump(n);
    return verdict_ok(&v);
}

/* What of the pool goes into the block of this node: parents first. A censor leaves out what the merchant would be paid
 * by, and what comes of that. */
static size_t pick(struct lab_world *w, uint32_t node, const struct template_choice *choice, struct tx *out,
                   amount_sat *fees)
{
    bool censor = node == w->hideout && w->attack.active && w->attack.strategy == LAB_STRATEGY_CENSOR;
    size_t count = 0, left_out = 0;
    struct txid *banned = mem_calloc(choice->count + 1, sizeof(*banned));
    for (size_t i = 0; i < choice->count; i++) {
        const struct tx *tx = &choice->entries[i]->tx;
        bool no = censor && lab_pays_merchant(tx);
        for (size_t k = 0; k < tx->in_count && !no; k++)
            for (size_t b = 0; b < left_out; b++) no |= txid_equal(&tx->in[k].prevout.txid, &banned[b]);
        if (no) {
            banned[left_out++] = tx->txid;
            continue;
        }
        out[count++] = *tx;
        *fees += choice->entries[i]->fee;
    }
    free(banned);
    return count;
}

struct sim_block *lab_mine_on(struct lab_world *w, uint32_t node, bool empty, bool secret)
{
    struct sim_node *n = w->members[node].sim;
    struct buffer raw = {0}, script = {0};
    struct template_limits limits = template_limits_default();
    struct template_choice choice = {0};
    sim_node_set_clock(n);
    if (!empty) template_choose(n->node->mempool, n->node->chain, &limits, &choice);
    struct tx *txs = mem_calloc(choice.count + 1, sizeof(*txs));
    amount_sat fees = 0;
    size_t count = pick(w, node, &choice, txs, &fees);
    lab_owner_script(&script, LAB_OWNER_MINERS + node);
    block_template_build(n->node->chain, node_time_s(n->node), buffer_span(&script), txs, count, fees, &raw);
    uint64_t tries = TRIES;
    bool found = nonce_search(raw.data, &w->sim->params, &tries);
    CHECK(found);
    struct sim_block *parent = lab_tip_of(w, node);
    size_t before = w->sim->block_count;
    struct sim_block *b = sim_block_add(w->sim, buffer_span(&raw), parent, NULL);
    if (w->sim->block_count != before) note(w, b, node, (uint32_t)count, secret);
    submit(w, n, buffer_span(&raw));
    template_choice_clear(&choice);
    free(txs);
    buffer_clear(&raw);
    buffer_clear(&script);
    return w->sim->block_count != before ? b : NULL;
}

bool lab_hand_block(struct lab_world *w, uint32_t node, const struct sim_block *b)
{
    struct sim_node *n = w->members[node].sim;
    struct block_node *known = chain_find(n->node->chain, &b->hash);
    if (known && known->status & BLOCK_HAVE_DATA) return true;
    return submit(w, n, buffer_span(&b->raw));
}

void lab_hand_branch(struct lab_world *w, uint32_t node, struct sim_block *tip)
{
    struct sim_block *path[64];
    const struct chain *c = w->members[node].sim->node->chain;
    for (;;) {
        size_t count = 0;
        for (struct sim_block *b = tip; b; b = b->parent) {
            const struct block_node *known = chain_find(c, &b->hash);
            if (known && known->status & BLOCK_HAVE_DATA) break;
            if (count == ARRAY_LEN(path)) memmove(path, path + 1, --count * sizeof(*path));
            path[count++] = b;
        }
        if (!count) return;
        for (size_t i = count; i-- > 0;)
            if (!lab_hand_block(w, node, path[i])) return;
        if (count < ARRAY_LEN(path)) return;
    }
}

struct sim_block *lab_public_tip(const struct lab_world *w)
{
    struct sim_block *best = NULL;
    for (uint32_t i = 0; i < w->member_count; i++) {
        if (w->members[i].role != LAB_ROLE_HONEST && i != w->outlet) continue;
        struct sim_block *tip = lab_tip_of(w, i);
        if (!best || tip->height > best->height) best = tip;
    }
    return best;
}
