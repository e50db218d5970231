/* number_whole.c: functions of whole numbers: bits, gcd, lcm, factorial; and div, the whole part of a quotient. */
#include <math.h>

#include "expr/cast_internal.h"

/* ---- bits: shifts count modulo the width, as the processor and so PostgreSQL do ---------------------------------------- */

#define DEFINE_BITS(name, member, ctype, utype, outcome)                    \
    static arb_code run_##name##_##member(arb_call *call, arb_error *error) \
    {                                                                       \
        (void)error;                                                        \
        ARB_CALL_EACH(call, row)                                            \
        {                                                                   \
            utype a = (utype)ARB_CALL_GET(call, 0, member, row);            \
            utype b = (utype)ARB_CALL_GET(call, 1, member, row);            \
            call->result->values.member[row] = (ctype)(outcome);            \
        }                                                                   \
        return ARB_OK;                                                      \
    }                                                                       \
    static const arb_scalar_implementation name##_##member##_run = {.run = run_##name##_##member};
DEFINE_BITS(and, i32, int32_t, uint32_t, a &b)
DEFINE_BITS(and, i64, int64_t, uint64_t, a &b)
DEFINE_BITS(or, i32, int32_t, uint32_t, a | b)
DEFINE_BITS(or, i64, int64_t, uint64_t, a | b)
DEFINE_BITS(xor, i32, int32_t, uint32_t, a ^ b)
DEFINE_BITS(xor, i64, int64_t, uint64_t, a ^ b)
DEFINE_BITS(shift_left, i32, int32_t, uint32_t, a << (b & 31))
DEFINE_BITS(shift_left, i64, int64_t, uint64_t, a << (b & 63))
DEFINE_BITS(shift_right, i32, int32_t, uint32_t, (int32_t)a >> (b & 31))
DEFINE_BITS(shift_right, i64, int64_t, uint64_t, (int64_t)a >> (b & 63))
#undef DEFINE_BITS

static arb_code run_not(arb_call *call, arb_error *error)
{
    (void)error;
    const arb_vector *from = call->arguments[0];
    ARB_CALL_EACH(call, row)
    arb_cast_put_integer(call->result, row, ~arb_vector_get_integer(from, arb_call_slot(from, row)));
    return ARB_OK;
}

static arb_code run_bit_count(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.i32[row] = __builtin_popcountll((uint64_t)ARB_CALL_GET(call, 0, i64, row));
    return ARB_OK;
}

/* ---- divisors --------------------------------------------------------------------------------------------------------- */

static uint64_t magnitude(arb_int128 value)
{
    return (uint64_t)(value < 0 ? -value : value);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static arb_code put_whole(arb_call *call, size_t row, arb_int128 value, arb_error *error)
{
    if (value > arb_range_of_type(call->expr->type).high)
        return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "%s is out of range", call->expr->function->name);
    arb_cast_put_integer(call->result, row, value);
    return ARB_OK;
}

static arb_code run_gcd(arb_call *call, arb_error *error)
{
    const arb_vector *left = call->arguments[0], *right = call->arguments[1];
    ARB_CALL_EACH(call, row)
    {
        uint64_t a = magnitude(arb_vector_get_integer(left, arb_call_slot(left, row)));
        uint64_t b = magnitude(arb_vector_get_integer(right, arb_call_slot(right, row)));
        ARB_TRY(put_whole(call, row, common_divisor(a, b), error));
    }
    return ARB_OK;
}

static arb_code run_lcm(arb_call *call, arb_error *error)
{
    const arb_vector *left = call->arguments[0], *right = call->arguments[1];
    ARB_CALL_EACH(call, row)
    {
        uint64_t a = magnitude(arb_vector_get_integer(left, arb_call_slot(left, row)));
        uint64_t b = magnitude(arb_vector_get_integer(right, arb_call_slot(right, row)));
        arb_int128 multiple = a == 0 || b == 0 ? 0 : (arb_int128)(a / common_divisor(a, b)) * b;
        ARB_TRY(put_whole(call, row, multiple, error));
    }
    return ARB_OK;
}

enum { factorial_most = 33 }; /* 33! has 37 digits */

static arb_code run_factorial(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        int64_t of = ARB_CALL_GET(call, 0, i64, row);
        arb_int128 product = 1;
        if (of < 0)
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "factorial of a negative number is undefined");
        if (of > factorial_most)
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "factorial(%lld) has more than 38 digits",
                                 (long long)of);
        for (int64_t i = 2; i <= of; i++)
            product *= i;
        call->result->values.i128[row] = product;
    }
    return ARB_OK;
}

static arb_code resolve_factorial(const arb_function *function, arb_argument *arguments, size_t count,
                                  arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    bool fits = arb_type_implicit(arguments[0].type, ARB_TYPE(BIGINT));
    arguments[0].type = ARB_TYPE(BIGINT);
    *out_result = arb_type_decimal(38, 0);
    return fits ? ARB_OK : ARB_NO_FIT;
}

/* ---- div -------------------------------------------------------------------------------------------------------------- */

static arb_code resolve_div(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                            arb_error *error)
{
    (void)function, (void)count, (void)error;
    arb_type common;
    if (!arb_type_common(arguments[0].type, arguments[1].type, &common) || !arb_type_is_numeric(common))
        return ARB_NO_FIT;
    if (common.id == ARB_TYPE_REAL)
        common = ARB_TYPE(DOUBLE);
    arguments[0].type = arguments[1].type = *out_result = common;
    if (common.id == ARB_TYPE_DECIMAL) /* 9.9 / 0.01 */
        *out_result = arb_type_decimal(38, 0);
    return ARB_OK;
}

static arb_code run_div(arb_call *call, arb_error *error)
{
    const arb_vector *left = call->arguments[0], *right = call->arguments[1];
    bool real = call->expr->type.id == ARB_TYPE_DOUBLE;
    ARB_CALL_EACH(call, row)
    {
        size_t a_slot = arb_call_slot(left, row), b_slot = arb_call_slot(right, row);
        if (real ? right->values.f64[b_slot] == 0 : arb_vector_get_integer(right, b_slot) == 0)
            return arb_call_fail(call, error, ARB_DIVISION_BY_ZERO, "division by zero");
        if (real)
            call->result->values.f64[row] =
                trunc(left->values.f64[a_slot] / right->values.f64[b_slot]) + 0.0; /* no -0 */
        else
            ARB_TRY(put_whole(call, row, arb_vector_get_integer(left, a_slot) / arb_vector_get_integer(right, b_slot),
                              error));
    }
    return ARB_OK;
}

static const arb_scalar_implementation not_run = {.run = run_not};
static const arb_scalar_implementation bit_count_run = {.run = run_bit_count};
static const arb_scalar_implementation gcd_run = {.run = run_gcd};
static const arb_scalar_implementation lcm_run = {.run = run_lcm};
static const arb_scalar_implementation factorial_run = {.run = run_factorial};
static const arb_scalar_implementation div_run = {.run = run_div};

ARB_DEFINE_RANGE(bit_count_range, 0, 64)

#define BITS(symbol, name)                                                     \
    ARB_SCALAR_ROW(symbol, 2, 2, "ii>i", &name##_i32_run, .infallible = true), \
        ARB_SCALAR_ROW(symbol, 2, 2, "ll>l", &name##_i64_run, .infallible = true)

static const arb_function_row rows[] = {
    BITS("&", and),
    BITS("|", or),
    BITS("#", xor),
    ARB_SCALAR_ROW("<<", 2, 2, "ii>i", &shift_left_i32_run, .infallible = true),
    ARB_SCALAR_ROW("<<", 2, 2, "ll>l", &shift_left_i64_run, .infallible = true),
    ARB_SCALAR_ROW(">>", 2, 2, "ii>i", &shift_right_i32_run, .infallible = true),
    ARB_SCALAR_ROW(">>", 2, 2, "ll>l", &shift_right_i64_run, .infallible = true),
    ARB_SCALAR_ROW("~", 1, 1, "i>i", &not_run, .infallible = true),
    ARB_SCALAR_ROW("~", 1, 1, "l>l", &not_run, .infallible = true),
    ARB_SCALAR_ROW("bit_count", 1, 1, "l>i", &bit_count_run, .infallible = true, .range = bit_count_range),
    ARB_SCALAR_ROW("gcd", 2, 2, "ii>i", &gcd_run),
    ARB_SCALAR_ROW("gcd", 2, 2, "ll>l", &gcd_run),
    ARB_SCALAR_ROW("lcm", 2, 2, "ii>i", &lcm_run),
    ARB_SCALAR_ROW("lcm", 2, 2, "ll>l", &lcm_run),
    ARB_SCALAR_ROW_BY("factorial", 1, 1, resolve_factorial, &factorial_run),
    ARB_SCALAR_ROW_BY("div", 2, 2, resolve_div, &div_run),
};
ARB_FUNCTION_TABLE(arb_functions_number_whole, rows);
