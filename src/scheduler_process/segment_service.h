/* segment_service.h: gives executors the segments of tables.
 *
 * The service "arbalest.control.Segments", on the port that executors join by, has one method, Get: a SegmentRequest
 * (proto/control.proto) is answered with the segment's bytes, in pieces that are messages, and no more of them at a time than
 * the call has room for. Who asks shows the join token. The hash tells whether all has come, so nothing else is said.
 *
 * Bytes are made by a few threads of the service's own, so none of the transport's waits, and no more segments lie here as bytes
 * than are being sent. */
#ifndef ARB_SCHEDULER_PROCESS_SEGMENT_SERVICE_H
#define ARB_SCHEDULER_PROCESS_SEGMENT_SERVICE_H

#include "rpc/rpc_server.h"
#include "scheduler_process/segment_store.h"

#define ARB_SEGMENT_SERVICE_NAME "arbalest.control.Segments"
#define ARB_SEGMENT_GET "/" ARB_SEGMENT_SERVICE_NAME "/Get"

enum { ARB_SEGMENT_PIECE_BYTES = 1 << 20 };

typedef struct arb_segment_service arb_segment_service;

/* The store outlives the service; the token is copied, an empty one lets everybody ask. */
ARB_NODISCARD arb_code arb_segment_service_create(arb_segment_store *store, arb_str join_token,
                                                  arb_segment_service **out_service, arb_error *error);
/* The server that it was given to must have stopped. NULL is a no-op. */
void arb_segment_service_destroy(arb_segment_service *service);
/* For a server's options. */
arb_rpc_service arb_segment_service_entry(arb_segment_service *service);

#endif
