/* Base64: RFC 4648's vectors both ways, and what is none. */
#include <criterion/criterion.h>

#include "base/base64.h"

static bool decodes(const char *text, const char *want)
{
    struct buffer out = {0};
    bool good = base64_decode_append(&out, span_str(text));
    if (good && want) cr_expect(span_equal(buffer_span(&out), span_str(want)), "%s", text);
    buffer_clear(&out);
    return good;
}

Test(base64, rfc4648)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"},
                                          {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = {0};
        base64_append(&out, span_str(rows[i][0]));
        cr_expect_str_eq(buffer_text(&out), rows[i][1]);
        cr_expect(decodes(rows[i][1], rows[i][0]), "%s", rows[i][1]);
        buffer_clear(&out);
    }
}

Test(base64, malformed)
{
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Z-9v", "Zm9v=", "Zm=v"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) cr_expect_not(decodes(wrong[i], NULL), "%s", wrong[i]);
}
