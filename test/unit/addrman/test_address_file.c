/* peers.dat and anchors.dat: what is written reads back the same; what is damaged is refused with the reason that
 * Bitcoin Core's users know. */
#include "kit.h"

#include <stdio.h>

#include "base/endian.h"
#include "crypto/sha256.h"

static const uint8_t MAGIC[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const char ONION[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

static struct addrman *filled(int count)
{
    struct addrman *a = with_key_one(3);
    struct peer_addr onion = fresh(ONION, 8333);
    onion.services = NODE_NETWORK | NODE_WITNESS | NODE_P2P_V2;
    cr_assert(add(a, onion, "252.2.2.2"));
    cr_assert(add(a, fresh("2001:db7::1", 1), "252.2.2.2"));
    struct netaddr seed = netaddr_internal("seed.example");
    struct peer_addr from_seed = fresh("99.99.99.99", 8333);
    cr_assert_eq(addrman_add(a, &from_seed, 1, &seed, 0, NOW_S), 1);
    for (int i = 0; i < count; i++) {
        char text[32], source[32];
        snprintf(text, sizeof(text), "250.%d.1.%d", i % 50, i % 20);
        snprintf(source, sizeof(source), "251.%d.1.1", i % 13);
        struct peer_addr addr = fresh(text, 8333);
        addr.time = (uint32_t)(NOW_S + i);
        addr.services = (uint64_t)i;
        add(a, addr, source);
        if (i % 3 == 0) good(a, addr.at);
        if (i % 4 == 0) addrman_attempt(a, &addr.at, true, NOW_S + i);
    }
    return a;
}

static struct buffer written(const struct addrman *a)
{
    struct buffer out = {0};
    addrman_write(a, MAGIC, &out);
    return out;
}

static struct addrman *fresh_one(uint8_t seed)
{
    return addrman_new(&(struct addrman_options){.seed = {seed, 9}, .check_one_in = 1});
}

/* The reason why the file is refused; "" where it is not. Good until the next call. */
static const char *refusal(struct span file, enum result *code)
{
    static struct error e;
    struct addrman *a = fresh_one(1);
    *code = addrman_read(a, MAGIC, file, &e);
    if (*code != RESULT_OK) {
        cr_assert_eq(size(a), 0);
        cr_assert_eq(e.code, *code);
        cr_assert(add(a, fresh("1.2.3.4", 1), "2.2.2.2"), "good to use afterwards");
    }
    cr_assert_eq(addrman_check(a), 0);
    addrman_free(a);
    return *code == RESULT_OK ? "" : e.text;
}

static void same_tables(const struct addrman *a, const struct addrman *b)
{
    for (int table = ADDRMAN_NEW; table <= ADDRMAN_TRIED; table++) {
        size_t at = 0, bt = 0;
        struct addrman_info ai, bi;
        struct addrman_position ap, bp;
        bool more;
        do {
            more = addrman_next(a, (enum addrman_table)table, &at, &ai, &ap);
            cr_assert_eq(addrman_next(b, (enum addrman_table)table, &bt, &bi, &bp), more);
            if (!more) break;
            cr_assert_eq(at, bt);
            cr_assert(endpoint_equal(&ai.addr.at, &bi.addr.at) && netaddr_equal(&ai.source, &bi.source));
            cr_assert(ai.addr.time == bi.addr.time && ai.addr.services == bi.addr.services);
            cr_assert(ai.last_success_s == bi.last_success_s && ai.attempts == bi.attempts);
            cr_assert(ap.multiplicity == bp.multiplicity && bi.last_try_s == 0);
        } while (more);
    }
}

Test(address_file, round_trip)
{
    struct addrman *a = filled(3000), *b = fresh_one(5);
    struct buffer file = written(a), again;
    struct error e;
    cr_assert_gt(addrman_size(a, NET_COUNT, ADDRMAN_TRIED), 20);
    cr_assert_eq(addrman_read(b, MAGIC, buffer_span(&file), &e), RESULT_OK);
    cr_assert_eq(size(a), size(b));
    same_tables(a, b);
    struct addrman *c = fresh_one(6);
    again = written(b);
    cr_assert_eq(addrman_read(c, MAGIC, buffer_span(&again), &e), RESULT_OK);
    same_tables(a, c);
    cr_assert_eq(again.len, file.len);
    buffer_clear(&file);
    buffer_clear(&again);
    addrman_free(a);
    addrman_free(b);
    addrman_free(c);
}

Test(address_file, round_trip_empty)
{
    struct addrman *a = fresh_one(1);
    struct buffer file = written(a);
    enum result code;
    cr_assert_str_eq(refusal(buffer_span(&file), &code), "");
    cr_assert_eq(file.len, 4 + 2 + 32 + 12 + 4096 + 32 + 32);
    buffer_clear(&file);
    addrman_free(a);
}

Test(address_file, cut_at_every_byte)
{
    struct addrman *a = filled(12);
    struct buffer file = written(a);
    enum result code;
    for (size_t len = 0; len < file.len; len++) {
        const char *reason = refusal(span_of(file.data, len), &code);
        cr_assert_eq(code, RESULT_CORRUPT, "%zu", len);
        cr_assert_eq(strncmp(reason, "AutoFile::read: end of file", 27), 0, "%zu: %s", len, reason);
    }
    buffer_clear(&file);
    addrman_free(a);
}

Test(address_file, every_byte_changed)
{
    struct addrman *a = filled(12);
    struct buffer file = written(a);
    enum result code;
    for (size_t i = 0; i < file.len; i++) {
        uint8_t was = file.data[i];
        file.data[i] = (uint8_t)(was ^ (1 << i % 8));
        refusal(buffer_span(&file), &code);
        cr_assert_neq(code, RESULT_OK, "%zu", i);
        file.data[i] = was;
    }
    cr_assert_str_eq(refusal(buffer_span(&file), &code), "");
    buffer_clear(&file);
    addrman_free(a);
}

static void sign(struct buffer *file)
{
    uint8_t hash[32];
    sha256d(hash, file->data, file->len);
    buffer_put(file, hash, 32);
}

/* A head of which parts can be wrong. */
struct head {
    uint8_t format, compatible, key;
    int32_t in_new, in_tried, buckets;
};

static const struct head USUAL = {4, 32 + 4, 1, 0, 0, ADDRMAN_NEW_BUCKETS ^ 1 << 30};

static struct buffer file_with(struct head h)
{
    struct buffer f = {0};
    uint8_t key[32] = {h.key};
    buffer_put(&f, MAGIC, 4);
    buffer_put_u8(&f, h.format);
    buffer_put_u8(&f, h.compatible);
    buffer_put(&f, key, 32);
    buffer_put_le32(&f, (uint32_t)h.in_new);
    buffer_put_le32(&f, (uint32_t)h.in_tried);
    buffer_put_le32(&f, (uint32_t)h.buckets);
    return f;
}

static void put_zeroes(struct buffer *f, size_t len)
{
    memset(buffer_extend(f, len), 0, len);
}

static void check_head(struct head h, enum result expected, const char *start)
{
    struct buffer f = file_with(h);
    enum result code;
    put_zeroes(&f, 4 * ADDRMAN_NEW_BUCKETS + 32);
    sign(&f);
    const char *reason = refusal(buffer_span(&f), &code);
    cr_assert_eq(code, expected, "%s", reason);
    cr_assert_eq(strncmp(reason, start, strlen(start)), 0, "%s", reason);
    buffer_clear(&f);
}

/* The cases and the words of Bitcoin Core's feature_addrman.py. */
Test(address_file, heads)
{
    struct head h = USUAL;
    check_head(h, RESULT_OK, "");
    h.compatible = 0;
    check_head(h, RESULT_CORRUPT,
               "Corrupted addrman database: The compat value (0) is lower than the expected minimum value 32.: ");
    h.compatible = 32 + 111;
    check_head(h, RESULT_INVALID, "Unsupported format of addrman database: 4. It is compatible with formats >=111,");
    h = USUAL;
    h.format = 200;
    check_head(h, RESULT_OK, "");
    h = USUAL;
    h.in_tried = -1;
    check_head(h, RESULT_CORRUPT, "Corrupt AddrMan serialization: nTried=-1, should be in [0, 16384]: ");
    h.in_tried = 16385;
    check_head(h, RESULT_CORRUPT, "Corrupt AddrMan serialization: nTried=16385, should be in [0, 16384]: ");
    h = USUAL;
    h.in_new = -1;
    check_head(h, RESULT_CORRUPT, "Corrupt AddrMan serialization: nNew=-1, should be in [0, 65536]: ");
    h.in_new = 65537;
    check_head(h, RESULT_CORRUPT, "Corrupt AddrMan serialization: nNew=65537, should be in [0, 65536]: ");
    h = USUAL;
    h.key = 0;
    check_head(h, RESULT_CORRUPT, "Corrupt data. Consistency check failed with code -16: ");
    h = USUAL;
    h.buckets = INT32_MAX;
    check_head(h, RESULT_CORRUPT, "AutoFile::read: end of file");
    h = USUAL;
    h.in_new = 10;
    check_head(h, RESULT_CORRUPT, "");
}

Test(address_file, checksum_and_magic)
{
    struct buffer f = file_with(USUAL);
    enum result code;
    put_zeroes(&f, 4 * ADDRMAN_NEW_BUCKETS + 32);
    sign(&f);
    f.data[f.len - 1] ^= 1;
    cr_assert_str_eq(refusal(buffer_span(&f), &code), "Checksum mismatch, data corrupted");
    cr_assert_eq(code, RESULT_CORRUPT);
    f.data[0] ^= 1;
    cr_assert_str_eq(refusal(buffer_span(&f), &code), "Invalid network magic number");
    cr_assert_eq(code, RESULT_CORRUPT);
    buffer_clear(&f);
}

/* One entry as a file holds it, with addresses as version 3 and later have them. */
static void put_entry(struct buffer *f, const char *text, uint16_t port, int64_t success_s, int32_t attempts)
{
    struct peer_addr a = fresh(text, port);
    struct netaddr source = ip("252.2.2.2");
    buffer_put_le32(f, 220000 | 1u << 29);
    peer_addr_write(f, &a, ADDR_V2);
    netaddr_write_v2(f, &source);
    buffer_put_le64(f, (uint64_t)success_s);
    buffer_put_le32(f, (uint32_t)attempts);
}

/* COUNT references to entry ENTRY in bucket BUCKET of BUCKETS. */
static void put_references(struct buffer *f, unsigned buckets, unsigned bucket, uint32_t count, int32_t entry)
{
    for (unsigned b = 0; b < buckets; b++) {
        buffer_put_le32(f, b == bucket ? count : 0);
        for (uint32_t i = 0; b == bucket && i < count; i++) buffer_put_le32(f, (uint32_t)entry);
    }
}

static struct addrman *read_back(struct buffer *f)
{
    struct addrman *a = fresh_one(1);
    struct error e;
    sign(f);
    cr_assert_eq(addrman_read(a, MAGIC, buffer_span(f), &e), RESULT_OK, "%s", e.text);
    buffer_clear(f);
    return a;
}

Test(address_file, known_bytes)
{
    /* The bytes of one tried address, written out. */
    struct head h = USUAL;
    h.in_tried = 1;
    struct buffer f = file_with(h), again;
    static const uint8_t entry[] = {0x60, 0x5b, 0x03, 0x20,             /* 220000 and the mark of addrv2 */
                                    0x00, 0xf1, 0x53, 0x65,             /* time 1700000000 */
                                    0xfd, 0x09, 0x04,                   /* services */
                                    0x01, 0x04, 0xfa, 0x01, 0x01, 0x01, /* IPv4, 4 bytes, 250.1.1.1 */
                                    0x20, 0x8d,                         /* port 8333 */
                                    0x01, 0x04, 0xfc, 0x02, 0x02, 0x02, /* its source */
                                    0x07, 0,    0,    0,    0,    0,    0, 0, 0x02, 0, 0, 0};
    buffer_put(&f, entry, sizeof(entry));
    put_zeroes(&f, 4 * ADDRMAN_NEW_BUCKETS + 32);
    struct buffer copy = {0};
    buffer_put_span(&copy, buffer_span(&f));
    sign(&copy);
    struct addrman *a = read_back(&f);
    struct addrman_info i;
    struct addrman_position p;
    struct endpoint e = service("250.1.1.1", 8333);
    cr_assert(addrman_find(a, &e, &i, &p) && p.tried);
    cr_assert(i.addr.time == NOW_S && i.addr.services == 0x409 && i.last_success_s == 7 && i.attempts == 2);
    again = written(a);
    cr_assert(span_equal(buffer_span(&again), buffer_span(&copy)));
    buffer_clear(&again);
    buffer_clear(&copy);
    addrman_free(a);
}

Test(address_file, references_that_cannot_be)
{
    struct head h = USUAL;
    h.in_new = 2;
    struct buffer f = file_with(h);
    put_entry(&f, "250.1.1.1", 1, 0, -5);
    put_entry(&f, "250.1.1.2", 1, 0, 0);
    /* Twelve times in one bucket: that place and the one of its source; the other nowhere; and one out of range. */
    put_references(&f, ADDRMAN_NEW_BUCKETS, 5, 12, 0);
    put_zeroes(&f, 32);
    struct addrman *a = read_back(&f);
    struct addrman_position p;
    struct addrman_info i;
    struct endpoint first = service("250.1.1.1", 1), second = service("250.1.1.2", 1);
    cr_assert(addrman_find(a, &first, &i, &p) && p.multiplicity == 2 && i.attempts == 0);
    cr_assert(!addrman_find(a, &second, NULL, NULL), "without a place it is lost");
    addrman_free(a);

    f = file_with(h);
    put_entry(&f, "250.1.1.1", 1, 0, 0);
    put_entry(&f, "250.1.1.2", 1, 0, 0);
    put_references(&f, ADDRMAN_NEW_BUCKETS, 5, 3, -1);
    put_zeroes(&f, 32);
    a = read_back(&f);
    cr_assert_eq(size(a), 0);
    addrman_free(a);
}

Test(address_file, places_are_bounded)
{
    struct head h = USUAL;
    h.in_new = 1;
    struct buffer f = file_with(h);
    put_entry(&f, "250.1.1.1", 1, 0, 0);
    for (int b = 0; b < 12; b++) {
        buffer_put_le32(&f, 1);
        buffer_put_le32(&f, 0);
    }
    put_zeroes(&f, 4 * (ADDRMAN_NEW_BUCKETS - 12) + 32);
    struct addrman *a = read_back(&f);
    struct addrman_position p;
    struct endpoint e = service("250.1.1.1", 1);
    cr_assert(addrman_find(a, &e, NULL, &p) && p.multiplicity == ADDRMAN_NEW_BUCKETS_PER_ADDRESS);
    addrman_free(a);
}

Test(address_file, an_address_twice_or_without_success)
{
    static const struct {
        const char *first, *second;
        int32_t in_new, in_tried;
        int64_t success_s;
        int code;
    } rows[] = {
        {"250.1.1.1", "250.1.1.1", 2, 0, 7, -5}, {"250.1.1.1", "250.1.1.1", 1, 1, 7, -5},
        {"250.1.1.1", "250.9.1.2", 0, 2, 0, -1}, {"250.1.1.1", "250.9.1.2", 0, 2, -7, -8},
        {"250.1.1.1", "250.1.1.1", 0, 2, 7, 0},
    };
    for (size_t n = 0; n < ARRAY_LEN(rows); n++) {
        struct head h = USUAL;
        h.in_new = rows[n].in_new;
        h.in_tried = rows[n].in_tried;
        struct buffer f = file_with(h);
        put_entry(&f, rows[n].first, 1, rows[n].success_s, 0);
        put_entry(&f, rows[n].second, 1, rows[n].success_s, 0);
        put_references(&f, ADDRMAN_NEW_BUCKETS, 5, 1, 0);
        put_zeroes(&f, 32);
        sign(&f);
        enum result code;
        const char *reason = refusal(buffer_span(&f), &code);
        char expected[100] = "";
        if (rows[n].code)
            snprintf(expected, sizeof(expected), "Corrupt data. Consistency check failed with code %d: iostream error",
                     rows[n].code);
        cr_assert_str_eq(reason, expected);
        buffer_clear(&f);
    }
}

/* With other buckets or a map of autonomous systems each address goes where its first source puts it. */
Test(address_file, other_buckets)
{
    for (int kind = 0; kind < 3; kind++) {
        struct head h = USUAL;
        unsigned buckets = kind == 0 ? 256 : ADDRMAN_NEW_BUCKETS;
        h.in_new = 1;
        h.buckets = (int32_t)(buckets ^ 1u << 30);
        struct buffer f = file_with(h);
        put_entry(&f, "250.1.1.1", 8333, 0, 0);
        put_references(&f, buckets, 77, 1, 0);
        put_zeroes(&f, 32);
        if (kind == 1) f.data[f.len - 1] = 1;
        struct addrman *a = read_back(&f);
        size_t at = 0;
        struct addrman_position p, home;
        struct endpoint e = service("250.1.1.1", 8333);
        cr_assert(addrman_next(a, ADDRMAN_NEW, &at, NULL, &p) && addrman_find(a, &e, NULL, &home));
        cr_assert_neq(home.bucket, 77);
        cr_assert_eq(p.bucket, kind == 2 ? 77 : home.bucket);
        addrman_free(a);
    }
}

Test(address_file, invalid_addresses_are_left_out)
{
    struct addrman *a = with_key_one(0);
    struct peer_addr addrs[] = {fresh("5.5.5.5", 1), fresh("6.6.6.6", 1), fresh("7.7.7.7", 1), fresh("8.8.8.8", 1)};
    struct netaddr source = netaddr_none();
    cr_assert_eq(addrman_add(a, addrs, 4, &source, 0, NOW_S), 4);
    cr_assert(good(a, addrs[2].at) && good(a, addrs[3].at));
    struct buffer file = written(a);
    file.len -= 32;
    uint8_t *six = memmem(file.data, file.len, "\6\6\6\6", 4), *eight = memmem(file.data, file.len, "\x8\x8\x8\x8", 4);
    cr_assert(six && eight);
    memset(six, 0, 4);
    memset(eight, 0xff, 4);
    struct addrman *b = read_back(&file);
    cr_assert_eq(size(b), 2);
    addrman_free(a);
    addrman_free(b);
}

/* A file of the years before BIP155: version 1, legacy addresses, no version of a map at its end. */
Test(address_file, version_1)
{
    struct head h = USUAL;
    h.format = 1;
    h.compatible = 32;
    h.in_new = 1;
    struct buffer f = file_with(h);
    struct peer_addr addr = fresh("250.1.1.1", 8333);
    struct netaddr source = ip("252.2.2.2");
    buffer_put_le32(&f, 0x7ffff); /* a program's version once: of no meaning */
    peer_addr_write(&f, &addr, ADDR_V1);
    netaddr_write_v1(&f, &source);
    put_zeroes(&f, 12);
    put_references(&f, ADDRMAN_NEW_BUCKETS, 77, 1, 0);
    struct addrman *a = read_back(&f);
    struct addrman_info i;
    cr_assert(addrman_find(a, &addr.at, &i, NULL) && netaddr_equal(&i.source, &source));
    addrman_free(a);
}

Test(address_file, internal_sources_survive)
{
    struct addrman *a = filled(0), *b = fresh_one(2);
    struct buffer file = written(a);
    struct error e;
    cr_assert_eq(addrman_read(b, MAGIC, buffer_span(&file), &e), RESULT_OK);
    struct addrman_info i;
    struct endpoint at = service("99.99.99.99", 8333);
    cr_assert(addrman_find(b, &at, &i, NULL));
    struct netaddr seed = netaddr_internal("seed.example");
    cr_assert(netaddr_equal(&i.source, &seed));
    buffer_clear(&file);
    addrman_free(a);
    addrman_free(b);
}

Test(address_file, anchors)
{
    struct peer_addr addrs[3] = {fresh("5.5.5.5", 1), fresh(ONION, 8333), fresh("2001:db7::1", 2)}, out[3];
    addrs[1].services = NODE_NETWORK | NODE_WITNESS;
    struct buffer file = {0};
    struct error e;
    size_t count = 7;
    anchors_write(addrs, 3, MAGIC, &file);
    cr_assert_eq(anchors_read(out, 3, &count, MAGIC, buffer_span(&file), &e), RESULT_OK);
    cr_assert_eq(count, 3);
    for (int i = 0; i < 3; i++) {
        cr_assert(endpoint_equal(&out[i].at, &addrs[i].at) && out[i].time == addrs[i].time);
        cr_assert_eq(out[i].services, addrs[i].services);
    }
    cr_assert_eq(anchors_read(out, 2, &count, MAGIC, buffer_span(&file), &e), RESULT_OK);
    cr_assert_eq(count, 2, "no more than asked for");
    for (size_t len = 0; len < file.len; len++) {
        cr_assert_eq(anchors_read(out, 3, &count, MAGIC, span_of(file.data, len), &e), RESULT_CORRUPT);
        cr_assert_eq(count, 0);
    }
    for (size_t i = 0; i < file.len; i++) {
        file.data[i] ^= 0x10;
        cr_assert_eq(anchors_read(out, 3, &count, MAGIC, buffer_span(&file), &e), RESULT_CORRUPT);
        file.data[i] ^= 0x10;
    }
    file.len = 0;
    anchors_write(NULL, 0, MAGIC, &file);
    cr_assert_eq(anchors_read(out, 3, &count, MAGIC, buffer_span(&file), &e), RESULT_OK);
    cr_assert_eq(count, 0);
    buffer_clear(&file);
}
