/* scheduler.h: the event machine that runs jobs on executors.
 *
 * One thread, no clock, no socket, no randomness: whatever happens is an event with the time at which it happened, and what
 * is to be done comes out through a vtable. So a cluster can be simulated, and a fault found in a simulation is found
 * again from its seed.
 *
 *     JOB_SUBMITTED ─▶ tasks wait ─▶ LAUNCH … DONE ─▶ stage complete ─▶ stages that read it …
 *                                                        ─▶ result complete: FINISHED ─▶ delivered: SUCCEEDED
 *
 * An event is applied wholly or not at all: apply() returns ARB_OUT_OF_MEMORY before anything has changed, and the
 * caller gives the event again, or, if it came from an executor, closes that stream: what a stream lost is settled when the
 * executor registers again.
 *
 * What must outlive the scheduler goes out as `write` and comes back as WRITTEN; one write is under way at a time, what
 * comes meanwhile waits and goes together. A new scheduler gets the records again before its first event
 * (arb_scheduler_recover_record), waits for the executors to register, and goes on with what they still hold. */
#ifndef ARB_SCHEDULER_SCHEDULER_H
#define ARB_SCHEDULER_SCHEDULER_H

#include "scheduler/job_spec.h"

typedef struct arb_scheduler arb_scheduler;

/* All in nanoseconds; 0 takes the default. */
typedef struct arb_scheduler_times {
    int64_t heartbeat;   /* 0.5 s: executors say that they live */
    int64_t suspect;     /* 2 s of silence: no new tasks */
    int64_t dead;        /* 4.5 s of silence: attempts and outputs are lost; known within 5 s on a busy machine, too */
    int64_t unreachable; /* 10 s: a reader tries to reach a producer */
    int64_t exclusion;   /* 20 s: an executor that others cannot reach gets nothing */
    int64_t no_executor; /* 30 s: a task that nobody can run fails its job */
    int64_t recovery;    /* 8 s: after a restart, executors may register before what they held counts as lost */
    int64_t lease;       /* 60 s: a client says that it still wants its job */
    int64_t retry;       /* 0.1 s: a failed attempt's successor waits so long, then twice, four times as long … */
    int64_t twin_least;  /* 1 s: tasks that run no longer than that get no twin */
    int64_t write_retry; /* 0.2 s, then twice …: a failed write is tried again, five times in all */
} arb_scheduler_times;

typedef enum arb_answer_kind {
    ARB_ANSWER_ACCEPTED, /* the job is recorded, as far as its kind is: its id outlives this scheduler */
    ARB_ANSWER_STREAM,   /* may_stream: its result task runs as `attempt` on `executor`, and can be read from now on */
    ARB_ANSWER_FINISHED, /* its result is complete: arb_scheduler_results */
    ARB_ANSWER_RESUMED,  /* it had finished; its result was lost before rows had left, and is made again */
    ARB_ANSWER_ENDED,    /* it is over: `state`, and with FAILED `error`. The last answer */
} arb_answer_kind;

typedef enum arb_job_state {
    ARB_JOB_RUNNING,
    ARB_JOB_FINISHED, /* its result waits to be read, or is being read */
    ARB_JOB_SUCCEEDED,
    ARB_JOB_FAILED,
    ARB_JOB_CANCELLED,
} arb_job_state;

typedef struct arb_answer {
    arb_answer_kind kind;
    arb_id job;
    uint64_t client; /* as it was submitted with; 0 for a job of an earlier scheduler */
    arb_job_state state;
    const arb_error *error; /* borrowed */
    arb_id attempt;
    arb_uuid executor;
} arb_answer;

/* Called from within apply() alone; none may call back. What they get is borrowed until they return, but for what write
 * gets. They cannot fail: a message that cannot be sent counts as lost, and the stream is closed. */
typedef struct arb_scheduler_actions {
    void (*send)(void *context, const arb_to_executor *message);
    /* End the executor's stream; no event need follow. */
    void (*close_stream)(void *context, arb_uuid executor, uint64_t session);
    void (*answer)(void *context, const arb_answer *answer);
    /* Write to the store under this scheduler's term, and give WRITTEN with the outcome. The operations stay valid until then. */
    void (*write)(void *context, const arb_store_operation *operations, size_t count);
    /* A newer scheduler is there: nothing more will be done or answered, and clients' events fail. Whoever waits for an
     * answer is to be sent to the other one. */
    void (*stop)(void *context);
} arb_scheduler_actions;

typedef struct arb_scheduler_options {
    arb_uuid cluster;
    uint64_t term; /* of arb_store_raise_term */
    arb_scheduler_times times;
    const arb_scheduler_actions *actions; /* borrowed, as its context, while the scheduler lives */
    void *context;
    size_t history_most; /* ended jobs to remember; 0: 1,000 */
} arb_scheduler_options;

typedef enum arb_event_kind {
    ARB_EVENT_TICK, /* time has come: arb_scheduler_wake */
    ARB_EVENT_MESSAGE,
    ARB_EVENT_STREAM_CLOSED, /* of `executor` in `session` */
    ARB_EVENT_WRITTEN,       /* `outcome`, and `error` of FAILED */
    /* those of clients */
    ARB_EVENT_JOB_SUBMITTED, /* `spec`, `client`; gives `out_job` */
    ARB_EVENT_JOB_CANCEL,    /* with an `error`, it fails with that: its surroundings cannot go on with it */
    ARB_EVENT_CLIENT_ALIVE,  /* asked for `job`, renewed it */
    ARB_EVENT_CLIENT_GONE,   /* and will not be back: cancels the job */
    ARB_EVENT_ROWS_LEFT,     /* rows of result task `task`, made by `attempt`, are on their way to the client */
    ARB_EVENT_DELIVERED,     /* the client has all rows of `task`, made by `attempt`: that of ROWS_LEFT */
    ARB_EVENT_RESULT_LOST, /* reading result `task`, made by `attempt`, failed: `read`. Of another attempt than the one that
                             * is read now, or would be, it means nothing */
} arb_event_kind;

typedef struct arb_event {
    arb_event_kind kind;
    int64_t now;     /* never before an earlier event's */
    int64_t wall_us; /* since 1970, for people: noted with jobs, decides nothing */
    const arb_to_scheduler *message;
    arb_uuid executor;
    uint64_t session;
    arb_store_outcome outcome;
    const arb_error *error;
    const arb_job_spec *spec;
    uint64_t client;
    arb_id *out_job;
    arb_id job, attempt;
    uint32_t task;
    arb_read_failure read;
} arb_event;

/* The defaults, all multiplied by one factor: 1, or more for builds that are slow (sanitizers). */
arb_scheduler_times arb_scheduler_times_default(int64_t factor);
/* Destroy with arb_scheduler_destroy. ARB_OUT_OF_MEMORY. */
ARB_NODISCARD arb_code arb_scheduler_create(const arb_scheduler_options *options, arb_scheduler **out_scheduler,
                                            arb_error *error);
void arb_scheduler_destroy(arb_scheduler *scheduler); /* NULL is a no-op; sends nothing */

/* Before the first event, once for each record of the store whose key begins with ARB_SCHEDULER_KEYS, in the order of
 * keys. A damaged record ends its job, or is left out of the history, and fails nothing. ARB_OUT_OF_MEMORY. */
#define ARB_SCHEDULER_KEYS "job/"
ARB_NODISCARD arb_code arb_scheduler_recover_record(arb_scheduler *scheduler, arb_str key, arb_str value,
                                                    arb_error *error);
/* Behind the last record, before the first event. */
void arb_scheduler_recover_end(arb_scheduler *scheduler, int64_t now);

/* Never waits. Besides ARB_OUT_OF_MEMORY: what JOB_SUBMITTED says of its spec, and ARB_UNDEFINED_OBJECT for events of a
 * job that is not there (any more), ARB_CONNECTION_FAILED for those of clients once it has stopped: nothing has changed
 * either. */
ARB_NODISCARD arb_code arb_scheduler_apply(arb_scheduler *scheduler, const arb_event *event, arb_error *error);
/* When the next TICK is due; INT64_MAX: none. Asked after each event. */
int64_t arb_scheduler_wake(const arb_scheduler *scheduler);

/* ---- looking in ---------------------------------------------------------------------------------------------------------
 * For REST, metrics and tests; each copies into the arena, on the scheduler's thread. ARB_OUT_OF_MEMORY, and
 * ARB_UNDEFINED_OBJECT for what is not there. */

typedef enum arb_task_state {
    ARB_TASK_PENDING,
    ARB_TASK_RUNNING,
    ARB_TASK_COMMITTING, /* ended; its record is being written */
    ARB_TASK_COMMITTED,
    ARB_TASK_EXPECTED, /* committed under an earlier scheduler; who holds it has not registered yet */
    ARB_TASK_SUPERFLUOUS,
} arb_task_state;

typedef enum arb_executor_state {
    ARB_EXECUTOR_READY,
    ARB_EXECUTOR_SUSPECT,
    ARB_EXECUTOR_DRAINING,
    ARB_EXECUTOR_EXCLUDED,
} arb_executor_state;

/* All times are wall_us of the events, 0 while they have not come. */
typedef struct arb_job_view {
    arb_id job;
    arb_job_state state;
    arb_str text, user; /* the text cut at some kilobyte */
    int64_t submitted, ended;
    uint64_t stages, complete;                    /* complete: 0 of one that ended under an earlier scheduler */
    uint64_t tasks, committed, running, attempts; /* committed: superfluous ones too */
    uint64_t result_rows, result_bytes;
    arb_code code;
    arb_str message;
} arb_job_view;

typedef struct arb_stage_view {
    arb_id job, generation; /* which making of the stage */
    uint32_t stage;
    uint64_t tasks, pending, running, committed, superfluous;
    uint64_t attempts, failures; /* of its tasks, ever */
    uint64_t input_rows;         /* of the stages that it reads, as they left them */
    uint64_t rows, bytes;
    uint64_t task_memory;    /* bytes of governed memory that one of its tasks held at most */
    bool open;               /* its tasks may run: all that it reads is there */
    bool complete, released; /* all of it was made; its outputs were deleted, everybody has read them */
    int64_t median;          /* nanoseconds, of its committed attempts, 0 while there is none */
    int64_t started, ended;  /* of its first attempt; of the last task, once it is complete */
} arb_stage_view;

typedef struct arb_attempt_view {
    arb_id attempt;
    arb_uuid executor;
    int64_t started;
    uint64_t rows, bytes; /* as it said last */
    bool alone, twin;
} arb_attempt_view;

typedef struct arb_task_view {
    arb_id job;
    uint32_t stage, task;
    arb_task_state state;
    uint32_t attempts; /* ever, that this scheduler knows of */
    uint32_t failures, crashes;
    arb_code code; /* of its last failure, what that said, and where it was; OK: it never failed */
    arb_str message;
    arb_uuid failed_at;
    uint64_t rows, bytes;
    int64_t ended;     /* its output was reported */
    int64_t took;      /* nanoseconds from its launch until then; 0 where that is not known */
    arb_id attempt;    /* committed */
    arb_uuid executor; /* that made it */
    const arb_attempt_view *running;
    size_t running_count;
} arb_task_view;

typedef struct arb_executor_view {
    arb_uuid executor;
    arb_executor_state state;
    arb_str address, version;
    uint32_t slots, running;
    uint64_t memory, memory_taken;
    uint64_t outputs, output_bytes;  /* that jobs still need */
    uint64_t committed, rows, bytes; /* tasks, and what they left, since this scheduler knows it */
    int64_t registered, heard;
} arb_executor_view;

typedef struct arb_result_view {
    arb_id job;
    uint32_t stage, task;
    arb_id attempt;
    arb_uuid executor;
    arb_str address, key; /* to read it: see arb_register */
    uint64_t rows, bytes;
    bool delivered;
} arb_result_view;

/* Live jobs, newest first, then ended ones, newest first: `most` at most from `first` on. */
ARB_NODISCARD arb_code arb_scheduler_jobs(const arb_scheduler *scheduler, size_t first, size_t most, arb_arena *arena,
                                          const arb_job_view **out_jobs, size_t *out_count, arb_error *error);
ARB_NODISCARD arb_code arb_scheduler_job(const arb_scheduler *scheduler, arb_id job, arb_arena *arena,
                                         arb_job_view *out_job, arb_error *error);
/* The live job that was submitted with this name: ARB_UNDEFINED_OBJECT. */
typedef struct arb_named_job {
    arb_id job;
    uint32_t stage_count;
    arb_str result; /* of its spec */
} arb_named_job;
ARB_NODISCARD arb_code arb_scheduler_job_named(const arb_scheduler *scheduler, arb_str name, arb_arena *arena,
                                               arb_named_job *out_job, arb_error *error);
/* Of a live job, and of one that ended as long as there is room to remember that much of it: what had not committed when it
 * ended is as it was then. */
ARB_NODISCARD arb_code arb_scheduler_stages(const arb_scheduler *scheduler, arb_id job, arb_arena *arena,
                                            const arb_stage_view **out_stages, size_t *out_count, arb_error *error);
/* `most` tasks at most from `first` on; a stage may have millions. */
ARB_NODISCARD arb_code arb_scheduler_tasks(const arb_scheduler *scheduler, arb_id job, uint32_t stage, uint32_t first,
                                           uint32_t most, arb_arena *arena, const arb_task_view **out_tasks,
                                           size_t *out_count, arb_error *error);
/* The hashes that the stages of a live job name, one for each. */
ARB_NODISCARD arb_code arb_scheduler_plans(const arb_scheduler *scheduler, arb_id job, arb_arena *arena,
                                           const arb_str **out_hashes, size_t *out_count, arb_error *error);
/* Where the result of a FINISHED job is; of another live job those tasks that have committed. */
ARB_NODISCARD arb_code arb_scheduler_results(const arb_scheduler *scheduler, arb_id job, arb_arena *arena,
                                             const arb_result_view **out_results, size_t *out_count, arb_error *error);
ARB_NODISCARD arb_code arb_scheduler_executors(const arb_scheduler *scheduler, arb_arena *arena,
                                               const arb_executor_view **out_executors, size_t *out_count,
                                               arb_error *error);

/* What a scheduler holds; for metrics, and for tests that nothing is left behind. */
typedef struct arb_scheduler_counts {
    uint64_t jobs, attempts, timers, executors, history;
    uint64_t launched, committed, failed, lost, rebuilt, twins, resets, crashes, exclusions, writes, broken_streams;
    uint64_t looks; /* for a place for a task */
    uint64_t submitted, succeeded, failed_jobs, cancelled;
    uint64_t pending, running, committing; /* tasks of stages that are open */
    uint64_t committed_rows, committed_bytes;
    bool stopped, writing;
} arb_scheduler_counts;
arb_scheduler_counts arb_scheduler_count(const arb_scheduler *scheduler);

/* Every count against what it counts, every link from both sides. False, and what is wrong, for a fault of ours; the
 * simulator asks after each event. */
ARB_NODISCARD bool arb_scheduler_sound(const arb_scheduler *scheduler, arb_error *error);

#endif
