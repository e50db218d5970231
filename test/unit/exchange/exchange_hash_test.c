/* exchange_hash_v1 against test/golden/exchange_hash_v1.txt, and columns of every encoding against single values. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "exchange/exchange_hash.h"

static arb_int128 read_integer(const char *text)
{
    bool negative = *text == '-';
    arb_uint128 value = 0;
    for (text += negative; *text != '\0'; text++)
        value = value * 10 + (arb_uint128)(*text - '0');
    return (arb_int128)(negative ? -value : value);
}

static size_t read_hex(const char *text, char *out)
{
    size_t size = 0;
    for (; text[0] != '\0' && text[0] != '-'; text += 2) {
        char digits[] = {text[0], text[1], '\0'};
        out[size++] = (char)strtoul(digits, NULL, 16);
    }
    return size;
}

static uint64_t row_of_the_file(void)
{
    uint64_t hash = arb_exchange_hash_combine(arb_exchange_hash_integer(7), arb_exchange_hash_text(ARB_STR("seven")));
    return arb_exchange_hash_combine(hash, arb_exchange_hash_null());
}

static uint64_t hash_of(const char *kind, const char *value)
{
    char bytes[1024];
    arb_interval interval = {0};
    long long micros = 0;
    if (strcmp(kind, "integer") == 0)
        return arb_exchange_hash_integer(read_integer(value));
    if (strcmp(kind, "double") == 0)
        return arb_exchange_hash_double(strtod(value, NULL));
    if (strcmp(kind, "text") == 0)
        return arb_exchange_hash_text((arb_str){bytes, read_hex(value, bytes)});
    if (strcmp(kind, "interval") == 0) {
        assert_int_equal(sscanf(value, "%d,%d,%lld", &interval.months, &interval.days, &micros), 3);
        interval.micros = micros;
        return arb_exchange_hash_interval(interval);
    }
    if (strcmp(kind, "null") == 0)
        return arb_exchange_hash_null();
    if (strcmp(kind, "row") == 0)
        return row_of_the_file();
    assert_string_equal(kind, "partition");
    return arb_exchange_partition(strtoull(value, NULL, 16), (uint32_t)strtoul(strchr(value, '/') + 1, NULL, 10));
}

static void values_hash_as_they_always_did(void **state)
{
    (void)state;
    char line[4096], kind[32], value[2100];
    unsigned long long expected;
    size_t lines = 0;
    FILE *file = fopen(ARB_SOURCE_DIR "/test/golden/exchange_hash_v1.txt", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%31s %2099s %llx", kind, value, &expected), 3);
        if (hash_of(kind, value) != expected)
            fail_msg("another hash for: %s", line);
        lines++;
    }
    fclose(file);
    assert_int_equal(lines, 59);
}

static uint64_t one(arb_vector vector)
{
    uint64_t hash;
    const arb_vector *columns[] = {&vector};
    arb_exchange_hash_rows(columns, 1, 1, &hash);
    return hash;
}

static void widths_do_not_matter(void **state)
{
    (void)state;
    int8_t i8 = -7;
    int16_t i16 = -7;
    int32_t i32 = -7;
    int64_t i64 = -7;
    _Alignas(16) arb_int128 i128 = -7;
    float f32 = -7;
    double f64 = -7;
    uint64_t expected = arb_exchange_hash_integer(-7), bit = 1;
    assert_true(one((arb_vector){.physical = ARB_PHYS_INT8, .values.i8 = &i8}) == expected);
    assert_true(one((arb_vector){.physical = ARB_PHYS_INT16, .values.i16 = &i16}) == expected);
    assert_true(one((arb_vector){.physical = ARB_PHYS_INT32, .values.i32 = &i32}) == expected);
    assert_true(one((arb_vector){.physical = ARB_PHYS_INT64, .values.i64 = &i64}) == expected);
    assert_true(one((arb_vector){.physical = ARB_PHYS_INT128, .values.i128 = &i128}) == expected);
    assert_true(one((arb_vector){.physical = ARB_PHYS_FLOAT32, .values.f32 = &f32}) == arb_exchange_hash_double(-7));
    assert_true(one((arb_vector){.physical = ARB_PHYS_FLOAT64, .values.f64 = &f64}) == arb_exchange_hash_double(-7));
    assert_true(one((arb_vector){.physical = ARB_PHYS_BOOL, .values.bits = &bit}) == arb_exchange_hash_integer(1));
}

/* Columns of which some rows are NULL, in all encodings, beside a flat one. */
static void encodings_do_not_matter(void **state)
{
    (void)state;
    enum { rows = 100, entries = 7 };
    arb_string texts[entries], flat_texts[rows];
    int64_t numbers[entries], flat[rows];
    uint32_t codes[rows];
    uint64_t validity[2] = {0};
    char bytes[entries][32];
    for (size_t i = 0; i < entries; i++) {
        numbers[i] = (int64_t)i * 1000003;
        texts[i] = arb_string_of(
            bytes[i], (size_t)snprintf(bytes[i], sizeof bytes[i], "%s%zu", i % 2 == 0 ? "t" : "a text, number ", i));
    }
    for (size_t i = 0; i < rows; i++) {
        codes[i] = (uint32_t)(i * i % entries);
        flat[i] = numbers[codes[i]];
        flat_texts[i] = texts[codes[i]];
        if (i % 5 != 0)
            arb_bitmap_set(validity, i);
    }
    arb_vector number_entries = {.physical = ARB_PHYS_INT64, .values.i64 = numbers};
    arb_vector text_entries = {.physical = ARB_PHYS_STRING, .values.string = texts};
    arb_vector number_codes = {.physical = ARB_PHYS_INT64,
                               .encoding = ARB_DICTIONARY,
                               .values.codes = codes,
                               .validity = validity,
                               .dictionary = &number_entries,
                               .dictionary_size = entries};
    arb_vector text_codes = {.physical = ARB_PHYS_STRING,
                             .encoding = ARB_DICTIONARY,
                             .values.codes = codes,
                             .dictionary = &text_entries,
                             .dictionary_size = entries};
    arb_vector same = {.physical = ARB_PHYS_INT64, .encoding = ARB_CONSTANT, .values.i64 = &numbers[3]};
    arb_vector number_flat = {.physical = ARB_PHYS_INT64, .values.i64 = flat, .validity = validity};
    arb_vector text_flat = {.physical = ARB_PHYS_STRING, .values.string = flat_texts};
    const arb_vector *encoded[] = {&number_codes, &text_codes, &same}, *plain[] = {&number_flat, &text_flat, &same};
    uint64_t hashes[rows], plain_hashes[rows];
    arb_exchange_hash_rows(encoded, 3, rows, hashes);
    arb_exchange_hash_rows(plain, 3, rows, plain_hashes);
    for (size_t i = 0; i < rows; i++) {
        uint64_t expected = i % 5 == 0 ? arb_exchange_hash_null() : arb_exchange_hash_integer(flat[i]);
        expected = arb_exchange_hash_combine(expected, arb_exchange_hash_text(arb_string_view(&flat_texts[i])));
        expected = arb_exchange_hash_combine(expected, arb_exchange_hash_integer(numbers[3]));
        assert_true(hashes[i] == expected);
        assert_true(plain_hashes[i] == expected);
    }
}

static void partitions_are_even(void **state)
{
    (void)state;
    enum { rows = 64000, partitions = 64 };
    size_t counts[partitions] = {0};
    for (int64_t i = 0; i < rows; i++)
        counts[arb_exchange_partition(arb_exchange_hash_integer(i), partitions)]++;
    for (size_t p = 0; p < partitions; p++)
        assert_in_range(counts[p], rows / partitions * 8 / 10, rows / partitions * 12 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_hash_as_they_always_did),
        cmocka_unit_test(widths_do_not_matter),
        cmocka_unit_test(encodings_do_not_matter),
        cmocka_unit_test(partitions_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
