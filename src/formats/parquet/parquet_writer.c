/* parquet_writer.c: Parquet files as table writers. A part is a row group: values are collected column by column until
 * it is full, encoded in memory, and put into the file at once. */
#include "base/alloc.h"
#include "formats/parquet/parquet_write_footer.h"

typedef struct parquet_writer {
    arb_table_writer base;
    arb_parquet_write_plan plan;
    arb_parquet_footer footer;
    bool begun;
} parquet_writer;

typedef struct parquet_part {
    arb_table_part base;
    const arb_parquet_write_plan *plan; /* the writer's */
    arb_parquet_write_column *columns;  /* one a leaf, as are the chunks */
    arb_parquet_write_chunk *chunks;
    arb_parquet_write_scratch *scratch;
    arb_arena append_scratch;
} parquet_part;

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void part_destroy(arb_table_part *base)
{
    parquet_part *part = (parquet_part *)base;
    for (uint32_t i = 0; i < part->plan->schema.leaf_count; i++) {
        if (part->columns != NULL)
            arb_parquet_write_column_reset(&part->columns[i]);
        if (part->chunks != NULL)
            arb_parquet_write_chunk_reset(&part->chunks[i]);
    }
    arb_parquet_write_scratch_destroy(part->scratch);
    arb_arena_reset(&part->append_scratch);
    arb_free(part->columns);
    arb_free(part->chunks);
    arb_free(part);
}

static void part_clear(arb_table_part *base)
{
    parquet_part *part = (parquet_part *)base;
    for (uint32_t i = 0; i < part->plan->schema.leaf_count; i++) {
        arb_parquet_write_column_clear(&part->columns[i]);
        arb_parquet_write_chunk_clear(&part->chunks[i]);
    }
}

static arb_code part_append(arb_table_part *base, const arb_batch *batch, arb_error *error)
{
    parquet_part *part = (parquet_part *)base;
    const arb_parquet_schema *schema = &part->plan->schema;
    assert(batch->column_count == schema->column_count);
    for (uint32_t i = 0; i < schema->column_count; i++) {
        arb_arena_rewind(&part->append_scratch);
        ARB_TRY(arb_parquet_write_column_append(part->columns, &schema->columns[i], schema->names[i],
                                                &batch->columns[i], batch, &part->append_scratch, error));
    }
    base->bytes = 0;
    for (uint32_t i = 0; i < schema->leaf_count; i++)
        base->bytes += arb_parquet_write_column_bytes(&part->columns[i]);
    return ARB_OK;
}

static arb_code part_encode(arb_table_part *base, arb_error *error)
{
    parquet_part *part = (parquet_part *)base;
    for (uint32_t i = 0; i < part->plan->schema.leaf_count; i++)
        ARB_TRY(arb_parquet_write_chunk_encode(part->scratch, &part->columns[i], base->writer->stop, &part->chunks[i],
                                               error));
    return ARB_OK;
}

static arb_code part_create(const arb_table_writer *base, arb_table_part **out_part, arb_error *error)
{
    static const arb_table_part_vtable vtable = {part_destroy, part_append, part_encode};
    const arb_parquet_write_plan *plan = &((const parquet_writer *)base)->plan;
    uint32_t leaves = plan->schema.leaf_count;
    parquet_part *part = arb_alloc_zeroed(sizeof *part);
    if (part == NULL)
        return arb_fail_memory(error, "a Parquet row group", sizeof *part);
    part->base.vtable = &vtable;
    part->plan = plan;
    part->columns = arb_alloc_zeroed(leaves * sizeof *part->columns);
    part->chunks = arb_alloc_zeroed(leaves * sizeof *part->chunks);
    arb_code code = part->columns == NULL || part->chunks == NULL
                        ? arb_fail_memory(error, "a Parquet row group", leaves * sizeof *part->chunks)
                        : arb_parquet_write_scratch_create(plan, &part->scratch, error);
    if (code != ARB_OK) {
        part_destroy(&part->base);
        return code;
    }
    for (uint32_t i = 0; i < leaves; i++)
        arb_parquet_write_column_init(&part->columns[i], &plan->schema.leaves[i]);
    *out_part = &part->base;
    return ARB_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void writer_destroy(arb_table_writer *base)
{
    parquet_writer *writer = (parquet_writer *)base;
    arb_parquet_footer_reset(&writer->footer);
    arb_parquet_write_plan_reset(&writer->plan);
    arb_free(writer);
}

static arb_code begin(parquet_writer *writer, arb_error *error)
{
    if (writer->begun)
        return ARB_OK;
    writer->begun = true;
    return arb_byte_sink_write(writer->base.sink, "PAR1", 4, error);
}

static arb_code writer_put(arb_table_writer *base, const arb_table_part *part, arb_error *error)
{
    parquet_writer *writer = (parquet_writer *)base;
    ARB_TRY(begin(writer, error));
    return arb_parquet_footer_put_group(&writer->footer, &writer->plan, ((const parquet_part *)part)->chunks,
                                        part->rows, base->sink, error);
}

static arb_code writer_finish(arb_table_writer *base, arb_error *error)
{
    parquet_writer *writer = (parquet_writer *)base;
    ARB_TRY(begin(writer, error));
    return arb_parquet_footer_write(&writer->footer, &writer->plan, base->sink, error);
}

arb_code arb_parquet_writer_create(arb_byte_sink *sink, const arb_table_schema *schema,
                                   const arb_parquet_write_options *options, arb_table_writer **out_writer,
                                   arb_error *error)
{
    static const arb_table_writer_vtable vtable = {writer_destroy, part_create, part_clear, writer_put, writer_finish};
    *out_writer = NULL;
    parquet_writer *writer = arb_alloc_zeroed(sizeof *writer);
    arb_code code = writer == NULL ? arb_fail_memory(error, "a Parquet writer", sizeof *writer)
                                   : arb_parquet_write_plan_init(&writer->plan, schema, options, error);
    if (code != ARB_OK) {
        arb_free(writer);
        arb_byte_sink_destroy(sink);
        return code;
    }
    writer->base = (arb_table_writer){.vtable = &vtable,
                                      .sink = sink,
                                      .part_rows = writer->plan.options.row_group_rows,
                                      .part_bytes = writer->plan.options.row_group_bytes,
                                      .parallel = true};
    *out_writer = &writer->base;
    return ARB_OK;
}
