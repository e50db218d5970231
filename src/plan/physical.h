/* physical.h: how a query is carried out: operators over batches whose columns have positions, widths and ranges.
 *
 * Made once from a logical plan, then immutable and shared by all threads. A node says what its batches look like
 * (`layout`); expressions in it still name columns by id and are compiled against the child's layout. Execution cuts
 * the tree into pipelines and makes operators with states from the nodes.
 *
 *   node        children            what its batches hold
 *   SCAN        0                   layout's columns of a table's rows that pass the filters
 *   VALUES      0                   constant rows
 *   FILTER      1                   child's
 *   PROJECT     1                   exprs[]
 *   HASH_JOIN   probe, build        `output`: columns of either side
 *   LOOP_JOIN   probe, build        the same, for conditions without an equality
 *   AGGREGATE   1                   groups, then aggregates, or in phase PARTIAL their states
 *   SORT        1                   child's, in order (top-N with `limit`)
 *   LIMIT       1                   child's
 *   GROUP_LIMIT 1                   child's, whose rows come group by group
 *   REPEAT      1                   child's columns but the last, which says how often each row comes
 *   UNION       2…                  the children's, whose layouts agree in types and widths
 *   SHARED      0                   a shared subplan's rows
 *   EXCHANGE    0                   rows that an earlier stage left (stage.h)
 */
#ifndef ARB_PLAN_PHYSICAL_H
#define ARB_PLAN_PHYSICAL_H

#include "expr/aggregate.h"
#include "plan/logical.h"

typedef enum arb_physical_kind {
    ARB_PHYSICAL_SCAN,
    ARB_PHYSICAL_VALUES,
    ARB_PHYSICAL_FILTER,
    ARB_PHYSICAL_PROJECT,
    ARB_PHYSICAL_HASH_JOIN,
    ARB_PHYSICAL_LOOP_JOIN,
    ARB_PHYSICAL_AGGREGATE,
    ARB_PHYSICAL_SORT,
    ARB_PHYSICAL_LIMIT,
    ARB_PHYSICAL_GROUP_LIMIT,
    ARB_PHYSICAL_REPEAT,
    ARB_PHYSICAL_UNION,
    ARB_PHYSICAL_SHARED,
    ARB_PHYSICAL_EXCHANGE,
    ARB_PHYSICAL_KIND_COUNT
} arb_physical_kind;

/* What a join gives. The probe side streams; the build side is held. */
typedef enum arb_join_output {
    ARB_JOIN_MATCHES,      /* pairs */
    ARB_JOIN_PROBE_OUTER,  /* pairs, and probe rows without a match with NULLs */
    ARB_JOIN_BUILD_OUTER,  /* pairs, and build rows without a match with NULLs */
    ARB_JOIN_FULL_OUTER,   /* both */
    ARB_JOIN_PROBE_SEMI,   /* probe rows with a match */
    ARB_JOIN_PROBE_ANTI,   /* probe rows without one */
    ARB_JOIN_BUILD_SEMI,   /* build rows with a match */
    ARB_JOIN_BUILD_ANTI,   /* build rows without one */
    ARB_JOIN_PROBE_MARK,   /* probe rows and whether they have a match */
    ARB_JOIN_PROBE_SINGLE, /* as PROBE_OUTER; a second match is an error */
} arb_join_output;

typedef struct arb_physical_node arb_physical_node;

/* A filter that a join's build side makes for a scan on its probe side, once it is complete. */
typedef struct arb_runtime_filter {
    uint32_t number; /* unique in the plan */
    uint32_t key;    /* of the join's keys */
    uint32_t column; /* position in the scan's `columns` */
} arb_runtime_filter;

typedef struct arb_physical_sort_key {
    uint32_t column;
    bool descending, nulls_first;
} arb_physical_sort_key;

/* An aggregation may be done in two steps, with an exchange between them: PARTIAL gives the groups that it saw and the states
 * of all aggregates (arb_aggregate_state_slot), FINAL takes such rows and merges them. Aggregates with DISTINCT or ORDER BY
 * are COMPLETE only. */
typedef enum arb_aggregate_phase {
    ARB_AGGREGATE_COMPLETE,
    ARB_AGGREGATE_PARTIAL,
    ARB_AGGREGATE_FINAL
} arb_aggregate_phase;

typedef struct arb_physical_aggregate {
    arb_aggregate_plan plan;
    size_t state_size;
    const uint32_t *arguments; /* the child's columns; FINAL: the first one of the state's columns, alone */
    int filter;                /* the child's BOOLEAN column, or -1 */
    bool distinct;
    size_t order_count;
    const arb_physical_sort_key *order;
} arb_physical_aggregate;

struct arb_physical_node {
    uint8_t kind;    /* arb_physical_kind */
    uint32_t number; /* unique in the plan, for profiles */
    arb_layout layout;
    size_t child_count;
    const arb_physical_node *const *children;
    double rows; /* estimate */
    union {
        struct {
            arb_table *table;
            arb_str alias;
            size_t column_count; /* columns that the scan reads: the layout's first, then those for filters only */
            const arb_scan_column *columns;
            arb_layout read; /* what they are, as the filters see them */
            size_t filter_count;
            const arb_expr *const *filters; /* conjuncts over `read` */
            size_t runtime_count;
            const arb_runtime_filter *runtime;
            int64_t limit; /* -1 = all */
        } scan;
        struct {
            size_t row_count;
            const arb_expr *const *cells; /* row after row; without columns */
        } values;
        struct {
            const arb_expr *condition;
        } filter;
        struct {
            const arb_expr *const *exprs; /* one a column of the layout */
        } project;
        struct {
            uint8_t output;  /* arb_join_output */
            bool null_aware; /* NULL is not FALSE: of the one key, or of the residual if there is one */
            size_t key_count;
            const bool *null_equal;     /* by key: NULLs match each other; NULL: in no key */
            const uint32_t *probe_keys; /* columns of the children; types and widths agree pairwise */
            const uint32_t *build_keys;
            const arb_expr *residual; /* over probe's and build's columns, or NULL */
            size_t output_count;
            const uint32_t *columns; /* of the output: probe column, or probe column count + build column; the mark, if
                                          any, is UINT32_MAX */
            size_t runtime_count;
            const arb_runtime_filter *runtime; /* that it makes */
            bool build_unique;                 /* hint: no key occurs twice on the build side */
        } join;
        struct {
            uint8_t phase; /* arb_aggregate_phase */
            size_t group_count;
            const uint32_t *groups; /* the child's columns */
            size_t aggregate_count;
            const arb_physical_aggregate *aggregates;
        } aggregate;
        struct {
            size_t key_count;
            const arb_physical_sort_key *keys;
            int64_t limit; /* -1 = all */
            int64_t offset;
        } sort;
        struct {
            int64_t count; /* -1 = all */
            int64_t offset;
        } limit;
        struct {
            size_t group_count;
            const uint32_t *groups; /* the child's columns */
            int64_t count;          /* in each group; -1 = all */
            int64_t offset;
        } group_limit;
        struct {
            uint32_t number;         /* of the shared subplan */
            const uint32_t *columns; /* its columns that this node gives */
        } shared;
        struct {
            uint32_t stage;      /* whose output it is */
            uint32_t partitions; /* that the output has */
            uint8_t read;        /* arb_exchange_read */
            size_t produced_count;
            const uint8_t *produced; /* the arb_physical of each of the output's columns */
            const uint32_t *columns; /* of the output: those that this node gives */
        } exchange;
    };
};

/* How a scan reads the table's column `source` for such a slot: a range that is narrower than the type's is to be proved. */
ARB_INLINE arb_scan_column arb_scan_column_of(const arb_slot *slot, uint32_t source, bool filter_only)
{
    arb_range full = arb_range_of_type(slot->type);
    return (arb_scan_column){.source = source,
                             .physical = slot->physical,
                             .check_range =
                                 slot->range.known && (slot->range.low > full.low || slot->range.high < full.high),
                             .low = slot->range.low,
                             .high = slot->range.high,
                             .filter_only = filter_only};
}

/* Which partitions of an earlier stage's output a task reads; of every task of that stage, in the tasks' order. */
typedef enum arb_exchange_read {
    ARB_READ_PARTITIONS, /* those that are its own */
    ARB_READ_ALL,        /* all of them */
} arb_exchange_read;

/* How many columns a state is: its words, or one BLOB when it must be packed. */
ARB_INLINE size_t arb_aggregate_state_columns(const arb_physical_aggregate *call)
{
    return call->plan.packs ? 1 : call->state_size / sizeof(int64_t);
}
/* Is a group expected to have several rows? Also when that is not known. */
ARB_INLINE bool arb_aggregate_shrinks(const arb_physical_node *node)
{
    return node->rows <= 0 || node->children[0]->rows <= 0 || node->rows < 0.5 * node->children[0]->rows;
}
/* What each of these columns is like. */
ARB_INLINE arb_slot arb_aggregate_state_slot(const arb_physical_aggregate *call)
{
    arb_slot slot = {.id = ARB_NO_COLUMN,
                     .type = call->plan.packs ? ARB_TYPE(BLOB) : ARB_TYPE(BIGINT),
                     .physical = call->plan.packs ? ARB_PHYS_STRING : ARB_PHYS_INT64};
    slot.range = arb_range_of_type(slot.type);
    return slot;
}

/* The subplans to compute before: shared[i] may use those before it. */
typedef struct arb_physical_plan {
    const arb_physical_node *root;
    size_t shared_count;
    const arb_physical_node *const *shared;
    uint32_t node_count;
    uint32_t runtime_filter_count;
    size_t column_count;     /* of the result */
    const uint32_t *columns; /* the root's columns, in the result's order */
    const arb_str *names;
} arb_physical_plan;

/* What must hold for any plan, whoever made it: positions exist, types and widths agree, ranges hold what expressions give.
 * ARB_CORRUPT_DATA names the node. */
ARB_NODISCARD arb_code arb_physical_validate(const arb_physical_plan *plan, arb_error *error);

/* The tree as EXPLAIN shows it. `note` may add to a node's line (rows, time); NULL = nothing. */
typedef void (*arb_physical_note)(void *context, arb_text *out, const arb_physical_node *node);
void arb_physical_print(arb_text *out, const arb_query *query, const arb_physical_plan *plan, arb_physical_note note,
                        void *context);

#endif
