/* pick.c: one of the values as it is: any_value (not NULL, when there is one), first and last (in the order of input,
 * NULLs included). The state keeps the bytes of the value; a text's go to the arena. */
#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"

enum { ANY_VALUE, FIRST, LAST };
enum { NOTHING, VALUE, EMPTY }; /* EMPTY: the value picked is NULL */

typedef struct pick_state {
    char value[ARB_KEPT_VALUE_SIZE];
    uint64_t holds;
} pick_state;

static arb_code plan_pick(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    const arb_slot *argument = &plan->arguments[0];
    const char *name = plan->function->name;
    plan->variant = strcmp(name, "first") == 0 ? FIRST : strcmp(name, "last") == 0 ? LAST : ANY_VALUE;
    plan->packs = argument->physical == ARB_PHYS_STRING;
    *out_state_size = sizeof(pick_state);
    *out_result = *argument;
    out_result->id = ARB_NO_COLUMN;
    out_result->nullable = true;
    return ARB_OK;
}

static void init_pick(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    *(pick_state *)state = (pick_state){.holds = NOTHING};
}

static arb_code keep(pick_state *state, arb_physical physical, const void *value, arb_arena *arena, arb_error *error)
{
    state->holds = VALUE;
    return arb_kept_value_set(arena, physical, value, state->value, error);
}

static arb_code take_row(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *argument, size_t row,
                         pick_state *state, arb_error *error)
{
    if (plan->variant != LAST && state->holds != NOTHING)
        return ARB_OK;
    size_t slot = arb_argument_slot(argument, row);
    if (argument->validity != NULL && !arb_bitmap_get(argument->validity, slot)) {
        state->holds = EMPTY;
        return ARB_OK;
    }
    if (argument->physical == ARB_PHYS_BOOL) {
        char bit = arb_bitmap_get(argument->values.bits, slot);
        return keep(state, ARB_PHYS_BOOL, &bit, arena, error);
    }
    const char *values = argument->values.data;
    arb_physical physical = (arb_physical)argument->physical;
    return keep(state, physical, values + slot * arb_physical_size(physical), arena, error);
}

/* any_value does not look at NULLs. */
static const arb_vector *counted_by(const arb_aggregate_plan *plan, const arb_vector *argument)
{
    return plan->variant == ANY_VALUE ? argument : NULL;
}

static arb_code update_pick(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                            uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    ARB_COUNTED_EACH(counted_by(plan, arguments[0]), selection, rows, row)
    ARB_TRY(take_row(plan, arena, arguments[0], row, states[row], error));
    return ARB_OK;
}

static arb_code update_one_pick(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                uint32_t rows, const uint64_t *selection, void *state, arb_error *error)
{
    uint64_t mask[ARB_VECTOR_WORDS];
    if (arb_counted_mask(counted_by(plan, arguments[0]), selection, rows, mask) == 0)
        return ARB_OK;
    size_t at = 0, words = arb_bitmap_words(rows);
    if (plan->variant == LAST) {
        for (size_t word = 0; word < words; word++)
            if (mask[word] != 0)
                at = word * 64 + 63 - (size_t)__builtin_clzll(mask[word]);
    } else {
        size_t word = 0;
        while (mask[word] == 0)
            word++;
        at = word * 64 + (size_t)__builtin_ctzll(mask[word]);
    }
    return take_row(plan, arena, arguments[0], at, state, error);
}

static arb_code combine_pick(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                             arb_error *error)
{
    const pick_state *other = from;
    pick_state *state = into;
    if (other->holds == NOTHING || (plan->variant != LAST && state->holds != NOTHING))
        return ARB_OK;
    if (other->holds == EMPTY) {
        state->holds = EMPTY;
        return ARB_OK;
    }
    return keep(state, plan->arguments[0].physical, other->value, arena, error);
}

static arb_code finalize_pick(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                              arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)plan, (void)arena, (void)error;
    size_t size = arb_physical_size((arb_physical)out->physical);
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const pick_state *state = states[i];
        if (state->holds != VALUE) {
            arb_bitmap_clear(validity, i);
            *out_has_null = true;
            if (size != 0)
                memset((char *)out->values.data + i * size, 0, size);
        } else if (size == 0) {
            arb_bitmap_put(out->values.bits, i, state->value[0] != 0);
        } else {
            memcpy((char *)out->values.data + i * size, state->value, size);
        }
    }
    return ARB_OK;
}

/* Packed: what it holds, then the value if that is one. */
static uint64_t packed_size_pick(const arb_aggregate_plan *plan, const void *state_void)
{
    const pick_state *state = state_void;
    uint64_t size = state->holds == VALUE ? arb_kept_value_packed_size(plan->arguments[0].physical, state->value) : 0;
    return 1 + size;
}

static void pack_pick(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    const pick_state *state = state_void;
    *to = (char)state->holds;
    if (state->holds == VALUE)
        arb_kept_value_pack(plan->arguments[0].physical, state->value, to + 1);
}

static arb_code unpack_pick(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                            void *state_void, arb_error *error)
{
    (void)arena;
    pick_state *state = state_void;
    const char *end = from + size;
    *state = (pick_state){0};
    if (size == 0 || (uint8_t)*from > EMPTY)
        return arb_packed_state_damaged(error);
    state->holds = (uint8_t)*from++;
    if (state->holds == VALUE)
        ARB_TRY(arb_kept_value_unpack(plan->arguments[0].physical, &from, end, state->value, error));
    return from == end ? ARB_OK : arb_packed_state_damaged(error);
}

static arb_code resolve_same(const arb_function *function, arb_argument *arguments, size_t count, arb_type *out_result,
                             arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(VARCHAR);
    *out_result = arguments[0].type;
    return ARB_OK;
}

static const arb_aggregate_implementation pick_run = {
    .plan = plan_pick,
    .init = init_pick,
    .update = update_pick,
    .update_one = update_one_pick,
    .combine = combine_pick,
    .finalize = finalize_pick,
    .packed_size = packed_size_pick,
    .pack = pack_pick,
    .unpack = unpack_pick,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("any_value", 1, 1, resolve_same, &pick_run),
    ARB_AGGREGATE_ROW("first", 1, 1, resolve_same, &pick_run),
    ARB_AGGREGATE_ROW("last", 1, 1, resolve_same, &pick_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_pick, rows);
