#include "execution/operators/hash_aggregate.h"

/* Nobody reads the groups any more. */
static void release(arb_operator *op)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    while (aggregate->drivers != NULL) {
        driver_groups *next = aggregate->drivers->next;
        arb_hash_aggregate_groups_destroy(aggregate, aggregate->drivers);
        aggregate->drivers = next;
    }
    for (size_t p = 0; p < AGGREGATE_PARTS; p++) {
        arb_free(aggregate->parts[p].rows);
        aggregate->parts[p].rows = NULL;
        arb_arena_reset(&aggregate->parts[p].arena);
        arb_reservation_reset(&aggregate->parts[p].reservation);
    }
    arb_hash_aggregate_spills_destroy(aggregate);
    arb_memory_share_settle(&op->share);
}

static void destroy(arb_operator *op)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    release(op);
    arb_operator_spill_reset(op);
    pthread_mutex_destroy(&aggregate->lock);
    arb_arena_reset(&aggregate->arena);
    arb_free(aggregate);
}

static const arb_operator_vtable aggregate_vtable = {
    .name = "AGGREGATE",
    .destroy = destroy,
    .source_create = arb_hash_aggregate_source_create,
    .pull = arb_hash_aggregate_pull,
    .source_destroy = arb_hash_aggregate_source_destroy,
    .source_parallelism = arb_hash_aggregate_source_parallelism,
    .sink_create = arb_hash_aggregate_sink_create,
    .sink = arb_hash_aggregate_sink,
    .combine = arb_hash_aggregate_combine,
    .sink_destroy = arb_hash_aggregate_sink_destroy,
    .finish_parts = arb_hash_aggregate_finish_parts,
    .finish_part = arb_hash_aggregate_finish_part,
    .finish = arb_hash_aggregate_finish,
    .release = release,
};

static const arb_operator_vtable partial_vtable = {
    .name = "AGGREGATE",
    .destroy = destroy,
    .transform_create = arb_hash_aggregate_partial_create,
    .push = arb_hash_aggregate_partial_push,
    .flush = arb_hash_aggregate_partial_flush,
    .transform_destroy = arb_hash_aggregate_partial_destroy,
};

/* ---- planning --------------------------------------------------------------------------------------------------------- */

static arb_code plan_deferred(hash_aggregate *aggregate, deferred_plan *plan, const arb_physical_aggregate *call,
                              uint32_t state_offset, arb_error *error)
{
    const arb_layout *child = &aggregate->base.node->children[0]->layout;
    size_t arguments = call->plan.argument_count, count = 1 + arguments + call->order_count;
    arb_slot *slots = ARB_ARENA_ARRAY(&aggregate->arena, arb_slot, count);
    arb_row_order_key *order = ARB_ARENA_ARRAY(&aggregate->arena, arb_row_order_key, call->order_count + 1);
    plan->call = call;
    plan->state_offset = state_offset;
    plan->sources = ARB_ARENA_ARRAY(&aggregate->arena, uint32_t, count);
    plan->positions = ARB_ARENA_ARRAY(&aggregate->arena, uint32_t, count);
    if (slots == NULL || order == NULL || plan->sources == NULL || plan->positions == NULL)
        return arb_fail_memory(error, "aggregation", count * sizeof *slots);
    slots[0] = (arb_slot){.type = ARB_TYPE(BIGINT), .physical = ARB_PHYS_INT64};
    order[0] = (arb_row_order_key){.column = 0};
    for (size_t i = 0; i < arguments; i++)
        plan->sources[1 + i] = call->arguments[i];
    for (size_t i = 0; i < call->order_count; i++) {
        plan->sources[1 + arguments + i] = call->order[i].column;
        order[1 + i] =
            (arb_row_order_key){(uint32_t)(1 + arguments + i), call->order[i].descending, call->order[i].nulls_first};
    }
    for (size_t i = 1; i < count; i++) {
        plan->positions[i] = (uint32_t)i;
        slots[i] = child->slots[plan->sources[i]];
    }
    plan->key_count = call->distinct ? 1 + arguments : 0;
    plan->order = (arb_row_order){&plan->layout, call->order_count == 0 ? 0 : 1 + call->order_count, order};
    ARB_TRY(arb_row_layout_init(&plan->layout, &aggregate->arena, slots, count, 0, error));
    size_t keys = aggregate->group_count;
    arb_slot *away = ARB_ARENA_ARRAY(&aggregate->arena, arb_slot, keys + count);
    if (away == NULL)
        return arb_fail_memory(error, "aggregation", (keys + count) * sizeof *away);
    for (size_t i = 0; i < keys; i++)
        away[i] = child->slots[aggregate->groups[i]];
    memcpy(away + keys, slots + 1, (count - 1) * sizeof *slots);
    return arb_row_layout_init(&plan->away, &aggregate->arena, away, keys + count - 1, 0, error);
}

static arb_code plan_states(hash_aggregate *aggregate, uint32_t *out_size, arb_error *error)
{
    size_t count = aggregate->call_count;
    aggregate->state_offsets = ARB_ARENA_ARRAY(&aggregate->arena, uint32_t, count + 1);
    aggregate->deferred = ARB_ARENA_ARRAY(&aggregate->arena, deferred_plan, count + 1);
    aggregate->deferred_of = ARB_ARENA_ARRAY(&aggregate->arena, int, count + 1);
    if (aggregate->state_offsets == NULL || aggregate->deferred == NULL || aggregate->deferred_of == NULL)
        return arb_fail_memory(error, "aggregation", count * sizeof(deferred_plan));
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++) {
        aggregate->state_offsets[i] = (uint32_t)size;
        size += arb_round_up(aggregate->calls[i].state_size, 8);
    }
    if (size > ARB_ROW_PAGE_MOST)
        return arb_fail(error, ARB_LIMIT_EXCEEDED, "the aggregates of one SELECT need too much memory a group");
    *out_size = (uint32_t)size;
    return ARB_OK;
}

static arb_code plan_rows(hash_aggregate *aggregate, arb_error *error)
{
    const arb_physical_node *node = aggregate->base.node;
    const arb_layout *child = &node->children[0]->layout;
    uint32_t size = 0;
    arb_slot *keys = ARB_ARENA_ARRAY(&aggregate->arena, arb_slot, aggregate->group_count + 1);
    if (keys == NULL)
        return arb_fail_memory(error, "aggregation", aggregate->group_count * sizeof *keys);
    for (size_t i = 0; i < aggregate->group_count; i++)
        keys[i] = child->slots[aggregate->groups[i]];
    ARB_TRY(plan_states(aggregate, &size, error));
    ARB_TRY(arb_row_layout_init(&aggregate->layout, &aggregate->arena, keys, aggregate->group_count, size, error));
    char *fresh = arb_arena_alloc_zeroed(&aggregate->arena, size + 16);
    if (fresh == NULL)
        return arb_fail_memory(error, "aggregation", size);
    aggregate->fresh = fresh;
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_physical_aggregate *call = &aggregate->calls[i];
        call->plan.implementation->init(&call->plan, fresh + aggregate->state_offsets[i]);
        aggregate->state_offsets[i] += aggregate->layout.extra_offset;
        aggregate->deferred_of[i] = -1;
        if (!call->distinct && call->order_count == 0)
            continue;
        if (aggregate->phase != ARB_AGGREGATE_COMPLETE)
            return arb_fail(error, ARB_INTERNAL, "an aggregate with DISTINCT or ORDER BY was cut in two");
        aggregate->deferred_of[i] = (int)aggregate->deferred_count;
        ARB_TRY(plan_deferred(aggregate, &aggregate->deferred[aggregate->deferred_count++], call,
                              aggregate->state_offsets[i], error));
    }
    return ARB_OK;
}

/* The plan's calls, told when to give up. */
static arb_code copy_calls(hash_aggregate *aggregate, arb_error *error)
{
    size_t count = aggregate->call_count;
    arb_physical_aggregate *calls = ARB_ARENA_ARRAY(&aggregate->arena, arb_physical_aggregate, count + 1);
    if (calls == NULL)
        return arb_fail_memory(error, "aggregation", count * sizeof *calls);
    for (size_t i = 0; i < count; i++) {
        calls[i] = aggregate->base.node->aggregate.aggregates[i];
        calls[i].plan.stop = &aggregate->base.context->cancelled;
    }
    aggregate->calls = calls;
    return ARB_OK;
}

arb_code arb_hash_aggregate_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                                   arb_error *error)
{
    *out_op = NULL;
    hash_aggregate *aggregate = arb_alloc_zeroed(sizeof *aggregate);
    if (aggregate == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *aggregate);
    aggregate->base = (arb_operator){.vtable = &aggregate_vtable, .node = node, .context = context};
    if (node->aggregate.phase == ARB_AGGREGATE_PARTIAL)
        aggregate->base.vtable = &partial_vtable;
    pthread_mutex_init(&aggregate->lock, NULL);
    aggregate->phase = node->aggregate.phase;
    aggregate->group_count = node->aggregate.group_count;
    aggregate->groups = node->aggregate.groups;
    aggregate->call_count = node->aggregate.aggregate_count;
    arb_operator_may_spill(&aggregate->base);
    for (size_t p = 0; p < AGGREGATE_PARTS; p++) {
        arb_reservation_init(&aggregate->parts[p].reservation, context->memory, "aggregation");
        aggregate->parts[p].reservation.share = &aggregate->base.share;
    }
    arb_code code = copy_calls(aggregate, error);
    if (code == ARB_OK)
        code = plan_rows(aggregate, error);
    if (code != ARB_OK) {
        destroy(&aggregate->base);
        return code;
    }
    *out_op = &aggregate->base;
    return ARB_OK;
}

/* ---- a driver's groups ------------------------------------------------------------------------------------------------ */

driver_groups *arb_hash_aggregate_groups_create(hash_aggregate *aggregate, arb_error *error)
{
    arb_memory *memory = aggregate->base.context->memory;
    arb_memory_share *share = &aggregate->base.share;
    size_t deferred = aggregate->deferred_count;
    driver_groups *groups = arb_alloc_zeroed(sizeof *groups);
    if (groups == NULL) {
        arb_fail_memory(error, "aggregation", sizeof *groups);
        return NULL;
    }
    arb_reservation_init(&groups->reservation, memory, "aggregation");
    groups->reservation.share = share;
    groups->deferred = arb_alloc_zeroed((deferred + 1) * sizeof *groups->deferred);
    if (groups->deferred == NULL) {
        arb_fail_memory(error, "aggregation", deferred * sizeof *groups->deferred);
        goto failed;
    }
    if (arb_group_table_init(&groups->table, &aggregate->layout, aggregate->group_count, aggregate->fresh, memory,
                             share, "aggregation", error) != ARB_OK)
        goto failed;
    for (size_t d = 0; d < deferred; d++)
        if (arb_group_table_init(&groups->deferred[d], &aggregate->deferred[d].layout, aggregate->deferred[d].key_count,
                                 NULL, memory, share, "aggregation", error) != ARB_OK)
            goto failed;
    return groups;
failed:
    arb_hash_aggregate_groups_destroy(aggregate, groups);
    return NULL;
}

void arb_hash_aggregate_groups_clear(driver_groups *groups)
{
    arb_group_table_clear(&groups->table);
    arb_arena_reset(&groups->arena);
    arb_reservation_reset(&groups->reservation);
    groups->reserved_arena = 0;
}

void arb_hash_aggregate_groups_destroy(const hash_aggregate *aggregate, driver_groups *groups)
{
    if (groups == NULL)
        return;
    arb_group_table_reset(&groups->table);
    for (size_t d = 0; groups->deferred != NULL && d < aggregate->deferred_count; d++)
        arb_group_table_reset(&groups->deferred[d]);
    for (size_t i = 0; groups->parts != NULL && i < 1 + aggregate->deferred_count; i++)
        arb_free(groups->parts[i]);
    arb_free(groups->parts);
    arb_free(groups->offsets);
    arb_free(groups->deferred);
    arb_arena_reset(&groups->arena);
    arb_reservation_reset(&groups->reservation);
    arb_free(groups);
}

/* With groups it is granted in any case: it is what one batch has added, and the next one only comes when there is room. */
arb_code arb_hash_aggregate_account(const hash_aggregate *aggregate, driver_groups *groups, arb_error *error)
{
    if (groups->arena.total <= groups->reserved_arena)
        return ARB_OK;
    uint64_t more = groups->arena.total - groups->reserved_arena;
    if (aggregate->group_count == 0)
        ARB_TRY(arb_reservation_grow(&groups->reservation, more, error));
    else
        arb_reservation_force(&groups->reservation, more);
    groups->reserved_arena = groups->arena.total;
    return ARB_OK;
}

/* ---- inputs of deferred aggregates -------------------------------------------------------------------------------------- */

arb_code arb_deferred_input_init(deferred_input *input, const deferred_plan *plan, arb_error *error)
{
    size_t columns = plan->layout.column_count;
    *input = (deferred_input){.columns = arb_alloc_zeroed(columns * sizeof *input->columns)};
    if (input->columns == NULL)
        return arb_fail_memory(error, "aggregation", columns * sizeof *input->columns);
    return arb_key_columns_init(&input->keys, plan->positions, plan->key_count, error);
}

void arb_deferred_input_reset(deferred_input *input)
{
    arb_free(input->columns);
    arb_key_columns_reset(&input->keys);
    *input = (deferred_input){0};
}

arb_code arb_hash_aggregate_defer(const deferred_plan *plan, deferred_input *input, arb_group_table *table,
                                  const arb_batch *in, char *const *groups, const uint16_t *rows, size_t count,
                                  arb_error *error)
{
    size_t columns = plan->layout.column_count;
    /* The addresses of rows that are not selected are unspecified, which does no harm. */
    input->columns[0] =
        (arb_vector){.physical = ARB_PHYS_INT64, .encoding = ARB_FLAT, .values = {.data = (void *)(uintptr_t)groups}};
    arb_batch batch = *in;
    batch.columns = input->columns;
    batch.column_count = (uint32_t)columns;
    if (plan->key_count == 0) {
        ARB_TRY(arb_row_store_append(&table->store, count, input->made, error));
        for (size_t c = 0; c < columns; c++)
            ARB_TRY(arb_row_store_scatter(&table->store, c, &input->columns[c], rows, count, input->made, error));
        return ARB_OK;
    }
    arb_key_columns_load(&input->keys, &batch);
    ARB_TRY(arb_key_columns_hash(&input->keys, error));
    ARB_TRY(arb_key_columns_flatten(&input->keys, error));
    uint64_t before = table->store.rows;
    ARB_TRY(arb_group_table_find(table, &input->keys, rows, count, input->found, error));
    if (columns == plan->key_count || table->store.rows == before)
        return ARB_OK;
    /* Columns to order by follow from the arguments, so writing them again changes nothing. */
    for (size_t i = 0; i < count; i++)
        input->made[i] = input->found[rows[i]];
    for (size_t c = plan->key_count; c < columns; c++)
        ARB_TRY(arb_row_store_scatter(&table->store, c, &input->columns[c], rows, count, input->made, error));
    return ARB_OK;
}
