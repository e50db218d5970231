/* determined_groups_test.c: which groups go because others determine them, and which must stay. */
#include "plan_builder.h"

static arb_table *keyed(builder *b, const char *name, const char *columns)
{
    static const uint32_t first[] = {0};
    static const arb_table_key key = {1, first};
    arb_table *made = table(b, name, 1000, columns);
    made->keys = &key;
    made->key_count = 1;
    return made;
}

static const arb_logical *grouped(builder *b, const arb_logical *child, const char *groups, const char *count)
{
    return aggregate(b, child, groups, count, &fn_count, ARB_TYPE(BIGINT), NULL);
}

/* The column, and an expression of it. */
static const arb_logical *with_item(builder *b, const arb_logical *child, const char *name,
                                    const arb_function *function, const char *column)
{
    const arb_expr *passed = col(b, column);
    const arb_expr *expr = call(b, function, ARB_TYPE(INTEGER), passed, passed);
    arb_named_expr items[] = {{.id = passed->column, .expr = passed}, {.id = make(b, name, expr->type), .expr = expr}};
    return arb_logical_project(&b->query, child, items, 2);
}

static void test_declared_keys(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "determined_groups");
    arb_table *c = keyed(&b, "c", "id int 1 9, name text, nation int 1 9");
    expect(&b, grouped(&b, scan(&b, c, "c"), "name id nation", "n1"), "n1",
           "AGGREGATE count(*) AS n1 GROUP BY id CARRYING name, nation\n"
           "  SCAN c (id, name, nation)\n");
    expect(&b, grouped(&b, scan(&b, c, "x"), "x.name x.nation", "n2"), "n2",
           "AGGREGATE count(*) AS n2 GROUP BY x.name, x.nation\n"
           "  SCAN c x (x.id, x.name, x.nation)\n");
    /* A key of UNIQUE that may be NULL is no key, nor is one of doubles, which have two zeros. */
    arb_table *u = keyed(&b, "u", "uid? int 1 9, uname text"), *d = keyed(&b, "d", "did double, dname text");
    expect(&b, grouped(&b, scan(&b, u, "u"), "uid uname", "n3"), "n3",
           "AGGREGATE count(*) AS n3 GROUP BY uid, uname\n"
           "  SCAN u (uid, uname)\n");
    expect(&b, grouped(&b, scan(&b, d, "d"), "did dname", "n4"), "n4",
           "AGGREGATE count(*) AS n4 GROUP BY did, dname\n"
           "  SCAN d (did, dname)\n");
    end(&b);
}

/* As TPC-H's tenth query groups: a chain of keys and equal columns. */
static void test_inner_joins(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "determined_groups");
    arb_table *c = keyed(&b, "c", "id int 1 9, name text, nation int 1 9"),
              *n = keyed(&b, "n", "nid int 1 9, nname text");
    arb_table *o = keyed(&b, "o", "oid int 1 9, cust int 1 9");
    const arb_logical *both = join(&b, ARB_JOIN_INNER, scan(&b, c, "c"), scan(&b, n, "n"), same(&b, "nation", "nid"));
    const arb_logical *all = join(&b, ARB_JOIN_INNER, both, scan(&b, o, "o"), same(&b, "id", "cust"));
    expect(&b, grouped(&b, all, "id name nname", "n1"), "n1",
           "AGGREGATE count(*) AS n1 GROUP BY id CARRYING name, nname\n"
           "  INNER JOIN ON id = cust\n"
           "    INNER JOIN ON nation = nid\n"
           "      SCAN c (id, name, nation)\n"
           "      SCAN n (nid, nname)\n"
           "    SCAN o (oid, cust)\n");
    expect(&b, grouped(&b, all, "oid nname cust", "n2"), "n2",
           "AGGREGATE count(*) AS n2 GROUP BY oid CARRYING nname, cust\n"
           "  INNER JOIN ON id = cust\n"
           "    INNER JOIN ON nation = nid\n"
           "      SCAN c (id, name, nation)\n"
           "      SCAN n (nid, nname)\n"
           "    SCAN o (oid, cust)\n");
    expect(&b, grouped(&b, all, "name nname", "n3"), "n3",
           "AGGREGATE count(*) AS n3 GROUP BY name, nname\n"
           "  INNER JOIN ON id = cust\n"
           "    INNER JOIN ON nation = nid\n"
           "      SCAN c (id, name, nation)\n"
           "      SCAN n (nid, nname)\n"
           "    SCAN o (oid, cust)\n");
    end(&b);
}

/* The side that is filled up keeps what its keys determine, but not that equal columns are equal. */
static void test_outer_joins(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "determined_groups");
    arb_table *c = keyed(&b, "c", "id int 1 9, name text"), *o = keyed(&b, "o", "oid int 1 9, cust? int 1 9");
    arb_table *t = table(&b, "t", 1000, "k int 1 9, v int 1 9");
    const arb_logical *left = join(&b, ARB_JOIN_LEFT, scan(&b, t, "t"), scan(&b, c, "c"), same(&b, "v", "id"));
    expect(&b, grouped(&b, left, "id name", "n1"), "n1",
           "AGGREGATE count(*) AS n1 GROUP BY id CARRYING name\n"
           "  LEFT JOIN ON v = id\n"
           "    SCAN t (k, v)\n"
           "    SCAN c (id, name)\n");
    /* The left side's column finds the one match there can be. */
    expect(&b, grouped(&b, left, "v name", "n2"), "n2",
           "AGGREGATE count(*) AS n2 GROUP BY v CARRYING name\n"
           "  LEFT JOIN ON v = id\n"
           "    SCAN t (k, v)\n"
           "    SCAN c (id, name)\n");
    expect(&b, grouped(&b, left, "id v", "n3"), "n3",
           "AGGREGATE count(*) AS n3 GROUP BY v CARRYING id\n"
           "  LEFT JOIN ON v = id\n"
           "    SCAN t (k, v)\n"
           "    SCAN c (id, name)\n");
    const arb_logical *many = join(&b, ARB_JOIN_LEFT, scan(&b, c, "d"), scan(&b, o, "o"), same(&b, "d.id", "cust"));
    expect(&b, grouped(&b, many, "d.id cust", "n4"), "n4",
           "AGGREGATE count(*) AS n4 GROUP BY d.id, cust\n"
           "  LEFT JOIN ON d.id = cust\n"
           "    SCAN c d (d.id, d.name)\n"
           "    SCAN o (oid, cust)\n");
    const arb_logical *full = join(&b, ARB_JOIN_FULL, scan(&b, c, "e"), scan(&b, o, "p"), same(&b, "e.id", "p.cust"));
    expect(&b, grouped(&b, full, "e.id e.name p.oid p.cust", "n5"), "n5",
           "AGGREGATE count(*) AS n5 GROUP BY e.id, p.oid CARRYING e.name, p.cust\n"
           "  FULL JOIN ON e.id = p.cust\n"
           "    SCAN c e (e.id, e.name)\n"
           "    SCAN o p (p.oid, p.cust)\n");
    end(&b);
}

/* Groups below determine their aggregates; above an outer join only where a group is never NULL. */
static void test_aggregates_below(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "determined_groups");
    arb_table *t = table(&b, "t", 1000, "k int 1 9, v? int 1 9"), *u = table(&b, "u", 1000, "x int 1 9");
    const arb_logical *by_k = aggregate(&b, scan(&b, t, "t"), "k", "most", &fn_max, ARB_TYPE(INTEGER), col(&b, "v"));
    expect(&b, grouped(&b, by_k, "k most", "n1"), "n1",
           "AGGREGATE count(*) AS n1 GROUP BY k CARRYING most\n"
           "  AGGREGATE max(v) AS most GROUP BY k\n"
           "    SCAN t (k, v)\n");
    const arb_logical *by_v =
        aggregate(&b, scan(&b, t, "s"), "s.v", "least", &fn_min, ARB_TYPE(INTEGER), col(&b, "s.k"));
    expect(&b, grouped(&b, join(&b, ARB_JOIN_FULL, scan(&b, u, "u"), by_v, same(&b, "x", "least")), "s.v least", "n2"),
           "n2",
           "AGGREGATE count(*) AS n2 GROUP BY s.v, least\n"
           "  FULL JOIN ON x = least\n"
           "    SCAN u (x)\n"
           "    AGGREGATE min(s.k) AS least GROUP BY s.v\n"
           "      SCAN t s (s.k, s.v)\n");
    end(&b);
}

/* Expressions are determined by their columns, unless they differ from row to row by themselves. */
static void test_expressions(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "determined_groups");
    arb_table *t = table(&b, "t", 1000, "k int 1 9, v int 1 9");
    const arb_logical *sum = with_item(&b, scan(&b, t, "t"), "twice", &fn_add, "k");
    expect(&b, grouped(&b, sum, "k twice", "n1"), "n1",
           "AGGREGATE count(*) AS n1 GROUP BY k CARRYING twice\n"
           "  PROJECT k, k + k AS twice\n"
           "    SCAN t (k, v)\n");
    const arb_logical *chance = with_item(&b, scan(&b, t, "s"), "r", &fn_random, "s.k");
    expect(&b, grouped(&b, chance, "s.k r", "n2"), "n2",
           "AGGREGATE count(*) AS n2 GROUP BY s.k, r\n"
           "  PROJECT s.k, random(s.k, s.k) AS r\n"
           "    SCAN t s (s.k, s.v)\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declared_keys),    cmocka_unit_test(test_inner_joins), cmocka_unit_test(test_outer_joins),
        cmocka_unit_test(test_aggregates_below), cmocka_unit_test(test_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
