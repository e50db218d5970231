/* project.c: compute columns. */
#include "base/alloc.h"
#include "execution/operators/operators.h"
#include "expr/program.h"

typedef struct project_operator {
    arb_operator base;
    arb_arena arena;
    const arb_program *program;
} project_operator;

typedef struct project_local {
    arb_program_state *state;
    const arb_vector **results;
    arb_vector *columns;
    arb_batch batch;
} project_local;

static void local_destroy(arb_operator *op, void *state)
{
    (void)op;
    project_local *local = state;
    if (local == NULL)
        return;
    arb_program_state_destroy(local->state);
    arb_free(local->results);
    arb_free(local->columns);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    size_t count = op->node->layout.count;
    project_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a projection", sizeof *local);
    local->results = arb_alloc_zeroed((count + 1) * sizeof *local->results);
    local->columns = arb_alloc_zeroed((count + 1) * sizeof *local->columns);
    arb_code code =
        local->results == NULL || local->columns == NULL ? arb_fail_memory(error, "a projection", count) : ARB_OK;
    if (code == ARB_OK)
        code = arb_program_state_create(((project_operator *)op)->program, &local->state, error);
    if (code != ARB_OK) {
        local_destroy(op, local);
        return code;
    }
    arb_program_state_set_stop(local->state, &op->context->cancelled);
    *out_local = local;
    return ARB_OK;
}

static arb_code push(arb_operator *op, void *state, const arb_batch *in, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error)
{
    project_local *local = state;
    *out_flow = ARB_FLOW_NEED_INPUT;
    ARB_TRY(arb_program_run_batch(local->state, in, local->results, error));
    for (size_t i = 0; i < op->node->layout.count; i++)
        local->columns[i] = *local->results[i];
    local->batch = *in;
    local->batch.columns = local->columns;
    local->batch.column_count = (uint32_t)op->node->layout.count;
    *out = &local->batch;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    project_operator *p = (project_operator *)op;
    arb_arena_reset(&p->arena);
    arb_free(p);
}

static const arb_operator_vtable vtable = {
    .name = "project",
    .destroy = destroy,
    .transform_create = local_create,
    .push = push,
    .transform_destroy = local_destroy,
};

arb_code arb_project_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                            arb_error *error)
{
    *out_op = NULL;
    project_operator *p = arb_alloc_zeroed(sizeof *p);
    if (p == NULL)
        return arb_fail_memory(error, "a projection", sizeof *p);
    p->base.vtable = &vtable;
    p->base.node = node;
    p->base.context = context;
    arb_program *program;
    arb_code code = arb_program_compile(&p->arena, &node->children[0]->layout, node->project.exprs, node->layout.count,
                                        (const arb_program **)&program, error);
    /* the plan may want a column wider than it comes: the branches of a UNION must agree */
    for (size_t i = 0; code == ARB_OK && i < node->layout.count; i++)
        code = arb_program_widen(&p->arena, program, i, node->layout.slots[i].physical, error);
    if (code != ARB_OK) {
        destroy(&p->base);
        return code;
    }
    p->program = program;
    *out_op = &p->base;
    return ARB_OK;
}
