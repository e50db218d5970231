/* binder_name.c: what a result column without an alias is called: as PostgreSQL calls it, but the expression's own text
 * where that says ?column?. */
#include "sql/binder_internal.h"

/* A name that an enclosing CAST or CASE would pass on; empty when the expression has none. `weak`: it is only that of
 * the outermost construct, so CASE takes its own instead. */
static arb_str find_name(const arb_ast_expr *syntax, bool *weak)
{
    *weak = false;
    switch (syntax->kind) {
    case ARB_AST_COLUMN: {
        const arb_ast_names *parts = &arb_ast_as_column(syntax)->parts;
        return parts->data[parts->size - 1].text;
    }
    case ARB_AST_CALL: {
        const arb_ast_names *parts = &arb_ast_as_call(syntax)->name;
        return parts->data[parts->size - 1].text;
    }
    case ARB_AST_FIELD:
        return arb_ast_as_field(syntax)->name.text;
    case ARB_AST_COLLATE:
        return find_name(arb_ast_as_collate(syntax)->operand, weak);
    case ARB_AST_SUBSCRIPT:
        return find_name(arb_ast_as_subscript(syntax)->operand, weak);
    case ARB_AST_CAST: {
        arb_str name = find_name(arb_ast_as_cast(syntax)->operand, weak);
        if (name.size != 0 && !*weak)
            return name;
        *weak = true;
        return arb_ast_as_cast(syntax)->type->name.text;
    }
    case ARB_AST_TYPED_LITERAL:
        *weak = true;
        return arb_ast_as_typed_literal(syntax)->type->name.text;
    case ARB_AST_CASE: {
        const arb_ast_expr *otherwise = arb_ast_as_case(syntax)->otherwise;
        arb_str name = otherwise != NULL ? find_name(otherwise, weak) : (arb_str){0};
        if (name.size != 0 && !*weak)
            return name;
        *weak = true;
        return ARB_STR("case");
    }
    default:
        return (arb_str){0};
    }
}

/* A scalar subquery is called as its column. */
static arb_str name_of_subquery(const arb_ast_subquery *subquery)
{
    bool weak;
    if (subquery->type == ARB_AST_EXISTS)
        return ARB_STR("exists");
    if (subquery->type == ARB_AST_ARRAY_OF)
        return ARB_STR("array");
    const arb_ast_query *query = subquery->query;
    while (query->kind == ARB_AST_QUERY_SET)
        query = query->first;
    if (query->kind != ARB_AST_QUERY_SELECT || query->select->items.size == 0)
        return (arb_str){0};
    const arb_ast_item *item = &query->select->items.data[0];
    if (item->alias.text.size != 0)
        return item->alias.text;
    return item->expr->kind == ARB_AST_SUBQUERY ? name_of_subquery(arb_ast_as_subquery(item->expr))
                                                : find_name(item->expr, &weak);
}

arb_str arb_bind_result_name(const arb_binder *b, const arb_ast_expr *syntax)
{
    bool weak;
    arb_str name =
        syntax->kind == ARB_AST_SUBQUERY ? name_of_subquery(arb_ast_as_subquery(syntax)) : find_name(syntax, &weak);
    return name.size != 0 ? name : arb_bind_text(b, syntax->span);
}
