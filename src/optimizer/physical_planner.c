/* physical_planner.c: node by node from the logical plan to operators.
 *
 * Each call is told which columns are needed above, so joins and scans carry no others, and which run-time filters joins
 * above could make for its columns (`wishes`), so a scan can take them. Widths come from ranges: a scan's from the
 * table's statistics, everything else's from compiling its expressions against the child's layout. */
#include "optimizer/physical_planner.h"

#include "expr/program.h"
#include "optimizer/physical_internal.h"

void *arb_planner_no_memory(planner *p)
{
    if (p->code == ARB_OK)
        p->code = arb_fail_memory(p->error, "a plan", sizeof(arb_physical_node));
    return NULL;
}

void *arb_planner_failed(planner *p, arb_code code)
{
    if (p->code == ARB_OK)
        p->code = code;
    return NULL;
}

arb_physical_node *arb_planner_node(planner *p, arb_physical_kind kind, size_t child_count, const arb_physical_node *a,
                                    const arb_physical_node *b, double rows)
{
    arb_physical_node *node = ARB_ARENA_NEW(p->arena, arb_physical_node);
    const arb_physical_node **children = ARB_ARENA_ARRAY(p->arena, const arb_physical_node *, child_count + 1);
    if (node == NULL || children == NULL)
        return arb_planner_no_memory(p);
    if (child_count > 0)
        children[0] = a;
    if (child_count > 1)
        children[1] = b;
    node->kind = (uint8_t)kind;
    node->number = p->node_count++;
    node->child_count = child_count;
    node->children = children;
    node->rows = rows;
    return node;
}

static arb_column_set copy_set(planner *p, const arb_column_set *set)
{
    arb_column_set copy = {0};
    if (!arb_column_set_add_all(p->query, &copy, set))
        arb_planner_no_memory(p);
    return copy;
}

/* ---- projections ------------------------------------------------------------------------------------------------------ */

static bool is_identity(const arb_physical_node *child, const arb_named_expr *items, size_t count,
                        const arb_physical *widths)
{
    if (child->layout.count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const arb_slot *slot = &child->layout.slots[i];
        if (items[i].expr->kind != ARB_EXPR_COLUMN || items[i].expr->column != slot->id || items[i].id != slot->id)
            return false;
        if (widths != NULL && arb_planner_changes(slot, widths[i]))
            return false;
    }
    return true;
}

const arb_physical_node *arb_planner_make_project(planner *p, const arb_physical_node *child,
                                                  const arb_named_expr *items, size_t count, const arb_physical *widths)
{
    if (is_identity(child, items, count, widths))
        return child;
    arb_physical_node *node = arb_planner_node(p, ARB_PHYSICAL_PROJECT, 1, child, NULL, child->rows);
    const arb_expr **exprs = ARB_ARENA_ARRAY(p->arena, const arb_expr *, count + 1);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, count + 1);
    if (node == NULL || exprs == NULL || slots == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++)
        exprs[i] = items[i].expr;
    const arb_program *program;
    arb_code code = arb_program_compile(p->arena, &child->layout, exprs, count, &program, p->error);
    if (code != ARB_OK)
        return arb_planner_failed(p, code);
    for (size_t i = 0; i < count; i++) {
        slots[i] = arb_program_output(program, i);
        slots[i].id = items[i].id;
        slots[i].type = exprs[i]->type;
        if (widths != NULL && arb_planner_changes(&slots[i], widths[i]))
            slots[i].physical = widths[i];
    }
    node->layout = (arb_layout){count, slots};
    node->project.exprs = exprs;
    return node;
}

const arb_physical_node *arb_planner_with_columns(planner *p, const arb_physical_node *child,
                                                  const arb_expr *const *exprs, size_t count, uint32_t *positions)
{
    size_t old = child->layout.count, total = old;
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, old + count + 1);
    if (items == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++) {
        int at = exprs[i]->kind == ARB_EXPR_COLUMN ? arb_layout_find(&child->layout, exprs[i]->column) : -1;
        for (size_t earlier = old; at < 0 && earlier < total; earlier++)
            if (arb_expr_equal(items[earlier].expr, exprs[i]) && arb_expr_deterministic(exprs[i]))
                at = (int)earlier;
        if (at < 0) {
            arb_column_id id = arb_query_add_column(p->query, ARB_STR(""), exprs[i]->type, true);
            if (id == ARB_NO_COLUMN)
                return arb_planner_no_memory(p);
            at = (int)total;
            items[total++] = (arb_named_expr){id, exprs[i]};
        }
        positions[i] = (uint32_t)at;
    }
    if (total == old)
        return child;
    for (size_t i = 0; i < old; i++) {
        const arb_slot *slot = &child->layout.slots[i];
        items[i] = (arb_named_expr){slot->id, arb_expr_column(p->arena, slot->id, slot->type)};
        if (items[i].expr == NULL)
            return arb_planner_no_memory(p);
    }
    return arb_planner_make_project(p, child, items, total, NULL);
}

static const arb_physical_node *plan_project_node(planner *p, const arb_logical *node, const arb_column_set *needed,
                                                  const filter_wishes *wishes)
{
    arb_named_expr *items = ARB_ARENA_ARRAY(p->arena, arb_named_expr, node->project.item_count + 1);
    arb_column_set below = {0};
    filter_wishes passed = {0};
    size_t count = 0;
    if (items == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < node->project.item_count; i++) {
        const arb_named_expr *item = &node->project.items[i];
        if (!arb_column_set_has(needed, item->id))
            continue;
        items[count++] = *item;
        if (!arb_expr_columns(p->query, item->expr, &below))
            return arb_planner_no_memory(p);
        for (size_t w = 0; w < wishes->size; w++) {
            filter_wish wish = wishes->data[w];
            if (wish.column != item->id || item->expr->kind != ARB_EXPR_COLUMN)
                continue;
            wish.column = item->expr->column;
            if (!ARB_ARENA_PUSH(p->arena, &passed, wish))
                return arb_planner_no_memory(p);
        }
    }
    const arb_physical_node *child = arb_planner_make_node(p, node->children[0], &below, &passed);
    return child == NULL ? NULL : arb_planner_make_project(p, child, items, count, NULL);
}

/* ---- scans and filters -------------------------------------------------------------------------------------------------- */

const arb_physical_node *arb_planner_make_condition(planner *p, const arb_physical_node *child,
                                                    const arb_expr *condition)
{
    if (arb_expr_is_true(condition))
        return child;
    arb_physical_node *node = arb_planner_node(p, ARB_PHYSICAL_FILTER, 1, child, NULL, child->rows);
    if (node == NULL)
        return NULL;
    node->layout = child->layout;
    node->filter.condition = condition;
    return node;
}

static arb_slot scan_slot(const arb_logical *scan, const arb_scan_output *column, arb_scan_column *out_column)
{
    const arb_table_column *source = &scan->scan.table->columns[column->table_column];
    arb_slot slot = {.id = column->id, .type = source->type, .nullable = source->nullable};
    slot.range = arb_range_of_column(source->type, &source->statistics);
    slot.physical = arb_physical_for(source->type, slot.range);
    *out_column = arb_scan_column_of(&slot, column->table_column, false);
    return slot;
}

static bool take_wishes(planner *p, arb_physical_node *node, const filter_wishes *wishes)
{
    arb_runtime_filter *taken = ARB_ARENA_ARRAY(p->arena, arb_runtime_filter, wishes->size + 1);
    if (taken == NULL)
        return arb_planner_no_memory(p) != NULL;
    for (size_t w = 0; w < wishes->size; w++) {
        int at = arb_layout_find(&node->scan.read, wishes->data[w].column);
        if (at < 0)
            continue;
        taken[node->scan.runtime_count++] =
            (arb_runtime_filter){.number = wishes->data[w].number, .column = (uint32_t)at};
        *wishes->data[w].granted = true;
    }
    node->scan.runtime = taken;
    return true;
}

/* May a reader apply the conjunct? Not when it holds for all rows or none, nor when it differs from call to call. */
static bool for_reader(const arb_expr *conjunct)
{
    return !arb_expr_is_constant(conjunct) && arb_expr_deterministic(conjunct);
}

/* The conjuncts that look at columns go to the reader; the others are put above. */
static const arb_physical_node *split_filter(planner *p, const arb_logical *scan, arb_physical_node *node)
{
    const arb_expr *filter = scan->scan.filter;
    const arb_physical_node *top = node;
    if (filter == NULL)
        return node;
    size_t count = arb_expr_conjunct_count(filter);
    const arb_expr **filters = ARB_ARENA_ARRAY(p->arena, const arb_expr *, count + 1);
    if (filters == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++) {
        const arb_expr *conjunct = arb_expr_conjunct(filter, i);
        if (!for_reader(conjunct))
            top = top == NULL ? NULL : arb_planner_make_condition(p, top, conjunct);
        else
            filters[node->scan.filter_count++] = conjunct;
    }
    node->scan.filters = filters;
    return top;
}

static const arb_physical_node *plan_scan(planner *p, const arb_logical *node, const arb_column_set *needed,
                                          const filter_wishes *wishes)
{
    size_t all = node->scan.column_count, count = 0;
    arb_physical_node *scan = arb_planner_node(p, ARB_PHYSICAL_SCAN, 0, NULL, NULL, node->rows);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, all + 1);
    arb_scan_column *columns = ARB_ARENA_ARRAY(p->arena, arb_scan_column, all + 1);
    arb_column_set filtered = {0}, above = copy_set(p, needed);
    if (scan == NULL || slots == NULL || columns == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; node->scan.filter != NULL && i < arb_expr_conjunct_count(node->scan.filter); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(node->scan.filter, i);
        if (!arb_expr_columns(p->query, conjunct, for_reader(conjunct) ? &filtered : &above))
            return arb_planner_no_memory(p);
    }
    for (size_t w = 0; w < wishes->size; w++)
        if (!arb_column_set_add(p->query, &filtered, wishes->data[w].column))
            return arb_planner_no_memory(p);
    for (size_t i = 0; i < all; i++)
        if (arb_column_set_has(&above, node->scan.columns[i].id)) {
            slots[count] = scan_slot(node, &node->scan.columns[i], &columns[count]);
            count++;
        }
    scan->layout = (arb_layout){count, slots};
    for (size_t i = 0; i < all; i++)
        if (!arb_column_set_has(&above, node->scan.columns[i].id) &&
            arb_column_set_has(&filtered, node->scan.columns[i].id)) {
            slots[count] = scan_slot(node, &node->scan.columns[i], &columns[count]);
            columns[count++].filter_only = true;
        }
    scan->scan.table = node->scan.table;
    scan->scan.alias = node->scan.alias;
    scan->scan.column_count = count;
    scan->scan.columns = columns;
    scan->scan.read = (arb_layout){count, slots};
    scan->scan.limit = node->scan.limit;
    if (!take_wishes(p, scan, wishes))
        return NULL;
    return split_filter(p, node, scan);
}

static const arb_physical_node *plan_filter(planner *p, const arb_logical *node, const arb_column_set *needed,
                                            const filter_wishes *wishes)
{
    arb_column_set below = copy_set(p, needed);
    if (!arb_expr_columns(p->query, node->filter.condition, &below))
        return arb_planner_no_memory(p);
    const arb_physical_node *child = arb_planner_make_node(p, node->children[0], &below, wishes);
    if (child == NULL)
        return NULL;
    const arb_physical_node *filter = arb_planner_make_condition(p, child, node->filter.condition);
    if (filter != NULL && filter != child)
        ((arb_physical_node *)(uintptr_t)filter)->rows = node->rows;
    return filter;
}

/* ---- constant rows ------------------------------------------------------------------------------------------------------- */

static const arb_physical_node *plan_values(planner *p, const arb_logical *node, const arb_column_set *needed)
{
    size_t columns = 0, all = node->values.column_count, rows = node->values.row_count;
    arb_physical_node *values = arb_planner_node(p, ARB_PHYSICAL_VALUES, 0, NULL, NULL, (double)rows);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, all + 1);
    size_t *kept = ARB_ARENA_ARRAY(p->arena, size_t, all + 1);
    const arb_expr **cells = ARB_ARENA_ARRAY(p->arena, const arb_expr *, all *rows + 1);
    if (values == NULL || slots == NULL || kept == NULL || cells == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < all; i++)
        if (arb_column_set_has(needed, node->values.columns[i]))
            kept[columns++] = i;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            cells[r * columns + c] = node->values.cells[r * all + kept[c]];
    const arb_program *program;
    arb_layout none = {0};
    arb_code code = arb_program_compile(p->arena, &none, cells, columns * rows, &program, p->error);
    if (code != ARB_OK)
        return arb_planner_failed(p, code);
    for (size_t c = 0; c < columns; c++) {
        arb_column_id id = node->values.columns[kept[c]];
        arb_type type = arb_query_column(p->query, id)->type;
        slots[c] = (arb_slot){.id = id, .type = type, .physical = arb_type_physical(type), .nullable = rows == 0};
        slots[c].range = arb_range_of_type(type);
        for (size_t r = 0; r < rows; r++) {
            arb_slot cell = arb_program_output(program, r * columns + c);
            bool nullable = slots[c].nullable || cell.nullable;
            if (r == 0) {
                slots[c].physical = cell.physical;
                slots[c].range = cell.range;
            }
            slots[c].physical = ARB_MAX(slots[c].physical, cell.physical);
            slots[c].range.low = ARB_MIN(slots[c].range.low, cell.range.low);
            slots[c].range.high = ARB_MAX(slots[c].range.high, cell.range.high);
            slots[c].nullable = nullable;
        }
    }
    values->layout = (arb_layout){columns, slots};
    values->values.row_count = rows;
    values->values.cells = cells;
    return values;
}

/* ---- order and limits ---------------------------------------------------------------------------------------------------- */

/* Sorted by `keys`; positions[i] is where the i-th key's column is. */
static arb_physical_node *sort_by(planner *p, const arb_logical *node, const arb_sort_key *logical_keys, size_t count,
                                  const arb_column_set *needed, const filter_wishes *wishes, uint32_t *positions)
{
    arb_column_set below = copy_set(p, needed);
    const arb_expr **exprs = ARB_ARENA_ARRAY(p->arena, const arb_expr *, count + 1);
    arb_physical_sort_key *keys = ARB_ARENA_ARRAY(p->arena, arb_physical_sort_key, count + 1);
    if (exprs == NULL || keys == NULL || positions == NULL)
        return arb_planner_no_memory(p);
    for (size_t i = 0; i < count; i++) {
        exprs[i] = logical_keys[i].expr;
        if (!arb_expr_columns(p->query, exprs[i], &below))
            return arb_planner_no_memory(p);
    }
    const arb_physical_node *child = arb_planner_make_node(p, node->children[0], &below, wishes);
    if (child == NULL || (child = arb_planner_with_columns(p, child, exprs, count, positions)) == NULL ||
        (child = arb_planner_packed(p, child)) == NULL)
        return NULL;
    arb_physical_node *sort = arb_planner_node(p, ARB_PHYSICAL_SORT, 1, child, NULL, child->rows);
    if (sort == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        keys[i] = (arb_physical_sort_key){positions[i], logical_keys[i].descending, logical_keys[i].nulls_first};
    sort->layout = child->layout;
    sort->sort.key_count = count;
    sort->sort.keys = keys;
    sort->sort.limit = -1;
    return sort;
}

static const arb_physical_node *plan_sort(planner *p, const arb_logical *node, const arb_column_set *needed,
                                          const filter_wishes *wishes)
{
    static const filter_wishes none = {0};
    uint32_t *positions = ARB_ARENA_ARRAY(p->arena, uint32_t, node->sort.key_count + 1);
    /* with a limit, rows must not be dropped below: they decide which others are among the first */
    arb_physical_node *sort = sort_by(p, node, node->sort.keys, node->sort.key_count, needed,
                                      node->sort.limit >= 0 ? &none : wishes, positions);
    if (sort == NULL)
        return NULL;
    sort->rows = node->rows;
    sort->sort.limit = node->sort.limit;
    sort->sort.offset = node->sort.offset;
    return sort;
}

static const arb_physical_node *plan_group_limit(planner *p, const arb_logical *node, const arb_column_set *needed)
{
    static const filter_wishes none = {0};
    uint32_t *positions = ARB_ARENA_ARRAY(p->arena, uint32_t, node->group_limit.key_count + 1);
    const arb_physical_node *sort =
        sort_by(p, node, node->group_limit.keys, node->group_limit.key_count, needed, &none, positions);
    arb_physical_node *limit =
        sort == NULL ? NULL : arb_planner_node(p, ARB_PHYSICAL_GROUP_LIMIT, 1, sort, NULL, node->rows);
    if (limit == NULL)
        return NULL;
    limit->layout = sort->layout;
    limit->group_limit.group_count = node->group_limit.group_count;
    limit->group_limit.groups = positions;
    limit->group_limit.count = node->group_limit.count;
    limit->group_limit.offset = node->group_limit.offset;
    return limit;
}

static const arb_physical_node *plan_limit(planner *p, const arb_logical *node, const arb_column_set *needed)
{
    static const filter_wishes none = {0};
    const arb_physical_node *child = arb_planner_make_node(p, node->children[0], needed, &none);
    arb_physical_node *limit =
        child == NULL ? NULL : arb_planner_node(p, ARB_PHYSICAL_LIMIT, 1, child, NULL, node->rows);
    if (limit == NULL)
        return NULL;
    limit->layout = child->layout;
    limit->limit.count = node->limit.count;
    limit->limit.offset = node->limit.offset;
    return limit;
}

/* ---- shared subplans ------------------------------------------------------------------------------------------------------- */

static const arb_physical_node *plan_shared(planner *p, const arb_logical *node, const arb_column_set *needed)
{
    static const filter_wishes none = {0};
    const arb_shared *shared = node->shared.shared;
    if (p->shared_places[shared->number] < 0) {
        arb_column_set all = {0};
        if (!arb_logical_output(p->query, shared->plan, &all))
            return arb_planner_no_memory(p);
        const arb_physical_node *plan = arb_planner_packed(p, arb_planner_make_node(p, shared->plan, &all, &none));
        if (plan == NULL || !ARB_ARENA_PUSH(p->arena, &p->shared, plan))
            return arb_planner_no_memory(p);
        p->shared_places[shared->number] = (int)p->shared.size - 1;
    }
    uint32_t place = (uint32_t)p->shared_places[shared->number];
    const arb_physical_node *source = p->shared.data[place];
    arb_physical_node *scan = arb_planner_node(p, ARB_PHYSICAL_SHARED, 0, NULL, NULL, source->rows);
    arb_slot *slots = ARB_ARENA_ARRAY(p->arena, arb_slot, node->shared.column_count + 1);
    uint32_t *columns = ARB_ARENA_ARRAY(p->arena, uint32_t, node->shared.column_count + 1);
    if (scan == NULL || slots == NULL || columns == NULL)
        return arb_planner_no_memory(p);
    size_t count = 0;
    for (size_t i = 0; i < node->shared.column_count; i++) {
        if (!arb_column_set_has(needed, node->shared.columns[i]))
            continue;
        int at = arb_layout_find(&source->layout, node->shared.sources[i]);
        if (at < 0)
            return arb_planner_failed(
                p, arb_fail(p->error, ARB_INTERNAL, "a shared subplan lacks column #%u", node->shared.sources[i]));
        slots[count] = source->layout.slots[at];
        slots[count].id = node->shared.columns[i];
        columns[count++] = (uint32_t)at;
    }
    scan->layout = (arb_layout){count, slots};
    scan->shared.number = place;
    scan->shared.columns = columns;
    return scan;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------------- */

uint64_t arb_planner_rows_most(const arb_physical_node *node)
{
    uint64_t most = 0, right;
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        return node->scan.table->rows_exact ? ARB_MAX(node->scan.table->rows, (uint64_t)1) : 0;
    case ARB_PHYSICAL_VALUES:
        return ARB_MAX(node->values.row_count, (size_t)1);
    case ARB_PHYSICAL_FILTER:
    case ARB_PHYSICAL_PROJECT:
    case ARB_PHYSICAL_SORT:
    case ARB_PHYSICAL_LIMIT:
    case ARB_PHYSICAL_GROUP_LIMIT:
    case ARB_PHYSICAL_AGGREGATE:
        return ARB_MAX(arb_planner_rows_most(node->children[0]), (uint64_t)(node->kind == ARB_PHYSICAL_AGGREGATE));
    case ARB_PHYSICAL_UNION:
        for (size_t i = 0; i < node->child_count; i++) {
            uint64_t one = arb_planner_rows_most(node->children[i]);
            if (one == 0 || __builtin_add_overflow(most, one, &most))
                return 0;
        }
        return most;
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        most = arb_planner_rows_most(node->children[0]);
        right = arb_planner_rows_most(node->children[1]);
        switch ((arb_join_output)node->join.output) {
        case ARB_JOIN_PROBE_SEMI:
        case ARB_JOIN_PROBE_ANTI:
        case ARB_JOIN_PROBE_MARK:
        case ARB_JOIN_PROBE_SINGLE:
            return most;
        case ARB_JOIN_BUILD_SEMI:
        case ARB_JOIN_BUILD_ANTI:
            return right;
        default: { /* every pair, and each row once alone */
            uint64_t pairs;
            if (__builtin_mul_overflow(most, right, &pairs) || pairs > UINT64_MAX / 4)
                return 0;
            return most == 0 || right == 0 ? 0 : pairs + most + right;
        }
        }
    case ARB_PHYSICAL_REPEAT:
    case ARB_PHYSICAL_SHARED:
    case ARB_PHYSICAL_EXCHANGE:
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
    return 0;
}

const arb_physical_node *arb_planner_make_node(planner *p, const arb_logical *node, const arb_column_set *needed,
                                               const filter_wishes *wishes)
{
    if (p->code != ARB_OK)
        return NULL;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return plan_scan(p, node, needed, wishes);
    case ARB_LOGICAL_VALUES:
        return plan_values(p, node, needed);
    case ARB_LOGICAL_FILTER:
        return plan_filter(p, node, needed, wishes);
    case ARB_LOGICAL_PROJECT:
        return plan_project_node(p, node, needed, wishes);
    case ARB_LOGICAL_AGGREGATE:
        return arb_planner_make_aggregate(p, node, needed, wishes);
    case ARB_LOGICAL_JOIN:
        return arb_planner_make_join(p, node, needed, wishes);
    case ARB_LOGICAL_SORT:
        return plan_sort(p, node, needed, wishes);
    case ARB_LOGICAL_LIMIT:
        return plan_limit(p, node, needed);
    case ARB_LOGICAL_GROUP_LIMIT:
        return plan_group_limit(p, node, needed);
    case ARB_LOGICAL_SET:
        return arb_planner_make_set(p, node, needed);
    case ARB_LOGICAL_SHARED:
        return plan_shared(p, node, needed);
    case ARB_LOGICAL_KIND_COUNT:
        break;
    }
    return arb_planner_failed(p, arb_fail(p->error, ARB_INTERNAL, "unknown logical node %d", node->kind));
}

arb_code arb_physical_plan_make(arb_query *query, const arb_logical_plan *logical, const arb_physical_plan **out_plan,
                                arb_error *error)
{
    static const filter_wishes none = {0};
    *out_plan = NULL;
    planner p = {.query = query, .arena = query->arena, .error = error};
    arb_physical_plan *plan = ARB_ARENA_NEW(p.arena, arb_physical_plan);
    uint32_t *columns = ARB_ARENA_ARRAY(p.arena, uint32_t, logical->column_count + 1);
    p.shared_places = ARB_ARENA_ARRAY(p.arena, int, query->shared.size + 1);
    if (plan == NULL || columns == NULL || p.shared_places == NULL)
        return arb_fail_memory(error, "a plan", sizeof *plan);
    for (size_t i = 0; i < query->shared.size; i++)
        p.shared_places[i] = -1;
    arb_column_set needed = {0};
    for (size_t i = 0; i < logical->column_count; i++)
        if (!arb_column_set_add(query, &needed, logical->columns[i].expr->column))
            return arb_fail_memory(error, "a plan", sizeof *plan);
    plan->root = arb_planner_unpacked(&p, arb_planner_make_node(&p, logical->root, &needed, &none));
    if (plan->root == NULL)
        return p.code;
    for (size_t i = 0; i < logical->column_count; i++) {
        int at = arb_layout_find(&plan->root->layout, logical->columns[i].expr->column);
        if (at < 0)
            return arb_fail(error, ARB_INTERNAL, "the plan lacks the result's column #%u",
                            logical->columns[i].expr->column);
        columns[i] = (uint32_t)at;
    }
    plan->shared_count = p.shared.size;
    plan->shared = p.shared.data;
    plan->node_count = p.node_count;
    plan->runtime_filter_count = p.filter_count;
    plan->column_count = logical->column_count;
    plan->columns = columns;
    plan->names = logical->names;
    *out_plan = plan;
    return ARB_OK;
}
