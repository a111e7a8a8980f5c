/* Subnets: what parses, what matches, how they print. The facts are those of Bitcoin Core's own tests. */
#include "wire_test.h"

#include "wire/subnet.h"

TestSuite(subnet);

static struct subnet parse(const char *text)
{
    return subnet_parse(span_str(text), false);
}

Test(subnet, matches)
{
    static const struct {
        const char *subnet, *address;
        bool match;
    } facts[] = {
        {"1.2.3.0/24", "1.2.3.4", true},
        {"1.2.2.0/24", "1.2.3.4", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4/32", "1.2.3.4", true},
        {"1.2.3.4", "5.6.7.8", false},
        {"1.2.3.4/32", "5.6.7.8", false},
        {"::ffff:127.0.0.1", "127.0.0.1", true},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", true},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:9", false},
        {"1:2:3:4:5:6:7:0/112", "1:2:3:4:5:6:7:1234", true},
        {"192.168.0.1/24", "192.168.0.2", true},
        {"192.168.0.20/29", "192.168.0.18", true},
        {"1.2.2.110/31", "1.2.2.111", true},
        {"1.2.2.20/26", "1.2.2.63", true},
        {"1.2.2.20/26", "1.2.2.64", false},
        {"::/0", "1:2:3:4:5:6:7:1234", true},
        {"::/0", "::", false},
        {"::/0", "0.0.0.0", false},
        {"::/0", "1.2.3.4", false},
        {"0.0.0.0/0", "1:2:3:4:5:6:7:1234", false},
        {"", "4.5.6.7", false},
        {"bloop", "0.0.0.0", false},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
         "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", true},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
         "kpgvmscirrdqpekbqjsvw5teanhatztpp2gl6eee4zkowvwfxwenqaid.onion", false},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "1.2.3.4", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct subnet s = parse(facts[i].subnet);
        struct netaddr a = ip(facts[i].address);
        cr_assert_eq(subnet_match(&s, &a), facts[i].match, "%s %s", facts[i].subnet, facts[i].address);
    }
    printf("subnets: %zu matches\n", ARRAY_LEN(facts));
}

Test(subnet, validity)
{
    static const char *const valid[] = {"1.2.3.0/0", "1.2.3.0/32", "1:2:3:4:5:6:7:8/0", "1:2:3:4:5:6:7:8/33",
                                        "1:2:3:4:5:6:7:8/128"};
    static const char *const invalid[] = {"1.2.3.0/-1",
                                          "1.2.3.0/+24",
                                          "1.2.3.0/33",
                                          "1.2.3.0/300",
                                          "1.2.3.0/",
                                          "/24",
                                          "1:2:3:4:5:6:7:8/-1",
                                          "1:2:3:4:5:6:7:8/129",
                                          "fuzzy",
                                          "1.2.3.4/255.255.232.0",
                                          "1.2.3.4/255.0.255.255",
                                          "1:2:3:4:5:6:7:8/ffff:ffff:ffff:fffe:ffff:ffff:ffff:ff0f",
                                          "1.1.1.1/ffff::",
                                          "::1/255.0.0.0",
                                          "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/200",
                                          "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion/255.0.0.0"};
    for (size_t i = 0; i < ARRAY_LEN(valid); i++) cr_assert(parse(valid[i]).valid, "%s", valid[i]);
    for (size_t i = 0; i < ARRAY_LEN(invalid); i++) cr_assert(!parse(invalid[i]).valid, "%s", invalid[i]);
    struct netaddr internal = netaddr_internal("x");
    cr_assert(!subnet_of(&internal).valid);
    cr_assert(!subnet_parse(span_of("1.2.3.0/24\0", 11), false).valid);
}

Test(subnet, texts)
{
    static const char *const facts[][2] = {
        {"1.2.3.4", "1.2.3.4/32"},
        {"1.2.3.4/8", "1.0.0.0/8"},
        {"1.2.3.4/0", "0.0.0.0/0"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128"},
        {"1:2:3:4:5:6:7:8/ffff:0000:0000:0000:0000:0000:0000:0000", "1::/16"},
        {"1:2:3:4:5:6:7:8/::", "::/0"},
        {"fc00::1/128", "fc00::1/128"},
        {"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
         "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"},
    };
    char text[SUBNET_TEXT];
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct subnet s = parse(facts[i][0]);
        cr_assert_str_eq(subnet_text(text, &s), facts[i][1]);
    }
    struct subnet cjdns = subnet_parse(span_str("fc00::1"), true);
    cr_assert(cjdns.valid && cjdns.network.net == NET_CJDNS);
    cr_assert_str_eq(subnet_text(text, &cjdns), "fc00::1");
    cr_assert(!subnet_parse(span_str("fc00::1/8"), true).valid);
}

/* A mask in dots and a number of bits are the same, for each number. */
Test(subnet, masks)
{
    for (unsigned bits = 0; bits <= 32; bits++) {
        uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0;
        char by_bits[40], by_mask[40];
        snprintf(by_bits, sizeof(by_bits), "1.2.255.4/%u", bits);
        snprintf(by_mask, sizeof(by_mask), "1.2.255.4/%u.%u.%u.%u", mask >> 24, mask >> 16 & 255, mask >> 8 & 255,
                 mask & 255);
        struct subnet a = parse(by_bits), b = parse(by_mask), c = parse("1.2.255.4/7");
        cr_assert(a.valid && subnet_equal(&a, &b), "%s %s", by_bits, by_mask);
        cr_assert(subnet_equal(&a, &c) == (bits == 7));
    }
}
