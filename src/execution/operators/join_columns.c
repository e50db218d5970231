#include "execution/operators/join_columns.h"

#include "kernels/select.h"

arb_code arb_join_writer_init(arb_join_writer *writer, const arb_join_columns *plan, uint32_t batch_rows,
                              arb_error *error)
{
    *writer = (arb_join_writer){.plan = plan, .batch_rows = batch_rows};
    writer->storage = arb_alloc_zeroed((plan->count + 1) * sizeof *writer->storage);
    writer->columns = arb_alloc_zeroed((plan->count + 1) * sizeof *writer->columns);
    if (writer->storage == NULL || writer->columns == NULL) {
        arb_join_writer_reset(writer);
        return arb_fail_memory(error, "a join's output", plan->count * sizeof *writer->columns);
    }
    return ARB_OK;
}

void arb_join_writer_reset(arb_join_writer *writer)
{
    for (size_t i = 0; writer->storage != NULL && i < writer->plan->count; i++)
        arb_vector_storage_reset(&writer->storage[i]);
    arb_free(writer->storage);
    arb_free(writer->columns);
    *writer = (arb_join_writer){0};
}

static arb_code need_storage(arb_join_writer *writer, size_t column, arb_error *error)
{
    if (writer->storage[column].values != NULL)
        return ARB_OK;
    /* Whole probe batches may be larger than what this join makes itself. */
    return arb_vector_storage_init(&writer->storage[column], (arb_physical)writer->plan->columns[column].physical,
                                   ARB_VECTOR_ROWS, error);
}

/* All NULL. */
static arb_code write_null(arb_join_writer *writer, size_t column, arb_error *error)
{
    ARB_TRY(need_storage(writer, column, error));
    arb_vector_storage *storage = &writer->storage[column];
    memset(storage->values, 0, 16);
    storage->validity[0] = 0;
    writer->columns[column] = arb_vector_over(storage);
    writer->columns[column].encoding = ARB_CONSTANT;
    writer->columns[column].validity = storage->validity;
    return ARB_OK;
}

static void set_batch(arb_join_writer *writer, uint32_t rows, uint32_t selected, const uint64_t *selection)
{
    writer->batch = (arb_batch){.rows = rows,
                                .selected = selected,
                                .selection = selection,
                                .column_count = (uint32_t)writer->plan->count,
                                .columns = writer->columns};
}

static bool is_whole(const arb_batch *probe, const uint16_t *index, size_t count)
{
    if (count != probe->rows)
        return false;
    for (size_t i = 0; i < count; i++)
        if (index[i] != i)
            return false;
    return true;
}

arb_code arb_join_write_pairs(arb_join_writer *writer, const arb_batch *probe, const uint16_t *index, char *const *rows,
                              size_t count, bool may_be_null, arb_error *error)
{
    const arb_join_columns *plan = writer->plan;
    bool whole = is_whole(probe, index, count);
    for (size_t c = 0; c < plan->count; c++) {
        arb_join_column column = plan->columns[c];
        if (column.side == ARB_SIDE_PROBE && whole) {
            writer->columns[c] = probe->columns[column.at];
            continue;
        }
        ARB_TRY(need_storage(writer, c, error));
        if (column.side == ARB_SIDE_PROBE)
            arb_vector_gather(&probe->columns[column.at], index, count, &writer->storage[c], &writer->columns[c]);
        else
            arb_row_gather(plan->rows, column.at, rows, count, may_be_null || plan->has_null[column.at],
                           &writer->storage[c], &writer->columns[c]);
    }
    set_batch(writer, (uint32_t)count, (uint32_t)count, NULL);
    writer->batch.sequence = probe->sequence;
    return ARB_OK;
}

arb_code arb_join_write_probe(arb_join_writer *writer, const arb_batch *probe, const uint64_t *selection,
                              uint32_t selected, char *const *rows, const arb_vector *mark, arb_error *error)
{
    const arb_join_columns *plan = writer->plan;
    for (size_t c = 0; c < plan->count; c++) {
        arb_join_column column = plan->columns[c];
        if (column.side == ARB_SIDE_PROBE) {
            writer->columns[c] = probe->columns[column.at];
        } else if (column.side == ARB_SIDE_MARK) {
            writer->columns[c] = *mark;
        } else if (rows == NULL) {
            ARB_TRY(write_null(writer, c, error));
        } else {
            ARB_TRY(need_storage(writer, c, error));
            arb_row_gather(plan->rows, column.at, rows, probe->rows, true, &writer->storage[c], &writer->columns[c]);
        }
    }
    set_batch(writer, probe->rows, selection == NULL ? probe->selected : selected,
              selection == NULL ? probe->selection : selection);
    writer->batch.sequence = probe->sequence;
    return ARB_OK;
}

arb_code arb_join_write_build(arb_join_writer *writer, char *const *rows, size_t count, arb_error *error)
{
    const arb_join_columns *plan = writer->plan;
    for (size_t c = 0; c < plan->count; c++) {
        arb_join_column column = plan->columns[c];
        if (column.side != ARB_SIDE_BUILD) {
            ARB_TRY(write_null(writer, c, error));
            continue;
        }
        ARB_TRY(need_storage(writer, c, error));
        arb_row_gather(plan->rows, column.at, rows, count, true, &writer->storage[c], &writer->columns[c]);
    }
    set_batch(writer, (uint32_t)count, (uint32_t)count, NULL);
    return ARB_OK;
}
