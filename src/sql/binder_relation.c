/* binder_relation.c: one item of FROM: a table, a view, a CTE, a file, a subquery. Each gives a query's columns, which
 * then get the item's alias and column names. */
#include "sql/binder_internal.h"
#include "sql/parser.h"

arb_code arb_bind_catalog_name(arb_binder *b, const arb_ast_names *names, arb_catalog_name *out)
{
    arb_catalog_part *parts = ARB_ARENA_ARRAY(b->arena, arb_catalog_part, names->size);
    ARB_MADE(b, parts);
    for (size_t i = 0; i < names->size; i++)
        parts[i] = (arb_catalog_part){.text = names->data[i].text, .quoted = names->data[i].quoted};
    *out = (arb_catalog_name){.parts = parts, .count = names->size};
    return ARB_OK;
}

arb_code arb_bind_scan(arb_binder *b, arb_table *table, arb_str alias, arb_bound_query *out)
{
    size_t count = table->column_count;
    arb_scan_output *outputs = ARB_ARENA_ARRAY(b->arena, arb_scan_output, count);
    out->columns = ARB_ARENA_ARRAY(b->arena, arb_output, count);
    out->count = count;
    ARB_MADE_IF(b, outputs != NULL && out->columns != NULL);
    for (size_t i = 0; i < count; i++) {
        const arb_table_column *column = &table->columns[i];
        outputs[i].table_column = (uint32_t)i;
        ARB_TRY(arb_bind_new_column(b, column->name, column->type, column->nullable, &outputs[i].id));
        arb_column_info *info = arb_query_column(b->query, outputs[i].id);
        info->statistics = column->statistics;
        info->table = table;
        info->table_column = (uint32_t)i;
        out->columns[i].name = column->name;
        ARB_TRY(arb_bind_column_expr(b, outputs[i].id, (arb_ast_span){0}, &out->columns[i].expr));
    }
    out->plan = arb_logical_scan(b->query, table, alias, outputs, count);
    ARB_MADE(b, out->plan);
    return ARB_OK;
}

/* ---- views -------------------------------------------------------------------------------------------------------- */
/* The view's query sees no names but the catalog's. */
static arb_code bind_view_query(arb_binder *b, const arb_view *view, arb_bound_query *out)
{
    const arb_ast_statement *statement;
    ARB_TRY(arb_sql_parse_one(b->arena, view->sql, &statement, b->error));
    if (statement->kind != ARB_AST_STATEMENT_SELECT)
        return arb_fail(b->error, ARB_WRONG_OBJECT_TYPE, "it is not a query");
    b->source = statement->source;
    ARB_TRY(arb_bind_query(b, arb_ast_as_select_statement(statement)->query, NULL, NULL, &(arb_query_request){0}, out));
    if (view->column_count > out->count)
        return arb_fail(b->error, ARB_INVALID_COLUMN_REFERENCE, "it has %zu columns, but %zu names", out->count,
                        view->column_count);
    for (size_t i = 0; i < view->column_count; i++)
        out->columns[i].name = view->columns[i];
    return ARB_OK;
}

static arb_code bind_view(arb_binder *b, const arb_view *view, arb_ast_span span, arb_bound_query *out)
{
    if (b->view_depth >= ARB_BIND_VIEW_DEPTH_MAX || b->view_count >= ARB_BIND_VIEWS_MAX)
        return arb_bind_fail(b, span, ARB_STATEMENT_TOO_COMPLEX,
                             "view \"%.*s\": views refer to views too often, or to themselves",
                             ARB_STR_ARGS(view->name));
    arb_str source = b->source;
    bool in_view = b->in_view;
    unsigned height = b->height;
    arb_aggregate_frame *frame = b->frame;
    const arb_view *outer = arb_catalog_scope_enter(b->catalog, view);
    b->view_depth++;
    b->view_count++;
    b->in_view = true;
    b->height = 0;
    b->frame = NULL;
    arb_code code = bind_view_query(b, view, out);
    b->source = source;
    b->in_view = in_view;
    b->height = height;
    b->frame = frame;
    b->view_depth--;
    (void)arb_catalog_scope_enter(b->catalog, outer);
    if (code == ARB_OK)
        return ARB_OK;
    bool nested = b->error != NULL && strncmp(b->error->message, "view \"", 6) == 0;
    if (!nested)
        arb_error_context(b->error, "view \"%.*s\"", ARB_STR_ARGS(view->name));
    if (b->error != NULL)
        b->error->position = 0; /* counted in the view's text */
    return arb_error_at(b->error, code, arb_bind_position(b, span));
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */
static arb_cte *find_cte(const arb_ast_from *from, arb_cte *ctes)
{
    if (from->path || from->table.size != 1)
        return NULL;
    for (; ctes != NULL; ctes = ctes->next) {
        if (arb_name_matches(&from->table.data[0], ctes->syntax->name.text))
            return ctes;
    }
    return NULL;
}

typedef struct relation_name {
    arb_str schema, name;
} relation_name;

static arb_code bind_table(arb_binder *b, const arb_ast_from *from, arb_cte *ctes, relation_name *name,
                           arb_bound_query *out)
{
    arb_cte *cte = find_cte(from, ctes);
    arb_relation relation = {0};
    arb_catalog_name path;
    arb_code code;
    if (cte != NULL && cte->unfinished)
        return arb_bind_fail(b, from->span, ARB_NOT_SUPPORTED, "recursive queries are not supported");
    if (cte != NULL) {
        name->name = cte->syntax->name.text;
        return arb_bind_cte_use(b, cte, out);
    }
    if (from->path) {
        const arb_file_set files = {.paths = &from->table.data[0].text, .path_count = 1};
        code = arb_catalog_find_files(b->catalog, b->arena, &files, &relation, b->error);
    } else {
        ARB_TRY(arb_bind_catalog_name(b, &from->table, &path));
        code = arb_catalog_find(b->catalog, b->arena, path, &relation, b->error);
        name->schema = from->table.size > 1 ? from->table.data[from->table.size - 2].text : (arb_str){0};
    }
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, from->span));
    name->name = relation.view != NULL ? relation.view->name : relation.table->name;
    if (relation.view != NULL)
        return bind_view(b, relation.view, from->span, out);
    arb_str alias = from->alias.text.size != 0 ? from->alias.text : name->name;
    return arb_bind_scan(b, relation.table, alias, out);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */
arb_code arb_bind_rename(arb_binder *b, arb_bound_query *query, const arb_ast_names *names, arb_str table,
                         arb_ast_span span)
{
    if (names->size > query->count)
        return arb_bind_fail(b, span, ARB_INVALID_COLUMN_REFERENCE,
                             "table \"%.*s\" has %zu column%s, but %zu names are given", ARB_STR_ARGS(table),
                             query->count, query->count == 1 ? "" : "s", names->size);
    for (size_t i = 0; i < names->size; i++)
        query->columns[i].name = names->data[i].text;
    return ARB_OK;
}

arb_code arb_bind_namespace(arb_binder *b, const arb_bound_query *query, arb_str schema, arb_str alias,
                            arb_namespace *out)
{
    arb_scope_table *table = ARB_ARENA_NEW(b->arena, arb_scope_table);
    ARB_MADE(b, table);
    *table = (arb_scope_table){.schema = schema, .alias = alias};
    ARB_PUSH(b, &out->tables, table);
    for (size_t i = 0; i < query->count; i++)
        ARB_PUSH(b, &out->columns,
                 (arb_scope_column){.table = table, .name = query->columns[i].name, .expr = query->columns[i].expr});
    return ARB_OK;
}

arb_code arb_bind_relation(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                           arb_bound_from *out)
{
    arb_bound_query query = {0};
    relation_name name = {0};
    arb_ast_names aliases = {0};
    if (from->ordinality)
        return arb_bind_fail(b, from->span, ARB_NOT_SUPPORTED, "WITH ORDINALITY is not supported");
    if (from->kind == ARB_AST_FROM_TABLE) {
        ARB_TRY(bind_table(b, from, context->ctes, &name, &query));
    } else if (from->kind == ARB_AST_FROM_FUNCTION) {
        name.name = from->call->name.data[from->call->name.size - 1].text;
        ARB_TRY(arb_bind_table_function(b, from, context, &query));
    } else {
        ARB_TRY(arb_bind_query(b, from->query, from->lateral ? context->lateral : context->parent, context->ctes,
                               &(arb_query_request){0}, &query));
    }
    if (from->alias.text.size != 0)
        name = (relation_name){.name = from->alias.text};
    for (size_t i = 0; i < from->column_aliases.size; i++) {
        if (from->column_aliases.data[i].type != NULL)
            return arb_bind_fail(b, from->column_aliases.data[i].name.span, ARB_NOT_SUPPORTED,
                                 "types of columns cannot be given here");
        ARB_PUSH(b, &aliases, from->column_aliases.data[i].name);
    }
    ARB_TRY(arb_bind_rename(b, &query, &aliases, name.name, from->span));
    out->plan = query.plan;
    return arb_bind_namespace(b, &query, name.schema, name.name, &out->names);
}
