/* memory_reader.c: scan a table in memory. Vectors are lent straight from the chunks; only a column that the plan wants
 * narrower than its type is converted, into memory of the reader. A chunk that is not here is waited for as files' bytes are. */
#include "base/alloc.h"
#include "catalog/memory_table_internal.h"
#include "formats/row_filters.h"
#include "kernels/convert.h"
#include "runtime/held_memory.h"

typedef struct memory_reader {
    arb_split_reader base;
    arb_arena arena;
    const arb_memory_table *table;
    const arb_scan_request *request;
    const arb_memory_chunk *chunk; /* NULL: no split, or nothing left in it */
    const arb_split *split;
    arb_segment_source *source; /* wanted: the split's chunk has not come; else NULL */
    arb_queued_read *read;      /* of it, or NULL */
    char *came;                 /* where that reads to */
    arb_memory_chunk *held;     /* a reference, when the table has none */
    size_t next_row;
    uint64_t sequence;
    arb_row_filters filters;
    arb_vector **children;        /* a column: room for its nested vectors */
    arb_vector_storage *storages; /* a column: for what is converted; zeroed when not */
    arb_vector *vectors;
    arb_batch batch;
} memory_reader;

/* Of the last split. */
static void let_go(memory_reader *self)
{
    if (self->read != NULL) {
        arb_queued_read_abandon(&self->base.reads, self->read, self->came);
        self->came = NULL;
        self->read = NULL;
    }
    if (self->source != NULL)
        arb_segment_source_leave(self->source);
    self->source = NULL;
    arb_memory_chunk_unref(self->held);
    self->held = NULL;
    self->chunk = NULL;
}

static void reader_destroy(arb_split_reader *reader)
{
    memory_reader *self = (memory_reader *)reader;
    let_go(self);
    arb_free(self->came);
    arb_row_filters_reset(&self->filters);
    for (size_t i = 0; self->storages != NULL && i < self->request->column_count; i++)
        arb_vector_storage_reset(&self->storages[i]);
    arb_arena_reset(&self->arena);
    arb_reservation_reset(&reader->held);
    arb_free(self);
}

static const arb_chunk_column *column_of(const memory_reader *self, size_t at)
{
    return &self->chunk->columns[self->request->columns[at].source];
}

static arb_value_range range_of(const void *context, uint32_t at)
{
    const arb_chunk_column *column = column_of(context, at);
    return (arb_value_range){.known = column->has_range,
                             .low = column->low,
                             .high = column->high,
                             .may_have_nulls = column->null_count != 0,
                             .all_null = column->null_count == column->rows};
}

static void begin_chunk(memory_reader *self, const arb_memory_chunk *chunk)
{
    self->chunk = chunk;
    if (!arb_row_filters_begin(&self->filters, range_of, self)) {
        self->base.rows_read += self->chunk->rows;
        self->base.rows_skipped += self->chunk->rows;
        self->chunk = NULL;
    }
}

static arb_code reader_begin(arb_split_reader *reader, const arb_split *split, arb_error *error)
{
    (void)error;
    memory_reader *self = (memory_reader *)reader;
    assert(split->part < self->table->chunk_count);
    let_go(self);
    self->split = split;
    self->next_row = 0;
    self->sequence = (uint64_t)split->number << 32;
    if (self->table->chunks != NULL) {
        begin_chunk(self, self->table->chunks[split->part]);
    } else {
        self->source = self->table->sources[split->part];
        arb_segment_source_want(self->source);
    }
    return ARB_OK;
}

/* ARB_WOULD_WAIT while the chunk is on its way. */
static arb_code await_chunk(memory_reader *self, arb_error *error)
{
    arb_read_queue *queue = &self->base.reads;
    const arb_byte_source *bytes = arb_segment_source_bytes(self->source);
    size_t got;
    if (self->came == NULL && (self->came = arb_alloc(1)) == NULL)
        return arb_fail_memory(error, "a scan", 1);
    if (self->read == NULL) {
        ARB_TRY(arb_read_queue_try(queue, bytes, 0, self->came, 1, &got, error));
        if (got == 0) {
            ARB_TRY(arb_read_queue_add(queue, bytes, 0, self->came, 1, ARB_READ_WANTED, &self->read, error));
            return ARB_WOULD_WAIT;
        }
    } else {
        arb_code code = arb_queued_read_finish(queue, self->read, NULL, error);
        if (code == ARB_WOULD_WAIT)
            return code;
        self->read = NULL;
        ARB_TRY(code);
    }
    self->held = arb_segment_source_take(self->source);
    arb_segment_source_leave(self->source);
    self->source = NULL;
    ARB_TRY(arb_memory_table_check_chunk(self->table, self->split, self->held, error));
    begin_chunk(self, self->held);
    return ARB_OK;
}

static arb_code fill_vectors(memory_reader *self, size_t rows, arb_error *error)
{
    for (size_t i = 0; i < self->request->column_count; i++) {
        const arb_chunk_column *column = column_of(self, i);
        arb_vector view = arb_chunk_column_view(column, self->next_row, self->children[i]);
        const arb_vector_storage *storage = &self->storages[i];
        if (storage->values != NULL) {
            arb_convert_fn convert = arb_convert_kernels_get()->number[view.physical][storage->physical];
            if (convert == NULL)
                return arb_fail(error, ARB_INTERNAL, "a table in memory cannot be read as %s",
                                arb_physical_name(storage->physical));
            (void)convert(view.values.data, storage->values, rows); /* the range that was claimed is exact */
            view.values.data = storage->values;
            view.physical = (uint8_t)storage->physical;
        }
        self->vectors[i] = view;
    }
    return ARB_OK;
}

static arb_code reader_next(arb_split_reader *reader, const arb_batch **out_batch, arb_error *error)
{
    memory_reader *self = (memory_reader *)reader;
    *out_batch = NULL;
    if (self->source != NULL)
        ARB_TRY(await_chunk(self, error));
    while (self->chunk != NULL && self->next_row < self->chunk->rows) {
        uint32_t rows = (uint32_t)ARB_MIN(self->chunk->rows - self->next_row, (size_t)ARB_VECTOR_ROWS), left;
        ARB_TRY(arb_check_stop(self->request->stop, error));
        ARB_TRY(fill_vectors(self, rows, error));
        ARB_TRY(arb_row_filters_apply(&self->filters, self->vectors, rows, NULL, &left, error));
        self->next_row += rows;
        self->base.rows_read += rows;
        if (left == 0)
            continue;
        self->batch = arb_row_filters_batch(&self->filters, self->vectors, rows, left, self->sequence++);
        *out_batch = &self->batch;
        return ARB_OK;
    }
    self->chunk = NULL;
    return ARB_OK;
}

static arb_code init_columns(memory_reader *self, arb_error *error)
{
    const arb_scan_request *request = self->request;
    if (self->table->chunk_count == 0)
        return ARB_OK;
    const arb_memory_chunk *shape = self->table->shape != NULL ? self->table->shape : self->table->chunks[0];
    for (size_t i = 0; i < request->column_count; i++) {
        const arb_scan_column *column = &request->columns[i];
        const arb_chunk_column *held = &shape->columns[column->source];
        size_t nested = arb_chunk_view_vectors(held);
        if (nested != 0 && (self->children[i] = ARB_ARENA_ARRAY(&self->arena, arb_vector, nested)) == NULL)
            return arb_fail_memory(error, "a scan", nested * sizeof(arb_vector));
        if (held->physical == column->physical)
            continue;
        ARB_TRY(arb_held_take(&self->base.held, arb_vector_storage_bytes(column->physical, ARB_VECTOR_ROWS), error));
        ARB_TRY(arb_vector_storage_init(&self->storages[i], column->physical, ARB_VECTOR_ROWS, error));
    }
    return ARB_OK;
}

arb_code arb_memory_reader_create(const arb_table_file *file, const arb_scan_request *request,
                                  arb_split_reader **out_reader, arb_error *error)
{
    static const arb_split_reader_vtable vtable = {reader_destroy, reader_begin, reader_next};
    *out_reader = NULL;
    memory_reader *self = arb_alloc_zeroed(sizeof *self);
    if (self == NULL)
        return arb_fail_memory(error, "a scan", sizeof *self);
    arb_split_reader_init(&self->base, &vtable, request);
    self->table = ARB_CONTAINER_OF(file, arb_memory_table, file);
    self->request = request;
    self->children = ARB_ARENA_ARRAY(&self->arena, arb_vector *, request->column_count + 1);
    self->vectors = ARB_ARENA_ARRAY(&self->arena, arb_vector, request->column_count + 1);
    self->storages = ARB_ARENA_ARRAY(&self->arena, arb_vector_storage, request->column_count + 1);
    arb_code code = arb_row_filters_init(&self->filters, request, &self->arena, error);
    if (code == ARB_OK && (self->children == NULL || self->vectors == NULL || self->storages == NULL))
        code = arb_fail_memory(error, "a scan", request->column_count * sizeof(arb_vector));
    if (code == ARB_OK)
        code = init_columns(self, error);
    if (code != ARB_OK) {
        reader_destroy(&self->base);
        return code;
    }
    *out_reader = &self->base;
    return ARB_OK;
}
