#include "execution/operators/sort.h"

#include "base/alloc.h"

enum { no_digit = INT32_MAX }; /* instead of a digit's number: all are equal */
enum { entries_ahead = 32, rows_ahead = 6, texts_ahead = 3 };

ARB_INLINE uint32_t rank_of(uint32_t digit)
{
    return (uint32_t)no_digit - digit;
}

/* <0 or >0, never 0, of rows that agree in the digits before `from`. *out_at is where they differ, with both digits. */
static int compare_from(const arb_sort_order *order, const arb_sort_entry *a, const arb_sort_entry *b, uint32_t from,
                        uint32_t *out_at, uint64_t *out_a, uint64_t *out_b)
{
    for (uint32_t at = from; from < no_digit; at++) {
        bool some = arb_sort_digit(order, a->row, at, out_a);
        some |= arb_sort_digit(order, b->row, at, out_b);
        if (*out_a != *out_b) {
            *out_at = at;
            return *out_a < *out_b ? -1 : 1;
        }
        if (!some)
            break;
    }
    *out_at = no_digit;
    *out_a = *out_b = 0;
    return arb_sort_entry_compare(a, b, order);
}

/* ---- cursors ------------------------------------------------------------------------------------------------------------ */

/* The winner's cursor goes from its row, which leaves, to another that comes after it. */
ARB_INLINE void go_to(sort_merger *merger, sort_cursor *cursor, arb_sort_entry next)
{
    arb_sort_entry last = cursor->now;
    cursor->now = next;
    merger->winner.rank = next.row != NULL ? rank_of(0) : UINT32_MAX;
    merger->winner.digit = next.key;
    if (next.key != last.key || next.row == NULL || last.row == NULL)
        return;
    uint32_t at;
    uint64_t unused;
    (void)compare_from(&merger->s->order, &last, &next, 1, &at, &unused, &merger->winner.digit);
    merger->winner.rank = rank_of(at);
}

static arb_sort_entry entry_in_view(const sort_operator *s, const sort_cursor *cursor)
{
    char *row = cursor->views[cursor->newer].rows[cursor->row];
    return (arb_sort_entry){arb_load_u64(row + s->order.words_offset), row};
}

/* Take the next block of a run on disk, whose space is given back; at the end there is no row. The block before stays. */
static arb_code read_block(sort_merger *merger, sort_cursor *cursor, arb_error *error)
{
    const sort_operator *s = merger->s;
    if (cursor->block == cursor->run->blocks.size) {
        go_to(merger, cursor, (arb_sort_entry){0});
        return ARB_OK;
    }
    const arb_row_block *block = &cursor->run->blocks.data[cursor->block++];
    cursor->newer = !cursor->newer;
    ARB_TRY(arb_row_block_read(&s->format, block, &cursor->views[cursor->newer], error));
    arb_spill_file_release(s->format.file, &block->stored);
    cursor->row = 0;
    cursor->read_at = merger->calls;
    go_to(merger, cursor, entry_in_view(s, cursor));
    return ARB_OK;
}

/* There are more runs than the processor follows by itself, and rows lie anywhere: have the entries that come soon on
 * their way, then their rows, then what their texts refer to. */
ARB_INLINE void look_ahead(const sort_operator *s, const sort_cursor *cursor)
{
    if (cursor->end - cursor->next <= rows_ahead)
        return;
    ARB_PREFETCH(cursor->next + entries_ahead);
    if (s->keys.exact && s->keys.words == 1)
        return;
    const char *row = cursor->next[rows_ahead].row;
    ARB_PREFETCH(row + s->order.words_offset);
    if (!s->keys.has_tail)
        return;
    uint32_t offset = s->layout.columns[s->keys.columns[s->keys.encoded - 1].column].offset;
    ARB_PREFETCH(row + offset);
    arb_string text;
    memcpy(&text, cursor->next[texts_ahead].row + offset, sizeof text);
    ARB_PREFETCH(arb_string_data(&text) + s->keys.tail_from);
}

/* To the next row; false when a block must be read before. */
ARB_INLINE bool step(sort_merger *merger, sort_cursor *cursor)
{
    if (cursor->run == NULL) {
        look_ahead(merger->s, cursor);
        go_to(merger, cursor, cursor->next < cursor->end ? *cursor->next++ : (arb_sort_entry){0});
        return true;
    }
    if (++cursor->row == cursor->views[cursor->newer].count)
        return false;
    go_to(merger, cursor, entry_in_view(merger->s, cursor));
    return true;
}

/* ---- the tournament ------------------------------------------------------------------------------------------------------ */

/* The codes agree: look further. True when x wins; the loser's code then says where it differs from the winner. */
static ARB_NOINLINE bool beats_by_more(const sort_merger *merger, sort_player *x, sort_player *y)
{
    if (x->rank == UINT32_MAX)
        return true;
    uint32_t at, from = (uint32_t)no_digit - x->rank + 1;
    uint64_t x_digit, y_digit;
    bool first = compare_from(&merger->s->order, &merger->cursors[x->cursor].now, &merger->cursors[y->cursor].now, from,
                              &at, &x_digit, &y_digit) < 0;
    sort_player *loser = first ? y : x;
    loser->rank = rank_of(at);
    loser->digit = first ? y_digit : x_digit;
    return first;
}

/* Does x win? */
ARB_INLINE bool beats(const sort_merger *merger, sort_player *x, sort_player *y)
{
    if (ARB_UNLIKELY(x->rank == y->rank && x->digit == y->digit))
        return beats_by_more(merger, x, y);
    return x->rank < y->rank || (x->rank == y->rank && x->digit < y->digit);
}

/* The winner's cursor has a new row: it plays its way up from the leaf, and whoever wins last is the winner. */
static void replay(sort_merger *merger)
{
    sort_player winner = merger->winner;
    for (size_t at = (winner.cursor + merger->count) / 2; at > 0; at /= 2) {
        sort_player *stored = &merger->losers[at], other = *stored;
        bool loses = beats(merger, &other, &winner);
        *stored = loses ? winner : other;
        winner = loses ? other : winner;
    }
    merger->winner = winner;
}

/* All matches for the first time. Node i has the children 2i and 2i + 1; the cursors are the leaves from `count` on. */
static arb_code play(sort_merger *merger, arb_error *error)
{
    size_t count = merger->count;
    sort_player *winners = arb_alloc(2 * count * sizeof *winners);
    if (winners == NULL)
        return arb_fail_memory(error, "a sort", 2 * count * sizeof *winners);
    for (size_t i = 0; i < count; i++) {
        const arb_sort_entry *now = &merger->cursors[i].now;
        winners[count + i] = (sort_player){now->key, now->row != NULL ? rank_of(0) : UINT32_MAX, (uint32_t)i};
    }
    for (size_t at = count - 1; at > 0; at--) {
        sort_player left = winners[2 * at], right = winners[2 * at + 1];
        bool first = beats(merger, &left, &right);
        winners[at] = first ? left : right;
        merger->losers[at] = first ? right : left;
    }
    merger->winner = winners[1]; /* a single cursor is its own leaf there */
    arb_free(winners);
    return ARB_OK;
}

void arb_sort_merger_reset(sort_merger *merger)
{
    for (size_t i = 0; merger->cursors != NULL && i < merger->count; i++)
        for (size_t v = 0; v < 2; v++)
            arb_row_block_view_reset(&merger->cursors[i].views[v]);
    arb_free(merger->cursors);
    arb_free(merger->losers);
    *merger = (sort_merger){0};
}

arb_code arb_sort_merger_init(sort_merger *merger, const sort_operator *s, const sorted_run_list *runs,
                              const size_t *from, const size_t *to, const sorted_run_list *spilled, arb_error *error)
{
    size_t count = runs->size + (spilled != NULL ? spilled->size : 0);
    *merger = (sort_merger){.s = s, .count = count};
    if (count == 0)
        return ARB_OK;
    merger->cursors = arb_alloc_zeroed(count * sizeof *merger->cursors);
    merger->losers = arb_alloc_zeroed(count * sizeof *merger->losers);
    if (merger->cursors == NULL || merger->losers == NULL)
        return arb_fail_memory(error, "a sort", count * sizeof *merger->cursors);
    for (size_t i = 0; i < count; i++) {
        sort_cursor *cursor = &merger->cursors[i];
        if (i >= runs->size) {
            cursor->run = spilled->data[i - runs->size];
            for (size_t v = 0; v < 2; v++)
                arb_row_block_view_init(&cursor->views[v], s->base.context->memory,
                                        (arb_memory_share *)(uintptr_t)&s->base.share, "sort");
            ARB_TRY(read_block(merger, cursor, error));
            continue;
        }
        const sorted_run *run = runs->data[i];
        cursor->next = run->entries + (from != NULL ? from[i] : 0);
        cursor->end = run->entries + (to != NULL ? to[i] : run->count);
        (void)step(merger, cursor);
    }
    return play(merger, error);
}

/* The winner goes on; merger->dry when it cannot in this call. */
static arb_code advance(sort_merger *merger, arb_error *error)
{
    sort_cursor *winner = &merger->cursors[merger->winner.cursor];
    if (merger->dry || !step(merger, winner)) {
        merger->dry = winner->read_at == merger->calls;
        if (merger->dry)
            return ARB_OK;
        ARB_TRY(read_block(merger, winner, error));
    }
    replay(merger);
    return ARB_OK;
}

arb_code arb_sort_merger_take(sort_merger *merger, char **rows, size_t most, size_t *out_count, arb_error *error)
{
    size_t count = 0;
    *out_count = 0;
    if (merger->count == 0)
        return ARB_OK;
    merger->calls++;
    if (merger->dry)
        ARB_TRY(advance(merger, error));
    while (count < most && !merger->dry) {
        const sort_cursor *winner = &merger->cursors[merger->winner.cursor];
        if (winner->now.row == NULL)
            break;
        rows[count++] = winner->now.row;
        ARB_TRY(advance(merger, error));
    }
    *out_count = count;
    return ARB_OK;
}
