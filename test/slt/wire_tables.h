/* wire_tables.h: how tables are named in plans that go through their wire form, as between a scheduler and an executor. */
#ifndef ARB_SLT_WIRE_TABLES_H
#define ARB_SLT_WIRE_TABLES_H

#include "base/vec.h"
#include "catalog/table_wire.h"
#include "plan/plan_wire.h"

/* Tables of files and series are found anew, the files by their roots and in a cache of the executor's own. Tables in memory
 * go as pointers, unless somebody serves their segments. */
typedef struct slt_wire_tables {
    arb_arena arena;
    arb_roots roots;
    arb_governor governor;
    arb_memory memory;
    arb_table_finder finder;
    const arb_segment_namer *segments; /* NULL: tables in memory go as pointers */
} slt_wire_tables;

typedef ARB_VEC(arb_root) slt_roots;

/* Zeroed memory becomes usable; also after a failure it is to be closed. */
arb_code slt_wire_tables_open(slt_wire_tables *tables, const slt_roots *roots, const arb_file_formats *formats,
                              arb_error *error);
void slt_wire_tables_close(slt_wire_tables *tables);
arb_plan_tables slt_wire_tables_names(slt_wire_tables *tables);

#endif
