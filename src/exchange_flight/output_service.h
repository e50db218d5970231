/* output_service.h: gives the outputs of tasks to whoever has a ticket, over Arrow Flight.
 *
 * DoGet gives the schema and then, partition after partition of the ticket and attempt after attempt in each, every block as a
 * record batch, from where it lies. So any Arrow client reads what a task has left. Readers of our own also look at what goes
 * with each batch in app_metadata (struct arb_served_block): whose rows they are, and the checksum that was made when the block
 * was sealed.
 *
 * An output that is not here ends the call with ARB_UNDEFINED_OBJECT, a damaged one with ARB_CORRUPT_DATA, a ticket of others
 * with ARB_ACCESS_DENIED; the trailer ARB_OUTPUT_AT_FAULT says which of the ticket's attempts it is. Outputs stay, dropped
 * ones too, until their last reader is done.
 *
 * Blocks may have to be read from a disk. So a few threads of the service's own send them, and none of the transport's waits. */
#ifndef ARB_EXCHANGE_FLIGHT_OUTPUT_SERVICE_H
#define ARB_EXCHANGE_FLIGHT_OUTPUT_SERVICE_H

#include "exchange/output_store.h"
#include "exchange_flight/output_ticket.h"
#include "rpc/flight_service.h"

typedef struct arb_output_service arb_output_service;

/* The app_metadata of a batch: little-endian, in this order, without gaps. */
typedef struct arb_served_block {
    uint64_t checksum, attempt_term, attempt;
    uint32_t task, partition, rows;
} arb_served_block;

enum { ARB_SERVED_BLOCK_BYTES = 36 };

#define ARB_OUTPUT_AT_FAULT "arbalest-attempt" /* a place in the ticket's list, as a decimal number */

void arb_served_block_write(const arb_served_block *served, uint8_t out[ARB_SERVED_BLOCK_BYTES]);
/* False when it is none. */
ARB_NODISCARD bool arb_served_block_read(arb_str bytes, arb_served_block *out_served);

/* The store outlives the service. */
ARB_NODISCARD arb_code arb_output_service_create(arb_output_store *store, const arb_seal_key *key,
                                                 arb_output_service **out_service, arb_error *error);
/* The server that it was given to must have stopped. NULL is a no-op. */
void arb_output_service_destroy(arb_output_service *service);
/* Whose outputs the store has: tickets of another cluster are refused. */
void arb_output_service_set_cluster(arb_output_service *service, arb_uuid cluster);
/* What DoGet does, as a method of a Flight service whose context is the output service. */
void arb_output_service_do_get(void *service, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Ticket *ticket);

#endif
