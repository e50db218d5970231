/* Queries and the trees that they give. */
#include "unit/sql/parser_cases.h"

/* clang-format off */
static const parser_case cases[] = {
    {"SELECT 1", "(select (1))"},
    {"SELECT a, b AS c, d e, f \"g h\", h AS 'i' FROM t", "(select (a (as b c) (as d e) (as f \"g h\") (as h \"i\")) (from t))"},
    {"SELECT a AS select, b AS from FROM t", "(select ((as a select) (as b from)) (from t))"},
    {"SELECT x: a + 1, b FROM t", "(select ((as (+ a 1) x) b) (from t))"},
    {"SELECT *, t.*, s.t.* FROM t", "(select (* t.* s.t.*) (from t))"},
    {"SELECT * EXCLUDE a, b FROM t", "(select ((* (exclude a)) b) (from t))"},
    {"SELECT * EXCEPT (a, b) FROM t", "(select ((* (exclude a b))) (from t))"},
    {"SELECT * EXCEPT (SELECT 1)", "(except (select (*)) (select (1)))"},
    {"SELECT a, b, FROM t", "(select (a b) (from t))"},
    {"SELECT ALL a FROM t", "(select (a) (from t))"},
    {"SELECT DISTINCT a FROM t", "(select distinct (a) (from t))"},
    {"SELECT DISTINCT ON (a, b) c FROM t", "(select distinct (on a b) (c) (from t))"},
    {"FROM t", "(select (*) (from t))"},
    {"FROM t SELECT a WHERE b", "(select (a) (from t) (where b))"},
    {"FROM t WHERE a ORDER BY b", "(query (select (*) (from t) (where a)) (order b))"},
    {"TABLE t", "(select (*) (from t))"},
    {"TABLE s.t ORDER BY 1", "(query (select (*) (from s.t)) (order 1))"},
    {"VALUES (1, 'a'), (2, 'b')", "(values (row 1 'a') (row 2 'b'))"},
    {"VALUES (1), (2) ORDER BY 1 LIMIT 1", "(query (values (row 1) (row 2)) (order 1) (limit 1))"},
    {"SELECT a FROM t, u AS v, w x (y, z)", "(select (a) (from t (as u v) (as w x (y z))))"},
    {"SELECT a FROM s.t, c.s.t, \"S\".\"T\"", "(select (a) (from s.t c.s.t \"S\".\"T\"))"},
    {"SELECT a FROM 'file.parquet', 's3://b/*.csv' AS x", "(select (a) (from 'file.parquet' (as 's3://b/*.csv' x)))"},
    {"SELECT a FROM (SELECT 1) AS x (a), (VALUES (1)) y", "(select (a) (from (as (select (1)) x (a)) (as (values (row 1)) y)))"},
    {"SELECT a FROM VALUES (1), (2) AS v(x), t", "(select (a) (from (as (values (row 1) (row 2)) v (x)) t))"},
    {"SELECT a FROM read_csv('x', header = true, sep => ';') AS c, range(3) WITH ORDINALITY r", "(select (a) (from (as (read_csv 'x' header:=true sep:=';') c) (as (range 3) with-ordinality r)))"},
    {"SELECT a FROM t, LATERAL (SELECT t.b) x, LATERAL f(t.c)", "(select (a) (from t (lateral (select (t.b)) x) (lateral (f t.c))))"},
    {"SELECT a FROM json('x') AS t(a int, b text[])", "(select (a) (from (as (json 'x') t (a:int b:text[]))))"},
    {"SELECT * FROM a JOIN b ON a.x = b.x", "(select (*) (from (joins a (join b (on (= a.x b.x))))))"},
    {"SELECT * FROM a INNER JOIN b USING (x, y) LEFT OUTER JOIN c ON true", "(select (*) (from (joins a (join b (using x y)) (left-join c (on true)))))"},
    {"SELECT * FROM a LEFT JOIN b ON 1 RIGHT JOIN c ON 2 FULL OUTER JOIN d ON 3", "(select (*) (from (joins a (left-join b (on 1)) (right-join c (on 2)) (full-join d (on 3)))))"},
    {"SELECT * FROM a CROSS JOIN b NATURAL JOIN c NATURAL LEFT JOIN d POSITIONAL JOIN e", "(select (*) (from (joins a (cross-join b) (natural-join c) (natural-left-join d) (positional-join e))))"},
    {"SELECT * FROM a SEMI JOIN b ON 1 ANTI JOIN c USING (x) LEFT SEMI JOIN d ON 2 RIGHT ANTI JOIN e ON 3", "(select (*) (from (joins a (semi-join b (on 1)) (anti-join c (using x)) (semi-join d (on 2)) (right-anti-join e (on 3)))))"},
    {"SELECT * FROM a ASOF JOIN b ON a.t >= b.t ASOF LEFT JOIN c USING (k, t)", "(select (*) (from (joins a (asof-join b (on (>= a.t b.t))) (asof-left-join c (using k t)))))"},
    {"SELECT * FROM a semi, b anti, c asof, d positional", "(select (*) (from (as a semi) (as b anti) (as c asof) (as d positional)))"},
    {"SELECT * FROM a x SEMI JOIN b y ON x.i = y.i", "(select (*) (from (joins (as a x) (semi-join (as b y) (on (= x.i y.i))))))"},
    {"SELECT * FROM a JOIN b JOIN c ON 1 ON 2", "(select (*) (from (joins a (join (joins b (join c (on 1))) (on 2)))))"},
    {"SELECT * FROM a JOIN (b CROSS JOIN c) ON 1", "(select (*) (from (joins a (join (joins b (cross-join c)) (on 1)))))"},
    {"SELECT * FROM (a JOIN b ON 1) AS j, (c), ((SELECT 1) UNION (SELECT 2)) u", "(select (*) (from (as (joins (joins a (join b (on 1)))) j) c (as (union (select (1)) (select (2))) u)))"},
    {"SELECT * FROM ((SELECT 1) x JOIN y ON 1)", "(select (*) (from (joins (as (select (1)) x) (join y (on 1)))))"},
    {"SELECT * FROM t TABLESAMPLE bernoulli (10) REPEATABLE (3)", "(select (*) (from (as t (sample bernoulli 10% (seed 3)))))"},
    {"SELECT * FROM t TABLESAMPLE reservoir (5 ROWS), u USING SAMPLE 10%", "(select (*) (from (as t (sample reservoir 5)) u) (sample 10%))"},
    {"SELECT a FROM t WHERE a > 1 GROUP BY a, b + 1 HAVING count(*) > 2", "(select (a) (from t) (where (> a 1)) (group a (+ b 1)) (having (> (count *) 2)))"},
    {"SELECT a FROM t GROUP BY ALL", "(select (a) (from t) (group all))"},
    {"SELECT a FROM t GROUP BY ROLLUP (a, (b, c)), CUBE (d)", "(select (a) (from t) (group (rollup a (row b c)) (cube d)))"},
    {"SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, (), ROLLUP (c), GROUPING SETS ((d)))", "(select (a) (from t) (group (sets (a b) (a) () (rollup c) (sets (d)))))"},
    {"SELECT a FROM t GROUP BY (), a", "(select (a) (from t) (group () a))"},
    {"SELECT a FROM t WINDOW w AS (PARTITION BY a), v AS (w ORDER BY b) QUALIFY rank() OVER v = 1", "(select (a) (from t) (window w (over (partition a))) (window v (over w (order b))) (qualify (= (rank (over v)) 1)))"},
    {"SELECT a FROM t ORDER BY a DESC, b ASC NULLS FIRST, c NULLS LAST", "(query (select (a) (from t)) (order (a desc) (b nulls-first) (c nulls-last)))"},
    {"SELECT a FROM t ORDER BY ALL DESC", "(query (select (a) (from t)) (order (all desc)))"},
    {"SELECT a FROM t LIMIT 10 OFFSET 5", "(query (select (a) (from t)) (limit 10) (offset 5))"},
    {"SELECT a FROM t OFFSET 5 ROWS LIMIT 10", "(query (select (a) (from t)) (limit 10) (offset 5))"},
    {"SELECT a FROM t LIMIT ALL", "(select (a) (from t))"},
    {"SELECT a FROM t LIMIT 10%", "(query (select (a) (from t)) (limit-percent 10))"},
    {"SELECT a FROM t LIMIT 10 PERCENT OFFSET 1", "(query (select (a) (from t)) (limit-percent 10) (offset 1))"},
    {"SELECT a FROM t LIMIT 10 % 3", "(query (select (a) (from t)) (limit (% 10 3)))"},
    {"SELECT a FROM t OFFSET 1 ROW FETCH FIRST 3 ROWS ONLY", "(query (select (a) (from t)) (limit 3) (offset 1))"},
    {"SELECT a FROM t FETCH NEXT ROW WITH TIES", "(query (select (a) (from t)) (limit-with-ties 1))"},
    {"SELECT 1 UNION SELECT 2 UNION ALL SELECT 3", "(union-all (union (select (1)) (select (2))) (select (3)))"},
    {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4", "(except-all (union (select (1)) (intersect (select (2)) (select (3)))) (select (4)))"},
    {"SELECT 1 UNION DISTINCT BY NAME SELECT 2 ORDER BY 1 LIMIT 2", "(query (union-by-name (select (1)) (select (2))) (order 1) (limit 2))"},
    {"(SELECT 1) UNION (SELECT 2 LIMIT 1)", "(union (select (1)) (query (select (2)) (limit 1)))"},
    {"(SELECT 1 LIMIT 2) LIMIT 1", "(query (query (select (1)) (limit 2)) (limit 1))"},
    {"SELECT 1 UNION VALUES (2) UNION TABLE t", "(union (union (select (1)) (values (row 2))) (select (*) (from t)))"},
    {"WITH a AS (SELECT 1), b (x, y) AS NOT MATERIALIZED (VALUES (1, 2)) SELECT * FROM a, b", "(query (with (a (select (1))) (b (x y) not-materialized (values (row 1 2)))) (select (*) (from a b)))"},
    {"WITH RECURSIVE a (n) AS MATERIALIZED (SELECT 1 UNION ALL SELECT n + 1 FROM a) TABLE a", "(query (with-recursive (a (n) materialized (union-all (select (1)) (select ((+ n 1)) (from a))))) (select (*) (from a)))"},
    {"WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) (SELECT * FROM a) UNION SELECT 2", "(query (with (a (query (with (b (select (1)))) (select (*) (from b))))) (union (select (*) (from a)) (select (2))))"},
};
/* clang-format on */

static void parses(void **state)
{
    (void)state;
    check_parser_cases(cases, ARB_COUNT_OF(cases), "", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
