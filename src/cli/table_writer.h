/* table_writer.h: results as a table for people. */
#ifndef ARB_CLI_TABLE_WRITER_H
#define ARB_CLI_TABLE_WRITER_H

#include "formats/row_writer.h"

/* Columns as wide as the first rows need (a thousand of them are held back for that); later rows that are wider shift. Line
 * ends and other control characters in values are shown as escapes. */
ARB_NODISCARD arb_code arb_table_writer_create(const arb_str *names, const arb_type *types, size_t column_count,
                                               arb_row_writer **out_writer, arb_error *error);

#endif
