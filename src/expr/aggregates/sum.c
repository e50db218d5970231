/* sum.c: sum and avg.
 *
 * Both keep a sum and a count, in one of three forms that `plan` chooses:
 *   SMALL  int64 sum: rows_most * the largest magnitude proves that it cannot overflow
 *   WIDE   int128 sum: then a BIGINT result is checked at the end, so that what fits never fails on the way
 *   REAL   double sum, with what its additions rounded away beside it (Neumaier's), so that the order of rows and how
 *          they were split between threads hardly show
 * A decimal's sum is exact or an error. */
#include <math.h>

#include "expr/aggregates/aggregate_rows.h"
#include "kernels/reduce.h"

enum { SMALL, WIDE, WIDE_CHECKED, REAL };

typedef struct small_state {
    int64_t sum;
    int64_t count;
} small_state;

typedef struct wide_state {
    uint64_t sum[2]; /* an arb_int128, of which only alignment to 8 is known */
    int64_t count;
} wide_state;

typedef struct real_state {
    double sum;
    int64_t count;
    double lost; /* to be added at the end */
} real_state;

static const arb_int128 decimal_most = (arb_int128)1000000000000000000 * 1000000000000000000 * 100 - 1;

/* ---- planning --------------------------------------------------------------------------------------------------------- */

static arb_code plan_form(arb_aggregate_plan *plan, size_t *out_state_size)
{
    const arb_slot *argument = &plan->arguments[0];
    if (argument->physical == ARB_PHYS_FLOAT32 || argument->physical == ARB_PHYS_FLOAT64) {
        plan->variant = REAL;
        *out_state_size = sizeof(real_state);
        return ARB_OK;
    }
    arb_range range = argument->range.known ? argument->range : arb_range_of_type(argument->type);
    arb_int128 most = ARB_MAX(range.high, range.low == ARB_INT128_MIN ? ARB_INT128_MAX : -range.low), total;
    bool over = __builtin_mul_overflow(most, (arb_int128)arb_aggregate_rows_most(plan), &total);
    if (!over && total <= INT64_MAX)
        plan->variant = SMALL;
    else
        plan->variant = over || total > decimal_most ? WIDE_CHECKED : WIDE;
    *out_state_size = plan->variant == SMALL ? sizeof(small_state) : sizeof(wide_state);
    return ARB_OK;
}

static arb_int128 times_rows(arb_int128 value, uint64_t rows)
{
    arb_int128 product;
    if (__builtin_mul_overflow(value, (arb_int128)rows, &product))
        return value < 0 ? ARB_INT128_MIN : ARB_INT128_MAX;
    return product;
}

static arb_code plan_sum(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    ARB_TRY(plan_form(plan, out_state_size));
    const arb_slot *argument = &plan->arguments[0];
    *out_result = (arb_slot){.id = ARB_NO_COLUMN, .type = plan->result, .nullable = true};
    out_result->physical = arb_type_physical(plan->result);
    if (plan->variant == REAL)
        return ARB_OK;
    if (plan->variant == SMALL)
        out_result->physical = ARB_PHYS_INT64;
    arb_range allowed = arb_range_of_type(plan->result);
    arb_range range = argument->range.known ? argument->range : arb_range_of_type(argument->type);
    uint64_t rows = arb_aggregate_rows_most(plan);
    range.low = ARB_MIN(range.low, times_rows(range.low, rows));
    range.high = ARB_MAX(range.high, times_rows(range.high, rows));
    out_result->range = (arb_range){true, ARB_MAX(range.low, allowed.low), ARB_MIN(range.high, allowed.high)};
    return ARB_OK;
}

static arb_code plan_average(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    ARB_TRY(plan_form(plan, out_state_size));
    *out_result = (arb_slot){.id = ARB_NO_COLUMN,
                             .type = plan->result,
                             .physical = arb_type_physical(plan->result),
                             .nullable = true,
                             .range = arb_range_of_type(plan->result)};
    return ARB_OK;
}

/* All bits 0 is an empty state in each form. */
static void init_sum(const arb_aggregate_plan *plan, void *state)
{
    memset(state, 0,
           plan->variant == SMALL  ? sizeof(small_state)
           : plan->variant == REAL ? sizeof(real_state)
                                   : sizeof(wide_state));
}

/* ---- adding ----------------------------------------------------------------------------------------------------------- */

static arb_code fail_overflow(const arb_aggregate_plan *plan, arb_error *error)
{
    arb_text type = {0};
    arb_type_print(&type, plan->result);
    arb_fail(error, ARB_OUT_OF_RANGE, "the %s is out of the range of %.*s", plan->function->name,
             ARB_STR_ARGS(arb_text_view(&type)));
    arb_text_reset(&type);
    arb_error_hint(error, plan->result.id == ARB_TYPE_BIGINT ? "sum decimals instead: sum(CAST(x AS decimal(38,0)))"
                                                             : "sum doubles instead: sum(CAST(x AS double))");
    return ARB_OUT_OF_RANGE;
}

static arb_code add_wide(const arb_aggregate_plan *plan, wide_state *state, arb_int128 value, arb_error *error)
{
    arb_int128 sum = 0;
    bool over = __builtin_add_overflow(arb_load_i128(state->sum), value, &sum);
    if (plan->variant == WIDE_CHECKED && (over || sum > decimal_most || sum < -decimal_most))
        return fail_overflow(plan, error);
    arb_store_i128(state->sum, sum);
    return ARB_OK;
}

#define DEFINE_UPDATES(name, ctype)                                                                               \
    static void update_small_##name(const arb_vector *argument, uint32_t rows, const uint64_t *selection,         \
                                    void *const *states)                                                          \
    {                                                                                                             \
        const ctype *values = argument->values.data;                                                              \
        if (selection == NULL && argument->validity == NULL && argument->encoding == ARB_FLAT) {                  \
            for (uint32_t row = 0; row < rows; row++) {                                                           \
                small_state *state = states[row];                                                                 \
                state->sum += (int64_t)values[row];                                                               \
                state->count++;                                                                                   \
            }                                                                                                     \
            return;                                                                                               \
        }                                                                                                         \
        ARB_COUNTED_EACH(argument, selection, rows, row)                                                          \
        {                                                                                                         \
            small_state *state = states[row];                                                                     \
            state->sum += (int64_t)values[arb_argument_slot(argument, row)];                                      \
            state->count++;                                                                                       \
        }                                                                                                         \
    }                                                                                                             \
    static arb_code update_wide_##name(const arb_aggregate_plan *plan, const arb_vector *argument, uint32_t rows, \
                                       const uint64_t *selection, void *const *states, arb_error *error)          \
    {                                                                                                             \
        const ctype *values = argument->values.data;                                                              \
        ARB_COUNTED_EACH(argument, selection, rows, row)                                                          \
        {                                                                                                         \
            wide_state *state = states[row];                                                                      \
            ARB_TRY(add_wide(plan, state, values[arb_argument_slot(argument, row)], error));                      \
            state->count++;                                                                                       \
        }                                                                                                         \
        return ARB_OK;                                                                                            \
    }
DEFINE_UPDATES(i8, int8_t)
DEFINE_UPDATES(i16, int16_t)
DEFINE_UPDATES(i32, int32_t)
DEFINE_UPDATES(i64, int64_t)
DEFINE_UPDATES(i128, arb_int128)
#undef DEFINE_UPDATES

static void add_real(real_state *state, double value)
{
    double sum = state->sum + value;
    state->lost += fabs(state->sum) >= fabs(value) ? (state->sum - sum) + value : (value - sum) + state->sum;
    state->sum = sum;
}

/* Once the sum is infinite or not a number, nothing is known of what was lost. */
static double real_sum(const real_state *state)
{
    return isfinite(state->sum) ? state->sum + state->lost : state->sum;
}

static void update_real(const arb_vector *argument, uint32_t rows, const uint64_t *selection, void *const *states)
{
    bool narrow = argument->physical == ARB_PHYS_FLOAT32;
    ARB_COUNTED_EACH(argument, selection, rows, row)
    {
        real_state *state = states[row];
        size_t slot = arb_argument_slot(argument, row);
        add_real(state, narrow ? (double)argument->values.f32[slot] : argument->values.f64[slot]);
        state->count++;
    }
}

static arb_code update_sum(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                           uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)arena;
    const arb_vector *argument = arguments[0];
    bool small = plan->variant == SMALL;
    if (plan->variant == REAL) {
        update_real(argument, rows, selection, states);
        return ARB_OK;
    }
#define CASE(physical_, name)                                                          \
    case ARB_PHYS_##physical_:                                                         \
        if (!small)                                                                    \
            return update_wide_##name(plan, argument, rows, selection, states, error); \
        update_small_##name(argument, rows, selection, states);                        \
        return ARB_OK;
    switch (argument->physical) {
        CASE(INT8, i8)
        CASE(INT16, i16)
        CASE(INT32, i32)
        CASE(INT64, i64)
        CASE(INT128, i128)
    default:
        return arb_fail(error, ARB_INTERNAL, "a sum over %s", arb_physical_name((arb_physical)argument->physical));
    }
#undef CASE
}

static arb_code sum_i128(const arb_aggregate_plan *plan, const arb_vector *argument, uint32_t rows,
                         const uint64_t *mask, arb_int128 *out_sum, arb_error *error)
{
    arb_int128 sum = 0;
    for (uint32_t row = 0; row < rows; row++) {
        arb_int128 value = arb_bitmap_get(mask, row) ? argument->values.i128[row] : 0;
        if (__builtin_add_overflow(sum, value, &sum))
            return fail_overflow(plan, error);
    }
    *out_sum = sum;
    return ARB_OK;
}

static arb_code sum_whole(const arb_aggregate_plan *plan, const arb_vector *argument, uint32_t rows,
                          const uint64_t *mask, uint32_t count, arb_int128 *out_sum, arb_error *error)
{
    const arb_reduce_kernels *kernels = arb_reduce_kernels_get();
    if (argument->encoding == ARB_CONSTANT) {
        arb_int128 value = count == 0 ? 0 : arb_vector_get_integer(argument, 0);
        return __builtin_mul_overflow(value, (arb_int128)count, out_sum) ? fail_overflow(plan, error) : ARB_OK;
    }
    switch (argument->physical) {
    case ARB_PHYS_INT8:
        *out_sum = kernels->sum_i8(argument->values.i8, rows, mask);
        return ARB_OK;
    case ARB_PHYS_INT16:
        *out_sum = kernels->sum_i16(argument->values.i16, rows, mask);
        return ARB_OK;
    case ARB_PHYS_INT32:
        *out_sum = kernels->sum_i32(argument->values.i32, rows, count == rows ? NULL : mask);
        return ARB_OK;
    case ARB_PHYS_INT64:
        *out_sum = kernels->sum_i64(argument->values.i64, rows, count == rows ? NULL : mask);
        return ARB_OK;
    default:
        return sum_i128(plan, argument, rows, mask, out_sum, error);
    }
}

static double sum_real(const arb_vector *argument, uint32_t rows, const uint64_t *mask, uint32_t count)
{
    const arb_reduce_kernels *kernels = arb_reduce_kernels_get();
    if (argument->encoding == ARB_CONSTANT)
        return count == 0 ? 0 : arb_vector_get_double(argument, 0) * count;
    if (argument->physical == ARB_PHYS_FLOAT32)
        return kernels->sum_f32(argument->values.f32, rows, count == rows ? NULL : mask);
    return kernels->sum_f64(argument->values.f64, rows, count == rows ? NULL : mask);
}

static arb_code update_one_sum(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                               uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    (void)arena;
    uint64_t mask[ARB_VECTOR_WORDS];
    uint32_t count = arb_counted_mask(arguments[0], selection, rows, mask);
    if (plan->variant == REAL) {
        real_state *real = state;
        add_real(real, sum_real(arguments[0], rows, mask, count));
        real->count += count;
        return ARB_OK;
    }
    arb_int128 sum = 0;
    ARB_TRY(sum_whole(plan, arguments[0], rows, mask, count, &sum, error));
    if (plan->variant == SMALL) {
        small_state *small = state;
        small->sum += (int64_t)sum;
        small->count += count;
        return ARB_OK;
    }
    wide_state *wide = state;
    wide->count += count;
    return add_wide(plan, wide, sum, error);
}

static arb_code combine_sum(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                            arb_error *error)
{
    (void)arena;
    if (plan->variant == REAL) {
        const real_state *other = from;
        real_state *real = into;
        add_real(real, other->sum);
        real->lost += other->lost;
        real->count += other->count;
        return ARB_OK;
    }
    if (plan->variant == SMALL) {
        ((small_state *)into)->sum += ((const small_state *)from)->sum;
        ((small_state *)into)->count += ((const small_state *)from)->count;
        return ARB_OK;
    }
    ((wide_state *)into)->count += ((const wide_state *)from)->count;
    return add_wide(plan, into, arb_load_i128(((const wide_state *)from)->sum), error);
}

/* ---- results ---------------------------------------------------------------------------------------------------------- */

static int64_t state_count(const arb_aggregate_plan *plan, const void *state)
{
    return plan->variant == SMALL || plan->variant == REAL ? ((const small_state *)state)->count
                                                           : ((const wide_state *)state)->count;
}

static arb_int128 state_sum(const arb_aggregate_plan *plan, const void *state)
{
    return plan->variant == SMALL ? ((const small_state *)state)->sum : arb_load_i128(((const wide_state *)state)->sum);
}

static void put_whole(arb_vector *out, uint32_t row, arb_int128 value)
{
    if (out->physical == ARB_PHYS_INT32)
        out->values.i32[row] = (int32_t)value;
    else if (out->physical == ARB_PHYS_INT64)
        out->values.i64[row] = (int64_t)value;
    else
        out->values.i128[row] = value;
}

static void put_null(arb_vector *out, uint32_t row, uint64_t *validity, bool *out_has_null)
{
    size_t size = arb_physical_size((arb_physical)out->physical);
    memset((char *)out->values.data + row * size, 0, size);
    arb_bitmap_clear(validity, row);
    *out_has_null = true;
}

static arb_code finalize_sum(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                             arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena;
    *out_has_null = false;
    arb_range allowed = arb_range_of_type(plan->result);
    for (uint32_t i = 0; i < count; i++) {
        if (state_count(plan, states[i]) == 0) {
            put_null(out, i, validity, out_has_null);
        } else if (plan->variant == REAL) {
            out->values.f64[i] = real_sum(states[i]);
        } else {
            arb_int128 sum = state_sum(plan, states[i]);
            if (sum < allowed.low || sum > allowed.high)
                return fail_overflow(plan, error);
            put_whole(out, i, sum);
        }
    }
    return ARB_OK;
}

/* sum * 10^extra / count, rounded half away from zero; false when it has more than 38 digits. */
static bool divide_decimal(arb_int128 sum, int64_t count, arb_int128 factor, arb_int128 *out)
{
    arb_int128 whole, part = sum % count * factor; /* count is below 2^63, so this fits */
    arb_int128 rounded = part / count, rest = part % count;
    rounded += (rest >= count - rest) - (-rest >= count + rest);
    return !__builtin_mul_overflow(sum / count, factor, &whole) && !__builtin_add_overflow(whole, rounded, out) &&
           *out <= decimal_most && *out >= -decimal_most;
}

static arb_code finalize_average(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                 arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena;
    *out_has_null = false;
    bool decimal = plan->result.id == ARB_TYPE_DECIMAL;
    arb_int128 factor = decimal ? arb_power_of_ten((unsigned)plan->result.scale - plan->arguments[0].type.scale) : 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t rows = state_count(plan, states[i]);
        if (rows == 0) {
            put_null(out, i, validity, out_has_null);
        } else if (plan->variant == REAL) {
            out->values.f64[i] = real_sum(states[i]) / (double)rows;
        } else if (!decimal) {
            out->values.f64[i] = (double)state_sum(plan, states[i]) / (double)rows;
        } else {
            arb_int128 average;
            if (!divide_decimal(state_sum(plan, states[i]), rows, factor, &average))
                return fail_overflow(plan, error);
            put_whole(out, i, average);
        }
    }
    return ARB_OK;
}

/* ---- types ------------------------------------------------------------------------------------------------------------ */

static arb_code resolve_sum(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                            arb_error *error)
{
    (void)function, (void)count, (void)error;
    arb_type *type = &arguments[0].type;
    if (type->id == ARB_TYPE_NULL)
        *type = ARB_TYPE(DOUBLE);
    if (!arb_type_is_numeric(*type))
        return ARB_NO_FIT;
    *out_result = arb_type_is_integer(*type)     ? ARB_TYPE(BIGINT)
                  : type->id == ARB_TYPE_DECIMAL ? arb_type_decimal(38, type->scale)
                                                 : ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static arb_code resolve_average(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    ARB_TRY(resolve_sum(function, arguments, count, out_result, error));
    *out_result = arguments[0].type.id == ARB_TYPE_DECIMAL
                      ? arb_type_decimal(38, ARB_MIN(arguments[0].type.scale + 4u, 38u))
                      : ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static const arb_aggregate_implementation sum_run = {
    .plan = plan_sum,
    .init = init_sum,
    .update = update_sum,
    .update_one = update_one_sum,
    .combine = combine_sum,
    .finalize = finalize_sum,
};

static const arb_aggregate_implementation average_run = {
    .plan = plan_average,
    .init = init_sum,
    .update = update_sum,
    .update_one = update_one_sum,
    .combine = combine_sum,
    .finalize = finalize_average,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("sum", 1, 1, resolve_sum, &sum_run),
    ARB_AGGREGATE_ROW("avg", 1, 1, resolve_average, &average_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_sum, rows);
