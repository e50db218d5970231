/* quantile.c: quantiles and what else needs all values of a group: median, quantile_cont, quantile_disc, mode.
 *
 * A state is a chain of pieces in the arena, each twice as large as the one before, that hold the values as they are
 * (texts with bytes of the arena). They are brought together and sorted at the end. The continuous quantiles are of
 * doubles, the others of any type with an order. */
#include <math.h>

#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"
#include "expr/aggregates/value_sort.h"

enum { CONTINUOUS, DISCRETE, MODE };

typedef struct value_piece value_piece;
struct value_piece {
    value_piece *next;
    size_t count, capacity;
    char values[] ARB_ALIGNED(16);
};

typedef struct values_state {
    value_piece *first, *last;
    uint64_t count;
    double fraction; /* of the last row; set with the first value */
} values_state;

enum { piece_least = 4, piece_most = 1 << 16 }; /* values */

static size_t value_size(const arb_aggregate_plan *plan)
{
    return arb_kept_value_width(plan->arguments[0].physical);
}

static arb_code check_fraction(double fraction, arb_error *error)
{
    if (fraction >= 0 && fraction <= 1)
        return ARB_OK;
    return arb_fail(error, ARB_OUT_OF_RANGE, "percentile value %g is not between 0 and 1", fraction);
}

static arb_code plan_values(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    const char *name = plan->function->name;
    plan->variant = strcmp(name, "mode") == 0 ? MODE : strcmp(name, "quantile_disc") == 0 ? DISCRETE : CONTINUOUS;
    plan->packs = true;
    *out_state_size = sizeof(values_state);
    *out_result = plan->arguments[0];
    out_result->id = ARB_NO_COLUMN;
    out_result->nullable = true;
    if (plan->argument_count == 2 && plan->constants[1] != NULL && !plan->constants[1]->is_null &&
        plan->constants[1]->type.id == ARB_TYPE_DOUBLE)
        return check_fraction(plan->constants[1]->real, error);
    return ARB_OK;
}

static void init_values(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    *(values_state *)state = (values_state){.fraction = 0.5};
}

/* Room for one more value. */
static char *add_value(values_state *state, arb_arena *arena, size_t size, arb_error *error)
{
    value_piece *last = state->last;
    if (last == NULL || last->count == last->capacity) {
        size_t capacity = last == NULL ? piece_least : ARB_MIN(last->capacity * 2, (size_t)piece_most);
        value_piece *piece = arb_arena_alloc(arena, sizeof *piece + capacity * size);
        if (piece == NULL) {
            arb_fail_memory(error, "the values of an aggregate", capacity * size);
            return NULL;
        }
        piece->next = NULL;
        piece->count = 0;
        piece->capacity = capacity;
        *(last == NULL ? &state->first : &last->next) = piece;
        state->last = last = piece;
    }
    state->count++;
    return last->values + last->count++ * size;
}

static arb_code take_row(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                         size_t row, values_state *state, arb_error *error)
{
    const arb_vector *argument = arguments[0];
    size_t size = value_size(plan), slot = arb_argument_slot(argument, row);
    if (plan->argument_count == 2) {
        size_t at = arb_argument_slot(arguments[1], row);
        if (arguments[1]->validity != NULL && !arb_bitmap_get(arguments[1]->validity, at))
            return arb_fail(error, ARB_NULL_NOT_ALLOWED, "a quantile's fraction must not be NULL");
        state->fraction = arguments[1]->values.f64[at];
        ARB_TRY(check_fraction(state->fraction, error));
    }
    char *place = add_value(state, arena, size, error);
    if (place == NULL)
        return ARB_OUT_OF_MEMORY;
    if (argument->physical == ARB_PHYS_BOOL) {
        *place = arb_bitmap_get(argument->values.bits, slot);
        return ARB_OK;
    }
    const char *values = argument->values.data;
    return arb_kept_value_set(arena, (arb_physical)argument->physical, values + slot * size, place, error);
}

static arb_code update_values(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                              uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, states[row], error));
    return ARB_OK;
}

static arb_code update_one_values(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                  uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, state, error));
    return ARB_OK;
}

static arb_code combine_values(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                               arb_error *error)
{
    values_state *state = into;
    const values_state *other = from;
    size_t size = value_size(plan);
    arb_physical physical = plan->arguments[0].physical;
    if (other->count != 0)
        state->fraction = other->fraction;
    for (const value_piece *piece = other->first; piece != NULL; piece = piece->next) {
        ARB_TRY(arb_check_stop(plan->stop, error));
        for (size_t i = 0; i < piece->count; i++) {
            char *place = add_value(state, arena, size, error);
            if (place == NULL)
                return ARB_OUT_OF_MEMORY;
            ARB_TRY(arb_kept_value_set(arena, physical, piece->values + i * size, place, error));
        }
    }
    return ARB_OK;
}

/* ---- order ------------------------------------------------------------------------------------------------------------ */

#define DEFINE_COMPARE(name, ctype)                         \
    static int compare_##name(const void *a, const void *b) \
    {                                                       \
        ctype x, y;                                         \
        memcpy(&x, a, sizeof x);                            \
        memcpy(&y, b, sizeof y);                            \
        return (x > y) - (x < y);                           \
    }
DEFINE_COMPARE(i8, int8_t)
DEFINE_COMPARE(i16, int16_t)
DEFINE_COMPARE(i32, int32_t)
DEFINE_COMPARE(i64, int64_t)
DEFINE_COMPARE(i128, arb_int128)
#undef DEFINE_COMPARE

/* NaN is the largest. */
static int compare_reals(double x, double y)
{
    return x != x || y != y ? (x != x) - (y != y) : (x > y) - (x < y);
}

static int compare_f32(const void *a, const void *b)
{
    return compare_reals((double)arb_load_f32(a), (double)arb_load_f32(b));
}

static int compare_f64(const void *a, const void *b)
{
    return compare_reals(arb_load_f64(a), arb_load_f64(b));
}

static int compare_texts(const void *a, const void *b)
{
    return arb_string_compare(a, b);
}

static int compare_intervals(const void *a, const void *b)
{
    const arb_interval *x = a, *y = b;
    arb_int128 left = arb_interval_span(*x);
    arb_int128 right = arb_interval_span(*y);
    return (left > right) - (left < right);
}

static arb_compare_values order_of(arb_physical physical)
{
    static const arb_compare_values orders[ARB_PHYS_COUNT] = {
        [ARB_PHYS_BOOL] = compare_i8,      [ARB_PHYS_INT8] = compare_i8,
        [ARB_PHYS_INT16] = compare_i16,    [ARB_PHYS_INT32] = compare_i32,
        [ARB_PHYS_INT64] = compare_i64,    [ARB_PHYS_INT128] = compare_i128,
        [ARB_PHYS_FLOAT32] = compare_f32,  [ARB_PHYS_FLOAT64] = compare_f64,
        [ARB_PHYS_STRING] = compare_texts, [ARB_PHYS_INTERVAL] = compare_intervals,
    };
    return orders[physical];
}

/* Bring the `nth` smallest to its place, the smaller ones in front of it (quickselect, median of three). */
static arb_code select_real(double *values, size_t count, size_t nth, arb_stop_flag *stop, arb_error *error)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        ARB_TRY(arb_check_stop(stop, error));
        double a = values[low], b = values[low + (high - low) / 2], c = values[high];
        double pivot = compare_reals(a, b) < 0 ? (compare_reals(b, c) < 0   ? b
                                                  : compare_reals(a, c) < 0 ? c
                                                                            : a)
                                               : (compare_reals(a, c) < 0   ? a
                                                  : compare_reals(b, c) < 0 ? c
                                                                            : b);
        size_t i = low, j = high;
        for (;;) {
            while (compare_reals(values[i], pivot) < 0)
                i++;
            while (compare_reals(values[j], pivot) > 0)
                j--;
            if (i >= j)
                break;
            double swapped = values[i];
            values[i++] = values[j];
            values[j--] = swapped;
        }
        /* [low, j] <= pivot <= [j + 1, high], and both are shorter than the whole */
        if (nth <= j)
            high = j;
        else
            low = j + 1;
    }
    return ARB_OK;
}

/* ---- results ---------------------------------------------------------------------------------------------------------- */

static arb_code continuous(const arb_aggregate_plan *plan, double *values, size_t count, double fraction, double *out,
                           arb_error *error)
{
    double place = fraction * (double)(count - 1);
    size_t below = (size_t)floor(place), above = (size_t)ceil(place);
    ARB_TRY(select_real(values, count, below, plan->stop, error));
    double low = *out = values[below], high = values[above];
    for (size_t i = above + 1; i < count; i++) /* the smallest of those behind */
        if (compare_reals(values[i], high) < 0)
            high = values[i];
    if (low != high)
        *out = low + (high - low) * (place - (double)below);
    return ARB_OK;
}

/* The value that comes most often, the smallest of several. */
static const char *most_frequent(const char *values, size_t count, size_t size, arb_compare_values compare)
{
    size_t best = 0, best_at = 0, run = 0;
    for (size_t i = 0; i < count; i++) {
        run = i != 0 && compare(values + i * size, values + (i - 1) * size) == 0 ? run + 1 : 1;
        if (run > best) {
            best = run;
            best_at = i;
        }
    }
    return values + best_at * size;
}

static void put_value(arb_vector *out, uint32_t row, const char *value, size_t size)
{
    if (out->physical == ARB_PHYS_BOOL)
        arb_bitmap_put(out->values.bits, row, *value != 0);
    else
        memcpy((char *)out->values.data + row * size, value, size);
}

static arb_code finalize_one(const arb_aggregate_plan *plan, const values_state *state, arb_arena *scratch,
                             arb_vector *out, uint32_t row, arb_error *error)
{
    size_t size = value_size(plan), count = state->count, filled = 0;
    arb_compare_values compare = order_of(plan->arguments[0].physical);
    char *values = arb_arena_alloc(scratch, count * size);
    if (values == NULL)
        return arb_fail_memory(error, "the values of an aggregate", count * size);
    for (const value_piece *piece = state->first; piece != NULL; piece = piece->next) {
        memcpy(values + filled, piece->values, piece->count * size);
        filled += piece->count * size;
    }
    if (plan->variant == CONTINUOUS)
        return continuous(plan, (double *)(void *)values, count, state->fraction, &out->values.f64[row], error);
    ARB_TRY(arb_values_sort(scratch, values, count, size, compare, plan->stop, error));
    if (plan->variant == MODE) {
        put_value(out, row, most_frequent(values, count, size, compare), size);
        return ARB_OK;
    }
    double wanted = ceil(state->fraction * (double)count); /* the first with at least that part up to it */
    size_t at = wanted < 1 ? 0 : ARB_MIN((size_t)wanted, count) - 1;
    put_value(out, row, values + at * size, size);
    return ARB_OK;
}

static arb_code finalize_values(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena; /* texts lie in the states' */
    arb_arena scratch = {0};
    arb_code code = ARB_OK;
    *out_has_null = false;
    for (uint32_t i = 0; i < count && code == ARB_OK; i++) {
        const values_state *state = states[i];
        if (state->count == 0) {
            static const char zeros[ARB_KEPT_VALUE_SIZE];
            put_value(out, i, zeros, value_size(plan));
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
            continue;
        }
        arb_arena_rewind(&scratch);
        code = finalize_one(plan, state, &scratch, out, i, error);
    }
    arb_arena_reset(&scratch);
    return code;
}

/* ---- as bytes --------------------------------------------------------------------------------------------------------- */

/* Packed: the fraction, the count, then the values. */
enum { packed_head = 16 };

static uint64_t packed_size_values(const arb_aggregate_plan *plan, const void *state_void)
{
    const values_state *state = state_void;
    size_t width = value_size(plan);
    arb_physical physical = plan->arguments[0].physical;
    uint64_t size = packed_head;
    for (const value_piece *piece = state->first; piece != NULL; piece = piece->next)
        for (size_t i = 0; i < piece->count; i++)
            size += arb_kept_value_packed_size(physical, piece->values + i * width);
    return size;
}

static void pack_values(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    const values_state *state = state_void;
    size_t width = value_size(plan);
    memcpy(to, &state->fraction, sizeof state->fraction);
    arb_store_u64(to + 8, state->count);
    to += packed_head;
    for (const value_piece *piece = state->first; piece != NULL; piece = piece->next)
        for (size_t i = 0; i < piece->count; i++)
            to = arb_kept_value_pack(plan->arguments[0].physical, piece->values + i * width, to);
}

static arb_code unpack_values(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                              void *state_void, arb_error *error)
{
    values_state *state = state_void;
    const char *end = from + size;
    size_t width = value_size(plan);
    *state = (values_state){0};
    if (size < packed_head)
        return arb_packed_state_damaged(error);
    memcpy(&state->fraction, from, sizeof state->fraction);
    uint64_t count = arb_load_u64(from + 8);
    from += packed_head;
    if (count > size || check_fraction(state->fraction, NULL) != ARB_OK) /* a value takes a byte at least */
        return arb_packed_state_damaged(error);
    for (uint64_t i = 0; i < count; i++) {
        char *place = add_value(state, arena, width, error);
        if (place == NULL)
            return ARB_OUT_OF_MEMORY;
        memset(place, 0, width);
        ARB_TRY(arb_kept_value_unpack(plan->arguments[0].physical, &from, end, place, error));
    }
    return from == end ? ARB_OK : arb_packed_state_damaged(error);
}

static arb_code resolve_continuous(const arb_function *function, arb_argument *arguments, size_t count,
                                   arb_type *out_result, arb_error *error)
{
    (void)function, (void)error;
    for (size_t i = 0; i < count; i++) {
        if (!arb_type_implicit(arguments[i].type, ARB_TYPE(DOUBLE)))
            return ARB_NO_FIT;
        arguments[i].type = ARB_TYPE(DOUBLE);
    }
    *out_result = ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static arb_code resolve_ordered(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(VARCHAR);
    *out_result = arguments[0].type;
    if (count == 2 && !arb_type_implicit(arguments[1].type, ARB_TYPE(DOUBLE)))
        return ARB_NO_FIT;
    if (count == 2)
        arguments[1].type = ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static const arb_aggregate_implementation values_run = {
    .plan = plan_values,
    .init = init_values,
    .update = update_values,
    .update_one = update_one_values,
    .combine = combine_values,
    .finalize = finalize_values,
    .packed_size = packed_size_values,
    .pack = pack_values,
    .unpack = unpack_values,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("median", 1, 1, resolve_continuous, &values_run),
    ARB_AGGREGATE_ROW("quantile_cont", 2, 2, resolve_continuous, &values_run),
    ARB_AGGREGATE_ROW("quantile_disc", 2, 2, resolve_ordered, &values_run),
    ARB_AGGREGATE_ROW("mode", 1, 1, resolve_ordered, &values_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_quantile, rows);
