/* value_sort.c: merge sort: runs by insertion, merged from one array to the other. */
#include "expr/aggregates/value_sort.h"

enum { run_most = 12, value_most = 16, step = 1 << 13 /* values between two looks at the flag */ };

static void sort_run(char *values, size_t count, size_t size, arb_compare_values compare)
{
    for (size_t i = 1; i < count; i++) {
        char moving[value_most];
        size_t at = i;
        memcpy(moving, values + i * size, size);
        for (; at > 0 && compare(moving, values + (at - 1) * size) < 0; at--)
            memcpy(values + at * size, values + (at - 1) * size, size);
        memcpy(values + at * size, moving, size);
    }
}

/* Two runs, one behind the other and ending at `middle` and `end`, become one at the same place in `to`. */
static arb_code merge(const char *from, char *to, size_t start, size_t middle, size_t end, size_t size,
                      arb_compare_values compare, arb_stop_flag *stop, arb_error *error)
{
    size_t left = start, right = middle;
    for (size_t i = start; i < end; i++) {
        if (i % step == 0)
            ARB_TRY(arb_check_stop(stop, error));
        bool take_left = left < middle && (right == end || compare(from + left * size, from + right * size) <= 0);
        memcpy(to + i * size, from + (take_left ? left++ : right++) * size, size);
    }
    return ARB_OK;
}

arb_code arb_values_sort(arb_arena *arena, char *values, size_t count, size_t size, arb_compare_values compare,
                         arb_stop_flag *stop, arb_error *error)
{
    assert(size <= value_most);
    char *from = values, *to = arb_arena_alloc(arena, count * size);
    if (to == NULL)
        return arb_fail_memory(error, "sorting the values of an aggregate", count * size);
    for (size_t i = 0; i < count; i += run_most) {
        if (i % step < run_most)
            ARB_TRY(arb_check_stop(stop, error));
        sort_run(from + i * size, ARB_MIN((size_t)run_most, count - i), size, compare);
    }
    for (size_t width = run_most; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width)
            ARB_TRY(merge(from, to, start, ARB_MIN(start + width, count), ARB_MIN(start + 2 * width, count), size,
                          compare, stop, error));
        char *swap = from;
        from = to;
        to = swap;
    }
    if (from != values)
        memcpy(values, from, count * size);
    return ARB_OK;
}
