/* parser_copy.c: what moves data and names files: INSERT, COPY, CREATE EXTERNAL TABLE, and their options. */
#include "sql/parser_internal.h"

/* ---- options ----------------------------------------------------------------------------------------------------- */
static arb_code parse_value_list(arb_parser *p, const arb_ast_expr **out)
{
    NEW_EXPR(row, ROW, node, arb_parser_begin(p));
    EXPECT(LEFT_PAREN);
    do {
        if (AT(RIGHT_PAREN))
            break;
        const arb_ast_expr *value;
        arb_parser_level level;
        ARB_TRY(arb_parser_enter(p, &level));
        ARB_TRY(arb_parse_option_value(p, &value));
        ARB_TRY(arb_parser_leave(p, level));
        PUSH(&node->elements, (arb_ast_expr *)value);
    } while (ACCEPT(COMMA));
    EXPECT(RIGHT_PAREN);
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

/* A word is taken as a string: FORMAT parquet. */
arb_code arb_parse_option_value(arb_parser *p, const arb_ast_expr **out)
{
    if (AT(STAR))
        return arb_parse_star(p, NULL, NULL, arb_parser_begin(p), out);
    if (AT(LEFT_PAREN))
        return parse_value_list(p, out);
    bool word = arb_parser_sees_label(p, 0);
    bool literal = AT_WORD(TRUE) || AT_WORD(FALSE) || AT_WORD(NULL);
    bool begins_form = NEXT_IS(LEFT_PAREN) || NEXT_IS(DOT) || NEXT_IS(LEFT_BRACE) || NEXT_IS(LEFT_BRACKET);
    if (!word || literal || begins_form)
        return arb_parse_expr(p, out);
    NEW_EXPR(literal, LITERAL, node, arb_parser_begin(p));
    arb_ast_name name;
    ARB_TRY(arb_parse_token_as_name(p, &name));
    node->type = ARB_AST_STRING;
    node->text = name.text;
    CLOSE(node);
    *out = &node->base;
    return ARB_OK;
}

arb_code arb_parse_options(arb_parser *p, arb_ast_options *out)
{
    EXPECT(LEFT_PAREN);
    do {
        if (AT(RIGHT_PAREN))
            break;
        arb_ast_option option = {0};
        ARB_TRY(arb_parse_dotted_name(p, &option.name));
        ACCEPT(EQUAL);
        if (!AT(COMMA) && !AT(RIGHT_PAREN))
            ARB_TRY(arb_parse_option_value(p, &option.value));
        PUSH(out, option);
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

static arb_code add_option(arb_parser *p, arb_ast_options *out, const char *name)
{
    arb_ast_option option = {.name.text = arb_str_of(name), .name.span = arb_parser_span(p, arb_parser_begin(p))};
    ARB_TRY(arb_parse_option_value(p, &option.value));
    PUSH(out, option);
    return ARB_OK;
}

/* ---- INSERT ------------------------------------------------------------------------------------------------------ */
static arb_code refuse_tail(arb_parser *p)
{
    if (AT_WORDS(ON, CONFLICT))
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "ON CONFLICT is not supported");
    if (AT_WORD(RETURNING))
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "RETURNING is not supported");
    return ARB_OK;
}

arb_code arb_parse_insert(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(insert, INSERT, node, arb_parser_begin(p));
    arb_parser_advance(p);
    if (AT_WORD(OR) || AT_WORD(OVERWRITE))
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "INSERT %s is not supported",
                                  AT_WORD(OR) ? "OR" : "OVERWRITE");
    EXPECT_WORD(INTO);
    ARB_TRY(arb_parse_qualified_name(p, &node->table));
    if (AT(LEFT_PAREN) && !arb_parser_sees_query(p, 1))
        ARB_TRY(arb_parse_name_list(p, &node->columns));
    node->by_name = ACCEPT_WORDS(BY, NAME);
    *out = &node->base;
    if (AT_WORD(DEFAULT)) {
        arb_parser_advance(p);
        EXPECT_WORD(VALUES);
        return refuse_tail(p);
    }
    ARB_TRY(arb_parse_query(p, &node->query));
    return refuse_tail(p);
}

/* ---- COPY -------------------------------------------------------------------------------------------------------- */
static arb_code parse_copy_path(arb_parser *p, arb_ast_copy *node)
{
    if (arb_token_is_string(arb_parser_peek(p, 0)))
        return arb_parse_token_as_name(p, &node->path);
    arb_ast_name word;
    ARB_TRY(arb_parse_name(p, &word));
    node->console = arb_str_equal_nocase(word.text, node->from ? ARB_STR("stdin") : ARB_STR("stdout"));
    if (node->console)
        return ARB_OK;
    p->at--;
    return arb_parser_syntax_error(p);
}

/* The clauses behind the path, in any order. PostgreSQL's old words (CSV HEADER DELIMITER ',') become options. */
static arb_code parse_copy_clauses(arb_parser *p, arb_ast_copy *node)
{
    for (;;) {
        if (AT(LEFT_PAREN)) {
            ARB_TRY(arb_parse_options(p, &node->options));
        } else if (ACCEPT_WORD(OPTIONS)) {
            ARB_TRY(arb_parse_options(p, &node->options));
        } else if (ACCEPT_WORDS(STORED, AS) || ACCEPT_WORD(FORMAT)) {
            ARB_TRY(arb_parse_name(p, &node->format));
        } else if (ACCEPT_WORD(PARTITIONED)) {
            EXPECT_WORD(BY);
            ARB_TRY(arb_parse_name_list(p, &node->partitioned_by));
        } else if (AT_WORD(CSV)) {
            ARB_TRY(arb_parse_name(p, &node->format));
        } else if (ACCEPT_WORD(HEADER)) {
            PUSH(&node->options, (arb_ast_option){.name.text = ARB_STR("header")});
        } else if (ACCEPT_WORD(DELIMITER)) {
            ACCEPT_WORD(AS);
            ARB_TRY(add_option(p, &node->options, "delimiter"));
        } else if (!ACCEPT_WORD(WITH)) {
            return ARB_OK;
        }
    }
}

arb_code arb_parse_copy(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(copy, COPY, node, arb_parser_begin(p));
    arb_parser_advance(p);
    if (AT(LEFT_PAREN)) {
        ARB_TRY(arb_parse_query_in_parens(p, &node->query));
    } else {
        ARB_TRY(arb_parse_qualified_name(p, &node->table));
        if (AT(LEFT_PAREN))
            ARB_TRY(arb_parse_name_list(p, &node->columns));
    }
    node->from = node->query == NULL && ACCEPT_WORD(FROM);
    if (!node->from)
        EXPECT_WORD(TO);
    ARB_TRY(parse_copy_path(p, node));
    ARB_TRY(parse_copy_clauses(p, node));
    *out = &node->base;
    return ARB_OK;
}

/* ---- CREATE EXTERNAL TABLE --------------------------------------------------------------------------------------- */
/* WITH HEADER ROW, WITH ORDER (a DESC) */
static arb_code parse_external_with(arb_parser *p, arb_ast_create_external *table)
{
    if (ACCEPT_WORD(ORDER)) {
        EXPECT(LEFT_PAREN);
        ARB_TRY(arb_parse_sort_keys(p, &table->order));
        return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
    }
    EXPECT_WORD(HEADER);
    EXPECT_WORD(ROW);
    PUSH(&table->options, (arb_ast_option){.name.text = ARB_STR("header")});
    return ARB_OK;
}

static arb_code parse_external_clause(arb_parser *p, arb_ast_create_external *table, bool *found)
{
    *found = true;
    if (table->format.text.size == 0 && ACCEPT_WORDS(STORED, AS))
        return arb_parse_label(p, &table->format);
    if (table->location.text.size == 0 && ACCEPT_WORD(LOCATION))
        return arb_parse_string(p, &table->location);
    if (table->partitioned_by.size == 0 && ACCEPT_WORD(PARTITIONED)) {
        EXPECT_WORD(BY);
        return arb_parse_column_definitions(p, &table->partitioned_by, NULL);
    }
    if (ACCEPT_WORD(OPTIONS))
        return arb_parse_options(p, &table->options);
    if (ACCEPT_WORD(WITH))
        return parse_external_with(p, table);
    if (ACCEPT_WORD(DELIMITER))
        return add_option(p, &table->options, "delimiter");
    if (ACCEPT_WORDS(COMPRESSION, TYPE))
        return add_option(p, &table->options, "compression");
    *found = false;
    return ARB_OK;
}

arb_code arb_parse_external_table(arb_parser *p, arb_ast_create_external *table)
{
    ARB_TRY(arb_parse_qualified_name(p, &table->name));
    if (AT(LEFT_PAREN))
        ARB_TRY(arb_parse_column_definitions(p, &table->columns, NULL));
    bool found;
    do
        ARB_TRY(parse_external_clause(p, table, &found));
    while (found);
    return table->location.text.data != NULL ? ARB_OK : arb_parser_syntax_error(p);
}
