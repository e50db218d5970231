/* parser_window.c: OVER (…), and the keys that things are sorted by. */
#include "sql/parser_internal.h"

/* ---- sort keys --------------------------------------------------------------------------------------------------- */
arb_code arb_parse_sort_direction(arb_parser *p, arb_ast_sort_key *key)
{
    if (ACCEPT_WORD(DESC))
        key->descending = true;
    else
        ACCEPT_WORD(ASC);
    if (ACCEPT_WORDS(NULLS, FIRST))
        key->nulls = ARB_AST_NULLS_FIRST;
    else if (ACCEPT_WORDS(NULLS, LAST))
        key->nulls = ARB_AST_NULLS_LAST;
    return ARB_OK;
}

arb_code arb_parse_sort_keys(arb_parser *p, arb_ast_sort_keys *out)
{
    do {
        if (out->size != 0 && arb_parser_sees_list_end(p))
            break;
        arb_ast_sort_key key = {0};
        ARB_TRY(arb_parse_expr(p, &key.expr));
        ARB_TRY(arb_parse_sort_direction(p, &key));
        PUSH(out, key);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

/* ---- frames ------------------------------------------------------------------------------------------------------ */
static arb_code parse_bound(arb_parser *p, arb_ast_bound *out)
{
    if (AT_WORD(UNBOUNDED) && (NEXT_IS_WORD(PRECEDING) || NEXT_IS_WORD(FOLLOWING))) {
        out->type = NEXT_IS_WORD(PRECEDING) ? ARB_AST_UNBOUNDED_PRECEDING : ARB_AST_UNBOUNDED_FOLLOWING;
        p->at += 2;
        return ARB_OK;
    }
    if (ACCEPT_WORDS(CURRENT, ROW)) {
        out->type = ARB_AST_CURRENT_ROW;
        return ARB_OK;
    }
    ARB_TRY(arb_parse_expr_within(p, ARB_PREC_RANGE + 1, &out->offset)); /* not the AND of BETWEEN */
    if (ACCEPT_WORD(PRECEDING))
        out->type = ARB_AST_PRECEDING;
    else if (ACCEPT_WORD(FOLLOWING))
        out->type = ARB_AST_FOLLOWING;
    else
        return arb_parser_syntax_error(p);
    return ARB_OK;
}

static arb_code parse_exclude(arb_parser *p, arb_ast_exclude *out)
{
    if (!ACCEPT_WORD(EXCLUDE))
        return ARB_OK;
    if (ACCEPT_WORDS(CURRENT, ROW))
        *out = ARB_AST_EXCLUDE_CURRENT_ROW;
    else if (ACCEPT_WORD(GROUP))
        *out = ARB_AST_EXCLUDE_GROUP;
    else if (ACCEPT_WORD(TIES))
        *out = ARB_AST_EXCLUDE_TIES;
    else if (ACCEPT_WORDS(NO, OTHERS))
        *out = ARB_AST_EXCLUDE_NONE;
    else
        return arb_parser_syntax_error(p);
    return ARB_OK;
}

static bool sees_frame(const arb_parser *p)
{
    return AT_WORD(ROWS) || AT_WORD(RANGE) || AT_WORD(GROUPS);
}

static arb_code parse_frame(arb_parser *p, arb_ast_window *window)
{
    window->has_frame = true;
    window->mode = AT_WORD(ROWS) ? ARB_AST_ROWS : AT_WORD(RANGE) ? ARB_AST_RANGE : ARB_AST_GROUPS;
    arb_parser_advance(p);
    window->end.type = ARB_AST_CURRENT_ROW;
    if (ACCEPT_WORD(BETWEEN)) {
        ARB_TRY(parse_bound(p, &window->start));
        EXPECT_WORD(AND);
        ARB_TRY(parse_bound(p, &window->end));
    } else {
        ARB_TRY(parse_bound(p, &window->start));
    }
    return parse_exclude(p, &window->exclude);
}

static arb_code parse_partition_by(arb_parser *p, arb_ast_exprs *out)
{
    do {
        if (out->size != 0 && arb_parser_sees_list_end(p))
            break;
        const arb_ast_expr *expr;
        ARB_TRY(arb_parse_expr(p, &expr));
        PUSH(out, (arb_ast_expr *)expr);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

arb_code arb_parse_window(arb_parser *p, const arb_ast_window **out)
{
    NEW_OBJECT(arb_ast_window, window);
    uint32_t begin = arb_parser_begin(p);
    *out = window;
    if (!ACCEPT(LEFT_PAREN)) {
        window->bare = true;
        ARB_TRY(arb_parse_name(p, &window->reference));
        window->span = window->reference.span;
        return ARB_OK;
    }
    if (!AT_WORDS(PARTITION, BY) && !sees_frame(p) && arb_parser_sees_name(p, 0))
        ARB_TRY(arb_parse_name(p, &window->reference));
    if (ACCEPT_WORDS(PARTITION, BY))
        ARB_TRY(parse_partition_by(p, &window->partition_by));
    if (ACCEPT_WORDS(ORDER, BY))
        ARB_TRY(arb_parse_sort_keys(p, &window->order_by));
    if (sees_frame(p))
        ARB_TRY(parse_frame(p, window));
    EXPECT(RIGHT_PAREN);
    window->span = arb_parser_span(p, begin);
    return ARB_OK;
}
