/* text_join.c: string_agg(text, separator): the texts that are not NULL, in the order in which they come.
 *
 * A state is a chain of pieces in the arena, each twice as large as the one before. Between two texts stands the
 * separator of the second one; so the first one's is kept apart, for when states are merged. */
#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"

typedef struct text_piece text_piece;
struct text_piece {
    text_piece *next;
    size_t size, capacity;
    char bytes[];
};

typedef struct join_state {
    text_piece *first, *last;
    uint64_t size;        /* bytes in all pieces */
    arb_string separator; /* of the first text; its bytes are the arena's */
    uint64_t some;        /* a text was taken, be it empty */
} join_state;

enum { piece_least = 64, piece_most = 1 << 20 };

static arb_code plan_join(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    plan->packs = true;
    *out_state_size = sizeof(join_state);
    *out_result = (arb_slot){.id = ARB_NO_COLUMN, .type = plan->result, .physical = ARB_PHYS_STRING, .nullable = true};
    return ARB_OK;
}

static void init_join(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    memset(state, 0, sizeof(join_state));
}

static arb_code append(join_state *state, arb_arena *arena, arb_str text, arb_error *error)
{
    state->size += text.size;
    if (state->size > ARB_TEXT_MOST)
        return arb_fail(error, ARB_STRING_TOO_LONG, "the text of string_agg is too long");
    while (text.size != 0) {
        text_piece *last = state->last;
        if (last == NULL || last->size == last->capacity) {
            size_t capacity = last == NULL ? piece_least : ARB_MIN(last->capacity * 2, (size_t)piece_most);
            text_piece *piece = arb_arena_alloc(arena, sizeof *piece + capacity);
            if (piece == NULL)
                return arb_fail_memory(error, "the text of an aggregate", capacity);
            *piece = (text_piece){.capacity = capacity};
            *(last == NULL ? &state->first : &last->next) = piece;
            state->last = last = piece;
        }
        size_t part = ARB_MIN(text.size, last->capacity - last->size);
        memcpy(last->bytes + last->size, text.data, part);
        last->size += part;
        text.data += part;
        text.size -= part;
    }
    return ARB_OK;
}

/* Remember the separator in front of the first text. */
static arb_code keep_separator(join_state *state, arb_arena *arena, arb_str separator, arb_error *error)
{
    const char *bytes = separator.data;
    if (separator.size > ARB_STRING_INLINE) {
        bytes = arb_arena_copy(arena, separator.data, separator.size);
        if (bytes == NULL)
            return arb_fail_memory(error, "the text of an aggregate", separator.size);
    }
    arb_string kept = arb_string_of(bytes, separator.size);
    memcpy(&state->separator, &kept, sizeof kept);
    state->some = 1;
    return ARB_OK;
}

static arb_code take_row(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                         size_t row, join_state *state, arb_error *error)
{
    arb_str separator = {"", 0};
    if (plan->argument_count == 2) {
        size_t slot = arb_argument_slot(arguments[1], row);
        if (arguments[1]->validity == NULL || arb_bitmap_get(arguments[1]->validity, slot))
            separator = arb_string_view(&arguments[1]->values.string[slot]);
    } else {
        separator = ARB_STR(",");
    }
    if (state->some == 0)
        ARB_TRY(keep_separator(state, arena, separator, error));
    else
        ARB_TRY(append(state, arena, separator, error));
    return append(state, arena, arb_string_view(&arguments[0]->values.string[arb_argument_slot(arguments[0], row)]),
                  error);
}

static arb_code update_join(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                            uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, states[row], error));
    return ARB_OK;
}

static arb_code update_one_join(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments, row, state, error));
    return ARB_OK;
}

static arb_code combine_join(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                             arb_error *error)
{
    (void)plan;
    join_state *state = into;
    const join_state *other = from;
    arb_string separator;
    memcpy(&separator, &other->separator, sizeof separator);
    if (other->some == 0)
        return ARB_OK;
    if (state->some == 0)
        ARB_TRY(keep_separator(state, arena, arb_string_view(&separator), error));
    else
        ARB_TRY(append(state, arena, arb_string_view(&separator), error));
    for (const text_piece *piece = other->first; piece != NULL; piece = piece->next)
        ARB_TRY(append(state, arena, (arb_str){piece->bytes, piece->size}, error));
    return ARB_OK;
}

static arb_code finalize_join(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                              arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)plan;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const join_state *state = states[i];
        out->values.string[i] = (arb_string){0};
        if (state->some == 0) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
            continue;
        }
        if (state->first == NULL)
            continue;
        const char *bytes = state->first->bytes;
        if (state->first != state->last) {
            char *room = arb_arena_alloc(arena, state->size), *at = room;
            if (room == NULL)
                return arb_fail_memory(error, "the text of an aggregate", state->size);
            for (const text_piece *piece = state->first; piece != NULL; at += piece->size, piece = piece->next)
                memcpy(at, piece->bytes, piece->size);
            bytes = room;
        }
        out->values.string[i] = arb_string_of(bytes, state->size);
    }
    return ARB_OK;
}

/* Packed: nothing, when there is no text; else the separator of the first, then the text. */
static uint64_t packed_size_join(const arb_aggregate_plan *plan, const void *state_void)
{
    (void)plan;
    const join_state *state = state_void;
    return state->some == 0 ? 0 : arb_kept_value_packed_size(ARB_PHYS_STRING, &state->separator) + state->size;
}

static void pack_join(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    (void)plan;
    const join_state *state = state_void;
    if (state->some == 0)
        return;
    to = arb_kept_value_pack(ARB_PHYS_STRING, &state->separator, to);
    for (const text_piece *piece = state->first; piece != NULL; to += piece->size, piece = piece->next)
        memcpy(to, piece->bytes, piece->size);
}

static arb_code unpack_join(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                            void *state_void, arb_error *error)
{
    (void)plan;
    join_state *state = state_void;
    const char *end = from + size;
    *state = (join_state){0};
    if (size == 0)
        return ARB_OK;
    ARB_TRY(arb_kept_value_unpack(ARB_PHYS_STRING, &from, end, &state->separator, error));
    state->some = 1;
    return append(state, arena, (arb_str){from, (size_t)(end - from)}, error);
}

static arb_code resolve_join(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    (void)function, (void)error;
    if (arguments[0].type.id == ARB_TYPE_BLOB)
        return ARB_NO_FIT;
    for (size_t i = 0; i < count; i++)
        arguments[i].type = ARB_TYPE(VARCHAR);
    *out_result = ARB_TYPE(VARCHAR);
    return ARB_OK;
}

static const arb_aggregate_implementation join_run = {
    .plan = plan_join,
    .init = init_join,
    .update = update_join,
    .update_one = update_one_join,
    .combine = combine_join,
    .finalize = finalize_join,
    .packed_size = packed_size_join,
    .pack = pack_join,
    .unpack = unpack_join,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("string_agg", 1, 2, resolve_join, &join_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_text_join, rows);
