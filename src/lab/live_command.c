/* What can be ordered while a live laboratory runs. */
#include "lab/live_internal.h"

static enum result invalidate(struct lab_live *l, struct error *e)
{
    if (l->invalidated != LAB_NONE) return error_set(e, RESULT_INVALID, "a branch is called invalid already");
    /* The lowest block that was secret once and that the network follows now. */
    uint32_t lowest = LAB_NONE;
    for (uint32_t b = live_public_tip(l); b != 0; b = l->blocks[b].parent)
        if (l->blocks[b].was_secret) lowest = b;
    if (lowest == LAB_NONE) return error_set(e, RESULT_INVALID, "nobody follows a branch of the attacker");
    for (uint32_t i = 0; i < l->member_count; i++) {
        enum lab_role role = l->members[i].role;
        if (role == LAB_ROLE_OUTLET || role == LAB_ROLE_HIDEOUT) continue;
        live_rpc_do(&l->members[i].rpc, "invalidateblock", "\"%s\"", l->blocks[lowest].hash);
    }
    l->invalidated = lowest;
    return RESULT_OK;
}

static enum result reconsider(struct lab_live *l, struct error *e)
{
    if (l->invalidated == LAB_NONE) return error_set(e, RESULT_INVALID, "no branch is called invalid");
    for (uint32_t i = 0; i < l->member_count; i++)
        live_rpc_do(&l->members[i].rpc, "reconsiderblock", "\"%s\"", l->blocks[l->invalidated].hash);
    l->invalidated = LAB_NONE;
    return RESULT_OK;
}

static enum result needs_attack(struct lab_live *l, struct error *e)
{
    return l->attack.active ? RESULT_OK : error_set(e, RESULT_INVALID, "no attack is under way");
}

/* Before anything changes. */
static enum result check(struct lab_live *l, const struct lab_command *c, struct error *e)
{
    switch (c->kind) {
    case LAB_COMMAND_PARTITION:
        if (l->scenario.setup.honest < 2) return error_set(e, RESULT_INVALID, "one honest node has no halves");
        if (l->partitioned) return error_set(e, RESULT_INVALID, "the network is in two halves already");
        return RESULT_OK;
    case LAB_COMMAND_HEAL:
        if (!l->partitioned && !l->eclipsed) return error_set(e, RESULT_INVALID, "all links are there");
        return RESULT_OK;
    case LAB_COMMAND_POWER:
    case LAB_COMMAND_LEAVE:
        if (l->hideout == LAB_NONE) return error_set(e, RESULT_INVALID, "there is no attacker: it needs q above 0");
        return RESULT_OK;
    case LAB_COMMAND_PUBLISH:
    case LAB_COMMAND_GIVE_UP: return needs_attack(l, e);
    case LAB_COMMAND_LATENCY:
        return error_set(e, RESULT_INVALID, "the links of processes are real: their latency is what it is");
    default: return RESULT_OK;
    }
}

static enum result carry_out(struct lab_live *l, const struct lab_command *c, struct error *e)
{
    const struct lab_setup *s = &l->scenario.setup;
    switch (c->kind) {
    case LAB_COMMAND_POWER: live_mining_power(l, (uint32_t)c->value); break;
    case LAB_COMMAND_PARTITION: live_net_partition(l); break;
    case LAB_COMMAND_HEAL: live_net_heal(l); break;
    case LAB_COMMAND_ATTACK:
        return live_attack_begin(l,
                                 c->has_strategy                    ? c->strategy
                                 : s->strategy != LAB_STRATEGY_NONE ? s->strategy
                                                                    : LAB_STRATEGY_DOUBLE,
                                 e);
    case LAB_COMMAND_PUBLISH: live_attack_show(l, INT32_MAX); break;
    case LAB_COMMAND_GIVE_UP: live_attack_end(l, "gave up"); break;
    case LAB_COMMAND_LEAVE:
        live_attack_end(l, "leaves");
        live_mining_leave(l);
        break;
    case LAB_COMMAND_MINERS: live_mining_join(l, (uint64_t)c->value); break;
    case LAB_COMMAND_PAY: return live_pay_order(l, c->value ? c->value : INT64_C(100000000), e);
    case LAB_COMMAND_CONFIRMATIONS:
        l->scenario.setup.confirmations = (unsigned)c->value;
        l->look_at_orders = true;
        break;
    case LAB_COMMAND_INVALIDATE: return invalidate(l, e);
    case LAB_COMMAND_RECONSIDER: return reconsider(l, e);
    case LAB_COMMAND_SAY: live_emit_text(l, LAB_EVENT_SAY, LAB_NONE, c->text); break;
    case LAB_COMMAND_END: live_end(l, l->outcome ? l->outcome : "end"); break;
    default: break;
    }
    return RESULT_OK;
}

enum result live_command(struct lab_live *l, const struct lab_command *c, struct error *e)
{
    enum result r = check(l, c, e);
    if (r != RESULT_OK) return r;
    struct buffer line = {0};
    lab_command_write(&line, c);
    if (c->kind != LAB_COMMAND_SAY) live_emit_text(l, LAB_EVENT_COMMAND, LAB_NONE, buffer_text(&line));
    buffer_clear(&line);
    return carry_out(l, c, e);
}
