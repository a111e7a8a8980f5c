/* Addresses in messages: legacy and BIP155 encodings. The vectors are Bitcoin Core's. */
#include "wire_test.h"

TestSuite(netaddr_wire);

static void check_written(const struct netaddr *a, const char *v1, const char *v2)
{
    struct buffer out = {0};
    char text[200];
    netaddr_write_v1(&out, a);
    hex_encode(text, out.data, out.len);
    cr_assert_str_eq(text, v1);
    out.len = 0;
    netaddr_write_v2(&out, a);
    hex_encode(text, out.data, out.len);
    cr_assert_str_eq(text, v2);
    buffer_clear(&out);
}

Test(netaddr_wire, writing)
{
    struct netaddr a = netaddr_none();
    check_written(&a, "00000000000000000000000000000000", "021000000000000000000000000000000000");
    a = (struct netaddr){0};
    check_written(&a, "00000000000000000000000000000000", "021000000000000000000000000000000000");
    a = ip("1.2.3.4");
    check_written(&a, "00000000000000000000ffff01020304", "010401020304");
    a = ip("1a1b:2a2b:3a3b:4a4b:5a5b:6a6b:7a7b:8a8b");
    check_written(&a, "1a1b2a2b3a3b4a4b5a5b6a6b7a7b8a8b", "02101a1b2a2b3a3b4a4b5a5b6a6b7a7b8a8b");
    a = ip("kpgvmscirrdqpekbqjsvw5teanhatztpp2gl6eee4zkowvwfxwenqaid.onion");
    check_written(&a, "00000000000000000000000000000000",
                  "042053cd5648488c4707914182655b7664034e09e66f7e8cbf1084e654eb56c5bd88");
    a = netaddr_internal("a");
    check_written(&a, "fd6b88c08724ca978112ca1bbdcafac2", "0210fd6b88c08724ca978112ca1bbdcafac2");
}

static const struct {
    const char *hex;
    enum network net;
    bool ok, valid;
    const char *text;
} v2_facts[] = {
    {"010401020304", NET_IPV4, true, true, "1.2.3.4"},
    {"01040102", NET_IPV6, false, false, "::"},
    {"010501020304", NET_IPV6, false, false, "::"},
    {"01fd010201020304", NET_IPV6, false, false, "::"},
    {"02100102030405060708090a0b0c0d0e0f10", NET_IPV6, true, true, "102:304:506:708:90a:b0c:d0e:f10"},
    {"0210fd6b88c08724ca978112ca1bbdcafac2", NET_INTERNAL, true, false, "zklycewkdo64v6wc.internal"},
    {"020400", NET_IPV6, false, false, "::"},
    {"021000000000000000000000ffff01020304", NET_IPV6, true, false, "::"}, /* IPv4 hidden in IPv6 */
    {"0210fd87d87eeb430102030405060708090a", NET_IPV6, true, false, "::"}, /* Tor v2 hidden in IPv6 */
    {"030af1f2f3f4f5f6f7f8f9fa", NET_IPV6, true, false, "::"},             /* Tor v2 */
    {"042079bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f", NET_ONION, true, true,
     "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"},
    {"040000", NET_IPV6, false, false, "::"},
    {"0520a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a87", NET_I2P, true, true,
     "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"},
    {"050300", NET_IPV6, false, false, "::"},
    {"0610fc000001000200030004000500060007", NET_CJDNS, true, true, "fc00:1:2:3:4:5:6:7"},
    {"0610aa000001000200030004000500060007", NET_CJDNS, true, false, "aa00:1:2:3:4:5:6:7"},
    {"060100", NET_IPV6, false, false, "::"},
    {"aafe0000000201020304050607", NET_IPV6, false, false, "::"},
    {"aa0401020304", NET_IPV6, true, false, "::"},
    {"aa00", NET_IPV6, true, false, "::"},
    {"00", NET_IPV6, false, false, "::"},
};

Test(netaddr_wire, reading_v2)
{
    for (size_t i = 0; i < ARRAY_LEN(v2_facts); i++) {
        struct span bytes = bytes_of(v2_facts[i].hex);
        struct reader r = reader_of(bytes);
        struct netaddr a;
        char text[NETADDR_TEXT];
        netaddr_read_v2(&a, &r);
        cr_assert_eq(!r.failed, v2_facts[i].ok, "%s", v2_facts[i].hex);
        cr_assert(reader_left(&r) == 0);
        cr_assert_eq(a.net, v2_facts[i].net, "%s", v2_facts[i].hex);
        cr_assert_eq(netaddr_is_valid(&a), v2_facts[i].valid, "%s", v2_facts[i].hex);
        cr_assert_str_eq(netaddr_text(text, &a), v2_facts[i].text);
        span_free(bytes);
    }
    printf("BIP155 addresses: %zu\n", ARRAY_LEN(v2_facts));
}

/* The longest address that an unknown network may have is skipped; one byte more fails. */
Test(netaddr_wire, unknown_length_limit)
{
    for (unsigned len = 512; len <= 513; len++) {
        struct buffer b = {0};
        buffer_put_u8(&b, 7);
        buffer_put_u8(&b, 0xfd);
        buffer_put_le16(&b, (uint16_t)len);
        memset(buffer_extend(&b, len), 1, len);
        struct reader r = reader_of(buffer_span(&b));
        struct netaddr a;
        netaddr_read_v2(&a, &r);
        cr_assert_eq(r.failed, len > 512);
        cr_assert(!netaddr_is_valid(&a) && reader_left(&r) == 0);
        buffer_clear(&b);
    }
}

Test(netaddr_wire, reading_v1)
{
    static const struct {
        const char *hex;
        enum network net;
    } facts[] = {{"00000000000000000000ffff01020304", NET_IPV4},
                 {"fd6b88c08724ca978112ca1bbdcafac2", NET_INTERNAL},
                 {"fd87d87eeb430102030405060708090a", NET_IPV6},
                 {"1a1b2a2b3a3b4a4b5a5b6a6b7a7b8a8b", NET_IPV6}};
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct span bytes = bytes_of(facts[i].hex);
        struct reader r = reader_of(bytes);
        struct netaddr a;
        netaddr_read_v1(&a, &r);
        cr_assert(!r.failed && a.net == facts[i].net);
        if (i == 2) cr_assert(!netaddr_is_valid(&a)); /* Tor v2 */
        span_free(bytes);
    }
}

static const char *const stream_v1 = "03"
                                     "61bc6649000000000000000000000000000000000000000000000001"
                                     "0000"
                                     "79627683010000000000000000000000000000000000000000000001"
                                     "00f1"
                                     "ffffffff480400000000000000000000000000000000000000000001"
                                     "f1f2";
static const char *const stream_v2 = "03"
                                     "61bc6649000210000000000000000000000000000000010000"
                                     "796276830102100000000000000000000000000000000100f1"
                                     "fffffffffd480402100000000000000000000000000000000"
                                     "1f1f2";

static void check_stream(enum message_type type, const char *hex)
{
    static const struct {
        uint32_t time;
        uint64_t services;
        uint16_t port;
    } facts[] = {{0x4966bc61, 0, 0},
                 {0x83766279, NODE_NETWORK, 0x00f1},
                 {0xffffffff, NODE_WITNESS | NODE_COMPACT_FILTERS | NODE_NETWORK_LIMITED, 0xf1f2}};
    struct span bytes = bytes_of(hex);
    struct arena arena = {0};
    struct message m;
    cr_assert_eq(message_read(&m, type, bytes, &arena), MESSAGE_OK);
    cr_assert_eq(m.as.addr.count, 3);
    for (int i = 0; i < 3; i++) {
        const struct peer_addr *a = &m.as.addr.addrs[i];
        char text[NETADDR_TEXT];
        cr_assert(a->time == facts[i].time && a->services == facts[i].services && a->at.port == facts[i].port);
        cr_assert_str_eq(netaddr_text(text, &a->at.addr), "::1");
    }
    struct buffer out = {0};
    message_write(&out, &m);
    cr_assert(span_equal(buffer_span(&out), bytes));
    buffer_clear(&out);
    arena_clear(&arena);
    span_free(bytes);
}

Test(netaddr_wire, streams)
{
    check_stream(MESSAGE_ADDR, stream_v1);
    check_stream(MESSAGE_ADDRV2, stream_v2);
}
