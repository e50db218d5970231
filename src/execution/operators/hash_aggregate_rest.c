/* hash_aggregate_rest.c: partitions of an aggregation that are on disk, when all input has been seen.
 *
 * begin    the next partition that waits; one that is too large is split into 64 that wait
 * load     its groups, block by block: rows with equal keys become one
 * replay   the inputs of deferred aggregates: each finds its group, and all reach the states
 *
 * Then the groups are given. Drivers work on different partitions and share nothing but the list of those that wait. */
#include "execution/operators/hash_aggregate.h"

enum {
    small_part = 64,     /* rows that are not worth splitting */
    entry_a_row = 16,    /* bytes of a table's entries, about */
    input_a_row = 2 * 8, /* bytes of the lists that inputs are sorted in */
};

struct aggregate_rest {
    hash_aggregate *aggregate;
    waiting_part part;
    bool working; /* on `part` */
    driver_groups *groups;
    arb_row_block_view view;
    size_t block;                /* of the groups, to load next */
    arb_vector_storage *storage; /* one a column of the widest row on disk */
    arb_vector *columns;
    arb_key_columns keys; /* the group's, in a replayed batch */
    uint32_t *positions;
    deferred_input input;
    uint16_t numbers[ARB_VECTOR_ROWS];
    char *found[ARB_VECTOR_ROWS];
    uint64_t made[ARB_VECTOR_WORDS];
};

void arb_aggregate_rest_destroy(aggregate_rest *rest)
{
    if (rest == NULL)
        return;
    arb_hash_aggregate_groups_destroy(rest->aggregate, rest->groups);
    arb_row_block_view_reset(&rest->view);
    arb_key_columns_reset(&rest->keys);
    arb_deferred_input_reset(&rest->input);
    arb_free(rest->positions);
    arb_free(rest);
}

arb_code arb_aggregate_rest_create(hash_aggregate *aggregate, aggregate_rest **out_rest, arb_error *error)
{
    *out_rest = NULL;
    aggregate_rest *rest = arb_alloc_zeroed(sizeof *rest);
    if (rest == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *rest);
    size_t keys = aggregate->group_count;
    rest->aggregate = aggregate;
    arb_row_block_view_init(&rest->view, aggregate->base.context->memory, &aggregate->base.share, "aggregation");
    rest->positions = arb_alloc_zeroed((keys + 1) * sizeof *rest->positions);
    arb_code code = rest->positions == NULL ? arb_fail_memory(error, "aggregation", keys) : ARB_OK;
    for (size_t k = 0; code == ARB_OK && k < keys; k++)
        rest->positions[k] = (uint32_t)k;
    if (code == ARB_OK)
        code = arb_key_columns_init(&rest->keys, rest->positions, keys, error);
    for (size_t i = 0; i < ARB_VECTOR_ROWS; i++)
        rest->numbers[i] = (uint16_t)i;
    if (code != ARB_OK) {
        arb_aggregate_rest_destroy(rest);
        return code;
    }
    *out_rest = rest;
    return ARB_OK;
}

static arb_code check_cancelled(const hash_aggregate *aggregate, arb_error *error)
{
    if (atomic_load_explicit(&aggregate->base.context->cancelled, memory_order_relaxed))
        return arb_fail(error, ARB_CANCELLED, "the statement was cancelled");
    return ARB_OK;
}

/* ---- begin, split ------------------------------------------------------------------------------------------------------- */

static bool take(hash_aggregate *aggregate, waiting_part *out_part)
{
    pthread_mutex_lock(&aggregate->lock);
    bool some = aggregate->waiting.size != 0;
    if (some)
        *out_part = aggregate->waiting.data[--aggregate->waiting.size];
    pthread_mutex_unlock(&aggregate->lock);
    return some;
}

static arb_code split_stream(hash_aggregate *aggregate, arb_row_spill *from, uint32_t number, arb_row_spill *to,
                             arb_error *error)
{
    const arb_query_context *context = aggregate->base.context;
    return arb_row_spill_split(from, number, to, context->memory, &aggregate->base.share, &context->cancelled, error);
}

/* The parts wait afterwards. When all groups have one hash, splitting was of no use, and is not tried again. */
static arb_code split(hash_aggregate *aggregate, const waiting_part *part, arb_error *error)
{
    unsigned level = part->level + 1;
    group_spill *deeper;
    ARB_TRY(arb_hash_aggregate_spill_create(aggregate, level, &deeper, error));
    ARB_TRY(split_stream(aggregate, part->spill->groups, part->number, deeper->groups, error));
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        ARB_TRY(split_stream(aggregate, part->spill->deferred[d], part->number, deeper->deferred[d], error));
    uint64_t all = part->spill->groups->streams[part->number].rows;
    bool kept = true;
    pthread_mutex_lock(&aggregate->lock);
    for (uint32_t p = 0; kept && p < ARB_SPILL_PARTS; p++) {
        uint64_t rows = deeper->groups->streams[p].rows;
        waiting_part next = {deeper, p, rows == all ? ARB_SPILL_LEVELS - 1 : level};
        kept = rows == 0 || ARB_VEC_PUSH(&aggregate->waiting, next);
    }
    pthread_mutex_unlock(&aggregate->lock);
    return kept ? ARB_OK : arb_fail_memory(error, "aggregation", sizeof(waiting_part));
}

static bool is_too_large(hash_aggregate *aggregate, const waiting_part *part)
{
    const arb_row_stream *stream = &part->spill->groups->streams[part->number];
    return stream->rows > small_part && part->level + 1 < ARB_SPILL_LEVELS &&
           arb_memory_share_pressed(&aggregate->base.share, stream->bytes + stream->rows * entry_a_row);
}

static arb_code begin(aggregate_rest *rest, bool *out_over, arb_error *error)
{
    hash_aggregate *aggregate = rest->aggregate;
    *out_over = !take(aggregate, &rest->part);
    if (*out_over)
        return ARB_OK;
    if (is_too_large(aggregate, &rest->part))
        return split(aggregate, &rest->part, error);
    rest->groups = arb_hash_aggregate_groups_create(aggregate, error);
    rest->working = rest->groups != NULL;
    rest->block = 0;
    return rest->working ? ARB_OK : ARB_OUT_OF_MEMORY;
}

/* ---- load --------------------------------------------------------------------------------------------------------------- */

/* The states of a row that is new in the table refer to the block: make them the table's own. */
static arb_code own_states(const hash_aggregate *aggregate, arb_arena *arena, char *group, const char *from,
                           arb_error *error)
{
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        uint32_t offset = aggregate->state_offsets[i];
        if (!plan->packs || aggregate->deferred_of[i] >= 0)
            continue;
        plan->implementation->init(plan, group + offset);
        ARB_TRY(plan->implementation->combine(plan, arena, group + offset, from + offset, error));
    }
    return ARB_OK;
}

static arb_code merge_rows(aggregate_rest *rest, char *const *rows, size_t count, arb_error *error)
{
    hash_aggregate *aggregate = rest->aggregate;
    arb_arena *arena = &rest->groups->arena;
    const arb_row_spill *spill = rest->part.spill->groups;
    ARB_TRY(arb_group_table_adopt(&rest->groups->table, rows, count, spill->has_null, rest->found, rest->made, error));
    for (size_t i = 0; i < count; i++)
        if (arb_bitmap_get(rest->made, i))
            ARB_TRY(own_states(aggregate, arena, rest->found[i], rows[i], error));
        else
            ARB_TRY(arb_hash_aggregate_combine_states(aggregate, arena, rest->found[i], rows[i], error));
    return arb_hash_aggregate_account(aggregate, rest->groups, error);
}

static arb_code load_block(aggregate_rest *rest, const arb_row_block *block, arb_error *error)
{
    ARB_TRY(arb_row_spill_take(rest->part.spill->groups, block, &rest->view, error));
    for (size_t from = 0; from < rest->view.count; from += ARB_VECTOR_ROWS) {
        size_t count = ARB_MIN(rest->view.count - from, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(merge_rows(rest, rest->view.rows + from, count, error));
    }
    return ARB_OK;
}

/* ---- replay ------------------------------------------------------------------------------------------------------------- */

static void reset_columns(aggregate_rest *rest, size_t columns)
{
    for (size_t c = 0; rest->storage != NULL && c < columns; c++)
        arb_vector_storage_reset(&rest->storage[c]);
    arb_free(rest->storage);
    arb_free(rest->columns);
    rest->storage = NULL;
    rest->columns = NULL;
    arb_deferred_input_reset(&rest->input);
}

static arb_code make_columns(aggregate_rest *rest, const deferred_plan *plan, arb_error *error)
{
    size_t columns = plan->away.column_count;
    rest->storage = arb_alloc_zeroed((columns + 1) * sizeof *rest->storage);
    rest->columns = arb_alloc_zeroed((columns + 1) * sizeof *rest->columns);
    if (rest->storage == NULL || rest->columns == NULL)
        return arb_fail_memory(error, "aggregation", columns * sizeof *rest->storage);
    for (size_t c = 0; c < columns; c++)
        ARB_TRY(arb_vector_storage_init(&rest->storage[c], (arb_physical)plan->away.columns[c].physical,
                                        ARB_VECTOR_ROWS, error));
    return arb_deferred_input_init(&rest->input, plan, error);
}

/* Rows that were away come back: they find their groups and become rows of the deferred table. */
static arb_code bring_back(aggregate_rest *rest, size_t deferred, char *const *rows, size_t count, const bool *has_null,
                           arb_error *error)
{
    hash_aggregate *aggregate = rest->aggregate;
    const deferred_plan *plan = &aggregate->deferred[deferred];
    arb_group_table *table = &rest->groups->table;
    size_t keys = aggregate->group_count, columns = plan->away.column_count;
    for (size_t c = 0; c < columns; c++)
        arb_row_gather(&plan->away, c, rows, count, has_null[c], &rest->storage[c], &rest->columns[c]);
    arb_batch batch = {.rows = (uint32_t)count,
                       .selected = (uint32_t)count,
                       .column_count = (uint32_t)columns,
                       .columns = rest->columns};
    if (keys == 0) {
        char *single = arb_row_page_row(&aggregate->layout, table->store.pages.data[0], 0);
        for (size_t i = 0; i < count; i++)
            rest->found[i] = single;
    } else {
        arb_key_columns_load(&rest->keys, &batch);
        ARB_TRY(arb_key_columns_hash(&rest->keys, error));
        ARB_TRY(arb_key_columns_flatten(&rest->keys, error));
        ARB_TRY(arb_group_table_find(table, &rest->keys, rest->numbers, count, rest->found, error));
    }
    for (size_t c = 1; c < plan->layout.column_count; c++)
        rest->input.columns[c] = rest->columns[keys + c - 1];
    return arb_hash_aggregate_defer(plan, &rest->input, &rest->groups->deferred[deferred], &batch, rest->found,
                                    rest->numbers, count, error);
}

static arb_code replay_whole(aggregate_rest *rest, size_t deferred, const arb_row_spill *spill, uint32_t number,
                             arb_error *error)
{
    const arb_row_stream *stream = &spill->streams[number];
    for (size_t b = 0; b < stream->blocks.size; b++) {
        ARB_TRY(arb_row_spill_take(spill, &stream->blocks.data[b], &rest->view, error));
        for (size_t from = 0; from < rest->view.count; from += ARB_VECTOR_ROWS)
            ARB_TRY(bring_back(rest, deferred, rest->view.rows + from,
                               ARB_MIN(rest->view.count - from, (size_t)ARB_VECTOR_ROWS), spill->has_null, error));
        ARB_TRY(check_cancelled(rest->aggregate, error));
    }
    return arb_hash_aggregate_feed_groups(rest->aggregate, rest->groups, deferred, error);
}

/* Give each row the hash of all that makes it distinct, and put it to a partition by that. */
static arb_code scatter_by_value(aggregate_rest *rest, size_t deferred, const arb_row_spill *from, uint32_t number,
                                 arb_row_spill *to, arb_error *error)
{
    const deferred_plan *plan = &rest->aggregate->deferred[deferred];
    const arb_row_stream *stream = &from->streams[number];
    size_t count = rest->aggregate->group_count + plan->key_count - 1; /* the row's group and its arguments */
    uint32_t *positions = arb_alloc((count + 1) * sizeof *positions);
    arb_key_columns keys = {0};
    arb_code code = positions == NULL ? arb_fail_memory(error, "aggregation", count) : ARB_OK;
    for (size_t k = 0; code == ARB_OK && k < count; k++)
        positions[k] = (uint32_t)k;
    if (code == ARB_OK)
        code = arb_key_columns_init(&keys, positions, count, error);
    for (size_t b = 0; code == ARB_OK && b < stream->blocks.size; b++) {
        code = arb_row_spill_take(from, &stream->blocks.data[b], &rest->view, error);
        for (size_t at = 0; code == ARB_OK && at < rest->view.count; at += ARB_VECTOR_ROWS) {
            char **rows = rest->view.rows + at;
            size_t step = ARB_MIN(rest->view.count - at, (size_t)ARB_VECTOR_ROWS);
            for (size_t c = 0; c < count; c++)
                arb_row_gather(&plan->away, c, rows, step, from->has_null[c], &rest->storage[c], &rest->columns[c]);
            arb_batch batch = {.rows = (uint32_t)step,
                               .selected = (uint32_t)step,
                               .column_count = (uint32_t)count,
                               .columns = rest->columns};
            arb_key_columns_load(&keys, &batch);
            code = arb_key_columns_hash(&keys, error);
            for (size_t i = 0; code == ARB_OK && i < step; i++)
                *arb_row_header(rows[i]) = keys.hashes[i];
        }
        if (code == ARB_OK)
            code = arb_row_spill_rows(to, rest->view.rows, rest->view.count, from->has_null, error);
        if (code == ARB_OK)
            code = check_cancelled(rest->aggregate, error);
    }
    arb_key_columns_reset(&keys);
    arb_free(positions);
    return code;
}

static bool fits(hash_aggregate *aggregate, const arb_row_stream *stream)
{
    return stream->rows <= small_part ||
           !arb_memory_share_pressed(&aggregate->base.share,
                                     stream->bytes + stream->rows * (entry_a_row + input_a_row));
}

/* Equal inputs are counted once, so they must meet; apart from that a part of them after the other is as good as all at
 * once. `level` says how often the rows were put to partitions by their values. */
static arb_code replay(aggregate_rest *rest, size_t deferred, arb_row_spill *spill, uint32_t number, unsigned level,
                       arb_error *error)
{
    hash_aggregate *aggregate = rest->aggregate;
    const deferred_plan *plan = &aggregate->deferred[deferred];
    const arb_row_stream *stream = &spill->streams[number];
    bool divides = plan->key_count != 0 && plan->order.count == 0 && level + 1 < ARB_SPILL_LEVELS;
    if (!divides || fits(aggregate, stream))
        return replay_whole(rest, deferred, spill, number, error);
    arb_row_spill *deeper;
    uint64_t all = stream->rows;
    ARB_TRY(arb_row_spill_create(spill->format, level, &deeper, error));
    arb_code code = level == 0 ? scatter_by_value(rest, deferred, spill, number, deeper, error)
                               : split_stream(aggregate, spill, number, deeper, error);
    for (uint32_t p = 0; code == ARB_OK && p < ARB_SPILL_PARTS; p++) {
        unsigned next = deeper->streams[p].rows == all ? ARB_SPILL_LEVELS - 1 : level + 1;
        if (deeper->streams[p].rows != 0)
            code = replay(rest, deferred, deeper, p, next, error);
    }
    arb_row_spill_destroy(deeper);
    return code;
}

static arb_code replay_all(aggregate_rest *rest, arb_error *error)
{
    hash_aggregate *aggregate = rest->aggregate;
    for (size_t d = 0; d < aggregate->deferred_count; d++) {
        const deferred_plan *plan = &aggregate->deferred[d];
        arb_code code = make_columns(rest, plan, error);
        if (code == ARB_OK)
            code = replay(rest, d, rest->part.spill->deferred[d], rest->part.number, 0, error);
        reset_columns(rest, plan->away.column_count);
        ARB_TRY(code);
    }
    return ARB_OK;
}

arb_code arb_aggregate_rest_next(aggregate_rest *rest, driver_groups **out_groups, bool *out_over, arb_error *error)
{
    *out_groups = NULL;
    *out_over = false;
    if (!rest->working) {
        arb_hash_aggregate_groups_destroy(rest->aggregate, rest->groups); /* which were given */
        rest->groups = NULL;
        return begin(rest, out_over, error);
    }
    const arb_row_stream *stream = &rest->part.spill->groups->streams[rest->part.number];
    if (rest->block < stream->blocks.size)
        return load_block(rest, &stream->blocks.data[rest->block++], error);
    ARB_TRY(replay_all(rest, error));
    rest->working = false;
    *out_groups = rest->groups;
    return ARB_OK;
}
