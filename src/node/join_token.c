#include "node/join_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static arb_code make_secret(arb_join_token *token, arb_error *error)
{
    unsigned char bytes[ARB_JOIN_TOKEN_DIGITS / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return arb_fail_errno(error, errno, "no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token->secret + 2 * i, 3, "%02x", bytes[i]);
    return ARB_OK;
}

arb_code arb_join_token_create(arb_join_token *token, arb_error *error)
{
    ARB_TRY(make_secret(token, error));
    snprintf(token->path, sizeof token->path, "/tmp/arbalest-join-XXXXXX");
    int file = mkstemp(token->path); /* 0600 */
    bool fine = file >= 0 && write(file, token->secret, ARB_JOIN_TOKEN_DIGITS) == ARB_JOIN_TOKEN_DIGITS;
    arb_code code = fine ? ARB_OK : arb_fail_errno(error, errno, "cannot write a file in /tmp");
    if (file >= 0)
        close(file);
    if (file >= 0 && !fine)
        unlink(token->path);
    if (!fine)
        token->path[0] = '\0';
    return code;
}

void arb_join_token_remove(arb_join_token *token)
{
    if (token->path[0] != '\0')
        unlink(token->path);
    token->path[0] = '\0';
}
