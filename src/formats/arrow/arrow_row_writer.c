/* arrow_row_writer.c: results as an Arrow IPC stream. Rows are collected into record batches that are worth sending. */
#include "base/alloc.h"
#include "columnar/arrow_vectors.h"
#include "columnar/ipc/ipc_writer.h"
#include "formats/row_writer.h"

enum { BATCH_ROWS = 64 << 10, BATCH_BYTES = 16 << 20 };

typedef struct arrow_row_writer {
    arb_row_writer base;
    arb_arrow_schema *schema;
    arb_arrow_builder *builder;
    arb_text text; /* what the stream's writer has written since the last call */
    arb_byte_sink *sink;
    arb_ipc_writer *stream;
} arrow_row_writer;

static void writer_destroy(arb_row_writer *writer)
{
    arrow_row_writer *self = (arrow_row_writer *)writer;
    arb_ipc_writer_destroy(self->stream);
    arb_byte_sink_destroy(self->sink);
    arb_arrow_builder_destroy(self->builder);
    arb_arrow_schema_unref(self->schema);
    arb_text_reset(&self->text);
    arb_free(self);
}

static arb_code hand_over(arrow_row_writer *self, arb_text *out, arb_error *error)
{
    ARB_TRY(arb_text_check(&self->text, error));
    arb_text_append_str(out, arb_text_view(&self->text));
    arb_text_clear(&self->text);
    return arb_text_check(out, error);
}

static arb_code write_rows(arrow_row_writer *self, arb_error *error)
{
    arb_arrow_array *array;
    if (arb_arrow_builder_rows(self->builder) == 0)
        return ARB_OK;
    ARB_TRY(arb_arrow_builder_finish(self->builder, &array, error));
    arb_code code = arb_ipc_writer_write(self->stream, array, error);
    arb_arrow_array_unref(array);
    return code;
}

static arb_code writer_begin(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    arrow_row_writer *self = (arrow_row_writer *)writer;
    ARB_TRY(arb_ipc_writer_create(self->sink, ARB_IPC_STREAM, self->schema, NULL, &self->stream, error));
    return hand_over(self, out, error);
}

static arb_code writer_batch(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error)
{
    arrow_row_writer *self = (arrow_row_writer *)writer;
    ARB_TRY(arb_arrow_builder_append(self->builder, batch, error));
    if (arb_arrow_builder_rows(self->builder) < BATCH_ROWS && arb_arrow_builder_bytes(self->builder) < BATCH_BYTES)
        return ARB_OK;
    ARB_TRY(write_rows(self, error));
    return hand_over(self, out, error);
}

static arb_code writer_end(arb_row_writer *writer, arb_text *out, arb_error *error)
{
    arrow_row_writer *self = (arrow_row_writer *)writer;
    ARB_TRY(write_rows(self, error));
    ARB_TRY(arb_ipc_writer_finish(self->stream, (arb_arrow_metadata){0}, error));
    return hand_over(self, out, error);
}

arb_code arb_arrow_row_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                     arb_row_writer **out_writer, arb_error *error)
{
    static const arb_row_writer_vtable vtable = {writer_destroy, writer_begin, writer_batch, writer_end};
    *out_writer = NULL;
    arrow_row_writer *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "an Arrow writer", sizeof *self);
    self->base = (arb_row_writer){&vtable, column_count, names, types};
    arb_code code;
    ARB_TRY_GOTO(code,
                 arb_arrow_schema_from_types(names, types, column_count, ARB_ARROW_TEXT_OFFSETS, &self->schema, error),
                 fail);
    ARB_TRY_GOTO(code, arb_arrow_builder_create(self->schema, types, (uint32_t)column_count, &self->builder, error),
                 fail);
    ARB_TRY_GOTO(code, arb_byte_sink_create_memory(&self->text, &self->sink, error), fail);
    *out_writer = &self->base;
    return ARB_OK;

fail:
    writer_destroy(&self->base);
    return code;
}
