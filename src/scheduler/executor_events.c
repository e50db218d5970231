/* Executors: registration and what it settles, silence, death, exclusion, leaving.
 *
 *     READY ──stream closed, silent for 2 s──▶ SUSPECT ──4.5 s──▶ gone (its object is freed)
 *       ▲◀────────heard again, registered──────────┘
 *       ├─▶ DRAINING ─▶ GOODBYE
 *       └─▶ EXCLUDED (two others cannot reach it) ─▶ READY, after a while
 *
 * One that comes back after it was taken for dead is a new object; what it still holds is offered like outputs that have
 * just been made, and is taken where the task was not done by another meanwhile. */
#include "scheduler/scheduler_internal.h"

arb_sched_executor *arb_sched_executor_of(const arb_scheduler *s, arb_uuid id)
{
    return arb_id_map_get(&s->executors, id.high, id.low);
}

void arb_sched_send(arb_scheduler *s, arb_sched_executor *executor, arb_to_executor *message)
{
    if (!executor->connected)
        return;
    message->header =
        (arb_control_header){s->cluster, s->term, executor->id, executor->link.session, ++executor->link.sent};
    s->actions->send(s->context, message);
}

/* What may be launched there changed: take its share out of the sums, or put it in. */
static void count_out(arb_scheduler *s, const arb_sched_executor *executor)
{
    s->draining -= executor->draining;
    arb_sched_room_changed(s, true);
    if (!arb_sched_ready(executor))
        return;
    s->ready--;
    s->free_slots -= executor->slots - ARB_MIN(executor->running, executor->slots);
}

static void count_in(arb_scheduler *s, const arb_sched_executor *executor)
{
    s->draining += executor->draining;
    if (!arb_sched_ready(executor)) {
        if (s->reserved_slot == executor->slot) /* the task that must run alone looks for another */
            s->reserved_slot = ARB_SCHED_NO_SLOT;
        return;
    }
    s->ready++;
    s->free_slots += executor->slots - ARB_MIN(executor->running, executor->slots);
}

static void set_suspect(arb_scheduler *s, arb_sched_executor *executor, bool suspect)
{
    count_out(s, executor);
    executor->suspect = suspect;
    count_in(s, executor);
}

/* ---- the end of one ---------------------------------------------------------------------------------------------------- */

void arb_sched_executor_free(arb_scheduler *s, arb_sched_executor *executor)
{
    assert(executor->attempts == NULL);
    arb_sched_timer_clear(s, &executor->liveness);
    arb_sched_timer_clear(s, &executor->exclusion);
    s->timer_objects -= 2;
    arb_id_map_remove(&s->executors, executor->id.high, executor->id.low);
    s->slots.data[executor->slot] = NULL;
    arb_arena_reset(&executor->arena);
    arb_free(executor);
}

static void lose_attempts(arb_scheduler *s, arb_sched_executor *executor)
{
    while (executor->attempts != NULL)
        arb_sched_attempt_died(s, executor->attempts);
}

static void dead(arb_scheduler *s, arb_sched_executor *executor)
{
    uint32_t slot = executor->slot;
    arb_uuid id = executor->id;
    count_out(s, executor);
    if (executor->connected)
        s->actions->close_stream(s->context, id, executor->link.session);
    executor->connected = executor->draining = false;
    lose_attempts(s, executor);
    arb_sched_outputs_lost(s, slot, true);
    for (arb_sched_job *job = s->first_job; job != NULL; job = job->next)
        if (slot / 64 < job->touched_words)
            arb_bitmap_clear(job->touched, slot);
    if (s->reserved_slot == slot)
        s->reserved_slot = ARB_SCHED_NO_SLOT;
    arb_sched_executor_free(s, executor);
    for (size_t i = 0; i < s->slots.size; i++)
        if (s->slots.data[i] != NULL)
            arb_sched_send(s, s->slots.data[i], &(arb_to_executor){.kind = ARB_TO_EXECUTOR_GONE, .gone = id});
}

void arb_sched_liveness(arb_scheduler *s, arb_sched_executor *executor)
{
    int64_t silent = s->now - executor->heard;
    if (silent >= s->times.dead) {
        dead(s, executor);
        return;
    }
    if (silent >= s->times.suspect && !executor->suspect)
        set_suspect(s, executor, true);
    arb_sched_timer_set(s, &executor->liveness, ARB_SCHED_TIMER_LIVENESS,
                        executor->heard + (executor->suspect ? s->times.dead : s->times.suspect));
}

static void disconnect(arb_scheduler *s, arb_sched_executor *executor)
{
    count_out(s, executor);
    executor->connected = false;
    executor->suspect = true;
    count_in(s, executor);
    arb_sched_timer_set(s, &executor->liveness, ARB_SCHED_TIMER_LIVENESS, executor->heard + s->times.dead);
}

void arb_sched_stream_closed(arb_scheduler *s, arb_uuid id, uint64_t session)
{
    arb_sched_executor *executor = arb_sched_executor_of(s, id);
    if (executor != NULL && executor->connected && executor->link.session == session)
        disconnect(s, executor);
}

void arb_sched_exclude(arb_scheduler *s, arb_sched_executor *executor)
{
    s->counts.exclusions++;
    count_out(s, executor);
    executor->excluded = true;
    count_in(s, executor);
    executor->complainer = (arb_uuid){0};
    arb_sched_timer_set(s, &executor->exclusion, ARB_SCHED_TIMER_EXCLUSION, s->now + s->times.exclusion);
    for (arb_sched_attempt *at = executor->attempts, *next; at != NULL; at = next) {
        next = at->executor_next;
        if (at->stage == NULL)
            continue;
        arb_sched_stage *stage = at->stage;
        uint32_t task = at->key.task;
        if (stage->tasks[task].leaving)
            continue; /* its reader is the client, who gets rows */
        arb_sched_attempt_stop(s, at);
        arb_sched_enqueue(s, stage, task);
    }
    arb_sched_outputs_lost(s, executor->slot, false); /* clients read by way of the scheduler, which reaches it */
}

void arb_sched_exclusion_over(arb_scheduler *s, arb_sched_executor *executor)
{
    count_out(s, executor);
    executor->excluded = false;
    count_in(s, executor);
}

/* Executors that drain and are not needed any more may go. */
void arb_sched_let_go(arb_scheduler *s)
{
    for (size_t i = 0; i < s->slots.size; i++) {
        arb_sched_executor *executor = s->slots.data[i];
        if (executor == NULL || !executor->draining || !executor->connected || executor->may_go ||
            executor->attempts != NULL || executor->outputs != 0)
            continue;
        executor->may_go = true;
        arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_MAY_GO});
    }
}

/* ---- registration ------------------------------------------------------------------------------------------------------ */

/* The bit of a name that no executor uses any more, nor the one that registers (`taken`); it is another's from now on, so
 * jobs forget it. */
static size_t reuse_root(arb_scheduler *s, uint64_t taken)
{
    for (size_t slot = 0; slot < s->slots.size; slot++)
        if (s->slots.data[slot] != NULL)
            taken |= s->slots.data[slot]->roots;
    if (taken == UINT64_MAX)
        return ARB_JOB_ROOTS_MOST;
    size_t bit = (size_t)__builtin_ctzll(~taken);
    for (arb_sched_job *job = s->first_job; job != NULL; job = job->next)
        for (uint32_t root = 0; root < job->spec.root_count; root++)
            if (job->root_masks[root] == (uint64_t)1 << bit)
                job->root_masks[root] = 0;
    return bit;
}

/* A place for a name that nobody has named yet; ARB_JOB_ROOTS_MOST: there is none. False without memory. */
static bool add_root(arb_scheduler *s, arb_str name, uint64_t taken, size_t *out_bit)
{
    *out_bit = s->roots.size < ARB_JOB_ROOTS_MOST ? s->roots.size : reuse_root(s, taken);
    if (*out_bit == ARB_JOB_ROOTS_MOST)
        return true;
    char *copy = arb_strndup(name.data, name.size);
    if (copy == NULL || (*out_bit == s->roots.size && !ARB_VEC_PUSH(&s->roots, (arb_str){0}))) {
        arb_free(copy);
        return false;
    }
    arb_free((char *)s->roots.data[*out_bit].data);
    s->roots.data[*out_bit] = (arb_str){copy, name.size};
    return true;
}

/* The bits of an executor's roots; of all executors together 64 at most, further ones are not known. */
static bool intern_roots(arb_scheduler *s, const arb_register *inventory, uint64_t *out_mask)
{
    *out_mask = 0;
    for (size_t i = 0; i < inventory->root_count; i++) {
        size_t bit = 0;
        while (bit < s->roots.size && !arb_str_equal(s->roots.data[bit], inventory->roots[i]))
            bit++;
        if (bit == s->roots.size && !add_root(s, inventory->roots[i], *out_mask, &bit))
            return false;
        if (bit < ARB_JOB_ROOTS_MOST)
            *out_mask |= (uint64_t)1 << bit;
    }
    return true;
}

static arb_sched_executor *executor_make(arb_scheduler *s, arb_uuid id)
{
    size_t slot = 0;
    while (slot < s->slots.size && s->slots.data[slot] != NULL)
        slot++;
    arb_sched_executor *executor = arb_alloc_zeroed(sizeof *executor);
    if (executor == NULL || !ARB_VEC_RESERVE(&s->slots, slot + 1) || !ARB_VEC_RESERVE(&s->slot_marks, slot + 1) ||
        !arb_id_map_reserve(&s->executors, s->executors.count + 1) || !arb_sched_timers_reserve(s, 2)) {
        arb_free(executor);
        return NULL;
    }
    if (slot == s->slots.size) {
        s->slots.size++;
        s->slot_marks.data[s->slot_marks.size++] = 0;
    }
    *executor = (arb_sched_executor){.id = id, .slot = (uint32_t)slot, .suspect = true, .heard = s->now};
    s->slots.data[slot] = executor;
    arb_id_map_put(&s->executors, id.high, id.low, executor);
    arb_sched_timer_set(s, &executor->liveness, ARB_SCHED_TIMER_LIVENESS, s->now + s->times.dead);
    return executor;
}

arb_code arb_sched_register_prepare(arb_scheduler *s, const arb_to_scheduler *message, arb_error *error)
{
    const arb_register *inventory = &message->inventory;
    uint64_t mask;
    if (!intern_roots(s, inventory, &mask) ||
        !arb_id_map_reserve(&s->attempts, s->attempts.count + inventory->running_count))
        return arb_fail_memory(error, "an executor's registration", 0);
    if (arb_sched_executor_of(s, message->header.executor) == NULL &&
        executor_make(s, message->header.executor) == NULL)
        return arb_fail_memory(error, "an executor's registration", sizeof(arb_sched_executor));
    return ARB_OK;
}

/* The texts lie behind each other in an arena that is made before the old one goes. */
static bool take_texts(arb_sched_executor *executor, const arb_register *inventory)
{
    arb_arena arena = {0};
    arb_str address = arb_str_copy(&arena, inventory->address), version = arb_str_copy(&arena, inventory->version);
    arb_str key = arb_str_copy(&arena, inventory->key);
    if (address.data == NULL || version.data == NULL || key.data == NULL) {
        arb_arena_reset(&arena);
        return false;
    }
    arb_arena_reset(&executor->arena);
    executor->arena = arena;
    executor->address = address;
    executor->version = version;
    executor->key = key;
    return true;
}

/* An attempt that a registering executor runs: ours, one to adopt, or one to stop. */
static void settle_running(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key, bool alone)
{
    arb_sched_attempt *attempt = arb_id_map_get(&s->attempts, key->attempt.term, key->attempt.number);
    bool ours = attempt != NULL && attempt->executor == executor && arb_attempt_equal(&attempt->key, key);
    if (ours && attempt->stage != NULL) {
        attempt->reported = true;
        return;
    }
    arb_sched_job *job = arb_sched_job_of(s, key->job);
    if (attempt == NULL && arb_sched_id_given(s, key->attempt) && job != NULL && job->state <= ARB_JOB_FINISHED &&
        key->stage < job->spec.stage_count && key->task < job->stages[key->stage].spec->task_count &&
        !executor->excluded) {
        arb_sched_stage *stage = &job->stages[key->stage];
        arb_sched_task *task = &stage->tasks[key->task];
        if (arb_id_equal(stage->generation, key->generation) && task->state == ARB_TASK_PENDING &&
            (task->trouble == NULL || !task->trouble->alone) &&
            (job->recovering ? stage->spec->row_limit < 0 : stage->needed)) {
            attempt = arb_sched_attempt_make(s, executor, stage, key->task, key->attempt, alone, false);
            if (attempt != NULL) {
                attempt->reported = true;
                return;
            }
        }
    }
    if (ours)
        attempt->reported = true; /* it is to stop, and was told so in a session that is over */
    arb_sched_cancel_output(s, executor, key);
}

/* Outputs that this executor should hold and did not name are lost. */
static void lose_unseen(arb_scheduler *s, uint32_t slot)
{
    for (arb_sched_job *job = s->first_job, *next; job != NULL; job = next) {
        bool lost = false;
        next = job->next;
        if (slot / 64 >= job->touched_words || !arb_bitmap_get(job->touched, slot))
            continue;
        for (uint32_t number = 0; number < job->spec.stage_count; number++) {
            arb_sched_stage *stage = &job->stages[number];
            for (uint32_t i = 0; i < stage->spec->task_count; i++) {
                arb_sched_task *task = &stage->tasks[i];
                if (task->slot == slot && !task->seen && job->state <= ARB_JOB_FINISHED) {
                    arb_sched_output_lost(s, stage, i);
                    lost = true;
                }
                task->seen = false;
            }
        }
        if (lost)
            arb_sched_job_advance(s, job);
    }
}

static void settle(arb_scheduler *s, arb_sched_executor *executor, const arb_register *inventory)
{
    bool ours = arb_uuid_equal(inventory->crashed_cluster, s->cluster);
    for (size_t i = 0; ours && i < inventory->crashed_count; i++)
        arb_sched_crashed(s, &inventory->crashed[i]);
    for (size_t i = 0; i < inventory->running_count; i++)
        settle_running(s, executor, &inventory->running[i],
                       arb_id_equal(inventory->running[i].attempt, inventory->alone));
    for (size_t i = 0; i < inventory->failed_count; i++) {
        arb_sched_attempt *attempt = arb_sched_attempt_at(s, executor, inventory->failed[i].attempt);
        if (attempt != NULL)
            attempt->reported = true;
    }
    s->settling = true;
    for (size_t i = 0; i < inventory->held_count; i++)
        arb_sched_output_offered(s, executor, &inventory->held[i].attempt, &inventory->held[i].output);
    for (arb_sched_attempt *at = executor->attempts, *next; at != NULL; at = next) {
        next = at->executor_next;
        if (!at->reported)
            arb_sched_attempt_lost(s, at);
        else
            at->reported = false;
    }
    s->settling = false;
    lose_unseen(s, executor->slot);
}

static void leave_recovery_early(arb_scheduler *s)
{
    for (arb_sched_job *job = s->first_job, *next; job != NULL; job = next) {
        next = job->next;
        if (!job->recovering || job->expected > 0)
            continue;
        job->recovering = false;
        arb_sched_job_advance(s, job);
    }
}

static void greet(arb_scheduler *s, arb_sched_executor *executor)
{
    arb_sched_send(s, executor,
                   &(arb_to_executor){.kind = ARB_TO_EXECUTOR_WELCOME,
                                      .welcome = {.heartbeat_ns = s->times.heartbeat,
                                                  .silence_ns = s->times.suspect,
                                                  .unreachable_ns = s->times.unreachable}});
}

/* The reason, then the end of the stream: not a session, so what is sent is its first message and its last. */
static void refuse(arb_scheduler *s, const arb_control_header *header, const char *why)
{
    s->actions->send(s->context,
                     &(arb_to_executor){.header = {s->cluster, s->term, header->executor, header->session, 1},
                                        .kind = ARB_TO_EXECUTOR_REFUSED,
                                        .why = why});
    s->actions->close_stream(s->context, header->executor, header->session);
}

static void register_executor(arb_scheduler *s, const arb_to_scheduler *message)
{
    const arb_register *inventory = &message->inventory;
    arb_register nothing = *inventory;
    arb_sched_executor *executor = arb_sched_executor_of(s, message->header.executor);
    bool ours = arb_uuid_equal(message->header.cluster, s->cluster);
    uint64_t mask;
    if (ours && message->header.term > s->term) { /* this scheduler was replaced, and will learn it from the store */
        refuse(s, &message->header, "a newer scheduler has taken over from this one");
        return;
    }
    if (message->header.session <= executor->link.session || message->header.sequence != 1)
        return;
    if (!take_texts(executor, inventory) || !intern_roots(s, inventory, &mask))
        return;              /* as if it was lost: the executor hears nothing, and tries again */
    if (executor->connected) /* the end of its old stream was not seen here */
        s->actions->close_stream(s->context, executor->id, executor->link.session);
    arb_sched_executor *previous = arb_sched_executor_of(s, inventory->previous);
    if (previous != NULL && previous != executor)
        dead(s, previous);
    count_out(s, executor);
    executor->connected = true;
    executor->suspect = executor->may_go = false;
    executor->draining = inventory->draining;
    executor->link = (arb_control_link){.session = message->header.session, .received = 1};
    executor->welcome = ++s->next_welcome;
    executor->registered = executor->heard = s->now;
    executor->slots = inventory->slots;
    executor->memory = inventory->memory;
    executor->roots = mask;
    count_in(s, executor);
    arb_sched_timer_set(s, &executor->liveness, ARB_SCHED_TIMER_LIVENESS, s->now + s->times.suspect);
    greet(s, executor);
    if (!ours) {
        nothing.running_count = nothing.failed_count = nothing.held_count = 0;
        inventory = &nothing;
    }
    settle(s, executor, inventory);
    leave_recovery_early(s);
}

/* ---- messages ---------------------------------------------------------------------------------------------------------- */

void arb_sched_receive(arb_scheduler *s, const arb_to_scheduler *message)
{
    const arb_control_header *header = &message->header;
    if (message->kind == ARB_TO_SCHEDULER_REGISTER) {
        register_executor(s, message);
        return;
    }
    arb_sched_executor *executor = arb_sched_executor_of(s, header->executor);
    if (!arb_uuid_equal(header->cluster, s->cluster) || header->term != s->term)
        return;
    if (executor == NULL || !executor->connected) {
        s->actions->close_stream(s->context, header->executor, header->session);
        return;
    }
    switch (arb_control_link_take(&executor->link, header)) {
    case ARB_LINK_DROP:
        return;
    case ARB_LINK_BROKEN:
        s->counts.broken_streams++;
        s->actions->close_stream(s->context, executor->id, header->session);
        disconnect(s, executor);
        return;
    case ARB_LINK_TAKE:
        break;
    }
    executor->heard = s->now;
    if (executor->suspect)
        set_suspect(s, executor, false);
    arb_sched_attempt *attempt = arb_sched_attempt_at(s, executor, message->attempt.attempt);
    switch (message->kind) {
    case ARB_TO_SCHEDULER_HEARTBEAT:
        arb_sched_send(s, executor, &(arb_to_executor){.kind = ARB_TO_EXECUTOR_HEARTBEAT_SEEN});
        break;
    case ARB_TO_SCHEDULER_PROGRESS:
        if (attempt != NULL) {
            attempt->rows = ARB_MIN(message->output.rows, ARB_SCHED_SIZE_MOST);
            attempt->bytes = ARB_MIN(message->output.bytes, ARB_SCHED_SIZE_MOST);
        }
        break;
    case ARB_TO_SCHEDULER_DONE:
        arb_sched_output_offered(s, executor, &message->attempt, &message->output);
        break;
    case ARB_TO_SCHEDULER_FAILED:
        arb_sched_attempt_failed(s, executor, message);
        break;
    case ARB_TO_SCHEDULER_DRAINING:
        count_out(s, executor);
        executor->draining = true;
        count_in(s, executor);
        break;
    case ARB_TO_SCHEDULER_GOODBYE:
        dead(s, executor);
        break;
    case ARB_TO_SCHEDULER_REGISTER:
        break;
    }
}
