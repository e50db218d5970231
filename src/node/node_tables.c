#include "node/node_tables.h"

static arb_code write_table(void *context, const arb_table *table, arb_text *out, arb_error *error)
{
    const arb_node_tables *tables = context;
    return arb_table_encode(table, tables->roots, tables->namer, out, error);
}

static arb_code find_table(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                           arb_error *error)
{
    const arb_node_tables *tables = context;
    if (tables->finder == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "plans are not carried out here");
    arb_table_finder finder = *tables->finder;
    finder.stop = stop;
    return arb_table_decode(name, reference, &finder, out_table, error);
}

arb_plan_tables arb_node_tables_of_plans(const arb_node_tables *tables)
{
    return (arb_plan_tables){(void *)(uintptr_t)tables, write_table, find_table, NULL};
}
