/* binder_create.c: CREATE TABLE, CREATE EXTERNAL TABLE, CREATE VIEW. */
#include "sql/binder_option.h"

static arb_catalog_existing existing(bool or_replace, bool if_not_exists)
{
    return or_replace ? ARB_EXISTING_REPLACE : if_not_exists ? ARB_EXISTING_KEEP : ARB_EXISTING_FAIL;
}

static arb_code fail_twice(arb_binder *b, arb_str name, arb_ast_span span)
{
    return arb_bind_fail(b, span, ARB_DUPLICATE_COLUMN, "column \"%.*s\" is given more than once", ARB_STR_ARGS(name));
}

static arb_code refuse_constraint(arb_binder *b, const char *what, arb_ast_span span)
{
    (void)arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "%s is not supported", what);
    arb_error_hint(b->error, "a table's constraints are NOT NULL, PRIMARY KEY and UNIQUE");
    return ARB_NOT_SUPPORTED;
}

static arb_code check_definition(arb_binder *b, const arb_ast_column_definition *column)
{
    if (column->default_value != NULL)
        return refuse_constraint(b, "DEFAULT", column->default_value->span);
    return column->check != NULL ? refuse_constraint(b, "CHECK", column->check->span) : ARB_OK;
}

static arb_code bind_columns(arb_binder *b, const arb_ast_column_definitions *definitions, arb_table_column **out)
{
    arb_table_column *columns = ARB_ARENA_ARRAY(b->arena, arb_table_column, definitions->size);
    ARB_MADE(b, columns);
    for (size_t i = 0; i < definitions->size; i++) {
        const arb_ast_column_definition *definition = &definitions->data[i];
        ARB_TRY(check_definition(b, definition));
        for (size_t k = 0; k < i; k++) {
            if (arb_str_equal_nocase(columns[k].name, definition->name.text))
                return fail_twice(b, definition->name.text, definition->name.span);
        }
        columns[i].name = definition->name.text;
        columns[i].nullable = !definition->not_null && !definition->primary_key;
        if (definition->type == NULL)
            return arb_bind_fail(b, definition->name.span, ARB_SYNTAX, "column \"%.*s\" needs a type",
                                 ARB_STR_ARGS(definition->name.text));
        ARB_TRY(arb_bind_type(b, definition->type, &columns[i].type, NULL));
    }
    *out = columns;
    return ARB_OK;
}

static arb_code add_key(arb_binder *b, arb_table_key *keys, size_t *count, const uint32_t *columns, size_t column_count)
{
    uint32_t *copy = ARB_ARENA_ARRAY(b->arena, uint32_t, column_count + 1);
    ARB_MADE(b, copy);
    memcpy(copy, columns, column_count * sizeof *copy);
    keys[(*count)++] = (arb_table_key){column_count, copy};
    return ARB_OK;
}

/* PRIMARY KEY (a, b): its columns cannot be NULL. */
static arb_code bind_primary_key(arb_binder *b, const arb_ast_names *names, arb_table_column *columns, size_t count,
                                 arb_table_key *keys, size_t *key_count)
{
    uint32_t *places = ARB_ARENA_ARRAY(b->arena, uint32_t, names->size + 1);
    ARB_MADE(b, places);
    for (size_t i = 0; i < names->size; i++) {
        const arb_ast_name *name = &names->data[i];
        uint32_t at = 0;
        while (at < count && !arb_str_equal_nocase(columns[at].name, name->text))
            at++;
        if (at == count)
            return arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "column \"%.*s\" of the key does not exist",
                                 ARB_STR_ARGS(name->text));
        columns[at].nullable = false;
        places[i] = at;
    }
    return add_key(b, keys, key_count, places, names->size);
}

static arb_code bind_keys(arb_binder *b, const arb_ast_create_table *create, arb_table_column *columns,
                          arb_bound_statement *out)
{
    size_t count = 0;
    arb_table_key *keys = ARB_ARENA_ARRAY(b->arena, arb_table_key, create->columns.size + 1);
    ARB_MADE(b, keys);
    for (uint32_t i = 0; i < create->columns.size; i++)
        if (create->columns.data[i].primary_key || create->columns.data[i].unique)
            ARB_TRY(add_key(b, keys, &count, &i, 1));
    if (create->primary_key.size != 0)
        ARB_TRY(bind_primary_key(b, &create->primary_key, columns, create->columns.size, keys, &count));
    out->create_table.keys = keys;
    out->create_table.key_count = count;
    return ARB_OK;
}

/* CREATE TABLE t(a, b) AS: names alone. */
static arb_code rename_columns(arb_binder *b, const arb_ast_create_table *create, arb_bound_query *query)
{
    arb_ast_names names = {0};
    for (size_t i = 0; i < create->columns.size; i++) {
        const arb_ast_column_definition *column = &create->columns.data[i];
        if (column->type != NULL)
            return arb_bind_fail(b, column->type->span, ARB_SYNTAX, "CREATE TABLE … AS takes its types from the query");
        if (column->not_null || column->primary_key || column->unique)
            return arb_bind_fail(b, column->name.span, ARB_SYNTAX, "CREATE TABLE … AS takes names alone");
        ARB_TRY(check_definition(b, column));
        ARB_PUSH(b, &names, column->name);
    }
    return arb_bind_rename(b, query, &names, create->name.data[create->name.size - 1].text, create->base.span);
}

static arb_code bind_table_as(arb_binder *b, const arb_ast_create_table *create, arb_bound_statement *out)
{
    arb_bound_query query;
    ARB_TRY(arb_bind_query(b, create->query, NULL, NULL, &(arb_query_request){0}, &query));
    ARB_TRY(rename_columns(b, create, &query));
    arb_table_column *columns = ARB_ARENA_ARRAY(b->arena, arb_table_column, query.count);
    ARB_MADE(b, columns);
    for (size_t i = 0; i < query.count; i++) {
        columns[i] =
            (arb_table_column){.name = query.columns[i].name, .type = query.columns[i].expr->type, .nullable = true};
        for (size_t k = 0; k < i; k++) {
            if (arb_str_equal_nocase(columns[k].name, columns[i].name))
                return fail_twice(b, columns[i].name, create->base.span);
        }
    }
    out->create_table.column_count = query.count;
    out->create_table.columns = columns;
    return arb_bind_finish_plan(b, &query, &out->plan);
}

arb_code arb_bind_create_table(arb_binder *b, const arb_ast_create_table *create, arb_bound_statement *out)
{
    out->kind = ARB_BOUND_CREATE_TABLE;
    out->create_table.target.existing = existing(create->or_replace, create->if_not_exists);
    out->create_table.target.temporary = create->temporary;
    out->create_table.with_no_data = create->with_no_data;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_table.target.name));
    if (create->checks.size != 0)
        return refuse_constraint(b, "CHECK", create->checks.data[0]->span);
    if (create->options.size != 0)
        return arb_bind_fail(b, create->options.data[0].name.span, ARB_NOT_SUPPORTED,
                             "option \"%.*s\" of CREATE TABLE is not supported",
                             ARB_STR_ARGS(create->options.data[0].name.text));
    if (create->query != NULL && create->primary_key.size != 0)
        return refuse_constraint(b, "PRIMARY KEY of CREATE TABLE … AS", create->primary_key.data[0].span);
    if (create->query != NULL)
        return bind_table_as(b, create, out);
    arb_table_column *columns;
    ARB_TRY(bind_columns(b, &create->columns, &columns));
    out->create_table.column_count = create->columns.size;
    out->create_table.columns = columns;
    return bind_keys(b, create, columns, out);
}

/* Names and types of a CSV file's columns. What they promise is not relied upon. */
static arb_code bind_external_columns(arb_binder *b, const arb_ast_create_external *create, arb_csv_options *csv)
{
    arb_table_column *columns;
    size_t count = create->columns.size;
    ARB_TRY(bind_columns(b, &create->columns, &columns));
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, count);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, count);
    ARB_MADE_IF(b, names != NULL && types != NULL);
    for (size_t i = 0; i < count; i++) {
        const arb_ast_column_definition *definition = &create->columns.data[i];
        if (definition->primary_key || definition->unique)
            return refuse_constraint(b, "a key of an external table", definition->name.span);
        names[i] = columns[i].name;
        types[i] = columns[i].type;
    }
    csv->column_count = count;
    csv->names = names;
    csv->types = types;
    return ARB_OK;
}

/* PARTITIONED BY (a, b INTEGER): folders that must be there, possibly with their types. */
static arb_code bind_folders(arb_binder *b, const arb_ast_create_external *create, arb_file_options *options)
{
    size_t count = create->partitioned_by.size;
    arb_csv_column_type *folders = ARB_ARENA_ARRAY(b->arena, arb_csv_column_type, count);
    ARB_MADE(b, folders);
    for (size_t i = 0; i < count; i++) {
        const arb_ast_column_definition *definition = &create->partitioned_by.data[i];
        folders[i].name = definition->name.text;
        folders[i].type = ARB_TYPE(NULL); /* what the values suggest */
        if (definition->type != NULL)
            ARB_TRY(arb_bind_type(b, definition->type, &folders[i].type, NULL));
    }
    options->hive = ARB_HIVE_YES;
    options->hive_types = folders;
    options->hive_type_count = count;
    return ARB_OK;
}

/* 'format.has_header' is the option has_header. */
static void drop_prefixes(arb_option_list *options)
{
    for (size_t i = 0; i < options->size; i++) {
        arb_str *name = &options->data[i].name;
        const char *dot = memchr(name->data, '.', name->size);
        arb_str prefix = {name->data, dot == NULL ? 0 : (size_t)(dot - name->data)};
        if (arb_str_equal_nocase(prefix, ARB_STR("format")) || arb_str_equal_nocase(prefix, ARB_STR("csv")))
            *name = (arb_str){dot + 1, name->size - prefix.size - 1};
    }
}

static arb_code bind_external_files(arb_binder *b, const arb_ast_create_external *create, arb_file_set *out)
{
    arb_option_list options;
    arb_file_options *read;
    *out = (arb_file_set){.paths = &create->location.text, .path_count = 1};
    ARB_TRY(arb_bind_file_format(b, create->format.text, create->format.span, &out->format));
    ARB_TRY(arb_list_options(b, &create->options, &options));
    drop_prefixes(&options);
    const arb_file_format *format = out->format;
    if (format == NULL)
        format = arb_file_format_of_path(arb_catalog_formats(b->catalog), create->location.text, NULL);
    bool csv = format != NULL && arb_file_format_is_csv(format);
    ARB_TRY(arb_bind_file_options(b, csv ? "an external table of CSV files" : "an external table",
                                  csv ? ARB_READING_CSV | ARB_READING_COLUMNS | ARB_READING_FILES : ARB_READING_FILES,
                                  &options, &read));
    if (read == NULL && (create->columns.size != 0 || create->partitioned_by.size != 0)) {
        read = ARB_ARENA_NEW(b->arena, arb_file_options);
        ARB_MADE(b, read);
    }
    out->options = read;
    if (create->columns.size != 0 && !csv)
        return arb_bind_fail(b, create->columns.data[0].name.span, ARB_NOT_SUPPORTED,
                             "an external table's columns are those of its files: leave the list out");
    if (create->columns.size != 0)
        ARB_TRY(bind_external_columns(b, create, &read->csv));
    return create->partitioned_by.size != 0 ? bind_folders(b, create, read) : ARB_OK;
}

arb_code arb_bind_create_external(arb_binder *b, const arb_ast_create_external *create, arb_bound_statement *out)
{
    out->kind = ARB_BOUND_CREATE_EXTERNAL;
    out->create_external.target.existing = existing(create->or_replace, create->if_not_exists);
    out->create_external.target.temporary = create->temporary;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_external.target.name));
    return bind_external_files(b, create, &out->create_external.files);
}

/* Bound as it will be when the view is used. */
static arb_code bind_view_query(arb_binder *b, const arb_ast_query *syntax, const arb_catalog_target *target,
                                arb_bound_query *out)
{
    arb_view view = {.searched = arb_catalog_scope_schema(b->catalog),
                     .temporary = arb_catalog_target_is_temporary(target)};
    const arb_view *before = arb_catalog_scope_enter(b->catalog, &view);
    arb_code code = arb_bind_query(b, syntax, NULL, NULL, &(arb_query_request){0}, out);
    (void)arb_catalog_scope_enter(b->catalog, before);
    return code;
}

/* The query is bound to see that it can be; what is kept is its text. */
arb_code arb_bind_create_view(arb_binder *b, const arb_ast_create_view *create, arb_bound_statement *out)
{
    arb_bound_query query;
    arb_str *columns = ARB_ARENA_ARRAY(b->arena, arb_str, create->columns.size);
    ARB_MADE(b, columns);
    out->kind = ARB_BOUND_CREATE_VIEW;
    out->create_view.target.existing = existing(create->or_replace, create->if_not_exists);
    out->create_view.target.temporary = create->temporary;
    ARB_TRY(arb_bind_catalog_name(b, &create->name, &out->create_view.target.name));
    b->parameters = NULL; /* the text is kept, their values would not be */
    ARB_TRY(bind_view_query(b, create->query, &out->create_view.target, &query));
    ARB_TRY(
        arb_bind_rename(b, &query, &create->columns, create->name.data[create->name.size - 1].text, create->base.span));
    for (size_t i = 0; i < create->columns.size; i++)
        columns[i] = create->columns.data[i].text;
    out->create_view.view = (arb_view){
        .sql = arb_bind_text(b, create->query->span), .column_count = create->columns.size, .columns = columns};
    return ARB_OK;
}
