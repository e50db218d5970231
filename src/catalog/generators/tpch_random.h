/* tpch_random.h: the random numbers of TPC-H.
 *
 * Every column that is random has a stream of its own: Lehmer's generator x' = 16807 x mod (2^31 - 1), started from a
 * seed that belongs to the column. A stream is cut into units (a row, an order with its lines, a part with its
 * suppliers); a unit owns a fixed number of draws, whether it uses them or not. So the state before unit u is
 *
 *     seed * (16807^draws)^u   mod (2^31 - 1)
 *
 * which takes O(log u) to find, and stepping from a unit to the next is one multiplication, however many draws the unit
 * used. That is all there is to generating any range of rows alone.
 *
 *     uint32_t cursor = arb_tpch_stream_take(&stream);        // this unit's draws; the stream stands at the next unit
 *     int32_t quantity = 1 + arb_tpch_pick(&cursor, 50);
 */
#ifndef ARB_CATALOG_TPCH_RANDOM_H
#define ARB_CATALOG_TPCH_RANDOM_H

#include "base/compiler.h"

#define ARB_TPCH_MODULUS 2147483647u /* 2^31 - 1, a prime */
#define ARB_TPCH_MULTIPLIER 16807u

typedef struct arb_tpch_stream {
    uint32_t state; /* before the first draw of the unit that comes next; never 0 */
    uint32_t step;  /* multiplier to the power of a unit's draws */
} arb_tpch_stream;

/* a * b mod (2^31 - 1): the high part of the product counts as much as the low one, because 2^31 = 1. */
ARB_INLINE uint32_t arb_tpch_multiply(uint32_t a, uint32_t b)
{
    uint64_t product = (uint64_t)a * b;
    uint32_t folded = (uint32_t)(product & ARB_TPCH_MODULUS) + (uint32_t)(product >> 31);
    return folded >= ARB_TPCH_MODULUS ? folded - ARB_TPCH_MODULUS : folded;
}

/* 16807 to the power of `draws`: what so many draws multiply a state by. */
uint32_t arb_tpch_jump(uint64_t draws);

/* The stream that starts from `seed` and gives each unit `draws_per_unit`, standing before `unit` (counted from 0). */
arb_tpch_stream arb_tpch_stream_at(uint32_t seed, unsigned draws_per_unit, int64_t unit);

ARB_INLINE uint32_t arb_tpch_stream_take(arb_tpch_stream *stream)
{
    uint32_t cursor = stream->state;
    stream->state = arb_tpch_multiply(cursor, stream->step);
    return cursor;
}

ARB_INLINE uint32_t arb_tpch_draw(uint32_t *cursor)
{
    return *cursor = arb_tpch_multiply(*cursor, ARB_TPCH_MULTIPLIER);
}

/* floor(state * range / (2^31 - 1)), for ranges up to 2^20.
 * The definition of the data computes this in doubles, as (state / modulus) * range. For these ranges that is the same:
 * the modulus is prime, so the exact value is at least 1/modulus = 2^-31 away from any integer but 0, and the two
 * roundings move it by less than range * 2^-52. */
ARB_INLINE uint32_t arb_tpch_scale(uint32_t state, uint32_t range)
{
    uint64_t product = (uint64_t)state * range;
    uint32_t high = (uint32_t)(product >> 31);
    uint32_t low = (uint32_t)(product & ARB_TPCH_MODULUS);
    return high + (high + low >= ARB_TPCH_MODULUS);
}

/* Draw from 0 … range - 1, for ranges up to 2^20. */
ARB_INLINE int32_t arb_tpch_pick(uint32_t *cursor, uint32_t range)
{
    return (int32_t)arb_tpch_scale(arb_tpch_draw(cursor), range);
}

/* The same for any range up to 2^31, in doubles: here the roundings are part of the data. */
ARB_INLINE int64_t arb_tpch_pick_wide(uint32_t *cursor, int64_t range)
{
    return (int64_t)((double)arb_tpch_draw(cursor) / (double)ARB_TPCH_MODULUS * (double)range);
}

#endif
