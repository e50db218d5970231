/* output_ticket.h: what a reader shows to the executor that holds outputs of tasks.
 *
 * A ticket says which outputs and which of their partitions are read, for whom. It is sealed by HMAC-SHA256 with a key that
 * the executor makes when it starts and gives to the scheduler alone, so nobody reads what was not meant for him, and tickets
 * end with the process. */
#ifndef ARB_EXCHANGE_FLIGHT_OUTPUT_TICKET_H
#define ARB_EXCHANGE_FLIGHT_OUTPUT_TICKET_H

#include "exchange_flight/sealed_bytes.h"
#include "state/store.h"

/* The output of one attempt. */
typedef struct arb_ticket_attempt {
    uint32_t task;
    uint64_t term, number;
} arb_ticket_attempt;

typedef struct arb_output_ticket {
    arb_uuid cluster;
    uint64_t job_term, job;
    uint32_t stage;
    size_t attempt_count;
    const arb_ticket_attempt *attempts;
    size_t partition_count;
    const uint32_t *partitions;
    arb_str user; /* for whom; empty: the cluster itself */
} arb_output_ticket;

/* Append the ticket's bytes. */
ARB_NODISCARD arb_code arb_output_ticket_seal(const arb_output_ticket *ticket, const arb_seal_key *key, arb_text *out,
                                              arb_error *error);
/* The ticket lives in the arena. ARB_ACCESS_DENIED for bytes that this key has not sealed. */
ARB_NODISCARD arb_code arb_output_ticket_open(arb_str bytes, const arb_seal_key *key, arb_arena *arena,
                                              arb_output_ticket *out_ticket, arb_error *error);

#endif
