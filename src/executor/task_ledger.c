#include "executor/task_ledger.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/vec.h"
#include "scheduler/id_map.h"

typedef struct entry {
    arb_attempt key;
    uint64_t run;
    arb_ledger_state state;
    bool alone;                    /* as it was launched */
    bool listed;                   /* HELD: in the inventory of this session, or reported in it */
    arb_task_output output;        /* HELD; facts are owned */
    arb_failure failure;           /* FAILED; its error is owned */
    struct entry *next, *previous; /* its job's */
} entry;

typedef struct kept_sources {
    arb_sources sources;
    arb_arena arena;
    struct kept_sources *next;
} kept_sources;

typedef struct ledger_job {
    arb_id id;
    entry *entries;
    kept_sources *sources;
    struct ledger_job *next, *previous;
} ledger_job;

typedef enum stream { CLOSED, OPENING, REGISTERED, WELCOMED } stream;

struct arb_ledger {
    arb_uuid executor, cluster; /* cluster zero: none yet */
    uint64_t term;
    arb_register registration;
    bool draining, said_draining; /* the latter: in this session */
    arb_arena arena;              /* the registration's texts */
    const arb_ledger_actions *actions;
    void *context;
    stream stream;
    arb_control_link link;
    int64_t now, heard, next_beat, next_open;
    uint32_t opened_in_vain;
    arb_welcome times;
    arb_id_map attempts, runs, jobs;
    uint64_t last_run;
    ledger_job *first_job;
};

/* ---- made and freed ---------------------------------------------------------------------------------------------------- */

static bool copy_registration(arb_ledger *ledger, const arb_register *from)
{
    arb_register *to = &ledger->registration;
    *to = (arb_register){.slots = from->slots,
                         .memory = from->memory,
                         .previous = from->previous,
                         .crashed_cluster = from->crashed_cluster};
    to->address = arb_str_copy(&ledger->arena, from->address);
    to->version = arb_str_copy(&ledger->arena, from->version);
    to->key = arb_str_copy(&ledger->arena, from->key);
    arb_str *roots = ARB_ARENA_ARRAY(&ledger->arena, arb_str, from->root_count + 1);
    arb_attempt *crashed = ARB_ARENA_ARRAY(&ledger->arena, arb_attempt, from->crashed_count + 1);
    if (to->address.data == NULL || to->version.data == NULL || to->key.data == NULL || roots == NULL ||
        crashed == NULL)
        return false;
    for (size_t i = 0; i < from->root_count; i++)
        if ((roots[i] = arb_str_copy(&ledger->arena, from->roots[i])).data == NULL)
            return false;
    if (from->crashed_count > 0)
        memcpy(crashed, from->crashed, from->crashed_count * sizeof *crashed);
    to->roots = roots;
    to->root_count = from->root_count;
    to->crashed = crashed;
    to->crashed_count = from->crashed_count;
    return true;
}

arb_code arb_ledger_create(const arb_ledger_options *options, arb_ledger **out_ledger, arb_error *error)
{
    *out_ledger = NULL;
    arb_ledger *ledger = arb_alloc_zeroed(sizeof *ledger);
    if (ledger == NULL)
        return arb_fail_memory(error, "the list of tasks", sizeof *ledger);
    ledger->executor = options->executor;
    ledger->actions = options->actions;
    ledger->context = options->context;
    ledger->times = (arb_welcome){options->silence_ns / 4, options->silence_ns, options->silence_ns};
    if (!copy_registration(ledger, &options->registration)) {
        arb_ledger_destroy(ledger);
        return arb_fail_memory(error, "the list of tasks", sizeof *ledger);
    }
    *out_ledger = ledger;
    return ARB_OK;
}

static ledger_job *job_of(const arb_ledger *ledger, arb_id id)
{
    return arb_id_map_get(&ledger->jobs, id.term, id.number);
}

static ledger_job *job_make(arb_ledger *ledger, arb_id id)
{
    ledger_job *job = job_of(ledger, id);
    if (job != NULL)
        return job;
    job = arb_alloc(sizeof *job);
    if (job == NULL || !arb_id_map_reserve(&ledger->jobs, ledger->jobs.count + 1)) {
        arb_free(job);
        return NULL;
    }
    *job = (ledger_job){.id = id, .next = ledger->first_job};
    if (job->next != NULL)
        job->next->previous = job;
    ledger->first_job = job;
    arb_id_map_put(&ledger->jobs, id.term, id.number, job);
    return job;
}

static void forget_sources(ledger_job *job)
{
    while (job->sources != NULL) {
        kept_sources *kept = job->sources;
        job->sources = kept->next;
        arb_arena_reset(&kept->arena);
        arb_free(kept);
    }
}

static void job_free(arb_ledger *ledger, ledger_job *job)
{
    assert(job->entries == NULL);
    forget_sources(job);
    *(job->previous != NULL ? &job->previous->next : &ledger->first_job) = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    arb_id_map_remove(&ledger->jobs, job->id.term, job->id.number);
    arb_free(job);
}

static entry *entry_of(const arb_ledger *ledger, const arb_attempt *key)
{
    return arb_id_map_get(&ledger->attempts, key->attempt.term, key->attempt.number);
}

static entry *entry_make(arb_ledger *ledger, const arb_attempt *key)
{
    ledger_job *job = job_make(ledger, key->job);
    entry *made = arb_alloc(sizeof *made);
    if (job == NULL || made == NULL || !arb_id_map_reserve(&ledger->attempts, ledger->attempts.count + 1) ||
        !arb_id_map_reserve(&ledger->runs, ledger->runs.count + 1)) {
        arb_free(made);
        if (job != NULL && job->entries == NULL && job->sources == NULL)
            job_free(ledger, job);
        return NULL;
    }
    *made = (entry){.key = *key, .run = ++ledger->last_run, .next = job->entries};
    if (made->next != NULL)
        made->next->previous = made;
    job->entries = made;
    arb_id_map_put(&ledger->attempts, key->attempt.term, key->attempt.number, made);
    arb_id_map_put(&ledger->runs, made->run, 0, made);
    return made;
}

static void entry_free(arb_ledger *ledger, entry *freed)
{
    ledger_job *job = job_of(ledger, freed->key.job);
    *(freed->previous != NULL ? &freed->previous->next : &job->entries) = freed->next;
    if (freed->next != NULL)
        freed->next->previous = freed->previous;
    arb_id_map_remove(&ledger->attempts, freed->key.attempt.term, freed->key.attempt.number);
    arb_id_map_remove(&ledger->runs, freed->run, 0);
    arb_free((char *)freed->output.facts.data);
    arb_free((arb_error *)freed->failure.error);
    arb_free(freed);
    if (job->entries == NULL && job->sources == NULL)
        job_free(ledger, job);
}

void arb_ledger_destroy(arb_ledger *ledger)
{
    if (ledger == NULL)
        return;
    while (ledger->first_job != NULL) {
        ledger_job *job = ledger->first_job;
        forget_sources(job);
        if (job->entries == NULL) {
            job_free(ledger, job);
            continue;
        }
        while (job->entries->next != NULL)
            entry_free(ledger, job->entries->next);
        entry_free(ledger, job->entries); /* and the job with it */
    }
    arb_id_map_reset(&ledger->attempts);
    arb_id_map_reset(&ledger->runs);
    arb_id_map_reset(&ledger->jobs);
    arb_arena_reset(&ledger->arena);
    arb_free(ledger);
}

/* ---- out --------------------------------------------------------------------------------------------------------------- */

static void send(arb_ledger *ledger, arb_to_scheduler *message)
{
    message->header = (arb_control_header){ledger->cluster, ledger->term, ledger->executor, ledger->link.session,
                                           ++ledger->link.sent};
    ledger->actions->send(ledger->context, message);
}

static void report(arb_ledger *ledger, entry *of)
{
    if (ledger->stream != WELCOMED)
        return;
    of->listed = true;
    if (of->state == ARB_LEDGER_HELD)
        send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DONE, .attempt = of->key, .output = of->output});
    else if (of->state == ARB_LEDGER_FAILED)
        send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_FAILED, .attempt = of->key, .failure = of->failure});
}

/* Without a scheduler nobody else says that it may go; who holds nothing need not be asked. */
static void go_unless_needed(arb_ledger *ledger)
{
    if (ledger->draining && ledger->stream != WELCOMED && ledger->attempts.count == 0)
        ledger->actions->may_go(ledger->context);
}

/* The next try later and later, up to 2 s, and not all executors at the same moment. */
static void wait_to_open(arb_ledger *ledger)
{
    int64_t wait = (int64_t)50000000 << ARB_MIN(ledger->opened_in_vain, (uint32_t)5);
    uint64_t spread = arb_hash_combine(ledger->executor.low, ledger->link.session + ledger->opened_in_vain);
    ledger->stream = CLOSED;
    ledger->opened_in_vain++;
    ledger->next_open = ledger->now + wait + (int64_t)(spread % (uint64_t)wait);
    go_unless_needed(ledger);
}

static void give_up(arb_ledger *ledger)
{
    ledger->actions->close(ledger->context);
    wait_to_open(ledger);
}

static void list_entries(arb_ledger *ledger, arb_attempt *running, arb_attempt *failed, arb_held_output *held,
                         arb_register *out)
{
    out->running = running;
    out->failed = failed;
    out->held = held;
    for (const ledger_job *job = ledger->first_job; job != NULL; job = job->next)
        for (entry *at = job->entries; at != NULL; at = at->next) {
            at->listed = at->state == ARB_LEDGER_HELD;
            if (at->listed) {
                held[out->held_count++] = (arb_held_output){at->key, at->output};
            } else if (at->state == ARB_LEDGER_FAILED) {
                failed[out->failed_count++] = at->key;
            } else {
                running[out->running_count++] = at->key;
                if (at->alone)
                    out->alone = at->key.attempt;
            }
        }
}

void arb_ledger_connected(arb_ledger *ledger, int64_t now)
{
    size_t count = ledger->attempts.count + 1;
    ledger->now = now;
    if (ledger->stream != OPENING)
        return;
    arb_attempt *running = arb_alloc(count * sizeof *running);
    arb_attempt *failed = arb_alloc(count * sizeof *failed);
    arb_held_output *held = arb_alloc(count * sizeof *held);
    arb_to_scheduler message = {.kind = ARB_TO_SCHEDULER_REGISTER, .inventory = ledger->registration};
    ledger->link = (arb_control_link){.session = ledger->link.session + 1};
    ledger->heard = now;
    if (running != NULL && failed != NULL && held != NULL) {
        list_entries(ledger, running, failed, held, &message.inventory);
        message.inventory.draining = ledger->said_draining = ledger->draining;
        ledger->stream = REGISTERED;
        send(ledger, &message);
    } else {
        give_up(ledger);
    }
    arb_free(running);
    arb_free(failed);
    arb_free(held);
}

void arb_ledger_disconnected(arb_ledger *ledger, int64_t now)
{
    ledger->now = now;
    if (ledger->stream != CLOSED)
        wait_to_open(ledger);
}

void arb_ledger_tick(arb_ledger *ledger, int64_t now)
{
    ledger->now = now;
    if (ledger->stream == CLOSED && now >= ledger->next_open) {
        ledger->stream = OPENING;
        ledger->heard = now;
        ledger->actions->open(ledger->context);
    } else if (ledger->stream != CLOSED && now - ledger->heard >= ledger->times.silence_ns) {
        give_up(ledger);
    } else if (ledger->stream == WELCOMED && now >= ledger->next_beat) {
        ledger->next_beat = now + ledger->times.heartbeat_ns;
        send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_HEARTBEAT});
    }
}

int64_t arb_ledger_wake(const arb_ledger *ledger)
{
    if (ledger->stream == CLOSED)
        return ledger->next_open;
    int64_t silent = ledger->heard + ledger->times.silence_ns;
    return ledger->stream == WELCOMED ? ARB_MIN(silent, ledger->next_beat) : silent;
}

/* ---- in ---------------------------------------------------------------------------------------------------------------- */

static void stop_or_drop(arb_ledger *ledger, entry *of)
{
    uint64_t run = of->run;
    switch (of->state) {
    case ARB_LEDGER_RUNNING:
        of->state = ARB_LEDGER_STOPPING;
        ledger->actions->stop(ledger->context, run);
        break;
    case ARB_LEDGER_HELD:
        entry_free(ledger, of);
        ledger->actions->drop(ledger->context, run);
        break;
    case ARB_LEDGER_STOPPING:
    case ARB_LEDGER_FAILED:
        break; /* its end is being reported */
    }
}

static void free_if_empty(arb_ledger *ledger, arb_id id)
{
    ledger_job *job = job_of(ledger, id);
    if (job != NULL && job->entries == NULL && job->sources == NULL)
        job_free(ledger, job);
}

/* All of a job, or of one of its stages. Entries that go may take the job with them. */
static void delete_outputs(arb_ledger *ledger, arb_id id, uint32_t stage)
{
    ledger_job *job = job_of(ledger, id);
    if (job == NULL)
        return;
    if (stage == ARB_EVERY_STAGE)
        forget_sources(job);
    for (entry *at = job->entries, *next; at != NULL; at = next) {
        next = at->next;
        if (stage == ARB_EVERY_STAGE || (at->key.stage == stage && at->state == ARB_LEDGER_HELD))
            stop_or_drop(ledger, at);
    }
    free_if_empty(ledger, id);
}

/* What a scheduler told in an earlier session it will tell again, for the jobs that are still there. */
static void forget_all_sources(arb_ledger *ledger)
{
    for (ledger_job *job = ledger->first_job, *next; job != NULL; job = next) {
        next = job->next;
        forget_sources(job);
        free_if_empty(ledger, job->id);
    }
}

/* Another cluster: nothing that was made for the one before counts. */
static void forget_cluster(arb_ledger *ledger)
{
    forget_all_sources(ledger);
    while (ledger->first_job != NULL) {
        entry *at = ledger->first_job->entries;
        uint64_t run = at->run;
        arb_ledger_state state = at->state;
        entry_free(ledger, at);
        if (state == ARB_LEDGER_RUNNING)
            ledger->actions->stop(ledger->context, run);
        else if (state == ARB_LEDGER_HELD)
            ledger->actions->drop(ledger->context, run);
    }
}

static void say_draining(arb_ledger *ledger)
{
    if (!ledger->draining || ledger->said_draining || ledger->stream != WELCOMED)
        return;
    ledger->said_draining = true;
    send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_DRAINING});
}

static void welcome(arb_ledger *ledger, const arb_to_executor *message)
{
    if (!arb_uuid_equal(ledger->cluster, message->header.cluster)) {
        if ((ledger->cluster.high | ledger->cluster.low) != 0)
            forget_cluster(ledger);
    } else {
        forget_all_sources(ledger);
    }
    ledger->cluster = message->header.cluster;
    ledger->term = message->header.term;
    ledger->times = message->welcome;
    ledger->stream = WELCOMED;
    ledger->opened_in_vain = 0;
    ledger->next_beat = ledger->now + ledger->times.heartbeat_ns;
    ledger->registration.crashed_count = 0;
    ledger->registration.previous = (arb_uuid){0};
    for (ledger_job *job = ledger->first_job; job != NULL; job = job->next)
        for (entry *at = job->entries; at != NULL; at = at->next)
            if (at->state == ARB_LEDGER_FAILED || (at->state == ARB_LEDGER_HELD && !at->listed))
                report(ledger, at); /* it failed before, or ended since the inventory was sent */
    say_draining(ledger);           /* it may have begun since then, too */
}

static void launch(arb_ledger *ledger, const arb_to_executor *message)
{
    if (entry_of(ledger, &message->attempt) != NULL)
        return;
    entry *made = entry_make(ledger, &message->attempt);
    if (made != NULL) {
        made->alone = message->launch.alone;
        ledger->actions->start(ledger->context, made->run, &message->attempt, &message->launch);
        return;
    }
    arb_error error = {0};
    arb_fail_memory(&error, "a task", sizeof(entry));
    send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_FAILED,
                                     .attempt = message->attempt,
                                     .failure = {.kind = ARB_FAILURE_RETRYABLE, .error = &error}});
}

static bool copy_sources(kept_sources *kept, const arb_sources *from)
{
    arb_source *copies = ARB_ARENA_ARRAY(&kept->arena, arb_source, from->source_count + 1);
    if (copies == NULL)
        return false;
    for (size_t i = 0; i < from->source_count; i++) {
        copies[i] = from->sources[i];
        copies[i].address = arb_str_copy(&kept->arena, from->sources[i].address);
        copies[i].key = arb_str_copy(&kept->arena, from->sources[i].key);
        copies[i].facts = arb_str_copy(&kept->arena, from->sources[i].facts);
        if (copies[i].address.data == NULL || copies[i].key.data == NULL || copies[i].facts.data == NULL)
            return false;
    }
    kept->sources = *from;
    kept->sources.sources = copies;
    return true;
}

/* False without memory. */
static bool keep_sources(arb_ledger *ledger, const arb_sources *from)
{
    ledger_job *job = job_make(ledger, from->job);
    kept_sources *kept = arb_alloc_zeroed(sizeof *kept);
    if (job == NULL || kept == NULL || !copy_sources(kept, from)) {
        if (kept != NULL)
            arb_arena_reset(&kept->arena);
        arb_free(kept);
        free_if_empty(ledger, from->job);
        return false;
    }
    for (kept_sources **link = &job->sources; *link != NULL; link = &(*link)->next) {
        kept_sources *older = *link;
        if (older->sources.stage != from->stage || older->sources.input != from->input)
            continue;
        *link = older->next;
        arb_arena_reset(&older->arena);
        arb_free(older);
        break;
    }
    kept->next = job->sources;
    job->sources = kept;
    return true;
}

static void take(arb_ledger *ledger, const arb_to_executor *message)
{
    entry *of = entry_of(ledger, &message->attempt);
    switch (message->kind) {
    case ARB_TO_EXECUTOR_WELCOME:
        welcome(ledger, message);
        break;
    case ARB_TO_EXECUTOR_REFUSED:
        ledger->actions->refused(ledger->context, message->why);
        give_up(ledger);
        break;
    case ARB_TO_EXECUTOR_HEARTBEAT_SEEN:
        break;
    case ARB_TO_EXECUTOR_SOURCES:
        if (!keep_sources(ledger, &message->sources))
            give_up(ledger); /* as if it was lost */
        break;
    case ARB_TO_EXECUTOR_LAUNCH:
        launch(ledger, message);
        break;
    case ARB_TO_EXECUTOR_SEEN:
        if (of != NULL && of->state == ARB_LEDGER_FAILED)
            entry_free(ledger, of);
        break;
    case ARB_TO_EXECUTOR_CANCEL:
        if (of != NULL)
            stop_or_drop(ledger, of);
        break;
    case ARB_TO_EXECUTOR_DELETE:
        delete_outputs(ledger, message->attempt.job, message->attempt.stage);
        break;
    case ARB_TO_EXECUTOR_GONE:
        ledger->actions->gone(ledger->context, message->gone);
        break;
    case ARB_TO_EXECUTOR_MAY_GO:
        ledger->actions->may_go(ledger->context);
        break;
    }
}

/* A session is one scheduler's, from its WELCOME on. */
static arb_link_verdict judge(arb_ledger *ledger, const arb_to_executor *message)
{
    const arb_control_header *header = &message->header;
    bool ours = arb_uuid_equal(header->cluster, ledger->cluster);
    bool greets = message->kind == ARB_TO_EXECUTOR_WELCOME;
    if (message->kind == ARB_TO_EXECUTOR_REFUSED) /* whoever says so: it ends this stream, and nothing else */
        return arb_uuid_equal(header->executor, ledger->executor) && ledger->stream == REGISTERED &&
                       header->session == ledger->link.session
                   ? ARB_LINK_TAKE
                   : ARB_LINK_DROP;
    if (!arb_uuid_equal(header->executor, ledger->executor) || ledger->stream == CLOSED || ledger->stream == OPENING ||
        (ours ? header->term < ledger->term : !greets))
        return ARB_LINK_DROP;
    if (ledger->stream == REGISTERED ? !greets : !ours || header->term != ledger->term)
        return header->session == ledger->link.session ? ARB_LINK_BROKEN : ARB_LINK_DROP;
    return arb_control_link_take(&ledger->link, header);
}

void arb_ledger_receive(arb_ledger *ledger, int64_t now, const arb_to_executor *message)
{
    ledger->now = now;
    switch (judge(ledger, message)) {
    case ARB_LINK_DROP:
        return;
    case ARB_LINK_BROKEN:
        give_up(ledger);
        return;
    case ARB_LINK_TAKE:
        break;
    }
    ledger->heard = now;
    take(ledger, message);
}

/* ---- what became of attempts ------------------------------------------------------------------------------------------- */

static entry *running(const arb_ledger *ledger, uint64_t run)
{
    entry *of = arb_id_map_get(&ledger->runs, run, 0);
    return of != NULL && (of->state == ARB_LEDGER_RUNNING || of->state == ARB_LEDGER_STOPPING) ? of : NULL;
}

bool arb_ledger_done(arb_ledger *ledger, uint64_t run, const arb_task_output *output)
{
    entry *of = running(ledger, run);
    if (of == NULL || of->state == ARB_LEDGER_STOPPING) {
        arb_ledger_failed(ledger, run, &(arb_failure){.kind = ARB_FAILURE_CANCELLED});
        return false;
    }
    of->state = ARB_LEDGER_HELD;
    of->output = *output;
    char *facts = output->facts.size > 0 ? arb_strndup(output->facts.data, output->facts.size) : NULL;
    of->output.facts = (arb_str){facts, facts != NULL ? output->facts.size : 0};
    report(ledger, of);
    return true;
}

void arb_ledger_failed(arb_ledger *ledger, uint64_t run, const arb_failure *failure)
{
    entry *of = running(ledger, run);
    if (of == NULL)
        return;
    of->failure = of->state == ARB_LEDGER_STOPPING ? (arb_failure){.kind = ARB_FAILURE_CANCELLED} : *failure;
    of->state = ARB_LEDGER_FAILED;
    report(ledger, of);
    if (of->failure.error != NULL) {
        arb_error *copy = arb_alloc(sizeof *copy);
        if (copy != NULL)
            *copy = *of->failure.error;
        of->failure.error = copy; /* without memory a repetition goes without the text */
    }
}

void arb_ledger_progress(arb_ledger *ledger, uint64_t run, uint64_t rows, uint64_t bytes)
{
    const entry *of = running(ledger, run);
    if (of != NULL && of->state == ARB_LEDGER_RUNNING && ledger->stream == WELCOMED)
        send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_PROGRESS,
                                         .attempt = of->key,
                                         .output = {.rows = rows, .bytes = bytes}});
}

void arb_ledger_drain(arb_ledger *ledger)
{
    ledger->draining = true;
    say_draining(ledger);
    go_unless_needed(ledger);
}

void arb_ledger_goodbye(arb_ledger *ledger)
{
    if (ledger->stream == WELCOMED)
        send(ledger, &(arb_to_scheduler){.kind = ARB_TO_SCHEDULER_GOODBYE});
}

/* ---- looking in -------------------------------------------------------------------------------------------------------- */

const arb_sources *arb_ledger_sources(const arb_ledger *ledger, arb_id job, uint32_t stage, uint32_t input)
{
    const ledger_job *of = job_of(ledger, job);
    for (const kept_sources *kept = of != NULL ? of->sources : NULL; kept != NULL; kept = kept->next)
        if (kept->sources.stage == stage && kept->sources.input == input)
            return &kept->sources;
    return NULL;
}

bool arb_ledger_state_of(const arb_ledger *ledger, arb_id attempt, arb_ledger_state *out_state)
{
    const entry *of = arb_id_map_get(&ledger->attempts, attempt.term, attempt.number);
    if (of != NULL)
        *out_state = of->state;
    return of != NULL;
}

bool arb_ledger_welcomed(const arb_ledger *ledger)
{
    return ledger->stream == WELCOMED;
}

arb_uuid arb_ledger_cluster(const arb_ledger *ledger)
{
    return ledger->cluster;
}

int64_t arb_ledger_unreachable_ns(const arb_ledger *ledger)
{
    return ledger->times.unreachable_ns;
}

size_t arb_ledger_size(const arb_ledger *ledger)
{
    return ledger->attempts.count;
}
