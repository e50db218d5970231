/* build_gate.c: the source of a build side that several tasks have in common: what feeds it, if this task is to build, and
 * nothing at all if another one has. */
#include "base/alloc.h"
#include "execution/operators/operators.h"

typedef struct build_gate {
    arb_operator base;
    arb_operator *from, *join; /* borrowed */
    arb_shared_build *build;
} build_gate;

typedef struct gate_local {
    arb_driver *driver;
    arb_build_waiter waiter;
    bool builds;
    void *from; /* once it builds */
} gate_local;

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)op;
    gate_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = local;
    if (local == NULL)
        return arb_fail_memory(error, "a shared build side", sizeof *local);
    local->driver = driver;
    local->waiter.task = driver->task;
    return ARB_OK;
}

static void local_destroy(arb_operator *op, void *state)
{
    build_gate *gate = (build_gate *)op;
    gate_local *local = state;
    arb_shared_build_forget(gate->build, &local->waiter);
    if (local->builds && gate->from->vtable->source_destroy != NULL)
        gate->from->vtable->source_destroy(gate->from, local->from);
    arb_free(local);
}

/* Whose turn is it? A query that ends early has set its flag before it leaves the build: whoever came later sees that. */
static arb_code take_turn(build_gate *gate, gate_local *local, arb_flow *out_flow, arb_error *error)
{
    arb_build_turn turn = arb_shared_build_begin(gate->build, gate->join, &local->waiter);
    arb_code code = arb_check_stop(&gate->base.context->cancelled, error);
    if (code != ARB_OK) {
        arb_shared_build_leave(gate->build, gate->join);
        return code;
    }
    *out_flow = turn == ARB_BUILD_WAIT ? ARB_FLOW_BLOCKED : turn == ARB_BUILD_SEALED ? ARB_FLOW_DONE : *out_flow;
    if (turn != ARB_BUILD_FOR_ALL && turn != ARB_BUILD_ALONE)
        return ARB_OK;
    if (turn == ARB_BUILD_ALONE)
        arb_hash_join_build_alone(gate->join);
    const arb_operator_vtable *from = gate->from->vtable;
    if (from->source_create != NULL)
        ARB_TRY(from->source_create(gate->from, local->driver, &local->from, error));
    local->builds = true;
    return ARB_OK;
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    build_gate *gate = (build_gate *)op;
    gate_local *local = state;
    *out = NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    if (!local->builds)
        ARB_TRY(take_turn(gate, local, out_flow, error));
    return local->builds ? gate->from->vtable->pull(gate->from, local->from, out, out_flow, error) : ARB_OK;
}

static uint32_t parallelism(arb_operator *op)
{
    const build_gate *gate = (const build_gate *)op;
    return arb_shared_build_sealed(gate->build) != NULL ? 1 : gate->from->vtable->source_parallelism(gate->from);
}

static void leave(arb_operator *op)
{
    build_gate *gate = (build_gate *)op;
    arb_shared_build_leave(gate->build, gate->join);
}

static void destroy(arb_operator *op)
{
    leave(op);
    arb_free(op);
}

arb_code arb_build_gate_create(arb_operator *from, arb_operator *join, arb_shared_build *build, arb_operator **out_op,
                               arb_error *error)
{
    static const arb_operator_vtable vtable = {
        .name = "build gate",
        .destroy = destroy,
        .source_create = local_create,
        .pull = pull,
        .source_destroy = local_destroy,
        .source_parallelism = parallelism,
        .abort = leave,
    };
    build_gate *gate = arb_alloc_zeroed(sizeof *gate);
    *out_op = NULL;
    if (gate == NULL)
        return arb_fail_memory(error, "a shared build side", sizeof *gate);
    gate->base = (arb_operator){.vtable = &vtable, .context = join->context};
    gate->from = from;
    gate->join = join;
    gate->build = build;
    *out_op = &gate->base;
    return ARB_OK;
}
