/* operator.h: the contract between the parts of a pipeline.
 *
 * A pipeline is a source, some transforms and a sink. Several drivers (tasks on the CPU pool) run it at once; each has a
 * local state in every operator, and all share the operator's own (global) state. Batches are lent: what a source or a
 * transform gives is valid until it is called again by the same driver.
 *
 *   source     pull     the next batch, or the end
 *   transform  push     one batch in, zero or more out: HAVE_OUTPUT asks to be called again with the same batch
 *   sink       sink     takes a batch
 *              combine  a driver has seen its last batch: merge its local state into the operator's
 *              finish   all drivers have combined; with finish_parts > 0 the parts run in parallel before it
 *
 * One object may be sink of one pipeline and source of a later one (a sort, an aggregation), sink of one and transform of
 * another (a hash join's build and probe), or sink and source of two that run at once (a limit). Whoever returns BLOCKED
 * keeps `driver->task` and wakes it later. Errors and cancellation end the driver, which stops calling, and sooner or later
 * the query; states are destroyed.
 *
 * Operators that hold rows of their own give them back in `release`, when no pipeline will read them any more. Those that
 * can spill call arb_operator_may_spill when they are created; their reservations then name the operator's share.
 *
 * Filters and other transforms may leave rows unselected; every operator honours batch->selection. */
#ifndef ARB_EXECUTION_OPERATOR_H
#define ARB_EXECUTION_OPERATOR_H

#include "base/stop.h"
#include "columnar/vector.h"
#include "execution/task_work.h"
#include "io/spill_file.h"
#include "runtime/cpu_pool.h"
#include "runtime/io_pool.h"
#include "runtime/memory.h"

typedef enum arb_flow {
    ARB_FLOW_NEED_INPUT, /* source: not used. transform: done with the batch, *out may hold one last output. sink: taken */
    ARB_FLOW_HAVE_OUTPUT, /* source, transform: *out holds a batch or NULL; call again (transform: with the same input) */
    ARB_FLOW_BLOCKED,     /* wait for the waker, then call again with the same arguments */
    ARB_FLOW_DONE,        /* source: no more batches. transform, sink: wants no more input (a LIMIT is reached) */
} arb_flow;

/* What all operators of one running query share. Outlives them. */
struct arb_query_context {
    arb_cpu_pool *pool;
    arb_task_group *group;
    arb_io_group *io; /* NULL: drivers read files themselves, and wait */
    arb_memory *memory;
    const char *spill_folder;
    _Atomic bool cancelled;
    unsigned drivers;          /* most drivers of a pipeline */
    uint32_t batch_rows;       /* most rows of a batch: ARB_VECTOR_ROWS, less in tests */
    uint64_t guarantee;        /* of each operator that can spill */
    uint64_t ceiling;          /* beyond it such an operator spills, however much memory is free: small in tests */
    bool always_wait;          /* tests: no byte of a file is there at once */
    const arb_task_work *work; /* of a task of a stage; NULL: a whole query */
};

typedef struct arb_operator arb_operator;
typedef struct arb_pipeline arb_pipeline;

typedef struct arb_driver {
    arb_query_context *context;
    const arb_pipeline *pipeline;
    arb_stop_flag *satisfied; /* nobody wants more of its pipeline's rows */
    arb_task *task;           /* to wake */
    uint32_t number;          /* among the pipeline's drivers */
    uint64_t sequence;        /* of its source's last batch, or of the next where the source has begun another part */
} arb_driver;

/* Unused slots are NULL. `local` is what the role's create function made. */
typedef struct arb_operator_vtable {
    const char *name;
    void (*destroy)(arb_operator *op);

    arb_code (*source_create)(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
    arb_code (*pull)(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error);
    void (*source_destroy)(arb_operator *op, void *local);
    /* Most drivers worth starting; known once the pipeline may start. NULL: one. */
    uint32_t (*source_parallelism)(arb_operator *op);
    /* Batches with a smaller sequence number have all been pushed down the pipeline. NULL: there is no order. A
     * source with one says in driver->sequence when it begins another part. */
    uint64_t (*source_watermark)(arb_operator *op);

    arb_code (*transform_create)(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
    arb_code (*push)(arb_operator *op, void *local, const arb_batch *in, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error);
    /* The driver has no more input: what the transform still holds. As push, without input; NULL: nothing. */
    arb_code (*flush)(arb_operator *op, void *local, const arb_batch **out, arb_flow *out_flow, arb_error *error);
    void (*transform_destroy)(arb_operator *op, void *local);

    arb_code (*sink_create)(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error);
    arb_code (*sink)(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error);
    arb_code (*combine)(arb_operator *op, void *local, arb_error *error);
    void (*sink_destroy)(arb_operator *op, void *local);
    uint32_t (*finish_parts)(arb_operator *op);
    arb_code (*finish_part)(arb_operator *op, uint32_t part, arb_error *error);
    arb_code (*finish)(arb_operator *op, arb_error *error);
    /* For sinks that keep the order of what feeds them: a pipeline that ends here and its source, all of them named in
     * order before any starts; that one is over; a source's watermark may have moved; and a driver has failed, whose error
     * counts once what comes before it has been read, if somebody gets there. In others an error ends the query at once. */
    arb_code (*add_feeder)(arb_operator *op, arb_pipeline *pipeline, arb_operator *source, arb_error *error);
    void (*feeder_done)(arb_operator *op, const arb_pipeline *pipeline);
    void (*source_moved)(arb_operator *op);
    void (*failed)(arb_operator *op, const arb_driver *driver, const arb_error *error);

    /* The query ends early: let drivers that are BLOCKED here go on. Any thread, any number of times. */
    void (*abort)(arb_operator *op);
    /* The last pipeline that has it as source or transform is over. NULL: it holds nothing worth the while. */
    void (*release)(arb_operator *op);
} arb_operator_vtable;

/* First member of each operator's struct. */
struct arb_operator {
    const arb_operator_vtable *vtable;
    const arb_physical_node *node; /* borrowed from the plan; NULL for the result sink */
    arb_query_context *context;
    uint32_t users;                                  /* pipelines that still read or pass it; the query's lock */
    arb_memory_share share;                          /* what it holds; zeroed in operators that cannot spill */
    arb_spill_file spill;                            /* what it has spilled; likewise */
    _Atomic uint64_t rows_out, time_ns, batches_out; /* for EXPLAIN ANALYZE */
};

/* Give the operator its share and a file to spill to, which is not opened before it is needed. */
ARB_INLINE void arb_operator_may_spill(arb_operator *op)
{
    const arb_query_context *context = op->context;
    arb_memory_share_init(&op->share, context->memory, context->guarantee, context->ceiling);
    arb_spill_file_init(&op->spill, context->spill_folder);
    op->spill.stop = &context->cancelled;
}
/* For `destroy`, after all reservations are reset; harmless without the other. */
ARB_INLINE void arb_operator_spill_reset(arb_operator *op)
{
    arb_memory_share_reset(&op->share);
    arb_spill_file_reset(&op->spill);
}

#endif
