/* hash_join_rows.c: what a hash join gives after all probing, as a source: build rows that matched (BUILD_SEMI) or that did
 * not (BUILD_ANTI; BUILD_OUTER and FULL_OUTER beside NULLs), of which drivers take page after page; then the partitions
 * on disk. */
#include "execution/operators/hash_join.h"

typedef struct rows_local {
    arb_join_writer writer;
    const arb_row_page *page; /* in work, or NULL */
    uint32_t next;
    join_rest *rest; /* NULL when nothing is on disk */
    char *rows[ARB_VECTOR_ROWS];
} rows_local;

uint32_t arb_hash_join_source_parallelism(arb_operator *op)
{
    const hash_join *join = (hash_join *)op;
    size_t pieces = join->waiting.size;
    if (arb_join_has_source(op->node))
        pieces += (join->table.store.pages.size + join->loose.pages.size) / 4 + 1;
    return (uint32_t)ARB_MIN(pieces, (size_t)op->context->drivers);
}

arb_code arb_hash_join_source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
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
    if (join->absent != 0) {
        if (!arb_join_has_source(op->node)) { /* the resident rows have been probed, and are not wanted any more */
            pthread_mutex_lock(&join->lock);
            arb_join_table_reset(&join->table);
            pthread_mutex_unlock(&join->lock);
        }
        code = arb_join_rest_create(op, driver, &local->rest, error);
    }
    if (code != ARB_OK) {
        arb_hash_join_source_destroy(op, local);
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
    arb_join_rest_destroy(local->rest);
    arb_join_writer_reset(&local->writer);
    arb_free(local);
}

static bool next_page(hash_join *join, rows_local *local)
{
    uint64_t at = atomic_fetch_add_explicit(&join->next_page, 1, memory_order_relaxed);
    const arb_row_store *store = &join->table.store;
    local->next = 0;
    if (at < store->pages.size)
        local->page = store->pages.data[at];
    else if (at - store->pages.size < join->loose.pages.size)
        local->page = join->loose.pages.data[at - store->pages.size];
    else
        local->page = NULL;
    return local->page != NULL;
}

size_t arb_hash_join_rows_wanted(const hash_join *join, const arb_row_page *page, uint32_t *next, char **out_rows,
                                 size_t most)
{
    bool wanted = join->output == ARB_JOIN_BUILD_SEMI;
    size_t count = 0;
    for (; *next < page->rows && count < most; (*next)++) {
        char *row = arb_row_page_row(&join->rows, page, *next);
        out_rows[count] = row;
        count += ((arb_row_link(row) & ARB_ROW_MATCHED) != 0) == wanted;
    }
    return count;
}

arb_code arb_hash_join_pull(arb_operator *op, void *local_void, const arb_batch **out, arb_flow *out_flow,
                            arb_error *error)
{
    hash_join *join = (hash_join *)op;
    rows_local *local = local_void;
    size_t count = 0, most = op->context->batch_rows;
    *out = NULL;
    while (count < most && arb_join_has_source(op->node)) {
        if (local->page == NULL && !next_page(join, local))
            break;
        count += arb_hash_join_rows_wanted(join, local->page, &local->next, local->rows + count, most - count);
        if (local->next == local->page->rows)
            local->page = NULL;
    }
    if (count != 0) {
        ARB_TRY(arb_join_write_build(&local->writer, local->rows, count, error));
        *out = &local->writer.batch;
        *out_flow = ARB_FLOW_HAVE_OUTPUT;
        return ARB_OK;
    }
    if (local->rest != NULL)
        return arb_join_rest_next(local->rest, out, out_flow, error);
    *out_flow = ARB_FLOW_DONE;
    return ARB_OK;
}
