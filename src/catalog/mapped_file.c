/* mapped_file.c: scans of such a file are scans of the file behind it, whose columns are asked for at the same places.
 *
 * A request's filters go three ways: those on columns of the file go to its reader, which skips pages by them; those on
 * constants alone are tried once and decide upon whole splits; those on both are applied to the reader's batches. */
#include "catalog/mapped_file.h"

#include "base/alloc.h"
#include "formats/row_filters.h"
#include "runtime/held_memory.h"

typedef struct mapped_file {
    arb_table_file base;
    const arb_table_file *file;
    const arb_mapped_column *columns;
} mapped_file;

typedef struct mapped_reader {
    arb_split_reader base;
    const mapped_file *mapped;
    const arb_scan_request *request;
    arb_scan_request inner, constant, mixed; /* with the filters of each way */
    arb_row_filters constant_filters, mixed_filters;
    arb_vector_storage *storages; /* of constants */
    arb_vector *constants;        /* by column of the request; those of the file are not set */
    arb_vector *vectors;
    arb_batch batch;
    bool skips; /* no row of this split passes */
    arb_arena arena;
} mapped_reader;

static const arb_mapped_column *column_of(const mapped_reader *self, uint32_t at)
{
    return &self->mapped->columns[self->request->columns[at].source];
}

static void reader_destroy(arb_split_reader *base)
{
    mapped_reader *self = (mapped_reader *)base;
    if (self->base.behind != NULL)
        self->base.behind->vtable->destroy(self->base.behind);
    arb_row_filters_reset(&self->constant_filters);
    arb_row_filters_reset(&self->mixed_filters);
    for (uint32_t i = 0; self->storages != NULL && i < self->request->column_count; i++)
        arb_vector_storage_reset(&self->storages[i]);
    arb_arena_reset(&self->arena);
    arb_reservation_reset(&base->held);
    arb_free(self);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */
static arb_value_range range_of(const void *context, uint32_t at)
{
    const mapped_reader *self = context;
    uint32_t source = self->request->columns[at].source;
    const arb_column_statistics *known = &self->mapped->base.columns[source].statistics;
    if (!self->mapped->columns[source].is_constant)
        return (arb_value_range){.may_have_nulls = true};
    bool is_null = self->mapped->columns[source].value.is_null;
    return (arb_value_range){.known = known->has_range && !is_null,
                             .low = known->low,
                             .high = known->high,
                             .may_have_nulls = is_null,
                             .all_null = is_null};
}

static arb_code reader_begin(arb_split_reader *base, const arb_split *split, arb_error *error)
{
    mapped_reader *self = (mapped_reader *)base;
    uint32_t left = 1;
    self->skips = !arb_row_filters_begin(&self->constant_filters, range_of, self) ||
                  !arb_row_filters_begin(&self->mixed_filters, range_of, self);
    if (!self->skips)
        ARB_TRY(arb_row_filters_apply(&self->constant_filters, self->constants, 1, NULL, &left, error));
    self->skips = self->skips || left == 0;
    if (!self->skips)
        return self->base.behind->vtable->begin(self->base.behind, split, error);
    base->rows_read += split->rows;
    base->rows_skipped += split->rows;
    return ARB_OK;
}

static arb_code give_batch(mapped_reader *self, const arb_batch *read, arb_error *error)
{
    self->batch = *read;
    self->batch.column_count = self->request->column_count;
    self->batch.columns = self->vectors;
    for (uint32_t i = 0; i < self->request->column_count; i++)
        self->vectors[i] = column_of(self, i)->is_constant ? self->constants[i] : read->columns[i];
    if (self->mixed.filter_count == 0)
        return ARB_OK;
    uint32_t left;
    ARB_TRY(arb_row_filters_apply(&self->mixed_filters, self->vectors, read->rows, read->selection, &left, error));
    self->batch.selected = left;
    self->batch.selection = left == read->rows ? NULL : self->mixed_filters.selection;
    return ARB_OK;
}

static arb_code reader_next(arb_split_reader *base, const arb_batch **out_batch, arb_error *error)
{
    mapped_reader *self = (mapped_reader *)base;
    *out_batch = NULL;
    if (self->skips)
        return ARB_OK;
    arb_split_reader *behind = base->behind;
    do {
        const arb_batch *read;
        uint64_t rows = behind->rows_read, bytes = behind->bytes_read, skipped = behind->rows_skipped;
        ARB_TRY(arb_check_stop(self->request->stop, error));
        ARB_TRY(behind->vtable->next(behind, &read, error));
        base->rows_read += behind->rows_read - rows;
        base->bytes_read += behind->bytes_read - bytes;
        base->rows_skipped += behind->rows_skipped - skipped;
        if (read == NULL)
            return ARB_OK;
        ARB_TRY(give_batch(self, read, error));
    } while (self->batch.selected == 0);
    *out_batch = &self->batch;
    return ARB_OK;
}

/* ---- making one -------------------------------------------------------------------------------------------------- */
/* The filters that look at constants alone, at columns of the file alone, or at both, go to the three requests. */
static arb_code share_filters(mapped_reader *self, bool *read_by_mixed, arb_error *error)
{
    const arb_scan_request *request = self->request;
    arb_scan_request *ways[] = {&self->inner, &self->constant, &self->mixed};
    for (size_t way = 0; way < ARB_COUNT_OF(ways); way++) {
        *ways[way] = *request;
        ways[way]->filter_count = 0;
        ways[way]->filters = ARB_ARENA_ARRAY(&self->arena, arb_scan_filter *, request->filter_count + 1);
        if (ways[way]->filters == NULL)
            return arb_fail_memory(error, "a scan", request->filter_count * sizeof *request->filters);
    }
    for (uint32_t i = 0; i < request->filter_count; i++) {
        arb_scan_filter *filter = request->filters[i];
        uint32_t constants = 0;
        for (uint32_t c = 0; c < filter->column_count; c++)
            constants += column_of(self, filter->columns[c])->is_constant;
        arb_scan_request *way = constants == 0                      ? &self->inner
                                : constants == filter->column_count ? &self->constant
                                                                    : &self->mixed;
        ((arb_scan_filter **)way->filters)[way->filter_count++] = filter;
        for (uint32_t c = 0; way == &self->mixed && c < filter->column_count; c++)
            read_by_mixed[filter->columns[c]] = true;
    }
    return ARB_OK;
}

/* The file's reader gives its columns at the request's places. Where a constant is, it has one that it does not read. */
static arb_code ask_file(mapped_reader *self, const bool *read_by_mixed, arb_error *error)
{
    const arb_table_file *file = self->mapped->file;
    uint32_t count = self->request->column_count;
    arb_scan_column *columns = ARB_ARENA_ARRAY(&self->arena, arb_scan_column, count + 1);
    if (columns == NULL)
        return arb_fail_memory(error, "a scan", count * sizeof *columns);
    for (uint32_t i = 0; i < count; i++) {
        const arb_mapped_column *column = column_of(self, i);
        columns[i] = self->request->columns[i];
        columns[i].source = column->source;
        columns[i].filter_only = columns[i].filter_only && !read_by_mixed[i];
        if (column->is_constant)
            columns[i] = (arb_scan_column){.unread = true};
    }
    self->inner.column_count = count;
    self->inner.columns = columns;
    return file->vtable->reader_create(file, &self->inner, &self->base.behind, error);
}

static arb_code make_constants(mapped_reader *self, arb_error *error)
{
    uint32_t count = self->request->column_count;
    self->storages = ARB_ARENA_ARRAY(&self->arena, arb_vector_storage, count + 1);
    self->constants = ARB_ARENA_ARRAY(&self->arena, arb_vector, count + 1);
    self->vectors = ARB_ARENA_ARRAY(&self->arena, arb_vector, count + 1);
    if (self->storages == NULL || self->constants == NULL || self->vectors == NULL)
        return arb_fail_memory(error, "a scan", count * sizeof *self->vectors);
    for (uint32_t i = 0; i < count; i++) {
        const arb_mapped_column *column = column_of(self, i);
        if (!column->is_constant)
            continue;
        arb_physical physical = self->request->columns[i].physical;
        ARB_TRY(arb_held_take(&self->base.held, arb_vector_storage_bytes(physical, 1), error));
        ARB_TRY(arb_vector_storage_init(&self->storages[i], physical, 1, error));
        self->constants[i] = arb_vector_constant(&self->storages[i], &column->value);
    }
    return ARB_OK;
}

static arb_code prepare(mapped_reader *self, arb_error *error)
{
    bool *read_by_mixed = ARB_ARENA_ARRAY(&self->arena, bool, self->request->column_count + 1);
    if (read_by_mixed == NULL)
        return arb_fail_memory(error, "a scan", self->request->column_count);
    ARB_TRY(make_constants(self, error));
    ARB_TRY(share_filters(self, read_by_mixed, error));
    ARB_TRY(arb_row_filters_init(&self->constant_filters, &self->constant, &self->arena, error));
    ARB_TRY(arb_row_filters_init(&self->mixed_filters, &self->mixed, &self->arena, error));
    return ask_file(self, read_by_mixed, error);
}

static arb_code reader_create(const arb_table_file *file, const arb_scan_request *request,
                              arb_split_reader **out_reader, arb_error *error)
{
    static const arb_split_reader_vtable vtable = {reader_destroy, reader_begin, reader_next};
    *out_reader = NULL;
    mapped_reader *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a scan", sizeof *self);
    arb_split_reader_init(&self->base, &vtable, request);
    self->mapped = (const mapped_file *)file;
    self->request = request;
    arb_code code = prepare(self, error);
    if (code != ARB_OK) {
        reader_destroy(&self->base);
        return code;
    }
    *out_reader = &self->base;
    return ARB_OK;
}

static void file_destroy(arb_table_file *file)
{
    (void)file; /* the arena's */
}

static arb_table_column constant_column(const arb_table_file *file, const arb_mapped_column *column)
{
    const arb_value *value = &column->value;
    bool has_number = !value->is_null && arb_physical_is_integer(arb_type_physical(value->type));
    return (arb_table_column){.name = column->name,
                              .type = value->type,
                              .nullable = value->is_null,
                              .statistics = {.has_range = has_number,
                                             .low = has_number ? value->integer : 0,
                                             .high = has_number ? value->integer : 0,
                                             .has_null_count = file->rows_exact,
                                             .null_count = value->is_null ? file->rows : 0,
                                             .has_distinct = true,
                                             .distinct = !value->is_null}};
}

arb_table_file *arb_mapped_file_create(arb_arena *arena, const arb_table_file *file, const arb_mapped_column *columns,
                                       size_t count)
{
    mapped_file *self = ARB_ARENA_NEW(arena, mapped_file);
    arb_table_column *made = ARB_ARENA_ARRAY(arena, arb_table_column, count + 1);
    static const arb_table_file_vtable vtable = {"mapped", file_destroy, reader_create};
    if (self == NULL || made == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        made[i] = columns[i].is_constant ? constant_column(file, &columns[i]) : file->columns[columns[i].source];
        made[i].name = columns[i].name;
    }
    self->base = *file;
    self->base.vtable = &vtable;
    self->base.column_count = count;
    self->base.columns = made;
    self->file = file;
    self->columns = columns;
    return &self->base;
}
