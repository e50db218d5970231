#include "formats/parquet/parquet_file.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "formats/parquet.h"
#include "formats/parquet/parquet_pruning.h"
#include "runtime/held_memory.h"

enum {
    SPLIT_ROWS = 120 << 10, /* about this many rows keep a thread busy for some milliseconds */
    FOOTER_LIMIT_FACTOR = 64,
    /* Some columns of one row group; a table may have very many files that are as small. */
    ARENA_FIRST = 2560,
};

static void file_destroy(arb_table_file *base)
{
    arb_parquet_file *file = (arb_parquet_file *)base;
    arb_byte_source_destroy(file->source);
    arb_arena_reset(&file->arena);
    arb_free(file);
}

/* What all row groups together claim about a flat column. */
static void merge_statistics(const arb_parquet_file *file, const arb_parquet_node *node, arb_column_statistics *out)
{
    bool is_leaf = node->shape == ARB_PARQUET_SHAPE_LEAF && node->unsupported == NULL;
    *out = (arb_column_statistics){.has_null_count = is_leaf, .coded = is_leaf};
    bool has_values = false, all_known = is_leaf;
    for (uint32_t i = 0; i < file->metadata.row_group_count; i++) {
        const arb_parquet_row_group *group = &file->metadata.row_groups[i];
        for (uint32_t j = 0; j < node->leaf_count; j++) {
            int64_t bytes = group->chunks[node->first_leaf + j].uncompressed_bytes;
            out->bytes += bytes > 0 ? (uint64_t)bytes : 0;
        }
        if (group->rows == 0 || !is_leaf)
            continue;
        const arb_parquet_leaf *leaf = &file->schema.leaves[node->leaf];
        const arb_parquet_chunk_meta *meta = &group->chunks[node->leaf];
        out->coded = out->coded && meta->dictionary_offset != 0;
        arb_value_range range = arb_parquet_chunk_range(leaf, meta);
        if (leaf->max_definition != 0 && (!meta->statistics.has_null_count || meta->statistics.null_count < 0))
            out->has_null_count = false;
        else if (leaf->max_definition != 0)
            out->null_count += (uint64_t)meta->statistics.null_count;
        if (range.all_null)
            continue;
        all_known = all_known && range.known;
        if (!all_known)
            continue;
        out->low = has_values ? ARB_MIN(out->low, range.low) : range.low;
        out->high = has_values ? ARB_MAX(out->high, range.high) : range.high;
        has_values = true;
    }
    out->has_range = all_known && has_values;
    if (!out->has_range)
        out->low = out->high = 0;
    if (!out->has_null_count)
        out->null_count = 0;
}

static arb_code make_columns(arb_parquet_file *file, arb_error *error)
{
    uint32_t count = file->schema.column_count;
    arb_table_column *columns = ARB_ARENA_ARRAY(&file->arena, arb_table_column, count);
    if (columns == NULL)
        return arb_fail_memory(error, "a Parquet schema", sizeof *columns * count);
    for (uint32_t i = 0; i < count; i++) {
        const arb_parquet_node *node = &file->schema.columns[i];
        columns[i] = (arb_table_column){.name = file->schema.names[i], .type = node->type, .nullable = node->nullable};
        merge_statistics(file, node, &columns[i].statistics);
    }
    file->base.column_count = count;
    file->base.columns = columns;
    return ARB_OK;
}

/* Row groups, and large ones in parts, so that a file of few row groups keeps several threads busy. Rows of lists cannot
 * be found in the middle of a chunk without reading what is before, so files that have them are not cut. */
static arb_code make_splits(arb_parquet_file *file, arb_error *error)
{
    ARB_VEC(arb_split) splits = {0};
    bool can_cut = true;
    for (uint32_t i = 0; i < file->schema.leaf_count; i++)
        can_cut = can_cut && file->schema.leaves[i].max_repetition == 0;
    for (uint32_t i = 0; i < file->metadata.row_group_count; i++) {
        const arb_parquet_row_group *group = &file->metadata.row_groups[i];
        uint64_t rows = (uint64_t)group->rows, parts = can_cut ? ARB_MAX(1, (rows + SPLIT_ROWS / 2) / SPLIT_ROWS) : 1;
        parts = ARB_MIN(parts, 1 << 16);
        uint64_t step = arb_round_up((rows + parts - 1) / parts, ARB_VECTOR_ROWS);
        uint64_t bytes = group->bytes > 0 ? (uint64_t)group->bytes : 0;
        for (uint64_t first = 0; first < rows; first += step) {
            uint64_t here = ARB_MIN(step, rows - first);
            if (!ARB_ARENA_PUSH(&file->arena, &splits,
                                (arb_split){.number = (uint32_t)splits.size,
                                            .part = i,
                                            .first_row = group->first_row + first,
                                            .rows = here,
                                            .bytes = (uint64_t)((arb_uint128)bytes * here / rows)}))
                return arb_fail_memory(error, "the splits of a Parquet file", sizeof(arb_split) * splits.size);
        }
    }
    file->base.splits = splits.data;
    file->base.split_count = splits.size;
    return ARB_OK;
}

static arb_code open_file(arb_parquet_file *file, arb_error *error)
{
    ARB_TRY(arb_parquet_metadata_read(file->source, &file->arena, &file->metadata, error));
    ARB_TRY(arb_parquet_schema_build(&file->metadata, &file->arena, &file->schema, error));
    for (uint32_t i = 0; i < file->metadata.row_group_count; i++)
        if (file->metadata.row_groups[i].chunk_count != file->schema.leaf_count)
            return arb_fail(error, ARB_CORRUPT_DATA, "row group %u has %u column chunks, the schema has %u leaves", i,
                            file->metadata.row_groups[i].chunk_count, file->schema.leaf_count);
    file->base.path = file->source->path;
    file->base.rows = (uint64_t)file->metadata.rows;
    file->base.rows_exact = true;
    ARB_TRY(make_columns(file, error));
    ARB_TRY(make_splits(file, error));
    ARB_TRY(arb_held_take(&file->source->held, file->arena.total, error));
    file->base.bytes = file->source->held.bytes;
    return ARB_OK;
}

arb_code arb_parquet_open(arb_byte_source *source, arb_table_file **out_file, arb_error *error)
{
    static const arb_table_file_vtable vtable = {
        .format = "parquet", .destroy = file_destroy, .reader_create = arb_parquet_reader_create};
    *out_file = NULL;
    arb_parquet_file *file = arb_alloc_zeroed(sizeof *file);
    if (file == NULL) {
        arb_byte_source_destroy(source);
        return arb_fail_memory(error, "a Parquet file", sizeof *file);
    }
    file->base.vtable = &vtable;
    file->source = source;
    file->arena.first = ARENA_FIRST;
    /* No real footer grows that much when parsed; one made to do so must not take the machine's memory. */
    file->arena.limit = (64 << 20) + (size_t)ARB_MIN(source->identity.size, 1 << 30) * FOOTER_LIMIT_FACTOR;
    arb_code code = open_file(file, error);
    if (code != ARB_OK) {
        arb_error_context(error, "%.*s", ARB_STR_ARGS(source->path));
        file_destroy(&file->base);
        return code;
    }
    *out_file = &file->base;
    return ARB_OK;
}
