/* plan_decode.c: nodes from the entries of a flat list.
 *
 * While they are put together only places are checked: that what an entry names is there. Whether it fits is then seen for
 * the whole plan (physical_validate.c). */
#include "plan/plan_codec.h"
#include "proto/plan.pb-c.h"

#include "expr/function.h"

static_assert(ARB_PHYSICAL_SCAN == 0 && ARB_PHYSICAL_HASH_JOIN == 4 && ARB_PHYSICAL_AGGREGATE == 6 &&
                  ARB_PHYSICAL_EXCHANGE == 13 && ARB_PHYSICAL_KIND_COUNT == 14,
              "nodes have the numbers that they travel under");
static_assert(ARB_PHYS_BOOL == 0 && ARB_PHYS_INT128 == 5 && ARB_PHYS_STRING == 8 && ARB_PHYS_STRUCT == 11,
              "physical types have the numbers that they travel under");

static arb_code no_memory(const plan_reader *r, size_t size)
{
    return arb_fail_memory(r->error, "a plan", size);
}

#define EXPECT(condition, what)                                   \
    do {                                                          \
        if (!(condition))                                         \
            return arb_plan_damaged(r, "node", at, "%s", (what)); \
    } while (0)

static arb_code copy_numbers(plan_reader *r, const uint32_t *from, size_t count, const uint32_t **out)
{
    uint32_t *copy = ARB_ARENA_ARRAY(r->arena, uint32_t, count + 1);
    if (copy == NULL)
        return no_memory(r, count * sizeof *copy);
    if (count != 0)
        memcpy(copy, from, count * sizeof *copy);
    *out = copy;
    return ARB_OK;
}

static arb_code pick_exprs(plan_reader *r, size_t at, const uint32_t *places, size_t count, const arb_expr *const **out)
{
    const arb_expr **exprs = ARB_ARENA_ARRAY(r->arena, const arb_expr *, count + 1);
    if (exprs == NULL)
        return no_memory(r, count * sizeof *exprs);
    for (size_t i = 0; i < count; i++) {
        EXPECT(places[i] < r->plan->n_exprs, "has an expression that is not there");
        exprs[i] = r->exprs[places[i]];
    }
    *out = exprs;
    return ARB_OK;
}

static arb_code read_slots(plan_reader *r, size_t at, Arbalest__Plan__Slot *const *from, size_t count,
                           const arb_slot **out)
{
    arb_slot *slots = ARB_ARENA_ARRAY(r->arena, arb_slot, count + 1);
    if (slots == NULL)
        return no_memory(r, count * sizeof *slots);
    for (size_t i = 0; i < count; i++) {
        EXPECT(from[i]->type < r->plan->n_types && from[i]->physical < ARB_PHYS_COUNT, "has a column of no known type");
        slots[i] = (arb_slot){.id = from[i]->id,
                              .type = r->types[from[i]->type],
                              .physical = (arb_physical)from[i]->physical,
                              .nullable = from[i]->nullable};
        if (from[i]->has_range)
            slots[i].range = (arb_range){true, arb_plan_read_integer(from[i]->low, from[i]->low_high),
                                         arb_plan_read_integer(from[i]->high, from[i]->high_high)};
    }
    *out = slots;
    return ARB_OK;
}

static arb_code read_runtime(plan_reader *r, Arbalest__Plan__RuntimeFilter *const *from, size_t count,
                             const arb_runtime_filter **out)
{
    arb_runtime_filter *filters = ARB_ARENA_ARRAY(r->arena, arb_runtime_filter, count + 1);
    if (filters == NULL)
        return no_memory(r, count * sizeof *filters);
    for (size_t i = 0; i < count; i++)
        filters[i] = (arb_runtime_filter){from[i]->number, from[i]->key, from[i]->column};
    *out = filters;
    return ARB_OK;
}

static arb_code read_sort_keys(plan_reader *r, Arbalest__Plan__SortKey *const *from, size_t count,
                               const arb_physical_sort_key **out)
{
    arb_physical_sort_key *keys = ARB_ARENA_ARRAY(r->arena, arb_physical_sort_key, count + 1);
    if (keys == NULL)
        return no_memory(r, count * sizeof *keys);
    for (size_t i = 0; i < count; i++)
        keys[i] = (arb_physical_sort_key){from[i]->column, from[i]->descending, from[i]->nulls_first};
    *out = keys;
    return ARB_OK;
}

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

static void release_table(void *table)
{
    arb_table_unref(table);
}

static arb_code read_tables(plan_reader *r, const arb_plan_tables *tables)
{
    r->tables = ARB_ARENA_ARRAY(r->arena, arb_table *, r->plan->n_tables + 1);
    if (r->tables == NULL)
        return no_memory(r, r->plan->n_tables * sizeof *r->tables);
    for (size_t i = 0; i < r->plan->n_tables; i++) {
        const Arbalest__Plan__Table *from = r->plan->tables[i];
        arb_table *table;
        ARB_TRY(tables->find(tables->context, arb_plan_read_text(from->name), arb_plan_read_text(from->reference),
                             tables->stop, &table, r->error));
        arb_code code = arb_arena_on_reset(r->arena, release_table, table, r->error);
        if (code != ARB_OK) {
            arb_table_unref(table);
            return code;
        }
        r->tables[i] = table;
    }
    return ARB_OK;
}

/* ---- one kind of node after the other ------------------------------------------------------------------------------------- */

static arb_code read_scan(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Scan *from = r->plan->nodes[at]->scan;
    size_t count = node->layout.count;
    arb_scan_column *columns = ARB_ARENA_ARRAY(r->arena, arb_scan_column, count + 1);
    if (columns == NULL)
        return no_memory(r, count * sizeof *columns);
    EXPECT(from->table < r->plan->n_tables, "scans a table that is not there");
    EXPECT(from->n_sources == count && from->output_count <= count, "scans other columns than it gives");
    for (size_t i = 0; i < count; i++)
        columns[i] = arb_scan_column_of(&node->layout.slots[i], from->sources[i], i >= from->output_count);
    node->scan.table = r->tables[from->table];
    node->scan.alias = arb_plan_read_text(from->alias);
    node->scan.column_count = count;
    node->scan.columns = columns;
    node->scan.read = node->layout;
    node->layout.count = from->output_count;
    node->scan.limit = from->limit;
    node->scan.filter_count = from->n_filters;
    node->scan.runtime_count = from->n_runtime;
    ARB_TRY(pick_exprs(r, at, from->filters, from->n_filters, &node->scan.filters));
    return read_runtime(r, from->runtime, from->n_runtime, &node->scan.runtime);
}

static arb_code read_values(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Values *from = r->plan->nodes[at]->values;
    uint64_t cells;
    EXPECT(!__builtin_mul_overflow(from->row_count, (uint64_t)node->layout.count, &cells) && cells == from->n_cells,
           "has more or fewer values than rows and columns");
    node->values.row_count = from->row_count;
    return pick_exprs(r, at, from->cells, from->n_cells, &node->values.cells);
}

static arb_code read_join(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Join *from = r->plan->nodes[at]->join;
    const arb_expr *const *residual;
    EXPECT(from->n_probe_keys == from->n_build_keys && from->n_residual <= 1 && from->n_columns == node->layout.count &&
               (from->n_null_equal == 0 || from->n_null_equal == from->n_probe_keys) &&
               from->output <= ARB_JOIN_PROBE_SINGLE,
           "is no join");
    ARB_TRY(pick_exprs(r, at, from->residual, from->n_residual, &residual));
    node->join.output = (uint8_t)from->output;
    node->join.null_aware = from->null_aware;
    node->join.build_unique = from->build_unique;
    node->join.key_count = from->n_probe_keys;
    node->join.residual = residual[0];
    node->join.output_count = from->n_columns;
    node->join.runtime_count = from->n_runtime;
    bool *null_equal = ARB_ARENA_ARRAY(r->arena, bool, from->n_null_equal + 1);
    if (null_equal == NULL)
        return no_memory(r, from->n_null_equal);
    for (size_t k = 0; k < from->n_null_equal; k++)
        null_equal[k] = from->null_equal[k];
    node->join.null_equal = from->n_null_equal != 0 ? null_equal : NULL;
    ARB_TRY(copy_numbers(r, from->probe_keys, from->n_probe_keys, &node->join.probe_keys));
    ARB_TRY(copy_numbers(r, from->build_keys, from->n_build_keys, &node->join.build_keys));
    ARB_TRY(copy_numbers(r, from->columns, from->n_columns, &node->join.columns));
    return read_runtime(r, from->runtime, from->n_runtime, &node->join.runtime);
}

/* What the arguments are: the child's columns, or, where it has states instead, what the message says. */
static arb_code read_arguments(plan_reader *r, size_t at, const arb_physical_node *node, bool is_final,
                               const Arbalest__Plan__AggregateCall *from, arb_physical_aggregate *call)
{
    const arb_layout *child = &node->children[0]->layout;
    size_t count = from->n_constants;
    ARB_TRY(copy_numbers(r, from->arguments, from->n_arguments, &call->arguments));
    EXPECT(from->n_arguments == (is_final ? 1 : count) && from->n_argument_slots == (is_final ? count : 0),
           "aggregates more or fewer arguments than it has");
    for (size_t i = 0; i < from->n_arguments; i++)
        EXPECT(from->arguments[i] < child->count, "aggregates a column that it does not get");
    if (is_final)
        return read_slots(r, at, from->argument_slots, count, &call->plan.arguments);
    arb_slot *slots = ARB_ARENA_ARRAY(r->arena, arb_slot, count + 1);
    if (slots == NULL)
        return no_memory(r, count * sizeof *slots);
    for (size_t i = 0; i < count; i++)
        slots[i] = child->slots[from->arguments[i]];
    call->plan.arguments = slots;
    return ARB_OK;
}

static arb_code find_aggregate(plan_reader *r, size_t at, const Arbalest__Plan__AggregateCall *from,
                               arb_physical_aggregate *call)
{
    size_t count = from->n_constants;
    arb_str name = arb_plan_read_text(from->function);
    arb_type *types = ARB_ARENA_ARRAY(r->arena, arb_type, count + 1);
    const arb_value **constants = ARB_ARENA_ARRAY(r->arena, const arb_value *, count + 1);
    if (types == NULL || constants == NULL)
        return no_memory(r, count * sizeof *types);
    for (size_t i = 0; i < count; i++) {
        EXPECT(from->constants[i] <= r->plan->n_values, "aggregates a constant that is not there");
        constants[i] = from->constants[i] == 0 ? NULL : &r->values[from->constants[i] - 1];
        types[i] = call->plan.arguments[i].type;
        EXPECT(constants[i] == NULL || arb_type_equal(constants[i]->type, types[i]),
               "aggregates a constant of another type");
    }
    call->plan.function =
        arb_plan_find_function(ARB_FUNCTION_AGGREGATE, name, types, constants, count, call->plan.result);
    if (call->plan.function == NULL)
        return arb_fail(r->error, ARB_NOT_SUPPORTED,
                        "the plan's node %zu calls an aggregate %.*s that is not known here", at,
                        (int)ARB_MIN(name.size, (size_t)64), name.data);
    call->plan.implementation = call->plan.function->aggregate;
    call->plan.constants = constants;
    call->plan.argument_count = count;
    return ARB_OK;
}

static arb_code read_call(plan_reader *r, size_t at, const arb_physical_node *node, bool is_final,
                          const Arbalest__Plan__AggregateCall *from, arb_physical_aggregate *call)
{
    EXPECT(from->result < r->plan->n_types, "aggregates to no known type");
    call->plan.result = r->types[from->result];
    call->plan.rows_most = from->rows_most;
    call->filter = from->filter;
    call->distinct = from->distinct;
    call->order_count = from->n_order;
    ARB_TRY(read_arguments(r, at, node, is_final, from, call));
    ARB_TRY(find_aggregate(r, at, from, call));
    ARB_TRY(read_sort_keys(r, from->order, from->n_order, &call->order));
    arb_slot result = {.type = call->plan.result, .physical = arb_type_physical(call->plan.result), .nullable = true};
    result.range = arb_range_of_type(result.type);
    return call->plan.implementation->plan(&call->plan, &call->state_size, &result, r->error);
}

static arb_code read_aggregate(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Aggregate *from = r->plan->nodes[at]->aggregate;
    arb_physical_aggregate *calls = ARB_ARENA_ARRAY(r->arena, arb_physical_aggregate, from->n_calls + 1);
    if (calls == NULL)
        return no_memory(r, from->n_calls * sizeof *calls);
    EXPECT(from->phase <= ARB_AGGREGATE_FINAL && node->child_count == 1, "aggregates in an unknown phase");
    for (size_t i = 0; i < from->n_calls; i++)
        ARB_TRY(read_call(r, at, node, from->phase == ARB_AGGREGATE_FINAL, from->calls[i], &calls[i]));
    node->aggregate.phase = (uint8_t)from->phase;
    node->aggregate.group_count = from->n_groups;
    node->aggregate.aggregate_count = from->n_calls;
    node->aggregate.aggregates = calls;
    return copy_numbers(r, from->groups, from->n_groups, &node->aggregate.groups);
}

static arb_code read_limit(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Limit *from = r->plan->nodes[at]->limit;
    if (node->kind == ARB_PHYSICAL_LIMIT) {
        EXPECT(from->n_groups == 0, "limits groups");
        node->limit.count = from->count;
        node->limit.offset = from->offset;
        return ARB_OK;
    }
    node->group_limit.count = from->count;
    node->group_limit.offset = from->offset;
    node->group_limit.group_count = from->n_groups;
    return copy_numbers(r, from->groups, from->n_groups, &node->group_limit.groups);
}

static arb_code read_sort(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Sort *from = r->plan->nodes[at]->sort;
    node->sort.key_count = from->n_keys;
    node->sort.limit = from->limit;
    node->sort.offset = from->offset;
    return read_sort_keys(r, from->keys, from->n_keys, &node->sort.keys);
}

static arb_code read_exchange(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Exchange *from = r->plan->nodes[at]->exchange;
    EXPECT(from->n_columns == node->layout.count && from->read <= ARB_READ_ALL, "reads other columns than it gives");
    node->exchange.stage = from->stage;
    node->exchange.read = (uint8_t)from->read;
    node->exchange.partitions = from->partitions;
    node->exchange.produced_count = from->produced.len;
    uint8_t *produced = ARB_ARENA_ARRAY(r->arena, uint8_t, from->produced.len + 1);
    if (produced == NULL)
        return arb_fail_memory(r->error, "a plan", from->produced.len);
    if (from->produced.len != 0)
        memcpy(produced, from->produced.data, from->produced.len);
    node->exchange.produced = produced;
    return copy_numbers(r, from->columns, from->n_columns, &node->exchange.columns);
}

/* What the message of a node of that kind must hold. */
static Arbalest__Plan__Node__BodyCase body_of(uint32_t kind)
{
    switch ((arb_physical_kind)kind) {
    case ARB_PHYSICAL_SCAN:
        return ARBALEST__PLAN__NODE__BODY_SCAN;
    case ARB_PHYSICAL_VALUES:
        return ARBALEST__PLAN__NODE__BODY_VALUES;
    case ARB_PHYSICAL_FILTER:
        return ARBALEST__PLAN__NODE__BODY_CONDITION;
    case ARB_PHYSICAL_PROJECT:
        return ARBALEST__PLAN__NODE__BODY_PROJECT;
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return ARBALEST__PLAN__NODE__BODY_JOIN;
    case ARB_PHYSICAL_AGGREGATE:
        return ARBALEST__PLAN__NODE__BODY_AGGREGATE;
    case ARB_PHYSICAL_SORT:
        return ARBALEST__PLAN__NODE__BODY_SORT;
    case ARB_PHYSICAL_LIMIT:
    case ARB_PHYSICAL_GROUP_LIMIT:
        return ARBALEST__PLAN__NODE__BODY_LIMIT;
    case ARB_PHYSICAL_SHARED:
        return ARBALEST__PLAN__NODE__BODY_SHARED;
    case ARB_PHYSICAL_EXCHANGE:
        return ARBALEST__PLAN__NODE__BODY_EXCHANGE;
    case ARB_PHYSICAL_REPEAT:
    case ARB_PHYSICAL_UNION:
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return ARBALEST__PLAN__NODE__BODY__NOT_SET;
}

static arb_code read_body(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Node *from = r->plan->nodes[at];
    const arb_expr *const *exprs;
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        return read_scan(r, at, node);
    case ARB_PHYSICAL_VALUES:
        return read_values(r, at, node);
    case ARB_PHYSICAL_FILTER:
        ARB_TRY(pick_exprs(r, at, &from->condition, 1, &exprs));
        node->filter.condition = exprs[0];
        return ARB_OK;
    case ARB_PHYSICAL_PROJECT:
        EXPECT(from->project->n_exprs == node->layout.count, "computes other columns than it gives");
        return pick_exprs(r, at, from->project->exprs, from->project->n_exprs, &node->project.exprs);
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return read_join(r, at, node);
    case ARB_PHYSICAL_AGGREGATE:
        return read_aggregate(r, at, node);
    case ARB_PHYSICAL_SORT:
        return read_sort(r, at, node);
    case ARB_PHYSICAL_LIMIT:
    case ARB_PHYSICAL_GROUP_LIMIT:
        return read_limit(r, at, node);
    case ARB_PHYSICAL_SHARED:
        EXPECT(from->shared->n_columns == node->layout.count, "reads other columns than it gives");
        node->shared.number = from->shared->number;
        return copy_numbers(r, from->shared->columns, from->shared->n_columns, &node->shared.columns);
    case ARB_PHYSICAL_EXCHANGE:
        return read_exchange(r, at, node);
    case ARB_PHYSICAL_REPEAT:
    case ARB_PHYSICAL_UNION:
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return ARB_OK;
}

static arb_code read_children(plan_reader *r, size_t at, arb_physical_node *node)
{
    const Arbalest__Plan__Node *from = r->plan->nodes[at];
    const arb_physical_node **children = ARB_ARENA_ARRAY(r->arena, const arb_physical_node *, from->n_children + 1);
    if (children == NULL)
        return no_memory(r, from->n_children * sizeof *children);
    for (size_t i = 0; i < from->n_children; i++) {
        EXPECT(from->children[i] < at, "has a child that does not come before it");
        children[i] = r->nodes[from->children[i]];
        r->node_depths[at] = ARB_MAX(r->node_depths[at], (uint16_t)(r->node_depths[from->children[i]] + 1));
    }
    EXPECT(r->node_depths[at] <= ARB_PLAN_DEPTH_MOST, "is nested too deeply");
    node->child_count = from->n_children;
    node->children = children;
    return ARB_OK;
}

static arb_code read_node(plan_reader *r, size_t at)
{
    const Arbalest__Plan__Node *from = r->plan->nodes[at];
    arb_physical_node *node = ARB_ARENA_NEW(r->arena, arb_physical_node);
    if (node == NULL)
        return no_memory(r, sizeof *node);
    EXPECT(from->kind < ARB_PHYSICAL_KIND_COUNT, "is of an unknown kind");
    EXPECT(from->body_case == body_of(from->kind), "has the contents of another kind");
    node->kind = (uint8_t)from->kind;
    node->number = from->number;
    node->rows = from->rows;
    ARB_TRY(read_children(r, at, node));
    if (arb_plan_keeps_columns(node->kind)) {
        EXPECT(node->child_count == 1 && from->n_slots == 0, "has columns of its own");
        node->layout = node->children[0]->layout;
        EXPECT(node->kind != ARB_PHYSICAL_REPEAT || node->layout.count != 0, "repeats rows without knowing how often");
        node->layout.count -= node->kind == ARB_PHYSICAL_REPEAT;
    } else {
        node->layout.count = from->n_slots;
        ARB_TRY(read_slots(r, at, from->slots, from->n_slots, &node->layout.slots));
    }
    ARB_TRY(read_body(r, at, node));
    r->nodes[at] = node;
    return ARB_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------ */

static arb_code read_nodes(plan_reader *r)
{
    size_t count = r->plan->n_nodes;
    r->nodes = ARB_ARENA_ARRAY(r->arena, const arb_physical_node *, count + 1);
    r->node_depths = ARB_ARENA_ARRAY(r->arena, uint16_t, count + 1);
    if (r->nodes == NULL || r->node_depths == NULL)
        return no_memory(r, count * sizeof *r->nodes);
    for (size_t i = 0; i < count; i++)
        ARB_TRY(read_node(r, i));
    return ARB_OK;
}

static arb_code read_plan(plan_reader *r, arb_physical_plan *plan)
{
    const Arbalest__Plan__Plan *from = r->plan;
    const arb_physical_node **shared = ARB_ARENA_ARRAY(r->arena, const arb_physical_node *, from->n_shared + 1);
    arb_str *names = ARB_ARENA_ARRAY(r->arena, arb_str, from->n_columns + 1);
    if (shared == NULL || names == NULL)
        return no_memory(r, from->n_shared * sizeof *shared);
    if (from->root >= from->n_nodes || from->n_names != from->n_columns || from->node_count > ARB_PLAN_NODES_MOST ||
        from->runtime_filter_count > ARB_PLAN_NODES_MOST)
        return arb_fail(r->error, ARB_CORRUPT_DATA, "the plan has no root, or no names for its columns");
    for (size_t i = 0; i < from->n_shared; i++) {
        if (from->shared[i] >= from->n_nodes)
            return arb_fail(r->error, ARB_CORRUPT_DATA, "the plan's shared plan %zu is not there", i);
        shared[i] = r->nodes[from->shared[i]];
    }
    for (size_t i = 0; i < from->n_columns; i++)
        names[i] = arb_plan_read_text(from->names[i]);
    *plan = (arb_physical_plan){.root = r->nodes[from->root],
                                .shared_count = from->n_shared,
                                .shared = shared,
                                .node_count = from->node_count,
                                .runtime_filter_count = from->runtime_filter_count,
                                .column_count = from->n_columns,
                                .names = names};
    ARB_TRY(copy_numbers(r, from->columns, from->n_columns, &plan->columns));
    return arb_physical_validate(plan, r->error);
}

arb_code arb_plan_read(arb_arena *arena, const Arbalest__Plan__Plan *message, const arb_plan_tables *tables,
                       arb_physical_plan *out_plan, arb_error *error)
{
    plan_reader r = {.arena = arena, .error = error, .plan = message};
    if (message->version != ARB_PLAN_WIRE_VERSION)
        return arb_fail(error, ARB_NOT_SUPPORTED, "the plan is of version %u, and only %d can be read here",
                        message->version, ARB_PLAN_WIRE_VERSION);
    ARB_TRY(arb_types_read(arena, message->types, message->n_types, "the plan's", &r.types, error));
    ARB_TRY(arb_plan_read_values(&r));
    ARB_TRY(arb_plan_read_exprs(&r));
    ARB_TRY(read_tables(&r, tables));
    ARB_TRY(read_nodes(&r));
    return read_plan(&r, out_plan);
}

arb_code arb_plan_decode(arb_arena *arena, arb_str bytes, const arb_plan_tables *tables,
                         const arb_physical_plan **out_plan, arb_error *error)
{
    ProtobufCMessage *message;
    *out_plan = NULL;
    arb_physical_plan *plan = ARB_ARENA_NEW(arena, arb_physical_plan);
    if (plan == NULL)
        return arb_fail_memory(error, "a plan", sizeof *plan);
    ARB_TRY(arb_wire_unpack(&arbalest__plan__plan__descriptor, arena, bytes.data, bytes.size, &message, error));
    ARB_TRY(arb_plan_read(arena, (const Arbalest__Plan__Plan *)message, tables, plan, error));
    *out_plan = plan;
    return ARB_OK;
}
