/* Every allocation of compiling and running programs fails in turn: the answer is an error or the right result, and
 * nothing is lost (without failpoints, each runs once). At each level of the processor that the machine has, results are the same. */
#include "base/alloc.h"
#include "base/cpu.h"
#include "unit/expr/aggregate_fixture.h"

static const arb_expr *text(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(VARCHAR), value);
}

static arb_code run_once(const fixture *f, const arb_expr *expr, bool coded, arb_error *error)
{
    arb_arena arena = {0};
    arb_layout layout = {f->count, f->slots};
    const arb_program *program;
    arb_program_state *run = NULL;
    const arb_vector *inputs[fixture_columns], *result;
    for (size_t i = 0; i < f->count; i++)
        inputs[i] = coded ? &f->columns[i].coded : &f->columns[i].flat;
    arb_code code;
    ARB_TRY_GOTO(code, arb_program_compile(&arena, &layout, &expr, 1, &program, error), done);
    ARB_TRY_GOTO(code, arb_program_state_create(program, &run, error), done);
    for (int batch = 0; batch < 2 && code == ARB_OK; batch++)
        code = arb_program_run(run, inputs, f->rows, NULL, &result, error);
done:
    arb_program_state_destroy(run);
    arb_arena_reset(&arena);
    return code;
}

static void fail_each(const fixture *f, const arb_expr *expr)
{
    for (int coded = 0; coded < 2; coded++) {
        for (uint64_t n = 1;; n++) {
            arb_error error = {0};
            arb_alloc_fail_at(n, false);
            arb_code code = run_once(f, expr, coded != 0, &error);
            bool behind = arb_alloc_count() < n;
            arb_alloc_fail_at(0, false);
            if (code != ARB_OK && code != ARB_OUT_OF_MEMORY)
                fail_msg("allocation %llu: %s", (unsigned long long)n, error.message);
            if (behind) {
                assert_int_equal(code, ARB_OK);
                break;
            }
        }
    }
}

static void scalars(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "foo bar baz and more|NULL|käse, KÄSE und käse|b");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "1|2|NULL|40");
    const arb_expr *t = add_column(&f, ARB_TYPE(TIMESTAMP), "2024-01-02 03:04:05|NULL|1999-12-31|2000-02-29 12:00:00");
    const arb_expr *exprs[] = {
        CALL(&f, "regexp_replace", s, text(&f, "(b|k)(.)"), text(&f, "<\\2>"), text(&f, "g")),
        CALL(&f, "~", s, s),
        CALL(&f, "similar_to", s, text(&f, "%(b|k)%")),
        CALL(&f, "ilike", s, text(&f, "%KÄ%")),
        CALL(&f, "replace", CALL(&f, "upper", s), text(&f, "B"), text(&f, "a long replacement")),
        CALL(&f, "repeat", s, n),
        CALL(&f, "format", text(&f, "%s: %L %I"), n, s, text(&f, "A")),
        CALL(&f, "concat", s, text(&f, " and "), s),
        CALL(&f, "to_char", t, text(&f, "Day, DD Month YYYY")),
        CALL(&f, "to_char", n, text(&f, "9,999.99")),
        CALL(&f, "timezone", text(&f, "Europe/Berlin"), t),
        CALL(&f, "+",
             CALL(&f, "round", literal(&f, arb_type_decimal(5, 2), "1.25"), literal(&f, ARB_TYPE(INTEGER), "1")), n),
    };
    for (size_t i = 0; i < ARB_COUNT_OF(exprs); i++)
        fail_each(&f, exprs[i]);
    fixture_reset(&f);
}

static void aggregates(void **state)
{
    (void)state;
    static const char *const names[] = {"string_agg", "min", "mode", "any_value", "approx_count_distinct"};
    fixture f = {0};
    add_column(&f, ARB_TYPE(VARCHAR), "a text of many bytes|NULL|another text of many bytes|b|a third one, also long");
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++) {
        aggregate_fixture a = {0};
        plan_aggregate(&f, &a, names[i], 1, 0, NULL);
        const arb_vector *inputs[] = {&f.columns[0].flat};
        for (uint64_t n = 1;; n++) {
            arb_arena arena = {0};
            arb_error error = {0};
            void *states[] = {new_state(&f, &a), new_state(&f, &a)};
            arb_string results[2];
            uint64_t validity = 3;
            bool has_null;
            arb_vector out = {.physical = (uint8_t)a.result.physical, .values = {results}};
            arb_alloc_fail_at(n, false);
            arb_code code = a.run->update_one(&a.plan, &arena, inputs, f.rows, NULL, states[0], &error);
            if (code == ARB_OK)
                code = a.run->combine(&a.plan, &arena, states[1], states[0], &error);
            if (code == ARB_OK)
                code = a.run->finalize(&a.plan, &arena, states, 2, &out, &validity, &has_null, &error);
            bool behind = arb_alloc_count() < n;
            arb_alloc_fail_at(0, false);
            arb_arena_reset(&arena);
            assert_true(code == ARB_OUT_OF_MEMORY || (code == ARB_OK && behind));
            if (behind)
                break;
        }
    }
    fixture_reset(&f);
}

/* What kernels do, by each of their builds. */
static void levels(void **state)
{
    (void)state;
    static const char *const names[] = {"v2", "v3", "v4"};
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++) {
        arb_error error = {0};
        if (arb_cpu_choose(names[i], &error) != ARB_OK)
            continue;
        fixture f = {0};
        const arb_expr *s =
            add_column(&f, ARB_TYPE(VARCHAR), "special packages requests|special|requests special|NULL");
        const arb_expr *n = add_column(&f, ARB_TYPE(BIGINT), "4294967296|-7|NULL|9223372036854775807");
        const arb_expr *d = add_column(&f, ARB_TYPE(DOUBLE), "0.5|NaN|-2.25|1e300");
        expect(&f, CALL(&f, "like", s, text(&f, "%special%requests%")), "true|false|false|NULL");
        expect(&f, CALL(&f, "strpos", s, text(&f, "requests")), "18|0|1|NULL");
        expect(&f, CALL(&f, "+", n, literal(&f, ARB_TYPE(BIGINT), "1")), "4294967297|-6|NULL|!");
        expect(&f, CALL(&f, "*", d, d), "0.25|NaN|5.0625|Infinity");
        expect(&f, CALL(&f, "greatest", d, literal(&f, ARB_TYPE(DOUBLE), "0")), "0.5|NaN|0|1e+300");
        fixture_reset(&f);
        add_column(&f, ARB_TYPE(DOUBLE), "1e16|1|-1e16|1|0.25");
        expect_aggregate(&f, "sum", 1, 0, "2.25");
        expect_aggregate(&f, "max", 1, 0, "1e+16");
        fixture_reset(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scalars), cmocka_unit_test(aggregates),
                                       cmocka_unit_test(levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
