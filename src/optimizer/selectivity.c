/* selectivity.c: the part of rows that a condition lets pass. */
#include <math.h>

#include "optimizer/estimate.h"

/* Guesses for what statistics do not tell. */
static const double guess_like = 0.05, guess_range = 0.3, guess_computed = 0.1, guess_other = 0.25, least = 1e-9;

static double clamp(double part)
{
    return part < least ? least : part > 1 ? 1 : part;
}

/* Conditions on one column's range that stand in one conjunction count together: 1994 <= year AND year < 1995 is a year,
 * not the product of two halves. */
typedef struct interval {
    arb_column_id column;
    double low, high; /* parts of the column's range, 0 to 1 */
} interval;

enum { most_intervals = 16 };

static bool has_range(const arb_column_info *info)
{
    return info->statistics.has_range && info->statistics.high >= info->statistics.low;
}

/* Where a value lies in its column's range, 0 to 1. Its unit takes a width of its own, for columns of few values. */
static double place(const arb_column_info *info, arb_int128 value, bool after)
{
    double low = (double)info->statistics.low, width = (double)info->statistics.high - low + 1;
    double at = ((double)value + (after ? 1 : 0) - low) / width;
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

static const arb_expr *column_of(const arb_expr *expr)
{
    while (expr->kind == ARB_EXPR_CAST)
        expr = expr->children[0];
    return expr->kind == ARB_EXPR_COLUMN ? expr : NULL;
}

/* Note a bound on a column; false when the conjunct is not one. */
static bool bound(arb_rule_context *rule, const arb_expr *conjunct, interval *intervals, size_t *count)
{
    if (conjunct->kind != ARB_EXPR_COMPARE || conjunct->children[0]->kind != ARB_EXPR_COLUMN ||
        conjunct->children[1]->kind != ARB_EXPR_CONSTANT || conjunct->children[1]->value.is_null)
        return false;
    arb_column_id column = conjunct->children[0]->column;
    const arb_column_info *info = arb_query_column(rule->query, column);
    if (!has_range(info))
        return false;
    size_t at = 0;
    while (at < *count && intervals[at].column != column)
        at++;
    if (at == most_intervals)
        return false;
    interval fresh = {.column = column, .low = 0, .high = 1};
    interval *range = at < *count ? &intervals[at] : &fresh;
    arb_int128 value = conjunct->children[1]->value.integer;
    switch ((arb_compare)conjunct->compare) {
    case ARB_LESS:
        range->high = fmin(range->high, place(info, value, false));
        break;
    case ARB_LESS_EQUAL:
        range->high = fmin(range->high, place(info, value, true));
        break;
    case ARB_GREATER:
        range->low = fmax(range->low, place(info, value, true));
        break;
    case ARB_GREATER_EQUAL:
        range->low = fmax(range->low, place(info, value, false));
        break;
    default:
        return false;
    }
    if (at == *count)
        intervals[(*count)++] = fresh;
    return true;
}

static double of_compare(arb_rule_context *rule, const arb_expr *expr, double rows)
{
    const arb_expr *left = column_of(expr->children[0]), *right = column_of(expr->children[1]);
    double left_distinct = arb_estimate_distinct_expr(rule, expr->children[0], rows);
    double right_distinct = arb_estimate_distinct_expr(rule, expr->children[1], rows);
    double equal = 1 / fmax(left_distinct, right_distinct);
    switch ((arb_compare)expr->compare) {
    case ARB_EQUAL:
    case ARB_NOT_DISTINCT:
        return left != NULL || right != NULL ? equal : fmax(equal, 0.05);
    case ARB_NOT_EQUAL:
    case ARB_DISTINCT:
        return clamp(1 - equal);
    default:
        /* Two columns: about half, as of received and committed dates. What is computed (sums, counts) is compared to
         * pick out the few. */
        if (left != NULL && right != NULL)
            return 0.5;
        return left != NULL && arb_query_column(rule->query, left->column)->table == NULL ? guess_computed
                                                                                          : guess_range;
    }
}

static double of_conjunction(arb_rule_context *rule, const arb_expr *expr, double rows)
{
    interval intervals[most_intervals];
    size_t count = 0;
    double part = 1;
    for (size_t i = 0; i < arb_expr_conjunct_count(expr); i++) {
        const arb_expr *conjunct = arb_expr_conjunct(expr, i);
        if (!bound(rule, conjunct, intervals, &count))
            part *= conjunct == expr ? of_compare(rule, expr, rows) : arb_estimate_selectivity(rule, conjunct, rows);
    }
    for (size_t i = 0; i < count; i++) {
        double one = 1 / arb_estimate_distinct(rule, intervals[i].column, rows);
        part *= fmax(intervals[i].high - intervals[i].low, one * 0.5);
    }
    return part;
}

static double of_call(const arb_expr *expr)
{
    const char *name = expr->function->name;
    return strstr(name, "like") != NULL || strstr(name, "regexp") != NULL || strcmp(name, "contains") == 0 ||
                   strcmp(name, "starts_with") == 0 || strcmp(name, "ends_with") == 0
               ? guess_like
               : guess_other;
}

static double of_expr(arb_rule_context *rule, const arb_expr *expr, double rows)
{
    switch ((arb_expr_kind)expr->kind) {
    case ARB_EXPR_CONSTANT:
        return arb_expr_is_true(expr) ? 1 : least;
    case ARB_EXPR_COMPARE:
    case ARB_EXPR_AND:
        return of_conjunction(rule, expr, rows);
    case ARB_EXPR_OR: {
        double none = 1;
        for (size_t i = 0; i < expr->child_count; i++)
            none *= 1 - arb_estimate_selectivity(rule, expr->children[i], rows);
        return 1 - none;
    }
    case ARB_EXPR_NOT:
        return 1 - arb_estimate_selectivity(rule, expr->children[0], rows);
    case ARB_EXPR_IN:
        return (expr->child_count - 1) / arb_estimate_distinct_expr(rule, expr->children[0], rows);
    case ARB_EXPR_IS_NULL: {
        const arb_expr *column = column_of(expr->children[0]);
        const arb_column_info *info = column != NULL ? arb_query_column(rule->query, column->column) : NULL;
        if (info == NULL || info->table == NULL || !info->statistics.has_null_count)
            return 0.05;
        return (double)info->statistics.null_count / fmax(1, (double)info->table->rows);
    }
    case ARB_EXPR_COLUMN:
        return 0.5;
    case ARB_EXPR_CALL:
        return of_call(expr);
    default:
        return guess_other;
    }
}

double arb_estimate_selectivity(arb_rule_context *rule, const arb_expr *condition, double rows)
{
    return condition == NULL ? 1 : clamp(of_expr(rule, condition, rows));
}
