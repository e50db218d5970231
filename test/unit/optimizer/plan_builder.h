/* plan_builder.h: small logical plans for tests of the optimizer, and their comparison with golden text.
 *
 *     begin(&b);
 *     arb_table *t = table(&b, "t", 1000, "k int 1 1000, v int 0 99, s text");
 *     const arb_logical *plan = filter(&b, scan(&b, t, "t"), eq(&b, col(&b, "k"), num(&b, 5)));
 *     expect(&b, plan, "v", "SCAN t (k, v) WHERE k = 5\n");
 *     end(&b);
 *
 * A scan under another alias than its table's name has columns named alias.column. Builders assert instead of failing.
 *
 * Columns are found by name, so what makes them must be done before what names them, and C leaves the order of arguments
 * open. The builders of nodes therefore are macros: AFTER(b, child) puts a child by before the next one, or an
 * expression, is looked at. */
#ifndef TEST_UNIT_OPTIMIZER_PLAN_BUILDER_H
#define TEST_UNIT_OPTIMIZER_PLAN_BUILDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expr/function.h"
#include "optimizer/optimize.h"

typedef struct builder {
    arb_arena arena;
    arb_query query;
    arb_optimizer_options options;
    const arb_logical *put_by[32]; /* children of nodes that are being made */
    size_t put_by_count;
} builder;

/* ---- functions, of which only the names and properties count ---------------------------------------------------- */

static const arb_function fn_add ARB_UNUSED = {.name = "+", .arity_least = 2, .arity_most = 2};
static const arb_function fn_times ARB_UNUSED = {.name = "*", .arity_least = 2, .arity_most = 2};
static const arb_function fn_divide ARB_UNUSED = {.name = "/", .arity_least = 2, .arity_most = 2};
static const arb_function fn_like ARB_UNUSED = {.name = "like", .arity_least = 2, .arity_most = 2, .infallible = true};
static const arb_function fn_random ARB_UNUSED = {.name = "random", .is_volatile = true, .infallible = true};
static const arb_function fn_count ARB_UNUSED = {.name = "count", .kind = ARB_FUNCTION_AGGREGATE, .handles_null = true};
static const arb_function fn_sum ARB_UNUSED = {.name = "sum", .kind = ARB_FUNCTION_AGGREGATE};
static const arb_function fn_min ARB_UNUSED = {.name = "min", .kind = ARB_FUNCTION_AGGREGATE};
static const arb_function fn_max ARB_UNUSED = {.name = "max", .kind = ARB_FUNCTION_AGGREGATE};
static const arb_function fn_avg ARB_UNUSED = {.name = "avg", .kind = ARB_FUNCTION_AGGREGATE};

/* Folds + and * of integers, comparisons of integers, and AND, OR: enough for tests. 1 / 0 fails. */
ARB_UNUSED static arb_code fold_stub(arb_arena *arena, const arb_expr *expr, arb_value *out, arb_error *error)
{
    (void)arena;
    *out = (arb_value){.type = expr->type};
    const arb_value *a = expr->child_count > 0 ? &expr->children[0]->value : NULL;
    const arb_value *b = expr->child_count > 1 ? &expr->children[1]->value : NULL;
    if (expr->kind == ARB_EXPR_CALL && (a->is_null || b->is_null)) {
        out->is_null = true;
        return ARB_OK;
    }
    if (expr->kind == ARB_EXPR_CALL && expr->function == &fn_add) {
        out->integer = a->integer + b->integer;
        return ARB_OK;
    }
    if (expr->kind == ARB_EXPR_CALL && expr->function == &fn_times) {
        out->integer = a->integer * b->integer;
        return ARB_OK;
    }
    if (expr->kind == ARB_EXPR_COMPARE && expr->compare < ARB_DISTINCT) {
        out->is_null = a->is_null || b->is_null;
        int order = out->is_null ? 0 : arb_value_compare(a, b);
        static const bool holds[][3] = {{false, true, false}, {true, false, true},  {true, false, false},
                                        {true, true, false},  {false, false, true}, {false, true, true}};
        out->boolean = holds[expr->compare][order < 0 ? 0 : order == 0 ? 1 : 2];
        return ARB_OK;
    }
    return arb_fail(error, ARB_DIVISION_BY_ZERO, "not folded here");
}

ARB_UNUSED static void begin(builder *b)
{
    *b = (builder){.options = {.validate = true, .evaluate = fold_stub}};
    b->query.arena = &b->arena;
}

ARB_UNUSED static void end(builder *b)
{
    arb_arena_reset(&b->arena);
}

/* ---- tables and scans ------------------------------------------------------------------------------------------- */

/* "name type [low high], …": types int, big, date, text, money (decimal(15,2)), double; a name that ends with ? may be
 * NULL. */
ARB_UNUSED static arb_table *table(builder *b, const char *name, uint64_t rows, const char *columns)
{
    arb_table *made = ARB_ARENA_NEW(&b->arena, arb_table);
    arb_table_column *list = ARB_ARENA_ARRAY(&b->arena, arb_table_column, 32);
    char *text = arb_arena_copy(&b->arena, columns, strlen(columns)), *rest = text, *piece;
    assert_non_null(made);
    assert_non_null(list);
    size_t count = 0;
    while ((piece = strsep(&rest, ",")) != NULL) {
        char *column = arb_arena_alloc(&b->arena, 64), type[16];
        long long low = 0, high = 0;
        int fields = sscanf(piece, " %63s %15s %lld %lld", column, type, &low, &high);
        assert_true(fields >= 2 && count < 32);
        size_t size = strlen(column);
        list[count].nullable = column[size - 1] == '?';
        list[count].name = (arb_str){column, size - list[count].nullable};
        list[count].type = strcmp(type, "int") == 0      ? ARB_TYPE(INTEGER)
                           : strcmp(type, "big") == 0    ? ARB_TYPE(BIGINT)
                           : strcmp(type, "date") == 0   ? ARB_TYPE(DATE)
                           : strcmp(type, "money") == 0  ? arb_type_decimal(15, 2)
                           : strcmp(type, "double") == 0 ? ARB_TYPE(DOUBLE)
                                                         : ARB_TYPE(VARCHAR);
        if (fields == 4 && list[count].type.id == ARB_TYPE_VARCHAR)
            list[count].statistics = (arb_column_statistics){.has_distinct = true, .distinct = (uint64_t)high};
        else if (fields == 4)
            list[count].statistics = (arb_column_statistics){.has_range = true, .low = low, .high = high};
        count++;
    }
    made->name = arb_str_of(name);
    made->rows = rows;
    made->columns = list;
    made->column_count = count;
    return made;
}

ARB_UNUSED static const arb_logical *scan(builder *b, arb_table *from, const char *alias)
{
    arb_scan_output columns[32];
    bool prefixed = !arb_str_equal(from->name, arb_str_of(alias));
    for (size_t i = 0; i < from->column_count; i++) {
        const arb_table_column *column = &from->columns[i];
        char *name = arb_arena_alloc(&b->arena, 128);
        snprintf(name, 128, "%s%s%.*s", prefixed ? alias : "", prefixed ? "." : "", ARB_STR_ARGS(column->name));
        columns[i].table_column = (uint32_t)i;
        columns[i].id = arb_query_add_column(&b->query, arb_str_of(name), column->type, column->nullable);
        arb_column_info *info = arb_query_column(&b->query, columns[i].id);
        info->statistics = column->statistics;
        info->table = from;
        info->table_column = (uint32_t)i;
    }
    return arb_logical_scan(&b->query, from, arb_str_of(alias), columns, from->column_count);
}

/* ---- expressions ------------------------------------------------------------------------------------------------ */

ARB_UNUSED static arb_column_id id(builder *b, const char *name)
{
    for (size_t i = b->query.columns.size; i-- > 0;) {
        if (arb_str_equal(b->query.columns.data[i].name, arb_str_of(name)))
            return (arb_column_id)i;
    }
    fail_msg("no column %s", name);
    return ARB_NO_COLUMN;
}

ARB_UNUSED static arb_column_id make(builder *b, const char *name, arb_type type)
{
    return arb_query_add_column(&b->query, arb_str_of(name), type, true);
}

ARB_UNUSED static const arb_expr *col(builder *b, const char *name)
{
    return arb_query_column_expr(&b->query, id(b, name));
}

ARB_UNUSED static const arb_expr *num(builder *b, int value)
{
    return arb_expr_constant(&b->arena, (arb_value){.type = ARB_TYPE(INTEGER), .integer = value});
}

ARB_UNUSED static const arb_expr *text(builder *b, const char *value)
{
    return arb_expr_constant(&b->arena, (arb_value){.type = ARB_TYPE(VARCHAR), .text = arb_str_of(value)});
}

ARB_UNUSED static const arb_expr *day(builder *b, int value)
{
    return arb_expr_constant(&b->arena, (arb_value){.type = ARB_TYPE(DATE), .integer = value});
}

ARB_UNUSED static const arb_expr *compare(builder *b, const arb_expr *left, arb_compare op, const arb_expr *right)
{
    return arb_expr_compare(&b->arena, op, left, right);
}

ARB_UNUSED static const arb_expr *eq(builder *b, const arb_expr *left, const arb_expr *right)
{
    return compare(b, left, ARB_EQUAL, right);
}

/* The two columns of these names are equal. */
ARB_UNUSED static const arb_expr *same(builder *b, const char *left, const char *right)
{
    return eq(b, col(b, left), col(b, right));
}

ARB_UNUSED static const arb_expr *call(builder *b, const arb_function *function, arb_type type, const arb_expr *left,
                                       const arb_expr *right)
{
    const arb_expr *children[] = {left, right};
    return arb_expr_call(&b->arena, function, type, children, right != NULL ? 2 : left != NULL ? 1 : 0);
}

#define COUNT_OF_ARGS(...) (sizeof((const arb_expr *[]){__VA_ARGS__}) / sizeof(const arb_expr *))
#define AND(b, ...) arb_expr_and(&(b)->arena, (const arb_expr *[]){__VA_ARGS__}, COUNT_OF_ARGS(__VA_ARGS__))
#define OR(b, ...) arb_expr_or(&(b)->arena, (const arb_expr *[]){__VA_ARGS__}, COUNT_OF_ARGS(__VA_ARGS__))
#define NOT(b, e) arb_expr_not(&(b)->arena, e)

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

ARB_UNUSED static void put_by(builder *b, const arb_logical *child)
{
    assert_non_null(child);
    assert_true(b->put_by_count < ARB_COUNT_OF(b->put_by));
    b->put_by[b->put_by_count++] = child;
}

ARB_UNUSED static const arb_logical *take_back(builder *b)
{
    assert_true(b->put_by_count > 0);
    return b->put_by[--b->put_by_count];
}

#define AFTER(b, child) put_by(b, child)

#define filter(b, child, condition) (AFTER(b, child), make_filter(b, condition))
#define join(b, kind, left, right, condition) (AFTER(b, left), AFTER(b, right), make_join(b, kind, condition, false))
#define cross(b, left, right) join(b, ARB_JOIN_INNER, left, right, NULL)
#define dependent(b, kind, left, right, condition) \
    (AFTER(b, left), AFTER(b, right), make_join(b, kind, condition, true))
/* A MARK join whose mark has that name. */
#define mark(b, name, is_dependent, null_aware, left, right, condition) \
    (AFTER(b, left), AFTER(b, right), make_mark(b, name, is_dependent, null_aware, condition))
/* `function(argument) AS name`, grouped by the columns of `groups` ("a b c", may be empty). */
#define aggregate(b, child, groups, name, function, type, argument) \
    (AFTER(b, child), make_aggregate(b, groups, name, function, type, argument))
/* One item under a new name. */
#define project(b, child, name, expr) (AFTER(b, child), make_project(b, name, expr))

ARB_UNUSED static const arb_logical *make_filter(builder *b, const arb_expr *condition)
{
    return arb_logical_filter(&b->query, take_back(b), condition);
}

ARB_UNUSED static arb_logical *make_join(builder *b, arb_join_kind kind, const arb_expr *condition, bool is_dependent)
{
    const arb_logical *right = take_back(b), *left = take_back(b);
    arb_logical *made = arb_logical_join(&b->query, kind, left, right, condition);
    made->join.dependent = is_dependent;
    return made;
}

ARB_UNUSED static const arb_logical *make_mark(builder *b, const char *name, bool is_dependent, bool null_aware,
                                               const arb_expr *condition)
{
    arb_logical *made = make_join(b, ARB_JOIN_MARK, condition, is_dependent);
    made->join.null_aware = null_aware;
    made->join.mark = arb_query_add_column(&b->query, arb_str_of(name), ARB_TYPE(BOOLEAN), null_aware);
    return made;
}

ARB_UNUSED static const arb_logical *make_aggregate(builder *b, const char *groups, const char *name,
                                                    const arb_function *function, arb_type type,
                                                    const arb_expr *argument)
{
    arb_named_expr keys[8];
    size_t count = 0;
    char *text_ = arb_arena_copy(&b->arena, groups, strlen(groups)), *piece;
    while ((piece = strsep(&text_, " ")) != NULL) {
        if (*piece == '\0')
            continue;
        keys[count++] = (arb_named_expr){.id = id(b, piece), .expr = col(b, piece)};
    }
    arb_aggregate_call call_ = {0};
    if (function != NULL) {
        const arb_expr **arguments = ARB_ARENA_ARRAY(&b->arena, const arb_expr *, 1);
        arguments[0] = argument;
        call_ = (arb_aggregate_call){.id = make(b, name, type),
                                     .function = function,
                                     .argument_count = argument != NULL,
                                     .arguments = arguments};
    }
    return arb_logical_aggregate(&b->query, take_back(b), keys, count, &call_, function != NULL);
}

ARB_UNUSED static const arb_logical *make_project(builder *b, const char *name, const arb_expr *expr)
{
    arb_named_expr item = {.id = make(b, name, expr->type), .expr = expr};
    return arb_logical_project(&b->query, take_back(b), &item, 1);
}

/* ---- running and comparing -------------------------------------------------------------------------------------- */

/* Only these rules (names, separated by spaces) shall run. */
ARB_UNUSED static void only(builder *b, const char *rules)
{
    b->options.disabled = UINT32_MAX;
    char *text_ = arb_arena_copy(&b->arena, rules, strlen(rules)), *piece;
    while ((piece = strsep(&text_, " ")) != NULL) {
        arb_optimizer_rule rule = arb_optimizer_rule_find(arb_str_of(piece));
        assert_true(rule < ARB_RULE_COUNT);
        b->options.disabled &= ~((uint32_t)1 << rule);
    }
}

ARB_UNUSED static const arb_logical *optimized(builder *b, const arb_logical *plan, const char *needed)
{
    arb_column_set set = {0};
    arb_error error = {0};
    const arb_logical *out;
    char *text_ = arb_arena_copy(&b->arena, needed, strlen(needed)), *piece;
    while ((piece = strsep(&text_, " ")) != NULL) {
        if (*piece != '\0')
            assert_true(arb_column_set_add(&b->query, &set, id(b, piece)));
    }
    if (arb_logical_validate(&b->query, plan, NULL, &error) != ARB_OK)
        fail_msg("the test's plan: %s", error.message);
    if (arb_optimize_with(&b->query, plan, &set, &b->options, &out, &error) != ARB_OK)
        fail_msg("%s", error.message);
    return out;
}

/* Compare line by line; a mismatch prints the whole plan. */
ARB_UNUSED static void expect(builder *b, const arb_logical *plan, const char *needed, const char *golden)
{
    arb_text printed = {0};
    arb_logical_print(&printed, &b->query, optimized(b, plan, needed));
    if (strcmp(printed.data, golden) != 0) {
        fprintf(stderr, "---- got\n%s---- expected\n%s", printed.data, golden);
        arb_text_reset(&printed);
        fail();
    }
    arb_text_reset(&printed);
}

#endif
