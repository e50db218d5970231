#include "formats/csv/csv_ranges.h"

enum {
    KNOWN = 4,        /* a result: this, and */
    FROM_OUTSIDE = 1, /* in quotes at the end, when it begins outside of them, */
    FROM_INSIDE = 2   /* when it begins within */
};

enum { CHOOSE, FIND_BEGIN, FIND_END, WALK, FIND_WANTED }; /* the steps of a search */

arb_code arb_csv_ranges_init(arb_csv_ranges *ranges, const arb_byte_source *source, const arb_csv_dialect *dialect,
                             uint64_t data_start, uint64_t range_bytes, arb_arena *arena, arb_error *error)
{
    uint64_t size = source->identity.size;
    *ranges =
        (arb_csv_ranges){.source = source, .dialect = *dialect, .data_start = data_start, .range_bytes = range_bytes};
    ranges->count = size == 0 ? 0 : (size_t)((size - 1) / range_bytes + 1);
    ranges->first = (size_t)(data_start / range_bytes);
    ranges->results = ARB_ARENA_ARRAY(arena, _Atomic uint8_t, ranges->count + 1);
    return ranges->results == NULL ? arb_fail_memory(error, "the ranges of a CSV file", ranges->count) : ARB_OK;
}

/* Bytes from `at` on that are looked at in one go; the window reads towards `end`. */
static arb_code next_piece(arb_csv_search *search, uint64_t end, const uint8_t **out_data, size_t *out_size,
                           arb_error *error)
{
    uint64_t left = end - search->at;
    size_t size = (size_t)ARB_MIN(left, (uint64_t)ARB_CSV_PIECE);
    size_t most = (size_t)ARB_MIN(left, (uint64_t)ARB_MAX(search->ranges->source->read_ahead, size));
    ARB_TRY(arb_check_stop(search->stop, error));
    ARB_TRY(arb_byte_window_get(search->window, search->at, size, most, end, out_data, error));
    *out_size = size;
    return ARB_OK;
}

/* Stand in front of the search for the first line that begins at or behind a range's first byte. */
static void begin_line(arb_csv_search *search, size_t range, int step)
{
    search->at = (uint64_t)range * search->ranges->range_bytes - (range != 0);
    if (range <= search->ranges->first)
        search->at = search->ranges->data_start;
    search->step = step;
}

static arb_code find_line(arb_csv_search *search, size_t range, uint64_t *out_offset, arb_error *error)
{
    const arb_csv_ranges *ranges = search->ranges;
    uint64_t size = ranges->source->identity.size;
    *out_offset = range <= ranges->first ? ranges->data_start : size;
    while (range > ranges->first && search->at < size) {
        const uint8_t *data;
        size_t here;
        ARB_TRY(next_piece(search, size, &data, &here, error));
        const uint8_t *newline = memchr(data, ranges->dialect.newline, here);
        if (newline != NULL) {
            *out_offset = search->at + (uint64_t)(newline - data) + 1;
            return ARB_OK;
        }
        search->at += here;
    }
    return ARB_OK;
}

static bool same_state(const arb_csv_state *a, const arb_csv_state *b)
{
    return a->in_quotes == b->in_quotes && a->at_start == b->at_start && a->closed == b->closed &&
           a->escaped == b->escaped && a->in_comment == b->in_comment && a->row_start == b->row_start;
}

/* Both states at once. They soon become one: where the wrong one takes text for quotes, it meets quotes that cannot
 * open. From then on one of them is enough, and without a quote in sight nothing changes at all. */
static arb_code walk(arb_csv_search *search, uint8_t *out_result, arb_error *error)
{
    const arb_csv_dialect *dialect = &search->ranges->dialect;
    arb_csv_state *outside = &search->outside, *inside = &search->inside;
    bool usual = dialect->comment == 0 && dialect->escape == dialect->quote;
    while (search->at < search->to) {
        const uint8_t *data;
        size_t here;
        ARB_TRY(next_piece(search, search->to, &data, &here, error));
        bool is_first = search->at == search->from;
        search->at += here;
        if (usual && memchr(data, dialect->quote, here) == NULL) {
            arb_csv_state_pass(dialect, data, here, outside);
            arb_csv_state_pass(dialect, data, here, inside);
            continue;
        }
        const arb_csv_kernels *kernels = arb_csv_kernels_get();
        bool same = !is_first && same_state(outside, inside);
        kernels->index(data, here, dialect, outside, 0, search->positions);
        if (same)
            *inside = *outside;
        else
            kernels->index(data, here, dialect, inside, 0, search->positions);
    }
    *out_result = (uint8_t)(KNOWN | (outside->in_quotes ? FROM_OUTSIDE : 0) | (inside->in_quotes ? FROM_INSIDE : 0));
    return ARB_OK;
}

void arb_csv_search_begin(arb_csv_search *search, size_t range)
{
    const arb_csv_ranges *ranges = search->ranges;
    search->range = range;
    search->next = ranges->first;
    search->in_quotes = false;
    search->step = CHOOSE;
    uint64_t known = atomic_load_explicit(&ranges->known, memory_order_relaxed);
    if (known != 0 && known >> 1 <= range) {
        search->next = (size_t)(known >> 1);
        search->in_quotes = known & 1;
    }
}

/* Pass the ranges whose results are there. The next one that has none is to be walked over. */
static void choose(arb_csv_search *search)
{
    arb_csv_ranges *ranges = search->ranges;
    for (; search->next < search->range; search->next++) {
        uint8_t result = ranges->dialect.quote == 0
                             ? KNOWN
                             : atomic_load_explicit(&ranges->results[search->next], memory_order_relaxed);
        if (result == 0) {
            begin_line(search, search->next, FIND_BEGIN);
            return;
        }
        search->in_quotes = (result & (search->in_quotes ? FROM_INSIDE : FROM_OUTSIDE)) != 0;
    }
    if (search->range > ranges->first)
        atomic_store_explicit(&ranges->known, (uint64_t)search->range << 1 | search->in_quotes, memory_order_relaxed);
    begin_line(search, search->range, FIND_WANTED);
}

arb_code arb_csv_search_end(arb_csv_search *search, uint64_t *out_offset, bool *out_in_quotes, arb_error *error)
{
    for (;;) {
        uint8_t result;
        switch (search->step) {
        case CHOOSE:
            choose(search);
            break;
        case FIND_BEGIN:
            ARB_TRY(find_line(search, search->next, &search->from, error));
            begin_line(search, search->next + 1, FIND_END);
            break;
        case FIND_END:
            ARB_TRY(find_line(search, search->next + 1, &search->to, error));
            search->at = search->from;
            search->outside = arb_csv_state_at_row();
            search->inside = (arb_csv_state){.in_quotes = true};
            search->step = WALK;
            break;
        case WALK:
            ARB_TRY(walk(search, &result, error));
            atomic_store_explicit(&search->ranges->results[search->next], result, memory_order_relaxed);
            search->step = CHOOSE;
            break;
        default:
            ARB_TRY(find_line(search, search->range, out_offset, error));
            *out_in_quotes = search->in_quotes;
            return ARB_OK;
        }
    }
}
