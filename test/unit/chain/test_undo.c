/* Undo data: one record by hand, real blocks with the coins that they spent, and what does not fit a block. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/hex.h"
#include "chain/undo.h"
#include "crypto/sha256.h"
#include "support/data.h"

#define SATOSHI_X "11db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c"
#define SATOSHI_Y "b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3"

/* A block of a coinbase and one transaction for each of COUNTS inputs; BLOCK points into TXS. */
static struct block block_with(struct tx *txs, const size_t *counts, size_t count)
{
    txs[0] = (struct tx){.in_count = 1};
    for (size_t i = 0; i < count; i++) txs[1 + i] = (struct tx){.in_count = counts[i]};
    return (struct block){.txs = txs, .tx_count = 1 + count};
}

static struct buffer bytes_of(const char *text)
{
    struct buffer b = {0};
    buffer_reserve(&b, 1);
    cr_assert(hex_decode_append(&b, text, strlen(text)));
    return b;
}

static bool reads(const char *hex, const struct block *b)
{
    struct buffer data = bytes_of(hex);
    struct undo u;
    bool good = undo_read(&u, buffer_span(&data), b);
    if (good) undo_clear(&u);
    buffer_clear(&data);
    return good;
}

/* Block 170 spends the coinbase of block 9: one transaction, one input, height 9 coinbase, 50 BTC to a full key. */
Test(undo, block_170_by_hand)
{
    struct tx txs[2];
    struct block b = block_with(txs, (size_t[]){1}, 1);
    struct buffer script = bytes_of("4104" SATOSHI_X SATOSHI_Y "ac"), data = {0}, text = {0};
    struct coin coin = {
        .value = 50 * COIN_SAT, .origin = coin_origin_of(9, true), .script_pubkey = buffer_span(&script)};
    undo_write(&data, &b, &coin, 1);
    hex_append(&text, buffer_span(&data));
    cr_assert_str_eq(buffer_text(&text), "0101"
                                         "13"
                                         "00"
                                         "32"
                                         "05" SATOSHI_X);
    struct undo u;
    cr_assert(undo_read(&u, buffer_span(&data), &b));
    cr_assert(u.count == 1 && u.coins[0].value == coin.value && u.coins[0].origin == coin.origin);
    cr_assert(span_equal(u.coins[0].script_pubkey, coin.script_pubkey));
    undo_clear(&u);
    buffer_clear(&script);
    buffer_clear(&data);
    buffer_clear(&text);
}

/* At height 0 there is no dummy version; an old one is any number. */
Test(undo, dummy_version)
{
    struct tx txs[2];
    struct block b = block_with(txs, (size_t[]){1}, 1);
    cr_expect(reads("0101000006", &b));
    cr_expect(reads("010102000006", &b));
    cr_expect(reads("01010280000006", &b));
    cr_expect(!reads("0101020006", &b));
}

Test(undo, dummy_version_is_not_written_at_height_0)
{
    struct tx txs[3];
    struct block b = block_with(txs, (size_t[]){1, 1}, 2);
    struct coin coins[2] = {{.origin = coin_origin_of(0, true)}, {.origin = coin_origin_of(1, false)}};
    struct buffer data = {0};
    undo_write(&data, &b, coins, 2);
    static const uint8_t expected[] = {2, 1, 1, 0, 6, 1, 2, 0, 0, 6};
    cr_assert(span_equal(buffer_span(&data), span_of(expected, sizeof(expected))));
    buffer_clear(&data);
}

Test(undo, what_does_not_fit_the_block)
{
    struct tx txs[3];
    struct block b = block_with(txs, (size_t[]){1, 2}, 2);
    cr_expect(reads("0201000006"
                    "02000006000006",
                    &b));
    cr_expect(!reads("", &b));
    cr_expect(!reads("01"
                     "01000006",
                     &b));
    cr_expect(!reads("0202000006000006"
                     "01000006",
                     &b));
    cr_expect(!reads("0201000006"
                     "0200000600000600",
                     &b),
              "a byte is left over");
    cr_expect(!reads("0201000006"
                     "020000060000",
                     &b),
              "truncated");
    struct block empty = block_with(txs, NULL, 0);
    cr_expect(reads("00", &empty));
    cr_expect(!reads("0101000006", &empty));
}

Test(undo, checksum)
{
    struct block_hash prev = {.bytes = {1, 2, 3}};
    uint8_t got[32], expected[32], both[32 + 5];
    memcpy(both, prev.bytes, 32);
    memcpy(both + 32, "hello", 5);
    sha256d(expected, both, sizeof(both));
    undo_checksum(got, &prev, span_str("hello"));
    cr_assert_arr_eq(got, expected, 32);
}

/* ---- real blocks ---- */

/* One line: "txid:vout value height coinbase script". Scripts go to SCRIPTS, whose room is reserved by the caller. */
static void parse_line(char *line, struct coin *coin, struct buffer *scripts)
{
    char *save = NULL;
    cr_assert(strtok_r(line, " ", &save));
    coin->value = strtoll(strtok_r(NULL, " ", &save), NULL, 10);
    long height = strtol(strtok_r(NULL, " ", &save), NULL, 10);
    long coinbase = strtol(strtok_r(NULL, " ", &save), NULL, 10);
    coin->origin = coin_origin_of((int32_t)height, coinbase != 0);
    char *hex = strtok_r(NULL, " ", &save);
    size_t from = scripts->len;
    if (strcmp(hex, "-")) cr_assert(hex_decode_append(scripts, hex, strlen(hex)));
    coin->script_pubkey = span_from(buffer_span(scripts), from);
}

static size_t round_trip(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "blocks/real/%s.blk.zst", name);
    struct buffer raw = data_read(CAIRN_TEST_DATA, path);
    snprintf(path, sizeof(path), "blocks/real/%s.spent.zst", name);
    struct buffer lines = data_read(CAIRN_TEST_DATA, path);
    struct block *b = block_parse(buffer_span(&raw));
    cr_assert(b);
    size_t count = 0, at = 0;
    for (size_t i = 1; i < b->tx_count; i++) count += b->txs[i].in_count;
    struct coin *coins = calloc(count ? count : 1, sizeof(*coins));
    struct buffer scripts = {0}, data = {0};
    buffer_reserve(&scripts, lines.len);
    char *save = NULL;
    (void)buffer_text(&lines);
    for (char *line = strtok_r((char *)lines.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        cr_assert_lt(at, count);
        parse_line(line, &coins[at++], &scripts);
    }
    cr_assert_eq(at, count);
    undo_write(&data, b, coins, count);
    struct undo u;
    cr_assert(undo_read(&u, buffer_span(&data), b), "%s", name);
    cr_assert_eq(u.count, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert(u.coins[i].value == coins[i].value && u.coins[i].origin == coins[i].origin);
        cr_assert(span_equal(u.coins[i].script_pubkey, coins[i].script_pubkey));
    }
    for (size_t len = 0; len < data.len; len += 1 + data.len / 50)
        cr_assert(!undo_read(&(struct undo){0}, span_of(data.data, len), b));
    undo_clear(&u);
    free(coins);
    block_free(b);
    buffer_clear(&raw);
    buffer_clear(&lines);
    buffer_clear(&scripts);
    buffer_clear(&data);
    return count;
}

Test(undo, real_blocks)
{
    static const char *const names[] = {"mainnet-24835",  "mainnet-57043",  "mainnet-223001", "mainnet-367891",
                                        "mainnet-403200", "mainnet-478558", "mainnet-542213"};
    if (!data_present(CAIRN_TEST_DATA, "undo data of real blocks")) return;
    size_t coins = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) coins += round_trip(names[i]);
    fprintf(stderr, "undo: %zu coins of real blocks\n", coins);
}
