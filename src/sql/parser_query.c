/* parser_query.c: queries around their SELECTs: WITH, set operations, VALUES, ORDER BY, LIMIT. */
#include "sql/parser_internal.h"

/* ---- telling a query from an expression -------------------------------------------------------------------------- */
static bool begins_query(const arb_parser *p, size_t ahead)
{
    switch ((arb_keyword)arb_parser_peek(p, ahead)->keyword) {
    case ARB_KW_SELECT:
    case ARB_KW_WITH:
    case ARB_KW_FROM:
    case ARB_KW_TABLE:
        return true;
    case ARB_KW_VALUES:
        return arb_parser_sees(p, ahead + 1, ARB_TOKEN_LEFT_PAREN);
    default:
        return false;
    }
}

/* What may stand behind a query in parentheses when it is part of a larger query. */
static bool continues_query(const arb_token *token)
{
    switch ((arb_keyword)token->keyword) {
    case ARB_KW_UNION:
    case ARB_KW_INTERSECT:
    case ARB_KW_EXCEPT:
    case ARB_KW_ORDER:
    case ARB_KW_LIMIT:
    case ARB_KW_OFFSET:
    case ARB_KW_FETCH:
        return true;
    default:
        return token->kind == ARB_TOKEN_RIGHT_PAREN || token->kind == ARB_TOKEN_END;
    }
}

/* ((SELECT 1) UNION …) is a query, ((SELECT 1) + 1) is not: behind each of the leading parentheses' ends there must be
 * what can go on with a query. One pass, since the parentheses may be many. */
bool arb_parser_sees_query(const arb_parser *p, size_t ahead)
{
    size_t open = 0;
    while (open <= ARB_AST_HEIGHT_MAX && arb_parser_sees(p, ahead + open, ARB_TOKEN_LEFT_PAREN))
        open++;
    if (!begins_query(p, ahead + open))
        return false;
    size_t nested = open; /* brackets open at the token looked at, of which `open` are leading */
    for (size_t at = p->at + ahead + open; open != 0 && at < p->count; at++) {
        uint8_t kind = p->tokens[at].kind;
        if (kind == ARB_TOKEN_LEFT_PAREN) {
            nested++;
        } else if (kind == ARB_TOKEN_RIGHT_PAREN && nested-- == open) {
            open--;
            if (!continues_query(&p->tokens[at + 1]))
                return false;
        }
    }
    return true;
}

bool arb_parser_sees_list_end(const arb_parser *p)
{
    const arb_token *token = arb_parser_peek(p, 0);
    switch ((arb_keyword)token->keyword) {
    case ARB_KW_FROM:
    case ARB_KW_WHERE:
    case ARB_KW_GROUP:
    case ARB_KW_HAVING:
    case ARB_KW_WINDOW:
    case ARB_KW_QUALIFY:
    case ARB_KW_UNION:
    case ARB_KW_INTERSECT:
    case ARB_KW_EXCEPT:
    case ARB_KW_ORDER:
    case ARB_KW_LIMIT:
    case ARB_KW_OFFSET:
    case ARB_KW_FETCH:
    case ARB_KW_SELECT:
    case ARB_KW_USING:
        return true;
    default:
        return token->kind == ARB_TOKEN_RIGHT_PAREN || token->kind == ARB_TOKEN_END;
    }
}

/* ---- terms ------------------------------------------------------------------------------------------------------- */
static arb_code new_query(arb_parser *p, arb_ast_query_kind kind, uint32_t begin, arb_ast_query **out)
{
    NEW_OBJECT(arb_ast_query, query);
    query->kind = kind;
    query->span = arb_parser_span(p, begin);
    *out = query;
    return ARB_OK;
}

/* In FROM a comma behind a row separates tables unless another row follows. */
arb_code arb_parse_values(arb_parser *p, arb_ast_query **out)
{
    arb_ast_query *query = NULL;
    ARB_TRY(new_query(p, ARB_AST_QUERY_VALUES, arb_parser_begin(p), &query));
    EXPECT_WORD(VALUES);
    bool more;
    do {
        arb_ast_exprs row = {0};
        EXPECT(LEFT_PAREN);
        if (AT(RIGHT_PAREN))
            return arb_parser_syntax_error(p);
        ARB_TRY(arb_parse_expr_list(p, ARB_TOKEN_RIGHT_PAREN, &row));
        EXPECT(RIGHT_PAREN);
        PUSH(&query->values, row);
        more = AT(COMMA) && NEXT_IS(LEFT_PAREN);
        if (more)
            arb_parser_advance(p);
    } while (more);
    query->span = arb_parser_span(p, query->span.begin);
    *out = query;
    return ARB_OK;
}

/* As a term of its own, a comma may trail. */
static arb_code parse_values_term(arb_parser *p, arb_ast_query **out)
{
    ARB_TRY(arb_parse_values(p, out));
    ACCEPT(COMMA);
    return ARB_OK;
}

static arb_code parse_select_term(arb_parser *p, arb_ast_query **out)
{
    uint32_t begin = arb_parser_begin(p);
    const arb_ast_select *select;
    ARB_TRY(arb_parse_select(p, &select));
    ARB_TRY(new_query(p, ARB_AST_QUERY_SELECT, begin, out));
    (*out)->select = select;
    return ARB_OK;
}

arb_code arb_parse_select_all(arb_parser *p, const arb_ast_from *from, uint32_t begin, const arb_ast_query **out)
{
    NEW_EXPR(star, STAR, star, begin);
    NEW_OBJECT(arb_ast_select, select);
    PUSH(&select->items, (arb_ast_item){.expr = &star->base});
    PUSH(&select->from, from);
    arb_ast_query *query = NULL;
    ARB_TRY(new_query(p, ARB_AST_QUERY_SELECT, begin, &query));
    query->select = select;
    *out = query;
    return ARB_OK;
}

/* One operand of a set operation. */
static arb_code parse_term(arb_parser *p, arb_ast_query **out)
{
    if (AT(LEFT_PAREN)) {
        const arb_ast_query *inner;
        ARB_TRY(arb_parse_query_in_parens(p, &inner));
        *out = (arb_ast_query *)inner;
        return ARB_OK;
    }
    if (AT_WORD(VALUES))
        return parse_values_term(p, out);
    return parse_select_term(p, out);
}

/* ---- set operations ---------------------------------------------------------------------------------------------- */
static arb_code parse_set_operator(arb_parser *p, arb_ast_set_step *step)
{
    uint32_t begin = arb_parser_begin(p);
    step->op = AT_WORD(UNION) ? ARB_AST_UNION : AT_WORD(INTERSECT) ? ARB_AST_INTERSECT : ARB_AST_EXCEPT;
    arb_parser_advance(p);
    step->all = ACCEPT_WORD(ALL);
    if (!step->all)
        ACCEPT_WORD(DISTINCT);
    if (ACCEPT_WORD(BY)) {
        EXPECT_WORD(NAME);
        step->by_name = true;
    }
    step->span = arb_parser_span(p, begin);
    return ARB_OK;
}

/* INTERSECT binds tighter than UNION and EXCEPT. */
static arb_code parse_set(arb_parser *p, bool intersect, arb_ast_query **out)
{
    uint32_t begin = arb_parser_begin(p);
    ARB_TRY(intersect ? parse_term(p, out) : parse_set(p, true, out));
    arb_ast_query *set = NULL;
    while (intersect ? AT_WORD(INTERSECT) : AT_WORD(UNION) || AT_WORD(EXCEPT)) {
        if (set == NULL) {
            ARB_TRY(new_query(p, ARB_AST_QUERY_SET, begin, &set));
            set->first = *out;
            *out = set;
            ARB_TRY(arb_parser_grow(p));
        }
        arb_ast_set_step step = {0};
        ARB_TRY(parse_set_operator(p, &step));
        arb_ast_query *right = NULL;
        ARB_TRY(intersect ? parse_term(p, &right) : parse_set(p, true, &right));
        step.query = right;
        PUSH(&set->steps, step);
        set->span = arb_parser_span(p, begin);
    }
    return ARB_OK;
}

/* ---- WITH -------------------------------------------------------------------------------------------------------- */
typedef struct with_clause {
    bool recursive;
    ARB_VEC(arb_ast_cte) ctes;
} with_clause;

static arb_code parse_cte(arb_parser *p, arb_ast_cte *cte)
{
    *cte = (arb_ast_cte){.materialized = -1};
    ARB_TRY(arb_parse_name(p, &cte->name));
    if (AT(LEFT_PAREN))
        ARB_TRY(arb_parse_name_list(p, &cte->columns));
    EXPECT_WORD(AS);
    if (ACCEPT_WORDS(NOT, MATERIALIZED))
        cte->materialized = 0;
    else if (ACCEPT_WORD(MATERIALIZED))
        cte->materialized = 1;
    return arb_parse_query_in_parens(p, &cte->query);
}

static arb_code parse_with(arb_parser *p, with_clause *out)
{
    if (!ACCEPT_WORD(WITH))
        return ARB_OK;
    out->recursive = AT_WORD(RECURSIVE) && !NEXT_IS_WORD(AS) && ACCEPT_WORD(RECURSIVE);
    do {
        if (out->ctes.size != 0 && begins_query(p, 0))
            break;
        arb_ast_cte cte;
        ARB_TRY(parse_cte(p, &cte));
        PUSH(&out->ctes, cte);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

/* ---- ORDER BY, LIMIT --------------------------------------------------------------------------------------------- */
static arb_code parse_order_by(arb_parser *p, arb_ast_query *query)
{
    if (!ACCEPT_WORD(ORDER))
        return ARB_OK;
    EXPECT_WORD(BY);
    if (!AT_WORD(ALL))
        return arb_parse_sort_keys(p, &query->order_by);
    arb_parser_advance(p);
    query->order_all = true;
    arb_ast_sort_key key = {0};
    ARB_TRY(arb_parse_sort_direction(p, &key));
    PUSH(&query->order_by, key);
    return ARB_OK;
}

/* LIMIT ALL, LIMIT 10, LIMIT 10 PERCENT, LIMIT 10% */
static arb_code parse_limit(arb_parser *p, arb_ast_query *query)
{
    if (ACCEPT_WORD(ALL))
        return ARB_OK;
    bool before = p->percent_ends;
    p->percent_ends = true;
    ARB_TRY(arb_parse_expr(p, &query->limit));
    p->percent_ends = before;
    query->limit_percent = ACCEPT(PERCENT) || ACCEPT_WORD(PERCENT);
    return ARB_OK;
}

static void accept_rows(arb_parser *p)
{
    if (!ACCEPT_WORD(ROWS))
        ACCEPT_WORD(ROW);
}

static arb_code parse_fetch(arb_parser *p, arb_ast_query *query)
{
    if (!ACCEPT_WORD(FIRST))
        EXPECT_WORD(NEXT);
    if (AT_WORD(ROW) || AT_WORD(ROWS)) {
        NEW_EXPR(literal, LITERAL, one, arb_parser_begin(p));
        one->base.span = arb_parser_span(p, one->base.span.end);
        one->type = ARB_AST_INTEGER;
        one->text = ARB_STR("1");
        query->limit = &one->base;
    } else {
        ARB_TRY(arb_parse_expr_within(p, ARB_PREC_ADD, &query->limit));
        query->limit_percent = ACCEPT_WORD(PERCENT);
    }
    accept_rows(p);
    if (ACCEPT_WORD(ONLY))
        return ARB_OK;
    query->with_ties = ACCEPT_WORDS(WITH, TIES);
    return query->with_ties ? ARB_OK : arb_parser_syntax_error(p);
}

/* LIMIT and OFFSET in either order, each once. */
static arb_code parse_limits(arb_parser *p, arb_ast_query *query)
{
    bool limited = false, offset = false;
    for (;;) {
        if (!limited && ACCEPT_WORD(LIMIT)) {
            ARB_TRY(parse_limit(p, query));
            limited = true;
        } else if (!limited && ACCEPT_WORD(FETCH)) {
            ARB_TRY(parse_fetch(p, query));
            limited = true;
        } else if (!offset && ACCEPT_WORD(OFFSET)) {
            ARB_TRY(arb_parse_expr(p, &query->offset));
            accept_rows(p);
            offset = true;
        } else {
            return ARB_OK;
        }
    }
}

static bool sees_limits(const arb_parser *p)
{
    return AT_WORD(ORDER) || AT_WORD(LIMIT) || AT_WORD(OFFSET) || AT_WORD(FETCH);
}

/* ---- a whole query ----------------------------------------------------------------------------------------------- */
static bool has_surroundings(const arb_ast_query *query)
{
    return query->ctes.size != 0 || query->order_by.size != 0 || query->limit != NULL || query->offset != NULL;
}

/* A query in parentheses that has its own ORDER BY is wrapped before it gets a second one. */
static arb_code wrap(arb_parser *p, arb_ast_query **query)
{
    arb_ast_query *outer = NULL;
    ARB_TRY(new_query(p, ARB_AST_QUERY_SET, (*query)->span.begin, &outer));
    outer->first = *query;
    *query = outer;
    return arb_parser_grow(p);
}

arb_code arb_parse_query(arb_parser *p, const arb_ast_query **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    uint32_t begin = arb_parser_begin(p);
    with_clause with = {0};
    ARB_TRY(parse_with(p, &with));
    if (AT_WORD(INSERT) || AT_WORD(DELETE) || AT_WORD(UPDATE) || AT_WORD(MERGE))
        return arb_parser_fail_at(p, begin, ARB_NOT_SUPPORTED, "WITH in front of %.*s is not supported",
                                  ARB_STR_ARGS(arb_keyword_text((arb_keyword)arb_parser_peek(p, 0)->keyword)));
    arb_ast_query *query = NULL;
    ARB_TRY(parse_set(p, false, &query));
    if ((with.ctes.size != 0 || sees_limits(p)) && has_surroundings(query))
        ARB_TRY(wrap(p, &query));
    if (with.ctes.size != 0) {
        query->recursive = with.recursive;
        query->ctes.data = with.ctes.data;
        query->ctes.size = with.ctes.size;
        query->ctes.capacity = with.ctes.capacity;
    }
    ARB_TRY(parse_order_by(p, query));
    ARB_TRY(parse_limits(p, query));
    query->span = arb_parser_span(p, begin);
    *out = query;
    return arb_parser_leave(p, level);
}

arb_code arb_parse_query_in_parens(arb_parser *p, const arb_ast_query **out)
{
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_query(p, out));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}
