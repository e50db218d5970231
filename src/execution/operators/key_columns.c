#include "execution/operators/key_columns.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "kernels/hash_values.h"
#include "kernels/select.h"

static const uint64_t null_hash = 0x5DEECE66D1CE4E5Bu;

struct arb_key_memory {
    arb_vector_storage storage; /* made when a vector first has to be flattened */
    uint64_t dictionary_id;     /* whose entries are hashed in `entries` */
    uint64_t *entries;
    size_t capacity;
};

arb_code arb_key_columns_init(arb_key_columns *keys, const uint32_t *positions, size_t count, arb_error *error)
{
    *keys = (arb_key_columns){.count = count, .positions = positions};
    keys->flat = arb_alloc_zeroed((count + 1) * sizeof *keys->flat);
    keys->memory = arb_alloc_zeroed((count + 1) * sizeof *keys->memory);
    keys->hashes = arb_alloc_aligned(ARB_VECTOR_ROWS * sizeof *keys->hashes, 64);
    if (keys->flat == NULL || keys->memory == NULL || keys->hashes == NULL) {
        arb_key_columns_reset(keys);
        return arb_fail_memory(error, "key columns", ARB_VECTOR_ROWS * sizeof *keys->hashes);
    }
    return ARB_OK;
}

void arb_key_columns_reset(arb_key_columns *keys)
{
    for (size_t i = 0; keys->memory != NULL && i < keys->count; i++) {
        arb_vector_storage_reset(&keys->memory[i].storage);
        arb_free(keys->memory[i].entries);
    }
    arb_free(keys->memory);
    arb_free(keys->flat);
    arb_free(keys->hashes);
    *keys = (arb_key_columns){0};
}

void arb_hash_flat(const arb_vector *vector, size_t rows, uint64_t *hashes)
{
    if (vector->physical == ARB_PHYS_BOOL)
        for (size_t row = 0; row < rows; row++)
            hashes[row] = arb_hash_u64(arb_bitmap_get(vector->values.bits, row));
    else
        arb_hash_kernels_get()->hash[vector->physical](vector->values.data, rows, hashes);
}

static arb_code hash_dictionary(struct arb_key_memory *memory, const arb_vector *vector, arb_error *error)
{
    if (memory->dictionary_id == vector->dictionary_id)
        return ARB_OK;
    if (memory->capacity < vector->dictionary_size) {
        arb_free(memory->entries);
        memory->capacity = 0;
        memory->entries = arb_alloc(vector->dictionary_size * sizeof *memory->entries);
        if (memory->entries == NULL)
            return arb_fail_memory(error, "hashes of a dictionary", vector->dictionary_size * sizeof *memory->entries);
        memory->capacity = vector->dictionary_size;
    }
    arb_hash_flat(vector->dictionary, vector->dictionary_size, memory->entries);
    memory->dictionary_id = vector->dictionary_id;
    return ARB_OK;
}

static arb_code hash_column(struct arb_key_memory *memory, const arb_vector *vector, size_t rows, uint64_t *hashes,
                            arb_error *error)
{
    if (vector->encoding == ARB_CONSTANT) {
        uint64_t once = null_hash;
        if (arb_vector_is_valid(vector, 0))
            arb_hash_flat(vector, 1, &once);
        for (size_t row = 0; row < rows; row++)
            hashes[row] = once;
        return ARB_OK;
    }
    if (vector->encoding == ARB_DICTIONARY) {
        ARB_TRY(hash_dictionary(memory, vector, error));
        for (size_t row = 0; row < rows; row++)
            hashes[row] = memory->entries[vector->values.codes[row]];
    } else {
        arb_hash_flat(vector, rows, hashes);
    }
    if (vector->validity != NULL)
        for (size_t row = 0; row < rows; row++)
            hashes[row] = arb_bitmap_get(vector->validity, row) ? hashes[row] : null_hash;
    return ARB_OK;
}

arb_code arb_key_columns_hash(arb_key_columns *keys, arb_error *error)
{
    size_t rows = keys->batch->rows;
    uint64_t next[ARB_VECTOR_ROWS];
    if (keys->count == 0)
        memset(keys->hashes, 0, rows * sizeof *keys->hashes);
    for (size_t c = 0; c < keys->count; c++) {
        ARB_TRY(hash_column(&keys->memory[c], arb_key_column(keys, c), rows, c == 0 ? keys->hashes : next, error));
        for (size_t row = 0; c != 0 && row < rows; row++)
            keys->hashes[row] = arb_hash_combine(keys->hashes[row], next[row]);
    }
    return ARB_OK;
}

arb_code arb_key_columns_flatten(arb_key_columns *keys, arb_error *error)
{
    for (size_t c = 0; c < keys->count; c++) {
        const arb_vector *vector = arb_key_column(keys, c);
        arb_vector_storage *storage = &keys->memory[c].storage;
        if (vector->encoding != ARB_FLAT && storage->values == NULL)
            ARB_TRY(arb_vector_storage_init(storage, (arb_physical)vector->physical, ARB_VECTOR_ROWS, error));
        arb_vector_flatten(vector, keys->batch->rows, storage, &keys->flat[c]);
    }
    return ARB_OK;
}

size_t arb_key_columns_valid(const arb_key_columns *keys, const bool *may_be_null, uint16_t *rows, size_t count,
                             uint16_t *out_null, size_t *out_null_count)
{
    size_t null_count = 0;
    for (size_t c = 0; c < keys->count; c++) {
        const arb_vector *vector = arb_key_column(keys, c);
        if (vector->validity == NULL || (may_be_null != NULL && may_be_null[c]))
            continue;
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) {
            if (arb_vector_is_valid(vector, rows[i]))
                rows[kept++] = rows[i];
            else if (out_null != NULL)
                out_null[null_count++] = rows[i];
        }
        count = kept;
    }
    if (out_null_count != NULL)
        *out_null_count = null_count;
    return count;
}

size_t arb_batch_rows_selected(const arb_batch *batch, uint16_t *out_rows)
{
    if (batch->selection != NULL)
        return arb_selection_kernels_get()->indices(batch->selection, batch->rows, out_rows);
    for (size_t row = 0; row < batch->rows; row++)
        out_rows[row] = (uint16_t)row;
    return batch->rows;
}
