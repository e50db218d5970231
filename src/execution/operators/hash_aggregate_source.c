#include "execution/operators/hash_aggregate.h"

typedef struct source_local {
    group_output output;
    const group_part *part; /* in work, or NULL */
    const arb_row_page *page;
    size_t next;                    /* row in it */
    aggregate_rest *rest;           /* when all is on disk */
    const arb_row_store *partition; /* of the rest, or NULL */
    size_t next_page;
    char *rows[ARB_VECTOR_ROWS];
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
    arb_code code = arb_group_output_init(&local->output, (hash_aggregate *)op, error);
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
    arb_group_output_reset(&local->output, (hash_aggregate *)op);
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
            count +=
                arb_row_page_take(&aggregate->layout, local->page, &local->next, local->rows + count, most - count);
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
    size_t count = take_rows(aggregate, local, op->context->batch_rows);
    if (count == 0 && aggregate->spilled)
        return next_partition(local, out_flow, error);
    if (count == 0)
        return ARB_OK;
    ARB_TRY(arb_group_output_make(&local->output, aggregate, local->rows, count, error));
    *out = &local->output.batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}
