/* The scheduler's surroundings: its messages, its store, its end and its return.
 *
 * The store outlives it. A write is under way for some milliseconds; if the scheduler ends meanwhile, the write may have
 * arrived or not. An old scheduler may go on as a zombie beside its successor: it hears what the successor hears, and its
 * writes must be refused. */
#include <stdio.h>

#include "simulator.h"

static sim_scheduler *by_term(sim_world *world, uint64_t term)
{
    return world->current != NULL && world->current->term == term ? world->current
           : world->zombie != NULL && world->zombie->term == term ? world->zombie
                                                                  : NULL;
}

/* ---- actions ----------------------------------------------------------------------------------------------------------- */

static void act_send(void *context, const arb_to_executor *message)
{
    sim_scheduler *of = context;
    if (message->kind != ARB_TO_EXECUTOR_HEARTBEAT_SEEN)
        sim_trace(of->world,
                  "  scheduler %llu → executor %llx: kind %d, job %llu.%llu stage %u task %u attempt %llu.%llu",
                  (unsigned long long)of->term, (unsigned long long)message->header.executor.low, message->kind,
                  (unsigned long long)message->attempt.job.term, (unsigned long long)message->attempt.job.number,
                  message->attempt.stage, message->attempt.task, (unsigned long long)message->attempt.attempt.term,
                  (unsigned long long)message->attempt.attempt.number);
    sim_send_down(of->world, message);
}

static void act_close_stream(void *context, arb_uuid executor, uint64_t session)
{
    sim_scheduler *of = context;
    sim_world *world = of->world;
    for (uint32_t i = 0; i < world->executor_count; i++)
        if (arb_uuid_equal(world->executors[i].id, executor) && !world->executors[i].cut)
            sim_at(world, world->now + sim_delay(world), SIM_DISCONNECTED, i, session, world->executors[i].incarnation);
}

static void act_answer(void *context, const arb_answer *answer)
{
    sim_scheduler *of = context;
    if (of == of->world->current) /* a zombie's clients have gone to the other */
        sim_client_answer(of->world, answer);
}

static void act_write(void *context, const arb_store_operation *operations, size_t count)
{
    sim_scheduler *of = context;
    sim_world *world = of->world;
    if (of->writing)
        sim_fail(world, "a write while another is under way");
    of->writing = true;
    arb_arena_reset(&of->write_arena);
    of->write_operations = ARB_ARENA_ARRAY(&of->write_arena, arb_store_operation, count);
    of->write_count = count;
    for (size_t i = 0; i < count; i++) {
        of->write_operations[i] = operations[i];
        of->write_operations[i].key = arb_str_copy(&of->write_arena, operations[i].key);
        of->write_operations[i].value = arb_str_copy(&of->write_arena, operations[i].value);
    }
    int64_t most = world->faults.slow_disk && world->now < world->faults_end ? 2 * SIM_SECOND : 20 * SIM_MS;
    sim_at(world, world->now + sim_between(world, SIM_MS / 5, most), SIM_WRITTEN, 0, of->term, 0);
}

static void act_stop(void *context)
{
    sim_scheduler *of = context;
    if (of == of->world->current)
        sim_fail(of->world, "the newest scheduler was fenced");
}

static const arb_scheduler_actions actions = {act_send, act_close_stream, act_answer, act_write, act_stop};

/* ---- events ------------------------------------------------------------------------------------------------------------ */

static void wake_later(sim_world *world, sim_scheduler *of)
{
    int64_t wake = arb_scheduler_wake(of->machine);
    if (wake < of->wake) {
        of->wake = wake;
        sim_at(world, ARB_MAX(wake, world->now), SIM_SCHEDULER_TICK, 0, of->term, 0);
    }
}

arb_code sim_apply(sim_world *world, sim_scheduler *to, arb_event *event)
{
    arb_error error = {0};
    event->now = world->now;
    arb_code code = arb_scheduler_apply(to->machine, event, &error);
    if (code != ARB_OK && code != ARB_UNDEFINED_OBJECT)
        sim_fail(world, "an event is refused: %s", error.message);
    if (!arb_scheduler_sound(to->machine, &error))
        sim_fail(world, "unsound: %s", error.message);
    wake_later(world, to);
    return code;
}

void sim_scheduler_tick(sim_world *world, uint64_t term)
{
    sim_scheduler *of = by_term(world, term);
    if (of == NULL)
        return;
    of->wake = INT64_MAX;
    sim_apply(world, of, &(arb_event){.kind = ARB_EVENT_TICK});
}

static void ignore_done(arb_store_txn *txn)
{
    (void)txn;
}

void sim_written(sim_world *world, uint64_t term)
{
    sim_scheduler *of = by_term(world, term);
    if (of == NULL || !of->writing)
        return;
    arb_store_txn txn = {
        .term = term, .operations = of->write_operations, .operation_count = of->write_count, .done = ignore_done};
    of->writing = false;
    if (world->now < world->faults_end && sim_chance(world, world->faults.write)) {
        world->counts.write_failures++;
        txn.outcome = ARB_STORE_FAILED;
        arb_fail(&txn.error, ARB_DISK_FULL, "the disk is full");
    } else {
        arb_store_submit(world->store, &txn);
    }
    sim_trace(world, "scheduler %llu: written, outcome %d", (unsigned long long)term, txn.outcome);
    sim_apply(world, of, &(arb_event){.kind = ARB_EVENT_WRITTEN, .outcome = txn.outcome, .error = &txn.error});
}

/* ---- beginning and end ------------------------------------------------------------------------------------------------- */

static arb_code recover_one(void *context, arb_str key, arb_str value, arb_error *error)
{
    return arb_scheduler_recover_record(context, key, value, error);
}

void sim_scheduler_start(sim_world *world)
{
    sim_scheduler *of = arb_alloc_zeroed(sizeof *of);
    arb_error error = {0};
    world->current = of;
    if (world->store == NULL) {
        arb_uuid cluster = {0xC1, ++world->stores};
        if (arb_memory_store_create_as(cluster, &world->store, &error) != ARB_OK)
            sim_fail(world, "no store");
    }
    *of = (sim_scheduler){.world = world, .wake = INT64_MAX};
    if (arb_store_raise_term(world->store, &of->term, &error) != ARB_OK)
        sim_fail(world, "no term");
    arb_scheduler_options options = {
        .cluster = world->store->cluster,
        .term = of->term,
        .actions = &actions,
        .context = of,
        .times = {.no_executor = 12 * SIM_SECOND, .exclusion = 8 * SIM_SECOND, .lease = 20 * SIM_SECOND},
        .history_most = world->short_history ? 2 : SIM_JOBS_MOST};
    if (arb_scheduler_create(&options, &of->machine, &error) != ARB_OK ||
        arb_store_range(world->store, ARB_STR(ARB_SCHEDULER_KEYS), recover_one, of->machine, &error) != ARB_OK)
        sim_fail(world, "no scheduler: %s", error.message);
    arb_scheduler_recover_end(of->machine, world->now);
    sim_trace(world, "scheduler %llu starts", (unsigned long long)of->term);
    sim_apply(world, of, &(arb_event){.kind = ARB_EVENT_TICK});
}

static void add_counts(sim_world *world, const arb_scheduler *machine)
{
    arb_scheduler_counts of = arb_scheduler_count(machine), *sum = &world->machine;
    sum->launched += of.launched;
    sum->committed += of.committed;
    sum->failed += of.failed;
    sum->lost += of.lost;
    sum->rebuilt += of.rebuilt;
    sum->twins += of.twins;
    sum->resets += of.resets;
    sum->crashes += of.crashes;
    sum->exclusions += of.exclusions;
    sum->writes += of.writes;
    sum->broken_streams += of.broken_streams;
}

void sim_scheduler_free(sim_world *world, sim_scheduler **of)
{
    if (*of == NULL)
        return;
    add_counts(world, (*of)->machine);
    arb_scheduler_destroy((*of)->machine);
    arb_arena_reset(&(*of)->write_arena);
    arb_free(*of);
    *of = NULL;
}

/* It ends, or, as a zombie, is only not listened to any more. Its write may have reached the store. */
void sim_scheduler_end(sim_world *world)
{
    sim_scheduler *of = world->current;
    world->counts.restarts++;
    for (uint32_t i = 0; i < world->executor_count; i++)
        if (!sim_chance(world, 0.2))
            sim_at(world, world->now + sim_delay(world), SIM_DISCONNECTED, i, world->executors[i].session,
                   world->executors[i].incarnation);
    sim_clients_lose_touch(world);
    if (world->faults.zombie && world->zombie == NULL && !world->faults.forget && sim_chance(world, 0.5)) {
        world->counts.zombies++;
        sim_trace(world, "scheduler %llu becomes a zombie", (unsigned long long)of->term);
        world->zombie = of;
        world->current = NULL;
        sim_at(world, world->now + sim_between(world, SIM_SECOND, 20 * SIM_SECOND), SIM_ZOMBIE_ENDS, 0, 0, 0);
        return;
    }
    sim_trace(world, "scheduler %llu ends", (unsigned long long)of->term);
    if (of->writing && sim_chance(world, 0.5)) {
        arb_store_txn txn = {.term = of->term,
                             .operations = of->write_operations,
                             .operation_count = of->write_count,
                             .done = ignore_done};
        arb_store_submit(world->store, &txn);
    }
    sim_scheduler_free(world, &world->current);
    if (world->faults.forget) {
        arb_store_destroy(world->store);
        world->store = NULL;
    }
}
