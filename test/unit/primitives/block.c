/* Blocks: every real block, truncation, hostile counts, and writing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/sha256.h"
#include "primitives/block.h"
#include "primitives/compact_size.h"
#include "support/data.h"

static struct buffer read_row_block(json_t *row)
{
    char name[200];
    snprintf(name, sizeof(name), "blocks/real/%s-%d.blk.zst", json_string_value(json_object_get(row, "network")),
             (int)json_integer_value(json_object_get(row, "height")));
    return data_read(CAIRN_TEST_DATA, name);
}

static size_t number(json_t *row, const char *key)
{
    json_t *v = json_object_get(row, key);
    cr_assert(json_is_integer(v), "%s", key);
    return (size_t)json_integer_value(v);
}

/* The merkle root of COUNT leaves, which are overwritten. */
static void merkle(uint8_t (*leaves)[32], size_t count)
{
    for (; count > 1; count = (count + 1) / 2)
        for (size_t i = 0; i < count; i += 2) {
            uint8_t pair[64];
            memcpy(pair, leaves[i], 32);
            memcpy(pair + 32, leaves[i + 1 < count ? i + 1 : i], 32);
            sha256d(leaves[i / 2], pair, 64);
        }
}

static void check_txids(const struct block *b)
{
    uint8_t(*leaves)[32] = mem_alloc(32 * b->tx_count);
    for (size_t i = 0; i < b->tx_count; i++) memcpy(leaves[i], b->txs[i].txid.bytes, 32);
    merkle(leaves, b->tx_count);
    cr_assert_arr_eq(leaves[0], b->header.merkle_root, 32, "txids do not give the header's merkle root");
    free(leaves);
}

/* True where the wtxids give the commitment of BIP141; a commitment must be there. */
static bool witness_commitment_holds(const struct block *b)
{
    static const uint8_t start[6] = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    const struct tx *coinbase = &b->txs[0];
    struct span commitment = {0};
    for (size_t i = 0; i < coinbase->out_count; i++) {
        struct span s = coinbase->out[i].script_pubkey;
        if (s.len >= 38 && memcmp(s.data, start, 6) == 0) commitment = span_of(s.data + 6, 32);
    }
    cr_assert(commitment.len == 32 && coinbase->in[0].witness.count == 1 && coinbase->in[0].witness.items[0].len == 32);
    uint8_t(*leaves)[32] = mem_calloc(b->tx_count, 32);
    for (size_t i = 1; i < b->tx_count; i++) memcpy(leaves[i], b->txs[i].wtxid.bytes, 32);
    merkle(leaves, b->tx_count);
    uint8_t both[64], hash[32];
    memcpy(both, leaves[0], 32);
    memcpy(both + 32, coinbase->in[0].witness.items[0].data, 32);
    sha256d(hash, both, 64);
    free(leaves);
    return memcmp(hash, commitment.data, 32) == 0;
}

static void check_header(const struct block *b, json_t *row)
{
    char text[HASH_TEXT];
    struct block_hash hash;
    block_header_hash(&hash, &b->header);
    cr_assert(block_hash_equal(&hash, &b->hash));
    cr_assert_str_eq(block_hash_text(text, &b->hash), json_string_value(json_object_get(row, "hash")));
    cr_assert_str_eq(block_hash_text(text, &b->header.prev), json_string_value(json_object_get(row, "prev")));
    cr_assert_eq(b->header.time, number(row, "time"));
    snprintf(text, sizeof(text), "%08x", b->header.bits);
    cr_assert_str_eq(text, json_string_value(json_object_get(row, "bits")));
    snprintf(text, sizeof(text), "%08x", (uint32_t)b->header.version);
    cr_assert_str_eq(text, json_string_value(json_object_get(row, "version")));
}

static void check_counts(const struct block *b, json_t *row)
{
    size_t inputs = 0, outputs = 0, segwit = 0;
    for (size_t i = 0; i < b->tx_count; i++) {
        if (i) inputs += b->txs[i].in_count;
        outputs += b->txs[i].out_count;
        segwit += b->txs[i].has_witness;
    }
    cr_assert_eq(b->raw.len, number(row, "size"));
    cr_assert_eq(b->base_size, number(row, "stripped_size"));
    cr_assert_eq(block_weight(b), number(row, "weight"));
    cr_assert_eq(b->tx_count, number(row, "txs"));
    cr_assert_eq(inputs, number(row, "inputs"));
    cr_assert_eq(outputs, number(row, "outputs"));
    cr_assert_eq(segwit, number(row, "segwit_txs"));
    cr_assert(tx_is_coinbase(&b->txs[0]));
}

/* Writing gives the same bytes; the form without witness parses to the same txids. */
static void check_writing(const struct block *b)
{
    struct buffer out = {0};
    block_write(&out, b);
    cr_assert(span_equal(buffer_span(&out), b->raw));
    out.len = 0;
    block_write_no_witness(&out, b);
    cr_assert_eq(out.len, b->base_size);
    struct block *stripped = block_parse_take(out.data, out.len);
    cr_assert_not_null(stripped);
    cr_assert(block_hash_equal(&stripped->hash, &b->hash));
    check_txids(stripped);
    block_free(stripped);
}

Test(block, real_blocks_agree_with_their_index)
{
    if (!data_present(CAIRN_TEST_DATA, "real blocks")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json"), *row;
    size_t i, txs = 0, bytes = 0, commitments = 0;
    json_array_foreach(index, i, row)
    {
        struct buffer raw = read_row_block(row);
        struct block *b = block_parse(buffer_span(&raw));
        cr_assert_not_null(b, "block %zu", i);
        check_header(b, row);
        check_counts(b, row);
        check_txids(b);
        check_writing(b);
        if (number(row, "segwit_txs") > 0) {
            cr_assert(witness_commitment_holds(b));
            commitments++;
        }
        txs += b->tx_count;
        bytes += raw.len;
        block_free(b);
        buffer_clear(&raw);
    }
    printf("blocks/real: %zu blocks, %zu transactions, %zu bytes, %zu witness commitments\n", i, txs, bytes,
           commitments);
    cr_assert_geq(i, 40);
    json_decref(index);
}

/* Every shorter piece fails, in memory of exactly its length. */
static size_t check_truncations(struct span raw)
{
    for (size_t len = 0; len < raw.len; len++) {
        uint8_t *piece = mem_dup(raw.data, len);
        cr_assert_null(block_parse(span_of(piece, len)), "%zu of %zu bytes", len, raw.len);
        free(piece);
    }
    return raw.len;
}

Test(block, a_truncated_block_never_parses)
{
    enum { SMALL = 12000 };
    if (!data_present(CAIRN_TEST_DATA, "truncation of real blocks")) return;
    json_t *index = data_json(CAIRN_TEST_DATA, "blocks/real/index.json"), *row;
    size_t i, blocks = 0, lengths = 0;
    json_array_foreach(index, i, row)
    {
        if (number(row, "size") > SMALL) continue;
        struct buffer raw = read_row_block(row);
        lengths += check_truncations(buffer_span(&raw));
        blocks++;
        buffer_put_u8(&raw, 0);
        cr_assert_null(block_parse(buffer_span(&raw)), "a byte too many");
        buffer_clear(&raw);
    }
    printf("truncation: %zu blocks cut at %zu places\n", blocks, lengths);
    cr_assert_geq(blocks, 2);
    json_decref(index);
}

/* A block with one transaction that has neither inputs nor outputs. */
static struct buffer tiny_block(void)
{
    static const uint8_t tx[10] = {1};
    struct buffer raw = {0};
    memset(buffer_extend(&raw, HEADER_BYTES), 7, HEADER_BYTES);
    buffer_put_compact_size(&raw, 1);
    buffer_put(&raw, tx, sizeof(tx));
    return raw;
}

Test(block, several_blocks_in_one_reader)
{
    struct buffer raw = {0}, one = tiny_block();
    for (int i = 0; i < 3; i++) buffer_put_span(&raw, buffer_span(&one));
    struct reader r = reader_of(buffer_span(&raw));
    for (int i = 0; i < 3; i++) {
        struct block *b = block_read(&r);
        cr_assert_not_null(b);
        cr_assert(span_equal(b->raw, buffer_span(&one)));
        cr_assert(!hash_is_null(b->txs[0].txid.bytes));
        block_free(b);
    }
    cr_assert(reader_left(&r) == 0 && !r.failed);
    cr_assert_null(block_read(&r));
    cr_assert_null(block_parse(buffer_span(&raw)), "more than one block");
    buffer_clear(&raw);
    buffer_clear(&one);
}

Test(block, takes_bytes_over_also_when_they_do_not_parse)
{
    struct buffer raw = tiny_block();
    struct block *b = block_parse_take(mem_dup(raw.data, raw.len), raw.len);
    cr_assert_not_null(b);
    cr_assert_not_null(b->owned);
    block_free(b);
    cr_assert_null(block_parse_take(mem_dup(raw.data, raw.len - 1), raw.len - 1));
    block_free(NULL);
    buffer_clear(&raw);
}

Test(block, hashing_can_wait)
{
    struct buffer raw = tiny_block();
    struct block *now = block_parse(buffer_span(&raw)), *later = block_parse_unhashed(buffer_span(&raw));
    cr_assert(now && later);
    cr_assert(block_hash_equal(&now->hash, &later->hash));
    cr_assert(hash_is_null(later->txs[0].txid.bytes));
    block_hash_txs(later);
    cr_assert(txid_equal(&now->txs[0].txid, &later->txs[0].txid));
    block_free(now);
    block_free(later);
    buffer_clear(&raw);
}

Test(block, hostile_counts)
{
    static const uint64_t counts[] = {2, 100, 0x2000000, 0xffffffff, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct buffer raw = {0}, one = tiny_block();
        buffer_put(&raw, one.data, HEADER_BYTES);
        buffer_put_compact_size(&raw, counts[i]);
        buffer_put(&raw, one.data + HEADER_BYTES + 1, one.len - HEADER_BYTES - 1);
        cr_assert_null(block_parse(buffer_span(&raw)));
        buffer_clear(&raw);
        buffer_clear(&one);
    }
}

Test(block, without_transactions)
{
    struct buffer raw = tiny_block();
    raw.data[HEADER_BYTES] = 0;
    struct block *b = block_parse(span_of(raw.data, HEADER_BYTES + 1));
    cr_assert_not_null(b);
    cr_assert_eq(b->tx_count, 0);
    cr_assert_eq(block_weight(b), 4 * (HEADER_BYTES + 1));
    block_free(b);
    buffer_clear(&raw);
}
