/* Requests that end, wait, are abandoned at every moment; tasks that wait for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "runtime/io_pool.h"

enum { patience_ms = 10000 };

#define WAIT_UNTIL(condition)                                    \
    do {                                                         \
        for (int i_ = 0; i_ < patience_ms && !(condition); i_++) \
            usleep(1000);                                        \
        assert_true(condition);                                  \
    } while (0)

/* A request that lasts until the gate is opened. */
typedef struct gated {
    arb_io_request base;
    _Atomic bool *gate; /* NULL: open */
    _Atomic int *ran, *dropped;
    bool on_heap;
} gated;

static void gated_run(arb_io_request *base)
{
    gated *g = (gated *)base;
    while (g->gate != NULL && !atomic_load(g->gate))
        usleep(200);
    atomic_fetch_add(g->ran, 1);
}

static void gated_drop(arb_io_request *base)
{
    gated *g = (gated *)base;
    atomic_fetch_add(g->dropped, 1);
    if (g->on_heap)
        arb_free(g);
}

typedef struct world {
    arb_cpu_pool *cpu;
    arb_io_pool *io;
    arb_task_group tasks;
    arb_io_group group;
    _Atomic bool gate, closing;
    _Atomic int ran, dropped, tasks_done, lots_done;
} world;

static void world_init(world *w, unsigned io_threads)
{
    *w = (world){0};
    assert_int_equal(arb_cpu_pool_create(3, &w->cpu, NULL), ARB_OK);
    assert_int_equal(arb_io_pool_create(io_threads, &w->io, NULL), ARB_OK);
    arb_task_group_init(&w->tasks, w->cpu);
    arb_io_group_init(&w->group, w->io);
}

static void world_reset(world *w)
{
    arb_cpu_pool_destroy(w->cpu);
    arb_io_pool_destroy(w->io);
}

static gated make(world *w, bool is_gated)
{
    return (gated){.base = {.run = gated_run, .drop = gated_drop},
                   .gate = is_gated ? &w->gate : NULL,
                   .ran = &w->ran,
                   .dropped = &w->dropped};
}

/* A task that submits requests one after the other, or several at once, and waits for each lot. */
typedef struct reading_task {
    arb_task task;
    world *w;
    arb_io_waiter waiter;
    int lots, lot_size;
    gated requests[4];
    int submitted; /* of the lot */
    _Atomic int runs;
    bool is_own; /* frees itself when it is done */
} reading_task;

static arb_task_result run_reading(arb_task *task, int64_t deadline_ns)
{
    reading_task *t = (reading_task *)task;
    (void)deadline_ns;
    atomic_fetch_add(&t->runs, 1);
    for (;;) {
        uint64_t seen = arb_io_waiter_ended(&t->waiter);
        int over = 0;
        for (; t->submitted < t->lot_size; t->submitted++) {
            bool is_gated = t->requests[t->submitted].gate != NULL;
            t->requests[t->submitted] = make(t->w, is_gated);
            assert_int_equal(arb_io_submit(&t->requests[t->submitted].base, &t->waiter, NULL), ARB_OK);
        }
        for (int i = 0; i < t->lot_size; i++)
            over += arb_io_is_over(&t->requests[i].base);
        if (over == t->lot_size) {
            t->submitted = 0;
            atomic_fetch_add(&t->w->lots_done, 1);
            if (--t->lots == 0)
                break;
            continue;
        }
        if (arb_io_wait(&t->waiter, seen))
            return ARB_TASK_BLOCKED;
        if (atomic_load(&t->w->closing))
            break;
    }
    world *w = t->w;
    arb_io_waiter_reset(&t->waiter);
    if (t->is_own)
        arb_free(t);
    atomic_fetch_add(&w->tasks_done, 1);
    return ARB_TASK_DONE;
}

static void start(reading_task *t, world *w, int lots, int lot_size, bool is_gated)
{
    *t = (reading_task){.task = {.run = run_reading, .group = &w->tasks}, .w = w, .lots = lots, .lot_size = lot_size};
    for (int i = 0; i < lot_size && is_gated; i++)
        t->requests[i].gate = &w->gate;
    arb_io_waiter_init(&t->waiter, &w->group, &t->task);
}

/* A task is gone as soon as its last request is over, while the thread that served it may still be about to wake it. */
static void tasks_wait_for_their_requests(void **state)
{
    (void)state;
    enum { tasks = 24, lots = 60 };
    world w;
    world_init(&w, 4);
    int expected = 0;
    for (int i = 0; i < tasks; i++) {
        reading_task *t = arb_alloc(sizeof *t);
        start(t, &w, lots, i % 4 + 1, false);
        t->is_own = true;
        assert_int_equal(arb_task_submit(&t->task, NULL), ARB_OK);
        expected += lots * (i % 4 + 1);
    }
    WAIT_UNTIL(atomic_load(&w.tasks_done) == tasks);
    assert_int_equal(atomic_load(&w.lots_done), tasks * lots);
    assert_int_equal(atomic_load(&w.ran), expected);
    assert_null(w.group.waiters);
    world_reset(&w);
}

static void a_waiting_task_is_woken_once_and_only_when_it_waits(void **state)
{
    (void)state;
    world w;
    world_init(&w, 2);
    reading_task t;
    start(&t, &w, 1, 2, true);
    assert_int_equal(arb_task_submit(&t.task, NULL), ARB_OK);
    WAIT_UNTIL(atomic_load(&t.runs) == 1);
    usleep(20000);
    assert_int_equal(atomic_load(&t.runs), 1);
    atomic_store(&w.gate, true);
    WAIT_UNTIL(atomic_load(&w.tasks_done) == 1);
    assert_true(atomic_load(&t.runs) <= 3); /* at most once for each of the two */
    world_reset(&w);
}

static void what_ended_meanwhile_is_not_waited_for(void **state)
{
    (void)state;
    world w;
    world_init(&w, 1);
    arb_io_waiter waiter;
    arb_task task = {.group = &w.tasks};
    gated g = make(&w, false);
    arb_io_waiter_init(&waiter, &w.group, &task);
    uint64_t seen = arb_io_waiter_ended(&waiter);
    assert_int_equal(arb_io_submit(&g.base, &waiter, NULL), ARB_OK);
    WAIT_UNTIL(arb_io_is_over(&g.base));
    assert_false(arb_io_wait(&waiter, seen));
    assert_int_equal(arb_io_waiter_ended(&waiter), seen + 1);
    arb_io_waiter_reset(&waiter);
    arb_io_waiter_reset(&waiter);
    world_reset(&w);
}

static void closing_a_group_wakes_all_and_lets_nobody_wait(void **state)
{
    (void)state;
    enum { tasks = 5 };
    world w;
    world_init(&w, 2);
    reading_task list[tasks];
    for (int i = 0; i < tasks; i++) {
        start(&list[i], &w, 1, 1, true);
        assert_int_equal(arb_task_submit(&list[i].task, NULL), ARB_OK);
    }
    for (int i = 0; i < tasks; i++)
        WAIT_UNTIL(atomic_load(&list[i].runs) == 1);
    usleep(10000);
    atomic_store(&w.closing, true);
    arb_io_group_close(&w.group);
    arb_io_group_close(&w.group);
    WAIT_UNTIL(atomic_load(&w.tasks_done) == tasks);
    for (int i = 0; i < tasks; i++) /* two of them run, the others are queued */
        arb_io_abandon(&list[i].requests[0].base);
    assert_int_equal(atomic_load(&w.dropped), tasks - 2);
    atomic_store(&w.gate, true);
    world_reset(&w);
    assert_int_equal(atomic_load(&w.dropped), tasks);
    assert_int_equal(atomic_load(&w.ran), 2);
}

/* New, queued, running and over: each is dropped once, and a running one not before it is through. */
static void requests_are_abandoned_in_every_state(void **state)
{
    (void)state;
    world w;
    world_init(&w, 1);
    arb_io_waiter waiter;
    arb_task task = {.group = &w.tasks};
    arb_io_waiter_init(&waiter, &w.group, &task);
    gated never = make(&w, false), over = make(&w, false), first = make(&w, true), second = make(&w, true),
          third = make(&w, false);
    gated *running = arb_alloc(sizeof *running);
    *running = first;
    running->on_heap = true;
    arb_io_abandon(&never.base);
    assert_int_equal(atomic_load(&w.dropped), 1);
    assert_int_equal(arb_io_submit(&over.base, &waiter, NULL), ARB_OK);
    WAIT_UNTIL(arb_io_is_over(&over.base));
    assert_int_equal(arb_io_submit(&running->base, &waiter, NULL), ARB_OK);
    assert_int_equal(arb_io_submit(&second.base, &waiter, NULL), ARB_OK);
    assert_int_equal(arb_io_submit(&third.base, &waiter, NULL), ARB_OK);
    usleep(5000);
    assert_false(arb_io_is_over(&running->base));
    arb_io_abandon(&over.base);
    arb_io_abandon(&second.base);
    assert_int_equal(atomic_load(&w.dropped), 3);
    arb_io_abandon(&running->base);
    assert_int_equal(atomic_load(&w.dropped), 3);
    atomic_store(&w.gate, true);
    WAIT_UNTIL(arb_io_is_over(&third.base)); /* behind the one that was dropped */
    assert_int_equal(atomic_load(&w.dropped), 4);
    assert_int_equal(atomic_load(&w.ran), 3);
    arb_io_waiter_reset(&waiter);
    world_reset(&w);
}

static void a_request_can_be_carried_out_here(void **state)
{
    (void)state;
    world w = {0};
    gated g = make(&w, false);
    assert_false(arb_io_is_over(&g.base));
    arb_io_run(&g.base);
    assert_true(arb_io_is_over(&g.base));
    assert_int_equal(atomic_load(&w.ran), 1);
    arb_io_abandon(&g.base);
    assert_int_equal(atomic_load(&w.dropped), 1);
}

static void pools_come_and_go(void **state)
{
    (void)state;
    arb_io_pool *pool;
    arb_io_pool_destroy(NULL);
    assert_int_equal(arb_io_pool_create(4, &pool, NULL), ARB_OK);
    arb_io_pool_destroy(pool);
#ifdef ARB_FAILPOINTS
    for (uint64_t n = 1; n <= 2; n++) {
        arb_error error = {0};
        arb_alloc_fail_at(n, false);
        assert_int_equal(arb_io_pool_create(4, &pool, &error), ARB_OUT_OF_MEMORY);
        assert_null(pool);
    }
    arb_alloc_fail_at(0, false);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_wait_for_their_requests),
        cmocka_unit_test(a_waiting_task_is_woken_once_and_only_when_it_waits),
        cmocka_unit_test(what_ended_meanwhile_is_not_waited_for),
        cmocka_unit_test(closing_a_group_wakes_all_and_lets_nobody_wait),
        cmocka_unit_test(requests_are_abandoned_in_every_state),
        cmocka_unit_test(a_request_can_be_carried_out_here),
        cmocka_unit_test(pools_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
