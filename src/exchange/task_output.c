#include "exchange/task_output.h"

#include <stdlib.h>

#include "base/alloc.h"

arb_code arb_task_output_init(arb_task_output *output, const arb_block_origin *origin, uint32_t partition_count,
                              arb_error *error)
{
    *output = (arb_task_output){0};
    arb_output_partition *partitions = arb_alloc_zeroed((partition_count + (size_t)1) * sizeof *partitions);
    if (partitions == NULL)
        return arb_fail_memory(error, "a task's output", partition_count * sizeof *partitions);
    output->origin = *origin;
    output->partition_count = partition_count;
    output->partitions = partitions;
    pthread_mutex_init(&output->lock, NULL);
    return ARB_OK;
}

void arb_task_output_reset(arb_task_output *output)
{
    if (output->partitions == NULL)
        return;
    for (uint32_t p = 0; p < output->partition_count; p++) {
        arb_output_partition *partition = &output->partitions[p];
        for (size_t i = 0; i < partition->blocks.size; i++)
            arb_block_reset(&partition->blocks.data[i].block);
        ARB_VEC_RESET(&partition->blocks);
    }
    arb_free(output->partitions);
    pthread_mutex_destroy(&output->lock);
    *output = (arb_task_output){0};
}

arb_code arb_task_output_add(arb_task_output *output, uint32_t partition, arb_block *block, arb_block_place place,
                             arb_error *error)
{
    assert(partition < output->partition_count);
    arb_output_partition *to = &output->partitions[partition];
    pthread_mutex_lock(&output->lock);
    bool added = ARB_VEC_PUSH(&to->blocks, ((arb_placed_block){*block, place, output->arrivals}));
    if (added) {
        output->arrivals++;
        to->rows += block->rows;
        to->bytes += block->body_at + block->body_size;
    }
    pthread_mutex_unlock(&output->lock);
    if (added) {
        *block = (arb_block){0};
        return ARB_OK;
    }
    arb_block_reset(block);
    return arb_fail_memory(error, "a task's output", sizeof *block);
}

static int compare_places(const void *a_void, const void *b_void)
{
    const arb_placed_block *a = a_void, *b = b_void;
    if (a->place.feeder != b->place.feeder)
        return a->place.feeder < b->place.feeder ? -1 : 1;
    if (a->place.sequence != b->place.sequence)
        return a->place.sequence < b->place.sequence ? -1 : 1;
    return a->arrival < b->arrival ? -1 : 1;
}

void arb_task_output_finish(arb_task_output *output)
{
    for (uint32_t p = 0; p < output->partition_count; p++)
        if (output->partitions[p].blocks.size > 1)
            qsort(output->partitions[p].blocks.data, output->partitions[p].blocks.size, sizeof(arb_placed_block),
                  compare_places);
}

uint64_t arb_task_output_rows(const arb_task_output *output)
{
    uint64_t rows = 0;
    for (uint32_t p = 0; p < output->partition_count; p++)
        rows += output->partitions[p].rows;
    return rows;
}

uint64_t arb_task_output_bytes(const arb_task_output *output)
{
    uint64_t bytes = 0;
    for (uint32_t p = 0; p < output->partition_count; p++)
        bytes += output->partitions[p].bytes;
    return bytes;
}
