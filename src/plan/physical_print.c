#include "plan/physical.h"

typedef struct printer {
    arb_text *out;
    const arb_query *query;
    arb_physical_note note;
    void *context;
} printer;

static void print_column(void *context, arb_text *out, arb_column_id id)
{
    const printer *p = context;
    const arb_column_info *info =
        p->query != NULL && id < p->query->columns.size ? arb_query_column(p->query, id) : NULL;
    if (info != NULL && info->name.size != 0)
        arb_text_append_str(out, info->name);
    else
        arb_text_printf(out, "#%u", id);
}

static void print_expr(printer *p, const arb_expr *expr)
{
    arb_expr_print(p->out, expr, print_column, p);
}

static void print_slot(printer *p, const arb_layout *layout, size_t at)
{
    print_column(p, p->out, layout->slots[at].id);
}

static const char *output_name(arb_join_output output)
{
    static const char *const names[] = {
        [ARB_JOIN_MATCHES] = "inner",           [ARB_JOIN_PROBE_OUTER] = "outer",
        [ARB_JOIN_BUILD_OUTER] = "build outer", [ARB_JOIN_FULL_OUTER] = "full",
        [ARB_JOIN_PROBE_SEMI] = "semi",         [ARB_JOIN_PROBE_ANTI] = "anti",
        [ARB_JOIN_BUILD_SEMI] = "build semi",   [ARB_JOIN_BUILD_ANTI] = "build anti",
        [ARB_JOIN_PROBE_MARK] = "mark",         [ARB_JOIN_PROBE_SINGLE] = "single",
    };
    return names[output];
}

static void print_join(printer *p, const arb_physical_node *node)
{
    arb_text_printf(p->out, "%s join %s", node->kind == ARB_PHYSICAL_HASH_JOIN ? "hash" : "loop",
                    output_name((arb_join_output)node->join.output));
    for (size_t i = 0; i < node->join.key_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" on ") : ARB_STR(" and "));
        print_slot(p, &node->children[0]->layout, node->join.probe_keys[i]);
        arb_text_append_str(p->out, ARB_STR(" = "));
        print_slot(p, &node->children[1]->layout, node->join.build_keys[i]);
    }
    if (node->join.residual != NULL) {
        arb_text_append_str(p->out, ARB_STR(" if "));
        print_expr(p, node->join.residual);
    }
    for (size_t i = 0; i < node->join.runtime_count; i++)
        arb_text_printf(p->out, " makes filter %u", node->join.runtime[i].number);
}

static void print_scan(printer *p, const arb_physical_node *node)
{
    arb_text_append_str(p->out, ARB_STR("scan "));
    arb_text_append_str(p->out, node->scan.table->name);
    arb_text_append_str(p->out, ARB_STR(" ("));
    for (size_t i = 0; i < node->scan.column_count; i++) {
        if (i != 0)
            arb_text_append_str(p->out, ARB_STR(", "));
        print_slot(p, &node->scan.read, i);
        arb_text_printf(p->out, " %s", arb_physical_name(node->scan.columns[i].physical));
    }
    arb_text_append_char(p->out, ')');
    for (size_t i = 0; i < node->scan.filter_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" where ") : ARB_STR(" and "));
        print_expr(p, node->scan.filters[i]);
    }
    for (size_t i = 0; i < node->scan.runtime_count; i++)
        arb_text_printf(p->out, " takes filter %u", node->scan.runtime[i].number);
}

static void print_aggregate(printer *p, const arb_physical_node *node)
{
    static const char *const names[] = {"aggregate", "partial aggregate", "final aggregate"};
    bool states = node->aggregate.phase == ARB_AGGREGATE_FINAL;
    arb_text_append_str(p->out, arb_str_of(names[node->aggregate.phase]));
    for (size_t i = 0; i < node->aggregate.group_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" by ") : ARB_STR(", "));
        print_slot(p, &node->children[0]->layout, node->aggregate.groups[i]);
    }
    for (size_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const arb_physical_aggregate *call = &node->aggregate.aggregates[i];
        arb_text_printf(p->out, "%s%s(%s", i == 0 ? ": " : ", ", call->plan.function->name,
                        call->distinct ? "distinct " : "");
        for (size_t a = 0; !states && a < call->plan.argument_count; a++) {
            if (a != 0)
                arb_text_append_str(p->out, ARB_STR(", "));
            print_slot(p, &node->children[0]->layout, call->arguments[a]);
        }
        arb_text_append_char(p->out, ')');
    }
}

static void print_sort(printer *p, const arb_physical_node *node)
{
    arb_text_append_str(p->out, node->sort.limit >= 0 ? ARB_STR("top") : ARB_STR("sort"));
    if (node->sort.limit >= 0)
        arb_text_printf(p->out, " %lld", (long long)node->sort.limit);
    for (size_t i = 0; i < node->sort.key_count; i++) {
        arb_text_append_str(p->out, i == 0 ? ARB_STR(" by ") : ARB_STR(", "));
        print_slot(p, &node->children[0]->layout, node->sort.keys[i].column);
        if (node->sort.keys[i].descending)
            arb_text_append_str(p->out, ARB_STR(" desc"));
    }
}

static void print_head(printer *p, const arb_physical_node *node)
{
    switch ((arb_physical_kind)node->kind) {
    case ARB_PHYSICAL_SCAN:
        print_scan(p, node);
        return;
    case ARB_PHYSICAL_VALUES:
        arb_text_printf(p->out, "values %zu rows", node->values.row_count);
        return;
    case ARB_PHYSICAL_FILTER:
        arb_text_append_str(p->out, ARB_STR("filter "));
        print_expr(p, node->filter.condition);
        return;
    case ARB_PHYSICAL_PROJECT:
        arb_text_append_str(p->out, ARB_STR("project "));
        for (size_t i = 0; i < node->layout.count; i++) {
            if (i != 0)
                arb_text_append_str(p->out, ARB_STR(", "));
            print_expr(p, node->project.exprs[i]);
        }
        return;
    case ARB_PHYSICAL_HASH_JOIN:
    case ARB_PHYSICAL_LOOP_JOIN:
        print_join(p, node);
        return;
    case ARB_PHYSICAL_AGGREGATE:
        print_aggregate(p, node);
        return;
    case ARB_PHYSICAL_SORT:
        print_sort(p, node);
        return;
    case ARB_PHYSICAL_LIMIT:
        arb_text_printf(p->out, "limit %lld offset %lld", (long long)node->limit.count, (long long)node->limit.offset);
        return;
    case ARB_PHYSICAL_GROUP_LIMIT:
        arb_text_printf(p->out, "limit %lld offset %lld of each ", (long long)node->group_limit.count,
                        (long long)node->group_limit.offset);
        for (size_t i = 0; i < node->group_limit.group_count; i++) {
            arb_text_append_str(p->out, i == 0 ? ARB_STR("") : ARB_STR(", "));
            print_slot(p, &node->children[0]->layout, node->group_limit.groups[i]);
        }
        return;
    case ARB_PHYSICAL_REPEAT:
        arb_text_append_str(p->out, ARB_STR("repeat"));
        return;
    case ARB_PHYSICAL_UNION:
        arb_text_append_str(p->out, ARB_STR("union all"));
        return;
    case ARB_PHYSICAL_SHARED:
        arb_text_printf(p->out, "shared %u", node->shared.number);
        return;
    case ARB_PHYSICAL_EXCHANGE:
        arb_text_printf(p->out, "%s stage %u", node->exchange.read == ARB_READ_ALL ? "all of" : "its partitions of",
                        node->exchange.stage);
        return;
    case ARB_PHYSICAL_KIND_COUNT:
        break;
    }
}

static void print_node(printer *p, const arb_physical_node *node, size_t depth)
{
    arb_text_append_repeated(p->out, ' ', depth * 2);
    print_head(p, node);
    if (node->rows > 0)
        arb_text_printf(p->out, "  ~%.0f", node->rows);
    if (p->note != NULL)
        p->note(p->context, p->out, node);
    arb_text_append_char(p->out, '\n');
    for (size_t i = 0; i < node->child_count; i++)
        print_node(p, node->children[i], depth + 1);
}

void arb_physical_print(arb_text *out, const arb_query *query, const arb_physical_plan *plan, arb_physical_note note,
                        void *context)
{
    printer p = {out, query, note, context};
    for (size_t i = 0; i < plan->shared_count; i++) {
        arb_text_printf(out, "shared %zu:\n", i);
        print_node(&p, plan->shared[i], 1);
    }
    print_node(&p, plan->root, 0);
}
