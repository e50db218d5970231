#include "http/http_route.h"

#include <stdio.h>

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

/* What stands before the next "/", which is taken away. */
static arb_str next_part(arb_str *rest)
{
    const char *slash = rest->size > 0 ? memchr(rest->data, '/', rest->size) : NULL;
    arb_str part = {rest->data, slash != NULL ? (size_t)(slash - rest->data) : rest->size};
    size_t taken = part.size + (slash != NULL);
    *rest = (arb_str){rest->data + taken, rest->size - taken};
    return part;
}

static bool takes(const char *pattern, arb_str path, arb_str parameters[ARB_HTTP_PARAMETERS_MOST], size_t *out_count)
{
    arb_str wanted = arb_str_of(pattern);
    size_t count = 0;
    if (path.size == 0 || path.data[0] != '/' || path.data[path.size - 1] == '/')
        return false;
    while (wanted.size > 0 && path.size > 0) {
        arb_str part = next_part(&path), like = next_part(&wanted);
        for (size_t i = 0; i < part.size; i++)
            if (!is_plain(part.data[i]))
                return false;
        if (like.size > 0 && like.data[0] == '{') {
            if (part.size == 0)
                return false;
            assert(count < ARB_HTTP_PARAMETERS_MOST);
            parameters[count++] = part;
        } else if (!arb_str_equal(part, like)) {
            return false;
        }
    }
    *out_count = count;
    return wanted.size == 0 && path.size == 0;
}

const arb_http_route *arb_http_route_find(arb_http_routes routes, arb_http_request *request, char out_allowed[64])
{
    arb_str method = arb_str_equal(request->method, ARB_STR("HEAD")) ? ARB_STR("GET") : request->method;
    size_t used = 0;
    out_allowed[0] = 0;
    for (size_t i = 0; i < routes.count; i++) {
        const arb_http_route *route = &routes.items[i];
        if (!takes(route->pattern, request->path, request->parameters, &request->parameter_count))
            continue;
        if (arb_str_equal(method, arb_str_of(route->method)))
            return route;
        used += (size_t)snprintf(out_allowed + used, 64 - used, "%s%s", used > 0 ? ", " : "", route->method);
        if (strcmp(route->method, "GET") == 0)
            used += (size_t)snprintf(out_allowed + used, 64 - used, ", HEAD");
        assert(used < 64);
    }
    request->parameter_count = 0;
    return NULL;
}
