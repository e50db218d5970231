/* Digits of floats against the C library's exact conversions, over random bit patterns and the known hard cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/float_text.h"
#include "base/hash.h"

static uint64_t seed = 7;

static uint64_t next_random(void)
{
    return seed = arb_hash_u64(seed);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double parsed(const char *text)
{
    double value;
    assert_int_not_equal(arb_double_parse(text, strlen(text), &value), ARB_FLOAT_MALFORMED);
    return value;
}

/* Reads back, and no text with fewer digits does. */
static void check_double(double value)
{
    char text[64];
    arb_float_digits shortest = arb_double_shortest(value);
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)shortest.digits, shortest.exponent);
    assert_true(strtod(text, NULL) == value);
    int count = snprintf(NULL, 0, "%llu", (unsigned long long)shortest.digits);
    for (int digits = 1; digits < count; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        assert_true(strtod(text, NULL) != value);
    }
    if (count == 17) { /* then it is the nearest of them */
        char exact[64];
        snprintf(exact, sizeof exact, "%.16e", value);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)shortest.digits, shortest.exponent);
        assert_true(strtod(exact, NULL) == strtod(text, NULL));
    }
    assert_true(bits_of(arb_double_of_digits(shortest.digits, shortest.exponent)) == bits_of(value));
    snprintf(text, sizeof text, "%.17g", value);
    assert_true(bits_of(parsed(text)) == bits_of(value));
    snprintf(text, sizeof text, "%.40g", value);
    assert_true(bits_of(parsed(text)) == bits_of(value));
}

static void doubles_round_trip(void **state)
{
    (void)state;
    static const double hard[] = {5e-324,
                                  2.2250738585072014e-308,
                                  2.2250738585072011e-308,
                                  1.7976931348623157e308,
                                  1,
                                  0.1,
                                  0.3,
                                  1e22,
                                  1e23,
                                  9007199254740993.0,
                                  1e15,
                                  123456.789,
                                  2e-44,
                                  5.684341886080802e-14,
                                  9.5367431640625e-07,
                                  4503599627370496.5,
                                  1e-5,
                                  299792458.0,
                                  0.05};
    for (size_t i = 0; i < ARB_COUNT_OF(hard); i++)
        check_double(hard[i]);
    for (int i = 0; i < 60000; i++) {
        uint64_t bits = next_random() >> 1;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value) && value != 0)
            check_double(value);
        check_double((double)(next_random() % 100000000) / 100 + 0.01);
    }
    for (int exponent = -1074; exponent < 1024; exponent++)
        check_double(ldexp(1, exponent));
}

static void floats_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 60000; i++) {
        uint32_t bits = (uint32_t)(next_random() >> 33);
        float value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        char text[96];
        arb_float_digits shortest = arb_float_shortest(value);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)shortest.digits, shortest.exponent);
        assert_true(strtof(text, NULL) == value);
        assert_int_equal(arb_float_parse_text(text, strlen(text), &back), ARB_FLOAT_OK);
        assert_memory_equal(&back, &value, sizeof value);
        int count = snprintf(NULL, 0, "%llu", (unsigned long long)shortest.digits);
        for (int digits = 1; digits < count; digits++) {
            snprintf(text, sizeof text, "%.*e", digits - 1, (double)value);
            assert_true(strtof(text, NULL) != value);
        }
        snprintf(text, sizeof text, "%.60g", (double)value);
        assert_int_equal(arb_float_parse_text(text, strlen(text), &back), ARB_FLOAT_OK);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

/* Texts that lie on, just above and just below the middle between two doubles. */
static void middles_round_to_even(void **state)
{
    (void)state;
    for (int i = 0; i < 3000; i++) {
        uint64_t bits = next_random() >> 1;
        double low;
        memcpy(&low, &bits, sizeof low);
        if (!isfinite(low) || !isfinite(nextafter(low, INFINITY)) || low == 0)
            continue;
        long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
        char text[1400];
        snprintf(text, sizeof text, "%.1200Lg", middle);
        assert_true(bits_of(parsed(text)) == bits_of(strtod(text, NULL)));
        char *exponent = strchr(text, 'e');
        char tail[16] = "";
        if (exponent != NULL) {
            snprintf(tail, sizeof tail, "%s", exponent);
            *exponent = '\0';
        }
        if (strchr(text, '.') != NULL) {
            char longer[1500];
            snprintf(longer, sizeof longer, "%s0001%s", text, tail);
            assert_true(bits_of(parsed(longer)) == bits_of(strtod(longer, NULL)));
        }
    }
}

static void odd_texts(void **state)
{
    (void)state;
    double value;
    static const char *const bad[] = {"",   "-",    ".",    "e5", "1e", "1e+", "1.2.3",
                                      "1x", "nano", "0x10", " 1", "1 ", "+-1"};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        assert_int_equal(arb_double_parse(bad[i], strlen(bad[i]), &value), ARB_FLOAT_MALFORMED);
    assert_true(parsed("5.") == 5 && parsed(".5") == 0.5 && parsed("+1E2") == 100 && parsed("-0") == 0);
    assert_true(signbit(parsed("-0")) && isnan(parsed("NaN")) && parsed("-Infinity") == -INFINITY);
    assert_int_equal(arb_double_parse("1e309", 5, &value), ARB_FLOAT_OUT_OF_RANGE);
    assert_int_equal(arb_double_parse("1e-400", 6, &value), ARB_FLOAT_OUT_OF_RANGE);
    assert_int_equal(arb_double_parse("0e999999999999999999999", 23, &value), ARB_FLOAT_OK);
    assert_int_equal(arb_double_parse("1e999999999999999999999", 23, &value), ARB_FLOAT_OUT_OF_RANGE);
    enum { zeros = 300000 };
    char *text = malloc(zeros + 64);
    assert_non_null(text);
    memset(text, '0', zeros);
    text[0] = '1';
    snprintf(text + zeros, 64, "1e-%d", zeros);
    assert_true(parsed(text) == 1);
    memset(text, '0', zeros);
    text[1] = '.';
    snprintf(text + zeros, 64, "25e%d", zeros - 1);
    assert_true(parsed(text) == 2.5);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(doubles_round_trip), cmocka_unit_test(floats_round_trip),
                                       cmocka_unit_test(middles_round_to_even), cmocka_unit_test(odd_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
