/* FlightData made and taken apart: whole, in pieces of every size, damaged in every way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "columnar/arrow_equal.h"
#include "columnar/ipc/ipc_decoder.h"
#include "columnar/ipc/ipc_format.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_data.h"
#include "rpc/flight_schema.h"
#include "unit/columnar/arrow_samples.h"

static int released;

static void count_release(void *context)
{
    (void)context;
    released++;
}

/* A message of `size` bytes in pieces of `piece`; the bytes are lent. */
static arb_rpc_message *in_pieces(const uint8_t *bytes, size_t size, size_t piece)
{
    arb_rpc_message *message;
    arb_error error = {0};
    size_t count = (size + piece - 1) / piece;
    /* An empty piece at each end and in the middle, too: transports may do that. */
    assert_int_equal(arb_rpc_message_create(count + 3, 0, NULL, NULL, &message, NULL, &error), ARB_OK);
    size_t at = 0;
    for (size_t i = 1; i < count + 2; i++) {
        if (i == count / 2 + 1)
            continue;
        size_t part = ARB_MIN(piece, size - at);
        message->slices[i] = (arb_rpc_slice){bytes + at, part};
        at += part;
    }
    message->size = size;
    return message;
}

static uint8_t body_a[1000] ARB_ALIGNED(64), body_b[8] ARB_ALIGNED(64);

static arb_rpc_message *sample(arb_str descriptor)
{
    arb_rpc_message *message;
    arb_error error = {0};
    for (size_t i = 0; i < sizeof body_a; i++)
        body_a[i] = (uint8_t)(i * 7);
    memset(body_b, 0xBB, sizeof body_b);
    const arb_rpc_slice body[] = {{body_a, sizeof body_a}, {body_b, sizeof body_b}};
    const arb_flight_parts parts = {.descriptor = descriptor,
                                    .header = ARB_STR("the header\0with a zero"),
                                    .app_metadata = ARB_STR("app"),
                                    .body = body,
                                    .body_count = 2};
    assert_int_equal(arb_flight_data_write(&parts, count_release, NULL, &message, &error), ARB_OK);
    return message;
}

static uint8_t *flat(const arb_rpc_message *message)
{
    uint8_t *bytes = malloc(message->size + 1), *at = bytes;
    for (size_t i = 0; i < message->slice_count; at += message->slices[i++].size)
        memcpy(at, message->slices[i].data, message->slices[i].size);
    return bytes;
}

static void expect_sample(const arb_flight_data *data, arb_str descriptor)
{
    assert_true(arb_str_equal(data->descriptor, descriptor));
    assert_true(arb_str_equal(data->header, ARB_STR("the header\0with a zero")));
    assert_true(arb_str_equal(data->app_metadata, ARB_STR("app")));
    assert_int_equal(data->body.size, sizeof body_a + sizeof body_b);
    assert_memory_equal(data->body.data, body_a, sizeof body_a);
    assert_memory_equal(data->body.data + sizeof body_a, body_b, sizeof body_b);
    assert_int_equal((uintptr_t)data->body.data % 8, 0);
}

static void the_generated_code_reads_what_we_write(void **state)
{
    (void)state;
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    descriptor.cmd = (ProtobufCBinaryData){3, (uint8_t *)"cmd"};
    uint8_t packed[32];
    arb_str packed_text = {(char *)packed, arrow__flight__protocol__flight_descriptor__pack(&descriptor, packed)};
    released = 0;
    arb_rpc_message *message = sample(packed_text);
    uint8_t *bytes = flat(message);
    Arrow__Flight__Protocol__FlightData *read =
        arrow__flight__protocol__flight_data__unpack(NULL, message->size, bytes);
    assert_non_null(read);
    assert_int_equal(read->flight_descriptor->cmd.len, 3);
    assert_int_equal(read->data_header.len, 22);
    assert_int_equal(read->data_body.len, 1008);
    assert_memory_equal(read->data_body.data, body_a, sizeof body_a);
    /* And the other way. */
    size_t size = arrow__flight__protocol__flight_data__get_packed_size(read);
    assert_int_equal(size, message->size);
    uint8_t *again = malloc(size);
    arrow__flight__protocol__flight_data__pack(read, again);
    assert_memory_equal(again, bytes, size);
    arb_rpc_message_unref(message);
    assert_int_equal(released, 1);
    message = in_pieces(again, size, size);
    arb_flight_data data;
    arb_error error = {0};
    assert_int_equal(arb_flight_data_read(message, &data, &error), ARB_OK);
    expect_sample(&data, packed_text);
    arb_flight_data_reset(&data);
    arb_rpc_message_unref(message);
    arrow__flight__protocol__flight_data__free_unpacked(read, NULL);
    free(again);
    free(bytes);
}

static void pieces_of_any_size(void **state)
{
    (void)state;
    arb_rpc_message *whole = sample((arb_str){"", 0});
    uint8_t *bytes = flat(whole);
    for (size_t piece = 1; piece <= whole->size; piece = piece < 40 ? piece + 1 : piece * 2) {
        arb_rpc_message *message = in_pieces(bytes, whole->size, piece);
        arb_flight_data data;
        arb_error error = {0};
        assert_int_equal(arb_flight_data_read(message, &data, &error), ARB_OK);
        arb_rpc_message_unref(message); /* the data has a count */
        expect_sample(&data, (arb_str){NULL, 0});
        assert_null(data.descriptor.data);
        arb_flight_data_reset(&data);
    }
    free(bytes);
    arb_rpc_message_unref(whole);
}

static void an_aligned_body_stays_where_it_is(void **state)
{
    (void)state;
    const arb_rpc_slice body = {body_a, sizeof body_a};
    const arb_flight_parts parts = {.header = ARB_STR("h"), .body = &body, .body_count = 1};
    arb_rpc_message *message;
    arb_flight_data data;
    arb_error error = {0};
    released = 0;
    assert_int_equal(arb_flight_data_write(&parts, count_release, NULL, &message, &error), ARB_OK);
    assert_int_equal(arb_flight_data_read(message, &data, &error), ARB_OK);
    assert_ptr_equal(data.body.data, body_a);
    arb_arrow_buffer kept = arb_arrow_buffer_ref(&data.body);
    arb_flight_data_reset(&data);
    arb_rpc_message_unref(message);
    assert_int_equal(released, 0);
    arb_arrow_buffer_reset(&kept);
    assert_int_equal(released, 1);
}

static arb_code read_bytes(const char *bytes, size_t size, arb_flight_data *data, arb_error *error)
{
    uint8_t *copy = malloc(size + (size == 0)); /* so that the sanitizer sees its end */
    if (size != 0)
        memcpy(copy, bytes, size);
    *error = (arb_error){0};
    arb_rpc_message *message = in_pieces(copy, size, size + 1);
    arb_code code = arb_flight_data_read(message, data, error);
    if (code == ARB_OK) {
        arb_arrow_buffer_reset(&data->body);
        data->header.data = data->app_metadata.data = data->descriptor.data = NULL;
        arb_flight_data_reset(data);
    }
    arb_rpc_message_unref(message);
    free(copy);
    return code;
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        arb_str bytes;
        const char *piece; /* of the message, NULL: it is sound */
    } cases[] = {
        {{"", 0}, NULL},
        {ARB_STR("\x12\x02hi"), NULL},
        {ARB_STR("\x12\x02hi\x12\x03you"), NULL},                   /* twice */
        {ARB_STR("\xC2\x3E\x01x\xC2\x3E\x00\xC2\x3E\x02yz"), NULL}, /* the body, three times */
        {ARB_STR("\x20\x05\x2D"
                 "abcd\x31"
                 "abcdefgh\x3A\x01x"),
         NULL}, /* unknown ones of each kind */
        {ARB_STR("\x12\x03hi"), "longer than the message"},
        {ARB_STR("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), "longer than the message"},
        {ARB_STR("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), "does not end"},
        {ARB_STR("\x12"), "ends within a number"},
        {ARB_STR("\xC2"), "ends within a number"},
        {ARB_STR("\x10\x01"), "of another type"},
        {ARB_STR("\x02\x01x"), "no number"},
        {ARB_STR("\x23\x24"), "not used any more"},
        {ARB_STR("\x26"), "not used any more"},
        {ARB_STR("\x3A\x05x"), "longer than the message"},
        {ARB_STR("\x31"
                 "abc"),
         "longer than the message"},
    };
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++) {
        arb_flight_data data;
        arb_error error;
        arb_code code = read_bytes(cases[i].bytes.data, cases[i].bytes.size, &data, &error);
        if (code != (cases[i].piece == NULL ? ARB_OK : ARB_CORRUPT_DATA))
            fail_msg("case %zu: %s", i, error.message);
        if (cases[i].piece != NULL)
            assert_non_null(strstr(error.message, cases[i].piece));
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static void damaged_messages_are_read_or_refused(void **state)
{
    (void)state;
    arb_rpc_message *whole = sample(ARB_STR("\x12\x03"
                                            "cmd"));
    uint8_t *bytes = flat(whole);
    int refused = 0;
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        uint64_t random = seed * 0x9E3779B97F4A7C15;
        size_t size = seed % 3 == 0 ? next_random(&random) % whole->size : whole->size;
        uint8_t *copy = malloc(size + 1);
        memcpy(copy, bytes, size);
        for (int change = 0; size > 0 && change < (int)(seed % 4) + 1; change++) {
            size_t at = next_random(&random) % (seed % 2 ? ARB_MIN(size, (size_t)48) : size);
            copy[at] = (uint8_t)next_random(&random);
        }
        arb_rpc_message *message = in_pieces(copy, size, 1 + next_random(&random) % 400);
        arb_flight_data data;
        arb_error error = {0};
        arb_code code = arb_flight_data_read(message, &data, &error);
        assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA);
        refused += code != ARB_OK;
        if (code == ARB_OK) {
            /* Everything that it gives can be looked at. */
            volatile uint8_t sum = 0;
            for (size_t i = 0; i < data.body.size; i++)
                sum = (uint8_t)(sum + data.body.data[i]);
            for (size_t i = 0; i < data.header.size; i++)
                sum = (uint8_t)(sum + (uint8_t)data.header.data[i]);
            assert_true(data.body.size + data.header.size <= size);
            arb_flight_data_reset(&data);
        }
        arb_rpc_message_unref(message);
        free(copy);
    }
    assert_true(refused > 1000);
    free(bytes);
    arb_rpc_message_unref(whole);
}

static void failing_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    arb_rpc_message *whole = sample((arb_str){"", 0});
    uint8_t *bytes = flat(whole);
    arb_rpc_message *message = in_pieces(bytes, whole->size, 7);
    arb_code code = ARB_OUT_OF_MEMORY;
    uint64_t n = 1;
    for (; code != ARB_OK; n++) {
        arb_flight_data data;
        arb_error error = {0};
        arb_alloc_fail_at(n, true);
        code = arb_flight_data_read(message, &data, &error);
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        if (code == ARB_OK)
            arb_flight_data_reset(&data);
    }
#ifdef ARB_FAILPOINTS
    assert_true(n > 2);
#endif
    arb_rpc_message_unref(message);
    free(bytes);
    arb_rpc_message_unref(whole);
}

static void schemas_go_there_and_back(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema, *back;
    arb_text bytes = {0}, framed = {0};
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    ASSERT_OK(arb_flight_schema_write(schema, &bytes, &error));
    assert_int_equal(bytes.size % 8, 0);
    ASSERT_OK(arb_flight_schema_frame((arb_str){bytes.data + 8, bytes.size - 8}, &framed, &error));
    assert_true(arb_str_equal(arb_text_view(&framed), arb_text_view(&bytes)));
    arb_text_reset(&framed);
    ASSERT_OK(arb_flight_schema_read(arb_text_view(&bytes), &back, &error));
    assert_int_equal(back->root.child_count, schema->root.child_count);
    arb_arrow_schema_unref(back);
    ASSERT_OK(arb_flight_schema_read((arb_str){bytes.data + 4, bytes.size - 4}, &back, &error)); /* before 0.15 */
    arb_arrow_schema_unref(back);
    for (size_t size = 0; size < bytes.size - 8; size += 3) { /* the last 8 may be padding */
        char *cut = malloc(size + 1);
        memcpy(cut, bytes.data, size);
        assert_int_equal(arb_flight_schema_read((arb_str){cut, size}, &back, &error), ARB_CORRUPT_DATA);
        assert_null(back);
        free(cut);
    }
    arb_arrow_schema_unref(schema);
    arb_text_reset(&bytes);
}

typedef struct sent_batches {
    ARB_VEC(arb_rpc_message *) messages;
} sent_batches;

static arb_code send_encoded(void *context, const arb_ipc_encoded *encoded, arb_error *error)
{
    sent_batches *sent = context;
    arb_rpc_message *message;
    ARB_TRY(arb_flight_data_write_ipc(encoded, (arb_str){"", 0}, &message, error));
    if (ARB_VEC_PUSH(&sent->messages, message))
        return ARB_OK;
    arb_rpc_message_unref(message);
    return arb_fail_memory(error, "the test's list", 8);
}

/* Batches of every type: encoded, sent in pieces as a network would deliver them, decoded. */
static void batches_of_every_type(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_arrow_schema *schema;
    arb_arrow_array *array, *back = NULL;
    arb_ipc_encoder *encoder;
    arb_ipc_decoder *decoder;
    sent_batches sent = {0};
    ASSERT_OK(sample_schema(SAMPLE_FIRST, SAMPLE_LAST, &schema, &error));
    ASSERT_OK(sample_array(schema, 500, 3, &array, &error));
    ASSERT_OK(arb_ipc_encoder_create(schema, NULL, (arb_ipc_outlet){send_encoded, &sent}, &encoder, &error));
    ASSERT_OK(arb_ipc_encoder_schema(encoder, &error));
    ASSERT_OK(arb_ipc_encoder_batch(encoder, array, &error));
    ASSERT_OK(arb_ipc_decoder_create(NULL, &decoder, &error));
    for (size_t i = 0; i < sent.messages.size; i++) {
        uint8_t *bytes = flat(sent.messages.data[i]);
        arb_rpc_message *message = in_pieces(bytes, sent.messages.data[i]->size, 1000);
        arb_flight_data data;
        arb_ipc_message ipc;
        ASSERT_OK(arb_flight_data_read(message, &data, &error));
        ASSERT_OK(arb_ipc_message_read((const uint8_t *)data.header.data, data.header.size, &ipc, &error));
        if (ipc.type == HEADER_SCHEMA)
            ASSERT_OK(arb_ipc_decoder_set_schema(decoder, &ipc.header, &error));
        else
            ASSERT_OK(arb_ipc_decoder_push(decoder, &ipc, &data.body, &back, &error));
        arb_flight_data_reset(&data);
        arb_rpc_message_unref(message);
        free(bytes);
    }
    assert_non_null(back);
    assert_true(arb_arrow_array_equal(array, back));
    arb_arrow_array_unref(back);
    arb_arrow_array_unref(array);
    for (size_t i = 0; i < sent.messages.size; i++)
        arb_rpc_message_unref(sent.messages.data[i]);
    ARB_VEC_RESET(&sent.messages);
    arb_ipc_decoder_destroy(decoder);
    arb_ipc_encoder_destroy(encoder);
    arb_arrow_schema_unref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generated_code_reads_what_we_write),
        cmocka_unit_test(pieces_of_any_size),
        cmocka_unit_test(an_aligned_body_stays_where_it_is),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(damaged_messages_are_read_or_refused),
        cmocka_unit_test(failing_allocations_leave_nothing_behind),
        cmocka_unit_test(schemas_go_there_and_back),
        cmocka_unit_test(batches_of_every_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
