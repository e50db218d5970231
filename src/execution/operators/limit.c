/* limit.c: pass some rows over, then let some through, then want no more. Its pipeline has one driver, so that the rows
 * are the first ones in the source's order. */
#include "base/alloc.h"
#include "execution/operators/operators.h"

typedef struct limit_local {
    uint64_t skip, left; /* rows */
    bool bounded;
    arb_batch batch;
    uint64_t selection[ARB_VECTOR_WORDS];
} limit_local;

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    limit_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = local;
    if (local == NULL)
        return arb_fail_memory(error, "a limit", sizeof *local);
    local->skip = (uint64_t)op->node->limit.offset;
    local->bounded = op->node->limit.count >= 0;
    local->left = local->bounded ? (uint64_t)op->node->limit.count : 0;
    return ARB_OK;
}

static void local_destroy(arb_operator *op, void *local)
{
    (void)op;
    arb_free(local);
}

static arb_code push(arb_operator *op, void *state, const arb_batch *in, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error)
{
    (void)op, (void)error;
    limit_local *local = state;
    uint64_t skipped = ARB_MIN(local->skip, (uint64_t)in->selected);
    uint64_t passed = in->selected - skipped;
    if (local->bounded)
        passed = ARB_MIN(passed, local->left);
    local->skip -= skipped;
    local->left -= local->bounded ? passed : 0;
    *out_flow = local->bounded && local->left == 0 ? ARB_FLOW_DONE : ARB_FLOW_NEED_INPUT;
    if (passed == 0) {
        *out = NULL;
    } else if (passed == in->selected) {
        *out = in;
    } else {
        uint16_t rows[ARB_VECTOR_ROWS];
        uint64_t all[ARB_VECTOR_WORDS];
        arb_bitmap_fill(all, in->rows);
        arb_bitmap_indices(in->selection != NULL ? in->selection : all, in->rows, rows);
        memset(local->selection, 0, sizeof local->selection);
        for (uint64_t i = skipped; i < skipped + passed; i++)
            arb_bitmap_set(local->selection, rows[i]);
        local->batch = *in;
        local->batch.selection = local->selection;
        local->batch.selected = (uint32_t)passed;
        *out = &local->batch;
    }
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    arb_free(op);
}

static const arb_operator_vtable vtable = {
    .name = "limit",
    .destroy = destroy,
    .transform_create = local_create,
    .push = push,
    .transform_destroy = local_destroy,
};

arb_code arb_limit_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                          arb_error *error)
{
    arb_operator *op = arb_alloc_zeroed(sizeof *op);
    *out_op = op;
    if (op == NULL)
        return arb_fail_memory(error, "a limit", sizeof *op);
    op->vtable = &vtable;
    op->node = node;
    op->context = context;
    return ARB_OK;
}
