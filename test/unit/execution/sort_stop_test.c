/* Sorts that are told to stop: they do so soon, and what they leave still points to rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "execution/operators/sort_entries.h"

enum { rows = 300000 };

static void entries_stay_sound(void **state)
{
    (void)state;
    static const arb_sort_keys keys = {.words = 1, .exact = true};
    static uint64_t headers[rows];
    arb_sort_entry *entries = arb_alloc(rows * sizeof *entries), *scratch = arb_alloc(rows * sizeof *entries);
    assert_true(entries != NULL && scratch != NULL);
    for (int stopped = 0; stopped < 2; stopped++) {
        for (int kind = 0; kind < 4; kind++) { /* by radix and by comparisons, of random keys and of a few */
            _Atomic bool stop = stopped;
            const arb_sort_order order = {&keys, 0, &stop};
            for (size_t i = 0; i < rows; i++) {
                headers[i] = i;
                uint64_t key = arb_hash_u64(i);
                entries[i] = (arb_sort_entry){kind < 2 ? key : key % 5, (char *)&headers[i]};
            }
            memset(scratch, 0, rows * sizeof *scratch);
            arb_sort_entries(entries, rows, &order, kind % 2 == 0 ? scratch : NULL);
            bool sorted = true;
            for (size_t i = 0; i < rows; i++) {
                uint64_t *row = (uint64_t *)(void *)entries[i].row;
                assert_true(row >= headers && row < headers + rows);
                sorted = sorted && (i == 0 || arb_sort_entry_compare(&entries[i - 1], &entries[i], &order) <= 0);
            }
            assert_int_equal(sorted, !stopped);
        }
    }
    arb_free(entries);
    arb_free(scratch);
}

static void rows_give_up(void **state)
{
    (void)state;
    static uint64_t headers[rows];
    static char *pointers[rows], *scratch[rows];
    const arb_row_layout layout = {0};
    const arb_row_order order = {.layout = &layout};
    arb_error error = {0};
    _Atomic bool stop = false;
    for (size_t i = 0; i < rows; i++)
        pointers[i] = (char *)&headers[i];
    assert_int_equal(arb_rows_sort(&order, pointers, rows, scratch, &stop, &error), ARB_OK);
    for (size_t i = 0; i < rows; i++) /* all are equal: they stay where they are */
        assert_ptr_equal(pointers[i], &headers[i]);
    atomic_store(&stop, true);
    assert_int_equal(arb_rows_sort(&order, pointers, rows, scratch, &stop, &error), ARB_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_stay_sound), cmocka_unit_test(rows_give_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
