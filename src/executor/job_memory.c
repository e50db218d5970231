#include "executor/job_memory.h"

#include "base/alloc.h"

struct arb_job_memory {
    arb_job_memory *next;
    arb_uuid cluster;
    arb_id job;
    unsigned runs;
    arb_governor governor;
};

static arb_job_memory *add(arb_job_memories *memories, arb_uuid cluster, arb_id job)
{
    uint64_t limit = memories->process->limit;
    arb_job_memory *memory = arb_alloc_zeroed(sizeof *memory);
    if (memory == NULL)
        return NULL;
    memory->cluster = cluster;
    memory->job = job;
    arb_governor_init_part(&memory->governor, limit - limit / 8, memories->process);
    memory->next = memories->first;
    memories->first = memory;
    return memory;
}

arb_job_memory *arb_job_memories_take(arb_job_memories *memories, arb_uuid cluster, arb_id job)
{
    arb_job_memory *memory = memories->first;
    while (memory != NULL && (!arb_uuid_equal(memory->cluster, cluster) || !arb_id_equal(memory->job, job)))
        memory = memory->next;
    if (memory == NULL)
        memory = add(memories, cluster, job);
    if (memory != NULL)
        memory->runs++;
    return memory;
}

void arb_job_memories_give_back(arb_job_memories *memories, arb_job_memory *memory)
{
    if (memory == NULL || --memory->runs != 0)
        return;
    assert(atomic_load(&memory->governor.used) == 0);
    arb_job_memory **at = &memories->first;
    while (*at != memory)
        at = &(*at)->next;
    *at = memory->next;
    arb_free(memory);
}

void arb_job_memory_part(const arb_job_memories *memories, arb_job_memory *memory, uint64_t admitted,
                         arb_governor *out_task)
{
    uint64_t share = ARB_MAX(memories->process->limit / ARB_MAX(memories->slots, 1u), admitted);
    arb_governor_init_part(out_task, ARB_MIN(share, memory->governor.limit), &memory->governor);
}
