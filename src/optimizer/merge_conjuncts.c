/* merge_conjuncts.c: what several conditions say of one expression, said once.
 *
 * In a list of conjuncts that all have to be TRUE, comparisons of the same expression with constants, and IN, are put
 * together: of several bounds the closest stay, memberships are cut by each other and by bounds, and what leaves no
 * value makes the whole list FALSE. (For a NULL the list is not TRUE before, and it is not afterwards.) x <> 5 is taken
 * into account where x has to be one of a few values. */
#include "optimizer/simplify.h"

/* What is known of one expression. */
typedef struct subject {
    const arb_expr *expr;
    size_t first, count; /* its conjuncts: place of the first, how many */
    const arb_expr *low, *high, *members;
} subject;

typedef struct merger {
    arb_arena *arena;
    ARB_VEC(subject) subjects;
} merger;

static bool mergeable(const arb_expr *conjunct)
{
    if (conjunct->kind != ARB_EXPR_IN && conjunct->kind != ARB_EXPR_COMPARE)
        return false;
    const arb_expr *left = conjunct->children[0], *right = conjunct->children[1];
    if (left->kind == ARB_EXPR_CONSTANT || arb_type_is_nested(left->type) || !arb_expr_deterministic(left) ||
        !arb_expr_infallible(left))
        return false;
    if (conjunct->kind == ARB_EXPR_IN)
        return true;
    return right->kind == ARB_EXPR_CONSTANT && !right->value.is_null && conjunct->compare != ARB_DISTINCT &&
           conjunct->compare != ARB_NOT_DISTINCT && conjunct->compare != ARB_NOT_EQUAL;
}

static const arb_value *constant(const arb_expr *conjunct, size_t at)
{
    return &conjunct->children[at]->value;
}

static bool allows(const arb_expr *bound, const arb_value *value)
{
    if (bound == NULL)
        return true;
    int order = arb_value_compare(value, constant(bound, 1));
    switch ((arb_compare)bound->compare) {
    case ARB_LESS:
        return order < 0;
    case ARB_LESS_EQUAL:
        return order <= 0;
    case ARB_GREATER:
        return order > 0;
    case ARB_GREATER_EQUAL:
        return order >= 0;
    default:
        return order == 0;
    }
}

static bool is_member(const arb_expr *members, const arb_value *value)
{
    for (size_t i = 1; i < members->child_count; i++) {
        if (arb_value_equal(constant(members, i), value))
            return true;
    }
    return false;
}

/* The members of `a` that `b` has, too: an IN of any length until it is written out. */
static bool intersect(arb_arena *arena, const arb_expr **a, const arb_expr *b)
{
    if (*a == NULL) {
        *a = b;
        return true;
    }
    const arb_expr **kept = ARB_ARENA_ARRAY(arena, const arb_expr *, (*a)->child_count);
    arb_expr *copy = ARB_ARENA_NEW(arena, arb_expr);
    if (kept == NULL || copy == NULL)
        return false;
    uint32_t count = 0;
    kept[count++] = (*a)->children[0];
    for (size_t i = 1; i < (*a)->child_count; i++) {
        if (is_member(b, constant(*a, i)))
            kept[count++] = (*a)->children[i];
    }
    *copy = **a;
    copy->kind = ARB_EXPR_IN;
    copy->children = kept;
    copy->child_count = count;
    *a = copy;
    return true;
}

static bool note(merger *m, subject *s, const arb_expr *conjunct)
{
    s->count++;
    if (conjunct->kind == ARB_EXPR_IN || conjunct->compare == ARB_EQUAL)
        return intersect(m->arena, &s->members, conjunct);
    bool upper = conjunct->compare == ARB_LESS || conjunct->compare == ARB_LESS_EQUAL;
    const arb_expr **bound = upper ? &s->high : &s->low;
    /* The closer bound is the one whose value the other one allows; of equal values the one that leaves it out. */
    bool strict = conjunct->compare == ARB_LESS || conjunct->compare == ARB_GREATER;
    if (*bound == NULL) {
        *bound = conjunct;
        return true;
    }
    int order = arb_value_compare(constant(conjunct, 1), constant(*bound, 1));
    if (order == 0 ? strict : upper ? order < 0 : order > 0)
        *bound = conjunct;
    return true;
}

static bool gather(merger *m, const arb_conjuncts *list)
{
    for (size_t i = 0; i < list->size; i++) {
        const arb_expr *conjunct = list->data[i];
        if (!mergeable(conjunct))
            continue;
        size_t at = 0;
        while (at < m->subjects.size && !arb_expr_equal(m->subjects.data[at].expr, conjunct->children[0]))
            at++;
        subject fresh = {.expr = conjunct->children[0], .first = i};
        if ((at == m->subjects.size && !ARB_ARENA_PUSH(m->arena, &m->subjects, fresh)) ||
            !note(m, &m->subjects.data[at], conjunct))
            return false;
    }
    return true;
}

/* Can no value satisfy the subject's conditions? Cuts the members by the bounds. */
static bool settle(arb_arena *arena, subject *s, bool *out_never)
{
    *out_never = false;
    if (s->members == NULL) {
        if (s->low != NULL && s->high != NULL) {
            int order = arb_value_compare(constant(s->low, 1), constant(s->high, 1));
            bool both = s->low->compare == ARB_GREATER_EQUAL && s->high->compare == ARB_LESS_EQUAL;
            *out_never = order > 0 || (order == 0 && !both);
        }
        return true;
    }
    const arb_expr **kept = ARB_ARENA_ARRAY(arena, const arb_expr *, s->members->child_count);
    size_t count = 0;
    if (kept == NULL)
        return false;
    for (size_t i = 1; i < s->members->child_count; i++) {
        const arb_value *value = constant(s->members, i);
        if (!allows(s->low, value) || !allows(s->high, value))
            continue;
        kept[count++] = arb_expr_compare(arena, ARB_EQUAL, s->expr, s->members->children[i]);
        if (kept[count - 1] == NULL)
            return false;
    }
    *out_never = count == 0;
    if (count < 3) {
        s->members = count != 0 ? arb_expr_or(arena, kept, count) : s->members;
    } else if (count + 1 != s->members->child_count) {
        const arb_expr **items = ARB_ARENA_ARRAY(arena, const arb_expr *, count + 1);
        if (items == NULL)
            return false;
        items[0] = s->expr;
        for (size_t i = 0; i < count; i++)
            items[i + 1] = kept[i]->children[1];
        s->members = arb_expr_in(arena, items, count + 1);
    }
    return s->members != NULL;
}

static bool never(arb_arena *arena, arb_conjuncts *list)
{
    const arb_expr *no = arb_expr_boolean(arena, false);
    list->size = 0;
    return no != NULL && ARB_ARENA_PUSH(arena, list, no);
}

static bool never_true(const arb_expr *conjunct)
{
    return conjunct->kind == ARB_EXPR_CONSTANT && !arb_expr_is_true(conjunct);
}

bool arb_conjuncts_merge(arb_rule_context *rule, arb_conjuncts *list)
{
    merger m = {.arena = rule->query->arena};
    bool nothing, several = false;
    for (size_t i = 0; i < list->size; i++) {
        if (never_true(list->data[i]))
            return never(m.arena, list);
    }
    if (list->size < 2)
        return true;
    if (!gather(&m, list))
        return false;
    for (size_t i = 0; i < m.subjects.size; i++) {
        subject *s = &m.subjects.data[i];
        several |= s->count > 1;
        if (s->count > 1 && !settle(m.arena, s, &nothing))
            return false;
        if (s->count > 1 && nothing)
            return never(m.arena, list);
    }
    if (!several)
        return true;
    /* Each subject's conditions come where its first one was. */
    arb_conjuncts merged = {0};
    for (size_t i = 0; i < list->size; i++) {
        const arb_expr *conjunct = list->data[i];
        const subject *s = NULL;
        for (size_t k = 0; k < m.subjects.size && s == NULL && mergeable(conjunct); k++)
            s = arb_expr_equal(m.subjects.data[k].expr, conjunct->children[0]) ? &m.subjects.data[k] : NULL;
        if (s == NULL || s->count < 2) {
            if (!ARB_ARENA_PUSH(m.arena, &merged, conjunct))
                return false;
            continue;
        }
        if (s->first != i)
            continue;
        const arb_expr *parts[] = {s->members, s->members == NULL ? s->low : NULL, s->members == NULL ? s->high : NULL};
        for (size_t k = 0; k < ARB_COUNT_OF(parts); k++) {
            if (parts[k] != NULL && !ARB_ARENA_PUSH(m.arena, &merged, parts[k]))
                return false;
        }
    }
    *list = merged;
    return true;
}
