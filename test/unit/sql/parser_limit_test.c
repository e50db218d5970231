/* Long texts are parsed, deep ones refused, and running out of memory anywhere is an error. */
#include "base/alloc.h"
#include "unit/sql/parser_cases.h"

typedef struct shape {
    const char *head, *open, *middle, *close;
} shape;

static arb_code parse_shape(const shape *s, size_t count)
{
    arb_text sql = {0}, dump = {0};
    arb_text_printf(&sql, "%s", s->head);
    for (size_t i = 0; i < count; i++)
        arb_text_append_str(&sql, arb_str_of(s->open));
    arb_text_append_str(&sql, arb_str_of(s->middle));
    for (size_t i = 0; i < count; i++)
        arb_text_append_str(&sql, arb_str_of(s->close));
    arb_arena arena = {0};
    const arb_ast_statement *statement;
    arb_code code = arb_sql_parse_one(&arena, arb_text_view(&sql), &statement, NULL);
    if (code == ARB_OK)
        arb_ast_dump_statement(statement, &dump);
    arb_text_reset(&sql);
    arb_text_reset(&dump);
    arb_arena_reset(&arena);
    return code;
}

/* What nests, whether by recursion or by growing upwards. */
static void refuses_what_is_too_deep(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"SELECT ", "(", "1", ")"},
        {"SELECT ", "1 + (", "1", ")"},
        {"SELECT ", "a OR b AND NOT c < d || e + f * g ^ (", "1", ")"},
        {"SELECT ", "f(", "1", ")"},
        {"SELECT ", "f(x -> ", "1", ")"},
        {"SELECT ", "[", "1", "]"},
        {"SELECT ", "{a:", "1", "}"},
        {"SELECT ", "MAP {1:", "1", "}"},
        {"SELECT ", "- ", "1", ""},
        {"SELECT ", "NOT ", "1", ""},
        {"SELECT x", "[1]", "", ""},
        {"SELECT x", "::int", "", ""},
        {"SELECT x", ".f()", "", ""},
        {"SELECT x", " IS NULL", "", ""},
        {"SELECT x", " COLLATE c", "", ""},
        {"SELECT x", " AT TIME ZONE 'x'", "", ""},
        {"SELECT ", "CASE WHEN a THEN b ELSE ", "1", " END"},
        {"SELECT ", "CAST(", "1", " AS int)"},
        {"SELECT ", "interval (", "1", ") day"},
        {"SELECT ", "(SELECT ", "1", ")"},
        {"SELECT ", "EXISTS (SELECT ", "1", ")"},
        {"SELECT ", "a IN (SELECT ", "1", ")"},
        {"SELECT * FROM ", "(SELECT * FROM ", "t", ")"},
        {"SELECT * FROM ", "(", "t", ")"},
        {"SELECT * FROM a", " JOIN b", "", " ON 1"},
        {"SELECT 1 GROUP BY ", "GROUPING SETS (", "a", ")"},
        {"SELECT 1 ", "EXCEPT (SELECT 1 ", "", ")"},
        {"WITH ", "a AS (WITH ", "b AS (SELECT 1) SELECT 1", ") SELECT 1"},
        {"SELECT x::", "struct(a ", "int", ")"},
        {"SELECT x::int", "[]", "", ""},
        {"SELECT sum(a) ", "OVER (ORDER BY sum(a) ", "", ")"},
        {"EXPLAIN (a ", "(", "1", ")"},
        {"", "(", "SELECT 1", ")"},
        {"", "EXPLAIN ", "SELECT 1", ""},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(shapes); i++) {
        if (parse_shape(&shapes[i], 5000) != ARB_STATEMENT_TOO_COMPLEX)
            fail_msg("%s%s…", shapes[i].head, shapes[i].open);
        bool whole = strcmp(shapes[i].head, "EXPLAIN (a ") != 0;
        if (whole && parse_shape(&shapes[i], 60) != ARB_OK)
            fail_msg("%s%s… 60 times", shapes[i].head, shapes[i].open);
    }
}

static void parses_what_is_long(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {"SELECT a", " AND b", "", ""},
        {"SELECT a", " OR b = 1 AND c < 2", "", ""},
        {"SELECT a", " + b", "", ""},
        {"SELECT a", " * b - c", "", ""},
        {"SELECT a", " || b", "", ""},
        {"SELECT 1", " UNION ALL SELECT 1", "", ""},
        {"SELECT 1", " INTERSECT SELECT 1", "", ""},
        {"SELECT * FROM a", " CROSS JOIN b", "", ""},
        {"SELECT * FROM a", ", b", "", ""},
        {"SELECT a IN (1", ", 2", ")", ""},
        {"SELECT CASE", " WHEN a THEN b", " END", ""},
        {"VALUES (1)", ", (2)", "", ""},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(shapes); i++)
        if (parse_shape(&shapes[i], 50000) != ARB_OK)
            fail_msg("%s%s…", shapes[i].head, shapes[i].open);
}

#ifdef ARB_FAILPOINTS
/* Fail each allocation in turn: the parse must report it and leak nothing. */
static void survives_running_out_of_memory(void **state)
{
    (void)state;
    static const char sql[] =
        "WITH a AS (SELECT x, count(*) FILTER (WHERE y) OVER (PARTITION BY z) FROM 'f.parquet' AS t (x, y) LEFT JOIN u "
        "USING (k) WHERE e'\\n' || 'a''b' = ANY ([1_0, 0xff]) AND a.b[1:2] NOT IN (SELECT {a: 1}) GROUP BY ROLLUP (a), "
        "GROUPING SETS (()) ORDER BY 1 LIMIT 10%) SELECT CASE WHEN a THEN b::decimal(3, 1)[] END FROM a UNION VALUES "
        "(-1, interval '1' day); CREATE EXTERNAL TABLE t (a int) STORED AS csv OPTIONS (a.b 'c') LOCATION 'x'; SET "
        "a.b = c; INSERT INTO t (a) VALUES (DEFAULT); COPY t TO 'x' (FORMAT csv, b (1, 2))";
    for (uint64_t n = 1;; n++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_ast_statements statements;
        arb_alloc_fail_at(n, false);
        arb_code code = arb_sql_parse(&arena, arb_str_of(sql), &statements, &error);
        bool reached = arb_alloc_count() >= n;
        arb_alloc_fail_at(0, false);
        arb_arena_reset(&arena);
        if (!reached) {
            assert_int_equal(code, ARB_OK);
            assert_true(n > 3);
            break;
        }
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
    }
    /* Arenas take few blocks: a limit fails the rest of their allocations. */
    for (size_t limit = 1024; limit < 64 << 10; limit += 48) {
        arb_arena arena = {.limit = limit};
        arb_error error = {0};
        arb_ast_statements statements;
        arb_code code = arb_sql_parse(&arena, arb_str_of(sql), &statements, &error);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        arb_arena_reset(&arena);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_too_deep),
        cmocka_unit_test(parses_what_is_long),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test(survives_running_out_of_memory),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
