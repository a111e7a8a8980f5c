/* Standardness: every reason, at its edge. */
#include <criterion/criterion.h>

#include "base/alloc.h"
#include "policy/standard.h"
#include "script/script.h"

#define SPAN_OF(A) span_of((A), sizeof(A))

enum { INPUTS = 3, OUTPUTS = 6 };

/* A transaction with one plain input and one plain output, to be changed. */
struct kit {
    struct tx tx;
    struct tx_in in[INPUTS];
    struct tx_out out[OUTPUTS], spent[INPUTS];
    struct standard_rules rules;
    struct verdict v;
};

static const uint8_t p2pkh[25] = {0x76, 0xa9, 20, [23] = 0x88, 0xac};
static const uint8_t p2wpkh[22] = {0, 20};
static const uint8_t p2wsh[34] = {0, 32};
static const uint8_t p2tr[34] = {0x51, 32};
static const uint8_t p2a[4] = {0x51, 2, 0x4e, 0x73};

static void kit_new(struct kit *k)
{
    *k = (struct kit){.rules = standard_rules_default()};
    for (size_t i = 0; i < INPUTS; i++) {
        k->in[i] = (struct tx_in){.prevout = {.index = (uint32_t)i}, .sequence = SEQUENCE_FINAL};
        k->spent[i] = (struct tx_out){100000, SPAN_OF(p2wpkh)};
    }
    for (size_t i = 0; i < OUTPUTS; i++) k->out[i] = (struct tx_out){100000, SPAN_OF(p2pkh)};
    k->tx = (struct tx){.version = 2, .in = k->in, .in_count = 1, .out = k->out, .out_count = 1};
}

static void expect_tx(struct kit *k, const char *reason)
{
    k->tx.size = k->tx.base_size = 0;
    k->tx.raw = span_of(NULL, 0);
    tx_hash(&k->tx);
    k->v = (struct verdict){0};
    bool good = standard_tx(&k->tx, &k->rules, &k->v);
    cr_assert_eq(good, !reason, "%s", k->v.reason);
    if (reason) cr_assert_str_eq(k->v.reason, reason);
}

static void expect_inputs(struct kit *k, const char *detail)
{
    k->v = (struct verdict){0};
    cr_assert_eq(standard_inputs(&k->tx, k->spent, &k->v), !detail, "%s", k->v.detail);
    if (!detail) return;
    cr_assert_str_eq(k->v.reason, "bad-txns-nonstandard-inputs");
    cr_assert_str_eq(k->v.detail, detail);
}

Test(standard, versions)
{
    static struct kit k;
    kit_new(&k);
    const struct {
        int32_t version;
        bool good;
    } rows[] = {{0, false}, {1, true}, {2, true}, {3, true}, {4, false}, {-1, false}, {INT32_MIN, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        k.tx.version = rows[i].version;
        expect_tx(&k, rows[i].good ? NULL : "version");
    }
}

Test(standard, weight)
{
    static struct kit k;
    static uint8_t item[400000];
    kit_new(&k);
    struct span items[] = {span_of(item, 300000)};
    k.in[0].witness = (struct witness){items, 1};
    k.tx.has_witness = true;
    expect_tx(&k, NULL);
    items[0].len += STANDARD_TX_WEIGHT - tx_weight(&k.tx);
    expect_tx(&k, NULL);
    cr_assert_eq(tx_weight(&k.tx), STANDARD_TX_WEIGHT);
    items[0].len++;
    expect_tx(&k, "tx-size");
}

Test(standard, script_sigs)
{
    static struct kit k;
    static uint8_t zeroes[STANDARD_SCRIPT_SIG + 1], nop[] = {0x61};
    kit_new(&k);
    k.in[0].script_sig = span_of(zeroes, STANDARD_SCRIPT_SIG);
    expect_tx(&k, NULL);
    k.in[0].script_sig.len++;
    expect_tx(&k, "scriptsig-size");
    k.in[0].script_sig = SPAN_OF(nop);
    expect_tx(&k, "scriptsig-not-pushonly");
}

/* OP_m, KEYS compressed keys, OP_n, OP_CHECKMULTISIG. */
static struct span multisig(struct buffer *b, int required, int keys)
{
    uint8_t key[33] = {2};
    b->len = 0;
    buffer_put_u8(b, (uint8_t)(0x50 + required));
    for (int i = 0; i < keys; i++) script_put_push(b, SPAN_OF(key));
    buffer_put_u8(b, (uint8_t)(0x50 + keys));
    buffer_put_u8(b, 0xae);
    return buffer_span(b);
}

Test(standard, output_scripts)
{
    static struct kit k;
    struct buffer b = {0};
    const struct span good[] = {SPAN_OF(p2pkh), SPAN_OF(p2wpkh), SPAN_OF(p2wsh), SPAN_OF(p2tr), SPAN_OF(p2a)};
    static const uint8_t odd[] = {0x51, 0x93};
    kit_new(&k);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        k.out[0].script_pubkey = good[i];
        expect_tx(&k, NULL);
    }
    k.out[0].script_pubkey = SPAN_OF(odd);
    expect_tx(&k, "scriptpubkey");
    for (int keys = 1; keys <= 4; keys++) {
        for (int required = 1; required <= keys; required++) {
            k.out[0].script_pubkey = multisig(&b, required, keys);
            expect_tx(&k, keys <= 3 ? NULL : "scriptpubkey");
        }
    }
    k.out[0].script_pubkey = multisig(&b, 1, 3);
    k.rules.bare_multisig = false;
    expect_tx(&k, "bare-multisig");
    buffer_clear(&b);
}

Test(standard, data_carriers)
{
    static struct kit k;
    static uint8_t data[] = {0x6a, 3, 1, 2, 3};
    kit_new(&k);
    k.tx.out_count = 3;
    k.out[0] = k.out[1] = (struct tx_out){0, SPAN_OF(data)};
    k.rules.data_carrier_bytes = 10; /* of both together */
    expect_tx(&k, NULL);
    k.rules.data_carrier_bytes = 9;
    expect_tx(&k, "datacarrier");
    k.rules.data_carrier_bytes = 0; /* -datacarrier=0 */
    k.tx.out_count = 1;
    expect_tx(&k, "datacarrier");
}

Test(standard, dust)
{
    static struct kit k;
    static const uint8_t data[] = {0x6a, 1, 1};
    const struct {
        struct span script;
        amount_sat threshold;
    } rows[] = {{SPAN_OF(p2pkh), 546}, {SPAN_OF(p2wpkh), 294}, {SPAN_OF(p2wsh), 330},
                {SPAN_OF(p2tr), 330},  {SPAN_OF(p2a), 240},    {SPAN_OF(data), 0}};
    kit_new(&k);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tx_out out = {0, rows[i].script};
        cr_assert_eq(dust_threshold(&out, (struct fee_rate){3000}), rows[i].threshold);
    }
    k.tx.out_count = 2;
    k.out[0].value = 546;
    k.out[1].value = 545; /* one may be ephemeral */
    size_t first = 9;
    cr_assert_eq(count_dust(&k.tx, k.rules.dust, &first), 1);
    cr_assert_eq(first, 1);
    expect_tx(&k, NULL);
    k.out[0].value = 545;
    expect_tx(&k, "dust");
    k.rules.dust.sat_per_kvb = 0;
    expect_tx(&k, NULL);
}

Test(standard, inputs_by_kind)
{
    static struct kit k;
    static const uint8_t odd[] = {0x51, 0x93}, future[] = {0x52, 2, 1, 1}, long_anchor[] = {0x51, 3, 1, 1, 1};
    kit_new(&k);
    k.tx.in_count = 2;
    expect_inputs(&k, NULL);
    k.spent[1].script_pubkey = SPAN_OF(p2a);
    expect_inputs(&k, NULL);
    k.spent[1].script_pubkey = SPAN_OF(odd);
    expect_inputs(&k, "input 1 script unknown");
    k.spent[1].script_pubkey = SPAN_OF(future);
    expect_inputs(&k, "input 1 witness program is undefined");
    k.spent[1].script_pubkey = SPAN_OF(long_anchor);
    expect_inputs(&k, "input 1 witness program is undefined");
}

static const uint8_t p2sh[23] = {0xa9, 20, [22] = 0x87};

Test(standard, p2sh_inputs)
{
    static struct kit k;
    static const uint8_t reserved[] = {0x50};
    uint8_t redeem[20];
    struct buffer sig = {0};
    kit_new(&k);
    k.spent[0].script_pubkey = SPAN_OF(p2sh);
    expect_inputs(&k, "input 0 P2SH redeemscript missing");
    k.in[0].script_sig = SPAN_OF(reserved);
    expect_inputs(&k, "p2sh scriptsig malformed (input 0: Opcode missing or not understood)");
    memset(redeem, 0xac, sizeof(redeem)); /* OP_CHECKSIG */
    script_put_push(&sig, span_of(redeem, STANDARD_P2SH_SIGOPS));
    k.in[0].script_sig = buffer_span(&sig);
    expect_inputs(&k, NULL);
    sig.len = 0;
    script_put_push(&sig, span_of(redeem, STANDARD_P2SH_SIGOPS + 1));
    k.in[0].script_sig = buffer_span(&sig);
    expect_inputs(&k, "p2sh redeemscript sigops exceed limit (input 0: 16 > 15)");
    buffer_clear(&sig);
}

/* BIP54 counts what is executed: the spent scripts, not the new ones. */
Test(standard, legacy_sigops)
{
    static struct kit k;
    static uint8_t many[STANDARD_LEGACY_SIGOPS + 1];
    kit_new(&k);
    memset(many, 0xac, sizeof(many));
    k.spent[0].script_pubkey = span_of(many, STANDARD_LEGACY_SIGOPS);
    expect_inputs(&k, "input 0 script unknown"); /* not for the number */
    k.spent[0].script_pubkey.len++;
    expect_inputs(&k, "non-witness sigops exceed bip54 limit");
    k.spent[0].script_pubkey = span_of(many, STANDARD_LEGACY_SIGOPS - 1);
    k.spent[1].script_pubkey = SPAN_OF(p2pkh);
    k.spent[2].script_pubkey = SPAN_OF(p2pkh);
    k.tx.in_count = 2;
    expect_inputs(&k, "input 0 script unknown");
    k.tx.in_count = 3;
    expect_inputs(&k, "non-witness sigops exceed bip54 limit");
    k.out[0].script_pubkey = SPAN_OF(many);
    k.tx.in_count = 1;
    k.spent[0].script_pubkey = SPAN_OF(p2wpkh);
    expect_inputs(&k, NULL);
}

static bool witness_ok(struct kit *k, struct span script, struct span *items, size_t count)
{
    k->spent[0].script_pubkey = script;
    k->in[0].witness = (struct witness){items, count};
    return standard_witness(&k->tx, k->spent);
}

Test(standard, witnesses)
{
    static struct kit k;
    static uint8_t bytes[STANDARD_P2WSH_SCRIPT + 1], control[33] = {0xc0}, other_leaf[33] = {0xc2}, annex[] = {0x50};
    struct span items[STANDARD_P2WSH_ITEMS + 2];
    kit_new(&k);
    for (size_t i = 0; i < ARRAY_LEN(items); i++) items[i] = span_of(bytes, STANDARD_P2WSH_ITEM);
    cr_assert(witness_ok(&k, SPAN_OF(p2pkh), items, 0));
    cr_assert_not(witness_ok(&k, SPAN_OF(p2pkh), items, 1));
    cr_assert_not(witness_ok(&k, SPAN_OF(p2a), items, 1));
    cr_assert(witness_ok(&k, SPAN_OF(p2wpkh), items, 2));
    /* Scripts in witnesses: number and sizes of items, size of the script. */
    cr_assert(witness_ok(&k, SPAN_OF(p2wsh), items, STANDARD_P2WSH_ITEMS + 1));
    cr_assert_not(witness_ok(&k, SPAN_OF(p2wsh), items, STANDARD_P2WSH_ITEMS + 2));
    items[2] = span_of(bytes, STANDARD_P2WSH_SCRIPT);
    cr_assert(witness_ok(&k, SPAN_OF(p2wsh), items, 3));
    items[2].len++;
    cr_assert_not(witness_ok(&k, SPAN_OF(p2wsh), items, 3));
    items[2] = span_of(bytes, 10);
    items[1].len = STANDARD_P2WSH_ITEM + 1;
    cr_assert_not(witness_ok(&k, SPAN_OF(p2wsh), items, 3));
    /* Taproot: by key anything, no annex, tapscripts with small items. */
    cr_assert(witness_ok(&k, SPAN_OF(p2tr), items, 1));
    struct span with_annex[] = {span_of(bytes, 64), SPAN_OF(annex)};
    cr_assert_not(witness_ok(&k, SPAN_OF(p2tr), with_annex, 2));
    struct span path[] = {span_of(bytes, STANDARD_TAPSCRIPT_ITEM), span_of(bytes, 3000), SPAN_OF(control)};
    cr_assert(witness_ok(&k, SPAN_OF(p2tr), path, 3));
    path[0].len++;
    cr_assert_not(witness_ok(&k, SPAN_OF(p2tr), path, 3));
    path[2] = SPAN_OF(other_leaf);
    cr_assert(witness_ok(&k, SPAN_OF(p2tr), path, 3));
    path[2] = span_of(control, 0);
    cr_assert_not(witness_ok(&k, SPAN_OF(p2tr), path, 3));
}

Test(standard, witness_programs)
{
    static struct kit k;
    struct buffer sig = {0};
    kit_new(&k);
    cr_assert(spends_witness_program(&k.tx, k.spent));
    k.spent[0].script_pubkey = SPAN_OF(p2a);
    cr_assert_not(spends_witness_program(&k.tx, k.spent));
    k.spent[0].script_pubkey = SPAN_OF(p2pkh);
    cr_assert_not(spends_witness_program(&k.tx, k.spent));
    k.spent[0].script_pubkey = SPAN_OF(p2sh);
    script_put_push(&sig, SPAN_OF(p2pkh));
    k.in[0].script_sig = buffer_span(&sig);
    cr_assert_not(spends_witness_program(&k.tx, k.spent));
    sig.len = 0;
    script_put_push(&sig, SPAN_OF(p2wpkh));
    k.in[0].script_sig = buffer_span(&sig);
    cr_assert(spends_witness_program(&k.tx, k.spent));
    struct span items[] = {SPAN_OF(p2pkh)};
    k.in[0].witness = (struct witness){items, 1};
    cr_assert(standard_witness(&k.tx, k.spent)); /* wrapped */
    sig.len = 0;
    script_put_push(&sig, SPAN_OF(p2pkh));
    k.in[0].script_sig = buffer_span(&sig);
    cr_assert_not(standard_witness(&k.tx, k.spent));
    buffer_clear(&sig);
}

Test(standard, sizes_and_fees)
{
    cr_assert_eq(policy_vsize(400, 0, 20), 100);
    cr_assert_eq(policy_vsize(401, 0, 20), 101);
    cr_assert_eq(policy_vsize(400, 20, 20), 100);
    cr_assert_eq(policy_vsize(400, 21, 20), 105);
    cr_assert_eq(sigop_adjusted_weight(10, 4, 5), 20);
    cr_assert_eq(fee_rate_fee((struct fee_rate){1000}, 123), 123);
    cr_assert_eq(fee_rate_fee((struct fee_rate){100}, 11), 2); /* 1.1 rounded up */
    cr_assert_eq(fee_rate_fee((struct fee_rate){0}, 11), 0);
    cr_assert_eq(fee_rate_of(123, 123).sat_per_kvb, 1000);
    cr_assert_eq(fee_rate_of(1, 3).sat_per_kvb, 333);
    cr_assert_eq(fee_rate_of(-1, 3).sat_per_kvb, -334);
}
