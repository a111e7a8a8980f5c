/* The attacker: what its owner orders the hideout and the outlet to do. Both are ordinary nodes. */
#include <string.h>

#include "lab/live_internal.h"

#define THEFT_SAT (INT64_C(10) * 100000000)

enum { FEE_SAT = 2000 };

static uint32_t own_tip(const struct lab_live *l)
{
    return l->members[l->hideout].tip;
}

static int32_t lead(const struct lab_live *l)
{
    return live_height(l, own_tip(l)) - live_height(l, live_public_tip(l));
}

static void tell(struct lab_live *l, const char *what)
{
    struct lab_event *e = live_emit(l, LAB_EVENT_ATTACK, l->hideout);
    e->a = lead(l);
    e->b = l->attack.order != SIZE_MAX ? l->orders[l->attack.order].o.confirmations : 0;
    snprintf(e->text, sizeof(e->text), "%s", what);
    live_emitted(l);
}

bool live_attack_is_secret(const struct lab_live *l)
{
    return l->attack.active && l->attack.strategy != LAB_STRATEGY_NONE;
}

bool live_attack_is_empty(const struct lab_live *l)
{
    return l->attack.active && l->attack.strategy == LAB_STRATEGY_EMPTY;
}

bool live_attack_takes(const struct lab_live *l, bool is_order)
{
    if (!l->attack.active) return true;
    return l->attack.strategy != LAB_STRATEGY_EMPTY && !(is_order && l->attack.strategy == LAB_STRATEGY_CENSOR);
}

/* Does the branch down to where it leaves the hideout's hold a payment that a censor does not want? */
static bool is_censored(const struct lab_live *l, uint32_t tip)
{
    uint32_t fork = live_block_fork(l, tip, own_tip(l));
    for (uint32_t b = tip; b != fork; b = l->blocks[b].parent)
        for (size_t i = 0; i < l->order_count; i++)
            if (live_block_has(&l->blocks[b], l->orders[i].txid)) return true;
    return false;
}

/* Gives the hideout what the network has. */
static void follow(struct lab_live *l)
{
    uint32_t tip = live_public_tip(l);
    if (l->hideout != LAB_NONE && tip != 0 && !l->blocks[tip].at_hideout) live_hand(l, l->hideout, tip);
}

void live_attack_show(struct lab_live *l, int32_t up_to_height)
{
    uint32_t highest = LAB_NONE, secret[512];
    size_t count = 0;
    for (uint32_t b = own_tip(l); b != 0 && l->blocks[b].attacker && count < 512; b = l->blocks[b].parent) {
        if (live_height(l, b) > up_to_height) continue;
        if (highest == LAB_NONE) highest = b;
        if (l->blocks[b].secret) secret[count++] = b;
    }
    if (highest == LAB_NONE || !count) return;
    while (count-- > 0) {
        l->blocks[secret[count]].secret = false;
        live_emit(l, LAB_EVENT_SHOWN, l->hideout)->block = secret[count];
        live_emitted(l);
    }
    live_hand(l, l->outlet, highest);
    /* Of two branches as long as each other the outlet shows its owner's. */
    if (live_height(l, l->members[l->outlet].tip) == live_height(l, highest))
        live_rpc_do(&l->members[l->outlet].rpc, "preciousblock", "\"%s\"", l->blocks[highest].hash);
}

/* ---- the double spend ---- */

static struct lab_coin *coin_for_theft(struct lab_live *l)
{
    struct lab_coin *c = lab_wallet_find(&l->wallet, LAB_OWNER_ATTACKER, THEFT_SAT + 2 * FEE_SAT, 0);
    return c ? c : lab_wallet_find(&l->wallet, LAB_OWNER_ATTACKER_BACK, THEFT_SAT + 2 * FEE_SAT, 0);
}

/* Payment and conflicting payment are signed before either is sent; the second one is for the hideout alone. */
static enum result pay_twice(struct lab_live *l, struct lab_coin *coin, struct error *e)
{
    struct lab_tx payment = {0}, conflict = {0};
    lab_tx_make(&payment, coin, LAB_OWNER_MERCHANT, THEFT_SAT, FEE_SAT);
    lab_tx_make(&conflict, coin, LAB_OWNER_ATTACKER_BACK, coin->value - 2 * FEE_SAT, FEE_SAT);
    enum result r = RESULT_OK;
    /* Eclipsed: the attacker's chain is shown to the merchant, so that the payment lies in it and the network has the
     * other one. */
    bool hidden = l->attack.hidden = l->eclipsed && !l->scenario.setup.honest_link;
    uint32_t shop = hidden ? l->hideout : 0, secret = hidden ? 0 : l->hideout;
    if (!live_send(l, secret, &conflict))
        r = error_set(e, RESULT_IO, "%s refuses the conflicting payment: %s", l->members[secret].name,
                      l->members[secret].rpc.error);
    if (r == RESULT_OK && !live_send(l, shop, &payment))
        r = error_set(e, RESULT_IO, "%s refuses the payment: %s", l->members[shop].name, l->members[shop].rpc.error);
    /* To all miners at once: with blocks each few seconds relay, which takes its time, would decide the race. */
    for (uint32_t i = 1; r == RESULT_OK && i < l->member_count; i++)
        if (i != l->hideout) live_send(l, i, hidden && i != l->merchant ? &conflict : &payment);
    if (r == RESULT_OK) {
        coin->spent = true;
        l->attack.payment_change =
            (struct lab_coin){.at = {payment.txid, 1}, .value = coin->value - THEFT_SAT - FEE_SAT};
        l->attack.conflict_coin = (struct lab_coin){.at = {conflict.txid, 0}, .value = coin->value - 2 * FEE_SAT};
        l->attack.order = live_order_new(l, shop, &payment, THEFT_SAT, true);
        struct live_order *order = &l->orders[l->attack.order];
        memcpy(order->o.conflict, conflict.txid.bytes, 32);
        live_txid_text(order->conflict, &conflict.txid);
        struct lab_event *event = live_emit(l, LAB_EVENT_CONFLICT, l->hideout);
        event->a = (int64_t)l->attack.order;
        memcpy(event->text, order->conflict, LIVE_HASH_TEXT);
        live_emitted(l);
    }
    lab_tx_clear(&payment);
    lab_tx_clear(&conflict);
    return r;
}

enum result live_attack_begin(struct lab_live *l, enum lab_strategy strategy, struct error *e)
{
    const struct lab_setup *s = &l->scenario.setup;
    struct lab_coin *coin = NULL;
    if (l->hideout == LAB_NONE) return error_set(e, RESULT_INVALID, "there is no attacker: it needs q above 0");
    if (l->attack.active) return error_set(e, RESULT_INVALID, "an attack is under way");
    if (strategy == LAB_STRATEGY_NONE) return error_set(e, RESULT_INVALID, "no strategy is set");
    if (strategy == LAB_STRATEGY_DOUBLE && l->merchant == LAB_NONE)
        return error_set(e, RESULT_INVALID, "there is no merchant to steal from");
    if (strategy == LAB_STRATEGY_DOUBLE && !(coin = coin_for_theft(l)))
        return error_set(e, RESULT_INVALID, "the attacker has no coin left");
    if (s->added && l->attacker_power <= 0 && s->q_ppm) live_mining_power(l, s->q_ppm);
    follow(l);
    live_chain_look(l);
    l->attack = (struct live_attack){.active = true, .strategy = strategy, .order = SIZE_MAX};
    l->attack.fork = live_public_tip(l);
    l->attack.public_height = live_height(l, l->attack.fork);
    enum result r = coin ? pay_twice(l, coin, e) : RESULT_OK;
    if (r != RESULT_OK) {
        l->attack.active = false;
        return r;
    }
    tell(l, "begins");
    for (unsigned i = 0; i < s->premine; i++) live_mine_for_attacker(l);
    live_mining_attack(l);
    return RESULT_OK;
}

void live_attack_end(struct lab_live *l, const char *why)
{
    struct live_attack *a = &l->attack;
    bool won = !strcmp(why, "won");
    if (!a->active) return;
    if (won) live_attack_show(l, INT32_MAX); /* what it found since lies on what all follow */
    tell(l, why);
    const struct lab_coin *left = won ? &a->conflict_coin : &a->payment_change;
    if (left->value) lab_wallet_add(&l->wallet, &left->at, left->value, LAB_OWNER_ATTACKER_BACK);
    a->active = false;
    l->outcome = won ? "stolen" : why;
    l->attempt_over = a->strategy == LAB_STRATEGY_DOUBLE && strcmp(why, "leaves") != 0;
    l->over_height = live_height(l, live_public_tip(l));
    if (won) return;
    /* What was kept secret is thrown away: the hideout forgets its lowest block. */
    uint32_t lowest = LAB_NONE;
    for (uint32_t b = own_tip(l); b != 0 && l->blocks[b].secret; b = l->blocks[b].parent) lowest = b;
    if (lowest != LAB_NONE) {
        live_rpc_do(&l->members[l->hideout].rpc, "invalidateblock", "\"%s\"", l->blocks[lowest].hash);
        live_rpc_set_best(&l->members[l->hideout].rpc, l->blocks[l->blocks[lowest].parent].hash);
    }
    follow(l);
}

static void look_double(struct lab_live *l)
{
    const struct lab_setup *s = &l->scenario.setup;
    const struct live_order *order = &l->orders[l->attack.order];
    bool delivered = order->o.state == LAB_ORDER_DELIVERED;
    int32_t ahead = lead(l);
    if (order->o.state == LAB_ORDER_LOST) {
        live_attack_end(l, "won");
        return;
    }
    if (ahead > 0 && !l->attack.led) {
        l->attack.led = true;
        tell(l, "leads");
    }
    if (delivered && ahead > 0 && l->blocks[own_tip(l)].secret) {
        tell(l, "publishes");
        live_attack_show(l, INT32_MAX);
    } else if (delivered && s->patience && ahead <= -(int32_t)s->patience) {
        live_attack_end(l, "gave up");
    } else if (s->budget && ahead <= 0 && l->attack.honest_blocks + l->attack.attacker_blocks >= s->budget) {
        live_attack_end(l, "out of blocks");
    }
}

/* Eclipsed, the merchant lives on the attacker's chain. When the goods are gone the attacker lets go, and the merchant
 * hears of the network's. */
static void look_eclipse(struct lab_live *l)
{
    enum { FREE_AFTER_US = 60000000 };
    struct live_attack *a = &l->attack;
    enum lab_order_state state = l->orders[a->order].o.state;
    uint32_t own = own_tip(l);
    if (l->blocks[own].secret) {
        l->blocks[own].secret = false;
        live_emit(l, LAB_EVENT_SHOWN, l->hideout)->block = own;
        live_emitted(l);
    }
    if (state == LAB_ORDER_LOST) {
        live_attack_end(l, "won");
    } else if (state == LAB_ORDER_DELIVERED && !a->free_us) {
        a->free_us = live_virtual_us(l) + FREE_AFTER_US;
    } else if (a->free_us && l->eclipsed && live_virtual_us(l) >= a->free_us) {
        l->eclipsed = false;
        live_net_apply(l);
        live_emit_text(l, LAB_EVENT_LINK, l->merchant, "freed");
    }
}

static void look_takeover(struct lab_live *l)
{
    if (lead(l) <= 0) return;
    if (!l->attack.led) {
        l->attack.led = true;
        tell(l, "leads");
    }
    live_attack_show(l, INT32_MAX);
}

static void look_censor(struct lab_live *l)
{
    uint32_t tip = live_public_tip(l);
    if (lead(l) > 0)
        live_attack_show(l, INT32_MAX);
    else if (!l->blocks[tip].at_hideout && !is_censored(l, tip))
        follow(l);
}

/* Eyal and Sirer 2014, algorithm 1. */
static void look_selfish(struct lab_live *l)
{
    int32_t height = live_height(l, live_public_tip(l)), ahead = lead(l);
    bool grown = height > l->attack.public_height;
    l->attack.public_height = height;
    if (ahead < 0) {
        l->attack.raced = false;
        follow(l);
    } else if (l->attack.raced && ahead > 0) {
        l->attack.raced = false;
        live_attack_show(l, INT32_MAX);
    } else if (grown && ahead <= 1) {
        l->attack.raced = ahead == 0;
        live_attack_show(l, INT32_MAX);
    } else if (grown) {
        live_attack_show(l, height);
    }
}

void live_attack_look(struct lab_live *l)
{
    if (!l->attack.active) {
        follow(l);
        return;
    }
    switch (l->attack.strategy) {
    case LAB_STRATEGY_DOUBLE:
        if (l->attack.hidden)
            look_eclipse(l);
        else
            look_double(l);
        break;
    case LAB_STRATEGY_CENSOR: look_censor(l); break;
    case LAB_STRATEGY_SELFISH: look_selfish(l); break;
    default: look_takeover(l); break;
    }
}
