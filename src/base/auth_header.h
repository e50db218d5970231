/* auth_header.h: the header "authorization", of gRPC and HTTP alike, and secrets. */
#ifndef ARB_BASE_AUTH_HEADER_H
#define ARB_BASE_AUTH_HEADER_H

#include "base/text.h"

/* The user and password of "Basic …", in the arena; ARB_NOT_AUTHENTICATED when the value is not of that form. */
ARB_NODISCARD arb_code arb_auth_read_basic(arb_str value, arb_arena *arena, arb_str *out_user, arb_str *out_password,
                                           arb_error *error);
/* Append "Basic …"; a user's name has no colon. */
ARB_NODISCARD arb_code arb_auth_write_basic(arb_str user, arb_str password, arb_text *out, arb_error *error);
/* The token of "Bearer …", a view; false when the value is not of that form. */
ARB_NODISCARD bool arb_auth_read_bearer(arb_str value, arb_str *out_token);

/* Takes as long for any two texts of the sizes: for secrets. */
ARB_NODISCARD bool arb_auth_equal(arb_str a, arb_str b);

#endif
