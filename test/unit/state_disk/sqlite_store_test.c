/* What the store in a file must do besides: last, survive kill -9 and full disks, and say what is wrong with a file. */
#include "small_disk.h"

#include "sqlite_memory.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/text.h"
#include "state_disk/sqlite_store.h"

static char folder[64], path[128];
static arb_error error;

static int set_up(void **state)
{
    (void)state;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/state.sqlite", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    folder_delete(folder);
    return 0;
}

static arb_store *open_store(void)
{
    arb_store *store;
    if (arb_sqlite_store_open(path, &store, &error) != ARB_OK)
        fail_msg("%s", error.message);
    return store;
}

static arb_code write_value(arb_store *store, uint64_t term, const char *key, arb_str value, arb_store_outcome *outcome)
{
    const arb_store_operation operation = {ARB_STORE_PUT, arb_str_of(key), value};
    return arb_store_txn_wait(store, term, &operation, 1, outcome, NULL, &error);
}

static arb_code count_one(void *context, arb_str key, arb_str value, arb_error *unused)
{
    (void)key;
    (void)value;
    (void)unused;
    ++*(uint64_t *)context;
    return ARB_OK;
}

static void it_lasts(void **state)
{
    (void)state;
    uint64_t term;
    arb_store_outcome outcome;
    struct stat facts;
    arb_store *store = open_store();
    arb_uuid cluster = store->cluster;
    assert_true(cluster.high != 0 && cluster.low != 0);
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    assert_int_equal(write_value(store, term, "k", ARB_STR("v"), &outcome), ARB_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    arb_store_destroy(store);
    store = open_store();
    assert_true(arb_uuid_equal(store->cluster, cluster));
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    assert_int_equal(term, 2);
    const arb_store_operation same = {ARB_STORE_COMPARE, ARB_STR("k"), ARB_STR("v")};
    assert_int_equal(arb_store_txn_wait(store, term, &same, 1, &outcome, NULL, &error), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_COMMITTED);
    arb_store_destroy(store);
}

static void the_older_of_two_is_fenced(void **state)
{
    (void)state;
    uint64_t first, second;
    arb_store_outcome outcome;
    arb_store *older = open_store(), *newer = open_store();
    assert_true(arb_uuid_equal(older->cluster, newer->cluster));
    assert_int_equal(arb_store_raise_term(older, &first, &error), ARB_OK);
    assert_int_equal(write_value(older, first, "a", ARB_STR("1"), &outcome), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_COMMITTED);
    assert_int_equal(arb_store_raise_term(newer, &second, &error), ARB_OK);
    assert_int_equal(second, first + 1);
    assert_int_equal(write_value(older, first, "a", ARB_STR("2"), &outcome), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_FENCED);
    assert_int_equal(write_value(newer, second, "a", ARB_STR("3"), &outcome), ARB_OK);
    assert_int_equal(outcome, ARB_STORE_COMMITTED);
    arb_store_destroy(older);
    arb_store_destroy(newer);
}

/* ---- what it costs ----------------------------------------------------------------------------------------------------- */

static int most_steps; /* of SQLite's machine in one statement */

static int note_steps(unsigned what, void *context, void *ended, void *unused)
{
    (void)what;
    (void)context;
    (void)unused;
    int steps = sqlite3_stmt_status(ended, SQLITE_STMTSTATUS_VM_STEP, 1);
    most_steps = ARB_MAX(most_steps, steps);
    return 0;
}

/* What sqlite3_auto_extension calls for each connection; the type it wants hides that. */
static int watch(sqlite3 *connection, char **message, const void *unused)
{
    (void)message;
    (void)unused;
    return sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, note_steps, NULL);
}

static atomic_int syncs;

/* In the place of libc's, for SQLite too. */
__attribute__((visibility("default"))) int fdatasync(int file);
__attribute__((visibility("default"))) int fsync(int file);

int fdatasync(int file)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file)
{
    syncs++;
    return (int)syscall(SYS_fsync, file);
}

static atomic_int ended;

static void count_end(arb_store_txn *txn)
{
    ended += txn->outcome == ARB_STORE_COMMITTED;
}

static void each_commit_is_synced_and_those_that_wait_are_once(void **state)
{
    enum { ALONE = 20, TOGETHER = 200 };
    (void)state;
    uint64_t term;
    arb_store_outcome outcome;
    static arb_store_txn txns[TOGETHER];
    const arb_store_operation puts[] = {{ARB_STORE_PUT, ARB_STR("k"), ARB_STR("x")},
                                        {ARB_STORE_PUT, ARB_STR("k"), ARB_STR("y")}};
    sqlite3 *raw;
    arb_store *store = open_store();
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    int before = syncs;
    for (int i = 0; i < ALONE; i++)
        assert_int_equal(write_value(store, term, "k", (arb_str){&"ab"[i % 2], 1}, &outcome), ARB_OK);
    assert_in_range(syncs - before, ALONE, 2 * ALONE); /* a value that is there already would be no change */
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK); /* so that they wait */
    before = syncs;
    ended = 0;
    for (int i = 0; i < TOGETHER; i++) {
        txns[i] = (arb_store_txn){.term = term, .operations = &puts[i % 2], .operation_count = 1, .done = count_end};
        arb_store_submit(store, &txns[i]);
    }
    assert_int_equal(ended, 0);
    assert_int_equal(sqlite3_exec(raw, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    while (ended < TOGETHER)
        usleep(1000);
    assert_in_range(syncs - before, 1, 4); /* the first alone, perhaps, then all others */
    arb_store_destroy(store);
}

static void a_range_costs_what_is_in_it(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    uint64_t term, rows = 0;
    arb_store_outcome outcome;
    static char keys[KEYS][16];
    static arb_store_operation operations[KEYS];
    sqlite3_auto_extension((void (*)(void))watch);
    arb_store *store = open_store();
    sqlite3_cancel_auto_extension((void (*)(void))watch);
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    for (int i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "%s/%d", i < 10 ? "a" : "b", i);
        operations[i] = (arb_store_operation){ARB_STORE_PUT, arb_str_of(keys[i]), ARB_STR("v")};
    }
    assert_int_equal(arb_store_txn_wait(store, term, operations, KEYS, &outcome, NULL, &error), ARB_OK);
    most_steps = 0;
    assert_int_equal(arb_store_range(store, ARB_STR("a/"), count_one, &rows, &error), ARB_OK);
    assert_int_equal(rows, 10);
    operations[0] = (arb_store_operation){ARB_STORE_DELETE_PREFIX, ARB_STR("a/"), {"", 0}};
    assert_int_equal(arb_store_txn_wait(store, term, operations, 1, &outcome, NULL, &error), ARB_OK);
    assert_in_range(most_steps, 10, 1000);
    arb_store_destroy(store);
}

/* ---- kill -9 ----------------------------------------------------------------------------------------------------------- */

/* Writes `last` = n and `n/…` together, says n when it is committed, until it is killed. */
static void write_until_killed(int said, uint64_t from)
{
    arb_store *store;
    uint64_t term;
    char value[4000];
    memset(value, 'x', sizeof value);
    if (arb_sqlite_store_open(path, &store, &error) != ARB_OK || arb_store_raise_term(store, &term, &error) != ARB_OK)
        _exit(3);
    for (uint64_t n = from;; n++) {
        char text[24], key[32];
        arb_store_outcome outcome;
        snprintf(text, sizeof text, "%020llu", (unsigned long long)n);
        snprintf(key, sizeof key, "n/%s", text);
        const arb_store_operation operations[] = {{ARB_STORE_PUT, ARB_STR("last"), {text, 20}},
                                                  {ARB_STORE_PUT, arb_str_of(key), {value, (n * 37) % sizeof value}}};
        if (arb_store_txn_wait(store, term, operations, 2, &outcome, NULL, &error) != ARB_OK ||
            outcome != ARB_STORE_COMMITTED || write(said, &n, sizeof n) != sizeof n)
            _exit(4);
    }
}

static arb_code take_number(void *context, arb_str key, arb_str value, arb_error *unused)
{
    char text[24] = {0};
    (void)key;
    (void)unused;
    memcpy(text, value.data, 20);
    *(uint64_t *)context = strtoull(text, NULL, 10);
    return ARB_OK;
}

static void kill_loses_nothing_that_was_committed(void **state)
{
    enum { ROUNDS = 15 };
    (void)state;
    uint64_t committed = 0, random = 5;
    arb_store_destroy(open_store());
    for (int round = 0; round < ROUNDS; round++) {
        int pipe_ends[2];
        uint64_t last = 0, rows = 0, said;
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(pipe_ends[1], committed + 1);
        close(pipe_ends[1]);
        random = random * 6364136223846793005u + 1442695040888963407u;
        for (uint64_t until = random >> 58; read(pipe_ends[0], &said, sizeof said) == sizeof said;) {
            committed = said;
            if (until-- == 0) {
                usleep((useconds_t)((random >> 40) % 3000));
                kill(child, SIGKILL);
            }
        }
        close(pipe_ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        arb_store *store = open_store();
        assert_int_equal(arb_store_range(store, ARB_STR("last"), take_number, &last, &error), ARB_OK);
        assert_int_equal(arb_store_range(store, ARB_STR("n/"), count_one, &rows, &error), ARB_OK);
        arb_store_destroy(store);
        assert_true(last == committed || last == committed + 1); /* it may have died before it could say so */
        assert_int_equal(rows, last);
        committed = last;
    }
    assert_true(committed >= ROUNDS);
}

/* ---- full disks -------------------------------------------------------------------------------------------------------- */

/* Fill the store until it says that there is no room; then small things go again, when there is. */
static void fill_up(arb_code expected)
{
    static char value[20000];
    uint64_t term, written = 0, rows = 0;
    arb_store_outcome outcome = ARB_STORE_COMMITTED;
    arb_store *store = open_store();
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    memset(value, 'y', sizeof value);
    while (written < 1000) {
        char key[32];
        snprintf(key, sizeof key, "row/%05llu", (unsigned long long)written);
        if (write_value(store, term, key, (arb_str){value, sizeof value}, &outcome) != ARB_OK)
            break;
        written++;
    }
    assert_int_equal(outcome, ARB_STORE_FAILED);
    if (error.code != expected)
        fail_msg("%s", error.message);
    assert_true(written > 3);
    assert_int_equal(arb_store_range(store, ARB_STR("row/"), count_one, &rows, &error), ARB_OK);
    assert_int_equal(rows, written);
    arb_store_destroy(store);
    rows = 0;
    store = open_store();
    assert_int_equal(arb_store_range(store, ARB_STR("row/"), count_one, &rows, &error), ARB_OK);
    assert_int_equal(rows, written);
    arb_store_destroy(store);
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    if (!folder_limit(folder, 600))
        return;
    fill_up(ARB_DISK_FULL);
    folder_unlimit(folder);
}

static void a_write_that_fails_is_said(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){400000, 400000});
        fill_up(ARB_IO);
        _exit(0); /* an assertion that fails would have ended it otherwise */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- what may be wrong with a file ------------------------------------------------------------------------------------- */

static void refused(arb_code code, const char *part)
{
    arb_store *store;
    assert_int_equal(arb_sqlite_store_open(path, &store, &error), code);
    assert_null(store);
    if (strstr(error.message, part) == NULL)
        fail_msg("'%s' does not say '%s'", error.message, part);
}

static void execute(const char *text)
{
    sqlite3 *raw;
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
}

static void read_page(char out[4096])
{
    int file = open(path, O_RDONLY);
    assert_int_equal(pread(file, out, 4096, 0), 4096);
    close(file);
}

/* Its application stands in the file, whatever is still in the log. */
static void a_killed_one_is_known_again(void **state)
{
    (void)state;
    int status;
    pid_t child = fork();
    if (child == 0) {
        open_store();
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    arb_store_destroy(open_store());
    execute("PRAGMA journal_mode = DELETE"); /* and when somebody has looked into it so */
    arb_store_destroy(open_store());
}

/* Open the file when the pipe is closed, all at the same moment. */
static void open_at_once(int waits)
{
    arb_store *store;
    char nothing;
    if (read(waits, &nothing, 1) != 0 || arb_sqlite_store_open(path, &store, &error) != ARB_OK)
        _exit(3);
    arb_store_destroy(store);
    _exit(0);
}

static void several_may_make_it_at_once(void **state)
{
    enum { ROUNDS = 40, PROCESSES = 6 };
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        int status, ends[2];
        snprintf(path, sizeof path, "%s/%d.sqlite", folder, round);
        assert_int_equal(pipe(ends), 0);
        for (int i = 0; i < PROCESSES; i++)
            if (fork() == 0) {
                close(ends[1]);
                open_at_once(ends[0]);
            }
        close(ends[0]);
        close(ends[1]);
        for (int i = 0; i < PROCESSES; i++) {
            assert_true(wait(&status) > 0);
            assert_int_equal(status, 0);
        }
    }
}

static void files_of_others_are_refused(void **state)
{
    (void)state;
    char before[4096], after[4096], log[160];
    execute("CREATE TABLE t (a)");
    read_page(before);
    refused(ARB_CONFIGURATION, "is not a state store");
    read_page(after);
    assert_memory_equal(before, after, sizeof before); /* nor is it changed: it may be somebody's */
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_not_equal(access(log, F_OK), 0);
    unlink(path);
    arb_store_destroy(open_store());
    execute("PRAGMA user_version = 2");
    refused(ARB_CONFIGURATION, "layout 2");
    unlink(path);
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(file, "this is no database, but text of some length", 44), 44);
    close(file);
    refused(ARB_CORRUPT_DATA, "damaged");
    unlink(path);
    assert_int_equal(symlink("elsewhere", path), 0);
    refused(ARB_IO, "cannot be opened");
    unlink(path);
    snprintf(path, sizeof path, "%s/not/there", folder);
    refused(ARB_FILE_NOT_FOUND, "cannot be opened");
}

static void damage_is_found(void **state)
{
    (void)state;
    uint64_t term, rows = 0;
    arb_store_outcome outcome;
    arb_store *store = open_store();
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    static char value[3000];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 100; i++) {
        char key[32];
        snprintf(key, sizeof key, "key/%d", i);
        assert_int_equal(write_value(store, term, key, (arb_str){value, sizeof value}, &outcome), ARB_OK);
    }
    arb_store_destroy(store); /* the log goes into the file */
    int file = open(path, O_RDWR);
    char junk[4096];
    memset(junk, 0xA5, sizeof junk);
    for (off_t page = 3; page < 60; page++)
        assert_int_equal(pwrite(file, junk, sizeof junk, page * 4096), sizeof junk);
    close(file);
    if (arb_sqlite_store_open(path, &store, &error) == ARB_OK) {
        assert_int_equal(arb_store_range(store, ARB_STR(""), count_one, &rows, &error), ARB_CORRUPT_DATA);
        arb_store_destroy(store);
    }
    assert_int_equal(error.code, ARB_CORRUPT_DATA);
}

static void a_lock_is_not_waited_for_without_end(void **state)
{
    (void)state;
    uint64_t term;
    arb_store_outcome outcome;
    sqlite3 *raw;
    arb_store *store = open_store();
    assert_int_equal(arb_store_raise_term(store, &term, &error), ARB_OK);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t begin = arb_clock_monotonic_ns();
    assert_int_equal(write_value(store, term, "k", ARB_STR("v"), &outcome), ARB_IO);
    assert_non_null(strstr(error.message, "locked"));
    assert_in_range(arb_clock_monotonic_ns() - begin, 4000000000, 30000000000);
    assert_int_equal(sqlite3_exec(raw, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    assert_int_equal(write_value(store, term, "k", ARB_STR("v"), &outcome), ARB_OK);
    arb_store_destroy(store);
}

#ifdef ARB_FAILPOINTS
static void opening_survives_each_failing_allocation(void **state)
{
    (void)state;
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        arb_store *store = NULL;
        arb_alloc_fail_at(nth, false);
        arb_code code = arb_sqlite_store_open(path, &store, &error);
        failed = arb_alloc_count() >= nth;
        arb_alloc_fail_at(0, false);
        assert_true(code == ARB_OK || code == ARB_OUT_OF_MEMORY);
        arb_store_destroy(store);
    }
    arb_store_destroy(open_store());
}
#endif

int main(void)
{
    sqlite_through_alloc();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_lasts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_older_of_two_is_fenced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_commit_is_synced_and_those_that_wait_are_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_range_costs_what_is_in_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kill_loses_nothing_that_was_committed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_fails_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_one_is_known_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_may_make_it_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_of_others_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_is_not_waited_for_without_end, set_up, tear_down),
#ifdef ARB_FAILPOINTS
        cmocka_unit_test_setup_teardown(opening_survives_each_failing_allocation, set_up, tear_down),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
