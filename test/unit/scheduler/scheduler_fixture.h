/* scheduler_fixture.h: a scheduler, and hands that play everybody else: executors, clients, the store.
 *
 * What it sends is noted; tests look at the notes and answer. Writes are answered by hand too, so that a test sees what waits
 * for them; `auto_write` answers each at once. */
#ifndef TEST_SCHEDULER_FIXTURE_H
#define TEST_SCHEDULER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/vec.h"
#include "scheduler/scheduler.h"
#include "state/memory_store.h"

#define SECOND ((int64_t)1000000000)
#define MS ((int64_t)1000000)

/* A message that was sent, without what it pointed to. */
typedef struct note {
    arb_to_executor_kind kind;
    unsigned executor; /* 1, 2, … */
    arb_attempt attempt;
    bool alone;
    size_t count; /* of sources or facts */
    arb_uuid gone;
    bool keyed; /* each source comes with its executor's key */
} note;

typedef struct hand {
    arb_scheduler *machine;
    int64_t now;
    ARB_VEC(note) notes;
    ARB_VEC(arb_answer) answers;
    arb_error last_error; /* of the newest answer that had one */
    uint64_t sessions[16], sent[16];
    bool writing, auto_write, stopped;
    bool may_starve;                 /* an event that found no memory is given again */
    bool unchecked;                  /* its soundness: costs as much as it has tasks */
    size_t operations;               /* written so far */
    uint64_t closed, closed_session; /* streams; of the last one */
    uint64_t term;
    arb_store *store; /* what is written goes there too; NULL: nowhere */
} hand;

static arb_error error;

static ARB_UNUSED void on_send(void *context, const arb_to_executor *message)
{
    hand *h = context;
    note noted = {.kind = message->kind,
                  .executor = (unsigned)message->header.executor.low,
                  .attempt = message->attempt,
                  .alone = message->launch.alone,
                  .count = message->kind == ARB_TO_EXECUTOR_SOURCES ? message->sources.source_count
                                                                    : message->launch.fact_count,
                  .gone = message->gone,
                  .keyed = message->kind == ARB_TO_EXECUTOR_SOURCES};
    for (size_t i = 0; noted.keyed && i < message->sources.source_count; i++)
        noted.keyed = arb_str_equal(message->sources.sources[i].key, ARB_STR("secret"));
    if (message->kind != ARB_TO_EXECUTOR_HEARTBEAT_SEEN && !ARB_VEC_PUSH(&h->notes, noted))
        abort();
}

static ARB_UNUSED void on_close(void *context, arb_uuid executor, uint64_t session)
{
    (void)executor;
    ((hand *)context)->closed++;
    ((hand *)context)->closed_session = session;
}

static ARB_UNUSED void on_answer(void *context, const arb_answer *answer)
{
    hand *h = context;
    if (answer->error != NULL)
        h->last_error = *answer->error;
    if (!ARB_VEC_PUSH(&h->answers, *answer))
        abort();
}

static ARB_UNUSED void on_write(void *context, const arb_store_operation *operations, size_t count)
{
    hand *h = context;
    arb_store_outcome outcome = ARB_STORE_COMMITTED;
    assert_false(h->writing);
    h->writing = true;
    h->operations += count;
    if (h->store != NULL)
        assert_int_equal(arb_store_txn_wait(h->store, h->term, operations, count, &outcome, NULL, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_COMMITTED);
}

static ARB_UNUSED void on_stop(void *context)
{
    ((hand *)context)->stopped = true;
}

static const arb_scheduler_actions hand_actions = {on_send, on_close, on_answer, on_write, on_stop};

static ARB_UNUSED void apply(hand *h, arb_event event)
{
    event.now = h->now;
    event.wall_us = 1000000 + h->now / 1000;
    arb_code code = arb_scheduler_apply(h->machine, &event, &error);
    if (code == ARB_OUT_OF_MEMORY && h->may_starve)
        code = arb_scheduler_apply(h->machine, &event, &error);
    if (code != ARB_OK)
        fail_msg("%s", error.message);
    while (h->writing && h->auto_write && !h->stopped) {
        h->writing = false;
        event = (arb_event){
            .kind = ARB_EVENT_WRITTEN, .now = h->now, .wall_us = event.wall_us, .outcome = ARB_STORE_COMMITTED};
        code = arb_scheduler_apply(h->machine, &event, &error);
        if (code == ARB_OUT_OF_MEMORY && h->may_starve)
            code = arb_scheduler_apply(h->machine, &event, &error);
        assert_int_equal(code, ARB_OK);
    }
    if (!h->unchecked && !arb_scheduler_sound(h->machine, &error))
        fail_msg("%s", error.message);
}

static arb_code create(hand *h)
{
    *h = (hand){.now = 1000 * SECOND, .auto_write = true, .term = 1};
    arb_scheduler_options options = {
        .cluster = {1, 1}, .term = 1, .actions = &hand_actions, .context = h, .history_most = 3};
    return arb_scheduler_create(&options, &h->machine, &error);
}

static ARB_UNUSED void begin(hand *h)
{
    assert_int_equal(create(h), ARB_OK);
    arb_scheduler_recover_end(h->machine, h->now);
}

static ARB_UNUSED void end(hand *h)
{
    arb_scheduler_destroy(h->machine);
    ARB_VEC_RESET(&h->notes);
    ARB_VEC_RESET(&h->answers);
}

/* ---- executors --------------------------------------------------------------------------------------------------------- */

static ARB_UNUSED void say(hand *h, unsigned executor, arb_to_scheduler message)
{
    message.header = (arb_control_header){{1, 1}, h->term, {0, executor}, h->sessions[executor], ++h->sent[executor]};
    apply(h, (arb_event){.kind = ARB_EVENT_MESSAGE, .message = &message});
}

static ARB_UNUSED void join(hand *h, unsigned executor, arb_register inventory)
{
    h->sessions[executor]++;
    h->sent[executor] = 0;
    if (inventory.slots == 0)
        inventory.slots = 4;
    if (inventory.memory == 0)
        inventory.memory = 1000;
    inventory.address = ARB_STR("there:1");
    inventory.key = ARB_STR("secret");
    inventory.version = ARB_STR("test");
    say(h, executor, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_REGISTER, .inventory = inventory});
}

static ARB_UNUSED void done(hand *h, unsigned executor, const arb_attempt *attempt, uint64_t rows)
{
    say(h, executor,
        (arb_to_scheduler){
            .kind = ARB_TO_SCHEDULER_DONE, .attempt = *attempt, .output = {.rows = rows, .bytes = rows}});
}

static ARB_UNUSED void failed(hand *h, unsigned executor, const arb_attempt *attempt, arb_failure failure)
{
    say(h, executor, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_FAILED, .attempt = *attempt, .failure = failure});
}

/* Time passes; the executors named by bits say that they live. */
static ARB_UNUSED void pass(hand *h, int64_t duration, unsigned alive)
{
    for (int64_t until = h->now + duration; h->now < until;) {
        h->now = ARB_MIN(until, h->now + 100 * MS);
        for (unsigned executor = 1; executor < 16; executor++)
            if (alive >> executor & 1)
                say(h, executor, (arb_to_scheduler){.kind = ARB_TO_SCHEDULER_HEARTBEAT});
        apply(h, (arb_event){.kind = ARB_EVENT_TICK});
    }
}

/* ---- notes ------------------------------------------------------------------------------------------------------------- */

/* The first note of a kind from place `*from` on, which goes behind it; NULL: none. */
static ARB_UNUSED const note *next_note(const hand *h, arb_to_executor_kind kind, size_t *from)
{
    while (*from < h->notes.size)
        if (h->notes.data[(*from)++].kind == kind)
            return &h->notes.data[*from - 1];
    return NULL;
}

static ARB_UNUSED size_t count_notes(const hand *h, arb_to_executor_kind kind)
{
    size_t count = 0;
    for (size_t from = 0; next_note(h, kind, &from) != NULL;)
        count++;
    return count;
}

/* The newest note of a kind, which must be there. */
static ARB_UNUSED note newest(const hand *h, arb_to_executor_kind kind)
{
    for (size_t i = h->notes.size; i-- > 0;)
        if (h->notes.data[i].kind == kind)
            return h->notes.data[i];
    fail_msg("no message of kind %d was sent", kind);
    return (note){0};
}

static ARB_UNUSED const arb_answer *newest_answer(const hand *h, arb_answer_kind kind)
{
    for (size_t i = h->answers.size; i-- > 0;)
        if (h->answers.data[i].kind == kind)
            return &h->answers.data[i];
    return NULL;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------------- */

static ARB_UNUSED arb_stage_spec plain_stage(uint32_t tasks)
{
    return (arb_stage_spec){.plan = ARB_STR("plan"), .task_count = tasks, .row_limit = -1, .drivers = 1};
}

static ARB_UNUSED arb_stage_spec reading_stage(uint32_t tasks, const arb_stage_input *inputs, uint32_t count)
{
    arb_stage_spec stage = plain_stage(tasks);
    stage.inputs = inputs;
    stage.input_count = count;
    return stage;
}

static ARB_UNUSED arb_id submit_spec(hand *h, arb_job_spec spec)
{
    arb_id job = {0};
    spec.text = ARB_STR("SELECT 1");
    apply(h, (arb_event){.kind = ARB_EVENT_JOB_SUBMITTED, .spec = &spec, .client = 7, .out_job = &job});
    return job;
}

static ARB_UNUSED arb_id submit(hand *h, const arb_stage_spec *stages, uint32_t count)
{
    return submit_spec(h, (arb_job_spec){.read_only = true, .stages = stages, .stage_count = count});
}

/* A scan of so many tasks, and one task that reads it. */
static ARB_UNUSED arb_id submit_pair(hand *h, uint32_t tasks)
{
    static const arb_stage_input input = {0, ARB_INPUT_ALL};
    const arb_stage_spec stages[] = {plain_stage(tasks), reading_stage(1, &input, 1)};
    return submit(h, stages, 2);
}

static ARB_UNUSED void client(hand *h, arb_event_kind kind, arb_id job, uint32_t task, arb_id attempt)
{
    apply(h, (arb_event){.kind = kind, .job = job, .task = task, .attempt = attempt});
}

#endif
