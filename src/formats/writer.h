/* writer.h: a table goes into a file, whatever the format is: COPY, and whoever makes files.
 *
 *     arb_byte_sink_create_local(path, …, &sink)
 *     arb_parquet_writer_create(sink, &schema, &options, &writer)        // the writer owns the sink
 *       arb_table_writer_append(writer, batch) …
 *     arb_table_writer_finish(writer)                                     // now the file has its name
 *     arb_table_writer_destroy(writer)                                    // without finish: nothing is left behind
 *
 * A writer is passive, as readers are: it starts no thread, and writes when it is given rows. One thread at a time. */
#ifndef ARB_FORMATS_WRITER_H
#define ARB_FORMATS_WRITER_H

#include "base/stop.h"
#include "formats/row_writer.h"
#include "io/byte_sink.h"

/* What is written. Borrowed: names and types outlive the writer. */
typedef struct arb_table_schema {
    size_t column_count;
    const arb_str *names;
    const arb_type *types;
    const bool *required; /* never NULL, a column each; no pointer: each column may have NULLs */
} arb_table_schema;

/* A run of rows in the file's form: a row group, or lines. Several threads may each fill and encode a part of their own
 * at the same time; parts are then put into the file one by one, in the order that the rows shall have. */
typedef struct arb_table_part arb_table_part;
typedef struct arb_table_writer arb_table_writer;

typedef struct arb_table_part_vtable {
    void (*destroy)(arb_table_part *part);
    arb_code (*append)(arb_table_part *part, const arb_batch *batch, arb_error *error);
    arb_code (*encode)(arb_table_part *part, arb_error *error);
} arb_table_part_vtable;

/* Base of each format's part. One thread at a time. */
struct arb_table_part {
    const arb_table_part_vtable *vtable;
    const arb_table_writer *writer;
    uint64_t rows;  /* appended */
    uint64_t bytes; /* of memory that they take, about */
    bool encoded;
};

typedef struct arb_table_writer_vtable {
    void (*destroy)(arb_table_writer *writer);
    arb_code (*part_create)(const arb_table_writer *writer, arb_table_part **out_part, arb_error *error);
    void (*part_clear)(arb_table_part *part); /* empty, keeping its memory */
    arb_code (*put)(arb_table_writer *writer, const arb_table_part *part, arb_error *error);
    arb_code (*finish)(arb_table_writer *writer, arb_error *error);
} arb_table_writer_vtable;

/* Base of each format's writer. */
struct arb_table_writer {
    const arb_table_writer_vtable *vtable;
    arb_byte_sink *sink;    /* owned */
    uint64_t rows;          /* appended or put so far */
    uint64_t part_rows;     /* a part is full when it has so many rows, */
    uint64_t part_bytes;    /* or takes so many bytes */
    bool parallel;          /* parts may be made and filled by several threads */
    arb_table_part *filled; /* by arb_table_writer_append; NULL before the first */
    arb_stop_flag *stop;    /* may be set by whoever made it: encoding looks at it now and then */
};

/* The selected rows of a batch, whose columns are the schema's; vectors may have any encoding, and whole numbers any
 * width. After a failure the writer can only be destroyed. */
ARB_NODISCARD arb_code arb_table_writer_append(arb_table_writer *writer, const arb_batch *batch, arb_error *error);
/* Write what is left and finish the sink. */
ARB_NODISCARD arb_code arb_table_writer_finish(arb_table_writer *writer, arb_error *error);
void arb_table_writer_destroy(arb_table_writer *writer); /* NULL is a no-op */

/* For several threads: a part belongs to one of them at a time, and may be used again when it was put and cleared.
 * Everything but `put` may happen while others use the same writer. Append until arb_table_part_is_full, then encode,
 * then put when it is this part's turn. Not to be mixed with arb_table_writer_append. */
ARB_NODISCARD arb_code arb_table_part_create(const arb_table_writer *writer, arb_table_part **out_part,
                                             arb_error *error);
void arb_table_part_destroy(arb_table_part *part); /* NULL is a no-op; before its writer */
ARB_NODISCARD arb_code arb_table_part_append(arb_table_part *part, const arb_batch *batch, arb_error *error);
/* With `more_rows` to come. */
bool arb_table_part_is_full(const arb_table_part *part, uint64_t more_rows);
ARB_NODISCARD arb_code arb_table_part_encode(arb_table_part *part, arb_error *error);
ARB_NODISCARD arb_code arb_table_writer_put(arb_table_writer *writer, arb_table_part *part, arb_error *error);
void arb_table_part_clear(arb_table_part *part);

typedef enum arb_write_codec {
    ARB_WRITE_ZSTD, /* the default */
    ARB_WRITE_NONE,
    ARB_WRITE_SNAPPY,
    ARB_WRITE_LZ4_RAW,
    ARB_WRITE_GZIP,
    ARB_WRITE_CODEC_COUNT
} arb_write_codec;

/* Zeroed: what is right for nearly everyone. */
typedef struct arb_parquet_write_options {
    arb_write_codec codec;
    int level;                /* of the codec; 0 = its usual one */
    uint64_t row_group_rows;  /* at most; 0 = 122,880 */
    uint64_t row_group_bytes; /* of encoded values, about; 0 = 128 MiB. Bounds the memory of a writer */
    uint32_t page_rows;       /* at most; 0 = 20,480 */
    uint32_t page_bytes;      /* about; 0 = 1 MiB */
    bool bloom_filters;       /* for columns of whole numbers and of text without a dictionary */
    bool no_dictionaries;
} arb_parquet_write_options;

/* Each takes the sink over, also on failure. Types that a format cannot hold are ARB_NOT_SUPPORTED by name.
 * `options` NULL means all defaults. */
ARB_NODISCARD arb_code arb_parquet_writer_create(arb_byte_sink *sink, const arb_table_schema *schema,
                                                 const arb_parquet_write_options *options,
                                                 arb_table_writer **out_writer, arb_error *error);
ARB_NODISCARD arb_code arb_csv_table_writer_create(arb_byte_sink *sink, const arb_table_schema *schema,
                                                   const arb_csv_write_options *options, arb_table_writer **out_writer,
                                                   arb_error *error);
/* Objects in an array, or with `lines` one a line. */
ARB_NODISCARD arb_code arb_json_table_writer_create(arb_byte_sink *sink, const arb_table_schema *schema, bool lines,
                                                    arb_table_writer **out_writer, arb_error *error);

#endif
