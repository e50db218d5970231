/* interval_operators.c: dates, times and timestamps with intervals, and intervals with numbers.
 *
 * Months are added first (the day is cut to the month's length), then days, then time. An interval times a number
 * passes the fraction of a month on as days of a month of 30, and that of a day as time. */
#include <math.h>

#include "columnar/calendar.h"
#include "expr/functions/interval_spread.h"

static arb_code out_of_range(const arb_call *call, arb_error *error)
{
    arb_text type = {0};
    arb_type_print(&type, call->expr->type);
    arb_fail(error, ARB_DATETIME_OVERFLOW, "%.*s out of range", ARB_STR_ARGS(arb_text_view(&type)));
    arb_text_reset(&type);
    return arb_error_at(error, ARB_DATETIME_OVERFLOW, call->expr->position);
}

static arb_code move_timestamps(arb_call *call, size_t point, size_t interval, int sign, arb_error *error)
{
    int64_t unit = call->expr->type.nanoseconds ? 1000 : 1, day = ARB_MICROS_DAY * unit;
    ARB_CALL_EACH(call, row)
    {
        int64_t from = ARB_CALL_GET(call, point, i64, row);
        arb_interval by = ARB_CALL_GET(call, interval, interval, row);
        int64_t days = arb_floor_divide(from, day);
        if (by.months != 0)
            days = arb_days_add_months(days, (int64_t)sign * by.months);
        days += (int64_t)sign * by.days;
        arb_int128 moved = (arb_int128)days * day + arb_floor_modulo(from, day) + (arb_int128)sign * by.micros * unit;
        if (moved < INT64_MIN || moved > INT64_MAX)
            return out_of_range(call, error);
        call->result->values.i64[row] = (int64_t)moved;
    }
    return ARB_OK;
}

static arb_code timestamp_plus(arb_call *call, arb_error *error)
{
    return move_timestamps(call, 0, 1, 1, error);
}

static arb_code plus_timestamp(arb_call *call, arb_error *error)
{
    return move_timestamps(call, 1, 0, 1, error);
}

static arb_code timestamp_minus(arb_call *call, arb_error *error)
{
    return move_timestamps(call, 0, 1, -1, error);
}

static arb_code move_times(arb_call *call, size_t time, size_t interval, int sign)
{
    ARB_CALL_EACH(call, row)
    {
        int64_t by = ARB_CALL_GET(call, interval, interval, row).micros % ARB_MICROS_DAY;
        call->result->values.i64[row] =
            arb_floor_modulo(ARB_CALL_GET(call, time, i64, row) + sign * by, ARB_MICROS_DAY);
    }
    return ARB_OK;
}

static arb_code time_plus(arb_call *call, arb_error *error)
{
    (void)error;
    return move_times(call, 0, 1, 1);
}

static arb_code plus_time(arb_call *call, arb_error *error)
{
    (void)error;
    return move_times(call, 1, 0, 1);
}

static arb_code time_minus(arb_call *call, arb_error *error)
{
    (void)error;
    return move_times(call, 0, 1, -1);
}

static arb_code join_date_and_time(arb_call *call, size_t date, size_t time, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_int128 at =
            (arb_int128)ARB_CALL_GET(call, date, i32, row) * ARB_MICROS_DAY + ARB_CALL_GET(call, time, i64, row);
        if (at < INT64_MIN || at > INT64_MAX)
            return out_of_range(call, error);
        call->result->values.i64[row] = (int64_t)at;
    }
    return ARB_OK;
}

static arb_code date_plus_time(arb_call *call, arb_error *error)
{
    return join_date_and_time(call, 0, 1, error);
}

static arb_code time_plus_date(arb_call *call, arb_error *error)
{
    return join_date_and_time(call, 1, 0, error);
}

static arb_code timestamps_between(arb_call *call, arb_error *error)
{
    int64_t unit = call->expr->children[0]->type.nanoseconds ? 1000 : 1;
    ARB_CALL_EACH(call, row)
    {
        arb_int128 between = ((arb_int128)ARB_CALL_GET(call, 0, i64, row) - ARB_CALL_GET(call, 1, i64, row)) / unit;
        arb_int128 days = between / ARB_MICROS_DAY;
        if (days < INT32_MIN || days > INT32_MAX)
            return out_of_range(call, error);
        call->result->values.interval[row] =
            (arb_interval){.days = (int32_t)days, .micros = (int64_t)(between % ARB_MICROS_DAY)};
    }
    return ARB_OK;
}

static arb_code times_between(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.interval[row] =
        (arb_interval){.micros = ARB_CALL_GET(call, 0, i64, row) - ARB_CALL_GET(call, 1, i64, row)};
    return ARB_OK;
}

static arb_code add_intervals(arb_call *call, int sign, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_interval a = ARB_CALL_GET(call, 0, interval, row), b = ARB_CALL_GET(call, 1, interval, row);
        int64_t months = (int64_t)a.months + (int64_t)sign * b.months, days = (int64_t)a.days + (int64_t)sign * b.days;
        arb_int128 micros = (arb_int128)a.micros + (arb_int128)sign * b.micros;
        arb_interval sum = {(int32_t)months, (int32_t)days, (int64_t)micros};
        if (sum.months != months || sum.days != days || sum.micros != micros)
            return out_of_range(call, error);
        call->result->values.interval[row] = sum;
    }
    return ARB_OK;
}

static arb_code interval_plus(arb_call *call, arb_error *error)
{
    return add_intervals(call, 1, error);
}

static arb_code interval_minus(arb_call *call, arb_error *error)
{
    return add_intervals(call, -1, error);
}

static arb_code interval_negate(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_interval of = ARB_CALL_GET(call, 0, interval, row);
        if (of.months == INT32_MIN || of.days == INT32_MIN || of.micros == INT64_MIN)
            return out_of_range(call, error);
        call->result->values.interval[row] = (arb_interval){-of.months, -of.days, -of.micros};
    }
    return ARB_OK;
}

/* To six digits, so that 0.1 month is 3 days and not a little less. */
static double rounded(double value)
{
    return rint(value * 1e6) / 1e6;
}

bool arb_interval_spread(double months, double days, double micros, arb_interval *out)
{
    if (!(fabs(months) < 2147483647.0) || !(fabs(days) < 2147483647.0))
        return false;
    double month_days = rounded((months - trunc(months)) * 30);
    double seconds = rounded((days - trunc(days) + month_days - trunc(month_days)) * 86400);
    double more_days = trunc(seconds / 86400);
    double whole_days = trunc(days) + trunc(month_days) + more_days;
    double time = rint(micros + (seconds - more_days * 86400) * 1e6);
    if (!(fabs(whole_days) < 2147483647.0) || !(fabs(time) < 9.2e18))
        return false;
    *out = (arb_interval){(int32_t)months, (int32_t)whole_days, (int64_t)time};
    return true;
}

static arb_code scale_intervals(arb_call *call, size_t interval, size_t number, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_interval of = ARB_CALL_GET(call, interval, interval, row);
        double factor = ARB_CALL_GET(call, number, f64, row);
        if (!arb_interval_spread(of.months * factor, of.days * factor, (double)of.micros * factor,
                                 &call->result->values.interval[row]))
            return out_of_range(call, error);
    }
    return ARB_OK;
}

static arb_code interval_times(arb_call *call, arb_error *error)
{
    return scale_intervals(call, 0, 1, error);
}

static arb_code times_interval(arb_call *call, arb_error *error)
{
    return scale_intervals(call, 1, 0, error);
}

static arb_code interval_divide(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_interval of = ARB_CALL_GET(call, 0, interval, row);
        double divisor = ARB_CALL_GET(call, 1, f64, row);
        if (divisor == 0)
            return arb_call_fail(call, error, ARB_DIVISION_BY_ZERO, "division by zero");
        if (!arb_interval_spread(of.months / divisor, of.days / divisor, (double)of.micros / divisor,
                                 &call->result->values.interval[row]))
            return out_of_range(call, error);
    }
    return ARB_OK;
}

static const arb_scalar_implementation timestamp_plus_run = {.run = timestamp_plus};
static const arb_scalar_implementation plus_timestamp_run = {.run = plus_timestamp};
static const arb_scalar_implementation timestamp_minus_run = {.run = timestamp_minus};
static const arb_scalar_implementation time_plus_run = {.run = time_plus};
static const arb_scalar_implementation plus_time_run = {.run = plus_time};
static const arb_scalar_implementation time_minus_run = {.run = time_minus};
static const arb_scalar_implementation date_plus_time_run = {.run = date_plus_time};
static const arb_scalar_implementation time_plus_date_run = {.run = time_plus_date};
static const arb_scalar_implementation timestamps_between_run = {.run = timestamps_between};
static const arb_scalar_implementation times_between_run = {.run = times_between};
static const arb_scalar_implementation interval_plus_run = {.run = interval_plus};
static const arb_scalar_implementation interval_minus_run = {.run = interval_minus};
static const arb_scalar_implementation interval_negate_run = {.run = interval_negate};
static const arb_scalar_implementation interval_times_run = {.run = interval_times};
static const arb_scalar_implementation times_interval_run = {.run = times_interval};
static const arb_scalar_implementation interval_divide_run = {.run = interval_divide};

/* A date takes an interval as the timestamp of its midnight, by conversion. */
static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("+", 2, 2, "Tv>T", &timestamp_plus_run),
    ARB_SCALAR_ROW("+", 2, 2, "Zv>Z", &timestamp_plus_run),
    ARB_SCALAR_ROW("+", 2, 2, "vT>T", &plus_timestamp_run),
    ARB_SCALAR_ROW("+", 2, 2, "vZ>Z", &plus_timestamp_run),
    ARB_SCALAR_ROW("+", 2, 2, "vv>v", &interval_plus_run),
    ARB_SCALAR_ROW("+", 2, 2, "mv>m", &time_plus_run, .infallible = true),
    ARB_SCALAR_ROW("+", 2, 2, "vm>m", &plus_time_run, .infallible = true),
    ARB_SCALAR_ROW("+", 2, 2, "Dm>T", &date_plus_time_run),
    ARB_SCALAR_ROW("+", 2, 2, "mD>T", &time_plus_date_run),
    ARB_SCALAR_ROW("-", 2, 2, "TT>v", &timestamps_between_run),
    ARB_SCALAR_ROW("-", 2, 2, "ZZ>v", &timestamps_between_run),
    ARB_SCALAR_ROW("-", 2, 2, "Tv>T", &timestamp_minus_run),
    ARB_SCALAR_ROW("-", 2, 2, "Zv>Z", &timestamp_minus_run),
    ARB_SCALAR_ROW("-", 2, 2, "vv>v", &interval_minus_run),
    ARB_SCALAR_ROW("-", 2, 2, "mv>m", &time_minus_run, .infallible = true),
    ARB_SCALAR_ROW("-", 2, 2, "mm>v", &times_between_run, .infallible = true),
    ARB_SCALAR_ROW("*", 2, 2, "vd>v", &interval_times_run),
    ARB_SCALAR_ROW("*", 2, 2, "dv>v", &times_interval_run),
    ARB_SCALAR_ROW("/", 2, 2, "vd>v", &interval_divide_run),
    ARB_SCALAR_ROW("-", 1, 1, "v>v", &interval_negate_run),
};
ARB_FUNCTION_TABLE(arb_functions_interval, rows);
