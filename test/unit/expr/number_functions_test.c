/* Functions of numbers: rounding, doubles, whole numbers, extremes. */
#include <math.h>

#include "unit/expr/program_fixture.h"

static const arb_expr *whole(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(INTEGER), value);
}

static const arb_expr *real(fixture *f, const char *value)
{
    return literal(f, ARB_TYPE(DOUBLE), value);
}

static void rounding(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *d = add_column(&f, ARB_TYPE(DOUBLE), "2.5|-2.5|3.5|NULL|NaN|-0.4|1e300");
    expect(&f, CALL(&f, "round", d), "2|-2|4|NULL|NaN|-0|1e+300");
    expect(&f, CALL(&f, "ceil", d), "3|-2|4|NULL|NaN|-0|1e+300");
    expect(&f, CALL(&f, "floor", d), "2|-3|3|NULL|NaN|-1|1e+300");
    expect(&f, CALL(&f, "trunc", d), "2|-2|3|NULL|NaN|-0|1e+300");
    expect(&f, CALL(&f, "round", d, whole(&f, "0")), "3|-3|4|NULL|NaN|-0|1e+300");
    expect(&f, CALL(&f, "round", d, whole(&f, "1")), "2.5|-2.5|3.5|NULL|NaN|-0.4|1e+300");
    expect(&f, CALL(&f, "sign", d), "1|-1|1|NULL|0|-1|1");
    expect(&f, CALL(&f, "abs", d), "2.5|2.5|3.5|NULL|NaN|0.4|1e+300");
    fixture_reset(&f);
    const arb_expr *p = add_column(&f, arb_type_decimal(15, 2), "42.45|-42.55|0.50|NULL|9999999999999.99|-0.01|0");
    const arb_expr *n = add_column(&f, ARB_TYPE(INTEGER), "1|0|-1|2|-2|100|-100");
    expect(&f, CALL(&f, "round", p), "42|-43|1|NULL|10000000000000|0|0");
    expect(&f, CALL(&f, "ceil", p), "43|-42|1|NULL|10000000000000|0|0");
    expect(&f, CALL(&f, "ceiling", p), "43|-42|1|NULL|10000000000000|0|0");
    expect(&f, CALL(&f, "floor", p), "42|-43|0|NULL|9999999999999|-1|0");
    expect(&f, CALL(&f, "trunc", p), "42|-42|0|NULL|9999999999999|0|0");
    expect(&f, CALL(&f, "round", p, whole(&f, "1")), "42.5|-42.6|0.5|NULL|10000000000000.0|0.0|0.0");
    expect(&f, CALL(&f, "trunc", p, whole(&f, "1")), "42.4|-42.5|0.5|NULL|9999999999999.9|0.0|0.0");
    expect(&f, CALL(&f, "round", p, whole(&f, "3")), "42.450|-42.550|0.500|NULL|9999999999999.990|-0.010|0.000");
    expect(&f, CALL(&f, "round", p, whole(&f, "-1")), "40|-40|0|NULL|10000000000000|0|0");
    expect(&f, CALL(&f, "round", p, whole(&f, "-20")), "0|0|0|NULL|0|0|0");
    expect(&f, CALL(&f, "round", p, n), "42.50|-43.00|0.00|NULL|!|-0.01|0.00");
    expect(&f, CALL(&f, "abs", p), "42.45|42.55|0.50|NULL|9999999999999.99|0.01|0.00");
    expect(&f, CALL(&f, "sign", p), "1|-1|1|NULL|1|-1|0");
    fixture_reset(&f);
    p = add_column(&f, arb_type_decimal(38, 37), "9.9999999999999999999999999999999999999|-0.5|0.4999");
    expect(&f, CALL(&f, "round", p), "10|-1|0");
    expect(&f, CALL(&f, "round", p, whole(&f, "40")),
           "9.9999999999999999999999999999999999999|-0.5000000000000000000000000000000000000|"
           "0.4999000000000000000000000000000000000");
    fixture_reset(&f);
    const arb_expr *i = add_column(&f, ARB_TYPE(INTEGER), "1250|-1350|NULL|2147483647|-2147483648");
    expect(&f, CALL(&f, "round", i), "1250|-1350|NULL|2147483647|-2147483648");
    expect(&f, CALL(&f, "round", i, whole(&f, "-2")), "1300|-1400|NULL|2147483600|-2147483600");
    expect(&f, CALL(&f, "round", i, whole(&f, "-1")), "1250|-1350|NULL|!|!");
    expect(&f, CALL(&f, "trunc", i, whole(&f, "-2")), "1200|-1300|NULL|2147483600|-2147483600");
    expect(&f, CALL(&f, "abs", i), "1250|1350|NULL|2147483647|!");
    expect(&f, CALL(&f, "sign", i), "1|-1|NULL|1|-1");
    fixture_reset(&f);
}

static void reals(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *d = add_column(&f, ARB_TYPE(DOUBLE), "4|0|-8|NULL|NaN|Infinity|1000|0.5");
    expect(&f, CALL(&f, "sqrt", d), "2|0|!|NULL|NaN|Infinity|31.622776601683793|0.7071067811865476");
    expect(&f, CALL(&f, "cbrt", d), "1.5874010519681996|0|-2|NULL|NaN|Infinity|10|0.7937005259840998");
    expect(&f, CALL(&f, "exp", d),
           "54.598150033144236|1|0.00033546262790251185|NULL|NaN|Infinity|!|1.6487212707001282");
    expect(&f, CALL(&f, "ln", d), "1.3862943611198906|!|!|NULL|NaN|Infinity|6.907755278982137|-0.6931471805599453");
    expect(&f, CALL(&f, "log", d), "0.6020599913279624|!|!|NULL|NaN|Infinity|3|-0.3010299956639812");
    expect(&f, CALL(&f, "log2", d), "2|!|!|NULL|NaN|Infinity|9.965784284662087|-1");
    expect(&f, CALL(&f, "log", real(&f, "2"), d), "2|!|!|NULL|NaN|Infinity|9.965784284662087|-1");
    expect(&f, CALL(&f, "log", real(&f, "1"), d), "!|!|!|NULL|!|!|!|!");
    expect(&f, CALL(&f, "^", d, real(&f, "2")), "16|0|64|NULL|NaN|Infinity|1000000|0.25");
    expect(&f, CALL(&f, "power", d, real(&f, "-0.5")), "0.5|!|!|NULL|NaN|0|0.03162277660168379|1.4142135623730951");
    expect(&f, CALL(&f, "pow", d, real(&f, "0")), "1|1|1|NULL|1|1|1|1");
    expect(&f, CALL(&f, "pow", real(&f, "1e200"), d), "!|1|0|NULL|NaN|Infinity|!|1e+100");
    expect(&f, CALL(&f, "sin", real(&f, "0")), "0|0|0|0|0|0|0|0");
    expect(&f, CALL(&f, "cos", d),
           "-0.6536436208636119|1|-0.14550003380861354|NULL|NaN|!|0.5623790762907029|0.8775825618903728");
    expect(&f, CALL(&f, "asin", d), "!|0|!|NULL|NaN|!|!|0.5235987755982989");
    expect(&f, CALL(&f, "cot", real(&f, "0")),
           "Infinity|Infinity|Infinity|Infinity|Infinity|Infinity|Infinity|Infinity");
    expect(&f, CALL(&f, "atan2", real(&f, "1"), real(&f, "0")),
           "1.5707963267948966|1.5707963267948966|1.5707963267948966|1.5707963267948966|1.5707963267948966|1."
           "5707963267948966|1.5707963267948966|1.5707963267948966");
    expect(&f, CALL(&f, "degrees", CALL(&f, "radians", d)), "4|0|-8|NULL|NaN|Infinity|1000.0000000000001|0.5");
    expect(&f, CALL(&f, "isnan", d), "false|false|false|NULL|true|false|false|false");
    expect(&f, CALL(&f, "isinf", d), "false|false|false|NULL|false|true|false|false");
    expect(&f, CALL(&f, "isfinite", d), "true|true|true|NULL|false|false|true|true");
    expect(&f, CALL(&f, "width_bucket", d, real(&f, "0"), real(&f, "10"), whole(&f, "5")), "3|1|0|NULL|!|6|6|1");
    expect(&f, CALL(&f, "width_bucket", d, real(&f, "10"), real(&f, "0"), whole(&f, "5")), "4|6|6|NULL|!|0|0|5");
    fixture_reset(&f);
}

static void wholes(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *i = add_column(&f, ARB_TYPE(INTEGER), "12|-91|NULL|0|-2147483648");
    const arb_expr *l = add_column(&f, ARB_TYPE(BIGINT), "18|32|5|0|9223372036854775807");
    expect(&f, CALL(&f, "&", i, whole(&f, "6")), "4|4|NULL|0|0");
    expect(&f, CALL(&f, "|", i, l), "30|-91|NULL|0|-1");
    expect(&f, CALL(&f, "#", i, whole(&f, "-1")), "-13|90|NULL|-1|2147483647");
    expect(&f, CALL(&f, "xor", l, l), "0|0|0|0|0");
    expect(&f, CALL(&f, "~", i), "-13|90|NULL|-1|2147483647");
    expect(&f, CALL(&f, "~", l), "-19|-33|-6|-1|-9223372036854775808");
    expect(&f, CALL(&f, "<<", i, whole(&f, "1")), "24|-182|NULL|0|0");
    expect(&f, CALL(&f, ">>", i, whole(&f, "33")), "6|-46|NULL|0|-1073741824");
    expect(&f, CALL(&f, "<<", l, whole(&f, "3")), "144|256|40|0|-8");
    expect(&f, CALL(&f, "bit_count", i), "2|60|NULL|0|33");
    expect(&f, CALL(&f, "gcd", i, l), "6|1|NULL|0|1");
    expect(&f, CALL(&f, "lcm", i, l), "36|2912|NULL|0|!");
    expect(&f, CALL(&f, "gcd", i, whole(&f, "0")), "12|91|NULL|0|!");
    expect(&f, CALL(&f, "factorial", l), "6402373705728000|263130836933693530167218012160000000|120|1|!");
    expect(&f, CALL(&f, "factorial", i), "479001600|!|NULL|1|!");
    expect(&f, CALL(&f, "div", i, whole(&f, "5")), "2|-18|NULL|0|-429496729");
    expect(&f, CALL(&f, "div", i, whole(&f, "-1")), "-12|91|NULL|0|!");
    expect(&f, CALL(&f, "div", l, i), "1|0|NULL|!|-4294967295");
    expect(&f, CALL(&f, "div", real(&f, "-7.5"), l), "0|0|-1|!|0");
    fixture_reset(&f);
    const arb_expr *p = add_column(&f, arb_type_decimal(5, 2), "9.90|-7.05|NULL");
    expect(&f, CALL(&f, "div", p, literal(&f, arb_type_decimal(3, 3), "0.010")), "990|-705|NULL");
    expect(&f, CALL(&f, "mod", p, literal(&f, arb_type_decimal(3, 1), "2.0")), "1.90|-1.05|NULL");
    fixture_reset(&f);
}

static void extremes(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_expr *i = add_column(&f, ARB_TYPE(INTEGER), "1|NULL|NULL|-5");
    const arb_expr *d = add_column(&f, ARB_TYPE(DOUBLE), "0.5|NaN|NULL|-6");
    const arb_expr *s = add_column(&f, ARB_TYPE(VARCHAR), "a text of many bytes|b|NULL|");
    const arb_expr *t = add_column(&f, ARB_TYPE(VARCHAR), "a text of many bites|NULL|NULL|c");
    const arb_expr *b = add_column(&f, ARB_TYPE(BOOLEAN), "t|NULL|NULL|f");
    expect(&f, CALL(&f, "greatest", i, d, real(&f, "0")), "1|NaN|0|0");
    expect(&f, CALL(&f, "least", i, d), "0.5|NaN|NULL|-6");
    expect(&f, CALL(&f, "greatest", s, t), "a text of many bytes|b|NULL|c");
    expect(&f, CALL(&f, "least", s, t), "a text of many bites|b|NULL|");
    expect(&f, CALL(&f, "greatest", b, literal(&f, ARB_TYPE(BOOLEAN), "false")), "true|false|false|false");
    expect(&f, CALL(&f, "least", literal(&f, ARB_TYPE(INTERVAL), "31 days"), literal(&f, ARB_TYPE(INTERVAL), "1 mon")),
           "1 mon|1 mon|1 mon|1 mon");
    expect(&f, CALL(&f, "greatest", i, literal(&f, arb_type_decimal(4, 2), "0.25")), "1.00|0.25|0.25|0.25");
    fixture_reset(&f);
}

/* Each row another number in [0, 1), and not the same ones for each thread. */
static void chance(void **state)
{
    (void)state;
    fixture f = {0};
    const arb_function *function;
    arb_type type;
    assert_int_equal(arb_function_bind(ARB_FUNCTION_SCALAR, ARB_STR("random"), NULL, 0, &function, &type, &f.error),
                     ARB_OK);
    const arb_expr *call = arb_expr_call(&f.arena, function, type, NULL, 0);
    assert_false(arb_expr_deterministic(call));
    arb_layout layout = {0};
    const arb_program *program;
    double first[2];
    assert_int_equal(arb_program_compile(&f.arena, &layout, &call, 1, &program, &f.error), ARB_OK);
    for (int i = 0; i < 2; i++) {
        arb_program_state *run;
        const arb_vector *result;
        double sum = 0;
        assert_int_equal(arb_program_state_create(program, &run, &f.error), ARB_OK);
        assert_int_equal(arb_program_run(run, NULL, ARB_VECTOR_ROWS, NULL, &result, &f.error), ARB_OK);
        assert_int_equal(result->encoding, ARB_FLAT);
        for (int row = 0; row < ARB_VECTOR_ROWS; row++) {
            double value = result->values.f64[row];
            assert_true(value >= 0 && value < 1);
            sum += value;
        }
        assert_true(fabs(sum / ARB_VECTOR_ROWS - 0.5) < 0.1);
        assert_true(result->values.f64[0] != result->values.f64[1]);
        first[i] = result->values.f64[0];
        arb_program_state_destroy(run);
    }
    assert_true(first[0] != first[1]);
    fixture_reset(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rounding), cmocka_unit_test(reals), cmocka_unit_test(wholes),
                                       cmocka_unit_test(extremes), cmocka_unit_test(chance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
