#include "columnar/vector.h"

#include <stdatomic.h>

#include "base/alloc.h"

uint64_t arb_dictionary_id_next(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

bool arb_vector_get_bool(const arb_vector *vector, size_t row)
{
    assert(vector->physical == ARB_PHYS_BOOL);
    return arb_bitmap_get(arb_vector_entries(vector)->values.bits, arb_vector_slot(vector, row));
}

arb_int128 arb_vector_get_integer(const arb_vector *vector, size_t row)
{
    const arb_vector *entries = arb_vector_entries(vector);
    size_t slot = arb_vector_slot(vector, row);
    switch (vector->physical) {
    case ARB_PHYS_INT8:
        return entries->values.i8[slot];
    case ARB_PHYS_INT16:
        return entries->values.i16[slot];
    case ARB_PHYS_INT32:
        return entries->values.i32[slot];
    case ARB_PHYS_INT64:
        return entries->values.i64[slot];
    default:
        assert(vector->physical == ARB_PHYS_INT128);
        return entries->values.i128[slot];
    }
}

double arb_vector_get_double(const arb_vector *vector, size_t row)
{
    const arb_vector *entries = arb_vector_entries(vector);
    size_t slot = arb_vector_slot(vector, row);
    assert(vector->physical == ARB_PHYS_FLOAT32 || vector->physical == ARB_PHYS_FLOAT64);
    return vector->physical == ARB_PHYS_FLOAT32 ? (double)entries->values.f32[slot] : entries->values.f64[slot];
}

arb_str arb_vector_get_text(const arb_vector *vector, size_t row)
{
    assert(vector->physical == ARB_PHYS_STRING);
    return arb_string_view(&arb_vector_entries(vector)->values.string[arb_vector_slot(vector, row)]);
}

static size_t storage_bitmap_bytes(size_t rows)
{
    return arb_round_up(arb_bitmap_words(rows) * 8, 64);
}

size_t arb_vector_storage_bytes(arb_physical physical, size_t rows)
{
    size_t value_bytes = rows * ARB_MAX(arb_physical_size(physical), sizeof(uint32_t)); /* room for codes always */
    return arb_round_up(value_bytes + ARB_VECTOR_PADDING, 64) + storage_bitmap_bytes(rows);
}

arb_code arb_vector_storage_init(arb_vector_storage *storage, arb_physical physical, size_t rows, arb_error *error)
{
    *storage = (arb_vector_storage){.physical = physical};
    size_t bitmap_bytes = storage_bitmap_bytes(rows), bytes = arb_vector_storage_bytes(physical, rows);
    char *block = arb_alloc_aligned(bytes, 64);
    if (block == NULL)
        return arb_fail_memory(error, "a vector", bytes);
    memset(block, 0, bytes); /* so that every value is safe to read from the start */
    storage->values = block;
    storage->validity = (uint64_t *)(block + (bytes - bitmap_bytes));
    return ARB_OK;
}

void arb_vector_storage_reset(arb_vector_storage *storage)
{
    arb_free(storage->values);
    *storage = (arb_vector_storage){0};
}
