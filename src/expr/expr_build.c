/* expr_build.c: the constructors of expressions. Each copies the array of children into the arena; none checks types,
 * since the binder has resolved them (asserts name what a caller must keep). */
#include "expr/expr.h"

static arb_expr *node_of(arb_arena *arena, arb_expr_kind kind, arb_type type, const arb_expr *const *children,
                         size_t count)
{
    arb_expr *expr = ARB_ARENA_NEW(arena, arb_expr);
    if (expr == NULL)
        return NULL;
    expr->kind = (uint8_t)kind;
    expr->type = type;
    expr->child_count = (uint32_t)count;
    if (count != 0) {
        const arb_expr **copy = arb_arena_alloc(arena, count * sizeof *copy);
        if (copy == NULL)
            return NULL;
        for (size_t i = 0; i < count; i++) {
            assert(children[i] != NULL);
            copy[i] = children[i];
        }
        expr->children = copy;
    }
    return expr;
}

arb_expr *arb_expr_constant(arb_arena *arena, arb_value value)
{
    arb_expr *expr = node_of(arena, ARB_EXPR_CONSTANT, value.type, NULL, 0);
    if (expr != NULL)
        expr->value = value;
    return expr;
}

arb_expr *arb_expr_boolean(arb_arena *arena, bool value)
{
    return arb_expr_constant(arena, (arb_value){.type = ARB_TYPE(BOOLEAN), .boolean = value});
}

arb_expr *arb_expr_column(arb_arena *arena, arb_column_id column, arb_type type)
{
    arb_expr *expr = node_of(arena, ARB_EXPR_COLUMN, type, NULL, 0);
    if (expr != NULL)
        expr->column = column;
    return expr;
}

arb_expr *arb_expr_call(arb_arena *arena, const arb_function *function, arb_type result,
                        const arb_expr *const *children, size_t count)
{
    arb_expr *expr = node_of(arena, ARB_EXPR_CALL, result, children, count);
    if (expr != NULL)
        expr->function = function;
    return expr;
}

arb_expr *arb_expr_compare(arb_arena *arena, arb_compare compare, const arb_expr *left, const arb_expr *right)
{
    const arb_expr *children[] = {left, right};
    arb_expr *expr = node_of(arena, ARB_EXPR_COMPARE, ARB_TYPE(BOOLEAN), children, 2);
    if (expr != NULL)
        expr->compare = (uint8_t)compare;
    return expr;
}

/* AND and OR keep no child of their own kind, so that rules need not recurse term by term. */
static const arb_expr *flattened(arb_arena *arena, arb_expr_kind kind, const arb_expr *const *children, size_t count)
{
    if (count == 0)
        return arb_expr_boolean(arena, kind == ARB_EXPR_AND);
    if (count == 1)
        return children[0];
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += children[i]->kind == kind ? children[i]->child_count : 1;
    if (total == count)
        return node_of(arena, kind, ARB_TYPE(BOOLEAN), children, count);
    const arb_expr **flat = arb_arena_alloc(arena, total * sizeof *flat);
    arb_expr *expr = ARB_ARENA_NEW(arena, arb_expr);
    if (flat == NULL || expr == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (children[i]->kind != kind) {
            flat[at++] = children[i];
            continue;
        }
        for (size_t k = 0; k < children[i]->child_count; k++)
            flat[at++] = children[i]->children[k];
    }
    *expr =
        (arb_expr){.kind = (uint8_t)kind, .type = ARB_TYPE(BOOLEAN), .child_count = (uint32_t)total, .children = flat};
    return expr;
}

const arb_expr *arb_expr_and(arb_arena *arena, const arb_expr *const *children, size_t count)
{
    return flattened(arena, ARB_EXPR_AND, children, count);
}

const arb_expr *arb_expr_or(arb_arena *arena, const arb_expr *const *children, size_t count)
{
    return flattened(arena, ARB_EXPR_OR, children, count);
}

arb_expr *arb_expr_not(arb_arena *arena, const arb_expr *child)
{
    return node_of(arena, ARB_EXPR_NOT, ARB_TYPE(BOOLEAN), &child, 1);
}

arb_expr *arb_expr_is_null(arb_arena *arena, const arb_expr *child)
{
    return node_of(arena, ARB_EXPR_IS_NULL, ARB_TYPE(BOOLEAN), &child, 1);
}

arb_expr *arb_expr_case(arb_arena *arena, arb_type result, const arb_expr *const *children, size_t count)
{
    assert(count % 2 == 1);
    return node_of(arena, ARB_EXPR_CASE, result, children, count);
}

arb_expr *arb_expr_coalesce(arb_arena *arena, arb_type result, const arb_expr *const *children, size_t count)
{
    assert(count != 0);
    return node_of(arena, ARB_EXPR_COALESCE, result, children, count);
}

const arb_expr *arb_expr_cast(arb_arena *arena, const arb_expr *child, arb_type type, bool try_cast)
{
    if (arb_type_equal(child->type, type))
        return child;
    arb_expr *expr = node_of(arena, ARB_EXPR_CAST, type, &child, 1);
    if (expr != NULL)
        expr->try_cast = try_cast;
    return expr;
}

arb_expr *arb_expr_in(arb_arena *arena, const arb_expr *const *children, size_t count)
{
    assert(count >= 2);
    return node_of(arena, ARB_EXPR_IN, ARB_TYPE(BOOLEAN), children, count);
}
