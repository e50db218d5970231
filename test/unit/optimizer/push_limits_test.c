/* push_limits_test.c: limits become top-N sorts or reach scans; sorts that nobody sees go. */
#include "plan_builder.h"

static const arb_logical *sort(builder *b, const arb_logical *child, const char *column)
{
    arb_sort_key key = {.expr = col(b, column), .descending = true, .nulls_first = true};
    return arb_logical_sort(&b->query, child, &key, 1);
}

static void test_limits(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "push_limits");
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int, k int"), "t");
    const arb_logical *u = scan(&b, table(&b, "u", 1000, "x int"), "u");
    const arb_logical *item = project(&b, sort(&b, t, "a"), "k2", col(&b, "k"));
    expect(&b, arb_logical_limit(&b.query, item, 10, 5), "k2",
           "PROJECT k AS k2\n"
           "  SORT a DESC LIMIT 10 OFFSET 5\n"
           "    SCAN t (a, k)\n");
    expect(&b, arb_logical_limit(&b.query, arb_logical_limit(&b.query, t, 10, 5), 20, 2), "a",
           "LIMIT 8 OFFSET 7\n"
           "  SCAN t (a, k) LIMIT 15\n");
    expect(&b, arb_logical_limit(&b.query, join(&b, ARB_JOIN_LEFT, t, u, same(&b, "a", "x")), 3, 0), "a",
           "LIMIT 3\n"
           "  LEFT JOIN ON a = x\n"
           "    LIMIT 3\n"
           "      SCAN t (a, k) LIMIT 3\n"
           "    SCAN u (x)\n");
    expect(&b, arb_logical_limit(&b.query, join(&b, ARB_JOIN_INNER, t, u, same(&b, "a", "x")), 3, 0), "a",
           "LIMIT 3\n"
           "  INNER JOIN ON a = x\n"
           "    SCAN t (a, k)\n"
           "    SCAN u (x)\n");
    end(&b);
}

static void test_unseen_sorts(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "push_limits");
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int, k int"), "t");
    expect(&b, sort(&b, sort(&b, t, "a"), "k"), "a",
           "SORT k DESC\n"
           "  SCAN t (a, k)\n");
    const arb_logical *top = arb_logical_limit(&b.query, sort(&b, t, "a"), 5, 0);
    expect(&b, aggregate(&b, top, "k", "n", &fn_count, ARB_TYPE(BIGINT), NULL), "n",
           "AGGREGATE count(*) AS n GROUP BY k\n"
           "  SORT a DESC LIMIT 5\n"
           "    SCAN t (a, k)\n");
    expect(&b, aggregate(&b, sort(&b, t, "a"), "", "s", &fn_sum, ARB_TYPE(BIGINT), col(&b, "a")), "s",
           "AGGREGATE sum(a) AS s\n"
           "  SCAN t (a, k)\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits), cmocka_unit_test(test_unseen_sorts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
