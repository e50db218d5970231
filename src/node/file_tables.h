/* file_tables.h: how the plans of a cluster name tables: files by their roots, as catalog/table_wire.h says. */
#ifndef ARB_NODE_FILE_TABLES_H
#define ARB_NODE_FILE_TABLES_H

#include "catalog/table_wire.h"
#include "plan/plan_wire.h"

/* The finder outlives what is done with it; who only writes plans needs nothing of it but the roots. */
arb_plan_tables arb_file_tables(const arb_table_finder *finder);

#endif
