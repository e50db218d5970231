/* parquet.h: Parquet files as tables. */
#ifndef ARB_FORMATS_PARQUET_H
#define ARB_FORMATS_PARQUET_H

#include "formats/scan.h"
#include "io/byte_source.h"

/* Read the footer of a file and make a table of it. Takes the source over, also on failure. Encrypted files are
 * ARB_NOT_SUPPORTED; a footer that cannot be right is ARB_CORRUPT_DATA. A column whose type has no home here (decimals of
 * more than 38 digits) is listed as BLOB, and a reader that is to read it is ARB_NOT_SUPPORTED. Messages name the file. */
ARB_NODISCARD arb_code arb_parquet_open(arb_byte_source *source, arb_table_file **out_file, arb_error *error);

#endif
