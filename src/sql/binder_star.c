/* binder_star.c: the select list, with * and t.* written out. */
#include "sql/binder_internal.h"

static const arb_ast_name *column_name(const arb_ast_expr *expr)
{
    if (expr->kind != ARB_AST_COLUMN)
        return NULL;
    const arb_ast_names *parts = &arb_ast_as_column(expr)->parts;
    return &parts->data[parts->size - 1];
}

static bool is_excluded(const arb_ast_star *star, arb_str name)
{
    for (size_t i = 0; i < star->exclude.size; i++) {
        const arb_ast_name *excluded = column_name(star->exclude.data[i]);
        if (excluded != NULL && arb_name_matches(excluded, name))
            return true;
    }
    return false;
}

/* EXCLUDE, REPLACE and RENAME may only name columns that the star gives. */
static arb_code check_named(arb_binder *b, const arb_ast_name *name, const arb_ast_expr *expr,
                            const arb_scope_columns *columns, const char *what)
{
    if (name == NULL)
        return arb_bind_fail(b, expr->span, ARB_SYNTAX, "%s takes names of columns", what);
    for (size_t i = 0; i < columns->size; i++) {
        if (arb_name_matches(name, columns->data[i]->name))
            return ARB_OK;
    }
    return arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "%s names \"%.*s\", which is not a column of the star",
                         what, ARB_STR_ARGS(name->text));
}

static arb_code check_star(arb_binder *b, const arb_ast_star *star, const arb_scope_columns *columns)
{
    for (size_t i = 0; i < star->exclude.size; i++)
        ARB_TRY(check_named(b, column_name(star->exclude.data[i]), star->exclude.data[i], columns, "EXCLUDE"));
    for (size_t i = 0; i < star->replace.size; i++)
        ARB_TRY(check_named(b, &star->replace.data[i].name, star->replace.data[i].expr, columns, "REPLACE"));
    for (size_t i = 0; i < star->rename.size; i++)
        ARB_TRY(check_named(b, column_name(star->rename.data[i].expr), star->rename.data[i].expr, columns, "RENAME"));
    return ARB_OK;
}

static arb_code add_star_column(arb_binder *b, const arb_ast_star *star, const arb_scope_column *column,
                                arb_select_items *out)
{
    arb_select_item item = {.name = column->name, .span = star->base.span, .expr = column->expr};
    if (column->expr->kind == ARB_EXPR_COLUMN)
        ARB_TRY(arb_bind_column_expr(b, column->expr->column, star->base.span, &item.expr));
    for (size_t i = 0; i < star->replace.size; i++) {
        if (!arb_name_matches(&star->replace.data[i].name, column->name))
            continue;
        item.syntax = star->replace.data[i].expr;
        item.span = item.syntax->span;
        item.expr = NULL;
    }
    for (size_t i = 0; i < star->rename.size; i++) {
        if (arb_name_matches(column_name(star->rename.data[i].expr), column->name))
            item.name = star->rename.data[i].name.text;
    }
    ARB_PUSH(b, out, item);
    return ARB_OK;
}

static arb_code add_star(arb_binder *b, arb_scope *scope, const arb_ast_star *star, arb_select_items *out)
{
    arb_scope_columns columns = {0};
    if (star->of != NULL)
        return arb_bind_fail(b, star->base.span, ARB_NOT_SUPPORTED, "fields of structs are not supported");
    ARB_TRY(arb_scope_star(b, scope, star, &columns));
    if (columns.size == 0)
        return arb_bind_fail(b, star->base.span, ARB_SYNTAX, "SELECT * needs a FROM clause");
    ARB_TRY(check_star(b, star, &columns));
    size_t before = out->size;
    for (size_t i = 0; i < columns.size; i++) {
        if (!is_excluded(star, columns.data[i]->name))
            ARB_TRY(add_star_column(b, star, columns.data[i], out));
    }
    if (out->size == before)
        return arb_bind_fail(b, star->base.span, ARB_SYNTAX, "EXCLUDE leaves no column");
    return ARB_OK;
}

arb_code arb_bind_select_items(arb_binder *b, arb_scope *scope, const arb_ast_select *select, arb_select_items *out)
{
    for (size_t i = 0; i < select->items.size; i++) {
        const arb_ast_item *item = &select->items.data[i];
        const arb_ast_expr *expr = item->expr;
        if (expr->kind == ARB_AST_COLUMNS && arb_ast_as_columns(expr)->chosen->kind == ARB_AST_STAR)
            expr = arb_ast_as_columns(expr)->chosen;
        if (expr->kind == ARB_AST_STAR) {
            ARB_TRY(add_star(b, scope, arb_ast_as_star(expr), out));
            continue;
        }
        arb_str name = item->alias.text.size != 0 ? item->alias.text : arb_bind_result_name(b, expr);
        ARB_PUSH(b, out, (arb_select_item){.alias = item->alias, .name = name, .span = expr->span, .syntax = expr});
    }
    if (out->size == 0)
        return arb_fail(b->error, ARB_SYNTAX, "SELECT needs at least one column");
    return ARB_OK;
}

arb_code arb_bind_select_item(arb_binder *b, arb_scope *scope, arb_select_item *item)
{
    if (item->expr != NULL)
        return ARB_OK;
    size_t aggregates = scope->aggregate_uses, subqueries = scope->subquery_uses;
    size_t joins = scope->clause->pending->size;
    const arb_expr *expr;
    if (item->busy)
        return arb_bind_fail(b, item->span, ARB_INVALID_COLUMN_REFERENCE, "alias \"%.*s\" refers to itself",
                             ARB_STR_ARGS(item->name));
    item->busy = true;
    ARB_TRY(arb_bind_expr(b, scope, item->syntax, &expr));
    ARB_TRY(arb_bind_once(b, scope, item->name, item->span, &expr)); /* its name may stand elsewhere, too */
    item->busy = false;
    item->expr = expr;
    item->aggregated = scope->aggregate_uses != aggregates;
    item->has_subquery = scope->subquery_uses != subqueries;
    item->subqueries = scope->clause->pending->size - joins;
    return ARB_OK;
}
