#include "local_cluster.h"

#include "base/alloc.h"
#include "base/vec.h"
#include "exchange/exchange_operators.h"
#include "optimizer/distribute.h"
#include "plan/plan_wire.h"
#include "wire_runner.h"

/* What a stage's tasks have left. */
typedef struct stage_run {
    const arb_stage *stage; /* decoded */
    uint32_t task_count;
    arb_attempt_output **outputs;
} stage_run;

typedef struct cluster_run {
    arb_query_run base;
    arb_arena arena;
    const arb_execution_options *options;
    const arb_stage_graph *graph;
    stage_run *stages;
    arb_execution_options result_options;
    struct cluster_work *result_work;
    const arb_physical_plan *result_plan;
    arb_execution *result;
} cluster_run;

typedef struct cluster_work {
    arb_task_work base;
    cluster_run *run;
    const arb_stage *stage;
    arb_attempt_output *output;
} cluster_work;

static const arb_layout *output_layout(cluster_run *run, const arb_stage *stage, arb_error *error)
{
    arb_layout *layout = ARB_ARENA_NEW(&run->arena, arb_layout);
    arb_slot *slots = ARB_ARENA_ARRAY(&run->arena, arb_slot, stage->plan.column_count + 1);
    if (layout == NULL || slots == NULL) {
        arb_fail_memory(error, "a layout", sizeof *layout);
        return NULL;
    }
    for (size_t i = 0; i < stage->plan.column_count; i++)
        slots[i] = stage->plan.root->layout.slots[stage->plan.columns[i]];
    *layout = (arb_layout){stage->plan.column_count, slots};
    return layout;
}

typedef ARB_VEC(arb_block_ref) block_list;

/* All that an earlier stage left for a partition: block after block, each as good as when it was sealed. */
static arb_code add_blocks(cluster_run *run, const stage_run *from, uint32_t partition, block_list *list,
                           arb_error *error)
{
    for (uint32_t t = 0; t < from->task_count; t++) {
        arb_attempt_output *output = from->outputs[t];
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
            if (!ARB_ARENA_PUSH(&run->arena, list, ((arb_block_ref){output, partition, i})))
                return arb_fail_memory(error, "blocks", sizeof *list->data);
        }
    }
    return ARB_OK;
}

/* Of the result's stage the tasks' rows come one after the other. */
static arb_code source_create(const arb_task_work *base, const arb_physical_node *node, arb_query_context *context,
                              arb_operator **out_op, arb_error *error)
{
    const cluster_work *work = (const cluster_work *)base;
    const stage_run *from = &work->run->stages[node->exchange.stage];
    const arb_leaf_units *part = arb_task_leaf_find(base, node->number);
    block_list list = {0};
    uint32_t partitions = from->stage->output.partitions;
    if (node->exchange.read == ARB_READ_ALL)
        for (uint32_t p = 0; p < partitions; p++)
            ARB_TRY(add_blocks(work->run, from, p, &list, error));
    for (size_t i = 0; part != NULL && i < part->count; i++)
        ARB_TRY(add_blocks(work->run, from, part->units[i], &list, error));
    const arb_layout *layout = output_layout(work->run, from->stage, error);
    if (layout == NULL)
        return error->code;
    return arb_exchange_source_create(node, layout, list.data, list.size, context, out_op, error);
}

static arb_code sink_create(const arb_task_work *base, const arb_physical_plan *plan, arb_query_context *context,
                            arb_operator **out_op, arb_error *error)
{
    const cluster_work *work = (const cluster_work *)base;
    (void)plan;
    return arb_exchange_sink_create(work->stage, work->output, context, out_op, error);
}

static arb_code run_task(cluster_run *run, const arb_stage *stage, uint32_t task, uint32_t task_count,
                         arb_attempt_output **out_output, arb_error *error)
{
    cluster_work work = {
        .base = {.source_create = source_create, .sink_create = sink_create}, .run = run, .stage = stage};
    arb_block_origin origin = {.job_term = 1, .job = 1, .stage = stage->number, .task = task};
    arb_execution *execution;
    ARB_TRY(arb_attempt_output_create(&origin, stage->output.partitions, run->options->spill_folder, NULL, out_output,
                                      error));
    work.output = *out_output;
    ARB_TRY(arb_stage_deal(&run->arena, stage, task, task_count, &work.base.leaves, &work.base.leaf_count, error));
    arb_execution_options options = *run->options;
    options.work = &work.base;
    ARB_TRY(arb_execution_start(&stage->plan, &options, &execution, error));
    arb_code code = arb_execution_wait(execution, error);
    arb_execution_destroy(execution);
    arb_attempt_output_finish(work.output);
    /* as an executor does that holds no outputs in memory */
    uint64_t freed;
    return code == ARB_OK && run->options->force_spill ? arb_attempt_output_spill(work.output, &freed, error) : code;
}

static arb_code run_stage(cluster_run *run, const arb_stage *planned, stage_run *to, arb_error *error)
{
    arb_text bytes = {0};
    arb_code code = arb_stage_encode(planned, &slt_local_tables, &bytes, error);
    if (code == ARB_OK)
        code = arb_stage_decode(&run->arena, arb_text_view(&bytes), &slt_local_tables, &to->stage, error);
    arb_text_reset(&bytes);
    if (code != ARB_OK)
        return code;
    to->outputs = arb_alloc_zeroed(planned->tasks * sizeof *to->outputs);
    if (to->outputs == NULL)
        return arb_fail_memory(error, "a stage", planned->tasks * sizeof *to->outputs);
    to->task_count = planned->tasks;
    for (uint32_t t = 0; t < planned->tasks; t++)
        ARB_TRY(run_task(run, to->stage, t, planned->tasks, &to->outputs[t], error));
    return ARB_OK;
}

/* What is left of the plan: the last stage's rows, in the form that results have. */
static arb_code start_result(cluster_run *run, const arb_physical_plan *plan, arb_error *error)
{
    const arb_stage *last = run->stages[run->graph->stage_count - 1].stage;
    size_t count = plan->column_count;
    arb_physical_node *leaf = ARB_ARENA_NEW(&run->arena, arb_physical_node);
    arb_physical_node *project = ARB_ARENA_NEW(&run->arena, arb_physical_node);
    arb_physical_plan *result = ARB_ARENA_NEW(&run->arena, arb_physical_plan);
    const arb_physical_node **children = ARB_ARENA_ARRAY(&run->arena, const arb_physical_node *, 1);
    const arb_expr **exprs = ARB_ARENA_ARRAY(&run->arena, const arb_expr *, count + 1);
    arb_slot *slots = ARB_ARENA_ARRAY(&run->arena, arb_slot, count + 1);
    uint32_t *columns = ARB_ARENA_ARRAY(&run->arena, uint32_t, count + 1);
    run->result_work = ARB_ARENA_NEW(&run->arena, cluster_work);
    arb_slot *given = ARB_ARENA_ARRAY(&run->arena, arb_slot, count + 1);
    if (leaf == NULL || project == NULL || result == NULL || children == NULL || exprs == NULL || slots == NULL ||
        columns == NULL || run->result_work == NULL || given == NULL)
        return arb_fail_memory(error, "a result", count * sizeof *slots);
    for (size_t i = 0; i < count; i++) {
        columns[i] = (uint32_t)i;
        given[i] = last->plan.root->layout.slots[last->plan.columns[i]];
        given[i].id = (arb_column_id)i; /* a result may name a column twice */
        slots[i] = given[i];
        if (arb_type_is_nested(slots[i].type))
            slots[i].physical = arb_type_physical(slots[i].type);
        if ((exprs[i] = arb_expr_column(&run->arena, slots[i].id, slots[i].type)) == NULL)
            return arb_fail_memory(error, "a result", sizeof(arb_expr));
    }
    leaf->kind = ARB_PHYSICAL_EXCHANGE;
    leaf->layout = (arb_layout){count, given};
    leaf->exchange.stage = last->number;
    leaf->exchange.read = ARB_READ_ALL;
    leaf->exchange.columns = columns;
    project->kind = ARB_PHYSICAL_PROJECT;
    project->number = 1;
    project->layout = (arb_layout){count, slots};
    project->child_count = 1;
    project->children = children;
    children[0] = leaf;
    project->project.exprs = exprs;
    *result = *plan;
    result->root = project;
    result->shared_count = 0;
    result->columns = columns;
    run->result_plan = result;
    *run->result_work = (cluster_work){.base = {.source_create = source_create}, .run = run};
    arb_execution_options options = *run->options;
    options.work = &run->result_work->base;
    return arb_execution_start(result, &options, &run->result, error);
}

static arb_code run_all(cluster_run *run, const slt_cluster *cluster, const arb_physical_plan *plan, arb_error *error)
{
    arb_distribute_options options = {
        .slots = cluster->slots, .broadcast_bytes = cluster->broadcast_bytes, .always = true};
    ARB_TRY(arb_distribute(&run->arena, plan, &options, &run->graph, error));
    ARB_TRY(arb_stage_graph_validate(run->graph, error));
    run->stages = ARB_ARENA_ARRAY(&run->arena, stage_run, run->graph->stage_count);
    if (run->stages == NULL)
        return arb_fail_memory(error, "a query", run->graph->stage_count * sizeof *run->stages);
    for (size_t i = 0; i < run->graph->stage_count; i++)
        ARB_TRY(run_stage(run, &run->graph->stages[i], &run->stages[i], error));
    return start_result(run, plan, error);
}

/* ---- the runner ------------------------------------------------------------------------------------------------------------ */

static arb_code next(arb_query_run *base, const arb_batch **out_batch, arb_error *error)
{
    return arb_execution_next(((cluster_run *)base)->result, out_batch, error);
}

static void cancel(arb_query_run *base)
{
    arb_execution_cancel(((cluster_run *)base)->result);
}

static double progress(const arb_query_run *base)
{
    return arb_execution_progress(((const cluster_run *)base)->result);
}

static uint64_t peak_memory(const arb_query_run *base)
{
    return arb_execution_peak_memory(((const cluster_run *)base)->result);
}

static void explain(const arb_query_run *base, const arb_query *query, arb_text *out)
{
    arb_stage_graph_print(out, query, ((const cluster_run *)base)->graph, NULL, NULL);
}

static void destroy(arb_query_run *base)
{
    cluster_run *run = (cluster_run *)base;
    arb_execution_destroy(run->result);
    for (size_t i = 0; run->stages != NULL && i < run->graph->stage_count; i++) {
        for (uint32_t t = 0; t < run->stages[i].task_count; t++)
            arb_attempt_output_unref(run->stages[i].outputs[t]);
        arb_free(run->stages[i].outputs);
    }
    arb_arena_reset(&run->arena);
    arb_free(run);
}

static arb_code start(void *context, const arb_physical_plan *plan, const arb_execution_options *options,
                      arb_query_run **out_run, arb_error *error)
{
    static const arb_query_run_vtable vtable = {next, cancel, progress, peak_memory, explain, destroy};
    *out_run = NULL;
    cluster_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL)
        return arb_fail_memory(error, "a query", sizeof *run);
    run->base.vtable = &vtable;
    run->options = options;
    arb_code code = run_all(run, context, plan, error);
    if (code != ARB_OK) {
        destroy(&run->base);
        return code;
    }
    *out_run = &run->base;
    return ARB_OK;
}

arb_query_runner slt_cluster_runner(slt_cluster *cluster)
{
    return (arb_query_runner){cluster, start};
}
