/* listing.c: results that are small tables in memory: SHOW, DESCRIBE, EXPLAIN. */
#include "base/alloc.h"
#include "engine/session_internal.h"

arb_code arb_listing_names_of(const arb_bound_statement *statement, arb_listing_names *out_names, arb_error *error)
{
    static const arb_listing_names tables = {3, {"schema", "name", "kind"}}, schemas = {1, {"schema"}},
                                   settings = {3, {"name", "value", "description"}},
                                   columns = {3, {"column_name", "column_type", "nullable"}}, plan = {1, {"plan"}};
    arb_setting setting;
    *out_names = (arb_listing_names){0};
    if (statement->kind == ARB_BOUND_DESCRIBE)
        *out_names = columns;
    else if (statement->kind == ARB_BOUND_EXPLAIN)
        *out_names = plan;
    if (statement->kind != ARB_BOUND_SHOW)
        return ARB_OK;
    switch (statement->show.what) {
    case ARB_AST_SHOW_TABLES:
        *out_names = tables;
        return ARB_OK;
    case ARB_AST_SHOW_SCHEMAS:
        *out_names = schemas;
        return ARB_OK;
    case ARB_AST_SHOW_ALL:
        *out_names = settings;
        return ARB_OK;
    case ARB_AST_SHOW_SETTING:
        ARB_TRY(arb_setting_find(statement->show.name, &setting, error));
        *out_names = (arb_listing_names){1, {arb_setting_name(setting)}};
        return ARB_OK;
    default:
        return arb_fail(error, ARB_NOT_SUPPORTED, "SHOW FUNCTIONS is not offered yet");
    }
}

arb_code arb_listing_begin(const arb_bound_statement *statement, arb_memory_builder **out_builder, arb_error *error)
{
    arb_listing_names names;
    arb_table_column columns[ARB_LISTING_COLUMNS_MOST] = {0};
    ARB_TRY(arb_listing_names_of(statement, &names, error));
    for (size_t i = 0; i < names.count; i++)
        columns[i] =
            (arb_table_column){.name = arb_str_of(names.names[i]), .type = ARB_TYPE(VARCHAR), .nullable = true};
    return arb_memory_builder_create(ARB_STR("listing"), columns, names.count, NULL, out_builder, error);
}

arb_code arb_listing_row(arb_memory_builder *builder, const arb_str *texts, size_t count, arb_error *error)
{
    arb_value values[ARB_LISTING_COLUMNS_MOST];
    assert(count <= ARB_COUNT_OF(values));
    for (size_t i = 0; i < count; i++)
        values[i] = (arb_value){.type = ARB_TYPE(VARCHAR), .is_null = texts[i].data == NULL, .text = texts[i]};
    return arb_memory_builder_append_row(builder, values, error);
}

static arb_code read_listing(arb_result *result, arb_error *error)
{
    const arb_table *table = result->listing;
    arb_scan_column *columns = ARB_ARENA_ARRAY(&result->arena, arb_scan_column, table->column_count);
    arb_str *names = ARB_ARENA_ARRAY(&result->arena, arb_str, table->column_count);
    arb_type *types = ARB_ARENA_ARRAY(&result->arena, arb_type, table->column_count);
    if (columns == NULL || names == NULL || types == NULL)
        return arb_fail_memory(error, "a listing", table->column_count * sizeof *columns);
    for (size_t i = 0; i < table->column_count; i++) {
        names[i] = table->columns[i].name;
        types[i] = table->columns[i].type;
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(types[i])};
    }
    result->columns = (arb_result_columns){true, table->column_count, names, types};
    result->listing_request = (arb_scan_request){.column_count = (uint32_t)table->column_count, .columns = columns};
    return table->files[0]->vtable->reader_create(table->files[0], &result->listing_request, &result->listing_reader,
                                                  error);
}

arb_code arb_listing_finish(arb_result *result, arb_memory_builder *builder, arb_error *error)
{
    arb_code code = arb_memory_builder_finish(builder, &result->listing, error);
    arb_memory_builder_destroy(builder);
    return code == ARB_OK ? read_listing(result, error) : code;
}

arb_code arb_listing_next(arb_result *result, const arb_batch **out_batch, arb_error *error)
{
    const arb_table_file *file = result->listing->files[0];
    arb_split_reader *reader = result->listing_reader;
    *out_batch = NULL;
    for (;;) {
        if (result->listing_split > 0)
            ARB_TRY(arb_split_reader_next(reader, out_batch, error));
        if (*out_batch != NULL || result->listing_split == file->split_count)
            return ARB_OK;
        ARB_TRY(reader->vtable->begin(reader, &file->splits[result->listing_split++], error));
    }
}

void arb_listing_reset(arb_result *result)
{
    if (result->listing_reader != NULL)
        result->listing_reader->vtable->destroy(result->listing_reader);
    result->listing_reader = NULL;
    arb_table_unref(result->listing);
    result->listing = NULL;
}
