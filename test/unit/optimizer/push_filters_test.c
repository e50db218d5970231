/* push_filters_test.c: conditions arrive where their columns come from, and no further than is right. */
#include "plan_builder.h"

static const char t_columns[] = "a int 1 100, k int 1 100, s text 1 10, v? int 1 100";
static const char u_columns[] = "x int 1 100, y int 1 100, z text 1 10, w? int 1 100";

static void start(builder *b, const arb_logical **t, const arb_logical **u)
{
    begin(b);
    only(b, "push_filters");
    *t = scan(b, table(b, "t", 1000, t_columns), "t");
    *u = scan(b, table(b, "u", 1000, u_columns), "u");
}

/* A FROM list with WHERE: one-sided conditions to the scans, the rest into the join; a = x and a = 5 give x = 5. */
static void test_cross_product(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_expr *where =
        AND(&b, same(&b, "a", "x"), eq(&b, col(&b, "a"), num(&b, 5)), compare(&b, col(&b, "y"), ARB_LESS, num(&b, 9)),
            OR(&b, same(&b, "k", "y"), same(&b, "s", "z")));
    expect(&b, filter(&b, cross(&b, t, u), where), "a",
           "INNER JOIN ON a = x AND (k = y OR s = z)\n"
           "  SCAN t (a, k, s, v) WHERE a = 5\n"
           "  SCAN u (x, y, z, w) WHERE y < 9 AND x = 5\n");
    end(&b);
}

/* TPC-H Q7: what an OR over both sides says of each. */
static void test_disjunction(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_expr *one = AND(&b, eq(&b, col(&b, "s"), text(&b, "FRANCE")), eq(&b, col(&b, "z"), text(&b, "GERMANY")));
    const arb_expr *two = AND(&b, eq(&b, col(&b, "s"), text(&b, "GERMANY")), eq(&b, col(&b, "z"), text(&b, "FRANCE")));
    expect(&b, filter(&b, cross(&b, t, u), OR(&b, one, two)), "a",
           "INNER JOIN ON s = 'FRANCE' AND z = 'GERMANY' OR s = 'GERMANY' AND z = 'FRANCE'\n"
           "  SCAN t (a, k, s, v) WHERE s = 'FRANCE' OR s = 'GERMANY'\n"
           "  SCAN u (x, y, z, w) WHERE z = 'GERMANY' OR z = 'FRANCE'\n");
    end(&b);
}

/* A condition on the right side of a LEFT join stays above it, unless NULLs cannot pass: then the join is INNER. */
static void test_outer_join(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_logical *left = join(&b, ARB_JOIN_LEFT, t, u,
                                   AND(&b, same(&b, "a", "x"), compare(&b, col(&b, "y"), ARB_LESS, num(&b, 9)),
                                       compare(&b, col(&b, "k"), ARB_LESS, num(&b, 3))));
    expect(&b, filter(&b, left, AND(&b, arb_expr_is_null(&b.arena, col(&b, "z")), eq(&b, col(&b, "a"), num(&b, 1)))),
           "a",
           "FILTER z IS NULL\n"
           "  LEFT JOIN ON a = x AND k < 3\n"
           "    SCAN t (a, k, s, v) WHERE a = 1\n"
           "    SCAN u (x, y, z, w) WHERE y < 9 AND x = 1\n");
    expect(&b, filter(&b, left, compare(&b, col(&b, "w"), ARB_GREATER, num(&b, 1))), "a",
           "INNER JOIN ON a = x\n"
           "  SCAN t (a, k, s, v) WHERE k < 3\n"
           "  SCAN u (x, y, z, w) WHERE y < 9 AND w > 1\n");
    const arb_logical *full = join(&b, ARB_JOIN_FULL, t, u, same(&b, "a", "x"));
    expect(&b, filter(&b, full, eq(&b, col(&b, "y"), num(&b, 1))), "a",
           "LEFT JOIN ON a = x\n"
           "  SCAN u (x, y, z, w) WHERE y = 1\n"
           "  SCAN t (a, k, s, v)\n");
    expect(&b, join(&b, ARB_JOIN_RIGHT, t, u, AND(&b, same(&b, "a", "x"), eq(&b, col(&b, "k"), num(&b, 1)))), "a",
           "LEFT JOIN ON a = x\n"
           "  SCAN u (x, y, z, w)\n"
           "  SCAN t (a, k, s, v) WHERE k = 1\n");
    end(&b);
}

/* Marks become SEMI and ANTI joins when nobody else reads them. */
static void test_marks(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_logical *in = mark(&b, "m", false, true, t, u, same(&b, "a", "x"));
    const arb_logical *in_null = mark(&b, "n", false, true, t, u, same(&b, "v", "x"));
    expect(&b, filter(&b, in, AND(&b, col(&b, "m"), eq(&b, col(&b, "k"), num(&b, 1)))), "a",
           "SEMI JOIN ON a = x\n"
           "  SCAN t (a, k, s, v) WHERE k = 1\n"
           "  SCAN u (x, y, z, w)\n");
    expect(&b, filter(&b, in, NOT(&b, col(&b, "m"))), "a",
           "ANTI JOIN ON a = x\n"
           "  SCAN t (a, k, s, v)\n"
           "  SCAN u (x, y, z, w)\n");
    expect(&b, filter(&b, in_null, NOT(&b, col(&b, "n"))), "a",
           "ANTI JOIN NULL-AWARE ON v = x\n"
           "  SCAN t (a, k, s, v)\n"
           "  SCAN u (x, y, z, w)\n");
    expect(&b, filter(&b, in, col(&b, "m")), "a m",
           "FILTER m\n"
           "  MARK JOIN m NULL-AWARE ON a = x\n"
           "    SCAN t (a, k, s, v)\n"
           "    SCAN u (x, y, z, w)\n");
    expect(&b, filter(&b, in, OR(&b, col(&b, "m"), eq(&b, col(&b, "k"), num(&b, 1)))), "a",
           "FILTER m OR k = 1\n"
           "  MARK JOIN m NULL-AWARE ON a = x\n"
           "    SCAN t (a, k, s, v)\n"
           "    SCAN u (x, y, z, w)\n");
    end(&b);
}

/* HAVING on a group column goes below the aggregate; without groups nothing does. */
static void test_aggregate(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_logical *groups = aggregate(&b, t, "k", "n", &fn_count, ARB_TYPE(INTEGER), NULL);
    expect(&b, filter(&b, groups, AND(&b, eq(&b, col(&b, "k"), num(&b, 1)), eq(&b, col(&b, "n"), num(&b, 2)))), "n",
           "FILTER n = 2\n"
           "  AGGREGATE count(*) AS n GROUP BY k\n"
           "    SCAN t (a, k, s, v) WHERE k = 1\n");
    const arb_logical *all = aggregate(&b, u, "", "c", &fn_count, ARB_TYPE(INTEGER), NULL);
    expect(&b, filter(&b, all, eq(&b, num(&b, 1), num(&b, 2))), "c",
           "FILTER 1 = 2\n"
           "  AGGREGATE count(*) AS c\n"
           "    SCAN u (x, y, z, w)\n");
    end(&b);
}

/* Through a PROJECT by what its items say, through a set operation by position, not past a LIMIT. */
static void test_projects_sets_limits(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_logical *item =
        project(&b, t, "double", call(&b, &fn_times, ARB_TYPE(INTEGER), col(&b, "a"), num(&b, 2)));
    expect(&b, filter(&b, item, eq(&b, col(&b, "double"), num(&b, 8))), "double",
           "PROJECT a * 2 AS double\n"
           "  SCAN t (a, k, s, v) WHERE a * 2 = 8\n");
    arb_column_id first[] = {id(&b, "a")}, second[] = {id(&b, "x")}, both[] = {make(&b, "both", ARB_TYPE(INTEGER))};
    arb_set_input inputs[] = {{t, first}, {u, second}};
    const arb_logical *set = arb_logical_set(&b.query, ARB_SET_EXCEPT, false, both, 1, inputs, 2);
    expect(&b, filter(&b, set, eq(&b, col(&b, "both"), num(&b, 8))), "both",
           "EXCEPT (both) OF (a), (x)\n"
           "  SCAN t (a, k, s, v) WHERE a = 8\n"
           "  SCAN u (x, y, z, w) WHERE x = 8\n");
    expect(&b, filter(&b, arb_logical_limit(&b.query, t, 3, 0), eq(&b, col(&b, "a"), num(&b, 8))), "a",
           "FILTER a = 8\n"
           "  LIMIT 3\n"
           "    SCAN t (a, k, s, v)\n");
    end(&b);
}

/* 10 / a must not be worked out for rows that a <> 0 keeps from it; random() is asked once a row of the join. */
static void test_what_may_not_move(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_expr *risky = eq(&b, call(&b, &fn_divide, ARB_TYPE(INTEGER), num(&b, 10), col(&b, "a")), num(&b, 2));
    const arb_expr *guard = compare(&b, col(&b, "y"), ARB_NOT_EQUAL, col(&b, "k"));
    const arb_expr *chance = compare(&b, call(&b, &fn_random, ARB_TYPE(INTEGER), NULL, NULL), ARB_LESS, num(&b, 1));
    expect(&b, filter(&b, cross(&b, t, u), AND(&b, guard, risky, chance)), "a",
           "FILTER random() < 1\n"
           "  INNER JOIN ON y <> k AND 10 / a = 2\n"
           "    SCAN t (a, k, s, v)\n"
           "    SCAN u (x, y, z, w)\n");
    expect(&b, filter(&b, cross(&b, t, u), AND(&b, same(&b, "k", "y"), risky)), "a",
           "INNER JOIN ON k = y\n"
           "  SCAN t (a, k, s, v) WHERE 10 / a = 2\n"
           "  SCAN u (x, y, z, w)\n");
    end(&b);
}

/* Conditions inside nests of joins are seen together: b is cut by what is known of a over two equalities. */
static void test_nested_joins(void **state)
{
    (void)state;
    builder b;
    const arb_logical *t, *u;
    start(&b, &t, &u);
    const arb_logical *third = scan(&b, table(&b, "r", 10, "q int 1 10"), "r");
    const arb_logical *inner = join(&b, ARB_JOIN_INNER, u, third, same(&b, "y", "q"));
    const arb_logical *outer = join(&b, ARB_JOIN_INNER, filter(&b, t, compare(&b, col(&b, "a"), ARB_LESS, num(&b, 4))),
                                    inner, same(&b, "a", "y"));
    expect(&b, outer, "a",
           "INNER JOIN ON a = y\n"
           "  SCAN t (a, k, s, v) WHERE a < 4\n"
           "  INNER JOIN ON y = q\n"
           "    SCAN u (x, y, z, w) WHERE y < 4\n"
           "    SCAN r (q) WHERE q < 4\n");
    end(&b);
}

/* What several conditions say of one column is put together; what cannot hold leaves no rows, all the way up. */
static void test_merging(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "simplify push_filters");
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int 1 100, k int 1 100, s text"), "t");
    const arb_logical *u = scan(&b, table(&b, "u", 1000, "x int 1 100"), "u");
    const arb_expr *above = compare(&b, col(&b, "a"), ARB_GREATER, num(&b, 5));
    const arb_expr *from = compare(&b, col(&b, "a"), ARB_GREATER_EQUAL, num(&b, 6));
    const arb_expr *at_most = compare(&b, col(&b, "a"), ARB_LESS_EQUAL, num(&b, 6));
    const arb_expr *below = compare(&b, col(&b, "a"), ARB_LESS, num(&b, 6));
    const arb_expr *other = eq(&b, col(&b, "k"), num(&b, 1));
    const arb_expr *few =
        OR(&b, eq(&b, col(&b, "a"), num(&b, 2)), eq(&b, col(&b, "a"), num(&b, 7)), eq(&b, col(&b, "a"), num(&b, 9)));
    expect(&b, filter(&b, filter(&b, t, above), AND(&b, other, from)), "a",
           "SCAN t (a, k, s) WHERE a >= 6 AND k = 1\n");
    expect(&b, filter(&b, t, AND(&b, from, at_most)), "a", "SCAN t (a, k, s) WHERE a >= 6 AND a <= 6\n");
    expect(&b, filter(&b, t, AND(&b, from, below)), "a", "NO ROWS (a, k, s)\n");
    expect(&b, filter(&b, t, AND(&b, few, above)), "a", "SCAN t (a, k, s) WHERE a = 7 OR a = 9\n");
    expect(&b, filter(&b, t, AND(&b, eq(&b, col(&b, "a"), num(&b, 7)), above)), "a", "SCAN t (a, k, s) WHERE a = 7\n");
    expect(&b, filter(&b, t, AND(&b, few, eq(&b, col(&b, "a"), num(&b, 3)))), "a", "NO ROWS (a, k, s)\n");
    /* a = x, a < 6, x >= 6 */
    const arb_expr *x = compare(&b, col(&b, "x"), ARB_GREATER_EQUAL, num(&b, 6));
    expect(&b,
           aggregate(&b, filter(&b, cross(&b, t, u), AND(&b, same(&b, "a", "x"), below, x)), "a", "n", &fn_count,
                     ARB_TYPE(BIGINT), NULL),
           "a n", "NO ROWS (a, n)\n");
    /* Not where FALSE and NULL differ. */
    expect(&b, filter(&b, t, NOT(&b, AND(&b, from, below))), "a", "SCAN t (a, k, s) WHERE a < 6 OR a >= 6\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merging),
        cmocka_unit_test(test_cross_product),
        cmocka_unit_test(test_disjunction),
        cmocka_unit_test(test_outer_join),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_aggregate),
        cmocka_unit_test(test_projects_sets_limits),
        cmocka_unit_test(test_what_may_not_move),
        cmocka_unit_test(test_nested_joins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
