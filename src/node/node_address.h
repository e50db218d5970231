/* node_address.h: where a process of a cluster listens, and what others call that place. */
#ifndef ARB_NODE_NODE_ADDRESS_H
#define ARB_NODE_NODE_ADDRESS_H

#include "rpc/grpc_server.h"

enum { ARB_HOST_NAME_MOST = 256 };

/* What others call the host: 127.0.0.1 for none (data NULL), this machine's name for all networks. A view of it or of `name`. */
arb_str arb_node_host_shown(arb_str host, char name[ARB_HOST_NAME_MOST]);
/* The host without the brackets that an IPv6 address may have; 127.0.0.1 for none. A view of it or of `bare`; ends with NUL. */
arb_str arb_node_host_bare(arb_str host, char bare[ARB_HOST_NAME_MOST]);
/* Could one listen at all of these ports now? ARB_CONFIGURATION: one is taken or said twice, there is no such host, or others than this
 * machine could come in without `insecure`. */
ARB_NODISCARD arb_code arb_node_ports_check(arb_str host, const uint16_t *ports, size_t count, bool insecure,
                                            arb_error *error);
/* Append HOST:PORT. */
void arb_node_place_print(arb_text *out, arb_str host, int port);

/* A port of a process. */
typedef struct arb_node_door {
    arb_str host;  /* data NULL: 127.0.0.1 */
    uint16_t port; /* 0: a free one */
    bool insecure; /* beyond this machine, too, in plain text */
} arb_node_door;

/* Serves the services there. ARB_CONFIGURATION: the port is taken, or lies beyond this machine without `insecure`. */
ARB_NODISCARD arb_code arb_node_door_open(arb_grpc_runtime *runtime, const arb_node_door *door,
                                          const arb_rpc_service *services, size_t count, const arb_rpc_gate *gate,
                                          arb_rpc_limits limits, arb_rpc_server **out_server, arb_error *error);
/* HOST:PORT for others, in the arena; a door to all networks is called by this machine's name. */
ARB_NODISCARD arb_code arb_node_door_address(arb_arena *arena, const arb_node_door *door, const arb_rpc_server *server,
                                             arb_str *out_address, arb_error *error);

#endif
