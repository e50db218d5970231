#include "execution/operators/group_index.h"

#include "base/alloc.h"
#include "base/hash.h"

enum { DIGIT_INTEGER, DIGIT_TRUTH, DIGIT_TEXT };
enum { slots_most = 64 * 1024, texts_most = 16 * 1024, texts_least = 8, codes_most = 1 << 20 };

/* How many values each text key may have so that the product stays small: the k-th root of what is left. */
static uint32_t text_values(uint64_t left, size_t texts)
{
    uint32_t values = texts_least;
    for (;; values *= 2) {
        uint64_t product = 1;
        for (size_t i = 0; i < texts && product <= left; i++)
            product *= (uint64_t)values * 2;
        if (product > left || values == texts_most)
            return values;
    }
}

static bool plan_digits(arb_group_index *index, const arb_layout *child, const uint32_t *groups)
{
    uint64_t product = 1;
    size_t texts = 0;
    for (size_t k = 0; k < index->key_count; k++) {
        const arb_slot *slot = &child->slots[groups[k]];
        arb_group_digit *digit = &index->digits[k];
        if (slot->physical == ARB_PHYS_STRING) {
            digit->kind = DIGIT_TEXT;
            texts++;
            continue;
        }
        if (slot->physical == ARB_PHYS_BOOL) {
            digit->kind = DIGIT_TRUTH;
            digit->values = 3;
        } else if (slot->physical >= ARB_PHYS_INT8 && slot->physical <= ARB_PHYS_INT64 && slot->range.known &&
                   slot->range.high - slot->range.low < slots_most) {
            digit->kind = DIGIT_INTEGER;
            digit->low = (int64_t)slot->range.low;
            digit->values = (uint32_t)(slot->range.high - slot->range.low) + 2;
        } else {
            return false;
        }
        product *= digit->values;
        if (product > slots_most)
            return false;
    }
    uint32_t values = text_values(slots_most / product, texts);
    uint32_t stride = 1;
    for (size_t k = 0; k < index->key_count; k++) {
        arb_group_digit *digit = &index->digits[k];
        if (digit->kind == DIGIT_TEXT)
            digit->values = values;
        digit->stride = stride;
        if ((uint64_t)stride * digit->values > slots_most)
            return false;
        stride *= digit->values;
    }
    index->slot_count = stride;
    return true;
}

arb_code arb_group_index_init(arb_group_index *index, const arb_layout *child, const uint32_t *groups, size_t count,
                              arb_error *error)
{
    index->key_count = count;
    index->on = false;
    if (count == 0)
        return ARB_OK;
    index->digits = arb_alloc_zeroed(count * sizeof *index->digits);
    if (index->digits == NULL)
        return arb_fail_memory(error, "aggregation", count * sizeof *index->digits);
    if (!plan_digits(index, child, groups))
        return ARB_OK;
    index->slots = arb_alloc_zeroed(index->slot_count * sizeof *index->slots);
    if (index->slots == NULL)
        return arb_fail_memory(error, "aggregation", index->slot_count * sizeof *index->slots);
    for (size_t k = 0; k < count; k++) {
        arb_group_digit *digit = &index->digits[k];
        if (digit->kind != DIGIT_TEXT)
            continue;
        digit->bucket_count = (uint32_t)arb_next_power_of_two(digit->values * 2);
        digit->texts = arb_alloc_zeroed(digit->values * sizeof *digit->texts);
        digit->buckets = arb_alloc_zeroed(digit->bucket_count * sizeof *digit->buckets);
        if (digit->texts == NULL || digit->buckets == NULL)
            return arb_fail_memory(error, "aggregation", digit->bucket_count * sizeof *digit->buckets);
    }
    index->on = true;
    return ARB_OK;
}

void arb_group_index_reset(arb_group_index *index)
{
    for (size_t k = 0; index->digits != NULL && k < index->key_count; k++) {
        arb_free(index->digits[k].numbers);
        arb_free(index->digits[k].texts);
        arb_free(index->digits[k].buckets);
    }
    arb_free(index->digits);
    arb_free(index->slots);
    index->digits = NULL;
    index->slots = NULL;
    index->on = false;
    arb_arena_reset(&index->arena);
}

void arb_group_index_forget(arb_group_index *index)
{
    memset(index->slots, 0, index->slot_count * sizeof *index->slots);
}

/* ---- texts ------------------------------------------------------------------------------------------------------------ */

/* The number of a text, new or known; 0 when there is no room for another. */
static uint32_t number_of(arb_group_index *index, arb_group_digit *digit, const arb_string *text)
{
    uint32_t mask = digit->bucket_count - 1, at = (uint32_t)arb_hash_bytes(arb_string_data(text), text->size) & mask;
    for (; digit->buckets[at] != 0; at = (at + 1) & mask)
        if (arb_string_equal(&digit->texts[digit->buckets[at]], text))
            return digit->buckets[at];
    if (digit->count + 1 >= digit->values)
        return 0;
    arb_string own = *text;
    if (text->size > ARB_STRING_INLINE) {
        own.far.data = arb_arena_copy(&index->arena, text->far.data, text->size);
        if (own.far.data == NULL)
            return 0;
    }
    uint32_t number = ++digit->count;
    digit->texts[number] = own;
    digit->buckets[at] = number;
    return number;
}

static bool know_dictionary(arb_group_digit *digit, const arb_vector *vector)
{
    if (digit->dictionary_id == vector->dictionary_id)
        return true;
    if (vector->dictionary_size > codes_most)
        return false;
    if (digit->capacity < vector->dictionary_size) {
        arb_free(digit->numbers);
        digit->capacity = 0;
        digit->numbers = arb_alloc(vector->dictionary_size * sizeof *digit->numbers);
        if (digit->numbers == NULL)
            return false;
        digit->capacity = vector->dictionary_size;
    }
    memset(digit->numbers, 0xFF, vector->dictionary_size * sizeof *digit->numbers);
    digit->dictionary_id = vector->dictionary_id;
    return true;
}

static bool add_text(arb_group_index *index, arb_group_digit *digit, const arb_vector *vector, const uint16_t *rows,
                     size_t count)
{
    uint32_t stride = digit->stride, *places = index->places;
    if (vector->encoding == ARB_CONSTANT) {
        uint32_t number = arb_vector_is_valid(vector, 0) ? number_of(index, digit, vector->values.string) : 0;
        if (number == 0 && arb_vector_is_valid(vector, 0))
            return false;
        for (size_t i = 0; i < count; i++)
            places[i] += number * stride;
        return true;
    }
    if (vector->encoding != ARB_DICTIONARY || !know_dictionary(digit, vector))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint16_t row = rows[i];
        if (vector->validity != NULL && !arb_bitmap_get(vector->validity, row))
            continue;
        uint32_t code = vector->values.codes[row], number = digit->numbers[code];
        if (ARB_UNLIKELY(number == UINT32_MAX)) {
            number = number_of(index, digit, &vector->dictionary->values.string[code]);
            if (number == 0) { /* too many values: this is work for the hash table */
                index->on = false;
                return false;
            }
            digit->numbers[code] = number;
        }
        places[i] += number * stride;
    }
    return true;
}

/* ---- integers ----------------------------------------------------------------------------------------------------------- */

/* A value outside of the range that was claimed would name a wrong group: then the batch goes the long way. */
#define ADD(width, type)                                                                                  \
    static bool add_##width(const arb_group_digit *digit, const arb_vector *vector, const uint16_t *rows, \
                            size_t count, uint32_t *places)                                               \
    {                                                                                                     \
        const type *values = arb_vector_entries(vector)->values.data;                                     \
        uint64_t low = (uint64_t)digit->low, most = digit->values - 1, stride = digit->stride;            \
        bool fits = true;                                                                                 \
        if (vector->encoding == ARB_FLAT && vector->validity == NULL) {                                   \
            for (size_t i = 0; i < count; i++) {                                                          \
                uint64_t number = (uint64_t)(int64_t)values[rows[i]] - low;                               \
                fits &= number < most;                                                                    \
                places[i] += (uint32_t)((number + 1) * stride);                                           \
            }                                                                                             \
            return fits;                                                                                  \
        }                                                                                                 \
        for (size_t i = 0; i < count; i++) {                                                              \
            if (!arb_vector_is_valid(vector, rows[i]))                                                    \
                continue;                                                                                 \
            uint64_t number = (uint64_t)(int64_t)values[arb_vector_slot(vector, rows[i])] - low;          \
            fits &= number < most;                                                                        \
            places[i] += (uint32_t)((number + 1) * stride);                                               \
        }                                                                                                 \
        return fits;                                                                                      \
    }
ADD(1, int8_t)
ADD(2, int16_t)
ADD(4, int32_t)
ADD(8, int64_t)

static void add_truth(const arb_group_digit *digit, const arb_vector *vector, const uint16_t *rows, size_t count,
                      uint32_t *places)
{
    for (size_t i = 0; i < count; i++)
        if (arb_vector_is_valid(vector, rows[i]))
            places[i] += (1u + arb_vector_get_bool(vector, rows[i])) * digit->stride;
}

static bool add_digit(arb_group_index *index, arb_group_digit *digit, const arb_vector *vector, const uint16_t *rows,
                      size_t count)
{
    if (digit->kind == DIGIT_TEXT)
        return add_text(index, digit, vector, rows, count);
    if (digit->kind == DIGIT_TRUTH) {
        add_truth(digit, vector, rows, count, index->places);
        return true;
    }
    switch (arb_physical_size((arb_physical)vector->physical)) {
    case 1:
        return add_1(digit, vector, rows, count, index->places);
    case 2:
        return add_2(digit, vector, rows, count, index->places);
    case 4:
        return add_4(digit, vector, rows, count, index->places);
    default:
        return add_8(digit, vector, rows, count, index->places);
    }
}

bool arb_group_index_find(arb_group_index *index, const arb_key_columns *keys, const uint16_t *rows, size_t count,
                          char **out_rows, uint16_t *out_missing, size_t *out_missing_count)
{
    memset(index->places, 0, count * sizeof *index->places);
    for (size_t k = 0; k < index->key_count; k++)
        if (!add_digit(index, &index->digits[k], arb_key_column(keys, k), rows, count))
            return false;
    size_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        char *group = index->slots[index->places[i]];
        out_rows[rows[i]] = group;
        out_missing[missing] = rows[i];
        missing += group == NULL;
    }
    *out_missing_count = missing;
    return true;
}

void arb_group_index_learn(arb_group_index *index, const uint16_t *rows, size_t count, char *const *found)
{
    for (size_t i = 0; i < count; i++)
        index->slots[index->places[i]] = found[rows[i]];
}
