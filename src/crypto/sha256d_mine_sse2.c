/* Searching for proof of work: four lanes of SSE2, which every x86-64 processor has. */
#if defined(__x86_64__)
#define LANES 4
#define TARGET
#define SCAN mine_scan_sse2
#include "crypto/sha256d_mine_lanes.h"
#else
#include "crypto/sha256d_mine.h"

bool mine_scan_sse2(const struct mine_job *job, uint32_t first, uint64_t count, uint32_t *nonce)
{
    return mine_scan_c(job, first, count, nonce);
}
#endif
