/* hash_join_spill.c: rows of a hash join on their way to disk: of the build side when memory is short, and of the probe
 * side when their partition of the build side is absent. */
#include "execution/operators/hash_join.h"
#include "execution/operators/key_columns.h"

enum {
    read_at_once = 1 << 20, /* bytes of absent rows in memory while they are only looked at */
    probe_held = 2 << 20,   /* bytes of probe rows that a driver gathers before it writes them */
    directory_a_row = 16,   /* bytes, about */
};

arb_row_format arb_hash_join_format(hash_join *join, const arb_row_layout *layout)
{
    return (arb_row_format){.layout = layout, .file = &join->base.spill};
}

arb_code arb_join_table_init(const hash_join *join, join_table *table, arb_memory_share *share, arb_error *error)
{
    ARB_TRY(arb_row_store_init(&table->store, &join->rows, join->base.context->memory, join->name, error));
    table->store.reservation.share = share;
    return ARB_OK;
}

void arb_join_table_reset(join_table *table)
{
    arb_join_directory_reset(&table->directory);
    arb_row_store_reset(&table->store);
}

/* ---- the build side ----------------------------------------------------------------------------------------------------- */

arb_code arb_hash_join_start_spilling(hash_join *join, arb_error *error)
{
    return join->build != NULL ? ARB_OK
                               : arb_row_spill_create(arb_hash_join_format(join, &join->rows), 0, &join->build, error);
}

/* The partitions in `order`, the smallest first. */
static void order_by_size(const arb_row_spill *spill, uint32_t *order)
{
    for (uint32_t p = 0; p < ARB_SPILL_PARTS; p++) {
        uint32_t at = p;
        for (; at > 0 && spill->streams[order[at - 1]].bytes > spill->streams[p].bytes; at--)
            order[at] = order[at - 1];
        order[at] = p;
    }
}

static arb_code load_resident(hash_join *join, arb_row_block_view *view, arb_error *error)
{
    uint32_t order[ARB_SPILL_PARTS];
    arb_row_store *store = &join->table.store;
    order_by_size(join->build, order);
    for (size_t i = 0; i < ARB_SPILL_PARTS; i++) {
        arb_row_stream *stream = &join->build->streams[order[i]];
        uint64_t directory = (store->rows + stream->rows) * directory_a_row;
        /* Twice: the rest must have room for its own partitions. */
        if (stream->rows != 0 && arb_memory_share_pressed(&join->base.share, 2 * (stream->bytes + directory)))
            break;
        for (size_t b = 0; b < stream->blocks.size; b++) {
            ARB_TRY(arb_row_spill_take(join->build, &stream->blocks.data[b], view, error));
            ARB_TRY(arb_row_spill_keep(join->build, view, store, error));
        }
        join->absent &= ~((uint64_t)1 << order[i]);
    }
    return ARB_OK;
}

arb_code arb_hash_join_choose_resident(hash_join *join, arb_error *error)
{
    arb_row_block_view view;
    arb_row_block_view_init(&view, join->base.context->memory, &join->base.share, join->name);
    join->absent = ~(uint64_t)0;
    arb_code code = load_resident(join, &view, error);
    arb_row_block_view_reset(&view);
    if (code != ARB_OK)
        return code;
    for (uint32_t p = 0; join->absent != 0 && p < ARB_SPILL_PARTS; p++)
        if ((join->absent >> p & 1) != 0 &&
            !ARB_VEC_PUSH(&join->waiting, (spilled_part){.number = p, .build = join->build}))
            return arb_fail_memory(error, join->name, sizeof(spilled_part));
    return ARB_OK;
}

/* With BITS all partitions are absent: none was read back. */
static bool is_absent(const hash_join *join, uint32_t part)
{
    return join->table.directory.mode == ARB_JOIN_BITS || (join->absent >> part & 1) != 0;
}

arb_code arb_hash_join_read_absent(hash_join *join, uint32_t first, uint32_t step,
                                   arb_code (*each)(hash_join *join, const arb_row_page *page, arb_error *error),
                                   arb_error *error)
{
    arb_row_store store;
    ARB_TRY(arb_row_store_init(&store, &join->rows, join->base.context->memory, join->name, error));
    store.reservation.share = &join->base.share;
    arb_row_block_view view;
    arb_row_block_view_init(&view, join->base.context->memory, &join->base.share, join->name);
    arb_code code = ARB_OK;
    for (uint32_t p = first; code == ARB_OK && p < ARB_SPILL_PARTS; p += step) {
        const arb_row_stream *stream = &join->build->streams[p];
        for (size_t b = 0; code == ARB_OK && b < stream->blocks.size && is_absent(join, p); b++) {
            /* Not taken: the rest will want these rows. */
            code = arb_row_block_read(&join->build->format, &stream->blocks.data[b], &view, error);
            if (code == ARB_OK)
                code = arb_row_spill_keep(join->build, &view, &store, error);
            if (store.reservation.bytes < read_at_once && b + 1 < stream->blocks.size)
                continue;
            for (size_t i = 0; code == ARB_OK && i < store.pages.size; i++)
                code = each(join, store.pages.data[i], error);
            arb_row_store_clear(&store);
            if (atomic_load_explicit(&join->base.context->cancelled, memory_order_relaxed))
                break;
        }
    }
    arb_row_block_view_reset(&view);
    arb_row_store_reset(&store);
    return code;
}

/* ---- the probe side ------------------------------------------------------------------------------------------------------ */

/* The first driver to come makes what all share. */
static arb_code start_probe_spill(hash_join *join, arb_error *error)
{
    const arb_layout *probe = &join->base.node->children[0]->layout;
    ARB_TRY(arb_row_layout_init(&join->probe_rows, &join->arena, probe->slots, probe->count, 0, error));
    ARB_TRY(arb_row_spill_create(arb_hash_join_format(join, &join->probe_rows), 0, &join->probe, error));
    for (size_t i = 0; i < join->waiting.size; i++)
        join->waiting.data[i].probe = join->probe;
    return ARB_OK;
}

arb_code arb_hash_join_probe_spill_create(hash_join *join, probe_spill **out_spill, arb_error *error)
{
    pthread_mutex_lock(&join->lock);
    arb_code code = join->probe != NULL ? ARB_OK : start_probe_spill(join, error);
    pthread_mutex_unlock(&join->lock);
    if (code != ARB_OK)
        return code;
    probe_spill *spill = arb_alloc_zeroed(sizeof *spill);
    if (spill == NULL)
        return arb_fail_memory(error, join->name, sizeof *spill);
    code = arb_row_store_init(&spill->store, &join->probe_rows, join->base.context->memory, join->name, error);
    if (code != ARB_OK) {
        arb_free(spill);
        return code;
    }
    spill->store.reservation.share = &join->base.share;
    *out_spill = spill;
    return ARB_OK;
}

void arb_hash_join_probe_spill_destroy(probe_spill *spill)
{
    if (spill == NULL)
        return;
    arb_row_store_reset(&spill->store);
    arb_free(spill);
}

arb_code arb_hash_join_put_down(hash_join *join, probe_spill *spill, arb_error *error)
{
    return arb_row_spill_store(join->probe, &spill->store, error);
}

arb_code arb_hash_join_put_away(hash_join *join, probe_spill *spill, const arb_batch *in, const uint64_t *hashes,
                                const uint16_t *candidates, size_t count, const arb_batch **out_batch, arb_error *error)
{
    size_t away = 0;
    for (size_t i = 0; i < count; i++) {
        spill->away[away] = candidates[i];
        away += join->absent >> arb_spill_part(hashes[candidates[i]], 0) & 1;
    }
    *out_batch = in;
    if (away == 0)
        return ARB_OK;
    uint64_t held = spill->store.reservation.bytes;
    if (held >= probe_held || (held != 0 && arb_memory_share_pressed(&join->base.share, 0)))
        ARB_TRY(arb_hash_join_put_down(join, spill, error));
    ARB_TRY(arb_row_store_append(&spill->store, away, spill->rows, error));
    for (size_t c = 0; c < join->probe_rows.column_count; c++)
        ARB_TRY(arb_row_store_scatter(&spill->store, c, &in->columns[c], spill->away, away, spill->rows, error));
    if (in->selection != NULL)
        memcpy(spill->stay, in->selection, arb_bitmap_words(in->rows) * 8);
    else
        arb_bitmap_fill(spill->stay, in->rows);
    for (size_t i = 0; i < away; i++) {
        *arb_row_header(spill->rows[i]) = hashes[spill->away[i]];
        arb_bitmap_clear(spill->stay, spill->away[i]);
    }
    spill->batch = *in;
    spill->batch.selection = spill->stay;
    spill->batch.selected = in->selected - (uint32_t)away;
    *out_batch = &spill->batch;
    return ARB_OK;
}
