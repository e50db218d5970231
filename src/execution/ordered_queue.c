#include "execution/ordered_queue.h"

#include "base/alloc.h"
#include "execution/pipeline.h"

enum { queued_bytes_most = 16 << 20 };

void arb_ordered_queue_init(arb_ordered_queue *queue, void (*changed)(void *owner), void *owner)
{
    *queue = (arb_ordered_queue){.changed = changed, .owner = owner, .rows_wanted = UINT64_MAX};
    pthread_mutex_init(&queue->lock, NULL);
}

static void drop_entries(arb_ordered_queue *queue)
{
    for (size_t i = 0; i < queue->entries.size; i++)
        arb_owned_batch_destroy(queue->entries.data[i].batch);
    queue->entries.size = 0;
    queue->queued_bytes = queue->queued_rows = 0;
}

void arb_ordered_queue_reset(arb_ordered_queue *queue)
{
    drop_entries(queue);
    ARB_VEC_RESET(&queue->entries);
    ARB_VEC_RESET(&queue->feeders);
    ARB_VEC_RESET(&queue->waiting);
    pthread_mutex_destroy(&queue->lock);
}

arb_code arb_ordered_queue_add_feeder(arb_ordered_queue *queue, arb_pipeline *pipeline, arb_operator *source,
                                      arb_error *error)
{
    arb_queue_feeder feeder = {.pipeline = pipeline, .source = source};
    return ARB_VEC_PUSH(&queue->feeders, feeder) ? ARB_OK : arb_fail_memory(error, "a queue", sizeof feeder);
}

void arb_ordered_queue_wake(arb_ordered_queue *queue)
{
    for (size_t i = 0; i < queue->waiting.size; i++)
        arb_task_wake(queue->waiting.data[i]);
    queue->waiting.size = 0;
}

void arb_ordered_queue_close(arb_ordered_queue *queue)
{
    queue->closed = true;
    for (size_t i = 0; i < queue->feeders.size; i++)
        atomic_store(&queue->feeders.data[i].pipeline->satisfied, true);
    drop_entries(queue);
    queue->error = (arb_error){0};
    arb_ordered_queue_wake(queue);
}

void arb_ordered_queue_feeder_done(arb_ordered_queue *queue, const arb_pipeline *pipeline)
{
    pthread_mutex_lock(&queue->lock);
    bool all = true;
    for (size_t i = 0; i < queue->feeders.size; i++) {
        arb_queue_feeder *feeder = &queue->feeders.data[i];
        feeder->done |= feeder->pipeline == pipeline;
        all &= feeder->done;
    }
    queue->complete = all;
    arb_ordered_queue_wake(queue);
    queue->changed(queue->owner);
    pthread_mutex_unlock(&queue->lock);
}

/* ---- the heap ----------------------------------------------------------------------------------------------------------- */

static bool comes_before(const arb_queue_entry *a, uint64_t a_sequence, const arb_queue_entry *b, uint64_t b_sequence)
{
    if (a->feeder != b->feeder)
        return a->feeder < b->feeder;
    return a_sequence != b_sequence ? a_sequence < b_sequence : a->arrival < b->arrival;
}

static bool entry_before(const arb_queue_entry *a, const arb_queue_entry *b)
{
    return comes_before(a, a->batch->batch.sequence, b, b->batch->batch.sequence);
}

static bool push_entry(arb_ordered_queue *queue, arb_queue_entry entry)
{
    if (!ARB_VEC_PUSH(&queue->entries, entry))
        return false;
    arb_queue_entry *heap = queue->entries.data;
    size_t at = queue->entries.size - 1;
    for (; at > 0 && entry_before(&entry, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = entry;
    return true;
}

static arb_queue_entry pop_entry(arb_ordered_queue *queue)
{
    arb_queue_entry *heap = queue->entries.data, first = heap[0], moved = heap[--queue->entries.size];
    size_t at = 0, size = queue->entries.size;
    for (size_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && entry_before(&heap[child + 1], &heap[child]))
            child++;
        if (!entry_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
    }
    if (size != 0)
        heap[at] = moved;
    return first;
}

/* ---- the order ---------------------------------------------------------------------------------------------------------- */

/* The lowest place from which batches may still come: a feeder, and a split of it. */
static arb_queue_place lowest_place(const arb_ordered_queue *queue)
{
    arb_queue_place place = {.split = UINT64_MAX};
    while (place.feeder < queue->feeders.size && queue->feeders.data[place.feeder].done)
        place.feeder++;
    if (place.feeder == queue->feeders.size)
        return place;
    arb_operator *source = queue->feeders.data[place.feeder].source;
    if (source->vtable->source_watermark != NULL)
        place.split = source->vtable->source_watermark(source) >> 32;
    return place;
}

/* May a batch leave: is no feeder before its own, and no split before its? */
static bool may_leave(arb_queue_place lowest, uint32_t feeder, uint64_t sequence)
{
    return feeder < lowest.feeder || (feeder == lowest.feeder && sequence >> 32 <= lowest.split);
}

static bool head_may_leave(const arb_ordered_queue *queue, arb_queue_place lowest)
{
    if (queue->entries.size == 0)
        return false;
    const arb_queue_entry *head = &queue->entries.data[0];
    return may_leave(lowest, head->feeder, head->batch->batch.sequence);
}

/* Sources do not say when their watermark moves. Whoever comes here and sees that it did tells those who wait. */
static arb_queue_place look_around(arb_ordered_queue *queue)
{
    arb_queue_place lowest = lowest_place(queue);
    if (lowest.feeder != queue->seen.feeder || lowest.split != queue->seen.split) {
        queue->seen = lowest;
        arb_ordered_queue_wake(queue);
        queue->changed(queue->owner);
    }
    return lowest;
}

void arb_ordered_queue_source_moved(arb_ordered_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    look_around(queue);
    pthread_mutex_unlock(&queue->lock);
}

static uint32_t feeder_of(const arb_ordered_queue *queue, const arb_driver *driver)
{
    uint32_t at = 0;
    while (queue->feeders.data[at].pipeline != driver->pipeline)
        at++;
    return at;
}

/* The sequence that counts for the feeder: without a watermark, batches are in order as they come. */
static uint64_t sequence_in(const arb_ordered_queue *queue, uint32_t feeder, uint64_t sequence)
{
    return queue->feeders.data[feeder].source->vtable->source_watermark != NULL ? sequence : 0;
}

/* Is the place behind the first error? */
static bool is_behind_error(const arb_ordered_queue *queue, const arb_queue_entry *entry, uint64_t sequence)
{
    return queue->error.code != ARB_OK && comes_before(&queue->failure, queue->failure_sequence, entry, sequence);
}

void arb_ordered_queue_fail(arb_ordered_queue *queue, const arb_driver *driver, const arb_error *error)
{
    arb_queue_entry place = {.feeder = feeder_of(queue, driver)};
    uint64_t sequence = sequence_in(queue, place.feeder, driver->sequence);
    pthread_mutex_lock(&queue->lock);
    place.arrival = queue->arrivals++;
    if (!queue->closed && !is_behind_error(queue, &place, sequence)) {
        queue->error = *error;
        queue->failure = place;
        queue->failure_sequence = sequence;
        queue->changed(queue->owner);
    }
    pthread_mutex_unlock(&queue->lock);
}

/* Is there an error in front of this place, or are the rows wanted all there? Then nothing will be needed of its driver any
 * more, as drivers go through their sources forwards: it waits for the end. */
static bool is_unneeded(const arb_ordered_queue *queue, const arb_queue_entry *entry, uint64_t sequence)
{
    if (is_behind_error(queue, entry, sequence))
        return true;
    return queue->queued_rows >= queue->rows_wanted && queue->entries.size != 0 &&
           comes_before(&queue->last, queue->last_sequence, entry, sequence);
}

static bool is_full(const arb_ordered_queue *queue, const arb_queue_entry *entry, uint64_t sequence,
                    arb_queue_place lowest)
{
    return queue->queued_bytes > queued_bytes_most &&
           (!may_leave(lowest, entry->feeder, sequence) || head_may_leave(queue, lowest));
}

static void count_taken(arb_ordered_queue *queue, uint64_t rows)
{
    if (queue->rows_wanted != UINT64_MAX)
        queue->rows_wanted -= ARB_MIN(queue->rows_wanted, rows);
}

/* The batch that is next in order need not be copied when all of its rows are passed over. */
static bool skip_whole(arb_ordered_queue *queue, const arb_queue_entry *entry, uint64_t sequence,
                       arb_queue_place lowest, uint64_t rows)
{
    if (queue->rows_skipped < rows || !may_leave(lowest, entry->feeder, sequence))
        return false;
    const arb_queue_entry *head = queue->entries.data;
    if (queue->entries.size != 0 && !comes_before(entry, sequence, head, head->batch->batch.sequence))
        return false;
    queue->rows_skipped -= rows;
    count_taken(queue, rows);
    return true;
}

arb_code arb_ordered_queue_put(arb_ordered_queue *queue, const arb_driver *driver, const arb_batch *in,
                               const uint32_t *columns, size_t column_count, arb_flow *out_flow, arb_error *error)
{
    arb_queue_entry entry = {.feeder = feeder_of(queue, driver), .arrival = UINT64_MAX};
    uint64_t sequence = sequence_in(queue, entry.feeder, in->sequence);
    *out_flow = ARB_FLOW_NEED_INPUT;
    pthread_mutex_lock(&queue->lock);
    arb_queue_place lowest = look_around(queue);
    bool closed = queue->closed;
    bool skipped = !closed && skip_whole(queue, &entry, sequence, lowest, in->selected);
    bool waits =
        !closed && !skipped && (is_unneeded(queue, &entry, sequence) || is_full(queue, &entry, sequence, lowest));
    bool noted = !waits || ARB_VEC_PUSH(&queue->waiting, driver->task);
    pthread_mutex_unlock(&queue->lock);
    if (!noted)
        return arb_fail_memory(error, "a queue", sizeof(arb_task *));
    if (closed || waits || skipped) {
        *out_flow = closed ? ARB_FLOW_DONE : waits ? ARB_FLOW_BLOCKED : ARB_FLOW_NEED_INPUT;
        return ARB_OK;
    }
    ARB_TRY(arb_owned_batch_create(in, columns, column_count, &entry.batch, error));
    entry.batch->batch.sequence = sequence;
    pthread_mutex_lock(&queue->lock);
    entry.arrival = queue->arrivals++;
    bool kept = !queue->closed && push_entry(queue, entry);
    if (kept) {
        queue->queued_bytes += arb_owned_batch_bytes(entry.batch);
        queue->queued_rows += entry.batch->batch.rows;
        if (queue->entries.size == 1 || comes_before(&queue->last, queue->last_sequence, &entry, sequence)) {
            queue->last = entry;
            queue->last_sequence = sequence;
        }
        queue->changed(queue->owner);
    }
    closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    if (kept)
        return ARB_OK;
    arb_owned_batch_destroy(entry.batch);
    *out_flow = ARB_FLOW_DONE;
    return closed ? ARB_OK : arb_fail_memory(error, "a queue", sizeof entry);
}

/* Is the first error next: nothing that is here or on its way comes before it? */
static bool error_is_next(const arb_ordered_queue *queue, arb_queue_place lowest)
{
    if (queue->error.code == ARB_OK || !may_leave(lowest, queue->failure.feeder, queue->failure_sequence))
        return false;
    const arb_queue_entry *head = queue->entries.data;
    return queue->entries.size == 0 || is_behind_error(queue, head, head->batch->batch.sequence);
}

arb_code arb_ordered_queue_take(arb_ordered_queue *queue, arb_owned_batch **out_batch, arb_error *error)
{
    arb_queue_place lowest = lowest_place(queue);
    *out_batch = NULL;
    if (error_is_next(queue, lowest)) {
        if (error != NULL)
            *error = queue->error;
        return queue->error.code;
    }
    if (!head_may_leave(queue, lowest))
        return ARB_OK;
    arb_owned_batch *batch = pop_entry(queue).batch;
    queue->queued_bytes -= arb_owned_batch_bytes(batch);
    queue->queued_rows -= batch->batch.rows;
    count_taken(queue, batch->batch.rows);
    arb_ordered_queue_wake(queue);
    *out_batch = batch;
    return ARB_OK;
}
