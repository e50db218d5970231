/* server_return.h: a server that is gone may be back soon.
 *
 * A scheduler that is started again goes on with the queries that it has recorded, so whoever has a statement's handle asks again
 * instead of giving up. Nothing is run twice by that: what the server does not know any more it says. */
#ifndef ARB_REMOTE_SERVER_RETURN_H
#define ARB_REMOTE_SERVER_RETURN_H

#include <stdatomic.h>

#include "rpc/rpc_channel.h"

/* For one statement; {0} at first. */
typedef struct arb_server_return {
    unsigned times;   /* that it went; 0: it was there all the time */
    int64_t until_ns; /* it is waited for; 0: it is there */
    arb_error first;  /* how it went, the last time */
} arb_server_return;

/* A call ended with this: shall it be made once more? Waits until the server is there again, or a moment has passed; false once it
 * was away for 15 s, or went for the 20th time, or `cancelled` is set, or the failure is another one. */
bool arb_server_return_wait(arb_server_return *back, arb_rpc_channel *channel, const _Atomic bool *cancelled,
                            const arb_error *failure);
/* A call was answered: if the server goes once more, it is waited for as long. */
void arb_server_return_note(arb_server_return *back);
/* The end of asking: a server that is back without the statement lost it when it went, which is what there is to say. */
arb_code arb_server_return_judge(const arb_server_return *back, arb_code code, arb_error *error);

#endif
