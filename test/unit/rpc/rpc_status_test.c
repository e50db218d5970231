/* Errors on their way over the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/status.pb-c.h"
#include "rpc/rpc_status.h"
#include "wire/wire.h"

static void statuses_and_codes_agree(void **state)
{
    (void)state;
    for (int status = 0; status <= 16; status++) {
        int back = arb_code_grpc_status(arb_rpc_code_of_status(status));
        if (status == 2) /* UNKNOWN: ours are never that */
            assert_int_equal(back, 13);
        else if (status == 11) /* OUT_OF_RANGE: a value's, for us */
            assert_int_equal(back, 3);
        else
            assert_int_equal(back, status);
    }
    assert_int_equal(arb_rpc_code_of_status(-1), ARB_INTERNAL);
    assert_int_equal(arb_rpc_code_of_status(17), ARB_INTERNAL);
}

static void every_code_comes_back(void **state)
{
    (void)state;
    for (int code = ARB_OK + 1; code < ARB_CODE_COUNT; code++) {
        arb_error sent = {0}, got;
        arb_text details = {0};
        (void)arb_fail(&sent, (arb_code)code, "the value %d is wrong: \"ü\"", code);
        arb_error_detail(&sent, "detail");
        arb_error_hint(&sent, "hint");
        arb_error_origin(&sent, "stage 1");
        sent.position = code;
        assert_int_equal(arb_rpc_details_write(&sent, &details, NULL), ARB_OK);
        arb_code wanted = code == ARB_WOULD_WAIT ? ARB_CONNECTION_FAILED : (arb_code)code; /* which must not travel */
        assert_int_equal(
            arb_rpc_error_read(arb_code_grpc_status((arb_code)code), ARB_STR("cut off"), arb_text_view(&details), &got),
            wanted);
        assert_int_equal(got.code, wanted);
        if (code != ARB_WOULD_WAIT) {
            assert_string_equal(got.message, sent.message);
            assert_string_equal(got.detail, "detail");
            assert_string_equal(got.hint, "hint");
            assert_string_equal(got.origin, "stage 1");
            assert_int_equal(got.position, code);
        }
        /* Details that say something else than the status are somebody's mistake. */
        assert_int_equal(arb_rpc_error_read(13, ARB_STR("x"), arb_text_view(&details), &got),
                         arb_code_grpc_status((arb_code)code) == 13 ? (arb_code)code : ARB_INTERNAL);
        arb_text_reset(&details);
    }
}

static void the_longest_texts_travel(void **state)
{
    (void)state;
    arb_error sent = {.code = ARB_INTERNAL}, got;
    arb_text details = {0};
    memset(sent.message, 'm', sizeof sent.message - 1);
    memset(sent.detail, 'd', sizeof sent.detail - 1);
    memset(sent.hint, 'h', sizeof sent.hint - 1);
    memset(sent.origin, 'o', sizeof sent.origin - 1);
    assert_int_equal(arb_rpc_details_write(&sent, &details, NULL), ARB_OK);
    assert_int_equal(arb_rpc_error_read(13, (arb_str){0}, arb_text_view(&details), &got), ARB_INTERNAL);
    assert_string_equal(got.message, sent.message);
    assert_string_equal(got.detail, sent.detail);
    assert_string_equal(got.hint, sent.hint);
    assert_string_equal(got.origin, sent.origin);
    arb_text_reset(&details);
}

/* A text of characters of two bytes, cut where its field ends: they fit up to the last, of which there is half. */
static void expect_whole_characters(const char *text, size_t capacity)
{
    assert_int_equal(strlen(text), (capacity - 1) / 2 * 2);
    assert_string_equal(text + strlen(text) - 2, "ä");
}

static void texts_that_are_too_long_end_with_a_character(void **state)
{
    (void)state;
    char text[2001] = "";
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "ä", 3);
    ProtobufCBinaryData bytes = {2000, (uint8_t *)text};
    Arbalest__ErrorFields fields = ARBALEST__ERROR_FIELDS__INIT;
    Arbalest__Any any = ARBALEST__ANY__INIT, *list[] = {&any};
    Arbalest__Status status = ARBALEST__STATUS__INIT;
    arb_text packed = {0}, details = {0};
    arb_error got;
    fields.sqlstate = (char *)arb_code_sqlstate(ARB_UNDEFINED_TABLE);
    fields.detail = fields.hint = fields.origin = bytes;
    assert_int_equal(arb_wire_pack(&fields.base, &packed, NULL), ARB_OK);
    any.type_url = (char *)"type.googleapis.com/arbalest.ErrorFields";
    any.value = (ProtobufCBinaryData){packed.size, (uint8_t *)packed.data};
    status.code = 5;
    status.message = text;
    status.details = list;
    status.n_details = 1;
    assert_int_equal(arb_wire_pack(&status.base, &details, NULL), ARB_OK);
    assert_int_equal(arb_rpc_error_read(5, (arb_str){0}, arb_text_view(&details), &got), ARB_UNDEFINED_TABLE);
    expect_whole_characters(got.message, sizeof got.message);
    expect_whole_characters(got.detail, sizeof got.detail);
    expect_whole_characters(got.hint, sizeof got.hint);
    expect_whole_characters(got.origin, sizeof got.origin);
    assert_int_equal(arb_rpc_error_read(5, (arb_str){text, 2000}, (arb_str){0}, &got), ARB_UNDEFINED_OBJECT);
    expect_whole_characters(got.message, sizeof got.message);
    arb_text_reset(&packed);
    arb_text_reset(&details);
}

static void strange_details_are_passed_over(void **state)
{
    (void)state;
    arb_error sent = {0}, got;
    arb_text details = {0};
    (void)arb_fail(&sent, ARB_UNDEFINED_TABLE, "there is no table t");
    assert_int_equal(arb_rpc_details_write(&sent, &details, NULL), ARB_OK);
    for (size_t at = 0; at < details.size; at++)
        for (unsigned change = 0; change < 256; change += 3) {
            char *copy = malloc(details.size);
            memcpy(copy, details.data, details.size);
            copy[at] = (char)change;
            arb_code code = arb_rpc_error_read(5, ARB_STR("plain"), (arb_str){copy, details.size}, &got);
            assert_int_equal(arb_code_grpc_status(code), 5);
            assert_int_equal(got.code, code);
            free(copy);
            copy = malloc(at + 1);
            memcpy(copy, details.data, at);
            assert_int_not_equal(arb_rpc_error_read(5, ARB_STR("plain"), (arb_str){copy, at}, &got), ARB_OK);
            free(copy);
        }
    assert_int_equal(arb_rpc_error_read(0, ARB_STR("fine"), arb_text_view(&details), &got), ARB_OK);
    assert_int_equal(got.code, ARB_OK);
    arb_text_reset(&details);
}

static void without_memory_there_are_no_details(void **state)
{
    (void)state;
#ifdef ARB_FAILPOINTS
    arb_error sent = {0}, got;
    (void)arb_fail(&sent, ARB_UNDEFINED_TABLE, "there is no table t");
    for (uint64_t n = 1;; n++) {
        arb_text details = {0};
        arb_alloc_fail_at(n, true);
        arb_code code = arb_rpc_details_write(&sent, &details, NULL);
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK) {
            arb_alloc_fail_at(1, true);
            assert_int_equal(arb_rpc_error_read(5, ARB_STR("plain"), arb_text_view(&details), &got),
                             ARB_UNDEFINED_OBJECT);
            arb_alloc_fail_at(0, false);
            arb_text_reset(&details);
            break;
        }
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
        arb_text_reset(&details);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_and_codes_agree),
        cmocka_unit_test(every_code_comes_back),
        cmocka_unit_test(the_longest_texts_travel),
        cmocka_unit_test(texts_that_are_too_long_end_with_a_character),
        cmocka_unit_test(strange_details_are_passed_over),
        cmocka_unit_test(without_memory_there_are_no_details),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
