/* hash_join_rest.c: the partitions of a hash join that are on disk, after all probing.
 *
 * take    the next partition that waits; one that is too large is split into 64 that wait
 * load    its build rows, with a directory of their own
 * probe   its probe rows, block by block, through the same code as rows that never were on disk
 * give    the build rows that matched, or those that did not, where the kind of join wants them
 *
 * Drivers work on different partitions and share nothing but the list of those that wait. */
#include "base/alloc.h"
#include "execution/operators/hash_join.h"

enum {
    small_part = 64,      /* build rows that are not worth splitting */
    directory_a_row = 16, /* bytes, about */
};

struct join_rest {
    hash_join *join;
    spilled_part part;
    bool working;            /* on `part` */
    join_table table;        /* its build rows */
    void *probe;             /* a transform's local state */
    arb_row_block_view view; /* of build rows while they are loaded, then of probe rows */
    size_t block, next_row;  /* of probe rows: the block to read next; the row in the current one */
    arb_vector_storage *storage;
    arb_vector *columns;
    arb_batch batch; /* of probe rows */
    bool more;       /* the probe has more for `batch` */
    size_t page;     /* of the build rows that are given in the end */
    uint32_t page_row;
    arb_join_writer writer;
    char *given[ARB_VECTOR_ROWS];
};

void arb_join_rest_destroy(join_rest *rest)
{
    if (rest == NULL)
        return;
    hash_join *join = rest->join;
    size_t columns = join->base.node->children[0]->layout.count;
    if (rest->probe != NULL)
        arb_hash_join_transform_destroy(&join->base, rest->probe);
    for (size_t c = 0; rest->storage != NULL && c < columns; c++)
        arb_vector_storage_reset(&rest->storage[c]);
    arb_free(rest->storage);
    arb_free(rest->columns);
    arb_join_table_reset(&rest->table);
    arb_row_block_view_reset(&rest->view);
    if (rest->writer.plan != NULL)
        arb_join_writer_reset(&rest->writer);
    arb_free(rest);
}

arb_code arb_join_rest_create(arb_operator *op, arb_driver *driver, join_rest **out_rest, arb_error *error)
{
    hash_join *join = (hash_join *)op;
    const arb_layout *probe = &op->node->children[0]->layout;
    *out_rest = NULL;
    join_rest *rest = arb_alloc_zeroed(sizeof *rest);
    if (rest == NULL)
        return arb_fail_memory(error, join->name, sizeof *rest);
    rest->join = join;
    arb_row_block_view_init(&rest->view, op->context->memory, &op->share, join->name);
    rest->storage = arb_alloc_zeroed((probe->count + 1) * sizeof *rest->storage);
    rest->columns = arb_alloc_zeroed((probe->count + 1) * sizeof *rest->columns);
    arb_code code = ARB_OK;
    if (rest->storage == NULL || rest->columns == NULL)
        code = arb_fail_memory(error, join->name, probe->count * sizeof *rest->storage);
    for (size_t c = 0; code == ARB_OK && c < probe->count; c++)
        code = arb_vector_storage_init(&rest->storage[c], probe->slots[c].physical, ARB_VECTOR_ROWS, error);
    if (code == ARB_OK)
        code = arb_hash_join_transform_create(op, driver, &rest->probe, error);
    if (code == ARB_OK)
        code = arb_join_writer_init(&rest->writer, &join->columns, op->context->batch_rows, error);
    if (code != ARB_OK) {
        arb_join_rest_destroy(rest);
        return code;
    }
    arb_hash_join_probe_table(rest->probe, &rest->table);
    *out_rest = rest;
    return ARB_OK;
}

static const arb_row_stream *build_stream(const spilled_part *part)
{
    return &part->build->streams[part->number];
}

static const arb_row_stream *probe_stream(const spilled_part *part)
{
    return &part->probe->streams[part->number];
}

/* ---- take, split ----------------------------------------------------------------------------------------------------------- */

static bool take(hash_join *join, spilled_part *out_part)
{
    pthread_mutex_lock(&join->lock);
    bool some = join->waiting.size != 0;
    if (some)
        *out_part = join->waiting.data[--join->waiting.size];
    pthread_mutex_unlock(&join->lock);
    return some;
}

static arb_code new_spill(hash_join *join, const arb_row_spill *like, unsigned level, arb_row_spill **out,
                          arb_error *error)
{
    ARB_TRY(arb_row_spill_create(like->format, level, out, error));
    pthread_mutex_lock(&join->lock);
    bool kept = ARB_VEC_PUSH(&join->deeper, *out);
    pthread_mutex_unlock(&join->lock);
    if (kept)
        return ARB_OK;
    arb_row_spill_destroy(*out);
    return arb_fail_memory(error, join->name, sizeof *out);
}

/* The parts wait afterwards. When all rows have one hash, splitting was of no use, and is not tried again. */
static arb_code split(hash_join *join, const spilled_part *part, arb_error *error)
{
    unsigned level = part->level + 1;
    spilled_part deeper = {.level = level};
    ARB_TRY(new_spill(join, part->build, level, &deeper.build, error));
    ARB_TRY(new_spill(join, part->probe, level, &deeper.probe, error));
    const arb_query_context *context = join->base.context;
    ARB_TRY(arb_row_spill_split(part->build, part->number, deeper.build, context->memory, &join->base.share,
                                &context->cancelled, error));
    ARB_TRY(arb_row_spill_split(part->probe, part->number, deeper.probe, context->memory, &join->base.share,
                                &context->cancelled, error));
    pthread_mutex_lock(&join->lock);
    bool kept = true;
    for (uint32_t p = 0; kept && p < ARB_SPILL_PARTS; p++) {
        deeper.number = p;
        deeper.level = build_stream(&deeper)->rows == build_stream(part)->rows ? ARB_SPILL_LEVELS - 1 : level;
        if (build_stream(&deeper)->rows + probe_stream(&deeper)->rows != 0)
            kept = ARB_VEC_PUSH(&join->waiting, deeper);
    }
    pthread_mutex_unlock(&join->lock);
    return kept ? ARB_OK : arb_fail_memory(error, join->name, sizeof deeper);
}

/* ---- load -------------------------------------------------------------------------------------------------------------------- */

/* What cannot be split further must fit; then it is the query's limit that decides, not the share's. */
static arb_code load(join_rest *rest, bool must_fit, arb_error *error)
{
    hash_join *join = rest->join;
    const arb_row_stream *stream = build_stream(&rest->part);
    arb_memory_share *share = must_fit ? NULL : &join->base.share;
    arb_join_table_reset(&rest->table);
    ARB_TRY(arb_join_table_init(join, &rest->table, share, error));
    for (size_t b = 0; b < stream->blocks.size; b++) {
        ARB_TRY(arb_row_spill_take(rest->part.build, &stream->blocks.data[b], &rest->view, error));
        ARB_TRY(arb_row_spill_keep(rest->part.build, &rest->view, &rest->table.store, error));
        if (atomic_load_explicit(&join->base.context->cancelled, memory_order_relaxed))
            return arb_fail(error, ARB_CANCELLED, "the statement was cancelled");
    }
    arb_key_range none = {0};
    ARB_TRY(arb_join_directory_init(&rest->table.directory, rest->table.store.rows, join->key_count, &none, false,
                                    join->base.context->memory, share, error));
    for (size_t p = 0; p < rest->table.store.pages.size; p++)
        arb_join_directory_insert(&rest->table.directory, &join->rows, rest->table.store.pages.data[p]);
    rest->block = rest->next_row = rest->view.count = 0;
    rest->page = rest->page_row = 0;
    rest->more = false;
    return ARB_OK;
}

/* Take a partition and load it, unless it is too large; *out_over when none waits. */
static arb_code begin(join_rest *rest, bool *out_over, arb_error *error)
{
    hash_join *join = rest->join;
    *out_over = !take(join, &rest->part);
    if (*out_over)
        return ARB_OK;
    const arb_row_stream *stream = build_stream(&rest->part);
    uint64_t bytes = stream->bytes + stream->rows * directory_a_row;
    bool last = rest->part.level + 1 >= ARB_SPILL_LEVELS;
    bool fits = !arb_memory_share_pressed(&join->base.share, bytes);
    if (!fits && !last && stream->rows > small_part)
        return split(join, &rest->part, error);
    ARB_TRY(load(rest, !fits && stream->rows > small_part, error));
    rest->working = true;
    return ARB_OK;
}

/* ---- probe -------------------------------------------------------------------------------------------------------------------- */

/* The next probe rows as a batch; false at the partition's end. */
static arb_code next_rows(join_rest *rest, bool *out_some, arb_error *error)
{
    hash_join *join = rest->join;
    const arb_row_stream *stream = probe_stream(&rest->part);
    if (rest->next_row == rest->view.count) {
        *out_some = rest->block < stream->blocks.size;
        if (!*out_some)
            return ARB_OK;
        ARB_TRY(arb_row_spill_take(rest->part.probe, &stream->blocks.data[rest->block++], &rest->view, error));
        rest->next_row = 0;
    }
    *out_some = true;
    size_t count = ARB_MIN((size_t)join->base.context->batch_rows, rest->view.count - rest->next_row);
    size_t columns = join->probe_rows.column_count;
    for (size_t c = 0; c < columns; c++)
        arb_row_gather(&join->probe_rows, c, rest->view.rows + rest->next_row, count, rest->part.probe->has_null[c],
                       &rest->storage[c], &rest->columns[c]);
    rest->next_row += count;
    rest->batch = (arb_batch){.rows = (uint32_t)count,
                              .selected = (uint32_t)count,
                              .column_count = (uint32_t)columns,
                              .columns = rest->columns};
    return ARB_OK;
}

static arb_code probe(join_rest *rest, const arb_batch **out, arb_error *error)
{
    arb_flow flow;
    ARB_TRY(arb_hash_join_push(&rest->join->base, rest->probe, &rest->batch, out, &flow, error));
    rest->more = flow == ARB_FLOW_HAVE_OUTPUT;
    return ARB_OK;
}

/* ---- give --------------------------------------------------------------------------------------------------------------------- */

static arb_code give_rows(join_rest *rest, const arb_batch **out, arb_error *error)
{
    const hash_join *join = rest->join;
    const arb_row_store *store = &rest->table.store;
    size_t count = 0, most = join->base.context->batch_rows;
    while (count < most && rest->page < store->pages.size) {
        const arb_row_page *page = store->pages.data[rest->page];
        count += arb_hash_join_rows_wanted(join, page, &rest->page_row, rest->given + count, most - count);
        if (rest->page_row < page->rows)
            break;
        rest->page++;
        rest->page_row = 0;
    }
    if (count == 0)
        return ARB_OK;
    ARB_TRY(arb_join_write_build(&rest->writer, rest->given, count, error));
    *out = &rest->writer.batch;
    return ARB_OK;
}

arb_code arb_join_rest_next(join_rest *rest, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    *out = NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    if (!rest->working) {
        bool over;
        ARB_TRY(begin(rest, &over, error));
        *out_flow = over ? ARB_FLOW_DONE : ARB_FLOW_HAVE_OUTPUT;
        return ARB_OK;
    }
    bool some = true;
    if (!rest->more)
        ARB_TRY(next_rows(rest, &some, error));
    if (some)
        return probe(rest, out, error);
    if (arb_join_has_source(rest->join->base.node))
        ARB_TRY(give_rows(rest, out, error));
    if (*out != NULL)
        return ARB_OK;
    arb_join_table_reset(&rest->table);
    rest->working = false;
    return ARB_OK;
}
