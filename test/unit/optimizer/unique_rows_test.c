/* unique_rows_test.c: what follows when a plan's shape proves that rows are distinct, and what must not follow. */
#include "plan_builder.h"

static const arb_logical *groups(builder *b, arb_table *t, const char *alias, const char *group)
{
    char *name = arb_arena_alloc(&b->arena, 32), *column = arb_arena_alloc(&b->arena, 32);
    snprintf(name, 32, "n_%s", alias);
    snprintf(column, 32, "%s.%s", alias, group);
    return aggregate(b, scan(b, t, alias), column, name, &fn_count, ARB_TYPE(INTEGER), NULL);
}

/* A scalar that is grouped by what it is joined on is found at most once. */
static void test_single(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unique_rows");
    arb_table *t = table(&b, "t", 1000, "a int 1 10, k int 1 10"), *u = table(&b, "u", 1000, "x int 1 10, y int 1 10");
    const arb_logical *left = scan(&b, t, "t"), *right = groups(&b, u, "g", "x");
    expect(&b, join(&b, ARB_JOIN_SINGLE, left, right, same(&b, "a", "g.x")), "a n_g",
           "LEFT JOIN ON a = g.x\n"
           "  SCAN t (a, k)\n"
           "  AGGREGATE count(*) AS n_g GROUP BY g.x\n"
           "    SCAN u g (g.x, g.y)\n");
    expect(&b, join(&b, ARB_JOIN_SINGLE, left, right, same(&b, "a", "n_g")), "a n_g",
           "SINGLE JOIN ON a = n_g\n"
           "  SCAN t (a, k)\n"
           "  AGGREGATE count(*) AS n_g GROUP BY g.x\n"
           "    SCAN u g (g.x, g.y)\n");
    right = aggregate(&b, scan(&b, u, "all"), "", "most", &fn_max, ARB_TYPE(INTEGER), col(&b, "all.x"));
    expect(&b, join(&b, ARB_JOIN_SINGLE, left, right, NULL), "a most",
           "LEFT JOIN\n"
           "  SCAN t (a, k)\n"
           "  AGGREGATE max(all.x) AS most\n"
           "    SCAN u all (all.x, all.y)\n");
    right = arb_logical_limit(&b.query, scan(&b, u, "first"), 1, 0);
    expect(&b, join(&b, ARB_JOIN_SINGLE, left, right, NULL), "a first.x",
           "LEFT JOIN\n"
           "  SCAN t (a, k)\n"
           "  LIMIT 1\n"
           "    SCAN u first (first.x, first.y)\n");
    end(&b);
}

/* DISTINCT over groups, through renaming, and over a join that keeps each of them once; not over fewer columns. */
static void test_distinct(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "unique_rows");
    arb_table *t = table(&b, "t", 1000, "a int 1 10, k int 1 10"), *u = table(&b, "u", 1000, "x int 1 10, y int 1 10");
    const arb_logical *one = groups(&b, t, "g", "a"), *two = groups(&b, u, "h", "x");
    const arb_logical *renamed = project(&b, one, "key", col(&b, "g.a"));
    expect(&b, aggregate(&b, renamed, "key", "", NULL, ARB_TYPE(NULL), NULL), "key",
           "PROJECT key\n"
           "  PROJECT g.a AS key\n"
           "    AGGREGATE count(*) AS n_g GROUP BY g.a\n"
           "      SCAN t g (g.a, g.k)\n");
    const arb_logical *both = join(&b, ARB_JOIN_INNER, one, two, same(&b, "n_g", "h.x"));
    expect(&b, aggregate(&b, both, "g.a n_h", "", NULL, ARB_TYPE(NULL), NULL), "g.a",
           "PROJECT g.a, n_h\n"
           "  INNER JOIN ON n_g = h.x\n"
           "    AGGREGATE count(*) AS n_g GROUP BY g.a\n"
           "      SCAN t g (g.a, g.k)\n"
           "    AGGREGATE count(*) AS n_h GROUP BY h.x\n"
           "      SCAN u h (h.x, h.y)\n");
    expect(&b, aggregate(&b, both, "n_g n_h", "", NULL, ARB_TYPE(NULL), NULL), "n_g",
           "AGGREGATE GROUP BY n_g, n_h\n"
           "  INNER JOIN ON n_g = h.x\n"
           "    AGGREGATE count(*) AS n_g GROUP BY g.a\n"
           "      SCAN t g (g.a, g.k)\n"
           "    AGGREGATE count(*) AS n_h GROUP BY h.x\n"
           "      SCAN u h (h.x, h.y)\n");
    const arb_logical *repeats = join(&b, ARB_JOIN_INNER, one, two, same(&b, "n_g", "n_h"));
    expect(&b, aggregate(&b, repeats, "g.a", "", NULL, ARB_TYPE(NULL), NULL), "g.a",
           "AGGREGATE GROUP BY g.a\n"
           "  INNER JOIN ON n_g = n_h\n"
           "    AGGREGATE count(*) AS n_g GROUP BY g.a\n"
           "      SCAN t g (g.a, g.k)\n"
           "    AGGREGATE count(*) AS n_h GROUP BY h.x\n"
           "      SCAN u h (h.x, h.y)\n");
    end(&b);
}

/* A LEFT join that nobody looks at goes when it cannot repeat rows. */
static void test_left_join(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "prune_columns");
    arb_table *t = table(&b, "t", 1000, "a int 1 10, k int 1 10"), *u = table(&b, "u", 1000, "x int 1 10, y int 1 10");
    const arb_logical *left = scan(&b, t, "t"), *right = groups(&b, u, "g", "x"), *plain = scan(&b, u, "u");
    expect(&b, join(&b, ARB_JOIN_LEFT, left, right, same(&b, "a", "g.x")), "k", "SCAN t (k)\n");
    expect(&b, join(&b, ARB_JOIN_LEFT, left, right, same(&b, "a", "g.x")), "k n_g",
           "LEFT JOIN ON a = g.x\n"
           "  SCAN t (a, k)\n"
           "  AGGREGATE count(*) AS n_g GROUP BY g.x\n"
           "    SCAN u g (g.x)\n");
    expect(&b, join(&b, ARB_JOIN_LEFT, left, plain, same(&b, "a", "x")), "k",
           "LEFT JOIN ON a = x\n"
           "  SCAN t (a, k)\n"
           "  SCAN u (x)\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_left_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
