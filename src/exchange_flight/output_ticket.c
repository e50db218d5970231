#include "exchange_flight/output_ticket.h"

#include "proto/ticket.pb-c.h"
#include "wire/wire.h"

static arb_code pack_ticket(const arb_output_ticket *ticket, arb_text *out, arb_error *error)
{
    arb_arena arena = {0};
    size_t count = ticket->attempt_count;
    Arbalest__Ticket__HeldAttempt *attempts = ARB_ARENA_ARRAY(&arena, Arbalest__Ticket__HeldAttempt, count + 1);
    Arbalest__Ticket__HeldAttempt **list = ARB_ARENA_ARRAY(&arena, Arbalest__Ticket__HeldAttempt *, count + 1);
    arb_code code = ARB_OUT_OF_MEMORY;
    if (attempts == NULL || list == NULL) {
        arb_fail_memory(error, "a ticket", count * sizeof *attempts);
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        arbalest__ticket__held_attempt__init(&attempts[i]);
        attempts[i].task = ticket->attempts[i].task;
        attempts[i].term = ticket->attempts[i].term;
        attempts[i].number = ticket->attempts[i].number;
        list[i] = &attempts[i];
    }
    Arbalest__Ticket__OutputTicket message = ARBALEST__TICKET__OUTPUT_TICKET__INIT;
    message.cluster_high = ticket->cluster.high;
    message.cluster_low = ticket->cluster.low;
    message.job_term = ticket->job_term;
    message.job = ticket->job;
    message.stage = ticket->stage;
    message.n_attempts = count;
    message.attempts = list;
    message.n_partitions = ticket->partition_count;
    message.partitions = (uint32_t *)(uintptr_t)ticket->partitions; /* packing only reads it */
    message.user = (ProtobufCBinaryData){ticket->user.size, (uint8_t *)(uintptr_t)ticket->user.data};
    code = arb_wire_pack(&message.base, out, error);
done:
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_output_ticket_seal(const arb_output_ticket *ticket, const arb_seal_key *key, arb_text *out,
                                arb_error *error)
{
    arb_text packed = {0};
    arb_code code = pack_ticket(ticket, &packed, error);
    if (code == ARB_OK)
        code = arb_bytes_seal(key, arb_text_view(&packed), out, error);
    arb_text_reset(&packed);
    return code;
}

static arb_code refused(arb_error *error)
{
    (void)arb_fail(error, ARB_ACCESS_DENIED, "the ticket is not valid here");
    arb_error_hint(error, "Tickets end with the process that holds the rows. Ask for a new one.");
    return ARB_ACCESS_DENIED;
}

arb_code arb_output_ticket_open(arb_str bytes, const arb_seal_key *key, arb_arena *arena, arb_output_ticket *out_ticket,
                                arb_error *error)
{
    ProtobufCMessage *message;
    arb_str ticket;
    bool ours;
    ARB_TRY(arb_bytes_unseal(key, bytes, arena, &ours, &ticket, error));
    if (!ours)
        return refused(error);
    ARB_TRY(arb_wire_unpack(&arbalest__ticket__output_ticket__descriptor, arena, ticket.data, ticket.size, &message,
                            error));
    const Arbalest__Ticket__OutputTicket *body = (const Arbalest__Ticket__OutputTicket *)message;
    arb_ticket_attempt *attempts = ARB_ARENA_ARRAY(arena, arb_ticket_attempt, body->n_attempts + 1);
    if (attempts == NULL)
        return arb_fail_memory(error, "a ticket", body->n_attempts * sizeof *attempts);
    for (size_t i = 0; i < body->n_attempts; i++)
        attempts[i] = (arb_ticket_attempt){body->attempts[i]->task, body->attempts[i]->term, body->attempts[i]->number};
    *out_ticket = (arb_output_ticket){.cluster = {body->cluster_high, body->cluster_low},
                                      .job_term = body->job_term,
                                      .job = body->job,
                                      .stage = body->stage,
                                      .attempt_count = body->n_attempts,
                                      .attempts = attempts,
                                      .partition_count = body->n_partitions,
                                      .partitions = body->partitions,
                                      .user = {(const char *)body->user.data, body->user.len}};
    return ARB_OK;
}
