/* extreme.c: min and max of everything that has an order, bool_and and bool_or (which are min and max of truth).
 *
 * A state is the best value so far and whether there is one; texts lie in the arena of the states. A result is one of
 * the arguments, so it has their physical type and range. */
#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"
#include "kernels/reduce.h"

enum { MINIMUM, MAXIMUM };

typedef struct whole_state {
    int64_t value; /* starts as what loses against all */
    uint64_t seen;
} whole_state;

typedef struct wide_state {
    uint64_t value[2]; /* arb_int128, arb_interval or arb_string */
    uint64_t seen;
} wide_state;

typedef struct real_state {
    double value;
    uint64_t seen;
} real_state;

static bool is_whole(arb_physical physical)
{
    return physical == ARB_PHYS_BOOL || (arb_physical_is_integer(physical) && physical != ARB_PHYS_INT128);
}

static bool is_real(arb_physical physical)
{
    return physical == ARB_PHYS_FLOAT32 || physical == ARB_PHYS_FLOAT64;
}

static arb_code plan_extreme(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    const arb_slot *argument = &plan->arguments[0];
    const char *name = plan->function->name;
    plan->variant = strcmp(name, "max") == 0 || strcmp(name, "bool_or") == 0 ? MAXIMUM : MINIMUM;
    plan->packs = argument->physical == ARB_PHYS_STRING;
    *out_state_size =
        is_whole(argument->physical) || is_real(argument->physical) ? sizeof(whole_state) : sizeof(wide_state);
    *out_result = *argument;
    out_result->id = ARB_NO_COLUMN;
    out_result->nullable = true;
    return ARB_OK;
}

static void init_extreme(const arb_aggregate_plan *plan, void *state)
{
    arb_physical physical = plan->arguments[0].physical;
    if (is_whole(physical))
        *(whole_state *)state = (whole_state){.value = plan->variant == MAXIMUM ? INT64_MIN : INT64_MAX};
    else
        memset(state, 0, is_real(physical) ? sizeof(real_state) : sizeof(wide_state));
}

/* ---- taking values in ------------------------------------------------------------------------------------------------- */

/* In the total order: NaN above all. */
static bool real_wins(bool maximum, double value, double best)
{
    if (maximum)
        return value > best || (value != value && best == best);
    return value < best || (value == value && best != best);
}

static void take_whole(whole_state *state, bool maximum, int64_t value)
{
    bool wins = maximum ? value > state->value : value < state->value;
    state->value = wins ? value : state->value;
    state->seen = 1;
}

static void take_real(real_state *state, bool maximum, double value)
{
    if (state->seen == 0 || real_wins(maximum, value, state->value))
        state->value = value;
    state->seen = 1;
}

static void take_int128(wide_state *state, bool maximum, arb_int128 value)
{
    arb_int128 best = arb_load_i128(state->value);
    if (state->seen == 0 || (maximum ? value > best : value < best))
        arb_store_i128(state->value, value);
    state->seen = 1;
}

static void take_interval(wide_state *state, bool maximum, arb_interval value)
{
    arb_interval best;
    memcpy(&best, state->value, sizeof best);
    arb_int128 span = arb_interval_span(value), best_span = arb_interval_span(best);
    if (state->seen == 0 || (maximum ? span > best_span : span < best_span))
        memcpy(state->value, &value, sizeof value);
    state->seen = 1;
}

/* Keeps the text of its own; a shorter one goes where the old one was. */
static arb_code take_text(wide_state *state, bool maximum, const arb_string *value, arb_arena *arena, arb_error *error)
{
    arb_string best;
    memcpy(&best, state->value, sizeof best);
    if (state->seen != 0) {
        int order = arb_string_compare(value, &best);
        if (maximum ? order <= 0 : order >= 0)
            return ARB_OK;
    }
    arb_string kept = *value;
    if (value->size > ARB_STRING_INLINE) {
        bool room = state->seen != 0 && best.size >= value->size && best.size > ARB_STRING_INLINE;
        char *bytes = room ? (char *)best.far.data : arb_arena_alloc(arena, value->size);
        if (bytes == NULL)
            return arb_fail_memory(error, "the text of an aggregate", value->size);
        memcpy(bytes, value->far.data, value->size);
        kept = arb_string_of(bytes, value->size);
    }
    memcpy(state->value, &kept, sizeof kept);
    state->seen = 1;
    return ARB_OK;
}

static arb_code take_row(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *argument, size_t row,
                         void *state, arb_error *error)
{
    bool maximum = plan->variant == MAXIMUM;
    size_t slot = arb_argument_slot(argument, row);
    switch (argument->physical) {
    case ARB_PHYS_BOOL:
        take_whole(state, maximum, arb_bitmap_get(argument->values.bits, slot));
        return ARB_OK;
    case ARB_PHYS_FLOAT32:
        take_real(state, maximum, (double)argument->values.f32[slot]);
        return ARB_OK;
    case ARB_PHYS_FLOAT64:
        take_real(state, maximum, argument->values.f64[slot]);
        return ARB_OK;
    case ARB_PHYS_INT128:
        take_int128(state, maximum, argument->values.i128[slot]);
        return ARB_OK;
    case ARB_PHYS_INTERVAL:
        take_interval(state, maximum, argument->values.interval[slot]);
        return ARB_OK;
    case ARB_PHYS_STRING:
        return take_text(state, maximum, &argument->values.string[slot], arena, error);
    default:
        take_whole(state, maximum, (int64_t)arb_vector_get_integer(argument, slot));
        return ARB_OK;
    }
}

#define DEFINE_TAKE(name, ctype)                                                                                    \
    static void take_all_##name(const arb_vector *argument, bool maximum, uint32_t rows, const uint64_t *selection, \
                                void *const *states)                                                                \
    {                                                                                                               \
        const ctype *values = argument->values.data;                                                                \
        ARB_COUNTED_EACH(argument, selection, rows, row)                                                            \
        take_whole(states[row], maximum, values[arb_argument_slot(argument, row)]);                                 \
    }
DEFINE_TAKE(i8, int8_t)
DEFINE_TAKE(i16, int16_t)
DEFINE_TAKE(i32, int32_t)
DEFINE_TAKE(i64, int64_t)
#undef DEFINE_TAKE

static arb_code update_extreme(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                               uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    const arb_vector *argument = arguments[0];
    bool maximum = plan->variant == MAXIMUM;
    switch (argument->physical) {
    case ARB_PHYS_INT8:
        take_all_i8(argument, maximum, rows, selection, states);
        return ARB_OK;
    case ARB_PHYS_INT16:
        take_all_i16(argument, maximum, rows, selection, states);
        return ARB_OK;
    case ARB_PHYS_INT32:
        take_all_i32(argument, maximum, rows, selection, states);
        return ARB_OK;
    case ARB_PHYS_INT64:
        take_all_i64(argument, maximum, rows, selection, states);
        return ARB_OK;
    default:
        break;
    }
    ARB_COUNTED_EACH(argument, selection, rows, row)
    ARB_TRY(take_row(plan, arena, argument, row, states[row], error));
    return ARB_OK;
}

static arb_code update_one_extreme(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                   uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    const arb_vector *argument = arguments[0];
    const arb_reduce_kernels *kernels = arb_reduce_kernels_get();
    bool maximum = plan->variant == MAXIMUM;
    uint64_t mask[ARB_VECTOR_WORDS];
    uint32_t count = arb_counted_mask(argument, selection, rows, mask);
    if (count == 0)
        return ARB_OK;
    if (argument->encoding == ARB_CONSTANT)
        return take_row(plan, arena, argument, 0, state, error);
    const uint64_t *counted = count == rows ? NULL : mask;
#define CASE(physical_, name, least, most)                                                       \
    case ARB_PHYS_##physical_:                                                                   \
        take_whole(state, maximum,                                                               \
                   maximum ? (kernels->max_##name)(argument->values.name, rows, counted, least)  \
                           : (kernels->min_##name)(argument->values.name, rows, counted, most)); \
        return ARB_OK;
    switch (argument->physical) {
        CASE(INT8, i8, INT8_MIN, INT8_MAX)
        CASE(INT16, i16, INT16_MIN, INT16_MAX)
        CASE(INT32, i32, INT32_MIN, INT32_MAX)
        CASE(INT64, i64, INT64_MIN, INT64_MAX)
    default:
        break;
    }
#undef CASE
    ARB_COUNTED_EACH(argument, selection, rows, row)
    ARB_TRY(take_row(plan, arena, argument, row, state, error));
    return ARB_OK;
}

static arb_code combine_extreme(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                                arb_error *error)
{
    arb_physical physical = plan->arguments[0].physical;
    bool maximum = plan->variant == MAXIMUM;
    if (is_whole(physical)) {
        if (((const whole_state *)from)->seen != 0)
            take_whole(into, maximum, ((const whole_state *)from)->value);
        return ARB_OK;
    }
    if (is_real(physical)) {
        if (((const real_state *)from)->seen != 0)
            take_real(into, maximum, ((const real_state *)from)->value);
        return ARB_OK;
    }
    const wide_state *other = from;
    if (other->seen == 0)
        return ARB_OK;
    if (physical == ARB_PHYS_INT128) {
        take_int128(into, maximum, arb_load_i128(other->value));
    } else if (physical == ARB_PHYS_INTERVAL) {
        arb_interval interval;
        memcpy(&interval, other->value, sizeof interval);
        take_interval(into, maximum, interval);
    } else {
        arb_string text;
        memcpy(&text, other->value, sizeof text);
        return take_text(into, maximum, &text, arena, error);
    }
    return ARB_OK;
}

/* ---- results ---------------------------------------------------------------------------------------------------------- */

static bool was_seen(arb_physical physical, const void *state)
{
    return (is_whole(physical) || is_real(physical) ? ((const whole_state *)state)->seen
                                                    : ((const wide_state *)state)->seen) != 0;
}

static void put_value(arb_vector *out, uint32_t row, const void *state)
{
    int64_t whole = ((const whole_state *)state)->value;
    switch (out->physical) {
    case ARB_PHYS_BOOL:
        arb_bitmap_put(out->values.bits, row, whole != 0);
        return;
    case ARB_PHYS_INT8:
        out->values.i8[row] = (int8_t)whole;
        return;
    case ARB_PHYS_INT16:
        out->values.i16[row] = (int16_t)whole;
        return;
    case ARB_PHYS_INT32:
        out->values.i32[row] = (int32_t)whole;
        return;
    case ARB_PHYS_INT64:
        out->values.i64[row] = whole;
        return;
    case ARB_PHYS_FLOAT32:
        out->values.f32[row] = (float)((const real_state *)state)->value;
        return;
    case ARB_PHYS_FLOAT64:
        out->values.f64[row] = ((const real_state *)state)->value;
        return;
    default:
        memcpy((char *)out->values.data + (size_t)row * 16, ((const wide_state *)state)->value, 16);
    }
}

static arb_code finalize_extreme(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                 arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena, (void)error;
    arb_physical physical = plan->arguments[0].physical;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        if (!was_seen(physical, states[i])) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
            if (physical == ARB_PHYS_STRING)
                out->values.string[i] = (arb_string){0};
            continue;
        }
        put_value(out, i, states[i]);
    }
    return ARB_OK;
}

/* Packed, which only texts are: nothing, or the text. */
static uint64_t packed_size_text(const arb_aggregate_plan *plan, const void *state_void)
{
    const wide_state *state = state_void;
    return state->seen == 0 ? 0 : arb_kept_value_packed_size(plan->arguments[0].physical, state->value);
}

static void pack_text(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    const wide_state *state = state_void;
    if (state->seen != 0)
        arb_kept_value_pack(plan->arguments[0].physical, state->value, to);
}

static arb_code unpack_text(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                            void *state_void, arb_error *error)
{
    (void)arena;
    wide_state *state = state_void;
    const char *end = from + size;
    *state = (wide_state){.seen = size != 0};
    if (size != 0)
        ARB_TRY(arb_kept_value_unpack(plan->arguments[0].physical, &from, end, state->value, error));
    return from == end ? ARB_OK : arb_packed_state_damaged(error);
}

static arb_code resolve_ordered(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(VARCHAR);
    *out_result = arguments[0].type;
    return ARB_OK;
}

static arb_code resolve_truth(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                              arb_error *error)
{
    (void)function, (void)count, (void)error;
    bool fits = arb_type_implicit(arguments[0].type, ARB_TYPE(BOOLEAN));
    *out_result = arguments[0].type = ARB_TYPE(BOOLEAN);
    return fits ? ARB_OK : ARB_NO_FIT;
}

static const arb_aggregate_implementation extreme_run = {
    .plan = plan_extreme,
    .init = init_extreme,
    .update = update_extreme,
    .update_one = update_one_extreme,
    .combine = combine_extreme,
    .finalize = finalize_extreme,
    .packed_size = packed_size_text,
    .pack = pack_text,
    .unpack = unpack_text,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("min", 1, 1, resolve_ordered, &extreme_run),
    ARB_AGGREGATE_ROW("max", 1, 1, resolve_ordered, &extreme_run),
    ARB_AGGREGATE_ROW("bool_and", 1, 1, resolve_truth, &extreme_run),
    ARB_AGGREGATE_ROW("bool_or", 1, 1, resolve_truth, &extreme_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_extreme, rows);
