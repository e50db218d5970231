/* tpch_plans_test.c: TPC-H's queries with subqueries, bound by hand as the binder does, through all rules. */
#include <time.h>

#include "plan_builder.h"

static const char lineitem[] = "l_orderkey int 1 6000000, l_partkey int 1 200000, l_suppkey int 1 10000, "
                               "l_quantity int 1 50, l_price money 90000 10000000, l_shipdate date 8036 10561";
static const char orders[] = "o_orderkey int 1 6000000, o_custkey int 1 150000, o_orderdate date 8035 10440";
static const char customer[] = "c_custkey int 1 150000, c_name text, c_phone text, c_acctbal money -99999 999999";
static const char part[] = "p_partkey int 1 200000, p_brand text 1 25, p_size int 1 50, p_name text 1 200000";
static const char supplier[] = "s_suppkey int 1 10000, s_nationkey int 0 24, s_name text";
static const char partsupp[] =
    "ps_partkey int 1 200000, ps_suppkey int 1 10000, ps_cost int 100 100000, ps_qty int 1 9999";
static const char nation[] = "n_nationkey int 0 24, n_name text 1 25, n_regionkey int 0 4";
static const char region[] = "r_regionkey int 0 4, r_name text 1 5";

static const arb_logical *base(builder *b, const char *name, const char *alias)
{
    static const struct {
        const char *name, *columns;
        uint64_t rows;
    } tables[] = {
        {"lineitem", lineitem, 6001215}, {"orders", orders, 1500000},   {"customer", customer, 150000},
        {"part", part, 200000},          {"supplier", supplier, 10000}, {"partsupp", partsupp, 800000},
        {"nation", nation, 25},          {"region", region, 5},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(tables); i++) {
        if (strcmp(tables[i].name, name) == 0)
            return scan(b, table(b, name, tables[i].rows, tables[i].columns), alias);
    }
    fail();
    return NULL;
}

/* Q2: the supplier with the least cost of each part. */
static const arb_logical *q2(builder *b)
{
    const arb_logical *from = cross(b, base(b, "part", "part"), base(b, "supplier", "supplier"));
    from = cross(b, from, base(b, "partsupp", "partsupp"));
    from = cross(b, cross(b, from, base(b, "nation", "nation")), base(b, "region", "region"));
    const arb_logical *inner = cross(b, base(b, "partsupp", "ps"), base(b, "supplier", "s"));
    inner = cross(b, cross(b, inner, base(b, "nation", "n")), base(b, "region", "r"));
    inner = filter(b, inner,
                   AND(b, same(b, "p_partkey", "ps.ps_partkey"), same(b, "s.s_suppkey", "ps.ps_suppkey"),
                       same(b, "s.s_nationkey", "n.n_nationkey"), same(b, "n.n_regionkey", "r.r_regionkey"),
                       eq(b, col(b, "r.r_name"), text(b, "EUROPE"))));
    inner = aggregate(b, inner, "", "least", &fn_min, ARB_TYPE(INTEGER), col(b, "ps.ps_cost"));
    const arb_logical *plan = dependent(b, ARB_JOIN_SINGLE, from, inner, NULL);
    return filter(b, plan,
                  AND(b, same(b, "p_partkey", "ps_partkey"), same(b, "s_suppkey", "ps_suppkey"),
                      eq(b, col(b, "p_size"), num(b, 15)), same(b, "s_nationkey", "n_nationkey"),
                      same(b, "n_regionkey", "r_regionkey"), eq(b, col(b, "r_name"), text(b, "EUROPE")),
                      same(b, "ps_cost", "least")));
}

static void test_q2(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    expect(&b, q2(&b), "s_name p_partkey",
           "INNER JOIN ON ps_suppkey = s_suppkey  ~640\n"
           "  INNER JOIN ON ps_partkey = p_partkey AND ps_cost = least  ~3200\n"
           "    SCAN partsupp (ps_partkey, ps_suppkey, ps_cost)  ~800000\n"
           "    INNER JOIN ON ps.ps_partkey = p_partkey  ~3200\n"
           "      AGGREGATE min(ps.ps_cost) AS least GROUP BY ps.ps_partkey  ~160000\n"
           "        INNER JOIN ON ps.ps_suppkey = s.s_suppkey  ~160000\n"
           "          SCAN partsupp ps (ps.ps_partkey, ps.ps_suppkey, ps.ps_cost)  ~800000\n"
           "          INNER JOIN ON s.s_nationkey = n.n_nationkey  ~2000\n"
           "            SCAN supplier s (s.s_suppkey, s.s_nationkey)  ~10000\n"
           "            INNER JOIN ON n.n_regionkey = r.r_regionkey  ~5\n"
           "              SCAN nation n (n.n_nationkey, n.n_regionkey)  ~25\n"
           "              SCAN region r (r.r_regionkey, r.r_name) WHERE r.r_name = 'EUROPE'  ~1\n"
           "      SCAN part (p_partkey, p_size) WHERE p_size = 15  ~4000\n"
           "  INNER JOIN ON s_nationkey = n_nationkey  ~2000\n"
           "    SCAN supplier (s_suppkey, s_nationkey, s_name)  ~10000\n"
           "    INNER JOIN ON n_regionkey = r_regionkey  ~5\n"
           "      SCAN nation (n_nationkey, n_regionkey)  ~25\n"
           "      SCAN region (r_regionkey, r_name) WHERE r_name = 'EUROPE'  ~1\n");
    end(&b);
}

/* Q17 */
static void test_q17(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    const arb_logical *from = cross(&b, base(&b, "lineitem", "lineitem"), base(&b, "part", "part"));
    const arb_logical *inner = filter(&b, base(&b, "lineitem", "l"), same(&b, "l.l_partkey", "p_partkey"));
    inner = aggregate(&b, inner, "", "average", &fn_avg, ARB_TYPE(INTEGER), col(&b, "l.l_quantity"));
    inner = project(&b, inner, "limit", call(&b, &fn_times, ARB_TYPE(INTEGER), num(&b, 2), col(&b, "average")));
    const arb_logical *plan = dependent(&b, ARB_JOIN_SINGLE, from, inner, NULL);
    plan = filter(&b, plan,
                  AND(&b, same(&b, "p_partkey", "l_partkey"), eq(&b, col(&b, "p_brand"), text(&b, "Brand#23")),
                      compare(&b, col(&b, "l_quantity"), ARB_LESS, col(&b, "limit"))));
    plan = aggregate(&b, plan, "", "total", &fn_sum, arb_type_decimal(38, 2), col(&b, "l_price"));
    expect(&b, plan, "total",
           "AGGREGATE sum(l_price) AS total  ~1\n"
           "  INNER JOIN ON l_partkey = p_partkey AND l_quantity < limit  ~120024\n"
           "    SCAN lineitem (l_partkey, l_quantity, l_price)  ~6001215\n"
           "    INNER JOIN ON l.l_partkey = p_partkey  ~8000\n"
           "      PROJECT 2 * average AS limit, l.l_partkey  ~200000\n"
           "        AGGREGATE avg(l.l_quantity) AS average GROUP BY l.l_partkey  ~200000\n"
           "          SCAN lineitem l (l.l_partkey, l.l_quantity)  ~6001215\n"
           "      SCAN part (p_partkey, p_brand) WHERE p_brand = 'Brand#23'  ~8000\n");
    end(&b);
}

/* Q18: IN over a grouped subquery with HAVING. */
static void test_q18(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    const arb_logical *from = cross(&b, base(&b, "customer", "customer"), base(&b, "orders", "orders"));
    from = cross(&b, from, base(&b, "lineitem", "lineitem"));
    const arb_logical *inner = aggregate(&b, base(&b, "lineitem", "l"), "l.l_orderkey", "quantity", &fn_sum,
                                         ARB_TYPE(INTEGER), col(&b, "l.l_quantity"));
    inner = filter(&b, inner, compare(&b, col(&b, "quantity"), ARB_GREATER, num(&b, 300)));
    inner = project(&b, inner, "key", col(&b, "l.l_orderkey"));
    const arb_logical *plan = mark(&b, "m", false, true, from, inner, same(&b, "o_orderkey", "key"));
    plan = filter(&b, plan,
                  AND(&b, col(&b, "m"), same(&b, "c_custkey", "o_custkey"), same(&b, "o_orderkey", "l_orderkey")));
    expect(&b, aggregate(&b, plan, "c_name o_orderkey", "sum", &fn_sum, ARB_TYPE(BIGINT), col(&b, "l_quantity")),
           "c_name sum",
           "AGGREGATE sum(l_quantity) AS sum GROUP BY c_name, o_orderkey  ~1517575\n"
           "  INNER JOIN ON l_orderkey = o_orderkey  ~1517575\n"
           "    SCAN lineitem (l_orderkey, l_quantity)  ~6001215\n"
           "    INNER JOIN ON o_custkey = c_custkey  ~379317\n"
           "      SEMI JOIN ON o_orderkey = key  ~379317\n"
           "        SCAN orders (o_orderkey, o_custkey)  ~1500000\n"
           "        PROJECT l.l_orderkey AS key  ~379317\n"
           "          FILTER quantity > 300  ~379317\n"
           "            AGGREGATE sum(l.l_quantity) AS quantity GROUP BY l.l_orderkey  ~3793170\n"
           "              SCAN lineitem l (l.l_orderkey, l.l_quantity)  ~6001215\n"
           "      SCAN customer (c_custkey, c_name)  ~150000\n");
    end(&b);
}

/* Q20: IN in IN, with a correlated sum inside. */
static void test_q20(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    const arb_logical *from = cross(&b, base(&b, "supplier", "supplier"), base(&b, "nation", "nation"));
    const arb_logical *parts = filter(&b, base(&b, "part", "part"),
                                      call(&b, &fn_like, ARB_TYPE(BOOLEAN), col(&b, "p_name"), text(&b, "forest%")));
    parts = project(&b, parts, "pkey", col(&b, "p_partkey"));
    const arb_logical *ps = base(&b, "partsupp", "partsupp");
    const arb_logical *sum = filter(&b, base(&b, "lineitem", "lineitem"),
                                    AND(&b, same(&b, "l_partkey", "ps_partkey"), same(&b, "l_suppkey", "ps_suppkey"),
                                        compare(&b, col(&b, "l_shipdate"), ARB_GREATER_EQUAL, day(&b, 8766)),
                                        compare(&b, col(&b, "l_shipdate"), ARB_LESS, day(&b, 9131))));
    sum = aggregate(&b, sum, "", "sum", &fn_sum, ARB_TYPE(INTEGER), col(&b, "l_quantity"));
    const arb_logical *inner = mark(&b, "m1", false, true, ps, parts, same(&b, "ps_partkey", "pkey"));
    inner = dependent(&b, ARB_JOIN_SINGLE, inner, sum, NULL);
    inner = filter(&b, inner, AND(&b, col(&b, "m1"), compare(&b, col(&b, "ps_qty"), ARB_GREATER, col(&b, "sum"))));
    inner = project(&b, inner, "skey", col(&b, "ps_suppkey"));
    const arb_logical *plan = mark(&b, "m2", false, true, from, inner, same(&b, "s_suppkey", "skey"));
    plan = filter(
        &b, plan,
        AND(&b, col(&b, "m2"), same(&b, "s_nationkey", "n_nationkey"), eq(&b, col(&b, "n_name"), text(&b, "CANADA"))));
    expect(&b, plan, "s_name",
           "SEMI JOIN ON s_suppkey = skey  ~400\n"
           "  INNER JOIN ON s_nationkey = n_nationkey  ~400\n"
           "    SCAN supplier (s_suppkey, s_nationkey, s_name)  ~10000\n"
           "    SCAN nation (n_nationkey, n_name) WHERE n_name = 'CANADA'  ~1\n"
           "  PROJECT ps_suppkey AS skey  ~21679\n"
           "    INNER JOIN ON l_partkey = ps_partkey AND l_suppkey = ps_suppkey AND ps_qty > sum  ~21679\n"
           "      AGGREGATE sum(l_quantity) AS sum GROUP BY l_partkey, l_suppkey  ~867159\n"
           "        SCAN lineitem (l_partkey, l_suppkey, l_quantity, l_shipdate) WHERE l_shipdate >= date '1994-01-01' "
           "AND l_shipdate < date '1995-01-01'  ~867159\n"
           "      SEMI JOIN ON ps_partkey = pkey  ~40000\n"
           "        SCAN partsupp (ps_partkey, ps_suppkey, ps_qty)  ~800000\n"
           "        PROJECT p_partkey AS pkey  ~10000\n"
           "          SCAN part (p_partkey, p_name) WHERE like(p_name, 'forest%')  ~10000\n");
    end(&b);
}

/* Q22: a scalar without correlation and NOT EXISTS. */
static void test_q22(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    const arb_logical *from = base(&b, "customer", "customer");
    const arb_logical *scalar = aggregate(&b, base(&b, "customer", "c"), "", "average", &fn_avg,
                                          arb_type_decimal(15, 2), col(&b, "c.c_acctbal"));
    const arb_logical *none = filter(&b, base(&b, "orders", "orders"), same(&b, "o_custkey", "c_custkey"));
    const arb_logical *plan = join(&b, ARB_JOIN_SINGLE, from, scalar, NULL);
    plan = mark(&b, "m", true, false, plan, none, NULL);
    plan = filter(&b, plan,
                  AND(&b, compare(&b, col(&b, "c_acctbal"), ARB_GREATER, col(&b, "average")), NOT(&b, col(&b, "m"))));
    expect(&b, plan, "c_phone",
           "INNER JOIN ON c_acctbal > average  ~7500\n"
           "  ANTI JOIN ON o_custkey = c_custkey  ~15000\n"
           "    SCAN customer (c_custkey, c_phone, c_acctbal)  ~150000\n"
           "    SCAN orders (o_custkey)  ~1500000\n"
           "  AGGREGATE avg(c.c_acctbal) AS average  ~1\n"
           "    SCAN customer c (c.c_acctbal)  ~150000\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_q2),  cmocka_unit_test(test_q17), cmocka_unit_test(test_q18),
        cmocka_unit_test(test_q20), cmocka_unit_test(test_q22),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
