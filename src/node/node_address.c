#include "node/node_address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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

arb_code arb_node_door_check(const arb_node_door *door, arb_error *error)
{
    const struct addrinfo wanted = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[ARB_HOST_NAME_MOST] = "127.0.0.1", port[8];
    arb_str said = door->host;
    if (said.size > 2 && said.data[0] == '[')
        said = (arb_str){said.data + 1, said.size - 2};
    if (said.data != NULL)
        snprintf(host, sizeof host, "%.*s", ARB_STR_ARGS(said));
    snprintf(port, sizeof port, "%u", door->port);
    int unknown = getaddrinfo(host, port, &wanted, &found);
    if (unknown != 0)
        return arb_fail(error, ARB_CONFIGURATION, "there is no host %s: %s", host, gai_strerror(unknown));
    int one = 1, failed = 0, file = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (file < 0 || setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(file, found->ai_addr, found->ai_addrlen) != 0)
        failed = errno;
    if (file >= 0)
        close(file);
    freeaddrinfo(found);
    if (failed == 0)
        return ARB_OK;
    arb_fail_errno(error, failed, "cannot listen at %s:%s", host, port);
    if (error != NULL)
        error->code = ARB_CONFIGURATION;
    return ARB_CONFIGURATION;
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
