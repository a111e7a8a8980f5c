/* Help texts: the usage line in Core's form, the rest in ours. */
#include "rpc/help.h"

#include <ctype.h>
#include <stdlib.h>

#include "rpc/table.h"

static void put_first_name(struct buffer *out, const struct rpc_arg *arg)
{
    buffer_put(out, arg->names, strcspn(arg->names, "|"));
}

static void put_usage_arg(struct buffer *out, const struct rpc_arg *arg);

static void put_usage_key(struct buffer *out, const struct rpc_arg *arg)
{
    buffer_put_u8(out, '"');
    put_first_name(out, arg);
    buffer_put_str(out, "\":");
    switch (arg->type) {
    case RPC_STR: buffer_put_str(out, "\"str\""); break;
    case RPC_HEX: buffer_put_str(out, "\"hex\""); break;
    case RPC_NUM: buffer_put_str(out, "n"); break;
    case RPC_RANGE: buffer_put_str(out, "n or [n,n]"); break;
    case RPC_AMOUNT: buffer_put_str(out, "amount"); break;
    case RPC_BOOL: buffer_put_str(out, "bool"); break;
    case RPC_ARR:
        buffer_put_u8(out, '[');
        for (const struct rpc_arg *i = arg->inner; i && i->names; i++) {
            put_usage_arg(out, i);
            buffer_put_u8(out, ',');
        }
        buffer_put_str(out, "...]");
        break;
    case RPC_OBJ:
    case RPC_OBJ_NAMED:
    case RPC_OBJ_KEYS: buffer_put_str(out, "{...}"); break;
    }
}

static void put_usage_arg(struct buffer *out, const struct rpc_arg *arg)
{
    if (arg->usage) {
        buffer_put_str(out, arg->usage);
        return;
    }
    switch (arg->type) {
    case RPC_STR:
    case RPC_HEX:
        buffer_put_u8(out, '"');
        put_first_name(out, arg);
        buffer_put_u8(out, '"');
        return;
    case RPC_NUM:
    case RPC_RANGE:
    case RPC_AMOUNT:
    case RPC_BOOL: put_first_name(out, arg); return;
    case RPC_ARR:
        buffer_put_u8(out, '[');
        for (const struct rpc_arg *i = arg->inner; i && i->names; i++) {
            put_usage_arg(out, i);
            buffer_put_u8(out, ',');
        }
        buffer_put_str(out, "...]");
        return;
    case RPC_OBJ:
    case RPC_OBJ_NAMED:
    case RPC_OBJ_KEYS: break;
    }
    buffer_put_u8(out, '{');
    for (const struct rpc_arg *i = arg->inner; i && i->names; i++) {
        if (i != arg->inner) buffer_put_u8(out, ',');
        put_usage_key(out, i);
    }
    buffer_put_str(out, arg->type == RPC_OBJ ? "}" : ",...}");
}

void rpc_help_usage(struct buffer *out, const struct rpc_method *m)
{
    bool optional = false;
    buffer_put_str(out, m->name);
    for (const struct rpc_arg *a = m->args; a && a->names && !(a->flags & RPC_HIDDEN); a++) {
        buffer_put_u8(out, ' ');
        if (a->fallback && !optional) buffer_put_str(out, "( ");
        if (!a->fallback && optional) buffer_put_str(out, ") ");
        optional = a->fallback != NULL;
        put_usage_arg(out, a);
    }
    if (optional) buffer_put_str(out, " )");
}

static const char *type_words(const struct rpc_arg *arg)
{
    if (arg->type_text) return arg->type_text;
    switch (arg->type) {
    case RPC_STR:
    case RPC_HEX: return "string";
    case RPC_NUM: return "numeric";
    case RPC_AMOUNT: return "numeric or string";
    case RPC_RANGE: return "numeric or array";
    case RPC_BOOL: return "boolean";
    case RPC_ARR: return "json array";
    case RPC_OBJ:
    case RPC_OBJ_NAMED:
    case RPC_OBJ_KEYS: break;
    }
    return "json object";
}

/* TEXT with every line after the first indented by SPACES. */
static void put_lines(struct buffer *out, const char *text, int spaces)
{
    for (; *text; text++) {
        buffer_put_u8(out, (uint8_t)*text);
        if (*text == '\n') buffer_printf(out, "%*s", spaces, "");
    }
}

static void put_arg(struct buffer *out, const struct rpc_arg *arg, int indent)
{
    put_first_name(out, arg);
    buffer_printf(out, " (%s", type_words(arg));
    if (!arg->fallback)
        buffer_put_str(out, ", required)");
    else if (!*arg->fallback)
        buffer_put_str(out, ", optional)");
    else
        buffer_printf(out, ", optional, default=%s)", arg->fallback);
    if (*arg->help) buffer_put_u8(out, ' ');
    put_lines(out, arg->help, indent);
    buffer_put_u8(out, '\n');
    for (const struct rpc_arg *i = arg->inner; i && i->names; i++) {
        buffer_printf(out, "%*s- ", indent, "");
        put_arg(out, i, indent + 2); /* as deep as the table is */
    }
}

static void put_examples(struct buffer *out, const struct rpc_method *m)
{
    const char *line = m->examples;
    while (line) {
        size_t len = strcspn(line, "\n");
        buffer_printf(out, "> cairn-cli %s%s%.*s\n", m->name, len ? " " : "", (int)len, line);
        line = line[len] ? line + len + 1 : NULL;
    }
}

void rpc_help_method(struct buffer *out, const struct rpc_method *m)
{
    int number = 1;
    rpc_help_usage(out, m);
    buffer_printf(out, "\n\n%s\n", m->summary);
    for (const struct rpc_arg *a = m->args; a && a->names && !(a->flags & RPC_HIDDEN); a++) {
        if (number == 1) buffer_put_str(out, "\nArguments:\n");
        buffer_printf(out, "%d. ", number++);
        put_arg(out, a, 3);
    }
    if (m->result) buffer_printf(out, "\nResult:\n%s\n", *m->result ? m->result : "null");
    if (m->examples) {
        buffer_put_str(out, "\nExamples:\n");
        put_examples(out, m);
    }
}

static void put_category(struct buffer *out, const char *category)
{
    buffer_printf(out, "%c%s", toupper((unsigned char)category[0]), category + 1);
}

void rpc_help_list(struct buffer *out)
{
    const char *category = "";
    size_t count;
    const struct rpc_method **all = rpc_methods_sorted(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i]->category, "hidden") == 0) continue;
        if (strcmp(all[i]->category, category) != 0) {
            buffer_put_str(out, *category ? "\n\n== " : "== ");
            category = all[i]->category;
            put_category(out, category);
            buffer_put_str(out, " ==");
        }
        buffer_put_u8(out, '\n');
        rpc_help_usage(out, all[i]);
    }
    free(all);
}

static void put_contents(struct buffer *out, const struct rpc_method **all, size_t count)
{
    const char *category = "";
    for (size_t i = 0; i < count; i++) {
        bool first = strcmp(all[i]->category, category) != 0;
        if (first) {
            category = all[i]->category;
            buffer_put_str(out, "\n- **");
            put_category(out, category);
            buffer_put_str(out, "**:");
        }
        buffer_printf(out, "%s\n  [%s](#%s)", first ? "" : ",", all[i]->name, all[i]->name);
    }
    buffer_put_u8(out, '\n');
}

static const char markdown_head[] =
    "# JSON-RPC methods\n\n"
    "Made by `cairnd -gen=rpc` from the table of methods (`src/rpc/`): the same rows check arguments and answer "
    "`help`.\n"
    "Names, fields and error codes are Bitcoin Core's. Methods under *Hidden* can be called, but stand in no list.\n\n"
    "```\n"
    "cairn-cli METHOD ARGUMENTS\n"
    "cairn-cli -named METHOD NAME=ARGUMENT ...\n"
    "curl --user \"$(cat ~/.bitcoin/.cookie)\" http://127.0.0.1:8332/ \\\n"
    "    --data-binary '{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"getblockhash\", \"params\": [0]}'\n"
    "```\n";

void rpc_help_markdown(struct buffer *out)
{
    const char *category = "";
    size_t count;
    const struct rpc_method **all = rpc_methods_sorted(&count);
    buffer_put_str(out, markdown_head);
    put_contents(out, all, count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i]->category, category) != 0) {
            category = all[i]->category;
            buffer_put_str(out, "\n## ");
            put_category(out, category);
            buffer_put_u8(out, '\n');
        }
        buffer_printf(out, "\n### %s\n\n```\n", all[i]->name);
        rpc_help_method(out, all[i]);
        buffer_put_str(out, "```\n");
    }
    free(all);
}

static void put_conversion(struct json_writer *w, const struct rpc_method *m, size_t position,
                           const struct rpc_arg *arg)
{
    const char *name = arg->names;
    while (name) {
        size_t len = strcspn(name, "|");
        jw_array(w);
        jw_str(w, m->name);
        jw_uint(w, position);
        jw_str_span(w, span_of(name, len));
        jw_bool(w, arg->type == RPC_STR || arg->type == RPC_HEX);
        jw_array_end(w);
        name = name[len] ? name + len + 1 : NULL;
    }
}

void rpc_help_conversions(struct json_writer *w)
{
    size_t at = 0;
    jw_array(w);
    for (const struct rpc_method *m = rpc_method_next(&at); m; m = rpc_method_next(&at)) {
        for (size_t i = 0; i < rpc_arg_count(m->args); i++) {
            const struct rpc_arg *arg = &m->args[i];
            put_conversion(w, m, i, arg);
            if (arg->type != RPC_OBJ_NAMED) continue;
            for (const struct rpc_arg *key = arg->inner; key && key->names; key++) put_conversion(w, m, i, key);
        }
    }
    jw_array_end(w);
}
