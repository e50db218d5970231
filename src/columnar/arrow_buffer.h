/* arrow_buffer.h: the memory that Arrow arrays consist of.
 *
 * An arb_arrow_memory is a counted block from wherever: our allocator, another library's array (C Data interface), a
 * message body. A buffer is a piece of such a block and holds one count of it. Blocks of our own start at a multiple of
 * 64 and have 64 zeroed bytes behind their end; pieces of a message body start at multiples of 8. Bytes are immutable
 * once a buffer is shared. */
#ifndef ARB_COLUMNAR_ARROW_BUFFER_H
#define ARB_COLUMNAR_ARROW_BUFFER_H

#include "base/compiler.h"
#include "base/error.h"

enum { ARB_ARROW_ALIGNMENT = 64 };

/* Base of each kind of block. Counting is safe from any thread. */
typedef struct arb_arrow_memory arb_arrow_memory;
struct arb_arrow_memory {
    _Atomic uint32_t references;
    void (*release)(arb_arrow_memory *memory); /* with the last count: frees the block and the struct itself */
};

/* One reference for its maker. */
void arb_arrow_memory_init(arb_arrow_memory *memory, void (*release)(arb_arrow_memory *));
arb_arrow_memory *arb_arrow_memory_ref(arb_arrow_memory *memory);
void arb_arrow_memory_unref(arb_arrow_memory *memory); /* NULL is a no-op */

/* Zeroed: empty. `data` is NULL only when size is 0. */
typedef struct arb_arrow_buffer {
    const uint8_t *data;
    size_t size;
    arb_arrow_memory *memory; /* one count; NULL for no bytes, and for constant ones */
} arb_arrow_buffer;

/* `size` bytes, uninitialised, to be written through *out_data before the buffer is shared. */
ARB_NODISCARD arb_code arb_arrow_buffer_create(size_t size, arb_arrow_buffer *out_buffer, uint8_t **out_data,
                                               arb_error *error);
/* Another count of a piece that lies within the buffer. */
arb_arrow_buffer arb_arrow_buffer_slice(const arb_arrow_buffer *buffer, size_t offset, size_t size);
ARB_INLINE arb_arrow_buffer arb_arrow_buffer_ref(const arb_arrow_buffer *buffer)
{
    return arb_arrow_buffer_slice(buffer, 0, buffer->size);
}
void arb_arrow_buffer_reset(arb_arrow_buffer *buffer); /* drops the count; the buffer is empty */

/* Bytes that grow, to become a buffer. Zeroed: empty. */
typedef struct arb_arrow_growing {
    uint8_t *data; /* 64-byte aligned */
    size_t size, capacity;
} arb_arrow_growing;

/* Room for `more` bytes behind `size`, which stays; fresh bytes are not initialised. */
ARB_NODISCARD arb_code arb_arrow_growing_reserve(arb_arrow_growing *growing, size_t more, arb_error *error);
ARB_NODISCARD arb_code arb_arrow_growing_append(arb_arrow_growing *growing, const void *data, size_t size,
                                                arb_error *error);
/* The bytes so far become a buffer; `growing` is empty, also on failure. */
ARB_NODISCARD arb_code arb_arrow_growing_finish(arb_arrow_growing *growing, arb_arrow_buffer *out_buffer,
                                                arb_error *error);
void arb_arrow_growing_reset(arb_arrow_growing *growing);

#endif
