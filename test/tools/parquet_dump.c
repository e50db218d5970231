/* parquet_dump: every row of a Parquet file, one line each, for scripts that compare readers.
 *
 *     parquet_dump [--narrow] [--codes] FILE…
 *
 * The first line is a JSON array of [name, type] pairs, or [name, null, why] for a column that cannot be read; each
 * further line an array of values. Values are exact: whole numbers and decimals without their point as numbers, floats as
 * "f:" and their bits, text as strings, bytes as "x:" and hexadecimal digits, dates as days, times as microseconds,
 * timestamps as nanoseconds, intervals as [months, days, micros], structs as arrays, maps as arrays of pairs.
 *
 * --narrow reads whole numbers in the width that the footer claims and checks every value against the claim; --codes
 * keeps dictionaries. A file that is refused gives `refused: CODE: why` as its last line. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/parquet.h"

static void print_value(arb_text *out, const arb_vector *vector, arb_type type, size_t row);

static void print_integer(arb_text *out, arb_int128 value)
{
    char digits[48], *at = digits + sizeof digits;
    arb_uint128 rest = value < 0 ? 0 - (arb_uint128)value : (arb_uint128)value;
    do
        *--at = (char)('0' + (unsigned)(rest % 10));
    while ((rest /= 10) != 0);
    if (value < 0)
        *--at = '-';
    arb_text_append(out, at, (size_t)(digits + sizeof digits - at));
}

static void print_text(arb_text *out, arb_str text, bool is_bytes)
{
    arb_text_append_str(out, is_bytes ? ARB_STR("\"x:") : ARB_STR("\""));
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (is_bytes)
            arb_text_printf(out, "%02x", c);
        else if (c < 0x20 || c == '"' || c == '\\')
            arb_text_printf(out, "\\u%04x", c);
        else
            arb_text_append_char(out, (char)c);
    }
    arb_text_append_char(out, '"');
}

static void print_float(arb_text *out, const arb_vector *vector, size_t slot)
{
    const arb_vector *entries = arb_vector_entries(vector);
    bool is_nan;
    if (vector->physical == ARB_PHYS_FLOAT32) {
        is_nan = entries->values.f32[slot] != entries->values.f32[slot];
        arb_text_printf(out, is_nan ? "\"f:nan\"" : "\"f:%08x\"", arb_load_u32(&entries->values.f32[slot]));
    } else {
        is_nan = entries->values.f64[slot] != entries->values.f64[slot];
        arb_text_printf(out, is_nan ? "\"f:nan\"" : "\"f:%016llx\"",
                        (unsigned long long)arb_load_u64(&entries->values.f64[slot]));
    }
}

static void print_nested(arb_text *out, const arb_vector *vector, arb_type type, size_t row)
{
    arb_text_append_char(out, '[');
    if (type.id == ARB_TYPE_STRUCT) {
        for (size_t i = 0; i < type.children->count; i++) {
            if (i != 0)
                arb_text_append_char(out, ',');
            print_value(out, &vector->children[i], type.children->types[i], row);
        }
    } else {
        arb_list list = vector->values.list[row];
        const arb_vector *child = &vector->children[0];
        for (size_t i = list.offset; i < (size_t)list.offset + list.size; i++) {
            if (i != list.offset)
                arb_text_append_char(out, ',');
            if (type.id == ARB_TYPE_LIST) {
                print_value(out, child, type.children->types[0], i);
                continue;
            }
            arb_text_append_char(out, '[');
            print_value(out, &child->children[0], type.children->types[0], i);
            arb_text_append_char(out, ',');
            print_value(out, &child->children[1], type.children->types[1], i);
            arb_text_append_char(out, ']');
        }
    }
    arb_text_append_char(out, ']');
}

static void print_value(arb_text *out, const arb_vector *vector, arb_type type, size_t row)
{
    if (!arb_vector_is_valid(vector, row)) {
        arb_text_append_str(out, ARB_STR("null"));
        return;
    }
    size_t slot = arb_vector_slot(vector, row);
    switch (type.id) {
    case ARB_TYPE_BOOLEAN:
        arb_text_append_str(out, arb_vector_get_bool(vector, row) ? ARB_STR("true") : ARB_STR("false"));
        break;
    case ARB_TYPE_REAL:
    case ARB_TYPE_DOUBLE:
        print_float(out, vector, slot);
        break;
    case ARB_TYPE_VARCHAR:
    case ARB_TYPE_BLOB:
        print_text(out, arb_vector_get_text(vector, row), type.id == ARB_TYPE_BLOB);
        break;
    case ARB_TYPE_INTERVAL: {
        arb_interval interval = arb_vector_entries(vector)->values.interval[slot];
        arb_text_printf(out, "[%d,%d,%lld]", interval.months, interval.days, (long long)interval.micros);
        break;
    }
    case ARB_TYPE_LIST:
    case ARB_TYPE_STRUCT:
    case ARB_TYPE_MAP:
        print_nested(out, vector, type, row);
        break;
    case ARB_TYPE_TIMESTAMP:
    case ARB_TYPE_TIMESTAMPTZ:
        print_integer(out, arb_vector_get_integer(vector, row) * (type.nanoseconds ? 1 : 1000));
        break;
    default:
        print_integer(out, arb_vector_get_integer(vector, row));
    }
}

typedef struct options {
    bool narrow, codes;
} options;

/* The columns that can be read; prints the first line. */
static arb_code choose_columns(const arb_table_file *file, options how, arb_scan_column *columns,
                               arb_scan_request *request, arb_text *out)
{
    arb_text_append_char(out, '[');
    for (uint32_t i = 0; i < file->column_count; i++) {
        const arb_table_column *column = &file->columns[i];
        arb_scan_column *wanted = &columns[request->column_count];
        *wanted = (arb_scan_column){.source = i, .physical = arb_type_physical(column->type)};
        if (how.narrow && arb_physical_is_integer(wanted->physical) && column->statistics.has_range) {
            arb_physical narrow = arb_physical_for_range(column->statistics.low, column->statistics.high);
            wanted->physical = ARB_MIN(wanted->physical, narrow);
            wanted->check_range = true;
            wanted->low = column->statistics.low;
            wanted->high = column->statistics.high;
        }
        arb_error error = {0};
        arb_split_reader *reader = NULL;
        arb_scan_request single = {.column_count = 1, .columns = wanted};
        arb_code code = file->vtable->reader_create(file, &single, &reader, &error);
        arb_text_append_str(out, i == 0 ? ARB_STR("[") : ARB_STR(",["));
        print_text(out, column->name, false);
        arb_text type = {0};
        if (code == ARB_OK) {
            reader->vtable->destroy(reader);
            arb_type_print(&type, column->type);
            arb_text_append_char(out, ',');
            request->column_count++;
        } else {
            arb_text_append_str(out, ARB_STR(",null,"));
            arb_text_append_str(&type, arb_str_of(error.message));
        }
        print_text(out, arb_text_view(&type), false);
        arb_text_reset(&type);
        arb_text_append_char(out, ']');
        if (code != ARB_OK && code != ARB_NOT_SUPPORTED)
            return code;
    }
    arb_text_append_str(out, ARB_STR("]\n"));
    return ARB_OK;
}

static arb_code dump_rows(const arb_table_file *file, const arb_scan_request *request, arb_text *out, arb_error *error)
{
    arb_split_reader *reader;
    arb_code code = ARB_OK;
    ARB_TRY(file->vtable->reader_create(file, request, &reader, error));
    for (size_t i = 0; code == ARB_OK && i < file->split_count; i++) {
        const arb_batch *batch;
        ARB_TRY_GOTO(code, reader->vtable->begin(reader, &file->splits[i], error), done);
        for (;;) {
            ARB_TRY_GOTO(code, reader->vtable->next(reader, &batch, error), done);
            if (batch == NULL)
                break;
            for (uint32_t row = 0; row < batch->rows; row++) {
                arb_text_append_char(out, '[');
                for (uint32_t j = 0; j < request->column_count; j++) {
                    if (j != 0)
                        arb_text_append_char(out, ',');
                    print_value(out, &batch->columns[j], file->columns[request->columns[j].source].type, row);
                }
                arb_text_append_str(out, ARB_STR("]\n"));
            }
            fwrite(out->data, 1, out->size, stdout);
            arb_text_clear(out);
        }
    }
done:
    reader->vtable->destroy(reader);
    return code;
}

static arb_code dump(const char *path, options how, arb_text *out, arb_error *error)
{
    arb_byte_source *source;
    arb_table_file *file;
    ARB_TRY(arb_byte_source_open_local(path, &source, error));
    ARB_TRY(arb_parquet_open(source, &file, error));
    arb_code code = ARB_OK;
    arb_scan_column *columns = arb_alloc_zeroed(sizeof *columns * (file->column_count + 1));
    arb_scan_request request = {.columns = columns, .keep_dictionaries = how.codes};
    if (columns == NULL)
        code = arb_fail_memory(error, "the columns", sizeof *columns * file->column_count);
    if (code == ARB_OK)
        code = choose_columns(file, how, columns, &request, out);
    if (code == ARB_OK)
        code = dump_rows(file, &request, out, error);
    arb_free(columns);
    file->vtable->destroy(file);
    return code;
}

int main(int argc, char **argv)
{
    options how = {0};
    int status = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--narrow") == 0) {
            how.narrow = true;
        } else if (strcmp(argv[i], "--codes") == 0) {
            how.codes = true;
        } else {
            arb_error error = {0};
            arb_text out = {0};
            arb_code code = dump(argv[i], how, &out, &error);
            fwrite(arb_text_view(&out).data, 1, out.size, stdout);
            arb_text_reset(&out);
            if (code != ARB_OK) {
                printf("refused: %s: %s\n", arb_code_name(code), error.message);
                status = 1;
            }
        }
    }
    return status;
}
