/* parser_statement.c: which statement a text begins, and the small ones. */
#include "sql/parser_internal.h"

static arb_code parse_query_statement(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(select_statement, SELECT, node, arb_parser_begin(p));
    ARB_TRY(arb_parse_query(p, &node->query));
    *out = &node->base;
    return ARB_OK;
}

/* ---- EXPLAIN ----------------------------------------------------------------------------------------------------- */
/* An option's word says yes unless its value is false, off or 0. */
static bool says_yes(const arb_ast_option *option)
{
    if (option->value == NULL || option->value->kind != ARB_AST_LITERAL)
        return option->value == NULL;
    const arb_ast_literal *value = arb_ast_as_literal(option->value);
    return value->type != ARB_AST_FALSE && !arb_str_equal_nocase(value->text, ARB_STR("false")) &&
           !arb_str_equal_nocase(value->text, ARB_STR("off")) && !arb_str_equal(value->text, ARB_STR("0"));
}

static arb_code parse_explain_options(arb_parser *p, arb_ast_explain *node)
{
    arb_ast_options all = {0};
    ARB_TRY(arb_parse_options(p, &all));
    for (size_t i = 0; i < all.size; i++) {
        const arb_ast_option *option = &all.data[i];
        if (arb_str_equal_nocase(option->name.text, ARB_STR("analyze")))
            node->analyze = says_yes(option);
        else if (arb_str_equal_nocase(option->name.text, ARB_STR("verbose")))
            node->verbose = says_yes(option);
        else
            PUSH(&node->options, *option);
    }
    return ARB_OK;
}

static arb_code parse_explain(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(explain, EXPLAIN, node, arb_parser_begin(p));
    arb_parser_advance(p);
    node->analyze = ACCEPT_WORD(ANALYZE);
    node->verbose = ACCEPT_WORD(VERBOSE);
    if (AT(LEFT_PAREN) && !arb_parser_sees_query(p, 0))
        ARB_TRY(parse_explain_options(p, node));
    if (ACCEPT_WORD(FORMAT)) {
        arb_ast_option format = {.name.text = ARB_STR("format")};
        ARB_TRY(arb_parse_option_value(p, &format.value));
        PUSH(&node->options, format);
    }
    ARB_TRY(arb_parse_statement(p, &node->statement));
    *out = &node->base;
    return ARB_OK;
}

/* ---- transactions ------------------------------------------------------------------------------------------------ */
static arb_code parse_transaction(arb_parser *p, arb_ast_transaction_action action, const arb_ast_statement **out)
{
    NEW_STATEMENT(transaction, TRANSACTION, node, arb_parser_begin(p));
    node->action = action;
    bool start = AT_WORD(START);
    arb_parser_advance(p);
    if (start)
        EXPECT_WORD(TRANSACTION);
    else if (!ACCEPT_WORD(TRANSACTION))
        ACCEPT_WORD(WORK);
    *out = &node->base;
    return ARB_OK;
}

/* ---- prepared statements ----------------------------------------------------------------------------------------- */
static arb_code parse_prepare(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(prepare, PREPARE, node, arb_parser_begin(p));
    arb_parser_advance(p);
    ARB_TRY(arb_parse_name(p, &node->name));
    if (ACCEPT(LEFT_PAREN)) {
        do {
            const arb_ast_type *type;
            ARB_TRY(arb_parse_type(p, &type));
            PUSH(&node->types, type);
        } while (ACCEPT(COMMA));
        EXPECT(RIGHT_PAREN);
    }
    EXPECT_WORD(AS);
    ARB_TRY(arb_parse_statement(p, &node->statement));
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_execute(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(execute, EXECUTE, node, arb_parser_begin(p));
    arb_parser_advance(p);
    ARB_TRY(arb_parse_name(p, &node->name));
    if (ACCEPT(LEFT_PAREN)) {
        ARB_TRY(arb_parse_arguments(p, false, &node->arguments));
        EXPECT(RIGHT_PAREN);
    }
    *out = &node->base;
    return ARB_OK;
}

static arb_code parse_deallocate(arb_parser *p, const arb_ast_statement **out)
{
    NEW_STATEMENT(deallocate, DEALLOCATE, node, arb_parser_begin(p));
    arb_parser_advance(p);
    ACCEPT_WORD(PREPARE);
    if (!ACCEPT_WORD(ALL))
        ARB_TRY(arb_parse_name(p, &node->name));
    *out = &node->base;
    return ARB_OK;
}

/* ---- dispatch ---------------------------------------------------------------------------------------------------- */
static bool is_refused(arb_keyword keyword)
{
    switch (keyword) {
    case ARB_KW_ALTER:
    case ARB_KW_ANALYZE:
    case ARB_KW_ATTACH:
    case ARB_KW_CALL:
    case ARB_KW_CHECKPOINT:
    case ARB_KW_COMMENT:
    case ARB_KW_DELETE:
    case ARB_KW_DETACH:
    case ARB_KW_DO:
    case ARB_KW_EXPORT:
    case ARB_KW_FORCE:
    case ARB_KW_GRANT:
    case ARB_KW_IMPORT:
    case ARB_KW_INSTALL:
    case ARB_KW_KILL:
    case ARB_KW_LOAD:
    case ARB_KW_LOCK:
    case ARB_KW_MERGE:
    case ARB_KW_NOTIFY:
    case ARB_KW_OPTIMIZE:
    case ARB_KW_PIVOT:
    case ARB_KW_PRAGMA:
    case ARB_KW_REFRESH:
    case ARB_KW_REINDEX:
    case ARB_KW_RELEASE:
    case ARB_KW_REPLACE:
    case ARB_KW_REVOKE:
    case ARB_KW_SAVEPOINT:
    case ARB_KW_TRUNCATE:
    case ARB_KW_UNPIVOT:
    case ARB_KW_UPDATE:
    case ARB_KW_VACUUM:
        return true;
    default:
        return false;
    }
}

static arb_code dispatch(arb_parser *p, const arb_ast_statement **out)
{
    arb_keyword keyword = (arb_keyword)arb_parser_peek(p, 0)->keyword;
    switch (keyword) {
    case ARB_KW_CREATE:
        return arb_parse_create(p, out);
    case ARB_KW_DROP:
        return arb_parse_drop(p, out);
    case ARB_KW_INSERT:
        return arb_parse_insert(p, out);
    case ARB_KW_COPY:
        return arb_parse_copy(p, out);
    case ARB_KW_DESCRIBE:
    case ARB_KW_DESC:
        return arb_parse_describe(p, false, out);
    case ARB_KW_SUMMARIZE:
        return arb_parse_describe(p, true, out);
    case ARB_KW_SHOW:
        return arb_parse_show(p, out);
    case ARB_KW_SET:
        return arb_parse_set(p, out);
    case ARB_KW_RESET:
        return arb_parse_reset(p, out);
    case ARB_KW_USE:
        return arb_parse_use(p, out);
    case ARB_KW_EXPLAIN:
        return parse_explain(p, out);
    case ARB_KW_BEGIN:
    case ARB_KW_START:
        return parse_transaction(p, ARB_AST_BEGIN, out);
    case ARB_KW_COMMIT:
    case ARB_KW_END:
        return parse_transaction(p, ARB_AST_COMMIT, out);
    case ARB_KW_ROLLBACK:
    case ARB_KW_ABORT:
        return parse_transaction(p, ARB_AST_ROLLBACK, out);
    case ARB_KW_PREPARE:
        return parse_prepare(p, out);
    case ARB_KW_EXECUTE:
        return parse_execute(p, out);
    case ARB_KW_DEALLOCATE:
        return parse_deallocate(p, out);
    default:
        break;
    }
    if (is_refused(keyword))
        return arb_parser_fail_at(p, arb_parser_begin(p), ARB_NOT_SUPPORTED, "%.*s is not supported",
                                  ARB_STR_ARGS(arb_keyword_text(keyword)));
    bool query = arb_parser_sees_query(p, 0) || AT(LEFT_PAREN) || AT_WORD(VALUES);
    return query ? parse_query_statement(p, out) : arb_parser_syntax_error(p);
}

arb_code arb_parse_statement(arb_parser *p, const arb_ast_statement **out)
{
    arb_parser_level level;
    ARB_TRY(arb_parser_enter(p, &level));
    ARB_TRY(dispatch(p, out));
    arb_ast_statement *statement = (arb_ast_statement *)*out;
    statement->span = arb_parser_span(p, statement->span.begin);
    statement->parameter_count = p->parameters;
    return arb_parser_leave(p, level);
}
