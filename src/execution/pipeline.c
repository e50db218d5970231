#include "execution/pipeline.h"

#include "execution/operators/operators.h"

enum { few_rows = 16 * ARB_VECTOR_ROWS };

typedef arb_code (*operator_create)(const arb_physical_node *node, arb_query_context *context, arb_operator **out,
                                    arb_error *error);

static arb_code keep_operator(arb_pipeline_set *set, arb_operator *op, arb_error *error)
{
    if (ARB_ARENA_PUSH(set->arena, &set->operators, op))
        return ARB_OK;
    op->vtable->destroy(op);
    return arb_fail_memory(error, "a plan's pipelines", sizeof op);
}

static arb_code make_operator(arb_pipeline_set *set, const arb_physical_node *node, operator_create create,
                              arb_operator **out_op, arb_error *error)
{
    ARB_TRY(create(node, set->context, out_op, error));
    return keep_operator(set, *out_op, error);
}

static arb_code no_memory(arb_error *error)
{
    return arb_fail_memory(error, "a plan's pipelines", sizeof(arb_pipeline));
}

/* A pipeline without a source yet. Transforms are collected from the sink upwards, so new ones go in front. */
static arb_code new_pipeline(arb_pipeline_set *set, arb_pipeline_sink *sink, arb_pipeline **out_pipeline,
                             arb_error *error)
{
    arb_pipeline *pipeline = ARB_ARENA_NEW(set->arena, arb_pipeline);
    if (pipeline == NULL || !ARB_ARENA_PUSH(set->arena, &set->pipelines, pipeline))
        return no_memory(error);
    pipeline->number = (uint32_t)set->pipelines.size - 1;
    pipeline->sink = sink;
    sink->feeders++;
    *out_pipeline = pipeline;
    return ARB_OK;
}

static arb_code prepend(arb_pipeline_set *set, arb_pipeline *pipeline, arb_operator *op, arb_error *error)
{
    arb_operator **grown = ARB_ARENA_ARRAY(set->arena, arb_operator *, pipeline->transform_count + 1);
    if (grown == NULL)
        return no_memory(error);
    grown[0] = op;
    if (pipeline->transform_count != 0)
        memcpy(grown + 1, pipeline->transforms, pipeline->transform_count * sizeof *grown);
    pipeline->transforms = grown;
    pipeline->transform_count++;
    return ARB_OK;
}

static arb_code new_sink(arb_pipeline_set *set, arb_operator *op, arb_pipeline_sink **out_sink, arb_error *error)
{
    *out_sink = ARB_ARENA_NEW(set->arena, arb_pipeline_sink);
    if (*out_sink == NULL)
        return no_memory(error);
    (*out_sink)->op = op;
    return ARB_OK;
}

static arb_code wait_for_sink(arb_pipeline_set *set, arb_pipeline *pipeline, arb_pipeline_sink *sink, arb_error *error)
{
    if (!ARB_ARENA_PUSH(set->arena, &sink->then, pipeline) || !ARB_ARENA_PUSH(set->arena, &pipeline->awaited, sink))
        return no_memory(error);
    pipeline->waits++;
    return ARB_OK;
}

/* A second pipeline with the same end: it passes the same transforms and so waits for the same build sides. */
static arb_code fork_pipeline(arb_pipeline_set *set, const arb_pipeline *pipeline, arb_pipeline **out_fork,
                              arb_error *error)
{
    ARB_TRY(new_pipeline(set, pipeline->sink, out_fork, error));
    (*out_fork)->transforms = pipeline->transforms;
    (*out_fork)->transform_count = pipeline->transform_count;
    (*out_fork)->one_driver = pipeline->one_driver;
    for (size_t i = 0; i < pipeline->awaited.size; i++)
        ARB_TRY(wait_for_sink(set, *out_fork, pipeline->awaited.data[i], error));
    return ARB_OK;
}

static arb_code build(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error);

/* `node` collects its child's rows and gives its own afterwards. */
static arb_code build_breaker(arb_pipeline_set *set, const arb_physical_node *node, operator_create create,
                              arb_pipeline *into, arb_error *error)
{
    arb_operator *op;
    arb_pipeline_sink *sink;
    arb_pipeline *feeder;
    ARB_TRY(make_operator(set, node, create, &op, error));
    ARB_TRY(new_sink(set, op, &sink, error));
    into->source = op;
    ARB_TRY(wait_for_sink(set, into, sink, error));
    ARB_TRY(new_pipeline(set, sink, &feeder, error));
    return build(set, node->children[0], feeder, error);
}

static arb_code build_transform(arb_pipeline_set *set, const arb_physical_node *node, operator_create create,
                                arb_pipeline *into, arb_error *error)
{
    arb_operator *op;
    ARB_TRY(make_operator(set, node, create, &op, error));
    ARB_TRY(prepend(set, into, op, error));
    return build(set, node->children[0], into, error);
}

/* Every row counts: then one driver finds a few rows before others would have begun. */
static bool is_dense(const arb_physical_node *node)
{
    while (node->kind == ARB_PHYSICAL_PROJECT)
        node = node->children[0];
    return node->kind == ARB_PHYSICAL_SCAN && node->scan.filter_count == 0 && node->scan.runtime_count == 0;
}

/* As a breaker, but both pipelines run at once. */
static arb_code build_limit(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error)
{
    arb_operator *op;
    arb_pipeline_sink *sink;
    arb_pipeline *feeder;
    ARB_TRY(make_operator(set, node, arb_limit_create, &op, error));
    ARB_TRY(new_sink(set, op, &sink, error));
    into->source = op;
    ARB_TRY(new_pipeline(set, sink, &feeder, error));
    feeder->one_driver = node->limit.count >= 0 && node->limit.count < few_rows && node->limit.offset < few_rows &&
                         is_dense(node->children[0]);
    return build(set, node->children[0], feeder, error);
}

static bool passes(const arb_pipeline *pipeline, const arb_operator *op)
{
    for (size_t i = 0; i < pipeline->transform_count; i++)
        if (pipeline->transforms[i] == op)
            return true;
    return false;
}

static arb_code note_runtime_filters(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline_sink *maker,
                                     arb_error *error)
{
    for (size_t i = 0; i < node->join.runtime_count; i++) {
        uint32_t number = node->join.runtime[i].number;
        while (set->runtime_makers.size <= number)
            if (!ARB_ARENA_PUSH(set->arena, &set->runtime_makers, NULL) ||
                !ARB_ARENA_PUSH(set->arena, &set->runtime_keys, 0))
                return no_memory(error);
        set->runtime_makers.data[number] = maker;
        set->runtime_keys.data[number] = node->join.runtime[i].key;
    }
    return ARB_OK;
}

/* Every task of the stage has the same rows on the build side, which come from one source. */
static bool is_same_for_all(const arb_physical_node *join)
{
    const arb_physical_node *node = join->children[1];
    while (node->kind == ARB_PHYSICAL_PROJECT || node->kind == ARB_PHYSICAL_FILTER)
        node = node->children[0];
    return node->kind == ARB_PHYSICAL_EXCHANGE && node->exchange.read == ARB_READ_ALL && !arb_join_has_source(join);
}

/* The pipeline feeds the join. */
static arb_code share_build(arb_pipeline_set *set, const arb_physical_node *node, arb_operator *join,
                            arb_pipeline *feeder, arb_error *error)
{
    const arb_task_work *work = set->context->work;
    if (work == NULL || work->builds == NULL || !is_same_for_all(node))
        return ARB_OK;
    ARB_TRY(arb_shared_builds_get(work->builds, node->number, &feeder->build, error));
    arb_hash_join_share(join, feeder->build);
    return ARB_OK;
}

static arb_code build_join(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error)
{
    bool hashed = node->kind == ARB_PHYSICAL_HASH_JOIN;
    arb_operator *op;
    arb_pipeline_sink *sink;
    arb_pipeline *feeder, *rest = NULL;
    ARB_TRY(make_operator(set, node, hashed ? arb_hash_join_create : arb_loop_join_create, &op, error));
    ARB_TRY(new_sink(set, op, &sink, error));
    if (hashed)
        ARB_TRY(note_runtime_filters(set, node, sink, error));
    ARB_TRY(new_pipeline(set, sink, &feeder, error));
    ARB_TRY(share_build(set, node, op, feeder, error));
    ARB_TRY(build(set, node->children[1], feeder, error));
    ARB_TRY(wait_for_sink(set, into, sink, error));
    if (hashed || arb_join_has_source(node)) {
        ARB_TRY(fork_pipeline(set, into, &rest, error));
        rest->source = op;
        rest->rest = true;
    }
    ARB_TRY(prepend(set, into, op, error));
    size_t before = set->pipelines.size;
    ARB_TRY(build(set, node->children[0], into, error));
    if (rest == NULL)
        return ARB_OK;
    /* The rest waits for every pipeline that probes: this one, and those that began below it. */
    for (size_t i = 0; i < set->pipelines.size; i++) {
        arb_pipeline *pipeline = set->pipelines.data[i];
        if ((pipeline != into && i < before) || !passes(pipeline, op))
            continue;
        if (!ARB_ARENA_PUSH(set->arena, &pipeline->then, rest))
            return no_memory(error);
        rest->waits++;
    }
    return ARB_OK;
}

static arb_code build_union(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error)
{
    arb_pipeline **branches = ARB_ARENA_ARRAY(set->arena, arb_pipeline *, node->child_count);
    if (branches == NULL)
        return no_memory(error);
    branches[0] = into;
    for (size_t i = 1; i < node->child_count; i++)
        ARB_TRY(fork_pipeline(set, into, &branches[i], error));
    for (size_t i = 0; i < node->child_count; i++)
        ARB_TRY(build(set, node->children[i], branches[i], error));
    return ARB_OK;
}

static arb_code build_scan(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error)
{
    arb_operator *op;
    arb_scan_filter **filters = ARB_ARENA_ARRAY(set->arena, arb_scan_filter *, node->scan.runtime_count + 1);
    if (filters == NULL)
        return no_memory(error);
    for (size_t i = 0; i < node->scan.runtime_count; i++) {
        const arb_runtime_filter *wanted = &node->scan.runtime[i];
        if (wanted->number >= set->runtime_makers.size || set->runtime_makers.data[wanted->number] == NULL)
            return arb_fail(error, ARB_INTERNAL, "run-time filter %u has no join that makes it", wanted->number);
        /* The scan is below the join's probe side, so the build side cannot wait for it in turn. Waiting costs nothing:
         * the join's probing waits for both. */
        arb_pipeline_sink *maker = set->runtime_makers.data[wanted->number];
        ARB_TRY(wait_for_sink(set, into, maker, error));
        ARB_TRY(arb_hash_join_runtime_filter(maker->op, set->runtime_keys.data[wanted->number], wanted->column,
                                             &filters[i], error));
    }
    ARB_TRY(arb_scan_create(node, set->context, filters, &op, error));
    ARB_TRY(keep_operator(set, op, error));
    into->source = op;
    return ARB_OK;
}

static arb_code build_shared_scan(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into,
                                  arb_error *error)
{
    assert(node->shared.number < set->shared.size);
    arb_pipeline_sink *sink = set->shared.data[node->shared.number];
    arb_operator *op;
    ARB_TRY(arb_shared_scan_create(node, set->context, sink->op, &op, error));
    ARB_TRY(keep_operator(set, op, error));
    into->source = op;
    return wait_for_sink(set, into, sink, error);
}

static arb_code build_exchange(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into,
                               arb_error *error)
{
    const arb_task_work *work = set->context->work;
    if (work == NULL)
        return arb_fail(error, ARB_INTERNAL, "a whole query has an exchange");
    arb_operator *op;
    ARB_TRY(work->source_create(work, node, into->build != NULL, set->context, &op, error));
    ARB_TRY(keep_operator(set, op, error));
    if (into->build != NULL) {
        ARB_TRY(arb_build_gate_create(op, into->sink->op, into->build, &op, error));
        ARB_TRY(keep_operator(set, op, error));
    }
    into->source = op;
    return ARB_OK;
}

static arb_code build(arb_pipeline_set *set, const arb_physical_node *node, arb_pipeline *into, arb_error *error)
{
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        return build_scan(set, node, into, error);
    case ARB_PHYSICAL_VALUES: {
        arb_operator *op;
        ARB_TRY(make_operator(set, node, arb_values_create, &op, error));
        into->source = op;
        return ARB_OK;
    }
    case ARB_PHYSICAL_FILTER:
        return build_transform(set, node, arb_filter_create, into, error);
    case ARB_PHYSICAL_PROJECT:
        return build_transform(set, node, arb_project_create, into, error);
    case ARB_PHYSICAL_LIMIT:
        return build_limit(set, node, into, error);
    case ARB_PHYSICAL_GROUP_LIMIT:
        into->one_driver = true; /* it sees each group whole */
        return build_transform(set, node, arb_group_limit_create, into, error);
    case ARB_PHYSICAL_REPEAT:
        return build_transform(set, node, arb_repeat_create, into, error);
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return build_join(set, node, into, error);
    case ARB_PHYSICAL_AGGREGATE:
        if (node->aggregate.phase == ARB_AGGREGATE_PARTIAL)
            return build_transform(set, node, arb_hash_aggregate_create, into, error);
        return build_breaker(set, node, arb_hash_aggregate_create, into, error);
    case ARB_PHYSICAL_SORT:
        /* A subquery's order is not promised, but expected. */
        into->one_driver |= into->sink->op->vtable->add_feeder == NULL;
        return build_breaker(set, node, arb_sort_create, into, error);
    case ARB_PHYSICAL_UNION:
        return build_union(set, node, into, error);
    case ARB_PHYSICAL_SHARED:
        return build_shared_scan(set, node, into, error);
    case ARB_PHYSICAL_EXCHANGE:
        return build_exchange(set, node, into, error);
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return arb_fail(error, ARB_INTERNAL, "unknown plan node %d", node->kind);
}

arb_code arb_pipelines_build(arb_pipeline_set *set, const arb_physical_plan *plan, arb_operator *result,
                             arb_error *error)
{
    arb_pipeline_sink *sink;
    arb_pipeline *pipeline;
    for (size_t i = 0; i < plan->shared_count; i++) {
        arb_operator *op;
        ARB_TRY(make_operator(set, plan->shared[i], arb_collect_create, &op, error));
        ARB_TRY(new_sink(set, op, &sink, error));
        if (!ARB_ARENA_PUSH(set->arena, &set->shared, sink))
            return no_memory(error);
        ARB_TRY(new_pipeline(set, sink, &pipeline, error));
        ARB_TRY(build(set, plan->shared[i], pipeline, error));
    }
    ARB_TRY(new_sink(set, result, &sink, error));
    ARB_TRY(new_pipeline(set, sink, &pipeline, error));
    return build(set, plan->root, pipeline, error);
}

void arb_pipelines_destroy_operators(arb_pipeline_set *set)
{
    for (size_t i = set->operators.size; i > 0; i--)
        set->operators.data[i - 1]->vtable->destroy(set->operators.data[i - 1]);
    set->operators.size = 0;
}
