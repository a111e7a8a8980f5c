/* cairn-cli: requests made of words. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "daemon/cli.h"
#include "daemon/raw_json.h"
#include "rpc/table.h"

/* One parameter as JSON; false where it must be JSON and is not. */
static bool put_param(struct buffer *out, enum rpc_cli_form form, const char *text, struct buffer *error)
{
    struct span raw = span_str(text);
    bool json = form == RPC_CLI_FORM_JSON || form == RPC_CLI_FORM_JSON_OR_STRING;
    if (json && raw_json_is_valid(raw)) {
        buffer_put_span(out, raw_json_trim(raw));
        return true;
    }
    if (form == RPC_CLI_FORM_JSON) {
        buffer_printf(error, "Error parsing JSON: %s", text);
        return false;
    }
    raw_json_put_string(out, raw);
    return true;
}

static bool positional(const char *method, const char *const *words, size_t count, struct buffer *out,
                       struct buffer *error)
{
    buffer_put_u8(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_put_u8(out, ',');
        if (!put_param(out, rpc_param_form(method, i), words[i], error)) return false;
    }
    buffer_put_u8(out, ']');
    return true;
}

struct pair {
    char *name;
    struct buffer value;
};

struct named {
    struct pair *pairs;
    size_t count;
    size_t cap;
    struct buffer unnamed; /* values without a name, separated by commas */
    size_t unnamed_count;
};

static void named_clear(struct named *n)
{
    for (size_t i = 0; i < n->count; i++) {
        free(n->pairs[i].name);
        buffer_clear(&n->pairs[i].value);
    }
    free(n->pairs);
    buffer_clear(&n->unnamed);
}

static bool add_unnamed(struct named *n, enum rpc_cli_form form, const char *word, struct buffer *error)
{
    if (n->unnamed_count++) buffer_put_u8(&n->unnamed, ',');
    return put_param(&n->unnamed, form, word, error);
}

/* A later value replaces an earlier one of the same name. */
static struct buffer *pair_value(struct named *n, char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->pairs[i].name, name) != 0) continue;
        free(name);
        n->pairs[i].value.len = 0;
        return &n->pairs[i].value;
    }
    n->pairs = mem_grow(n->pairs, &n->cap, n->count + 1, sizeof(*n->pairs));
    n->pairs[n->count] = (struct pair){.name = name};
    return &n->pairs[n->count++].value;
}

/* "name=value", or a value that holds a "=" itself: that where the method has no parameter of this name and its next
 * one takes text or the word is JSON. */
static bool add_word(struct named *n, const char *method, const char *word, struct buffer *error)
{
    const char *equals = strchr(word, '=');
    enum rpc_cli_form next = rpc_param_form(method, n->unnamed_count);
    if (!equals) return add_unnamed(n, next, word, error);
    size_t len = (size_t)(equals - word);
    char *name = mem_dup(word, len + 1);
    name[len] = '\0';
    enum rpc_cli_form form = RPC_CLI_FORM_STRING;
    bool known = rpc_param_form_named(method, name, &form);
    bool value = next == RPC_CLI_FORM_FREE_STRING || (next == RPC_CLI_FORM_JSON && raw_json_is_valid(span_str(word)));
    if (!known && value) {
        free(name);
        return add_unnamed(n, next, word, error);
    }
    return put_param(pair_value(n, name), form, equals + 1, error);
}

static bool by_name(const char *method, const char *const *words, size_t count, struct buffer *out,
                    struct buffer *error)
{
    struct named n = {0};
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) ok = add_word(&n, method, words[i], error);
    buffer_put_u8(out, '{');
    for (size_t i = 0; i < n.count; i++) {
        if (i) buffer_put_u8(out, ',');
        raw_json_put_string(out, span_str(n.pairs[i].name));
        buffer_put_u8(out, ':');
        buffer_put_span(out, buffer_span(&n.pairs[i].value));
    }
    if (n.unnamed_count) {
        buffer_put_str(out, n.count ? ",\"args\":[" : "\"args\":[");
        buffer_put_span(out, buffer_span(&n.unnamed));
        buffer_put_u8(out, ']');
    }
    buffer_put_u8(out, '}');
    named_clear(&n);
    return ok;
}

bool cli_params(const char *method, const char *const *words, size_t count, bool named, struct buffer *out,
                struct buffer *error)
{
    return named ? by_name(method, words, count, out, error) : positional(method, words, count, out, error);
}

void cli_request(struct buffer *out, const char *method, struct span params, const char *id, bool quoted)
{
    buffer_put_str(out, "{\"method\":");
    raw_json_put_string(out, span_str(method));
    buffer_put_str(out, ",\"params\":");
    buffer_put_span(out, params);
    buffer_put_str(out, ",\"id\":");
    if (quoted) {
        raw_json_put_string(out, span_str(id));
    } else {
        buffer_put_str(out, id);
    }
    buffer_put_str(out, ",\"jsonrpc\":\"2.0\"}");
}
