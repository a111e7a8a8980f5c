/* Blocks made of templates: coinbase, merkle root, commitment, what may be rolled, and difficulty in hashes. */
#include <criterion/criterion.h>

#include "consensus/merkle.h"
#include "consensus/pow.h"
#include "crypto/sha256.h"
#include "miner/mine_work.h"
#include "script/script.h"

static const uint8_t pay[] = {0x51};

static struct mine_template sample(int32_t height)
{
    return (struct mine_template){.version = 0x20000000,
                                  .prev = {{7}},
                                  .bits = 0x207fffff,
                                  .target = compact_to_target(0x207fffff, NULL, NULL),
                                  .time = 1700000000,
                                  .time_roll = 50,
                                  .height = height,
                                  .coinbase_value = 5000000000,
                                  .witness = true};
}

/* A transaction like no other: number N decides; with a witness where asked. */
static void put_tx(struct buffer *out, uint8_t n, bool witness)
{
    buffer_put_le32(out, 2);
    if (witness) buffer_put(out, "\x00\x01", 2);
    buffer_put_u8(out, 1);
    for (int i = 0; i < 32; i++) buffer_put_u8(out, n);
    buffer_put_le32(out, n);
    buffer_put_u8(out, 0);
    buffer_put_le32(out, SEQUENCE_FINAL);
    struct tx_out o = {.value = n, .script_pubkey = span_of(pay, sizeof(pay))};
    buffer_put_u8(out, 1);
    tx_out_write(out, &o);
    if (witness) buffer_put(out, "\x01\x01\x2a", 3);
    buffer_put_le32(out, 0);
}

static void make_plan(struct mine_plan *p, struct mine_template *t, size_t tx_count)
{
    for (size_t i = 0; i < tx_count; i++) {
        struct buffer raw = {0};
        put_tx(&raw, (uint8_t)(i + 1), i % 2);
        cr_assert(mine_template_add_tx(t, buffer_span(&raw)));
        buffer_clear(&raw);
    }
    struct buffer error = {0};
    cr_assert(mine_plan_init(p, t, span_of(pay, sizeof(pay)), &error), "%s", buffer_text(&error));
}

/* The block that the plan makes, parsed by the code that the node reads blocks with. */
static struct block *make_block(const struct mine_plan *p, const struct mine_roll *roll)
{
    uint8_t header[HEADER_BYTES];
    struct buffer raw = {0};
    mine_header(p, roll, header);
    mine_block(p, header, roll->extranonce, &raw);
    struct block *b = block_parse_take(raw.data, raw.len);
    cr_assert_not_null(b);
    return b;
}

Test(mine_work, merkle_roots_are_those_of_the_block)
{
    for (size_t count = 0; count < 12; count++) {
        struct mine_template t = sample(1000);
        struct mine_plan p;
        make_plan(&p, &t, count);
        for (uint64_t extranonce = 0; extranonce < 3; extranonce++) {
            const struct mine_roll roll = {.extranonce = extranonce};
            struct block *b = make_block(&p, &roll);
            uint8_t root[32];
            block_merkle_root(root, b, NULL);
            cr_assert_eq(b->tx_count, count + 1);
            cr_assert_arr_eq(root, b->header.merkle_root, 32, "%zu transactions", count);
            block_free(b);
        }
        mine_plan_clear(&p);
    }
}

Test(mine_work, a_commitment_is_computed_as_the_one_that_a_node_gives)
{
    struct mine_template t = sample(1000);
    struct mine_plan p, given;
    make_plan(&p, &t, 5);
    const struct mine_roll roll = {0};
    struct block *b = make_block(&p, &roll);
    uint8_t both[64] = {0}, hash[32];
    block_witness_merkle_root(both, b);
    sha256d(hash, both, 64);
    cr_assert_eq(b->txs[0].out_count, 2);
    cr_assert_eq(b->txs[0].out[1].script_pubkey.len, 38);
    cr_assert_arr_eq(b->txs[0].out[1].script_pubkey.data + 6, hash, 32);
    cr_assert_eq(b->txs[0].in[0].witness.count, 1);
    struct mine_template t2 = sample(1000);
    buffer_put_span(&t2.commitment, buffer_span(&p.commitment));
    make_plan(&given, &t2, 5);
    struct block *b2 = make_block(&given, &roll);
    cr_assert(span_equal(b->raw, b2->raw));
    block_free(b);
    block_free(b2);
    mine_plan_clear(&p);
    mine_plan_clear(&given);
}

Test(mine_work, without_witness_there_is_no_commitment)
{
    struct mine_template t = sample(5);
    struct mine_plan p;
    t.witness = false;
    make_plan(&p, &t, 0);
    struct block *b = make_block(&p, &(struct mine_roll){0});
    cr_assert_eq(b->txs[0].out_count, 1);
    cr_assert_not(b->txs[0].has_witness);
    block_free(b);
    mine_plan_clear(&p);
}

Test(mine_work, the_coinbase_carries_the_height)
{
    static const int32_t heights[] = {1, 16, 17, 127, 128, 255, 256, 32767, 32768, 840000, 0x7fffffff};
    for (size_t i = 0; i < ARRAY_LEN(heights); i++) {
        struct mine_template t = sample(heights[i]);
        struct mine_plan p;
        struct buffer want = {0};
        buffer_put_str(&t.aux, "aux");
        make_plan(&p, &t, 0);
        struct block *b = make_block(&p, &(struct mine_roll){.extranonce = 0x1122334455667788});
        script_put_int(&want, heights[i]);
        buffer_put(&want, "aux\x08\x88\x77\x66\x55\x44\x33\x22\x11", 12);
        cr_assert(span_equal(b->txs[0].in[0].script_sig, buffer_span(&want)), "height %d", heights[i]);
        cr_assert_eq(b->txs[0].out[0].value, 5000000000);
        cr_assert_eq(b->txs[0].lock_time, (uint32_t)heights[i] - 1);
        block_free(b);
        buffer_clear(&want);
        mine_plan_clear(&p);
    }
}

Test(mine_work, time_and_version_go_no_further_than_the_template_lets_them)
{
    struct mine_template t = sample(1000);
    struct mine_plan p;
    t.rolling_mask = 0x6000;
    make_plan(&p, &t, 0);
    static const struct {
        struct mine_roll roll;
        uint32_t time;
        int32_t version;
    } rows[] = {
        {{.time_add = 0}, 1700000000, 0x20000000},
        {{.time_add = 50, .version_bits = 1}, 1700000050, 0x20002000},
        {{.time_add = 51, .version_bits = 3}, 1700000050, 0x20006000},
        {{.time_add = UINT32_MAX, .version_bits = 4}, 1700000050, 0x20000000},
    };
    cr_assert_eq(mine_version_count(&p), 4);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct block *b = make_block(&p, &rows[i].roll);
        cr_assert_eq(b->header.time, rows[i].time);
        cr_assert_eq(b->header.version, rows[i].version, "%zu: %x", i, (unsigned)b->header.version);
        block_free(b);
    }
    mine_plan_clear(&p);
    cr_assert_eq((uint32_t)mine_version(0, MINE_ROLLING_MASK, 0xffff), MINE_ROLLING_MASK);
}

Test(mine_work, templates_that_no_block_can_be_made_of)
{
    struct mine_template bad[4] = {sample(0), sample(1000), sample(1000), sample(1000)};
    bad[1].coinbase_value = MAX_MONEY_SAT + 1;
    memset(buffer_extend(&bad[2].aux, 100), 'x', 100);
    bad[3].target = (struct u256){{0}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct mine_plan p;
        struct buffer error = {0};
        cr_assert_not(mine_plan_init(&p, &bad[i], span_of(pay, sizeof(pay)), &error), "%zu", i);
        cr_assert_gt(error.len, 0);
        buffer_clear(&error);
        mine_plan_clear(&p);
    }
    struct mine_template t = {0};
    cr_assert_not(mine_template_add_tx(&t, span_str("no transaction")));
    cr_assert_eq(t.tx_count, 0);
    mine_template_clear(&t);
}

Test(mine_work, difficulty_in_hashes)
{
    static const struct {
        uint32_t bits;
        double hashes;
    } rows[] = {{0x207fffff, 2.0}, {0x1d00ffff, 4295032833.0}, {0x1b0404cb, 70040900000000.0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct u256 target = compact_to_target(rows[i].bits, NULL, NULL);
        double got = mine_expected_hashes(&target);
        cr_assert_lt(got / rows[i].hashes, 1.001, "%g", got);
        cr_assert_gt(got / rows[i].hashes, 0.999, "%g", got);
    }
}

Test(mine_work, a_hash_meets_a_target_that_it_equals)
{
    uint8_t header[HEADER_BYTES] = {1}, hash[32];
    sha256d(hash, header, HEADER_BYTES);
    struct u256 exact = u256_from_le(hash), below = u256_sub(exact, u256_from_u64(1));
    cr_assert(mine_meets(header, &exact));
    cr_assert_not(mine_meets(header, &below));
}
