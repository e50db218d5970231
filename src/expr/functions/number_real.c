/* number_real.c: functions of doubles: roots, powers, logarithms, angles. What they are not defined for is an error, and
 * so is a result too large for a double; NaN and infinities that go in may come out. */
#include <math.h>

#include "expr/function_row.h"

static const char overflow[] = "value out of range: overflow", input[] = "input is out of range",
                  negative_root[] = "cannot take square root of a negative number",
                  log_zero[] = "cannot take logarithm of zero",
                  log_negative[] = "cannot take logarithm of a negative number",
                  zero_power[] = "zero raised to a negative power is undefined",
                  complex_power[] = "a negative number raised to a non-integer power yields a complex result",
                  bad_base[] = "a logarithm's base must be positive and not 1";

/* What is wrong with the arguments, or NULL. */
static const char *wrong_logarithm(double x)
{
    return x == 0 ? log_zero : x < 0 ? log_negative : NULL;
}

static const char *wrong_logarithm_of(double base, double x)
{
    return base <= 0 || base == 1 ? bad_base : wrong_logarithm(x);
}

static const char *wrong_power(double x, double y)
{
    return x == 0 && y < 0 ? zero_power : x < 0 && isfinite(x) && isfinite(y) && y != floor(y) ? complex_power : NULL;
}

static const double pi = 3.14159265358979323846, radians_of_degree = 0.0174532925199432957692;

static double cotangent(double x)
{
    return 1 / tan(x);
}

static double logarithm_of(double base, double x)
{
    return base == 10 ? log10(x) : base == 2 ? log2(x) : log(x) / log(base);
}

/* DEFINE_ONE(name, result of x, what is wrong with x, whether a result may be infinite) */
#define DEFINE_ONE(name, outcome, wrong, may_be_infinite)                           \
    static arb_code run_##name(arb_call *call, arb_error *error)                    \
    {                                                                               \
        ARB_CALL_EACH(call, row)                                                    \
        {                                                                           \
            double x = ARB_CALL_GET(call, 0, f64, row), y;                          \
            const char *message = (wrong);                                          \
            y = message == NULL ? (outcome) : 0;                                    \
            if (message == NULL && !(may_be_infinite) && isinf(y) && !isinf(x))     \
                message = overflow;                                                 \
            if (ARB_UNLIKELY(message != NULL))                                      \
                return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "%s", message); \
            call->result->values.f64[row] = y;                                      \
        }                                                                           \
        return ARB_OK;                                                              \
    }                                                                               \
    static const arb_scalar_implementation name##_run = {.run = run_##name};
#define DEFINE_TWO(name, outcome, wrong)                                                        \
    static arb_code run_##name(arb_call *call, arb_error *error)                                \
    {                                                                                           \
        ARB_CALL_EACH(call, row)                                                                \
        {                                                                                       \
            double x = ARB_CALL_GET(call, 0, f64, row), y = ARB_CALL_GET(call, 1, f64, row), z; \
            const char *message = (wrong);                                                      \
            z = message == NULL ? (outcome) : 0;                                                \
            if (message == NULL && isinf(z) && !isinf(x) && !isinf(y))                          \
                message = overflow;                                                             \
            if (ARB_UNLIKELY(message != NULL))                                                  \
                return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "%s", message);             \
            call->result->values.f64[row] = z;                                                  \
        }                                                                                       \
        return ARB_OK;                                                                          \
    }                                                                                           \
    static const arb_scalar_implementation name##_run = {.run = run_##name};

DEFINE_ONE(sqrt, sqrt(x), x < 0 ? negative_root : NULL, false)
DEFINE_ONE(cbrt, cbrt(x), NULL, false)
DEFINE_ONE(exp, exp(x), NULL, false)
DEFINE_ONE(ln, log(x), wrong_logarithm(x), false)
DEFINE_ONE(log10, log10(x), wrong_logarithm(x), false)
DEFINE_ONE(log2, log2(x), wrong_logarithm(x), false)
DEFINE_ONE(sin, sin(x), isinf(x) ? input : NULL, false)
DEFINE_ONE(cos, cos(x), isinf(x) ? input : NULL, false)
DEFINE_ONE(tan, tan(x), isinf(x) ? input : NULL, true)
DEFINE_ONE(cot, cotangent(x), isinf(x) ? input : NULL, true)
DEFINE_ONE(asin, asin(x), x<-1 || x> 1 ? input : NULL, false)
DEFINE_ONE(acos, acos(x), x<-1 || x> 1 ? input : NULL, false)
DEFINE_ONE(atan, atan(x), NULL, false)
DEFINE_ONE(sinh, sinh(x), NULL, false)
DEFINE_ONE(cosh, cosh(x), NULL, false)
DEFINE_ONE(tanh, tanh(x), NULL, false)
DEFINE_ONE(degrees, x / radians_of_degree, NULL, false)
DEFINE_ONE(radians, x *radians_of_degree, NULL, false)
DEFINE_TWO(power, pow(x, y), wrong_power(x, y))
DEFINE_TWO(log, logarithm_of(x, y), wrong_logarithm_of(x, y))
DEFINE_TWO(atan2, atan2(x, y), NULL)
#undef DEFINE_ONE
#undef DEFINE_TWO

static arb_code run_pi(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.f64[row] = pi;
    return ARB_OK;
}

#define DEFINE_TEST(name, outcome)                                     \
    static arb_code run_##name(arb_call *call, arb_error *error)       \
    {                                                                  \
        (void)error;                                                   \
        ARB_CALL_EACH(call, row)                                       \
        {                                                              \
            double x = ARB_CALL_GET(call, 0, f64, row);                \
            arb_bitmap_put(call->result->values.bits, row, (outcome)); \
        }                                                              \
        return ARB_OK;                                                 \
    }                                                                  \
    static const arb_scalar_implementation name##_run = {.run = run_##name};
DEFINE_TEST(is_nan, isnan(x))
DEFINE_TEST(is_infinite, isinf(x))
DEFINE_TEST(is_finite, isfinite(x))
#undef DEFINE_TEST

/* The number of the bucket in `count` equal ones over [low, high): 0 and count + 1 for what is outside. */
static arb_code run_width_bucket(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        double value = ARB_CALL_GET(call, 0, f64, row);
        double low = ARB_CALL_GET(call, 1, f64, row), high = ARB_CALL_GET(call, 2, f64, row);
        int32_t count = ARB_CALL_GET(call, 3, i32, row);
        if (count <= 0)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "count must be greater than zero");
        if (isnan(value) || !isfinite(low) || !isfinite(high) || low == high)
            return arb_call_fail(call, error, ARB_INVALID_PARAMETER,
                                 "operand and bounds must not be NaN, bounds must be finite and not equal");
        bool down = low > high;
        bool below = down ? value > low : value < low, above = down ? value <= high : value >= high;
        if (above && count == INT32_MAX)
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "integer out of range");
        double part = down ? (low - value) / (low - high) : (value - low) / (high - low);
        int32_t bucket = (int32_t)ARB_MIN((double)count * (below || above ? 0 : part), (double)count - 1) + 1;
        call->result->values.i32[row] = below ? 0 : above ? count + 1 : bucket;
    }
    return ARB_OK;
}

static const arb_scalar_implementation pi_run = {.run = run_pi};
static const arb_scalar_implementation width_bucket_run = {.run = run_width_bucket};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("sqrt", 1, 1, "d>d", &sqrt_run),
    ARB_SCALAR_ROW("cbrt", 1, 1, "d>d", &cbrt_run, .infallible = true),
    ARB_SCALAR_ROW("exp", 1, 1, "d>d", &exp_run),
    ARB_SCALAR_ROW("ln", 1, 1, "d>d", &ln_run),
    ARB_SCALAR_ROW("log", 1, 1, "d>d", &log10_run),
    ARB_SCALAR_ROW("log", 2, 2, "dd>d", &log_run),
    ARB_SCALAR_ROW("log10", 1, 1, "d>d", &log10_run),
    ARB_SCALAR_ROW("log2", 1, 1, "d>d", &log2_run),
    ARB_SCALAR_ROW("power", 2, 2, "dd>d", &power_run),
    ARB_SCALAR_ROW("sin", 1, 1, "d>d", &sin_run),
    ARB_SCALAR_ROW("cos", 1, 1, "d>d", &cos_run),
    ARB_SCALAR_ROW("tan", 1, 1, "d>d", &tan_run),
    ARB_SCALAR_ROW("cot", 1, 1, "d>d", &cot_run),
    ARB_SCALAR_ROW("asin", 1, 1, "d>d", &asin_run),
    ARB_SCALAR_ROW("acos", 1, 1, "d>d", &acos_run),
    ARB_SCALAR_ROW("atan", 1, 1, "d>d", &atan_run, .infallible = true),
    ARB_SCALAR_ROW("atan2", 2, 2, "dd>d", &atan2_run, .infallible = true),
    ARB_SCALAR_ROW("sinh", 1, 1, "d>d", &sinh_run),
    ARB_SCALAR_ROW("cosh", 1, 1, "d>d", &cosh_run),
    ARB_SCALAR_ROW("tanh", 1, 1, "d>d", &tanh_run, .infallible = true),
    ARB_SCALAR_ROW("degrees", 1, 1, "d>d", &degrees_run),
    ARB_SCALAR_ROW("radians", 1, 1, "d>d", &radians_run, .infallible = true),
    ARB_SCALAR_ROW("pi", 0, 0, ">d", &pi_run, .infallible = true),
    ARB_SCALAR_ROW("isnan", 1, 1, "d>b", &is_nan_run, .infallible = true),
    ARB_SCALAR_ROW("isinf", 1, 1, "d>b", &is_infinite_run, .infallible = true),
    ARB_SCALAR_ROW("isfinite", 1, 1, "d>b", &is_finite_run, .infallible = true),
    ARB_SCALAR_ROW("width_bucket", 4, 4, "dddi>i", &width_bucket_run),
};
ARB_FUNCTION_TABLE(arb_functions_number_real, rows);
