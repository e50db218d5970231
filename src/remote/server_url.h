/* server_url.h: arbalest://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…]. */
#ifndef ARB_REMOTE_SERVER_URL_H
#define ARB_REMOTE_SERVER_URL_H

#include "base/error.h"
#include "base/text.h"

typedef struct arb_server_url {
    size_t count;
    const char *const *addresses; /* "HOST:PORT" */
    arb_str user, password;       /* data NULL: none */
} arb_server_url;

/* Lives in the arena. A HOST may be an IPv6 address in brackets; in user and password %XX stands for a byte.
 * ARB_INVALID_PARAMETER; ARB_NOT_SUPPORTED: arbalest+tls. */
ARB_NODISCARD arb_code arb_server_url_read(arb_arena *arena, arb_str text, arb_server_url *out_url, arb_error *error);

#endif
