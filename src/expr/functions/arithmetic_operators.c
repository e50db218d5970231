/* arithmetic_operators.c: + - * / % on numbers and dates. The compiler of programs makes them into loops itself; here
 * stands only which types go in and come out. */
#include "expr/function_row.h"

enum { digits_most = 38 };

/* Both sides numbers (or one of them a literal without a type, which takes the other's). */
static bool take_numbers(arb_argument *arguments)
{
    arb_type *a = &arguments[0].type, *b = &arguments[1].type;
    if (a->id == ARB_TYPE_NULL && b->id == ARB_TYPE_NULL) {
        bool nulls = arguments[0].constant != NULL && arguments[0].constant->is_null && arguments[1].constant != NULL &&
                     arguments[1].constant->is_null;
        if (!nulls)
            return false;
        *a = *b = ARB_TYPE(INTEGER);
    } else if (a->id == ARB_TYPE_NULL) {
        *a = *b;
    } else if (b->id == ARB_TYPE_NULL) {
        *b = *a;
    }
    return arb_type_is_numeric(*a) && arb_type_is_numeric(*b);
}

/* For anything but two sides of which one is a decimal and none a float. */
static bool take_plain(arb_argument *arguments, arb_type *out_result)
{
    arb_type a = arguments[0].type, b = arguments[1].type;
    arb_type_common(a, b, out_result);
    if (out_result->id == ARB_TYPE_DECIMAL)
        return false;
    arguments[0].type = arguments[1].type = *out_result;
    return true;
}

/* The type with more digits behind the point and as many in front. */
static arb_type with_scale(arb_type type, unsigned scale)
{
    unsigned precision = (unsigned)type.precision - type.scale + scale;
    return arb_type_decimal(ARB_MIN(precision, (unsigned)digits_most), scale);
}

static arb_code resolve_sum(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                            arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (!take_numbers(arguments))
        return ARB_NO_FIT;
    if (take_plain(arguments, out_result))
        return ARB_OK;
    arb_type a = arb_type_as_decimal(arguments[0].type), b = arb_type_as_decimal(arguments[1].type);
    unsigned scale = out_result->scale;
    arguments[0].type = with_scale(a, scale);
    arguments[1].type = with_scale(b, scale);
    unsigned whole = ARB_MAX(a.precision - a.scale, b.precision - b.scale);
    *out_result = arb_type_decimal(ARB_MIN(whole + scale + 1, (unsigned)digits_most), scale);
    return ARB_OK;
}

static arb_code resolve_product(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)count;
    if (!take_numbers(arguments))
        return ARB_NO_FIT;
    if (take_plain(arguments, out_result))
        return ARB_OK;
    arb_type a = arb_type_as_decimal(arguments[0].type), b = arb_type_as_decimal(arguments[1].type);
    unsigned scale = (unsigned)a.scale + b.scale;
    if (scale > digits_most) {
        arb_fail(error, ARB_OUT_OF_RANGE,
                 "the product of decimals with %u and %u digits behind the point has more than %d", a.scale, b.scale,
                 digits_most);
        arb_error_hint(error, "CAST one of them to a decimal of a smaller scale, or to double");
        return ARB_OUT_OF_RANGE;
    }
    arguments[0].type = a;
    arguments[1].type = b;
    *out_result = arb_type_decimal(ARB_MIN((unsigned)a.precision + b.precision, (unsigned)digits_most), scale);
    return ARB_OK;
}

static arb_code resolve_quotient(const arb_function *function, arb_argument *arguments, size_t count,
                                 arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (!take_numbers(arguments))
        return ARB_NO_FIT;
    if (!take_plain(arguments, out_result))
        *out_result = arguments[0].type = arguments[1].type = ARB_TYPE(DOUBLE);
    return ARB_OK;
}

static arb_code resolve_modulo(const arb_function *function, arb_argument *arguments, size_t count,
                               arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (!take_numbers(arguments))
        return ARB_NO_FIT;
    if (!take_plain(arguments, out_result))
        arguments[0].type = arguments[1].type = *out_result;
    return ARB_OK;
}

static arb_code resolve_negation(const arb_function *function, arb_argument *arguments, size_t count,
                                 arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(DOUBLE);
    *out_result = arguments[0].type;
    return arb_type_is_numeric(*out_result) ? ARB_OK : ARB_NO_FIT;
}

static arb_code resolve_days_on(const arb_function *function, arb_argument *arguments, size_t count,
                                arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    *out_result = ARB_TYPE(DATE);
    return arguments[0].type.id == ARB_TYPE_DATE && arb_type_is_integer(arguments[1].type) ? ARB_OK : ARB_NO_FIT;
}

static arb_code resolve_days_before(const arb_function *function, arb_argument *arguments, size_t count,
                                    arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    *out_result = ARB_TYPE(DATE);
    return arguments[1].type.id == ARB_TYPE_DATE && arb_type_is_integer(arguments[0].type) ? ARB_OK : ARB_NO_FIT;
}

static arb_code resolve_days_between(const arb_function *function, arb_argument *arguments, size_t count,
                                     arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    *out_result = ARB_TYPE(INTEGER);
    bool some = false;
    for (size_t i = 0; i < 2; i++) {
        if (arguments[i].type.id != ARB_TYPE_DATE && arguments[i].type.id != ARB_TYPE_NULL)
            return ARB_NO_FIT;
        some |= arguments[i].type.id == ARB_TYPE_DATE;
        arguments[i].type = ARB_TYPE(DATE);
    }
    return some ? ARB_OK : ARB_NO_FIT;
}

#define ARITHMETIC(name, resolve, operation) ARB_SCALAR_ROW_BY(name, 2, 2, resolve, NULL, .arithmetic = (operation))

static const arb_function_row rows[] = {
    ARITHMETIC("+", resolve_sum, ARB_ARITHMETIC_ADD),
    ARITHMETIC("+", resolve_days_on, ARB_ARITHMETIC_ADD),
    ARITHMETIC("+", resolve_days_before, ARB_ARITHMETIC_ADD),
    ARITHMETIC("-", resolve_sum, ARB_ARITHMETIC_SUBTRACT),
    ARITHMETIC("-", resolve_days_between, ARB_ARITHMETIC_SUBTRACT),
    ARITHMETIC("-", resolve_days_on, ARB_ARITHMETIC_SUBTRACT),
    ARITHMETIC("*", resolve_product, ARB_ARITHMETIC_MULTIPLY),
    ARITHMETIC("/", resolve_quotient, ARB_ARITHMETIC_DIVIDE),
    ARITHMETIC("%", resolve_modulo, ARB_ARITHMETIC_MODULO),
    ARITHMETIC("mod", resolve_modulo, ARB_ARITHMETIC_MODULO),
    ARB_SCALAR_ROW_BY("-", 1, 1, resolve_negation, NULL, .arithmetic = ARB_ARITHMETIC_NEGATE),
};
ARB_FUNCTION_TABLE(arb_functions_arithmetic, rows);
