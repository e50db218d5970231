/* hash_aggregate_states.c: states as columns of a batch, which is how they travel from a PARTIAL to a FINAL aggregation. */
#include "execution/operators/hash_aggregate.h"

static arb_code give_packed(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, size_t count,
                            arb_string *out, arb_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t size = plan->implementation->packed_size(plan, states[i]);
        if (size > INT32_MAX)
            return arb_fail(error, ARB_LIMIT_EXCEEDED, "the state of %s is too large to be sent", plan->function->name);
        char *bytes = arb_arena_alloc(arena, size);
        if (bytes == NULL)
            return arb_fail_memory(error, "the state of an aggregate", size);
        plan->implementation->pack(plan, states[i], bytes);
        out[i] = arb_string_of(bytes, size);
    }
    return ARB_OK;
}

arb_code arb_aggregate_states_give(const arb_physical_aggregate *call, arb_arena *arena, void *const *states,
                                   size_t count, const arb_vector_storage *storages, arb_vector *out_columns,
                                   arb_error *error)
{
    size_t columns = arb_aggregate_state_columns(call);
    for (size_t c = 0; c < columns; c++)
        out_columns[c] = arb_vector_over(&storages[c]);
    if (call->plan.packs)
        return give_packed(&call->plan, arena, states, count, out_columns[0].values.string, error);
    for (size_t c = 0; c < columns; c++)
        for (size_t i = 0; i < count; i++)
            out_columns[c].values.i64[i] = arb_load_i64((const char *)states[i] + c * sizeof(int64_t));
    return ARB_OK;
}

/* One row's state, from its words or its bytes, in `state`. */
static arb_code read_state(const arb_physical_aggregate *call, arb_arena *scratch, const arb_vector *columns,
                           size_t row, uint64_t *state, arb_error *error)
{
    const arb_aggregate_plan *plan = &call->plan;
    size_t words = call->state_size / sizeof *state;
    if (plan->packs) {
        if (!arb_vector_is_valid(&columns[0], row))
            return arb_fail(error, ARB_CORRUPT_DATA, "the state of an aggregate is missing");
        arb_str bytes = arb_vector_get_text(&columns[0], row);
        return plan->implementation->unpack(plan, scratch, bytes.data, bytes.size, state, error);
    }
    for (size_t w = 0; w < words; w++) {
        const arb_vector *column = &columns[w];
        state[w] = (uint64_t)arb_vector_entries(column)->values.i64[arb_vector_slot(column, row)];
    }
    return ARB_OK;
}

arb_code arb_aggregate_states_take(const arb_physical_aggregate *call, arb_arena *arena, arb_arena *scratch,
                                   const arb_vector *columns, uint32_t rows, const uint64_t *selection,
                                   void *const *states, arb_error *error)
{
    const arb_aggregate_plan *plan = &call->plan;
    arb_arena_rewind(scratch);
    uint64_t *state = arb_arena_alloc(scratch, call->state_size);
    if (state == NULL)
        return arb_fail_memory(error, "the state of an aggregate", call->state_size);
    for (uint32_t row = 0; row < rows; row++) {
        if (selection != NULL && !arb_bitmap_get(selection, row))
            continue;
        ARB_TRY(read_state(call, scratch, columns, row, state, error));
        ARB_TRY(plan->implementation->combine(plan, arena, states[row], state, error));
    }
    return ARB_OK;
}
