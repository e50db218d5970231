/* The stages that statements become, compared with test/golden/stages.txt; and that they are right whatever the options:
 * each graph is valid. The golden file has a statement a paragraph, after "> ", and the graph that it shall become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/session.h"
#include "optimizer/distribute.h"

static const char *const set_up[] = {
    "CREATE TABLE t AS SELECT x::INTEGER AS a, 'text ' || x AS b, x * 1.5 AS c FROM range(3000) r(x)",
    "CREATE TABLE u AS SELECT (x % 100)::INTEGER AS a, 'group ' || x % 7 AS g FROM range(5000) r(x)",
    "CREATE TABLE w AS SELECT x AS a, x * 4000000000 AS k FROM range(3000) r(x)",
    "CREATE TABLE n AS SELECT x % 100 AS k, x AS v FROM range(5000) r(x)",
};

typedef struct fixture {
    arb_runtime *runtime;
    arb_session *session;
    arb_distribute_options options;
    arb_text graph; /* of the last query */
} fixture;

static arb_code print_graph(void *context, const arb_run_request *request, arb_query_run **out_run, arb_error *error)
{
    fixture *f = context;
    arb_arena arena = {0};
    const arb_stage_graph *graph;
    ARB_TRY(arb_distribute(&arena, request->plan, &f->options, &graph, error));
    ARB_TRY(arb_stage_graph_validate(graph, error));
    arb_text_clear(&f->graph);
    arb_stage_graph_print(&f->graph, NULL, graph, NULL, NULL);
    arb_arena_reset(&arena);
    return arb_local_runner.start(NULL, request, out_run, error);
}

static void run(arb_session *session, const char *sql)
{
    arb_error error = {0};
    arb_result *result = NULL;
    if (arb_session_execute(session, arb_str_of(sql), &result, &error) != ARB_OK)
        fail_msg("%s: %s", sql, error.message);
    arb_result_destroy(result);
}

static int start(void **state)
{
    static fixture f;
    arb_error error = {0};
    arb_runtime_options options = {.threads = 2};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    for (size_t i = 0; i < ARB_COUNT_OF(set_up); i++)
        run(f.session, set_up[i]);
    arb_query_runner runner = {.context = &f, .start = print_graph};
    arb_session_set_runner(f.session, &runner);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    fixture *f = *state;
    arb_text_reset(&f->graph);
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    return 0;
}

static char *read_golden(void)
{
    FILE *file = fopen(ARB_SOURCE_DIR "/test/golden/stages.txt", "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 16);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

/* The statement behind "> ", to the end of its line, and what follows up to the next one. */
static bool next_case(char **at, char **out_sql, char **out_expected)
{
    char *start = strstr(*at, "> ");
    if (start == NULL)
        return false;
    *out_sql = start + 2;
    char *end = strchr(*out_sql, '\n');
    assert_non_null(end);
    *end = '\0';
    *out_expected = end + 1;
    char *next = strstr(end + 1, "\n> ");
    *at = next == NULL ? *out_expected + strlen(*out_expected) : next + 1;
    if (next != NULL)
        *next = '\0';
    return true;
}

static void statements_become_these_stages(void **state)
{
    fixture *f = *state;
    char *golden = read_golden(), *at = golden, *sql, *expected;
    size_t cases = 0;
    f->options = (arb_distribute_options){.slots = 2, .broadcast_bytes = 4000, .always = true};
    for (; next_case(&at, &sql, &expected); cases++) {
        run(f->session, sql);
        arb_str got = arb_text_view(&f->graph), wanted = arb_str_of(expected);
        while (wanted.size != 0 && wanted.data[wanted.size - 1] == '\n')
            wanted.size--;
        while (got.size != 0 && got.data[got.size - 1] == '\n')
            got.size--;
        if (!arb_str_equal(got, wanted))
            fail_msg("> %s\n%.*s", sql, ARB_STR_ARGS(got));
    }
    assert_true(cases >= 15);
    free(golden);
}

static void every_graph_is_valid(void **state)
{
    static const uint32_t slots[] = {1, 2, 7, 64};
    static const uint64_t broadcasts[] = {0, 1000, UINT64_MAX};
    fixture *f = *state;
    for (size_t s = 0; s < ARB_COUNT_OF(slots); s++)
        for (size_t b = 0; b < ARB_COUNT_OF(broadcasts); b++) {
            char *golden = read_golden(), *at = golden, *sql, *expected;
            f->options =
                (arb_distribute_options){.slots = slots[s], .broadcast_bytes = broadcasts[b], .always = s % 2 == 0};
            while (next_case(&at, &sql, &expected))
                run(f->session, sql);
            free(golden);
        }
}

/* Lists and structs leave a stage packed, also one that is the whole plan. */
static void nested_results_are_packed(void **state)
{
    fixture *f = *state;
    for (int always = 0; always < 2; always++) {
        f->options = (arb_distribute_options){.slots = 2, .always = always == 1};
        run(f->session, "SELECT * FROM '" ARB_SOURCE_DIR "/test/sql/data/nested.parquet'");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_become_these_stages),
        cmocka_unit_test(every_graph_is_valid),
        cmocka_unit_test(nested_results_are_packed),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
