/* value_at_extreme.c: arg_min(value, key) and arg_max: the value in the row with the smallest or largest key. Rows with a
 * NULL in either do not count; of equal keys the first one that comes stays. */
#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"

enum { MINIMUM, MAXIMUM };

typedef struct extreme_state {
    char value[ARB_KEPT_VALUE_SIZE], key[ARB_KEPT_VALUE_SIZE];
    uint64_t seen;
} extreme_state;

static arb_code plan_extreme(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    plan->variant = strcmp(plan->function->name, "arg_max") == 0 ? MAXIMUM : MINIMUM;
    plan->packs = plan->arguments[0].physical == ARB_PHYS_STRING || plan->arguments[1].physical == ARB_PHYS_STRING;
    *out_state_size = sizeof(extreme_state);
    *out_result = plan->arguments[0];
    out_result->id = ARB_NO_COLUMN;
    out_result->nullable = true;
    return ARB_OK;
}

static void init_extreme(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    memset(state, 0, sizeof(extreme_state));
}

static int compare_reals(double x, double y)
{
    return x != x || y != y ? (x != x) - (y != y) : (x > y) - (x < y);
}

static arb_int128 whole_at(arb_physical physical, const char *at)
{
    switch (physical) {
    case ARB_PHYS_BOOL:
    case ARB_PHYS_INT8:
        return (int8_t)*at;
    case ARB_PHYS_INT16:
        return arb_load_i16(at);
    case ARB_PHYS_INT32:
        return arb_load_i32(at);
    case ARB_PHYS_INT64:
        return arb_load_i64(at);
    case ARB_PHYS_INTERVAL: {
        arb_interval interval;
        memcpy(&interval, at, sizeof interval);
        return arb_interval_span(interval);
    }
    default:
        return arb_load_i128(at);
    }
}

static int compare_keys(arb_physical physical, const char *a, const char *b)
{
    if (physical == ARB_PHYS_FLOAT32)
        return compare_reals((double)arb_load_f32(a), (double)arb_load_f32(b));
    if (physical == ARB_PHYS_FLOAT64)
        return compare_reals(arb_load_f64(a), arb_load_f64(b));
    if (physical == ARB_PHYS_STRING) {
        arb_string x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return arb_string_compare(&x, &y);
    }
    arb_int128 x = whole_at(physical, a), y = whole_at(physical, b);
    return (x > y) - (x < y);
}

static arb_code take(const arb_aggregate_plan *plan, arb_arena *arena, const char *value, const char *key,
                     extreme_state *state, arb_error *error)
{
    arb_physical key_physical = plan->arguments[1].physical;
    if (state->seen != 0) {
        int order = compare_keys(key_physical, key, state->key);
        if (plan->variant == MAXIMUM ? order <= 0 : order >= 0)
            return ARB_OK;
    }
    ARB_TRY(arb_kept_value_set(arena, key_physical, key, state->key, error));
    ARB_TRY(arb_kept_value_set(arena, plan->arguments[0].physical, value, state->value, error));
    state->seen = 1;
    return ARB_OK;
}

/* Where the row's value lies; a bit is brought to `room`. */
static const char *value_at(const arb_vector *argument, size_t row, char *room)
{
    size_t slot = arb_argument_slot(argument, row), size = arb_physical_size((arb_physical)argument->physical);
    if (size != 0)
        return (const char *)argument->values.data + slot * size;
    *room = arb_bitmap_get(argument->values.bits, slot);
    return room;
}

static arb_code take_row(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                         size_t row, extreme_state *state, arb_error *error)
{
    char value_room, key_room;
    const arb_vector *key = arguments[1];
    if (key->validity != NULL && !arb_bitmap_get(key->validity, arb_argument_slot(key, row)))
        return ARB_OK;
    return take(plan, arena, value_at(arguments[0], row, &value_room), value_at(key, row, &key_room), state, error);
}

static arb_code update_extreme(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                               uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, states[row], error));
    return ARB_OK;
}

static arb_code update_one_extreme(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                   uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, state, error));
    return ARB_OK;
}

static arb_code combine_extreme(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                                arb_error *error)
{
    const extreme_state *other = from;
    return other->seen != 0 ? take(plan, arena, other->value, other->key, into, error) : ARB_OK;
}

static arb_code finalize_extreme(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                 arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    size_t size = arb_physical_size((arb_physical)out->physical);
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const extreme_state *state = states[i]; /* zeros when nothing was seen */
        if (size == 0)
            arb_bitmap_put(out->values.bits, i, state->value[0] != 0);
        else
            memcpy((char *)out->values.data + i * size, state->value, size);
        if (state->seen == 0) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
        }
    }
    return ARB_OK;
}

/* Packed: whether there is a value, then value and key. */
static uint64_t packed_size_extreme(const arb_aggregate_plan *plan, const void *state_void)
{
    const extreme_state *state = state_void;
    return 1 + (state->seen == 0 ? 0
                                 : arb_kept_value_packed_size(plan->arguments[0].physical, state->value) +
                                       arb_kept_value_packed_size(plan->arguments[1].physical, state->key));
}

static void pack_extreme(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    const extreme_state *state = state_void;
    *to = state->seen != 0;
    if (state->seen == 0)
        return;
    to = arb_kept_value_pack(plan->arguments[0].physical, state->value, to + 1);
    arb_kept_value_pack(plan->arguments[1].physical, state->key, to);
}

static arb_code unpack_extreme(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                               void *state_void, arb_error *error)
{
    (void)arena;
    extreme_state *state = state_void;
    const char *end = from + size;
    *state = (extreme_state){0};
    if (size == 0 || (uint8_t)*from > 1)
        return arb_packed_state_damaged(error);
    state->seen = (uint8_t)*from++;
    if (state->seen != 0) {
        ARB_TRY(arb_kept_value_unpack(plan->arguments[0].physical, &from, end, state->value, error));
        ARB_TRY(arb_kept_value_unpack(plan->arguments[1].physical, &from, end, state->key, error));
    }
    return from == end ? ARB_OK : arb_packed_state_damaged(error);
}

static arb_code resolve_extreme(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)error;
    for (size_t i = 0; i < count; i++)
        if (arguments[i].type.id == ARB_TYPE_NULL)
            arguments[i].type = ARB_TYPE(VARCHAR);
    *out_result = arguments[0].type;
    return ARB_OK;
}

static const arb_aggregate_implementation extreme_run = {
    .plan = plan_extreme,
    .init = init_extreme,
    .update = update_extreme,
    .update_one = update_one_extreme,
    .combine = combine_extreme,
    .finalize = finalize_extreme,
    .packed_size = packed_size_extreme,
    .pack = pack_extreme,
    .unpack = unpack_extreme,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("arg_min", 2, 2, resolve_extreme, &extreme_run),
    ARB_AGGREGATE_ROW("arg_max", 2, 2, resolve_extreme, &extreme_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_value_at_extreme, rows);
