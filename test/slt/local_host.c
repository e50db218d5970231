#include "base/alloc.h"
#include "base/vec.h"
#include "exchange/exchange_operators.h"
#include "task_host.h"

/* What a stage's tasks have left. */
typedef struct stage_outputs {
    ARB_VEC(arb_attempt_output *) tasks; /* arena */
} stage_outputs;

typedef struct local_host {
    slt_task_host base;
    arb_arena arena;
    size_t stage_count;
    stage_outputs *stages;
    arb_output_pool pool; /* zeroed before the first task */
} local_host;

typedef struct local_work {
    arb_task_work base;
    local_host *host;
    const arb_stage *stage;
    arb_attempt_output *output;
} local_work;

typedef ARB_VEC(arb_block_ref) block_list;

/* All that an earlier stage left for a partition: block after block, each as good as when it was sealed. */
static arb_code add_blocks(local_host *host, const stage_outputs *from, uint32_t partition, block_list *list,
                           arb_error *error)
{
    for (size_t t = 0; t < from->tasks.size; t++) {
        arb_attempt_output *output = from->tasks.data[t];
        arb_block_origin origin = *arb_attempt_output_origin(output);
        origin.partition = partition;
        size_t count = arb_attempt_output_size(output, partition).blocks;
        for (size_t i = 0; i < count; i++) {
            arb_block_loan loan;
            ARB_TRY(arb_attempt_output_borrow(output, partition, i, &loan, error));
            bool fine = arb_block_checksum(&loan.block, &origin) == loan.block.checksum;
            arb_block_loan_return(&loan);
            if (!fine)
                return arb_fail(error, ARB_CORRUPT_DATA, "a block's checksum is wrong");
            if (!ARB_ARENA_PUSH(&host->arena, list, ((arb_block_ref){output, partition, i})))
                return arb_fail_memory(error, "blocks", sizeof *list->data);
        }
    }
    return ARB_OK;
}

static arb_code make_source(local_host *host, const arb_physical_node *node, const arb_leaf_units *part,
                            arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    const stage_outputs *from = &host->stages[node->exchange.stage];
    block_list list = {0};
    if (node->exchange.read == ARB_READ_ALL)
        for (uint32_t p = 0; p < node->exchange.partitions; p++)
            ARB_TRY(add_blocks(host, from, p, &list, error));
    for (size_t i = 0; part != NULL && i < part->count; i++)
        ARB_TRY(add_blocks(host, from, part->units[i], &list, error));
    arb_block_feed *feed;
    ARB_TRY(arb_block_feed_create(list.data, list.size, &feed, error));
    return arb_exchange_source_create(node, feed, context, out_op, error);
}

static arb_code source_create(const arb_task_work *base, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    (void)later;
    const local_work *work = (const local_work *)base;
    return make_source(work->host, node, arb_task_leaf_find(base, node->number), context, out_op, error);
}

static arb_code sink_create(const arb_task_work *base, const arb_physical_plan *plan, arb_query_context *context,
                            arb_operator **out_op, arb_error *error)
{
    const local_work *work = (const local_work *)base;
    (void)plan;
    return arb_exchange_sink_create(work->stage, NULL, work->output, context, out_op, error);
}

static arb_code result_source(slt_task_host *base, const arb_physical_node *node, arb_query_context *context,
                              arb_operator **out_op, arb_error *error)
{
    return make_source((local_host *)base, node, NULL, context, out_op, error);
}

static arb_code run_task(slt_task_host *base, const arb_stage *stage, uint32_t task, uint32_t task_count,
                         const arb_execution_options *given, arb_error *error)
{
    local_host *host = (local_host *)base;
    local_work work = {
        .base = {.source_create = source_create, .sink_create = sink_create}, .host = host, .stage = stage};
    arb_block_origin origin = {.job_term = 1, .job = 1, .stage = stage->number, .task = task};
    arb_execution *execution;
    if (host->pool.spill_folder == NULL)
        arb_output_pool_init(&host->pool, NULL, given->spill_folder);
    ARB_TRY(arb_attempt_output_create(&origin, stage->output.partitions, &host->pool, &work.output, error));
    if (!ARB_ARENA_PUSH(&host->arena, &host->stages[stage->number].tasks, work.output)) {
        arb_attempt_output_unref(work.output);
        return arb_fail_memory(error, "a stage", sizeof work.output);
    }
    ARB_TRY(arb_stage_deal(&host->arena, stage, task, task_count, &work.base.leaves, &work.base.leaf_count, error));
    arb_execution_options options = *given;
    options.work = &work.base;
    ARB_TRY(arb_execution_start(&stage->plan, &options, &execution, error));
    arb_code code = arb_execution_wait(execution, error);
    arb_execution_destroy(execution);
    arb_attempt_output_finish(work.output);
    /* as an executor does that holds no outputs in memory */
    uint64_t freed;
    return code == ARB_OK && given->force_spill ? arb_attempt_output_spill(work.output, &freed, error) : code;
}

static void destroy(slt_task_host *base)
{
    local_host *host = (local_host *)base;
    for (size_t i = 0; host->stages != NULL && i < host->stage_count; i++)
        for (size_t t = 0; t < host->stages[i].tasks.size; t++)
            arb_attempt_output_unref(host->stages[i].tasks.data[t]);
    arb_output_pool_reset(&host->pool);
    arb_arena_reset(&host->arena);
    arb_free(host);
}

static arb_code create(void *context, size_t stage_count, slt_task_host **out_host, arb_error *error)
{
    static const slt_task_host_vtable vtable = {run_task, result_source, destroy};
    (void)context;
    *out_host = NULL;
    local_host *host = arb_alloc_zeroed(sizeof *host);
    if (host == NULL)
        return arb_fail_memory(error, "a query", sizeof *host);
    host->base.vtable = &vtable;
    host->stage_count = stage_count;
    host->stages = ARB_ARENA_ARRAY(&host->arena, stage_outputs, stage_count + 1);
    if (host->stages == NULL) {
        destroy(&host->base);
        return arb_fail_memory(error, "a query", stage_count * sizeof *host->stages);
    }
    *out_host = &host->base;
    return ARB_OK;
}

const slt_task_hosts slt_local_hosts = {NULL, create};
