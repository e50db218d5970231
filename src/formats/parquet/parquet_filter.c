#include "formats/parquet/parquet_filter.h"

void arb_parquet_filter_init(arb_parquet_filter *state, const arb_scan_filter *filter, arb_reservation *held)
{
    *state = (arb_parquet_filter){.filter = filter, .verdict = ARB_FILTER_SOME_PASS, .passes.held = held};
}

void arb_parquet_filter_reset(arb_parquet_filter *state, arb_read_queue *queue)
{
    if (state->has_local && state->filter->vtable->local_destroy != NULL)
        state->filter->vtable->local_destroy(state->local);
    arb_parquet_filter_leave_group(state, queue);
    arb_padded_buffer_reset(&state->passes);
    *state = (arb_parquet_filter){0};
}

void arb_parquet_filter_leave_group(arb_parquet_filter *state, arb_read_queue *queue)
{
    state->is_judged = state->pages_judged = false;
    state->verdict = ARB_FILTER_SOME_PASS;
    arb_parquet_piece_reset(&state->bloom.head, queue);
    arb_parquet_piece_reset(&state->bloom.block, queue);
}

arb_code arb_parquet_filter_check_ready(arb_parquet_filter *state, bool *out_ready, arb_error *error)
{
    if (!state->is_ready && atomic_load_explicit(&state->filter->ready, memory_order_acquire) != 0) {
        if (state->filter->vtable->local_create != NULL) {
            ARB_TRY(state->filter->vtable->local_create(state->filter, &state->local, error));
            state->has_local = true;
        }
        state->is_ready = true;
    }
    *out_ready = state->is_ready;
    return ARB_OK;
}

arb_code arb_parquet_filter_entries(arb_parquet_filter *state, const arb_parquet_dictionary *dictionary,
                                    arb_error *error)
{
    if (state->dictionary_id == dictionary->id)
        return ARB_OK;
    state->dictionary_id = 0;
    ARB_TRY(arb_padded_buffer_reserve(&state->passes, dictionary->count, error));
    state->passing = 0;
    for (uint32_t first = 0; first < dictionary->count; first += ARB_VECTOR_ROWS) {
        uint32_t rows = ARB_MIN(dictionary->count - first, ARB_VECTOR_ROWS);
        arb_vector entries = dictionary->vector;
        entries.values.data = dictionary->entries.data + first * arb_physical_size((arb_physical)entries.physical);
        const arb_vector *inputs[] = {&entries};
        uint64_t selection[ARB_VECTOR_WORDS];
        arb_bitmap_fill(selection, rows);
        ARB_TRY(state->filter->vtable->apply(state->filter, state->local, inputs, rows, selection, error));
        for (uint32_t i = 0; i < rows; i++) {
            bool passes = arb_bitmap_get(selection, i);
            state->passes.data[first + i] = passes;
            state->passing += passes;
        }
    }
    state->dictionary_id = dictionary->id;
    return ARB_OK;
}

/* Expected cost for each row that is dropped. */
static double rank(const arb_parquet_filter *state)
{
    if (state->rows_in < ARB_VECTOR_ROWS || state->measured_rows == 0)
        return state->filter->cost;
    double cost = state->nanoseconds / (double)state->measured_rows;
    double dropped = 1.0 - (double)state->rows_out / (double)state->rows_in;
    return cost / (dropped + 0.001);
}

void arb_parquet_filters_sort(arb_parquet_filter **order, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) { /* a handful, and mostly in order */
        arb_parquet_filter *moved = order[i];
        double its_rank = rank(moved);
        uint32_t at = i;
        for (; at > 0 && rank(order[at - 1]) > its_rank; at--)
            order[at] = order[at - 1];
        order[at] = moved;
    }
}
