/* parser.c: the entry, and the tools of the other parser files: looking at tokens, failing, counting depth. */
#include "sql/parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "sql/parser_internal.h"
#include "sql/script.h"

/* ---- tokens ------------------------------------------------------------------------------------------------------ */
bool arb_parser_accept(arb_parser *p, arb_token_kind kind)
{
    bool there = arb_parser_sees(p, 0, kind);
    if (there)
        arb_parser_advance(p);
    return there;
}

bool arb_parser_accept_word(arb_parser *p, arb_keyword keyword)
{
    bool there = arb_parser_sees_word(p, 0, keyword);
    if (there)
        arb_parser_advance(p);
    return there;
}

bool arb_parser_accept_words(arb_parser *p, arb_keyword first, arb_keyword second)
{
    bool there = arb_parser_sees_word(p, 0, first) && arb_parser_sees_word(p, 1, second);
    if (there)
        p->at += 2;
    return there;
}

arb_code arb_parser_expect(arb_parser *p, arb_token_kind kind)
{
    return arb_parser_accept(p, kind) ? ARB_OK : arb_parser_syntax_error(p);
}

arb_code arb_parser_expect_word(arb_parser *p, arb_keyword keyword)
{
    return arb_parser_accept_word(p, keyword) ? ARB_OK : arb_parser_syntax_error(p);
}

arb_ast_span arb_parser_span(const arb_parser *p, uint32_t begin)
{
    return (arb_ast_span){begin, p->at != 0 ? p->tokens[p->at - 1].end : p->tokens[0].begin};
}

size_t arb_parser_behind_bracket(const arb_parser *p, size_t ahead)
{
    size_t open = 0;
    for (size_t at = ahead; p->at + at < p->count; at++) {
        switch ((arb_token_kind)p->tokens[p->at + at].kind) {
        case ARB_TOKEN_LEFT_PAREN:
        case ARB_TOKEN_LEFT_BRACKET:
        case ARB_TOKEN_LEFT_BRACE:
            open++;
            break;
        case ARB_TOKEN_RIGHT_PAREN:
        case ARB_TOKEN_RIGHT_BRACKET:
        case ARB_TOKEN_RIGHT_BRACE:
            if (open <= 1)
                return at + 1;
            open--;
            break;
        default:
            break;
        }
    }
    return 0;
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */
static bool hint_keyword(arb_parser *p, const arb_token *token)
{
    if (token->kind != ARB_TOKEN_WORD || token->keyword != ARB_KW_NONE)
        return false;
    arb_str word = {p->source.data + token->begin, token->end - token->begin};
    arb_keyword nearest = arb_keyword_nearest(word);
    if (nearest == ARB_KW_NONE)
        return false;
    arb_error_hint(p->error, "Perhaps you meant %.*s instead of \"%.*s\".", ARB_STR_ARGS(arb_keyword_text(nearest)),
                   ARB_STR_ARGS(word));
    return true;
}

arb_code arb_parser_syntax_error(arb_parser *p)
{
    const arb_token *token = arb_parser_peek(p, 0);
    enum { shown_most = 60 };
    arb_str text = {p->source.data + token->begin, token->end - token->begin};
    if (text.size > shown_most) {
        text.size = shown_most;
        while (((unsigned char)text.data[text.size] & 0xC0) == 0x80)
            text.size--;
    }
    arb_code code = text.size == 0
                        ? arb_fail(p->error, ARB_SYNTAX, "syntax error at end of input")
                        : arb_fail(p->error, ARB_SYNTAX, "syntax error at or near \"%.*s\"", ARB_STR_ARGS(text));
    arb_error_at(p->error, code, (int64_t)token->begin + 1);
    /* A misspelt keyword is often swallowed as the alias of what stands before it. */
    if (!hint_keyword(p, token) && p->bare_alias != SIZE_MAX && p->at - p->bare_alias <= 2)
        hint_keyword(p, &p->tokens[p->bare_alias]);
    return code;
}

arb_code arb_parser_fail_at(arb_parser *p, uint32_t begin, arb_code code, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return arb_error_at(p->error, arb_fail(p->error, code, "%s", message), (int64_t)begin + 1);
}

arb_code arb_parser_out_of_memory(arb_parser *p)
{
    return arb_fail_memory(p->error, "the syntax tree", p->arena->total);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */
static ARB_COLD arb_code too_complex(arb_parser *p)
{
    arb_code code = arb_parser_fail_at(p, arb_parser_begin(p), ARB_STATEMENT_TOO_COMPLEX,
                                       "the statement is nested deeper than %d levels", ARB_AST_HEIGHT_MAX);
    arb_error_hint(p->error, "Long chains of AND, OR, || and + are no problem; parentheses inside each other are.");
    return code;
}

arb_code arb_parser_enter(arb_parser *p, arb_parser_level *level)
{
    *level = (arb_parser_level){p->height};
    p->height = 0;
    return ++p->depth > ARB_AST_HEIGHT_MAX ? too_complex(p) : ARB_OK;
}

void arb_parser_leave_flat(arb_parser *p, arb_parser_level level)
{
    assert(p->depth > 0);
    p->depth--;
    p->height = ARB_MAX(p->height, level.height);
}

arb_code arb_parser_leave(arb_parser *p, arb_parser_level level)
{
    arb_code code = arb_parser_grow(p);
    arb_parser_leave_flat(p, level);
    return code;
}

arb_code arb_parser_grow(arb_parser *p)
{
    return ++p->height > ARB_AST_HEIGHT_MAX ? too_complex(p) : ARB_OK;
}

/* ---- allocation -------------------------------------------------------------------------------------------------- */
void *arb_parser_node(arb_parser *p, size_t size, arb_ast_kind kind, uint32_t begin)
{
    arb_ast_expr *node = arb_arena_alloc_zeroed(p->arena, size);
    if (node != NULL)
        *node = (arb_ast_expr){.kind = kind, .span = arb_parser_span(p, begin)};
    return node;
}

void *arb_parser_statement(arb_parser *p, size_t size, arb_ast_statement_kind kind, uint32_t begin)
{
    arb_ast_statement *node = arb_arena_alloc_zeroed(p->arena, size);
    if (node != NULL)
        *node = (arb_ast_statement){.kind = kind, .span = {begin, begin}, .source = p->source};
    return node;
}

/* ---- the entry --------------------------------------------------------------------------------------------------- */
typedef ARB_VEC(arb_token) token_list;

/* All tokens of [begin, end) of the source; a semicolon ends them and becomes the END. */
static arb_code read_tokens(arb_str source, size_t begin, size_t end, token_list *tokens, arb_error *error)
{
    arb_lexer lexer = {.text = source.data, .size = (uint32_t)end, .at = (uint32_t)begin};
    arb_token token;
    do {
        if (arb_lexer_next(&lexer, &token, error) != ARB_LEXER_SOUND)
            return ARB_SYNTAX;
        if (token.kind == ARB_TOKEN_SEMICOLON)
            token.kind = ARB_TOKEN_END;
        if (!ARB_VEC_PUSH(tokens, token))
            return arb_fail_memory(error, "the tokens of a statement", tokens->size * sizeof token);
    } while (token.kind != ARB_TOKEN_END);
    return ARB_OK;
}

/* All of [begin, end) is a statement, or with `out_type` a type. */
static arb_code parse_part(arb_arena *arena, arb_str source, size_t begin, size_t end, const arb_ast_statement **out,
                           const arb_ast_type **out_type, arb_error *error)
{
    token_list tokens = {0};
    arb_code code = read_tokens(source, begin, end, &tokens, error);
    if (code == ARB_OK) {
        arb_parser parser = {
            .arena = arena,
            .source = source,
            .tokens = tokens.data,
            .count = tokens.size,
            .bare_alias = SIZE_MAX,
            .error = error,
        };
        code = out_type != NULL ? arb_parse_type(&parser, out_type) : arb_parse_statement(&parser, out);
        if (code == ARB_OK && parser.tokens[parser.at].kind != ARB_TOKEN_END)
            code = arb_parser_syntax_error(&parser);
    }
    ARB_VEC_RESET(&tokens);
    return code;
}

/* A copy of a text that can be lexed. */
static arb_code take_text(arb_arena *arena, arb_str text, arb_str *out, arb_error *error)
{
    ARB_TRY(arb_lexer_check_text(text, error));
    *out = arb_str_copy(arena, text);
    return out->data != NULL ? ARB_OK : arb_fail_memory(error, "the SQL text", text.size);
}

arb_code arb_sql_parse(arb_arena *arena, arb_str text, arb_ast_statements *out, arb_error *error)
{
    *out = (arb_ast_statements){0};
    arb_str source;
    ARB_TRY(take_text(arena, text, &source, error));
    arb_sql_extent extent;
    for (size_t at = 0; arb_sql_statement_next(source, at, &extent); at = extent.next) {
        const arb_ast_statement *statement = NULL;
        ARB_TRY(parse_part(arena, source, extent.begin, extent.next, &statement, NULL, error));
        if (!ARB_ARENA_PUSH(arena, out, statement))
            return arb_fail_memory(error, "a list of statements", out->size * sizeof statement);
    }
    return ARB_OK;
}

arb_code arb_sql_parse_one(arb_arena *arena, arb_str text, const arb_ast_statement **out, arb_error *error)
{
    *out = NULL;
    arb_ast_statements statements;
    ARB_TRY(arb_sql_parse(arena, text, &statements, error));
    if (statements.size == 0)
        return arb_error_at(error, arb_fail(error, ARB_SYNTAX, "syntax error at end of input"), (int64_t)text.size + 1);
    if (statements.size > 1)
        return arb_error_at(error, arb_fail(error, ARB_SYNTAX, "one statement is expected here, not several"),
                            (int64_t)statements.data[1]->span.begin + 1);
    *out = statements.data[0];
    return ARB_OK;
}

arb_code arb_sql_parse_type(arb_arena *arena, arb_str text, const arb_ast_type **out, arb_error *error)
{
    *out = NULL;
    arb_str source;
    ARB_TRY(take_text(arena, text, &source, error));
    return parse_part(arena, source, 0, source.size, NULL, out, error);
}
