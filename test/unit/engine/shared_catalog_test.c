/* Several sessions on one catalog: what one makes the others see, what is one session's own they do not, and rows that many
 * threads insert at once are all there in the end. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/session.h"

typedef struct fixture {
    arb_runtime *runtime;
    arb_catalog *catalog;
    arb_session *a, *b;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    arb_error error = {0};
    arb_runtime_options options = {.threads = 2};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(
        arb_catalog_create(arb_runtime_formats(f.runtime), arb_runtime_file_cache(f.runtime), &f.catalog, &error),
        ARB_OK);
    assert_int_equal(arb_session_create_on(f.runtime, f.catalog, &f.a, &error), ARB_OK);
    assert_int_equal(arb_session_create_on(f.runtime, f.catalog, &f.b, &error), ARB_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    arb_session_destroy(f->a);
    arb_session_destroy(f->b);
    arb_catalog_destroy(f->catalog);
    arb_runtime_destroy(f->runtime);
    return 0;
}

/* The statement's code; a number in the first row and column comes out. */
static arb_code run(arb_session *session, const char *sql, int64_t *out, arb_error *error)
{
    arb_result *result;
    const arb_batch *batch;
    *error = (arb_error){0};
    arb_code code = arb_session_execute(session, arb_str_of(sql), &result, error);
    if (code != ARB_OK)
        return code;
    bool first = true;
    while ((code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL) {
        if (first && out != NULL)
            *out = (int64_t)arb_vector_get_integer(&batch->columns[0], 0);
        first = false;
    }
    arb_result_destroy(result);
    return code;
}

static void expect(arb_session *session, const char *sql, arb_code wanted)
{
    arb_error error;
    arb_code code = run(session, sql, NULL, &error);
    if (code != wanted)
        fail_msg("%s: %s: %s", sql, arb_code_name(code), error.message);
}

static int64_t number(arb_session *session, const char *sql)
{
    arb_error error;
    int64_t value = INT64_MIN;
    if (run(session, sql, &value, &error) != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    return value;
}

static void what_is_shared(void **state)
{
    fixture *f = *state;
    expect(f->a, "CREATE TABLE t AS SELECT 1 AS x", ARB_OK);
    expect(f->b, "INSERT INTO t VALUES (2)", ARB_OK);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM t"), 3);
    expect(f->b, "CREATE SCHEMA s", ARB_OK);
    expect(f->a, "CREATE TABLE s.u (y INTEGER PRIMARY KEY)", ARB_OK);
    expect(f->b, "INSERT INTO s.u VALUES (5)", ARB_OK);
    expect(f->a, "INSERT INTO s.u VALUES (5)", ARB_UNIQUE_VIOLATION);
    expect(f->b, "INSERT INTO s.u VALUES (6)", ARB_OK);
    assert_int_equal(number(f->a, "SELECT sum(y) FROM s.u"), 11);
    expect(f->b, "DROP TABLE t, nothing", ARB_UNDEFINED_TABLE);
    assert_int_equal(number(f->a, "SELECT count(*) FROM t"), 2); /* all or none */
    expect(f->b, "DROP TABLE t", ARB_OK);
    expect(f->a, "SELECT * FROM t", ARB_UNDEFINED_TABLE);
}

static void what_is_a_sessions_own(void **state)
{
    fixture *f = *state;
    arb_error error;
    expect(f->a, "CREATE TABLE t AS SELECT 1 AS x", ARB_OK);
    expect(f->a, "CREATE TEMP TABLE t AS SELECT 10 AS x", ARB_OK);
    expect(f->a, "CREATE TEMP TABLE t AS SELECT 10 AS x", ARB_DUPLICATE_TABLE);
    assert_int_equal(number(f->a, "SELECT x FROM t"), 10);
    assert_int_equal(number(f->a, "SELECT x FROM temp.t"), 10);
    assert_int_equal(number(f->a, "SELECT x FROM main.t"), 1);
    assert_int_equal(number(f->b, "SELECT x FROM t"), 1);
    expect(f->b, "SELECT x FROM temp.t", ARB_UNDEFINED_TABLE);
    expect(f->a, "INSERT INTO t VALUES (20)", ARB_OK);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM t"), 30);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM main.t"), 1);
    expect(f->a, "CREATE TEMP TABLE main.u (x INTEGER)", ARB_INVALID_TABLE_DEFINITION);
    /* What lasts does not see what goes. */
    expect(f->a, "CREATE VIEW v AS SELECT x FROM t", ARB_OK);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM v"), 1);
    expect(f->a, "CREATE TEMP VIEW w AS SELECT x FROM t", ARB_OK);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM w"), 30);
    expect(f->b, "SELECT * FROM w", ARB_UNDEFINED_TABLE);
    expect(f->a, "CREATE TEMP TABLE own AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(run(f->a, "CREATE VIEW z AS SELECT x FROM own", NULL, &error), ARB_UNDEFINED_TABLE);
    assert_non_null(strstr(error.hint, "temporary"));
    expect(f->a, "DROP TABLE t, t, t", ARB_UNDEFINED_TABLE);
    assert_int_equal(number(f->a, "SELECT sum(x) FROM t"), 30);
    expect(f->a, "DROP TABLE t", ARB_OK);
    assert_int_equal(number(f->a, "SELECT x FROM t"), 1);
    expect(f->a, "DROP TABLE temp.t", ARB_UNDEFINED_TABLE);
    expect(f->a, "DROP TABLE IF EXISTS temp.t", ARB_OK);
    expect(f->a, "CREATE TEMP TABLE t AS SELECT 10 AS x", ARB_OK);
    expect(f->a, "DROP TABLE own, t, t", ARB_OK); /* the own one, then that which all have */
    expect(f->b, "SELECT x FROM t", ARB_UNDEFINED_TABLE);
    expect(f->a, "CREATE SCHEMA temp", ARB_DUPLICATE_TABLE);
    expect(f->a, "DROP SCHEMA temp", ARB_WRONG_OBJECT_TYPE);
    expect(f->a, "USE temp", ARB_WRONG_OBJECT_TYPE);
}

static void the_current_schema(void **state)
{
    fixture *f = *state;
    expect(f->a, "CREATE SCHEMA s", ARB_OK);
    expect(f->a, "USE s", ARB_OK);
    expect(f->a, "CREATE TABLE t AS SELECT 7 AS x", ARB_OK);
    expect(f->a, "CREATE VIEW v AS SELECT x FROM t", ARB_OK);
    expect(f->b, "SELECT x FROM t", ARB_UNDEFINED_TABLE);
    assert_int_equal(number(f->b, "SELECT x FROM s.v"), 7); /* names of a view mean what they meant when it was made */
    expect(f->b, "DROP SCHEMA s CASCADE", ARB_OK);
    expect(f->a, "SELECT x FROM t", ARB_UNDEFINED_TABLE);
    expect(f->a, "CREATE TABLE t (x INTEGER)", ARB_UNDEFINED_OBJECT);
    expect(f->a, "USE main", ARB_OK);
    expect(f->a, "CREATE TABLE t (x INTEGER)", ARB_OK);
}

static void results_keep_their_version(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    arb_result *result;
    const arb_batch *batch;
    expect(f->a, "CREATE TABLE t AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(arb_session_execute(f->a, ARB_STR("SELECT x FROM t"), &result, &error), ARB_OK);
    expect(f->b, "DROP TABLE t", ARB_OK);
    expect(f->b, "CREATE TABLE t AS SELECT 2 AS x", ARB_OK);
    assert_int_equal(arb_result_next(result, &batch, &error), ARB_OK);
    assert_int_equal(arb_vector_get_integer(&batch->columns[0], 0), 1);
    arb_result_destroy(result);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */
enum { THREADS = 4, INSERTS = 60, MANY = 3000 };

typedef struct worker {
    fixture *f;
    int number;
    int64_t inserted; /* sum of what went in */
    const char *problem;
} worker;

/* Small and large INSERTs, with reads between them. Two counts in one statement are of one version. */
static void *work(void *context)
{
    worker *w = context;
    arb_session *session;
    arb_error error = {0};
    char sql[200];
    if (arb_session_create_on(w->f->runtime, w->f->catalog, &session, &error) != ARB_OK) {
        w->problem = "no session";
        return NULL;
    }
    for (int i = 0; i < INSERTS && w->problem == NULL; i++) {
        int64_t first = ((int64_t)w->number * INSERTS + i) * MANY, count = i % 4 == 0 ? MANY : 1, difference = -1;
        snprintf(sql, sizeof sql, "INSERT INTO t SELECT * FROM range(%lld, %lld)", (long long)first,
                 (long long)(first + count));
        if (run(session, sql, NULL, &error) != ARB_OK)
            w->problem = "INSERT";
        w->inserted += count * first + count * (count - 1) / 2;
        if (run(session, "SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM t x)", &difference, &error) !=
                ARB_OK ||
            difference != 0)
            w->problem = "two counts in one statement";
        snprintf(sql, sizeof sql, "CREATE OR REPLACE TABLE other%d AS SELECT %d AS x", w->number % 2, i);
        if (run(session, sql, NULL, &error) != ARB_OK)
            w->problem = "CREATE";
        if (run(session, "DROP TABLE IF EXISTS other0, other1", NULL, &error) != ARB_OK)
            w->problem = "DROP";
    }
    arb_session_destroy(session);
    return NULL;
}

static void insert_from_threads(fixture *f, const char *create)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    int64_t sum = 0;
    expect(f->a, create, ARB_OK);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.f = f, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        if (workers[i].problem != NULL)
            fail_msg("thread %d: %s", i, workers[i].problem);
        sum += workers[i].inserted;
    }
    assert_int_equal(number(f->a, "SELECT count(*) FROM t"), THREADS * (INSERTS / 4 * MANY + INSERTS * 3 / 4));
    assert_int_equal(number(f->a, "SELECT sum(x) FROM t"), sum);
}

static void threads_lose_no_rows(void **state)
{
    insert_from_threads(*state, "CREATE TABLE t (x BIGINT)");
}

static void threads_keep_keys(void **state)
{
    fixture *f = *state;
    insert_from_threads(f, "CREATE TABLE t (x BIGINT PRIMARY KEY)");
    expect(f->b, "INSERT INTO t VALUES (0)", ARB_UNIQUE_VIOLATION);
}

/* The table that an INSERT was bound to is made anew before its rows come. */
static void replaced_meanwhile(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    arb_arena arena = {0};
    arb_relation bound;
    arb_catalog_part part = {ARB_STR("t"), false};
    arb_catalog_name name = {&part, 1};
    expect(f->a, "CREATE TABLE t AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(arb_catalog_find(arb_session_scope(f->a), &arena, name, &bound, &error), ARB_OK);
    expect(f->b, "CREATE OR REPLACE TABLE t (x INTEGER)", ARB_OK);
    assert_int_equal(arb_catalog_append(arb_session_scope(f->a), name, bound.table, bound.table, NULL, &error),
                     ARB_CONFLICT);
    assert_int_equal(number(f->a, "SELECT count(*) FROM t"), 0);
    expect(f->b, "DROP TABLE t", ARB_OK);
    assert_int_equal(arb_catalog_append(arb_session_scope(f->a), name, bound.table, bound.table, NULL, &error),
                     ARB_CONFLICT);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_shared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_a_sessions_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_current_schema, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_keep_their_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_lose_no_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_keep_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaced_meanwhile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
