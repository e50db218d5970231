/* nested_reader.h: windows of rows of one column of lists, structs or maps, to any depth.
 *
 * The column's leaves are read as streams of entries (see leaf_stream.h), then the tree is put together from the top. A
 * node stands in a context: the innermost list around it, with that list's repetition level R and the definition level D
 * at which it has an element (0 and 0 outside of lists). The entries with repetition <= R and definition >= D are the
 * values of the node, one each; a value is not NULL when the definition level reaches the node's own. Every leaf below a
 * node says the same about it, so its first leaf is asked; that the leaves agree in numbers is checked, since each array
 * is as long as its leaf says. */
#ifndef ARB_FORMATS_PARQUET_NESTED_READER_H
#define ARB_FORMATS_PARQUET_NESTED_READER_H

#include "formats/parquet/leaf_stream.h"

typedef struct arb_parquet_nested arb_parquet_nested;

/* A reader of the schema's column `node`, whose reads go to the queue and whose memory is counted in `held`; the caller
 * owns it. */
ARB_NODISCARD arb_code arb_parquet_nested_create(const arb_byte_source *source, const arb_parquet_schema *schema,
                                                 const arb_parquet_node *node, arb_read_queue *queue,
                                                 arb_reservation *held, arb_parquet_nested **out_nested,
                                                 arb_error *error);
void arb_parquet_nested_destroy(arb_parquet_nested *nested); /* NULL is a no-op */
/* Rows from `end_row` on will not be asked for. */
ARB_NODISCARD arb_code arb_parquet_nested_begin(arb_parquet_nested *nested, const arb_parquet_row_group *group,
                                                uint64_t end_row, arb_error *error);
/* Rows that one read should ask for at most, so that the elements of long lists do not fill the memory. */
uint32_t arb_parquet_nested_window(const arb_parquet_nested *nested, const arb_parquet_row_group *group);
/* Rows [first, first + rows) as a FLAT vector, valid until the next read; rows only go forward. `clock` and release are
 * those of the chunks below. ARB_WOULD_WAIT: the same call, made again, goes on. */
ARB_NODISCARD arb_code arb_parquet_nested_read(arb_parquet_nested *nested, uint64_t first, uint32_t rows,
                                               uint64_t clock, arb_vector *out_vector, arb_error *error);
void arb_parquet_nested_release(arb_parquet_nested *nested, uint64_t before);
uint64_t arb_parquet_nested_bytes_read(const arb_parquet_nested *nested);

#endif
