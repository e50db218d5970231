/* estimate.c: rows of each kind of node; see estimate.h. Selectivities are in selectivity.c. */
#include <math.h>

#include "optimizer/estimate.h"

static double at_least_one(double rows)
{
    return rows < 1 ? 1 : rows;
}

double arb_estimate_base_rows(arb_rule_context *rule, arb_column_id column, double rows)
{
    const arb_column_info *info = arb_query_column(rule->query, column);
    return info->table != NULL ? at_least_one((double)info->table->rows) : rows;
}

/* How many values a dictionary has that takes so few bits a row: its codes have just enough of them for the largest. 0
 * when there is none, or it does not look like that: differences of sorted values take next to nothing, too. */
static double distinct_by_size(const arb_column_info *info)
{
    const double most_bits = 20, least_bits = 0.9, least_rows = 1000;
    if (info->table == NULL || !info->statistics.coded || (double)info->table->rows < least_rows)
        return 0;
    double bits = 8 * (double)info->statistics.bytes / (double)info->table->rows;
    if (bits > most_bits)
        return 0;
    /* Runs of one value take next to nothing: then there may be few values or many. */
    return bits < least_bits ? 100 : 0.75 * exp2(bits);
}

double arb_estimate_distinct(arb_rule_context *rule, arb_column_id column, double rows)
{
    const arb_column_info *info = arb_query_column(rule->query, column);
    const arb_column_statistics *known = &info->statistics;
    double base = arb_estimate_base_rows(rule, column, rows), distinct, by_size = distinct_by_size(info);
    const double most_names = 1000;
    if (info->type.id == ARB_TYPE_BOOLEAN)
        return fmin(2, at_least_one(base));
    if (known->has_distinct) {
        distinct = (double)known->distinct;
    } else if (known->has_range && (arb_type_is_integer(info->type) || info->type.id == ARB_TYPE_DATE)) {
        distinct = (double)known->high - (double)known->low + 1;
    } else if (known->has_range && info->type.id == ARB_TYPE_DECIMAL) {
        /* Prices and amounts: as many as the range has values, but seldom each row another one. */
        distinct = fmin((double)known->high - (double)known->low + 1, base / 2);
    } else {
        distinct = info->table != NULL && base > most_names ? base / 5 : base;
    }
    if (by_size > 0 && !known->has_distinct)
        distinct = fmin(distinct, by_size);
    return at_least_one(fmin(distinct, base));
}

typedef struct first_column {
    arb_column_id column;
    bool several;
} first_column;

static bool look(void *context, const arb_expr *expr)
{
    first_column *found = context;
    if (expr->kind == ARB_EXPR_COLUMN) {
        found->several |= found->column != ARB_NO_COLUMN && found->column != expr->column;
        found->column = expr->column;
    }
    return true;
}

/* How many values a field of a date or time has; 0 for what is none. */
static double distinct_fields(arb_rule_context *rule, const arb_expr *expr)
{
    static const struct {
        const char *name;
        double values;
    } fields[] = {{"month", 12}, {"quarter", 4}, {"day", 31}, {"dow", 7}, {"week", 53}, {"hour", 24}, {"minute", 60}};
    if (expr->kind != ARB_EXPR_CALL || strcmp(expr->function->name, "date_part") != 0 || expr->child_count != 2 ||
        expr->children[0]->kind != ARB_EXPR_CONSTANT || expr->children[0]->value.is_null)
        return 0;
    arb_str field = expr->children[0]->value.text;
    for (size_t i = 0; i < ARB_COUNT_OF(fields); i++) {
        if (arb_str_equal_nocase(field, arb_str_of(fields[i].name)))
            return fields[i].values;
    }
    const arb_expr *of = expr->children[1];
    if (!arb_str_equal_nocase(field, ARB_STR("year")) || of->kind != ARB_EXPR_COLUMN || of->type.id != ARB_TYPE_DATE)
        return 0;
    const arb_column_statistics *known = &arb_query_column(rule->query, of->column)->statistics;
    return known->has_range ? ((double)known->high - (double)known->low) / 365 + 1 : 0;
}

/* What is computed has as many values as it is estimated to have from its columns. */
static void note_computed(arb_rule_context *rule, const arb_named_expr *item)
{
    arb_column_info *info = arb_query_column(rule->query, item->id);
    first_column found = {.column = ARB_NO_COLUMN};
    arb_expr_walk(item->expr, look, &found);
    if (item->expr->kind == ARB_EXPR_COLUMN || found.column == ARB_NO_COLUMN || found.several ||
        info->statistics.has_distinct || arb_query_column(rule->query, found.column)->table == NULL)
        return;
    double rows = arb_estimate_base_rows(rule, found.column, 1);
    info->statistics.has_distinct = true;
    info->statistics.distinct = (uint64_t)arb_estimate_distinct_expr(rule, item->expr, rows);
}

double arb_estimate_distinct_expr(arb_rule_context *rule, const arb_expr *expr, double rows)
{
    first_column found = {.column = ARB_NO_COLUMN};
    arb_expr_walk(expr, look, &found);
    if (found.column == ARB_NO_COLUMN)
        return 1;
    if (found.several)
        return at_least_one(rows / 2);
    double distinct = arb_estimate_distinct(rule, found.column, rows), fields = distinct_fields(rule, expr);
    if (fields > 0)
        return at_least_one(fmin(distinct, fields));
    /* A function of a column has at most as many values, often far fewer: years of dates, prefixes of texts. */
    bool plain = expr->kind == ARB_EXPR_COLUMN || expr->kind == ARB_EXPR_CAST;
    return plain ? distinct : at_least_one(fmin(distinct, sqrt(distinct) * 4));
}

/* A column that only renames another one has its statistics. */
static void note_source(arb_query *query, arb_column_id id, arb_column_id source)
{
    arb_column_info *info = arb_query_column(query, id), *from = arb_query_column(query, source);
    if (info == from || info->table != NULL || from->table == NULL)
        return;
    info->table = from->table;
    info->table_column = from->table_column;
    info->statistics = from->statistics;
}

static void note_items(arb_rule_context *rule, const arb_named_expr *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].expr->kind == ARB_EXPR_COLUMN)
            note_source(rule->query, items[i].id, items[i].expr->column);
        else
            note_computed(rule, &items[i]);
    }
}

void arb_estimate_note_sources(arb_rule_context *rule, const arb_logical *node)
{
    arb_query *query = rule->query;
    for (size_t i = 0; i < arb_logical_child_count(node); i++)
        arb_estimate_note_sources(rule, arb_logical_child(node, i));
    if (node->kind == ARB_LOGICAL_PROJECT)
        note_items(rule, node->project.items, node->project.item_count);
    if (node->kind == ARB_LOGICAL_AGGREGATE)
        note_items(rule, node->aggregate.groups, node->aggregate.group_count);
    for (size_t i = 0; node->kind == ARB_LOGICAL_SHARED && i < node->shared.column_count; i++)
        note_source(query, node->shared.columns[i], node->shared.sources[i]);
}

/* What looks like a key by its range may come several times, like the orders of lines: a look tells. Only groups are worth
 * it: there the question is whether there are fewer of them than rows. */
static double group_values(arb_rule_context *rule, const arb_expr *group, double rows)
{
    double distinct = fmin(arb_estimate_distinct_expr(rule, group, rows), rows);
    const arb_optimizer_options *options = rule->options;
    if (group->kind != ARB_EXPR_COLUMN || distinct < rows / 2 || options->sample_distinct == NULL)
        return distinct;
    const arb_column_info *info = arb_query_column(rule->query, group->column);
    if (info->table == NULL || info->statistics.has_distinct)
        return distinct;
    double part =
        options->sample_distinct(options->sample_context, info->table, info->table_column, &rule->sample_bytes);
    return part > 0 ? at_least_one(fmin(distinct, part * (double)info->table->rows)) : distinct;
}

/* Distinct combinations that groups have, from `rows` rows. */
static double group_rows(arb_rule_context *rule, const arb_named_expr *groups, size_t count, double rows)
{
    double combinations = 1;
    for (size_t i = 0; i < count; i++) {
        combinations *= group_values(rule, groups[i].expr, rows);
        if (combinations >= rows)
            return rows;
    }
    /* Few rows do not meet every combination. */
    return at_least_one(combinations * (1 - exp(-rows / combinations)));
}

bool arb_estimate_is_key(arb_rule_context *rule, arb_column_id column, double rows)
{
    const arb_column_info *info = arb_query_column(rule->query, column);
    const arb_column_statistics *known = &info->statistics;
    double base = arb_estimate_base_rows(rule, column, rows);
    if (info->table == NULL)
        return false;
    if (!known->has_distinct && known->has_range && (double)known->high - (double)known->low > 5 * base)
        return false;
    return arb_estimate_distinct(rule, column, rows) >= 0.9 * base;
}

/* The part of pairs that satisfies the condition. Several equalities form one key, which has no more values than the
 * relation that it belongs to has rows. */
double arb_estimate_pairs(arb_rule_context *rule, const arb_logical *join, double left, double right)
{
    arb_column_set left_columns = {0}, right_columns = {0};
    const arb_expr *condition = join->join.condition;
    if (condition == NULL)
        return 1;
    if (!arb_logical_output(rule->query, join->children[0], &left_columns) ||
        !arb_logical_output(rule->query, join->children[1], &right_columns))
        return 1;
    double left_keys = 1, right_keys = 1, left_most = 1, right_most = 1, rest = 1;
    size_t equalities = 0;
    bool left_key = true, right_key = true;
    for (size_t i = 0; i < arb_expr_conjunct_count(condition); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(condition, i), *l, *r;
        if (!arb_conjunct_equates(rule->query, conjunct, &left_columns, &right_columns, &l, &r)) {
            rest *= arb_estimate_selectivity(rule, conjunct, left * right);
            continue;
        }
        equalities++;
        left_keys *= arb_estimate_distinct_expr(rule, l, left);
        right_keys *= arb_estimate_distinct_expr(rule, r, right);
        left_key = l->kind == ARB_EXPR_COLUMN && arb_estimate_is_key(rule, l->column, left);
        right_key = r->kind == ARB_EXPR_COLUMN && arb_estimate_is_key(rule, r->column, right);
        if (l->kind == ARB_EXPR_COLUMN)
            left_most = fmax(left_most, arb_estimate_base_rows(rule, l->column, left));
        if (r->kind == ARB_EXPR_COLUMN)
            right_most = fmax(right_most, arb_estimate_base_rows(rule, r->column, right));
    }
    if (equalities == 0)
        return rest;
    /* Several columns are a key when they could have more combinations than there are rows. */
    left_most = fmax(left_most, left);
    right_most = fmax(right_most, right);
    if (equalities > 1) {
        left_key = left_keys >= left_most;
        right_key = right_keys >= right_most;
    }
    left_keys = fmin(left_keys, left_most);
    right_keys = fmin(right_keys, right_most);
    if (right_key && right_most <= left_most)
        return rest / right_keys;
    return left_key && left_most <= right_most ? rest / left_keys : rest / fmax(left_keys, right_keys);
}

/* The part of left rows that have a match. */
static double match_fraction(arb_rule_context *rule, const arb_logical *join, double left, double right)
{
    double expected = arb_estimate_pairs(rule, join, left, right) * right;
    return fmin(1, fmax(expected, 1e-6));
}

static double join_rows(arb_rule_context *rule, const arb_logical *node)
{
    double left = arb_estimate_rows(rule, node->children[0]), right = arb_estimate_rows(rule, node->children[1]);
    double pairs = left * right * arb_estimate_pairs(rule, node, left, right);
    double matching = match_fraction(rule, node, left, right);
    switch ((arb_join_kind)node->join.kind) {
    case ARB_JOIN_INNER:
        return pairs;
    case ARB_JOIN_LEFT:
        return fmax(pairs, left);
    case ARB_JOIN_RIGHT:
        return fmax(pairs, right);
    case ARB_JOIN_FULL:
        return fmax(pairs, left + right);
    case ARB_JOIN_SEMI:
        return left * matching;
    case ARB_JOIN_ANTI:
        return left * fmax(1 - matching, 0.1);
    case ARB_JOIN_MARK:
    case ARB_JOIN_SINGLE:
        return left;
    }
    return left;
}

static double scan_rows(arb_rule_context *rule, const arb_logical *node)
{
    double rows = node->scan.table != NULL ? at_least_one((double)node->scan.table->rows) : 1000;
    double selectivity = -1;
    if (node->scan.filter != NULL && rule->options->sample_selectivity != NULL)
        selectivity = rule->options->sample_selectivity(rule->options->sample_context, node, node->scan.filter,
                                                        &rule->sample_bytes);
    if (!(selectivity >= 0))
        selectivity = arb_estimate_selectivity(rule, node->scan.filter, rows);
    rows *= fmin(selectivity, 1);
    return node->scan.limit >= 0 ? fmin(rows, (double)node->scan.limit) : rows;
}

static double set_rows(arb_rule_context *rule, const arb_logical *node)
{
    double rows = 0;
    for (size_t i = 0; i < node->set.input_count; i++) {
        double input = arb_estimate_rows(rule, node->set.inputs[i].plan);
        if (node->set.kind == ARB_SET_UNION)
            rows += input;
        else
            rows = i == 0 ? input : node->set.kind == ARB_SET_INTERSECT ? fmin(rows, input) : rows;
    }
    return rows;
}

static double limited(double rows, int64_t count, int64_t offset)
{
    rows = fmax(rows - (double)offset, 0);
    return count >= 0 ? fmin(rows, (double)count) : rows;
}

static double group_limit_rows(arb_rule_context *rule, const arb_logical *node, double below)
{
    double groups = 1;
    for (size_t i = 0; i < node->group_limit.group_count; i++)
        groups *= fmin(arb_estimate_distinct_expr(rule, node->group_limit.keys[i].expr, below), below);
    groups = fmin(groups, below);
    return groups * limited(at_least_one(below / groups), node->group_limit.count, node->group_limit.offset);
}

static double rows_of(arb_rule_context *rule, const arb_logical *node)
{
    double below = node->child_count == 1 ? arb_estimate_rows(rule, node->children[0]) : 0;
    switch ((arb_logical_kind)node->kind) {
    case ARB_LOGICAL_SCAN:
        return scan_rows(rule, node);
    case ARB_LOGICAL_VALUES:
        return (double)node->values.row_count;
    case ARB_LOGICAL_FILTER:
        return below * arb_estimate_selectivity(rule, node->filter.condition, below);
    case ARB_LOGICAL_AGGREGATE:
        return node->aggregate.group_count == 0
                   ? 1
                   : group_rows(rule, node->aggregate.groups,
                                node->aggregate.group_count - node->aggregate.carried_count, below);
    case ARB_LOGICAL_JOIN:
        return join_rows(rule, node);
    case ARB_LOGICAL_SORT:
        return limited(below, node->sort.limit, node->sort.offset);
    case ARB_LOGICAL_LIMIT:
        return limited(below, node->limit.count, node->limit.offset);
    case ARB_LOGICAL_GROUP_LIMIT:
        return group_limit_rows(rule, node, below);
    case ARB_LOGICAL_SET:
        return set_rows(rule, node);
    case ARB_LOGICAL_SHARED:
        return arb_estimate_rows(rule, node->shared.shared->plan);
    default:
        return below;
    }
}

double arb_estimate_rows(arb_rule_context *rule, const arb_logical *node)
{
    if (node->rows > 0)
        return node->rows;
    double rows = rows_of(rule, node);
    return rows > 1 && rows < 1e100 ? rows : rows >= 1e100 ? 1e100 : 1;
}
