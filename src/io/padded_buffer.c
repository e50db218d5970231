#include "io/padded_buffer.h"

#include "base/alloc.h"
#include "io/codec.h"

arb_code arb_padded_buffer_grow(arb_padded_buffer *buffer, size_t size, size_t kept, arb_error *error)
{
    if (size <= buffer->capacity && buffer->data != NULL)
        return ARB_OK;
    size_t capacity = arb_round_up(ARB_MAX(size, kept == 0 ? 0 : buffer->capacity * 2) + ARB_CODEC_PADDING, 4096);
    if (kept == 0)
        arb_padded_buffer_reset(buffer);
    ARB_TRY(arb_held_take(buffer->held, capacity, error));
    uint8_t *data = arb_alloc_aligned(capacity, 64);
    if (data == NULL) {
        arb_held_give(buffer->held, capacity);
        return arb_fail_memory(error, "a file's reader", capacity);
    }
    if (kept != 0)
        memcpy(data, buffer->data, kept);
    memset(data + kept, 0, ARB_CODEC_PADDING); /* an empty page is read up to its padding, too */
    arb_padded_buffer_reset(buffer);
    buffer->data = data;
    buffer->capacity = capacity - ARB_CODEC_PADDING;
    return ARB_OK;
}

arb_code arb_padded_buffer_reserve(arb_padded_buffer *buffer, size_t size, arb_error *error)
{
    return arb_padded_buffer_grow(buffer, size, 0, error);
}

void *arb_padded_buffer_release(arb_padded_buffer *buffer)
{
    void *data = buffer->data;
    if (data != NULL)
        arb_held_give(buffer->held, buffer->capacity + ARB_CODEC_PADDING);
    buffer->data = NULL;
    buffer->capacity = 0;
    return data;
}

void arb_padded_buffer_reset(arb_padded_buffer *buffer)
{
    arb_free(arb_padded_buffer_release(buffer));
}
