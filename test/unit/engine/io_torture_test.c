/* Statements over files, with each system call on a file failing in turn: reads and writes that fail, that do less than
 * asked, that are interrupted; files that cannot be opened, brought to disk, closed, or named. What was interrupted or came
 * in pieces must end well. What failed must say so with a code of its kind; then no file but those that were there may be
 * there, no descriptor may be left open, and the same session must carry the statement out when the calls work again.
 *
 * The linker leads the calls of the whole program here (see ARB_WRAPPED_io_torture_test in cmake/tests.cmake), so nothing in
 * the libraries knows of it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "engine/session.h"

/* ---- calls that fail --------------------------------------------------------------------------------------------- */

typedef enum call_kind { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_CLOSE, CALL_RENAME } call_kind;
typedef enum outcome { WORKS, FAILS, COMES_SHORT, FINDS_END } outcome;

typedef struct fault {
    const char *name;
    call_kind kind;
    outcome outcome;
    int reason;   /* errno of FAILS */
    bool is_mild; /* the statement must end well all the same */
} fault;

static const fault faults[] = {
    {"open: too many files", CALL_OPEN, FAILS, EMFILE, false},
    {"open: access denied", CALL_OPEN, FAILS, EACCES, false},
    {"read: input/output error", CALL_READ, FAILS, EIO, false},
    {"read: the file became shorter", CALL_READ, FINDS_END, 0, false},
    {"read: interrupted", CALL_READ, FAILS, EINTR, true},
    {"read: less than asked", CALL_READ, COMES_SHORT, 0, true},
    {"write: input/output error", CALL_WRITE, FAILS, EIO, false},
    {"write: disk full", CALL_WRITE, FAILS, ENOSPC, false},
    {"write: interrupted", CALL_WRITE, FAILS, EINTR, true},
    {"write: less than asked", CALL_WRITE, COMES_SHORT, 0, true},
    {"fsync: input/output error", CALL_SYNC, FAILS, EIO, false},
    {"close: input/output error", CALL_CLOSE, FAILS, EIO, false},
    {"close: interrupted", CALL_CLOSE, FAILS, EINTR, true},
    {"rename: access denied", CALL_RENAME, FAILS, EACCES, false},
};

/* One thread at a time makes calls while this is armed: the sessions here have one. */
static const fault *armed;
static uint64_t calls, fails_at;

static outcome next_outcome(call_kind kind)
{
    if (armed == NULL || armed->kind != kind || ++calls != fails_at)
        return WORKS;
    errno = armed->reason;
    return armed->outcome;
}

int __real_open(const char *path, int flags, mode_t mode);
int __real_openat(int folder, const char *path, int flags, mode_t mode);
ssize_t __real_pread(int file, void *to, size_t size, off_t offset);
ssize_t __real_preadv2(int file, const struct iovec *to, int count, off_t offset, int flags);
ssize_t __real_pwrite(int file, const void *from, size_t size, off_t offset);
ssize_t __real_write(int file, const void *from, size_t size);
int __real_fsync(int file);
int __real_close(int file);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
ssize_t __wrap_pread(int file, void *to, size_t size, off_t offset);
ssize_t __wrap_preadv2(int file, const struct iovec *to, int count, off_t offset, int flags);
ssize_t __wrap_pwrite(int file, const void *from, size_t size, off_t offset);
ssize_t __wrap_write(int file, const void *from, size_t size);
int __wrap_fsync(int file);
int __wrap_close(int file);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return next_outcome(CALL_OPEN) == WORKS ? __real_open(path, flags, mode) : -1;
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return next_outcome(CALL_OPEN) == WORKS ? __real_openat(folder, path, flags, mode) : -1;
}

static size_t less(size_t size)
{
    return size > 1 ? size / 2 : size;
}

ssize_t __wrap_pread(int file, void *to, size_t size, off_t offset)
{
    switch (next_outcome(CALL_READ)) {
    case FAILS:
        return -1;
    case FINDS_END:
        return 0;
    case COMES_SHORT:
        return __real_pread(file, to, less(size), offset);
    default:
        return __real_pread(file, to, size, offset);
    }
}

ssize_t __wrap_preadv2(int file, const struct iovec *to, int count, off_t offset, int flags)
{
    struct iovec first = {to->iov_base, less(to->iov_len)};
    switch (next_outcome(CALL_READ)) {
    case FAILS:
        return -1;
    case FINDS_END:
        return 0;
    case COMES_SHORT:
        return __real_preadv2(file, &first, 1, offset, flags);
    default:
        return __real_preadv2(file, to, count, offset, flags);
    }
}

ssize_t __wrap_pwrite(int file, const void *from, size_t size, off_t offset)
{
    outcome how = next_outcome(CALL_WRITE);
    return how == FAILS ? -1 : __real_pwrite(file, from, how == COMES_SHORT ? less(size) : size, offset);
}

ssize_t __wrap_write(int file, const void *from, size_t size)
{
    outcome how = next_outcome(CALL_WRITE);
    return how == FAILS ? -1 : __real_write(file, from, how == COMES_SHORT ? less(size) : size);
}

int __wrap_fsync(int file)
{
    return next_outcome(CALL_SYNC) == WORKS ? __real_fsync(file) : -1;
}

/* Whatever it says, the descriptor is gone. */
int __wrap_close(int file)
{
    if (next_outcome(CALL_CLOSE) == WORKS)
        return __real_close(file);
    int reason = errno;
    (void)__real_close(file);
    errno = reason;
    return -1;
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return next_outcome(CALL_RENAME) == WORKS ? __real_renameat(from_folder, from, to_folder, to) : -1;
}

/* ---- what is there ----------------------------------------------------------------------------------------------- */

static char folder[64], spill[80];

static size_t entries_of(const char *path)
{
    size_t count = 0;
    DIR *list = opendir(path);
    assert_non_null(list);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

/* F/ stands for the folder. */
typedef struct tortured {
    const char *sql;
    const char *settings; /* of how it runs: spilled in small batches, or NULL */
    const char *made;     /* the file that it makes, or NULL */
    bool replaces;        /* that file is there, and stays as it was when the statement fails */
} tortured;

/* clang-format off */
static const char *const made_first[] = {
    "COPY (SELECT x, 'the text of number ' || x AS t, x * 1.25 AS d FROM range(900) r(x)) TO 'F/t.parquet'",
    "COPY (SELECT x, 'the text of number ' || x AS t, x * 1.25 AS d FROM range(900) r(x)) TO 'F/t.csv'",
    "COPY (SELECT 'old' AS t) TO 'F/old.csv'",
};

static const tortured statements[] = {
    {"SELECT count(*), sum(x), max(t) FROM 'F/t.parquet'", NULL, NULL, false},
    {"SELECT x, t, d FROM 'F/t.parquet' WHERE t LIKE '%7%' AND x > 100 ORDER BY x", NULL, NULL, false},
    {"SELECT count(*), sum(x), min(t) FROM 'F/t.csv'", NULL, NULL, false},
    {"SELECT a.x, b.t FROM 'F/t.parquet' a JOIN 'F/t.csv' b ON a.t = b.t ORDER BY b.t DESC", "spill", NULL, false},
    {"SELECT t, count(*) FROM 'F/t.csv' GROUP BY t ORDER BY t", "spill", NULL, false},
    {"COPY (SELECT * FROM 'F/t.parquet') TO 'F/out.parquet'", NULL, "F/out.parquet", false},
    {"COPY (SELECT * FROM 'F/t.csv' ORDER BY x) TO 'F/out.csv'", "spill", "F/out.csv", false},
    {"COPY (SELECT * FROM 'F/t.csv' ORDER BY x) TO 'F/old.csv'", NULL, "F/old.csv", true},
    {"CREATE OR REPLACE TABLE copied AS SELECT * FROM 'F/t.csv'", NULL, NULL, false},
};
/* clang-format on */

static const char *with_folder(const char *text, char *to, size_t room)
{
    size_t size = 0;
    for (; *text != '\0'; text++) {
        bool place = text[0] == 'F' && text[1] == '/';
        size += (size_t)snprintf(to + size, room - size, "%.*s", place ? 0 : 1, text);
        if (place)
            size += (size_t)snprintf(to + size, room - size, "%s", folder);
        assert_true(size < room);
    }
    return to;
}

static arb_code add_row(const arb_batch *batch, const arb_result_columns *columns, size_t row, uint64_t *hash,
                        arb_error *error)
{
    for (size_t i = 0; i < columns->column_count; i++) {
        arb_value value;
        arb_text text = {0};
        ARB_TRY(arb_vector_get_value(&batch->columns[i], columns->types[i], row, NULL, &value, error));
        arb_value_print(&text, &value);
        *hash = arb_hash_combine(*hash, arb_str_hash(arb_text_view(&text)) + value.is_null);
        arb_code code = arb_text_check(&text, error);
        arb_text_reset(&text);
        ARB_TRY(code);
    }
    return ARB_OK;
}

/* A hash of the rows in their order. */
static arb_code run(arb_session *session, const char *sql, uint64_t *out_hash, arb_error *error)
{
    char text[512];
    arb_result *result = NULL;
    const arb_batch *batch = NULL;
    *out_hash = 1;
    ARB_TRY(arb_session_execute(session, arb_str_of(with_folder(sql, text, sizeof text)), &result, error));
    const arb_result_columns *columns = arb_result_describe(result);
    arb_code code = ARB_OK;
    while (columns->has_rows && (code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL)
        for (size_t row = 0; row < batch->rows && code == ARB_OK; row++)
            code = add_row(batch, columns, row, out_hash, error);
    arb_result_destroy(result);
    return code;
}

typedef struct fresh {
    arb_runtime *runtime;
    arb_session *session;
} fresh;

/* Nothing is open yet: each file will be opened anew, and again when another one was read meanwhile. */
static fresh begin(const char *settings)
{
    fresh f;
    arb_error error = {0};
    const arb_runtime_options options = {
        .threads = 1, .memory_limit = 1 << 30, .spill_folder = spill, .descriptors = 1};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &error), ARB_OK);
    assert_int_equal(arb_session_create(f.runtime, &f.session, &error), ARB_OK);
    if (settings != NULL) {
        arb_session_settings(f.session)->force_spill = true;
        arb_session_settings(f.session)->batch_rows = 100;
    }
    return f;
}

static void end(fresh *f)
{
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
}

/* What the statement gives, or made. */
static uint64_t result_of(const tortured *statement, uint64_t hash)
{
    if (statement->made == NULL)
        return hash;
    char sql[256];
    arb_error error = {0};
    fresh reader = begin(NULL);
    snprintf(sql, sizeof sql, "SELECT * FROM '%s'", statement->made);
    assert_int_equal(run(reader.session, sql, &hash, &error), ARB_OK);
    end(&reader);
    return hash;
}

static bool is_there(const char *path)
{
    char text[256];
    return access(with_folder(path, text, sizeof text), F_OK) == 0;
}

static void remove_made(const tortured *statement)
{
    char text[256];
    if (statement->made != NULL && !statement->replaces)
        (void)unlink(with_folder(statement->made, text, sizeof text));
}

static bool is_of_its_kind(arb_code code)
{
    return code == ARB_IO || code == ARB_DISK_FULL || code == ARB_FILE_CHANGED || code == ARB_ACCESS_DENIED ||
           code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED;
}

typedef struct torture {
    const tortured *statement;
    uint64_t expected, old; /* results: of the statement, and of what it replaces */
    size_t files, descriptors;
} torture;

/* The statement with the `n`th call failing. False when there are not as many calls. */
static bool fail_call(const torture *t, const fault *how, uint64_t n)
{
    const tortured *statement = t->statement;
    arb_error error = {0};
    uint64_t hash, again;
    fresh f = begin(statement->settings);
    armed = how;
    calls = 0;
    fails_at = n;
    arb_code code = run(f.session, statement->sql, &hash, &error);
    armed = NULL;
    bool reached = calls >= n;
    if (code != ARB_OK && (how->is_mild || !is_of_its_kind(code) || error.message[0] == '\0'))
        fail_msg("%s, call %llu: %s: %s (%s)", how->name, (unsigned long long)n, arb_code_name(code), error.message,
                 statement->sql);
    bool fine = code == ARB_OK ? result_of(statement, hash) == t->expected
                               : statement->made == NULL || is_there(statement->made) == statement->replaces;
    if (code != ARB_OK && statement->replaces)
        fine = fine && result_of(statement, 0) == t->old;
    if (!fine)
        fail_msg("%s, call %llu: wrong result (%s)", how->name, (unsigned long long)n, statement->sql);
    remove_made(statement);
    size_t files = entries_of(folder);
    if (files != t->files || entries_of(spill) != 2)
        fail_msg("%s, call %llu: a file is left (%s)", how->name, (unsigned long long)n, statement->sql);
    arb_error_clear(&error);
    if (run(f.session, statement->sql, &again, &error) != ARB_OK || result_of(statement, again) != t->expected)
        fail_msg("%s, call %llu: afterwards: %s (%s)", how->name, (unsigned long long)n, error.message, statement->sql);
    end(&f);
    remove_made(statement);
    if (statement->replaces)
        assert_int_equal(run((f = begin(NULL)).session, made_first[2], &again, &error), ARB_OK), end(&f);
    if (entries_of("/proc/self/fd") != t->descriptors)
        fail_msg("%s, call %llu: a descriptor is left open (%s)", how->name, (unsigned long long)n, statement->sql);
    return reached;
}

static uint64_t count_calls(const tortured *statement, const fault *how)
{
    arb_error error = {0};
    uint64_t hash;
    fresh f = begin(statement->settings);
    armed = how;
    calls = fails_at = 0;
    assert_int_equal(run(f.session, statement->sql, &hash, &error), ARB_OK);
    armed = NULL;
    end(&f);
    remove_made(statement);
    return calls;
}

static void torture_statement(const tortured *statement)
{
    enum { most = 40 };
    arb_error error = {0};
    uint64_t hash;
    torture t = {.statement = statement};
    fresh f = begin(statement->settings);
    t.old = statement->replaces ? result_of(statement, 0) : 0;
    if (run(f.session, statement->sql, &hash, &error) != ARB_OK)
        fail_msg("%s: %s", statement->sql, error.message);
    t.expected = result_of(statement, hash);
    end(&f);
    remove_made(statement);
    if (statement->replaces)
        assert_int_equal(run((f = begin(NULL)).session, made_first[2], &hash, &error), ARB_OK), end(&f);
    t.files = entries_of(folder);
    t.descriptors = entries_of("/proc/self/fd");
    for (size_t i = 0; i < ARB_COUNT_OF(faults); i++) {
        uint64_t count = count_calls(statement, &faults[i]), step = count / most + 1;
        if (statement->replaces)
            assert_int_equal(run((f = begin(NULL)).session, made_first[2], &hash, &error), ARB_OK), end(&f);
        for (uint64_t n = 1; n <= count; n += step)
            assert_true(fail_call(&t, &faults[i], n));
    }
}

static void each_call_fails_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(statements); i++)
        torture_statement(&statements[i]);
}

/* Calls do reach the faults: otherwise nothing above means anything. */
static void every_kind_of_call_is_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARB_COUNT_OF(faults); i++) {
        uint64_t count = 0;
        for (size_t s = 0; s < ARB_COUNT_OF(statements); s++)
            count += count_calls(&statements[s], &faults[i]);
        if (count == 0)
            fail_msg("%s: no such call was seen", faults[i].name);
    }
}

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/io-torture-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(spill, sizeof spill, "%s/spill", folder);
    if (mkdir(spill, 0700) != 0)
        return -1;
    fresh f = begin(NULL);
    for (size_t i = 0; i < ARB_COUNT_OF(made_first); i++) {
        uint64_t hash;
        arb_error error = {0};
        if (run(f.session, made_first[i], &hash, &error) != ARB_OK)
            fail_msg("%s: %s", made_first[i], error.message);
    }
    end(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    static const char *const names[] = {"F/t.parquet", "F/t.csv", "F/old.csv", "F/spill"};
    char text[256];
    for (size_t i = 0; i < ARB_COUNT_OF(names); i++)
        (void)remove(with_folder(names[i], text, sizeof text));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_fails_in_turn),
        cmocka_unit_test(every_kind_of_call_is_made),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
