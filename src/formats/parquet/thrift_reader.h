/* thrift_reader.h: Thrift's compact protocol, as far as Parquet's metadata needs it.
 *
 * The bytes are untrusted. A reader never leaves its bounds; the first thing that is wrong makes it fail for good: it
 * then stands at its end, every further read gives zero, and every field loop stops. So a parser reads a whole structure
 * and looks at `failed` once. Lists are not allocated from the count that they claim, only from what really follows. */
#ifndef ARB_FORMATS_PARQUET_THRIFT_READER_H
#define ARB_FORMATS_PARQUET_THRIFT_READER_H

#include "base/text.h"

typedef enum arb_thrift_type {
    ARB_THRIFT_STOP,
    ARB_THRIFT_TRUE,
    ARB_THRIFT_FALSE,
    ARB_THRIFT_I8,
    ARB_THRIFT_I16,
    ARB_THRIFT_I32,
    ARB_THRIFT_I64,
    ARB_THRIFT_DOUBLE,
    ARB_THRIFT_BINARY,
    ARB_THRIFT_LIST,
    ARB_THRIFT_SET,
    ARB_THRIFT_MAP,
    ARB_THRIFT_STRUCT
} arb_thrift_type;

typedef struct arb_thrift_reader {
    const uint8_t *at, *end;
    unsigned depth; /* of structs and lists being skipped */
    bool failed;
} arb_thrift_reader;

/* A field of the struct being read: start with a zeroed one for each struct. */
typedef struct arb_thrift_field {
    int32_t id;
    uint8_t type; /* arb_thrift_type */
} arb_thrift_field;

ARB_INLINE arb_thrift_reader arb_thrift_reader_over(const void *data, size_t size)
{
    return (arb_thrift_reader){.at = data, .end = (const uint8_t *)data + size};
}

/* Go to the struct's next field; false at its end or on failure. The value must then be read or skipped. */
bool arb_thrift_next_field(arb_thrift_reader *reader, arb_thrift_field *field);
/* The value of a field (or of a list's element) of type `type`, which must fit what is asked for. */
int64_t arb_thrift_integer(arb_thrift_reader *reader, uint8_t type);
bool arb_thrift_bool(arb_thrift_reader *reader, uint8_t type);
arb_str arb_thrift_binary(arb_thrift_reader *reader, uint8_t type); /* lies in the reader's bytes */
/* True when the field is a struct, whose fields then follow. */
bool arb_thrift_struct(arb_thrift_reader *reader, uint8_t type);
/* Elements that follow, each of at least a byte, and their type. */
uint32_t arb_thrift_list(arb_thrift_reader *reader, uint8_t type, uint8_t *out_element_type);
/* A boolean in a list is a byte of its own. */
bool arb_thrift_list_bool(arb_thrift_reader *reader);
void arb_thrift_skip(arb_thrift_reader *reader, uint8_t type);
void arb_thrift_fail(arb_thrift_reader *reader);

#endif
