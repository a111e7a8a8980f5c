/* CPUID questions. GCC's start-up code keeps the answers; where it does not know a feature's name, CPUID is asked. */
#include "crypto/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

bool cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

bool cpu_has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

bool cpu_has_sha_ni(void)
{
#if defined(__clang__)
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("sse4.1") || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    return (b >> 29 & 1) != 0;
#else
    return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sha");
#endif
}
#else
bool cpu_has_avx2(void)
{
    return false;
}

bool cpu_has_avx512(void)
{
    return false;
}

bool cpu_has_sha_ni(void)
{
    return false;
}
#endif
