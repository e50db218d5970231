/* parser_select.c: one SELECT, from its list to QUALIFY. */
#include "sql/parser_internal.h"

/* ---- the list ---------------------------------------------------------------------------------------------------- */
static arb_code parse_alias(arb_parser *p, arb_ast_name *alias)
{
    if (ACCEPT_WORD(AS)) {
        if (arb_token_is_string(arb_parser_peek(p, 0)))
            return arb_parse_token_as_name(p, alias);
        return arb_parse_label(p, alias);
    }
    if (!arb_parser_sees_alias(p, 0))
        return ARB_OK;
    p->bare_alias = p->at;
    return arb_parse_token_as_name(p, alias);
}

/* expr [[AS] alias], alias: expr, * */
static arb_code parse_item(arb_parser *p, arb_ast_item *item)
{
    *item = (arb_ast_item){0};
    if (AT(STAR))
        return arb_parse_star(p, NULL, NULL, arb_parser_begin(p), &item->expr);
    if (arb_parser_sees_alias(p, 0) && NEXT_IS(COLON)) {
        ARB_TRY(arb_parse_name(p, &item->alias));
        arb_parser_advance(p);
        return arb_parse_expr(p, &item->expr);
    }
    ARB_TRY(arb_parse_expr(p, &item->expr));
    return parse_alias(p, &item->alias);
}

static arb_code parse_items(arb_parser *p, arb_ast_select *select)
{
    do {
        if (select->items.size != 0 && arb_parser_sees_list_end(p))
            break;
        arb_ast_item item;
        ARB_TRY(parse_item(p, &item));
        PUSH(&select->items, item);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

static arb_code parse_distinct(arb_parser *p, arb_ast_select *select)
{
    select->distinct = ACCEPT_WORD(DISTINCT);
    if (!select->distinct) {
        ACCEPT_WORD(ALL);
        return ARB_OK;
    }
    if (!ACCEPT_WORD(ON))
        return ARB_OK;
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &select->distinct_on));
    if (select->distinct_on.size == 0)
        return arb_parser_syntax_error(p);
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code parse_select_list(arb_parser *p, arb_ast_select *select)
{
    EXPECT_WORD(SELECT);
    ARB_TRY(parse_distinct(p, select));
    ARB_TRY(parse_items(p, select));
    if (AT_WORD(INTO))
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED,
                                  "SELECT INTO is not supported; use CREATE TABLE AS");
    return ARB_OK;
}

static arb_code parse_from_list(arb_parser *p, arb_ast_select *select)
{
    if (!ACCEPT_WORD(FROM))
        return ARB_OK;
    do {
        if (select->from.size != 0 && arb_parser_sees_list_end(p))
            break;
        const arb_ast_from *from;
        ARB_TRY(arb_parse_from(p, &from));
        PUSH(&select->from, from);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

/* ---- GROUP BY ---------------------------------------------------------------------------------------------------- */
static arb_code parse_group(arb_parser *p, bool set, arb_ast_group *out);

static arb_code parse_grouping_sets(arb_parser *p, arb_ast_group *out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    out->kind = ARB_AST_GROUP_SETS;
    p->at += 2;
    EXPECT(LEFT_PAREN);
    do {
        if (out->sets.size != 0 && AT(RIGHT_PAREN))
            break;
        arb_ast_group set;
        ARB_TRY(parse_group(p, true, &set));
        PUSH(&out->sets, set);
    } while (ACCEPT(COMMA));
    EXPECT(RIGHT_PAREN);
    return arb_parser_leave(p, level);
}

/* An element; as a set of GROUPING SETS, (a, b) means both columns and () none. */
static arb_code parse_group(arb_parser *p, bool set, arb_ast_group *out)
{
    *out = (arb_ast_group){.kind = ARB_AST_GROUP_EXPRS};
    uint32_t begin = arb_parser_begin(p);
    bool rollup = AT_WORD(ROLLUP) && NEXT_IS(LEFT_PAREN), cube = AT_WORD(CUBE) && NEXT_IS(LEFT_PAREN);
    if (AT_WORDS(GROUPING, SETS)) {
        ARB_TRY(parse_grouping_sets(p, out));
    } else if (rollup || cube) {
        out->kind = rollup ? ARB_AST_GROUP_ROLLUP : ARB_AST_GROUP_CUBE;
        p->at += 2;
        ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &out->exprs));
        EXPECT(RIGHT_PAREN);
    } else if (AT(LEFT_PAREN) && NEXT_IS(RIGHT_PAREN)) {
        p->at += 2;
    } else {
        const arb_ast_expr *expr;
        ARB_TRY(arb_parse_expr(p, &expr));
        if (set && expr->kind == ARB_AST_ROW)
            out->exprs = arb_ast_as_row(expr)->elements;
        else
            PUSH(&out->exprs, (arb_ast_expr *)expr);
    }
    out->span = arb_parser_span(p, begin);
    return ARB_OK;
}

arb_code arb_parse_group_by(arb_parser *p, arb_ast_select *select)
{
    EXPECT_WORD(GROUP);
    EXPECT_WORD(BY);
    if (ACCEPT_WORD(ALL)) {
        select->group_all = true;
        return ARB_OK;
    }
    do {
        if (select->group_by.size != 0 && arb_parser_sees_list_end(p))
            break;
        arb_ast_group group;
        ARB_TRY(parse_group(p, false, &group));
        PUSH(&select->group_by, group);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

/* ---- the clauses behind FROM ------------------------------------------------------------------------------------- */
static arb_code parse_named_windows(arb_parser *p, arb_ast_select *select)
{
    do {
        arb_ast_named_window named;
        ARB_TRY(arb_parse_name(p, &named.name));
        EXPECT_WORD(AS);
        if (!AT(LEFT_PAREN))
            return arb_parser_syntax_error(p);
        ARB_TRY(arb_parse_window(p, &named.window));
        PUSH(&select->windows, named);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

static arb_code parse_clauses(arb_parser *p, arb_ast_select *select)
{
    if (ACCEPT_WORD(WHERE))
        ARB_TRY(arb_parse_expr(p, &select->where));
    if (AT_WORD(GROUP))
        ARB_TRY(arb_parse_group_by(p, select));
    if (ACCEPT_WORD(HAVING))
        ARB_TRY(arb_parse_expr(p, &select->having));
    for (;;) {
        if (select->windows.size == 0 && ACCEPT_WORD(WINDOW)) {
            ARB_TRY(parse_named_windows(p, select));
        } else if (select->qualify == NULL && ACCEPT_WORD(QUALIFY)) {
            ARB_TRY(arb_parse_expr(p, &select->qualify));
        } else if (select->sample.size == NULL && ACCEPT_WORDS(USING, SAMPLE)) {
            ARB_TRY(arb_parse_sample(p, &select->sample));
        } else {
            return ARB_OK;
        }
    }
}

static arb_code select_star(arb_parser *p, arb_ast_select *select)
{
    NEW_EXPR(star, STAR, star, arb_parser_span(p, 0).end);
    PUSH(&select->items, (arb_ast_item){.expr = &star->base});
    return ARB_OK;
}

arb_code arb_parse_select(arb_parser *p, const arb_ast_select **out)
{
    NEW_OBJECT(arb_ast_select, select);
    *out = select;
    if (ACCEPT_WORD(TABLE)) {
        arb_ast_from *table;
        ARB_TRY(arb_parse_table(p, &table));
        PUSH(&select->from, table);
        return select_star(p, select);
    }
    if (AT_WORD(FROM)) {
        ARB_TRY(parse_from_list(p, select));
        if (AT_WORD(SELECT))
            ARB_TRY(parse_select_list(p, select));
        else
            ARB_TRY(select_star(p, select));
    } else {
        ARB_TRY(parse_select_list(p, select));
        ARB_TRY(parse_from_list(p, select));
    }
    return parse_clauses(p, select);
}
