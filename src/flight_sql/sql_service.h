/* sql_service.h: Flight SQL for clients: statements in, Arrow batches out.
 *
 *     arb_sql_service_create(&options, &service, error);
 *     arb_rpc_service entry = arb_flight_service_entry(arb_sql_service_flight(service));
 *     … a server with that entry: arb_grpc_server_create …
 *     arb_rpc_server_destroy(server);      calls end, which cancels what they are about
 *     arb_sql_service_destroy(service);
 *
 * What happens when
 *   Prepare (an action), GetSchema   parse and bind, nothing runs
 *   GetFlightInfo, DoPut             a statement begins here, once; DDL, DML and SET are over when it is answered
 *   PollFlightInfo                   the same, answered within half a second: finished when the first rows are there; until
 *                                    then with the part that is done and, in app_metadata, the stages
 *   DoGet                            gives the rows, once; without DoGet, Poll or RenewFlightEndpoint within the lease the
 *                                    statement is cancelled, and so it is when its client goes away
 * A prepared statement's handle holds the text and the values bound to it, sealed for its user: this service keeps nothing of
 * it. An update with several rows of values runs once for each of them, in order; those before a failure stay.
 *
 * Sessions. A call belongs to the session that its cookie `arrow_flight_session_id` names, else to that of its bearer token.
 * With neither, each statement has a session of its own as long as it lives, where SET, USE and CREATE TEMP are refused, and the
 * answer offers a cookie; SetSessionOptions, even without options, makes the session that its cookie names. A session does one
 * thing at a time, in the order of arrival; rows of an open result are taken from it message by message, when their client has
 * room, so what is not fetched holds up nothing. Sessions run side by side on the service's own threads (flight_sql/sql_lane.h);
 * the transport's never wait. A session that nobody
 * has used for long ends, and so does the longest idle one of a user with more than three quarters of them all; its client hears of
 * it once (ARB_SESSION_ENDED), before anything runs in a new one.
 *
 * Repeats. An update with the header "operation-id" can be sent once more in the same session when its connection broke: it is not
 * carried out twice (flight_sql/sql_operation.h).
 *
 * Clients that stall. An upload whose values do not come, and a result whose rows are not taken, end after some minutes with what
 * they hold; of that a user has at most half.
 *
 * Beside the protocol. FlightInfo.app_metadata is an arbalest.sql.StatementSummary (proto/sql_handle.proto): the statement's tag,
 * whether it has rows, how many it wrote, the memory that it held. DoGet and DoPut say the same once more, now final and with the
 * number of rows sent, in the trailer ARB_SQL_SUMMARY. Errors travel with all their fields (rpc/rpc_status.h); positions count in
 * the statement's text.
 *
 * How much of a result waits for a client that reads slowly is bounded by the server's limits.send_window. */
#ifndef ARB_FLIGHT_SQL_SQL_SERVICE_H
#define ARB_FLIGHT_SQL_SQL_SERVICE_H

#include "engine/session.h"
#include "exchange_flight/sealed_bytes.h"
#include "flight_sql/login.h"
#include "rpc/flight_service.h"
#include "state/store.h"

#define ARB_SQL_SUMMARY "arbalest-statement-bin"
#define ARB_SQL_SESSION_COOKIE "arrow_flight_session_id"

typedef struct arb_sql_service arb_sql_service;

/* Who makes sessions. Both are called by the service's threads, several at a time. */
typedef struct arb_sql_sessions {
    void *context;
    arb_code (*open)(void *context, arb_str user, arb_session **out_session, arb_error *error);
    /* NULL: arb_session_destroy */
    void (*close)(void *context, arb_session *session);
} arb_sql_sessions;

/* 0 and NULL: what is usual. */
typedef struct arb_sql_service_options {
    arb_sql_sessions sessions;
    unsigned threads;     /* that carry out statements, at most; 64. Those that wait for executors need none */
    int64_t lease_ns;     /* of a statement whose rows nobody has asked for; 60 s */
    int64_t stall_ns;     /* of a call whose client sends, or takes, nothing; 5 minutes. An upload has ten times that */
    int64_t session_ns;   /* of a session that nobody uses; an hour */
    size_t sessions_most; /* at a time, those of single statements included; 1,000 */
    size_t held_most;     /* bytes of statements and values that are not over, half of it for a user; 256 MiB */
    size_t jobs_most;     /* statements that are not over; 10,000 */
    arb_login *login;     /* answers Handshakes; outlives the server. NULL: there are none */
    const arb_seal_key *key;    /* of handles; NULL: a random one, which no later process has. Copied */
    arb_uuid cluster;           /* whose handles they are */
    const char *name, *version; /* of the server, for clients that ask; copied. "Arbalest", "" */
} arb_sql_service_options;

ARB_NODISCARD arb_code arb_sql_service_create(const arb_sql_service_options *options, arb_sql_service **out_service,
                                              arb_error *error);
/* For the server; lives as long as the service. */
arb_flight_service *arb_sql_service_flight(arb_sql_service *service);
/* The server must have stopped. Ends what still runs, closes all sessions and waits for it. NULL is a no-op. */
void arb_sql_service_destroy(arb_sql_service *service);

#endif
