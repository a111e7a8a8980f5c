/* The JSON writer and reader. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "rpc/json_read.h"

#define EXPECT_TEXT(B, TEXT) cr_expect_str_eq(buffer_text(B), TEXT)

Test(json, containers_and_separators)
{
    struct buffer b = {0};
    struct json_writer w = json_writer_of(&b);
    jw_object(&w);
    jw_kv_int(&w, "a", -1);
    jw_kv_array(&w, "b");
    jw_uint(&w, UINT64_MAX);
    jw_object(&w);
    jw_object_end(&w);
    jw_null(&w);
    jw_array_end(&w);
    jw_kv_bool(&w, "c", false);
    jw_key(&w, "d");
    jw_raw(&w, span_str("1.50"));
    jw_object_end(&w);
    EXPECT_TEXT(&b, "{\"a\":-1,\"b\":[18446744073709551615,{},null],\"c\":false,\"d\":1.50}");
    cr_expect_eq(w.depth, 0);
    buffer_clear(&b);
}

static void expect_string(struct span text, const char *json)
{
    struct buffer b = {0};
    struct json_writer w = json_writer_of(&b);
    jw_str_span(&w, text);
    EXPECT_TEXT(&b, json);
    buffer_clear(&b);
}

Test(json, strings_are_escaped)
{
    expect_string(span_str("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f"), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
    expect_string(span_of("a\0b", 3), "\"a\\u0000b\"");
    expect_string(span_str("\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91\"");
    /* broken, overlong, surrogate, truncated, beyond the last plane */
    expect_string(span_str("x\xff"), "\"x\xef\xbf\xbd\"");
    expect_string(span_str("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(span_str("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(span_str("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(span_str("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void expect_amount(int64_t sat, const char *json)
{
    struct buffer b = {0};
    struct json_writer w = json_writer_of(&b);
    jw_amount(&w, sat);
    EXPECT_TEXT(&b, json);
    buffer_clear(&b);
}

Test(json, amounts_have_eight_decimals)
{
    expect_amount(0, "0.00000000");
    expect_amount(1, "0.00000001");
    expect_amount(-1, "-0.00000001");
    expect_amount(2100000000000000, "21000000.00000000");
    expect_amount(INT64_MIN, "-92233720368.54775808");
}

static void expect_double(double v, const char *json)
{
    struct buffer b = {0};
    struct json_writer w = json_writer_of(&b);
    jw_double(&w, v);
    EXPECT_TEXT(&b, json);
    buffer_clear(&b);
}

Test(json, doubles_have_sixteen_digits)
{
    expect_double(4.656542373906925e-10, "4.656542373906925e-10"); /* regtest's difficulty */
    expect_double(1, "1");
    expect_double(0.1, "0.1");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(1e300 * 1e300, "null");
}

static void expect_real(const char *text, const char *expected)
{
    struct buffer b = {0};
    struct json_writer w = json_writer_of(&b);
    json_t *v = json_read(span_str(text), NULL);
    cr_assert_not_null(v, "%s", text);
    jw_json(&w, v);
    EXPECT_TEXT(&b, expected);
    json_decref(v);
    buffer_clear(&b);
}

Test(json, reals_come_back_as_they_were)
{
    expect_real("[0.1,1.50,20999999.99999999,20999999.97690001,0.00000001]",
                "[0.1,1.5,20999999.99999999,20999999.97690001,1e-08]");
    expect_real("9223372036854775807", "9223372036854775807");
    expect_real("18446744073709551616", "1.8446744073709552e+19"); /* beyond 64 bits: a real */
}

Test(json, duplicate_keys_are_noticed)
{
    char note[JSON_KEY_NOTE];
    json_t *v = json_read(span_str("{\"p\":[{\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\":1,"
                                   "\"bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202\":2}]}"),
                          note);
    cr_assert_not_null(v);
    cr_expect_str_eq(note, "bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202");
    json_decref(v);
    v = json_read(span_str("{\"a\":1}"), note);
    cr_expect_str_eq(note, "");
    json_decref(v);
}

static struct buffer read_file(const char *path)
{
    struct buffer b = {0};
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    for (size_t n = 1; n;) {
        uint8_t part[4096];
        n = fread(part, 1, sizeof part, f);
        buffer_put(&b, part, n);
    }
    fclose(f);
    return b;
}

/* The suite that JSON readers share: pass*, fail* and round*. */
static bool check_vector(const char *dir, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct buffer text = read_file(path), out = {0};
    struct json_writer w = json_writer_of(&out);
    json_t *v = json_read(buffer_span(&text), NULL);
    bool good = (v == NULL) == (strncmp(name, "fail", 4) == 0);
    if (v && strncmp(name, "round", 5) == 0) {
        jw_json(&w, v);
        while (text.len && strchr(" \n\r\t", text.data[text.len - 1])) text.len--;
        good = good && span_equal(buffer_span(&text), buffer_span(&out));
    }
    cr_expect(good, "%s", name);
    json_decref(v);
    buffer_clear(&text);
    buffer_clear(&out);
    return good;
}

Test(json, shared_vectors)
{
    static const char dir[] = CAIRN_TEST_DATA "/vectors/json";
    DIR *d = opendir(dir);
    unsigned run = 0, good = 0;
    if (!d) cr_skip_test("no test data at %s", dir);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (!strstr(e->d_name, ".json")) continue;
        run++;
        if (check_vector(dir, e->d_name)) good++;
    }
    closedir(d);
    fprintf(stderr, "json vectors: %u of %u\n", good, run);
    cr_expect_geq(run, 50);
    cr_expect_eq(good, run);
}
