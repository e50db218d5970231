#include "remote/remote_progress.h"

#include "proto/flight.pb-c.h"
#include "proto/sql_handle.pb-c.h"
#include "wire/wire.h"

void arb_remote_progress_init(arb_remote_progress *progress)
{
    *progress = (arb_remote_progress){.part = -1};
    pthread_mutex_init(&progress->lock, NULL);
}

void arb_remote_progress_destroy(arb_remote_progress *progress)
{
    arb_arena_reset(&progress->arena);
    pthread_mutex_destroy(&progress->lock);
}

static void forget(arb_remote_progress *progress)
{
    progress->part = -1;
    progress->stages = NULL;
    progress->stage_count = 0;
    arb_arena_reset(&progress->arena);
}

void arb_remote_progress_reset(arb_remote_progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    forget(progress);
    pthread_mutex_unlock(&progress->lock);
}

static void note_stages(arb_remote_progress *progress, arb_str bytes)
{
    arb_arena arena = {0};
    ProtobufCMessage *message;
    if (arb_wire_unpack(&arbalest__sql__statement_summary__descriptor, &arena, bytes.data, bytes.size, &message,
                        NULL) == ARB_OK) {
        const Arbalest__Sql__StatementSummary *summary = (const Arbalest__Sql__StatementSummary *)message;
        arb_run_stage *stages = ARB_ARENA_ARRAY(&progress->arena, arb_run_stage, summary->n_stages + 1);
        for (size_t i = 0; stages != NULL && i < summary->n_stages; i++) {
            const Arbalest__Sql__StageSummary *said = summary->stages[i];
            stages[i] = (arb_run_stage){.stage = said->stage,
                                        .tasks = said->tasks,
                                        .running = said->running,
                                        .committed = said->committed,
                                        .rows = said->rows,
                                        .bytes = said->bytes,
                                        .complete = said->complete};
        }
        progress->stages = stages;
        progress->stage_count = stages != NULL ? summary->n_stages : 0;
    }
    arb_arena_reset(&arena);
}

void arb_remote_progress_note(arb_remote_progress *progress, const Arrow__Flight__Protocol__PollInfo *answer)
{
    pthread_mutex_lock(&progress->lock);
    forget(progress);
    if (answer->progress_known_case == ARROW__FLIGHT__PROTOCOL__POLL_INFO__PROGRESS_KNOWN_PROGRESS)
        progress->part = ARB_MIN(ARB_MAX(answer->progress, 0.0), 1.0);
    if (answer->info != NULL)
        note_stages(progress, arb_wire_text(answer->info->app_metadata));
    pthread_mutex_unlock(&progress->lock);
}

double arb_remote_progress_part(arb_remote_progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    double part = progress->part;
    pthread_mutex_unlock(&progress->lock);
    return part;
}

arb_code arb_remote_progress_stages(arb_remote_progress *progress, arb_arena *arena, const arb_run_stage **out_stages,
                                    size_t *out_count, arb_error *error)
{
    arb_code code = ARB_OK;
    pthread_mutex_lock(&progress->lock);
    size_t count = progress->stage_count;
    arb_run_stage *copy = ARB_ARENA_ARRAY(arena, arb_run_stage, count + 1);
    if (copy == NULL)
        code = arb_fail_memory(error, "a statement's stages", count * sizeof *copy);
    else if (count != 0)
        memcpy(copy, progress->stages, count * sizeof *copy);
    pthread_mutex_unlock(&progress->lock);
    *out_stages = copy;
    *out_count = copy != NULL ? count : 0;
    return code;
}
