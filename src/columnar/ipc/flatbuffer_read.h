/* flatbuffer_read.h: a reader of FlatBuffers that believes nothing.
 *
 * A FlatBuffer is bytes with offsets in them. A table begins with the (signed) distance back to its vtable; the vtable
 * has its own size, the table's size, and for each field, by number, the place within the table (0 = not there). Vectors
 * and strings begin with a count. Everything but the vtable lies ahead of what refers to it.
 *
 *     arb_flat_reader reader = {data, size};
 *     arb_flat_table message = arb_flat_root(&reader);
 *     int64_t length = arb_flat_i64(&message, 3, 0);
 *     …
 *     ARB_TRY(arb_flat_check(&reader, "a message", error));
 *
 * Every access is checked against the bytes. The first one that is out of bounds sets `failed`; from then on all give
 * defaults and empty vectors, so that a parser reads straight on and checks once at the end. An object may be referred
 * to from many places, so parsers that walk trees must bound how much they walk. */
#ifndef ARB_COLUMNAR_IPC_FLATBUFFER_READ_H
#define ARB_COLUMNAR_IPC_FLATBUFFER_READ_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_flat_reader {
    const uint8_t *data; /* borrowed */
    size_t size;         /* at most 2^31 - 1 are looked at */
    bool failed;
} arb_flat_reader;

/* All zero: a table without fields, as one that is absent. */
typedef struct arb_flat_table {
    arb_flat_reader *reader;
    uint32_t at, size;           /* the table's own bytes */
    uint32_t vtable, slot_count; /* of 16-bit places */
} arb_flat_table;

typedef struct arb_flat_vector {
    arb_flat_reader *reader;
    uint32_t at; /* of the first element */
    uint32_t count, element_size;
} arb_flat_vector;

arb_flat_table arb_flat_root(arb_flat_reader *reader);
/* ARB_CORRUPT_DATA when something was out of bounds. */
ARB_NODISCARD arb_code arb_flat_check(const arb_flat_reader *reader, const char *what, arb_error *error);

/* Fields of a table, by number. */
bool arb_flat_has(const arb_flat_table *table, unsigned field);
uint8_t arb_flat_u8(const arb_flat_table *table, unsigned field, uint8_t otherwise);
int16_t arb_flat_i16(const arb_flat_table *table, unsigned field, int16_t otherwise);
int32_t arb_flat_i32(const arb_flat_table *table, unsigned field, int32_t otherwise);
int64_t arb_flat_i64(const arb_flat_table *table, unsigned field, int64_t otherwise);
arb_flat_table arb_flat_child(const arb_flat_table *table, unsigned field);
/* Bytes that need not be text; {NULL, 0} when absent. */
arb_str arb_flat_string(const arb_flat_table *table, unsigned field);
/* Elements that lie in the vector itself and have `element_size` bytes. */
arb_flat_vector arb_flat_scalars(const arb_flat_table *table, unsigned field, uint32_t element_size);
arb_flat_vector arb_flat_tables(const arb_flat_table *table, unsigned field);

/* `index` is less than the vector's count. */
arb_flat_table arb_flat_table_at(const arb_flat_vector *vector, uint32_t index);
const uint8_t *arb_flat_element(const arb_flat_vector *vector, uint32_t index);

#endif
