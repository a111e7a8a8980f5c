/* Who pays, and the merchant's book, which is made of nothing but answers of the merchant's own node. */
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "lab/live_internal.h"

enum { FEE_SAT = 2000, LATE_PAYMENTS = 5 };

void live_txid_text(char out[LIVE_HASH_TEXT], const struct txid *txid)
{
    hex_encode_reversed(out, txid->bytes, 32);
}

bool live_send(struct lab_live *l, uint32_t node, const struct lab_tx *tx)
{
    struct buffer hex = {0};
    hex_append(&hex, buffer_span(&tx->raw));
    bool ok = live_rpc_do(&l->members[node].rpc, "sendrawtransaction", "\"%s\",0", buffer_text(&hex));
    buffer_clear(&hex);
    return ok;
}

size_t live_order_new(struct lab_live *l, uint32_t node, const struct lab_tx *tx, amount_sat amount, bool theft)
{
    struct live_order order = {.since_us = live_virtual_us(l), .o = {.amount_sat = amount, .theft = theft}};
    memcpy(order.o.txid, tx->txid.bytes, 32);
    live_txid_text(order.txid, &tx->txid);
    l->orders = mem_grow(l->orders, &l->order_cap, l->order_count + 1, sizeof(*l->orders));
    l->orders[l->order_count++] = order;
    struct lab_event *e = live_emit(l, LAB_EVENT_PAYMENT, node);
    e->a = (int64_t)l->order_count - 1;
    e->b = amount;
    e->c = theft;
    memcpy(e->text, order.txid, LIVE_HASH_TEXT);
    live_emitted(l);
    l->look_at_orders = true;
    return l->order_count - 1;
}

static const char *const state_names[LAB_ORDER_STATES] = {
    [LAB_ORDER_WAITING] = "waiting",   [LAB_ORDER_CONFIRMED] = "confirmed", [LAB_ORDER_DELIVERED] = "delivered",
    [LAB_ORDER_REVERSED] = "reversed", [LAB_ORDER_LOST] = "lost",
};

/* What the merchant's node says of an order now. False: it says nothing. */
static bool judge(struct lab_live *l, const struct live_order *order, int *confirmations, enum lab_order_state *state)
{
    struct live_rpc *rpc = &l->members[l->merchant].rpc;
    bool delivered = order->o.state == LAB_ORDER_DELIVERED || order->o.state == LAB_ORDER_LOST;
    json_t *coin = live_rpc_call(rpc, "gettxout", "\"%s\",0,false", order->txid);
    if (!coin) return false;
    *confirmations = (int)json_integer_value(json_object_get(coin, "confirmations"));
    json_decref(coin);
    if (*confirmations > 0) {
        bool deep = *confirmations >= (int)l->scenario.setup.confirmations;
        *state = delivered || deep ? LAB_ORDER_DELIVERED : LAB_ORDER_CONFIRMED;
        return true;
    }
    bool waits = live_rpc_do(rpc, "getmempoolentry", "\"%s\"", order->txid);
    if (!waits && !rpc->error_code) return false;
    if (delivered)
        *state = waits ? LAB_ORDER_DELIVERED : LAB_ORDER_LOST;
    else
        *state = order->was_confirmed ? LAB_ORDER_REVERSED : LAB_ORDER_WAITING;
    return true;
}

void live_orders_look(struct lab_live *l)
{
    if (!l->look_at_orders || l->merchant == LAB_NONE) return;
    l->look_at_orders = false;
    for (size_t i = 0; i < l->order_count; i++) {
        struct live_order *order = &l->orders[i];
        int confirmations;
        enum lab_order_state state;
        if (!judge(l, order, &confirmations, &state)) {
            l->look_at_orders = true; /* again, when it speaks again */
            continue;
        }
        order->was_confirmed = order->was_confirmed || confirmations > 0;
        if (confirmations == order->o.confirmations && state == order->o.state && order->told) continue;
        order->o.confirmations = confirmations;
        order->o.state = state;
        order->told = true;
        struct lab_event *e = live_emit(l, LAB_EVENT_LEDGER, l->merchant);
        e->a = (int64_t)i;
        e->b = confirmations;
        e->c = order->o.amount_sat;
        snprintf(e->text, sizeof(e->text), "%s", state_names[state]);
        live_emitted(l);
    }
}

static void warn(struct lab_live *l, const char *what, unsigned minutes)
{
    struct lab_event *e = live_emit(l, LAB_EVENT_ALARM, l->merchant);
    e->a = minutes;
    snprintf(e->text, sizeof(e->text), "%s", what);
    live_emitted(l);
}

void live_clock_look(struct lab_live *l)
{
    static const int64_t minute_us = 60000000;
    const struct lab_setup *s = &l->scenario.setup;
    int64_t now = live_virtual_us(l);
    if (l->merchant == LAB_NONE) return;
    if (s->alarm_minutes && !l->silence_told && now - l->last_block_us >= s->alarm_minutes * minute_us) {
        l->silence_told = true;
        warn(l, "no block", s->alarm_minutes);
    }
    for (size_t i = 0; s->alarm_span_minutes && i < l->order_count; i++) {
        struct live_order *o = &l->orders[i];
        bool waits = o->o.state == LAB_ORDER_WAITING || o->o.state == LAB_ORDER_CONFIRMED;
        if (!waits || o->slow_told || now - o->since_us < s->alarm_span_minutes * minute_us) continue;
        o->slow_told = true;
        warn(l, "slow confirmations", s->alarm_span_minutes);
    }
}

/* A payment that some honest node takes; its number is in NODE. */
static bool pay(struct lab_live *l, uint32_t from, uint32_t to, amount_sat amount, bool is_order, struct lab_tx *tx,
                uint32_t *node)
{
    for (size_t tries = 0; tries < l->wallet.count; tries++) {
        struct lab_coin *coin = lab_wallet_find(&l->wallet, from, amount + 2 * FEE_SAT, random_u64(&l->random));
        if (!coin) return false;
        lab_tx_make(tx, coin, to, amount, FEE_SAT);
        *node = (uint32_t)random_below(&l->random, l->scenario.setup.honest);
        if (live_send(l, *node, tx)) {
            struct outpoint change = {.txid = tx->txid, .index = 1};
            amount_sat rest = coin->value - amount - FEE_SAT;
            coin->spent = true;
            lab_wallet_add(&l->wallet, &change, rest, from);
            if (l->hideout != LAB_NONE && live_attack_takes(l, is_order)) live_send(l, l->hideout, tx);
            return true;
        }
        lab_tx_clear(tx); /* a coin whose past is not settled: another one */
    }
    return false;
}

enum result live_pay_order(struct lab_live *l, amount_sat amount, struct error *e)
{
    struct lab_tx tx = {0};
    uint32_t node;
    if (l->merchant == LAB_NONE) return error_set(e, RESULT_INVALID, "there is no merchant to pay");
    if (!pay(l, LAB_OWNER_CUSTOMER, LAB_OWNER_MERCHANT, amount, true, &tx, &node))
        return error_set(e, RESULT_INVALID, "the customer has no coin for that");
    live_order_new(l, node, &tx, amount, false);
    lab_tx_clear(&tx);
    return RESULT_OK;
}

void live_public_look(struct lab_live *l)
{
    int64_t average = l->scenario.setup.pay_us;
    int64_t now = live_virtual_us(l);
    if (!average) return;
    for (int i = 0; i < LATE_PAYMENTS && now >= l->next_pay_us; i++) {
        struct lab_tx tx = {0};
        uint32_t node;
        amount_sat amount = 10000 + (amount_sat)random_below(&l->random, 100000);
        pay(l, LAB_OWNER_PUBLIC, LAB_OWNER_PUBLIC, amount, false, &tx, &node);
        lab_tx_clear(&tx);
        l->next_pay_us += (int64_t)(1 + random_below(&l->random, (uint64_t)average * 2));
    }
    if (l->next_pay_us < now) l->next_pay_us = now;
}
