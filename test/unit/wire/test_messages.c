/* Messages: the table, every sample there and back, every truncation, every limit at its edge. */
#include "wire_test.h"

#include "primitives/compact_size.h"

TestSuite(messages);

Test(messages, table)
{
    static const char *const names[] = {
        "version",    "verack",       "addr",        "addrv2",      "sendaddrv2",  "inv",
        "getdata",    "merkleblock",  "getblocks",   "getheaders",  "tx",          "headers",
        "block",      "getaddr",      "mempool",     "ping",        "pong",        "notfound",
        "filterload", "filteradd",    "filterclear", "sendheaders", "feefilter",   "sendcmpct",
        "cmpctblock", "getblocktxn",  "blocktxn",    "getcfilters", "cfilter",     "getcfheaders",
        "cfheaders",  "getcfcheckpt", "cfcheckpt",   "wtxidrelay",  "sendtxrcncl", "feature"};
    static const char *const by_short_id[] = {"",
                                              "addr",
                                              "block",
                                              "blocktxn",
                                              "cmpctblock",
                                              "feefilter",
                                              "filteradd",
                                              "filterclear",
                                              "filterload",
                                              "getblocks",
                                              "getblocktxn",
                                              "getdata",
                                              "getheaders",
                                              "headers",
                                              "inv",
                                              "mempool",
                                              "merkleblock",
                                              "notfound",
                                              "ping",
                                              "pong",
                                              "sendcmpct",
                                              "tx",
                                              "getcfilters",
                                              "cfilter",
                                              "getcfheaders",
                                              "cfheaders",
                                              "getcfcheckpt",
                                              "cfcheckpt",
                                              "addrv2",
                                              "",
                                              "",
                                              "",
                                              "",
                                              "",
                                              "",
                                              "",
                                              "",
                                              "feature"};
    cr_assert_eq(ARRAY_LEN(names), MESSAGE_TYPE_COUNT - 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum message_type type = message_type_of(names[i]);
        cr_assert(type != MESSAGE_UNKNOWN && message_row(type)->type == type, "%s", names[i]);
        cr_assert(strlen(names[i]) <= MESSAGE_NAME_BYTES);
    }
    for (unsigned id = 0; id < 256; id++) {
        const char *name = id < ARRAY_LEN(by_short_id) ? by_short_id[id] : "";
        cr_assert_eq(message_type_of_short_id((uint8_t)id), message_type_of(name), "%u", id);
    }
    cr_assert_eq(message_type_of(""), MESSAGE_UNKNOWN);
    cr_assert_eq(message_type_of("reject"), MESSAGE_UNKNOWN);
    cr_assert_eq(message_type_of("Version"), MESSAGE_UNKNOWN);
    cr_assert_eq(message_type_of("verackx"), MESSAGE_UNKNOWN);
    struct message m;
    struct arena arena = {0};
    cr_assert_eq(message_read(&m, MESSAGE_UNKNOWN, span_str("x"), &arena), MESSAGE_OK);
}

Test(messages, round_trips)
{
    size_t bytes = 0;
    for (int type = 1; type < MESSAGE_TYPE_COUNT; type++) {
        struct message sample, read;
        struct buffer first = {0}, second = {0};
        struct arena arena = {0};
        message_sample(&sample, (enum message_type)type);
        message_write(&first, &sample);
        struct span exact = exact_copy(buffer_span(&first), first.len);
        cr_assert_eq(message_read(&read, (enum message_type)type, exact, &arena), MESSAGE_OK, "%s",
                     message_row((enum message_type)type)->name);
        message_write(&second, &read);
        cr_assert(span_equal(buffer_span(&first), buffer_span(&second)), "%s",
                  message_row((enum message_type)type)->name);
        bytes += first.len;
        span_free(exact);
        buffer_clear(&first);
        buffer_clear(&second);
        arena_clear(&arena);
    }
    printf("round trips: %d messages, %zu bytes\n", MESSAGE_TYPE_COUNT - 1, bytes);
}

/* What a payload cut at LEN must read as. */
static enum message_status cut_status(enum message_type type, size_t len)
{
    switch (type) {
    case MESSAGE_VERSION: /* complete up to the receiver's address, the nonce, the user agent, the height */
        return len == 46 || len == 80 || len == 106 || len == 110 ? MESSAGE_OK : MESSAGE_MALFORMED;
    case MESSAGE_FEATURE: return MESSAGE_DISCONNECT;
    case MESSAGE_PING: return len == 0 ? MESSAGE_OK : MESSAGE_MALFORMED;
    case MESSAGE_PONG:
    case MESSAGE_BLOCK:
    case MESSAGE_TX: return MESSAGE_OK;
    default: return MESSAGE_MALFORMED;
    }
}

Test(messages, truncations)
{
    size_t cuts = 0;
    for (int i = 1; i < MESSAGE_TYPE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        struct message sample, read;
        struct buffer whole = {0};
        message_sample(&sample, type);
        message_write(&whole, &sample);
        for (size_t len = 0; len < whole.len; len++, cuts++) {
            struct arena arena = {0};
            struct span cut = exact_copy(buffer_span(&whole), len);
            cr_assert_eq(message_read(&read, type, cut, &arena), cut_status(type, len), "%s cut at %zu",
                         message_row(type)->name, len);
            span_free(cut);
            arena_clear(&arena);
        }
        buffer_clear(&whole);
    }
    printf("truncations: %zu\n", cuts);
}

/* Bytes after the end are no fault, but for `feature`, which is strict. */
Test(messages, bytes_left_over)
{
    for (int i = 1; i < MESSAGE_TYPE_COUNT; i++) {
        struct message sample, read;
        struct buffer b = {0};
        struct arena arena = {0};
        message_sample(&sample, (enum message_type)i);
        message_write(&b, &sample);
        buffer_put_u8(&b, 0);
        enum message_status expected = i == MESSAGE_FEATURE ? MESSAGE_DISCONNECT : MESSAGE_OK;
        cr_assert_eq(message_read(&read, (enum message_type)i, buffer_span(&b), &arena), expected, "%s",
                     message_row((enum message_type)i)->name);
        buffer_clear(&b);
        arena_clear(&arena);
    }
}

/* COUNT elements of ZEROES bytes each between HEAD and TAIL zero bytes. */
static struct buffer repeated(size_t head, uint64_t count, size_t zeroes, size_t tail)
{
    struct buffer b = {0};
    memset(buffer_extend(&b, head + 1), 0, head);
    b.len = head;
    buffer_put_compact_size(&b, count);
    size_t len = (size_t)count * zeroes + tail;
    memset(buffer_extend(&b, len + 1), 0, len);
    b.len--;
    return b;
}

static void check_limit(enum message_type type, struct buffer b, enum message_status expected, const char *fault)
{
    struct message m;
    struct arena arena = {0};
    char text[MESSAGE_FAULT];
    struct span payload = exact_copy(buffer_span(&b), b.len);
    enum message_status status = message_read(&m, type, payload, &arena);
    cr_assert_eq(status, expected, "%s: %d", message_row(type)->name, (int)status);
    if (fault) cr_assert_str_eq(message_fault(text, &m), fault);
    span_free(payload);
    buffer_clear(&b);
    arena_clear(&arena);
}

Test(messages, limits)
{
    check_limit(MESSAGE_INV, repeated(0, 50000, 36, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_INV, repeated(0, 50001, 36, 0), MESSAGE_MISBEHAVES, "inv message size = 50001");
    check_limit(MESSAGE_GETDATA, repeated(0, 50001, 36, 0), MESSAGE_MISBEHAVES, "getdata message size = 50001");
    check_limit(MESSAGE_NOTFOUND, repeated(0, 50001, 36, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_ADDR, repeated(0, 1000, 30, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_ADDR, repeated(0, 1001, 30, 0), MESSAGE_MISBEHAVES, "addr message size = 1001");
    check_limit(MESSAGE_ADDRV2, repeated(0, 1000, 9, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_ADDRV2, repeated(0, 1001, 9, 0), MESSAGE_MISBEHAVES, "addrv2 message size = 1001");
    check_limit(MESSAGE_HEADERS, repeated(0, 2000, 81, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_HEADERS, repeated(0, 2001, 81, 0), MESSAGE_MISBEHAVES, "headers message size = 2001");
    check_limit(MESSAGE_GETHEADERS, repeated(4, 101, 32, 32), MESSAGE_OK, NULL);
    check_limit(MESSAGE_GETHEADERS, repeated(4, 102, 32, 32), MESSAGE_DISCONNECT, "getheaders locator size 102 > 101");
    check_limit(MESSAGE_GETBLOCKS, repeated(4, 102, 32, 32), MESSAGE_DISCONNECT, "getblocks locator size 102 > 101");
    check_limit(MESSAGE_FILTERLOAD, repeated(0, 36000, 1, 9), MESSAGE_OK, NULL);
    check_limit(MESSAGE_FILTERLOAD, repeated(0, 36001, 1, 9), MESSAGE_MISBEHAVES, "too-large bloom filter");
    check_limit(MESSAGE_FILTERADD, repeated(0, 520, 1, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_FILTERADD, repeated(0, 521, 1, 0), MESSAGE_MISBEHAVES, "bad filteradd message");
    check_limit(MESSAGE_GETBLOCKTXN, repeated(32, 65536, 1, 0), MESSAGE_OK, NULL);
    check_limit(MESSAGE_GETBLOCKTXN, repeated(32, 65537, 1, 0), MESSAGE_MALFORMED, NULL);
    check_limit(MESSAGE_CMPCTBLOCK, repeated(88, 65535, 6, 1), MESSAGE_OK, NULL);
    check_limit(MESSAGE_CMPCTBLOCK, repeated(88, 65536, 6, 1), MESSAGE_MALFORMED, NULL);
}

/* Which fault counts where there are two: most limits come after the whole was read, that of headers before. */
Test(messages, order_of_faults)
{
    struct buffer b = repeated(0, 50001, 36, 0);
    b.len--;
    check_limit(MESSAGE_INV, b, MESSAGE_MALFORMED, NULL);
    b = repeated(0, 2001, 0, 0);
    check_limit(MESSAGE_HEADERS, b, MESSAGE_MISBEHAVES, "headers message size = 2001");
    b = repeated(0, 1001, 9, 0);
    b.data[b.len - 9 + 5] = 1; /* the network id of the last entry: IPv4 with no bytes */
    check_limit(MESSAGE_ADDRV2, b, MESSAGE_MALFORMED, NULL);
    b = repeated(4, 102, 32, 31);
    check_limit(MESSAGE_GETHEADERS, b, MESSAGE_MALFORMED, NULL);
}

/* Counts that promise more than any message holds take no memory. */
Test(messages, hostile_counts)
{
    static const struct {
        enum message_type type;
        size_t head;
    } lists[] = {{MESSAGE_ADDR, 0},       {MESSAGE_ADDRV2, 0},       {MESSAGE_INV, 0},
                 {MESSAGE_NOTFOUND, 0},   {MESSAGE_GETHEADERS, 4},   {MESSAGE_CMPCTBLOCK, 88},
                 {MESSAGE_BLOCKTXN, 32},  {MESSAGE_CFHEADERS, 65},   {MESSAGE_GETBLOCKTXN, 32},
                 {MESSAGE_CFCHECKPT, 33}, {MESSAGE_MERKLEBLOCK, 84}, {MESSAGE_CFILTER, 33}};
    static const uint64_t counts[] = {COMPACT_SIZE_LIMIT, COMPACT_SIZE_LIMIT + 1, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (size_t j = 0; j < ARRAY_LEN(counts); j++) {
            struct message m;
            struct arena arena = {0};
            struct buffer b = {0};
            memset(buffer_extend(&b, lists[i].head + 1), 0, lists[i].head);
            b.len--;
            buffer_put_compact_size(&b, counts[j]);
            cr_assert_eq(message_read(&m, lists[i].type, buffer_span(&b), &arena), MESSAGE_MALFORMED);
            cr_assert_leq(arena.bytes, 100000);
            arena_clear(&arena);
            buffer_clear(&b);
        }
}

static enum message_status read_hex(struct message *m, enum message_type type, const char *hex, struct arena *arena)
{
    struct span s = bytes_of(hex);
    enum message_status status = message_read(m, type, s, arena);
    span_free(s);
    return status;
}

Test(messages, version_left_out)
{
    struct message sample, m;
    struct buffer b = {0};
    struct arena arena = {0};
    message_sample(&sample, MESSAGE_VERSION);
    sample.as.version.time = -1;
    sample.as.version.relay = false;
    message_write(&b, &sample);
    cr_assert_eq(message_read(&m, MESSAGE_VERSION, span_of(b.data, 46), &arena), MESSAGE_OK);
    const struct version_message *v = &m.as.version;
    cr_assert(v->time == 0 && v->nonce == 1 && v->user_agent.len == 0 && v->start_height == -1 && v->relay);
    cr_assert_eq(message_read(&m, MESSAGE_VERSION, span_of(b.data, 80), &arena), MESSAGE_OK);
    cr_assert(v->nonce == sample.as.version.nonce && v->user_agent.len == 0 && v->relay);
    cr_assert_eq(message_read(&m, MESSAGE_VERSION, buffer_span(&b), &arena), MESSAGE_OK);
    cr_assert(v->start_height == 800000 && !v->relay && v->you.port == 8333);
    cr_assert(span_equal(v->user_agent, sample.as.version.user_agent));
    b.data[b.len - 1] = 2; /* any other than zero is true */
    cr_assert_eq(message_read(&m, MESSAGE_VERSION, buffer_span(&b), &arena), MESSAGE_OK);
    cr_assert(v->relay);
    buffer_clear(&b);
}

Test(messages, user_agent_limit)
{
    static const char text[258];
    for (size_t len = 256; len <= 257; len++) {
        struct message sample, m;
        struct buffer b = {0};
        struct arena arena = {0};
        message_sample(&sample, MESSAGE_VERSION);
        sample.as.version.user_agent = span_of(text, len);
        message_write(&b, &sample);
        cr_assert_eq(message_read(&m, MESSAGE_VERSION, buffer_span(&b), &arena),
                     len > 256 ? MESSAGE_MALFORMED : MESSAGE_OK);
        buffer_clear(&b);
    }
}

Test(messages, negotiation)
{
    struct message m;
    struct arena arena = {0};
    char text[MESSAGE_FAULT];
    cr_assert_eq(read_hex(&m, MESSAGE_SENDCMPCT, "000200000000000000", &arena), MESSAGE_OK);
    cr_assert(m.as.sendcmpct.version == 2 && !m.as.sendcmpct.high_bandwidth);
    cr_assert_eq(read_hex(&m, MESSAGE_SENDCMPCT, "020200000000000000", &arena), MESSAGE_MISBEHAVES);
    cr_assert_str_eq(message_fault(text, &m), "invalid sendcmpct announce field");
    cr_assert_eq(read_hex(&m, MESSAGE_FEEFILTER, "ffffffffffffffff", &arena), MESSAGE_OK);
    cr_assert_eq(m.as.feefilter, -1);
    cr_assert_eq(read_hex(&m, MESSAGE_PING, "", &arena), MESSAGE_OK);
    cr_assert(!m.as.ping.has_nonce);
    cr_assert_eq(read_hex(&m, MESSAGE_PONG, "01020304050607", &arena), MESSAGE_OK);
    cr_assert(!m.as.ping.has_nonce && m.as.ping.nonce == 0);
    cr_assert_eq(read_hex(&m, MESSAGE_PONG, "0100000000000080", &arena), MESSAGE_OK);
    cr_assert(m.as.ping.has_nonce && m.as.ping.nonce == UINT64_C(0x8000000000000001));
}

/* BIP434: identifiers of 4 to 80 bytes, data of up to 512. */
Test(messages, feature)
{
    static const struct {
        size_t id, data;
        bool ok;
    } facts[] = {{3, 0, false}, {4, 0, true}, {80, 512, true}, {81, 0, false}, {4, 513, false}, {0, 0, false}};
    static const uint8_t zeroes[600];
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct message m = {.type = MESSAGE_FEATURE}, read;
        struct buffer b = {0};
        struct arena arena = {0};
        m.as.feature = (struct feature_message){span_of(zeroes, facts[i].id), span_of(zeroes, facts[i].data)};
        message_write(&b, &m);
        cr_assert_eq(message_read(&read, MESSAGE_FEATURE, buffer_span(&b), &arena),
                     facts[i].ok ? MESSAGE_OK : MESSAGE_DISCONNECT);
        buffer_clear(&b);
    }
}

Test(messages, bloom_functions)
{
    struct message sample, m;
    struct arena arena = {0};
    char text[MESSAGE_FAULT];
    for (uint32_t functions = 50; functions <= 51; functions++) {
        struct buffer b = {0};
        message_sample(&sample, MESSAGE_FILTERLOAD);
        sample.as.filterload.functions = functions;
        message_write(&b, &sample);
        cr_assert_eq(message_read(&m, MESSAGE_FILTERLOAD, buffer_span(&b), &arena),
                     functions > 50 ? MESSAGE_MISBEHAVES : MESSAGE_OK);
        buffer_clear(&b);
    }
    cr_assert_str_eq(message_fault(text, &m), "too-large bloom filter");
}

Test(messages, inv_kinds)
{
    static const struct {
        uint32_t type;
        bool tx, block;
    } facts[] = {{0, 0, 0},
                 {INV_TX, 1, 0},
                 {INV_BLOCK, 0, 1},
                 {INV_FILTERED_BLOCK, 0, 1},
                 {INV_CMPCT_BLOCK, 0, 1},
                 {INV_WTX, 1, 0},
                 {INV_WITNESS_TX, 1, 0},
                 {INV_WITNESS_BLOCK, 0, 1},
                 {INV_WTX | INV_WITNESS, 0, 0},
                 {INV_FILTERED_BLOCK | INV_WITNESS, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct inv v = {.type = facts[i].type};
        cr_assert(inv_is_tx(&v) == facts[i].tx && inv_is_block(&v) == facts[i].block);
    }
}

/* The number of transactions after each header does not matter, as long as it is a number. */
Test(messages, headers_tx_count)
{
    struct message m;
    struct arena arena = {0};
    struct buffer b = repeated(0, 1, 81, 0);
    b.data[b.len - 1] = 5;
    cr_assert_eq(message_read(&m, MESSAGE_HEADERS, buffer_span(&b), &arena), MESSAGE_OK);
    b.data[b.len - 1] = 0xfd;
    cr_assert_eq(message_read(&m, MESSAGE_HEADERS, buffer_span(&b), &arena), MESSAGE_MALFORMED);
    buffer_put_le16(&b, 0xfc); /* three bytes for what fits in one */
    cr_assert_eq(message_read(&m, MESSAGE_HEADERS, buffer_span(&b), &arena), MESSAGE_MALFORMED);
    b.len -= 2;
    buffer_put_le16(&b, 0xfd);
    cr_assert_eq(message_read(&m, MESSAGE_HEADERS, buffer_span(&b), &arena), MESSAGE_OK);
    buffer_clear(&b);
    arena_clear(&arena);
}

Test(messages, user_agent)
{
    static const char *const comments[] = {"testnode0", "x"};
    struct buffer b = {0};
    user_agent_put(&b, "Satoshi", "31.99.0", NULL, 0);
    cr_assert_str_eq(buffer_text(&b), "/Satoshi:31.99.0/");
    user_agent_put(&b, "cairn", "0.1.0", comments, 2);
    cr_assert_str_eq(buffer_text(&b), "/Satoshi:31.99.0/cairn:0.1.0(testnode0; x)/");
    buffer_clear(&b);
}

/* Random damage: whatever reads, writes back and reads again to the same bytes. */
Test(messages, damaged)
{
    struct random random;
    random_init_u64(&random, 11);
    size_t read_ok = 0, total = 0;
    for (int i = 1; i < MESSAGE_TYPE_COUNT; i++) {
        enum message_type type = (enum message_type)i;
        struct message sample, m, again;
        struct buffer b = {0};
        message_sample(&sample, type);
        message_write(&b, &sample);
        for (int n = 0; n < 2000 && b.len; n++, total++) {
            struct arena arena = {0};
            struct buffer first = {0}, second = {0};
            struct span s = exact_copy(buffer_span(&b), b.len);
            for (uint64_t flips = 1 + random_below(&random, 3); flips; flips--)
                ((uint8_t *)(uintptr_t)s.data)[random_below(&random, s.len)] = (uint8_t)random_u64(&random);
            if (message_read(&m, type, s, &arena) == MESSAGE_OK) {
                message_write(&first, &m);
                cr_assert_eq(message_read(&again, type, buffer_span(&first), &arena), MESSAGE_OK);
                message_write(&second, &again);
                cr_assert(span_equal(buffer_span(&first), buffer_span(&second)));
                read_ok++;
            }
            buffer_clear(&first);
            buffer_clear(&second);
            arena_clear(&arena);
            span_free(s);
        }
        buffer_clear(&b);
    }
    printf("damaged messages: %zu, of which %zu still read\n", total, read_ok);
}
