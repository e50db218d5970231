/* parser_nested.c: lists, structs, maps, subscripts, lambdas, stars. */
#include "sql/parser_internal.h"

/* [a, b]; the word ARRAY may have been taken before it. */
arb_code arb_parse_list_literal(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(list, LIST, node, arb_parser_begin(p));
    ACCEPT_WORD(ARRAY);
    EXPECT(LEFT_BRACKET);
    ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_BRACKET, &node->elements));
    if (AT_WORD(FOR))
        return arb_parser_fail_at(p, node->base.span.begin, ARB_NOT_SUPPORTED, "list comprehensions are not supported");
    EXPECT(RIGHT_BRACKET);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_struct_literal(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(struct, STRUCT, node, arb_parser_begin(p));
    EXPECT(LEFT_BRACE);
    do {
        if (AT(RIGHT_BRACE))
            break;
        arb_ast_argument field = {0};
        if (arb_token_is_string(arb_parser_peek(p, 0)))
            ARB_TRY(arb_parse_token_as_name(p, &field.name));
        else
            ARB_TRY(arb_parse_label(p, &field.name));
        EXPECT(COLON);
        ARB_TRY(arb_parse_expr(p, &field.value));
        PUSH(&node->fields, field);
    } while (ACCEPT(COMMA));
    EXPECT(RIGHT_BRACE);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_map_literal(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(map, MAP, node, arb_parser_begin(p));
    EXPECT_WORD(MAP);
    EXPECT(LEFT_BRACE);
    do {
        if (AT(RIGHT_BRACE))
            break;
        const arb_ast_expr *key, *value;
        ARB_TRY(arb_parse_expr(p, &key));
        EXPECT(COLON);
        ARB_TRY(arb_parse_expr(p, &value));
        PUSH(&node->keys, (arb_ast_expr *)key);
        PUSH(&node->values, (arb_ast_expr *)value);
    } while (ACCEPT(COMMA));
    EXPECT(RIGHT_BRACE);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* A slice's end may be left out; a lone - stands for it too. */
static arb_code parse_slice_end(arb_parser *p, const arb_ast_expr **out)
{
    if (AT(RIGHT_BRACKET) || AT(COLON))
        return ARB_OK;
    if (AT(MINUS) && (NEXT_IS(RIGHT_BRACKET) || NEXT_IS(COLON))) {
        arb_parser_advance(p);
        return ARB_OK;
    }
    return arb_parse_expr(p, out);
}

arb_code arb_parse_subscript(arb_parser *p, const arb_ast_expr *operand, uint32_t begin, const arb_ast_expr **out)
{
    NEW_EXPR(subscript, SUBSCRIPT, node, begin);
    node->operand = operand;
    EXPECT(LEFT_BRACKET);
    if (AT(RIGHT_BRACKET))
        return arb_parser_syntax_error(p);
    ARB_TRY(parse_slice_end(p, &node->low));
    if (ACCEPT(COLON)) {
        node->slice = true;
        ARB_TRY(parse_slice_end(p, &node->high));
        if (ACCEPT(COLON))
            ARB_TRY(parse_slice_end(p, &node->step));
    }
    if (!node->slice && node->low == NULL)
        return arb_parser_syntax_error(p);
    EXPECT(RIGHT_BRACKET);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* ---- lambdas ----------------------------------------------------------------------------------------------------- */
/* Tokens of (x, y) at the front, or 0. */
static size_t parameter_list_size(const arb_parser *p)
{
    size_t at = 0;
    if (!AT(LEFT_PAREN))
        return 0;
    do {
        at++;
        if (!arb_parser_sees_alias(p, at))
            return 0;
        at++;
    } while (arb_parser_sees(p, at, ARB_TOKEN_COMMA));
    return arb_parser_sees(p, at, ARB_TOKEN_RIGHT_PAREN) ? at + 1 : 0;
}

/* x -> 'key' and x -> 0 are left to the operator, which takes a part of a JSON text. */
bool arb_parser_sees_lambda(const arb_parser *p)
{
    if (AT_WORD(LAMBDA) && arb_parser_sees_alias(p, 1))
        return arb_parser_sees(p, 2, ARB_TOKEN_COLON) || arb_parser_sees(p, 2, ARB_TOKEN_COMMA);
    size_t parameters = parameter_list_size(p);
    if (parameters != 0)
        return arb_parser_sees(p, parameters, ARB_TOKEN_ARROW);
    if (!arb_parser_sees_alias(p, 0) || !NEXT_IS(ARROW))
        return false;
    const arb_token *body = arb_parser_peek(p, 2);
    return !arb_token_is_string(body) && body->kind != ARB_TOKEN_INTEGER;
}

arb_code arb_parse_lambda(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(lambda, LAMBDA, node, arb_parser_begin(p));
    if (AT(LEFT_PAREN)) {
        ARB_TRY(arb_parse_name_list(p, &node->parameters));
        EXPECT(ARROW);
    } else {
        bool worded = AT_WORD(LAMBDA) && !NEXT_IS(ARROW);
        if (worded)
            arb_parser_advance(p);
        do {
            arb_ast_name name;
            ARB_TRY(arb_parse_name(p, &name));
            PUSH(&node->parameters, name);
        } while (worded && ACCEPT(COMMA));
        ARB_TRY(arb_parser_expect(p, worded ? ARB_TOKEN_COLON : ARB_TOKEN_ARROW));
    }
    ARB_TRY(arb_parse_expr(p, &node->body));
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* ---- * ----------------------------------------------------------------------------------------------------------- */
static arb_code parse_column(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(column, COLUMN, node, arb_parser_begin(p));
    ARB_TRY(arb_parse_qualified_name(p, &node->parts));
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_excluded(arb_parser *p, arb_ast_exprs *out)
{
    const arb_ast_expr *column;
    if (!ACCEPT(LEFT_PAREN)) {
        ARB_TRY(parse_column(p, &column));
        PUSH(out, (arb_ast_expr *)column);
        return ARB_OK;
    }
    do {
        if (AT(RIGHT_PAREN) && out->size != 0)
            break;
        ARB_TRY(parse_column(p, &column));
        PUSH(out, (arb_ast_expr *)column);
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_replacement(arb_parser *p, bool rename, arb_ast_replacements *out)
{
    arb_ast_replacement item = {0};
    if (rename)
        ARB_TRY(parse_column(p, &item.expr));
    else
        ARB_TRY(arb_parse_expr(p, &item.expr));
    EXPECT_WORD(AS);
    ARB_TRY(arb_parse_label(p, &item.name));
    PUSH(out, item);
    return ARB_OK;
}

static arb_code parse_replacements(arb_parser *p, bool rename, arb_ast_replacements *out)
{
    if (!ACCEPT(LEFT_PAREN))
        return parse_replacement(p, rename, out);
    do {
        if (AT(RIGHT_PAREN) && out->size != 0)
            break;
        ARB_TRY(parse_replacement(p, rename, out));
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

arb_code arb_parse_star(arb_parser *p, const arb_ast_names *qualifier, const arb_ast_expr *of, uint32_t begin,
                        const arb_ast_expr **out)
{
    NEW_EXPR(star, STAR, node, begin);
    EXPECT(STAR);
    if (qualifier != NULL)
        node->qualifier = *qualifier;
    node->of = of;
    /* EXCEPT is a set operation unless a list of names follows. */
    bool except = AT_WORD(EXCEPT) && NEXT_IS(LEFT_PAREN) && !arb_parser_sees_query(p, 2);
    bool exclude = AT_WORD(EXCLUDE) && (NEXT_IS(LEFT_PAREN) || arb_parser_sees_name(p, 1));
    if (except || exclude) {
        arb_parser_advance(p);
        ARB_TRY(parse_excluded(p, &node->exclude));
    }
    if (ACCEPT_WORD(REPLACE))
        ARB_TRY(parse_replacements(p, false, &node->replace));
    if (ACCEPT_WORD(RENAME))
        ARB_TRY(parse_replacements(p, true, &node->rename));
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}
