#include "exchange_flight/output_service.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "columnar/ipc/ipc_encoder.h"
#include "proto/flight.pb-c.h"
#include "rpc/flight_data.h"
#include "runtime/workers.h"

enum {
    SENDERS = 2,
    SENDER_STACK = 256 << 10,
};

/* A call of DoGet. Its counts: one until the call is over, one while it waits for a sender or is with one. */
typedef struct output_stream {
    arb_output_service *service;
    arb_rpc_call *call;
    arb_arena arena; /* the ticket */
    arb_output_ticket ticket;
    arb_attempt_output **outputs;  /* a count each */
    size_t partition, attempt, at; /* the next block; the sender's */
    bool described;                /* the schema has been sent; likewise */
    /* The service's lock guards the rest. */
    unsigned references;
    bool busy;  /* queued, or with a sender */
    bool again; /* there may be room since the sender looked */
    bool over;
    struct output_stream *next; /* in the queue */
} output_stream;

struct arb_output_service {
    arb_output_store *store;
    arb_seal_key key;
    arb_workers senders; /* its lock */
    arb_uuid cluster;
    output_stream *first, **last; /* streams that wait for a sender */
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
    return code == ARB_OK ? arb_rpc_send(stream->call, outlet.message, error) : code;
}

static void return_loan(void *context)
{
    arb_block_loan_return(context);
    arb_free(context);
}

static arb_code send_block(output_stream *stream, arb_attempt_output *output, uint32_t partition, size_t at,
                           arb_error *error)
{
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
    return arb_rpc_send(stream->call, message, error);
}

/* Send while there is room; *out_over: all has been sent. */
static arb_code send_some(output_stream *stream, bool *out_over, arb_error *error)
{
    const arb_output_ticket *ticket = &stream->ticket;
    *out_over = false;
    if (!stream->described) {
        ARB_TRY(send_schema(stream, error));
        stream->described = true;
    }
    while (arb_rpc_writable(stream->call)) {
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

static void free_stream(output_stream *stream)
{
    for (size_t i = 0; stream->outputs != NULL && i < stream->ticket.attempt_count; i++)
        arb_attempt_output_unref(stream->outputs[i]);
    arb_rpc_call_unref(stream->call);
    arb_arena_reset(&stream->arena);
    arb_free(stream);
}

static void unref_stream(output_stream *stream)
{
    arb_output_service *service = stream->service;
    pthread_mutex_lock(&service->senders.lock);
    bool last = --stream->references == 0;
    pthread_mutex_unlock(&service->senders.lock);
    if (last)
        free_stream(stream);
}

/* With the lock held. */
static void enqueue(output_stream *stream)
{
    arb_output_service *service = stream->service;
    stream->busy = true;
    stream->again = false;
    stream->next = NULL;
    stream->references++;
    *service->last = stream;
    service->last = &stream->next;
    pthread_cond_signal(&service->senders.work);
}

/* The output that `stream->attempt` names is at fault. */
static void say_which(output_stream *stream)
{
    char text[24];
    int size = snprintf(text, sizeof text, "%zu", stream->attempt);
    /* without memory the reader learns less */
    (void)!arb_rpc_add_trailer(stream->call, ARB_STR(ARB_OUTPUT_AT_FAULT), (arb_str){text, (size_t)size}, NULL);
}

/* One turn of a stream. Then it waits for room, or for another turn if room came meanwhile. */
static void serve(arb_output_service *service, output_stream *stream)
{
    arb_error error = {0};
    bool over;
    arb_code code = send_some(stream, &over, &error);
    if (code != ARB_OK)
        say_which(stream);
    if (code != ARB_OK || over)
        arb_rpc_finish(stream->call, code, &error);
    pthread_mutex_lock(&service->senders.lock);
    stream->busy = false;
    stream->over |= code != ARB_OK || over;
    if (stream->again && !stream->over)
        enqueue(stream);
    pthread_mutex_unlock(&service->senders.lock);
    unref_stream(stream);
}

static void *send(void *context)
{
    arb_output_service *service = context;
    pthread_mutex_lock(&service->senders.lock);
    while (!service->senders.stopping) {
        output_stream *stream = service->first;
        if (stream == NULL) {
            pthread_cond_wait(&service->senders.work, &service->senders.lock);
            continue;
        }
        service->first = stream->next;
        if (service->first == NULL)
            service->last = &service->first;
        pthread_mutex_unlock(&service->senders.lock);
        serve(service, stream);
        pthread_mutex_lock(&service->senders.lock);
    }
    pthread_mutex_unlock(&service->senders.lock);
    return NULL;
}

static void on_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    output_stream *stream = context;
    pthread_mutex_lock(&stream->service->senders.lock);
    if (stream->busy)
        stream->again = true;
    else if (!stream->over)
        enqueue(stream);
    pthread_mutex_unlock(&stream->service->senders.lock);
}

static void on_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call, (void)outcome;
    output_stream *stream = context;
    pthread_mutex_lock(&stream->service->senders.lock);
    stream->over = true;
    pthread_mutex_unlock(&stream->service->senders.lock);
    unref_stream(stream);
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
    pthread_mutex_lock(&service->senders.lock);
    bool ours = arb_uuid_equal(stream->ticket.cluster, service->cluster);
    pthread_mutex_unlock(&service->senders.lock);
    if (!ours)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the ticket is of another cluster");
    if (stream->ticket.attempt_count == 0)
        return arb_fail(error, ARB_UNDEFINED_OBJECT, "the ticket names no output");
    ARB_TRY(find_outputs(stream, error));
    pthread_mutex_lock(&service->senders.lock);
    arb_code code = arb_workers_start(&service->senders, send, service, SENDER_STACK, error);
    pthread_mutex_unlock(&service->senders.lock);
    return code;
}

void arb_output_service_do_get(void *context, arb_rpc_call *call, const struct Arrow__Flight__Protocol__Ticket *ticket)
{
    static const arb_rpc_events events = {.on_writable = on_writable, .on_done = on_done};
    arb_error error = {0};
    output_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "a reader", sizeof *stream), &error);
        return;
    }
    stream->service = context;
    stream->call = arb_rpc_call_ref(call);
    stream->references = 1;
    arb_rpc_handle(call, &events, stream);
    arb_code code = open_stream(stream, (arb_str){(const char *)ticket->ticket.data, ticket->ticket.len}, &error);
    if (code == ARB_OK) {
        on_writable(call, stream);
        return;
    }
    say_which(stream);
    arb_rpc_finish(call, code, &error);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

arb_code arb_output_service_create(arb_output_store *store, const arb_seal_key *key, arb_output_service **out_service,
                                   arb_error *error)
{
    *out_service = NULL;
    arb_output_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the service of outputs", sizeof *service);
    service->store = store;
    service->key = *key;
    service->last = &service->first;
    arb_code code = arb_workers_init(&service->senders, SENDERS, "the senders of outputs", error);
    if (code != ARB_OK) {
        arb_free(service);
        return code;
    }
    *out_service = service;
    return ARB_OK;
}

void arb_output_service_destroy(arb_output_service *service)
{
    if (service == NULL)
        return;
    /* calls are over, but a sender may still hold the last count of a stream, or one may wait for its turn in vain */
    arb_workers_reset(&service->senders);
    for (output_stream *stream = service->first, *next; stream != NULL; stream = next) {
        next = stream->next;
        free_stream(stream);
    }
    arb_free(service);
}

void arb_output_service_set_cluster(arb_output_service *service, arb_uuid cluster)
{
    pthread_mutex_lock(&service->senders.lock);
    service->cluster = cluster;
    pthread_mutex_unlock(&service->senders.lock);
}
