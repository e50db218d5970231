/* hash_aggregate_spill.c: groups and deferred inputs on their way to disk.
 *
 * A group's row goes as it is, states that refer to the arena packed behind it. A deferred row names its group by address,
 * so it takes the group's keys along in its place. */
#include "execution/operators/hash_aggregate.h"

enum { away_at_once = 32 * 1024 }; /* deferred rows */

/* ---- states as baggage -------------------------------------------------------------------------------------------------- */

static bool is_packed(const hash_aggregate *aggregate, size_t call)
{
    return aggregate->calls[call].plan.packs && aggregate->deferred_of[call] < 0; /* deferred: nothing is in it yet */
}

static uint64_t packed_size(const void *owner, const char *row)
{
    const hash_aggregate *aggregate = owner;
    uint64_t size = 0;
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        if (is_packed(aggregate, i))
            size += sizeof(uint32_t) + plan->implementation->packed_size(plan, row + aggregate->state_offsets[i]);
    }
    return size;
}

static void pack(const void *owner, const char *row, char *to)
{
    const hash_aggregate *aggregate = owner;
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        if (!is_packed(aggregate, i))
            continue;
        const char *state = row + aggregate->state_offsets[i];
        uint64_t size = plan->implementation->packed_size(plan, state);
        arb_store_u32(to, (uint32_t)size); /* what is larger than a block was refused before */
        plan->implementation->pack(plan, state, to + sizeof(uint32_t));
        to += sizeof(uint32_t) + size;
    }
}

static arb_code unpack(const void *owner, arb_arena *arena, const char *from, uint64_t size, char *row,
                       arb_error *error)
{
    const hash_aggregate *aggregate = owner;
    const char *end = from + size;
    for (size_t i = 0; i < aggregate->call_count; i++) {
        const arb_aggregate_plan *plan = &aggregate->calls[i].plan;
        if (!is_packed(aggregate, i))
            continue;
        uint64_t left = (uint64_t)(end - from);
        if (left < sizeof(uint32_t) || left - sizeof(uint32_t) < arb_load_u32(from))
            return arb_fail(error, ARB_CORRUPT_DATA, "the state of an aggregate was damaged on disk");
        uint32_t state_size = arb_load_u32(from);
        from += sizeof state_size;
        ARB_TRY(plan->implementation->unpack(plan, arena, from, state_size, row + aggregate->state_offsets[i], error));
        from += state_size;
    }
    return ARB_OK;
}

/* ---- where it goes ------------------------------------------------------------------------------------------------------ */

static void spill_destroy(const hash_aggregate *aggregate, group_spill *spill)
{
    if (spill == NULL)
        return;
    arb_row_spill_destroy(spill->groups);
    for (size_t d = 0; spill->deferred != NULL && d < aggregate->deferred_count; d++)
        arb_row_spill_destroy(spill->deferred[d]);
    arb_free(spill->deferred);
    arb_free(spill);
}

void arb_hash_aggregate_spills_destroy(hash_aggregate *aggregate)
{
    while (aggregate->spills != NULL) {
        group_spill *next = aggregate->spills->next;
        spill_destroy(aggregate, aggregate->spills);
        aggregate->spills = next;
    }
    ARB_VEC_RESET(&aggregate->waiting);
}

static arb_code create_spill(hash_aggregate *aggregate, unsigned level, group_spill **out_spill, arb_error *error)
{
    group_spill *spill = *out_spill = arb_alloc_zeroed(sizeof *spill);
    if (spill == NULL)
        return arb_fail_memory(error, "aggregation", sizeof *spill);
    arb_row_format format = {.layout = &aggregate->layout, .file = &aggregate->base.spill};
    for (size_t i = 0; i < aggregate->call_count; i++)
        if (is_packed(aggregate, i))
            format.baggage = &aggregate->baggage;
    spill->level = level;
    ARB_TRY(arb_row_spill_create(format, level, &spill->groups, error));
    spill->deferred = arb_alloc_zeroed((aggregate->deferred_count + 1) * sizeof(arb_row_spill *));
    if (spill->deferred == NULL)
        return arb_fail_memory(error, "aggregation", aggregate->deferred_count * sizeof(arb_row_spill *));
    for (size_t d = 0; d < aggregate->deferred_count; d++) {
        arb_row_format away = {.layout = &aggregate->deferred[d].away, .file = &aggregate->base.spill};
        ARB_TRY(arb_row_spill_create(away, level, &spill->deferred[d], error));
    }
    return ARB_OK;
}

/* With the lock held. */
static arb_code add_spill(hash_aggregate *aggregate, unsigned level, group_spill **out_spill, arb_error *error)
{
    arb_code code = create_spill(aggregate, level, out_spill, error);
    if (code != ARB_OK) {
        spill_destroy(aggregate, *out_spill);
        *out_spill = NULL;
        return code;
    }
    (*out_spill)->next = aggregate->spills;
    aggregate->spills = *out_spill;
    return ARB_OK;
}

arb_code arb_hash_aggregate_spill_create(hash_aggregate *aggregate, unsigned level, group_spill **out_spill,
                                         arb_error *error)
{
    pthread_mutex_lock(&aggregate->lock);
    arb_code code = add_spill(aggregate, level, out_spill, error);
    pthread_mutex_unlock(&aggregate->lock);
    return code;
}

/* The one of level 0, which all drivers write to; the first to come makes it. */
static arb_code first_spill(hash_aggregate *aggregate, group_spill **out_spill, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&aggregate->lock);
    *out_spill = aggregate->spills;
    if (*out_spill == NULL) {
        aggregate->baggage = (arb_row_baggage){aggregate, packed_size, pack, unpack};
        code = add_spill(aggregate, 0, out_spill, error);
    }
    pthread_mutex_unlock(&aggregate->lock);
    return code;
}

bool arb_hash_aggregate_has_spilled(hash_aggregate *aggregate)
{
    pthread_mutex_lock(&aggregate->lock);
    bool spilled = aggregate->spills != NULL;
    pthread_mutex_unlock(&aggregate->lock);
    return spilled;
}

/* ---- what goes ---------------------------------------------------------------------------------------------------------- */

static void move_column(const arb_row_layout *from_layout, size_t from_column, const char *from,
                        const arb_row_layout *to_layout, size_t to_column, char *to)
{
    arb_row_column at = from_layout->columns[from_column];
    memcpy(to + to_layout->columns[to_column].offset, from + at.offset, at.width);
    if (arb_row_is_null(from_layout, from, from_column))
        arb_row_set_null(to_layout, to, to_column);
}

/* A deferred row with the keys of its group instead of its address. Texts still lie where they did. */
static void make_away(const hash_aggregate *aggregate, const deferred_plan *plan, const char *row, char *to)
{
    const char *group = (const char *)(uintptr_t)arb_load_u64(row + plan->layout.columns[0].offset);
    size_t keys = aggregate->group_count;
    *arb_row_header(to) = arb_load_u64(group);
    memset(to + plan->away.null_offset, 0, plan->away.null_bytes);
    for (size_t k = 0; k < keys; k++)
        move_column(&aggregate->layout, k, group, &plan->away, k, to);
    for (size_t c = 1; c < plan->layout.column_count; c++)
        move_column(&plan->layout, c, row, &plan->away, keys + c - 1, to);
}

static arb_code spill_deferred(const hash_aggregate *aggregate, const deferred_plan *plan, driver_groups *groups,
                               arb_group_table *table, arb_row_spill *spill, arb_error *error)
{
    const arb_row_store *store = &table->store;
    size_t most = (size_t)ARB_MIN(store->rows, (uint64_t)away_at_once), count = 0, size = plan->away.size;
    bool *has_null = arb_alloc(plan->away.column_count + 1);
    char *bytes = arb_alloc(most * size + 1), **rows = arb_alloc((most + 1) * sizeof *rows);
    arb_code code = ARB_OK;
    if (has_null == NULL || bytes == NULL || rows == NULL) {
        code = arb_fail_memory(error, "aggregation", most * size);
        goto done;
    }
    memcpy(has_null, groups->table.store.has_null, aggregate->group_count);
    memcpy(has_null + aggregate->group_count, store->has_null + 1, plan->layout.column_count - 1);
    for (size_t p = 0; p < store->pages.size; p++)
        for (size_t i = 0; i < store->pages.data[p]->rows; i++) {
            rows[count] = bytes + count * size;
            make_away(aggregate, plan, arb_row_page_row(store->layout, store->pages.data[p], i), rows[count]);
            if (++count < most)
                continue;
            ARB_TRY_GOTO(code, arb_row_spill_rows(spill, rows, count, has_null, error), done);
            count = 0;
        }
    code = arb_row_spill_rows(spill, rows, count, has_null, error);
done:
    arb_free(has_null);
    arb_free(bytes);
    arb_free(rows);
    if (code == ARB_OK)
        arb_group_table_clear(table);
    return code;
}

uint64_t arb_hash_aggregate_held(const hash_aggregate *aggregate, const driver_groups *groups)
{
    uint64_t bytes =
        groups->reservation.bytes + groups->table.reservation.bytes + groups->table.store.reservation.bytes;
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        bytes += groups->deferred[d].reservation.bytes + groups->deferred[d].store.reservation.bytes;
    return bytes;
}

/* Lists of rows by partition, made for a merge that will not be. */
static void drop_parts(const hash_aggregate *aggregate, driver_groups *groups)
{
    for (size_t i = 0; groups->parts != NULL && i < 1 + aggregate->deferred_count; i++)
        arb_free(groups->parts[i]);
    arb_free(groups->parts);
    arb_free(groups->offsets);
    groups->parts = NULL;
    groups->offsets = NULL;
}

arb_code arb_hash_aggregate_spill(hash_aggregate *aggregate, driver_groups *groups, bool deferred_alone,
                                  arb_error *error)
{
    group_spill *spill;
    ARB_TRY(first_spill(aggregate, &spill, error));
    for (size_t d = 0; d < aggregate->deferred_count; d++)
        ARB_TRY(spill_deferred(aggregate, &aggregate->deferred[d], groups, &groups->deferred[d], spill->deferred[d],
                               error));
    if (deferred_alone)
        return ARB_OK;
    drop_parts(aggregate, groups);
    ARB_TRY(arb_row_spill_store(spill->groups, &groups->table.store, error));
    arb_hash_aggregate_groups_clear(groups);
    return ARB_OK;
}

arb_code arb_hash_aggregate_spill_complete(hash_aggregate *aggregate, arb_error *error)
{
    const group_spill *spill = aggregate->spills;
    while (aggregate->drivers != NULL) {
        driver_groups *next = aggregate->drivers->next;
        arb_hash_aggregate_groups_destroy(aggregate, aggregate->drivers);
        aggregate->drivers = next;
    }
    for (uint32_t p = 0; spill != NULL && p < ARB_SPILL_PARTS; p++)
        if (spill->groups->streams[p].rows != 0 &&
            !ARB_VEC_PUSH(&aggregate->waiting, (waiting_part){.spill = spill, .number = p}))
            return arb_fail_memory(error, "aggregation", sizeof(waiting_part));
    return ARB_OK;
}
