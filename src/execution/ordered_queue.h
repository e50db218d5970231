/* ordered_queue.h: batches that several drivers put in, taken out in the order of the rows' sources.
 *
 * The order is: feeder by feeder (the pipelines that end here, in the order in which they were named), within a feeder by
 * the batches' sequence where its source says up to where every split has gone down (its watermark), else as they come.
 * A batch may leave when nothing that is still on its way can come before it.
 *
 * A driver's error has its place in the order as a batch has: it counts when nothing can come before it any more. So the
 * rows before it are given, of several errors always the same, and none that stands behind the rows wanted.
 *
 * Batches are copied. Drivers wait while too much is queued, but never the one whose batch is next while nothing can
 * leave; so the order cannot deadlock. Who comes behind an error, or behind as many rows as are wanted, waits for the end.
 *
 * Thread: any; the queue's lock guards all of it. `changed` is called with the lock held whenever there may be something
 * to take or the end has come. */
#ifndef ARB_EXECUTION_ORDERED_QUEUE_H
#define ARB_EXECUTION_ORDERED_QUEUE_H

#include <pthread.h>

#include "base/vec.h"
#include "execution/operator.h"
#include "execution/owned_batch.h"

typedef struct arb_queue_feeder {
    arb_pipeline *pipeline;
    arb_operator *source;
    bool done;
} arb_queue_feeder;

typedef struct arb_queue_place {
    uint32_t feeder;
    uint64_t split;
} arb_queue_place;

typedef struct arb_queue_entry {
    arb_owned_batch *batch;
    uint32_t feeder;
    uint64_t arrival;
} arb_queue_entry;

typedef struct arb_ordered_queue {
    pthread_mutex_t lock;
    void (*changed)(void *owner);
    void *owner;
    ARB_VEC(arb_queue_feeder) feeders;
    ARB_VEC(arb_queue_entry) entries; /* a heap: the first in order stands first */
    ARB_VEC(arb_task *) waiting;
    uint64_t arrivals, queued_bytes, queued_rows;
    /* The next rows in order, which the reader does not want; set before the first batch, and counted down by the reader
     * when they come with others. */
    uint64_t rows_skipped;
    /* The next rows in order after which none are wanted; UINT64_MAX: all. Set before the first batch. */
    uint64_t rows_wanted;
    arb_queue_entry last; /* the last in order of those queued since it was last empty; its batch is not to be read */
    uint64_t last_sequence;
    arb_error error; /* the first in order of the drivers' errors; its place, without a batch */
    arb_queue_entry failure;
    uint64_t failure_sequence;
    arb_queue_place seen; /* the lowest place that may still give batches, when somebody last looked */
    bool complete;        /* all feeders are over */
    bool closed;          /* nobody takes any more: drivers are told that they are done */
} arb_ordered_queue;

/* Caller's memory. */
void arb_ordered_queue_init(arb_ordered_queue *queue, void (*changed)(void *owner), void *owner);
void arb_ordered_queue_reset(arb_ordered_queue *queue);
/* Before any pipeline starts. */
ARB_NODISCARD arb_code arb_ordered_queue_add_feeder(arb_ordered_queue *queue, arb_pipeline *pipeline,
                                                    arb_operator *source, arb_error *error);
/* A source's watermark may have moved. */
void arb_ordered_queue_source_moved(arb_ordered_queue *queue);
/* The driver has failed, at driver->sequence: the error is copied. */
void arb_ordered_queue_fail(arb_ordered_queue *queue, const arb_driver *driver, const arb_error *error);
/* The pipeline is over; with the last one the queue is complete. */
void arb_ordered_queue_feeder_done(arb_ordered_queue *queue, const arb_pipeline *pipeline);
/* Put in a copy of the batch's columns (`columns` NULL: all). *out_flow as a sink gives it. */
ARB_NODISCARD arb_code arb_ordered_queue_put(arb_ordered_queue *queue, const arb_driver *driver, const arb_batch *in,
                                             const uint32_t *columns, size_t column_count, arb_flow *out_flow,
                                             arb_error *error);
/* With the lock held: the next batch, which becomes the caller's, or NULL when none may leave yet, or when an error is
 * next: that is the result then, and the same each time. */
ARB_NODISCARD arb_code arb_ordered_queue_take(arb_ordered_queue *queue, arb_owned_batch **out_batch, arb_error *error);
/* With the lock held: drop everything, take no more, and let the feeders know. */
void arb_ordered_queue_close(arb_ordered_queue *queue);
/* With the lock held: let drivers that wait look again. */
void arb_ordered_queue_wake(arb_ordered_queue *queue);

#endif
