#include "node/node_http.h"

#include "node/node_address.h"

arb_code arb_node_http_open(const arb_node_options *options, arb_http_routes routes, void *context, arb_str token,
                            arb_http_server **out_server, arb_error *error)
{
    char name[ARB_HOST_NAME_MOST];
    arb_str host = options->host, hosts[] = {options->host, arb_node_host_shown(options->host, name)};
    char bare[ARB_HOST_NAME_MOST];
    arb_http_server_options http = {
        .host = arb_node_host_bare(host, bare).data,
        .port = options->http_port,
        .beyond_loopback = options->insecure,
        .routes = routes,
        .context = context,
        .guard = {.hosts = hosts, .host_count = host.data != NULL ? ARB_COUNT_OF(hosts) : 0, .token = token}};
    arb_code code = arb_http_server_create(&http, out_server, error);
    if (code != ARB_IO)
        return code;
    if (error != NULL)
        error->code = ARB_CONFIGURATION; /* somebody else has the port */
    return ARB_CONFIGURATION;
}

void arb_node_http_print(const arb_node_options *options, const arb_http_server *server, arb_text *out)
{
    arb_text_append_str(out, ARB_STR("http="));
    char name[ARB_HOST_NAME_MOST];
    arb_node_place_print(out, arb_node_host_shown(options->host, name), arb_http_server_port(server));
}
