/* Settings: the command line, and which of several values counts. */
#include "daemon/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

static const struct chain_row chains[] = {
    {"main", "", 8332, NULL},
    {"test", "testnet3", 18332, "testnet"},
    {"testnet4", "testnet4", 48332, "testnet4"},
    {"signet", "signet", 38332, "signet"},
    {"regtest", "regtest", 18443, "regtest"},
};

void args_init(struct args *a, const struct option_table *table, struct log *log)
{
    *a = (struct args){.table = table, .log = log};
}

static void entry_clear(struct arg_entry *e)
{
    for (size_t i = 0; i < e->count; i++) free(e->values[i].text);
    free(e->values);
    free(e->section);
}

void args_clear(struct args *a)
{
    for (size_t i = 0; i < a->count; i++) entry_clear(&a->entries[i]);
    for (size_t i = 0; i < a->section_count; i++) {
        free(a->sections[i].name);
        free(a->sections[i].file);
    }
    for (size_t i = 0; i < a->command_count; i++) free(a->command[i]);
    free(a->entries);
    free(a->sections);
    free(a->command);
    free(a->config_path);
    args_init(a, a->table, a->log);
}

struct arg_key arg_key_parse(const char *key)
{
    struct arg_key k = {.name = key};
    const char *dot = strchr(key, '.');
    if (dot) {
        size_t len = (size_t)(dot - key);
        k.bad = len >= sizeof(k.section);
        if (!k.bad) memcpy(k.section, key, len);
        k.name = dot + 1;
    }
    if (!strncmp(k.name, "no", 2)) {
        k.negated = true;
        k.name += 2;
    }
    return k;
}

int64_t arg_text_int(const char *text)
{
    static const char blanks[] = " \f\n\r\t\v";
    text += strspn(text, blanks);
    if (*text == '+' && *++text == '-') return 0;
    bool negative = *text == '-';
    if (negative) text++;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        number = number > (limit - digit) / 10 ? limit : number * 10 + digit;
    }
    if (!negative) return (int64_t)number;
    return number == limit ? INT64_MIN : -(int64_t)number;
}

bool arg_text_bool(const char *text)
{
    return !*text || arg_text_int(text) != 0;
}

struct arg_entry *args_entry(const struct args *a, enum arg_source source, const char *section, const char *name)
{
    for (size_t i = 0; i < a->count; i++) {
        struct arg_entry *e = &a->entries[i];
        if (e->source == source && !strcmp(e->row->name, name) && !strcmp(e->section, section)) return e;
    }
    return NULL;
}

static void entry_add(struct args *a, enum arg_source source, const char *section, const struct option_row *row,
                      struct arg_value value)
{
    struct arg_entry *e = args_entry(a, source, section, row->name);
    if (!e) {
        a->entries = mem_grow(a->entries, &a->cap, a->count + 1, sizeof(*a->entries));
        e = &a->entries[a->count++];
        *e = (struct arg_entry){.source = source, .section = mem_strdup(section), .row = row};
    }
    e->values = mem_grow(e->values, &e->cap, e->count + 1, sizeof(*e->values));
    e->values[e->count++] = value;
}

bool args_add(struct args *a, enum arg_source source, const char *section, const struct option_row *row, bool negated,
              const char *value, struct buffer *error)
{
    struct arg_value v = {.type = ARG_FALSE};
    if (negated) {
        if (row->flags & OPTION_NO_NEGATION) {
            buffer_printf(error, "Negating of -%s is meaningless and therefore forbidden", row->name);
            return false;
        }
        if (value && !arg_text_bool(value)) {
            log_warning(a->log, "Parsed potentially confusing double-negative -%s=%s", row->name, value);
            v.type = ARG_TRUE;
        }
    } else if (!value && (row->flags & OPTION_NEEDS_VALUE)) {
        buffer_printf(error, "Can not set -%s with no value. Please specify value with -%s=value.", row->name,
                      row->name);
        return false;
    } else {
        v.type = ARG_TEXT;
        v.text = mem_strdup(value ? value : "");
    }
    entry_add(a, source, section, row, v);
    return true;
}

/* One "-name=value" word. */
static bool parse_word(struct args *a, const char *word, struct buffer *error)
{
    const char *key_start = word + (word[1] == '-' ? 2 : 1);
    const char *equals = strchr(key_start, '=');
    size_t key_len = equals ? (size_t)(equals - key_start) : strlen(key_start);
    char *key_text = mem_alloc(key_len + 1);
    memcpy(key_text, key_start, key_len);
    key_text[key_len] = '\0';
    struct arg_key key = arg_key_parse(key_text);
    const struct option_row *row = option_find(a->table, key.name);
    bool ok = row && !strchr(key_text, '.');
    if (ok) {
        ok = args_add(a, ARG_COMMAND_LINE, "", row, key.negated, equals ? equals + 1 : NULL, error);
    } else {
        buffer_printf(error, "Invalid parameter %s", word);
    }
    free(key_text);
    return ok;
}

static bool check_includeconf(const struct args *a, struct buffer *error)
{
    const struct arg_entry *e = args_entry(a, ARG_COMMAND_LINE, "", "includeconf");
    if (!e) return true;
    size_t first = arg_entry_negated(e);
    if (first >= e->count) return true;
    buffer_put_str(error, "-includeconf cannot be used from commandline; -includeconf=");
    if (e->values[first].type == ARG_TEXT) {
        buffer_printf(error, "\"%s\"", e->values[first].text);
    } else {
        buffer_put_str(error, "true");
    }
    return false;
}

bool args_parse_command_line(struct args *a, int argc, const char *const *argv, struct buffer *error)
{
    size_t before = error->len;
    buffer_put_str(error, "Error parsing command line arguments: ");
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (!parse_word(a, argv[i], error)) return false;
    }
    if (i < argc && strcmp(argv[i], "-") != 0) {
        a->command = mem_calloc((size_t)(argc - i), sizeof(*a->command));
        for (; i < argc; i++) a->command[a->command_count++] = mem_strdup(argv[i]);
    }
    if (!check_includeconf(a, error)) return false;
    error->len = before;
    return true;
}

bool args_check_no_command(const struct args *a, struct buffer *error)
{
    if (!a->command_count) return true;
    buffer_printf(error, "Command line contains unexpected token '%s', see %s -h for a list of options.", a->command[0],
                  a->table->program);
    return false;
}

/* Visits the entries of an option in the order of precedence. SECTION is that of the chain, "" for none. */
static const struct arg_entry *merge_next(const struct args *a, const char *section, const char *name, int *step)
{
    static const enum arg_source order[] = {ARG_FORCED, ARG_COMMAND_LINE, ARG_SETTINGS, ARG_CONFIG, ARG_CONFIG};
    for (; *step < (int)ARRAY_LEN(order); ++*step) {
        bool own = *step == 3;
        if (own && !*section) continue;
        const struct arg_entry *e = args_entry(a, order[*step], own ? section : "", name);
        if (!e) continue;
        ++*step;
        return e;
    }
    return NULL;
}

size_t arg_entry_negated(const struct arg_entry *e)
{
    for (size_t i = e->count; i > 0; i--) {
        if (e->values[i - 1].type == ARG_FALSE) return i;
    }
    return 0;
}

static bool entry_last_negated(const struct arg_entry *e)
{
    return e->count > 0 && e->values[e->count - 1].type == ARG_FALSE;
}

/* Whether the top of the file counts for an option. */
static bool default_section_counts(const struct args *a, const struct option_row *row)
{
    return !a->chain || !strcmp(a->chain, "main") || !(row->flags & OPTION_NETWORK_ONLY);
}

static const struct arg_value *find_value(const struct args *a, const struct option_row *row)
{
    bool skip_top = !default_section_counts(a, row);
    const char *section = a->chain ? a->chain : "";
    const struct arg_entry *e;
    int step = 0;
    while ((e = merge_next(a, section, row->name, &step)) != NULL) {
        bool top = e->source == ARG_CONFIG && !*e->section;
        bool negated = entry_last_negated(e);
        if (skip_top && top && !negated) continue;
        if (negated || e->source != ARG_CONFIG) return &e->values[e->count - 1];
        return &e->values[arg_entry_negated(e)];
    }
    return NULL;
}

/* As find_value for the options that select the chain: the last value counts everywhere, negations on the command line
 * (or anywhere) are passed over. */
static bool chain_option_on(const struct args *a, const char *name)
{
    const struct arg_entry *e;
    int step = 0;
    while ((e = merge_next(a, "", name, &step)) != NULL) {
        if (entry_last_negated(e)) continue;
        const struct arg_value *v = &e->values[e->count - 1];
        return v->type == ARG_TRUE || arg_text_bool(v->text);
    }
    return false;
}

static const struct option_row *need_row(const struct args *a, const char *name)
{
    const struct option_row *row = option_find(a->table, name);
    CHECK(row != NULL);
    return row;
}

bool args_is_set(const struct args *a, const char *name)
{
    return find_value(a, need_row(a, name)) != NULL;
}

bool args_is_negated(const struct args *a, const char *name)
{
    const struct arg_value *v = find_value(a, need_row(a, name));
    return v && v->type == ARG_FALSE;
}

const char *args_string(const struct args *a, const char *name)
{
    const struct option_row *row = need_row(a, name);
    const struct arg_value *v = find_value(a, row);
    if (!v) return row->fallback;
    return v->type == ARG_TEXT ? v->text : v->type == ARG_TRUE ? "1" : "0";
}

bool args_bool_or(const struct args *a, const char *name, bool fallback)
{
    CHECK(need_row(a, name)->kind == OPTION_BOOL);
    return args_is_set(a, name) ? arg_text_bool(args_string(a, name)) : fallback;
}

bool args_bool(const struct args *a, const char *name)
{
    const char *fallback = need_row(a, name)->fallback;
    return args_bool_or(a, name, fallback && arg_text_bool(fallback));
}

int64_t args_int_or(const struct args *a, const char *name, int64_t fallback)
{
    CHECK(need_row(a, name)->kind == OPTION_INT);
    return args_is_set(a, name) ? arg_text_int(args_string(a, name)) : fallback;
}

int64_t args_int(const struct args *a, const char *name)
{
    const char *fallback = need_row(a, name)->fallback;
    return args_int_or(a, name, fallback ? arg_text_int(fallback) : 0);
}

const char **args_list(const struct args *a, const char *name, size_t *count)
{
    const struct option_row *row = need_row(a, name);
    CHECK(row->kind == OPTION_LIST);
    bool skip_top = !default_section_counts(a, row);
    const char **out = NULL;
    size_t cap = 0;
    bool done = false;
    bool emptied = false; /* negated without a value after it: the configuration does not count either */
    const struct arg_entry *e;
    int step = 0;
    *count = 0;
    while ((e = merge_next(a, a->chain ? a->chain : "", name, &step)) != NULL) {
        bool config = e->source == ARG_CONFIG;
        if (skip_top && config && !*e->section) continue;
        size_t first = arg_entry_negated(e);
        if (!done || (config && !emptied)) {
            for (size_t i = first; i < e->count; i++) {
                out = mem_grow(out, &cap, *count + 1, sizeof(*out));
                out[(*count)++] = e->values[i].type == ARG_TEXT ? e->values[i].text : "1";
            }
        }
        done |= first > 0 || e->source == ARG_FORCED;
        emptied |= entry_last_negated(e) && !*count;
    }
    return out;
}

bool args_list_has(const struct args *a, const char *name, const char *value)
{
    size_t count;
    const char **list = args_list(a, name, &count);
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) found = !strcmp(list[i], value);
    free(list);
    return found;
}

void args_force_set(struct args *a, const char *name, const char *value)
{
    const struct option_row *row = need_row(a, name);
    struct arg_entry *e = args_entry(a, ARG_FORCED, "", name);
    if (e) {
        for (size_t i = 0; i < e->count; i++) free(e->values[i].text);
        e->count = 0;
    }
    entry_add(a, ARG_FORCED, "", row, (struct arg_value){.type = ARG_TEXT, .text = mem_strdup(value)});
}

bool args_soft_set(struct args *a, const char *name, const char *value)
{
    if (args_is_set(a, name)) return false;
    args_force_set(a, name, value);
    return true;
}

bool args_wants_help(const struct args *a)
{
    return args_is_set(a, "help") || args_is_set(a, "h") || args_is_set(a, "?") || args_is_set(a, "help-debug");
}

const struct chain_row *chain_row_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        if (!strcmp(chains[i].name, name)) return &chains[i];
    }
    return NULL;
}

const struct chain_row *args_find_chain(const struct args *a, struct buffer *error)
{
    bool named = args_is_set(a, "chain");
    int given = named;
    const struct chain_row *found = &chains[0];
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        if (!chains[i].option || !chain_option_on(a, chains[i].option)) continue;
        found = &chains[i];
        given++;
    }
    if (given > 1) {
        buffer_put_str(error, "Invalid combination of -regtest, -signet, -testnet, -testnet4 and -chain. Can use at "
                              "most one.");
        return NULL;
    }
    if (!named) return found;
    found = chain_row_find(args_string(a, "chain"));
    if (!found) buffer_printf(error, "Unknown chain %s.", args_string(a, "chain"));
    return found;
}

bool args_select_chain(struct args *a, struct buffer *error)
{
    const struct chain_row *row = args_find_chain(a, error);
    if (row) a->chain = row->name;
    return row != NULL;
}

const struct chain_row *args_chain(const struct args *a)
{
    CHECK(a->chain != NULL);
    return chain_row_find(a->chain);
}

bool args_check_sections(const struct args *a, struct buffer *error)
{
    if (!a->chain || !strcmp(a->chain, "main")) return true;
    bool ok = true;
    for (size_t i = 0; i < a->table->count; i++) {
        const struct option_row *row = &a->table->rows[i];
        if (!(row->flags & OPTION_NETWORK_ONLY)) continue;
        bool top = false;
        bool elsewhere = false;
        const struct arg_entry *e;
        int step = 0;
        while ((e = merge_next(a, a->chain, row->name, &step)) != NULL) {
            if (entry_last_negated(e)) continue;
            bool is_top = e->source == ARG_CONFIG && !*e->section;
            top |= is_top;
            elsewhere |= !is_top;
        }
        if (!top || elsewhere) continue;
        ok = false;
        buffer_printf(error, "Config setting for -%s only applied on %s network when in [%s] section.\n", row->name,
                      a->chain, a->chain);
    }
    return ok;
}

void args_unknown_sections(const struct args *a, struct buffer *out)
{
    for (size_t i = 0; i < a->section_count; i++) {
        const struct arg_section *s = &a->sections[i];
        if (chain_row_find(s->name)) continue;
        buffer_printf(out, "%s:%d Section [%s] is not recognized.\n", s->file, s->line, s->name);
    }
}
