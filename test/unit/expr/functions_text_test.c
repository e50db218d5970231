/* Functions on text, by what PostgreSQL's manual and common sense say they give. */
#include "unit/expr/program_fixture.h"

static const arb_expr *text(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(VARCHAR), value);
}

static const arb_expr *whole(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(BIGINT), value);
}

static void patterns(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR),
                                   "forest green metallic|green|NULL||special packages handle "
                                   "requests|käse|a%b|100_|gree|the quick brown green fox");
    static const struct {
        const char *pattern, *expected;
    } cases[] = {
        {"%green%", "true|true|NULL|false|false|false|false|false|false|true"},
        {"green", "false|true|NULL|false|false|false|false|false|false|false"},
        {"green%", "false|true|NULL|false|false|false|false|false|false|false"},
        {"%green", "false|true|NULL|false|false|false|false|false|false|false"},
        {"forest%", "true|false|NULL|false|false|false|false|false|false|false"},
        {"%special%requests%", "false|false|NULL|false|true|false|false|false|false|false"},
        {"%requests%special%", "false|false|NULL|false|false|false|false|false|false|false"},
        {"%", "true|true|NULL|true|true|true|true|true|true|true"},
        {"", "false|false|NULL|true|false|false|false|false|false|false"},
        {"k_se", "false|false|NULL|false|false|true|false|false|false|false"},
        {"%\\%%", "false|false|NULL|false|false|false|true|false|false|false"},
        {"%\\_", "false|false|NULL|false|false|false|false|true|false|false"},
        {"____", "false|false|NULL|false|false|true|false|true|true|false"},
        {"%_se", "false|false|NULL|false|false|true|false|false|false|false"},
        {"gr__%", "false|true|NULL|false|false|false|false|false|true|false"},
        {"%e_n%", "true|true|NULL|false|false|false|false|false|false|true"},
        {"g%n%n", "false|false|NULL|false|false|false|false|false|false|false"},
        {"%ee%en", "false|false|NULL|false|false|false|false|false|false|false"},
        {"the %brown%fox", "false|false|NULL|false|false|false|false|false|false|true"},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        expect(&f, CALL(&f, "like", s, text(&f, cases[i].pattern)), cases[i].expected);
        expect(&f, CALL(&f, "ilike", s, text(&f, cases[i].pattern)), cases[i].expected);
    }
    expect(&f, CALL(&f, "ilike", s, text(&f, "KÄ%")), "false|false|NULL|false|false|true|false|false|false|false");
    expect(&f, CALL(&f, "like", s, text(&f, "a#%b"), text(&f, "#")),
           "false|false|NULL|false|false|false|true|false|false|false");
    expect(&f, CALL(&f, "like", s, s), "true|true|NULL|true|true|true|true|true|true|true");
    const arb_expr *bad = CALL(&f, "like", s, text(&f, "x"), text(&f, "##"));
    arb_layout layout = {f.count, f.slots};
    const arb_program *program;
    arb_program_state *run;
    assert_int_equal(arb_program_compile(&f.arena, &layout, &bad, 1, &program, &f.error), ARB_OK);
    assert_int_equal(arb_program_state_create(program, &run, &f.error), ARB_INVALID_ESCAPE);
    fixture_reset(&f);
}

static void parts(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "13-702-694-4520|käsekuchen, äöü|NULL||ab");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "1|2|3|-1|NULL");
    expect(&f, CALL(&f, "substring", s, whole(&f, "1"), whole(&f, "2")), "13|kä|NULL||ab");
    expect(&f, CALL(&f, "substring", s, whole(&f, "2")), "3-702-694-4520|äsekuchen, äöü|NULL||b");
    expect(&f, CALL(&f, "substring", s, whole(&f, "-1"), whole(&f, "4")), "13|kä|NULL||ab");
    expect(&f, CALL(&f, "substring", s, whole(&f, "0")), "13-702-694-4520|käsekuchen, äöü|NULL||ab");
    expect(&f, CALL(&f, "substring", s, whole(&f, "2"), whole(&f, "9223372036854775807")),
           "3-702-694-4520|äsekuchen, äöü|NULL||b");
    expect(&f, CALL(&f, "substring", s, whole(&f, "1"), n), "1|kä|NULL|!|NULL");
    expect(&f, CALL(&f, "left", s, whole(&f, "2")), "13|kä|NULL||ab");
    expect(&f, CALL(&f, "left", s, whole(&f, "-3")), "13-702-694-4|käsekuchen, |NULL||");
    expect(&f, CALL(&f, "right", s, whole(&f, "3")), "520|äöü|NULL||ab");
    expect(&f, CALL(&f, "right", s, whole(&f, "-1")), "3-702-694-4520|äsekuchen, äöü|NULL||b");
    expect(&f, CALL(&f, "starts_with", s, text(&f, "13-")), "true|false|NULL|false|false");
    expect(&f, CALL(&f, "ends_with", s, text(&f, "äöü")), "false|true|NULL|false|false");
    expect(&f, CALL(&f, "contains", s, text(&f, "702")), "true|false|NULL|false|false");
    expect(&f, CALL(&f, "contains", s, text(&f, "")), "true|true|NULL|true|true");
    fixture_reset(&f);
}

/* Against a plain search, for all sizes around the steps of the kernel. */
static void finding(void **state)
{
    (void)state;
    fixture f = {0};
    char rows[2000];
    size_t at = 0;
    for (int size = 0; size < 12; size++) {
        for (int i = 0; i < 30 + size; i++)
            rows[at++] = i == 11 + size * 2 ? 'x' : i == 12 + size * 2 ? 'y' : 'a';
        rows[at++] = '|';
    }
    rows[at - 1] = '\0';
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), rows);
    expect(&f, CALL(&f, "contains", s, text(&f, "xy")), "true|true|true|true|true|true|true|true|true|true|true|true");
    expect(&f, CALL(&f, "contains", s, text(&f, "axya")),
           "true|true|true|true|true|true|true|true|true|true|true|true");
    expect(&f, CALL(&f, "contains", s, text(&f, "xya")), "true|true|true|true|true|true|true|true|true|true|true|true");
    expect(&f, CALL(&f, "contains", s, text(&f, "yx")),
           "false|false|false|false|false|false|false|false|false|false|false|false");
    expect(&f, CALL(&f, "contains", s, text(&f, "aaaaaaaaaaaaaaaaaaaaaxy")),
           "false|false|false|false|false|true|true|true|true|true|true|true");
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns), cmocka_unit_test(parts), cmocka_unit_test(finding)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
