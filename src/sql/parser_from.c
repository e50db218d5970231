/* parser_from.c: tables, subqueries and functions in FROM, and the joins between them. */
#include "sql/parser_internal.h"

/* ---- joins ------------------------------------------------------------------------------------------------------- */
typedef struct join_words {
    size_t count; /* tokens up to and with JOIN; 0 = no join begins here */
    arb_ast_join_type type;
    bool natural, asof;
} join_words;

/* [NATURAL] [ASOF] [INNER | CROSS | POSITIONAL | {LEFT | RIGHT | FULL} [OUTER]] [SEMI | ANTI] JOIN. All of it must be
 * there: SEMI, ANTI, ASOF and POSITIONAL are names otherwise. */
static join_words see_join(const arb_parser *p)
{
    join_words words = {.type = ARB_AST_JOIN_INNER};
    size_t at = 0;
    words.natural = arb_parser_sees_word(p, at, ARB_KW_NATURAL);
    at += words.natural;
    words.asof = arb_parser_sees_word(p, at, ARB_KW_ASOF);
    at += words.asof;
    switch ((arb_keyword)arb_parser_peek(p, at)->keyword) {
    case ARB_KW_INNER:
        at++;
        break;
    case ARB_KW_CROSS:
        words.type = ARB_AST_JOIN_CROSS;
        at++;
        break;
    case ARB_KW_POSITIONAL:
        words.type = ARB_AST_JOIN_POSITIONAL;
        at++;
        break;
    case ARB_KW_LEFT:
        words.type = ARB_AST_JOIN_LEFT;
        at++;
        break;
    case ARB_KW_RIGHT:
        words.type = ARB_AST_JOIN_RIGHT;
        at++;
        break;
    case ARB_KW_FULL:
        words.type = ARB_AST_JOIN_FULL;
        at++;
        break;
    default:
        break;
    }
    bool sided = words.type == ARB_AST_JOIN_LEFT || words.type == ARB_AST_JOIN_RIGHT;
    bool right = words.type == ARB_AST_JOIN_RIGHT;
    if ((sided || words.type == ARB_AST_JOIN_FULL) && arb_parser_sees_word(p, at, ARB_KW_OUTER)) {
        at++;
    } else if (sided || words.type == ARB_AST_JOIN_INNER) {
        bool semi = arb_parser_sees_word(p, at, ARB_KW_SEMI), anti = arb_parser_sees_word(p, at, ARB_KW_ANTI);
        at += semi || anti;
        if (semi)
            words.type = right ? ARB_AST_JOIN_RIGHT_SEMI : ARB_AST_JOIN_SEMI;
        if (anti)
            words.type = right ? ARB_AST_JOIN_RIGHT_ANTI : ARB_AST_JOIN_ANTI;
    }
    words.count = arb_parser_sees_word(p, at, ARB_KW_JOIN) ? at + 1 : 0;
    return words;
}

static arb_code parse_item(arb_parser *p, const arb_ast_from **out);
static arb_code parse_joins(arb_parser *p, uint32_t begin, bool one, const arb_ast_from **out);

/* ON …, USING (…). What stands between `a JOIN b` and its condition is another join: a JOIN b JOIN c ON … ON …. */
static arb_code parse_join_condition(arb_parser *p, arb_ast_join *join, uint32_t right_begin)
{
    while (see_join(p).count != 0)
        ARB_TRY(parse_joins(p, right_begin, true, &join->right));
    if (ACCEPT_WORD(ON))
        return arb_parse_expr(p, &join->on);
    EXPECT_WORD(USING);
    return arb_parse_name_list(p, &join->using);
}

static arb_code parse_join(arb_parser *p, arb_ast_join *join)
{
    join_words words = see_join(p);
    uint32_t begin = arb_parser_begin(p);
    p->at += words.count;
    *join = (arb_ast_join){
        .type = words.type, .natural = words.natural, .asof = words.asof, .span = arb_parser_span(p, begin)};
    uint32_t right_begin = arb_parser_begin(p);
    ARB_TRY(parse_item(p, &join->right));
    bool conditional = !words.natural && words.type != ARB_AST_JOIN_CROSS && words.type != ARB_AST_JOIN_POSITIONAL;
    return conditional ? parse_join_condition(p, join, right_begin) : ARB_OK;
}

/* The joins behind *out, which becomes the first of them; with `one`, just the next. */
static arb_code parse_joins(arb_parser *p, uint32_t begin, bool one, const arb_ast_from **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    NEW_OBJECT(arb_ast_from, node);
    node->kind = ARB_AST_FROM_JOIN;
    node->first = *out;
    do {
        arb_ast_join join;
        ARB_TRY(parse_join(p, &join));
        PUSH(&node->joins, join);
    } while (!one && see_join(p).count != 0);
    node->span = arb_parser_span(p, begin);
    *out = node;
    return arb_parser_leave(p, level);
}

/* ---- samples ----------------------------------------------------------------------------------------------------- */
static arb_code parse_sample_size(arb_parser *p, arb_ast_sample *sample, bool percent)
{
    ARB_TRY(AT(LEFT_PAREN) ? arb_parse_operand(p, &sample->size) : arb_parse_number(p, &sample->size));
    bool rows = ACCEPT_WORD(ROWS);
    sample->percent = (ACCEPT(PERCENT) || ACCEPT_WORD(PERCENT) || percent) && !rows;
    return ARB_OK;
}

/* bernoulli (10), reservoir(50 ROWS), 10%, 10 PERCENT (method, seed) */
arb_code arb_parse_sample(arb_parser *p, arb_ast_sample *sample)
{
    bool percent = false;
    if (arb_parser_sees_name(p, 0)) {
        arb_ast_name method;
        ARB_TRY(arb_parse_name(p, &method));
        sample->method = method.text;
        percent = !arb_str_equal_nocase(method.text, ARB_STR("reservoir"));
    }
    if (ACCEPT(LEFT_PAREN)) {
        ARB_TRY(parse_sample_size(p, sample, percent));
        EXPECT(RIGHT_PAREN);
    } else {
        ARB_TRY(parse_sample_size(p, sample, percent));
        if (sample->method.size == 0 && ACCEPT(LEFT_PAREN)) {
            arb_ast_name method;
            ARB_TRY(arb_parse_name(p, &method));
            sample->method = method.text;
            if (ACCEPT(COMMA))
                ARB_TRY(arb_parse_number(p, &sample->seed));
            EXPECT(RIGHT_PAREN);
        }
    }
    if (!ACCEPT_WORD(REPEATABLE))
        return ARB_OK;
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_number(p, &sample->seed));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

/* ---- aliases ----------------------------------------------------------------------------------------------------- */
static arb_code parse_column_aliases(arb_parser *p, arb_ast_from *from)
{
    EXPECT(LEFT_PAREN);
    do {
        if (from->column_aliases.size != 0 && AT(RIGHT_PAREN))
            break;
        arb_ast_column_alias alias = {0};
        ARB_TRY(arb_parse_name(p, &alias.name));
        if (!AT(COMMA) && !AT(RIGHT_PAREN))
            ARB_TRY(arb_parse_type(p, &alias.type));
        PUSH(&from->column_aliases, alias);
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code refuse_pivot(arb_parser *p)
{
    bool pivot = (AT_WORD(PIVOT) || AT_WORD(UNPIVOT)) && NEXT_IS(LEFT_PAREN);
    if (!pivot)
        return ARB_OK;
    return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "%s is not supported",
                              AT_WORD(PIVOT) ? "PIVOT" : "UNPIVOT");
}

static arb_code parse_alias(arb_parser *p, arb_ast_from *from)
{
    ARB_TRY(refuse_pivot(p));
    if (ACCEPT_WORD(AS)) {
        if (arb_token_is_string(arb_parser_peek(p, 0)))
            ARB_TRY(arb_parse_token_as_name(p, &from->alias));
        else
            ARB_TRY(arb_parse_label(p, &from->alias));
    } else if (arb_parser_sees_alias(p, 0) && see_join(p).count == 0) {
        p->bare_alias = p->at;
        ARB_TRY(arb_parse_token_as_name(p, &from->alias));
    }
    if (from->alias.text.size != 0 && AT(LEFT_PAREN))
        ARB_TRY(parse_column_aliases(p, from));
    if (ACCEPT_WORD(TABLESAMPLE))
        ARB_TRY(arb_parse_sample(p, &from->sample));
    return refuse_pivot(p);
}

/* ---- items ------------------------------------------------------------------------------------------------------- */
arb_code arb_parse_table(arb_parser *p, arb_ast_from **out)
{
    NEW_OBJECT(arb_ast_from, from);
    uint32_t begin = arb_parser_begin(p);
    from->kind = ARB_AST_FROM_TABLE;
    if (arb_token_is_string(arb_parser_peek(p, 0))) {
        arb_ast_name path;
        ARB_TRY(arb_parse_token_as_name(p, &path));
        PUSH(&from->table, path);
        from->path = true;
    } else {
        ARB_TRY(arb_parse_qualified_name(p, &from->table));
        enum { parts_most = 3 };
        if (from->table.size > parts_most)
            return arb_parser_fail_at(p, begin, ARB_SYNTAX, "a table's name has at most three parts");
    }
    from->span = arb_parser_span(p, begin);
    *out = from;
    return ARB_OK;
}

static arb_code parse_table_or_function(arb_parser *p, arb_ast_from **out)
{
    uint32_t begin = arb_parser_begin(p);
    ARB_TRY(arb_parse_table(p, out));
    arb_ast_from *from = *out;
    if (from->path || !AT(LEFT_PAREN))
        return ARB_OK;
    from->kind = ARB_AST_FROM_FUNCTION;
    ARB_TRY(arb_parse_call(p, &from->table, NULL, begin, true, &from->call));
    from->table.size = 0;
    from->ordinality = ACCEPT_WORDS(WITH, ORDINALITY);
    return ARB_OK;
}

/* (query), VALUES (…), (…) */
static arb_code parse_subquery(arb_parser *p, arb_ast_from **out)
{
    NEW_OBJECT(arb_ast_from, from);
    from->kind = ARB_AST_FROM_SUBQUERY;
    if (AT_WORD(VALUES)) {
        arb_ast_query *values = NULL;
        ARB_TRY(arb_parse_values(p, &values));
        from->query = values;
    } else {
        ARB_TRY(arb_parse_query_in_parens(p, &from->query));
    }
    *out = from;
    return ARB_OK;
}

/* (a JOIN b ON …); an alias behind it needs a node of its own. */
static arb_code parse_parens(arb_parser *p, const arb_ast_from **out)
{
    uint32_t begin = arb_parser_begin(p);
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_from(p, out));
    EXPECT(RIGHT_PAREN);
    if (!AT_WORD(AS) && (!arb_parser_sees_alias(p, 0) || see_join(p).count != 0))
        return ARB_OK;
    NEW_OBJECT(arb_ast_from, node);
    node->kind = ARB_AST_FROM_JOIN;
    node->first = *out;
    ARB_TRY(parse_alias(p, node));
    node->span = arb_parser_span(p, begin);
    *out = node;
    return arb_parser_grow(p);
}

static arb_code parse_item(arb_parser *p, const arb_ast_from **out)
{
    uint32_t begin = arb_parser_begin(p);
    bool lateral = ACCEPT_WORD(LATERAL);
    arb_ast_from *from = NULL;
    if ((AT(LEFT_PAREN) && arb_parser_sees_query(p, 1)) || (AT_WORD(VALUES) && NEXT_IS(LEFT_PAREN)))
        ARB_TRY(parse_subquery(p, &from));
    else if (AT(LEFT_PAREN) && !lateral)
        return parse_parens(p, out);
    else
        ARB_TRY(parse_table_or_function(p, &from));
    if (lateral && from->kind == ARB_AST_FROM_TABLE)
        return arb_parser_syntax_error(p);
    from->lateral = lateral;
    ARB_TRY(parse_alias(p, from));
    from->span = arb_parser_span(p, begin);
    *out = from;
    return ARB_OK;
}

arb_code arb_parse_from(arb_parser *p, const arb_ast_from **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    uint32_t begin = arb_parser_begin(p);
    ARB_TRY(parse_item(p, out));
    if (see_join(p).count != 0)
        ARB_TRY(parse_joins(p, begin, false, out));
    return arb_parser_leave(p, level);
}
