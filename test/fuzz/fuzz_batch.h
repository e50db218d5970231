/* fuzz_batch.h: what holds for every batch, whoever gives it: the contract of columnar/vector.h, looked at value by value. */
#ifndef ARB_TEST_FUZZ_BATCH_H
#define ARB_TEST_FUZZ_BATCH_H

#include "base/hash.h"
#include "base/utf8.h"
#include "formats/cell_text.h"
#include "fuzz_input.h"

/* The rows of a table in order, as far as a target needs them. */
typedef struct fuzz_rows {
    uint64_t count, hash;
} fuzz_rows;

static inline void fuzz_check_slot(const arb_vector *entries, arb_type type, size_t slot)
{
    if (entries->physical != ARB_PHYS_STRING)
        return;
    const arb_string *text = &entries->values.string[slot];
    arb_str view = {arb_string_data(text), text->size};
    FUZZ_REQUIRE(type.id != ARB_TYPE_VARCHAR || arb_utf8_is_valid(view.data, view.size));
}

/* Every row can be read, those that do not count too. */
static inline void fuzz_check_vector(const arb_vector *vector, arb_type type, size_t rows)
{
    if (vector->encoding == ARB_DICTIONARY) {
        FUZZ_REQUIRE(vector->dictionary != NULL && vector->dictionary_id != 0);
        FUZZ_REQUIRE(vector->dictionary->encoding == ARB_FLAT);
        for (size_t row = 0; row < rows; row++)
            FUZZ_REQUIRE(vector->values.codes[row] < vector->dictionary_size || !arb_vector_is_valid(vector, row));
        for (size_t entry = 0; entry < vector->dictionary_size; entry++)
            fuzz_check_slot(vector->dictionary, type, entry);
        return;
    }
    size_t slots = vector->encoding == ARB_CONSTANT ? 1 : rows;
    for (size_t slot = 0; slot < slots; slot++)
        fuzz_check_slot(vector, type, slot);
    if (type.id == ARB_TYPE_STRUCT) {
        FUZZ_REQUIRE(vector->child_rows == type.children->count);
        for (size_t i = 0; i < type.children->count; i++)
            fuzz_check_vector(&vector->children[i], type.children->types[i], rows);
    }
    for (size_t slot = 0; slot < slots && vector->physical == ARB_PHYS_LIST; slot++) {
        arb_list list = vector->values.list[slot];
        FUZZ_REQUIRE(!arb_vector_is_valid(vector, slot) || (uint64_t)list.offset + list.size <= vector->child_rows);
    }
}

static inline void fuzz_add_row(const arb_batch *batch, const arb_type *types, size_t row, fuzz_rows *rows)
{
    arb_text text = {0};
    arb_error error = {0};
    for (size_t i = 0; i < batch->column_count; i++) {
        bool valid = arb_vector_is_valid(&batch->columns[i], row);
        arb_text_append_char(&text, valid ? '.' : '-');
        if (valid)
            FUZZ_REQUIRE(arb_cell_append(&text, &batch->columns[i], types[i], row, &error) == ARB_OK);
        arb_text_append_char(&text, '\n');
    }
    FUZZ_REQUIRE(arb_text_check(&text, &error) == ARB_OK);
    rows->hash = arb_hash_combine(rows->hash, arb_str_hash(arb_text_view(&text)));
    rows->count++;
    arb_text_reset(&text);
}

/* `types[i]` is the type of column i. */
static inline void fuzz_check_batch(const arb_batch *batch, const arb_type *types, fuzz_rows *rows)
{
    FUZZ_REQUIRE(batch->rows <= ARB_VECTOR_ROWS);
    FUZZ_REQUIRE(batch->selected == arb_bitmap_count(batch->selection, batch->rows));
    for (size_t i = 0; i < batch->column_count; i++)
        fuzz_check_vector(&batch->columns[i], types[i], batch->rows);
    for (size_t row = 0; row < batch->rows; row++)
        if (batch->selection == NULL || arb_bitmap_get(batch->selection, row))
            fuzz_add_row(batch, types, row, rows);
}

#endif
