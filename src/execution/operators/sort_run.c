#include "execution/operators/sort.h"

#include "base/alloc.h"

enum {
    gathered_most = 16 * 1024,  /* rows on their way to disk */
    block_in_memory = 512 << 10 /* bytes that merging a run from disk takes, about */
};

arb_code arb_sorted_run_create(arb_sort_entry **entries, size_t count, arb_reservation reservation,
                               sorted_run **out_run, arb_error *error)
{
    sorted_run *run = *out_run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL)
        return arb_fail_memory(error, "a sort", sizeof *run);
    run->entries = *entries;
    run->count = count;
    run->reservation = reservation;
    *entries = NULL;
    return ARB_OK;
}

void arb_sorted_run_destroy(sorted_run *run)
{
    if (run == NULL)
        return;
    arb_free(run->entries);
    arb_reservation_reset(&run->reservation);
    ARB_VEC_RESET(&run->blocks);
    arb_free(run);
}

void arb_sorted_runs_reset(sorted_run_list *runs)
{
    for (size_t i = 0; i < runs->size; i++)
        arb_sorted_run_destroy(runs->data[i]);
    ARB_VEC_RESET(runs);
}

/* ---- to disk ------------------------------------------------------------------------------------------------------------ */

static arb_code write_rows(const sort_operator *s, char *const *rows, size_t count, sorted_run *run, arb_error *error)
{
    for (size_t done = 0; done < count;) {
        arb_row_block block;
        ARB_TRY(arb_row_block_write(&s->format, rows + done, count - done, &block, error));
        if (!ARB_VEC_PUSH(&run->blocks, block))
            return arb_fail_memory(error, "a sort", sizeof block);
        run->count += block.rows;
        done += block.rows;
    }
    return ARB_OK;
}

static arb_code write_merged(const sort_operator *s, sort_merger *merger, uint64_t most, char **rows, sorted_run *run,
                             arb_error *error)
{
    while (run->count < most) {
        size_t count, wanted = (size_t)ARB_MIN(most - run->count, (uint64_t)gathered_most);
        ARB_TRY(arb_sort_merger_take(merger, rows, wanted, &count, error));
        if (count == 0)
            break;
        ARB_TRY(write_rows(s, rows, count, run, error));
        ARB_TRY(arb_check_stop(&s->base.context->cancelled, error));
    }
    return ARB_OK;
}

static arb_code spill(sort_operator *s, const sorted_run_list *runs, const sorted_run_list *spilled, uint64_t most,
                      sorted_run **out_run, arb_error *error)
{
    sort_merger merger = {0};
    char **rows = arb_alloc(gathered_most * sizeof *rows);
    sorted_run *run = *out_run = arb_alloc_zeroed(sizeof *run);
    arb_code code = ARB_OK;
    if (rows == NULL || run == NULL)
        code = arb_fail_memory(error, "a sort", gathered_most * sizeof *rows);
    if (code == ARB_OK)
        code = arb_sort_merger_init(&merger, s, runs, NULL, NULL, spilled, error);
    if (code == ARB_OK)
        code = write_merged(s, &merger, most, rows, run, error);
    arb_sort_merger_reset(&merger);
    arb_free(rows);
    if (code == ARB_OK)
        return ARB_OK;
    arb_sorted_run_destroy(run);
    *out_run = NULL;
    return code;
}

arb_code arb_sorted_runs_spill(sort_operator *s, const sorted_run_list *runs, uint64_t most, sorted_run **out_run,
                               arb_error *error)
{
    return spill(s, runs, NULL, most, out_run, error);
}

/* Runs whose blocks may be in memory at once: an eighth of the budget, or what the operator is sure to get. */
static size_t fan_in(const sort_operator *s)
{
    uint64_t bytes = ARB_MAX(s->base.context->memory->governor->limit / 8, s->base.context->guarantee);
    return (size_t)ARB_MAX(ARB_MIN(bytes / block_in_memory, (uint64_t)256), (uint64_t)4);
}

/* The oldest runs first: they are the shortest, but for those that were merged already. */
arb_code arb_sorted_runs_reduce(sort_operator *s, arb_error *error)
{
    size_t most = fan_in(s);
    while (s->spilled.size > most) {
        size_t count = ARB_MIN(most, s->spilled.size - most + 1);
        sorted_run *merged;
        sorted_run_list none = {0}, some = {s->spilled.data, count, count};
        ARB_TRY(spill(s, &none, &some, s->keep, &merged, error));
        for (size_t i = 0; i < count; i++)
            arb_sorted_run_destroy(some.data[i]);
        memmove(s->spilled.data, s->spilled.data + count, (s->spilled.size - count) * sizeof *s->spilled.data);
        s->spilled.size -= count;
        s->spilled.data[s->spilled.size++] = merged;
    }
    return ARB_OK;
}
