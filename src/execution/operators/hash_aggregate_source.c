#include "execution/operators/hash_aggregate.h"

typedef struct source_local {
    arb_vector_storage *storage; /* one an output column */
    arb_vector *columns;
    arb_batch batch;
    arb_arena arena;        /* what finalized values refer to */
    const group_part *part; /* in work, or NULL */
    const arb_row_page *page;
    size_t next;                    /* row in it */
    aggregate_rest *rest;           /* when all is on disk */
    const arb_row_store *partition; /* of the rest, or NULL */
    size_t next_page;
    char *rows[ARB_VECTOR_ROWS];
    void *states[ARB_VECTOR_ROWS];
} source_local;

uint32_t arb_hash_aggregate_source_parallelism(arb_operator *op)
{
    const hash_aggregate *aggregate = (hash_aggregate *)op;
    size_t pieces = aggregate->part_count;
    if (aggregate->direct)
        pieces = aggregate->drivers->table.store.pages.size / 2 + 1;
    if (aggregate->spilled)
        pieces = aggregate->waiting.size;
    return (uint32_t)ARB_MIN(pieces, (size_t)op->context->drivers);
}

arb_code arb_hash_aggregate_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    *out_local = NULL;
    source_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *local);
    const arb_layout *layout = &op->node->layout;
    arb_code code = ARB_OK;
    local->storage = arb_alloc_zeroed((layout->count + 1) * sizeof *local->storage);
    local->columns = arb_alloc_zeroed((layout->count + 1) * sizeof *local->columns);
    if (local->storage == NULL || local->columns == NULL)
        code = arb_fail_memory(error, "aggregation", layout->count * sizeof *local->storage);
    for (size_t c = 0; code == ARB_OK && c < layout->count; c++)
        code = arb_vector_storage_init(&local->storage[c], layout->slots[c].physical, ARB_VECTOR_ROWS, error);
    if (code == ARB_OK && ((hash_aggregate *)op)->spilled)
        code = arb_aggregate_rest_create((hash_aggregate *)op, &local->rest, error);
    if (code != ARB_OK) {
        arb_hash_aggregate_source_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

void arb_hash_aggregate_source_destroy(arb_operator *op, void *local_void)
{
    source_local *local = local_void;
    if (local == NULL)
        return;
    for (size_t c = 0; local->storage != NULL && c < op->node->layout.count; c++)
        arb_vector_storage_reset(&local->storage[c]);
    arb_free(local->storage);
    arb_free(local->columns);
    arb_arena_reset(&local->arena);
    arb_aggregate_rest_destroy(local->rest);
    arb_free(local);
}

/* Take the next partition or page; false when all are taken, or all of the partition that came back from disk. */
static bool take_piece(hash_aggregate *aggregate, source_local *local)
{
    local->next = 0;
    if (aggregate->spilled) {
        const arb_row_store *store = local->partition;
        local->page =
            store != NULL && local->next_page < store->pages.size ? store->pages.data[local->next_page++] : NULL;
        return local->page != NULL;
    }
    uint64_t at = atomic_fetch_add_explicit(&aggregate->next_part, 1, memory_order_relaxed);
    if (aggregate->direct) {
        const arb_row_store *store = &aggregate->drivers->table.store;
        local->page = at < store->pages.size ? store->pages.data[at] : NULL;
        return local->page != NULL;
    }
    local->part = at < aggregate->part_count ? &aggregate->parts[at] : NULL;
    return local->part != NULL;
}

static size_t take_rows(hash_aggregate *aggregate, source_local *local, size_t most)
{
    size_t count = 0;
    while (count < most) {
        if (local->page == NULL && local->part == NULL && !take_piece(aggregate, local))
            break;
        if (local->page != NULL) {
            for (; local->next < local->page->rows && count < most; local->next++)
                local->rows[count++] = arb_row_page_row(&aggregate->layout, local->page, local->next);
            if (local->next == local->page->rows)
                local->page = NULL;
        } else {
            size_t step = ARB_MIN(local->part->count - local->next, most - count);
            if (step != 0)
                memcpy(local->rows + count, local->part->rows + local->next, step * sizeof *local->rows);
            count += step;
            local->next += step;
            if (local->next == local->part->count)
                local->part = NULL;
        }
    }
    return count;
}

/* The last partition was given: a step towards the next one. */
static arb_code next_partition(source_local *local, arb_flow *out_flow, arb_error *error)
{
    driver_groups *groups;
    bool over;
    local->partition = NULL;
    ARB_TRY(arb_aggregate_rest_next(local->rest, &groups, &over, error));
    *out_flow = over ? ARB_FLOW_DONE : ARB_FLOW_HAVE_OUTPUT;
    if (groups != NULL)
        local->partition = &groups->table.store;
    local->next_page = 0;
    return ARB_OK;
}

arb_code arb_hash_aggregate_pull(arb_operator *op, void *local_void, const arb_batch **out, arb_flow *out_flow,
                                 arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    source_local *local = local_void;
    *out = NULL;
    *out_flow = ARB_FLOW_DONE;
    arb_arena_rewind(&local->arena);
    size_t count = take_rows(aggregate, local, op->context->batch_rows);
    if (count == 0 && aggregate->spilled)
        return next_partition(local, out_flow, error);
    if (count == 0)
        return ARB_OK;
    for (size_t c = 0; c < aggregate->group_count; c++)
        arb_row_gather(&aggregate->layout, c, local->rows, count, true, &local->storage[c], &local->columns[c]);
    size_t at = aggregate->group_count; /* of the states' columns */
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        arb_vector_storage *storage = &local->storage[aggregate->group_count + i];
        arb_vector *column = &local->columns[aggregate->group_count + i];
        bool has_null = false;
        for (size_t row = 0; row < count; row++)
            local->states[row] = local->rows[row] + aggregate->state_offsets[i];
        if (aggregate->phase == ARB_AGGREGATE_PARTIAL) {
            ARB_TRY(arb_aggregate_states_give(&aggregate->calls[i], &local->arena, local->states, count,
                                              &local->storage[at], &local->columns[at], error));
            at += arb_aggregate_state_columns(&aggregate->calls[i]);
            continue;
        }
        *column = arb_vector_over(storage);
        memset(storage->validity, 0xFF, arb_bitmap_words(count) * 8);
        ARB_TRY(plan->implementation->finalize(plan, &local->arena, local->states, (uint32_t)count, column,
                                               storage->validity, &has_null, error));
        if (has_null)
            column->validity = storage->validity;
    }
    local->batch = (arb_batch){.rows = (uint32_t)count,
                               .selected = (uint32_t)count,
                               .column_count = (uint32_t)op->node->layout.count,
                               .columns = local->columns};
    *out = &local->batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}
