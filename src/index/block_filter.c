/* Compact block filters: Golomb-Rice coding (BIP158) and what goes into a basic filter. */
#include "index/block_filter.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/endian.h"
#include "crypto/sha256.h"
#include "crypto/siphash.h"
#include "primitives/compact_size.h"
#include "script/script.h"

struct gcs_key gcs_key_of(const struct block_hash *hash)
{
    return (struct gcs_key){get_le64(hash->bytes), get_le64(hash->bytes + 8)};
}

/* ---- bits, the highest of a byte first ---- */

struct bit_writer {
    struct buffer *out;
    uint8_t byte; /* not written yet */
    unsigned used;
};

static void put_bits(struct bit_writer *w, uint64_t v, unsigned count)
{
    while (count--) {
        w->byte = (uint8_t)(w->byte << 1 | (v >> count & 1));
        if (++w->used < 8) continue;
        buffer_put_u8(w->out, w->byte);
        w->used = 0;
    }
}

static void finish_bits(struct bit_writer *w)
{
    if (w->used) put_bits(w, 0, 8 - w->used);
}

struct bit_reader {
    struct reader bytes;
    uint8_t byte;
    unsigned left;
};

static unsigned read_bit(struct bit_reader *r)
{
    if (!r->left) {
        r->byte = read_u8(&r->bytes);
        r->left = 8;
    }
    return r->byte >> --r->left & 1;
}

/* ---- Golomb-Rice: the quotient in ones and a zero, the remainder as it is ---- */

static void put_delta(struct bit_writer *w, uint64_t delta)
{
    for (uint64_t q = delta >> GCS_REMAINDER_BITS; q; q--) put_bits(w, 1, 1);
    put_bits(w, 0, 1);
    put_bits(w, delta, GCS_REMAINDER_BITS);
}

static uint64_t read_delta(struct bit_reader *r)
{
    uint64_t v = 0;
    while (read_bit(r)) v++; /* past the end there are zeroes */
    for (int i = 0; i < GCS_REMAINDER_BITS; i++) v = v << 1 | read_bit(r);
    return v;
}

/* ---- sets ---- */

struct element {
    uint64_t hash;
    struct span bytes;
};

static int compare_elements(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    if (x->bytes.len != y->bytes.len) return x->bytes.len < y->bytes.len ? -1 : 1;
    return x->bytes.len ? memcmp(x->bytes.data, y->bytes.data, x->bytes.len) : 0;
}

/* The different elements in the order of their hashes, COUNT of them afterwards; to be freed. */
static struct element *hash_elements(struct gcs_key key, const struct span *elements, size_t *count)
{
    struct element *all = mem_calloc(*count + 1, sizeof(*all));
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        all[i] = (struct element){siphash24(key.k0, key.k1, elements[i].data, elements[i].len), elements[i]};
    qsort(all, *count, sizeof(*all), compare_elements);
    for (size_t i = 0; i < *count; i++)
        if (!kept || compare_elements(&all[kept - 1], &all[i])) all[kept++] = all[i];
    *count = kept;
    return all;
}

/* The hash scaled to [0, RANGE); keeps the order. */
static uint64_t scale(uint64_t hash, uint64_t range)
{
    return (uint64_t)((unsigned __int128)hash * range >> 64);
}

static uint64_t range_of(uint64_t count)
{
    return count * GCS_FALSE_POSITIVES;
}

void gcs_write(struct buffer *out, struct gcs_key key, const struct span *elements, size_t count)
{
    struct element *set = hash_elements(key, elements, &count);
    struct bit_writer w = {.out = out};
    uint64_t last = 0;
    buffer_put_compact_size(out, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = scale(set[i].hash, range_of(count));
        put_delta(&w, value - last);
        last = value;
    }
    finish_bits(&w);
    free(set);
}

/* The count of elements, which fits 32 bits. */
static struct bit_reader open_filter(struct span filter, uint32_t *count)
{
    struct bit_reader r = {.bytes = reader_of(filter)};
    uint64_t n = read_compact_u64(&r.bytes);
    if (n > UINT32_MAX) reader_fail(&r.bytes);
    *count = r.bytes.failed ? 0 : (uint32_t)n;
    return r;
}

bool gcs_is_valid(struct span filter)
{
    uint32_t count;
    struct bit_reader r = open_filter(filter, &count);
    for (; count && !r.bytes.failed; count--) (void)read_delta(&r);
    return !r.bytes.failed && !reader_left(&r.bytes);
}

bool gcs_match_any(struct span filter, struct gcs_key key, const struct span *elements, size_t count, bool *matches)
{
    uint32_t left;
    struct bit_reader r = open_filter(filter, &left);
    uint64_t range = range_of(left), value = 0;
    struct element *wanted = hash_elements(key, elements, &count);
    size_t at = 0;
    *matches = false;
    for (; left && at < count && !*matches; left--) {
        value += read_delta(&r);
        if (r.bytes.failed) break;
        while (at < count && scale(wanted[at].hash, range) < value) at++;
        *matches = at < count && scale(wanted[at].hash, range) == value;
    }
    free(wanted);
    return !r.bytes.failed;
}

/* ---- blocks ---- */

void block_filter_write(struct buffer *out, const struct block *b, const struct undo *undo)
{
    struct span *scripts;
    size_t most = undo->count, count = 0;
    for (size_t i = 0; i < b->tx_count; i++) most += b->txs[i].out_count;
    scripts = mem_calloc(most + 1, sizeof(*scripts));
    for (size_t i = 0; i < b->tx_count; i++) {
        for (size_t o = 0; o < b->txs[i].out_count; o++) {
            struct span s = b->txs[i].out[o].script_pubkey;
            if (s.len && s.data[0] != OP_RETURN) scripts[count++] = s;
        }
    }
    for (size_t i = 0; i < undo->count; i++)
        if (undo->coins[i].script_pubkey.len) scripts[count++] = undo->coins[i].script_pubkey;
    gcs_write(out, gcs_key_of(&b->hash), scripts, count);
    free(scripts);
}

void block_filter_hash(uint8_t out[32], struct span filter)
{
    sha256d(out, filter.data, filter.len);
}

void block_filter_header(uint8_t out[32], const uint8_t hash[32], const uint8_t previous[32])
{
    uint8_t both[64];
    memcpy(both, hash, 32);
    memcpy(both + 32, previous, 32);
    sha256d(out, both, sizeof(both));
}
