#include "execution/operators/sort_entries.h"

enum {
    insertion_most = 24,
    digits_most = 64,
    step = 1 << 13 /* entries between two looks at `stop`: some milliseconds at most */
};

/* Without an order by their keys alone. */
/* `order` is NULL where the entries' own keys decide: short runs of ties, not worth a look */
ARB_INLINE bool is_stopped(const arb_sort_order *order)
{
    return order != NULL && arb_is_stopped(order->stop);
}

ARB_INLINE bool before(const arb_sort_entry *a, const arb_sort_entry *b, const arb_sort_order *order)
{
    if (a->key != b->key || order == NULL)
        return a->key < b->key;
    return arb_sort_entry_compare(a, b, order) < 0;
}

static void swap(arb_sort_entry *a, arb_sort_entry *b)
{
    arb_sort_entry kept = *a;
    *a = *b;
    *b = kept;
}

static void sort_by_insertion(arb_sort_entry *entries, size_t count, const arb_sort_order *order)
{
    for (size_t i = 1; i < count; i++) {
        arb_sort_entry moving = entries[i];
        size_t at = i;
        for (; at > 0 && before(&moving, &entries[at - 1], order); at--)
            entries[at] = entries[at - 1];
        entries[at] = moving;
    }
}

static void sift_down(arb_sort_entry *entries, size_t at, size_t count, const arb_sort_order *order)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && before(&entries[child], &entries[child + 1], order))
            child++;
        if (!before(&entries[at], &entries[child], order))
            return;
        swap(&entries[at], &entries[child]);
        at = child;
    }
}

static void sort_by_heap(arb_sort_entry *entries, size_t count, const arb_sort_order *order)
{
    for (size_t at = count / 2; at > 0 && (at % step != 0 || !is_stopped(order)); at--)
        sift_down(entries, at - 1, count, order);
    for (size_t end = count; end > 1 && (end % step != 0 || !is_stopped(order)); end--) {
        swap(&entries[0], &entries[end - 1]);
        sift_down(entries, 0, end - 1, order);
    }
}

/* The middle one of first, middle and last goes to the front. */
static void choose_pivot(arb_sort_entry *entries, size_t count, const arb_sort_order *order)
{
    arb_sort_entry *a = &entries[1], *b = &entries[count / 2], *c = &entries[count - 1];
    arb_sort_entry *middle = before(a, b, order) ? (before(b, c, order)   ? b
                                                    : before(a, c, order) ? c
                                                                          : a)
                                                 : (before(a, c, order)   ? a
                                                    : before(b, c, order) ? c
                                                                          : b);
    swap(&entries[0], middle);
}

static size_t partition(arb_sort_entry *entries, size_t count, const arb_sort_order *order)
{
    arb_sort_entry pivot = entries[0];
    size_t low = 0, high = count, looked = 0;
    for (;;) { /* both sides stop at equals, which keeps many equal keys balanced */
        do {
            low++;
            if (++looked % step == 0 && is_stopped(order))
                return count / 2;
        } while (low < count && before(&entries[low], &pivot, order));
        do {
            high--;
            if (++looked % step == 0 && is_stopped(order))
                return count / 2;
        } while (before(&pivot, &entries[high], order));
        if (low >= high)
            break;
        swap(&entries[low], &entries[high]);
    }
    swap(&entries[0], &entries[high]);
    return high;
}

static void sort_part(arb_sort_entry *entries, size_t count, unsigned depth, const arb_sort_order *order)
{
    while (count > insertion_most) {
        if (is_stopped(order))
            return;
        if (depth-- == 0) {
            sort_by_heap(entries, count, order);
            return;
        }
        choose_pivot(entries, count, order);
        size_t middle = partition(entries, count, order), right = count - middle - 1;
        if (middle < right) { /* the smaller part by recursion, so the stack stays flat */
            sort_part(entries, middle, depth, order);
            entries += middle + 1;
            count = right;
        } else {
            sort_part(entries + middle + 1, right, depth, order);
            count = middle;
        }
    }
    sort_by_insertion(entries, count, order);
}

static void sort_by_comparison(arb_sort_entry *entries, size_t count, const arb_sort_order *order)
{
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = !before(&entries[i], &entries[i - 1], order) && (i % step != 0 || !is_stopped(order));
    if (!sorted)
        sort_part(entries, count, 2 * arb_bit_width(count), order);
}

/* Least significant byte first, over the bytes that differ at all; stable. True when the result is in `scratch`. */
static bool sort_by_radix(arb_sort_entry *entries, size_t count, const arb_sort_order *order, arb_sort_entry *scratch)
{
    uint64_t all = ~(uint64_t)0, any = 0;
    for (size_t i = 0; i < count; i++) {
        all &= entries[i].key;
        any |= entries[i].key;
    }
    bool swapped = false;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        if (((all ^ any) >> shift & 0xFF) == 0)
            continue;
        size_t next[256] = {0}, sum = 0;
        for (size_t i = 0; i < count; i++)
            next[entries[i].key >> shift & 0xFF]++;
        for (size_t digit = 0; digit < 256; digit++) {
            size_t here = next[digit];
            next[digit] = sum;
            sum += here;
        }
        for (size_t from = 0; from < count; from += step) {
            if (is_stopped(order)) /* the entries are all there where they came from, old ones and new */
                return false;
            for (size_t i = from; i < count && i < from + step; i++)
                scratch[next[entries[i].key >> shift & 0xFF]++] = entries[i];
        }
        arb_sort_entry *swap_entries = entries;
        entries = scratch;
        scratch = swap_entries;
        swapped = !swapped;
    }
    return swapped;
}

/* The entries' keys are their rows' digits `at` - 1, and equal: let further digits decide. The keys are lost. */
static void sort_by_digits(arb_sort_entry *entries, size_t count, uint32_t at, const arb_sort_order *order);

static void sort_ties(arb_sort_entry *entries, size_t count, uint32_t at, const arb_sort_order *order)
{
    for (size_t from = 0, to; from < count && !is_stopped(order); from = to) {
        for (to = from + 1; to < count && entries[to].key == entries[from].key; to++)
            continue;
        if (to - from > 1)
            sort_by_digits(entries + from, to - from, at, order);
    }
}

static void sort_by_digits(arb_sort_entry *entries, size_t count, uint32_t at, const arb_sort_order *order)
{
    bool some = false;
    for (size_t i = 0; i < count; i++)
        some |= arb_sort_digit(order, entries[i].row, at, &entries[i].key);
    if (!some || at == digits_most) { /* equal as far as digits go, or too deep for recursion */
        sort_by_comparison(entries, count, order);
        return;
    }
    sort_by_comparison(entries, count, NULL);
    sort_ties(entries, count, at + 1, order);
}

void arb_sort_entries(arb_sort_entry *entries, size_t count, const arb_sort_order *order, arb_sort_entry *scratch)
{
    if (count < ARB_SORT_RADIX_LEAST || scratch == NULL) {
        sort_by_comparison(entries, count, order);
        return;
    }
    if (sort_by_radix(entries, count, order, scratch))
        memcpy(entries, scratch, count * sizeof *entries);
    if (order->keys->words == 1 && order->keys->exact)
        return;
    for (size_t from = 0, to; from < count && !is_stopped(order); from = to) {
        uint64_t key = entries[from].key;
        for (to = from + 1; to < count && entries[to].key == key; to++)
            continue;
        if (to - from == 1)
            continue;
        sort_by_digits(entries + from, to - from, 1, order);
        for (size_t i = from; i < to; i++)
            entries[i].key = key;
    }
}
