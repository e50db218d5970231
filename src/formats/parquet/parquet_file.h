/* parquet_file.h: an open Parquet file, as the files of this folder see it. Others use parquet.h. */
#ifndef ARB_FORMATS_PARQUET_PARQUET_FILE_H
#define ARB_FORMATS_PARQUET_PARQUET_FILE_H

#include "formats/parquet/parquet_metadata.h"
#include "formats/parquet/parquet_schema.h"
#include "formats/scan.h"

typedef struct arb_parquet_file {
    arb_table_file base;
    arb_byte_source *source; /* owned */
    arb_arena arena;         /* holds all else */
    arb_parquet_metadata metadata;
    arb_parquet_schema schema;
} arb_parquet_file;

/* The reader of parquet_reader.c, for the file's vtable. */
arb_code arb_parquet_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                   arb_split_reader **out_reader, arb_error *error);

#endif
