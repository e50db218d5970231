/* Executors: the real ledger, a model of tasks, and one of outputs.
 *
 * A task takes some time, reads all its inputs at one moment of it, then ends. What it cannot reach it tries to reach for as
 * long as the scheduler said. A process that pauses does nothing, its events wait; one that dies leaves the ids of its
 * tasks if a task was the reason, and comes back as another, empty one. */
#include <stdio.h>

#include "simulator.h"

static sim_run *run_of(sim_executor *executor, uint64_t number)
{
    sim_run *run = executor->runs;
    while (run != NULL && run->run != number)
        run = run->next;
    return run;
}

static void run_free(sim_executor *executor, sim_run *run)
{
    sim_run **link = &executor->runs;
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    arb_arena_reset(&run->arena);
    arb_free(run);
}

static void wake_later(sim_world *world, sim_executor *of)
{
    int64_t wake = arb_ledger_wake(of->ledger);
    if (wake >= of->wake)
        return;
    of->wake = wake;
    sim_at(world, ARB_MAX(wake, world->now), SIM_EXECUTOR_TICK, of->index, of->incarnation, 0);
}

/* ---- the ledger's actions ---------------------------------------------------------------------------------------------- */

typedef struct sim_place {
    sim_world *world;
    sim_executor *executor;
} sim_place;

static sim_place places[SIM_EXECUTORS_MOST];

static void act_open(void *context)
{
    sim_place *at = context;
    sim_world *world = at->world;
    if (at->executor->cut)
        return; /* nobody answers */
    sim_at(world, world->now + sim_delay(world), world->current != NULL ? SIM_CONNECTED : SIM_DISCONNECTED,
           at->executor->index, UINT64_MAX, at->executor->incarnation);
}

static void act_close(void *context)
{
    sim_place *at = context;
    if (!at->executor->cut)
        sim_at(at->world, at->world->now + sim_delay(at->world), SIM_STREAM_CLOSED, at->executor->index,
               at->executor->session, at->executor->incarnation);
}

static void act_send(void *context, const arb_to_scheduler *message)
{
    sim_place *at = context;
    if (message->kind != ARB_TO_SCHEDULER_HEARTBEAT)
        sim_trace(at->world,
                  "  executor %u → scheduler: kind %d, job %llu.%llu stage %u task %u attempt %llu.%llu failure %d.%d",
                  at->executor->index, message->kind, (unsigned long long)message->attempt.job.term,
                  (unsigned long long)message->attempt.job.number, message->attempt.stage, message->attempt.task,
                  (unsigned long long)message->attempt.attempt.term,
                  (unsigned long long)message->attempt.attempt.number, message->failure.kind, message->failure.read);
    sim_send_up(at->world, at->executor, message);
}

static bool keep_inputs(const sim_executor *executor, const sim_job *job, sim_run *run)
{
    const arb_stage_spec *stage = &job->spec.stages[run->attempt.stage];
    for (uint32_t i = 0; i < stage->input_count; i++) {
        const arb_sources *sources = arb_ledger_sources(executor->ledger, run->attempt.job, run->attempt.stage, i);
        if (sources == NULL)
            return false;
        run->inputs[i] = *sources;
        arb_source *copies = arb_arena_alloc(&run->arena, (sources->source_count + 1) * sizeof *copies);
        for (size_t s = 0; s < sources->source_count; s++) {
            copies[s] = sources->sources[s];
            copies[s].facts = arb_str_copy(&run->arena, copies[s].facts);
        }
        run->inputs[i].sources = copies;
    }
    return true;
}

static void act_start(void *context, uint64_t number, const arb_attempt *attempt, const arb_launch *launch)
{
    sim_place *at = context;
    sim_world *world = at->world;
    sim_job *job = sim_job_of(world, at->executor->cluster, attempt->job);
    sim_run *run = arb_alloc_zeroed(sizeof *run);
    run->run = number;
    run->attempt = *attempt;
    run->job = job;
    run->alone = launch->alone;
    for (const sim_run *beside = at->executor->runs; beside != NULL; beside = beside->next)
        if (!beside->stopping && (beside->alone || run->alone))
            sim_fail(world, "something runs beside a task that must run alone");
    run->next = at->executor->runs;
    at->executor->runs = run;
    if (job == NULL)
        sim_fail(world, "a launch of an unknown job");
    else if (!keep_inputs(at->executor, job, run))
        sim_fail(world, "a launch without its sources");
    sim_at(world, world->now + sim_between(world, SIM_MS, 300 * SIM_MS), SIM_RUN_READS, at->executor->index, number,
           at->executor->incarnation);
}

static void act_stop(void *context, uint64_t number)
{
    sim_place *at = context;
    sim_run *run = run_of(at->executor, number);
    if (run == NULL)
        return;
    run->stopping = true;
    sim_at(at->world, at->world->now + sim_between(at->world, SIM_MS, 200 * SIM_MS), SIM_RUN_ENDS, at->executor->index,
           number, at->executor->incarnation);
}

static void act_drop(void *context, uint64_t number)
{
    sim_place *at = context;
    for (sim_output **link = &at->executor->outputs; *link != NULL; link = &(*link)->next) {
        sim_output *output = *link;
        if (output->run != number)
            continue;
        *link = output->next;
        arb_free(output);
        return;
    }
    sim_fail(at->world, "an output to drop is not there");
}

static void act_gone(void *context, arb_uuid executor)
{
    (void)context;
    (void)executor; /* readers look again each second; for a model that is soon enough */
}

static void act_may_go(void *context)
{
    sim_place *at = context;
    if (!at->executor->draining)
        sim_fail(at->world, "an executor that does not drain may go");
    sim_trace(at->world, "executor %u goes", at->executor->index);
    arb_ledger_goodbye(at->executor->ledger);
    sim_at(at->world, at->world->now + SIM_MS, SIM_FAULT, at->executor->index, 1, at->executor->incarnation);
}

static void act_refused(void *context, const char *why)
{
    sim_place *at = context;
    at->world->counts.refused++;
    sim_trace(at->world, "executor %u is refused: %s", at->executor->index, why);
}

static const arb_ledger_actions actions = {act_open, act_close, act_send,   act_start,  act_stop,
                                           act_drop, act_gone,  act_may_go, act_refused};

/* ---- processes --------------------------------------------------------------------------------------------------------- */

void sim_executor_start(sim_world *world, uint32_t index)
{
    static const arb_str roots[] = {{"lake", 4}, {"attic", 5}};
    sim_executor *of = &world->executors[index];
    arb_error error = {0};
    of->index = index;
    of->incarnation++;
    of->id = (arb_uuid){0xE0, ++world->next_uuid};
    of->alive = true;
    of->paused = of->draining = false;
    of->wake = INT64_MAX;
    places[index] = (sim_place){world, of};
    arb_str known[2];
    size_t known_count = 0;
    for (int root = 0; root < 2; root++)
        if (of->root_mask >> root & 1)
            known[known_count++] = roots[root];
    arb_ledger_options options = {.executor = of->id,
                                  .registration = {.address = ARB_STR("127.0.0.1:50051"),
                                                   .version = ARB_STR("sim"),
                                                   .slots = of->slots,
                                                   .memory = 100,
                                                   .roots = known,
                                                   .root_count = known_count,
                                                   .previous = of->previous,
                                                   .crashed = of->crashed.data,
                                                   .crashed_count = of->crashed.size,
                                                   .crashed_cluster = of->crashed_cluster},
                                  .silence_ns = 2 * SIM_SECOND,
                                  .actions = &actions,
                                  .context = &places[index]};
    if (arb_ledger_create(&options, &of->ledger, &error) != ARB_OK)
        sim_fail(world, "no ledger");
    of->crashed.size = 0;
    of->previous = (arb_uuid){0};
    sim_trace(world, "executor %u starts as %llx", index, (unsigned long long)of->id.low);
    wake_later(world, of);
}

void sim_executor_free(sim_world *world, sim_executor *executor)
{
    (void)world;
    while (executor->runs != NULL)
        run_free(executor, executor->runs);
    while (executor->outputs != NULL) {
        sim_output *next = executor->outputs->next;
        arb_free(executor->outputs);
        executor->outputs = next;
    }
    arb_ledger_destroy(executor->ledger);
    executor->ledger = NULL;
    executor->alive = false;
}

void sim_executor_die(sim_world *world, uint32_t index)
{
    sim_executor *of = &world->executors[index];
    sim_trace(world, "executor %u dies", index);
    if (!of->cut && sim_chance(world, 0.7)) /* else nobody says so */
        sim_at(world, world->now + sim_delay(world), SIM_STREAM_CLOSED, index, of->session, of->incarnation);
    sim_executor_free(world, of);
}

/* A task brings the process down: its successor knows what ran. */
static void crash(sim_world *world, sim_executor *executor)
{
    world->counts.crashes++;
    executor->crashed_cluster = executor->cluster;
    for (const sim_run *run = executor->runs; run != NULL; run = run->next)
        if (!ARB_VEC_PUSH(&executor->crashed, run->attempt))
            sim_fail(world, "no memory");
    if (sim_chance(world, 0.7))
        executor->previous = executor->id;
    sim_executor_die(world, executor->index);
    sim_at(world, world->now + sim_between(world, 50 * SIM_MS, 2 * SIM_SECOND), SIM_EXECUTOR_BACK, executor->index, 0,
           0);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

const sim_output *sim_read(sim_world *world, int reader, arb_uuid id, const sim_job *job, arb_id attempt,
                           arb_read_failure *out_failure)
{
    *out_failure = ARB_READ_UNREACHABLE;
    for (uint32_t i = 0; i < world->executor_count; i++) {
        const sim_executor *of = &world->executors[i];
        if (!of->alive || of->paused || !arb_uuid_equal(of->id, id) ||
            (reader >= 0 && (world->parted[reader][i] || world->parted[i][reader])))
            continue;
        *out_failure = ARB_READ_NOT_FOUND;
        for (sim_output *output = of->outputs; output != NULL; output = output->next) {
            if (output->job != job || !arb_id_equal(output->attempt.attempt, attempt) || output->vanished)
                continue;
            bool faulty = world->now < world->faults_end;
            if (faulty && sim_chance(world, world->faults.vanish)) {
                world->counts.corrupted++;
                output->vanished = true;
                return NULL;
            }
            output->corrupt |= faulty && sim_chance(world, world->faults.corrupt);
            world->counts.corrupted += output->corrupt;
            *out_failure = ARB_READ_CORRUPT;
            return output->corrupt ? NULL : output;
        }
    }
    return NULL;
}

typedef enum reading { READ_ALL, READ_LATER, READ_FAILED } reading;

/* Facts are the digest and the attempt of who published them; they help only when all are there. */
static void use_facts(sim_world *world, const sim_job *job, sim_run *run, const arb_sources *input)
{
    for (size_t i = 0; i < input->source_count; i++)
        if (input->sources[i].facts.size != sizeof(arb_id))
            return;
    for (size_t i = 0; i < input->source_count; i++) {
        static const sim_content nothing = {0};
        arb_id attempt;
        memcpy(&attempt, input->sources[i].facts.data, sizeof attempt);
        sim_content_add(job, &run->content, input->producer_stage, input->sources[i].task, attempt, &nothing, true);
    }
    (void)world;
}

static reading read_inputs(sim_world *world, sim_executor *executor, const sim_job *job, sim_run *run,
                           arb_failure *out_failure)
{
    sim_content_begin(job, &run->attempt, &run->content);
    for (uint32_t i = 0; i < job->spec.stages[run->attempt.stage].input_count; i++) {
        const arb_sources *input = &run->inputs[i];
        if (input->mode == ARB_INPUT_FACTS) {
            use_facts(world, job, run, input);
            continue;
        }
        for (size_t s = 0; s < input->source_count; s++) {
            const arb_source *source = &input->sources[s];
            arb_read_failure failure;
            const sim_output *output =
                sim_read(world, (int)executor->index, source->executor, job, source->attempt, &failure);
            if (output != NULL) {
                sim_content_add(job, &run->content, input->producer_stage, source->task, source->attempt,
                                &output->content, false);
                continue;
            }
            *out_failure = (arb_failure){.kind = ARB_FAILURE_READ,
                                         .read = failure,
                                         .producer_stage = input->producer_stage,
                                         .producer_task = source->task,
                                         .producer_attempt = source->attempt};
            bool wait = failure == ARB_READ_UNREACHABLE &&
                        (int64_t)++run->waits * SIM_SECOND < arb_ledger_unreachable_ns(executor->ledger);
            return wait ? READ_LATER : READ_FAILED;
        }
    }
    return READ_ALL;
}

static void run_reads(sim_world *world, sim_executor *executor, sim_run *run)
{
    arb_failure failure = {0};
    const sim_job *job = run->job;
    if (job == NULL || run->stopping)
        return;
    switch (read_inputs(world, executor, job, run, &failure)) {
    case READ_LATER:
        sim_at(world, world->now + SIM_SECOND, SIM_RUN_READS, executor->index, run->run, executor->incarnation);
        return;
    case READ_FAILED: {
        uint64_t number = run->run;
        run_free(executor, run);
        arb_ledger_failed(executor->ledger, number, &failure);
        return;
    }
    case READ_ALL:
        break;
    }
    bool slow = world->now < world->faults_end && sim_chance(world, world->faults.slow);
    int64_t takes = sim_between(world, 5 * SIM_MS, 600 * SIM_MS) * (slow ? 20 : 1);
    sim_at(world, world->now + takes, SIM_RUN_ENDS, executor->index, run->run, executor->incarnation);
}

/* ---- ends -------------------------------------------------------------------------------------------------------------- */

static bool crashes(const sim_executor *executor, const sim_job *job, const sim_run *run)
{
    return job != NULL && (int)run->attempt.stage == job->poison_stage && (int)run->attempt.task == job->poison_task &&
           (!job->poison_beside || (executor->runs != NULL && executor->runs->next != NULL));
}

static void keep_output(sim_world *world, sim_executor *executor, const sim_run *run)
{
    sim_output *output = arb_alloc_zeroed(sizeof *output);
    *output = (sim_output){
        .job = run->job, .attempt = run->attempt, .run = run->run, .content = run->content, .next = executor->outputs};
    executor->outputs = output;
    arb_id attempt = run->attempt.attempt;
    arb_task_output result = {
        .rows = run->content.rows, .bytes = run->content.rows * 10, .facts = {(const char *)&attempt, sizeof attempt}};
    if (!arb_ledger_done(executor->ledger, run->run, &result)) {
        executor->outputs = output->next;
        arb_free(output);
    }
    (void)world;
}

static void run_ends(sim_world *world, sim_executor *executor, sim_run *run)
{
    sim_job *job = run->job;
    arb_error error = {0};
    arb_failure failure = {.kind = ARB_FAILURE_CANCELLED};
    bool faulty = world->now < world->faults_end;
    if (!run->stopping && crashes(executor, job, run)) {
        crash(world, executor);
        return;
    }
    if (!run->stopping && job != NULL && (int)run->attempt.stage == job->final_stage &&
        (int)run->attempt.task == job->final_task) {
        arb_fail(&error, ARB_DIVISION_BY_ZERO, "division by zero");
        failure = (arb_failure){.kind = ARB_FAILURE_FINAL, .error = &error};
    } else if (!run->stopping && faulty && sim_chance(world, world->faults.retryable)) {
        world->counts.injected++;
        if (job != NULL)
            job->injected_failures++;
        arb_fail(&error, ARB_DISK_FULL, "the disk of a task is full");
        failure = (arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &error};
    } else if (!run->stopping) {
        keep_output(world, executor, run);
        run_free(executor, run);
        return;
    }
    uint64_t number = run->run;
    run_free(executor, run);
    arb_ledger_failed(executor->ledger, number, &failure);
}

void sim_executor_event(sim_world *world, sim_event *event)
{
    sim_executor *of = &world->executors[event->who];
    bool about_process = event->kind != SIM_TO_EXECUTOR;
    uint64_t incarnation = event->kind == SIM_EXECUTOR_TICK ? event->a : event->b;
    if (!of->alive || (about_process && incarnation != of->incarnation))
        return;
    if (of->paused) { /* it happens when it goes on */
        sim_event *later = sim_at(world, of->paused_until + 1, event->kind, event->who, event->a, event->b);
        later->arena = event->arena;
        later->down = event->down;
        event->arena = (arb_arena){0};
        return;
    }
    sim_run *run = event->kind == SIM_RUN_READS || event->kind == SIM_RUN_ENDS ? run_of(of, event->a) : NULL;
    switch (event->kind) {
    case SIM_TO_EXECUTOR:
        of->cluster = event->down->header.cluster;
        arb_ledger_receive(of->ledger, world->now, event->down);
        break;
    case SIM_EXECUTOR_TICK:
        of->wake = INT64_MAX;
        arb_ledger_tick(of->ledger, world->now);
        break;
    case SIM_CONNECTED:
        arb_ledger_connected(of->ledger, world->now);
        break;
    case SIM_DISCONNECTED:
        if (event->a == of->session || event->a == UINT64_MAX)
            arb_ledger_disconnected(of->ledger, world->now);
        break;
    case SIM_RUN_READS:
        if (run != NULL)
            run_reads(world, of, run);
        break;
    default:
        if (run != NULL)
            run_ends(world, of, run);
        break;
    }
    if (of->alive)
        wake_later(world, of);
}
