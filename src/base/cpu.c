#include "base/cpu.h"

static const char *const names[ARB_CPU_LEVEL_COUNT] = {"v2", "v3", "v4"};
static int chosen = -1; /* written before threads start, then only read */

arb_cpu_level arb_cpu_best(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("fma"))
        return ARB_CPU_V2;
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512vl");
    return wide ? ARB_CPU_V4 : ARB_CPU_V3;
#else
    return ARB_CPU_V2;
#endif
}

arb_cpu_level arb_cpu_current(void)
{
    int level = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (ARB_UNLIKELY(level < 0)) {
        level = (int)arb_cpu_best();
        __atomic_store_n(&chosen, level, __ATOMIC_RELAXED);
    }
    return (arb_cpu_level)level;
}

arb_code arb_cpu_choose(const char *name, arb_error *error)
{
    for (int level = 0; level < ARB_CPU_LEVEL_COUNT; level++) {
        if (strcmp(name, names[level]) != 0)
            continue;
        if (level > (int)arb_cpu_best()) {
            arb_fail(error, ARB_CONFIGURATION, "ARBALEST_CPU=%s: this processor goes up to %s", name,
                     names[arb_cpu_best()]);
            return ARB_CONFIGURATION;
        }
        __atomic_store_n(&chosen, level, __ATOMIC_RELAXED);
        return ARB_OK;
    }
    return arb_fail(error, ARB_CONFIGURATION, "ARBALEST_CPU=%s: expected v2, v3 or v4", name);
}

const char *arb_cpu_level_name(arb_cpu_level level)
{
    return names[level];
}
