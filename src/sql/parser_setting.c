/* parser_setting.c: asking about things and setting them: DESCRIBE, SHOW, SET, RESET, USE. */
#include "sql/parser_internal.h"

/* ---- DESCRIBE ---------------------------------------------------------------------------------------------------- */
static arb_code describe_table(arb_parser *p, arb_ast_describe *node)
{
    uint32_t begin = arb_parser_begin(p);
    arb_ast_from *table;
    ARB_TRY(arb_parse_table(p, &table));
    node->table = table->table;
    return arb_parse_select_all(p, table, begin, &node->query);
}

arb_code arb_parse_describe(arb_parser *p, bool summarize, const arb_ast_statement **out)
{
    NEW_STATEMENT(describe, DESCRIBE, node, arb_parser_begin(p));
    arb_parser_advance(p);
    node->summarize = summarize;
    *out = &node->base;
    if (AT_WORD(TABLE))
        arb_parser_advance(p);
    else if (arb_parser_sees_query(p, 0))
        return arb_parse_query(p, &node->query);
    return describe_table(p, node);
}

/* ---- SHOW -------------------------------------------------------------------------------------------------------- */
static arb_code parse_show_columns(arb_parser *p, uint32_t begin, const arb_ast_statement **out)
{
    NEW_STATEMENT(describe, DESCRIBE, node, begin);
    arb_parser_advance(p);
    if (!ACCEPT_WORD(FROM))
        EXPECT_WORD(IN);
    *out = &node->base;
    return describe_table(p, node);
}

arb_code arb_parse_show(arb_parser *p, const arb_ast_statement **out)
{
    uint32_t begin = arb_parser_begin(p);
    arb_parser_advance(p);
    if (AT_WORD(COLUMNS) && (NEXT_IS_WORD(FROM) || NEXT_IS_WORD(IN)))
        return parse_show_columns(p, begin, out);
    NEW_STATEMENT(show, SHOW, node, begin);
    *out = &node->base;
    if (AT_WORD(CREATE))
        return arb_parser_fail_at(p, begin, ARB_NOT_SUPPORTED, "SHOW CREATE is not supported");
    if (ACCEPT_WORDS(ALL, TABLES) || ACCEPT_WORD(TABLES)) {
        node->what = ARB_AST_SHOW_TABLES;
        return ACCEPT_WORD(FROM) || ACCEPT_WORD(IN) ? arb_parse_dotted_name(p, &node->name) : ARB_OK;
    }
    node->what = AT_WORD(SCHEMAS) || AT_WORD(DATABASES) ? ARB_AST_SHOW_SCHEMAS
                 : AT_WORD(FUNCTIONS)                   ? ARB_AST_SHOW_FUNCTIONS
                 : AT_WORD(ALL)                         ? ARB_AST_SHOW_ALL
                                                        : ARB_AST_SHOW_SETTING;
    if (node->what != ARB_AST_SHOW_SETTING) {
        arb_parser_advance(p);
        return ARB_OK;
    }
    if (ACCEPT_WORDS(TIME, ZONE)) {
        node->name.text = ARB_STR("timezone");
        return ARB_OK;
    }
    return arb_parse_dotted_name(p, &node->name);
}

/* ---- SET --------------------------------------------------------------------------------------------------------- */
/* DEFAULT, or value, value, …; words are strings. */
static arb_code parse_setting_values(arb_parser *p, arb_ast_exprs *out)
{
    if (ACCEPT_WORD(DEFAULT))
        return ARB_OK;
    do {
        const arb_ast_expr *value;
        ARB_TRY(arb_parse_option_value(p, &value));
        PUSH(out, (arb_ast_expr *)value);
    } while (ACCEPT(COMMA));
    return ARB_OK;
}

arb_code arb_parse_set(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(set, SET, node, arb_parser_begin(p));
    arb_parser_advance(p);
    *out = &node->base;
    bool named = NEXT_IS(EQUAL) || NEXT_IS_WORD(TO) || NEXT_IS(DOT);
    if (!named && !ACCEPT_WORD(SESSION))
        node->local = ACCEPT_WORD(LOCAL);
    if (ACCEPT_WORDS(TIME, ZONE)) {
        node->name.text = ARB_STR("timezone");
        if (ACCEPT_WORD(LOCAL))
            return ARB_OK;
        return parse_setting_values(p, &node->values);
    }
    ARB_TRY(arb_parse_dotted_name(p, &node->name));
    if (!ACCEPT(EQUAL))
        EXPECT_WORD(TO);
    return parse_setting_values(p, &node->values);
}

arb_code arb_parse_reset(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(set, SET, node, arb_parser_begin(p));
    arb_parser_advance(p);
    if (!ACCEPT_WORD(SESSION))
        node->local = ACCEPT_WORD(LOCAL);
    if (!ACCEPT_WORD(ALL))
        ARB_TRY(arb_parse_dotted_name(p, &node->name));
    *out = &node->base;
    return ARB_OK;
}

/* USE s is SET schema = 's'. */
arb_code arb_parse_use(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(set, SET, node, arb_parser_begin(p));
    arb_parser_advance(p);
    node->name.text = ARB_STR("schema");
    arb_ast_name schema;
    ARB_TRY(arb_parse_dotted_name(p, &schema));
    NEW_EXPR(literal, LITERAL, value, schema.span.begin);
    value->type = ARB_AST_STRING;
    value->text = schema.text;
    PUSH(&node->values, &value->base);
    *out = &node->base;
    return ARB_OK;
}
