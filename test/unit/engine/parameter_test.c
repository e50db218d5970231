/* Parameters: which types they have, and that values in their place mean what literals would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those first */
#include <cmocka.h>

#include "engine/session.h"

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
} fixture;

static int begin(void **state)
{
    static fixture f;
    arb_runtime_options options = {.threads = 2};
    arb_error error = {0};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    *state = &f;
    static const char *const setup[] = {
        "CREATE TABLE t (i integer, b bigint, d double, p decimal(10,2), s varchar, o boolean, day date, ts timestamp, "
        "x blob)",
        "INSERT INTO t VALUES (1, 10, 1.5, 0.07, 'one', true, '2020-01-01', '2020-01-01 10:00:00', '\\x01'), "
        "(2, 20, 2.5, 2.56, 'two', false, '2020-01-02', '2020-01-02 10:00:00', '\\x02')",
    };
    for (size_t i = 0; i < ARB_COUNT_OF(setup); i++) {
        arb_result *result;
        arb_code code = arb_session_execute(f.session, arb_str_of(setup[i]), &result, &error);
        if (code != ARB_OK)
            fail_msg("%s", error.message);
        arb_result_destroy(result);
    }
    return 0;
}

static int end(void **state)
{
    fixture *f = *state;
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    return 0;
}

/* "type, type -> column type, column type" */
static void expect_types(fixture *f, const char *sql, const char *expected)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_statement_facts facts;
    arb_text text = {0};
    if (arb_session_look(f->session, arb_str_of(sql), &arena, &facts, &error) != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    for (size_t i = 0; i < facts.parameter_count; i++) {
        arb_text_append_str(&text, i > 0 ? ARB_STR(", ") : ARB_STR(""));
        arb_type_print(&text, facts.parameter_types[i]);
    }
    arb_text_append_str(&text, facts.columns.has_rows ? ARB_STR(" -> ") : ARB_STR(" !"));
    for (size_t i = 0; i < facts.columns.column_count; i++) {
        arb_text_append_str(&text, i > 0 ? ARB_STR(", ") : ARB_STR(""));
        arb_type_print(&text, facts.columns.types[i]);
    }
    assert_string_equal(text.data, expected);
    arb_text_reset(&text);
    arb_arena_reset(&arena);
}

static void types_come_from_where_parameters_stand(void **state)
{
    fixture *f = *state;
    expect_types(f, "SELECT i FROM t WHERE i = ?", "integer -> integer");
    expect_types(f, "SELECT 1 FROM t WHERE ? < p AND s LIKE ? AND day BETWEEN ? AND ?",
                 "decimal(10,2), varchar, date, date -> integer");
    expect_types(f, "SELECT i + ?, d * ? FROM t", "integer, double -> integer, double");
    expect_types(f, "SELECT CAST(? AS date), ?::decimal(5,1), ?",
                 "date, decimal(5,1), varchar -> date, decimal(5,1), varchar");
    expect_types(f, "INSERT INTO t (x, ts, o) VALUES (?, ?, ?), ($1, $2, $3)", "blob, timestamp, boolean !");
    expect_types(
        f, "SELECT * FROM t WHERE i IN (?, ?) LIMIT ?",
        "integer, integer, bigint -> integer, bigint, double, decimal(10,2), varchar, boolean, date, timestamp, "
        "blob");
    expect_types(f, "SELECT upper(?), round(d, ?) FROM t", "varchar, bigint -> varchar, double");
    expect_types(f, "SELECT i FROM t WHERE i = $2 AND b = $2 AND s = $1", "varchar, integer -> integer");
    expect_types(f, "SELECT CASE WHEN ? THEN i ELSE ? END FROM t", "boolean, integer -> integer");
    expect_types(f, "SELECT i FROM t UNION ALL SELECT ?", "integer -> integer");
    expect_types(f, "SELECT count(*) FROM t WHERE (i, s) = (?, ?)", "integer, varchar -> bigint");
    expect_types(f, "SHOW TABLES", " -> varchar, varchar, varchar");
    expect_types(f, "EXPLAIN SELECT i FROM t WHERE i = ?", "integer -> varchar");
    expect_types(f, "DROP TABLE t", " !");
}

/* The first column of all rows, with commas. */
static arb_code run(fixture *f, const char *sql, const arb_value *values, size_t count, arb_text *out, arb_error *error)
{
    arb_result *result;
    const arb_batch *batch = NULL;
    arb_arena arena = {0};
    arb_text_clear(out);
    ARB_TRY(arb_session_execute_with(f->session, arb_str_of(sql), values, count, &result, error));
    arb_type type =
        arb_result_describe(result)->column_count > 0 ? arb_result_describe(result)->types[0] : ARB_TYPE(NULL);
    arb_code code;
    while ((code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL) {
        for (size_t row = 0; row < batch->rows && code == ARB_OK; row++) {
            arb_value value;
            code = arb_vector_get_value(&batch->columns[0], type, row, &arena, &value, error);
            arb_text_append_str(out, out->size > 0 ? ARB_STR(",") : ARB_STR(""));
            if (code == ARB_OK)
                arb_value_print(out, &value);
        }
    }
    arb_arena_reset(&arena);
    arb_result_destroy(result);
    return code;
}

static void expect(fixture *f, const char *sql, const arb_value *values, size_t count, const char *expected)
{
    arb_text text = {0};
    arb_error error = {0};
    if (run(f, sql, values, count, &text, &error) != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    assert_string_equal(arb_text_view(&text).data, expected);
    arb_text_reset(&text);
}

static void expect_fails(fixture *f, const char *sql, const arb_value *values, size_t count, arb_code expected)
{
    arb_text text = {0};
    arb_error error = {0};
    assert_int_equal(run(f, sql, values, count, &text, &error), expected);
    assert_int_equal(error.code, expected);
    arb_text_reset(&text);
}

#define BIGINT(n) ((arb_value){.type = ARB_TYPE(BIGINT), .integer = (n)})
#define DOUBLE(n) ((arb_value){.type = ARB_TYPE(DOUBLE), .real = (n)})
#define DECIMAL(n, p, s) ((arb_value){.type = arb_type_decimal(p, s), .integer = (n)})
#define TEXT(t) ((arb_value){.type = ARB_TYPE(VARCHAR), .text = ARB_STR(t)})

static void values_mean_what_literals_would(void **state)
{
    fixture *f = *state;
    arb_value one = BIGINT(1);
    expect(f, "SELECT s FROM t WHERE i = ?", &one, 1, "one");
    expect(f, "SELECT i + $1 FROM t WHERE b > $1", &one, 1, "2,3");
    expect(f, "SELECT s FROM t WHERE i = ?", &(arb_value){.type = ARB_TYPE(BIGINT), .is_null = true}, 1, "");
    expect(f, "SELECT s FROM t WHERE day = ?", &TEXT("2020-01-02"), 1, "two");
    expect(f, "SELECT s FROM t WHERE i = ?", &TEXT("2"), 1, "two");
    expect(f, "SELECT s FROM t WHERE p = ?", &DOUBLE(0.07), 1, "one");
    /* Not to be rounded to what the column could hold. */
    expect(f, "SELECT i FROM t WHERE i > ?", &DOUBLE(1.5), 1, "2");
    expect(f, "SELECT i FROM t WHERE p > ?", &DECIMAL(2555, 4, 3), 1, "2");
    expect(f, "SELECT i FROM t WHERE i < ?", &BIGINT(5000000000), 1, "1,2");
    expect(f, "SELECT i FROM t WHERE i = ?", &BIGINT(5000000000), 1, "");
    expect(f, "SELECT ?", &one, 1, "1");
    expect(f, "SELECT i FROM t ORDER BY i DESC LIMIT ?", &one, 1, "2");
    expect(f, "SELECT i FROM t ORDER BY i LIMIT ? OFFSET ?", (arb_value[]){one, one}, 2, "2");
    expect_fails(f, "SELECT i FROM t WHERE i = ?", &TEXT("two"), 1, ARB_INVALID_TEXT);
    expect_fails(f, "SELECT i FROM t WHERE i = ?", NULL, 0, ARB_UNDEFINED_PARAMETER);
    expect_fails(f, "SELECT i FROM t WHERE i = ?", (arb_value[]){one, one}, 2, ARB_UNDEFINED_PARAMETER);
    expect_fails(f, "SELECT i FROM t WHERE i = $name", &one, 1, ARB_UNDEFINED_PARAMETER);
    expect_fails(f, "CREATE VIEW v AS SELECT ? AS a", &one, 1, ARB_UNDEFINED_PARAMETER);
    expect_fails(f, "SELECT i FROM t LIMIT ?", &BIGINT(-1), 1, ARB_INVALID_PARAMETER);
    arb_value list = {.type = ARB_TYPE(LIST), .nested = {&one, 1}};
    expect_fails(f, "SELECT i FROM t WHERE s = ?", &list, 1, ARB_NOT_SUPPORTED);
}

static void a_row_of_every_type_is_stored(void **state)
{
    fixture *f = *state;
    const arb_value row[] = {BIGINT(7),
                             BIGINT(70),
                             DOUBLE(7.5),
                             DECIMAL(777, 10, 2),
                             TEXT("seven"),
                             {.type = ARB_TYPE(BOOLEAN), .boolean = true},
                             {.type = ARB_TYPE(DATE), .integer = 18262},
                             {.type = ARB_TYPE(TIMESTAMP), .integer = 1577836800000000},
                             {.type = ARB_TYPE(BLOB), .text = ARB_STR("\x07\0z")}};
    arb_text text = {0};
    arb_error error = {0};
    if (run(f, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row, ARB_COUNT_OF(row), &text, &error) != ARB_OK)
        fail_msg("%s", error.message);
    expect(f, "SELECT concat_ws('|', i, b, d, p, s, o, day, ts) FROM t WHERE x = ?", &row[8], 1,
           "7|70|7.5|7.77|seven|true|2020-01-01|2020-01-01 00:00:00");
    arb_value nulls[9];
    for (size_t i = 0; i < ARB_COUNT_OF(nulls); i++)
        nulls[i] = arb_value_null(ARB_TYPE(NULL));
    assert_int_equal(run(f, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", nulls, 9, &text, &error), ARB_OK);
    expect(f, "SELECT count(*) FROM t WHERE i IS NULL AND x IS NULL", NULL, 0, "1");
    arb_text_reset(&text);
}

/* What is cancelled before it begins does not begin; what is open in the session goes on. */
static void a_statement_that_is_expected_can_be_cancelled(void **state)
{
    fixture *f = *state;
    arb_result *open, *result;
    arb_error error = {0};
    const arb_batch *batch;
    assert_int_equal(
        arb_session_execute(f->session, ARB_STR("SELECT * FROM generate_series(1, 1000000)"), &open, &error), ARB_OK);
    arb_session_expect(f->session);
    arb_session_cancel(f->session);
    assert_int_equal(arb_session_execute(f->session, ARB_STR("SELECT 1"), &result, &error), ARB_CANCELLED);
    assert_int_equal(arb_result_next(open, &batch, &error), ARB_OK);
    assert_non_null(batch);
    arb_result_cancel(open);
    arb_code code;
    while ((code = arb_result_next(open, &batch, &error)) == ARB_OK && batch != NULL) {
    }
    assert_int_equal(code, ARB_CANCELLED);
    arb_result_destroy(open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_come_from_where_parameters_stand, begin, end),
        cmocka_unit_test_setup_teardown(values_mean_what_literals_would, begin, end),
        cmocka_unit_test_setup_teardown(a_row_of_every_type_is_stored, begin, end),
        cmocka_unit_test_setup_teardown(a_statement_that_is_expected_can_be_cancelled, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
