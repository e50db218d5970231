#include "io/read_queue.h"

#include "base/alloc.h"

enum { PIECES_EXPECTED = 64 << 10 }; /* bytes */

struct arb_queued_read {
    arb_io_request request;
    arb_queued_read *next; /* in the queue */
    bool is_noted;
    arb_read_kind kind;
    arb_byte_source *source; /* shared: it stays open for a read that nobody wants any more */
    uint64_t offset;
    size_t size;
    void *to;
    void *memory; /* abandoned: to be freed with it */
    bool was_there;
    arb_code code;
    arb_error error;
};

arb_code arb_read_queue_try(const arb_read_queue *queue, const arb_byte_source *source, uint64_t offset, void *to,
                            size_t size, size_t *out_got, arb_error *error)
{
    *out_got = 0;
    return queue->always_wait ? ARB_OK : arb_byte_source_try_read(source, offset, to, size, out_got, error);
}

static void read_free(arb_queued_read *read)
{
    arb_byte_source_destroy(read->source);
    arb_free(read);
}

static void drop(arb_io_request *request)
{
    arb_queued_read *read = ARB_CONTAINER_OF(request, arb_queued_read, request);
    arb_free(read->memory);
    read_free(read);
}

static void run(arb_io_request *request)
{
    arb_queued_read *read = ARB_CONTAINER_OF(request, arb_queued_read, request);
    size_t got = 0;
    /* Nobody tried before reading ahead. */
    if (read->kind == ARB_READ_AHEAD)
        read->code = arb_byte_source_try_read(read->source, read->offset, read->to, read->size, &got, &read->error);
    read->was_there = got == read->size;
    if (read->kind == ARB_READ_PIECE)
        arb_byte_source_expect(read->source, read->offset, PIECES_EXPECTED);
    if (read->code == ARB_OK && !read->was_there)
        read->code = arb_byte_source_read(read->source, read->offset + got, (char *)read->to + got, read->size - got,
                                          &read->error);
}

arb_code arb_read_queue_add(arb_read_queue *queue, const arb_byte_source *source, uint64_t offset, void *to,
                            size_t size, arb_read_kind kind, arb_queued_read **out_read, arb_error *error)
{
    *out_read = NULL;
    arb_queued_read *read = arb_alloc_zeroed(sizeof *read);
    if (read == NULL)
        return arb_fail_memory(error, "a read", sizeof *read);
    *read = (arb_queued_read){.request = {.run = run, .drop = drop},
                              .is_noted = true,
                              .kind = kind,
                              .source = arb_byte_source_share(source),
                              .offset = offset,
                              .size = size,
                              .to = to};
    if (queue->first == NULL)
        queue->first = read;
    else
        queue->last->next = read;
    queue->last = read;
    if (kind == ARB_READ_AHEAD)
        queue->bytes_ahead += size;
    *out_read = read;
    return ARB_OK;
}

size_t arb_queued_read_size(const arb_queued_read *read)
{
    return read->size;
}

static void leave_queue(arb_read_queue *queue, arb_queued_read *read)
{
    if (read->kind == ARB_READ_AHEAD)
        queue->bytes_ahead -= read->size;
    if (!read->is_noted)
        return;
    arb_queued_read *before = NULL;
    for (arb_queued_read *at = queue->first; at != read; at = at->next)
        before = at;
    if (before == NULL)
        queue->first = read->next;
    else
        before->next = read->next;
    if (queue->last == read)
        queue->last = before;
}

arb_code arb_queued_read_finish(arb_read_queue *queue, arb_queued_read *read, bool *out_was_there, arb_error *error)
{
    if (read->is_noted || !arb_io_is_over(&read->request))
        return ARB_WOULD_WAIT;
    arb_code code = read->code;
    if (out_was_there != NULL)
        *out_was_there = read->was_there;
    if (code != ARB_OK && error != NULL)
        *error = read->error;
    leave_queue(queue, read);
    read_free(read);
    return code;
}

void arb_queued_read_abandon(arb_read_queue *queue, arb_queued_read *read, void *memory)
{
    leave_queue(queue, read);
    read->memory = memory;
    arb_io_abandon(&read->request);
}

/* The first of the queue, which is noted no more. */
static arb_queued_read *take_first(arb_read_queue *queue)
{
    arb_queued_read *read = queue->first;
    queue->first = read->next;
    if (queue->first == NULL)
        queue->last = NULL;
    read->next = NULL;
    read->is_noted = false;
    return read;
}

arb_code arb_read_queue_submit(arb_read_queue *queue, arb_io_waiter *waiter, arb_error *error)
{
    while (queue->first != NULL) {
        ARB_TRY(arb_io_submit(&queue->first->request, waiter, error));
        (void)take_first(queue);
    }
    return ARB_OK;
}

void arb_read_queue_run(arb_read_queue *queue)
{
    while (queue->first != NULL)
        arb_io_run(&take_first(queue)->request);
}
