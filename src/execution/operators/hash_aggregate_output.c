/* hash_aggregate_output.c: groups become a batch: their keys, then what the aggregates give. */
#include "execution/operators/hash_aggregate.h"

arb_code arb_group_output_init(group_output *output, const hash_aggregate *aggregate, arb_error *error)
{
    const arb_layout *layout = &aggregate->base.node->layout;
    *output = (group_output){.storage = arb_alloc_zeroed((layout->count + 1) * sizeof *output->storage),
                             .columns = arb_alloc_zeroed((layout->count + 1) * sizeof *output->columns)};
    if (output->storage == NULL || output->columns == NULL)
        return arb_fail_memory(error, "aggregation", layout->count * sizeof *output->storage);
    for (size_t c = 0; c < layout->count; c++)
        ARB_TRY(arb_vector_storage_init(&output->storage[c], layout->slots[c].physical, ARB_VECTOR_ROWS, error));
    return ARB_OK;
}

void arb_group_output_reset(group_output *output, const hash_aggregate *aggregate)
{
    for (size_t c = 0; output->storage != NULL && c < aggregate->base.node->layout.count; c++)
        arb_vector_storage_reset(&output->storage[c]);
    arb_free(output->storage);
    arb_free(output->columns);
    arb_arena_reset(&output->arena);
}

static arb_code finalize(group_output *output, const arb_aggregate_plan *plan, size_t count, size_t column,
                         arb_error *error)
{
    arb_vector_storage *storage = &output->storage[column];
    arb_vector *out = &output->columns[column];
    bool has_null = false;
    *out = arb_vector_over(storage);
    memset(storage->validity, 0xFF, arb_bitmap_words(count) * 8);
    ARB_TRY(plan->implementation->finalize(plan, &output->arena, output->states, (uint32_t)count, out,
                                           storage->validity, &has_null, error));
    if (has_null)
        out->validity = storage->validity;
    return ARB_OK;
}

static arb_code make_calls(group_output *output, const hash_aggregate *aggregate, char *const *rows, size_t count,
                           arb_error *error)
{
    size_t at = aggregate->group_count;
    arb_arena_rewind(&output->arena);
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_physical_aggregate *call = &aggregate->calls[i];
        for (size_t row = 0; row < count; row++)
            output->states[row] = rows[row] + aggregate->state_offsets[i];
        if (aggregate->phase == ARB_AGGREGATE_PARTIAL) {
            ARB_TRY(arb_aggregate_states_give(call, &output->arena, output->states, count, &output->storage[at],
                                              &output->columns[at], error));
            at += arb_aggregate_state_columns(call);
        } else {
            ARB_TRY(finalize(output, &call->plan, count, at++, error));
        }
    }
    return ARB_OK;
}

arb_code arb_group_output_make(group_output *output, const hash_aggregate *aggregate, char *const *rows, size_t count,
                               arb_error *error)
{
    for (size_t c = 0; c < aggregate->group_count; c++)
        arb_row_gather(&aggregate->layout, c, rows, count, true, &output->storage[c], &output->columns[c]);
    output->batch = (arb_batch){.rows = (uint32_t)count,
                                .selected = (uint32_t)count,
                                .column_count = (uint32_t)aggregate->base.node->layout.count,
                                .columns = output->columns};
    return make_calls(output, aggregate, rows, count, error);
}

arb_code arb_group_output_pass(group_output *output, const hash_aggregate *aggregate, const arb_batch *in,
                               char *const *rows, arb_error *error)
{
    for (size_t c = 0; c < aggregate->group_count; c++)
        output->columns[c] = in->columns[aggregate->groups[c]];
    output->batch = *in;
    output->batch.column_count = (uint32_t)aggregate->base.node->layout.count;
    output->batch.columns = output->columns;
    return make_calls(output, aggregate, rows, in->rows, error);
}
