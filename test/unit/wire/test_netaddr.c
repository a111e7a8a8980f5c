/* Addresses: parsing, printing, classes, groups, reachability. The facts are those of Bitcoin Core's own tests. */
#include "wire_test.h"

#include "wire/sha3.h"

TestSuite(netaddr);

Test(netaddr, sha3)
{
    static const struct {
        size_t len;
        const char *hash;
    } facts[] = {
        {0, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
        {135, "fded8fd9d6551c601eeb3b7c6bc5e5cfd8aad1d015b7e9aaa9c9b9475231d5e2"},
        {136, "cf3ccff92480a29160c2d38317c430e14749bfee1788106957dfe73f8c4930e5"},
        {137, "ce9d7dc90913ee5d92745019479a5352c6d6279bef18ed07dc0a83ee8084daca"},
        {1000, "14e5de35911194ddad95ac1572e2b6ce054ed2146cd0562280fcab04ccfecbd8"},
    };
    uint8_t data[1000], hash[32];
    char text[65];
    for (size_t i = 0; i < sizeof(data); i++) data[i] = (uint8_t)i;
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        sha3_256(hash, span_of(data, facts[i].len));
        hex_encode(text, hash, 32);
        cr_assert_str_eq(text, facts[i].hash);
    }
}

static const char *const same_text[] = {"0.0.0.0",
                                        "255.255.255.255",
                                        "12.34.56.78",
                                        "::",
                                        "1122:3344:5566:7788:9900:aabb:ccdd:eeff",
                                        "fe80::1%32",
                                        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
                                        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
                                        "1:2:3:4:5:6:7:8",
                                        "1:0:2:0:3:0:4:0",
                                        "1::",
                                        "0:1::",
                                        "::1:0:0:1"};

static const char *const other_text[][2] = {
    {"0000:0000:0000:0000:0000:0000:0000:0000", "::"},
    {"000:0000:000:00:0:00:000:0000", "::"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:db8:85a3::8a2e:370:7334"},
    {"2001:0db8::0001:0000", "2001:db8::1:0"},
    {"2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:0000:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"2001:db8:0:0:0::1", "2001:db8::1"},
    {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:0:aaaa::1", "2001:db8::aaaa:0:0:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AaAa", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"1::2:3:4:5:6:7", "1:0:2:3:4:5:6:7"},
    {"[::1]", "::1"},
    {"::FFFF:0102:0304", "1.2.3.4"},
    {"::ffff:192.168.1.1", "192.168.1.1"},
    {"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
    {"127.1", "127.0.0.1"},
    {"10.1.65535", "10.1.255.255"},
    {"0x7f000001", "127.0.0.1"},
    {"0177.0.0.01", "127.0.0.1"},
    {"4294967295", "255.255.255.255"},
    {"fe80::1%0", "fe80::1"},
    {"UDHDrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.I2P",
     "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna.b32.i2p"},
    {"fd87:d87e:eb43:102:304:506:708:90a", "::"},
};

static const char *const no_address[] = {
    "",
    "[",
    "]",
    "[]",
    "[[::1]]",
    "bloop",
    "localhost",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.",
    ".1.2.3",
    "1..2",
    "08.1.1.1",
    "1.2.3.4 ",
    " 1.2.3.4",
    "4294967296",
    "1.16777216",
    "1.2.65536",
    "0x",
    "-1",
    "+1",
    ":",
    ":::",
    "1:",
    ":1",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "::g",
    "::1.2.3",
    "::1.2.3.04",
    "::1.2.3.256",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1%",
    "::1%eth0",
    "::1%4294967296",
    "%1",
    "fd6b:88c0:8724:1:2:3:4:5",                                       /* internal */
    "6hzph5hv6337r6p2.onion",                                         /* Tor v2 */
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscsad.onion", /* checksum */
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye.onion", /* version */
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.ONION",
    "mfrggzak.onion",
    "mf*g zak.onion",
    ".onion",
    "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jn=.b32.i2p",  /* a byte short */
    "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jna=.b32.i2p", /* padding */
    "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v4jnb.b32.i2p",  /* bits after the last byte */
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscsad.b32.i2p",
    "tp*szydbh4dp.b32.i2p",
    ".b32.i2p",
    "esffpvrt3wpeaygy.internal"};

Test(netaddr, texts)
{
    char text[NETADDR_TEXT];
    struct netaddr a;
    for (size_t i = 0; i < ARRAY_LEN(same_text); i++) {
        a = ip(same_text[i]);
        cr_assert_str_eq(netaddr_text(text, &a), same_text[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(other_text); i++) {
        a = ip(other_text[i][0]);
        cr_assert_str_eq(netaddr_text(text, &a), other_text[i][1], "%s: %s", other_text[i][0], text);
    }
    for (size_t i = 0; i < ARRAY_LEN(no_address); i++)
        cr_assert(!netaddr_parse(&a, span_str(no_address[i])), "%s", no_address[i]);
    printf("netaddr texts: %zu kept, %zu made canonical, %zu refused\n", ARRAY_LEN(same_text), ARRAY_LEN(other_text),
           ARRAY_LEN(no_address));
}

/* A zero byte ends no text. */
Test(netaddr, embedded_zero)
{
    struct netaddr a;
    static const char onion[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd\0wtf.onion";
    static const char i2p[] = "udhdrtrcetjm5sxzskjyr5ztpeszydbh4dpl3pl4utgqqw2v\0wtf.b32.i2p";
    cr_assert(!netaddr_parse(&a, span_of(onion, sizeof(onion) - 1)));
    cr_assert(!netaddr_parse(&a, span_of(i2p, sizeof(i2p) - 1)));
    cr_assert(!netaddr_parse(&a, span_of("127.0.0.1\0", 10)));
    cr_assert(!netaddr_parse(&a, span_of("127.0.0.1\0example.com", 21)));
    cr_assert(!netaddr_parse(&a, span_of("::1\0", 4)));
}

/* Random IPv6 addresses survive their text; zero groups are frequent. */
Test(netaddr, random_round_trip)
{
    struct random random;
    random_init_u64(&random, 1);
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[16];
        random_bytes(&random, bytes, sizeof(bytes));
        uint64_t zero = random_u64(&random);
        for (int g = 0; g < 8; g++)
            if (zero >> g & 1) bytes[2 * g] = bytes[2 * g + 1] = 0;
        struct netaddr a = netaddr_from_ipv6(bytes), b;
        char text[NETADDR_TEXT];
        netaddr_text(text, &a);
        cr_assert(netaddr_parse(&b, span_str(text)) && netaddr_equal(&a, &b), "%s", text);
    }
}

Test(netaddr, internal)
{
    struct netaddr a = netaddr_internal("esffpp");
    char text[NETADDR_TEXT];
    cr_assert_str_eq(netaddr_text(text, &a), "esffpvrt3wpeaygy.internal");
    cr_assert(!netaddr_is_valid(&a) && !netaddr_is_bind_any(&a) && netaddr_fits_v1(&a));
    cr_assert_eq(netaddr_network(&a), NET_INTERNAL);
}

Test(netaddr, classes)
{
    static const struct {
        const char *text;
        enum netaddr_class class;
        const char *outside[2]; /* neighbours of the range */
    } facts[] = {
        {"10.0.0.1", NETADDR_RFC1918, {"9.255.255.255", "11.0.0.0"}},
        {"192.168.1.1", NETADDR_RFC1918, {"192.167.255.255", "192.169.0.0"}},
        {"172.31.255.255", NETADDR_RFC1918, {"172.15.255.255", "172.32.0.0"}},
        {"198.18.0.0", NETADDR_RFC2544, {"198.17.255.255", "198.20.0.0"}},
        {"198.19.255.255", NETADDR_RFC2544, {"198.17.255.255", "::198.18.0.0"}},
        {"100.64.0.0", NETADDR_RFC6598, {"100.63.255.255", "100.128.0.0"}},
        {"192.0.2.0", NETADDR_RFC5737, {"192.0.1.255", "192.0.3.0"}},
        {"198.51.100.7", NETADDR_RFC5737, {"198.51.99.255", "198.51.101.0"}},
        {"203.0.113.7", NETADDR_RFC5737, {"203.0.112.255", "203.0.114.0"}},
        {"169.254.1.1", NETADDR_RFC3927, {"169.253.255.255", "169.255.0.0"}},
        {"2001:0DB8::", NETADDR_RFC3849, {"2001:db7::", "2001:db9::"}},
        {"2002::1", NETADDR_RFC3964, {"2001:ffff::", "2003::"}},
        {"FC00::", NETADDR_RFC4193, {"fbff::", "fe00::"}},
        {"fdff::", NETADDR_RFC4193, {"fbff::", "fe00::"}},
        {"2001::2", NETADDR_RFC4380, {"2001:1::", "2000:ffff::"}},
        {"2001:10::", NETADDR_RFC4843, {"2001:f::", "2001:20::"}},
        {"2001:20::", NETADDR_RFC7343, {"2001:1f::", "2001:30::"}},
        {"FE80::", NETADDR_RFC4862, {"fe80:0:0:1::", "fe81::"}},
        {"64:FF9B::", NETADDR_RFC6052, {"64:ff9b::1:0:0", "64:ff9c::"}},
        {"::ffff:0:102:304", NETADDR_RFC6145, {"::fffe:0:102:304", "::ffff:1:102:304"}},
        {"2001:470::1", NETADDR_HE_NET, {"2001:46f::", "2001:471::"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct netaddr a = ip(facts[i].text);
        cr_assert(netaddr_is(&a, facts[i].class), "%s", facts[i].text);
        for (int j = 0; j < 2; j++) {
            struct netaddr b = ip(facts[i].outside[j]);
            cr_assert(!netaddr_is(&b, facts[i].class), "%s", facts[i].outside[j]);
        }
    }
    printf("netaddr classes: %zu ranges with both their neighbours\n", ARRAY_LEN(facts));
}

Test(netaddr, validity)
{
    static const struct {
        const char *text;
        bool valid, routable, local, any;
        enum network network;
    } facts[] = {
        {"0.0.0.0", false, false, true, true, NET_UNROUTABLE},
        {"255.255.255.255", false, false, false, false, NET_UNROUTABLE},
        {"127.0.0.1", true, false, true, false, NET_UNROUTABLE},
        {"0.1.2.3", true, false, true, false, NET_UNROUTABLE},
        {"8.8.8.8", true, true, false, false, NET_IPV4},
        {"10.0.0.1", true, false, false, false, NET_UNROUTABLE},
        {"100.64.0.1", true, false, false, false, NET_UNROUTABLE},
        {"192.0.2.1", true, false, false, false, NET_UNROUTABLE},
        {"198.18.0.1", true, false, false, false, NET_UNROUTABLE},
        {"169.254.0.1", true, false, false, false, NET_UNROUTABLE},
        {"::", false, false, false, true, NET_UNROUTABLE},
        {"::1", true, false, true, false, NET_UNROUTABLE},
        {"::2", true, true, false, false, NET_IPV6},
        {"2001::8888", true, true, false, false, NET_IPV6},
        {"2001:db8::1", false, false, false, false, NET_UNROUTABLE},
        {"2001:10::1", true, false, false, false, NET_UNROUTABLE},
        {"2001:20::1", true, false, false, false, NET_UNROUTABLE},
        {"fe80::1", true, false, false, false, NET_UNROUTABLE},
        {"fc00::1", true, false, false, false, NET_UNROUTABLE},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", true, true, false, false, NET_ONION},
        {"ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", true, true, false, false, NET_I2P},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct netaddr a = ip(facts[i].text);
        cr_assert_eq(netaddr_is_valid(&a), facts[i].valid, "%s", facts[i].text);
        cr_assert_eq(netaddr_is_routable(&a), facts[i].routable, "%s", facts[i].text);
        cr_assert_eq(netaddr_is_local(&a), facts[i].local, "%s", facts[i].text);
        cr_assert_eq(netaddr_is_bind_any(&a), facts[i].any, "%s", facts[i].text);
        cr_assert_eq(netaddr_network(&a), facts[i].network, "%s", facts[i].text);
    }
    struct netaddr cjdns = ip("fc00::1");
    netaddr_flip_to_cjdns(&cjdns);
    cr_assert(cjdns.net == NET_CJDNS && netaddr_is_routable(&cjdns) && !netaddr_is_privacy(&cjdns));
    struct netaddr not_cjdns = ip("fd00::1"), zero = {0};
    netaddr_flip_to_cjdns(&not_cjdns);
    cr_assert(not_cjdns.net == NET_IPV6);
    cr_assert(!netaddr_is_valid(&zero) && !netaddr_is_routable(&zero) && !netaddr_is_relayable(&zero));
}

static void check_group(const struct netaddr *a, const char *hex)
{
    struct netgroup g = netaddr_group(a);
    char text[sizeof(g.bytes) * 2 + 1], name[NETADDR_TEXT];
    hex_encode(text, g.bytes, g.len);
    cr_assert_str_eq(text, hex, "%s: %s", netaddr_text(name, a), text);
    cr_assert(netgroup_equal(&g, &g));
}

Test(netaddr, groups)
{
    static const char *const facts[][2] = {
        {"127.0.0.1", "00"},
        {"::", "00"},
        {"10.0.0.1", "00"},
        {"169.254.1.1", "00"},
        {"1.2.3.4", "010102"},
        {"::FFFF:0:102:304", "010102"},
        {"64:FF9B::102:304", "010102"},
        {"2002:102:304:9999:9999:9999:9999:9999", "010102"},
        {"2001:0:9999:9999:9999:9999:FEFD:FCFB", "010102"},
        {"2001:470:abcd:9999:9999:9999:9999:9999", "0220010470af"},
        {"2001:2001:9999:9999:9999:9999:9999:9999", "0220012001"},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "037f"},
        {"ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", "04af"},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct netaddr a = ip(facts[i][0]);
        check_group(&a, facts[i][1]);
    }
    struct netaddr internal = netaddr_internal("baz.net"), cjdns = ip("fc12:3456::1");
    netaddr_flip_to_cjdns(&cjdns);
    check_group(&internal, "0612929400eb4607c4ac07");
    check_group(&cjdns, "05fc1f");
    printf("netaddr groups: %zu\n", ARRAY_LEN(facts) + 2);
}

/* Every pair of kinds: rank of ours for a partner of theirs. */
Test(netaddr, reachability)
{
    const char *const texts[] = {"8.8.8.8",
                                 "2a00::1",
                                 "2001::1",
                                 "2002:808:808::1",
                                 "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
                                 "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
                                 "fc00::1",
                                 "10.0.0.1"};
    /* rows: ours; columns: theirs; 0 unreachable, 1 default, 2 Teredo, 3 weak IPv6, 4 IPv4, 5 strong IPv6, 6 private */
    static const int expected[8][8] = {{4, 4, 4, 4, 4, 1, 1, 4}, {1, 5, 3, 5, 1, 1, 1, 3}, {1, 2, 2, 2, 1, 1, 1, 2},
                                       {1, 3, 3, 3, 1, 1, 1, 3}, {1, 1, 1, 1, 6, 1, 1, 6}, {1, 1, 1, 1, 1, 6, 1, 1},
                                       {1, 1, 1, 1, 1, 1, 6, 1}, {0, 0, 0, 0, 0, 0, 0, 0}};
    for (size_t ours = 0; ours < 8; ours++)
        for (size_t theirs = 0; theirs < 8; theirs++) {
            struct netaddr a = ip(texts[ours]), b = ip(texts[theirs]);
            if (ours == 6) netaddr_flip_to_cjdns(&a);
            if (theirs == 6) netaddr_flip_to_cjdns(&b);
            cr_assert_eq(netaddr_reachability(&a, &b), expected[ours][theirs], "%s from %s: %d", texts[ours],
                         texts[theirs], netaddr_reachability(&a, &b));
        }
}

Test(netaddr, host_and_port)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
        bool ok;
    } facts[] = {
        {"www.bitcoincore.org", "www.bitcoincore.org", 0, true},
        {"[www.bitcoincore.org]", "www.bitcoincore.org", 0, true},
        {"www.bitcoincore.org:80", "www.bitcoincore.org", 80, true},
        {"[www.bitcoincore.org]:80", "www.bitcoincore.org", 80, true},
        {"127.0.0.1", "127.0.0.1", 0, true},
        {"127.0.0.1:8333", "127.0.0.1", 8333, true},
        {"[127.0.0.1]:8333", "127.0.0.1", 8333, true},
        {"::ffff:127.0.0.1", "::ffff:127.0.0.1", 0, true},
        {"[::ffff:127.0.0.1]:8333", "::ffff:127.0.0.1", 8333, true},
        {"[::]:8333", "::", 8333, true},
        {"::8333", "::8333", 0, true},
        {":8333", "", 8333, true},
        {"[]:8333", "", 8333, true},
        {"", "", 0, true},
        {":65535", "", 65535, true},
        {":65536", ":65536", 0, false},
        {":-1", ":-1", 0, false},
        {"[]:70001", "[]:70001", 0, false},
        {"[]:-0", "[]:-0", 0, false},
        {"[]:0", "", 0, false},
        {"[]:1/2", "[]:1/2", 0, false},
        {"[]:1E2", "[]:1E2", 0, false},
        {"127.0.0.1:0", "127.0.0.1", 0, false},
        {"127.0.0.1:", "127.0.0.1:", 0, false},
        {"127.0.0.1:1E2", "127.0.0.1:1E2", 0, false},
        {"www.bitcoincore.org:65536", "www.bitcoincore.org:65536", 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct span host;
        uint16_t port = 0;
        cr_assert_eq(split_host_port(span_str(facts[i].text), &port, &host), facts[i].ok, "%s", facts[i].text);
        cr_assert(span_equal(host, span_str(facts[i].host)), "%s", facts[i].text);
        cr_assert_eq(port, facts[i].port, "%s", facts[i].text);
    }
}

Test(netaddr, endpoints)
{
    static const char *const facts[][2] = {
        {"127.0.0.1", "127.0.0.1:65535"},
        {"127.0.0.1:8333", "127.0.0.1:8333"},
        {"::ffff:127.0.0.1", "127.0.0.1:65535"},
        {"::", "[::]:65535"},
        {"[::]:8333", "[::]:8333"},
        {"[127.0.0.1]", "127.0.0.1:65535"},
        {"[fd6c:88c0:8724:1:2:3:4:5]", "[fd6c:88c0:8724:1:2:3:4:5]:65535"},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:1",
         "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:1"},
    };
    struct endpoint e;
    char text[ENDPOINT_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        cr_assert(endpoint_parse(&e, span_str(facts[i][0]), 65535));
        cr_assert_str_eq(endpoint_text(text, &e), facts[i][1]);
    }
    cr_assert(!endpoint_parse(&e, span_str(":::"), 1));
    cr_assert(!endpoint_parse(&e, span_str(""), 1));
    cr_assert(!endpoint_parse(&e, span_str("[fd6b:88c0:8724:1:2:3:4:5]"), 1));
}

Test(netaddr, keys)
{
    struct endpoint a = {ip("1.2.3.4"), 0x208d}, b = {ip("1.2.3.4"), 0x208e};
    struct endpoint_key ka, kb;
    uint8_t bytes[NETADDR_BYTES + 2];
    char text[sizeof(bytes) * 2 + 1];
    endpoint_key(&ka, &a);
    endpoint_key(&kb, &b);
    cr_assert(memcmp(&ka, &kb, sizeof(ka)) != 0 && !endpoint_equal(&a, &b) && endpoint_equal(&a, &a));
    hex_encode(text, bytes, endpoint_key_bytes(bytes, &a));
    cr_assert_str_eq(text, "00000000000000000000ffff01020304208d");
    a.addr = ip("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
    hex_encode(text, bytes, endpoint_key_bytes(bytes, &a));
    cr_assert_str_eq(text, "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f208d");
    /* The zone of a link-local address is no part of who it is. */
    struct netaddr x = ip("fe80::1%1"), y = ip("fe80::1%2");
    cr_assert(netaddr_equal(&x, &y));
}

Test(netaddr, names_and_ports)
{
    char name[SERVICE_NAME];
    cr_assert_str_eq(service_name(name, 0), "NETWORK");
    cr_assert_str_eq(service_name(name, 10), "NETWORK_LIMITED");
    cr_assert_str_eq(service_name(name, 11), "P2P_V2");
    cr_assert_str_eq(service_name(name, 1), "UNKNOWN[2^1]");
    cr_assert_str_eq(service_name(name, 63), "UNKNOWN[2^63]");
    for (int n = NET_IPV4; n <= NET_CJDNS; n++) cr_assert_eq((int)network_parse(network_name((enum network)n)), n);
    cr_assert_eq(network_parse("ONION"), NET_ONION);
    cr_assert_eq(network_parse("internal"), NET_UNROUTABLE);
    cr_assert_eq(network_parse("tor"), NET_UNROUTABLE);
    int bad = 0;
    for (int port = 1; port <= 65535; port++) bad += port_is_bad((uint16_t)port);
    cr_assert_eq(bad, 85);
    cr_assert(port_is_bad(22) && !port_is_bad(80) && !port_is_bad(8333));
}
