/* hash_aggregate_feed.c: inputs of aggregates with DISTINCT or ORDER BY, which were kept until all drivers were done,
 * reach the states of one partition's groups: equal ones once, and in the order asked for. */
#include "execution/operators/hash_aggregate.h"

typedef struct feed_state {
    hash_aggregate *aggregate;
    const deferred_plan *plan;
    arb_arena *arena;             /* of the states */
    arb_reservation *reservation; /* for the lists */
    arb_group_table unique;       /* of several drivers' inputs */
    arb_key_columns keys;
    arb_vector_storage *storage; /* one a column */
    arb_vector *columns;
    const arb_vector **arguments;
    char **rows, **scratch; /* all inputs of the partition */
    size_t count;
    uint64_t bytes; /* reserved for both */
    void *states[ARB_VECTOR_ROWS];
    uint16_t numbers[ARB_VECTOR_ROWS];
    char *found[ARB_VECTOR_ROWS];
} feed_state;

static void reset(feed_state *feed)
{
    arb_group_table_reset(&feed->unique);
    arb_key_columns_reset(&feed->keys);
    for (size_t c = 0; feed->storage != NULL && c < feed->plan->layout.column_count; c++)
        arb_vector_storage_reset(&feed->storage[c]);
    arb_free(feed->storage);
    arb_free(feed->columns);
    arb_free(feed->arguments);
    arb_free(feed->rows);
    arb_free(feed->scratch);
    arb_reservation_shrink(feed->reservation, feed->bytes);
    arb_free(feed);
}

static arb_code create(hash_aggregate *aggregate, const deferred_plan *plan, arb_arena *arena,
                       arb_reservation *reservation, feed_state **out, arb_error *error)
{
    feed_state *feed = arb_alloc_zeroed(sizeof *feed);
    if (feed == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *feed);
    *out = feed;
    feed->aggregate = aggregate;
    feed->plan = plan;
    feed->arena = arena;
    feed->reservation = reservation;
    size_t columns = plan->layout.column_count;
    feed->storage = arb_alloc_zeroed(columns * sizeof *feed->storage);
    feed->columns = arb_alloc_zeroed(columns * sizeof *feed->columns);
    feed->arguments = arb_alloc_zeroed(columns * sizeof *feed->arguments);
    if (feed->storage == NULL || feed->columns == NULL || feed->arguments == NULL)
        return arb_fail_memory(error, "aggregation", columns * sizeof *feed->storage);
    for (size_t c = 0; c < columns; c++)
        ARB_TRY(arb_vector_storage_init(&feed->storage[c], (arb_physical)plan->layout.columns[c].physical,
                                        ARB_VECTOR_ROWS, error));
    for (size_t i = 0; i < ARB_VECTOR_ROWS; i++)
        feed->numbers[i] = (uint16_t)i;
    return ARB_OK;
}

/* The columns of some rows as vectors. */
static void gather(feed_state *feed, char *const *rows, size_t count)
{
    for (size_t c = 0; c < feed->plan->layout.column_count; c++)
        arb_row_gather(&feed->plan->layout, c, rows, count, true, &feed->storage[c], &feed->columns[c]);
}

/* Room for so many inputs. */
static arb_code make_lists(feed_state *feed, uint64_t count, arb_error *error)
{
    uint64_t bytes = 2 * count * sizeof(char *);
    ARB_TRY(arb_reservation_grow(feed->reservation, bytes, error));
    feed->bytes = bytes;
    feed->rows = arb_alloc(count * sizeof *feed->rows);
    feed->scratch = arb_alloc(count * sizeof *feed->rows);
    return feed->rows != NULL && feed->scratch != NULL ? ARB_OK : arb_fail_memory(error, "aggregation", bytes);
}

static void list_rows(feed_state *feed, const arb_row_store *store)
{
    feed->count = 0;
    for (size_t p = 0; p < store->pages.size; p++)
        for (size_t i = 0; i < store->pages.data[p]->rows; i++)
            feed->rows[feed->count++] = arb_row_page_row(store->layout, store->pages.data[p], i);
}

/* All inputs of the partition, each with the row that its group has now. */
static arb_code collect(feed_state *feed, uint32_t at, size_t deferred, arb_error *error)
{
    const hash_aggregate *aggregate = feed->aggregate;
    uint32_t offset = feed->plan->layout.columns[0].offset;
    size_t count = 0;
    for (const driver_groups *groups = aggregate->drivers; groups != NULL; groups = groups->next)
        count += groups->offsets[1 + deferred][at + 1] - groups->offsets[1 + deferred][at];
    ARB_TRY(make_lists(feed, count, error));
    for (const driver_groups *groups = aggregate->drivers; groups != NULL; groups = groups->next)
        for (uint64_t i = groups->offsets[1 + deferred][at]; i < groups->offsets[1 + deferred][at + 1]; i++) {
            char *row = groups->parts[1 + deferred][i];
            const char *group = (const char *)(uintptr_t)arb_load_u64(row + offset);
            arb_store_u64(row + offset, arb_load_u64(group));
            feed->rows[feed->count++] = row;
        }
    return ARB_OK;
}

/* Drivers have each kept what is new to them alone: keep what is new to all. */
static arb_code make_unique(feed_state *feed, arb_error *error)
{
    const deferred_plan *plan = feed->plan;
    arb_memory *memory = feed->aggregate->base.context->memory;
    ARB_TRY(arb_group_table_init(&feed->unique, &plan->layout, plan->key_count, NULL, memory,
                                 &feed->aggregate->base.share, "aggregation", error));
    ARB_TRY(arb_key_columns_init(&feed->keys, plan->positions, plan->key_count, error));
    for (size_t from = 0; from < feed->count; from += ARB_VECTOR_ROWS) {
        size_t count = ARB_MIN(feed->count - from, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(arb_check_stop(&feed->aggregate->base.context->cancelled, error));
        gather(feed, feed->rows + from, count);
        arb_batch batch = {.rows = (uint32_t)count,
                           .selected = (uint32_t)count,
                           .column_count = (uint32_t)plan->layout.column_count,
                           .columns = feed->columns};
        arb_key_columns_load(&feed->keys, &batch);
        ARB_TRY(arb_key_columns_hash(&feed->keys, error));
        ARB_TRY(arb_key_columns_flatten(&feed->keys, error));
        ARB_TRY(arb_group_table_find(&feed->unique, &feed->keys, feed->numbers, count, feed->found, error));
        for (size_t c = plan->key_count; c < plan->layout.column_count; c++)
            ARB_TRY(arb_row_store_scatter(&feed->unique.store, c, &feed->columns[c], NULL, count, feed->found, error));
    }
    list_rows(feed, &feed->unique.store);
    return ARB_OK;
}

static arb_code update(feed_state *feed, arb_error *error)
{
    const deferred_plan *plan = feed->plan;
    const arb_aggregate_plan *call = &plan->call->plan;
    for (size_t i = 0; i < call->argument_count; i++)
        feed->arguments[i] = &feed->columns[1 + i];
    for (size_t from = 0; from < feed->count; from += ARB_VECTOR_ROWS) {
        size_t count = ARB_MIN(feed->count - from, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(arb_check_stop(&feed->aggregate->base.context->cancelled, error));
        gather(feed, feed->rows + from, count);
        for (size_t i = 0; i < count; i++)
            feed->states[i] = (void *)(uintptr_t)((uint64_t)feed->columns[0].values.i64[i] + plan->state_offset);
        ARB_TRY(call->implementation->update(call, feed->arena, feed->arguments, (uint32_t)count, NULL, feed->states,
                                             error));
    }
    return ARB_OK;
}

static arb_code sort_and_update(feed_state *feed, arb_error *error)
{
    if (feed->plan->order.count != 0)
        ARB_TRY(arb_rows_sort(&feed->plan->order, feed->rows, feed->count, feed->scratch,
                              &feed->aggregate->base.context->cancelled, error));
    return update(feed, error);
}

static arb_code feed_one(feed_state *feed, uint32_t at, size_t deferred, arb_error *error)
{
    ARB_TRY(collect(feed, at, deferred, error));
    if (feed->plan->key_count != 0 && (feed->aggregate->driver_count > 1 || feed->aggregate->drivers->repeats))
        ARB_TRY(make_unique(feed, error));
    return sort_and_update(feed, error);
}

arb_code arb_hash_aggregate_feed(hash_aggregate *aggregate, uint32_t at, arb_error *error)
{
    for (size_t d = 0; d < aggregate->deferred_count; d++) {
        feed_state *feed = NULL;
        group_part *part = &aggregate->parts[at];
        arb_code code = create(aggregate, &aggregate->deferred[d], &part->arena, &part->reservation, &feed, error);
        if (code == ARB_OK)
            code = feed_one(feed, at, d, error);
        if (feed != NULL)
            reset(feed);
        ARB_TRY(code);
    }
    return ARB_OK;
}

arb_code arb_hash_aggregate_feed_groups(hash_aggregate *aggregate, driver_groups *groups, size_t deferred,
                                        arb_error *error)
{
    feed_state *feed = NULL;
    arb_group_table *table = &groups->deferred[deferred];
    arb_code code =
        create(aggregate, &aggregate->deferred[deferred], &groups->arena, &groups->reservation, &feed, error);
    if (code == ARB_OK)
        code = make_lists(feed, table->store.rows, error);
    if (code == ARB_OK) {
        list_rows(feed, &table->store);
        code = sort_and_update(feed, error);
    }
    if (feed != NULL)
        reset(feed);
    arb_group_table_clear(table);
    return code == ARB_OK ? arb_hash_aggregate_account(aggregate, groups, error) : code;
}
