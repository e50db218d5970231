/* values.c: rows that stand in the plan. Also "one row without columns", which SELECT without FROM begins with. */
#include "base/alloc.h"
#include "execution/operators/operators.h"
#include "expr/program.h"

typedef struct values_operator {
    arb_operator base;
    arb_arena arena;
    const arb_program *program; /* the cells, row after row */
} values_operator;

typedef struct values_local {
    arb_program_state *state;
    const arb_vector **cells;
    arb_vector_storage *storages;
    arb_vector *columns;
    arb_batch batch;
    size_t next_row;
    bool evaluated;
} values_local;

static void local_destroy(arb_operator *op, void *state)
{
    values_local *local = state;
    if (local == NULL)
        return;
    for (size_t i = 0; local->storages != NULL && i < op->node->layout.count; i++)
        arb_vector_storage_reset(&local->storages[i]);
    arb_program_state_destroy(local->state);
    arb_free(local->cells);
    arb_free(local->storages);
    arb_free(local->columns);
    arb_free(local);
}

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    size_t columns = op->node->layout.count, cells = columns * op->node->values.row_count;
    values_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "VALUES", sizeof *local);
    local->cells = arb_alloc_zeroed((cells + 1) * sizeof *local->cells);
    local->storages = arb_alloc_zeroed((columns + 1) * sizeof *local->storages);
    local->columns = arb_alloc_zeroed((columns + 1) * sizeof *local->columns);
    arb_code code = ARB_OK;
    if (local->cells == NULL || local->storages == NULL || local->columns == NULL)
        code = arb_fail_memory(error, "VALUES", cells);
    if (code == ARB_OK)
        code = arb_program_state_create(((values_operator *)op)->program, &local->state, error);
    for (size_t i = 0; code == ARB_OK && i < columns; i++)
        code = arb_vector_storage_init(&local->storages[i], op->node->layout.slots[i].physical, ARB_VECTOR_ROWS, error);
    if (code != ARB_OK) {
        local_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

/* Put one cell's value into row `row` of a column. */
static void store(const arb_vector *cell, arb_vector *column, const arb_vector_storage *storage, size_t row)
{
    size_t slot = arb_vector_slot(cell, 0), size = arb_physical_size((arb_physical)cell->physical);
    const arb_vector *entries = arb_vector_entries(cell);
    if (!arb_vector_is_valid(cell, 0)) {
        if (column->validity == NULL) {
            column->validity = storage->validity;
            memset(column->validity, 0xFF, ARB_VECTOR_WORDS * 8);
        }
        arb_bitmap_clear(column->validity, row);
    }
    if (cell->physical == ARB_PHYS_BOOL)
        arb_bitmap_put(column->values.bits, row, arb_bitmap_get(entries->values.bits, slot));
    else
        memcpy((char *)column->values.data + row * size, (const char *)entries->values.data + slot * size, size);
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    values_local *local = state;
    const arb_physical_node *node = op->node;
    const arb_leaf_units *part = arb_task_leaf_find(op->context->work, node->number);
    size_t columns = node->layout.count, all = part == NULL || part->count != 0 ? node->values.row_count : 0;
    size_t rows = all - local->next_row;
    rows = ARB_MIN(rows, (size_t)op->context->batch_rows);
    *out = NULL;
    *out_flow = ARB_FLOW_DONE;
    if (rows == 0)
        return ARB_OK;
    if (!local->evaluated)
        ARB_TRY(arb_program_run(local->state, NULL, 1, NULL, local->cells, error));
    local->evaluated = true;
    for (size_t c = 0; c < columns; c++) {
        local->columns[c] = arb_vector_over(&local->storages[c]);
        for (size_t r = 0; r < rows; r++)
            store(local->cells[(local->next_row + r) * columns + c], &local->columns[c], &local->storages[c], r);
    }
    local->batch = (arb_batch){.rows = (uint32_t)rows,
                               .selected = (uint32_t)rows,
                               .column_count = (uint32_t)columns,
                               .columns = local->columns,
                               .sequence = local->next_row};
    local->next_row += rows;
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

static void destroy(arb_operator *op)
{
    values_operator *v = (values_operator *)op;
    arb_arena_reset(&v->arena);
    arb_free(v);
}

static const arb_operator_vtable vtable = {
    .name = "values",
    .destroy = destroy,
    .source_create = local_create,
    .pull = pull,
    .source_destroy = local_destroy,
};

arb_code arb_values_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                           arb_error *error)
{
    *out_op = NULL;
    values_operator *v = arb_alloc_zeroed(sizeof *v);
    if (v == NULL)
        return arb_fail_memory(error, "VALUES", sizeof *v);
    v->base.vtable = &vtable;
    v->base.node = node;
    v->base.context = context;
    arb_program *program = NULL;
    arb_layout none = {0};
    size_t cells = node->layout.count * node->values.row_count;
    arb_code code =
        arb_program_compile(&v->arena, &none, node->values.cells, cells, (const arb_program **)&program, error);
    for (size_t i = 0; code == ARB_OK && i < cells; i++)
        code = arb_program_widen(&v->arena, program, i, node->layout.slots[i % node->layout.count].physical, error);
    if (code != ARB_OK) {
        destroy(&v->base);
        return code;
    }
    v->program = program;
    *out_op = &v->base;
    return ARB_OK;
}
