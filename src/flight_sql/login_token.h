/* login_token.h: logging in and being known, below the calls that do so (login.c); for its test, too. */
#ifndef ARB_FLIGHT_SQL_LOGIN_TOKEN_H
#define ARB_FLIGHT_SQL_LOGIN_TOKEN_H

#include "flight_sql/login.h"

/* Check a password and make a token. Takes long: for threads that may wait. Writes the token and ends it with NUL. The same error,
 * ARB_NOT_AUTHENTICATED, for users that do not exist and for wrong passwords. */
ARB_NODISCARD arb_code arb_login_enter(arb_login *login, arb_str user, arb_str password,
                                       char out_token[ARB_LOGIN_TOKEN_BYTES + 1], arb_error *error);
/* Whose token it is; false when it is nobody's, or not any more. Writes the name and ends it with NUL. Any thread. */
ARB_NODISCARD bool arb_login_user(arb_login *login, arb_str token, char out_user[ARB_LOGIN_USER_MOST + 1]);

#endif
