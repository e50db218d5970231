/* binder_table_function.c: calls in FROM: files by function (read_parquet('…')), and series of numbers. */
#include "catalog/series_table.h"
#include "sql/binder_internal.h"

/* ---- files -------------------------------------------------------------------------------------------------------- */
static bool reads_files(arb_str name)
{
    static const char *const names[] = {"read_parquet",   "parquet_scan", "read_csv",  "read_csv_auto", "read_json",
                                        "read_json_auto", "read_ndjson",  "read_avro", "read_arrow",    "read_ipc"};
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++) {
        if (arb_str_equal_nocase(name, arb_str_of(names[i])))
            return true;
    }
    return false;
}

static arb_code bind_file(arb_binder *b, const arb_ast_call *call, arb_bound_query *out)
{
    arb_value path;
    arb_relation relation;
    for (size_t i = 0; i < call->arguments.size; i++) {
        const arb_ast_argument *argument = &call->arguments.data[i];
        if (argument->name.text.size != 0)
            return arb_bind_fail(b, argument->name.span, ARB_NOT_SUPPORTED, "option \"%.*s\" is not supported here",
                                 ARB_STR_ARGS(argument->name.text));
    }
    if (call->arguments.size != 1)
        return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "a path is needed as the one argument");
    ARB_TRY(arb_bind_constant_value(b, call->arguments.data[0].value, "the path", ARB_TYPE(VARCHAR), &path));
    if (path.is_null)
        return arb_bind_fail(b, call->base.span, ARB_NULL_NOT_ALLOWED, "the path must not be NULL");
    arb_code code = arb_catalog_find_path(b->catalog, b->arena, path.text, &relation, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, call->arguments.data[0].value->span));
    return arb_bind_scan(b, relation.table, relation.table->name, out);
}

/* ---- series ------------------------------------------------------------------------------------------------------- */
typedef struct series {
    int64_t start, step, count;
} series;

/* generate_series(stop), (start, stop), (start, stop, step) with the stop, range without it; from 0 when not given. */
static arb_code read_series(arb_binder *b, const arb_ast_call *call, bool inclusive, series *out)
{
    int64_t given[3] = {0, 0, 1};
    size_t count = call->arguments.size;
    if (count < 1 || count > ARB_COUNT_OF(given))
        return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "one to three arguments are needed");
    for (size_t i = 0; i < count; i++) {
        arb_value value;
        size_t at = count == 1 ? 1 : i;
        ARB_TRY(arb_bind_constant_value(b, call->arguments.data[i].value, "an argument of a series", ARB_TYPE(BIGINT),
                                        &value));
        if (value.is_null)
            return ARB_OK;
        given[at] = (int64_t)value.integer;
    }
    if (given[2] == 0)
        return arb_bind_fail(b, call->base.span, ARB_INVALID_PARAMETER, "the step must not be zero");
    arb_int128 distance = (arb_int128)given[1] - given[0], step = given[2];
    if (step < 0) {
        distance = -distance;
        step = -step;
    }
    arb_int128 steps = distance < 0 ? 0 : inclusive ? distance / step + 1 : (distance + step - 1) / step;
    if (steps > INT64_MAX)
        return arb_bind_fail(b, call->base.span, ARB_LIMIT_EXCEEDED, "the series has too many numbers");
    *out = (series){.start = given[0], .step = given[2], .count = (int64_t)steps};
    return ARB_OK;
}

static arb_code bind_series(arb_binder *b, const arb_ast_call *call, bool inclusive, arb_bound_query *out)
{
    series numbers = {.step = 1};
    arb_table *table;
    arb_str name = inclusive ? ARB_STR("generate_series") : ARB_STR("range");
    ARB_TRY(read_series(b, call, inclusive, &numbers));
    ARB_TRY(arb_series_table_create(name, numbers.start, numbers.step, (uint64_t)numbers.count, &table, b->error));
    ARB_TRY(arb_table_give(table, b->arena, b->error));
    return arb_bind_scan(b, table, name, out);
}

arb_code arb_bind_table_function(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                                 arb_bound_query *out)
{
    const arb_ast_call *call = from->call;
    arb_str name = call->name.data[call->name.size - 1].text;
    (void)context;
    if (reads_files(name))
        return bind_file(b, call, out);
    if (arb_str_equal_nocase(name, ARB_STR("generate_series")))
        return bind_series(b, call, true, out);
    if (arb_str_equal_nocase(name, ARB_STR("range")))
        return bind_series(b, call, false, out);
    if (arb_str_equal_nocase(name, ARB_STR("unnest")))
        return arb_bind_fail(b, call->base.span, ARB_NOT_SUPPORTED, "unnest is not supported");
    return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "there is no table function \"%.*s\"",
                         ARB_STR_ARGS(name));
}
