/* repeat.c: each row as often as its last column says. */
#include "base/alloc.h"
#include "execution/operators/key_columns.h"
#include "execution/operators/operators.h"
#include "kernels/select.h"

typedef struct repeat_local {
    bool within;   /* a batch has more to give */
    size_t count;  /* its selected rows */
    size_t next;   /* of them */
    uint64_t left; /* how often that one still comes */
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    uint16_t picked[ARB_VECTOR_ROWS];
    arb_vector_storage *storages; /* one a column */
    arb_vector *columns;
    arb_batch batch;
} repeat_local;

static void local_destroy(arb_operator *op, void *state)
{
    repeat_local *local = state;
    if (local == NULL)
        return;
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_free(local->storages);
    arb_free(local->columns);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    size_t columns = op->node->layout.count;
    repeat_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "repeating rows", sizeof *local);
    local->storages = arb_alloc_zeroed((columns + 1) * sizeof *local->storages);
    local->columns = arb_alloc_zeroed((columns + 1) * sizeof *local->columns);
    arb_code code = local->storages == NULL || local->columns == NULL
                        ? arb_fail_memory(error, "repeating rows", columns * sizeof *local->columns)
                        : ARB_OK;
    for (size_t i = 0; i < columns && code == ARB_OK; i++)
        code = arb_vector_storage_init(&local->storages[i], op->node->layout.slots[i].physical, ARB_VECTOR_ROWS, error);
    if (code != ARB_OK) {
        local_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

static uint64_t times(const arb_vector *counts, uint16_t row)
{
    arb_int128 count = arb_vector_is_valid(counts, row) ? arb_vector_get_integer(counts, row) : 0;
    return count < 0 ? 0 : (uint64_t)count;
}

static arb_code push(arb_operator *op, void *state, const arb_batch *in, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error)
{
    (void)error;
    repeat_local *local = state;
    size_t columns = op->node->layout.count, picked = 0;
    const arb_vector *counts = &in->columns[columns];
    if (!local->within) {
        local->count = arb_batch_rows_selected(in, local->rows);
        local->next = 0;
        local->left = local->count != 0 ? times(counts, local->rows[0]) : 0;
    }
    while (local->next < local->count && picked < op->context->batch_rows) {
        if (local->left == 0) {
            local->next++;
            local->left = local->next < local->count ? times(counts, local->rows[local->next]) : 0;
            continue;
        }
        local->picked[picked++] = local->rows[local->next];
        local->left--;
    }
    local->within = local->next < local->count;
    *out_flow = local->within ? ARB_FLOW_HAVE_OUTPUT : ARB_FLOW_NEED_INPUT;
    if (picked == 0)
        return ARB_OK;
    for (size_t i = 0; i < columns; i++)
        arb_vector_gather(&in->columns[i], local->picked, picked, &local->storages[i], &local->columns[i]);
    local->batch = (arb_batch){.rows = (uint32_t)picked,
                               .selected = (uint32_t)picked,
                               .column_count = (uint32_t)columns,
                               .columns = local->columns};
    *out = &local->batch;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    arb_free(op);
}

static const arb_operator_vtable vtable = {
    .name = "repeat",
    .destroy = destroy,
    .transform_create = local_create,
    .push = push,
    .transform_destroy = local_destroy,
};

arb_code arb_repeat_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                           arb_error *error)
{
    arb_operator *op = arb_alloc_zeroed(sizeof *op);
    *out_op = op;
    if (op == NULL)
        return arb_fail_memory(error, "repeating rows", sizeof *op);
    *op = (arb_operator){.vtable = &vtable, .node = node, .context = context};
    return ARB_OK;
}
