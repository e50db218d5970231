/* executor_runs.c: the runs of the ledger, each from its LAUNCH until its output is dropped.
 *
 * The ledger's actions come from within its calls, so what they find out at once waits in a list (`vain`) until it can be told.
 * Whatever else becomes of a run comes as an event of the loop. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "executor/executor_internal.h"
#include "scheduler/control_wire.h"

enum { ASKS_MOST = 3 };
static const int64_t PLAN_PATIENCE_NS = 30000000000;

static arb_executor_run *run_of(const arb_executor *executor, uint64_t number)
{
    return arb_id_map_get(&executor->by_number, number, 0);
}

/* ---- made and freed ------------------------------------------------------------------------------------------------------ */

static void run_worked(arb_rpc_event *event);
static void run_over(arb_rpc_event *event);
static void run_job(arb_waiting_job *job);

/* How many are in its state, for those who look. */
static void count(arb_executor_run *run, uint64_t change)
{
    if (run->state == ARB_RUN_WAITS || run->state == ARB_RUN_STARTS)
        atomic_fetch_add(&run->executor->seen.waiting, change);
    else if (run->state == ARB_RUN_RUNS)
        atomic_fetch_add(&run->executor->seen.running, change);
}

static void enter(arb_executor_run *run, arb_run_state state)
{
    bool might_crash = state == ARB_RUN_STARTS || state == ARB_RUN_RUNS;
    count(run, UINT64_MAX); /* one less */
    run->state = state;
    count(run, 1);
    if (might_crash && run->crash_place == ARB_CRASH_NO_PLACE) {
        const arb_crash_entry entry = {run->executor->id, run->cluster, run->attempt};
        run->crash_place = run->executor->records_crashes ? arb_crash_record_add(&entry) : ARB_CRASH_NO_PLACE;
    } else if (!might_crash) {
        arb_crash_record_remove(run->crash_place);
        run->crash_place = ARB_CRASH_NO_PLACE;
    }
}

static void tell_failed(arb_executor *executor, uint64_t number, const arb_failure *failure)
{
    atomic_fetch_add(failure->kind == ARB_FAILURE_CANCELLED ? &executor->seen.cancelled : &executor->seen.failed, 1);
    if (!executor->stopping)
        arb_ledger_failed(executor->ledger, number, failure);
}

static arb_executor_run *make_run(arb_executor *executor, uint64_t number, const arb_attempt *attempt)
{
    arb_executor_run *run = arb_alloc_zeroed(sizeof *run);
    if (run == NULL || (run->error = ARB_ARENA_NEW(&run->arena, arb_error)) == NULL ||
        !arb_id_map_reserve(&executor->by_number, executor->by_number.count + 1) ||
        !arb_id_map_reserve(&executor->by_attempt, executor->by_attempt.count + 1)) {
        if (run != NULL)
            arb_arena_reset(&run->arena);
        arb_free(run);
        return NULL;
    }
    run->executor = executor;
    run->number = number;
    run->attempt = *attempt;
    run->crash_place = ARB_CRASH_NO_PLACE;
    count(run, 1);
    run->job.run = run_job;
    run->worked.run = run_worked;
    run->task_over.run = run_over;
    run->next = executor->runs;
    if (run->next != NULL)
        run->next->previous = run;
    executor->runs = run;
    arb_id_map_put(&executor->by_number, number, 0, run);
    run->older = arb_id_map_get(&executor->by_attempt, attempt->attempt.term, attempt->attempt.number);
    if (run->older != NULL) {
        run->older->newer = run;
        arb_id_map_remove(&executor->by_attempt, attempt->attempt.term, attempt->attempt.number);
    }
    arb_id_map_put(&executor->by_attempt, attempt->attempt.term, attempt->attempt.number, run);
    return run;
}

/* None of its calls goes on. */
static void give_back_peers(arb_executor_run *run)
{
    for (size_t i = 0; i < run->peer_count; i++)
        arb_peer_table_give_back(&run->executor->peers, run->ways[i]);
    run->peer_count = 0;
}

static void leave_builds(arb_executor_run *run)
{
    if (run->left_builds)
        return;
    run->left_builds = true;
    arb_stage_builds_leave(run->builds_place, arb_clock_monotonic_ns());
}

static void begin(arb_executor_run *run);

static void free_run(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    const arb_id *attempt = &run->attempt.attempt;
    arb_executor_run *newer = run->newer, *older = run->older;
    count(run, UINT64_MAX);
    arb_crash_record_remove(run->crash_place);
    *(run->previous != NULL ? &run->previous->next : &executor->runs) = run->next;
    if (run->next != NULL)
        run->next->previous = run->previous;
    arb_id_map_remove(&executor->by_number, run->number, 0);
    if (newer == NULL) {
        arb_id_map_remove(&executor->by_attempt, attempt->term, attempt->number);
        if (older != NULL)
            arb_id_map_put(&executor->by_attempt, attempt->term, attempt->number, older);
    } else {
        newer->older = older;
    }
    if (older != NULL)
        older->newer = newer;
    give_back_peers(run);
    arb_shared_builds_unref(run->builds);
    leave_builds(run);
    arb_stage_builds_give_back(&executor->builds, run->builds_place);
    arb_job_memories_give_back(&executor->memories, run->memory);
    arb_arena_reset(&run->arena);
    arb_free(run);
    if (newer != NULL && older == NULL && !newer->is_vain)
        begin(newer); /* its ids are its own now */
}

/* ---- on the way to a task ------------------------------------------------------------------------------------------------ */

static void submit(arb_executor_run *run, arb_run_state state)
{
    enter(run, state);
    arb_waiting_pool_submit(&run->executor->waiting, &run->job);
}

static void begin(arb_executor_run *run)
{
    run->plans_seen = run->executor->plans_come;
    run->asked = false;
    submit(run, ARB_RUN_STARTS);
}

/* It ends without a task; the ledger is told at the next turn. */
static void end_in_vain(arb_executor_run *run, arb_failure_kind kind)
{
    if (run->is_vain)
        return;
    run->is_vain = true;
    run->failure = (arb_failure){.kind = kind, .error = kind == ARB_FAILURE_CANCELLED ? NULL : run->error};
    run->next_vain = run->executor->vain;
    run->executor->vain = run;
}

bool arb_executor_runs_settle(arb_executor *executor)
{
    arb_executor_run *vain = executor->vain;
    uint64_t unstarted = executor->unstarted;
    arb_error error = {0};
    if (vain == NULL && unstarted == 0)
        return false;
    executor->vain = NULL;
    executor->unstarted = 0;
    if (unstarted != 0) {
        (void)arb_fail_memory(&error, "a task", sizeof(arb_executor_run));
        tell_failed(executor, unstarted, &(arb_failure){.kind = ARB_FAILURE_RETRYABLE, .error = &error});
    }
    while (vain != NULL) {
        arb_executor_run *next = vain->next_vain;
        tell_failed(executor, vain->number, &vain->failure);
        free_run(vain);
        vain = next;
    }
    return true;
}

/* ---- its plan ------------------------------------------------------------------------------------------------------------ */

static bool waits_for_plan(const arb_executor_run *run)
{
    return run->state == ARB_RUN_WAITS && run->older == NULL && !run->is_vain;
}

static bool waits_for(const arb_executor_run *run, arb_str hash)
{
    return waits_for_plan(run) && arb_str_equal(run->plan_hash, hash);
}

/* Unless it was asked for already. */
static void ask_for_plan(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    for (const arb_executor_run *other = executor->runs; other != NULL && !run->asked; other = other->next)
        run->asked = other->asked && waits_for(other, run->plan_hash);
    if (run->asked || !arb_ledger_welcomed(executor->ledger))
        return;
    arb_text bytes = {0};
    arb_error error = {0};
    run->asked = arb_executor_send(executor, &bytes, arb_wanted_encode(run->plan_hash, &bytes, &error));
}

/* It is asked for, so many times and for so long. */
static void wait_for_plan(arb_executor_run *run)
{
    enter(run, ARB_RUN_WAITS);
    run->patience_end = arb_clock_monotonic_ns() + PLAN_PATIENCE_NS;
    if (run->asks++ == ASKS_MOST)
        end_in_vain(run, ARB_FAILURE_RETRYABLE);
    else
        ask_for_plan(run);
}

void arb_executor_runs_welcome(arb_executor *executor)
{
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        run->asked = false;
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        if (waits_for_plan(run))
            ask_for_plan(run);
}

void arb_executor_runs_plan(arb_executor *executor, arb_str hash, bool whole, const arb_error *error)
{
    int64_t patience_end = arb_clock_monotonic_ns() + PLAN_PATIENCE_NS;
    executor->plans_come += whole;
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        if (waits_for(run, hash)) {
            run->asked &= error == NULL;
            run->patience_end = patience_end;
        }
    for (arb_executor_run *run = executor->runs; run != NULL && (whole || error != NULL); run = run->next) {
        if (!waits_for(run, hash))
            continue;
        if (whole) {
            begin(run);
        } else {
            *run->error = *error;
            wait_for_plan(run);
        }
    }
}

void arb_executor_runs_look_at_time(arb_executor *executor, int64_t now)
{
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        if (waits_for_plan(run) && now >= run->patience_end)
            end_in_vain(run, ARB_FAILURE_RETRYABLE);
}

/* ---- launched ------------------------------------------------------------------------------------------------------------ */

static arb_code find_peer(arb_executor_run *run, const arb_source *source, uint32_t *out_peer, arb_error *error)
{
    arb_executor *executor = run->executor;
    for (size_t i = 0; i < run->peer_count; i++)
        if (arb_uuid_equal(run->peers[i].executor, source->executor)) {
            *out_peer = (uint32_t)i;
            return ARB_OK;
        }
    arb_input_peer *peer = &run->peers[run->peer_count];
    peer->executor = source->executor;
    if (!arb_uuid_equal(source->executor, executor->id)) {
        if (source->key.size != sizeof peer->key.bytes)
            return arb_fail(error, ARB_CORRUPT_DATA, "an executor's key has %zu bytes", source->key.size);
        memcpy(peer->key.bytes, source->key.data, source->key.size);
        ARB_TRY(arb_peer_table_take(&executor->peers, source->address, &run->ways[run->peer_count], error));
        peer->channel = run->ways[run->peer_count]->channel;
    }
    *out_peer = (uint32_t)run->peer_count++;
    return ARB_OK;
}

static arb_code take_input(arb_executor_run *run, const arb_sources *from, arb_error *error)
{
    arb_input_source *sources = ARB_ARENA_ARRAY(&run->arena, arb_input_source, from->source_count + 1);
    if (sources == NULL)
        return arb_fail_memory(error, "a task", from->source_count * sizeof *sources);
    for (size_t i = 0; i < from->source_count; i++) {
        sources[i] = (arb_input_source){.task = from->sources[i].task, .attempt = from->sources[i].attempt};
        ARB_TRY(find_peer(run, &from->sources[i], &sources[i].peer, error));
    }
    run->inputs[run->input_count++] = (arb_task_input){from->producer_stage, from->source_count, sources};
    return ARB_OK;
}

/* What the stage reads, as the ledger knows it now. */
static arb_code take_inputs(arb_executor_run *run, arb_error *error)
{
    const arb_ledger *ledger = run->executor->ledger;
    const arb_sources *from;
    uint32_t count = 0;
    size_t sources = 0;
    while ((from = arb_ledger_sources(ledger, run->attempt.job, run->attempt.stage, count)) != NULL) {
        sources += from->source_count;
        count++;
    }
    run->inputs = ARB_ARENA_ARRAY(&run->arena, arb_task_input, count + 1);
    run->peers = ARB_ARENA_ARRAY(&run->arena, arb_input_peer, sources + 1);
    run->ways = ARB_ARENA_ARRAY(&run->arena, arb_peer *, sources + 1);
    run->gone = ARB_ARENA_ARRAY(&run->arena, bool, sources + 1);
    if (run->inputs == NULL || run->peers == NULL || run->ways == NULL || run->gone == NULL)
        return arb_fail_memory(error, "a task", sources * sizeof *run->peers);
    for (uint32_t i = 0; i < count; i++) {
        from = arb_ledger_sources(ledger, run->attempt.job, run->attempt.stage, i);
        run->reads_whole |= from->mode == ARB_INPUT_ALL;
        if (from->mode != ARB_INPUT_FACTS) /* of those no rows are read */
            ARB_TRY(take_input(run, from, error));
    }
    return ARB_OK;
}

/* What it has in common with the stage's other runs; the stages that it reads have no more to come. */
static void take_builds(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    for (size_t i = 0; i < run->input_count; i++)
        arb_stage_builds_over(&executor->builds, run->attempt.job, run->inputs[i].stage);
    if (!run->reads_whole)
        return;
    const arb_stage_builds_key key = {run->cluster, run->attempt, run->plan_hash, run->input_count, run->inputs};
    run->builds_place = arb_stage_builds_take(&executor->builds, &key);
    run->builds = run->builds_place != NULL ? arb_stage_builds_of(run->builds_place) : NULL;
}

static arb_code take_launch(arb_executor_run *run, const arb_launch *launch, arb_error *error)
{
    run->cluster = arb_ledger_cluster(run->executor->ledger);
    run->unreachable_ns = arb_ledger_unreachable_ns(run->executor->ledger);
    run->drivers = launch->drivers;
    run->bound = arb_task_bound_of(launch->facts, launch->fact_count);
    run->memory = arb_job_memories_take(&run->executor->memories, run->cluster, run->attempt.job);
    if (run->memory == NULL)
        return arb_fail_memory(error, "a task", sizeof run->governor);
    arb_job_memory_part(&run->executor->memories, run->memory, launch->memory, &run->governor);
    run->plan_hash = arb_str_copy(&run->arena, launch->plan);
    run->payload = arb_str_copy(&run->arena, launch->payload);
    run->settings = arb_str_copy(&run->arena, launch->settings);
    if (run->plan_hash.data == NULL || run->payload.data == NULL || run->settings.data == NULL)
        return arb_fail_memory(error, "a task", launch->plan.size + launch->payload.size + launch->settings.size);
    ARB_TRY(take_inputs(run, error));
    take_builds(run);
    return ARB_OK;
}

void arb_executor_runs_start(arb_executor *executor, uint64_t number, const arb_attempt *attempt,
                             const arb_launch *launch)
{
    arb_executor_run *run = make_run(executor, number, attempt);
    atomic_fetch_add(&executor->seen.launched, 1);
    ARB_FAILPOINT(EXECUTOR_LAUNCH_RECEIVED);
    if (run == NULL) {
        executor->unstarted = number;
        return;
    }
    arb_code code = take_launch(run, launch, run->error);
    if (code != ARB_OK)
        end_in_vain(run, arb_failure_kind_of(code));
    else if (run->older == NULL)
        begin(run);
}

/* ---- told to end --------------------------------------------------------------------------------------------------------- */

static void stop_run(arb_executor_run *run)
{
    atomic_store(&run->stop_wanted, true);
    if (run->state == ARB_RUN_WAITS)
        end_in_vain(run, ARB_FAILURE_CANCELLED);
    else if (run->state == ARB_RUN_RUNS)
        arb_task_run_stop(run->task);
}

void arb_executor_runs_stop(arb_executor *executor, uint64_t number)
{
    arb_executor_run *run = run_of(executor, number);
    if (run != NULL)
        stop_run(run);
}

void arb_executor_runs_drop(arb_executor *executor, uint64_t number)
{
    arb_executor_run *run = run_of(executor, number);
    if (run == NULL)
        return;
    run->drop_wanted = true;
    if (run->state == ARB_RUN_HELD)
        submit(run, ARB_RUN_DROPS);
}

void arb_executor_runs_gone(arb_executor *executor, arb_uuid peer)
{
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next) {
        for (size_t i = 0; i < run->peer_count; i++)
            run->gone[i] |= arb_uuid_equal(run->peers[i].executor, peer);
        if (run->state == ARB_RUN_RUNS)
            arb_task_run_gone(run->task, peer);
    }
}

void arb_executor_runs_stop_all(arb_executor *executor)
{
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        stop_run(run);
}

bool arb_executor_runs_are_over(const arb_executor *executor)
{
    for (const arb_executor_run *run = executor->runs; run != NULL; run = run->next)
        if (run->state != ARB_RUN_HELD)
            return false;
    return true;
}

void arb_executor_runs_reset(arb_executor *executor)
{
    while (executor->runs != NULL)
        free_run(executor->runs);
    arb_id_map_reset(&executor->by_number);
    arb_id_map_reset(&executor->by_attempt);
}

/* ---- what became of it --------------------------------------------------------------------------------------------------- */

void arb_executor_runs_report(arb_executor *executor)
{
    for (arb_executor_run *run = executor->runs; run != NULL; run = run->next) {
        if (run->state != ARB_RUN_RUNS)
            continue;
        arb_task_output output = arb_task_run_output(run->task);
        if (output.rows == run->reported)
            continue;
        run->reported = output.rows;
        arb_ledger_progress(executor->ledger, run->number, output.rows, output.bytes);
    }
}

/* The task has ended, and the ledger hears how. */
static void end_task(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    run->output = arb_task_run_result(run->task, &run->failure, run->error);
    bool wanted = false;
    if (!run->output) {
        tell_failed(executor, run->number, &run->failure);
    } else if (!executor->stopping) {
        arb_task_output output = arb_task_run_output(run->task);
        ARB_FAILPOINT(EXECUTOR_BEFORE_COMMIT);
        wanted = arb_ledger_done(executor->ledger, run->number, &output);
        ARB_FAILPOINT(EXECUTOR_AFTER_COMMIT);
    }
    if (run->output)
        atomic_fetch_add(wanted ? &executor->seen.done : &executor->seen.cancelled, 1);
    run->drop_wanted |= !wanted;
    submit(run, ARB_RUN_ENDS);
}

static void run_over(arb_rpc_event *event)
{
    arb_executor_run *run = ARB_CONTAINER_OF(event, arb_executor_run, task_over);
    run->over = true;
    if (run->state == ARB_RUN_RUNS) /* else it was faster than its start */
        end_task(run);
    arb_executor_settle(run->executor);
}

/* What was wanted of it meanwhile. */
static void task_started(arb_executor_run *run)
{
    enter(run, ARB_RUN_RUNS);
    if (run->over) {
        end_task(run);
        return;
    }
    if (atomic_load(&run->stop_wanted))
        arb_task_run_stop(run->task);
    for (size_t i = 0; i < run->peer_count; i++)
        if (run->gone[i])
            arb_task_run_gone(run->task, run->peers[i].executor);
}

static void was_started(arb_executor_run *run)
{
    arb_executor *executor = run->executor;
    if (run->task != NULL) {
        task_started(run);
    } else if (run->lacks_plan && !atomic_load(&run->stop_wanted)) {
        if (run->plans_seen != executor->plans_come)
            begin(run); /* it may have come meanwhile */
        else
            wait_for_plan(run);
    } else {
        tell_failed(executor, run->number, &run->failure);
        free_run(run);
    }
}

/* On a thread of the waiting pool; the loop leaves the run alone meanwhile. */
static void run_job(arb_waiting_job *job)
{
    arb_executor_run *run = ARB_CONTAINER_OF(job, arb_executor_run, job);
    if (run->state == ARB_RUN_STARTS)
        arb_task_starter_start(run);
    else if (run->state == ARB_RUN_ENDS)
        arb_task_starter_take_apart(run);
    else
        arb_task_starter_drop(run);
    arb_rpc_loop_post(&run->executor->loop, &run->worked);
}

static void run_worked(arb_rpc_event *event)
{
    arb_executor_run *run = ARB_CONTAINER_OF(event, arb_executor_run, worked);
    arb_executor *executor = run->executor;
    switch (run->state) {
    case ARB_RUN_STARTS:
        was_started(run);
        break;
    case ARB_RUN_ENDS:
        give_back_peers(run);
        leave_builds(run);
        arb_arena_reset(&run->arena); /* of an output that is held only its name is needed */
        run->error = NULL;
        if (!run->output)
            free_run(run);
        else if (run->drop_wanted)
            submit(run, ARB_RUN_DROPS);
        else
            enter(run, ARB_RUN_HELD);
        break;
    case ARB_RUN_DROPS:
        free_run(run);
        break;
    case ARB_RUN_WAITS:
    case ARB_RUN_RUNS:
    case ARB_RUN_HELD:
        break; /* not with the waiting pool */
    }
    arb_executor_settle(executor);
}
