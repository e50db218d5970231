/* sql_job.h: a statement that runs, for sql_job.c (its life, and the calls that are about it) and job_run.c (its turns).
 *
 *     NEW ──begin──> BEGUN ──DoGet, pulled to the end──> OVER
 *      └──────────────┴──failed, cancelled, forgotten──> OVER      (a polled one that failed tells its next poll before)
 *
 * Every step is a turn of its session. Whoever wants something of it sets a field under the lock and queues its turn. */
#ifndef ARB_FLIGHT_SQL_SQL_JOB_H
#define ARB_FLIGHT_SQL_SQL_JOB_H

#include "flight_sql/sql_service_internal.h"

typedef enum arb_sql_job_state {
    ARB_SQL_JOB_NEW,
    ARB_SQL_JOB_BEGUN,
    ARB_SQL_JOB_FAILED,
    ARB_SQL_JOB_OVER
} arb_sql_job_state;

struct arb_sql_job {
    arb_sql_turn turn;     /* first */
    arb_sql_errand answer; /* to a poll whose time is over */
    arb_sql_service *service;
    arb_sql_id id;
    arb_sql_asking asking;
    size_t held;     /* bytes that the service counts for it */
    arb_arena arena; /* what follows */
    arb_str text;
    const struct Arbalest__Sql__PreparedStatement *prepared; /* or NULL */
    arb_str descriptor, handle, ticket;

    /* Its turns': */
    bool repeats; /* was done before: the next two are known, and nothing runs */
    arb_batch_sender *sender;
    const arb_batch *batch; /* lent by the result: what was taken from it and not sent yet */
    size_t row;             /* of it */
    bool ended;             /* the result has no more */
    bool is_revived;        /* an earlier process began it: it is to be found, by its id */
    arb_text schema;        /* framed */
    const char *tag;        /* static */
    bool has_rows;
    int64_t affected;
    uint64_t peak_memory;

    /* The lock: */
    arb_sql_entry entry;
    arb_sql_job *previous, *next;
    unsigned references; /* one until it is over, and each call's */
    arb_sql_job_state state;
    bool cancelled;
    bool stalled;         /* cancelled, since its client took no rows */
    bool answering;       /* `answer` waits for a thread */
    bool told;            /* a client has its handle */
    bool polled;          /* the calls about it are polls */
    unsigned lookers;     /* with `result` in hand, without the lock */
    bool peeked;          /* polled: the first rows are there */
    arb_result *result;   /* set and taken away in its turns, looked at by those who cancel */
    arb_rpc_call *waiter; /* a count: GetFlightInfo, Poll or DoPut, which waits for an answer */
    int64_t answer_by_ns; /* of a poll */
    arb_rpc_call *stream; /* a count: DoGet */
    int64_t room_by_ns;   /* of a stream without room: until when there must be some; else INT64_MAX */
    int64_t lease_ns;     /* until when somebody has to ask for it, while no call is about it */
    arb_error error;      /* FAILED */
};

/* With the lock held. The job is not looked at any more when its last count goes. */
void arb_sql_job_unref_locked(arb_sql_job *job);
/* With the lock held: it is found no more. */
void arb_sql_job_take_out(arb_sql_job *job);
/* There is none, or not any more: ARB_UNDEFINED_STATEMENT. */
arb_code arb_sql_job_fail_gone(arb_error *error);
/* Why it was cancelled, as an error. */
arb_code arb_sql_job_fail_cancelled(const arb_sql_job *job, arb_error *error);
/* With the lock held: the call that waits is the caller's now, with its count; NULL when there is none. The lease begins. */
arb_rpc_call *arb_sql_job_take_waiter(arb_sql_job *job);
/* How far a statement is. */
typedef struct arb_sql_progress {
    double part; /* 0 to 1; negative: not known */
    const arb_run_stage *stages;
    size_t stage_count;
} arb_sql_progress;

/* Answer a poll: finished, in a turn, with NULL, or not; takes the call's count. Without the lock. */
void arb_sql_job_answer_poll(arb_sql_job *job, arb_rpc_call *call, const arb_sql_progress *progress);
/* The answer to GetFlightInfo; likewise. */
void arb_sql_job_answer_info(arb_sql_job *job, arb_rpc_call *call);
/* Append the packed summary. `final`: with the rows that were sent. */
ARB_NODISCARD arb_code arb_sql_job_summary(const arb_sql_job *job, bool final, arb_text *out, arb_error *error);
/* job_run.c: the turns. */
void arb_sql_job_run(arb_sql_turn *turn);

#endif
