#include "scheduler/control_wire.h"

#include <limits.h>

#include "proto/control.pb-c.h"
#include "wire/wire.h"

/* ---- to messages: borrowed texts, everything else in an arena ---------------------------------------------------------- */

typedef struct control_writer {
    arb_arena arena;
    bool failed; /* no memory */
} control_writer;

static void *make(control_writer *w, const ProtobufCMessageDescriptor *kind)
{
    ProtobufCMessage *message = arb_arena_alloc(&w->arena, kind->sizeof_message);
    if (message == NULL)
        w->failed = true;
    else
        protobuf_c_message_init(kind, message);
    return message;
}

/* Pointers to `count` messages of the kind, or NULL. */
static void *make_list(control_writer *w, const ProtobufCMessageDescriptor *kind, size_t count)
{
    ProtobufCMessage **list = arb_arena_alloc(&w->arena, (count + 1) * sizeof *list);
    w->failed |= list == NULL;
    for (size_t i = 0; list != NULL && i < count; i++)
        if ((list[i] = make(w, kind)) == NULL)
            return NULL;
    return list;
}

static ProtobufCBinaryData text_of(arb_str text)
{
    return (ProtobufCBinaryData){text.size, (uint8_t *)(uintptr_t)text.data};
}

static ProtobufCBinaryData *write_texts(control_writer *w, const arb_str *texts, size_t count)
{
    ProtobufCBinaryData *list = arb_arena_alloc(&w->arena, (count + 1) * sizeof *list);
    w->failed |= list == NULL;
    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = text_of(texts[i]);
    return list;
}

static Arbalest__Control__Uuid *write_uuid(control_writer *w, arb_uuid uuid)
{
    Arbalest__Control__Uuid *to = make(w, &arbalest__control__uuid__descriptor);
    if (to != NULL) {
        to->high = uuid.high;
        to->low = uuid.low;
    }
    return to;
}

static Arbalest__Control__Id *write_id(control_writer *w, arb_id id)
{
    Arbalest__Control__Id *to = make(w, &arbalest__control__id__descriptor);
    if (to != NULL) {
        to->term = id.term;
        to->number = id.number;
    }
    return to;
}

static Arbalest__Control__Header *write_header(control_writer *w, const arb_control_header *header)
{
    Arbalest__Control__Header *to = make(w, &arbalest__control__header__descriptor);
    if (to == NULL)
        return NULL;
    to->cluster = write_uuid(w, header->cluster);
    to->term = header->term;
    to->executor = write_uuid(w, header->executor);
    to->session = header->session;
    to->sequence = header->sequence;
    return to;
}

static void fill_attempt(control_writer *w, const arb_attempt *attempt, Arbalest__Control__Attempt *to)
{
    to->job = write_id(w, attempt->job);
    to->attempt = write_id(w, attempt->attempt);
    to->generation = write_id(w, attempt->generation);
    to->stage = attempt->stage;
    to->task = attempt->task;
}

static Arbalest__Control__Attempt *write_attempt(control_writer *w, const arb_attempt *attempt)
{
    Arbalest__Control__Attempt *to = make(w, &arbalest__control__attempt__descriptor);
    if (to != NULL)
        fill_attempt(w, attempt, to);
    return to;
}

static Arbalest__Control__Attempt **write_attempts(control_writer *w, const arb_attempt *attempts, size_t count)
{
    Arbalest__Control__Attempt **list = make_list(w, &arbalest__control__attempt__descriptor, count);
    for (size_t i = 0; list != NULL && i < count; i++)
        fill_attempt(w, &attempts[i], list[i]);
    return list;
}

static Arbalest__Control__Output *write_output(control_writer *w, const arb_task_output *output)
{
    Arbalest__Control__Output *to = make(w, &arbalest__control__output__descriptor);
    if (to != NULL) {
        to->rows = output->rows;
        to->bytes = output->bytes;
        to->facts = text_of(output->facts);
        to->memory = output->memory;
    }
    return to;
}

static Arbalest__Control__Error *write_error(control_writer *w, const arb_error *error)
{
    Arbalest__Control__Error *to = make(w, &arbalest__control__error__descriptor);
    if (to == NULL)
        return NULL;
    to->sqlstate = text_of(arb_str_of(arb_code_sqlstate(error->code)));
    to->position = error->position;
    to->message = text_of(arb_str_of(error->message));
    to->detail = text_of(arb_str_of(error->detail));
    to->hint = text_of(arb_str_of(error->hint));
    to->origin = text_of(arb_str_of(error->origin));
    return to;
}

static Arbalest__Control__Failure *write_failure(control_writer *w, const arb_failure *failure)
{
    Arbalest__Control__Failure *to = make(w, &arbalest__control__failure__descriptor);
    if (to == NULL)
        return NULL;
    to->kind = failure->kind;
    if (failure->kind == ARB_FAILURE_FINAL || failure->kind == ARB_FAILURE_RETRYABLE)
        to->error = write_error(w, failure->error);
    if (failure->kind != ARB_FAILURE_READ)
        return to;
    to->read = failure->read;
    to->producer_stage = failure->producer_stage;
    to->producer_task = failure->producer_task;
    to->producer_attempt = write_id(w, failure->producer_attempt);
    return to;
}

static Arbalest__Control__HeldOutput **write_held(control_writer *w, const arb_held_output *held, size_t count)
{
    Arbalest__Control__HeldOutput **list = make_list(w, &arbalest__control__held_output__descriptor, count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i]->attempt = write_attempt(w, &held[i].attempt);
        list[i]->output = write_output(w, &held[i].output);
    }
    return list;
}

static Arbalest__Control__Register *write_register(control_writer *w, const arb_register *from, arb_str token)
{
    Arbalest__Control__Register *to = make(w, &arbalest__control__register__descriptor);
    if (to == NULL)
        return NULL;
    to->address = text_of(from->address);
    to->key = text_of(from->key);
    to->version = text_of(from->version);
    to->slots = from->slots;
    to->memory = from->memory;
    to->n_roots = from->root_count;
    to->roots = write_texts(w, from->roots, from->root_count);
    to->draining = from->draining;
    to->previous = write_uuid(w, from->previous);
    to->n_running = from->running_count;
    to->running = write_attempts(w, from->running, from->running_count);
    to->alone = write_id(w, from->alone);
    to->n_failed = from->failed_count;
    to->failed = write_attempts(w, from->failed, from->failed_count);
    to->n_held = from->held_count;
    to->held = write_held(w, from->held, from->held_count);
    to->n_crashed = from->crashed_count;
    to->crashed = write_attempts(w, from->crashed, from->crashed_count);
    to->crashed_cluster = write_uuid(w, from->crashed_cluster);
    to->token = text_of(token);
    to->protocol = ARB_CONTROL_PROTOCOL;
    return to;
}

/* Pack unless there was no memory; the arena goes. */
static arb_code finish(control_writer *w, const ProtobufCMessage *message, arb_text *out, arb_error *error)
{
    arb_code code =
        w->failed ? arb_fail_memory(error, "a message", sizeof *message) : arb_wire_pack(message, out, error);
    arb_arena_reset(&w->arena);
    return code;
}

arb_code arb_to_scheduler_encode(const arb_to_scheduler *message, arb_str join_token, arb_text *out, arb_error *error)
{
    control_writer w = {0};
    Arbalest__Control__ToScheduler to = ARBALEST__CONTROL__TO_SCHEDULER__INIT;
    to.header = write_header(&w, &message->header);
    to.kind = message->kind;
    switch (message->kind) {
    case ARB_TO_SCHEDULER_REGISTER:
        to.inventory = write_register(&w, &message->inventory, join_token);
        break;
    case ARB_TO_SCHEDULER_PROGRESS:
    case ARB_TO_SCHEDULER_DONE:
        to.attempt = write_attempt(&w, &message->attempt);
        to.output = write_output(&w, &message->output);
        break;
    case ARB_TO_SCHEDULER_FAILED:
        to.attempt = write_attempt(&w, &message->attempt);
        to.failure = write_failure(&w, &message->failure);
        break;
    case ARB_TO_SCHEDULER_HEARTBEAT:
    case ARB_TO_SCHEDULER_DRAINING:
    case ARB_TO_SCHEDULER_GOODBYE:
        break;
    }
    return finish(&w, &to.base, out, error);
}

static Arbalest__Control__Sources *write_sources(control_writer *w, const arb_sources *from)
{
    Arbalest__Control__Sources *to = make(w, &arbalest__control__sources__descriptor);
    Arbalest__Control__Source **list = make_list(w, &arbalest__control__source__descriptor, from->source_count);
    if (to == NULL || list == NULL)
        return NULL;
    to->job = write_id(w, from->job);
    to->stage = from->stage;
    to->input = from->input;
    to->producer_stage = from->producer_stage;
    to->version = from->version;
    to->mode = from->mode;
    to->n_sources = from->source_count;
    to->sources = list;
    for (size_t i = 0; i < from->source_count; i++) {
        const arb_source *source = &from->sources[i];
        list[i]->task = source->task;
        list[i]->attempt = write_id(w, source->attempt);
        list[i]->executor = write_uuid(w, source->executor);
        list[i]->address = text_of(source->address);
        list[i]->key = text_of(source->key);
        list[i]->rows = source->rows;
        list[i]->bytes = source->bytes;
        list[i]->facts = text_of(source->facts);
    }
    return to;
}

static Arbalest__Control__Launch *write_launch(control_writer *w, const arb_launch *from)
{
    Arbalest__Control__Launch *to = make(w, &arbalest__control__launch__descriptor);
    if (to == NULL)
        return NULL;
    to->plan = text_of(from->plan);
    to->settings = text_of(from->settings);
    to->payload = text_of(from->payload);
    to->sources_version = from->sources_version;
    to->drivers = from->drivers;
    to->memory = from->memory;
    to->alone = from->alone;
    to->streams = from->streams;
    to->n_facts = from->fact_count;
    to->facts = write_texts(w, from->facts, from->fact_count);
    return to;
}

static Arbalest__Control__Welcome *write_welcome(control_writer *w, const arb_welcome *from)
{
    Arbalest__Control__Welcome *to = make(w, &arbalest__control__welcome__descriptor);
    if (to != NULL) {
        to->heartbeat_ns = from->heartbeat_ns;
        to->silence_ns = from->silence_ns;
        to->unreachable_ns = from->unreachable_ns;
    }
    return to;
}

arb_code arb_to_executor_encode(const arb_to_executor *message, arb_text *out, arb_error *error)
{
    control_writer w = {0};
    Arbalest__Control__ToExecutor to = ARBALEST__CONTROL__TO_EXECUTOR__INIT;
    to.header = write_header(&w, &message->header);
    to.kind = message->kind;
    switch (message->kind) {
    case ARB_TO_EXECUTOR_WELCOME:
        to.welcome = write_welcome(&w, &message->welcome);
        break;
    case ARB_TO_EXECUTOR_REFUSED:
        to.why = text_of(arb_str_of(message->why));
        break;
    case ARB_TO_EXECUTOR_SOURCES:
        to.sources = write_sources(&w, &message->sources);
        break;
    case ARB_TO_EXECUTOR_LAUNCH:
        to.launch = write_launch(&w, &message->launch);
        to.attempt = write_attempt(&w, &message->attempt);
        break;
    case ARB_TO_EXECUTOR_SEEN:
    case ARB_TO_EXECUTOR_CANCEL:
    case ARB_TO_EXECUTOR_DELETE:
        to.attempt = write_attempt(&w, &message->attempt);
        break;
    case ARB_TO_EXECUTOR_GONE:
        to.gone = write_uuid(&w, message->gone);
        break;
    case ARB_TO_EXECUTOR_HEARTBEAT_SEEN:
    case ARB_TO_EXECUTOR_MAY_GO:
        break;
    }
    return finish(&w, &to.base, out, error);
}

arb_code arb_wanted_encode(arb_str hash, arb_text *out, arb_error *error)
{
    Arbalest__Control__ToScheduler to = ARBALEST__CONTROL__TO_SCHEDULER__INIT;
    to.wanted = text_of(hash);
    return arb_wire_pack(&to.base, out, error);
}

arb_code arb_chunk_encode(const arb_chunk *chunk, arb_text *out, arb_error *error)
{
    Arbalest__Control__ToExecutor to = ARBALEST__CONTROL__TO_EXECUTOR__INIT;
    Arbalest__Control__Chunk part = ARBALEST__CONTROL__CHUNK__INIT;
    part.hash = text_of(chunk->hash);
    part.size = chunk->size;
    part.offset = chunk->offset;
    part.bytes = text_of(chunk->bytes);
    to.chunk = &part;
    return arb_wire_pack(&to.base, out, error);
}

/* ---- from messages ----------------------------------------------------------------------------------------------------- */

typedef struct control_reader {
    arb_arena *arena;
    arb_error *error;
} control_reader;

static arb_code damaged(const control_reader *r, const char *what)
{
    return arb_fail(r->error, ARB_CORRUPT_DATA, "a message of the control stream has %s", what);
}

static arb_code no_memory(const control_reader *r, size_t size)
{
    return arb_fail_memory(r->error, "a message", size);
}

static arb_str str_of(ProtobufCBinaryData bytes)
{
    return (arb_str){(const char *)bytes.data, bytes.len};
}

static arb_code read_texts(control_reader *r, const ProtobufCBinaryData *from, size_t count, const arb_str **out)
{
    arb_str *texts = ARB_ARENA_ARRAY(r->arena, arb_str, count + 1);
    if (texts == NULL)
        return no_memory(r, count * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = str_of(from[i]);
    *out = texts;
    return ARB_OK;
}

/* Absent ones are zero: none. */
static arb_uuid read_uuid(const Arbalest__Control__Uuid *from)
{
    return from == NULL ? (arb_uuid){0} : (arb_uuid){from->high, from->low};
}

static arb_id read_id(const Arbalest__Control__Id *from)
{
    return from == NULL ? (arb_id){0} : (arb_id){from->term, from->number};
}

static arb_code read_header(control_reader *r, const Arbalest__Control__Header *from, arb_control_header *out)
{
    if (from == NULL)
        return damaged(r, "no header");
    *out = (arb_control_header){.cluster = read_uuid(from->cluster),
                                .term = from->term,
                                .executor = read_uuid(from->executor),
                                .session = from->session,
                                .sequence = from->sequence};
    return ARB_OK;
}

static arb_attempt attempt_of(const Arbalest__Control__Attempt *from)
{
    return (arb_attempt){.job = read_id(from->job),
                         .attempt = read_id(from->attempt),
                         .generation = read_id(from->generation),
                         .stage = from->stage,
                         .task = from->task};
}

static arb_code read_attempt(control_reader *r, const Arbalest__Control__Attempt *from, arb_attempt *out)
{
    if (from == NULL)
        return damaged(r, "no attempt");
    *out = attempt_of(from);
    return ARB_OK;
}

static arb_code read_attempts(control_reader *r, Arbalest__Control__Attempt *const *from, size_t count,
                              const arb_attempt **out)
{
    arb_attempt *attempts = ARB_ARENA_ARRAY(r->arena, arb_attempt, count + 1);
    if (attempts == NULL)
        return no_memory(r, count * sizeof *attempts);
    for (size_t i = 0; i < count; i++)
        attempts[i] = attempt_of(from[i]);
    *out = attempts;
    return ARB_OK;
}

static arb_code read_output(control_reader *r, const Arbalest__Control__Output *from, arb_task_output *out)
{
    if (from == NULL)
        return damaged(r, "no output");
    *out = (arb_task_output){from->rows, from->bytes, str_of(from->facts), from->memory};
    return ARB_OK;
}

/* For a format's "%.*s", which ends at a NUL; an empty text points nowhere. */
#define TEXT_ARGS(text) (int)ARB_MIN((text).len, (size_t)INT_MAX), (text).len == 0 ? "" : (const char *)(text).data

static arb_code read_error(control_reader *r, const Arbalest__Control__Error *from, const arb_error **out)
{
    if (from == NULL)
        return damaged(r, "no error");
    arb_error *error = ARB_ARENA_NEW(r->arena, arb_error);
    if (error == NULL)
        return no_memory(r, sizeof *error);
    arb_code code = arb_code_of_sqlstate((const char *)from->sqlstate.data, from->sqlstate.len);
    if (code == ARB_OK)
        return damaged(r, "an error that is none");
    (void)arb_fail(error, code, "%.*s", TEXT_ARGS(from->message));
    error->position = from->position;
    arb_error_detail(error, "%.*s", TEXT_ARGS(from->detail));
    arb_error_hint(error, "%.*s", TEXT_ARGS(from->hint));
    arb_error_origin(error, "%.*s", TEXT_ARGS(from->origin));
    *out = error;
    return ARB_OK;
}

static arb_code read_failure(control_reader *r, const Arbalest__Control__Failure *from, arb_failure *out)
{
    if (from == NULL || from->kind > ARB_FAILURE_READ || from->read > ARB_READ_UNREACHABLE)
        return damaged(r, "an unknown failure");
    *out = (arb_failure){.kind = (arb_failure_kind)from->kind};
    if (out->kind == ARB_FAILURE_FINAL || out->kind == ARB_FAILURE_RETRYABLE)
        return read_error(r, from->error, &out->error);
    if (out->kind == ARB_FAILURE_READ) {
        out->read = (arb_read_failure)from->read;
        out->producer_stage = from->producer_stage;
        out->producer_task = from->producer_task;
        out->producer_attempt = read_id(from->producer_attempt);
    }
    return ARB_OK;
}

static arb_code read_held(control_reader *r, Arbalest__Control__HeldOutput *const *from, size_t count,
                          const arb_held_output **out)
{
    arb_held_output *held = ARB_ARENA_ARRAY(r->arena, arb_held_output, count + 1);
    if (held == NULL)
        return no_memory(r, count * sizeof *held);
    for (size_t i = 0; i < count; i++) {
        ARB_TRY(read_attempt(r, from[i]->attempt, &held[i].attempt));
        ARB_TRY(read_output(r, from[i]->output, &held[i].output));
    }
    *out = held;
    return ARB_OK;
}

static arb_code read_register(control_reader *r, const Arbalest__Control__Register *from, arb_register *out)
{
    if (from == NULL)
        return damaged(r, "no inventory");
    if (from->protocol != ARB_CONTROL_PROTOCOL)
        return arb_fail(
            r->error, ARB_NOT_SUPPORTED,
            "the executor speaks version %u of the control protocol, the scheduler version %d: both must be "
            "of the same release",
            from->protocol, ARB_CONTROL_PROTOCOL);
    *out = (arb_register){.address = str_of(from->address),
                          .version = str_of(from->version),
                          .key = str_of(from->key),
                          .slots = from->slots,
                          .memory = from->memory,
                          .root_count = from->n_roots,
                          .draining = from->draining,
                          .previous = read_uuid(from->previous),
                          .running_count = from->n_running,
                          .alone = read_id(from->alone),
                          .failed_count = from->n_failed,
                          .held_count = from->n_held,
                          .crashed_count = from->n_crashed,
                          .crashed_cluster = read_uuid(from->crashed_cluster)};
    ARB_TRY(read_texts(r, from->roots, from->n_roots, &out->roots));
    ARB_TRY(read_attempts(r, from->running, from->n_running, &out->running));
    ARB_TRY(read_attempts(r, from->failed, from->n_failed, &out->failed));
    ARB_TRY(read_attempts(r, from->crashed, from->n_crashed, &out->crashed));
    return read_held(r, from->held, from->n_held, &out->held);
}

arb_code arb_to_scheduler_decode(arb_arena *arena, arb_str bytes, arb_to_scheduler *out, arb_str *out_token,
                                 arb_str *out_wanted, arb_error *error)
{
    control_reader r = {arena, error};
    ProtobufCMessage *message;
    *out = (arb_to_scheduler){0};
    *out_token = *out_wanted = (arb_str){0};
    ARB_TRY(
        arb_wire_unpack(&arbalest__control__to_scheduler__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Control__ToScheduler *from = (const Arbalest__Control__ToScheduler *)message;
    *out_wanted = str_of(from->wanted);
    if (out_wanted->size != 0)
        return ARB_OK;
    if (from->kind > ARB_TO_SCHEDULER_GOODBYE)
        return damaged(&r, "an unknown kind");
    out->kind = (arb_to_scheduler_kind)from->kind;
    ARB_TRY(read_header(&r, from->header, &out->header));
    switch (out->kind) {
    case ARB_TO_SCHEDULER_REGISTER:
        ARB_TRY(read_register(&r, from->inventory, &out->inventory));
        *out_token = str_of(from->inventory->token);
        return ARB_OK;
    case ARB_TO_SCHEDULER_PROGRESS:
    case ARB_TO_SCHEDULER_DONE:
        ARB_TRY(read_attempt(&r, from->attempt, &out->attempt));
        return read_output(&r, from->output, &out->output);
    case ARB_TO_SCHEDULER_FAILED:
        ARB_TRY(read_attempt(&r, from->attempt, &out->attempt));
        return read_failure(&r, from->failure, &out->failure);
    case ARB_TO_SCHEDULER_HEARTBEAT:
    case ARB_TO_SCHEDULER_DRAINING:
    case ARB_TO_SCHEDULER_GOODBYE:
        break;
    }
    return ARB_OK;
}

static arb_code read_sources(control_reader *r, const Arbalest__Control__Sources *from, arb_sources *out)
{
    if (from == NULL || from->mode > ARB_INPUT_FACTS)
        return damaged(r, "unknown sources");
    arb_source *sources = ARB_ARENA_ARRAY(r->arena, arb_source, from->n_sources + 1);
    if (sources == NULL)
        return no_memory(r, from->n_sources * sizeof *sources);
    for (size_t i = 0; i < from->n_sources; i++)
        sources[i] = (arb_source){.task = from->sources[i]->task,
                                  .attempt = read_id(from->sources[i]->attempt),
                                  .executor = read_uuid(from->sources[i]->executor),
                                  .address = str_of(from->sources[i]->address),
                                  .key = str_of(from->sources[i]->key),
                                  .rows = from->sources[i]->rows,
                                  .bytes = from->sources[i]->bytes,
                                  .facts = str_of(from->sources[i]->facts)};
    *out = (arb_sources){.job = read_id(from->job),
                         .stage = from->stage,
                         .input = from->input,
                         .producer_stage = from->producer_stage,
                         .version = from->version,
                         .mode = (arb_input_mode)from->mode,
                         .sources = sources,
                         .source_count = from->n_sources};
    return ARB_OK;
}

static arb_code read_launch(control_reader *r, const Arbalest__Control__Launch *from, arb_launch *out)
{
    if (from == NULL)
        return damaged(r, "nothing to launch");
    *out = (arb_launch){.plan = str_of(from->plan),
                        .settings = str_of(from->settings),
                        .payload = str_of(from->payload),
                        .sources_version = from->sources_version,
                        .drivers = from->drivers,
                        .memory = from->memory,
                        .alone = from->alone,
                        .streams = from->streams,
                        .fact_count = from->n_facts};
    return read_texts(r, from->facts, from->n_facts, &out->facts);
}

static arb_code read_welcome(control_reader *r, const Arbalest__Control__Welcome *from, arb_welcome *out)
{
    if (from == NULL || from->heartbeat_ns <= 0 || from->silence_ns <= 0 || from->unreachable_ns < 0)
        return damaged(r, "a welcome without times");
    *out = (arb_welcome){from->heartbeat_ns, from->silence_ns, from->unreachable_ns};
    return ARB_OK;
}

static arb_code read_why(control_reader *r, ProtobufCBinaryData from, const char **out)
{
    size_t size = from.len == 0 ? 0 : strnlen((const char *)from.data, from.len);
    char *why = arb_arena_copy(r->arena, size == 0 ? "" : (const char *)from.data, size);
    if (why == NULL)
        return no_memory(r, size);
    *out = why;
    return ARB_OK;
}

static arb_code read_chunk(control_reader *r, const Arbalest__Control__Chunk *from, arb_chunk *out)
{
    if (from->hash.len == 0 || from->offset > from->size || from->bytes.len > from->size - from->offset)
        return damaged(r, "a chunk that lies outside of its whole");
    *out = (arb_chunk){str_of(from->hash), from->size, from->offset, str_of(from->bytes)};
    return ARB_OK;
}

arb_code arb_to_executor_decode(arb_arena *arena, arb_str bytes, bool *out_is_chunk, arb_to_executor *out,
                                arb_chunk *out_chunk, arb_error *error)
{
    control_reader r = {arena, error};
    ProtobufCMessage *message;
    *out = (arb_to_executor){0};
    *out_chunk = (arb_chunk){0};
    ARB_TRY(
        arb_wire_unpack(&arbalest__control__to_executor__descriptor, arena, bytes.data, bytes.size, &message, error));
    const Arbalest__Control__ToExecutor *from = (const Arbalest__Control__ToExecutor *)message;
    *out_is_chunk = from->chunk != NULL;
    if (*out_is_chunk)
        return read_chunk(&r, from->chunk, out_chunk);
    if (from->kind > ARB_TO_EXECUTOR_MAY_GO)
        return damaged(&r, "an unknown kind");
    out->kind = (arb_to_executor_kind)from->kind;
    ARB_TRY(read_header(&r, from->header, &out->header));
    switch (out->kind) {
    case ARB_TO_EXECUTOR_WELCOME:
        return read_welcome(&r, from->welcome, &out->welcome);
    case ARB_TO_EXECUTOR_REFUSED:
        return read_why(&r, from->why, &out->why);
    case ARB_TO_EXECUTOR_SOURCES:
        return read_sources(&r, from->sources, &out->sources);
    case ARB_TO_EXECUTOR_LAUNCH:
        ARB_TRY(read_attempt(&r, from->attempt, &out->attempt));
        return read_launch(&r, from->launch, &out->launch);
    case ARB_TO_EXECUTOR_SEEN:
    case ARB_TO_EXECUTOR_CANCEL:
    case ARB_TO_EXECUTOR_DELETE:
        return read_attempt(&r, from->attempt, &out->attempt);
    case ARB_TO_EXECUTOR_GONE:
        out->gone = read_uuid(from->gone);
        return ARB_OK;
    case ARB_TO_EXECUTOR_HEARTBEAT_SEEN:
    case ARB_TO_EXECUTOR_MAY_GO:
        break;
    }
    return ARB_OK;
}
