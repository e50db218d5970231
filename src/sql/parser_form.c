/* parser_form.c: the calls that the SQL standard writes with words: EXTRACT(year FROM x), TRIM(BOTH ' ' FROM x). Each
 * falls back to an ordinary call when commas follow. */
#include "sql/parser_internal.h"

static arb_code begin_form(arb_parser *p, arb_ast_call **out)
{
    NEW_EXPR(call, CALL, node, arb_parser_begin(p));
    arb_ast_name name;
    ARB_TRY(arb_parse_token_as_name(p, &name));
    PUSH(&node->name, name);
    *out = node;
    return arb_parser_expect(p, ARB_TOKEN_LEFT_PAREN);
}

static arb_code add_argument(arb_parser *p, arb_ast_call *call, const arb_ast_expr *value)
{
    PUSH(&call->arguments, (arb_ast_argument){.value = value});
    return ARB_OK;
}

static arb_code parse_one_argument(arb_parser *p, arb_ast_call *call)
{
    const arb_ast_expr *value;
    ARB_TRY(arb_parse_expr(p, &value));
    return add_argument(p, call, value);
}

/* The rest of an ordinary call, of which `call` has the first argument, and the parenthesis. */
static arb_code finish_form(arb_parser *p, arb_ast_call *call, const arb_ast_expr **out)
{
    if (call->form == ARB_AST_CALL_PLAIN && ACCEPT(COMMA))
        ARB_TRY(arb_parse_arguments(p, false, &call->arguments));
    EXPECT(RIGHT_PAREN);
    ARB_TRY(arb_parse_call_suffix(p, call));
    CLOSE(call);
    *out = &call->base;
    return ARB_OK;
}

static arb_code parse_extract(arb_parser *p, const arb_ast_expr **out)
{
    arb_ast_call *call;
    ARB_TRY(begin_form(p, &call));
    bool named = arb_parser_sees_label(p, 0) || arb_token_is_string(arb_parser_peek(p, 0));
    if (!named || !NEXT_IS_WORD(FROM)) {
        ARB_TRY(parse_one_argument(p, call));
        return finish_form(p, call, out);
    }
    call->form = ARB_AST_CALL_EXTRACT;
    arb_ast_name field;
    ARB_TRY(arb_parse_token_as_name(p, &field));
    NEW_EXPR(literal, LITERAL, literal, field.span.begin);
    literal->type = ARB_AST_STRING;
    literal->text = field.text;
    ARB_TRY(add_argument(p, call, &literal->base));
    EXPECT_WORD(FROM);
    ARB_TRY(parse_one_argument(p, call));
    return finish_form(p, call, out);
}

static arb_code add_one(arb_parser *p, arb_ast_call *call)
{
    NEW_EXPR(literal, LITERAL, one, arb_parser_begin(p));
    one->base.span = arb_parser_span(p, one->base.span.end);
    one->type = ARB_AST_INTEGER;
    one->text = ARB_STR("1");
    return add_argument(p, call, &one->base);
}

static arb_code parse_substring(arb_parser *p, const arb_ast_expr **out)
{
    arb_ast_call *call;
    ARB_TRY(begin_form(p, &call));
    ARB_TRY(parse_one_argument(p, call));
    if (AT_WORD(FROM) || AT_WORD(FOR)) {
        call->form = ARB_AST_CALL_SUBSTRING;
        if (ACCEPT_WORD(FROM))
            ARB_TRY(parse_one_argument(p, call));
        else
            ARB_TRY(add_one(p, call));
        if (ACCEPT_WORD(FOR))
            ARB_TRY(parse_one_argument(p, call));
    }
    return finish_form(p, call, out);
}

static arb_code parse_position(arb_parser *p, const arb_ast_expr **out)
{
    arb_ast_call *call;
    ARB_TRY(begin_form(p, &call));
    const arb_ast_expr *needle;
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_OTHER, &needle)); /* not the operator IN */
    ARB_TRY(add_argument(p, call, needle));
    if (ACCEPT_WORD(IN)) {
        call->form = ARB_AST_CALL_POSITION;
        ARB_TRY(parse_one_argument(p, call));
    }
    return finish_form(p, call, out);
}

static arb_code parse_overlay(arb_parser *p, const arb_ast_expr **out)
{
    arb_ast_call *call;
    ARB_TRY(begin_form(p, &call));
    ARB_TRY(parse_one_argument(p, call));
    if (ACCEPT_WORD(PLACING)) {
        call->form = ARB_AST_CALL_OVERLAY;
        ARB_TRY(parse_one_argument(p, call));
        EXPECT_WORD(FROM);
        ARB_TRY(parse_one_argument(p, call));
        if (ACCEPT_WORD(FOR))
            ARB_TRY(parse_one_argument(p, call));
    }
    return finish_form(p, call, out);
}

/* BOTH, LEADING or TRAILING, unless it is a column's name. */
static bool accept_trim_side(arb_parser *p, arb_ast_name *name)
{
    if (NEXT_IS(RIGHT_PAREN) || NEXT_IS(COMMA) || NEXT_IS(DOT))
        return false;
    if (ACCEPT_WORD(BOTH))
        return true;
    if (ACCEPT_WORD(LEADING))
        name->text = ARB_STR("ltrim");
    else if (ACCEPT_WORD(TRAILING))
        name->text = ARB_STR("rtrim");
    else
        return false;
    return true;
}

/* TRIM([side] [characters] [FROM] x), TRIM(x [, characters]) */
static arb_code parse_trim(arb_parser *p, const arb_ast_expr **out)
{
    arb_ast_call *call;
    ARB_TRY(begin_form(p, &call));
    if (accept_trim_side(p, &call->name.data[0]))
        call->form = ARB_AST_CALL_TRIM;
    if (call->form == ARB_AST_CALL_TRIM && ACCEPT_WORD(FROM)) {
        ARB_TRY(parse_one_argument(p, call));
        return finish_form(p, call, out);
    }
    const arb_ast_expr *first;
    ARB_TRY(arb_parse_expr(p, &first));
    if (ACCEPT_WORD(FROM)) {
        call->form = ARB_AST_CALL_TRIM;
        ARB_TRY(parse_one_argument(p, call));
    }
    ARB_TRY(add_argument(p, call, first));
    return finish_form(p, call, out);
}

/* current_date and others that are calls without parentheses. */
static arb_code parse_keyword_call(arb_parser *p, const arb_ast_expr **out)
{
    if (NEXT_IS(LEFT_PAREN) || NEXT_IS(DOT))
        return ARB_OK;
    NEW_EXPR(call, CALL, node, arb_parser_begin(p));
    node->form = ARB_AST_CALL_KEYWORD;
    arb_ast_name name;
    ARB_TRY(arb_parse_token_as_name(p, &name));
    PUSH(&node->name, name);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_special_call(arb_parser *p, const arb_ast_expr **out)
{
    bool call = NEXT_IS(LEFT_PAREN) && !arb_parser_sees(p, 2, ARB_TOKEN_RIGHT_PAREN);
    switch ((arb_keyword)arb_parser_peek(p, 0)->keyword) {
    case ARB_KW_EXTRACT:
        return call ? parse_extract(p, out) : ARB_OK;
    case ARB_KW_SUBSTRING:
        return call ? parse_substring(p, out) : ARB_OK;
    case ARB_KW_POSITION:
        return call ? parse_position(p, out) : ARB_OK;
    case ARB_KW_OVERLAY:
        return call ? parse_overlay(p, out) : ARB_OK;
    case ARB_KW_TRIM:
        return call ? parse_trim(p, out) : ARB_OK;
    case ARB_KW_CURRENT_CATALOG:
    case ARB_KW_CURRENT_DATE:
    case ARB_KW_CURRENT_ROLE:
    case ARB_KW_CURRENT_SCHEMA:
    case ARB_KW_CURRENT_TIME:
    case ARB_KW_CURRENT_TIMESTAMP:
    case ARB_KW_CURRENT_USER:
    case ARB_KW_LOCALTIME:
    case ARB_KW_LOCALTIMESTAMP:
    case ARB_KW_SESSION_USER:
        return parse_keyword_call(p, out);
    default:
        return ARB_OK;
    }
}
