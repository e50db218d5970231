/* binder_literal.c: constants as written. 0.05 is a decimal of as many digits as it has, 5e-2 a double, '…' has no type
 * of its own. */
#include "base/float_text.h"
#include "sql/binder_internal.h"

enum { digits_most = 38 };

arb_code arb_bind_constant(arb_binder *b, arb_value value, arb_ast_span span, const arb_expr **out)
{
    arb_expr *expr = arb_expr_constant(b->arena, value);
    ARB_MADE(b, expr);
    expr->position = arb_bind_position(b, span);
    *out = expr;
    return ARB_OK;
}

arb_code arb_bind_text_constant(arb_binder *b, arb_str text, arb_ast_span span, const arb_expr **out)
{
    return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(VARCHAR), .text = text}, span, out);
}

/* [-]digits[.digits] as a whole number; false when there are more than 38 digits that count. */
static bool read_digits(arb_str text, arb_int128 *out_value, unsigned *out_digits, unsigned *out_scale)
{
    bool negative = text.size != 0 && text.data[0] == '-', point = false;
    arb_int128 value = 0;
    unsigned digits = 0, scale = 0;
    for (size_t i = negative; i < text.size; i++) {
        if (text.data[i] == '.') {
            point = true;
            continue;
        }
        if (digits == digits_most || (point && scale == digits_most))
            return false;
        value = value * 10 + (text.data[i] - '0');
        digits += value != 0;
        scale += point;
    }
    *out_value = negative ? -value : value;
    *out_digits = digits;
    *out_scale = scale;
    return true;
}

static arb_code bind_number(arb_binder *b, const arb_ast_literal *literal, const arb_expr **out)
{
    arb_value value = {0};
    unsigned digits, scale;
    if (literal->type == ARB_AST_DOUBLE) {
        value.type = ARB_TYPE(DOUBLE);
        if (arb_double_parse(literal->text.data, literal->text.size, &value.real) != ARB_FLOAT_OK)
            return arb_bind_fail(b, literal->base.span, ARB_OUT_OF_RANGE, "number out of range for a double");
        return arb_bind_constant(b, value, literal->base.span, out);
    }
    if (!read_digits(literal->text, &value.integer, &digits, &scale))
        return arb_bind_fail(b, literal->base.span, ARB_OUT_OF_RANGE, "a number has at most %d digits", digits_most);
    if (literal->type == ARB_AST_DECIMAL)
        value.type = arb_type_decimal(ARB_MAX(ARB_MAX(digits, scale), 1u), scale);
    else if (value.integer >= INT32_MIN && value.integer <= INT32_MAX)
        value.type = ARB_TYPE(INTEGER);
    else if (value.integer >= INT64_MIN && value.integer <= INT64_MAX)
        value.type = ARB_TYPE(BIGINT);
    else
        value.type = arb_type_decimal(digits, 0);
    return arb_bind_constant(b, value, literal->base.span, out);
}

arb_code arb_bind_literal(arb_binder *b, const arb_ast_literal *literal, const arb_expr **out)
{
    arb_ast_span span = literal->base.span;
    switch (literal->type) {
    case ARB_AST_NULL:
        return arb_bind_constant(b, arb_value_null(ARB_TYPE(NULL)), span, out);
    case ARB_AST_TRUE:
    case ARB_AST_FALSE:
        return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BOOLEAN), .boolean = literal->type == ARB_AST_TRUE},
                                 span, out);
    case ARB_AST_STRING:
        return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(NULL), .text = literal->text}, span, out);
    case ARB_AST_BLOB:
        return arb_bind_constant(b, (arb_value){.type = ARB_TYPE(BLOB), .text = literal->text}, span, out);
    case ARB_AST_INTEGER:
    case ARB_AST_DECIMAL:
    case ARB_AST_DOUBLE:
        break;
    }
    return bind_number(b, literal, out);
}

static arb_code bind_untyped_as(arb_binder *b, arb_str text, arb_type type, arb_ast_span span, const arb_expr **out)
{
    const arb_expr *literal;
    ARB_TRY(arb_bind_constant(b, (arb_value){.type = ARB_TYPE(NULL), .text = text}, span, &literal));
    return arb_bind_coerce(b, literal, type, out);
}

arb_code arb_bind_typed_literal(arb_binder *b, const arb_ast_typed_literal *literal, const arb_expr **out)
{
    arb_type type;
    ARB_TRY(arb_bind_type(b, literal->type, &type, NULL));
    return bind_untyped_as(b, literal->text, type, literal->base.span, out);
}

/* ---- intervals ---------------------------------------------------------------------------------------------------- */
static const char *unit_name(arb_ast_unit unit)
{
    static const char *const names[] = {
        [ARB_AST_NO_UNIT] = "",
        [ARB_AST_MICROSECOND] = "microsecond",
        [ARB_AST_MILLISECOND] = "millisecond",
        [ARB_AST_SECOND] = "second",
        [ARB_AST_MINUTE] = "minute",
        [ARB_AST_HOUR] = "hour",
        [ARB_AST_DAY] = "day",
        [ARB_AST_WEEK] = "week",
        [ARB_AST_MONTH] = "month",
        [ARB_AST_QUARTER] = "quarter",
        [ARB_AST_YEAR] = "year",
        [ARB_AST_DECADE] = "decade",
        [ARB_AST_CENTURY] = "century",
        [ARB_AST_MILLENNIUM] = "millennium",
    };
    return names[unit];
}

static bool is_number(arb_str text)
{
    size_t begin = text.size != 0 && (text.data[0] == '-' || text.data[0] == '+');
    for (size_t i = begin; i < text.size; i++) {
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.')
            return false;
    }
    return text.size > begin;
}

static arb_str trimmed(arb_str text)
{
    while (text.size != 0 && text.data[0] == ' ')
        text = (arb_str){text.data + 1, text.size - 1};
    while (text.size != 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* '3' MONTH is "3 month"; a text of several parts has its units within, or is in the order of its range. */
static arb_code bind_interval_text(arb_binder *b, const arb_ast_interval *interval, arb_str written,
                                   const arb_expr **out)
{
    arb_text text = {0};
    written = trimmed(written);
    arb_text_append_str(&text, written);
    if (interval->unit != ARB_AST_NO_UNIT && interval->to == ARB_AST_NO_UNIT && is_number(written))
        arb_text_printf(&text, " %s", unit_name(interval->unit));
    arb_str copy;
    ARB_TRY(arb_bind_keep_text(b, &text, &copy));
    return bind_untyped_as(b, copy, ARB_TYPE(INTERVAL), interval->base.span, out);
}

arb_code arb_bind_interval(arb_binder *b, arb_scope *scope, const arb_ast_interval *interval, const arb_expr **out)
{
    if (interval->precision >= 0 && interval->precision != 6)
        return arb_bind_fail(b, interval->base.span, ARB_NOT_SUPPORTED,
                             "intervals of a precision other than 6 are not supported");
    if (interval->value->kind == ARB_AST_LITERAL) {
        const arb_ast_literal *literal = arb_ast_as_literal(interval->value);
        if (literal->type == ARB_AST_STRING || literal->type == ARB_AST_INTEGER || literal->type == ARB_AST_DECIMAL)
            return bind_interval_text(b, interval, literal->text, out);
    }
    const arb_expr *parts[2];
    ARB_TRY(arb_bind_expr(b, scope, interval->value, &parts[0]));
    arb_str unit = arb_str_of(unit_name(interval->unit));
    arb_text one = {0};
    arb_text_printf(&one, "1 %.*s", ARB_STR_ARGS(unit));
    arb_str copy;
    ARB_TRY(arb_bind_keep_text(b, &one, &copy));
    ARB_TRY(bind_untyped_as(b, copy, ARB_TYPE(INTERVAL), interval->base.span, &parts[1]));
    return arb_bind_function(b, ARB_STR("*"), parts, 2, interval->base.span, out);
}
