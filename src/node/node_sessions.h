/* node_sessions.h: sessions of a server's clients: one catalog, with the tables of its data folders, and one engine that plans for
 * all of them; the cluster carries out what is planned. */
#ifndef ARB_NODE_NODE_SESSIONS_H
#define ARB_NODE_NODE_SESSIONS_H

#include "catalog/root.h"
#include "engine/session.h"

typedef struct arb_node_sessions {
    arb_runtime *runtime; /* borrowed */
    arb_catalog *catalog;
    arb_query_runner runner; /* set before the first is opened */
} arb_node_sessions;

/* Lists the folders; opens no file. The runtime and what the runner needs outlive the sessions. */
ARB_NODISCARD arb_code arb_node_sessions_init(arb_node_sessions *sessions, arb_runtime *runtime, const arb_roots *roots,
                                              arb_error *error);
/* None is open. A zeroed one is a no-op. */
void arb_node_sessions_reset(arb_node_sessions *sessions);
/* One more. Any thread. */
ARB_NODISCARD arb_code arb_node_sessions_open(arb_node_sessions *sessions, arb_session **out_session, arb_error *error);

#endif
