/* simulator.h: a whole cluster in one process, in simulated time, from a seed.
 *
 * The scheduler and the ledgers of executors are the real ones. Around them stand models: a network that loses, delays,
 * doubles and reorders; processes that die, pause and come back; a disk; clients. Everything that happens is an event in one
 * queue, every choice comes from one generator, so a seed is a run. What happened is hashed: two runs of a seed must
 * hash alike.
 *
 * Outputs carry a digest of what they were made of, and which attempts of stages that may differ went into it. So the
 * client's rows tell whether an input was lost, doubled or wrong, and whether two readers saw different makings of the same
 * stage (sim_data.c). */
#ifndef TEST_CLUSTER_SIMULATOR_H
#define TEST_CLUSTER_SIMULATOR_H

#include "base/vec.h"
#include "executor/task_ledger.h"
#include "scheduler/ordered_heap.h"
#include "scheduler/scheduler.h"
#include "state/memory_store.h"

#define SIM_MS ((int64_t)1000000)
#define SIM_SECOND ((int64_t)1000000000)

enum {
    SIM_EXECUTORS_MOST = 6,
    SIM_JOBS_MOST = 10,
    SIM_STAGES_MOST = 6,
    SIM_TASKS_MOST = 8,
    SIM_CHOICES_MOST = SIM_STAGES_MOST * SIM_TASKS_MOST,
};

/* What may go wrong in a run; chances are of one occasion. */
typedef struct sim_faults {
    double lose, twice, late;     /* messages */
    bool reorder;                 /* messages overtake each other */
    bool die, pause, cut, drain;  /* executors: processes end, stop for a while, lose the scheduler, leave */
    bool part;                    /* pairs of executors cannot reach each other */
    bool restart, zombie, forget; /* the scheduler: ends and comes back; an old one goes on; its store was in memory */
    double retryable;             /* attempts that fail so */
    double corrupt, vanish;       /* outputs that are damaged, or gone, when they are read */
    double write;                 /* writes of the store that fail */
    bool slow_disk;               /* writes of the store take up to two seconds */
    bool rush;                    /* all jobs come at once */
    double slow;                  /* attempts that take twenty times as long */
    bool impatient;               /* clients cancel, go, fall silent */
} sim_faults;

typedef struct sim_choice {
    uint32_t stage, task;
    arb_id attempt;
} sim_choice;

/* An output's content. */
typedef struct sim_content {
    uint64_t digest, rows;
    uint32_t choice_count;
    bool torn; /* two makings of the same stage went into it */
    sim_choice choices[SIM_CHOICES_MOST];
} sim_content;

typedef struct sim_job sim_job;

typedef struct sim_output {
    const sim_job *job;
    arb_attempt attempt;
    uint64_t run;
    bool corrupt, vanished;
    sim_content content;
    struct sim_output *next;
} sim_output;

typedef struct sim_world sim_world;

typedef struct sim_run {
    uint64_t run;
    sim_job *job;
    arb_attempt attempt;
    bool stopping, alone;
    uint32_t waits; /* tries to reach a producer so far */
    sim_content content;
    arb_arena arena;
    arb_sources inputs[SIM_STAGES_MOST];
    struct sim_run *next;
} sim_run;

typedef struct sim_executor {
    uint32_t index;
    uint64_t incarnation;
    bool alive, paused, cut, draining;
    int64_t paused_until;
    arb_uuid id;
    arb_ledger *ledger;
    uint64_t session; /* of its newest registration */
    int64_t last_up, last_down, wake;
    sim_run *runs;
    sim_output *outputs;
    uint32_t slots, root_mask;
    ARB_VEC(arb_attempt) crashed;
    arb_uuid previous, cluster, crashed_cluster;
} sim_executor;

typedef enum sim_client_state { CLIENT_IDLE, CLIENT_WAITS, CLIENT_READS, CLIENT_DONE } sim_client_state;

/* A job, and the client that wants it. */
struct sim_job {
    uint32_t index;
    uint64_t order; /* of submission; 0: not yet */
    arb_uuid cluster;
    arb_arena arena;
    arb_job_spec spec;
    sim_client_state state;
    arb_id id;
    bool accepted, finished, keeps_asking, cancelled, silent, lost_touch;
    int final_stage, final_task;   /* always fails there; -1: nowhere */
    int poison_stage, poison_task; /* crashes its process there */
    bool poison_beside;            /* only with something beside it */
    uint32_t injected_failures;
    uint32_t reads; /* tries to begin reading that failed */
    bool left;      /* its rows have left */
    arb_id streaming;
    sim_content results[SIM_TASKS_MOST];
    bool has_result[SIM_TASKS_MOST];
    arb_id result_attempts[SIM_TASKS_MOST]; /* of which rows have left */
    bool begun[SIM_TASKS_MOST];
    arb_job_state ended;
    arb_code code;
};

typedef struct sim_scheduler {
    arb_scheduler *machine;
    uint64_t term;
    int64_t wake;
    sim_world *world;
    bool writing;
    arb_arena write_arena;
    arb_store_operation *write_operations;
    size_t write_count;
} sim_scheduler;

typedef enum sim_event_kind {
    SIM_TO_SCHEDULER,
    SIM_TO_EXECUTOR,
    SIM_SCHEDULER_TICK,
    SIM_EXECUTOR_TICK,
    SIM_CONNECTED,
    SIM_DISCONNECTED,  /* the executor notices */
    SIM_STREAM_CLOSED, /* the scheduler notices */
    SIM_WRITTEN,
    SIM_RUN_READS,
    SIM_RUN_ENDS,
    SIM_CLIENT,
    SIM_CLIENT_POLLS,
    SIM_FAULT,
    SIM_EXECUTOR_BACK,
    SIM_EXECUTOR_RESUMES,
    SIM_CUT_OVER,
    SIM_PART_OVER,
    SIM_SCHEDULER_BACK,
    SIM_ZOMBIE_ENDS,
} sim_event_kind;

typedef struct sim_event {
    arb_heap_node node;
    sim_event_kind kind;
    uint32_t who;
    uint64_t a, b;
    arb_arena arena; /* a message's */
    arb_to_scheduler *up;
    arb_to_executor *down;
} sim_event;

typedef struct sim_counts {
    uint64_t events, messages, deaths, pauses, cuts, parts, restarts, zombies, crashes, injected, lost_messages;
    uint64_t succeeded, failed, cancelled, unknown, corrupted, write_failures, resumed, streamed, refused;
} sim_counts;

struct sim_world {
    uint64_t seed, random;
    bool trace;
    int64_t now;
    uint64_t next_tie;
    uint64_t hash;
    arb_heap queue;
    sim_faults faults;
    int64_t faults_end;
    uint32_t executor_count, job_count;
    sim_executor executors[SIM_EXECUTORS_MOST];
    bool parted[SIM_EXECUTORS_MOST][SIM_EXECUTORS_MOST];
    sim_job jobs[SIM_JOBS_MOST];
    arb_store *store;
    uint64_t stores, submissions; /* made so far */
    bool short_history;
    int64_t all_done;                /* when the last client had its answer; 0: not yet */
    sim_scheduler *current, *zombie; /* NULL: none */
    uint64_t next_uuid;
    sim_counts counts;
    arb_scheduler_counts machine; /* summed over all schedulers */
    char failure[512];            /* empty: none */
};

/* One run. False: `world->failure` says what is wrong. */
bool sim_run_seed(sim_world *world, uint64_t seed, bool trace);
void sim_reset(sim_world *world);

/* ---- simulator.c */
void sim_fail(sim_world *world, const char *format, ...) ARB_PRINTF(2, 3);
void sim_trace(sim_world *world, const char *format, ...) ARB_PRINTF(2, 3);
uint64_t sim_random(sim_world *world, uint64_t below);
bool sim_chance(sim_world *world, double chance);
int64_t sim_between(sim_world *world, int64_t least, int64_t most);
sim_event *sim_at(sim_world *world, int64_t at, sim_event_kind kind, uint32_t who, uint64_t a, uint64_t b);
void sim_note(sim_world *world, uint64_t what);

/* ---- sim_scheduler.c: the scheduler's surroundings */
void sim_scheduler_start(sim_world *world);
void sim_scheduler_end(sim_world *world);
void sim_scheduler_free(sim_world *world, sim_scheduler **of);
arb_code sim_apply(sim_world *world, sim_scheduler *to, arb_event *event);
void sim_written(sim_world *world, uint64_t term);
void sim_scheduler_tick(sim_world *world, uint64_t term);

/* ---- sim_executor.c */
void sim_executor_start(sim_world *world, uint32_t index);
void sim_executor_die(sim_world *world, uint32_t index);
void sim_executor_free(sim_world *world, sim_executor *executor);
void sim_executor_event(sim_world *world, sim_event *event);
/* What a reader gets; NULL and why. */
const sim_output *sim_read(sim_world *world, int reader, arb_uuid executor, const sim_job *job, arb_id attempt,
                           arb_read_failure *out_failure);

/* ---- sim_network.c */
void sim_send_up(sim_world *world, sim_executor *from, const arb_to_scheduler *message);
void sim_send_down(sim_world *world, const arb_to_executor *message);
int64_t sim_delay(sim_world *world);

/* ---- sim_data.c */
void sim_job_make(sim_world *world, sim_job *job);
sim_job *sim_job_of(sim_world *world, arb_uuid cluster, arb_id id);
void sim_content_begin(const sim_job *job, const arb_attempt *attempt, sim_content *out_content);
void sim_content_add(const sim_job *job, sim_content *content, uint32_t stage, uint32_t task, arb_id attempt,
                     const sim_content *of, bool facts);
bool sim_result_right(sim_world *world, const sim_job *job);

/* ---- sim_client.c */
void sim_client_event(sim_world *world, sim_event *event);
void sim_client_answer(sim_world *world, const arb_answer *answer);
void sim_clients_lose_touch(sim_world *world);

/* ---- sim_faults.c */
void sim_faults_choose(sim_world *world);
void sim_fault_event(sim_world *world, sim_event *event);

#endif
