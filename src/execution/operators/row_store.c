#include "execution/operators/row_store.h"

#include "kernels/select.h"

enum { heap_least = 4096, heap_most = 256 * 1024, heap_head = 16, interned_most = 16384 };

/* Text of one dictionary that has been copied to the heap: entry by entry, when first met. */
struct arb_row_interned {
    uint64_t dictionary_id;
    arb_string *entries;
    uint64_t *copied; /* bitmap */
    uint32_t size, capacity;
};

static uint8_t width_in_row(arb_physical physical)
{
    assert(physical != ARB_PHYS_LIST && physical != ARB_PHYS_STRUCT); /* they come packed */
    return physical == ARB_PHYS_BOOL ? 1 : (uint8_t)arb_physical_size(physical);
}

arb_code arb_row_layout_init(arb_row_layout *layout, arb_arena *arena, const arb_slot *slots, size_t count,
                             uint32_t extra, arb_error *error)
{
    *layout = (arb_row_layout){.column_count = count};
    arb_row_column *columns = ARB_ARENA_ARRAY(arena, arb_row_column, count + 1);
    if (columns == NULL)
        return arb_fail_memory(error, "a row layout", count * sizeof *columns);
    uint32_t offset = sizeof(uint64_t);
    for (unsigned width = 16; width >= 1; width /= 2)
        for (size_t c = 0; c < count; c++) {
            arb_physical physical = slots[c].physical;
            if (width_in_row(physical) != width)
                continue;
            columns[c] = (arb_row_column){(uint8_t)physical, (uint8_t)width, offset};
            offset += width;
            layout->has_text |= physical == ARB_PHYS_STRING;
        }
    layout->columns = columns;
    layout->null_offset = offset;
    layout->null_bytes = (uint32_t)(count + 7) / 8;
    layout->extra_offset = (uint32_t)arb_round_up(offset + layout->null_bytes, 8);
    layout->size = (uint32_t)arb_round_up(layout->extra_offset + extra, 8);
    layout->null_row = arb_arena_alloc_zeroed(arena, layout->size);
    if (layout->null_row == NULL)
        return arb_fail_memory(error, "a row layout", layout->size);
    memset(layout->null_row + layout->null_offset, 0xFF, layout->null_bytes);
    return ARB_OK;
}

arb_code arb_row_store_init(arb_row_store *store, const arb_row_layout *layout, arb_memory *memory, const char *owner,
                            arb_error *error)
{
    *store = (arb_row_store){.layout = layout};
    arb_reservation_init(&store->reservation, memory, owner);
    store->has_null = arb_alloc_zeroed(layout->column_count + 1);
    store->interned = arb_alloc_zeroed((layout->column_count + 1) * sizeof *store->interned);
    if (store->has_null == NULL || store->interned == NULL) {
        arb_row_store_reset(store);
        return arb_fail_memory(error, owner, layout->column_count * sizeof *store->interned);
    }
    return ARB_OK;
}

static void forget_interned(arb_row_store *store)
{
    if (store->interned == NULL)
        return;
    for (size_t c = 0; c < store->layout->column_count; c++) {
        arb_free(store->interned[c].entries);
        arb_free(store->interned[c].copied);
        store->interned[c] = (struct arb_row_interned){0};
    }
}

void arb_row_store_clear(arb_row_store *store)
{
    for (size_t i = 0; i < store->pages.size; i++)
        arb_free(store->pages.data[i]);
    store->pages.size = 0;
    while (store->heap != NULL) {
        arb_heap_page *next = store->heap->next;
        arb_free(store->heap);
        store->heap = next;
    }
    store->heap_last = NULL;
    store->heap_next = store->heap_end = NULL;
    store->rows = 0;
    if (store->has_null != NULL)
        memset(store->has_null, 0, store->layout->column_count);
    forget_interned(store);
    arb_reservation_reset(&store->reservation);
}

void arb_row_store_reset(arb_row_store *store)
{
    if (store->layout == NULL)
        return;
    arb_row_store_clear(store);
    ARB_VEC_RESET(&store->pages);
    arb_free(store->has_null);
    arb_free(store->interned);
    *store = (arb_row_store){0};
}

static arb_row_page *add_page(arb_row_store *store, arb_error *error)
{
    uint32_t row_size = store->layout->size;
    uint64_t bytes = ARB_ROW_PAGE_LEAST;
    if (store->pages.size != 0)
        bytes = ARB_MIN(store->pages.data[store->pages.size - 1]->bytes * 2, (uint64_t)ARB_ROW_PAGE_MOST);
    bytes = ARB_MAX(bytes, arb_round_up(ARB_ROW_PAGE_HEAD + row_size, 64));
    if (arb_reservation_grow(&store->reservation, bytes, error) != ARB_OK)
        return NULL;
    arb_row_page *page = arb_alloc_aligned(bytes, 64);
    if (page == NULL || !ARB_VEC_PUSH(&store->pages, page)) {
        arb_free(page);
        arb_reservation_shrink(&store->reservation, bytes);
        arb_fail_memory(error, store->reservation.owner, bytes);
        return NULL;
    }
    *page = (arb_row_page){.capacity = (uint32_t)((bytes - ARB_ROW_PAGE_HEAD) / row_size), .bytes = bytes};
    return page;
}

arb_code arb_row_store_append(arb_row_store *store, size_t count, char **out_rows, arb_error *error)
{
    const arb_row_layout *layout = store->layout;
    arb_row_page *page = store->pages.size == 0 ? NULL : store->pages.data[store->pages.size - 1];
    for (size_t done = 0; done < count;) {
        if (page == NULL || page->rows == page->capacity) {
            page = add_page(store, error);
            if (page == NULL)
                return ARB_OUT_OF_MEMORY;
        }
        size_t step = ARB_MIN(count - done, (size_t)(page->capacity - page->rows));
        char *row = arb_row_page_row(layout, page, page->rows);
        for (size_t i = 0; i < step; i++, row += layout->size) {
            out_rows[done + i] = row;
            memset(row + layout->null_offset, 0, layout->null_bytes);
        }
        page->rows += (uint32_t)step;
        store->rows += step;
        done += step;
    }
    return ARB_OK;
}

char *arb_row_store_bytes(arb_row_store *store, size_t size, arb_error *error)
{
    if (ARB_LIKELY((size_t)(store->heap_end - store->heap_next) >= size && store->heap_next != NULL)) {
        char *bytes = store->heap_next;
        store->heap_next += size;
        return bytes;
    }
    uint64_t wanted = store->heap == NULL ? heap_least : ARB_MIN(store->heap->bytes * 2, (uint64_t)heap_most);
    bool own = size > wanted / 4; /* a large text has a page of its own, and the current one stays in use */
    uint64_t bytes = own ? arb_round_up(size + heap_head, 64) : wanted;
    if (arb_reservation_grow(&store->reservation, bytes, error) != ARB_OK)
        return NULL;
    arb_heap_page *page = arb_alloc_aligned(bytes, 64);
    if (page == NULL) {
        arb_reservation_shrink(&store->reservation, bytes);
        arb_fail_memory(error, store->reservation.owner, bytes);
        return NULL;
    }
    *page = (arb_heap_page){.bytes = bytes};
    char *start = (char *)page + heap_head;
    if (own && store->heap != NULL) {
        page->next = store->heap->next;
        store->heap->next = page;
        if (store->heap_last == store->heap)
            store->heap_last = page;
        return start;
    }
    page->next = store->heap;
    store->heap = page;
    if (store->heap_last == NULL)
        store->heap_last = page;
    store->heap_next = start + size;
    store->heap_end = (char *)page + bytes;
    return start;
}

ARB_INLINE bool copy_text(arb_row_store *store, const arb_string *from, arb_string *to, arb_error *error)
{
    *to = *from;
    if (from->size <= ARB_STRING_INLINE)
        return true;
    char *bytes = arb_row_store_bytes(store, from->size, error);
    if (bytes == NULL)
        return false;
    memcpy(bytes, from->far.data, from->size);
    to->far.data = bytes;
    return true;
}

/* Entries of a dictionary, copied once however often they occur. */
static arb_code scatter_dictionary_text(arb_row_store *store, size_t column, const arb_vector *vector,
                                        const uint16_t *source, size_t count, char *const *rows, arb_error *error)
{
    struct arb_row_interned *interned = &store->interned[column];
    uint32_t offset = store->layout->columns[column].offset;
    if (interned->dictionary_id != vector->dictionary_id) {
        if (interned->capacity < vector->dictionary_size) {
            arb_free(interned->entries);
            arb_free(interned->copied);
            *interned = (struct arb_row_interned){.capacity = vector->dictionary_size};
            interned->entries = arb_alloc(interned->capacity * sizeof *interned->entries);
            interned->copied = arb_alloc(arb_bitmap_words(interned->capacity) * 8);
            if (interned->entries == NULL || interned->copied == NULL) {
                interned->capacity = 0;
                return arb_fail_memory(error, store->reservation.owner, vector->dictionary_size * sizeof(arb_string));
            }
        }
        interned->dictionary_id = vector->dictionary_id;
        interned->size = vector->dictionary_size;
        memset(interned->copied, 0, arb_bitmap_words(interned->size) * 8);
    }
    const arb_string *entries = vector->dictionary->values.string;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = vector->values.codes[source != NULL ? source[i] : i];
        if (!arb_bitmap_get(interned->copied, code)) {
            if (!copy_text(store, &entries[code], &interned->entries[code], error))
                return ARB_OUT_OF_MEMORY;
            arb_bitmap_set(interned->copied, code);
        }
        memcpy(rows[i] + offset, &interned->entries[code], sizeof(arb_string));
    }
    return ARB_OK;
}

static arb_code scatter_text(arb_row_store *store, size_t column, const arb_vector *vector, const uint16_t *source,
                             size_t count, char *const *rows, arb_error *error)
{
    uint32_t offset = store->layout->columns[column].offset;
    if (vector->encoding == ARB_DICTIONARY && vector->dictionary_size <= interned_most)
        return scatter_dictionary_text(store, column, vector, source, count, rows, error);
    const arb_string *from = arb_vector_entries(vector)->values.string;
    if (vector->encoding == ARB_CONSTANT) {
        arb_string once = {0};
        if (count != 0 && arb_vector_is_valid(vector, 0) && !copy_text(store, from, &once, error))
            return ARB_OUT_OF_MEMORY;
        for (size_t i = 0; i < count; i++)
            memcpy(rows[i] + offset, &once, sizeof once);
        return ARB_OK;
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = source != NULL ? source[i] : i;
        arb_string to = {0};
        if (arb_vector_is_valid(vector, row) && !copy_text(store, &from[arb_vector_slot(vector, row)], &to, error))
            return ARB_OUT_OF_MEMORY;
        memcpy(rows[i] + offset, &to, sizeof to);
    }
    return ARB_OK;
}

#define SCATTER(name, type)                                                                                          \
    static void scatter_##name(const void *values, const arb_vector *vector, const uint16_t *source, size_t n,       \
                               char *const *rows, uint32_t offset)                                                   \
    {                                                                                                                \
        const type *from = values;                                                                                   \
        if (vector->encoding == ARB_CONSTANT)                                                                        \
            for (size_t i = 0; i < n; i++)                                                                           \
                memcpy(rows[i] + offset, from, sizeof *from);                                                        \
        else if (vector->encoding == ARB_DICTIONARY)                                                                 \
            for (size_t i = 0; i < n; i++)                                                                           \
                memcpy(rows[i] + offset, &from[vector->values.codes[source != NULL ? source[i] : i]], sizeof *from); \
        else if (source != NULL)                                                                                     \
            for (size_t i = 0; i < n; i++)                                                                           \
                memcpy(rows[i] + offset, &from[source[i]], sizeof *from);                                            \
        else                                                                                                         \
            for (size_t i = 0; i < n; i++)                                                                           \
                memcpy(rows[i] + offset, &from[i], sizeof *from);                                                    \
    }
SCATTER(1, uint8_t)
SCATTER(2, uint16_t)
SCATTER(4, uint32_t)
SCATTER(8, uint64_t)
SCATTER(16, arb_interval)

static void scatter_bits(const arb_vector *vector, const uint16_t *source, size_t count, char *const *rows,
                         uint32_t offset)
{
    const uint64_t *bits = arb_vector_entries(vector)->values.bits;
    for (size_t i = 0; i < count; i++)
        rows[i][offset] = (char)arb_bitmap_get(bits, arb_vector_slot(vector, source != NULL ? source[i] : i));
}

static void scatter_nulls(arb_row_store *store, size_t column, const arb_vector *vector, const uint16_t *source,
                          size_t count, char *const *rows)
{
    bool seen = false;
    for (size_t i = 0; i < count; i++)
        if (!arb_vector_is_valid(vector, source != NULL ? source[i] : i)) {
            arb_row_set_null(store->layout, rows[i], column);
            seen = true;
        }
    store->has_null[column] |= seen;
}

arb_code arb_row_store_scatter(arb_row_store *store, size_t column, const arb_vector *vector, const uint16_t *source,
                               size_t count, char *const *rows, arb_error *error)
{
    arb_row_column at = store->layout->columns[column];
    assert(vector->physical == at.physical);
    if (vector->validity != NULL)
        scatter_nulls(store, column, vector, source, count, rows);
    const void *values = arb_vector_entries(vector)->values.data;
    switch (at.physical) {
    case ARB_PHYS_STRING:
        return scatter_text(store, column, vector, source, count, rows, error);
    case ARB_PHYS_BOOL:
        scatter_bits(vector, source, count, rows, at.offset);
        return ARB_OK;
    default:
        break;
    }
    switch (at.width) {
    case 1:
        scatter_1(values, vector, source, count, rows, at.offset);
        break;
    case 2:
        scatter_2(values, vector, source, count, rows, at.offset);
        break;
    case 4:
        scatter_4(values, vector, source, count, rows, at.offset);
        break;
    case 8:
        scatter_8(values, vector, source, count, rows, at.offset);
        break;
    default:
        scatter_16(values, vector, source, count, rows, at.offset);
        break;
    }
    return ARB_OK;
}

arb_code arb_row_store_copy(arb_row_store *store, char *const *rows, size_t count, const bool *has_null,
                            char **out_rows, arb_error *error)
{
    const arb_row_layout *layout = store->layout;
    char *made[ARB_VECTOR_ROWS];
    for (size_t done = 0; done < count;) {
        size_t step = ARB_MIN(count - done, (size_t)ARB_VECTOR_ROWS);
        ARB_TRY(arb_row_store_append(store, step, made, error));
        for (size_t i = 0; i < step; i++)
            memcpy(made[i], rows[done + i], layout->size);
        for (size_t c = 0; layout->has_text && c < layout->column_count; c++) {
            if (!arb_row_column_is_text(&layout->columns[c]))
                continue;
            for (size_t i = 0; i < step; i++) {
                arb_string from, *to = (arb_string *)(void *)(made[i] + layout->columns[c].offset);
                memcpy(&from, to, sizeof from);
                if (!copy_text(store, &from, to, error))
                    return ARB_OUT_OF_MEMORY;
            }
        }
        memcpy(out_rows + done, made, step * sizeof *made);
        done += step;
    }
    for (size_t c = 0; c < layout->column_count; c++)
        store->has_null[c] |= has_null[c];
    return ARB_OK;
}

arb_code arb_row_store_take(arb_row_store *into, arb_row_store *from, arb_error *error)
{
    if (!ARB_VEC_RESERVE(&into->pages, into->pages.size + from->pages.size))
        return arb_fail_memory(error, into->reservation.owner, from->pages.size * sizeof(void *));
    /* The page in use stays last, so that it is filled further and pages grow on from the largest. */
    arb_row_page *last = into->pages.size == 0 ? NULL : into->pages.data[--into->pages.size];
    for (size_t i = 0; i < from->pages.size; i++)
        into->pages.data[into->pages.size++] = from->pages.data[i];
    if (last != NULL)
        into->pages.data[into->pages.size++] = last;
    if (from->heap != NULL && into->heap != NULL) {
        from->heap_last->next = into->heap->next;
        into->heap->next = from->heap;
        if (into->heap_last == into->heap)
            into->heap_last = from->heap_last;
    } else if (from->heap != NULL) {
        into->heap = from->heap;
        into->heap_last = from->heap_last;
        into->heap_next = from->heap_next;
        into->heap_end = from->heap_end;
    }
    for (size_t c = 0; c < into->layout->column_count; c++)
        into->has_null[c] |= from->has_null[c];
    into->rows += from->rows;
    into->reservation.bytes += from->reservation.bytes;
    from->reservation.bytes = 0;
    from->pages.size = 0;
    from->heap = from->heap_last = NULL;
    from->heap_next = from->heap_end = NULL;
    arb_row_store_clear(from);
    return ARB_OK;
}
