/* binder_compare.c: predicates: comparisons (also of rows), BETWEEN, IN, LIKE, IS, ANY and ALL. */
#include "sql/binder_internal.h"

/* As many constants make one IN; fewer are comparisons. */
enum { in_constants_least = 3 };

bool arb_bind_comparison_of(arb_ast_operator op, arb_compare *out)
{
    switch (op) {
    case ARB_AST_OP_EQUAL:
        *out = ARB_EQUAL;
        return true;
    case ARB_AST_OP_NOT_EQUAL:
        *out = ARB_NOT_EQUAL;
        return true;
    case ARB_AST_OP_LESS:
        *out = ARB_LESS;
        return true;
    case ARB_AST_OP_LESS_EQUAL:
        *out = ARB_LESS_EQUAL;
        return true;
    case ARB_AST_OP_GREATER:
        *out = ARB_GREATER;
        return true;
    case ARB_AST_OP_GREATER_EQUAL:
        *out = ARB_GREATER_EQUAL;
        return true;
    case ARB_AST_OP_DISTINCT:
        *out = ARB_DISTINCT;
        return true;
    case ARB_AST_OP_NOT_DISTINCT:
        *out = ARB_NOT_DISTINCT;
        return true;
    default:
        return false;
    }
}

static arb_code fail_comparison(arb_binder *b, arb_compare compare, const arb_expr *left, const arb_expr *right,
                                arb_ast_span span)
{
    (void)arb_bind_fail(b, span, ARB_UNDEFINED_FUNCTION, "operator %.*s %s %.*s does not exist",
                        ARB_STR_ARGS(arb_bind_type_text(b, left->type)), arb_compare_symbol(compare),
                        ARB_STR_ARGS(arb_bind_type_text(b, right->type)));
    arb_error_hint(b->error, "values of these types cannot be compared; a CAST may help");
    return ARB_UNDEFINED_FUNCTION;
}

static arb_code at(arb_binder *b, arb_expr *expr, arb_ast_span span, const arb_expr **out)
{
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, span);
    *out = expr;
    return ARB_OK;
}

arb_code arb_bind_compare(arb_binder *b, arb_compare compare, const arb_expr *left, const arb_expr *right,
                          arb_ast_span span, const arb_expr **out)
{
    arb_type type;
    if (!arb_type_common(left->type, right->type, &type))
        return fail_comparison(b, compare, left, right, span);
    if (type.id == ARB_TYPE_NULL)
        type = ARB_TYPE(VARCHAR);
    ARB_TRY(arb_bind_coerce(b, left, type, &left));
    ARB_TRY(arb_bind_coerce(b, right, type, &right));
    return at(b, arb_expr_compare(b->arena, compare, left, right), span, out);
}

static arb_code join_terms(arb_binder *b, bool any, const arb_expr *const *terms, size_t count, const arb_expr **out)
{
    *out = any ? arb_expr_or(b->arena, terms, count) : arb_expr_and(b->arena, terms, count);
    ARB_MADE(b, *out);
    return ARB_OK;
}

/* (a, b) < (c, d): a < c OR (a = c AND b < d), from the last part to the first. */
static arb_code compare_in_order(arb_binder *b, arb_compare compare, const arb_expr *const *left,
                                 const arb_expr *const *right, size_t count, arb_ast_span span, const arb_expr **out)
{
    arb_compare strict = compare == ARB_LESS_EQUAL ? ARB_LESS : compare == ARB_GREATER_EQUAL ? ARB_GREATER : compare;
    ARB_TRY(arb_bind_compare(b, compare, left[count - 1], right[count - 1], span, out));
    for (size_t i = count - 1; i-- > 0;) {
        const arb_expr *equal[2], *either[2];
        ARB_TRY(arb_bind_compare(b, ARB_EQUAL, left[i], right[i], span, &equal[0]));
        equal[1] = *out;
        ARB_TRY(join_terms(b, false, equal, 2, &either[1]));
        ARB_TRY(arb_bind_compare(b, strict, left[i], right[i], span, &either[0]));
        ARB_TRY(join_terms(b, true, either, 2, out));
    }
    return ARB_OK;
}

arb_code arb_bind_compare_rows(arb_binder *b, arb_compare compare, const arb_expr *const *left,
                               const arb_expr *const *right, size_t count, arb_ast_span span, const arb_expr **out)
{
    if (count == 1)
        return arb_bind_compare(b, compare, left[0], right[0], span, out);
    bool ordered =
        compare != ARB_EQUAL && compare != ARB_NOT_EQUAL && compare != ARB_DISTINCT && compare != ARB_NOT_DISTINCT;
    if (ordered)
        return compare_in_order(b, compare, left, right, count, span, out);
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
    ARB_MADE(b, terms);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_bind_compare(b, compare, left[i], right[i], span, &terms[i]));
    return join_terms(b, compare == ARB_NOT_EQUAL || compare == ARB_DISTINCT, terms, count, out);
}

arb_code arb_bind_negated(arb_binder *b, bool negated, const arb_expr *expr, const arb_expr **out)
{
    *out = expr;
    if (!negated)
        return ARB_OK;
    arb_expr *node = arb_expr_not(b->arena, expr);
    ARB_MADE(b, node);
    node->position = expr->position;
    *out = node;
    return ARB_OK;
}

/* ---- patterns ----------------------------------------------------------------------------------------------------- */
static arb_code bind_pattern(arb_binder *b, const char *function, bool negated, const arb_expr *const *arguments,
                             size_t count, arb_ast_span span, const arb_expr **out)
{
    ARB_TRY(arb_bind_function(b, arb_str_of(function), arguments, count, span, out));
    return arb_bind_negated(b, negated, *out, out);
}

arb_code arb_bind_like(arb_binder *b, arb_scope *scope, const arb_ast_like *like, const arb_expr **out)
{
    static const char *const functions[] = {
        [ARB_AST_PATTERN_LIKE] = "like",
        [ARB_AST_PATTERN_ILIKE] = "ilike",
        [ARB_AST_PATTERN_SIMILAR] = "similar_to",
        [ARB_AST_PATTERN_GLOB] = "glob",
    };
    const arb_expr *arguments[3];
    ARB_TRY(arb_bind_expr(b, scope, like->operand, &arguments[0]));
    ARB_TRY(arb_bind_expr(b, scope, like->pattern, &arguments[1]));
    if (like->escape != NULL)
        ARB_TRY(arb_bind_expr(b, scope, like->escape, &arguments[2]));
    return bind_pattern(b, functions[like->type], like->negated, arguments, like->escape != NULL ? 3 : 2,
                        like->base.span, out);
}

arb_code arb_bind_operator_condition(arb_binder *b, arb_ast_operator op, const arb_expr *const *left,
                                     const arb_expr *const *right, size_t count, arb_ast_span span,
                                     const arb_expr **out)
{
    arb_compare compare;
    if (arb_bind_comparison_of(op, &compare))
        return arb_bind_compare_rows(b, compare, left, right, count, span, out);
    if (count != 1)
        return arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "rows can only be compared, not %s",
                             arb_ast_operator_text(op));
    const arb_expr *arguments[] = {left[0], right[0]};
    switch (op) {
    case ARB_AST_OP_LIKE_OP:
    case ARB_AST_OP_NOT_LIKE_OP:
        return bind_pattern(b, "like", op == ARB_AST_OP_NOT_LIKE_OP, arguments, 2, span, out);
    case ARB_AST_OP_ILIKE_OP:
    case ARB_AST_OP_NOT_ILIKE_OP:
        return bind_pattern(b, "ilike", op == ARB_AST_OP_NOT_ILIKE_OP, arguments, 2, span, out);
    case ARB_AST_OP_NOT_REGEX:
    case ARB_AST_OP_NOT_REGEX_NOCASE:
        return bind_pattern(b, op == ARB_AST_OP_NOT_REGEX ? "~" : "~*", true, arguments, 2, span, out);
    case ARB_AST_OP_STARTS_WITH:
        return arb_bind_function(b, ARB_STR("starts_with"), arguments, 2, span, out);
    default:
        return arb_bind_function(b, arb_str_of(arb_ast_operator_text(op)), arguments, 2, span, out);
    }
}

/* ---- BETWEEN, IS -------------------------------------------------------------------------------------------------- */
static arb_code bind_range(arb_binder *b, const arb_expr *operand, const arb_expr *low, const arb_expr *high,
                           arb_ast_span span, const arb_expr **out)
{
    const arb_expr *terms[2];
    ARB_TRY(arb_bind_compare(b, ARB_GREATER_EQUAL, operand, low, span, &terms[0]));
    ARB_TRY(arb_bind_compare(b, ARB_LESS_EQUAL, operand, high, span, &terms[1]));
    return join_terms(b, false, terms, 2, out);
}

arb_code arb_bind_between(arb_binder *b, arb_scope *scope, const arb_ast_between *between, const arb_expr **out)
{
    const arb_expr *operand, *low, *high, *ranges[2];
    ARB_TRY(arb_bind_expr(b, scope, between->operand, &operand));
    ARB_TRY(arb_bind_expr(b, scope, between->low, &low));
    ARB_TRY(arb_bind_expr(b, scope, between->high, &high));
    ARB_TRY(arb_bind_once(b, scope, ARB_STR("value"), between->base.span, &operand));
    if (between->symmetric) {
        ARB_TRY(arb_bind_once(b, scope, ARB_STR("value"), between->base.span, &low));
        ARB_TRY(arb_bind_once(b, scope, ARB_STR("value"), between->base.span, &high));
    }
    ARB_TRY(bind_range(b, operand, low, high, between->base.span, out));
    if (between->symmetric) {
        ranges[0] = *out;
        ARB_TRY(bind_range(b, operand, high, low, between->base.span, &ranges[1]));
        ARB_TRY(join_terms(b, true, ranges, 2, out));
    }
    return arb_bind_negated(b, between->negated, *out, out);
}

arb_code arb_bind_is(arb_binder *b, arb_scope *scope, const arb_ast_is *is, const arb_expr **out)
{
    const arb_expr *operand, *truth;
    if (is->test != ARB_AST_NULL) {
        ARB_TRY(arb_bind_condition(b, scope, is->operand, "IS", &operand));
        ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BOOLEAN), .boolean = is->test == ARB_AST_TRUE},
                                  is->base.span, &truth));
        return arb_bind_compare(b, is->negated ? ARB_DISTINCT : ARB_NOT_DISTINCT, operand, truth, is->base.span, out);
    }
    /* A row is NULL when all of it is, and is not when nothing of it is. */
    arb_expr_list row = {0};
    ARB_TRY(arb_bind_row(b, scope, is->operand, &row));
    for (size_t i = 0; i < row.size; i++) {
        ARB_TRY(arb_bind_settle(b, row.data[i], &operand));
        ARB_TRY(at(b, arb_expr_is_null(b->arena, operand), is->base.span, &row.data[i]));
        ARB_TRY(arb_bind_negated(b, is->negated, row.data[i], &row.data[i]));
    }
    return join_terms(b, false, row.data, row.size, out);
}

arb_code arb_bind_all_once(arb_binder *b, arb_scope *scope, arb_ast_span span, arb_expr_list *row)
{
    for (size_t i = 0; i < row->size; i++)
        ARB_TRY(arb_bind_once(b, scope, ARB_STR("value"), span, &row->data[i]));
    return ARB_OK;
}

/* ---- IN ----------------------------------------------------------------------------------------------------------- */
/* operand IN (items), all of one type by now. */
static arb_code bind_in_items(arb_binder *b, const arb_expr *operand, const arb_expr *const *items, size_t count,
                              arb_ast_span span, const arb_expr **out)
{
    const arb_expr **constants = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count + 1);
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count + 1);
    size_t constant_count = 0, term_count = 0;
    ARB_MADE_IF(b, constants != NULL && terms != NULL);
    constants[0] = operand;
    for (size_t i = 0; i < count; i++) {
        if (items[i]->kind == ARB_EXPR_CONSTANT && !items[i]->value.is_null)
            constants[++constant_count] = items[i];
    }
    bool list = constant_count >= in_constants_least;
    if (list)
        ARB_TRY(at(b, arb_expr_in(b->arena, constants, constant_count + 1), span, &terms[term_count++]));
    for (size_t i = 0; i < count; i++) {
        bool listed = list && items[i]->kind == ARB_EXPR_CONSTANT && !items[i]->value.is_null;
        if (!listed)
            ARB_TRY(at(b, arb_expr_compare(b->arena, ARB_EQUAL, operand, items[i]), span, &terms[term_count++]));
    }
    return join_terms(b, true, terms, term_count, out);
}

static arb_code bind_in_values(arb_binder *b, arb_scope *scope, const arb_expr *operand, const arb_ast_exprs *list,
                               arb_ast_span span, const arb_expr **out)
{
    const arb_expr **all = ARB_ARENA_ARRAY(b->arena, const arb_expr *, list->size + 1);
    arb_type type;
    ARB_MADE(b, all);
    all[0] = operand;
    for (size_t i = 0; i < list->size; i++)
        ARB_TRY(arb_bind_expr(b, scope, list->data[i], &all[i + 1]));
    ARB_TRY(arb_bind_unify(b, all, list->size + 1, "IN", &type));
    return bind_in_items(b, all[0], all + 1, list->size, span, out);
}

static arb_code fail_width(arb_binder *b, size_t left, size_t right, arb_ast_span span)
{
    return arb_bind_fail(b, span, ARB_DATATYPE_MISMATCH, "a row of %zu value%s cannot be compared with one of %zu",
                         left, left == 1 ? "" : "s", right);
}

static arb_code bind_in_rows(arb_binder *b, arb_scope *scope, const arb_expr_list *operand, const arb_ast_exprs *list,
                             arb_ast_span span, const arb_expr **out)
{
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, list->size);
    ARB_MADE(b, terms);
    for (size_t i = 0; i < list->size; i++) {
        arb_expr_list row = {0};
        ARB_TRY(arb_bind_row(b, scope, list->data[i], &row));
        if (row.size != operand->size)
            return fail_width(b, operand->size, row.size, list->data[i]->span);
        ARB_TRY(arb_bind_compare_rows(b, ARB_EQUAL, operand->data, row.data, row.size, span, &terms[i]));
    }
    return join_terms(b, true, terms, list->size, out);
}

static const arb_ast_exprs *elements_of(const arb_ast_expr *collection)
{
    if (collection->kind == ARB_AST_LIST)
        return &arb_ast_as_list(collection)->elements;
    return collection->kind == ARB_AST_ROW ? &arb_ast_as_row(collection)->elements : NULL;
}

arb_code arb_bind_in(arb_binder *b, arb_scope *scope, const arb_ast_in *in, const arb_expr **out)
{
    arb_expr_list operand = {0};
    ARB_TRY(arb_bind_row(b, scope, in->operand, &operand));
    const arb_ast_exprs *list = in->collection != NULL ? elements_of(in->collection) : &in->list;
    ARB_TRY(arb_bind_all_once(b, scope, in->base.span, &operand));
    if (in->query != NULL)
        ARB_TRY(arb_bind_any(b, scope, operand.data, operand.size, ARB_AST_OP_EQUAL, in->query, in->base.span, out));
    else if (list == NULL)
        return arb_bind_fail(b, in->collection->span, ARB_NOT_SUPPORTED, "IN with a list value is not supported");
    else if (operand.size == 1)
        ARB_TRY(bind_in_values(b, scope, operand.data[0], list, in->base.span, out));
    else
        ARB_TRY(bind_in_rows(b, scope, &operand, list, in->base.span, out));
    return arb_bind_negated(b, in->negated, *out, out);
}

/* ---- ANY, ALL ----------------------------------------------------------------------------------------------------- */
static arb_code bind_quantified_list(arb_binder *b, arb_scope *scope, const arb_ast_quantified *quantified,
                                     const arb_expr_list *operand, const arb_expr **out)
{
    const arb_ast_exprs *list = elements_of(quantified->collection);
    if (list == NULL)
        return arb_bind_fail(b, quantified->collection->span, ARB_NOT_SUPPORTED,
                             "ANY and ALL with a list value are not supported");
    const arb_expr **terms = ARB_ARENA_ARRAY(b->arena, const arb_expr *, list->size);
    ARB_MADE(b, terms);
    for (size_t i = 0; i < list->size; i++) {
        arb_expr_list row = {0};
        ARB_TRY(arb_bind_row(b, scope, list->data[i], &row));
        if (row.size != operand->size)
            return fail_width(b, operand->size, row.size, list->data[i]->span);
        ARB_TRY(arb_bind_operator_condition(b, quantified->op, operand->data, row.data, row.size, quantified->base.span,
                                            &terms[i]));
        ARB_TRY(arb_bind_to_boolean(b, terms[i], quantified->all ? "ALL" : "ANY", &terms[i]));
    }
    return join_terms(b, !quantified->all, terms, list->size, out);
}

/* The operator that holds exactly where the other does not: x op ALL is NOT (x other ANY). */
static bool opposite(arb_ast_operator op, arb_ast_operator *out)
{
    static const arb_ast_operator pairs[][2] = {
        {ARB_AST_OP_EQUAL, ARB_AST_OP_NOT_EQUAL},       {ARB_AST_OP_LESS, ARB_AST_OP_GREATER_EQUAL},
        {ARB_AST_OP_LESS_EQUAL, ARB_AST_OP_GREATER},    {ARB_AST_OP_LIKE_OP, ARB_AST_OP_NOT_LIKE_OP},
        {ARB_AST_OP_ILIKE_OP, ARB_AST_OP_NOT_ILIKE_OP}, {ARB_AST_OP_DISTINCT, ARB_AST_OP_NOT_DISTINCT},
        {ARB_AST_OP_REGEX, ARB_AST_OP_NOT_REGEX},       {ARB_AST_OP_REGEX_NOCASE, ARB_AST_OP_NOT_REGEX_NOCASE},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(pairs); i++) {
        if (pairs[i][0] == op || pairs[i][1] == op) {
            *out = pairs[i][pairs[i][0] == op];
            return true;
        }
    }
    return false;
}

arb_code arb_bind_quantified(arb_binder *b, arb_scope *scope, const arb_ast_quantified *quantified,
                             const arb_expr **out)
{
    arb_expr_list operand = {0};
    arb_ast_span span = quantified->base.span;
    ARB_TRY(arb_bind_row(b, scope, quantified->operand, &operand));
    ARB_TRY(arb_bind_all_once(b, scope, span, &operand));
    if (quantified->query == NULL)
        return bind_quantified_list(b, scope, quantified, &operand, out);
    arb_ast_operator op = quantified->op;
    if (quantified->all && !opposite(quantified->op, &op))
        return arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "%s ALL is not supported", arb_ast_operator_text(op));
    ARB_TRY(arb_bind_any(b, scope, operand.data, operand.size, op, quantified->query, span, out));
    return arb_bind_negated(b, quantified->all, *out, out);
}
