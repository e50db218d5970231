/* csv_reader.c: batches of a split.
 *
 * Rows are cut into cells (csv_rows), then cells are read column by column: first the columns of the filters, one
 * filter after the other, then the rest for the rows that are left. Text refers to the buffer, which stays as it is until
 * the next batch is asked for.
 *
 * Where rows with bad cells are left out, which rows there are must not depend on what is asked for. So then all of the
 * file's columns are read, also those that nobody wants, and before the filters. */
#include "base/alloc.h"
#include "formats/csv/csv_rows.h"
#include "formats/csv/csv_value.h"
#include "formats/parquet/parquet_kernels.h"
#include "formats/row_filters.h"
#include "runtime/held_arena.h"

typedef struct csv_column {
    uint32_t source;
    arb_type type;
    const arb_time_pattern *pattern; /* of its dates or timestamps, or NULL */
    bool never_null;
    arb_vector_storage storage;
    arb_csv_field *fields; /* shared by columns of one source; NULL: only holds a place */
    bool owns_fields;
    bool is_read; /* in this batch */
} csv_column;

typedef struct csv_reader {
    arb_split_reader base;
    const arb_csv_file *file;
    const arb_scan_request *request;
    uint32_t column_count; /* the request's, then those that are read only to find bad cells */
    csv_column *columns;
    arb_vector *vectors;
    arb_csv_field **fields_of; /* by column of the file */
    arb_arena lists;           /* all of these, and those of the filters */
    arb_row_filters filters;
    arb_csv_rows rows;
    arb_held_arena made; /* texts that had to be made */
    uint32_t split_number, batch_number;
    arb_batch batch;
    arb_error fault; /* whose line is being looked for */
} csv_reader;

static void reader_destroy(arb_split_reader *base)
{
    csv_reader *reader = (csv_reader *)base;
    for (uint32_t i = 0; i < reader->column_count; i++) {
        arb_vector_storage_reset(&reader->columns[i].storage);
        if (reader->columns[i].owns_fields)
            arb_free(reader->columns[i].fields);
    }
    arb_row_filters_reset(&reader->filters);
    arb_csv_rows_reset(&reader->rows);
    arb_held_arena_reset(&reader->made);
    arb_reservation_reset(&base->held);
    arb_arena_reset(&reader->lists);
    arb_free(reader);
}

/* ---- cells ------------------------------------------------------------------------------------------------------- */

static arb_code cell_error(csv_reader *reader, const csv_column *column, uint32_t row, arb_str text, arb_code code,
                           const char *what, arb_error *error)
{
    arb_text type = {0};
    arb_type_print(&type, column->type);
    arb_str name = reader->file->base.columns[column->source].name;
    arb_fail(error, code, "column %u (\"%.*s\"): \"%.*s\" %s%s%.*s", column->source + 1, ARB_STR_ARGS(name),
             (int)ARB_MIN(text.size, 60), text.data, what, code == ARB_INVALID_TEXT ? " " : "",
             code == ARB_INVALID_TEXT ? (int)type.size : 0, type.data != NULL ? type.data : "");
    if (code == ARB_INVALID_TEXT)
        arb_error_hint(
            error, "Types that are not said were found from the beginning of the file. They can be said (types), be "
                   "looked for in a larger sample (sample_size), or the cell can be ignored (ignore_errors).");
    arb_text_reset(&type);
    arb_csv_rows_blame(&reader->rows, reader->rows.begins[row]);
    return code;
}

static bool is_null_text(const arb_csv_options *options, arb_str text)
{
    if (options->null_text_count == 0)
        return text.size == 0;
    for (size_t i = 0; i < options->null_text_count; i++)
        if (arb_str_equal(text, options->null_texts[i]))
            return true;
    return false;
}

static void set_null(csv_column *column, arb_vector *vector, uint32_t rows, uint32_t row)
{
    if (vector->validity == NULL) {
        vector->validity = column->storage.validity;
        arb_bitmap_fill(vector->validity, rows);
    }
    arb_bitmap_clear(vector->validity, row);
    if (column->storage.physical == ARB_PHYS_STRING)
        ((arb_string *)column->storage.values)[row] = (arb_string){0};
}

/* A cell that is no value: an error, a NULL, or the end of its row. */
static arb_code bad_cell(csv_reader *reader, csv_column *column, arb_vector *vector, uint32_t row, arb_str text,
                         arb_code code, const char *what, arb_error *error)
{
    switch (reader->file->options.on_error) {
    case ARB_CSV_SKIP_ROW:
        arb_bitmap_clear(reader->filters.selection, row);
        ARB_FALLTHROUGH;
    case ARB_CSV_NULL_CELL:
        set_null(column, vector, reader->rows.rows, row);
        return ARB_OK;
    default:
        return cell_error(reader, column, row, text, code, what, error);
    }
}

static arb_code read_cell(csv_reader *reader, csv_column *column, arb_vector *vector, uint32_t row, arb_error *error)
{
    arb_csv_field field = column->fields[row];
    const arb_csv_dialect *dialect = &reader->file->layout.dialect;
    if (field.size == ARB_CSV_MISSING) {
        set_null(column, vector, reader->rows.rows, row);
        return ARB_OK;
    }
    arb_str raw = arb_csv_rows_cell(&reader->rows, field), text = raw;
    arb_csv_cell kind = ARB_CSV_CELL_PLAIN;
    if (raw.size != 0 && dialect->quote != 0 && ((uint8_t)raw.data[0] == dialect->quote || raw.data[0] == ' '))
        kind = arb_csv_cell_open(dialect, raw, &text);
    if (kind == ARB_CSV_CELL_BROKEN)
        return bad_cell(reader, column, vector, row, raw, ARB_BAD_COPY_FORMAT, "has text behind its closing quote",
                        error);
    if (kind == ARB_CSV_CELL_ESCAPED) {
        char *made = arb_arena_alloc(&reader->made.arena, text.size + 8);
        if (made == NULL)
            return arb_fail_memory(error, "CSV cells", text.size);
        text = (arb_str){made, arb_csv_cell_unescape(dialect, text, made)};
    }
    bool is_text = column->type.id == ARB_TYPE_VARCHAR;
    const arb_csv_options *options = &reader->file->options;
    bool may_be_null = !column->never_null && (kind == ARB_CSV_CELL_PLAIN || options->quoted_nulls);
    if ((may_be_null && is_null_text(options, text)) || (text.size == 0 && !is_text && !column->never_null)) {
        set_null(column, vector, reader->rows.rows, row);
        return ARB_OK;
    }
    if (is_text && reader->rows.state.high && !arb_utf8_valid((const uint8_t *)text.data, text.size))
        return bad_cell(reader, column, vector, row, ARB_STR("…"), ARB_INVALID_ENCODING, "is not valid UTF-8", error);
    arb_csv_value outcome = column->pattern != NULL
                                ? arb_csv_value_read_pattern(column->pattern, column->type, text, &column->storage, row)
                            : text.size == 0 && !is_text
                                ? ARB_CSV_VALUE_BAD
                                : arb_csv_value_read(column->type, text, &column->storage, row, &reader->made.arena);
    if (ARB_LIKELY(outcome == ARB_CSV_VALUE_OK))
        return ARB_OK;
    if (outcome == ARB_CSV_VALUE_NO_MEMORY)
        return arb_fail_memory(error, "CSV cells", text.size);
    return bad_cell(reader, column, vector, row, text, ARB_INVALID_TEXT, "is no", error);
}

/* All selected rows of a column; the others get values that are safe to read. */
static arb_code read_column(void *context, uint32_t number, arb_error *error)
{
    csv_reader *reader = context;
    csv_column *column = &reader->columns[number];
    arb_vector *vector = &reader->vectors[number];
    if (column->is_read || column->fields == NULL) /* or is not to be read at all */
        return ARB_OK;
    *vector = arb_vector_over(&column->storage);
    for (uint32_t row = 0; row < reader->rows.rows; row++) {
        if (arb_bitmap_get(reader->filters.selection, row))
            ARB_TRY(read_cell(reader, column, vector, row, error));
        else if (column->storage.physical == ARB_PHYS_STRING)
            ((arb_string *)column->storage.values)[row] = (arb_string){0};
    }
    column->is_read = true;
    return ARB_OK;
}

static bool skips_rows(const csv_reader *reader)
{
    return reader->file->options.on_error == ARB_CSV_SKIP_ROW;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static arb_code make_batch(csv_reader *reader, arb_error *error)
{
    uint32_t rows = reader->rows.rows, column_count = reader->request->column_count, selected;
    arb_arena_rewind(&reader->made.arena); /* and is counted when the batch is there */
    for (uint32_t i = 0; i < reader->column_count; i++)
        reader->columns[i].is_read = false;
    arb_bitmap_fill(reader->filters.selection, rows);
    for (uint32_t i = 0; i < reader->column_count && skips_rows(reader); i++)
        ARB_TRY(read_column(reader, i, error));
    ARB_TRY(
        arb_row_filters_apply(&reader->filters, reader->vectors, rows, reader->filters.selection, &selected, error));
    for (uint32_t i = 0; i < column_count && selected != 0; i++) {
        if (!reader->request->columns[i].filter_only)
            ARB_TRY(read_column(reader, i, error));
        else if (!reader->columns[i].is_read)
            reader->vectors[i] = arb_vector_over(&reader->columns[i].storage);
    }
    reader->batch = arb_row_filters_batch(&reader->filters, reader->vectors, rows, selected,
                                          ((uint64_t)reader->split_number << 32) + reader->batch_number++);
    return ARB_OK;
}

static arb_code reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    csv_reader *reader = (csv_reader *)base;
    (void)error;
    reader->split_number = split->number;
    reader->batch_number = 0;
    arb_csv_rows_begin(&reader->rows, split->part);
    return ARB_OK;
}

static arb_code give_next(csv_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    for (;;) {
        ARB_TRY(arb_check_stop(reader->request->stop, error));
        ARB_TRY(arb_csv_rows_next(&reader->rows, error));
        reader->base.rows_read += reader->rows.rows;
        reader->base.bytes_read = reader->rows.window.bytes_read;
        if (reader->rows.rows == 0)
            return ARB_OK;
        ARB_TRY(make_batch(reader, error));
        ARB_TRY(arb_held_arena_settle(&reader->made, error));
        if (reader->batch.selected != 0) {
            *out_batch = &reader->batch;
            return ARB_OK;
        }
    }
}

/* Put file and line in front of the error that is kept. */
static arb_code give_fault(csv_reader *reader, arb_error *error)
{
    uint64_t line;
    arb_error other = {0}; /* the file cannot be read any more, or it takes too long: then the line is not known */
    arb_code code = arb_csv_rows_find_line(&reader->rows, &line, &other);
    if (code == ARB_WOULD_WAIT)
        return code;
    if (code == ARB_OK)
        arb_error_context(&reader->fault, "%.*s, line %llu", ARB_STR_ARGS(reader->file->base.path),
                          (unsigned long long)line);
    else
        arb_error_context(&reader->fault, "%.*s", ARB_STR_ARGS(reader->file->base.path));
    if (error != NULL)
        *error = reader->fault;
    return reader->fault.code;
}

static arb_code reader_next(arb_split_reader *base, const arb_batch **out_batch, arb_error *error)
{
    csv_reader *reader = (csv_reader *)base;
    *out_batch = NULL;
    if (!reader->rows.has_fault) {
        arb_code code = give_next(reader, out_batch, error);
        if (!reader->rows.has_fault)
            return code;
        if (error == NULL)
            return code;
        reader->fault = *error;
        reader->rows.counted = reader->rows.lines = 0;
    }
    return give_fault(reader, error);
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static const arb_time_pattern *pattern_of(const arb_csv_file *file, arb_type type)
{
    const arb_time_pattern *pattern = type.id == ARB_TYPE_DATE ? &file->patterns.date
                                      : type.id == ARB_TYPE_TIMESTAMP || type.id == ARB_TYPE_TIMESTAMPTZ
                                          ? &file->patterns.timestamp
                                          : NULL;
    return pattern != NULL && pattern->items.size != 0 ? pattern : NULL;
}

static arb_code prepare_column(csv_reader *reader, csv_column *column, uint32_t source, arb_physical physical,
                               arb_error *error)
{
    column->source = source;
    column->type = reader->file->base.columns[source].type;
    column->pattern = pattern_of(reader->file, column->type);
    column->never_null = reader->file->never_null != NULL && reader->file->never_null[source];
    ARB_TRY(arb_held_take(&reader->base.held, arb_vector_storage_bytes(physical, ARB_VECTOR_ROWS), error));
    ARB_TRY(arb_vector_storage_init(&column->storage, physical, ARB_VECTOR_ROWS, error));
    arb_csv_field **fields = &reader->fields_of[source];
    if (*fields == NULL) {
        ARB_TRY(arb_held_take(&reader->base.held, ARB_VECTOR_ROWS * sizeof **fields, error));
        *fields = arb_alloc_zeroed(ARB_VECTOR_ROWS * sizeof **fields);
        if (*fields == NULL)
            return arb_fail_memory(error, "CSV cells", ARB_VECTOR_ROWS * sizeof **fields);
        column->owns_fields = true;
    }
    column->fields = *fields;
    return ARB_OK;
}

static arb_code prepare(csv_reader *reader, arb_error *error)
{
    const arb_scan_request *request = reader->request;
    const arb_table_file *file = &reader->file->base;
    size_t most_columns = request->column_count + (skips_rows(reader) ? file->column_count : 0);
    reader->columns = ARB_ARENA_ARRAY(&reader->lists, csv_column, most_columns);
    reader->vectors = ARB_ARENA_ARRAY(&reader->lists, arb_vector, most_columns);
    reader->fields_of = ARB_ARENA_ARRAY(&reader->lists, arb_csv_field *, file->column_count);
    if (reader->columns == NULL || reader->vectors == NULL || reader->fields_of == NULL)
        return arb_fail_memory(error, "a CSV reader", most_columns * sizeof *reader->columns);
    ARB_TRY(arb_row_filters_init(&reader->filters, request, &reader->lists, error));
    reader->filters.read = read_column;
    reader->filters.context = reader;
    ARB_TRY(arb_held_take(&reader->base.held, sizeof *reader + reader->lists.total, error));
    reader->column_count = request->column_count;
    for (uint32_t i = 0; i < request->column_count; i++)
        if (!request->columns[i].unread)
            ARB_TRY(prepare_column(reader, &reader->columns[i], request->columns[i].source,
                                   request->columns[i].physical, error));
    for (uint32_t i = 0; i < file->column_count && skips_rows(reader); i++)
        if (reader->fields_of[i] == NULL)
            ARB_TRY(prepare_column(reader, &reader->columns[reader->column_count++], i,
                                   arb_type_physical(file->columns[i].type), error));
    arb_csv_rows_init(&reader->rows, reader->file, &reader->base.reads, &reader->base.held, request->stop);
    reader->rows.fields = reader->fields_of;
    reader->rows.width = file->column_count;
    return ARB_OK;
}

arb_code arb_csv_reader_create(const arb_table_file *file, const arb_scan_request *request,
                               arb_split_reader **out_reader, arb_error *error)
{
    static const arb_split_reader_vtable vtable = {
        .destroy = reader_destroy, .begin = reader_begin, .next = reader_next};
    *out_reader = NULL;
    csv_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "a CSV reader", sizeof *reader);
    arb_split_reader_init(&reader->base, &vtable, request);
    reader->file = (const arb_csv_file *)file;
    reader->request = request;
    reader->made.held = &reader->base.held;
    arb_code code = prepare(reader, error);
    if (code != ARB_OK) {
        reader_destroy(&reader->base);
        return code;
    }
    *out_reader = &reader->base;
    return ARB_OK;
}
