#include "optimizer/distribute_internal.h"

#include "expr/program.h"

enum {
    tasks_a_slot = 3,
    bytes_a_text = 24, /* guesses for estimates */
    bytes_a_nested = 64,
};
#define TASK_BYTES (UINT64_C(64) << 20)
#define TASK_BYTES_LEAST (UINT64_C(2) << 20) /* fewer are not worth a launch */
#define SMALL_BYTES (UINT64_C(16) << 20)     /* a query that reads less stays whole: some tens of milliseconds */

void *arb_distribute_no_memory(distributor *d)
{
    if (d->code == ARB_OK)
        d->code = arb_fail_memory(d->error, "a distributed plan", sizeof(arb_stage));
    return NULL;
}

fragment arb_distribute_failed(distributor *d, arb_code code)
{
    if (d->code == ARB_OK)
        d->code = code;
    return (fragment){.row_limit = -1};
}

static fragment no_memory(distributor *d)
{
    arb_distribute_no_memory(d);
    return (fragment){.row_limit = -1};
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------- */

arb_physical_node *arb_distribute_copy(distributor *d, const arb_physical_node *node, const arb_physical_node *child)
{
    arb_physical_node *copy = ARB_ARENA_NEW(d->arena, arb_physical_node);
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, 1);
    if (copy == NULL || children == NULL)
        return arb_distribute_no_memory(d);
    *copy = *node;
    if (child != NULL) {
        children[0] = child;
        copy->child_count = 1;
        copy->children = children;
    }
    return copy;
}

uint64_t arb_distribute_width(const arb_layout *layout)
{
    uint64_t width = 0;
    for (size_t i = 0; i < layout->count; i++) {
        arb_physical physical = layout->slots[i].physical;
        bool nested = physical == ARB_PHYS_LIST || physical == ARB_PHYS_STRUCT;
        width += nested                        ? bytes_a_nested
                 : physical == ARB_PHYS_STRING ? bytes_a_text
                                               : ARB_MAX(arb_physical_size(physical), (size_t)1);
    }
    return ARB_MAX(width, (uint64_t)1);
}

static uint64_t bytes_of(double rows, const arb_layout *layout)
{
    double bytes = ARB_MAX(rows, 1.0) * (double)arb_distribute_width(layout);
    return bytes < 1e18 ? (uint64_t)bytes : (uint64_t)1e18;
}

uint64_t arb_distribute_bytes(const arb_physical_node *node)
{
    return bytes_of(node->rows, &node->layout);
}

/* Lists, structs and maps are packed before rows leave a stage. */
static const arb_physical_node *packed(distributor *d, const arb_physical_node *node)
{
    size_t count = node->layout.count;
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= node->layout.slots[i].physical == ARB_PHYS_LIST || node->layout.slots[i].physical == ARB_PHYS_STRUCT;
    if (!any)
        return node;
    arb_physical_node *project = arb_distribute_copy(d, node, node);
    const arb_expr **exprs = ARB_ARENA_ARRAY(d->arena, const arb_expr *, count);
    arb_slot *slots = ARB_ARENA_ARRAY(d->arena, arb_slot, count);
    if (project == NULL || exprs == NULL || slots == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < count; i++) {
        slots[i] = node->layout.slots[i];
        exprs[i] = arb_expr_column(d->arena, slots[i].id, slots[i].type);
        if (exprs[i] == NULL)
            return arb_distribute_no_memory(d);
        if (arb_type_is_nested(slots[i].type))
            slots[i].physical = ARB_PHYS_STRING;
    }
    project->kind = ARB_PHYSICAL_PROJECT;
    project->number = d->node_count++;
    project->layout = (arb_layout){count, slots};
    project->project.exprs = exprs;
    return project;
}

/* ---- stages -------------------------------------------------------------------------------------------------------------- */

uint32_t arb_distribute_tasks(const distributor *d, uint64_t bytes)
{
    uint64_t target = d->options.task_bytes != 0 ? d->options.task_bytes : TASK_BYTES;
    uint64_t wanted = bytes / target + 1, full = (uint64_t)d->options.slots * tasks_a_slot;
    if (wanted < full) /* smaller ones rather than idle slots, but not too small */
        wanted = ARB_MIN(full, ARB_MAX(wanted, bytes / TASK_BYTES_LEAST));
    if (d->options.always)
        wanted = ARB_MAX(wanted, (uint64_t)d->options.slots);
    return (uint32_t)ARB_MIN(wanted, (uint64_t)1 << 16);
}

static uint64_t units_of(const fragment *f)
{
    uint64_t units = 0;
    for (size_t i = 0; i < f->groups.size; i++)
        units += f->groups.data[i].units;
    return units;
}

bool arb_distribute_is_one(const distributor *d, const fragment *f)
{
    return f->spread == SPREAD_ONE || (!d->options.always && units_of(f) <= 1);
}

static bool all_among(const uint32_t *keys, size_t key_count, const uint32_t *columns, size_t count)
{
    for (size_t k = 0; k < key_count; k++) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= columns[i] == keys[k];
        if (!found)
            return false;
    }
    return true;
}

bool arb_distribute_is_by(const fragment *f, const uint32_t *columns, size_t count)
{
    return f->spread == SPREAD_HASH &&
           (all_among(f->keys, f->key_count, columns, count) ||
            (f->twin_keys != NULL && all_among(f->twin_keys, f->key_count, columns, count)));
}

/* NULL when a key is not there any more, or after a failure. */
static const uint32_t *moved(distributor *d, const uint32_t *keys, size_t count,
                             int (*place)(const void *context, uint32_t column), const void *context)
{
    uint32_t *result = ARB_ARENA_ARRAY(d->arena, uint32_t, count + 1);
    if (result == NULL)
        return arb_distribute_no_memory(d);
    for (size_t k = 0; k < count; k++) {
        int at = place(context, keys[k]);
        if (at < 0)
            return NULL;
        result[k] = (uint32_t)at;
    }
    return result;
}

void arb_distribute_move_keys(distributor *d, fragment *f, int (*place)(const void *context, uint32_t column),
                              const void *context)
{
    if (f->spread != SPREAD_HASH)
        return;
    const uint32_t *keys = moved(d, f->keys, f->key_count, place, context);
    const uint32_t *twins = f->twin_keys == NULL ? NULL : moved(d, f->twin_keys, f->key_count, place, context);
    f->keys = keys != NULL ? keys : twins;
    f->twin_keys = keys != NULL ? twins : NULL;
    if (f->keys == NULL)
        f->spread = SPREAD_ANY;
}

bool arb_distribute_add_groups(distributor *d, fragment *to, const fragment *from)
{
    for (size_t i = 0; i < from->groups.size; i++)
        if (!ARB_ARENA_PUSH(d->arena, &to->groups, from->groups.data[i]))
            return arb_distribute_no_memory(d) != NULL;
    return true;
}

static bool add_group(distributor *d, fragment *f, uint32_t units, uint32_t leaf)
{
    uint32_t *leaves = ARB_ARENA_ARRAY(d->arena, uint32_t, 1);
    if (leaves == NULL)
        return arb_distribute_no_memory(d) != NULL;
    leaves[0] = leaf;
    if (!ARB_ARENA_PUSH(d->arena, &f->groups, ((arb_unit_group){units, 1, leaves})))
        return arb_distribute_no_memory(d) != NULL;
    return true;
}

bool arb_distribute_any_float(const arb_layout *layout, const uint32_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (layout->slots[columns[i]].physical == ARB_PHYS_FLOAT32 ||
            layout->slots[columns[i]].physical == ARB_PHYS_FLOAT64)
            return true;
    return false;
}

/* The stage that the fragment becomes; false after a failure. Its columns are the root's, or `columns`. */
static bool add_stage(distributor *d, fragment *f, arb_stage_output output, const uint32_t *columns, size_t count,
                      const arb_str *names)
{
    const arb_physical_node *root = packed(d, f->root);
    uint32_t *all = ARB_ARENA_ARRAY(d->arena, uint32_t, f->root->layout.count + 1);
    arb_str *no_names = ARB_ARENA_ARRAY(d->arena, arb_str, f->root->layout.count + 1);
    if (root == NULL || all == NULL || no_names == NULL)
        return arb_distribute_no_memory(d) != NULL;
    if (columns == NULL) {
        count = root->layout.count;
        for (size_t i = 0; i < count; i++)
            all[i] = (uint32_t)i;
    }
    uint64_t units = units_of(f);
    bool one = f->spread == SPREAD_ONE || units <= 1;
    arb_stage stage = {
        .number = (uint32_t)d->stages.size,
        .plan = {.root = root,
                 .column_count = count,
                 .columns = columns != NULL ? columns : all,
                 .names = names != NULL ? names : no_names},
        .group_count = f->groups.size,
        .groups = f->groups.data,
        .tasks = one ? 1 : (uint32_t)ARB_MIN((uint64_t)arb_distribute_tasks(d, f->bytes), units),
        .output = output,
        .determinism = f->may_differ ? ARB_MAY_DIFFER : ARB_SAME_ROWS,
        .row_limit = f->row_limit,
        .bytes = f->bytes,
    };
    f->root = root;
    return ARB_ARENA_PUSH(d->arena, &d->stages, stage) || arb_distribute_no_memory(d) != NULL;
}

/* The leaf is an exchange over that stage. */
static bool reads_from(distributor *d, arb_physical_node *leaf, uint32_t number, arb_exchange_read read,
                       const uint32_t *columns)
{
    const arb_stage *stage = &d->stages.data[number];
    size_t count = stage->plan.column_count;
    uint8_t *produced = ARB_ARENA_ARRAY(d->arena, uint8_t, count + 1);
    if (produced == NULL)
        return arb_distribute_no_memory(d) != NULL;
    for (size_t i = 0; i < count; i++)
        produced[i] = stage->plan.root->layout.slots[stage->plan.columns[i]].physical;
    leaf->kind = ARB_PHYSICAL_EXCHANGE;
    leaf->exchange.stage = number;
    leaf->exchange.partitions = stage->output.partitions;
    leaf->exchange.read = (uint8_t)read;
    leaf->exchange.produced_count = count;
    leaf->exchange.produced = produced;
    leaf->exchange.columns = columns;
    return true;
}

/* An exchange's leaf over the last stage, with all its columns. */
static arb_physical_node *read_stage(distributor *d, const arb_physical_node *producer, uint32_t stage,
                                     arb_exchange_read read)
{
    size_t count = producer->layout.count;
    arb_physical_node *leaf = ARB_ARENA_NEW(d->arena, arb_physical_node);
    uint32_t *columns = ARB_ARENA_ARRAY(d->arena, uint32_t, count + 1);
    if (leaf == NULL || columns == NULL)
        return arb_distribute_no_memory(d);
    for (size_t i = 0; i < count; i++)
        columns[i] = (uint32_t)i;
    leaf->number = d->node_count++;
    leaf->layout = producer->layout;
    leaf->rows = producer->rows;
    return reads_from(d, leaf, stage, read, columns) ? leaf : NULL;
}

fragment arb_distribute_by_hash(distributor *d, fragment *f, const uint32_t *keys, size_t key_count,
                                uint32_t partitions)
{
    f->may_differ |= arb_distribute_any_float(&f->root->layout, keys, key_count);
    fragment reader = {.spread = SPREAD_HASH,
                       .partitions = partitions,
                       .key_count = key_count,
                       .keys = keys,
                       .may_differ = f->may_differ,
                       .is_leaf = true,
                       .row_limit = -1,
                       .bytes = arb_distribute_bytes(f->root)};
    arb_stage_output output = {ARB_OUTPUT_HASH, partitions, key_count, keys};
    if (!add_stage(d, f, output, NULL, 0, NULL))
        return reader;
    arb_physical_node *leaf = read_stage(d, f->root, (uint32_t)d->stages.size - 1, ARB_READ_PARTITIONS);
    if (leaf != NULL && add_group(d, &reader, partitions, leaf->number))
        reader.root = leaf;
    return reader;
}

const arb_physical_node *arb_distribute_broadcast(distributor *d, fragment *f)
{
    static const arb_stage_output one = {.kind = ARB_OUTPUT_ONE, .partitions = 1};
    if (f->is_leaf) { /* what it reads is there already: read all of it */
        arb_physical_node *leaf = arb_distribute_copy(d, f->root, NULL);
        if (leaf != NULL)
            leaf->exchange.read = ARB_READ_ALL;
        return leaf;
    }
    return add_stage(d, f, one, NULL, 0, NULL) ? read_stage(d, f->root, (uint32_t)d->stages.size - 1, ARB_READ_ALL)
                                               : NULL;
}

fragment arb_distribute_to_one(distributor *d, fragment *f)
{
    bool may_differ = f->may_differ;
    uint64_t bytes = arb_distribute_bytes(f->root);
    return (fragment){.root = arb_distribute_broadcast(d, f),
                      .spread = SPREAD_ONE,
                      .may_differ = may_differ,
                      .is_leaf = true,
                      .row_limit = -1,
                      .bytes = bytes};
}

/* ---- leaves -------------------------------------------------------------------------------------------------------------- */

static fragment distribute_scan(distributor *d, const arb_physical_node *node)
{
    const arb_table *table = node->scan.table;
    fragment f = {.spread = SPREAD_ANY, .row_limit = -1};
    uint64_t splits = 0;
    for (size_t i = 0; i < table->file_count; i++)
        splits += table->files[i]->split_count;
    if (splits > UINT32_MAX)
        return arb_distribute_failed(
            d, arb_fail(d->error, ARB_LIMIT_EXCEEDED, "%.*s has too many parts", ARB_STR_ARGS(table->name)));
    f.bytes = bytes_of((double)table->rows, &node->scan.read);
    f.may_differ = node->scan.limit >= 0;
    f.root = add_group(d, &f, (uint32_t)splits, node->number) ? node : NULL;
    return f;
}

static fragment distribute_values(distributor *d, const arb_physical_node *node)
{
    fragment f = {.spread = SPREAD_ANY, .row_limit = -1, .bytes = arb_distribute_bytes(node)};
    for (size_t i = 0; i < node->layout.count * node->values.row_count; i++)
        f.may_differ |= !arb_expr_deterministic(node->values.cells[i]);
    f.root = add_group(d, &f, 1, node->number) ? node : NULL;
    return f;
}

static fragment distribute_shared(distributor *d, const arb_physical_node *node)
{
    const arb_stage *stage = &d->stages.data[d->shared_stages[node->shared.number]];
    fragment f = {.spread = SPREAD_ANY,
                  .may_differ = stage->determinism == ARB_MAY_DIFFER,
                  .is_leaf = true,
                  .row_limit = -1,
                  .bytes = arb_distribute_bytes(node)};
    arb_physical_node *leaf = arb_distribute_copy(d, node, NULL);
    if (leaf == NULL || !add_group(d, &f, stage->output.partitions, node->number))
        return f;
    const uint32_t *columns = node->shared.columns; /* in the place of the exchange's own members */
    f.root = reads_from(d, leaf, stage->number, ARB_READ_PARTITIONS, columns) ? leaf : NULL;
    return f;
}

/* ---- nodes with one child ------------------------------------------------------------------------------------------------ */

/* Where a column of the child is among a projection's, or -1. */
static int passed_as(const void *context, uint32_t column)
{
    const arb_physical_node *project = context;
    arb_column_id id = project->children[0]->layout.slots[column].id;
    for (size_t i = 0; i < project->layout.count; i++)
        if (project->project.exprs[i]->kind == ARB_EXPR_COLUMN && project->project.exprs[i]->column == id)
            return (int)i;
    return -1;
}

/* FILTER, PROJECT, REPEAT: on top of whatever is below. */
static fragment distribute_simple(distributor *d, const arb_physical_node *node)
{
    fragment f = arb_distribute_node(d, node->children[0]);
    if (f.root == NULL)
        return f;
    if (node->kind == ARB_PHYSICAL_PROJECT) {
        arb_distribute_move_keys(d, &f, passed_as, node);
        for (size_t i = 0; i < node->layout.count; i++)
            f.may_differ |= !arb_expr_deterministic(node->project.exprs[i]);
    } else if (node->kind == ARB_PHYSICAL_FILTER) {
        f.may_differ |= !arb_expr_deterministic(node->filter.condition);
    }
    f.root = arb_distribute_copy(d, node, f.root);
    f.is_leaf = false;
    f.row_limit = -1;
    return f;
}

static int64_t rows_wanted(int64_t count, int64_t offset)
{
    int64_t wanted;
    return count < 0 || __builtin_add_overflow(count, offset, &wanted) ? -1 : wanted;
}

static fragment distribute_sort(distributor *d, const arb_physical_node *node)
{
    fragment f = arb_distribute_node(d, node->children[0]);
    if (f.root == NULL)
        return f;
    bool one = arb_distribute_is_one(d, &f);
    if (!one) {
        arb_physical_node *first = arb_distribute_copy(d, node, f.root);
        if (first == NULL)
            return no_memory(d);
        first->number = d->node_count++;
        first->sort.limit = rows_wanted(node->sort.limit, node->sort.offset);
        first->sort.offset = 0;
        if (first->sort.limit >= 0)
            first->rows = ARB_MIN(first->rows, (double)first->sort.limit * d->options.slots);
        f.root = first;
        f.is_leaf = false;
        f.may_differ |= node->sort.limit >= 0;
        f = arb_distribute_to_one(d, &f);
        if (f.root == NULL)
            return f;
    }
    f.root = arb_distribute_copy(d, node, f.root);
    f.spread = SPREAD_ONE;
    f.is_leaf = false;
    f.may_differ |= node->sort.limit >= 0;
    return f;
}

static fragment distribute_limit(distributor *d, const arb_physical_node *node)
{
    fragment f = arb_distribute_node(d, node->children[0]);
    if (f.root == NULL)
        return f;
    if (!arb_distribute_is_one(d, &f)) {
        int64_t wanted = rows_wanted(node->limit.count, node->limit.offset);
        if (wanted >= 0) {
            arb_physical_node *first = arb_distribute_copy(d, node, f.root);
            if (first == NULL)
                return no_memory(d);
            first->number = d->node_count++;
            first->limit.count = wanted;
            first->limit.offset = 0;
            f.root = first;
            f.is_leaf = false;
            f.row_limit = wanted;
        }
        f.may_differ = true;
        f = arb_distribute_to_one(d, &f);
        if (f.root == NULL)
            return f;
    }
    f.root = arb_distribute_copy(d, node, f.root);
    f.spread = SPREAD_ONE;
    f.is_leaf = false;
    f.may_differ = true;
    return f;
}

/* A limit of each group, over a sort by the groups: rows of a group come together before it. */
static fragment distribute_group_limit(distributor *d, const arb_physical_node *node)
{
    const arb_physical_node *sort = node->children[0];
    fragment f = arb_distribute_node(d, sort->children[0]);
    if (f.root == NULL)
        return f;
    size_t count = node->group_limit.group_count;
    if (!arb_distribute_is_one(d, &f) && !(count != 0 && arb_distribute_is_by(&f, node->group_limit.groups, count))) {
        f = count == 0 ? arb_distribute_to_one(d, &f)
                       : arb_distribute_by_hash(d, &f, node->group_limit.groups, count,
                                                arb_distribute_tasks(d, arb_distribute_bytes(f.root)));
        if (f.root == NULL)
            return f;
    }
    if (f.spread != SPREAD_HASH)
        f.spread = SPREAD_ONE;
    arb_physical_node *sorted = arb_distribute_copy(d, sort, f.root);
    f.root = sorted == NULL ? NULL : arb_distribute_copy(d, node, sorted);
    f.is_leaf = false;
    f.may_differ = true;
    return f;
}

/* ---- UNION --------------------------------------------------------------------------------------------------------------- */

static fragment distribute_union(distributor *d, const arb_physical_node *node)
{
    fragment all = {.spread = SPREAD_ANY, .row_limit = -1};
    const arb_physical_node **children = ARB_ARENA_ARRAY(d->arena, const arb_physical_node *, node->child_count);
    arb_physical_node *copy = arb_distribute_copy(d, node, NULL);
    if (children == NULL || copy == NULL)
        return no_memory(d);
    for (size_t i = 0; i < node->child_count; i++) {
        fragment f = arb_distribute_node(d, node->children[i]);
        if (f.root != NULL && f.spread == SPREAD_ONE) {
            /* its only task's rows become one unit of this stage */
            static const arb_stage_output one = {.kind = ARB_OUTPUT_ONE, .partitions = 1};
            fragment cut = {.spread = SPREAD_ANY, .may_differ = f.may_differ, .bytes = arb_distribute_bytes(f.root)};
            arb_physical_node *leaf = add_stage(d, &f, one, NULL, 0, NULL)
                                          ? read_stage(d, f.root, (uint32_t)d->stages.size - 1, ARB_READ_PARTITIONS)
                                          : NULL;
            if (leaf != NULL && add_group(d, &cut, 1, leaf->number))
                cut.root = leaf;
            f = cut;
        }
        if (f.root == NULL || !arb_distribute_add_groups(d, &all, &f))
            return (fragment){.row_limit = -1};
        children[i] = f.root;
        all.may_differ |= f.may_differ;
        all.bytes += f.bytes;
    }
    copy->children = children;
    all.root = copy;
    return all;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

fragment arb_distribute_node(distributor *d, const arb_physical_node *node)
{
    if (d->code != ARB_OK)
        return (fragment){.row_limit = -1};
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        return distribute_scan(d, node);
    case ARB_PHYSICAL_VALUES:
        return distribute_values(d, node);
    case ARB_PHYSICAL_FILTER:
    case ARB_PHYSICAL_PROJECT:
    case ARB_PHYSICAL_REPEAT:
        return distribute_simple(d, node);
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        return arb_distribute_join(d, node);
    case ARB_PHYSICAL_AGGREGATE:
        return arb_distribute_aggregate(d, node);
    case ARB_PHYSICAL_SORT:
        return distribute_sort(d, node);
    case ARB_PHYSICAL_LIMIT:
        return distribute_limit(d, node);
    case ARB_PHYSICAL_GROUP_LIMIT:
        return distribute_group_limit(d, node);
    case ARB_PHYSICAL_UNION:
        return distribute_union(d, node);
    case ARB_PHYSICAL_SHARED:
        return distribute_shared(d, node);
    case ARB_PHYSICAL_EXCHANGE:
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return arb_distribute_failed(d, arb_fail(d->error, ARB_INTERNAL, "a plan that is distributed already"));
}

static uint64_t bytes_read(const arb_physical_node *node)
{
    uint64_t bytes = node->kind == ARB_PHYSICAL_SCAN ? bytes_of((double)node->scan.table->rows, &node->scan.read) : 0;
    for (size_t i = 0; i < node->child_count; i++)
        bytes += bytes_read(node->children[i]);
    return bytes;
}

/* One stage, one task: the plan as it is, but for the form of its result. */
static void keep_whole(distributor *d, uint64_t bytes)
{
    const arb_physical_node *root = packed(d, d->plan->root);
    if (root == NULL)
        return;
    arb_stage stage = {.plan = *d->plan,
                       .tasks = 1,
                       .output = {.kind = ARB_OUTPUT_ONE, .partitions = 1},
                       .determinism = ARB_MAY_DIFFER,
                       .row_limit = -1,
                       .bytes = bytes};
    stage.plan.root = root;
    if (!ARB_ARENA_PUSH(d->arena, &d->stages, stage))
        arb_distribute_no_memory(d);
}

static void distribute_all(distributor *d)
{
    const arb_physical_plan *plan = d->plan;
    for (size_t i = 0; i < plan->shared_count; i++) {
        fragment f = arb_distribute_node(d, plan->shared[i]);
        if (f.root == NULL)
            return;
        uint32_t partitions = arb_distribute_tasks(d, arb_distribute_bytes(f.root));
        arb_stage_output output = {.kind = ARB_OUTPUT_TURNS, .partitions = partitions};
        if (!add_stage(d, &f, output, NULL, 0, NULL))
            return;
        d->shared_stages[i] = (uint32_t)d->stages.size - 1;
    }
    fragment f = arb_distribute_node(d, plan->root);
    static const arb_stage_output one = {.kind = ARB_OUTPUT_ONE, .partitions = 1};
    if (f.root == NULL || !add_stage(d, &f, one, plan->columns, plan->column_count, plan->names) ||
        !arb_distribute_spread_filters(d))
        return;
    for (size_t i = 0; i < d->stages.size && d->code == ARB_OK; i++) {
        arb_physical_plan *stage = &d->stages.data[i].plan;
        stage->root = arb_distribute_trim_filters(d, stage->root);
        stage->runtime_filter_count = d->filter_count;
    }
}

arb_code arb_distribute(arb_arena *arena, const arb_physical_plan *plan, const arb_distribute_options *options,
                        const arb_stage_graph **out_graph, arb_error *error)
{
    *out_graph = NULL;
    distributor d = {.arena = arena,
                     .plan = plan,
                     .options = *options,
                     .error = error,
                     .node_count = plan->node_count,
                     .filter_count = plan->runtime_filter_count};
    arb_stage_graph *graph = ARB_ARENA_NEW(arena, arb_stage_graph);
    d.shared_stages = ARB_ARENA_ARRAY(arena, uint32_t, plan->shared_count + 1);
    if (graph == NULL || d.shared_stages == NULL)
        return arb_fail_memory(error, "a distributed plan", sizeof *graph);
    assert(options->slots != 0);
    uint64_t bytes = bytes_read(plan->root);
    for (size_t i = 0; i < plan->shared_count; i++)
        bytes += bytes_read(plan->shared[i]);
    if (options->never || (bytes < SMALL_BYTES && !options->always))
        keep_whole(&d, bytes);
    else
        distribute_all(&d);
    if (d.code != ARB_OK)
        return d.code;
    for (size_t i = 0; i < d.stages.size; i++)
        d.stages.data[i].plan.node_count = d.node_count;
    *graph = (arb_stage_graph){d.stages.size, d.stages.data};
    *out_graph = graph;
    return ARB_OK;
}
