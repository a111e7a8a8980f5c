/* Every message from strangers: the first byte chooses the type; what reads must write, and read again to the same
 * bytes. Compact blocks are put together, addresses asked everything. */
#include "base/check.h"
#include "wire/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_address(const struct netaddr *a)
{
    char text[NETADDR_TEXT];
    struct netaddr again;
    struct netgroup g = netaddr_group(a);
    CHECK(g.len >= 1 && g.len <= sizeof(g.bytes));
    CHECK(netaddr_is_valid(a) || !netaddr_is_routable(a));
    netaddr_text(text, a);
    if (a->net == NET_CJDNS || a->net == NET_INTERNAL || !netaddr_parse(&again, span_str(text))) return;
    CHECK(netaddr_equal(a, &again));
}

static void put_together(const struct compact_block *c)
{
    struct partial_block p = {0};
    if (partial_block_init(&p, c) == PARTIAL_OK) {
        struct partial_candidate candidates[2] = {{.raw = span_str("0123456789")}, {.raw = span_str("9876543210")}};
        struct buffer out = {0};
        size_t count;
        candidates[1].wtxid.bytes[0] = 1;
        partial_block_offer(&p, candidates, 2, false);
        partial_block_missing(&p, &count);
        CHECK(count <= p.tx_count);
        CHECK(partial_block_fill(&p, &out, NULL, 0) == (count == 0 ? PARTIAL_OK : PARTIAL_INVALID));
        buffer_clear(&out);
    }
    partial_block_clear(&p);
}

static void use(const struct message *m)
{
    if (m->type == MESSAGE_ADDR || m->type == MESSAGE_ADDRV2) {
        CHECK(m->as.addr.count <= MAX_ADDR);
        for (size_t i = 0; i < m->as.addr.count; i++) ask_address(&m->as.addr.addrs[i].at.addr);
    } else if (m->type == MESSAGE_CMPCTBLOCK) {
        put_together(&m->as.cmpctblock);
    } else if (m->type == MESSAGE_VERSION) {
        CHECK(m->as.version.time >= 0 && m->as.version.user_agent.len <= MAX_USER_AGENT);
        ask_address(&m->as.version.you.addr);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    enum message_type type = (enum message_type)(data[0] % MESSAGE_TYPE_COUNT);
    struct arena arena = {0};
    struct message m, again;
    enum message_status status = message_read(&m, type, span_of(data + 1, size - 1), &arena);
    if (status == MESSAGE_OK) {
        struct buffer first = {0}, second = {0};
        use(&m);
        message_write(&first, &m);
        CHECK(message_read(&again, type, buffer_span(&first), &arena) == MESSAGE_OK);
        message_write(&second, &again);
        CHECK(span_equal(buffer_span(&first), buffer_span(&second)));
        buffer_clear(&first);
        buffer_clear(&second);
    } else {
        char fault[MESSAGE_FAULT];
        CHECK(message_fault(fault, &m)[0] != '\0');
    }
    arena_clear(&arena);
    return 0;
}
