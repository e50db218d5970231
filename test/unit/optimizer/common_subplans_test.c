/* common_subplans_test.c: what a query asks for twice is shared, where that pays. */
#include "plan_builder.h"

static const char fact[] = "f_key int 1 1000000, f_dim int 1 1000, f_value int 1 100";
static const char dim[] = "d_key int 1 1000, d_kind text 1 10, d_name text";

/* fact ⋈ dim of one kind, under aliases that end with `suffix`. */
static const arb_logical *nest_of(builder *b, arb_table *f, arb_table *d, const char *suffix)
{
    char fs[16], ds[16], left[32], right[32], kind[32];
    snprintf(fs, sizeof fs, "f%s", suffix);
    snprintf(ds, sizeof ds, "d%s", suffix);
    snprintf(left, sizeof left, "f%s.f_dim", suffix);
    snprintf(right, sizeof right, "d%s.d_key", suffix);
    snprintf(kind, sizeof kind, "d%s.d_kind", suffix);
    const arb_logical *nest = cross(b, scan(b, f, arb_arena_copy(&b->arena, fs, sizeof fs)),
                                    scan(b, d, arb_arena_copy(&b->arena, ds, sizeof ds)));
    return filter(b, nest, AND(b, same(b, left, right), eq(b, col(b, kind), text(b, "x"))));
}

/* The sum over that. */
static const arb_logical *sums(builder *b, arb_table *f, arb_table *d, const char *suffix, const char *group)
{
    char value[32], name[32], by[32];
    const arb_logical *nest = nest_of(b, f, d, suffix);
    snprintf(value, sizeof value, "f%s.f_value", suffix);
    by[0] = '\0';
    if (group[0] != '\0')
        snprintf(by, sizeof by, "f%s.%s", suffix, group);
    char *sum = arb_arena_alloc(&b->arena, sizeof name);
    snprintf(sum, sizeof name, "sum%s", suffix);
    return aggregate(b, nest, by, sum, &fn_sum, ARB_TYPE(BIGINT), col(b, value));
}

/* The nest of joins below two different aggregates; each reader takes its columns. */
static void test_join(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *f = table(&b, "fact", 1000000, fact), *d = table(&b, "dim", 1000, dim);
    const arb_logical *groups = sums(&b, f, d, "1", "f_key"), *total = sums(&b, f, d, "2", "");
    expect(&b,
           filter(&b, join(&b, ARB_JOIN_SINGLE, groups, total, NULL),
                  compare(&b, col(&b, "sum1"), ARB_GREATER, col(&b, "sum2"))),
           "f1.f_key",
           "INNER JOIN ON sum1 > sum2  ~50000\n"
           "  AGGREGATE sum(f1.f_value#2) AS sum1 GROUP BY f1.f_key#0  ~100000\n"
           "    SHARED 0 (f1.f_key#14 AS f1.f_key#0, f1.f_value#16 AS f1.f_value#2)  ~100000\n"
           "      INNER JOIN ON f1.f_dim#15 = d1.d_key#17  ~100000\n"
           "        SCAN fact f1 (f1.f_key#14, f1.f_dim#15, f1.f_value#16)  ~1000000\n"
           "        SCAN dim d1 (d1.d_key#17, d1.d_kind#18) WHERE d1.d_kind#18 = 'x'  ~100\n"
           "  AGGREGATE sum(f2.f_value) AS sum2  ~1\n"
           "    SHARED 0 (f1.f_value#16 AS f2.f_value)  ~100000\n");
    end(&b);
}

/* Equal aggregates are shared as a whole. */
static void test_aggregate(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *f = table(&b, "fact", 1000000, fact), *d = table(&b, "dim", 1000, dim);
    const arb_logical *one = sums(&b, f, d, "1", "f_dim"), *two = sums(&b, f, d, "2", "f_dim");
    expect(&b, join(&b, ARB_JOIN_INNER, one, two, same(&b, "sum1", "sum2")), "f1.f_dim f2.f_dim",
           "INNER JOIN ON sum2 = sum1#6  ~1000\n"
           "  SHARED 0 (f1.f_dim#15 AS f2.f_dim, sum1#20 AS sum2)  ~1000\n"
           "    AGGREGATE sum(f1.f_value#16) AS sum1#20 GROUP BY f1.f_dim#15  ~1000\n"
           "      INNER JOIN ON f1.f_dim#15 = d1.d_key#17  ~100000\n"
           "        SCAN fact f1 (f1.f_dim#15, f1.f_value#16)  ~1000000\n"
           "        SCAN dim d1 (d1.d_key#17, d1.d_kind#18) WHERE d1.d_kind#18 = 'x'  ~100\n"
           "  SHARED 0 (f1.f_dim#15 AS f1.f_dim#1, sum1#20 AS sum1#6)  ~1000\n");
    end(&b);
}

/* What one of three needs, whether much or something else, makes the result too large: the other two share theirs. */
static void test_some_are_shared(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *f = table(&b, "fact", 100000000, "f_key int 1 100000000, f_dim int 1 1000, f_value int 1 100");
    arb_table *d = table(&b, "dim", 1000, dim);
    const arb_logical *wide = sums(&b, f, d, "1", "f_key"), *total = sums(&b, f, d, "2", "");
    const arb_logical *values = aggregate(&b, nest_of(&b, f, d, "3"), "f3.f_value", "", NULL, ARB_TYPE(NULL), NULL);
    expect(&b, join(&b, ARB_JOIN_SINGLE, join(&b, ARB_JOIN_SINGLE, wide, total, NULL), values, NULL),
           "f1.f_key sum1 sum2 f3.f_value",
           "LEFT JOIN  ~10000000\n"
           "  SINGLE JOIN  ~10000000\n"
           "    AGGREGATE sum(f1.f_value#2) AS sum1 GROUP BY f1.f_key#0  ~10000000\n"
           "      INNER JOIN ON f1.f_dim#1 = d1.d_key#3  ~10000000\n"
           "        SCAN fact f1 (f1.f_key#0, f1.f_dim#1, f1.f_value#2)  ~100000000\n"
           "        SCAN dim d1 (d1.d_key#3, d1.d_kind#4) WHERE d1.d_kind#4 = 'x'  ~100\n"
           "    AGGREGATE GROUP BY f3.f_value  ~100\n"
           "      SHARED 0 (f1.f_value#22 AS f3.f_value)  ~10000000\n"
           "        INNER JOIN ON f1.f_dim#21 = d1.d_key#23  ~10000000\n"
           "          SCAN fact f1 (f1.f_dim#21, f1.f_value#22)  ~100000000\n"
           "          SCAN dim d1 (d1.d_key#23, d1.d_kind#24) WHERE d1.d_kind#24 = 'x'  ~100\n"
           "  AGGREGATE sum(f2.f_value) AS sum2  ~1\n"
           "    SHARED 0 (f1.f_value#22 AS f2.f_value)  ~10000000\n");
    end(&b);
    begin(&b);
    f = table(&b, "fact", 100000000, "f_key int 1 100000000, f_dim int 1 1000, f_value int 1 100");
    d = table(&b, "dim", 1000, dim);
    const arb_logical *keys = aggregate(&b, nest_of(&b, f, d, "1"), "f1.f_key", "", NULL, ARB_TYPE(NULL), NULL);
    total = sums(&b, f, d, "2", "");
    values = aggregate(&b, nest_of(&b, f, d, "3"), "f3.f_value", "", NULL, ARB_TYPE(NULL), NULL);
    (void)optimized(&b, join(&b, ARB_JOIN_SINGLE, join(&b, ARB_JOIN_SINGLE, keys, total, NULL), values, NULL),
                    "f1.f_key sum2 f3.f_value");
    assert_int_equal(b.query.shared.size, 1);
    end(&b);
}

/* A result that is too large, another condition, a volatile function: nothing is shared. */
static void test_not_shared(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "common_subplans");
    arb_table *f = table(&b, "fact", 100000000, "f_key int 1 100000000, f_dim int 1 1000, f_value int 1 100");
    arb_table *d = table(&b, "dim", 1000, dim), *small = table(&b, "small", 100, "s_key int 1 100");
    const arb_logical *large = join(&b, ARB_JOIN_INNER, sums(&b, f, d, "1", "f_key"), sums(&b, f, d, "2", "f_key"),
                                    same(&b, "f1.f_key", "f2.f_key"));
    assert_ptr_equal(optimized(&b, large, "sum1 sum2"), large);
    const arb_logical *little =
        join(&b, ARB_JOIN_INNER, aggregate(&b, scan(&b, small, "s1"), "s1.s_key", "", NULL, ARB_TYPE(NULL), NULL),
             aggregate(&b, scan(&b, small, "s2"), "s2.s_key", "", NULL, ARB_TYPE(NULL), NULL),
             same(&b, "s1.s_key", "s2.s_key"));
    assert_ptr_equal(optimized(&b, little, "s1.s_key"), little);
    const arb_expr *chance = compare(&b, call(&b, &fn_random, ARB_TYPE(INTEGER), NULL, NULL), ARB_LESS, num(&b, 5));
    arb_table *t = table(&b, "t", 1000000, "a int 1 10");
    const arb_logical *random =
        join(&b, ARB_JOIN_INNER,
             aggregate(&b, filter(&b, scan(&b, t, "t1"), chance), "t1.a", "", NULL, ARB_TYPE(NULL), NULL),
             aggregate(&b, filter(&b, scan(&b, t, "t2"), chance), "t2.a", "", NULL, ARB_TYPE(NULL), NULL),
             same(&b, "t1.a", "t2.a"));
    assert_ptr_equal(optimized(&b, random, "t1.a"), random);
    const arb_logical *other = join(&b, ARB_JOIN_INNER,
                                    aggregate(&b, filter(&b, scan(&b, t, "t3"), eq(&b, col(&b, "t3.a"), num(&b, 5))),
                                              "t3.a", "", NULL, ARB_TYPE(NULL), NULL),
                                    aggregate(&b, filter(&b, scan(&b, t, "t4"), eq(&b, col(&b, "t4.a"), num(&b, 6))),
                                              "t4.a", "", NULL, ARB_TYPE(NULL), NULL),
                                    same(&b, "t3.a", "t4.a"));
    assert_ptr_equal(optimized(&b, other, "t3.a"), other);
    end(&b);
}

/* A scan of which few rows pass; conditions in another order are the same. */
static void test_scan(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *t = table(&b, "t", 1000000, "a int 1 1000000, k int 1 10000, s text");
    const arb_expr *x, *y;
    const arb_logical *one = scan(&b, t, "t1"), *two = scan(&b, t, "t2");
    x = eq(&b, col(&b, "t1.k"), num(&b, 7));
    y = call(&b, &fn_like, ARB_TYPE(BOOLEAN), col(&b, "t1.s"), text(&b, "%x%"));
    one = filter(&b, one, AND(&b, x, y));
    x = eq(&b, col(&b, "t2.k"), num(&b, 7));
    y = call(&b, &fn_like, ARB_TYPE(BOOLEAN), col(&b, "t2.s"), text(&b, "%x%"));
    two = filter(&b, two, AND(&b, y, x));
    expect(&b, join(&b, ARB_JOIN_LEFT, one, two, compare(&b, col(&b, "t1.a"), ARB_LESS, col(&b, "t2.a"))), "t1.a t2.a",
           "LEFT JOIN ON t1.a#0 < t2.a  ~12\n"
           "  SHARED 0 (t1.a#6 AS t1.a#0)  ~5\n"
           "    SCAN t t1 (t1.a#6, t1.k#7, t1.s#8) WHERE t1.k#7 = 7 AND like(t1.s#8, '%x%')  ~5\n"
           "  SHARED 0 (t1.a#6 AS t2.a)  ~5\n");
    end(&b);
}

/* What is shared inside of something shared comes first. */
static void test_nested(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    arb_table *f = table(&b, "fact", 1000000, fact), *d = table(&b, "dim", 1000, dim);
    const arb_logical *one = sums(&b, f, d, "1", "f_dim"), *two = sums(&b, f, d, "2", "f_dim");
    const arb_logical *plan = join(&b, ARB_JOIN_INNER, one, two, same(&b, "sum1", "sum2"));
    const arb_logical *third = sums(&b, f, d, "3", "");
    expect(&b, join(&b, ARB_JOIN_SINGLE, plan, third, NULL), "f1.f_dim f2.f_dim sum3",
           "INNER JOIN ON sum1#6 = sum2  ~1000\n"
           "  LEFT JOIN  ~1000\n"
           "    SHARED 1 (f1.f_dim#22 AS f1.f_dim#1, sum1#27 AS sum1#6)  ~1000\n"
           "      AGGREGATE sum(f1.f_value#23) AS sum1#27 GROUP BY f1.f_dim#22  ~1000\n"
           "        SHARED 0 (f3.f_dim#29 AS f1.f_dim#22, f3.f_value#30 AS f1.f_value#23)  ~100000\n"
           "          INNER JOIN ON f3.f_dim#29 = d3.d_key#31  ~100000\n"
           "            SCAN fact f3 (f3.f_dim#29, f3.f_value#30)  ~1000000\n"
           "            SCAN dim d3 (d3.d_key#31, d3.d_kind#32) WHERE d3.d_kind#32 = 'x'  ~100\n"
           "    AGGREGATE sum(f3.f_value#16) AS sum3  ~1\n"
           "      SHARED 0 (f3.f_value#30 AS f3.f_value#16)  ~100000\n"
           "  SHARED 1 (f1.f_dim#22 AS f2.f_dim, sum1#27 AS sum2)  ~1000\n");
    assert_int_equal(b.query.shared.size, 2);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join), cmocka_unit_test(test_aggregate), cmocka_unit_test(test_not_shared),
        cmocka_unit_test(test_scan), cmocka_unit_test(test_nested),    cmocka_unit_test(test_some_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
