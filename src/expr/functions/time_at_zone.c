/* time_at_zone.c: timezone(zone, x), which is x AT TIME ZONE zone: the local time there of a timestamp with time zone,
 * and the other way round. A thread keeps the zone that it loaded last. */
#include "base/alloc.h"
#include "columnar/calendar.h"
#include "expr/function_row.h"
#include "kernels/time_zone.h"

typedef struct zone_state {
    arb_zone *zone; /* NULL: none loaded yet */
    arb_text name;
} zone_state;

static void release_zone(void *state)
{
    zone_state *own = state;
    arb_zone_destroy(own->zone);
    arb_text_reset(&own->name);
    arb_free(own);
}

static arb_code prepare_zone(const arb_expr *expr, void **out_state, arb_error *error)
{
    (void)expr;
    *out_state = arb_alloc_zeroed(sizeof(zone_state));
    return *out_state != NULL ? ARB_OK : arb_fail_memory(error, "a time zone", sizeof(zone_state));
}

static arb_code take_zone(arb_call *call, size_t row, arb_error *error)
{
    zone_state *own = call->state;
    arb_str name = arb_call_text(call, 0, row);
    if (own->zone != NULL && arb_str_equal(arb_text_view(&own->name), name))
        return ARB_OK;
    arb_zone_destroy(own->zone);
    own->zone = NULL;
    arb_text_clear(&own->name);
    arb_text_append_str(&own->name, name);
    ARB_TRY(arb_text_check(&own->name, error));
    arb_code code = arb_zone_load(name, &own->zone, error);
    return code == ARB_OK ? ARB_OK : arb_error_at(error, code, call->expr->position);
}

static arb_code move_rows(arb_call *call, bool to_utc, arb_error *error)
{
    const zone_state *own = call->state;
    int64_t unit = call->expr->type.nanoseconds ? 1000000000 : 1000000;
    ARB_CALL_EACH(call, row)
    {
        ARB_TRY(take_zone(call, row, error));
        int64_t value = ARB_CALL_GET(call, 1, i64, row), seconds = arb_floor_divide(value, unit);
        int64_t move = to_utc ? arb_zone_to_utc(own->zone, seconds) - seconds : arb_zone_offset(own->zone, seconds);
        if (__builtin_add_overflow(value, move * unit, &call->result->values.i64[row]))
            return arb_call_fail(call, error, ARB_DATETIME_OVERFLOW, "timestamp out of range");
    }
    return ARB_OK;
}

static arb_code run_to_local(arb_call *call, arb_error *error)
{
    return move_rows(call, false, error);
}

static arb_code run_to_utc(arb_call *call, arb_error *error)
{
    return move_rows(call, true, error);
}

static const arb_scalar_implementation to_local_run = {
    .prepare = prepare_zone, .release = release_zone, .run = run_to_local};
static const arb_scalar_implementation to_utc_run = {
    .prepare = prepare_zone, .release = release_zone, .run = run_to_utc};

/* A literal without a type, and a date, is a timestamp with time zone: it stands first. */
static const arb_function_row rows[] = {
    ARB_SCALAR_ROW("timezone", 2, 2, "tZ>T", &to_local_run),
    ARB_SCALAR_ROW("timezone", 2, 2, "tT>Z", &to_utc_run),
};
ARB_FUNCTION_TABLE(arb_functions_time_at_zone, rows);
