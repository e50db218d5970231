/* The reader of Thrift's compact protocol on bytes that are right, cut short, or made to hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"
#include "formats/parquet/page_metadata.h"
#include "formats/parquet/thrift_reader.h"

static void fields_are_read(void **state)
{
    (void)state;
    /* 1: i32 -3, 2: true, 5: "abc", 6: list of two i64 (150, -1), 7: double to skip, stop */
    static const uint8_t bytes[] = {0x15, 5,    0x11, 0x38, 3, 'a', 'b', 'c', 0x19, 0x26, 0xAC, 0x02,
                                    0x01, 0x17, 1,    2,    3, 4,   5,   6,   7,    8,    0x00};
    arb_thrift_reader in = arb_thrift_reader_over(bytes, sizeof bytes);
    arb_thrift_field field = {0};
    uint8_t element;
    assert_true(arb_thrift_next_field(&in, &field));
    assert_int_equal(field.id, 1);
    assert_int_equal(arb_thrift_integer(&in, field.type), -3);
    assert_true(arb_thrift_next_field(&in, &field));
    assert_int_equal(field.id, 2);
    assert_true(arb_thrift_bool(&in, field.type));
    assert_true(arb_thrift_next_field(&in, &field));
    assert_int_equal(field.id, 5);
    assert_true(arb_str_equal(arb_thrift_binary(&in, field.type), ARB_STR("abc")));
    assert_true(arb_thrift_next_field(&in, &field));
    assert_int_equal(arb_thrift_list(&in, field.type, &element), 2);
    assert_int_equal(arb_thrift_integer(&in, element), 150);
    assert_int_equal(arb_thrift_integer(&in, element), -1);
    assert_true(arb_thrift_next_field(&in, &field));
    assert_int_equal(field.type, ARB_THRIFT_DOUBLE);
    arb_thrift_skip(&in, field.type);
    assert_false(arb_thrift_next_field(&in, &field));
    assert_false(in.failed);
    assert_ptr_equal(in.at, in.end);
}

static void cut_bytes_fail_for_good(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x18, 5, 'a', 'b', 'c', 'd', 'e', 0x00};
    for (size_t size = 0; size < sizeof bytes; size++) {
        arb_thrift_reader in = arb_thrift_reader_over(bytes, size);
        arb_thrift_field field = {0};
        while (arb_thrift_next_field(&in, &field))
            arb_thrift_binary(&in, field.type);
        assert_true(in.failed);
        assert_int_equal(arb_thrift_integer(&in, ARB_THRIFT_I64), 0);
        assert_false(arb_thrift_next_field(&in, &field));
    }
}

static void wrong_types_and_long_numbers_fail(void **state)
{
    (void)state;
    static const uint8_t endless[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    arb_thrift_reader in = arb_thrift_reader_over(endless, sizeof endless);
    arb_thrift_integer(&in, ARB_THRIFT_I64);
    assert_true(in.failed);
    in = arb_thrift_reader_over(endless, sizeof endless);
    arb_thrift_integer(&in, ARB_THRIFT_BINARY);
    assert_true(in.failed);
    in = arb_thrift_reader_over(endless, sizeof endless);
    assert_false(arb_thrift_struct(&in, ARB_THRIFT_I32));
    assert_true(in.failed);
}

static void a_list_claims_no_more_than_follows(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xFC, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0}; /* 4,294,967,295 structs in two bytes */
    arb_thrift_reader in = arb_thrift_reader_over(bytes, sizeof bytes);
    uint8_t element;
    assert_int_equal(arb_thrift_list(&in, ARB_THRIFT_LIST, &element), 0);
    assert_true(in.failed);
}

static void nesting_is_limited(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    memset(bytes, 0x1C, sizeof bytes); /* field 1: a struct whose field 1 is a struct … */
    arb_thrift_reader in = arb_thrift_reader_over(bytes, sizeof bytes);
    arb_thrift_skip(&in, ARB_THRIFT_STRUCT);
    assert_true(in.failed);
    memset(bytes, 0x19, sizeof bytes); /* lists of lists */
    in = arb_thrift_reader_over(bytes, sizeof bytes);
    arb_thrift_skip(&in, ARB_THRIFT_LIST);
    assert_true(in.failed);
}

/* Whatever the bytes are: parsers end, and stay within them (the sanitizers look). */
static void noise_is_survived(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[96];
        for (size_t i = 0; i < sizeof bytes; i += 8)
            arb_store_u64(bytes + i, seed = arb_hash_u64(seed));
        for (size_t i = 0; i < sizeof bytes; i++) /* noise ends soon; make fields likely */
            if (bytes[i] & 1)
                bytes[i] = (uint8_t)(0x10 | (bytes[i] >> 1 & 15));
        size_t size = round % sizeof bytes, used;
        uint8_t *exact = test_malloc(size + 1);
        memcpy(exact, bytes, size);
        arb_held_arena arena = {0};
        arb_parquet_page_header header;
        arb_parquet_offset_index offsets;
        arb_parquet_column_index columns;
        if (arb_parquet_page_header_parse(exact, size, &header, &used))
            assert_true(used <= size);
        if (arb_parquet_offset_index_parse(exact, size, &arena, &offsets, NULL) == ARB_OK)
            assert_true(offsets.count <= size);
        if (arb_parquet_column_index_parse(exact, size, &arena, &columns, NULL) == ARB_OK)
            assert_true(columns.count <= size);
        arb_parquet_bloom_header_parse(exact, size, &used);
        arb_held_arena_reset(&arena);
        test_free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(cut_bytes_fail_for_good),
        cmocka_unit_test(wrong_types_and_long_numbers_fail),
        cmocka_unit_test(a_list_claims_no_more_than_follows),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(noise_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
