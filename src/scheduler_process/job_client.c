/* Handles belong to the loop, but for what is known of their jobs, which waiting threads look at under the handle's lock. Answers
 * come from within the machine, which must not be called then: they are noted, and told when the event is over. */
#include "scheduler_process/job_client.h"

#include "base/clock.h"
#include "scheduler/id_map.h"

struct arb_job_client {
    arb_job_clients *clients;
    arb_job_client *next, *previous; /* of all */
    arb_job_client *same;            /* of the same job */
    arb_job_client *next_untold;
    bool untold;
    arb_job_watch watch;
    arb_lasting_event gone;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    arb_job_progress progress;
};

struct arb_job_clients {
    arb_scheduler_loop *loop;
    arb_plan_store *plans;
    arb_job_client *first, *untold;
    arb_job_client *submitting; /* its job has no id yet; told afterwards */
    uint64_t submissions;
    arb_id_map jobs;
    const char *stopped; /* why */
    arb_rpc_timer renewal;
    bool renewing; /* the timer is set */
};

/* Whoever has a handle wants the job, whether he waits for something or not. */
static void set_renewal(arb_job_clients *clients)
{
    clients->renewing = clients->first != NULL && clients->stopped == NULL;
    if (clients->renewing)
        arb_rpc_loop_set(arb_scheduler_loop_timers(clients->loop), &clients->renewal,
                         arb_clock_monotonic_ns() + arb_scheduler_loop_lease(clients->loop) / 4);
}

static void run_renewal(arb_rpc_timer *timer)
{
    arb_job_clients *clients = ARB_CONTAINER_OF(timer, arb_job_clients, renewal);
    for (arb_job_client *client = clients->first; client != NULL; client = client->next) {
        arb_event event = {.kind = ARB_EVENT_CLIENT_ALIVE, .job = client->progress.job};
        arb_code renewed = arb_scheduler_loop_apply(clients->loop, &event, NULL);
        (void)renewed; /* else it has ended, or is tried again in time */
    }
    set_renewal(clients);
}

arb_code arb_job_clients_create(arb_scheduler_loop *loop, arb_plan_store *plans, arb_job_clients **out_clients,
                                arb_error *error)
{
    arb_job_clients *clients = arb_alloc_zeroed(sizeof *clients);
    *out_clients = clients;
    if (clients == NULL)
        return arb_fail_memory(error, "the clients of the scheduler", sizeof *clients);
    clients->loop = loop;
    clients->plans = plans;
    clients->renewal.run = run_renewal;
    return ARB_OK;
}

void arb_job_clients_destroy(arb_job_clients *clients)
{
    if (clients == NULL)
        return;
    assert(clients->first == NULL);
    arb_id_map_reset(&clients->jobs);
    arb_free(clients);
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

static void note(arb_job_client *client)
{
    arb_job_clients *clients = client->clients;
    pthread_cond_broadcast(&client->changed);
    if (client->untold || client->watch.changed == NULL || client == clients->submitting)
        return;
    client->untold = true;
    client->next_untold = clients->untold;
    clients->untold = client;
}

static void take_answer(arb_job_client *client, const arb_answer *answer)
{
    arb_job_progress *progress = &client->progress;
    pthread_mutex_lock(&client->lock);
    progress->job = answer->job;
    switch (answer->kind) {
    case ARB_ANSWER_ACCEPTED:
        progress->accepted = true;
        break;
    case ARB_ANSWER_STREAM:
        progress->streams = true;
        progress->attempt = answer->attempt;
        progress->executor = answer->executor;
        break;
    case ARB_ANSWER_FINISHED:
        progress->accepted = progress->finished = true;
        break;
    case ARB_ANSWER_RESUMED:
        progress->finished = false;
        break;
    case ARB_ANSWER_ENDED:
        progress->ended = true;
        progress->state = answer->state;
        if (answer->error != NULL)
            progress->error = *answer->error;
        break;
    }
    note(client);
    pthread_mutex_unlock(&client->lock);
}

static arb_job_client *first_of(const arb_job_clients *clients, arb_id job)
{
    return arb_id_map_get(&clients->jobs, job.term, job.number);
}

void arb_job_clients_answer(arb_job_clients *clients, const arb_answer *answer)
{
    arb_job_client *client = first_of(clients, answer->job);
    if (answer->kind == ARB_ANSWER_ENDED) /* before anybody hears of it */
        arb_plan_store_end(clients->plans, answer->job);
    if (client == NULL && clients->submitting != NULL && answer->client == clients->submissions)
        take_answer(clients->submitting, answer);
    for (; client != NULL; client = client->same)
        take_answer(client, answer);
}

void arb_job_clients_settle(arb_job_clients *clients)
{
    while (clients->untold != NULL) {
        arb_job_client *client = clients->untold;
        arb_job_progress progress;
        clients->untold = client->next_untold;
        client->untold = false;
        arb_job_look(client, &progress);
        client->watch.changed(client->watch.context, &progress); /* which may close it */
    }
}

static void lose(arb_job_client *client, const char *why)
{
    pthread_mutex_lock(&client->lock);
    if (!client->progress.ended) {
        client->progress.lost = true;
        arb_fail(&client->progress.error, ARB_CONNECTION_FAILED, "%s", why);
        note(client);
    }
    pthread_mutex_unlock(&client->lock);
}

void arb_job_clients_stop(arb_job_clients *clients, const char *why)
{
    clients->stopped = why;
    if (clients->renewing)
        (void)arb_rpc_loop_unset(arb_scheduler_loop_timers(clients->loop), &clients->renewal);
    clients->renewing = false;
    for (arb_job_client *client = clients->first; client != NULL; client = client->next)
        lose(client, why);
}

/* ---- handles ------------------------------------------------------------------------------------------------------------ */

static arb_code make(arb_job_clients *clients, const arb_job_watch *watch, arb_job_client **out_client,
                     arb_error *error)
{
    pthread_condattr_t attributes;
    arb_job_client *client = arb_alloc_zeroed(sizeof *client);
    *out_client = client;
    if (client == NULL)
        return arb_fail_memory(error, "a job's handle", sizeof *client);
    client->clients = clients;
    if (watch != NULL)
        client->watch = *watch;
    pthread_mutex_init(&client->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return ARB_OK;
}

static void free_client(arb_job_client *client)
{
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    arb_free(client);
}

/* Among all handles, and those of its job; there is room. */
static void list(arb_job_client *client)
{
    arb_job_clients *clients = client->clients;
    arb_id job = client->progress.job;
    client->next = clients->first;
    if (client->next != NULL)
        client->next->previous = client;
    clients->first = client;
    client->same = first_of(clients, job);
    arb_id_map_remove(&clients->jobs, job.term, job.number);
    arb_id_map_put(&clients->jobs, job.term, job.number, client);
}

static void unlist(arb_job_client *client)
{
    arb_job_clients *clients = client->clients;
    arb_id job = client->progress.job;
    *(client->previous != NULL ? &client->previous->next : &clients->first) = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    arb_job_client *first = first_of(clients, job), *before = first;
    if (first == client) {
        arb_id_map_remove(&clients->jobs, job.term, job.number);
        if (client->same != NULL)
            arb_id_map_put(&clients->jobs, job.term, job.number, client->same);
    } else {
        while (before->same != client)
            before = before->same;
        before->same = client->same;
    }
}

static void forget_untold(arb_job_client *client)
{
    arb_job_client **at = &client->clients->untold;
    if (!client->untold)
        return;
    while (*at != client)
        at = &(*at)->next_untold;
    *at = client->next_untold;
}

typedef struct request {
    arb_job_clients *clients;
    arb_job_client *client;
    const arb_job_spec *spec;
    arb_event event;
    arb_plan_set *plans;
    arb_arena *arena;
    const arb_result_view **out_results;
    size_t *out_count;
    bool leaves;
    arb_code code;
    arb_error *error;
} request;

static arb_code check_running(const arb_job_clients *clients, arb_error *error)
{
    return clients->stopped == NULL ? ARB_OK : arb_fail(error, ARB_CONNECTION_FAILED, "%s", clients->stopped);
}

/* ---- submitting --------------------------------------------------------------------------------------------------------- */

static arb_code check_plans(const arb_job_spec *spec, const arb_plan_set *plans, arb_error *error)
{
    for (uint32_t stage = 0; stage < spec->stage_count; stage++)
        if (!arb_plan_set_has(plans, spec->stages[stage].plan))
            return arb_fail(error, ARB_INVALID_PARAMETER, "the plan that stage %u names did not come with the job",
                            stage);
    return ARB_OK;
}

/* It may have ended already. */
static void admit(arb_job_client *client)
{
    arb_job_clients *clients = client->clients;
    list(client);
    if (clients->stopped != NULL)
        lose(client, clients->stopped);
    if (!clients->renewing)
        set_renewal(clients);
    pthread_mutex_lock(&client->lock);
    note(client);
    pthread_mutex_unlock(&client->lock);
    arb_job_clients_settle(clients);
}

static void run_submit(void *context)
{
    request *r = context;
    arb_job_clients *clients = r->clients;
    arb_job_client *client = r->client;
    arb_id job = {0};
    r->code = check_running(clients, r->error);
    if (r->code == ARB_OK && !arb_id_map_reserve(&clients->jobs, clients->jobs.count + 1))
        r->code = arb_fail_memory(r->error, "a job's handle", 0);
    if (r->code != ARB_OK)
        return;
    arb_event event = {
        .kind = ARB_EVENT_JOB_SUBMITTED, .spec = r->spec, .client = ++clients->submissions, .out_job = &job};
    clients->submitting = client;
    r->code = arb_scheduler_loop_apply(clients->loop, &event, r->error);
    clients->submitting = NULL;
    if (r->code != ARB_OK)
        return;
    if (!client->progress.ended) {
        arb_plan_store_bind(clients->plans, r->plans, job);
        r->plans = NULL;
    }
    client->progress.job = job;
    admit(client);
}

arb_code arb_job_submit(arb_job_clients *clients, const arb_job_spec *spec, const arb_str *plans, size_t plan_count,
                        const arb_job_watch *watch, arb_job_client **out_client, arb_error *error)
{
    request r = {.clients = clients, .spec = spec, .error = error};
    *out_client = NULL;
    ARB_TRY(arb_job_spec_check(spec, error));
    ARB_TRY(arb_plan_store_take(clients->plans, plans, plan_count, arb_job_spec_recorded(spec), &r.plans, error));
    r.code = check_plans(spec, r.plans, error);
    if (r.code == ARB_OK)
        r.code = make(clients, watch, &r.client, error);
    if (r.code == ARB_OK)
        arb_scheduler_loop_call(clients->loop, run_submit, &r);
    arb_plan_store_drop(clients->plans, r.plans);
    if (r.code == ARB_OK)
        *out_client = r.client;
    else if (r.client != NULL)
        free_client(r.client);
    return r.code;
}

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

static arb_code find_job(arb_job_client *client, arb_id job, arb_error *error)
{
    arb_job_clients *clients = client->clients;
    arb_job_progress *progress = &client->progress;
    arb_job_view view;
    arb_arena arena = {0};
    arb_code code = check_running(clients, error);
    if (code == ARB_OK)
        code = arb_scheduler_job(arb_scheduler_loop_machine(clients->loop), job, &arena, &view, error);
    if (code == ARB_OK && !arb_id_map_reserve(&clients->jobs, clients->jobs.count + 1))
        code = arb_fail_memory(error, "a job's handle", 0);
    if (code == ARB_OK) {
        *progress = (arb_job_progress){.job = job, .accepted = true};
        progress->finished = view.state == ARB_JOB_FINISHED;
        progress->ended = view.state > ARB_JOB_FINISHED;
        progress->state = view.state;
        if (view.code != ARB_OK)
            arb_fail(&progress->error, view.code, "%.*s", ARB_STR_ARGS(view.message));
    }
    arb_arena_reset(&arena);
    return code;
}

static void run_find(void *context)
{
    request *r = context;
    r->code = find_job(r->client, r->event.job, r->error);
    if (r->code != ARB_OK)
        return;
    admit(r->client);
    r->event.kind = ARB_EVENT_CLIENT_ALIVE;
    arb_code renewed = arb_scheduler_loop_apply(r->clients->loop, &r->event, NULL);
    (void)renewed; /* else its lease goes on as it was */
}

arb_code arb_job_find(arb_job_clients *clients, arb_id job, const arb_job_watch *watch, arb_job_client **out_client,
                      arb_error *error)
{
    request r = {.clients = clients, .event.job = job, .error = error};
    *out_client = NULL;
    ARB_TRY(make(clients, watch, &r.client, error));
    arb_scheduler_loop_call(clients->loop, run_find, &r);
    if (r.code == ARB_OK)
        *out_client = r.client;
    else
        free_client(r.client);
    return r.code;
}

/* ---- closing ------------------------------------------------------------------------------------------------------------ */

static void free_gone(arb_lasting_event *event)
{
    free_client(ARB_CONTAINER_OF(event, arb_job_client, gone));
}

static void run_close(void *context)
{
    request *r = context;
    arb_job_client *client = r->client;
    const arb_job_progress *progress = &client->progress;
    arb_job_clients *clients = client->clients;
    forget_untold(client);
    unlist(client);
    client->gone =
        (arb_lasting_event){.event = {.kind = ARB_EVENT_CLIENT_GONE, .job = progress->job}, .applied = free_gone};
    if (r->leaves || progress->ended || progress->lost || first_of(clients, progress->job) != NULL)
        free_client(client);
    else
        arb_scheduler_loop_insist(clients->loop, &client->gone);
}

static void end_handle(arb_job_client *client, bool leaves)
{
    if (client == NULL)
        return;
    request r = {.client = client, .leaves = leaves};
    arb_scheduler_loop_call(client->clients->loop, run_close, &r);
}

void arb_job_close(arb_job_client *client)
{
    end_handle(client, false);
}

void arb_job_leave(arb_job_client *client)
{
    end_handle(client, true);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------ */

static bool has_come(const arb_job_progress *progress, arb_job_moment moment)
{
    if (progress->ended)
        return true;
    switch (moment) {
    case ARB_JOB_ACCEPTED:
        return progress->accepted;
    case ARB_JOB_READABLE:
        return progress->streams || progress->finished;
    case ARB_JOB_COMPLETE:
        return progress->finished;
    case ARB_JOB_OVER:
        break;
    }
    return false;
}

/* With the lock held; false when it is `until` first. */
static bool wait_until(arb_job_client *client, arb_job_moment moment, int64_t until)
{
    const struct timespec at = {until / 1000000000, until % 1000000000};
    int failure = 0;
    while (failure == 0 && !client->progress.lost && !has_come(&client->progress, moment))
        failure = pthread_cond_timedwait(&client->changed, &client->lock, &at);
    return client->progress.lost || has_come(&client->progress, moment);
}

static void run_wish(void *context)
{
    request *r = context;
    r->event.job = r->client->progress.job;
    r->code = check_running(r->clients, r->error);
    if (r->code == ARB_OK)
        r->code = arb_scheduler_loop_apply(r->clients->loop, &r->event, r->error);
}

arb_code arb_job_wait(arb_job_client *client, arb_job_moment moment, int64_t deadline_ns,
                      arb_job_progress *out_progress, arb_error *error)
{
    assert(!arb_scheduler_loop_is_here(client->clients->loop));
    pthread_mutex_lock(&client->lock);
    bool over = wait_until(client, moment, deadline_ns);
    pthread_mutex_unlock(&client->lock);
    arb_job_look(client, out_progress);
    if (!over)
        return arb_fail(error, ARB_DEADLINE_EXCEEDED, "the job has not come so far in time");
    if (out_progress->lost && !has_come(out_progress, moment)) {
        if (error != NULL)
            *error = out_progress->error;
        return ARB_CONNECTION_FAILED;
    }
    return ARB_OK;
}

void arb_job_look(arb_job_client *client, arb_job_progress *out_progress)
{
    pthread_mutex_lock(&client->lock);
    *out_progress = client->progress;
    pthread_mutex_unlock(&client->lock);
}

/* ---- wishes ------------------------------------------------------------------------------------------------------------- */

static arb_code wish(arb_job_client *client, arb_event event, arb_error *error)
{
    request r = {.clients = client->clients, .client = client, .event = event, .error = error};
    arb_scheduler_loop_call(client->clients->loop, run_wish, &r);
    return r.code;
}

arb_code arb_job_cancel(arb_job_client *client, arb_error *error)
{
    return wish(client, (arb_event){.kind = ARB_EVENT_JOB_CANCEL}, error);
}

arb_code arb_job_rows_left(arb_job_client *client, uint32_t task, arb_id attempt, arb_error *error)
{
    return wish(client, (arb_event){.kind = ARB_EVENT_ROWS_LEFT, .task = task, .attempt = attempt}, error);
}

arb_code arb_job_delivered(arb_job_client *client, uint32_t task, arb_id attempt, arb_error *error)
{
    return wish(client, (arb_event){.kind = ARB_EVENT_DELIVERED, .task = task, .attempt = attempt}, error);
}

arb_code arb_job_result_lost(arb_job_client *client, uint32_t task, arb_id attempt, arb_read_failure read,
                             arb_error *error)
{
    return wish(client, (arb_event){.kind = ARB_EVENT_RESULT_LOST, .task = task, .attempt = attempt, .read = read},
                error);
}

static void run_results(void *context)
{
    request *r = context;
    const arb_scheduler *machine = arb_scheduler_loop_machine(r->clients->loop);
    const arb_id id = r->client->progress.job;
    arb_job_view job;
    r->code = check_running(r->clients, r->error);
    if (r->code == ARB_OK)
        r->code = arb_scheduler_job(machine, id, r->arena, &job, r->error);
    if (r->code == ARB_OK && job.state != ARB_JOB_FINISHED)
        r->code = job.state == ARB_JOB_RUNNING
                      ? arb_fail(r->error, ARB_NOT_READY, "the result of the job is not complete")
                      : arb_fail(r->error, ARB_UNDEFINED_OBJECT, "the job has ended, and its result is gone");
    if (r->code == ARB_OK)
        r->code = arb_scheduler_results(machine, id, r->arena, r->out_results, r->out_count, r->error);
}

arb_code arb_job_results(arb_job_client *client, arb_arena *arena, const arb_result_view **out_results,
                         size_t *out_count, arb_error *error)
{
    request r = {.clients = client->clients,
                 .client = client,
                 .arena = arena,
                 .out_results = out_results,
                 .out_count = out_count,
                 .error = error};
    arb_scheduler_loop_call(client->clients->loop, run_results, &r);
    return r.code;
}
