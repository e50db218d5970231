/* parser_call.c: function calls. */
#include "sql/parser_internal.h"

/* name => value, name := value; in FROM also name = value. */
static bool sees_argument_name(const arb_parser *p, bool in_from)
{
    return arb_parser_sees_label(p, 0) && (NEXT_IS(FAT_ARROW) || NEXT_IS(COLON_EQUAL) || (in_from && NEXT_IS(EQUAL)));
}

static arb_code parse_argument(arb_parser *p, bool in_from, arb_ast_argument *out)
{
    *out = (arb_ast_argument){0};
    if (sees_argument_name(p, in_from)) {
        ARB_TRY(arb_parse_label(p, &out->name));
        arb_parser_advance(p);
    }
    if (AT(STAR))
        return arb_parse_star(p, NULL, NULL, arb_parser_begin(p), &out->value);
    if (arb_parser_sees_lambda(p))
        return arb_parse_lambda(p, &out->value);
    ARB_TRY(arb_parse_expr(p, &out->value));
    if (out->name.text.size == 0 && ACCEPT_WORD(AS))
        ARB_TRY(arb_parse_label(p, &out->name));
    return ARB_OK;
}

/* a, b, … up to what cannot be an argument; a comma may trail. */
arb_code arb_parse_arguments(arb_parser *p, bool in_from, arb_ast_arguments *out)
{
    do {
        if (AT(RIGHT_PAREN) || AT_WORDS(ORDER, BY))
            break;
        arb_ast_argument argument;
        ARB_TRY(parse_argument(p, in_from, &argument));
        PUSH(out, argument);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

static bool accept_nulls_treatment(arb_parser *p, arb_ast_call *call)
{
    if (ACCEPT_WORDS(IGNORE, NULLS))
        call->ignore_nulls = true;
    else if (!ACCEPT_WORDS(RESPECT, NULLS))
        return false;
    return true;
}

arb_code arb_parse_call(arb_parser *p, const arb_ast_names *name, const arb_ast_expr *first, uint32_t begin,
                        bool in_from, const arb_ast_call **out)
{
    NEW_EXPR(call, CALL, node, begin);
    node->name = *name;
    if (first != NULL) {
        node->form = ARB_AST_CALL_METHOD;
        PUSH(&node->arguments, (arb_ast_argument){.value = first});
    }
    EXPECT(LEFT_PAREN);
    node->distinct = ACCEPT_WORD(DISTINCT);
    if (!node->distinct)
        ACCEPT_WORD(ALL);
    ARB_TRY(arb_parse_arguments(p, in_from, &node->arguments));
    accept_nulls_treatment(p, node);
    if (ACCEPT_WORDS(ORDER, BY))
        ARB_TRY(arb_parse_sort_keys(p, &node->order_by));
    accept_nulls_treatment(p, node);
    EXPECT(RIGHT_PAREN);
    ARB_TRY(arb_parse_call_suffix(p, node));
    CLOSE(node);
    *out = node;
    return ARB_OK;
}

/* ---- behind the parenthesis -------------------------------------------------------------------------------------- */
static arb_code parse_within_group(arb_parser *p, arb_ast_call *call)
{
    p->at += 2;
    EXPECT(LEFT_PAREN);
    EXPECT_WORD(ORDER);
    EXPECT_WORD(BY);
    ARB_TRY(arb_parse_sort_keys(p, &call->within_group));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_filter(arb_parser *p, arb_ast_call *call)
{
    p->at += 2;
    ACCEPT_WORD(WHERE);
    ARB_TRY(arb_parse_expr(p, &call->filter));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

arb_code arb_parse_call_suffix(arb_parser *p, arb_ast_call *call)
{
    if (AT_WORDS(WITHIN, GROUP))
        ARB_TRY(parse_within_group(p, call));
    if (AT_WORD(FILTER) && NEXT_IS(LEFT_PAREN))
        ARB_TRY(parse_filter(p, call));
    accept_nulls_treatment(p, call);
    if (ACCEPT_WORD(OVER))
        ARB_TRY(arb_parse_window(p, &call->over));
    return ARB_OK;
}
