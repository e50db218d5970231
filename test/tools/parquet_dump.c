/* parquet_dump: every row of a Parquet file, one line each, for scripts that compare readers.
 *
 *     parquet_dump [--narrow] [--codes] [--only NAME,NAME…] [--range NAME LOW HIGH] [--equal NAME TEXT] [--there NAME]
 *                  [--late] [--rows] [--wait BYTES] [--torture] FILE…
 *
 * The first line is a JSON array of [name, type] pairs, or [name, null, why] for a column that cannot be read; each
 * further line an array of values. Values are exact: whole numbers and decimals without their point as numbers, floats as
 * "f:" and their bits, text as strings, bytes as "x:" and hexadecimal digits, dates as days, times as microseconds,
 * timestamps as nanoseconds, intervals as [months, days, micros], structs as arrays, maps as arrays of pairs.
 *
 * --narrow reads whole numbers in the width that the footer claims and checks every value against the claim; --codes
 * keeps dictionaries. --only reads those columns ("" for none). --range, --equal and --there (not NULL) are conditions on a
 * column that need not be read otherwise; only rows that pass are printed. With --late all of them arrive when the first
 * batch has been given. --rows prints, instead of rows, how many there are, how many were skipped, and bytes read of pages. With --wait no byte
 * is there at once: all are waited for, about BYTES at a time.
 * --torture reads the file once for each allocation, which fails then, and prints how many there are. A file that is refused gives `refused: CODE: why` as its last line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/parquet.h"
#include "scan_condition.h"

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

enum { MAX_CONDITIONS = 8 };

typedef struct options {
    bool narrow, codes, late, count_rows, torture;
    size_t wait_bytes; /* 0: bytes are read when they are needed */
    const char *only;  /* NULL: all */
    uint32_t condition_count;
    const char *names[MAX_CONDITIONS]; /* of the conditions' columns */
    scan_condition conditions[MAX_CONDITIONS];
} options;

static bool is_listed(const char *list, arb_str name)
{
    while (list != NULL && *list != 0) {
        size_t size = strcspn(list, ",");
        if (arb_str_equal((arb_str){list, size}, name))
            return true;
        list += size + (list[size] == ',');
    }
    return list == NULL;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The columns that can be read; prints the first line. */
static arb_code choose_columns(const arb_table_file *file, const options *how, arb_scan_column *columns,
                               arb_scan_request *request, arb_text *out)
{
    bool is_first = true;
    arb_text_append_char(out, '[');
    for (uint32_t i = 0; i < file->column_count; i++) {
        const arb_table_column *column = &file->columns[i];
        if (!is_listed(how->only, column->name))
            continue;
        arb_scan_column *wanted = &columns[request->column_count];
        *wanted = (arb_scan_column){.source = i, .physical = arb_type_physical(column->type)};
        if (how->narrow && arb_physical_is_integer(wanted->physical) && column->statistics.has_range) {
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
        arb_text_append_str(out, is_first ? ARB_STR("[") : ARB_STR(",["));
        is_first = false;
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

/* Columns of conditions come behind those that are printed. */
static arb_code add_conditions(const arb_table_file *file, options *how, arb_scan_column *columns,
                               arb_scan_request *request, arb_error *error)
{
    for (uint32_t i = 0; i < how->condition_count; i++) {
        uint32_t source = 0;
        while (source < file->column_count && !arb_str_equal(file->columns[source].name, arb_str_of(how->names[i])))
            source++;
        if (source == file->column_count)
            return arb_fail(error, ARB_UNDEFINED_COLUMN, "there is no column %s", how->names[i]);
        const arb_type type = file->columns[source].type;
        scan_condition_init(&how->conditions[i], request->column_count, type, how->late);
        columns[request->column_count++] =
            (arb_scan_column){.source = source, .physical = arb_type_physical(type), .filter_only = true};
    }
    return ARB_OK;
}

static void print_batch(const arb_table_file *file, const arb_scan_request *request, uint32_t printed,
                        const arb_batch *batch, arb_text *out)
{
    for (uint32_t row = 0; row < batch->rows; row++) {
        if (batch->selection != NULL && !arb_bitmap_get(batch->selection, row))
            continue;
        arb_text_append_char(out, '[');
        for (uint32_t i = 0; i < printed; i++) {
            if (i != 0)
                arb_text_append_char(out, ',');
            print_value(out, &batch->columns[i], file->columns[request->columns[i].source].type, row);
        }
        arb_text_append_str(out, ARB_STR("]\n"));
    }
    fwrite(arb_text_view(out).data, 1, out->size, stdout);
    arb_text_clear(out);
}

static arb_code dump_rows(const arb_table_file *file, options *how, const arb_scan_request *request, uint32_t printed,
                          arb_text *out, arb_error *error)
{
    arb_split_reader *reader;
    arb_code code = ARB_OK;
    uint64_t rows = 0;
    ARB_TRY(file->vtable->reader_create(file, request, &reader, error));
    for (size_t i = 0; code == ARB_OK && i < file->split_count; i++) {
        const arb_batch *batch;
        ARB_TRY_GOTO(code, reader->vtable->begin(reader, &file->splits[i], error), done);
        for (;;) {
            ARB_TRY_GOTO(code, arb_split_reader_next(reader, &batch, error), done);
            if (batch == NULL)
                break;
            rows += batch->selected;
            if (!how->count_rows && !how->torture)
                print_batch(file, request, printed, batch, out);
            for (uint32_t j = 0; j < how->condition_count; j++)
                atomic_store_explicit(&how->conditions[j].base.ready, 1, memory_order_release);
        }
    }
    if (how->count_rows)
        printf("rows %llu, skipped %llu, splits %zu, bytes %llu\n", (unsigned long long)rows,
               (unsigned long long)reader->rows_skipped, file->split_count, (unsigned long long)reader->bytes_read);
done:
    reader->vtable->destroy(reader);
    return code;
}

static arb_code dump(const char *path, options *how, arb_text *out, arb_error *error)
{
    arb_byte_source *source;
    arb_table_file *file;
    ARB_TRY(arb_byte_source_open_local(path, &source, error));
    if (how->wait_bytes != 0)
        source->read_ahead = source->read_far = how->wait_bytes;
    ARB_TRY(arb_parquet_open(source, &file, error));
    arb_code code = ARB_OK;
    arb_scan_filter *filters[MAX_CONDITIONS];
    arb_scan_column *columns = arb_alloc_zeroed(sizeof *columns * (file->column_count + MAX_CONDITIONS));
    arb_scan_request request = {.columns = columns,
                                .keep_dictionaries = how->codes,
                                .filters = filters,
                                .filter_count = how->condition_count,
                                .always_wait = how->wait_bytes != 0};
    for (uint32_t i = 0; i < how->condition_count; i++)
        filters[i] = &how->conditions[i].base;
    if (columns == NULL)
        code = arb_fail_memory(error, "the columns", sizeof *columns * file->column_count);
    if (code == ARB_OK)
        code = choose_columns(file, how, columns, &request, out);
    uint32_t printed = request.column_count;
    if (code == ARB_OK)
        code = add_conditions(file, how, columns, &request, error);
    if (code == ARB_OK) {
        if (!how->torture)
            fwrite(arb_text_view(out).data, 1, out->size, stdout);
        arb_text_clear(out);
        code = dump_rows(file, how, &request, printed, out, error);
    }
    arb_free(columns);
    file->vtable->destroy(file);
    return code;
}

/* Fail each allocation in turn: it must be reported as such, and nothing be lost. */
static arb_code torture(const char *path, options *how, arb_error *error)
{
    for (uint64_t n = 1;; n++) {
        arb_text out = {0};
        arb_error_clear(error);
        arb_alloc_fail_at(n, false);
        arb_code code = dump(path, how, &out, error);
        uint64_t count = arb_alloc_count();
        arb_alloc_fail_at(0, false);
        arb_text_reset(&out);
        if (code != ARB_OK && code != ARB_OUT_OF_MEMORY)
            return code;
        if (count < n) {
            printf("allocations %llu\n", (unsigned long long)(n - 1));
            return code;
        }
    }
}

/* The options at argv[at]; returns how many arguments they take, 0 when it is none. */
static int take_option(options *how, int left, char **argv)
{
    scan_condition *c = how->condition_count < MAX_CONDITIONS ? &how->conditions[how->condition_count] : NULL;
    if (strcmp(argv[0], "--narrow") == 0)
        return how->narrow = true;
    if (strcmp(argv[0], "--codes") == 0)
        return how->codes = true;
    if (strcmp(argv[0], "--late") == 0)
        return how->late = true;
    if (strcmp(argv[0], "--rows") == 0)
        return how->count_rows = true;
    if (strcmp(argv[0], "--torture") == 0)
        return how->torture = true;
    if (strcmp(argv[0], "--wait") == 0 && left > 1) {
        how->wait_bytes = strtoul(argv[1], NULL, 10);
        return 2;
    }
    if (strcmp(argv[0], "--only") == 0 && left > 1) {
        how->only = argv[1];
        return 2;
    }
    if (strcmp(argv[0], "--there") == 0 && left > 1 && c != NULL) {
        *c = (scan_condition){.kind = SCAN_CONDITION_THERE};
        how->names[how->condition_count++] = argv[1];
        return 2;
    }
    if (strcmp(argv[0], "--equal") == 0 && left > 2 && c != NULL) {
        *c = (scan_condition){.kind = SCAN_CONDITION_EQUAL, .text = arb_str_of(argv[2])};
        how->names[how->condition_count++] = argv[1];
        return 3;
    }
    if (strcmp(argv[0], "--range") == 0 && left > 3 && c != NULL) {
        *c = (scan_condition){
            .kind = SCAN_CONDITION_RANGE, .low = strtoll(argv[2], NULL, 10), .high = strtoll(argv[3], NULL, 10)};
        how->names[how->condition_count++] = argv[1];
        return 4;
    }
    return 0;
}

int main(int argc, char **argv)
{
    options how = {0};
    int status = 0;
    for (int i = 1; i < argc;) {
        int taken = take_option(&how, argc - i, argv + i);
        i += taken;
        if (taken != 0)
            continue;
        arb_error error = {0};
        arb_text out = {0};
        arb_code code = how.torture ? torture(argv[i], &how, &error) : dump(argv[i], &how, &out, &error);
        i++;
        fwrite(arb_text_view(&out).data, 1, out.size, stdout);
        arb_text_reset(&out);
        if (code != ARB_OK) {
            printf("refused: %s: %s\n", arb_code_name(code), error.message);
            status = 1;
        }
    }
    return status;
}
