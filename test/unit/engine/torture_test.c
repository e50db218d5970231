/* Queries with every allocation of ours failing in turn, as they usually run, and spilled in tiny batches; and queries
 * cancelled at random moments, so that each operator is met in each of its phases. Afterwards the same session must still
 * give the right answer, and nothing may be lost (AddressSanitizer looks).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "engine/session.h"

/* One statement a line. */
/* clang-format off */
static const char *const set_up[] = {
    "CREATE TABLE t (a INTEGER, b VARCHAR, c DECIMAL(12,2), d DATE, e DOUBLE)",
    "INSERT INTO t VALUES (1, 'one', 1.25, DATE '2001-01-01', 0.5), (2, 'two', NULL, DATE '2002-02-02', 1.5)",
    "INSERT INTO t VALUES (3, 'a text that is longer than twelve bytes', 3.75, NULL, 2.5)",
    "INSERT INTO t VALUES (NULL, NULL, -4.00, DATE '1999-12-31', NULL), (2, 'two', 20.00, DATE '2002-02-03', 7.25)",
    "INSERT INTO t VALUES (7, 'seven', 0.01, DATE '2007-07-07', -1.0)",
    "CREATE TABLE u (a INTEGER, g VARCHAR)",
    "INSERT INTO u VALUES (1, 'x'), (2, 'y'), (2, 'z'), (5, 'x'), (NULL, 'n')",
    "CREATE TABLE n AS SELECT * FROM '" ARB_SOURCE_DIR "/test/sql/data/nested.parquet'",
};

static const char *const queries[] = {
    "SELECT * FROM t",
    "SELECT a, c * 2 + 1, b || '!' FROM t WHERE a > 1 OR b LIKE 'a%'",
    "SELECT count(*), sum(c), avg(e), min(b), max(d) FROM t",
    "SELECT b, count(*), sum(a) FROM t GROUP BY b ORDER BY b",
    "SELECT a % 2, count(DISTINCT b), sum(c) FILTER (WHERE e > 1) FROM t GROUP BY a % 2 HAVING count(*) > 0 ORDER BY 1",
    "SELECT * FROM t ORDER BY c DESC NULLS LAST, b LIMIT 3 OFFSET 1",
    "SELECT t.b, u.g FROM t JOIN u ON t.a = u.a ORDER BY 1, 2",
    "SELECT t.b, u.g FROM t LEFT JOIN u ON t.a = u.a AND u.g <> 'y' ORDER BY 1, 2",
    "SELECT t.b, u.g FROM t FULL JOIN u ON t.a = u.a ORDER BY 1, 2",
    "SELECT t.a, u.a FROM t, u WHERE t.a < u.a ORDER BY 1, 2",
    "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a) ORDER BY a",
    "SELECT a FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL) ORDER BY a",
    "SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) FROM t ORDER BY 1, 2",
    "SELECT a FROM t WHERE c > (SELECT avg(c) FROM t) ORDER BY a",
    "SELECT a FROM t UNION SELECT a FROM u ORDER BY a",
    "SELECT a FROM t EXCEPT SELECT a FROM u ORDER BY a",
    "WITH w AS (SELECT a, sum(c) AS s FROM t GROUP BY a) SELECT x.a, y.s FROM w x JOIN w y ON x.a = y.a ORDER BY 1, 2",
    "SELECT CASE WHEN a = 2 THEN 'two' WHEN a IS NULL THEN 'none' ELSE CAST(a AS VARCHAR) END AS n FROM t ORDER BY n",
    "SELECT extract(year FROM d), d + INTERVAL '1' MONTH, substring(b, 1, 2) FROM t WHERE d > DATE '2000-01-01' ORDER BY d",
    "SELECT DISTINCT g, coalesce(a, -1) FROM u ORDER BY 1, 2",
    "SELECT x.k, y.l, x.d FROM n x LEFT JOIN n y ON x.s = y.s ORDER BY x.l, y.d, 1",
    "SELECT r FROM range(200000) t(r) WHERE r % 7 = 3 UNION ALL SELECT a FROM u LIMIT 40 OFFSET 20000",
    "SELECT g FROM u EXCEPT ALL SELECT b FROM t ORDER BY 1",
    "SELECT u.g, x.b FROM u, LATERAL (SELECT b FROM t WHERE t.a <= u.a ORDER BY c DESC LIMIT 2) x ORDER BY 1, 2",
    "SELECT l, max(s), count(DISTINCT d) FROM n GROUP BY l ORDER BY l DESC",
    "SELECT a, b, c, d, k FROM read_csv('" ARB_SOURCE_DIR "/test/sql/data/parts/**/*.csv', union_by_name=true, "
    "filename='f', nullstr=['NA',''], types={'b':'VARCHAR'}, dateformat='%d.%m.%Y', hive_types={'k':'SMALLINT'}) "
    "WHERE k = 1 AND a + k > 2 OR f LIKE '%two%' ORDER BY a",
    "SELECT * FROM files WHERE k <> '2' AND a + length(k) > 1 ORDER BY a",
};

/* With more rows than fit under the ceiling of forced spilling. */
static const char *const large_queries[] = {
    "SELECT x, 'the text of number ' || x FROM range(900) r(x) ORDER BY 2 DESC",
    "SELECT x % 701 AS k, count(*), max('some longer text ' || x) FROM range(1200) r(x) GROUP BY 1 ORDER BY 1",
    "SELECT count(*), count(DISTINCT 'text number ' || x), string_agg('t' || x % 7, ',' ORDER BY x) FROM range(700) r(x)",
    "SELECT count(*), min(a.t || b.t) FROM (SELECT x, 'left text ' || x AS t FROM range(700) r(x)) a"
    " FULL JOIN (SELECT x + 300 AS x, 'right text ' || x AS t FROM range(700) r(x)) b ON a.t > 'left text 2' AND a.x = b.x",
    "SELECT 'a text that is kept ' || x AS t FROM range(900) r(x) EXCEPT SELECT 'a text that is kept ' || x * 2 FROM range(700) r(x)"
    " ORDER BY t",
    "SELECT l, s, x FROM n, range(200) r(x) ORDER BY l DESC, s, x",
    "SELECT count(*), max(d) FROM (SELECT l, d, x FROM n, range(150) r(x) UNION SELECT l, d, x + 9 FROM n, range(150) r(x))",
};

/* Each takes some tenths of a second at least; one for each way of holding rows or of going on for long. */
static const char *const heavy_queries[] = {
    "SELECT count(*) FROM t a, t b, t c, t d, t e, t f, u g, u h WHERE a.a + b.a + c.a + d.a + e.a > f.a",
    "SELECT x FROM range(3000000) r(x) ORDER BY x * 7919 % 1000003, x",
    "SELECT 'text ' || x * 7919 % 1000003 AS t FROM range(400000) r(x) ORDER BY t",
    "SELECT x * 7919 % 1000003 AS k, count(*) FROM range(3000000) r(x) GROUP BY 1",
    "SELECT median(x * 7919 % 1000003), count(DISTINCT x), mode(x % 1009) FROM range(1500000) r(x)",
    "SELECT x % 13, string_agg('text ' || x, ',' ORDER BY x * 7919 % 1000003) FROM range(400000) r(x) GROUP BY 1",
    "SELECT count(*) FROM range(1500000) a(x) JOIN range(1500000) b(x) ON a.x * 7 = b.x * 11",
    "SELECT count(*) FROM range(3000000) r(x) WHERE x::VARCHAR ~ '(1|2|3)*(4+5?)*9$'",
    "SELECT x FROM range(2000000) r(x) EXCEPT SELECT x * 2 FROM range(1000000) r(x)",
    "CREATE OR REPLACE TABLE large AS SELECT x, 'text ' || x AS t FROM range(2000000) r(x)",
    "SELECT sum(x) FROM range(1000000000) r(x)",
    "SELECT count(*) FROM (SELECT x FROM range(1000000000) r(x) WHERE x % 1000 = 7 LIMIT 1000000000 OFFSET 900000)",
    "SELECT sum(x) FROM (SELECT x FROM range(500000000) r(x) UNION ALL SELECT x FROM range(500000000) r(x) LIMIT 900000000)",
};

/* clang-format on */

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
    char folder[32]; /* with three files in folders k=1, k=2, k=x */
} fixture;

static const char *const keys[] = {"1", "2", "x"};

static arb_code add_value(const arb_vector *column, arb_type type, size_t row, uint64_t *hash, arb_error *error)
{
    arb_value value;
    arb_text text = {0};
    arb_arena arena = {0};
    arb_code code = arb_vector_get_value(column, type, row, &arena, &value, error);
    if (code == ARB_OK) {
        arb_value_print(&text, &value);
        *hash = arb_hash_combine(*hash, arb_str_hash(arb_text_view(&text)) + value.is_null);
        code = arb_text_check(&text, error);
    }
    arb_text_reset(&text);
    arb_arena_reset(&arena);
    return code;
}

/* Hash of all values in order; rows of queries without ORDER BY come in the table's order. */
static arb_code run(arb_session *session, const char *sql, uint64_t *out_hash, arb_error *error)
{
    arb_result *result = NULL;
    const arb_batch *batch = NULL;
    *out_hash = 1;
    ARB_TRY(arb_session_execute(session, arb_str_of(sql), &result, error));
    const arb_result_columns *columns = arb_result_describe(result);
    arb_code code = ARB_OK;
    while (columns->has_rows && (code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL) {
        size_t values = (size_t)batch->rows * columns->column_count;
        for (size_t i = 0; i < values && code == ARB_OK; i++)
            code = add_value(&batch->columns[i % columns->column_count], columns->types[i % columns->column_count],
                             i / columns->column_count, out_hash, error);
        if (code != ARB_OK)
            break;
    }
    arb_result_destroy(result);
    return code;
}

static void make_files(fixture *f)
{
    char text[128];
    strcpy(f->folder, "/tmp/torture-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    for (size_t i = 0; i < ARB_COUNT_OF(keys); i++) {
        snprintf(text, sizeof text, "%s/k=%s", f->folder, keys[i]);
        assert_int_equal(mkdir(text, 0700), 0);
        snprintf(text, sizeof text, "%s/k=%s/rows.csv", f->folder, keys[i]);
        FILE *file = fopen(text, "w");
        assert_non_null(file);
        assert_true(fprintf(file, "a,b\n%zu,one\n%zu,two\n", 2 * i, 2 * i + 1) > 0);
        assert_int_equal(fclose(file), 0);
    }
}

static void remove_files(const fixture *f)
{
    char text[128];
    for (size_t i = 0; i < ARB_COUNT_OF(keys); i++) {
        snprintf(text, sizeof text, "%s/k=%s/rows.csv", f->folder, keys[i]);
        assert_int_equal(remove(text), 0);
        snprintf(text, sizeof text, "%s/k=%s", f->folder, keys[i]);
        assert_int_equal(rmdir(text), 0);
    }
    assert_int_equal(rmdir(f->folder), 0);
}

static int start(void **state)
{
    static fixture f;
    char view[128];
    uint64_t hash;
    arb_error error = {0};
    arb_runtime_options options = {.threads = 2, .memory_limit = 1 << 30};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(set_up); i++) {
        if (run(f.session, set_up[i], &hash, &error) != ARB_OK)
            print_error("%s\n", error.message);
        assert_int_equal(error.code, ARB_OK);
    }
    make_files(&f);
    snprintf(view, sizeof view, "CREATE VIEW files AS SELECT * FROM '%s'", f.folder);
    assert_int_equal(run(f.session, view, &hash, &error), ARB_OK);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    remove_files(f);
    return 0;
}

/* Fail about `most` of the query's allocations, each in a run of its own; how many runs failed. */
static uint64_t fail_allocations(arb_session *session, const char *sql, uint64_t most)
{
    arb_error error = {0};
    uint64_t expected, again, failures = 0;
    if (run(session, sql, &expected, &error) != ARB_OK)
        print_error("%s: %s\n", sql, error.message);
    assert_int_equal(error.code, ARB_OK);
    arb_alloc_fail_at(0, false);
    assert_int_equal(run(session, sql, &again, &error), ARB_OK);
    uint64_t count = arb_alloc_count(), step = count / most + 1;
    for (uint64_t n = 1; n <= count; n += step) {
        uint64_t hash, wrong = 0;
        arb_error_clear(&error);
        arb_alloc_fail_at(n, n / step % 5 == 0);
        arb_code code = run(session, sql, &hash, &error);
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK) /* threads: this run's n-th allocation may be one that is not needed */
            wrong = hash != expected ? n : wrong;
        else if (code != ARB_OUT_OF_MEMORY)
            fail_msg("allocation %llu gives %s (%s) in: %s", (unsigned long long)n, arb_code_name(code), error.message,
                     sql);
        if (wrong != 0)
            print_error("allocation %llu fails unseen in: %s\n", (unsigned long long)wrong, sql);
        assert_true(wrong == 0);
        failures += code != ARB_OK;
        arb_error_clear(&error);
        assert_int_equal(run(session, sql, &hash, &error), ARB_OK);
        if (hash != expected)
            fail_msg("after the failure of allocation %llu another answer in: %s", (unsigned long long)n, sql);
    }
    return failures;
}

static void expect_failures(uint64_t failures, uint64_t least)
{
#ifdef ARB_FAILPOINTS
    assert_true(failures >= least);
#else
    assert_true(failures == 0);
    (void)least;
#endif
}

static void each_allocation_fails_in_turn(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    for (size_t q = 0; q < ARB_COUNT_OF(queries); q++)
        failures += fail_allocations(f->session, queries[q], UINT64_MAX);
    expect_failures(failures, ARB_COUNT_OF(queries) * 10);
}

static void set_torture(arb_session *session, const char *batch_rows, const char *force_spill)
{
    arb_error error = {0};
    arb_settings *settings = arb_session_settings(session);
    assert_int_equal(arb_settings_set(settings, ARB_SETTING_BATCH_ROWS, arb_str_of(batch_rows), &error), ARB_OK);
    assert_int_equal(arb_settings_set(settings, ARB_SETTING_FORCE_SPILL, arb_str_of(force_spill), &error), ARB_OK);
}

/* Small batches: everything that is done once a batch happens often. */
static void allocations_fail_when_all_is_spilled_in_tiny_batches(void **state)
{
    fixture *f = *state;
    uint64_t failures = 0;
    set_torture(f->session, "3", "true");
    for (size_t q = 0; q < ARB_COUNT_OF(queries); q++)
        failures += fail_allocations(f->session, queries[q], 60);
    set_torture(f->session, "64", "true");
    for (size_t q = 0; q < ARB_COUNT_OF(large_queries); q++)
        failures += fail_allocations(f->session, large_queries[q], 40);
    set_torture(f->session, "2048", "false");
    expect_failures(failures, ARB_COUNT_OF(queries) * 10);
}

typedef struct canceller {
    arb_session *session;
    unsigned wait_us;
    _Atomic bool over;
} canceller;

static void *cancel_later(void *argument)
{
    canceller *c = argument;
    usleep(c->wait_us);
    do { /* one that comes before the statement has begun has no effect */
        arb_session_cancel(c->session);
        usleep(1000);
    } while (!atomic_load(&c->over));
    return NULL;
}

static void cancellation_at_any_moment_leaves_the_session_usable(void **state)
{
    fixture *f = *state;
    arb_error error = {0};
    uint64_t random = 7, cancelled = 0;
    for (int round = 0; round < 120; round++) {
        random = arb_hash_u64(random);
        canceller c = {.session = f->session, .wait_us = (unsigned)(random % 60000)};
        const char *sql = round % 3 == 0 ? queries[round / 3 % ARB_COUNT_OF(queries)]
                                         : heavy_queries[round % ARB_COUNT_OF(heavy_queries)];
        set_torture(f->session, "2048", round % 4 == 1 ? "true" : "false");
        pthread_t thread;
        uint64_t hash;
        arb_error_clear(&error);
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, &c), 0);
        arb_code code = run(f->session, sql, &hash, &error);
        atomic_store(&c.over, true);
        pthread_join(thread, NULL);
        if (code != ARB_OK && code != ARB_CANCELLED)
            print_error("%s: %s\n", sql, error.message);
        assert_true(code == ARB_OK || code == ARB_CANCELLED);
        cancelled += code == ARB_CANCELLED;
        arb_error_clear(&error);
        assert_int_equal(run(f->session, "SELECT 1", &hash, &error), ARB_OK);
    }
    set_torture(f->session, "2048", "false");
    assert_true(cancelled > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_in_turn),
        cmocka_unit_test(allocations_fail_when_all_is_spilled_in_tiny_batches),
        cmocka_unit_test(cancellation_at_any_moment_leaves_the_session_usable),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
