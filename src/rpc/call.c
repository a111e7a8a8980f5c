/* What handlers do with a call: read values, fail, defer. */
#include "rpc/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"

void rpc_fail(struct rpc_call *call, int code, const char *format, ...)
{
    if (rpc_failed(call)) return;
    va_list values;
    va_start(values, format);
    char *text = NULL;
    int len = vasprintf(&text, format, values);
    va_end(values);
    CHECK(len >= 0);
    call->error_code = code;
    buffer_put(&call->error_text, text, (size_t)len);
    free(text);
}

void rpc_defer(struct rpc_call *call, const struct rpc_deferral *how)
{
    CHECK(!call->deferred && how->wake);
    call->deferred = true;
    call->deferral = *how;
}

void rpc_call_clear(struct rpc_call *call)
{
    if (call->deferred && call->deferral.free_state) call->deferral.free_state(call->deferral.state);
    call->deferred = false;
    buffer_clear(&call->error_text);
    json_decref(call->params);
    call->params = NULL;
}

static bool want(struct rpc_call *call, bool fits, const json_t *v, const char *type)
{
    if (!fits)
        rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s is not of expected type %s", json_type_name(v), type);
    return fits;
}

static int64_t integer_within(struct rpc_call *call, const json_t *v, int64_t min, int64_t max)
{
    if (!want(call, json_is_number(v), v, "number")) return 0;
    if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
        rpc_fail(call, RPC_MISC_ERROR, "JSON integer out of range");
        return 0;
    }
    return json_integer_value(v);
}

int64_t rpc_value_i64(struct rpc_call *call, const json_t *v)
{
    return integer_within(call, v, INT64_MIN, INT64_MAX);
}

int32_t rpc_value_i32(struct rpc_call *call, const json_t *v)
{
    return (int32_t)integer_within(call, v, INT32_MIN, INT32_MAX);
}

uint32_t rpc_value_u32(struct rpc_call *call, const json_t *v)
{
    return (uint32_t)integer_within(call, v, 0, UINT32_MAX);
}

double rpc_value_double(struct rpc_call *call, const json_t *v)
{
    return want(call, json_is_number(v), v, "number") ? json_number_value(v) : 0;
}

bool rpc_value_bool(struct rpc_call *call, const json_t *v)
{
    return want(call, json_is_boolean(v), v, "bool") && json_is_true(v);
}

const char *rpc_value_str(struct rpc_call *call, const json_t *v)
{
    return want(call, json_is_string(v), v, "string") ? json_string_value(v) : "";
}

amount_sat rpc_value_amount(struct rpc_call *call, const json_t *v)
{
    char text[JSON_REAL_TEXT] = "";
    const char *number = text;
    amount_sat amount = 0;
    if (json_is_string(v)) {
        number = json_string_length(v) == strlen(json_string_value(v)) ? json_string_value(v) : "";
    } else if (json_is_integer(v)) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
    } else if (json_is_real(v)) {
        json_real_text(text, json_real_value(v));
    } else {
        rpc_fail(call, RPC_TYPE_ERROR, "Amount is not a number or string");
        return 0;
    }
    if (!amount_parse(&amount, number)) {
        rpc_fail(call, RPC_TYPE_ERROR, "Invalid amount");
        return 0;
    }
    if (!money_range(amount)) {
        rpc_fail(call, RPC_TYPE_ERROR, "Amount out of range");
        return 0;
    }
    return amount;
}

void rpc_value_hash(struct rpc_call *call, const json_t *v, const char *name, uint8_t out[32])
{
    const char *text = rpc_value_str(call, v);
    memset(out, 0, 32);
    if (rpc_failed(call) || hex_decode_reversed(out, 32, text)) return;
    memset(out, 0, 32);
    if (strlen(text) != 64)
        rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be of length 64 (not %zu, for '%s')", name, strlen(text), text);
    else
        rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')", name, text);
}

void rpc_value_hex(struct rpc_call *call, const json_t *v, const char *name, struct buffer *out)
{
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    if (!*text || !hex_decode_append(out, text, strlen(text)))
        rpc_fail(call, RPC_INVALID_PARAMETER, "%s must be hexadecimal string (not '%s')", name, text);
}

int64_t rpc_arg_i64(struct rpc_call *call, size_t index, int64_t fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_i64(call, call->args[index]) : fallback;
}

int32_t rpc_arg_i32(struct rpc_call *call, size_t index, int32_t fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_i32(call, call->args[index]) : fallback;
}

uint32_t rpc_arg_u32(struct rpc_call *call, size_t index, uint32_t fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_u32(call, call->args[index]) : fallback;
}

bool rpc_arg_bool(struct rpc_call *call, size_t index, bool fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_bool(call, call->args[index]) : fallback;
}

const char *rpc_arg_str(struct rpc_call *call, size_t index, const char *fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_str(call, call->args[index]) : fallback;
}

amount_sat rpc_arg_amount(struct rpc_call *call, size_t index, amount_sat fallback)
{
    return rpc_arg_given(call, index) ? rpc_value_amount(call, call->args[index]) : fallback;
}

void rpc_arg_hash(struct rpc_call *call, size_t index, const char *name, uint8_t out[32])
{
    rpc_value_hash(call, call->args[index], name, out);
}

int rpc_arg_verbosity(struct rpc_call *call, size_t index, int fallback, bool allow_bool)
{
    const json_t *v = call->args[index];
    if (!v) return fallback;
    if (json_is_boolean(v)) {
        if (allow_bool) return json_is_true(v) ? 1 : 0;
        rpc_fail(call, RPC_TYPE_ERROR, "Verbosity was boolean but only integer allowed");
        return 0;
    }
    return rpc_value_i32(call, v);
}

void rpc_value_range(struct rpc_call *call, const json_t *v, int64_t *begin, int64_t *end)
{
    *begin = *end = 0;
    if (json_is_number(v)) {
        *end = rpc_value_i64(call, v);
    } else if (json_is_array(v) && json_array_size(v) == 2 && json_is_number(json_array_get(v, 0)) &&
               json_is_number(json_array_get(v, 1))) {
        *begin = rpc_value_i64(call, json_array_get(v, 0));
        *end = rpc_value_i64(call, json_array_get(v, 1));
        if (*begin > *end)
            rpc_fail(call, RPC_INVALID_PARAMETER, "Range specified as [begin,end] must not have begin after end");
    } else {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be specified as end or as [begin,end]");
    }
    if (rpc_failed(call)) return;
    if (*begin < 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range should be greater or equal than 0");
    else if (*end >> 31 != 0)
        rpc_fail(call, RPC_INVALID_PARAMETER, "End of range is too high");
    else if (*end >= *begin + 1000000)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range is too large");
}

void rpc_check_field(struct rpc_call *call, const json_t *object, const char *name, const char *type, bool may_miss)
{
    const json_t *v = json_object_get(object, name);
    const char *is = json_type_name(v);
    bool missing = !v || json_is_null(v);
    if (missing && !may_miss) rpc_fail(call, RPC_TYPE_ERROR, "Missing %s", name);
    if (!missing && strcmp(is, type) != 0)
        rpc_fail(call, RPC_TYPE_ERROR, "JSON value of type %s for field %s is not of expected type %s", is, name, type);
}

void rpc_check_keys(struct rpc_call *call, const json_t *object, const char *const *keys)
{
    json_t *mutable_object = (json_t *)(uintptr_t)object; /* jansson's iterators are not const */
    for (void *at = json_object_iter(mutable_object); at; at = json_object_iter_next(mutable_object, at)) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], json_object_iter_key(at)) != 0) i++;
        if (!keys[i]) rpc_fail(call, RPC_TYPE_ERROR, "Unexpected key %s", json_object_iter_key(at));
    }
}
