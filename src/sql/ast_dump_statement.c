/* ast_dump_statement.c: statements as s-expressions. */
#include "sql/ast_dump.h"

static void put(arb_text *out, const char *text)
{
    arb_text_append_str(out, arb_str_of(text));
}

/* " word" where the flag is set. */
static void put_flag(bool flag, const char *word, arb_text *out)
{
    if (flag)
        arb_text_printf(out, " %s", word);
}

static void put_name(const arb_ast_name *name, arb_text *out)
{
    if (name->text.size == 0)
        return;
    put(out, " ");
    arb_ast_dump_name(name, out);
}

/* " a.b" */
static void put_table(const arb_ast_names *names, arb_text *out)
{
    if (names->size == 0)
        return;
    put(out, " ");
    arb_ast_dump_names(names, ".", out);
}

/* " (head a b)" */
static void put_names(const char *head, const arb_ast_names *names, arb_text *out)
{
    if (names->size == 0)
        return;
    arb_text_printf(out, " (%s ", head);
    arb_ast_dump_names(names, " ", out);
    put(out, ")");
}

static void put_query(const arb_ast_query *query, arb_text *out)
{
    if (query == NULL)
        return;
    put(out, " ");
    arb_ast_dump_query(query, out);
}

static void put_expr(const char *head, const arb_ast_expr *expr, arb_text *out)
{
    if (expr == NULL)
        return;
    arb_text_printf(out, " (%s ", head);
    arb_ast_dump_expr(expr, out);
    put(out, ")");
}

static void put_exprs(const char *head, const arb_ast_exprs *exprs, arb_text *out)
{
    if (exprs->size == 0)
        return;
    arb_text_printf(out, " (%s", head);
    arb_ast_dump_exprs(exprs, out);
    put(out, ")");
}

static void put_options(const arb_ast_options *options, arb_text *out)
{
    if (options->size == 0)
        return;
    put(out, " (options");
    for (size_t i = 0; i < options->size; i++) {
        put(out, " ");
        arb_ast_dump_name(&options->data[i].name, out);
        if (options->data[i].value != NULL) {
            put(out, "=");
            arb_ast_dump_expr(options->data[i].value, out);
        }
    }
    put(out, ")");
}

static void put_columns(const char *head, const arb_ast_column_definitions *columns, arb_text *out)
{
    if (columns->size == 0)
        return;
    arb_text_printf(out, " (%s", head);
    for (size_t i = 0; i < columns->size; i++) {
        const arb_ast_column_definition *column = &columns->data[i];
        put(out, " (");
        arb_ast_dump_name(&column->name, out);
        if (column->type != NULL) {
            put(out, " ");
            arb_ast_dump_type(column->type, out);
        }
        put_flag(column->not_null, "not-null", out);
        put_flag(column->primary_key, "primary-key", out);
        put_flag(column->unique, "unique", out);
        put_expr("default", column->default_value, out);
        put_expr("check", column->check, out);
        put(out, ")");
    }
    put(out, ")");
}

/* ---- statements -------------------------------------------------------------------------------------------------- */
static void dump_create_table(const arb_ast_create_table *node, arb_text *out)
{
    put(out, "(create-table");
    put_flag(node->or_replace, "or-replace", out);
    put_flag(node->temporary, "temporary", out);
    put_flag(node->if_not_exists, "if-not-exists", out);
    put_table(&node->name, out);
    put_columns("columns", &node->columns, out);
    put_names("primary-key", &node->primary_key, out);
    put_exprs("check", &node->checks, out);
    put_options(&node->options, out);
    put_query(node->query, out);
    put_flag(node->with_no_data, "with-no-data", out);
    put(out, ")");
}

static void dump_create_external(const arb_ast_create_external *node, arb_text *out)
{
    put(out, "(create-external");
    put_flag(node->or_replace, "or-replace", out);
    put_flag(node->temporary, "temporary", out);
    put_flag(node->if_not_exists, "if-not-exists", out);
    put_table(&node->name, out);
    put_columns("columns", &node->columns, out);
    put_name(&node->format, out);
    put_name(&node->location, out);
    put_columns("partitioned-by", &node->partitioned_by, out);
    arb_ast_dump_sort_keys("order", &node->order, out);
    put_options(&node->options, out);
    put(out, ")");
}

static void dump_create_view(const arb_ast_create_view *node, arb_text *out)
{
    put(out, "(create-view");
    put_flag(node->or_replace, "or-replace", out);
    put_flag(node->temporary, "temporary", out);
    put_flag(node->if_not_exists, "if-not-exists", out);
    put_table(&node->name, out);
    put_names("columns", &node->columns, out);
    put_query(node->query, out);
    put(out, ")");
}

static void dump_drop(const arb_ast_drop *node, arb_text *out)
{
    static const char *const objects[] = {"table", "view", "schema"};
    arb_text_printf(out, "(drop-%s", objects[node->object]);
    put_flag(node->if_exists, "if-exists", out);
    for (size_t i = 0; i < node->names.size; i++)
        put_table(&node->names.data[i], out);
    put_flag(node->cascade, "cascade", out);
    put(out, ")");
}

static void dump_insert(const arb_ast_insert *node, arb_text *out)
{
    put(out, "(insert");
    put_table(&node->table, out);
    put_names("columns", &node->columns, out);
    put_flag(node->by_name, "by-name", out);
    put_query(node->query, out);
    put_flag(node->query == NULL, "default-values", out);
    put(out, ")");
}

static void dump_copy(const arb_ast_copy *node, arb_text *out)
{
    put(out, node->from ? "(copy-from" : "(copy-to");
    put_query(node->query, out);
    put_table(&node->table, out);
    put_names("columns", &node->columns, out);
    put_flag(node->console, "console", out);
    put_name(&node->path, out);
    if (node->format.text.size != 0) {
        put(out, " (format");
        put_name(&node->format, out);
        put(out, ")");
    }
    put_names("partitioned-by", &node->partitioned_by, out);
    put_options(&node->options, out);
    put(out, ")");
}

static void dump_describe(const arb_ast_describe *node, arb_text *out)
{
    put(out, node->summarize ? "(summarize" : "(describe");
    put_table(&node->table, out);
    if (node->table.size == 0)
        put_query(node->query, out);
    put(out, ")");
}

static void dump_show(const arb_ast_show *node, arb_text *out)
{
    static const char *const texts[] = {"tables", "schemas", "functions", "all", "setting"};
    arb_text_printf(out, "(show-%s", texts[node->what]);
    put_name(&node->name, out);
    put(out, ")");
}

static void dump_set(const arb_ast_set *node, arb_text *out)
{
    put(out, node->values.size != 0 ? "(set" : "(reset");
    put_flag(node->local, "local", out);
    put_name(&node->name, out);
    arb_ast_dump_exprs(&node->values, out);
    put(out, ")");
}

static void dump_explain(const arb_ast_explain *node, arb_text *out)
{
    put(out, "(explain");
    put_flag(node->analyze, "analyze", out);
    put_flag(node->verbose, "verbose", out);
    put_options(&node->options, out);
    put(out, " ");
    arb_ast_dump_statement(node->statement, out);
    put(out, ")");
}

static void dump_prepare(const arb_ast_prepare *node, arb_text *out)
{
    put(out, "(prepare");
    put_name(&node->name, out);
    for (size_t i = 0; i < node->types.size; i++) {
        put(out, " ");
        arb_ast_dump_type(node->types.data[i], out);
    }
    put(out, " ");
    arb_ast_dump_statement(node->statement, out);
    put(out, ")");
}

static void dump_execute(const arb_ast_execute *node, arb_text *out)
{
    put(out, "(execute");
    put_name(&node->name, out);
    for (size_t i = 0; i < node->arguments.size; i++) {
        put(out, " ");
        arb_ast_dump_expr(node->arguments.data[i].value, out);
    }
    put(out, ")");
}

void arb_ast_dump_statement(const arb_ast_statement *statement, arb_text *out)
{
    static const char *const actions[] = {"(begin)", "(commit)", "(rollback)"};
    switch (statement->kind) {
    case ARB_AST_STATEMENT_SELECT:
        arb_ast_dump_query(arb_ast_as_select_statement(statement)->query, out);
        break;
    case ARB_AST_STATEMENT_CREATE_TABLE:
        dump_create_table(arb_ast_as_create_table(statement), out);
        break;
    case ARB_AST_STATEMENT_CREATE_EXTERNAL:
        dump_create_external(arb_ast_as_create_external(statement), out);
        break;
    case ARB_AST_STATEMENT_CREATE_VIEW:
        dump_create_view(arb_ast_as_create_view(statement), out);
        break;
    case ARB_AST_STATEMENT_CREATE_SCHEMA:
        put(out, "(create-schema");
        put_flag(arb_ast_as_create_schema(statement)->if_not_exists, "if-not-exists", out);
        put_table(&arb_ast_as_create_schema(statement)->name, out);
        put(out, ")");
        break;
    case ARB_AST_STATEMENT_DROP:
        dump_drop(arb_ast_as_drop(statement), out);
        break;
    case ARB_AST_STATEMENT_INSERT:
        dump_insert(arb_ast_as_insert(statement), out);
        break;
    case ARB_AST_STATEMENT_COPY:
        dump_copy(arb_ast_as_copy(statement), out);
        break;
    case ARB_AST_STATEMENT_DESCRIBE:
        dump_describe(arb_ast_as_describe(statement), out);
        break;
    case ARB_AST_STATEMENT_SHOW:
        dump_show(arb_ast_as_show(statement), out);
        break;
    case ARB_AST_STATEMENT_SET:
        dump_set(arb_ast_as_set(statement), out);
        break;
    case ARB_AST_STATEMENT_EXPLAIN:
        dump_explain(arb_ast_as_explain(statement), out);
        break;
    case ARB_AST_STATEMENT_TRANSACTION:
        put(out, actions[arb_ast_as_transaction(statement)->action]);
        break;
    case ARB_AST_STATEMENT_PREPARE:
        dump_prepare(arb_ast_as_prepare(statement), out);
        break;
    case ARB_AST_STATEMENT_EXECUTE:
        dump_execute(arb_ast_as_execute(statement), out);
        break;
    case ARB_AST_STATEMENT_DEALLOCATE:
        put(out, "(deallocate");
        put_name(&arb_ast_as_deallocate(statement)->name, out);
        put(out, ")");
        break;
    }
}
