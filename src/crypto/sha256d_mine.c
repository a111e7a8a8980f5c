/* Searching for proof of work: the table of kernels, the yardstick, and the check against OpenSSL. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256d_mine.h"

#include <openssl/sha.h>

#include "base/endian.h"
#include "crypto/cpu.h"
#include "crypto/sha256.h"

enum { MID_BYTES = 64, TAIL_WORDS = 3, NONCE_AT = 76 };

static bool always(void)
{
    return true;
}

static const struct mine_kernel kernels[] = {
    {.name = "c", .lanes = 1, .is_here = always, .scan = mine_scan_c},
#if defined(__x86_64__)
    {.name = "sse2", .lanes = 4, .is_here = always, .scan = mine_scan_sse2},
    {.name = "avx2", .lanes = 8, .is_here = cpu_has_avx2, .scan = mine_scan_avx2},
    {.name = "avx512", .lanes = 16, .is_here = cpu_has_avx512, .scan = mine_scan_avx512},
    {.name = "sha-ni", .lanes = 2, .is_here = cpu_has_sha_ni, .scan = mine_scan_sha_ni},
#endif
};

const struct mine_kernel *mine_kernels(size_t *count)
{
    *count = ARRAY_LEN(kernels);
    return kernels;
}

const struct mine_kernel *mine_kernel_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kernels); i++)
        if (!strcmp(kernels[i].name, name)) return &kernels[i];
    return NULL;
}

void mine_job_init(struct mine_job *job, const uint8_t header[80], uint32_t limit)
{
    SHA256_CTX c;
    SHA256_Init(&c);
    SHA256_Transform(&c, header);
    for (int i = 0; i < 8; i++) job->mid[i] = c.h[i];
    for (int i = 0; i < TAIL_WORDS; i++) job->tail[i] = get_be32(header + MID_BYTES + 4 * i);
    job->limit = limit;
}

uint32_t mine_top_word(const uint8_t header[80], uint32_t nonce)
{
    uint8_t copy[80], hash[32];
    memcpy(copy, header, NONCE_AT);
    put_le32(copy + NONCE_AT, nonce);
    sha256d(hash, copy, sizeof(copy));
    return get_le32(hash + 28);
}

bool mine_scan_openssl(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    SHA256_CTX start;
    SHA256_Init(&start);
    for (int i = 0; i < 8; i++) start.h[i] = job->mid[i];
    start.Nl = 8 * MID_BYTES; /* bits so far */
    uint8_t tail[16], hash[32];
    for (int i = 0; i < TAIL_WORDS; i++) put_be32(tail + 4 * i, job->tail[i]);
    for (uint64_t i = 0; i < count; i++) {
        SHA256_CTX c = start;
        put_le32(tail + 12, first + (uint32_t)i);
        SHA256_Update(&c, tail, sizeof(tail));
        SHA256_Final(hash, &c);
        SHA256_Init(&c);
        SHA256_Update(&c, hash, sizeof(hash));
        SHA256_Final(hash, &c);
        if (get_le32(hash + 28) > job->limit) continue;
        *nonce = first + (uint32_t)i;
        return true;
    }
    return false;
}

/* With the top word of each of COUNT nonces from FIRST on as the limit, the scan must end where OpenSSL's words say. */
static bool check_range(const struct mine_kernel *kernel, const uint8_t header[80], uint32_t first)
{
    enum { COUNT = 37 }; /* no multiple of any number of lanes */
    uint32_t tops[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) tops[i] = mine_top_word(header, first + i);
    struct mine_job job;
    mine_job_init(&job, header, 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        job.limit = tops[i];
        uint32_t want = 0, got = 0;
        while (tops[want] > tops[i]) want++;
        if (!kernel->scan(&job, first, COUNT, &got) || got != first + want) return false;
        if (!want) continue;
        if (kernel->scan(&job, first, want, &got)) return false; /* the end of the range is the end */
    }
    return true;
}

bool mine_kernel_check(const struct mine_kernel *kernel)
{
    static const uint32_t starts[] = {0, 1, 0x7ffffff0, 0xffffffdb}; /* the last range ends with the last nonce */
    uint8_t header[80] = {0};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        for (int at = 0; at < NONCE_AT; at += 32) {
            uint8_t hash[32];
            sha256_once(hash, header, sizeof(header));
            memcpy(header + at, hash, NONCE_AT - at < 32 ? (size_t)(NONCE_AT - at) : 32);
        }
        if (!check_range(kernel, header, starts[i])) return false;
    }
    return true;
}
