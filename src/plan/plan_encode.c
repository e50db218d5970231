/* plan_encode.c: nodes become entries of a flat list, children first. */
#include "plan/plan_codec.h"
#include "proto/plan.pb-c.h"

static uint32_t *copy_numbers(plan_writer *w, const uint32_t *numbers, size_t count)
{
    uint32_t *copy = arb_plan_write_room(w, count, sizeof *copy);
    if (copy != NULL && count != 0)
        memcpy(copy, numbers, count * sizeof *copy);
    return copy;
}

static uint32_t *write_exprs(plan_writer *w, const arb_expr *const *exprs, size_t count)
{
    uint32_t *places = arb_plan_write_room(w, count, sizeof *places);
    for (size_t i = 0; places != NULL && i < count; i++)
        places[i] = arb_plan_write_expr(w, exprs[i]);
    return places;
}

static Arbalest__Plan__Slot **write_slots(plan_writer *w, const arb_slot *slots, size_t count)
{
    Arbalest__Plan__Slot **list = arb_plan_write_messages(w, &arbalest__plan__slot__descriptor, count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i]->id = slots[i].id;
        list[i]->type = arb_plan_write_type(w, slots[i].type);
        list[i]->physical = slots[i].physical;
        list[i]->nullable = slots[i].nullable;
        if (!slots[i].range.known)
            continue;
        list[i]->has_range = true;
        list[i]->low = (uint64_t)slots[i].range.low;
        list[i]->low_high = (int64_t)(slots[i].range.low >> 64);
        list[i]->high = (uint64_t)slots[i].range.high;
        list[i]->high_high = (int64_t)(slots[i].range.high >> 64);
    }
    return list;
}

static Arbalest__Plan__RuntimeFilter **write_runtime(plan_writer *w, const arb_runtime_filter *filters, size_t count)
{
    Arbalest__Plan__RuntimeFilter **list =
        arb_plan_write_messages(w, &arbalest__plan__runtime_filter__descriptor, count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i]->number = filters[i].number;
        list[i]->key = filters[i].key;
        list[i]->column = filters[i].column;
    }
    return list;
}

static Arbalest__Plan__SortKey **write_sort_keys(plan_writer *w, const arb_physical_sort_key *keys, size_t count)
{
    Arbalest__Plan__SortKey **list = arb_plan_write_messages(w, &arbalest__plan__sort_key__descriptor, count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i]->column = keys[i].column;
        list[i]->descending = keys[i].descending;
        list[i]->nulls_first = keys[i].nulls_first;
    }
    return list;
}

static uint32_t write_table(plan_writer *w, const arb_table *table)
{
    for (size_t i = 0; i < w->known_tables.size; i++)
        if (w->known_tables.data[i] == table)
            return (uint32_t)i;
    Arbalest__Plan__Table *made = arb_plan_write_message(w, &arbalest__plan__table__descriptor);
    if (made == NULL)
        return 0;
    arb_text reference = {0};
    arb_code code = w->tables->write(w->tables->context, table, &reference, w->error);
    char *kept = code == ARB_OK ? arb_arena_copy(w->arena, arb_text_view(&reference).data, reference.size) : NULL;
    made->name = arb_plan_write_text(w, table->name);
    made->reference = arb_plan_write_text(w, (arb_str){kept, reference.size});
    arb_text_reset(&reference);
    if (code != ARB_OK)
        arb_plan_write_failed(w, code);
    else if (kept == NULL || !ARB_ARENA_PUSH(w->arena, &w->known_tables, table) ||
             !ARB_ARENA_PUSH(w->arena, &w->table_names, made))
        arb_plan_write_failed(w, arb_fail_memory(w->error, "a plan's message", sizeof *made));
    return (uint32_t)w->known_tables.size - 1;
}

/* ---- one kind of node after the other ------------------------------------------------------------------------------------- */

static void write_scan(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Scan *scan = arb_plan_write_message(w, &arbalest__plan__scan__descriptor);
    uint32_t *sources = arb_plan_write_room(w, node->scan.column_count, sizeof *sources);
    if (sources == NULL)
        return;
    for (size_t i = 0; i < node->scan.column_count; i++)
        sources[i] = node->scan.columns[i].source;
    scan->table = write_table(w, node->scan.table);
    scan->alias = arb_plan_write_text(w, node->scan.alias);
    scan->n_sources = node->scan.column_count;
    scan->sources = sources;
    scan->output_count = (uint32_t)node->layout.count;
    scan->n_filters = node->scan.filter_count;
    scan->filters = write_exprs(w, node->scan.filters, node->scan.filter_count);
    scan->n_runtime = node->scan.runtime_count;
    scan->runtime = write_runtime(w, node->scan.runtime, node->scan.runtime_count);
    scan->limit = node->scan.limit;
    to->body_case = ARBALEST__PLAN__NODE__BODY_SCAN;
    to->scan = scan;
}

static void write_values(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Values *values = arb_plan_write_message(w, &arbalest__plan__values__descriptor);
    if (values == NULL)
        return;
    values->row_count = node->values.row_count;
    values->n_cells = node->values.row_count * node->layout.count;
    values->cells = write_exprs(w, node->values.cells, values->n_cells);
    to->body_case = ARBALEST__PLAN__NODE__BODY_VALUES;
    to->values = values;
}

static void write_project(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Project *project = arb_plan_write_message(w, &arbalest__plan__project__descriptor);
    if (project == NULL)
        return;
    project->n_exprs = node->layout.count;
    project->exprs = write_exprs(w, node->project.exprs, node->layout.count);
    to->body_case = ARBALEST__PLAN__NODE__BODY_PROJECT;
    to->project = project;
}

static void write_join(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Join *join = arb_plan_write_message(w, &arbalest__plan__join__descriptor);
    if (join == NULL)
        return;
    join->output = node->join.output;
    join->null_aware = node->join.null_aware;
    join->n_null_equal = node->join.null_equal != NULL ? node->join.key_count : 0;
    join->null_equal = arb_plan_write_room(w, join->n_null_equal, sizeof *join->null_equal);
    for (size_t k = 0; join->null_equal != NULL && k < join->n_null_equal; k++)
        join->null_equal[k] = node->join.null_equal[k];
    join->build_unique = node->join.build_unique;
    join->n_probe_keys = join->n_build_keys = node->join.key_count;
    join->probe_keys = copy_numbers(w, node->join.probe_keys, node->join.key_count);
    join->build_keys = copy_numbers(w, node->join.build_keys, node->join.key_count);
    join->n_residual = node->join.residual != NULL;
    join->residual = write_exprs(w, &node->join.residual, join->n_residual);
    join->n_columns = node->join.output_count;
    join->columns = copy_numbers(w, node->join.columns, node->join.output_count);
    join->n_runtime = node->join.runtime_count;
    join->runtime = write_runtime(w, node->join.runtime, node->join.runtime_count);
    to->body_case = ARBALEST__PLAN__NODE__BODY_JOIN;
    to->join = join;
}

static void write_call(plan_writer *w, const arb_physical_aggregate *call, bool is_final,
                       Arbalest__Plan__AggregateCall *to)
{
    const arb_aggregate_plan *plan = &call->plan;
    arb_str name = arb_str_of(plan->function->name);
    arb_type *types = arb_plan_write_room(w, plan->argument_count, sizeof *types);
    uint32_t *constants = arb_plan_write_room(w, plan->argument_count, sizeof *constants);
    if (constants == NULL)
        return;
    for (size_t i = 0; i < plan->argument_count; i++) {
        types[i] = plan->arguments[i].type;
        if (plan->constants[i] != NULL)
            constants[i] = arb_plan_write_value(w, plan->constants[i]) + 1;
    }
    if (arb_plan_find_function(ARB_FUNCTION_AGGREGATE, name, types, plan->constants, plan->argument_count,
                               plan->result) != plan->function)
        arb_plan_write_failed(w,
                              arb_fail(w->error, ARB_INTERNAL, "the call of %s cannot be named in a plan", name.data));
    to->function = arb_plan_write_text(w, name);
    to->result = arb_plan_write_type(w, plan->result);
    to->n_arguments = is_final ? 1 : plan->argument_count;
    to->arguments = copy_numbers(w, call->arguments, to->n_arguments);
    to->n_constants = plan->argument_count;
    to->constants = constants;
    to->rows_most = plan->rows_most;
    to->filter = call->filter;
    to->distinct = call->distinct;
    to->n_order = call->order_count;
    to->order = write_sort_keys(w, call->order, call->order_count);
    if (is_final) {
        to->n_argument_slots = plan->argument_count;
        to->argument_slots = write_slots(w, plan->arguments, plan->argument_count);
    }
}

static void write_aggregate(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Aggregate *aggregate = arb_plan_write_message(w, &arbalest__plan__aggregate__descriptor);
    Arbalest__Plan__AggregateCall **calls =
        arb_plan_write_messages(w, &arbalest__plan__aggregate_call__descriptor, node->aggregate.aggregate_count);
    if (calls == NULL)
        return;
    aggregate->phase = node->aggregate.phase;
    aggregate->n_groups = node->aggregate.group_count;
    aggregate->groups = copy_numbers(w, node->aggregate.groups, node->aggregate.group_count);
    aggregate->n_calls = node->aggregate.aggregate_count;
    aggregate->calls = calls;
    for (size_t i = 0; i < aggregate->n_calls; i++)
        write_call(w, &node->aggregate.aggregates[i], node->aggregate.phase == ARB_AGGREGATE_FINAL, calls[i]);
    to->body_case = ARBALEST__PLAN__NODE__BODY_AGGREGATE;
    to->aggregate = aggregate;
}

static void write_sort(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Sort *sort = arb_plan_write_message(w, &arbalest__plan__sort__descriptor);
    if (sort == NULL)
        return;
    sort->n_keys = node->sort.key_count;
    sort->keys = write_sort_keys(w, node->sort.keys, node->sort.key_count);
    sort->limit = node->sort.limit;
    sort->offset = node->sort.offset;
    to->body_case = ARBALEST__PLAN__NODE__BODY_SORT;
    to->sort = sort;
}

static void write_limit(plan_writer *w, int64_t count, int64_t offset, const uint32_t *groups, size_t group_count,
                        Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Limit *limit = arb_plan_write_message(w, &arbalest__plan__limit__descriptor);
    if (limit == NULL)
        return;
    limit->count = count;
    limit->offset = offset;
    limit->n_groups = group_count;
    limit->groups = copy_numbers(w, groups, group_count);
    to->body_case = ARBALEST__PLAN__NODE__BODY_LIMIT;
    to->limit = limit;
}

static void write_shared(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Shared *shared = arb_plan_write_message(w, &arbalest__plan__shared__descriptor);
    if (shared == NULL)
        return;
    shared->number = node->shared.number;
    shared->n_columns = node->layout.count;
    shared->columns = copy_numbers(w, node->shared.columns, node->layout.count);
    to->body_case = ARBALEST__PLAN__NODE__BODY_SHARED;
    to->shared = shared;
}

static void write_exchange(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    Arbalest__Plan__Exchange *exchange = arb_plan_write_message(w, &arbalest__plan__exchange__descriptor);
    if (exchange == NULL)
        return;
    exchange->stage = node->exchange.stage;
    exchange->read = node->exchange.read;
    exchange->n_columns = node->layout.count;
    exchange->columns = copy_numbers(w, node->exchange.columns, node->layout.count);
    exchange->partitions = node->exchange.partitions;
    exchange->produced =
        arb_plan_write_text(w, (arb_str){(const char *)node->exchange.produced, node->exchange.produced_count});
    to->body_case = ARBALEST__PLAN__NODE__BODY_EXCHANGE;
    to->exchange = exchange;
}

static void write_body(plan_writer *w, const arb_physical_node *node, Arbalest__Plan__Node *to)
{
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        write_scan(w, node, to);
        return;
    case ARB_PHYSICAL_VALUES:
        write_values(w, node, to);
        return;
    case ARB_PHYSICAL_FILTER:
        to->body_case = ARBALEST__PLAN__NODE__BODY_CONDITION;
        to->condition = arb_plan_write_expr(w, node->filter.condition);
        return;
    case ARB_PHYSICAL_PROJECT:
        write_project(w, node, to);
        return;
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        write_join(w, node, to);
        return;
    case ARB_PHYSICAL_AGGREGATE:
        write_aggregate(w, node, to);
        return;
    case ARB_PHYSICAL_SORT:
        write_sort(w, node, to);
        return;
    case ARB_PHYSICAL_LIMIT:
        write_limit(w, node->limit.count, node->limit.offset, NULL, 0, to);
        return;
    case ARB_PHYSICAL_GROUP_LIMIT:
        write_limit(w, node->group_limit.count, node->group_limit.offset, node->group_limit.groups,
                    node->group_limit.group_count, to);
        return;
    case ARB_PHYSICAL_SHARED:
        write_shared(w, node, to);
        return;
    case ARB_PHYSICAL_EXCHANGE:
        write_exchange(w, node, to);
        return;
    case ARB_PHYSICAL_REPEAT:
    case ARB_PHYSICAL_UNION:
    case ARB_PHYSICAL_KIND_COUNT:
        return;
    }
}

static uint32_t write_node(plan_writer *w, const arb_physical_node *node)
{
    Arbalest__Plan__Node *to = arb_plan_write_message(w, &arbalest__plan__node__descriptor);
    uint32_t *children = arb_plan_write_room(w, node->child_count, sizeof *children);
    if (children == NULL)
        return 0;
    for (size_t i = 0; i < node->child_count; i++)
        children[i] = write_node(w, node->children[i]);
    to->kind = node->kind;
    to->number = node->number;
    to->n_children = node->child_count;
    to->children = children;
    to->rows = node->rows;
    if (!arb_plan_keeps_columns(node->kind)) {
        const arb_layout *layout = node->kind == ARB_PHYSICAL_SCAN ? &node->scan.read : &node->layout;
        to->n_slots = layout->count;
        to->slots = write_slots(w, layout->slots, layout->count);
    }
    write_body(w, node, to);
    if (w->code == ARB_OK && !ARB_ARENA_PUSH(w->arena, &w->nodes, to))
        arb_plan_write_failed(w, arb_fail_memory(w->error, "a plan's message", sizeof *to));
    return (uint32_t)w->nodes.size - 1;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

Arbalest__Plan__Plan *arb_plan_write(plan_writer *w, const arb_physical_plan *plan)
{
    Arbalest__Plan__Plan *to = arb_plan_write_message(w, &arbalest__plan__plan__descriptor);
    uint32_t *shared = arb_plan_write_room(w, plan->shared_count, sizeof *shared);
    ProtobufCBinaryData *names = arb_plan_write_room(w, plan->column_count, sizeof *names);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < plan->shared_count; i++)
        shared[i] = write_node(w, plan->shared[i]);
    for (size_t i = 0; i < plan->column_count; i++)
        names[i] = arb_plan_write_text(w, plan->names[i]);
    to->version = ARB_PLAN_WIRE_VERSION;
    to->root = write_node(w, plan->root);
    to->n_shared = plan->shared_count;
    to->shared = shared;
    to->node_count = plan->node_count;
    to->runtime_filter_count = plan->runtime_filter_count;
    to->n_columns = to->n_names = plan->column_count;
    to->columns = copy_numbers(w, plan->columns, plan->column_count);
    to->names = names;
    to->n_types = w->types.types.size;
    to->types = w->types.types.data;
    to->n_values = w->values.size;
    to->values = w->values.data;
    to->n_exprs = w->exprs.size;
    to->exprs = w->exprs.data;
    to->n_tables = w->table_names.size;
    to->tables = w->table_names.data;
    to->n_nodes = w->nodes.size;
    to->nodes = w->nodes.data;
    return w->code == ARB_OK ? to : NULL;
}

arb_code arb_plan_encode(const arb_physical_plan *plan, const arb_plan_tables *tables, arb_text *out, arb_error *error)
{
    arb_arena arena = {0};
    plan_writer w = {.arena = &arena, .error = error, .tables = tables, .types.arena = &arena};
    Arbalest__Plan__Plan *message = arb_plan_write(&w, plan);
    arb_code code = message == NULL ? w.code : arb_wire_pack(&message->base, out, error);
    arb_arena_reset(&arena);
    return code;
}
