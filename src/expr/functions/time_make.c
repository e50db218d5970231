/* time_make.c: dates and timestamps out of numbers, and numbers out of them: make_date, to_timestamp, epoch_ms, …;
 * names of days and months, the last day of a month. */
#include <math.h>

#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/text_read.h"

enum { year_most = 5000000 };

/* Years as written: -1 is 1 BC, and there is no year 0. */
static bool days_of(int64_t year, int64_t month, int64_t day, int64_t *out_days)
{
    if (year == 0 || year > year_most || year < -year_most || month < 1 || month > 12 || day < 1)
        return false;
    year += year < 0;
    if (day > arb_days_of_month(year, (int)month))
        return false;
    *out_days = arb_days_from_civil(year, (int)month, (int)day);
    return true;
}

/* Of a day; 24:00:00 is the next one's midnight. */
static bool micros_of(int64_t hour, int64_t minute, double second, int64_t *out_micros)
{
    if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(second >= 0 && second <= 60))
        return false;
    *out_micros = hour * ARB_MICROS_HOUR + minute * ARB_MICROS_MINUTE + (int64_t)rint(second * 1e6);
    return *out_micros <= ARB_MICROS_DAY;
}

static arb_code run_make_date(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        int64_t year = ARB_CALL_GET(call, 0, i64, row), month = ARB_CALL_GET(call, 1, i64, row);
        int64_t day = ARB_CALL_GET(call, 2, i64, row), days;
        if (!days_of(year, month, day, &days))
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW,
                                 "date field value out of range: %lld-%02lld-%02lld", (long long)year, (long long)month,
                                 (long long)day);
        call->result->values.i32[row] = (int32_t)days;
    }
    return ARB_OK;
}

static arb_code run_make_time(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        int64_t hour = ARB_CALL_GET(call, 0, i64, row), minute = ARB_CALL_GET(call, 1, i64, row);
        double second = ARB_CALL_GET(call, 2, f64, row);
        if (!micros_of(hour, minute, second, &call->result->values.i64[row]))
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW, "time field value out of range: %lld:%02lld:%02g",
                                 (long long)hour, (long long)minute, second);
    }
    return ARB_OK;
}

static arb_code run_make_timestamp(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        int64_t year = ARB_CALL_GET(call, 0, i64, row), month = ARB_CALL_GET(call, 1, i64, row);
        int64_t day = ARB_CALL_GET(call, 2, i64, row), hour = ARB_CALL_GET(call, 3, i64, row);
        int64_t minute = ARB_CALL_GET(call, 4, i64, row), days, micros, *out = &call->result->values.i64[row];
        double second = ARB_CALL_GET(call, 5, f64, row);
        if (!days_of(year, month, day, &days) || !micros_of(hour, minute, second, &micros) ||
            __builtin_mul_overflow(days, ARB_MICROS_DAY, out) || __builtin_add_overflow(*out, micros, out))
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW,
                                 "timestamp field value out of range: %lld-%02lld-%02lld %lld:%02lld:%02g",
                                 (long long)year, (long long)month, (long long)day, (long long)hour, (long long)minute,
                                 second);
    }
    return ARB_OK;
}

/* ---- seconds since 1970 ----------------------------------------------------------------------------------------------- */

static arb_code run_to_timestamp(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        double seconds = ARB_CALL_GET(call, 0, f64, row), micros = rint(seconds * 1e6);
        if (!(fabs(micros) < 9.2e18))
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW, "timestamp out of range: \"%g\"", seconds);
        call->result->values.i64[row] = (int64_t)micros;
    }
    return ARB_OK;
}

/* epoch_ms(timestamp) and its kin: whole units since 1970, rounded down. */
static arb_code run_epoch_units(arb_call *call, arb_error *error)
{
    char unit = call->expr->function->name[6]; /* of epoch_ms, epoch_us, epoch_ns */
    bool nanoseconds = call->expr->children[0]->type.nanoseconds;
    ARB_CALL_EACH(call, row)
    {
        int64_t value = ARB_CALL_GET(call, 0, i64, row), *out = &call->result->values.i64[row];
        if (unit == 'm')
            *out = arb_floor_divide(value, nanoseconds ? 1000000 : 1000);
        else if (unit == 'u')
            *out = nanoseconds ? arb_floor_divide(value, 1000) : value;
        else if (__builtin_mul_overflow(value, nanoseconds ? 1 : 1000, out))
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "bigint out of range");
    }
    return ARB_OK;
}

/* ---- of days ---------------------------------------------------------------------------------------------------------- */

static arb_code run_last_day(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        int64_t days = ARB_CALL_GET(call, 0, i32, row);
        arb_civil civil = arb_civil_from_days(days);
        int64_t last = days + arb_days_of_month(civil.year, civil.month) - civil.day;
        call->result->values.i32[row] = (int32_t)ARB_MIN(last, (int64_t)INT32_MAX);
    }
    return ARB_OK;
}

static arb_code run_day_name(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        arb_str name = arb_str_of(arb_day_names[arb_weekday(ARB_CALL_GET(call, 0, i32, row))]);
        arb_call_put_text(call, row, name.data, name.size);
    }
    return ARB_OK;
}

static arb_code run_month_name(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    {
        arb_civil civil = arb_civil_from_days(ARB_CALL_GET(call, 0, i32, row));
        arb_str name = arb_str_of(arb_month_names[civil.month - 1]);
        arb_call_put_text(call, row, name.data, name.size);
    }
    return ARB_OK;
}

/* Of a date, or of a timestamp as its day. */
static arb_code resolve_of_day(const arb_function *function, arb_argument *arguments, size_t count,
                               arb_type *out_result, arb_error *error)
{
    (void)count, (void)error;
    arb_type type = arguments[0].type;
    if (type.id != ARB_TYPE_NULL && (!arb_type_is_temporal(type) || type.id == ARB_TYPE_TIME))
        return ARB_NO_FIT;
    arguments[0].type = ARB_TYPE(DATE);
    *out_result = strcmp(function->name, "last_day") == 0 ? ARB_TYPE(DATE) : ARB_TYPE(VARCHAR);
    return ARB_OK;
}

/* A day in its month moves by at most 30. */
static arb_range last_day_range(const arb_expr *call, const arb_range *arguments)
{
    (void)call;
    arb_range range = arguments[0];
    range.high = ARB_MIN(range.high + 30, (arb_int128)INT32_MAX);
    return range;
}

static const arb_scalar_implementation make_date_run = {.run = run_make_date};
static const arb_scalar_implementation make_time_run = {.run = run_make_time};
static const arb_scalar_implementation make_timestamp_run = {.run = run_make_timestamp};
static const arb_scalar_implementation to_timestamp_run = {.run = run_to_timestamp};
static const arb_scalar_implementation epoch_units_run = {.run = run_epoch_units};
static const arb_scalar_implementation last_day_run = {.run = run_last_day};
static const arb_scalar_implementation day_name_run = {.run = run_day_name};
static const arb_scalar_implementation month_name_run = {.run = run_month_name};

ARB_DEFINE_RANGE(time_range, 0, ARB_MICROS_DAY)

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("make_date", 3, 3, "lll>D", &make_date_run),
    ARB_SCALAR_ROW("make_time", 3, 3, "lld>m", &make_time_run, .range = time_range),
    ARB_SCALAR_ROW("make_timestamp", 6, 6, "llllld>T", &make_timestamp_run),
    ARB_SCALAR_ROW("to_timestamp", 1, 1, "d>Z", &to_timestamp_run),
    ARB_SCALAR_ROW("epoch_ms", 1, 1, "T>l", &epoch_units_run, .infallible = true),
    ARB_SCALAR_ROW("epoch_ms", 1, 1, "Z>l", &epoch_units_run, .infallible = true),
    ARB_SCALAR_ROW("epoch_us", 1, 1, "T>l", &epoch_units_run, .infallible = true),
    ARB_SCALAR_ROW("epoch_us", 1, 1, "Z>l", &epoch_units_run, .infallible = true),
    ARB_SCALAR_ROW("epoch_ns", 1, 1, "T>l", &epoch_units_run),
    ARB_SCALAR_ROW("epoch_ns", 1, 1, "Z>l", &epoch_units_run),
    ARB_SCALAR_ROW_BY("last_day", 1, 1, resolve_of_day, &last_day_run, .infallible = true, .range = last_day_range),
    ARB_SCALAR_ROW_BY("dayname", 1, 1, resolve_of_day, &day_name_run, .infallible = true),
    ARB_SCALAR_ROW_BY("monthname", 1, 1, resolve_of_day, &month_name_run, .infallible = true),
};
ARB_FUNCTION_TABLE(arb_functions_time_make, rows);
