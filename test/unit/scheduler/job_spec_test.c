/* Jobs in their lasting form, and what is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "scheduler/job_spec.h"
#include "scheduler/record.h"

static arb_error error;

static void encode_sample(arb_text *out)
{
    static const arb_stage_input inputs[] = {{0, ARB_INPUT_PARTITION}, {0, ARB_INPUT_FACTS}};
    static const arb_str payloads[] = {{"splits 1", 8}, {"", 0}, {"\0\x80", 2}};
    static const uint64_t bytes[] = {1, UINT64_MAX, 0}, roots[] = {1, 2, 3};
    static const arb_str names[] = {{"lake", 4}, {"attic", 5}};
    const arb_stage_spec stages[] = {{.plan = ARB_STR("hash 1"),
                                      .task_count = 3,
                                      .payloads = payloads,
                                      .task_bytes = bytes,
                                      .task_roots = roots,
                                      .may_differ = true,
                                      .publishes_facts = true,
                                      .row_limit = 100,
                                      .memory = 1 << 30,
                                      .drivers = 4},
                                     {.plan = ARB_STR("hash 2"),
                                      .task_count = 2,
                                      .inputs = inputs,
                                      .input_count = 2,
                                      .wants_own_facts = true,
                                      .row_limit = -1}};
    const arb_job_spec spec = {.text = ARB_STR("SELECT"),
                               .user = ARB_STR("me"),
                               .settings = ARB_STR("x=y"),
                               .name = ARB_STR("of 16\0bytes"),
                               .result = ARB_STR("columns"),
                               .read_only = true,
                               .roots = names,
                               .root_count = 2,
                               .stages = stages,
                               .stage_count = 2};
    assert_int_equal(arb_job_spec_encode(&spec, out, &error), ARB_OK);
}

static void a_job_comes_back_as_it_was(void **state)
{
    (void)state;
    arb_text bytes = {0}, again = {0};
    arb_arena arena = {0};
    arb_job_spec spec;
    encode_sample(&bytes);
    assert_int_equal(arb_job_spec_decode(arb_text_view(&bytes), &arena, &spec, &error), ARB_OK);
    assert_true(arb_str_equal(spec.name, ARB_STR("of 16\0bytes")) && arb_str_equal(spec.result, ARB_STR("columns")));
    assert_int_equal(spec.stages[0].row_limit, 100);
    assert_int_equal(spec.stages[1].row_limit, -1);
    assert_true(spec.stages[0].task_bytes[1] == UINT64_MAX);
    assert_int_equal(spec.stages[0].payloads[2].size, 2);
    assert_null(spec.stages[1].payloads);
    assert_int_equal(spec.stages[1].inputs[1].mode, ARB_INPUT_FACTS);
    assert_int_equal(arb_job_spec_encode(&spec, &again, &error), ARB_OK);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    arb_text_reset(&bytes);
    arb_text_reset(&again);
    arb_arena_reset(&arena);
}

/* The store would refuse it each time, and end the job of every other record in the same batch. */
static void what_the_store_cannot_take_is_refused(void **state)
{
    (void)state;
    enum { TASKS = 256, NUMBERS = 9000000 };
    arb_text bytes = {0};
    static char text[ARB_JOB_RECORD_MOST / TASKS];
    static arb_str payloads[TASKS];
    for (int i = 0; i < TASKS; i++)
        payloads[i] = (arb_str){text, sizeof text};
    arb_stage_spec stage = {.task_count = TASKS, .payloads = payloads, .row_limit = -1};
    arb_job_spec spec = {.stages = &stage, .stage_count = 1};
    assert_int_equal(arb_job_spec_check(&spec, &error), ARB_OK);
    spec.text = (arb_str){text, ARB_JOB_RECORD_MOST % TASKS + 1};
    assert_int_equal(arb_job_spec_check(&spec, &error), ARB_LIMIT_EXCEEDED);
    uint64_t *numbers = arb_alloc(NUMBERS * sizeof *numbers); /* of ten bytes each, and three such columns */
    memset(numbers, 0xFF, NUMBERS * sizeof *numbers);
    stage = (arb_stage_spec){.task_count = NUMBERS, .task_bytes = numbers, .row_limit = -1};
    arb_stage_spec stages[] = {stage, stage, stage};
    spec = (arb_job_spec){.stages = stages, .stage_count = 3};
    assert_int_equal(arb_job_spec_check(&spec, &error), ARB_OK);
    assert_int_equal(arb_job_spec_encode(&spec, &bytes, &error), ARB_LIMIT_EXCEEDED);
    arb_text_reset(&bytes);
    arb_free(numbers);
}

/* Of exact size, so that a sanitizer sees each byte read too much. */
static arb_code decode_copy(const char *data, size_t size, arb_job_spec *out_spec, arb_arena *arena)
{
    char *copy = arb_alloc(size);
    memcpy(copy, data, size);
    arb_code code = arb_job_spec_decode((arb_str){copy, size}, arena, out_spec, &error);
    arb_free(copy);
    return code;
}

static void cut_and_changed_records_are_refused(void **state)
{
    (void)state;
    arb_text bytes = {0};
    arb_job_spec spec;
    uint64_t random = 3;
    encode_sample(&bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        arb_arena arena = {0};
        assert_int_equal(decode_copy(bytes.data, size, &spec, &arena), ARB_CORRUPT_DATA);
        arb_arena_reset(&arena);
    }
    for (int round = 0; round < 20000; round++) {
        arb_arena arena = {0};
        random = random * 6364136223846793005u + 1442695040888963407u;
        char *changed = &bytes.data[(random >> 33) % bytes.size], before = *changed;
        *changed = (char)(random >> 20);
        arb_code code = decode_copy(bytes.data, bytes.size, &spec, &arena);
        assert_true(code == ARB_OK || code == ARB_CORRUPT_DATA);
        if (code == ARB_OK)
            assert_int_equal(arb_job_spec_check(&spec, &error), ARB_OK);
        *changed = before;
        arb_arena_reset(&arena);
    }
    arb_text_reset(&bytes);
}

/* A few bytes that say that millions of tasks follow cost no memory. */
static void claims_are_checked_before_memory_is_taken(void **state)
{
    (void)state;
    arb_text bytes = {0};
    arb_arena arena = {.limit = 100000};
    arb_job_spec spec;
    for (int i = 0; i < 3; i++)
        arb_record_put_number(&bytes, i == 0 ? 1 : 0);
    arb_record_put_number(&bytes, 0); /* settings */
    arb_record_put_number(&bytes, 0); /* flags */
    arb_record_put_number(&bytes, 0); /* roots */
    arb_record_put_number(&bytes, 1); /* stages */
    arb_record_put_text(&bytes, ARB_STR("plan"));
    arb_record_put_number(&bytes, 9000000); /* tasks */
    arb_record_put_number(&bytes, 0);       /* inputs */
    arb_record_put_number(&bytes, 1);       /* with payloads */
    for (int i = 0; i < 3; i++)
        arb_record_put_number(&bytes, 0);
    assert_int_equal(arb_job_spec_decode(arb_text_view(&bytes), &arena, &spec, &error), ARB_CORRUPT_DATA);
    arb_arena_reset(&arena);
    arb_text_reset(&bytes);
}

static void numbers_of_every_size_come_back(void **state)
{
    (void)state;
    arb_text bytes = {0};
    for (int bit = 0; bit < 64; bit++) {
        arb_record_put_number(&bytes, (uint64_t)1 << bit);
        arb_record_put_number(&bytes, ((uint64_t)1 << bit) - 1);
    }
    arb_record_reader reader = {.left = arb_text_view(&bytes)};
    for (int bit = 0; bit < 64; bit++) {
        assert_true(arb_record_number(&reader) == (uint64_t)1 << bit);
        assert_true(arb_record_number(&reader) == ((uint64_t)1 << bit) - 1);
    }
    assert_int_equal(arb_record_end(&reader, "a test", &error), ARB_OK);
    reader = (arb_record_reader){.left = ARB_STR("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02")};
    assert_int_equal(arb_record_number(&reader), 0);
    assert_true(reader.broken);
    arb_text_reset(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_back_as_it_was),
        cmocka_unit_test(what_the_store_cannot_take_is_refused),
        cmocka_unit_test(cut_and_changed_records_are_refused),
        cmocka_unit_test(claims_are_checked_before_memory_is_taken),
        cmocka_unit_test(numbers_of_every_size_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
