/* control.h: what scheduler and executors say to each other.
 *
 * One stream for each executor, opened by the executor; these structs are what crosses it, in either form (proto/ has
 * the other). A conversation:
 *
 *     executor                                  scheduler
 *     REGISTER (what I hold and run)  ──────▶
 *                                     ◀──────   WELCOME (cluster, term, times); CANCEL, DELETE of what nobody needs
 *     HEARTBEAT, every half second    ──────▶
 *                                     ◀──────   HEARTBEAT_SEEN
 *                                     ◀──────   SOURCES (whose output a stage reads; once, and again when it changed)
 *                                     ◀──────   LAUNCH (a task's attempt)
 *     PROGRESS …, DONE or FAILED      ──────▶
 *                                     ◀──────   SEEN: kept as the task's result; or CANCEL: another was first, drop it
 *                                     ◀──────   DELETE (a stage's outputs, everybody has read them; or a whole job)
 *     DRAINING (no new tasks, please) ──────▶
 *                                     ◀──────   MAY_GO (nothing of yours is needed any more)
 *     GOODBYE                         ──────▶
 *
 * Identity. Every message names the cluster and the term. A scheduler takes only messages of its own cluster and term,
 * but for REGISTER, which says what the executor last saw: another cluster's outputs and attempts count for nothing, and
 * a higher term tells the scheduler that it was replaced. An executor drops what comes with a lower term than it has
 * seen; a WELCOME from another cluster makes it forget all that it holds. A session belongs to the scheduler whose WELCOME
 * began it: a message of another one ends it.
 *
 * Sessions. Nothing is assumed of the transport. Each time an executor opens a stream it counts its session up; each
 * side numbers its messages in the session from 1. A number that was seen is dropped, a number too high means that
 * something was lost: then the stream is closed and the executor registers anew. Either side closes a stream that has
 * been silent for too long. So within a session messages are exactly once and in order (struct arb_control_link does the
 * counting), and what a broken session left in doubt is settled by the inventory in REGISTER, which is why nothing else
 * needs a repetition: an outcome that was not SEEN stays in the inventory.
 *
 * Attempts. A LAUNCH has an id that is never used again: (term, number), numbers counted in memory. Its `generation`
 * says which making of the stage it belongs to: when output of a stage whose rows may differ is lost, the stage and all
 * that read it get new generations, and what belongs to an old one counts for nothing, however late it arrives.
 *
 * Readers ask an executor for an output by cluster, job and attempt, all three: a scheduler that forgot everything is
 * another cluster, and counts from 1 again.
 *
 * Plans. A LAUNCH names its plan by a hash. The transport sends a plan in chunks, before the first LAUNCH that names it,
 * outside of the numbering: chunks are named by content, and may come twice. What comes behind that LAUNCH waits with it,
 * but for HEARTBEAT_SEEN: so the transport numbers the scheduler's messages when they leave. An executor that has a plan no
 * more, or lost it with a stream, asks for it by its hash, outside of the numbering too. */
#ifndef ARB_SCHEDULER_CONTROL_H
#define ARB_SCHEDULER_CONTROL_H

#include "base/error.h"
#include "base/text.h"
#include "state/store.h"

/* A job, an attempt, a generation: unique in its cluster without a write to the store. Zero is none. */
typedef struct arb_id {
    uint64_t term, number;
} arb_id;

ARB_INLINE bool arb_id_equal(arb_id a, arb_id b)
{
    return a.term == b.term && a.number == b.number;
}
ARB_INLINE bool arb_id_is_none(arb_id id)
{
    return id.number == 0;
}
/* In the order in which they were made. */
ARB_INLINE int arb_id_compare(arb_id a, arb_id b)
{
    return a.term != b.term ? (a.term < b.term ? -1 : 1) : (a.number > b.number) - (a.number < b.number);
}

typedef struct arb_control_header {
    arb_uuid cluster;
    uint64_t term;
    arb_uuid executor;
    uint64_t session, sequence;
} arb_control_header;

/* Names one run of one task. */
typedef struct arb_attempt {
    arb_id job, attempt, generation;
    uint32_t stage, task;
} arb_attempt;

ARB_INLINE bool arb_attempt_equal(const arb_attempt *a, const arb_attempt *b)
{
    return arb_id_equal(a->attempt, b->attempt) && arb_id_equal(a->job, b->job) &&
           arb_id_equal(a->generation, b->generation) && a->stage == b->stage && a->task == b->task;
}

/* What a finished attempt left with its executor. */
typedef struct arb_task_output {
    uint64_t rows, bytes;
    arb_str facts;   /* what it publishes: filters of its keys, a bound; empty when nothing */
    uint64_t memory; /* bytes of governed memory that it held at most */
} arb_task_output;

typedef struct arb_held_output {
    arb_attempt attempt;
    arb_task_output output;
} arb_held_output;

/* How reading a producer's output fails. */
typedef enum arb_read_failure {
    ARB_READ_NOT_FOUND,   /* its executor answers, and does not have it: lost */
    ARB_READ_CORRUPT,     /* a checksum is wrong: lost */
    ARB_READ_UNREACHABLE, /* its executor did not answer for as long as the WELCOME said */
} arb_read_failure;

typedef enum arb_failure_kind {
    ARB_FAILURE_FINAL,     /* it would fail again (the query's own error, a fault of ours): the job ends with it */
    ARB_FAILURE_RETRYABLE, /* it may work again or elsewhere (memory, disk, I/O): counts towards the task's limit */
    ARB_FAILURE_CANCELLED, /* it was told to stop, or its executor goes: does not count */
    ARB_FAILURE_READ,      /* an input could not be read: is not the reader's failure */
} arb_failure_kind;

typedef struct arb_failure {
    arb_failure_kind kind;
    const arb_error *error; /* borrowed; not for READ and CANCELLED */
    /* READ: which output */
    arb_read_failure read;
    uint32_t producer_stage, producer_task;
    arb_id producer_attempt;
} arb_failure;

typedef enum arb_to_scheduler_kind {
    ARB_TO_SCHEDULER_REGISTER,
    ARB_TO_SCHEDULER_HEARTBEAT,
    ARB_TO_SCHEDULER_PROGRESS, /* `attempt` has `output.rows` and `output.bytes` so far */
    ARB_TO_SCHEDULER_DONE,
    ARB_TO_SCHEDULER_FAILED,
    ARB_TO_SCHEDULER_DRAINING,
    ARB_TO_SCHEDULER_GOODBYE,
} arb_to_scheduler_kind;

typedef struct arb_register {
    arb_str address; /* where its outputs are read: host:port */
    arb_str version; /* of the program, for people */
    arb_str key;     /* seals tickets for its outputs; from the scheduler it goes to other executors alone */
    uint32_t slots;
    uint64_t memory;
    const arb_str *roots; /* names of the folders of data that it sees */
    size_t root_count;
    bool draining;
    arb_uuid previous;          /* the process before it in the same work folder, which is gone; zero: none known */
    const arb_attempt *running; /* attempts without an outcome */
    size_t running_count;
    arb_id alone;              /* the one of them that was launched to run alone; none: none was */
    const arb_attempt *failed; /* attempts whose FAILED was not SEEN; it comes again behind the WELCOME */
    size_t failed_count;
    const arb_held_output *held; /* outputs of finished attempts, SEEN or not */
    size_t held_count;
    const arb_attempt *crashed; /* what ran when processes before it in the same work folder crashed */
    size_t crashed_count;
    arb_uuid crashed_cluster; /* whose attempts those were */
} arb_register;

/* All pointers are borrowed for the call that takes the message. */
typedef struct arb_to_scheduler {
    arb_control_header header;
    arb_to_scheduler_kind kind;
    arb_attempt attempt;    /* PROGRESS, DONE, FAILED */
    arb_task_output output; /* PROGRESS, DONE */
    arb_failure failure;    /* FAILED */
    arb_register inventory; /* REGISTER */
} arb_to_scheduler;

typedef enum arb_to_executor_kind {
    ARB_TO_EXECUTOR_WELCOME,
    ARB_TO_EXECUTOR_REFUSED, /* instead of WELCOME: `why`; then the stream is closed. By the transport for a version or
                              * token that does not fit, by a scheduler that was replaced */
    ARB_TO_EXECUTOR_HEARTBEAT_SEEN,
    ARB_TO_EXECUTOR_SOURCES,
    ARB_TO_EXECUTOR_LAUNCH,
    ARB_TO_EXECUTOR_SEEN,   /* of `attempt`: its outcome is known; an output is kept */
    ARB_TO_EXECUTOR_CANCEL, /* `attempt`: stop it if it runs, drop its output if it ended. Known already: no matter */
    ARB_TO_EXECUTOR_DELETE, /* outputs of a job's stage, or with ARB_EVERY_STAGE all of a job, whose attempts end too */
    ARB_TO_EXECUTOR_GONE,   /* `gone` is dead: whoever waits to reach it reports UNREACHABLE now */
    ARB_TO_EXECUTOR_MAY_GO,
} arb_to_executor_kind;

enum { ARB_EVERY_STAGE = 0xFFFFFFFF };

/* How a stage reads one of its inputs. FACTS: what its producers published, no rows. */
typedef enum arb_input_mode { ARB_INPUT_PARTITION, ARB_INPUT_ALL, ARB_INPUT_ORDERED, ARB_INPUT_FACTS } arb_input_mode;

typedef struct arb_source {
    uint32_t task;
    arb_id attempt;
    arb_uuid executor;
    arb_str address, key;
    uint64_t rows, bytes;
    arb_str facts; /* FACTS inputs only */
} arb_source;

/* Whose outputs input `input` of stage `stage` is, in the order of tasks. A later one replaces it. */
typedef struct arb_sources {
    arb_id job;
    uint32_t stage, input, producer_stage;
    uint32_t version;
    arb_input_mode mode;
    const arb_source *sources;
    size_t source_count;
} arb_sources;

typedef struct arb_launch {
    arb_str plan;             /* its hash */
    arb_str settings;         /* of the job, as they were submitted */
    arb_str payload;          /* which splits, which partitions: as the planner packed it */
    uint32_t sources_version; /* of each input; the newest that came before */
    uint32_t drivers;
    uint64_t memory;
    bool alone;           /* it may crash its process: nothing else runs there */
    bool streams;         /* its rows may leave before it ends */
    const arb_str *facts; /* what tasks of its own stage published, newest first; each is true by itself */
    size_t fact_count;
} arb_launch;

typedef struct arb_welcome {
    int64_t heartbeat_ns;   /* how often */
    int64_t silence_ns;     /* how long without a HEARTBEAT_SEEN before the stream is given up */
    int64_t unreachable_ns; /* how long readers try to reach a producer */
} arb_welcome;

typedef struct arb_to_executor {
    arb_control_header header;
    arb_to_executor_kind kind;
    arb_attempt attempt; /* LAUNCH, SEEN, CANCEL; of DELETE its job and stage */
    arb_launch launch;
    arb_sources sources;
    arb_welcome welcome;
    arb_uuid gone;
    const char *why;
} arb_to_executor;

/* The counting of a session's messages; both sides have one for each stream. */
typedef struct arb_control_link {
    uint64_t session;
    uint64_t sent, received;
} arb_control_link;

typedef enum arb_link_verdict {
    ARB_LINK_TAKE,
    ARB_LINK_DROP,   /* of an older session, or seen already */
    ARB_LINK_BROKEN, /* something before it was lost */
} arb_link_verdict;

ARB_INLINE arb_link_verdict arb_control_link_take(arb_control_link *link, const arb_control_header *header)
{
    if (header->session != link->session || header->sequence <= link->received)
        return header->session > link->session ? ARB_LINK_BROKEN : ARB_LINK_DROP;
    if (header->sequence != link->received + 1)
        return ARB_LINK_BROKEN;
    link->received++;
    return ARB_LINK_TAKE;
}

#endif
