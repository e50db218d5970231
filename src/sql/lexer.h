/* lexer.h: SQL text cut into tokens.
 *
 * The lexer knows no grammar. A word carries the id of the keyword that it may be; operators are those of the list
 * below, the longest match winning. White space and comments (-- to the end of the line, nested slash-star) only
 * separate. Strings are checked here and decoded when asked for. Used in two ways: the parser reads all tokens of one
 * statement, script.h only looks for its end. */
#ifndef ARB_SQL_LEXER_H
#define ARB_SQL_LEXER_H

#include "sql/keyword.h"

/* X(NAME, as written); those that begin with another stand before it. */
#define ARB_SYMBOLS(X)         \
    X(NOT_LIKE_NOCASE, "!~~*") \
    X(NOT_LIKE, "!~~")         \
    X(NOT_REGEX_NOCASE, "!~*") \
    X(NOT_REGEX, "!~")         \
    X(BANG_EQUAL, "!=")        \
    X(LIKE_NOCASE, "~~*")      \
    X(TILDE_GLOB, "~~~")       \
    X(TILDE_LIKE, "~~")        \
    X(TILDE_NOCASE, "~*")      \
    X(TILDE, "~")              \
    X(ARROW_TEXT, "->>")       \
    X(ARROW, "->")             \
    X(MINUS, "-")              \
    X(NULL_SAFE_EQUAL, "<=>")  \
    X(LESS_EQUAL, "<=")        \
    X(LESS_GREATER, "<>")      \
    X(SHIFT_LEFT, "<<")        \
    X(CONTAINED, "<@")         \
    X(LESS, "<")               \
    X(GREATER_EQUAL, ">=")     \
    X(SHIFT_RIGHT, ">>")       \
    X(GREATER, ">")            \
    X(FAT_ARROW, "=>")         \
    X(DOUBLE_EQUAL, "==")      \
    X(EQUAL, "=")              \
    X(DOUBLE_BAR, "||")        \
    X(BAR, "|")                \
    X(DOUBLE_AMPERSAND, "&&")  \
    X(AMPERSAND, "&")          \
    X(CONTAINS, "@>")          \
    X(AT, "@")                 \
    X(STARTS_WITH, "^@")       \
    X(CARET, "^")              \
    X(DOUBLE_STAR, "**")       \
    X(STAR, "*")               \
    X(DOUBLE_SLASH, "//")      \
    X(SLASH, "/")              \
    X(PLUS, "+")               \
    X(PERCENT, "%")            \
    X(HASH, "#")               \
    X(DOUBLE_COLON, "::")      \
    X(COLON_EQUAL, ":=")       \
    X(COLON, ":")              \
    X(DOT, ".")                \
    X(COMMA, ",")              \
    X(SEMICOLON, ";")          \
    X(QUESTION, "?")           \
    X(LEFT_PAREN, "(")         \
    X(RIGHT_PAREN, ")")        \
    X(LEFT_BRACKET, "[")       \
    X(RIGHT_BRACKET, "]")      \
    X(LEFT_BRACE, "{")         \
    X(RIGHT_BRACE, "}")

typedef enum arb_token_kind {
    ARB_TOKEN_END,
    ARB_TOKEN_WORD,
    ARB_TOKEN_QUOTED,    /* "identifier" */
    ARB_TOKEN_INTEGER,   /* 12, 1_000, 0x1f, 0o17, 0b101 */
    ARB_TOKEN_DECIMAL,   /* 1.5, .5, 1. */
    ARB_TOKEN_DOUBLE,    /* 1e3 */
    ARB_TOKEN_STRING,    /* 'text', n'text' */
    ARB_TOKEN_ESCAPED,   /* e'text\n' */
    ARB_TOKEN_DOLLAR,    /* $tag$text$tag$ */
    ARB_TOKEN_BLOB,      /* x'00ff' */
    ARB_TOKEN_PARAMETER, /* $1, $name */
#define X(name, text) ARB_TOKEN_##name,
    ARB_SYMBOLS(X)
#undef X
        ARB_TOKEN_KIND_COUNT
} arb_token_kind;

typedef struct arb_token {
    uint8_t kind;     /* arb_token_kind */
    uint16_t keyword; /* arb_keyword of a WORD, else ARB_KW_NONE */
    uint32_t begin, end;
} arb_token;

typedef enum arb_lexer_flaw {
    ARB_LEXER_SOUND,
    ARB_LEXER_UNTERMINATED, /* a string, comment or quoted identifier runs to the end of the text */
    ARB_LEXER_MALFORMED,
} arb_lexer_flaw;

typedef struct arb_lexer {
    const char *text;
    uint32_t size, at;
} arb_lexer;

/* No text may be longer. */
#define ARB_SQL_TEXT_MAX ((size_t)1 << 30)

/* Take the next token. On a flaw `error` (which may be NULL) tells what and where, the token covers the flawed text,
 * and the next call goes on behind it. */
arb_lexer_flaw arb_lexer_next(arb_lexer *lexer, arb_token *token, arb_error *error);

/* ARB_SYNTAX when the text has NUL bytes or is not UTF-8, ARB_LIMIT_EXCEEDED when it is too long. */
ARB_NODISCARD arb_code arb_lexer_check_text(arb_str text, arb_error *error);

ARB_INLINE bool arb_token_is_string(const arb_token *token)
{
    return token->kind == ARB_TOKEN_STRING || token->kind == ARB_TOKEN_ESCAPED || token->kind == ARB_TOKEN_DOLLAR;
}

/* What a token means: identifiers without quotes, strings and blobs decoded, numbers without underscores and in
 * decimal, parameters without the dollar. The result lies in `text` or in the arena. */
ARB_NODISCARD arb_code arb_token_decode(arb_arena *arena, const char *text, const arb_token *token, arb_str *out,
                                        arb_error *error);

/* "||" for ARB_TOKEN_DOUBLE_BAR; NULL for what is no symbol. */
const char *arb_symbol_text(arb_token_kind kind);

#endif
