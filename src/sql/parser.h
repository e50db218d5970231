/* parser.h: from SQL text to a syntax tree.
 *
 * A recursive-descent parser with precedence climbing for expressions. It knows no names and no types: whatever has
 * the form of a statement is accepted, and the binder judges it. Errors are ARB_SYNTAX with the position of the token
 * that could not be taken; ARB_NOT_SUPPORTED for statements that are known but not offered; ARB_STATEMENT_TOO_COMPLEX
 * beyond ARB_AST_HEIGHT_MAX levels. */
#ifndef ARB_SQL_PARSER_H
#define ARB_SQL_PARSER_H

#include "sql/ast_statement.h"

/* All statements of a text, empty ones left out. The trees, and a copy of the text, live in the arena. */
ARB_NODISCARD arb_code arb_sql_parse(arb_arena *arena, arb_str text, arb_ast_statements *out, arb_error *error);

/* Exactly one statement; a semicolon behind it is allowed. */
ARB_NODISCARD arb_code arb_sql_parse_one(arb_arena *arena, arb_str text, const arb_ast_statement **out,
                                         arb_error *error);

/* A type alone, as it stands behind CAST … AS. Spans are within `text`. */
ARB_NODISCARD arb_code arb_sql_parse_type(arb_arena *arena, arb_str text, const arb_ast_type **out, arb_error *error);

#endif
