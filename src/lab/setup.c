/* Settings: a row each, from which they are read, checked and written. */
#include "lab/setup.h"

#include <inttypes.h>

#include "base/check.h"
#include "lab/words.h"
#include "rpc/json_writer.h"

#define MINUTE_US INT64_C(60000000)
#define DAY_US    (1440 * MINUTE_US)

static const char *const strategy_names[LAB_STRATEGIES] = {
    [LAB_STRATEGY_NONE] = "none",     [LAB_STRATEGY_DOUBLE] = "double", [LAB_STRATEGY_TAKEOVER] = "takeover",
    [LAB_STRATEGY_CENSOR] = "censor", [LAB_STRATEGY_EMPTY] = "empty",   [LAB_STRATEGY_SELFISH] = "selfish",
};

struct lab_setup lab_setup_default(void)
{
    return (struct lab_setup){.seed = 1,
                              .honest = 3,
                              .merchant = true,
                              .block_us = 10 * MINUTE_US,
                              .latency_us = 100000,
                              .confirmations = 6,
                              .budget = 2016,
                              .gamma_ppm = LAB_PPM / 2,
                              .reorg_alarm = 3};
}

/* ---- the rows: for people, and for the machine in the same order ---- */

const struct lab_setting_row lab_setting_rows[] = {
    {"seed", "seed", "where all chance comes from: the same seed, the same run"},
    {"honest", "count", "honest nodes that mine, with equal shares of the honest power"},
    {"watchers", "count", "nodes that do not mine"},
    {"merchant", "yes/no", "a node that does not mine, and sells"},
    {"q", "share", "the attacker's share of all hash power; 0: there is no attacker yet"},
    {"added", "yes/no", "the attacker's power comes on top of today's (else it is taken out of it)"},
    {"block", "time", "average time between blocks before the attack"},
    {"latency", "time", "how long a message takes from node to node"},
    {"strategy", "strategy", "what the attacker does once it attacks: none, double, takeover, censor, empty, selfish"},
    {"confirmations", "count", "the merchant delivers when a payment has so many; one in the tip has 1"},
    {"premine", "count", "blocks that the attacker has in hand when it pays: 0 or 1"},
    {"patience", "count", "after the last confirmation the attacker gives up when so many blocks behind; 0: never"},
    {"budget", "count", "the attacker gives up when both sides together have found so many blocks; 0: never"},
    {"gamma", "share", "share of the honest power that hears of the attacker's block first"},
    {"pay", "time", "average time between payments of the public; 0: none"},
    {"reorg-alarm", "count", "nodes warn when more blocks than this are thrown away; 0: never"},
    {"max-reorg", "count", "nodes refuse branches that would throw away more blocks; 0: as Bitcoin, no limit"},
    {"eclipsed", "yes/no", "the merchant knows the attacker's addresses alone"},
    {"honest-link", "yes/no", "one connection of the eclipsed merchant goes to an honest node all the same"},
    {"alarm-minutes", "count", "the merchant warns when no block came for so many minutes; 0: never"},
    {"alarm-span-minutes", "count", "it warns when the confirmations it waits for took more minutes; 0: never"},
};
const size_t lab_setting_count = ARRAY_LEN(lab_setting_rows);

enum form { SEED, COUNT, YES_NO, SHARE, TIME, STRATEGY };

struct detail {
    enum form form;
    size_t offset;
    int64_t min, max;
};

#define AT(FIELD) offsetof(struct lab_setup, FIELD)

static const struct detail details[ARRAY_LEN(lab_setting_rows)] = {
    {SEED, AT(seed), 0, 0},
    {COUNT, AT(honest), 1, 60},
    {COUNT, AT(watchers), 0, 2000},
    {YES_NO, AT(merchant), 0, 1},
    {SHARE, AT(q_ppm), 0, LAB_PPM - 1},
    {YES_NO, AT(added), 0, 1},
    {TIME, AT(block_us), 1000000, 365 * DAY_US},
    {TIME, AT(latency_us), 0, 10000000}, /* beyond, peers give up before they have met */
    {STRATEGY, AT(strategy), 0, LAB_STRATEGIES - 1},
    {COUNT, AT(confirmations), 1, 1000},
    {COUNT, AT(premine), 0, 1},
    {COUNT, AT(patience), 0, 100000},
    {COUNT, AT(budget), 0, 10000000},
    {SHARE, AT(gamma_ppm), 0, LAB_PPM},
    {TIME, AT(pay_us), 0, 365 * DAY_US},
    {COUNT, AT(reorg_alarm), 0, 100000},
    {COUNT, AT(max_reorg), 0, 100000},
    {YES_NO, AT(eclipsed), 0, 1},
    {YES_NO, AT(honest_link), 0, 1},
    {COUNT, AT(alarm_minutes), 0, 100000},
    {COUNT, AT(alarm_span_minutes), 0, 100000},
};

static int64_t get(const struct lab_setup *s, const struct detail *d)
{
    const void *p = (const char *)s + d->offset;
    switch (d->form) {
    case SEED: return (int64_t) * (const uint64_t *)p;
    case COUNT: return *(const unsigned *)p;
    case YES_NO: return *(const bool *)p;
    case SHARE: return *(const uint32_t *)p;
    case TIME: return *(const int64_t *)p;
    case STRATEGY: return *(const enum lab_strategy *)p;
    }
    return 0;
}

static void put(struct lab_setup *s, const struct detail *d, int64_t v)
{
    void *p = (char *)s + d->offset;
    switch (d->form) {
    case SEED: *(uint64_t *)p = (uint64_t)v; break;
    case COUNT: *(unsigned *)p = (unsigned)v; break;
    case YES_NO: *(bool *)p = v != 0; break;
    case SHARE: *(uint32_t *)p = (uint32_t)v; break;
    case TIME: *(int64_t *)p = v; break;
    case STRATEGY: *(enum lab_strategy *)p = (enum lab_strategy)v; break;
    }
}

/* ---- reading ---- */

const char *lab_strategy_name(enum lab_strategy s)
{
    return (unsigned)s < LAB_STRATEGIES ? strategy_names[s] : "?";
}

bool lab_parse_strategy(struct span text, enum lab_strategy *out)
{
    for (size_t i = 0; i < LAB_STRATEGIES; i++)
        if (lab_word_is(text, strategy_names[i])) return *out = (enum lab_strategy)i, true;
    return false;
}

static bool parse_yes_no(struct span text, int64_t *out)
{
    bool yes = lab_word_is(text, "yes") || lab_word_is(text, "1") || lab_word_is(text, "true");
    *out = yes;
    return yes || lab_word_is(text, "no") || lab_word_is(text, "0") || lab_word_is(text, "false");
}

static bool parse_value(enum form form, struct span text, int64_t *out)
{
    uint64_t number;
    uint32_t ppm;
    enum lab_strategy strategy;
    switch (form) {
    case SEED:
    case COUNT:
        if (!lab_parse_number(text, &number) || (form == COUNT && number > INT64_MAX)) return false;
        return *out = (int64_t)number, true;
    case YES_NO: return parse_yes_no(text, out);
    case SHARE:
        if (!lab_parse_share(text, &ppm)) return false;
        return *out = ppm, true;
    case TIME: return lab_parse_time(text, out);
    case STRATEGY:
        if (!lab_parse_strategy(text, &strategy)) return false;
        return *out = (int64_t)strategy, true;
    }
    return false;
}

static void write_value(struct buffer *out, const struct detail *d, int64_t v)
{
    switch (d->form) {
    case SEED: buffer_printf(out, "%" PRIu64, (uint64_t)v); break;
    case COUNT: buffer_printf(out, "%" PRId64, v); break;
    case YES_NO: buffer_put_str(out, v ? "yes" : "no"); break;
    case SHARE: lab_write_share(out, (uint32_t)v); break;
    case TIME: lab_write_time(out, v); break;
    case STRATEGY: buffer_put_str(out, lab_strategy_name((enum lab_strategy)v)); break;
    }
}

static const char *wanted(enum form form)
{
    switch (form) {
    case SEED: return "a number up to 2^64 - 1";
    case COUNT: return "a whole number";
    case YES_NO: return "yes or no";
    case SHARE: return "a share such as 30%, 0.3 or 1/3";
    case TIME: return "a time such as 250ms, 90s, 10m, 2h or 1d";
    case STRATEGY: return "none, double, takeover, censor, empty or selfish";
    }
    return "";
}

/* An underscore in a name is as good as a hyphen. */
static bool name_is(struct span text, const char *name)
{
    if (text.len != strlen(name)) return false;
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] == '_' ? '-' : (char)text.data[i]) != name[i]) return false;
    return true;
}

enum result lab_setup_set(struct lab_setup *s, struct span name, struct span value, struct error *e)
{
    char shown_name[LAB_WORD_SHOWN], shown[LAB_WORD_SHOWN];
    name = lab_trim(name);
    value = lab_trim(value);
    for (size_t i = 0; i < lab_setting_count; i++) {
        const struct detail *d = &details[i];
        int64_t v;
        if (!name_is(name, lab_setting_rows[i].name)) continue;
        if (!parse_value(d->form, value, &v))
            return error_set(e, RESULT_INVALID, "%s = %s: must be %s", lab_setting_rows[i].name, lab_show(shown, value),
                             wanted(d->form));
        if (d->form != SEED && (v < d->min || v > d->max)) {
            struct buffer limits = {0};
            write_value(&limits, d, d->min);
            buffer_put_str(&limits, " to ");
            write_value(&limits, d, d->max);
            enum result r = error_set(e, RESULT_INVALID, "%s = %s: must be %s", lab_setting_rows[i].name,
                                      lab_show(shown, value), buffer_text(&limits));
            buffer_clear(&limits);
            return r;
        }
        put(s, d, v);
        return RESULT_OK;
    }
    return error_set(e, RESULT_INVALID, "there is no setting %s", lab_show(shown_name, name));
}

enum result lab_setup_check(const struct lab_setup *s, struct error *e)
{
    for (size_t i = 0; i < lab_setting_count; i++) {
        int64_t v = get(s, &details[i]);
        if (details[i].form != SEED && (v < details[i].min || v > details[i].max))
            return error_set(e, RESULT_INVALID, "%s is out of its bounds", lab_setting_rows[i].name);
    }
    if (s->strategy != LAB_STRATEGY_NONE && !s->q_ppm)
        return error_set(e, RESULT_INVALID, "strategy = %s needs an attacker with hash power: q",
                         lab_strategy_name(s->strategy));
    if ((s->strategy == LAB_STRATEGY_DOUBLE || s->strategy == LAB_STRATEGY_CENSOR) && !s->merchant)
        return error_set(e, RESULT_INVALID, "strategy = %s needs a merchant", lab_strategy_name(s->strategy));
    if (s->eclipsed && !s->merchant) return error_set(e, RESULT_INVALID, "eclipsed = yes needs a merchant");
    if (s->eclipsed && !s->q_ppm) return error_set(e, RESULT_INVALID, "eclipsed = yes needs an attacker: q");
    if (s->honest_link && !s->eclipsed) return error_set(e, RESULT_INVALID, "honest-link = yes needs eclipsed = yes");
    return RESULT_OK;
}

/* ---- writing ---- */

void lab_setup_json(struct buffer *out, const struct lab_setup *s)
{
    struct json_writer w = json_writer_of(out);
    struct buffer value = {0};
    jw_object(&w);
    for (size_t i = 0; i < lab_setting_count; i++) {
        value.len = 0;
        write_value(&value, &details[i], get(s, &details[i]));
        jw_key(&w, lab_setting_rows[i].name);
        jw_str_span(&w, buffer_span(&value));
    }
    jw_object_end(&w);
    buffer_clear(&value);
}

void lab_setup_write(struct buffer *out, const struct lab_setup *s, const struct lab_setup *defaults)
{
    for (size_t i = 0; i < lab_setting_count; i++) {
        int64_t v = get(s, &details[i]);
        if (defaults && v == get(defaults, &details[i])) continue;
        buffer_printf(out, "%s = ", lab_setting_rows[i].name);
        write_value(out, &details[i], v);
        buffer_put_str(out, "\n");
    }
}
