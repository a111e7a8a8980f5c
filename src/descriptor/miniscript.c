/* Miniscript: types, by the tables of BIP379, and what makes an expression sane. */
#include "descriptor/miniscript.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "script/script.h"

/* What a standard transaction can carry; of tapscript beside the largest possible rest of the witness, and one input
 * and output. */
enum { P2WSH_SCRIPT_MAX = 3600, P2WSH_STACK_MAX = 100, TAPSCRIPT_MAX = 329482 };

#define LOCK_IN_TIME (UINT32_C(1) << 22)

enum {
    TYPES = MS_B | MS_V | MS_K | MS_W,
    LOCKS = MS_REL_TIME | MS_REL_HEIGHT | MS_ABS_TIME | MS_ABS_HEIGHT,
};

int ms_sub_count(enum ms_fragment fragment)
{
    switch (fragment) {
    case MS_FALSE:
    case MS_TRUE:
    case MS_PK_K:
    case MS_PK_H:
    case MS_OLDER:
    case MS_AFTER:
    case MS_SHA256:
    case MS_HASH256:
    case MS_RIPEMD160:
    case MS_HASH160:
    case MS_MULTI:
    case MS_MULTI_A: return 0;
    case MS_ANDOR: return 3;
    case MS_AND_V:
    case MS_AND_B:
    case MS_OR_B:
    case MS_OR_C:
    case MS_OR_D:
    case MS_OR_I: return 2;
    case MS_THRESH: return -1;
    default: return 1;
    }
}

/* ---- types ---- */

static unsigned if_true(bool condition, unsigned properties)
{
    return condition ? properties : 0;
}

/* Locks of two parts that are needed together: a height and a time of one kind never go into one transaction. */
static bool locks_mix(unsigned x, unsigned y)
{
    static const unsigned pairs[][2] = {{MS_REL_TIME, MS_REL_HEIGHT}, {MS_ABS_TIME, MS_ABS_HEIGHT}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (((x & pairs[i][0]) && (y & pairs[i][1])) || ((x & pairs[i][1]) && (y & pairs[i][0]))) return true;
    return false;
}

static unsigned type_of_leaf(const struct ms_node *n)
{
    switch (n->fragment) {
    case MS_FALSE: return MS_B | MS_Z | MS_U | MS_D | MS_E | MS_M | MS_S | MS_X | MS_UNMIXED;
    case MS_TRUE: return MS_B | MS_Z | MS_U | MS_F | MS_M | MS_X | MS_UNMIXED;
    case MS_PK_K: return MS_K | MS_O | MS_N | MS_U | MS_D | MS_E | MS_M | MS_S | MS_X | MS_UNMIXED;
    case MS_PK_H: return MS_K | MS_N | MS_U | MS_D | MS_E | MS_M | MS_S | MS_X | MS_UNMIXED;
    case MS_OLDER:
        return MS_B | MS_Z | MS_F | MS_M | MS_X | MS_UNMIXED | (n->k & LOCK_IN_TIME ? MS_REL_TIME : MS_REL_HEIGHT);
    case MS_AFTER:
        return MS_B | MS_Z | MS_F | MS_M | MS_X | MS_UNMIXED |
               (n->k >= LOCKTIME_THRESHOLD ? MS_ABS_TIME : MS_ABS_HEIGHT);
    case MS_MULTI: return MS_B | MS_N | MS_U | MS_D | MS_E | MS_M | MS_S | MS_UNMIXED;
    case MS_MULTI_A: return MS_B | MS_U | MS_D | MS_E | MS_M | MS_S | MS_UNMIXED;
    default: return MS_B | MS_O | MS_N | MS_U | MS_D | MS_M | MS_UNMIXED; /* hashes */
    }
}

static unsigned type_of_wrapper(const struct ms_node *n)
{
    unsigned x = n->subs[0]->type, locks = x & (LOCKS | MS_UNMIXED);
    switch (n->fragment) {
    case MS_WRAP_A:
        return locks | if_true(ms_has(x, MS_B), MS_W) | (x & (MS_U | MS_D | MS_F | MS_E | MS_M | MS_S)) | MS_X;
    case MS_WRAP_S:
        return locks | if_true(ms_has(x, MS_B | MS_O), MS_W) | (x & (MS_U | MS_D | MS_F | MS_E | MS_M | MS_S | MS_X));
    case MS_WRAP_C:
        return locks | if_true(ms_has(x, MS_K), MS_B) | (x & (MS_O | MS_N | MS_D | MS_F | MS_E | MS_M)) | MS_U | MS_S;
    case MS_WRAP_D:
        /* What IF takes is exactly 1 by consensus in tapscript, and by policy alone before. */
        return locks | if_true(ms_has(x, MS_V | MS_Z), MS_B) | if_true(ms_has(x, MS_Z), MS_O) |
               if_true(ms_has(x, MS_F), MS_E) | (x & (MS_M | MS_S)) | if_true(n->tapscript, MS_U) | MS_N | MS_D | MS_X;
    case MS_WRAP_V:
        return locks | if_true(ms_has(x, MS_B), MS_V) | (x & (MS_Z | MS_O | MS_N | MS_M | MS_S)) | MS_F | MS_X;
    case MS_WRAP_J:
        return locks | if_true(ms_has(x, MS_B | MS_N), MS_B) | if_true(ms_has(x, MS_F), MS_E) |
               (x & (MS_O | MS_U | MS_M | MS_S)) | MS_N | MS_D | MS_X;
    default: /* MS_WRAP_N */
        return locks | (x & (MS_B | MS_Z | MS_O | MS_N | MS_D | MS_F | MS_E | MS_M | MS_S)) | MS_U | MS_X;
    }
}

/* One after the other: the arguments of X come first. */
static unsigned arguments_of_two(unsigned x, unsigned y)
{
    return (x & y & MS_Z) | if_true((ms_has(x, MS_O) && ms_has(y, MS_Z)) || (ms_has(x, MS_Z) && ms_has(y, MS_O)), MS_O);
}

static unsigned type_of_and(const struct ms_node *n, unsigned x, unsigned y)
{
    unsigned both = x & y;
    unsigned t = arguments_of_two(x, y) | (both & MS_M) | ((x | y) & (MS_S | LOCKS)) |
                 if_true(ms_has(x, MS_N) || (ms_has(x, MS_Z) && ms_has(y, MS_N)), MS_N) |
                 if_true(ms_has(both, MS_UNMIXED) && !locks_mix(x, y), MS_UNMIXED);
    if (n->fragment == MS_AND_V)
        return t | if_true(ms_has(x, MS_V), y & (MS_K | MS_V | MS_B)) |
               if_true(ms_has(y, MS_F) || ms_has(x, MS_S), MS_F) | (y & (MS_U | MS_X));
    return t | if_true(ms_has(y, MS_W), x & MS_B) | (both & MS_D) | if_true(ms_has(both, MS_E | MS_S), MS_E) |
           if_true(ms_has(both, MS_F) || ms_has(x, MS_S | MS_F) || ms_has(y, MS_S | MS_F), MS_F) | MS_U | MS_X;
}

static unsigned type_of_or(const struct ms_node *n, unsigned x, unsigned y)
{
    unsigned both = x & y, any = x | y;
    unsigned t = (any & LOCKS) | (both & MS_UNMIXED) | MS_X;
    unsigned z_and_s = both & (MS_Z | MS_S);
    bool signed_once = ms_has(any, MS_S);
    switch (n->fragment) {
    case MS_OR_B:
        return t | z_and_s | if_true(ms_has(x, MS_B | MS_D) && ms_has(y, MS_W | MS_D), MS_B) |
               (arguments_of_two(x, y) & MS_O) | if_true(signed_once && ms_has(both, MS_E), both & MS_M) |
               (both & MS_E) | MS_D | MS_U;
    case MS_OR_D:
        return t | z_and_s | if_true(ms_has(x, MS_B | MS_D | MS_U), y & MS_B) | if_true(ms_has(y, MS_Z), x & MS_O) |
               if_true(ms_has(x, MS_E) && signed_once, both & MS_M) | (y & (MS_U | MS_F | MS_D | MS_E));
    case MS_OR_C:
        return t | z_and_s | if_true(ms_has(x, MS_B | MS_D | MS_U), y & MS_V) | if_true(ms_has(y, MS_Z), x & MS_O) |
               if_true(ms_has(x, MS_E) && signed_once, both & MS_M) | MS_F;
    default: /* MS_OR_I */
        return t | (both & (MS_V | MS_B | MS_K | MS_U | MS_F | MS_S)) | if_true(ms_has(both, MS_Z), MS_O) |
               if_true((ms_has(x, MS_E) && ms_has(y, MS_F)) || (ms_has(x, MS_F) && ms_has(y, MS_E)), MS_E) |
               if_true(signed_once, both & MS_M) | (any & MS_D);
    }
}

static unsigned type_of_andor(unsigned x, unsigned y, unsigned z)
{
    unsigned all = x & y & z;
    bool first_or_fails = ms_has(x, MS_S) || ms_has(y, MS_F);
    return if_true(ms_has(x, MS_B | MS_D | MS_U), y & z & TYPES) | (all & MS_Z) |
           if_true((ms_has(x, MS_Z) && ms_has(y & z, MS_O)) || (ms_has(x, MS_O) && ms_has(y & z, MS_Z)), MS_O) |
           (y & z & MS_U) | if_true(first_or_fails, z & (MS_F | MS_E)) | (z & MS_D) |
           if_true(ms_has(x, MS_E) && ms_has(x | y | z, MS_S), all & MS_M) | (z & (x | y) & MS_S) | MS_X |
           ((x | y | z) & LOCKS) | if_true(ms_has(all, MS_UNMIXED) && !locks_mix(x, y), MS_UNMIXED);
}

static unsigned type_of_thresh(const struct ms_node *n)
{
    unsigned all = MS_E | MS_M, locks = MS_UNMIXED;
    size_t with_signature = 0, arguments = 0;
    for (size_t i = 0; i < n->sub_count; i++) {
        unsigned t = n->subs[i]->type;
        if (!ms_has(t, (i ? MS_W : MS_B) | MS_D | MS_U)) return 0;
        all &= t;
        with_signature += ms_has(t, MS_S);
        arguments += ms_has(t, MS_Z) ? 0 : ms_has(t, MS_O) ? 1 : 2;
        bool unmixed = ms_has(locks & t, MS_UNMIXED) && (n->k <= 1 || !locks_mix(locks, t));
        locks = ((locks | t) & LOCKS) | if_true(unmixed, MS_UNMIXED);
    }
    size_t may_lack = n->sub_count - n->k;
    return MS_B | MS_D | MS_U | locks | if_true(arguments == 0, MS_Z) | if_true(arguments == 1, MS_O) |
           if_true(ms_has(all, MS_E) && with_signature == n->sub_count, MS_E) |
           if_true(ms_has(all, MS_E | MS_M) && with_signature >= may_lack, MS_M) |
           if_true(with_signature > may_lack, MS_S);
}

static unsigned type_of(const struct ms_node *n)
{
    for (size_t i = 0; i < n->sub_count; i++)
        if (!n->subs[i]->type) return 0;
    switch (n->fragment) {
    case MS_AND_V:
    case MS_AND_B: return type_of_and(n, n->subs[0]->type, n->subs[1]->type);
    case MS_OR_B:
    case MS_OR_C:
    case MS_OR_D:
    case MS_OR_I: return type_of_or(n, n->subs[0]->type, n->subs[1]->type);
    case MS_ANDOR: return type_of_andor(n->subs[0]->type, n->subs[1]->type, n->subs[2]->type);
    case MS_THRESH: return type_of_thresh(n);
    default: return n->sub_count ? type_of_wrapper(n) : type_of_leaf(n);
    }
}

void ms_compute(struct ms_node *n, struct arena *arena)
{
    n->type = type_of(n);
    if (!(n->type & TYPES)) n->type = 0;
    ms_compute_costs(n, arena);
}

/* ---- sanity ---- */

size_t ms_max_script(bool tapscript)
{
    return tapscript ? TAPSCRIPT_MAX : P2WSH_SCRIPT_MAX;
}

bool ms_is_valid(const struct ms_node *n)
{
    return n->type && n->script_len <= ms_max_script(n->tapscript);
}

bool ms_within_limits(const struct ms_node *n)
{
    if (!ms_is_valid(n)) return false;
    int32_t result = n->type & (MS_B | MS_K | MS_W) ? 1 : 0;
    const struct ms_depth *d = &n->stack_sat;
    if (n->tapscript) return !d->possible || d->peak + result <= MAX_STACK_SIZE;
    if (n->ops_sat.possible && n->ops + n->ops_sat.n > MAX_OPS_PER_SCRIPT) return false;
    return !d->possible || d->net + result <= P2WSH_STACK_MAX;
}

static size_t count_keys(const struct ms_node *n)
{
    size_t count = n->key_count;
    for (size_t i = 0; i < n->sub_count; i++) count += count_keys(n->subs[i]);
    return count;
}

static size_t collect_keys(const struct ms_node *n, uint8_t (*out)[33], size_t at)
{
    for (size_t i = 0; i < n->key_count; i++) memcpy(out[at++], n->keys[i].bytes, 33);
    for (size_t i = 0; i < n->sub_count; i++) at = collect_keys(n->subs[i], out, at);
    return at;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

bool ms_has_duplicate_keys(const struct ms_node *n)
{
    size_t count = count_keys(n);
    bool found = false;
    uint8_t(*keys)[33] = mem_alloc((count + 1) * sizeof(*keys));
    collect_keys(n, keys, 0);
    qsort(keys, count, sizeof(*keys), by_bytes);
    for (size_t i = 1; i < count; i++) found = found || memcmp(keys[i - 1], keys[i], 33) == 0;
    free(keys);
    return found;
}

static bool sane_inside(const struct ms_node *n)
{
    return ms_within_limits(n) && ms_has(n->type, MS_M | MS_UNMIXED) && !ms_has_duplicate_keys(n);
}

/* The first subexpression, innermost first, that is at fault by itself; NULL: none. */
static const struct ms_node *find_fault(const struct ms_node *n)
{
    for (size_t i = 0; i < n->sub_count; i++) {
        const struct ms_node *found = find_fault(n->subs[i]);
        if (found) return found;
    }
    return sane_inside(n) ? NULL : n;
}

bool ms_is_sane(const struct ms_node *n, const struct ms_node **fault, const char **why)
{
    bool top_level = ms_is_valid(n) && ms_has(n->type, MS_B);
    bool sane = top_level && sane_inside(n) && ms_has(n->type, MS_S);
    const struct ms_node *inner = sane ? NULL : find_fault(n);
    *fault = inner ? inner : n;
    if (sane)
        *why = n->stack_sat.possible ? "" : " is not satisfiable";
    else if (!ms_is_valid(*fault))
        *why = " is invalid";
    else if (!ms_has((*fault)->type, MS_M))
        *why = " is not sane: malleable witnesses exist";
    else if (*fault == n && !ms_has(n->type, MS_S))
        *why = " is not sane: witnesses without signature exist";
    else if (!ms_has((*fault)->type, MS_UNMIXED))
        *why = " is not sane: contains mixes of timelocks expressed in blocks and seconds";
    else if (ms_has_duplicate_keys(*fault))
        *why = " is not sane: contains duplicate public keys";
    else if (!ms_within_limits(*fault))
        *why = " is not sane: needs witnesses that may exceed resource limits";
    else
        *why = " is not sane";
    return sane && n->stack_sat.possible;
}
