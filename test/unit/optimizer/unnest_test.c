/* unnest_test.c: dependent joins of every kind become plain ones that mean the same. */
#include "plan_builder.h"

static const char lineitem[] =
    "l_orderkey int 1 6000000, l_partkey int 1 200000, l_suppkey int 1 10000, l_quantity int 1 50";
static const char part[] = "p_partkey int 1 200000, p_brand text 1 25";

/* TPC-H Q17's subquery: an aggregate over l2.l_partkey = p_partkey. */
static void test_scalar_aggregate(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest");
    arb_table *l = table(&b, "lineitem", 6000000, lineitem), *p = table(&b, "part", 200000, part);
    const arb_logical *left = scan(&b, p, "part");
    const arb_logical *right = filter(&b, scan(&b, l, "l2"), same(&b, "l2.l_partkey", "p_partkey"));
    right = aggregate(&b, right, "", "average", &fn_avg, ARB_TYPE(DOUBLE), col(&b, "l2.l_quantity"));
    expect(&b, dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), "p_partkey average",
           "LEFT JOIN ON p_partkey = l2.l_partkey\n"
           "  SCAN part (p_partkey, p_brand)\n"
           "  AGGREGATE avg(l2.l_quantity) AS average GROUP BY l2.l_partkey\n"
           "    SCAN lineitem l2 (l2.l_orderkey, l2.l_partkey, l2.l_suppkey, l2.l_quantity)\n");
    end(&b);
}

/* The count of no rows is 0, not NULL. */
static void test_count_of_nothing(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest prune_columns");
    arb_table *l = table(&b, "lineitem", 6000000, lineitem), *p = table(&b, "part", 200000, part);
    const arb_logical *left = scan(&b, p, "part");
    const arb_logical *right = filter(&b, scan(&b, l, "lineitem"), same(&b, "l_partkey", "p_partkey"));
    right = aggregate(&b, right, "", "n", &fn_count, ARB_TYPE(BIGINT), NULL);
    expect(&b, dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), "p_brand n",
           "PROJECT p_brand, CASE WHEN found IS NULL THEN 0 ELSE n#12 END AS n#6\n"
           "  LEFT JOIN ON p_partkey = l_partkey#9\n"
           "    SCAN part (p_partkey, p_brand)\n"
           "    PROJECT l_partkey#9, n#12, true AS found\n"
           "      AGGREGATE count(*) AS n#12 GROUP BY l_partkey#9\n"
           "        SCAN lineitem (l_partkey#9)\n");
    end(&b);
}

/* A condition other than an equality below an aggregate needs the domain of outer values. */
static void test_domain(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest prune_columns");
    arb_table *l = table(&b, "lineitem", 6000000, lineitem), *p = table(&b, "part", 200000, part);
    const arb_logical *left = scan(&b, p, "part");
    const arb_logical *right =
        filter(&b, scan(&b, l, "lineitem"), compare(&b, col(&b, "l_partkey"), ARB_LESS, col(&b, "p_partkey")));
    right = aggregate(&b, right, "", "n", &fn_count, ARB_TYPE(BIGINT), NULL);
    expect(&b, dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), "p_brand n",
           "SINGLE JOIN ON p_partkey#0 IS NOT DISTINCT FROM p_partkey#12\n"
           "  SCAN part (p_partkey#0, p_brand#1)\n"
           "  PROJECT coalesce(n#11, 0) AS n#6, p_partkey#12\n"
           "    LEFT JOIN ON p_partkey#12 IS NOT DISTINCT FROM p_partkey#9\n"
           "      AGGREGATE GROUP BY p_partkey#12\n"
           "        SCAN part (p_partkey#12)\n"
           "      AGGREGATE count(*) AS n#11 GROUP BY p_partkey#9\n"
           "        FILTER l_partkey < p_partkey#9\n"
           "          CROSS JOIN\n"
           "            AGGREGATE GROUP BY p_partkey#9\n"
           "              SCAN part (p_partkey#9)\n"
           "            SCAN lineitem (l_partkey)\n");
    end(&b);
}

/* TPC-H Q21: EXISTS with an inequality, and NOT EXISTS. */
static void test_exists(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *l = table(&b, "lineitem", 6000000, lineitem);
    const arb_logical *plan = scan(&b, l, "l1");
    const arb_logical *inner =
        filter(&b, scan(&b, l, "l2"),
               AND(&b, same(&b, "l2.l_orderkey", "l1.l_orderkey"),
                   compare(&b, col(&b, "l2.l_suppkey"), ARB_NOT_EQUAL, col(&b, "l1.l_suppkey"))));
    plan = mark(&b, "m1", true, false, plan, inner, NULL);
    inner = filter(&b, scan(&b, l, "l3"), same(&b, "l3.l_orderkey", "l1.l_orderkey"));
    plan = mark(&b, "m2", true, false, plan, inner, NULL);
    plan = filter(&b, plan, AND(&b, col(&b, "m1"), NOT(&b, col(&b, "m2"))));
    b.options.disabled = (uint32_t)1 << ARB_RULE_ORDER_JOINS;
    expect(&b, plan, "l1.l_quantity",
           "ANTI JOIN ON l3.l_orderkey = l1.l_orderkey\n"
           "  SEMI JOIN ON l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey\n"
           "    SCAN lineitem l1 (l1.l_orderkey, l1.l_suppkey, l1.l_quantity)\n"
           "    SCAN lineitem l2 (l2.l_orderkey, l2.l_suppkey)\n"
           "  SCAN lineitem l3 (l3.l_orderkey)\n");
    end(&b);
}

/* NOT IN with a correlation: only the comparison of IN may make it NULL. */
static void test_correlated_not_in(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *t = table(&b, "t", 100, "a? int 1 10, k? int 1 10"),
              *u = table(&b, "u", 100, "x? int 1 10, y? int 1 10");
    const arb_logical *plan = scan(&b, t, "t");
    const arb_logical *inner = filter(&b, scan(&b, u, "u"), same(&b, "y", "k"));
    plan = filter(&b, mark(&b, "m", true, true, plan, inner, same(&b, "a", "x")), NOT(&b, col(&b, "m")));
    b.options.disabled = (uint32_t)1 << ARB_RULE_ORDER_JOINS;
    expect(&b, plan, "a",
           "ANTI JOIN NULL-AWARE ON a = x AND k IS NOT DISTINCT FROM y\n"
           "  SCAN t (a, k)\n"
           "  SCAN u (x, y) WHERE y IS NOT NULL\n");
    end(&b);
}

/* SELECT a + (SELECT t.a + 1): no join at all. */
static void test_one_row(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest");
    arb_table *t = table(&b, "t", 100, "a int 1 10");
    const arb_logical *left = scan(&b, t, "t");
    const arb_logical *right = project(&b, arb_logical_one_row(&b.query), "more",
                                       call(&b, &fn_add, ARB_TYPE(INTEGER), col(&b, "a"), num(&b, 1)));
    expect(&b, dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), "more",
           "PROJECT a, a + 1 AS more\n"
           "  SCAN t (a)\n");
    end(&b);
}

/* A UNION ALL in the subquery carries the outer value along in both branches. */
static void test_set_operation(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest");
    arb_table *t = table(&b, "t", 100, "a int 1 10"), *u = table(&b, "u", 100, "x int 1 10");
    const arb_logical *left = scan(&b, t, "t");
    const arb_logical *first = filter(&b, scan(&b, u, "u1"), same(&b, "u1.x", "a"));
    const arb_logical *second = scan(&b, u, "u2");
    arb_column_id first_ids[] = {id(&b, "u1.x")}, second_ids[] = {id(&b, "u2.x")}, ids[1];
    ids[0] = make(&b, "x", ARB_TYPE(INTEGER));
    arb_set_input inputs[] = {{first, first_ids}, {second, second_ids}};
    const arb_logical *right = arb_logical_set(&b.query, ARB_SET_UNION, true, ids, 1, inputs, 2);
    expect(&b, dependent(&b, ARB_JOIN_INNER, left, right, NULL), "x",
           "INNER JOIN ON a#0 IS NOT DISTINCT FROM a#7\n"
           "  SCAN t (a#0)\n"
           "  UNION ALL (x, a#7) OF (u1.x, a#5), (u2.x, a#6)\n"
           "    FILTER u1.x = a#5\n"
           "      CROSS JOIN\n"
           "        AGGREGATE GROUP BY a#5\n"
           "          SCAN t (a#5)\n"
           "        SCAN u u1 (u1.x)\n"
           "    CROSS JOIN\n"
           "      AGGREGATE GROUP BY a#6\n"
           "        SCAN t (a#6)\n"
           "      SCAN u u2 (u2.x)\n");
    end(&b);
}

/* LIMIT in EXISTS changes nothing. Elsewhere it counts in groups: of what is equated with outer columns, or of these. */
static void test_limit(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unnest");
    arb_table *t = table(&b, "t", 100, "a int 1 10"), *u = table(&b, "u", 100, "x int 1 10");
    const arb_logical *left = scan(&b, t, "t");
    const arb_logical *right = filter(&b, scan(&b, u, "u"), same(&b, "x", "a"));
    right = arb_logical_limit(&b.query, right, 1, 0);
    expect(&b, dependent(&b, ARB_JOIN_SEMI, left, right, NULL), "a",
           "SEMI JOIN ON x = a\n"
           "  SCAN t (a)\n"
           "  SCAN u (x)\n");
    expect(&b, dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), "x",
           "SINGLE JOIN ON x = a\n"
           "  SCAN t (a)\n"
           "  GROUP LIMIT BY x LIMIT 1\n"
           "    SCAN u (x)\n");
    right = filter(&b, scan(&b, u, "v"), compare(&b, col(&b, "v.x"), ARB_LESS, col(&b, "a")));
    right = arb_logical_limit(&b.query, right, 2, 1);
    expect(&b, dependent(&b, ARB_JOIN_INNER, left, right, NULL), "v.x",
           "INNER JOIN ON a#0 IS NOT DISTINCT FROM a#4\n"
           "  SCAN t (a#0)\n"
           "  GROUP LIMIT BY a#4 LIMIT 2 OFFSET 1\n"
           "    FILTER v.x < a#4\n"
           "      CROSS JOIN\n"
           "        AGGREGATE GROUP BY a#4\n"
           "          SCAN t (a#4)\n"
           "        SCAN u v (v.x)\n");
    end(&b);
}

/* Every allocation of the way fails once: an error each time, never a crash. */
static void test_out_of_memory(void **state)
{
    (void)state;
    for (size_t limit = 4096; limit < 200000; limit += 1024) {
        builder b;
        begin(&b);
        arb_table *l = table(&b, "lineitem", 6000000, lineitem), *p = table(&b, "part", 200000, part);
        const arb_logical *left = scan(&b, p, "part");
        const arb_logical *right =
            filter(&b, scan(&b, l, "lineitem"), compare(&b, col(&b, "l_partkey"), ARB_LESS, col(&b, "p_partkey")));
        right = aggregate(&b, right, "", "n", &fn_count, ARB_TYPE(BIGINT), NULL);
        const arb_logical *plan = dependent(&b, ARB_JOIN_SINGLE, left, right, NULL), *out;
        arb_column_set needed = {0};
        arb_error error = {0};
        assert_true(arb_column_set_add(&b.query, &needed, id(&b, "n")));
        b.arena.limit = b.arena.total + limit - 4096 + 1;
        arb_code code = arb_optimize_with(&b.query, plan, &needed, &b.options, &out, &error);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        end(&b);
        if (code == ARB_OK)
            return;
    }
    fail_msg("never had enough memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar_aggregate),
        cmocka_unit_test(test_count_of_nothing),
        cmocka_unit_test(test_domain),
        cmocka_unit_test(test_exists),
        cmocka_unit_test(test_correlated_not_in),
        cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_set_operation),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
