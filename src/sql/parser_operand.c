/* parser_operand.c: what operators stand between: literals, columns, calls, things in parentheses, and the casts,
 * subscripts and fields behind them. */
#include "sql/parser_internal.h"

/* ---- parentheses ------------------------------------------------------------------------------------------------- */
static arb_code parse_subquery(arb_parser *p, arb_ast_subquery_type type, uint32_t begin, const arb_ast_expr **out)
{
    NEW_EXPR(subquery, SUBQUERY, node, begin);
    node->type = type;
    ARB_TRY(arb_parse_query_in_parens(p, &node->query));
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* (x) is x, (x, y) a row. */
static arb_code parse_parens(arb_parser *p, const arb_ast_expr **out)
{
    uint32_t begin = arb_parser_begin(p);
    if (arb_parser_sees_query(p, 1))
        return parse_subquery(p, ARB_AST_SCALAR, begin, out);
    EXPECT(LEFT_PAREN);
    const arb_ast_expr *first;
    ARB_TRY(arb_parse_expr(p, &first));
    if (ACCEPT(RIGHT_PAREN)) {
        *out = first;
        return ARB_OK;
    }
    EXPECT(COMMA);
    NEW_EXPR(row, ROW, node, begin);
    PUSH(&node->elements, (arb_ast_expr *)first);
    ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &node->elements));
    EXPECT(RIGHT_PAREN);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_row(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(row, ROW, node, arb_parser_begin(p));
    EXPECT_WORD(ROW);
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &node->elements));
    EXPECT(RIGHT_PAREN);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */
arb_code arb_parse_case(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(case, CASE, node, arb_parser_begin(p));
    EXPECT_WORD(CASE);
    if (!AT_WORD(WHEN))
        ARB_TRY(arb_parse_expr(p, &node->operand));
    do {
        arb_ast_when arm;
        EXPECT_WORD(WHEN);
        ARB_TRY(arb_parse_expr(p, &arm.when));
        EXPECT_WORD(THEN);
        ARB_TRY(arb_parse_expr(p, &arm.then));
        PUSH(&node->whens, arm);
    } while (AT_WORD(WHEN));
    if (ACCEPT_WORD(ELSE))
        ARB_TRY(arb_parse_expr(p, &node->otherwise));
    EXPECT_WORD(END);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_cast(arb_parser *p, bool try, const arb_ast_expr **out)
{
    NEW_EXPR(cast, CAST, node, arb_parser_begin(p));
    arb_parser_advance(p);
    node->try = try;
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_expr(p, &node->operand));
    EXPECT_WORD(AS);
    ARB_TRY(arb_parse_type(p, &node->type));
    EXPECT(RIGHT_PAREN);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_default(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(default, DEFAULT, node, arb_parser_begin(p));
    arb_parser_advance(p);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_columns(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(columns, COLUMNS, node, arb_parser_begin(p));
    p->at += 2;
    if (AT(STAR))
        ARB_TRY(arb_parse_star(p, NULL, NULL, arb_parser_begin(p), &node->chosen));
    else if (arb_parser_sees_lambda(p))
        ARB_TRY(arb_parse_lambda(p, &node->chosen));
    else
        ARB_TRY(arb_parse_expr(p, &node->chosen));
    EXPECT(RIGHT_PAREN);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_ordinal(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(ordinal, ORDINAL, node, arb_parser_begin(p));
    arb_parser_advance(p);
    const arb_token *token = arb_parser_peek(p, 0);
    enum { digits_most = 6 };
    if (token->kind != ARB_TOKEN_INTEGER || token->end - token->begin > digits_most)
        return arb_parser_syntax_error(p);
    for (uint32_t at = token->begin; at < token->end; at++) {
        char digit = p->source.data[at];
        if (digit < '0' || digit > '9')
            return arb_parser_syntax_error(p);
        node->number = node->number * 10 + (uint32_t)(digit - '0');
    }
    arb_parser_advance(p);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* A column, t.*, or a call. */
static arb_code parse_name_operand(arb_parser *p, const arb_ast_expr **out)
{
    uint32_t begin = arb_parser_begin(p);
    arb_ast_names parts = {0};
    arb_ast_name name;
    ARB_TRY(arb_parse_name(p, &name));
    PUSH(&parts, name);
    while (AT(DOT)) {
        arb_parser_advance(p);
        if (AT(STAR))
            return arb_parse_star(p, &parts, NULL, begin, out);
        ARB_TRY(arb_parse_label(p, &name));
        PUSH(&parts, name);
    }
    if (AT(LEFT_PAREN)) {
        const arb_ast_call *call;
        ARB_TRY(arb_parse_call(p, &parts, NULL, begin, false, &call));
        *out = &call->base;
        return ARB_OK;
    }
    NEW_EXPR(column, COLUMN, node, begin);
    node->parts = parts;
    *out = &node->base;
    return ARB_OK;
}

/* Forms that begin with a keyword; *out stays NULL when the word is just a name here. */
static arb_code parse_keyword_operand(arb_parser *p, const arb_ast_expr **out)
{
    uint32_t begin = arb_parser_begin(p);
    switch ((arb_keyword)arb_parser_peek(p, 0)->keyword) {
    case ARB_KW_NULL:
        return arb_parse_keyword_literal(p, ARB_AST_NULL, out);
    case ARB_KW_TRUE:
        return arb_parse_keyword_literal(p, ARB_AST_TRUE, out);
    case ARB_KW_FALSE:
        return arb_parse_keyword_literal(p, ARB_AST_FALSE, out);
    case ARB_KW_CASE:
        return arb_parse_case(p, out);
    case ARB_KW_DEFAULT:
        return parse_default(p, out);
    case ARB_KW_CAST:
        return NEXT_IS(LEFT_PAREN) ? arb_parse_cast(p, false, out) : ARB_OK;
    case ARB_KW_TRY_CAST:
        return NEXT_IS(LEFT_PAREN) ? arb_parse_cast(p, true, out) : ARB_OK;
    case ARB_KW_COLUMNS:
        return NEXT_IS(LEFT_PAREN) ? parse_columns(p, out) : ARB_OK;
    case ARB_KW_ROW:
        return NEXT_IS(LEFT_PAREN) ? parse_row(p, out) : ARB_OK;
    case ARB_KW_MAP:
        return NEXT_IS(LEFT_BRACE) ? arb_parse_map_literal(p, out) : ARB_OK;
    case ARB_KW_INTERVAL:
        return arb_parser_sees_interval(p) ? arb_parse_interval(p, out) : ARB_OK;
    case ARB_KW_EXISTS:
        if (!NEXT_IS(LEFT_PAREN) || !arb_parser_sees_query(p, 2))
            return ARB_OK;
        arb_parser_advance(p);
        return parse_subquery(p, ARB_AST_EXISTS, begin, out);
    case ARB_KW_ARRAY:
        if (NEXT_IS(LEFT_BRACKET))
            return arb_parse_list_literal(p, out);
        if (!NEXT_IS(LEFT_PAREN) || !arb_parser_sees_query(p, 2))
            return ARB_OK;
        arb_parser_advance(p);
        return parse_subquery(p, ARB_AST_ARRAY_OF, begin, out);
    default:
        return arb_parse_special_call(p, out);
    }
}

static arb_code parse_word(arb_parser *p, const arb_ast_expr **out)
{
    if (arb_parser_sees_lambda(p) && AT_WORD(LAMBDA))
        return arb_parse_lambda(p, out);
    if (arb_parser_peek(p, 0)->keyword != ARB_KW_NONE) {
        *out = NULL;
        ARB_TRY(parse_keyword_operand(p, out));
        if (*out != NULL)
            return ARB_OK;
    }
    return arb_parser_sees_typed_literal(p) ? arb_parse_typed_literal(p, out) : parse_name_operand(p, out);
}

static arb_code parse_primary(arb_parser *p, const arb_ast_expr **out)
{
    switch ((arb_token_kind)arb_parser_peek(p, 0)->kind) {
    case ARB_TOKEN_INTEGER:
    case ARB_TOKEN_DECIMAL:
    case ARB_TOKEN_DOUBLE:
        return arb_parse_number(p, out);
    case ARB_TOKEN_STRING:
    case ARB_TOKEN_ESCAPED:
    case ARB_TOKEN_DOLLAR:
    case ARB_TOKEN_BLOB:
        return arb_parse_string_literal(p, out);
    case ARB_TOKEN_PARAMETER:
    case ARB_TOKEN_QUESTION:
    case ARB_TOKEN_COLON:
        return arb_parse_parameter(p, out);
    case ARB_TOKEN_LEFT_PAREN:
        return parse_parens(p, out);
    case ARB_TOKEN_LEFT_BRACKET:
        return arb_parse_list_literal(p, out);
    case ARB_TOKEN_LEFT_BRACE:
        return arb_parse_struct_literal(p, out);
    case ARB_TOKEN_HASH:
        return parse_ordinal(p, out);
    case ARB_TOKEN_WORD:
        return parse_word(p, out);
    case ARB_TOKEN_QUOTED:
        return parse_name_operand(p, out);
    default:
        return arb_parser_syntax_error(p);
    }
}

/* ---- behind an operand ------------------------------------------------------------------------------------------- */
static arb_code parse_cast_suffix(arb_parser *p, uint32_t begin, const arb_ast_expr **operand)
{
    NEW_EXPR(cast, CAST, node, begin);
    arb_parser_advance(p);
    node->operand = *operand;
    ARB_TRY(arb_parse_type(p, &node->type));
    CLOSE(node);
    *operand = &node->base;
    return ARB_OK;
}

/* .name, .name(…), .* */
static arb_code parse_dot_suffix(arb_parser *p, uint32_t begin, const arb_ast_expr **operand)
{
    arb_parser_advance(p);
    if (AT(STAR))
        return arb_parse_star(p, NULL, *operand, begin, operand);
    arb_ast_name name;
    ARB_TRY(arb_parse_label(p, &name));
    if (AT(LEFT_PAREN)) {
        arb_ast_names names = {0};
        PUSH(&names, name);
        const arb_ast_call *call;
        ARB_TRY(arb_parse_call(p, &names, *operand, begin, false, &call));
        *operand = &call->base;
        return ARB_OK;
    }
    NEW_EXPR(field, FIELD, node, begin);
    node->operand = *operand;
    node->name = name;
    *operand = &node->base;
    return ARB_OK;
}

arb_code arb_parse_operand(arb_parser *p, const arb_ast_expr **out)
{
    uint32_t begin = arb_parser_begin(p);
    ARB_TRY(parse_primary(p, out));
    for (;;) {
        if (AT(DOUBLE_COLON))
            ARB_TRY(parse_cast_suffix(p, begin, out));
        else if (AT(LEFT_BRACKET))
            ARB_TRY(arb_parse_subscript(p, *out, begin, out));
        else if (AT(DOT))
            ARB_TRY(parse_dot_suffix(p, begin, out));
        else
            return ARB_OK;
        ARB_TRY(arb_parser_grow(p));
    }
}
