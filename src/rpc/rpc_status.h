/* rpc_status.h: how a call ended, as gRPC says it and as we do.
 *
 * Our codes are finer than gRPC's statuses, and an error has more than a message. So an error travels three times: as
 * gRPC's status and message for everybody, and as google.rpc.Status with our fields in the trailer
 * "grpc-status-details-bin", from which the other side makes the same error again. */
#ifndef ARB_RPC_RPC_STATUS_H
#define ARB_RPC_RPC_STATUS_H

#include "base/error.h"
#include "base/text.h"

#define ARB_RPC_DETAILS_NAME "grpc-status-details-bin"

/* The other direction is arb_code_grpc_status. Any number; what gRPC does not define is ARB_INTERNAL. */
arb_code arb_rpc_code_of_status(int status);
/* The trailer's value. Fails for want of memory only. */
ARB_NODISCARD arb_code arb_rpc_details_write(const arb_error *error_to_send, arb_text *out, arb_error *error);
/* The error that a status means: from the details when they are ours, sound and of the same status, else from status and
 * message. ARB_OK when status is 0. Always fills *out_error. */
arb_code arb_rpc_error_read(int status, arb_str message, arb_str details, arb_error *out_error);

#endif
