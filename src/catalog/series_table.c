#include "catalog/series_table.h"

#include "base/alloc.h"
#include "formats/row_filters.h"
#include "runtime/held_memory.h"

/* Splits of some hundred thousand numbers, more when there would be too many of them. */
enum { split_rows_least = 64 * ARB_VECTOR_ROWS, splits_most = 4096 };

typedef struct series_table {
    arb_table base;
    arb_series series;
    arb_table_column column;
    arb_table_file file;
    arb_table_file *files[1];
    arb_split *splits;
    char name[];
} series_table;

typedef struct series_reader {
    arb_split_reader base;
    arb_arena arena;
    const series_table *table;
    const arb_scan_request *request;
    uint64_t first, next, end; /* of the split: numbers' places */
    uint64_t sequence;
    arb_row_filters filters;
    arb_vector_storage *storages; /* one a column: a query may ask for the one column under several names */
    arb_vector *vectors;
    arb_batch batch;
} series_reader;

static int64_t number_at(const series_table *table, uint64_t place)
{
    return (int64_t)((uint64_t)table->series.start + place * (uint64_t)table->series.step);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static void reader_destroy(arb_split_reader *reader)
{
    series_reader *self = (series_reader *)reader;
    arb_row_filters_reset(&self->filters);
    for (size_t i = 0; self->storages != NULL && i < self->request->column_count; i++)
        arb_vector_storage_reset(&self->storages[i]);
    arb_arena_reset(&self->arena);
    arb_reservation_reset(&reader->held);
    arb_free(self);
}

static arb_value_range range_of(const void *context, uint32_t column)
{
    const series_reader *self = context;
    int64_t a = number_at(self->table, self->first), b = number_at(self->table, self->end - 1);
    (void)column;
    return (arb_value_range){.known = true, .low = ARB_MIN(a, b), .high = ARB_MAX(a, b)};
}

static arb_code reader_begin(arb_split_reader *reader, const arb_split *split, arb_error *error)
{
    (void)error;
    series_reader *self = (series_reader *)reader;
    self->first = self->next = split->first_row;
    self->end = split->first_row + split->rows;
    self->sequence = (uint64_t)split->number << 32;
    if (!arb_row_filters_begin(&self->filters, range_of, self)) {
        self->base.rows_read += split->rows;
        self->base.rows_skipped += split->rows;
        self->next = self->end;
    }
    return ARB_OK;
}

static void fill(const series_reader *self, const arb_vector_storage *storage, uint32_t rows)
{
    uint64_t value = (uint64_t)number_at(self->table, self->next), step = (uint64_t)self->table->series.step;
    if (storage->physical == ARB_PHYS_INT32)
        for (uint32_t row = 0; row < rows; row++, value += step)
            ((int32_t *)storage->values)[row] = (int32_t)value;
    else
        for (uint32_t row = 0; row < rows; row++, value += step)
            ((int64_t *)storage->values)[row] = (int64_t)value;
}

static arb_code reader_next(arb_split_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    series_reader *self = (series_reader *)reader;
    *out_batch = NULL;
    while (self->next < self->end) {
        ARB_TRY(arb_check_stop(self->request->stop, error));
        uint32_t rows = (uint32_t)ARB_MIN(self->end - self->next, (uint64_t)ARB_VECTOR_ROWS), left;
        for (size_t i = 0; i < self->request->column_count; i++) {
            fill(self, &self->storages[i], rows);
            self->vectors[i] = arb_vector_over(&self->storages[i]);
        }
        ARB_TRY(arb_row_filters_apply(&self->filters, self->vectors, rows, NULL, &left, error));
        self->next += rows;
        self->base.rows_read += rows;
        if (left == 0)
            continue;
        self->batch = arb_row_filters_batch(&self->filters, self->vectors, rows, left, self->sequence++);
        *out_batch = &self->batch;
        return ARB_OK;
    }
    return ARB_OK;
}

static arb_code add_storage(series_reader *self, size_t column, arb_error *error)
{
    arb_physical physical = self->request->columns[column].physical;
    ARB_TRY(arb_held_take(&self->base.held, arb_vector_storage_bytes(physical, ARB_VECTOR_ROWS), error));
    return arb_vector_storage_init(&self->storages[column], physical, ARB_VECTOR_ROWS, error);
}

static arb_code reader_create(const arb_table_file *file, const arb_scan_request *request,
                              arb_split_reader **out_reader, arb_error *error)
{
    static const arb_split_reader_vtable vtable = {reader_destroy, reader_begin, reader_next};
    *out_reader = NULL;
    series_reader *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a series", sizeof *self);
    arb_split_reader_init(&self->base, &vtable, request);
    self->table = ARB_CONTAINER_OF(file, series_table, file);
    self->request = request;
    self->storages = ARB_ARENA_ARRAY(&self->arena, arb_vector_storage, request->column_count + 1);
    self->vectors = ARB_ARENA_ARRAY(&self->arena, arb_vector, request->column_count + 1);
    arb_code code = arb_row_filters_init(&self->filters, request, &self->arena, error);
    if (code == ARB_OK && (self->storages == NULL || self->vectors == NULL))
        code = arb_fail_memory(error, "a series", request->column_count * sizeof(arb_vector));
    for (size_t i = 0; code == ARB_OK && i < request->column_count; i++)
        code = add_storage(self, i, error);
    if (code != ARB_OK) {
        reader_destroy(&self->base);
        return code;
    }
    *out_reader = &self->base;
    return ARB_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------------- */

static void table_destroy(arb_table *table)
{
    arb_free(((series_table *)table)->splits);
    arb_free(table);
}

/* The file is part of the table. */
static void file_destroy(arb_table_file *file)
{
    (void)file;
}

static const arb_table_file_vtable file_vtable = {"series", file_destroy, reader_create};
static const arb_table_vtable table_vtable = {.kind = "series", .destroy = table_destroy};

bool arb_series_fits(arb_series series)
{
    arb_int128 span = ((arb_int128)series.count - 1) * series.step; /* less than 2^127 */
    return series.count <= INT64_MAX &&
           (series.count == 0 || (series.start + span >= INT64_MIN && series.start + span <= INT64_MAX));
}

arb_code arb_series_table_create(arb_str name, arb_series series, arb_table **out_table, arb_error *error)
{
    uint64_t count = series.count;
    assert(arb_series_fits(series));
    *out_table = NULL;
    uint64_t split_rows = ARB_MAX(arb_round_up(count / splits_most + 1, ARB_VECTOR_ROWS), (uint64_t)split_rows_least);
    size_t splits = (size_t)((count + split_rows - 1) / split_rows);
    series_table *self = arb_alloc_zeroed(sizeof *self + name.size + 1);
    arb_split *list = arb_alloc_zeroed((splits + 1) * sizeof *list);
    if (self == NULL || list == NULL) {
        arb_free(self);
        arb_free(list);
        return arb_fail_memory(error, "a series", splits * sizeof *list);
    }
    for (size_t i = 0; i < splits; i++)
        list[i] = (arb_split){.number = (uint32_t)i,
                              .first_row = i * split_rows,
                              .rows = ARB_MIN(split_rows, count - i * split_rows),
                              .bytes = split_rows * sizeof(int64_t)};
    memcpy(self->name, name.data, name.size);
    name.data = self->name;
    self->series = series;
    self->splits = list;
    int64_t last = count == 0 ? series.start : number_at(self, count - 1);
    arb_column_statistics statistics = {.has_range = true,
                                        .low = ARB_MIN(series.start, last),
                                        .high = ARB_MAX(series.start, last),
                                        .has_null_count = true,
                                        .has_distinct = true,
                                        .distinct = count,
                                        .bytes = count * sizeof(int64_t)};
    self->column = (arb_table_column){.name = name, .type = ARB_TYPE(BIGINT), .statistics = statistics};
    self->file = (arb_table_file){.vtable = &file_vtable,
                                  .path = name,
                                  .rows = count,
                                  .rows_exact = true,
                                  .column_count = 1,
                                  .columns = &self->column,
                                  .split_count = splits,
                                  .splits = list};
    self->files[0] = &self->file;
    self->base = (arb_table){.vtable = &table_vtable,
                             .references = 1,
                             .name = name,
                             .column_count = 1,
                             .columns = &self->column,
                             .rows = count,
                             .rows_exact = true,
                             .file_count = 1,
                             .files = self->files};
    *out_table = &self->base;
    return ARB_OK;
}

bool arb_series_table_describe(const arb_table *table, arb_series *out_series)
{
    if (table->vtable != &table_vtable)
        return false;
    *out_series = ((const series_table *)table)->series;
    return true;
}
