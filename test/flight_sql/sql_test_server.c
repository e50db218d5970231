/* sql_test_server.c: Flight SQL over gRPC, for scripts: each session has a catalog of its own over the same folders.
 *
 *     sql_test_server [--data FOLDER]… [--threads N] [--workers N] [--lease-ms N] [--session-ms N] [--stall-ms N]
 *                     [--window BYTES] [--sessions N] [--held BYTES] [--users-file FILE] [--token-ms N]
 *
 * Prints "port N"; ends when its standard input does, and says how many sessions are left (none). */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "flight_sql/sql_service.h"
#include "rpc/grpc_server.h"

enum { FOLDERS_MOST = 8 };

typedef struct server {
    arb_runtime *runtime;
    const char *folders[FOLDERS_MOST];
    size_t folder_count;
    _Atomic int sessions;
} server;

static arb_code open_session(void *context, arb_str user, arb_session **out_session, arb_error *error)
{
    (void)user;
    server *s = context;
    ARB_TRY(arb_session_create(s->runtime, out_session, error));
    for (size_t i = 0; i < s->folder_count; i++) {
        arb_code code =
            arb_catalog_add_folder(arb_session_catalog(*out_session), arb_str_of(s->folders[i]), NULL, error);
        if (code != ARB_OK) {
            arb_session_destroy(*out_session);
            return code;
        }
    }
    atomic_fetch_add(&s->sessions, 1);
    return ARB_OK;
}

static void close_session(void *context, arb_session *session)
{
    arb_session_destroy(session);
    atomic_fetch_sub(&((server *)context)->sessions, 1);
}

static void read_arguments(int count, char **arguments, server *s, arb_runtime_options *runtime,
                           arb_sql_service_options *service, arb_rpc_server_options *rpc, arb_login_options *login)
{
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        long long number = strtoll(value, NULL, 10);
        if (strcmp(name, "--data") == 0 && s->folder_count < FOLDERS_MOST)
            s->folders[s->folder_count++] = value;
        else if (strcmp(name, "--threads") == 0)
            runtime->threads = (unsigned)number;
        else if (strcmp(name, "--workers") == 0)
            service->threads = (unsigned)number;
        else if (strcmp(name, "--lease-ms") == 0)
            service->lease_ns = number * 1000000;
        else if (strcmp(name, "--stall-ms") == 0)
            service->stall_ns = number * 1000000;
        else if (strcmp(name, "--sessions") == 0)
            service->sessions_most = (size_t)number;
        else if (strcmp(name, "--session-ms") == 0)
            service->session_ns = number * 1000000;
        else if (strcmp(name, "--window") == 0)
            rpc->limits.send_window = (size_t)number;
        else if (strcmp(name, "--held") == 0)
            service->held_most = (size_t)number;
        else if (strcmp(name, "--users-file") == 0)
            login->users_file = value;
        else if (strcmp(name, "--token-ms") == 0)
            login->token_ns = number * 1000000;
    }
}

int main(int count, char **arguments)
{
    server s = {0};
    arb_error error = {0};
    arb_runtime_options runtime_options = {.threads = 2};
    arb_sql_service_options service_options = {.sessions = {&s, open_session, close_session}, .version = "0.1"};
    arb_rpc_server_options options = {0};
    arb_login_options login_options = {0};
    arb_login *login = NULL;
    arb_sql_service *service = NULL;
    arb_grpc_runtime *grpc = NULL;
    arb_rpc_server *rpc = NULL;
    read_arguments(count, arguments, &s, &runtime_options, &service_options, &options, &login_options);
    arb_code code = arb_runtime_create(&runtime_options, &s.runtime, &error);
    if (code == ARB_OK)
        code = arb_login_create(&login_options, &login, &error);
    service_options.login = login;
    if (code == ARB_OK)
        code = arb_sql_service_create(&service_options, &service, &error);
    if (code == ARB_OK)
        code = arb_grpc_runtime_create(0, &grpc, &error);
    if (code == ARB_OK) {
        arb_rpc_service entry = arb_flight_service_entry(arb_sql_service_flight(service));
        options.services = &entry;
        options.service_count = 1;
        options.gate = arb_login_gate(login);
        code = arb_grpc_server_create(grpc, &options, &rpc, &error);
    }
    if (code != ARB_OK) {
        fprintf(stderr, "error: %s\n", error.message);
        return 1;
    }
    printf("port %d\n", arb_rpc_server_port(rpc, 0));
    fflush(stdout);
    char unused[64];
    while (read(STDIN_FILENO, unused, sizeof unused) > 0) {
    }
    arb_rpc_server_stop(rpc, arb_clock_monotonic_ns() + 100000000);
    arb_rpc_server_destroy(rpc);
    arb_sql_service_destroy(service);
    arb_login_destroy(login);
    arb_grpc_runtime_destroy(grpc);
    arb_runtime_destroy(s.runtime);
    printf("sessions %d\n", atomic_load(&s.sessions));
    usleep(500000); /* gRPC's last threads end a moment after it says so; leak checkers count what they hold */
    return 0;
}
