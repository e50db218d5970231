/* cast_text.c: every type to text, and text to every type. */
#include "columnar/calendar.h"
#include "expr/cast_internal.h"
#include "kernels/text_read.h"
#include "kernels/time_zone.h"

/* ---- failing ------------------------------------------------------------------------------------------------------------ */

enum { shown_most = 100 };

static arb_code fail_cast(arb_call *call, size_t row, arb_str value, arb_code code, const char *format,
                          arb_error *error) __attribute__((format(printf, 5, 0)));

static arb_code fail_cast(arb_call *call, size_t row, arb_str value, arb_code code, const char *format,
                          arb_error *error)
{
    if (call->try_cast) {
        arb_call_set_null(call, row);
        return ARB_OK;
    }
    arb_text type = {0};
    arb_type_print(&type, call->expr->type);
    arb_text_append_char(&type, '\0');
    int size = (int)ARB_MIN(value.size, (size_t)shown_most);
    arb_fail(error, code, format, type.failed ? "the type" : type.data, size, value.data);
    arb_text_reset(&type);
    return arb_error_at(error, code, call->expr->position);
}

arb_code arb_cast_fail_range(arb_call *call, size_t row, arb_str value, arb_error *error)
{
    bool time = arb_type_is_temporal(call->expr->type) || call->expr->type.id == ARB_TYPE_INTERVAL;
    return fail_cast(call, row, value, time ? ARB_DATETIME_OVERFLOW : ARB_OUT_OF_RANGE,
                     "value out of range for type %s: \"%.*s\"", error);
}

arb_code arb_cast_fail_syntax(arb_call *call, size_t row, arb_str value, arb_error *error)
{
    bool time = arb_type_is_temporal(call->expr->type) || call->expr->type.id == ARB_TYPE_INTERVAL;
    return fail_cast(call, row, value, time ? ARB_INVALID_DATETIME : ARB_INVALID_TEXT,
                     "invalid input syntax for type %s: \"%.*s\"", error);
}

/* ---- to text ------------------------------------------------------------------------------------------------------------ */

static arb_code put_form(arb_call *call, size_t row, const char *form, size_t size, arb_error *error)
{
    if (size > ARB_STRING_INLINE) {
        char *room = arb_call_text_room(call, size, error);
        if (room == NULL)
            return ARB_OUT_OF_MEMORY;
        memcpy(room, form, size);
        form = room;
    }
    arb_call_put_text(call, row, form, size);
    return ARB_OK;
}

static size_t form_value(const arb_vector *from, size_t slot, arb_type type, char *form)
{
    switch (type.id) {
    case ARB_TYPE_BOOLEAN:
        return arb_form_boolean(form, arb_bitmap_get(from->values.bits, slot));
    case ARB_TYPE_REAL:
        return arb_form_real(form, from->values.f32[slot]);
    case ARB_TYPE_DOUBLE:
        return arb_form_double(form, from->values.f64[slot]);
    case ARB_TYPE_DECIMAL:
        return arb_form_decimal(form, arb_vector_get_integer(from, slot), type.scale);
    case ARB_TYPE_DATE:
        return arb_form_date(form, from->values.i32[slot]);
    case ARB_TYPE_TIME:
        return arb_form_time(form, from->values.i64[slot]);
    case ARB_TYPE_TIMESTAMP:
        return arb_form_timestamp(form, from->values.i64[slot], type.nanoseconds, false);
    case ARB_TYPE_TIMESTAMPTZ:
        return arb_form_timestamp(form, from->values.i64[slot], type.nanoseconds, true);
    case ARB_TYPE_INTERVAL:
        return arb_form_interval(form, from->values.interval[slot]);
    default:
        return arb_form_integer(form, arb_vector_get_integer(from, slot));
    }
}

static arb_code run_to_text(arb_call *call, arb_error *error)
{
    arb_type type = call->expr->children[0]->type;
    const arb_vector *from = call->arguments[0];
    ARB_CALL_EACH(call, row)
    {
        char form[ARB_FORM_MOST];
        size_t size = form_value(from, arb_call_slot(from, row), type, form);
        ARB_TRY(put_form(call, row, form, size, error));
    }
    return ARB_OK;
}

/* Nested values and bytes: of any length. */
static arb_code run_long_to_text(arb_call *call, arb_error *error)
{
    arb_type type = call->expr->children[0]->type;
    arb_text text = {0};
    arb_code code = ARB_OK;
    ARB_CALL_EACH(call, row)
    {
        arb_value value;
        arb_text_clear(&text);
        if (code == ARB_OK)
            code = arb_vector_get_value(call->arguments[0], type, row, call->arena, &value, error);
        if (code == ARB_OK)
            arb_value_print(&text, &value);
        if (code == ARB_OK)
            code = arb_text_check(&text, error);
        if (code == ARB_OK)
            code = put_form(call, row, text.size != 0 ? text.data : "", text.size, error);
    }
    arb_text_reset(&text);
    return code;
}

static const arb_scalar_implementation to_text = {.run = run_to_text};
static const arb_scalar_implementation long_to_text = {.run = run_long_to_text};

const arb_scalar_implementation *arb_cast_to_text(arb_type from, arb_type to)
{
    if (to.id != ARB_TYPE_VARCHAR || from.id == ARB_TYPE_VARCHAR || from.id == ARB_TYPE_NULL)
        return NULL;
    return arb_type_is_nested(from) || from.id == ARB_TYPE_BLOB ? &long_to_text : &to_text;
}

/* ---- from text ---------------------------------------------------------------------------------------------------------- */

static arb_code settle(arb_call *call, size_t row, arb_str text, arb_read_result outcome, arb_error *error)
{
    if (ARB_LIKELY(outcome == ARB_READ_OK))
        return ARB_OK;
    return outcome == ARB_READ_MALFORMED ? arb_cast_fail_syntax(call, row, text, error)
                                         : arb_cast_fail_range(call, row, text, error);
}

static arb_code run_to_truth(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        bool value = false;
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_boolean(text, &value), error));
        arb_bitmap_put(call->result->values.bits, row, value);
    }
    return ARB_OK;
}

static arb_code run_to_integer(arb_call *call, arb_error *error)
{
    arb_range range = arb_range_of_type(call->expr->type);
    ARB_CALL_EACH(call, row)
    {
        arb_int128 value = 0;
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_integer(text, range.low, range.high, &value), error));
        arb_cast_put_integer(call->result, row, value);
    }
    return ARB_OK;
}

static arb_code run_to_decimal(arb_call *call, arb_error *error)
{
    arb_type type = call->expr->type;
    ARB_CALL_EACH(call, row)
    {
        arb_int128 value = 0;
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_decimal(text, type.precision, type.scale, &value), error));
        arb_cast_put_integer(call->result, row, value);
    }
    return ARB_OK;
}

static arb_code run_to_double(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_double(text, &call->result->values.f64[row]), error));
    }
    return ARB_OK;
}

static arb_code run_to_real(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_real(text, &call->result->values.f32[row]), error));
    }
    return ARB_OK;
}

static arb_code run_to_date(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_date(text, &call->result->values.i32[row]), error));
    }
    return ARB_OK;
}

static arb_code run_to_time(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_time(text, &call->result->values.i64[row]), error));
    }
    return ARB_OK;
}

/* The zone that a text names moves its time to UTC; a timestamp without zone ignores it, as PostgreSQL does, but it
 * must exist. */
static arb_code apply_zone(arb_call *call, size_t row, arb_str text, const arb_zone_text *zone, arb_error *error)
{
    arb_type type = call->expr->type;
    int64_t unit = type.nanoseconds ? 1000000000 : 1000000, *value = &call->result->values.i64[row];
    int64_t seconds = arb_floor_divide(*value, unit), move = -zone->offset;
    if (zone->name.size != 0) {
        arb_zone *loaded;
        arb_code code = arb_zone_load(zone->name, &loaded, call->try_cast ? NULL : error);
        if (code != ARB_OK && call->try_cast && code != ARB_OUT_OF_MEMORY)
            return arb_cast_fail_syntax(call, row, text, error);
        if (code != ARB_OK)
            return arb_error_at(error, code, call->expr->position);
        move = arb_zone_to_utc(loaded, seconds) - seconds;
        arb_zone_destroy(loaded);
    }
    if (type.id == ARB_TYPE_TIMESTAMPTZ && __builtin_add_overflow(*value, move * unit, value))
        return arb_cast_fail_range(call, row, text, error);
    return ARB_OK;
}

static arb_code run_to_timestamp(arb_call *call, arb_error *error)
{
    arb_type type = call->expr->type;
    ARB_CALL_EACH(call, row)
    {
        arb_zone_text zone;
        arb_str text = arb_call_text(call, 0, row);
        arb_read_result outcome = arb_read_timestamp(text, type.nanoseconds, &call->result->values.i64[row], &zone);
        ARB_TRY(settle(call, row, text, outcome, error));
        if (outcome == ARB_READ_OK && zone.given)
            ARB_TRY(apply_zone(call, row, text, &zone, error));
    }
    return ARB_OK;
}

static arb_code run_to_interval(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        ARB_TRY(settle(call, row, text, arb_read_interval(text, &call->result->values.interval[row]), error));
    }
    return ARB_OK;
}

static arb_code run_to_blob(arb_call *call, arb_error *error)
{
    ARB_CALL_EACH(call, row)
    {
        arb_str text = arb_call_text(call, 0, row);
        size_t size = 0;
        char *room = arb_call_text_room(call, text.size, error);
        if (room == NULL)
            return ARB_OUT_OF_MEMORY;
        ARB_TRY(settle(call, row, text, arb_read_blob(text, room, &size), error));
        arb_call_put_text(call, row, room, size);
    }
    return ARB_OK;
}

static const arb_scalar_implementation from_text[ARB_TYPE_COUNT] = {
    [ARB_TYPE_BOOLEAN] = {.run = run_to_truth},
    [ARB_TYPE_TINYINT] = {.run = run_to_integer},
    [ARB_TYPE_SMALLINT] = {.run = run_to_integer},
    [ARB_TYPE_INTEGER] = {.run = run_to_integer},
    [ARB_TYPE_BIGINT] = {.run = run_to_integer},
    [ARB_TYPE_REAL] = {.run = run_to_real},
    [ARB_TYPE_DOUBLE] = {.run = run_to_double},
    [ARB_TYPE_DECIMAL] = {.run = run_to_decimal},
    [ARB_TYPE_BLOB] = {.run = run_to_blob},
    [ARB_TYPE_DATE] = {.run = run_to_date},
    [ARB_TYPE_TIME] = {.run = run_to_time},
    [ARB_TYPE_TIMESTAMP] = {.run = run_to_timestamp},
    [ARB_TYPE_TIMESTAMPTZ] = {.run = run_to_timestamp},
    [ARB_TYPE_INTERVAL] = {.run = run_to_interval},
};

const arb_scalar_implementation *arb_cast_from_text(arb_type from, arb_type to)
{
    return from.id == ARB_TYPE_VARCHAR && from_text[to.id].run != NULL ? &from_text[to.id] : NULL;
}
