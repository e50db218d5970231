/* logical_validate.c: what every logical plan must keep, checked node by node.
 *
 * A node may use what its children give, and the right side of a dependent join also what the left side gives. Every id
 * is made by one node only; PROJECT and AGGREGATE may pass an id on by naming it as itself. */
#include "plan/logical.h"

typedef struct checker {
    arb_query *query;
    arb_error *error;
    arb_column_set made;   /* anywhere so far */
    arb_column_set shared; /* numbers of shared plans that were checked */
    const arb_column_set *visible;
    arb_code code;
} checker;

static arb_code out_of_memory(checker *c)
{
    return arb_fail_memory(c->error, "the plan's check", sizeof(arb_column_set));
}

static bool check_expr(void *context, const arb_expr *expr)
{
    checker *c = context;
    if (c->code != ARB_OK)
        return false;
    if (expr->kind == ARB_EXPR_COLUMN) {
        if (expr->column >= c->query->columns.size)
            c->code = arb_fail(c->error, ARB_INTERNAL, "column #%u is not registered", (unsigned)expr->column);
        else if (!arb_column_set_has(c->visible, expr->column))
            c->code = arb_fail(c->error, ARB_INTERNAL, "column %.*s#%u is used where it is not made",
                               ARB_STR_ARGS(arb_query_column(c->query, expr->column)->name), (unsigned)expr->column);
        else if (!arb_type_equal(expr->type, arb_query_column(c->query, expr->column)->type))
            c->code = arb_fail(c->error, ARB_INTERNAL, "column #%u is used with another type", (unsigned)expr->column);
    } else if (expr->kind == ARB_EXPR_COMPARE && !arb_type_equal(expr->children[0]->type, expr->children[1]->type)) {
        c->code = arb_fail(c->error, ARB_INTERNAL, "a comparison has sides of two types");
    } else if (expr->kind == ARB_EXPR_AND || expr->kind == ARB_EXPR_OR) {
        for (size_t i = 0; i < expr->child_count && c->code == ARB_OK; i++) {
            if (expr->children[i]->kind == expr->kind || expr->children[i]->type.id != ARB_TYPE_BOOLEAN)
                c->code = arb_fail(c->error, ARB_INTERNAL, "a conjunction or disjunction is not in order");
        }
    }
    return c->code == ARB_OK;
}

static arb_code check_condition(checker *c, const arb_expr *condition)
{
    if (condition != NULL && condition->type.id != ARB_TYPE_BOOLEAN)
        return arb_fail(c->error, ARB_INTERNAL, "a condition is not boolean");
    return ARB_OK;
}

static arb_code make(checker *c, arb_column_id id, const arb_expr *expr)
{
    if (id >= c->query->columns.size)
        return arb_fail(c->error, ARB_INTERNAL, "column #%u is not registered", (unsigned)id);
    if (expr != NULL && !arb_type_equal(expr->type, arb_query_column(c->query, id)->type))
        return arb_fail(c->error, ARB_INTERNAL, "column #%u is made with another type", (unsigned)id);
    if (expr != NULL && expr->kind == ARB_EXPR_COLUMN && expr->column == id)
        return ARB_OK;
    if (arb_column_set_has(&c->made, id))
        return arb_fail(c->error, ARB_INTERNAL, "column %.*s#%u is made twice",
                        ARB_STR_ARGS(arb_query_column(c->query, id)->name), (unsigned)id);
    return arb_column_set_add(c->query, &c->made, id) ? ARB_OK : out_of_memory(c);
}

static arb_code check_made(checker *c, const arb_logical *node)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        for (size_t i = 0; i < node->scan.column_count; i++)
            ARB_TRY(make(c, node->scan.columns[i].id, NULL));
        return ARB_OK;
    case ARB_LOGICAL_VALUES:
        for (size_t i = 0; i < node->values.column_count; i++)
            ARB_TRY(make(c, node->values.columns[i], NULL));
        return ARB_OK;
    case ARB_LOGICAL_PROJECT:
        for (size_t i = 0; i < node->project.item_count; i++)
            ARB_TRY(make(c, node->project.items[i].id, node->project.items[i].expr));
        return ARB_OK;
    case ARB_LOGICAL_AGGREGATE:
        for (size_t i = 0; i < node->aggregate.group_count; i++)
            ARB_TRY(make(c, node->aggregate.groups[i].id, node->aggregate.groups[i].expr));
        for (size_t i = 0; i < node->aggregate.aggregate_count; i++)
            ARB_TRY(make(c, node->aggregate.aggregates[i].id, NULL));
        return ARB_OK;
    case ARB_LOGICAL_JOIN:
        return node->join.kind == ARB_JOIN_MARK ? make(c, node->join.mark, NULL) : ARB_OK;
    case ARB_LOGICAL_SET:
        for (size_t i = 0; i < node->set.column_count; i++)
            ARB_TRY(make(c, node->set.columns[i], NULL));
        return ARB_OK;
    case ARB_LOGICAL_SHARED:
        for (size_t i = 0; i < node->shared.column_count; i++)
            ARB_TRY(make(c, node->shared.columns[i], NULL));
        return ARB_OK;
    default:
        return ARB_OK;
    }
}

static arb_code check_node(checker *c, const arb_logical *node, const arb_column_set *outer);

static arb_code check_given(checker *c, const arb_logical *plan, const arb_column_id *ids, size_t count)
{
    arb_column_set given = {0};
    if (!arb_logical_output(c->query, plan, &given))
        return out_of_memory(c);
    for (size_t i = 0; i < count; i++) {
        if (!arb_column_set_has(&given, ids[i]))
            return arb_fail(c->error, ARB_INTERNAL, "column #%u is taken from a plan that does not give it",
                            (unsigned)ids[i]);
    }
    return ARB_OK;
}

static arb_code check_children(checker *c, const arb_logical *node, const arb_column_set *outer,
                               arb_column_set *visible)
{
    for (size_t i = 0; i < arb_logical_child_count(node); i++) {
        const arb_logical *child = arb_logical_child(node, i);
        bool sees_left = node->kind == ARB_LOGICAL_JOIN && node->join.dependent && i == 1;
        ARB_TRY(check_node(c, child, sees_left ? visible : outer));
        if (!arb_logical_output(c->query, child, visible))
            return out_of_memory(c);
        if (node->kind == ARB_LOGICAL_SET)
            ARB_TRY(check_given(c, child, node->set.inputs[i].columns, node->set.column_count));
    }
    if (node->kind == ARB_LOGICAL_SHARED) {
        const arb_shared *shared = node->shared.shared;
        if (!arb_column_set_has(&c->shared, shared->number)) {
            if (!arb_column_set_add(c->query, &c->shared, shared->number))
                return out_of_memory(c);
            ARB_TRY(check_node(c, shared->plan, outer));
        }
        ARB_TRY(check_given(c, shared->plan, node->shared.sources, node->shared.column_count));
    }
    return ARB_OK;
}

static arb_code check_node(checker *c, const arb_logical *node, const arb_column_set *outer)
{
    arb_column_set visible = {0};
    if (outer != NULL && !arb_column_set_add_all(c->query, &visible, outer))
        return out_of_memory(c);
    ARB_TRY(check_children(c, node, outer, &visible));
    ARB_TRY(check_made(c, node));
    if (node->kind == ARB_LOGICAL_SCAN && !arb_logical_output(c->query, node, &visible))
        return out_of_memory(c);
    if (node->kind == ARB_LOGICAL_FILTER)
        ARB_TRY(check_condition(c, node->filter.condition));
    if (node->kind == ARB_LOGICAL_JOIN)
        ARB_TRY(check_condition(c, node->join.condition));
    c->visible = &visible;
    arb_logical_walk_exprs(node, check_expr, c);
    return c->code;
}

arb_code arb_logical_validate(arb_query *query, const arb_logical *root, const arb_column_set *outer, arb_error *error)
{
    checker c = {.query = query, .error = error};
    return check_node(&c, root, outer);
}
