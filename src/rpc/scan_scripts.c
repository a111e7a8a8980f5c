/* The scripts of descriptors that a scan looks for. */
#include "rpc/scan_scripts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "descriptor/descriptor.h"
#include "rpc/chain_call.h"

enum { EXPAND_SLICE = 100, DEFAULT_RANGE_END = 1000 }; /* positions at a time */

struct scan_pending {
    const char *descriptor; /* lies in the call's arguments */
    int64_t next, end;      /* indexes, END included */
    unsigned path, paths;   /* of the next */
};

void scan_scripts_init(struct scan_scripts *s, uint64_t seed)
{
    *s = (struct scan_scripts){.seed = seed};
    hashmap_init(&s->wanted, offsetof(struct scan_script, key), sizeof(uint64_t), seed);
}

void scan_scripts_clear(struct scan_scripts *s)
{
    struct scan_script *w, *next;
    size_t at = 0;
    while ((w = hashmap_next(&s->wanted, &at))) {
        for (; w; w = next) {
            next = w->next;
            buffer_clear(&w->script);
            buffer_clear(&w->text);
            free(w);
        }
    }
    hashmap_clear(&s->wanted);
    free(s->pending);
}

const struct scan_script *scan_scripts_find(const struct scan_scripts *s, struct span script)
{
    uint64_t key = hash_bytes(s->seed, script.data, script.len);
    const struct scan_script *w = hashmap_get(&s->wanted, &key);
    while (w && !span_equal(buffer_span(&w->script), script)) w = w->next;
    return w;
}

struct span *scan_scripts_all(const struct scan_scripts *s)
{
    struct span *all = mem_calloc(s->count + 1, sizeof *all);
    size_t at = 0, count = 0;
    for (const struct scan_script *w = hashmap_next(&s->wanted, &at); w; w = hashmap_next(&s->wanted, &at))
        for (; w; w = w->next) all[count++] = buffer_span(&w->script);
    return all;
}

/* Takes over the script and its text; the first text of a script stays. */
static void want_script(struct scan_scripts *s, struct buffer *script_taken, struct buffer *text_taken)
{
    if (scan_scripts_find(s, buffer_span(script_taken))) {
        buffer_clear(script_taken);
        buffer_clear(text_taken);
        return;
    }
    struct scan_script *w = mem_calloc(1, sizeof *w);
    w->key = hash_bytes(s->seed, script_taken->data, script_taken->len);
    w->script = *script_taken;
    w->text = *text_taken;
    *script_taken = *text_taken = (struct buffer){0};
    s->count++;
    struct scan_script *first = hashmap_get(&s->wanted, &w->key);
    if (first) {
        w->next = first->next;
        first->next = w;
    } else {
        hashmap_put(&s->wanted, w);
    }
}

/* Wants the scripts of DESCRIPTOR at a position; WHOLE (may be NULL) gets what it is. False where the call failed. */
static bool want_at(struct rpc_call *call, struct scan_scripts *s, const char *descriptor,
                    struct descriptor_position at, struct descriptor_scripts *whole)
{
    struct descriptor_scripts scripts;
    char error[DESCRIPTOR_ERROR_TEXT];
    if (!descriptor_expand_at(&scripts, span_str(descriptor), false, rpc_prefixes(call), at, error)) {
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", error);
        return false;
    }
    if (whole) *whole = scripts; /* the flags; the scripts go now */
    if (scripts.needs_secrets)
        rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys: '%s'", descriptor);
    for (size_t i = 0; i < scripts.count; i++) want_script(s, &scripts.script[i], &scripts.text[i]);
    descriptor_scripts_clear(&scripts);
    return !rpc_failed(call);
}

/* A scan object is a descriptor, or {"desc", "range"}. */
static void want_object(struct rpc_call *call, struct scan_scripts *s, const json_t *object)
{
    struct descriptor_scripts whole;
    const json_t *text = object, *range = NULL;
    int64_t begin = 0, end = DEFAULT_RANGE_END;
    if (json_is_object(object)) {
        text = json_object_get(object, "desc");
        range = json_object_get(object, "range");
        if (!text || json_is_null(text)) {
            rpc_fail(call, RPC_INVALID_PARAMETER, "Descriptor needs to be provided in scan object");
            return;
        }
    } else if (!json_is_string(object)) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Scan object needs to be either a string or an object");
        return;
    }
    const char *descriptor = rpc_value_str(call, text);
    if (range && !json_is_null(range) && !rpc_failed(call)) rpc_value_range(call, range, &begin, &end);
    if (rpc_failed(call)) return;
    if (!want_at(call, s, descriptor, (struct descriptor_position){.index = (uint32_t)begin}, &whole)) return;
    if (!whole.ranged) end = begin;
    if (begin == end && whole.paths == 1) return;
    s->pending = mem_grow(s->pending, &s->pending_cap, s->pending_count + 1, sizeof *s->pending);
    s->pending[s->pending_count++] =
        (struct scan_pending){.descriptor = descriptor, .next = begin, .end = end, .paths = whole.paths};
}

void scan_scripts_want(struct rpc_call *call, struct scan_scripts *s, const json_t *objects)
{
    for (size_t i = 0; i < json_array_size(objects) && !rpc_failed(call); i++)
        want_object(call, s, json_array_get(objects, i));
}

bool scan_scripts_expand(struct rpc_call *call, struct scan_scripts *s)
{
    for (unsigned left = EXPAND_SLICE; left && s->pending_count && !rpc_failed(call); left--) {
        struct scan_pending *p = &s->pending[s->pending_count - 1];
        struct descriptor_position at = {.index = (uint32_t)p->next, .path = p->path};
        want_at(call, s, p->descriptor, at, NULL);
        p->path = (p->path + 1) % p->paths;
        if (p->path == 0) p->next++;
        if (p->next > p->end) s->pending_count--;
    }
    return s->pending_count == 0;
}

enum scan_action scan_action(struct rpc_call *call, bool *aborted)
{
    const char *action = rpc_arg_str(call, 0, "");
    if (rpc_failed(call)) return SCAN_ANSWERED;
    if (strcmp(action, "status") == 0) return SCAN_STATUS;
    if (strcmp(action, "abort") == 0) {
        if (aborted) *aborted = true;
        jw_bool(&call->out, aborted != NULL);
    } else if (strcmp(action, "start") != 0) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid action '%s'", action);
    } else if (aborted) {
        rpc_fail(call, RPC_INVALID_PARAMETER, "Scan already in progress, use action \"abort\" or \"status\"");
    } else if (!rpc_arg_given(call, 1)) {
        rpc_fail(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    } else {
        return SCAN_START;
    }
    return SCAN_ANSWERED;
}
