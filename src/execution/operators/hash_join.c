#include "execution/operators/hash_join.h"

bool arb_join_has_source(const arb_physical_node *node)
{
    switch (node->join.output) {
    case ARB_JOIN_BUILD_OUTER:
    case ARB_JOIN_FULL_OUTER:
    case ARB_JOIN_BUILD_SEMI:
    case ARB_JOIN_BUILD_ANTI:
        return true;
    default:
        return false;
    }
}

/* Nobody probes any more, and the rest was given. */
static void release(arb_operator *op)
{
    hash_join *join = (hash_join *)op;
    if (join->sealed != NULL)
        join->table = (join_table){0};
    arb_join_table_reset(&join->table);
    arb_row_store_reset(&join->loose);
    arb_row_spill_destroy(join->build);
    arb_row_spill_destroy(join->probe);
    for (size_t i = 0; i < join->deeper.size; i++)
        arb_row_spill_destroy(join->deeper.data[i]);
    join->build = join->probe = NULL;
    ARB_VEC_RESET(&join->deeper);
    ARB_VEC_RESET(&join->waiting);
    if (join->can_spill)
        arb_memory_share_settle(&op->share);
}

static void destroy(arb_operator *op)
{
    hash_join *join = (hash_join *)op;
    while (join->filters != NULL) {
        arb_key_filter *next = join->filters->next;
        arb_free(join->filters);
        join->filters = next;
    }
    arb_hash_join_forget(join);
    for (size_t k = 0; join->summaries != NULL && k < join->key_count; k++)
        arb_key_summary_reset(&join->summaries[k]);
    release(op);
    arb_operator_spill_reset(op);
    pthread_mutex_destroy(&join->lock);
    arb_arena_reset(&join->arena);
    arb_free(join);
}

static const arb_operator_vtable vtable = {
    .name = "HASH_JOIN",
    .destroy = destroy,
    .source_create = arb_hash_join_source_create,
    .pull = arb_hash_join_pull,
    .source_destroy = arb_hash_join_source_destroy,
    .source_parallelism = arb_hash_join_source_parallelism,
    .transform_create = arb_hash_join_transform_create,
    .push = arb_hash_join_push,
    .flush = arb_hash_join_flush,
    .transform_destroy = arb_hash_join_transform_destroy,
    .sink_create = arb_hash_join_sink_create,
    .sink = arb_hash_join_sink,
    .combine = arb_hash_join_combine,
    .sink_destroy = arb_hash_join_sink_destroy,
    .finish_parts = arb_hash_join_finish_parts,
    .finish_part = arb_hash_join_finish_part,
    .finish = arb_hash_join_finish,
    .release = release,
};

/* ---- what must be held of the build side ---------------------------------------------------------------------------- */

typedef struct row_plan {
    size_t count;
    uint32_t *columns; /* per row column: the build side's column */
    uint32_t *places;  /* per build column: its row column, or UINT32_MAX */
    arb_slot *slots;
} row_plan;

static uint32_t hold(row_plan *plan, const arb_layout *build, uint32_t column)
{
    if (plan->places[column] == UINT32_MAX) {
        plan->places[column] = (uint32_t)plan->count;
        plan->columns[plan->count] = column;
        plan->slots[plan->count++] = build->slots[column];
    }
    return plan->places[column];
}

static arb_code plan_residual(hash_join *join, const arb_physical_node *node, row_plan *plan, arb_error *error)
{
    const arb_layout *probe = &node->children[0]->layout, *build = &node->children[1]->layout;
    size_t count = probe->count + build->count;
    arb_slot *slots = ARB_ARENA_ARRAY(&join->arena, arb_slot, count + 1);
    arb_join_column *columns = ARB_ARENA_ARRAY(&join->arena, arb_join_column, count + 1);
    uint32_t *places = ARB_ARENA_ARRAY(&join->arena, uint32_t, count + 1);
    if (slots == NULL || columns == NULL || places == NULL)
        return arb_fail_memory(error, join->name, count * sizeof *slots);
    memcpy(slots, probe->slots, probe->count * sizeof *slots);
    memcpy(slots + probe->count, build->slots, build->count * sizeof *slots);
    const arb_layout *both = &(arb_layout){count, slots};
    const arb_program *program;
    ARB_TRY(arb_program_compile(&join->arena, both, &node->join.residual, 1, &program, error));
    join->residual = program;
    join->input_count = (uint32_t)count;
    const bool *reads = arb_program_inputs(join->residual);
    for (size_t i = 0; i < count; i++) {
        if (!reads[i])
            continue;
        bool from_probe = i < probe->count;
        uint32_t at = (uint32_t)(from_probe ? i : hold(plan, build, (uint32_t)(i - probe->count)));
        places[join->inputs.count] = (uint32_t)i;
        columns[join->inputs.count++] =
            (arb_join_column){from_probe ? ARB_SIDE_PROBE : ARB_SIDE_BUILD, (uint8_t)slots[i].physical, at};
    }
    join->inputs.columns = columns;
    join->input_places = places;
    return ARB_OK;
}

static arb_code plan_output(hash_join *join, const arb_physical_node *node, row_plan *plan, arb_error *error)
{
    const arb_layout *probe = &node->children[0]->layout, *build = &node->children[1]->layout;
    arb_join_column *columns = ARB_ARENA_ARRAY(&join->arena, arb_join_column, node->join.output_count + 1);
    if (columns == NULL)
        return arb_fail_memory(error, join->name, node->join.output_count * sizeof *columns);
    for (size_t i = 0; i < node->join.output_count; i++) {
        uint32_t column = node->join.columns[i];
        if (column == UINT32_MAX) {
            columns[i] = (arb_join_column){ARB_SIDE_MARK, ARB_PHYS_BOOL, 0};
        } else if (column < probe->count) {
            columns[i] = (arb_join_column){ARB_SIDE_PROBE, (uint8_t)probe->slots[column].physical, column};
        } else {
            column -= (uint32_t)probe->count;
            assert(column < build->count);
            uint32_t at = hold(plan, build, column);
            columns[i] = (arb_join_column){ARB_SIDE_BUILD, (uint8_t)build->slots[column].physical, at};
        }
    }
    join->columns.count = node->join.output_count;
    join->columns.columns = columns;
    return ARB_OK;
}

static arb_code plan_columns(hash_join *join, const arb_physical_node *node, arb_error *error)
{
    const arb_layout *build = &node->children[1]->layout;
    size_t most = join->key_count + build->count;
    row_plan plan = {.columns = ARB_ARENA_ARRAY(&join->arena, uint32_t, most + 1),
                     .places = ARB_ARENA_ARRAY(&join->arena, uint32_t, build->count + 1),
                     .slots = ARB_ARENA_ARRAY(&join->arena, arb_slot, most + 1)};
    if (plan.columns == NULL || plan.places == NULL || plan.slots == NULL)
        return arb_fail_memory(error, join->name, most * sizeof *plan.slots);
    memset(plan.places, 0xFF, build->count * sizeof *plan.places);
    for (size_t k = 0; k < join->key_count; k++) { /* a column may be key twice: row column k is always key k */
        uint32_t column = join->build_keys[k];
        plan.places[column] = (uint32_t)k;
        plan.columns[k] = column;
        plan.slots[k] = build->slots[column];
    }
    plan.count = join->key_count;
    if (node->join.residual != NULL)
        ARB_TRY(plan_residual(join, node, &plan, error));
    ARB_TRY(plan_output(join, node, &plan, error));
    join->row_columns = plan.columns;
    ARB_TRY(arb_row_layout_init(&join->rows, &join->arena, plan.slots, plan.count, 0, error));
    join->columns.rows = join->inputs.rows = &join->rows;
    return ARB_OK;
}

static arb_code check(const hash_join *join, const arb_physical_node *node, arb_error *error)
{
    if (join->null_aware && join->key_count > 1 && node->join.residual == NULL)
        return arb_fail(error, ARB_INTERNAL, "a null-aware hash join has one key, or a further condition");
    for (size_t k = 0; k < join->key_count; k++) {
        const arb_slot *probe = &node->children[0]->layout.slots[join->probe_keys[k]];
        const arb_slot *build = &node->children[1]->layout.slots[join->build_keys[k]];
        if (probe->physical != build->physical)
            return arb_fail(error, ARB_INTERNAL, "the keys of a hash join have different widths");
    }
    return ARB_OK;
}

static arb_code join_create(const arb_physical_node *node, size_t key_count, const char *name,
                            arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    *out_op = NULL;
    hash_join *join = arb_alloc_zeroed(sizeof *join);
    if (join == NULL)
        return arb_fail_memory(error, name, sizeof *join);
    join->base = (arb_operator){.vtable = &vtable, .node = node, .context = context};
    join->memory = context->memory;
    pthread_mutex_init(&join->lock, NULL);
    join->name = name;
    join->output = node->join.output;
    join->null_aware = node->join.null_aware;
    join->null_equal = node->join.null_equal;
    join->key_count = key_count;
    join->probe_keys = node->join.probe_keys;
    join->build_keys = node->join.build_keys;
    join->probe_columns = (uint32_t)node->children[0]->layout.count;
    join->keep_loose = join->output == ARB_JOIN_BUILD_OUTER || join->output == ARB_JOIN_FULL_OUTER ||
                       join->output == ARB_JOIN_BUILD_ANTI;
    bool exists = join->output == ARB_JOIN_PROBE_SEMI || join->output == ARB_JOIN_PROBE_ANTI ||
                  join->output == ARB_JOIN_PROBE_MARK;
    join->first_only = exists && node->join.residual == NULL;
    join->exists_only = join->first_only && join->null_equal == NULL;
    join->marks_only =
        (join->output == ARB_JOIN_BUILD_SEMI || join->output == ARB_JOIN_BUILD_ANTI) && node->join.residual == NULL;
    join->can_spill = key_count != 0;
    if (join->can_spill)
        arb_operator_may_spill(&join->base);
    arb_code code = check(join, node, error);
    if (code == ARB_OK)
        code = plan_columns(join, node, error);
    if (code != ARB_OK)
        goto failed;
    join->ranges = ARB_ARENA_ARRAY(&join->arena, arb_key_range, key_count + 1);
    join->summaries = ARB_ARENA_ARRAY(&join->arena, arb_key_summary, key_count + 1);
    join->has_null = ARB_ARENA_ARRAY(&join->arena, bool, join->rows.column_count + 1);
    if (join->ranges == NULL || join->summaries == NULL || join->has_null == NULL) {
        code = arb_fail_memory(error, name, key_count * sizeof *join->summaries);
        goto failed;
    }
    arb_memory_share *share = join->can_spill ? &join->base.share : NULL;
    ARB_TRY_GOTO(code, arb_join_table_init(join, &join->table, share, error), failed);
    ARB_TRY_GOTO(code, arb_row_store_init(&join->loose, &join->rows, context->memory, name, error), failed);
    join->columns.has_null = join->inputs.has_null = join->has_null;
    *out_op = &join->base;
    return ARB_OK;
failed:
    destroy(&join->base);
    return code;
}

arb_code arb_hash_join_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                              arb_error *error)
{
    return join_create(node, node->join.key_count, "hash join", context, out_op, error);
}

arb_code arb_loop_join_create(const arb_physical_node *node, arb_query_context *context, arb_operator **out_op,
                              arb_error *error)
{
    return join_create(node, 0, "loop join", context, out_op, error);
}

arb_code arb_hash_join_runtime_filter(arb_operator *op, uint32_t key, uint32_t column, arb_scan_filter **out_filter,
                                      arb_error *error)
{
    hash_join *join = (hash_join *)op;
    assert(key < join->key_count);
    *out_filter = NULL;
    arb_key_filter *filter = arb_alloc_zeroed(sizeof *filter);
    if (filter == NULL)
        return arb_fail_memory(error, "join filter", sizeof *filter);
    arb_key_filter_init(filter, &join->summaries[key], key, column);
    filter->next = join->filters;
    join->filters = filter;
    *out_filter = &filter->base;
    return ARB_OK;
}
