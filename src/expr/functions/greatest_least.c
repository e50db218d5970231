/* greatest_least.c: the largest or smallest of the arguments; NULLs do not count. */
#include "expr/function_row.h"

/* <0, 0, >0; NaN is the largest float. */
static int compare_reals(double a, double b)
{
    if (a != a || b != b)
        return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static int compare_slots(const arb_vector *a, size_t a_slot, const arb_vector *b, size_t b_slot)
{
    switch (a->physical) {
    case ARB_PHYS_BOOL:
        return (int)arb_bitmap_get(a->values.bits, a_slot) - (int)arb_bitmap_get(b->values.bits, b_slot);
    case ARB_PHYS_FLOAT32:
        return compare_reals((double)a->values.f32[a_slot], (double)b->values.f32[b_slot]);
    case ARB_PHYS_FLOAT64:
        return compare_reals(a->values.f64[a_slot], b->values.f64[b_slot]);
    case ARB_PHYS_STRING:
        return arb_string_compare(&a->values.string[a_slot], &b->values.string[b_slot]);
    case ARB_PHYS_INTERVAL: {
        arb_int128 left = arb_interval_span(a->values.interval[a_slot]),
                   right = arb_interval_span(b->values.interval[b_slot]);
        return (left > right) - (left < right);
    }
    default: {
        arb_int128 left = arb_vector_get_integer(a, a_slot), right = arb_vector_get_integer(b, b_slot);
        return (left > right) - (left < right);
    }
    }
}

static void copy_slot(arb_vector *to, size_t row, const arb_vector *from, size_t slot)
{
    size_t size = arb_physical_size((arb_physical)from->physical);
    if (size == 0)
        arb_bitmap_put(to->values.bits, row, arb_bitmap_get(from->values.bits, slot));
    else
        memcpy((char *)to->values.data + row * size, (const char *)from->values.data + slot * size, size);
}

static arb_code pick_rows(arb_call *call, int sign)
{
    ARB_CALL_EACH(call, row)
    {
        const arb_vector *best = NULL;
        for (size_t i = 0; i < call->expr->child_count; i++) {
            const arb_vector *argument = call->arguments[i];
            if (arb_call_is_null(call, i, row))
                continue;
            if (best == NULL ||
                sign * compare_slots(argument, arb_call_slot(argument, row), best, arb_call_slot(best, row)) > 0)
                best = argument;
        }
        if (best == NULL)
            arb_call_set_null(call, row);
        else
            copy_slot(call->result, row, best, arb_call_slot(best, row));
    }
    return ARB_OK;
}

static arb_code run_greatest(arb_call *call, arb_error *error)
{
    (void)error;
    return pick_rows(call, 1);
}

static arb_code run_least(arb_call *call, arb_error *error)
{
    (void)error;
    return pick_rows(call, -1);
}

static arb_code resolve_common(const arb_function *function, arb_argument *arguments, size_t count,
                               arb_type *out_result, arb_error *error)
{
    (void)function, (void)error;
    arb_type common = arguments[0].type;
    for (size_t i = 1; i < count; i++)
        if (!arb_type_common(common, arguments[i].type, &common))
            return ARB_NO_FIT;
    if (common.id == ARB_TYPE_NULL)
        common = ARB_TYPE(VARCHAR);
    for (size_t i = 0; i < count; i++)
        arguments[i].type = common;
    *out_result = common;
    return arb_type_is_nested(common) ? ARB_NO_FIT : ARB_OK;
}

/* Any of the arguments may be NULL, so the result may be any of them. */
static arb_range any_range(const arb_expr *call, const arb_range *arguments)
{
    arb_range range = arguments[0];
    for (size_t i = 1; i < call->child_count; i++) {
        range.known &= arguments[i].known;
        range.low = ARB_MIN(range.low, arguments[i].low);
        range.high = ARB_MAX(range.high, arguments[i].high);
    }
    return range;
}

static const arb_scalar_implementation greatest_run = {.run = run_greatest};
static const arb_scalar_implementation least_run = {.run = run_least};

#define PICK(name, run_)                                                                                      \
    ARB_SCALAR_ROW_BY(name, 1, ARB_ANY_ARITY, resolve_common, run_, .infallible = true, .handles_null = true, \
                      .range = any_range)

static const arb_function_row rows[] = {
    PICK("greatest", &greatest_run),
    PICK("least", &least_run),
};
ARB_FUNCTION_TABLE(arb_functions_greatest_least, rows);
