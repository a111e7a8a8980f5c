/* Bitcoin Core's tx_valid.json and tx_invalid.json: transaction rules and scripts under sets of flags. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/random.h"
#include "consensus/tx_check.h"
#include "support/data.h"
#include "support/script_text.h"

struct tx_case {
    struct arena arena;
    struct tx tx;
    struct tx_out *spent;
    struct script_tx t;
};

/* The spent output that the case names for each input. */
static void find_spent(struct tx_case *c, const json_t *prevouts)
{
    c->spent = arena_alloc_array(&c->arena, c->tx.in_count + 1, sizeof(*c->spent));
    for (size_t i = 0; i < c->tx.in_count; i++) {
        const struct outpoint *want = &c->tx.in[i].prevout;
        c->spent[i] = (struct tx_out){0};
        for (size_t j = 0; j < json_array_size(prevouts); j++) {
            const json_t *p = json_array_get(prevouts, j);
            struct txid id;
            cr_assert(txid_parse(&id, json_string_value(json_array_get(p, 0))));
            if (!txid_equal(&id, &want->txid) || (uint32_t)json_integer_value(json_array_get(p, 1)) != want->index)
                continue;
            c->spent[i].script_pubkey = script_text_parse(&c->arena, json_string_value(json_array_get(p, 2)));
            c->spent[i].value = json_integer_value(json_array_get(p, 3));
        }
    }
}

static bool read_case(struct tx_case *c, const json_t *test)
{
    if (!json_is_array(json_array_get(test, 0))) return false;
    *c = (struct tx_case){0};
    struct span raw = script_text_hex(&c->arena, json_string_value(json_array_get(test, 1)));
    cr_assert(tx_parse(&c->tx, raw, &c->arena, 0));
    find_spent(c, json_array_get(test, 0));
    /* The other outputs are not given to the signature hash, as in the vectors' own test. */
    script_tx_init(&c->t, &c->tx, NULL);
    return true;
}

static bool scripts_pass(const struct tx_case *c, unsigned flags)
{
    for (size_t i = 0; i < c->tx.in_count; i++) {
        const struct tx_in *in = &c->tx.in[i];
        if (script_verify(in->script_sig, c->spent[i].script_pubkey, &in->witness, &c->t, i, c->spent[i].value, flags,
                          NULL) != SCRIPT_ERR_OK)
            return false;
    }
    return true;
}

static size_t check_valid(const struct tx_case *c, unsigned excluded, struct random *r, size_t number)
{
    size_t runs = 1;
    cr_assert(scripts_pass(c, SCRIPT_VERIFY_ALL & ~excluded), "case %zu", number);
    for (unsigned bit = 0; script_flag_name(bit); bit++, runs += 3) {
        unsigned one = script_flags_trim(SCRIPT_VERIFY_ALL & ~(excluded | 1u << bit));
        cr_assert(scripts_pass(c, one), "case %zu without %s", number, script_flag_name(bit));
        unsigned many = script_flags_trim(SCRIPT_VERIFY_ALL & ~(excluded | (unsigned)random_u64(r)));
        cr_assert(scripts_pass(c, many), "case %zu with %x", number, many);
        /* No flag is excluded for nothing. */
        unsigned fewer = script_flags_trim(excluded & ~(1u << bit));
        if (fewer != excluded)
            cr_assert(!scripts_pass(c, SCRIPT_VERIFY_ALL & ~fewer), "case %zu needs no %s", number,
                      script_flag_name(bit));
    }
    return runs;
}

static size_t check_invalid(const struct tx_case *c, unsigned flags, struct random *r, size_t number)
{
    size_t runs = 1;
    cr_assert(!scripts_pass(c, flags), "case %zu", number);
    for (unsigned bit = 0; script_flag_name(bit); bit++, runs += 3) {
        cr_assert(!scripts_pass(c, script_flags_fill(flags | 1u << bit)), "case %zu with %s", number,
                  script_flag_name(bit));
        unsigned many = script_flags_fill(flags | ((unsigned)random_u64(r) & SCRIPT_VERIFY_ALL));
        cr_assert(!scripts_pass(c, many), "case %zu with %x", number, many);
        unsigned fewer = script_flags_trim(flags & ~(1u << bit));
        if (fewer != flags) cr_assert(scripts_pass(c, fewer), "case %zu needs no %s", number, script_flag_name(bit));
    }
    return runs;
}

Test(tx_vectors, valid)
{
    if (!data_present(CAIRN_TEST_DATA, "tx_valid")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/tx_valid.json");
    struct random r;
    random_init_u64(&r, 3);
    size_t ran = 0, runs = 0;
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        struct tx_case c;
        struct verdict v = {0};
        if (!read_case(&c, test)) continue;
        cr_assert(tx_check(&c.tx, &v), "case %zu: %s", i, v.reason);
        unsigned excluded = script_text_flags(json_string_value(json_array_get(test, 2)));
        runs += check_valid(&c, excluded, &r, i);
        arena_clear(&c.arena);
        ran++;
    }
    printf("tx_valid.json: %zu cases, %zu runs\n", ran, runs);
    cr_assert_eq(ran, 121);
    json_decref(tests);
}

Test(tx_vectors, invalid)
{
    if (!data_present(CAIRN_TEST_DATA, "tx_invalid")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/tx_invalid.json");
    struct random r;
    random_init_u64(&r, 4);
    size_t ran = 0, bad = 0, runs = 0;
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *test = json_array_get(tests, i);
        struct tx_case c;
        struct verdict v = {0};
        if (!read_case(&c, test)) continue;
        const char *flags = json_string_value(json_array_get(test, 2));
        bool is_bad = !strcmp(flags, "BADTX");
        cr_assert_eq(tx_check(&c.tx, &v), !is_bad, "case %zu: %s", i, v.reason);
        if (!is_bad) runs += check_invalid(&c, script_text_flags(flags), &r, i);
        arena_clear(&c.arena);
        bad += is_bad;
        ran++;
    }
    printf("tx_invalid.json: %zu cases (%zu against the transaction rules), %zu runs\n", ran, bad, runs);
    cr_assert_eq(ran, 93);
    json_decref(tests);
}
