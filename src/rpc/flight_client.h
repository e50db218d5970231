/* flight_client.h: Arrow Flight's methods, for those who call them.
 *
 * A client is a channel with a session: what the server gave at login (a bearer token, cookies) and headers of the user's go
 * with each call. Most functions wait for the answer and are for threads that may: commands, tools, tests. Whoever may not
 * wait gets events:
 *
 *     arb_flight_client_call(client, "DoGet", deadline, &events, context, &call)
 *     arb_flight_send(call, &ticket.base), arb_rpc_half_close(call)
 *     arb_rpc_read(call), arb_rpc_begin(call)
 *     on_message: arb_flight_data_read; and arb_rpc_read, now or when there is room for more
 *
 * All functions may be called from several threads. */
#ifndef ARB_RPC_FLIGHT_CLIENT_H
#define ARB_RPC_FLIGHT_CLIENT_H

#include "columnar/arrow_schema.h"
#include "rpc/flight_data.h"
#include "rpc/rpc_stream.h"
#include "wire/wire.h"

struct Arrow__Flight__Protocol__FlightDescriptor;
struct Arrow__Flight__Protocol__FlightInfo;
struct Arrow__Flight__Protocol__PollInfo;
struct Arrow__Flight__Protocol__Ticket;
struct Arrow__Flight__Protocol__Action;

typedef struct arb_flight_client arb_flight_client;

/* The channel outlives the client. */
ARB_NODISCARD arb_code arb_flight_client_create(arb_rpc_channel *channel, arb_flight_client **out_client,
                                                arb_error *error);
void arb_flight_client_destroy(arb_flight_client *client); /* its calls must be over; NULL is a no-op */
/* A header that goes with each call from now on. */
ARB_NODISCARD arb_code arb_flight_client_header(arb_flight_client *client, arb_str name, arb_str value,
                                                arb_error *error);

/* What calls are about from now on, as the header "operation-id"; empty: nothing. */
ARB_NODISCARD arb_code arb_flight_client_operation(arb_flight_client *client, arb_str id, arb_error *error);

/* A call that is not begun, with the session's headers; `method` is Flight's name for it, such as "DoGet". */
ARB_NODISCARD arb_code arb_flight_client_call(arb_flight_client *client, const char *method, int64_t deadline_ns,
                                              const arb_rpc_events *events, void *context, arb_rpc_call **out_call,
                                              arb_error *error);
/* The same begun, for threads that may wait; reads ahead up to `window` bytes. */
ARB_NODISCARD arb_code arb_flight_client_stream(arb_flight_client *client, const char *method, int64_t deadline_ns,
                                                size_t window, arb_rpc_stream **out_stream, arb_error *error);

/* ---- calls that wait; deadlines as in arb_rpc_call_options --------------------------------------------------------------- */

/* Log in; the token that the server gives is kept for the calls that follow. */
ARB_NODISCARD arb_code arb_flight_handshake(arb_flight_client *client, arb_str user, arb_str password,
                                            int64_t deadline_ns, arb_error *error);
/* Answers live in the arena. */
ARB_NODISCARD arb_code arb_flight_get_info(arb_flight_client *client,
                                           const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                                           int64_t deadline_ns, arb_arena *arena,
                                           const struct Arrow__Flight__Protocol__FlightInfo **out_info,
                                           arb_error *error);
ARB_NODISCARD arb_code arb_flight_poll_info(arb_flight_client *client,
                                            const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                                            int64_t deadline_ns, arb_arena *arena,
                                            const struct Arrow__Flight__Protocol__PollInfo **out_info,
                                            arb_error *error);
/* One reference for the caller. */
ARB_NODISCARD arb_code arb_flight_get_schema(arb_flight_client *client,
                                             const struct Arrow__Flight__Protocol__FlightDescriptor *descriptor,
                                             int64_t deadline_ns, arb_arrow_schema **out_schema, arb_error *error);
/* `take` gets each result's body, lent; its failure ends the call. NULL: results are passed over. */
typedef arb_code (*arb_flight_take_result)(void *context, arb_str body, arb_error *error);
ARB_NODISCARD arb_code arb_flight_do_action(arb_flight_client *client,
                                            const struct Arrow__Flight__Protocol__Action *action, int64_t deadline_ns,
                                            arb_flight_take_result take, void *context, arb_error *error);
/* A call with its only message sent, for threads that others may stop: arb_rpc_stream_cancel. And the only answer to it, after
 * which the call has ended; it lives in the arena. The caller closes the stream. */
ARB_NODISCARD arb_code arb_flight_request(arb_flight_client *client, const char *method,
                                          const ProtobufCMessage *message, int64_t deadline_ns, size_t window,
                                          arb_rpc_stream **out_stream, arb_error *error);
ARB_NODISCARD arb_code arb_flight_take_answer(arb_flight_client *client, arb_rpc_stream *stream,
                                              const ProtobufCMessageDescriptor *kind, arb_arena *arena,
                                              ProtobufCMessage **out_answer, arb_error *error);
/* A stream of FlightData, for arb_flight_receive. */
ARB_NODISCARD arb_code arb_flight_do_get(arb_flight_client *client,
                                         const struct Arrow__Flight__Protocol__Ticket *ticket, int64_t deadline_ns,
                                         size_t window, arb_rpc_stream **out_stream, arb_error *error);
/* The next message, taken apart; *out_end: there is none, and nothing to reset. */
ARB_NODISCARD arb_code arb_flight_receive(arb_rpc_stream *stream, arb_flight_data *out_data, bool *out_end,
                                          arb_error *error);

#endif
