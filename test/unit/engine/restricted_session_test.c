/* Sessions of a server: they read beneath the folders of data and write beneath those for that, whatever a path says and
 * wherever links lead; what lies outside is refused in the same words whether it is there or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog/file_access.h"
#include "engine/session.h"

typedef struct fixture {
    char folder[100];
    arb_arena arena;
    arb_roots read, write;
    arb_runtime *runtime;
    arb_session *session;
    arb_error error;
} fixture;

static void shell(const fixture *f, const char *command)
{
    char whole[2000];
    snprintf(whole, sizeof whole, "cd '%s' && (%s)", f->folder, command);
    assert_int_equal(system(whole), 0);
}

static arb_roots resolve(fixture *f, const char *name, const char *folder)
{
    char path[200];
    arb_roots roots;
    snprintf(path, sizeof path, "%s/%s", f->folder, folder);
    arb_root given = {arb_str_of(name), arb_str_of(path)};
    assert_int_equal(arb_roots_resolve(&f->arena, &given, 1, &roots, &f->error), ARB_OK);
    return roots;
}

static int set_up(void **state)
{
    static fixture f;
    memset(&f, 0, sizeof f);
    snprintf(f.folder, sizeof f.folder, "/tmp/arb_restricted_XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    shell(&f,
          "mkdir -p lake/sub out secret && echo x > secret/s.csv && echo 1 >> secret/s.csv && cp secret/s.csv "
          "lake/a.csv && "
          "cp secret/s.csv lake/sub/b.csv && cp secret/s.csv lake/sub/c.csv && ln -s ../secret/s.csv lake/link.csv && "
          "ln -s ../secret lake/away && ln -s sub lake/near && ln -s lake alias && ln -s /proc/self/root lake/magic && "
          "ln -s ../secret out/away && ln -s ../secret/s.csv out/link.csv && mkfifo out/pipe.csv && mkdir lakeside && "
          "cp secret/s.csv lakeside/s.csv");
    f.read = resolve(&f, "lake", "lake");
    f.write = resolve(&f, "out", "out");
    arb_runtime_options options = {.threads = 2};
    assert_int_equal(arb_runtime_create(&options, &f.runtime, &f.error), ARB_OK);
    arb_runtime_restrict(f.runtime, &(arb_runtime_access){&f.read, &f.write});
    assert_int_equal(arb_session_create(f.runtime, &f.session, &f.error), ARB_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[200];
    arb_session_destroy(f->session);
    arb_runtime_destroy(f->runtime);
    arb_arena_reset(&f->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    return system(command);
}

/* `%s` in the statement stands for the folder of all. */
static arb_code run(fixture *f, const char *format, int64_t *out_rows)
{
    char sql[1000];
    arb_result *result;
    const arb_batch *batch;
    snprintf(sql, sizeof sql, format, f->folder);
    f->error = (arb_error){0};
    arb_code code = arb_session_execute(f->session, arb_str_of(sql), &result, &f->error);
    if (code != ARB_OK)
        return code;
    int64_t rows = 0;
    while ((code = arb_result_next(result, &batch, &f->error)) == ARB_OK && batch != NULL)
        rows += batch->selected;
    arb_result_destroy(result);
    if (out_rows != NULL)
        *out_rows = rows;
    return code;
}

static void expect(fixture *f, const char *format, arb_code wanted)
{
    arb_code code = run(f, format, NULL);
    if (code != wanted)
        fail_msg("%s: %s: %s", format, arb_code_name(code), f->error.message);
}

static void expect_rows(fixture *f, const char *format, int64_t wanted)
{
    int64_t rows;
    expect(f, format, ARB_OK);
    assert_int_equal(run(f, format, &rows), ARB_OK);
    assert_int_equal(rows, wanted);
}

static void what_may_be_read(void **state)
{
    fixture *f = *state;
    expect_rows(f, "SELECT * FROM '%s/lake/a.csv'", 1);
    expect_rows(f, "SELECT * FROM '%s/alias/a.csv'", 1); /* the root by another way */
    expect_rows(f, "SELECT * FROM '%s/lake/sub/../a.csv'", 1);
    expect_rows(f, "SELECT * FROM '%s/lake/near/b.csv'", 1);
    expect_rows(f, "SELECT * FROM '%s/lake/sub/*.csv'", 2);
    expect_rows(f, "SELECT * FROM '%s/lake/*/[bc].csv'", 4); /* near, too */
    expect_rows(f, "SELECT * FROM '%s/lake/sub'", 2);
    expect_rows(f, "SELECT * FROM 'lake/a.csv'", 1); /* by the root's name */
    expect_rows(f, "SELECT * FROM 'lake/sub/*.csv'", 2);
    expect(f, "SELECT * FROM 'lake/none.csv'", ARB_FILE_NOT_FOUND);
    expect(f, "SELECT * FROM '%s/lake/none/a.csv'", ARB_FILE_NOT_FOUND);
    expect_rows(f, "SELECT * FROM read_csv('%s/lake/a.csv')", 1);
    expect(f, "CREATE EXTERNAL TABLE e STORED AS CSV LOCATION 'lake/sub/'", ARB_OK);
    expect_rows(f, "SELECT * FROM e", 2);
    expect(f, "CREATE TABLE t (x INTEGER)", ARB_OK);
    expect(f, "COPY t FROM '%s/lake/a.csv' (HEADER)", ARB_OK);
}

static void what_may_not(void **state)
{
    fixture *f = *state;
    static const char *const paths[] = {
        "%s/secret/s.csv",
        "%s/secret/none.csv",
        "%s/nowhere/at/all.csv",
        "%s/secret",
        "%s/lake/../secret/s.csv",
        "%s/lake/away/s.csv",
        "%s/lake/away",
        "%s/lake/away/*.csv",
        "%s/lakeside/s.csv",
        "%s/s*/s.csv",
        "%s/lake/*/../../secret/s.csv",
        "/etc/passwd",
        "/etc/none.csv",
        "/",
        "../secret/s.csv",
        "lake/../secret/s.csv",
        "lake/magic/etc/hostname",
        "%s/*",
    };
    char sql[500], first[300];
    for (size_t i = 0; i < ARB_COUNT_OF(paths); i++) {
        snprintf(sql, sizeof sql, "SELECT * FROM read_csv('%s')", paths[i]);
        expect(f, sql, ARB_ACCESS_DENIED);
        snprintf(sql, sizeof sql, "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '%s'", paths[i]);
        expect(f, sql, ARB_ACCESS_DENIED);
    }
    /* links at the end are followed no further than the root goes */
    expect(f, "SELECT * FROM read_csv('%s/lake/link.csv')", ARB_ACCESS_DENIED);
    expect(f, "SELECT * FROM read_csv('%s/lake/l*.csv')", ARB_ACCESS_DENIED);
    expect(f, "SELECT * FROM '%s/lake/**/s.csv'", ARB_FILE_NOT_FOUND);
    /* the same words for what is there and what is not */
    expect(f, "SELECT * FROM '%s/secret/s.csv'", ARB_ACCESS_DENIED);
    snprintf(first, sizeof first, "%s", strstr(f->error.message, " lies"));
    expect(f, "SELECT * FROM '%s/secret/q.csv'", ARB_ACCESS_DENIED);
    assert_string_equal(first, strstr(f->error.message, " lies"));
    assert_non_null(strstr(f->error.detail, "lake"));
    assert_null(strstr(f->error.detail, f->folder));
}

static void what_may_be_written(void **state)
{
    fixture *f = *state;
    expect(f, "COPY (SELECT 1 AS x) TO '%s/out/a.csv'", ARB_OK);
    expect(f, "COPY (SELECT 2 AS x) TO 'out/a.csv'", ARB_OK);
    shell(f, "grep -q 2 out/a.csv && mkdir out/deep && test \"$(ls -A out | wc -l)\" = 5");
    expect(f, "COPY (SELECT 1 AS x) TO '%s/out/deep/b.parquet'", ARB_OK);
    /* a link is replaced, not followed */
    expect(f, "COPY (SELECT 3 AS x) TO '%s/out/link.csv'", ARB_WRONG_OBJECT_TYPE);
    shell(f, "grep -q 1 secret/s.csv");
    static const char *const paths[] = {"%s/lake/a.csv",     "%s/secret/new.csv",    "%s/out/away/new.csv",
                                        "%s/out/../new.csv", "/tmp/arb_no_such.csv", "new.csv",
                                        "%s/nowhere/new.csv"};
    char sql[500];
    for (size_t i = 0; i < ARB_COUNT_OF(paths); i++) {
        snprintf(sql, sizeof sql, "COPY (SELECT 1 AS x) TO '%s' (FORMAT csv)", paths[i]);
        expect(f, sql, ARB_ACCESS_DENIED);
    }
    expect(f, "COPY (SELECT 1 AS x) TO '%s/out/pipe.csv'", ARB_WRONG_OBJECT_TYPE);
    expect(f, "COPY (SELECT 1 AS x) TO '%s/out/none/x.csv'", ARB_FILE_NOT_FOUND);
    expect(f, "COPY (SELECT 1 AS x) TO '%s/out/deep' (FORMAT csv)", ARB_WRONG_OBJECT_TYPE);
    expect(f, "SELECT * FROM '%s/out/a.csv'", ARB_ACCESS_DENIED); /* that may be written to, not read */
    shell(f, "test \"$(ls -A out | wc -l)\" = 5 && test \"$(ls -A out/deep | wc -l)\" = 1");
}

/* The folder of a file is changed for a link between the look at the path and the opening of it. */
static void changed_meanwhile(void **state)
{
    fixture *f = *state;
    arb_byte_source *source;
    char path[200];
    arb_str found, given;
    snprintf(path, sizeof path, "%s/lake/sub/b.csv", f->folder);
    given = arb_str_of(path);
    assert_int_equal(arb_file_access_find(&f->read, &f->arena, given, &found, &f->error), ARB_OK);
    shell(f, "cp secret/s.csv secret/b.csv && rm -r lake/sub && ln -s ../secret lake/sub");
    assert_int_equal(arb_file_access_open(&f->read, found.data, &source, &f->error), ARB_ACCESS_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_may_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_meanwhile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
