#include "exchange_flight/output_service.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/failpoint.h"
#include "columnar/ipc/ipc_encoder.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_data.h"
#include "rpc/rpc_senders.h"

/* A call of DoGet. */
typedef struct output_stream {
    arb_rpc_sending base; /* first */
    arb_output_service *service;
    arb_arena arena; /* the ticket */
    arb_output_ticket ticket;
    arb_attempt_output **outputs;  /* a count each */
    size_t partition, attempt, at; /* the next block; the sender's */
    bool described;                /* the schema has been sent; likewise */
} output_stream;

struct arb_output_service {
    arb_output_store *store;
    arb_seal_key key;
    arb_rpc_senders senders;
    pthread_mutex_t lock; /* of the cluster */
    arb_uuid cluster;
};

/* ---- what goes with a block ---------------------------------------------------------------------------------------------- */

void arb_served_block_write(const arb_served_block *served, uint8_t out[ARB_SERVED_BLOCK_BYTES])
{
    arb_store_u64(out, served->checksum);
    arb_store_u64(out + 8, served->attempt_term);
    arb_store_u64(out + 16, served->attempt);
    arb_store_u32(out + 24, served->task);
    arb_store_u32(out + 28, served->partition);
    arb_store_u32(out + 32, served->rows);
}

bool arb_served_block_read(arb_str bytes, arb_served_block *out_served)
{
    if (bytes.size != ARB_SERVED_BLOCK_BYTES)
        return false;
    *out_served = (arb_served_block){.checksum = arb_load_u64(bytes.data),
                                     .attempt_term = arb_load_u64(bytes.data + 8),
                                     .attempt = arb_load_u64(bytes.data + 16),
                                     .task = arb_load_u32(bytes.data + 24),
                                     .partition = arb_load_u32(bytes.data + 28),
                                     .rows = arb_load_u32(bytes.data + 32)};
    return true;
}

/* ---- a stream's messages ------------------------------------------------------------------------------------------------- */

typedef struct schema_outlet {
    arb_rpc_message *message;
} schema_outlet;

static arb_code take_schema(void *context, const arb_ipc_encoded *encoded, arb_error *error)
{
    return arb_flight_data_write_ipc(encoded, (arb_str){"", 0}, &((schema_outlet *)context)->message, error);
}

static arb_code send_schema(output_stream *stream, arb_error *error)
{
    schema_outlet outlet = {0};
    arb_ipc_encoder *encoder;
    ARB_TRY(arb_ipc_encoder_create(arb_attempt_output_schema(stream->outputs[0]), NULL,
                                   (arb_ipc_outlet){take_schema, &outlet}, &encoder, error));
    arb_code code = arb_ipc_encoder_schema(encoder, error);
    arb_ipc_encoder_destroy(encoder);
    return code == ARB_OK ? arb_rpc_send(stream->base.call, outlet.message, error) : code;
}

static void return_loan(void *context)
{
    arb_block_loan_return(context);
    arb_free(context);
}

static arb_code send_block(output_stream *stream, arb_attempt_output *output, uint32_t partition, size_t at,
                           arb_error *error)
{
    ARB_TRY(ARB_FAILPOINT_CODE(EXECUTOR_OUTPUT_READ, error));
    arb_block_loan *loan = arb_alloc_zeroed(sizeof *loan);
    if (loan == NULL)
        return arb_fail_memory(error, "a block", sizeof *loan);
    arb_code code = arb_attempt_output_borrow(output, partition, at, loan, error);
    if (code != ARB_OK) {
        arb_free(loan);
        return code;
    }
    const arb_block_origin *origin = arb_attempt_output_origin(output);
    uint8_t served[ARB_SERVED_BLOCK_BYTES];
    arb_served_block_write(&(arb_served_block){.checksum = loan->block.checksum,
                                               .attempt_term = origin->attempt_term,
                                               .attempt = origin->attempt,
                                               .task = origin->task,
                                               .partition = partition,
                                               .rows = loan->block.rows},
                           served);
    arb_rpc_slice body = {loan->block.data + loan->block.body_at, loan->block.body_size};
    arb_flight_parts parts = {.header = {(const char *)loan->block.data, loan->block.metadata_size},
                              .app_metadata = {(const char *)served, sizeof served},
                              .body = &body,
                              .body_count = 1};
    arb_rpc_message *message;
    code = arb_flight_data_write(&parts, return_loan, loan, &message, error);
    if (code != ARB_OK) {
        return_loan(loan);
        return code;
    }
    return arb_rpc_send(stream->base.call, message, error);
}

/* Send while there is room; *out_over: all has been sent. */
static arb_code send_some(output_stream *stream, bool *out_over, arb_error *error)
{
    const arb_output_ticket *ticket = &stream->ticket;
    if (!stream->described) {
        ARB_TRY(send_schema(stream, error));
        stream->described = true;
    }
    while (arb_rpc_writable(stream->base.call)) {
        if (stream->partition == ticket->partition_count) {
            *out_over = true;
            return ARB_OK;
        }
        arb_attempt_output *output = stream->outputs[stream->attempt];
        uint32_t partition = ticket->partitions[stream->partition];
        if (stream->at < arb_attempt_output_size(output, partition).blocks) {
            ARB_TRY(send_block(stream, output, partition, stream->at++, error));
            continue;
        }
        stream->at = 0;
        if (++stream->attempt < ticket->attempt_count)
            continue;
        stream->attempt = 0;
        stream->partition++;
    }
    return ARB_OK;
}

/* ---- its life ------------------------------------------------------------------------------------------------------------ */

static void free_stream(arb_rpc_sending *base)
{
    output_stream *stream = (output_stream *)base;
    for (size_t i = 0; stream->outputs != NULL && i < stream->ticket.attempt_count; i++)
        arb_attempt_output_unref(stream->outputs[i]);
    arb_arena_reset(&stream->arena);
    arb_free(stream);
}

/* The output that `stream->attempt` names is at fault. */
static void say_which(output_stream *stream)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%zu", stream->attempt);
    /* without memory the reader learns less */
    (void)!arb_rpc_add_trailer(stream->base.call, ARB_STR(ARB_OUTPUT_AT_FAULT), (arb_str){text, (size_t)size}, NULL);
}

static arb_code take_turn(arb_rpc_sending *base, bool *out_over, arb_error *error)
{
    output_stream *stream = (output_stream *)base;
    arb_code code = send_some(stream, out_over, error);
    if (code != ARB_OK)
        say_which(stream);
    return code;
}

static arb_code find_outputs(output_stream *stream, arb_error *error)
{
    const arb_output_ticket *ticket = &stream->ticket;
    stream->outputs = ARB_ARENA_ARRAY(&stream->arena, arb_attempt_output *, ticket->attempt_count + 1);
    if (stream->outputs == NULL)
        return arb_fail_memory(error, "a reader", ticket->attempt_count * sizeof *stream->outputs);
    for (size_t i = 0; i < ticket->attempt_count; i++) {
        stream->attempt = i;
        const arb_ticket_attempt *attempt = &ticket->attempts[i];
        arb_block_origin origin = {.job_term = ticket->job_term,
                                   .job = ticket->job,
                                   .attempt_term = attempt->term,
                                   .attempt = attempt->number,
                                   .stage = ticket->stage,
                                   .task = attempt->task};
        arb_attempt_output *output = arb_output_store_find(stream->service->store, &origin);
        stream->outputs[i] = output;
        if (output == NULL || arb_attempt_output_schema(output) == NULL)
            return arb_fail(error, ARB_UNDEFINED_OBJECT,
                            "the output of attempt %llu.%llu of task %u of stage %u of job %llu.%llu is not here",
                            (unsigned long long)attempt->term, (unsigned long long)attempt->number, attempt->task,
                            ticket->stage, (unsigned long long)ticket->job_term, (unsigned long long)ticket->job);
        for (size_t p = 0; p < ticket->partition_count; p++)
            if (ticket->partitions[p] >= arb_attempt_output_partitions(output))
                return arb_fail(error, ARB_UNDEFINED_OBJECT, "there is no partition %u", ticket->partitions[p]);
    }
    stream->attempt = 0;
    return ARB_OK;
}

static arb_code open_stream(output_stream *stream, arb_str bytes, arb_error *error)
{
    arb_output_service *service = stream->service;
    ARB_TRY(arb_output_ticket_open(bytes, &service->key, &stream->arena, &stream->ticket, error));
    pthread_mutex_lock(&service->lock);
    bool ours = arb_uuid_equal(stream->ticket.cluster, service->cluster);
    pthread_mutex_unlock(&service->lock);
    if (!ours)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the ticket is of another cluster");
    if (stream->ticket.attempt_count == 0)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the ticket names no output");
    ARB_TRY(find_outputs(stream, error));
    return arb_rpc_sending_begin(&stream->base, error);
}

void arb_output_service_do_get(void *context, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Ticket *ticket)
{
    static const arb_rpc_events events = {.on_writable = arb_rpc_sending_on_writable,
                                          .on_done = arb_rpc_sending_on_done};
    arb_error error = {0};
    output_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a reader", sizeof *stream), &error);
        return;
    }
    stream->service = context;
    arb_rpc_sending_init(&stream->base, &stream->service->senders, call);
    arb_rpc_handle(call, &events, stream);
    arb_code code = open_stream(stream, (arb_str){(const char *)ticket->ticket.data, ticket->ticket.len}, &error);
    if (code == ARB_OK)
        return;
    say_which(stream);
    arb_rpc_finish(call, code, &error);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

arb_code arb_output_service_create(arb_output_store *store, const arb_seal_key *key, arb_output_service **out_service,
                                   arb_error *error)
{
    static const arb_rpc_sending_vtable vtable = {take_turn, free_stream};
    *out_service = NULL;
    arb_output_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the service of outputs", sizeof *service);
    service->store = store;
    service->key = *key;
    arb_code code = arb_rpc_senders_init(&service->senders, &vtable, "the senders of outputs", error);
    if (code != ARB_OK) {
        arb_free(service);
        return code;
    }
    pthread_mutex_init(&service->lock, NULL);
    *out_service = service;
    return ARB_OK;
}

void arb_output_service_destroy(arb_output_service *service)
{
    if (service == NULL)
        return;
    arb_rpc_senders_reset(&service->senders);
    pthread_mutex_destroy(&service->lock);
    arb_free(service);
}

void arb_output_service_set_cluster(arb_output_service *service, arb_uuid cluster)
{
    pthread_mutex_lock(&service->lock);
    service->cluster = cluster;
    pthread_mutex_unlock(&service->lock);
}
