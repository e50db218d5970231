/* row_writer.h: results as text, whatever the format: batches in, bytes out.
 *
 *     begin(columns) → batch … → end
 *
 * Bytes are appended to a text of the caller, who empties it between calls; so a writer neither knows files nor waits.
 * Used by COPY and by the command. One thread at a time. */
#ifndef ARB_FORMATS_ROW_WRITER_H
#define ARB_FORMATS_ROW_WRITER_H

#include "columnar/vector.h"

typedef struct arb_row_writer arb_row_writer;

typedef struct arb_row_writer_vtable {
    void (*destroy)(arb_row_writer *writer);
    arb_code (*begin)(arb_row_writer *writer, arb_text *out, arb_error *error);
    arb_code (*batch)(arb_row_writer *writer, const arb_batch *batch, arb_text *out, arb_error *error);
    arb_code (*end)(arb_row_writer *writer, arb_text *out, arb_error *error);
} arb_row_writer_vtable;

struct arb_row_writer {
    const arb_row_writer_vtable *vtable;
    size_t column_count;
    const arb_str *names; /* borrowed, as are the types: they outlive the writer */
    const arb_type *types;
};

/* Zeroed: a comma, a header line, quotes only where they are needed, NULL as nothing and the empty text as "". What is
 * pointed to outlives the writer. */
typedef struct arb_csv_write_options {
    char delimiter; /* 0 = comma */
    char quote;     /* 0 = " */
    char escape;    /* of a quote inside quotes; 0 = the quote */
    bool no_header;
    arb_str null_text;                     /* stands for NULL; a text that is the same is quoted */
    const bool *force_quote;               /* a column each: its values are always quoted; no pointer: of none */
    arb_str date_format, timestamp_format; /* of strftime; empty: as SQL writes them */
} arb_csv_write_options;

/* Lines end with `\n`. `options` NULL means all defaults. A format that cannot be is ARB_INVALID_PARAMETER. */
ARB_NODISCARD arb_code arb_csv_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                             const arb_csv_write_options *options, arb_row_writer **out_writer,
                                             arb_error *error);
/* One object a row: as an array, or with `lines` one a line. Decimals and integers have all their digits; NaN and the
 * infinities, which JSON cannot write, are null. */
ARB_NODISCARD arb_code arb_json_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                              bool lines, arb_row_writer **out_writer, arb_error *error);
/* An Arrow IPC stream: the schema, record batches, the end's mark. */
ARB_NODISCARD arb_code arb_arrow_row_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                                   arb_row_writer **out_writer, arb_error *error);
void arb_row_writer_destroy(arb_row_writer *writer); /* NULL is a no-op */

#endif
