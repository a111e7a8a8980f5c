/* Real blocks: all rules short of scripts, fees and sigop costs as recorded; the rules' exceptions. */
#include "fixture.h"

#include "consensus/versionbits.h"
#include "script/script.h"
#include "script/verify.h"

static int64_t number(json_t *row, const char *key)
{
    json_t *v = json_object_get(row, key);
    cr_assert(json_is_integer(v), "%s", key);
    return json_integer_value(v);
}

static struct buffer read_named(json_t *row, const char *suffix)
{
    char name[200];
    snprintf(name, sizeof(name), "blocks/real/%s-%d%s", json_string_value(json_object_get(row, "network")),
             (int)number(row, "height"), suffix);
    return data_read(CAIRN_TEST_DATA, name);
}

static const struct chain_params *params_of(json_t *row)
{
    const char *network = json_string_value(json_object_get(row, "network"));
    return chain_params_get(strcmp(network, "mainnet") == 0 ? CHAIN_MAIN : CHAIN_TESTNET3);
}

enum { CONTEXT = MEDIAN_TIME_SPAN };

/* The block's predecessors: their times where they are recorded, else made up just before its own. */
static void make_context(struct header_node n[CONTEXT], json_t *row, const struct block *b)
{
    json_t *context = json_object_get(row, "context");
    json_t *times = json_object_get(context, "last_11_times");
    for (int i = 0; i < CONTEXT; i++) {
        json_t *time = json_array_get(times, (size_t)i);
        uint32_t t = time ? (uint32_t)json_integer_value(time) : b->header.time - 1;
        chain_link(&n[i], i ? &n[i - 1] : NULL, t, b->header.bits, 4);
        n[i].height = (int32_t)number(row, "height") - CONTEXT + i;
    }
    n[CONTEXT - 1].hash = b->header.prev;
    if (context) cr_assert_eq(header_median_time(&n[CONTEXT - 1]), number(context, "parent_mtp"));
}

/* Lines of "txid:vout amount height coinbase script"; - where the height is not known. Scripts live in the arena. */
static struct block_spends read_spends(struct buffer *text, const struct block *b, struct arena *arena)
{
    struct block_spends s = {0};
    size_t inputs = 0, tx = 1, in = 0;
    for (size_t i = 1; i < b->tx_count; i++) inputs += b->txs[i].in_count;
    s.outs = arena_alloc_array(arena, inputs, sizeof(*s.outs));
    s.origins = arena_alloc_array(arena, inputs, sizeof(*s.origins));
    char *at = NULL;
    buffer_text(text);
    for (char *line = strtok_r((char *)text->data, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
        char *field[5], *inner = NULL;
        for (int i = 0; i < 5; i++) cr_assert(field[i] = strtok_r(i ? NULL : line, " ", &inner));
        cr_assert_lt(s.count, inputs);
        char id[HASH_TEXT];
        cr_assert(strncmp(field[0], txid_text(id, &b->txs[tx].in[in].prevout.txid), 64) == 0);
        cr_assert_eq(strtoul(field[0] + 65, NULL, 10), b->txs[tx].in[in].prevout.index);
        size_t len = field[4][0] == '-' ? 0 : strlen(field[4]) / 2;
        uint8_t *script = arena_alloc(arena, len);
        cr_assert(len == 0 || hex_decode(script, len, field[4]));
        s.outs[s.count] = (struct tx_out){.value = strtoll(field[1], NULL, 10), .script_pubkey = {script, len}};
        bool known = field[2][0] != '-';
        s.origins[s.count++] = known ? coin_origin_of((int32_t)strtol(field[2], NULL, 10), field[3][0] == '1') : 0;
        if (++in == b->txs[tx].in_count) in = 0, tx++;
    }
    cr_assert_eq(s.count, inputs);
    return s;
}

static unsigned recorded_flags(json_t *row)
{
    unsigned flags = 0;
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(row, "script_flags"), i, name)
    {
        for (unsigned bit = 0; script_flag_name(bit); bit++) {
            const char *known = script_flag_name(bit), *wanted = json_string_value(name);
            if (strcmp(wanted, "CLTV") == 0) wanted = "CHECKLOCKTIMEVERIFY";
            if (strcmp(wanted, "CSV") == 0) wanted = "CHECKSEQUENCEVERIFY";
            if (strcmp(known, wanted) == 0) flags |= 1u << bit;
        }
    }
    return flags;
}

/* Fees, sigop cost and coinbase value. Relative lock times need headers back to the spent coins, which single blocks do
 * not come with: BIP68 is switched off here (it has tables of its own). */
static void check_spends(json_t *row, const struct block *b, const struct header_node *prev, struct chain_params p)
{
    struct header_node node;
    struct arena arena = {0};
    struct buffer text = read_named(row, ".spent.zst");
    struct block_spends s = read_spends(&text, b, &arena);
    header_node_link(&node, &b->header, &b->hash, prev);
    unsigned flags = block_script_flags(node.height, &node.hash, &p);
    cr_assert_eq(flags, recorded_flags(row), "height %d: flags %x", node.height, flags);
    uint64_t cost = 0;
    for (size_t i = 0, at = 0; i < b->tx_count; i++) {
        cost += tx_sigop_cost(&b->txs[i], i ? s.outs + at : NULL, flags);
        if (i) at += b->txs[i].in_count;
    }
    cr_assert_eq(cost, (uint64_t)number(row, "sigop_cost"), "height %d", node.height);

    p.buried[BURIED_CSV] = INT32_MAX;
    amount_sat fees = -1;
    struct verdict v = {.kind = VERDICT_VALID};
    cr_assert(block_check_spends(b, &node, &s, b->tx_count, flags, &p, &fees, &v), "height %d: %s %s", node.height,
              v.reason, v.detail);
    cr_assert_eq(fees, number(row, "fees"), "height %d", node.height);
    if (s.count > 0) { /* a satoshi less in an input: a satoshi less in fees, so that the coinbase takes too much */
        s.outs[0].value--;
        bool ok = block_check_spends(b, &node, &s, b->tx_count, flags, &p, &fees, &v);
        bool exact = number(row, "coinbase_value") == number(row, "fees") + block_subsidy(node.height, &p);
        if (exact)
            cr_assert(!ok && (strcmp(v.reason, "bad-cb-amount") == 0 || strcmp(v.reason, "bad-txns-in-belowout") == 0));
    }
    arena_clear(&arena);
    buffer_clear(&text);
}

Test(consensus_blocks, real_blocks)
{
    if (!data_present(CAIRN_TEST_DATA, "real blocks")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json"), *row;
    size_t i, spends = 0;
    json_array_foreach(index, i, row)
    {
        const struct chain_params *p = params_of(row);
        struct buffer raw = read_named(row, ".blk.zst");
        struct block *b = block_parse(buffer_span(&raw));
        cr_assert(b);
        struct header_node context[CONTEXT];
        make_context(context, row, b);
        struct verdict v = {.kind = VERDICT_VALID};
        const char *hash = json_string_value(json_object_get(row, "hash"));
        cr_assert(block_check(b, p, 0, &v), "%s: %s %s", hash, v.reason, v.detail);
        cr_assert(block_check_context(b, &context[CONTEXT - 1], p, &v), "%s: %s %s", hash, v.reason, v.detail);
        bool segwit = buried_active(p, BURIED_SEGWIT, (int32_t)number(row, "height"));
        cr_assert_not(block_is_mutated(b, segwit));
        cr_assert_eq(block_weight(b), (uint64_t)number(row, "weight"));
        cr_assert_eq(block_witness_commitment(b) >= 0, json_is_true(json_object_get(row, "witness_commitment")));
        if (json_is_string(json_object_get(row, "spent_coin_heights"))) {
            check_spends(row, b, &context[CONTEXT - 1], *p);
            spends++;
        }
        block_free(b);
        buffer_clear(&raw);
    }
    print_count("real blocks", json_array_size(index));
    print_count("real blocks with spent outputs: fees, flags and sigop costs", spends);
    json_decref(index);
}

Test(consensus_blocks, bip30_exceptions)
{
    static const struct {
        int32_t height;
        const char *hash;
        bool exempt, unspendable;
    } rows[] = {
        {91842, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", true, false},
        {91880, "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721", true, false},
        {91880, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", false, false},
        {91843, "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec", false, false},
        {91722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e", false, true},
        {91812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f", false, true},
        {91812, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e", false, false},
        {91723, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e", false, false},
    };
    const struct chain_params *p = chain_params_get(CHAIN_MAIN);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct header_node node = {.height = rows[i].height};
        cr_assert(block_hash_parse(&node.hash, rows[i].hash));
        cr_assert_eq(block_needs_bip30(&node, p), !rows[i].exempt, "row %zu", i);
        cr_assert_eq(block_is_bip30_unspendable(&node), rows[i].unspendable, "row %zu", i);
    }
    print_count("BIP30 exceptions", ARRAY_LEN(rows));
}

/* BIP34 implies BIP30 on the known chain only, and only up to a height that an early coinbase claims. */
Test(consensus_blocks, bip34_implies_bip30)
{
    const struct chain_params *p = chain_params_get(CHAIN_MAIN);
    struct header_node bip34 = {.height = 227931, .hash = p->bip34_hash};
    struct header_node next = {.height = 227932, .prev = &bip34};
    cr_assert_not(block_needs_bip30(&next, p));
    cr_assert(block_needs_bip30(&bip34, p)); /* the block itself is not above it */
    next.prev = NULL;
    cr_assert(block_needs_bip30(&next, p));
    next.prev = &bip34;
    bip34.hash.bytes[0] ^= 1; /* another chain */
    cr_assert(block_needs_bip30(&next, p));

    struct chain_params moved = *p;
    struct header_node low = {.height = 1983700, .hash = p->bip34_hash}, late[3];
    moved.buried[BURIED_BIP34] = low.height;
    for (int i = 0; i < 3; i++) late[i] = (struct header_node){.height = 1983701 + i, .prev = i ? &late[i - 1] : &low};
    cr_assert_not(block_needs_bip30(&late[0], &moved));
    cr_assert(block_needs_bip30(&late[1], &moved) && block_needs_bip30(&late[2], &moved));

    /* Where no hash is known the rule is always checked, also for a block whose hash would be null. */
    struct header_node n[3] = {{.height = 0}, {.height = 1}, {.height = 2}};
    n[1].prev = &n[0];
    n[2].prev = &n[1];
    cr_assert(block_needs_bip30(&n[2], chain_params_get(CHAIN_REGTEST)));
    print_count("BIP34 and BIP30", 8);
}

Test(consensus_blocks, script_flags)
{
    const unsigned always = SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS | SCRIPT_VERIFY_TAPROOT;
    static const struct {
        int32_t height;
        unsigned more;
    } rows[] = {
        {0, 0},
        {363724, 0},
        {363725, SCRIPT_VERIFY_DERSIG},
        {388380, SCRIPT_VERIFY_DERSIG},
        {388381, SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
        {419328, SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
        {481823, SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
        {481824, SCRIPT_VERIFY_DERSIG | SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY | SCRIPT_VERIFY_CHECKSEQUENCEVERIFY |
                     SCRIPT_VERIFY_NULLDUMMY},
    };
    const struct chain_params *p = chain_params_get(CHAIN_MAIN);
    struct block_hash hash = {{1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_assert_eq(block_script_flags(rows[i].height, &hash, p), always | rows[i].more, "height %d", rows[i].height);
    /* An exception leaves the buried rules of its height in force. */
    cr_assert(block_hash_parse(&hash, "0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad"));
    cr_assert_eq(block_script_flags(692261, &hash, p), rows[7].more | SCRIPT_VERIFY_P2SH | SCRIPT_VERIFY_WITNESS);
    print_count("script flags by height", ARRAY_LEN(rows) + 1);
}

/* BIP34's push of the height in every length. */
Test(consensus_blocks, coinbase_heights)
{
    static const struct {
        int32_t height;
        const char *script;
        bool valid;
    } rows[] = {
        {1, "5100", true},
        {1, "0101", false},
        {16, "6000", true},
        {17, "0111", true},
        {16, "0110", false},
        {127, "017f", true},
        {128, "028000", true},
        {128, "0180", false},
        {255, "02ff00", true},
        {32768, "03008000", true},
        {227931, "035b7a0300", true},
        {227931, "035b7a04", false},
        {227931, "035b7a", false},
        {8388608, "0400008000", true},
        {2147483647, "04ffffff7f", true},
        {5, "", false},
    };
    struct chain_params p = *chain_params_get(CHAIN_REGTEST);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buffer script = {0};
        cr_assert(hex_decode_append(&script, rows[i].script, strlen(rows[i].script)));
        struct tx_in in = {.script_sig = buffer_span(&script), .sequence = SEQUENCE_FINAL};
        struct tx tx = {.in = &in, .in_count = 1};
        struct block b = {.txs = &tx, .tx_count = 1};
        struct header_node prev = {.height = rows[i].height - 1};
        struct verdict v = {.kind = VERDICT_VALID};
        cr_assert_eq(block_check_context(&b, &prev, &p, &v), rows[i].valid, "row %zu", i);
        if (!rows[i].valid) cr_assert_str_eq(v.reason, "bad-cb-height");
        p.buried[BURIED_BIP34] = INT32_MAX;
        if (rows[i].height < INT32_MAX) cr_assert(block_check_context(&b, &prev, &p, &v));
        p.buried[BURIED_BIP34] = 1;
        buffer_clear(&script);
    }
    print_count("coinbase heights", ARRAY_LEN(rows));
}

/* The last fitting output is the commitment; a shorter or other one is none. */
Test(consensus_blocks, witness_commitment_place)
{
    uint8_t good[40] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, bad[40];
    memcpy(bad, good, sizeof(bad));
    bad[5] ^= 1;
    struct tx_out out[5] = {{.script_pubkey = {good, 38}},
                            {.script_pubkey = {good, 37}},
                            {.script_pubkey = {good, 40}},
                            {.script_pubkey = {bad, 38}},
                            {.script_pubkey = {NULL, 0}}};
    struct tx tx = {.out = out};
    struct block b = {.txs = &tx, .tx_count = 1};
    static const int expected[] = {-1, 0, 0, 2, 2, 2};
    for (size_t count = 0; count <= 5; count++) {
        tx.out_count = count;
        cr_assert_eq(block_witness_commitment(&b), expected[count], "%zu outputs", count);
    }
    b.tx_count = 0;
    cr_assert_eq(block_witness_commitment(&b), -1);
    print_count("places of the witness commitment", 7);
}
