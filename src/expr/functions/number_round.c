/* number_round.c: abs, sign and rounding. Decimals round exactly, half away from zero; round(x) of a double gives the
 * even one of two that are equally near, as PostgreSQL does.
 *
 * A rounded decimal has as many digits behind the point as were asked for, when that is a constant; else as many as
 * before, of which the last ones are zeros. */
#include <math.h>

#include "expr/cast_internal.h"

enum { digits_most = 38 };

typedef enum round_mode { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_TO_ZERO } round_mode;

/* value / divisor as the mode says; the divisor is positive. */
static arb_int128 divide_rounded(arb_int128 value, arb_int128 divisor, round_mode mode)
{
    arb_int128 quotient = value / divisor, rest = value % divisor;
    switch (mode) {
    case ROUND_NEAREST:
        return quotient + (rest >= divisor - rest) - (-rest >= divisor + rest);
    case ROUND_DOWN:
        return quotient - (rest < 0);
    case ROUND_UP:
        return quotient + (rest > 0);
    default:
        return quotient;
    }
}

static double round_real(double value, round_mode mode)
{
    return mode == ROUND_NEAREST ? rint(value)
           : mode == ROUND_DOWN  ? floor(value)
           : mode == ROUND_UP    ? ceil(value)
                                 : trunc(value);
}

/* To `digits` behind the point, half away from zero. What is too large to have such digits stays. */
static double round_real_to(double value, int64_t digits, round_mode mode)
{
    if (!isfinite(value) || digits > 330)
        return value;
    if (digits < -330)
        return copysign(0, value);
    double factor = pow(10, (double)(digits < 0 ? -digits : digits));
    double scaled = digits < 0 ? value / factor : value * factor;
    if (!isfinite(scaled))
        return value;
    scaled = mode == ROUND_NEAREST ? round(scaled) : trunc(scaled);
    double rounded = digits < 0 ? scaled * factor : scaled / factor;
    return isfinite(rounded) ? rounded : value;
}

/* `value` has `scale` digits behind the point, the result `out_scale`, of which those behind `digits` are zeros.
 * Needs out_scale >= min(digits, scale). False when it has more than 38 digits. */
static bool round_decimal(arb_int128 value, unsigned scale, unsigned out_scale, int64_t digits, round_mode mode,
                          arb_int128 *out)
{
    int64_t kept = ARB_MIN(digits, (int64_t)scale);
    *out = 0;
    if ((int64_t)scale - kept > digits_most) /* less than a half of the last digit kept */
        return true;
    arb_int128 rounded = divide_rounded(value, arb_power_of_ten((unsigned)(scale - kept)), mode);
    if (rounded == 0)
        return true;
    if (out_scale - kept > digits_most)
        return false;
    return !__builtin_mul_overflow(rounded, arb_power_of_ten((unsigned)(out_scale - kept)), out);
}

/* ---- round, ceil, floor, trunc of one argument ------------------------------------------------------------------------ */

static round_mode mode_of(const arb_function *function)
{
    switch (function->name[0]) {
    case 'r':
        return ROUND_NEAREST;
    case 'f':
        return ROUND_DOWN;
    case 'c':
        return ROUND_UP;
    default:
        return ROUND_TO_ZERO;
    }
}

static bool is_real(arb_type type)
{
    return type.id == ARB_TYPE_REAL || type.id == ARB_TYPE_DOUBLE;
}

static arb_code resolve_rounding(const arb_function *function, arb_argument *arguments, size_t count,
                                 arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    arb_type *type = &arguments[0].type;
    if (type->id == ARB_TYPE_NULL || is_real(*type))
        *type = ARB_TYPE(DOUBLE);
    if (!arb_type_is_numeric(*type))
        return ARB_NO_FIT;
    *out_result = *type;
    if (type->id == ARB_TYPE_DECIMAL && type->scale != 0)
        *out_result = arb_type_decimal((unsigned)type->precision - type->scale + 1, 0);
    return ARB_OK;
}

static arb_code run_rounding(arb_call *call, arb_error *error)
{
    (void)error;
    round_mode mode = mode_of(call->expr->function);
    const arb_vector *from = call->arguments[0];
    arb_type type = call->expr->children[0]->type;
    arb_int128 divisor = arb_power_of_ten(type.id == ARB_TYPE_DECIMAL ? type.scale : 0);
    if (type.id == ARB_TYPE_DOUBLE) {
        ARB_CALL_EACH(call, row)
        call->result->values.f64[row] = round_real(ARB_CALL_GET(call, 0, f64, row), mode);
        return ARB_OK;
    }
    ARB_CALL_EACH(call, row)
    {
        arb_int128 value = arb_vector_get_integer(from, arb_call_slot(from, row));
        arb_cast_put_integer(call->result, row, divide_rounded(value, divisor, mode));
    }
    return ARB_OK;
}

/* Rounding keeps the order. */
static arb_range rounding_range(const arb_expr *call, const arb_range *arguments)
{
    arb_type type = call->children[0]->type;
    arb_range range = arguments[0];
    arb_int128 divisor = arb_power_of_ten(type.id == ARB_TYPE_DECIMAL ? type.scale : 0);
    range.low = divide_rounded(range.low, divisor, mode_of(call->function));
    range.high = divide_rounded(range.high, divisor, mode_of(call->function));
    return range;
}

/* ---- to a number of digits -------------------------------------------------------------------------------------------- */

static arb_type rounded_type(arb_type type, int64_t digits)
{
    unsigned whole = (unsigned)type.precision - type.scale;
    if (digits < type.scale) /* 9.99 becomes 10.0 */
        return arb_type_decimal(ARB_MIN(whole + 1 + (unsigned)ARB_MAX(digits, 0), 38u), (unsigned)ARB_MAX(digits, 0));
    unsigned scale = (unsigned)ARB_MIN(digits, (int64_t)(digits_most - whole));
    return arb_type_decimal(whole + scale, scale);
}

static arb_code resolve_rounding_to(const arb_function *function, arb_argument *arguments, size_t count,
                                    arb_type *out_result, arb_error *error)
{
    ARB_TRY(resolve_rounding(function, arguments, count, out_result, error));
    if (arguments[1].type.id != ARB_TYPE_NULL && !arb_type_is_integer(arguments[1].type))
        return ARB_NO_FIT;
    arb_type type = arguments[0].type;
    const arb_value *digits = arguments[1].constant;
    bool known = digits != NULL && !digits->is_null && arb_type_is_integer(digits->type);
    *out_result = type;
    if (type.id == ARB_TYPE_DECIMAL && known)
        *out_result = rounded_type(type, (int64_t)digits->integer);
    arguments[1].type = ARB_TYPE(BIGINT);
    return ARB_OK;
}

static arb_code round_row(arb_call *call, size_t row, round_mode mode, arb_error *error)
{
    arb_type type = call->expr->children[0]->type, result = call->expr->type;
    const arb_vector *from = call->arguments[0];
    unsigned scale = type.id == ARB_TYPE_DECIMAL ? type.scale : 0;
    unsigned out_scale = result.id == ARB_TYPE_DECIMAL ? result.scale : 0;
    int64_t digits = ARB_CALL_GET(call, 1, i64, row);
    arb_range allowed = arb_range_of_type(result);
    arb_int128 value = arb_vector_get_integer(from, arb_call_slot(from, row)), rounded;
    if (digits > (int64_t)out_scale && out_scale < scale)
        digits = out_scale;
    if (!round_decimal(value, scale, out_scale, digits, mode, &rounded) || rounded < allowed.low ||
        rounded > allowed.high)
        return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "the rounded value is out of range");
    arb_cast_put_integer(call->result, row, rounded);
    return ARB_OK;
}

static arb_code run_rounding_to(arb_call *call, arb_error *error)
{
    round_mode mode = mode_of(call->expr->function);
    bool real = call->expr->type.id == ARB_TYPE_DOUBLE;
    ARB_CALL_EACH(call, row)
    {
        if (real)
            call->result->values.f64[row] =
                round_real_to(ARB_CALL_GET(call, 0, f64, row), ARB_CALL_GET(call, 1, i64, row), mode);
        else
            ARB_TRY(round_row(call, row, mode, error));
    }
    return ARB_OK;
}

/* ---- abs, sign -------------------------------------------------------------------------------------------------------- */

static arb_code resolve_same(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(DOUBLE);
    *out_result = arguments[0].type;
    return arb_type_is_numeric(*out_result) ? ARB_OK : ARB_NO_FIT;
}

static arb_code run_absolute(arb_call *call, arb_error *error)
{
    const arb_vector *from = call->arguments[0];
    arb_range allowed = arb_range_of_type(call->expr->type);
    if (from->physical == ARB_PHYS_FLOAT64) {
        ARB_CALL_EACH(call, row)
        call->result->values.f64[row] = fabs(ARB_CALL_GET(call, 0, f64, row));
        return ARB_OK;
    }
    if (from->physical == ARB_PHYS_FLOAT32) {
        ARB_CALL_EACH(call, row)
        call->result->values.f32[row] = fabsf(ARB_CALL_GET(call, 0, f32, row));
        return ARB_OK;
    }
    ARB_CALL_EACH(call, row)
    {
        arb_int128 value = arb_vector_get_integer(from, arb_call_slot(from, row));
        value = value < 0 ? -value : value;
        if (ARB_UNLIKELY(value > allowed.high))
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "the absolute value is out of range");
        arb_cast_put_integer(call->result, row, value);
    }
    return ARB_OK;
}

static arb_range absolute_range(const arb_expr *call, const arb_range *arguments)
{
    arb_range range = arguments[0], allowed = arb_range_of_type(call->type);
    arb_int128 low = range.low < 0 ? -(range.low + 1) : range.low - 1; /* one less: -2^127 has no opposite */
    arb_int128 most = ARB_MAX(low, range.high - 1);
    range.high = most >= allowed.high ? allowed.high : most + 1;
    range.low = arguments[0].low > 0 ? arguments[0].low : 0;
    return range;
}

static arb_code resolve_sign(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    ARB_TRY(resolve_same(function, arguments, count, out_result, error));
    if (is_real(*out_result))
        arguments[0].type = ARB_TYPE(DOUBLE);
    *out_result = is_real(*out_result) ? ARB_TYPE(DOUBLE) : ARB_TYPE(INTEGER);
    return ARB_OK;
}

static arb_code run_sign(arb_call *call, arb_error *error)
{
    (void)error;
    const arb_vector *from = call->arguments[0];
    bool real = call->expr->type.id == ARB_TYPE_DOUBLE;
    ARB_CALL_EACH(call, row)
    {
        if (real) {
            double value = ARB_CALL_GET(call, 0, f64, row);
            call->result->values.f64[row] = (value > 0) - (value < 0);
        } else {
            arb_int128 value = arb_vector_get_integer(from, arb_call_slot(from, row));
            call->result->values.i32[row] = (value > 0) - (value < 0);
        }
    }
    return ARB_OK;
}

static arb_range sign_range(const arb_expr *call, const arb_range *arguments)
{
    (void)arguments;
    return (arb_range){call->type.id == ARB_TYPE_INTEGER, -1, 1};
}

static const arb_scalar_implementation rounding_run = {.run = run_rounding};
static const arb_scalar_implementation rounding_to_run = {.run = run_rounding_to};
static const arb_scalar_implementation absolute_run = {.run = run_absolute};
static const arb_scalar_implementation sign_run = {.run = run_sign};

#define ROUNDING(name) \
    ARB_SCALAR_ROW_BY(name, 1, 1, resolve_rounding, &rounding_run, .infallible = true, .range = rounding_range)

static const arb_function_row rows[] = {
    ROUNDING("round"),
    ROUNDING("ceil"),
    ROUNDING("floor"),
    ROUNDING("trunc"),
    ARB_SCALAR_ROW_BY("round", 2, 2, resolve_rounding_to, &rounding_to_run),
    ARB_SCALAR_ROW_BY("trunc", 2, 2, resolve_rounding_to, &rounding_to_run),
    ARB_SCALAR_ROW_BY("abs", 1, 1, resolve_same, &absolute_run, .range = absolute_range),
    ARB_SCALAR_ROW_BY("sign", 1, 1, resolve_sign, &sign_run, .infallible = true, .range = sign_range),
};
ARB_FUNCTION_TABLE(arb_functions_number_round, rows);
