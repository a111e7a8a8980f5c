/* Hash power: the laboratory's dice say whose turn it is and when, and a miner of that node finds the block, of its
 * own pool on its own tip. */
#include <string.h>

#include "base/hex.h"
#include "lab/live_internal.h"

void live_mining_init(struct lab_live *l)
{
    const struct lab_setup *s = &l->scenario.setup;
    double q = (double)s->q_ppm / LAB_PPM;
    l->honest_power = s->added ? 1 : 1 - q;
    l->one_miner = l->honest_power / s->honest;
    l->attacker_power = s->added ? 0 : q; /* on top: it comes with the attack */
    lab_dice_init(&l->dice, ~s->seed);    /* an attack begins with the seed's own dice */
    random_init_u64(&l->random, s->seed);
}

static double total(const struct lab_live *l)
{
    return l->honest_power + l->attacker_power;
}

static uint32_t attacker_ppm(const struct lab_live *l)
{
    return (uint32_t)(l->attacker_power / total(l) * LAB_PPM + 0.5);
}

static void throw_next(struct lab_live *l, int64_t from_us)
{
    double average = (double)l->scenario.setup.block_us / total(l);
    l->next_block_us = from_us + lab_dice_gap_us(&l->dice, (int64_t)average);
}

void live_mining_changed(struct lab_live *l)
{
    uint32_t q = attacker_ppm(l), each = (LAB_PPM - q) / l->scenario.setup.honest;
    for (uint32_t i = 0; i < l->member_count; i++) {
        struct live_member *m = &l->members[i];
        uint32_t power = i == l->hideout ? q : m->role == LAB_ROLE_HONEST ? each : 0;
        if (power == m->told_power) continue;
        m->told_power = power;
        live_emit(l, LAB_EVENT_POWER, i)->a = power;
        live_emitted(l);
    }
    l->scenario.setup.q_ppm = q;
    throw_next(l, live_virtual_us(l)); /* without memory: the wait so far counts for nothing */
}

void live_mining_attack(struct lab_live *l)
{
    const struct lab_setup *s = &l->scenario.setup;
    lab_dice_init(&l->dice, s->seed);
    throw_next(l, live_virtual_us(l));
}

void live_mining_power(struct lab_live *l, uint32_t q_ppm)
{
    double q = (double)q_ppm / LAB_PPM, all = total(l);
    if (l->scenario.setup.added) {
        l->attacker_power = l->honest_power * q / (1 - q);
    } else {
        l->attacker_power = all * q;
        l->honest_power = all - l->attacker_power;
    }
    live_mining_changed(l);
}

void live_mining_join(struct lab_live *l, uint64_t miners)
{
    l->honest_power += (double)miners * l->one_miner;
    live_mining_changed(l);
}

void live_mining_leave(struct lab_live *l)
{
    l->attacker_power = 0;
    live_mining_changed(l);
}

/* By the node itself: where there is no miner's program, and for blocks without payments, which it does not make. */
static bool generate(struct lab_live *l, uint32_t node, bool empty, char hash[LIVE_HASH_TEXT])
{
    struct live_member *m = &l->members[node];
    struct buffer script = {0}, hex = {0};
    lab_owner_script(&script, LAB_OWNER_MINERS + node);
    hex_append(&hex, buffer_span(&script));
    const char *to = buffer_text(&hex);
    json_t *result = empty ? live_rpc_call(&m->rpc, "generateblock", "\"raw(%s)\",[]", to)
                           : live_rpc_call(&m->rpc, "generatetodescriptor", "1,\"raw(%s)\"", to);
    const char *text = json_string_value(empty ? json_object_get(result, "hash") : json_array_get(result, 0));
    bool found = text && strlen(text) == LIVE_HASH_TEXT - 1;
    if (found) memcpy(hash, text, LIVE_HASH_TEXT);
    json_decref(result);
    buffer_clear(&hex);
    buffer_clear(&script);
    return found;
}

uint32_t live_mine(struct lab_live *l, uint32_t node, bool empty, bool secret)
{
    char hash[LIVE_HASH_TEXT];
    bool by_miner = l->options.miner && !empty;
    if (!(by_miner ? live_miner_find(l, node, hash) : generate(l, node, empty, hash))) return LAB_NONE;
    uint32_t block = live_block_learn(l, node, hash, node == l->hideout || node == l->outlet, secret);
    if (block != LAB_NONE) live_rpc_set_best(&l->members[node].rpc, hash);
    return block;
}

void live_mine_for_attacker(struct lab_live *l)
{
    bool secret = live_attack_is_secret(l);
    if (live_mine(l, secret ? l->hideout : l->outlet, live_attack_is_empty(l), secret) != LAB_NONE) live_chain_look(l);
}

void live_mining_look(struct lab_live *l)
{
    while (l->running && !l->over && live_virtual_us(l) >= l->next_block_us) {
        int64_t due = l->next_block_us;
        uint64_t q = attacker_ppm(l), share = lab_dice_share(&l->dice, LAB_PPM);
        if (share < q) {
            live_mine_for_attacker(l);
        } else {
            uint64_t node = (share - q) * l->scenario.setup.honest / (LAB_PPM - q);
            live_mine(l, (uint32_t)node, false, false);
        }
        throw_next(l, due);
        /* A machine that was asleep does not make up for it. */
        if (l->next_block_us < live_virtual_us(l) - l->scenario.setup.block_us) throw_next(l, live_virtual_us(l));
        live_loop_run(&l->loop, 0);
        live_chain_look(l);
        live_orders_look(l);
        live_attack_look(l);
    }
}
