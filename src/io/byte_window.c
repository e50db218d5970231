#include "io/byte_window.h"

enum { QUEUE_AHEAD_MOST = 8 << 20 }; /* bytes of all reads ahead of a queue */

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
        arb_queued_read_abandon(window->queue, window->read, arb_padded_buffer_release(&window->buffer));
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
    size_t size = arb_queued_read_size(window->read);
    bool was_there;
    arb_code code = arb_queued_read_finish(window->queue, window->read, &was_there, error);
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

/* How many bytes to ask for at once when they must be waited for: no more than `most` while memory is short, and none that
 * lie beyond `end`. */
static size_t far_bytes(const arb_byte_window *window, uint64_t offset, size_t most, uint64_t end)
{
    if (arb_held_is_short(window->buffer.held))
        return most;
    size_t far = ARB_MAX(ARB_MAX(window->source->read_far, window->source->read_ahead), most);
    return (size_t)ARB_MIN(ARB_MAX(end, offset + most) - offset, far);
}

/* Read behind what is there until the window has `most` bytes; where they must be waited for, and that is done in the
 * background, at once some more. */
static arb_code fill(arb_byte_window *window, size_t most, uint64_t end, arb_error *error)
{
    size_t had = window->size, got, far = far_bytes(window, window->offset, most, end);
    size_t wanted = window->waits ? far : most;
    ARB_TRY(arb_padded_buffer_grow(&window->buffer, wanted, had, error));
    ARB_TRY(arb_read_queue_try(window->queue, window->source, window->offset + had, window->buffer.data + had,
                               wanted - had, &got, error));
    window->size += got;
    window->bytes_read += got;
    window->waits = window->size != wanted;
    if (!window->waits)
        return ARB_OK;
    ARB_TRY(arb_padded_buffer_grow(&window->buffer, far, window->size, error));
    return arb_read_queue_add(window->queue, window->source, window->offset + window->size,
                              window->buffer.data + window->size, far - window->size, ARB_READ_WANTED, &window->read,
                              error);
}

/* Begin to read `size` bytes behind what is there. That this cannot be done now is no failure. */
static void begin_ahead(arb_byte_window *window, size_t size)
{
    if (size == 0 || window->queue->bytes_ahead + size > QUEUE_AHEAD_MOST)
        return;
    if (arb_padded_buffer_grow(&window->buffer, window->size + size, window->size, NULL) == ARB_OK &&
        arb_read_queue_add(window->queue, window->source, window->offset + window->size,
                           window->buffer.data + window->size, size, ARB_READ_AHEAD, &window->read, NULL) != ARB_OK)
        window->read = NULL;
}

/* Where bytes must be waited for, the next ones shall come while those from `offset` on are looked at. */
static void read_ahead(arb_byte_window *window, uint64_t offset, size_t least, uint64_t end)
{
    uint64_t there = window->offset + window->size;
    if (there >= end || there - offset >= least + window->source->read_ahead)
        return;
    slide(window, offset);
    begin_ahead(window, far_bytes(window, there, 0, end));
}

void arb_byte_window_expect(arb_byte_window *window, uint64_t offset, uint64_t end)
{
    bool is_there = offset >= window->offset && offset < window->offset + window->size;
    if (!window->waits || window->read != NULL || is_there || offset >= end)
        return;
    slide(window, offset);
    begin_ahead(window, far_bytes(window, offset, 0, end));
}

arb_code arb_byte_window_get(arb_byte_window *window, uint64_t offset, size_t least, size_t most, uint64_t end,
                             const uint8_t **out_data, arb_error *error)
{
    assert(least <= most);
    while (window->buffer.data == NULL || offset < window->offset || offset + least > window->offset + window->size) {
        uint64_t there = window->offset + window->size;
        if (window->read != NULL && (offset < window->offset || offset >= there + arb_queued_read_size(window->read))) {
            forget(window);
        } else if (window->read != NULL) {
            ARB_TRY(take_read(window, error));
        } else {
            slide(window, offset);
            ARB_TRY(fill(window, most, end, error));
        }
    }
    if (window->waits && window->read == NULL)
        read_ahead(window, offset, least, end);
    *out_data = window->buffer.data + (offset - window->offset);
    return ARB_OK;
}
