/* What hostile hosts do with transactions: good ones, conflicts, orphans, rubbish, announcements of nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sim/actor.h"

enum { REQUEST_MAX = 1000, WITNESS_BACK = 8 };

static void send_raw(struct actor_end *end, struct buffer *raw)
{
    sim_send(end->s, end->link, end->side, "tx", raw);
}

static void send_payment(struct actor_end *end, const struct sim_payment *p, size_t flip_back)
{
    struct buffer raw = {0};
    buffer_put_span(&raw, buffer_span(&p->raw));
    if (flip_back) raw.data[raw.len - flip_back] ^= 1; /* of the last witness script: the txid stays */
    send_raw(end, &raw);
}

/* A coin of some payment; what becomes of it is not ours to care about. */
static bool draw_spent(struct sim *s, struct sim_coin *out)
{
    const struct sim_payment *p = sim_pay_any(s);
    if (p) *out = p->spends[random_below(&s->random, p->spend_count)];
    return p != NULL;
}

/* A payment that is new, unless the time for those is over: then one that exists. */
static struct sim_payment *make_payment(struct sim *s, bool conflict)
{
    const struct sim_coin *drawn = s->recovering ? NULL : sim_coin_any(s);
    if (!drawn) return sim_pay_any(s);
    struct sim_coin coin = *drawn;
    if (conflict && !draw_spent(s, &coin)) return NULL;
    if (coin.value < SIM_PAY_LEAST) return sim_pay_any(s);
    size_t outputs = 1 + (size_t)random_below(&s->random, 2);
    return sim_pay_make(s, &coin, 1, outputs, sim_pay_fee(s));
}

/* One that no list has: FEE of a coin that may exist (or not: MISSING), with a witness that opens it (or not: BROKEN).
 */
static void send_stranger(struct actor_end *end, bool missing, bool broken, amount_sat fee)
{
    struct sim *s = end->s;
    struct sim_coin coin = {.value = 100000};
    const struct sim_coin *drawn = sim_coin_any(s);
    if (drawn) coin = *drawn;
    if (missing) random_bytes(&s->random, coin.at.txid.bytes, 32);
    struct buffer raw = {0};
    sim_pay_write(s, &raw, &coin, 1, NULL, 1, coin.value > fee ? coin.value - fee : 0);
    if (broken) raw.data[raw.len - WITNESS_BACK] ^= 1;
    send_raw(end, &raw);
}

static void send_junk(struct actor_end *end)
{
    struct buffer raw = {0};
    size_t len = 10 + (size_t)random_below(&end->s->random, 300);
    random_bytes(&end->s->random, buffer_extend(&raw, len), len);
    send_raw(end, &raw);
}

static void say_tx(struct actor_end *end, const char *kind)
{
    struct sim *s = end->s;
    struct sim_payment *p = NULL;
    bool mutated = !strcmp(kind, "mutated");
    if (!strcmp(kind, "good")) p = make_payment(s, false);
    if (!strcmp(kind, "conflict")) p = make_payment(s, true);
    if (!strcmp(kind, "again") || mutated) p = sim_pay_any(s);
    if (p) send_payment(end, p, mutated ? WITNESS_BACK : 0);
    if (!strcmp(kind, "orphan")) send_stranger(end, true, false, 1000);
    if (!strcmp(kind, "invalid")) send_stranger(end, false, true, 1000);
    if (!strcmp(kind, "low")) send_stranger(end, false, false, 0);
    if (!strcmp(kind, "junk")) send_junk(end);
}

/* COUNT of them, which nobody has or (REAL) which are payments. */
static void say_inventory(struct actor_end *end, enum message_type type, uint32_t count, bool real)
{
    struct sim *s = end->s;
    if (count > REQUEST_MAX) count = REQUEST_MAX;
    struct inv *items = mem_calloc(count + 1, sizeof(*items));
    size_t used = 0;
    for (; used < count; used++) {
        const struct sim_payment *p = real ? sim_pay_any(s) : NULL;
        if (real && !p) break;
        items[used].type = type == MESSAGE_GETDATA ? (uint32_t)INV_WITNESS_TX : (uint32_t)INV_TX;
        if (p)
            memcpy(items[used].hash, p->txid.bytes, 32);
        else
            random_bytes(&s->random, items[used].hash, 32);
    }
    struct message m = {.type = type, .as.inv = {.items = items, .count = used}};
    if (used) actor_send(end, &m);
    free(items);
}

void actor_say_tx(struct actor_end *end, const struct sim_line *line)
{
    switch (line->op) {
    case DO_TX: say_tx(end, line->word); break;
    case DO_TXINV: say_inventory(end, MESSAGE_INV, actor_number(end, line), false); break;
    case DO_TXREAL: say_inventory(end, MESSAGE_INV, actor_number(end, line), true); break;
    default: say_inventory(end, MESSAGE_GETDATA, actor_number(end, line), true); break;
    }
}

bool actor_serve_tx(struct actor_end *end, const struct inv *inv)
{
    const struct sim_payment *p = hashmap_get(&end->s->wallet.by_txid, inv->hash);
    if (!p || !strcmp(end->conn->serve, "notfound")) return false;
    send_payment(end, p, !strcmp(end->conn->serve, "mutate") ? WITNESS_BACK : 0);
    return true;
}
