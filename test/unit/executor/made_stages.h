/* made_stages.h: stages by hand, as they are sent: one that makes rows, one that reads them, one that fails. */
#ifndef ARB_TEST_MADE_STAGES_H
#define ARB_TEST_MADE_STAGES_H

#include "unit/executor/executor_world.h"

#include "catalog/table.h"
#include "expr/expr.h"

typedef struct sent_stage {
    uint32_t number;
    arb_str bytes, hash; /* arena */
} sent_stage;

enum { MADE_PARTITIONS = 2, MADE_ROWS = 100 };

static inline arb_slot int_slot(arb_column_id id)
{
    return (arb_slot){
        .id = id, .type = ARB_TYPE(INTEGER), .physical = ARB_PHYS_INT32, .range = {true, INT32_MIN, INT32_MAX}};
}

static inline const arb_expr *constant(cluster *c, int value)
{
    return arb_expr_constant(&c->arena, (arb_value){.type = ARB_TYPE(INTEGER), .integer = value});
}

static inline arb_physical_node *node_of(cluster *c, int kind, uint32_t number, arb_column_id id)
{
    arb_physical_node *node = ARB_ARENA_NEW(&c->arena, arb_physical_node);
    arb_slot *slot = ARB_ARENA_NEW(&c->arena, arb_slot);
    assert_true(node != NULL && slot != NULL);
    *slot = int_slot(id);
    node->kind = (uint8_t)kind;
    node->number = number;
    node->layout = (arb_layout){1, slot};
    return node;
}

/* 1 … MADE_ROWS, and by each task all of them. */
static inline arb_physical_node *values(cluster *c)
{
    arb_physical_node *node = node_of(c, ARB_PHYSICAL_VALUES, 0, 1);
    const arb_expr **cells = ARB_ARENA_ARRAY(&c->arena, const arb_expr *, MADE_ROWS);
    for (int i = 0; i < MADE_ROWS; i++)
        cells[i] = constant(c, i + 1);
    node->values.row_count = MADE_ROWS;
    node->values.cells = cells;
    return node;
}

static inline sent_stage send_form(cluster *c, arb_stage *stage, const arb_physical_node *root, uint32_t nodes)
{
    static const uint32_t columns[] = {0};
    static const arb_str names[] = {{"a", 1}};
    arb_error error = {0};
    arb_text bytes = {0};
    stage->plan =
        (arb_physical_plan){.root = root, .node_count = nodes, .column_count = 1, .columns = columns, .names = names};
    stage->tasks = 2;
    stage->row_limit = -1;
    if (arb_stage_encode(stage, &c->tables, &bytes, &error) != ARB_OK)
        fail_msg("%s", error.message);
    uint8_t hash[ARB_PLAN_HASH_BYTES];
    arb_plan_hash(arb_text_view(&bytes), hash);
    sent_stage sent = {stage->number, arb_str_copy(&c->arena, arb_text_view(&bytes)),
                       arb_str_copy(&c->arena, (arb_str){(const char *)hash, sizeof hash})};
    arb_text_reset(&bytes);
    return sent;
}

/* Stage 0: the rows, in two partitions. */
static inline sent_stage stage_of_rows(cluster *c)
{
    static const uint32_t keys[] = {0};
    arb_stage stage = {
        .output = {.kind = ARB_OUTPUT_HASH, .partitions = MADE_PARTITIONS, .key_count = 1, .keys = keys}};
    return send_form(c, &stage, values(c), 1);
}

/* A table without rows, for one that takes time to open. */
static inline arb_code load_nothing(arb_table *table, arb_error *error)
{
    (void)table, (void)error;
    return ARB_OK;
}

static const arb_table_vtable empty_vtable = {.kind = "empty", .load = load_nothing};
static const arb_table_column empty_column = {.name = {"a", 1}, .type = {.id = ARB_TYPE_INTEGER}};
static arb_table empty_table = {.vtable = &empty_vtable,
                                .references = 1,
                                .name = {"empty", 5},
                                .column_count = 1,
                                .columns = &empty_column,
                                .rows_exact = true};

static inline const arb_physical_node *scan_of_nothing(cluster *c)
{
    arb_physical_node *node = node_of(c, ARB_PHYSICAL_SCAN, 1, 1);
    arb_scan_column *column = ARB_ARENA_NEW(&c->arena, arb_scan_column);
    *column = arb_scan_column_of(&node->layout.slots[0], 0, false);
    node->scan.table = &empty_table;
    node->scan.alias = ARB_STR("empty");
    node->scan.column_count = 1;
    node->scan.columns = column;
    node->scan.read = node->layout;
    node->scan.limit = -1;
    return node;
}

/* Stage 1: one task a partition of stage 0; and all of a table, if it shall. */
static inline sent_stage stage_that_reads(cluster *c, bool with_table)
{
    static const uint32_t columns[] = {0}, leaves[] = {0};
    static const uint8_t produced[] = {ARB_PHYS_INT32};
    static const arb_unit_group groups[] = {{MADE_PARTITIONS, 1, leaves}};
    arb_physical_node *leaf = node_of(c, ARB_PHYSICAL_EXCHANGE, 0, 1);
    leaf->exchange.partitions = MADE_PARTITIONS;
    leaf->exchange.read = ARB_READ_PARTITIONS;
    leaf->exchange.produced_count = 1;
    leaf->exchange.produced = produced;
    leaf->exchange.columns = columns;
    arb_stage stage = {
        .number = 1, .group_count = 1, .groups = groups, .output = {.kind = ARB_OUTPUT_ONE, .partitions = 1}};
    if (!with_table)
        return send_form(c, &stage, leaf, 1);
    const arb_physical_node *children[] = {leaf, scan_of_nothing(c)};
    arb_physical_node *both = node_of(c, ARB_PHYSICAL_UNION, 2, 2);
    both->child_count = 2;
    both->children = children;
    return send_form(c, &stage, both, 3);
}

static inline sent_stage stage_of_partitions(cluster *c)
{
    return stage_that_reads(c, false);
}

/* Stage 0, too: 100 / (row - 50). */
static inline sent_stage stage_that_fails(cluster *c)
{
    arb_argument arguments[2] = {{.type = ARB_TYPE(INTEGER)}, {.type = ARB_TYPE(INTEGER)}};
    const arb_function *minus, *over;
    arb_type result;
    assert_int_equal(arb_function_bind(ARB_FUNCTION_SCALAR, ARB_STR("-"), arguments, 2, &minus, &result, NULL), ARB_OK);
    assert_int_equal(arb_function_bind(ARB_FUNCTION_SCALAR, ARB_STR("/"), arguments, 2, &over, &result, NULL), ARB_OK);
    const arb_expr *less[] = {arb_expr_column(&c->arena, 1, ARB_TYPE(INTEGER)), constant(c, 50)};
    const arb_expr *parts[] = {constant(c, 100), arb_expr_call(&c->arena, minus, ARB_TYPE(INTEGER), less, 2)};
    const arb_expr *quotient = arb_expr_call(&c->arena, over, ARB_TYPE(INTEGER), parts, 2);
    const arb_physical_node *child = values(c);
    arb_physical_node *project = node_of(c, ARB_PHYSICAL_PROJECT, 1, 2);
    project->child_count = 1;
    project->children = &child;
    project->project.exprs = &quotient;
    arb_stage stage = {.output = {.kind = ARB_OUTPUT_ONE, .partitions = 1}};
    return send_form(c, &stage, project, 2);
}

#endif
