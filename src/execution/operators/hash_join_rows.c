/* hash_join_rows.c: build rows as a source, once all probing is over: those that matched (BUILD_SEMI) or those that did
 * not (BUILD_ANTI; BUILD_OUTER and FULL_OUTER beside NULLs). Drivers take page after page. */
#include "execution/operators/hash_join.h"

typedef struct rows_local {
    arb_join_writer writer;
    const arb_row_page *page; /* in work, or NULL */
    uint32_t next;
    char *rows[ARB_VECTOR_ROWS];
} rows_local;

uint32_t arb_hash_join_source_parallelism(arb_operator *op)
{
    const hash_join *join = (hash_join *)op;
    if (!arb_join_has_source(op->node))
        return 0;
    return (uint32_t)ARB_MIN((join->store.pages.size + join->loose.pages.size) / 4 + 1, (size_t)op->context->drivers);
}

arb_code arb_hash_join_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    hash_join *join = (hash_join *)op;
    *out_local = NULL;
    rows_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, join->name, sizeof *local);
    arb_code code = arb_join_writer_init(&local->writer, &join->columns, op->context->batch_rows, error);
    if (code != ARB_OK) {
        arb_free(local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

void arb_hash_join_source_destroy(arb_operator *op, void *local_void)
{
    (void)op;
    rows_local *local = local_void;
    if (local == NULL)
        return;
    arb_join_writer_reset(&local->writer);
    arb_free(local);
}

static bool next_page(hash_join *join, rows_local *local)
{
    uint64_t at = atomic_fetch_add_explicit(&join->next_page, 1, memory_order_relaxed);
    local->next = 0;
    if (at < join->store.pages.size)
        local->page = join->store.pages.data[at];
    else if (at - join->store.pages.size < join->loose.pages.size)
        local->page = join->loose.pages.data[at - join->store.pages.size];
    else
        local->page = NULL;
    return local->page != NULL;
}

arb_code arb_hash_join_pull(arb_operator *op, void *local_void, const arb_batch **out, arb_flow *out_flow,
                            arb_error *error)
{
    hash_join *join = (hash_join *)op;
    rows_local *local = local_void;
    bool wanted = join->output == ARB_JOIN_BUILD_SEMI;
    size_t count = 0;
    *out = NULL;
    while (count < op->context->batch_rows) {
        if (local->page == NULL && !next_page(join, local))
            break;
        for (; local->next < local->page->rows && count < op->context->batch_rows; local->next++) {
            char *row = arb_row_page_row(&join->rows, local->page, local->next);
            local->rows[count] = row;
            count += ((arb_row_link(row) & ARB_ROW_MATCHED) != 0) == wanted;
        }
        if (local->next == local->page->rows)
            local->page = NULL;
    }
    *out_flow = ARB_FLOW_DONE;
    if (count == 0)
        return ARB_OK;
    ARB_TRY(arb_join_write_build(&local->writer, local->rows, count, error));
    *out = &local->writer.batch;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}
