#include "node/node_address.h"

#include <stdio.h>
#include <unistd.h>

#include "http/http_listener.h"

arb_str arb_node_host_shown(arb_str host, char name[ARB_HOST_NAME_MOST])
{
    if (host.data == NULL)
        return ARB_STR("127.0.0.1");
    bool everywhere = arb_str_equal(host, ARB_STR("0.0.0.0")) || arb_str_equal(host, ARB_STR("::")) ||
                      arb_str_equal(host, ARB_STR("[::]"));
    name[ARB_HOST_NAME_MOST - 1] = '\0';
    return everywhere && gethostname(name, ARB_HOST_NAME_MOST - 1) == 0 ? arb_str_of(name) : host;
}

/* An IPv6 address stands in brackets. */
void arb_node_place_print(arb_text *out, arb_str host, int port)
{
    bool bare = memchr(host.data, ':', host.size) != NULL && host.data[0] != '[';
    arb_text_printf(out, bare ? "[%.*s]:%d" : "%.*s:%d", ARB_STR_ARGS(host), port);
}

arb_str arb_node_host_bare(arb_str host, char bare[ARB_HOST_NAME_MOST])
{
    if (host.data == NULL)
        return ARB_STR("127.0.0.1");
    if (host.size <= 2 || host.size >= ARB_HOST_NAME_MOST || host.data[0] != '[' || host.data[host.size - 1] != ']')
        return host;
    snprintf(bare, ARB_HOST_NAME_MOST, "%.*s", (int)host.size - 2, host.data + 1);
    return arb_str_of(bare);
}

/* Listens there for a moment. */
static arb_code check_place(const char *host, uint16_t port, bool insecure, arb_error *error)
{
    uint16_t found;
    int listening;
    arb_code code = arb_http_listen(host, port, insecure, &listening, &found, error);
    if (code == ARB_OK) {
        close(listening);
        return ARB_OK;
    }
    if (error != NULL)
        error->code = ARB_CONFIGURATION;
    return ARB_CONFIGURATION;
}

arb_code arb_node_ports_check(arb_str host, const uint16_t *ports, size_t count, bool insecure, arb_error *error)
{
    char bare[ARB_HOST_NAME_MOST];
    host = arb_node_host_bare(host, bare);
    for (size_t i = 0; i < count; i++) {
        for (size_t before = 0; before < i; before++)
            if (ports[i] != 0 && ports[i] == ports[before])
                return arb_fail(error, ARB_CONFIGURATION, "port %u is said twice", ports[i]);
        ARB_TRY(check_place(host.data, ports[i], insecure, error));
    }
    return ARB_OK;
}

arb_code arb_node_door_open(arb_grpc_runtime *runtime, const arb_node_door *door, const arb_rpc_service *services,
                            size_t count, const arb_rpc_gate *gate, arb_rpc_limits limits, arb_rpc_server **out_server,
                            arb_error *error)
{
    arb_text place = {0};
    arb_node_place_print(&place, door->host.data != NULL ? door->host : ARB_STR("127.0.0.1"), door->port);
    arb_text_append_char(&place, '\0');
    const char *address = place.data;
    arb_rpc_server_options options = {.addresses = &address,
                                      .address_count = 1,
                                      .beyond_loopback = door->insecure,
                                      .services = services,
                                      .service_count = count,
                                      .limits = limits};
    if (gate != NULL)
        options.gate = *gate;
    arb_code code = arb_text_check(&place, error);
    if (code == ARB_OK)
        code = arb_grpc_server_create(runtime, &options, out_server, error);
    arb_text_reset(&place);
    return code;
}

arb_code arb_node_door_address(arb_arena *arena, const arb_node_door *door, const arb_rpc_server *server,
                               arb_str *out_address, arb_error *error)
{
    char name[ARB_HOST_NAME_MOST];
    arb_text place = {0};
    arb_str host = arb_node_host_shown(door->host, name);
    arb_node_place_print(&place, host, arb_rpc_server_port(server, 0));
    arb_code code = arb_text_check(&place, error);
    if (code == ARB_OK) {
        *out_address = arb_str_copy(arena, arb_text_view(&place));
        code = out_address->data != NULL ? ARB_OK : arb_fail_memory(error, "an address", place.size);
    }
    arb_text_reset(&place);
    return code;
}
