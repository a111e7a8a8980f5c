/* The attacker: what all its ways of attacking share. It hears of every block at once (its ears are everywhere), keeps
 * what the hideout finds to itself, and shows it by way of the outlet. */
#include <string.h>

#include "lab/world_internal.h"

bool lab_attack_is_secret(const struct lab_world *w)
{
    bool hidden = w->attack.strategy == LAB_STRATEGY_DOUBLE || w->attack.strategy == LAB_STRATEGY_SELFISH;
    return w->attack.active && (hidden || lab_tip_of(w, w->hideout) != lab_public_tip(w));
}

void lab_attack_think_soon(struct lab_world *w)
{
    if (w->react_due || w->hideout == LAB_NONE) return;
    w->react_due = true;
    lab_timer(w, 0, LAB_TIMER_REACT, 0);
}

static void tell(struct lab_world *w, const char *what)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_ATTACK, w->hideout);
    e->a = lab_tip_of(w, w->hideout)->height - lab_public_tip(w)->height;
    if (w->attack.order != SIZE_MAX) e->b = w->orders[w->attack.order].confirmations;
    snprintf(e->text, LAB_TEXT, "%s", what);
    lab_emitted(w);
}

/* ---- hearing ---- */

void lab_attack_relay(struct lab_world *w, struct sim_block *tip)
{
    for (uint32_t i = 0; i < w->member_count; i++)
        if (w->members[i].role == LAB_ROLE_OUTLET && i != w->outlet) lab_hand_branch(w, i, tip);
}

void lab_attack_follow(struct lab_world *w)
{
    /* Whom the merchant hears must not look dead before the attack. */
    if (w->eclipsed && !w->attack.active) lab_attack_relay(w, lab_public_tip(w));
    lab_hand_branch(w, w->hideout, lab_public_tip(w));
}

/* ---- showing ---- */

void lab_attack_show(struct lab_world *w, int32_t up_to_height)
{
    struct sim_block *tip = lab_tip_of(w, w->hideout);
    while (tip->height > up_to_height) tip = tip->parent;
    if (lab_tip_of(w, w->outlet) == tip) return;
    /* Oldest first: what is secret is the upper part of the branch. */
    for (uint32_t id = 1; id < w->fact_count; id++) {
        struct sim_block *b = lab_sim_block(w, id);
        if (!w->facts[id].secret || b->height > tip->height) continue;
        struct sim_block *up = tip;
        while (up && up->height > b->height) up = up->parent;
        if (up != b) continue;
        w->facts[id].secret = false;
        lab_emit(w, LAB_EVENT_SHOWN, w->hideout)->block = id;
        lab_emitted(w);
    }
    lab_hand_branch(w, w->outlet, tip);
    struct sim_node *outlet = w->members[w->outlet].sim;
    struct block_node *node = chain_find(outlet->node->chain, &tip->hash);
    struct error e;
    sim_node_set_clock(outlet);
    if (node && lab_tip_of(w, w->outlet)->height <= tip->height && node_precious(outlet->node, node, &e))
        sim_fail(w->sim, "the outlet cannot prefer its own block: %s", e.text);
    sim_node_pump(outlet);
}

/* ---- life of an attack ---- */

enum result lab_attack_begin(struct lab_world *w, enum lab_strategy strategy, struct error *e)
{
    if (w->hideout == LAB_NONE) return error_set(e, RESULT_INVALID, "there is no attacker: it needs q above 0");
    if (w->attack.active) return error_set(e, RESULT_INVALID, "the attack has begun already");
    if (strategy == LAB_STRATEGY_NONE) return error_set(e, RESULT_INVALID, "there is no strategy: say which");
    if (strategy == LAB_STRATEGY_DOUBLE && w->merchant == LAB_NONE)
        return error_set(e, RESULT_INVALID, "there is no merchant to rob");
    lab_attack_follow(w);
    w->attack = (struct lab_attack){.active = true,
                                    .strategy = strategy,
                                    .order = SIZE_MAX,
                                    .fork = lab_tip_of(w, w->hideout),
                                    .began_us = lab_world_now_us(w)};
    w->outcome = (struct lab_outcome){0};
    w->attack.seen_height = lab_public_tip(w)->height;
    w->attack.own_height = w->attack.fork->height;
    if (strategy == LAB_STRATEGY_DOUBLE) lab_double_begin(w);
    if (strategy == LAB_STRATEGY_TAKEOVER || strategy == LAB_STRATEGY_EMPTY) lab_takeover_begin(w);
    tell(w, "begins");
    for (unsigned i = 0; i < w->setup.premine; i++) lab_mine_on(w, w->hideout, strategy == LAB_STRATEGY_EMPTY, true);
    w->attack.own_height = lab_tip_of(w, w->hideout)->height;
    lab_dice_init(&w->dice, w->setup.seed);
    lab_mining_restart(w);
    return RESULT_OK;
}

/* What it kept secret, and is better than what the others have, is thrown away. */
static void discard_branch(struct lab_world *w)
{
    struct sim_node *h = w->members[w->hideout].sim;
    struct sim_block *b = lab_tip_of(w, w->hideout), *first = NULL;
    struct error e;
    for (; lab_block_id(w, b); b = b->parent)
        if (w->facts[lab_block_id(w, b)].secret) first = b;
    if (!first) return;
    sim_node_set_clock(h);
    if (node_invalidate(h->node, chain_find(h->node->chain, &first->hash), &e))
        sim_fail(w->sim, "the hideout broke: %s", e.text);
    sim_node_pump(h);
}

static void set_free(struct lab_world *w)
{
    struct sim_node *h = w->members[w->hideout].sim;
    struct sim_block *tip = lab_public_tip(w);
    struct error e;
    /* What it had called invalid for its own purposes. */
    for (; lab_block_id(w, tip); tip = tip->parent) {
        struct block_node *known = chain_find(h->node->chain, &tip->hash);
        if (!known || !(known->status & BLOCK_FAILED)) continue;
        sim_node_set_clock(h);
        if (node_reconsider(h->node, known, &e)) sim_fail(w->sim, "the hideout broke: %s", e.text);
        sim_node_pump(h);
    }
}

void lab_attack_end(struct lab_world *w, const char *why)
{
    if (!w->attack.active) return;
    w->outcome.over = true;
    w->outcome.stolen = !strcmp(why, "won");
    w->outcome.took_us = lab_world_now_us(w) - w->attack.began_us;
    tell(w, why);
    w->attack.active = false;
    w->attempt_over = w->attack.strategy == LAB_STRATEGY_DOUBLE && strcmp(why, "leaves") != 0;
    w->end = w->outcome.stolen ? "stolen" : why;
    w->over_height = lab_public_tip(w)->height;
    set_free(w);
    lab_attack_follow(w);
    discard_branch(w);
}

/* ---- thinking ---- */

static void tell_lead(struct lab_world *w)
{
    int32_t lead = lab_tip_of(w, w->hideout)->height - lab_public_tip(w)->height;
    bool leads = lead > 0 && w->facts[lab_block_id(w, lab_tip_of(w, w->hideout))].secret;
    if (leads && !w->attack.led) tell(w, "leads");
    w->attack.led = leads;
}

void lab_attack_think(struct lab_world *w)
{
    if (w->over || w->hideout == LAB_NONE) return;
    if (!w->attack.active) {
        lab_attack_follow(w);
        return;
    }
    if (w->attack.strategy == LAB_STRATEGY_DOUBLE) tell_lead(w);
    switch (w->attack.strategy) {
    case LAB_STRATEGY_DOUBLE: lab_double_think(w); break;
    case LAB_STRATEGY_TAKEOVER:
    case LAB_STRATEGY_EMPTY:
    case LAB_STRATEGY_CENSOR: lab_takeover_think(w); break;
    default: lab_selfish_think(w); break;
    }
    bool out = w->setup.budget && w->outcome.honest_blocks + w->outcome.attacker_blocks >= w->setup.budget;
    if (w->attack.active && out && w->attack.strategy != LAB_STRATEGY_DOUBLE) lab_attack_end(w, "out of blocks");
}

void lab_attack_on_block(struct lab_world *w, bool attacker)
{
    if (w->attack.active) {
        w->outcome.honest_blocks += !attacker;
        w->outcome.attacker_blocks += attacker;
        if (!attacker && w->outcome.honest_blocks == w->setup.confirmations)
            w->outcome.attacker_at_z = w->outcome.attacker_blocks;
    }
    lab_attack_think_soon(w);
}

void lab_attack_on_order(struct lab_world *w, size_t order)
{
    if (!w->attack.active || order != w->attack.order) return;
    if (w->orders[order].state == LAB_ORDER_LOST) lab_attack_end(w, "won");
    lab_attack_think_soon(w);
}
