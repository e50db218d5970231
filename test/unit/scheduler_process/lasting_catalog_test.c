/* A catalog in a state store and a folder of segments: all that was said to be done is there after a restart, whatever happened
 * in between, and nothing else. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "engine/session.h"
#include "scheduler_process/kept_segments.h"
#include "state_disk/sqlite_store.h"

/* A store that fails, or ends the process, at a transaction. */
typedef struct proxy_store {
    arb_store base;
    arb_store *inner;
    int fail_at, die_before, die_behind; /* which transaction from now on, 1 the next; 0: none */
    bool fails;                          /* each one */
    bool waits;                          /* transactions, once `reached`, for `go_on` */
    sem_t reached, go_on;
} proxy_store;

typedef struct server {
    char folder[200];
    uint64_t memory_limit; /* of the next start; 0: the usual */
    arb_runtime *runtime;
    proxy_store store;
    arb_blob_folder *blobs;
    arb_segment_store *segments;
    arb_kept_segments *kept;
    arb_catalog *catalog;
    arb_session *session;
    arb_error error;
} server;

static bool is_time(int *which)
{
    return *which != 0 && --*which == 0;
}

static void proxy_submit(arb_store *store, arb_store_txn *txn)
{
    proxy_store *proxy = (proxy_store *)store;
    if (proxy->waits) {
        sem_post(&proxy->reached);
        sem_wait(&proxy->go_on);
    }
    if (is_time(&proxy->die_before))
        _exit(9);
    if (is_time(&proxy->fail_at) || proxy->fails) {
        txn->outcome = ARB_STORE_FAILED;
        (void)!arb_fail(&txn->error, ARB_DISK_FULL, "no room");
        txn->done(txn);
        return;
    }
    if (is_time(&proxy->die_behind)) {
        arb_store_outcome outcome;
        (void)!arb_store_txn_wait(proxy->inner, txn->term, txn->operations, txn->operation_count, &outcome, NULL, NULL);
        _exit(9);
    }
    arb_store_submit(proxy->inner, txn);
}

static arb_code proxy_range(arb_store *store, arb_str prefix, arb_store_visit visit, void *context, arb_error *error)
{
    return arb_store_range(((proxy_store *)store)->inner, prefix, visit, context, error);
}

static const arb_store_vtable proxy_vtable = {.name = "proxy", .submit = proxy_submit, .range = proxy_range};

static void path_in(const server *s, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", s->folder, name);
}

/* As a scheduler does when it starts; the term. */
static uint64_t begin_all_else(server *s)
{
    char path[256];
    uint64_t term;
    arb_runtime_options options = {.threads = 2, .memory_limit = s->memory_limit};
    s->store = (proxy_store){.base.vtable = &proxy_vtable};
    assert_int_equal(arb_runtime_create(&options, &s->runtime, &s->error), ARB_OK);
    path_in(s, "state.db", path);
    assert_int_equal(arb_sqlite_store_open(path, &s->store.inner, &s->error), ARB_OK);
    path_in(s, "segments", path);
    assert_int_equal(arb_blob_folder_open(path, &s->blobs, &s->error), ARB_OK);
    assert_int_equal(arb_store_raise_term(s->store.inner, &term, &s->error), ARB_OK);
    assert_int_equal(arb_segment_store_create(&s->segments, &s->error), ARB_OK);
    assert_int_equal(
        arb_catalog_create(arb_runtime_formats(s->runtime), arb_runtime_file_cache(s->runtime), &s->catalog, &s->error),
        ARB_OK);
    assert_int_equal(arb_catalog_add_folder(s->catalog, ARB_STR(ARB_SOURCE_DIR "/test/sql/data"), NULL, &s->error),
                     ARB_OK);
    return term;
}

static arb_code keep(server *s, uint64_t term)
{
    arb_memory *account = arb_runtime_table_memory(s->runtime);
    arb_code code = arb_kept_segments_create(s->segments, s->blobs, account, &s->kept, &s->error);
    if (code != ARB_OK)
        return code;
    arb_segment_shelf shelf = arb_kept_segments_shelf(s->kept);
    return arb_catalog_keep(s->catalog, &s->store.base, term, &shelf, &s->error);
}

static void begin(server *s)
{
    if (keep(s, begin_all_else(s)) != ARB_OK)
        fail_msg("%s", s->error.message);
    assert_int_equal(arb_session_create_on(s->runtime, s->catalog, &s->session, &s->error), ARB_OK);
}

static void end(server *s)
{
    arb_session_destroy(s->session);
    s->session = NULL;
    arb_catalog_destroy(s->catalog);
    arb_kept_segments_destroy(s->kept);
    arb_segment_store_destroy(s->segments);
    arb_blob_folder_close(s->blobs);
    arb_store_destroy(s->store.inner);
    arb_runtime_destroy(s->runtime);
}

static void restart(server *s)
{
    end(s);
    begin(s);
}

static arb_code run(server *s, const char *sql, int64_t *out)
{
    arb_result *result;
    const arb_batch *batch;
    s->error = (arb_error){0};
    arb_code code = arb_session_execute(s->session, arb_str_of(sql), &result, &s->error);
    if (code != ARB_OK)
        return code;
    for (bool first = true; (code = arb_result_next(result, &batch, &s->error)) == ARB_OK && batch != NULL;
         first = false)
        if (first && out != NULL)
            *out = (int64_t)arb_vector_get_integer(&batch->columns[0], 0);
    arb_result_destroy(result);
    return code;
}

static void expect(server *s, const char *sql, arb_code wanted)
{
    arb_code code = run(s, sql, NULL);
    if (code != wanted)
        fail_msg("%s: %s: %s", sql, arb_code_name(code), s->error.message);
}

static int64_t number(server *s, const char *sql)
{
    int64_t value = INT64_MIN;
    if (run(s, sql, &value) != ARB_OK)
        fail_msg("%s: %s", sql, s->error.message);
    return value;
}

/* Also those that are not finished. */
static int count_files(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *at; (at = readdir(folder)) != NULL;) {
        char inside[600];
        if (at->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, at->d_name);
        DIR *deeper = opendir(inside);
        if (deeper != NULL)
            closedir(deeper);
        count += deeper != NULL ? count_files(inside) : 1;
    }
    closedir(folder);
    return count;
}

static int blob_count(const server *s)
{
    char path[256];
    path_in(s, "segments", path);
    return count_files(path);
}

static int set_up(void **state)
{
    static server s;
    memset(&s, 0, sizeof s);
    snprintf(s.folder, sizeof s.folder, "/tmp/arb_lasting_XXXXXX");
    assert_non_null(mkdtemp(s.folder));
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", ((server *)*state)->folder);
    return system(command);
}

/* ---- what lasts ---------------------------------------------------------------------------------------------------------- */

static void all_is_there_again(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE SCHEMA s", ARB_OK);
    expect(s, "CREATE TABLE t AS SELECT range AS x, 'text number ' || range AS y FROM range(100000)", ARB_OK);
    expect(s, "INSERT INTO t VALUES (-1, NULL)", ARB_OK);
    expect(s, "CREATE TABLE s.keyed (a INTEGER PRIMARY KEY, b VARCHAR NOT NULL)", ARB_OK);
    expect(s, "INSERT INTO s.keyed VALUES (1, 'one')", ARB_OK);
    expect(s, "CREATE TABLE n AS SELECT * FROM '" ARB_SOURCE_DIR "/test/sql/data/nested.parquet'", ARB_OK);
    expect(s, "USE s", ARB_OK);
    expect(s, "CREATE VIEW v(p, q) AS SELECT a, b FROM keyed", ARB_OK);
    expect(s, "CREATE EXTERNAL TABLE e (d VARCHAR) STORED AS CSV LOCATION '" ARB_SOURCE_DIR "/test/sql/nothing.csv'",
           ARB_OK);
    expect(s, "CREATE TEMP TABLE gone AS SELECT 1 AS x", ARB_OK);
    int64_t sum = number(s, "SELECT sum(x) FROM t");
    int blobs = blob_count(s);
    assert_int_equal(blobs, 5); /* two of t, one of it more, keyed, n */
    for (int i = 0; i < 2; i++) {
        restart(s);
        assert_int_equal(blob_count(s), blobs);
        assert_int_equal(number(s, "SELECT sum(x) FROM t"), sum);
        assert_int_equal(number(s, "SELECT count(*) FROM t WHERE y IS NULL OR y = 'text number 77'"), 2);
        assert_int_equal(number(s, "SELECT p FROM s.v WHERE q = 'one'"), 1);
        assert_int_equal(number(s, "SELECT count(*) FROM (SELECT * FROM n EXCEPT ALL SELECT * FROM '" ARB_SOURCE_DIR
                                   "/test/sql/data/nested.parquet') x"),
                         0);
        expect(s, "INSERT INTO s.keyed VALUES (1, 'two')", ARB_UNIQUE_VIOLATION);
        expect(s, "INSERT INTO s.keyed VALUES (9, NULL)", ARB_NOT_NULL_VIOLATION);
        expect(s, "SELECT * FROM s.e", ARB_FILE_NOT_FOUND);
        expect(s, "SELECT * FROM gone", ARB_UNDEFINED_TABLE);
    }
    expect(s, "INSERT INTO t VALUES (5, 'x')", ARB_OK);
    expect(s, "INSERT INTO s.keyed VALUES (2, 'two')", ARB_OK);
    expect(s, "DROP TABLE n", ARB_OK);
    expect(s, "DROP VIEW s.v", ARB_OK);
    restart(s);
    assert_int_equal(number(s, "SELECT sum(x) FROM t"), sum + 5);
    assert_int_equal(number(s, "SELECT sum(a) FROM s.keyed"), 3);
    expect(s, "SELECT * FROM n", ARB_UNDEFINED_TABLE);
    expect(s, "SELECT * FROM s.v", ARB_UNDEFINED_TABLE);
    expect(s, "DROP SCHEMA s CASCADE", ARB_OK);
    expect(s, "DROP TABLE t", ARB_OK);
    assert_int_equal(blob_count(s), 0);
    restart(s);
    expect(s, "USE s", ARB_UNDEFINED_OBJECT);
    end(s);
}

/* What a folder of data gives is not kept, and gives way to what is. */
static void given_tables(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE OR REPLACE TABLE nested AS SELECT 5 AS x", ARB_OK);
    restart(s);
    assert_int_equal(number(s, "SELECT x FROM nested"), 5);
    expect(s, "DROP TABLE nested", ARB_OK);
    expect(s, "SELECT x FROM nested", ARB_UNDEFINED_TABLE);
    restart(s);
    expect(s, "SELECT * FROM nested", ARB_OK);
    end(s);
}

/* Blobs stay while a table has the rows; a statement that reads them has them in memory. */
static void blobs_that_are_needed(void **state)
{
    server *s = *state;
    arb_result *result;
    const arb_batch *batch;
    begin(s);
    expect(s, "CREATE TABLE a AS SELECT 1 AS x", ARB_OK);
    expect(s, "CREATE TABLE b AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    expect(s, "DROP TABLE a", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    assert_int_equal(arb_session_execute(s->session, ARB_STR("SELECT x FROM b"), &result, &s->error), ARB_OK);
    expect(s, "DROP TABLE b", ARB_OK);
    assert_int_equal(blob_count(s), 0);
    expect(s, "CREATE TABLE b AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    expect(s, "DROP TABLE b", ARB_OK);
    assert_int_equal(arb_result_next(result, &batch, &s->error), ARB_OK);
    assert_int_equal(batch->selected, 1);
    arb_result_destroy(result);
    assert_int_equal(blob_count(s), 0);
    /* rows that came back */
    expect(s, "CREATE TABLE c AS SELECT 1 AS x", ARB_OK);
    expect(s, "CREATE OR REPLACE TABLE c AS SELECT 1 AS x", ARB_OK);
    restart(s);
    assert_int_equal(number(s, "SELECT x FROM c"), 1);
    for (int i = 0; i < 50; i++)
        expect(s, "INSERT INTO c VALUES (1)", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    end(s);
}

/* They are deleted some at a time. */
static void many_blobs(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE TABLE t AS SELECT CAST(floor(range / 65536) AS TINYINT) AS x FROM range(65536 * 100)", ARB_OK);
    assert_int_equal(blob_count(s), 100);
    expect(s, "DROP TABLE t", ARB_OK);
    assert_int_equal(blob_count(s), 0);
    end(s);
}

/* ---- what goes wrong ----------------------------------------------------------------------------------------------------- */

static void a_lost_segment(void **state)
{
    server *s = *state;
    char command[400];
    begin(s);
    expect(s, "CREATE TABLE a AS SELECT 1 AS x", ARB_OK);
    snprintf(command, sizeof command, "find '%s/segments' -type f -delete", s->folder);
    assert_int_equal(system(command), 0);
    expect(s, "CREATE TABLE b AS SELECT 2 AS x", ARB_OK);
    restart(s);
    assert_int_equal(number(s, "SELECT x FROM b"), 2);
    expect(s, "SELECT x FROM a", ARB_CORRUPT_DATA);
    assert_non_null(strstr(s->error.message, "lost"));
    expect(s, "INSERT INTO a VALUES (1)", ARB_CORRUPT_DATA);
    restart(s);
    expect(s, "DROP TABLE a", ARB_OK);
    restart(s);
    expect(s, "SELECT x FROM a", ARB_UNDEFINED_TABLE);
    assert_int_equal(number(s, "SELECT x FROM b"), 2);
    end(s);
}

/* What is left of a lost table stays until that is dropped, and nothing else. */
static void what_is_left_of_a_table(void **state)
{
    server *s = *state;
    char command[600];
    begin(s);
    expect(s, "CREATE TABLE lost AS SELECT range AS x FROM range(100000)", ARB_OK);
    expect(s, "CREATE TABLE same AS SELECT range AS x FROM range(65536)", ARB_OK); /* the first part of it */
    expect(s, "CREATE TABLE other AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(blob_count(s), 3);
    end(s);
    snprintf(command, sizeof command,
             "find '%s/segments' -type f -size +200k -size -400k -delete && touch '%s/segments/part.of_a_blob'",
             s->folder, s->folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 2; i++) {
        begin(s);
        expect(s, "SELECT x FROM lost", ARB_CORRUPT_DATA);
        assert_int_equal(blob_count(s), 2);
        end(s);
    }
    begin(s);
    assert_int_equal(number(s, "SELECT count(*) FROM same"), 65536);
    expect(s, "DROP TABLE same", ARB_OK);
    assert_int_equal(blob_count(s), 2);
    expect(s, "DROP TABLE other", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    /* the very rows that were lost */
    expect(s, "CREATE OR REPLACE TABLE lost AS SELECT range AS x FROM range(100000)", ARB_OK);
    assert_int_equal(blob_count(s), 2);
    restart(s);
    assert_int_equal(number(s, "SELECT count(*) FROM lost"), 100000);
    expect(s, "CREATE OR REPLACE TABLE lost AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(blob_count(s), 1);
    restart(s);
    assert_int_equal(number(s, "SELECT x FROM lost"), 1);
    end(s);
}

static void a_damaged_segment(void **state)
{
    server *s = *state;
    char command[400];
    begin(s);
    expect(s, "CREATE TABLE a AS SELECT 1 AS x", ARB_OK);
    end(s);
    snprintf(command, sizeof command,
             "for f in $(find '%s/segments' -type f); do chmod 600 $f; printf X | dd of=$f bs=1 seek=100 conv=notrunc; "
             "done 2>/dev/null",
             s->folder);
    assert_int_equal(system(command), 0);
    begin(s);
    expect(s, "SELECT x FROM a", ARB_CORRUPT_DATA);
    assert_int_equal(blob_count(s), 1); /* somebody may want to look at it */
    end(s);
}

/* More rows than the limit lets it hold: they stay on the disk, until there is more memory. */
static void a_start_with_a_smaller_limit(void **state)
{
    server *s = *state;
    begin(s);
    expect(
        s,
        "CREATE TABLE large AS SELECT i AS x, 'some text that is long ' || i AS y FROM generate_series(1, 200000) s(i)",
        ARB_OK);
    expect(s, "CREATE TABLE small AS SELECT 1 AS x", ARB_OK);
    int blobs = blob_count(s);
    s->memory_limit = 8 << 20;
    restart(s);
    expect(s, "SELECT count(*) FROM large", ARB_OUT_OF_MEMORY);
    assert_non_null(strstr(s->error.message, "\"large\" did not fit"));
    assert_non_null(strstr(s->error.hint, "--memory-limit"));
    expect(s, "INSERT INTO large VALUES (1, 'x')", ARB_OUT_OF_MEMORY);
    assert_int_equal(number(s, "SELECT x FROM small"), 1);
    expect(s, "INSERT INTO small VALUES (2)", ARB_OK);
    assert_true(blob_count(s) >= blobs); /* nothing of it goes */
    s->memory_limit = 0;
    restart(s);
    assert_int_equal(number(s, "SELECT count(*) FROM large"), 200000);
    assert_int_equal(number(s, "SELECT sum(x) FROM small"), 3);
    end(s);
}

/* Rows take more room in memory than on the disk: whatever the limit, nothing of that keeps the scheduler from starting. */
static void a_start_with_any_limit(void **state)
{
    server *s = *state;
    bool fitted = false;
    begin(s);
    expect(s, "CREATE TABLE t AS SELECT 'a' AS x FROM range(60000)", ARB_OK); /* 9 bytes each, and 16 */
    end(s);
    for (s->memory_limit = 300000; !fitted; s->memory_limit += 100000) {
        begin(s);
        arb_code code = run(s, "SELECT x FROM t LIMIT 0", NULL);
        if (code != ARB_OK) {
            assert_int_equal(code, ARB_OUT_OF_MEMORY);
            assert_non_null(strstr(s->error.message, "\"t\" did not fit"));
        }
        fitted = code == ARB_OK;
        end(s);
    }
    assert_true(s->memory_limit > 1000000);
}

typedef struct waiting_change {
    server *server;
    arb_session *session;
    const char *sql;
    arb_code code;
} waiting_change;

static void *change(void *argument)
{
    waiting_change *c = argument;
    arb_result *result = NULL;
    c->code = arb_session_execute(c->session, arb_str_of(c->sql), &result, NULL);
    arb_result_destroy(result);
    return NULL;
}

/* While one change is on its way to a slow disk, another one waits, until it is not wanted any more. */
static void a_change_that_waits_is_cancelled(void **state)
{
    server *s = *state;
    pthread_t threads[2];
    waiting_change changes[] = {{.server = s, .sql = "CREATE TABLE first AS SELECT 1 AS x"},
                                {.server = s, .sql = "CREATE TABLE second AS SELECT 1 AS x"}};
    begin(s);
    sem_init(&s->store.reached, 0, 0);
    sem_init(&s->store.go_on, 0, 0);
    s->store.waits = true;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(arb_session_create_on(s->runtime, s->catalog, &changes[i].session, &s->error), ARB_OK);
        assert_int_equal(pthread_create(&threads[i], NULL, change, &changes[i]), 0);
        if (i == 0)
            sem_wait(&s->store.reached);
    }
    usleep(50000); /* it waits by now, or else is cancelled before it does */
    arb_session_cancel(changes[1].session);
    pthread_join(threads[1], NULL); /* though the first goes on */
    assert_int_equal(changes[1].code, ARB_CANCELLED);
    s->store.waits = false;
    sem_post(&s->store.go_on);
    pthread_join(threads[0], NULL);
    assert_int_equal(changes[0].code, ARB_OK);
    assert_int_equal(number(s, "SELECT x FROM first"), 1);
    expect(s, "SELECT x FROM second", ARB_UNDEFINED_TABLE);
    expect(s, "CREATE TABLE second AS SELECT 1 AS x", ARB_OK); /* the turn is given on */
    for (size_t i = 0; i < 2; i++)
        arb_session_destroy(changes[i].session);
    sem_destroy(&s->store.reached);
    sem_destroy(&s->store.go_on);
    end(s);
}

/* While somebody's change is on its way to a slow disk, others change what is theirs alone. */
static void own_tables_wait_for_nobody(void **state)
{
    static const char *const own[] = {"CREATE TEMP TABLE own AS SELECT 1 AS x", "INSERT INTO own VALUES (2)",
                                      "INSERT INTO temp.own SELECT x + 2 FROM own", "DROP TABLE IF EXISTS temp.no",
                                      "DROP TABLE own"};
    server *s = *state;
    pthread_t slow, quick;
    waiting_change first = {.server = s, .sql = "CREATE TABLE first AS SELECT 1 AS x"}, second = {.server = s};
    begin(s);
    assert_int_equal(arb_session_create_on(s->runtime, s->catalog, &first.session, &s->error), ARB_OK);
    sem_init(&s->store.reached, 0, 0);
    sem_init(&s->store.go_on, 0, 0);
    s->store.waits = true;
    assert_int_equal(pthread_create(&slow, NULL, change, &first), 0);
    sem_wait(&s->store.reached);
    second.session = s->session;
    for (size_t i = 0; i < ARB_COUNT_OF(own); i++) {
        struct timespec most;
        second.sql = own[i];
        assert_int_equal(pthread_create(&quick, NULL, change, &second), 0);
        clock_gettime(CLOCK_REALTIME, &most);
        most.tv_sec += 20;
        if (pthread_timedjoin_np(quick, NULL, &most) != 0) { /* it waits for the first */
            arb_session_cancel(second.session);
            pthread_join(quick, NULL);
        }
        if (second.code != ARB_OK)
            fail_msg("%s: %s", own[i], arb_code_name(second.code));
    }
    s->store.waits = false;
    sem_post(&s->store.go_on);
    pthread_join(slow, NULL);
    assert_int_equal(first.code, ARB_OK);
    assert_int_equal(number(s, "SELECT x FROM first"), 1);
    arb_session_destroy(first.session);
    sem_destroy(&s->store.reached);
    sem_destroy(&s->store.go_on);
    end(s);
}

static void a_store_that_fails(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE TABLE a AS SELECT 1 AS x", ARB_OK);
    static const char *const statements[] = {"INSERT INTO a VALUES (2)", "DROP TABLE a", "CREATE TABLE b (x INTEGER)",
                                             "CREATE SCHEMA s", "CREATE OR REPLACE TABLE a AS SELECT 7 AS x"};
    for (size_t i = 0; i < ARB_COUNT_OF(statements); i++) {
        s->store.fail_at = 1;
        expect(s, statements[i], ARB_DISK_FULL);
        assert_int_equal(number(s, "SELECT sum(x) FROM a"), 1);
        expect(s, "SELECT * FROM b", ARB_UNDEFINED_TABLE);
        expect(s, "USE s", ARB_UNDEFINED_OBJECT);
        assert_int_equal(blob_count(s), 1); /* nothing of it stays */
    }
    s->store.fails = true; /* so that it is not known what is there after a crash */
    expect(s, "INSERT INTO a VALUES (2)", ARB_DISK_FULL);
    expect(s, "INSERT INTO a VALUES (3)", ARB_DISK_FULL);
    assert_int_equal(blob_count(s), 3);
    s->store.fails = false;
    expect(s, "DROP TABLE a, b", ARB_UNDEFINED_TABLE);
    assert_int_equal(blob_count(s), 1);
    arb_blob_folder_leave(s->blobs, UINT64_MAX);
    expect(s, "INSERT INTO a VALUES (2)", ARB_DISK_FULL);
    assert_int_equal(blob_count(s), 1);
    arb_blob_folder_leave(s->blobs, 0);
    expect(s, "INSERT INTO a VALUES (2)", ARB_OK);
    restart(s);
    assert_int_equal(number(s, "SELECT sum(x) FROM a"), 3);
    assert_int_equal(blob_count(s), 1);
    end(s);
}

/* A newer scheduler has the store: this one changes nothing any more, and deletes nothing. */
static void a_newer_scheduler(void **state)
{
    server *s = *state;
    uint64_t term;
    begin(s);
    expect(s, "CREATE TABLE a AS SELECT 1 AS x", ARB_OK);
    assert_int_equal(arb_store_raise_term(s->store.inner, &term, &s->error), ARB_OK);
    int blobs = blob_count(s);
    expect(s, "DROP TABLE a", ARB_CONFLICT);
    expect(s, "CREATE OR REPLACE TABLE a AS SELECT 2 AS x", ARB_CONFLICT);
    expect(s, "CREATE TABLE b AS SELECT 1 AS x", ARB_CONFLICT);
    assert_int_equal(number(s, "SELECT x FROM a"), 1);
    assert_int_equal(blob_count(s), blobs + 1); /* of the second, which the newer one may have made, too */
    restart(s);
    assert_int_equal(number(s, "SELECT x FROM a"), 1);
    assert_int_equal(blob_count(s), 1);
    end(s);
}

/* The process ends at a transaction: before it is written, when the segments are there already, or behind it. What is there
 * at the next start is the state before the statement or after it, and no segment too many. */
static void killed_at(server *s, const char *sql, bool behind)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        begin(s);
        *(behind ? &s->store.die_behind : &s->store.die_before) = 1;
        (void)!run(s, sql, NULL);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 9)
        fail_msg("%s: the process did not end where it should, but with %x", sql, (unsigned)status);
}

static void killed(void **state)
{
    static const struct {
        const char *sql;
        int64_t sum; /* of t, after */
        int blobs;
    } cases[] = {
        {"INSERT INTO t SELECT * FROM range(70000)", 1 + INT64_C(69999) * 35000, 3},
        {"CREATE TABLE u AS SELECT 4 AS x", 1, 2},
        {"CREATE OR REPLACE TABLE t AS SELECT 8 AS x", 8, 1},
        {"DROP TABLE t", 0, 0},
        {"CREATE SCHEMA s", 1, 1},
    };
    server *s = *state;
    for (size_t i = 0; i < ARB_COUNT_OF(cases); i++)
        for (int behind = 0; behind < 2; behind++) {
            begin(s);
            expect(s, "DROP TABLE IF EXISTS t, u", ARB_OK);
            expect(s, "DROP SCHEMA IF EXISTS s", ARB_OK);
            expect(s, "CREATE TABLE t (x BIGINT)", ARB_OK);
            expect(s, "INSERT INTO t VALUES (1)", ARB_OK);
            end(s);
            killed_at(s, cases[i].sql, behind == 1);
            begin(s);
            assert_int_equal(blob_count(s), behind ? cases[i].blobs : 1);
            if (behind && cases[i].sum == 0)
                expect(s, "SELECT * FROM t", ARB_UNDEFINED_TABLE);
            else
                assert_int_equal(number(s, "SELECT sum(x) FROM t"), behind ? cases[i].sum : 1);
            assert_int_equal(run(s, "USE s", NULL) == ARB_OK, behind && strstr(cases[i].sql, "SCHEMA") != NULL);
            end(s);
        }
}

static void without_memory(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE TABLE t AS SELECT 1 AS x", ARB_OK);
    for (uint64_t n = 1;; n++) {
        arb_alloc_fail_at(n, false);
        arb_code code = run(s, "INSERT INTO t VALUES (1)", NULL);
        arb_alloc_fail_at(0, false);
        if (code == ARB_OK)
            break;
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
        assert_int_equal(number(s, "SELECT sum(x) FROM t"), 1);
        assert_int_equal(blob_count(s), 1);
    }
    assert_int_equal(number(s, "SELECT sum(x) FROM t"), 2);
    restart(s);
    assert_int_equal(number(s, "SELECT sum(x) FROM t"), 2);
    assert_int_equal(blob_count(s), 1);
    end(s);
}

/* A start that fails takes nothing away. */
static void a_start_without_memory(void **state)
{
    server *s = *state;
    begin(s);
    expect(s, "CREATE SCHEMA s", ARB_OK);
    expect(s, "CREATE TABLE s.t AS SELECT 1 AS x, 'some text that is long' AS y", ARB_OK);
    expect(s, "CREATE VIEW v AS SELECT x FROM s.t", ARB_OK);
    expect(s, "CREATE EXTERNAL TABLE e (d VARCHAR) STORED AS CSV LOCATION 'nothing.csv'", ARB_OK);
    end(s);
    for (uint64_t n = 1;; n++) {
        uint64_t term = begin_all_else(s);
        arb_alloc_fail_at(n, false);
        arb_code code = keep(s, term);
        arb_alloc_fail_at(0, false);
        end(s);
        if (code == ARB_OK)
            break;
        assert_int_equal(code, ARB_OUT_OF_MEMORY);
    }
    begin(s);
    assert_int_equal(blob_count(s), 1);
    assert_int_equal(number(s, "SELECT x FROM v"), 1);
    expect(s, "SELECT * FROM e", ARB_FILE_NOT_FOUND);
    end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_there_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(given_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blobs_that_are_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_blobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_of_a_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_segment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_with_a_smaller_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_with_any_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_change_that_waits_is_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(own_tables_wait_for_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_scheduler, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
