/* binder_query.c: WITH, set operations and VALUES around SELECTs.
 *
 * A query of WITH is bound where it stands; each use of it is a SHARED node with columns of its own. When the statement
 * is finished, a shared plan that is read once takes the place of its reader (arb_bind_inline_shared). */
#include "sql/binder_internal.h"

arb_code arb_bind_outputs(arb_binder *b, arb_bound_query *query, const arb_type *types)
{
    arb_named_expr *items = ARB_ARENA_ARRAY(b->arena, arb_named_expr, query->count);
    arb_column_set taken = {0};
    bool computes = false;
    ARB_MADE(b, items);
    for (size_t i = 0; i < query->count; i++) {
        arb_output *output = &query->columns[i];
        if (types != NULL)
            ARB_TRY(arb_bind_coerce(b, output->expr, types[i], &items[i].expr));
        else
            ARB_TRY(arb_bind_settle(b, output->expr, &items[i].expr));
        const arb_expr *expr = items[i].expr;
        if (expr->kind == ARB_EXPR_COLUMN && !arb_column_set_has(&taken, expr->column)) {
            items[i].id = expr->column;
        } else {
            ARB_TRY(arb_bind_new_column(b, output->name, expr->type, true, &items[i].id));
            computes = true;
        }
        ARB_MADE_IF(b, arb_column_set_add(b->query, &taken, items[i].id));
        ARB_TRY(arb_bind_column_expr(b, items[i].id, (arb_ast_span){0}, &output->expr));
    }
    if (!computes)
        return ARB_OK;
    query->plan = arb_logical_project(b->query, query->plan, items, query->count);
    ARB_MADE(b, query->plan);
    return ARB_OK;
}

/* ---- WITH --------------------------------------------------------------------------------------------------------- */
static arb_code bind_cte_plan(arb_binder *b, arb_cte *cte, arb_bound_query *out)
{
    ARB_TRY(arb_bind_query(b, cte->syntax->query, cte->parent, cte->next, &(arb_query_request){0}, out));
    return arb_bind_rename(b, out, &cte->syntax->columns, cte->syntax->name.text, cte->syntax->name.span);
}

static arb_code share(arb_binder *b, arb_cte *cte, const arb_logical *plan)
{
    arb_shared *shared = ARB_ARENA_NEW(b->arena, arb_shared);
    ARB_MADE(b, shared);
    *shared = (arb_shared){.number = (uint32_t)b->query->shared.size,
                           .name = cte->syntax->name.text,
                           .plan = plan,
                           .keep = cte->syntax->materialized == 1};
    ARB_PUSH(b, &b->query->shared, shared);
    cte->shared = shared;
    return ARB_OK;
}

static arb_code define_cte(arb_binder *b, const arb_ast_cte *syntax, bool recursive, arb_scope *parent, arb_cte **ctes)
{
    arb_bound_query *query = ARB_ARENA_NEW(b->arena, arb_bound_query);
    arb_cte *cte = ARB_ARENA_NEW(b->arena, arb_cte);
    arb_column_set outer = {0};
    ARB_MADE_IF(b, query != NULL && cte != NULL);
    *cte = (arb_cte){.next = *ctes, .syntax = syntax, .parent = parent, .query = query};
    arb_cte itself = {.next = *ctes, .syntax = syntax, .unfinished = true};
    if (recursive)
        cte->next = &itself;
    arb_code code = bind_cte_plan(b, cte, query);
    cte->next = *ctes;
    ARB_TRY(code);
    ARB_MADE_IF(b, arb_logical_free_columns(b->query, query->plan, &outer));
    cte->own_plan = syntax->materialized == 0 || !arb_column_set_is_empty(&outer);
    if (!cte->own_plan)
        ARB_TRY(share(b, cte, query->plan));
    *ctes = cte;
    return ARB_OK;
}

static arb_code define_ctes(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte **ctes)
{
    for (size_t i = 0; i < syntax->ctes.size; i++) {
        const arb_ast_cte *cte = &syntax->ctes.data[i];
        for (size_t k = 0; k < i; k++) {
            if (arb_str_equal_nocase(syntax->ctes.data[k].name.text, cte->name.text))
                return arb_bind_fail(b, cte->name.span, ARB_DUPLICATE_ALIAS, "WITH defines \"%.*s\" more than once",
                                     ARB_STR_ARGS(cte->name.text));
        }
        ARB_TRY(define_cte(b, cte, syntax->recursive, parent, ctes));
    }
    return ARB_OK;
}

static arb_code copy_outputs(arb_binder *b, const arb_bound_query *from, arb_bound_query *out)
{
    *out = *from;
    out->columns = ARB_ARENA_ARRAY(b->arena, arb_output, from->count);
    ARB_MADE(b, out->columns);
    for (size_t i = 0; i < from->count; i++)
        out->columns[i] = from->columns[i];
    return ARB_OK;
}

arb_code arb_bind_cte_use(arb_binder *b, arb_cte *cte, arb_bound_query *out)
{
    if (cte->own_plan && cte->used) {
        if (++b->view_count > ARB_BIND_VIEWS_MAX)
            return arb_bind_fail(b, cte->syntax->name.span, ARB_STATEMENT_TOO_COMPLEX,
                                 "queries of WITH are used too often");
        return bind_cte_plan(b, cte, out);
    }
    cte->used = true;
    ARB_TRY(copy_outputs(b, cte->query, out));
    if (cte->own_plan)
        return ARB_OK;
    arb_column_id *ids = ARB_ARENA_ARRAY(b->arena, arb_column_id, out->count);
    arb_column_id *sources = ARB_ARENA_ARRAY(b->arena, arb_column_id, out->count);
    ARB_MADE_IF(b, ids != NULL && sources != NULL);
    for (size_t i = 0; i < out->count; i++) {
        sources[i] = cte->query->columns[i].expr->column;
        ARB_TRY(arb_bind_new_column(b, out->columns[i].name, out->columns[i].expr->type, true, &ids[i]));
        ARB_TRY(arb_bind_column_expr(b, ids[i], (arb_ast_span){0}, &out->columns[i].expr));
    }
    out->plan = arb_logical_shared(b->query, cte->shared, ids, sources, out->count);
    ARB_MADE(b, out->plan);
    return ARB_OK;
}

/* ---- shared plans, at the end ------------------------------------------------------------------------------------- */
static void count_uses(const arb_logical *node)
{
    if (node->kind == ARB_LOGICAL_SHARED && node->shared.shared->uses++ == 0)
        count_uses(node->shared.shared->plan);
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        count_uses(arb_logical_child(node, i));
}

/* The binder made these nodes, so it may change them in place. */
static arb_code read_directly(arb_binder *b, arb_logical *node)
{
    arb_shared *shared = node->shared.shared;
    size_t count = node->shared.column_count;
    const arb_column_id *ids = node->shared.columns, *sources = node->shared.sources;
    arb_named_expr *items = ARB_ARENA_ARRAY(b->arena, arb_named_expr, count);
    ARB_MADE(b, items);
    for (size_t i = 0; i < count; i++) {
        items[i].id = ids[i];
        ARB_TRY(arb_bind_column_expr(b, sources[i], (arb_ast_span){0}, &items[i].expr));
    }
    arb_logical *project = arb_logical_project(b->query, shared->plan, items, count);
    ARB_MADE(b, project);
    *node = *project;
    return ARB_OK;
}

static arb_code inline_shared(arb_binder *b, const arb_logical *node, arb_column_set *seen)
{
    if (node->kind == ARB_LOGICAL_SHARED) {
        arb_shared *shared = node->shared.shared;
        if (shared->uses == 1 && !shared->keep) {
            ARB_TRY(read_directly(b, (arb_logical *)node));
        } else if (!arb_column_set_has(seen, shared->number)) {
            ARB_MADE_IF(b, arb_column_set_add(b->query, seen, shared->number));
            ARB_TRY(inline_shared(b, shared->plan, seen));
        }
    }
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        ARB_TRY(inline_shared(b, arb_logical_child(node, i), seen));
    return ARB_OK;
}

arb_code arb_bind_inline_shared(arb_binder *b, const arb_logical *root)
{
    arb_column_set seen = {0}; /* of numbers */
    size_t kept = 0;
    if (b->query->shared.size == 0)
        return ARB_OK;
    for (size_t i = 0; i < b->query->shared.size; i++)
        b->query->shared.data[i]->uses = 0;
    count_uses(root);
    ARB_TRY(inline_shared(b, root, &seen));
    for (size_t i = 0; i < b->query->shared.size; i++) {
        arb_shared *shared = b->query->shared.data[i];
        if (!arb_column_set_has(&seen, shared->number))
            continue;
        shared->number = (uint32_t)kept;
        b->query->shared.data[kept++] = shared;
    }
    b->query->shared.size = kept;
    return ARB_OK;
}

/* ---- set operations ----------------------------------------------------------------------------------------------- */
typedef struct set_operation {
    const arb_ast_set_step *step; /* the last one */
    ARB_VEC(arb_bound_query) inputs;
} set_operation;

static const char *set_name(arb_ast_set_operator op)
{
    return op == ARB_AST_UNION ? "UNION" : op == ARB_AST_INTERSECT ? "INTERSECT" : "EXCEPT";
}

static arb_code set_types(arb_binder *b, const set_operation *set, arb_type *types)
{
    const arb_bound_query *inputs = set->inputs.data;
    for (size_t k = 0; k < inputs[0].count; k++) {
        types[k] = ARB_TYPE(NULL);
        for (size_t i = 0; i < set->inputs.size; i++) {
            arb_type type = inputs[i].columns[k].expr->type;
            if (!arb_type_common(types[k], type, &types[k]))
                return arb_bind_fail(b, set->step->query->span, ARB_DATATYPE_MISMATCH,
                                     "column %zu of %s: types %.*s and %.*s do not fit together", k + 1,
                                     set_name(set->step->op), ARB_STR_ARGS(arb_bind_type_text(b, types[k])),
                                     ARB_STR_ARGS(arb_bind_type_text(b, type)));
        }
        if (types[k].id == ARB_TYPE_NULL)
            types[k] = ARB_TYPE(VARCHAR);
    }
    return ARB_OK;
}

static arb_code finish_set(arb_binder *b, set_operation *set, arb_bound_query *out)
{
    static const arb_set_kind kinds[] = {
        [ARB_AST_UNION] = ARB_SET_UNION, [ARB_AST_INTERSECT] = ARB_SET_INTERSECT, [ARB_AST_EXCEPT] = ARB_SET_EXCEPT};
    size_t count = set->inputs.data[0].count;
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, count);
    arb_column_id *ids = ARB_ARENA_ARRAY(b->arena, arb_column_id, count);
    arb_set_input *inputs = ARB_ARENA_ARRAY(b->arena, arb_set_input, set->inputs.size);
    ARB_MADE_IF(b, types != NULL && ids != NULL && inputs != NULL);
    ARB_TRY(set_types(b, set, types));
    for (size_t i = 0; i < set->inputs.size; i++) {
        arb_bound_query *input = &set->inputs.data[i];
        arb_column_id *columns = ARB_ARENA_ARRAY(b->arena, arb_column_id, count);
        ARB_MADE(b, columns);
        ARB_TRY(arb_bind_outputs(b, input, types));
        for (size_t k = 0; k < count; k++)
            columns[k] = input->columns[k].expr->column;
        inputs[i] = (arb_set_input){.plan = input->plan, .columns = columns};
    }
    *out = set->inputs.data[0];
    for (size_t k = 0; k < count; k++) {
        ARB_TRY(arb_bind_new_column(b, out->columns[k].name, types[k], true, &ids[k]));
        ARB_TRY(arb_bind_column_expr(b, ids[k], (arb_ast_span){0}, &out->columns[k].expr));
    }
    out->plan = arb_logical_set(b->query, kinds[set->step->op], set->step->all, ids, count, inputs, set->inputs.size);
    ARB_MADE(b, out->plan);
    return ARB_OK;
}

/* a UNION b UNION c is one operation of three inputs; with EXCEPT the order of evaluation matters. */
static bool continues(const set_operation *set, const arb_ast_set_step *step)
{
    return set->step == NULL || (!step->by_name && !set->step->by_name && set->step->op == step->op &&
                                 set->step->all == step->all && step->op != ARB_AST_EXCEPT);
}

static size_t find_name(const arb_bound_query *query, arb_str name)
{
    size_t at = 0;
    while (at < query->count && !arb_str_equal_nocase(query->columns[at].name, name))
        at++;
    return at;
}

static arb_code check_names(arb_binder *b, const arb_bound_query *query, arb_ast_span span)
{
    for (size_t i = 0; i < query->count; i++) {
        if (find_name(query, query->columns[i].name) != i)
            return arb_bind_fail(b, span, ARB_DUPLICATE_COLUMN,
                                 "BY NAME needs different names, but \"%.*s\" comes twice",
                                 ARB_STR_ARGS(query->columns[i].name));
    }
    return ARB_OK;
}

/* The columns of `query` in the order of `names`, with NULL for those that it lacks. */
static arb_code arrange(arb_binder *b, arb_bound_query *query, const arb_output *names, size_t count, arb_ast_span span)
{
    arb_output *columns = ARB_ARENA_ARRAY(b->arena, arb_output, count);
    ARB_MADE(b, columns);
    for (size_t i = 0; i < count; i++) {
        size_t at = find_name(query, names[i].name);
        columns[i].name = names[i].name;
        if (at < query->count)
            columns[i].expr = query->columns[at].expr;
        else
            ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), span, &columns[i].expr));
    }
    query->columns = columns;
    query->count = count;
    return ARB_OK;
}

/* UNION BY NAME: all columns of the left side, then those that only the right side has. */
static arb_code align_names(arb_binder *b, arb_bound_query *left, arb_bound_query *right, arb_ast_span span)
{
    ARB_VEC(arb_output) names = {0};
    ARB_TRY(check_names(b, left, span));
    ARB_TRY(check_names(b, right, span));
    for (size_t i = 0; i < left->count; i++)
        ARB_PUSH(b, &names, left->columns[i]);
    for (size_t i = 0; i < right->count; i++) {
        if (find_name(left, right->columns[i].name) == left->count)
            ARB_PUSH(b, &names, right->columns[i]);
    }
    ARB_TRY(arrange(b, left, names.data, names.size, span));
    return arrange(b, right, names.data, names.size, span);
}

static arb_code bind_set(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                         const arb_query_request *request, arb_bound_query *out)
{
    arb_query_request inner = *request;
    set_operation set = {0};
    inner.keep_untyped = syntax->steps.size != 0 || request->keep_untyped;
    ARB_TRY(arb_bind_query(b, syntax->first, parent, ctes, &inner, out));
    if (syntax->steps.size == 0)
        return ARB_OK;
    ARB_PUSH(b, &set.inputs, *out);
    for (size_t i = 0; i < syntax->steps.size; i++) {
        const arb_ast_set_step *step = &syntax->steps.data[i];
        arb_bound_query right;
        ARB_TRY(arb_bind_count_join(b, step->span));
        inner.beside = step->by_name ? NULL : &set.inputs.data[0];
        ARB_TRY(arb_bind_query(b, step->query, parent, ctes, &inner, &right));
        if (!continues(&set, step)) {
            ARB_TRY(finish_set(b, &set, out));
            set.inputs.size = 0;
            ARB_PUSH(b, &set.inputs, *out);
        }
        if (step->by_name)
            ARB_TRY(align_names(b, &set.inputs.data[0], &right, step->span));
        if (right.count != set.inputs.data[0].count)
            return arb_bind_fail(b, step->query->span, ARB_SYNTAX,
                                 "each query of %s must have the same number of columns: %zu and %zu",
                                 set_name(step->op), set.inputs.data[0].count, right.count);
        ARB_PUSH(b, &set.inputs, right);
        set.step = step;
    }
    return finish_set(b, &set, out);
}

/* ---- VALUES ------------------------------------------------------------------------------------------------------- */
typedef struct values_binding {
    const arb_ast_query *syntax;
    size_t columns, rows;
    const arb_expr **cells;
    arb_pending_joins *joins; /* of each row */
    bool has_joins;
} values_binding;

static arb_code bind_cell(arb_binder *b, arb_scope *scope, const arb_query_request *request, size_t column,
                          const arb_ast_expr *syntax, const arb_expr **out)
{
    bool expected = column < request->expected_count;
    if (syntax->kind == ARB_AST_DEFAULT && expected)
        ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), syntax->span, out));
    else
        ARB_TRY(arb_bind_expr(b, scope, syntax, out));
    if (!expected)
        return ARB_OK;
    return arb_bind_assign(b, *out, request->expected[column], request->expected_names[column], out);
}

static arb_code bind_cells(arb_binder *b, values_binding *v, arb_scope *parent, arb_cte *ctes,
                           const arb_query_request *request)
{
    for (size_t r = 0; r < v->rows; r++) {
        const arb_ast_exprs *row = &v->syntax->values.data[r];
        const arb_clause clause = {.name = "VALUES", .pending = &v->joins[r]};
        arb_scope scope = {
            .parent = parent, .depth = parent != NULL ? parent->depth + 1 : 1, .ctes = ctes, .clause = &clause};
        if (row->size != v->columns)
            return arb_bind_fail(b, row->size != 0 ? row->data[0]->span : v->syntax->span, ARB_SYNTAX,
                                 "the rows of VALUES must have the same number of values: %zu and %zu", v->columns,
                                 row->size);
        for (size_t c = 0; c < v->columns; c++)
            ARB_TRY(bind_cell(b, &scope, request, c, row->data[c], &v->cells[r * v->columns + c]));
        v->has_joins |= v->joins[r].size != 0;
    }
    return ARB_OK;
}

static arb_code unify_column(arb_binder *b, values_binding *v, size_t column, arb_type *out)
{
    const arb_expr **list = ARB_ARENA_ARRAY(b->arena, const arb_expr *, v->rows);
    ARB_MADE(b, list);
    for (size_t r = 0; r < v->rows; r++)
        list[r] = v->cells[r * v->columns + column];
    ARB_TRY(arb_bind_unify(b, list, v->rows, "VALUES", out));
    for (size_t r = 0; r < v->rows; r++)
        v->cells[r * v->columns + column] = list[r];
    return ARB_OK;
}

/* Literals of a column that has no type at all take that of the set operation's first query. */
static arb_code type_like_neighbour(arb_binder *b, values_binding *v, size_t column, const arb_bound_query *beside)
{
    if (beside == NULL || column >= beside->count || arb_bind_is_untyped(beside->columns[column].expr))
        return ARB_OK;
    for (size_t r = 0; r < v->rows; r++) {
        if (!arb_bind_is_untyped(v->cells[r * v->columns + column]))
            return ARB_OK;
    }
    for (size_t r = 0; r < v->rows; r++) {
        const arb_expr **cell = &v->cells[r * v->columns + column];
        ARB_TRY(arb_bind_coerce(b, *cell, beside->columns[column].expr->type, cell));
    }
    return ARB_OK;
}

/* With subqueries, each row is a query of its own. */
static arb_code join_rows(arb_binder *b, values_binding *v, const arb_column_id *ids, const arb_logical **out)
{
    arb_set_input *inputs = ARB_ARENA_ARRAY(b->arena, arb_set_input, v->rows);
    ARB_MADE(b, inputs);
    for (size_t r = 0; r < v->rows; r++) {
        arb_named_expr *items = ARB_ARENA_ARRAY(b->arena, arb_named_expr, v->columns);
        arb_column_id *columns = ARB_ARENA_ARRAY(b->arena, arb_column_id, v->columns);
        const arb_logical *plan = arb_logical_one_row(b->query);
        ARB_MADE_IF(b, items != NULL && columns != NULL && plan != NULL);
        ARB_TRY(arb_bind_join_pending(b, &v->joins[r], &plan));
        for (size_t c = 0; c < v->columns; c++) {
            const arb_column_info *info = arb_query_column(b->query, ids[c]);
            arb_str name = info->name;
            arb_type type = info->type;
            ARB_TRY(arb_bind_new_column(b, name, type, true, &columns[c]));
            items[c] = (arb_named_expr){.id = columns[c], .expr = v->cells[r * v->columns + c]};
        }
        inputs[r].plan = arb_logical_project(b->query, plan, items, v->columns);
        inputs[r].columns = columns;
        ARB_MADE(b, inputs[r].plan);
    }
    *out = arb_logical_set(b->query, ARB_SET_UNION, true, ids, v->columns, inputs, v->rows);
    ARB_MADE(b, *out);
    return ARB_OK;
}

static arb_code name_column(arb_binder *b, size_t number, arb_str *out)
{
    arb_text text = {0};
    arb_text_printf(&text, "column%zu", number);
    return arb_bind_keep_text(b, &text, out);
}

static arb_code bind_values(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                            const arb_query_request *request, arb_bound_query *out)
{
    values_binding v = {.syntax = syntax, .columns = syntax->values.data[0].size, .rows = syntax->values.size};
    v.cells = ARB_ARENA_ARRAY(b->arena, const arb_expr *, v.columns *v.rows);
    v.joins = ARB_ARENA_ARRAY(b->arena, arb_pending_joins, v.rows);
    arb_column_id *ids = ARB_ARENA_ARRAY(b->arena, arb_column_id, v.columns);
    out->columns = ARB_ARENA_ARRAY(b->arena, arb_output, v.columns);
    out->count = v.columns;
    ARB_MADE_IF(b, v.cells != NULL && v.joins != NULL && ids != NULL && out->columns != NULL);
    ARB_TRY(bind_cells(b, &v, parent, ctes, request));
    for (size_t c = 0; c < v.columns; c++) {
        const arb_expr *first = v.cells[c];
        bool untyped = v.rows == 1 && arb_bind_is_untyped(first) && first->kind == ARB_EXPR_CONSTANT;
        arb_type type;
        ARB_TRY(type_like_neighbour(b, &v, c, request->beside));
        ARB_TRY(unify_column(b, &v, c, &type));
        ARB_TRY(name_column(b, c + 1, &out->columns[c].name));
        ARB_TRY(arb_bind_new_column(b, out->columns[c].name, type, true, &ids[c]));
        ARB_TRY(arb_bind_column_expr(b, ids[c], syntax->span, &out->columns[c].expr));
        if (untyped && request->keep_untyped)
            out->columns[c].expr = first;
    }
    if (v.has_joins)
        return join_rows(b, &v, ids, &out->plan);
    out->plan = arb_logical_values(b->query, ids, v.columns, v.cells, v.rows);
    ARB_MADE(b, out->plan);
    return ARB_OK;
}

/* ---- queries ------------------------------------------------------------------------------------------------------ */
arb_code arb_bind_query(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                        const arb_query_request *request, arb_bound_query *out)
{
    unsigned height = b->height;
    *out = (arb_bound_query){0};
    b->height = 0; /* a subquery is no part of the expression that it stands in */
    ARB_TRY(define_ctes(b, syntax, parent, &ctes));
    if (syntax->kind == ARB_AST_QUERY_SELECT) {
        ARB_TRY(arb_bind_select(b, syntax, parent, ctes, request, out));
    } else {
        if (syntax->kind == ARB_AST_QUERY_VALUES)
            ARB_TRY(bind_values(b, syntax, parent, ctes, request, out));
        else
            ARB_TRY(bind_set(b, syntax, parent, ctes, request, out));
        ARB_TRY(arb_bind_order_outputs(b, syntax, parent, ctes, out));
    }
    b->height = height;
    return ARB_OK;
}
