/* binder_from.c: the FROM clause: joins, and which names are visible where.
 *
 * ON sees the two sides of its join and what is around the SELECT; a LATERAL item also what stands before it in FROM. */
#include "sql/binder_internal.h"

static arb_code bind_item(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                          arb_bound_from *out);

arb_code arb_bind_join(arb_binder *b, arb_join_kind kind, const arb_logical *left, const arb_logical *right,
                       const arb_expr *condition, arb_ast_span span, arb_logical **out)
{
    arb_column_set given = {0}, used = {0};
    ARB_MADE_IF(b, arb_logical_output(b->query, left, &given) && arb_logical_free_columns(b->query, right, &used));
    *out = arb_logical_join(b->query, kind, left, right, condition);
    ARB_MADE(b, *out);
    (*out)->join.dependent = arb_column_set_intersects(&given, &used);
    if ((*out)->join.dependent && (kind == ARB_JOIN_RIGHT || kind == ARB_JOIN_FULL))
        return arb_bind_fail(b, span, ARB_INVALID_COLUMN_REFERENCE,
                             "the right side of a RIGHT or FULL JOIN cannot refer to its left side");
    return ARB_OK;
}

/* ---- USING -------------------------------------------------------------------------------------------------------- */
typedef struct using_column {
    const arb_scope_column *left, *right;
    const arb_expr *merged;
} using_column;

typedef ARB_VEC(using_column) using_columns;

static arb_code fail_using(arb_binder *b, const arb_ast_name *name, const char *side)
{
    return arb_bind_fail(b, name->span, ARB_UNDEFINED_COLUMN, "USING needs column \"%.*s\" on the %s side of the join",
                         ARB_STR_ARGS(name->text), side);
}

static arb_code find_using(arb_binder *b, const arb_ast_join *join, const arb_namespace *left,
                           const arb_namespace *right, using_columns *out)
{
    for (size_t i = 0; i < join->using.size; i++) {
        const arb_ast_name *name = &join->using.data[i];
        using_column column = {0};
        ARB_TRY(arb_namespace_find(b, left, name, &column.left));
        ARB_TRY(arb_namespace_find(b, right, name, &column.right));
        if (column.left == NULL || column.right == NULL)
            return fail_using(b, name, column.left == NULL ? "left" : "right");
        ARB_PUSH(b, out, column);
    }
    if (!join->natural)
        return ARB_OK;
    for (size_t i = 0; i < left->columns.size; i++) {
        const arb_ast_name name = {.text = left->columns.data[i].name, .span = join->span};
        using_column column = {0};
        if (left->columns.data[i].only_qualified)
            continue;
        ARB_TRY(arb_namespace_find(b, right, &name, &column.right));
        if (column.right == NULL)
            continue;
        ARB_TRY(arb_namespace_find(b, left, &name, &column.left));
        ARB_PUSH(b, out, column);
    }
    return ARB_OK;
}

/* The column that stands for both: the side that is never filled with NULLs; with FULL whichever there is. */
static arb_code merge(arb_binder *b, arb_ast_join_type type, arb_ast_span span, using_column *column)
{
    const arb_expr *sides[] = {column->left->expr, column->right->expr};
    arb_type common;
    ARB_TRY(arb_bind_unify(b, sides, 2, "USING", &common));
    if (type == ARB_AST_JOIN_FULL)
        return arb_bind_coalesce(b, sides, 2, span, &column->merged);
    bool right = type == ARB_AST_JOIN_RIGHT || type == ARB_AST_JOIN_RIGHT_SEMI || type == ARB_AST_JOIN_RIGHT_ANTI;
    column->merged = sides[right];
    return ARB_OK;
}

static bool is_merged(const using_columns *columns, const arb_scope_column *column)
{
    for (size_t i = 0; i < columns->size; i++) {
        if (columns->data[i].left == column || columns->data[i].right == column)
            return true;
    }
    return false;
}

/* First the merged columns, then what is left of both sides; the parts are found by their tables still. */
static arb_code merge_names(arb_binder *b, const arb_namespace *side, const using_columns *columns, arb_namespace *out)
{
    for (size_t i = 0; i < side->tables.size; i++)
        ARB_PUSH(b, &out->tables, side->tables.data[i]);
    for (size_t i = 0; i < side->columns.size; i++) {
        arb_scope_column column = side->columns.data[i];
        column.only_qualified |= is_merged(columns, &side->columns.data[i]);
        ARB_PUSH(b, &out->columns, column);
    }
    return ARB_OK;
}

static arb_code using_condition(arb_binder *b, const using_columns *columns, arb_ast_span span, const arb_expr **out)
{
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, columns->size);
    ARB_MADE(b, terms);
    *out = NULL;
    for (size_t i = 0; i < columns->size; i++)
        ARB_TRY(
            arb_bind_compare(b, ARB_EQUAL, columns->data[i].left->expr, columns->data[i].right->expr, span, &terms[i]));
    if (columns->size != 0) {
        *out = arb_expr_and(b->arena, terms, columns->size);
        ARB_MADE(b, *out);
    }
    return ARB_OK;
}

/* ---- ON ----------------------------------------------------------------------------------------------------------- */
/* Where a subquery of ON can be joined: to the side whose columns it uses. A volatile value differs from pair to pair. */
static arb_code place_join(arb_binder *b, const arb_pending_join *pending, const arb_logical **left,
                           const arb_logical **right, bool *out_placed)
{
    arb_column_set used = {0}, sides[2] = {{0}, {0}};
    arb_pending_joins one = {.data = (arb_pending_join *)pending, .size = 1, .capacity = 1};
    if (pending->value.expr != NULL)
        ARB_MADE_IF(b, arb_expr_columns(b->query, pending->value.expr, &used));
    else
        ARB_MADE_IF(b, arb_logical_free_columns(b->query, pending->plan, &used));
    ARB_MADE_IF(b, pending->condition == NULL || arb_expr_columns(b->query, pending->condition, &used));
    ARB_MADE_IF(b, arb_logical_output(b->query, *left, &sides[0]) && arb_logical_output(b->query, *right, &sides[1]));
    bool uses_left = arb_column_set_intersects(&used, &sides[0]);
    bool uses_right = arb_column_set_intersects(&used, &sides[1]);
    *out_placed = (!uses_left || !uses_right) && pending->value.expr == NULL;
    if (!*out_placed)
        return ARB_OK;
    return arb_bind_join_pending(b, &one, uses_left ? left : right);
}

static arb_code bind_on(arb_binder *b, const arb_ast_join *syntax, arb_namespace *names,
                        const arb_from_context *context, arb_pending_joins *pending, const arb_expr **out)
{
    const arb_clause clause = {.name = "JOIN conditions", .pending = pending};
    arb_scope *scope = ARB_ARENA_NEW(b->arena, arb_scope);
    ARB_MADE(b, scope);
    scope->parent = context->parent;
    scope->depth = context->parent != NULL ? context->parent->depth + 1 : 1;
    scope->ctes = context->ctes;
    scope->names = *names;
    scope->clause = &clause;
    arb_code code = arb_bind_condition(b, scope, syntax->on, "JOIN … ON", out);
    scope->clause = NULL;
    return code;
}

/* left JOIN right ON a condition whose subqueries use both sides, where rows of the left side are kept whatever happens:
 * left JOIN LATERAL (SELECT * FROM right WHERE the condition). */
static arb_code join_laterally(arb_binder *b, const arb_ast_join *syntax, arb_join_kind kind, const arb_logical *left,
                               const arb_logical *right, arb_pending_joins *pending, const arb_expr *condition,
                               const arb_logical **out)
{
    arb_logical *join;
    if (kind == ARB_JOIN_RIGHT || kind == ARB_JOIN_FULL)
        return arb_bind_fail(b, pending->data[0].span, ARB_NOT_SUPPORTED,
                             "a subquery in ON that uses both sides of a RIGHT or FULL JOIN is not supported");
    for (size_t i = 0; i < pending->size; i++)
        if (pending->data[i].value.expr != NULL)
            return arb_bind_fail(b, pending->data[i].span, ARB_NOT_SUPPORTED,
                                 "a volatile value that ON compares several times is not supported in an outer join");
    ARB_TRY(arb_bind_join_pending(b, pending, &right));
    right = arb_logical_filter(b->query, right, condition);
    ARB_MADE(b, right);
    ARB_TRY(arb_bind_join(b, kind, left, right, NULL, syntax->span, &join));
    *out = join;
    return ARB_OK;
}

/* The join with an ON condition. Subqueries that use one side are joined to that side; those that use both are
 * evaluated above an inner join. */
static arb_code join_on(arb_binder *b, const arb_ast_join *syntax, arb_join_kind kind, const arb_logical *left,
                        const arb_logical *right, arb_namespace *both, const arb_from_context *context,
                        const arb_logical **out)
{
    arb_pending_joins pending = {0}, above = {0};
    const arb_expr *condition = NULL;
    arb_logical *join;
    if (syntax->on != NULL)
        ARB_TRY(bind_on(b, syntax, both, context, &pending, &condition));
    for (size_t i = 0; i < pending.size; i++) {
        bool placed = false;
        if (above.size == 0)
            ARB_TRY(place_join(b, &pending.data[i], &left, &right, &placed));
        if (!placed)
            ARB_PUSH(b, &above, pending.data[i]);
    }
    if (above.size != 0 && kind != ARB_JOIN_INNER)
        return join_laterally(b, syntax, kind, left, right, &above, condition, out);
    ARB_TRY(arb_bind_join(b, kind, left, right, above.size == 0 ? condition : NULL, syntax->span, &join));
    *out = join;
    if (above.size == 0)
        return ARB_OK;
    ARB_TRY(arb_bind_join_pending(b, &above, out));
    *out = arb_logical_filter(b->query, *out, condition);
    ARB_MADE(b, *out);
    return ARB_OK;
}

/* ---- joins -------------------------------------------------------------------------------------------------------- */
static arb_code join_kind_of(arb_binder *b, const arb_ast_join *join, arb_join_kind *out)
{
    static const arb_join_kind kinds[] = {
        [ARB_AST_JOIN_INNER] = ARB_JOIN_INNER,     [ARB_AST_JOIN_LEFT] = ARB_JOIN_LEFT,
        [ARB_AST_JOIN_RIGHT] = ARB_JOIN_RIGHT,     [ARB_AST_JOIN_FULL] = ARB_JOIN_FULL,
        [ARB_AST_JOIN_CROSS] = ARB_JOIN_INNER,     [ARB_AST_JOIN_SEMI] = ARB_JOIN_SEMI,
        [ARB_AST_JOIN_ANTI] = ARB_JOIN_ANTI,       [ARB_AST_JOIN_RIGHT_SEMI] = ARB_JOIN_SEMI,
        [ARB_AST_JOIN_RIGHT_ANTI] = ARB_JOIN_ANTI, [ARB_AST_JOIN_POSITIONAL] = ARB_JOIN_INNER,
    };
    if (join->asof)
        return arb_bind_fail(b, join->span, ARB_NOT_SUPPORTED, "ASOF JOIN is not supported");
    if (join->type == ARB_AST_JOIN_POSITIONAL)
        return arb_bind_fail(b, join->span, ARB_NOT_SUPPORTED, "POSITIONAL JOIN is not supported");
    *out = kinds[join->type];
    return ARB_OK;
}

/* What the join gives: SEMI and ANTI only the columns of the side that they keep. */
static arb_code join_names(arb_binder *b, const arb_ast_join *join, const arb_namespace *left,
                           const arb_namespace *right, using_columns *columns, arb_namespace *out)
{
    bool keeps_one = join->type == ARB_AST_JOIN_SEMI || join->type == ARB_AST_JOIN_ANTI ||
                     join->type == ARB_AST_JOIN_RIGHT_SEMI || join->type == ARB_AST_JOIN_RIGHT_ANTI;
    *out = (arb_namespace){0};
    if (keeps_one) {
        bool right_kept = join->type == ARB_AST_JOIN_RIGHT_SEMI || join->type == ARB_AST_JOIN_RIGHT_ANTI;
        return arb_namespace_append(b, out, right_kept ? right : left, join->span);
    }
    for (size_t i = 0; i < columns->size; i++) {
        using_column *column = &columns->data[i];
        ARB_TRY(merge(b, join->type, join->span, column));
        ARB_PUSH(b, &out->columns, (arb_scope_column){.name = column->left->name, .expr = column->merged});
    }
    ARB_TRY(merge_names(b, left, columns, out));
    return merge_names(b, right, columns, out);
}

static arb_code bind_join(arb_binder *b, const arb_ast_join *syntax, const arb_from_context *context,
                          arb_bound_from *left)
{
    arb_scope *lateral = ARB_ARENA_NEW(b->arena, arb_scope);
    arb_bound_from right = {0};
    arb_namespace both = {0}, names;
    using_columns columns = {0};
    arb_join_kind kind;
    ARB_MADE(b, lateral);
    ARB_TRY(join_kind_of(b, syntax, &kind));
    ARB_TRY(arb_bind_count_join(b, syntax->span));
    lateral->parent = context->lateral;
    lateral->depth = context->lateral != NULL ? context->lateral->depth + 1 : 1;
    lateral->names = left->names;
    const arb_from_context inner = {.parent = context->parent, .lateral = lateral, .ctes = context->ctes};
    ARB_TRY(bind_item(b, syntax->right, &inner, &right));
    ARB_TRY(arb_namespace_append(b, &both, &left->names, syntax->span));
    ARB_TRY(arb_namespace_append(b, &both, &right.names, syntax->right->span));
    bool swapped = syntax->type == ARB_AST_JOIN_RIGHT_SEMI || syntax->type == ARB_AST_JOIN_RIGHT_ANTI;
    const arb_logical *sides[] = {swapped ? right.plan : left->plan, swapped ? left->plan : right.plan};
    if (syntax->natural || syntax->using.size != 0) {
        const arb_expr *condition;
        arb_logical *join;
        ARB_TRY(find_using(b, syntax, &left->names, &right.names, &columns));
        ARB_TRY(using_condition(b, &columns, syntax->span, &condition));
        ARB_TRY(arb_bind_join(b, kind, sides[0], sides[1], condition, syntax->span, &join));
        left->plan = join;
    } else {
        ARB_TRY(join_on(b, syntax, kind, sides[0], sides[1], &both, context, &left->plan));
    }
    ARB_TRY(join_names(b, syntax, &left->names, &right.names, &columns, &names));
    left->names = names;
    return ARB_OK;
}

/* (a JOIN b …) AS t (x, y): one table with all columns. */
static arb_code alias_join(arb_binder *b, const arb_ast_from *from, arb_bound_from *out)
{
    arb_scope_table *table = ARB_ARENA_NEW(b->arena, arb_scope_table);
    arb_namespace names = {0};
    ARB_MADE(b, table);
    table->alias = from->alias.text;
    ARB_PUSH(b, &names.tables, table);
    for (size_t i = 0; i < out->names.columns.size; i++) {
        arb_scope_column column = out->names.columns.data[i];
        if (column.only_qualified)
            continue;
        column.table = table;
        if (names.columns.size < from->column_aliases.size)
            column.name = from->column_aliases.data[names.columns.size].name.text;
        ARB_PUSH(b, &names.columns, column);
    }
    out->names = names;
    if (from->column_aliases.size <= names.columns.size)
        return ARB_OK;
    return arb_bind_fail(b, from->span, ARB_INVALID_COLUMN_REFERENCE,
                         "table \"%.*s\" has %zu columns, but %zu names are given", ARB_STR_ARGS(table->alias),
                         names.columns.size, from->column_aliases.size);
}

static arb_code bind_item(arb_binder *b, const arb_ast_from *from, const arb_from_context *context, arb_bound_from *out)
{
    if (from->sample.size != NULL)
        return arb_bind_fail(b, from->sample.size->span, ARB_NOT_SUPPORTED, "TABLESAMPLE is not supported");
    if (from->kind != ARB_AST_FROM_JOIN)
        return arb_bind_relation(b, from, context, out);
    ARB_TRY(bind_item(b, from->first, context, out));
    for (size_t i = 0; i < from->joins.size; i++)
        ARB_TRY(bind_join(b, &from->joins.data[i], context, out));
    return from->alias.text.size != 0 ? alias_join(b, from, out) : ARB_OK;
}

arb_code arb_bind_from(arb_binder *b, const arb_ast_select *select, arb_scope *parent, arb_cte *ctes,
                       arb_bound_from *out)
{
    *out = (arb_bound_from){0};
    for (size_t i = 0; i < select->from.size; i++) {
        const arb_ast_from *from = select->from.data[i];
        arb_scope *lateral = ARB_ARENA_NEW(b->arena, arb_scope);
        arb_bound_from item = {0};
        arb_logical *join;
        ARB_MADE(b, lateral);
        lateral->parent = parent;
        lateral->depth = parent != NULL ? parent->depth + 1 : 1;
        lateral->names = out->names;
        const arb_from_context context = {.parent = parent, .lateral = lateral, .ctes = ctes};
        ARB_TRY(bind_item(b, from, &context, &item));
        ARB_TRY(arb_namespace_append(b, &out->names, &item.names, from->span));
        if (i == 0) {
            out->plan = item.plan;
            continue;
        }
        ARB_TRY(arb_bind_count_join(b, from->span));
        ARB_TRY(arb_bind_join(b, ARB_JOIN_INNER, out->plan, item.plan, NULL, from->span, &join));
        out->plan = join;
    }
    if (out->plan == NULL)
        out->plan = arb_logical_one_row(b->query);
    ARB_MADE(b, out->plan);
    return ARB_OK;
}
