/* simplify_expr.c: one expression made simpler, bottom-up, without changing what it gives.
 *
 * Constants are folded by the evaluator that the options name; an expression whose folding fails (1 / 0) stays, and
 * fails when and if it is run. Comparisons have their constant on the right, and a cast of the other side moves to the
 * constant where that is exact (simplify_compare.c). NOT moves down to the leaves. What all branches of an OR have in
 * common is taken out of it. */
#include "optimizer/simplify.h"

static bool is_false(const arb_expr *expr)
{
    return expr->kind == ARB_EXPR_CONSTANT && !expr->value.is_null && !expr->value.boolean;
}

static bool is_null(const arb_expr *expr)
{
    return expr->kind == ARB_EXPR_CONSTANT && expr->value.is_null;
}

static const arb_expr *fold(arb_rule_context *rule, const arb_expr *expr)
{
    if (rule->options->evaluate == NULL || expr->kind == ARB_EXPR_CONSTANT || expr->kind == ARB_EXPR_COLUMN ||
        arb_type_is_nested(expr->type))
        return expr;
    for (size_t i = 0; i < expr->child_count; i++) {
        if (expr->children[i]->kind != ARB_EXPR_CONSTANT)
            return expr;
    }
    if (expr->kind == ARB_EXPR_CALL && expr->function->is_volatile)
        return expr;
    arb_value value;
    arb_error ignored = {0};
    arb_code code = rule->options->evaluate(rule->query->arena, expr, &value, &ignored);
    if (code == ARB_OUT_OF_MEMORY)
        return NULL;
    return code == ARB_OK ? arb_expr_constant(rule->query->arena, value) : expr;
}

/* ---- AND, OR ---------------------------------------------------------------------------------------------------- */

static bool contains(const arb_expr *const *list, size_t count, const arb_expr *expr)
{
    for (size_t i = 0; i < count; i++) {
        if (arb_expr_equal(list[i], expr))
            return true;
    }
    return false;
}

/* Without what decides nothing, without repetitions; the deciding constant when it occurs. */
static const arb_expr *simplify_junction(arb_rule_context *rule, const arb_expr *expr)
{
    bool conjunction = expr->kind == ARB_EXPR_AND;
    const arb_expr **kept = ARB_ARENA_ARRAY(rule->query->arena, const arb_expr *, expr->child_count);
    size_t count = 0;
    if (kept == NULL)
        return NULL;
    for (size_t i = 0; i < expr->child_count; i++) {
        const arb_expr *child = expr->children[i];
        if (conjunction ? is_false(child) : arb_expr_is_true(child))
            return child;
        if ((conjunction ? arb_expr_is_true(child) : is_false(child)) || contains(kept, count, child))
            continue;
        kept[count++] = child;
    }
    if (count == expr->child_count)
        return expr;
    return conjunction ? arb_expr_and(rule->query->arena, kept, count) : arb_expr_or(rule->query->arena, kept, count);
}

/* x = 1 OR x = 2 OR x IN (3, 4, 5): one IN. */
static bool is_membership(const arb_expr *expr)
{
    if (expr->kind == ARB_EXPR_IN)
        return true;
    return expr->kind == ARB_EXPR_COMPARE && expr->compare == ARB_EQUAL &&
           expr->children[1]->kind == ARB_EXPR_CONSTANT && !is_null(expr->children[1]) &&
           expr->children[0]->kind != ARB_EXPR_CONSTANT;
}

static const arb_expr *merge_memberships(arb_rule_context *rule, const arb_expr *expr)
{
    arb_arena *arena = rule->query->arena;
    const arb_expr *subject = NULL;
    ARB_VEC(const arb_expr *) rest = {0}, items = {0};
    for (size_t i = 0; i < expr->child_count; i++) {
        const arb_expr *child = expr->children[i];
        bool fits = is_membership(child) && (subject == NULL || arb_expr_equal(child->children[0], subject)) &&
                    arb_expr_deterministic(child->children[0]);
        if (!fits) {
            if (!ARB_ARENA_PUSH(arena, &rest, child))
                return NULL;
            continue;
        }
        subject = child->children[0];
        if (items.size == 0 && !ARB_ARENA_PUSH(arena, &items, subject))
            return NULL;
        for (size_t k = 1; k < child->child_count; k++) {
            if (!contains(items.data + 1, items.size - 1, child->children[k]) &&
                !ARB_ARENA_PUSH(arena, &items, child->children[k]))
                return NULL;
        }
    }
    if (items.size < 4 || rest.size + 1 == expr->child_count)
        return expr;
    const arb_expr *in = arb_expr_in(arena, items.data, items.size);
    if (in == NULL || !ARB_ARENA_PUSH(arena, &rest, in))
        return NULL;
    return arb_expr_or(arena, rest.data, rest.size);
}

/* (a AND b) OR (a AND c) becomes a AND (b OR c). */
static const arb_expr *take_out_common(arb_rule_context *rule, const arb_expr *expr)
{
    arb_arena *arena = rule->query->arena;
    const arb_expr *first = expr->children[0];
    ARB_VEC(const arb_expr *) common = {0};
    for (size_t k = 0; k < arb_expr_conjunct_count(first); k++) {
        const arb_expr *candidate = arb_expr_conjunct(first, k);
        bool everywhere = arb_expr_deterministic(candidate);
        for (size_t i = 1; i < expr->child_count && everywhere; i++) {
            const arb_expr *branch = expr->children[i];
            everywhere = contains(branch->kind == ARB_EXPR_AND ? branch->children : &branch,
                                  arb_expr_conjunct_count(branch), candidate);
        }
        if (everywhere && !ARB_ARENA_PUSH(arena, &common, candidate))
            return NULL;
    }
    if (common.size == 0)
        return expr;
    const arb_expr **branches = ARB_ARENA_ARRAY(arena, const arb_expr *, expr->child_count);
    if (branches == NULL)
        return NULL;
    size_t shared = common.size;
    for (size_t i = 0; i < expr->child_count; i++) {
        ARB_VEC(const arb_expr *) rest = {0};
        for (size_t k = 0; k < arb_expr_conjunct_count(expr->children[i]); k++) {
            const arb_expr *conjunct = arb_expr_conjunct(expr->children[i], k);
            if (!contains(common.data, shared, conjunct) && !ARB_ARENA_PUSH(arena, &rest, conjunct))
                return NULL;
        }
        /* A branch that is nothing but the common part makes the others superfluous. */
        if (rest.size == 0)
            return arb_expr_and(arena, common.data, shared);
        branches[i] = arb_expr_and(arena, rest.data, rest.size);
        if (branches[i] == NULL)
            return NULL;
    }
    const arb_expr *either = arb_expr_or(arena, branches, expr->child_count);
    if (either == NULL || (either->kind == ARB_EXPR_OR && (either = merge_memberships(rule, either)) == NULL))
        return NULL;
    if (!ARB_ARENA_PUSH(arena, &common, either))
        return NULL;
    return arb_expr_and(arena, common.data, common.size);
}

/* ---- NOT, CASE, COALESCE ---------------------------------------------------------------------------------------- */

static const arb_expr *negate(arb_rule_context *rule, const arb_expr *expr)
{
    arb_arena *arena = rule->query->arena;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_NOT:
        return expr->children[0];
    case ARB_EXPR_COMPARE:
        return arb_expr_compare(arena, arb_compare_negate((arb_compare)expr->compare), expr->children[0],
                                expr->children[1]);
    case ARB_EXPR_CONSTANT: {
        arb_value value = expr->value;
        if (value.is_null)
            return expr;
        value.boolean = !value.boolean;
        return arb_expr_constant(arena, value);
    }
    case ARB_EXPR_AND:
    case ARB_EXPR_OR: {
        const arb_expr **children = ARB_ARENA_ARRAY(arena, const arb_expr *, expr->child_count);
        if (children == NULL)
            return NULL;
        for (size_t i = 0; i < expr->child_count; i++) {
            if ((children[i] = negate(rule, expr->children[i])) == NULL)
                return NULL;
        }
        return expr->kind == ARB_EXPR_AND ? arb_expr_or(arena, children, expr->child_count)
                                          : arb_expr_and(arena, children, expr->child_count);
    }
    default:
        return arb_expr_not(arena, expr);
    }
}

static const arb_expr *simplify_case(arb_rule_context *rule, const arb_expr *expr)
{
    const arb_expr **kept = ARB_ARENA_ARRAY(rule->query->arena, const arb_expr *, expr->child_count);
    size_t count = 0;
    if (kept == NULL)
        return NULL;
    for (size_t i = 0; i + 1 < expr->child_count; i += 2) {
        const arb_expr *when = expr->children[i], *then = expr->children[i + 1];
        if (is_false(when) || is_null(when))
            continue;
        if (arb_expr_is_true(when)) {
            kept[count++] = then;
            break;
        }
        kept[count++] = when;
        kept[count++] = then;
    }
    if (count % 2 == 0)
        kept[count++] = expr->children[expr->child_count - 1];
    if (count == 1)
        return kept[0];
    return count == expr->child_count ? expr : arb_expr_case(rule->query->arena, expr->type, kept, count);
}

static const arb_expr *simplify_coalesce(arb_rule_context *rule, const arb_expr *expr)
{
    const arb_expr **kept = ARB_ARENA_ARRAY(rule->query->arena, const arb_expr *, expr->child_count);
    size_t count = 0;
    if (kept == NULL)
        return NULL;
    for (size_t i = 0; i < expr->child_count; i++) {
        const arb_expr *child = expr->children[i];
        if (is_null(child) && (i + 1 < expr->child_count || count != 0))
            continue;
        kept[count++] = child;
        if (child->kind == ARB_EXPR_CONSTANT && !child->value.is_null)
            break;
    }
    if (count == 1)
        return kept[0];
    return count == expr->child_count ? expr : arb_expr_coalesce(rule->query->arena, expr->type, kept, count);
}

static const arb_expr *simplify_node(void *context, arb_arena *arena, const arb_expr *expr)
{
    arb_rule_context *rule = context;
    const arb_expr *folded = fold(rule, expr);
    (void)arena;
    if (folded != expr)
        return folded;
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_AND:
        return simplify_junction(rule, expr);
    case ARB_EXPR_OR:
        expr = simplify_junction(rule, expr);
        if (expr != NULL && expr->kind == ARB_EXPR_OR)
            expr = merge_memberships(rule, expr);
        return expr != NULL && expr->kind == ARB_EXPR_OR ? take_out_common(rule, expr) : expr;
    case ARB_EXPR_NOT: {
        const arb_expr *child = expr->children[0];
        bool moves = child->kind == ARB_EXPR_NOT || child->kind == ARB_EXPR_COMPARE ||
                     child->kind == ARB_EXPR_CONSTANT || child->kind == ARB_EXPR_AND || child->kind == ARB_EXPR_OR;
        return moves ? negate(rule, child) : expr;
    }
    case ARB_EXPR_COMPARE:
        return arb_simplify_compare(rule, expr);
    case ARB_EXPR_CASE:
        return simplify_case(rule, expr);
    case ARB_EXPR_COALESCE:
        return simplify_coalesce(rule, expr);
    default:
        return expr;
    }
}

const arb_expr *arb_simplify_expr(arb_rule_context *rule, const arb_expr *expr)
{
    return arb_expr_transform(rule->query->arena, expr, simplify_node, rule);
}
