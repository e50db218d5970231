/* csv_rows.h: a split cut into rows of cells, some thousand at a time.
 *
 * Bytes come through a buffer that slides over the split. Positions of bytes are counted from the split's first row, so
 * that they stay what they are when the buffer slides or grows. */
#ifndef ARB_FORMATS_CSV_CSV_ROWS_H
#define ARB_FORMATS_CSV_CSV_ROWS_H

#include "columnar/vector.h"
#include "formats/csv/csv_file.h"
#include "io/padded_buffer.h"

/* A cell as it stands in the file; size ARB_CSV_MISSING: the row has none there. */
typedef struct arb_csv_field {
    uint32_t begin, size;
} arb_csv_field;
#define ARB_CSV_MISSING UINT32_MAX

enum { ARB_CSV_PIECE = 16 << 10 };

typedef struct arb_csv_rows {
    const arb_csv_file *file;
    arb_csv_field **fields; /* by column of the file: ARB_VECTOR_ROWS cells, or NULL where none are wanted; borrowed */
    size_t width;           /* columns of the file */

    arb_padded_buffer buffer;
    uint64_t split_offset; /* of the file: position 0 */
    uint64_t end_offset;   /* rows that begin here or behind are not the split's */
    uint32_t base;         /* position of the buffer's first byte */
    uint32_t loaded;       /* position behind its last one */
    uint32_t indexed;      /* position up to which ends of cells are known */
    arb_csv_state state;
    uint32_t ends[ARB_CSV_PIECE]; /* positions; [end_at, end_count) are to come */
    uint32_t end_at, end_count;
    uint32_t row_begin, cell_begin, cell; /* of the row that is being cut */
    bool skip_first;                      /* the first row belongs to another split */
    bool finished;

    uint32_t rows;                    /* that were cut */
    uint32_t begins[ARB_VECTOR_ROWS]; /* where each began */
    uint64_t bytes_read;
} arb_csv_rows;

/* Of zeroed memory, but for `file`, `fields` and `width`. */
ARB_NODISCARD arb_code arb_csv_rows_begin(arb_csv_rows *rows, size_t range, arb_error *error);
/* Cut the next rows; `rows` is 0 at the end. What was cut before is forgotten. */
ARB_NODISCARD arb_code arb_csv_rows_next(arb_csv_rows *rows, arb_error *error);
void arb_csv_rows_reset(arb_csv_rows *rows);

ARB_INLINE arb_str arb_csv_rows_cell(const arb_csv_rows *rows, arb_csv_field field)
{
    return (arb_str){(const char *)rows->buffer.data + (field.begin - rows->base), field.size};
}
/* Put file and line in front of an error in the row that begins at a position. */
void arb_csv_rows_locate(const arb_csv_rows *rows, uint32_t position, arb_error *error);

#endif
