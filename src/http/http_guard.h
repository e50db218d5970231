/* http_guard.h: who may ask.
 *
 * A server on loopback can be reached by every page that this machine's browser shows. Three things keep those out:
 *
 * - Host must be a name of this server: "localhost", the address at which the connection arrived, or a name that was
 *   given. So a page whose own name is made to point here (DNS rebinding) asks in vain.
 * - Origin, which browsers send with all that a page does across origins, must be this server itself. No answer ever allows another
 *   one (CORS), so a page could not read it either.
 * - Changes need a token. Without one set, there are no changes. */
#ifndef ARB_HTTP_HTTP_GUARD_H
#define ARB_HTTP_HTTP_GUARD_H

#include <sys/socket.h>

#include "base/auth_header.h"

typedef struct arb_http_guard {
    const arb_str *hosts; /* names besides; without ports */
    size_t host_count;
    arb_str token; /* for changes; empty: there are none */
} arb_http_guard;

/* The headers that say who asks; data NULL: not there. */
typedef struct arb_http_claims {
    arb_str host, origin, authorization;
    bool doubled; /* one of them came twice */
} arb_http_claims;

typedef struct arb_http_refusal {
    unsigned status; /* 0: welcome */
    const char *why; /* a constant */
} arb_http_refusal;

/* `arrived`: this side's address of the connection. */
arb_http_refusal arb_http_guard_check(const arb_http_guard *guard, const arb_http_claims *claims,
                                      const struct sockaddr *arrived, bool changes);

#endif
