/* Searching for proof of work: double SHA-256 of block headers that differ in the nonce alone, in several ways, of
 * which the fastest of those that this processor can run is for the caller to choose. */
#ifndef CAIRN_CRYPTO_SHA256D_MINE_H
#define CAIRN_CRYPTO_SHA256D_MINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* What stays the same while the nonce runs. */
struct mine_job {
    uint32_t mid[8];  /* SHA-256 state after the first 64 bytes of the header */
    uint32_t tail[3]; /* the words behind: end of the merkle root, time, bits */
    uint32_t limit;   /* the top 32 bits of the target */
};

/* Takes the first 76 bytes of HEADER. LIMIT: the top 32 bits of the target. */
void mine_job_init(struct mine_job *job, const uint8_t header[80], uint32_t limit);

/* Tries COUNT nonces from FIRST on (at most up to 2^32). True at the first whose hash, as a number of 256 bits, has top
 * 32 bits of at most the job's limit: *NONCE is it. The caller looks at the rest of the hash. */
typedef bool mine_scan_fn(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce);

struct mine_kernel {
    const char *name;
    unsigned lanes;        /* headers at once */
    bool (*is_here)(void); /* whether this processor can run it */
    mine_scan_fn *scan;
};

/* Every kernel of this build, "c" first; COUNT is set. */
const struct mine_kernel *mine_kernels(size_t *count);
/* By name, or NULL. */
const struct mine_kernel *mine_kernel_find(const char *name);

/* Whether the kernel finds what OpenSSL's SHA-256 finds, over several thousand hashes, at edges of the nonce too. */
MUST_USE bool mine_kernel_check(const struct mine_kernel *kernel);

/* The top 32 bits of the double hash of a header with this nonce, by OpenSSL: what a scan looks at. */
uint32_t mine_top_word(const uint8_t header[80], uint32_t nonce);

/* The yardstick: COUNT nonces over one midstate by OpenSSL, as straightforward code does it. A kernel's contract. */
mine_scan_fn mine_scan_openssl;

/* --- for the files of this room --- */

mine_scan_fn mine_scan_c;
mine_scan_fn mine_scan_sse2;
mine_scan_fn mine_scan_avx2;
mine_scan_fn mine_scan_avx512;
mine_scan_fn mine_scan_sha_ni;

#endif
