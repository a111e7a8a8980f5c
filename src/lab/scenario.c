/* Scenario files: lines, sections, values that go on in indented lines, cues. */
#include "lab/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "lab/figures.h"
#include "lab/words.h"

static const char *const trigger_names[LAB_TRIGGERS] = {
    [LAB_AT] = "at",
    [LAB_ON_START] = "start",
    [LAB_ON_PAYMENT] = "payment",
    [LAB_ON_CONFIRMED] = "confirmed",
    [LAB_ON_DELIVERED] = "delivered",
    [LAB_ON_LEADS] = "leads",
    [LAB_ON_PUBLISHES] = "publishes",
    [LAB_ON_STOLEN] = "stolen",
    [LAB_ON_GAVE_UP] = "gave-up",
    [LAB_ON_OUT_OF_BLOCKS] = "out-of-blocks",
    [LAB_ON_REORGANISATION] = "reorganisation",
    [LAB_ON_ALARM] = "alarm",
    [LAB_ON_PARTITION] = "partition",
    [LAB_ON_HEAL] = "heal",
    [LAB_ON_SETTLED] = "settled",
};

/* The texts at the head of a file. */
static const struct {
    const char *name;
    size_t offset, size;
} heads[] = {
    {"title", offsetof(struct lab_scenario, title), sizeof(((struct lab_scenario *)0)->title)},
    {"about", offsetof(struct lab_scenario, about), LAB_PROSE},
    {"question", offsetof(struct lab_scenario, question), LAB_PROSE},
    {"answer", offsetof(struct lab_scenario, answer), LAB_PROSE},
    {"expect", offsetof(struct lab_scenario, expect), LAB_NAME},
};

enum section { HEAD, SETUP, FIGURES, STORY, SECTIONS };
static const char *const section_names[SECTIONS] = {
    [HEAD] = "", [SETUP] = "[setup]", [FIGURES] = "[figures]", [STORY] = "[story]"};

struct parser {
    struct lab_scenario *out;
    const char *name;
    struct error *e;
    enum section section;
    unsigned line;       /* of the text being read */
    unsigned value_line; /* where the value in VALUE began */
    struct buffer value; /* "title = Double spend", with the lines that go on */
    bool seen[sizeof(heads) / sizeof(heads[0])], seen_section[SECTIONS];
    bool seen_setting[64];
};

const char *lab_trigger_name(enum lab_trigger t)
{
    return (unsigned)t < LAB_TRIGGERS ? trigger_names[t] : "?";
}

PRINTF_LIKE(3, 4) static enum result wrong(struct parser *p, unsigned line, const char *format, ...)
{
    char text[384];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return error_set(p->e, RESULT_INVALID, "%.100s:%u: %s", p->name, line, text);
}

/* ---- values ---- */

static bool split(struct span s, char at, struct span *before, struct span *behind)
{
    const uint8_t *found = s.len ? memchr(s.data, at, s.len) : NULL;
    if (!found) return false;
    *before = lab_trim(span_of(s.data, (size_t)(found - s.data)));
    *behind = lab_trim(span_from(s, (size_t)(found - s.data) + 1));
    return true;
}

/* Behind a setting: "3   # three of them". */
static struct span without_comment(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (s.data[i] == '#' && (s.data[i - 1] == ' ' || s.data[i - 1] == '\t')) return lab_trim(span_of(s.data, i));
    return s;
}

static enum result set_head(struct parser *p, struct span name, struct span value)
{
    char shown[LAB_WORD_SHOWN];
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        if (!lab_word_is(name, heads[i].name)) continue;
        if (p->seen[i]) return wrong(p, p->value_line, "%s is there twice", heads[i].name);
        if (value.len >= heads[i].size)
            return wrong(p, p->value_line, "%s is too long: %zu bytes, at most %zu", heads[i].name, value.len,
                         heads[i].size - 1);
        p->seen[i] = true;
        char *to = (char *)p->out + heads[i].offset;
        if (value.len) memcpy(to, value.data, value.len);
        to[value.len] = '\0';
        return RESULT_OK;
    }
    return wrong(p, p->value_line, "there is no %s here: title, about, question, answer or expect, then [setup]",
                 lab_show(shown, name));
}

static enum result set_setting(struct parser *p, struct span name, struct span value)
{
    struct error e = {0};
    if (lab_setup_set(&p->out->setup, name, without_comment(value), &e)) return wrong(p, p->value_line, "%s", e.text);
    for (size_t i = 0; i < lab_setting_count && i < ARRAY_LEN(p->seen_setting); i++) {
        if (!lab_word_is(name, lab_setting_rows[i].name)) continue;
        if (p->seen_setting[i]) return wrong(p, p->value_line, "%s is there twice", lab_setting_rows[i].name);
        p->seen_setting[i] = true;
    }
    return RESULT_OK;
}

static enum result set_figure(struct parser *p, struct span name, struct span value)
{
    char shown[LAB_WORD_SHOWN];
    struct lab_scenario *s = p->out;
    value = without_comment(value);
    if (!name.len || !value.len || name.len >= LAB_NAME || value.len >= LAB_NAME)
        return wrong(p, p->value_line, "a figure is NAME = VALUE, each of 1 to %d bytes", LAB_NAME - 1);
    if (!lab_figure_exists(name)) return wrong(p, p->value_line, "there is no figure %s", lab_show(shown, name));
    if (s->figure_count == LAB_FIGURES_MAX) return wrong(p, p->value_line, "more than %d figures", LAB_FIGURES_MAX);
    struct lab_expected *f = &s->figures[s->figure_count++];
    memcpy(f->name, name.data, name.len);
    memcpy(f->value, value.data, value.len);
    return RESULT_OK;
}

static bool parse_trigger(struct span word, enum lab_trigger *out)
{
    for (unsigned i = LAB_AT + 1; i < LAB_TRIGGERS; i++)
        if (lab_word_is(word, trigger_names[i])) return *out = (enum lab_trigger)i, true;
    return false;
}

static enum result add_cue(struct parser *p, struct span text)
{
    char shown[LAB_WORD_SHOWN];
    struct lab_scenario *s = p->out;
    struct lab_cue cue = {0};
    struct span when, order;
    struct error e = {0};
    if (!split(text, ':', &when, &order))
        return wrong(p, p->value_line, "%s: a cue is `at TIME: COMMAND` or `on EVENT: COMMAND`", lab_show(shown, text));
    struct span how = lab_word_take(&when);
    if (lab_word_is(how, "at")) {
        if (!lab_parse_time(when, &cue.at_us))
            return wrong(p, p->value_line, "at %s: must be a time such as 90s, 10m, 2h or 1d", lab_show(shown, when));
    } else if (lab_word_is(how, "on")) {
        if (!parse_trigger(when, &cue.trigger))
            return wrong(p, p->value_line,
                         "on %s: must be start, payment, confirmed, delivered, leads, publishes, stolen, gave-up, "
                         "out-of-blocks, reorganisation, alarm, partition, heal or settled",
                         lab_show(shown, when));
    } else {
        return wrong(p, p->value_line, "%s: a cue begins with at or on", lab_show(shown, how));
    }
    if (lab_command_parse(&cue.command, order, &e)) return wrong(p, p->value_line, "%s", e.text);
    if (s->cue_count == LAB_CUES_MAX) return wrong(p, p->value_line, "more than %d cues", LAB_CUES_MAX);
    s->cues = mem_grow(s->cues, &s->cue_cap, s->cue_count + 1, sizeof(*s->cues));
    s->cues[s->cue_count++] = cue;
    return RESULT_OK;
}

/* ---- lines ---- */

/* What was gathered is whole. */
static enum result end_value(struct parser *p)
{
    char shown[LAB_WORD_SHOWN];
    struct span text = lab_trim(buffer_span(&p->value)), name, value;
    enum result r = RESULT_OK;
    if (text.len == 0) return RESULT_OK;
    if (p->section == STORY)
        r = add_cue(p, text);
    else if (!split(text, '=', &name, &value))
        r = wrong(p, p->value_line, "%s: must be NAME = VALUE", lab_show(shown, text));
    else if (p->section == HEAD)
        r = set_head(p, name, value);
    else
        r = p->section == SETUP ? set_setting(p, name, value) : set_figure(p, name, value);
    p->value.len = 0;
    return r;
}

static enum result begin_section(struct parser *p, struct span line)
{
    char shown[LAB_WORD_SHOWN];
    for (unsigned i = HEAD + 1; i < SECTIONS; i++) {
        if (!lab_word_is(line, section_names[i])) continue;
        if (p->seen_section[i]) return wrong(p, p->line, "%s is there twice", section_names[i]);
        p->seen_section[i] = true;
        p->section = (enum section)i;
        return RESULT_OK;
    }
    return wrong(p, p->line, "there is no section %s: [setup], [figures] or [story]", lab_show(shown, line));
}

static enum result take_line(struct parser *p, struct span line)
{
    bool goes_on = line.len && (line.data[0] == ' ' || line.data[0] == '\t');
    for (size_t i = 0; i < line.len; i++)
        if ((line.data[i] < 0x20 && line.data[i] != '\t' && line.data[i] != '\r') || line.data[i] == 0x7f)
            return wrong(p, p->line, "there is a control character");
    line = lab_trim(line);
    if (!line.len || line.data[0] == '#') return RESULT_OK;
    if (goes_on) {
        if (!p->value.len) return wrong(p, p->line, "an indented line goes on with a text, and there is none before");
        buffer_put_str(&p->value, " ");
        buffer_put_span(&p->value, line);
        return RESULT_OK;
    }
    enum result r = end_value(p);
    if (r) return r;
    if (line.data[0] == '[') return begin_section(p, line);
    p->value_line = p->line;
    buffer_put_span(&p->value, line);
    return RESULT_OK;
}

static enum result parse_lines(struct parser *p, struct span text)
{
    while (text.len) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        p->line++;
        enum result r = take_line(p, span_of(text.data, len));
        if (r) return r;
        text = span_from(text, len + 1);
    }
    enum result r = end_value(p);
    if (r) return r;
    if (!p->out->title[0]) return wrong(p, p->line, "there is no title");
    struct error e = {0};
    return lab_setup_check(&p->out->setup, &e) ? wrong(p, p->line, "%s", e.text) : RESULT_OK;
}

enum result lab_scenario_parse(struct lab_scenario *out, const char *name, struct span text, struct error *e)
{
    memset(out, 0, sizeof(*out));
    snprintf(out->name, sizeof(out->name), "%s", name);
    out->setup = lab_setup_default();
    struct parser p = {.out = out, .name = name, .e = e};
    if (text.len > LAB_SCENARIO_MAX) return wrong(&p, 1, "the file is larger than %d bytes", LAB_SCENARIO_MAX);
    enum result r = parse_lines(&p, text);
    buffer_clear(&p.value);
    return r;
}

void lab_scenario_clear(struct lab_scenario *s)
{
    free(s->cues);
    memset(s, 0, sizeof(*s));
}

struct lab_scenario lab_scenario_copy(const struct lab_scenario *s)
{
    struct lab_scenario copy = *s;
    copy.cue_cap = s->cue_count;
    copy.cues = s->cue_count ? mem_dup(s->cues, s->cue_count * sizeof(*s->cues)) : NULL;
    return copy;
}

/* ---- writing ---- */

void lab_scenario_write(struct buffer *out, const struct lab_scenario *s)
{
    const struct lab_setup defaults = lab_setup_default();
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const char *text = (const char *)s + heads[i].offset;
        if (*text) buffer_printf(out, "%s = %s\n", heads[i].name, text);
    }
    buffer_put_str(out, "\n[setup]\n");
    lab_setup_write(out, &s->setup, &defaults);
    if (s->figure_count) buffer_put_str(out, "\n[figures]\n");
    for (size_t i = 0; i < s->figure_count; i++)
        buffer_printf(out, "%s = %s\n", s->figures[i].name, s->figures[i].value);
    buffer_put_str(out, "\n[story]\n");
    for (size_t i = 0; i < s->cue_count; i++) {
        const struct lab_cue *c = &s->cues[i];
        if (c->trigger == LAB_AT) {
            buffer_put_str(out, "at ");
            lab_write_time(out, c->at_us);
        } else {
            buffer_printf(out, "on %s", lab_trigger_name(c->trigger));
        }
        buffer_put_str(out, ": ");
        lab_command_write(out, &c->command);
        buffer_put_str(out, "\n");
    }
}

/* ---- triggers ---- */

static bool said(const struct lab_event *e, enum lab_event_kind kind, const char *text)
{
    return e->kind == kind && strcmp(e->text, text) == 0;
}

bool lab_trigger_matches(enum lab_trigger t, const struct lab_event *e)
{
    switch (t) {
    case LAB_ON_START: return e->kind == LAB_EVENT_START;
    case LAB_ON_PAYMENT: return e->kind == LAB_EVENT_PAYMENT;
    case LAB_ON_CONFIRMED: return said(e, LAB_EVENT_LEDGER, "confirmed");
    case LAB_ON_DELIVERED: return said(e, LAB_EVENT_LEDGER, "delivered");
    case LAB_ON_LEADS: return said(e, LAB_EVENT_ATTACK, "leads");
    case LAB_ON_PUBLISHES: return said(e, LAB_EVENT_ATTACK, "publishes");
    case LAB_ON_STOLEN: return said(e, LAB_EVENT_LEDGER, "lost");
    case LAB_ON_GAVE_UP: return said(e, LAB_EVENT_ATTACK, "gave up");
    case LAB_ON_OUT_OF_BLOCKS: return said(e, LAB_EVENT_ATTACK, "out of blocks");
    case LAB_ON_REORGANISATION: return e->kind == LAB_EVENT_REORG;
    case LAB_ON_ALARM: return e->kind == LAB_EVENT_ALARM;
    case LAB_ON_PARTITION: return said(e, LAB_EVENT_LINK, "partition");
    case LAB_ON_HEAL: return said(e, LAB_EVENT_LINK, "heal");
    case LAB_AT:
    case LAB_ON_SETTLED:
    case LAB_TRIGGERS: return false;
    }
    return false;
}
