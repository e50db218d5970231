/* A task that reads outputs of this process and of another: what it leaves, and whose fault it is when it fails. */
#include "unit/exchange_flight/served_outputs.h"

#include <semaphore.h>

#include "executor/task_run.h"

/* Tasks 0 and 2 of the stage before are here, 1 and 3 there; one task of the next stage reads all of it. */
typedef struct task_world {
    outputs there;
    arb_output_store *here;
    arb_governor governor;
    arb_physical_node leaf;
    arb_stage stage;
    arb_input_source sources[ATTEMPTS];
    arb_task_input input;
    arb_input_peer peers[2];
    const uint64_t *bound; /* of the next run */
    sem_t over;
} task_world;

static const arb_uuid this_executor = {1, 1}, that_executor = {2, 2};
static const arb_attempt attempt = {.job = {1, 2}, .attempt = {1, 900}, .generation = {1, 2}, .stage = 4, .task = 0};

/* The store gets the same outputs; which of them are asked for where is the input's matter. */
static void task_world_begin(task_world *t, void **state)
{
    static const uint32_t columns[] = {0};
    static const uint8_t produced[] = {ARB_PHYS_INT64};
    arb_error error = {0};
    *t = (task_world){0};
    begin(&t->there, state, 1 << 20);
    assert_int_equal(arb_output_store_create(1 << 20, NULL, "/tmp", &t->here, &error), ARB_OK);
    outputs copy = {.store = t->here};
    fill_store(&copy);
    arb_governor_init(&t->governor, 64 << 20);
    t->leaf = (arb_physical_node){.kind = ARB_PHYSICAL_EXCHANGE, .layout = number_layout};
    t->leaf.exchange.stage = 3;
    t->leaf.exchange.partitions = PARTITIONS;
    t->leaf.exchange.read = ARB_READ_ALL;
    t->leaf.exchange.produced_count = 1;
    t->leaf.exchange.produced = produced;
    t->leaf.exchange.columns = columns;
    t->stage = (arb_stage){.number = 4,
                           .plan = {.root = &t->leaf, .column_count = 1, .columns = columns},
                           .tasks = 1,
                           .output = {.kind = ARB_OUTPUT_ONE, .partitions = 1},
                           .row_limit = -1};
    for (uint32_t task = 0; task < ATTEMPTS; task++)
        t->sources[task] = (arb_input_source){task, {1, 100 + (uint64_t)task}, task % 2};
    t->input = (arb_task_input){3, ATTEMPTS, t->sources};
    t->peers[0] = (arb_input_peer){.executor = this_executor};
    t->peers[1] = (arb_input_peer){that_executor, t->there.w.channel, t->there.key};
    sem_init(&t->over, 0, 0);
}

static void task_world_end(task_world *t)
{
    end(&t->there);
    arb_output_store_destroy(t->here);
    sem_destroy(&t->over);
}

static void is_over(void *context)
{
    sem_post(context);
}

static arb_code start(task_world *t, int64_t unreachable_ms, arb_task_run **out_run, arb_failure *out_failure,
                      arb_error *error)
{
    arb_task_inputs_options inputs_options = {.cluster = served_cluster,
                                              .job = attempt.job,
                                              .store = t->here,
                                              .pool = arb_output_store_pool(t->here),
                                              .loop = &t->there.loop,
                                              .window = 1,
                                              .unreachable_ns = unreachable_ms * 1000000,
                                              .peer_count = 2,
                                              .peers = t->peers,
                                              .input_count = 1,
                                              .inputs = &t->input};
    arb_task_run_options options = {
        .stage = &t->stage,
        .task_count = 1,
        .attempt = attempt,
        .execution = {.pool = t->there.pool, .governor = &t->governor, .spill_folder = "/tmp", .drivers = 1},
        .store = t->here,
        .bound = t->bound,
        .over = is_over,
        .context = &t->over};
    arb_task_inputs *inputs;
    ARB_TRY(arb_task_inputs_create(&inputs_options, &inputs, error));
    return arb_task_run_start(&options, inputs, out_run, out_failure, error);
}

static void wait_for_end(task_world *t)
{
    while (sem_wait(&t->over) != 0) {
    }
}

static arb_attempt_output *find_result(task_world *t)
{
    arb_block_origin origin = {.job_term = 1, .job = 2, .stage = 4, .attempt_term = 1, .attempt = 900};
    return arb_output_store_find(t->here, &origin);
}

static void rows_of_all_come_in_order(void **state)
{
    task_world t;
    arb_task_run *run;
    arb_error error = {0};
    arb_failure failure;
    size_t at = 0;
    task_world_begin(&t, state);
    assert_int_equal(start(&t, 5000, &run, &failure, &error), ARB_OK);
    wait_for_end(&t);
    assert_true(arb_task_run_result(run, &failure, &error));
    arb_task_output made = arb_task_run_output(run);
    arb_task_run_destroy(run);
    arb_attempt_output *output = find_result(&t);
    assert_non_null(output);
    assert_true(made.rows == arb_attempt_output_total(output).rows && made.bytes > 0);
    for (uint32_t p = 0; p < PARTITIONS; p++)
        for (uint32_t task = 0; task < ATTEMPTS; task++) {
            arb_block_loan loan;
            int count = blocks_of(task, p);
            if (count == 0)
                continue;
            /* a block of the result has what one attempt left in one partition */
            assert_int_equal(arb_attempt_output_borrow(output, 0, at++, &loan, &error), ARB_OK);
            assert_int_equal(loan.block.rows, count * BLOCK_ROWS);
            for (int i = 0; i < count; i++)
                assert_int_equal(arb_load_i64(loan.block.data + loan.block.body_at + (size_t)i * BLOCK_ROWS * 8),
                                 number_of(task, p, i));
            arb_block_loan_return(&loan);
        }
    assert_int_equal(at, arb_attempt_output_size(output, 0).blocks);
    arb_attempt_output_unref(output);
    task_world_end(&t);
}

/* Rows that a top-N leaves, and the bound that it publishes (UINT64_MAX: none). */
static uint64_t run_top(task_world *t, uint64_t *out_bound)
{
    arb_task_run *run;
    arb_error error = {0};
    arb_failure failure;
    assert_int_equal(start(t, 5000, &run, &failure, &error), ARB_OK);
    wait_for_end(t);
    assert_true(arb_task_run_result(run, &failure, &error));
    arb_task_output made = arb_task_run_output(run);
    *out_bound = arb_task_bound_of(&made.facts, 1);
    arb_task_run_destroy(run);
    const arb_block_origin origin = arb_task_run_origin(&attempt);
    arb_output_store_drop(t->here, &origin);
    return made.rows;
}

static void tasks_of_a_top_n_tell_where_it_ends(void **state)
{
    task_world t;
    const arb_physical_sort_key key = {.column = 0};
    const arb_physical_node *children[1];
    task_world_begin(&t, state);
    arb_physical_node sort = {.kind = ARB_PHYSICAL_SORT, .number = 1, .child_count = 1, .layout = number_layout};
    sort.children = children;
    children[0] = &t.leaf;
    sort.sort.key_count = 1;
    sort.sort.keys = &key;
    sort.sort.limit = 20;
    t.stage.plan.root = &sort;
    uint64_t bound, again, best = 0;
    assert_int_equal(run_top(&t, &bound), 20);
    assert_true(bound != UINT64_MAX);
    t.bound = &bound; /* rows that are as good as the worst stay */
    assert_int_equal(run_top(&t, &again), 20);
    assert_true(again == bound);
    t.bound = &best; /* others have found better ones */
    assert_int_equal(run_top(&t, &again), 0);
    assert_true(again == best);
    sort.sort.limit = 1 << 19; /* more than there are: it knows nothing itself */
    t.bound = NULL;
    assert_true(run_top(&t, &again) > 20);
    assert_true(again == UINT64_MAX);
    const arb_str facts[] = {{(const char *)&bound, 8}, ARB_STR("no fact"), {(const char *)&best, 8}};
    assert_true(arb_task_bound_of(facts, 2) == bound && arb_task_bound_of(facts, 3) == best);
    assert_true(arb_task_bound_of(facts, 0) == UINT64_MAX);
    task_world_end(&t);
}

static void expect_named(const task_world *t, const arb_failure *failure, arb_read_failure read, uint32_t task)
{
    assert_int_equal(failure->kind, ARB_FAILURE_READ);
    assert_int_equal(failure->read, read);
    assert_int_equal(failure->producer_stage, 3);
    assert_int_equal(failure->producer_task, task);
    assert_true(arb_id_equal(failure->producer_attempt, t->sources[task].attempt));
}

/* The run fails to read the output of `task`. */
static void expect_read_failure(task_world *t, arb_read_failure read, uint32_t task)
{
    arb_task_run *run;
    arb_error error = {0};
    arb_failure failure = {0};
    assert_int_equal(start(t, 300, &run, &failure, &error), ARB_OK);
    wait_for_end(t);
    assert_false(arb_task_run_result(run, &failure, &error));
    expect_named(t, &failure, read, task);
    arb_task_run_destroy(run);
    assert_null(find_result(t));
}

static void what_is_lost_is_named(void **state)
{
    task_world t;
    task_world_begin(&t, state);
    t.sources[3].attempt.number++;
    expect_read_failure(&t, ARB_READ_NOT_FOUND, 3);
    t.sources[3].attempt.number--;
    arb_block_loan loan;
    arb_error error = {0};
    arb_block_origin origin = origin_of(1);
    arb_attempt_output *output = arb_output_store_find(t.there.store, &origin);
    assert_int_equal(arb_attempt_output_borrow(output, 0, 0, &loan, &error), ARB_OK);
    loan.block.data[loan.block.body_at] ^= 1;
    expect_read_failure(&t, ARB_READ_CORRUPT, 1);
    loan.block.data[loan.block.body_at] ^= 1;
    arb_block_loan_return(&loan);
    arb_attempt_output_unref(output);
    t.peers[1].key.bytes[0] ^= 1; /* another process at the same address */
    expect_read_failure(&t, ARB_READ_NOT_FOUND, 1);
    t.peers[1].key.bytes[0] ^= 1;
    stop_serving(&t.there);
    expect_read_failure(&t, ARB_READ_UNREACHABLE, 1);
    task_world_end(&t);
}

/* An output of this process is looked for before anything runs. */
static void what_is_not_here_is_known_at_once(void **state)
{
    task_world t;
    arb_task_run *run;
    arb_error error = {0};
    task_world_begin(&t, state);
    arb_failure failure;
    t.sources[2].attempt.number++;
    assert_int_equal(start(&t, 5000, &run, &failure, &error), ARB_UNDEFINED_OBJECT);
    expect_named(&t, &failure, ARB_READ_NOT_FOUND, 2);
    assert_null(run);
    assert_null(find_result(&t));
    task_world_end(&t);
}

static void a_task_can_be_stopped(void **state)
{
    for (int gone = 0; gone < 2; gone++) {
        task_world t;
        arb_task_run *run;
        arb_error error = {0};
        arb_failure failure;
        task_world_begin(&t, state);
        stop_serving(&t.there);
        assert_int_equal(start(&t, 100000, &run, &failure, &error), ARB_OK);
        usleep(20000);
        if (gone)
            arb_task_run_gone(run, that_executor);
        else
            arb_task_run_stop(run);
        wait_for_end(&t);
        assert_false(arb_task_run_result(run, &failure, &error));
        assert_int_equal(failure.kind, gone ? ARB_FAILURE_READ : ARB_FAILURE_CANCELLED);
        arb_task_run_destroy(run);
        assert_int_equal(arb_output_store_look(t.here).outputs, ATTEMPTS);
        task_world_end(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(rows_of_all_come_in_order), OVER_BOTH(tasks_of_a_top_n_tell_where_it_ends),
        OVER_BOTH(what_is_lost_is_named),     OVER_BOTH(what_is_not_here_is_known_at_once),
        OVER_BOTH(a_task_can_be_stopped),
    };
    return run_rpc_tests(tests);
}
