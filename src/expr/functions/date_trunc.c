/* date_trunc.c: cut timestamps and intervals down to a unit of time. A date is cut as the timestamp of its midnight. */
#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/text_read.h"

static arb_code read_unit(const arb_call *call, arb_str word, arb_time_unit *out_unit, arb_error *error)
{
    if (arb_read_time_unit(word, out_unit))
        return ARB_OK;
    return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "\"%.*s\" is not a unit of time", ARB_STR_ARGS(word));
}

/* The first day of the period. */
static int64_t cut_days(int64_t days, arb_time_unit unit)
{
    if (unit == ARB_UNIT_DAY)
        return days;
    if (unit == ARB_UNIT_WEEK)
        return days - arb_floor_modulo(days + 3, 7); /* Monday */
    arb_civil civil = arb_civil_from_days(days);
    switch (unit) {
    case ARB_UNIT_MONTH:
        return arb_days_from_civil(civil.year, civil.month, 1);
    case ARB_UNIT_QUARTER:
        return arb_days_from_civil(civil.year, (civil.month - 1) / 3 * 3 + 1, 1);
    case ARB_UNIT_DECADE:
        return arb_days_from_civil(arb_floor_divide(civil.year, 10) * 10, 1, 1);
    case ARB_UNIT_CENTURY: /* 2000 is the last year of its century */
        return arb_days_from_civil(arb_floor_divide(civil.year - 1, 100) * 100 + 1, 1, 1);
    case ARB_UNIT_MILLENNIUM:
        return arb_days_from_civil(arb_floor_divide(civil.year - 1, 1000) * 1000 + 1, 1, 1);
    default:
        return arb_days_from_civil(civil.year, 1, 1);
    }
}

static int64_t clock_micros(arb_time_unit unit)
{
    static const int64_t micros[] = {[ARB_UNIT_MICROSECOND] = 1,
                                     [ARB_UNIT_MILLISECOND] = 1000,
                                     [ARB_UNIT_SECOND] = ARB_MICROS_SECOND,
                                     [ARB_UNIT_MINUTE] = ARB_MICROS_MINUTE,
                                     [ARB_UNIT_HOUR] = ARB_MICROS_HOUR};
    return micros[unit];
}

static arb_code run_timestamps(arb_call *call, arb_error *error)
{
    int64_t scale = call->expr->type.nanoseconds ? 1000 : 1, day = ARB_MICROS_DAY * scale;
    arb_time_unit unit = ARB_UNIT_DAY;
    bool known = false;
    ARB_CALL_EACH(call, row)
    {
        int64_t value = ARB_CALL_GET(call, 1, i64, row), cut;
        if (!known)
            ARB_TRY(read_unit(call, arb_call_text(call, 0, row), &unit, error));
        known = call->arguments[0]->encoding == ARB_CONSTANT;
        bool over;
        if (unit <= ARB_UNIT_HOUR)
            over = __builtin_sub_overflow(value, arb_floor_modulo(value, clock_micros(unit) * scale), &cut);
        else
            over = __builtin_mul_overflow(cut_days(arb_floor_divide(value, day), unit), day, &cut);
        if (over)
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW, "timestamp out of range");
        call->result->values.i64[row] = cut;
    }
    return ARB_OK;
}

static arb_interval cut_interval(arb_interval of, arb_time_unit unit)
{
    static const int32_t months[] = {[ARB_UNIT_MONTH] = 1,    [ARB_UNIT_QUARTER] = 3,    [ARB_UNIT_YEAR] = 12,
                                     [ARB_UNIT_DECADE] = 120, [ARB_UNIT_CENTURY] = 1200, [ARB_UNIT_MILLENNIUM] = 12000};
    if (unit <= ARB_UNIT_HOUR)
        return (arb_interval){of.months, of.days, of.micros - of.micros % clock_micros(unit)};
    if (unit == ARB_UNIT_DAY || unit == ARB_UNIT_WEEK)
        return (arb_interval){of.months, unit == ARB_UNIT_DAY ? of.days : of.days - of.days % 7, 0};
    return (arb_interval){of.months - of.months % months[unit], 0, 0};
}

static arb_code run_intervals(arb_call *call, arb_error *error)
{
    arb_time_unit unit = ARB_UNIT_DAY;
    bool known = false;
    ARB_CALL_EACH(call, row)
    {
        if (!known)
            ARB_TRY(read_unit(call, arb_call_text(call, 0, row), &unit, error));
        known = call->arguments[0]->encoding == ARB_CONSTANT;
        call->result->values.interval[row] = cut_interval(ARB_CALL_GET(call, 1, interval, row), unit);
    }
    return ARB_OK;
}

static const arb_scalar_implementation timestamps_run = {.run = run_timestamps};
static const arb_scalar_implementation intervals_run = {.run = run_intervals};

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("date_trunc", 2, 2, "tT>T", &timestamps_run),
    ARB_SCALAR_ROW("date_trunc", 2, 2, "tZ>Z", &timestamps_run),
    ARB_SCALAR_ROW("date_trunc", 2, 2, "tv>v", &intervals_run),
};
ARB_FUNCTION_TABLE(arb_functions_date_trunc, rows);
