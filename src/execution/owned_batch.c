#include "execution/owned_batch.h"

#include "base/alloc.h"

/* Copy `count` values of any vector into flat ones in the arena; rows[i] (NULL: i) is where the i-th comes from. False
 * when there is no memory. */
static bool copy_vector(arb_arena *arena, const arb_vector *in, const uint32_t *rows, size_t count, arb_vector *out);

static bool copy_text(arb_arena *arena, arb_vector *out, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        if (out->values.string[i].size > ARB_STRING_INLINE)
            bytes += out->values.string[i].size;
    char *heap = bytes != 0 ? arb_arena_alloc(arena, bytes) : NULL;
    if (bytes != 0 && heap == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        arb_string *string = &out->values.string[i];
        if (string->size <= ARB_STRING_INLINE)
            continue;
        memcpy(heap, string->far.data, string->size);
        string->far.data = heap;
        heap += string->size;
    }
    return true;
}

static bool copy_lists(arb_arena *arena, const arb_vector *entries, arb_vector *out, size_t count)
{
    size_t elements = 0;
    for (size_t i = 0; i < count; i++)
        elements += out->values.list[i].size;
    if (elements == 0 && entries->children == NULL) /* nothing but NULLs, made without a child */
        return true;
    uint32_t *from = arb_arena_alloc(arena, (elements + 1) * sizeof *from);
    out->children = ARB_ARENA_NEW(arena, arb_vector);
    if (from == NULL || out->children == NULL || elements > UINT32_MAX)
        return false;
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) {
        arb_list *list = &out->values.list[i];
        for (uint32_t element = 0; element < list->size; element++)
            from[at + element] = list->offset + element;
        list->offset = at;
        at += list->size;
    }
    out->child_rows = at;
    return copy_vector(arena, entries->children, from, at, out->children);
}

static bool copy_fields(arb_arena *arena, const arb_vector *in, const uint32_t *rows, size_t count, arb_vector *out)
{
    out->child_rows = in->child_rows; /* a STRUCT says here how many fields it has */
    out->children = ARB_ARENA_ARRAY(arena, arb_vector, in->child_rows);
    if (out->children == NULL)
        return false;
    for (uint32_t field = 0; field < in->child_rows; field++)
        if (!copy_vector(arena, &in->children[field], rows, count, &out->children[field]))
            return false;
    return true;
}

static bool copy_vector(arb_arena *arena, const arb_vector *in, const uint32_t *rows, size_t count, arb_vector *out)
{
    const arb_vector *entries = arb_vector_entries(in);
    size_t size = arb_physical_size((arb_physical)in->physical);
    size_t words = arb_bitmap_words(count);
    *out = (arb_vector){.physical = in->physical, .encoding = ARB_FLAT};
    if (in->validity != NULL) {
        out->validity = ARB_ARENA_ARRAY(arena, uint64_t, words + 1);
        if (out->validity == NULL)
            return false;
        for (size_t i = 0; i < count; i++)
            if (arb_vector_is_valid(in, rows != NULL ? rows[i] : i))
                arb_bitmap_set(out->validity, i);
    }
    if (in->physical == ARB_PHYS_STRUCT)
        return copy_fields(arena, in, rows, count, out);
    if (in->physical == ARB_PHYS_BOOL) {
        out->values.bits = ARB_ARENA_ARRAY(arena, uint64_t, words + 1);
        if (out->values.bits == NULL)
            return false;
        for (size_t i = 0; i < count; i++)
            arb_bitmap_put(out->values.bits, i,
                           arb_bitmap_get(entries->values.bits, arb_vector_slot(in, rows != NULL ? rows[i] : i)));
        return true;
    }
    out->values.data = arb_arena_alloc(arena, count * size + ARB_VECTOR_PADDING);
    if (out->values.data == NULL)
        return false;
    if (in->encoding == ARB_FLAT && rows == NULL) {
        memcpy(out->values.data, in->values.data, count * size);
    } else {
        for (size_t i = 0; i < count; i++)
            memcpy((char *)out->values.data + i * size,
                   (const char *)entries->values.data + arb_vector_slot(in, rows != NULL ? rows[i] : i) * size, size);
    }
    bool heap = in->physical == ARB_PHYS_STRING || in->physical == ARB_PHYS_LIST;
    for (size_t i = 0; heap && out->validity != NULL && i < count; i++)
        if (!arb_bitmap_get(out->validity, i)) /* a NULL row keeps nothing */
            memset((char *)out->values.data + i * size, 0, size);
    if (in->physical == ARB_PHYS_STRING)
        return copy_text(arena, out, count);
    return in->physical != ARB_PHYS_LIST || copy_lists(arena, entries, out, count);
}

arb_code arb_owned_batch_create(const arb_batch *in, const uint32_t *columns, size_t column_count,
                                arb_owned_batch **out_batch, arb_error *error)
{
    *out_batch = NULL;
    arb_owned_batch *owned = arb_alloc_zeroed(sizeof *owned);
    if (owned == NULL)
        return arb_fail_memory(error, "a batch", sizeof *owned);
    uint32_t *rows = NULL;
    bool fine = true;
    if (in->selection != NULL) {
        uint16_t picked[ARB_VECTOR_ROWS];
        assert(in->rows <= ARB_VECTOR_ROWS);
        size_t count = arb_bitmap_indices(in->selection, in->rows, picked);
        rows = arb_arena_alloc(&owned->arena, (count + 1) * sizeof *rows);
        fine = rows != NULL;
        for (size_t i = 0; fine && i < count; i++)
            rows[i] = picked[i];
    }
    owned->batch = (arb_batch){.rows = in->selected,
                               .selected = in->selected,
                               .column_count = (uint32_t)column_count,
                               .columns = ARB_ARENA_ARRAY(&owned->arena, arb_vector, column_count + 1),
                               .sequence = in->sequence};
    fine = fine && owned->batch.columns != NULL;
    for (size_t i = 0; fine && i < column_count; i++)
        fine = copy_vector(&owned->arena, &in->columns[columns != NULL ? columns[i] : i], rows, in->selected,
                           &owned->batch.columns[i]);
    if (!fine) {
        arb_owned_batch_destroy(owned);
        return arb_fail_memory(error, "a batch", in->selected);
    }
    *out_batch = owned;
    return ARB_OK;
}

void arb_owned_batch_destroy(arb_owned_batch *batch)
{
    if (batch == NULL)
        return;
    arb_arena_reset(&batch->arena);
    arb_free(batch);
}
