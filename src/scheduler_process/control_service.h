/* control_service.h: executors' streams.
 *
 * The service "arbalest.control.Control" has one method, Connect, a stream of messages in both directions, each in its bytes
 * (scheduler/control_wire.h). A stream begins with a REGISTER and is from then on that executor's and session's; what comes on
 * it under another name ends it. Streams are refused for another version of the protocol, or a token that is not ours.
 *
 * Going down, messages are numbered when they leave, not when they are made: so a plan can be sent before the LAUNCH that names
 * it, what is said meanwhile waits in its order behind it, and HEARTBEAT_SEEN, which means nothing but itself, goes ahead of
 * all that waits here, and not again before the executor has taken something.
 *
 * All but the entry: on the loop's thread. */
#ifndef ARB_SCHEDULER_PROCESS_CONTROL_SERVICE_H
#define ARB_SCHEDULER_PROCESS_CONTROL_SERVICE_H

#include "rpc/rpc_server.h"
#include "scheduler_process/plan_store.h"
#include "scheduler_process/scheduler_loop.h"

#define ARB_CONTROL_SERVICE_NAME "arbalest.control.Control"

enum {
    ARB_CONTROL_MESSAGE_MOST = 16 << 20, /* bytes; in either direction */
    ARB_CONTROL_SEND_WINDOW = 1 << 20,   /* for the server's limits: heartbeats wait behind no more than twice that */
};

typedef struct arb_control_service arb_control_service;

typedef struct arb_control_service_options {
    arb_scheduler_loop *loop; /* both outlive the service */
    arb_plan_store *plans;
    arb_str join_token;  /* copied; empty: everybody may join */
    size_t waiting_most; /* bytes of messages that wait for an executor before its stream is given up; 0: 64 MiB */
    int64_t register_ns; /* how long a stream may be without a REGISTER; 0: 10 s */
} arb_control_service_options;

ARB_NODISCARD arb_code arb_control_service_create(const arb_control_service_options *options,
                                                  arb_control_service **out_service, arb_error *error);
/* All its streams are over. NULL is a no-op. */
void arb_control_service_destroy(arb_control_service *service);
/* For a server's options. The server is gone before the service; its limits bound what comes up (message_bytes) and what
 * waits in a call (send_window: ARB_CONTROL_SEND_WINDOW). */
arb_rpc_service arb_control_service_entry(arb_control_service *service);

/* The machine's actions. */
void arb_control_service_send(arb_control_service *service, const arb_to_executor *message);
void arb_control_service_close_stream(arb_control_service *service, arb_uuid executor, uint64_t session);
/* A newer scheduler is there: streams end, later ones are refused with that reason. */
void arb_control_service_replaced(arb_control_service *service);
/* Behind each event: jobs that cannot go on fail. */
void arb_control_service_settle(arb_control_service *service);

/* Streams end, and new ones too, as soon as they come. */
void arb_control_service_stop(arb_control_service *service);

#endif
