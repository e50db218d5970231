#include "catalog/memory_table_wire.h"

#include "base/utf8.h"
#include "catalog/memory_table_internal.h"
#include "proto/table.pb-c.h"
#include "wire/type_wire.h"
#include "wire/wire.h"

/* ---- to a message ------------------------------------------------------------------------------------------------ */
static arb_code no_memory(const arb_arena *arena, arb_error *error)
{
    return arb_fail_memory(error, "a table's message", arena->total);
}

bool arb_memory_table_can_travel(const arb_table *table)
{
    return arb_memory_table_of(table) != NULL;
}

static arb_code write_columns(arb_arena *arena, const arb_table *table, Arbalest__Table__Memory *to, arb_error *error)
{
    arb_type_writer types = {.arena = arena};
    to->columns = arb_wire_messages(arena, &arbalest__table__memory_column__descriptor, table->column_count);
    if (to->columns == NULL)
        return no_memory(arena, error);
    for (size_t i = 0; i < table->column_count; i++) {
        Arbalest__Table__MemoryColumn *column = to->columns[to->n_columns++];
        column->name = arb_wire_bytes(table->columns[i].name);
        column->nullable = table->columns[i].nullable;
        if (!arb_type_write(&types, table->columns[i].type, &column->type))
            return no_memory(arena, error);
    }
    to->n_types = types.types.size;
    to->types = types.types.data;
    return ARB_OK;
}

static arb_code write_keys(arb_arena *arena, const arb_table *table, Arbalest__Table__Memory *to, arb_error *error)
{
    to->keys = arb_wire_messages(arena, &arbalest__table__key__descriptor, table->key_count);
    if (to->keys == NULL)
        return no_memory(arena, error);
    for (; to->n_keys < table->key_count; to->n_keys++) {
        to->keys[to->n_keys]->n_columns = table->keys[to->n_keys].column_count;
        to->keys[to->n_keys]->columns = (uint32_t *)(uintptr_t)table->keys[to->n_keys].columns;
    }
    return ARB_OK;
}

arb_code arb_memory_table_write(arb_arena *arena, const arb_table *table, const arb_segment_namer *segments,
                                Arbalest__Table__Memory *to, arb_error *error)
{
    const arb_memory_table *from = arb_memory_table_of(table);
    ARB_TRY(write_columns(arena, table, to, error));
    ARB_TRY(write_keys(arena, table, to, error));
    to->segments = arb_wire_messages(arena, &arbalest__table__segment__descriptor, from->chunk_count);
    if (to->segments == NULL)
        return no_memory(arena, error);
    for (; to->n_segments < from->chunk_count; to->n_segments++) {
        Arbalest__Table__Segment *segment = to->segments[to->n_segments];
        const arb_split *split = &from->file.splits[to->n_segments];
        arb_segment_name name;
        if (from->chunks != NULL)
            ARB_TRY(segments->name(segments->context, from->chunks[to->n_segments], &name, error));
        else
            name = arb_segment_source_wanted(from->sources[to->n_segments])->name;
        arb_str hash = arb_str_copy(arena, (arb_str){(const char *)name.hash, sizeof name.hash});
        if (hash.data == NULL)
            return no_memory(arena, error);
        segment->hash = arb_wire_bytes(hash);
        segment->bytes = name.bytes;
        segment->rows = split->rows;
        segment->values = split->bytes;
    }
    return ARB_OK;
}

/* ---- from a message ---------------------------------------------------------------------------------------------- */
static arb_code damaged(arb_error *error, const char *what)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a table's message %s", what);
}

static arb_code read_columns(arb_arena *arena, const Arbalest__Table__Memory *from, arb_table_column **out_columns,
                             arb_error *error)
{
    arb_type *types;
    arb_table_column *columns = ARB_ARENA_ARRAY(arena, arb_table_column, from->n_columns + 1);
    if (columns == NULL)
        return no_memory(arena, error);
    ARB_TRY(arb_types_read(arena, from->types, from->n_types, "a table's", &types, error));
    for (size_t i = 0; i < from->n_columns; i++) {
        const Arbalest__Table__MemoryColumn *column = from->columns[i];
        arb_str name = arb_wire_text(column->name);
        if (column->type >= from->n_types)
            return damaged(error, "has a column of no known type");
        if (!arb_utf8_is_valid(name.data, name.size))
            return damaged(error, "has a column whose name is not valid UTF-8");
        columns[i] = (arb_table_column){.name = name, .type = types[column->type], .nullable = column->nullable};
    }
    *out_columns = columns;
    return ARB_OK;
}

static arb_code read_keys(arb_arena *arena, const Arbalest__Table__Memory *from, arb_table_key **out_keys,
                          arb_error *error)
{
    arb_table_key *keys = ARB_ARENA_ARRAY(arena, arb_table_key, from->n_keys + 1);
    if (keys == NULL)
        return no_memory(arena, error);
    for (size_t i = 0; i < from->n_keys; i++) {
        keys[i] = (arb_table_key){from->keys[i]->n_columns, from->keys[i]->columns};
        if (keys[i].column_count == 0)
            return damaged(error, "has a key of no column");
        for (size_t c = 0; c < keys[i].column_count; c++)
            if (keys[i].columns[c] >= from->n_columns)
                return damaged(error, "has a key of a column that is not there");
    }
    *out_keys = keys;
    return ARB_OK;
}

static arb_code read_segment(const Arbalest__Table__Segment *from, const arb_type *types, size_t column_count,
                             arb_segment_wanted *out_wanted, arb_error *error)
{
    *out_wanted = (arb_segment_wanted){
        .name.bytes = from->bytes, .rows = (size_t)from->rows, .types = types, .column_count = column_count};
    if (from->hash.len != sizeof out_wanted->name.hash || from->rows == 0 || from->rows > ARB_CHUNK_ROWS ||
        from->bytes == 0 || from->bytes > ARB_SEGMENT_BYTES_MOST)
        return damaged(error, "has a segment that cannot be");
    memcpy(out_wanted->name.hash, from->hash.data, sizeof out_wanted->name.hash);
    return ARB_OK;
}

/* What a message says of a table. */
typedef struct found_table {
    arb_str name;
    const Arbalest__Table__Memory *from;
    arb_table_column *columns;
    const arb_type *types;
    arb_table_key *keys;
    const arb_segment_finder *segments;
    arb_stop_flag *stop;
} found_table;

static arb_code add_chunk(const found_table *t, const Arbalest__Table__Segment *from, arb_memory_builder *builder,
                          arb_error *error)
{
    arb_segment_wanted wanted;
    arb_memory_chunk *chunk;
    ARB_TRY(arb_check_stop(t->stop, error));
    ARB_TRY(read_segment(from, t->types, t->from->n_columns, &wanted, error));
    ARB_TRY(t->segments->find(t->segments->context, &wanted, t->stop, &chunk, error));
    arb_code code = ARB_OK;
    if (chunk->rows != wanted.rows || chunk->bytes != from->values ||
        !arb_memory_chunk_fits(chunk, t->types, t->from->n_columns))
        code = damaged(error, "has a segment that does not fit its columns or its count of rows");
    if (code == ARB_OK)
        code = arb_memory_builder_share(builder, chunk, error);
    arb_memory_chunk_unref(chunk);
    return code;
}

/* With all its rows. */
static arb_code make_whole(const found_table *t, arb_table **out_table, arb_error *error)
{
    arb_memory_builder *builder;
    ARB_TRY(arb_memory_builder_create(t->name, t->columns, t->from->n_columns, NULL, &builder, error));
    arb_code code =
        t->from->n_keys != 0 ? arb_memory_builder_set_keys(builder, t->keys, t->from->n_keys, error) : ARB_OK;
    for (size_t i = 0; code == ARB_OK && i < t->from->n_segments; i++)
        code = add_chunk(t, t->from->segments[i], builder, error);
    if (code == ARB_OK)
        code = arb_memory_builder_finish(builder, out_table, error);
    arb_memory_builder_destroy(builder);
    return code;
}

/* Rows come when they are read. */
static arb_code make_unread(arb_arena *arena, const found_table *t, arb_table **out_table, arb_error *error)
{
    size_t count = 0;
    arb_segment_source **sources = ARB_ARENA_ARRAY(arena, arb_segment_source *, t->from->n_segments + 1);
    arb_split *splits = ARB_ARENA_ARRAY(arena, arb_split, t->from->n_segments + 1);
    arb_code code = sources == NULL || splits == NULL ? no_memory(arena, error) : ARB_OK;
    for (; code == ARB_OK && count < t->from->n_segments; count++) {
        const Arbalest__Table__Segment *from = t->from->segments[count];
        arb_segment_wanted wanted;
        splits[count] = (arb_split){.rows = from->rows, .bytes = from->values};
        code = read_segment(from, t->types, t->from->n_columns, &wanted, error);
        if (code == ARB_OK)
            code = arb_segment_source_create(t->segments, &wanted, &sources[count], error);
    }
    if (code == ARB_OK)
        return arb_memory_table_create_unread(t->name, t->columns, t->from->n_columns, t->keys, t->from->n_keys,
                                              sources, splits, count, out_table, error);
    for (size_t i = 0; i < count; i++)
        arb_segment_source_destroy(sources[i]);
    return code;
}

arb_code arb_memory_table_read(arb_arena *arena, arb_str name, const Arbalest__Table__Memory *from,
                               const arb_segment_finder *segments, arb_stop_flag *stop, arb_table **out_table,
                               arb_error *error)
{
    found_table t = {.name = name, .from = from, .segments = segments, .stop = stop};
    arb_type *types = ARB_ARENA_ARRAY(arena, arb_type, from->n_columns + 1);
    *out_table = NULL;
    if (types == NULL)
        return no_memory(arena, error);
    ARB_TRY(read_columns(arena, from, &t.columns, error));
    for (size_t i = 0; i < from->n_columns; i++)
        types[i] = t.columns[i].type;
    t.types = types;
    ARB_TRY(read_keys(arena, from, &t.keys, error));
    return segments->peek != NULL ? make_unread(arena, &t, out_table, error) : make_whole(&t, out_table, error);
}
