#include "catalog/memory_chunk.h"

#include "base/alloc.h"
#include "kernels/convert.h"

static size_t value_bytes(arb_physical physical, size_t rows)
{
    size_t bytes = physical == ARB_PHYS_BOOL ? arb_bitmap_words(rows) * 8 : arb_physical_size(physical) * rows;
    return bytes + ARB_VECTOR_PADDING;
}

static bool column_init(arb_chunk_column *column, arb_type type, arb_arena *arena)
{
    column->physical = arb_type_physical(type);
    column->is_utf8 = type.id == ARB_TYPE_VARCHAR;
    if (type.children == NULL)
        return true;
    /* A map's elements are structs of key and value. */
    bool map = type.id == ARB_TYPE_MAP;
    column->child_count = map ? 1 : type.children->count;
    column->children = ARB_ARENA_ARRAY(arena, arb_chunk_column, column->child_count);
    if (column->children == NULL)
        return false;
    if (map) {
        arb_type entry = {.id = ARB_TYPE_STRUCT, .children = type.children};
        return column_init(&column->children[0], entry, arena);
    }
    for (size_t i = 0; i < column->child_count; i++)
        if (!column_init(&column->children[i], type.children->types[i], arena))
            return false;
    return true;
}

static void column_reset(arb_chunk_column *column)
{
    for (size_t i = 0; i < column->child_count; i++)
        column_reset(&column->children[i]);
    arb_free(column->values);
    arb_free(column->validity);
}

arb_code arb_memory_chunk_create(const arb_type *types, size_t column_count, arb_memory *account,
                                 arb_memory_chunk **out_chunk, arb_error *error)
{
    *out_chunk = NULL;
    arb_memory_chunk *chunk = arb_alloc_zeroed(sizeof *chunk);
    if (chunk == NULL)
        return arb_fail_memory(error, "a table in memory", sizeof *chunk);
    chunk->references = 1;
    if (account != NULL)
        arb_reservation_init(&chunk->reservation, account, "table in memory");
    chunk->columns = ARB_ARENA_ARRAY(&chunk->arena, arb_chunk_column, ARB_MAX(column_count, 1));
    bool fine = chunk->columns != NULL;
    for (size_t i = 0; fine && i < column_count; i++) {
        chunk->column_count++;
        fine = column_init(&chunk->columns[i], types[i], &chunk->arena);
    }
    if (!fine) {
        arb_memory_chunk_unref(chunk);
        return arb_fail_memory(error, "a table in memory", column_count * sizeof *chunk->columns);
    }
    *out_chunk = chunk;
    return ARB_OK;
}

arb_memory_chunk *arb_memory_chunk_ref(arb_memory_chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
    return chunk;
}

void arb_memory_chunk_unref(arb_memory_chunk *chunk)
{
    if (chunk == NULL || atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)
        return;
    arb_chunk_keeper *keeper = atomic_load_explicit(&chunk->keeper, memory_order_acquire);
    if (keeper != NULL)
        keeper->gone(keeper, chunk);
    for (size_t i = 0; i < chunk->column_count; i++)
        column_reset(&chunk->columns[i]);
    arb_arena_reset(&chunk->texts);
    arb_arena_reset(&chunk->arena);
    arb_reservation_reset(&chunk->reservation);
    arb_free(chunk);
}

bool arb_memory_chunk_try_ref(arb_memory_chunk *chunk)
{
    uint32_t references = atomic_load_explicit(&chunk->references, memory_order_relaxed);
    while (references != 0)
        if (atomic_compare_exchange_weak_explicit(&chunk->references, &references, references + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static bool column_fits(const arb_chunk_column *column, arb_type type)
{
    bool map = type.id == ARB_TYPE_MAP;
    size_t children = type.children == NULL ? 0 : map ? 1 : type.children->count;
    if (column->physical != arb_type_physical(type) || column->is_utf8 != (type.id == ARB_TYPE_VARCHAR) ||
        column->child_count != children)
        return false;
    if (map)
        return column_fits(&column->children[0], (arb_type){.id = ARB_TYPE_STRUCT, .children = type.children});
    for (size_t i = 0; i < children; i++)
        if (!column_fits(&column->children[i], type.children->types[i]))
            return false;
    return true;
}

bool arb_memory_chunk_fits(const arb_memory_chunk *chunk, const arb_type *types, size_t count)
{
    bool fits = chunk->column_count == count;
    for (size_t i = 0; fits && i < count; i++)
        fits = column_fits(&chunk->columns[i], types[i]);
    return fits;
}

/* ---- appending --------------------------------------------------------------------------------------------------- */
static arb_code reserve(arb_memory_chunk *chunk, uint64_t bytes, arb_error *error)
{
    if (chunk->reservation.memory == NULL)
        return ARB_OK;
    arb_code code = arb_reservation_grow(&chunk->reservation, bytes, error);
    chunk->denied = code != ARB_OK;
    return code;
}

static arb_code make_room(arb_memory_chunk *chunk, arb_chunk_column *column, size_t count, arb_error *error)
{
    size_t wanted = column->rows + count;
    if (wanted <= column->capacity)
        return ARB_OK;
    size_t capacity = arb_round_up(ARB_MAX(wanted, column->capacity * 2), 64);
    size_t bytes = value_bytes(column->physical, capacity), old = value_bytes(column->physical, column->capacity);
    size_t bitmap = arb_bitmap_words(capacity) * 8, old_bitmap = arb_bitmap_words(column->capacity) * 8;
    ARB_TRY(reserve(chunk, bytes + bitmap - (column->capacity == 0 ? 0 : old + old_bitmap), error));
    char *values = arb_realloc(column->values, bytes);
    if (values == NULL)
        return arb_fail_memory(error, "a table in memory", bytes);
    column->values = values;
    size_t used = column->capacity == 0 ? 0 : old - ARB_VECTOR_PADDING;
    memset(values + used, 0, bytes - used);
    uint64_t *validity = arb_realloc(column->validity, bitmap);
    if (validity == NULL)
        return arb_fail_memory(error, "a table in memory", bitmap);
    column->validity = validity;
    memset((char *)validity + old_bitmap, 0, bitmap - old_bitmap);
    column->capacity = capacity;
    return ARB_OK;
}

static arb_code append(arb_memory_chunk *chunk, arb_chunk_column *column, const arb_vector *from, size_t first,
                       size_t count, arb_error *error);

static arb_code append_text(arb_memory_chunk *chunk, arb_chunk_column *column, const arb_vector *from, size_t first,
                            size_t count, arb_error *error)
{
    arb_string *to = (arb_string *)column->values + column->rows;
    const arb_vector *entries = arb_vector_entries(from);
    for (size_t i = 0; i < count; i++) {
        if (!arb_vector_is_valid(from, first + i))
            continue;
        to[i] = entries->values.string[arb_vector_slot(from, first + i)];
        if (to[i].size <= ARB_STRING_INLINE)
            continue;
        ARB_TRY(reserve(chunk, to[i].size + 1, error));
        char *copy = arb_arena_copy(&chunk->texts, to[i].far.data, to[i].size);
        if (copy == NULL)
            return arb_fail_memory(error, "a table in memory", to[i].size);
        to[i].far.data = copy;
        chunk->bytes += to[i].size;
    }
    return ARB_OK;
}

static void store_integer(void *values, arb_physical physical, size_t at, arb_int128 value)
{
    switch (physical) {
    case ARB_PHYS_INT8:
        ((int8_t *)values)[at] = (int8_t)value;
        break;
    case ARB_PHYS_INT16:
        ((int16_t *)values)[at] = (int16_t)value;
        break;
    case ARB_PHYS_INT32:
        ((int32_t *)values)[at] = (int32_t)value;
        break;
    case ARB_PHYS_INT64:
        ((int64_t *)values)[at] = (int64_t)value;
        break;
    default:
        assert(physical == ARB_PHYS_INT128);
        ((arb_int128 *)values)[at] = value;
    }
}

static void append_numbers(arb_chunk_column *column, const arb_vector *from, size_t first, size_t count)
{
    size_t size = arb_physical_size(column->physical), from_size = arb_physical_size((arb_physical)from->physical);
    char *to = (char *)column->values + column->rows * size;
    if (from->encoding == ARB_FLAT && from->physical == column->physical) {
        memcpy(to, (const char *)from->values.data + first * from_size, count * size);
        return;
    }
    const arb_vector *entries = arb_vector_entries(from);
    for (size_t i = 0; i < count; i++) {
        if (!arb_vector_is_valid(from, first + i))
            continue;
        if (from->physical == column->physical)
            memcpy(to + i * size, (const char *)entries->values.data + arb_vector_slot(from, first + i) * size, size);
        else
            store_integer(to, column->physical, i, arb_vector_get_integer(from, first + i));
    }
}

static arb_code append_lists(arb_memory_chunk *chunk, arb_chunk_column *column, const arb_vector *from, size_t first,
                             size_t count, arb_error *error)
{
    arb_list *to = (arb_list *)column->values + column->rows;
    arb_chunk_column *child = &column->children[0];
    for (size_t i = 0; i < count; i++) {
        to[i] = (arb_list){(uint32_t)child->rows, 0};
        if (!arb_vector_is_valid(from, first + i))
            continue;
        arb_list list = from->values.list[arb_vector_slot(from, first + i)];
        if (child->rows + list.size > UINT32_MAX)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "a table's lists hold too many elements");
        to[i].size = list.size;
        ARB_TRY(append(chunk, child, &from->children[0], list.offset, list.size, error));
    }
    return ARB_OK;
}

/* A constant struct, and one of NULLs alone, which may have been made without children, are taken row by row. */
static arb_code append_fields(arb_memory_chunk *chunk, arb_chunk_column *column, const arb_vector *from, size_t first,
                              size_t count, arb_error *error)
{
    uint64_t none[2] = {0}; /* a validity, and a value of any width */
    for (size_t i = 0; i < column->child_count; i++) {
        arb_chunk_column *child = &column->children[i];
        arb_vector null = {.physical = (uint8_t)child->physical, .encoding = ARB_CONSTANT, .validity = none};
        null.values.data = none;
        if (from->children == NULL || from->child_rows < column->child_count)
            ARB_TRY(append(chunk, child, &null, 0, count, error));
        else if (from->encoding == ARB_FLAT)
            ARB_TRY(append(chunk, child, &from->children[i], first, count, error));
        else
            for (size_t row = 0; row < count; row++)
                ARB_TRY(append(chunk, child, &from->children[i], 0, 1, error));
    }
    return ARB_OK;
}

static void note_range(arb_chunk_column *column, size_t count)
{
    arb_vector view = arb_chunk_column_view(column, 0, NULL);
    for (size_t row = column->rows; row < column->rows + count; row++) {
        if (!arb_bitmap_get(column->validity, row))
            continue;
        arb_int128 value = arb_vector_get_integer(&view, row);
        if (!column->has_range || value < column->low)
            column->low = value;
        if (!column->has_range || value > column->high)
            column->high = value;
        column->has_range = true;
    }
}

static arb_code append(arb_memory_chunk *chunk, arb_chunk_column *column, const arb_vector *from, size_t first,
                       size_t count, arb_error *error)
{
    if (count == 0) /* an empty list */
        return ARB_OK;
    ARB_TRY(make_room(chunk, column, count, error));
    for (size_t i = 0; i < count; i++) {
        bool valid = arb_vector_is_valid(from, first + i);
        arb_bitmap_put(column->validity, column->rows + i, valid);
        column->null_count += !valid;
    }
    switch (column->physical) {
    case ARB_PHYS_BOOL:
        for (size_t i = 0; i < count; i++)
            arb_bitmap_put(column->values, column->rows + i,
                           arb_vector_is_valid(from, first + i) && arb_vector_get_bool(from, first + i));
        break;
    case ARB_PHYS_STRING:
        ARB_TRY(append_text(chunk, column, from, first, count, error));
        break;
    case ARB_PHYS_LIST:
        ARB_TRY(append_lists(chunk, column, from, first, count, error));
        break;
    case ARB_PHYS_STRUCT:
        ARB_TRY(append_fields(chunk, column, from, first, count, error));
        break;
    default:
        append_numbers(column, from, first, count);
        if (arb_physical_is_integer(column->physical))
            note_range(column, count);
    }
    column->rows += count;
    chunk->bytes += count * ARB_MAX(arb_physical_size(column->physical), (size_t)1);
    return ARB_OK;
}

arb_code arb_memory_chunk_append(arb_memory_chunk *chunk, const arb_vector *columns, size_t first, size_t count,
                                 arb_error *error)
{
    assert(chunk->references == 1 && chunk->rows + count <= ARB_CHUNK_ROWS);
    for (size_t i = 0; i < chunk->column_count; i++)
        ARB_TRY(append(chunk, &chunk->columns[i], &columns[i], first, count, error));
    chunk->rows += count;
    return ARB_OK;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */
size_t arb_chunk_view_vectors(const arb_chunk_column *column)
{
    size_t count = column->child_count;
    for (size_t i = 0; i < column->child_count; i++)
        count += arb_chunk_view_vectors(&column->children[i]);
    return count;
}

arb_vector arb_chunk_column_view(const arb_chunk_column *column, size_t first, arb_vector *children)
{
    assert(first % 64 == 0);
    arb_vector view = {.physical = (uint8_t)column->physical, .encoding = ARB_FLAT};
    if (column->physical == ARB_PHYS_BOOL)
        view.values.data = (uint64_t *)column->values + first / 64;
    else if (column->values != NULL)
        view.values.data = (char *)column->values + first * arb_physical_size(column->physical);
    if (column->null_count != 0)
        view.validity = column->validity + first / 64;
    if (column->child_count == 0 || children == NULL)
        return view;
    view.children = children;
    arb_vector *grandchildren = children + column->child_count;
    bool list = column->physical == ARB_PHYS_LIST;
    for (size_t i = 0; i < column->child_count; i++) {
        children[i] = arb_chunk_column_view(&column->children[i], list ? 0 : first, grandchildren);
        grandchildren += arb_chunk_view_vectors(&column->children[i]);
    }
    view.child_rows = list ? (uint32_t)column->children[0].rows : (uint32_t)column->child_count;
    return view;
}
