/* The kernels that search for proof of work, against OpenSSL's double hash of the whole header. */
#include "counting.h"

#include "base/endian.h"
#include "base/random.h"
#include "crypto/sha256d_mine.h"

/* The body of the AVX-512 kernel in instructions that every processor has. */
static mine_scan_fn scan_sixteen_lanes;
#pragma GCC diagnostic ignored "-Wpsabi" /* how such vectors are passed is no matter: all is inlined */
#define LANES 16
#define TARGET
#define SCAN scan_sixteen_lanes
#include "crypto/sha256d_mine_lanes.h"

static bool always(void)
{
    return true;
}

/* The first of COUNT nonces whose word OpenSSL finds low enough. */
static bool scan_whole(const uint8_t header[80], uint32_t limit, uint32_t first, uint64_t count, uint32_t *nonce)
{
    for (uint64_t i = 0; i < count; i++) {
        *nonce = first + (uint32_t)i;
        if (mine_top_word(header, *nonce) <= limit) return true;
    }
    return false;
}

static size_t check_kernel(const struct mine_kernel *kernel, uint64_t seed)
{
    static const uint32_t edges[] = {0, 1, 0x00ffffff, 0x7fffffff, 0x80000000, 0xff00ff00, 0xfffffff0, 0xffffffff};
    struct random r;
    random_init_u64(&r, seed);
    size_t scans = 0;
    for (int i = 0; i < 400; i++, scans++) {
        uint8_t header[80];
        random_bytes(&r, header, sizeof(header));
        uint32_t limit = UINT32_MAX >> random_below(&r, 9); /* found at once, or not within the range */
        uint32_t first = i % 2 ? edges[random_below(&r, ARRAY_LEN(edges))] : (uint32_t)random_u64(&r);
        uint64_t count = random_below(&r, 80);
        if (count > UINT64_C(0x100000000) - first) count = UINT64_C(0x100000000) - first;
        uint32_t want = 0, got = 0;
        struct mine_job job;
        mine_job_init(&job, header, limit);
        bool found = scan_whole(header, limit, first, count, &want);
        cr_assert_eq(kernel->scan(&job, first, count, &got), found, "%s: header %d", kernel->name, i);
        if (found) cr_assert_eq(got, want, "%s: header %d: %u for %u", kernel->name, i, got, want);
    }
    return scans;
}

Test(mine, every_kernel_finds_what_openssl_finds)
{
    size_t count;
    const struct mine_kernel *kernels = mine_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        if (!kernels[i].is_here()) {
            printf("%s: skipped, not on this processor\n", kernels[i].name);
            continue;
        }
        cr_assert(mine_kernel_check(&kernels[i]), "%s", kernels[i].name);
        print_count(kernels[i].name, check_kernel(&kernels[i], i));
    }
}

Test(mine, sixteen_lanes_on_any_processor)
{
    const struct mine_kernel kernel = {.name = "sixteen", .lanes = 16, .is_here = always, .scan = scan_sixteen_lanes};
    cr_assert(mine_kernel_check(&kernel));
    print_count("sixteen lanes", check_kernel(&kernel, 16));
}

Test(mine, the_yardstick_too)
{
    const struct mine_kernel kernel = {.name = "openssl", .lanes = 1, .is_here = always, .scan = mine_scan_openssl};
    cr_assert(mine_kernel_check(&kernel));
    print_count("yardstick", check_kernel(&kernel, 17));
}

static bool scan_one_too_far(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    bool found = mine_scan_c(job, first, count, nonce);
    *nonce += 1;
    return found;
}

static bool scan_past_the_end(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    return mine_scan_c(job, first, count + 1, nonce);
}

static bool scan_nothing(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    (void)job, (void)first, (void)count, (void)nonce;
    return false;
}

Test(mine, the_check_sees_a_wrong_kernel)
{
    mine_scan_fn *const wrong[] = {scan_one_too_far, scan_past_the_end, scan_nothing};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        const struct mine_kernel kernel = {.name = "wrong", .lanes = 1, .is_here = always, .scan = wrong[i]};
        cr_assert_not(mine_kernel_check(&kernel), "%zu", i);
    }
}

/* Bitcoin's first block: what its finder's machine found. */
Test(mine, the_genesis_block)
{
    uint8_t header[80] = {0};
    static const uint8_t root[32] = {0x3b, 0xa3, 0xed, 0xfd, 0x7a, 0x7b, 0x12, 0xb2, 0x7a, 0xc7, 0x2c,
                                     0x3e, 0x67, 0x76, 0x8f, 0x61, 0x7f, 0xc8, 0x1b, 0xc3, 0x88, 0x8a,
                                     0x51, 0x32, 0x3a, 0x9f, 0xb8, 0xaa, 0x4b, 0x1e, 0x5e, 0x4a};
    put_le32(header, 1);
    memcpy(header + 36, root, 32);
    put_le32(header + 68, 1231006505);
    put_le32(header + 72, 0x1d00ffff);
    struct mine_job job;
    mine_job_init(&job, header, 0);
    size_t count;
    const struct mine_kernel *kernels = mine_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        uint32_t nonce = 0;
        if (!kernels[i].is_here()) continue;
        cr_assert(kernels[i].scan(&job, 2083236893u - 1000, 2000, &nonce), "%s", kernels[i].name);
        cr_assert_eq(nonce, 2083236893u, "%s: %u", kernels[i].name, nonce);
    }
    cr_assert_null(mine_kernel_find("gpu"));
    cr_assert_str_eq(mine_kernel_find("c")->name, "c");
}
