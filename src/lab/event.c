/* Events in writing: one row a kind, from which the JSON line and the line for a terminal are made. */
#include "lab/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "crypto/sha256.h"
#include "lab/setup.h"
#include "lab/world.h"
#include "rpc/json_writer.h"

enum source { NO_FIELD, NODE, BLOCK, OTHER, A, B, C, D, TEXT };
enum form { NUMBER, WHO, WHICH, FLAG, WORDS, ROLE, SEED, SHARE, COINS };

struct field {
    const char *name;
    enum source source;
    enum form form;
};

enum { FIELDS = 9 };

/* PLAIN: {field} stands for its value, {field?words} for these words where the flag is set or the number is not 0. */
struct row {
    const char *name;
    struct field fields[FIELDS];
    const char *plain;
};

static const struct row rows[LAB_EVENT_KINDS] = {
    [LAB_EVENT_START] = {"start", {{"scenario", TEXT, WORDS}, {"seed", A, SEED}}, "{scenario} begins with seed {seed}"},
    [LAB_EVENT_NODE] = {"node",
                        {{"node", NODE, WHO}, {"name", TEXT, WORDS}, {"role", B, ROLE}, {"power", A, SHARE}},
                        "{name} is there ({role})"},
    [LAB_EVENT_LINK] = {"link", {{"what", TEXT, WORDS}, {"node", NODE, WHO}}, "connections: {what}{node?, }{node}"},
    [LAB_EVENT_SIDE] = {"side", {{"node", NODE, WHO}, {"side", A, NUMBER}}, "{node} is on side {side}"},
    [LAB_EVENT_POWER] = {"power", {{"node", NODE, WHO}, {"power", A, SHARE}}, "{node} has {power} of the hash power"},
    [LAB_EVENT_BLOCK] =
        {"block",
         {{"node", NODE, WHO},
          {"block", BLOCK, WHICH},
          {"parent", OTHER, WHICH},
          {"height", A, NUMBER},
          {"txs", B, NUMBER},
          {"attacker", C, FLAG},
          {"secret", D, FLAG},
          {"hash", TEXT, WORDS}},
         "{node} finds block {block} on {parent}, height {height}, {txs} payments{secret?, and keeps it "
         "secret}"},
    [LAB_EVENT_SHOWN] = {"shown", {{"block", BLOCK, WHICH}}, "the attacker shows block {block}"},
    [LAB_EVENT_TIP] = {"tip",
                       {{"node", NODE, WHO}, {"block", BLOCK, WHICH}, {"height", A, NUMBER}},
                       "{node} is at block {block}, height {height}"},
    [LAB_EVENT_REORG] = {"reorg",
                         {{"node", NODE, WHO},
                          {"block", BLOCK, WHICH},
                          {"old", OTHER, WHICH},
                          {"depth", A, NUMBER},
                          {"returned", B, NUMBER},
                          {"conflicted", C, NUMBER}},
                         "{node} leaves the branch of {old} for that of {block}: blocks thrown away {depth}, payments "
                         "back in the pool {returned}, lost {conflicted}"},
    [LAB_EVENT_PAYMENT] =
        {"payment",
         {{"node", NODE, WHO}, {"order", A, NUMBER}, {"sat", B, COINS}, {"theft", C, FLAG}, {"txid", TEXT, WORDS}},
         "order {order} is paid with {sat} coins by {txid}{theft?; the attacker means to take it "
         "back}"},
    [LAB_EVENT_CONFLICT] = {"conflict",
                            {{"order", A, NUMBER}, {"txid", TEXT, WORDS}},
                            "the attacker signs {txid}, which spends what pays for order {order}"},
    [LAB_EVENT_LEDGER] =
        {"ledger",
         {{"order", A, NUMBER}, {"confirmations", B, NUMBER}, {"sat", C, COINS}, {"state", TEXT, WORDS}},
         "the merchant's book: order {order}, {sat} coins, confirmations {confirmations}: {state}"},
    [LAB_EVENT_DROPPED] = {"dropped",
                           {{"node", NODE, WHO}, {"txid", TEXT, WORDS}, {"conflicted", A, FLAG}},
                           "{node} takes {txid} out of its chain{conflicted?, for good}"},
    [LAB_EVENT_RETURNED] = {"returned",
                            {{"block", BLOCK, WHICH}, {"txid", TEXT, WORDS}, {"after", A, NUMBER}},
                            "{txid}, once thrown out, is in block {block}; blocks since: {after}"},
    [LAB_EVENT_POOL] = {"pool", {{"node", NODE, WHO}, {"txs", A, NUMBER}}, "{node} has payments in its pool: {txs}"},
    [LAB_EVENT_ATTACK] = {"attack",
                          {{"what", TEXT, WORDS}, {"lead", A, NUMBER}, {"confirmations", B, NUMBER}},
                          "attacker: {what} (lead {lead}, the payment's confirmations {confirmations})"},
    [LAB_EVENT_ALARM] = {"alarm",
                         {{"node", NODE, WHO}, {"what", TEXT, WORDS}, {"value", A, NUMBER}},
                         "{node} warns: {what}, {value}"},
    [LAB_EVENT_COMMAND] = {"command", {{"line", TEXT, WORDS}}, "order: {line}"},
    [LAB_EVENT_SAY] = {"say", {{"text", TEXT, WORDS}}, "-- {text}"},
    [LAB_EVENT_END] = {"end", {{"outcome", TEXT, WORDS}}, "the end: {outcome}"},
};

static const char *const role_names[LAB_ROLES] = {
    [LAB_ROLE_HONEST] = "honest", [LAB_ROLE_WATCHER] = "watcher", [LAB_ROLE_MERCHANT] = "merchant",
    [LAB_ROLE_OUTLET] = "outlet", [LAB_ROLE_HIDEOUT] = "hideout",
};

const char *lab_event_name(enum lab_event_kind kind)
{
    return (unsigned)kind < LAB_EVENT_KINDS ? rows[kind].name : "?";
}

const char *lab_role_name(unsigned role)
{
    return role < LAB_ROLES ? role_names[role] : "?";
}

static int64_t value_of(const struct lab_event *e, enum source source)
{
    switch (source) {
    case NODE: return e->node == LAB_NONE ? -1 : (int64_t)e->node;
    case BLOCK: return e->block == LAB_NONE ? -1 : (int64_t)e->block;
    case OTHER: return e->other == LAB_NONE ? -1 : (int64_t)e->other;
    case A: return e->a;
    case B: return e->b;
    case C: return e->c;
    case D: return e->d;
    default: return 0;
    }
}

static struct span text_of(const struct lab_event *e)
{
    return span_of(e->text, strnlen(e->text, sizeof(e->text)));
}

/* ---- JSON ---- */

static void write_field(struct json_writer *w, const struct lab_event *e, const struct field *f)
{
    int64_t v = value_of(e, f->source);
    jw_key(w, f->name);
    switch (f->form) {
    case WHO:
    case WHICH:
        if (v < 0)
            jw_null(w);
        else
            jw_int(w, v);
        break;
    case FLAG: jw_bool(w, v != 0); break;
    case WORDS: jw_str_span(w, text_of(e)); break;
    case ROLE: jw_str(w, lab_role_name((unsigned)v)); break;
    case SEED: {
        char digits[24];
        snprintf(digits, sizeof(digits), "%" PRIu64, (uint64_t)v);
        jw_str(w, digits);
        break;
    }
    case NUMBER:
    case SHARE:
    case COINS: jw_int(w, v); break;
    }
}

void lab_event_json(struct buffer *out, const struct lab_event *e)
{
    CHECK((unsigned)e->kind < LAB_EVENT_KINDS);
    const struct row *row = &rows[e->kind];
    struct json_writer w = json_writer_of(out);
    jw_object(&w);
    jw_kv_uint(&w, "seq", e->seq);
    jw_kv_int(&w, "t", e->at_us);
    jw_kv_str(&w, "e", row->name);
    for (size_t i = 0; i < FIELDS && row->fields[i].name; i++) write_field(&w, e, &row->fields[i]);
    jw_object_end(&w);
}

void lab_event_chain(uint8_t hash[32], const struct lab_event *e)
{
    struct buffer line = {0};
    lab_event_json(&line, e);
    struct sha256 h;
    sha256_init(&h);
    sha256_put(&h, hash, 32);
    sha256_put(&h, line.data, line.len);
    sha256_final(&h, hash);
    buffer_clear(&line);
}

/* ---- for a terminal ---- */

struct names {
    const char *const *items;
    size_t count;
};

/* Control characters of a text would move the terminal's cursor. */
static void put_words(struct buffer *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++) buffer_put_u8(out, s.data[i] < 0x20 || s.data[i] == 0x7f ? ' ' : s.data[i]);
}

static void put_coins(struct buffer *out, int64_t sat)
{
    uint64_t v = sat < 0 ? -(uint64_t)sat : (uint64_t)sat;
    buffer_printf(out, "%s%" PRIu64 ".%08" PRIu64, sat < 0 ? "-" : "", v / 100000000, v % 100000000);
}

static void put_field(struct buffer *out, const struct lab_event *e, const struct field *f, const struct names *names)
{
    int64_t v = value_of(e, f->source);
    switch (f->form) {
    case WHO:
        if (v >= 0 && (uint64_t)v < names->count)
            buffer_put_str(out, names->items[v]);
        else if (v >= 0)
            buffer_printf(out, "node %" PRId64, v);
        break;
    case WORDS: put_words(out, text_of(e)); break;
    case ROLE: buffer_put_str(out, lab_role_name((unsigned)v)); break;
    case SEED: buffer_printf(out, "%" PRIu64, (uint64_t)v); break;
    case SHARE: lab_write_share(out, v < 0 || v > LAB_PPM ? 0 : (uint32_t)v); break;
    case COINS: put_coins(out, v); break;
    case FLAG: buffer_put_str(out, v ? "yes" : "no"); break;
    case WHICH:
    case NUMBER: buffer_printf(out, "%" PRId64, v); break;
    }
}

static const struct field *field_named(const struct row *row, const char *name, size_t len)
{
    for (size_t i = 0; i < FIELDS && row->fields[i].name; i++)
        if (strlen(row->fields[i].name) == len && memcmp(row->fields[i].name, name, len) == 0) return &row->fields[i];
    return NULL;
}

/* Is what a condition asks for there? */
static bool is_set(const struct lab_event *e, const struct field *f)
{
    int64_t v = value_of(e, f->source);
    return f->form == WHO || f->form == WHICH ? v >= 0 : v != 0;
}

static void put_time(struct buffer *out, int64_t us)
{
    int64_t ms = us < 0 ? 0 : us / 1000, s = ms / 1000;
    buffer_printf(out, "%4" PRId64 "d %02d:%02d:%02d.%03d  ", s / 86400, (int)(s / 3600 % 24), (int)(s / 60 % 60),
                  (int)(s % 60), (int)(ms % 1000));
}

void lab_event_plain(struct buffer *out, const struct lab_event *e, const char *const *names, size_t name_count)
{
    CHECK((unsigned)e->kind < LAB_EVENT_KINDS);
    const struct row *row = &rows[e->kind];
    const struct names known = {names, name_count};
    put_time(out, e->at_us);
    for (const char *p = row->plain; *p;) {
        if (*p != '{') {
            buffer_put_u8(out, (uint8_t)*p++);
            continue;
        }
        size_t len = strcspn(++p, "?}"), words = p[len] == '?' ? strcspn(p + len + 1, "}") : 0;
        const struct field *f = field_named(row, p, len);
        CHECK(f);
        if (p[len] == '}') {
            put_field(out, e, f, &known);
            p += len + 1;
        } else {
            if (is_set(e, f)) buffer_put(out, p + len + 1, words);
            p += len + 1 + words + 1;
        }
    }
}
