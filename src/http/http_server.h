/* http_server.h: a small HTTP/1.1 server, for people, probes and Prometheus.
 *
 * One thread does it all: it polls, asks the guard, finds the route, calls it, and sends what it gave. Answers take
 * milliseconds and lie in memory as a whole, so one thread is enough, and a client that is slow costs its buffer and nothing else.
 *
 * What is bounded: connections; the time from one response of a connection to the end of its next, in which the request must
 * have come and the response must have been taken; the head of a request; all responses that are not sent yet. When
 * many connections stand open, a new one takes the place of the one that has asked for nothing the longest.
 *
 * It listens on loopback; another address must be meant (`beyond_loopback`). Plain text. */
#ifndef ARB_HTTP_HTTP_SERVER_H
#define ARB_HTTP_HTTP_SERVER_H

#include "http/http_guard.h"
#include "http/http_route.h"

typedef struct arb_http_server arb_http_server;

typedef struct arb_http_server_options {
    const char *host; /* to listen on: an address or a name; NULL: 127.0.0.1 */
    uint16_t port;    /* 0: any that is free */
    bool beyond_loopback;
    arb_http_routes routes; /* borrowed until destroy, as the context of their answers */
    void *context;
    arb_http_guard guard; /* copied */
    /* 0 takes the default */
    unsigned connections_most; /* 64 */
    int64_t request_ns;        /* 20 s */
    uint64_t response_most;    /* 64 MiB, all that are not sent yet */
    int64_t drain_ns;          /* 2 s: at the end, for responses that are being sent */
} arb_http_server_options;

/* It serves from now on. ARB_CONFIGURATION for an address beyond loopback that was not meant, or one that is none;
 * ARB_IO when it cannot listen there. */
ARB_NODISCARD arb_code arb_http_server_create(const arb_http_server_options *options, arb_http_server **out_server,
                                              arb_error *error);
uint16_t arb_http_server_port(const arb_http_server *server);
/* No new connections and requests; responses that are being sent may be taken for a while. When it returns, no answer is
 * running. Not from an answer. NULL is a no-op. */
void arb_http_server_destroy(arb_http_server *server);

#endif
