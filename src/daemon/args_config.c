/* Settings: configuration files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "daemon/args.h"

static const char blanks[] = " \t\r\n";

/* Cuts blanks off both ends of the LEN characters at TEXT and returns them as a string. */
static char *trimmed(const char *text, size_t len)
{
    while (len && strchr(blanks, text[0])) {
        text++;
        len--;
    }
    while (len && strchr(blanks, text[len - 1])) len--;
    char *out = mem_alloc(len + 1);
    memcpy(out, text, len);
    out[len] = '\0';
    return out;
}

static void section_add(struct args *a, const char *name, size_t len, const char *file, int line)
{
    a->sections = mem_grow(a->sections, &a->section_cap, a->section_count + 1, sizeof(*a->sections));
    struct arg_section *s = &a->sections[a->section_count++];
    s->name = mem_dup(name, len + 1);
    s->name[len] = '\0';
    s->file = mem_strdup(file);
    s->line = line;
}

/* One "name=value", NAME with its section. */
static bool put_setting(struct args *a, const char *name, const char *value, struct buffer *error)
{
    struct arg_key key = arg_key_parse(name);
    if (!strcmp(key.name, "conf")) {
        buffer_put_str(error, "conf cannot be set in the configuration file; use includeconf= if you want to include "
                              "additional config files");
        return false;
    }
    if (!strcmp(key.name, "reindex")) {
        log_warning(a->log, "reindex=1 is set in the configuration file, which will significantly slow down startup. "
                            "Consider removing or commenting out this option for better performance, unless there is "
                            "currently a condition which makes rebuilding the indexes necessary");
    }
    const struct option_row *row = option_find(a->table, key.name);
    if (!row) {
        log_warning(a->log, "Ignoring unknown configuration value %s", name);
        return true;
    }
    return key.bad || args_add(a, ARG_CONFIG, key.section, row, key.negated, value, error);
}

struct parser {
    struct args *args;
    const char *file;
    struct buffer *error;
    struct buffer prefix; /* "section." of the lines that follow */
    int line;
};

static bool put_pair(struct parser *p, const char *text, const char *equals, bool commented)
{
    struct buffer name = {0};
    buffer_put_span(&name, buffer_span(&p->prefix));
    char *key = trimmed(text, (size_t)(equals - text));
    buffer_put_str(&name, key);
    free(key);
    const char *full = buffer_text(&name);
    const char *dot = strrchr(full, '.');
    if (dot && (size_t)(dot - full) >= p->prefix.len) {
        section_add(p->args, full, (size_t)(dot - full), p->file, p->line);
    }
    bool ok = true;
    if (commented && strstr(full, "rpcpassword")) {
        buffer_printf(p->error, "parse error on line %d, using # in rpcpassword can be ambiguous and should be avoided",
                      p->line);
        ok = false;
    } else {
        char *value = trimmed(equals + 1, strlen(equals + 1));
        ok = put_setting(p->args, full, value, p->error);
        free(value);
    }
    buffer_clear(&name);
    return ok;
}

/* One line without its comment and outer blanks, not empty. */
static bool parse_line(struct parser *p, const char *text, bool commented)
{
    size_t len = strlen(text);
    if (text[0] == '[' && text[len - 1] == ']') {
        p->prefix.len = 0;
        if (len > 2) buffer_put(&p->prefix, text + 1, len - 2);
        section_add(p->args, len > 2 ? text + 1 : "", len > 2 ? len - 2 : 0, p->file, p->line);
        buffer_put_u8(&p->prefix, '.');
        return true;
    }
    if (text[0] == '-') {
        buffer_printf(p->error,
                      "parse error on line %d: %s, options in configuration file must be specified without leading -",
                      p->line, text);
        return false;
    }
    const char *equals = strchr(text, '=');
    if (equals) return put_pair(p, text, equals, commented);
    buffer_printf(p->error, "parse error on line %d: %s", p->line, text);
    if (!strncmp(text, "no", 2)) {
        buffer_printf(p->error, ", if you intended to specify a negated option, use %s=1 instead", text);
    }
    return false;
}

bool args_read_config_text(struct args *a, const char *file, const char *text, struct buffer *error)
{
    struct parser p = {.args = a, .file = file, .error = error, .line = 1};
    bool ok = true;
    for (const char *at = text; ok && *at; p.line++) {
        size_t len = strcspn(at, "\n");
        size_t content = strcspn(at, "\n#");
        char *line = trimmed(at, content);
        if (*line) ok = parse_line(&p, line, content < len);
        free(line);
        at += len;
        if (*at) at++;
    }
    buffer_clear(&p.prefix);
    return ok;
}

static bool read_file(struct args *a, const char *name, const char *path, struct buffer *error)
{
    struct buffer content = {0};
    bool ok = file_read(path, &content) && args_read_config_text(a, name, buffer_text(&content), error);
    buffer_clear(&content);
    return ok;
}

/* Where an entry of includeconf= ends: names up to there have been read. */
struct include_marks {
    size_t own;
    size_t top;
};

struct names {
    char **items;
    size_t count;
    size_t cap;
};

static size_t add_includes(const struct args *a, const char *section, size_t from, struct names *out)
{
    const struct arg_entry *e = args_entry(a, ARG_CONFIG, section, "includeconf");
    if (!e) return 0;
    size_t first = arg_entry_negated(e);
    for (size_t i = from > first ? from : first; i < e->count; i++) {
        out->items = mem_grow(out->items, &out->cap, out->count + 1, sizeof(*out->items));
        out->items[out->count++] = mem_strdup(e->values[i].type == ARG_TEXT ? e->values[i].text : "1");
    }
    return e->count;
}

static void names_clear(struct names *n)
{
    for (size_t i = 0; i < n->count; i++) free(n->items[i]);
    free(n->items);
    *n = (struct names){0};
}

static bool read_include(struct args *a, const char *name, struct buffer *error)
{
    char *base = args_datadir(a);
    char *path = path_join(base ? base : ".", name);
    bool ok = false;
    if (path_is_dir(path)) {
        buffer_printf(error, "Included config file \"%s\" is a directory.", path);
    } else if (access(path, R_OK) != 0) {
        buffer_printf(error, "Failed to include configuration file %s", name);
    } else if (read_file(a, name, path, error)) {
        log_info(a->log, "Included configuration file %s", name);
        ok = true;
    }
    free(path);
    free(base);
    return ok;
}

/* The chain that the options name at this point, "" where they name an unknown one. */
static bool chain_so_far(const struct args *a, const char **name, struct buffer *error)
{
    struct buffer ignored = {0};
    const struct chain_row *row = args_find_chain(a, &ignored);
    *name = row ? row->name : "";
    bool ok = row || !strncmp(buffer_text(&ignored), "Unknown", 7);
    if (!ok) buffer_put_span(error, buffer_span(&ignored));
    buffer_clear(&ignored);
    return ok;
}

static bool read_includes(struct args *a, struct buffer *error)
{
    if (args_entry(a, ARG_COMMAND_LINE, "", "includeconf")) return true; /* -noincludeconf */
    const char *chain;
    if (!chain_so_far(a, &chain, error)) return false;
    struct names names = {0};
    struct include_marks seen = {0};
    if (*chain) seen.own = add_includes(a, chain, 0, &names);
    seen.top = add_includes(a, "", 0, &names);
    bool ok = true;
    for (size_t i = 0; i < names.count && ok; i++) ok = read_include(a, names.items[i], error);
    names_clear(&names);
    if (!ok) return false;

    const char *final;
    if (!chain_so_far(a, &final, error)) return false;
    if (*chain) add_includes(a, chain, seen.own, &names);
    add_includes(a, "", seen.top, &names);
    if (strcmp(final, chain) != 0 && *final) add_includes(a, final, 0, &names);
    for (size_t i = 0; i < names.count; i++) {
        fprintf(stderr, "warning: -includeconf cannot be used from included files; ignoring -includeconf=%s\n",
                names.items[i]);
    }
    names_clear(&names);
    return true;
}

static char *find_config_path(const struct args *a)
{
    if (args_is_negated(a, "conf")) return NULL;
    const char *name = args_string(a, "conf");
    char *base = args_datadir(a);
    char *path = path_join(base ? base : ".", *name ? name : "bitcoin.conf");
    free(base);
    return path;
}

static bool read_main_file(struct args *a, struct buffer *error)
{
    if (!a->config_path) return true;
    if (path_is_dir(a->config_path)) {
        buffer_printf(error, "Config file \"%s\" is a directory.", a->config_path);
        return false;
    }
    if (access(a->config_path, R_OK) != 0) {
        if (!args_is_set(a, "conf")) return true;
        buffer_printf(error, "specified config file \"%s\" could not be opened.", a->config_path);
        return false;
    }
    return read_file(a, a->config_path, a->config_path, error) && read_includes(a, error);
}

bool args_read_config_files(struct args *a, struct buffer *error)
{
    free(a->config_path);
    a->config_path = find_config_path(a);
    if (!read_main_file(a, error)) return false;
    char *datadir = args_datadir(a);
    if (!datadir) {
        buffer_printf(error, "specified data directory \"%s\" does not exist.", args_string(a, "datadir"));
        return false;
    }
    free(datadir);
    return true;
}
