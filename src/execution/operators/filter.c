/* filter.c: keep the rows for which a condition is true. */
#include "base/alloc.h"
#include "execution/operators/compaction.h"
#include "execution/operators/operators.h"
#include "expr/program.h"

typedef struct filter_operator {
    arb_operator base;
    arb_arena arena;
    const arb_program *program;
} filter_operator;

typedef struct filter_local {
    arb_program_state *state;
    arb_compaction compaction;
    const arb_vector **inputs;
    uint64_t selection[ARB_VECTOR_WORDS];
} filter_local;

static void local_destroy(arb_operator *op, void *state)
{
    (void)op;
    filter_local *local = state;
    if (local == NULL)
        return;
    arb_program_state_destroy(local->state);
    arb_compaction_reset(&local->compaction);
    arb_free(local->inputs);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    filter_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a filter", sizeof *local);
    arb_code code = arb_program_state_create(((filter_operator *)op)->program, &local->state, error);
    if (code == ARB_OK)
        arb_program_state_set_stop(local->state, &op->context->cancelled);
    if (code == ARB_OK)
        code = arb_compaction_init(&local->compaction, &op->node->layout, error);
    if (code == ARB_OK &&
        (local->inputs = arb_alloc_zeroed((op->node->layout.count + 1) * sizeof *local->inputs)) == NULL)
        code = arb_fail_memory(error, "a filter", op->node->layout.count);
    if (code != ARB_OK) {
        local_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

static arb_code push(arb_operator *op, void *state, const arb_batch *in, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error)
{
    (void)op;
    filter_local *local = state;
    *out_flow = ARB_FLOW_NEED_INPUT;
    for (size_t i = 0; i < in->column_count; i++)
        local->inputs[i] = &in->columns[i];
    if (in->selection != NULL)
        memcpy(local->selection, in->selection, arb_bitmap_words(in->rows) * 8);
    else
        arb_bitmap_fill(local->selection, in->rows);
    ARB_TRY(arb_program_select(local->state, local->inputs, in->rows, local->selection, error));
    const arb_batch *kept = arb_compaction_apply(&local->compaction, in, local->selection);
    *out = kept->selected != 0 ? kept : NULL;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    filter_operator *f = (filter_operator *)op;
    arb_arena_reset(&f->arena);
    arb_free(f);
}

static const arb_operator_vtable vtable = {
    .name = "filter",
    .destroy = destroy,
    .transform_create = local_create,
    .push = push,
    .transform_destroy = local_destroy,
};

arb_code arb_filter_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                           arb_error *error)
{
    *out_op = NULL;
    filter_operator *f = arb_alloc_zeroed(sizeof *f);
    if (f == NULL)
        return arb_fail_memory(error, "a filter", sizeof *f);
    f->base.vtable = &vtable;
    f->base.node = node;
    f->base.context = context;
    arb_code code =
        arb_program_compile(&f->arena, &node->children[0]->layout, &node->filter.condition, 1, &f->program, error);
    if (code != ARB_OK) {
        destroy(&f->base);
        return code;
    }
    *out_op = &f->base;
    return ARB_OK;
}
