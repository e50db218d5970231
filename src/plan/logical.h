/* logical.h: what a query means, as a tree of relational operators over columns that have ids.
 *
 * Every column that any node of a query makes has an id of its own, in one registry (arb_query). A node's output is a
 * set of ids; expressions name columns by id. So a rule can move a node without renumbering anything, a node passes its
 * child's columns on unless it says otherwise, and a correlated reference is simply an id that the subtree does not
 * make. Nodes live in the query's arena; rules build new nodes rather than change shared ones, though a node that only
 * its rule has seen may be filled in place.
 *
 *   node       children  output columns
 *   SCAN       0         columns[].id
 *   VALUES     0         columns (ids), rows of expressions without columns (but maybe outer ones); also "one row, no
 *                        columns" (FROM-less SELECT) and "no rows"
 *   FILTER     1         child's
 *   PROJECT    1         exactly items[].id; an item that passes a column on has its old id and a COLUMN expression
 *   AGGREGATE  1         groups[].id, then aggregates[].id; without groups one row always
 *   JOIN       2         left's and right's; SEMI, ANTI: left's; MARK: left's and `mark`; SINGLE: both
 *   SORT       1         child's, in order; with `limit` a top-N
 *   LIMIT      1         child's
 *   GROUP_LIMIT 1        child's: of each group, which the first keys make, some rows in the order of the others
 *   SET        2…        columns (new ids); inputs[i] gives the i-th child's ids in the same order
 *   SHARED     0         columns (new ids), each standing for a column of `shared`'s plan: a CTE or a common subplan
 */
#ifndef ARB_PLAN_LOGICAL_H
#define ARB_PLAN_LOGICAL_H

#include "base/stop.h"
#include "base/vec.h"
#include "catalog/table.h"
#include "expr/expr.h"

/* One entry of the registry. */
typedef struct arb_column_info {
    arb_str name; /* as results and messages show it */
    arb_type type;
    bool nullable;
    arb_column_statistics statistics; /* hints: what is claimed of base columns, what rules derive for others */
    const arb_table *table;           /* base columns: where they come from, else NULL */
    uint32_t table_column;
} arb_column_info;

typedef struct arb_logical arb_logical;

/* A subplan that is computed once and read wherever a SHARED node names it. */
typedef struct arb_shared {
    uint32_t number;
    arb_str name; /* of the CTE; empty for one that the optimizer found */
    const arb_logical *plan;
    bool keep; /* AS MATERIALIZED: must not be inlined */
    uint32_t uses;
} arb_shared;

/* What planning one statement shares. Owned by the session's caller; arena and all dies with the statement. */
typedef struct arb_query {
    arb_arena *arena;
    ARB_VEC(arb_column_info) columns; /* by id; arena */
    ARB_VEC(arb_shared *) shared;     /* by number; arena */
    int64_t now_us;                   /* now(), frozen */
    arb_str time_zone;                /* IANA name */
    arb_stop_flag *stop;              /* planning that takes long looks at it */
} arb_query;

typedef ARB_VEC(arb_column_id) arb_column_ids; /* arena */

typedef enum arb_logical_kind {
    ARB_LOGICAL_SCAN,
    ARB_LOGICAL_VALUES,
    ARB_LOGICAL_FILTER,
    ARB_LOGICAL_PROJECT,
    ARB_LOGICAL_AGGREGATE,
    ARB_LOGICAL_JOIN,
    ARB_LOGICAL_SORT,
    ARB_LOGICAL_LIMIT,
    ARB_LOGICAL_GROUP_LIMIT,
    ARB_LOGICAL_SET,
    ARB_LOGICAL_SHARED,
    ARB_LOGICAL_KIND_COUNT
} arb_logical_kind;

typedef enum arb_join_kind {
    ARB_JOIN_INNER, /* without a condition: a cross product */
    ARB_JOIN_LEFT,
    ARB_JOIN_RIGHT,
    ARB_JOIN_FULL,
    ARB_JOIN_SEMI,
    ARB_JOIN_ANTI,
    /* Each left row once, with a BOOLEAN that says whether a right row matches. For IN and = ANY it is NULL when no right
     * row matches but some comparison was NULL (`null_aware`); for EXISTS it is never NULL. */
    ARB_JOIN_MARK,
    /* As LEFT, but a second match of a left row is ARB_CARDINALITY_VIOLATION: scalar subqueries. */
    ARB_JOIN_SINGLE,
} arb_join_kind;

typedef enum arb_set_kind { ARB_SET_UNION, ARB_SET_INTERSECT, ARB_SET_EXCEPT } arb_set_kind;

typedef struct arb_named_expr {
    arb_column_id id;
    const arb_expr *expr;
} arb_named_expr;

typedef struct arb_sort_key {
    const arb_expr *expr;
    bool descending;
    bool nulls_first;
} arb_sort_key;

typedef struct arb_aggregate_call {
    arb_column_id id;
    const arb_function *function;
    size_t argument_count;
    const arb_expr *const *arguments;
    const arb_expr *filter; /* FILTER (WHERE …), or NULL */
    bool distinct;
    size_t order_count; /* ORDER BY within the call: string_agg */
    const arb_sort_key *order;
    int64_t position;
} arb_aggregate_call;

typedef struct arb_scan_output {
    arb_column_id id;
    uint32_t table_column;
} arb_scan_output;

typedef struct arb_set_input {
    const arb_logical *plan;
    const arb_column_id *columns; /* as many as the set's, types equal */
} arb_set_input;

struct arb_logical {
    uint8_t kind; /* arb_logical_kind */
    size_t child_count;
    const arb_logical *children[2]; /* SET with more than two: `set.inputs` */
    double rows;                    /* estimate, set by the optimizer; 0 = not estimated */
    union {
        struct {
            arb_table *table; /* borrowed: the statement holds a reference */
            arb_str alias;
            size_t column_count;
            const arb_scan_output *columns;
            const arb_expr *filter; /* pushed down, or NULL; over the scan's ids */
            int64_t limit;          /* most rows needed, -1 = all */
        } scan;
        struct {
            size_t column_count;
            const arb_column_id *columns;
            size_t row_count;
            const arb_expr *const *cells; /* row after row */
        } values;
        struct {
            const arb_expr *condition;
        } filter;
        struct {
            size_t item_count;
            const arb_named_expr *items;
        } project;
        struct {
            size_t group_count;
            const arb_named_expr *groups;
            size_t carried_count; /* of the groups, at the end: rows that agree in the others agree in these */
            size_t aggregate_count;
            const arb_aggregate_call *aggregates;
        } aggregate;
        struct {
            uint8_t kind;              /* arb_join_kind */
            bool dependent;            /* the right side refers to the left's columns (until it is unnested) */
            bool null_aware;           /* MARK, ANTI: NULLs as NOT IN wants them */
            const arb_expr *condition; /* NULL = true */
            arb_column_id mark;        /* MARK, else ARB_NO_COLUMN */
        } join;
        struct {
            size_t key_count;
            const arb_sort_key *keys;
            int64_t limit, offset; /* top-N; limit -1 = a full sort */
        } sort;
        struct {
            int64_t count; /* -1 = all */
            int64_t offset;
        } limit;
        struct {
            size_t group_count; /* of the keys, in front; NULLs are equal */
            size_t key_count;
            const arb_sort_key *keys;
            int64_t count; /* in each group; -1 = all */
            int64_t offset;
        } group_limit;
        struct {
            uint8_t kind; /* arb_set_kind */
            bool all;     /* keeps duplicates */
            size_t column_count;
            const arb_column_id *columns;
            size_t input_count;
            const arb_set_input *inputs;
        } set;
        struct {
            arb_shared *shared;
            size_t column_count;
            const arb_column_id *columns; /* made here */
            const arb_column_id *sources; /* what each stands for in the shared plan */
        } shared;
    };
};

/* A statement's plan: the tree, and which columns are the result, in order, under which names. */
typedef struct arb_logical_plan {
    const arb_logical *root;
    size_t column_count;
    const arb_named_expr *columns; /* each expr is a COLUMN of the root's output; an id may occur twice */
    const arb_str *names;
} arb_logical_plan;

/* A new column of the query, or ARB_NO_COLUMN when there is no memory. The name is borrowed. */
arb_column_id arb_query_add_column(arb_query *query, arb_str name, arb_type type, bool nullable);
ARB_INLINE arb_column_info *arb_query_column(const arb_query *query, arb_column_id id)
{
    assert(id < query->columns.size);
    return &query->columns.data[id];
}
/* A COLUMN expression of the id's type; NULL when there is no memory. */
arb_expr *arb_query_column_expr(arb_query *query, arb_column_id id);

/* New nodes; NULL when there is no memory. Arrays are copied into the arena. */
arb_logical *arb_logical_filter(arb_query *query, const arb_logical *child, const arb_expr *condition);
arb_logical *arb_logical_project(arb_query *query, const arb_logical *child, const arb_named_expr *items, size_t count);
arb_logical *arb_logical_aggregate(arb_query *query, const arb_logical *child, const arb_named_expr *groups,
                                   size_t group_count, const arb_aggregate_call *aggregates, size_t aggregate_count);
arb_logical *arb_logical_join(arb_query *query, arb_join_kind kind, const arb_logical *left, const arb_logical *right,
                              const arb_expr *condition);
arb_logical *arb_logical_sort(arb_query *query, const arb_logical *child, const arb_sort_key *keys, size_t count);
arb_logical *arb_logical_limit(arb_query *query, const arb_logical *child, int64_t count, int64_t offset);
arb_logical *arb_logical_group_limit(arb_query *query, const arb_logical *child, const arb_sort_key *keys,
                                     size_t key_count, size_t group_count, int64_t count, int64_t offset);
arb_logical *arb_logical_scan(arb_query *query, arb_table *table, arb_str alias, const arb_scan_output *columns,
                              size_t count);
/* One row without columns. */
arb_logical *arb_logical_one_row(arb_query *query);
/* No rows, with the given columns. */
arb_logical *arb_logical_empty(arb_query *query, const arb_column_id *columns, size_t count);
arb_logical *arb_logical_values(arb_query *query, const arb_column_id *columns, size_t column_count,
                                const arb_expr *const *cells, size_t row_count);
/* The inputs' column arrays are copied too. */
arb_logical *arb_logical_set(arb_query *query, arb_set_kind kind, bool all, const arb_column_id *columns,
                             size_t column_count, const arb_set_input *inputs, size_t input_count);
arb_logical *arb_logical_shared(arb_query *query, arb_shared *shared, const arb_column_id *columns,
                                const arb_column_id *sources, size_t column_count);
/* A new node with the same fields, to be changed by its maker. */
arb_logical *arb_logical_copy(arb_query *query, const arb_logical *node);
/* A copy of the node with other children (SET: of its inputs, in order) and without an estimate. */
arb_logical *arb_logical_with_children(arb_query *query, const arb_logical *node, const arb_logical *const *children);

ARB_INLINE size_t arb_logical_child_count(const arb_logical *node)
{
    return node->kind == ARB_LOGICAL_SET ? node->set.input_count : node->child_count;
}
ARB_INLINE const arb_logical *arb_logical_child(const arb_logical *node, size_t at)
{
    return node->kind == ARB_LOGICAL_SET ? node->set.inputs[at].plan : node->children[at];
}

/* Sets of column ids as bitmaps over the registry. */
typedef struct arb_column_set {
    uint64_t *words;
    size_t word_count;
} arb_column_set;
/* Those that take the query return false when there is no memory; sets grow in its arena. */
bool arb_column_set_add(arb_query *query, arb_column_set *set, arb_column_id id);
bool arb_column_set_add_all(arb_query *query, arb_column_set *set, const arb_column_set *other);
/* A set of its own with the same ids. */
bool arb_column_set_copy(arb_query *query, arb_column_set *set, const arb_column_set *other);
void arb_column_set_remove_all(arb_column_set *set, const arb_column_set *other);
void arb_column_set_retain_all(arb_column_set *set, const arb_column_set *other);
/* The least id that is in the set and not below `from`, or ARB_NO_COLUMN. */
arb_column_id arb_column_set_next(const arb_column_set *set, arb_column_id from);
bool arb_column_set_has(const arb_column_set *set, arb_column_id id);
bool arb_column_set_contains(const arb_column_set *set, const arb_column_set *part);
bool arb_column_set_intersects(const arb_column_set *a, const arb_column_set *b);
bool arb_column_set_is_empty(const arb_column_set *set);
/* Add the columns that an expression uses. */
bool arb_expr_columns(arb_query *query, const arb_expr *expr, arb_column_set *set);
/* Add the columns that the node's own expressions use (not its children's). */
bool arb_logical_used_columns(arb_query *query, const arb_logical *node, arb_column_set *set);
/* Add a node's output columns; the second form appends them in order. */
bool arb_logical_output(arb_query *query, const arb_logical *node, arb_column_set *set);
bool arb_logical_output_ids(arb_query *query, const arb_logical *node, arb_column_ids *ids);
/* Add the columns that a subtree uses but does not make: its correlated references. */
bool arb_logical_free_columns(arb_query *query, const arb_logical *node, arb_column_set *set);
/* Visit the expressions of the node itself, each from its root as arb_expr_walk does. */
void arb_logical_walk_exprs(const arb_logical *node, arb_expr_visit visit, void *context);
/* Call `map` for every expression of the node itself (not its children's) and return a node with the results. */
arb_logical *arb_logical_map_exprs(arb_query *query, const arb_logical *node,
                                   const arb_expr *(*map)(void *context, const arb_expr *expr), void *context);

/* Do two subtrees compute the same, but for the ids of what they make? Then map[id in a] is the id in b; `map` has a place
 * for every id of the query and holds ARB_NO_COLUMN before. What uses columns from outside, is volatile or dependent
 * matches nothing. */
bool arb_logical_match(const arb_logical *a, const arb_logical *b, arb_column_id *map);
/* A hash that is equal for subtrees that match, from those of the node's children. `columns` has a place for every id of
 * the query, where what a column is made from is noted as nodes are visited bottom-up. */
uint64_t arb_logical_shape(const arb_logical *node, const uint64_t *children, uint64_t *columns);

/* Check what every plan must keep: each used column is made below (or is in `outer`, which may be NULL), no column is made
 * twice, types match the registry, conditions are BOOLEAN. ARB_INTERNAL names the first thing that is wrong; for tests
 * and debug builds, between rules. */
ARB_NODISCARD arb_code arb_logical_validate(arb_query *query, const arb_logical *root, const arb_column_set *outer,
                                            arb_error *error);

/* The tree as EXPLAIN shows it, one node a line, two spaces a level. */
void arb_logical_print(arb_text *out, const arb_query *query, const arb_logical *node);

#endif
