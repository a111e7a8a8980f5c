/* The files peers.dat and anchors.dat, byte for byte as Bitcoin Core has them. */
#include <inttypes.h>
#include <stdlib.h>

#include "addrman/tables.h"
#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "primitives/compact_size.h"

enum {
    FORMAT_BUCKETS_MARKED = 1, /* the number of buckets is XORed with BUCKETS_MARK */
    FORMAT_ASMAP = 2,          /* ends with the version of the map of autonomous systems */
    FORMAT_BIP155 = 3,         /* addresses as in addrv2 */
    FORMAT = 4,                /* one address may be there with several ports; what we write */
    LOWEST_COMPATIBLE = 4,
    COMPATIBLE_BASE = 32,
    BUCKETS_MARK = 1 << 30,
};

static const uint32_t DISK_VERSION = 220000;
static const uint32_t DISK_VERSION_IGNORED = 0x7ffff; /* bits that once were a program's version */
static const uint32_t DISK_ADDRV2 = 1u << 29;
static const uint8_t no_asmap[32]; /* the version where no map is in use */

/* How Bitcoin Core's exceptions end; its messages are what clients know. */
#define FAILURE ": iostream error"

static enum result fail_eof(struct error *e)
{
    return error_set(e, RESULT_CORRUPT, "AutoFile::read: end of file, or an address that makes no sense" FAILURE);
}

static void write_disk_addr(struct buffer *out, const struct peer_addr *a)
{
    buffer_put_le32(out, DISK_VERSION | DISK_ADDRV2);
    peer_addr_write(out, a, ADDR_V2);
}

/* ADDRV2: whether the file may hold that encoding at all; each address says whether it does. */
static void read_disk_addr(struct peer_addr *a, struct reader *r, bool addrv2)
{
    uint32_t version = read_le32(r) & ~DISK_VERSION_IGNORED;
    if (version == 0) {
        peer_addr_read(a, r, ADDR_V1);
    } else if (version == DISK_ADDRV2 && addrv2) {
        peer_addr_read(a, r, ADDR_V2);
    } else {
        *a = (struct peer_addr){0};
        reader_fail(r);
    }
}

static void write_checksum(struct buffer *out, size_t start)
{
    uint8_t hash[32];
    sha256d(hash, out->data + start, out->len - start);
    buffer_put(out, hash, sizeof(hash));
}

/* FILE from its first byte up to R, and then the checksum. */
static enum result read_checksum(struct reader *r, struct span file, struct error *e)
{
    size_t len = (size_t)(r->pos - file.data);
    uint8_t found[32], expected[32];
    read_bytes(r, found, sizeof(found));
    if (r->failed) return fail_eof(e);
    sha256d(expected, file.data, len);
    if (memcmp(found, expected, sizeof(found)) != 0)
        return error_set(e, RESULT_CORRUPT, "Checksum mismatch, data corrupted");
    return RESULT_OK;
}

static enum result read_magic(struct reader *r, const uint8_t magic[4], struct error *e)
{
    uint8_t found[4];
    read_bytes(r, found, sizeof(found));
    if (r->failed) return fail_eof(e);
    if (memcmp(found, magic, sizeof(found)) != 0) return error_set(e, RESULT_CORRUPT, "Invalid network magic number");
    return RESULT_OK;
}

static void write_info(struct buffer *out, const struct addrman_info *i)
{
    write_disk_addr(out, &i->addr);
    netaddr_write_v2(out, &i->source);
    buffer_put_le64(out, (uint64_t)i->last_success_s);
    buffer_put_le32(out, (uint32_t)i->attempts);
}

static void read_info(struct addrman_info *i, struct reader *r, bool addrv2)
{
    *i = (struct addrman_info){0};
    read_disk_addr(&i->addr, r, addrv2);
    if (addrv2)
        netaddr_read_v2(&i->source, r);
    else
        netaddr_read_v1(&i->source, r);
    i->last_success_s = (int64_t)read_le64(r);
    i->attempts = (int32_t)read_le32(r);
    if (i->attempts < 0) i->attempts = 0;
}

void addrman_write(const struct addrman *a, const uint8_t magic[4], struct buffer *out)
{
    size_t start = out->len;
    buffer_put(out, magic, 4);
    buffer_put_u8(out, FORMAT);
    buffer_put_u8(out, COMPATIBLE_BASE + LOWEST_COMPATIBLE);
    buffer_put(out, a->key, sizeof(a->key));
    buffer_put_le32(out, (uint32_t)a->new_count);
    buffer_put_le32(out, (uint32_t)a->tried_count);
    buffer_put_le32(out, ADDRMAN_NEW_BUCKETS ^ BUCKETS_MARK);
    /* The buckets refer to entries of new by their index in the file. */
    uint32_t *index = mem_calloc(a->order_count + 1, sizeof(*index)), next = 0;
    for (size_t i = 0; i < a->order_count; i++) {
        if (a->order[i]->in_tried) continue;
        index[i] = next++;
        write_info(out, &a->order[i]->info);
    }
    for (size_t i = 0; i < a->order_count; i++)
        if (a->order[i]->in_tried) write_info(out, &a->order[i]->info);
    for (unsigned b = 0; b < ADDRMAN_NEW_BUCKETS; b++) {
        struct addr_entry *const *row = a->new_rows[b];
        uint32_t count = 0;
        for (unsigned i = 0; row && i < ADDRMAN_BUCKET_SIZE; i++) count += row[i] != NULL;
        buffer_put_le32(out, count);
        for (unsigned i = 0; row && i < ADDRMAN_BUCKET_SIZE; i++)
            if (row[i]) buffer_put_le32(out, index[row[i]->order_at]);
    }
    free(index);
    buffer_put(out, no_asmap, sizeof(no_asmap));
    write_checksum(out, start);
}

struct head {
    uint8_t format;
    int32_t in_new;
    int32_t in_tried;
    int32_t buckets;
};

static enum result read_head(struct addrman *a, struct reader *r, struct head *h, struct error *e)
{
    h->format = read_u8(r);
    unsigned compatible = read_u8(r);
    if (r->failed) return fail_eof(e);
    if (compatible < COMPATIBLE_BASE)
        return error_set(e, RESULT_CORRUPT,
                         "Corrupted addrman database: The compat value (%u) is lower than the expected minimum value "
                         "%u." FAILURE,
                         compatible, COMPATIBLE_BASE);
    if (compatible - COMPATIBLE_BASE > FORMAT)
        return error_set(e, RESULT_INVALID,
                         "Unsupported format of addrman database: %u. It is compatible with formats >=%u, but the "
                         "maximum supported by this version is %u." FAILURE,
                         h->format, compatible - COMPATIBLE_BASE, FORMAT);
    read_bytes(r, a->key, sizeof(a->key));
    h->in_new = (int32_t)read_le32(r);
    h->in_tried = (int32_t)read_le32(r);
    h->buckets = (int32_t)read_le32(r);
    if (r->failed) return fail_eof(e);
    if (h->format >= FORMAT_BUCKETS_MARKED) h->buckets ^= BUCKETS_MARK;
    const int32_t most_new = ADDRMAN_NEW_BUCKETS * ADDRMAN_BUCKET_SIZE;
    const int32_t most_tried = ADDRMAN_TRIED_BUCKETS * ADDRMAN_BUCKET_SIZE;
    if (h->in_new < 0 || h->in_new > most_new)
        return error_set(e, RESULT_CORRUPT,
                         "Corrupt AddrMan serialization: nNew=%" PRId32 ", should be in [0, %" PRId32 "]" FAILURE,
                         h->in_new, most_new);
    if (h->in_tried < 0 || h->in_tried > most_tried)
        return error_set(e, RESULT_CORRUPT,
                         "Corrupt AddrMan serialization: nTried=%" PRId32 ", should be in [0, %" PRId32 "]" FAILURE,
                         h->in_tried, most_tried);
    return RESULT_OK;
}

static enum result fail_check(struct error *e, int code)
{
    return error_set(e, RESULT_CORRUPT, "Corrupt data. Consistency check failed with code %d" FAILURE, code);
}

/* The entries of new to INDEX, without a place yet; NULL for addresses that are of no use. */
static enum result read_new(struct addrman *a, struct reader *r, const struct head *h, struct addr_entry **index,
                            struct error *e)
{
    for (int32_t n = 0; n < h->in_new; n++) {
        struct addrman_info info;
        read_info(&info, r, h->format >= FORMAT_BIP155);
        if (r->failed) return fail_eof(e);
        if (!netaddr_is_valid(&info.addr.at.addr)) continue;
        if (tables_find(a, &info.addr.at)) return fail_check(e, -5);
        index[n] = tables_create(a, &info);
    }
    return RESULT_OK;
}

/* Entries of tried; those whose place is taken are lost. */
static enum result read_tried(struct addrman *a, struct reader *r, const struct head *h, struct error *e)
{
    for (int32_t n = 0; n < h->in_tried; n++) {
        struct addrman_info info;
        read_info(&info, r, h->format >= FORMAT_BIP155);
        if (r->failed) return fail_eof(e);
        if (!netaddr_is_valid(&info.addr.at.addr)) continue;
        unsigned slot = tables_tried_slot(a, &info.addr.at);
        if (tables_tried_at(a, slot)) continue;
        if (tables_find(a, &info.addr.at)) return fail_check(e, -5);
        tables_place_tried(a, tables_create(a, &info), slot);
    }
    return RESULT_OK;
}

static void skip_buckets(struct reader *r, int32_t buckets)
{
    for (int32_t b = 0; b < buckets && !r->failed; b++) {
        int32_t count = (int32_t)read_le32(r);
        if (count > 0) read_span(r, 4 * (size_t)count);
    }
}

/* AS_STORED: the buckets are ours, so that entries go where they were; else each goes where its first source puts it.
 */
static void read_buckets(struct addrman *a, struct reader *r, const struct head *h, struct addr_entry **index,
                         bool as_stored)
{
    for (int32_t b = 0; b < h->buckets; b++) {
        int32_t count = (int32_t)read_le32(r);
        for (int32_t n = 0; n < count; n++) {
            uint32_t i = read_le32(r);
            struct addr_entry *e = i < (uint32_t)h->in_new ? index[i] : NULL;
            if (!e || e->refs == ADDRMAN_NEW_BUCKETS_PER_ADDRESS) continue;
            unsigned slot = as_stored ? tables_slot_in_new_bucket(a, &e->info.addr.at, (unsigned)b) : 0;
            if (!as_stored || tables_new_at(a, slot)) slot = tables_new_slot(a, &e->info.addr.at, &e->info.source);
            if (!tables_new_at(a, slot)) tables_place(a, e, slot);
        }
    }
}

static enum result read_tables(struct addrman *a, struct reader *r, const struct head *h, struct addr_entry **index,
                               struct error *e)
{
    enum result result = read_new(a, r, h, index, e);
    if (result == RESULT_OK) result = read_tried(a, r, h, e);
    if (result != RESULT_OK) return result;
    /* Whether the buckets can be used as they are stands behind them. */
    struct reader buckets = *r;
    uint8_t asmap[32] = {0};
    skip_buckets(r, h->buckets);
    if (h->format >= FORMAT_ASMAP) read_bytes(r, asmap, sizeof(asmap));
    if (r->failed) return fail_eof(e);
    bool as_stored = h->buckets == ADDRMAN_NEW_BUCKETS && memcmp(asmap, no_asmap, sizeof(asmap)) == 0;
    if (!as_stored) log_debug(a->log, LOGC_ADDRMAN, "peers.dat has other buckets: putting its addresses in ours");
    read_buckets(a, &buckets, h, index, as_stored);
    return RESULT_OK;
}

static enum result read_file(struct addrman *a, const uint8_t magic[4], struct span file, struct error *e)
{
    struct reader r = reader_of(file);
    struct head h = {0};
    enum result result = read_magic(&r, magic, e);
    if (result == RESULT_OK) result = read_head(a, &r, &h, e);
    if (result != RESULT_OK) return result;
    struct addr_entry **index = mem_calloc((size_t)h.in_new + 1, sizeof(*index));
    result = read_tables(a, &r, &h, index, e);
    size_t lost = 0;
    for (int32_t i = 0; result == RESULT_OK && i < h.in_new; i++) {
        if (!index[i] || index[i]->refs) continue;
        tables_delete(a, index[i]);
        lost++;
    }
    free(index);
    if (result != RESULT_OK) return result;
    if (lost) log_debug(a->log, LOGC_ADDRMAN, "%zu addresses of peers.dat found no place", lost);
    int code = addrman_check(a);
    return code ? fail_check(e, code) : read_checksum(&r, file, e);
}

enum result addrman_read(struct addrman *a, const uint8_t magic[4], struct span file, struct error *e)
{
    CHECK(a->order_count == 0);
    uint8_t key[32];
    memcpy(key, a->key, sizeof(key));
    enum result result = read_file(a, magic, file, e);
    if (result != RESULT_OK) {
        tables_empty(a);
        memcpy(a->key, key, sizeof(key));
    }
    return result;
}

void anchors_write(const struct peer_addr *addrs, size_t count, const uint8_t magic[4], struct buffer *out)
{
    size_t start = out->len;
    buffer_put(out, magic, 4);
    buffer_put_compact_size(out, count);
    for (size_t i = 0; i < count; i++) write_disk_addr(out, &addrs[i]);
    write_checksum(out, start);
}

enum result anchors_read(struct peer_addr *out, size_t max, size_t *count, const uint8_t magic[4], struct span file,
                         struct error *e)
{
    struct reader r = reader_of(file);
    *count = 0;
    enum result result = read_magic(&r, magic, e);
    if (result != RESULT_OK) return result;
    uint64_t stored = read_compact_size(&r);
    for (uint64_t i = 0; i < stored && !r.failed; i++) {
        struct peer_addr a;
        read_disk_addr(&a, &r, true);
        if (i < max) out[i] = a;
    }
    if (r.failed) return fail_eof(e);
    result = read_checksum(&r, file, e);
    if (result == RESULT_OK) *count = stored < max ? (size_t)stored : max;
    return result;
}
