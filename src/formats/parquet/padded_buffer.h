/* padded_buffer.h: memory that decoders fill again and again, with ARB_CODEC_PADDING bytes behind what was asked for. */
#ifndef ARB_FORMATS_PARQUET_PADDED_BUFFER_H
#define ARB_FORMATS_PARQUET_PADDED_BUFFER_H

#include "base/error.h"

typedef struct arb_padded_buffer { /* zeroed: empty */
    uint8_t *data;                 /* aligned to 64 */
    size_t capacity;               /* without the padding */
} arb_padded_buffer;

/* Room for `size` bytes; what was in the buffer is lost when it grows. */
ARB_NODISCARD arb_code arb_padded_buffer_reserve(arb_padded_buffer *buffer, size_t size, arb_error *error);
/* The same, and the first `kept` bytes stay. Grows by doubling. */
ARB_NODISCARD arb_code arb_padded_buffer_grow(arb_padded_buffer *buffer, size_t size, size_t kept, arb_error *error);
void arb_padded_buffer_reset(arb_padded_buffer *buffer);

#endif
