/* node_http.h: what operators see of a process, over HTTP. */
#ifndef ARB_NODE_NODE_HTTP_H
#define ARB_NODE_NODE_HTTP_H

#include "engine/cluster_module.h"
#include "http/http_server.h"

/* Serves the routes at the node's host and HTTP port; the context outlives the server. `token` lets who shows it change something;
 * empty: nobody. ARB_CONFIGURATION: the port is taken, or lies beyond this machine without --insecure. */
ARB_NODISCARD arb_code arb_node_http_open(const arb_node_options *options, arb_http_routes routes, void *context,
                                          arb_str token, arb_http_server **out_server, arb_error *error);
/* Append "http=HOST:PORT". */
void arb_node_http_print(const arb_node_options *options, const arb_http_server *server, arb_text *out);

#endif
