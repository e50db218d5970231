/* rest_test_host.c: a scheduler and two executors in this process, with what operators see of each over HTTP, for scripts.
 *
 *     rest_test_host [--request-ms N]
 *
 * Prints "port scheduler N", "port 0 N", "port 1 N" and "ready". Takes lines:
 *
 *     sql ID STATEMENT    runs it, meanwhile others; says "done ID ok ROWS" or "done ID SQLSTATE MESSAGE"
 *     drain N             executor N takes no new tasks
 *
 * The token for changes is "let me". Ends when its standard input does. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/known_formats.h"
#include "engine/session.h"
#include "http/http_server.h"
#include "rest/executor_routes.h"
#include "rest/scheduler_routes.h"
#include "slt/whole_cluster.h"

enum { EXECUTORS = 2, STATEMENTS_MOST = 256 };

typedef struct statement {
    struct host *host;
    pthread_t thread;
    char id[32], *text;
} statement;

typedef struct host {
    slt_wire_tables tables;
    slt_whole_cluster *cluster;
    arb_runtime *runtime;
    arb_rest_scheduler scheduler;
    arb_rest_executor executors[EXECUTORS];
    arb_http_server *servers[1 + EXECUTORS];
    statement statements[STATEMENTS_MOST];
    size_t statement_count;
} host;

static arb_code run(host *h, arb_session *session, const char *text, uint64_t *out_rows, arb_error *error)
{
    arb_result *result = NULL;
    const arb_batch *batch = NULL;
    arb_query_runner runner = slt_whole_cluster_runner(h->cluster);
    arb_session_set_runner(session, &runner);
    arb_session_settings(session)->distribution.when = ARB_DISTRIBUTE_ALWAYS;
    arb_code code = arb_session_execute(session, arb_str_of(text), &result, error);
    *out_rows = 0;
    while (code == ARB_OK && (code = arb_result_next(result, &batch, error)) == ARB_OK && batch != NULL)
        *out_rows += batch->selected;
    arb_result_destroy(result);
    return code;
}

static void *run_statement(void *context)
{
    statement *s = context;
    arb_session *session = NULL;
    arb_error error = {0};
    uint64_t rows = 0;
    arb_code code = arb_session_create(s->host->runtime, &session, &error);
    if (code == ARB_OK)
        code = run(s->host, session, s->text, &rows, &error);
    arb_session_destroy(session);
    if (code == ARB_OK)
        printf("done %s ok %llu\n", s->id, (unsigned long long)rows);
    else
        printf("done %s %s %s\n", s->id, arb_code_sqlstate(code), error.message);
    fflush(stdout);
    return NULL;
}

static void take_line(host *h, char *line)
{
    unsigned number;
    int begin = 0;
    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "drain %u", &number) == 1 && number < EXECUTORS) {
        arb_executor_drain(h->executors[number].executor);
        return;
    }
    statement *s = &h->statements[h->statement_count];
    if (h->statement_count == STATEMENTS_MOST || sscanf(line, "sql %31s %n", s->id, &begin) != 1)
        return;
    s->host = h;
    s->text = arb_strndup(line + begin, strlen(line + begin));
    if (s->text != NULL && pthread_create(&s->thread, NULL, run_statement, s) == 0)
        h->statement_count++;
}

static arb_code serve(host *h, int64_t request_ns, arb_error *error)
{
    arb_rest_process process = {"1.2.3 \"test\"", arb_clock_wall_us(), slt_whole_cluster_memory(h->cluster)};
    h->scheduler = (arb_rest_scheduler){process, slt_whole_cluster_scheduler(h->cluster)};
    for (unsigned i = 0; i <= EXECUTORS; i++) {
        arb_http_server_options options = {.routes = i == 0 ? arb_rest_scheduler_routes() : arb_rest_executor_routes(),
                                           .context = &h->scheduler,
                                           .guard.token = ARB_STR("let me"),
                                           .request_ns = request_ns};
        if (i > 0) {
            h->executors[i - 1] = (arb_rest_executor){process, slt_whole_cluster_executor(h->cluster, i - 1)};
            options.context = &h->executors[i - 1];
        }
        ARB_TRY(arb_http_server_create(&options, &h->servers[i], error));
    }
    return ARB_OK;
}

static arb_code begin(host *h, int64_t request_ns, arb_error *error)
{
    slt_roots roots = {0};
    arb_runtime_options runtime = {.threads = 2};
    ARB_TRY(slt_wire_tables_open(&h->tables, &roots, &arb_known_formats, error));
    ARB_TRY(arb_runtime_create(&runtime, &h->runtime, error));
    slt_whole_cluster_options options = {.executors = EXECUTORS, .tables = &h->tables};
    ARB_TRY(slt_whole_cluster_create(&options, &h->cluster, error));
    return serve(h, request_ns, error);
}

static void end(host *h)
{
    for (size_t i = 0; i < h->statement_count; i++) {
        pthread_join(h->statements[i].thread, NULL);
        arb_free(h->statements[i].text);
    }
    for (unsigned i = 0; i <= EXECUTORS; i++)
        arb_http_server_destroy(h->servers[i]);
    slt_whole_cluster_destroy(h->cluster);
    arb_runtime_destroy(h->runtime);
    slt_wire_tables_close(&h->tables);
}

int main(int count, char **arguments)
{
    static host h;
    char line[65536];
    arb_error error = {0};
    int64_t request_ns = 0;
    if (count == 3 && strcmp(arguments[1], "--request-ms") == 0)
        request_ns = strtol(arguments[2], NULL, 10) * INT64_C(1000000);
    arb_code code = begin(&h, request_ns, &error);
    if (code == ARB_OK) {
        printf("port scheduler %u\n", arb_http_server_port(h.servers[0]));
        for (unsigned i = 0; i < EXECUTORS; i++)
            printf("port %u %u\n", i, arb_http_server_port(h.servers[1 + i]));
        printf("ready\n");
        fflush(stdout);
        while (fgets(line, sizeof line, stdin) != NULL)
            take_line(&h, line);
    } else {
        fprintf(stderr, "error: %s\n", error.message);
    }
    end(&h);
    return code == ARB_OK ? 0 : 1;
}
