/* hash_aggregate_merge.c: rows of several drivers become groups, partition by partition. */
#include "execution/operators/hash_aggregate.h"

enum { prefetch_ahead = 12, look_every = 1 << 12 /* rows, between two looks at whether it is still wanted */ };

ARB_INLINE uint32_t part_of(uint64_t hash, uint32_t parts)
{
    return (uint32_t)(hash >> AGGREGATE_PART_SHIFT) & (parts - 1);
}

/* The hash of the group that a row of the table (or, when deferred, a row about a group) belongs to. */
ARB_INLINE uint64_t group_hash(const arb_row_layout *layout, const char *row, bool deferred)
{
    const char *group = deferred ? (const char *)(uintptr_t)arb_load_u64(row + layout->columns[0].offset) : row;
    return arb_load_u64(group);
}

static arb_code partition_store(const arb_row_store *store, uint32_t parts, bool deferred, arb_reservation *reservation,
                                char ***out_rows, uint64_t *offsets, arb_error *error)
{
    const arb_row_layout *layout = store->layout;
    uint64_t bytes = store->rows * sizeof(char *), next[AGGREGATE_PARTS] = {0};
    ARB_TRY(arb_reservation_grow(reservation, bytes, error));
    char **rows = arb_alloc(bytes);
    if (rows == NULL)
        return arb_fail_memory(error, "aggregation", bytes);
    *out_rows = rows;
    for (size_t p = 0; p < store->pages.size; p++)
        for (size_t i = 0; i < store->pages.data[p]->rows; i++)
            next[part_of(group_hash(layout, arb_row_page_row(layout, store->pages.data[p], i), deferred), parts)]++;
    uint64_t sum = 0;
    for (uint32_t part = 0; part < parts; part++) {
        offsets[part] = sum;
        sum += next[part];
        next[part] = offsets[part];
    }
    offsets[parts] = sum;
    for (size_t p = 0; p < store->pages.size; p++)
        for (size_t i = 0; i < store->pages.data[p]->rows; i++) {
            char *row = arb_row_page_row(layout, store->pages.data[p], i);
            rows[next[part_of(group_hash(layout, row, deferred), parts)]++] = row;
        }
    return ARB_OK;
}

arb_code arb_hash_aggregate_partition(const hash_aggregate *aggregate, driver_groups *groups, uint32_t parts,
                                      arb_error *error)
{
    size_t lists = 1 + aggregate->deferred_count;
    groups->parts = arb_alloc_zeroed(lists * sizeof *groups->parts);
    groups->offsets = arb_alloc_zeroed(lists * sizeof *groups->offsets);
    if (groups->parts == NULL || groups->offsets == NULL)
        return arb_fail_memory(error, "aggregation", lists * sizeof *groups->offsets);
    for (size_t i = 0; i < lists; i++) {
        const arb_row_store *store = i == 0 ? &groups->table.store : &groups->deferred[i - 1].store;
        ARB_TRY(
            partition_store(store, parts, i != 0, &groups->reservation, &groups->parts[i], groups->offsets[i], error));
    }
    /* Nothing is looked up in the driver's own table any more. */
    arb_free(groups->table.entries);
    groups->table.entries = NULL;
    groups->table.capacity = 0;
    arb_reservation_reset(&groups->table.reservation);
    return ARB_OK;
}

uint64_t arb_hash_aggregate_merge_bytes(const hash_aggregate *aggregate, const driver_groups *groups)
{
    uint64_t rows = groups->table.store.rows;
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        rows += groups->deferred[d].store.rows;
    return rows * 2 * sizeof(char *);
}

/* Is there no room to merge what the drivers hold? Then it goes to disk, as what some of them held before may have. */
static bool must_spill(hash_aggregate *aggregate)
{
    uint64_t bytes = 0;
    if (aggregate->direct)
        return false;
    for (const driver_groups *groups = aggregate->drivers; groups != NULL; groups = groups->next)
        bytes += arb_hash_aggregate_merge_bytes(aggregate, groups);
    return arb_memory_share_pressed(&aggregate->base.share, bytes);
}

uint32_t arb_hash_aggregate_finish_parts(arb_operator *op)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    const driver_groups *first = aggregate->drivers;
    bool has_spilled = arb_hash_aggregate_has_spilled(aggregate);
    aggregate->direct =
        !has_spilled && aggregate->driver_count == 1 && !first->repeats && aggregate->deferred_count == 0;
    aggregate->spilled = has_spilled || must_spill(aggregate);
    if (aggregate->spilled)
        return (uint32_t)aggregate->driver_count;
    aggregate->part_count = 1;
    for (const driver_groups *groups = first; groups != NULL; groups = groups->next)
        if (groups->parts != NULL)
            aggregate->part_count = AGGREGATE_PARTS;
    return aggregate->direct ? 0 : aggregate->part_count;
}

/* The first part to run sorts what is small and was not partitioned yet. */
static arb_code prepare(hash_aggregate *aggregate, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&aggregate->lock);
    for (driver_groups *groups = aggregate->drivers; !aggregate->prepared && groups != NULL; groups = groups->next)
        if (groups->parts == NULL && code == ARB_OK)
            code = arb_hash_aggregate_partition(aggregate, groups, aggregate->part_count, error);
    aggregate->prepared = code == ARB_OK;
    pthread_mutex_unlock(&aggregate->lock);
    return code;
}

arb_code arb_hash_aggregate_combine_states(const hash_aggregate *aggregate, arb_arena *arena, char *into,
                                           const char *from, arb_error *error)
{
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        uint32_t offset = aggregate->state_offsets[i];
        if (aggregate->deferred_of[i] < 0)
            ARB_TRY(plan->implementation->combine(plan, arena, into + offset, from + offset, error));
    }
    return ARB_OK;
}

/* Deferred rows refer to groups by their rows; from now on a row's header says which row its group has. */
static void forward(const hash_aggregate *aggregate, char *row, char *group)
{
    if (aggregate->deferred_count != 0)
        *arb_row_header(row) = (uint64_t)(uintptr_t)group;
}

static arb_code merge_rows(hash_aggregate *aggregate, group_part *part, char *const *rows, size_t count,
                           uint64_t *entries, uint64_t mask, bool unique, arb_error *error)
{
    const arb_row_layout *layout = &aggregate->layout;
    for (size_t i = 0; i < count; i++) {
        if (i + prefetch_ahead < count)
            ARB_PREFETCH(rows[i + prefetch_ahead]);
        if (i % look_every == 0)
            ARB_TRY(arb_check_stop(&aggregate->base.context->cancelled, error));
        char *row = rows[i];
        uint64_t hash = *arb_row_header(row), at = hash & mask, salt = hash & ARB_SALT_MASK;
        char *group = NULL;
        for (; entries[at] != 0; at = (at + 1) & mask) {
            char *other = (char *)(uintptr_t)(entries[at] & ARB_GROUP_POINTER_MASK);
            if (!unique && (entries[at] & ARB_SALT_MASK) == salt &&
                arb_row_equal(layout, aggregate->group_count, row, other)) {
                group = other;
                break;
            }
        }
        if (group == NULL) {
            group = row;
            entries[at] = salt | (uint64_t)(uintptr_t)row;
            part->rows[part->count++] = row;
        } else {
            ARB_TRY(arb_hash_aggregate_combine_states(aggregate, &part->arena, group, row, error));
        }
        forward(aggregate, row, group);
    }
    return ARB_OK;
}

static arb_code merge_part(hash_aggregate *aggregate, uint32_t at, arb_error *error)
{
    group_part *part = &aggregate->parts[at];
    uint64_t rows = 0, entry_bytes;
    for (driver_groups *groups = aggregate->drivers; groups != NULL; groups = groups->next)
        rows += groups->offsets[0][at + 1] - groups->offsets[0][at];
    ARB_TRY(arb_reservation_grow(&part->reservation, rows * sizeof(char *), error));
    part->rows = arb_alloc(rows * sizeof(char *));
    if (part->rows == NULL)
        return arb_fail_memory(error, "aggregation", rows * sizeof(char *));
    const driver_groups *first = aggregate->drivers;
    if (aggregate->driver_count == 1 && !first->repeats) {
        part->count = rows;
        for (size_t i = 0; i < rows; i++) {
            part->rows[i] = first->parts[0][first->offsets[0][at] + i];
            forward(aggregate, part->rows[i], part->rows[i]);
        }
        return ARB_OK;
    }
    uint64_t capacity = arb_next_power_of_two(rows * 3 / 2 + 1);
    entry_bytes = capacity * sizeof(uint64_t);
    ARB_TRY(arb_reservation_grow(&part->reservation, entry_bytes, error));
    uint64_t *entries = arb_alloc_zeroed(entry_bytes);
    arb_code code = entries == NULL ? arb_fail_memory(error, "aggregation", entry_bytes) : ARB_OK;
    for (driver_groups *groups = aggregate->drivers; groups != NULL && code == ARB_OK; groups = groups->next)
        code = merge_rows(aggregate, part, groups->parts[0] + groups->offsets[0][at],
                          groups->offsets[0][at + 1] - groups->offsets[0][at], entries, capacity - 1,
                          groups == first && !groups->repeats, error);
    arb_free(entries);
    arb_reservation_shrink(&part->reservation, entry_bytes);
    return code;
}

static arb_code spill_driver(hash_aggregate *aggregate, uint32_t at, arb_error *error)
{
    driver_groups *groups = aggregate->drivers;
    while (at-- > 0)
        groups = groups->next;
    return arb_hash_aggregate_spill(aggregate, groups, false, error);
}

arb_code arb_hash_aggregate_finish_part(arb_operator *op, uint32_t at, arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    if (aggregate->spilled)
        return spill_driver(aggregate, at, error);
    ARB_TRY(prepare(aggregate, error));
    ARB_TRY(merge_part(aggregate, at, error));
    if (aggregate->deferred_count != 0)
        ARB_TRY(arb_hash_aggregate_feed(aggregate, at, error));
    group_part *part = &aggregate->parts[at];
    return arb_reservation_grow(&part->reservation, part->arena.total, error);
}

arb_code arb_hash_aggregate_finish(arb_operator *op, arb_error *error)
{
    hash_aggregate *aggregate = (hash_aggregate *)op;
    if (aggregate->spilled)
        return arb_hash_aggregate_spill_complete(aggregate, error);
    arb_memory_share_settle(&op->share);
    return ARB_OK;
}
