/* login.h: who a client is: a user with a password, then a bearer of a token.
 *
 * With a users' file (users_file.h), calls need a token that a Handshake with "authorization: Basic …" has given; the gate finds
 * the user by it. Tokens are random, last for a time, and are kept as hashes only, in memory: a new process knows none. Without a
 * file everybody is admitted, and a Handshake gives a token that names nothing but a session. Whether a server may do that is its
 * owner's decision (not beyond this machine). Who is taken out of the file, or gets another password there, is out within some
 * seconds; his statements that run are not ended by it.
 *
 * To check a password takes long on purpose. So a few threads of its own do it, and further logins wait for them. */
#ifndef ARB_FLIGHT_SQL_LOGIN_H
#define ARB_FLIGHT_SQL_LOGIN_H

#include "rpc/rpc_server.h"

typedef struct arb_login arb_login;

enum { ARB_LOGIN_USER_MOST = 255, ARB_LOGIN_TOKEN_BYTES = 64 };

typedef struct arb_login_options {
    const char *users_file; /* copied; NULL: nobody has to log in */
    int64_t token_ns;       /* a token's life; 0: 12 hours */
    size_t tokens_most;     /* at a time; the oldest one goes; 0: 10,000 */
    size_t waiting_most;    /* logins that wait for a thread; 0: 100 */
} arb_login_options;

/* ARB_CONFIGURATION and the like when the file cannot be used. */
ARB_NODISCARD arb_code arb_login_create(const arb_login_options *options, arb_login **out_login, arb_error *error);
/* The servers that ask it have stopped. NULL is a no-op. */
void arb_login_destroy(arb_login *login);
/* For a server's options; the user becomes the call's identity. */
arb_rpc_gate arb_login_gate(arb_login *login);
/* Flight's Handshake: answers later, with the headers "authorization: Bearer …". */
void arb_login_handshake(arb_login *login, arb_rpc_call *call);

#endif
