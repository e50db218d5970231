#include "node/node_http.h"

#include "node/node_address.h"

arb_code arb_node_http_open(const arb_node_options *options, arb_http_routes routes, void *context, arb_str token,
                            arb_http_server **out_server, arb_error *error)
{
    arb_http_server_options http = {
        .host = options->host.data,
        .port = options->http_port,
        .beyond_loopback = options->insecure,
        .routes = routes,
        .context = context,
        .guard = {.hosts = &options->host, .host_count = options->host.data != NULL, .token = token}};
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
    arb_node_place_print(out, options->host, arb_http_server_port(server));
}
