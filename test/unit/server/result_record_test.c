/* What a job's rows are, kept with the job: it comes back as it was, whatever bytes have changed are refused or give a plan that
 * is valid, and every allocation on the way may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/session.h"
#include "optimizer/distribute.h"
#include "optimizer/result_plan.h"
#include "server/result_record.h"

static const char QUERY[] =
    "SELECT x AS \"the key\", x % 7 AS x, x % 7 AS x, CAST(x AS DECIMAL(20, 3)) / 2, 'a' || x, x > 5, "
    "DATE '2000-01-01' + INTERVAL '1' DAY, NULL FROM range(10) r(x) ORDER BY 1";

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
    arb_text record;
    size_t names;
} fixture;

static arb_error error;

/* A runner that keeps the record of what it is asked for, and does not do it. */
static arb_code start(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *failure)
{
    fixture *f = context;
    arb_arena arena = {0};
    arb_distribute_options options = {.slots = 2, .always = true};
    const arb_stage_graph *graph;
    const arb_physical_plan *plan;
    *out_run = NULL;
    arb_code code = arb_distribute(&arena, request->plan, &options, &graph, failure);
    if (code == ARB_OK)
        code = arb_result_plan_create(&arena, request->plan, graph, &plan, failure);
    if (code == ARB_OK)
        code = arb_result_record_write(plan, request->names, &f->record, failure);
    if (code == ARB_OK)
        f->names = plan->column_count;
    arb_arena_reset(&arena);
    return code == ARB_OK ? arb_fail(failure, ARB_NOT_SUPPORTED, "enough") : code;
}

static int set_up(void **state)
{
    static fixture f;
    const arb_query_runner runner = {.context = &f, .start = start};
    const arb_run_origin origin = {.name = ARB_STR("a name")};
    arb_result *result;
    f = (fixture){0};
    assert_int_equal(arb_runtime_create(&(arb_runtime_options){0}, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    arb_session_set_runner(f.session, &runner);
    arb_session_set_origin(f.session, &origin);
    assert_int_equal(arb_session_execute(f.session, arb_str_of(QUERY), &result, &error), ARB_NOT_SUPPORTED);
    assert_string_equal(error.message, "enough");
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    arb_text_reset(&f->record);
    return 0;
}

static void comes_back_as_it_was(void **state)
{
    const fixture *f = *state;
    arb_arena arena = {0};
    arb_statement_facts facts;
    arb_result_record record;
    assert_int_equal(arb_session_look(f->session, arb_str_of(QUERY), &arena, &facts, &error), ARB_OK);
    assert_int_equal(arb_result_record_read(arb_text_view(&f->record), &arena, &record, &error), ARB_OK);
    assert_int_equal(record.plan->column_count, facts.columns.column_count);
    assert_int_equal(facts.columns.column_count, 8);
    for (size_t i = 0; i < facts.columns.column_count; i++) {
        assert_true(arb_str_equal(record.names[i], facts.columns.names[i]));
        assert_true(arb_type_equal(record.types[i], facts.columns.types[i]));
    }
    assert_int_equal(arb_physical_validate(record.plan, &error), ARB_OK);
    arb_arena_reset(&arena);
}

static void whatever_bytes_there_are(void **state)
{
    const fixture *f = *state;
    size_t refused = 0;
    for (size_t i = 0; i < f->record.size; i++) {
        arb_arena arena = {0};
        arb_result_record record;
        char kept = f->record.data[i];
        assert_int_not_equal(arb_result_record_read((arb_str){f->record.data, i}, &arena, &record, &error), ARB_OK);
        for (int bit = 0; bit < 8; bit++) {
            f->record.data[i] = (char)(kept ^ 1 << bit);
            arb_code code = arb_result_record_read(arb_text_view(&f->record), &arena, &record, &error);
            refused += code != ARB_OK;
            if (code == ARB_OK)
                assert_int_equal(arb_physical_validate(record.plan, &error), ARB_OK);
        }
        f->record.data[i] = kept;
        arb_arena_reset(&arena);
    }
    assert_true(refused > f->record.size);
}

static void every_allocation_may_fail(void **state)
{
    const fixture *f = *state;
    arb_code code = ARB_OUT_OF_MEMORY;
    uint64_t failing = 0;
    while (code == ARB_OUT_OF_MEMORY) {
        arb_arena arena = {0};
        arb_result_record record;
        arb_alloc_fail_at(++failing, false);
        code = arb_result_record_read(arb_text_view(&f->record), &arena, &record, &error);
        arb_alloc_fail_at(0, false);
        arb_arena_reset(&arena);
    }
    assert_int_equal(code, ARB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_bytes_there_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
