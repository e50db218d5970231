/* The control stream's messages: what is sent comes back, whatever is changed on the way is refused or harmless, and each
 * allocation may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "proto/control.pb-c.h"
#include "scheduler/control_wire.h"
#include "wire/wire.h"

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const arb_control_header header = {
    .cluster = {1, UINT64_MAX}, .term = 7, .executor = {3, 4}, .session = 5, .sequence = 6};
#define FIRST_ATTEMPT                                                                 \
    {                                                                                 \
        .job = {7, 1}, .attempt = {7, 2}, .generation = {6, 3}, .stage = 4, .task = 5 \
    }
#define OTHER_ATTEMPT                                                                              \
    {                                                                                              \
        .job = {7, 9}, .attempt = {7, 8}, .generation = {7, 7}, .stage = UINT32_MAX, .task = 99999 \
    }
static const arb_attempt attempts[] = {FIRST_ATTEMPT, OTHER_ATTEMPT};
static const arb_held_output held[] = {{FIRST_ATTEMPT, {10, 11, TEXT("facts\0with NUL"), 12}}, {OTHER_ATTEMPT, {0}}};
static const arb_str roots[] = {TEXT("data"), TEXT("")};
static const arb_source sources[] = {
    {.task = 1,
     .attempt = {7, 2},
     .executor = {8, 9},
     .address = TEXT("host:50051"),
     .key = TEXT("secret"),
     .rows = 5,
     .bytes = 6},
    {.task = 2, .facts = TEXT("f")},
};
static const arb_error failure = {.code = ARB_DISK_FULL,
                                  .position = 3,
                                  .message = "no room",
                                  .detail = "of 5 GB",
                                  .hint = "make some",
                                  .origin = "stage 3"};

/* One message of each kind. */
static arb_to_scheduler to_scheduler(arb_to_scheduler_kind kind)
{
    arb_to_scheduler message = {.header = header, .kind = kind, .attempt = attempts[0], .output = held[0].output};
    message.failure = (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &failure};
    message.inventory = (arb_register){.address = ARB_STR("127.0.0.1:50051"),
                                       .key = ARB_STR("of tickets"),
                                       .version = ARB_STR("0.1.0"),
                                       .slots = 4,
                                       .memory = UINT64_MAX,
                                       .roots = roots,
                                       .root_count = 2,
                                       .draining = true,
                                       .previous = {1, 2},
                                       .running = attempts,
                                       .running_count = 2,
                                       .alone = {8, 9},
                                       .failed = attempts,
                                       .failed_count = 1,
                                       .held = held,
                                       .held_count = 2,
                                       .crashed = attempts + 1,
                                       .crashed_count = 1,
                                       .crashed_cluster = {5, 6}};
    return message;
}

static arb_to_executor to_executor(arb_to_executor_kind kind)
{
    arb_to_executor message = {.header = header, .kind = kind, .attempt = attempts[1], .gone = {1, 1}, .why = "no"};
    message.welcome = (arb_welcome){1, 2, 3};
    message.launch = (arb_launch){.plan = ARB_STR("hash"),
                                  .settings = ARB_STR("s"),
                                  .payload = ARB_STR("payload"),
                                  .sources_version = 1,
                                  .drivers = 2,
                                  .memory = 3,
                                  .alone = true,
                                  .streams = true,
                                  .facts = roots,
                                  .fact_count = 2};
    message.sources = (arb_sources){.job = {7, 1},
                                    .stage = 1,
                                    .input = 2,
                                    .producer_stage = 3,
                                    .version = 4,
                                    .mode = ARB_INPUT_ALL,
                                    .sources = sources,
                                    .source_count = 2};
    return message;
}

/* Every member has another value than an absent field would give. */
static void expect_register(const arb_register *got, const arb_register *sent)
{
    assert_true(arb_str_equal(got->address, sent->address) && arb_str_equal(got->version, sent->version));
    assert_true(arb_str_equal(got->key, sent->key));
    assert_true(got->slots == sent->slots && got->memory == sent->memory && got->draining == sent->draining);
    assert_true(arb_uuid_equal(got->previous, sent->previous));
    assert_true(arb_uuid_equal(got->crashed_cluster, sent->crashed_cluster));
    assert_true(arb_id_equal(got->alone, sent->alone));
    assert_true(got->root_count == 2 && arb_str_equal(got->roots[0], roots[0]) &&
                arb_str_equal(got->roots[1], roots[1]));
    assert_true(got->running_count == 2 && got->failed_count == 1 && got->crashed_count == 1 && got->held_count == 2);
    assert_memory_equal(got->running, attempts, sizeof attempts);
    assert_memory_equal(got->failed, attempts, sizeof attempts[0]);
    assert_memory_equal(got->crashed, attempts + 1, sizeof attempts[1]);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(&got->held[i].attempt, &held[i].attempt, sizeof held[i].attempt);
        assert_true(got->held[i].output.rows == held[i].output.rows &&
                    got->held[i].output.bytes == held[i].output.bytes &&
                    got->held[i].output.memory == held[i].output.memory);
        assert_true(arb_str_equal(got->held[i].output.facts, held[i].output.facts));
    }
}

static void expect_launch(const arb_launch *got, const arb_launch *sent)
{
    assert_true(arb_str_equal(got->plan, sent->plan) && arb_str_equal(got->settings, sent->settings));
    assert_true(arb_str_equal(got->payload, sent->payload) && got->sources_version == sent->sources_version);
    assert_true(got->drivers == sent->drivers && got->memory == sent->memory);
    assert_true(got->alone && got->streams && got->fact_count == 2 && arb_str_equal(got->facts[0], roots[0]));
}

static void expect_sources(const arb_sources *got, const arb_sources *sent)
{
    assert_true(arb_id_equal(got->job, sent->job) && got->stage == sent->stage && got->input == sent->input);
    assert_true(got->producer_stage == sent->producer_stage && got->version == sent->version &&
                got->mode == sent->mode);
    assert_int_equal(got->source_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const arb_source *a = &got->sources[i], *b = &sent->sources[i];
        assert_true(a->task == b->task && arb_id_equal(a->attempt, b->attempt) &&
                    arb_uuid_equal(a->executor, b->executor));
        assert_true(arb_str_equal(a->address, b->address) && a->rows == b->rows && a->bytes == b->bytes);
        assert_true(arb_str_equal(a->key, b->key));
        assert_true(arb_str_equal(a->facts, b->facts));
    }
}

/* Encoding what was decoded gives the same bytes, too. */
static void messages_to_the_scheduler_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind <= ARB_TO_SCHEDULER_GOODBYE; kind++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text sent = {0}, again = {0};
        arb_str wanted, token;
        arb_to_scheduler message = to_scheduler((arb_to_scheduler_kind)kind), got;
        assert_int_equal(arb_to_scheduler_encode(&message, ARB_STR("secret"), &sent, &error), ARB_OK);
        assert_int_equal(arb_to_scheduler_decode(&arena, arb_text_view(&sent), &got, &token, &wanted, &error), ARB_OK);
        assert_int_equal(got.kind, kind);
        assert_memory_equal(&got.header, &header, sizeof header);
        assert_int_equal(arb_to_scheduler_encode(&got, token, &again, &error), ARB_OK);
        assert_true(arb_str_equal(arb_text_view(&sent), arb_text_view(&again)));
        if (kind == ARB_TO_SCHEDULER_REGISTER) {
            assert_true(arb_str_equal(token, ARB_STR("secret")));
            expect_register(&got.inventory, &message.inventory);
        } else if (kind == ARB_TO_SCHEDULER_FAILED) {
            assert_memory_equal(got.failure.error, &failure, sizeof failure);
        } else if (kind == ARB_TO_SCHEDULER_PROGRESS || kind == ARB_TO_SCHEDULER_DONE) {
            assert_memory_equal(&got.attempt, &attempts[0], sizeof attempts[0]);
            assert_true(got.output.rows == 10 && got.output.bytes == 11 && got.output.memory == 12);
        }
        arb_text_reset(&sent);
        arb_text_reset(&again);
        arb_arena_reset(&arena);
    }
}

static void messages_to_an_executor_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind <= ARB_TO_EXECUTOR_MAY_GO; kind++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text sent = {0}, again = {0};
        arb_chunk chunk;
        bool is_chunk;
        arb_to_executor message = to_executor((arb_to_executor_kind)kind), got;
        assert_int_equal(arb_to_executor_encode(&message, &sent, &error), ARB_OK);
        assert_int_equal(arb_to_executor_decode(&arena, arb_text_view(&sent), &is_chunk, &got, &chunk, &error), ARB_OK);
        assert_false(is_chunk);
        assert_int_equal(got.kind, kind);
        assert_int_equal(arb_to_executor_encode(&got, &again, &error), ARB_OK);
        assert_true(arb_str_equal(arb_text_view(&sent), arb_text_view(&again)));
        if (kind == ARB_TO_EXECUTOR_LAUNCH)
            expect_launch(&got.launch, &message.launch);
        else if (kind == ARB_TO_EXECUTOR_SOURCES)
            expect_sources(&got.sources, &message.sources);
        else if (kind == ARB_TO_EXECUTOR_WELCOME)
            assert_memory_equal(&got.welcome, &message.welcome, sizeof got.welcome);
        else if (kind == ARB_TO_EXECUTOR_REFUSED)
            assert_string_equal(got.why, "no");
        else if (kind == ARB_TO_EXECUTOR_GONE)
            assert_true(arb_uuid_equal(got.gone, message.gone));
        if (kind >= ARB_TO_EXECUTOR_SEEN && kind <= ARB_TO_EXECUTOR_DELETE)
            assert_memory_equal(&got.attempt, &attempts[1], sizeof attempts[1]);
        arb_text_reset(&sent);
        arb_text_reset(&again);
        arb_arena_reset(&arena);
    }
}

static void reading_failures_name_the_producer(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_text sent = {0};
    arb_str wanted, token;
    arb_to_scheduler message = to_scheduler(ARB_TO_SCHEDULER_FAILED), got;
    message.failure = (arb_failure){.kind = ARB_FAILURE_READ,
                                    .read = ARB_READ_UNREACHABLE,
                                    .producer_stage = 1,
                                    .producer_task = 2,
                                    .producer_attempt = {3, 4}};
    assert_int_equal(arb_to_scheduler_encode(&message, ARB_STR(""), &sent, &error), ARB_OK);
    assert_int_equal(arb_to_scheduler_decode(&arena, arb_text_view(&sent), &got, &token, &wanted, &error), ARB_OK);
    assert_memory_equal(&got.failure, &message.failure, sizeof got.failure);
    arb_text_reset(&sent);
    arb_arena_reset(&arena);
}

static void chunks_lie_within_their_whole(void **state)
{
    (void)state;
    static const arb_chunk chunks[] = {
        {TEXT("h"), 10, 4, TEXT("456789")}, {TEXT("h"), 10, 5, TEXT("456789")}, {TEXT("h"), 10, 11, TEXT("")},
        {TEXT(""), 10, 4, TEXT("456789")},  {TEXT("h"), 0, 0, TEXT("")},
    };
    static const bool fits[] = {true, false, false, false, true};
    for (size_t i = 0; i < ARB_COUNT_OF(chunks); i++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text sent = {0};
        arb_to_executor message;
        arb_chunk got;
        bool is_chunk;
        assert_int_equal(arb_chunk_encode(&chunks[i], &sent, &error), ARB_OK);
        arb_code code = arb_to_executor_decode(&arena, arb_text_view(&sent), &is_chunk, &message, &got, &error);
        assert_int_equal(code, fits[i] ? ARB_OK : ARB_CORRUPT_DATA);
        if (fits[i])
            assert_true(is_chunk && got.offset == chunks[i].offset && arb_str_equal(got.bytes, chunks[i].bytes));
        arb_text_reset(&sent);
        arb_arena_reset(&arena);
    }
}

static void plans_are_asked_for_by_their_hash(void **state)
{
    (void)state;
    static const arb_str hash = TEXT("hash\0with NUL");
    arb_arena arena = {0};
    arb_error error = {0};
    arb_text sent = {0};
    arb_str wanted, token;
    arb_to_scheduler got;
    assert_int_equal(arb_wanted_encode(hash, &sent, &error), ARB_OK);
    assert_int_equal(arb_to_scheduler_decode(&arena, arb_text_view(&sent), &got, &token, &wanted, &error), ARB_OK);
    assert_true(arb_str_equal(wanted, hash));
    arb_text_clear(&sent);
    arb_to_scheduler beat = to_scheduler(ARB_TO_SCHEDULER_HEARTBEAT);
    assert_int_equal(arb_to_scheduler_encode(&beat, ARB_STR(""), &sent, &error), ARB_OK);
    assert_int_equal(arb_to_scheduler_decode(&arena, arb_text_view(&sent), &got, &token, &wanted, &error), ARB_OK);
    assert_int_equal(wanted.size, 0);
    arb_text_reset(&sent);
    arb_arena_reset(&arena);
}

static void changed_messages_do_no_harm(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    size_t refused = 0;
    for (size_t round = 0; round < 20000; round++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text sent = {0};
        bool up = round % 2 == 0, is_chunk;
        arb_str wanted, token;
        arb_to_scheduler a = to_scheduler((arb_to_scheduler_kind)(round / 2 % (ARB_TO_SCHEDULER_GOODBYE + 1)));
        arb_to_executor b = to_executor((arb_to_executor_kind)(round / 2 % (ARB_TO_EXECUTOR_MAY_GO + 1)));
        arb_chunk chunk;
        assert_int_equal(up ? arb_to_scheduler_encode(&a, ARB_STR("t"), &sent, &error)
                            : arb_to_executor_encode(&b, &sent, &error),
                         ARB_OK);
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t size = round % 5 == 0 ? (size_t)(random % sent.size) : sent.size;
        sent.data[(random >> 20) % sent.size] ^= (char)(1 + (random >> 50) % 255);
        char *bytes = malloc(size + 1);
        memcpy(bytes, sent.data, size);
        arb_code code = up ? arb_to_scheduler_decode(&arena, (arb_str){bytes, size}, &a, &token, &wanted, &error)
                           : arb_to_executor_decode(&arena, (arb_str){bytes, size}, &is_chunk, &b, &chunk, &error);
        assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED ||
                    code == ARB_NOT_SUPPORTED);
        refused += code != ARB_OK;
        free(bytes); /* what was decoded does not refer to it */
        if (code == ARB_OK && up && a.kind == ARB_TO_SCHEDULER_REGISTER)
            for (size_t i = 0; i < a.inventory.held_count; i++)
                random += arb_str_equal(a.inventory.held[i].output.facts, token);
        arb_text_reset(&sent);
        arb_arena_reset(&arena);
    }
    assert_true(refused > 1000);
}

static void allocations_fail(void **state)
{
    (void)state;
    uint64_t count = 0, failures = 0;
    for (uint64_t n = 0; n <= count; n++) {
        arb_arena arena = {0};
        arb_error error = {0};
        arb_text sent = {0};
        arb_str wanted, token;
        arb_to_scheduler message = to_scheduler(ARB_TO_SCHEDULER_REGISTER), got;
        arb_alloc_fail_at(n, false);
        arb_code code = arb_to_scheduler_encode(&message, ARB_STR("t"), &sent, &error);
        if (code == ARB_OK)
            code = arb_to_scheduler_decode(&arena, arb_text_view(&sent), &got, &token, &wanted, &error);
        count = n == 0 ? arb_alloc_count() : count;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        failures += code != ARB_OK;
        arb_text_reset(&sent);
        arb_arena_reset(&arena);
    }
#ifdef ARB_FAILPOINTS
    assert_true(failures >= 3);
#else
    assert_int_equal(failures, 0);
#endif
}

/* What it says is not read: it may mean anything. Who it is must be known all the same, to be told. */
static void another_version_is_not_read(void **state)
{
    (void)state;
    arb_arena arena = {0};
    arb_error error = {0};
    arb_text sent = {0}, changed = {0};
    arb_str wanted, token;
    ProtobufCMessage *unpacked;
    arb_to_scheduler message = to_scheduler(ARB_TO_SCHEDULER_REGISTER), got;
    assert_int_equal(arb_to_scheduler_encode(&message, ARB_STR("secret"), &sent, &error), ARB_OK);
    assert_int_equal(
        arb_wire_unpack(&arbalest__control__to_scheduler__descriptor, &arena, sent.data, sent.size, &unpacked, &error),
        ARB_OK);
    ((Arbalest__Control__ToScheduler *)unpacked)->inventory->protocol++;
    assert_int_equal(arb_wire_pack(unpacked, &changed, &error), ARB_OK);
    assert_int_equal(arb_to_scheduler_decode(&arena, arb_text_view(&changed), &got, &token, &wanted, &error),
                     ARB_NOT_SUPPORTED);
    assert_memory_equal(&got.header, &header, sizeof header);
    assert_int_equal(got.kind, ARB_TO_SCHEDULER_REGISTER);
    assert_true(token.size == 0 && got.inventory.slots == 0);
    arb_text_reset(&sent);
    arb_text_reset(&changed);
    arb_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_to_the_scheduler_come_back), cmocka_unit_test(messages_to_an_executor_come_back),
        cmocka_unit_test(reading_failures_name_the_producer),  cmocka_unit_test(chunks_lie_within_their_whole),
        cmocka_unit_test(plans_are_asked_for_by_their_hash),   cmocka_unit_test(changed_messages_do_no_harm),
        cmocka_unit_test(another_version_is_not_read),         cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
