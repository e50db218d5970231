#include "execution/operators/group_index.h"
#include "execution/operators/hash_aggregate.h"
#include "kernels/select.h"

/* A driver that finds few repeats stops looking for them: the merge by partitions, which comes anyway (but for PARTIAL), has
 * less to do than a table that does not fit the caches. */
enum { judge_rows = 128 * 1024, judge_groups = 48 * 1024 };
enum { merge_bytes_much = 128 * 1024 }; /* less is not worth a disk */

typedef struct sink_local {
    driver_groups *groups; /* NULL once combined */
    arb_key_columns keys;
    arb_group_index index;
    deferred_input *deferred;    /* one a deferred aggregate */
    arb_vector_storage *storage; /* one a child's column: arguments that came as codes */
    arb_vector *flat;            /* one a child's column */
    bool *is_flat;               /* … of this batch */
    const arb_vector **arguments;
    char *single;      /* the group, without GROUP BY */
    arb_arena scratch; /* of a batch: states that were packed */
    uint64_t rows;
    bool appends;
    char *passed; /* PARTIAL, once each row is a group: states, one row a row of the batch; else NULL */
    uint16_t selected[ARB_VECTOR_ROWS + 64], missing[ARB_VECTOR_ROWS];
    char *group[ARB_VECTOR_ROWS];
    void *states[ARB_VECTOR_ROWS];
    uint64_t filter[ARB_VECTOR_WORDS];
} sink_local;

static arb_code make_memory(const hash_aggregate *aggregate, sink_local *local, arb_error *error)
{
    size_t columns = aggregate->base.node->children[0]->layout.count, most = 1;
    for (size_t i = 0; i < aggregate->call_count; i++)
        most = ARB_MAX(most, 1 + aggregate->calls[i].plan.argument_count + aggregate->calls[i].order_count);
    local->storage = arb_alloc_zeroed((columns + 1) * sizeof *local->storage);
    local->flat = arb_alloc_zeroed((columns + 1) * sizeof *local->flat);
    local->is_flat = arb_alloc_zeroed(columns + 1);
    local->arguments = arb_alloc_zeroed(most * sizeof *local->arguments);
    local->deferred = arb_alloc_zeroed((aggregate->deferred_count + 1) * sizeof *local->deferred);
    if (local->storage == NULL || local->flat == NULL || local->is_flat == NULL || local->arguments == NULL ||
        local->deferred == NULL)
        return arb_fail_memory(error, "aggregation", columns * sizeof *local->storage);
    ARB_TRY(arb_key_columns_init(&local->keys, aggregate->groups, aggregate->group_count, error));
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        ARB_TRY(arb_deferred_input_init(&local->deferred[d], &aggregate->deferred[d], error));
    return ARB_OK;
}

arb_code arb_hash_aggregate_sink_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    (void)driver;
    hash_aggregate *aggregate = (hash_aggregate *)op;
    *out_local = NULL;
    sink_local *local = arb_alloc_zeroed(sizeof *local);
    if (local == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *local);
    local->groups = arb_hash_aggregate_groups_create(aggregate, error);
    arb_code code = local->groups == NULL ? ARB_OUT_OF_MEMORY : make_memory(aggregate, local, error);
    if (code == ARB_OK && aggregate->group_count == 0)
        code = arb_group_table_single(&local->groups->table, &local->single, error);
    if (code == ARB_OK)
        code = arb_group_index_init(&local->index, &op->node->children[0]->layout, aggregate->groups,
                                    aggregate->group_count, error);
    if (code != ARB_OK) {
        arb_hash_aggregate_sink_destroy(op, local);
        return code;
    }
    *out_local = local;
    return ARB_OK;
}

void arb_hash_aggregate_sink_destroy(arb_operator *op, void *local_void)
{
    const hash_aggregate *aggregate = (hash_aggregate *)op;
    sink_local *local = local_void;
    if (local == NULL)
        return;
    arb_hash_aggregate_groups_destroy(aggregate, local->groups);
    arb_key_columns_reset(&local->keys);
    arb_group_index_reset(&local->index);
    for (size_t d = 0; local->deferred != NULL && d < aggregate->deferred_count; d++)
        arb_deferred_input_reset(&local->deferred[d]);
    for (size_t c = 0; local->storage != NULL && c < op->node->children[0]->layout.count; c++)
        arb_vector_storage_reset(&local->storage[c]);
    arb_free(local->deferred);
    arb_arena_reset(&local->scratch);
    arb_free(local->storage);
    arb_free(local->flat);
    arb_free(local->is_flat);
    arb_free(local->arguments);
    arb_free(local->passed);
    arb_free(local);
}

driver_groups *arb_hash_aggregate_gathered(void *sink_local_void)
{
    return ((sink_local *)sink_local_void)->groups;
}

arb_code arb_hash_aggregate_pass(const hash_aggregate *aggregate, void *sink_local_void, arb_error *error)
{
    uint64_t bytes = (uint64_t)aggregate->layout.size * ARB_VECTOR_ROWS;
    char *passed = ((sink_local *)sink_local_void)->passed = arb_alloc(bytes);
    return passed != NULL ? ARB_OK : arb_fail_memory(error, "aggregation", bytes);
}

char *const *arb_hash_aggregate_passed(const void *sink_local_void)
{
    return ((const sink_local *)sink_local_void)->group;
}

arb_code arb_hash_aggregate_drop(hash_aggregate *aggregate, void *sink_local_void, arb_error *error)
{
    sink_local *local = sink_local_void;
    if (local->index.on)
        arb_group_index_forget(&local->index);
    arb_hash_aggregate_groups_clear(local->groups);
    return aggregate->group_count == 0 ? arb_group_table_single(&local->groups->table, &local->single, error) : ARB_OK;
}

/* ---- groups ----------------------------------------------------------------------------------------------------------- */

static arb_code look_up(const hash_aggregate *aggregate, sink_local *local, const uint16_t *rows, size_t count,
                        arb_error *error)
{
    driver_groups *groups = local->groups;
    ARB_TRY(arb_key_columns_hash(&local->keys, error));
    if (local->appends)
        return arb_group_table_append(&groups->table, &local->keys, rows, count, local->group, error);
    ARB_TRY(arb_key_columns_flatten(&local->keys, error));
    ARB_TRY(arb_group_table_find(&groups->table, &local->keys, rows, count, local->group, error));
    uint64_t found = groups->table.store.rows;
    if (aggregate->phase != ARB_AGGREGATE_PARTIAL && local->rows >= judge_rows && found >= judge_groups &&
        aggregate->base.context->drivers > 1 && found * 10 > local->rows * 7) {
        local->appends = true;
        local->index.on = false;
        groups->repeats = true;
    }
    return ARB_OK;
}

static void make_passed(const hash_aggregate *aggregate, sink_local *local, size_t rows)
{
    const arb_row_layout *layout = &aggregate->layout;
    for (size_t row = 0; aggregate->call_count != 0 && row < rows; row++) {
        local->group[row] = local->passed + row * layout->size;
        memcpy(local->group[row] + layout->extra_offset, aggregate->fresh, layout->size - layout->extra_offset);
    }
}

static arb_code find_groups(const hash_aggregate *aggregate, sink_local *local, const arb_batch *in, size_t count,
                            arb_error *error)
{
    if (aggregate->group_count == 0) {
        for (size_t i = 0; aggregate->deferred_count != 0 && i < count; i++)
            local->group[local->selected[i]] = local->single;
        return ARB_OK;
    }
    if (local->passed != NULL) {
        make_passed(aggregate, local, in->rows);
        return ARB_OK;
    }
    local->rows += count;
    arb_key_columns_load(&local->keys, in);
    size_t missing = 0;
    if (!local->index.on || !arb_group_index_find(&local->index, &local->keys, local->selected, count, local->group,
                                                  local->missing, &missing))
        return look_up(aggregate, local, local->selected, count, error);
    if (missing == 0)
        return ARB_OK;
    ARB_TRY(look_up(aggregate, local, local->missing, missing, error));
    arb_group_index_learn(&local->index, local->selected, count, local->group);
    return ARB_OK;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

/* The column without codes. */
static arb_code flat_column(sink_local *local, const arb_batch *in, uint32_t column, const arb_vector **out,
                            arb_error *error)
{
    const arb_vector *vector = &in->columns[column];
    *out = vector;
    if (vector->encoding != ARB_DICTIONARY)
        return ARB_OK;
    if (!local->is_flat[column]) {
        arb_vector_storage *storage = &local->storage[column];
        if (storage->values == NULL)
            ARB_TRY(arb_vector_storage_init(storage, (arb_physical)vector->physical, ARB_VECTOR_ROWS, error));
        arb_vector_flatten(vector, in->rows, storage, &local->flat[column]);
        local->is_flat[column] = true;
    }
    *out = &local->flat[column];
    return ARB_OK;
}

/* The selected rows for which FILTER is true; returns how many. */
static uint32_t filter_rows(sink_local *local, const arb_batch *in, const arb_vector *filter)
{
    size_t words = arb_bitmap_words(in->rows);
    if (in->selection != NULL)
        memcpy(local->filter, in->selection, words * 8);
    else
        arb_bitmap_fill(local->filter, in->rows);
    if (filter->encoding == ARB_FLAT) {
        for (size_t word = 0; word < words; word++)
            local->filter[word] &=
                filter->values.bits[word] & (filter->validity != NULL ? filter->validity[word] : ~(uint64_t)0);
    } else {
        for (size_t row = 0; row < in->rows; row++)
            if (!arb_vector_is_valid(filter, row) || !arb_vector_get_bool(filter, row))
                arb_bitmap_clear(local->filter, row);
    }
    return (uint32_t)arb_bitmap_count(local->filter, in->rows);
}

/* Keep the inputs of a deferred aggregate beside their groups. */
static arb_code defer(const hash_aggregate *aggregate, sink_local *local, size_t at, const arb_batch *in,
                      const uint64_t *selection, arb_error *error)
{
    const deferred_plan *plan = &aggregate->deferred[at];
    deferred_input *input = &local->deferred[at];
    uint16_t rows[ARB_VECTOR_ROWS + 64];
    arb_batch batch = *in;
    batch.selection = selection;
    size_t count = arb_batch_rows_selected(&batch, rows);
    for (size_t c = 1; c < plan->layout.column_count; c++)
        input->columns[c] = in->columns[plan->sources[c]];
    return arb_hash_aggregate_defer(plan, input, &local->groups->deferred[at], &batch, local->group, rows, count,
                                    error);
}

/* FINAL: the rows are states. */
static arb_code merge(const hash_aggregate *aggregate, sink_local *local, size_t at, const arb_batch *in,
                      const uint64_t *selection, arb_error *error)
{
    const arb_physical_aggregate *call = &aggregate->calls[at];
    for (size_t row = 0; row < in->rows; row++)
        local->states[row] = (void *)((uintptr_t)(aggregate->group_count == 0 ? local->single : local->group[row]) +
                                      aggregate->state_offsets[at]);
    return arb_aggregate_states_take(call, &local->groups->arena, &local->scratch, &in->columns[call->arguments[0]],
                                     in->rows, selection, local->states, error);
}

static arb_code update(const hash_aggregate *aggregate, sink_local *local, size_t at, const arb_batch *in,
                       const uint64_t *selection, arb_error *error)
{
    const arb_physical_aggregate *call = &aggregate->calls[at];
    arb_arena *arena = &local->groups->arena;
    uint32_t offset = aggregate->state_offsets[at];
    if (aggregate->phase == ARB_AGGREGATE_FINAL)
        return merge(aggregate, local, at, in, selection, error);
    for (size_t i = 0; i < call->plan.argument_count; i++)
        ARB_TRY(flat_column(local, in, call->arguments[i], &local->arguments[i], error));
    if (aggregate->group_count == 0)
        return call->plan.implementation->update_one(&call->plan, arena, local->arguments, in->rows, selection,
                                                     local->single + offset, error);
    for (size_t row = 0; row < in->rows; row++) /* rows that are not selected get nonsense that nobody reads */
        local->states[row] = (void *)((uintptr_t)local->group[row] + offset);
    return call->plan.implementation->update(&call->plan, arena, local->arguments, in->rows, selection, local->states,
                                             error);
}

/* Memory is short, or will be with the next batch: write what the driver holds, if that is much of it. */
static arb_code relieve(hash_aggregate *aggregate, sink_local *local, size_t rows, arb_error *error)
{
    arb_memory_share *share = &aggregate->base.share;
    driver_groups *groups = local->groups;
    bool grows = aggregate->group_count != 0 && !local->appends;
    uint64_t more = grows ? arb_group_table_growth(&groups->table, rows) : 0;
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        more += arb_group_table_growth(&groups->deferred[d], rows);
    if (!arb_memory_share_pressed(share, more) || groups->table.store.rows == 0 ||
        (aggregate->group_count == 0 && aggregate->deferred_count == 0))
        return ARB_OK;
    uint64_t held = arb_hash_aggregate_held(aggregate, groups);
    uint64_t all = atomic_load_explicit(&share->held, memory_order_relaxed);
    if (more == 0 && held * 2 * aggregate->base.context->drivers < all)
        return ARB_OK;
    if (local->index.on)
        arb_group_index_forget(&local->index);
    return arb_hash_aggregate_spill(aggregate, groups, aggregate->group_count == 0, error);
}

arb_code arb_hash_aggregate_sink(arb_operator *op, void *local_void, const arb_batch *in, arb_flow *out_flow,
                                 arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    sink_local *local = local_void;
    *out_flow = ARB_FLOW_NEED_INPUT;
    size_t count = arb_batch_rows_selected(in, local->selected);
    if (count == 0)
        return ARB_OK;
    if (aggregate->phase != ARB_AGGREGATE_PARTIAL)
        ARB_TRY(relieve(aggregate, local, count, error));
    memset(local->is_flat, 0, op->node->children[0]->layout.count);
    ARB_TRY(find_groups(aggregate, local, in, count, error));
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_physical_aggregate *call = &aggregate->calls[i];
        const uint64_t *selection = in->selection;
        if (call->filter >= 0) {
            if (filter_rows(local, in, &in->columns[call->filter]) == 0)
                continue;
            selection = local->filter;
        }
        if (aggregate->deferred_of[i] >= 0)
            ARB_TRY(defer(aggregate, local, (size_t)aggregate->deferred_of[i], in, selection, error));
        else
            ARB_TRY(update(aggregate, local, i, in, selection, error));
    }
    return arb_hash_aggregate_account(aggregate, local->groups, error);
}

arb_code arb_hash_aggregate_combine(arb_operator *op, void *local_void, arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    sink_local *local = local_void;
    driver_groups *groups = local->groups;
    uint64_t more = arb_hash_aggregate_merge_bytes(aggregate, groups);
    if (arb_hash_aggregate_has_spilled(aggregate) ||
        (more >= merge_bytes_much && arb_memory_share_pressed(&op->share, more)))
        ARB_TRY(arb_hash_aggregate_spill(aggregate, groups, false, error));
    else if (groups->table.store.rows > AGGREGATE_PART_ROWS)
        ARB_TRY(arb_hash_aggregate_partition(aggregate, groups, AGGREGATE_PARTS, error));
    pthread_mutex_lock(&aggregate->lock);
    groups->next = aggregate->drivers;
    aggregate->drivers = groups;
    aggregate->driver_count++;
    local->groups = NULL;
    pthread_mutex_unlock(&aggregate->lock);
    return ARB_OK;
}
