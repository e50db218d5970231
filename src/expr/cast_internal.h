/* cast_internal.h: what the cast_*.c files share. */
#ifndef ARB_EXPR_CAST_INTERNAL_H
#define ARB_EXPR_CAST_INTERNAL_H

#include "columnar/text_form.h"
#include "expr/function_row.h"

/* By topic; NULL when the cast is of another one. */
const arb_scalar_implementation *arb_cast_numbers(arb_type from, arb_type to);
const arb_scalar_implementation *arb_cast_times(arb_type from, arb_type to);
const arb_scalar_implementation *arb_cast_to_text(arb_type from, arb_type to);
const arb_scalar_implementation *arb_cast_from_text(arb_type from, arb_type to);

/* Store a whole number or decimal in the width of the result. */
ARB_INLINE void arb_cast_put_integer(arb_vector *result, size_t row, arb_int128 value)
{
    switch (result->physical) {
    case ARB_PHYS_INT8:
        result->values.i8[row] = (int8_t)value;
        return;
    case ARB_PHYS_INT16:
        result->values.i16[row] = (int16_t)value;
        return;
    case ARB_PHYS_INT32:
        result->values.i32[row] = (int32_t)value;
        return;
    case ARB_PHYS_INT64:
        result->values.i64[row] = (int64_t)value;
        return;
    default:
        assert(result->physical == ARB_PHYS_INT128);
        result->values.i128[row] = value;
    }
}

/* The row's value has no counterpart: NULL for TRY_CAST (then ARB_OK), else an error that shows it. */
ARB_NODISCARD arb_code arb_cast_fail_range(arb_call *call, size_t row, arb_str value, arb_error *error);
ARB_NODISCARD arb_code arb_cast_fail_syntax(arb_call *call, size_t row, arb_str value, arb_error *error);

#endif
