/* text_measure.c: how long a text is, and where something is in it. Positions count characters, the first one is 1. */
#include "expr/function_row.h"
#include "kernels/text_find.h"
#include "kernels/utf8_step.h"

static arb_code run_length(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.i32[row] = (int32_t)arb_utf8_length(arb_call_text(call, 0, row));
    return ARB_OK;
}

static arb_code run_octet_length(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.i32[row] = (int32_t)arb_call_text(call, 0, row).size;
    return ARB_OK;
}

static arb_code run_bit_length(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        size_t bits = arb_call_text(call, 0, row).size * 8;
        if (bits > INT32_MAX)
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "integer out of range");
        call->result->values.i32[row] = (int32_t)bits;
    }
    return ARB_OK;
}

/* 0 when it is not there; the empty text is at 1. */
static arb_code run_position(arb_call *call, arb_error *error)
{
    (void)error;
    const arb_find_kernels *kernels = arb_find_kernels_get();
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row), needle = arb_call_text(call, 1, row);
        const char *found = (kernels->find)(text.data, text.size, needle.data, needle.size);
        arb_str before = {text.data, found != NULL ? (size_t)(found - text.data) : 0};
        call->result->values.i32[row] = found != NULL ? (int32_t)arb_utf8_length(before) + 1 : 0;
    }
    return ARB_OK;
}

/* A text in a vector may be longer than one that a function makes. */
ARB_DEFINE_RANGE(length_range, 0, INT32_MAX)

static const arb_scalar_implementation length_run = {.run = run_length};
static const arb_scalar_implementation octet_length_run = {.run = run_octet_length};
static const arb_scalar_implementation bit_length_run = {.run = run_bit_length};
static const arb_scalar_implementation position_run = {.run = run_position};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("length", 1, 1, "t>i", &length_run, .infallible = true, .range = length_range),
    ARB_SCALAR_ROW("length", 1, 1, "x>i", &octet_length_run, .infallible = true, .range = length_range),
    ARB_SCALAR_ROW("octet_length", 1, 1, "t>i", &octet_length_run, .infallible = true, .range = length_range),
    ARB_SCALAR_ROW("octet_length", 1, 1, "x>i", &octet_length_run, .infallible = true, .range = length_range),
    ARB_SCALAR_ROW("bit_length", 1, 1, "t>i", &bit_length_run, .range = length_range),
    ARB_SCALAR_ROW("bit_length", 1, 1, "x>i", &bit_length_run, .range = length_range),
    ARB_SCALAR_ROW("strpos", 2, 2, "tt>i", &position_run, .infallible = true, .range = length_range),
};
ARB_FUNCTION_TABLE(arb_functions_text_measure, rows);
