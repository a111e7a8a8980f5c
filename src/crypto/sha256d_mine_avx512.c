/* Searching for proof of work: sixteen lanes of AVX-512, whose rotations and three-way logic the compiler finds in the
 * common body. */
#if defined(__x86_64__)
#define LANES  16
#define TARGET __attribute__((target("avx512f")))
#define SCAN   mine_scan_avx512
#include "crypto/sha256d_mine_lanes.h"
#else
#include "crypto/sha256d_mine.h"

bool mine_scan_avx512(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    return mine_scan_c(job, first, count, nonce);
}
#endif
