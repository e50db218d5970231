#include "slt_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/cell_text.h"
#include "md5.h"

static arb_code add_value(arb_arena *arena, const arb_vector *vector, arb_type type, size_t row, arb_text *scratch,
                          slt_values *out, arb_error *error)
{
    arb_str value = ARB_STR("NULL");
    if (arb_vector_is_valid(vector, row) && type.id != ARB_TYPE_NULL) {
        arb_text_clear(scratch);
        ARB_TRY(arb_cell_append(scratch, vector, type, row, error));
        ARB_TRY(arb_text_check(scratch, error));
        value = scratch->size == 0 ? ARB_STR("(empty)") : arb_str_copy(arena, arb_text_view(scratch));
    }
    if (value.data == NULL || !ARB_ARENA_PUSH(arena, &out->items, value))
        return arb_fail_memory(error, "a result", value.size);
    return ARB_OK;
}

arb_code slt_values_read(arb_arena *arena, arb_hosted_result *result, slt_values *out, arb_error *error)
{
    const arb_result_columns *columns = result->vtable->describe(result);
    const arb_batch *batch;
    arb_text scratch = {0};
    arb_code code;
    *out = (slt_values){.columns = columns->column_count, .types = columns->types};
    while ((code = result->vtable->next(result, &batch, error)) == ARB_OK && batch != NULL)
        for (size_t row = 0; row < batch->rows && code == ARB_OK; row++)
            for (size_t i = 0; i < columns->column_count; i++)
                if (code == ARB_OK && (batch->selection == NULL || arb_bitmap_get(batch->selection, row)))
                    code = add_value(arena, &batch->columns[i], columns->types[i], row, &scratch, out, error);
    arb_text_reset(&scratch);
    return code;
}

static int compare_values(const void *a, const void *b)
{
    return arb_str_compare(*(const arb_str *)a, *(const arb_str *)b);
}

static int compare_rows(const void *a, const void *b, void *columns)
{
    const arb_str *x = a, *y = b;
    for (size_t i = 0; i < *(size_t *)columns; i++) {
        int order = arb_str_compare(x[i], y[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

static void sort_items(arb_str *items, size_t count, size_t columns, slt_sort sort)
{
    if (count == 0 || columns == 0)
        return;
    if (sort == SLT_VALUESORT)
        qsort(items, count, sizeof *items, compare_values);
    else if (sort == SLT_ROWSORT)
        qsort_r(items, count / columns, columns * sizeof *items, compare_rows, &columns);
}

void slt_values_sort(slt_values *values, slt_sort sort)
{
    sort_items(values->items.data, values->items.size, values->columns, sort);
}

static void hash_items(const arb_str *items, size_t count, char out_hex[33])
{
    arb_text all = {0};
    for (size_t i = 0; i < count; i++) {
        arb_text_append_str(&all, items[i]);
        arb_text_append_char(&all, '\n');
    }
    arb_md5_hex(arb_text_view(&all), out_hex);
    arb_text_reset(&all);
}

void slt_values_hash(const slt_values *values, char out_hex[33])
{
    hash_items(values->items.data, values->items.size, out_hex);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */
static bool number_of(arb_str text, double *out)
{
    char copy[64], *end;
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0';
}

static bool truth_of(arb_str text, bool *out)
{
    *out = arb_str_equal_nocase(text, ARB_STR("true")) || arb_str_equal(text, ARB_STR("1"));
    return *out || arb_str_equal_nocase(text, ARB_STR("false")) || arb_str_equal(text, ARB_STR("0"));
}

/* Equal texts; numbers that are equal, for floating point up to the digits that files write; 1 for true. */
static bool same(arb_type type, arb_str expected, arb_str got)
{
    double x, y;
    bool a, b;
    if (arb_str_equal(expected, got))
        return true;
    if (type.id == ARB_TYPE_BOOLEAN && truth_of(expected, &a) && truth_of(got, &b))
        return a == b;
    if (!arb_type_is_numeric(type) || !number_of(expected, &x) || !number_of(got, &y))
        return false;
    bool inexact = type.id == ARB_TYPE_DOUBLE || type.id == ARB_TYPE_REAL;
    return x == y || (isnan(x) && isnan(y)) || (inexact && fabs(x - y) <= 5e-4 + 1e-6 * ARB_MAX(fabs(x), fabs(y)));
}

/* As SQLite's runner writes values: real numbers with three decimals, integers without a fraction. */
static bool classic_items(arb_arena *arena, const slt_values *values, arb_str letters, arb_str *items)
{
    for (size_t i = 0; i < values->items.size; i++) {
        char letter = letters.data[i % values->columns], text[400];
        double number;
        items[i] = values->items.data[i];
        if ((letter != 'R' && letter != 'I') || !number_of(items[i], &number) || !isfinite(number))
            continue;
        if (letter == 'I' && memchr(items[i].data, '.', items[i].size) == NULL)
            continue;
        int size = letter == 'R' ? snprintf(text, sizeof text, "%.3f", number)
                                 : snprintf(text, sizeof text, "%lld", (long long)number);
        items[i] = arb_str_copy(arena, (arb_str){text, (size_t)size});
        if (items[i].data == NULL)
            return false;
    }
    return true;
}

static bool match_hash(arb_arena *arena, slt_values *values, arb_str letters, slt_sort sort, arb_str line,
                       arb_text *out)
{
    char hex[33];
    unsigned long long count;
    char wanted[40], copy[128];
    snprintf(copy, sizeof copy, "%.*s", ARB_STR_ARGS(line));
    if (sscanf(copy, "%llu values hashing to %39s", &count, wanted) != 2) {
        arb_text_printf(out, "not understood: %s\n", copy);
        return false;
    }
    if (count != values->items.size) {
        arb_text_printf(out, "expected %llu values, got %zu\n", count, values->items.size);
        return false;
    }
    slt_values_hash(values, hex);
    if (strcmp(hex, wanted) == 0)
        return true;
    arb_str *items = ARB_ARENA_ARRAY(arena, arb_str, values->items.size + 1);
    if (items != NULL && letters.size == values->columns && classic_items(arena, values, letters, items)) {
        sort_items(items, values->items.size, values->columns, sort);
        hash_items(items, values->items.size, hex);
        if (strcmp(hex, wanted) == 0)
            return true;
    }
    arb_text_printf(out, "%llu values hash to %s, expected %s\n", count, hex, wanted);
    return false;
}

/* Cut lines at tabs when each of them holds a row. */
static bool expected_items(arb_arena *arena, const slt_values *values, const arb_str *lines, size_t line_count,
                           slt_values *out)
{
    bool by_row = values->columns > 1 && line_count * values->columns != 0 && line_count != values->items.size;
    for (size_t i = 0; i < line_count && !by_row && values->columns > 1; i++)
        by_row = memchr(lines[i].data, '\t', lines[i].size) != NULL;
    out->columns = values->columns;
    for (size_t i = 0; i < line_count; i++) {
        arb_str rest = lines[i];
        const char *tab;
        while (by_row && (tab = memchr(rest.data, '\t', rest.size)) != NULL) {
            arb_str piece = {rest.data, (size_t)(tab - rest.data)};
            if (!ARB_ARENA_PUSH(arena, &out->items, piece))
                return false;
            rest = (arb_str){tab + 1, rest.size - piece.size - 1};
        }
        if (!ARB_ARENA_PUSH(arena, &out->items, rest))
            return false;
    }
    return true;
}

static void show_rows(arb_text *out, const char *what, const slt_values *values)
{
    size_t columns = ARB_MAX(values->columns, 1);
    arb_text_printf(out, "%s:\n", what);
    for (size_t i = 0; i < values->items.size && i < columns * 20; i++)
        arb_text_printf(out, "%s%.*s%s", i % columns == 0 ? "    " : "\t", ARB_STR_ARGS(values->items.data[i]),
                        (i + 1) % columns == 0 ? "\n" : "");
    if (values->items.size > columns * 20)
        arb_text_printf(out, "    … %zu values\n", values->items.size);
}

bool slt_values_match(arb_arena *arena, slt_values *values, arb_str letters, slt_sort sort, const arb_str *lines,
                      size_t line_count, arb_text *out)
{
    if (line_count == 1 && strstr(lines[0].data, " values hashing to ") != NULL &&
        strstr(lines[0].data, " values hashing to ") < lines[0].data + lines[0].size)
        return match_hash(arena, values, letters, sort, lines[0], out);
    slt_values expected = {0};
    if (!expected_items(arena, values, lines, line_count, &expected))
        return false;
    /* The file may have been sorted by another writing of the numbers. */
    sort_items(expected.items.data, expected.items.size, expected.columns, sort);
    bool fine = expected.items.size == values->items.size;
    for (size_t i = 0; i < values->items.size && fine; i++)
        fine = same(sort == SLT_VALUESORT ? ARB_TYPE(DOUBLE) : values->types[i % values->columns],
                    expected.items.data[i], values->items.data[i]);
    if (!fine) {
        show_rows(out, "expected", &expected);
        show_rows(out, "got", values);
    }
    return fine;
}
