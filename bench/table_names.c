/* table_names: what it costs to name a table of many files to an executor, and to find it there.
 *
 *     table_names [FILES [ROUNDS]]
 *
 * Makes FILES (1,000) small Parquet files in a folder of its own. Printed in microseconds a file, the first time and the least
 * of ROUNDS (20) more: opening the table as a statement does, writing its name, finding it by that in another cache; last how
 * many bytes of the name a file takes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "catalog/file_set.h"
#include "catalog/table_wire.h"
#include "engine/session.h"

enum { OPEN, WRITE, FIND, STEPS };

static void check(arb_code code, const arb_error *error)
{
    if (code == ARB_OK)
        return;
    fprintf(stderr, "table_names: %s %s\n", error->message, error->detail);
    exit(1);
}

static void run_sql(arb_session *session, const char *sql)
{
    arb_error error = {0};
    arb_result *result = NULL;
    const arb_batch *batch = NULL;
    check(arb_session_execute(session, arb_str_of(sql), &result, &error), &error);
    do
        check(arb_result_next(result, &batch, &error), &error);
    while (batch != NULL);
    arb_result_destroy(result);
}

static void make_files(arb_session *session, const char *folder, unsigned count)
{
    char sql[512];
    for (unsigned i = 0; i < count; i++) {
        snprintf(sql, sizeof sql,
                 "COPY (SELECT x + %u AS a, x * 2 AS b, 'row ' || CAST(x AS VARCHAR) AS c FROM range(100) r(x)) TO "
                 "'%s/%04u.parquet'",
                 i, folder, i);
        run_sql(session, sql);
    }
}

static void drop_folder(const char *folder)
{
    DIR *list = opendir(folder);
    for (struct dirent *entry; list != NULL && (entry = readdir(list)) != NULL;)
        unlinkat(dirfd(list), entry->d_name, 0);
    if (list != NULL)
        closedir(list);
    rmdir(folder);
}

typedef struct measured {
    double us[STEPS];
    size_t bytes;
} measured;

static measured measure(const arb_file_set *set, const arb_table_finder *here, const arb_table_finder *there)
{
    arb_error error = {0};
    arb_text name = {0};
    arb_table *table, *found;
    int64_t at[STEPS + 1];
    measured m;
    at[OPEN] = arb_clock_monotonic_ns();
    check(arb_file_set_open(set, ARB_STR("t"), here->formats, here->cache, NULL, NULL, &table, &error), &error);
    at[WRITE] = arb_clock_monotonic_ns();
    check(arb_table_encode(table, here->roots, NULL, &name, &error), &error);
    at[FIND] = arb_clock_monotonic_ns();
    check(arb_table_decode(ARB_STR("t"), arb_text_view(&name), there, &found, &error), &error);
    at[STEPS] = arb_clock_monotonic_ns();
    for (int i = 0; i < STEPS; i++)
        m.us[i] = (double)(at[i + 1] - at[i]) / 1000 / (double)table->file_count;
    m.bytes = name.size / table->file_count;
    arb_table_unref(found);
    arb_table_unref(table);
    arb_text_reset(&name);
    return m;
}

int main(int count, char **arguments)
{
    static const char *const steps[STEPS] = {"open", "write", "find"};
    unsigned files = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 1000;
    unsigned rounds = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 20;
    char folder[] = P_tmpdir "/arbalest-table-names-XXXXXX";
    arb_error error = {0};
    arb_arena arena = {0};
    arb_runtime *runtimes[2];
    arb_session *session;
    arb_roots roots;
    if (mkdtemp(folder) == NULL) {
        perror("table_names");
        return 1;
    }
    for (int i = 0; i < 2; i++)
        check(arb_runtime_create(&(arb_runtime_options){.threads = 1}, &runtimes[i], &error), &error);
    check(arb_session_create(runtimes[0], &session, &error), &error);
    make_files(session, folder, files);
    arb_root root = {ARB_STR("data"), arb_str_of(folder)};
    check(arb_roots_resolve(&arena, &root, 1, &roots, &error), &error);
    arb_table_finder ends[2];
    for (int i = 0; i < 2; i++)
        ends[i] = (arb_table_finder){
            .roots = &roots, .formats = arb_runtime_formats(runtimes[i]), .cache = arb_runtime_file_cache(runtimes[i])};
    arb_str path = arb_str_of(folder);
    arb_file_set set = {.paths = &path, .path_count = 1};
    measured first = measure(&set, &ends[0], &ends[1]), least = first;
    for (unsigned r = 0; r < rounds; r++) {
        measured next = measure(&set, &ends[0], &ends[1]);
        for (int i = 0; i < STEPS; i++)
            least.us[i] = r == 0 || next.us[i] < least.us[i] ? next.us[i] : least.us[i];
    }
    for (int i = 0; i < STEPS; i++)
        printf("%-6s first %8.2f us, then %6.2f us a file\n", steps[i], first.us[i], least.us[i]);
    printf("%zu bytes a file\n", first.bytes);
    arb_session_destroy(session);
    for (int i = 0; i < 2; i++)
        arb_runtime_destroy(runtimes[i]);
    arb_arena_reset(&arena);
    drop_folder(folder);
    return 0;
}
