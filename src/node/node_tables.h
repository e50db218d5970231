/* node_tables.h: how the plans of a cluster name tables: files by their roots, tables in memory by their segments, as
 * catalog/table_wire.h says. */
#ifndef ARB_NODE_NODE_TABLES_H
#define ARB_NODE_NODE_TABLES_H

#include "catalog/table_wire.h"
#include "plan/plan_wire.h"

/* All borrowed. Who plans writes names, who executes finds what they mean; the other half may be NULL. */
typedef struct arb_node_tables {
    const arb_roots *roots;
    const arb_segment_namer *namer;
    const arb_table_finder *finder;
} arb_node_tables;

/* Outlived by the tables. */
arb_plan_tables arb_node_tables_of_plans(const arb_node_tables *tables);

#endif
