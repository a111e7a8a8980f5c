/* Coins packed and unpacked: known encodings, every form of script, and what is malformed. */
#include <criterion/criterion.h>

#include "base/hex.h"
#include "base/random.h"
#include "chain/coin_codec.h"
#include "script/script.h"

static struct buffer bytes_of(const char *text)
{
    struct buffer b = {0};
    buffer_reserve(&b, 1);
    cr_assert(hex_decode_append(&b, text, strlen(text)), "not hex: %s", text);
    return b;
}

static void assert_hex(const struct buffer *got, const char *expected)
{
    struct buffer text = {0};
    buffer_reserve(&text, 1);
    hex_append(&text, buffer_span(got));
    cr_assert_str_eq(buffer_text(&text), expected, "got %s, expected %s", buffer_text(&text), expected);
    buffer_clear(&text);
}

Test(codec, varint_known_encodings)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {0x7f, "7f"},
        {0x80, "8000"},
        {0x1234, "a334"},
        {0xffff, "82fe7f"},
        {0x123456, "c7e756"},
        {0x80123456, "86ffc7e756"},
        {0xffffffff, "8efefefe7f"},
        {0x7fffffffffffffff, "fefefefefefefefe7f"},
        {0xffffffffffffffff, "80fefefefefefefefe7f"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer b = {0};
        buffer_put_varint(&b, cases[i].value);
        assert_hex(&b, cases[i].hex);
        struct reader r = reader_of(buffer_span(&b));
        cr_assert_eq(read_varint(&r), cases[i].value);
        cr_assert(!r.failed && reader_left(&r) == 0);
        buffer_clear(&b);
    }
}

Test(codec, varint_round_trip_near_powers_of_two)
{
    struct buffer b = {0};
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t near = 0; near < 300; near++) {
            uint64_t v = ((uint64_t)1 << bit) + near - 150;
            b.len = 0;
            buffer_put_varint(&b, v);
            struct reader r = reader_of(buffer_span(&b));
            cr_assert_eq(read_varint(&r), v);
            cr_assert(!r.failed && reader_left(&r) == 0);
        }
    buffer_clear(&b);
}

Test(codec, varint_fails_on_overflow_and_truncation)
{
    static const char *const bad[] = {"",
                                      "80",
                                      "fefe",
                                      "80fefefefefefefeff00",
                                      "80fefefefefefefefeff00",
                                      "ffffffffffffffffffff7f",
                                      "81fefefefefefefefe7f"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buffer b = bytes_of(bad[i]);
        struct reader r = reader_of(buffer_span(&b));
        (void)read_varint(&r);
        cr_expect(r.failed, "%s", bad[i]);
        buffer_clear(&b);
    }
}

Test(codec, amounts_known_pairs)
{
    static const struct {
        uint64_t amount, packed;
    } cases[] = {
        {0, 0},
        {1, 1},
        {1000000, 7},
        {100000000, 9},
        {50 * UINT64_C(100000000), 0x32},
        {21000000 * UINT64_C(100000000), 0x1406f40},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_expect_eq(amount_compress(cases[i].amount), cases[i].packed);
        cr_expect_eq(amount_decompress(cases[i].packed), cases[i].amount);
    }
}

Test(codec, amounts_round_trip)
{
    static const uint64_t units[] = {1, 10, 1000000, 100000000, 5000000000};
    for (size_t u = 0; u < ARRAY_LEN(units); u++)
        for (uint64_t i = 1; i <= 100000 && i * units[u] <= (uint64_t)MAX_MONEY_SAT; i++)
            cr_assert_eq(amount_decompress(amount_compress(i * units[u])), i * units[u]);
    for (uint64_t packed = 0; packed < 100000; packed++)
        cr_assert_eq(amount_compress(amount_decompress(packed)), packed);
}

/* ---- scripts ---- */

#define GENERATOR_X "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define GENERATOR_Y "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
#define HASH20      "00112233445566778899aabbccddeeff01234567"

static void assert_script(const char *script, const char *packed)
{
    struct buffer s = bytes_of(script), out = {0}, back = {0};
    script_compress(&out, buffer_span(&s));
    assert_hex(&out, packed);
    struct reader r = reader_of(buffer_span(&out));
    script_decompress(&back, &r);
    cr_assert(!r.failed && reader_left(&r) == 0);
    assert_hex(&back, script);
    buffer_clear(&s);
    buffer_clear(&out);
    buffer_clear(&back);
}

Test(codec, scripts_with_a_form_of_their_own)
{
    assert_script("76a914" HASH20 "88ac", "00" HASH20);
    assert_script("a914" HASH20 "87", "01" HASH20);
    assert_script("2102" GENERATOR_X "ac", "02" GENERATOR_X);
    assert_script("2103" GENERATOR_X "ac", "03" GENERATOR_X);
    assert_script("4104" GENERATOR_X GENERATOR_Y "ac", "04" GENERATOR_X);
    /* The other root: p - y, which is odd. */
    assert_script("4104" GENERATOR_X "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777"
                  "ac",
                  "05" GENERATOR_X);
}

Test(codec, scripts_close_to_a_form_stay_whole)
{
    assert_script("", "06");
    assert_script("51", "0751");
    assert_script("76a914" HASH20 "88ad", "1f76a914" HASH20 "88ad");
    assert_script("a914" HASH20 "88", "1da914" HASH20 "88");
    assert_script("2104" GENERATOR_X "ac", "292104" GENERATOR_X "ac");
    /* Not on the curve, and the hybrid form. */
    assert_script("4104" GENERATOR_X GENERATOR_X "ac", "494104" GENERATOR_X GENERATOR_X "ac");
    assert_script("4106" GENERATOR_X GENERATOR_Y "ac", "494106" GENERATOR_X GENERATOR_Y "ac");
}

/* A compressed key is not checked when packed, so that one off the curve comes back as it was. */
Test(codec, compressed_key_off_the_curve_comes_back)
{
    assert_script("2102ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffac",
                  "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
}

Test(codec, uncompressed_form_of_no_point_is_an_empty_script)
{
    struct buffer packed = bytes_of("04ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"), out = {0};
    struct reader r = reader_of(buffer_span(&packed));
    script_decompress(&out, &r);
    cr_assert(!r.failed && reader_left(&r) == 0 && out.len == 0);
    buffer_clear(&packed);
}

Test(codec, script_over_the_limit_becomes_op_return)
{
    struct buffer script = {0}, packed = {0}, back = {0};
    for (size_t len = MAX_SCRIPT_SIZE; len <= MAX_SCRIPT_SIZE + 1; len++) {
        script.len = packed.len = back.len = 0;
        memset(buffer_extend(&script, len), OP_NOP, len);
        script_compress(&packed, buffer_span(&script));
        struct reader r = reader_of(buffer_span(&packed));
        script_decompress(&back, &r);
        cr_assert(!r.failed && reader_left(&r) == 0);
        if (len == MAX_SCRIPT_SIZE)
            cr_assert(span_equal(buffer_span(&back), buffer_span(&script)));
        else
            assert_hex(&back, "6a");
    }
    buffer_clear(&script);
    buffer_clear(&packed);
    buffer_clear(&back);
}

/* ---- coins ---- */

static bool unpack(const char *hex, struct coin *coin, struct buffer *script)
{
    struct buffer b = bytes_of(hex);
    bool good = coin_unpack(coin, script, buffer_span(&b));
    buffer_clear(&b);
    return good;
}

static void assert_coin(const char *hex, int32_t height, bool coinbase, amount_sat value, const char *script_hex)
{
    struct buffer script = {0}, packed = {0};
    struct coin coin;
    cr_assert(unpack(hex, &coin, &script));
    cr_expect_eq(coin_height(coin.origin), height);
    cr_expect_eq(coin_is_coinbase(coin.origin), coinbase);
    cr_expect_eq(coin.value, value);
    assert_hex(&script, script_hex);
    coin_pack(&packed, &coin);
    assert_hex(&packed, hex);
    buffer_clear(&script);
    buffer_clear(&packed);
}

Test(codec, coins_known_records)
{
    assert_coin("97f23c835800816115944e077fe7c803cfa57f29b36bf87c1d35", 203998, false, 60000000000,
                "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac");
    assert_coin("8ddf77bbd123008c988f1a4a4de2161e0f50aac7f17e7f9555caa4", 120891, true, 110397,
                "76a9148c988f1a4a4de2161e0f50aac7f17e7f9555caa488ac");
    assert_coin("000006", 0, false, 0, "");
}

Test(codec, coins_malformed)
{
    static const char *const bad[] = {
        "",
        "00",
        "0000",
        "000007", /* a script of one byte, and none there */
        "000000",
        "00000600",
        "0080",
        "80", /* truncated, left over */
        "00008a95c0bb00",
        "8fff80ffff0000000006", /* a script, an origin larger than 32 bits allow */
        "8efefeff000006",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buffer script = {0};
        struct coin coin;
        cr_expect(!unpack(bad[i], &coin, &script), "%s", bad[i]);
        buffer_clear(&script);
    }
}

Test(codec, coins_truncated_anywhere_are_refused)
{
    struct buffer b = bytes_of("97f23c835800816115944e077fe7c803cfa57f29b36bf87c1d35"), script = {0};
    struct coin coin;
    for (size_t len = 0; len < b.len; len++) cr_assert(!coin_unpack(&coin, &script, span_of(b.data, len)));
    cr_assert(coin_unpack(&coin, &script, buffer_span(&b)));
    buffer_clear(&b);
    buffer_clear(&script);
}

Test(codec, random_bytes_never_trip)
{
    struct random rng;
    struct buffer script = {0};
    random_init_u64(&rng, 7);
    size_t good = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t data[48];
        size_t len = random_below(&rng, sizeof(data));
        random_bytes(&rng, data, len);
        if (len > 2 && random_below(&rng, 2)) data[2] = (uint8_t)random_below(&rng, 12);
        struct coin coin;
        script.len = 0;
        good += coin_unpack(&coin, &script, span_of(data, len));
    }
    cr_expect_gt(good, 100);
    buffer_clear(&script);
}
