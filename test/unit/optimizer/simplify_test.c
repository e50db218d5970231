/* simplify_test.c: expressions become simpler and mean the same. Each case is the condition of a FILTER over one scan. */
#include "plan_builder.h"

typedef struct fixture {
    builder b;
    const arb_logical *t;
} fixture;

static void start(fixture *f)
{
    begin(&f->b);
    only(&f->b, "simplify");
    f->t =
        scan(&f->b, table(&f->b, "t", 1000, "a int 1 100, k int 1 100, s text, d date 0 10000, m money 0 1000, g? int"),
             "t");
}

static void check(fixture *f, const arb_expr *condition, const char *golden)
{
    arb_text printed = {0};
    const arb_logical *plan = optimized(&f->b, filter(&f->b, f->t, condition), "a");
    arb_logical_print(&printed, &f->b.query, plan);
    char *line = strchr(printed.data, '\n');
    *line = '\0';
    if (strcmp(printed.data, golden) != 0) {
        print_message("got %s, expected %s\n", printed.data, golden);
        fail();
    }
    arb_text_reset(&printed);
}

static void test_folding(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    builder *b = &f.b;
    const arb_expr *five = call(b, &fn_add, ARB_TYPE(INTEGER), num(b, 2), num(b, 3));
    check(&f, eq(b, five, col(b, "a")), "FILTER a = 5");
    check(&f, compare(b, num(b, 7), ARB_LESS, col(b, "a")), "FILTER a > 7");
    check(&f, eq(b, col(b, "a"), call(b, &fn_divide, ARB_TYPE(INTEGER), num(b, 1), num(b, 0))), "FILTER a = 1 / 0");
    check(&f, eq(b, five, num(b, 5)), "SCAN t (a, k, s, d, m, g)");
    check(&f, eq(b, five, num(b, 6)), "NO ROWS (a, k, s, d, m, g)");
    check(&f, AND(b, eq(b, five, num(b, 5)), eq(b, col(b, "a"), num(b, 1))), "FILTER a = 1");
    check(&f, OR(b, eq(b, five, num(b, 6)), eq(b, col(b, "a"), num(b, 1))), "FILTER a = 1");
    const arb_expr *null = arb_expr_constant(&b->arena, arb_value_null(ARB_TYPE(INTEGER)));
    check(&f, eq(b, col(b, "a"), null), "NO ROWS (a, k, s, d, m, g)");
    check(&f, compare(b, col(b, "g"), ARB_DISTINCT, null), "FILTER g IS NOT NULL");
    end(b);
}

static void test_negation(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    builder *b = &f.b;
    const arb_expr *one = eq(b, col(b, "a"), num(b, 1)), *two = compare(b, col(b, "k"), ARB_LESS, num(b, 2));
    check(&f, NOT(b, AND(b, one, two)), "FILTER a <> 1 OR k >= 2");
    check(&f, NOT(b, OR(b, one, NOT(b, two))), "FILTER a <> 1 AND k < 2");
    check(&f, NOT(b, arb_expr_is_null(&b->arena, col(b, "g"))), "FILTER g IS NOT NULL");
    end(b);
}

static void test_disjunctions(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    builder *b = &f.b;
    const arb_expr *join_part = same(b, "a", "k");
    const arb_expr *x = eq(b, col(b, "s"), text(b, "x")), *y = eq(b, col(b, "s"), text(b, "y"));
    check(&f, OR(b, AND(b, join_part, x), AND(b, y, join_part)), "FILTER a = k AND (s = 'x' OR s = 'y')");
    check(&f, OR(b, AND(b, join_part, x), join_part), "FILTER a = k");
    check(&f, OR(b, x, y, eq(b, text(b, "z"), col(b, "s"))), "FILTER s IN ('x', 'y', 'z')");
    check(&f, OR(b, x, x), "FILTER s = 'x'");
    end(b);
}

/* Casts of columns are undone on the constant where that is exact, rounding where a comparison allows it. */
static void test_casts(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    builder *b = &f.b;
    arb_value half = {.type = arb_type_decimal(12, 1), .integer = 55};
    arb_value whole = {.type = arb_type_decimal(12, 1), .integer = -50};
    const arb_expr *wide = arb_expr_cast(&b->arena, col(b, "a"), half.type, false);
    check(&f, compare(b, wide, ARB_LESS, arb_expr_constant(&b->arena, half)), "FILTER a <= 5");
    check(&f, compare(b, wide, ARB_GREATER_EQUAL, arb_expr_constant(&b->arena, half)), "FILTER a > 5");
    check(&f, compare(b, wide, ARB_GREATER_EQUAL, arb_expr_constant(&b->arena, whole)), "FILTER a >= -5");
    check(&f, eq(b, wide, arb_expr_constant(&b->arena, half)), "FILTER CAST(a AS decimal(12,1)) = 5.5");
    arb_value midnight = {.type = ARB_TYPE(TIMESTAMP), .integer = (arb_int128)9131 * 86400000000};
    const arb_expr *moment = arb_expr_cast(&b->arena, col(b, "d"), midnight.type, false);
    check(&f, compare(b, moment, ARB_LESS, arb_expr_constant(&b->arena, midnight)), "FILTER d < date '1995-01-01'");
    midnight.integer = -1;
    check(&f, compare(b, moment, ARB_LESS, arb_expr_constant(&b->arena, midnight)), "FILTER d <= date '1969-12-31'");
    end(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding),
        cmocka_unit_test(test_negation),
        cmocka_unit_test(test_disjunctions),
        cmocka_unit_test(test_casts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
