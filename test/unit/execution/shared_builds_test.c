/* Tasks of a stage that probe one build side: it is built once, and whoever builds it may fail, be stopped or be slow. */
#include "unit/execution/operator_harness.h"

#include <semaphore.h>

#include "execution/execute.h"

enum { PROBE_ROWS = 10000, BUILD_ROWS = 5000, STEP = 100, TASKS = 3 };

/* One task. Its probe side gives 0, 1, 2 …; its build side 0, 2, 4 …, when it may. */
typedef struct test_task {
    arb_task_work work;
    bool fails;             /* its build side does */
    bool alone;             /* it does not share */
    _Atomic bool held;      /* its build side gives nothing yet */
    _Atomic unsigned reads; /* of the build side */
    _Atomic bool common[2]; /* something was held in no task's part when the probe side, the build side was read */
    _Atomic(arb_task *) waits;
    sem_t waiting;
    arb_execution *execution;
} test_task;

typedef struct number_source {
    arb_operator base;
    test_task *task;
    bool build;
} number_source;

typedef struct number_local {
    arb_driver *driver;
    int64_t values[STEP + ARB_VECTOR_PADDING];
    arb_vector column;
    arb_batch batch;
    int64_t next;
} number_local;

static arb_code local_create(arb_operator *op, arb_driver *driver, void **out_local, arb_error *error)
{
    number_source *source = (number_source *)op;
    number_local *local = arb_alloc_zeroed(sizeof *local);
    *out_local = local;
    if (local == NULL)
        return arb_fail_memory(error, "numbers", sizeof *local);
    local->driver = driver;
    if (source->build)
        atomic_fetch_add(&source->task->reads, 1);
    return ARB_OK;
}

static void local_destroy(arb_operator *op, void *local)
{
    (void)op;
    arb_free(local);
}

static arb_code pull(arb_operator *op, void *state, const arb_batch **out, arb_flow *out_flow, arb_error *error)
{
    number_source *source = (number_source *)op;
    number_local *local = state;
    *out = NULL;
    *out_flow = ARB_FLOW_HAVE_OUTPUT;
    const arb_governor *task = op->context->memory->governor;
    if (atomic_load(&task->whole->used) > atomic_load(&task->used))
        atomic_store(&source->task->common[source->build], true);
    if (source->build && source->task->fails)
        return arb_fail(error, ARB_CONNECTION_FAILED, "the rows cannot be reached");
    if (source->build && atomic_load(&source->task->held)) {
        atomic_store(&source->task->waits, local->driver->task);
        *out_flow = ARB_FLOW_BLOCKED;
        sem_post(&source->task->waiting);
        return ARB_OK;
    }
    if (local->next == (source->build ? BUILD_ROWS : PROBE_ROWS)) {
        *out_flow = ARB_FLOW_DONE;
        return ARB_OK;
    }
    for (int64_t i = 0; i < STEP; i++)
        local->values[i] = (local->next + i) * (source->build ? 2 : 1);
    local->column = (arb_vector){.physical = ARB_PHYS_INT64, .values = {.i64 = local->values}};
    local->batch = (arb_batch){.rows = STEP, .selected = STEP, .column_count = 1, .columns = &local->column};
    local->next += STEP;
    *out = &local->batch;
    return ARB_OK;
}

static uint32_t parallelism(arb_operator *op)
{
    (void)op;
    return 1;
}

static void wake(arb_operator *op)
{
    arb_task *task = atomic_exchange(&((number_source *)op)->task->waits, NULL);
    if (task != NULL)
        arb_task_wake(task);
}

static void destroy(arb_operator *op)
{
    arb_free(op);
}

static arb_code source_create(const arb_task_work *work, const arb_physical_node *node, bool later,
                              arb_query_context *context, arb_operator **out_op, arb_error *error)
{
    static const arb_operator_vtable vtable = {.name = "numbers",
                                               .destroy = destroy,
                                               .source_create = local_create,
                                               .pull = pull,
                                               .source_destroy = local_destroy,
                                               .source_parallelism = parallelism,
                                               .abort = wake};
    number_source *source = arb_alloc_zeroed(sizeof *source);
    *out_op = NULL;
    if (source == NULL)
        return arb_fail_memory(error, "numbers", sizeof *source);
    source->base = (arb_operator){.vtable = &vtable, .node = node, .context = context};
    source->task = (test_task *)(uintptr_t)work;
    source->build = node->exchange.read == ARB_READ_ALL;
    assert_int_equal(later, source->build && work->builds != NULL && !source->task->alone);
    *out_op = &source->base;
    return ARB_OK;
}

/* ---- the stage ------------------------------------------------------------------------------------------------------------- */

typedef struct test_stage {
    arb_slot slot;
    arb_physical_node probe, build, join;
    const arb_physical_node *children[2];
    arb_physical_plan plan;
    arb_governor governor, task_governor; /* of all the tasks; of each, a part of that */
    arb_cpu_pool *pool;
    arb_shared_builds *builds;
    test_task tasks[TASKS];
    bool spills;
} test_stage;

static arb_code new_builds(test_stage *s, arb_error *error)
{
    ARB_TRY(arb_shared_builds_create(&s->builds, error));
    for (size_t i = 0; i < TASKS; i++)
        s->tasks[i].work.builds = s->builds;
    return ARB_OK;
}

static void begin(test_stage *s, uint8_t output)
{
    static const uint32_t key[] = {0}, columns[] = {0, 1};
    static const arb_str names[2];
    bool both = output == ARB_JOIN_MATCHES || output == ARB_JOIN_BUILD_OUTER;
    arb_error error = {0};
    *s = (test_stage){.slot = t_slot(T_I64, 1)};
    s->probe = (arb_physical_node){.kind = ARB_PHYSICAL_EXCHANGE, .number = 1, .layout = {1, &s->slot}};
    s->build = (arb_physical_node){.kind = ARB_PHYSICAL_EXCHANGE, .number = 2, .layout = {1, &s->slot}};
    s->build.exchange.read = ARB_READ_ALL;
    s->children[0] = &s->probe;
    s->children[1] = &s->build;
    s->join = (arb_physical_node){.kind = ARB_PHYSICAL_HASH_JOIN, .child_count = 2, .children = s->children};
    s->join.join.output = output;
    s->join.join.key_count = 1;
    s->join.join.probe_keys = s->join.join.build_keys = key;
    s->join.join.output_count = both ? 2 : 1;
    s->join.join.columns = columns;
    arb_slot *slots = calloc(2, sizeof *slots);
    slots[0] = slots[1] = s->slot;
    s->join.layout = (arb_layout){both ? 2 : 1, slots};
    s->plan = (arb_physical_plan){
        .root = &s->join, .node_count = 3, .column_count = both ? 2 : 1, .columns = columns, .names = names};
    arb_governor_init(&s->governor, 64 << 20);
    arb_governor_init_part(&s->task_governor, 64 << 20, &s->governor);
    assert_int_equal(arb_cpu_pool_create(2, &s->pool, &error), ARB_OK);
    assert_int_equal(new_builds(s, &error), ARB_OK);
    for (size_t i = 0; i < TASKS; i++) {
        s->tasks[i].work.source_create = source_create;
        sem_init(&s->tasks[i].waiting, 0, 0);
    }
}

/* Nothing that was reserved is left. */
static void drop_tasks(test_stage *s)
{
    for (size_t i = 0; i < TASKS; i++) {
        arb_execution_destroy(s->tasks[i].execution);
        s->tasks[i].execution = NULL;
    }
    arb_shared_builds_unref(s->builds);
    s->builds = NULL;
    assert_int_equal(atomic_load(&s->task_governor.used), 0);
    assert_int_equal(atomic_load(&s->governor.used), 0);
}

static void end(test_stage *s)
{
    drop_tasks(s);
    for (size_t i = 0; i < TASKS; i++)
        sem_destroy(&s->tasks[i].waiting);
    arb_cpu_pool_destroy(s->pool);
    free((void *)(uintptr_t)s->join.layout.slots);
}

static arb_code start(test_stage *s, size_t task, arb_error *error)
{
    const arb_execution_options options = {.pool = s->pool,
                                           .governor = &s->task_governor,
                                           .spill_folder = "/tmp",
                                           .force_spill = s->spills,
                                           .work = &s->tasks[task].work};
    return arb_execution_start(&s->plan, &options, &s->tasks[task].execution, error);
}

static void go(test_task *task)
{
    atomic_store(&task->held, false);
    arb_task *waits = atomic_exchange(&task->waits, NULL);
    if (waits != NULL)
        arb_task_wake(waits);
}

/* All of its rows, which must be those that there are. Without a key any build row is a partner of all. */
static arb_code finish(test_stage *s, size_t task, arb_error *error)
{
    int64_t rows = 0, sum = 0, expected = s->join.join.key_count == 0 ? PROBE_ROWS : BUILD_ROWS;
    const arb_batch *batch;
    do {
        ARB_TRY(arb_execution_next(s->tasks[task].execution, &batch, error));
        for (uint32_t row = 0; batch != NULL && row < batch->rows; row++) {
            int64_t value = t_cell(&batch->columns[0], row);
            assert_int_equal(t_cell(&batch->columns[batch->column_count - 1], row), value);
            sum += value;
            rows++;
        }
    } while (batch != NULL);
    assert_int_equal(rows, expected);
    assert_int_equal(sum, expected * (expected - 1) / (expected == PROBE_ROWS ? 2 : 1));
    return ARB_OK;
}

static unsigned reads(const test_stage *s)
{
    unsigned count = 0;
    for (size_t i = 0; i < TASKS; i++)
        count += atomic_load(&s->tasks[i].reads);
    return count;
}

static void run(test_stage *s, size_t task)
{
    arb_error error = {0};
    if (s->tasks[task].execution == NULL)
        assert_int_equal(start(s, task, &error), ARB_OK);
    assert_int_equal(finish(s, task, &error), ARB_OK);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

static void is_built_once(void **state)
{
    (void)state;
    static const uint8_t outputs[] = {ARB_JOIN_MATCHES, ARB_JOIN_PROBE_SEMI};
    for (size_t i = 0; i < ARB_COUNT_OF(outputs); i++) {
        test_stage s;
        begin(&s, outputs[i]);
        for (size_t task = 0; task < TASKS; task++) {
            run(&s, task);
            arb_execution_destroy(s.tasks[task].execution); /* the others read what it built all the same */
            s.tasks[task].execution = NULL;
        }
        assert_int_equal(reads(&s), 1);
        assert_true(atomic_load(&s.governor.used) > 0);
        end(&s);
    }
}

static void others_wait_for_the_first(void **state)
{
    (void)state;
    test_stage s;
    arb_error error = {0};
    begin(&s, ARB_JOIN_MATCHES);
    atomic_store(&s.tasks[0].held, true);
    assert_int_equal(start(&s, 0, &error), ARB_OK);
    sem_wait(&s.tasks[0].waiting);
    for (size_t task = 1; task < TASKS; task++)
        assert_int_equal(start(&s, task, &error), ARB_OK);
    go(&s.tasks[0]);
    for (size_t task = 0; task < TASKS; task++)
        run(&s, task);
    assert_int_equal(reads(&s), 1);
    end(&s);
}

/* Well or badly: one of those that wait builds instead. */
static void another_builds_instead(test_stage *s, bool stop)
{
    arb_error error = {0};
    begin(s, ARB_JOIN_MATCHES);
    atomic_store(&s->tasks[0].held, true);
    assert_int_equal(start(s, 0, &error), ARB_OK);
    sem_wait(&s->tasks[0].waiting);
    for (size_t task = 1; task < TASKS; task++)
        assert_int_equal(start(s, task, &error), ARB_OK);
    s->tasks[0].fails = true;
    if (stop)
        arb_execution_stop(s->tasks[0].execution);
    else
        go(&s->tasks[0]);
    for (size_t task = 1; task < TASKS; task++)
        run(s, task);
    assert_int_equal(finish(s, 0, &error), stop ? ARB_CANCELLED : ARB_CONNECTION_FAILED);
    assert_int_equal(reads(s), 2);
    end(s);
}

static void a_builder_may_fail(void **state)
{
    (void)state;
    another_builds_instead(&(test_stage){0}, false);
}

static void a_builder_may_be_stopped(void **state)
{
    (void)state;
    another_builds_instead(&(test_stage){0}, true);
}

static void who_waits_may_be_stopped(void **state)
{
    (void)state;
    test_stage s;
    arb_error error = {0};
    begin(&s, ARB_JOIN_MATCHES);
    atomic_store(&s.tasks[0].held, true);
    assert_int_equal(start(&s, 0, &error), ARB_OK);
    sem_wait(&s.tasks[0].waiting);
    assert_int_equal(start(&s, 1, &error), ARB_OK);
    arb_execution_destroy(
        s.tasks[1].execution); /* waits for all of its tasks to end, though the builder stands still */
    s.tasks[1].execution = NULL;
    go(&s.tasks[0]);
    run(&s, 0);
    run(&s, 2);
    assert_int_equal(reads(&s), 1);
    end(&s);
}

/* What is on disk has one reader. */
static void what_spills_is_not_shared(void **state)
{
    (void)state;
    test_stage s;
    begin(&s, ARB_JOIN_MATCHES);
    s.spills = true;
    for (size_t task = 0; task < TASKS; task++)
        run(&s, task);
    assert_int_equal(reads(&s), TASKS);
    for (size_t task = 0; task < TASKS; task++) { /* each for itself, also where it would have had the room */
        arb_execution_destroy(s.tasks[task].execution);
        s.tasks[task].execution = NULL;
        s.spills = false;
        run(&s, task);
    }
    assert_int_equal(reads(&s), 2 * TASKS);
    end(&s);
}

/* A task's memory bounds what is the task's alone. */
static void a_build_side_may_be_larger_than_a_task(void **state)
{
    (void)state;
    for (size_t keys = 0; keys < 2; keys++) {
        test_stage s;
        begin(&s, keys == 0 ? ARB_JOIN_PROBE_SEMI : ARB_JOIN_MATCHES);
        s.join.kind = keys == 0 ? ARB_PHYSICAL_LOOP_JOIN : ARB_PHYSICAL_HASH_JOIN;
        s.join.join.key_count = keys;
        s.task_governor.limit = 32 << 10;
        for (size_t task = 0; task < TASKS; task++)
            run(&s, task);
        assert_int_equal(reads(&s), 1);
        assert_true(atomic_load(&s.tasks[0].common[true]));
        assert_true(atomic_load(&s.governor.used) > s.task_governor.limit);
        end(&s);
    }
}

/* The memory of all bounds what is shared. What has spilled is the task's, whatever the others have. */
static void what_all_have_no_room_for_spills(void **state)
{
    (void)state;
    test_stage s;
    begin(&s, ARB_JOIN_MATCHES);
    s.task_governor.limit = 16 << 10;
    s.governor.limit = 32 << 10;
    for (size_t task = 0; task < TASKS; task++) {
        run(&s, task);
        assert_int_equal(atomic_load(&s.tasks[task].common[true]), task == 0); /* the others know that it is theirs */
        assert_false(atomic_load(&s.tasks[task].common[false]));
    }
    assert_int_equal(reads(&s), TASKS);
    end(&s);
}

/* A join that gives rows of the build side by itself has it for itself: it notes which of them found a match. */
static void outer_build_sides_are_not_shared(void **state)
{
    (void)state;
    test_stage s;
    begin(&s, ARB_JOIN_BUILD_OUTER);
    for (size_t task = 0; task < TASKS; task++) {
        s.tasks[task].alone = true;
        run(&s, task);
    }
    assert_int_equal(reads(&s), TASKS);
    end(&s);
}

static arb_code two_at_once(void *context)
{
    test_stage *s = context;
    arb_error error = {0};
    arb_code first = new_builds(s, &error), second = first;
    if (first == ARB_OK) {
        first = start(s, 0, &error);
        second = start(s, 1, &error);
        if (first == ARB_OK)
            first = finish(s, 0, &error);
        if (second == ARB_OK)
            second = finish(s, 1, &error);
    }
    drop_tasks(s);
    return first != ARB_OK ? first : second;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    test_stage s;
    begin(&s, ARB_JOIN_MATCHES);
    run(&s, 0); /* the pool's threads are there */
    drop_tasks(&s);
    t_each_allocation_fails(two_at_once, &s);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_built_once),
        cmocka_unit_test(others_wait_for_the_first),
        cmocka_unit_test(a_builder_may_fail),
        cmocka_unit_test(a_builder_may_be_stopped),
        cmocka_unit_test(who_waits_may_be_stopped),
        cmocka_unit_test(what_spills_is_not_shared),
        cmocka_unit_test(a_build_side_may_be_larger_than_a_task),
        cmocka_unit_test(what_all_have_no_room_for_spills),
        cmocka_unit_test(outer_build_sides_are_not_shared),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
