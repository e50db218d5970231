/* join_token.h: the secret that a server and its own executor share: made at the start, in a file that nobody else can read, gone
 * with the server. */
#ifndef ARB_NODE_JOIN_TOKEN_H
#define ARB_NODE_JOIN_TOKEN_H

#include "base/error.h"

enum { ARB_JOIN_TOKEN_DIGITS = 64 };

typedef struct arb_join_token {
    char secret[ARB_JOIN_TOKEN_DIGITS + 1];
    char path[64]; /* empty: there is no file */
} arb_join_token;

ARB_NODISCARD arb_code arb_join_token_create(arb_join_token *out_token, arb_error *error);
void arb_join_token_remove(arb_join_token *token); /* the file; of a zeroed one a no-op */

#endif
