/* row_table_writer.c: a row writer (text, batch by batch) and a sink make a table writer. A part is some lines. Row
 * writers have state, so where parts may be filled by several threads each part has one of its own. */
#include "base/alloc.h"
#include "formats/row_writer.h"
#include "formats/writer.h"

enum { PART_BYTES = 1 << 20 };

typedef struct row_table_writer {
    arb_table_writer base;
    arb_row_writer *rows;      /* owned */
    arb_csv_write_options csv; /* of parallel writers */
    arb_text text;
    bool begun;
} row_table_writer;

typedef struct row_part {
    arb_table_part base;
    arb_row_writer *rows;
    bool owns_rows; /* else they are the writer's */
    arb_text text;
} row_part;

static void part_destroy(arb_table_part *base)
{
    row_part *part = (row_part *)base;
    if (part->owns_rows)
        arb_row_writer_destroy(part->rows);
    arb_text_reset(&part->text);
    arb_free(part);
}

static arb_code part_append(arb_table_part *base, const arb_batch *batch, arb_error *error)
{
    row_part *part = (row_part *)base;
    ARB_TRY(part->rows->vtable->batch(part->rows, batch, &part->text, error));
    part->base.bytes = part->text.size;
    return ARB_OK;
}

static arb_code part_encode(arb_table_part *base, arb_error *error)
{
    return arb_text_check(&((row_part *)base)->text, error);
}

static void part_clear(arb_table_part *base)
{
    arb_text_clear(&((row_part *)base)->text);
}

static arb_code csv_rows_create(const arb_table_schema *schema, const arb_csv_write_options *options,
                                arb_row_writer **out_rows, arb_error *error)
{
    return arb_csv_writer_create(schema->names, schema->types, schema->column_count,
                                 options->delimiter != '\0' ? options->delimiter : ',', !options->no_header, out_rows,
                                 error);
}

static arb_code part_create(const arb_table_writer *base, arb_table_part **out_part, arb_error *error)
{
    const row_table_writer *writer = (const row_table_writer *)base;
    static const arb_table_part_vtable vtable = {part_destroy, part_append, part_encode};
    row_part *part = arb_alloc_zeroed(sizeof *part);
    if (part == NULL)
        return arb_fail_memory(error, "rows as text", sizeof *part);
    part->base.vtable = &vtable;
    part->rows = writer->rows;
    part->owns_rows = base->parallel;
    if (part->owns_rows) {
        arb_table_schema schema = {writer->rows->column_count, writer->rows->names, writer->rows->types, NULL};
        arb_code code = csv_rows_create(&schema, &writer->csv, &part->rows, error);
        if (code != ARB_OK) {
            arb_free(part);
            return code;
        }
    }
    *out_part = &part->base;
    return ARB_OK;
}

static void writer_destroy(arb_table_writer *base)
{
    row_table_writer *writer = (row_table_writer *)base;
    arb_row_writer_destroy(writer->rows);
    arb_text_reset(&writer->text);
    arb_free(writer);
}

static arb_code begin(row_table_writer *writer, arb_error *error)
{
    if (writer->begun)
        return ARB_OK;
    writer->begun = true;
    ARB_TRY(writer->rows->vtable->begin(writer->rows, &writer->text, error));
    ARB_TRY(arb_byte_sink_write(writer->base.sink, writer->text.data, writer->text.size, error));
    arb_text_clear(&writer->text);
    return ARB_OK;
}

static arb_code writer_put(arb_table_writer *base, const arb_table_part *part, arb_error *error)
{
    ARB_TRY(begin((row_table_writer *)base, error));
    const arb_text *text = &((const row_part *)part)->text;
    return arb_byte_sink_write(base->sink, text->data, text->size, error);
}

static arb_code writer_finish(arb_table_writer *base, arb_error *error)
{
    row_table_writer *writer = (row_table_writer *)base;
    ARB_TRY(begin(writer, error));
    ARB_TRY(writer->rows->vtable->end(writer->rows, &writer->text, error));
    return arb_byte_sink_write(base->sink, writer->text.data, writer->text.size, error);
}

/* Takes the sink and the row writer over, also on failure. */
static arb_code create(arb_byte_sink *sink, arb_row_writer *rows, bool parallel, arb_table_writer **out_writer,
                       arb_error *error)
{
    static const arb_table_writer_vtable vtable = {writer_destroy, part_create, part_clear, writer_put, writer_finish};
    row_table_writer *writer = arb_alloc_zeroed(sizeof *writer);
    if (writer == NULL) {
        arb_row_writer_destroy(rows);
        arb_byte_sink_destroy(sink);
        return arb_fail_memory(error, "a writer of rows", sizeof *writer);
    }
    writer->base = (arb_table_writer){
        .vtable = &vtable, .sink = sink, .part_rows = UINT64_MAX, .part_bytes = PART_BYTES, .parallel = parallel};
    writer->rows = rows;
    *out_writer = &writer->base;
    return ARB_OK;
}

arb_code arb_csv_table_writer_create(arb_byte_sink *sink, const arb_table_schema *schema,
                                     const arb_csv_write_options *options, arb_table_writer **out_writer,
                                     arb_error *error)
{
    static const arb_csv_write_options defaults;
    *out_writer = NULL;
    options = options != NULL ? options : &defaults;
    arb_row_writer *rows;
    arb_code code = csv_rows_create(schema, options, &rows, error);
    if (code != ARB_OK) {
        arb_byte_sink_destroy(sink);
        return code;
    }
    ARB_TRY(create(sink, rows, true, out_writer, error));
    ((row_table_writer *)*out_writer)->csv = *options; /* for the rows of its parts */
    return ARB_OK;
}

arb_code arb_json_table_writer_create(arb_byte_sink *sink, const arb_table_schema *schema, bool lines,
                                      arb_table_writer **out_writer, arb_error *error)
{
    *out_writer = NULL;
    arb_row_writer *rows;
    arb_code code = arb_json_writer_create(schema->names, schema->types, schema->column_count, lines, &rows, error);
    if (code != ARB_OK) {
        arb_byte_sink_destroy(sink);
        return code;
    }
    return create(sink, rows, false, out_writer, error); /* it counts rows */
}
