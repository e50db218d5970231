/* time_between.c: how far two points in time are apart (age, date_diff), and bins of time (date_bin). */
#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/text_read.h"

static arb_code out_of_range(const arb_call *call, arb_error *error)
{
    return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW, "%s is out of range", call->expr->function->name);
}

/* In years and months, days, time, each as one would count it on a calendar from the earlier point on. A month that is
 * borrowed has as many days as the earlier point's. */
static bool calendar_distance(int64_t earlier, int64_t later, arb_interval *out)
{
    int64_t from_day = arb_floor_divide(earlier, ARB_MICROS_DAY), to_day = arb_floor_divide(later, ARB_MICROS_DAY);
    arb_civil from = arb_civil_from_days(from_day), to = arb_civil_from_days(to_day);
    int64_t micros = arb_floor_modulo(later, ARB_MICROS_DAY) - arb_floor_modulo(earlier, ARB_MICROS_DAY);
    int64_t days = to.day - from.day, months = (to.year - from.year) * 12 + to.month - from.month;
    if (micros < 0) {
        micros += ARB_MICROS_DAY;
        days--;
    }
    if (days < 0) {
        days += arb_days_of_month(from.year, from.month);
        months--;
    }
    *out = (arb_interval){(int32_t)months, (int32_t)days, micros};
    return months <= INT32_MAX;
}

static arb_code run_age(arb_call *call, arb_error *error)
{
    int64_t unit = call->expr->children[0]->type.nanoseconds ? 1000 : 1;
    ARB_CALL_EACH(call, row)
    {
        int64_t later = arb_floor_divide(ARB_CALL_GET(call, 0, i64, row), unit);
        int64_t earlier = arb_floor_divide(ARB_CALL_GET(call, 1, i64, row), unit);
        arb_interval *out = &call->result->values.interval[row];
        bool back = later < earlier;
        if (!calendar_distance(back ? later : earlier, back ? earlier : later, out))
            return out_of_range(call, error);
        if (back)
            *out = (arb_interval){-out->months, -out->days, -out->micros};
    }
    return ARB_OK;
}

/* ---- date_diff: how many starts of the unit lie between ---------------------------------------------------------------- */

static arb_code read_unit(const arb_call *call, size_t row, arb_time_unit *out_unit, arb_error *error)
{
    arb_str word = arb_call_text(call, 0, row);
    if (arb_read_time_unit(word, out_unit))
        return ARB_OK;
    return arb_call_fail(call, error, ARB_INVALID_PARAMETER, "\"%.*s\" is not a unit of time", ARB_STR_ARGS(word));
}

/* The number of the unit that the day lies in. */
static int64_t day_unit(int64_t days, arb_time_unit unit)
{
    if (unit == ARB_UNIT_DAY)
        return days;
    if (unit == ARB_UNIT_WEEK)
        return arb_floor_divide(days + 3, 7); /* from Monday */
    arb_civil civil = arb_civil_from_days(days);
    switch (unit) {
    case ARB_UNIT_MONTH:
        return civil.year * 12 + civil.month - 1;
    case ARB_UNIT_QUARTER:
        return civil.year * 4 + (civil.month - 1) / 3;
    case ARB_UNIT_DECADE:
        return arb_floor_divide(civil.year, 10);
    case ARB_UNIT_CENTURY:
        return arb_floor_divide(civil.year - 1, 100);
    case ARB_UNIT_MILLENNIUM:
        return arb_floor_divide(civil.year - 1, 1000);
    default:
        return civil.year;
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

static int64_t time_unit(int64_t micros, arb_time_unit unit)
{
    return unit <= ARB_UNIT_HOUR ? arb_floor_divide(micros, clock_micros(unit))
                                 : day_unit(arb_floor_divide(micros, ARB_MICROS_DAY), unit);
}

static arb_code run_units_between(arb_call *call, arb_error *error)
{
    int64_t scale = call->expr->children[1]->type.nanoseconds ? 1000 : 1;
    arb_time_unit unit = ARB_UNIT_DAY;
    bool known = false;
    ARB_CALL_EACH(call, row)
    {
        if (!known)
            ARB_TRY(read_unit(call, row, &unit, error));
        known = call->arguments[0]->encoding == ARB_CONSTANT;
        int64_t from = arb_floor_divide(ARB_CALL_GET(call, 1, i64, row), scale);
        int64_t to = arb_floor_divide(ARB_CALL_GET(call, 2, i64, row), scale);
        if (__builtin_sub_overflow(time_unit(to, unit), time_unit(from, unit), &call->result->values.i64[row]))
            return out_of_range(call, error);
    }
    return ARB_OK;
}

static arb_code run_units_between_dates(arb_call *call, arb_error *error)
{
    arb_time_unit unit = ARB_UNIT_DAY;
    bool known = false;
    ARB_CALL_EACH(call, row)
    {
        if (!known)
            ARB_TRY(read_unit(call, row, &unit, error));
        known = call->arguments[0]->encoding == ARB_CONSTANT;
        int64_t from = ARB_CALL_GET(call, 1, i32, row), to = ARB_CALL_GET(call, 2, i32, row);
        int64_t *out = &call->result->values.i64[row];
        if (unit > ARB_UNIT_HOUR)
            *out = day_unit(to, unit) - day_unit(from, unit);
        else if (__builtin_mul_overflow(to - from, ARB_MICROS_DAY / clock_micros(unit), out))
            return out_of_range(call, error);
    }
    return ARB_OK;
}

/* date_diff(end, start) in days, as Spark and MySQL have it. */
static arb_code run_days_between(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.i64[row] = (int64_t)ARB_CALL_GET(call, 0, i32, row) - ARB_CALL_GET(call, 1, i32, row);
    return ARB_OK;
}

/* ---- date_bin --------------------------------------------------------------------------------------------------------- */

/* The start of the bin of that width, counted from an origin, in which a point lies. */
static arb_code run_bin(arb_call *call, arb_error *error)
{
    int64_t unit = call->expr->type.nanoseconds ? 1000 : 1;
    bool given = call->expr->child_count == 3;
    ARB_CALL_EACH(call, row)
    {
        arb_interval width = ARB_CALL_GET(call, 0, interval, row);
        int64_t value = ARB_CALL_GET(call, 1, i64, row), origin = given ? ARB_CALL_GET(call, 2, i64, row) : 0;
        if (width.months != 0)
            return arb_call_fail(call, error, ARB_NOT_SUPPORTED,
                                 "timestamps cannot be binned into intervals containing months or years");
        arb_int128 stride = ((arb_int128)width.days * ARB_MICROS_DAY + width.micros) * unit;
        if (stride <= 0 || stride > INT64_MAX)
            return arb_call_fail(call, error, ARB_OUT_OF_RANGE, "stride must be greater than zero");
        arb_int128 past = (arb_int128)value - origin, rest = past % stride;
        arb_int128 start = (arb_int128)value - (rest < 0 ? rest + stride : rest);
        if (start < INT64_MIN)
            return out_of_range(call, error);
        call->result->values.i64[row] = (int64_t)start;
    }
    return ARB_OK;
}

static const arb_scalar_implementation age_run = {.run = run_age};
static const arb_scalar_implementation units_between_run = {.run = run_units_between};
static const arb_scalar_implementation units_between_dates_run = {.run = run_units_between_dates};
static const arb_scalar_implementation days_between_run = {.run = run_days_between};
static const arb_scalar_implementation bin_run = {.run = run_bin};

ARB_DEFINE_RANGE(days_range, -(arb_int128)UINT32_MAX, UINT32_MAX)

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("age", 2, 2, "TT>v", &age_run),
    ARB_SCALAR_ROW("age", 2, 2, "ZZ>v", &age_run),
    ARB_SCALAR_ROW("date_diff", 3, 3, "tDD>l", &units_between_dates_run),
    ARB_SCALAR_ROW("date_diff", 3, 3, "tTT>l", &units_between_run),
    ARB_SCALAR_ROW("date_diff", 3, 3, "tZZ>l", &units_between_run),
    ARB_SCALAR_ROW("date_diff", 2, 2, "DD>l", &days_between_run, .infallible = true, .range = days_range),
    ARB_SCALAR_ROW("date_bin", 2, 3, "vTT>T", &bin_run),
    ARB_SCALAR_ROW("date_bin", 2, 3, "vZZ>Z", &bin_run),
};
ARB_FUNCTION_TABLE(arb_functions_time_between, rows);
