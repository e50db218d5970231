/* infer_conjuncts.c: what follows from conjuncts that hold together.
 *
 * Columns that are equal form classes. A condition on one column of a class (a comparison with constants, IN, LIKE, any
 * that is deterministic and cannot fail) holds for the others as well, where it may cut what a scan reads. Equalities
 * between the columns of a class are not added here: they would be counted twice as selectivities; the join order adds
 * the ones that it needs. */
#include "optimizer/push_filters.h"

/* Columns in classes: small lists, since few columns are equated in one query. */
typedef struct classes {
    ARB_VEC(arb_column_id) columns;
    ARB_VEC(size_t) numbers; /* of the class of each column */
} classes;

static size_t find(const classes *c, arb_column_id column)
{
    for (size_t i = 0; i < c->columns.size; i++) {
        if (c->columns.data[i] == column)
            return i;
    }
    return SIZE_MAX;
}

static size_t find_or_add(arb_arena *arena, classes *c, arb_column_id column)
{
    size_t at = find(c, column);
    if (at != SIZE_MAX)
        return at;
    size_t number = c->numbers.size;
    if (!ARB_ARENA_PUSH(arena, &c->columns, column) || !ARB_ARENA_PUSH(arena, &c->numbers, number))
        return SIZE_MAX;
    return c->columns.size - 1;
}

static bool unite(arb_arena *arena, classes *c, arb_column_id a, arb_column_id b)
{
    size_t at = find_or_add(arena, c, a), bt = find_or_add(arena, c, b);
    if (at == SIZE_MAX || bt == SIZE_MAX)
        return false;
    size_t from = c->numbers.data[bt], to = c->numbers.data[at];
    for (size_t i = 0; i < c->numbers.size; i++) {
        if (c->numbers.data[i] == from)
            c->numbers.data[i] = to;
    }
    return true;
}

typedef struct single_column {
    arb_column_id column;
    bool several;
} single_column;

static bool look(void *context, const arb_expr *expr)
{
    single_column *s = context;
    if (expr->kind == ARB_EXPR_COLUMN) {
        s->several |= s->column != ARB_NO_COLUMN && s->column != expr->column;
        s->column = expr->column;
    }
    return !s->several;
}

/* What is said of one of them can be said of the other then, whatever it is. */
static bool equates_columns(const arb_expr *conjunct)
{
    return conjunct->kind == ARB_EXPR_COMPARE && conjunct->compare == ARB_EQUAL &&
           conjunct->children[0]->kind == ARB_EXPR_COLUMN && conjunct->children[1]->kind == ARB_EXPR_COLUMN &&
           arb_type_groups_exactly(conjunct->children[0]->type);
}

/* IS NULL and IS NOT NULL say nothing new: columns that are equal are not NULL. */
static bool carries_over(const arb_expr *conjunct, arb_column_id *out_column)
{
    single_column s = {.column = ARB_NO_COLUMN};
    arb_expr_walk(conjunct, look, &s);
    *out_column = s.column;
    bool about_null = conjunct->kind == ARB_EXPR_IS_NULL ||
                      (conjunct->kind == ARB_EXPR_NOT && conjunct->children[0]->kind == ARB_EXPR_IS_NULL);
    return s.column != ARB_NO_COLUMN && !s.several && !about_null && arb_expr_deterministic(conjunct) &&
           arb_expr_infallible(conjunct);
}

bool arb_conjuncts_infer(arb_rule_context *rule, arb_conjuncts *list)
{
    arb_query *query = rule->query;
    classes c = {0};
    for (size_t i = 0; i < list->size; i++) {
        const arb_expr *conjunct = list->data[i];
        if (equates_columns(conjunct) &&
            !unite(query->arena, &c, conjunct->children[0]->column, conjunct->children[1]->column))
            return false;
    }
    for (size_t i = 0, known = list->size; i < known && c.columns.size != 0; i++) {
        arb_column_id column;
        if (!carries_over(list->data[i], &column))
            continue;
        size_t at = find(&c, column);
        for (size_t k = 0; at != SIZE_MAX && k < c.columns.size; k++) {
            if (k == at || c.numbers.data[k] != c.numbers.data[at])
                continue;
            arb_named_expr item = {.id = column, .expr = arb_query_column_expr(query, c.columns.data[k])};
            if (item.expr == NULL)
                return false;
            const arb_expr *concluded = arb_expr_substitute(query, list->data[i], &item, 1);
            if (concluded == NULL || !arb_conjuncts_add(query, list, concluded))
                return false;
        }
    }
    return true;
}
