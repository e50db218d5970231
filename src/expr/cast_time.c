/* cast_time.c: between dates, times, timestamps and intervals. A timestamp with time zone is shown and cut in UTC. */
#include "columnar/calendar.h"
#include "expr/cast_internal.h"

static int64_t unit_of(arb_type type)
{
    return type.nanoseconds ? 1000 : 1;
}

static arb_code fail_row(arb_call *call, size_t row, arb_error *error)
{
    char form[ARB_FORM_MOST];
    arb_type from = call->expr->children[0]->type;
    size_t slot = arb_call_slot(call->arguments[0], row), size;
    int64_t value = (int64_t)arb_vector_get_integer(call->arguments[0], slot);
    if (from.id == ARB_TYPE_DATE)
        size = arb_form_date(form, value);
    else
        size = arb_form_timestamp(form, value, from.nanoseconds, from.id == ARB_TYPE_TIMESTAMPTZ);
    return arb_cast_fail_range(call, row, (arb_str){form, size}, error);
}

static arb_code run_date_to_timestamp(arb_call *call, arb_error *error)
{
    int64_t day = ARB_MICROS_DAY * unit_of(call->expr->type);
    ARB_CALL_EACH(call, row)
    {
        int64_t days = ARB_CALL_GET(call, 0, i32, row);
        if (ARB_UNLIKELY(__builtin_mul_overflow(days, day, &call->result->values.i64[row])))
            ARB_TRY(fail_row(call, row, error));
    }
    return ARB_OK;
}

static arb_code run_timestamp_to_date(arb_call *call, arb_error *error)
{
    (void)error;
    int64_t day = ARB_MICROS_DAY * unit_of(call->expr->children[0]->type);
    ARB_CALL_EACH(call, row)
    call->result->values.i32[row] = (int32_t)arb_floor_divide(ARB_CALL_GET(call, 0, i64, row), day);
    return ARB_OK;
}

static arb_code run_timestamp_to_time(arb_call *call, arb_error *error)
{
    (void)error;
    int64_t unit = unit_of(call->expr->children[0]->type);
    ARB_CALL_EACH(call, row)
    call->result->values.i64[row] =
        arb_floor_modulo(arb_floor_divide(ARB_CALL_GET(call, 0, i64, row), unit), ARB_MICROS_DAY);
    return ARB_OK;
}

static arb_code run_timestamp_to_timestamp(arb_call *call, arb_error *error)
{
    int64_t before = unit_of(call->expr->children[0]->type), after = unit_of(call->expr->type);
    ARB_CALL_EACH(call, row)
    {
        int64_t value = ARB_CALL_GET(call, 0, i64, row), *to = &call->result->values.i64[row];
        if (before > after)
            *to = arb_floor_divide(value, before);
        else if (ARB_UNLIKELY(__builtin_mul_overflow(value, after / before, to)))
            ARB_TRY(fail_row(call, row, error));
    }
    return ARB_OK;
}

static arb_code run_time_to_interval(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.interval[row] = (arb_interval){.micros = ARB_CALL_GET(call, 0, i64, row)};
    return ARB_OK;
}

static arb_code run_interval_to_time(arb_call *call, arb_error *error)
{
    (void)error;
    ARB_CALL_EACH(call, row)
    call->result->values.i64[row] = arb_floor_modulo(ARB_CALL_GET(call, 0, interval, row).micros, ARB_MICROS_DAY);
    return ARB_OK;
}

static const arb_scalar_implementation date_to_timestamp = {.run = run_date_to_timestamp};
static const arb_scalar_implementation timestamp_to_date = {.run = run_timestamp_to_date};
static const arb_scalar_implementation timestamp_to_time = {.run = run_timestamp_to_time};
static const arb_scalar_implementation timestamp_to_timestamp = {.run = run_timestamp_to_timestamp};
static const arb_scalar_implementation time_to_interval = {.run = run_time_to_interval};
static const arb_scalar_implementation interval_to_time = {.run = run_interval_to_time};

static bool is_timestamp(arb_type type)
{
    return type.id == ARB_TYPE_TIMESTAMP || type.id == ARB_TYPE_TIMESTAMPTZ;
}

const arb_scalar_implementation *arb_cast_times(arb_type from, arb_type to)
{
    if (from.id == ARB_TYPE_DATE && is_timestamp(to))
        return &date_to_timestamp;
    if (from.id == ARB_TYPE_TIME && to.id == ARB_TYPE_INTERVAL)
        return &time_to_interval;
    if (from.id == ARB_TYPE_INTERVAL && to.id == ARB_TYPE_TIME)
        return &interval_to_time;
    if (!is_timestamp(from))
        return NULL;
    if (to.id == ARB_TYPE_DATE)
        return &timestamp_to_date;
    if (to.id == ARB_TYPE_TIME)
        return &timestamp_to_time;
    return is_timestamp(to) && from.nanoseconds != to.nanoseconds ? &timestamp_to_timestamp : NULL;
}
