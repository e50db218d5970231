/* Routes, and what a path may be; numbers in queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/http_failure.h"
#include "http/http_route.h"

static arb_code nothing(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error)
{
    (void)context, (void)request, (void)response, (void)error;
    return ARB_OK;
}

static const arb_http_route table[] = {
    {"GET", "/healthz", nothing},
    {"GET", "/api/jobs", nothing},
    {"GET", "/api/job/{id}", nothing},
    {"PATCH", "/api/job/{id}", nothing},
    {"GET", "/api/job/{id}/stage/{n}/tasks", nothing},
    {"POST", "/api/job", nothing},
};
static const arb_http_routes routes = {table, ARB_COUNT_OF(table)};

static const arb_http_route *find(const char *method, const char *path, arb_http_request *request, char allowed[64])
{
    *request = (arb_http_request){.method = arb_str_of(method), .path = arb_str_of(path)};
    return arb_http_route_find(routes, request, allowed);
}

static void routes_are_found(void **state)
{
    (void)state;
    arb_http_request request;
    char allowed[64];
    assert_ptr_equal(find("GET", "/healthz", &request, allowed), &table[0]);
    assert_ptr_equal(find("HEAD", "/healthz", &request, allowed), &table[0]);
    assert_ptr_equal(find("GET", "/api/job/1.22", &request, allowed), &table[2]);
    assert_int_equal(request.parameter_count, 1);
    assert_true(arb_str_equal(request.parameters[0], ARB_STR("1.22")));
    assert_ptr_equal(find("PATCH", "/api/job/1.22", &request, allowed), &table[3]);
    assert_ptr_equal(find("GET", "/api/job/a-b_c~d/stage/7/tasks", &request, allowed), &table[4]);
    assert_int_equal(request.parameter_count, 2);
    assert_true(arb_str_equal(request.parameters[0], ARB_STR("a-b_c~d")));
    assert_true(arb_str_equal(request.parameters[1], ARB_STR("7")));
}

static void other_paths_are_not(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "/",
                                        "*",
                                        "healthz",
                                        "//healthz",
                                        "/healthz/",
                                        "/healthz//",
                                        "/Healthz",
                                        "/healthz2",
                                        "/health",
                                        "/api",
                                        "/api/",
                                        "/api/job/",
                                        "/api/job//",
                                        "/api/job//stage/1/tasks",
                                        "/api/job/1/stage/",
                                        "/api/job/1/stage/1",
                                        "/api/job/1/stage/1/tasks/",
                                        "/api/job/1/stage//tasks",
                                        "/api/job/%31",
                                        "/api/job/a b",
                                        "/api/job/\xC3\xA4",
                                        "/api/job/..%2f",
                                        "http://localhost/healthz",
                                        "/api/jobs/../jobs",
                                        "/{id}",
                                        "/api/job/{id}"};
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++) {
        arb_http_request request;
        char allowed[64];
        if (find("GET", wrong[i], &request, allowed) != NULL || allowed[0] != 0)
            fail_msg("%s was found", wrong[i]);
        assert_int_equal(request.parameter_count, 0);
    }
}

static void other_methods_hear_what_is_allowed(void **state)
{
    (void)state;
    arb_http_request request;
    char allowed[64];
    assert_null(find("POST", "/healthz", &request, allowed));
    assert_string_equal(allowed, "GET, HEAD");
    assert_null(find("OPTIONS", "/api/job/1", &request, allowed));
    assert_string_equal(allowed, "GET, HEAD, PATCH");
    assert_null(find("HEAD", "/api/job", &request, allowed));
    assert_string_equal(allowed, "POST");
    assert_null(find("get", "/healthz", &request, allowed));
    assert_true(arb_http_method_changes(ARB_STR("PATCH")));
    assert_true(arb_http_method_changes(ARB_STR("OPTIONS")));
    assert_false(arb_http_method_changes(ARB_STR("HEAD")));
}

static void numbers_are_digits(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616", "99999999999999999999"};
    uint64_t number;
    assert_true(arb_http_number(ARB_STR("0"), &number));
    assert_true(number == 0);
    assert_true(arb_http_number(ARB_STR("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    for (size_t i = 0; i < ARB_COUNT_OF(wrong); i++)
        assert_false(arb_http_number(arb_str_of(wrong[i]), &number));

    arb_error error = {0};
    arb_http_request request = {
        .query_count = 3,
        .query = {{ARB_STR("a"), ARB_STR("7")}, {ARB_STR("b"), ARB_STR("")}, {ARB_STR("a"), ARB_STR("8")}}};
    assert_int_equal(arb_http_query_number(&request, "a", 1, 10, &number, &error), ARB_OK);
    assert_true(number == 7);
    assert_int_equal(arb_http_query_number(&request, "c", 5, 10, &number, &error), ARB_OK);
    assert_true(number == 5);
    assert_int_equal(arb_http_query_number(&request, "a", 1, 6, &number, &error), ARB_INVALID_PARAMETER);
    assert_int_equal(arb_http_query_number(&request, "b", 1, 6, &number, &error), ARB_INVALID_PARAMETER);
}

static void failures_are_json(void **state)
{
    (void)state;
    arb_http_response response = {.content_type = "text/plain"};
    arb_error error = {0};
    arb_text_append_str(&response.body, ARB_STR("half an answer"));
    arb_fail(&error, ARB_UNDEFINED_OBJECT, "no \"job\" \n\xC3\xA4");
    arb_error_hint(&error, "look");
    arb_http_fail_with(&response, ARB_UNDEFINED_OBJECT, &error);
    assert_int_equal(response.status, 404);
    assert_null(response.content_type);
    assert_string_equal(response.body.data,
                        "{\"error\":\"no \\\"job\\\" \\n\\u00E4\",\"sqlstate\":\"42704\",\"hint\":\"look\"}");
    arb_http_fail(&response, 405, "no");
    assert_int_equal(response.status, 405);
    assert_string_equal(response.body.data, "{\"error\":\"no\"}");
    arb_text_reset(&response.body);
    assert_int_equal(arb_http_status_of(ARB_INVALID_PARAMETER), 400);
    assert_int_equal(arb_http_status_of(ARB_OUT_OF_MEMORY), 503);
    assert_int_equal(arb_http_status_of(ARB_NOT_READY), 503);
    assert_int_equal(arb_http_status_of(ARB_CONFLICT), 409);
    assert_int_equal(arb_http_status_of(ARB_INTERNAL), 500);
    assert_int_equal(arb_http_status_of(ARB_NOT_AUTHENTICATED), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),   cmocka_unit_test(other_paths_are_not),
        cmocka_unit_test(numbers_are_digits), cmocka_unit_test(other_methods_hear_what_is_allowed),
        cmocka_unit_test(failures_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
