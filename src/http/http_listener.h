/* http_listener.h: a socket that listens. */
#ifndef ARB_HTTP_HTTP_LISTENER_H
#define ARB_HTTP_HTTP_LISTENER_H

#include "base/error.h"

/* On the first address of `host` that allows it; only loopback unless `beyond_loopback`. See arb_http_server_create for how it
 * fails. May ask for names, which waits. */
ARB_NODISCARD arb_code arb_http_listen(const char *host, uint16_t port, bool beyond_loopback, int *out_socket,
                                       uint16_t *out_port, arb_error *error);

#endif
