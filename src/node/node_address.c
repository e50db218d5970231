#include "node/node_address.h"

#include <stdio.h>
#include <unistd.h>

enum { NAME_MOST = 256 };

/* An IPv6 address stands in brackets. */
void arb_node_place_print(arb_text *out, arb_str host, int port)
{
    if (host.data == NULL)
        host = ARB_STR("127.0.0.1");
    bool bare = memchr(host.data, ':', host.size) != NULL && host.data[0] != '[';
    arb_text_printf(out, bare ? "[%.*s]:%d" : "%.*s:%d", ARB_STR_ARGS(host), port);
}

arb_code arb_node_door_open(arb_grpc_runtime *runtime, const arb_node_door *door, const arb_rpc_service *services,
                            size_t count, const arb_rpc_gate *gate, arb_rpc_limits limits, arb_rpc_server **out_server,
                            arb_error *error)
{
    arb_text place = {0};
    arb_node_place_print(&place, door->host, door->port);
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
    char name[NAME_MOST] = "";
    arb_text place = {0};
    arb_str host = door->host;
    bool everywhere = arb_str_equal(host, ARB_STR("0.0.0.0")) || arb_str_equal(host, ARB_STR("::")) ||
                      arb_str_equal(host, ARB_STR("[::]"));
    if (everywhere && gethostname(name, sizeof name - 1) == 0)
        host = arb_str_of(name);
    arb_node_place_print(&place, host, arb_rpc_server_port(server, 0));
    arb_code code = arb_text_check(&place, error);
    if (code == ARB_OK) {
        *out_address = arb_str_copy(arena, arb_text_view(&place));
        code = out_address->data != NULL ? ARB_OK : arb_fail_memory(error, "an address", place.size);
    }
    arb_text_reset(&place);
    return code;
}
