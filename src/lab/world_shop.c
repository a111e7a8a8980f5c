/* The merchant: a book of orders, kept by what the RPC of its own node says and by nothing else; its clock; and those
 * who pay. */
#include "base/alloc.h"
#include "base/hex.h"
#include "lab/world_internal.h"

enum { CUSTOMER_FEE = 5000, PUBLIC_FEE = 2000, FEE_SPREAD = 3000, WHY = 200 };

static const char *const states[LAB_ORDER_STATES] = {[LAB_ORDER_WAITING] = "waiting",
                                                     [LAB_ORDER_CONFIRMED] = "confirmed",
                                                     [LAB_ORDER_DELIVERED] = "delivered",
                                                     [LAB_ORDER_REVERSED] = "reversed",
                                                     [LAB_ORDER_LOST] = "lost"};

const char *lab_order_state_name(enum lab_order_state s)
{
    return states[s];
}

const struct lab_order *lab_world_order(const struct lab_world *w, size_t order)
{
    return &w->orders[order];
}

static void tell(struct lab_world *w, size_t order)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_LEDGER, w->merchant);
    e->a = (int64_t)order;
    e->b = w->orders[order].confirmations;
    e->c = w->orders[order].amount_sat;
    snprintf(e->text, LAB_TEXT, "%s", states[w->orders[order].state]);
    lab_emitted(w);
}

size_t lab_order_new(struct lab_world *w, const struct lab_tx *tx, amount_sat amount, bool theft)
{
    size_t i = w->order_count;
    w->orders = mem_grow(w->orders, &w->order_cap, i + 1, sizeof(*w->orders));
    w->books = mem_grow(w->books, &w->book_cap, i + 1, sizeof(*w->books));
    w->orders[i] = (struct lab_order){.amount_sat = amount, .theft = theft};
    memcpy(w->orders[i].txid, tx->txid.bytes, 32);
    w->books[i] = (struct lab_order_book){.txid = tx->txid};
    w->order_count++;
    if (w->setup.alarm_span_minutes) lab_timer(w, w->setup.alarm_span_minutes * SIM_MINUTE_US, LAB_TIMER_ORDER, i);
    return i;
}

/* ---- what the merchant's node says ---- */

/* Confirmations of output 0; -1: the node knows of no such coin, neither in the chain nor in the pool. */
static int confirmations_of(struct lab_world *w, const struct txid *txid)
{
    char hex[65];
    hex_encode_reversed(hex, txid->bytes, 32);
    json_t *coin = lab_call(w, w->merchant, NULL, 0, "gettxout", "[s, i, b]", hex, 0, 1);
    int confirmations = json_is_object(coin) ? (int)json_integer_value(json_object_get(coin, "confirmations")) : -1;
    json_decref(coin);
    return confirmations;
}

/* Who took its coin: as the merchant's node remembers of its reorganisations. */
static void note_conflict(struct lab_world *w, struct lab_order *o, const struct txid *txid)
{
    size_t count;
    const struct reorg *list = node_reorgs(w->members[w->merchant].sim->node, &count);
    for (size_t i = count; i-- > 0;) {
        for (size_t t = 0; t < list[i].txs_kept; t++) {
            if (!txid_equal(&list[i].txs[t].txid, txid) || list[i].txs[t].fate != REORG_CONFLICTED) continue;
            memcpy(o->conflict, list[i].txs[t].conflict.bytes, 32);
            return;
        }
    }
}

static enum lab_order_state judge(struct lab_world *w, size_t i, int confirmations)
{
    struct lab_order *o = &w->orders[i];
    bool delivered = o->state == LAB_ORDER_DELIVERED;
    if (confirmations < 0) {
        if (!w->books[i].was_there) return LAB_ORDER_WAITING;
        note_conflict(w, o, &w->books[i].txid);
        return delivered ? LAB_ORDER_LOST : LAB_ORDER_REVERSED;
    }
    if (delivered || (unsigned)confirmations >= w->setup.confirmations) return LAB_ORDER_DELIVERED;
    return confirmations ? LAB_ORDER_CONFIRMED : LAB_ORDER_WAITING;
}

static void look_at(struct lab_world *w, size_t i)
{
    struct lab_order *o = &w->orders[i];
    int confirmations = confirmations_of(w, &w->books[i].txid);
    if (o->state == LAB_ORDER_LOST && confirmations < 0) return; /* else operators took the theft back */
    enum lab_order_state state = judge(w, i, confirmations);
    w->books[i].was_there |= confirmations >= 0;
    int shown = confirmations < 0 ? 0 : confirmations;
    if (state == o->state && shown == o->confirmations) return;
    bool quiet = state == LAB_ORDER_DELIVERED && state == o->state && shown > (int)w->setup.confirmations;
    bool moved = state != o->state;
    o->state = state;
    o->confirmations = shown;
    if (!quiet) tell(w, i);
    if (moved) lab_attack_on_order(w, i);
}

void lab_orders_look(struct lab_world *w)
{
    if (w->merchant == LAB_NONE || !w->members[w->merchant].sim->node) return;
    for (size_t i = 0; i < w->order_count; i++) look_at(w, i);
}

/* ---- the clock ---- */

static void alarm_of(struct lab_world *w, const char *what, int64_t minutes)
{
    struct lab_event *e = lab_emit(w, LAB_EVENT_ALARM, w->merchant);
    e->a = minutes;
    snprintf(e->text, LAB_TEXT, "%s", what);
    lab_emitted(w);
}

void lab_clock_block(struct lab_world *w)
{
    w->merchant_blocks++;
    if (w->setup.alarm_minutes)
        lab_timer(w, w->setup.alarm_minutes * SIM_MINUTE_US, LAB_TIMER_SILENCE, w->merchant_blocks);
}

void lab_clock_silence(struct lab_world *w, uint64_t blocks)
{
    if (blocks != w->merchant_blocks) return;
    w->outcome.silence_alarms++;
    alarm_of(w, "no block", w->setup.alarm_minutes);
}

void lab_clock_order(struct lab_world *w, size_t order)
{
    enum lab_order_state state = w->orders[order].state;
    if (state != LAB_ORDER_WAITING && state != LAB_ORDER_CONFIRMED) return;
    w->outcome.slow_alarms++;
    alarm_of(w, "slow confirmations", w->setup.alarm_span_minutes);
}

/* ---- those who pay ---- */

enum result lab_pay_order(struct lab_world *w, amount_sat amount, struct error *e)
{
    char why[WHY];
    struct lab_tx tx;
    if (w->merchant == LAB_NONE) return error_set(e, RESULT_INVALID, "there is no merchant");
    struct lab_coin *coin = lab_wallet_find(&w->wallet, LAB_OWNER_CUSTOMER, amount + CUSTOMER_FEE + 1000, 0);
    if (!coin) return error_set(e, RESULT_INVALID, "the customer has no coin that is large enough");
    amount_sat left = coin->value - amount - CUSTOMER_FEE;
    lab_tx_make(&tx, coin, LAB_OWNER_MERCHANT, amount, CUSTOMER_FEE);
    uint32_t at = (uint32_t)random_below(&w->random, w->setup.honest);
    bool sent = lab_send(w, at, &tx, why, sizeof(why));
    if (sent) {
        coin->spent = true;
        lab_wallet_add(&w->wallet, &(struct outpoint){tx.txid, 1}, left, LAB_OWNER_CUSTOMER);
        size_t order = lab_order_new(w, &tx, amount, false);
        struct lab_event *event = lab_emit(w, LAB_EVENT_PAYMENT, at);
        event->a = (int64_t)order;
        event->b = amount;
        hex_encode_reversed(event->text, tx.txid.bytes, 32);
        lab_emitted(w);
        tell(w, order);
    }
    lab_tx_clear(&tx);
    return sent ? RESULT_OK : error_set(e, RESULT_INVALID, "the payment was refused: %s", why);
}

/* One coin of the public into two. What an honest node takes, the attacker hears of, too. */
void lab_public_pays(struct lab_world *w)
{
    char why[WHY];
    struct lab_tx tx;
    lab_timer(w, sim_poisson_us(w->sim, w->setup.pay_us), LAB_TIMER_PAY, 0);
    uint64_t skip = random_below(&w->random, w->wallet.count);
    struct lab_coin *coin = lab_wallet_find(&w->wallet, LAB_OWNER_PUBLIC, 1000000, skip);
    if (!coin) return;
    amount_sat fee = PUBLIC_FEE + (amount_sat)random_below(&w->random, FEE_SPREAD);
    amount_sat amount = coin->value / 4 + (amount_sat)random_below(&w->random, (uint64_t)coin->value / 4);
    amount_sat left = coin->value - amount - fee;
    lab_tx_make(&tx, coin, LAB_OWNER_PUBLIC, amount, fee);
    uint32_t at = (uint32_t)random_below(&w->random, w->setup.honest + w->setup.watchers);
    if (lab_send(w, at, &tx, why, sizeof(why))) {
        coin->spent = true;
        lab_wallet_add(&w->wallet, &(struct outpoint){tx.txid, 0}, amount, LAB_OWNER_PUBLIC);
        lab_wallet_add(&w->wallet, &(struct outpoint){tx.txid, 1}, left, LAB_OWNER_PUBLIC);
        if (w->hideout != LAB_NONE) lab_send(w, w->hideout, &tx, why, sizeof(why));
    }
    lab_tx_clear(&tx);
}
