/* scope.h: which names can be seen where, for the binder's files.
 *
 * A SELECT has a scope: the columns of its FROM clause. The scope of a subquery has that of the query around it as its
 * parent, so a name that is not found inside is looked for further out, and a column that is found there is used as it
 * is: ids are unique in the query. LATERAL items and ON conditions have small scopes of their own.
 *
 *     SELECT … FROM t, LATERAL (SELECT … FROM u WHERE u.a = t.a)
 *            scope 1: t, lateral   ◄── scope 2: t   ◄── scope 3: u
 */
#ifndef ARB_SQL_SCOPE_H
#define ARB_SQL_SCOPE_H

#include "plan/logical.h"
#include "sql/ast_query.h"

typedef struct arb_binder arb_binder; /* binder_internal.h */

typedef struct arb_scope_table {
    arb_str schema; /* of a table from the catalog without an alias; else empty */
    arb_str alias;  /* may be empty: (SELECT …) without one */
} arb_scope_table;

typedef struct arb_scope_column {
    const arb_scope_table *table; /* NULL: made of two by USING */
    arb_str name;
    const arb_expr *expr; /* a COLUMN, or for USING what stands for both sides */
    bool only_qualified;  /* hidden behind a USING column: t.a finds it, a does not */
} arb_scope_column;

/* What a FROM item gives, in order. */
typedef struct arb_namespace {
    ARB_VEC(const arb_scope_table *) tables;
    ARB_VEC(arb_scope_column) columns;
} arb_namespace;

/* A subquery that has been bound inside an expression, to be joined below the node that evaluates the expression; or a
 * value that must be computed once a row there, because it is volatile and stands in several places. */
typedef struct arb_pending_join {
    arb_named_expr value; /* its expr is NULL for a subquery; all else is unused for a value */
    arb_join_kind kind;   /* MARK or SINGLE */
    const arb_logical *plan;
    const arb_expr *condition; /* or NULL */
    arb_column_id mark;        /* MARK, else ARB_NO_COLUMN */
    bool null_aware;
    arb_ast_span span;
} arb_pending_join;

typedef ARB_VEC(arb_pending_join) arb_pending_joins;

/* The clause that is being bound in a scope: what may stand in it. */
typedef struct arb_clause {
    const char *name;           /* "WHERE", for messages */
    bool aggregates;            /* aggregates are computed before it */
    bool grouped;               /* with GROUP BY, columns must be grouped ones */
    bool selects;               /* the select list, or evaluated together with it */
    bool groups;                /* GROUP BY itself */
    arb_pending_joins *pending; /* where its subqueries go; NULL: it may not have any */
} arb_clause;

/* A column of this scope that a subquery used, in a clause behind the grouping. */
typedef struct arb_correlated_use {
    arb_column_id id;
    int64_t position;
} arb_correlated_use;

/* An item of the select list, whose alias other clauses may use. */
typedef struct arb_select_item {
    arb_ast_name alias;         /* empty when there is none */
    arb_str name;               /* of the result column */
    arb_ast_span span;          /* of the expression */
    const arb_ast_expr *syntax; /* NULL for a column that a star gave */
    const arb_expr *expr;       /* once bound, else NULL */
    bool aggregated;            /* holds an aggregate of this scope */
    bool has_subquery;          /* holds a column that one of the select list's subqueries gives */
    size_t subqueries;          /* how many are its own */
    bool grouped;               /* GROUP BY names it, so it is there from the grouping on */
    bool busy;                  /* being bound: an alias must not mean itself */
} arb_select_item;

typedef ARB_VEC(arb_select_item) arb_select_items;

typedef struct arb_cte arb_cte;

typedef struct arb_grouping arb_grouping; /* binder_internal.h */

typedef struct arb_scope {
    struct arb_scope *parent;
    unsigned depth; /* 1 for the outermost */
    arb_cte *ctes;
    arb_namespace names;
    const arb_clause *clause;
    const arb_grouping *grouping;           /* of a SELECT with GROUP BY, behind that clause */
    arb_select_items *items;                /* whose aliases count as names, or NULL */
    ARB_VEC(arb_aggregate_call) aggregates; /* of this SELECT, each different one once */
    size_t aggregate_uses, subquery_uses;   /* seen so far, also through aliases */
    arb_pending_joins argument_joins;       /* subqueries inside aggregates' arguments */
    ARB_VEC(arb_correlated_use) correlated; /* see above */
} arb_scope;

/* A query named by WITH. Bound where it is defined; each use reads the same plan. */
struct arb_cte {
    arb_cte *next; /* defined before this one */
    const arb_ast_cte *syntax;
    arb_scope *parent; /* what is visible to it */
    bool unfinished;   /* being bound: WITH RECURSIVE refers to itself */
    bool own_plan;     /* each use has one: it is correlated, or NOT MATERIALIZED */
    bool used;         /* with own_plan: the first one is taken */
    arb_shared *shared;
    const struct arb_bound_query *query; /* binder_internal.h; of the shared plan, or of the first use */
};

/* Does a name as written find one that is shown so? */
bool arb_name_matches(const arb_ast_name *written, arb_str shown);

/* A column by its name, in this scope or further out, as an expression. When the scope that has it is not the innermost
 * one, it is noted there as correlated. `*out` stays NULL when no scope has a column of this unqualified name. */
ARB_NODISCARD arb_code arb_scope_find(arb_binder *b, arb_scope *scope, const arb_ast_column *column,
                                      const arb_expr **out);
/* ARB_UNDEFINED_COLUMN, with the nearest name as a hint. */
ARB_COLD arb_code arb_scope_fail_unknown(arb_binder *b, const arb_scope *scope, const arb_ast_name *name);
/* The one column of that name that needs no qualifier; NULL when there is none. For USING. */
ARB_NODISCARD arb_code arb_namespace_find(arb_binder *b, const arb_namespace *names, const arb_ast_name *name,
                                          const arb_scope_column **out);
/* The columns of t.* or s.t.* (all with an empty qualifier), in order. */
typedef ARB_VEC(const arb_scope_column *) arb_scope_columns;
ARB_NODISCARD arb_code arb_scope_star(arb_binder *b, const arb_scope *scope, const arb_ast_star *star,
                                      arb_scope_columns *out);
/* Append the tables and columns of `from`. ARB_DUPLICATE_ALIAS when a table's name is there already. */
ARB_NODISCARD arb_code arb_namespace_append(arb_binder *b, arb_namespace *names, const arb_namespace *from,
                                            arb_ast_span span);

#endif
