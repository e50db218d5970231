/* job_client.h: how the other parts of the scheduler's process run jobs.
 *
 * A job is submitted with its plans and gives a handle, by which its owner waits for what becomes of it, or is told, and says
 * what he does with its result. While somebody has a handle, the job's lease is renewed. Who lets go of a handle cancels the
 * job, unless others have one or he says that it shall go on; then it lives as long as its lease, and can be found again by its
 * id, under a later scheduler too if it is recorded.
 *
 *     submit ─▶ wait (ACCEPTED) ─▶ wait (READABLE) ─▶ results ─▶ rows_left, read, delivered … ─▶ wait (ENDED) ─▶ close
 *
 * Functions may be called from any thread; from others than the loop's they wait for their turn on it, some milliseconds. Who
 * may not wait at all posts an event to the loop and calls them there, where `changed` comes too. One handle is closed by one
 * thread while nobody else uses it. */
#ifndef ARB_SCHEDULER_PROCESS_JOB_CLIENT_H
#define ARB_SCHEDULER_PROCESS_JOB_CLIENT_H

#include "scheduler_process/plan_store.h"
#include "scheduler_process/scheduler_loop.h"

typedef struct arb_job_clients arb_job_clients; /* all of a process */
typedef struct arb_job_client arb_job_client;   /* a handle */

/* What is known of a job. */
typedef struct arb_job_progress {
    arb_id job;
    bool accepted;
    bool streams; /* its result can be read from `attempt` on `executor` while that runs */
    arb_id attempt;
    arb_uuid executor;
    bool finished;       /* its result is complete; may become false again, before rows have left */
    bool ended;          /* it is over */
    bool lost;           /* this scheduler is not the one any more, or ends: nothing more is heard here */
    arb_job_state state; /* once it has ended */
    arb_error error;     /* of one that has failed or was cancelled; of `lost`, ARB_CONNECTION_FAILED */
} arb_job_progress;

typedef enum arb_job_moment {
    ARB_JOB_ACCEPTED,
    ARB_JOB_READABLE, /* streams, or finished */
    ARB_JOB_COMPLETE, /* finished */
    ARB_JOB_OVER,     /* ended */
} arb_job_moment;

/* On the loop's thread, after each change, also before submit has returned, never after close has. Must not wait; may close the
 * handle, once it was returned. */
typedef struct arb_job_watch {
    void (*changed)(void *context, const arb_job_progress *progress);
    void *context;
} arb_job_watch;

ARB_NODISCARD arb_code arb_job_clients_create(arb_scheduler_loop *loop, arb_plan_store *plans,
                                              arb_job_clients **out_clients, arb_error *error);
/* All handles are closed. NULL is a no-op. */
void arb_job_clients_destroy(arb_job_clients *clients);
/* On the loop: the machine's answers; what follows from them, behind each event; the end of all waiting. */
void arb_job_clients_answer(arb_job_clients *clients, const arb_answer *answer);
void arb_job_clients_settle(arb_job_clients *clients);
void arb_job_clients_stop(arb_job_clients *clients, const char *why);

/* ---- handles ------------------------------------------------------------------------------------------------------------ */

/* Each stage's plan is the hash (arb_plan_hash) of one of `plans`. All is borrowed for the call. Waits for the disk if the
 * job is to be recorded: not on the loop then. ARB_INVALID_PARAMETER, ARB_LIMIT_EXCEEDED; ARB_CONNECTION_FAILED once the
 * scheduler was replaced or ends; what the disk says. `watch` may be NULL. */
ARB_NODISCARD arb_code arb_job_submit(arb_job_clients *clients, const arb_job_spec *spec, const arb_str *plans,
                                      size_t plan_count, const arb_job_watch *watch, arb_job_client **out_client,
                                      arb_error *error);
/* A handle for a job that is there or is remembered. ARB_UNDEFINED_OBJECT. */
ARB_NODISCARD arb_code arb_job_find(arb_job_clients *clients, arb_id job, const arb_job_watch *watch,
                                    arb_job_client **out_client, arb_error *error);
/* Done with it; the job is cancelled if it has not ended and nobody else has a handle. NULL is a no-op. */
void arb_job_close(arb_job_client *client);
/* Done with it; the job goes on as long as its lease. NULL is a no-op. */
void arb_job_leave(arb_job_client *client);

/* Wait until the moment has come, or the job has ended otherwise, which *out_progress tells.
 * ARB_DEADLINE_EXCEEDED, ARB_CONNECTION_FAILED when it is lost. Not on the loop. */
ARB_NODISCARD arb_code arb_job_wait(arb_job_client *client, arb_job_moment moment, int64_t deadline_ns,
                                    arb_job_progress *out_progress, arb_error *error);
void arb_job_look(arb_job_client *client, arb_job_progress *out_progress); /* without waiting at all */

/* Besides what each says: ARB_UNDEFINED_OBJECT for a job that is over, ARB_CONNECTION_FAILED, ARB_OUT_OF_MEMORY. */
ARB_NODISCARD arb_code arb_job_cancel(arb_job_client *client, arb_error *error);
/* Where its result is, copied; see arb_scheduler_results. ARB_NOT_READY while it is not complete, or not any more: a part would
 * pass for the whole. */
ARB_NODISCARD arb_code arb_job_results(arb_job_client *client, arb_arena *arena, const arb_result_view **out_results,
                                       size_t *out_count, arb_error *error);
/* As the machine's events of these names: rows may go out only if the first says ARB_OK. */
ARB_NODISCARD arb_code arb_job_rows_left(arb_job_client *client, uint32_t task, arb_id attempt, arb_error *error);
ARB_NODISCARD arb_code arb_job_delivered(arb_job_client *client, uint32_t task, arb_id attempt, arb_error *error);
ARB_NODISCARD arb_code arb_job_result_lost(arb_job_client *client, uint32_t task, arb_id attempt, arb_read_failure read,
                                           arb_error *error);

#endif
