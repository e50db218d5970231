#include "formats/row_filters.h"

arb_code arb_row_filters_init(arb_row_filters *filters, const arb_scan_request *request, arb_arena *arena,
                              arb_error *error)
{
    size_t most = 1;
    for (size_t i = 0; i < request->filter_count; i++)
        most = ARB_MAX(most, request->filters[i]->column_count);
    *filters = (arb_row_filters){.request = request,
                                 .states = ARB_ARENA_ARRAY(arena, arb_row_filter, request->filter_count + 1),
                                 .inputs = ARB_ARENA_ARRAY(arena, const arb_vector *, most),
                                 .ranges = ARB_ARENA_ARRAY(arena, arb_value_range, most)};
    return filters->states == NULL || filters->inputs == NULL || filters->ranges == NULL
               ? arb_fail_memory(error, "a scan", request->filter_count * sizeof *filters->states)
               : ARB_OK;
}

void arb_row_filters_reset(arb_row_filters *filters)
{
    for (size_t i = 0; filters->states != NULL && i < filters->request->filter_count; i++) {
        const arb_scan_filter *filter = filters->request->filters[i];
        if (filters->states[i].made && filter->vtable->local_destroy != NULL)
            filter->vtable->local_destroy(filters->states[i].local);
    }
    *filters = (arb_row_filters){0};
}

static bool is_ready(const arb_scan_filter *filter)
{
    return atomic_load_explicit(&filter->ready, memory_order_acquire) != 0;
}

bool arb_row_filters_begin(arb_row_filters *filters, arb_split_range range, const void *context)
{
    for (size_t i = 0; i < filters->request->filter_count; i++) {
        const arb_scan_filter *filter = filters->request->filters[i];
        arb_filter_verdict verdict = ARB_FILTER_SOME_PASS;
        if (is_ready(filter) && filter->vtable->judge != NULL) {
            for (uint32_t c = 0; c < filter->column_count; c++)
                filters->ranges[c] = range(context, filter->columns[c]);
            verdict = filter->vtable->judge(filter, filters->ranges);
        }
        if (verdict == ARB_FILTER_NONE_PASS)
            return false;
        filters->states[i].passes_all = verdict == ARB_FILTER_ALL_PASS;
    }
    return true;
}

arb_code arb_row_filters_apply(arb_row_filters *filters, const arb_vector *vectors, uint32_t rows,
                               const uint64_t *chosen, uint32_t *out_left, arb_error *error)
{
    *out_left = rows;
    if (chosen == NULL) {
        arb_bitmap_fill(filters->selection, rows);
    } else {
        memmove(filters->selection, chosen, arb_bitmap_words(rows) * sizeof *chosen);
        *out_left = (uint32_t)arb_bitmap_count(chosen, rows);
    }
    for (size_t i = 0; i < filters->request->filter_count && *out_left != 0; i++) {
        const arb_scan_filter *filter = filters->request->filters[i];
        arb_row_filter *state = &filters->states[i];
        if (state->passes_all || !is_ready(filter))
            continue;
        if (!state->made && filter->vtable->local_create != NULL)
            ARB_TRY(filter->vtable->local_create(filter, &state->local, error));
        state->made = true;
        for (uint32_t c = 0; c < filter->column_count; c++) {
            if (filters->read != NULL)
                ARB_TRY(filters->read(filters->context, filter->columns[c], error));
            filters->inputs[c] = &vectors[filter->columns[c]];
        }
        ARB_TRY(filter->vtable->apply(filter, state->local, filters->inputs, rows, filters->selection, error));
        *out_left = (uint32_t)arb_bitmap_count(filters->selection, rows);
    }
    return ARB_OK;
}

arb_batch arb_row_filters_batch(const arb_row_filters *filters, arb_vector *vectors, uint32_t rows, uint32_t left,
                                uint64_t sequence)
{
    return (arb_batch){.rows = rows,
                       .selected = left,
                       .selection = left == rows ? NULL : filters->selection,
                       .column_count = filters->request->column_count,
                       .columns = vectors,
                       .sequence = sequence};
}
