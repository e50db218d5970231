/* partitioned_file.c: a file whose rows have some columns more, each with one value for the whole file.
 *
 * Its reader is the file's own, asked for the columns that it has. In the request that it is given, the places of the others
 * are taken by a column that nobody reads, so that conditions find their columns where they were. Of the conditions,
 * those on the file's own columns are the file's reader's business; those on the new columns alone say once whether the
 * file has any rows; those on both are applied to what the file's reader gives. */
#include "base/alloc.h"
#include "catalog/partition_columns.h"

typedef struct partitioned_file {
    arb_table_file base;
    const arb_table_file *inner;
    const arb_value *values; /* of the columns behind the inner file's */
} partitioned_file;

typedef enum filter_place { FILTER_INNER, FILTER_OUTER, FILTER_BOTH } filter_place;

typedef struct outer_filter {
    const arb_scan_filter *filter;
    filter_place place;
    void *local;
    bool made;
    bool settled; /* FILTER_OUTER: it was asked, and said yes */
} outer_filter;

typedef struct partitioned_reader {
    arb_split_reader base;
    const partitioned_file *file;
    const arb_scan_request *request;
    arb_arena arena;
    arb_scan_request inner_request;
    arb_split_reader *inner;
    arb_vector_storage *storages; /* a column of the request; those of the inner file are empty */
    arb_vector *vectors;
    size_t filter_count;
    outer_filter *filters; /* FILTER_OUTER and FILTER_BOTH */
    const arb_vector **inputs;
    uint64_t selection[ARB_VECTOR_WORDS];
    arb_batch batch;
} partitioned_reader;

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void reader_destroy(arb_split_reader *base)
{
    partitioned_reader *reader = (partitioned_reader *)base;
    for (size_t i = 0; i < reader->filter_count; i++)
        if (reader->filters[i].made && reader->filters[i].filter->vtable->local_destroy != NULL)
            reader->filters[i].filter->vtable->local_destroy(reader->filters[i].local);
    for (size_t i = 0; reader->storages != NULL && i < reader->request->column_count; i++)
        arb_vector_storage_reset(&reader->storages[i]);
    if (reader->inner != NULL)
        reader->inner->vtable->destroy(reader->inner);
    arb_arena_reset(&reader->arena);
    arb_free(reader);
}

static arb_code reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    partitioned_reader *reader = (partitioned_reader *)base;
    return reader->inner->vtable->begin(reader->inner, split, error);
}

static arb_code apply(partitioned_reader *reader, outer_filter *own, uint32_t rows, uint64_t *selection,
                      arb_error *error)
{
    const arb_scan_filter *filter = own->filter;
    if (!own->made && filter->vtable->local_create != NULL)
        ARB_TRY(filter->vtable->local_create(filter, &own->local, error));
    own->made = true;
    for (uint32_t c = 0; c < filter->column_count; c++)
        reader->inputs[c] = &reader->vectors[filter->columns[c]];
    return filter->vtable->apply(filter, own->local, reader->inputs, rows, selection, error);
}

/* Do the conditions on the new columns alone let any row pass? They may become ready at any time. */
static arb_code ask_outer(partitioned_reader *reader, bool *out_some, arb_error *error)
{
    *out_some = true;
    for (size_t i = 0; *out_some && i < reader->filter_count; i++) {
        outer_filter *own = &reader->filters[i];
        uint64_t one = 1;
        if (own->place != FILTER_OUTER || own->settled ||
            atomic_load_explicit(&own->filter->ready, memory_order_acquire) == 0)
            continue;
        ARB_TRY(apply(reader, own, 1, &one, error));
        *out_some = own->settled = one != 0;
    }
    return ARB_OK;
}

/* Put the file's columns beside the new ones and apply the conditions on both; how many rows are left. */
static arb_code take_batch(partitioned_reader *reader, const arb_batch *from, uint32_t *out_selected, arb_error *error)
{
    const partitioned_file *file = reader->file;
    for (uint32_t i = 0; i < reader->request->column_count; i++)
        if (reader->request->columns[i].source < file->inner->column_count)
            reader->vectors[i] = from->columns[i];
    *out_selected = from->selected;
    bool copied = false;
    for (size_t i = 0; *out_selected != 0 && i < reader->filter_count; i++) {
        outer_filter *own = &reader->filters[i];
        if (own->place != FILTER_BOTH || atomic_load_explicit(&own->filter->ready, memory_order_acquire) == 0)
            continue;
        if (!copied && from->selection == NULL)
            arb_bitmap_fill(reader->selection, from->rows);
        else if (!copied)
            memcpy(reader->selection, from->selection, arb_bitmap_words(from->rows) * sizeof(uint64_t));
        copied = true;
        ARB_TRY(apply(reader, own, from->rows, reader->selection, error));
        *out_selected = (uint32_t)arb_bitmap_count(reader->selection, from->rows);
    }
    reader->batch = *from;
    reader->batch.columns = reader->vectors;
    reader->batch.column_count = reader->request->column_count;
    reader->batch.selected = *out_selected;
    if (copied)
        reader->batch.selection = *out_selected == from->rows ? NULL : reader->selection;
    return ARB_OK;
}

static arb_code reader_next(arb_split_reader *base, const arb_batch **out_batch, arb_error *error)
{
    partitioned_reader *reader = (partitioned_reader *)base;
    *out_batch = NULL;
    for (;;) {
        bool some;
        uint32_t selected;
        const arb_batch *batch = NULL;
        ARB_TRY(ask_outer(reader, &some, error));
        if (some)
            ARB_TRY(reader->inner->vtable->next(reader->inner, &batch, error));
        base->rows_read = reader->inner->rows_read;
        base->bytes_read = reader->inner->bytes_read;
        base->rows_skipped = reader->inner->rows_skipped;
        if (batch == NULL)
            return ARB_OK;
        ARB_TRY(take_batch(reader, batch, &selected, error));
        if (selected == 0)
            continue;
        *out_batch = &reader->batch;
        return ARB_OK;
    }
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

static filter_place place_of(const arb_scan_filter *filter, const arb_scan_request *request, size_t inner_columns)
{
    bool inner = filter->column_count == 0, outer = false;
    for (uint32_t c = 0; c < filter->column_count; c++) {
        bool is_inner = request->columns[filter->columns[c]].source < inner_columns;
        inner |= is_inner;
        outer |= !is_inner;
    }
    return !outer ? FILTER_INNER : inner ? FILTER_BOTH : FILTER_OUTER;
}

static arb_code split_filters(partitioned_reader *reader, arb_scan_column *columns, arb_error *error)
{
    const arb_scan_request *request = reader->request;
    size_t inner_columns = reader->file->inner->column_count, most_inputs = 1;
    arb_scan_filter **inner = ARB_ARENA_ARRAY(&reader->arena, arb_scan_filter *, request->filter_count + 1);
    reader->filters = ARB_ARENA_ARRAY(&reader->arena, outer_filter, request->filter_count + 1);
    if (inner == NULL || reader->filters == NULL)
        return arb_fail_memory(error, "a scan", request->filter_count * sizeof *reader->filters);
    for (uint32_t i = 0; i < request->filter_count; i++) {
        const arb_scan_filter *filter = request->filters[i];
        filter_place place = place_of(filter, request, inner_columns);
        if (place == FILTER_INNER) {
            inner[reader->inner_request.filter_count++] = request->filters[i];
            continue;
        }
        reader->filters[reader->filter_count++] = (outer_filter){.filter = filter, .place = place};
        most_inputs = ARB_MAX(most_inputs, filter->column_count);
        for (uint32_t c = 0; place == FILTER_BOTH && c < filter->column_count; c++)
            if (request->columns[filter->columns[c]].source < inner_columns) /* now it has to come up here */
                columns[filter->columns[c]].filter_only = false;
    }
    reader->inner_request.filters = inner;
    reader->inputs = ARB_ARENA_ARRAY(&reader->arena, const arb_vector *, most_inputs);
    return reader->inputs != NULL ? ARB_OK : arb_fail_memory(error, "a scan", most_inputs * sizeof(arb_vector *));
}

static arb_code prepare(partitioned_reader *reader, arb_error *error)
{
    const arb_scan_request *request = reader->request;
    const arb_table_file *inner = reader->file->inner;
    size_t count = request->column_count;
    arb_scan_column *columns = ARB_ARENA_ARRAY(&reader->arena, arb_scan_column, count + 1);
    reader->vectors = ARB_ARENA_ARRAY(&reader->arena, arb_vector, count + 1);
    reader->storages = ARB_ARENA_ARRAY(&reader->arena, arb_vector_storage, count + 1);
    if (columns == NULL || reader->vectors == NULL || reader->storages == NULL)
        return arb_fail_memory(error, "a scan", count * sizeof *columns);
    reader->inner_request = *request;
    reader->inner_request.columns = columns;
    reader->inner_request.filter_count = 0;
    for (size_t i = 0; i < count; i++) {
        const arb_scan_column *wanted = &request->columns[i];
        columns[i] = *wanted;
        if (wanted->source < inner->column_count)
            continue;
        columns[i] =
            (arb_scan_column){.source = 0, .physical = arb_type_physical(inner->columns[0].type), .filter_only = true};
        ARB_TRY(arb_vector_storage_init(&reader->storages[i], wanted->physical, 64, error));
        reader->vectors[i] =
            arb_vector_constant(&reader->storages[i], &reader->file->values[wanted->source - inner->column_count]);
    }
    ARB_TRY(split_filters(reader, columns, error));
    return inner->vtable->reader_create(inner, &reader->inner_request, &reader->inner, error);
}

static arb_code reader_create(const arb_table_file *file, const arb_scan_request *request,
                              arb_split_reader **out_reader, arb_error *error)
{
    static const arb_split_reader_vtable vtable = {reader_destroy, reader_begin, reader_next};
    *out_reader = NULL;
    partitioned_reader *reader = arb_alloc_zeroed(sizeof *reader);
    if (reader == NULL)
        return arb_fail_memory(error, "a scan", sizeof *reader);
    reader->base.vtable = &vtable;
    reader->file = (const partitioned_file *)file;
    reader->request = request;
    arb_code code = prepare(reader, error);
    if (code != ARB_OK) {
        reader_destroy(&reader->base);
        return code;
    }
    *out_reader = &reader->base;
    return ARB_OK;
}

/* Everything is the arena's. */
static void file_destroy(arb_table_file *file)
{
    (void)file;
}

/* One value has the least statistics. */
static arb_table_column column_of(arb_str name, const arb_value *value, uint64_t rows)
{
    arb_table_column column = {.name = name, .type = value->type, .nullable = value->is_null};
    column.statistics.has_null_count = true;
    column.statistics.null_count = value->is_null ? rows : 0;
    column.statistics.has_range = !value->is_null && value->type.id != ARB_TYPE_VARCHAR;
    if (column.statistics.has_range)
        column.statistics.low = column.statistics.high = value->integer;
    return column;
}

arb_code arb_partitioned_file_create(arb_arena *arena, const arb_table_file *file, const arb_partition_columns *columns,
                                     const arb_value *values, arb_table_file **out_file, arb_error *error)
{
    static const arb_table_file_vtable vtable = {
        .format = "partitioned", .destroy = file_destroy, .reader_create = reader_create};
    *out_file = NULL;
    partitioned_file *self = ARB_ARENA_NEW(arena, partitioned_file);
    arb_table_column *all = ARB_ARENA_ARRAY(arena, arb_table_column, file->column_count + columns->count);
    if (self == NULL || all == NULL)
        return arb_fail_memory(error, "a table", (file->column_count + columns->count) * sizeof *all);
    if (file->column_count == 0)
        return arb_fail(error, ARB_NOT_SUPPORTED, "%.*s has no columns but those of its folders",
                        ARB_STR_ARGS(file->path));
    memcpy(all, file->columns, file->column_count * sizeof *all);
    for (size_t k = 0; k < columns->count; k++) {
        for (size_t i = 0; i < file->column_count; i++)
            if (arb_str_equal_nocase(all[i].name, columns->names[k]))
                return arb_fail(error, ARB_DUPLICATE_COLUMN, "%.*s has a column \"%.*s\", and a folder is that, too",
                                ARB_STR_ARGS(file->path), ARB_STR_ARGS(columns->names[k]));
        all[file->column_count + k] = column_of(columns->names[k], &values[k], file->rows);
    }
    self->base = *file;
    self->base.vtable = &vtable;
    self->base.column_count = file->column_count + columns->count;
    self->base.columns = all;
    self->inner = file;
    self->values = values;
    *out_file = &self->base;
    return ARB_OK;
}
