/* Binding the parameters of a request to the arguments of a method: names, positions, counts, types. */
#include "base/alloc.h"
#include "rpc/call.h"
#include "rpc/help.h"

struct binding {
    struct rpc_call *call;
    json_t *rest;      /* named parameters that nobody has taken yet */
    json_t *params;    /* the positions so far */
    json_t *options;   /* keys collected for the next RPC_OBJ_NAMED */
    size_t hole;       /* arguments left out since the last one that was given */
    size_t first_hole; /* arguments left out before the first one */
    const char *first; /* names of the first argument that was given */
};

/* Takes the parameter with one of these NAMES out of the rest (a new reference), or NULL; NAME gets which. */
static json_t *take_named(struct binding *b, const char *names, char name[64])
{
    while (names) {
        size_t len = strcspn(names, "|");
        if (len < 64) {
            memcpy(name, names, len);
            name[len] = '\0';
            json_t *v = json_object_get(b->rest, name);
            if (v) {
                json_incref(v);
                json_object_del(b->rest, name);
                return v;
            }
        }
        names = names[len] ? names + len + 1 : NULL;
    }
    return NULL;
}

static void take_options(struct binding *b, const struct rpc_arg *keys)
{
    char name[64];
    for (; keys && keys->names; keys++) {
        json_t *v = take_named(b, keys->names, name);
        if (v) json_object_set_new(b->options, name, v);
    }
}

static void bind_named(struct binding *b, const struct rpc_arg *arg)
{
    char name[64];
    if (arg->type == RPC_OBJ_NAMED) take_options(b, arg->inner);
    json_t *v = take_named(b, arg->names, name);
    bool has_options = json_object_size(b->options) > 0;
    if (!v && !has_options) {
        b->hole++;
        if (json_array_size(b->params) == 0) b->first_hole = b->hole;
        return;
    }
    for (; b->hole; b->hole--) json_array_append_new(b->params, json_null());
    if (!b->first) b->first = arg->names;
    if (v && has_options) {
        void *at = json_object_iter(b->options);
        rpc_fail(b->call, RPC_INVALID_PARAMETER, "Parameter %s conflicts with parameter %s", name,
                 json_object_iter_key(at));
    }
    if (v) json_array_append_new(b->params, v);
    if (has_options) {
        json_array_append(b->params, b->options);
        json_decref(b->options);
        b->options = json_object();
    }
}

/* "args" holds positions; the named arguments follow behind them. */
static void add_positions(struct binding *b)
{
    json_t *args = json_object_get(b->rest, "args");
    if (!json_is_array(args)) return;
    if (b->first && b->first_hole < json_array_size(args)) {
        rpc_fail(b->call, RPC_INVALID_PARAMETER, "Parameter %s specified twice both as positional and named argument",
                 b->first);
        return;
    }
    json_t *all = json_copy(args);
    for (size_t i = json_array_size(all); i < json_array_size(b->params); i++)
        json_array_append(all, json_array_get(b->params, i));
    json_decref(b->params);
    b->params = all;
    json_object_del(b->rest, "args");
}

/* The positions (a new reference) that the object NAMED stands for. */
static json_t *positions_of(struct rpc_call *call, json_t *named)
{
    struct binding b = {.call = call, .rest = json_copy(named), .params = json_array(), .options = json_object()};
    if (*call->duplicate_key && json_object_get(named, call->duplicate_key))
        rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter %s specified multiple times", call->duplicate_key);
    for (const struct rpc_arg *a = call->method->args; a && a->names && !rpc_failed(call); a++) bind_named(&b, a);
    if (!rpc_failed(call)) add_positions(&b);
    void *stranger = json_object_iter(b.rest);
    if (!rpc_failed(call) && stranger)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Unknown named parameter %s", json_object_iter_key(stranger));
    json_decref(b.rest);
    json_decref(b.options);
    return b.params;
}

static bool type_fits(const struct rpc_arg *arg, const json_t *v)
{
    switch (arg->type) {
    case RPC_STR:
    case RPC_HEX: return json_is_string(v);
    case RPC_NUM: return json_is_number(v);
    case RPC_BOOL: return json_is_boolean(v);
    case RPC_OBJ:
    case RPC_OBJ_NAMED:
    case RPC_OBJ_KEYS: return json_is_object(v);
    case RPC_ARR: return json_is_array(v);
    case RPC_AMOUNT:
    case RPC_RANGE: break;
    }
    return true;
}

static const char *type_wanted(const struct rpc_arg *arg)
{
    switch (arg->type) {
    case RPC_STR:
    case RPC_HEX: return "string";
    case RPC_BOOL: return "bool";
    case RPC_OBJ:
    case RPC_OBJ_NAMED:
    case RPC_OBJ_KEYS: return "object";
    case RPC_ARR: return "array";
    case RPC_NUM:
    case RPC_AMOUNT:
    case RPC_RANGE: break;
    }
    return "number";
}

static void check_types(struct rpc_call *call)
{
    struct buffer wrong = {0};
    for (size_t i = 0; i < rpc_arg_count(call->method->args); i++) {
        const struct rpc_arg *arg = &call->method->args[i];
        const json_t *v = call->args[i];
        if ((arg->flags & RPC_ANY_TYPE) || (arg->fallback && !v) || type_fits(arg, v)) continue;
        buffer_printf(&wrong, "%s    \"Position %zu (%s)\": \"JSON value of type %s is not of expected type %s\"",
                      wrong.len ? ",\n" : "", i + 1, arg->names, json_type_name(v), type_wanted(arg));
    }
    if (wrong.len) rpc_fail(call, RPC_TYPE_ERROR, "Wrong type passed:\n{\n%s\n}", buffer_text(&wrong));
    buffer_clear(&wrong);
}

static void check_count(struct rpc_call *call, size_t given)
{
    const struct rpc_arg *args = call->method->args;
    size_t count = rpc_arg_count(args), required = 0;
    for (size_t i = 0; i < count; i++) {
        if (!args[i].fallback) required = i + 1;
    }
    if (given >= required && given <= count) return;
    struct buffer help = {0};
    rpc_help_method(&help, call->method);
    rpc_fail(call, RPC_MISC_ERROR, "%s", buffer_text(&help));
    buffer_clear(&help);
}

void rpc_bind_args(struct rpc_call *call, json_t *params)
{
    if (json_is_object(params))
        call->params = positions_of(call, params);
    else
        call->params = params && json_is_array(params) ? json_incref(params) : json_array();
    if (rpc_failed(call)) return;
    size_t given = json_array_size(call->params);
    check_count(call, given);
    if (rpc_failed(call)) return;
    call->arg_count = given;
    for (size_t i = 0; i < given; i++) {
        json_t *v = json_array_get(call->params, i);
        call->given_null[i] = json_is_null(v);
        call->args[i] = json_is_null(v) ? NULL : v;
    }
    check_types(call);
}
