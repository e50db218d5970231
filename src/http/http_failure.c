#include "http/http_failure.h"

#include <jansson.h>

/* Indexed by gRPC's status, which each code has: the two go together as they do in gRPC's own gateways, but for what is a
 * matter of this server's resources, which is its state and not the caller's fault. */
static const unsigned by_grpc[] = {200, 500, 500, 400, 504, 404, 409, 403, 503, 409, 409, 400, 501, 500, 503, 500, 401};

unsigned arb_http_status_of(arb_code code)
{
    int status = code == ARB_NOT_READY ? 14 : arb_code_grpc_status(code);
    return status >= 0 && (size_t)status < ARB_COUNT_OF(by_grpc) ? by_grpc[status] : 500;
}

static int append(const char *bytes, size_t size, void *text)
{
    arb_text_append(text, bytes, size);
    return ((arb_text *)text)->failed ? -1 : 0;
}

static void fail(arb_http_response *response, unsigned status, const char *why, const char *sqlstate, const char *hint)
{
    arb_text_reset(&response->body);
    *response = (arb_http_response){.status = status};
    /* s*: a member that is left out when there is nothing to say */
    json_t *body = json_pack("{s:s,s:s*,s:s*}", "error", why, "sqlstate", sqlstate, "hint", hint);
    if (body == NULL || json_dump_callback(body, append, &response->body, JSON_COMPACT | JSON_ENSURE_ASCII) != 0) {
        arb_text_reset(&response->body); /* empty then, with a status that speaks for itself */
        response->status = 503;
    }
    json_decref(body);
}

void arb_http_fail(arb_http_response *response, unsigned status, const char *why)
{
    fail(response, status, why, NULL, NULL);
}

void arb_http_fail_with(arb_http_response *response, arb_code code, const arb_error *error)
{
    fail(response, arb_http_status_of(code), error->message, arb_code_sqlstate(code),
         error->hint[0] != 0 ? error->hint : NULL);
}
