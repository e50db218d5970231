/* bits.c: bit_and, bit_or, bit_xor of whole numbers; product of doubles. */
#include "expr/aggregates/aggregate_rows.h"

enum { AND, OR, XOR, PRODUCT };

typedef struct fold_state {
    union {
        int64_t bits;
        double product;
    };
    int64_t count;
} fold_state;

static arb_code plan_fold(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    const char *name = plan->function->name;
    plan->variant = strcmp(name, "bit_and") == 0   ? AND
                    : strcmp(name, "bit_or") == 0  ? OR
                    : strcmp(name, "bit_xor") == 0 ? XOR
                                                   : PRODUCT;
    *out_state_size = sizeof(fold_state);
    *out_result = (arb_slot){.id = ARB_NO_COLUMN,
                             .type = plan->result,
                             .physical = arb_type_physical(plan->result),
                             .nullable = true,
                             .range = arb_range_of_type(plan->result)};
    return ARB_OK;
}

static void init_fold(const arb_aggregate_plan *plan, void *state)
{
    fold_state *fold = state;
    fold->count = 0;
    if (plan->variant == PRODUCT)
        fold->product = 1;
    else
        fold->bits = plan->variant == AND ? -1 : 0;
}

static void take_bits(uint32_t variant, fold_state *state, int64_t bits)
{
    state->bits = variant == AND ? state->bits & bits : variant == OR ? state->bits | bits : state->bits ^ bits;
}

static void take_row(const arb_aggregate_plan *plan, const arb_vector *argument, size_t row, fold_state *state)
{
    size_t slot = arb_argument_slot(argument, row);
    if (plan->variant == PRODUCT)
        state->product *= argument->values.f64[slot];
    else
        take_bits(plan->variant, state, (int64_t)arb_vector_get_integer(argument, slot));
    state->count++;
}

static arb_code update_fold(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                            uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    take_row(plan, arguments[0], row, states[row]);
    return ARB_OK;
}

static arb_code update_one_fold(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    (void)arena, (void)error;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    take_row(plan, arguments[0], row, state);
    return ARB_OK;
}

static arb_code combine_fold(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                             arb_error *error)
{
    (void)arena, (void)error;
    fold_state *state = into;
    const fold_state *other = from;
    if (plan->variant == PRODUCT)
        state->product *= other->product;
    else
        take_bits(plan->variant, state, other->bits);
    state->count += other->count;
    return ARB_OK;
}

static arb_code finalize_fold(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                              arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)arena, (void)error;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const fold_state *state = states[i];
        if (plan->variant == PRODUCT)
            out->values.f64[i] = state->product;
        else if (out->physical == ARB_PHYS_INT32)
            out->values.i32[i] = (int32_t)state->bits;
        else
            out->values.i64[i] = state->bits;
        if (state->count == 0) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
        }
    }
    return ARB_OK;
}

static arb_code resolve_bits(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    (void)function, (void)count, (void)error;
    arb_type *type = &arguments[0].type;
    if (type->id != ARB_TYPE_NULL && !arb_type_is_integer(*type))
        return ARB_NO_FIT;
    *type = *out_result = type->id == ARB_TYPE_BIGINT ? *type : ARB_TYPE(INTEGER);
    return ARB_OK;
}

static arb_code resolve_product(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    bool fits = arb_type_implicit(arguments[0].type, ARB_TYPE(DOUBLE));
    arguments[0].type = *out_result = ARB_TYPE(DOUBLE);
    return fits ? ARB_OK : ARB_NO_FIT;
}

static const arb_aggregate_implementation fold_run = {
    .plan = plan_fold,
    .init = init_fold,
    .update = update_fold,
    .update_one = update_one_fold,
    .combine = combine_fold,
    .finalize = finalize_fold,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("bit_and", 1, 1, resolve_bits, &fold_run),
    ARB_AGGREGATE_ROW("bit_or", 1, 1, resolve_bits, &fold_run),
    ARB_AGGREGATE_ROW("bit_xor", 1, 1, resolve_bits, &fold_run),
    ARB_AGGREGATE_ROW("product", 1, 1, resolve_product, &fold_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_bits, rows);
