/* ast_query.h: the syntax tree of queries. The rules of ast.h hold. */
#ifndef ARB_SQL_AST_QUERY_H
#define ARB_SQL_AST_QUERY_H

#include "sql/ast.h"

/* ---- windows ----------------------------------------------------------------------------------------------------- */
typedef enum arb_ast_frame_mode { ARB_AST_RANGE, ARB_AST_ROWS, ARB_AST_GROUPS } arb_ast_frame_mode;

typedef enum arb_ast_bound_type {
    ARB_AST_UNBOUNDED_PRECEDING,
    ARB_AST_PRECEDING, /* offset PRECEDING */
    ARB_AST_CURRENT_ROW,
    ARB_AST_FOLLOWING, /* offset FOLLOWING */
    ARB_AST_UNBOUNDED_FOLLOWING,
} arb_ast_bound_type;

typedef struct arb_ast_bound {
    arb_ast_bound_type type;
    const arb_ast_expr *offset;
} arb_ast_bound;

typedef enum arb_ast_exclude {
    ARB_AST_EXCLUDE_NONE,
    ARB_AST_EXCLUDE_CURRENT_ROW,
    ARB_AST_EXCLUDE_GROUP,
    ARB_AST_EXCLUDE_TIES,
} arb_ast_exclude;

struct arb_ast_window {
    arb_ast_span span;
    arb_ast_name reference; /* OVER w, or OVER (w …): the named window it stands on; else empty */
    bool bare;              /* OVER w, without parentheses: all other fields are empty */
    arb_ast_exprs partition_by;
    arb_ast_sort_keys order_by;
    bool has_frame;
    arb_ast_frame_mode mode;
    arb_ast_bound start, end; /* end is CURRENT ROW when only a start was given */
    arb_ast_exclude exclude;
};

typedef struct arb_ast_named_window { /* WINDOW name AS (…) */
    arb_ast_name name;
    const arb_ast_window *window;
} arb_ast_named_window;

/* ---- FROM -------------------------------------------------------------------------------------------------------- */
typedef struct arb_ast_from arb_ast_from;

typedef enum arb_ast_from_kind {
    ARB_AST_FROM_TABLE,    /* a name of one to three parts, or a file's path */
    ARB_AST_FROM_SUBQUERY, /* (SELECT …), (VALUES …) */
    ARB_AST_FROM_FUNCTION, /* read_csv('…'), unnest(…) */
    ARB_AST_FROM_JOIN,
} arb_ast_from_kind;

typedef enum arb_ast_join_type {
    ARB_AST_JOIN_INNER,
    ARB_AST_JOIN_LEFT,
    ARB_AST_JOIN_RIGHT,
    ARB_AST_JOIN_FULL,
    ARB_AST_JOIN_CROSS,
    ARB_AST_JOIN_SEMI,
    ARB_AST_JOIN_ANTI,
    ARB_AST_JOIN_RIGHT_SEMI,
    ARB_AST_JOIN_RIGHT_ANTI,
    ARB_AST_JOIN_POSITIONAL,
} arb_ast_join_type;

typedef struct arb_ast_join {
    arb_ast_join_type type;
    bool natural, asof;
    arb_ast_span span; /* of the words that say JOIN */
    const arb_ast_from *right;
    const arb_ast_expr *on; /* or NULL */
    arb_ast_names using;
} arb_ast_join;

typedef struct arb_ast_sample { /* TABLESAMPLE method (10 PERCENT) REPEATABLE (seed), USING SAMPLE 10% */
    arb_str method;             /* bernoulli, system, reservoir; empty when not given */
    const arb_ast_expr *size;   /* NULL = no sample */
    bool percent;
    const arb_ast_expr *seed; /* or NULL */
} arb_ast_sample;

typedef struct arb_ast_column_alias {
    arb_ast_name name;
    const arb_ast_type *type; /* f(…) AS t(a INT); else NULL */
} arb_ast_column_alias;

struct arb_ast_from {
    arb_ast_from_kind kind;
    arb_ast_span span;
    arb_ast_name alias; /* or empty */
    ARB_VEC(arb_ast_column_alias) column_aliases;
    bool lateral, ordinality;
    arb_ast_sample sample;

    arb_ast_names table;        /* TABLE */
    bool path;                  /* TABLE: written as a string, which is the single part */
    const arb_ast_query *query; /* SUBQUERY */
    const arb_ast_call *call;   /* FUNCTION */
    const arb_ast_from *first;  /* JOIN: first, then each join from left to right */
    ARB_VEC(arb_ast_join) joins;
};

/* ---- SELECT ------------------------------------------------------------------------------------------------------ */
typedef struct arb_ast_item { /* of the select list */
    const arb_ast_expr *expr;
    arb_ast_name alias; /* or empty */
} arb_ast_item;

typedef enum arb_ast_group_kind {
    ARB_AST_GROUP_EXPRS, /* one expression, or in GROUPING SETS a set of none or several */
    ARB_AST_GROUP_ROLLUP,
    ARB_AST_GROUP_CUBE,
    ARB_AST_GROUP_SETS,
} arb_ast_group_kind;

typedef struct arb_ast_group arb_ast_group;
typedef ARB_VEC(arb_ast_group) arb_ast_groups;

struct arb_ast_group {
    arb_ast_group_kind kind;
    arb_ast_span span;
    arb_ast_exprs exprs; /* EXPRS, ROLLUP, CUBE; in the latter two a row (a, b) is one step */
    arb_ast_groups sets; /* SETS */
};

typedef struct arb_ast_select {
    bool distinct;
    arb_ast_exprs distinct_on; /* DISTINCT ON (…); `distinct` is then set too */
    ARB_VEC(arb_ast_item) items;
    ARB_VEC(const arb_ast_from *) from; /* separated by commas */
    const arb_ast_expr *where;          /* this and the following may be NULL */
    bool group_all;                     /* GROUP BY ALL */
    arb_ast_groups group_by;
    const arb_ast_expr *having;
    ARB_VEC(arb_ast_named_window) windows;
    const arb_ast_expr *qualify;
    arb_ast_sample sample; /* USING SAMPLE */
} arb_ast_select;

/* ---- queries ----------------------------------------------------------------------------------------------------- */
typedef enum arb_ast_set_operator { ARB_AST_UNION, ARB_AST_INTERSECT, ARB_AST_EXCEPT } arb_ast_set_operator;

typedef struct arb_ast_set_step {
    arb_ast_set_operator op;
    bool all, by_name;
    arb_ast_span span; /* of the operator */
    const arb_ast_query *query;
} arb_ast_set_step;

typedef struct arb_ast_cte {
    arb_ast_name name;
    arb_ast_names columns;
    int materialized; /* 1 MATERIALIZED, 0 NOT MATERIALIZED, -1 not said */
    const arb_ast_query *query;
} arb_ast_cte;

typedef enum arb_ast_query_kind {
    ARB_AST_QUERY_SELECT,
    ARB_AST_QUERY_VALUES,
    /* first, then each step from left to right. Without steps it is a query in parentheses that has an ORDER BY, LIMIT
     * or WITH of its own beside those here. */
    ARB_AST_QUERY_SET,
} arb_ast_query_kind;

struct arb_ast_query {
    arb_ast_query_kind kind;
    arb_ast_span span;
    bool recursive; /* WITH RECURSIVE */
    ARB_VEC(arb_ast_cte) ctes;

    const arb_ast_select *select;  /* SELECT; also FROM-first and TABLE x, which select * */
    ARB_VEC(arb_ast_exprs) values; /* VALUES: the rows */
    const arb_ast_query *first;    /* SET */
    ARB_VEC(arb_ast_set_step) steps;

    bool order_all; /* ORDER BY ALL, with the direction in order_by[0], whose expr is NULL */
    arb_ast_sort_keys order_by;
    const arb_ast_expr *limit;  /* NULL = none, also for LIMIT ALL and LIMIT NULL's keyword form */
    bool limit_percent;         /* LIMIT 10 PERCENT */
    bool with_ties;             /* FETCH FIRST n ROWS WITH TIES */
    const arb_ast_expr *offset; /* or NULL */
};

#endif
