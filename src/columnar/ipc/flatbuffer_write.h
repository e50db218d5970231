/* flatbuffer_write.h: FlatBuffers, written from front to back.
 *
 * A table is written first, with holes for what it refers to; each hole is filled when its object is written behind it.
 *
 *     arb_flat_writer writer = {0};
 *     arb_flat_slot slots[] = {{.field = 0, .size = 8, .value = 7}, {.field = 1, .size = ARB_FLAT_HOLE}};
 *     arb_flat_write_root(&writer, slots, 2);
 *     arb_flat_write_string(&writer, slots[1].at, text);
 *     … writer.bytes …
 *     arb_text_reset(&writer.bytes);
 *
 * Running out of memory is kept in `bytes` (arb_text_check). Fields with their default value need no slot. */
#ifndef ARB_COLUMNAR_IPC_FLATBUFFER_WRITE_H
#define ARB_COLUMNAR_IPC_FLATBUFFER_WRITE_H

#include "base/text.h"

enum { ARB_FLAT_HOLE = 0 };

typedef struct arb_flat_writer {
    arb_text bytes;
} arb_flat_writer;

typedef struct arb_flat_slot {
    uint16_t field;
    uint8_t size;  /* 1, 2, 4, 8; or ARB_FLAT_HOLE: an offset to an object that follows */
    int64_t value; /* unless it is a hole */
    size_t at;     /* out: the hole's place */
} arb_flat_slot;

/* The root table; call first. */
void arb_flat_write_root(arb_flat_writer *writer, arb_flat_slot *slots, size_t count);
/* A table for the hole at `hole`. */
void arb_flat_write_table(arb_flat_writer *writer, size_t hole, arb_flat_slot *slots, size_t count);
void arb_flat_write_string(arb_flat_writer *writer, size_t hole, arb_str text);
/* `count` elements of `element_size` bytes that need an alignment of `alignment`. */
void arb_flat_write_vector(arb_flat_writer *writer, size_t hole, const void *elements, size_t count,
                           size_t element_size, size_t alignment);
/* A vector of `count` holes: the first one's place; the others follow at a distance of 4. */
size_t arb_flat_write_holes(arb_flat_writer *writer, size_t hole, size_t count);

#endif
