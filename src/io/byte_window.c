#include "io/byte_window.h"

enum {
    AHEAD_MOST = 1 << 20,       /* of one read ahead */
    QUEUE_AHEAD_MOST = 8 << 20, /* of all reads ahead of a queue */
};

void arb_byte_window_init(arb_byte_window *window, const arb_byte_source *source, arb_read_queue *queue,
                          arb_reservation *held)
{
    *window = (arb_byte_window){.source = source, .queue = queue, .buffer = {.held = held}};
}

/* Nothing is there any more. A read that runs keeps the memory. */
static void forget(arb_byte_window *window)
{
    window->size = 0;
    if (window->read != NULL)
        arb_read_abandon(window->queue, window->read, arb_padded_buffer_release(&window->buffer));
    window->read = NULL;
}

void arb_byte_window_reset(arb_byte_window *window)
{
    forget(window);
    arb_padded_buffer_reset(&window->buffer);
}

/* The read behind the bytes that are there is over, or ARB_WOULD_WAIT. */
static arb_code take_read(arb_byte_window *window, arb_error *error)
{
    size_t size = arb_read_size(window->read);
    bool was_there;
    arb_code code = arb_read_finish(window->queue, window->read, &was_there, error);
    if (code == ARB_WOULD_WAIT)
        return code;
    window->read = NULL;
    if (code != ARB_OK)
        return code;
    window->waits = !was_there;
    window->size += size;
    window->bytes_read += size;
    return ARB_OK;
}

/* Forget what is in front of `offset`; nothing is being read. */
static void slide(arb_byte_window *window, uint64_t offset)
{
    size_t kept = offset >= window->offset && offset - window->offset < window->size
                      ? window->size - (size_t)(offset - window->offset)
                      : 0;
    if (kept != 0 && offset != window->offset)
        memmove(window->buffer.data, window->buffer.data + (offset - window->offset), kept);
    window->offset = offset;
    window->size = kept;
}

/* Read behind what is there until the window has `wanted` bytes, in the background where need be. */
static arb_code fill(arb_byte_window *window, size_t wanted, arb_error *error)
{
    size_t had = window->size, got;
    uint8_t *to;
    ARB_TRY(arb_padded_buffer_grow(&window->buffer, wanted, had, error));
    to = window->buffer.data + had;
    ARB_TRY(arb_read_queue_try(window->queue, window->source, window->offset + had, to, wanted - had, &got, error));
    window->size += got;
    window->bytes_read += got;
    window->waits = window->size != wanted;
    if (!window->waits)
        return ARB_OK;
    return arb_read_queue_add(window->queue, window->source, window->offset + window->size, to + got,
                              wanted - window->size, false, &window->read, error);
}

/* Where bytes must be waited for, the next ones shall come while those from `offset` on are looked at. That this cannot be
 * done now is no failure. */
static void read_ahead(arb_byte_window *window, uint64_t offset, size_t least, uint64_t end)
{
    uint64_t there = window->offset + window->size;
    size_t part = ARB_MAX(window->source->read_ahead, ARB_MIN(least, (size_t)AHEAD_MOST));
    if (there >= end || there - offset >= least + part / 2 || arb_held_is_short(window->buffer.held))
        return;
    part = (size_t)ARB_MIN(part, end - there);
    if (window->queue->bytes_ahead + part > QUEUE_AHEAD_MOST)
        return;
    slide(window, offset);
    if (arb_padded_buffer_grow(&window->buffer, window->size + part, window->size, NULL) == ARB_OK &&
        arb_read_queue_add(window->queue, window->source, there, window->buffer.data + window->size, part, true,
                           &window->read, NULL) != ARB_OK)
        window->read = NULL;
}

arb_code arb_byte_window_get(arb_byte_window *window, uint64_t offset, size_t least, size_t most, uint64_t end,
                             const uint8_t **out_data, arb_error *error)
{
    assert(least <= most);
    while (window->buffer.data == NULL || offset < window->offset || offset + least > window->offset + window->size) {
        uint64_t there = window->offset + window->size;
        if (window->read != NULL && (offset < window->offset || offset >= there + arb_read_size(window->read))) {
            forget(window);
        } else if (window->read != NULL) {
            ARB_TRY(take_read(window, error));
        } else {
            slide(window, offset);
            ARB_TRY(fill(window, most, error));
        }
    }
    if (window->waits && window->read == NULL)
        read_ahead(window, offset, least, end);
    *out_data = window->buffer.data + (offset - window->offset);
    return ARB_OK;
}
