/* What this processor can do, found once a call with CPUID (no state kept). */
#ifndef CAIRN_CRYPTO_CPU_H
#define CAIRN_CRYPTO_CPU_H

#include <stdbool.h>

bool cpu_has_avx2(void);
bool cpu_has_avx512(void); /* the foundation, avx512f */
bool cpu_has_sha_ni(void);

#endif
