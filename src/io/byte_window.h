/* byte_window.h: a piece of a source that slides forward, and is filled without waiting.
 *
 *          offset            offset + size
 *     ─────┬───────────────────────┬───────────────┬─────
 *          │ bytes that are there  │ being read    │
 *     ─────┴───────────────────────┴───────────────┴─────
 *            ▲ asked for: [offset, offset + least)
 *
 * What is in front of the bytes asked for is forgotten. Where the system has the bytes at once, each piece is read when it
 * is asked for, and only then: so it is still in the processor's cache when it is looked at. Where bytes had to be waited
 * for, the next piece is read ahead, behind those that are there, while these are looked at. */
#ifndef ARB_IO_BYTE_WINDOW_H
#define ARB_IO_BYTE_WINDOW_H

#include "io/padded_buffer.h"
#include "io/read_queue.h"

typedef struct arb_byte_window {
    const arb_byte_source *source; /* outlives the window */
    arb_read_queue *queue;         /* likewise */
    arb_padded_buffer buffer;
    uint64_t offset;
    size_t size;
    arb_queued_read *read; /* of what comes behind, or NULL */
    bool waits;            /* the source's bytes are not there at once */
    uint64_t bytes_read;   /* in all */
} arb_byte_window;

/* Zeroed memory becomes a window over the source, whose reads go to the queue and whose memory is counted in `held`. */
void arb_byte_window_init(arb_byte_window *window, const arb_byte_source *source, arb_read_queue *queue,
                          arb_reservation *held);
/* What it holds is given back; it can be used again. */
void arb_byte_window_reset(arb_byte_window *window);

/* Where this source's bytes had to be waited for, those from `offset` to `end` had better come soon; else nothing. */
void arb_byte_window_expect(arb_byte_window *window, uint64_t offset, uint64_t end);
/* The bytes [offset, offset + least), valid until the next call; window->size tells how many more there are. Once something
 * has to be read, `most` bytes are, or more when they must be waited for, but none from `end` on. ARB_WOULD_WAIT: have the
 * queue carried out, then ask for the same again. Ranges lie within the source. */
ARB_NODISCARD arb_code arb_byte_window_get(arb_byte_window *window, uint64_t offset, size_t least, size_t most,
                                           uint64_t end, const uint8_t **out_data, arb_error *error);

#endif
