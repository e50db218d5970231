/* ast_statement.h: the syntax tree of statements. The rules of ast.h hold. */
#ifndef ARB_SQL_AST_STATEMENT_H
#define ARB_SQL_AST_STATEMENT_H

#include "sql/ast_query.h"

/* X(KIND, struct name without arb_ast_) */
#define ARB_AST_STATEMENTS(X)           \
    X(SELECT, select_statement)         \
    X(CREATE_TABLE, create_table)       \
    X(CREATE_EXTERNAL, create_external) \
    X(CREATE_VIEW, create_view)         \
    X(CREATE_SCHEMA, create_schema)     \
    X(DROP, drop)                       \
    X(INSERT, insert)                   \
    X(COPY, copy)                       \
    X(DESCRIBE, describe)               \
    X(SHOW, show)                       \
    X(SET, set)                         \
    X(EXPLAIN, explain)                 \
    X(TRANSACTION, transaction)         \
    X(PREPARE, prepare)                 \
    X(EXECUTE, execute)                 \
    X(DEALLOCATE, deallocate)

typedef enum arb_ast_statement_kind {
#define X(kind, name) ARB_AST_STATEMENT_##kind,
    ARB_AST_STATEMENTS(X)
#undef X
} arb_ast_statement_kind;

typedef struct arb_ast_statement {
    arb_ast_statement_kind kind;
    arb_ast_span span;
    arb_str source;           /* the whole text that was parsed: what every span counts in */
    uint32_t parameter_count; /* the highest number of a ? or $1 parameter */
} arb_ast_statement;

typedef ARB_VEC(const arb_ast_statement *) arb_ast_statements;

/* The text of a node. */
ARB_INLINE arb_str arb_ast_text(const arb_ast_statement *statement, arb_ast_span span)
{
    assert(span.begin <= span.end && span.end <= statement->source.size);
    return (arb_str){statement->source.data + span.begin, span.end - span.begin};
}

/* name value, name = value or name alone. A bare word as value is a string literal, (a, b) a row, * a star. */
typedef struct arb_ast_option {
    arb_ast_name name;         /* of several parts with its dots */
    const arb_ast_expr *value; /* or NULL */
} arb_ast_option;

typedef ARB_VEC(arb_ast_option) arb_ast_options;

typedef struct arb_ast_select_statement {
    arb_ast_statement base;
    const arb_ast_query *query;
} arb_ast_select_statement;

typedef struct arb_ast_column_definition {
    arb_ast_name name;
    const arb_ast_type *type; /* NULL in CREATE TABLE t(a) AS … */
    bool not_null, primary_key, unique;
    const arb_ast_expr *default_value; /* or NULL */
    const arb_ast_expr *check;         /* or NULL */
} arb_ast_column_definition;

typedef ARB_VEC(arb_ast_column_definition) arb_ast_column_definitions;

typedef struct arb_ast_create_table {
    arb_ast_statement base;
    bool or_replace, temporary, if_not_exists;
    arb_ast_names name;
    arb_ast_column_definitions columns;
    arb_ast_names primary_key; /* of the table's constraint */
    arb_ast_exprs checks;
    arb_ast_options options;    /* WITH (…) */
    const arb_ast_query *query; /* AS …, or NULL */
    bool with_no_data;
} arb_ast_create_table;

/* CREATE EXTERNAL TABLE name (columns) STORED AS format … LOCATION 'path', its clauses in any order. */
typedef struct arb_ast_create_external {
    arb_ast_statement base;
    bool or_replace, temporary, if_not_exists;
    arb_ast_names name;
    arb_ast_column_definitions columns;
    arb_ast_name format;
    arb_ast_name location;
    arb_ast_column_definitions partitioned_by; /* types may be NULL */
    arb_ast_sort_keys order;                   /* WITH ORDER (…) */
    arb_ast_options options;                   /* also WITH HEADER ROW as header, DELIMITER, COMPRESSION TYPE */
} arb_ast_create_external;

typedef struct arb_ast_create_view {
    arb_ast_statement base;
    bool or_replace, temporary, if_not_exists;
    arb_ast_names name;
    arb_ast_names columns;
    const arb_ast_query *query;
} arb_ast_create_view;

typedef struct arb_ast_create_schema {
    arb_ast_statement base;
    bool if_not_exists;
    arb_ast_names name;
} arb_ast_create_schema;

typedef enum arb_ast_object { ARB_AST_OBJECT_TABLE, ARB_AST_OBJECT_VIEW, ARB_AST_OBJECT_SCHEMA } arb_ast_object;

typedef struct arb_ast_drop {
    arb_ast_statement base;
    arb_ast_object object;
    bool if_exists, cascade;
    ARB_VEC(arb_ast_names) names; /* DROP TABLE a, b */
} arb_ast_drop;

typedef struct arb_ast_insert {
    arb_ast_statement base;
    arb_ast_names table;
    arb_ast_names columns;
    bool by_name;
    const arb_ast_query *query; /* NULL = DEFAULT VALUES */
} arb_ast_insert;

typedef struct arb_ast_copy {
    arb_ast_statement base;
    bool from;                  /* COPY t FROM; else TO */
    const arb_ast_query *query; /* COPY (query) TO, or NULL */
    arb_ast_names table;
    arb_ast_names columns;
    bool console; /* TO STDOUT, FROM STDIN; path is then empty */
    arb_ast_name path;
    arb_ast_name format; /* STORED AS format; FORMAT inside the options stays there */
    arb_ast_names partitioned_by;
    arb_ast_options options;
} arb_ast_copy;

typedef struct arb_ast_describe { /* DESCRIBE t, DESCRIBE SELECT …, SUMMARIZE t, SHOW COLUMNS FROM t */
    arb_ast_statement base;
    bool summarize;
    const arb_ast_query *query; /* of a table: SELECT * FROM it */
    arb_ast_names table;        /* empty for a query */
} arb_ast_describe;

typedef enum arb_ast_show_what {
    ARB_AST_SHOW_TABLES,
    ARB_AST_SHOW_SCHEMAS,
    ARB_AST_SHOW_FUNCTIONS,
    ARB_AST_SHOW_ALL,
    ARB_AST_SHOW_SETTING,
} arb_ast_show_what;

typedef struct arb_ast_show {
    arb_ast_statement base;
    arb_ast_show_what what;
    arb_ast_name name; /* the setting with its dots, or the schema of SHOW TABLES FROM s; else empty */
} arb_ast_show;

typedef struct arb_ast_set { /* SET name = value, RESET name, USE schema */
    arb_ast_statement base;
    arb_ast_name name;    /* with its dots; empty for RESET ALL */
    bool local;           /* SET LOCAL */
    arb_ast_exprs values; /* none: back to the default */
} arb_ast_set;

typedef struct arb_ast_explain {
    arb_ast_statement base;
    bool analyze, verbose;
    arb_ast_options options;
    const arb_ast_statement *statement;
} arb_ast_explain;

typedef enum arb_ast_transaction_action { ARB_AST_BEGIN, ARB_AST_COMMIT, ARB_AST_ROLLBACK } arb_ast_transaction_action;

typedef struct arb_ast_transaction {
    arb_ast_statement base;
    arb_ast_transaction_action action;
} arb_ast_transaction;

typedef struct arb_ast_prepare {
    arb_ast_statement base;
    arb_ast_name name;
    ARB_VEC(const arb_ast_type *) types;
    const arb_ast_statement *statement;
} arb_ast_prepare;

typedef struct arb_ast_execute {
    arb_ast_statement base;
    arb_ast_name name;
    arb_ast_arguments arguments;
} arb_ast_execute;

typedef struct arb_ast_deallocate {
    arb_ast_statement base;
    arb_ast_name name; /* empty for ALL */
} arb_ast_deallocate;

/* const arb_ast_copy *arb_ast_as_copy(const arb_ast_statement *), and so on. */
#define X(kind_, name_)                                                                      \
    ARB_INLINE const arb_ast_##name_ *arb_ast_as_##name_(const arb_ast_statement *statement) \
    {                                                                                        \
        assert(statement->kind == ARB_AST_STATEMENT_##kind_);                                \
        return (const arb_ast_##name_ *)statement;                                           \
    }
ARB_AST_STATEMENTS(X)
#undef X

#endif
