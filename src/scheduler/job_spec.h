/* job_spec.h: a job as it is submitted: a graph of stages, their plans opaque.
 *
 * Planning happens elsewhere. What the scheduler must know of a plan stands here: how many tasks a stage has and how much
 * each reads, which stages it reads and how, whether its rows are the same when it runs again, what it needs. */
#ifndef ARB_SCHEDULER_JOB_SPEC_H
#define ARB_SCHEDULER_JOB_SPEC_H

#include "scheduler/control.h"

enum {
    ARB_JOB_STAGES_MOST = 10000,
    ARB_STAGE_TASKS_MOST = 10000000,
    ARB_JOB_ROOTS_MOST = 64,
    ARB_JOB_RECORD_MOST =
        ARB_STORE_VALUE_MOST - 16, /* bytes of its lasting form; when it was submitted stands before it */
};

typedef struct arb_stage_input {
    uint32_t stage; /* lower than the reader's own number */
    arb_input_mode mode;
} arb_stage_input;

typedef struct arb_stage_spec {
    arb_str plan; /* hash of its plan */
    uint32_t task_count;
    uint32_t input_count;
    const arb_stage_input *inputs;
    const arb_str *payloads;    /* for each task, opaque; NULL: all empty */
    const uint64_t *task_bytes; /* what each reads from files; NULL: nothing known */
    const uint64_t *task_roots; /* bit i: it reads files under roots[i]; NULL: none does */
    bool may_differ;            /* run again, its tasks may give other rows */
    bool publishes_facts;
    bool wants_own_facts; /* tasks are handed what tasks of the same stage published before them */
    int64_t row_limit;    /* so many rows of it are enough, tasks are launched in waves; -1: all of them are needed */
    uint64_t memory;      /* of a task */
    uint32_t drivers;     /* threads a task may use */
} arb_stage_spec;

typedef struct arb_job_spec {
    arb_str text;     /* the statement, for people; cut where it is shown */
    arb_str user;     /* who asked; may be empty */
    arb_str settings; /* opaque, for its tasks */
    arb_str name;     /* by which whoever submitted it finds it again, under a later scheduler too; empty: not at all */
    arb_str result;   /* opaque: what its rows are, for whoever reads them then */
    bool read_only;   /* it changes nothing: may start before it is recorded */
    bool may_stream;  /* its one result task's rows may leave before it ends */
    uint32_t root_count, stage_count;
    const arb_str *roots;
    const arb_stage_spec *stages; /* producers before readers; the last one's output is the result */
} arb_job_spec;

/* Is it recorded before it has ended? A read-only job of one task is not: it would only wait for the disk. */
ARB_INLINE bool arb_job_spec_recorded(const arb_job_spec *spec)
{
    return !spec->read_only || spec->stage_count > 1 || spec->stages[spec->stage_count - 1].task_count > 1;
}

/* ARB_INVALID_PARAMETER or ARB_LIMIT_EXCEEDED and what is wrong with it. */
ARB_NODISCARD arb_code arb_job_spec_check(const arb_job_spec *spec, arb_error *error);
/* Append its lasting form. ARB_OUT_OF_MEMORY; ARB_LIMIT_EXCEEDED when the store would refuse it, which the check sees
 * before anything is copied where texts are the reason. */
ARB_NODISCARD arb_code arb_job_spec_encode(const arb_job_spec *spec, arb_text *out, arb_error *error);
/* From its lasting form, which may be anything: ARB_CORRUPT_DATA. What it gives lies in the arena, texts too, and has
 * passed the check. */
ARB_NODISCARD arb_code arb_job_spec_decode(arb_str bytes, arb_arena *arena, arb_job_spec *out_spec, arb_error *error);

#endif
