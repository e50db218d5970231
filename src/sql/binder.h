/* binder.h: from a syntax tree to what it means: names become columns, operators become typed functions, queries become
 * logical plans.
 *
 * Everything that is made lives in the query's arena, where the syntax tree should live too (names are borrowed from
 * it). Tables and views are asked of the catalog and stay as they were found until that arena is reset. Errors carry
 * the position in the SQL text; those inside a view's text name the view instead. */
#ifndef ARB_SQL_BINDER_H
#define ARB_SQL_BINDER_H

#include "catalog/catalog.h"
#include "catalog/memory_table.h"
#include "formats/writer.h"
#include "io/codec.h"
#include "plan/logical.h"
#include "sql/ast_statement.h"

/* What a statement asks for, its names and types resolved as far as executing it needs. */
typedef enum arb_bound_kind {
    ARB_BOUND_QUERY,           /* plan */
    ARB_BOUND_CREATE_TABLE,    /* create_table; with AS also plan, whose columns are the table's */
    ARB_BOUND_CREATE_EXTERNAL, /* create_external */
    ARB_BOUND_CREATE_VIEW,     /* create_view */
    ARB_BOUND_CREATE_SCHEMA,   /* create_schema */
    ARB_BOUND_DROP,            /* drop */
    ARB_BOUND_INSERT,          /* insert, plan: as many columns as the table, of its types, in its order */
    ARB_BOUND_COPY_TO,         /* copy, plan */
    ARB_BOUND_DESCRIBE,        /* plan: its names and types are asked for, not its rows */
    ARB_BOUND_SHOW,            /* show */
    ARB_BOUND_SET,             /* set */
    ARB_BOUND_EXPLAIN,         /* explain */
    ARB_BOUND_TRANSACTION,     /* transaction */
} arb_bound_kind;

typedef struct arb_bound_option {
    arb_str name;    /* as written, with its dots */
    bool has_value;  /* false for a bare name: HEADER */
    arb_value value; /* BOOLEAN, integers, DECIMAL, DOUBLE or VARCHAR; (a, b) is one VARCHAR "a, b", * is "*" */
} arb_bound_option;

typedef ARB_VEC(arb_bound_option) arb_bound_options;

typedef struct arb_bound_statement arb_bound_statement;
struct arb_bound_statement {
    arb_bound_kind kind;
    arb_logical_plan plan; /* root NULL when there is none */
    union {
        struct {
            arb_catalog_target target; /* OR REPLACE, IF NOT EXISTS, TEMPORARY */
            bool with_no_data;         /* AS … WITH NO DATA: the plan is not run */
            size_t column_count;
            const arb_table_column *columns; /* names, types, `nullable` */
            size_t key_count;
            const arb_table_key *keys; /* PRIMARY KEY, UNIQUE */
        } create_table;
        struct {
            arb_catalog_target target;
            arb_file_set files;
        } create_external;
        struct {
            arb_catalog_target target;
            arb_view view; /* text and columns. The query was bound once, to check it */
        } create_view;
        struct {
            arb_str name;
            bool if_not_exists;
        } create_schema;
        struct {
            arb_ast_object object;
            bool if_exists, cascade;
            size_t name_count;
            const arb_catalog_name *names; /* schemas have one part */
        } drop;
        struct {
            arb_catalog_name name;
            arb_table *table; /* the version that was bound, borrowed like all tables */
        } insert;
        struct {
            bool console; /* TO STDOUT */
            arb_str path;
            arb_str format; /* csv, tsv, parquet, json, ndjson or jsonl */
            size_t partition_count;
            const arb_str *partitions; /* names of the plan's columns */
            arb_csv_write_options csv;
            arb_parquet_write_options parquet;
            arb_codec codec; /* of a file that is compressed as a whole: NONE, GZIP or ZSTD */
            int level;       /* of the codec; 0 = its usual one */
        } copy;
        struct {
            arb_ast_show_what what;
            arb_str name;
        } show;
        struct {
            arb_str name; /* empty for RESET ALL */
            bool local;
            size_t value_count; /* 0: back to the default */
            const arb_value *values;
        } set;
        struct {
            bool analyze, verbose;
            arb_bound_options options;
            const arb_bound_statement *statement;
        } explain;
        arb_ast_transaction_action transaction;
    };
};

/* Any statement without parameters. Those that are known but cannot be bound (PREPARE, …) are ARB_NOT_SUPPORTED by name. */
ARB_NODISCARD arb_code arb_sql_bind(arb_query *query, arb_catalog_scope *catalog, const arb_ast_statement *statement,
                                    arb_bound_statement *out, arb_error *error);

/* ---- parameters: ?, $1 ---------------------------------------------------------------------------------------------
 * A parameter has the type that a string in its place would take on (that of the column it is compared with or stored in,
 * of the cast, of the function's argument), as first found in the text; without such a place it is VARCHAR. */

/* Bind a statement whose parameters have no values yet: *out serves to learn what it is and which columns it has, not to be
 * run. `out_types` has room for statement->parameter_count types, which live in the query's arena. */
ARB_NODISCARD arb_code arb_sql_bind_unset(arb_query *query, arb_catalog_scope *catalog,
                                          const arb_ast_statement *statement, arb_bound_statement *out,
                                          arb_type *out_types, arb_error *error);
/* Bind a statement with its parameters' values, which become literals of the parameters' types. Text is read as one; another
 * value that the type cannot hold as it is (2.5 for an integer) keeps its own type, so that no comparison is made with another
 * value than the one that was given. ARB_UNDEFINED_PARAMETER when their number is another than statement->parameter_count. */
ARB_NODISCARD arb_code arb_sql_bind_values(arb_query *query, arb_catalog_scope *catalog,
                                           const arb_ast_statement *statement, const arb_value *values,
                                           size_t value_count, arb_bound_statement *out, arb_error *error);

/* A query alone; the statement is a SELECT. */
ARB_NODISCARD arb_code arb_sql_bind_select(arb_query *query, arb_catalog_scope *catalog,
                                           const arb_ast_statement *statement, arb_logical_plan *out, arb_error *error);

#endif
