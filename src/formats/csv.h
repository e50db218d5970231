/* csv.h: CSV files as tables.
 *
 * By the standard (RFC 4180) and as real files are: how a file is written (delimiter, quotes, header, types) is found
 * by looking at its beginning, unless it is said. A file of some size is cut into ranges that several threads read. */
#ifndef ARB_FORMATS_CSV_H
#define ARB_FORMATS_CSV_H

#include "formats/scan.h"
#include "io/byte_source.h"

typedef enum arb_csv_choice { ARB_CSV_AUTO, ARB_CSV_YES, ARB_CSV_NO } arb_csv_choice;

typedef enum arb_csv_on_error {
    ARB_CSV_FAIL,     /* the statement fails, naming file, line and column */
    ARB_CSV_SKIP_ROW, /* as if the row were not there */
    ARB_CSV_NULL_CELL, /* a cell that is not of its column's type is NULL, a missing one too; what is too much is dropped */
} arb_csv_on_error;

/* The type of a column that is called so, or, without a name, of the one at the entry's place. */
typedef struct arb_csv_column_type {
    arb_str name;
    arb_type type;
} arb_csv_column_type;

/* Zeroed: everything is found by looking. Nothing that is pointed to is used after opening. */
typedef struct arb_csv_options {
    char delimiter; /* 0: looked for */
    char quote;     /* 0: looked for */
    char escape;    /* of a quote inside quotes; 0: looked for */
    char comment;   /* lines that begin with it are skipped; 0: looked for */
    bool no_quotes, no_comments;
    arb_csv_choice header;
    uint64_t skip_lines; /* at the beginning of the file */
    bool all_text;       /* every column is VARCHAR */
    bool null_padding;   /* rows that are too short end with NULLs */
    arb_csv_on_error on_error;
    const arb_str *null_texts; /* unquoted cells that are NULL; none given: the empty one */
    size_t null_text_count;
    bool quoted_nulls;         /* quoted ones too */
    const arb_str *never_null; /* columns in which no cell is NULL: of text, or they must be filled; "*" is all */
    size_t never_null_count;
    arb_str date_format, timestamp_format; /* of strptime; empty: as such values are written in SQL */
    /* Columns that are said rather than looked for, or none: all that the file has. Simple types only. */
    size_t column_count;
    const arb_str *names;
    const arb_type *types;
    /* Or only the first columns' names, or only some columns' types. */
    size_t first_name_count;
    const arb_str *first_names;
    size_t some_type_count;
    const arb_csv_column_type *some_types;
    bool may_lack_columns; /* those that have a type or are without NULLs need not be there */
    uint64_t sample_rows;  /* lines that are looked at; 0: as many as 1 MiB holds */
    uint64_t sample_bytes; /* the same in bytes, where no lines are given; 0: 1 MiB */
    uint64_t range_bytes;  /* of a split; 0: 2 MiB */
    arb_stop_flag *stop;   /* opening ends with ARB_CANCELLED soon after it is set; not kept */
} arb_csv_options;

/* Takes the source over, also on failure. Content that is compressed with gzip or zstd is decompressed (into memory).
 * `options` NULL: all defaults. Options that name a column that is not there are ARB_UNDEFINED_COLUMN; what makes no sense
 * together ARB_INVALID_PARAMETER. A file that is no CSV (no UTF-8, quotes that never end) is ARB_BAD_COPY_FORMAT or
 * ARB_INVALID_ENCODING, here or while it is read. */
ARB_NODISCARD arb_code arb_csv_open(arb_byte_source *source, const arb_csv_options *options, arb_table_file **out_file,
                                    arb_error *error);
/* Two files' types of a column, found by looking: the type that has the values of both. */
arb_type arb_csv_common_type(const arb_csv_options *options, arb_type a, arb_type b);

#endif
