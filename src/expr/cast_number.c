/* cast_number.c: casts that are arithmetic of their own kind: truth and integers, floats to decimals. */
#include "base/float_text.h"
#include "expr/cast_internal.h"

static arb_code run_truth_to_integer(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        const arb_vector *from = call->arguments[0];
        arb_cast_put_integer(call->result, row, arb_bitmap_get(from->values.bits, arb_call_slot(from, row)));
    }
    return ARB_OK;
}

static arb_code run_integer_to_truth(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    arb_bitmap_put(call->result->values.bits, row,
                   arb_vector_get_integer(call->arguments[0], arb_call_slot(call->arguments[0], row)) != 0);
    return ARB_OK;
}

/* The decimal nearest to the float's shortest digits (so 0.285 is read as that, not as the slightly smaller number that
 * it is in binary), rounded half away from zero. */
static bool round_float(double value, bool narrow, arb_type type, arb_int128 *out)
{
    if (!(value - value == 0))
        return false;
    *out = 0;
    if (value == 0)
        return true;
    double magnitude = value < 0 ? -value : value;
    arb_float_digits number = narrow ? arb_float_shortest((float)magnitude) : arb_double_shortest(magnitude);
    int shift = number.exponent + type.scale;
    arb_int128 scaled = (arb_int128)number.digits;
    if (shift > 38 || shift < -20)
        return shift < 0;
    if (shift >= 0) {
        if (__builtin_mul_overflow(scaled, arb_power_of_ten((unsigned)shift), &scaled))
            return false;
    } else {
        arb_int128 divisor = arb_power_of_ten((unsigned)-shift);
        scaled = scaled / divisor + (scaled % divisor >= divisor / 2);
    }
    *out = value < 0 ? -scaled : scaled;
    return scaled < arb_power_of_ten(type.precision);
}

static arb_code run_float_to_decimal(arb_call *call, arb_error *error)
{
    const arb_vector *from = call->arguments[0];
    bool narrow = from->physical == ARB_PHYS_FLOAT32;
    ARB_CALL_EACH(call, row)
    {
        size_t slot = arb_call_slot(from, row);
        double value = narrow ? (double)from->values.f32[slot] : from->values.f64[slot];
        arb_int128 decimal;
        if (round_float(value, narrow, call->expr->type, &decimal)) {
            arb_cast_put_integer(call->result, row, decimal);
        } else {
            char form[ARB_FORM_MOST];
            size_t size = arb_form_double(form, value);
            ARB_TRY(arb_cast_fail_range(call, row, (arb_str){form, size}, error));
        }
    }
    return ARB_OK;
}

static const arb_scalar_implementation truth_to_integer = {.run = run_truth_to_integer};
static const arb_scalar_implementation integer_to_truth = {.run = run_integer_to_truth};
static const arb_scalar_implementation float_to_decimal = {.run = run_float_to_decimal};

const arb_scalar_implementation *arb_cast_numbers(arb_type from, arb_type to)
{
    if (from.id == ARB_TYPE_BOOLEAN && arb_type_is_integer(to))
        return &truth_to_integer;
    if (arb_type_is_integer(from) && to.id == ARB_TYPE_BOOLEAN)
        return &integer_to_truth;
    if ((from.id == ARB_TYPE_REAL || from.id == ARB_TYPE_DOUBLE) && to.id == ARB_TYPE_DECIMAL)
        return &float_to_decimal;
    return NULL;
}
