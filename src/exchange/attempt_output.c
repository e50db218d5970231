#include "exchange/attempt_output.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "io/codec.h"

/* A block and where it is. In memory while `data` is there; a loan counts, and memory that is lent stays until it is back,
 * also when the block has been moved. It stays at one address, so that it can be written without the lock. */
typedef struct placed_block {
    struct placed_block *next; /* in the list of those that are in memory alone */
    arb_block block;           /* data NULL: in the file */
    arb_block_place place;
    uint64_t arrival;
    uint32_t loans;
    bool moved;          /* to the file, while it was lent: its memory goes with the last loan */
    arb_pool_file *file; /* a count; NULL: it is in none */
    size_t piece_count;
    arb_spill_block *pieces;
} placed_block;

typedef struct output_partition {
    ARB_VEC(placed_block *) blocks;
    arb_partition_size size;
} output_partition;

struct arb_attempt_output {
    _Atomic uint32_t references;
    pthread_mutex_t lock;
    pthread_mutex_t moving; /* held by whoever moves blocks to the file; before the other */
    arb_block_origin origin;
    arb_arrow_schema *schema; /* NULL: not known */
    uint64_t arrivals;
    bool finished, writes_through;
    placed_block *unmoved, **unmoved_end; /* blocks that are in memory alone, in the order in which they came */
    uint32_t partition_count;
    output_partition *partitions;
    _Atomic uint64_t held;
    arb_output_pool *pool;
    uint64_t overhead; /* bytes charged for all but the blocks */
};

/* A block and what describes it; with the lock held. */
static void hold(arb_attempt_output *output, uint64_t bytes, uint64_t overhead)
{
    atomic_fetch_add(&output->held, bytes);
    atomic_fetch_add(&output->pool->held, bytes);
    output->overhead += overhead;
    arb_output_pool_charge(output->pool, bytes + overhead);
}

/* They stay charged until their memory is free. */
static void hold_less(arb_attempt_output *output, uint64_t bytes)
{
    atomic_fetch_sub(&output->held, bytes);
    atomic_fetch_sub(&output->pool->held, bytes);
}

/* Of all but the blocks; with the lock held, once the output is shared. */
static void add_overhead(arb_attempt_output *output, uint64_t bytes)
{
    output->overhead += bytes;
    arb_output_pool_charge(output->pool, bytes);
}

arb_code arb_attempt_output_create(const arb_block_origin *origin, uint32_t partition_count, arb_output_pool *pool,
                                   arb_attempt_output **out_output, arb_error *error)
{
    *out_output = NULL;
    arb_attempt_output *output = arb_alloc_zeroed(sizeof *output);
    output_partition *partitions = arb_alloc_zeroed((partition_count + (size_t)1) * sizeof *partitions);
    if (output == NULL || partitions == NULL) {
        arb_free(output);
        arb_free(partitions);
        return arb_fail_memory(error, "a task's output", partition_count * sizeof *partitions);
    }
    output->references = 1;
    output->unmoved_end = &output->unmoved;
    output->origin = *origin;
    output->pool = pool;
    output->partition_count = partition_count;
    output->partitions = partitions;
    pthread_mutex_init(&output->lock, NULL);
    pthread_mutex_init(&output->moving, NULL);
    add_overhead(output, sizeof *output + partition_count * sizeof *partitions);
    *out_output = output;
    return ARB_OK;
}

arb_attempt_output *arb_attempt_output_ref(arb_attempt_output *output)
{
    atomic_fetch_add_explicit(&output->references, 1, memory_order_relaxed);
    return output;
}

void arb_attempt_output_unref(arb_attempt_output *output)
{
    if (output == NULL || atomic_fetch_sub(&output->references, 1) != 1)
        return;
    for (uint32_t p = 0; p < output->partition_count; p++) {
        output_partition *partition = &output->partitions[p];
        for (size_t i = 0; i < partition->blocks.size; i++) {
            placed_block *placed = partition->blocks.data[i];
            assert(placed->loans == 0);
            arb_block_reset(&placed->block);
            arb_pool_file_drop(placed->file, placed->pieces, placed->piece_count);
            arb_free(placed->pieces);
            arb_free(placed);
        }
        ARB_VEC_RESET(&partition->blocks);
    }
    arb_output_pool_give_back(output->pool, atomic_load(&output->held) + output->overhead);
    hold_less(output, atomic_load(&output->held));
    arb_arrow_schema_unref(output->schema);
    arb_free(output->partitions);
    pthread_mutex_destroy(&output->moving);
    pthread_mutex_destroy(&output->lock);
    arb_free(output);
}

/* ---- while the attempt runs ---------------------------------------------------------------------------------------------- */

void arb_attempt_output_describe(arb_attempt_output *output, const arb_arrow_schema *schema)
{
    assert(output->schema == NULL);
    output->schema = arb_arrow_schema_ref(schema);
    add_overhead(output, schema->arena.total);
}

const arb_arrow_schema *arb_attempt_output_schema(const arb_attempt_output *output)
{
    return output->schema;
}

void arb_attempt_output_write_through(arb_attempt_output *output)
{
    output->writes_through = true;
}

arb_code arb_attempt_output_add(arb_attempt_output *output, uint32_t partition, arb_block *block, arb_block_place place,
                                arb_error *error)
{
    assert(partition < output->partition_count);
    output_partition *to = &output->partitions[partition];
    placed_block *placed = arb_alloc_zeroed(sizeof *placed);
    bool added = false;
    if (placed != NULL) {
        *placed = (placed_block){.block = *block, .place = place};
        pthread_mutex_lock(&output->lock);
        assert(!output->finished);
        placed->arrival = output->arrivals++;
        added = ARB_VEC_PUSH(&to->blocks, placed);
        if (added) {
            *output->unmoved_end = placed;
            output->unmoved_end = &placed->next;
            to->size.rows += block->rows;
            to->size.bytes += arb_block_bytes(block);
            to->size.blocks++;
            hold(output, arb_block_bytes(block), sizeof *placed);
        }
        pthread_mutex_unlock(&output->lock);
    }
    if (added) {
        uint64_t freed;
        *block = (arb_block){0};
        return output->writes_through ? arb_attempt_output_spill(output, &freed, error) : ARB_OK;
    }
    arb_free(placed);
    arb_block_reset(block);
    return arb_fail_memory(error, "a task's output", sizeof *placed);
}

static int compare_places(const void *a_void, const void *b_void)
{
    const placed_block *a = *(placed_block *const *)a_void, *b = *(placed_block *const *)b_void;
    if (a->place.feeder != b->place.feeder)
        return a->place.feeder < b->place.feeder ? -1 : 1;
    if (a->place.sequence != b->place.sequence)
        return a->place.sequence < b->place.sequence ? -1 : 1;
    return a->arrival < b->arrival ? -1 : 1;
}

void arb_attempt_output_finish(arb_attempt_output *output)
{
    pthread_mutex_lock(&output->lock);
    for (uint32_t p = 0; p < output->partition_count; p++)
        if (output->partitions[p].blocks.size > 1)
            qsort(output->partitions[p].blocks.data, output->partitions[p].blocks.size, sizeof(placed_block *),
                  compare_places);
    output->finished = true;
    pthread_mutex_unlock(&output->lock);
}

/* ---- to the file and back --------------------------------------------------------------------------------------------------- */

/* A block larger than what the file takes at once goes in pieces. */
static arb_code write_block(arb_spill_file *file, const placed_block *placed, arb_spill_block **out_pieces,
                            size_t *out_count, arb_error *error)
{
    uint64_t bytes = arb_block_bytes(&placed->block);
    size_t count = (size_t)((bytes + ARB_SPILL_BLOCK_MOST - 1) / ARB_SPILL_BLOCK_MOST);
    arb_spill_block *pieces = arb_alloc_zeroed((count + 1) * sizeof *pieces);
    if (pieces == NULL)
        return arb_fail_memory(error, "a task's output", count * sizeof *pieces);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = (uint64_t)i * ARB_SPILL_BLOCK_MOST;
        size_t size = (size_t)ARB_MIN(bytes - from, (uint64_t)ARB_SPILL_BLOCK_MOST);
        arb_code code = arb_spill_file_write(file, placed->block.data + from, size, &pieces[i], error);
        if (code != ARB_OK) {
            for (size_t written = 0; written < i; written++)
                arb_spill_file_release(file, &pieces[written]);
            arb_free(pieces);
            return code;
        }
    }
    *out_pieces = pieces;
    *out_count = count;
    return ARB_OK;
}

/* With the lock held: the block's memory goes, now or with its last loan. */
static void drop_memory(arb_attempt_output *output, placed_block *placed)
{
    placed->moved = placed->loans != 0;
    if (placed->moved)
        return;
    arb_free(placed->block.data);
    placed->block.data = NULL;
    arb_output_pool_give_back(output->pool, arb_block_bytes(&placed->block));
}

/* The first block that is in memory alone, with a loan, so that its memory stays; NULL: there is none any more. */
static placed_block *begin_to_move(arb_attempt_output *output)
{
    pthread_mutex_lock(&output->lock);
    placed_block *first = output->unmoved;
    if (first != NULL)
        first->loans++;
    pthread_mutex_unlock(&output->lock);
    return first;
}

/* It is in the pieces now, or (NULL) stays where it is. */
static void end_to_move(arb_attempt_output *output, placed_block *placed, arb_pool_file *file, arb_spill_block *pieces,
                        size_t count)
{
    pthread_mutex_lock(&output->lock);
    placed->loans--;
    if (pieces != NULL) {
        placed->file = file;
        add_overhead(output, count * sizeof *pieces);
        output->unmoved = placed->next;
        if (output->unmoved == NULL)
            output->unmoved_end = &output->unmoved;
        placed->pieces = pieces;
        placed->piece_count = count;
        drop_memory(output, placed);
    }
    pthread_mutex_unlock(&output->lock);
}

arb_code arb_attempt_output_spill(arb_attempt_output *output, uint64_t *out_freed, arb_error *error)
{
    arb_code code = ARB_OK;
    placed_block *placed;
    *out_freed = 0;
    pthread_mutex_lock(&output->moving);
    while (code == ARB_OK && (placed = begin_to_move(output)) != NULL) {
        arb_spill_block *pieces = NULL;
        arb_pool_file *file;
        size_t count = 0;
        uint64_t bytes = arb_block_bytes(&placed->block);
        code = arb_output_pool_file(output->pool, &file, error);
        if (code == ARB_OK)
            code = write_block(arb_pool_file_spill(file), placed, &pieces, &count, error);
        end_to_move(output, placed, file, pieces, count);
        if (code != ARB_OK) {
            arb_pool_file_drop(file, NULL, 0);
            break;
        }
        *out_freed += bytes;
        hold_less(output, bytes);
    }
    pthread_mutex_unlock(&output->moving);
    return code;
}

static arb_code read_block(const arb_attempt_output *output, const placed_block *placed, uint32_t partition,
                           arb_block_loan *out_loan, arb_error *error)
{
    size_t padding = ARB_MAX((size_t)ARB_VECTOR_PADDING, (size_t)ARB_CODEC_PADDING);
    arb_block block = placed->block;
    block.data = arb_alloc_aligned(arb_block_bytes(&block) + padding, 64);
    if (block.data == NULL)
        return arb_fail_memory(error, "a task's output", arb_block_bytes(&block));
    arb_code code = ARB_OK;
    uint64_t at = 0;
    for (size_t i = 0; i < placed->piece_count && code == ARB_OK; at += placed->pieces[i].size, i++)
        code = arb_spill_file_read(arb_pool_file_spill(placed->file), &placed->pieces[i], block.data + at, error);
    memset(block.data + arb_block_bytes(&block), 0, ARB_VECTOR_PADDING);
    arb_block_origin origin = output->origin;
    origin.partition = partition;
    if (code == ARB_OK && arb_block_checksum(&block, &origin) != block.checksum)
        code = arb_fail(error, ARB_CORRUPT_DATA, "a block of a task's output has changed in its file");
    if (code != ARB_OK) {
        arb_free(block.data);
        return code;
    }
    out_loan->block = block;
    out_loan->pool = output->pool;
    arb_output_pool_charge(output->pool, arb_block_bytes(&block));
    return ARB_OK;
}

arb_code arb_attempt_output_borrow(arb_attempt_output *output, uint32_t partition, size_t at, arb_block_loan *out_loan,
                                   arb_error *error)
{
    *out_loan = (arb_block_loan){0};
    pthread_mutex_lock(&output->lock);
    assert(output->finished && partition < output->partition_count && at < output->partitions[partition].blocks.size);
    placed_block *placed = output->partitions[partition].blocks.data[at];
    bool in_memory = placed->block.data != NULL;
    if (in_memory) {
        placed->loans++;
        out_loan->block = placed->block;
        out_loan->lender = arb_attempt_output_ref(output);
        out_loan->partition = partition;
        out_loan->at = at;
    }
    pthread_mutex_unlock(&output->lock);
    /* what is in the file stays as it is */
    return in_memory ? ARB_OK : read_block(output, placed, partition, out_loan, error);
}

void arb_block_loan_return(arb_block_loan *loan)
{
    arb_attempt_output *output = loan->lender;
    if (output == NULL) {
        if (loan->pool != NULL)
            arb_output_pool_give_back(loan->pool, arb_block_bytes(&loan->block));
        arb_block_reset(&loan->block);
        loan->pool = NULL;
        return;
    }
    pthread_mutex_lock(&output->lock);
    placed_block *placed = output->partitions[loan->partition].blocks.data[loan->at];
    if (--placed->loans == 0 && placed->moved)
        drop_memory(output, placed);
    pthread_mutex_unlock(&output->lock);
    arb_attempt_output_unref(output);
    *loan = (arb_block_loan){0};
}

/* ---- what it is ------------------------------------------------------------------------------------------------------------ */

const arb_block_origin *arb_attempt_output_origin(const arb_attempt_output *output)
{
    return &output->origin;
}

uint32_t arb_attempt_output_partitions(const arb_attempt_output *output)
{
    return output->partition_count;
}

arb_partition_size arb_attempt_output_size(arb_attempt_output *output, uint32_t partition)
{
    pthread_mutex_lock(&output->lock);
    arb_partition_size size = output->partitions[partition].size;
    pthread_mutex_unlock(&output->lock);
    return size;
}

arb_partition_size arb_attempt_output_total(arb_attempt_output *output)
{
    arb_partition_size total = {0};
    pthread_mutex_lock(&output->lock);
    for (uint32_t p = 0; p < output->partition_count; p++) {
        total.rows += output->partitions[p].size.rows;
        total.bytes += output->partitions[p].size.bytes;
        total.blocks += output->partitions[p].size.blocks;
    }
    pthread_mutex_unlock(&output->lock);
    return total;
}

uint64_t arb_attempt_output_held(const arb_attempt_output *output)
{
    return atomic_load(&output->held);
}
