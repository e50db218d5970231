/* scheduler_internal.h: what the machine knows, as its files share it.
 *
 *     scheduler ─┬─ executors, by slot ── their attempts
 *                ├─ jobs ── stages ── tasks ── their attempts
 *                └─ timers, the queue of jobs, the batches for the store
 *
 * An attempt stands in three lists: its executor's, its task's and its stage's. One that is to stop leaves the latter two
 * at once and keeps its slot until the executor says that it has stopped. Everything else hangs on the job and goes with it.
 *
 * Nothing in an event's middle may fail. So each object reserves room in maps and heaps when it is made, and apply()
 * reserves room for what an event can write before it begins. The exceptions give up something that may be given up: a
 * launch is tried again a little later, facts are left out, a failed task without memory for its history fails its job. */
#ifndef ARB_SCHEDULER_SCHEDULER_INTERNAL_H
#define ARB_SCHEDULER_SCHEDULER_INTERNAL_H

#include "base/bitmap.h"
#include "scheduler/id_map.h"
#include "scheduler/ordered_heap.h"
#include "scheduler/scheduler.h"

typedef struct arb_sched_executor arb_sched_executor;
typedef struct arb_sched_job arb_sched_job;
typedef struct arb_sched_stage arb_sched_stage;
typedef struct arb_sched_attempt arb_sched_attempt;

enum {
    ARB_SCHED_NO_SLOT = 0xFFFFFFFF,
    ARB_SCHED_FAILURES_MOST = 4,       /* retryable ones of a task */
    ARB_SCHED_CRASHES_MOST = 3,        /* of a task that ran alone */
    ARB_SCHED_DEATHS_MOST = 6,         /* of executors that ran a task: before it runs alone, and then again */
    ARB_SCHED_REBUILDS_MOST = 16,      /* outputs of a task that were found missing or corrupt */
    ARB_SCHED_WRITES_MOST = 5,         /* tries of one batch */
    ARB_SCHED_FACTS_MOST = 64 << 20,   /* bytes of facts a job may keep; what comes then is left out */
    ARB_SCHED_OWN_FACTS = 8,           /* as many of a stage's own are handed to a launch */
    ARB_SCHED_DURATIONS = 31,          /* newest committed attempts that a stage's median is taken of */
    ARB_SCHED_DETAILS_MOST = 16 << 20, /* bytes of details of ended jobs */
    ARB_SCHED_DETAIL_MOST = 2 << 20,   /* of one; larger ones are kept without tasks */
};

/* More rows or bytes of one task than this are taken for this many: sums over all tasks of a stage hold then. */
#define ARB_SCHED_SIZE_MOST ((uint64_t)1 << 40)

typedef enum arb_sched_timer_kind {
    ARB_SCHED_TIMER_LIVENESS,    /* executor */
    ARB_SCHED_TIMER_EXCLUSION,   /* executor */
    ARB_SCHED_TIMER_LEASE,       /* job */
    ARB_SCHED_TIMER_UNPLACEABLE, /* job */
    ARB_SCHED_TIMER_TWIN,        /* stage */
    ARB_SCHED_TIMER_RETRY,       /* trouble */
    ARB_SCHED_TIMER_RECOVERY,    /* scheduler */
    ARB_SCHED_TIMER_WRITE,       /* scheduler */
    ARB_SCHED_TIMER_PLACEMENT,   /* scheduler: a pass was cut short, or a launch found no memory */
    ARB_SCHED_TIMER_TERM,        /* scheduler: nothing was written for a while; is the term still the newest? */
} arb_sched_timer_kind;

typedef struct arb_sched_timer {
    arb_heap_node node;
    arb_sched_timer_kind kind;
} arb_sched_timer;

/* What went wrong with a task; most have none. */
typedef struct arb_sched_trouble {
    arb_sched_stage *stage;
    uint32_t task;
    uint32_t failures, crashes, crashes_alone, deaths, deaths_alone, rebuilds;
    arb_code code; /* of the last failure */
    char message[256];
    arb_uuid where;
    bool alone;        /* it may crash an executor: runs with nothing beside it */
    arb_id alone_from; /* attempts from here on ran alone */
    arb_id last_crash;
    arb_uuid avoid;      /* where it failed last */
    arb_uuid beside;     /* where its producer is, while it is to be placed there */
    arb_uuid bounced_to; /* and who that was: a complaint from there is about another producer, and weighs more */
    arb_sched_timer retry;
} arb_sched_trouble;

typedef struct arb_sched_task {
    uint8_t state; /* arb_task_state */
    bool queued, twin_wanted;
    bool seen;      /* while an executor's inventory is looked through */
    bool leaving;   /* result: rows of `attempt`, or of its one running attempt, have left */
    bool delivered; /* result: the client has them all */
    uint16_t made;  /* attempts, ever; no more than can be counted */
    uint32_t slot;  /* of the executor with its output */
    arb_id attempt; /* COMMITTING, COMMITTED, EXPECTED */
    uint64_t rows, bytes;
    int64_t took;      /* of the committed attempt; 0: launched by an earlier scheduler */
    int64_t ended;     /* when that was reported: wall_us */
    arb_uuid executor; /* and by whom; it may be gone since */
    arb_sched_attempt *attempts;
    arb_sched_trouble *trouble;
} arb_sched_task;

/* Whose sources, in which version, an executor has been told. */
typedef struct arb_sched_told {
    uint64_t welcome; /* of the executor at that time */
    uint32_t version;
} arb_sched_told;

struct arb_sched_stage {
    arb_sched_job *job;
    uint32_t number;
    const arb_stage_spec *spec;
    arb_sched_task *tasks;
    arb_id generation;
    uint64_t restarted;                        /* in this event; 0: never */
    uint64_t counts[ARB_TASK_SUPERFLUOUS + 1]; /* tasks by state */
    bool needed;      /* somebody who is needed and not complete reads it, or it is the result */
    bool open;        /* needed, not complete, and all it reads is there */
    bool again;       /* while that is found out: it must be made as a whole */
    bool broken;      /* its rows may differ, and some that were committed are lost */
    bool released;    /* complete, read by all, deleted */
    bool facts_ready; /* it was complete in this generation, its facts are at hand */
    bool changed;     /* its readers must be told sources again */
    uint32_t *queue;  /* ring of tasks to launch */
    uint32_t queue_head, queue_size;
    uint64_t looked_in;   /* the scheduler's `room` when the last tasks of the queue were looked at */
    uint32_t looked;      /* how many of them found no place */
    bool looked_busy;     /* one of them at somebody who could run it */
    uint64_t hopeless_in; /* the scheduler's `reach` when nobody could run any of the queue; 0: not known */
    uint64_t wave;        /* with a row limit: as many tasks may have been started */
    uint32_t first_count; /* and so many from the first on are committed, */
    uint64_t first_rows;  /* which have these rows */
    uint64_t rows, bytes;
    uint64_t made_rows, made_bytes; /* of the last complete making; kept when it is released */
    uint64_t attempts, failures;    /* ever */
    uint64_t task_memory;           /* most that a task whose output was taken held, ever */
    int64_t started, ended;         /* wall_us of the first attempt, and when it was complete */
    arb_str *facts;                 /* by task; each is owned */
    uint32_t recent[ARB_SCHED_OWN_FACTS];
    uint32_t recent_count; /* ever noted; the ring's newest is at (count - 1) % size */
    uint32_t sources_version;
    arb_sched_told *told; /* by executor slot */
    size_t told_size;
    uint64_t *near_bytes; /* by executor slot: what it holds of the inputs; a hint */
    size_t near_size;
    uint64_t near_total;
    arb_sched_attempt *running; /* attempts that are not to stop */
    int64_t durations[ARB_SCHED_DURATIONS];
    uint32_t duration_count; /* ever noted */
    arb_sched_timer twin;
    arb_sched_stage *hungry_next, *hungry_previous;
    bool hungry; /* in its job's list of stages with tasks to launch */
};

/* The stages of an ended job and their tasks, as they were when it ended: one block, as large as it says. */
typedef struct arb_sched_detail {
    size_t size;
    uint32_t stage_count;
    bool has_tasks;
    arb_stage_view *stages;
    arb_task_view **tasks; /* by stage; without running attempts and messages */
} arb_sched_detail;

/* An ended job, as it is remembered. */
typedef struct arb_sched_ended {
    arb_id job;
    arb_job_state state;
    arb_code code;
    int64_t submitted, ended;
    uint64_t tasks, attempts, rows, bytes;
    char text[1024], user[64], message[512];
    arb_sched_detail *detail; /* owned; NULL: none is kept */
} arb_sched_ended;

struct arb_sched_job {
    arb_id id;
    arb_job_state state;
    uint64_t client;
    arb_arena arena; /* spec, stages, tasks */
    arb_job_spec spec;
    uint64_t *root_masks; /* for each of its roots the scheduler's bit; 0: no executor has named it yet */
    arb_sched_stage *stages;
    bool recorded; /* has records in the store */
    bool stored;   /* and the first one is written */
    bool recovering;
    bool rows_left;
    bool owes_accepted, owes_finished, owes_ended; /* answers that wait for a write */
    uint64_t awaits;                               /* this write */
    uint64_t unwritten_from, unwritten_to;         /* writes with records of it that are not done; 0: none */
    uint32_t delivered;                            /* result tasks */
    uint32_t expected;                             /* tasks in EXPECTED */
    uint64_t running, attempts;                    /* now, ever */
    uint64_t served;                               /* the scheduler's count when it launched last */
    uint64_t facts_bytes;
    uint64_t *touched; /* bitmap of executor slots that hold something of it */
    size_t touched_words;
    arb_heap_node queued; /* in one of the scheduler's queues of jobs, by what runs */
    uint8_t turn;         /* which one */
    arb_sched_stage *hungry_first, *hungry_last;
    arb_sched_timer lease, unplaceable;
    arb_sched_ended *ended; /* its place in history, taken when it was made */
    int64_t submitted;
    arb_error error;
    arb_sched_job *next, *previous;                     /* all jobs, oldest first */
    arb_sched_job *unwritten_next, *unwritten_previous; /* jobs that wait for writes */
    bool in_unwritten;
    arb_sched_job *reaped_next; /* ended and answered: freed at the event's end */
};

struct arb_sched_attempt {
    arb_attempt key;
    arb_sched_executor *executor;
    arb_sched_stage *stage; /* NULL: it is to stop */
    int64_t started;
    uint64_t memory, rows, bytes;
    bool alone, twin, reported;
    arb_sched_attempt *executor_next, *executor_previous;
    arb_sched_attempt *task_next;
    arb_sched_attempt *stage_next, *stage_previous;
};

struct arb_sched_executor {
    arb_uuid id;
    uint32_t slot;
    bool connected, suspect, draining, excluded, may_go;
    arb_control_link link;
    uint64_t welcome; /* a new one for each session */
    int64_t registered, heard;
    arb_arena arena; /* texts of its newest registration */
    arb_str address, version, key;
    uint32_t slots, running;
    uint64_t memory, memory_taken;
    uint64_t roots; /* the scheduler's bits */
    uint64_t outputs, output_bytes;
    uint64_t committed, rows, bytes; /* ever */
    arb_sched_attempt *attempts;
    arb_sched_attempt *alone; /* runs with nothing beside it */
    arb_uuid complainer;      /* who could not reach it last, and when */
    int64_t complained;
    arb_sched_timer liveness, exclusion;
};

/* What goes to the store together. */
typedef struct arb_sched_batch {
    ARB_VEC(arb_store_operation) operations;
    ARB_VEC(size_t) places; /* of each key in `bytes`; its value stands behind it */
    arb_text bytes;
    size_t lasting; /* of those, what goes into the next batch at most, if this one is given up */
} arb_sched_batch;

/* An output that is kept once its record is written. */
typedef struct arb_sched_commit {
    arb_attempt attempt;
    arb_uuid executor;
    uint64_t write;
} arb_sched_commit;

struct arb_scheduler {
    arb_uuid cluster;
    uint64_t term;
    arb_scheduler_times times;
    const arb_scheduler_actions *actions;
    void *context;
    int64_t now, wall_us;
    uint64_t next_number; /* of ids */
    uint64_t next_welcome;
    uint64_t next_timer;
    uint64_t served; /* launches, for the turns of jobs */
    uint64_t events;

    ARB_VEC(arb_sched_executor *) slots; /* NULL: free */
    ARB_VEC(uint8_t) slot_marks;         /* scratch, as long as `slots` */
    arb_id_map executors;
    uint64_t free_slots; /* of ready executors */
    uint32_t ready, draining;
    uint32_t reserved_slot; /* is being emptied for a task that must run alone */
    arb_attempt reserved_for;
    ARB_VEC(arb_str) roots; /* names by bit; owned */

    arb_id_map jobs, attempts;
    arb_sched_job *first_job, *last_job, *unwritten, *reaped;
    uint64_t job_count, stage_count;
    arb_heap queues[2]; /* of jobs with tasks to launch: those to look at, and those that were passed over */
    uint8_t turn;       /* which one is the former */
    uint64_t reach;     /* counted up when it changes who is there and may get tasks */
    uint64_t room;      /* and this also when a place becomes free */
    uint64_t round;     /* `room` when the round over all jobs began */
    bool cut;           /* the round goes on in the next event */
    bool untested;      /* since it began, something came to wait or was not looked at */
    bool settled;       /* nothing that waits finds a place, and nothing has changed since */
    bool absence_noted; /* of all executors, with each job in the queues */
    arb_heap timers;
    size_t timer_objects;
    arb_sched_timer recovery, write_timer, placement, term_timer;
    ARB_VEC(arb_source) sources; /* scratch of a launch */

    arb_sched_batch filling, flying;
    bool writing;     /* `flying` is under way, or waits to be tried again */
    bool write_waits; /* the latter */
    uint32_t write_tries;
    uint64_t write_sequence; /* of `filling` */
    uint64_t written;        /* all up to here are done, or given up */
    ARB_VEC(arb_sched_commit) commits;

    arb_sched_ended **history; /* ring */
    size_t history_most, history_size, history_first;
    size_t undetailed, detail_bytes; /* so many of the oldest have no details; what those of the others take */
    bool settling;                   /* an executor's inventory is being looked through */
    bool stopped;
    arb_scheduler_counts counts;
};

/* ---- timers: scheduler.c */
ARB_NODISCARD bool arb_sched_timers_reserve(arb_scheduler *s, size_t more);
void arb_sched_timer_set(arb_scheduler *s, arb_sched_timer *timer, arb_sched_timer_kind kind, int64_t at);
void arb_sched_timer_clear(arb_scheduler *s, arb_sched_timer *timer);

/* ---- executors: executor_events.c */
void arb_sched_send(arb_scheduler *s, arb_sched_executor *executor, arb_to_executor *message);
void arb_sched_receive(arb_scheduler *s, const arb_to_scheduler *message);
/* Room for what a registration makes; before anything of it is applied. */
ARB_NODISCARD arb_code arb_sched_register_prepare(arb_scheduler *s, const arb_to_scheduler *message, arb_error *error);
void arb_sched_stream_closed(arb_scheduler *s, arb_uuid id, uint64_t session);
void arb_sched_liveness(arb_scheduler *s, arb_sched_executor *executor);
void arb_sched_exclude(arb_scheduler *s, arb_sched_executor *executor);
void arb_sched_exclusion_over(arb_scheduler *s, arb_sched_executor *executor);
void arb_sched_let_go(arb_scheduler *s);
void arb_sched_executor_free(arb_scheduler *s, arb_sched_executor *executor);
arb_sched_executor *arb_sched_executor_of(const arb_scheduler *s, arb_uuid id);
/* Recount what new tasks may use, after any of its states or its attempts changed. */
ARB_INLINE bool arb_sched_ready(const arb_sched_executor *executor)
{
    return executor->connected && !executor->suspect && !executor->draining && !executor->excluded;
}

/* ---- attempts: attempt.c */
/* Everything that an attempt needs but the message; NULL without memory. */
arb_sched_attempt *arb_sched_attempt_make(arb_scheduler *s, arb_sched_executor *executor, arb_sched_stage *stage,
                                          uint32_t task, arb_id id, bool alone, bool twin);
/* It has ended, however: it leaves all lists and frees its slot. */
void arb_sched_attempt_free(arb_scheduler *s, arb_sched_attempt *attempt);
/* The attempt of that id at that executor, or NULL: none is there, or it is another's. */
arb_sched_attempt *arb_sched_attempt_at(const arb_scheduler *s, const arb_sched_executor *executor, arb_id id);
/* Whether this scheduler or one before it may have given it to an attempt. */
ARB_INLINE bool arb_sched_id_given(const arb_scheduler *s, arb_id id)
{
    return !arb_id_is_none(id) && (id.term < s->term || (id.term == s->term && id.number <= s->next_number));
}
/* It leaves its task, and its executor is told; its slot is free when it says so. */
void arb_sched_attempt_stop(arb_scheduler *s, arb_sched_attempt *attempt);
void arb_sched_attempt_lost(arb_scheduler *s, arb_sched_attempt *attempt);
/* The same, with its executor, which it may have brought down. */
void arb_sched_attempt_died(arb_scheduler *s, arb_sched_attempt *attempt);
void arb_sched_attempt_failed(arb_scheduler *s, arb_sched_executor *executor, const arb_to_scheduler *message);
void arb_sched_crashed(arb_scheduler *s, const arb_attempt *key);
void arb_sched_cancel_output(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key);
/* An output of `stage` could not be read (any more): it is lost, or the job is. */
void arb_sched_output_unreadable(arb_scheduler *s, arb_sched_stage *stage, uint32_t task, arb_read_failure read);

/* ---- commit and loss: stage_progress.c */
void arb_sched_task_set(arb_sched_stage *stage, uint32_t task, arb_task_state state);
/* Put a pending task (or one that wants a twin) at the end of its stage's queue. False: it need not wait, or does. */
bool arb_sched_put_back(arb_sched_stage *stage, uint32_t task);
/* The same for one that was not there just now: it is looked at. */
void arb_sched_enqueue(arb_scheduler *s, arb_sched_stage *stage, uint32_t task);
/* An executor has a finished attempt's output: keep it, or have it dropped. */
void arb_sched_output_offered(arb_scheduler *s, arb_sched_executor *executor, const arb_attempt *key,
                              const arb_task_output *output);
void arb_sched_commits_written(arb_scheduler *s);
/* The committed output is gone. Call arb_sched_job_advance, when all of them are said. */
void arb_sched_output_lost(arb_scheduler *s, arb_sched_stage *stage, uint32_t task);
/* All outputs at that slot; `results`: those too that clients read. */
void arb_sched_outputs_lost(arb_scheduler *s, uint32_t slot, bool results);
ARB_INLINE bool arb_sched_complete(const arb_sched_stage *stage)
{
    return stage->counts[ARB_TASK_COMMITTED] + stage->counts[ARB_TASK_SUPERFLUOUS] == stage->spec->task_count;
}
/* Open, close, release and reset stages as what is complete now allows; may end the job. */
void arb_sched_job_advance(arb_scheduler *s, arb_sched_job *job);
/* Whether a stage belongs into its job's list of stages with tasks to launch, and the job into the queue. */
void arb_sched_stage_hunger(arb_scheduler *s, arb_sched_stage *stage);
void arb_sched_forget_output(arb_scheduler *s, arb_sched_stage *stage, uint32_t task);
void arb_sched_facts_drop(arb_sched_stage *stage, uint32_t task);
void arb_sched_twin_check(arb_scheduler *s, arb_sched_stage *stage);
int64_t arb_sched_stage_median(const arb_sched_stage *stage);

/* ---- placement.c */
void arb_sched_schedule(arb_scheduler *s);
/* Put a job among those with tasks to launch, or move it there, when what runs of it has changed. */
void arb_sched_queue_put(arb_scheduler *s, arb_sched_job *job);
void arb_sched_queue_remove(arb_scheduler *s, arb_sched_job *job);
/* Places may have become free; with `reach` also: other executors than before may get tasks. */
ARB_INLINE void arb_sched_room_changed(arb_scheduler *s, bool reach)
{
    s->room++;
    s->reach += reach;
    s->settled = false;
}
/* Whether some task that waits would find a place: not while the scheduler is settled. For tests. */
bool arb_sched_somebody_fits(const arb_scheduler *s, const arb_sched_stage *stage);
/* No executor that is there could run any task of it, however long it waited. */
bool arb_sched_nobody_can(arb_scheduler *s, arb_sched_job *job);
ARB_NODISCARD bool arb_sched_touch(arb_sched_job *job, uint32_t slot);

/* ---- jobs: job_lifecycle.c */
arb_sched_job *arb_sched_job_of(const arb_scheduler *s, arb_id id);
ARB_NODISCARD arb_code arb_sched_job_create(arb_scheduler *s, arb_id id, arb_str record, arb_sched_job **out_job,
                                            arb_error *error);
void arb_sched_job_free(arb_scheduler *s, arb_sched_job *job);
ARB_NODISCARD arb_code arb_sched_submit(arb_scheduler *s, const arb_event *event, arb_error *error);
/* Stop and drop all of it, and answer once that is written. `code` and `error` of FAILED. */
void arb_sched_job_end(arb_scheduler *s, arb_sched_job *job, arb_job_state state, const arb_error *error);
ARB_COLD void arb_sched_job_fail(arb_scheduler *s, arb_sched_job *job, arb_code code, const char *format, ...)
    ARB_PRINTF(4, 5);
void arb_sched_job_finished(arb_scheduler *s, arb_sched_job *job);
void arb_sched_answers_owed(arb_scheduler *s, arb_sched_job *job);
ARB_NODISCARD arb_code arb_sched_client_event(arb_scheduler *s, const arb_event *event, arb_error *error);
void arb_sched_remember(arb_scheduler *s, arb_sched_ended *ended, bool recorded);
/* The error in short; `capacity` at least 1. Cut at a character's start. */
void arb_sched_copy_cut(char *to, size_t capacity, arb_str from);

/* ---- looking in: scheduler_view.c, job_detail.c */
void arb_sched_stage_look(const arb_sched_stage *stage, arb_stage_view *out_view);
/* All but its running attempts and what its last failure said. */
void arb_sched_task_look(const arb_sched_stage *stage, uint32_t task, arb_task_view *out_view);
/* Before anything of it is dropped; NULL when there is no memory, as it may be given up. */
arb_sched_detail *arb_sched_detail_make(const arb_sched_job *job);
/* Its detail is among those that are kept, the oldest of which make room. */
void arb_sched_detail_kept(arb_scheduler *s, const arb_sched_ended *newest);

/* ---- the store: job_store.c */
/* Room for what one event can write, `held` outputs offered. */
ARB_NODISCARD bool arb_sched_store_prepare(arb_scheduler *s, size_t held, size_t record_size);
void arb_sched_store_job(arb_scheduler *s, arb_sched_job *job, arb_str record);
void arb_sched_store_commit(arb_scheduler *s, arb_sched_stage *stage, uint32_t task);
void arb_sched_store_reset(arb_scheduler *s, arb_sched_stage *stage);
void arb_sched_store_ended(arb_scheduler *s, arb_sched_job *job);
void arb_sched_store_forget(arb_scheduler *s, const arb_sched_ended *ended);
void arb_sched_leave_unwritten(arb_scheduler *s, arb_sched_job *job);
void arb_sched_store_flush(arb_scheduler *s);
/* A write, if need be of nothing, which is fenced if there is a newer scheduler. */
void arb_sched_store_ask(arb_scheduler *s);
void arb_sched_store_again(arb_scheduler *s);
void arb_sched_written(arb_scheduler *s, const arb_event *event);

#endif
