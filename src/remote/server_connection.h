/* server_connection.h: statements at a server, by Flight SQL. */
#ifndef ARB_REMOTE_SERVER_CONNECTION_H
#define ARB_REMOTE_SERVER_CONNECTION_H

#include "engine/statement_host.h"

/* Connects to arbalest://HOST:PORT[,HOST:PORT…], the first of them that answers; waits some seconds for each. Statements share a
 * session of the server. ARB_CONNECTION_FAILED, ARB_INVALID_PARAMETER. */
ARB_NODISCARD arb_code arb_server_connect(arb_str url, arb_statement_host **out_host, arb_error *error);

#endif
