/* flight_test_server.c: the store of flight_store.h over gRPC, for scripts.
 *
 *     flight_test_server [--locked] [--message-bytes N] [--keepalive-ms N]
 *
 * Prints "port N"; ends when its standard input does. */
#include <unistd.h>

#include "base/clock.h"
#include "rpc/flight_store.h"
#include "rpc/grpc_server.h"

int main(int count, char **arguments)
{
    flight_store store;
    arb_error error = {0};
    arb_grpc_runtime *runtime = NULL;
    arb_rpc_server *server = NULL;
    arb_rpc_server_options options = {.limits.message_bytes = 256 << 20};
    store_init(&store);
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--locked") == 0)
            store.is_locked = true;
        else if (strcmp(arguments[i], "--message-bytes") == 0 && i + 1 < count)
            options.limits.message_bytes = (int)strtol(arguments[++i], NULL, 10);
        else if (strcmp(arguments[i], "--keepalive-ms") == 0 && i + 1 < count)
            options.keepalive.interval_ms = options.keepalive.timeout_ms = (int)strtol(arguments[++i], NULL, 10);
    }
    arb_rpc_service services[] = {arb_flight_service_entry(&store.service)};
    options.services = services;
    options.service_count = 1;
    options.gate = (arb_rpc_gate){store_admit, &store};
    arb_code code = arb_grpc_runtime_create(0, &runtime, &error);
    if (code == ARB_OK)
        code = arb_grpc_server_create(runtime, &options, &server, &error);
    if (code != ARB_OK) {
        fprintf(stderr, "error: %s\n", error.message);
        return 1;
    }
    printf("port %d\n", arb_rpc_server_port(server, 0));
    fflush(stdout);
    char unused[64];
    while (read(STDIN_FILENO, unused, sizeof unused) > 0) {
    }
    arb_rpc_server_stop(server, arb_clock_monotonic_ns() + 1000000000);
    arb_rpc_server_destroy(server);
    arb_grpc_runtime_destroy(runtime);
    store_reset(&store);
    printf("done %d cancelled %d\n", store.done, store.cancelled);
    usleep(500000); /* gRPC's last threads end a moment after it says so; leak checkers count what they hold */
    return 0;
}
