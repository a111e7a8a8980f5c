/* Bans, discouragement and banlist.json. */
#include "kit.h"

#include <stdio.h>

#include "addrman/bans.h"

static struct bans make(void)
{
    struct random r;
    struct bans b;
    random_init_u64(&r, 1);
    bans_init(&b, BANS_DEFAULT_S, &r);
    return b;
}

static struct subnet net(const char *text)
{
    struct subnet s = subnet_parse(span_str(text), true);
    cr_assert(s.valid, "%s", text);
    return s;
}

static bool ban(struct bans *b, const char *text, int64_t offset_s, bool absolute)
{
    struct subnet s = net(text);
    return bans_add(b, &s, offset_s, absolute, NOW_S);
}

static bool banned(const struct bans *b, const char *text, int64_t now_s)
{
    struct netaddr a = ip(text);
    netaddr_flip_to_cjdns(&a);
    return bans_has_addr(b, &a, now_s);
}

static bool exactly(const struct bans *b, const char *text, int64_t now_s)
{
    struct subnet s = net(text);
    return bans_has_subnet(b, &s, now_s);
}

Test(bans, addresses_in_subnets)
{
    struct bans b = make();
    cr_assert(ban(&b, "1.2.3.0/24", 0, false) && ban(&b, "2001:db7::/32", 0, false) && ban(&b, "4.4.4.4", 0, false));
    cr_assert(ban(&b, "5.5.0.0/255.255.0.0", 0, false));
    cr_assert(ban(&b, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 0, false));
    cr_assert(ban(&b, "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p", 0, false));
    cr_assert(ban(&b, "fc00:1:2:3:4:5:6:7", 0, false));
    const char *in[] = {"1.2.3.0",
                        "1.2.3.255",
                        "2001:db7::1",
                        "4.4.4.4",
                        "5.5.255.255",
                        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
                        "fc00:1:2:3:4:5:6:7",
                        "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p"};
    const char *out[] = {"1.2.4.0",
                         "2001:db6::1",
                         "4.4.4.5",
                         "5.6.0.0",
                         "::102:300",
                         "fc00:1:2:3:4:5:6:8",
                         "nrfj6inpyf73gpkyool35hcmne5zwfmse3jl3aw23vk7chdemalyaqad.onion"};
    for (size_t i = 0; i < ARRAY_LEN(in); i++) cr_assert(banned(&b, in[i], NOW_S), "%s", in[i]);
    for (size_t i = 0; i < ARRAY_LEN(out); i++) cr_assert(!banned(&b, out[i], NOW_S), "%s", out[i]);
    cr_assert(exactly(&b, "1.2.3.0/24", NOW_S) && !exactly(&b, "1.2.3.0/25", NOW_S) && !exactly(&b, "1.2.3.4", NOW_S));
    for (size_t i = 1; i < b.count; i++)
        cr_assert_leq(netaddr_cmp(&b.items[i - 1].subnet.network, &b.items[i].subnet.network), 0);
    bans_clear(&b);
}

Test(bans, end_by_time)
{
    struct bans b = make();
    cr_assert(ban(&b, "1.1.1.1", 0, false) && ban(&b, "2.2.2.2", 100, false) && ban(&b, "3.3.3.3", NOW_S + 7, true));
    cr_assert(ban(&b, "4.4.4.4", -1, true), "a default is never absolute");
    cr_assert(banned(&b, "1.1.1.1", NOW_S + BANS_DEFAULT_S - 1) && !banned(&b, "1.1.1.1", NOW_S + BANS_DEFAULT_S));
    cr_assert(banned(&b, "2.2.2.2", NOW_S + 99) && !banned(&b, "2.2.2.2", NOW_S + 100));
    cr_assert(banned(&b, "3.3.3.3", NOW_S + 6) && !exactly(&b, "3.3.3.3", NOW_S + 7));
    cr_assert(banned(&b, "4.4.4.4", NOW_S + BANS_DEFAULT_S - 1));
    b.changed = false;
    cr_assert(!ban(&b, "2.2.2.2", 50, false) && !ban(&b, "2.2.2.2", 100, false), "only ever longer");
    cr_assert(!b.changed);
    cr_assert(ban(&b, "2.2.2.2", 101, false) && b.changed && b.count == 4);
    b.changed = false;
    bans_sweep(&b, NOW_S + 7);
    cr_assert(b.count == 4 && !b.changed);
    bans_sweep(&b, NOW_S + 8);
    cr_assert(b.count == 3 && b.changed && !exactly(&b, "3.3.3.3", 0));
    cr_assert(ban(&b, "9.9.9.9", INT64_MAX, false) && banned(&b, "9.9.9.9", INT64_MAX - 1), "no overflow");
    bans_clear(&b);
}

Test(bans, lifted)
{
    struct bans b = make();
    cr_assert(ban(&b, "1.1.1.1", 0, false) && ban(&b, "1.1.1.0/24", 0, false) && ban(&b, "1.1.0.0/16", 0, false));
    struct subnet one = net("1.1.1.0/24"), none = net("1.1.1.0/25");
    b.changed = false;
    cr_assert(!bans_remove(&b, &none) && !b.changed);
    cr_assert(bans_remove(&b, &one) && b.changed && !bans_remove(&b, &one));
    cr_assert(b.count == 2 && exactly(&b, "1.1.1.1", NOW_S) && exactly(&b, "1.1.0.0/16", NOW_S));
    bans_remove_all(&b);
    cr_assert(b.count == 0 && !banned(&b, "1.1.1.1", NOW_S));
    bans_clear(&b);
}

Test(bans, discouraged)
{
    struct bans b = make();
    struct netaddr a = ip("1.1.1.1"), other = ip("1.1.1.2");
    struct netaddr onion = ip("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
    bans_discourage(&b, &a);
    bans_discourage(&b, &onion);
    cr_assert(bans_is_discouraged(&b, &a) && bans_is_discouraged(&b, &onion) && !bans_is_discouraged(&b, &other));
    cr_assert(!bans_has_addr(&b, &a, NOW_S) && b.count == 0 && !b.changed, "not banned, and in no file");
    bans_clear(&b);
}

static enum result read_text(struct bans *b, const char *text, size_t *skipped)
{
    struct error e;
    enum result result = bans_read(b, span_str(text), false, skipped, &e);
    cr_assert(result == RESULT_OK || (result == RESULT_CORRUPT && e.code == result && e.text[0]));
    return result;
}

Test(bans, file_round_trip)
{
    struct bans b = make(), c = make();
    cr_assert(ban(&b, "1.1.1.1", 0, false) && ban(&b, "2001:db7::/32", 5, false) && ban(&b, "1.1.0.0/16", 7, false));
    cr_assert(ban(&b, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 0, false));
    struct buffer text = {0}, again = {0};
    bans_write(&b, &text);
    struct error e;
    size_t skipped = 9;
    cr_assert_eq(bans_read(&c, buffer_span(&text), false, &skipped, &e), RESULT_OK);
    cr_assert(skipped == 0 && c.count == 4 && !c.changed);
    for (size_t i = 0; i < 4; i++) {
        cr_assert(subnet_equal(&b.items[i].subnet, &c.items[i].subnet));
        cr_assert(b.items[i].created_s == c.items[i].created_s && b.items[i].until_s == c.items[i].until_s);
    }
    bans_write(&c, &again);
    cr_assert(span_equal(buffer_span(&text), buffer_span(&again)));
    /* Any cut is an error that adds nothing; but for the last line's end there is no byte to spare. */
    for (size_t len = 0; len < text.len - 1; len++) {
        struct bans d = make();
        cr_assert_eq(bans_read(&d, span_of(text.data, len), false, NULL, &e), RESULT_CORRUPT, "%zu", len);
        cr_assert_eq(d.count, 0);
        bans_clear(&d);
    }
    /* No change of a byte may do harm. */
    for (size_t i = 0; i < text.len; i++) {
        struct bans d = make();
        text.data[i] ^= (uint8_t)(1 << i % 8);
        if (bans_read(&d, buffer_span(&text), false, NULL, &e) == RESULT_OK) cr_assert_leq(d.count, 4);
        text.data[i] ^= (uint8_t)(1 << i % 8);
        bans_clear(&d);
    }
    buffer_clear(&text);
    buffer_clear(&again);
    bans_clear(&b);
    bans_clear(&c);
}

Test(bans, file_empty_list)
{
    struct bans b = make();
    struct buffer text = {0};
    bans_write(&b, &text);
    cr_assert_eq(read_text(&b, buffer_text(&text), NULL), RESULT_OK);
    cr_assert_eq(b.count, 0);
    buffer_clear(&text);
    bans_clear(&b);
}

/* The file of Bitcoin Core's banman_tests, and other forms of the same. */
Test(bans, file_of_others)
{
    struct bans b = make();
    size_t skipped;
    cr_assert_eq(
        read_text(&b,
                  "{ \"banned_nets\": ["
                  "{ \"version\": 1, \"ban_created\": 0, \"banned_until\": 778, \"address\": \"aaaaaaaaa\" },"
                  "{ \"version\": 2, \"ban_created\": 0, \"banned_until\": 778, \"address\": \"3.3.3.3\" },"
                  "{ \"version\": 1, \"ban_created\": 0, \"banned_until\": 778, \"address\": \"1.0.0.0/8\" }]}",
                  &skipped),
        RESULT_OK);
    cr_assert(skipped == 2 && b.count == 1 && exactly(&b, "1.0.0.0/8", 777) && !exactly(&b, "1.0.0.0/8", 778));
    cr_assert_eq(read_text(&b,
                           "\t{\"_warning_\":\"\\u00e9 \\\"x\\\" \\n\",\"x\":[1,-2.5e+7,true,null,{\"a\":[]},{}],"
                           "\"banned_nets\":[{\"address\":\"\\u0032.0.0.0\\/8\",\"more\":{\"y\":\"z\"},"
                           "\"banned_until\":9,\"ban_created\":-1,\"version\":1}],\"after\":\"\"}\r\n",
                           &skipped),
                 RESULT_OK);
    cr_assert(skipped == 0 && b.count == 2 && exactly(&b, "2.0.0.0/8", 8));
    bans_clear(&b);
}

#define ENTRY(MEMBERS) "{\"banned_nets\":[{" MEMBERS "}]}"

Test(bans, file_refused)
{
    static const char *texts[] = {
        "",
        " ",
        "[]",
        "{}",
        "null",
        "{\"banned_nets\":{}}",
        "{\"banned_nets\":[]",
        "{\"banned_nets\":[]}x",
        "{\"banned_nets\":[],}",
        "{\"banned_nets\":[,]}",
        "{\"banned_nets\":[1]}",
        "{\"banned_nets\":[{}]}",
        "{banned_nets:[]}",
        "{\"banned_nets\":[]}{",
        "{\"other\":[]}",
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1"),
        ENTRY("\"version\":1,\"ban_created\":0,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":\"1\",\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":1.5,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":9223372036854775808,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1e3,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":1,\"ban_created\":- 1,\"banned_until\":1,\"address\":\"1.1.1.1\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":1"),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1\\x\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1\\u12\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1\n\""),
        ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1.1.1"),
    };
    struct bans b = make();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        cr_assert_eq(read_text(&b, texts[i], NULL), RESULT_CORRUPT, "%s", texts[i]);
    cr_assert_eq(
        read_text(&b, ENTRY("\"version\":1,\"ban_created\":0,\"banned_until\":1,\"address\":\"1.1.1.1\""), NULL),
        RESULT_OK);
    cr_assert_eq(b.count, 1);
    bans_clear(&b);
}

Test(bans, file_depth_is_bounded)
{
    struct bans b = make();
    struct buffer text = {0};
    buffer_put_str(&text, "{\"x\":");
    for (int i = 0; i < 1000000; i++) buffer_put_u8(&text, '[');
    struct error e;
    cr_assert_eq(bans_read(&b, buffer_span(&text), false, NULL, &e), RESULT_CORRUPT);
    buffer_clear(&text);
    bans_clear(&b);
}
