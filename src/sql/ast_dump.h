/* ast_dump.h: a syntax tree as one line of s-expressions, for tests: `a + 1` is (+ a 1). Names are shown as written,
 * quoted ones in quotes, strings in single quotes; what is absent is left out. */
#ifndef ARB_SQL_AST_DUMP_H
#define ARB_SQL_AST_DUMP_H

#include "sql/ast_statement.h"

void arb_ast_dump_statement(const arb_ast_statement *statement, arb_text *out);
void arb_ast_dump_query(const arb_ast_query *query, arb_text *out);
void arb_ast_dump_expr(const arb_ast_expr *expr, arb_text *out);
void arb_ast_dump_type(const arb_ast_type *type, arb_text *out);

/* Parts that the files of the printer share. */
void arb_ast_dump_name(const arb_ast_name *name, arb_text *out);
void arb_ast_dump_names(const arb_ast_names *names, const char *separator, arb_text *out); /* a.b with "." */
void arb_ast_dump_exprs(const arb_ast_exprs *exprs, arb_text *out);                        /* each behind a space */
void arb_ast_dump_sort_keys(const char *head, const arb_ast_sort_keys *keys, arb_text *out);
void arb_ast_dump_window(const arb_ast_window *window, arb_text *out);

#endif
