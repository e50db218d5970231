/* group_limit.c: some rows of each group, of rows that come group by group.
 *
 * The groups' columns of each batch are written into rows, since those know what is equal; the last row of a batch stays
 * until the next one has been compared with it. */
#include "base/alloc.h"
#include "execution/operators/key_columns.h"
#include "execution/operators/operators.h"
#include "execution/operators/row_store.h"

typedef struct group_limit_operator {
    arb_operator base;
    arb_arena arena;
    arb_row_layout layout; /* the groups' columns */
} group_limit_operator;

typedef struct group_limit_local {
    arb_row_store stores[2]; /* of this batch and of the one before */
    unsigned current;
    char *last;      /* the row before, NULL at the start */
    uint64_t number; /* of the next row in its group */
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    char *keys[ARB_VECTOR_ROWS];
    uint64_t selection[ARB_VECTOR_WORDS];
    arb_batch batch;
} group_limit_local;

static void local_destroy(arb_operator *op, void *state)
{
    (void)op;
    group_limit_local *local = state;
    if (local == NULL)
        return;
    arb_row_store_reset(&local->stores[0]);
    arb_row_store_reset(&local->stores[1]);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    const group_limit_operator *g = (group_limit_operator *)op;
    group_limit_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a limit of groups", sizeof *local);
    arb_code code = ARB_OK;
    for (int i = 0; i < 2 && code == ARB_OK; i++)
        code = arb_row_store_init(&local->stores[i], &g->layout, op->context->memory, "a limit of groups", error);
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
    const group_limit_operator *g = (group_limit_operator *)op;
    group_limit_local *local = state;
    const arb_physical_node *node = op->node;
    size_t count = arb_batch_rows_selected(in, local->rows), groups = node->group_limit.group_count, kept = 0;
    arb_row_store *store = &local->stores[local->current ^= 1];
    *out_flow = ARB_FLOW_NEED_INPUT;
    arb_row_store_clear(store);
    ARB_TRY(arb_row_store_append(store, count, local->keys, error));
    for (size_t c = 0; c < groups; c++)
        ARB_TRY(arb_row_store_scatter(store, c, &in->columns[node->group_limit.groups[c]], local->rows, count,
                                      local->keys, error));
    memset(local->selection, 0, sizeof local->selection);
    uint64_t offset = (uint64_t)node->group_limit.offset;
    uint64_t most = node->group_limit.count < 0 ? UINT64_MAX : (uint64_t)node->group_limit.count;
    for (size_t i = 0; i < count; i++) {
        if (local->last == NULL || !arb_row_equal(&g->layout, groups, local->last, local->keys[i]))
            local->number = 0;
        local->last = local->keys[i];
        if (local->number >= offset && local->number - offset < most) {
            arb_bitmap_set(local->selection, local->rows[i]);
            kept++;
        }
        local->number++;
    }
    if (kept == 0)
        return ARB_OK;
    local->batch = *in;
    local->batch.selected = (uint32_t)kept;
    local->batch.selection = local->selection;
    *out = &local->batch;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    arb_arena_reset(&((group_limit_operator *)op)->arena);
    arb_free(op);
}

static const arb_operator_vtable vtable = {
    .name = "limit of groups",
    .destroy = destroy,
    .transform_create = local_create,
    .push = push,
    .transform_destroy = local_destroy,
};

arb_code arb_group_limit_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                                arb_error *error)
{
    *out_op = NULL;
    group_limit_operator *g = arb_alloc_zeroed(sizeof *g);
    if (g == NULL)
        return arb_fail_memory(error, "a limit of groups", sizeof *g);
    g->base = (arb_operator){.vtable = &vtable, .node = node, .context = context};
    size_t groups = node->group_limit.group_count;
    arb_slot *slots = ARB_ARENA_ARRAY(&g->arena, arb_slot, groups + 1);
    arb_code code = slots == NULL ? arb_fail_memory(error, "a limit of groups", groups * sizeof *slots) : ARB_OK;
    for (size_t i = 0; i < groups && code == ARB_OK; i++)
        slots[i] = node->layout.slots[node->group_limit.groups[i]];
    if (code == ARB_OK)
        code = arb_row_layout_init(&g->layout, &g->arena, slots, groups, 0, error);
    if (code != ARB_OK) {
        destroy(&g->base);
        return code;
    }
    *out_op = &g->base;
    return ARB_OK;
}
