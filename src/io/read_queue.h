/* read_queue.h: the reads that a reader of a file wants done, so that it need not wait for them itself.
 *
 * A reader stays passive. When bytes are not there at once it notes a read in its queue and says ARB_WOULD_WAIT. Whoever
 * drives it hands the queue's reads to the I/O pool, or carries them out where waiting does no harm, and calls the reader
 * again. A read writes into memory of the reader, which must not touch it before the read is over. Reads ahead are noted
 * without waiting for them.
 *
 * A reader that goes while a read runs leaves that memory to the read, which frees it when it is over.
 *
 * A queue and its reads belong to one thread at a time; only the reading itself happens on another. */
#ifndef ARB_IO_READ_QUEUE_H
#define ARB_IO_READ_QUEUE_H

#include "io/byte_source.h"
#include "runtime/io_pool.h"

typedef struct arb_queued_read arb_queued_read;

/* Zeroed: empty. */
typedef struct arb_read_queue {
    arb_queued_read *first, *last; /* noted, not handed over yet */
    size_t bytes_ahead;            /* of reads ahead that have not been finished */
    bool always_wait;              /* tests: no byte is there at once */
} arb_read_queue;

/* ---- for readers ------------------------------------------------------------------------------------------------- */

/* What can be had at once of the `size` bytes from `offset`. */
ARB_NODISCARD arb_code arb_read_queue_try(const arb_read_queue *queue, const arb_byte_source *source, uint64_t offset,
                                          void *to, size_t size, size_t *out_got, arb_error *error);
/* What kind of read it is. */
typedef enum arb_read_kind {
    ARB_READ_WANTED, /* somebody waits for it */
    ARB_READ_AHEAD,  /* nobody does yet */
    ARB_READ_PIECE,  /* one of many small ones that lie close together: what is behind will be asked for soon */
} arb_read_kind;

/* Note a read of exactly `size` bytes. The caller finishes or abandons it. */
ARB_NODISCARD arb_code arb_read_queue_add(arb_read_queue *queue, const arb_byte_source *source, uint64_t offset,
                                          void *to, size_t size, arb_read_kind kind, arb_queued_read **out_read,
                                          arb_error *error);
size_t arb_queued_read_size(const arb_queued_read *read);
/* ARB_WOULD_WAIT as long as it is not over; else its outcome, and it is gone. *out_was_there, unless NULL: all bytes could be
 * had at once after all. */
ARB_NODISCARD arb_code arb_queued_read_finish(arb_read_queue *queue, arb_queued_read *read, bool *out_was_there,
                                              arb_error *error);
/* It is not wanted any more. `memory` is what it may write to; freed by arb_free when it cannot any more. */
void arb_queued_read_abandon(arb_read_queue *queue, arb_queued_read *read, void *memory);

/* ---- for those who drive them ------------------------------------------------------------------------------------ */

/* Hand over what was noted. On failure the rest stays noted. */
ARB_NODISCARD arb_code arb_read_queue_submit(arb_read_queue *queue, arb_io_waiter *waiter, arb_error *error);
/* Carry it out on this thread. */
void arb_read_queue_run(arb_read_queue *queue);

#endif
