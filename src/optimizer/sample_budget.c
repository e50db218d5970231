/* sample_budget.c: what the planner may spend on looking at tables: a small part of what the query will read anyway. */
#include "optimizer/rule.h"

/* Of the bytes that all scans will read. */
static const double part = 0.01;

typedef struct tally {
    const arb_column_set *used;
    double bytes;
} tally;

static bool add_used(arb_query *query, const arb_logical *node, arb_column_set *used)
{
    if (!arb_logical_used_columns(query, node, used))
        return false;
    for (size_t i = 0, count = node->kind == ARB_LOGICAL_SET ? node->set.input_count : node->child_count; i < count;
         i++)
        if (!add_used(query, arb_logical_child(node, i), used))
            return false;
    return true;
}

static double column_bytes(const arb_table *table, uint32_t column)
{
    double known = (double)table->columns[column].statistics.bytes;
    return known > 0 ? known
                     : (double)table->rows * (double)arb_physical_size(arb_type_physical(table->columns[column].type));
}

static void add_bytes(tally *t, const arb_logical *node)
{
    for (size_t i = 0, count = node->kind == ARB_LOGICAL_SET ? node->set.input_count : node->child_count; i < count;
         i++)
        add_bytes(t, arb_logical_child(node, i));
    if (node->kind != ARB_LOGICAL_SCAN || node->scan.table == NULL)
        return;
    for (size_t i = 0; i < node->scan.column_count; i++)
        if (arb_column_set_has(t->used, node->scan.columns[i].id))
            t->bytes += column_bytes(node->scan.table, node->scan.columns[i].table_column);
}

bool arb_sample_budget(arb_rule_context *rule, const arb_logical *root, const arb_column_set *needed)
{
    arb_query *query = rule->query;
    arb_column_set used = {0};
    if (!arb_column_set_add_all(query, &used, needed) || !add_used(query, root, &used))
        return false;
    for (size_t i = 0; i < query->shared.size; i++)
        if (query->shared.data[i]->uses != 0 && !add_used(query, query->shared.data[i]->plan, &used))
            return false;
    tally t = {.used = &used};
    add_bytes(&t, root);
    for (size_t i = 0; i < query->shared.size; i++)
        if (query->shared.data[i]->uses != 0)
            add_bytes(&t, query->shared.data[i]->plan);
    rule->sample_bytes = t.bytes * part;
    return true;
}
