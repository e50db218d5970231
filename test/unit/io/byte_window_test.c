/* Sources that give what they have at once, and windows over sources that have all, some or nothing. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "io/byte_window.h"

enum { total = 300000 };

static uint8_t bytes[total];
static uint64_t randomness = 1;

static uint64_t next_random(uint64_t below)
{
    randomness = arb_hash_u64(randomness + 1);
    return randomness % below;
}

/* A source over `bytes` that has only some of them at once, and whose reads can be held up. */
typedef struct patchy_source {
    arb_byte_source base;
    unsigned there;      /* percent of the attempts that give all; the others give a part, or nothing */
    _Atomic bool *gate;  /* NULL: open */
    _Atomic int *closed; /* counts destroyed ones */
    _Atomic uint64_t attempts, reads, bytes_read, bytes_expected;
    bool fails;
} patchy_source;

static void patchy_destroy(arb_byte_source *base)
{
    patchy_source *source = (patchy_source *)base;
    if (source->closed != NULL)
        atomic_fetch_add(source->closed, 1);
    arb_free(source);
}

static arb_code patchy_read(const arb_byte_source *base, uint64_t offset, void *to, size_t size, arb_error *error)
{
    patchy_source *source = (patchy_source *)(uintptr_t)base;
    while (source->gate != NULL && !atomic_load(source->gate))
        usleep(200);
    atomic_fetch_add(&source->reads, 1);
    atomic_fetch_add(&source->bytes_read, size);
    if (source->fails)
        return arb_fail(error, ARB_IO, "the disk is gone");
    memcpy(to, bytes + offset, size);
    return ARB_OK;
}

static size_t patchy_try(const arb_byte_source *base, uint64_t offset, void *to, size_t size)
{
    patchy_source *source = (patchy_source *)(uintptr_t)base;
    atomic_fetch_add(&source->attempts, 1);
    size_t got = next_random(100) < source->there ? size : next_random(2) * next_random(size);
    got = source->there == 0 ? 0 : got;
    memcpy(to, bytes + offset, got);
    atomic_fetch_add(&source->bytes_read, got);
    return got;
}

static void patchy_expect(const arb_byte_source *base, uint64_t offset, size_t size)
{
    patchy_source *source = (patchy_source *)(uintptr_t)base;
    assert_true(offset + size <= total);
    atomic_fetch_add(&source->bytes_expected, size);
}

static patchy_source *open_patchy(unsigned there, size_t read_ahead)
{
    static const arb_byte_source_vtable vtable = {
        .destroy = patchy_destroy, .read = patchy_read, .try_read = patchy_try, .expect = patchy_expect};
    patchy_source *source = arb_alloc_zeroed(sizeof *source);
    assert_non_null(source);
    source->base = (arb_byte_source){
        .vtable = &vtable, .path = ARB_STR("patchy"), .identity = {.size = total}, .read_ahead = read_ahead};
    source->there = there;
    return source;
}

typedef struct fixture {
    arb_governor governor;
    arb_memory memory;
    arb_reservation held;
    arb_read_queue queue;
    arb_byte_window window;
    patchy_source *source;
} fixture;

static void start(fixture *f, unsigned there, size_t read_ahead)
{
    *f = (fixture){.source = open_patchy(there, read_ahead)};
    arb_governor_init(&f->governor, 64 << 20);
    arb_memory_init(&f->memory, &f->governor);
    arb_reservation_init(&f->held, &f->memory, "a test");
    arb_byte_window_init(&f->window, &f->source->base, &f->queue, &f->held);
}

static void stop(fixture *f)
{
    arb_byte_window_reset(&f->window);
    assert_int_equal(f->held.bytes, 0);
    assert_int_equal(f->queue.bytes_ahead, 0);
    assert_null(f->queue.first);
    arb_byte_source_destroy(&f->source->base);
}

static const uint8_t *get(fixture *f, uint64_t offset, size_t least, size_t most)
{
    const uint8_t *data = NULL;
    arb_error error = {0};
    arb_code code;
    while ((code = arb_byte_window_get(&f->window, offset, least, most, total, &data, &error)) == ARB_WOULD_WAIT)
        arb_read_queue_run(&f->queue);
    assert_int_equal(code, ARB_OK);
    return data;
}

/* Forward in steps, with leaps to anywhere; whatever is given is what the source holds. */
static void windows_give_what_was_asked_for(void **state)
{
    (void)state;
    static const unsigned there[] = {100, 50, 5, 0};
    for (size_t i = 0; i < ARB_COUNT_OF(there); i++)
        for (int forced = 0; forced < 2; forced++) {
            fixture f;
            start(&f, there[i], 5000);
            f.queue.always_wait = forced;
            uint64_t at = 0;
            for (int step = 0; step < 4000; step++) {
                size_t least = (size_t)next_random(step % 5 == 0 ? 20000 : 700);
                at = next_random(50) == 0 ? next_random(total) : at;
                least = (size_t)ARB_MIN(least, total - at);
                size_t most = (size_t)ARB_MIN(ARB_MAX(least, 5000), total - at);
                const uint8_t *data = get(&f, at, least, most);
                assert_true(data == f.window.buffer.data + (at - f.window.offset));
                assert_true(f.window.offset + f.window.size >= at + least);
                assert_memory_equal(data, bytes + at, f.window.offset + f.window.size - at);
                assert_int_equal(f.held.bytes, f.window.buffer.capacity + 64);
                at += least;
                if (at == total)
                    at = 0;
            }
            stop(&f);
        }
}

/* Front to back every byte is read once, whether it is there or not, ahead or not. */
static void nothing_is_read_twice(void **state)
{
    (void)state;
    static const unsigned there[] = {100, 30, 0};
    for (size_t i = 0; i < ARB_COUNT_OF(there); i++) {
        fixture f;
        start(&f, there[i], 4096);
        for (uint64_t at = 0; at < total; at += 1000)
            get(&f, at, 1000, ARB_MIN((size_t)4096, (size_t)(total - at)));
        assert_int_equal(atomic_load(&f.source->bytes_read), total);
        assert_int_equal(f.window.bytes_read, total);
        stop(&f);
    }
}

static void only_what_must_be_waited_for_is_read_ahead(void **state)
{
    (void)state;
    fixture f;
    start(&f, 100, 4096);
    for (uint64_t at = 0; at < 40000; at += 1000) {
        get(&f, at, 1000, 4096);
        assert_null(f.window.read);
    }
    stop(&f);
    start(&f, 0, 4096);
    size_t waits = 0, ahead = 0;
    for (uint64_t at = 0; at < 40000; at += 1000) {
        const uint8_t *data;
        waits += arb_byte_window_get(&f.window, at, 1000, 4096, total, &data, NULL) == ARB_WOULD_WAIT;
        arb_read_queue_run(&f.queue);
        get(&f, at, 1000, 4096);
        ahead += f.window.read != NULL && f.queue.bytes_ahead != 0;
        arb_read_queue_run(&f.queue); /* as the I/O pool would */
    }
    assert_int_equal(waits, 1);
    assert_true(ahead > 5);
    /* Not beyond what was named as the end. */
    assert_true(f.window.bytes_read < 40000 + 2 * 4096);
    const uint8_t *data;
    arb_byte_window_reset(&f.window);
    while (arb_byte_window_get(&f.window, 100, 1000, 1000, 1200, &data, NULL) == ARB_WOULD_WAIT)
        arb_read_queue_run(&f.queue);
    assert_int_equal(f.window.offset + f.window.size, 1200);
    assert_null(f.window.read);
    stop(&f);
}

/* Where reads must be waited for, fewer and larger ones are made. */
static void what_must_be_waited_for_is_read_in_large_parts(void **state)
{
    (void)state;
    for (unsigned there = 0; there <= 100; there += 100) {
        fixture f;
        start(&f, there, 4096);
        f.source->base.read_far = 65536;
        for (uint64_t at = 0; at < total; at += 1000)
            get(&f, at, 1000, ARB_MIN((size_t)4096, (size_t)(total - at)));
        uint64_t calls = there != 0 ? atomic_load(&f.source->attempts) : atomic_load(&f.source->reads);
        assert_true(there != 0 ? calls > total / 4096 : calls < total / 65536 + 3);
        assert_int_equal(atomic_load(&f.source->bytes_read), total);
        stop(&f);
    }
}

static void what_is_expected_is_read_ahead_where_bytes_come_late(void **state)
{
    (void)state;
    fixture f;
    start(&f, 100, 4096);
    get(&f, 0, 100, 4096);
    arb_byte_window_expect(&f.window, 50000, 60000);
    assert_null(f.queue.first);
    stop(&f);
    start(&f, 0, 4096);
    get(&f, 0, 100, 100);
    arb_read_queue_run(&f.queue);
    get(&f, 100, 4000, 4000);
    arb_byte_window_reset(&f.window);
    arb_byte_window_expect(&f.window, 50000, 52000);
    assert_int_equal(f.queue.bytes_ahead, 2000);
    arb_byte_window_expect(&f.window, 10, 20); /* not while another read is under way */
    assert_int_equal(f.queue.bytes_ahead, 2000);
    arb_read_queue_run(&f.queue);
    const uint8_t *data;
    assert_int_equal(arb_byte_window_get(&f.window, 50000, 2000, 2000, 52000, &data, NULL), ARB_OK);
    assert_memory_equal(data, bytes + 50000, 2000);
    arb_byte_window_expect(&f.window, 50100, 52000); /* it is there */
    assert_null(f.queue.first);
    stop(&f);
    /* Small pieces that lie together are announced to the source. */
    arb_queued_read *read;
    uint8_t piece[100];
    start(&f, 0, 4096);
    assert_int_equal(
        arb_read_queue_add(&f.queue, &f.source->base, total - 5000, piece, 100, ARB_READ_PIECE, &read, NULL), ARB_OK);
    arb_read_queue_run(&f.queue);
    assert_int_equal(arb_queued_read_finish(&f.queue, read, NULL, NULL), ARB_OK);
    assert_memory_equal(piece, bytes + total - 5000, 100);
    assert_int_equal(atomic_load(&f.source->bytes_expected), 5000);
    stop(&f);
}

static void nothing_is_read_ahead_while_memory_is_short(void **state)
{
    (void)state;
    fixture f;
    start(&f, 0, 4096);
    arb_reservation other;
    arb_reservation_init(&other, &f.memory, "another");
    assert_true(arb_reservation_try_grow(&other, (64 << 20) - (1 << 20)));
    assert_true(arb_held_is_short(&f.held));
    get(&f, 0, 1000, 4096);
    assert_null(f.window.read);
    arb_reservation_reset(&other);
    get(&f, 1000, 3096, 4096);
    assert_non_null(f.window.read);
    stop(&f);
}

/* What is needed for any progress is granted, what goes beyond only when there is room. */
static void memory_is_asked_for_before_it_is_taken(void **state)
{
    (void)state;
    fixture f;
    arb_error error = {0};
    start(&f, 100, 4096);
    f.governor.limit = 1000;
    get(&f, 0, 200000, 200000);
    assert_true(atomic_load(&f.governor.used) > 200000);
    arb_padded_buffer buffer = {.held = &f.held};
    assert_int_equal(arb_padded_buffer_reserve(&buffer, ARB_HELD_ALWAYS, &error), ARB_OUT_OF_MEMORY);
    assert_null(buffer.data);
    f.governor.limit = 256 << 20;
    assert_int_equal(arb_padded_buffer_reserve(&buffer, ARB_HELD_ALWAYS, &error), ARB_OK);
    assert_true(atomic_load(&f.governor.used) > ARB_HELD_ALWAYS);
    arb_padded_buffer_reset(&buffer);
    stop(&f);
    assert_int_equal(atomic_load(&f.governor.used), 0);
}

static void failures_come_to_whoever_asks(void **state)
{
    (void)state;
    fixture f;
    arb_error error = {0};
    const uint8_t *data;
    start(&f, 0, 4096);
    f.source->fails = true;
    assert_int_equal(arb_byte_window_get(&f.window, 0, 10, 10, total, &data, &error), ARB_WOULD_WAIT);
    assert_int_equal(error.code, ARB_OK);
    assert_int_equal(arb_byte_window_get(&f.window, 0, 10, 10, total, &data, &error), ARB_WOULD_WAIT);
    arb_read_queue_run(&f.queue);
    assert_int_equal(arb_byte_window_get(&f.window, 0, 10, 10, total, &data, &error), ARB_IO);
    assert_string_equal(error.message, "the disk is gone");
    stop(&f);
#ifdef ARB_FAILPOINTS
    for (uint64_t n = 1;; n++) {
        start(&f, 0, 4096);
        arb_alloc_fail_at(n, false);
        arb_code code = ARB_OK;
        for (uint64_t at = 0; at < 20000 && code == ARB_OK; at += 1000)
            while ((code = arb_byte_window_get(&f.window, at, 1000, 4096, total, &data, &error)) == ARB_WOULD_WAIT)
                arb_read_queue_run(&f.queue);
        uint64_t asked = arb_alloc_count();
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        stop(&f);
        if (asked < n)
            break;
    }
#endif
}

/* A window goes while its read is noted, queued or running. The source stays open as long as a read needs it. */
static void reads_outlive_their_window(void **state)
{
    (void)state;
    arb_cpu_pool *cpu;
    arb_io_pool *io;
    arb_task_group tasks;
    arb_io_group group;
    arb_io_waiter waiter;
    arb_task task = {.group = &tasks};
    _Atomic bool gate = false;
    _Atomic int closed = 0;
    fixture f[3];
    assert_int_equal(arb_cpu_pool_create(1, &cpu, NULL), ARB_OK);
    assert_int_equal(arb_io_pool_create(1, &io, NULL), ARB_OK);
    arb_task_group_init(&tasks, cpu);
    arb_io_group_init(&group, io);
    arb_io_waiter_init(&waiter, &group, &task);
    for (int i = 0; i < 3; i++) {
        const uint8_t *data;
        start(&f[i], 0, 4096);
        f[i].source->gate = &gate;
        f[i].source->closed = &closed;
        assert_int_equal(arb_byte_window_get(&f[i].window, 0, 10, 4096, total, &data, NULL), ARB_WOULD_WAIT);
        if (i < 2)
            assert_int_equal(arb_read_queue_submit(&f[i].queue, &waiter, NULL), ARB_OK);
        usleep(20000); /* the first one runs */
    }
    for (int i = 0; i < 3; i++)
        stop(&f[i]);
    assert_int_equal(atomic_load(&closed), 2);
    assert_int_equal(atomic_load(&f[0].governor.used), 0);
    atomic_store(&gate, true);
    arb_io_waiter_reset(&waiter);
    arb_io_pool_destroy(io);
    assert_int_equal(atomic_load(&closed), 3);
    arb_cpu_pool_destroy(cpu);
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* Not all of a file is in the system's cache, or none, or the file system does not say; but what comes is right, and once
 * it was read it is there. */
static void check_local(const char *folder, bool in_memory)
{
    char path[64];
    snprintf(path, sizeof path, "%s/arbalest-XXXXXX", folder);
    int file = mkstemp(path);
    if (file < 0)
        return;
    static uint8_t back[total];
    size_t got = 0;
    arb_byte_source *source;
    arb_error error = {0};
    assert_int_equal(write(file, bytes, total), total);
    assert_int_equal(fsync(file), 0);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    assert_int_equal(arb_byte_source_open_local(path, &source, &error), ARB_OK);
    assert_int_equal(arb_byte_source_try_read(source, 100, back, total - 100, &got, &error), ARB_OK);
    assert_memory_equal(back, bytes + 100, got);
    if (in_memory)
        assert_int_equal(got, total - 100);
    assert_int_equal(arb_byte_source_read(source, 100, back, total - 100, &error), ARB_OK);
    assert_memory_equal(back, bytes + 100, total - 100);
    assert_int_equal(arb_byte_source_try_read(source, 0, back, total + 1, &got, &error), ARB_CORRUPT_DATA);
    assert_int_equal(ftruncate(file, 5000), 0);
    assert_int_equal(arb_byte_source_try_read(source, 4000, back, 2000, &got, &error), ARB_OK);
    assert_true(got <= 1000);
    assert_int_equal(arb_byte_source_read(source, 4000, back, 2000, &error), ARB_FILE_CHANGED);
    arb_byte_source *shared = arb_byte_source_share(source);
    assert_ptr_equal(shared, source);
    arb_byte_source_destroy(source);
    assert_int_equal(arb_byte_source_read(shared, 0, back, 5000, &error), ARB_OK);
    arb_byte_source_destroy(shared);
    close(file);
    unlink(path);
}

static void files_give_what_the_system_has(void **state)
{
    (void)state;
    check_local("/tmp", false);
    check_local("/dev/shm", true);
}

static void memory_is_always_there(void **state)
{
    (void)state;
    static uint8_t back[total];
    size_t got;
    arb_byte_source *source;
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("bytes"), bytes, total, &source, NULL), ARB_OK);
    assert_int_equal(arb_byte_source_try_read(source, 7, back, total - 7, &got, NULL), ARB_OK);
    assert_int_equal(got, total - 7);
    assert_memory_equal(back, bytes + 7, got);
    assert_int_equal(arb_byte_source_try_read(source, total, back, 0, &got, NULL), ARB_OK);
    assert_int_equal(got, 0);
    arb_byte_source_destroy(source);
}

int main(void)
{
    for (size_t i = 0; i < total; i++)
        bytes[i] = (uint8_t)arb_hash_u64(i);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_give_what_was_asked_for),
        cmocka_unit_test(nothing_is_read_twice),
        cmocka_unit_test(only_what_must_be_waited_for_is_read_ahead),
        cmocka_unit_test(what_must_be_waited_for_is_read_in_large_parts),
        cmocka_unit_test(what_is_expected_is_read_ahead_where_bytes_come_late),
        cmocka_unit_test(nothing_is_read_ahead_while_memory_is_short),
        cmocka_unit_test(memory_is_asked_for_before_it_is_taken),
        cmocka_unit_test(failures_come_to_whoever_asks),
        cmocka_unit_test(reads_outlive_their_window),
        cmocka_unit_test(files_give_what_the_system_has),
        cmocka_unit_test(memory_is_always_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
