/* The double spend: two transactions spend one coin; the merchant sees the first confirmed until the goods are gone,
 * and then the branch with the second, if that gets ahead. Eclipsed, the merchant sees the attacker's branch with the
 * first all the time, and the network never hears of it. */
#include "base/hex.h"
#include "lab/world_internal.h"

/* Both pay the same fee, so that neither replaces the other in a pool. */
enum { PRICE = 1000000000, FEE = 10000, WHY = 200, FREE_AFTER_S = 60 };

/* A transaction goes to every node of a camp. */
static void hand_out(struct lab_world *w, const struct lab_tx *tx, bool to_victims)
{
    char why[WHY];
    for (uint32_t i = 0; i < w->member_count; i++) {
        enum lab_role role = w->members[i].role;
        bool relay = role == LAB_ROLE_OUTLET && i != w->outlet;
        bool near_merchant = relay || role == LAB_ROLE_MERCHANT || role == LAB_ROLE_HIDEOUT;
        bool victims = w->attack.hidden ? near_merchant : role != LAB_ROLE_HIDEOUT;
        if (victims == to_victims && !lab_send(w, i, tx, why, sizeof(why)))
            sim_fail(w->sim, "%s refuses the %s: %s", w->members[i].name, to_victims ? "payment" : "conflict", why);
    }
}

void lab_double_begin(struct lab_world *w)
{
    w->attack.hidden = w->eclipsed && !w->setup.honest_link;
    struct lab_tx pay, back;
    struct lab_coin *coin = lab_wallet_find(&w->wallet, LAB_OWNER_ATTACKER, PRICE * 2, 0);
    if (!coin) {
        sim_fail(w->sim, "the attacker has no coin left");
        return;
    }
    lab_tx_make(&pay, coin, LAB_OWNER_MERCHANT, PRICE, FEE);
    lab_tx_make(&back, coin, LAB_OWNER_ATTACKER_BACK, PRICE, FEE);
    coin->spent = true;
    size_t order = w->attack.order = lab_order_new(w, &pay, PRICE, true);
    struct lab_event *e = lab_emit(w, LAB_EVENT_PAYMENT, w->outlet);
    e->a = (int64_t)order;
    e->b = PRICE;
    e->c = 1;
    hex_encode_reversed(e->text, pay.txid.bytes, 32);
    lab_emitted(w);
    hand_out(w, &back, false);
    hand_out(w, &pay, true);
    e = lab_emit(w, LAB_EVENT_CONFLICT, w->hideout);
    e->a = (int64_t)order;
    hex_encode_reversed(e->text, back.txid.bytes, 32);
    lab_emitted(w);
    lab_tx_clear(&pay);
    lab_tx_clear(&back);
    lab_orders_look(w);
}

/* Eclipsed: each block goes to the relays at once. When the goods are gone, and the network's branch has more work, the
 * attacker lets go. */
static void think_eclipsed(struct lab_world *w, bool delivered)
{
    lab_attack_relay(w, lab_tip_of(w, w->hideout));
    for (uint32_t id = 1; id < w->fact_count; id++) {
        if (!w->facts[id].attacker || !w->facts[id].secret) continue;
        w->facts[id].secret = false;
        lab_emit(w, LAB_EVENT_SHOWN, w->hideout)->block = id;
        lab_emitted(w);
    }
    bool behind = lab_public_tip(w)->height > lab_tip_of(w, w->hideout)->height;
    if (w->eclipsed && delivered && behind && !w->attack.shown) {
        w->attack.shown = true;
        lab_timer(w, FREE_AFTER_S * SIM_SECOND_US, LAB_TIMER_FREE, 0);
    } else if (!w->eclipsed && !behind && lab_tip_of(w, w->merchant) == lab_public_tip(w)) {
        lab_attack_end(w, "gave up"); /* the network took its branch, and the payment is in it */
    }
}

void lab_double_let_go(struct lab_world *w)
{
    w->attack.shown = false;
    if (!w->attack.active || lab_public_tip(w)->height > lab_tip_of(w, w->hideout)->height) lab_net_free_merchant(w);
}

static void publish(struct lab_world *w, struct sim_block *own, const struct sim_block *public)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_ATTACK, w->hideout);
    e->a = own->height - public->height;
    e->b = w->orders[w->attack.order].confirmations;
    snprintf(e->text, LAB_TEXT, "publishes");
    lab_emitted(w);
    w->attack.shown = true;
    lab_attack_show(w, own->height);
}

void lab_double_think(struct lab_world *w)
{
    const struct lab_order *o = &w->orders[w->attack.order];
    bool delivered = o->state == LAB_ORDER_DELIVERED;
    struct sim_block *public = lab_public_tip(w), *own = lab_tip_of(w, w->hideout);
    if (w->attack.hidden) {
        think_eclipsed(w, delivered);
        return;
    }
    bool heard = lab_tip_of(w, w->merchant) == public;
    if (w->attack.shown && heard && own != public && own->height <= public->height)
        w->attack.shown = false; /* somebody was faster while it travelled */
    if (w->attack.shown) {       /* not everybody follows it yet */
        if (own->height > public->height) lab_attack_show(w, own->height);
        return;
    }
    if (delivered && own->height > public->height) {
        publish(w, own, public);
        return;
    }
    if (!heard) return; /* what happened is on its way to the merchant */
    int32_t behind = public->height - own->height;
    unsigned found = w->outcome.honest_blocks + w->outcome.attacker_blocks;
    if (delivered && w->setup.patience && behind >= (int32_t)w->setup.patience)
        lab_attack_end(w, "gave up");
    else if (w->setup.budget && found >= w->setup.budget)
        lab_attack_end(w, "out of blocks");
}
