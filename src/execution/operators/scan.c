/* scan.c: a table's splits, taken by drivers one after the other.
 *
 * The splits of all files form one list; a driver takes the next one when its last is done, so the order of batches is
 * (split, number within it). Filters are handed to the reader, which decodes only what passes them.
 *
 * A reader whose bytes are not there says so and has noted what it wants read. That goes to the I/O pool, and the driver
 * is BLOCKED until one of these reads is over. A driver that ends early destroys its readers, which leave their memory to
 * the reads that still run. */
#include "base/alloc.h"
#include "execution/operators/operators.h"
#include "execution/operators/scan_filter.h"
#include "execution/split_order.h"

typedef struct scan_operator {
    arb_operator base;
    arb_arena arena;
    arb_scan_request request;
    size_t *first_splits;       /* by file: the number of its first split in the list of all */
    const arb_leaf_units *part; /* the splits to read; NULL: all */
    arb_split_order order;
    _Atomic uint64_t rows_read;
    uint64_t rows;
} scan_operator;

typedef struct scan_local {
    arb_driver *driver;
    arb_io_waiter waiter;
    arb_split_reader **readers; /* one a file, made when first needed; the last used one stays */
    size_t file;                /* of the current split */
    size_t split;               /* its place among those to read */
    bool reading;
    uint64_t rows_seen;
    uint64_t number;
    arb_batch batch;
} scan_local;

static arb_code source_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    scan_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = NULL;
    if (local == NULL)
        return arb_fail_memory(error, "a scan", sizeof *local);
    local->driver = driver;
    local->readers = arb_alloc_zeroed((op->node->scan.table->file_count + 1) * sizeof *local->readers);
    if (local->readers == NULL) {
        arb_free(local);
        return arb_fail_memory(error, "a scan", op->node->scan.table->file_count);
    }
    if (op->context->io != NULL)
        arb_io_waiter_init(&local->waiter, op->context->io, driver->task);
    *out_local = local;
    return ARB_OK;
}

static void drop_reader(scan_local *local, size_t file)
{
    if (local->readers[file] != NULL)
        local->readers[file]->vtable->destroy(local->readers[file]);
    local->readers[file] = NULL;
}

static void source_destroy(arb_operator *op, void *state)
{
    scan_local *local = state;
    for (size_t i = 0; i < op->node->scan.table->file_count; i++)
        drop_reader(local, i);
    arb_io_waiter_reset(&local->waiter);
    arb_split_order_leave(&((scan_operator *)op)->order, local->driver);
    arb_free(local->readers);
    arb_free(local);
}

/* The file that a split belongs to. */
static size_t file_of(const scan_operator *s, size_t split)
{
    size_t low = 0, high = s->base.node->scan.table->file_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->first_splits[middle] <= split)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Take the next split and tell its reader; *out_more is false when there is none. */
static arb_code next_split(scan_operator *s, scan_local *local, bool *out_more, arb_error *error)
{
    const arb_table *table = s->base.node->scan.table;
    *out_more = arb_split_order_take(&s->order, local->driver, &local->split);
    if (!*out_more)
        return ARB_OK;
    local->number = 0;
    size_t number = s->part == NULL ? local->split : s->part->units[local->split];
    size_t file = file_of(s, number);
    if (file != local->file)
        drop_reader(local, local->file);
    local->file = file;
    if (local->readers[file] == NULL) {
        const arb_table_file *from = table->files[file];
        ARB_TRY(from->vtable->reader_create(from, &s->request, &local->readers[file], error));
    }
    arb_split_reader *reader = local->readers[file];
    local->rows_seen = reader->rows_read;
    const arb_split *split = &table->files[file]->splits[number - s->first_splits[file]];
    ARB_TRY(reader->vtable->begin(reader, split, error));
    local->reading = true;
    return ARB_OK;
}

/* Ask the reader, and have done what it wants read. False in *out_ended: the driver is to wait. */
static arb_code ask(scan_operator *s, scan_local *local, const arb_batch **out_batch, bool *out_ended, arb_error *error)
{
    arb_split_reader *reader = local->readers[local->file];
    bool has_io = s->base.context->io != NULL;
    *out_ended = true;
    for (;;) {
        uint64_t seen = has_io ? arb_io_waiter_ended(&local->waiter) : 0;
        arb_code code = reader->vtable->next(reader, out_batch, error);
        if (has_io)
            ARB_TRY(arb_read_queue_submit(arb_split_reader_reads(reader), &local->waiter, error));
        if (code != ARB_WOULD_WAIT)
            return code;
        if (!has_io)
            arb_read_queue_run(arb_split_reader_reads(reader));
        else if (arb_io_wait(&local->waiter, seen))
            *out_ended = false;
        if (!*out_ended || atomic_load_explicit(&s->base.context->cancelled, memory_order_relaxed))
            return ARB_OK;
    }
}

/* Each split begins with a call that gives no batch: then whoever waits for those before can see that they are through. */
static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    scan_operator *s = (scan_operator *)op;
    scan_local *local = state;
    *out = NULL;
    if (!local->reading) {
        bool more;
        ARB_TRY(next_split(s, local, &more, error));
        *out_flow = more ? ARB_FLOW_HAVE_OUTPUT : ARB_FLOW_DONE;
        return ARB_OK;
    }
    arb_split_reader *reader = local->readers[local->file];
    const arb_batch *batch = NULL;
    bool ended;
    ARB_TRY(ask(s, local, &batch, &ended, error));
    *out_flow = ended ? ARB_FLOW_HAVE_OUTPUT : ARB_FLOW_BLOCKED;
    if (!ended)
        return ARB_OK;
    atomic_fetch_add_explicit(&s->rows_read, reader->rows_read - local->rows_seen, memory_order_relaxed);
    local->rows_seen = reader->rows_read;
    local->reading = batch != NULL;
    if (batch == NULL)
        return ARB_OK;
    local->batch = *batch;
    local->batch.column_count = (uint32_t)op->node->layout.count; /* those for filters alone stand behind */
    local->batch.sequence = arb_split_sequence(local->split, local->number++);
    *out = &local->batch;
    return ARB_OK;
}

static uint32_t parallelism(arb_operator *op)
{
    return arb_split_order_parallelism(&((scan_operator *)op)->order);
}

static uint64_t watermark(arb_operator *op)
{
    return arb_split_order_watermark(&((scan_operator *)op)->order);
}

static void destroy(arb_operator *op)
{
    scan_operator *s = (scan_operator *)op;
    arb_arena_reset(&s->arena);
    arb_free(s);
}

static const arb_operator_vtable vtable = {
    .name = "scan",
    .destroy = destroy,
    .source_create = source_create,
    .pull = pull,
    .source_destroy = source_destroy,
    .source_parallelism = parallelism,
    .source_watermark = watermark,
};

void arb_scan_progress(arb_operator *op, uint64_t *read, uint64_t *all)
{
    if (op->vtable != &vtable)
        return;
    scan_operator *s = (scan_operator *)op;
    *read += atomic_load_explicit(&s->rows_read, memory_order_relaxed);
    *all += s->rows;
}

static arb_code make_request(scan_operator *s, arb_scan_filter *const *runtime, arb_error *error)
{
    const arb_physical_node *node = s->base.node;
    size_t count = node->scan.filter_count + node->scan.runtime_count;
    arb_scan_filter **filters = ARB_ARENA_ARRAY(&s->arena, arb_scan_filter *, count + 1);
    if (filters == NULL)
        return arb_fail_memory(error, "a scan", count);
    for (size_t i = 0; i < node->scan.filter_count; i++)
        ARB_TRY(arb_expr_filter_create(&s->arena, &node->scan.read, node->scan.filters[i], &s->base.context->cancelled,
                                       &filters[i], error));
    for (size_t i = 0; i < node->scan.runtime_count; i++)
        filters[node->scan.filter_count + i] = runtime[i];
    s->request = (arb_scan_request){.column_count = (uint32_t)node->scan.column_count,
                                    .columns = node->scan.columns,
                                    .filter_count = (uint32_t)count,
                                    .filters = filters,
                                    .keep_dictionaries = true,
                                    .always_wait = s->base.context->always_wait,
                                    .memory = s->base.context->memory,
                                    .stop = &s->base.context->cancelled};
    return ARB_OK;
}

static arb_code list_splits(scan_operator *s, arb_error *error)
{
    const arb_table *table = s->base.node->scan.table;
    size_t splits = 0;
    s->first_splits = ARB_ARENA_ARRAY(&s->arena, size_t, table->file_count + 1);
    if (s->first_splits == NULL)
        return arb_fail_memory(error, "a scan", table->file_count * sizeof *s->first_splits);
    for (size_t i = 0; i < table->file_count; i++) {
        s->first_splits[i] = splits;
        splits += table->files[i]->split_count;
        s->rows += table->files[i]->rows;
    }
    s->part = arb_task_leaf_find(s->base.context->work, s->base.node->number);
    if (s->part != NULL) {
        s->rows = 0;
        for (size_t i = 0; i < s->part->count; i++) {
            if (s->part->units[i] >= splits)
                return arb_fail(error, ARB_FILE_CHANGED,
                                "%.*s has no split %u: it is not what it was when the query was planned",
                                ARB_STR_ARGS(table->name), s->part->units[i]);
            size_t file = file_of(s, s->part->units[i]);
            s->rows += table->files[file]->splits[s->part->units[i] - s->first_splits[file]].rows;
        }
        splits = s->part->count;
    }
    arb_split_order_init(&s->order, splits);
    return ARB_OK;
}

arb_code arb_scan_create(const arb_physical_node *node, arb_query_context *context, arb_scan_filter *const *runtime,
                         arb_operator **out_op, arb_error *error)
{
    *out_op = NULL;
    scan_operator *s = arb_alloc_zeroed(sizeof *s);
    if (s == NULL)
        return arb_fail_memory(error, "a scan", sizeof *s);
    s->base.vtable = &vtable;
    s->base.node = node;
    s->base.context = context;
    arb_code code = list_splits(s, error);
    if (code == ARB_OK)
        code = make_request(s, runtime, error);
    if (code != ARB_OK) {
        destroy(&s->base);
        return code;
    }
    *out_op = &s->base;
    return ARB_OK;
}
