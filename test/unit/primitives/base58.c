/* Base58 and Base58Check. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/random.h"
#include "primitives/base58.h"
#include "support/data.h"

Test(base58, core_vectors)
{
    if (!data_present(CAIRN_TEST_DATA, "base58 vectors")) return;
    json_t *tests = data_json(CAIRN_TEST_DATA, "vectors/core/base58_encode_decode.json"), *row;
    size_t i;
    json_array_foreach(tests, i, row)
    {
        const char *hex = json_string_value(json_array_get(row, 0));
        const char *text = json_string_value(json_array_get(row, 1));
        struct buffer bytes = {0}, encoded = {0}, decoded = {0};
        cr_assert(hex_decode_append(&bytes, hex, strlen(hex)));
        base58_encode(&encoded, buffer_span(&bytes));
        cr_assert_str_eq(buffer_text(&encoded), text);
        cr_assert(base58_decode(&decoded, text, 256));
        cr_assert(span_equal(buffer_span(&decoded), buffer_span(&bytes)));
        decoded.len = 0;
        cr_assert(base58_decode(&decoded, text, bytes.len), "%s fits exactly", text);
        if (bytes.len) cr_assert(!base58_decode(&decoded, text, bytes.len - 1), "%s does not fit", text);
        buffer_clear(&bytes);
        buffer_clear(&encoded);
        buffer_clear(&decoded);
    }
    printf("base58_encode_decode.json: %zu vectors\n", i);
    cr_assert_geq(i, 14);
    json_decref(tests);
}

static bool decodes(const char *text, bool check)
{
    struct buffer out = {0};
    buffer_put_u8(&out, 0x55);
    bool ok = check ? base58check_decode(&out, text, 100) : base58_decode(&out, text, 100);
    cr_assert(out.data[0] == 0x55 && (ok || out.len == 1), "appends, and only where it succeeds");
    buffer_clear(&out);
    return ok;
}

Test(base58, white_space_may_surround_but_not_divide)
{
    cr_assert(decodes("3SEo3LWLoPntC", false));
    cr_assert(!decodes(" \t\n\v\f\r skipl", false), "l is no digit");
    cr_assert(decodes(" \t\n\v\f\r 3SEo3LWLoPntC \t\n\v\f\r ", false));
    cr_assert(!decodes(" \t\n\v\f\r 3SEo3LWLoPntC \r\f\v\n\t a", false));
    cr_assert(!decodes("3SEo 3LWLoPntC", false));
    for (const char *bad = "0OIl!-_\x80\xff"; *bad; bad++) cr_assert(!decodes((char[]){'3', *bad, 0}, false));
}

Test(base58, a_long_text_is_refused_early)
{
    struct buffer text = {0}, out = {0};
    memset(buffer_extend(&text, 3000000), 'z', 3000000);
    cr_assert(!base58_decode(&out, buffer_text(&text), 100));
    memset(text.data, '1', 3000000);
    cr_assert(!base58_decode(&out, buffer_text(&text), 100));
    cr_assert_eq(out.cap, 0);
    buffer_clear(&text);
}

Test(base58check, round_trip_and_checksum)
{
    struct random rng;
    random_init_u64(&rng, 1);
    for (size_t i = 0; i < 2000; i++) {
        uint8_t data[40];
        size_t len = random_below(&rng, sizeof(data) + 1), zeros = random_below(&rng, 4);
        random_bytes(&rng, data, sizeof(data));
        memset(data, 0, zeros);
        struct buffer text = {0}, back = {0};
        base58check_encode(&text, span_of(data, len));
        cr_assert(base58check_decode(&back, buffer_text(&text), 40));
        cr_assert(span_equal(buffer_span(&back), span_of(data, len)));
        size_t at = random_below(&rng, text.len);
        text.data[at] = text.data[at] == 'z' ? 'y' : 'z';
        cr_assert(!base58check_decode(&back, buffer_text(&text), 40), "%s", buffer_text(&text));
        buffer_clear(&text);
        buffer_clear(&back);
    }
    cr_assert(!decodes("", true));
    cr_assert(!decodes("2g", true), "shorter than a checksum");
}
