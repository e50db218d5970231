/* binder_coerce.c: conversions that are not asked for, and casts that are. */
#include "sql/binder_internal.h"

arb_str arb_bind_type_text(arb_binder *b, arb_type type)
{
    arb_text text = {0};
    if (type.id == ARB_TYPE_NULL)
        arb_text_append_str(&text, ARB_STR("unknown"));
    else
        arb_type_print(&text, type);
    arb_str copy = arb_str_copy(b->arena, arb_text_view(&text));
    arb_text_reset(&text);
    return copy.data != NULL ? copy : ARB_STR("?");
}

/* The literal as a constant of the type; its text must read as one. */
static arb_code type_literal(arb_binder *b, const arb_expr *literal, arb_type type, const arb_expr **out)
{
    arb_value value = literal->value, converted = arb_value_null(type);
    arb_bind_note_type(b, literal, type);
    if (!value.is_null) {
        value.type = ARB_TYPE(VARCHAR);
        arb_code code = arb_value_cast(b->arena, &value, type, &converted, b->error);
        if (code != ARB_OK) {
            if (b->error != NULL)
                b->error->position = 0; /* of the cast that was made up */
            return arb_error_at(b->error, code, literal->position);
        }
    }
    arb_expr *expr = arb_expr_constant(b->arena, converted);
    ARB_MADE(b, expr);
    expr->position = literal->position;
    *out = expr;
    return ARB_OK;
}

static arb_code make_cast(arb_binder *b, const arb_expr *expr, arb_type type, bool try_cast, const arb_expr **out)
{
    *out = expr;
    if (arb_type_equal(expr->type, type))
        return ARB_OK;
    arb_expr *cast = (arb_expr *)arb_expr_cast(b->arena, expr, type, try_cast);
    ARB_MADE(b, cast);
    cast->position = expr->position;
    *out = cast;
    return ARB_OK;
}

arb_code arb_bind_coerce(arb_binder *b, const arb_expr *expr, arb_type type, const arb_expr **out)
{
    if (arb_bind_is_untyped(expr) && expr->kind == ARB_EXPR_CONSTANT)
        return type_literal(b, expr, type, out);
    if (expr->kind != ARB_EXPR_CONSTANT || arb_type_equal(expr->type, type))
        return make_cast(b, expr, type, false, out);
    /* A constant that cannot be converted fails when it is evaluated, if it is. */
    arb_error ignored = {0};
    arb_value value;
    arb_code code = arb_value_cast(b->arena, &expr->value, type, &value, &ignored);
    if (code == ARB_OUT_OF_MEMORY)
        return arb_bind_out_of_memory(b);
    if (code != ARB_OK)
        return make_cast(b, expr, type, false, out);
    arb_expr *constant = arb_expr_constant(b->arena, value);
    ARB_MADE(b, constant);
    constant->position = expr->position;
    *out = constant;
    return ARB_OK;
}

arb_code arb_bind_settle(arb_binder *b, const arb_expr *expr, const arb_expr **out)
{
    *out = expr;
    return arb_bind_is_untyped(expr) ? arb_bind_coerce(b, expr, ARB_TYPE(VARCHAR), out) : ARB_OK;
}

/* Storing may also narrow numbers (checked when it happens) and drop a time of day, as PostgreSQL's assignments do. */
static bool is_assignable(arb_type from, arb_type to)
{
    if (arb_type_implicit(from, to) || (arb_type_is_numeric(from) && arb_type_is_numeric(to)))
        return true;
    bool from_point = from.id == ARB_TYPE_TIMESTAMP || from.id == ARB_TYPE_TIMESTAMPTZ;
    if (from_point && (to.id == ARB_TYPE_DATE || to.id == ARB_TYPE_TIMESTAMP || to.id == ARB_TYPE_TIMESTAMPTZ))
        return true;
    return to.id == ARB_TYPE_VARCHAR && from.id != ARB_TYPE_BLOB;
}

arb_code arb_bind_assign(arb_binder *b, const arb_expr *expr, arb_type type, arb_str column, const arb_expr **out)
{
    if (arb_bind_is_untyped(expr) || is_assignable(expr->type, type))
        return arb_bind_coerce(b, expr, type, out);
    arb_fail(b->error, ARB_DATATYPE_MISMATCH, "column \"%.*s\" is of type %.*s, but the value is of type %.*s",
             ARB_STR_ARGS(column), ARB_STR_ARGS(arb_bind_type_text(b, type)),
             ARB_STR_ARGS(arb_bind_type_text(b, expr->type)));
    arb_error_hint(b->error, "a CAST may help");
    return arb_error_at(b->error, ARB_DATATYPE_MISMATCH, expr->position);
}

arb_code arb_bind_unify(arb_binder *b, const arb_expr **exprs, size_t count, const char *what, arb_type *out_type)
{
    arb_type type = ARB_TYPE(NULL);
    for (size_t i = 0; i < count; i++) {
        arb_type common;
        if (!arb_type_common(type, exprs[i]->type, &common)) {
            arb_fail(b->error, ARB_DATATYPE_MISMATCH, "%s types %.*s and %.*s do not fit together", what,
                     ARB_STR_ARGS(arb_bind_type_text(b, type)), ARB_STR_ARGS(arb_bind_type_text(b, exprs[i]->type)));
            return arb_error_at(b->error, ARB_DATATYPE_MISMATCH, exprs[i]->position);
        }
        type = common;
    }
    if (type.id == ARB_TYPE_NULL)
        type = ARB_TYPE(VARCHAR);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(arb_bind_coerce(b, exprs[i], type, &exprs[i]));
    *out_type = type;
    return ARB_OK;
}

arb_code arb_bind_to_boolean(arb_binder *b, const arb_expr *expr, const char *what, const arb_expr **out)
{
    if (arb_bind_is_untyped(expr) || expr->type.id == ARB_TYPE_BOOLEAN)
        return arb_bind_coerce(b, expr, ARB_TYPE(BOOLEAN), out);
    arb_fail(b->error, ARB_DATATYPE_MISMATCH, "argument of %s must be boolean, not %.*s", what,
             ARB_STR_ARGS(arb_bind_type_text(b, expr->type)));
    return arb_error_at(b->error, ARB_DATATYPE_MISMATCH, expr->position);
}

arb_code arb_bind_cast(arb_binder *b, const arb_expr *expr, arb_type type, bool try_cast, arb_ast_span span,
                       const arb_expr **out)
{
    if (arb_bind_is_untyped(expr)) {
        arb_error *error = b->error, ignored = {0};
        if (try_cast)
            b->error = &ignored;
        arb_code code = type_literal(b, expr, type, out);
        b->error = error;
        bool unreadable = code != ARB_OK && code != ARB_OUT_OF_MEMORY && code != ARB_CANNOT_COERCE;
        if (try_cast && unreadable)
            return arb_bind_constant(b, arb_value_null(type), span, out);
        if (try_cast && code != ARB_OK && error != NULL)
            *error = ignored;
        return code;
    }
    if (!arb_type_castable(expr->type, type))
        return arb_bind_fail(b, span, ARB_CANNOT_COERCE, "cannot cast type %.*s to %.*s",
                             ARB_STR_ARGS(arb_bind_type_text(b, expr->type)),
                             ARB_STR_ARGS(arb_bind_type_text(b, type)));
    ARB_TRY(make_cast(b, expr, type, try_cast, out));
    if (*out != expr)
        ((arb_expr *)*out)->position = arb_bind_position(b, span);
    return ARB_OK;
}
