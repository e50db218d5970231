/* auth_metadata.h: how callers say who they are: the headers "authorization" and "cookie". */
#ifndef ARB_RPC_AUTH_METADATA_H
#define ARB_RPC_AUTH_METADATA_H

#include "rpc/rpc_metadata.h"

/* The user and password of "Basic …", in the arena; ARB_NOT_AUTHENTICATED when the value is not of that form. */
ARB_NODISCARD arb_code arb_auth_read_basic(arb_str value, arb_arena *arena, arb_str *out_user, arb_str *out_password,
                                           arb_error *error);
/* Append "Basic …"; a user's name has no colon. */
ARB_NODISCARD arb_code arb_auth_write_basic(arb_str user, arb_str password, arb_text *out, arb_error *error);
/* The token of "Bearer …", a view; false when the value is not of that form. */
ARB_NODISCARD bool arb_auth_read_bearer(arb_str value, arb_str *out_token);

/* Takes as long for any two texts of the sizes: for secrets. */
ARB_NODISCARD bool arb_auth_equal(arb_str a, arb_str b);

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
