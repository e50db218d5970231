#include "exchange_flight/output_ticket.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "proto/ticket.pb-c.h"
#include "rpc/auth_metadata.h"
#include "wire/wire.h"

enum { SEAL_BYTES = 32 };

arb_code arb_ticket_key_make(arb_ticket_key *out_key, arb_error *error)
{
    if (RAND_bytes(out_key->bytes, sizeof out_key->bytes) != 1)
        return arb_fail(error, ARB_INTERNAL, "no random bytes could be had for a key");
    return ARB_OK;
}

static arb_code seal_of(arb_str ticket, const arb_ticket_key *key, uint8_t out[SEAL_BYTES], arb_error *error)
{
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key->bytes, sizeof key->bytes, (const unsigned char *)ticket.data, ticket.size, out,
             &size) == NULL ||
        size != SEAL_BYTES)
        return arb_fail(error, ARB_INTERNAL, "a ticket could not be sealed");
    return ARB_OK;
}

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

arb_code arb_output_ticket_seal(const arb_output_ticket *ticket, const arb_ticket_key *key, arb_text *out,
                                arb_error *error)
{
    arb_text packed = {0};
    uint8_t seal[SEAL_BYTES];
    arb_code code = pack_ticket(ticket, &packed, error);
    if (code == ARB_OK)
        code = seal_of(arb_text_view(&packed), key, seal, error);
    if (code == ARB_OK) {
        Arbalest__Ticket__SealedTicket sealed = ARBALEST__TICKET__SEALED_TICKET__INIT;
        sealed.ticket = (ProtobufCBinaryData){packed.size, (uint8_t *)packed.data};
        sealed.seal = (ProtobufCBinaryData){sizeof seal, seal};
        code = arb_wire_pack(&sealed.base, out, error);
    }
    arb_text_reset(&packed);
    return code;
}

static arb_code refused(arb_error *error)
{
    (void)arb_fail(error, ARB_ACCESS_DENIED, "the ticket is not valid here");
    arb_error_hint(error, "Tickets end with the process that holds the rows. Ask for a new one.");
    return ARB_ACCESS_DENIED;
}

arb_code arb_output_ticket_open(arb_str bytes, const arb_ticket_key *key, arb_arena *arena,
                                arb_output_ticket *out_ticket, arb_error *error)
{
    ProtobufCMessage *message;
    uint8_t seal[SEAL_BYTES];
    arb_code code =
        arb_wire_unpack(&arbalest__ticket__sealed_ticket__descriptor, arena, bytes.data, bytes.size, &message, NULL);
    if (code == ARB_OUT_OF_MEMORY)
        return arb_fail_memory(error, "a ticket", bytes.size);
    if (code != ARB_OK) /* what is wrong with it helps only those who try */
        return refused(error);
    const Arbalest__Ticket__SealedTicket *sealed = (const Arbalest__Ticket__SealedTicket *)message;
    arb_str ticket = {(const char *)sealed->ticket.data, sealed->ticket.len};
    ARB_TRY(seal_of(ticket, key, seal, error));
    if (!arb_auth_equal((arb_str){(const char *)sealed->seal.data, sealed->seal.len},
                        (arb_str){(const char *)seal, sizeof seal}))
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
