/* program_fixture.h: columns from literals, expressions from calls, and every way to run them.
 *
 * expect(fixture, expr, "1|NULL|3") evaluates an expression over all rows and compares what results print. It does so
 * over flat vectors, over dictionaries, over each half of the rows by a selection, and row by row over constants; all
 * must agree. A row "!" expects an error from runs in which the row counts. */
#ifndef ARB_TEST_PROGRAM_FIXTURE_H
#define ARB_TEST_PROGRAM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "expr/expr.h"
#include "expr/program.h"

enum { fixture_columns = 8, fixture_rows = 16 };

typedef struct fixture_column {
    arb_vector flat, coded, entries;
    arb_vector_storage storage, codes;
    uint64_t dictionary_id;
} fixture_column;

typedef struct fixture {
    arb_arena arena;
    arb_slot slots[fixture_columns];
    fixture_column columns[fixture_columns];
    size_t count;
    uint32_t rows;
    arb_error error;
} fixture;

static inline void fixture_reset(fixture *f)
{
    for (size_t i = 0; i < f->count; i++) {
        arb_vector_storage_reset(&f->columns[i].storage);
        arb_vector_storage_reset(&f->columns[i].codes);
    }
    arb_arena_reset(&f->arena);
    *f = (fixture){0};
}

static inline arb_value value_of(fixture *f, arb_type type, const char *text)
{
    if (text == NULL || strcmp(text, "NULL") == 0)
        return arb_value_null(type);
    arb_value given = {.type = ARB_TYPE(VARCHAR), .text = arb_str_of(text)}, value;
    arb_code code = arb_value_cast(&f->arena, &given, type, &value, &f->error);
    if (code != ARB_OK)
        fail_msg("%s: %s", text, f->error.message);
    return value;
}

static inline const arb_expr *literal(fixture *f, arb_type type, const char *text)
{
    return arb_expr_constant(&f->arena, value_of(f, type, text));
}

static inline void store_value(const arb_vector_storage *storage, size_t row, const arb_value *value)
{
    arb_vector_storage at = *storage;
    size_t size = arb_physical_size(storage->physical);
    if (size == 0) {
        arb_bitmap_put(storage->values, row, !value->is_null && value->boolean);
        return;
    }
    uint64_t ignored[1];
    at.values = (char *)storage->values + row * size;
    at.validity = ignored;
    if (!value->is_null)
        (void)arb_vector_constant(&at, value);
}

/* A column of values split by '|', narrowed to `physical` when that is not ARB_PHYS_BOOL. */
static inline const arb_expr *add_column(fixture *f, arb_type type, const char *rows)
{
    fixture_column *column = &f->columns[f->count];
    arb_slot *slot = &f->slots[f->count];
    arb_value values[fixture_rows];
    uint32_t count = 0;
    char *copy = arb_arena_copy(&f->arena, rows, strlen(rows));
    for (char *piece = copy, *next; piece != NULL; piece = next) {
        next = strchr(piece, '|');
        if (next != NULL)
            *next++ = '\0';
        values[count++] = value_of(f, type, piece);
    }
    *slot = (arb_slot){.id = (arb_column_id)f->count, .type = type, .range = arb_range_of_type(type)};
    if (slot->range.known) {
        slot->range = (arb_range){true, 0, 0};
        for (uint32_t i = 0; i < count; i++)
            if (!values[i].is_null) {
                slot->range.low = ARB_MIN(slot->range.low, values[i].integer);
                slot->range.high = ARB_MAX(slot->range.high, values[i].integer);
            }
    }
    slot->physical = arb_physical_for(type, slot->range);
    assert_int_equal(arb_vector_storage_init(&column->storage, slot->physical, 64, &f->error), ARB_OK);
    assert_int_equal(arb_vector_storage_init(&column->codes, ARB_PHYS_INT32, 64, &f->error), ARB_OK);
    column->flat = arb_vector_over(&column->storage);
    for (uint32_t i = 0; i < count; i++) {
        store_value(&column->storage, i, &values[i]);
        arb_bitmap_put(column->storage.validity, i, !values[i].is_null);
        slot->nullable |= values[i].is_null;
        ((uint32_t *)column->codes.values)[i] = i;
    }
    column->entries = column->flat;
    if (slot->nullable)
        column->flat.validity = column->storage.validity;
    column->coded = (arb_vector){.physical = (uint8_t)slot->physical,
                                 .encoding = ARB_DICTIONARY,
                                 .values = {column->codes.values},
                                 .validity = column->flat.validity,
                                 .dictionary = &column->entries,
                                 .dictionary_size = count,
                                 .dictionary_id = arb_dictionary_id_next()};
    assert_true(f->count == 0 || f->rows == count);
    f->rows = count;
    return arb_expr_column(&f->arena, (arb_column_id)f->count++, type);
}

static inline const arb_expr *call_of(fixture *f, const char *name, size_t count, const arb_expr *const *given)
{
    arb_argument arguments[8] = {0};
    const arb_expr *children[8];
    const arb_function *function;
    arb_type result;
    for (size_t i = 0; i < count; i++) {
        arguments[i].type = given[i]->type;
        if (given[i]->kind == ARB_EXPR_CONSTANT)
            arguments[i].constant = &given[i]->value;
    }
    arb_code code =
        arb_function_bind(ARB_FUNCTION_SCALAR, arb_str_of(name), arguments, count, &function, &result, &f->error);
    if (code != ARB_OK)
        fail_msg("%s: %s", name, f->error.message);
    for (size_t i = 0; i < count; i++) {
        if (given[i]->kind == ARB_EXPR_CONSTANT && given[i]->type.id != arguments[i].type.id) {
            arb_value value;
            code = arb_value_cast(&f->arena, &given[i]->value, arguments[i].type, &value, &f->error);
            if (code != ARB_OK)
                fail_msg("%s: %s", name, f->error.message);
            children[i] = arb_expr_constant(&f->arena, value);
        } else {
            children[i] = arb_expr_cast(&f->arena, given[i], arguments[i].type, false);
        }
    }
    return arb_expr_call(&f->arena, function, result, children, count);
}

#define CALL(f, name, ...)                                                                     \
    call_of((f), (name), sizeof((const arb_expr *[]){__VA_ARGS__}) / sizeof(const arb_expr *), \
            (const arb_expr *const[]){__VA_ARGS__})

static inline const char *row_of(const char *expected, size_t row, char *out)
{
    for (; row > 0; row--)
        expected = strchr(expected, '|') + 1;
    size_t size = strcspn(expected, "|");
    memcpy(out, expected, size);
    out[size] = '\0';
    return out;
}

static inline void check_row(fixture *f, const arb_vector *result, arb_type type, size_t row, const char *expected,
                             const char *way)
{
    char wanted[512];
    arb_value value;
    arb_text text = {0};
    row_of(expected, row, wanted);
    assert_int_equal(arb_vector_get_value(result, type, row, &f->arena, &value, &f->error), ARB_OK);
    if (value.is_null)
        arb_text_append_str(&text, ARB_STR("NULL"));
    arb_value_print(&text, &value);
    arb_text_append_char(&text, '\0');
    if (strcmp(text.data, wanted) != 0)
        fail_msg("%s, row %zu: %s and not %s", way, row, text.data, wanted);
    arb_text_reset(&text);
}

/* Run on the rows of the selection; row `only` of constants when it is not negative. */
static inline void check_run(fixture *f, arb_program_state *state, arb_type type, bool coded, uint64_t selection,
                             int only, const char *expected, const char *way)
{
    const arb_vector *inputs[fixture_columns], *result;
    arb_vector constants[fixture_columns];
    uint64_t constant_validity[fixture_columns], constant_bits[fixture_columns];
    bool must_fail = false;
    uint32_t rows = only >= 0 ? 3 : f->rows;
    for (size_t i = 0; i < f->count; i++) {
        const fixture_column *column = &f->columns[i];
        inputs[i] = coded ? &column->coded : &column->flat;
        if (only < 0)
            continue;
        constants[i] = column->flat;
        constants[i].encoding = ARB_CONSTANT;
        constants[i].validity = NULL;
        if (column->flat.validity != NULL) {
            constant_validity[i] = arb_bitmap_get(column->flat.validity, (size_t)only);
            constants[i].validity = &constant_validity[i];
        }
        if (column->flat.physical == ARB_PHYS_BOOL) {
            constant_bits[i] = arb_bitmap_get(column->flat.values.bits, (size_t)only);
            constants[i].values.bits = &constant_bits[i];
        } else {
            constants[i].values.data = (char *)column->flat.values.data +
                                       (size_t)only * arb_physical_size((arb_physical)column->flat.physical);
        }
        inputs[i] = &constants[i];
    }
    char wanted[512];
    for (uint32_t row = 0; row < f->rows; row++)
        if ((selection >> row & 1) != 0 && (only < 0 || (uint32_t)only == row))
            must_fail |= strcmp(row_of(expected, row, wanted), "!") == 0;
    uint64_t words[ARB_VECTOR_WORDS] = {only >= 0 ? 7 : selection};
    f->error = (arb_error){0};
    arb_code code = arb_program_run(state, inputs, rows, words, &result, &f->error);
    if ((code != ARB_OK) != must_fail)
        fail_msg("%s: %s", way, code == ARB_OK ? "an error was expected" : f->error.message);
    for (uint32_t row = 0; row < f->rows && code == ARB_OK; row++) {
        if (only >= 0 && (uint32_t)only == row) {
            arb_vector shown = *result;
            char one[512];
            row_of(expected, row, one);
            check_row(f, &shown, type, 0, one, way);
            check_row(f, &shown, type, 0, one, way);
        } else if (only < 0 && (selection >> row & 1) != 0) {
            check_row(f, result, type, row, expected, way);
        }
    }
}

static inline void expect(fixture *f, const arb_expr *expr, const char *expected)
{
    arb_layout layout = {f->count, f->slots};
    const arb_program *program;
    arb_program_state *state;
    assert_non_null(expr);
    arb_code code = arb_program_compile(&f->arena, &layout, &expr, 1, &program, &f->error);
    if (code != ARB_OK)
        fail_msg("%s", f->error.message);
    code = arb_program_state_create(program, &state, &f->error);
    if (code != ARB_OK)
        fail_msg("%s", f->error.message);
    uint64_t all = ((uint64_t)1 << f->rows) - 1;
    const uint64_t odd = 0xAAAAAAAAAAAAAAAAu;
    bool fails = strchr(expected, '!') != NULL;
    for (int coded = 0; coded < 2; coded++) {
        check_run(f, state, expr->type, coded != 0, all, -1, expected, coded != 0 ? "dictionaries" : "flat");
        check_run(f, state, expr->type, coded != 0, all & odd, -1, expected, "odd rows");
        check_run(f, state, expr->type, coded != 0, all & ~odd, -1, expected, "even rows");
        check_run(f, state, expr->type, coded != 0, 0, -1, expected, "no rows");
    }
    for (uint32_t row = 0; row < f->rows; row++) {
        char way[32];
        snprintf(way, sizeof way, "constant row %u", row);
        check_run(f, state, expr->type, false, all, (int)row, expected, way);
        check_run(f, state, expr->type, true, (uint64_t)1 << row, -1, expected, "single row");
    }
    if (!fails) { /* what the output slot says must hold */
        const arb_vector *inputs[fixture_columns], *result;
        for (size_t i = 0; i < f->count; i++)
            inputs[i] = &f->columns[i].flat;
        arb_slot slot = arb_program_output(program, 0);
        assert_int_equal(arb_program_run(state, inputs, f->rows, NULL, &result, &f->error), ARB_OK);
        assert_int_equal(result->physical, slot.physical);
        for (uint32_t row = 0; row < f->rows; row++) {
            arb_value value;
            assert_int_equal(arb_vector_get_value(result, slot.type, row, &f->arena, &value, &f->error), ARB_OK);
            assert_true(slot.nullable || !value.is_null);
            if (slot.range.known && !value.is_null)
                assert_true(value.integer >= slot.range.low && value.integer <= slot.range.high);
        }
    }
    arb_program_state_destroy(state);
}

#endif
