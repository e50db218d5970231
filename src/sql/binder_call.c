/* binder_call.c: scalar functions and operators, by the registry of expr/function.h. */
#include "sql/binder_internal.h"

/* What the registry may look at: the literals. */
static arb_code describe_arguments(arb_binder *b, const arb_expr *const *arguments, size_t count, arb_argument **out)
{
    *out = ARB_ARENA_ARRAY(b->arena, arb_argument, count);
    ARB_MADE(b, *out);
    for (size_t i = 0; i < count; i++) {
        (*out)[i].type = arguments[i]->type;
        if (arguments[i]->kind != ARB_EXPR_CONSTANT)
            continue;
        arb_value *value = ARB_ARENA_NEW(b->arena, arb_value);
        ARB_MADE(b, value);
        *value = arguments[i]->value;
        if (arb_bind_is_untyped(arguments[i]) && !value->is_null)
            value->type = ARB_TYPE(VARCHAR);
        (*out)[i].constant = value;
    }
    return ARB_OK;
}

arb_code arb_bind_arguments(arb_binder *b, arb_function_kind kind, arb_str name, const arb_expr **arguments,
                            size_t count, arb_ast_span span, const arb_function **out_function, arb_type *out_result)
{
    arb_argument *described;
    ARB_TRY(describe_arguments(b, arguments, count, &described));
    arb_code code = arb_function_bind(kind, name, described, count, out_function, out_result, b->error);
    if (code != ARB_OK)
        return arb_error_at(b->error, code, arb_bind_position(b, span));
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_bind_coerce(b, arguments[i], described[i].type, &arguments[i]));
    return ARB_OK;
}

arb_code arb_bind_function(arb_binder *b, arb_str name, const arb_expr *const *arguments, size_t count,
                           arb_ast_span span, const arb_expr **out)
{
    const arb_expr **converted = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
    const arb_function *function;
    arb_type result;
    ARB_MADE(b, converted);
    for (size_t i = 0; i < count; i++)
        converted[i] = arguments[i];
    ARB_TRY(arb_bind_arguments(b, ARB_FUNCTION_SCALAR, name, converted, count, span, &function, &result));
    arb_expr *expr = arb_expr_call(b->arena, function, result, converted, count);
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, span);
    *out = expr;
    return ARB_OK;
}

/* What only aggregates take must not be given to others. */
static arb_code check_plain(arb_binder *b, const arb_ast_call *call)
{
    arb_str name = call->name.data[call->name.size - 1].text;
    const char *what = call->distinct                 ? "DISTINCT"
                       : call->filter != NULL         ? "FILTER"
                       : call->order_by.size != 0     ? "ORDER BY"
                       : call->within_group.size != 0 ? "WITHIN GROUP"
                       : call->ignore_nulls           ? "IGNORE NULLS"
                                                      : NULL;
    if (what == NULL)
        return ARB_OK;
    return arb_bind_fail(b, call->base.span, ARB_WRONG_OBJECT_TYPE,
                         "%s is given, but %.*s is not an aggregate function", what, ARB_STR_ARGS(name));
}

static arb_code bind_scalar(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out)
{
    arb_str name = call->name.data[call->name.size - 1].text;
    size_t count = call->arguments.size;
    const arb_expr **arguments = ARB_ARENA_ARRAY(b->arena, const arb_expr *, count);
    ARB_MADE(b, arguments);
    if (arb_function_find(ARB_FUNCTION_SCALAR, name) != NULL)
        ARB_TRY(check_plain(b, call));
    for (size_t i = 0; i < count; i++) {
        if (call->arguments.data[i].name.text.size != 0)
            return arb_bind_fail(b, call->arguments.data[i].name.span, ARB_NOT_SUPPORTED,
                                 "named arguments are not supported");
        ARB_TRY(arb_bind_expr(b, scope, call->arguments.data[i].value, &arguments[i]));
    }
    if (call->form == ARB_AST_CALL_EXTRACT)
        name = ARB_STR("date_part");
    if (call->form == ARB_AST_CALL_POSITION && count == 2) {
        const arb_expr *needle = arguments[0];
        name = ARB_STR("strpos");
        arguments[0] = arguments[1];
        arguments[1] = needle;
    }
    return arb_bind_function(b, name, arguments, count, call->base.span, out);
}

arb_code arb_bind_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out)
{
    *out = NULL;
    if (call->over != NULL)
        return arb_bind_fail(b, call->base.span, ARB_NOT_SUPPORTED, "window functions are not supported");
    ARB_TRY(arb_bind_special_call(b, scope, call, out));
    if (*out != NULL)
        return ARB_OK;
    arb_str name = call->name.data[call->name.size - 1].text;
    if (call->within_group.size != 0 || arb_function_find(ARB_FUNCTION_AGGREGATE, name) != NULL)
        return arb_bind_aggregate(b, scope, call, out);
    return bind_scalar(b, scope, call, out);
}
