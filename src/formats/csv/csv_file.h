/* csv_file.h: an open CSV file, as the files of this folder see it. Others use csv.h. */
#ifndef ARB_FORMATS_CSV_CSV_FILE_H
#define ARB_FORMATS_CSV_CSV_FILE_H

#include "formats/csv/csv_ranges.h"
#include "formats/csv/csv_sniffer.h"

typedef struct arb_csv_file {
    arb_table_file base;
    arb_byte_source *source; /* owned; decompressed */
    arb_arena arena;         /* holds all else */
    arb_csv_options options; /* null texts are in the arena; columns are in the layout */
    arb_csv_patterns patterns;
    bool *never_null; /* a column each, or NULL */
    arb_csv_layout layout;
    arb_csv_ranges *ranges; /* learns while the file is read, which is safe from several threads */
} arb_csv_file;

/* The reader of csv_reader.c, for the file's vtable. */
arb_code arb_csv_reader_create(const arb_table_file *file, const arb_scan_request *request,
                               arb_split_reader **out_reader, arb_error *error);

#endif
