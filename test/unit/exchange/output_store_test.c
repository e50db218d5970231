/* Outputs that are begun, kept, found, dropped while they are read, and moved to files when memory is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "exchange/block_builder.h"
#include "exchange/output_store.h"

static const arb_slot slot = {.id = 1, .type = {.id = ARB_TYPE_BIGINT}, .physical = ARB_PHYS_INT64};
static const arb_layout layout = {1, &slot};

static arb_block_origin origin_of(uint64_t job, uint64_t attempt, uint32_t stage)
{
    return (arb_block_origin){.job_term = 1, .job = job, .attempt_term = 1, .attempt = attempt, .stage = stage};
}

static arb_block block_of(const arb_block_origin *origin, int64_t *numbers, const uint16_t *rows, size_t count)
{
    arb_error error = {0};
    arb_block_builder builder;
    arb_block block;
    size_t taken;
    arb_vector vector = {.physical = ARB_PHYS_INT64, .values.i64 = numbers};
    const arb_vector *columns[] = {&vector};
    assert_int_equal(arb_block_builder_init(&builder, &layout, &error), ARB_OK);
    assert_int_equal(arb_block_builder_append(&builder, columns, rows, count, &taken, &error), ARB_OK);
    assert_int_equal(taken, count);
    assert_int_equal(arb_block_builder_seal(&builder, origin, &block, &error), ARB_OK);
    arb_block_builder_reset(&builder);
    return block;
}

static arb_block make_block(const arb_block_origin *origin, int64_t number)
{
    return block_of(origin, &number, (const uint16_t[]){0}, 1);
}

/* An output with the numbers [0, count) in one partition. */
static void fill(arb_output_store *store, const arb_block_origin *origin, int64_t count, bool keep)
{
    arb_error error = {0};
    arb_attempt_output *output;
    assert_int_equal(arb_output_store_begin(store, origin, 1, &output, &error), ARB_OK);
    for (int64_t i = 0; i < count; i++) {
        arb_block block = make_block(origin, i);
        arb_block_place place = {.sequence = (uint64_t)i};
        assert_int_equal(arb_output_store_add(store, output, 0, &block, place, &error), ARB_OK);
    }
    if (keep)
        arb_output_store_keep(store, output);
    arb_attempt_output_unref(output);
}

static void expect(arb_output_store *store, const arb_block_origin *origin, int64_t count)
{
    arb_error error = {0};
    arb_attempt_output *output = arb_output_store_find(store, origin);
    assert_non_null(output);
    assert_int_equal(arb_attempt_output_size(output, 0).blocks, count);
    for (int64_t i = 0; i < count; i++) {
        arb_block_loan loan;
        assert_int_equal(arb_attempt_output_borrow(output, 0, (size_t)i, &loan, &error), ARB_OK);
        assert_int_equal(arb_load_i64(loan.block.data + loan.block.body_at), i);
        arb_block_loan_return(&loan);
    }
    arb_attempt_output_unref(output);
}

static arb_output_store *make_store(uint64_t memory_most, const char *folder)
{
    arb_error error = {0};
    arb_output_store *store;
    assert_int_equal(arb_output_store_create(memory_most, NULL, folder, &store, &error), ARB_OK);
    return store;
}

static void outputs_are_found_once_they_are_kept(void **state)
{
    (void)state;
    arb_output_store *store = make_store(1 << 20, "/tmp");
    arb_block_origin first = origin_of(1, 1, 0), second = origin_of(1, 2, 0), other = first;
    fill(store, &first, 3, true);
    fill(store, &second, 2, false);
    expect(store, &first, 3);
    assert_null(arb_output_store_find(store, &second));
    other.job = 2;
    assert_null(arb_output_store_find(store, &other));
    other = first;
    other.attempt_term = 2;
    assert_null(arb_output_store_find(store, &other));
    arb_error error = {0};
    arb_attempt_output *again;
    assert_int_equal(arb_output_store_begin(store, &first, 1, &again, &error), ARB_INTERNAL);
    assert_int_equal(arb_output_store_look(store).outputs, 2);
    arb_output_store_destroy(store);
}

static void stages_and_jobs_are_dropped(void **state)
{
    (void)state;
    arb_output_store *store = make_store(1 << 20, "/tmp");
    for (uint64_t job = 1; job <= 3; job++)
        for (uint64_t i = 0; i < 200; i++) {
            arb_block_origin origin = origin_of(job, job * 1000 + i, (uint32_t)(i % 4));
            fill(store, &origin, 1, true);
        }
    arb_output_store_drop_stage(store, 1, 2, 3);
    assert_int_equal(arb_output_store_look(store).outputs, 550);
    arb_output_store_drop_stage(store, 1, 2, ARB_STORE_EVERY_STAGE);
    assert_int_equal(arb_output_store_look(store).outputs, 400);
    arb_output_store_drop_stage(store, 9, 1, ARB_STORE_EVERY_STAGE);
    assert_int_equal(arb_output_store_look(store).outputs, 400);
    arb_block_origin one = origin_of(3, 3007, 3);
    expect(store, &one, 1);
    arb_output_store_drop(store, &one);
    assert_null(arb_output_store_find(store, &one));
    arb_output_store_drop(store, &one);
    arb_output_store_destroy(store);
}

static void what_is_dropped_can_be_read_to_its_end(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_output_store *store = make_store(1 << 20, "/tmp");
    arb_block_origin origin = origin_of(1, 1, 0);
    arb_block_loan loan;
    fill(store, &origin, 2, true);
    arb_attempt_output *output = arb_output_store_find(store, &origin);
    arb_output_store_drop(store, &origin);
    assert_int_equal(arb_attempt_output_borrow(output, 0, 1, &loan, &error), ARB_OK);
    assert_true(arb_output_store_look(store).held > 0);
    arb_attempt_output_unref(output);
    assert_int_equal(arb_load_i64(loan.block.data + loan.block.body_at), 1);
    arb_block_loan_return(&loan);
    assert_int_equal(arb_output_store_look(store).held, 0);
    arb_output_store_destroy(store);
}

/* Kept outputs go first, oldest first; what is being made only when there is nothing else. */
static void the_limit_is_kept(void **state)
{
    (void)state;
    arb_block_origin sample = origin_of(1, 9, 0);
    arb_block block = make_block(&sample, 0);
    uint64_t each = block.body_at + block.body_size;
    arb_block_reset(&block);
    arb_output_store *store = make_store(each * 10, "/tmp");
    arb_block_origin origins[] = {origin_of(1, 1, 0), origin_of(1, 2, 0), origin_of(1, 3, 0), origin_of(1, 4, 0)};
    fill(store, &origins[0], 4, false);
    fill(store, &origins[1], 4, true);
    fill(store, &origins[2], 2, true);
    assert_int_equal(arb_output_store_look(store).held, each * 10);
    fill(store, &origins[3], 1, true);
    assert_int_equal(arb_output_store_look(store).held, each * 7); /* the oldest that is kept has moved */
    assert_int_equal(arb_output_store_look(store).bytes, each * 11);
    fill(store, &(arb_block_origin){.attempt = 77}, 25, true);
    assert_true(arb_output_store_look(store).held <= each * 10);
    expect(store, &origins[1], 4);
    expect(store, &origins[2], 2);
    expect(store, &origins[3], 1);
    arb_output_store_destroy(store);
}

/* What others hold counts: when memory is short outputs go to files, long before their own limit. */
static void others_may_need_the_memory(void **state)
{
    (void)state;
    arb_governor governor;
    arb_memory memory;
    arb_reservation others;
    arb_error error = {0};
    arb_output_store *store;
    arb_block_loan loan;
    arb_block_origin first = origin_of(1, 1, 0), second = origin_of(1, 2, 0);
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&others, &memory, "others");
    assert_int_equal(arb_output_store_create(1 << 20, &memory, "/tmp", &store, &error), ARB_OK);
    fill(store, &first, 20, true);
    uint64_t held = arb_output_store_look(store).held, used = governor.used;
    assert_true(held != 0 && used > held); /* what describes them is charged, too */
    arb_reservation_force(&others, 1 << 20);
    fill(store, &second, 1, true);
    assert_int_equal(arb_output_store_look(store).held, 0);
    assert_true(governor.used - (1 << 20) < used);
    uint64_t idle = governor.used;
    arb_attempt_output *output = arb_output_store_find(store, &first);
    assert_int_equal(arb_attempt_output_borrow(output, 0, 7, &loan, &error), ARB_OK);
    assert_int_equal(governor.used, idle + arb_block_bytes(&loan.block)); /* whoever reads it has it in memory */
    arb_block_loan_return(&loan);
    assert_int_equal(governor.used, idle);
    arb_attempt_output_unref(output);
    expect(store, &first, 20);
    expect(store, &second, 1);
    arb_reservation_reset(&others);
    arb_output_store_destroy(store);
    assert_int_equal(governor.used, 0);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void thousands_of_outputs_share_a_file(void **state)
{
    (void)state;
    enum { outputs = 3000 };
    size_t before = open_descriptors();
    arb_output_store *store = make_store(0, "/tmp");
    for (uint64_t i = 0; i < outputs; i++) {
        arb_block_origin origin = origin_of(1, i, (uint32_t)(i % 2));
        fill(store, &origin, 2, true);
    }
    assert_int_equal(open_descriptors(), before + 1);
    arb_output_store_drop_stage(store, 1, 1, 0);
    for (uint64_t i = 1; i < outputs; i += 2) {
        arb_block_origin origin = origin_of(1, i, 1);
        expect(store, &origin, 2);
    }
    arb_output_store_destroy(store);
    assert_int_equal(open_descriptors(), before);
}

/* Of files that have no name any more. */
static uint64_t bytes_on_disk(void)
{
    uint64_t bytes = 0;
    struct stat of;
    for (int file = 0; file < 1000; file++)
        if (fstat(file, &of) == 0 && S_ISREG(of.st_mode) && of.st_nlink == 0)
            bytes += (uint64_t)of.st_blocks * 512;
    return bytes;
}

/* What is dropped gives its space back, though others have blocks in the file. */
static void files_keep_nothing_of_what_is_dropped(void **state)
{
    (void)state;
    enum { blocks = 32, rows = 2000 };
    static int64_t numbers[rows];
    static uint16_t all[rows];
    arb_output_store *store = make_store(0, "/tmp");
    uint64_t seed = 1, before = bytes_on_disk();
    arb_error error = {0};
    for (uint64_t attempt = 0; attempt < 2; attempt++) {
        arb_block_origin origin = origin_of(1, attempt, 0);
        arb_attempt_output *output;
        assert_int_equal(arb_output_store_begin(store, &origin, 1, &output, &error), ARB_OK);
        for (uint64_t i = 0; i < blocks; i++) {
            for (size_t row = 0; row < rows; row++) {
                seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
                numbers[row] = (int64_t)(seed ^ seed >> 29);
                all[row] = (uint16_t)row;
            }
            arb_block block = block_of(&origin, numbers, all, rows);
            arb_block_place place = {.sequence = i};
            assert_int_equal(arb_output_store_add(store, output, 0, &block, place, &error), ARB_OK);
        }
        arb_output_store_keep(store, output);
        arb_attempt_output_unref(output);
    }
    uint64_t both = bytes_on_disk() - before;
    assert_true(both >= 2 * blocks * rows * sizeof(int64_t));
    arb_block_origin first = origin_of(1, 0, 0), second = origin_of(1, 1, 0);
    arb_output_store_drop(store, &first);
    assert_in_range(bytes_on_disk() - before, both / 2, both * 3 / 4);
    arb_attempt_output *left = arb_output_store_find(store, &second);
    for (size_t i = 0; i < blocks; i++) {
        arb_block_loan loan;
        assert_int_equal(arb_attempt_output_borrow(left, 0, i, &loan, &error), ARB_OK);
        arb_block_loan_return(&loan);
    }
    arb_attempt_output_unref(left);
    arb_output_store_destroy(store);
    assert_int_equal(bytes_on_disk(), before);
}

static void nothing_stays_in_memory_without_a_limit(void **state)
{
    (void)state;
    arb_output_store *store = make_store(0, "/tmp");
    arb_block_origin origin = origin_of(1, 1, 0);
    fill(store, &origin, 50, true);
    assert_int_equal(arb_output_store_look(store).held, 0);
    expect(store, &origin, 50);
    arb_output_store_destroy(store);
}

static void without_a_folder_the_limit_is_an_error(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_output_store *store = make_store(0, NULL);
    arb_block_origin origin = origin_of(1, 1, 0);
    arb_block block = make_block(&origin, 0);
    arb_attempt_output *output;
    assert_int_equal(arb_output_store_begin(store, &origin, 1, &output, &error), ARB_OK);
    assert_int_equal(arb_output_store_add(store, output, 0, &block, (arb_block_place){0}, &error), ARB_OUT_OF_MEMORY);
    arb_attempt_output_unref(output);
    arb_output_store_destroy(store);
}

/* Memory that is short is no error as long as there is some. */
static void without_a_folder_blocks_stay_while_they_can(void **state)
{
    (void)state;
    arb_governor governor;
    arb_memory memory;
    arb_reservation others;
    arb_error error = {0};
    arb_output_store *store;
    arb_attempt_output *output;
    arb_block_origin first = origin_of(1, 1, 0), second = origin_of(1, 2, 0);
    arb_governor_init(&governor, 1 << 20);
    arb_memory_init(&memory, &governor);
    arb_reservation_init(&others, &memory, "others");
    arb_reservation_force(&others, 15 << 16);
    assert_true(arb_memory_is_short(&memory));
    assert_int_equal(arb_output_store_create(1 << 20, &memory, NULL, &store, &error), ARB_OK);
    fill(store, &first, 20, true);
    expect(store, &first, 20);
    arb_reservation_force(&others, 1 << 16);
    assert_int_equal(arb_output_store_begin(store, &second, 1, &output, &error), ARB_OK);
    arb_block block = make_block(&second, 0);
    assert_int_equal(arb_output_store_add(store, output, 0, &block, (arb_block_place){0}, &error), ARB_OUT_OF_MEMORY);
    arb_attempt_output_unref(output);
    arb_output_store_destroy(store);
    arb_reservation_reset(&others);
    assert_int_equal(governor.used, 0);
}

typedef struct worker {
    arb_output_store *store;
    uint64_t number;
} worker;

static void *work(void *argument)
{
    const worker *w = argument;
    for (uint64_t i = 0; i < 50; i++) {
        arb_block_origin origin = origin_of(w->number, w->number * 1000 + i, 0);
        fill(w->store, &origin, 5, true);
        expect(w->store, &origin, 5);
        if (i % 2 == 0)
            arb_output_store_drop(w->store, &origin);
    }
    return NULL;
}

static void many_threads_share_it(void **state)
{
    (void)state;
    enum { count = 4 };
    arb_output_store *store = make_store(2000, "/tmp");
    worker workers[count];
    pthread_t threads[count];
    for (size_t i = 0; i < count; i++) {
        workers[i] = (worker){store, i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(arb_output_store_look(store).outputs, 25 * count);
    assert_true(arb_output_store_look(store).held <= 2000);
    arb_output_store_destroy(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_found_once_they_are_kept),
        cmocka_unit_test(stages_and_jobs_are_dropped),
        cmocka_unit_test(what_is_dropped_can_be_read_to_its_end),
        cmocka_unit_test(the_limit_is_kept),
        cmocka_unit_test(others_may_need_the_memory),
        cmocka_unit_test(thousands_of_outputs_share_a_file),
        cmocka_unit_test(files_keep_nothing_of_what_is_dropped),
        cmocka_unit_test(nothing_stays_in_memory_without_a_limit),
        cmocka_unit_test(without_a_folder_the_limit_is_an_error),
        cmocka_unit_test(without_a_folder_blocks_stay_while_they_can),
        cmocka_unit_test(many_threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
