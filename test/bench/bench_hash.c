/* Hashing as the node does it against plain OpenSSL calls in the same run: transaction ids, merkle levels, and both ids
 * of every transaction of a real block. The rows
 * of a table are run in turn, RUNS times; what is printed is the median of the processor time and the ratio to the
 * first row. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/compiler.h"
#include "base/random.h"
#include "crypto/cpu.h"
#include "crypto/sha256.h"
#include "crypto/sha256_lanes.h"
#include "primitives/block.h"
#include "support/data.h"

enum { RUNS = 11, LEAVES = 2000, MAX_WAYS = 6 };

/* One way to do the work: hashes COUNT messages of LEN bytes from IN to OUT. */
typedef void hash_fn(uint8_t *out, const uint8_t *in, size_t len, size_t count);

struct way {
    const char *name;
    hash_fn *hash;
    bool (*available)(void); /* NULL: always */
};

static void by_evp(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t first[32];
        CHECK(EVP_Digest(in + len * i, len, first, NULL, EVP_sha256(), NULL));
        CHECK(EVP_Digest(first, 32, out + 32 * i, NULL, EVP_sha256(), NULL));
    }
}

static void by_low_level(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t first[32];
        SHA256_CTX c;
        SHA256_Init(&c);
        SHA256_Update(&c, in + len * i, len);
        SHA256_Final(first, &c);
        SHA256_Init(&c);
        SHA256_Update(&c, first, 32);
        SHA256_Final(out + 32 * i, &c);
    }
}

static void by_sha256d(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    for (size_t i = 0; i < count; i++) sha256d(out + 32 * i, in + len * i, len);
}

static void by_many(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    CHECK(len == 64);
    sha256d_64_many(out, in, count);
}

static void by_one(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    for (size_t i = 0; i < count; i++) sha256d_64_one(out + 32 * i, in + len * i);
}

static void by_avx2(uint8_t *out, const uint8_t *in, size_t len, size_t count)
{
    for (; count >= 8; count -= 8, in += 512, out += 256) sha256d_64_x8_avx2(out, in);
    by_one(out, in, len, count);
}

static const struct way plain_ways[] = {
    {"OpenSSL EVP_Digest twice", by_evp, NULL},
    {"OpenSSL SHA256_* twice", by_low_level, NULL},
    {"sha256d", by_sha256d, NULL},
};

static const struct way merkle_ways[] = {
    {"OpenSSL EVP_Digest twice", by_evp, NULL},
    {"OpenSSL SHA256_* twice", by_low_level, NULL},
    {"sha256d_64_one (OpenSSL compression)", by_one, NULL},
    {"eight AVX2 lanes", by_avx2, cpu_has_avx2},
    {"sha256d_64_many (what the node calls)", by_many, NULL},
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct work {
    uint8_t *in, *out;
    size_t len, count, repeat;
    bool merkle; /* COUNT leaves of 32 bytes up to the root, in place of COUNT messages of LEN bytes */
};

static void run_once(const struct work *w, const struct way *way)
{
    if (!w->merkle) {
        way->hash(w->out, w->in, w->len, w->count);
        return;
    }
    const uint8_t *level = w->in;
    for (size_t n = w->count; n > 1; n = (n + 1) / 2) {
        way->hash(w->out, level, 64, n / 2);
        if (n % 2) { /* the last one with itself */
            uint8_t pair[64];
            memcpy(pair, level + 32 * (n - 1), 32);
            memcpy(pair + 32, pair, 32);
            way->hash(w->out + 32 * (n / 2), pair, 64, 1);
        }
        level = w->out;
    }
}

static void measure(const char *title, struct work w, const struct way *ways, size_t count)
{
    struct random r;
    double us[MAX_WAYS][RUNS], base = 0;
    uint8_t expected[32];
    size_t in_bytes = w.merkle ? 32 * w.count : w.len * w.count;
    random_init_u64(&r, 1);
    w.in = mem_alloc(in_bytes);
    w.out = mem_alloc(32 * w.count);
    random_bytes(&r, w.in, in_bytes);
    for (int run = -1; run < RUNS; run++) { /* the first is for warmth */
        for (size_t i = 0; i < count; i++) {
            if (ways[i].available && !ways[i].available()) continue;
            double start = now_us();
            for (size_t k = 0; k < w.repeat; k++) run_once(&w, &ways[i]);
            if (run >= 0) us[i][run] = (now_us() - start) / (double)w.repeat;
            if (i == 0) memcpy(expected, w.out, 32);
            CHECK(memcmp(expected, w.out, 32) == 0);
        }
    }
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        if (ways[i].available && !ways[i].available()) continue;
        qsort(us[i], RUNS, sizeof(double), by_value);
        double median = us[i][RUNS / 2];
        if (i == 0) base = median;
        printf("  %-40s %10.2f us   %5.2f times as fast\n", ways[i].name, median, base / median);
    }
    free(w.in);
    free(w.out);
}

/* ---- a real block ---- */

/* The block's transactions without and with their witness, as bytes made beforehand: of no use to tx_hash. */
struct real {
    struct block *block;
    struct buffer stripped;
    size_t *end; /* of each transaction in STRIPPED */
};

static void ids_by(const struct real *r, void (*hash)(uint8_t out[32], const void *data, size_t len))
{
    uint8_t out[32];
    for (size_t i = 0; i < r->block->tx_count; i++) {
        const struct tx *tx = &r->block->txs[i];
        size_t from = i ? r->end[i - 1] : 0;
        hash(out, r->stripped.data + from, r->end[i] - from);
        CHECK(!memcmp(out, tx->txid.bytes, 32));
        if (!tx->has_witness) continue;
        hash(out, tx->raw.data, tx->raw.len);
        CHECK(!memcmp(out, tx->wtxid.bytes, 32));
    }
}

static void evp_twice(uint8_t out[32], const void *data, size_t len)
{
    by_evp(out, data, len, 1);
}

static void low_level_twice(uint8_t out[32], const void *data, size_t len)
{
    by_low_level(out, data, len, 1);
}

static void ids_evp(const struct real *r)
{
    ids_by(r, evp_twice);
}

static void ids_low_level(const struct real *r)
{
    ids_by(r, low_level_twice);
}

static void ids_ours(const struct real *r)
{
    block_hash_txs(r->block);
}

static void measure_real(const char *name)
{
    static const struct {
        const char *name;
        void (*run)(const struct real *r);
    } ways[] = {{"OpenSSL EVP_Digest twice", ids_evp},
                {"OpenSSL SHA256_* twice", ids_low_level},
                {"block_hash_txs (what the node calls)", ids_ours}};
    double us[ARRAY_LEN(ways)][RUNS], base = 0;
    struct buffer raw = data_read(CAIRN_TEST_DATA, name);
    struct real r = {.block = block_parse(buffer_span(&raw))};
    CHECK(r.block);
    r.end = mem_calloc(r.block->tx_count, sizeof(*r.end));
    for (size_t i = 0; i < r.block->tx_count; i++) {
        tx_write_no_witness(&r.stripped, &r.block->txs[i]);
        r.end[i] = r.stripped.len;
    }
    for (int run = 0; run < RUNS; run++)
        for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
            double start = now_us();
            ways[i].run(&r);
            us[i][run] = now_us() - start;
        }
    printf("txids and wtxids of %s: %zu transactions, %zu bytes\n", name, r.block->tx_count, raw.len);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        qsort(us[i], RUNS, sizeof(double), by_value);
        if (i == 0) base = us[i][RUNS / 2];
        printf("  %-40s %10.2f us   %5.2f times as fast\n", ways[i].name, us[i][RUNS / 2], base / us[i][RUNS / 2]);
    }
    block_free(r.block);
    buffer_clear(&r.stripped);
    buffer_clear(&raw);
    free(r.end);
}

int main(void)
{
    printf("AVX2 %s, SHA extension %s; median of %d runs, processor time\n", cpu_has_avx2() ? "yes" : "no",
           cpu_has_sha_ni() ? "yes" : "no", RUNS);
    measure("1000 transactions of 250 bytes", (struct work){.len = 250, .count = 1000, .repeat = 20}, plain_ways,
            ARRAY_LEN(plain_ways));
    measure("10 transactions of 60000 bytes", (struct work){.len = 60000, .count = 10, .repeat = 10}, plain_ways,
            ARRAY_LEN(plain_ways));
    measure("merkle root of 2000 leaves", (struct work){.count = LEAVES, .repeat = 20, .merkle = true}, merkle_ways,
            ARRAY_LEN(merkle_ways));
    if (data_present(CAIRN_TEST_DATA, "the real block")) measure_real("blocks/real/mainnet-866342.blk.zst");
    return 0;
}
