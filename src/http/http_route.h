/* http_route.h: which function answers which path.
 *
 * Routes are a constant table. A pattern is a path in which {name} stands for one part that is not empty:
 *
 *     {"GET", "/api/job/{id}/stages", answer_stages}
 *
 * What a path may consist of is little (letters, digits, "-._~", "/"), so nothing is ever unescaped: another path is
 * answered like one that is not there. GET answers HEAD too. */
#ifndef ARB_HTTP_HTTP_ROUTE_H
#define ARB_HTTP_HTTP_ROUTE_H

#include "http/http_message.h"

typedef struct arb_http_route {
    const char *method, *pattern;
    /* Fills the response; with another code than ARB_OK, the error is the answer. On the server's thread: it may wait for
     * milliseconds, not longer, as everybody else waits then. */
    arb_code (*answer)(void *context, const arb_http_request *request, arb_http_response *response, arb_error *error);
} arb_http_route;

typedef struct arb_http_routes {
    const arb_http_route *items;
    size_t count;
} arb_http_routes;

/* The route of the request's method and path, whose parameters are filled in; NULL: none. Then *out_allowed has methods that
 * the path knows, as the header Allow has them: none, if there is no such path. */
const arb_http_route *arb_http_route_find(arb_http_routes routes, arb_http_request *request, char out_allowed[64]);

/* Does a method change anything? GET and HEAD do not. */
ARB_INLINE bool arb_http_method_changes(arb_str method)
{
    return !arb_str_equal(method, ARB_STR("GET")) && !arb_str_equal(method, ARB_STR("HEAD"));
}

#endif
