/* binder_table_function.c: calls in FROM: files by function (read_parquet('…')), and series of numbers. */
#include "sql/binder_internal.h"

enum { series_part = 1000, series_parts_most = 6 };

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
    int64_t start, stop, step;
    int64_t count;
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
    *out = (series){.start = given[0], .stop = given[1], .step = given[2]};
    if (out->step == 0)
        return arb_bind_fail(b, call->base.span, ARB_INVALID_PARAMETER, "the step must not be zero");
    arb_int128 distance = (arb_int128)out->stop - out->start, step = out->step;
    if (step < 0) {
        distance = -distance;
        step = -step;
    }
    arb_int128 steps = distance < 0 ? 0 : inclusive ? distance / step + 1 : (distance + step - 1) / step;
    arb_int128 most = 1;
    for (int i = 0; i < series_parts_most; i++)
        most *= series_part;
    if (steps > most)
        return arb_bind_fail(b, call->base.span, ARB_LIMIT_EXCEEDED, "the series has too many numbers");
    out->count = (int64_t)steps;
    return ARB_OK;
}

/* The numbers from 0 to count - 1, as many as there are below `part`. */
static arb_code make_numbers(arb_binder *b, size_t count, arb_ast_span span, const arb_logical **out,
                             arb_column_id *out_id)
{
    const arb_expr **cells = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
    ARB_MADE(b, cells);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BIGINT), .integer = (arb_int128)i}, span, &cells[i]));
    ARB_TRY(arb_bind_new_column(b, ARB_STR("number"), ARB_TYPE(BIGINT), false, out_id));
    *out = arb_logical_values(b->query, out_id, 1, cells, count);
    ARB_MADE(b, *out);
    return ARB_OK;
}

static arb_code combine(arb_binder *b, const char *op, const arb_expr *left, int64_t right, arb_ast_span span,
                        const arb_expr **out)
{
    const arb_expr *arguments[2] = {left};
    ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BIGINT), .integer = right}, span, &arguments[1]));
    return arb_bind_function(b, arb_str_of(op), arguments, 2, span, out);
}

/* Long series are products of short ones: number = high * 1000 + low, the last ones cut off by a filter. */
static arb_code multiply_numbers(arb_binder *b, int64_t count, arb_ast_span span, const arb_logical **plan,
                                 const arb_expr **number)
{
    int64_t capacity = series_part;
    while (capacity < count) {
        const arb_logical *low;
        const arb_expr *sides[2];
        arb_column_id id;
        arb_logical *join;
        ARB_TRY(make_numbers(b, series_part, span, &low, &id));
        ARB_TRY(arb_bind_column_expr(b, id, span, &sides[1]));
        ARB_TRY(combine(b, "*", *number, series_part, span, &sides[0]));
        ARB_TRY(arb_bind_function(b, ARB_STR("+"), sides, 2, span, number));
        ARB_TRY(arb_bind_join(b, ARB_JOIN_INNER, *plan, low, NULL, span, &join));
        *plan = join;
        capacity *= series_part;
    }
    const arb_expr *end, *condition;
    ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BIGINT), .integer = count}, span, &end));
    ARB_TRY(arb_bind_compare(b, ARB_LESS, *number, end, span, &condition));
    *plan = arb_logical_filter(b->query, *plan, condition);
    ARB_MADE(b, *plan);
    return ARB_OK;
}

static arb_code bind_series(arb_binder *b, const arb_ast_call *call, bool inclusive, arb_bound_query *out)
{
    series numbers = {0};
    arb_ast_span span = call->base.span;
    const arb_logical *plan;
    const arb_expr *number;
    arb_named_expr item;
    arb_column_id id;
    ARB_TRY(read_series(b, call, inclusive, &numbers));
    int64_t first = numbers.count;
    while (first > series_part)
        first = (first + series_part - 1) / series_part;
    ARB_TRY(make_numbers(b, (size_t)first, span, &plan, &id));
    ARB_TRY(arb_bind_column_expr(b, id, span, &number));
    if (numbers.count > series_part)
        ARB_TRY(multiply_numbers(b, numbers.count, span, &plan, &number));
    if (numbers.step != 1 && numbers.count != 0)
        ARB_TRY(combine(b, "*", number, numbers.step, span, &number));
    if (numbers.start != 0 && numbers.count != 0)
        ARB_TRY(combine(b, "+", number, numbers.start, span, &number));
    arb_str name = inclusive ? ARB_STR("generate_series") : ARB_STR("range");
    ARB_TRY(arb_bind_new_column(b, name, number->type, false, &item.id));
    item.expr = number;
    out->plan = arb_logical_project(b->query, plan, &item, 1);
    out->columns = ARB_ARENA_NEW(b->arena, arb_output);
    out->count = 1;
    ARB_MADE_IF(b, out->plan != NULL && out->columns != NULL);
    out->columns[0].name = name;
    return arb_bind_column_expr(b, item.id, span, &out->columns[0].expr);
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
