/* csv_rows.h: a split cut into rows of cells, some thousand at a time.
 *
 * Bytes come through a window that slides over the split. Positions of bytes are counted from the split's first row, so
 * that they stay what they are when the window slides. Whatever reads says ARB_WOULD_WAIT when bytes are not there, and is
 * to be called again then: it goes on where it was. */
#ifndef ARB_FORMATS_CSV_CSV_ROWS_H
#define ARB_FORMATS_CSV_CSV_ROWS_H

#include "columnar/vector.h"
#include "formats/csv/csv_file.h"

/* A cell as it stands in the file; size ARB_CSV_MISSING: the row has none there. */
typedef struct arb_csv_field {
    uint32_t begin, size;
} arb_csv_field;
#define ARB_CSV_MISSING UINT32_MAX

typedef struct arb_csv_rows {
    const arb_csv_file *file;
    arb_csv_field **fields; /* by column of the file: ARB_VECTOR_ROWS cells, or NULL where none are wanted; borrowed */
    size_t width;           /* columns of the file */

    arb_stop_flag *stop; /* looked at for each piece of the file */

    arb_byte_window window;
    arb_csv_search search; /* for the split's first row */
    bool is_searching;
    bool is_cutting;       /* had to wait in the middle of some rows */
    const uint8_t *data;   /* the window's bytes from `base` on */
    uint64_t split_offset; /* of the file: position 0 */
    uint64_t end_offset;   /* rows that begin here or behind are not the split's */
    uint32_t base;         /* position of the first row that was cut */
    uint32_t loaded;       /* position behind the window's last byte */
    uint32_t indexed;      /* position up to which ends of cells are known */
    arb_csv_state state;
    uint32_t ends[ARB_CSV_PIECE]; /* positions; [end_at, end_count) are to come */
    uint32_t end_at, end_count;
    uint32_t row_begin, cell_begin, cell; /* of the row that is being cut */
    bool skip_first;                      /* the first row belongs to another split */
    bool finished;

    uint32_t rows;                    /* that were cut */
    uint32_t begins[ARB_VECTOR_ROWS]; /* where each began */

    bool has_fault; /* an error is about the row that begins at `fault` */
    uint32_t fault;
    uint64_t counted, lines; /* on the way to its line's number */
} arb_csv_rows;

/* Zeroed memory becomes rows of the file, for the reader whose reads and memory these are; `fields` and `width` are the
 * caller's to fill. */
void arb_csv_rows_init(arb_csv_rows *rows, const arb_csv_file *file, arb_read_queue *queue, arb_reservation *held,
                       arb_stop_flag *stop);
void arb_csv_rows_begin(arb_csv_rows *rows, size_t range);
/* Cut the next rows; `rows` is 0 at the end. What was cut before is forgotten. */
ARB_NODISCARD arb_code arb_csv_rows_next(arb_csv_rows *rows, arb_error *error);
void arb_csv_rows_reset(arb_csv_rows *rows);

ARB_INLINE arb_str arb_csv_rows_cell(const arb_csv_rows *rows, arb_csv_field field)
{
    return (arb_str){(const char *)rows->data + (field.begin - rows->base), field.size};
}
/* An error is about the row that begins at a position: its line shall be found. */
ARB_INLINE void arb_csv_rows_blame(arb_csv_rows *rows, uint32_t position)
{
    rows->has_fault = true;
    rows->fault = position;
}
/* The line, from 1, of the row with the fault. Reads all that is before; what was cut is gone afterwards. */
ARB_NODISCARD arb_code arb_csv_rows_find_line(arb_csv_rows *rows, uint64_t *out_line, arb_error *error);

#endif
