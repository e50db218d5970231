/* prune_columns_test.c: what nobody uses is neither read nor computed; shared plans are inlined or pruned. */
#include "plan_builder.h"

static void test_nodes(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "prune_columns");
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int, k int, s text"), "t");
    const arb_logical *groups = aggregate(&b, t, "k", "n", &fn_count, ARB_TYPE(BIGINT), NULL);
    expect(&b, groups, "k",
           "AGGREGATE GROUP BY k\n"
           "  SCAN t (k)\n");
    arb_named_expr items[] = {{id(&b, "a"), col(&b, "a")}, {id(&b, "k"), col(&b, "k")}};
    expect(&b, arb_logical_project(&b.query, t, items, 2), "k", "SCAN t (k)\n");
    const arb_logical *u = scan(&b, table(&b, "u", 1000, "x int, y int"), "u");
    expect(&b, join(&b, ARB_JOIN_SEMI, t, u, same(&b, "a", "x")), "s",
           "SEMI JOIN ON a = x\n"
           "  SCAN t (a, s)\n"
           "  SCAN u (x)\n");
    expect(&b, mark(&b, "m", false, false, t, u, same(&b, "a", "x")), "s", "SCAN t (s)\n");
    expect(&b, aggregate(&b, u, "", "c", &fn_count, ARB_TYPE(BIGINT), NULL), "c",
           "AGGREGATE count(*) AS c\n"
           "  SCAN u ()\n");
    end(&b);
}

static void test_shared(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "prune_columns inline_shared");
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int, k int, s text"), "t");
    arb_shared shared = {.name = ARB_STR("totals")};
    shared.plan = aggregate(&b, t, "k", "n", &fn_sum, ARB_TYPE(BIGINT), col(&b, "a"));
    assert_true(ARB_ARENA_PUSH(&b.arena, &b.query.shared, &shared));
    arb_column_id sources[] = {id(&b, "k"), id(&b, "n")};
    arb_column_id first[] = {make(&b, "k1", ARB_TYPE(INTEGER)), make(&b, "n1", ARB_TYPE(BIGINT))};
    arb_column_id second[] = {make(&b, "k2", ARB_TYPE(INTEGER)), make(&b, "n2", ARB_TYPE(BIGINT))};
    const arb_logical *one = arb_logical_shared(&b.query, &shared, first, sources, 2);
    const arb_logical *two = arb_logical_shared(&b.query, &shared, second, sources, 2);
    expect(&b, join(&b, ARB_JOIN_INNER, one, two, same(&b, "k1", "k2")), "k1",
           "INNER JOIN ON k1 = k2\n"
           "  SHARED 0 totals (k AS k1)\n"
           "    AGGREGATE GROUP BY k\n"
           "      SCAN t (k)\n"
           "  SHARED 0 totals (k AS k2)\n");
    shared.plan = aggregate(&b, t, "k", "n", &fn_sum, ARB_TYPE(BIGINT), col(&b, "a"));
    sources[1] = id(&b, "n");
    expect(&b, arb_logical_shared(&b.query, &shared, first, sources, 2), "n1",
           "PROJECT n#8 AS n1\n"
           "  AGGREGATE sum(a) AS n#8 GROUP BY k\n"
           "    SCAN t (a, k)\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nodes), cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
