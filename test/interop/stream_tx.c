/* Transactions: which coins they spend, what they make of them, what they pay, and what may be wrong with them. */
#include <stdlib.h>

#include "stream.h"

enum {
    INPUTS_MAX = 130,
    OUTPUTS_MAX = 3100,
    TIME_LOCK = 1 << 22,
};

/* What sort of transactions are made for a while. */
enum mode {
    MODE_MIXED,
    MODE_CHAIN,   /* each spends the one before */
    MODE_WIDE,    /* many outputs, many children */
    MODE_MERGE,   /* many inputs that lie in the pool */
    MODE_TRUC,    /* version 3 */
    MODE_DUST,    /* dust, and children that spend it */
    MODE_REPLACE, /* conflicts */
    MODE_BIG,     /* up to the limits of size */
    MODE_DAMAGE,  /* wrong signatures */
    MODE_LOCKS,   /* locktimes and sequence locks */
    MODE_ODD,     /* wrong in structure */
    MODE_COUNT,
};

struct output {
    amount_sat value;
    struct lock lock;
};

struct draft {
    int32_t version;
    uint32_t lock_time;
    uint32_t coins[INPUTS_MAX];
    uint32_t sequence[INPUTS_MAX];
    uint8_t damage[INPUTS_MAX];
    size_t in_count;
    struct output *out; /* OUTPUTS_MAX */
    size_t out_count;
    int64_t rate;         /* satoshis per 1000 vbytes; -1: FEE */
    amount_sat fee;       /* wanted, where RATE is -1 */
    amount_sat added_fee; /* to what RATE asks for */
    unsigned oddity;      /* enum oddity */
    bool doubtful;        /* may well be refused: nothing is built on it until it was taken */
};

enum oddity {
    ODD_NONE,
    ODD_DUPLICATE_INPUT,
    ODD_MISSING_INPUT,
    ODD_NULL_INPUT,
    ODD_OVERSPEND,
    ODD_NEGATIVE,
    ODD_TOO_LARGE,
    ODD_SUM_TOO_LARGE,
    ODD_NO_OUTPUTS,
    ODD_NO_INPUTS,
    ODD_COINBASE,
    ODD_INDEX,
    ODD_SPENT,
    ODD_TINY,
    ODD_HUGE,
    ODD_SIGOPS,
    ODD_COUNT,
};

/* ---- the store ---- */

struct made_tx *add_tx(struct stream *s, uint32_t *number)
{
    s->txs = mem_grow(s->txs, &s->tx_cap, s->tx_count + 1, sizeof(*s->txs));
    *number = (uint32_t)s->tx_count++;
    s->txs[*number] = (struct made_tx){.first_coin = (uint32_t)s->coin_count};
    return &s->txs[*number];
}

void add_coin(struct stream *s, uint32_t maker, uint32_t index, amount_sat value, struct lock lock)
{
    s->coins = mem_grow(s->coins, &s->coin_cap, s->coin_count + 1, sizeof(*s->coins));
    s->coins[s->coin_count++] = (struct coin_of){{s->txs[maker].txid, index}, value, lock, maker, NOBODY};
    s->txs[maker].coin_count++;
}

void set_life(struct stream *s, uint32_t number, enum life life, int32_t height)
{
    struct made_tx *tx = &s->txs[number];
    tx->life = life;
    tx->height = height;
    for (uint32_t i = 0; i < tx->spend_count; i++) {
        struct coin_of *coin = &s->coins[tx->spends[i]];
        if (life != LIFE_DEAD)
            coin->spender = number;
        else if (coin->spender == number)
            coin->spender = NOBODY;
    }
}

/* ---- choosing coins ---- */

enum want { WANT_ANY, WANT_CHAIN, WANT_POOL, WANT_RECENT };

/* A block may spend it whatever its parameters are. */
static bool lock_is_safe(const struct lock *l)
{
    if (l->wrap > WRAP_LEAF) return l->wrap != WRAP_PROGRAM;
    return l->inner == IN_PK || l->inner == IN_PKH || l->inner == IN_TRUE || (l->inner == IN_MULTI && l->n < 6);
}

static bool coin_fits(struct stream *s, const struct coin_of *c, enum want want)
{
    const struct made_tx *maker = &s->txs[c->maker];
    bool young = maker->coinbase && s->height + 1 - maker->height < 100;
    if (maker->life == LIFE_DEAD || c->spender != NOBODY) return false;
    if (want == WANT_CHAIN && maker->life != LIFE_CHAIN) return false;
    if ((want == WANT_POOL || want == WANT_RECENT) && maker->life != LIFE_POOL) return false;
    if (!lock_can_open(&c->lock) && (s->blocks || !chance(s, 2))) return false;
    if (s->blocks && !lock_is_safe(&c->lock)) return false;
    return !young || (!s->blocks && chance(s, 2));
}

static bool draft_has(const struct draft *d, uint32_t coin)
{
    for (size_t i = 0; i < d->in_count; i++) {
        if (d->coins[i] == coin) return true;
    }
    return false;
}

static uint32_t choose_coin(struct stream *s, const struct draft *d, enum want want)
{
    size_t window = want == WANT_RECENT ? 60 : want == WANT_POOL ? 3000 : s->coin_count;
    if (window > s->coin_count) window = s->coin_count;
    for (int tries = 0; tries < 400 && window > 0; tries++) {
        if (tries == 200) window = s->coin_count < 20000 ? s->coin_count : 20000, want = WANT_ANY;
        uint32_t at = (uint32_t)(s->coin_count - 1 - pick(s, window));
        if (coin_fits(s, &s->coins[at], want) && !draft_has(d, at)) return at;
    }
    return NOBODY;
}

static bool spend(struct draft *d, uint32_t coin)
{
    if (coin == NOBODY || d->in_count == INPUTS_MAX || draft_has(d, coin)) return false;
    d->coins[d->in_count] = coin;
    d->sequence[d->in_count] = SEQUENCE_FINAL - 2;
    d->damage[d->in_count++] = DAMAGE_NONE;
    return true;
}

static void spend_some(struct stream *s, struct draft *d, size_t count, enum want want)
{
    for (size_t i = 0; i < count; i++) spend(d, choose_coin(s, d, want));
}

/* Some transaction that lives in the pool; NOBODY. */
static uint32_t choose_pool_tx(struct stream *s, size_t window)
{
    if (window > s->tx_count) window = s->tx_count;
    for (int tries = 0; tries < 200 && window > 0; tries++) {
        uint32_t at = (uint32_t)(s->tx_count - 1 - pick(s, window));
        if (s->txs[at].life == LIFE_POOL) return at;
    }
    return NOBODY;
}

/* ---- what is wanted of a transaction ---- */

static void choose_rate(struct stream *s, struct draft *d)
{
    uint32_t which = pick(s, 100);
    d->added_fee = 0;
    if (s->blocks || which < 40)
        d->rate = 150 + pick(s, 3000);
    else if (which < 70)
        d->rate = 1000 + pick(s, 60000);
    else if (which < 78)
        d->rate = 100;
    else if (which < 82)
        d->rate = 100, d->added_fee = (amount_sat)pick(s, 5) - 2;
    else if (which < 86)
        d->rate = 0;
    else if (which < 90)
        d->rate = pick(s, 120);
    else if (which < 92)
        d->rate = 1000000 + pick(s, 200000000);
    else
        d->rate = 1000 * (1 + pick(s, 10));
    d->doubtful |= d->rate < 101;
}

static void add_output(struct draft *d, amount_sat value, struct lock lock)
{
    if (d->out_count < OUTPUTS_MAX) d->out[d->out_count++] = (struct output){value, lock};
}

/* Values of -1 share what is left. */
static void add_outputs(struct stream *s, struct draft *d, size_t count, unsigned odd_percent)
{
    for (size_t i = 0; i < count; i++) {
        bool any = chance(s, odd_percent);
        struct lock lock = any ? lock_any(s) : lock_standard(s);
        add_output(d, lock.wrap == WRAP_DATA && chance(s, 80) ? 0 : -1, lock);
        d->doubtful |= any && !s->blocks;
    }
}

static void set_locks(struct stream *s, struct draft *d)
{
    if (chance(s, 40))
        d->lock_time = (uint32_t)(s->height - 3 + (int32_t)pick(s, 6));
    else if (chance(s, 40))
        d->lock_time = (uint32_t)(s->median_time - 900 + (int64_t)pick(s, 1200));
    for (size_t i = 0; i < d->in_count; i++) {
        uint32_t which = pick(s, 5);
        if (which == 0) d->sequence[i] = pick(s, 5);
        if (which == 1) d->sequence[i] = TIME_LOCK | pick(s, 4);
        if (which == 2) d->sequence[i] = SEQUENCE_FINAL;
        if (which == 3) d->sequence[i] = (1u << 31) | pick(s, 70000);
    }
    d->doubtful = true;
}

/* What the scripts of the inputs ask for of the transaction. */
static void obey_scripts(struct stream *s, struct draft *d)
{
    for (size_t i = 0; i < d->in_count; i++) {
        const struct lock *l = &s->coins[d->coins[i]].lock;
        if (l->wrap > WRAP_LEAF) continue;
        if (l->inner == IN_CLTV && !chance(s, 5)) d->lock_time = l->n;
        if (l->inner == IN_CSV && !chance(s, 5)) {
            d->sequence[i] = l->n;
            if (d->version < 2) d->version = 2;
        }
        d->doubtful |= l->inner == IN_CLTV || l->inner == IN_CSV;
    }
}

static void set_damage(struct stream *s, struct draft *d)
{
    if (d->in_count == 0) return;
    size_t at = pick(s, d->in_count);
    d->damage[at] = (uint8_t)(1 + pick(s, DAMAGE_COUNT - 1));
    d->doubtful = true;
}

/* ---- conflicts ---- */

/* Spends again what some transactions of the pool spend, and pays more or less than the first of them. */
static void make_conflict(struct stream *s, struct draft *d)
{
    size_t targets = chance(s, 3) ? 110 : chance(s, 30) ? 1 + pick(s, 4) : 1;
    amount_sat fees = 0;
    for (size_t i = 0; i < targets; i++) {
        uint32_t at = choose_pool_tx(s, 400);
        if (at == NOBODY) break;
        const struct made_tx *old = &s->txs[at];
        size_t count = chance(s, 60) ? old->spend_count : 1;
        for (size_t k = 0; k < count && old->spend_count; k++) {
            spend(d, old->spends[count == 1 ? pick(s, old->spend_count) : k]);
        }
        fees += old->fee;
        if (chance(s, 4) && old->coin_count) spend(d, old->first_coin + pick(s, old->coin_count));
        if (chance(s, 70)) d->version = old->version;
    }
    if (chance(s, 30)) spend_some(s, d, 1, chance(s, 50) ? WANT_POOL : WANT_ANY);
    d->rate = -1;
    switch (pick(s, 6)) {
    case 0: d->fee = fees; break;
    case 1: d->fee = fees + pick(s, 60); break;
    case 2: d->fee = fees / 2; break;
    case 3: d->fee = fees + 200 + pick(s, 2000); break;
    default: d->fee = fees * (amount_sat)(1 + pick(s, 6)) + pick(s, 3000); break;
    }
    d->doubtful = true;
}

/* ---- modes ---- */

static void shape_chain(struct stream *s, struct draft *d)
{
    spend_some(s, d, 1, WANT_RECENT);
    if (chance(s, 15)) spend_some(s, d, 1 + pick(s, 2), WANT_RECENT);
    add_outputs(s, d, 1 + pick(s, 3), 2);
}

static void shape_big(struct stream *s, struct draft *d)
{
    struct lock data = {.wrap = WRAP_DATA, .n = 1000, .m = 1};
    spend_some(s, d, 1 + pick(s, 2), chance(s, 75) ? WANT_RECENT : WANT_ANY);
    add_outputs(s, d, 1 + pick(s, 4), 5);
    for (uint32_t i = 0, count = pick(s, 30); i < count; i++) add_output(d, 0, data);
    if (chance(s, 5)) {
        for (uint32_t i = 0; i < 75; i++) add_output(d, 0, data);
    }
    if (chance(s, 40)) d->version = 3;
}

static void shape_dust(struct stream *s, struct draft *d)
{
    uint32_t at = choose_pool_tx(s, 4);
    if (at != NOBODY && chance(s, 60)) { /* all of one before, perhaps less one */
        const struct made_tx *parent = &s->txs[at];
        uint32_t without = chance(s, 25) ? pick(s, parent->coin_count + 1) : NOBODY;
        for (uint32_t i = 0; i < parent->coin_count && i < 20; i++) {
            struct coin_of *coin = &s->coins[parent->first_coin + i];
            if (i != without && lock_can_open(&coin->lock)) spend(d, parent->first_coin + i);
        }
        if (parent->version == 3) d->version = 3;
        add_outputs(s, d, 1, 0);
        return;
    }
    spend_some(s, d, 1, WANT_ANY);
    add_outputs(s, d, 1 + pick(s, 2), 0);
    for (uint32_t i = 0, count = chance(s, 80) ? 1 : 2; i < count; i++) {
        struct lock lock = chance(s, 60) ? (struct lock){.wrap = WRAP_ANCHOR} : lock_standard(s);
        add_output(d, chance(s, 50) ? 0 : pick(s, 800), lock);
    }
    if (chance(s, 70)) d->rate = 0, d->added_fee = 0;
    if (chance(s, 30)) d->version = 3;
}

static void shape_truc(struct stream *s, struct draft *d)
{
    d->version = chance(s, 90) ? 3 : 2;
    spend_some(s, d, 1 + pick(s, 2), chance(s, 55) ? WANT_RECENT : chance(s, 30) ? WANT_POOL : WANT_CHAIN);
    add_outputs(s, d, 1 + pick(s, chance(s, 10) ? 60 : 3), 2);
}

static void shape_mixed(struct stream *s, struct draft *d)
{
    size_t inputs = 1 + (chance(s, 40) ? pick(s, 4) : 0);
    spend_some(s, d, chance(s, 1) ? 40 : inputs, chance(s, 50) ? WANT_ANY : chance(s, 50) ? WANT_POOL : WANT_CHAIN);
    add_outputs(s, d, 1 + (chance(s, 70) ? pick(s, 3) : pick(s, 12)), chance(s, 20) ? 40 : 3);
    if (chance(s, 3)) add_output(d, pick(s, 700), lock_standard(s));
    if (chance(s, 4)) d->version = (int32_t)pick(s, 5);
    if (chance(s, 1)) d->version = -1;
    if (chance(s, 6)) set_locks(s, d);
    if (chance(s, 6)) set_damage(s, d);
    if (chance(s, 4)) d->oddity = pick(s, ODD_COUNT);
}

static void shape(struct stream *s, struct draft *d)
{
    switch ((enum mode)s->mode) {
    case MODE_CHAIN: shape_chain(s, d); break;
    case MODE_WIDE:
        spend_some(s, d, 1, WANT_RECENT);
        add_outputs(s, d, chance(s, 10) ? 20 + pick(s, 60) : 1 + pick(s, 2), 2);
        break;
    case MODE_MERGE:
        spend_some(s, d, 2 + pick(s, 6), chance(s, 70) ? WANT_RECENT : WANT_POOL);
        add_outputs(s, d, 1 + pick(s, 3), 2);
        break;
    case MODE_TRUC: shape_truc(s, d); break;
    case MODE_DUST: shape_dust(s, d); break;
    case MODE_REPLACE:
        if (chance(s, 60))
            make_conflict(s, d);
        else
            spend_some(s, d, 1 + pick(s, 3), chance(s, 60) ? WANT_RECENT : WANT_CHAIN);
        add_outputs(s, d, 1 + pick(s, chance(s, 10) ? 30 : 3), 2);
        break;
    case MODE_BIG: shape_big(s, d); break;
    case MODE_DAMAGE:
        spend_some(s, d, 1 + pick(s, 3), WANT_ANY);
        add_outputs(s, d, 1 + pick(s, 2), 40);
        set_damage(s, d);
        break;
    case MODE_LOCKS:
        d->version = 1 + (int32_t)pick(s, 3);
        spend_some(s, d, 1 + pick(s, 3), chance(s, 60) ? WANT_CHAIN : WANT_POOL);
        add_outputs(s, d, 1 + pick(s, 3), 5);
        set_locks(s, d);
        break;
    case MODE_ODD:
        shape_mixed(s, d);
        d->oddity = pick(s, ODD_COUNT);
        break;
    default: shape_mixed(s, d); break;
    }
}

/* ---- oddities that are there before signing ---- */

static void odd_before(struct stream *s, struct draft *d)
{
    struct lock multi = {.wrap = WRAP_BARE, .inner = IN_MULTI, .n = 1, .m = 1};
    struct lock data = {.wrap = WRAP_DATA, .n = 1000, .m = 1};
    if (d->oddity) d->doubtful = true;
    switch ((enum oddity)d->oddity) {
    case ODD_NEGATIVE: add_output(d, -2 - (amount_sat)pick(s, 1000), lock_standard(s)); break;
    case ODD_TOO_LARGE: add_output(d, MAX_MONEY_SAT + 1 + (amount_sat)pick(s, 1000), lock_standard(s)); break;
    case ODD_SUM_TOO_LARGE:
        for (int i = 0; i < 2; i++) add_output(d, MAX_MONEY_SAT - (amount_sat)pick(s, 1000), lock_standard(s));
        break;
    case ODD_NO_OUTPUTS: d->out_count = 0; break;
    case ODD_NO_INPUTS: d->in_count = 0; break;
    case ODD_TINY:
        if (d->in_count > 1) d->in_count = 1;
        d->out_count = 1;
        d->out[0] = (struct output){-1, {.wrap = WRAP_DATA, .n = pick(s, 9), .m = 0}};
        break;
    case ODD_HUGE:
        for (uint32_t i = 0, count = 60 + pick(s, 50); i < count; i++) add_output(d, 0, data);
        break;
    case ODD_SIGOPS:
        for (uint32_t i = 0, count = 40 + pick(s, 220); i < count; i++) add_output(d, -1, multi);
        break;
    case ODD_SPENT:
        if (d->in_count > 0) d->coins[0] = pick(s, s->coin_count);
        break;
    default: break;
    }
}

/* ---- from a draft to bytes ---- */

static amount_sat sum_in(const struct stream *s, const struct draft *d)
{
    amount_sat sum = 0;
    for (size_t i = 0; i < d->in_count; i++) sum += s->coins[d->coins[i]].value;
    return sum;
}

/* Gives the outputs that have no value of their own equal parts of what is left after FEE. */
static void share_out(const struct draft *d, struct tx *tx, amount_sat in, amount_sat fee)
{
    amount_sat left = in - fee, parts = 0, each;
    for (size_t i = 0; i < d->out_count; i++) {
        if (d->out[i].value == -1)
            parts++;
        else if (d->out[i].value > 0 && d->out[i].value < MAX_MONEY_SAT / 4)
            left -= d->out[i].value;
    }
    each = parts && left > 0 ? left / parts : 0;
    for (size_t i = 0; i < d->out_count; i++) {
        tx->out[i].value = d->out[i].value == -1 ? each : d->out[i].value;
        if (d->out[i].value == -1 && --parts == 0 && left > 0)
            tx->out[i].value = left, left = 0;
        else if (d->out[i].value == -1)
            left -= each;
    }
    if (d->oddity == ODD_OVERSPEND && d->out_count) tx->out[0].value += fee + 1;
}

static void odd_inputs(struct stream *s, const struct draft *d, struct tx *tx)
{
    if (tx->in_count == 0) return;
    struct tx_in *in = &tx->in[pick(s, tx->in_count)];
    switch ((enum oddity)d->oddity) {
    case ODD_DUPLICATE_INPUT: tx->in[tx->in_count] = tx->in[0], tx->in_count++; break;
    case ODD_MISSING_INPUT: in->prevout.txid.bytes[pick(s, 32)] ^= 1; break;
    case ODD_NULL_INPUT: in->prevout = (struct outpoint){.index = OUTPOINT_NULL}; break;
    case ODD_COINBASE:
        in->prevout = (struct outpoint){.index = OUTPOINT_NULL};
        tx->in[0] = *in;
        tx->in_count = 1;
        break;
    case ODD_INDEX: in->prevout.index += 1 + pick(s, 3) * 1000; break;
    default: break;
    }
}

static void sign_all(struct stream *s, struct arena *arena, const struct draft *d, struct tx *tx,
                     const struct tx_out *spent)
{
    struct script_tx t;
    script_tx_init_all(&t, tx, spent);
    for (size_t i = 0; i < d->in_count; i++) {
        unlock(s, arena, &t, i, &s->coins[d->coins[i]].lock, (enum damage)d->damage[i], &tx->in[i]);
    }
    tx->raw = span_of(NULL, 0);
    tx_hash(tx);
}

static void build(struct stream *s, struct arena *arena, const struct draft *d, struct tx *tx)
{
    struct tx_out *spent = arena_alloc_array(arena, d->in_count + 1, sizeof(*spent));
    struct buffer script = {0};
    *tx = (struct tx){
        .version = d->version, .lock_time = d->lock_time, .in_count = d->in_count, .out_count = d->out_count};
    tx->in = arena_alloc_array(arena, d->in_count + 2, sizeof(*tx->in));
    tx->out = arena_alloc_array(arena, d->out_count + 1, sizeof(*tx->out));
    for (size_t i = 0; i < d->in_count + d->out_count; i++) {
        const struct coin_of *coin = i < d->in_count ? &s->coins[d->coins[i]] : NULL;
        script.len = 0;
        lock_script_pubkey(&script, s, coin ? &coin->lock : &d->out[i - d->in_count].lock);
        uint8_t *bytes = arena_alloc(arena, script.len + 1);
        if (script.len) memcpy(bytes, script.data, script.len);
        if (coin) {
            tx->in[i] = (struct tx_in){.prevout = coin->at, .sequence = d->sequence[i]};
            spent[i] = (struct tx_out){coin->value, span_of(bytes, script.len)};
        } else {
            tx->out[i - d->in_count].script_pubkey = span_of(bytes, script.len);
        }
    }
    buffer_clear(&script);
    amount_sat in = sum_in(s, d), fee = d->fee;
    share_out(d, tx, in, 0);
    if (d->rate >= 0) {
        sign_all(s, arena, d, tx, spent);
        uint64_t vsize = (tx_weight(tx) + 3) / 4;
        fee = (amount_sat)((vsize * (uint64_t)d->rate + 999) / 1000) + d->added_fee;
    }
    if (fee < 0) fee = 0;
    if (fee > in) fee = in / 2;
    share_out(d, tx, in, fee);
    sign_all(s, arena, d, tx, spent);
    odd_inputs(s, d, tx);
    tx_hash(tx);
}

/* Writes the transaction, and remembers what it makes and spends. */
static uint32_t remember(struct stream *s, const struct draft *d, const struct tx *tx)
{
    uint32_t number;
    struct made_tx *made = add_tx(s, &number);
    amount_sat out = 0;
    tx_write(&made->raw, tx);
    made->txid = tx->txid;
    made->version = tx->version;
    made->vsize = (tx_weight(tx) + 3) / 4;
    made->spends = mem_alloc((d->in_count + 1) * sizeof(*made->spends));
    made->spend_count = (uint32_t)d->in_count;
    memcpy(made->spends, d->coins, d->in_count * sizeof(*made->spends));
    for (size_t i = 0; i < d->out_count; i++) out += tx->out[i].value;
    made->fee = sum_in(s, d) - out;
    for (size_t i = 0; i < d->out_count; i++) {
        if (d->out[i].lock.wrap != WRAP_DATA) add_coin(s, number, (uint32_t)i, tx->out[i].value, d->out[i].lock);
    }
    set_life(s, number, d->doubtful ? LIFE_DEAD : LIFE_POOL, 0);
    return number;
}

static void next_mode(struct stream *s)
{
    if (s->mode_left-- > 0) return;
    s->mode = pick(s, MODE_COUNT);
    s->mode_left = 10 + pick(s, 90);
}

/* Something that was told before: known, confirmed, refused; or the same with another witness. */
static uint32_t repeat(struct stream *s)
{
    size_t window = s->tx_count < 300 ? s->tx_count : 300;
    uint32_t at = (uint32_t)(s->tx_count - 1 - pick(s, window)), number;
    if (s->txs[at].coinbase || s->txs[at].raw.len == 0) return NOBODY;
    if (chance(s, 50)) return at;
    struct arena arena = {0};
    struct tx tx;
    struct span junk = span_str("junk"), *items;
    if (!tx_parse(&tx, buffer_span(&s->txs[at].raw), &arena, 0)) return arena_clear(&arena), NOBODY;
    struct witness *w = &tx.in[pick(s, tx.in_count)].witness;
    items = arena_alloc_array(&arena, w->count + 1, sizeof(*items));
    if (w->count) memcpy(items, w->items, w->count * sizeof(*items));
    items[w->count] = junk;
    *w = (struct witness){items, chance(s, 30) ? 0 : w->count + 1};
    tx.raw = span_of(NULL, 0);
    tx_hash(&tx);
    struct made_tx *made = add_tx(s, &number);
    made->txid = tx.txid;
    tx_write(&made->raw, &tx);
    arena_clear(&arena);
    return number;
}

uint32_t make_tx(struct stream *s)
{
    struct output *outputs;
    struct draft d = {.version = chance(s, 50) ? 2 : 1};
    struct arena arena = {0};
    struct tx tx;
    uint32_t number = NOBODY;
    if (!s->blocks) next_mode(s);
    if (!s->blocks && chance(s, 2) && s->tx_count > 10) return repeat(s);
    outputs = mem_calloc(OUTPUTS_MAX, sizeof(*outputs));
    d.out = outputs;
    choose_rate(s, &d);
    if (s->blocks) {
        spend_some(s, &d, 1 + pick(s, 2), WANT_CHAIN);
        add_outputs(s, &d, d.in_count && s->coins[d.coins[0]].value > 100000000 ? 40 : 4, 45);
    } else {
        shape(s, &d);
        odd_before(s, &d);
    }
    obey_scripts(s, &d);
    if (d.in_count > 0 || d.oddity == ODD_NO_INPUTS) {
        build(s, &arena, &d, &tx);
        number = remember(s, &d, &tx);
    }
    arena_clear(&arena);
    free(outputs);
    return number;
}

/* ---- packages ---- */

size_t make_package(struct stream *s, uint32_t list[32])
{
    size_t count = 0, want = chance(s, 3) ? 24 + pick(s, 4) : 2 + pick(s, 4);
    unsigned mode = s->mode;
    s->calm = chance(s, 60);
    for (size_t i = 0; i < want * 2 && count < want; i++) {
        s->mode = s->calm || chance(s, 70) ? MODE_CHAIN : chance(s, 50) ? MODE_DUST : mode;
        s->mode_left = 5;
        uint32_t number = make_tx(s);
        if (number != NOBODY) list[count++] = number;
    }
    s->mode = mode;
    s->calm = false;
    if (count > 1 && chance(s, 8)) {
        uint32_t a = pick(s, count), b = pick(s, count), kept = list[a];
        list[a] = list[b], list[b] = kept;
    }
    if (count > 1 && chance(s, 4)) list[pick(s, count)] = list[pick(s, count)];
    return count;
}

void make_junk(struct stream *s, struct buffer *out)
{
    uint32_t at = choose_pool_tx(s, 100);
    if (at != NOBODY)
        buffer_put_span(out, buffer_span(&s->txs[at].raw));
    else
        buffer_put(out, "\x01\x00\x00\x00", 4);
    switch (pick(s, 3)) {
    case 0: out->len -= 1 + pick(s, out->len - 1); break;
    case 1: buffer_put_u8(out, (uint8_t)pick(s, 256)); break;
    default: out->data[pick(s, out->len)] ^= (uint8_t)(1u << pick(s, 8)); break;
    }
}
