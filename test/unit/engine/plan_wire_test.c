/* Plans as bytes: what comes back is what was sent; whatever bytes have changed, they are refused, or give a plan that can be
 * carried out; every allocation on the way may fail. The plans are those that the planner and the distributing pass make of
 * statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/vec.h"
#include "engine/session.h"
#include "optimizer/distribute.h"
#include "plan/plan_wire.h"

/* One statement a line. */
/* clang-format off */
static const char *const set_up[] = {
    "CREATE TABLE t (a INTEGER, b VARCHAR, c DECIMAL(12,2), d DATE, e DOUBLE)",
    "INSERT INTO t VALUES (1, 'one', 1.25, DATE '2001-01-01', 0.5), (2, 'two', NULL, DATE '2002-02-02', 1.5)",
    "INSERT INTO t VALUES (NULL, NULL, -4.00, DATE '1999-12-31', NULL), (7, 'seven', 0.01, NULL, -1.0)",
    "CREATE TABLE u (a BIGINT, g VARCHAR)",
    "INSERT INTO u VALUES (1, 'x'), (2, 'y'), (2, 'z'), (5, 'x'), (NULL, 'n')",
};

static const char *const queries[] = {
    "SELECT a, c * 2 + 1, b || '!', d + INTERVAL '1' MONTH, CASE WHEN a > 1 THEN 'x' ELSE b END FROM t WHERE a > 1 OR b LIKE 'a%'",
    "SELECT count(*), sum(c), avg(e), min(b), max(d), median(e), string_agg(b, ',' ORDER BY a), count(DISTINCT a) FROM t",
    "SELECT b, count(*), sum(a), min(e) FROM t GROUP BY b ORDER BY b LIMIT 2 OFFSET 1",
    "SELECT t.b, u.g FROM t FULL JOIN u ON t.a = u.a AND u.g <> 'y'",
    "SELECT t.a FROM t, u WHERE t.a < u.a",
    "SELECT a FROM t WHERE a NOT IN (SELECT a FROM u) OR c > (SELECT avg(c) FROM t)",
    "SELECT a, b FROM t UNION SELECT a, g FROM u",
    "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
    "WITH w AS (SELECT a, sum(c) AS s FROM t GROUP BY a) SELECT x.a, y.s FROM w x JOIN w y ON x.a = y.a",
    "VALUES (1, 'a', TRUE, 1.5, DATE '2020-01-01', INTERVAL '1' DAY), (NULL, NULL, NULL, NULL, NULL, NULL)",
    "SELECT a FROM t, LATERAL (SELECT g FROM u WHERE u.a = t.a ORDER BY g LIMIT 1) s",
};

/* clang-format on */

typedef ARB_VEC(arb_text) text_list;

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
    text_list plans, stages; /* encoded */
    arb_execution_options options;
} fixture;

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

static arb_code write_table(void *context, const arb_table *table, arb_text *out, arb_error *error)
{
    arb_text_append(out, (const char *)&table, sizeof table);
    (void)context;
    return arb_text_check(out, error);
}

/* Any reference but a whole one is refused, and so is a table that the test does not have. */
static arb_code find_table(void *context, arb_str name, arb_str reference, arb_stop_flag *stop, arb_table **out_table,
                           arb_error *error)
{
    (void)stop;
    static ARB_VEC(arb_table *) known;
    arb_table *table;
    (void)name;
    if (reference.size == sizeof table) {
        memcpy(&table, reference.data, sizeof table);
        for (size_t i = 0; i < known.size; i++)
            if (known.data[i] == table) {
                *out_table = arb_table_ref(table);
                return ARB_OK;
            }
        if (context != NULL) { /* while plans are collected, all are good */
            assert_true(ARB_VEC_PUSH(&known, arb_table_ref(table)));
            *out_table = arb_table_ref(table);
            return ARB_OK;
        }
    }
    return arb_fail(error, ARB_UNDEFINED_TABLE, "no such table");
}

static int collecting;
static const arb_plan_tables collected_tables = {&collecting, write_table, find_table, NULL};
static const arb_plan_tables known_tables = {NULL, write_table, find_table, NULL};

/* ---- collecting plans ---------------------------------------------------------------------------------------------------- */

static void keep(text_list *list, arb_text *text)
{
    assert_true(ARB_VEC_PUSH(list, *text));
    *text = (arb_text){0};
}

static arb_code collect(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    static const arb_distribute_options cluster = {.slots = 3, .always = true};
    fixture *f = context;
    arb_arena arena = {0};
    arb_text text = {0};
    const arb_stage_graph *graph;
    const arb_physical_plan *decoded;
    f->options = request->execution;
    assert_int_equal(arb_plan_encode(request->plan, &collected_tables, &text, error), ARB_OK);
    assert_int_equal(arb_plan_decode(&arena, arb_text_view(&text), &collected_tables, &decoded, error), ARB_OK);
    keep(&f->plans, &text);
    assert_int_equal(arb_distribute(&arena, request->plan, &cluster, &graph, error), ARB_OK);
    assert_int_equal(arb_stage_graph_validate(graph, error), ARB_OK);
    for (size_t i = 0; i < graph->stage_count; i++) {
        assert_int_equal(arb_stage_encode(&graph->stages[i], &collected_tables, &text, error), ARB_OK);
        keep(&f->stages, &text);
    }
    arb_arena_reset(&arena);
    return arb_local_runner.start(NULL, request, out_run, error);
}

static void run(arb_session *session, const char *sql)
{
    arb_error error = {0};
    arb_result *result = NULL;
    const arb_batch *batch;
    arb_code code = arb_session_execute(session, arb_str_of(sql), &result, &error);
    while (code == ARB_OK && (code = arb_result_next(result, &batch, &error)) == ARB_OK && batch != NULL)
        continue;
    if (code != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    arb_result_destroy(result);
}

static int start(void **state)
{
    static fixture f;
    arb_error error = {0};
    arb_runtime_options options = {.threads = 2, .memory_limit = 64 << 20};
    arb_query_runner runner = {.context = &f, .start = collect};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(set_up); i++)
        run(f.session, set_up[i]);
    arb_session_set_runner(f.session, &runner);
    for (size_t i = 0; i < ARB_COUNT_OF(queries); i++)
        run(f.session, queries[i]);
    assert_true(f.plans.size >= ARB_COUNT_OF(queries) && f.stages.size > 2 * f.plans.size);
    *state = &f;
    return 0;
}

static void reset_list(text_list *list)
{
    for (size_t i = 0; i < list->size; i++)
        arb_text_reset(&list->data[i]);
    ARB_VEC_RESET(list);
}

static int stop(void **state)
{
    fixture *f = *state;
    reset_list(&f->plans);
    reset_list(&f->stages);
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    return 0;
}

/* ---- what was sent comes back -------------------------------------------------------------------------------------------- */

static void plans_are_encoded_alike(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < f->plans.size; i++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text again = {0};
        const arb_physical_plan *plan;
        assert_int_equal(arb_plan_decode(&arena, arb_text_view(&f->plans.data[i]), &known_tables, &plan, &error),
                         ARB_OK);
        assert_int_equal(arb_plan_encode(plan, &known_tables, &again, &error), ARB_OK);
        assert_true(arb_str_equal(arb_text_view(&again), arb_text_view(&f->plans.data[i])));
        arb_text_reset(&again);
        arb_arena_reset(&arena);
    }
    for (size_t i = 0; i < f->stages.size; i++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text again = {0};
        const arb_stage *stage;
        assert_int_equal(arb_stage_decode(&arena, arb_text_view(&f->stages.data[i]), &known_tables, &stage, &error),
                         ARB_OK);
        assert_int_equal(arb_stage_encode(stage, &known_tables, &again, &error), ARB_OK);
        assert_true(arb_str_equal(arb_text_view(&again), arb_text_view(&f->stages.data[i])));
        arb_text_reset(&again);
        arb_arena_reset(&arena);
    }
}

/* ---- what has changed does no harm --------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random >> 11;
}

/* One to three bytes become others, or the end is cut off. */
static size_t change(char *bytes, size_t size, uint64_t *random)
{
    uint64_t kind = next_random(random);
    if (kind % 16 == 0)
        return (size_t)(next_random(random) % size);
    for (uint64_t i = 0; i <= kind % 3; i++) {
        size_t at = (size_t)(next_random(random) % size);
        bytes[at] = (char)(next_random(random) % 4 == 0 ? next_random(random)
                                                        : (uint8_t)bytes[at] + 1 - next_random(random) % 3);
    }
    return size;
}

/* Take some rows of it; how it ends does not matter. */
static void carry_out(const fixture *f, const arb_physical_plan *plan)
{
    arb_error error = {0};
    arb_execution *execution;
    const arb_batch *batch;
    if (arb_execution_start(plan, &f->options, &execution, &error) != ARB_OK)
        return;
    for (int i = 0; i < 3 && arb_execution_next(execution, &batch, &error) == ARB_OK && batch != NULL; i++)
        continue;
    arb_execution_destroy(execution);
}

static void changed_plans_do_no_harm(void **state)
{
    fixture *f = *state;
    uint64_t random = 0x9E3779B97F4A7C15u;
    size_t refused = 0, accepted = 0;
    for (size_t round = 0; round < 6000; round++) {
        const arb_text *from = &f->plans.data[round % f->plans.size];
        arb_arena arena = {.limit = 64 << 20};
        arb_error error = {0};
        const arb_physical_plan *plan;
        char *bytes = malloc(from->size);
        memcpy(bytes, from->data, from->size);
        size_t size = change(bytes, from->size, &random);
        arb_code code = arb_plan_decode(&arena, (arb_str){bytes, size}, &known_tables, &plan, &error);
        refused += code != ARB_OK;
        accepted += code == ARB_OK;
        assert_true(code != ARB_INTERNAL || error.message[0] != '\0');
        free(bytes); /* the plan does not refer to it */
        if (code == ARB_OK)
            carry_out(f, plan);
        arb_arena_reset(&arena);
    }
    assert_true(refused > 1000 && accepted > 100);
}

static void changed_stages_do_no_harm(void **state)
{
    fixture *f = *state;
    uint64_t random = 0xD6E8FEB86659FD93u;
    size_t refused = 0;
    for (size_t round = 0; round < 6000; round++) {
        const arb_text *from = &f->stages.data[round % f->stages.size];
        arb_arena arena = {.limit = 64 << 20};
        arb_error error = {0};
        const arb_stage *stage;
        char *bytes = malloc(from->size);
        memcpy(bytes, from->data, from->size);
        size_t size = change(bytes, from->size, &random);
        refused += arb_stage_decode(&arena, (arb_str){bytes, size}, &known_tables, &stage, &error) != ARB_OK;
        free(bytes);
        arb_arena_reset(&arena);
    }
    assert_true(refused > 1000);
}

static void allocations_fail(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    for (size_t i = 0; i < f->stages.size; i += 3) {
        uint64_t count = 1;
        for (uint64_t n = 0; n <= count; n++) {
            arb_arena arena = {0};
            arb_error error = {0};
            arb_text again = {0};
            const arb_stage *stage;
            arb_alloc_fail_at(n, false);
            arb_code code = arb_stage_decode(&arena, arb_text_view(&f->stages.data[i]), &known_tables, &stage, &error);
            if (code == ARB_OK)
                code = arb_stage_encode(stage, &known_tables, &again, &error);
            count = n == 0 ? arb_alloc_count() : count;
            arb_alloc_fail_at(0, false);
            assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
            failures += code != ARB_OK;
            arb_text_reset(&again);
            arb_arena_reset(&arena);
        }
    }
#ifdef ARB_FAILPOINTS
    assert_true(failures >= f->stages.size / 3); /* an arena asks seldom */
#else
    assert_int_equal(failures, 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_encoded_alike),
        cmocka_unit_test(changed_plans_do_no_harm),
        cmocka_unit_test(changed_stages_do_no_harm),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
