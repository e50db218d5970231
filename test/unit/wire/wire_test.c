/* Messages from bytes that may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "proto/flight.pb-c.h"
#include "wire/wire.h"

#define INFO (&arrow__flight__protocol__flight_info__descriptor)

static void pack_sample(arb_text *out)
{
    Arrow__Flight__Protocol__Ticket ticket = ARROW__FLIGHT__PROTOCOL__TICKET__INIT;
    ticket.ticket = (ProtobufCBinaryData){5, (uint8_t *)"ticke"};
    Arrow__Flight__Protocol__FlightEndpoint endpoint = ARROW__FLIGHT__PROTOCOL__FLIGHT_ENDPOINT__INIT;
    endpoint.ticket = &ticket;
    Arrow__Flight__Protocol__FlightEndpoint *endpoints[] = {&endpoint, &endpoint};
    Arrow__Flight__Protocol__FlightDescriptor descriptor = ARROW__FLIGHT__PROTOCOL__FLIGHT_DESCRIPTOR__INIT;
    char *path[] = {"a", "long path", ""};
    descriptor.type = ARROW__FLIGHT__PROTOCOL__DESCRIPTOR_TYPE__PATH;
    descriptor.n_path = 3;
    descriptor.path = path;
    Arrow__Flight__Protocol__FlightInfo info = ARROW__FLIGHT__PROTOCOL__FLIGHT_INFO__INIT;
    info.flight_descriptor = &descriptor;
    info.n_endpoint = 2;
    info.endpoint = endpoints;
    info.total_records = -1;
    info.total_bytes = 77;
    arb_error error = {0};
    assert_int_equal(arb_wire_pack(&info.base, out, &error), ARB_OK);
}

static void a_message_comes_back_as_it_was(void **state)
{
    (void)state;
    arb_text bytes = {0}, again = {0};
    arb_arena arena = {0};
    arb_error error = {0};
    ProtobufCMessage *message;
    pack_sample(&bytes);
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes.data, bytes.size, &message, &error), ARB_OK);
    const Arrow__Flight__Protocol__FlightInfo *info = (Arrow__Flight__Protocol__FlightInfo *)message;
    assert_int_equal(info->total_records, -1);
    assert_int_equal(info->n_endpoint, 2);
    assert_string_equal(info->flight_descriptor->path[1], "long path");
    assert_int_equal(arb_wire_pack(message, &again, &error), ARB_OK);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    arb_text_reset(&bytes);
    arb_text_reset(&again);
    arb_arena_reset(&arena);
}

static void unknown_fields_are_kept(void **state)
{
    (void)state;
    arb_text bytes = {0}, again = {0};
    arb_arena arena = {0};
    arb_error error = {0};
    ProtobufCMessage *message;
    pack_sample(&bytes);
    arb_text_append(&bytes, "\xC2\x3E\x03xyz", 6); /* field 1000 */
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes.data, bytes.size, &message, &error), ARB_OK);
    assert_int_equal(arb_wire_pack(message, &again, &error), ARB_OK);
    assert_int_equal(again.size, bytes.size);
    arb_text_reset(&bytes);
    arb_text_reset(&again);
    arb_arena_reset(&arena);
}

static void changed_bytes_are_refused_or_another_message(void **state)
{
    (void)state;
    arb_text bytes = {0};
    pack_sample(&bytes);
    for (size_t at = 0; at < bytes.size; at++)
        for (unsigned change = 0; change < 256; change += 5) {
            arb_arena arena = {0};
            arb_error error = {0};
            ProtobufCMessage *message;
            char *copy = malloc(bytes.size);
            memcpy(copy, bytes.data, bytes.size);
            copy[at] = (char)change;
            arb_code code = arb_wire_unpack(INFO, &arena, copy, bytes.size, &message, &error);
            assert_true((code == ARB_OK) == (message != NULL));
            free(copy);
            copy = malloc(at + 1); /* and cut off here */
            memcpy(copy, bytes.data, at);
            (void)!arb_wire_unpack(INFO, &arena, copy, at, &message, &error);
            free(copy);
            arb_arena_reset(&arena);
        }
    arb_text_reset(&bytes);
}

static void amplification_is_limited(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_error error = {0};
    ProtobufCMessage *message;
    size_t count = 4 << 20;
    char *bytes = malloc(2 * count);
    for (size_t i = 0; i < count; i++) /* empty endpoints: two bytes that become a struct each */
        memcpy(bytes + 2 * i, "\x1A\x00", 2);
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 2 * count, &message, &error), ARB_LIMIT_EXCEEDED);
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 2000, &message, &error), ARB_OK);
    memcpy(bytes, "\x1A\xFF\xFF\xFF\xFF\x0F", 6); /* a length beyond the end */
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 2000, &message, &error), ARB_CORRUPT_DATA);
    assert_non_null(strstr(error.message, "field 3 of arrow.flight.protocol.FlightInfo is longer than the message"));
    memset(bytes, 0xFF, 100); /* a number without an end */
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 100, &message, &error), ARB_CORRUPT_DATA);
    free(bytes);
    arb_arena_reset(&arena);
}

static void a_single_message_comes_once(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_error error = {0};
    ProtobufCMessage *message;
    static const char one[] = "\x12\x02\x1A\x00"; /* a descriptor with an empty part of its path */
    char bytes[8];
    memcpy(bytes, one, 4);
    memcpy(bytes + 4, one, 4);
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 4, &message, &error), ARB_OK);
    assert_int_equal(arb_wire_unpack(INFO, &arena, bytes, 8, &message, &error), ARB_CORRUPT_DATA);
    assert_non_null(strstr(error.message, "comes twice"));
    arb_arena_reset(&arena);
}

static void long_tags_and_lengths_are_damaged(void **state)
{
    (void)state;
    static const char length[] = "\x0A\x82\x80\x80\x80\x80\x00hi", tag[] = "\x8A\x80\x80\x80\x80\x00\x02hi";
    arb_arena arena = {0};
    arb_error error = {0};
    ProtobufCMessage *message;
    assert_int_equal(arb_wire_unpack(INFO, &arena, length, sizeof length - 1, &message, &error), ARB_CORRUPT_DATA);
    arb_error_clear(&error);
    assert_int_equal(arb_wire_unpack(INFO, &arena, tag, sizeof tag - 1, &message, &error), ARB_CORRUPT_DATA);
    arb_arena_reset(&arena);
}

/* A message whose only field is itself: none of ours nests without end. */
static void nesting_is_limited(void **state)
{
    (void)state;
    static ProtobufCMessageDescriptor kind;
    static const ProtobufCFieldDescriptor fields[] = {
        {.name = "inner", .id = 1, .type = PROTOBUF_C_TYPE_MESSAGE, .descriptor = &kind}};
    static const ProtobufCIntRange ranges[] = {{1, 0}, {0, 1}};
    enum { levels = 200 };
    char bytes[levels * 3];
    size_t from = sizeof bytes;
    size_t fits = 0;
    kind = (ProtobufCMessageDescriptor){.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
                                        .name = "Nested",
                                        .sizeof_message = sizeof(ProtobufCMessage) + sizeof(void *),
                                        .n_fields = 1,
                                        .fields = fields,
                                        .n_field_ranges = 1,
                                        .field_ranges = ranges};
    for (size_t level = 0; level < levels; level++) {
        arb_error error = {0};
        size_t size = sizeof bytes - from;
        from -= size < 128 ? 2 : 3;
        bytes[from] = '\x0A';
        bytes[from + 1] = (char)(size < 128 ? size : (size & 0x7F) | 0x80);
        if (size >= 128)
            bytes[from + 2] = (char)(size >> 7);
        arb_code code = arb_wire_check(&kind, bytes + from, sizeof bytes - from, &error);
        fits += code == ARB_OK;
        if (code != ARB_OK)
            assert_non_null(strstr(error.message, "is nested too deeply"));
    }
    assert_int_equal(fits, ARB_WIRE_DEPTH_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back_as_it_was),
        cmocka_unit_test(unknown_fields_are_kept),
        cmocka_unit_test(changed_bytes_are_refused_or_another_message),
        cmocka_unit_test(amplification_is_limited),
        cmocka_unit_test(a_single_message_comes_once),
        cmocka_unit_test(long_tags_and_lengths_are_damaged),
        cmocka_unit_test(nesting_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
