#include "kernels/select.h"

ARB_KERNELS_DEFINE(arb_selection_kernels)

static void repeat(void *to, const void *value, size_t size, size_t rows)
{
    for (size_t row = 0; row < rows; row++)
        memcpy((char *)to + row * size, value, size);
}

static void flatten_constant(const arb_vector *in, size_t rows, const arb_vector_storage *storage, arb_vector *out)
{
    bool valid = in->validity == NULL || (in->validity[0] & 1) != 0;
    if (!valid) {
        memset(storage->validity, 0, arb_bitmap_words(rows) * 8);
        out->validity = storage->validity;
    }
    if (in->physical == ARB_PHYS_BOOL)
        memset(storage->values, (in->values.bits[0] & 1) != 0 ? 0xFF : 0, arb_bitmap_words(rows) * 8);
    else
        repeat(storage->values, in->values.data, arb_physical_size((arb_physical)in->physical), rows);
}

void arb_vector_flatten(const arb_vector *in, size_t rows, const arb_vector_storage *storage, arb_vector *out)
{
    if (in->encoding == ARB_FLAT || in->physical == ARB_PHYS_STRUCT) {
        *out = *in;
        return;
    }
    assert(storage->physical == in->physical);
    *out = arb_vector_over(storage);
    if (in->encoding == ARB_CONSTANT) {
        out->children = in->children;
        out->child_rows = in->child_rows;
        flatten_constant(in, rows, storage, out);
        return;
    }
    const arb_selection_kernels *kernels = arb_selection_kernels_get();
    out->validity = in->validity;
    if (in->physical == ARB_PHYS_BOOL) {
        kernels->gather32_bits(in->dictionary->values.bits, in->values.codes, rows, storage->values);
    } else {
        unsigned width = arb_width_of(arb_physical_size((arb_physical)in->physical));
        kernels->gather32[width](in->dictionary->values.data, in->values.codes, rows, storage->values);
        out->children = in->dictionary->children;
        out->child_rows = in->dictionary->child_rows;
    }
}

void arb_vector_gather(const arb_vector *in, const uint16_t *rows, size_t count, const arb_vector_storage *storage,
                       arb_vector *out)
{
    assert(in->physical != ARB_PHYS_STRUCT);
    *out = *in;
    if (in->encoding == ARB_CONSTANT)
        return;
    const arb_selection_kernels *kernels = arb_selection_kernels_get();
    if (in->validity != NULL) {
        kernels->gather16_bits(in->validity, rows, count, storage->validity);
        out->validity = storage->validity;
    }
    out->values.data = storage->values;
    if (in->encoding == ARB_DICTIONARY)
        kernels->gather16[ARB_WIDTH_4](in->values.codes, rows, count, storage->values);
    else if (in->physical == ARB_PHYS_BOOL)
        kernels->gather16_bits(in->values.bits, rows, count, storage->values);
    else
        kernels->gather16[arb_width_of(arb_physical_size((arb_physical)in->physical))](in->values.data, rows, count,
                                                                                       storage->values);
}
