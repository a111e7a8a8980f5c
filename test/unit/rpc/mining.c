/* Templates and blocks that carry what the pool has; who waits for them; priorities. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/endian.h"
#include "base/hex.h"
#include "consensus/block_check.h"
#include "helper.h"
#include "miner/block_template.h"
#include "node/peers.h"

static struct rpc_fixture f;

/* P2WSH of OP_TRUE: standard, and anybody can spend it. */
#define SCRIPT     "00204ae81572f06e1b88fd5ced7a1a000945432e83e1551e6f721ee9c00b8cc33260"
#define DESCRIPTOR "\"raw(" SCRIPT ")\""
#define SEGWIT     "{\"rules\":[\"segwit\"]}"

enum { START_S = 1600000000, BLOCKS = 110, FEE = 20000 };
#define SECOND_US INT64_C(1000000)

static void open_regtest(void)
{
    char params[200];
    rpc_fixture_open_node(&f, CHAIN_REGTEST, false);
    snprintf(params, sizeof params, "[%d," DESCRIPTOR "]", BLOCKS);
    json_decref(rpc_result(&f, "generatetodescriptor", params));
}

static void close_fixture(void)
{
    rpc_fixture_close(&f);
}

TestSuite(rpc_mining, .init = open_regtest, .fini = close_fixture, .timeout = 120);

/* Spends output 0 of FROM, worth VALUE, with FEE less in two outputs; RAW gets the bytes. Returns its id. */
static struct txid put_spend(const struct txid *from, amount_sat value, amount_sat fee, struct buffer *raw)
{
    struct arena arena = {0};
    struct tx tx;
    uint8_t script[34];
    cr_assert(hex_decode(script, sizeof script, SCRIPT));
    buffer_put_le32(raw, 2);
    buffer_put(raw, "\x00\x01\x01", 3);
    buffer_put(raw, from->bytes, 32);
    buffer_put_le32(raw, 0);
    buffer_put_u8(raw, 0);
    buffer_put_le32(raw, SEQUENCE_FINAL);
    buffer_put_u8(raw, 2);
    for (int i = 0; i < 2; i++) tx_out_write(raw, &(struct tx_out){(value - fee) / 2, span_of(script, sizeof script)});
    buffer_put(raw, "\x01\x01\x51", 3);
    buffer_put_le32(raw, 0);
    cr_assert(tx_parse(&tx, buffer_span(raw), &arena, 0));
    arena_clear(&arena);
    return tx.txid;
}

static struct txid coinbase_of(int32_t height)
{
    struct block *b;
    struct error e = {0};
    cr_assert_eq(chain_read_block(f.node->chain, chain_at(f.node->chain, height), &b, &e), RESULT_OK);
    struct txid id = b->txs[0].txid;
    block_free(b);
    return id;
}

/* The same into the pool. */
static const struct mempool_entry *spend(const struct txid *from, amount_sat value, amount_sat fee)
{
    struct buffer raw = {0};
    struct arena arena = {0};
    struct verdict v = {0};
    struct error e = {0};
    struct tx tx;
    struct txid id = put_spend(from, value, fee, &raw);
    cr_assert(tx_parse(&tx, buffer_span(&raw), &arena, 0));
    cr_assert_eq(mempool_accept_one(f.node->mempool, &tx, START_S, 0, &v, &e), RESULT_OK);
    cr_assert(verdict_ok(&v), "%s %s", v.reason, v.detail);
    arena_clear(&arena);
    buffer_clear(&raw);
    return mempool_find(f.node->mempool, &id);
}

static const struct mempool_entry *spend_coinbase(int32_t height, amount_sat fee)
{
    struct txid from = coinbase_of(height);
    return spend(&from, 50 * COIN_SAT, fee);
}

static int64_t field(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void expect_text(const json_t *object, const char *key, const char *text)
{
    const char *got = json_string_value(json_object_get(object, key));
    cr_expect(got && strcmp(got, text) == 0, "%s: %s, not %s", key, got, text);
}

static json_t *get_template(void)
{
    return rpc_result(&f, "getblocktemplate", "[" SEGWIT "]");
}

static size_t template_txs(void)
{
    json_t *t = get_template();
    size_t count = json_array_size(json_object_get(t, "transactions"));
    json_decref(t);
    return count;
}

Test(rpc_mining, a_template_names_each_transaction_with_what_a_miner_must_know)
{
    const struct mempool_entry *parent = spend_coinbase(1, FEE);
    const struct mempool_entry *child = spend(&parent->tx.txid, parent->tx.out[0].value, 2 * FEE);
    json_t *t = get_template(), *txs = json_object_get(t, "transactions");
    char text[HASH_TEXT], expected[100];
    cr_assert_eq(json_array_size(txs), 2);
    const json_t *first = json_array_get(txs, 0), *second = json_array_get(txs, 1);
    struct buffer hex = {0};
    hex_append(&hex, parent->tx.raw);
    expect_text(first, "data", buffer_text(&hex));
    expect_text(first, "txid", txid_text(text, &parent->tx.txid));
    expect_text(first, "hash", wtxid_text(text, &parent->tx.wtxid));
    expect_text(second, "txid", txid_text(text, &child->tx.txid));
    cr_expect_eq(json_array_size(json_object_get(first, "depends")), 0);
    cr_expect_eq(json_array_size(json_object_get(second, "depends")), 1);
    cr_expect_eq(json_integer_value(json_array_get(json_object_get(second, "depends"), 0)), 1);
    cr_expect_eq(field(first, "fee"), FEE);
    cr_expect_eq(field(second, "fee"), 2 * FEE);
    cr_expect_eq(field(first, "sigops"), (int64_t)parent->sigop_cost);
    cr_expect_eq(field(first, "weight"), (int64_t)tx_weight(&parent->tx));
    cr_expect_eq(field(t, "coinbasevalue"), 50 * COIN_SAT + 3 * FEE);
    snprintf(expected, sizeof expected, "%s%llu", block_hash_text(text, &chain_tip(f.node->chain)->header.hash),
             (unsigned long long)mempool_updates(f.node->mempool));
    expect_text(t, "longpollid", expected);
    json_decref(t);
    buffer_clear(&hex);
    json_t *info = rpc_result(&f, "getmininginfo", "[]");
    cr_expect_eq(field(info, "currentblocktx"), 2);
    cr_expect_eq(field(info, "currentblockweight"), (int64_t)(8000 + parent->weight_wu + child->weight_wu));
    cr_expect_eq(field(info, "pooledtx"), 2);
    json_decref(info);
}

Test(rpc_mining, the_commitment_is_that_of_the_block_with_all_of_them)
{
    spend_coinbase(1, FEE);
    spend_coinbase(2, FEE);
    json_t *t = get_template();
    char commitment[100];
    snprintf(commitment, sizeof commitment, "%s", json_string_value(json_object_get(t, "default_witness_commitment")));
    json_decref(t);
    json_decref(rpc_result(&f, "generatetodescriptor", "[1," DESCRIPTOR "]"));
    struct block *b;
    struct error e = {0};
    struct buffer hex = {0};
    cr_assert_eq(chain_read_block(f.node->chain, chain_tip(f.node->chain), &b, &e), RESULT_OK);
    cr_assert_eq(b->tx_count, 3);
    hex_append(&hex, b->txs[0].out[1].script_pubkey);
    cr_expect_str_eq(buffer_text(&hex), commitment);
    buffer_clear(&hex);
    block_free(b);
}

Test(rpc_mining, a_template_is_made_anew_after_five_seconds_where_the_pool_changed)
{
    spend_coinbase(1, FEE);
    cr_expect_eq(template_txs(), 1);
    spend_coinbase(2, FEE);
    f.node->mock_time_s = START_S + 5;
    cr_expect_eq(template_txs(), 1);
    json_t *t = get_template();
    int64_t time = field(t, "curtime");
    json_decref(t);
    f.node->mock_time_s = START_S + 6;
    cr_expect_eq(template_txs(), 2);
    /* Unchanged it stays, but for its time. */
    f.node->mock_time_s = START_S + 1000;
    t = get_template();
    cr_expect_eq(json_array_size(json_object_get(t, "transactions")), 2);
    cr_expect_gt(field(t, "curtime"), time);
    cr_expect_eq(f.node->shared_template->made_s, START_S + 6);
    json_decref(t);
}

Test(rpc_mining, another_tip_makes_another_template_at_once)
{
    spend_coinbase(1, FEE);
    cr_expect_eq(template_txs(), 1);
    json_decref(rpc_result(&f, "generatetodescriptor", "[1," DESCRIPTOR "]"));
    cr_expect_eq(template_txs(), 0);
    cr_expect_eq(mempool_count(f.node->mempool), 0);
}

/* Begins to wait with the id of the template of now, at instant 0. */
static void begin_to_wait(void)
{
    char body[400];
    json_t *t = get_template();
    snprintf(body, sizeof body,
             "{\"method\":\"getblocktemplate\",\"params\":[{\"rules\":[\"segwit\"],\"longpollid\":\"%s\"}],\"id\":1}",
             json_string_value(json_object_get(t, "longpollid")));
    json_decref(t);
    cr_expect_str_eq(rpc_ask(&f, 0, "", body), "");
}

static bool answered_at(int64_t now_us)
{
    unsigned before = f.replies;
    f.node->mock_time_s = START_S + now_us / SECOND_US;
    rpc_server_wake(f.server, now_us);
    rpc_server_tick(f.server, now_us);
    return f.replies > before;
}

Test(rpc_mining, who_waits_hears_of_another_pool_after_a_minute)
{
    begin_to_wait();
    spend_coinbase(1, FEE);
    cr_expect_not(answered_at(59 * SECOND_US));
    cr_expect(answered_at(60 * SECOND_US));
    cr_expect(strstr(buffer_text(&f.reply), "\"depends\":[]"), "%s", buffer_text(&f.reply));
}

Test(rpc_mining, who_waits_looks_every_ten_seconds_from_then_on)
{
    begin_to_wait();
    cr_expect_not(answered_at(60 * SECOND_US));
    spend_coinbase(1, FEE);
    cr_expect_not(answered_at(69 * SECOND_US));
    cr_expect(answered_at(70 * SECOND_US));
}

Test(rpc_mining, who_waits_is_told_when_the_server_stops)
{
    begin_to_wait();
    rpc_server_stop(f.server, SECOND_US);
    cr_expect(strstr(buffer_text(&f.reply), "{\"code\":-9,\"message\":\"Shutting down\"}"), "%s",
              buffer_text(&f.reply));
}

Test(rpc_mining, blocks_that_are_generated_take_the_pool_and_its_fees)
{
    const struct mempool_entry *parent = spend_coinbase(1, FEE);
    spend(&parent->tx.txid, parent->tx.out[0].value, FEE);
    json_decref(rpc_result(&f, "generatetodescriptor", "[1," DESCRIPTOR "]"));
    struct block *b;
    struct error e = {0};
    cr_assert_eq(chain_read_block(f.node->chain, chain_tip(f.node->chain), &b, &e), RESULT_OK);
    cr_expect_eq(b->tx_count, 3);
    cr_expect_eq(b->txs[0].out[0].value, 50 * COIN_SAT + 2 * FEE);
    cr_expect_eq(mempool_count(f.node->mempool), 0);
    block_free(b);
}

Test(rpc_mining, generateblock_takes_ids_and_bytes_and_leaves_the_fees)
{
    struct txid from = coinbase_of(2);
    const struct mempool_entry *pooled = spend_coinbase(1, FEE), *left = spend_coinbase(3, FEE);
    struct buffer raw = {0}, params = {0};
    char text[HASH_TEXT];
    put_spend(&from, 50 * COIN_SAT, FEE, &raw);
    buffer_printf(&params, "[" DESCRIPTOR ",[\"%s\",\"", txid_text(text, &pooled->tx.txid));
    hex_append(&params, buffer_span(&raw));
    buffer_printf(&params, "\"]]");
    json_decref(rpc_result(&f, "generateblock", buffer_text(&params)));
    struct block *b;
    struct error e = {0};
    cr_assert_eq(chain_read_block(f.node->chain, chain_tip(f.node->chain), &b, &e), RESULT_OK);
    cr_expect_eq(b->tx_count, 3);
    cr_expect_eq(b->txs[0].out[0].value, 50 * COIN_SAT);
    cr_expect_eq(mempool_count(f.node->mempool), 1);
    cr_expect_eq(mempool_at(f.node->mempool, 0), left);
    json_t *info = rpc_result(&f, "getmininginfo", "[]");
    cr_expect_eq(field(info, "currentblocktx"), 0); /* they were put behind a template without any */
    cr_expect_eq(field(info, "currentblockweight"), 8000);
    json_decref(info);
    /* Again: it is there already. */
    params.len -= 2;
    params.data[params.len] = 0;
    cr_expect_str_eq(rpc_error(&f, "generateblock", "[" DESCRIPTOR ",[\"01\"]]"),
                     "-22: Transaction decode failed for 01. Make sure the tx has at least one input.");
    buffer_clear(&params);
    buffer_printf(&params, "[" DESCRIPTOR ",[\"");
    hex_append(&params, buffer_span(&raw));
    buffer_printf(&params, "\"]]");
    const char *error = rpc_error(&f, "generateblock", buffer_text(&params));
    cr_expect(strstr(error, "-25: TestBlockValidity failed: bad-txns-BIP30"), "%s", error);
    block_free(b);
    buffer_clear(&params);
    buffer_clear(&raw);
}

Test(rpc_mining, limits_are_those_of_the_options)
{
    const struct mempool_entry *e = spend_coinbase(1, FEE);
    f.node->options.block_max_weight_wu = 8000 + e->weight_wu;
    cr_expect_eq(template_txs(), 0);
    f.node->options.block_max_weight_wu++;
    block_template_free(f.node->shared_template);
    f.node->shared_template = NULL;
    cr_expect_eq(template_txs(), 1);
    f.node->options.block_min_fee_sat = COIN_SAT;
    f.node->options.block_version = 0x20001234;
    block_template_free(f.node->shared_template);
    f.node->shared_template = NULL;
    json_t *t = get_template();
    cr_expect_eq(json_array_size(json_object_get(t, "transactions")), 0);
    cr_expect_eq(field(t, "version"), 0x20001234);
    json_decref(t);
}

static void expect_priorities(const char *expected)
{
    json_t *v = rpc_result(&f, "getprioritisedtransactions", "[]");
    char *text = json_dumps(v, JSON_COMPACT);
    cr_expect_str_eq(text, expected);
    free(text);
    json_decref(v);
}

Test(rpc_mining, priorities_add_up_and_are_listed)
{
    const struct mempool_entry *e = spend_coinbase(1, FEE);
    char id[HASH_TEXT], params[200], expected[300];
    txid_text(id, &e->tx.txid);
    expect_priorities("{}");
    snprintf(params, sizeof params, "[\"%s\",0.0,5000]", id);
    cr_expect(strstr(rpc_ask2(&f, "prioritisetransaction", params), "\"result\":true"));
    snprintf(params, sizeof params, "[\"%s\",null,-7000]", id);
    cr_expect(strstr(rpc_ask2(&f, "prioritisetransaction", params), "\"result\":true"));
    snprintf(expected, sizeof expected, "{\"%s\":{\"fee_delta\":-2000,\"in_mempool\":true,\"modified_fee\":%d}}", id,
             FEE - 2000);
    expect_priorities(expected);
    snprintf(params, sizeof params, "[\"%s\",0,2000]", id);
    json_decref(rpc_result(&f, "prioritisetransaction", params));
    expect_priorities("{}");
    snprintf(params, sizeof params, "[\"%064d\",0,-1]", 7);
    json_decref(rpc_result(&f, "prioritisetransaction", params));
    snprintf(expected, sizeof expected, "{\"%064d\":{\"fee_delta\":-1,\"in_mempool\":false}}", 7);
    expect_priorities(expected);
}

Test(rpc_mining, priorities_that_make_no_sense)
{
    char params[200];
    snprintf(params, sizeof params, "[\"%064d\",0.5,1]", 7);
    cr_expect_str_eq(rpc_error(&f, "prioritisetransaction", params),
                     "-8: Priority is no longer supported, dummy argument to prioritisetransaction must be 0.");
    cr_expect_str_eq(rpc_error(&f, "prioritisetransaction", "[\"07\",0,1]"),
                     "-8: txid must be of length 64 (not 2, for '07')");
    snprintf(params, sizeof params, "[\"%064d\",0]", 7);
    cr_expect(strstr(rpc_error(&f, "prioritisetransaction", params), "-1: prioritisetransaction \"txid\""));
}

Test(rpc_mining_main, on_the_main_network_nobody_mines_alone)
{
    static const struct p2p_options options = {
        .services = NODE_NETWORK | NODE_WITNESS, .subversion = "/x:1/", .max_connections = 8, .network_active = true};
    struct rpc_fixture main_net;
    struct random random;
    struct bans bans = {0};
    rpc_fixture_open_node(&main_net, CHAIN_MAIN, false);
    random_init_u64(&random, 1);
    bans_init(&bans, 100, &random);
    node_open_peers(main_net.node, &options, addrman_new(&(struct addrman_options){.key_is_one = true}), &bans);
    cr_expect_str_eq(rpc_error(&main_net, "getblocktemplate", "[" SEGWIT "]"), "-9: cairn is not connected!");
    rpc_fixture_close(&main_net);
}
