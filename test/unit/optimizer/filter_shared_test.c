/* filter_shared_test.c: a shared plan is filtered by what its readers ask together. */
#include "plan_builder.h"

static const arb_logical *reader(builder *b, arb_shared *shared, const char *kind, const char *sum)
{
    arb_column_id sources[] = {id(b, "kind"), id(b, "sum")}, columns[2];
    columns[0] = make(b, kind, ARB_TYPE(VARCHAR));
    columns[1] = make(b, sum, ARB_TYPE(INTEGER));
    return arb_logical_shared(&b->query, shared, columns, sources, 2);
}

static void test_readers(void **state)
{
    (void)state;
    builder b;
    begin(&b);
    only(&b, "push_filters filter_shared");
    arb_table *t = table(&b, "t", 1000, "kind text 1 10, year int 1 10");
    arb_shared shared = {.keep = true};
    arb_shared *list[] = {&shared};
    b.query.shared.data = list;
    b.query.shared.size = 1;
    const arb_logical *plan = aggregate(&b, scan(&b, t, "t"), "kind year", "sum", &fn_count, ARB_TYPE(INTEGER), NULL);
    shared.plan = plan;
    const arb_logical *one = reader(&b, &shared, "kind1", "sum1"), *two = reader(&b, &shared, "kind2", "sum2");
    one = filter(
        &b, one,
        AND(&b, eq(&b, col(&b, "kind1"), text(&b, "store")), compare(&b, col(&b, "sum1"), ARB_GREATER, num(&b, 0))));
    two = filter(&b, two, eq(&b, col(&b, "kind2"), text(&b, "web")));
    expect(&b, cross(&b, one, two), "sum1 sum2",
           "CROSS JOIN\n"
           "  FILTER kind1 = 'store' AND sum1 > 0\n"
           "    SHARED 0 (kind AS kind1, sum AS sum1)\n"
           "      FILTER kind = 'store' AND sum > 0 OR kind = 'web'\n"
           "        AGGREGATE count(*) AS sum GROUP BY kind, year\n"
           "          SCAN t (kind, year) WHERE kind = 'store' OR kind = 'web'\n"
           "  FILTER kind2 = 'web'\n"
           "    SHARED 0 (kind AS kind2, sum AS sum2)\n");
    shared.plan = plan;
    /* A third one that wants everything. */
    expect(&b, cross(&b, cross(&b, one, two), reader(&b, &shared, "kind3", "sum3")), "sum1 sum2 sum3",
           "CROSS JOIN\n"
           "  CROSS JOIN\n"
           "    FILTER kind1 = 'store' AND sum1 > 0\n"
           "      SHARED 0 (kind AS kind1, sum AS sum1)\n"
           "        AGGREGATE count(*) AS sum GROUP BY kind, year\n"
           "          SCAN t (kind, year)\n"
           "    FILTER kind2 = 'web'\n"
           "      SHARED 0 (kind AS kind2, sum AS sum2)\n"
           "  SHARED 0 (kind AS kind3, sum AS sum3)\n");
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
