/* Real blocks: every script verifies under the flags of its height, by both ways; broken ones do not; sigops count. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/random.h"
#include "script/interp.h"
#include "support/real_block.h"

static void verify_tx(const struct tx *tx, const struct tx_out *spent, unsigned flags)
{
    struct script_tx t;
    script_tx_init(&t, tx, spent);
    for (size_t i = 0; i < tx->in_count; i++) {
        enum script_error e = script_verify_input(&t, i, flags, NULL);
        cr_assert_eq(e, SCRIPT_ERR_OK, "input %zu: %s", i, script_error_name(e));
    }
}

static uint64_t block_sigop_cost(const struct real_block *b, unsigned flags)
{
    uint64_t cost = 0;
    for (size_t i = 0; i < b->block->tx_count; i++) cost += tx_sigop_cost(&b->block->txs[i], b->spent[i], flags);
    return cost;
}

Test(real, all_scripts_verify)
{
    if (!data_present(CAIRN_TEST_DATA, "all_scripts_verify")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    size_t blocks = 0, inputs = 0;
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        for (size_t j = 0; j < b.block->tx_count; j++)
            if (b.spent[j]) verify_tx(&b.block->txs[j], b.spent[j], b.flags);
        uint64_t legacy = 0;
        for (size_t j = 0; j < b.block->tx_count; j++) legacy += tx_legacy_sigops(&b.block->txs[j]);
        cr_assert_eq(legacy, b.legacy_sigops);
        cr_assert_eq(block_sigop_cost(&b, b.flags), b.sigop_cost);
        blocks++;
        inputs += b.inputs;
        real_block_clear(&b);
    }
    printf("real blocks: %zu, inputs verified: %zu\n", blocks, inputs);
    cr_assert_gt(inputs, 20000);
    json_decref(index);
}

Test(real, legacy_sigops_of_every_block)
{
    if (!data_present(CAIRN_TEST_DATA, "legacy_sigops_of_every_block")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    for (size_t i = 0; i < json_array_size(index); i++) {
        const json_t *row = json_array_get(index, i);
        char name[128];
        snprintf(name, sizeof(name), "blocks/real/%s-%lld.blk.zst", json_string_value(json_object_get(row, "network")),
                 (long long)json_integer_value(json_object_get(row, "height")));
        struct buffer raw = data_read(CAIRN_TEST_DATA, name);
        struct block *b = block_parse(buffer_span(&raw));
        json_int_t n = 0;
        for (size_t j = 0; j < b->tx_count; j++) n += tx_legacy_sigops(&b->txs[j]);
        cr_assert_eq(n, json_integer_value(json_object_get(row, "legacy_sigops")), "%s", name);
        block_free(b);
        buffer_clear(&raw);
    }
    printf("real blocks, legacy sigops: %zu\n", json_array_size(index));
    json_decref(index);
}

/* One input with one byte of its scriptSig or of one witness item changed. */
struct mutation {
    struct tx tx;
    struct tx_in *in;
    struct span item; /* in the arena, to be changed */
};

static void mutate(struct mutation *m, const struct tx *tx, size_t index, struct random *r, struct arena *arena)
{
    m->tx = *tx;
    m->in = arena_alloc_array(arena, tx->in_count, sizeof(*m->in));
    memcpy(m->in, tx->in, tx->in_count * sizeof(*m->in));
    m->tx.in = m->in;
    struct tx_in *in = &m->in[index];
    struct span *items = arena_alloc_array(arena, in->witness.count + 1, sizeof(*items));
    if (in->witness.count) memcpy(items, in->witness.items, in->witness.count * sizeof(*items));
    in->witness.items = items;
    struct span *target = &in->script_sig;
    if (in->witness.count && (in->script_sig.len == 0 || random_below(r, 2)))
        target = &items[random_below(r, in->witness.count)];
    uint8_t *copy = arena_alloc(arena, target->len + 1);
    if (target->len) memcpy(copy, target->data, target->len);
    if (target->len) copy[random_below(r, target->len)] ^= (uint8_t)(1u << random_below(r, 8));
    if (random_below(r, 16) == 0 && target->len) target->len--;
    target->data = copy;
    m->item = *target;
}

/* The short cuts and the interpreter must give the same error for an input that is broken in some way, whatever the
 * flags. Returns 1 where the input failed under the block's own flags. */
static size_t compare_ways(const struct mutation *m, const struct tx_out *spent, size_t index, unsigned flags,
                           struct random *r)
{
    struct script_tx t;
    script_tx_init(&t, &m->tx, spent);
    size_t failed = 0;
    for (int i = 0; i < 3; i++) {
        unsigned f = i ? script_flags_fill((unsigned)random_u64(r) & SCRIPT_VERIFY_ALL) : flags;
        const struct tx_in *in = &m->tx.in[index];
        enum script_error fast = script_verify_input(&t, index, f, NULL);
        enum script_error plain = script_verify_plain(in->script_sig, spent[index].script_pubkey, &in->witness, &t,
                                                      index, spent[index].value, f, NULL);
        cr_assert_eq(fast, plain, "short cut says %s, interpreter %s", script_error_name(fast),
                     script_error_name(plain));
        if (i == 0) failed = fast != SCRIPT_ERR_OK;
    }
    return failed;
}

Test(real, broken_inputs_fail_the_same_way)
{
    if (!data_present(CAIRN_TEST_DATA, "broken_inputs_fail_the_same_way")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    struct random r;
    random_init_u64(&r, 7);
    size_t tried = 0, failed = 0;
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        size_t step = b.block->tx_count / 40 + 1;
        for (size_t j = 1; j < b.block->tx_count; j += step) {
            const struct tx *tx = &b.block->txs[j];
            size_t k = random_below(&r, tx->in_count);
            for (int n = 0; n < 6; n++) {
                struct arena arena = {0};
                struct mutation m;
                mutate(&m, tx, k, &r, &arena);
                failed += compare_ways(&m, b.spent[j], k, b.flags, &r);
                tried++;
                arena_clear(&arena);
            }
        }
        real_block_clear(&b);
    }
    printf("broken inputs: %zu tried, %zu failed\n", tried, failed);
    cr_assert_gt(tried, 1000);
    cr_assert_gt(failed, tried * 9 / 10);
    json_decref(index);
}

/* A byte in the middle of a signature of a standard spend. */
static enum script_error break_signature(const struct tx *tx, const struct tx_out *spent, unsigned flags,
                                         struct arena *arena)
{
    struct random r;
    random_init_u64(&r, 1);
    struct mutation m;
    struct tx_in *in;
    mutate(&m, tx, 0, &r, arena);
    in = &m.in[0];
    *in = tx->in[0];
    bool witness = in->witness.count > 0;
    struct span from = witness ? in->witness.items[0] : in->script_sig;
    uint8_t *copy = arena_alloc(arena, from.len);
    memcpy(copy, from.data, from.len);
    copy[witness ? 20 : 21] ^= 1;
    struct span *items = arena_alloc_array(arena, in->witness.count + 1, sizeof(*items));
    if (witness) {
        memcpy(items, in->witness.items, in->witness.count * sizeof(*items));
        items[0].data = copy;
        in->witness.items = items;
    } else {
        in->script_sig.data = copy;
    }
    struct script_tx t;
    script_tx_init(&t, &m.tx, spent);
    return script_verify_input(&t, 0, flags, NULL);
}

Test(real, broken_signatures_have_the_right_error)
{
    if (!data_present(CAIRN_TEST_DATA, "broken_signatures_have_the_right_error")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json");
    size_t pkh = 0, wpkh = 0, taproot = 0;
    for (size_t i = 0; i < json_array_size(index); i++) {
        struct real_block b;
        if (!real_block_read(&b, CAIRN_TEST_DATA, json_array_get(index, i))) continue;
        for (size_t j = 1; j < b.block->tx_count; j++) {
            const struct tx *tx = &b.block->txs[j];
            struct span script = b.spent[j][0].script_pubkey;
            struct arena arena = {0};
            if (script.len == 25 && script.data[0] == OP_DUP && pkh++ % 50 == 0)
                cr_assert_eq(break_signature(tx, b.spent[j], b.flags, &arena), SCRIPT_ERR_EVAL_FALSE);
            else if (script_is_p2wpkh(script) && wpkh++ % 50 == 0)
                cr_assert_eq(break_signature(tx, b.spent[j], b.flags | SCRIPT_VERIFY_NULLFAIL, &arena),
                             SCRIPT_ERR_SIG_NULLFAIL);
            else if (script_is_p2tr(script) && tx->in[0].witness.count == 1 && taproot++ % 10 == 0)
                cr_assert_eq(break_signature(tx, b.spent[j], b.flags, &arena), SCRIPT_ERR_SCHNORR_SIG);
            arena_clear(&arena);
        }
        real_block_clear(&b);
    }
    printf("signatures broken: of %zu p2pkh, %zu p2wpkh, %zu taproot\n", pkh, wpkh, taproot);
    cr_assert(pkh > 100 && wpkh > 100 && taproot > 10);
    json_decref(index);
}
