/* What the store keeps of jobs, and the batches that go there.
 *
 *     job/live/TERM.NUMBER                            the job as it was submitted (job_spec.h), and when
 *     job/live/TERM.NUMBER/commit/STAGE/TASK          the attempt whose output counts
 *     job/live/TERM.NUMBER/generation/STAGE           of a stage that was reset
 *     job/ended/TERM.NUMBER                           how it ended; its live records are gone
 *
 * TERM and NUMBER are 16 hexadecimal digits, STAGE and TASK 8, so that the order of keys is the order of jobs.
 *
 * Records of one batch are written together, batches one behind the other: what the store holds is always what held at
 * some moment. A batch that fails is tried again; after five times its jobs end with the store's error and it is dropped,
 * so a full disk stops the jobs that need it and nothing else. What it said of ends goes into the next batch: an ended job
 * must not come back. Whoever waits for the end of a job that changes something waits on, since such a job, run again by a
 * later scheduler, would change it twice; other ends are told at once.
 *
 * A scheduler that writes nothing for a while writes nothing to the store: an empty transaction, which tells one that was
 * replaced and does not know it, while executors still listen to it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "scheduler/record.h"
#include "scheduler/scheduler_internal.h"

enum { KEY_SIZE = 128, ENDED_VERSION = 1, ENDED_SIZE = sizeof(arb_sched_ended) + 128, SMALL_SIZE = KEY_SIZE + 64 };

#define LIVE_KEYS ARB_SCHEDULER_KEYS "live/"
#define ENDED_KEYS ARB_SCHEDULER_KEYS "ended/"

bool arb_sched_store_prepare(arb_scheduler *s, size_t held, size_t record_size)
{
    /* an event may end every job (2 operations, and one for the oldest in history), reset every stage (2), and give up a
     * batch, what of it lasts goes into the next */
    size_t carried = s->flying.operations.size;
    size_t operations = s->filling.operations.size + held + carried + 3 * (s->job_count + 1) + 2 * s->stage_count;
    size_t bytes = held * SMALL_SIZE + s->flying.lasting + (s->job_count + 1) * (ENDED_SIZE + 3 * KEY_SIZE) +
                   s->stage_count * 2 * SMALL_SIZE + record_size;
    if (arb_text_room(&s->filling.bytes, bytes) == NULL) {
        s->filling.bytes.failed = false; /* it still holds all that it held */
        return false;
    }
    return ARB_VEC_RESERVE(&s->filling.operations, operations) && ARB_VEC_RESERVE(&s->filling.places, operations) &&
           ARB_VEC_RESERVE(&s->commits, s->commits.size + held);
}

/* ---- records out ------------------------------------------------------------------------------------------------------- */

static void note_unwritten(arb_scheduler *s, arb_sched_job *job)
{
    job->unwritten_to = s->write_sequence;
    if (job->unwritten_from == 0)
        job->unwritten_from = s->write_sequence;
    if (job->in_unwritten)
        return;
    job->in_unwritten = true;
    job->unwritten_previous = NULL;
    job->unwritten_next = s->unwritten;
    if (s->unwritten != NULL)
        s->unwritten->unwritten_previous = job;
    s->unwritten = job;
}

void arb_sched_leave_unwritten(arb_scheduler *s, arb_sched_job *job)
{
    if (!job->in_unwritten)
        return;
    *(job->unwritten_previous != NULL ? &job->unwritten_previous->unwritten_next : &s->unwritten) = job->unwritten_next;
    if (job->unwritten_next != NULL)
        job->unwritten_next->unwritten_previous = job->unwritten_previous;
    job->in_unwritten = false;
}

/* The key has been appended to the batch; the value is what comes behind it until put_end. */
static void put_begin(arb_scheduler *s, arb_store_operation_kind kind, const char *key)
{
    arb_sched_batch *batch = &s->filling;
    assert(batch->operations.size < batch->operations.capacity);
    batch->places.data[batch->places.size++] = batch->bytes.size;
    batch->operations.data[batch->operations.size++] = (arb_store_operation){.kind = kind, .key = {NULL, strlen(key)}};
    arb_text_append(&batch->bytes, key, strlen(key));
}

/* Whether an operation says of an end, that of a job or of one's place in the history, and not of what goes on. */
static bool lasts(arb_store_operation_kind kind, const char *key)
{
    return kind == ARB_STORE_DELETE || kind == ARB_STORE_DELETE_PREFIX ||
           strncmp(key, ENDED_KEYS, sizeof ENDED_KEYS - 1) == 0;
}

static void put_end(arb_scheduler *s)
{
    arb_sched_batch *batch = &s->filling;
    arb_store_operation *operation = &batch->operations.data[batch->operations.size - 1];
    operation->value.size = batch->bytes.size - batch->places.data[batch->places.size - 1] - operation->key.size;
    assert(!batch->bytes.failed);
    if (lasts(operation->kind, batch->bytes.data + batch->places.data[batch->places.size - 1]))
        batch->lasting += operation->key.size + operation->value.size;
}

static void live_key(char key[KEY_SIZE], arb_id job, const char *rest)
{
    snprintf(key, KEY_SIZE, LIVE_KEYS "%016" PRIx64 ".%016" PRIx64 "%s", job.term, job.number, rest);
}

void arb_sched_store_job(arb_scheduler *s, arb_sched_job *job, arb_str record)
{
    char key[KEY_SIZE];
    live_key(key, job->id, "");
    put_begin(s, ARB_STORE_PUT, key);
    arb_record_put_number(&s->filling.bytes, (uint64_t)job->submitted);
    arb_text_append_str(&s->filling.bytes, record);
    put_end(s);
    note_unwritten(s, job);
}

void arb_sched_store_commit(arb_scheduler *s, arb_sched_stage *stage, uint32_t task)
{
    char key[KEY_SIZE], rest[64];
    const arb_sched_task *of = &stage->tasks[task];
    snprintf(rest, sizeof rest, "/commit/%08x/%08x", stage->number, task);
    live_key(key, stage->job->id, rest);
    put_begin(s, ARB_STORE_PUT, key);
    arb_record_put_id(&s->filling.bytes, of->attempt);
    arb_record_put_uuid(&s->filling.bytes, s->slots.data[of->slot]->id);
    put_end(s);
    note_unwritten(s, stage->job);
}

void arb_sched_store_reset(arb_scheduler *s, arb_sched_stage *stage)
{
    char key[KEY_SIZE], rest[64];
    snprintf(rest, sizeof rest, "/commit/%08x/", stage->number);
    live_key(key, stage->job->id, rest);
    put_begin(s, ARB_STORE_DELETE_PREFIX, key);
    put_end(s);
    snprintf(rest, sizeof rest, "/generation/%08x", stage->number);
    live_key(key, stage->job->id, rest);
    put_begin(s, ARB_STORE_PUT, key);
    arb_record_put_id(&s->filling.bytes, stage->generation);
    put_end(s);
    note_unwritten(s, stage->job);
}

static void ended_key(char key[KEY_SIZE], arb_id job)
{
    snprintf(key, KEY_SIZE, ENDED_KEYS "%016" PRIx64 ".%016" PRIx64, job.term, job.number);
}

void arb_sched_store_ended(arb_scheduler *s, arb_sched_job *job)
{
    char key[KEY_SIZE];
    const arb_sched_ended *ended = job->ended;
    arb_text *out = &s->filling.bytes;
    if (job->recorded) {
        live_key(key, job->id, "");
        put_begin(s, ARB_STORE_DELETE_PREFIX, key);
        put_end(s);
    }
    ended_key(key, job->id);
    put_begin(s, ARB_STORE_PUT, key);
    const uint64_t numbers[] = {
        ENDED_VERSION,   ended->state, ended->code, (uint64_t)ended->submitted, (uint64_t)ended->ended, ended->tasks,
        ended->attempts, ended->rows,  ended->bytes};
    for (size_t i = 0; i < ARB_COUNT_OF(numbers); i++)
        arb_record_put_number(out, numbers[i]);
    arb_record_put_text(out, arb_str_of(ended->text));
    arb_record_put_text(out, arb_str_of(ended->user));
    arb_record_put_text(out, arb_str_of(ended->message));
    put_end(s);
    note_unwritten(s, job);
}

void arb_sched_store_forget(arb_scheduler *s, const arb_sched_ended *ended)
{
    char key[KEY_SIZE];
    ended_key(key, ended->job);
    put_begin(s, ARB_STORE_DELETE, key);
    put_end(s);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------- */

static bool parse_hex(arb_str *text, size_t digits, uint64_t *out_number)
{
    char copy[17] = {0}, *end;
    if (text->size < digits)
        return false;
    memcpy(copy, text->data, digits);
    *out_number = strtoull(copy, &end, 16);
    *text = (arb_str){text->data + digits, text->size - digits};
    return end == copy + digits;
}

static bool skip(arb_str *text, arb_str prefix)
{
    if (!arb_str_starts_with(*text, prefix))
        return false;
    *text = (arb_str){text->data + prefix.size, text->size - prefix.size};
    return true;
}

static bool parse_id(arb_str *text, arb_id *out_id)
{
    return parse_hex(text, 16, &out_id->term) && skip(text, ARB_STR(".")) && parse_hex(text, 16, &out_id->number);
}

/* ---- batches ----------------------------------------------------------------------------------------------------------- */

static void send_write(arb_scheduler *s)
{
    s->write_waits = false;
    s->write_tries++;
    s->counts.writes++;
    s->actions->write(s->context, s->flying.operations.data, s->flying.operations.size);
}

static void begin_write(arb_scheduler *s)
{
    arb_sched_batch empty = s->flying;
    s->flying = s->filling;
    s->filling = empty;
    for (size_t i = 0; i < s->flying.operations.size; i++) {
        arb_store_operation *operation = &s->flying.operations.data[i];
        operation->key.data = s->flying.bytes.data + s->flying.places.data[i];
        operation->value.data = operation->key.data + operation->key.size;
    }
    arb_sched_timer_set(s, &s->term_timer, ARB_SCHED_TIMER_TERM, s->now + s->times.dead);
    s->writing = true;
    s->write_tries = 0;
    s->write_sequence++;
    send_write(s);
}

void arb_sched_store_flush(arb_scheduler *s)
{
    if (!s->writing && s->filling.operations.size > 0)
        begin_write(s);
}

void arb_sched_store_ask(arb_scheduler *s)
{
    if (!s->writing)
        begin_write(s);
    arb_sched_timer_set(s, &s->term_timer, ARB_SCHED_TIMER_TERM, s->now + s->times.dead);
}

void arb_sched_store_again(arb_scheduler *s)
{
    if (s->writing && s->write_waits)
        send_write(s);
}

/* The batch is done: in the store, or given up. */
static void batch_over(arb_scheduler *s)
{
    enum { KEPT = 4 << 20 }; /* bytes; a large job's record does not stay in memory for good */
    s->flying.operations.size = s->flying.places.size = s->flying.lasting = 0;
    arb_text_clear(&s->flying.bytes);
    if (s->flying.bytes.capacity > KEPT)
        arb_text_reset(&s->flying.bytes);
    s->writing = false;
    s->written = s->write_sequence - 1;
}

/* What the batch that is given up says of ends. What was deleted for good is always deleted by a later one, since a write
 * that failed may yet be found on the disk after a crash. How a job ended that the store has never had is left out: so a
 * disk that stays full gathers little. */
static bool outlasts(const arb_scheduler *s, const arb_store_operation *operation)
{
    arb_id id;
    arb_str key = operation->key;
    bool live = skip(&key, ARB_STR(LIVE_KEYS));
    if ((!live && !skip(&key, ARB_STR(ENDED_KEYS))) || !parse_id(&key, &id) || key.size > 0)
        return false; /* of one of its stages */
    const arb_sched_job *job = arb_sched_job_of(s, id);
    return operation->kind != ARB_STORE_PUT || (!live && job != NULL && job->stored);
}

/* They go before all that was said meanwhile. */
static void carry_ends(arb_scheduler *s)
{
    arb_sched_batch *from = &s->flying, *to = &s->filling;
    arb_store_operation *operations = from->operations.data;
    size_t carried = 0;
    for (size_t i = 0; i < from->operations.size; i++)
        if (outlasts(s, &operations[i]))
            operations[carried++] = operations[i];
    assert(to->operations.size + carried <= to->operations.capacity);
    if (carried == 0)
        return;
    memmove(to->operations.data + carried, to->operations.data, to->operations.size * sizeof *operations);
    memmove(to->places.data + carried, to->places.data, to->places.size * sizeof *to->places.data);
    for (size_t i = 0; i < carried; i++) {
        to->operations.data[i] = operations[i];
        to->places.data[i] = to->bytes.size;
        arb_text_append_str(&to->bytes, operations[i].key);
        arb_text_append_str(&to->bytes, operations[i].value);
        to->lasting += operations[i].key.size + operations[i].value.size;
    }
    to->operations.size += carried;
    to->places.size += carried;
    assert(!to->bytes.failed);
}

static void give_up(arb_scheduler *s, const arb_error *error)
{
    uint64_t given_up = s->write_sequence - 1;
    carry_ends(s);
    for (arb_sched_job *job = s->unwritten, *next; job != NULL; job = next) {
        next = job->unwritten_next;
        if (job->unwritten_from > given_up)
            continue;
        if (job->state <= ARB_JOB_FINISHED) {
            arb_sched_job_end(s, job, ARB_JOB_FAILED, error);
        } else if (job->stored && !job->spec.read_only) {
            note_unwritten(s, job);
            job->awaits = job->unwritten_to;
        }
    }
}

/* Batches up to `s->written` are over; `committed`: the last one is in the store. */
static void jobs_written(arb_scheduler *s, bool committed)
{
    for (arb_sched_job *job = s->unwritten, *next; job != NULL; job = next) {
        next = job->unwritten_next;
        if (job->unwritten_from > s->written)
            continue;
        job->unwritten_from = job->unwritten_to > s->written ? s->written + 1 : 0;
        if (job->unwritten_from == 0)
            arb_sched_leave_unwritten(s, job);
        if (committed && !job->stored) {
            job->stored = true;
            for (uint32_t number = 0; number < job->spec.stage_count; number++)
                arb_sched_stage_hunger(s, &job->stages[number]);
        }
        arb_sched_answers_owed(s, job);
    }
}

void arb_sched_written(arb_scheduler *s, const arb_event *event)
{
    assert(s->writing && !s->write_waits);
    arb_error unknown = {.code = ARB_INTERNAL, .message = "the state store refused a record"};
    switch (event->outcome) {
    case ARB_STORE_FENCED:
        s->stopped = true;
        s->actions->stop(s->context);
        return;
    case ARB_STORE_FAILED:
    case ARB_STORE_CONFLICT:
        if (s->write_tries < ARB_SCHED_WRITES_MOST) {
            s->write_waits = true;
            arb_sched_timer_set(s, &s->write_timer, ARB_SCHED_TIMER_WRITE,
                                s->now + (s->times.write_retry << (s->write_tries - 1)));
            return;
        }
        give_up(s, event->error != NULL && event->error->code != ARB_OK ? event->error : &unknown);
        break;
    case ARB_STORE_COMMITTED:
        break;
    }
    batch_over(s);
    arb_sched_commits_written(s);
    jobs_written(s, event->outcome == ARB_STORE_COMMITTED);
}

/* ---- records in -------------------------------------------------------------------------------------------------------- */

static arb_code recover_ended(arb_scheduler *s, arb_id id, arb_str value, arb_error *error)
{
    arb_record_reader reader = {.left = value};
    arb_sched_ended *ended = arb_alloc_zeroed(sizeof *ended);
    if (ended == NULL)
        return arb_fail_memory(error, "the history", sizeof *ended);
    bool known = arb_record_number(&reader) == ENDED_VERSION;
    ended->job = id;
    ended->state = (arb_job_state)arb_record_number_most(&reader, ARB_JOB_CANCELLED);
    ended->code = (arb_code)arb_record_number_most(&reader, ARB_CODE_COUNT - 1);
    ended->submitted = (int64_t)arb_record_number(&reader);
    ended->ended = (int64_t)arb_record_number(&reader);
    ended->tasks = arb_record_number(&reader);
    ended->attempts = arb_record_number(&reader);
    ended->rows = arb_record_number(&reader);
    ended->bytes = arb_record_number(&reader);
    char *texts[] = {ended->text, ended->user, ended->message};
    const size_t sizes[] = {sizeof ended->text, sizeof ended->user, sizeof ended->message};
    for (size_t i = 0; i < ARB_COUNT_OF(texts); i++) {
        arb_str text = arb_record_text(&reader);
        if (text.size > 0)
            memcpy(texts[i], text.data, ARB_MIN(text.size, sizes[i] - 1));
    }
    if (!known || arb_record_end(&reader, "an ended job", NULL) != ARB_OK)
        arb_free(ended); /* one line less in the history */
    else
        arb_sched_remember(s, ended, false);
    return ARB_OK;
}

/* Its record is damaged: it ends. */
static arb_code recover_damaged(arb_scheduler *s, arb_id id, const arb_error *why, arb_error *error)
{
    static const arb_stage_spec nothing = {.task_count = 1, .row_limit = -1};
    const arb_job_spec stand_in = {.text = ARB_STR("(its record is damaged)"), .stage_count = 1, .stages = &nothing};
    arb_text record = {0};
    arb_sched_job *job;
    arb_code code = arb_job_spec_encode(&stand_in, &record, error);
    if (code == ARB_OK)
        code = arb_sched_job_create(s, id, arb_text_view(&record), &job, error);
    arb_text_reset(&record);
    ARB_TRY(code);
    if (!arb_sched_store_prepare(s, 1, 0)) {
        arb_sched_job_free(s, job);
        return arb_fail_memory(error, "the record of a job", 0);
    }
    arb_sched_job_end(s, job, ARB_JOB_FAILED, why);
    return ARB_OK;
}

static arb_code recover_job(arb_scheduler *s, arb_id id, arb_str value, arb_error *error)
{
    arb_record_reader reader = {.left = value};
    arb_error damaged = {0};
    arb_sched_job *job;
    int64_t submitted = (int64_t)arb_record_number(&reader);
    arb_code code = arb_sched_job_create(s, id, reader.left, &job, &damaged);
    if (code == ARB_CORRUPT_DATA)
        return recover_damaged(s, id, &damaged, error);
    if (code != ARB_OK) {
        if (error != NULL)
            *error = damaged;
        return code;
    }
    job->submitted = submitted;
    job->recorded = job->stored = job->recovering = true;
    return ARB_OK;
}

static void recover_commit(arb_sched_job *job, arb_str rest, arb_str value)
{
    uint64_t number, task;
    arb_record_reader reader = {.left = value};
    arb_id attempt = arb_record_id(&reader);
    arb_record_uuid(&reader);
    if (!parse_hex(&rest, 8, &number) || !skip(&rest, ARB_STR("/")) || !parse_hex(&rest, 8, &task) ||
        number >= job->spec.stage_count || task >= job->spec.stages[number].task_count ||
        arb_record_end(&reader, "a commit", NULL) != ARB_OK)
        return;
    arb_sched_stage *stage = &job->stages[number];
    stage->tasks[task].attempt = attempt;
    arb_sched_task_set(stage, (uint32_t)task, ARB_TASK_EXPECTED);
}

static void recover_generation(arb_sched_job *job, arb_str rest, arb_str value)
{
    uint64_t number;
    arb_record_reader reader = {.left = value};
    arb_id generation = arb_record_id(&reader);
    if (parse_hex(&rest, 8, &number) && number < job->spec.stage_count &&
        arb_record_end(&reader, "a generation", NULL) == ARB_OK)
        job->stages[number].generation = generation;
}

arb_code arb_scheduler_recover_record(arb_scheduler *s, arb_str key, arb_str value, arb_error *error)
{
    arb_id id;
    if (!skip(&key, ARB_STR(ARB_SCHEDULER_KEYS)))
        return ARB_OK;
    if (skip(&key, ARB_STR("ended/")))
        return parse_id(&key, &id) ? recover_ended(s, id, value, error) : ARB_OK;
    if (!skip(&key, ARB_STR("live/")) || !parse_id(&key, &id))
        return ARB_OK;
    if (key.size == 0)
        return recover_job(s, id, value, error);
    arb_sched_job *job = arb_sched_job_of(s, id);
    if (job == NULL || job->state > ARB_JOB_FINISHED)
        return ARB_OK;
    if (skip(&key, ARB_STR("/commit/")))
        recover_commit(job, key, value);
    else if (skip(&key, ARB_STR("/generation/")))
        recover_generation(job, key, value);
    return ARB_OK;
}
