/* hash_aggregate_partial.c: the first of two steps, as a transform: rows in, groups with their states out.
 *
 * Each driver gathers with the sink's code, and gives all that it has when its table is full or the rows are over. Rows of
 * one group often lie together: the lines of an order, the events of a session. Then a table that stays in the caches
 * finds nearly all repeats that there are, and a larger one would only be slower. So the table is full at a size that fits
 * the caches, if it has saved the exchange enough and its second half has found repeats no faster than its first; where
 * old groups do come back, it doubles. When memory is short it is full at any size.
 *
 * Some plans only hope for repeats. Where the first table shows few, each batch is passed on as it is, a group a row. */
#include "execution/operators/hash_aggregate.h"

enum { cached_groups = 16 * 1024, worth_rows = 2 /* rows a group, at least, to begin anew with a small table */ };

typedef struct partial_local {
    void *sink;
    group_output output;
    uint64_t limit;      /* groups at which to look whether the table is full */
    uint64_t rows, half; /* taken; when it had half as many groups, 0 = not yet */
    bool gives;
    bool passes;       /* nothing is looked for */
    size_t page, next; /* the first row of the table that was not given */
    char *picked[ARB_VECTOR_ROWS];
} partial_local;

arb_code arb_hash_aggregate_partial_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    *out_local = NULL;
    partial_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *local);
    local->limit = cached_groups;
    arb_code code = arb_hash_aggregate_sink_create(op, driver, &local->sink, error);
    if (code == ARB_OK)
        code = arb_group_output_init(&local->output, (hash_aggregate *)op, error);
    if (code != ARB_OK) {
        arb_hash_aggregate_partial_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

void arb_hash_aggregate_partial_destroy(arb_operator *op, void *local_void)
{
    partial_local *local = local_void;
    if (local == NULL)
        return;
    arb_hash_aggregate_sink_destroy(op, local->sink);
    arb_group_output_reset(&local->output, (hash_aggregate *)op);
    arb_free(local);
}

/* No repeats were expected, and there are few. */
static bool is_hopeless(const hash_aggregate *aggregate, const partial_local *local)
{
    uint64_t groups = arb_hash_aggregate_gathered(local->sink)->table.store.rows;
    return !arb_aggregate_shrinks(aggregate->base.node) && groups >= cached_groups && local->rows < groups + groups / 4;
}

static bool is_full(hash_aggregate *aggregate, partial_local *local)
{
    const arb_group_table *table = &arb_hash_aggregate_gathered(local->sink)->table;
    uint64_t groups = table->store.rows, grows = arb_group_table_growth(table, ARB_VECTOR_ROWS);
    if (arb_memory_share_pressed(&aggregate->base.share, grows))
        return true;
    if (local->half == 0 && groups >= local->limit / 2)
        local->half = local->rows;
    if (groups < local->limit)
        return false;
    uint64_t second = local->rows - local->half;
    if (local->rows >= worth_rows * groups && second <= local->half + local->half / 4)
        return true;
    local->limit *= 2;
    local->half = local->rows;
    return false;
}

/* The next groups of the table, or what follows when there are none left: an empty one. Texts in a batch are the table's, so
 * it lives until the call after the last batch. */
static arb_code give(hash_aggregate *aggregate, partial_local *local, const arb_batch **out, arb_flow *out_flow,
                     arb_error *error)
{
    const arb_row_store *store = &arb_hash_aggregate_gathered(local->sink)->table.store;
    size_t count = 0, most = aggregate->base.context->batch_rows;
    while (local->page < store->pages.size && count < most) {
        const arb_row_page *page = store->pages.data[local->page];
        count += arb_row_page_take(&aggregate->layout, page, &local->next, local->picked + count, most - count);
        if (local->next == page->rows) {
            local->page++;
            local->next = 0;
        }
    }
    if (count != 0) {
        ARB_TRY(arb_group_output_make(&local->output, aggregate, local->picked, count, error));
        *out = &local->output.batch;
        *out_flow = ARB_FLOW_HAVE_OUTPUT;
        return ARB_OK;
    }
    local->gives = false;
    local->page = local->next = 0;
    local->rows = local->half = 0;
    local->limit = cached_groups;
    return arb_hash_aggregate_drop(aggregate, local->sink, error);
}

arb_code arb_hash_aggregate_partial_push(arb_operator *op, void *local_void, const arb_batch *in, const arb_batch **out,
                                         arb_flow *out_flow, arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    partial_local *local = local_void;
    *out = NULL;
    *out_flow = ARB_FLOW_NEED_INPUT;
    if (local->gives)
        return give(aggregate, local, out, out_flow, error);
    if (in->selected == 0)
        return ARB_OK;
    ARB_TRY(arb_hash_aggregate_sink(op, local->sink, in, out_flow, error));
    if (local->passes) {
        ARB_TRY(arb_group_output_pass(&local->output, aggregate, in, arb_hash_aggregate_passed(local->sink), error));
        *out = &local->output.batch;
        return arb_hash_aggregate_drop(aggregate, local->sink, error);
    }
    local->rows += in->selected;
    local->passes = is_hopeless(aggregate, local);
    local->gives = local->passes || is_full(aggregate, local);
    if (local->passes)
        ARB_TRY(arb_hash_aggregate_pass(aggregate, local->sink, error));
    return local->gives ? give(aggregate, local, out, out_flow, error) : ARB_OK;
}

arb_code arb_hash_aggregate_partial_flush(arb_operator *op, void *local_void, const arb_batch **out, arb_flow *out_flow,
                                          arb_error *error)
{
    *out = NULL;
    *out_flow = ARB_FLOW_NEED_INPUT;
    return give((hash_aggregate *)op, local_void, out, out_flow, error);
}
