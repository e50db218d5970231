#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base64.h"

static void known_values(void **state)
{
    (void)state;
    /* RFC 4648, section 10 */
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < ARB_COUNT_OF(plain); i++) {
        char out[32];
        size_t size;
        arb_base64_encode(plain[i], strlen(plain[i]), out);
        assert_int_equal(ARB_BASE64_ENCODED(strlen(plain[i])), strlen(encoded[i]));
        assert_memory_equal(out, encoded[i], strlen(encoded[i]));
        assert_int_equal(arb_base64_decode(encoded[i], strlen(encoded[i]), out, &size), ARB_BASE64_OK);
        assert_int_equal(size, strlen(plain[i]));
        assert_memory_equal(out, plain[i], size);
    }
}

static void all_bytes_come_back(void **state)
{
    (void)state;
    unsigned char bytes[256], back[ARB_BASE64_DECODED(ARB_BASE64_ENCODED(256))];
    char text[ARB_BASE64_ENCODED(256)];
    for (int i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(i * 37);
    for (size_t size = 0; size <= 256; size++) {
        size_t got;
        arb_base64_encode(bytes, size, text);
        assert_int_equal(arb_base64_decode(text, ARB_BASE64_ENCODED(size), (char *)back, &got), ARB_BASE64_OK);
        assert_int_equal(got, size);
        assert_memory_equal(back, bytes, size);
    }
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        arb_base64_result result;
    } cases[] = {
        {" Zm9v\n Yg == \t", ARB_BASE64_OK}, {"Zm9", ARB_BASE64_CUT_OFF},      {"Z", ARB_BASE64_CUT_OFF},
        {"Zm9vYg=", ARB_BASE64_CUT_OFF},     {"Zm9-", ARB_BASE64_NOT_A_DIGIT}, {"=", ARB_BASE64_NOT_A_DIGIT},
        {"Z===", ARB_BASE64_NOT_A_DIGIT},    {"Zg=g", ARB_BASE64_NOT_A_DIGIT}, {"Zg==Zg==", ARB_BASE64_NOT_A_DIGIT},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        char out[32];
        size_t size;
        assert_int_equal(arb_base64_decode(cases[i].text, strlen(cases[i].text), out, &size), cases[i].result);
    }
    char out[32];
    size_t size;
    assert_int_equal(arb_base64_decode("Zg\0=", 4, out, &size), ARB_BASE64_NOT_A_DIGIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(all_bytes_come_back),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
