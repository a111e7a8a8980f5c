/* Searching for proof of work: eight lanes of AVX2. */
#if defined(__x86_64__)
#define LANES  8
#define TARGET __attribute__((target("avx2")))
#define SCAN   mine_scan_avx2
#include "crypto/sha256d_mine_lanes.h"
#else
#include "crypto/sha256d_mine.h"

bool mine_scan_avx2(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    return mine_scan_c(job, first, count, nonce);
}
#endif
