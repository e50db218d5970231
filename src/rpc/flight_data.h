/* flight_data.h: Arrow Flight's FlightData, framed by hand.
 *
 * A FlightData is a protobuf message of four fields, the last of which is a batch's body and may be large:
 *
 *     1     flight_descriptor   in the first message of an upload
 *     2     data_header         the metadata of an IPC message
 *     3     app_metadata        whatever the two sides agree on
 *     1000  data_body           the IPC message's body
 *
 * When one is made, the body's buffers are sent from where they lie. When one is taken apart, the body becomes one buffer as
 * Arrow's arrays want it: a view where it lies in one piece at a multiple of 8, else one copy at a multiple of 64. */
#ifndef ARB_RPC_FLIGHT_DATA_H
#define ARB_RPC_FLIGHT_DATA_H

#include "columnar/arrow_buffer.h"
#include "columnar/ipc/ipc_encoder.h"
#include "rpc/rpc_message.h"

typedef struct arb_flight_parts {
    arb_str descriptor; /* a FlightDescriptor, packed; may be empty, as all may */
    arb_str header, app_metadata;
    const arb_rpc_slice *body; /* pieces that follow each other */
    size_t body_count;
} arb_flight_parts;

/* A message of the parts. All but the body is copied; the body stays until `release(context)`, as in
 * arb_rpc_message_create. */
ARB_NODISCARD arb_code arb_flight_data_write(const arb_flight_parts *parts, void (*release)(void *), void *context,
                                             arb_rpc_message **out_message, arb_error *error);
/* The same for what an IPC encoder emits: takes counts of its buffers. */
ARB_NODISCARD arb_code arb_flight_data_write_ipc(const arb_ipc_encoded *encoded, arb_str app_metadata,
                                                 arb_rpc_message **out_message, arb_error *error);

typedef struct arb_flight_data {
    arb_str descriptor, header, app_metadata; /* data NULL: the field is not there */
    arb_arrow_buffer body;                    /* with one count */
    arb_rpc_message *message;                 /* with one count: the texts lie there or in the arena */
    arb_arena arena;
} arb_flight_data;

/* Take a message from outside apart; keeps a count of it. ARB_CORRUPT_DATA says what is wrong with it. Unknown fields are
 * passed over; of a field that comes twice the last one counts. On failure there is nothing to reset. */
ARB_NODISCARD arb_code arb_flight_data_read(arb_rpc_message *message, arb_flight_data *out_data, arb_error *error);
void arb_flight_data_reset(arb_flight_data *data);

#endif
