/* Prometheus' text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "rest/process_metrics.h"

static void families_have_heads_and_samples(void **state)
{
    (void)state;
    typedef struct numbers {
        uint64_t few, many;
    } numbers;
    static const arb_metric metrics[] = {
        {"a_few", "Few things.", ARB_METRIC_GAUGE, offsetof(numbers, few)},
        {"b_total", "Many things.", ARB_METRIC_COUNTER, offsetof(numbers, many)},
    };
    const numbers from = {3, UINT64_MAX};
    arb_text out = {0};
    arb_metrics_from(&out, metrics, ARB_COUNT_OF(metrics), &from);
    assert_string_equal(out.data,
                        "# HELP a_few Few things.\n# TYPE a_few gauge\na_few 3\n"
                        "# HELP b_total Many things.\n# TYPE b_total counter\nb_total 18446744073709551615\n");
    arb_text_reset(&out);
}

static void labels_are_escaped(void **state)
{
    (void)state;
    static const arb_metric metric = {.name = "m", .help = "h"};
    arb_text out = {0};
    arb_metrics_sample(&out, &metric, "l", ARB_STR("a\"b\\c\nd\xC3\xA4"), 1);
    arb_metrics_sample(&out, &metric, "l", ARB_STR(""), 2);
    assert_string_equal(out.data, "m{l=\"a\\\"b\\\\c\\nd\xC3\xA4\"} 1\nm{l=\"\"} 2\n");
    arb_text_clear(&out);
    arb_metrics_seconds(&out, &metric, INT64_C(1500000001));
    arb_metrics_seconds(&out, &metric, 0);
    assert_string_equal(out.data, "m 1.500000001\nm 0.000000000\n");
    arb_text_reset(&out);
}

static double sample_of(const arb_text *text, const char *line)
{
    const char *at = strstr(text->data, line);
    assert_non_null(at);
    return strtod(at + strlen(line), NULL);
}

static void a_process_says_how_it_does(void **state)
{
    (void)state;
    arb_governor governor;
    arb_text out = {0};
    arb_governor_init(&governor, 1000);
    atomic_store(&governor.used, 7);
    const arb_rest_process process = {"1 \"x\"", INT64_C(1700000000250000), &governor};
    arb_process_metrics(&out, &process);
    assert_false(out.failed);
    assert_non_null(strstr(out.data, "\narbalest_build_info{version=\"1 \\\"x\\\"\"} 1\n"));
    assert_non_null(strstr(out.data, "\nprocess_start_time_seconds 1700000000.250000000\n"));
    assert_non_null(strstr(out.data, "\narbalest_memory_used_bytes 7\n"));
    assert_non_null(strstr(out.data, "\narbalest_memory_limit_bytes 1000\n"));
    double resident = sample_of(&out, "\nprocess_resident_memory_bytes ");
    assert_true(resident > 100000 && resident <= sample_of(&out, "\nprocess_virtual_memory_bytes "));
    double files = sample_of(&out, "\nprocess_open_fds ");
    assert_true(files >= 3 && files <= sample_of(&out, "\nprocess_max_fds "));
    assert_true(sample_of(&out, "\nprocess_cpu_seconds_total ") >= 0);
    arb_text_clear(&out);
    arb_process_metrics(&out, &(arb_rest_process){"1", 0, NULL});
    assert_null(strstr(out.data, "arbalest_memory"));
    arb_text_reset(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_have_heads_and_samples),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(a_process_says_how_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
