/* What arrives is decoded on the call's thread, into the stream, and handled on the loop, which then asks for the next: so one
 * message of each stream is here at a time. A stream is made when its call starts, and is the loop's from the first event on
 * until the call is done, its events have come in order, and the machine knows that it is over. */
#include "scheduler_process/control_service.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "rpc/auth_metadata.h"
#include "scheduler/control_wire.h"
#include "scheduler/id_map.h"

enum { REFUSAL_NS = 2000000000 }; /* how long one who was refused may take to read why */

static const char REPLACED[] = "a newer scheduler has taken over from this one";

/* What waits to be sent: a message, or a plan whose next part goes down from `offset`. */
typedef struct outgoing outgoing;
struct outgoing {
    outgoing *next;
    arb_text message;
    arb_stored_plan *plan;
    size_t offset;
    bool again; /* it was asked for while it went down */
};

typedef struct control_stream control_stream;
struct control_stream {
    arb_control_service *service;
    arb_rpc_call *call;
    control_stream *next, *previous;
    control_stream *older; /* of the same executor */
    uint64_t number;
    bool bound, closing, refused;
    bool beat_waits;   /* a HEARTBEAT_SEEN was sent when there was no room, and there was none since */
    arb_uuid executor; /* once it is bound */
    uint64_t session, sent;
    outgoing *first, **end;
    size_t waiting;
    arb_rpc_timer timer;
    arb_rpc_event opened, arrived, writable, closed;
    _Atomic bool writable_posted;
    arb_lasting_event gone;
    /* what has arrived: the call's thread fills it, then the loop has it */
    arb_arena arena;
    arb_to_scheduler message;
    arb_str token, wanted;
    arb_code code;
    arb_error error;
};

/* A job that cannot go on. */
typedef struct doomed doomed;
struct doomed {
    arb_lasting_event cancel;
    arb_error error;
    doomed *next;
};

struct arb_control_service {
    arb_scheduler_loop *loop;
    arb_plan_store *plans;
    arb_text join_token;
    size_t waiting_most;
    int64_t register_ns;
    control_stream *first;
    size_t count;
    uint64_t last_number;
    arb_id_map executors; /* to their newest streams */
    doomed *doomed;
    bool replaced, stopped;
};

/* ---- ends -------------------------------------------------------------------------------------------------------------- */

static void fail_stream(control_stream *stream, arb_code code, const arb_error *error)
{
    if (stream->closing)
        return;
    stream->closing = true;
    arb_rpc_finish(stream->call, code, error);
}

static void fail_saying(control_stream *stream, arb_code code, const char *why)
{
    arb_error error = {0};
    fail_stream(stream, arb_fail(&error, code, "%s", why), &error);
}

static void out_of_patience(arb_rpc_timer *timer)
{
    control_stream *stream = ARB_CONTAINER_OF(timer, control_stream, timer);
    if (stream->refused)
        arb_rpc_cancel(stream->call);
    else if (!stream->bound)
        fail_saying(stream, ARB_DEADLINE_EXCEEDED, "the stream came without a REGISTER");
}

static void set_timer(control_stream *stream, int64_t duration)
{
    arb_rpc_loop *timers = arb_scheduler_loop_timers(stream->service->loop);
    (void)arb_rpc_loop_unset(timers, &stream->timer);
    stream->timer.run = out_of_patience;
    arb_rpc_loop_set(timers, &stream->timer, arb_clock_monotonic_ns() + duration);
}

/* The job ends, once the event that runs is over. Without memory the stream's end is all that happens: the executor registers
 * again, and this comes again. */
static void doom(arb_control_service *service, arb_id job, const arb_error *why)
{
    doomed *made = arb_alloc_zeroed(sizeof *made);
    if (made == NULL)
        return;
    made->error = *why;
    made->cancel.event = (arb_event){.kind = ARB_EVENT_JOB_CANCEL, .job = job, .error = &made->error};
    made->next = service->doomed;
    service->doomed = made;
}

static void doomed_is_over(arb_lasting_event *event)
{
    arb_free(ARB_CONTAINER_OF(event, doomed, cancel));
}

void arb_control_service_settle(arb_control_service *service)
{
    while (service->doomed != NULL) {
        doomed *first = service->doomed;
        service->doomed = first->next;
        first->cancel.applied = doomed_is_over;
        arb_scheduler_loop_insist(service->loop, &first->cancel);
    }
}

/* ---- going down ---------------------------------------------------------------------------------------------------------- */

static void free_bytes(void *bytes)
{
    arb_free(bytes);
}

/* Takes the bytes. That the call is over already is no failure: its end is on its way. */
static arb_code send_bytes(control_stream *stream, arb_text *bytes, arb_error *error)
{
    arb_rpc_message *message;
    arb_code code = arb_rpc_message_create(1, 0, free_bytes, bytes->data, &message, NULL, error);
    if (code != ARB_OK) {
        arb_text_reset(bytes);
        return code;
    }
    message->slices[0] = (arb_rpc_slice){(const uint8_t *)bytes->data, bytes->size};
    message->size = bytes->size;
    *bytes = (arb_text){0};
    code = arb_rpc_send(stream->call, message, error);
    return code == ARB_CANCELLED ? ARB_OK : code;
}

/* A job whose messages no executor would take cannot be run. */
static arb_code check_size(control_stream *stream, const arb_to_executor *message, size_t size, arb_error *error)
{
    if (size <= ARB_CONTROL_MESSAGE_MOST)
        return ARB_OK;
    arb_fail(error, ARB_LIMIT_EXCEEDED, "a message to an executor would have %zu bytes, more than %d", size,
             ARB_CONTROL_MESSAGE_MOST);
    arb_id job = message->kind == ARB_TO_EXECUTOR_SOURCES ? message->sources.job : message->attempt.job;
    if (!arb_id_is_none(job))
        doom(stream->service, job, error);
    return error->code;
}

/* Number it, and off. */
static arb_code send_message(control_stream *stream, const arb_to_executor *message, arb_error *error)
{
    arb_text bytes = {0};
    if (message->kind == ARB_TO_EXECUTOR_LAUNCH)
        ARB_TRY(ARB_FAILPOINT_CODE(SCHEDULER_BEFORE_LAUNCH, error));
    arb_to_executor numbered = *message;
    numbered.header.sequence = stream->sent + 1;
    arb_code code = arb_to_executor_encode(&numbered, &bytes, error);
    if (code == ARB_OK)
        code = check_size(stream, message, bytes.size, error);
    if (code != ARB_OK) {
        arb_text_reset(&bytes);
        return code;
    }
    ARB_TRY(send_bytes(stream, &bytes, error));
    stream->sent++;
    if (message->kind == ARB_TO_EXECUTOR_LAUNCH)
        ARB_FAILPOINT(SCHEDULER_AFTER_LAUNCH);
    return ARB_OK;
}

static arb_code send_chunk(control_stream *stream, outgoing *item, arb_error *error)
{
    arb_text bytes = {0};
    const arb_stored_plan *plan = item->plan;
    size_t size = ARB_MIN(plan->bytes.size - item->offset, (size_t)ARB_PLAN_CHUNK_BYTES);
    arb_chunk chunk = {.hash = {(const char *)plan->hash, sizeof plan->hash},
                       .size = plan->bytes.size,
                       .offset = item->offset,
                       .bytes = {plan->bytes.data + item->offset, size}};
    arb_code code = arb_chunk_encode(&chunk, &bytes, error);
    if (code != ARB_OK) {
        arb_text_reset(&bytes);
        return code;
    }
    item->offset += size;
    return send_bytes(stream, &bytes, error);
}

static void drop_first(control_stream *stream)
{
    outgoing *first = stream->first;
    stream->first = first->next;
    if (stream->first == NULL)
        stream->end = &stream->first;
    stream->waiting -= first->message.size;
    arb_text_reset(&first->message);
    arb_plan_store_give_back(stream->service->plans, first->plan);
    arb_free(first);
}

static arb_code send_first(control_stream *stream, arb_error *error)
{
    outgoing *first = stream->first;
    if (first->plan != NULL) {
        ARB_TRY(send_chunk(stream, first, error));
        if (first->offset == first->plan->bytes.size && first->again) {
            first->offset = 0;
            first->again = false;
        } else if (first->offset == first->plan->bytes.size) {
            drop_first(stream);
        }
        return ARB_OK;
    }
    arb_arena arena = {0};
    arb_to_executor message;
    arb_chunk chunk;
    bool is_chunk;
    arb_code code = arb_to_executor_decode(&arena, arb_text_view(&first->message), &is_chunk, &message, &chunk, error);
    if (code == ARB_OK)
        code = send_message(stream, &message, error);
    arb_arena_reset(&arena);
    if (code == ARB_OK)
        drop_first(stream);
    return code;
}

/* As much as the call takes now. */
static void pump(control_stream *stream)
{
    arb_error error = {0};
    arb_code code = ARB_OK;
    while (code == ARB_OK && !stream->closing && stream->first != NULL && arb_rpc_writable(stream->call))
        code = send_first(stream, &error);
    if (code != ARB_OK)
        fail_stream(stream, code, &error);
}

static outgoing *enqueue(control_stream *stream)
{
    outgoing *item = arb_alloc_zeroed(sizeof *item);
    if (item == NULL)
        return NULL;
    *stream->end = item;
    stream->end = &item->next;
    return item;
}

/* The plan goes down next; takes the count of it. */
static arb_code enqueue_plan(control_stream *stream, arb_stored_plan *plan, arb_error *error)
{
    outgoing *item = enqueue(stream);
    if (item == NULL) {
        arb_plan_store_give_back(stream->service->plans, plan);
        return arb_fail_memory(error, "messages to an executor", sizeof *item);
    }
    item->plan = plan;
    return ARB_OK;
}

static arb_code enqueue_message(control_stream *stream, const arb_to_executor *message, arb_error *error)
{
    outgoing *item = enqueue(stream);
    if (item == NULL)
        return arb_fail_memory(error, "messages to an executor", sizeof *item);
    ARB_TRY(arb_to_executor_encode(message, &item->message, error));
    stream->waiting += item->message.size;
    if (stream->waiting > stream->service->waiting_most)
        return arb_fail(error, ARB_RESOURCES_EXHAUSTED, "the executor takes nothing: %zu bytes wait for it",
                        stream->waiting);
    return ARB_OK;
}

/* Before the first LAUNCH that names a plan on this stream, the plan. */
static arb_code plan_before(control_stream *stream, const arb_to_executor *launch, arb_error *error)
{
    arb_stored_plan *plan = arb_plan_store_get(stream->service->plans, launch->launch.plan);
    if (plan == NULL) {
        arb_fail(error, ARB_INTERNAL, "the plan of stage %u is not there", launch->attempt.stage);
        doom(stream->service, launch->attempt.job, error);
        return error->code;
    }
    size_t at = plan->sent_to.size;
    while (at > 0 && plan->sent_to.data[at - 1] != stream->number)
        at--;
    if (at > 0) {
        arb_plan_store_give_back(stream->service->plans, plan);
        return ARB_OK;
    }
    if (!ARB_VEC_PUSH(&plan->sent_to, stream->number)) {
        arb_plan_store_give_back(stream->service->plans, plan);
        return arb_fail_memory(error, "messages to an executor", sizeof stream->number);
    }
    return enqueue_plan(stream, plan, error);
}

static void refuse(control_stream *stream, const arb_to_executor *refusal)
{
    arb_error error = {0};
    arb_code code = send_message(stream, refusal, &error);
    if (code != ARB_OK) {
        fail_stream(stream, code, &error);
        return;
    }
    stream->closing = stream->refused = true;
    arb_rpc_finish(stream->call, ARB_OK, NULL); /* behind the refusal, which an error would overtake */
    set_timer(stream, REFUSAL_NS);
}

static void refuse_saying(control_stream *stream, const arb_control_header *of, const char *why)
{
    const arb_scheduler_loop *loop = stream->service->loop;
    refuse(stream, &(arb_to_executor){.header = {.cluster = arb_scheduler_loop_cluster(loop),
                                                 .term = arb_scheduler_loop_term(loop),
                                                 .executor = of->executor,
                                                 .session = of->session},
                                      .kind = ARB_TO_EXECUTOR_REFUSED,
                                      .why = why});
}

static arb_code send_in_order(control_stream *stream, const arb_to_executor *message, arb_error *error)
{
    if (message->kind == ARB_TO_EXECUTOR_LAUNCH)
        ARB_TRY(plan_before(stream, message, error));
    return stream->first == NULL && arb_rpc_writable(stream->call) ? send_message(stream, message, error)
                                                                   : enqueue_message(stream, message, error);
}

static control_stream *find(const arb_control_service *service, arb_uuid executor, uint64_t session)
{
    control_stream *stream = arb_id_map_get(&service->executors, executor.high, executor.low);
    while (stream != NULL && stream->session != session)
        stream = stream->older;
    return stream;
}

void arb_control_service_send(arb_control_service *service, const arb_to_executor *message)
{
    arb_error error = {0};
    arb_code code = ARB_OK;
    control_stream *stream = find(service, message->header.executor, message->header.session);
    if (stream == NULL || stream->closing)
        return;
    if (message->kind == ARB_TO_EXECUTOR_REFUSED) {
        refuse(stream, message);
    } else if (message->kind != ARB_TO_EXECUTOR_HEARTBEAT_SEEN) {
        code = send_in_order(stream, message, &error);
        if (code == ARB_OK)
            pump(stream);
    } else if (arb_rpc_writable(stream->call) || !stream->beat_waits) {
        stream->beat_waits = !arb_rpc_writable(stream->call);
        code = send_message(stream, message, &error);
    }
    if (code != ARB_OK)
        fail_stream(stream, code, &error);
}

void arb_control_service_close_stream(arb_control_service *service, arb_uuid executor, uint64_t session)
{
    control_stream *stream = find(service, executor, session);
    if (stream != NULL)
        fail_saying(stream, ARB_CONNECTION_FAILED, "the scheduler has ended this session: register again");
}

static void on_writable_event(arb_rpc_event *event)
{
    control_stream *stream = ARB_CONTAINER_OF(event, control_stream, writable);
    atomic_store(&stream->writable_posted, false);
    stream->beat_waits = false;
    pump(stream);
}

/* ---- coming up ----------------------------------------------------------------------------------------------------------- */

static arb_code bind_stream(control_stream *stream, const arb_control_header *header, arb_error *error)
{
    arb_control_service *service = stream->service;
    arb_uuid executor = header->executor;
    if (find(service, executor, header->session) != NULL)
        return arb_fail(error, ARB_DUPLICATE_OBJECT, "another stream of this executor has the same session");
    if (!arb_id_map_reserve(&service->executors, service->executors.count + 1))
        return arb_fail_memory(error, "an executor's stream", 0);
    stream->older = arb_id_map_get(&service->executors, executor.high, executor.low);
    arb_id_map_remove(&service->executors, executor.high, executor.low);
    arb_id_map_put(&service->executors, executor.high, executor.low, stream);
    stream->bound = true;
    stream->executor = executor;
    stream->session = header->session;
    return ARB_OK;
}

static void unbind_stream(control_stream *stream)
{
    arb_control_service *service = stream->service;
    arb_uuid executor = stream->executor;
    control_stream *newest = arb_id_map_get(&service->executors, executor.high, executor.low);
    if (newest == stream) {
        arb_id_map_remove(&service->executors, executor.high, executor.low);
        if (stream->older != NULL)
            arb_id_map_put(&service->executors, executor.high, executor.low, stream->older);
        return;
    }
    while (newest->older != stream)
        newest = newest->older;
    newest->older = stream->older;
}

static arb_code give_message(control_stream *stream, arb_error *error)
{
    return arb_scheduler_loop_apply(stream->service->loop,
                                    &(arb_event){.kind = ARB_EVENT_MESSAGE, .message = &stream->message}, error);
}

/* Whoever may not join is told so, and nothing of it reaches the machine. */
static arb_code take_registration(control_stream *stream, arb_error *error)
{
    const arb_control_service *service = stream->service;
    const arb_control_header *header = &stream->message.header;
    const char *why =
        stream->code == ARB_NOT_SUPPORTED ? stream->error.message
        : service->replaced               ? REPLACED
        : service->join_token.size != 0 && !arb_auth_equal(stream->token, arb_text_view(&service->join_token))
            ? "the join token is not this cluster's"
            : NULL;
    if (why != NULL) {
        refuse_saying(stream, header, why);
        return ARB_OK;
    }
    ARB_TRY(bind_stream(stream, header, error));
    ARB_TRY(give_message(stream, error));
    if (stream->sent == 0 && !stream->closing)
        return arb_fail(error, ARB_NOT_READY,
                        "the registration was not taken: a newer session of this executor is known");
    return ARB_OK;
}

static arb_code take_wanted(control_stream *stream, arb_error *error)
{
    arb_stored_plan *plan = arb_plan_store_get(stream->service->plans, stream->wanted);
    if (plan == NULL)
        return ARB_OK; /* its jobs have ended, which the executor hears too */
    for (outgoing *item = stream->first; item != NULL; item = item->next) {
        if (item->plan != plan)
            continue;
        item->again |= item->offset != 0;
        arb_plan_store_give_back(stream->service->plans, plan);
        return ARB_OK;
    }
    ARB_TRY(enqueue_plan(stream, plan, error));
    pump(stream);
    return ARB_OK;
}

static arb_code take_arrived(control_stream *stream, arb_error *error)
{
    const arb_control_header *header = &stream->message.header;
    bool registers = stream->wanted.size == 0 && stream->message.kind == ARB_TO_SCHEDULER_REGISTER;
    if (stream->code != ARB_OK && !(registers && stream->code == ARB_NOT_SUPPORTED)) {
        *error = stream->error;
        return stream->code;
    }
    if (registers != !stream->bound)
        return arb_fail(error, ARB_INVALID_PARAMETER,
                        registers ? "a second REGISTER came on one stream" : "a stream must begin with a REGISTER");
    if (registers)
        return take_registration(stream, error);
    if (stream->wanted.size != 0)
        return take_wanted(stream, error);
    if (!arb_uuid_equal(header->executor, stream->executor) || header->session != stream->session)
        return arb_fail(error, ARB_ACCESS_DENIED, "a message names another executor or session than its stream is of");
    if (stream->message.kind == ARB_TO_SCHEDULER_DONE)
        ARB_FAILPOINT(SCHEDULER_DONE_RECEIVED);
    return give_message(stream, error);
}

static void on_arrived(arb_rpc_event *event)
{
    control_stream *stream = ARB_CONTAINER_OF(event, control_stream, arrived);
    arb_error error = {0};
    arb_code code = stream->closing ? ARB_OK : take_arrived(stream, &error);
    arb_arena_reset(&stream->arena);
    if (code != ARB_OK)
        fail_stream(stream, code, &error);
    if (!stream->closing)
        arb_rpc_read(stream->call);
}

/* ---- streams ------------------------------------------------------------------------------------------------------------- */

static void on_opened(arb_rpc_event *event)
{
    control_stream *stream = ARB_CONTAINER_OF(event, control_stream, opened);
    arb_control_service *service = stream->service;
    stream->number = ++service->last_number;
    stream->next = service->first;
    if (stream->next != NULL)
        stream->next->previous = stream;
    service->first = stream;
    service->count++;
    if (service->stopped) {
        fail_saying(stream, ARB_CONNECTION_FAILED, "the scheduler is about to end");
        return;
    }
    set_timer(stream, service->register_ns);
    arb_rpc_read(stream->call);
}

static void free_stream(arb_lasting_event *event)
{
    control_stream *stream = ARB_CONTAINER_OF(event, control_stream, gone);
    arb_arena_reset(&stream->arena);
    arb_free(stream);
}

static void on_closed(arb_rpc_event *event)
{
    control_stream *stream = ARB_CONTAINER_OF(event, control_stream, closed);
    arb_control_service *service = stream->service;
    (void)arb_rpc_loop_unset(arb_scheduler_loop_timers(service->loop), &stream->timer);
    *(stream->previous != NULL ? &stream->previous->next : &service->first) = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    service->count--;
    while (stream->first != NULL)
        drop_first(stream);
    arb_rpc_call_unref(stream->call);
    stream->gone = (arb_lasting_event){
        .event = {.kind = ARB_EVENT_STREAM_CLOSED, .executor = stream->executor, .session = stream->session},
        .applied = free_stream};
    if (!stream->bound) {
        free_stream(&stream->gone);
        return;
    }
    unbind_stream(stream);
    arb_scheduler_loop_insist(service->loop, &stream->gone);
}

/* The call's events, on its thread. */

static void call_message(arb_rpc_call *call, void *context, arb_rpc_message *message)
{
    (void)call;
    control_stream *stream = context;
    arb_str bytes;
    stream->error = (arb_error){0};
    stream->code = arb_rpc_message_bytes(message, &stream->arena, &bytes, &stream->error);
    if (stream->code == ARB_OK)
        stream->code = arb_to_scheduler_decode(&stream->arena, bytes, &stream->message, &stream->token, &stream->wanted,
                                               &stream->error);
    arb_scheduler_loop_post(stream->service->loop, &stream->arrived);
}

static void call_half_close(arb_rpc_call *call, void *context)
{
    (void)context;
    arb_rpc_finish(call, ARB_OK, NULL);
}

static void call_writable(arb_rpc_call *call, void *context)
{
    (void)call;
    control_stream *stream = context;
    if (!atomic_exchange(&stream->writable_posted, true))
        arb_scheduler_loop_post(stream->service->loop, &stream->writable);
}

static void call_done(arb_rpc_call *call, void *context, const arb_error *outcome)
{
    (void)call;
    (void)outcome;
    control_stream *stream = context;
    arb_scheduler_loop_post(stream->service->loop, &stream->closed);
}

static void start_connect(void *context, arb_rpc_call *call)
{
    static const arb_rpc_events events = {.on_message = call_message,
                                          .on_half_close = call_half_close,
                                          .on_writable = call_writable,
                                          .on_done = call_done};
    arb_error error = {0};
    arb_control_service *service = context;
    control_stream *stream = arb_alloc_zeroed(sizeof *stream);
    if (stream == NULL) {
        arb_rpc_finish(call, arb_fail_memory(&error, "an executor's stream", sizeof *stream), &error);
        return;
    }
    stream->service = service;
    stream->call = arb_rpc_call_ref(call);
    stream->end = &stream->first;
    stream->opened.run = on_opened;
    stream->arrived.run = on_arrived;
    stream->writable.run = on_writable_event;
    stream->closed.run = on_closed;
    arb_rpc_handle(call, &events, stream);
    arb_scheduler_loop_post(service->loop, &stream->opened);
}

/* ---- the service --------------------------------------------------------------------------------------------------------- */

arb_code arb_control_service_create(const arb_control_service_options *options, arb_control_service **out_service,
                                    arb_error *error)
{
    *out_service = NULL;
    arb_control_service *service = arb_alloc_zeroed(sizeof *service);
    if (service == NULL)
        return arb_fail_memory(error, "the control service", sizeof *service);
    service->loop = options->loop;
    service->plans = options->plans;
    service->waiting_most = options->waiting_most != 0 ? options->waiting_most : (size_t)64 << 20;
    service->register_ns = options->register_ns != 0 ? options->register_ns : (int64_t)10000000000;
    arb_text_append_str(&service->join_token, options->join_token);
    arb_code code = arb_text_check(&service->join_token, error);
    if (code != ARB_OK) {
        arb_control_service_destroy(service);
        return code;
    }
    *out_service = service;
    return ARB_OK;
}

void arb_control_service_destroy(arb_control_service *service)
{
    if (service == NULL)
        return;
    assert(service->count == 0 && service->doomed == NULL);
    arb_text_reset(&service->join_token);
    arb_id_map_reset(&service->executors);
    arb_free(service);
}

arb_rpc_service arb_control_service_entry(arb_control_service *service)
{
    static const arb_rpc_method_entry methods[] = {{"Connect", start_connect}};
    return (arb_rpc_service){ARB_CONTROL_SERVICE_NAME, methods, ARB_COUNT_OF(methods), service};
}

static void end_all(arb_control_service *service, const char *why)
{
    for (control_stream *stream = service->first; stream != NULL; stream = stream->next)
        fail_saying(stream, ARB_CONNECTION_FAILED, why);
}

void arb_control_service_replaced(arb_control_service *service)
{
    service->replaced = true;
    end_all(service, REPLACED);
}

void arb_control_service_stop(arb_control_service *service)
{
    service->stopped = true;
    end_all(service, "the scheduler is about to end");
}
