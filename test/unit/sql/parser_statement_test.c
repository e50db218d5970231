/* Statements and the trees that they give. */
#include "unit/sql/parser_cases.h"

/* clang-format off */
static const parser_case cases[] = {
    {"CREATE TABLE t (a int NOT NULL, b decimal(10,2) DEFAULT 1 + 2 NOT NULL, c text PRIMARY KEY, d int UNIQUE CHECK (d > 0), e date NULL)", "(create-table t (columns (a int not-null) (b decimal(10,2) not-null (default (+ 1 2))) (c text not-null primary-key) (d int unique (check (> d 0))) (e date)))"},
    {"CREATE OR REPLACE TEMP TABLE IF NOT EXISTS s.t (a int, b int, PRIMARY KEY (a, b), CONSTRAINT c CHECK (a < b), UNIQUE (a), FOREIGN KEY (b) REFERENCES u (c),)", "(create-table or-replace temporary if-not-exists s.t (columns (a int) (b int)) (primary-key a b) (check (< a b)))"},
    {"CREATE TABLE t AS SELECT 1", "(create-table t (select (1)))"},
    {"CREATE TABLE t (a, b) AS VALUES (1, 2)", "(create-table t (columns (a) (b)) (values (row 1 2)))"},
    {"CREATE TABLE t WITH (format = parquet, \"x.y\" = 3) AS FROM u WITH NO DATA", "(create-table t (options format='parquet' \"x.y\"=3) (select (*) (from u)) with-no-data)"},
    {"CREATE OR REPLACE VIEW v (a, b) AS SELECT 1, 2", "(create-view or-replace v (columns a b) (select (1 2)))"},
    {"CREATE TEMPORARY VIEW IF NOT EXISTS v AS (SELECT 1)", "(create-view temporary if-not-exists v (select (1)))"},
    {"CREATE EXTERNAL TABLE t STORED AS parquet LOCATION 'x/'", "(create-external t parquet \"x/\")"},
    {"CREATE EXTERNAL TABLE IF NOT EXISTS t (a int, b text NOT NULL) STORED AS CSV WITH HEADER ROW DELIMITER '|' COMPRESSION TYPE gzip PARTITIONED BY (y int, m) WITH ORDER (a DESC) OPTIONS (format.null 'x', 'has' true) LOCATION 'x.csv'", "(create-external if-not-exists t (columns (a int) (b text not-null)) CSV \"x.csv\" (partitioned-by (y int) (m)) (order (a desc)) (options header delimiter='|' compression='gzip' format.null='x' \"has\"=true))"},
    {"CREATE OR REPLACE EXTERNAL TABLE t LOCATION 'x' STORED AS arrow", "(create-external or-replace t arrow \"x\")"},
    {"CREATE SCHEMA IF NOT EXISTS a.b", "(create-schema if-not-exists a.b)"},
    {"DROP TABLE t", "(drop-table t)"},
    {"DROP TABLE IF EXISTS a.b, c CASCADE", "(drop-table if-exists a.b c cascade)"},
    {"DROP VIEW v RESTRICT", "(drop-view v)"},
    {"DROP SCHEMA s", "(drop-schema s)"},
    {"INSERT INTO t VALUES (1, DEFAULT), (2, 3)", "(insert t (values (row 1 default) (row 2 3)))"},
    {"INSERT INTO s.t (a, \"b c\") SELECT 1, 2", "(insert s.t (columns a \"b c\") (select (1 2)))"},
    {"INSERT INTO t (SELECT 1)", "(insert t (select (1)))"},
    {"INSERT INTO t BY NAME FROM u", "(insert t by-name (select (*) (from u)))"},
    {"INSERT INTO t DEFAULT VALUES", "(insert t default-values)"},
    {"INSERT INTO t WITH x AS (SELECT 1) TABLE x", "(insert t (query (with (x (select (1)))) (select (*) (from x))))"},
    {"COPY t TO 'x.csv'", "(copy-to t \"x.csv\")"},
    {"COPY s.t (a, b) FROM 'x.csv' WITH (FORMAT csv, HEADER, DELIMITER '|', NULLSTR ('a', 'b'))", "(copy-from s.t (columns a b) \"x.csv\" (options FORMAT='csv' HEADER DELIMITER='|' NULLSTR=(row 'a' 'b')))"},
    {"COPY (SELECT 1) TO 'x.parquet' (FORMAT parquet, COMPRESSION 'zstd', ROW_GROUP_SIZE 100, KV {a: 1}, COLS *)", "(copy-to (select (1)) \"x.parquet\" (options FORMAT='parquet' COMPRESSION='zstd' ROW_GROUP_SIZE=100 KV=(struct a:=1) COLS=*))"},
    {"COPY t TO 'd' STORED AS parquet PARTITIONED BY (y, m) OPTIONS ('a.b' 'c')", "(copy-to t \"d\" (format parquet) (partitioned-by y m) (options \"a.b\"='c'))"},
    {"COPY t TO STDOUT WITH CSV HEADER DELIMITER AS ';'", "(copy-to t console (format CSV) (options header delimiter=';'))"},
    {"COPY t FROM stdin", "(copy-from t console)"},
    {"DESCRIBE t", "(describe t)"},
    {"DESCRIBE s.t", "(describe s.t)"},
    {"DESC 'x.parquet'", "(describe \"x.parquet\")"},
    {"DESCRIBE SELECT 1", "(describe (select (1)))"},
    {"SUMMARIZE t", "(summarize t)"},
    {"SHOW TABLES", "(show-tables)"},
    {"SHOW TABLES FROM s", "(show-tables s)"},
    {"SHOW SCHEMAS", "(show-schemas)"},
    {"SHOW FUNCTIONS", "(show-functions)"},
    {"SHOW ALL", "(show-all)"},
    {"SHOW COLUMNS FROM t", "(describe t)"},
    {"SHOW a.b", "(show-setting a.b)"},
    {"SHOW TIME ZONE", "(show-setting timezone)"},
    {"SET a = 1", "(set a 1)"},
    {"SET a.b.c TO 'x', 'y'", "(set a.b.c 'x' 'y')"},
    {"SET SESSION a = on", "(set a 'on')"},
    {"SET LOCAL a = -5", "(set local a -5)"},
    {"SET a = DEFAULT", "(reset a)"},
    {"SET TIME ZONE 'UTC'", "(set timezone 'UTC')"},
    {"SET session = 1", "(set session 1)"},
    {"RESET a.b", "(reset a.b)"},
    {"RESET ALL", "(reset)"},
    {"USE s", "(set schema 's')"},
    {"EXPLAIN SELECT 1", "(explain (select (1)))"},
    {"EXPLAIN ANALYZE VERBOSE SELECT 1", "(explain analyze verbose (select (1)))"},
    {"EXPLAIN (ANALYZE, VERBOSE off, FORMAT json) SELECT 1", "(explain analyze (options FORMAT='json') (select (1)))"},
    {"EXPLAIN (SELECT 1)", "(explain (select (1)))"},
    {"EXPLAIN FORMAT tree SELECT 1", "(explain (options format='tree') (select (1)))"},
    {"BEGIN", "(begin)"},
    {"BEGIN TRANSACTION", "(begin)"},
    {"START TRANSACTION", "(begin)"},
    {"COMMIT WORK", "(commit)"},
    {"END", "(commit)"},
    {"ROLLBACK", "(rollback)"},
    {"ABORT", "(rollback)"},
    {"PREPARE p AS SELECT $1", "(prepare p (select ($1)))"},
    {"PREPARE p (int, decimal(3, 2)) AS INSERT INTO t VALUES (?, ?)", "(prepare p int decimal(3,2) (insert t (values (row $1 $2))))"},
    {"EXECUTE p", "(execute p)"},
    {"EXECUTE p (1, 'a')", "(execute p 1 'a')"},
    {"DEALLOCATE p", "(deallocate p)"},
    {"DEALLOCATE PREPARE ALL", "(deallocate)"},
};
/* clang-format on */

static void parses(void **state)
{
    (void)state;
    check_parser_cases(cases, ARB_COUNT_OF(cases), "", "", "");
}

static void counts_parameters(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_ast_statements statements;
    arb_str sql = ARB_STR("SELECT ?, ?; SELECT $7, $2; SELECT 1");
    assert_int_equal(arb_sql_parse(&arena, sql, &statements, NULL), ARB_OK);
    assert_int_equal(statements.size, 3);
    assert_int_equal(statements.data[0]->parameter_count, 2);
    assert_int_equal(statements.data[1]->parameter_count, 7);
    assert_int_equal(statements.data[2]->parameter_count, 0);
    assert_int_equal(statements.data[1]->span.begin, 13);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses), cmocka_unit_test(counts_parameters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
