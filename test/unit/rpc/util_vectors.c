/* The cases of Bitcoin Core's bitcoin-tx and bitcoin-util tests that apply to us: every transaction that they print, as
 * hex and as JSON, and the chain parameters. What applies not: building and signing transactions from arguments. */
#include <criterion/criterion.h>
#include <jansson.h>

#include "base/hex.h"
#include "consensus/params.h"
#include "rpc/json_writer.h"
#include "rpc/tx_json.h"
#include "support/data.h"

#define FOLDER "vectors/core/util/"

static struct buffer read_util(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, FOLDER "%s", name);
    struct buffer b = data_read(CAIRN_TEST_DATA, path);
    while (b.len && (b.data[b.len - 1] == '\n' || b.data[b.len - 1] == '\r')) b.len--;
    return b;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Takes the white space between tokens out of well-formed JSON: numbers stay as they were written. */
static void compact(struct buffer *json)
{
    size_t to = 0;
    bool quoted = false;
    for (size_t at = 0; at < json->len; at++) {
        uint8_t c = json->data[at];
        if (c == '"' && (at == 0 || json->data[at - 1] != '\\')) quoted = !quoted;
        if (quoted || !strchr(" \n", c)) json->data[to++] = c;
    }
    json->len = to;
}

/* The transaction of HEX (LEN digits) in our JSON. */
static void print_tx(struct buffer *out, const char *hex, size_t len, enum chain_type chain)
{
    struct buffer raw = {0};
    struct arena arena = {0};
    struct tx tx;
    cr_assert(hex_decode_append(&raw, hex, len));
    cr_assert(tx_parse_any(&tx, buffer_span(&raw), &arena));
    struct json_writer w = json_writer_of(out);
    struct tx_json_extra extra = {.prefixes = &chain_params_get(chain)->prefixes, .hex = true};
    jw_object(&w);
    tx_json_fields(&w, &tx, &extra);
    jw_object_end(&w);
    buffer_clear(&raw);
    arena_clear(&arena);
}

static void check_json(const char *name, enum chain_type chain)
{
    struct buffer expected = read_util(name), got = {0};
    json_t *root = json_loadb((const char *)expected.data, expected.len, 0, NULL);
    const char *hex = json_string_value(json_object_get(root, "hex"));
    cr_assert_not_null(hex, "%s", name);
    print_tx(&got, hex, strlen(hex), chain);
    compact(&expected);
    cr_assert(span_equal(buffer_span(&expected), buffer_span(&got)), "%s:\n%s", name, buffer_text(&got));
    json_decref(root);
    buffer_clear(&expected);
    buffer_clear(&got);
}

/* The transaction parses and is written as the same bytes. */
static void check_hex(const char *name)
{
    struct buffer text = read_util(name), raw = {0}, again = {0};
    struct arena arena = {0};
    struct tx tx;
    cr_assert(hex_decode_append(&raw, (const char *)text.data, text.len), "%s", name);
    if (tx_parse_any(&tx, buffer_span(&raw), &arena)) {
        tx_write(&again, &tx);
        cr_assert(span_equal(buffer_span(&raw), buffer_span(&again)), "%s", name);
    } else {
        cr_assert_fail("%s does not parse", name);
    }
    buffer_clear(&text);
    buffer_clear(&raw);
    buffer_clear(&again);
    arena_clear(&arena);
}

static enum chain_type chain_of(const json_t *args)
{
    static const struct {
        const char *arg;
        enum chain_type chain;
    } rows[] = {{"-regtest", CHAIN_REGTEST},
                {"-testnet", CHAIN_TESTNET3},
                {"-testnet4", CHAIN_TESTNET4},
                {"-signet", CHAIN_SIGNET}};
    size_t i;
    json_t *arg;
    json_array_foreach((json_t *)args, i, arg)
    {
        for (size_t r = 0; r < ARRAY_LEN(rows); r++)
            if (strcmp(json_string_value(arg), rows[r].arg) == 0) return rows[r].chain;
    }
    return CHAIN_MAIN;
}

static void expect_str(const json_t *root, const char *key, const char *value)
{
    cr_assert_str_eq(json_string_value(json_object_get(root, key)), value, "%s", key);
}

static void check_seeds(const json_t *seeds, const struct chain_params *p)
{
    cr_assert_eq(json_array_size(seeds), p->dns_seed_count);
    for (size_t i = 0; i < p->dns_seed_count; i++) {
        const char *seed = json_string_value(json_array_get(seeds, i)); /* with the root's dot */
        cr_assert_eq(strncmp(seed, p->dns_seeds[i], strlen(p->dns_seeds[i])), 0);
    }
}

static void check_params(const char *name, const json_t *args)
{
    char path[256], text[65];
    snprintf(path, sizeof path, FOLDER "%s", name);
    json_t *root = data_json(CAIRN_TEST_DATA, path);
    struct chain_params p = *chain_params_get(chain_of(args));
    struct buffer challenge = {0};
    size_t i;
    json_t *arg;
    json_array_foreach((json_t *)args, i, arg)
    {
        const char *value = json_string_value(arg), *at = strchr(value, '=');
        if (!at) continue;
        cr_assert(hex_decode_append(&challenge, at + 1, strlen(at + 1)));
        chain_params_set_signet_challenge(&p, buffer_span(&challenge));
    }
    expect_str(root, "chain", p.name);
    hex_encode(text, p.genesis_hash.bytes, 32);
    expect_str(root, "genesis", text);
    cr_assert_eq(json_integer_value(json_object_get(root, "subsidy_halving_interval")), p.halving_interval);
    u256_to_hex(text, p.pow_limit);
    expect_str(json_object_get(root, "pow"), "limit", text);
    const json_t *net = json_object_get(root, "net");
    cr_assert_eq(json_integer_value(json_object_get(net, "default_port")), p.p2p_port);
    hex_encode(text, p.magic, 4);
    expect_str(net, "magic", text);
    check_seeds(json_object_get(net, "dns_seeds"), &p);
    expect_str(json_object_get(root, "addresses"), "bech32_hrp", p.prefixes.hrp);
    buffer_clear(&challenge);
    json_decref(root);
}

Test(rpc_vectors, bitcoin_util)
{
    if (!data_present(CAIRN_TEST_DATA, "bitcoin-util cases")) return;
    json_t *cases = data_json(CAIRN_TEST_DATA, FOLDER "bitcoin-util-test.json");
    size_t i, as_json = 0, as_hex = 0, params = 0, other = 0;
    json_t *c;
    json_array_foreach(cases, i, c)
    {
        const char *out = json_string_value(json_object_get(c, "output_cmp"));
        const json_t *args = json_object_get(c, "args");
        if (!out) {
            other++;
        } else if (strncmp(out, "getchainparams", 14) == 0) {
            check_params(out, args);
            params++;
        } else if (ends_with(out, ".json")) {
            check_json(out, chain_of(args));
            as_json++;
        } else {
            check_hex(out);
            as_hex++;
        }
    }
    printf(
        "bitcoin-util-test.json: %zu transactions as JSON, %zu as hex, %zu chain parameters; %zu cases that only try "
        "arguments do not apply\n",
        as_json, as_hex, params, other);
    cr_assert(as_json > 20 && as_hex > 20 && params == 6);
    json_decref(cases);
}
