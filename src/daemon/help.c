/* Texts made from option rows. */
#include "daemon/help.h"

#include <string.h>

#include "daemon/version.h"
#include "rpc/help.h"

enum { WIDTH = 79 };

/* TEXT in lines of at most WIDTH characters, each after PREFIX. */
static void put_wrapped(struct buffer *out, const char *prefix, const char *text)
{
    size_t room = WIDTH - strlen(prefix);
    size_t used = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (used && used + 1 + len > room) {
            buffer_put_u8(out, '\n');
            used = 0;
        }
        buffer_put_str(out, used ? " " : prefix);
        buffer_put(out, text, len);
        used += len + (used ? 1 : 0);
        text += len;
        while (*text == ' ') text++;
    }
    buffer_put_u8(out, '\n');
}

/* The help text with its fallback; good until the buffer changes. */
static const char *full_help(const struct option_row *row, struct buffer *scratch)
{
    scratch->len = 0;
    buffer_put_str(scratch, row->help);
    bool plain_off = row->kind == OPTION_BOOL && row->fallback && row->fallback[0] == '0' && !row->fallback[1];
    if (row->fallback && *row->fallback && !plain_off) buffer_printf(scratch, " (default: %s)", row->fallback);
    return buffer_text(scratch);
}

void help_version(const char *what, struct buffer *out)
{
    buffer_printf(out, "%s %s version v%s\n", CAIRN_NAME, what, CAIRN_VERSION);
}

static bool group_is_shown(const struct option_table *table, enum option_group group, bool debug)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].group == group && option_is_shown(&table->rows[i], debug)) return true;
    }
    return false;
}

void help_options(const struct option_table *table, bool debug, struct buffer *out)
{
    struct buffer scratch = {0};
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!group_is_shown(table, (enum option_group)g, debug)) continue;
        buffer_printf(out, "%s:\n\n", option_group_title((enum option_group)g));
        for (size_t i = 0; i < table->count; i++) {
            const struct option_row *row = &table->rows[i];
            if ((int)row->group != g || !option_is_shown(row, debug)) continue;
            buffer_printf(out, "  -%s%s%s\n", row->name, row->value ? "=" : "", row->value ? row->value : "");
            put_wrapped(out, "       ", full_help(row, &scratch));
            buffer_put_u8(out, '\n');
        }
    }
    buffer_clear(&scratch);
}

static void gen_rpc(const struct option_table *table, struct buffer *out)
{
    if (table == &options_daemon) rpc_help_markdown(out);
}

static void generate(const struct option_table *table, const char *kind, struct buffer *out)
{
    static const struct {
        const char *kind;
        void (*make)(const struct option_table *table, struct buffer *out);
    } rows[] = {
        {"conf", help_gen_conf},         {"man", help_gen_man}, {"completion", help_gen_completion},
        {"markdown", help_gen_markdown}, {"rpc", gen_rpc},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(kind, rows[i].kind)) rows[i].make(table, out);
}

bool help_answer(const struct args *args, const char *what, struct buffer *out)
{
    const struct option_table *table = args->table;
    if (args_is_set(args, "gen")) {
        generate(table, args_string(args, "gen"), out);
        return true;
    }
    if (args_bool(args, "version")) {
        help_version(what, out);
        return true;
    }
    if (!args_wants_help(args)) return false;
    help_version(what, out);
    buffer_printf(out, "\n%s\n", table->usage);
    help_options(table, args_bool(args, "help-debug"), out);
    return true;
}

void help_gen_conf(const struct option_table *table, struct buffer *out)
{
    struct buffer scratch = {0};
    buffer_printf(out,
                  "# Configuration of %s: an example in which nothing is set. Copy it to bitcoin.conf in the data\n"
                  "# directory and take the # away in front of what you want to set.\n"
                  "# Made from the option table by: %s -gen=conf\n"
                  "#\n"
                  "# Options before the first [section] hold for every chain, except those marked with (section),\n"
                  "# which outside chain main must stand in the section of their chain:\n"
                  "# [main], [test], [testnet4], [signet] or [regtest].\n",
                  table->program, table->program);
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!group_is_shown(table, (enum option_group)g, false)) continue;
        buffer_printf(out, "\n### %s\n", option_group_title((enum option_group)g));
        for (size_t i = 0; i < table->count; i++) {
            const struct option_row *row = &table->rows[i];
            bool line_only = !strcmp(row->name, "help") || !strcmp(row->name, "version") ||
                             !strcmp(row->name, "conf") || !strcmp(row->name, "help-debug");
            if ((int)row->group != g || !option_is_shown(row, false) || line_only) continue;
            full_help(row, &scratch);
            if (row->flags & OPTION_NETWORK_ONLY) buffer_put_str(&scratch, " (section)");
            buffer_put_u8(out, '\n');
            put_wrapped(out, "# ", buffer_text(&scratch));
            const char *value = row->fallback && *row->fallback ? row->fallback : row->value ? row->value : "1";
            buffer_printf(out, "#%s=%s\n", row->name, value);
        }
    }
    buffer_clear(&scratch);
}

/* Text of a manual page: dashes and backslashes escaped, no line that begins with a request. */
static void put_roff(struct buffer *out, const char *text)
{
    if (*text == '.' || *text == '\'') buffer_put_str(out, "\\&");
    for (; *text; text++) {
        if (*text == '-' || *text == '\\') buffer_put_u8(out, '\\');
        buffer_put_u8(out, (uint8_t)(*text == '\\' ? 'e' : *text));
    }
}

static void man_option(struct buffer *out, const struct option_row *row, struct buffer *scratch)
{
    buffer_put_str(out, ".TP\n\\fB\\-");
    put_roff(out, row->name);
    buffer_put_str(out, "\\fR");
    if (row->value) {
        buffer_put_str(out, "=\\fI");
        put_roff(out, row->value);
        buffer_put_str(out, "\\fR");
    }
    buffer_put_u8(out, '\n');
    put_roff(out, full_help(row, scratch));
    buffer_put_u8(out, '\n');
}

void help_gen_man(const struct option_table *table, struct buffer *out)
{
    struct buffer scratch = {0};
    buffer_printf(out, ".\\\" Made from the option table by: %s \\-gen=man\n", table->program);
    buffer_printf(out, ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", table->program, CAIRN_NAME,
                  CAIRN_VERSION);
    put_roff(out, table->program);
    buffer_printf(out, " \\- %s\n.SH SYNOPSIS\n.nf\n", table->summary);
    const char *usage = strstr(table->usage, "Usage: ");
    for (const char *at = usage; at && *at;) {
        size_t len = strcspn(at, "\n");
        scratch.len = 0;
        buffer_put(&scratch, at + 7, len - 7); /* without "Usage: " or "or:    " */
        put_roff(out, buffer_text(&scratch));
        buffer_put_u8(out, '\n');
        at += len + (at[len] ? 1 : 0);
    }
    buffer_put_str(out, ".fi\n.SH DESCRIPTION\n");
    scratch.len = 0;
    buffer_put(&scratch, table->usage, (size_t)(usage - table->usage));
    while (scratch.len && scratch.data[scratch.len - 1] == '\n') scratch.len--;
    put_roff(out, buffer_text(&scratch));
    buffer_put_u8(out, '\n');
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!group_is_shown(table, (enum option_group)g, false)) continue;
        buffer_put_str(out, ".SH \"");
        put_roff(out, option_group_title((enum option_group)g));
        buffer_put_str(out, "\"\n");
        for (size_t i = 0; i < table->count; i++) {
            const struct option_row *row = &table->rows[i];
            if ((int)row->group == g && option_is_shown(row, false)) man_option(out, row, &scratch);
        }
    }
    buffer_clear(&scratch);
}

/* Text inside a Markdown table: no bar ends the cell; in PROSE no angle bracket or star means anything either. */
static void put_cell(struct buffer *out, const char *text, bool prose)
{
    for (; *text; text++) {
        if (*text == '|' || (prose && (*text == '<' || *text == '*'))) buffer_put_u8(out, '\\');
        buffer_put_u8(out, (uint8_t)*text);
    }
}

void help_gen_markdown(const struct option_table *table, struct buffer *out)
{
    struct buffer scratch = {0};
    buffer_printf(out,
                  "# Options of %s\n\nMade from the option table (`src/daemon/options_*.c`) by `%s -gen=markdown`. "
                  "All but `-conf` may stand\nin the configuration file too, without the dash.\n",
                  table->program, table->program);
    for (int g = 0; g < GROUP_COUNT; g++) {
        if (!group_is_shown(table, (enum option_group)g, true)) continue;
        buffer_printf(out, "\n## %s\n\n| option | |\n|---|---|\n", option_group_title((enum option_group)g));
        for (size_t i = 0; i < table->count; i++) {
            const struct option_row *row = &table->rows[i];
            if ((int)row->group != g || !option_is_shown(row, true)) continue;
            buffer_put_str(out, "| `-");
            put_cell(out, row->name, false);
            if (row->value) {
                buffer_put_u8(out, '=');
                put_cell(out, row->value, false);
            }
            buffer_put_str(out, "` | ");
            put_cell(out, full_help(row, &scratch), true);
            if (row->flags & OPTION_NETWORK_ONLY) buffer_put_str(out, " Outside chain main: in a section only.");
            if (row->flags & OPTION_DEBUG_ONLY) buffer_put_str(out, " For developers (`-help-debug`).");
            buffer_put_str(out, " |\n");
        }
    }
    buffer_clear(&scratch);
}

void help_gen_completion(const struct option_table *table, struct buffer *out)
{
    bool cli = table == &options_cli;
    struct buffer name = {0};
    for (const char *c = table->program; *c; c++) buffer_put_u8(&name, (uint8_t)(*c == '-' ? '_' : *c));
    const char *function = buffer_text(&name);
    buffer_printf(out, "# bash completion for %s. Made from the option table by: %s -gen=completion\n\n_%s()\n{\n",
                  table->program, table->program, function);
    buffer_put_str(out, "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                        "    # bash makes the = a word of its own; behind it stands a value\n"
                        "    if [[ $cur == '=' || $prev == '=' ]]; then\n"
                        "        COMPREPLY=($(compgen -f -- \"${cur#=}\"))\n"
                        "        return\n"
                        "    fi\n"
                        "    if [[ $cur == -* ]]; then\n"
                        "        COMPREPLY=($(compgen -W '");
    bool first = true;
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (!option_is_shown(row, false)) continue;
        buffer_printf(out, "%s-%s%s", first ? "" : " ", row->name, row->value ? "=" : "");
        first = false;
    }
    buffer_put_str(out, "' -- \"$cur\"))\n"
                        "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
                        "        return\n"
                        "    fi\n");
    if (cli) {
        buffer_printf(out,
                      "    local methods\n"
                      "    methods=$(%s help 2>/dev/null | awk '/^[a-z]/ { print $1 }')\n"
                      "    COMPREPLY=($(compgen -W \"$methods\" -- \"$cur\"))\n",
                      table->program);
    }
    buffer_printf(out, "}\n\ncomplete -F _%s %s\n", function, table->program);
    buffer_clear(&name);
}
