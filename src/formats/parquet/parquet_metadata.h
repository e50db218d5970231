/* parquet_metadata.h: what a Parquet file's footer says, in memory.
 *
 * A file is: "PAR1", column chunks (each a dictionary page at most and data pages), page indexes, Bloom filters, the
 * footer (FileMetaData in Thrift's compact protocol), its size in four bytes, "PAR1". Names and values of statistics
 * refer to the footer's bytes, which the arena keeps. Everything is as the file claims, checked only for shape. */
#ifndef ARB_FORMATS_PARQUET_METADATA_H
#define ARB_FORMATS_PARQUET_METADATA_H

#include "base/arena.h"
#include "base/text.h"
#include "io/byte_source.h"

typedef enum arb_parquet_physical {
    ARB_PARQUET_BOOLEAN,
    ARB_PARQUET_INT32,
    ARB_PARQUET_INT64,
    ARB_PARQUET_INT96,
    ARB_PARQUET_FLOAT,
    ARB_PARQUET_DOUBLE,
    ARB_PARQUET_BYTE_ARRAY,
    ARB_PARQUET_FIXED,
    ARB_PARQUET_PHYSICAL_COUNT
} arb_parquet_physical;

typedef enum arb_parquet_encoding {
    ARB_PARQUET_PLAIN = 0,
    ARB_PARQUET_PLAIN_DICTIONARY = 2,
    ARB_PARQUET_RLE = 3,
    ARB_PARQUET_BIT_PACKED = 4,
    ARB_PARQUET_DELTA_BINARY_PACKED = 5,
    ARB_PARQUET_DELTA_LENGTH_BYTE_ARRAY = 6,
    ARB_PARQUET_DELTA_BYTE_ARRAY = 7,
    ARB_PARQUET_RLE_DICTIONARY = 8,
    ARB_PARQUET_BYTE_STREAM_SPLIT = 9
} arb_parquet_encoding;

typedef enum arb_parquet_repetition {
    ARB_PARQUET_REQUIRED,
    ARB_PARQUET_OPTIONAL,
    ARB_PARQUET_REPEATED
} arb_parquet_repetition;

/* The older annotation, still written beside the newer one. */
typedef enum arb_parquet_converted {
    ARB_PARQUET_CONVERTED_NONE = -1,
    ARB_PARQUET_UTF8,
    ARB_PARQUET_MAP,
    ARB_PARQUET_MAP_KEY_VALUE,
    ARB_PARQUET_LIST,
    ARB_PARQUET_ENUM,
    ARB_PARQUET_DECIMAL,
    ARB_PARQUET_DATE,
    ARB_PARQUET_TIME_MILLIS,
    ARB_PARQUET_TIME_MICROS,
    ARB_PARQUET_TIMESTAMP_MILLIS,
    ARB_PARQUET_TIMESTAMP_MICROS,
    ARB_PARQUET_UINT_8,
    ARB_PARQUET_UINT_16,
    ARB_PARQUET_UINT_32,
    ARB_PARQUET_UINT_64,
    ARB_PARQUET_INT_8,
    ARB_PARQUET_INT_16,
    ARB_PARQUET_INT_32,
    ARB_PARQUET_INT_64,
    ARB_PARQUET_JSON,
    ARB_PARQUET_BSON,
    ARB_PARQUET_INTERVAL
} arb_parquet_converted;

/* The newer annotation: the numbers are the fields of the union in the file. */
typedef enum arb_parquet_logical_id {
    ARB_PARQUET_LOGICAL_NONE = 0,
    ARB_PARQUET_LOGICAL_STRING = 1,
    ARB_PARQUET_LOGICAL_MAP = 2,
    ARB_PARQUET_LOGICAL_LIST = 3,
    ARB_PARQUET_LOGICAL_ENUM = 4,
    ARB_PARQUET_LOGICAL_DECIMAL = 5,
    ARB_PARQUET_LOGICAL_DATE = 6,
    ARB_PARQUET_LOGICAL_TIME = 7,
    ARB_PARQUET_LOGICAL_TIMESTAMP = 8,
    ARB_PARQUET_LOGICAL_INTEGER = 10,
    ARB_PARQUET_LOGICAL_UNKNOWN = 11, /* always NULL */
    ARB_PARQUET_LOGICAL_JSON = 12,
    ARB_PARQUET_LOGICAL_BSON = 13,
    ARB_PARQUET_LOGICAL_UUID = 14,
    ARB_PARQUET_LOGICAL_FLOAT16 = 15
} arb_parquet_logical_id;

typedef enum arb_parquet_unit { ARB_PARQUET_MILLIS = 1, ARB_PARQUET_MICROS, ARB_PARQUET_NANOS } arb_parquet_unit;

typedef struct arb_parquet_element {
    arb_str name;
    bool has_physical; /* a leaf */
    int32_t physical, type_length, repetition, child_count, converted;
    int32_t scale, precision;
    int32_t logical; /* arb_parquet_logical_id, or a number that is not known here */
    int32_t logical_scale, logical_precision;
    int32_t unit; /* TIME, TIMESTAMP: arb_parquet_unit */
    bool is_utc;
    int32_t bit_width; /* INTEGER */
    bool is_signed;
} arb_parquet_element;

typedef struct arb_parquet_statistics {
    bool has_min, has_max; /* of the newer fields, ordered as the type is */
    bool has_old_min, has_old_max;
    bool has_null_count;
    int64_t null_count;
    arb_str min, max, old_min, old_max;
} arb_parquet_statistics;

typedef struct arb_parquet_chunk_meta {
    bool present;    /* has metadata */
    bool other_file; /* the data lie in another file */
    bool encrypted;
    bool only_dictionary; /* the file says that every data page has codes */
    int32_t physical, codec;
    int64_t value_count, compressed_bytes, uncompressed_bytes;
    int64_t data_offset, dictionary_offset; /* dictionary_offset: 0 = none said */
    int64_t column_index_offset, offset_index_offset, bloom_offset;
    int32_t column_index_size, offset_index_size;
    arb_parquet_statistics statistics;
} arb_parquet_chunk_meta;

typedef struct arb_parquet_row_group {
    int64_t rows, bytes;
    uint64_t first_row; /* in the file */
    uint32_t chunk_count;
    arb_parquet_chunk_meta *chunks; /* one a leaf */
} arb_parquet_row_group;

typedef struct arb_parquet_metadata {
    int64_t rows;
    uint32_t element_count, row_group_count;
    arb_parquet_element *elements; /* the schema's tree, depth first, the root at 0 */
    arb_parquet_row_group *row_groups;
    arb_str created_by;
} arb_parquet_metadata;

/* Read and parse the footer into `arena`. Encrypted files are ARB_NOT_SUPPORTED. */
ARB_NODISCARD arb_code arb_parquet_metadata_read(const arb_byte_source *source, arb_arena *arena,
                                                 arb_parquet_metadata *out_metadata, arb_error *error);

#endif
