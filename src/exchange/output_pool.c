#include "exchange/output_pool.h"

#include "base/alloc.h"

/* Of a file, before the next one is begun: what is left in it when most of it is not needed any more. */
static const uint64_t file_most = 64 << 20;

struct arb_pool_file {
    arb_output_pool *pool;
    uint32_t references; /* the pool's lock */
    arb_spill_file spill;
};

void arb_output_pool_init(arb_output_pool *pool, arb_memory *memory, const char *spill_folder)
{
    *pool = (arb_output_pool){.spill_folder = spill_folder};
    pthread_mutex_init(&pool->lock, NULL);
    arb_reservation_init(&pool->charged, memory, "outputs of tasks");
}

void arb_output_pool_reset(arb_output_pool *pool)
{
    if (pool->charged.owner == NULL)
        return;
    assert(pool->charged.bytes == 0);
    assert(pool->file == NULL);
    pthread_mutex_destroy(&pool->lock);
    *pool = (arb_output_pool){0};
}

void arb_output_pool_charge(arb_output_pool *pool, uint64_t bytes)
{
    if (pool->charged.memory == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    arb_reservation_force(&pool->charged, bytes);
    pthread_mutex_unlock(&pool->lock);
}

void arb_output_pool_give_back(arb_output_pool *pool, uint64_t bytes)
{
    if (pool->charged.memory == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    arb_reservation_shrink(&pool->charged, bytes);
    pthread_mutex_unlock(&pool->lock);
}

bool arb_output_pool_is_short(const arb_output_pool *pool)
{
    return pool->charged.memory != NULL && arb_memory_is_short(pool->charged.memory);
}

bool arb_output_pool_is_spent(const arb_output_pool *pool)
{
    return pool->charged.memory != NULL && arb_memory_available(pool->charged.memory) == 0;
}

arb_spill_file *arb_pool_file_spill(arb_pool_file *file)
{
    return &file->spill;
}

/* Does anybody else have blocks in it? Then it stays. */
static bool has_others(const arb_pool_file *file)
{
    pthread_mutex_lock(&file->pool->lock);
    bool others = file->references > 1;
    pthread_mutex_unlock(&file->pool->lock);
    return others;
}

/* The last of those who have blocks in it takes it away, so that nothing is left of a time when memory was short. */
void arb_pool_file_drop(arb_pool_file *file, const arb_spill_block *pieces, size_t count)
{
    if (file == NULL)
        return;
    arb_output_pool *pool = file->pool;
    bool stays = has_others(file);
    for (size_t i = 0; stays && i < count; i++)
        arb_spill_file_release(&file->spill, &pieces[i]);
    pthread_mutex_lock(&pool->lock);
    bool last = --file->references == 0;
    if (last && pool->file == file)
        pool->file = NULL;
    pthread_mutex_unlock(&pool->lock);
    if (!last)
        return;
    arb_spill_file_reset(&file->spill);
    arb_free(file);
}

arb_code arb_output_pool_file(arb_output_pool *pool, arb_pool_file **out_file, arb_error *error)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->file != NULL && arb_spill_file_written(&pool->file->spill) >= file_most)
        pool->file = NULL; /* those who have blocks in it keep it */
    if (pool->file == NULL && (pool->file = arb_alloc_zeroed(sizeof *pool->file)) != NULL) {
        pool->file->pool = pool;
        arb_spill_file_init(&pool->file->spill, pool->spill_folder);
    }
    *out_file = pool->file;
    if (*out_file != NULL)
        (*out_file)->references++;
    pthread_mutex_unlock(&pool->lock);
    return *out_file != NULL ? ARB_OK : arb_fail_memory(error, "a task's output", sizeof **out_file);
}
