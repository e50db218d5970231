/* expr_transform.c: walking expressions and rewriting them. What does not change is shared, not copied. */
#include "expr/expr.h"

const arb_expr *arb_expr_with_children(arb_arena *arena, const arb_expr *expr, const arb_expr *const *children)
{
    /* A child that became of the same kind must be melted in. */
    if (expr->kind == ARB_EXPR_AND)
        return arb_expr_and(arena, children, expr->child_count);
    if (expr->kind == ARB_EXPR_OR)
        return arb_expr_or(arena, children, expr->child_count);
    arb_expr *copy = arb_arena_alloc(arena, sizeof *copy);
    const arb_expr **array = arb_arena_alloc(arena, expr->child_count * sizeof *array);
    if (copy == NULL || array == NULL)
        return NULL;
    for (size_t i = 0; i < expr->child_count; i++)
        array[i] = children[i];
    *copy = *expr;
    copy->children = array;
    return copy;
}

const arb_expr *arb_expr_transform(arb_arena *arena, const arb_expr *expr, arb_expr_rewrite rewrite, void *context)
{
    const arb_expr **changed = NULL;
    for (size_t i = 0; i < expr->child_count; i++) {
        const arb_expr *child = arb_expr_transform(arena, expr->children[i], rewrite, context);
        if (child == NULL)
            return NULL;
        if (child == expr->children[i])
            continue;
        if (changed == NULL) {
            changed = arb_arena_alloc(arena, expr->child_count * sizeof *changed);
            if (changed == NULL)
                return NULL;
            for (size_t k = 0; k < expr->child_count; k++)
                changed[k] = expr->children[k];
        }
        changed[i] = child;
    }
    if (changed != NULL)
        expr = arb_expr_with_children(arena, expr, changed);
    if (expr == NULL)
        return NULL;
    return rewrite(context, arena, expr);
}

void arb_expr_walk(const arb_expr *expr, arb_expr_visit visit, void *context)
{
    if (!visit(context, expr))
        return;
    for (size_t i = 0; i < expr->child_count; i++)
        arb_expr_walk(expr->children[i], visit, context);
}
