/* http_message.h: a request and its response, as the parts that answer see them: values, without a socket. */
#ifndef ARB_HTTP_HTTP_MESSAGE_H
#define ARB_HTTP_HTTP_MESSAGE_H

#include "base/text.h"

enum { ARB_HTTP_PARAMETERS_MOST = 4, ARB_HTTP_QUERY_MOST = 8 };

typedef struct arb_http_pair {
    arb_str name, value;
} arb_http_pair;

/* Borrowed for the call that answers. Bodies are not taken: no request of ours has one. */
typedef struct arb_http_request {
    arb_str method, path;
    size_t parameter_count; /* what stands in place of the route's {…}, in its order */
    arb_str parameters[ARB_HTTP_PARAMETERS_MOST];
    size_t query_count; /* ?name=value&…, as they were sent: nothing is unescaped */
    arb_http_pair query[ARB_HTTP_QUERY_MOST];
} arb_http_request;

/* Zeroed: 200, JSON, empty. */
typedef struct arb_http_response {
    unsigned status;          /* 0: 200 */
    const char *content_type; /* a constant; NULL: ARB_HTTP_JSON */
    const char *header[2];    /* one more of its own, name and value (constants); NULL: none */
    arb_text body;            /* owned */
} arb_http_response;

#define ARB_HTTP_JSON "application/json"

/* The value of the first of that name; data NULL: there is none. */
arb_str arb_http_query(const arb_http_request *request, arb_str name);
/* A number of decimal digits and nothing else; false when it is none, or more than UINT64_MAX. */
ARB_NODISCARD bool arb_http_number(arb_str text, uint64_t *out_number);
/* The number in the query, or `otherwise` when there is none of that name. ARB_INVALID_PARAMETER for what is no number, or
 * more than `most`. */
ARB_NODISCARD arb_code arb_http_query_number(const arb_http_request *request, const char *name, uint64_t otherwise,
                                             uint64_t most, uint64_t *out_number, arb_error *error);

#endif
