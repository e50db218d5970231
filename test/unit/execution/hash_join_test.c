/* Every kind of join, over keys of every kind, against a loop over all pairs. */
#include "unit/execution/operator_harness.h"

#include "expr/program.h"

typedef struct join_case {
    arb_join_output output;
    size_t keys;
    bool null_aware, residual, loop;
    bool null_equal[2]; /* by key */
} join_case;

static bool cells_equal(int64_t a, int64_t b, bool null_equal)
{
    return a == b && (a != T_NULL || null_equal);
}

/* 1, 0 or -1 = unknown. Keys are the first columns; the residual is probe's last < build's last. */
static int pair_matches(const join_case *jc, const int64_t *probe, size_t probe_columns, const int64_t *build,
                        size_t build_columns)
{
    int result = 1;
    for (size_t k = 0; k < jc->keys; k++) {
        if (cells_equal(probe[k], build[k], jc->null_equal[k]))
            continue;
        bool unknown = !jc->null_equal[k] && (probe[k] == T_NULL || build[k] == T_NULL);
        result = unknown && result != 0 ? -1 : 0;
    }
    if (jc->residual && result != 0) {
        int64_t left = probe[probe_columns - 1], right = build[build_columns - 1];
        if (left == T_NULL || right == T_NULL)
            return -1;
        return left < right ? result : 0;
    }
    return result;
}

static void join_rows(t_rows *out, const int64_t *probe, size_t probe_columns, const int64_t *build,
                      size_t build_columns)
{
    int64_t cells[16];
    for (size_t i = 0; i < probe_columns; i++)
        cells[i] = probe != NULL ? probe[i] : T_NULL;
    for (size_t i = 0; i < build_columns; i++)
        cells[probe_columns + i] = build != NULL ? build[i] : T_NULL;
    t_append(out, probe_columns + build_columns, cells);
}

/* False when a scalar subquery has two rows. */
static bool expected_rows(const join_case *jc, const t_table *probe, const t_table *build, t_rows *out)
{
    size_t pc = probe->columns, bc = build->columns;
    bool *build_matched = calloc(build->rows + 1, 1);
    bool fine = true;
    for (size_t p = 0; p < probe->rows; p++) {
        const int64_t *left = probe->cells + p * pc;
        size_t matches = 0;
        bool unknown = false;
        for (size_t b = 0; b < build->rows; b++) {
            const int64_t *right = build->cells + b * bc;
            int match = pair_matches(jc, left, pc, right, bc);
            unknown |= match < 0;
            if (match != 1)
                continue;
            matches++;
            build_matched[b] = true;
            if (jc->output <= ARB_JOIN_FULL_OUTER || jc->output == ARB_JOIN_PROBE_SINGLE)
                join_rows(out, left, pc, right, bc);
        }
        switch (jc->output) {
        case ARB_JOIN_PROBE_SINGLE:
            fine &= matches <= 1;
            ARB_FALLTHROUGH;
        case ARB_JOIN_PROBE_OUTER:
        case ARB_JOIN_FULL_OUTER:
            if (matches == 0)
                join_rows(out, left, pc, NULL, bc);
            break;
        case ARB_JOIN_PROBE_SEMI:
            if (matches != 0)
                join_rows(out, left, pc, NULL, 0);
            break;
        case ARB_JOIN_PROBE_ANTI:
            if (matches == 0 && !(jc->null_aware && unknown))
                join_rows(out, left, pc, NULL, 0);
            break;
        case ARB_JOIN_PROBE_MARK: {
            int64_t mark = matches != 0 ? 1 : jc->null_aware && unknown ? T_NULL : 0;
            join_rows(out, left, pc, &mark, 1);
            break;
        }
        default:
            break;
        }
    }
    for (size_t b = 0; b < build->rows; b++) {
        const int64_t *right = build->cells + b * bc;
        bool outer = jc->output == ARB_JOIN_BUILD_OUTER || jc->output == ARB_JOIN_FULL_OUTER;
        if (outer && !build_matched[b])
            join_rows(out, NULL, pc, right, bc);
        else if ((jc->output == ARB_JOIN_BUILD_SEMI && build_matched[b]) ||
                 (jc->output == ARB_JOIN_BUILD_ANTI && !build_matched[b]))
            join_rows(out, NULL, 0, right, bc);
    }
    free(build_matched);
    return fine;
}

/* Rows of one join whose build side `build` is. */
static arb_code join_all(const arb_physical_node *node, arb_operator *op, const t_table *probe, const t_table *build,
                         t_world *world, t_rows *out)
{
    assert_int_equal(t_sink(world, op, build), ARB_OK);
    arb_code code = t_transform(world, op, probe, out);
    bool rest = op->vtable->source_parallelism(op) != 0;
    assert_true(rest || !arb_join_has_source(node));
    return code == ARB_OK && rest ? t_source(world, op, out) : code;
}

static arb_operator *make_join(const arb_physical_node *node, bool loop, t_world *world, arb_shared_build *shared,
                               arb_build_turn *out_turn)
{
    arb_error error = {0};
    arb_operator *op = NULL;
    arb_build_waiter waiter = {0};
    if ((loop ? arb_loop_join_create : arb_hash_join_create)(node, &world->context, &op, &error) != ARB_OK)
        fail_msg("%s", error.message);
    if (shared != NULL) {
        arb_hash_join_share(op, shared);
        *out_turn = arb_shared_build_begin(shared, op, &waiter);
    }
    return op;
}

/* The same by two tasks of a stage: what the first has built the second probes, though the first is gone; what was spilled it
 * builds again. */
static void run_shared(const join_case *jc, const arb_physical_node *node, const t_table *probe, const t_table *build,
                       t_world *world)
{
    arb_error error = {0};
    arb_shared_builds *builds;
    arb_shared_build *shared;
    t_table nothing = *build;
    nothing.rows = 0;
    assert_int_equal(arb_shared_builds_create(&builds, &error), ARB_OK);
    assert_int_equal(arb_shared_builds_get(builds, node->number, &shared, &error), ARB_OK);
    for (size_t task = 0; task < 2; task++) {
        arb_build_turn turn;
        arb_operator *op = make_join(node, jc->loop, world, shared, &turn);
        assert_true(task == 0 ? turn == ARB_BUILD_FOR_ALL : turn == ARB_BUILD_SEALED || turn == ARB_BUILD_ALONE);
        assert_true(turn != ARB_BUILD_ALONE || world->context.ceiling != UINT64_MAX);
        if (turn == ARB_BUILD_ALONE)
            arb_hash_join_build_alone(op);
        t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER}, expected = {0};
        bool fine = expected_rows(jc, probe, build, &expected);
        arb_code code = join_all(node, op, probe, turn != ARB_BUILD_SEALED ? build : &nothing, world, &got);
        assert_int_equal(code, fine ? ARB_OK : ARB_CARDINALITY_VIOLATION);
        if (fine)
            t_expect(&got, &expected);
        else
            free(got.cells), free(expected.cells);
        op->vtable->destroy(op);
    }
    arb_shared_builds_unref(builds);
    assert_int_equal(world->governor.used, 0);
}

static void run_join(const join_case *jc, const t_table *probe, const t_table *build, t_world *world)
{
    static const uint32_t positions[] = {0, 1, 2, 3, 4, 5, 6, 7};
    arb_arena arena = {0};
    arb_layout left = t_layout(probe, 0), right = t_layout(build, 100);
    arb_physical_node children[2] = {{.layout = left}, {.layout = right}};
    const arb_physical_node *const pointers[2] = {&children[0], &children[1]};
    uint32_t columns[16];
    size_t count = 0;
    if (jc->output != ARB_JOIN_BUILD_SEMI && jc->output != ARB_JOIN_BUILD_ANTI)
        for (uint32_t i = 0; i < probe->columns; i++)
            columns[count++] = i;
    if (jc->output == ARB_JOIN_PROBE_MARK)
        columns[count++] = UINT32_MAX;
    else if (jc->output != ARB_JOIN_PROBE_SEMI && jc->output != ARB_JOIN_PROBE_ANTI)
        for (uint32_t i = 0; i < build->columns; i++)
            columns[count++] = (uint32_t)probe->columns + i;
    arb_physical_node node = {.kind = ARB_PHYSICAL_HASH_JOIN, .child_count = 2, .children = pointers};
    node.join.output = (uint8_t)jc->output;
    node.join.null_aware = jc->null_aware;
    node.join.null_equal = jc->null_equal[0] || jc->null_equal[1] ? jc->null_equal : NULL;
    node.join.key_count = jc->loop ? 0 : jc->keys;
    node.join.probe_keys = node.join.build_keys = positions;
    node.join.output_count = count;
    node.join.columns = columns;
    const arb_expr *conjuncts[4];
    size_t conjunct_count = 0;
    for (uint32_t k = 0; jc->loop && k < jc->keys; k++)
        conjuncts[conjunct_count++] = arb_expr_compare(&arena, jc->null_equal[k] ? ARB_NOT_DISTINCT : ARB_EQUAL,
                                                       arb_expr_column(&arena, k, left.slots[k].type),
                                                       arb_expr_column(&arena, 100 + k, right.slots[k].type));
    if (jc->residual) {
        uint32_t l = (uint32_t)probe->columns - 1, r = (uint32_t)build->columns - 1;
        conjuncts[conjunct_count++] = arb_expr_compare(&arena, ARB_LESS, arb_expr_column(&arena, l, left.slots[l].type),
                                                       arb_expr_column(&arena, 100 + r, right.slots[r].type));
    }
    node.join.residual = conjunct_count == 0 ? NULL : arb_expr_and(&arena, conjuncts, conjunct_count);

    arb_operator *op = make_join(&node, jc->loop, world, NULL, NULL);
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER}, expected = {0};
    bool fine = expected_rows(jc, probe, build, &expected);
    arb_code code = join_all(&node, op, probe, build, world, &got);
    assert_int_equal(code, fine ? ARB_OK : ARB_CARDINALITY_VIOLATION);
    if (fine)
        t_expect(&got, &expected);
    else
        free(got.cells), free(expected.cells);
    op->vtable->destroy(op);
    assert_int_equal(world->governor.used, 0);
    if (!arb_join_has_source(&node) && world->context.drivers == 2) /* a third of the runs */
        run_shared(jc, &node, probe, build, world);
    free((void *)left.slots);
    free((void *)right.slots);
    arb_arena_reset(&arena);
}

/* All kinds of output that a case allows. */
static void run_outputs(join_case jc, const t_table *probe, const t_table *build, t_world *world)
{
    for (int output = ARB_JOIN_MATCHES; output <= ARB_JOIN_PROBE_SINGLE; output++) {
        jc.output = (arb_join_output)output;
        jc.null_aware = false;
        run_join(&jc, probe, build, world);
        bool aware = output == ARB_JOIN_PROBE_ANTI || output == ARB_JOIN_PROBE_MARK;
        if (aware && !jc.null_equal[0] && (jc.loop || (jc.keys == 1 && !jc.residual))) {
            jc.null_aware = true;
            run_join(&jc, probe, build, world);
        }
    }
}

static void run_sizes(join_case jc, const t_kind *kinds, int64_t most, size_t probe_rows, size_t build_rows,
                      unsigned null_in)
{
    static const unsigned drivers[] = {1, 2, 7};
    static const uint32_t batches[] = {2048, 7, 1};
    /* Nothing is spilled, a part of it, or everything, down to the deepest level. */
    static const uint64_t ceilings[] = {UINT64_MAX, 64 << 10, 1};
    int64_t limits[] = {most, 3, 1000};
    for (size_t run = 0; run < 9; run++) {
        size_t i = run % 3;
        t_world world;
        t_world_init(&world, drivers[i], batches[i]);
        world.context.ceiling = ceilings[run / 3];
        world.holes = i != 0;
        size_t scale = i == 0 ? 1 : i == 1 ? 4 : 20;
        t_table probe = t_make(probe_rows / scale, 3, kinds, limits, null_in);
        t_table build = t_make(build_rows / scale, 3, kinds, limits, null_in);
        run_outputs(jc, &probe, &build, &world);
        free(probe.cells);
        free(build.cells);
    }
}

static void keys_of_every_kind_find_their_rows(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        t_kind kinds[] = {(t_kind)kind, T_TEXT, T_I64};
        run_sizes((join_case){.keys = 1}, kinds, 3000, 1000, 900, 0);
        run_sizes((join_case){.keys = 1}, kinds, 200, 900, 300, 9);
    }
}

static void sparse_keys_are_hashed(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I64, T_CODES, T_I32};
    run_sizes((join_case){.keys = 1}, kinds, (int64_t)1 << 40, 1000, 1000, 5);
    run_sizes((join_case){.keys = 1, .residual = true}, kinds, 100, 500, 500, 5);
}

static void several_keys_must_all_be_equal(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I32, T_CODES, T_I64};
    run_sizes((join_case){.keys = 2}, kinds, 100, 800, 700, 0);
    run_sizes((join_case){.keys = 2, .residual = true}, kinds, 60, 800, 700, 6);
    run_sizes((join_case){.keys = 2, .null_equal = {true, true}}, kinds, 60, 800, 700, 6);
    run_sizes((join_case){.keys = 2, .null_equal = {false, true}}, kinds, 60, 800, 700, 6);
    run_sizes((join_case){.keys = 2, .null_equal = {true, false}, .residual = true}, kinds, 60, 800, 700, 6);
}

static void nulls_are_equal_when_asked(void **state)
{
    (void)state;
    t_kind integers[] = {T_I32, T_I64, T_I64}, texts[] = {T_TEXT, T_I64, T_I64};
    run_sizes((join_case){.keys = 1, .null_equal = {true}}, integers, 300, 500, 400, 20);
    run_sizes((join_case){.keys = 1, .null_equal = {true}}, texts, 300, 500, 400, 20);
    run_sizes((join_case){.keys = 1, .null_equal = {true}}, integers, 300, 500, 400, 0);
}

static void without_keys_all_pairs_are_tried(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I32, T_TEXT, T_I64};
    run_sizes((join_case){0}, kinds, 10, 100, 100, 4);
    run_sizes((join_case){.residual = true}, kinds, 10, 300, 100, 4);
    run_sizes((join_case){.keys = 2, .loop = true}, kinds, 50, 300, 300, 4);
    run_sizes((join_case){.keys = 1, .loop = true, .residual = true}, kinds, 50, 300, 300, 4);
}

static void empty_sides_are_no_trouble(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I32, T_TEXT, T_I64};
    for (int side = 0; side < 3; side++) {
        run_sizes((join_case){.keys = 1}, kinds, 10, side == 0 ? 0 : 200, side == 0 ? 200 : 0, side == 2 ? 3 : 0);
        run_sizes((join_case){.residual = true}, kinds, 10, side == 0 ? 0 : 200, side == 0 ? 200 : 0, 3);
    }
    /* Nothing but NULLs on the build side. */
    t_world world;
    t_world_init(&world, 2, 64);
    t_table probe = t_make(300, 3, kinds, (int64_t[]){10, 10, 10}, 4),
            build = t_make(200, 3, kinds, (int64_t[]){5, 5, 5}, 1);
    run_outputs((join_case){.keys = 1}, &probe, &build, &world);
    run_outputs((join_case){.keys = 1, .null_equal = {true}}, &probe, &build, &world);
    free(probe.cells);
    free(build.cells);
}

static void runtime_filters_pass_all_keys_and_little_else(void **state)
{
    (void)state;
    for (int kind = 0; kind < T_KINDS; kind++) {
        if (kind == T_BOOL)
            continue;
        for (int sparse = 0; sparse < 2; sparse++) {
            t_kind kinds[] = {(t_kind)kind, T_I64};
            int64_t spread = sparse && kind != T_TEXT && kind != T_CODES ? (int64_t)1 << 30 : 5000;
            t_table build = t_make(400, 2, kinds, (int64_t[]){spread, 10}, 7);
            t_table probe = t_make(2000, 2, kinds, (int64_t[]){spread, 10}, 7);
            for (size_t i = 0; i < 300; i++) /* some that must pass */
                probe.cells[i * 2 * 5] = build.cells[i * 2];
            t_world world;
            t_world_init(&world, 2, 128);
            arb_layout layout = t_layout(&build, 0);
            arb_physical_node child = {.layout = layout};
            const arb_physical_node *const pointers[2] = {&child, &child};
            static const uint32_t keys[] = {0, 1};
            arb_physical_node node = {.kind = ARB_PHYSICAL_HASH_JOIN, .child_count = 2, .children = pointers};
            node.join.output = ARB_JOIN_MATCHES;
            node.join.key_count = 2;
            node.join.probe_keys = node.join.build_keys = keys;
            arb_error error = {0};
            arb_operator *op;
            arb_scan_filter *filter;
            assert_int_equal(arb_hash_join_create(&node, &world.context, &op, &error), ARB_OK);
            assert_int_equal(arb_hash_join_runtime_filter(op, 0, 3, &filter, &error), ARB_OK);
            assert_int_equal(filter->columns[0], 3);
            assert_int_equal(filter->ready, 0);
            assert_int_equal(t_sink(&world, op, &build), ARB_OK);
            assert_int_equal(filter->ready, 1);
            t_memory memory = {0};
            void *local;
            assert_int_equal(filter->vtable->local_create(filter, &local, &error), ARB_OK);
            size_t wrong = 0, strangers = 0;
            for (size_t from = 0; from < probe.rows; from += 500) {
                arb_batch *batch = t_batch(&memory, &probe, from, 500, false);
                uint64_t selection[ARB_VECTOR_WORDS];
                arb_bitmap_fill(selection, 500);
                const arb_vector *input = &batch->columns[0];
                assert_int_equal(filter->vtable->apply(filter, local, &input, 500, selection, &error), ARB_OK);
                for (size_t row = 0; row < 500; row++) {
                    int64_t value = probe.cells[(from + row) * 2];
                    bool known = false;
                    for (size_t b = 0; b < build.rows; b++)
                        known |= value != T_NULL && build.cells[b * 2] == value && build.cells[b * 2 + 1] != T_NULL;
                    if (known)
                        assert_true(arb_bitmap_get(selection, row));
                    strangers += !known;
                    wrong += !known && arb_bitmap_get(selection, row);
                }
            }
            assert_true(wrong * 20 < strangers);
            arb_value_range range = {.known = kind <= T_I64, .low = -20, .high = -1};
            assert_int_equal(filter->vtable->judge(filter, &range),
                             kind <= T_I64 ? ARB_FILTER_NONE_PASS : ARB_FILTER_SOME_PASS);
            filter->vtable->local_destroy(local);
            op->vtable->destroy(op);
            t_memory_reset(&memory);
            free((void *)layout.slots);
            free(build.cells);
            free(probe.cells);
        }
    }
}

typedef struct torture {
    t_world world;
    t_table probe, build;
    arb_physical_node node;
    arb_physical_node children[2];
    const arb_physical_node *pointers[2];
} torture;

static arb_code join_once(void *context)
{
    torture *t = context;
    t_rows got = {.lock = PTHREAD_MUTEX_INITIALIZER};
    arb_error error = {0};
    arb_operator *op;
    arb_scan_filter *filter;
    arb_code code = arb_hash_join_create(&t->node, &t->world.context, &op, &error);
    if (code != ARB_OK)
        return code;
    code = arb_hash_join_runtime_filter(op, 0, 0, &filter, &error);
    if (code == ARB_OK)
        code = t_sink(&t->world, op, &t->build);
    if (code == ARB_OK)
        code = t_transform(&t->world, op, &t->probe, &got);
    if (code == ARB_OK)
        code = t_source(&t->world, op, &got);
    op->vtable->destroy(op);
    assert_int_equal(t->world.governor.used, 0);
    free(got.cells);
    return code;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    t_kind kinds[] = {T_I32, T_TEXT, T_CODES};
    static const uint32_t keys[] = {0, 1}, columns[] = {0, 1, 2, 3, 4, 5};
    arb_arena arena = {0};
    torture t = {.probe = t_make(60, 3, kinds, (int64_t[]){20, 3, 9}, 5),
                 .build = t_make(50, 3, kinds, (int64_t[]){20, 3, 9}, 5)};
    t_world_init(&t.world, 1, 32);
    t.children[0].layout = t_layout(&t.probe, 0);
    t.children[1].layout = t_layout(&t.build, 100);
    t.pointers[0] = &t.children[0];
    t.pointers[1] = &t.children[1];
    t.node = (arb_physical_node){.kind = ARB_PHYSICAL_HASH_JOIN, .child_count = 2, .children = t.pointers};
    t.node.join.output = ARB_JOIN_FULL_OUTER;
    t.node.join.key_count = 2;
    t.node.join.probe_keys = t.node.join.build_keys = keys;
    t.node.join.output_count = 6;
    t.node.join.columns = columns;
    t.node.join.residual = arb_expr_compare(&arena, ARB_LESS, arb_expr_column(&arena, 2, ARB_TYPE(VARCHAR)),
                                            arb_expr_column(&arena, 102, ARB_TYPE(VARCHAR)));
    t_each_allocation_fails(join_once, &t);
    t.world.context.ceiling = 1;
    t_each_allocation_fails(join_once, &t);
    free((void *)t.children[0].layout.slots);
    free((void *)t.children[1].layout.slots);
    free(t.probe.cells);
    free(t.build.cells);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_kind_find_their_rows),
        cmocka_unit_test(sparse_keys_are_hashed),
        cmocka_unit_test(several_keys_must_all_be_equal),
        cmocka_unit_test(nulls_are_equal_when_asked),
        cmocka_unit_test(without_keys_all_pairs_are_tried),
        cmocka_unit_test(empty_sides_are_no_trouble),
        cmocka_unit_test(runtime_filters_pass_all_keys_and_little_else),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
