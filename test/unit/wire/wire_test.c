/* Helpers of the tests, and a sample of every message. */
#include "wire_test.h"

struct span bytes_of(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *data = mem_alloc(len);
    cr_assert(hex_decode(data, len, hex));
    return span_of(data, len);
}

struct span exact_copy(struct span s, size_t len)
{
    return span_of(mem_dup(s.data, len), len);
}

void span_free(struct span s)
{
    free((void *)(uintptr_t)s.data);
}

struct netaddr ip(const char *text)
{
    struct netaddr a;
    cr_assert(netaddr_parse(&a, span_str(text)), "%s does not parse", text);
    return a;
}

static struct tx_in input = {.prevout = {.txid = {{7}}, .index = 3}, .script_sig = {(const uint8_t *)"\x51\x52", 2}};
static struct span items[] = {{(const uint8_t *)"abc", 3}, {NULL, 0}};
static struct tx_in witness_input = {.prevout = {.txid = {{8}}}, .sequence = 5, .witness = {items, 2}};
static struct tx_out output = {.value = 5000, .script_pubkey = {(const uint8_t *)"\x6a", 1}};
static struct prefilled_tx prefilled[2];
static struct tx txs[2];
static uint64_t short_ids[] = {0xffeeddccbbaa, 1, 0};
static uint16_t indexes[] = {0, 1, 5, 300, 65535};
static struct inv invs[] = {{INV_TX, {1}}, {INV_WITNESS_BLOCK, {2}}, {INV_WTX, {3}}, {0xffffffff, {4}}};
static struct block_hash hashes[] = {{{1}}, {{2}}, {{3}}};
static struct block_header headers[] = {{.version = -1, .time = 3, .bits = 4, .nonce = 5}, {.version = 2, .nonce = 9}};
static struct peer_addr addrs[6];

static void fill_addrs(enum message_type type)
{
    static const char *const texts[] = {"1.2.3.4",
                                        "2001:db8::1",
                                        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
                                        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
                                        "fc00:1:2:3:4:5:6:7",
                                        "::1"};
    for (size_t i = 0; i < 6; i++) {
        addrs[i] = (struct peer_addr){.at = {ip(texts[type == MESSAGE_ADDR ? i % 2 : i]), (uint16_t)(8333 + i)},
                                      .services = UINT64_C(1) << (11 * i),
                                      .time = 0xfffffff0u + (uint32_t)i};
        if (i == 4 && type == MESSAGE_ADDRV2) netaddr_flip_to_cjdns(&addrs[i].at.addr);
    }
}

static void fill_txs(void)
{
    txs[0] = (struct tx){.version = 2, .in = &input, .in_count = 1, .out = &output, .out_count = 1};
    txs[1] = (struct tx){.version = 1, .in = &witness_input, .in_count = 1, .out = &output, .out_count = 1};
    for (size_t i = 0; i < 2; i++) {
        tx_hash(&txs[i]);
        prefilled[i] = (struct prefilled_tx){.skip = (uint16_t)(i * 1000), .tx = txs[i]};
    }
}

static void sample_handshake(struct message *m)
{
    switch (m->type) {
    case MESSAGE_VERSION:
        m->as.version = (struct version_message){.version = PROTOCOL_VERSION,
                                                 .services = NODE_NETWORK | NODE_WITNESS,
                                                 .time = 1700000000,
                                                 .your_services = 1,
                                                 .you = {ip("9.8.7.6"), 8333},
                                                 .my_services = 9,
                                                 .me = {ip("2001:db8::7"), 18444},
                                                 .nonce = UINT64_C(0x1122334455667788),
                                                 .user_agent = span_str("/Satoshi:31.99.0/cairn:1/"),
                                                 .start_height = 800000,
                                                 .relay = true};
        break;
    case MESSAGE_SENDCMPCT:
        m->as.sendcmpct = (struct sendcmpct_message){.high_bandwidth = 1, .version = CMPCTBLOCKS_VERSION};
        break;
    case MESSAGE_FEEFILTER: m->as.feefilter = 100; break;
    case MESSAGE_FEATURE: m->as.feature = (struct feature_message){span_str("BIP-9"), span_str("data")}; break;
    case MESSAGE_SENDTXRCNCL: m->as.sendtxrcncl = (struct sendtxrcncl_message){.version = 1, .salt = 77}; break;
    case MESSAGE_PING:
    case MESSAGE_PONG: m->as.ping = (struct nonce_message){.has_nonce = true, .nonce = 12345678901234567u}; break;
    default: break;
    }
}

static void sample_filters(struct message *m)
{
    struct span three = span_of(hashes, sizeof(hashes));
    switch (m->type) {
    case MESSAGE_MERKLEBLOCK:
        m->as.merkleblock = (struct merkleblock_message){
            .header = headers[0], .tx_total = 7, .hashes = three, .flags = span_str("\x1d")};
        break;
    case MESSAGE_FILTERLOAD:
        m->as.filterload =
            (struct filterload_message){.filter = span_str("filter"), .functions = 50, .tweak = 7, .flags = 2};
        break;
    case MESSAGE_FILTERADD: m->as.filteradd.element = span_str("element"); break;
    case MESSAGE_GETCFILTERS:
    case MESSAGE_GETCFHEADERS: m->as.getcfilters.start_height = 1000; /* fall through */
    case MESSAGE_GETCFCHECKPT: m->as.getcfilters.stop = hashes[1]; break;
    case MESSAGE_CFILTER:
        m->as.cfilter = (struct cfilter_message){.block = hashes[2], .filter = span_str("golomb")};
        break;
    case MESSAGE_CFHEADERS: m->as.cfheaders.previous[31] = 1; /* fall through */
    case MESSAGE_CFCHECKPT:
        m->as.cfheaders.stop = hashes[0];
        m->as.cfheaders.hashes = three;
        break;
    default: break;
    }
}

static void sample_blocks(struct message *m)
{
    switch (m->type) {
    case MESSAGE_INV:
    case MESSAGE_GETDATA:
    case MESSAGE_NOTFOUND: m->as.inv = (struct inv_message){invs, ARRAY_LEN(invs)}; break;
    case MESSAGE_GETHEADERS:
    case MESSAGE_GETBLOCKS:
        m->as.locator = (struct locator_message){.version = 70016, .hashes = hashes, .count = 3, .stop = {{9}}};
        break;
    case MESSAGE_HEADERS: m->as.headers = (struct headers_message){headers, ARRAY_LEN(headers)}; break;
    case MESSAGE_BLOCK:
    case MESSAGE_TX: m->as.raw.raw = span_str("any bytes"); break;
    case MESSAGE_CMPCTBLOCK:
        fill_txs();
        m->as.cmpctblock = (struct compact_block){.header = headers[0],
                                                  .nonce = 99,
                                                  .short_ids = short_ids,
                                                  .short_count = ARRAY_LEN(short_ids),
                                                  .prefilled = prefilled,
                                                  .prefilled_count = 2};
        break;
    case MESSAGE_GETBLOCKTXN:
        m->as.getblocktxn = (struct getblocktxn_message){hashes[0], indexes, ARRAY_LEN(indexes)};
        break;
    case MESSAGE_BLOCKTXN:
        fill_txs();
        m->as.blocktxn = (struct blocktxn_message){hashes[0], txs, 2};
        break;
    default: break;
    }
}

void message_sample(struct message *m, enum message_type type)
{
    *m = (struct message){.type = type};
    if (type == MESSAGE_ADDR || type == MESSAGE_ADDRV2) {
        fill_addrs(type);
        m->as.addr = (struct addr_message){addrs, ARRAY_LEN(addrs)};
    }
    sample_handshake(m);
    sample_blocks(m);
    sample_filters(m);
}
