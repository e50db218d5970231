/* binder_insert.c: INSERT and COPY. Rows for a table come as a plan that has exactly the table's columns. */
#include "sql/binder_option.h"

static arb_code find_table(arb_binder *b, const arb_ast_names *name, arb_table **out, arb_catalog_name *out_name)
{
    arb_relation relation;
    arb_ast_span span = name->data[0].span;
    ARB_TRY(arb_bind_catalog_name(b, name, out_name));
    arb_code code = arb_catalog_find(b->catalog, b->arena, *out_name, &relation, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, span));
    if (relation.view != NULL)
        return arb_bind_fail(b, span, ARB_WRONG_OBJECT_TYPE, "\"%.*s\" is a view", ARB_STR_ARGS(relation.view->name));
    *out = relation.table;
    return ARB_OK;
}

static arb_code find_column(arb_binder *b, const arb_table *table, const arb_ast_name *name, size_t *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (arb_name_matches(name, table->columns[i].name)) {
            *out = i;
            return ARB_OK;
        }
    }
    return arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "table \"%.*s\" has no column \"%.*s\"",
                         ARB_STR_ARGS(table->name), ARB_STR_ARGS(name->text));
}

/* Where the values of a query go. */
typedef struct targets {
    arb_table *table;
    size_t count;
    size_t *columns; /* of the table */
    bool named;      /* the statement gives them */
} targets;

static arb_code make_targets(arb_binder *b, const arb_ast_names *names, targets *t)
{
    t->named = names->size != 0;
    t->count = t->named ? names->size : t->table->column_count;
    t->columns = ARB_ARENA_ARRAY(b->arena, size_t, t->count);
    ARB_MADE(b, t->columns);
    for (size_t i = 0; i < t->count; i++) {
        t->columns[i] = i;
        if (!t->named)
            continue;
        ARB_TRY(find_column(b, t->table, &names->data[i], &t->columns[i]));
        for (size_t k = 0; k < i; k++) {
            if (t->columns[k] == t->columns[i])
                return arb_bind_fail(b, names->data[i].span, ARB_DUPLICATE_COLUMN,
                                     "column \"%.*s\" is given more than once", ARB_STR_ARGS(names->data[i].text));
        }
    }
    return ARB_OK;
}

/* INSERT … BY NAME: the query's column names say where they go. */
static arb_code targets_by_name(arb_binder *b, const arb_bound_query *query, arb_ast_span span, targets *t)
{
    arb_ast_names names = {0};
    for (size_t i = 0; i < query->count; i++)
        ARB_PUSH(b, &names, (arb_ast_name){.text = query->columns[i].name, .span = span});
    return make_targets(b, &names, t);
}

/* The table's columns, in order: what the query gives for it, or NULL. */
static arb_code fill_table(arb_binder *b, const targets *t, arb_bound_query *query, arb_ast_span span)
{
    size_t count = t->table->column_count;
    arb_output *outputs = ARB_ARENA_ARRAY(b->arena, arb_output, count);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, count);
    ARB_MADE_IF(b, outputs != NULL && types != NULL);
    if (query->count > t->count || (t->named && query->count < t->count))
        return arb_bind_fail(b, span, ARB_SYNTAX, "%zu value%s for %zu column%s", query->count,
                             query->count == 1 ? "" : "s", t->count, t->count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        outputs[i].name = t->table->columns[i].name;
        types[i] = t->table->columns[i].type;
        ARB_TRY(arb_bind_constant(b, arb_value_null(types[i]), span, &outputs[i].expr));
    }
    for (size_t i = 0; i < query->count; i++) {
        size_t at = t->columns[i];
        ARB_TRY(arb_bind_assign(b, query->columns[i].expr, types[at], outputs[at].name, &outputs[at].expr));
    }
    query->columns = outputs;
    query->count = count;
    return arb_bind_outputs(b, query, types);
}

static arb_code bind_rows(arb_binder *b, const arb_ast_insert *insert, targets *t, arb_bound_query *query)
{
    if (insert->query == NULL) {
        query->plan = arb_logical_one_row(b->query);
        ARB_MADE(b, query->plan);
        return ARB_OK;
    }
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, t->count);
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, t->count);
    ARB_MADE_IF(b, types != NULL && names != NULL);
    for (size_t i = 0; i < t->count; i++) {
        types[i] = t->table->columns[t->columns[i]].type;
        names[i] = t->table->columns[t->columns[i]].name;
    }
    arb_query_request request = {.expected = types, .expected_names = names, .expected_count = t->count};
    if (insert->by_name)
        request = (arb_query_request){.keep_untyped = true};
    return arb_bind_query(b, insert->query, NULL, NULL, &request, query);
}

arb_code arb_bind_insert(arb_binder *b, const arb_ast_insert *insert, arb_bound_statement *out)
{
    targets t = {0};
    arb_bound_query query = {0};
    out->kind = ARB_BOUND_INSERT;
    ARB_TRY(find_table(b, &insert->table, &t.table, &out->insert.name));
    out->insert.table = t.table;
    ARB_TRY(make_targets(b, &insert->columns, &t));
    ARB_TRY(bind_rows(b, insert, &t, &query));
    if (insert->by_name)
        ARB_TRY(targets_by_name(b, &query, insert->base.span, &t));
    if (insert->query == NULL)
        t.named = false;
    ARB_TRY(fill_table(b, &t, &query, insert->query != NULL ? insert->query->span : insert->base.span));
    return arb_bind_finish_plan(b, &query, &out->plan);
}

/* ---- COPY --------------------------------------------------------------------------------------------------------- */
/* A CSV file is read with the names and types of the columns that it goes to. */
static arb_code say_columns(arb_binder *b, const targets *t, arb_csv_options *csv)
{
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, t->count);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, t->count);
    ARB_MADE_IF(b, names != NULL && types != NULL);
    for (size_t i = 0; i < t->count; i++) {
        names[i] = t->table->columns[t->columns[i]].name;
        types[i] = t->table->columns[t->columns[i]].type;
    }
    csv->column_count = t->count;
    csv->names = names;
    csv->types = types;
    return ARB_OK;
}

static arb_code bind_copied_files(arb_binder *b, const arb_ast_copy *copy, const targets *t, arb_file_set *out)
{
    arb_option_list options;
    arb_file_options *read;
    arb_str format = copy->format.text;
    *out = (arb_file_set){.paths = &copy->path.text, .path_count = 1};
    ARB_TRY(arb_list_options(b, &copy->options, &options));
    ARB_TRY(arb_take_format_option(b, &options, &format));
    ARB_TRY(arb_bind_file_format(b, format, copy->base.span, &out->format));
    const arb_file_formats *formats = arb_catalog_formats(b->catalog);
    if (out->format == NULL)
        out->format = arb_file_format_of_path(formats, copy->path.text, NULL);
    if (out->format == NULL)
        out->format = arb_file_format_find(formats, ARB_STR("csv"));
    bool csv = out->format != NULL && arb_file_format_is_csv(out->format);
    ARB_TRY(arb_bind_file_options(b, csv ? "COPY from CSV" : "COPY from other files than CSV",
                                  csv ? ARB_READING_CSV : 0, &options, &read));
    if (read == NULL && (read = ARB_ARENA_NEW(b->arena, arb_file_options)) == NULL)
        return arb_bind_out_of_memory(b);
    read->hive = ARB_HIVE_NO;
    out->options = read;
    return csv ? say_columns(b, t, &read->csv) : ARB_OK;
}

/* The file is read as a table, whose columns go to the target's in order. */
static arb_code bind_copy_from(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out)
{
    targets t = {0};
    arb_bound_query query = {0};
    arb_file_set files;
    arb_relation relation;
    if (copy->console)
        return arb_bind_fail(b, copy->base.span, ARB_NOT_SUPPORTED, "COPY FROM STDIN is not supported");
    out->kind = ARB_BOUND_INSERT;
    ARB_TRY(find_table(b, &copy->table, &t.table, &out->insert.name));
    out->insert.table = t.table;
    ARB_TRY(make_targets(b, &copy->columns, &t));
    ARB_TRY(bind_copied_files(b, copy, &t, &files));
    arb_code code = arb_catalog_find_files(b->catalog, b->arena, &files, &relation, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, copy->path.span));
    ARB_TRY(arb_bind_scan(b, relation.table, relation.table->name, &query));
    t.named = true;
    ARB_TRY(fill_table(b, &t, &query, copy->path.span));
    return arb_bind_finish_plan(b, &query, &out->plan);
}

/* COPY t (a, b) TO …: as SELECT a, b FROM t. */
static arb_code bind_table_rows(arb_binder *b, const arb_ast_copy *copy, arb_logical_plan *out)
{
    arb_ast_from from = {.kind = ARB_AST_FROM_TABLE, .span = copy->table.data[0].span, .table = copy->table};
    const arb_ast_from *items[] = {&from};
    arb_ast_star star = {.base = {.kind = ARB_AST_STAR, .span = from.span}};
    arb_ast_select select = {.from = {.data = items, .size = 1}};
    arb_ast_query query = {.kind = ARB_AST_QUERY_SELECT, .span = copy->base.span, .select = &select};
    if (copy->columns.size == 0)
        ARB_PUSH(b, &select.items, (arb_ast_item){.expr = &star.base});
    for (size_t i = 0; i < copy->columns.size; i++) {
        arb_ast_column *column = ARB_ARENA_NEW(b->arena, arb_ast_column);
        ARB_MADE(b, column);
        column->base = (arb_ast_expr){.kind = ARB_AST_COLUMN, .span = copy->columns.data[i].span};
        ARB_PUSH(b, &column->parts, copy->columns.data[i]);
        ARB_PUSH(b, &select.items, (arb_ast_item){.expr = &column->base});
    }
    return arb_bind_plan(b, &query, out);
}

static arb_code bind_partitions(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out)
{
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, copy->partitioned_by.size);
    ARB_MADE(b, names);
    for (size_t i = 0; i < copy->partitioned_by.size; i++) {
        const arb_ast_name *name = &copy->partitioned_by.data[i];
        for (size_t k = 0; k < out->plan.column_count && names[i].data == NULL; k++) {
            if (arb_name_matches(name, out->plan.names[k]))
                names[i] = out->plan.names[k];
        }
        if (names[i].data == NULL)
            return arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "column \"%.*s\" is not among those copied",
                                 ARB_STR_ARGS(name->text));
    }
    out->copy.partition_count = copy->partitioned_by.size;
    out->copy.partitions = names;
    return ARB_OK;
}

arb_code arb_bind_copy(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out)
{
    if (copy->from)
        return bind_copy_from(b, copy, out);
    out->kind = ARB_BOUND_COPY_TO;
    if (copy->query != NULL)
        ARB_TRY(arb_bind_plan(b, copy->query, &out->plan));
    else
        ARB_TRY(bind_table_rows(b, copy, &out->plan));
    ARB_TRY(bind_partitions(b, copy, out));
    return arb_bind_write_options(b, copy, out);
}
