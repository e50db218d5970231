/* hash_join_share.c: a build side that several tasks probe. Who has built it gives all that others need of it away, and then
 * reads it as they do. */
#include "execution/operators/hash_join.h"

struct join_sealed {
    arb_sealed_build base;
    arb_memory memory; /* that it is charged to */
    join_table table;
    arb_row_layout rows; /* the table's; of its lists, which each join has for itself, only the count is left */
    uint64_t build_rows, match_rows;
    bool build_null;
    bool *has_null;
    size_t key_count;
    arb_key_summary summaries[];
};

static void destroy(arb_sealed_build *base)
{
    join_sealed *sealed = (join_sealed *)base;
    arb_join_table_reset(&sealed->table);
    for (size_t k = 0; k < sealed->key_count; k++)
        arb_key_summary_reset(&sealed->summaries[k]);
    arb_free(sealed->has_null);
    arb_free(sealed);
}

static arb_code seal(const hash_join *join, join_sealed **out_sealed, arb_error *error)
{
    size_t columns = join->rows.column_count;
    join_sealed *sealed = arb_alloc_zeroed(sizeof *sealed + join->key_count * sizeof *sealed->summaries);
    bool *has_null = arb_alloc_zeroed(columns + 1);
    if (sealed == NULL || has_null == NULL) {
        arb_free(sealed);
        arb_free(has_null);
        return arb_fail_memory(error, join->name, sizeof *sealed);
    }
    memcpy(has_null, join->has_null, columns);
    *sealed = (join_sealed){.base = {destroy},
                            .table = join->table,
                            .rows = {.column_count = columns},
                            .build_rows = join->build_rows,
                            .match_rows = join->match_rows,
                            .build_null = join->build_null,
                            .has_null = has_null,
                            .key_count = join->key_count};
    memcpy(sealed->summaries, join->summaries, join->key_count * sizeof *sealed->summaries);
    *out_sealed = sealed;
    return ARB_OK;
}

/* Its job's or the process's, of which the task has a part. */
static arb_governor *governor_of_all(const hash_join *join)
{
    arb_governor *task = join->base.context->memory->governor;
    return task->whole != NULL ? task->whole : task;
}

/* The builder's accounts go with the builder. */
static void recharge(join_sealed *sealed, arb_governor *all)
{
    arb_memory_init(&sealed->memory, all);
    arb_reservation_move(&sealed->table.store.reservation, &sealed->memory);
    arb_reservation_move(&sealed->table.directory.reservation, &sealed->memory);
    for (size_t k = 0; k < sealed->key_count; k++)
        if (sealed->summaries[k].reservation.memory != NULL)
            arb_reservation_move(&sealed->summaries[k].reservation, &sealed->memory);
    sealed->table.store.layout = &sealed->rows;
}

void arb_hash_join_share(arb_operator *op, arb_shared_build *build)
{
    assert(!arb_join_has_source(op->node));
    hash_join *join = (hash_join *)op;
    join->shared = build;
    arb_memory_init(&join->common, governor_of_all(join));
    if (join->can_spill) {
        arb_memory_share_move(&op->share, &join->common);
    } else {
        join->memory = &join->common;
        arb_reservation_move(&join->table.store.reservation, join->memory);
    }
}

void arb_hash_join_own_share(hash_join *join)
{
    if (join->base.share.memory == &join->common)
        arb_memory_share_move(&join->base.share, join->base.context->memory);
}

void arb_hash_join_build_alone(arb_operator *op)
{
    hash_join *join = (hash_join *)op;
    assert(join->can_spill);
    pthread_mutex_lock(&join->lock);
    arb_hash_join_own_share(join);
    pthread_mutex_unlock(&join->lock);
}

static void adopt(hash_join *join, const join_sealed *sealed)
{
    join->sealed = sealed;
    join->table = sealed->table;
    join->table.store.layout = &join->rows;
    join->build_rows = sealed->build_rows;
    join->match_rows = sealed->match_rows;
    join->build_null = sealed->build_null;
    memcpy(join->has_null, sealed->has_null, join->rows.column_count);
    memcpy(join->summaries, sealed->summaries, join->key_count * sizeof *join->summaries);
}

bool arb_hash_join_adopt(hash_join *join)
{
    const arb_sealed_build *build = join->shared != NULL ? arb_shared_build_sealed(join->shared) : NULL;
    if (build == NULL)
        return false;
    arb_row_store_reset(&join->table.store); /* it never had a row */
    adopt(join, (const join_sealed *)build);
    return true;
}

arb_code arb_hash_join_seal(hash_join *join, arb_error *error)
{
    if (join->build != NULL) {
        arb_shared_build_split(join->shared, &join->base);
        return ARB_OK;
    }
    join_sealed *sealed;
    ARB_TRY(seal(join, &sealed, error));
    recharge(sealed, governor_of_all(join));
    adopt(join, sealed);
    if (!arb_shared_build_seal(join->shared, &join->base, &sealed->base))
        join->own = sealed;
    return ARB_OK;
}

void arb_hash_join_forget(hash_join *join)
{
    if (join->sealed == NULL)
        return;
    join->sealed = NULL;
    join->table = (join_table){0};
    memset(join->summaries, 0, join->key_count * sizeof *join->summaries);
    if (join->own != NULL)
        destroy(&join->own->base);
    join->own = NULL;
}
