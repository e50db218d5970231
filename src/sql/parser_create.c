/* parser_create.c: CREATE and DROP. */
#include "sql/parser_internal.h"

typedef struct create_words { /* CREATE [OR REPLACE] [TEMPORARY] */
    uint32_t begin;
    bool or_replace, temporary, if_not_exists;
} create_words;

/* ---- columns ----------------------------------------------------------------------------------------------------- */
static arb_code parse_references(arb_parser *p)
{
    arb_ast_names ignored = {0};
    ARB_TRY(arb_parse_qualified_name(p, &ignored));
    return AT(LEFT_PAREN) ? arb_parse_name_list(p, &ignored) : ARB_OK;
}

static arb_code parse_check(arb_parser *p, const arb_ast_expr **out)
{
    EXPECT(LEFT_PAREN);
    ARB_TRY(arb_parse_expr(p, out));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

/* One constraint of a column; *found tells whether there was one. */
static arb_code parse_column_constraint(arb_parser *p, arb_ast_column_definition *column, bool *found)
{
    *found = true;
    if (ACCEPT_WORD(CONSTRAINT)) {
        arb_ast_name ignored;
        ARB_TRY(arb_parse_name(p, &ignored));
    }
    if (ACCEPT_WORDS(NOT, NULL)) {
        column->not_null = true;
    } else if (ACCEPT_WORD(NULL)) {
        column->not_null = false;
    } else if (ACCEPT_WORDS(PRIMARY, KEY)) {
        column->primary_key = column->not_null = true;
    } else if (ACCEPT_WORD(UNIQUE)) {
        column->unique = true;
    } else if (ACCEPT_WORD(DEFAULT)) {
        return arb_parse_expr_within(p, ARB_PREC_COMPARE, &column->default_value); /* not the NOT of NOT NULL */
    } else if (ACCEPT_WORD(CHECK)) {
        return parse_check(p, &column->check);
    } else if (ACCEPT_WORD(REFERENCES)) {
        return parse_references(p);
    } else if (AT_WORD(COLLATE)) {
        arb_parser_advance(p);
        return parse_references(p);
    } else if (AT_WORD(GENERATED)) {
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "generated columns are not supported");
    } else {
        *found = false;
    }
    return ARB_OK;
}

static bool sees_table_constraint(const arb_parser *p)
{
    return AT_WORD(CONSTRAINT) || AT_WORDS(PRIMARY, KEY) || AT_WORDS(FOREIGN, KEY) ||
           ((AT_WORD(UNIQUE) || AT_WORD(CHECK)) && NEXT_IS(LEFT_PAREN));
}

static arb_code parse_table_constraint(arb_parser *p, arb_ast_create_table *table)
{
    arb_ast_names ignored = {0};
    if (ACCEPT_WORD(CONSTRAINT)) {
        arb_ast_name name;
        ARB_TRY(arb_parse_name(p, &name));
    }
    if (ACCEPT_WORDS(PRIMARY, KEY))
        return arb_parse_name_list(p, &table->primary_key);
    if (ACCEPT_WORD(UNIQUE))
        return arb_parse_name_list(p, &ignored);
    if (ACCEPT_WORD(CHECK)) {
        const arb_ast_expr *check;
        ARB_TRY(parse_check(p, &check));
        PUSH(&table->checks, (arb_ast_expr *)check);
        return ARB_OK;
    }
    if (!ACCEPT_WORDS(FOREIGN, KEY))
        return arb_parser_syntax_error(p);
    ARB_TRY(arb_parse_name_list(p, &ignored));
    EXPECT_WORD(REFERENCES);
    return parse_references(p);
}

static arb_code parse_column(arb_parser *p, arb_ast_column_definition *column)
{
    *column = (arb_ast_column_definition){0};
    ARB_TRY(arb_parse_name(p, &column->name));
    if (AT(COMMA) || AT(RIGHT_PAREN))
        return ARB_OK;
    ARB_TRY(arb_parse_type(p, &column->type));
    bool found;
    do
        ARB_TRY(parse_column_constraint(p, column, &found));
    while (found);
    return ARB_OK;
}

/* (a INT NOT NULL, b TEXT, PRIMARY KEY (a)); constraints of the table only when there is one to take them. */
arb_code arb_parse_column_definitions(arb_parser *p, arb_ast_column_definitions *out, arb_ast_create_table *table)
{
    EXPECT(LEFT_PAREN);
    do {
        if (out->size != 0 && AT(RIGHT_PAREN))
            break;
        if (table != NULL && sees_table_constraint(p)) {
            ARB_TRY(parse_table_constraint(p, table));
        } else {
            arb_ast_column_definition column;
            ARB_TRY(parse_column(p, &column));
            PUSH(out, column);
        }
    } while (ACCEPT(COMMA));
    return arb_parser_expect(p, ARB_TOKEN_RIGHT_PAREN);
}

/* ---- CREATE ------------------------------------------------------------------------------------------------------ */
static arb_code parse_if_not_exists(arb_parser *p, bool *out)
{
    *out = AT_WORD(IF) && NEXT_IS_WORD(NOT);
    if (!*out)
        return ARB_OK;
    p->at += 2;
    return arb_parser_expect_word(p, ARB_KW_EXISTS);
}

/* AS query [WITH [NO] DATA] */
static arb_code parse_as_query(arb_parser *p, arb_ast_create_table *node)
{
    ARB_TRY(arb_parse_query(p, &node->query));
    if (!ACCEPT_WORD(WITH))
        return ARB_OK;
    node->with_no_data = ACCEPT_WORD(NO);
    return arb_parser_expect_word(p, ARB_KW_DATA);
}

static arb_code parse_create_table(arb_parser *p, create_words words, const arb_ast_statement **out)
{
    NEW_STATEMENT(create_table, CREATE_TABLE, node, words.begin);
    node->or_replace = words.or_replace;
    node->temporary = words.temporary;
    ARB_TRY(parse_if_not_exists(p, &node->if_not_exists));
    ARB_TRY(arb_parse_qualified_name(p, &node->name));
    if (AT(LEFT_PAREN))
        ARB_TRY(arb_parse_column_definitions(p, &node->columns, node));
    if (AT_WORD(WITH) && NEXT_IS(LEFT_PAREN)) {
        arb_parser_advance(p);
        ARB_TRY(arb_parse_options(p, &node->options));
    }
    *out = &node->base;
    if (ACCEPT_WORD(AS))
        return parse_as_query(p, node);
    return node->columns.size != 0 ? ARB_OK : arb_parser_syntax_error(p);
}

static arb_code parse_create_view(arb_parser *p, create_words words, const arb_ast_statement **out)
{
    NEW_STATEMENT(create_view, CREATE_VIEW, node, words.begin);
    node->or_replace = words.or_replace;
    node->temporary = words.temporary;
    ARB_TRY(parse_if_not_exists(p, &node->if_not_exists));
    ARB_TRY(arb_parse_qualified_name(p, &node->name));
    if (AT(LEFT_PAREN))
        ARB_TRY(arb_parse_name_list(p, &node->columns));
    EXPECT_WORD(AS);
    ARB_TRY(arb_parse_query(p, &node->query));
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_create_schema(arb_parser *p, create_words words, const arb_ast_statement **out)
{
    NEW_STATEMENT(create_schema, CREATE_SCHEMA, node, words.begin);
    ARB_TRY(parse_if_not_exists(p, &node->if_not_exists));
    ARB_TRY(arb_parse_qualified_name(p, &node->name));
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_create_external(arb_parser *p, create_words words, const arb_ast_statement **out)
{
    NEW_STATEMENT(create_external, CREATE_EXTERNAL, node, words.begin);
    node->or_replace = words.or_replace;
    node->temporary = words.temporary;
    ARB_TRY(parse_if_not_exists(p, &node->if_not_exists));
    ARB_TRY(arb_parse_external_table(p, node));
    *out = &node->base;
    return ARB_OK;
}

/* The word as a part of `CREATE INDEX is not supported`. */
static arb_code refuse(arb_parser *p, uint32_t begin, const char *verb)
{
    const arb_token *token = arb_parser_peek(p, 0);
    if (token->kind != ARB_TOKEN_WORD)
        return arb_parser_syntax_error(p);
    char word[32] = {0};
    arb_str text = {p->source.data + token->begin, ARB_MIN(token->end - token->begin, sizeof word - 1)};
    for (size_t i = 0; i < text.size; i++)
        word[i] = (char)(text.data[i] >= 'a' && text.data[i] <= 'z' ? text.data[i] - 32 : text.data[i]);
    if (token->keyword == ARB_KW_NONE && arb_keyword_nearest(text) != ARB_KW_NONE)
        return arb_parser_syntax_error(p);
    return arb_parser_fail_at(p, begin, ARB_NOT_SUPPORTED, "%s %s is not supported", verb, word);
}

arb_code arb_parse_create(arb_parser *p, const arb_ast_statement **out)
{
    create_words words = {.begin = arb_parser_begin(p)};
    arb_parser_advance(p);
    words.or_replace = ACCEPT_WORDS(OR, REPLACE);
    if (!ACCEPT_WORD(LOCAL) || AT_WORD(TEMPORARY) || AT_WORD(TEMP))
        words.temporary = ACCEPT_WORD(TEMPORARY) || ACCEPT_WORD(TEMP);
    if (ACCEPT_WORD(TABLE))
        return parse_create_table(p, words, out);
    if (ACCEPT_WORDS(EXTERNAL, TABLE))
        return parse_create_external(p, words, out);
    if (ACCEPT_WORD(VIEW))
        return parse_create_view(p, words, out);
    if (ACCEPT_WORD(SCHEMA))
        return parse_create_schema(p, words, out);
    return refuse(p, words.begin, "CREATE");
}

/* ---- DROP -------------------------------------------------------------------------------------------------------- */
arb_code arb_parse_drop(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(drop, DROP, node, arb_parser_begin(p));
    arb_parser_advance(p);
    if (ACCEPT_WORD(TABLE) || ACCEPT_WORDS(EXTERNAL, TABLE))
        node->object = ARB_AST_OBJECT_TABLE;
    else if (ACCEPT_WORD(VIEW))
        node->object = ARB_AST_OBJECT_VIEW;
    else if (ACCEPT_WORD(SCHEMA))
        node->object = ARB_AST_OBJECT_SCHEMA;
    else
        return refuse(p, node->base.span.begin, "DROP");
    node->if_exists = ACCEPT_WORDS(IF, EXISTS);
    do {
        arb_ast_names name = {0};
        ARB_TRY(arb_parse_qualified_name(p, &name));
        PUSH(&node->names, name);
    } while (ACCEPT(COMMA));
    node->cascade = ACCEPT_WORD(CASCADE);
    if (!node->cascade)
        ACCEPT_WORD(RESTRICT);
    *out = &node->base;
    return ARB_OK;
}
