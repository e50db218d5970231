/* date_part.c: fields of dates, times and intervals: extract(field FROM x), date_part('field', x), year(x), …
 *
 * The field decides the result's type, so it must be a constant. Whole fields are BIGINT; seconds and the epoch of
 * what has fractions are decimals, as in PostgreSQL. */
#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/text_read.h"

typedef enum date_field {
    FIELD_MICROSECOND = ARB_UNIT_MICROSECOND, /* the same as the units of time */
    FIELD_DAY = ARB_UNIT_DAY,
    FIELD_MILLENNIUM = ARB_UNIT_MILLENNIUM,
    FIELD_DAY_OF_WEEK,
    FIELD_ISO_DAY_OF_WEEK,
    FIELD_DAY_OF_YEAR,
    FIELD_ISO_YEAR,
    FIELD_EPOCH,
    FIELD_JULIAN,
    FIELD_ZONE, /* of timestamps with time zone, which are UTC */
} date_field;

static bool read_field(arb_str word, date_field *out_field)
{
    static const struct {
        const char *word;
        date_field field;
    } words[] = {
        {"dow", FIELD_DAY_OF_WEEK},     {"dayofweek", FIELD_DAY_OF_WEEK}, {"isodow", FIELD_ISO_DAY_OF_WEEK},
        {"doy", FIELD_DAY_OF_YEAR},     {"dayofyear", FIELD_DAY_OF_YEAR}, {"isoyear", FIELD_ISO_YEAR},
        {"epoch", FIELD_EPOCH},         {"julian", FIELD_JULIAN},         {"weekofyear", (date_field)ARB_UNIT_WEEK},
        {"dayofmonth", FIELD_DAY},      {"timezone", FIELD_ZONE},         {"timezone_hour", FIELD_ZONE},
        {"timezone_minute", FIELD_ZONE}};
    arb_time_unit unit;
    for (size_t i = 0; i < ARB_COUNT_OF(words); i++)
        if (arb_str_equal_nocase(word, arb_str_of(words[i].word))) {
            *out_field = words[i].field;
            return true;
        }
    if (!arb_read_time_unit(word, &unit))
        return false;
    *out_field = (date_field)unit;
    return true;
}

static bool is_clock_field(date_field field)
{
    return (int)field <= ARB_UNIT_HOUR;
}

/* A point in time, taken apart as far as the field needs. */
static int64_t civil_field(int64_t days, date_field field)
{
    arb_civil civil = arb_civil_from_days(days);
    int64_t year = civil.year, iso_year;
    switch ((int)field) {
    case ARB_UNIT_DAY:
        return civil.day;
    case ARB_UNIT_MONTH:
        return civil.month;
    case ARB_UNIT_QUARTER:
        return (civil.month + 2) / 3;
    case ARB_UNIT_YEAR:
        return year > 0 ? year : year - 1; /* as written: there is no year 0 */
    case ARB_UNIT_DECADE:
        return arb_floor_divide(year, 10);
    case ARB_UNIT_CENTURY:
        return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100);
    case ARB_UNIT_MILLENNIUM:
        return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000);
    case ARB_UNIT_WEEK:
        return arb_iso_week(days, &iso_year);
    case FIELD_ISO_YEAR:
        arb_iso_week(days, &iso_year);
        return iso_year > 0 ? iso_year : iso_year - 1;
    case FIELD_DAY_OF_WEEK:
        return arb_weekday(days);
    case FIELD_ISO_DAY_OF_WEEK:
        return arb_weekday(days) == 0 ? 7 : arb_weekday(days);
    case FIELD_DAY_OF_YEAR:
        return arb_day_of_year(days, civil);
    case FIELD_JULIAN:
        return days + 2440588;
    default:
        return 0; /* FIELD_ZONE */
    }
}

/* Of microseconds since midnight. Seconds are times 10^6, milliseconds times 10^3, as their decimals are. */
static int64_t clock_field(int64_t micros, date_field field)
{
    switch ((int)field) {
    case ARB_UNIT_HOUR:
        return micros / ARB_MICROS_HOUR;
    case ARB_UNIT_MINUTE:
        return micros / ARB_MICROS_MINUTE % 60;
    default:
        return micros % ARB_MICROS_MINUTE;
    }
}

static int64_t interval_field(arb_interval interval, date_field field)
{
    int64_t years = interval.months / 12;
    switch ((int)field) {
    case ARB_UNIT_DAY:
        return interval.days;
    case ARB_UNIT_WEEK:
        return interval.days / 7;
    case ARB_UNIT_MONTH:
        return interval.months % 12;
    case ARB_UNIT_QUARTER:
        return interval.months % 12 / 3 + 1;
    case ARB_UNIT_YEAR:
        return years;
    case ARB_UNIT_DECADE:
        return years / 10;
    case ARB_UNIT_CENTURY:
        return years / 100;
    case ARB_UNIT_MILLENNIUM:
        return years / 1000;
    case FIELD_EPOCH: { /* a year of 365.25 days, a month of 30 */
        arb_int128 days = (arb_int128)years * 1461 * ARB_MICROS_DAY / 4;
        arb_int128 micros = days + ((arb_int128)(interval.months % 12) * 30 + interval.days) * ARB_MICROS_DAY;
        micros += interval.micros;
        return micros > INT64_MAX ? INT64_MAX : micros < INT64_MIN ? INT64_MIN : (int64_t)micros;
    }
    default:
        return clock_field(interval.micros, field);
    }
}

/* ---- types -------------------------------------------------------------------------------------------------------------- */

static arb_type field_type(date_field field, arb_type of)
{
    switch ((int)field) {
    case ARB_UNIT_SECOND:
        return arb_type_decimal(18, 6);
    case ARB_UNIT_MILLISECOND:
        return arb_type_decimal(18, 3);
    case FIELD_EPOCH:
        return of.id == ARB_TYPE_DATE ? ARB_TYPE(BIGINT) : arb_type_decimal(20, 6);
    default:
        return ARB_TYPE(BIGINT);
    }
}

static arb_code fail_field(arb_str word, arb_type type, arb_error *error)
{
    arb_text text = {0};
    arb_type_print(&text, type);
    arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" is not a field of type %.*s", ARB_STR_ARGS(word),
             ARB_STR_ARGS(arb_text_view(&text)));
    arb_text_reset(&text);
    return ARB_INVALID_PARAMETER;
}

static arb_code resolve_field(arb_str word, arb_argument *argument, arb_type *out_result, arb_error *error)
{
    date_field field;
    if (argument->type.id == ARB_TYPE_NULL)
        argument->type = ARB_TYPE(TIMESTAMP);
    arb_type type = argument->type;
    bool interval = type.id == ARB_TYPE_INTERVAL;
    if (!arb_type_is_temporal(type) && !interval)
        return ARB_NO_FIT;
    if (!read_field(word, &field))
        return fail_field(word, type, error);
    bool calendar = !is_clock_field(field) && field != FIELD_EPOCH;
    if ((type.id == ARB_TYPE_TIME && calendar) || (interval && (int)field > ARB_UNIT_MILLENNIUM && calendar))
        return fail_field(word, type, error);
    *out_result = field_type(field, type);
    return ARB_OK;
}

static arb_code resolve_date_part(const arb_function *function, arb_argument *arguments, size_t count,
                                  arb_type *out_result, arb_error *error)
{
    (void)function, (void)count;
    const arb_value *word = arguments[0].constant;
    if (arguments[0].type.id != ARB_TYPE_NULL && arguments[0].type.id != ARB_TYPE_VARCHAR)
        return ARB_NO_FIT;
    if (word == NULL || word->is_null)
        return arb_fail(error, ARB_INVALID_PARAMETER, "the field to extract must be a constant");
    arguments[0].type = ARB_TYPE(VARCHAR);
    return resolve_field(word->text, &arguments[1], out_result, error);
}

/* year(x) and so on: the function's name is the field. */
static arb_code resolve_named_part(const arb_function *function, arb_argument *arguments, size_t count,
                                   arb_type *out_result, arb_error *error)
{
    (void)count;
    return resolve_field(arb_str_of(function->name), &arguments[0], out_result, error);
}

static date_field field_of(const arb_expr *call)
{
    date_field field = FIELD_DAY;
    const arb_value *word = call->child_count == 2 ? arb_constant_argument(call, 0) : NULL;
    read_field(word != NULL ? word->text : arb_str_of(call->function->name), &field);
    return field;
}

static int64_t units_of_day(arb_type type)
{
    return type.id == ARB_TYPE_DATE ? 1 : ARB_MICROS_DAY * (type.nanoseconds ? 1000 : 1);
}

/* Years grow with time; other fields are bounded by nature. */
static arb_range field_range(const arb_expr *call, const arb_range *arguments)
{
    size_t at = call->child_count - 1;
    arb_type type = call->children[at]->type;
    date_field field = field_of(call);
    if (type.id == ARB_TYPE_INTERVAL)
        return (arb_range){0};
    switch ((int)field) {
    case ARB_UNIT_HOUR:
        return (arb_range){true, 0, 24};
    case ARB_UNIT_MINUTE:
        return (arb_range){true, 0, 59};
    case ARB_UNIT_SECOND:
    case ARB_UNIT_MILLISECOND:
    case ARB_UNIT_MICROSECOND:
        return (arb_range){true, 0, ARB_MICROS_MINUTE};
    case ARB_UNIT_DAY:
    case ARB_UNIT_MONTH:
    case ARB_UNIT_QUARTER:
    case ARB_UNIT_WEEK:
    case FIELD_DAY_OF_WEEK:
    case FIELD_ISO_DAY_OF_WEEK:
        return (arb_range){true, 0, 53};
    case FIELD_DAY_OF_YEAR:
        return (arb_range){true, 1, 366};
    case ARB_UNIT_YEAR: {
        arb_range range = arguments[at];
        if (!range.known)
            return range;
        int64_t day = units_of_day(type);
        range.low = civil_field(arb_floor_divide((int64_t)range.low, day), field);
        range.high = civil_field(arb_floor_divide((int64_t)range.high, day), field);
        return range;
    }
    default:
        return (arb_range){0};
    }
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

static void put(arb_vector *result, size_t row, int64_t value)
{
    if (result->physical == ARB_PHYS_INT128)
        result->values.i128[row] = value; /* the epoch as a decimal */
    else
        result->values.i64[row] = value;
}

static void run_on_dates(arb_call *call, size_t at, date_field field)
{
    const arb_vector *from = call->arguments[at];
    ARB_CALL_EACH(call, row)
    {
        int64_t days = from->values.i32[arb_call_slot(from, row)];
        call->result->values.i64[row] = field == FIELD_EPOCH    ? days * 86400
                                        : is_clock_field(field) ? 0
                                                                : civil_field(days, field);
    }
}

static void run_on_timestamps(arb_call *call, size_t at, date_field field)
{
    arb_type type = call->expr->children[at]->type;
    int64_t unit = type.nanoseconds ? 1000 : 1;
    const arb_vector *from = call->arguments[at];
    ARB_CALL_EACH(call, row)
    {
        int64_t micros = arb_floor_divide(from->values.i64[arb_call_slot(from, row)], unit);
        int64_t days = arb_floor_divide(micros, ARB_MICROS_DAY);
        put(call->result, row,
            field == FIELD_EPOCH    ? micros
            : is_clock_field(field) ? clock_field(micros - days * ARB_MICROS_DAY, field)
                                    : civil_field(days, field));
    }
}

static arb_code run_date_part(arb_call *call, arb_error *error)
{
    (void)error;
    size_t at = call->expr->child_count - 1;
    date_field field = field_of(call->expr);
    const arb_vector *from = call->arguments[at];
    switch (call->expr->children[at]->type.id) {
    case ARB_TYPE_DATE:
        run_on_dates(call, at, field);
        return ARB_OK;
    case ARB_TYPE_TIME:
        ARB_CALL_EACH(call, row)
        {
            int64_t micros = from->values.i64[arb_call_slot(from, row)];
            put(call->result, row, field == FIELD_EPOCH ? micros : clock_field(micros, field));
        }
        return ARB_OK;
    case ARB_TYPE_INTERVAL:
        ARB_CALL_EACH(call, row)
        put(call->result, row, interval_field(from->values.interval[arb_call_slot(from, row)], field));
        return ARB_OK;
    default:
        run_on_timestamps(call, at, field);
        return ARB_OK;
    }
}

static const arb_scalar_implementation date_part_run = {.run = run_date_part};

#define PART(name) \
    ARB_SCALAR_ROW_BY(name, 1, 1, resolve_named_part, &date_part_run, .infallible = true, .range = field_range)

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW_BY("date_part", 2, 2, resolve_date_part, &date_part_run, .infallible = true, .range = field_range),
    PART("year"),
    PART("quarter"),
    PART("month"),
    PART("week"),
    PART("day"),
    PART("hour"),
    PART("minute"),
    PART("second"),
    PART("millisecond"),
    PART("microsecond"),
    PART("decade"),
    PART("century"),
    PART("millennium"),
    PART("dayofweek"),
    PART("isodow"),
    PART("dayofyear"),
    PART("isoyear"),
    PART("epoch"),
    PART("julian"),
};
ARB_FUNCTION_TABLE(arb_functions_date_part, rows);
