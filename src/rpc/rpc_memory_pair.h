/* rpc_memory_pair.h: a call in memory: its two ends, and what is on the way between them. */
#ifndef ARB_RPC_RPC_MEMORY_PAIR_H
#define ARB_RPC_RPC_MEMORY_PAIR_H

#include "rpc/rpc_channel_kind.h"
#include "rpc/rpc_loop.h"
#include "rpc/rpc_server_kind.h"

typedef struct arb_rpc_pair_call arb_rpc_pair_call;

typedef struct arb_rpc_memory_end {
    arb_rpc_call base;
    arb_rpc_pair_call *pair;
    arb_rpc_loop *loop;
    arb_rpc_event got_headers, sent, received, closed;

    /* Under the pair's lock. */
    bool started, sending, receiving, headers_due;
    arb_rpc_message *pending;  /* to be sent once the slot is free */
    bool pending_last, is_bad; /* the end; with an error */
    arb_rpc_message *slot;     /* sent, and not read by the other end yet */
    bool last;                 /* behind it nothing comes */
    bool sent_ok, received_ok, headers_ok;
    arb_rpc_message *arrived; /* for the event */
    arb_error outcome;        /* likewise */
} arb_rpc_memory_end;

typedef struct arb_rpc_hub arb_rpc_hub;

struct arb_rpc_pair_call {
    _Atomic uint32_t ends; /* whose counts are not gone */
    pthread_mutex_t lock;
    bool connected, over;
    int to_server, to_client, headers_to_server, headers_to_client; /* limits, in bytes */
    arb_rpc_memory_end client, server;
    arb_rpc_event arrive; /* on the server's thread */
    arb_rpc_timer deadline;

    /* The hub's. */
    arb_rpc_hub *hub;
    arb_rpc_server *host;
    enum { PAIR_APART, PAIR_WAITING, PAIR_ARRIVING } state;
    arb_rpc_pair_call *next, **link; /* while it waits */
    const char *name;                /* the channel's */
};

/* A client's end that is not begun; the other end waits inside. */
ARB_NODISCARD arb_code arb_rpc_pair_create(arb_rpc_hub *hub, const char *name, arb_rpc_loop *client_loop,
                                           arb_rpc_loop *server_loop, arb_rpc_pair_call **out_pair, arb_error *error);
/* `host` counts the server's end already. */
void arb_rpc_pair_arrive(arb_rpc_pair_call *pair, arb_rpc_server *host);
/* End the call for both, unless it is over. */
void arb_rpc_pair_fail(arb_rpc_pair_call *pair, arb_code code, const char *why);

/* The hub's part: find the server, or let the pair wait, or fail it; and stop waiting. */
void arb_rpc_hub_connect(arb_rpc_pair_call *pair);
void arb_rpc_hub_leave(arb_rpc_pair_call *pair);

#endif
