#include "simulator.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/hash.h"

/* ---- chance and time --------------------------------------------------------------------------------------------------- */

uint64_t sim_random(sim_world *world, uint64_t below)
{
    world->random += 0x9E3779B97F4A7C15u;
    uint64_t mixed = world->random;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    mixed ^= mixed >> 31;
    return below == 0 ? 0 : (uint64_t)(((arb_uint128)mixed * below) >> 64);
}

bool sim_chance(sim_world *world, double chance)
{
    return (double)sim_random(world, 1000000) < chance * 1e6;
}

int64_t sim_between(sim_world *world, int64_t least, int64_t most)
{
    return least + (int64_t)sim_random(world, (uint64_t)(most - least) + 1);
}

void sim_note(sim_world *world, uint64_t what)
{
    world->hash = arb_hash_combine(arb_hash_combine(world->hash, what), (uint64_t)world->now);
}

void sim_fail(sim_world *world, const char *format, ...)
{
    va_list arguments;
    if (world->failure[0] != '\0')
        return;
    int size = snprintf(world->failure, sizeof world->failure, "at %.6f s: ", (double)world->now / 1e9);
    va_start(arguments, format);
    vsnprintf(world->failure + size, sizeof world->failure - (size_t)size, format, arguments);
    va_end(arguments);
    sim_trace(world, "FAILED %s", world->failure);
}

void sim_trace(sim_world *world, const char *format, ...)
{
    va_list arguments;
    if (!world->trace)
        return;
    printf("%12.6f ", (double)world->now / 1e9);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

sim_event *sim_at(sim_world *world, int64_t at, sim_event_kind kind, uint32_t who, uint64_t a, uint64_t b)
{
    sim_event *event = arb_alloc_zeroed(sizeof *event);
    event->kind = kind;
    event->who = who;
    event->a = a;
    event->b = b;
    if (!arb_heap_reserve(&world->queue, world->queue.nodes.size + 1))
        sim_fail(world, "no memory");
    arb_heap_put(&world->queue, &event->node, at, world->next_tie++);
    return event;
}

static void event_free(sim_event *event)
{
    arb_arena_reset(&event->arena);
    arb_free(event);
}

/* ---- events ------------------------------------------------------------------------------------------------------------ */

/* A registration reaches one of two schedulers; what follows in its session is told apart by term. */
static void to_scheduler(sim_world *world, const arb_to_scheduler *message)
{
    bool registers = message->kind == ARB_TO_SCHEDULER_REGISTER;
    bool astray = registers && world->zombie != NULL && sim_chance(world, 0.2);
    if (world->current != NULL && !astray)
        sim_apply(world, world->current, &(arb_event){.kind = ARB_EVENT_MESSAGE, .message = message});
    if (world->zombie != NULL && (!registers || astray))
        sim_apply(world, world->zombie, &(arb_event){.kind = ARB_EVENT_MESSAGE, .message = message});
}

static void stream_closed(sim_world *world, const sim_event *event)
{
    const sim_executor *of = &world->executors[event->who];
    if (world->current == NULL || event->b != of->incarnation) /* its successor is there: nobody says it any more */
        return;
    sim_apply(world, world->current,
              &(arb_event){.kind = ARB_EVENT_STREAM_CLOSED, .executor = of->id, .session = event->a});
}

static void happen(sim_world *world, sim_event *event)
{
    switch (event->kind) {
    case SIM_TO_SCHEDULER:
        to_scheduler(world, event->up);
        break;
    case SIM_SCHEDULER_TICK:
        sim_scheduler_tick(world, event->a);
        break;
    case SIM_STREAM_CLOSED:
        stream_closed(world, event);
        break;
    case SIM_WRITTEN:
        sim_written(world, event->a);
        break;
    case SIM_CLIENT:
    case SIM_CLIENT_POLLS:
        sim_client_event(world, event);
        break;
    case SIM_TO_EXECUTOR:
    case SIM_EXECUTOR_TICK:
    case SIM_CONNECTED:
    case SIM_DISCONNECTED:
    case SIM_RUN_READS:
    case SIM_RUN_ENDS:
        sim_executor_event(world, event);
        break;
    default:
        sim_fault_event(world, event);
        break;
    }
}

/* ---- the run ----------------------------------------------------------------------------------------------------------- */

static void begin(sim_world *world)
{
    sim_faults_choose(world);
    world->executor_count = 1 + (uint32_t)sim_random(world, SIM_EXECUTORS_MOST);
    world->job_count = 1 + (uint32_t)sim_random(world, SIM_JOBS_MOST);
    sim_scheduler_start(world);
    for (uint32_t i = 0; i < world->executor_count; i++) {
        world->executors[i].slots = 1 + (uint32_t)sim_random(world, 4);
        world->executors[i].root_mask = i == 0 || sim_chance(world, 0.6) ? 3 : (uint32_t)sim_random(world, 4);
        world->executors[i].index = i;
        sim_at(world, sim_between(world, 0, 2 * SIM_SECOND), SIM_EXECUTOR_BACK, i, 0, 0);
    }
    for (uint32_t i = 0; i < world->job_count; i++) {
        world->jobs[i].index = i;
        sim_job_make(world, &world->jobs[i]);
        int64_t last = world->faults.rush ? 3 * SIM_SECOND : ARB_MAX(world->faults_end, 5 * SIM_SECOND);
        sim_at(world, sim_between(world, 0, last), SIM_CLIENT, i, 0, 0);
    }
}

static bool all_done(const sim_world *world)
{
    for (uint32_t i = 0; i < world->job_count; i++)
        if (world->jobs[i].state != CLIENT_DONE)
            return false;
    return true;
}

static arb_code is_live(void *context, arb_str key, arb_str value, arb_error *error)
{
    (void)value;
    (void)error;
    *(bool *)context |= arb_str_starts_with(key, ARB_STR("job/live/"));
    return ARB_OK;
}

/* Nothing of any job is left: what, or NULL. */
static const char *left_over(sim_world *world)
{
    bool live = false;
    if (world->current == NULL)
        return "the scheduler is away";
    arb_scheduler_counts counts = arb_scheduler_count(world->current->machine);
    if (counts.jobs > 0)
        return "a job";
    if (counts.attempts > 0)
        return "an attempt";
    if (counts.timers > 2 * counts.executors + 3)
        return "a timer";
    if (arb_store_range(world->store, ARB_STR("job/"), is_live, &live, NULL) != ARB_OK || live)
        return "a record";
    for (uint32_t i = 0; i < world->executor_count; i++) {
        const sim_executor *of = &world->executors[i];
        if (!of->alive || !arb_ledger_welcomed(of->ledger))
            return "an executor that is away";
        if (arb_ledger_size(of->ledger) > 0 || of->outputs != NULL || of->runs != NULL)
            return "an output or a run";
    }
    return NULL;
}

static bool is_over(sim_world *world)
{
    enum { PATIENCE_S = 500, LEFT_S = 90 };
    if (world->failure[0] != '\0')
        return true;
    if (!all_done(world)) {
        if (world->now > world->faults_end + PATIENCE_S * SIM_SECOND)
            for (uint32_t i = 0; i < world->job_count; i++)
                if (world->jobs[i].state != CLIENT_DONE)
                    sim_fail(world, "job %u hangs", i);
        return false;
    }
    if (world->all_done == 0)
        world->all_done = ARB_MAX(world->now, world->faults_end);
    if (world->now < world->all_done)
        return false;
    const char *left = left_over(world);
    if (left != NULL && world->now > world->all_done + LEFT_S * SIM_SECOND)
        sim_fail(world, "%s is left over", left);
    return left == NULL;
}

/* How far each job has come, for whoever looks at a hang. */
static void trace_jobs(sim_world *world)
{
    arb_arena arena = {0};
    for (uint32_t i = 0; world->current != NULL && i < world->job_count; i++) {
        const arb_stage_view *stages;
        size_t count;
        if (arb_scheduler_stages(world->current->machine, world->jobs[i].id, &arena, &stages, &count, NULL) != ARB_OK)
            continue;
        for (size_t n = 0; n < count; n++) {
            const arb_task_view *tasks;
            size_t task_count;
            sim_trace(world, "job %u stage %zu: %s%s", i, n, stages[n].complete ? "complete " : "",
                      stages[n].released ? "released" : "");
            if (arb_scheduler_tasks(world->current->machine, world->jobs[i].id, (uint32_t)n, 0, UINT32_MAX, &arena,
                                    &tasks, &task_count, NULL) != ARB_OK)
                continue;
            for (size_t t = 0; t < task_count; t++)
                sim_trace(world, "  task %zu: state %d, %zu attempts, %u failures, %u crashes, at %llx", t,
                          tasks[t].state, tasks[t].running_count, tasks[t].failures, tasks[t].crashes,
                          (unsigned long long)tasks[t].executor.low);
        }
    }
    arb_arena_reset(&arena);
    for (uint32_t i = 0; i < world->executor_count; i++)
        for (const sim_run *run = world->executors[i].runs; run != NULL; run = run->next)
            sim_trace(world, "executor %u runs attempt %llu.%llu%s, waited %u times", i,
                      (unsigned long long)run->attempt.attempt.term, (unsigned long long)run->attempt.attempt.number,
                      run->stopping ? ", is to stop" : "", run->waits);
}

bool sim_run_seed(sim_world *world, uint64_t seed, bool trace)
{
    *world = (sim_world){.seed = seed, .random = arb_hash_u64(seed), .trace = trace};
    begin(world);
    while (!is_over(world) && world->failure[0] == '\0') {
        sim_event *event = ARB_CONTAINER_OF(arb_heap_first(&world->queue), sim_event, node);
        arb_heap_remove(&world->queue, &event->node);
        world->now = event->node.key;
        world->counts.events++;
        sim_note(world, (uint64_t)event->kind << 56 | (uint64_t)event->who << 48 | event->a);
        happen(world, event);
        event_free(event);
    }
    if (world->trace && world->failure[0] != '\0')
        trace_jobs(world);
    return world->failure[0] == '\0';
}

void sim_reset(sim_world *world)
{
    for (arb_heap_node *first; (first = arb_heap_first(&world->queue)) != NULL;) {
        arb_heap_remove(&world->queue, first);
        event_free(ARB_CONTAINER_OF(first, sim_event, node));
    }
    arb_heap_reset(&world->queue);
    sim_scheduler_free(world, &world->current);
    sim_scheduler_free(world, &world->zombie);
    for (uint32_t i = 0; i < world->executor_count; i++) {
        sim_executor_free(world, &world->executors[i]);
        ARB_VEC_RESET(&world->executors[i].crashed);
    }
    for (uint32_t i = 0; i < world->job_count; i++)
        arb_arena_reset(&world->jobs[i].arena);
    arb_store_destroy(world->store);
    world->store = NULL;
}
