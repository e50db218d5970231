/* bind_plan_test.c: SQL texts, the logical plans that they must give, and names and types of the results. Every plan must
 * also keep the rules that arb_logical_validate checks. */
#include "bind_catalog.h"

typedef struct bind_case {
    const char *sql;
    const char *plan;
    const char *columns; /* name:type */
} bind_case;

/* clang-format off */
/* FROM: joins, laterals, aliases, views, functions */
static const bind_case joins[] = {
    {"select * from t join u using (a)",
     "INNER JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer b:varchar c:decimal(15,2) d:date e:double x:integer y:varchar"},
    {"select t.*, u.a from t left join u using (a) where a > 1",
     "FILTER a#0 > 1\n"
     "  LEFT JOIN ON a#0 = a#5\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer b:varchar c:decimal(15,2) d:date e:double a:integer"},
    {"select a from t right join u using (a)",
     "RIGHT JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t full join u using (a)",
     "PROJECT coalesce(a#0, a#5) AS a#8\n"
     "  FULL JOIN ON a#0 = a#5\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select * from t natural join u",
     "INNER JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer b:varchar c:decimal(15,2) d:date e:double x:integer y:varchar"},
    {"select b, y from t join u on t.a = u.a and x > 3",
     "INNER JOIN ON a#0 = a#5 AND x > 3\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "b:varchar y:varchar"},
    {"select t.a from t semi join u on t.a = u.a",
     "SEMI JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select t.a from t anti join u using (a)",
     "ANTI JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select u.x from t right semi join u on t.a = u.a",
     "SEMI JOIN ON a#0 = a#5\n"
     "  SCAN u (a#5, x, y)\n"
     "  SCAN t (a#0, b, c, d, e)\n",
     "x:integer"},
    {"select t.a from t, u, v where t.a = u.a",
     "FILTER a#0 = a#5\n"
     "  CROSS JOIN\n"
     "    CROSS JOIN\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "      SCAN u (a#5, x, y)\n"
     "    SCAN v (k, ts, flag)\n",
     "a:integer"},
    {"select q.p from (t join u on t.a = u.a) as q(p)",
     "INNER JOIN ON a#0 = a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "p:integer"},
    {"select a, x from t cross join lateral (select x from u where u.a = t.a) l",
     "DEPENDENT INNER JOIN\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  FILTER a#5 = a#0\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer x:integer"},
    {"select a, x from t left join lateral (select x from u where u.a = t.a) l on true",
     "DEPENDENT LEFT JOIN ON true\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  FILTER a#5 = a#0\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer x:integer"},
    {"select b from t join u on t.a = u.a and u.x in (select k from v)",
     "INNER JOIN ON a#0 = a#5 AND in\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  MARK JOIN in NULL-AWARE ON CAST(x AS bigint) = k\n"
     "    SCAN u (a#5, x, y)\n"
     "    SCAN v (k, ts, flag)\n",
     "b:varchar"},
    {"select b from t left join u on t.a = u.a and exists (select 1 from v where v.k = u.x)",
     "LEFT JOIN ON a#0 = a#5 AND exists\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  DEPENDENT MARK JOIN exists\n"
     "    SCAN u (a#5, x, y)\n"
     "    PROJECT 1 AS 1\n"
     "      FILTER k = CAST(x AS bigint)\n"
     "        SCAN v (k, ts, flag)\n",
     "b:varchar"},
    {"select b from t join u on exists (select 1 from v where v.k = u.x and v.k = t.a)",
     "FILTER exists\n"
     "  DEPENDENT MARK JOIN exists\n"
     "    CROSS JOIN\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "      SCAN u (a#5, x, y)\n"
     "    PROJECT 1 AS 1\n"
     "      FILTER k = CAST(x AS bigint) AND k = CAST(a#0 AS bigint)\n"
     "        SCAN v (k, ts, flag)\n",
     "b:varchar"},
    {"select \"a\", T.B from t as T",
     "SCAN t T (a, b, c, d, e)\n",
     "a:integer B:varchar"},
    {"select main.t.a from main.t",
     "SCAN t (a, b, c, d, e)\n",
     "a:integer"},
    {"select #2, #1 from t",
     "SCAN t (a, b, c, d, e)\n",
     "#2:varchar #1:integer"},
    {"select n from vw where n > 1",
     "FILTER count > 1\n"
     "  AGGREGATE count(*) AS count GROUP BY a\n"
     "    SCAN t (a, b, c, d, e)\n",
     "n:bigint"},
    {"select i * 2 from range(3) r(i)",
     "PROJECT range * 2 AS i * 2\n"
     "  SCAN range (range)\n",
     "i * 2:bigint"},
    {"select * from generate_series(1, 2500, 2)",
     "SCAN generate_series (generate_series)\n",
     "generate_series:bigint"},
    {"select t.a from t left join u on t.a = u.a and exists (select 1 from v where k = t.a + u.x)",
     "DEPENDENT LEFT JOIN\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  FILTER a#0 = a#5 AND exists\n"
     "    DEPENDENT MARK JOIN exists\n"
     "      SCAN u (a#5, x, y)\n"
     "      PROJECT 1 AS 1\n"
     "        FILTER k = CAST(a#0 + x AS bigint)\n"
     "          SCAN v (k, ts, flag)\n",
     "a:integer"},
};

/* the clauses of a SELECT */
static const bind_case selects[] = {
    {"select 1",
     "PROJECT 1 AS 1\n"
     "  ONE ROW\n",
     "1:integer"},
    {"select a, b from t where c > 5 order by d desc limit 3",
     "SORT d DESC LIMIT 3\n"
     "  FILTER c > 5.00\n"
     "    SCAN t (a, b, c, d, e)\n",
     "a:integer b:varchar"},
    {"select a as x, a as y, a from t",
     "SCAN t (a, b, c, d, e)\n",
     "x:integer y:integer a:integer"},
    {"select a x, x + 1 y, y * 2 from t where x > 3",
     "PROJECT a, a + 1 AS y, (a + 1) * 2 AS y * 2\n"
     "  FILTER a > 3\n"
     "    SCAN t (a, b, c, d, e)\n",
     "x:integer y:integer y * 2:integer"},
    {"select * exclude (a, d), a as z from t",
     "SCAN t (a, b, c, d, e)\n",
     "b:varchar c:decimal(15,2) e:double z:integer"},
    {"select * replace (a + 1 as a) rename (b as bb) from t",
     "PROJECT a#0 + 1 AS a#5, b, c, d, e\n"
     "  SCAN t (a#0, b, c, d, e)\n",
     "a:integer bb:varchar c:decimal(15,2) d:date e:double"},
    {"from t",
     "SCAN t (a, b, c, d, e)\n",
     "a:integer b:varchar c:decimal(15,2) d:date e:double"},
    {"select a, sum(c) from t group by a",
     "AGGREGATE sum(c) AS sum GROUP BY a\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a:integer sum:decimal(38,2)"},
    {"select a + 1, sum(c) from t group by a + 1 having sum(c) > 3 order by a + 1",
     "SORT a + 1\n"
     "  FILTER sum > 3.00\n"
     "    AGGREGATE sum(c) AS sum GROUP BY a + 1 AS a + 1\n"
     "      SCAN t (a, b, c, d, e)\n",
     "a + 1:integer sum:decimal(38,2)"},
    {"select a + 1 as k, sum(c) s from t group by k order by s, max(c)",
     "SORT sum, max\n"
     "  AGGREGATE sum(c) AS sum, max(c) AS max GROUP BY a + 1 AS k\n"
     "    SCAN t (a, b, c, d, e)\n",
     "k:integer s:decimal(38,2)"},
    {"select b, count(*) from t group by 1 order by 2",
     "SORT count\n"
     "  AGGREGATE count(*) AS count GROUP BY b\n"
     "    SCAN t (a, b, c, d, e)\n",
     "b:varchar count:bigint"},
    {"select b, a, sum(c) from t group by all",
     "AGGREGATE sum(c) AS sum GROUP BY b, a\n"
     "  SCAN t (a, b, c, d, e)\n",
     "b:varchar a:integer sum:decimal(38,2)"},
    {"select b, (select max(x) from u) m, sum(c) from t group by all",
     "AGGREGATE sum(c) AS sum GROUP BY b, max\n"
     "  SINGLE JOIN\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    AGGREGATE max(x) AS max\n"
     "      SCAN u (a#5, x, y)\n",
     "b:varchar m:integer sum:decimal(38,2)"},
    {"select count(*) from t having count(*) > 1",
     "FILTER count > 1\n"
     "  AGGREGATE count(*) AS count\n"
     "    SCAN t (a, b, c, d, e)\n",
     "count:bigint"},
    {"select sum(c) / count(c), sum(c) from t",
     "PROJECT CAST(sum AS double) / CAST(count AS double) AS sum(c) / count(c), sum\n"
     "  AGGREGATE sum(c) AS sum, count(c) AS count\n"
     "    SCAN t (a, b, c, d, e)\n",
     "sum(c) / count(c):double sum:decimal(38,2)"},
    {"select count(distinct b) filter (where a > 1), min(b order by d desc) from t",
     "AGGREGATE count(DISTINCT b) FILTER (WHERE a > 1) AS count, min(b ORDER BY d DESC) AS min\n"
     "  SCAN t (a, b, c, d, e)\n",
     "count:bigint min:varchar"},
    {"select a from t group by a having exists (select 1 from u where u.a = t.a)",
     "FILTER exists\n"
     "  DEPENDENT MARK JOIN exists\n"
     "    AGGREGATE GROUP BY a#0\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "    PROJECT 1 AS 1\n"
     "      FILTER a#5 = a#0\n"
     "        SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a, sum(c) s from t group by a having s > 1",
     "FILTER sum > 1.00\n"
     "  AGGREGATE sum(c) AS sum GROUP BY a\n"
     "    SCAN t (a, b, c, d, e)\n",
     "a:integer s:decimal(38,2)"},
    {"select a % 2 as p, sum(a) from t group by p, a % 2",
     "AGGREGATE sum(a) AS sum GROUP BY a % 2 AS p\n"
     "  SCAN t (a, b, c, d, e)\n",
     "p:integer sum:bigint"},
    {"select distinct a, b from t order by b",
     "SORT b\n"
     "  AGGREGATE GROUP BY a, b\n"
     "    SCAN t (a, b, c, d, e)\n",
     "a:integer b:varchar"},
    {"select distinct on (a) a, b, c from t order by a, d desc",
     "SORT a, d#7 DESC\n"
     "  AGGREGATE first(b#1 ORDER BY a, d#3 DESC) AS b#5, first(c#2 ORDER BY a, d#3 DESC) AS c#6, first(d#3 ORDER BY a, d#3 DESC) AS d#7 GROUP BY a\n"
     "    SCAN t (a, b#1, c#2, d#3, e)\n",
     "a:integer b:varchar c:decimal(15,2)"},
    {"select a from t order by c nulls first, d desc nulls last, 1 offset 3",
     "SORT c NULLS FIRST, d DESC NULLS LAST, a OFFSET 3\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a:integer"},
    {"select b from t order by all desc",
     "SORT b DESC\n"
     "  SCAN t (a, b, c, d, e)\n",
     "b:varchar"},
    {"select a from t limit null",
     "SCAN t (a, b, c, d, e)\n",
     "a:integer"},
    {"select a from t limit 1 + 1 offset 2",
     "LIMIT 2 OFFSET 2\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a:integer"},
    {"select a, 'x', null from t",
     "PROJECT a, 'x' AS 'x', NULL AS null\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a:integer 'x':varchar null:varchar"},
    {"select a, b, sum(c), grouping(a, b) from t group by rollup (a, b)",
     "PROJECT a#5, b#6, sum, CASE WHEN grouping_set = 0 THEN 3 WHEN grouping_set = 1 THEN 1 WHEN grouping_set = 2 THEN 0 ELSE NULL END AS grouping\n"
     "  FILTER rows > 0 OR grouping_set = 0\n"
     "    AGGREGATE sum(c) FILTER (WHERE present) AS sum, count(present) AS rows GROUP BY CASE WHEN grouping_set = 1 OR grouping_set = 2 THEN a#0 ELSE NULL END AS a#5, CASE WHEN grouping_set = 2 THEN b#1 ELSE NULL END AS b#6, grouping_set\n"
     "      LEFT JOIN\n"
     "        VALUES (grouping_set), 3 rows\n"
     "        PROJECT a#0, b#1, c, d, e, true AS present\n"
     "          SCAN t (a#0, b#1, c, d, e)\n",
     "a:integer b:varchar sum:decimal(38,2) grouping:integer"},
    {"select a, b || 'x', count(*) from t group by a, grouping sets ((b || 'x'), (b))",
     "AGGREGATE count(*) AS count GROUP BY a#0 AS a#5, CASE WHEN grouping_set = 0 THEN b#1 || 'x' ELSE NULL END AS b || 'x', CASE WHEN grouping_set = 1 THEN b#1 ELSE NULL END AS b#7, grouping_set\n"
     "  CROSS JOIN\n"
     "    SCAN t (a#0, b#1, c, d, e)\n"
     "    VALUES (grouping_set), 2 rows\n",
     "a:integer b || 'x':varchar count:bigint"},
    {"select a, b, count(*) from t group by grouping sets ((a), (b)) order by grouping(a)",
     "SORT sort_key\n"
     "  PROJECT a#5, b#6, count, CASE WHEN grouping_set = 0 THEN 0 WHEN grouping_set = 1 THEN 1 ELSE NULL END AS sort_key\n"
     "    AGGREGATE count(*) AS count GROUP BY CASE WHEN grouping_set = 0 THEN a#0 ELSE NULL END AS a#5, CASE WHEN grouping_set = 1 THEN b#1 ELSE NULL END AS b#6, grouping_set\n"
     "      CROSS JOIN\n"
     "        SCAN t (a#0, b#1, c, d, e)\n"
     "        VALUES (grouping_set), 2 rows\n",
     "a:integer b:varchar count:bigint"},
};

/* set operations, VALUES, WITH */
static const bind_case queries[] = {
    {"select 1 union select 2.5 union all select null",
     "UNION ALL (1#6) OF (1#4), (null)\n"
     "  UNION (1#4) OF (1#2), (2.5#3)\n"
     "    PROJECT CAST(1#0 AS decimal(11,1)) AS 1#2\n"
     "      PROJECT 1 AS 1#0\n"
     "        ONE ROW\n"
     "    PROJECT CAST(2.5#1 AS decimal(11,1)) AS 2.5#3\n"
     "      PROJECT 2.5 AS 2.5#1\n"
     "        ONE ROW\n"
     "  PROJECT NULL AS null\n"
     "    ONE ROW\n",
     "1:decimal(11,1)"},
    {"select a from t union all select x from u order by a desc limit 2",
     "SORT a#8 DESC LIMIT 2\n"
     "  UNION ALL (a#8) OF (a#0), (x)\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a, 'x' from t union select x, null from u union select k, 'y' from v",
     "UNION (a#16, 'x'#17) OF (a#11, 'x'#12), (x#13, null), (k, 'y')\n"
     "  PROJECT CAST(a#0 AS bigint) AS a#11, 'x' AS 'x'#12\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "  PROJECT CAST(x#6 AS bigint) AS x#13, NULL AS null\n"
     "    SCAN u (a#5, x#6, y)\n"
     "  PROJECT k, 'y' AS 'y'\n"
     "    SCAN v (k, ts, flag)\n",
     "a:bigint 'x':varchar"},
    {"select a from t except select x from u except all select k from v",
     "EXCEPT ALL (a#13) OF (a#12), (k)\n"
     "  PROJECT CAST(a#11 AS bigint) AS a#12\n"
     "    EXCEPT (a#11) OF (a#0), (x)\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "      SCAN u (a#5, x, y)\n"
     "  SCAN v (k, ts, flag)\n",
     "a:bigint"},
    {"(select a from t order by c limit 1) union all (select x from u)",
     "UNION ALL (a#8) OF (a#0), (x)\n"
     "  SORT c LIMIT 1\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "  SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"values (1, 'x'), (2.5, null) order by 1",
     "SORT column1\n"
     "  VALUES (column1, column2), 2 rows\n",
     "column1:decimal(11,1) column2:varchar"},
    {"values ((select max(a) from t)), (2)",
     "UNION ALL (column1#6) OF (column1#7), (column1#8)\n"
     "  PROJECT max AS column1#7\n"
     "    SINGLE JOIN\n"
     "      ONE ROW\n"
     "      AGGREGATE max(a) AS max\n"
     "        SCAN t (a, b, c, d, e)\n"
     "  PROJECT 2 AS column1#8\n"
     "    ONE ROW\n",
     "column1:integer"},
    {"select * from (values (1, date '2020-01-01')) v(p, q)",
     "VALUES (column1, column2), 1 row\n",
     "p:integer q:date"},
    {"with w as (select a from t) select * from w",
     "PROJECT a#0 AS a#5\n"
     "  SCAN t (a#0, b, c, d, e)\n",
     "a:integer"},
    {"with w as (select a from t) select * from w x, w y where x.a = y.a",
     "FILTER a#5 = a#6\n"
     "  CROSS JOIN\n"
     "    SHARED 0 w (a#0 AS a#5)\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "    SHARED 0 w (a#0 AS a#6)\n",
     "a:integer a:integer"},
    {"with w as materialized (select a from t) select * from w",
     "SHARED 0 w (a#0 AS a#5)\n"
     "  SCAN t (a#0, b, c, d, e)\n",
     "a:integer"},
    {"with w as not materialized (select a from t) select w.a, z.a from w, w z",
     "CROSS JOIN\n"
     "  SCAN t (a#0, b#1, c#2, d#3, e#4)\n"
     "  SCAN t (a#5, b#6, c#7, d#8, e#9)\n",
     "a:integer a:integer"},
    {"with w as (select a from t), z as (select max(a) m from w) select a from w where a = (select m from z)",
     "FILTER a#7 = m\n"
     "  SINGLE JOIN\n"
     "    SHARED 0 w (a#0 AS a#7)\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "    PROJECT max AS m\n"
     "      AGGREGATE max(a#5) AS max\n"
     "        SHARED 0 w (a#0 AS a#5)\n",
     "a:integer"},
    {"select a from t where a in (with w as (select x from u where u.a = t.a) select x from w)",
     "FILTER in\n"
     "  DEPENDENT MARK JOIN in NULL-AWARE ON a#0 = x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    FILTER a#5 = a#0\n"
     "      SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"with w(p) as (select a from t) select p from w",
     "PROJECT a AS p\n"
     "  SCAN t (a, b, c, d, e)\n",
     "p:integer"},
    {"select 1, ts from v union values (null, '2020-01-01')",
     "UNION (1#8, ts#9) OF (1#3, ts#1), (column1#6, column2#7)\n"
     "  PROJECT 1 AS 1#3, ts#1\n"
     "    SCAN v (k, ts#1, flag)\n"
     "  PROJECT NULL AS column1#6, timestamp '2020-01-01 00:00:00' AS column2#7\n"
     "    VALUES (column1#4, column2#5), 1 row\n",
     "1:integer ts:timestamp"},
    {"select a as x, b from t union by name select k as x, 'z' as q from v",
     "UNION (x#12, b#13, q#14) OF (x#8, b#1, q#9), (k, b#10, q#11)\n"
     "  PROJECT CAST(a AS bigint) AS x#8, b#1, NULL AS q#9\n"
     "    SCAN t (a, b#1, c, d, e)\n"
     "  PROJECT k, NULL AS b#10, 'z' AS q#11\n"
     "    SCAN v (k, ts, flag)\n",
     "x:bigint b:varchar q:varchar"},
    {"select 1, ts from v union values (null, '2020-01-01'), (2, null)",
     "UNION (1#6, ts#7) OF (1#3, ts#1), (column1, column2)\n"
     "  PROJECT 1 AS 1#3, ts#1\n"
     "    SCAN v (k, ts#1, flag)\n"
     "  VALUES (column1, column2), 2 rows\n",
     "1:integer ts:timestamp"},
};

/* subqueries in expressions */
static const bind_case subqueries[] = {
    {"select (select max(x) from u where u.a = t.a) m from t",
     "DEPENDENT SINGLE JOIN\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  AGGREGATE max(x) AS max\n"
     "    FILTER a#5 = a#0\n"
     "      SCAN u (a#5, x, y)\n",
     "m:integer"},
    {"select a from t where c > (select avg(c) from t i where i.b = t.b)",
     "FILTER CAST(c#2 AS decimal(38,6)) > avg\n"
     "  DEPENDENT SINGLE JOIN\n"
     "    SCAN t (a#0, b#1, c#2, d#3, e#4)\n"
     "    AGGREGATE avg(c#7) AS avg\n"
     "      FILTER b#6 = b#1\n"
     "        SCAN t i (a#5, b#6, c#7, d#8, e#9)\n",
     "a:integer"},
    {"select a from t where a in (select x from u)",
     "FILTER in\n"
     "  MARK JOIN in NULL-AWARE ON a#0 = x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where a not in (select x from u where u.y = t.b)",
     "FILTER NOT in\n"
     "  DEPENDENT MARK JOIN in NULL-AWARE ON a#0 = x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    FILTER y = b\n"
     "      SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where (a, b) in (select a, y from u)",
     "FILTER in\n"
     "  MARK JOIN in NULL-AWARE ON a#0 = a#5 AND b = y\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where (a, b) = (select a, y from u limit 1)",
     "FILTER a#0 = a#5 AND b = y\n"
     "  SINGLE JOIN\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    LIMIT 1\n"
     "      SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where a > any (select x from u)",
     "FILTER any\n"
     "  MARK JOIN any NULL-AWARE ON a#0 > x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where a <= all (select x from u)",
     "FILTER NOT any\n"
     "  MARK JOIN any NULL-AWARE ON a#0 > x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select a from t where a = any ([1, 2, 3]) or a <> all ([4, 5])",
     "FILTER a = 1 OR a = 2 OR a = 3 OR a <> 4 AND a <> 5\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a:integer"},
    {"select a from t where not exists (select 1 from u where u.a = t.a and exists (select 1 from v where v.k = t.a and v.k = u.x))",
     "FILTER NOT exists#14\n"
     "  DEPENDENT MARK JOIN exists#14\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    PROJECT 1 AS 1#13\n"
     "      FILTER a#5 = a#0 AND exists#12\n"
     "        DEPENDENT MARK JOIN exists#12\n"
     "          SCAN u (a#5, x, y)\n"
     "          PROJECT 1 AS 1#11\n"
     "            FILTER k = CAST(a#0 AS bigint) AND k = CAST(x AS bigint)\n"
     "              SCAN v (k, ts, flag)\n",
     "a:integer"},
    {"select (select (select t.a + u.x + max(k) from v) from u limit 1) from t",
     "DEPENDENT SINGLE JOIN\n"
     "  SCAN t (a#0, b, c, d, e)\n"
     "  LIMIT 1\n"
     "    DEPENDENT SINGLE JOIN\n"
     "      SCAN u (a#5, x, y)\n"
     "      PROJECT CAST(a#0 + x AS bigint) + max AS t.a + u.x + max(k)\n"
     "        AGGREGATE max(k) AS max\n"
     "          SCAN v (k, ts, flag)\n",
     "(select (select t.a + u.x + max(k) from v) from u limit 1):bigint"},
    {"select (select sum(t.a) from u limit 1) from t",
     "DEPENDENT SINGLE JOIN\n"
     "  AGGREGATE sum(a#0) AS sum#8\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "  LIMIT 1\n"
     "    PROJECT sum#8 AS sum#9\n"
     "      SCAN u (a#5, x, y)\n",
     "sum:bigint"},
    {"select a, (select count(*) from u where u.a = t.a) n, sum(c) from t group by a",
     "DEPENDENT SINGLE JOIN\n"
     "  AGGREGATE sum(c) AS sum GROUP BY a#0\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "  AGGREGATE count(*) AS count\n"
     "    FILTER a#5 = a#0\n"
     "      SCAN u (a#5, x, y)\n",
     "a:integer n:bigint sum:decimal(38,2)"},
    {"select a from t order by (select max(x) from u where u.a = t.a)",
     "SORT max\n"
     "  DEPENDENT SINGLE JOIN\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    AGGREGATE max(x) AS max\n"
     "      FILTER a#5 = a#0\n"
     "        SCAN u (a#5, x, y)\n",
     "a:integer"},
    {"select case when a in (select x from u) then 1 else 0 end from t",
     "PROJECT CASE WHEN in THEN 1 ELSE 0 END AS case\n"
     "  MARK JOIN in NULL-AWARE ON a#0 = x\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#5, x, y)\n",
     "case:integer"},
    {"select a, sum(c) > (select max(x) from u) from t group by a",
     "PROJECT a#0, sum > CAST(max AS decimal(38,2)) AS sum(c) > (select max(x) from u)\n"
     "  SINGLE JOIN\n"
     "    AGGREGATE sum(c) AS sum GROUP BY a#0\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "    AGGREGATE max(x) AS max\n"
     "      SCAN u (a#6, x, y)\n",
     "a:integer sum(c) > (select max(x) from u):boolean"},
    {"select sum((select max(x) from u where u.a = t.a)) from t",
     "AGGREGATE sum(max) AS sum\n"
     "  DEPENDENT SINGLE JOIN\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    AGGREGATE max(x) AS max\n"
     "      FILTER a#5 = a#0\n"
     "        SCAN u (a#5, x, y)\n",
     "sum:bigint"},
    {"select a + 1 k from t group by a + 1 having max(a) in (select x from u)",
     "FILTER in\n"
     "  MARK JOIN in NULL-AWARE ON max = x\n"
     "    AGGREGATE max(a#0) AS max GROUP BY a#0 + 1 AS a + 1\n"
     "      SCAN t (a#0, b, c, d, e)\n"
     "    SCAN u (a#7, x, y)\n",
     "k:integer"},
    {"select a in (select null), (a, b) in (select x, 'q' from u) from t",
     "MARK JOIN in#11 NULL-AWARE ON a#0 = x AND b = 'q'\n"
     "  MARK JOIN in#6 NULL-AWARE ON a#0 = null\n"
     "    SCAN t (a#0, b, c, d, e)\n"
     "    PROJECT NULL AS null\n"
     "      ONE ROW\n"
     "  PROJECT x, 'q' AS 'q'\n"
     "    SCAN u (a#7, x, y)\n",
     "a in (select null):boolean (a, b) in (select x, 'q' from u):boolean"},
};

/* expressions and their types */
static const bind_case expressions[] = {
    {"select 1, 3000000000, 99999999999999999999, 0.05, 1.50, 5e-2, true, 'x', null, x'0a'",
     "PROJECT 1 AS 1, 3000000000 AS 3000000000, 99999999999999999999 AS 99999999999999999999, 0.05 AS 0.05, 1.50 AS 1.50, 0.05 AS 5e-2, true AS true, 'x' AS 'x', NULL AS null, blob '\\x0a' AS x'0a'\n"
     "  ONE ROW\n",
     "1:integer 3000000000:bigint 99999999999999999999:decimal(20,0) 0.05:decimal(2,2) 1.50:decimal(3,2) 5e-2:double true:boolean 'x':varchar null:varchar x'0a':blob"},
    {"select a + 1, a / 2, c * 2, c / 3, -a, a % 2, e * c from t",
     "PROJECT a + 1 AS a + 1, a / 2 AS a / 2, c * 2 AS c * 2, CAST(c AS double) / 3 AS c / 3, -a AS -a, a % 2 AS a % 2, e * CAST(c AS double) AS e * c\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a + 1:integer a / 2:integer c * 2:decimal(25,2) c / 3:double -a:integer a % 2:integer e * c:double"},
    {"select a = 1, b < 'x', c >= 1.5, d = '2020-01-01', d < ts, a is distinct from 3, a is not distinct from null from t, v",
     "PROJECT a = 1 AS a = 1, b < 'x' AS b < 'x', c >= 1.50 AS c >= 1.5, d = date '2020-01-01' AS d = '2020-01-01', CAST(d AS timestamp) < ts AS d < ts, a IS DISTINCT FROM 3 AS a is distinct from 3, a IS NOT DISTINCT FROM NULL AS a is not distinct from null\n"
     "  CROSS JOIN\n"
     "    SCAN t (a, b, c, d, e)\n"
     "    SCAN v (k, ts, flag)\n",
     "a = 1:boolean b < 'x':boolean c >= 1.5:boolean d = '2020-01-01':boolean d < ts:boolean a is distinct from 3:boolean a is not distinct from null:boolean"},
    {"select a between 1 and 5, a not between 1 and c, a between symmetric 5 and 1 from t",
     "PROJECT a >= 1 AND a <= 5 AS a between 1 and 5, NOT (a >= 1 AND CAST(a AS decimal(15,2)) <= c) AS a not between 1 and c, a >= 5 AND a <= 1 OR a >= 1 AND a <= 5 AS a between symmetric 5 and 1\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a between 1 and 5:boolean a not between 1 and c:boolean a between symmetric 5 and 1:boolean"},
    {"select a in (1, 2), a in (1, 2, 3), a in (1, 2.5, 3), a not in (1, null, 2, 3), b in ('x', b, 'y', 'z') from t",
     "PROJECT a = 1 OR a = 2 AS a in (1, 2), a IN (1, 2, 3) AS a in (1, 2, 3), CAST(a AS decimal(11,1)) IN (1.0, 2.5, 3.0) AS a in (1, 2.5, 3), NOT (a IN (1, 2, 3) OR a = NULL) AS a not in (1, null, 2, 3), b IN ('x', 'y', 'z') OR b = b AS b in ('x', b, 'y', 'z')\n"
     "  SCAN t (a, b, c, d, e)\n",
     "a in (1, 2):boolean a in (1, 2, 3):boolean a in (1, 2.5, 3):boolean a not in (1, null, 2, 3):boolean b in ('x', b, 'y', 'z'):boolean"},
    {"select b like 'x%', b not like '%y' from t",
     "PROJECT like(b, 'x%') AS b like 'x%', NOT like(b, '%y') AS b not like '%y'\n"
     "  SCAN t (a, b, c, d, e)\n",
     "b like 'x%':boolean b not like '%y':boolean"},
    {"select flag is true, flag is not true, flag is false, ts is null, flag is not unknown from v",
     "PROJECT flag IS NOT DISTINCT FROM true AS flag is true, flag IS DISTINCT FROM true AS flag is not true, flag IS NOT DISTINCT FROM false AS flag is false, ts IS NULL AS ts is null, flag IS NOT NULL AS flag is not unknown\n"
     "  SCAN v (k, ts, flag)\n",
     "flag is true:boolean flag is not true:boolean flag is false:boolean ts is null:boolean flag is not unknown:boolean"},
    {"select flag and k > 1 and not flag or k < 0 from v",
     "PROJECT flag AND k > 1 AND NOT flag OR k < 0 AS flag and k > 1 and not flag or k < 0\n"
     "  SCAN v (k, ts, flag)\n",
     "flag and k > 1 and not flag or k < 0:boolean"},
    {"select (a, b) < (1, 'x'), (a, b) <> (2, 'y'), (a, b) is distinct from (3, null), (a, b) is null from t",
     "PROJECT a < 1 OR a = 1 AND b < 'x' AS (a, b) < (1, 'x'), a <> 2 OR b <> 'y' AS (a, b) <> (2, 'y'), a IS DISTINCT FROM 3 OR b IS DISTINCT FROM NULL AS (a, b) is distinct from (3, null), a IS NULL AND b IS NULL AS (a, b) is null\n"
     "  SCAN t (a, b, c, d, e)\n",
     "(a, b) < (1, 'x'):boolean (a, b) <> (2, 'y'):boolean (a, b) is distinct from (3, null):boolean (a, b) is null:boolean"},
    {"select case a when 1 then 'x' when 2 then b end, case when a > 1 then 1 when a > 0 then 2.5 else null end from t",
     "PROJECT CASE WHEN a = 1 THEN 'x' WHEN a = 2 THEN b ELSE NULL END AS case#5, CASE WHEN a > 1 THEN 1.0 WHEN a > 0 THEN 2.5 ELSE NULL END AS case#6\n"
     "  SCAN t (a, b, c, d, e)\n",
     "case:varchar case:decimal(11,1)"},
    {"select coalesce(null, a, 2.5), nullif(a, 0), if(a > 1, 'x'), ifnull(b, 'none') from t",
     "PROJECT coalesce(NULL, CAST(a AS decimal(11,1)), 2.5) AS coalesce, CASE WHEN a = 0 THEN NULL ELSE a END AS nullif, CASE WHEN a > 1 THEN 'x' ELSE NULL END AS if, coalesce(b, 'none') AS ifnull\n"
     "  SCAN t (a, b, c, d, e)\n",
     "coalesce:decimal(11,1) nullif:integer if:varchar ifnull:varchar"},
    {"select cast(a as bigint), a::varchar, try_cast('x' as integer), '12'::integer, cast('1.25' as decimal(10, 1)) from t",
     "PROJECT CAST(a#0 AS bigint) AS a#5, CAST(a#0 AS varchar) AS a#6, NULL AS integer#7, 12 AS integer#8, 1.3 AS decimal\n"
     "  SCAN t (a#0, b, c, d, e)\n",
     "a:bigint a:varchar integer:integer integer:integer decimal:decimal(10,1)"},
    {"select date '1998-12-01' - interval '90' day, d + interval '3' month, d - 3, d - date '2020-01-01' from t",
     "PROJECT timestamp '1998-12-01 00:00:00' - interval '90 days' AS date '1998-12-01' - interval '90' day, CAST(d AS timestamp) + interval '3 mons' AS d + interval '3' month, d - 3 AS d - 3, d - date '2020-01-01' AS d - date '2020-01-01'\n"
     "  SCAN t (a, b, c, d, e)\n",
     "date '1998-12-01' - interval '90' day:timestamp d + interval '3' month:timestamp d - 3:date d - date '2020-01-01':integer"},
    {"select interval '1-2' year to month, interval 2 day, interval (a) hour, interval '1 day 2 hours', interval '3' quarter from t",
     "PROJECT interval '1 year 2 mons' AS interval '1-2' year to month, interval '2 days' AS interval 2 day, CAST(a AS double) * interval '01:00:00' AS interval (a) hour, interval '1 day 02:00:00' AS interval '1 day 2 hours', interval '9 mons' AS interval '3' quarter\n"
     "  SCAN t (a, b, c, d, e)\n",
     "interval '1-2' year to month:interval interval 2 day:interval interval (a) hour:interval interval '1 day 2 hours':interval interval '3' quarter:interval"},
    {"select now(), current_date, current_timestamp, localtimestamp, typeof(a + 1.5) from t",
     "PROJECT timestamp with time zone '2024-03-15 12:30:00+00' AS now, date '2024-03-15' AS current_date, timestamp with time zone '2024-03-15 12:30:00+00' AS current_timestamp, timestamp '2024-03-15 12:30:00' AS localtimestamp, 'decimal(12,1)' AS typeof\n"
     "  SCAN t (a, b, c, d, e)\n",
     "now:timestamp with time zone current_date:date current_timestamp:timestamp with time zone localtimestamp:timestamp typeof:varchar"},
    {"select extract(year from d), substring(b from 1 for 2), count(*) over_all from t group by all",
     "AGGREGATE count(*) AS count GROUP BY date_part('year', d) AS extract, substring(b, 1, 2) AS substring\n"
     "  SCAN t (a, b, c, d, e)\n",
     "extract:bigint substring:varchar over_all:bigint"},
};

/* clang-format on */

static void print_columns(arb_text *out, const arb_logical_plan *plan)
{
    for (size_t i = 0; i < plan->column_count; i++) {
        if (i != 0)
            arb_text_append_char(out, ' ');
        arb_text_append_str(out, plan->names[i]);
        arb_text_append_char(out, ':');
        arb_type_print(out, plan->columns[i].expr->type);
    }
}

static void expect_text(const char *sql, const arb_text *given, const char *expected)
{
    if (!arb_str_equal(arb_text_view(given), arb_str_of(expected)))
        fail_msg("%s gives\n%s\nbut not\n%s", sql, given->data != NULL ? given->data : "", expected);
}

static void check(const bind_case *cases, size_t count)
{
    bind_test test = bind_test_create();
    bind_test_add_view(test.catalog, "vw", "select a, count(*) as n from t group by a");
    for (size_t i = 0; i < count; i++) {
        arb_arena arena = {0};
        arb_query query;
        arb_bound_statement bound;
        arb_error error;
        arb_text text = {0};
        arb_str sql = arb_str_of(cases[i].sql);
        if (bind_test_bind(&test, &arena, sql, &query, &bound, &error) != ARB_OK)
            fail_msg("%s: %s at %lld", cases[i].sql, error.message, (long long)error.position);
        arb_logical_print(&text, &query, bound.plan.root);
        expect_text(cases[i].sql, &text, cases[i].plan);
        arb_text_clear(&text);
        print_columns(&text, &bound.plan);
        expect_text(cases[i].sql, &text, cases[i].columns);
        if (arb_logical_validate(&query, bound.plan.root, NULL, &error) != ARB_OK)
            fail_msg("%s: %s", cases[i].sql, error.message);
        arb_text_reset(&text);
        arb_arena_reset(&arena);
    }
    bind_test_destroy(&test);
}

static void joins_are_bound(void **state)
{
    (void)state;
    check(joins, ARB_COUNT_OF(joins));
}

static void selects_are_bound(void **state)
{
    (void)state;
    check(selects, ARB_COUNT_OF(selects));
}

static void queries_are_bound(void **state)
{
    (void)state;
    check(queries, ARB_COUNT_OF(queries));
}

static void subqueries_are_bound(void **state)
{
    (void)state;
    check(subqueries, ARB_COUNT_OF(subqueries));
}

static void expressions_are_bound(void **state)
{
    (void)state;
    check(expressions, ARB_COUNT_OF(expressions));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_are_bound),       cmocka_unit_test(selects_are_bound),
        cmocka_unit_test(queries_are_bound),     cmocka_unit_test(subqueries_are_bound),
        cmocka_unit_test(expressions_are_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
