/* What is refused: the code, the place, the message, the hint. */
#include "unit/sql/parser_cases.h"

typedef struct error_case {
    const char *sql;
    arb_code code;
    int64_t position;
    const char *message, *hint;
} error_case;

/* clang-format off */
static const error_case cases[] = {
    {"", ARB_SYNTAX, 1, "syntax error at end of input", ""},
    {"SELECT", ARB_SYNTAX, 7, "syntax error at end of input", ""},
    {"SELECT 1 +", ARB_SYNTAX, 11, "syntax error at end of input", ""},
    {"SELECT * FORM t", ARB_SYNTAX, 10, "syntax error at or near \"FORM\"", "Perhaps you meant FROM instead of \"FORM\"."},
    {"SELECT a FORM t", ARB_SYNTAX, 15, "syntax error at or near \"t\"", "Perhaps you meant FROM instead of \"FORM\"."},
    {"SELECT a FROM t WERE b = 1", ARB_SYNTAX, 22, "syntax error at or near \"b\"", "Perhaps you meant WHERE instead of \"WERE\"."},
    {"SELECT a FROM t GROPU BY a", ARB_SYNTAX, 23, "syntax error at or near \"BY\"", "Perhaps you meant GROUP instead of \"GROPU\"."},
    {"SELECT a FROM t ORDER a", ARB_SYNTAX, 23, "syntax error at or near \"a\"", ""},
    {"SELEC 1", ARB_SYNTAX, 1, "syntax error at or near \"SELEC\"", "Perhaps you meant SELECT instead of \"SELEC\"."},
    {"SELECT 'abc", ARB_SYNTAX, 8, "unterminated string: the closing ' is missing", ""},
    {"SELECT \"abc", ARB_SYNTAX, 8, "unterminated name: the closing \" is missing", ""},
    {"SELECT \"\"", ARB_SYNTAX, 8, "a name in quotes may not be empty", ""},
    {"SELECT /* a /* b */", ARB_SYNTAX, 8, "unterminated /* comment", ""},
    {"SELECT $x$ abc $y$", ARB_SYNTAX, 8, "unterminated dollar-quoted string", ""},
    {"SELECT 12abc", ARB_SYNTAX, 8, "trailing characters after a number", ""},
    {"SELECT 1 < 2 < 3", ARB_SYNTAX, 14, "syntax error at or near \"<\"", ""},
    {"SELECT (1, 2", ARB_SYNTAX, 13, "syntax error at end of input", ""},
    {"SELECT [1, 2", ARB_SYNTAX, 13, "syntax error at end of input", ""},
    {"SELECT a b c", ARB_SYNTAX, 12, "syntax error at or near \"c\"", ""},
    {"SELECT * AS x", ARB_SYNTAX, 10, "syntax error at or near \"AS\"", ""},
    {"SELECT CASE END", ARB_SYNTAX, 13, "syntax error at or near \"END\"", ""},
    {"SELECT CASE WHEN 1 THEN 2", ARB_SYNTAX, 26, "syntax error at end of input", ""},
    {"SELECT CAST(1 AS)", ARB_SYNTAX, 17, "syntax error at or near \")\"", ""},
    {"SELECT x'0'", ARB_SYNTAX, 8, "a blob needs an even number of hexadecimal digits", ""},
    {"SELECT x'0g'", ARB_SYNTAX, 11, "a blob consists of hexadecimal digits", ""},
    {"SELECT e'\\xff'", ARB_SYNTAX, 8, "the escapes of a string do not give UTF-8", ""},
    {"SELECT e'a\\u12'", ARB_SYNTAX, 11, "invalid escape in a string", ""},
    {"SELECT 0x1ffffffffffffffffffffffffffffffff1", ARB_SYNTAX, 8, "the number is too large", ""},
    {"SELECT $0", ARB_UNDEFINED_PARAMETER, 8, "parameters are numbered from $1 to $65535", ""},
    {"SELECT interval 3", ARB_SYNTAX, 18, "syntax error at end of input", ""},
    {"SELECT a FROM", ARB_SYNTAX, 14, "syntax error at end of input", ""},
    {"SELECT a FROM t JOIN u", ARB_SYNTAX, 23, "syntax error at end of input", ""},
    {"SELECT a FROM t LIMIT 1 LIMIT 2", ARB_SYNTAX, 25, "syntax error at or near \"LIMIT\"", ""},
    {"SELECT a FROM a.b.c.d", ARB_SYNTAX, 15, "a table's name has at most three parts", ""},
    {"SELECT a FROM LATERAL t", ARB_SYNTAX, 24, "syntax error at end of input", ""},
    {"SELECT a INTO b FROM t", ARB_NOT_SUPPORTED, 10, "SELECT INTO is not supported; use CREATE TABLE AS", ""},
    {"SELECT * FROM t PIVOT (sum(a) FOR b IN (1))", ARB_NOT_SUPPORTED, 17, "PIVOT is not supported", ""},
    {"SELECT [x FOR x IN y]", ARB_NOT_SUPPORTED, 8, "list comprehensions are not supported", ""},
    {"SELECT a[]", ARB_SYNTAX, 10, "syntax error at or near \"]\"", ""},
    {"SELECT \\d", ARB_SYNTAX, 8, "syntax error at or near \"\\\"", ""},
    {"SELECT 1;;SELECT (", ARB_SYNTAX, 19, "syntax error at end of input", ""},
    {"SELECT ROW(1", ARB_SYNTAX, 13, "syntax error at end of input", ""},
    {"SELECT 1 )", ARB_SYNTAX, 10, "syntax error at or near \")\"", ""},
    {"SELECT f(a", ARB_SYNTAX, 11, "syntax error at end of input", ""},
    {"SELECT where", ARB_SYNTAX, 8, "syntax error at or near \"where\"", ""},
    {"SELECT é FROM", ARB_SYNTAX, 15, "syntax error at end of input", ""},
    {"VALUES ()", ARB_SYNTAX, 9, "syntax error at or near \")\"", ""},
    {"VALUES", ARB_SYNTAX, 7, "syntax error at end of input", ""},
    {"CREATE TABLE t", ARB_SYNTAX, 15, "syntax error at end of input", ""},
    {"CREATE TABLE t ()", ARB_SYNTAX, 17, "syntax error at or near \")\"", ""},
    {"CREATE TABEL t (a int)", ARB_SYNTAX, 8, "syntax error at or near \"TABEL\"", "Perhaps you meant TABLE instead of \"TABEL\"."},
    {"CREATE INDEX i ON t (a)", ARB_NOT_SUPPORTED, 1, "CREATE INDEX is not supported", ""},
    {"CREATE EXTERNAL TABLE t STORED AS csv", ARB_SYNTAX, 38, "syntax error at end of input", ""},
    {"DROP INDEX i", ARB_NOT_SUPPORTED, 1, "DROP INDEX is not supported", ""},
    {"DELETE FROM t", ARB_NOT_SUPPORTED, 1, "DELETE is not supported", ""},
    {"UPDATE t SET a = 1", ARB_NOT_SUPPORTED, 1, "UPDATE is not supported", ""},
    {"MERGE INTO t USING u ON 1", ARB_NOT_SUPPORTED, 1, "MERGE is not supported", ""},
    {"ALTER TABLE t ADD a int", ARB_NOT_SUPPORTED, 1, "ALTER is not supported", ""},
    {"TRUNCATE t", ARB_NOT_SUPPORTED, 1, "TRUNCATE is not supported", ""},
    {"PRAGMA x", ARB_NOT_SUPPORTED, 1, "PRAGMA is not supported", ""},
    {"VACUUM", ARB_NOT_SUPPORTED, 1, "VACUUM is not supported", ""},
    {"WITH a AS (SELECT 1) INSERT INTO t FROM a", ARB_NOT_SUPPORTED, 1, "WITH in front of INSERT is not supported", ""},
    {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", ARB_NOT_SUPPORTED, 26, "ON CONFLICT is not supported", ""},
    {"INSERT INTO t VALUES (1) RETURNING a", ARB_NOT_SUPPORTED, 26, "RETURNING is not supported", ""},
    {"INSERT OR REPLACE INTO t VALUES (1)", ARB_NOT_SUPPORTED, 8, "INSERT OR is not supported", ""},
    {"EXPLAIN", ARB_SYNTAX, 8, "syntax error at end of input", ""},
    {"SET a", ARB_SYNTAX, 6, "syntax error at end of input", ""},
    {"COPY t", ARB_SYNTAX, 7, "syntax error at end of input", ""},
    {"COPY t TO file", ARB_SYNTAX, 11, "syntax error at or near \"file\"", ""},
};
/* clang-format on */

static void explains_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        const error_case *c = &cases[i];
        arb_arena arena = {0};
        arb_error error = {0};
        const arb_ast_statement *statement;
        arb_code code = arb_sql_parse_one(&arena, arb_str_of(c->sql), &statement, &error);
        if (code != c->code || error.code != c->code || error.position != c->position ||
            strcmp(error.message, c->message) != 0 || strcmp(error.hint, c->hint) != 0)
            fail_msg("%s: %s at %lld: %s %s", c->sql, arb_code_name(code), (long long)error.position, error.message,
                     error.hint);
        assert_null(statement);
        arb_arena_reset(&arena);
    }
}

static void check_bytes(arb_str sql, int64_t position)
{
    arb_arena arena = {0};
    arb_error error = {0};
    arb_ast_statements statements;
    assert_int_equal(arb_sql_parse(&arena, sql, &statements, &error), ARB_SYNTAX);
    assert_int_equal(error.position, position);
    arb_arena_reset(&arena);
}

static void refuses_bytes_that_are_no_text(void **state)
{
    (void)state;
    check_bytes(ARB_STR("SELECT 1\0"), 9);
    check_bytes(ARB_STR("SELECT '\xff'"), 9);
    check_bytes(ARB_STR("SELECT '\xc0\xaf'"), 9);
    check_bytes(ARB_STR("SELECT '\xed\xa0\x80'"), 9);
    check_bytes(ARB_STR("SELECT '\xf4\x90\x80\x80'"), 9);
    check_bytes(ARB_STR("-- \xe2\x82"), 4);
}

static void a_later_statement_is_found_at_its_place(void **state)
{
    (void)state;
    check_bytes(ARB_STR("SELECT 1; SELECT 2; SELECT FROM t"), 28);
    arb_arena arena = {0};
    arb_error error = {0};
    const arb_ast_statement *statement;
    assert_int_equal(arb_sql_parse_one(&arena, ARB_STR("SELECT 1; SELECT 2"), &statement, &error), ARB_SYNTAX);
    assert_int_equal(error.position, 11);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explains_errors),
        cmocka_unit_test(refuses_bytes_that_are_no_text),
        cmocka_unit_test(a_later_statement_is_found_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
