/* binder_expr.c: expressions, by kind. */
#include "sql/binder_internal.h"

static arb_code enter(arb_binder *b, arb_ast_span span, size_t levels)
{
    if (levels > ARB_BIND_HEIGHT_MAX || b->height + levels > ARB_BIND_HEIGHT_MAX)
        return arb_bind_fail(b, span, ARB_STATEMENT_TOO_COMPLEX, "an expression has more than %d levels",
                             ARB_BIND_HEIGHT_MAX);
    b->height += (unsigned)levels;
    return ARB_OK;
}

static arb_code refuse(arb_binder *b, const arb_ast_expr *syntax, const char *what)
{
    return arb_bind_fail(b, syntax->span, ARB_NOT_SUPPORTED, "%s not supported", what);
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */
/* What is volatile would be another value than the one that is selected, unless it is what is grouped by. */
static arb_code check_alias(arb_binder *b, const arb_scope *scope, const arb_ast_name *name, const arb_expr *expr)
{
    if (scope->clause->groups || arb_expr_deterministic(expr))
        return ARB_OK;
    for (size_t i = 0; scope->grouping != NULL && i < scope->grouping->groups.size; i++)
        if (arb_expr_equal(scope->grouping->groups.data[i].expr, expr))
            return ARB_OK;
    return arb_bind_fail(b, name->span, ARB_NOT_SUPPORTED,
                         "\"%.*s\" is volatile: %s cannot use it by its name; select it in a subquery",
                         ARB_STR_ARGS(name->text), scope->clause->name);
}

/* An alias of the select list, for a name that no table has. What it stands for is bound again where its columns are
 * not there yet: below the grouping, or below the subqueries of the select list. */
static arb_code bind_alias(arb_binder *b, arb_scope *scope, const arb_ast_name *name, const arb_expr **out)
{
    *out = NULL;
    for (size_t i = 0; scope->items != NULL && i < scope->items->size; i++) {
        arb_select_item *item = &scope->items->data[i];
        if (item->alias.text.size == 0 || !arb_name_matches(name, item->alias.text))
            continue;
        if (item->busy)
            continue;
        bool early = item->grouped || (!item->has_subquery && (!item->aggregated || scope->clause->aggregates));
        if (item->expr != NULL && (scope->clause->selects || early)) {
            scope->aggregate_uses += item->aggregated;
            scope->subquery_uses += item->has_subquery;
            *out = item->expr;
            return ARB_OK;
        }
        if (++b->alias_steps > ARB_BIND_ALIAS_STEPS_MAX)
            return arb_bind_fail(b, name->span, ARB_STATEMENT_TOO_COMPLEX, "aliases refer to each other too often");
        item->busy = true;
        b->alias_depth++;
        arb_code code = arb_bind_expr(b, scope, item->syntax, out);
        b->alias_depth--;
        scope->items->data[i].busy = false;
        return code != ARB_OK ? code : check_alias(b, scope, name, *out);
    }
    return ARB_OK;
}

static arb_code bind_column(arb_binder *b, arb_scope *scope, const arb_ast_column *column, const arb_expr **out)
{
    ARB_TRY(arb_scope_find(b, scope, column, out));
    if (*out == NULL)
        ARB_TRY(bind_alias(b, scope, &column->parts.data[0], out));
    return *out != NULL ? ARB_OK : arb_scope_fail_unknown(b, scope, &column->parts.data[0]);
}

static arb_code bind_ordinal(arb_binder *b, arb_scope *scope, const arb_ast_ordinal *ordinal, const arb_expr **out)
{
    arb_scope_columns columns = {0};
    ARB_TRY(arb_scope_star(b, scope, &(arb_ast_star){.base = ordinal->base}, &columns));
    if (ordinal->number == 0 || ordinal->number > columns.size)
        return arb_bind_fail(b, ordinal->base.span, ARB_INVALID_COLUMN_REFERENCE, "there is no column #%u",
                             (unsigned)ordinal->number);
    *out = columns.data[ordinal->number - 1]->expr;
    return ARB_OK;
}

/* ---- operators ---------------------------------------------------------------------------------------------------- */
static arb_code bind_unary(arb_binder *b, arb_scope *scope, const arb_ast_unary *unary, const arb_expr **out)
{
    const arb_expr *operand;
    if (unary->op == ARB_AST_NOT) {
        ARB_TRY(arb_bind_condition(b, scope, unary->operand, "NOT", &operand));
        return arb_bind_negated(b, true, operand, out);
    }
    ARB_TRY(arb_bind_expr(b, scope, unary->operand, &operand));
    switch (unary->op) {
    case ARB_AST_PLUS:
        if (!arb_bind_is_untyped(operand) && !arb_type_is_numeric(operand->type) &&
            operand->type.id != ARB_TYPE_INTERVAL)
            return arb_bind_fail(b, unary->base.span, ARB_UNDEFINED_FUNCTION, "operator + %.*s does not exist",
                                 ARB_STR_ARGS(arb_bind_type_text(b, operand->type)));
        *out = operand;
        return ARB_OK;
    case ARB_AST_BIT_NOT:
        return arb_bind_function(b, ARB_STR("~"), &operand, 1, unary->base.span, out);
    case ARB_AST_ABSOLUTE:
        return arb_bind_function(b, ARB_STR("abs"), &operand, 1, unary->base.span, out);
    default:
        return arb_bind_function(b, ARB_STR("-"), &operand, 1, unary->base.span, out);
    }
}

static arb_code bind_comparison(arb_binder *b, arb_scope *scope, const arb_ast_operation *operation,
                                const arb_expr **out)
{
    const arb_ast_step *step = &operation->steps.data[0];
    arb_expr_list left = {0}, right = {0};
    ARB_TRY(arb_bind_row(b, scope, operation->first, &left));
    ARB_TRY(arb_bind_row(b, scope, step->operand, &right));
    if (left.size != right.size)
        return arb_bind_fail(b, step->span, ARB_DATATYPE_MISMATCH,
                             "a row of %zu value%s cannot be compared with one of %zu", left.size,
                             left.size == 1 ? "" : "s", right.size);
    if (left.size > 1) { /* (a, b) < (c, d) compares a and c twice */
        ARB_TRY(arb_bind_all_once(b, scope, step->span, &left));
        ARB_TRY(arb_bind_all_once(b, scope, step->span, &right));
    }
    return arb_bind_operator_condition(b, step->op, left.data, right.data, left.size, step->span, out);
}

static arb_code bind_operation(arb_binder *b, arb_scope *scope, const arb_ast_operation *operation,
                               const arb_expr **out)
{
    arb_compare compare;
    size_t count = operation->steps.size;
    if (count == 1 && arb_bind_comparison_of(operation->steps.data[0].op, &compare))
        return bind_comparison(b, scope, operation, out);
    /* The first operand will lie as deep as there are steps. */
    ARB_TRY(enter(b, operation->base.span, count));
    ARB_TRY(arb_bind_expr(b, scope, operation->first, out));
    for (size_t i = 0; i < count; i++) {
        const arb_ast_step *step = &operation->steps.data[i];
        const arb_expr *left = *out, *right;
        b->height--;
        ARB_TRY(arb_bind_expr(b, scope, step->operand, &right));
        ARB_TRY(arb_bind_operator_condition(b, step->op, &left, &right, 1, step->span, out));
    }
    return ARB_OK;
}

static arb_code bind_logical(arb_binder *b, arb_scope *scope, const arb_ast_logical *logical, const arb_expr **out)
{
    size_t count = logical->operands.size;
    const arb_expr **operands = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
    ARB_MADE(b, operands);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_bind_condition(b, scope, logical->operands.data[i], logical->is_or ? "OR" : "AND", &operands[i]));
    *out = logical->is_or ? arb_expr_or(b->arena, operands, count) : arb_expr_and(b->arena, operands, count);
    ARB_MADE(b, *out);
    return ARB_OK;
}

/* ---- CASE, CAST --------------------------------------------------------------------------------------------------- */
/* CASE's results are every second child, and the last one. */
static arb_code unify_results(arb_binder *b, const arb_expr **children, size_t count, arb_type *out_type)
{
    size_t results = count / 2 + 1;
    const arb_expr **list = ARB_ARENA_ARRAY(b->arena, const arb_expr *, results);
    ARB_MADE(b, list);
    for (size_t i = 0; i < results; i++)
        list[i] = children[i + 1 == results ? count - 1 : 2 * i + 1];
    ARB_TRY(arb_bind_unify(b, list, results, "CASE", out_type));
    for (size_t i = 0; i < results; i++)
        children[i + 1 == results ? count - 1 : 2 * i + 1] = list[i];
    return ARB_OK;
}

static arb_code bind_once(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const arb_expr **out)
{
    ARB_TRY(arb_bind_expr(b, scope, syntax, out));
    return arb_bind_once(b, scope, ARB_STR("value"), syntax->span, out);
}

arb_code arb_bind_case(arb_binder *b, arb_scope *scope, const arb_ast_case *syntax, const arb_expr **out)
{
    size_t whens = syntax->whens.size, count = 2 * whens + 1;
    const arb_expr **children = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count), *operand = NULL;
    ARB_MADE(b, children);
    if (syntax->operand != NULL)
        ARB_TRY(bind_once(b, scope, syntax->operand, &operand));
    for (size_t i = 0; i < whens; i++) {
        const arb_ast_when *when = &syntax->whens.data[i];
        if (operand != NULL) {
            ARB_TRY(arb_bind_expr(b, scope, when->when, &children[2 * i]));
            ARB_TRY(arb_bind_compare(b, ARB_EQUAL, operand, children[2 * i], when->when->span, &children[2 * i]));
        } else {
            ARB_TRY(arb_bind_condition(b, scope, when->when, "CASE WHEN", &children[2 * i]));
        }
        ARB_TRY(arb_bind_expr(b, scope, when->then, &children[2 * i + 1]));
    }
    if (syntax->otherwise != NULL)
        ARB_TRY(arb_bind_expr(b, scope, syntax->otherwise, &children[count - 1]));
    else
        ARB_TRY(arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), syntax->base.span, &children[count - 1]));
    arb_type type;
    ARB_TRY(unify_results(b, children, count, &type));
    arb_expr *expr = arb_expr_case(b->arena, type, children, count);
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, syntax->base.span);
    *out = expr;
    return ARB_OK;
}

/* To varchar(n) a cast cuts the text off. */
static arb_code bind_cast(arb_binder *b, arb_scope *scope, const arb_ast_cast *cast, const arb_expr **out)
{
    const arb_expr *operand;
    arb_type type;
    uint32_t length;
    ARB_TRY(arb_bind_type(b, cast->type, &type, &length));
    ARB_TRY(arb_bind_expr(b, scope, cast->operand, &operand));
    ARB_TRY(arb_bind_cast(b, operand, type, cast->try, cast->base.span, out));
    if (length == 0)
        return ARB_OK;
    const arb_expr *arguments[2] = {*out};
    ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(INTEGER), .integer = length}, cast->base.span,
                              &arguments[1]));
    return arb_bind_function(b, ARB_STR("left"), arguments, 2, cast->base.span, out);
}

static arb_code bind_collate(arb_binder *b, arb_scope *scope, const arb_ast_collate *collate, const arb_expr **out)
{
    static const char *const by_bytes[] = {"C", "POSIX", "binary", "ucs_basic", "default"};
    const arb_ast_name *name = &collate->collation.data[collate->collation.size - 1];
    for (size_t i = 0; i < ARB_COUNT_OF(by_bytes); i++) {
        if (arb_str_equal_nocase(name->text, arb_str_of(by_bytes[i])))
            return arb_bind_expr(b, scope, collate->operand, out);
    }
    return arb_bind_fail(b, name->span, ARB_NOT_SUPPORTED,
                         "collation \"%.*s\" is not supported: text compares by bytes", ARB_STR_ARGS(name->text));
}

/* ---- by kind ------------------------------------------------------------------------------------------------------ */
static arb_code bind_kind(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const arb_expr **out)
{
    switch (syntax->kind) {
    case ARB_AST_LITERAL:
        return arb_bind_literal(b, arb_ast_as_literal(syntax), out);
    case ARB_AST_TYPED_LITERAL:
        return arb_bind_typed_literal(b, arb_ast_as_typed_literal(syntax), out);
    case ARB_AST_INTERVAL:
        return arb_bind_interval(b, scope, arb_ast_as_interval(syntax), out);
    case ARB_AST_COLUMN:
        return bind_column(b, scope, arb_ast_as_column(syntax), out);
    case ARB_AST_ORDINAL:
        return bind_ordinal(b, scope, arb_ast_as_ordinal(syntax), out);
    case ARB_AST_UNARY:
        return bind_unary(b, scope, arb_ast_as_unary(syntax), out);
    case ARB_AST_OPERATION:
        return bind_operation(b, scope, arb_ast_as_operation(syntax), out);
    case ARB_AST_LOGICAL:
        return bind_logical(b, scope, arb_ast_as_logical(syntax), out);
    case ARB_AST_IS:
        return arb_bind_is(b, scope, arb_ast_as_is(syntax), out);
    case ARB_AST_BETWEEN:
        return arb_bind_between(b, scope, arb_ast_as_between(syntax), out);
    case ARB_AST_IN:
        return arb_bind_in(b, scope, arb_ast_as_in(syntax), out);
    case ARB_AST_LIKE:
        return arb_bind_like(b, scope, arb_ast_as_like(syntax), out);
    case ARB_AST_QUANTIFIED:
        return arb_bind_quantified(b, scope, arb_ast_as_quantified(syntax), out);
    case ARB_AST_SUBQUERY:
        return arb_bind_subquery(b, scope, arb_ast_as_subquery(syntax), out);
    case ARB_AST_CALL:
        return arb_bind_call(b, scope, arb_ast_as_call(syntax), out);
    case ARB_AST_CASE:
        return arb_bind_case(b, scope, arb_ast_as_case(syntax), out);
    case ARB_AST_CAST:
        return bind_cast(b, scope, arb_ast_as_cast(syntax), out);
    case ARB_AST_COLLATE:
        return bind_collate(b, scope, arb_ast_as_collate(syntax), out);
    case ARB_AST_PARAMETER:
        return arb_bind_parameter(b, arb_ast_as_parameter(syntax), out);
    case ARB_AST_DEFAULT:
        return arb_bind_fail(b, syntax->span, ARB_SYNTAX, "DEFAULT is only allowed in the VALUES of an INSERT");
    case ARB_AST_STAR:
        return arb_bind_fail(b, syntax->span, ARB_SYNTAX, "* is not allowed here");
    case ARB_AST_COLUMNS:
        return refuse(b, syntax, "COLUMNS(…) is");
    case ARB_AST_ROW:
        return refuse(b, syntax, "row values outside of comparisons are");
    case ARB_AST_LIST:
        return refuse(b, syntax, "list values are");
    case ARB_AST_STRUCT:
        return refuse(b, syntax, "struct values are");
    case ARB_AST_MAP:
        return refuse(b, syntax, "map values are");
    case ARB_AST_LAMBDA:
        return refuse(b, syntax, "lambda functions are");
    case ARB_AST_SUBSCRIPT:
        return refuse(b, syntax, "subscripts are");
    case ARB_AST_FIELD:
        return refuse(b, syntax, "fields of structs are");
    }
    return arb_bind_fail(b, syntax->span, ARB_INTERNAL, "unknown kind of expression");
}

arb_code arb_bind_expr(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const arb_expr **out)
{
    unsigned height = b->height;
    ARB_TRY(enter(b, syntax->span, 1));
    if (b->alias_depth != 0 && ++b->alias_steps > ARB_BIND_ALIAS_STEPS_MAX)
        return arb_bind_fail(b, syntax->span, ARB_STATEMENT_TOO_COMPLEX, "aliases refer to each other too often");
    arb_code code = bind_kind(b, scope, syntax, out);
    b->height = height;
    return code;
}

arb_code arb_bind_condition(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const char *what,
                            const arb_expr **out)
{
    const arb_expr *expr;
    ARB_TRY(arb_bind_expr(b, scope, syntax, &expr));
    return arb_bind_to_boolean(b, expr, what, out);
}

arb_code arb_bind_row(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, arb_expr_list *out)
{
    if (syntax->kind == ARB_AST_SUBQUERY && arb_ast_as_subquery(syntax)->type == ARB_AST_SCALAR)
        return arb_bind_subquery_row(b, scope, arb_ast_as_subquery(syntax), out);
    const arb_expr *expr;
    if (syntax->kind != ARB_AST_ROW) {
        ARB_TRY(arb_bind_expr(b, scope, syntax, &expr));
        ARB_PUSH(b, out, expr);
        return ARB_OK;
    }
    const arb_ast_row *row = arb_ast_as_row(syntax);
    for (size_t i = 0; i < row->elements.size; i++) {
        ARB_TRY(arb_bind_expr(b, scope, row->elements.data[i], &expr));
        ARB_PUSH(b, out, expr);
    }
    return ARB_OK;
}

arb_code arb_bind_constant_value(arb_binder *b, const arb_ast_expr *syntax, const char *what, arb_type type,
                                 arb_value *out)
{
    const arb_clause clause = {.name = what};
    arb_scope scope = {.depth = 1, .clause = &clause};
    const arb_expr *expr;
    ARB_TRY(arb_bind_expr(b, &scope, syntax, &expr));
    ARB_TRY(arb_bind_assign(b, expr, type, arb_str_of(what), &expr));
    if (!arb_expr_is_constant(expr))
        return arb_bind_fail(b, syntax->span, ARB_NOT_SUPPORTED, "%s must be a constant", what);
    arb_code code = arb_expr_evaluate_constant(b->arena, expr, out, b->error);
    return code == ARB_OK ? ARB_OK : arb_error_at(b->error, code, arb_bind_position(b, syntax->span));
}
