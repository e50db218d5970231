/* cpu.h: which instructions this process uses.
 *
 * Every file named *_kernel.c is compiled three times, for the x86-64 levels v2 (SSE4.2), v3 (AVX2, BMI2) and v4
 * (AVX-512), each with ARB_LEVEL set to its level's name; on other processors once, as v2. Such a file fills one
 * constant table of functions; the table for the level of this process is looked up by the accessor that
 * ARB_KERNELS_DEFINE makes. So the choice costs one indirect call per vector, and tests can force each level.
 *
 *     compare.h          typedef struct arb_compare_kernels { ... } arb_compare_kernels;
 *                        ARB_KERNELS_DECLARE(arb_compare_kernels);     // const arb_compare_kernels *arb_compare_kernels_get(void)
 *     compare_kernel.c   const arb_compare_kernels ARB_KERNELS_TABLE(arb_compare_kernels) = { ... };
 *     compare.c          ARB_KERNELS_DEFINE(arb_compare_kernels)
 */
#ifndef ARB_BASE_CPU_H
#define ARB_BASE_CPU_H

#include "base/compiler.h"
#include "base/error.h"

typedef enum arb_cpu_level { ARB_CPU_V2, ARB_CPU_V3, ARB_CPU_V4, ARB_CPU_LEVEL_COUNT } arb_cpu_level;

/* The best level that this machine has. */
arb_cpu_level arb_cpu_best(void);
/* The level in use: the best one until arb_cpu_choose is called. */
arb_cpu_level arb_cpu_current(void);
/* Use "v2", "v3" or "v4" from now on; ARB_CONFIGURATION when the name is unknown or the machine lacks it. Call before
 * any other thread runs. */
ARB_NODISCARD arb_code arb_cpu_choose(const char *name, arb_error *error);
const char *arb_cpu_level_name(arb_cpu_level level);

#ifdef __x86_64__
#define ARB_KERNELS_DECLARE(type)                      \
    extern const type type##_v2, type##_v3, type##_v4; \
    const type *type##_get(void)
#define ARB_KERNELS_DEFINE(type)                                                  \
    const type *type##_get(void)                                                  \
    {                                                                             \
        static const type *const tables[] = {&type##_v2, &type##_v3, &type##_v4}; \
        return tables[arb_cpu_current()];                                         \
    }
#else
#define ARB_KERNELS_DECLARE(type) \
    extern const type type##_v2;  \
    const type *type##_get(void)
#define ARB_KERNELS_DEFINE(type) \
    const type *type##_get(void) \
    {                            \
        return &type##_v2;       \
    }
#endif
#define ARB_KERNELS_TABLE(type) ARB_CAT3(type, _, ARB_LEVEL)

#endif
