#include "catalog/table.h"

arb_code arb_table_load(arb_table *table, arb_error *error)
{
    return table->vtable->load == NULL ? ARB_OK : table->vtable->load(table, error);
}

arb_table *arb_table_ref(arb_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void arb_table_unref(arb_table *table)
{
    if (table != NULL && atomic_fetch_sub_explicit(&table->references, 1, memory_order_acq_rel) == 1)
        table->vtable->destroy(table);
}

static void unref(void *table)
{
    arb_table_unref(table);
}

arb_code arb_table_give(arb_table *table, arb_arena *arena, arb_error *error)
{
    arb_code code = arb_arena_on_reset(arena, unref, table, error);
    if (code != ARB_OK)
        arb_table_unref(table);
    return code;
}

int arb_table_find_column(const arb_table *table, arb_str name)
{
    int found = -1;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!arb_str_equal_nocase(table->columns[i].name, name))
            continue;
        if (found >= 0)
            return -2;
        found = (int)i;
    }
    return found;
}
