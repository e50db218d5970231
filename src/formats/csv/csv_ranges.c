#include "formats/csv/csv_ranges.h"

#include "base/alloc.h"

enum {
    PIECE = 64 << 10,
    KNOWN = 4,        /* a result: this, and */
    FROM_OUTSIDE = 1, /* in quotes at the end, when it begins outside of them, */
    FROM_INSIDE = 2   /* when it begins within */
};

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

/* Memory for a walk. */
typedef struct walk_memory {
    uint8_t bytes[PIECE];
    uint32_t positions[PIECE];
} walk_memory;

/* The first line that begins at or behind the range's first byte. */
static arb_code first_line(const arb_csv_ranges *ranges, size_t range, walk_memory *memory, uint64_t *out_offset,
                           arb_error *error)
{
    uint64_t size = ranges->source->identity.size;
    *out_offset = size;
    if (range <= ranges->first) {
        *out_offset = ranges->data_start;
        return ARB_OK;
    }
    for (uint64_t at = (uint64_t)range * ranges->range_bytes - 1; at < size; at += PIECE) {
        size_t here = (size_t)ARB_MIN(size - at, (uint64_t)PIECE);
        ARB_TRY(arb_byte_source_read(ranges->source, at, memory->bytes, here, error));
        const uint8_t *newline = memchr(memory->bytes, ranges->dialect.newline, here);
        if (newline != NULL) {
            *out_offset = at + (uint64_t)(newline - memory->bytes) + 1;
            return ARB_OK;
        }
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
static arb_code walk(const arb_csv_ranges *ranges, uint64_t from, uint64_t to, walk_memory *memory, uint8_t *out_result,
                     arb_error *error)
{
    arb_csv_state outside = arb_csv_state_at_row(), inside = {.in_quotes = true};
    bool usual = ranges->dialect.comment == 0 && ranges->dialect.escape == ranges->dialect.quote;
    for (uint64_t at = from; at < to; at += PIECE) {
        size_t here = (size_t)ARB_MIN(to - at, (uint64_t)PIECE);
        ARB_TRY(arb_byte_source_read(ranges->source, at, memory->bytes, here, error));
        if (usual && memchr(memory->bytes, ranges->dialect.quote, here) == NULL) {
            arb_csv_state_pass(&ranges->dialect, memory->bytes, here, &outside);
            arb_csv_state_pass(&ranges->dialect, memory->bytes, here, &inside);
            continue;
        }
        const arb_csv_kernels *kernels = arb_csv_kernels_get();
        kernels->index(memory->bytes, here, &ranges->dialect, &outside, 0, memory->positions);
        if (at != from && same_state(&outside, &inside))
            inside = outside;
        else
            kernels->index(memory->bytes, here, &ranges->dialect, &inside, 0, memory->positions);
    }
    *out_result = (uint8_t)(KNOWN | (outside.in_quotes ? FROM_OUTSIDE : 0) | (inside.in_quotes ? FROM_INSIDE : 0));
    return ARB_OK;
}

static arb_code begin(arb_csv_ranges *ranges, size_t range, walk_memory *memory, uint64_t *out_offset,
                      bool *out_in_quotes, arb_error *error)
{
    *out_in_quotes = false;
    size_t first = ranges->first;
    uint64_t known = atomic_load_explicit(&ranges->known, memory_order_relaxed);
    if (known != 0 && known >> 1 <= range) {
        first = (size_t)(known >> 1);
        *out_in_quotes = known & 1;
    }
    for (size_t i = first; ranges->dialect.quote != 0 && i < range; i++) {
        uint8_t result = atomic_load_explicit(&ranges->results[i], memory_order_relaxed);
        if (result == 0) {
            uint64_t from, to;
            ARB_TRY(first_line(ranges, i, memory, &from, error));
            ARB_TRY(first_line(ranges, i + 1, memory, &to, error));
            ARB_TRY(walk(ranges, from, to, memory, &result, error));
            atomic_store_explicit(&ranges->results[i], result, memory_order_relaxed);
        }
        *out_in_quotes = (result & (*out_in_quotes ? FROM_INSIDE : FROM_OUTSIDE)) != 0;
    }
    if (range > first)
        atomic_store_explicit(&ranges->known, (uint64_t)range << 1 | *out_in_quotes, memory_order_relaxed);
    return first_line(ranges, range, memory, out_offset, error);
}

arb_code arb_csv_ranges_begin(arb_csv_ranges *ranges, size_t range, uint64_t *out_offset, bool *out_in_quotes,
                              arb_error *error)
{
    walk_memory *memory = arb_alloc(sizeof *memory);
    if (memory == NULL)
        return arb_fail_memory(error, "a range of a CSV file", sizeof *memory);
    arb_code code = begin(ranges, range, memory, out_offset, out_in_quotes, error);
    arb_free(memory);
    return code;
}
