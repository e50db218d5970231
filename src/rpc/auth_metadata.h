/* auth_metadata.h: how callers say who they are: the header "authorization" (base/auth_header.h) and cookies. */
#ifndef ARB_RPC_AUTH_METADATA_H
#define ARB_RPC_AUTH_METADATA_H

#include "base/auth_header.h"
#include "rpc/rpc_metadata.h"

/* The value that the headers named "cookie" give the name, a view with data NULL when there is none. */
arb_str arb_cookie_find(const arb_rpc_metadata *headers, arb_str name);

/* A client's cookies. Zeroed: none. */
typedef struct arb_cookie_jar {
    ARB_VEC(arb_text) cookies; /* "name=value" */
} arb_cookie_jar;

/* Keep what the headers named "set-cookie" say; one with Max-Age=0 or less goes. What is no cookie is passed over. */
ARB_NODISCARD arb_code arb_cookie_jar_take(arb_cookie_jar *jar, const arb_rpc_metadata *headers, arb_error *error);
/* Append "name=value; …" for a header "cookie"; nothing when there are none. */
void arb_cookie_jar_write(const arb_cookie_jar *jar, arb_text *out);
void arb_cookie_jar_reset(arb_cookie_jar *jar);

#endif
