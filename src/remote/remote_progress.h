/* remote_progress.h: how far a statement at a server is, as its last answer to a poll said; for another thread, which shows it. */
#ifndef ARB_REMOTE_REMOTE_PROGRESS_H
#define ARB_REMOTE_REMOTE_PROGRESS_H

#include <pthread.h>

#include "engine/query_run.h"

struct Arrow__Flight__Protocol__PollInfo;

typedef struct arb_remote_progress {
    pthread_mutex_t lock;
    /* The lock: */
    double part; /* negative: not known */
    arb_arena arena;
    const arb_run_stage *stages;
    size_t stage_count;
} arb_remote_progress;

void arb_remote_progress_init(arb_remote_progress *progress);
void arb_remote_progress_destroy(arb_remote_progress *progress);
/* Nothing is known, or no statement runs. */
void arb_remote_progress_reset(arb_remote_progress *progress);
/* What cannot be read is not shown. */
void arb_remote_progress_note(arb_remote_progress *progress, const struct Arrow__Flight__Protocol__PollInfo *answer);

/* Any thread. */
double arb_remote_progress_part(arb_remote_progress *progress);
/* Copied into the arena. */
ARB_NODISCARD arb_code arb_remote_progress_stages(arb_remote_progress *progress, arb_arena *arena,
                                                  const arb_run_stage **out_stages, size_t *out_count,
                                                  arb_error *error);

#endif
