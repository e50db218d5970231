#include "node/file_tables.h"

static arb_code write_table(void *context, const arb_table *table, arb_text *out, arb_error *error)
{
    return arb_table_encode(table, ((const arb_table_finder *)context)->roots, out, error);
}

static arb_code find_table(void *context, arb_str name, arb_str reference, arb_table **out_table, arb_error *error)
{
    return arb_table_decode(name, reference, context, out_table, error);
}

arb_plan_tables arb_file_tables(const arb_table_finder *finder)
{
    return (arb_plan_tables){(void *)(uintptr_t)finder, write_table, find_table};
}
