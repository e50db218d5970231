#include "scheduler_process/scheduler_loop.h"

#include "base/alloc.h"
#include "base/clock.h"

enum { PATIENCE_NS = 10000000 }; /* until an event that found no memory is given again */

struct arb_scheduler_loop {
    arb_scheduler *machine;
    arb_store *store;
    const arb_scheduler_outlet *outlet;
    void *context;
    uint64_t term;
    int64_t lease;
    arb_rpc_loop thread;
    pthread_t self;
    bool started;
    arb_rpc_timer wake, again;
    arb_lasting_event *waiting, **waiting_end;
    bool settling, unsettled;
    /* the one write under way */
    arb_store_txn txn;
    arb_rpc_event written;
    arb_lasting_event outcome;
    bool writing, ending;
    pthread_mutex_t lock; /* for those who wait for the thread */
    pthread_cond_t over;
    bool write_over;
};

/* ---- actions ----------------------------------------------------------------------------------------------------------- */

static void act_send(void *context, const arb_to_executor *message)
{
    arb_scheduler_loop *loop = context;
    loop->outlet->send(loop->context, message);
}

static void act_close_stream(void *context, arb_uuid executor, uint64_t session)
{
    arb_scheduler_loop *loop = context;
    loop->outlet->close_stream(loop->context, executor, session);
}

static void act_answer(void *context, const arb_answer *answer)
{
    arb_scheduler_loop *loop = context;
    loop->outlet->answer(loop->context, answer);
}

static void act_stop(void *context)
{
    arb_scheduler_loop *loop = context;
    loop->outlet->stop(loop->context);
}

static void write_is_over(arb_scheduler_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->write_over = true;
    pthread_cond_signal(&loop->over);
    pthread_mutex_unlock(&loop->lock);
}

static void on_written(arb_rpc_event *event)
{
    arb_scheduler_loop *loop = ARB_CONTAINER_OF(event, arb_scheduler_loop, written);
    loop->writing = false;
    if (loop->ending) {
        write_is_over(loop);
        return;
    }
    loop->outcome = (arb_lasting_event){
        .event = {.kind = ARB_EVENT_WRITTEN, .outcome = loop->txn.outcome, .error = &loop->txn.error}};
    arb_scheduler_loop_insist(loop, &loop->outcome);
}

/* On the store's thread, or within submit. */
static void store_done(arb_store_txn *txn)
{
    arb_scheduler_loop *loop = txn->context;
    arb_rpc_loop_post(&loop->thread, &loop->written);
}

static void act_write(void *context, const arb_store_operation *operations, size_t count)
{
    arb_scheduler_loop *loop = context;
    assert(!loop->writing);
    loop->writing = true;
    loop->written.run = on_written;
    loop->txn = (arb_store_txn){
        .term = loop->term, .operations = operations, .operation_count = count, .done = store_done, .context = loop};
    arb_store_submit(loop->store, &loop->txn);
}

static const arb_scheduler_actions actions = {act_send, act_close_stream, act_answer, act_write, act_stop};

/* ---- events ------------------------------------------------------------------------------------------------------------ */

/* What may give events itself goes round until nothing is left, without going deeper. */
static void settle(arb_scheduler_loop *loop)
{
    loop->unsettled = true;
    if (loop->settling)
        return;
    loop->settling = true;
    while (loop->unsettled) {
        loop->unsettled = false;
        loop->outlet->settle(loop->context);
    }
    loop->settling = false;
}

static void set_wake(arb_scheduler_loop *loop, int64_t at)
{
    if (loop->ending || (loop->wake.is_set && loop->wake.at_ns == at))
        return;
    (void)arb_rpc_loop_unset(&loop->thread, &loop->wake);
    if (at != INT64_MAX)
        arb_rpc_loop_set(&loop->thread, &loop->wake, at);
}

arb_code arb_scheduler_loop_apply(arb_scheduler_loop *loop, arb_event *event, arb_error *error)
{
    event->now = arb_clock_monotonic_ns();
    event->wall_us = arb_clock_wall_us();
    arb_code code = arb_scheduler_apply(loop->machine, event, error);
    settle(loop);
    set_wake(loop, arb_scheduler_wake(loop->machine));
    return code;
}

static void wait_for_memory(arb_scheduler_loop *loop)
{
    if (!loop->again.is_set)
        arb_rpc_loop_set(&loop->thread, &loop->again, arb_clock_monotonic_ns() + PATIENCE_NS);
}

void arb_scheduler_loop_insist(arb_scheduler_loop *loop, arb_lasting_event *event)
{
    event->waits = loop->waiting != NULL || arb_scheduler_loop_apply(loop, &event->event, NULL) == ARB_OUT_OF_MEMORY;
    if (event->waits) {
        event->next = NULL;
        *loop->waiting_end = event;
        loop->waiting_end = &event->next;
        wait_for_memory(loop);
    } else if (event->applied != NULL) {
        event->applied(event);
    }
}

static void try_again(arb_rpc_timer *timer)
{
    arb_scheduler_loop *loop = ARB_CONTAINER_OF(timer, arb_scheduler_loop, again);
    while (loop->waiting != NULL) {
        arb_lasting_event *event = loop->waiting;
        if (arb_scheduler_loop_apply(loop, &event->event, NULL) == ARB_OUT_OF_MEMORY) {
            wait_for_memory(loop);
            return;
        }
        loop->waiting = event->next;
        if (loop->waiting == NULL)
            loop->waiting_end = &loop->waiting;
        event->waits = false;
        if (event->applied != NULL)
            event->applied(event);
    }
}

static void on_wake(arb_rpc_timer *timer)
{
    arb_scheduler_loop *loop = ARB_CONTAINER_OF(timer, arb_scheduler_loop, wake);
    if (arb_scheduler_loop_apply(loop, &(arb_event){.kind = ARB_EVENT_TICK}, NULL) == ARB_OUT_OF_MEMORY)
        set_wake(loop, arb_clock_monotonic_ns() + PATIENCE_NS);
}

/* ---- other threads ------------------------------------------------------------------------------------------------------- */

typedef struct errand {
    arb_rpc_event event;
    arb_scheduler_loop *loop;
    void (*run)(void *context);
    void *context;
    pthread_cond_t done;
    bool over;
} errand;

static void run_errand(arb_rpc_event *event)
{
    errand *on = ARB_CONTAINER_OF(event, errand, event);
    arb_scheduler_loop *loop = on->loop;
    on->run(on->context);
    pthread_mutex_lock(&loop->lock);
    on->over = true;
    pthread_cond_signal(&on->done);
    pthread_mutex_unlock(&loop->lock);
}

void arb_scheduler_loop_post(arb_scheduler_loop *loop, arb_rpc_event *event)
{
    arb_rpc_loop_post(&loop->thread, event);
}

static void send_errand(arb_scheduler_loop *loop, void (*run)(void *context), void *context)
{
    errand on = {
        .event.run = run_errand, .loop = loop, .run = run, .context = context, .done = PTHREAD_COND_INITIALIZER};
    arb_rpc_loop_post(&loop->thread, &on.event);
    pthread_mutex_lock(&loop->lock);
    while (!on.over)
        pthread_cond_wait(&on.done, &loop->lock);
    pthread_mutex_unlock(&loop->lock);
    pthread_cond_destroy(&on.done);
}

bool arb_scheduler_loop_is_here(const arb_scheduler_loop *loop)
{
    return !loop->started || pthread_equal(pthread_self(), loop->self);
}

void arb_scheduler_loop_call(arb_scheduler_loop *loop, void (*run)(void *context), void *context)
{
    if (arb_scheduler_loop_is_here(loop))
        run(context);
    else
        send_errand(loop, run, context);
}

const arb_scheduler *arb_scheduler_loop_machine(const arb_scheduler_loop *loop)
{
    return loop->machine;
}

arb_rpc_loop *arb_scheduler_loop_timers(arb_scheduler_loop *loop)
{
    return &loop->thread;
}

arb_uuid arb_scheduler_loop_cluster(const arb_scheduler_loop *loop)
{
    return loop->store->cluster;
}

uint64_t arb_scheduler_loop_term(const arb_scheduler_loop *loop)
{
    return loop->term;
}

int64_t arb_scheduler_loop_lease(const arb_scheduler_loop *loop)
{
    return loop->lease;
}

/* ---- beginning and end --------------------------------------------------------------------------------------------------- */

static arb_code recover_one(void *context, arb_str key, arb_str value, arb_error *error)
{
    return arb_scheduler_recover_record(context, key, value, error);
}

static arb_code prepare(arb_scheduler_loop *loop, const arb_scheduler_loop_options *options, arb_error *error)
{
    ARB_TRY(arb_store_raise_term(loop->store, &loop->term, error));
    arb_scheduler_options machine = {.cluster = loop->store->cluster,
                                     .term = loop->term,
                                     .times = options->times,
                                     .actions = &actions,
                                     .context = loop,
                                     .history_most = options->history_most};
    ARB_TRY(arb_scheduler_create(&machine, &loop->machine, error));
    ARB_TRY(arb_store_range(loop->store, ARB_STR(ARB_SCHEDULER_KEYS), recover_one, loop->machine, error));
    arb_scheduler_recover_end(loop->machine, arb_clock_monotonic_ns());
    return ARB_OK;
}

arb_code arb_scheduler_loop_create(const arb_scheduler_loop_options *options, arb_scheduler_loop **out_loop,
                                   arb_error *error)
{
    *out_loop = NULL;
    arb_scheduler_loop *loop = arb_alloc_zeroed(sizeof *loop);
    if (loop == NULL)
        return arb_fail_memory(error, "the scheduler", sizeof *loop);
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->over, NULL);
    loop->store = options->store;
    loop->outlet = options->outlet;
    loop->context = options->context;
    loop->lease = options->times.lease > 0 ? options->times.lease : arb_scheduler_times_default(1).lease;
    loop->waiting_end = &loop->waiting;
    loop->wake.run = on_wake;
    loop->again.run = try_again;
    arb_code code = prepare(loop, options, error);
    if (code != ARB_OK) {
        arb_scheduler_loop_destroy(loop);
        return code;
    }
    *out_loop = loop;
    return ARB_OK;
}

/* The first thing that it does. */
static void begin(void *context)
{
    arb_scheduler_loop *loop = context;
    loop->self = pthread_self();
    loop->started = true;
    on_wake(&loop->wake);
}

arb_code arb_scheduler_loop_start(arb_scheduler_loop *loop, arb_error *error)
{
    ARB_TRY(arb_rpc_loop_start(&loop->thread, "scheduler", error));
    send_errand(loop, begin, loop);
    return ARB_OK;
}

static void end(void *context)
{
    arb_scheduler_loop *loop = context;
    (void)arb_rpc_loop_unset(&loop->thread, &loop->wake);
    (void)arb_rpc_loop_unset(&loop->thread, &loop->again);
    loop->ending = true;
    for (arb_lasting_event *event = loop->waiting, *next; event != NULL; event = next) {
        next = event->next;
        if (event->applied != NULL) /* whoever it belongs to can let go of it */
            event->applied(event);
    }
    if (!loop->writing)
        write_is_over(loop);
}

void arb_scheduler_loop_destroy(arb_scheduler_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->started) {
        send_errand(loop, end, loop);
        pthread_mutex_lock(&loop->lock);
        while (!loop->write_over)
            pthread_cond_wait(&loop->over, &loop->lock);
        pthread_mutex_unlock(&loop->lock);
        arb_rpc_loop_stop(&loop->thread);
    }
    arb_scheduler_destroy(loop->machine);
    pthread_cond_destroy(&loop->over);
    pthread_mutex_destroy(&loop->lock);
    arb_free(loop);
}
