/* Commands: a row each, and what their argument may be. */
#include <inttypes.h>

#include "base/check.h"
#include "lab/setup.h"
#include "lab/words.h"

const struct lab_command_row lab_command_rows[LAB_COMMANDS] = {
    [LAB_COMMAND_POWER] = {"power", "SHARE", "the attacker's share of all hash power from now on"},
    [LAB_COMMAND_PARTITION] = {"partition", NULL,
                               "the honest nodes fall into two halves that do not hear of each other"},
    [LAB_COMMAND_HEAL] = {"heal", NULL, "all links are back; an eclipsed merchant meets honest nodes, too"},
    [LAB_COMMAND_ATTACK] = {"attack", "[STRATEGY]",
                            "the attacker begins: double (orders, pays and mines in secret), "
                            "takeover, censor, empty, selfish"},
    [LAB_COMMAND_PUBLISH] = {"publish", NULL, "the attacker shows all that it has"},
    [LAB_COMMAND_GIVE_UP] = {"give-up", NULL, "the attacker throws its secret branch away"},
    [LAB_COMMAND_LEAVE] = {"leave", NULL, "the attacker is gone, with its hash power"},
    [LAB_COMMAND_MINERS] = {"miners", "N", "honest power joins: N times that of one honest node of the beginning"},
    [LAB_COMMAND_PAY] = {"pay", "[COINS]", "an honest customer pays the merchant"},
    [LAB_COMMAND_CONFIRMATIONS] = {"confirmations", "N", "the merchant waits for so many from now on"},
    [LAB_COMMAND_INVALIDATE] = {"invalidate", NULL,
                                "the operators of all honest nodes call the attacker's branch "
                                "invalid"},
    [LAB_COMMAND_RECONSIDER] = {"reconsider", NULL, "they take that back"},
    [LAB_COMMAND_LATENCY] = {"latency", "TIME", "how long a message takes on links that are made from now on"},
    [LAB_COMMAND_SAY] = {"say", "TEXT", "explains what is to be seen"},
    [LAB_COMMAND_END] = {"end", NULL, "it is over"},
};

enum argument { NOTHING, SHARE, TIME, COUNT, COINS, STRATEGY, WORDS };

static const struct {
    enum argument form;
    bool optional;
    int64_t min, max;
} arguments[LAB_COMMANDS] = {
    [LAB_COMMAND_POWER] = {SHARE, false, 0, LAB_PPM - 1},
    [LAB_COMMAND_ATTACK] = {STRATEGY, true, 0, 0},
    [LAB_COMMAND_MINERS] = {COUNT, false, 1, 1000},
    [LAB_COMMAND_PAY] = {COINS, true, 1000, INT64_C(5000000000)},
    [LAB_COMMAND_CONFIRMATIONS] = {COUNT, false, 1, 1000},
    [LAB_COMMAND_LATENCY] = {TIME, false, 0, 10000000},
    [LAB_COMMAND_SAY] = {WORDS, false, 0, 0},
};

static const char *wanted(enum lab_command_kind kind)
{
    switch (arguments[kind].form) {
    case SHARE: return "a share from 0 to below 100%";
    case TIME: return "a time from 0 to 10s";
    case COUNT: return "a number from 1 to 1000";
    case COINS: return "coins from 0.00001 to 50";
    case STRATEGY: return "double, takeover, censor, empty or selfish";
    default: return "a text of at most 479 bytes";
    }
}

static bool parse_number(enum argument form, struct span text, int64_t *out)
{
    uint64_t number;
    uint32_t ppm;
    switch (form) {
    case SHARE:
        if (!lab_parse_share(text, &ppm)) return false;
        return *out = ppm, true;
    case TIME: return lab_parse_time(text, out);
    case COINS: return lab_parse_decimal(text, 8, out);
    default:
        if (!lab_parse_number(text, &number) || number > INT64_MAX) return false;
        return *out = (int64_t)number, true;
    }
}

static bool set_text(struct lab_command *c, struct span text)
{
    if (text.len >= sizeof(c->text) || (text.len && memchr(text.data, 0, text.len))) return false;
    if (text.len) memcpy(c->text, text.data, text.len);
    c->text[text.len] = '\0';
    return true;
}

static bool parse_argument(struct lab_command *c, struct span rest)
{
    enum argument form = arguments[c->kind].form;
    if (form == WORDS) return rest.len < sizeof(c->text);
    if (form == STRATEGY) {
        c->has_strategy = true;
        return lab_parse_strategy(rest, &c->strategy) && c->strategy != LAB_STRATEGY_NONE;
    }
    return parse_number(form, rest, &c->value) && c->value >= arguments[c->kind].min &&
           c->value <= arguments[c->kind].max;
}

enum result lab_command_parse(struct lab_command *out, struct span line, struct error *e)
{
    char shown[LAB_WORD_SHOWN];
    struct span rest = lab_trim(line), name = lab_word_take(&rest);
    memset(out, 0, sizeof(*out));
    size_t kind = 0;
    while (kind < LAB_COMMANDS && !lab_word_is(name, lab_command_rows[kind].name)) kind++;
    if (kind == LAB_COMMANDS) return error_set(e, RESULT_INVALID, "there is no command %s", lab_show(shown, name));
    out->kind = (enum lab_command_kind)kind;
    const char *word = lab_command_rows[kind].name;
    if (arguments[kind].form == NOTHING && rest.len)
        return error_set(e, RESULT_INVALID, "%s takes no argument, but there is %s", word, lab_show(shown, rest));
    if (arguments[kind].form != NOTHING && !rest.len && !arguments[kind].optional)
        return error_set(e, RESULT_INVALID, "%s needs %s", word, wanted(out->kind));
    if (rest.len && !parse_argument(out, rest))
        return error_set(e, RESULT_INVALID, "%s %s: must be %s", word, lab_show(shown, rest), wanted(out->kind));
    if (!set_text(out, rest)) return error_set(e, RESULT_INVALID, "%s: the line is too long", word);
    return RESULT_OK;
}

void lab_command_write(struct buffer *out, const struct lab_command *c)
{
    CHECK((unsigned)c->kind < LAB_COMMANDS);
    buffer_put_str(out, lab_command_rows[c->kind].name);
    if (arguments[c->kind].form == NOTHING) return;
    if (arguments[c->kind].optional && !c->has_strategy && !c->value) return;
    buffer_put_str(out, " ");
    switch (arguments[c->kind].form) {
    case SHARE: lab_write_share(out, (uint32_t)c->value); break;
    case TIME: lab_write_time(out, c->value); break;
    case COINS: buffer_printf(out, "%" PRId64 ".%08" PRId64, c->value / 100000000, c->value % 100000000); break;
    case STRATEGY: buffer_put_str(out, lab_strategy_name(c->strategy)); break;
    case WORDS: buffer_put_str(out, c->text); break;
    default: buffer_printf(out, "%" PRId64, c->value); break;
    }
}
