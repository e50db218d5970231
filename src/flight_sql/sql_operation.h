/* sql_operation.h: updates that their client has named, so that a repeat is not carried out twice.
 *
 * A client that does not know what became of an update (its connection broke) sends it once more with the same header
 * "operation-id", in the same session. If the first one still runs, both have its end; if it was done, the repeat hears so; if it failed
 * or was cancelled it has left nothing and is carried out. A session remembers its last updates, and no longer than it
 * lives: a repeat in one that has ended is refused (ARB_SESSION_ENDED), not carried out. All with the service's lock held. */
#ifndef ARB_FLIGHT_SQL_SQL_OPERATION_H
#define ARB_FLIGHT_SQL_SQL_OPERATION_H

#include "flight_sql/sql_service_internal.h"

#define ARB_SQL_OPERATION "operation-id"

enum { ARB_SQL_OPERATION_BYTES = 64, ARB_SQL_OPERATIONS = 32 };

struct arb_sql_operation {
    char id[ARB_SQL_OPERATION_BYTES + 1]; /* empty: none */
    uint64_t statement;                   /* a hash of all of it: another one is no repeat */
    arb_sql_job *job;                     /* that carries it out; NULL: it is over */
    const char *tag;                      /* static; of what was done, like the next one */
    int64_t affected;
    bool failed; /* when some rows of values had been written */
};

/* What an id means when it comes. */
typedef enum arb_sql_repeat { ARB_SQL_FIRST, ARB_SQL_RUNS, ARB_SQL_DONE } arb_sql_repeat;

/* FIRST: `job` carries it out, which is remembered. RUNS, DONE: *out_operation is the first one's. ARB_CONFLICT for another
 * statement, and for one that has failed half way. */
ARB_NODISCARD arb_code arb_sql_operation_begin(arb_client_session *session, arb_str id, uint64_t statement,
                                               arb_sql_job *job, arb_sql_repeat *out_repeat,
                                               const arb_sql_operation **out_operation, arb_error *error);
/* The job has done it: a repeat is told so. */
void arb_sql_operation_done(arb_client_session *session, const arb_sql_job *job, const char *tag, int64_t affected);
/* The job has failed after some rows. */
void arb_sql_operation_failed(arb_client_session *session, const arb_sql_job *job, int64_t affected);
/* The job is over, or is a query: a repeat is carried out. Nothing is done if one of those above was said. */
void arb_sql_operation_forget(arb_client_session *session, const arb_sql_job *job);

#endif
