/* order_joins_test.c: joins of a few shapes, ordered by what statistics say. Estimates are part of the golden text. */
#include "plan_builder.h"

/* A chain of tables like TPC-H's: the filtered small table goes first, each build side is the smaller one. */
static void test_chain(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    b.options.disabled = (uint32_t)1 << ARB_RULE_PRUNE_COLUMNS;
    const arb_logical *l =
        scan(&b, table(&b, "lineitem", 6000000, "l_orderkey int 1 6000000, l_suppkey int 1 10000"), "lineitem");
    const arb_logical *o =
        scan(&b, table(&b, "orders", 1500000, "o_orderkey int 1 6000000, o_custkey int 1 150000"), "orders");
    const arb_logical *c =
        scan(&b, table(&b, "customer", 150000, "c_custkey int 1 150000, c_segment text 1 5"), "customer");
    const arb_expr *where = AND(&b, same(&b, "c_custkey", "o_custkey"), same(&b, "l_orderkey", "o_orderkey"),
                                eq(&b, col(&b, "c_segment"), text(&b, "BUILDING")));
    expect(&b, filter(&b, cross(&b, cross(&b, l, o), c), where), "l_suppkey",
           "INNER JOIN ON l_orderkey = o_orderkey  ~1200000\n"
           "  SCAN lineitem (l_orderkey, l_suppkey)  ~6000000\n"
           "  INNER JOIN ON o_custkey = c_custkey  ~300000\n"
           "    SCAN orders (o_orderkey, o_custkey)  ~1500000\n"
           "    SCAN customer (c_custkey, c_segment) WHERE c_segment = 'BUILDING'  ~30000\n");
    end(&b);
}

/* Equalities over one class: n is joined to c or to s, whichever is better, with both equalities in the end. */
static void test_classes(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    b.options.disabled = (uint32_t)1 << ARB_RULE_PRUNE_COLUMNS;
    const arb_logical *c = scan(&b, table(&b, "c", 150000, "c_key int 1 150000, c_nation int 0 24"), "c");
    const arb_logical *s = scan(&b, table(&b, "s", 10000, "s_key int 1 10000, s_nation int 0 24"), "s");
    const arb_logical *n = scan(&b, table(&b, "n", 25, "n_key int 0 24, n_name text 1 25"), "n");
    const arb_logical *l = scan(&b, table(&b, "l", 6000000, "l_cust int 1 150000, l_supp int 1 10000"), "l");
    const arb_expr *where =
        AND(&b, same(&b, "l_cust", "c_key"), same(&b, "l_supp", "s_key"), same(&b, "c_nation", "s_nation"),
            same(&b, "s_nation", "n_key"), eq(&b, col(&b, "n_name"), text(&b, "CHINA")));
    expect(&b, filter(&b, cross(&b, cross(&b, cross(&b, c, s), n), l), where), "l_supp",
           "INNER JOIN ON c_nation = s_nation AND l_supp = s_key  ~9600\n"
           "  INNER JOIN ON l_cust = c_key  ~240000\n"
           "    SCAN l (l_cust, l_supp)  ~6000000\n"
           "    INNER JOIN ON c_nation = n_key  ~6000\n"
           "      SCAN c (c_key, c_nation)  ~150000\n"
           "      SCAN n (n_key, n_name) WHERE n_name = 'CHINA'  ~1\n"
           "  SCAN s (s_key, s_nation)  ~10000\n");
    end(&b);
}

/* A selective SEMI join moves to the table that it is about; one that keeps all rows waits. */
static void test_semi(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    b.options.disabled = (uint32_t)1 << ARB_RULE_PRUNE_COLUMNS;
    const arb_logical *l = scan(&b, table(&b, "l", 6000000, "l_order int 1 1500000"), "l");
    const arb_logical *o = scan(&b, table(&b, "o", 1500000, "o_key int 1 1500000"), "o");
    const arb_logical *few = scan(&b, table(&b, "few", 100, "f int 1 1500000"), "few");
    const arb_logical *both = join(&b, ARB_JOIN_INNER, l, o, same(&b, "l_order", "o_key"));
    expect(&b, join(&b, ARB_JOIN_SEMI, both, few, same(&b, "o_key", "f")), "l_order",
           "INNER JOIN ON l_order = o_key  ~400\n"
           "  SCAN l (l_order)  ~6000000\n"
           "  SEMI JOIN ON o_key = f  ~100\n"
           "    SCAN o (o_key)  ~1500000\n"
           "    SCAN few (f)  ~100\n");
    end(&b);
}

/* A LEFT join does not hinder the others; what asks for its NULLs is a FILTER above it. */
static void test_left(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    b.options.disabled = (uint32_t)1 << ARB_RULE_PRUNE_COLUMNS;
    const arb_logical *t = scan(&b, table(&b, "t", 1000000, "a int 1 1000000, k int 1 1000"), "t");
    const arb_logical *u = scan(&b, table(&b, "u", 1000000, "x int 1 1000000, y int 1 10"), "u");
    const arb_logical *r = scan(&b, table(&b, "r", 10, "q int 1 1000"), "r");
    const arb_logical *left = join(&b, ARB_JOIN_LEFT, t, u, same(&b, "a", "x"));
    const arb_logical *plan = join(&b, ARB_JOIN_INNER, left, r, same(&b, "k", "q"));
    plan = filter(&b, plan, arb_expr_is_null(&b.arena, col(&b, "y")));
    expect(&b, plan, "a",
           "FILTER y IS NULL  ~500\n"
           "  LEFT JOIN ON a = x  ~10000\n"
           "    INNER JOIN ON k = q  ~10000\n"
           "      SCAN t (a, k)  ~1000000\n"
           "      SCAN r (q)  ~10\n"
           "    SCAN u (x, y)  ~1000000\n");
    end(&b);
}

/* Cross products come last; a scalar without a condition is joined where it is compared. */
static void test_unconnected(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    b.options.disabled = (uint32_t)1 << ARB_RULE_PRUNE_COLUMNS;
    const arb_logical *t = scan(&b, table(&b, "t", 1000, "a int 1 1000, k int 1 1000"), "t");
    const arb_logical *u = scan(&b, table(&b, "u", 500, "x int 1 1000"), "u");
    const arb_logical *r = scan(&b, table(&b, "r", 10, "q int 1 1000"), "r");
    const arb_logical *scalar = aggregate(&b, scan(&b, table(&b, "z", 7, "z int 1 7"), "z"), "", "most", &fn_max,
                                          ARB_TYPE(INTEGER), col(&b, "z"));
    const arb_logical *plan = join(&b, ARB_JOIN_SINGLE, cross(&b, cross(&b, t, r), u), scalar, NULL);
    plan = filter(&b, plan, AND(&b, same(&b, "a", "x"), compare(&b, col(&b, "k"), ARB_LESS, col(&b, "most"))));
    expect(&b, plan, "a",
           "CROSS JOIN  ~5000\n"
           "  INNER JOIN ON a = x  ~500\n"
           "    INNER JOIN ON k < most  ~500\n"
           "      SCAN t (a, k)  ~1000\n"
           "      AGGREGATE max(z) AS most  ~1\n"
           "        SCAN z (z)  ~7\n"
           "    SCAN u (x)  ~500\n"
           "  SCAN r (q)  ~10\n");
    end(&b);
}

/* A disjunction over two relations, whose parts were pushed to both before: it counts them once (TPC-H Q7). And a text
 * column whose size looks like codes of a dictionary has as many values as those codes can name. */
static void test_disjunction(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *names = table(&b, "n", 25, "key int 0 24, name text 1 25");
    arb_table *things = table(&b, "t", 100000, "a int 0 24, k int 0 24, color text");
    ((arb_table_column *)(uintptr_t)things->columns)[2].statistics.bytes = 100000 * 3 / 8;
    ((arb_table_column *)(uintptr_t)things->columns)[2].statistics.coded = true;
    const arb_logical *plan = cross(&b, cross(&b, scan(&b, things, "t"), scan(&b, names, "n1")), scan(&b, names, "n2"));
    const arb_expr *there =
        AND(&b, eq(&b, col(&b, "n1.name"), text(&b, "x")), eq(&b, col(&b, "n2.name"), text(&b, "y")));
    const arb_expr *back =
        AND(&b, eq(&b, col(&b, "n1.name"), text(&b, "y")), eq(&b, col(&b, "n2.name"), text(&b, "x")));
    plan = filter(&b, plan,
                  AND(&b, same(&b, "a", "n1.key"), same(&b, "k", "n2.key"), OR(&b, there, back),
                      eq(&b, col(&b, "color"), text(&b, "red"))));
    expect(&b, plan, "a",
           "INNER JOIN ON a = n1.key AND k = n2.key  ~53\n"
           "  SCAN t (a, k, color) WHERE color = 'red'  ~16667\n"
           "  INNER JOIN ON n1.name = 'x' AND n2.name = 'y' OR n1.name = 'y' AND n2.name = 'x'  ~2\n"
           "    SCAN n n2 (n2.key, n2.name) WHERE n2.name = 'y' OR n2.name = 'x'  ~2\n"
           "    SCAN n n1 (n1.key, n1.name) WHERE n1.name = 'x' OR n1.name = 'y'  ~2\n");
    end(&b);
}

/* Thirty relations in a star: more than can be weighed exhaustively. */
static void test_many(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    const arb_logical *plan = scan(&b, table(&b, "fact", 1000000, "f int 1 1000"), "fact");
    for (int i = 0; i < 29; i++) {
        char *name = arb_arena_alloc(&b.arena, 16), *column = arb_arena_alloc(&b.arena, 32);
        snprintf(name, 16, "d%d", i);
        snprintf(column, 32, "d%d_key int 1 1000", i);
        plan = cross(&b, plan, scan(&b, table(&b, name, (uint64_t)(10 + i), column), name));
        snprintf(column, 32, "d%d_key", i);
        plan = filter(&b, plan, same(&b, "f", column));
    }
    const arb_logical *out = optimized(&b, plan, "f");
    arb_error error = {0};
    assert_int_equal(arb_logical_validate(&b.query, out, NULL, &error), ARB_OK);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),       cmocka_unit_test(test_classes),     cmocka_unit_test(test_semi),
        cmocka_unit_test(test_left),        cmocka_unit_test(test_unconnected), cmocka_unit_test(test_many),
        cmocka_unit_test(test_disjunction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
