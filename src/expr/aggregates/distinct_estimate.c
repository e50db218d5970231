/* distinct_estimate.c: approx_count_distinct, by HyperLogLog.
 *
 * A group keeps the hashes of its values while there are few of them, so that small counts are exact. Then it goes over
 * to 4,096 registers, each with the longest run of zeros that a hash of its share began with; the standard error is
 * 1.6 %. Both lie in the arena. */
#include <math.h>

#include "base/hash.h"
#include "expr/aggregates/aggregate_rows.h"
#include "expr/aggregates/kept_value.h"

enum { index_bits = 12, register_count = 1 << index_bits, hashes_most = 64 };

typedef struct estimate_state {
    uint64_t *hashes; /* distinct ones; not used any more once there are registers */
    uint64_t count, capacity;
    uint8_t *registers; /* NULL while few */
} estimate_state;

static arb_code plan_estimate(arb_aggregate_plan *plan, size_t *out_state_size, arb_slot *out_result, arb_error *error)
{
    (void)error;
    plan->packs = true;
    *out_state_size = sizeof(estimate_state);
    *out_result = (arb_slot){
        .id = ARB_NO_COLUMN, .type = plan->result, .physical = ARB_PHYS_INT64, .range = {true, 0, INT64_MAX}};
    return ARB_OK;
}

static void init_estimate(const arb_aggregate_plan *plan, void *state)
{
    (void)plan;
    *(estimate_state *)state = (estimate_state){0};
}

static void note(uint8_t *registers, uint64_t hash)
{
    size_t at = hash >> (64 - index_bits);
    uint64_t rest = hash << index_bits | (uint64_t)1 << (index_bits - 1); /* the bit ends every run */
    uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);
    registers[at] = ARB_MAX(registers[at], run);
}

static arb_code grow(estimate_state *state, arb_arena *arena, arb_error *error)
{
    if (state->count < hashes_most) {
        uint64_t capacity = state->capacity == 0 ? 4 : state->capacity * 4;
        uint64_t *hashes = arb_arena_alloc(arena, capacity * sizeof *hashes);
        if (hashes == NULL)
            return arb_fail_memory(error, "approx_count_distinct", capacity * sizeof *hashes);
        if (state->count != 0)
            memcpy(hashes, state->hashes, state->count * sizeof *hashes);
        state->hashes = hashes;
        state->capacity = capacity;
        return ARB_OK;
    }
    uint8_t *registers = arb_arena_alloc_zeroed(arena, register_count);
    if (registers == NULL)
        return arb_fail_memory(error, "approx_count_distinct", register_count);
    for (uint64_t i = 0; i < state->count; i++)
        note(registers, state->hashes[i]);
    state->registers = registers;
    return ARB_OK;
}

static arb_code take_hash(estimate_state *state, arb_arena *arena, uint64_t hash, arb_error *error)
{
    if (state->registers == NULL) {
        for (uint64_t i = 0; i < state->count; i++)
            if (state->hashes[i] == hash)
                return ARB_OK;
        if (state->count == state->capacity)
            ARB_TRY(grow(state, arena, error));
    }
    if (state->registers != NULL)
        note(state->registers, hash);
    else
        state->hashes[state->count++] = hash;
    return ARB_OK;
}

/* Equal values have equal hashes, whatever their width. */
static uint64_t plain_hash_at(const arb_vector *argument, size_t slot)
{
    switch (argument->physical) {
    case ARB_PHYS_BOOL:
        return arb_hash_u64(arb_bitmap_get(argument->values.bits, slot));
    case ARB_PHYS_FLOAT32:
    case ARB_PHYS_FLOAT64: {
        double value = arb_vector_get_double(argument, slot);
        value = value != value ? (double)NAN : value == 0 ? 0 : value;
        return arb_hash_u64(arb_load_u64(&value));
    }
    case ARB_PHYS_STRING:
        return arb_str_hash(arb_string_view(&argument->values.string[slot]));
    case ARB_PHYS_INTERVAL: {
        arb_interval interval = argument->values.interval[slot];
        arb_int128 span = arb_interval_span(interval);
        return arb_hash_u64((uint64_t)span ^ arb_hash_u64((uint64_t)(span >> 64)));
    }
    default: {
        arb_int128 value = arb_vector_get_integer(argument, slot);
        return arb_hash_u64((uint64_t)value ^ arb_hash_u64((uint64_t)(value >> 64)));
    }
    }
}

/* Once more, since here every bit must look random. */
static uint64_t hash_at(const arb_vector *argument, size_t slot)
{
    return arb_hash_u64(plain_hash_at(argument, slot) ^ 0xA0761D6478BD642Fu);
}

static arb_code update_estimate(const arb_aggregate_plan *plan, arb_arena *arena, const arb_vector *const *arguments,
                                uint32_t rows, const uint64_t *selection, void *const *states, arb_error *error)
{
    (void)plan;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_hash(states[row], arena, hash_at(arguments[0], arb_argument_slot(arguments[0], row)), error));
    return ARB_OK;
}

static arb_code update_one_estimate(const arb_aggregate_plan *plan, arb_arena *arena,
                                    const arb_vector *const *arguments, uint32_t rows, const uint64_t *selection,
                                    void *state, arb_error *error)
{
    (void)plan;
    ARB_COUNTED_EACH(arguments[0], selection, rows, row)
    ARB_TRY(take_hash(state, arena, hash_at(arguments[0], arb_argument_slot(arguments[0], row)), error));
    return ARB_OK;
}

static arb_code combine_estimate(const arb_aggregate_plan *plan, arb_arena *arena, void *into, const void *from,
                                 arb_error *error)
{
    (void)plan;
    estimate_state *state = into;
    const estimate_state *other = from;
    if (other->registers == NULL) {
        for (uint64_t i = 0; i < other->count; i++)
            ARB_TRY(take_hash(state, arena, other->hashes[i], error));
        return ARB_OK;
    }
    if (state->registers == NULL) {
        uint8_t *registers = arb_arena_alloc_zeroed(arena, register_count);
        if (registers == NULL)
            return arb_fail_memory(error, "approx_count_distinct", register_count);
        for (uint64_t i = 0; i < state->count; i++)
            note(registers, state->hashes[i]);
        state->registers = registers;
    }
    for (size_t i = 0; i < register_count; i++)
        state->registers[i] = ARB_MAX(state->registers[i], other->registers[i]);
    return ARB_OK;
}

/* The harmonic mean of the registers; while some are empty, how many are says more. */
static int64_t estimate(const uint8_t *registers)
{
    double sum = 0, m = register_count;
    unsigned empty = 0;
    for (size_t i = 0; i < register_count; i++) {
        sum += ldexp(1, -registers[i]);
        empty += registers[i] == 0;
    }
    double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && empty != 0)
        raw = m * log(m / empty);
    return (int64_t)rint(raw);
}

static arb_code finalize_estimate(const arb_aggregate_plan *plan, arb_arena *arena, void *const *states, uint32_t count,
                                  arb_vector *out, uint64_t *validity, bool *out_has_null, arb_error *error)
{
    (void)plan, (void)arena, (void)validity, (void)error;
    *out_has_null = false;
    for (uint32_t i = 0; i < count; i++) {
        const estimate_state *state = states[i];
        out->values.i64[i] = state->registers != NULL ? estimate(state->registers) : (int64_t)state->count;
    }
    return ARB_OK;
}

/* Packed: the hashes, or the registers, which are more bytes than hashes can be. */
static uint64_t packed_size_estimate(const arb_aggregate_plan *plan, const void *state_void)
{
    (void)plan;
    const estimate_state *state = state_void;
    return state->registers != NULL ? register_count : state->count * sizeof *state->hashes;
}

static void pack_estimate(const arb_aggregate_plan *plan, const void *state_void, char *to)
{
    const estimate_state *state = state_void;
    uint64_t size = packed_size_estimate(plan, state);
    if (size != 0)
        memcpy(to, state->registers != NULL ? (const void *)state->registers : state->hashes, size);
}

static arb_code unpack_estimate(const arb_aggregate_plan *plan, arb_arena *arena, const char *from, uint64_t size,
                                void *state_void, arb_error *error)
{
    (void)plan;
    estimate_state *state = state_void;
    *state = (estimate_state){0};
    bool registers = size == register_count;
    if (!registers && (size % sizeof *state->hashes != 0 || size > hashes_most * sizeof *state->hashes))
        return arb_packed_state_damaged(error);
    if (size == 0)
        return ARB_OK;
    void *bytes = arb_arena_alloc(arena, size);
    if (bytes == NULL)
        return arb_fail_memory(error, "approx_count_distinct", size);
    memcpy(bytes, from, size);
    if (registers)
        state->registers = bytes;
    else
        *state = (estimate_state){
            .hashes = bytes, .count = size / sizeof *state->hashes, .capacity = size / sizeof *state->hashes};
    return ARB_OK;
}

static arb_code resolve_estimate(const arb_function *function, arb_argument *arguments, size_t count,
                                 arb_type *out_result, arb_error *error)
{
    (void)function, (void)count, (void)error;
    if (arguments[0].type.id == ARB_TYPE_NULL)
        arguments[0].type = ARB_TYPE(VARCHAR);
    *out_result = ARB_TYPE(BIGINT);
    return ARB_OK;
}

static const arb_aggregate_implementation estimate_run = {
    .plan = plan_estimate,
    .init = init_estimate,
    .update = update_estimate,
    .update_one = update_one_estimate,
    .combine = combine_estimate,
    .finalize = finalize_estimate,
    .packed_size = packed_size_estimate,
    .pack = pack_estimate,
    .unpack = unpack_estimate,
};

static const arb_function_row rows[] = {
    ARB_AGGREGATE_ROW("approx_count_distinct", 1, 1, resolve_estimate, &estimate_run),
};
ARB_FUNCTION_TABLE(arb_aggregates_distinct_estimate, rows);
