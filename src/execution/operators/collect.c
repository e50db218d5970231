/* collect.c: a shared subplan's rows, kept in memory and read by whoever names it.
 *
 * The sink copies batches into lists, one a driver; finishing joins them. A SHARED scan hands the batches out, each to one
 * of its drivers, with the columns that it wants. */
#include "base/alloc.h"
#include "base/vec.h"
#include "execution/operators/operators.h"
#include "execution/owned_batch.h"

#include <pthread.h>

typedef struct collect_operator {
    arb_operator base;
    pthread_mutex_t lock;
    ARB_VEC(arb_owned_batch *) batches;
    arb_reservation reservation; /* the lock */
} collect_operator;

static arb_code collect_sink(arb_operator *op, void *local, const arb_batch *in, arb_flow *out_flow, arb_error *error)
{
    (void)local;
    collect_operator *c = (collect_operator *)op;
    arb_owned_batch *owned;
    *out_flow = ARB_FLOW_NEED_INPUT;
    ARB_TRY(arb_owned_batch_create(in, NULL, in->column_count, &owned, error));
    pthread_mutex_lock(&c->lock);
    arb_code code = arb_reservation_grow(&c->reservation, arb_owned_batch_bytes(owned), error);
    if (code == ARB_OK && !ARB_VEC_PUSH(&c->batches, owned))
        code = arb_fail_memory(error, "a shared subplan", sizeof owned);
    pthread_mutex_unlock(&c->lock);
    if (code != ARB_OK)
        arb_owned_batch_destroy(owned);
    return code;
}

static void collect_destroy(arb_operator *op)
{
    collect_operator *c = (collect_operator *)op;
    for (size_t i = 0; i < c->batches.size; i++)
        arb_owned_batch_destroy(c->batches.data[i]);
    ARB_VEC_RESET(&c->batches);
    arb_reservation_reset(&c->reservation);
    pthread_mutex_destroy(&c->lock);
    arb_free(c);
}

static const arb_operator_vtable collect_vtable = {
    .name = "collect",
    .destroy = collect_destroy,
    .sink = collect_sink,
};

arb_code arb_collect_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                            arb_error *error)
{
    collect_operator *c = arb_alloc_zeroed(sizeof *c);
    *out_op = NULL;
    if (c == NULL)
        return arb_fail_memory(error, "a shared subplan", sizeof *c);
    (void)node; /* the rows are the node's own operator's; this one only keeps them */
    c->base.vtable = &collect_vtable;
    c->base.context = context;
    pthread_mutex_init(&c->lock, NULL);
    arb_reservation_init(&c->reservation, context->memory, "shared subplan");
    *out_op = &c->base;
    return ARB_OK;
}

typedef struct shared_scan_operator {
    arb_operator base;
    const collect_operator *from;
    _Atomic size_t next;
} shared_scan_operator;

typedef struct shared_scan_local {
    arb_batch batch;
    arb_vector columns[];
} shared_scan_local;

static arb_code shared_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    shared_scan_local *local = arb_alloc_zeroed(sizeof *local + op->node->layout.count * sizeof(arb_vector));
    *out_local = local;
    return local != NULL ? ARB_OK : arb_fail_memory(error, "a shared subplan's scan", sizeof *local);
}

static arb_code shared_pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    (void)error;
    shared_scan_operator *s = (shared_scan_operator *)op;
    shared_scan_local *local = state;
    size_t at = atomic_fetch_add(&s->next, 1);
    if (at >= s->from->batches.size) {
        *out = NULL;
        *out_flow = ARB_FLOW_DONE;
        return ARB_OK;
    }
    local->batch = s->from->batches.data[at]->batch;
    for (size_t i = 0; i < op->node->layout.count; i++)
        local->columns[i] = local->batch.columns[op->node->shared.columns[i]];
    local->batch.columns = local->columns;
    local->batch.column_count = (uint32_t)op->node->layout.count;
    local->batch.sequence = (uint64_t)at << 32;
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

static void shared_destroy_local(arb_operator *op, void *local)
{
    (void)op;
    arb_free(local);
}

static uint32_t shared_parallelism(arb_operator *op)
{
    return (uint32_t)ARB_MIN(((shared_scan_operator *)op)->from->batches.size, (size_t)UINT32_MAX);
}

static void shared_destroy(arb_operator *op)
{
    arb_free(op);
}

static const arb_operator_vtable shared_vtable = {
    .name = "shared scan",
    .destroy = shared_destroy,
    .source_create = shared_create,
    .pull = shared_pull,
    .source_destroy = shared_destroy_local,
    .source_parallelism = shared_parallelism,
};

arb_code arb_shared_scan_create(const arb_physical_node *node, arb_query_context *context, arb_operator *collect,
                                arb_operator **out_op, arb_error *error)
{
    shared_scan_operator *s = arb_alloc_zeroed(sizeof *s);
    *out_op = NULL;
    if (s == NULL)
        return arb_fail_memory(error, "a shared subplan's scan", sizeof *s);
    s->base.vtable = &shared_vtable;
    s->base.node = node;
    s->base.context = context;
    s->from = (const collect_operator *)collect;
    *out_op = &s->base;
    return ARB_OK;
}
