/* What can be ordered while a world runs. */
#include "lab/world_internal.h"

static enum result refuse(struct error *e, const char *why)
{
    return error_set(e, RESULT_INVALID, "%s", why);
}

/* ---- the operators of honest nodes ---- */

/* The lowest block of the branch that the attacker kept secret and the network follows now; NULL: there is none. */
static struct sim_block *attackers_branch(const struct lab_world *w)
{
    struct sim_block *first = NULL;
    for (struct sim_block *b = lab_public_tip(w); lab_block_id(w, b); b = b->parent)
        if (w->facts[lab_block_id(w, b)].was_secret) first = b;
    return first;
}

static bool is_operated(const struct lab_member *m)
{
    return m->role == LAB_ROLE_HONEST || m->role == LAB_ROLE_WATCHER || m->role == LAB_ROLE_MERCHANT;
}

static void order_all(struct lab_world *w, const struct sim_block *b, bool invalid)
{
    for (uint32_t i = 0; i < w->member_count; i++) {
        struct lab_member *m = &w->members[i];
        struct error e;
        if (!is_operated(m)) continue;
        struct block_node *known = chain_find(m->sim->node->chain, &b->hash);
        if (!known) continue;
        m->invalidated |= invalid;
        sim_node_set_clock(m->sim);
        enum result r = invalid ? node_invalidate(m->sim->node, known, &e) : node_reconsider(m->sim->node, known, &e);
        if (r) sim_fail(w->sim, "%s broke: %s", m->name, e.text);
        sim_node_pump(m->sim);
    }
}

static enum result invalidate(struct lab_world *w, struct error *e)
{
    struct sim_block *b = attackers_branch(w);
    if (!b) return refuse(e, "nobody follows a branch of the attacker");
    w->invalidated = b;
    order_all(w, b, true);
    return RESULT_OK;
}

static enum result reconsider(struct lab_world *w, struct error *e)
{
    if (!w->invalidated) return refuse(e, "nothing was called invalid");
    order_all(w, w->invalidated, false);
    w->invalidated = NULL;
    return RESULT_OK;
}

/* ---- one after the other ---- */

static enum result leave(struct lab_world *w, struct error *e)
{
    if (w->hideout == LAB_NONE) return refuse(e, "there is no attacker");
    lab_attack_end(w, "leaves");
    w->attacker_weight = 0;
    lab_mining_tell(w);
    lab_mining_restart(w);
    return RESULT_OK;
}

static enum result give_up(struct lab_world *w, struct error *e)
{
    if (!w->attack.active) return refuse(e, "there is no attack");
    lab_attack_end(w, "gave up");
    return RESULT_OK;
}

static enum result publish(struct lab_world *w, struct error *e)
{
    if (!w->attack.active) return refuse(e, "there is no attack");
    w->attack.shown |= w->attack.strategy == LAB_STRATEGY_DOUBLE;
    lab_attack_show(w, lab_tip_of(w, w->hideout)->height);
    return RESULT_OK;
}

static enum result set_power(struct lab_world *w, int64_t q_ppm, struct error *e)
{
    if (w->hideout == LAB_NONE && q_ppm) return refuse(e, "there is no attacker: begin with q above 0");
    if (q_ppm < 0 || q_ppm >= LAB_PPM) return refuse(e, "a share is below 100%");
    lab_mining_power(w, (uint32_t)q_ppm);
    return RESULT_OK;
}

static enum result order(struct lab_world *w, const struct lab_command *c, struct error *e)
{
    switch (c->kind) {
    case LAB_COMMAND_POWER: return set_power(w, c->value, e);
    case LAB_COMMAND_PARTITION:
        if (w->setup.honest < 2) return refuse(e, "one honest node has no halves");
        lab_net_partition(w);
        return RESULT_OK;
    case LAB_COMMAND_HEAL: lab_net_heal(w); return RESULT_OK;
    case LAB_COMMAND_ATTACK: return lab_attack_begin(w, c->has_strategy ? c->strategy : w->setup.strategy, e);
    case LAB_COMMAND_PUBLISH: return publish(w, e);
    case LAB_COMMAND_GIVE_UP: return give_up(w, e);
    case LAB_COMMAND_LEAVE: return leave(w, e);
    case LAB_COMMAND_MINERS: lab_mining_join(w, (uint64_t)c->value); return RESULT_OK;
    case LAB_COMMAND_PAY: return lab_pay_order(w, c->value ? c->value : COIN_SAT, e);
    case LAB_COMMAND_CONFIRMATIONS:
        w->setup.confirmations = (unsigned)c->value;
        lab_orders_look(w);
        return RESULT_OK;
    case LAB_COMMAND_INVALIDATE: return invalidate(w, e);
    case LAB_COMMAND_RECONSIDER: return reconsider(w, e);
    case LAB_COMMAND_LATENCY: lab_net_set_latency(w, c->value); return RESULT_OK;
    case LAB_COMMAND_SAY: lab_emit_text(w, LAB_EVENT_SAY, LAB_NONE, c->text); return RESULT_OK;
    default: lab_world_end(w, w->end ? w->end : "end"); return RESULT_OK;
    }
}

static void tell(struct lab_world *w, const struct lab_command *c)
{
    char text[LAB_TEXT + 32];
    const struct lab_command_row *row = &lab_command_rows[c->kind];
    if (c->kind == LAB_COMMAND_SAY) return;
    snprintf(text, sizeof(text), "%s%s%s", row->name, c->text[0] ? " " : "", c->text);
    lab_emit_text(w, LAB_EVENT_COMMAND, LAB_NONE, text);
}

enum result lab_world_command(struct lab_world *w, const struct lab_command *c, struct error *e)
{
    if (w->over) return refuse(e, "it is over");
    size_t before = w->event_count;
    uint8_t hash[32];
    memcpy(hash, w->log_hash, 32);
    tell(w, c);
    enum result r = order(w, c, e);
    if (r) { /* refused: as if nobody had said it */
        w->event_count = before;
        memcpy(w->log_hash, hash, 32);
    }
    return r;
}
