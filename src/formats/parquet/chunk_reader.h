/* chunk_reader.h: the pages of one column chunk, one after the other.
 *
 * A chunk lies in the file as an optional dictionary page and data pages, each with a header in front. The reader looks
 * at headers first: a page's bytes are decompressed only when one of its rows is asked for, the dictionary only when a
 * page has codes. Bytes come through a window of some hundred KiB, not the whole chunk; every function that may have to
 * read says ARB_WOULD_WAIT when they are not there, and is then called again with the same arguments.
 *
 * Text that was decoded refers to the page it lies in. So a page of text that is left is put aside, and freed for reuse
 * when the owner says that nobody looks any more (arb_parquet_chunk_release). */
#ifndef ARB_FORMATS_PARQUET_CHUNK_READER_H
#define ARB_FORMATS_PARQUET_CHUNK_READER_H

#include "columnar/vector.h"
#include "formats/parquet/page_metadata.h"
#include "formats/parquet/page_values.h"
#include "io/byte_window.h"
#include "io/codec.h"

typedef struct arb_parquet_page_memory arb_parquet_page_memory;
struct arb_parquet_page_memory {
    arb_parquet_page_memory *next;
    uint64_t last_use; /* when put aside: the owner's clock */
    arb_padded_buffer data, levels;
    arb_parquet_values_memory values;
};

typedef struct arb_parquet_dictionary {
    bool is_known; /* there is one, at `offset` */
    bool is_loaded;
    uint64_t offset;
    arb_parquet_page_header header;
    size_t header_size;
    arb_parquet_page_memory memory;
    arb_padded_buffer entries;
    arb_vector vector; /* FLAT, of the target's type */
    uint32_t count;
    uint64_t id;
} arb_parquet_dictionary;

/* The current data page. */
typedef struct arb_parquet_page {
    bool is_there, is_open;
    arb_parquet_page_header header;
    uint64_t body_offset;
    uint64_t first_row, rows; /* flat columns: rows are values */
    uint64_t position;        /* rows (nested: values) taken so far */
    bool has_codes;
    bool has_definitions; /* false: every value is there */
    arb_rle_decoder definitions, repetitions;
    arb_parquet_values values;
} arb_parquet_page;

typedef struct arb_parquet_chunk {
    const arb_byte_source *source;
    const arb_parquet_leaf *leaf;
    const arb_parquet_kernels *kernels;
    arb_parquet_target target;
    bool keeps_pages;      /* decoded values refer to pages */
    arb_reservation *held; /* the reader's; may be NULL */

    const arb_parquet_chunk_meta *meta; /* NULL before the first begin */
    uint64_t group_rows;
    arb_codec codec;
    uint64_t begin_offset, end_offset, next_offset;
    uint64_t stop_offset; /* what lies behind is not expected to be wanted */
    uint64_t next_row;    /* of the page at next_offset; flat columns only */
    uint64_t values_seen;
    const arb_parquet_offset_index *locations; /* of the data pages, when known; owner's */

    arb_byte_window input;

    arb_parquet_dictionary dictionary;
    arb_parquet_page page;
    arb_parquet_page_memory *memory, *aside, *idle;
    uint64_t aside_bytes, idle_bytes;
    uint64_t clock; /* set by the owner */
} arb_parquet_chunk;

/* Zeroed memory becomes a reader of the leaf's chunks, for the reader whose reads and memory these are. */
void arb_parquet_chunk_init(arb_parquet_chunk *chunk, const arb_byte_source *source, const arb_parquet_leaf *leaf,
                            arb_parquet_target target, arb_read_queue *queue, arb_reservation *held);
void arb_parquet_chunk_reset(arb_parquet_chunk *chunk);
/* Stand in front of the chunk's first page. Rows from `end_row` on will not be asked for. A loaded dictionary is kept when
 * it is the chunk that was read last. */
ARB_NODISCARD arb_code arb_parquet_chunk_begin(arb_parquet_chunk *chunk, const arb_parquet_chunk_meta *meta,
                                               uint64_t group_rows, uint64_t end_row,
                                               const arb_parquet_offset_index *locations, arb_error *error);
/* Rows from `row` on will be asked for: where a file's bytes come late, have those on their way. After begin. */
void arb_parquet_chunk_expect(arb_parquet_chunk *chunk, uint64_t row);
/* Go to the next data page, without opening it. page.is_there is false at the end. */
ARB_NODISCARD arb_code arb_parquet_chunk_next_page(arb_parquet_chunk *chunk, arb_error *error);
/* Flat columns: make the page that holds `row` the current one; rows only go forward. */
ARB_NODISCARD arb_code arb_parquet_chunk_seek(arb_parquet_chunk *chunk, uint64_t row, arb_error *error);
/* Decompress and prepare the current page (a no-op when that was done), and the dictionary when it has codes. */
ARB_NODISCARD arb_code arb_parquet_chunk_open_page(arb_parquet_chunk *chunk, arb_error *error);
/* Pages put aside at a clock before `before` may be used again. */
void arb_parquet_chunk_release(arb_parquet_chunk *chunk, uint64_t before);

#endif
