#include "rpc/rpc_server_kind.h"

#include "base/alloc.h"
#include "base/clock.h"

arb_code arb_rpc_server_init(arb_rpc_server *server, const arb_rpc_server_kind *kind,
                             const arb_rpc_server_options *options, arb_error *error)
{
    server->kind = kind;
    server->gate = options->gate;
    server->limits = arb_rpc_limits_or_usual(options->limits, false);
    server->port_count = options->address_count != 0 ? options->address_count : 1;
    server->ports = arb_alloc_zeroed(server->port_count * sizeof *server->ports);
    size_t size = options->service_count * sizeof *server->services;
    server->services = arb_alloc(size);
    arb_code code = server->services == NULL || server->ports == NULL
                        ? arb_fail_memory(error, "a server", size)
                        : arb_rpc_loop_start(&server->patience, "arb-rpc-ends", error);
    if (code != ARB_OK) {
        arb_free(server->services);
        arb_free(server->ports);
        return code;
    }
    if (size != 0)
        memcpy(server->services, options->services, size);
    server->service_count = options->service_count;
    atomic_init(&server->stopping, false);
    arb_rpc_live_init(&server->live);
    server->live.patience = &server->patience;
    return ARB_OK;
}

void arb_rpc_server_reset(arb_rpc_server *server)
{
    arb_rpc_loop_stop(&server->patience);
    arb_rpc_live_reset(&server->live);
    arb_free(server->services);
    arb_free(server->ports);
}

static const arb_rpc_method_entry *find_method(const arb_rpc_server *server, arb_str path, void **out_context)
{
    for (size_t i = 0; i < server->service_count; i++) {
        const arb_rpc_service *service = &server->services[i];
        size_t length = strlen(service->name);
        if (path.size < length + 2 || path.data[0] != '/' || path.data[length + 1] != '/' ||
            memcmp(path.data + 1, service->name, length) != 0)
            continue;
        arb_str name = {path.data + length + 2, path.size - length - 2};
        for (size_t j = 0; j < service->method_count; j++)
            if (arb_str_equal(name, arb_str_of(service->methods[j].name))) {
                *out_context = service->context;
                return &service->methods[j];
            }
    }
    return NULL;
}

static arb_code admit(arb_rpc_server *server, arb_rpc_call *call, const arb_rpc_method_entry *method, arb_error *error)
{
    if (atomic_load_explicit(&server->stopping, memory_order_relaxed))
        return arb_fail(error, ARB_CONNECTION_FAILED, "the server is shutting down");
    if (arb_rpc_live_count(&server->live) > server->limits.calls)
        return arb_fail(error, ARB_RESOURCES_EXHAUSTED, "the server has as many calls as it may, %zu",
                        server->limits.calls);
    if (server->gate.admit != NULL)
        ARB_TRY(server->gate.admit(server->gate.context, call, error));
    if (method == NULL)
        return arb_fail(error, ARB_NOT_SUPPORTED, "there is no method %.*s", ARB_STR_ARGS(arb_rpc_method(call)));
    return ARB_OK;
}

void arb_rpc_server_serve(arb_rpc_server *server, arb_rpc_call *call)
{
    void *context;
    arb_error error = {0};
    const arb_rpc_method_entry *method = find_method(server, arb_rpc_method(call), &context);
    arb_rpc_call_accept(call);
    arb_code code = admit(server, call, method, &error);
    if (code != ARB_OK)
        arb_rpc_finish(call, code, &error);
    else
        method->start(context, call);
}

int arb_rpc_server_port(const arb_rpc_server *server, size_t address)
{
    return address < server->port_count ? server->ports[address] : 0;
}

size_t arb_rpc_server_calls(const arb_rpc_server *server)
{
    return arb_rpc_live_count((arb_rpc_live *)&server->live);
}

void arb_rpc_server_stop(arb_rpc_server *server, int64_t deadline_ns)
{
    if (!atomic_exchange(&server->stopping, true))
        server->kind->stop(server);
    if (!arb_rpc_live_wait(&server->live, deadline_ns)) {
        arb_rpc_live_cancel(&server->live);
        (void)arb_rpc_live_wait(&server->live, INT64_MAX);
    }
}

void arb_rpc_server_destroy(arb_rpc_server *server)
{
    if (server == NULL)
        return;
    arb_rpc_server_stop(server, arb_clock_monotonic_ns());
    server->kind->destroy(server);
}
