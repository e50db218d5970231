/* count.c: count(*), which has no argument, count(x) and count_if(x). The state is the number. */
#include "expr/aggregates/aggregate_rows.h"

static arb_code plan_count(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    *out_state_size = sizeof(int64_t);
    *out_result = (arb_slot){.id = ARB_NO_COLUMN,
                             .type = ARB_TYPE(BIGINT),
                             .physical = ARB_PHYS_INT64,
                             .range = {true, 0, plan->rows_most != 0 ? (arb_int128)plan->rows_most : INT64_MAX}};
    return ARB_OK;
}

static void init_count(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    *(int64_t *)state = 0;
}

static const arb_vector *argument_of(const arb_aggregate_plan *plan, const arb_vector *const *arguments)
{
    return plan->argument_count == 0 ? NULL : arguments[0];
}

static arb_code update_count(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                             uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)arena, (void)error;
    const arb_vector *argument = argument_of(plan, arguments);
    if (selection == NULL && (argument == NULL || argument->validity == NULL)) {
        for (uint32_t row = 0; row < rows; row++)
            ++*(int64_t *)states[row];
        return ARB_OK;
    }
    ARB_COUNTED_EACH(argument, selection, rows, row)
    ++*(int64_t *)states[row];
    return ARB_OK;
}

static arb_code update_one_count(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                 uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    (void)arena, (void)error;
    const arb_vector *argument = argument_of(plan, arguments);
    int64_t count = 0;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++)
        count += __builtin_popcountll(arb_counted_word(argument, selection, rows, word));
    *(int64_t *)state += count;
    return ARB_OK;
}

static uint64_t true_word(const arb_vector *argument, size_t word)
{
    if (argument->encoding == ARB_CONSTANT)
        return (argument->values.bits[0] & 1) != 0 ? ~(uint64_t)0 : 0;
    return argument->values.bits[word];
}

static arb_code update_count_if(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++) {
        uint64_t left = arb_counted_word(arguments[0], selection, rows, word) & true_word(arguments[0], word);
        for (; left != 0; left &= left - 1)
            ++*(int64_t *)states[word * 64 + (size_t)__builtin_ctzll(left)];
    }
    return ARB_OK;
}

static arb_code update_one_count_if(const arb_aggregate_plan *plan, arb_arena *arena,
                                    const arb_vector *const *arguments, uint32_t rows, const uint64_t *selection,
                                    void *state, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    for (size_t word = 0; word < arb_bitmap_words(rows); word++)
        *(int64_t *)state +=
            __builtin_popcountll(arb_counted_word(arguments[0], selection, rows, word) & true_word(arguments[0], word));
    return ARB_OK;
}

static arb_code combine_count(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                              arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    *(int64_t *)into += *(const int64_t *)from;
    return ARB_OK;
}

static arb_code finalize_count(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                               arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)plan, (void)arena, (void)validity, (void)error;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++)
        out->values.i64[i] = *(const int64_t *)states[i];
    return ARB_OK;
}

static arb_code resolve_count(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                              arb_error *error)
{
    (void)function, (void)arguments, (void)count, (void)error;
    *out_result = ARB_TYPE(BIGINT);
    return ARB_OK;
}

static arb_code resolve_count_if(const arb_function *function, arb_argument *arguments, size_t count,
                                 arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    *out_result = ARB_TYPE(BIGINT);
    if (!arb_type_implicit(arguments[0].type, ARB_TYPE(BOOLEAN)))
        return ARB_NO_FIT;
    arguments[0].type = ARB_TYPE(BOOLEAN);
    return ARB_OK;
}

static const arb_aggregate_implementation count_run = {
    .plan = plan_count,
    .init = init_count,
    .update = update_count,
    .update_one = update_one_count,
    .combine = combine_count,
    .finalize = finalize_count,
};

static const arb_aggregate_implementation count_if_run = {
    .plan = plan_count,
    .init = init_count,
    .update = update_count_if,
    .update_one = update_one_count_if,
    .combine = combine_count,
    .finalize = finalize_count,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("count", 0, 1, resolve_count, &count_run),
    ARB_AGGREGATE_ROW("count_if", 1, 1, resolve_count_if, &count_if_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_count, rows);
