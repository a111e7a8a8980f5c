/* Miniscript: how long a script is, how many opcodes it runs, how deep the stack gets, each at most. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "descriptor/miniscript.h"
#include "script/script.h"

/* ---- counts and depths ---- */

static struct ms_count count_of(uint32_t n)
{
    return (struct ms_count){.possible = true, .n = n};
}

static struct ms_count count_both(struct ms_count a, struct ms_count b)
{
    return (struct ms_count){.possible = a.possible && b.possible, .n = a.n + b.n};
}

static struct ms_count count_either(struct ms_count a, struct ms_count b)
{
    if (!a.possible || !b.possible) return a.possible ? a : b;
    return a.n > b.n ? a : b;
}

static struct ms_depth depth_of(int32_t net, int32_t peak)
{
    return (struct ms_depth){.possible = true, .net = net, .peak = peak};
}

/* A, then B. */
static struct ms_depth depth_then(struct ms_depth a, struct ms_depth b)
{
    struct ms_depth d = {.possible = a.possible && b.possible, .net = a.net + b.net};
    int32_t of_a = b.net + a.peak;
    d.peak = b.peak > of_a ? b.peak : of_a;
    return d;
}

static struct ms_depth depth_either(struct ms_depth a, struct ms_depth b)
{
    if (!a.possible || !b.possible) return a.possible ? a : b;
    return depth_of(a.net > b.net ? a.net : b.net, a.peak > b.peak ? a.peak : b.peak);
}

/* What opcodes do. "Net" counts what they take, less what they leave. */
static struct ms_depth op_push(void)
{
    return depth_of(-1, 0);
}

static struct ms_depth op_nop(void)
{
    return depth_of(0, 0);
}

/* IF, a check of two, VERIFY: one less. */
static struct ms_depth op_take_one(void)
{
    return depth_of(1, 1);
}

static struct ms_depth then3(struct ms_depth a, struct ms_depth b, struct ms_depth c)
{
    return depth_then(depth_then(a, b), c);
}

/* ---- script length ---- */

static size_t number_len(uint32_t n)
{
    struct buffer b = {0};
    script_put_int(&b, n);
    size_t len = b.len;
    buffer_clear(&b);
    return len;
}

static size_t script_len(const struct ms_node *n)
{
    size_t subs = 0;
    for (size_t i = 0; i < n->sub_count; i++) subs += n->subs[i]->script_len;
    switch (n->fragment) {
    case MS_FALSE:
    case MS_TRUE: return 1;
    case MS_PK_K: return n->tapscript ? 33 : 34;
    case MS_PK_H: return 24;
    case MS_OLDER:
    case MS_AFTER: return 1 + number_len(n->k);
    case MS_SHA256:
    case MS_HASH256: return 39;
    case MS_RIPEMD160:
    case MS_HASH160: return 27;
    case MS_MULTI: return 1 + number_len((uint32_t)n->key_count) + number_len(n->k) + 34 * n->key_count;
    case MS_MULTI_A: return 34 * n->key_count + number_len(n->k) + 1;
    case MS_AND_V: return subs;
    case MS_WRAP_V: return subs + (ms_has(n->subs[0]->type, MS_X) ? 1 : 0);
    case MS_WRAP_S:
    case MS_WRAP_C:
    case MS_WRAP_N:
    case MS_AND_B:
    case MS_OR_B: return subs + 1;
    case MS_WRAP_A:
    case MS_OR_C: return subs + 2;
    case MS_WRAP_D:
    case MS_OR_D:
    case MS_OR_I:
    case MS_ANDOR: return subs + 3;
    case MS_WRAP_J: return subs + 4;
    default: return subs + n->sub_count + number_len(n->k); /* MS_THRESH */
    }
}

/* ---- opcodes ---- */

static void set_ops(struct ms_node *n, uint32_t ops, struct ms_count sat, struct ms_count dsat)
{
    n->ops = ops;
    n->ops_sat = sat;
    n->ops_dsat = dsat;
}

static void ops_of_leaf(struct ms_node *n)
{
    const struct ms_count none = {0}, zero = count_of(0);
    uint32_t keys = (uint32_t)n->key_count;
    switch (n->fragment) {
    case MS_FALSE: set_ops(n, 0, none, zero); break;
    case MS_TRUE: set_ops(n, 0, zero, none); break;
    case MS_PK_K: set_ops(n, 0, zero, zero); break;
    case MS_PK_H: set_ops(n, 3, zero, zero); break;
    case MS_OLDER:
    case MS_AFTER: set_ops(n, 1, zero, none); break;
    case MS_MULTI: set_ops(n, 1, count_of(keys), count_of(keys)); break;
    case MS_MULTI_A: set_ops(n, keys + 1, zero, zero); break;
    default: set_ops(n, 4, zero, none); break; /* hashes */
    }
}

static void ops_of_wrapper(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0];
    static const uint8_t own[MS_FRAGMENTS] = {
        [MS_WRAP_S] = 1, [MS_WRAP_C] = 1, [MS_WRAP_N] = 1, [MS_WRAP_A] = 2, [MS_WRAP_D] = 3, [MS_WRAP_J] = 4};
    struct ms_count dsat = x->ops_dsat;
    uint32_t ops = x->ops + own[n->fragment];
    if (n->fragment == MS_WRAP_D || n->fragment == MS_WRAP_J) dsat = count_of(0);
    if (n->fragment == MS_WRAP_V) {
        dsat = (struct ms_count){0};
        ops += ms_has(x->type, MS_X) ? 1 : 0;
    }
    set_ops(n, ops, x->ops_sat, dsat);
}

static void ops_of_two(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1];
    const struct ms_count none = {0};
    uint32_t ops = x->ops + y->ops;
    struct ms_count both_sat = count_both(x->ops_sat, y->ops_sat), both_dsat = count_both(x->ops_dsat, y->ops_dsat);
    struct ms_count second_sat = count_both(x->ops_dsat, y->ops_sat);
    switch (n->fragment) {
    case MS_AND_V: set_ops(n, ops, both_sat, none); break;
    case MS_AND_B: set_ops(n, ops + 1, both_sat, both_dsat); break;
    case MS_OR_B: set_ops(n, ops + 1, count_either(count_both(x->ops_sat, y->ops_dsat), second_sat), both_dsat); break;
    case MS_OR_D: set_ops(n, ops + 3, count_either(x->ops_sat, second_sat), both_dsat); break;
    case MS_OR_C: set_ops(n, ops + 2, count_either(x->ops_sat, second_sat), none); break;
    default: /* MS_OR_I */
        set_ops(n, ops + 3, count_either(x->ops_sat, y->ops_sat), count_either(x->ops_dsat, y->ops_dsat));
        break;
    }
}

static void ops_of_andor(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1], *z = n->subs[2];
    set_ops(n, 3 + x->ops + y->ops + z->ops,
            count_either(count_both(y->ops_sat, x->ops_sat), count_both(x->ops_dsat, z->ops_sat)),
            count_both(x->ops_dsat, z->ops_dsat));
}

/* ---- stack ---- */

static void stack_of_leaf(struct ms_node *n)
{
    const struct ms_depth none = {0};
    int32_t k = (int32_t)n->k, keys = (int32_t)n->key_count;
    struct ms_depth both;
    switch (n->fragment) {
    case MS_FALSE: n->stack_sat = none, n->stack_dsat = op_push(); return;
    case MS_TRUE: n->stack_sat = op_push(), n->stack_dsat = none; return;
    case MS_OLDER:
    case MS_AFTER: n->stack_sat = depth_then(op_push(), op_nop()), n->stack_dsat = none; return;
    case MS_PK_K: both = op_push(); break;
    case MS_PK_H: /* DUP HASH160 <hash> EQUALVERIFY, after the key was pushed */
        both = depth_then(then3(op_push(), op_nop(), op_push()), depth_of(2, 2));
        break;
    /* A zero and K signatures; the keys, their number and K come on top; one is left. */
    case MS_MULTI: both = depth_of(k, k + keys + 2); break;
    case MS_MULTI_A: both = depth_of(keys - 1, keys); break;
    default: /* SIZE <32> EQUALVERIFY HASH <hash> EQUAL */
        n->stack_sat = then3(then3(op_push(), op_push(), depth_of(2, 2)), op_nop(), op_push());
        n->stack_sat = depth_then(n->stack_sat, op_take_one());
        n->stack_dsat = none;
        return;
    }
    n->stack_sat = n->stack_dsat = both;
}

static void stack_of_wrapper(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0];
    struct ms_depth before;
    n->stack_sat = x->stack_sat;
    n->stack_dsat = x->stack_dsat;
    switch (n->fragment) {
    case MS_WRAP_C:
        n->stack_sat = depth_then(x->stack_sat, op_take_one());
        n->stack_dsat = depth_then(x->stack_dsat, op_take_one());
        break;
    case MS_WRAP_V:
        n->stack_sat = depth_then(x->stack_sat, op_take_one());
        n->stack_dsat = (struct ms_depth){0};
        break;
    case MS_WRAP_D:
    case MS_WRAP_J: /* DUP IF; SIZE 0NOTEQUAL IF */
        before = then3(op_push(), op_nop(), op_take_one());
        n->stack_sat = depth_then(before, x->stack_sat);
        n->stack_dsat = before;
        break;
    default: break;
    }
}

static void stack_of_two(struct ms_node *n)
{
    struct ms_depth xs = n->subs[0]->stack_sat, xd = n->subs[0]->stack_dsat;
    struct ms_depth ys = n->subs[1]->stack_sat, yd = n->subs[1]->stack_dsat;
    const struct ms_depth none = {0}, take = op_take_one();
    switch (n->fragment) {
    case MS_AND_V: n->stack_sat = depth_then(xs, ys), n->stack_dsat = none; break;
    case MS_AND_B: n->stack_sat = then3(xs, ys, take), n->stack_dsat = then3(xd, yd, take); break;
    case MS_OR_B:
        n->stack_sat = depth_then(depth_either(depth_then(xs, yd), depth_then(xd, ys)), take);
        n->stack_dsat = then3(xd, yd, take);
        break;
    case MS_OR_C: n->stack_sat = depth_either(depth_then(xs, take), then3(xd, take, ys)), n->stack_dsat = none; break;
    case MS_OR_D: /* IFDUP doubles what is true */
        n->stack_sat = depth_either(then3(xs, op_push(), take), depth_then(then3(xd, op_nop(), take), ys));
        n->stack_dsat = depth_then(then3(xd, op_nop(), take), yd);
        break;
    default: /* MS_OR_I */
        n->stack_sat = depth_then(take, depth_either(xs, ys));
        n->stack_dsat = depth_then(take, depth_either(xd, yd));
        break;
    }
}

static void stack_of_andor(struct ms_node *n)
{
    const struct ms_node *x = n->subs[0], *y = n->subs[1], *z = n->subs[2];
    const struct ms_depth take = op_take_one();
    n->stack_sat = depth_either(then3(x->stack_sat, take, y->stack_sat), then3(x->stack_dsat, take, z->stack_sat));
    n->stack_dsat = then3(x->stack_dsat, take, z->stack_dsat);
}

/* ---- thresh ---- */

/* Costs with j of the first subexpressions satisfied, j = 0, 1, ...; one subexpression more with each round. */
static void costs_of_thresh(struct ms_node *n, struct arena *arena)
{
    struct ms_count *ops = arena_alloc_array(arena, n->sub_count + 1, sizeof(*ops));
    struct ms_depth *depth = arena_alloc_array(arena, n->sub_count + 1, sizeof(*depth));
    uint32_t own = 0;
    ops[0] = count_of(0);
    depth[0] = depth_of(0, 0);
    for (size_t i = 0; i < n->sub_count; i++) {
        const struct ms_node *x = n->subs[i];
        struct ms_depth add = i ? op_take_one() : op_nop();
        own += x->ops + 1;
        ops[i + 1] = count_both(ops[i], x->ops_sat);
        depth[i + 1] = then3(depth[i], x->stack_sat, add);
        for (size_t j = i; j > 0; j--) {
            ops[j] = count_either(count_both(ops[j], x->ops_dsat), count_both(ops[j - 1], x->ops_sat));
            depth[j] = depth_then(
                depth_either(depth_then(depth[j], x->stack_dsat), depth_then(depth[j - 1], x->stack_sat)), add);
        }
        ops[0] = count_both(ops[0], x->ops_dsat);
        depth[0] = then3(depth[0], x->stack_dsat, add);
    }
    set_ops(n, own, ops[n->k], ops[0]);
    n->stack_sat = then3(depth[n->k], op_push(), op_take_one());
    n->stack_dsat = then3(depth[0], op_push(), op_take_one());
}

void ms_compute_costs(struct ms_node *n, struct arena *arena)
{
    n->script_len = script_len(n);
    if (n->fragment == MS_THRESH) {
        costs_of_thresh(n, arena);
    } else if (n->sub_count == 0) {
        ops_of_leaf(n);
        stack_of_leaf(n);
    } else if (n->sub_count == 1) {
        ops_of_wrapper(n);
        stack_of_wrapper(n);
    } else if (n->sub_count == 2) {
        ops_of_two(n);
        stack_of_two(n);
    } else {
        ops_of_andor(n);
        stack_of_andor(n);
    }
}
