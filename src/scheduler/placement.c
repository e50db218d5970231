/* Which task runs next, and where.
 *
 * Jobs take turns: the one of which least runs gives the next task; among those the one that has waited longest. Within
 * a job its stages take turns in the order in which they became hungry, within a stage its tasks in the order in which
 * they came to wait; a task that finds no place lets the others pass. What has found none is looked at again when
 * something has changed, and an event looks at so many tasks at most.
 *
 * A place is a ready executor with a free slot, memory for the task and the folders that it reads. A task that needs more
 * memory than an executor has at all may run there with nothing beside it. Among places: not where it failed last; a
 * stage of few tasks goes where its inputs are, others where least runs.
 *
 * A task that has crashed its executor runs with nothing beside it. When no executor is empty, one is kept from getting
 * more, until it is; one at a time in the whole cluster. */
#include "scheduler/scheduler_internal.h"

typedef enum placed {
    LAUNCHED,
    BUSY,        /* whoever could run it is full */
    UNPLACEABLE, /* nobody that is there could */
    STARVED,     /* the scheduler has no memory */
    NOTHING,     /* it need not run any more */
} placed;

bool arb_sched_touch(arb_sched_job *job, uint32_t slot)
{
    if (slot / 64 >= job->touched_words) {
        size_t words = slot / 64 + 1;
        uint64_t *grown = arb_realloc(job->touched, words * sizeof *grown);
        if (grown == NULL)
            return false;
        memset(grown + job->touched_words, 0, (words - job->touched_words) * sizeof *grown);
        job->touched = grown;
        job->touched_words = words;
    }
    arb_bitmap_set(job->touched, slot);
    return true;
}

/* ---- where ------------------------------------------------------------------------------------------------------------- */

/* The scheduler's bits of the roots that a task reads; false: one of them nobody has. */
static bool roots_of(const arb_scheduler *s, const arb_sched_stage *stage, uint32_t task, uint64_t *out_mask)
{
    arb_sched_job *job = stage->job;
    uint64_t wanted = stage->spec->task_roots != NULL ? stage->spec->task_roots[task] : 0;
    *out_mask = 0;
    for (; wanted != 0; wanted &= wanted - 1) {
        unsigned root = (unsigned)__builtin_ctzll(wanted);
        for (size_t bit = 0; job->root_masks[root] == 0 && bit < s->roots.size; bit++)
            if (arb_str_equal(s->roots.data[bit], job->spec.roots[root]))
                job->root_masks[root] = (uint64_t)1 << bit;
        if (job->root_masks[root] == 0)
            return false;
        *out_mask |= job->root_masks[root];
    }
    return true;
}

/* Lower is better. */
static uint64_t cost_of(const arb_sched_executor *executor, const arb_sched_stage *stage, const arb_sched_task *task,
                        bool few)
{
    uint64_t load = (uint64_t)executor->running * 256 / executor->slots;
    uint64_t far = 255;
    if (stage->near_total > 0 && executor->slot < stage->near_size)
        far = 255 - (uint64_t)((double)stage->near_bytes[executor->slot] / (double)stage->near_total * 255);
    uint64_t failed = task->trouble != NULL && arb_uuid_equal(task->trouble->avoid, executor->id);
    return failed << 32 | (few ? far << 16 | load : load << 16 | far);
}

static bool has_room(const arb_sched_executor *executor, const arb_sched_stage *stage)
{
    uint64_t memory = ARB_MIN(stage->spec->memory, executor->memory);
    return executor->running < executor->slots && executor->alone == NULL &&
           (executor->running == 0 || executor->memory_taken + memory <= executor->memory);
}

/* Kept for another task, which must run alone. */
static bool reserved(const arb_scheduler *s, uint32_t slot, const arb_sched_stage *stage, uint32_t task)
{
    const arb_attempt *of = &s->reserved_for;
    return s->reserved_slot == slot &&
           (!arb_id_equal(of->job, stage->job->id) || of->stage != stage->number || of->task != task);
}

/* A task that is not there any more keeps nothing. */
static void drop_reservation(arb_scheduler *s)
{
    const arb_attempt *of = &s->reserved_for;
    if (s->reserved_slot == ARB_SCHED_NO_SLOT)
        return;
    const arb_sched_job *job = arb_sched_job_of(s, of->job);
    if (job != NULL && job->state <= ARB_JOB_FINISHED && job->stages[of->stage].open &&
        job->stages[of->stage].tasks[of->task].state == ARB_TASK_PENDING)
        return;
    s->reserved_slot = ARB_SCHED_NO_SLOT;
    arb_sched_room_changed(s, false);
}

/* The best place, NULL without one. `out_emptiest`: of those who could run a task that must run alone, had they nothing
 * else to do. */
static placed find_place(const arb_scheduler *s, const arb_sched_stage *stage, uint32_t number, bool twin,
                         arb_sched_executor **out_executor, const arb_sched_executor **out_emptiest)
{
    const arb_sched_task *task = &stage->tasks[number];
    const arb_sched_executor *beside = task->trouble != NULL ? arb_sched_executor_of(s, task->trouble->beside) : NULL;
    bool few = stage->spec->task_count <= s->ready, able = false;
    bool alone = task->trouble != NULL && task->trouble->alone;
    uint64_t roots, best = UINT64_MAX;
    *out_executor = NULL;
    *out_emptiest = NULL;
    if (!roots_of(s, stage, number, &roots))
        return UNPLACEABLE;
    if (beside != NULL && (!arb_sched_ready(beside) || (roots & ~beside->roots) != 0))
        beside = NULL;
    for (size_t slot = 0; slot < s->slots.size; slot++) {
        arb_sched_executor *executor = s->slots.data[slot];
        if (executor == NULL || !arb_sched_ready(executor) || executor->slots == 0 || (roots & ~executor->roots) != 0 ||
            (twin && task->attempts->executor == executor) || (beside != NULL && beside != executor))
            continue;
        able = true;
        if (reserved(s, executor->slot, stage, number))
            continue;
        if (alone && (*out_emptiest == NULL || executor->running < (*out_emptiest)->running))
            *out_emptiest = executor;
        if (!has_room(executor, stage) || (alone && executor->running > 0))
            continue;
        uint64_t cost = cost_of(executor, stage, task, few);
        if (cost < best) {
            best = cost;
            *out_executor = executor;
        }
    }
    return *out_executor != NULL ? LAUNCHED : able ? BUSY : UNPLACEABLE;
}

static placed choose(arb_scheduler *s, arb_sched_stage *stage, uint32_t number, bool twin,
                     arb_sched_executor **out_executor)
{
    const arb_sched_executor *emptiest;
    placed result = find_place(s, stage, number, twin, out_executor, &emptiest);
    s->counts.looks++;
    if (result != LAUNCHED && emptiest != NULL && s->reserved_slot == ARB_SCHED_NO_SLOT) {
        s->reserved_slot = emptiest->slot;
        s->reserved_for = (arb_attempt){.job = stage->job->id, .stage = stage->number, .task = number};
    }
    return result;
}

bool arb_sched_somebody_fits(const arb_scheduler *s, const arb_sched_stage *stage)
{
    for (uint32_t i = 0; i < stage->queue_size; i++) {
        uint32_t task = stage->queue[(stage->queue_head + i) % stage->spec->task_count];
        arb_sched_executor *executor;
        const arb_sched_executor *emptiest;
        if (stage->tasks[task].state == ARB_TASK_PENDING &&
            find_place(s, stage, task, false, &executor, &emptiest) == LAUNCHED)
            return true;
    }
    return false;
}

/* ---- launch ------------------------------------------------------------------------------------------------------------ */

static bool send_sources(arb_scheduler *s, arb_sched_executor *executor, arb_sched_stage *stage, uint32_t input)
{
    const arb_stage_input *of = &stage->spec->inputs[input];
    const arb_sched_stage *producers = &stage->job->stages[of->stage];
    s->sources.size = 0;
    if (!ARB_VEC_RESERVE(&s->sources, producers->spec->task_count))
        return false;
    for (uint32_t i = 0; i < producers->spec->task_count; i++) {
        const arb_sched_task *task = &producers->tasks[i];
        bool facts = of->mode == ARB_INPUT_FACTS;
        if (task->state == ARB_TASK_SUPERFLUOUS || (!facts && task->state != ARB_TASK_COMMITTED))
            continue;
        const arb_sched_executor *holder = task->slot != ARB_SCHED_NO_SLOT ? s->slots.data[task->slot] : NULL;
        s->sources.data[s->sources.size++] =
            (arb_source){.task = i,
                         .attempt = task->attempt,
                         .executor = holder != NULL ? holder->id : (arb_uuid){0},
                         .address = holder != NULL ? holder->address : (arb_str){"", 0},
                         .key = holder != NULL ? holder->key : (arb_str){"", 0},
                         .rows = task->rows,
                         .bytes = task->bytes,
                         .facts = facts && producers->facts != NULL ? producers->facts[i] : (arb_str){"", 0}};
    }
    arb_sched_send(s, executor,
                   &(arb_to_executor){.kind = ARB_TO_EXECUTOR_SOURCES,
                                      .sources = {.job = stage->job->id,
                                                  .stage = stage->number,
                                                  .input = input,
                                                  .producer_stage = of->stage,
                                                  .version = stage->sources_version,
                                                  .mode = of->mode,
                                                  .sources = s->sources.data,
                                                  .source_count = s->sources.size}});
    return true;
}

/* The executor knows whose outputs the stage reads. */
static bool tell_sources(arb_scheduler *s, arb_sched_executor *executor, arb_sched_stage *stage)
{
    if (stage->told_size <= executor->slot) {
        arb_sched_told *grown = arb_realloc(stage->told, s->slots.size * sizeof *grown);
        if (grown == NULL)
            return false;
        memset(grown + stage->told_size, 0, (s->slots.size - stage->told_size) * sizeof *grown);
        stage->told = grown;
        stage->told_size = s->slots.size;
    }
    arb_sched_told *told = &stage->told[executor->slot];
    if (told->welcome == executor->welcome && told->version == stage->sources_version)
        return true;
    for (uint32_t input = 0; input < stage->spec->input_count; input++)
        if (!send_sources(s, executor, stage, input))
            return false;
    *told = (arb_sched_told){executor->welcome, stage->sources_version};
    return true;
}

static void send_launch(arb_scheduler *s, const arb_sched_attempt *attempt)
{
    const arb_sched_stage *stage = attempt->stage;
    const arb_stage_spec *spec = stage->spec;
    arb_str facts[ARB_SCHED_OWN_FACTS];
    size_t fact_count = 0;
    for (uint32_t i = 0; spec->wants_own_facts && i < ARB_MIN(stage->recent_count, (uint32_t)ARB_SCHED_OWN_FACTS);
         i++) {
        uint32_t task = stage->recent[(stage->recent_count - 1 - i) % ARB_SCHED_OWN_FACTS];
        if (stage->facts[task].size > 0)
            facts[fact_count++] = stage->facts[task];
    }
    arb_sched_send(
        s, attempt->executor,
        &(arb_to_executor){
            .kind = ARB_TO_EXECUTOR_LAUNCH,
            .attempt = attempt->key,
            .launch = {.plan = spec->plan,
                       .settings = stage->job->spec.settings,
                       .payload = spec->payloads != NULL ? spec->payloads[attempt->key.task] : (arb_str){"", 0},
                       .sources_version = stage->sources_version,
                       .drivers = spec->drivers,
                       .memory = attempt->memory,
                       .alone = attempt->alone,
                       .streams = stage->job->spec.may_stream && stage->number + 1 == stage->job->spec.stage_count,
                       .facts = facts,
                       .fact_count = fact_count}});
}

static placed launch(arb_scheduler *s, arb_sched_stage *stage, uint32_t number, arb_sched_executor *executor, bool twin)
{
    arb_sched_job *job = stage->job;
    arb_sched_task *task = &stage->tasks[number];
    bool alone = task->trouble != NULL && task->trouble->alone;
    if (!tell_sources(s, executor, stage))
        return STARVED;
    arb_id id = {s->term, s->next_number + 1};
    arb_sched_attempt *attempt = arb_sched_attempt_make(s, executor, stage, number, id, alone, twin);
    if (attempt == NULL)
        return STARVED;
    if (task->trouble != NULL)
        task->trouble->beside = (arb_uuid){0}; /* it has been tried */
    s->next_number++;
    job->served = ++s->served;
    if (job->queued.place != 0)
        arb_sched_queue_put(s, job);
    s->counts.launched++;
    s->counts.twins += twin;
    if (s->reserved_slot == executor->slot)
        s->reserved_slot = ARB_SCHED_NO_SLOT;
    send_launch(s, attempt);
    if (job->spec.may_stream && stage->number + 1 == job->spec.stage_count)
        s->actions->answer(s->context, &(arb_answer){.kind = ARB_ANSWER_STREAM,
                                                     .job = job->id,
                                                     .client = job->client,
                                                     .state = job->state,
                                                     .attempt = id,
                                                     .executor = executor->id});
    return LAUNCHED;
}

static uint32_t pop(arb_sched_stage *stage)
{
    uint32_t task = stage->queue[stage->queue_head];
    stage->queue_head = (stage->queue_head + 1) % stage->spec->task_count;
    stage->queue_size--;
    stage->tasks[task].queued = false;
    return task;
}

/* Try the first few tasks of a stage; those that find no place go to the end of its queue. When all of them have been
 * looked at, they are not again before something changes: a place becomes free, or, where nobody could run them, somebody
 * else comes. */
static placed launch_of_stage(arb_scheduler *s, arb_sched_stage *stage)
{
    enum { TRIES = 8 };
    if (stage->hopeless_in == s->reach)
        return UNPLACEABLE;
    if (stage->looked_in != s->room) {
        stage->looked_in = s->room;
        stage->looked = 0;
    }
    if (stage->looked == 0)
        stage->looked_busy = false;
    for (int tries = 0; tries < TRIES && stage->looked < stage->queue_size;) {
        uint32_t number = pop(stage);
        arb_sched_task *task = &stage->tasks[number];
        bool twin = task->state == ARB_TASK_RUNNING && task->twin_wanted;
        arb_sched_executor *executor;
        if (task->state != ARB_TASK_PENDING && !twin)
            continue;
        tries++;
        task->twin_wanted = false;
        placed where = choose(s, stage, number, twin, &executor);
        if (where == LAUNCHED)
            where = launch(s, stage, number, executor, twin);
        if (where == LAUNCHED)
            return LAUNCHED;
        if (twin) { /* nobody is free for it: perhaps later */
            arb_sched_timer_set(s, &stage->twin, ARB_SCHED_TIMER_TWIN, s->now + s->times.twin_least);
            continue;
        }
        bool waits = arb_sched_put_back(stage, number);
        if (where == STARVED) {
            stage->looked = 0;
            return STARVED;
        }
        stage->looked += waits;
        stage->looked_busy |= where == BUSY;
    }
    if (stage->queue_size == 0)
        return NOTHING;
    if (stage->looked < stage->queue_size)
        s->untested = true;
    else if (!stage->looked_busy)
        stage->hopeless_in = s->reach;
    return stage->looked_busy ? BUSY : UNPLACEABLE;
}

/* One task of a job. */
static placed launch_of_job(arb_scheduler *s, arb_sched_job *job)
{
    placed result = NOTHING;
    for (arb_sched_stage *stage = job->hungry_first, *next; stage != NULL; stage = next) {
        next = stage->hungry_next;
        placed one = launch_of_stage(s, stage);
        arb_sched_stage_hunger(s, stage);
        if (one == LAUNCHED || one == STARVED)
            return one;
        if (one != NOTHING)
            result = result == BUSY || one == BUSY ? BUSY : one;
    }
    return result;
}

bool arb_sched_nobody_can(arb_scheduler *s, arb_sched_job *job)
{
    for (arb_sched_stage *stage = job->hungry_first; stage != NULL; stage = stage->hungry_next)
        for (uint32_t i = 0; i < stage->queue_size; i++) {
            uint32_t task = stage->queue[(stage->queue_head + i) % stage->spec->task_count];
            arb_sched_executor *executor;
            if (stage->tasks[task].state == ARB_TASK_PENDING && choose(s, stage, task, false, &executor) != UNPLACEABLE)
                return false;
        }
    return true;
}

static void note_unplaceable(arb_scheduler *s, arb_sched_job *job)
{
    if (job->unplaceable.node.place == 0)
        arb_sched_timer_set(s, &job->unplaceable, ARB_SCHED_TIMER_UNPLACEABLE, s->now + s->times.no_executor);
}

/* ---- jobs' turns ------------------------------------------------------------------------------------------------------- */

void arb_sched_queue_put(arb_scheduler *s, arb_sched_job *job)
{
    if (job->queued.place == 0) {
        job->turn = s->turn;
        if (s->ready == 0)
            note_unplaceable(s, job);
    }
    arb_heap_put(&s->queues[job->turn], &job->queued, (int64_t)job->running, job->served);
}

void arb_sched_queue_remove(arb_scheduler *s, arb_sched_job *job)
{
    arb_heap_remove(&s->queues[job->turn], &job->queued);
}

/* It found no place: it is looked at again in the next round. */
static void pass_over(arb_scheduler *s, arb_sched_job *job)
{
    arb_sched_queue_remove(s, job);
    job->turn = s->turn ^ 1;
    arb_heap_put(&s->queues[job->turn], &job->queued, (int64_t)job->running, job->served);
}

/* All jobs, in their order. */
static void begin_round(arb_scheduler *s)
{
    for (arb_heap_node *first; (first = arb_heap_first(&s->queues[s->turn ^ 1])) != NULL;) {
        arb_sched_job *job = ARB_CONTAINER_OF(first, arb_sched_job, queued);
        arb_sched_queue_remove(s, job);
        arb_sched_queue_put(s, job);
    }
    s->round = s->room;
    s->untested = false;
}

static void end_round(arb_scheduler *s)
{
    s->settled = s->round == s->room && !s->untested;
    s->cut = false;
    s->turn ^= 1;
    s->round = s->room;
    s->untested = false;
}

static void note_absence(arb_scheduler *s)
{
    if (s->ready == 0 && !s->absence_noted)
        for (int turn = 0; turn < 2; turn++)
            for (size_t i = 0; i < s->queues[turn].nodes.size; i++)
                note_unplaceable(s, ARB_CONTAINER_OF(s->queues[turn].nodes.data[i], arb_sched_job, queued));
    s->absence_noted = s->ready == 0;
}

/* A round that looks at too much for one event goes on in the next, which is due at once, and begins anew only when it has
 * come to its end or no slot is free: so everything has its turn, however much waits in vain. */
void arb_sched_schedule(arb_scheduler *s)
{
    enum { LOOKS_MOST = 256 };
    uint64_t looks_most = s->counts.looks + LOOKS_MOST, jobs_most = LOOKS_MOST + s->free_slots;
    drop_reservation(s);
    note_absence(s);
    if (!s->settled && !s->cut && s->free_slots > 0)
        begin_round(s);
    for (uint64_t jobs = 0; s->free_slots > 0 && !s->settled; jobs++) {
        arb_heap_node *first = arb_heap_first(&s->queues[s->turn]);
        if (first == NULL) {
            end_round(s);
            continue;
        }
        if (s->counts.looks >= looks_most || jobs >= jobs_most) {
            s->cut = true;
            arb_sched_timer_set(s, &s->placement, ARB_SCHED_TIMER_PLACEMENT, s->now);
            return;
        }
        arb_sched_job *job = ARB_CONTAINER_OF(first, arb_sched_job, queued);
        placed result = launch_of_job(s, job);
        if (result == UNPLACEABLE)
            note_unplaceable(s, job);
        else if (result != NOTHING)
            arb_sched_timer_clear(s, &job->unplaceable);
        if (result == STARVED) {
            arb_sched_timer_set(s, &s->placement, ARB_SCHED_TIMER_PLACEMENT, s->now + s->times.retry);
            return;
        }
        if (result != LAUNCHED && job->queued.place != 0)
            pass_over(s, job);
    }
    s->cut = s->cut && s->free_slots > 0;
}
