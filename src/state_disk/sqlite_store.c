#include "state_disk/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/failpoint.h"
#include "base/thread.h"

enum { APPLICATION = 0x41524253, VERSION = 1, LOCKED_MS = 5000, BEHIND_ALL = ARB_STORE_KEY_MOST + 1 }; /* "ARBS" */

typedef enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    SAVE,
    RELEASE,
    UNDO,
    GET_TERM,
    SET_TERM,
    PUT,
    DELETE,
    DELETE_RANGE,
    GET,
    STATEMENTS,
} statement;

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SAVE] = "SAVEPOINT one",
    [RELEASE] = "RELEASE one",
    [UNDO] = "ROLLBACK TO one",
    [GET_TERM] = "SELECT value FROM meta WHERE name = 'term'",
    [SET_TERM] = "UPDATE meta SET value = ?1 WHERE name = 'term'",
    [PUT] = "INSERT INTO entries (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    [DELETE] = "DELETE FROM entries WHERE key = ?1",
    [DELETE_RANGE] = "DELETE FROM entries WHERE key >= ?1 AND key < ?2",
    [GET] = "SELECT value FROM entries WHERE key = ?1",
};

typedef struct sqlite_store {
    arb_store base;
    pthread_mutex_t writing; /* the connection that writes, and its statements */
    sqlite3 *writer;
    sqlite3_stmt *statements[STATEMENTS];
    pthread_mutex_t reading; /* the connection that reads */
    sqlite3 *reader;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t changed;
    arb_store_txn *first, **last;
    bool ending;
    pthread_t thread;
    bool has_thread;
    _Atomic uint64_t commits;
} sqlite_store;

/* ---- errors ------------------------------------------------------------------------------------------------------------ */

static arb_code fail(sqlite3 *of, int result, const char *what, arb_error *error)
{
    int extended = of != NULL ? sqlite3_extended_errcode(of) : result;
    int system = of != NULL ? sqlite3_system_errno(of) : 0;
    const char *text = sqlite3_errstr(extended);
    switch (result & 0xFF) {
    case SQLITE_NOMEM:
        return arb_fail_memory(error, "the state store", 0);
    case SQLITE_FULL:
        return arb_fail(error, ARB_DISK_FULL, "the state store cannot %s: there is no room on its disk", what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return arb_fail(error, ARB_IO, "the state store cannot %s: another process has locked it for more than %d s",
                        what, LOCKED_MS / 1000);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        arb_fail(error, ARB_CORRUPT_DATA, "the state store cannot %s: its file is damaged (%s)", what, text);
        arb_error_hint(error, "start with another --state-dir, or bring back a copy of this one");
        return ARB_CORRUPT_DATA;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return arb_fail(error, ARB_ACCESS_DENIED, "the state store cannot %s: %s", what, text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (extended == SQLITE_IOERR_NOMEM)
            return arb_fail_memory(error, "the state store", 0);
        if (system == ENOSPC || system == EDQUOT)
            return arb_fail(error, ARB_DISK_FULL, "the state store cannot %s: there is no room on its disk", what);
        return system != 0 ? arb_fail_errno(error, system, "the state store cannot %s (%s)", what, text)
                           : arb_fail(error, ARB_IO, "the state store cannot %s: %s", what, text);
    default:
        return arb_fail(error, ARB_INTERNAL, "the state store cannot %s: %s", what,
                        of != NULL ? sqlite3_errmsg(of) : text);
    }
}

/* ---- statements -------------------------------------------------------------------------------------------------------- */

/* Run one that gives no row, or stop at its first; SQLITE_DONE and SQLITE_ROW are success. */
static int step(sqlite_store *store, statement which)
{
    return sqlite3_step(store->statements[which]);
}

static void end(sqlite_store *store, statement which)
{
    sqlite3_reset(store->statements[which]);
    sqlite3_clear_bindings(store->statements[which]);
}

static arb_code run(sqlite_store *store, statement which, const char *what, arb_error *error)
{
    int result = step(store, which);
    arb_code code = result == SQLITE_DONE ? ARB_OK : fail(store->writer, result, what, error);
    end(store, which);
    return code;
}

static bool bind(sqlite_store *store, statement which, int place, arb_str bytes)
{
    return sqlite3_bind_blob64(store->statements[which], place, bytes.size > 0 ? bytes.data : "", bytes.size,
                               SQLITE_STATIC) == SQLITE_OK;
}

static arb_code get_term(sqlite_store *store, uint64_t *out_term, arb_error *error)
{
    int result = step(store, GET_TERM);
    arb_code code = ARB_OK;
    if (result == SQLITE_ROW)
        *out_term = (uint64_t)sqlite3_column_int64(store->statements[GET_TERM], 0);
    else
        code = fail(store->writer, result == SQLITE_DONE ? SQLITE_CORRUPT : result, "read its term", error);
    end(store, GET_TERM);
    return code;
}

/* A text behind all keys that begin with `prefix`, and behind no other one: the prefix with its last byte that is not
 * 0xFF one higher, and if there is none, a text of 0xFF longer than any key. Always a bound, so that SQLite goes through
 * that part of its index alone. `buffer` has room for the prefix and for BEHIND_ALL. */
static arb_str behind(arb_str prefix, char *buffer)
{
    size_t size = prefix.size;
    while (size > 0 && (unsigned char)prefix.data[size - 1] == 0xFF)
        size--;
    if (size == 0) {
        memset(buffer, 0xFF, BEHIND_ALL);
        return (arb_str){buffer, BEHIND_ALL};
    }
    memcpy(buffer, prefix.data, size);
    buffer[size - 1] = (char)((unsigned char)buffer[size - 1] + 1);
    return (arb_str){buffer, size};
}

/* ---- transactions ------------------------------------------------------------------------------------------------------ */

static arb_code compare(sqlite_store *store, const arb_store_operation *operation, bool *out_holds, arb_error *error)
{
    sqlite3_stmt *get = store->statements[GET];
    int result = bind(store, GET, 1, operation->key) ? step(store, GET) : SQLITE_NOMEM;
    arb_code code = ARB_OK;
    if (result == SQLITE_ROW) {
        arb_str found = {sqlite3_column_blob(get, 0), (size_t)sqlite3_column_bytes(get, 0)};
        *out_holds = operation->kind == ARB_STORE_COMPARE && arb_str_equal(found, operation->value);
    } else if (result == SQLITE_DONE) {
        *out_holds = operation->kind == ARB_STORE_ABSENT;
    } else {
        code = fail(store->writer, result, "read", error);
    }
    end(store, GET);
    return code;
}

static arb_code write_one(sqlite_store *store, const arb_store_operation *operation, arb_error *error)
{
    char buffer[BEHIND_ALL];
    bool bound = true;
    statement which;
    switch (operation->kind) {
    case ARB_STORE_PUT:
        which = PUT;
        bound = bind(store, which, 2, operation->value);
        break;
    case ARB_STORE_DELETE:
        which = DELETE;
        break;
    case ARB_STORE_DELETE_PREFIX:
        which = DELETE_RANGE;
        bound = bind(store, which, 2, behind(operation->key, buffer));
        break;
    default:
        return ARB_OK; /* compared already */
    }
    if (!bound || !bind(store, which, 1, operation->key)) {
        end(store, which);
        return arb_fail_memory(error, "the state store", operation->value.size);
    }
    return run(store, which, "write", error);
}

/* Within a transaction of SQLite's; whatever is not COMMITTED has left nothing in it. */
static arb_store_outcome apply(sqlite_store *store, arb_store_txn *txn)
{
    uint64_t term = 0;
    if (arb_store_check(txn->operations, txn->operation_count, &txn->error) != ARB_OK ||
        get_term(store, &term, &txn->error) != ARB_OK)
        return ARB_STORE_FAILED;
    if (term != txn->term)
        return ARB_STORE_FENCED;
    for (size_t i = 0; i < txn->operation_count; i++) {
        const arb_store_operation *operation = &txn->operations[i];
        bool holds = true;
        if ((operation->kind == ARB_STORE_COMPARE || operation->kind == ARB_STORE_ABSENT) &&
            compare(store, operation, &holds, &txn->error) != ARB_OK)
            return ARB_STORE_FAILED;
        if (!holds) {
            txn->conflict = i;
            return ARB_STORE_CONFLICT;
        }
    }
    if (txn->within != NULL)
        txn->within(txn);
    if (run(store, SAVE, "write", &txn->error) != ARB_OK)
        return ARB_STORE_FAILED;
    for (size_t i = 0; i < txn->operation_count; i++)
        if (write_one(store, &txn->operations[i], &txn->error) != ARB_OK) {
            if (sqlite3_get_autocommit(store->writer) == 0 && run(store, UNDO, "go back", NULL) == ARB_OK &&
                run(store, RELEASE, "go back", NULL) == ARB_OK)
                return ARB_STORE_FAILED;
            sqlite3_step(store->statements[ROLLBACK]); /* SQLite may have gone back all the way by itself */
            end(store, ROLLBACK);
            return ARB_STORE_FAILED;
        }
    return run(store, RELEASE, "write", &txn->error) == ARB_OK ? ARB_STORE_COMMITTED : ARB_STORE_FAILED;
}

static arb_code commit(sqlite_store *store, const char *what, arb_error *error)
{
    ARB_TRY(ARB_FAILPOINT_CODE(STATE_BEFORE_COMMIT, error));
    ARB_TRY(run(store, COMMIT, what, error));
    ARB_FAILPOINT(STATE_AFTER_COMMIT);
    return ARB_OK;
}

/* All of a list in one commit. False: none of them is written, whatever their outcomes say. */
static bool commit_together(sqlite_store *store, arb_store_txn *first, arb_error *error)
{
    if (run(store, BEGIN, "begin to write", error) != ARB_OK)
        return false;
    bool committed = true;
    for (arb_store_txn *txn = first; txn != NULL && committed; txn = txn->next) {
        txn->outcome = apply(store, txn);
        committed = sqlite3_get_autocommit(store->writer) == 0;
        if (!committed && error != NULL)
            *error = txn->error;
    }
    if (committed && commit(store, "write", error) == ARB_OK) {
        atomic_fetch_add(&store->commits, 1);
        return true;
    }
    if (sqlite3_get_autocommit(store->writer) == 0) {
        sqlite3_step(store->statements[ROLLBACK]);
        end(store, ROLLBACK);
    }
    return false;
}

static void commit_alone(sqlite_store *store, arb_store_txn *txn)
{
    arb_store_txn *next = txn->next;
    txn->next = NULL;
    txn->error = (arb_error){0};
    if (!commit_together(store, txn, &txn->error))
        txn->outcome = ARB_STORE_FAILED;
    txn->next = next;
}

static void write_batch(sqlite_store *store, arb_store_txn *first)
{
    pthread_mutex_lock(&store->writing);
    if (first->next == NULL)
        commit_alone(store, first);
    else if (!commit_together(store, first, NULL))
        for (arb_store_txn *txn = first; txn != NULL; txn = txn->next)
            commit_alone(store, txn);
    pthread_mutex_unlock(&store->writing);
    for (arb_store_txn *txn = first, *next; txn != NULL; txn = next) {
        next = txn->next; /* `done` may end its life */
        txn->done(txn);
    }
}

static void *write_batches(void *argument)
{
    sqlite_store *store = argument;
    for (;;) {
        pthread_mutex_lock(&store->lock);
        while (store->first == NULL && !store->ending)
            pthread_cond_wait(&store->changed, &store->lock);
        arb_store_txn *batch = store->first;
        store->first = NULL;
        store->last = &store->first;
        pthread_mutex_unlock(&store->lock);
        if (batch == NULL)
            return NULL;
        write_batch(store, batch);
    }
}

/* ---- the interface ----------------------------------------------------------------------------------------------------- */

static void sqlite_submit(arb_store *base, arb_store_txn *txn)
{
    sqlite_store *store = (sqlite_store *)base;
    txn->next = NULL;
    pthread_mutex_lock(&store->lock);
    *store->last = txn;
    store->last = &txn->next;
    pthread_cond_signal(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

static arb_code visit_rows(sqlite3_stmt *select, sqlite3 *reader, arb_store_visit visit, void *context,
                           arb_error *error)
{
    for (int result; (result = sqlite3_step(select)) != SQLITE_DONE;) {
        if (result != SQLITE_ROW)
            return fail(reader, result, "read", error);
        arb_str key = {sqlite3_column_blob(select, 0), (size_t)sqlite3_column_bytes(select, 0)};
        arb_str value = {sqlite3_column_blob(select, 1), (size_t)sqlite3_column_bytes(select, 1)};
        if (value.data == NULL) {
            if (sqlite3_errcode(reader) == SQLITE_NOMEM)
                return fail(reader, SQLITE_NOMEM, "read", error);
            value.data = "";
        }
        ARB_TRY(visit(context, key, value, error));
    }
    return ARB_OK;
}

static arb_code sqlite_range(arb_store *base, arb_str prefix, arb_store_visit visit, void *context, arb_error *error)
{
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_stmt *select = NULL;
    char buffer[BEHIND_ALL];
    arb_code code = ARB_OK;
    if (prefix.size > ARB_STORE_KEY_MOST)
        return ARB_OK; /* no key is as long */
    arb_str limit = behind(prefix, buffer);
    pthread_mutex_lock(&store->reading);
    int result = sqlite3_prepare_v2(
        store->reader, "SELECT key, value FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key", -1, &select, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_blob64(select, 1, prefix.size > 0 ? prefix.data : "", prefix.size, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_bind_blob64(select, 2, limit.data, limit.size, SQLITE_STATIC);
    code = result == SQLITE_OK ? visit_rows(select, store->reader, visit, context, error)
                               : fail(store->reader, result, "read", error);
    sqlite3_finalize(select);
    pthread_mutex_unlock(&store->reading);
    return code;
}

static arb_code raise_term(sqlite_store *store, uint64_t *out_term, arb_error *error)
{
    ARB_TRY(get_term(store, out_term, error));
    ++*out_term;
    if (sqlite3_bind_int64(store->statements[SET_TERM], 1, (sqlite3_int64)*out_term) != SQLITE_OK)
        return arb_fail_memory(error, "the state store", 0);
    return run(store, SET_TERM, "raise its term", error);
}

static arb_code sqlite_raise_term(arb_store *base, uint64_t *out_term, arb_error *error)
{
    sqlite_store *store = (sqlite_store *)base;
    pthread_mutex_lock(&store->writing);
    arb_code code = run(store, BEGIN, "raise its term", error);
    if (code == ARB_OK) {
        code = raise_term(store, out_term, error);
        if (code == ARB_OK)
            code = commit(store, "raise its term", error);
        if (code != ARB_OK && sqlite3_get_autocommit(store->writer) == 0) {
            sqlite3_step(store->statements[ROLLBACK]);
            end(store, ROLLBACK);
        }
    }
    pthread_mutex_unlock(&store->writing);
    return code;
}

static void sqlite_destroy(arb_store *base)
{
    sqlite_store *store = (sqlite_store *)base;
    if (store->has_thread) {
        pthread_mutex_lock(&store->lock);
        store->ending = true;
        pthread_cond_signal(&store->changed);
        pthread_mutex_unlock(&store->lock);
        pthread_join(store->thread, NULL);
    }
    for (int which = 0; which < STATEMENTS; which++)
        sqlite3_finalize(store->statements[which]);
    sqlite3_close(store->reader);
    sqlite3_close(store->writer);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->reading);
    pthread_mutex_destroy(&store->writing);
    arb_free(store);
}

static const arb_store_vtable sqlite_vtable = {.name = "sqlite",
                                               .submit = sqlite_submit,
                                               .range = sqlite_range,
                                               .raise_term = sqlite_raise_term,
                                               .destroy = sqlite_destroy};

/* ---- opening ----------------------------------------------------------------------------------------------------------- */

static arb_code execute(sqlite3 *on, const char *text, arb_error *error)
{
    int result = sqlite3_exec(on, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? ARB_OK : fail(on, result, "be opened", error);
}

static arb_code open_connection(const char *path, sqlite3 **out, arb_error *error)
{
    int result = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return fail(*out, result, "be opened", error);
    sqlite3_extended_result_codes(*out, 0);
    sqlite3_busy_timeout(*out, LOCKED_MS);
    return ARB_OK;
}

static arb_code get_number(sqlite3 *on, const char *text, int64_t *out_number, arb_error *error)
{
    sqlite3_stmt *select = NULL;
    int result = sqlite3_prepare_v2(on, text, -1, &select, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(select);
    arb_code code = ARB_OK;
    if (result == SQLITE_ROW)
        *out_number = sqlite3_column_int64(select, 0);
    else
        code = fail(on, result == SQLITE_DONE ? SQLITE_CORRUPT : result, "be opened", error);
    sqlite3_finalize(select);
    return code;
}

/* Within a transaction: another process may be making the same file. */
static arb_code make_tables(sqlite_store *store, arb_error *error)
{
    arb_uuid cluster;
    sqlite3_stmt *insert = NULL;
    ARB_TRY(arb_uuid_make(&cluster, error));
    ARB_TRY(execute(store->writer,
                    "CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT;"
                    "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT;",
                    error));
    int result =
        sqlite3_prepare_v2(store->writer, "INSERT INTO meta VALUES ('cluster', ?1), ('term', 0)", -1, &insert, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_blob(insert, 1, &cluster, sizeof cluster, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_step(insert);
    arb_code code = result == SQLITE_DONE ? ARB_OK : fail(store->writer, result, "be made", error);
    sqlite3_finalize(insert);
    return code;
}

static arb_code check_layout(sqlite_store *store, const char *path, arb_error *error)
{
    int64_t application = 0, version = 0, tables = 0;
    ARB_TRY(get_number(store->writer, "PRAGMA application_id", &application, error));
    ARB_TRY(get_number(store->writer, "PRAGMA user_version", &version, error));
    ARB_TRY(get_number(store->writer, "SELECT count(*) FROM sqlite_schema", &tables, error));
    if (application == 0 && version == 0 && tables == 0) {
        ARB_TRY(make_tables(store, error));
        return execute(store->writer, "PRAGMA application_id = 1095909971; PRAGMA user_version = 1;", error);
    }
    if (application != APPLICATION)
        return arb_fail(error, ARB_CONFIGURATION, "%s is not a state store", path);
    if (version != VERSION)
        return arb_fail(error, ARB_CONFIGURATION, "%s is a state store of layout %lld; this program knows %d", path,
                        (long long)version, VERSION);
    return ARB_OK;
}

static arb_code read_cluster(sqlite_store *store, arb_error *error)
{
    sqlite3_stmt *select = NULL;
    int result = sqlite3_prepare_v2(store->writer, "SELECT value FROM meta WHERE name = 'cluster'", -1, &select, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(select);
    arb_code code = ARB_OK;
    if (result == SQLITE_ROW && sqlite3_column_bytes(select, 0) == (int)sizeof store->base.cluster)
        memcpy(&store->base.cluster, sqlite3_column_blob(select, 0), sizeof store->base.cluster);
    else
        code = fail(store->writer, result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_CORRUPT : result, "be opened",
                    error);
    sqlite3_finalize(select);
    return code;
}

/* While another process opens the file SQLite says at once that it is locked, and does not wait as it does elsewhere. */
static arb_code begin_log(sqlite_store *store, arb_error *error)
{
    enum { PAUSE_MS = 20 };
    int result = sqlite3_exec(store->writer, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    for (int waited = 0; (result & 0xFF) == SQLITE_BUSY && waited < LOCKED_MS; waited += PAUSE_MS) {
        sqlite3_sleep(PAUSE_MS);
        result = sqlite3_exec(store->writer, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    }
    return result == SQLITE_OK ? ARB_OK : fail(store->writer, result, "be opened", error);
}

/* The log comes once the file is known to be ours, and has its tables: so its beginning says whose it is. */
static arb_code open_all(sqlite_store *store, const char *path, arb_error *error)
{
    ARB_TRY(open_connection(path, &store->writer, error));
    ARB_TRY(execute(store->writer, "PRAGMA synchronous = FULL", error));
    ARB_TRY(execute(store->writer, "BEGIN IMMEDIATE", error));
    arb_code code = check_layout(store, path, error);
    if (code != ARB_OK) {
        sqlite3_exec(store->writer, "ROLLBACK", NULL, NULL, NULL);
        return code;
    }
    ARB_TRY(execute(store->writer, "COMMIT", error));
    ARB_TRY(begin_log(store, error));
    ARB_TRY(read_cluster(store, error));
    for (int which = 0; which < STATEMENTS; which++) {
        int result = sqlite3_prepare_v3(store->writer, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                        &store->statements[which], NULL);
        if (result != SQLITE_OK)
            return fail(store->writer, result, "be opened", error);
    }
    ARB_TRY(open_connection(path, &store->reader, error));
    int result = arb_thread_create(&store->thread, NULL, write_batches, store);
    if (result != 0)
        return arb_fail_errno(error, result, "the state store has no thread");
    store->has_thread = true;
    return ARB_OK;
}

/* It is there, made if need be, and if it has content, that is a store's: before SQLite sees it, which may change a file by
 * opening it. SQLite gives the log and the index of it the rights of the file. */
static arb_code check_file(const char *path, arb_error *error)
{
    enum { HEADER = 100, APPLICATION_AT = 68 }; /* sqlite.org/fileformat2.html */
    static const char magic[16] = "SQLite format 3";
    char header[HEADER];
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT)
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0 && errno == EEXIST) /* another process was faster */
        file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return arb_fail_errno(error, errno, "the state store %s cannot be opened", path);
    ssize_t size = pread(file, header, sizeof header, 0);
    int reason = errno;
    close(file);
    if (size < 0)
        return arb_fail_errno(error, reason, "the state store %s cannot be read", path);
    if (size == 0)
        return ARB_OK;
    if (size < HEADER || memcmp(header, magic, sizeof magic) != 0)
        return fail(NULL, SQLITE_NOTADB, "be opened", error);
    const uint8_t *id = (const uint8_t *)header + APPLICATION_AT;
    if (((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]) != APPLICATION)
        return arb_fail(error, ARB_CONFIGURATION, "%s is not a state store", path);
    return ARB_OK;
}

arb_code arb_sqlite_store_open(const char *path, arb_store **out_store, arb_error *error)
{
    *out_store = NULL;
    ARB_TRY(check_file(path, error));
    sqlite_store *store = arb_alloc_zeroed(sizeof *store);
    if (store == NULL)
        return arb_fail_memory(error, "the state store", sizeof *store);
    store->base.vtable = &sqlite_vtable;
    store->last = &store->first;
    pthread_mutex_init(&store->writing, NULL);
    pthread_mutex_init(&store->reading, NULL);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, NULL);
    arb_code code = open_all(store, path, error);
    if (code != ARB_OK) {
        sqlite_destroy(&store->base);
        return code;
    }
    *out_store = &store->base;
    return ARB_OK;
}

uint64_t arb_sqlite_store_commits(arb_store *store)
{
    assert(store->vtable == &sqlite_vtable);
    return atomic_load(&((sqlite_store *)store)->commits);
}
