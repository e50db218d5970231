/* sql_service_internal.h: what the files of this folder share.
 *
 *     sql_service     the tables of methods; the keeper of times
 *     sql_lane        worker threads, and who has how many of them
 *     client_session  sessions and their turns
 *     sql_request     calls that are answered in one turn: Prepare, GetSchema, listings, session options
 *     sql_job         statements that run: begun, polled, given by DoGet, ended; job_run: their turns
 *     sql_operation   repeats of updates
 *     sql_put         DoPut: updates, binding of values
 *     sql_action      the actions
 *
 * One lock, the service's, guards users, sessions, queues and the states of jobs; it is never held while an engine's session is
 * used. What belongs to a session's turn (its arb_session, a job's result and stream) is touched by the worker whose turn it is,
 * without the lock. */
#ifndef ARB_FLIGHT_SQL_SQL_SERVICE_INTERNAL_H
#define ARB_FLIGHT_SQL_SQL_SERVICE_INTERNAL_H

#include "columnar/arrow_array.h"
#include "columnar/ipc/ipc_encoder.h"
#include "flight_sql/sql_handle.h"
#include "flight_sql/sql_lane.h"
#include "flight_sql/sql_service.h"

typedef struct arb_client_session arb_client_session;
typedef struct arb_sql_turn arb_sql_turn;
typedef struct arb_sql_job arb_sql_job;
typedef struct arb_sql_operation arb_sql_operation;

/* ---- turns --------------------------------------------------------------------------------------------------------------- */

/* Something to be done with a session, by a worker. Lies in a request or job. */
struct arb_sql_turn {
    arb_client_session *session; /* a count, of whoever has the turn */
    arb_sql_lane_kind lane;
    /* Without the lock; ends with arb_sql_turn_end, after which the turn may be gone. */
    void (*run)(arb_sql_turn *turn);
    arb_sql_turn *next; /* the lock, like all below */
    bool queued;        /* waits in its session; false while it runs */
    bool again;         /* to be queued once more after it has run */
};

struct arb_client_session {
    arb_sql_errand errand; /* first: of a worker, when it is ready */
    arb_sql_service *service;
    arb_sql_id id;
    bool is_token;       /* the id is a bearer token's hash */
    arb_sql_user *user;  /* a count */
    arb_session *engine; /* NULL until the first turn that wants it; the worker's */
    /* The lock: */
    arb_sql_entry entry;
    arb_client_session *previous, *next; /* of all */
    unsigned references;                 /* turns and calls that use it */
    bool named;                          /* a client knows it and will find it again */
    bool listed;                         /* can be found */
    bool ready;                          /* waits for a worker, or has one */
    int64_t used_ns;                     /* when its last count went */
    arb_sql_turn *first, **last, *current;
    arb_sql_operation *operations; /* sql_operation.h; NULL: there were none */
    unsigned next_operation;
};

enum { ARB_SQL_ENDED_SESSIONS = 1024 };

struct arb_sql_service {
    arb_sql_sessions opener;
    arb_login *login; /* or NULL */
    int64_t lease_ns, stall_ns, session_ns;
    size_t sessions_most, jobs_most, held_most;
    arb_seal_key key;
    arb_sql_sealer sealer;
    char *name, *version;
    arb_flight_methods methods;
    arb_flight_service flight;
    pthread_t keeper;
    bool keeping;
    pthread_mutex_t lock; /* of all that follows */
    bool stopping;
    pthread_cond_t times_changed; /* for the keeper; on the monotonic clock */
    int64_t looks_by_ns;          /* when it looks again */
    pthread_cond_t looked;        /* nobody looks at a job's result any more */
    arb_sql_lane lanes[ARB_SQL_LANE_COUNT];
    arb_sql_index users, session_index, job_index;
    size_t user_count, session_count, job_count;
    size_t held; /* bytes that clients have sent and that are kept */
    arb_client_session *sessions;
    arb_sql_id ended[ARB_SQL_ENDED_SESSIONS]; /* of tokens: those that ended last, by key */
    arb_sql_job *jobs;                        /* not over */
    struct arb_sql_put *puts;                 /* uploads that are coming */
};

ARB_INLINE void arb_sql_lock(arb_sql_service *service)
{
    pthread_mutex_lock(&service->lock);
}
ARB_INLINE void arb_sql_unlock(arb_sql_service *service)
{
    pthread_mutex_unlock(&service->lock);
}

/* With the lock held: something ends then. */
ARB_INLINE void arb_sql_look_by(arb_sql_service *service, int64_t time_ns)
{
    if (time_ns < service->looks_by_ns)
        pthread_cond_signal(&service->times_changed);
}

/* Bytes of a user's are about to be kept: ARB_RESOURCES_EXHAUSTED when there are too many. Takes the lock. */
ARB_NODISCARD arb_code arb_sql_hold(arb_sql_user *user, size_t bytes, arb_error *error);
/* With the lock held. */
void arb_sql_release_locked(arb_sql_user *user, size_t bytes);

/* ---- client_session.c ---------------------------------------------------------------------------------------------------- */

/* The session that a call belongs to, with a count; its answer offers a cookie when it has none. ARB_SESSION_ENDED when it
 * belongs to one that is there no more. On the call's thread, before anything is sent. */
ARB_NODISCARD arb_code arb_client_session_find(arb_sql_service *service, arb_rpc_call *call,
                                               arb_client_session **out_session, arb_error *error);
/* One for the call alone, whatever its client's is. */
ARB_NODISCARD arb_code arb_client_session_begin(arb_sql_service *service, arb_rpc_call *call,
                                                arb_client_session **out_session, arb_error *error);
/* The answer tells the client to forget its cookie. */
ARB_NODISCARD arb_code arb_client_session_take_cookie(arb_rpc_call *call, arb_error *error);
/* With the lock held. */
void arb_client_session_unref_locked(arb_client_session *session);
/* In a turn: the engine's session, opened when it is not yet. */
ARB_NODISCARD arb_code arb_client_session_engine(arb_client_session *session, arb_session **out_engine,
                                                 arb_error *error);
/* With the lock held: it is found no more; what runs in it is not touched. */
void arb_client_session_forget(arb_client_session *session);
/* Which of them time is over, with the lock held; returns when to look again. */
int64_t arb_client_sessions_expire(arb_sql_service *service, int64_t now_ns);
/* All that are listed, at the end; nobody uses them. */
void arb_client_sessions_close(arb_sql_service *service);

/* Queue a turn, with the lock held; one that runs is queued again after it. */
void arb_sql_turn_queue(arb_sql_turn *turn);
/* With the lock held: the worker is through with it. */
void arb_sql_turn_end(arb_sql_turn *turn);
/* With the lock held: whether a worker is in it. */
ARB_INLINE bool arb_sql_turn_runs(const arb_sql_turn *turn)
{
    return turn->session->current == turn;
}

/* ---- sql_request.c ------------------------------------------------------------------------------------------------------- */

/* A call that one turn answers. */
typedef struct arb_sql_request {
    arb_sql_turn turn;
    arb_sql_service *service;
    arb_rpc_call *call;
    arb_arena arena; /* the worker's */
    /* Sends the answers; the caller finishes the call. `message` is what was given to arb_sql_request_begin. */
    arb_code (*answer)(struct arb_sql_request *request, arb_session *engine, arb_error *error);
    const void *message;
    unsigned references; /* the lock: the call's, and the turn's */
    bool gone;           /* the lock: the call is over */
} arb_sql_request;

/* Have `answer` called in a turn of the call's session. `message` lives as long as the call. Failures finish the call. */
void arb_sql_request_begin(arb_sql_service *service, arb_rpc_call *call, arb_sql_lane_kind lane,
                           arb_code (*answer)(arb_sql_request *request, arb_session *engine, arb_error *error),
                           const void *message);
/* ---- sql_job.c ----------------------------------------------------------------------------------------------------------- */

/* A statement as it came: exactly one of the two. */
typedef struct arb_sql_statement {
    arb_str text;
    arb_str prepared; /* a handle, maybe with values */
} arb_sql_statement;

typedef enum arb_sql_asking { ARB_SQL_GET_INFO, ARB_SQL_POLL, ARB_SQL_PUT } arb_sql_asking;

/* Begin a statement for a call, which hears of it. `statement` is copied; `descriptor` (packed) is given back in the answer. */
void arb_sql_job_begin(arb_sql_service *service, arb_rpc_call *call, arb_sql_asking asking,
                       const arb_sql_statement *statement, arb_str descriptor);
/* One that was begun, maybe by an earlier process: the next answer to a poll. `descriptor` is the poll's own, packed. */
void arb_sql_job_poll(arb_sql_service *service, arb_rpc_call *call, arb_str handle, arb_str descriptor);
/* Give its rows to the call. */
void arb_sql_job_get(arb_sql_service *service, arb_rpc_call *call, arb_str handle);
/* *out_found: it is not over yet. */
ARB_NODISCARD arb_code arb_sql_job_cancel(arb_sql_service *service, arb_str user, arb_str handle, bool *out_found,
                                          arb_error *error);
/* Its lease begins anew: *out_until_us (wall time), or ARB_UNDEFINED_STATEMENT. */
ARB_NODISCARD arb_code arb_sql_job_renew(arb_sql_service *service, arb_str user, arb_str handle, int64_t *out_until_us,
                                         arb_error *error);
/* With the lock held: what has waited too long, and polls to be answered; returns when to look again. */
int64_t arb_sql_jobs_expire(arb_sql_service *service, int64_t now_ns);
/* With the lock held: all of a session's, or of all sessions when it is NULL. */
void arb_sql_jobs_cancel(arb_sql_service *service, const arb_client_session *session);

/* ---- batch_sender.c ------------------------------------------------------------------------------------------------------ */

/* Rows as messages of DoGet. The columns outlive it. */
typedef struct arb_batch_sender arb_batch_sender;

ARB_NODISCARD arb_code arb_batch_sender_create(const arb_result_columns *columns, arb_rpc_call *call,
                                               arb_batch_sender **out_sender, arb_error *error);
void arb_batch_sender_destroy(arb_batch_sender *sender); /* NULL is a no-op */
/* Send the schema; first. */
ARB_NODISCARD arb_code arb_batch_sender_begin(arb_batch_sender *sender, arb_error *error);
/* Take some rows of the batch, from *row on, which moves: all, or so many that a message is full and has been sent. */
ARB_NODISCARD arb_code arb_batch_sender_take(arb_batch_sender *sender, const arb_batch *batch, size_t *row,
                                             arb_error *error);
/* Send what is not sent yet. */
ARB_NODISCARD arb_code arb_batch_sender_flush(arb_batch_sender *sender, arb_error *error);
uint64_t arb_batch_sender_rows(const arb_batch_sender *sender); /* taken so far */
uint64_t arb_batch_sender_messages(const arb_batch_sender *sender);
/* For tables made otherwise: what it encodes goes to the call, which outlives it; the schema has gone. Also on failure the
 * caller destroys *out_encoder. */
ARB_NODISCARD arb_code arb_call_encoder_create(arb_rpc_call *call, const arb_arrow_schema *schema,
                                               arb_ipc_encoder **out_encoder, arb_error *error);
/* The schema that results with such columns have. */
ARB_NODISCARD arb_code arb_result_schema(const arb_result_columns *columns, arb_arrow_schema **out_schema,
                                         arb_error *error);

/* ---- flight_answer.c ----------------------------------------------------------------------------------------------------- */

typedef struct arb_info_parts {
    arb_str descriptor; /* packed; given back as it came */
    arb_str schema;     /* framed; empty: not known yet */
    arb_str ticket;     /* a whole ticket; empty: no endpoint yet */
    int64_t until_us;   /* of the ticket, wall time; 0: it does not end */
    arb_str summary;
} arb_info_parts;

ARB_NODISCARD arb_code arb_answer_info(arb_rpc_call *call, const arb_info_parts *parts, arb_error *error);
/* `poll`: the descriptor of the next poll, empty: it is finished. Negative progress: not known. */
ARB_NODISCARD arb_code arb_answer_poll(arb_rpc_call *call, const arb_info_parts *parts, arb_str poll, double progress,
                                       int64_t until_us, arb_error *error);
/* Append an Any with the message of the protocol. */
ARB_NODISCARD arb_code arb_any_write(const ProtobufCMessage *message, arb_text *out, arb_error *error);
/* Append the ticket of a statement's handle. */
ARB_NODISCARD arb_code arb_statement_ticket(arb_str handle, arb_text *out, arb_error *error);
/* An action's only result. */
ARB_NODISCARD arb_code arb_send_result(arb_rpc_call *call, const ProtobufCMessage *message, bool as_any,
                                       arb_error *error);

/* ---- sql_any.c ----------------------------------------------------------------------------------------------------------- */

/* X(NAME, symbol): the messages that come in an Any; those that list something stand together. */
#define ARB_SQL_MESSAGES(X)                                                           \
    X(CommandStatementQuery, command_statement_query)                                 \
    X(CommandStatementUpdate, command_statement_update)                               \
    X(CommandPreparedStatementQuery, command_prepared_statement_query)                \
    X(CommandPreparedStatementUpdate, command_prepared_statement_update)              \
    X(CommandGetSqlInfo, command_get_sql_info)                                        \
    X(CommandGetXdbcTypeInfo, command_get_xdbc_type_info)                             \
    X(CommandGetCatalogs, command_get_catalogs)                                       \
    X(CommandGetDbSchemas, command_get_db_schemas)                                    \
    X(CommandGetTables, command_get_tables)                                           \
    X(CommandGetTableTypes, command_get_table_types)                                  \
    X(CommandGetPrimaryKeys, command_get_primary_keys)                                \
    X(CommandGetExportedKeys, command_get_exported_keys)                              \
    X(CommandGetImportedKeys, command_get_imported_keys)                              \
    X(CommandGetCrossReference, command_get_cross_reference)                          \
    X(TicketStatementQuery, ticket_statement_query)                                   \
    X(ActionCreatePreparedStatementRequest, action_create_prepared_statement_request) \
    X(ActionClosePreparedStatementRequest, action_close_prepared_statement_request)   \
    X(ActionCancelQueryRequest, action_cancel_query_request)

typedef enum arb_sql_message_kind {
#define X(name, symbol) ARB_SQL_##name,
    ARB_SQL_MESSAGES(X)
#undef X
        ARB_SQL_MESSAGE_COUNT
} arb_sql_message_kind;

typedef struct arb_sql_message {
    arb_sql_message_kind kind;
    const ProtobufCMessage *message; /* in the arena */
} arb_sql_message;

/* What is in an Any. The bytes may be anything: ARB_INVALID_PARAMETER, ARB_NOT_SUPPORTED for a message that is not known. */
ARB_NODISCARD arb_code arb_any_read(arb_str bytes, arb_arena *arena, arb_sql_message *out_message, arb_error *error);

/* ---- the methods --------------------------------------------------------------------------------------------------------- */

void arb_sql_do_put(void *service, arb_rpc_call *call); /* sql_put.c */
/* With the lock held: uploads that have stalled end; returns when to look again. */
int64_t arb_sql_puts_expire(arb_sql_service *service, int64_t now_ns);
void arb_sql_do_action(void *service, arb_rpc_call *call,
                       const struct Arrow__Flight__Protocol__Action *action); /* sql_action.c */
void arb_sql_list_actions(void *service, arb_rpc_call *call);
/* Answers in a turn. sql_prepare.c */
ARB_NODISCARD arb_code arb_sql_prepare(arb_sql_request *request, arb_session *engine, arb_error *error);
ARB_NODISCARD arb_code arb_sql_look_schema(arb_sql_request *request, arb_session *engine, arb_error *error);

/* ---- metadata: catalog_rows.c, sql_info.c, type_info.c -------------------------------------------------------------------- */

/* Is it asked by one of the commands about catalogs, types and the server? */
bool arb_sql_is_listing(arb_sql_message_kind kind);
/* The schema of its rows, known without asking anybody. */
ARB_NODISCARD arb_code arb_sql_listing_schema(const arb_sql_message *command, arb_arrow_schema **out_schema,
                                              arb_error *error);
/* How long that takes: files may have to be opened for it. */
arb_sql_lane_kind arb_sql_listing_lane(const arb_sql_message *command);
/* Its rows, in a turn; the message is an arb_sql_message. */
ARB_NODISCARD arb_code arb_sql_listing_send(arb_sql_request *request, arb_session *engine, arb_error *error);

#endif
