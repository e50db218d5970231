/* aggregate_fixture.h: feed the fixture's columns to an aggregate in every way, and compare.
 *
 * expect_aggregate(f, "sum", 1, 0, "6") aggregates the first column over all rows: into one state, by rows to states
 * (every row its own state, merged afterwards, also when they were bytes meanwhile), in two halves by selections, and
 * from constants. "!" expects an error.
 * Those whose result depends on the order of rows get only ways that keep it. */
#ifndef ARB_TEST_AGGREGATE_FIXTURE_H
#define ARB_TEST_AGGREGATE_FIXTURE_H

#include <stdlib.h>

#include "unit/expr/program_fixture.h"

#include "expr/aggregate.h"

typedef struct aggregate_fixture {
    arb_aggregate_plan plan;
    arb_slot slots[3], result;
    const arb_value *constants[3];
    size_t state_size;
    const arb_aggregate_implementation *run;
} aggregate_fixture;

static inline void plan_aggregate(fixture *f, aggregate_fixture *a, const char *name, size_t count, uint64_t rows_most,
                                  const arb_value *const *constants)
{
    arb_argument arguments[3] = {0};
    const arb_function *function;
    arb_type result;
    for (size_t i = 0; i < count; i++) {
        arguments[i].type = f->slots[i].type;
        arguments[i].constant = a->constants[i] = constants != NULL ? constants[i] : NULL;
        a->slots[i] = f->slots[i];
    }
    arb_code code =
        arb_function_bind(ARB_FUNCTION_AGGREGATE, arb_str_of(name), arguments, count, &function, &result, &f->error);
    if (code != ARB_OK)
        fail_msg("%s: %s", name, f->error.message);
    for (size_t i = 0; i < count; i++)
        if (!arb_type_equal(arguments[i].type, f->slots[i].type))
            fail_msg("%s: argument %zu must be cast", name, i);
    a->plan = (arb_aggregate_plan){.function = function,
                                   .implementation = function->aggregate,
                                   .result = result,
                                   .argument_count = count,
                                   .arguments = a->slots,
                                   .constants = a->constants,
                                   .rows_most = rows_most};
    a->run = function->aggregate;
    code = a->run->plan(&a->plan, &a->state_size, &a->result, &f->error);
    if (code != ARB_OK)
        fail_msg("%s: %s", name, f->error.message);
    assert_int_equal(a->state_size % 8, 0);
}

static inline void *new_state(fixture *f, const aggregate_fixture *a)
{
    char *state = arb_arena_alloc(&f->arena, a->state_size + 8);
    assert_non_null(state);
    a->run->init(&a->plan, state + 8); /* aligned to 8 and not to 16 */
    return state + 8;
}

static inline void check_result(fixture *f, const aggregate_fixture *a, arb_code code, void *state,
                                const char *expected, const char *way)
{
    arb_vector_storage storage;
    bool has_null = false;
    assert_int_equal(arb_vector_storage_init(&storage, a->result.physical, 64, &f->error), ARB_OK);
    arb_bitmap_fill(storage.validity, 64);
    arb_vector out = arb_vector_over(&storage);
    void *states[] = {state, state};
    if (code == ARB_OK)
        code = a->run->finalize(&a->plan, &f->arena, states, 2, &out, storage.validity, &has_null, &f->error);
    if ((code != ARB_OK) != (strcmp(expected, "!") == 0))
        fail_msg("%s %s: %s", a->plan.function->name, way, code == ARB_OK ? "an error was expected" : f->error.message);
    if (code == ARB_OK) {
        arb_value value;
        arb_text text = {0};
        out.validity = has_null ? storage.validity : NULL;
        assert_int_equal(arb_vector_get_value(&out, a->plan.result, 1, &f->arena, &value, &f->error), ARB_OK);
        if (value.is_null)
            arb_text_append_str(&text, ARB_STR("NULL"));
        assert_true(a->result.nullable || !value.is_null);
        if (a->result.range.known && !value.is_null)
            assert_true(value.integer >= a->result.range.low && value.integer <= a->result.range.high);
        arb_value_print(&text, &value);
        arb_text_append_char(&text, '\0');
        if (strcmp(text.data, expected) != 0)
            fail_msg("%s %s: %s and not %s", a->plan.function->name, way, text.data, expected);
        arb_text_reset(&text);
    }
    arb_vector_storage_reset(&storage);
}

static inline void feed_in_one(fixture *f, const aggregate_fixture *a, const arb_vector *const *inputs,
                               const char *expected)
{
    void *state = new_state(f, a);
    arb_code code = a->run->update_one(&a->plan, &f->arena, inputs, f->rows, NULL, state, &f->error);
    check_result(f, a, code, state, expected, "one state");
    state = new_state(f, a);
    uint64_t all = ((uint64_t)1 << f->rows) - 1, low = all & 0x7, high = all & ~(uint64_t)0x7;
    code = a->run->update_one(&a->plan, &f->arena, inputs, f->rows, &low, state, &f->error);
    if (code == ARB_OK)
        code = a->run->update_one(&a->plan, &f->arena, inputs, f->rows, &high, state, &f->error);
    check_result(f, a, code, state, expected, "by selections");
}

/* Replace the state by what its bytes become again. Bytes that were cut are refused or are another state: the sanitizers
 * watch. */
static inline void travel(fixture *f, const aggregate_fixture *a, void *state)
{
    uint64_t size = a->run->packed_size(&a->plan, state);
    char *bytes = arb_arena_alloc(&f->arena, size), *other = new_state(f, a);
    assert_non_null(bytes);
    a->run->pack(&a->plan, state, bytes);
    for (uint64_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        (void)!a->run->unpack(&a->plan, &f->arena, part, cut, other, &f->error);
        memcpy(part, bytes + size - cut, cut);
        (void)!a->run->unpack(&a->plan, &f->arena, part, cut, other, &f->error);
        free(part);
    }
    memset(state, 0xA5, a->state_size);
    assert_int_equal(a->run->unpack(&a->plan, &f->arena, bytes, size, state, &f->error), ARB_OK);
    assert_int_equal(a->run->packed_size(&a->plan, state), size);
}

static inline void feed_by_rows(fixture *f, const aggregate_fixture *a, const arb_vector *const *inputs,
                                const char *expected)
{
    void *states[fixture_rows], *same[fixture_rows], *state = new_state(f, a);
    for (uint32_t row = 0; row < f->rows; row++) {
        states[row] = new_state(f, a);
        same[row] = state;
    }
    arb_code code = a->run->update(&a->plan, &f->arena, inputs, f->rows, NULL, same, &f->error);
    check_result(f, a, code, state, expected, "rows to one state");
    code = a->run->update(&a->plan, &f->arena, inputs, f->rows, NULL, states, &f->error);
    state = new_state(f, a);
    for (uint32_t row = 0; row < f->rows && code == ARB_OK; row++)
        code = a->run->combine(&a->plan, &f->arena, state, states[row], &f->error);
    check_result(f, a, code, state, expected, "merged");
    if (!a->plan.packs || code != ARB_OK)
        return;
    state = new_state(f, a);
    for (uint32_t row = 0; row < f->rows && code == ARB_OK; row++) {
        travel(f, a, states[row]);
        code = a->run->combine(&a->plan, &f->arena, state, states[row], &f->error);
    }
    check_result(f, a, code, state, expected, "merged from bytes");
    travel(f, a, state);
    check_result(f, a, code, state, expected, "from bytes");
}

static inline void feed_constants(fixture *f, const aggregate_fixture *a, const char *expected)
{
    void *state = new_state(f, a);
    arb_code code = ARB_OK;
    for (uint32_t row = 0; row < f->rows && code == ARB_OK; row++) {
        arb_vector constants[3];
        uint64_t validity[3], bits[3], one = 1;
        const arb_vector *inputs[3];
        for (size_t i = 0; i < f->count; i++) {
            const arb_vector *flat = &f->columns[i].flat;
            constants[i] = *flat;
            constants[i].encoding = ARB_CONSTANT;
            validity[i] = flat->validity == NULL || arb_bitmap_get(flat->validity, row);
            constants[i].validity = flat->validity != NULL ? &validity[i] : NULL;
            bits[i] = flat->physical == ARB_PHYS_BOOL && arb_bitmap_get(flat->values.bits, row);
            if (flat->physical == ARB_PHYS_BOOL)
                constants[i].values.bits = &bits[i];
            else
                constants[i].values.data =
                    (char *)flat->values.data + row * arb_physical_size((arb_physical)flat->physical);
            inputs[i] = &constants[i];
        }
        if (row % 2 == 0) {
            code = a->run->update_one(&a->plan, &f->arena, inputs, 1, NULL, state, &f->error);
        } else {
            void *states[] = {state, NULL};
            code = a->run->update(&a->plan, &f->arena, inputs, 2, &one, states, &f->error);
        }
    }
    check_result(f, a, code, state, expected, "constants");
}

static inline void expect_aggregate_with(fixture *f, const char *name, size_t count, uint64_t rows_most,
                                         const arb_value *const *constants, const char *expected)
{
    aggregate_fixture a = {0};
    const arb_vector *inputs[3];
    plan_aggregate(f, &a, name, count, rows_most, constants);
    for (size_t i = 0; i < f->count; i++)
        inputs[i] = &f->columns[i].flat;
    feed_in_one(f, &a, inputs, expected);
    feed_by_rows(f, &a, inputs, expected);
    feed_constants(f, &a, expected);
}

static inline void expect_aggregate(fixture *f, const char *name, size_t count, uint64_t rows_most,
                                    const char *expected)
{
    expect_aggregate_with(f, name, count, rows_most, NULL, expected);
}

#endif
