/* time_format.c: times by patterns: to_char, to_date, to_timestamp(text, template), strftime, strptime. A thread keeps the
 * pattern that it took apart last. Timestamps with time zone are shown in UTC. */
#include "base/alloc.h"
#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/time_pattern.h"

typedef struct format_state {
    arb_time_pattern pattern;
    arb_text text; /* the pattern's */
    arb_text built;
    bool ready;
} format_state;

static void release_format(void *state)
{
    format_state *own = state;
    arb_time_pattern_reset(&own->pattern);
    arb_text_reset(&own->text);
    arb_text_reset(&own->built);
    arb_free(own);
}

static arb_code prepare_format(const arb_expr *expr, void **out_state, arb_error *error)
{
    (void)expr;
    *out_state = arb_alloc_zeroed(sizeof(format_state));
    return *out_state != NULL ? ARB_OK : arb_fail_memory(error, "a time pattern", sizeof(format_state));
}

static arb_code take_pattern(arb_call *call, size_t row, bool is_template, arb_error *error)
{
    format_state *own = call->state;
    arb_str text = arb_call_text(call, 1, row);
    if (own->ready && arb_str_equal(arb_text_view(&own->text), text))
        return ARB_OK;
    own->ready = false;
    arb_time_pattern_reset(&own->pattern);
    arb_text_clear(&own->text);
    arb_text_append_str(&own->text, text);
    ARB_TRY(arb_text_check(&own->text, error));
    arb_code code = is_template ? arb_time_pattern_of_template(arb_text_view(&own->text), &own->pattern, error)
                                : arb_time_pattern_of_format(arb_text_view(&own->text), &own->pattern, error);
    if (code != ARB_OK)
        return arb_error_at(error, code, call->expr->position);
    own->ready = true;
    return ARB_OK;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

static arb_code write_rows(arb_call *call, bool is_template, arb_error *error)
{
    format_state *own = call->state;
    arb_type type = call->expr->children[0]->type;
    int64_t unit = type.nanoseconds ? 1000 : 1;
    arb_str zone = type.id == ARB_TYPE_TIMESTAMPTZ ? ARB_STR("UTC") : ARB_STR("");
    ARB_CALL_EACH(call, row)
    {
        int64_t value = ARB_CALL_GET(call, 0, i64, row);
        char *room;
        ARB_TRY(take_pattern(call, row, is_template, error));
        arb_text_clear(&own->built);
        arb_time_pattern_write(&own->pattern, arb_floor_divide(value, unit), (unsigned)arb_floor_modulo(value, unit),
                               zone, &own->built);
        ARB_TRY(arb_text_check(&own->built, error));
        ARB_TRY(arb_call_make_text(call, own->built.size, &room, error));
        if (own->built.size != 0)
            memcpy(room, own->built.data, own->built.size);
        arb_call_put_text(call, row, room, own->built.size);
    }
    return ARB_OK;
}

static arb_code run_to_char(arb_call *call, arb_error *error)
{
    return write_rows(call, true, error);
}

static arb_code run_strftime(arb_call *call, arb_error *error)
{
    return write_rows(call, false, error);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static arb_code fail_reading(const arb_call *call, size_t row, arb_read_result outcome, arb_error *error)
{
    arb_str text = arb_call_text(call, 0, row), pattern = arb_call_text(call, 1, row);
    arb_code code = outcome == ARB_READ_MALFORMED ? ARB_INVALID_DATETIME : ARB_DATETIME_OVERFLOW;
    arb_call_fail(call, error, code,
                  outcome == ARB_READ_MALFORMED ? "\"%.*s\" does not follow the pattern \"%.*s\""
                                                : "date/time field value out of range: \"%.*s\" as \"%.*s\"",
                  ARB_STR_ARGS(text), ARB_STR_ARGS(pattern));
    return code;
}

static arb_code read_rows(arb_call *call, bool is_template, bool null_when_wrong, arb_error *error)
{
    const format_state *own = call->state;
    bool day = call->expr->type.id == ARB_TYPE_DATE;
    ARB_CALL_EACH(call, row)
    {
        int64_t micros;
        ARB_TRY(take_pattern(call, row, is_template, error));
        arb_read_result outcome = arb_time_pattern_read(&own->pattern, arb_call_text(call, 0, row), &micros);
        if (outcome != ARB_READ_OK && null_when_wrong) {
            arb_call_set_null(call, row);
            micros = 0;
        } else if (outcome != ARB_READ_OK) {
            return fail_reading(call, row, outcome, error);
        }
        if (day)
            call->result->values.i32[row] = (int32_t)arb_floor_divide(micros, ARB_MICROS_DAY);
        else
            call->result->values.i64[row] = micros;
    }
    return ARB_OK;
}

static arb_code run_read_template(arb_call *call, arb_error *error)
{
    return read_rows(call, true, false, error);
}

static arb_code run_strptime(arb_call *call, arb_error *error)
{
    return read_rows(call, false, false, error);
}

static arb_code run_try_strptime(arb_call *call, arb_error *error)
{
    return read_rows(call, false, true, error);
}

#define FORMAT(name, run_) \
    static const arb_scalar_implementation name = {.prepare = prepare_format, .release = release_format, .run = (run_)}
FORMAT(to_char_run, run_to_char);
FORMAT(strftime_run, run_strftime);
FORMAT(read_template_run, run_read_template);
FORMAT(strptime_run, run_strptime);
FORMAT(try_strptime_run, run_try_strptime);

static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("to_char", 2, 2, "Tt>t", &to_char_run),
    ARB_SCALAR_ROW("to_char", 2, 2, "Zt>t", &to_char_run),
    ARB_SCALAR_ROW("strftime", 2, 2, "Tt>t", &strftime_run),
    ARB_SCALAR_ROW("strftime", 2, 2, "Zt>t", &strftime_run),
    ARB_SCALAR_ROW("to_date", 2, 2, "tt>D", &read_template_run),
    ARB_SCALAR_ROW("to_timestamp", 2, 2, "tt>Z", &read_template_run),
    ARB_SCALAR_ROW("strptime", 2, 2, "tt>T", &strptime_run),
    ARB_SCALAR_ROW("try_strptime", 2, 2, "tt>T", &try_strptime_run),
};
ARB_FUNCTION_TABLE(arb_functions_time_format, rows);
