/* Arenas, lists, texts, bitmaps: the small containers that everything is made of. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bitmap.h"
#include "base/text.h"
#include "base/vec.h"

static void count_call(void *context)
{
    ++*(int *)context;
}

static void an_arena_gives_aligned_memory_and_runs_its_hooks(void **state)
{
    (void)state;
    arb_arena arena = {0};
    int calls = 0;
    assert_non_null(arb_arena_alloc(&arena, 0));
    for (size_t size = 0; size < 3000; size += 7) {
        char *block = arb_arena_alloc(&arena, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0xAB, size);
    }
    assert_non_null(arb_arena_alloc(&arena, 5 << 20));
    assert_int_equal(arb_arena_on_reset(&arena, count_call, &calls, NULL), ARB_OK);
    arb_arena_rewind(&arena);
    assert_int_equal(calls, 1);
    assert_non_null(arb_arena_alloc(&arena, 100));
    arb_arena_reset(&arena);
    arb_arena_reset(&arena);
    assert_int_equal(calls, 1);
    assert_int_equal(arena.total, 0);
}

static void an_arena_keeps_its_limit(void **state)
{
    (void)state;
    arb_arena arena = {.limit = 10000};
    size_t given = 0;
    while (arb_arena_alloc(&arena, 1000) != NULL)
        given += 1000;
    assert_true(given >= 6000 && given <= 10000);
    assert_null(arb_arena_alloc(&arena, SIZE_MAX - 8));
    arb_arena_reset(&arena);
}

static void an_arena_may_begin_small(void **state)
{
    (void)state;
    arb_arena arena = {.first = 500};
    for (int round = 0; round < 2; round++) {
        assert_non_null(arb_arena_alloc(&arena, 400));
        assert_int_equal(arena.total, 500);
        assert_non_null(arb_arena_alloc(&arena, 200));
        assert_int_equal(arena.total, 500 + 1000);
        arb_arena_reset(&arena);
    }
}

static void lists_grow(void **state)
{
    (void)state;
    ARB_VEC(int) list = {0};
    for (int i = 0; i < 1000; i++)
        assert_true(ARB_VEC_PUSH(&list, i * 3));
    assert_int_equal(list.size, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list.data[i], i * 3);
    ARB_VEC_RESET(&list);
    assert_null(list.data);
    arb_arena arena = {0};
    ARB_VEC(size_t) places = {0};
    for (size_t i = 0; i < 10; i++) /* a value may be made of the size */
        assert_true(ARB_VEC_PUSH(&list, (int)list.size) && ARB_ARENA_PUSH(&arena, &places, places.size));
    for (size_t i = 0; i < 10; i++)
        assert_true(list.data[i] == (int)i && places.data[i] == i);
    ARB_VEC_RESET(&list);
    arb_arena_reset(&arena);
}

static void texts_grow_and_compare(void **state)
{
    (void)state;
    arb_text text = {0};
    for (int i = 0; i < 100; i++)
        arb_text_printf(&text, "%d,", i);
    arb_text_append_repeated(&text, '-', 3);
    assert_int_equal(arb_text_check(&text, NULL), ARB_OK);
    assert_true(arb_str_ends_with(arb_text_view(&text), ARB_STR("98,99,---")));
    arb_text_reset(&text);
    assert_true(arb_str_equal_nocase(ARB_STR("OrderKey"), ARB_STR("orderkey")));
    assert_int_equal(arb_str_hash_nocase(ARB_STR("OrderKey")), arb_str_hash_nocase(ARB_STR("orderkey")));
    assert_true(arb_str_compare(ARB_STR("ab"), ARB_STR("abc")) < 0);
    assert_true(arb_str_compare(ARB_STR("b"), ARB_STR("abc")) > 0);
    assert_int_equal(arb_str_distance(ARB_STR("slect"), ARB_STR("SELECT"), 3), 1);
    assert_int_equal(arb_str_distance(ARB_STR("form"), ARB_STR("from"), 3), 1);
    assert_int_equal(arb_str_distance(ARB_STR("abcdef"), ARB_STR("uvwxyz"), 2), 3);
}

/* Against the plain definition, at every offset. */
static void digits_are_read(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
    int found = 0;
    for (int c = CHAR_MIN; c <= CHAR_MAX; c++) {
        int value = arb_hex_digit((char)c);
        assert_true(value < 16);
        assert_true(value < 0 || digits[value] == c || large[value] == c);
        found += value >= 0;
    }
    assert_int_equal(found, 22);
}

static void bitmaps_are_copied_at_any_offset(void **state)
{
    (void)state;
    uint64_t source[6], copy[6], written[8];
    for (size_t i = 0; i < 6; i++)
        source[i] = 0x9E3779B97F4A7C15u * (i + 1);
    for (size_t from = 0; from < 70; from += 3) {
        for (size_t rows = 0; rows + from <= 6 * 64; rows += 11) {
            arb_bitmap_copy(copy, source, from, rows);
            size_t count = 0;
            for (size_t i = 0; i < rows; i++) {
                assert_int_equal(arb_bitmap_get(copy, i), arb_bitmap_get(source, from + i));
                count += arb_bitmap_get(copy, i);
            }
            assert_int_equal(arb_bitmap_count(copy, rows), count);
            memset(written, 0xF0, sizeof written);
            arb_bitmap_write(written, from, copy, rows);
            for (size_t i = 0; i < rows; i++)
                assert_int_equal(arb_bitmap_get(written, from + i), arb_bitmap_get(copy, i));
            for (size_t i = from + rows; i < 8 * 64; i++)
                assert_int_equal(arb_bitmap_get(written, i), (i % 8) >= 4);
        }
    }
    uint16_t rows[384];
    arb_bitmap_fill(copy, 130);
    assert_int_equal(arb_bitmap_indices(copy, 130, rows), 130);
    assert_int_equal(rows[129], 129);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_gives_aligned_memory_and_runs_its_hooks),
        cmocka_unit_test(an_arena_keeps_its_limit),
        cmocka_unit_test(an_arena_may_begin_small),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(texts_grow_and_compare),
        cmocka_unit_test(digits_are_read),
        cmocka_unit_test(bitmaps_are_copied_at_any_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
