#include "http/http_message.h"

arb_str arb_http_query(const arb_http_request *request, arb_str name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (arb_str_equal(request->query[i].name, name))
            return request->query[i].value;
    return (arb_str){0};
}

bool arb_http_number(arb_str text, uint64_t *out_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.data[i] - '0', &number))
            return false;
    *out_number = number;
    return text.size > 0;
}

arb_code arb_http_query_number(const arb_http_request *request, const char *name, uint64_t otherwise, uint64_t most,
                               uint64_t *out_number, arb_error *error)
{
    arb_str value = arb_http_query(request, arb_str_of(name));
    *out_number = otherwise;
    if (value.data == NULL || (arb_http_number(value, out_number) && *out_number <= most))
        return ARB_OK;
    return arb_fail(error, ARB_INVALID_PARAMETER, "%s must be a number up to %llu", name, (unsigned long long)most);
}
