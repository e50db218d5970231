/* binder_internal.h: what the binder's files share. For src/sql alone.
 *
 *     binder_statement   what a statement asks for
 *       binder_query     WITH, set operations, VALUES
 *         binder_select  one SELECT, clause by clause; binder_group: columns behind a grouping
 *           binder_from  tables and joins to a plan and a namespace (scope.h)
 *             binder_relation, binder_table_function
 *           binder_expr  expressions: operators, predicates, calls, aggregates, subqueries
 *             binder_compare, binder_call, binder_special_call, binder_aggregate, binder_subquery, binder_literal,
 *             binder_parameter, binder_coerce, binder_type
 *
 * Expressions are bound to columns of the FROM clause first, also behind a grouping; binder_group then puts the groups'
 * columns in. A string or NULL without a type is a CONSTANT of type ARB_TYPE_NULL until something gives it a type
 * (arb_bind_coerce); none of these gets into a plan. */
#ifndef ARB_SQL_BINDER_INTERNAL_H
#define ARB_SQL_BINDER_INTERNAL_H

#include "expr/function.h"
#include "sql/binder.h"
#include "sql/scope.h"

enum {
    ARB_BIND_HEIGHT_MAX = 2500,       /* levels of an expression */
    ARB_BIND_JOINS_MAX = 2500,        /* joins and set operations of a statement, which may all be on one path */
    ARB_BIND_VIEW_DEPTH_MAX = 64,     /* views within views */
    ARB_BIND_VIEWS_MAX = 4096,        /* uses of views in a statement */
    ARB_BIND_ALIAS_STEPS_MAX = 50000, /* expressions bound on behalf of aliases */
};

/* An aggregate call whose arguments are being bound: whose columns do they use? */
typedef struct arb_aggregate_frame {
    struct arb_aggregate_frame *outer;
    const arb_scope *scope; /* where the call stands */
    unsigned nearest;       /* depth of the innermost scope at or outside of that one that gave a column; 0 = none */
} arb_aggregate_frame;

/* What stands for a statement's parameters: their values, or, while their types are found out, a NULL for each. */
typedef struct arb_bind_parameters {
    size_t count;
    const arb_value *values; /* all typed; or NULL */
    arb_expr *untyped;       /* one each: an untyped literal, until something gives it a type */
    arb_type *types;         /* one each: what it was given; ARB_TYPE_NULL before */
} arb_bind_parameters;

struct arb_binder {
    arb_query *query;
    arb_arena *arena; /* the query's */
    arb_catalog_scope *catalog;
    arb_error *error;
    arb_str source; /* the text in which spans count */
    bool in_view;   /* it is a view's: its positions mean nothing to the user */
    unsigned view_depth, view_count;
    unsigned height, joins, alias_depth, alias_steps;
    arb_aggregate_frame *frame;
    arb_bind_parameters *parameters; /* NULL: there may be none */
};

typedef ARB_VEC(const arb_expr *) arb_expr_list;

/* 1-based position for errors; 0 inside of a view. */
ARB_INLINE int64_t arb_bind_position(const arb_binder *b, arb_ast_span span)
{
    return b->in_view ? 0 : (int64_t)span.begin + 1;
}
ARB_INLINE arb_str arb_bind_text(const arb_binder *b, arb_ast_span span)
{
    assert(span.begin <= span.end && span.end <= b->source.size);
    return (arb_str){b->source.data + span.begin, span.end - span.begin};
}
/* Fail at a place: return arb_bind_fail(b, span, ARB_SYNTAX, "…"). */
#define arb_bind_fail(b, span, code, ...) \
    arb_error_at((b)->error, arb_fail((b)->error, (code), __VA_ARGS__), arb_bind_position((b), (span)))
ARB_COLD arb_code arb_bind_out_of_memory(arb_binder *b);
/* Leave the function when a pointer is NULL for want of memory. */
#define ARB_MADE(b, pointer)                  \
    do {                                      \
        if (ARB_UNLIKELY((pointer) == NULL))  \
            return arb_bind_out_of_memory(b); \
    } while (0)
#define ARB_MADE_IF(b, condition)             \
    do {                                      \
        if (ARB_UNLIKELY(!(condition)))       \
            return arb_bind_out_of_memory(b); \
    } while (0)
#define ARB_PUSH(b, vec, ...) ARB_MADE_IF(b, ARB_ARENA_PUSH((b)->arena, (vec), __VA_ARGS__))
/* A copy of the text in the arena; the text itself is freed. */
ARB_NODISCARD arb_code arb_bind_keep_text(arb_binder *b, arb_text *text, arb_str *out);
/* A type as SQL writes it, in the arena, for messages. */
arb_str arb_bind_type_text(arb_binder *b, arb_type type);
/* One more binary node of the plan. */
ARB_NODISCARD arb_code arb_bind_count_join(arb_binder *b, arb_ast_span span);
ARB_NODISCARD arb_code arb_bind_new_column(arb_binder *b, arb_str name, arb_type type, bool nullable,
                                           arb_column_id *out);
ARB_NODISCARD arb_code arb_bind_column_expr(arb_binder *b, arb_column_id id, arb_ast_span span, const arb_expr **out);

/* ---- binder_type.c ------------------------------------------------------------------------------------------------ */
/* `out_length`, unless NULL, is the n of varchar(n), else 0. */
ARB_NODISCARD arb_code arb_bind_type(arb_binder *b, const arb_ast_type *syntax, arb_type *out, uint32_t *out_length);

/* ---- binder_coerce.c ---------------------------------------------------------------------------------------------- */
ARB_INLINE bool arb_bind_is_untyped(const arb_expr *expr)
{
    return expr->type.id == ARB_TYPE_NULL;
}
/* To a type that it converts to by itself, or is being assigned to: literals at once. */
ARB_NODISCARD arb_code arb_bind_coerce(arb_binder *b, const arb_expr *expr, arb_type type, const arb_expr **out);
/* An untyped literal becomes text. */
ARB_NODISCARD arb_code arb_bind_settle(arb_binder *b, const arb_expr *expr, const arb_expr **out);
/* For storing in a column of that type: ARB_DATATYPE_MISMATCH when only CAST would convert it. */
ARB_NODISCARD arb_code arb_bind_assign(arb_binder *b, const arb_expr *expr, arb_type type, arb_str column,
                                       const arb_expr **out);
/* The common type of all, which each is converted to; `what` ("CASE", "IN") is for the message. */
ARB_NODISCARD arb_code arb_bind_unify(arb_binder *b, const arb_expr **exprs, size_t count, const char *what,
                                      arb_type *out_type);
/* BOOLEAN or an error: "argument of WHERE must be boolean, not integer". */
ARB_NODISCARD arb_code arb_bind_to_boolean(arb_binder *b, const arb_expr *expr, const char *what, const arb_expr **out);
/* A cast as asked for: CAST, TRY_CAST, ::. */
ARB_NODISCARD arb_code arb_bind_cast(arb_binder *b, const arb_expr *expr, arb_type type, bool try_cast,
                                     arb_ast_span span, const arb_expr **out);

/* ---- binder_literal.c --------------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_bind_literal(arb_binder *b, const arb_ast_literal *literal, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_typed_literal(arb_binder *b, const arb_ast_typed_literal *literal,
                                              const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_interval(arb_binder *b, arb_scope *scope, const arb_ast_interval *interval,
                                         const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_constant(arb_binder *b, arb_value value, arb_ast_span span, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_text_constant(arb_binder *b, arb_str text, arb_ast_span span, const arb_expr **out);

/* ---- binder_parameter.c ------------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_bind_parameter(arb_binder *b, const arb_ast_parameter *parameter, const arb_expr **out);
/* The literal is being given a type; if it is a parameter's, that is the parameter's type from now on. */
void arb_bind_note_type(arb_binder *b, const arb_expr *literal, arb_type type);

/* ---- binder_expr.c ------------------------------------------------------------------------------------------------ */
ARB_NODISCARD arb_code arb_bind_expr(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const arb_expr **out);
/* A condition of a clause: BOOLEAN. */
ARB_NODISCARD arb_code arb_bind_condition(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, const char *what,
                                          const arb_expr **out);
/* The elements of a row, the columns of a scalar subquery, or the one value. */
ARB_NODISCARD arb_code arb_bind_row(arb_binder *b, arb_scope *scope, const arb_ast_expr *syntax, arb_expr_list *out);
/* An expression without columns, worked out, as a value of the type. ARB_NOT_SUPPORTED when it is not constant. */
ARB_NODISCARD arb_code arb_bind_constant_value(arb_binder *b, const arb_ast_expr *syntax, const char *what,
                                               arb_type type, arb_value *out);

/* ---- binder_compare.c --------------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_bind_compare(arb_binder *b, arb_compare compare, const arb_expr *left, const arb_expr *right,
                                        arb_ast_span span, const arb_expr **out);
/* Row by row, as (a, b) < (c, d) means it; both have `count` parts. */
ARB_NODISCARD arb_code arb_bind_compare_rows(arb_binder *b, arb_compare compare, const arb_expr *const *left,
                                             const arb_expr *const *right, size_t count, arb_ast_span span,
                                             const arb_expr **out);
/* A comparison operator, or a pattern's; false when the operator is another one. */
bool arb_bind_comparison_of(arb_ast_operator op, arb_compare *out);
ARB_NODISCARD arb_code arb_bind_operator_condition(arb_binder *b, arb_ast_operator op, const arb_expr *const *left,
                                                   const arb_expr *const *right, size_t count, arb_ast_span span,
                                                   const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_between(arb_binder *b, arb_scope *scope, const arb_ast_between *between,
                                        const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_in(arb_binder *b, arb_scope *scope, const arb_ast_in *in, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_like(arb_binder *b, arb_scope *scope, const arb_ast_like *like, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_quantified(arb_binder *b, arb_scope *scope, const arb_ast_quantified *quantified,
                                           const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_is(arb_binder *b, arb_scope *scope, const arb_ast_is *is, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_negated(arb_binder *b, bool negated, const arb_expr *expr, const arb_expr **out);

/* ---- binder_call.c, binder_special_call.c, binder_aggregate.c ----------------------------------------------------- */
/* Choose the function of that name for the arguments and convert them to what it takes. */
ARB_NODISCARD arb_code arb_bind_arguments(arb_binder *b, arb_function_kind kind, arb_str name,
                                          const arb_expr **arguments, size_t count, arb_ast_span span,
                                          const arb_function **out_function, arb_type *out_result);
/* A scalar function or operator on arguments that are bound. */
ARB_NODISCARD arb_code arb_bind_function(arb_binder *b, arb_str name, const arb_expr *const *arguments, size_t count,
                                         arb_ast_span span, const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call, const arb_expr **out);
/* Calls that are no functions: COALESCE, NULLIF, now(), current_date … `*out` stays NULL for others. */
ARB_NODISCARD arb_code arb_bind_special_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call,
                                             const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_coalesce(arb_binder *b, const arb_expr **arguments, size_t count, arb_ast_span span,
                                         const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_aggregate(arb_binder *b, arb_scope *scope, const arb_ast_call *call,
                                          const arb_expr **out);
ARB_NODISCARD arb_code arb_bind_case(arb_binder *b, arb_scope *scope, const arb_ast_case *syntax, const arb_expr **out);

/* ---- binder_query.c ----------------------------------------------------------------------------------------------- */
typedef struct arb_output {
    arb_str name;
    const arb_expr *expr; /* a COLUMN that the plan gives; where the request allows it also an untyped literal */
    int64_t position;
} arb_output;

typedef struct arb_bound_query {
    const arb_logical *plan;
    size_t count;
    arb_output *columns;
} arb_bound_query;

/* What whoever asks for a query wants of its untyped literals. */
typedef struct arb_query_request {
    bool keep_untyped;        /* the caller gives them a type */
    const arb_type *expected; /* or they take these: the columns of an INSERT's target */
    const arb_str *expected_names;
    size_t expected_count;
    const struct arb_bound_query *beside; /* of a set operation: a VALUES without types takes those of these columns */
} arb_query_request;

ARB_NODISCARD arb_code arb_bind_query(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                                      const arb_query_request *request, arb_bound_query *out);
/* A CTE's columns, for one more use of it. */
ARB_NODISCARD arb_code arb_bind_cte_use(arb_binder *b, arb_cte *cte, arb_bound_query *out);
/* Shared plans that are read once are put in the place where they are read. */
ARB_NODISCARD arb_code arb_bind_inline_shared(arb_binder *b, const arb_logical *root);

/* Make a PROJECT so that every output is a column of its own, of the given type. `types` may be NULL: as they are. */
ARB_NODISCARD arb_code arb_bind_outputs(arb_binder *b, arb_bound_query *query, const arb_type *types);

/* ---- binder_order.c ----------------------------------------------------------------------------------------------- */
/* The number of an ORDER BY or GROUP BY item that is a plain integer, from 0; -1 when it is something else. */
ARB_NODISCARD arb_code arb_bind_ordinal(arb_binder *b, const arb_ast_expr *syntax, const char *clause, size_t count,
                                        int64_t *out);
/* ORDER BY and LIMIT over a finished query whose columns are all that can be named. */
ARB_NODISCARD arb_code arb_bind_order_outputs(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent,
                                              arb_cte *ctes, arb_bound_query *query);
typedef struct arb_bound_limit {
    int64_t count, offset; /* count -1 = all */
} arb_bound_limit;
ARB_NODISCARD arb_code arb_bind_limit(arb_binder *b, const arb_ast_query *syntax, arb_bound_limit *out);
/* SORT and LIMIT, each only where it is needed. */
ARB_NODISCARD arb_code arb_bind_sort_and_limit(arb_binder *b, const arb_logical **plan, const arb_sort_key *keys,
                                               size_t count, arb_bound_limit limit);
arb_sort_key arb_bind_sort_key(const arb_ast_sort_key *syntax, const arb_expr *expr);

/* ---- binder_select.c, binder_output.c, binder_star.c, binder_group.c, binder_name.c ------------------------------------------------ */
ARB_NODISCARD arb_code arb_bind_select(arb_binder *b, const arb_ast_query *syntax, arb_scope *parent, arb_cte *ctes,
                                       const arb_query_request *request, arb_bound_query *out);
/* The items of the select list with stars written out. */
ARB_NODISCARD arb_code arb_bind_select_items(arb_binder *b, arb_scope *scope, const arb_ast_select *select,
                                             arb_select_items *out);
/* Bind an item once. */
ARB_NODISCARD arb_code arb_bind_select_item(arb_binder *b, arb_scope *scope, arb_select_item *item);

/* One of GROUPING SETS: bit i stands for group i. */
typedef ARB_VEC(uint64_t) arb_group_sets;
enum { ARB_GROUP_SETS_MAX = 4096, ARB_SET_GROUPS_MAX = 64 };

struct arb_grouping {
    const arb_scope *scope;
    ARB_VEC(arb_named_expr) groups;
    bool has_sets; /* GROUPING SETS, ROLLUP, CUBE: groups that are columns have ids of their own, then */
    arb_group_sets sets;
    arb_column_id set_column; /* which of them a row above the grouping belongs to */
    arb_column_set below;     /* columns of the plan that is grouped: these are what must not be used above */
    arb_column_set given;     /* what the AGGREGATE gives */
};
/* Add a group, unless it is there already; its expression is over the plan that is grouped. */
ARB_NODISCARD arb_code arb_bind_group(arb_binder *b, arb_grouping *grouping, arb_str name, const arb_expr *expr,
                                      size_t *out_index);
/* The AGGREGATE over the plan. */
ARB_NODISCARD arb_code arb_bind_grouped(arb_binder *b, arb_grouping *grouping, const arb_logical **plan);
/* The expression over what the AGGREGATE gives; ARB_GROUPING names a column that is not grouped. */
ARB_NODISCARD arb_code arb_bind_above_groups(arb_binder *b, const arb_grouping *grouping, const arb_expr *expr,
                                             const arb_expr **out);
/* Subqueries above a grouping must not use ungrouped columns either. */
ARB_NODISCARD arb_code arb_bind_check_correlated(arb_binder *b, const arb_grouping *grouping);

/* binder_group_sets.c: the AGGREGATE for several sets of groups, and GROUPING(…). */
ARB_NODISCARD arb_code arb_bind_group_sets(arb_binder *b, arb_grouping *grouping, const arb_logical **plan);
ARB_NODISCARD arb_code arb_bind_grouping_call(arb_binder *b, arb_scope *scope, const arb_ast_call *call,
                                              const arb_expr **out);
/* Every set of `sets` together with every one of `more`. */
ARB_NODISCARD arb_code arb_bind_multiply_sets(arb_binder *b, arb_group_sets *sets, const arb_group_sets *more,
                                              arb_ast_span span);

/* A sort key of a SELECT: its expression as the select list's are. */
typedef struct arb_select_key {
    const arb_ast_sort_key *syntax;
    const arb_expr *expr;
    arb_ast_span span;
} arb_select_key;

/* What a SELECT gives, once its plan and expressions are final: PROJECT, DISTINCT, SORT, LIMIT. */
typedef struct arb_select_output {
    const arb_ast_query *syntax;
    const arb_logical *plan;
    arb_select_items items;
    ARB_VEC(arb_select_key) keys;
    arb_expr_list distinct_on;
    const arb_query_request *request;
} arb_select_output;
ARB_NODISCARD arb_code arb_bind_select_output(arb_binder *b, arb_select_output *select, arb_bound_query *out);

/* What an expression without alias is called. */
arb_str arb_bind_result_name(const arb_binder *b, const arb_ast_expr *syntax);

/* ---- binder_from.c, binder_relation.c, binder_table_function.c ---------------------------------------------------- */
typedef struct arb_bound_from {
    const arb_logical *plan;
    arb_namespace names;
} arb_bound_from;

/* What can be seen from a FROM item: for derived tables what is around the SELECT, for LATERAL also what stands before. */
typedef struct arb_from_context {
    arb_scope *parent;
    arb_scope *lateral;
    arb_cte *ctes;
} arb_from_context;

/* All items of FROM; one row without columns when there is none. */
ARB_NODISCARD arb_code arb_bind_from(arb_binder *b, const arb_ast_select *select, arb_scope *parent, arb_cte *ctes,
                                     arb_bound_from *out);
/* A table, view, CTE, file or subquery; not a join. */
ARB_NODISCARD arb_code arb_bind_relation(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                                         arb_bound_from *out);
ARB_NODISCARD arb_code arb_bind_table_function(arb_binder *b, const arb_ast_from *from, const arb_from_context *context,
                                               arb_bound_query *out);
ARB_NODISCARD arb_code arb_bind_scan(arb_binder *b, arb_table *table, arb_str alias, arb_bound_query *out);
ARB_NODISCARD arb_code arb_bind_catalog_name(arb_binder *b, const arb_ast_names *names, arb_catalog_name *out);
/* Names for a query's columns: t(a, b). */
ARB_NODISCARD arb_code arb_bind_rename(arb_binder *b, arb_bound_query *query, const arb_ast_names *names, arb_str table,
                                       arb_ast_span span);
/* The namespace of one table. */
ARB_NODISCARD arb_code arb_bind_namespace(arb_binder *b, const arb_bound_query *query, arb_str schema, arb_str alias,
                                          arb_namespace *out);
/* left JOIN right, marked dependent when the right side uses the left's columns. */
ARB_NODISCARD arb_code arb_bind_join(arb_binder *b, arb_join_kind kind, const arb_logical *left,
                                     const arb_logical *right, const arb_expr *condition, arb_ast_span span,
                                     arb_logical **out);

/* ---- binder_subquery.c -------------------------------------------------------------------------------------------- */
ARB_NODISCARD arb_code arb_bind_subquery(arb_binder *b, arb_scope *scope, const arb_ast_subquery *subquery,
                                         const arb_expr **out);
/* All columns of a scalar subquery. */
ARB_NODISCARD arb_code arb_bind_subquery_row(arb_binder *b, arb_scope *scope, const arb_ast_subquery *subquery,
                                             arb_expr_list *out);
/* left op ANY (query) */
ARB_NODISCARD arb_code arb_bind_any(arb_binder *b, arb_scope *scope, const arb_expr *const *left, size_t count,
                                    arb_ast_operator op, const arb_ast_query *query, arb_ast_span span,
                                    const arb_expr **out);
/* An expression that will stand in several places: when it is volatile it becomes a pending value, and *expr its column
 * of that name.
 * Where nothing may be pending it stays as it is. */
ARB_NODISCARD arb_code arb_bind_once(arb_binder *b, arb_scope *scope, arb_str name, arb_ast_span span,
                                     const arb_expr **expr);
/* The same for each part of a row. binder_compare.c */
ARB_NODISCARD arb_code arb_bind_all_once(arb_binder *b, arb_scope *scope, arb_ast_span span, arb_expr_list *row);
/* Join what is pending to the plan, in order, and forget it. */
ARB_NODISCARD arb_code arb_bind_join_pending(arb_binder *b, arb_pending_joins *pending, const arb_logical **plan);

#endif
