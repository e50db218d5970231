#include "catalog/generators/tpch_random.h"

static uint32_t power(uint32_t base, uint64_t exponent)
{
    uint32_t result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            result = arb_tpch_multiply(result, base);
        base = arb_tpch_multiply(base, base);
    }
    return result;
}

uint32_t arb_tpch_jump(uint64_t draws)
{
    return power(ARB_TPCH_MULTIPLIER, draws);
}

arb_tpch_stream arb_tpch_stream_at(uint32_t seed, unsigned draws_per_unit, int64_t unit)
{
    assert(seed > 0 && seed < ARB_TPCH_MODULUS);
    assert(unit >= 0);
    uint32_t step = arb_tpch_jump(draws_per_unit);
    return (arb_tpch_stream){arb_tpch_multiply(seed, power(step, (uint64_t)unit)), step};
}
