/* logical_print.c: a logical plan as EXPLAIN shows it, one node a line, children two spaces deeper. A column is shown by
 * its name, and by name#id when the query has several of that name. The plan of a shared subplan is shown below the
 * first node that reads it. */
#include "expr/function.h"
#include "plan/logical.h"

typedef struct printer {
    arb_text *out;
    const arb_query *query;
    ARB_VEC(uint32_t) shown; /* numbers of shared plans */
} printer;

static void print_column(void *context, arb_text *out, arb_column_id id)
{
    const arb_query *query = context;
    arb_str name = arb_query_column(query, id)->name;
    size_t same = 0;
    for (size_t i = 0; i < query->columns.size; i++)
        same += arb_str_equal(query->columns.data[i].name, name);
    arb_text_append_str(out, name);
    if (same > 1 || name.size == 0)
        arb_text_printf(out, "#%u", (unsigned)id);
}

static void print_expr(printer *p, const arb_expr *expr)
{
    arb_expr_print(p->out, expr, print_column, (void *)(uintptr_t)p->query);
}

static void print_ids(printer *p, const arb_column_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_column((void *)(uintptr_t)p->query, p->out, ids[i]);
    }
}

static void print_named(printer *p, const arb_named_expr *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_expr(p, items[i].expr);
        if (items[i].expr->kind != ARB_EXPR_COLUMN || items[i].expr->column != items[i].id) {
            arb_text_append_str(p->out, ARB_STR(" AS "));
            print_column((void *)(uintptr_t)p->query, p->out, items[i].id);
        }
    }
}

static void print_keys(printer *p, const arb_sort_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_expr(p, keys[i].expr);
        if (keys[i].descending)
            arb_text_append_str(p->out, ARB_STR(" DESC"));
        /* NULLs are last in ASC and first in DESC unless said otherwise. */
        if (keys[i].nulls_first != keys[i].descending)
            arb_text_append_str(p->out, keys[i].nulls_first ? ARB_STR(" NULLS FIRST") : ARB_STR(" NULLS LAST"));
    }
}

static void print_aggregate_call(printer *p, const arb_aggregate_call *call)
{
    arb_text_printf(p->out, "%s(", call->function->name);
    if (call->distinct)
        arb_text_append_str(p->out, ARB_STR("DISTINCT "));
    for (size_t i = 0; i < call->argument_count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_expr(p, call->arguments[i]);
    }
    if (call->argument_count == 0)
        arb_text_append_char(p->out, '*');
    if (call->order_count != 0) {
        arb_text_append_str(p->out, ARB_STR(" ORDER BY "));
        print_keys(p, call->order, call->order_count);
    }
    arb_text_append_char(p->out, ')');
    if (call->filter != NULL) {
        arb_text_append_str(p->out, ARB_STR(" FILTER (WHERE "));
        print_expr(p, call->filter);
        arb_text_append_char(p->out, ')');
    }
    arb_text_append_str(p->out, ARB_STR(" AS "));
    print_column((void *)(uintptr_t)p->query, p->out, call->id);
}

static void print_scan(printer *p, const arb_logical *node)
{
    arb_text_append_str(p->out, ARB_STR("SCAN "));
    arb_str name = node->scan.table != NULL ? node->scan.table->name : ARB_STR("");
    arb_text_append_str(p->out, name);
    if (node->scan.alias.size != 0 && !arb_str_equal(node->scan.alias, name)) {
        arb_text_append_char(p->out, ' ');
        arb_text_append_str(p->out, node->scan.alias);
    }
    arb_text_append_str(p->out, ARB_STR(" ("));
    for (size_t i = 0; i < node->scan.column_count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_column((void *)(uintptr_t)p->query, p->out, node->scan.columns[i].id);
    }
    arb_text_append_char(p->out, ')');
    if (node->scan.filter != NULL) {
        arb_text_append_str(p->out, ARB_STR(" WHERE "));
        print_expr(p, node->scan.filter);
    }
    if (node->scan.limit >= 0)
        arb_text_printf(p->out, " LIMIT %lld", (long long)node->scan.limit);
}

static void print_values(printer *p, const arb_logical *node)
{
    if (node->values.row_count == 0) {
        arb_text_append_str(p->out, ARB_STR("NO ROWS ("));
        print_ids(p, node->values.columns, node->values.column_count);
        arb_text_append_char(p->out, ')');
    } else if (node->values.column_count == 0 && node->values.row_count == 1) {
        arb_text_append_str(p->out, ARB_STR("ONE ROW"));
    } else {
        arb_text_append_str(p->out, ARB_STR("VALUES ("));
        print_ids(p, node->values.columns, node->values.column_count);
        arb_text_printf(p->out, "), %zu row%s", node->values.row_count, node->values.row_count == 1 ? "" : "s");
    }
}

static void print_join(printer *p, const arb_logical *node)
{
    static const char *const names[] = {
        [ARB_JOIN_INNER] = "INNER", [ARB_JOIN_LEFT] = "LEFT", [ARB_JOIN_RIGHT] = "RIGHT", [ARB_JOIN_FULL] = "FULL",
        [ARB_JOIN_SEMI] = "SEMI",   [ARB_JOIN_ANTI] = "ANTI", [ARB_JOIN_MARK] = "MARK",   [ARB_JOIN_SINGLE] = "SINGLE",
    };
    if (node->join.kind == ARB_JOIN_INNER && node->join.condition == NULL && !node->join.dependent) {
        arb_text_append_str(p->out, ARB_STR("CROSS JOIN"));
        return;
    }
    arb_text_printf(p->out, "%s%s JOIN", node->join.dependent ? "DEPENDENT " : "", names[node->join.kind]);
    if (node->join.mark != ARB_NO_COLUMN) {
        arb_text_append_char(p->out, ' ');
        print_column((void *)(uintptr_t)p->query, p->out, node->join.mark);
    }
    if (node->join.null_aware)
        arb_text_append_str(p->out, ARB_STR(" NULL-AWARE"));
    if (node->join.condition != NULL) {
        arb_text_append_str(p->out, ARB_STR(" ON "));
        print_expr(p, node->join.condition);
    }
}

static void print_aggregate(printer *p, const arb_logical *node)
{
    arb_text_append_str(p->out, ARB_STR("AGGREGATE"));
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" ") : ARB_STR(", "));
        print_aggregate_call(p, &node->aggregate.aggregates[i]);
    }
    if (node->aggregate.group_count != 0) {
        arb_text_append_str(p->out, ARB_STR(" GROUP BY "));
        size_t keys = node->aggregate.group_count - node->aggregate.carried_count;
        print_named(p, node->aggregate.groups, keys);
        if (node->aggregate.carried_count != 0) {
            arb_text_append_str(p->out, ARB_STR(" CARRYING "));
            print_named(p, node->aggregate.groups + keys, node->aggregate.carried_count);
        }
    }
}

static void print_limits(printer *p, int64_t count, int64_t offset)
{
    if (count >= 0)
        arb_text_printf(p->out, " LIMIT %lld", (long long)count);
    if (offset > 0)
        arb_text_printf(p->out, " OFFSET %lld", (long long)offset);
}

static void print_group_limit(printer *p, const arb_logical *node)
{
    size_t groups = node->group_limit.group_count;
    arb_text_append_str(p->out, ARB_STR("GROUP LIMIT BY "));
    for (size_t i = 0; i < groups; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR("") : ARB_STR(", "));
        print_expr(p, node->group_limit.keys[i].expr);
    }
    if (node->group_limit.key_count > groups) {
        arb_text_append_str(p->out, ARB_STR(" ORDER BY "));
        print_keys(p, node->group_limit.keys + groups, node->group_limit.key_count - groups);
    }
    print_limits(p, node->group_limit.count, node->group_limit.offset);
}

static void print_set(printer *p, const arb_logical *node)
{
    static const char *const names[] = {
        [ARB_SET_UNION] = "UNION", [ARB_SET_INTERSECT] = "INTERSECT", [ARB_SET_EXCEPT] = "EXCEPT"};
    arb_text_printf(p->out, "%s%s (", names[node->set.kind], node->set.all ? " ALL" : "");
    print_ids(p, node->set.columns, node->set.column_count);
    arb_text_append_char(p->out, ')');
    for (size_t i = 0; i < node->set.input_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" OF (") : ARB_STR(", ("));
        print_ids(p, node->set.inputs[i].columns, node->set.column_count);
        arb_text_append_char(p->out, ')');
    }
}

static void print_shared(printer *p, const arb_logical *node)
{
    const arb_shared *shared = node->shared.shared;
    arb_text_printf(p->out, "SHARED %u", (unsigned)shared->number);
    if (shared->name.size != 0) {
        arb_text_append_char(p->out, ' ');
        arb_text_append_str(p->out, shared->name);
    }
    arb_text_append_str(p->out, ARB_STR(" ("));
    for (size_t i = 0; i < node->shared.column_count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_ids(p, &node->shared.sources[i], 1);
        arb_text_append_str(p->out, ARB_STR(" AS "));
        print_ids(p, &node->shared.columns[i], 1);
    }
    arb_text_append_char(p->out, ')');
}

static void print_node(printer *p, const arb_logical *node)
{
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        print_scan(p, node);
        break;
    case ARB_LOGICAL_VALUES:
        print_values(p, node);
        break;
    case ARB_LOGICAL_FILTER:
        arb_text_append_str(p->out, ARB_STR("FILTER "));
        print_expr(p, node->filter.condition);
        break;
    case ARB_LOGICAL_PROJECT:
        arb_text_append_str(p->out, ARB_STR("PROJECT "));
        print_named(p, node->project.items, node->project.item_count);
        break;
    case ARB_LOGICAL_AGGREGATE:
        print_aggregate(p, node);
        break;
    case ARB_LOGICAL_JOIN:
        print_join(p, node);
        break;
    case ARB_LOGICAL_SORT:
        arb_text_append_str(p->out, ARB_STR("SORT "));
        print_keys(p, node->sort.keys, node->sort.key_count);
        print_limits(p, node->sort.limit, node->sort.offset);
        break;
    case ARB_LOGICAL_LIMIT:
        arb_text_append_str(p->out,
                            node->limit.count < 0 && node->limit.offset == 0 ? ARB_STR("LIMIT ALL") : ARB_STR("LIMIT"));
        if (node->limit.count >= 0)
            arb_text_printf(p->out, " %lld", (long long)node->limit.count);
        if (node->limit.offset > 0)
            arb_text_printf(p->out, " OFFSET %lld", (long long)node->limit.offset);
        break;
    case ARB_LOGICAL_GROUP_LIMIT:
        print_group_limit(p, node);
        break;
    case ARB_LOGICAL_SET:
        print_set(p, node);
        break;
    case ARB_LOGICAL_SHARED:
        print_shared(p, node);
        break;
    case ARB_LOGICAL_KIND_COUNT:
        break;
    }
}

static bool first_time(printer *p, uint32_t number)
{
    for (size_t i = 0; i < p->shown.size; i++) {
        if (p->shown.data[i] == number)
            return false;
    }
    if (!ARB_VEC_PUSH(&p->shown, number))
        p->out->failed = true;
    return true;
}

static void print_tree(printer *p, const arb_logical *node, size_t depth)
{
    arb_text_append_repeated(p->out, ' ', depth * 2);
    print_node(p, node);
    if (node->rows > 0)
        arb_text_printf(p->out, "  ~%.0f", node->rows);
    arb_text_append_char(p->out, '\n');
    if (node->kind == ARB_LOGICAL_SHARED && first_time(p, node->shared.shared->number))
        print_tree(p, node->shared.shared->plan, depth + 1);
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        print_tree(p, arb_logical_child(node, i), depth + 1);
}

void arb_logical_print(arb_text *out, const arb_query *query, const arb_logical *node)
{
    printer p = {.out = out, .query = query};
    print_tree(&p, node, 0);
    ARB_VEC_RESET(&p.shown);
}
