/* Chain parameters: every field against the published constants, and the options that change a copy. */
#include "fixture.h"

#include "consensus/pow.h"
#include "consensus/versionbits.h"
#include "crypto/sha256.h"
#include "script/verify.h"

static size_t compared;

static json_t *get(json_t *row, const char *key)
{
    json_t *v = json_object_get(row, key);
    cr_assert(v, "no %s", key);
    compared++;
    return v;
}

static const char *text_of(json_t *row, const char *key)
{
    return json_string_value(get(row, key));
}

static int64_t number_of(json_t *row, const char *key)
{
    json_t *v = get(row, key);
    cr_assert(json_is_integer(v), "%s", key);
    return json_integer_value(v);
}

static bool flag_of(json_t *row, const char *key)
{
    return json_is_true(get(row, key));
}

static void expect_hex(json_t *row, const char *key, const void *data, size_t len)
{
    struct buffer b = {0};
    hex_append(&b, span_of(data, len));
    cr_assert_str_eq(buffer_text(&b), text_of(row, key), "%s", key);
    buffer_clear(&b);
}

/* A hash in display order, or null. */
static void expect_hash(json_t *row, const char *key, const uint8_t bytes[32])
{
    char text[HASH_TEXT];
    hex_encode_reversed(text, bytes, 32);
    if (json_is_null(get(row, key)))
        cr_assert(hash_is_null(bytes), "%s", key);
    else
        cr_assert_str_eq(text, text_of(row, key), "%s", key);
}

static void expect_u256(json_t *row, const char *key, struct u256 v)
{
    char text[65];
    u256_to_hex(text, v);
    cr_assert_str_eq(text, text_of(row, key), "%s", key);
}

static void check_network(json_t *row, const struct chain_params *p)
{
    cr_assert_str_eq(p->name, text_of(row, "core_chain_name"));
    cr_assert_str_eq(p->subdir, text_of(row, "data_subdir"));
    cr_assert_eq(p->p2p_port, number_of(row, "p2p_port"));
    cr_assert_eq(p->rpc_port, number_of(row, "rpc_port"));
    cr_assert_eq(p->onion_port, number_of(row, "onion_bind_port"));
    expect_hex(row, "magic", p->magic, 4);
    json_t *seeds = get(row, "dns_seeds"), *seed;
    size_t i;
    cr_assert_eq(p->dns_seed_count, json_array_size(seeds));
    json_array_foreach(seeds, i, seed) cr_assert_str_eq(p->dns_seeds[i], text_of(seed, "host"));
    json_t *prefixes = get(row, "base58_prefixes");
    expect_hex(prefixes, "p2pkh", &p->prefixes.p2pkh, 1);
    expect_hex(prefixes, "p2sh", &p->prefixes.p2sh, 1);
    expect_hex(prefixes, "wif", &p->prefixes.wif, 1);
    expect_hex(prefixes, "xpub", p->prefixes.xpub, 4);
    expect_hex(prefixes, "xprv", p->prefixes.xprv, 4);
    cr_assert_str_eq(p->prefixes.hrp, text_of(row, "bech32_hrp"));
    cr_assert_eq(p->prune_after_height, (uint64_t)number_of(row, "prune_after_height"));
    json_t *data = get(row, "chain_tx_data"), *sizes = get(row, "assumed_size_gb"),
           *presync = get(row, "headers_presync");
    cr_assert_eq(p->tx_data_time_s, number_of(data, "time"));
    cr_assert_eq(p->tx_data_count, (uint64_t)number_of(data, "tx_count"));
    cr_assert(p->tx_data_rate == json_number_value(get(data, "tx_rate")));
    cr_assert_eq(p->assumed_blockchain_gb, number_of(sizes, "blocks"));
    cr_assert_eq(p->assumed_chainstate_gb, number_of(sizes, "chainstate"));
    cr_assert_eq(p->headers_commitment_period, number_of(presync, "commitment_period"));
    cr_assert_eq(p->headers_redownload_size, number_of(presync, "redownload_buffer_size"));
    cr_assert_eq(p->mockable_time, flag_of(row, "mockable_time"));
    cr_assert_eq(p->default_consistency_checks, flag_of(row, "default_consistency_checks"));
}

static void check_genesis(json_t *row, const struct chain_params *p)
{
    json_t *g = get(row, "genesis");
    expect_hex(g, "raw_block", p->genesis_raw.data, p->genesis_raw.len);
    expect_hash(g, "hash", p->genesis_hash.bytes);
    struct block *b = block_parse(p->genesis_raw);
    cr_assert(b && block_hash_equal(&b->hash, &p->genesis_hash));
    expect_hash(g, "merkle_root", b->header.merkle_root);
    cr_assert_eq(b->header.time, number_of(g, "time"));
    cr_assert_eq(b->header.nonce, number_of(g, "nonce"));
    cr_assert_eq(b->txs[0].out[0].value, number_of(g, "output_value"));
    struct verdict v = {.kind = VERDICT_VALID};
    cr_assert(block_check(b, p, 0, &v), "%s", v.reason);
    /* testnet4's coinbase has no height before it; the rule starts at height 1. */
    cr_assert(block_check_context(b, NULL, p, &v), "%s", v.reason);
    block_free(b);
}

static void check_consensus(json_t *c, const struct chain_params *p)
{
    expect_u256(c, "pow_limit", p->pow_limit);
    cr_assert_eq(p->pow_limit_bits, strtoul(text_of(c, "pow_limit_bits"), NULL, 16));
    cr_assert_eq(p->pow_limit_bits, target_to_compact(p->pow_limit));
    cr_assert_eq(p->target_timespan_s, number_of(c, "target_timespan_s"));
    cr_assert_eq(p->target_spacing_s, number_of(c, "target_spacing_s"));
    cr_assert_eq(retarget_interval(p), number_of(c, "retarget_interval"));
    cr_assert_eq(p->allow_min_difficulty, flag_of(c, "allow_min_difficulty_blocks"));
    cr_assert_eq(p->no_retargeting, flag_of(c, "no_retargeting"));
    cr_assert_eq(p->enforce_bip94, flag_of(c, "enforce_bip94"));
    cr_assert_eq(p->halving_interval, number_of(c, "halving_interval"));
    cr_assert_eq(block_subsidy(0, p), number_of(c, "initial_subsidy"));
    json_t *heights = get(c, "heights");
    cr_assert_eq(p->buried[BURIED_BIP34], number_of(heights, "bip34"));
    cr_assert_eq(p->buried[BURIED_BIP65], number_of(heights, "bip65_cltv"));
    cr_assert_eq(p->buried[BURIED_BIP66], number_of(heights, "bip66_dersig"));
    cr_assert_eq(p->buried[BURIED_CSV], number_of(heights, "csv_bip68_112_113"));
    cr_assert_eq(p->buried[BURIED_SEGWIT], number_of(heights, "segwit_bip141_143_147"));
    cr_assert_eq(p->has_bip34_hash, !json_is_null(get(c, "bip34_hash")));
    expect_hash(c, "bip34_hash", p->bip34_hash.bytes);
    cr_assert_eq(p->min_bip9_warning_height, number_of(c, "min_bip9_warning_height"));
    expect_u256(c, "minimum_chain_work", p->minimum_chain_work);
    expect_hash(get(c, "assume_valid"), "block", p->assume_valid.bytes);
    cr_assert_eq(p->signet, flag_of(c, "signet"));
}

static unsigned flag_named(const char *name)
{
    for (unsigned bit = 0; script_flag_name(bit); bit++)
        if (strcmp(script_flag_name(bit), name) == 0) return 1u << bit;
    cr_assert_fail("flag %s", name);
    return 0;
}

static void check_lists(json_t *row, const struct chain_params *p)
{
    json_t *c = get(row, "consensus"), *list = get(c, "script_flag_exceptions"), *e, *name;
    size_t i, j;
    cr_assert_eq(p->script_flag_exception_count, json_array_size(list));
    json_array_foreach(list, i, e)
    {
        expect_hash(e, "block", p->script_flag_exceptions[i].hash.bytes);
        unsigned flags = 0;
        json_array_foreach(get(e, "flags_instead_of_P2SH_WITNESS_TAPROOT"), j, name) flags |=
            flag_named(json_string_value(name));
        cr_assert_eq(p->script_flag_exceptions[i].flags, flags);
        cr_assert_eq(block_script_flags(0, &p->script_flag_exceptions[i].hash, p), flags);
    }
    list = get(c, "versionbits_deployments");
    cr_assert_eq(json_array_size(list), (size_t)DEPLOYMENT_COUNT);
    json_array_foreach(list, i, e)
    {
        const struct bip9_params *d = &p->deployments[i];
        cr_assert_str_eq(d->name, text_of(e, "name"));
        cr_assert_eq(d->bit, number_of(e, "bit"));
        cr_assert_eq(d->min_activation_height, number_of(e, "min_activation_height"));
        cr_assert_eq(d->threshold, number_of(e, "threshold"));
        cr_assert_eq(d->period, number_of(e, "period"));
        json_t *start = get(e, "start_time");
        cr_assert_eq(d->start_time_s, json_is_integer(start) ? json_integer_value(start) : DEPLOYMENT_NEVER_ACTIVE);
        cr_assert_str_eq(text_of(e, "timeout"), "none");
        cr_assert_eq(d->timeout_s, DEPLOYMENT_NO_TIMEOUT);
    }
    list = get(row, "assumeutxo");
    cr_assert_eq(p->assume_utxo_count, json_array_size(list));
    json_array_foreach(list, i, e)
    {
        cr_assert_eq(p->assume_utxo[i].height, number_of(e, "height"));
        expect_hash(e, "block", p->assume_utxo[i].hash.bytes);
        expect_hash(e, "utxo_hash_serialized", p->assume_utxo[i].utxo_hash);
        cr_assert_eq(p->assume_utxo[i].chain_tx_count, (uint64_t)number_of(e, "chain_tx_count"));
    }
    if (p->signet) expect_hex(row, "signet_challenge", p->signet_challenge.data, p->signet_challenge.len);
}

Test(consensus_params, every_field)
{
    if (!data_present(CAIRN_TEST_DATA, "chain parameters")) return;
    static const char *const names[] = {"main", "testnet3", "testnet4", "signet", "regtest"};
    json_t *all = data_json(CAIRN_TEST_DATA, "params/chainparams.json");
    json_t *networks = json_object_get(all, "networks");
    cr_assert_eq(json_object_size(networks), (size_t)CHAIN_TYPES);
    for (size_t i = 0; i < CHAIN_TYPES; i++) {
        json_t *row = json_object_get(networks, names[i]);
        const struct chain_params *p = chain_params_get((enum chain_type)i);
        cr_assert_eq(p->type, (enum chain_type)i);
        cr_assert_eq(chain_params_find(p->name), p);
        check_network(row, p);
        check_genesis(row, p);
        check_consensus(get(row, "consensus"), p);
        check_lists(row, p);
    }
    cr_assert_null(chain_params_find("testnet3")); /* the name is "test" */
    cr_assert_null(chain_params_find(""));
    json_t *common = json_object_get(all, "common");
    cr_assert_eq(COINBASE_MATURITY, number_of(common, "coinbase_maturity"));
    cr_assert_eq(MAX_FUTURE_BLOCK_TIME_S, number_of(common, "max_future_block_time_s"));
    cr_assert_eq(MAX_BLOCK_WEIGHT, number_of(common, "max_block_weight"));
    cr_assert_eq(MAX_BLOCK_SIGOPS_COST, number_of(common, "max_block_sigops_cost"));
    cr_assert_eq(MEDIAN_TIME_SPAN, number_of(common, "median_time_span"));
    cr_assert_eq(MAX_MONEY_SAT, number_of(common, "max_money"));
    cr_assert_eq(MAX_TIMEWARP_S, number_of(get(common, "bip94"), "max_timewarp_s"));
    json_decref(all);
    print_count("fields of chain parameters", compared);
}

Test(consensus_params, signet_challenge)
{
    const struct chain_params *signet = chain_params_get(CHAIN_SIGNET);
    struct chain_params p = *signet;
    chain_params_set_signet_challenge(&p, signet->signet_challenge);
    cr_assert_arr_eq(p.magic, signet->magic, 4); /* the default one's, from its challenge */
    cr_assert_eq(p.dns_seed_count, 0u);
    cr_assert(u256_is_zero(p.minimum_chain_work) && hash_is_null(p.assume_valid.bytes));
    cr_assert(p.tx_data_count == 0 && p.assumed_blockchain_gb == 0 && p.assumed_chainstate_gb == 0);

    /* A challenge whose length takes three bytes. */
    uint8_t framed[3 + 300], hash[32];
    memset(framed, 0x61, sizeof(framed));
    memcpy(framed, "\xfd\x2c\x01", 3);
    sha256d(hash, framed, sizeof(framed));
    chain_params_set_signet_challenge(&p, span_of(framed + 3, 300));
    cr_assert_arr_eq(p.magic, hash, 4);
    cr_assert(p.signet_challenge.len == 300);
    print_count("signet challenges", 2);
}

Test(consensus_params, activation_heights)
{
    static const struct {
        const char *text, *error; /* NULL: accepted */
        enum buried_deployment deployment;
        int32_t height;
    } rows[] = {
        {"segwit@10", NULL, BURIED_SEGWIT, 10},
        {"bip34@0", NULL, BURIED_BIP34, 0},
        {"dersig@102", NULL, BURIED_BIP66, 102},
        {"cltv@2147483646", NULL, BURIED_BIP65, 2147483646},
        {"csv@-0", NULL, BURIED_CSV, 0},
        {"segwit", "Invalid format (segwit) for -testactivationheight=name@height.", 0, 0},
        {"", "Invalid format () for -testactivationheight=name@height.", 0, 0},
        {"segwit@", "Invalid height value (segwit@) for -testactivationheight=name@height.", 0, 0},
        {"segwit@-1", "Invalid height value (segwit@-1) for -testactivationheight=name@height.", 0, 0},
        {"segwit@2147483647", "Invalid height value (segwit@2147483647) for -testactivationheight=name@height.", 0, 0},
        {"segwit@99999999999999999999",
         "Invalid height value (segwit@99999999999999999999) for -testactivationheight=name@height.", 0, 0},
        {"segwit@1 ", "Invalid height value (segwit@1 ) for -testactivationheight=name@height.", 0, 0},
        {"segwit@+1", "Invalid height value (segwit@+1) for -testactivationheight=name@height.", 0, 0},
        {"segwit@1@2", "Invalid height value (segwit@1@2) for -testactivationheight=name@height.", 0, 0},
        {"invalid@248", "Invalid name (invalid@248) for -testactivationheight=name@height.", 0, 0},
        {"bip66@1", "Invalid name (bip66@1) for -testactivationheight=name@height.", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chain_params p = *chain_params_get(CHAIN_REGTEST);
        char error[200] = "";
        bool ok = chain_params_set_activation(&p, rows[i].text, error, sizeof(error));
        cr_assert_eq(ok, !rows[i].error, "%s", rows[i].text);
        if (ok)
            cr_assert_eq(p.buried[rows[i].deployment], rows[i].height);
        else
            cr_assert_str_eq(error, rows[i].error);
    }
    static const char *const names[] = {"bip34", "bip66", "bip65", "csv", "segwit"};
    for (size_t i = 0; i < BURIED_COUNT; i++)
        cr_assert_str_eq(buried_deployment_name((enum buried_deployment)i), names[i]);
    print_count("activation heights", ARRAY_LEN(rows));
}

Test(consensus_params, vbparams)
{
    static const char malformed[] =
        "Version bits parameters malformed, expecting deployment:start:end[:min_activation_height]";
    static const struct {
        const char *text, *error;
        int64_t start, timeout;
        int32_t height;
    } rows[] = {
        {"testdummy:5:10", NULL, 5, 10, 0},
        {"testdummy:-1:9223372036854775807:77", NULL, -1, INT64_MAX, 77},
        {"testdummy:0:-9223372036854775808", NULL, 0, INT64_MIN, 0},
        {"testdummy", malformed, 0, 0, 0},
        {"testdummy:1", malformed, 0, 0, 0},
        {"testdummy:1:2:3:4", malformed, 0, 0, 0},
        {"testdummy:1:2:3:4:5:6", malformed, 0, 0, 0},
        {"testdummy:a:2:3", "Invalid nStartTime (a)", 0, 0, 0},
        {"testdummy::2:3", "Invalid nStartTime ()", 0, 0, 0},
        {"testdummy:1:2x:3", "Invalid nTimeout (2x)", 0, 0, 0},
        {"testdummy:1:9223372036854775808", "Invalid nTimeout (9223372036854775808)", 0, 0, 0},
        {"testdummy:1:2:", "Invalid min_activation_height ()", 0, 0, 0},
        {"nothing:1:2", "Invalid deployment (nothing)", 0, 0, 0},
        {"testdumm:1:2", "Invalid deployment (testdumm)", 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct chain_params p = *chain_params_get(CHAIN_REGTEST);
        char error[200] = "";
        bool ok = chain_params_set_vbparams(&p, rows[i].text, error, sizeof(error));
        cr_assert_eq(ok, !rows[i].error, "%s", rows[i].text);
        cr_assert_str_eq(error, ok ? "" : rows[i].error);
        if (!ok) continue;
        const struct bip9_params *d = &p.deployments[DEPLOYMENT_TESTDUMMY];
        cr_assert(d->start_time_s == rows[i].start && d->timeout_s == rows[i].timeout &&
                  d->min_activation_height == rows[i].height);
        cr_assert_eq(d->period, 144u); /* not a parameter */
    }
    print_count("version bits parameters", ARRAY_LEN(rows));
}
