/* join_region.h: a nest of joins as a graph, for choosing their order.
 *
 * Relations are the inputs of the joins. Two kinds:
 *   free      an input of INNER joins: may be joined in any order
 *   directed  the right side of a LEFT, SEMI, ANTI, MARK or SINGLE join. It can only be joined as the single right side
 *             of its own join, once all relations that the join's condition names (`requires`) are on the left. INNER
 *             joins, and joins of other directed relations, may be done before or after: they do not change whether a
 *             left row has a match.
 *
 * Conditions are `edges` over sets of relations, each applied where all of them have come together; what belongs above
 * a directed join is a FILTER there. Equalities of columns are kept as classes instead: joining two sets takes one
 * equality of each class that has members in both, whether it was written or follows. */
#ifndef ARB_OPTIMIZER_JOIN_REGION_H
#define ARB_OPTIMIZER_JOIN_REGION_H

#include "optimizer/estimate.h"

typedef uint64_t arb_relations; /* a set, one bit each */

enum { ARB_REGION_RELATIONS = 60 };

typedef struct arb_relation {
    const arb_logical *plan;
    const arb_logical *join; /* directed: the join that it is the right side of; else NULL */
    arb_relations requires;  /* directed: what must be on the left */
    double rows;
    double factor; /* directed: rows after the join for each row before */
} arb_relation;

typedef struct arb_edge {
    const arb_expr *condition;
    arb_relations relations;
    arb_relations sides[2]; /* an equality that a hash join can use: what its sides name; else 0 */
    double selectivity;
} arb_edge;

typedef struct arb_class_member {
    arb_column_id column;
    uint32_t relation;
    uint32_t class_number;
    double distinct;
    bool is_key;
    double most; /* rows of the relation before filters: the most values that a key of several columns can have */
} arb_class_member;

/* Relations that are equal in several columns, and by how much the product of those equalities is too small. */
typedef struct arb_compound_key {
    arb_relations relations;
    double factor;
} arb_compound_key;

typedef struct arb_region {
    arb_rule_context *rule;
    ARB_VEC(arb_relation) relations;
    ARB_VEC(arb_edge) edges;
    ARB_VEC(arb_class_member) members;
    ARB_VEC(arb_relations) classes; /* by number: relations that have members */
    ARB_VEC(arb_compound_key) keys;
    uint8_t *relation_of; /* by column id; UINT8_MAX = none */
    size_t column_count;
    arb_relations directed;
} arb_region;

/* Take the joins below `node` apart; its inputs have been ordered by `order` already when it returns. */
ARB_NODISCARD bool arb_region_collect(arb_region *region, const arb_logical *node,
                                      const arb_logical *(*order)(arb_rule_context *rule, const arb_logical *node));
/* Is there a condition between the two sets, and can a hash join use one? */
bool arb_region_connected(const arb_region *region, arb_relations a, arb_relations b, bool *out_hash);
/* Estimated rows of the join of a set. */
double arb_region_rows(const arb_region *region, arb_relations set);
/* The join of two sets' plans with all conditions that now can be applied; `right` is one directed relation, or both
 * sides are joined by an INNER join. NULL when there is no memory. */
const arb_logical *arb_region_join(arb_region *region, const arb_logical *left_plan, arb_relations left,
                                   const arb_logical *right_plan, arb_relations right);
/* A relation's plan with the conditions that name it alone. */
const arb_logical *arb_region_leaf(arb_region *region, size_t relation);
/* Conditions that name no relation, over the finished plan. */
const arb_logical *arb_region_finish(arb_region *region, const arb_logical *plan);

#endif
