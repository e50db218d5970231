#include "wire_tables.h"

enum { CACHE_BYTES = 8 << 20, MEMORY_BYTES = 256 << 20, POINTER = 'p', MESSAGE = 'm' };

arb_code slt_wire_tables_open(slt_wire_tables *tables, const slt_roots *roots, const arb_file_formats *formats,
                              arb_error *error)
{
    arb_governor_init(&tables->governor, MEMORY_BYTES);
    arb_memory_init(&tables->memory, &tables->governor);
    tables->finder = (arb_table_finder){.roots = &tables->roots, .formats = formats};
    ARB_TRY(arb_file_cache_create(CACHE_BYTES, &tables->memory, &tables->finder.cache, error));
    return arb_roots_resolve(&tables->arena, roots->data, roots->size, &tables->roots, error);
}

void slt_wire_tables_close(slt_wire_tables *tables)
{
    arb_file_cache_destroy(tables->finder.cache);
    arb_arena_reset(&tables->arena);
}

static arb_code write_table(void *context, const arb_table *table, arb_text *out, arb_error *error)
{
    const slt_wire_tables *tables = context;
    bool by_pointer = tables->segments == NULL && strcmp(table->vtable->kind, "memory") == 0;
    arb_text_append_char(out, by_pointer ? POINTER : MESSAGE);
    if (!by_pointer)
        return arb_table_encode(table, &tables->roots, tables->segments, out, error);
    arb_text_append(out, (const char *)&table, sizeof table);
    return arb_text_check(out, error);
}

static arb_code find_table(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                           arb_error *error)
{
    const slt_wire_tables *tables = context;
    arb_table_finder finder = tables->finder;
    finder.stop = stop;
    if (reference.size != 0 && reference.data[0] == MESSAGE)
        return arb_table_decode(name, (arb_str){reference.data + 1, reference.size - 1}, &finder, out_table, error);
    if (reference.size != 1 + sizeof *out_table)
        return arb_fail(error, ARB_UNDEFINED_TABLE, "%.*s is not known", ARB_STR_ARGS(name));
    memcpy(out_table, reference.data + 1, sizeof *out_table);
    (void)arb_table_ref(*out_table);
    return ARB_OK;
}

arb_plan_tables slt_wire_tables_names(slt_wire_tables *tables)
{
    return (arb_plan_tables){tables, write_table, find_table, NULL};
}
