/* csv_print: a CSV file as the reader understands it.
 *
 *     csv_print FILE [OPTION=VALUE…]
 *
 * The first line has the names and types as a JSON array, each further one a row: an array of texts and nulls. Options:
 * delimiter, quote, escape, header (yes, no), skip, range (bytes of a split), on_error (skip, null), null_padding (yes),
 * all_text (yes), sum (yes: only count rows and bytes of text, and the time it takes). */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "formats/cell_text.h"
#include "formats/csv.h"

static bool only_sum;

static void print_text(arb_str text)
{
    putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_columns(const arb_table_file *file)
{
    putchar('[');
    for (size_t i = 0; i < file->column_count; i++) {
        arb_text type = {0};
        arb_type_print(&type, file->columns[i].type);
        fputs(i == 0 ? "[" : ",[", stdout);
        print_text(file->columns[i].name);
        putchar(',');
        print_text(arb_text_view(&type));
        putchar(']');
        arb_text_reset(&type);
    }
    puts("]");
}

static arb_code print_batch(const arb_table_file *file, const arb_batch *batch, arb_error *error)
{
    arb_text cell = {0};
    arb_code code = ARB_OK;
    for (uint32_t row = 0; row < batch->rows && code == ARB_OK; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        for (size_t i = 0; i < file->column_count && code == ARB_OK; i++) {
            putchar(i == 0 ? '[' : ',');
            if (!arb_vector_is_valid(&batch->columns[i], row)) {
                fputs("null", stdout);
                continue;
            }
            arb_text_clear(&cell);
            code = arb_cell_append(&cell, &batch->columns[i], file->columns[i].type, row, error);
            print_text(arb_text_view(&cell));
        }
        puts("]");
    }
    arb_text_reset(&cell);
    return code;
}

static arb_code read_all(const arb_table_file *file, arb_error *error)
{
    arb_scan_column *columns = calloc(file->column_count, sizeof *columns);
    for (size_t i = 0; i < file->column_count; i++)
        columns[i] = (arb_scan_column){.source = (uint32_t)i, .physical = arb_type_physical(file->columns[i].type)};
    arb_scan_request request = {.column_count = (uint32_t)file->column_count, .columns = columns};
    arb_split_reader *reader = NULL;
    uint64_t rows = 0;
    arb_code code = file->vtable->reader_create(file, &request, &reader, error);
    for (size_t i = 0; code == ARB_OK && i < file->split_count; i++) {
        const arb_batch *batch = NULL;
        code = reader->vtable->begin(reader, &file->splits[i], error);
        while (code == ARB_OK && (code = arb_split_reader_next(reader, &batch, error)) == ARB_OK && batch != NULL) {
            rows += batch->selected;
            if (!only_sum)
                code = print_batch(file, batch, error);
        }
    }
    if (only_sum)
        printf("%llu rows\n", (unsigned long long)rows);
    if (reader != NULL)
        reader->vtable->destroy(reader);
    free(columns);
    return code;
}

static void set(arb_csv_options *options, const char *text)
{
    const char *value = strchr(text, '=');
    if (value == NULL)
        exit(2);
    arb_str name = {text, (size_t)(value++ - text)};
    bool yes = strcmp(value, "yes") == 0;
    if (arb_str_equal(name, ARB_STR("delimiter")))
        options->delimiter = *value;
    else if (arb_str_equal(name, ARB_STR("quote")))
        options->quote = *value, options->no_quotes = *value == '\0';
    else if (arb_str_equal(name, ARB_STR("escape")))
        options->escape = *value;
    else if (arb_str_equal(name, ARB_STR("header")))
        options->header = yes ? ARB_CSV_YES : ARB_CSV_NO;
    else if (arb_str_equal(name, ARB_STR("skip")))
        options->skip_lines = strtoull(value, NULL, 10);
    else if (arb_str_equal(name, ARB_STR("range")))
        options->range_bytes = strtoull(value, NULL, 10);
    else if (arb_str_equal(name, ARB_STR("on_error")))
        options->on_error = strcmp(value, "skip") == 0 ? ARB_CSV_SKIP_ROW : ARB_CSV_NULL_CELL;
    else if (arb_str_equal(name, ARB_STR("null_padding")))
        options->null_padding = yes;
    else if (arb_str_equal(name, ARB_STR("all_text")))
        options->all_text = yes;
    else if (arb_str_equal(name, ARB_STR("sum")))
        only_sum = yes;
    else
        exit(2);
}

int main(int count, char **arguments)
{
    arb_csv_options options = {0};
    if (count < 2)
        return 2;
    for (int i = 2; i < count; i++)
        set(&options, arguments[i]);
    int64_t begin = arb_clock_monotonic_ns();
    arb_error error = {0};
    arb_byte_source *source;
    arb_table_file *file = NULL;
    arb_code code = arb_byte_source_open_local(arguments[1], &source, &error);
    if (code == ARB_OK)
        code = arb_csv_open(source, &options, &file, &error);
    if (code == ARB_OK) {
        print_columns(file);
        code = read_all(file, &error);
        file->vtable->destroy(file);
    }
    if (only_sum)
        printf("%.3f s\n", (double)(arb_clock_monotonic_ns() - begin) / 1e9);
    if (code != ARB_OK)
        fprintf(stderr, "%s: %s\n", arb_code_name(code), error.message);
    return code != ARB_OK;
}
