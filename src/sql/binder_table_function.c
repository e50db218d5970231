/* binder_table_function.c: calls in FROM: files by function (read_parquet('…')), and series of numbers. */
#include "catalog/series_table.h"
#include "sql/binder_option.h"

/* ---- files -------------------------------------------------------------------------------------------------------- */
static const struct file_function {
    const char *name;
    const char *format; /* NULL: by suffix */
    uint32_t reading;
} file_functions[] = {
    {"read_csv", "csv", ARB_READING_CSV | ARB_READING_COLUMNS | ARB_READING_FILES},
    {"read_csv_auto", "csv", ARB_READING_CSV | ARB_READING_COLUMNS | ARB_READING_FILES},
    {"read_parquet", "parquet", ARB_READING_FILES},
    {"parquet_scan", "parquet", ARB_READING_FILES},
    {"read_json", "json", ARB_READING_FILES},
    {"read_json_auto", "json", ARB_READING_FILES},
    {"read_ndjson", "json", ARB_READING_FILES},
    {"read_avro", "avro", ARB_READING_FILES},
    {"read_arrow", "arrow", ARB_READING_FILES},
    {"read_ipc", "arrow", ARB_READING_FILES},
};

static const struct file_function *find_file_function(arb_str name)
{
    for (size_t i = 0; i < ARB_COUNT_OF(file_functions); i++)
        if (arb_str_equal_nocase(name, arb_str_of(file_functions[i].name)))
            return &file_functions[i];
    return NULL;
}

/* name => value, or name = value, which is an operation elsewhere; false: no option. */
static bool is_option(const arb_ast_argument *argument, arb_option *out)
{
    const arb_ast_expr *value = argument->value;
    *out = (arb_option){.name = argument->name.text, .span = argument->name.span, .value = value};
    if (argument->name.text.size != 0)
        return true;
    if (value->kind != ARB_AST_OPERATION)
        return false;
    const arb_ast_operation *operation = arb_ast_as_operation(value);
    if (operation->steps.size != 1 || operation->steps.data[0].op != ARB_AST_OP_EQUAL ||
        operation->first->kind != ARB_AST_COLUMN || arb_ast_as_column(operation->first)->parts.size != 1)
        return false;
    *out = (arb_option){.name = arb_ast_as_column(operation->first)->parts.data[0].text,
                        .span = operation->first->span,
                        .value = operation->steps.data[0].operand};
    return true;
}

/* A path, or a list of them. */
static arb_code bind_paths(arb_binder *b, const arb_ast_expr *syntax, arb_file_set *set)
{
    const arb_ast_expr *const one[] = {syntax};
    const arb_ast_expr *const *paths = one;
    size_t count = 1;
    if (syntax->kind == ARB_AST_LIST) {
        paths = (const arb_ast_expr *const *)arb_ast_as_list(syntax)->elements.data;
        count = arb_ast_as_list(syntax)->elements.size;
    }
    arb_str *texts = ARB_ARENA_ARRAY(b->arena, arb_str, count + 1);
    ARB_MADE(b, texts);
    for (size_t i = 0; i < count; i++) {
        arb_value path;
        ARB_TRY(arb_bind_constant_value(b, paths[i], "the path", ARB_TYPE(VARCHAR), &path));
        if (path.is_null)
            return arb_bind_fail(b, paths[i]->span, ARB_NULL_NOT_ALLOWED, "the path must not be NULL");
        texts[i] = path.text;
    }
    set->paths = texts;
    set->path_count = count;
    return ARB_OK;
}

static arb_code bind_files(arb_binder *b, const arb_ast_call *call, const struct file_function *function,
                           arb_bound_query *out)
{
    arb_option_list options = {0};
    arb_file_options *read;
    arb_file_set set = {0};
    arb_relation relation;
    const arb_ast_expr *paths = NULL;
    for (size_t i = 0; i < call->arguments.size; i++) {
        arb_option option;
        if (is_option(&call->arguments.data[i], &option)) {
            ARB_PUSH(b, &options, option);
        } else if (paths != NULL) {
            (void)arb_bind_fail(b, option.value->span, ARB_UNDEFINED_FUNCTION, "a path is needed as the one argument");
            arb_error_hint(b->error, "Several paths are a list: %s(['a', 'b']).", function->name);
            return ARB_UNDEFINED_FUNCTION;
        } else {
            paths = option.value;
        }
    }
    if (paths == NULL)
        return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "a path is needed as the one argument");
    ARB_TRY(bind_paths(b, paths, &set));
    ARB_TRY(arb_bind_file_format(b, arb_str_of(function->format), call->base.span, &set.format));
    ARB_TRY(arb_bind_file_options(b, function->name, function->reading, &options, &read));
    set.options = read;
    /* The suffix .tsv says more than the function does. */
    const arb_file_format *suffix =
        set.path_count != 0 ? arb_file_format_of_path(arb_catalog_formats(b->catalog), set.paths[0], NULL) : NULL;
    if (suffix != NULL && arb_file_format_is_csv(suffix) && arb_file_format_is_csv(set.format))
        set.format = suffix;
    arb_code code = arb_catalog_find_files(b->catalog, b->arena, &set, &relation, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, paths->span));
    return arb_bind_scan(b, relation.table, relation.table->name, out);
}

/* ---- series ------------------------------------------------------------------------------------------------------- */
/* generate_series(stop), (start, stop), (start, stop, step) with the stop, range without it; from 0 when not given. */
static arb_code read_series(arb_binder *b, const arb_ast_call *call, bool inclusive, arb_series *out)
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
    *out = (arb_series){.start = given[0], .step = given[2], .count = (uint64_t)steps};
    return ARB_OK;
}

static arb_code bind_series(arb_binder *b, const arb_ast_call *call, bool inclusive, arb_bound_query *out)
{
    arb_series numbers = {.step = 1};
    arb_table *table;
    arb_str name = inclusive ? ARB_STR("generate_series") : ARB_STR("range");
    ARB_TRY(read_series(b, call, inclusive, &numbers));
    ARB_TRY(arb_series_table_create(name, numbers, &table, b->error));
    ARB_TRY(arb_table_give(table, b->arena, b->error));
    return arb_bind_scan(b, table, name, out);
}

arb_code arb_bind_table_function(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                                 arb_bound_query *out)
{
    const arb_ast_call *call = from->call;
    arb_str name = call->name.data[call->name.size - 1].text;
    (void)context;
    const struct file_function *files = find_file_function(name);
    if (files != NULL)
        return bind_files(b, call, files, out);
    if (arb_str_equal_nocase(name, ARB_STR("generate_series")))
        return bind_series(b, call, true, out);
    if (arb_str_equal_nocase(name, ARB_STR("range")))
        return bind_series(b, call, false, out);
    if (arb_str_equal_nocase(name, ARB_STR("unnest")))
        return arb_bind_fail(b, call->base.span, ARB_NOT_SUPPORTED, "unnest is not supported");
    return arb_bind_fail(b, call->base.span, ARB_UNDEFINED_FUNCTION, "there is no table function \"%.*s\"",
                         ARB_STR_ARGS(name));
}
