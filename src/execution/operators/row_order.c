#include "execution/operators/row_order.h"

#define BELOW(a, b) ((a) < (b))
#define BELOW_FLOAT(a, b) ((b) != (b) ? (a) == (a) : (a) < (b))
#define BELOW_INTERVAL(a, b) (arb_interval_span(a) < arb_interval_span(b))

#define COMPARE(name, type, below)                          \
    static int compare_##name(const char *a, const char *b) \
    {                                                       \
        type left, right;                                   \
        memcpy(&left, a, sizeof left);                      \
        memcpy(&right, b, sizeof right);                    \
        return below(right, left) - below(left, right);     \
    }
COMPARE(INT8, int8_t, BELOW)
COMPARE(INT16, int16_t, BELOW)
COMPARE(INT32, int32_t, BELOW)
COMPARE(INT64, int64_t, BELOW)
COMPARE(INT128, arb_int128, BELOW)
COMPARE(FLOAT32, float, BELOW_FLOAT)
COMPARE(FLOAT64, double, BELOW_FLOAT)
COMPARE(INTERVAL, arb_interval, BELOW_INTERVAL)

static int compare_STRING(const char *a, const char *b)
{
    arb_string left, right;
    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return arb_string_compare(&left, &right);
}

static int (*const compare_table[ARB_PHYS_COUNT])(const char *, const char *) = {
    [ARB_PHYS_BOOL] = compare_INT8,         [ARB_PHYS_INT8] = compare_INT8,       [ARB_PHYS_INT16] = compare_INT16,
    [ARB_PHYS_INT32] = compare_INT32,       [ARB_PHYS_INT64] = compare_INT64,     [ARB_PHYS_INT128] = compare_INT128,
    [ARB_PHYS_FLOAT32] = compare_FLOAT32,   [ARB_PHYS_FLOAT64] = compare_FLOAT64, [ARB_PHYS_STRING] = compare_STRING,
    [ARB_PHYS_INTERVAL] = compare_INTERVAL,
};

int arb_row_compare(const arb_row_order *order, const char *a, const char *b)
{
    const arb_row_layout *layout = order->layout;
    for (size_t k = 0; k < order->count; k++) {
        arb_row_order_key key = order->keys[k];
        bool left = arb_row_is_null(layout, a, key.column), right = arb_row_is_null(layout, b, key.column);
        if (left || right) {
            if (left != right)
                return left == key.nulls_first ? -1 : 1;
            continue;
        }
        arb_row_column column = layout->columns[key.column];
        int result = compare_table[column.physical](a + column.offset, b + column.offset);
        if (result != 0)
            return key.descending ? -result : result;
    }
    return 0;
}

enum { insertion_most = 12, look_every = 1 << 12 /* rows, between two looks at the flag */ };

static void insertion_sort(const arb_row_order *order, char **rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        char *row = rows[i];
        size_t at = i;
        for (; at > 0 && arb_row_compare(order, row, rows[at - 1]) < 0; at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

/* Merge sort: runs of a few rows by insertion, then merged from one array to the other. */
arb_code arb_rows_sort(const arb_row_order *order, char **rows, size_t count, char **scratch, arb_stop_flag *stop,
                       arb_error *error)
{
    for (size_t i = 0; i < count; i += insertion_most) {
        if (i % look_every < insertion_most)
            ARB_TRY(arb_check_stop(stop, error));
        insertion_sort(order, rows + i, ARB_MIN((size_t)insertion_most, count - i));
    }
    char **from = rows, **to = scratch;
    for (size_t width = insertion_most; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t middle = ARB_MIN(start + width, count), end = ARB_MIN(start + 2 * width, count);
            size_t left = start, right = middle;
            for (size_t i = start; i < end; i++) {
                if (i % look_every == 0)
                    ARB_TRY(arb_check_stop(stop, error));
                bool take_left =
                    left < middle && (right == end || arb_row_compare(order, from[left], from[right]) <= 0);
                to[i] = take_left ? from[left++] : from[right++];
            }
        }
        char **swap = from;
        from = to;
        to = swap;
    }
    if (from != rows)
        memcpy(rows, from, count * sizeof *rows);
    return ARB_OK;
}
