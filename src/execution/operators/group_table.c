#include "execution/operators/group_table.h"

enum {
    capacity_least = 4096,
    prefetch_from = 64 * 1024, /* entries: smaller tables stay in the second cache level */
    prefetch_ahead = 16,
};

arb_code arb_group_table_init(arb_group_table *table, const arb_row_layout *layout, size_t key_count, const char *fresh,
                              arb_memory *memory, arb_memory_share *share, const char *owner, arb_error *error)
{
    *table = (arb_group_table){.key_count = key_count, .fresh = fresh};
    ARB_TRY(arb_row_store_init(&table->store, layout, memory, owner, error));
    arb_reservation_init(&table->reservation, memory, owner);
    table->reservation.share = table->store.reservation.share = share;
    return ARB_OK;
}

void arb_group_table_reset(arb_group_table *table)
{
    arb_row_store_reset(&table->store);
    arb_free(table->entries);
    arb_reservation_reset(&table->reservation);
    *table = (arb_group_table){0};
}

void arb_group_table_clear(arb_group_table *table)
{
    arb_row_store_clear(&table->store);
    arb_free(table->entries);
    table->entries = NULL;
    table->capacity = 0;
    arb_reservation_reset(&table->reservation);
}

static void enter_all(arb_group_table *table)
{
    uint64_t mask = table->capacity - 1;
    const arb_row_layout *layout = table->store.layout;
    for (size_t p = 0; p < table->store.pages.size; p++) {
        const arb_row_page *page = table->store.pages.data[p];
        for (size_t i = 0; i < page->rows; i++) {
            char *row = arb_row_page_row(layout, page, i);
            if (i + prefetch_ahead < page->rows)
                __builtin_prefetch(
                    &table->entries[*arb_row_header(arb_row_page_row(layout, page, i + prefetch_ahead)) & mask], 1);
            uint64_t hash = *arb_row_header(row), at = hash & mask;
            while (table->entries[at] != 0)
                at = (at + 1) & mask;
            table->entries[at] = (hash & ARB_SALT_MASK) | (uint64_t)(uintptr_t)row;
        }
    }
}

/* Entries with room for `more` rows, of which two thirds are in use at most. */
static uint64_t capacity_for(const arb_group_table *table, size_t more)
{
    uint64_t wanted = (table->store.rows + more) * 3 / 2;
    return wanted <= table->capacity ? table->capacity
                                     : arb_next_power_of_two(ARB_MAX(wanted, (uint64_t)capacity_least));
}

uint64_t arb_group_table_growth(const arb_group_table *table, size_t more)
{
    uint64_t capacity = capacity_for(table, more);
    return capacity == table->capacity ? 0 : capacity * sizeof *table->entries;
}

static arb_code make_room(arb_group_table *table, size_t more, arb_error *error)
{
    uint64_t capacity = capacity_for(table, more);
    uint64_t bytes = capacity * sizeof *table->entries, old_bytes = table->capacity * sizeof *table->entries;
    if (bytes == old_bytes)
        return ARB_OK;
    if (table->reservation.share != NULL)
        arb_reservation_force(&table->reservation, bytes);
    else
        ARB_TRY(arb_reservation_grow(&table->reservation, bytes, error));
    uint64_t *entries = arb_alloc_zeroed(bytes);
    if (entries == NULL) {
        arb_reservation_shrink(&table->reservation, bytes);
        return arb_fail_memory(error, table->reservation.owner, bytes);
    }
    arb_free(table->entries);
    arb_reservation_shrink(&table->reservation, old_bytes);
    table->entries = entries;
    table->capacity = capacity;
    enter_all(table);
    return ARB_OK;
}

static arb_code fill_new(arb_group_table *table, const arb_key_columns *keys, const uint16_t *source, size_t count,
                         char *const *rows, arb_error *error)
{
    const arb_row_layout *layout = table->store.layout;
    size_t extra = layout->size - layout->extra_offset;
    for (size_t i = 0; i < count; i++)
        *arb_row_header(rows[i]) = keys->hashes[source[i]];
    for (size_t i = 0; table->fresh != NULL && i < count; i++)
        memcpy(rows[i] + layout->extra_offset, table->fresh, extra);
    for (size_t c = 0; c < table->key_count; c++)
        ARB_TRY(arb_row_store_scatter(&table->store, c, arb_key_column(keys, c), source, count, rows, error));
    return ARB_OK;
}

typedef struct find_lists {
    uint16_t todo[ARB_VECTOR_ROWS], fresh[ARB_VECTOR_ROWS], candidates[ARB_VECTOR_ROWS];
    uint64_t at[ARB_VECTOR_ROWS]; /* by row */
    char *made[ARB_VECTOR_ROWS];
} find_lists;

/* Walk each row to an entry that is empty or has its salt. Returns how many are candidates; the rest is `fresh`. */
static size_t walk(const arb_group_table *table, find_lists *lists, const uint64_t *hashes, size_t count,
                   char **out_rows, size_t *out_fresh)
{
    uint64_t mask = table->capacity - 1;
    const uint64_t *entries = table->entries;
    bool prefetch = table->capacity >= prefetch_from;
    size_t candidates = 0, fresh = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t row = lists->todo[i];
        if (prefetch && i + prefetch_ahead < count)
            ARB_PREFETCH(&entries[lists->at[lists->todo[i + prefetch_ahead]]]);
        uint64_t at = lists->at[row], salt = hashes[row] & ARB_SALT_MASK, entry = entries[at];
        while (entry != 0 && (entry & ARB_SALT_MASK) != salt) {
            at = (at + 1) & mask;
            entry = entries[at];
        }
        lists->at[row] = at;
        char *found = (char *)(uintptr_t)(entry & ARB_GROUP_POINTER_MASK);
        out_rows[row] = found;
        ARB_PREFETCH(found);
        lists->candidates[candidates] = row;
        lists->fresh[fresh] = row;
        candidates += entry != 0;
        fresh += entry == 0;
    }
    *out_fresh = fresh;
    return candidates;
}

/* Make rows for the fresh ones. Those whose entry was taken meanwhile by another row of this batch go to `todo`. */
static arb_code insert_fresh(arb_group_table *table, find_lists *lists, const arb_key_columns *keys, size_t fresh,
                             char **out_rows, size_t *out_todo, arb_error *error)
{
    size_t count = 0, todo = 0;
    for (size_t i = 0; i < fresh; i++) {
        uint16_t row = lists->fresh[i];
        uint64_t *entry = &table->entries[lists->at[row]];
        if (*entry != 0) {
            lists->todo[todo++] = row;
            continue;
        }
        *entry = (keys->hashes[row] & ARB_SALT_MASK) | 1; /* taken; the pointer follows */
        lists->fresh[count++] = row;
    }
    *out_todo = todo;
    arb_code code = arb_row_store_append(&table->store, count, lists->made, error);
    if (code == ARB_OK)
        code = fill_new(table, keys, lists->fresh, count, lists->made, error);
    for (size_t i = 0; code == ARB_OK && i < count; i++) {
        uint16_t row = lists->fresh[i];
        out_rows[row] = lists->made[i];
        table->entries[lists->at[row]] = (keys->hashes[row] & ARB_SALT_MASK) | (uint64_t)(uintptr_t)lists->made[i];
    }
    return code;
}

arb_code arb_group_table_find(arb_group_table *table, const arb_key_columns *keys, const uint16_t *rows, size_t count,
                              char **out_rows, arb_error *error)
{
    ARB_TRY(make_room(table, count, error));
    find_lists lists;
    uint64_t mask = table->capacity - 1;
    memcpy(lists.todo, rows, count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        lists.at[rows[i]] = keys->hashes[rows[i]] & mask;
    while (count != 0) {
        size_t fresh, todo, strangers = 0;
        size_t candidates = walk(table, &lists, keys->hashes, count, out_rows, &fresh);
        ARB_TRY(insert_fresh(table, &lists, keys, fresh, out_rows, &todo, error));
        uint16_t *differ = lists.todo + todo;
        for (size_t c = 0; c < table->key_count && candidates != 0; c++)
            candidates = arb_row_match(table->store.layout, c, &keys->flat[c], table->store.has_null[c], out_rows,
                                       lists.candidates, candidates, differ, &strangers);
        for (size_t i = 0; i < strangers; i++)
            lists.at[differ[i]] = (lists.at[differ[i]] + 1) & mask;
        count = todo + strangers;
    }
    return ARB_OK;
}

arb_code arb_group_table_append(arb_group_table *table, const arb_key_columns *keys, const uint16_t *rows, size_t count,
                                char **out_rows, arb_error *error)
{
    char *made[ARB_VECTOR_ROWS];
    ARB_TRY(arb_row_store_append(&table->store, count, made, error));
    ARB_TRY(fill_new(table, keys, rows, count, made, error));
    for (size_t i = 0; i < count; i++)
        out_rows[rows[i]] = made[i];
    return ARB_OK;
}

/* The entry of a row with the same keys, or the empty one where its own would be. */
static uint64_t find_entry(const arb_group_table *table, const char *row, uint64_t hash)
{
    uint64_t mask = table->capacity - 1, at = hash & mask, salt = hash & ARB_SALT_MASK;
    for (; table->entries[at] != 0; at = (at + 1) & mask) {
        const char *other = (const char *)(uintptr_t)(table->entries[at] & ARB_GROUP_POINTER_MASK);
        if ((table->entries[at] & ARB_SALT_MASK) == salt &&
            arb_row_equal(table->store.layout, table->key_count, row, other))
            break;
    }
    return at;
}

arb_code arb_group_table_adopt(arb_group_table *table, char *const *rows, size_t count, const bool *has_null,
                               char **out_rows, uint64_t *out_made, arb_error *error)
{
    assert(count <= ARB_VECTOR_ROWS);
    ARB_TRY(make_room(table, count, error));
    memset(out_made, 0, arb_bitmap_words(count) * sizeof *out_made);
    uint64_t mask = table->capacity - 1;
    for (size_t i = 0; i < count; i++) {
        if (i + prefetch_ahead < count)
            ARB_PREFETCH(&table->entries[arb_load_u64(rows[i + prefetch_ahead]) & mask]);
        uint64_t hash = arb_load_u64(rows[i]), at = find_entry(table, rows[i], hash);
        if (table->entries[at] == 0) {
            char *made;
            ARB_TRY(arb_row_store_copy(&table->store, &rows[i], 1, has_null, &made, error));
            table->entries[at] = (hash & ARB_SALT_MASK) | (uint64_t)(uintptr_t)made;
            arb_bitmap_set(out_made, i);
        }
        out_rows[i] = (char *)(uintptr_t)(table->entries[at] & ARB_GROUP_POINTER_MASK);
    }
    return ARB_OK;
}

arb_code arb_group_table_single(arb_group_table *table, char **out_row, arb_error *error)
{
    const arb_row_layout *layout = table->store.layout;
    ARB_TRY(arb_row_store_append(&table->store, 1, out_row, error));
    *arb_row_header(*out_row) = 0;
    if (table->fresh != NULL)
        memcpy(*out_row + layout->extra_offset, table->fresh, layout->size - layout->extra_offset);
    return ARB_OK;
}
