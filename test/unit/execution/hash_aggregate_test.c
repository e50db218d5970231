/* Groups of keys of every kind, against a loop over all rows; DISTINCT, FILTER and ORDER BY inside of aggregates. */
#include "unit/execution/operator_harness.h"

#include "expr/aggregate.h"

typedef struct call_case {
    const char *function;
    int argument; /* column, -1 = none */
    int filter;   /* column of truth values, -1 = none */
    bool distinct;
    int order; /* column, -1 = none; descending */
} call_case;

/* Only what the reference below knows. */
static int64_t reference(const call_case *call, const t_table *table, const bool *member)
{
    int64_t result = strcmp(call->function, "count") == 0 ? 0 : T_NULL, best = T_NULL;
    for (size_t r = 0; r < table->rows; r++) {
        const int64_t *row = table->cells + r * table->columns;
        if (!member[r] || (call->filter >= 0 && row[call->filter] != 1))
            continue;
        int64_t value = call->argument < 0 ? 1 : row[call->argument];
        bool seen = false;
        for (size_t before = 0; call->distinct && before < r; before++) {
            const int64_t *other = table->cells + before * table->columns;
            seen |= member[before] && (call->filter < 0 || other[call->filter] == 1) && other[call->argument] == value;
        }
        if (seen)
            continue;
        if (strcmp(call->function, "first") == 0) { /* of the largest of the order column, whose values are unique */
            if (best == T_NULL || row[call->order] > best) {
                best = row[call->order];
                result = value;
            }
            continue;
        }
        if (value == T_NULL)
            continue;
        if (strcmp(call->function, "count") == 0)
            result++;
        else if (strcmp(call->function, "sum") == 0)
            result = result == T_NULL ? value : result + value;
        else if (strcmp(call->function, "min") == 0)
            result = result == T_NULL ? value : ARB_MIN(result, value);
        else
            result = result == T_NULL ? value : ARB_MAX(result, value);
    }
    return result;
}

static bool same_group(const t_table *table, size_t groups, size_t a, size_t b)
{
    return memcmp(table->cells + a * table->columns, table->cells + b * table->columns, groups * sizeof(int64_t)) == 0;
}

static void expected_groups(const t_table *table, size_t groups, const call_case *calls, size_t call_count, t_rows *out)
{
    bool *done = calloc(table->rows + 1, 1), *member = calloc(table->rows + 1, 1);
    bool any = false;
    for (size_t r = 0; r < table->rows || (groups == 0 && !any); r++) {
        if (r < table->rows && done[r])
            continue;
        int64_t cells[16];
        for (size_t other = 0; other < table->rows; other++) {
            member[other] = groups == 0 || same_group(table, groups, r, other);
            done[other] |= member[other];
        }
        for (size_t g = 0; g < groups; g++)
            cells[g] = table->cells[r * table->columns + g];
        for (size_t c = 0; c < call_count; c++)
            cells[groups + c] = reference(&calls[c], table, member);
        t_append(out, groups + call_count, cells);
        any = true;
    }
    free(done);
    free(member);
}

typedef struct aggregate_node {
    arb_physical_node child, node;
    const arb_physical_node *children[1];
    arb_physical_aggregate calls[8];
    uint32_t arguments[8];
    arb_slot argument_slots[8];
    arb_slot output[16];
    arb_physical_sort_key order[8];
    const arb_value *constants[1];
} aggregate_node;

static void make_node(aggregate_node *made, const t_table *table, size_t groups, const call_case *calls,
                      size_t call_count)
{
    static const uint32_t positions[] = {0, 1, 2, 3, 4, 5, 6, 7};
    *made = (aggregate_node){0};
    made->child.layout = t_layout(table, 0);
    for (size_t c = 0; c < table->columns; c++) { /* known ranges, for arrays instead of hashing */
        arb_slot *slot = (arb_slot *)&made->child.layout.slots[c];
        int64_t low = 0, high = 0;
        for (size_t r = 0; r < table->rows; r++) {
            int64_t value = table->cells[r * table->columns + c];
            low = value == T_NULL ? low : ARB_MIN(low, value);
            high = ARB_MAX(high, value);
        }
        if (table->kinds[c] <= T_I64 && t_random() % 2 == 0)
            slot->range = (arb_range){true, low, high};
    }
    made->children[0] = &made->child;
    made->node.kind = ARB_PHYSICAL_AGGREGATE;
    made->node.child_count = 1;
    made->node.children = made->children;
    made->node.layout = (arb_layout){groups + call_count, made->output};
    made->node.aggregate.group_count = groups;
    made->node.aggregate.groups = positions;
    made->node.aggregate.aggregate_count = call_count;
    made->node.aggregate.aggregates = made->calls;
    for (size_t g = 0; g < groups; g++)
        made->output[g] = made->child.layout.slots[g];
    for (size_t c = 0; c < call_count; c++) {
        arb_physical_aggregate *call = &made->calls[c];
        arb_error error = {0};
        arb_argument argument = {0};
        size_t count = calls[c].argument >= 0 ? 1 : 0;
        if (count != 0) {
            made->arguments[c] = (uint32_t)calls[c].argument;
            made->argument_slots[c] = made->child.layout.slots[calls[c].argument];
            argument.type = made->argument_slots[c].type;
        }
        arb_code code = arb_function_bind(ARB_FUNCTION_AGGREGATE, arb_str_of(calls[c].function), &argument, count,
                                          &call->plan.function, &call->plan.result, &error);
        if (code != ARB_OK)
            fail_msg("%s", error.message);
        call->plan.implementation = call->plan.function->aggregate;
        call->plan.argument_count = count;
        call->plan.arguments = &made->argument_slots[c];
        call->plan.constants = made->constants;
        assert_int_equal(
            call->plan.implementation->plan(&call->plan, &call->state_size, &made->output[groups + c], &error), ARB_OK);
        call->arguments = &made->arguments[c];
        call->filter = calls[c].filter;
        call->distinct = calls[c].distinct;
        call->order_count = calls[c].order >= 0 ? 1 : 0;
        made->order[c] = (arb_physical_sort_key){.column = (uint32_t)calls[c].order, .descending = true};
        call->order = &made->order[c];
    }
}

static void run_aggregate(t_world *world, const t_table *table, size_t groups, const call_case *calls,
                          size_t call_count)
{
    aggregate_node made;
    make_node(&made, table, groups, calls, call_count);
    arb_error error = {0};
    arb_operator *op;
    if (arb_hash_aggregate_create(&made.node, &world->context, &op, &error) != ARB_OK)
        fail_msg("%s", error.message);
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER}, expected = {0};
    assert_int_equal(t_sink(world, op, table), ARB_OK);
    assert_int_equal(t_source(world, op, &got), ARB_OK);
    expected_groups(table, groups, calls, call_count, &expected);
    t_expect(&got, &expected);
    if (world->context.ceiling == 1 && table->rows > world->context.batch_rows * world->context.drivers && groups > 0)
        assert_true(arb_spill_file_written(&op->spill) > 0);
    op->vtable->destroy(op);
    assert_int_equal(world->governor.used, 0);
    free((void *)made.child.layout.slots);
}

/* The two nodes that an aggregation becomes. */
typedef struct two_steps {
    arb_physical_node partial, between, final;
    const arb_physical_node *children[1];
    arb_physical_aggregate merged[8];
    uint32_t states[8];
    arb_slot slots[64];
} two_steps;

static void make_two_steps(two_steps *steps, aggregate_node *made)
{
    size_t groups = made->node.aggregate.group_count, count = groups;
    *steps = (two_steps){.partial = made->node, .between = made->child, .final = made->node};
    memcpy(steps->slots, made->output, groups * sizeof *steps->slots);
    for (size_t c = 0; c < made->node.aggregate.aggregate_count; c++) {
        steps->merged[c] = made->calls[c];
        steps->merged[c].filter = -1;
        steps->merged[c].arguments = &steps->states[c];
        steps->states[c] = (uint32_t)count;
        for (size_t i = 0; i < arb_aggregate_state_columns(&made->calls[c]); i++)
            steps->slots[count++] = arb_aggregate_state_slot(&made->calls[c]);
    }
    steps->partial.aggregate.phase = ARB_AGGREGATE_PARTIAL;
    steps->partial.layout = steps->between.layout = (arb_layout){count, steps->slots};
    steps->children[0] = &steps->between;
    steps->final.children = steps->children;
    steps->final.aggregate.phase = ARB_AGGREGATE_FINAL;
    steps->final.aggregate.aggregates = steps->merged;
}

typedef struct last_step {
    arb_operator *op;
    void *sink;
} last_step;

static void take_states(void *last_void, const arb_batch *batch)
{
    last_step *last = last_void;
    arb_error error = {0};
    arb_flow taken;
    assert_int_equal(last->op->vtable->sink(last->op, last->sink, batch, &taken, &error), ARB_OK);
}

/* The same groups from states that travelled as columns: two partial aggregations over halves of the rows, then a final one. */
static void run_in_two_steps(t_world *world, const t_table *table, size_t groups, const call_case *calls,
                             size_t call_count)
{
    aggregate_node made;
    two_steps steps;
    arb_error error = {0};
    make_node(&made, table, groups, calls, call_count);
    make_two_steps(&steps, &made);
    arb_driver driver = {.context = &world->context};
    last_step last;
    assert_int_equal(arb_hash_aggregate_create(&steps.final, &world->context, &last.op, &error), ARB_OK);
    assert_int_equal(last.op->vtable->sink_create(last.op, &driver, &last.sink, &error), ARB_OK);
    for (size_t half = 0; half < 2; half++) {
        t_table part = *table;
        part.cells += half * (table->rows / 2) * table->columns;
        part.rows = half == 0 ? table->rows / 2 : table->rows - table->rows / 2;
        arb_operator *op;
        assert_int_equal(arb_hash_aggregate_create(&steps.partial, &world->context, &op, &error), ARB_OK);
        t_run run = {.world = world,
                     .transform = op,
                     .table = &part,
                     .take = take_states,
                     .take_context = &last,
                     .lock = PTHREAD_MUTEX_INITIALIZER};
        assert_int_equal(t_pipeline(&run, world->context.drivers), ARB_OK);
        assert_true(arb_spill_file_written(&op->spill) == 0);
        op->vtable->destroy(op);
    }
    assert_int_equal(last.op->vtable->combine(last.op, last.sink, &error), ARB_OK);
    last.op->vtable->sink_destroy(last.op, last.sink);
    uint32_t parts = last.op->vtable->finish_parts(last.op);
    for (uint32_t p = 0; p < parts; p++)
        assert_int_equal(last.op->vtable->finish_part(last.op, p, &error), ARB_OK);
    assert_int_equal(last.op->vtable->finish(last.op, &error), ARB_OK);
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER}, expected = {0};
    assert_int_equal(t_source(world, last.op, &got), ARB_OK);
    expected_groups(table, groups, calls, call_count, &expected);
    t_expect(&got, &expected);
    last.op->vtable->destroy(last.op);
    assert_int_equal(world->governor.used, 0);
    free((void *)made.child.layout.slots);
}

static const call_case plain[] = {{"count", -1, -1, false, -1},
                                  {"count", 1, -1, false, -1},
                                  {"sum", 1, -1, false, -1},
                                  {"min", 2, -1, false, -1},
                                  {"max", 2, 3, false, -1}};

static void run_sizes(const t_kind *kinds, const int64_t *most, size_t columns, size_t groups, const call_case *calls,
                      size_t call_count, size_t rows, unsigned null_in)
{
    static const unsigned drivers[] = {1, 2, 7};
    static const uint32_t batches[] = {2048, 7, 1};
    static const uint64_t ceilings[] = {UINT64_MAX, 1, 100000};
    for (size_t i = 0; i < 3; i++) {
        t_world world;
        t_world_init(&world, drivers[i], batches[i]);
        world.holes = i != 0;
        t_table table = t_make(i == 2 ? rows / 8 : rows, columns, kinds, most, null_in);
        for (size_t r = 0; r < table.rows; r++) /* the last column is unique, for ORDER BY */
            table.cells[r * columns + columns - 1] = (int64_t)(r * 7919 % 100003);
        for (size_t c = 0; c < 3; c++) {
            world.context.ceiling = ceilings[c];
            run_aggregate(&world, &table, groups, calls, call_count);
            if (calls == plain)
                run_in_two_steps(&world, &table, groups, calls, call_count);
        }
        free(table.cells);
    }
}

static void keys_of_every_kind_make_groups(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind kinds[] = {(t_kind)kind, T_I32, T_TEXT, T_BOOL, T_I64};
        run_sizes(kinds, (int64_t[]){30, 100, 500, 2, 10}, 5, 1, plain, 5, 2000, 0);
        run_sizes(kinds, (int64_t[]){700, 100, 500, 2, 10}, 5, 1, plain, 5, 2000, 8);
    }
}

static void several_keys_make_groups(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind kinds[] = {T_CODES, (t_kind)kind, T_I32, T_BOOL, T_I64};
        if (kind != T_TEXT && kind != T_CODES && kind != T_BOOL)
            run_sizes(kinds, (int64_t[]){12, 100, 5, 2, 10}, 5, 3, plain, 3, 2000, 8);
        run_sizes(kinds, (int64_t[]){12, 6, 5, 2, 10}, 5, 4, plain, 1, 2000, 8);
        run_sizes(kinds, (int64_t[]){3, 3, 3, 2, 10}, 5, 2, plain, 1, 2000, 0);
    }
}

static void without_groups_there_is_one_row(void **state)
{
    (void)state;
    t_kind kinds[] = {T_CODES, T_I32, T_F64, T_BOOL, T_I64};
    run_sizes(kinds, (int64_t[]){12, 100, 500, 2, 10}, 5, 0, plain, 5, 2000, 0);
    run_sizes(kinds, (int64_t[]){12, 100, 500, 2, 10}, 5, 0, plain, 5, 2000, 3);
    run_sizes(kinds, (int64_t[]){12, 100, 500, 2, 10}, 5, 0, plain, 5, 0, 0);
    run_sizes(kinds, (int64_t[]){12, 100, 500, 2, 10}, 5, 1, plain, 5, 0, 0);
    run_sizes(kinds, (int64_t[]){12, 100, 500, 2, 10}, 5, 2, plain, 0, 2000, 3); /* SELECT DISTINCT */
}

static void equal_inputs_count_once_and_in_order(void **state)
{
    (void)state;
    static const call_case calls[] = {{"count", 1, -1, true, -1}, {"sum", 1, 3, true, -1},
                                      {"count", 2, -1, true, -1}, {"first", 2, -1, false, 4},
                                      {"max", 2, -1, true, -1},   {"count", -1, -1, false, -1}};
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind kinds[] = {(t_kind)kind, T_I64, T_TEXT, T_BOOL, T_I64};
        run_sizes(kinds, (int64_t[]){10, 40, 50, 2, 10}, 5, 1, calls, 6, 1500, 0);
        run_sizes(kinds, (int64_t[]){10, 40, 50, 2, 10}, 5, 1, calls, 6, 1500, 7);
    }
    t_kind kinds[] = {T_I32, T_I64, T_CODES, T_BOOL, T_I64};
    run_sizes(kinds, (int64_t[]){10, 40, 50, 2, 10}, 5, 0, calls, 6, 1500, 7);
}

/* Enough rows for partitions and for drivers that stop looking; the reference is a formula here. */
static void many_groups_are_merged_by_partitions(void **state)
{
    (void)state;
    static const call_case calls[] = {
        {"count", -1, -1, false, -1}, {"sum", 1, -1, false, -1}, {"count", 1, -1, true, -1}};
    for (unsigned drivers = 1; drivers <= 3; drivers++)
        for (unsigned times = 1; times <= 4; times += 3) {
            size_t groups = 600000 / times, rows = groups * times;
            t_kind kinds[] = {T_I64, T_I64};
            t_table table = t_make(rows, 2, kinds, (int64_t[]){1000, 1000}, 0);
            for (size_t r = 0; r < rows; r++) {
                table.cells[r * 2] = (int64_t)(r % groups) * 3 - 7;
                table.cells[r * 2 + 1] = (int64_t)(r / groups / 2);
            }
            t_world world;
            t_world_init(&world, drivers, 2048);
            if (drivers != 1 && times == 4) /* groups come again after their rows were written */
                world.context.ceiling = 4 << 20;
            aggregate_node made;
            size_t call_count = drivers == 3 ? 3 : 2;
            make_node(&made, &table, 1, calls, call_count);
            arb_error error = {0};
            arb_operator *op;
            assert_int_equal(arb_hash_aggregate_create(&made.node, &world.context, &op, &error), ARB_OK);
            t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER};
            assert_int_equal(t_sink(&world, op, &table), ARB_OK);
            assert_int_equal(t_source(&world, op, &got), ARB_OK);
            assert_int_equal(got.rows, groups);
            t_compare_columns = 1;
            qsort(got.cells, got.rows, got.columns * sizeof(int64_t), t_compare);
            for (size_t r = 0; r < groups; r++) {
                const int64_t *row = got.cells + r * got.columns;
                assert_int_equal(row[0], (int64_t)r * 3 - 7);
                assert_int_equal(row[1], times);
                assert_int_equal(row[2], times == 1 ? 0 : 2);
                if (call_count == 3)
                    assert_int_equal(row[3], times == 1 ? 1 : 2);
            }
            free(got.cells);
            op->vtable->destroy(op);
            assert_int_equal(world.governor.used, 0);
            free((void *)made.child.layout.slots);
            free(table.cells);
        }
}

/* Counts the states that a partial aggregation gives, and how much of the table was read when the first came. */
typedef struct given_states {
    const t_run *run;
    size_t rows, first_at;
    int64_t sum, count;
} given_states;

static void count_states(void *given_void, const arb_batch *batch)
{
    given_states *given = given_void;
    if (given->rows == 0)
        given->first_at = given->run->next;
    given->rows += batch->selected;
    for (size_t r = 0; r < batch->rows; r++) {
        given->sum += batch->columns[1].values.i64[r]; /* the low word of it is enough */
        given->count += batch->columns[batch->column_count - 1].values.i64[r];
    }
}

/* sum(column 1) by column 0, in phase PARTIAL, with so many groups expected: what comes out. *out_peak: bytes that it held at
 * most. */
static given_states run_partial(t_world *world, const t_table *table, double expected, uint64_t *out_peak)
{
    static const call_case calls[] = {{"sum", 1, -1, false, -1}};
    aggregate_node made;
    two_steps steps;
    arb_error error = {0};
    arb_operator *op;
    make_node(&made, table, 1, calls, 1);
    made.node.rows = expected;
    made.child.rows = (double)table->rows;
    make_two_steps(&steps, &made);
    assert_int_equal(arb_hash_aggregate_create(&steps.partial, &world->context, &op, &error), ARB_OK);
    given_states given = {0};
    t_run run = {.world = world,
                 .transform = op,
                 .table = table,
                 .take = count_states,
                 .take_context = &given,
                 .lock = PTHREAD_MUTEX_INITIALIZER};
    given.run = &run;
    assert_int_equal(t_pipeline(&run, 1), ARB_OK);
    *out_peak = op->share.peak;
    op->vtable->destroy(op);
    assert_int_equal(world->governor.used, 0);
    free((void *)made.child.layout.slots);
    return given;
}

static void groups_are_given_when_that_costs_no_repeats(void **state)
{
    (void)state;
    enum { ROWS = 400000, RUN = 4, MANY = 24000 };
    t_kind kinds[] = {T_I64, T_I32};
    t_table table = t_make(ROWS, 2, kinds, (int64_t[]){1000, 1000}, 0);
    t_world world;
    uint64_t peak, peak_of_all;
    t_world_init(&world, 1, 2048);
    int64_t sum = 0;
    for (size_t r = 0; r < ROWS; r++) {
        table.cells[r * 2] = (int64_t)(r / RUN) * 1000003;
        table.cells[r * 2 + 1] = (int64_t)(r % 10);
        sum += (int64_t)(r % 10);
    }
    /* In runs: a group is only cut where a table ends, and what was given is held no longer. */
    given_states given = run_partial(&world, &table, MANY, &peak);
    assert_true(given.rows >= ROWS / RUN && given.rows < ROWS / RUN + 20);
    assert_true(given.sum == sum && given.count == ROWS);
    assert_true(given.first_at < ROWS / 4);
    /* Each comes once: a table that never is worth it. */
    for (size_t r = 0; r < ROWS; r++)
        table.cells[r * 2] = (int64_t)r * 1000003;
    given = run_partial(&world, &table, MANY, &peak_of_all);
    assert_true(given.rows == ROWS && given.sum == sum && given.first_at >= ROWS);
    assert_true(peak < peak_of_all / 4);
    /* … or, where that was expected, rows that are soon passed on as they are. */
    given = run_partial(&world, &table, ROWS, &peak);
    assert_true(given.rows == ROWS && given.sum == sum && given.count == ROWS && given.first_at < ROWS / 4);
    assert_true(peak < peak_of_all / 4);
    /* They all come again and again, and are more than the smallest table has: each is given once. */
    for (size_t r = 0; r < ROWS; r++)
        table.cells[r * 2] = (int64_t)(r * 7919 % MANY) * 1000003;
    given = run_partial(&world, &table, MANY, &peak);
    assert_true(given.rows == MANY && given.sum == sum && given.count == ROWS && given.first_at >= ROWS);
    /* … unless memory is short. */
    world.context.ceiling = 256 * 1024;
    given = run_partial(&world, &table, MANY, &peak);
    assert_true(given.rows > MANY && given.sum == sum && given.count == ROWS && given.first_at < ROWS);
    assert_true(peak < 2 * 256 * 1024);
    free(table.cells);
}

typedef struct torture {
    t_world world;
    t_table table;
    aggregate_node made;
} torture;

static arb_code aggregate_once(void *context)
{
    torture *t = context;
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER};
    arb_error error = {0};
    arb_operator *op;
    arb_code code = arb_hash_aggregate_create(&t->made.node, &t->world.context, &op, &error);
    if (code != ARB_OK)
        return code;
    code = t_sink(&t->world, op, &t->table);
    if (code == ARB_OK)
        code = t_source(&t->world, op, &got);
    op->vtable->destroy(op);
    assert_int_equal(t->world.governor.used, 0);
    free(got.cells);
    return code;
}

static arb_code aggregate_partially_once(void *context)
{
    torture *t = context;
    two_steps steps;
    given_states given = {0};
    arb_error error = {0};
    arb_operator *op;
    make_two_steps(&steps, &t->made);
    arb_code code = arb_hash_aggregate_create(&steps.partial, &t->world.context, &op, &error);
    if (code != ARB_OK)
        return code;
    t_run run = {.world = &t->world,
                 .transform = op,
                 .table = &t->table,
                 .take = count_states,
                 .take_context = &given,
                 .lock = PTHREAD_MUTEX_INITIALIZER};
    given.run = &run;
    code = t_pipeline(&run, t->world.context.drivers);
    op->vtable->destroy(op);
    assert_int_equal(t->world.governor.used, 0);
    return code;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static const call_case calls[] = {{"min", 2, -1, false, -1}, {"count", 1, 3, true, -1}, {"first", 2, -1, false, 4}};
    t_kind kinds[] = {T_CODES, T_I64, T_TEXT, T_BOOL, T_I64};
    torture t = {.table = t_make(200, 5, kinds, (int64_t[]){12, 10, 50, 2, 200}, 9)};
    for (unsigned drivers = 1; drivers <= 3; drivers++) {
        t_world_init(&t.world, drivers, 32);
        if (drivers == 3)
            t.world.context.ceiling = 1;
        make_node(&t.made, &t.table, 2, calls, 3);
        t_each_allocation_fails(aggregate_once, &t);
        free((void *)t.made.child.layout.slots);
    }
    static const call_case one[] = {{"sum", 1, -1, false, -1}};
    for (int i = 0; i < 2; i++) {
        t.world.context.ceiling = i == 0 ? UINT64_MAX : 1;
        make_node(&t.made, &t.table, 1, one, 1);
        t_each_allocation_fails(aggregate_partially_once, &t);
        free((void *)t.made.child.layout.slots);
    }
    free(t.table.cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_kind_make_groups),
        cmocka_unit_test(several_keys_make_groups),
        cmocka_unit_test(without_groups_there_is_one_row),
        cmocka_unit_test(equal_inputs_count_once_and_in_order),
        cmocka_unit_test(many_groups_are_merged_by_partitions),
        cmocka_unit_test(groups_are_given_when_that_costs_no_repeats),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
