#include "execution/operators/compaction.h"

#include "base/alloc.h"
#include "kernels/select.h"

arb_code arb_compaction_init(arb_compaction *compaction, const arb_layout *layout, arb_error *error)
{
    *compaction = (arb_compaction){.column_count = layout->count};
    compaction->columns = arb_alloc_zeroed((layout->count + 1) * sizeof(arb_vector));
    if (compaction->columns == NULL)
        return arb_fail_memory(error, "a filter", layout->count);
    for (size_t i = 0; i < layout->count; i++)
        if (layout->slots[i].physical == ARB_PHYS_STRUCT)
            return ARB_OK;
    compaction->storages = arb_alloc_zeroed((layout->count + 1) * sizeof(arb_vector_storage));
    if (compaction->storages == NULL)
        return arb_fail_memory(error, "a filter", layout->count);
    for (size_t i = 0; i < layout->count; i++)
        ARB_TRY(arb_vector_storage_init(&compaction->storages[i], layout->slots[i].physical, ARB_VECTOR_ROWS, error));
    return ARB_OK;
}

void arb_compaction_reset(arb_compaction *compaction)
{
    for (size_t i = 0; compaction->storages != NULL && i < compaction->column_count; i++)
        arb_vector_storage_reset(&compaction->storages[i]);
    arb_free(compaction->storages);
    arb_free(compaction->columns);
    *compaction = (arb_compaction){0};
}

const arb_batch *arb_compaction_apply(arb_compaction *compaction, const arb_batch *in, const uint64_t *selection)
{
    uint32_t selected = (uint32_t)arb_bitmap_count(selection, in->rows);
    arb_batch *out = &compaction->batch;
    *out = *in;
    out->selected = selected;
    out->selection = selected == in->rows ? NULL : selection;
    if (out->selection == NULL || selected == 0 || selected > in->rows / 2 || compaction->storages == NULL)
        return out;
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    size_t count = arb_selection_kernels_get()->indices(selection, in->rows, rows);
    for (size_t i = 0; i < in->column_count; i++)
        arb_vector_gather(&in->columns[i], rows, count, &compaction->storages[i], &compaction->columns[i]);
    out->columns = compaction->columns;
    out->rows = selected;
    out->selection = NULL;
    return out;
}
