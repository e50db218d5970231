/* ipc_format.h: Arrow's IPC format: numbers of fields and their values.
 *
 * A message is a FlatBuffer that describes it, and a body of buffers:
 *
 *     0xFFFFFFFF | int32 size of the description | description, padded to 8 | body, each buffer padded to 8
 *
 * (without the first word before format 0.15). A stream is a schema message, then dictionary and record batches, then an
 * optional end: a size of 0. A file is "ARROW1" and two zero bytes, the same stream, a footer with the schema once more
 * and the place of each batch, the footer's size, and "ARROW1". The numbers below are those of the public description of
 * the FlatBuffers; all are fixed for ever. */
#ifndef ARB_COLUMNAR_IPC_IPC_FORMAT_H
#define ARB_COLUMNAR_IPC_IPC_FORMAT_H

/* Metadata versions 4 (0.8 to 0.17; unions had validity then) and 5. */
enum { IPC_V4 = 3, IPC_V5 = 4 };
enum { IPC_CONTINUATION = -1, IPC_ALIGNMENT = 8 };

/* Fields of tables. */
enum { MESSAGE_VERSION, MESSAGE_HEADER_TYPE, MESSAGE_HEADER, MESSAGE_BODY_LENGTH, MESSAGE_METADATA };
enum { SCHEMA_ENDIANNESS, SCHEMA_FIELDS, SCHEMA_METADATA, SCHEMA_FEATURES };
enum { FIELD_NAME, FIELD_NULLABLE, FIELD_TYPE_TYPE, FIELD_TYPE, FIELD_DICTIONARY, FIELD_CHILDREN, FIELD_METADATA };
enum { DICTIONARY_ID, DICTIONARY_INDEX_TYPE, DICTIONARY_ORDERED };
enum { PAIR_KEY, PAIR_VALUE };
enum { BATCH_LENGTH, BATCH_NODES, BATCH_BUFFERS, BATCH_COMPRESSION, BATCH_VARIADIC };
enum { DICTIONARY_BATCH_ID, DICTIONARY_BATCH_DATA, DICTIONARY_BATCH_DELTA };
enum { COMPRESSION_CODEC, COMPRESSION_METHOD };
enum { FOOTER_VERSION, FOOTER_SCHEMA, FOOTER_DICTIONARIES, FOOTER_BATCHES, FOOTER_METADATA };
/* Fields of types; most have only one or two. */
enum { INT_WIDTH, INT_SIGNED };
enum { DECIMAL_PRECISION, DECIMAL_SCALE, DECIMAL_WIDTH };
enum { UNIT, UNIT_WIDTH, TIMESTAMP_ZONE = 1 };
enum { UNION_MODE, UNION_TYPE_IDS };
enum { TYPE_SIZE = 0, MAP_SORTED = 0 };

/* Values. */
enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY, HEADER_BATCH, HEADER_TENSOR, HEADER_SPARSE_TENSOR };
enum { FEATURE_REPLACEMENT = 1, FEATURE_COMPRESSION = 2 };
enum { CODEC_LZ4_FRAME, CODEC_ZSTD };
enum {
    TYPE_NULL = 1,
    TYPE_INT,
    TYPE_FLOAT,
    TYPE_BINARY,
    TYPE_UTF8,
    TYPE_BOOL,
    TYPE_DECIMAL,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_TIMESTAMP,
    TYPE_INTERVAL,
    TYPE_LIST,
    TYPE_STRUCT,
    TYPE_UNION,
    TYPE_FIXED_SIZE_BINARY,
    TYPE_FIXED_SIZE_LIST,
    TYPE_MAP,
    TYPE_DURATION,
    TYPE_LARGE_BINARY,
    TYPE_LARGE_UTF8,
    TYPE_LARGE_LIST,
    TYPE_RUN_END_ENCODED,
    TYPE_BINARY_VIEW,
    TYPE_UTF8_VIEW,
    TYPE_LIST_VIEW,
    TYPE_LARGE_LIST_VIEW
};

enum { NODE_BYTES = 16, BUFFER_BYTES = 16, BLOCK_BYTES = 24 };
#define IPC_MAGIC "ARROW1"
enum { IPC_MAGIC_SIZE = 6, IPC_FILE_HEAD = 8, IPC_FILE_TAIL = 10 };

#endif
