/* interval_sum.c: sum and avg of intervals. Months, days and time are summed apart. */
#include "expr/aggregates/aggregate_rows.h"
#include "expr/functions/interval_spread.h"

typedef struct interval_state {
    int64_t months, days; /* of 2^48 rows of 32 bits: cannot overflow */
    uint64_t micros[2];   /* an arb_int128 */
    int64_t count;
} interval_state;

static arb_code plan_intervals(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    *out_state_size = sizeof(interval_state);
    *out_result =
        (arb_slot){.id = ARB_NO_COLUMN, .type = plan->result, .physical = ARB_PHYS_INTERVAL, .nullable = true};
    return ARB_OK;
}

static void init_intervals(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    memset(state, 0, sizeof(interval_state));
}

static void take(interval_state *state, arb_interval value)
{
    state->months += value.months;
    state->days += value.days;
    arb_store_i128(state->micros, arb_load_i128(state->micros) + value.micros);
    state->count++;
}

static arb_code update_intervals(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                 uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    take(states[row], arguments[0]->values.interval[arb_argument_slot(arguments[0], row)]);
    return ARB_OK;
}

static arb_code update_one_intervals(const arb_aggregate_plan *plan, arb_arena *arena,
                                     const arb_vector *const *arguments, uint32_t rows, const uint64_t *selection,
                                     void *state, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    take(state, arguments[0]->values.interval[arb_argument_slot(arguments[0], row)]);
    return ARB_OK;
}

static arb_code combine_intervals(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                                  arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    interval_state *state = into;
    const interval_state *other = from;
    state->months += other->months;
    state->days += other->days;
    arb_store_i128(state->micros, arb_load_i128(state->micros) + arb_load_i128(other->micros));
    state->count += other->count;
    return ARB_OK;
}

static bool result_of(const interval_state *state, bool average, arb_interval *out)
{
    arb_int128 micros = arb_load_i128(state->micros);
    if (average) {
        double count = (double)state->count;
        return arb_interval_spread((double)state->months / count, (double)state->days / count, (double)micros / count,
                                   out);
    }
    *out = (arb_interval){(int32_t)state->months, (int32_t)state->days, (int64_t)micros};
    return out->months == state->months && out->days == state->days && out->micros == micros;
}

static arb_code finalize_intervals(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states,
                                   uint32_t count, arb_vector *out, uint64_t *validity, bool *out_has_null,
                                   arb_error *error)
{
    (void)arena;
    bool average = strcmp(plan->function->name, "avg") == 0;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const interval_state *state = states[i];
        out->values.interval[i] = (arb_interval){0};
        if (state->count == 0) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
        } else if (!result_of(state, average, &out->values.interval[i])) {
            return arb_fail(error, ARB_DATETIME_OVERFLOW, "the %s is out of the range of interval",
                            plan->function->name);
        }
    }
    return ARB_OK;
}

static arb_code resolve_intervals(const arb_function *function, arb_argument *arguments, size_t count,
                                  arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    *out_result = arguments[0].type;
    return out_result->id == ARB_TYPE_INTERVAL ? ARB_OK : ARB_NO_FIT;
}

static const arb_aggregate_implementation intervals_run = {
    .plan = plan_intervals,
    .init = init_intervals,
    .update = update_intervals,
    .update_one = update_one_intervals,
    .combine = combine_intervals,
    .finalize = finalize_intervals,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("sum", 1, 1, resolve_intervals, &intervals_run),
    ARB_AGGREGATE_ROW("avg", 1, 1, resolve_intervals, &intervals_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_interval_sum, rows);
