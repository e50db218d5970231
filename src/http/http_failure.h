/* http_failure.h: failures as responses: a status and {"error": …} in JSON. */
#ifndef ARB_HTTP_HTTP_FAILURE_H
#define ARB_HTTP_HTTP_FAILURE_H

#include "http/http_message.h"

/* The status that a code has in HTTP. */
unsigned arb_http_status_of(arb_code code);
/* Puts the failure in the place of what the response was. Never fails: without memory the body is a constant. */
void arb_http_fail(arb_http_response *response, unsigned status, const char *why);
/* The same with the error's SQLSTATE, and its hint if it has one. */
void arb_http_fail_with(arb_http_response *response, arb_code code, const arb_error *error);

#endif
