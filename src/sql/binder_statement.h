/* binder_statement.h: statements by kind, for the binder's files alone. */
#ifndef ARB_SQL_BINDER_STATEMENT_H
#define ARB_SQL_BINDER_STATEMENT_H

#include "sql/binder_internal.h"

ARB_NODISCARD arb_code arb_bind_statement(arb_binder *b, const arb_ast_statement *statement, arb_bound_statement *out);
/* A whole query as a plan: shared plans settled, every column a column of the root. */
ARB_NODISCARD arb_code arb_bind_plan(arb_binder *b, const arb_ast_query *query, arb_logical_plan *out);
/* The plan of a bound query; the last thing that is done to it. */
ARB_NODISCARD arb_code arb_bind_finish_plan(arb_binder *b, arb_bound_query *query, arb_logical_plan *out);
ARB_NODISCARD arb_code arb_bind_options(arb_binder *b, const arb_ast_options *options, arb_bound_options *out);
/* A value of an option or of SET: a constant, a bare word, a list of them as text. */
ARB_NODISCARD arb_code arb_bind_option_value(arb_binder *b, const arb_ast_expr *syntax, arb_value *out);

/* binder_create.c */
ARB_NODISCARD arb_code arb_bind_create_table(arb_binder *b, const arb_ast_create_table *create,
                                             arb_bound_statement *out);
ARB_NODISCARD arb_code arb_bind_create_external(arb_binder *b, const arb_ast_create_external *create,
                                                arb_bound_statement *out);
ARB_NODISCARD arb_code arb_bind_create_view(arb_binder *b, const arb_ast_create_view *create, arb_bound_statement *out);
/* binder_insert.c */
ARB_NODISCARD arb_code arb_bind_insert(arb_binder *b, const arb_ast_insert *insert, arb_bound_statement *out);
ARB_NODISCARD arb_code arb_bind_copy(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out);

#endif
