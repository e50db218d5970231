#include "catalog/memory_table.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "catalog/memory_keys.h"
#include "catalog/memory_table_internal.h"

struct arb_memory_builder {
    arb_memory_table *table; /* being made */
    arb_memory *account;
    arb_memory_chunk *open;       /* the chunk that is filled, or NULL */
    bool known;                   /* rows are taken over from the base version: their keys are known */
    arb_vector *scratch;          /* one a column */
    arb_vector_storage *storages; /* of append_row, made on first use */
    size_t storage_count;
    ARB_VEC(arb_memory_chunk *) chunks;
};

/* ---- a version --------------------------------------------------------------------------------------------------- */
static void lineage_unref(arb_memory_lineage *lineage)
{
    if (lineage == NULL || atomic_fetch_sub_explicit(&lineage->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_memory_keys_destroy(lineage->keys);
    arb_free(lineage);
}

static void table_destroy(arb_table *table)
{
    arb_memory_table *self = (arb_memory_table *)table;
    for (size_t i = 0; i < self->chunk_count; i++) {
        if (self->chunks != NULL)
            arb_memory_chunk_unref(self->chunks[i]);
        else
            arb_segment_source_destroy(self->sources[i]);
    }
    arb_memory_chunk_unref(self->shape);
    lineage_unref(self->lineage);
    arb_arena_reset(&self->arena);
    arb_free(self);
}

/* The file is part of the table. */
static void file_destroy(arb_table_file *file)
{
    (void)file;
}

static const arb_table_file_vtable file_vtable = {"memory", file_destroy, arb_memory_reader_create};
static const arb_table_vtable table_vtable = {.kind = "memory", .destroy = table_destroy};

/* Without `lineage` the table is the first of a new one. */
static arb_code table_create(arb_memory_lineage *lineage, arb_str name, const arb_table_column *columns,
                             size_t column_count, arb_memory_table **out_table, arb_error *error)
{
    *out_table = NULL;
    arb_memory_table *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a table in memory", sizeof *self);
    self->base.vtable = &table_vtable;
    self->base.references = 1;
    self->lineage = lineage != NULL ? lineage : arb_alloc_zeroed(sizeof *lineage);
    if (self->lineage != NULL)
        atomic_fetch_add_explicit(&self->lineage->references, 1, memory_order_relaxed);
    self->columns = ARB_ARENA_ARRAY(&self->arena, arb_table_column, ARB_MAX(column_count, 1));
    self->types = ARB_ARENA_ARRAY(&self->arena, arb_type, ARB_MAX(column_count, 1));
    self->base.name = arb_str_copy(&self->arena, name);
    bool fine = self->lineage != NULL && self->columns != NULL && self->types != NULL && self->base.name.data != NULL;
    for (size_t i = 0; fine && i < column_count; i++) {
        self->columns[i] = (arb_table_column){.name = arb_str_copy(&self->arena, columns[i].name),
                                              .type = arb_type_copy(&self->arena, columns[i].type),
                                              .nullable = columns[i].nullable};
        self->types[i] = self->columns[i].type;
        fine = self->columns[i].name.data != NULL && arb_type_equal(self->types[i], columns[i].type);
    }
    if (!fine) {
        table_destroy(&self->base);
        return arb_fail_memory(error, "a table in memory", column_count * sizeof *columns);
    }
    self->base.column_count = column_count;
    self->base.columns = self->columns;
    *out_table = self;
    return ARB_OK;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */
static arb_code builder_create(arb_memory_lineage *lineage, arb_str name, const arb_table_column *columns,
                               size_t column_count, arb_memory *account, arb_memory_builder **out_builder,
                               arb_error *error)
{
    *out_builder = NULL;
    arb_memory_builder *builder = arb_alloc_zeroed(sizeof *builder);
    if (builder == NULL)
        return arb_fail_memory(error, "a table in memory", sizeof *builder);
    builder->account = account;
    arb_code code = table_create(lineage, name, columns, column_count, &builder->table, error);
    if (code == ARB_OK &&
        (builder->scratch = ARB_ARENA_ARRAY(&builder->table->arena, arb_vector, ARB_MAX(column_count, 1))) == NULL)
        code = arb_fail_memory(error, "a table in memory", column_count * sizeof *builder->scratch);
    if (code != ARB_OK) {
        arb_memory_builder_destroy(builder);
        return code;
    }
    *out_builder = builder;
    return ARB_OK;
}

arb_code arb_memory_builder_create(arb_str name, const arb_table_column *columns, size_t column_count,
                                   arb_memory *account, arb_memory_builder **out_builder, arb_error *error)
{
    return builder_create(NULL, name, columns, column_count, account, out_builder, error);
}

static void declare_keys(arb_memory_table *table)
{
    if (table->lineage->keys != NULL)
        table->base.key_count = arb_memory_keys_declared(table->lineage->keys, &table->base.keys);
}

arb_code arb_memory_builder_set_keys(arb_memory_builder *builder, const arb_table_key *keys, size_t count,
                                     arb_error *error)
{
    assert(builder->chunks.size == 0 && builder->table->lineage->keys == NULL);
    ARB_TRY(arb_memory_keys_create(keys, count, builder->table->columns, &builder->table->lineage->keys, error));
    declare_keys(builder->table);
    return ARB_OK;
}

static arb_code open_chunk(arb_memory_builder *builder, arb_error *error)
{
    arb_memory_table *table = builder->table;
    if (!ARB_VEC_RESERVE(&builder->chunks, builder->chunks.size + 1))
        return arb_fail_memory(error, "a table in memory", sizeof(void *));
    ARB_TRY(arb_memory_chunk_create(table->types, table->base.column_count, builder->account, &builder->open, error));
    builder->chunks.data[builder->chunks.size++] = builder->open;
    return ARB_OK;
}

/* Append rows [first, first + count) of builder->scratch, cut at the chunks' size. */
static arb_code append_scratch(arb_memory_builder *builder, size_t first, size_t count, arb_error *error)
{
    arb_memory_keys *keys = builder->table->lineage->keys;
    if (keys != NULL && !builder->known)
        ARB_TRY(arb_memory_keys_add(keys, builder->scratch, first, count, error));
    while (count != 0) {
        if (builder->open == NULL || builder->open->rows == ARB_CHUNK_ROWS)
            ARB_TRY(open_chunk(builder, error));
        size_t fits = ARB_MIN(count, ARB_CHUNK_ROWS - builder->open->rows);
        ARB_TRY(arb_memory_chunk_append(builder->open, builder->scratch, first, fits, error));
        first += fits;
        count -= fits;
    }
    for (size_t i = 0; builder->open != NULL && i < builder->open->column_count; i++) {
        const arb_table_column *column = &builder->table->columns[i];
        if (!column->nullable && builder->open->columns[i].null_count != 0)
            return arb_fail(error, ARB_NOT_NULL_VIOLATION, "column \"%.*s\" of table \"%.*s\" must not be NULL",
                            ARB_STR_ARGS(column->name), ARB_STR_ARGS(builder->table->base.name));
    }
    return ARB_OK;
}

/* A last chunk with fewer rows than this is copied and filled further, so that many small INSERTs make no small chunks. */
enum { SMALL_ROWS = ARB_VECTOR_ROWS };

/* Views of all rows of a sealed chunk become the scratch; nested ones are made in the arena. */
static arb_code view_chunk(arb_memory_builder *builder, const arb_memory_chunk *chunk, arb_arena *arena,
                           arb_error *error)
{
    for (size_t column = 0; column < chunk->column_count; column++) {
        const arb_chunk_column *from = &chunk->columns[column];
        arb_vector *children = ARB_ARENA_ARRAY(arena, arb_vector, arb_chunk_view_vectors(from) + 1);
        if (children == NULL)
            return arb_fail_memory(error, "a table in memory", sizeof *children);
        builder->scratch[column] = arb_chunk_column_view(from, 0, children);
    }
    return ARB_OK;
}

static arb_code share_chunk(arb_memory_builder *builder, arb_memory_chunk *chunk, arb_error *error)
{
    if (!ARB_VEC_PUSH(&builder->chunks, chunk))
        return arb_fail_memory(error, "a table in memory", sizeof chunk);
    arb_memory_chunk_ref(chunk);
    builder->open = NULL; /* what comes now comes behind it */
    return ARB_OK;
}

/* Copies a sealed chunk's rows, or shares it. */
static arb_code take_chunk(arb_memory_builder *builder, arb_memory_chunk *chunk, bool share, arb_error *error)
{
    arb_memory_keys *keys = builder->known ? NULL : builder->table->lineage->keys;
    arb_arena arena = {0};
    arb_code code = ARB_OK;
    if (!share || keys != NULL)
        code = view_chunk(builder, chunk, &arena, error);
    if (code == ARB_OK && share && keys != NULL)
        code = arb_memory_keys_add(keys, builder->scratch, 0, chunk->rows, error);
    if (code == ARB_OK)
        code = share ? share_chunk(builder, chunk, error) : append_scratch(builder, 0, chunk->rows, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_memory_builder_share(arb_memory_builder *builder, arb_memory_chunk *chunk, arb_error *error)
{
    for (size_t i = 0; i < chunk->column_count; i++)
        if (!builder->table->columns[i].nullable && chunk->columns[i].null_count != 0)
            return arb_fail(error, ARB_NOT_NULL_VIOLATION, "column \"%.*s\" of table \"%.*s\" must not be NULL",
                            ARB_STR_ARGS(builder->table->columns[i].name), ARB_STR_ARGS(builder->table->base.name));
    return share_chunk(builder, chunk, error);
}

static arb_code take_chunks(arb_memory_builder *builder, const arb_memory_table *base, arb_error *error)
{
    for (size_t i = 0; i < base->chunk_count; i++)
        ARB_TRY(take_chunk(builder, base->chunks[i], i + 1 < base->chunk_count || base->chunks[i]->rows >= SMALL_ROWS,
                           error));
    return ARB_OK;
}

arb_code arb_memory_builder_append_table(arb_memory_builder *builder, const arb_table *rows, arb_error *error)
{
    const arb_memory_table *table = (const arb_memory_table *)rows;
    assert(rows->vtable == &table_vtable && rows->column_count == builder->table->base.column_count);
    for (size_t i = 0; i < table->chunk_count; i++)
        ARB_TRY(take_chunk(builder, table->chunks[i], table->chunks[i]->rows >= SMALL_ROWS, error));
    return ARB_OK;
}

arb_code arb_memory_table_check(const arb_table *table, arb_error *error)
{
    if (table->vtable == &table_vtable && ((const arb_memory_table *)table)->sources == NULL)
        return ARB_OK;
    arb_code code = arb_fail(error, ARB_WRONG_OBJECT_TYPE, "table \"%.*s\" is made of files: rows cannot be added",
                             ARB_STR_ARGS(table->name));
    arb_error_hint(error, "COPY … TO writes files.");
    return code;
}

const arb_memory_table *arb_memory_table_of(const arb_table *table)
{
    return table->vtable == &table_vtable ? (const arb_memory_table *)table : NULL;
}

bool arb_memory_table_same(const arb_table *a, const arb_table *b)
{
    return a->vtable == &table_vtable && b->vtable == &table_vtable &&
           ((const arb_memory_table *)a)->lineage == ((const arb_memory_table *)b)->lineage;
}

arb_code arb_memory_builder_create_from(const arb_table *base, arb_memory *account, arb_memory_builder **out_builder,
                                        arb_error *error)
{
    *out_builder = NULL;
    ARB_TRY(arb_memory_table_check(base, error));
    const arb_memory_table *table = (const arb_memory_table *)base;
    ARB_TRY(builder_create(table->lineage, base->name, base->columns, base->column_count, account, out_builder, error));
    (*out_builder)->known = true;
    arb_code code = take_chunks(*out_builder, table, error);
    (*out_builder)->known = false;
    declare_keys((*out_builder)->table);
    if (code == ARB_OK && table->lineage->keys != NULL)
        code = arb_memory_keys_fit(table->lineage->keys, table->chunks, table->chunk_count, base->rows, error);
    if (code != ARB_OK) {
        arb_memory_builder_destroy(*out_builder);
        *out_builder = NULL;
    }
    return code;
}

arb_code arb_memory_builder_append(arb_memory_builder *builder, const arb_batch *batch, arb_error *error)
{
    size_t columns = builder->table->base.column_count;
    assert(batch->column_count == columns);
    if (columns != 0)
        memcpy(builder->scratch, batch->columns, columns * sizeof *builder->scratch);
    if (batch->selection == NULL)
        return append_scratch(builder, 0, batch->rows, error);
    for (size_t row = 0; row < batch->rows;) { /* runs of selected rows */
        size_t end = row;
        while (end < batch->rows && arb_bitmap_get(batch->selection, end))
            end++;
        ARB_TRY(append_scratch(builder, row, end - row, error));
        row = end + 1;
    }
    return ARB_OK;
}

arb_code arb_memory_builder_append_row(arb_memory_builder *builder, const arb_value *values, arb_error *error)
{
    size_t columns = builder->table->base.column_count;
    if (builder->storages == NULL) {
        builder->storages = arb_alloc_zeroed(sizeof *builder->storages * ARB_MAX(columns, 1));
        if (builder->storages == NULL)
            return arb_fail_memory(error, "a row", sizeof *builder->storages);
        for (; builder->storage_count < columns; builder->storage_count++)
            ARB_TRY(arb_vector_storage_init(&builder->storages[builder->storage_count],
                                            arb_type_physical(builder->table->types[builder->storage_count]), 64,
                                            error));
    }
    for (size_t i = 0; i < columns; i++)
        builder->scratch[i] = arb_vector_constant(&builder->storages[i], &values[i]);
    return append_scratch(builder, 0, 1, error);
}

/* ---- finishing --------------------------------------------------------------------------------------------------- */
static arb_column_statistics statistics_of(const arb_memory_table *table, size_t column)
{
    arb_column_statistics statistics = {.has_null_count = true};
    for (size_t i = 0; i < table->chunk_count; i++) {
        const arb_chunk_column *from = &table->chunks[i]->columns[column];
        statistics.null_count += from->null_count;
        statistics.bytes += from->rows * ARB_MAX(arb_physical_size(from->physical), 1);
        if (!from->has_range)
            continue;
        if (!statistics.has_range || from->low < statistics.low)
            statistics.low = from->low;
        if (!statistics.has_range || from->high > statistics.high)
            statistics.high = from->high;
        statistics.has_range = true;
    }
    return statistics;
}

/* Splits have their rows and bytes, and live as long as the table. */
static void complete(arb_memory_table *table, arb_split *splits)
{
    uint64_t rows = 0;
    for (size_t i = 0; i < table->chunk_count; i++) {
        splits[i].number = splits[i].part = (uint32_t)i;
        splits[i].first_row = rows;
        rows += splits[i].rows;
    }
    table->file = (arb_table_file){.vtable = &file_vtable,
                                   .path = table->base.name,
                                   .rows = rows,
                                   .rows_exact = true,
                                   .column_count = table->base.column_count,
                                   .columns = table->columns,
                                   .split_count = table->chunk_count,
                                   .splits = splits};
    table->files[0] = &table->file;
    table->base.rows = rows;
    table->base.rows_exact = true;
    table->base.file_count = 1;
    table->base.files = table->files;
}

arb_code arb_memory_builder_finish(arb_memory_builder *builder, arb_table **out_table, arb_error *error)
{
    arb_memory_table *table = builder->table;
    size_t count = builder->chunks.size;
    *out_table = NULL;
    table->chunks = ARB_ARENA_ARRAY(&table->arena, arb_memory_chunk *, count + 1);
    arb_split *splits = ARB_ARENA_ARRAY(&table->arena, arb_split, count + 1);
    if (table->chunks == NULL || splits == NULL)
        return arb_fail_memory(error, "a table in memory", count * sizeof *splits);
    for (size_t i = 0; i < count; i++) {
        table->chunks[i] = builder->chunks.data[i];
        splits[i] = (arb_split){.rows = table->chunks[i]->rows, .bytes = table->chunks[i]->bytes};
    }
    table->chunk_count = count;
    builder->chunks.size = 0;
    builder->open = NULL;
    builder->table = NULL;
    for (size_t i = 0; i < table->base.column_count; i++)
        table->columns[i].statistics = statistics_of(table, i);
    complete(table, splits);
    *out_table = &table->base;
    return ARB_OK;
}

void arb_memory_builder_destroy(arb_memory_builder *builder)
{
    if (builder == NULL)
        return;
    for (size_t i = 0; i < builder->chunks.size; i++)
        arb_memory_chunk_unref(builder->chunks.data[i]);
    ARB_VEC_RESET(&builder->chunks);
    for (size_t i = 0; i < builder->storage_count; i++)
        arb_vector_storage_reset(&builder->storages[i]);
    arb_free(builder->storages);
    if (builder->table != NULL)
        arb_table_unref(&builder->table->base);
    arb_free(builder);
}

/* ---- tables without their rows ----------------------------------------------------------------------------------- */
static arb_code copy_keys(arb_memory_table *table, const arb_table_key *keys, size_t count, arb_error *error)
{
    arb_table_key *copies = ARB_ARENA_ARRAY(&table->arena, arb_table_key, count + 1);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        uint32_t *columns = ARB_ARENA_ARRAY(&table->arena, uint32_t, keys[i].column_count + 1);
        if (columns == NULL)
            return arb_fail_memory(error, "a table in memory", sizeof *copies);
        memcpy(columns, keys[i].columns, keys[i].column_count * sizeof *columns);
        copies[i] = (arb_table_key){keys[i].column_count, columns};
    }
    table->base.key_count = count;
    table->base.keys = copies;
    return copies != NULL ? ARB_OK : arb_fail_memory(error, "a table in memory", sizeof *copies);
}

static arb_code fill_unread(arb_memory_table *table, const arb_table_key *keys, size_t key_count,
                            arb_segment_source *const *sources, const arb_split *splits, size_t count, arb_error *error)
{
    arb_split *own = ARB_ARENA_ARRAY(&table->arena, arb_split, count + 1);
    arb_segment_source **held = ARB_ARENA_ARRAY(&table->arena, arb_segment_source *, count + 1);
    if (own == NULL || held == NULL)
        return arb_fail_memory(error, "a table in memory", count * sizeof *own);
    ARB_TRY(copy_keys(table, keys, key_count, error));
    ARB_TRY(arb_memory_chunk_create(table->types, table->base.column_count, NULL, &table->shape, error));
    for (size_t i = 0; i < count; i++) {
        held[i] = sources[i];
        own[i] = (arb_split){.rows = splits[i].rows, .bytes = splits[i].bytes};
    }
    table->sources = held;
    table->chunk_count = count;
    complete(table, own);
    return ARB_OK;
}

arb_code arb_memory_table_create_unread(arb_str name, const arb_table_column *columns, size_t column_count,
                                        const arb_table_key *keys, size_t key_count, arb_segment_source **sources,
                                        const arb_split *splits, size_t count, arb_table **out_table, arb_error *error)
{
    arb_memory_table *table;
    *out_table = NULL;
    arb_code code = table_create(NULL, name, columns, column_count, &table, error);
    if (code == ARB_OK) {
        code = fill_unread(table, keys, key_count, sources, splits, count, error);
        if (code == ARB_OK) {
            *out_table = &table->base;
            return ARB_OK;
        }
        table_destroy(&table->base);
    }
    for (size_t i = 0; i < count; i++)
        arb_segment_source_destroy(sources[i]);
    return code;
}

arb_code arb_memory_table_check_chunk(const arb_memory_table *table, const arb_split *split,
                                      const arb_memory_chunk *chunk, arb_error *error)
{
    bool fits = chunk->rows == split->rows && chunk->bytes == split->bytes &&
                arb_memory_chunk_fits(chunk, table->types, table->base.column_count);
    for (size_t i = 0; fits && i < table->base.column_count; i++)
        fits = table->columns[i].nullable || chunk->columns[i].null_count == 0;
    return fits ? ARB_OK
                : arb_fail(error, ARB_CORRUPT_DATA, "a segment of table \"%.*s\" is not what the plan says of it",
                           ARB_STR_ARGS(table->base.name));
}
