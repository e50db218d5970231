/* physical_validate.c: what every physical plan must keep, checked node by node.
 *
 * The planner's plans keep it by how they are made; the check is for those that come from elsewhere (plan_wire.h) and, in
 * tests, for all. What passes can be carried out: every position exists, types and widths agree wherever one node's columns
 * become another's, and a range that a node claims holds all that its expressions can give. */
#include "base/vec.h"
#include "expr/program.h"
#include "plan/physical.h"

enum { depth_most = 1000 };

typedef struct checker {
    const arb_physical_plan *plan;
    arb_arena arena; /* programs that are compiled to be looked at */
    arb_error *error;
    bool *numbers;                              /* nodes that were seen, by number */
    const arb_slot **made_keys;                 /* by number of a run-time filter: the key whose values it holds */
    ARB_VEC(const arb_physical_node *) readers; /* scans with run-time filters; arena */
    size_t shared;                              /* shared subplans that may be read where we are */
} checker;

static arb_code wrong(const checker *c, const arb_physical_node *node, const char *what)
{
    return arb_fail(c->error, ARB_CORRUPT_DATA, "node %u of the plan %s", node->number, what);
}

#define EXPECT(condition, what)            \
    do {                                   \
        if (!(condition))                  \
            return wrong(c, node, (what)); \
    } while (0)

/* ---- columns ----------------------------------------------------------------------------------------------------------- */

static arb_range range_of_physical(arb_physical physical)
{
    switch (physical) {
    case ARB_PHYS_INT8:
        return (arb_range){true, INT8_MIN, INT8_MAX};
    case ARB_PHYS_INT16:
        return (arb_range){true, INT16_MIN, INT16_MAX};
    case ARB_PHYS_INT32:
        return (arb_range){true, INT32_MIN, INT32_MAX};
    case ARB_PHYS_INT64:
        return (arb_range){true, INT64_MIN, INT64_MAX};
    default: {
        arb_int128 most = (arb_int128)(~(arb_uint128)0 >> 1);
        return (arb_range){true, -most - 1, most};
    }
    }
}

/* Can vectors of the physical type hold such values? */
static bool slot_fits(const arb_slot *slot)
{
    arb_physical own = arb_type_physical(slot->type);
    if (slot->physical >= ARB_PHYS_COUNT)
        return false;
    if (arb_type_is_nested(slot->type))
        return slot->physical == own || slot->physical == ARB_PHYS_STRING;
    if (!arb_physical_is_integer(own))
        return slot->physical == own;
    /* an expression that always fails has no values: its range is empty */
    return arb_physical_is_integer(slot->physical) && slot->range.known &&
           (slot->range.low > slot->range.high || arb_range_within(slot->range, range_of_physical(slot->physical)));
}

static arb_code check_layout(checker *c, const arb_physical_node *node, const arb_layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        EXPECT(slot_fits(&layout->slots[i]), "has a column whose width does not fit its type and range");
    return ARB_OK;
}

/* Is `to` what `from` becomes by being passed on? It may have got another id, and lost or gained NULLs. */
static bool same_column(const arb_slot *to, const arb_slot *from)
{
    return arb_type_equal(to->type, from->type) && to->physical == from->physical &&
           (!from->range.known || (to->range.known && arb_range_within(from->range, to->range)));
}

/* May a column hold what `from` gives? */
static bool holds(const arb_slot *to, const arb_slot *from)
{
    bool nested = arb_type_is_nested(to->type);
    return arb_type_equal(to->type, from->type) && (nested || to->physical >= from->physical) &&
           (!from->range.known || arb_range_within(from->range, to->range)) && (to->nullable || !from->nullable);
}

static bool in_layout(const arb_layout *layout, const uint32_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (columns[i] >= layout->count)
            return false;
    return true;
}

static bool sort_keys_fit(const arb_layout *layout, const arb_physical_sort_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].column >= layout->count || layout->slots[keys[i].column].physical == ARB_PHYS_LIST ||
            layout->slots[keys[i].column].physical == ARB_PHYS_STRUCT)
            return false;
    return true;
}

/* Columns that are compared with others, or kept in rows. */
static bool keys_fit(const arb_layout *layout, const uint32_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (columns[i] >= layout->count || layout->slots[columns[i]].physical == ARB_PHYS_LIST ||
            layout->slots[columns[i]].physical == ARB_PHYS_STRUCT)
            return false;
    return true;
}

/* ---- expressions ------------------------------------------------------------------------------------------------------- */

typedef struct column_look {
    const arb_layout *layout;
    bool fits;
} column_look;

static bool look_at_column(void *context, const arb_expr *expr)
{
    column_look *look = context;
    if (expr->kind == ARB_EXPR_COLUMN) {
        int at = arb_layout_find(look->layout, expr->column);
        look->fits &= at >= 0 && arb_type_equal(look->layout->slots[at].type, expr->type);
    }
    return look->fits;
}

/* Compile them over the layout; out_program says what they give. */
static arb_code check_exprs(checker *c, const arb_physical_node *node, const arb_layout *layout,
                            const arb_expr *const *exprs, size_t count, const arb_program **out_program)
{
    column_look look = {layout, true};
    for (size_t i = 0; i < count; i++)
        arb_expr_walk(exprs[i], look_at_column, &look);
    EXPECT(look.fits, "names a column that it does not get");
    return arb_program_compile(&c->arena, layout, exprs, count, out_program, c->error);
}

static arb_code check_condition(checker *c, const arb_physical_node *node, const arb_layout *layout,
                                const arb_expr *condition)
{
    const arb_program *program;
    EXPECT(condition->type.id == ARB_TYPE_BOOLEAN, "has a condition that is not boolean");
    return check_exprs(c, node, layout, &condition, 1, &program);
}

/* ---- one kind of node after the other ---------------------------------------------------------------------------------- */

static arb_code check_scan(checker *c, const arb_physical_node *node)
{
    const arb_table *table = node->scan.table;
    EXPECT(node->scan.read.count == node->scan.column_count && node->layout.count <= node->scan.column_count,
           "scans other columns than it gives");
    ARB_TRY(check_layout(c, node, &node->scan.read));
    for (size_t i = 0; i < node->scan.column_count; i++) {
        const arb_scan_column *column = &node->scan.columns[i];
        const arb_slot *slot = &node->scan.read.slots[i];
        EXPECT(column->source < table->column_count, "scans a column that the table does not have");
        EXPECT(arb_type_equal(table->columns[column->source].type, slot->type), "scans a column as another type");
        EXPECT(column->physical == slot->physical && column->filter_only == (i >= node->layout.count),
               "scans a column in another width");
        EXPECT(slot->nullable || !table->columns[column->source].nullable, "takes a column's NULLs for none");
    }
    for (size_t i = 0; i < node->scan.filter_count; i++)
        ARB_TRY(check_condition(c, node, &node->scan.read, node->scan.filters[i]));
    for (size_t i = 0; i < node->scan.runtime_count; i++)
        EXPECT(node->scan.runtime[i].number < c->plan->runtime_filter_count &&
                   node->scan.runtime[i].column < node->scan.column_count,
               "waits for a filter that nobody makes");
    EXPECT(node->scan.limit >= -1, "has a negative limit");
    if (node->scan.runtime_count != 0 && !ARB_ARENA_PUSH(&c->arena, &c->readers, node))
        return arb_fail_memory(c->error, "the plan's check", sizeof node);
    return ARB_OK;
}

static arb_code check_values(checker *c, const arb_physical_node *node)
{
    static const arb_layout none = {0};
    size_t columns = node->layout.count, count = columns * node->values.row_count;
    const arb_program *program;
    ARB_TRY(check_exprs(c, node, &none, node->values.cells, count, &program));
    for (size_t i = 0; i < count; i++) {
        arb_slot cell = arb_program_output(program, i);
        EXPECT(holds(&node->layout.slots[i % columns], &cell), "has a value that does not fit its column");
    }
    return ARB_OK;
}

static arb_code check_project(checker *c, const arb_physical_node *node)
{
    const arb_program *program;
    ARB_TRY(check_exprs(c, node, &node->children[0]->layout, node->project.exprs, node->layout.count, &program));
    for (size_t i = 0; i < node->layout.count; i++) {
        arb_slot given = arb_program_output(program, i);
        given.type = node->project.exprs[i]->type;
        EXPECT(holds(&node->layout.slots[i], &given), "gives what does not fit its column");
    }
    return ARB_OK;
}

static bool gives_side(arb_join_output output, bool probe)
{
    switch (output) {
    case ARB_JOIN_BUILD_SEMI:
    case ARB_JOIN_BUILD_ANTI:
        return !probe;
    case ARB_JOIN_PROBE_SEMI:
    case ARB_JOIN_PROBE_ANTI:
    case ARB_JOIN_PROBE_MARK:
        return probe;
    default:
        return true;
    }
}

static bool pads_side(arb_join_output output, bool probe)
{
    if (output == ARB_JOIN_FULL_OUTER)
        return true;
    return probe ? output == ARB_JOIN_BUILD_OUTER : output == ARB_JOIN_PROBE_OUTER || output == ARB_JOIN_PROBE_SINGLE;
}

static arb_code check_join_columns(checker *c, const arb_physical_node *node)
{
    const arb_layout *probe = &node->children[0]->layout, *build = &node->children[1]->layout;
    arb_join_output output = (arb_join_output)node->join.output;
    EXPECT(node->join.output_count == node->layout.count, "joins other columns than it gives");
    for (size_t i = 0; i < node->layout.count; i++) {
        const arb_slot *to = &node->layout.slots[i];
        uint32_t from = node->join.columns[i];
        if (from == UINT32_MAX) {
            EXPECT(output == ARB_JOIN_PROBE_MARK && to->type.id == ARB_TYPE_BOOLEAN, "gives a mark that it has not");
            continue;
        }
        bool is_probe = from < probe->count;
        EXPECT(from < probe->count + build->count && gives_side(output, is_probe), "joins a column that it has not");
        const arb_slot *source = is_probe ? &probe->slots[from] : &build->slots[from - probe->count];
        EXPECT(same_column(to, source) && (to->nullable || (!source->nullable && !pads_side(output, is_probe))),
               "passes a column on as another");
    }
    return ARB_OK;
}

static arb_code check_residual(checker *c, const arb_physical_node *node)
{
    const arb_layout *probe = &node->children[0]->layout, *build = &node->children[1]->layout;
    arb_slot *both = ARB_ARENA_ARRAY(&c->arena, arb_slot, probe->count + build->count + 1);
    if (both == NULL)
        return arb_fail_memory(c->error, "the plan's check", sizeof *both);
    for (size_t i = 0; i < probe->count + build->count; i++)
        both[i] = i < probe->count ? probe->slots[i] : build->slots[i - probe->count];
    arb_layout layout = {probe->count + build->count, both};
    return check_condition(c, node, &layout, node->join.residual);
}

static arb_code check_join(checker *c, const arb_physical_node *node)
{
    const arb_layout *probe = &node->children[0]->layout, *build = &node->children[1]->layout;
    bool hashes = node->kind == ARB_PHYSICAL_HASH_JOIN;
    EXPECT(node->join.output <= ARB_JOIN_PROBE_SINGLE, "is an unknown join");
    EXPECT(hashes == (node->join.key_count != 0), "is a hash join without keys, or another one with keys");
    EXPECT(keys_fit(probe, node->join.probe_keys, node->join.key_count) &&
               keys_fit(build, node->join.build_keys, node->join.key_count),
           "joins by a column that cannot be a key");
    for (size_t k = 0; k < node->join.key_count; k++) {
        const arb_slot *left = &probe->slots[node->join.probe_keys[k]];
        const arb_slot *right = &build->slots[node->join.build_keys[k]];
        EXPECT(arb_type_equal(left->type, right->type) && left->physical == right->physical,
               "compares keys of two types or widths");
    }
    if (node->join.null_aware)
        EXPECT((node->join.output == ARB_JOIN_PROBE_ANTI || node->join.output == ARB_JOIN_PROBE_MARK) &&
                   (node->join.key_count == 1 || node->join.residual != NULL),
               "cannot tell NULL from FALSE");
    for (size_t i = 0; i < node->join.runtime_count; i++) {
        const arb_runtime_filter *filter = &node->join.runtime[i];
        EXPECT(filter->number < c->plan->runtime_filter_count && filter->key < node->join.key_count &&
                   c->made_keys[filter->number] == NULL,
               "makes a filter of no key, or one that is made already");
        c->made_keys[filter->number] = &build->slots[node->join.build_keys[filter->key]];
    }
    ARB_TRY(check_join_columns(c, node));
    return node->join.residual == NULL ? ARB_OK : check_residual(c, node);
}

/* What the implementation makes of the call must be what the plan says. */
static arb_code check_call_plan(checker *c, const arb_physical_node *node, const arb_physical_aggregate *call,
                                arb_slot *out_result)
{
    arb_aggregate_plan plan = call->plan;
    size_t state_size;
    *out_result = (arb_slot){.type = plan.result, .physical = arb_type_physical(plan.result), .nullable = true};
    out_result->range = arb_range_of_type(plan.result);
    for (size_t i = 0; i < plan.argument_count; i++)
        EXPECT(slot_fits(&plan.arguments[i]), "aggregates a column whose width does not fit its type and range");
    ARB_TRY(plan.implementation->plan(&plan, &state_size, out_result, c->error));
    EXPECT(state_size == call->state_size && plan.variant == call->plan.variant && plan.packs == call->plan.packs,
           "keeps states of another kind than its aggregates");
    return ARB_OK;
}

static arb_code check_call(checker *c, const arb_physical_node *node, const arb_physical_aggregate *call)
{
    const arb_layout *child = &node->children[0]->layout;
    bool deferred = call->distinct || call->order_count != 0;
    EXPECT(!deferred || node->aggregate.phase == ARB_AGGREGATE_COMPLETE, "splits an aggregate that cannot be split");
    EXPECT(call->filter == -1 || (call->filter >= 0 && (size_t)call->filter < child->count &&
                                  child->slots[call->filter].type.id == ARB_TYPE_BOOLEAN),
           "has a filter that is not boolean");
    EXPECT(sort_keys_fit(child, call->order, call->order_count), "orders by a column that it does not get");
    if (node->aggregate.phase == ARB_AGGREGATE_FINAL) {
        size_t words = arb_aggregate_state_columns(call);
        arb_slot state = arb_aggregate_state_slot(call);
        EXPECT(call->filter == -1 && call->arguments[0] < child->count && words <= child->count - call->arguments[0],
               "merges states that it does not get");
        for (size_t i = 0; i < words; i++)
            EXPECT(same_column(&state, &child->slots[call->arguments[0] + i]), "merges what are no states");
        return ARB_OK;
    }
    EXPECT(in_layout(child, call->arguments, call->plan.argument_count), "aggregates a column that it does not get");
    EXPECT(!call->distinct || keys_fit(child, call->arguments, call->plan.argument_count),
           "tells values apart that cannot be compared");
    for (size_t i = 0; i < call->plan.argument_count; i++)
        EXPECT(same_column(&call->plan.arguments[i], &child->slots[call->arguments[i]]),
               "aggregates a column as another");
    return ARB_OK;
}

static arb_code check_aggregate(checker *c, const arb_physical_node *node)
{
    const arb_layout *child = &node->children[0]->layout;
    size_t at = node->aggregate.group_count;
    EXPECT(node->aggregate.phase <= ARB_AGGREGATE_FINAL, "is in an unknown phase");
    EXPECT(at <= node->layout.count && keys_fit(child, node->aggregate.groups, at),
           "groups by a column that cannot be a key");
    for (size_t i = 0; i < at; i++) {
        const arb_slot *from = &child->slots[node->aggregate.groups[i]];
        EXPECT(same_column(&node->layout.slots[i], from) && (node->layout.slots[i].nullable || !from->nullable),
               "passes a group on as another");
    }
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_physical_aggregate *call = &node->aggregate.aggregates[i];
        arb_slot result;
        ARB_TRY(check_call_plan(c, node, call, &result));
        ARB_TRY(check_call(c, node, call));
        size_t columns = 1;
        if (node->aggregate.phase == ARB_AGGREGATE_PARTIAL) {
            columns = arb_aggregate_state_columns(call);
            result = arb_aggregate_state_slot(call);
        }
        EXPECT(columns <= node->layout.count - at, "has fewer columns than aggregates");
        for (size_t k = 0; k < columns; k++)
            EXPECT(same_column(&node->layout.slots[at + k], &result), "gives an aggregate as another");
        at += columns;
    }
    EXPECT(at == node->layout.count, "has more columns than groups and aggregates");
    return ARB_OK;
}

static arb_code check_union(checker *c, const arb_physical_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const arb_layout *child = &node->children[i]->layout;
        EXPECT(child->count == node->layout.count, "unites different numbers of columns");
        for (size_t k = 0; k < child->count; k++)
            EXPECT(same_column(&node->layout.slots[k], &child->slots[k]) &&
                       (node->layout.slots[k].nullable || !child->slots[k].nullable),
                   "unites columns of two types or widths");
    }
    return ARB_OK;
}

static arb_code check_shared(checker *c, const arb_physical_node *node)
{
    EXPECT(node->shared.number < c->shared, "reads a shared plan that does not come before it");
    const arb_layout *from = &c->plan->shared[node->shared.number]->layout;
    EXPECT(in_layout(from, node->shared.columns, node->layout.count), "reads a column that the shared plan lacks");
    for (size_t i = 0; i < node->layout.count; i++) {
        const arb_slot *source = &from->slots[node->shared.columns[i]];
        EXPECT(same_column(&node->layout.slots[i], source) && (node->layout.slots[i].nullable || !source->nullable),
               "reads a shared plan's column as another");
    }
    return ARB_OK;
}

/* Whether it is what the other stage leaves is seen when the stages are put together. */
static arb_code check_exchange(checker *c, const arb_physical_node *node)
{
    EXPECT(node->exchange.partitions > 0, "reads an output without partitions");
    for (size_t i = 0; i < node->exchange.produced_count; i++)
        EXPECT(node->exchange.produced[i] < ARB_PHYS_COUNT && node->exchange.produced[i] != ARB_PHYS_LIST &&
                   node->exchange.produced[i] != ARB_PHYS_STRUCT,
               "reads a column that no block can have");
    for (size_t i = 0; i < node->layout.count; i++) {
        uint32_t column = node->exchange.columns[i];
        EXPECT(column < node->exchange.produced_count &&
                   node->exchange.produced[column] == node->layout.slots[i].physical,
               "reads a column that the output lacks");
    }
    return ARB_OK;
}

static arb_code check_kept_columns(checker *c, const arb_physical_node *node, size_t count)
{
    const arb_layout *child = &node->children[0]->layout;
    EXPECT(node->layout.count == count, "has other columns than its child");
    for (size_t i = 0; i < count; i++)
        EXPECT(node->layout.slots[i].id == child->slots[i].id &&
                   same_column(&node->layout.slots[i], &child->slots[i]) &&
                   (node->layout.slots[i].nullable || !child->slots[i].nullable),
               "passes a column on as another");
    return ARB_OK;
}

static arb_code check_limits(checker *c, const arb_physical_node *node, int64_t count, int64_t offset)
{
    EXPECT(count >= -1 && offset >= 0, "has a negative limit");
    return ARB_OK;
}

static arb_code check_repeat(checker *c, const arb_physical_node *node)
{
    const arb_layout *child = &node->children[0]->layout;
    EXPECT(child->count != 0 && arb_physical_is_integer(child->slots[child->count - 1].physical),
           "repeats rows without knowing how often");
    return check_kept_columns(c, node, child->count - 1);
}

/* Children wanted: exactly, or 2 and more for a UNION. */
static bool child_count_fits(const arb_physical_node *node)
{
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
    case ARB_PHYSICAL_VALUES:
    case ARB_PHYSICAL_SHARED:
    case ARB_PHYSICAL_EXCHANGE:
        return node->child_count == 0;
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return node->child_count == 2;
    case ARB_PHYSICAL_UNION:
        return node->child_count >= 1;
    default:
        return node->child_count == 1;
    }
}

static arb_code check_kind(checker *c, const arb_physical_node *node)
{
    size_t below = node->child_count == 1 ? node->children[0]->layout.count : 0;
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        return check_scan(c, node);
    case ARB_PHYSICAL_VALUES:
        return check_values(c, node);
    case ARB_PHYSICAL_FILTER:
        ARB_TRY(check_kept_columns(c, node, below));
        return check_condition(c, node, &node->children[0]->layout, node->filter.condition);
    case ARB_PHYSICAL_PROJECT:
        return check_project(c, node);
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return check_join(c, node);
    case ARB_PHYSICAL_AGGREGATE:
        return check_aggregate(c, node);
    case ARB_PHYSICAL_SORT:
        EXPECT(sort_keys_fit(&node->layout, node->sort.keys, node->sort.key_count), "sorts by what has no order");
        ARB_TRY(check_limits(c, node, node->sort.limit, node->sort.offset));
        return check_kept_columns(c, node, below);
    case ARB_PHYSICAL_LIMIT:
        ARB_TRY(check_limits(c, node, node->limit.count, node->limit.offset));
        return check_kept_columns(c, node, below);
    case ARB_PHYSICAL_GROUP_LIMIT:
        EXPECT(keys_fit(&node->layout, node->group_limit.groups, node->group_limit.group_count),
               "limits groups of what cannot be a key");
        ARB_TRY(check_limits(c, node, node->group_limit.count, node->group_limit.offset));
        return check_kept_columns(c, node, below);
    case ARB_PHYSICAL_REPEAT:
        return check_repeat(c, node);
    case ARB_PHYSICAL_UNION:
        return check_union(c, node);
    case ARB_PHYSICAL_SHARED:
        return check_shared(c, node);
    case ARB_PHYSICAL_EXCHANGE:
        return check_exchange(c, node);
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return wrong(c, node, "is of an unknown kind");
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

static arb_code check_node(checker *c, const arb_physical_node *node, unsigned depth)
{
    EXPECT(depth <= depth_most, "is nested too deeply");
    EXPECT(child_count_fits(node), "has too few or too many children");
    EXPECT(node->number < c->plan->node_count && !c->numbers[node->number], "has a number that another one has");
    c->numbers[node->number] = true;
    for (size_t i = 0; i < node->child_count; i++)
        ARB_TRY(check_node(c, node->children[i], depth + 1));
    ARB_TRY(check_layout(c, node, &node->layout));
    return check_kind(c, node);
}

/* A run-time filter compares a scan's column with a key's values. */
static arb_code check_readers(checker *c)
{
    for (size_t i = 0; i < c->readers.size; i++) {
        const arb_physical_node *node = c->readers.data[i];
        for (size_t k = 0; k < node->scan.runtime_count; k++) {
            const arb_slot *key = c->made_keys[node->scan.runtime[k].number];
            EXPECT(key != NULL && arb_type_equal(key->type, node->scan.read.slots[node->scan.runtime[k].column].type),
                   "waits for a filter that nobody makes");
        }
    }
    return ARB_OK;
}

static arb_code check_plan(checker *c)
{
    const arb_physical_plan *plan = c->plan;
    c->numbers = ARB_ARENA_ARRAY(&c->arena, bool, plan->node_count + (size_t)1);
    c->made_keys = ARB_ARENA_ARRAY(&c->arena, const arb_slot *, plan->runtime_filter_count + (size_t)1);
    if (c->numbers == NULL || c->made_keys == NULL)
        return arb_fail_memory(c->error, "the plan's check", plan->node_count);
    for (; c->shared < plan->shared_count; c->shared++)
        ARB_TRY(check_node(c, plan->shared[c->shared], 1));
    ARB_TRY(check_node(c, plan->root, 1));
    if (!in_layout(&plan->root->layout, plan->columns, plan->column_count))
        return wrong(c, plan->root, "lacks a column of the result");
    return check_readers(c);
}

arb_code arb_physical_validate(const arb_physical_plan *plan, arb_error *error)
{
    checker c = {.plan = plan, .error = error};
    arb_code code = check_plan(&c);
    arb_arena_reset(&c.arena);
    return code;
}
