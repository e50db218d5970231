/* failpoint.h: places where a test lets a process die, stand still, fail or do harm.
 *
 *     ARBALEST_FAILPOINTS=executor.before_commit=kill@2,state.before_commit=error:53100
 *
 * One NAME=ACTION[:ARGUMENT][@N] a place, N the passage that does it (1 is the first), without it each one. Actions:
 *
 *     kill, stop, abort   that signal for the whole process; stop returns when somebody says SIGCONT
 *     delay:MS            the thread waits
 *     error:SQLSTATE      where the place can fail, it fails so
 *     corrupt             where the place has bytes, one in their middle is changed
 *
 * Each passage that does something first appends `NAME ACTION PROCESS` to the file ARBALEST_FAILPOINTS_MARKER, so that a
 * test knows that it happened. With ARBALEST_FAILPOINTS_WHILE, passages count only while there is a file of that name.
 *
 * All of it is in builds with ARB_FAILPOINTS alone; elsewhere the macros are nothing. */
#ifndef ARB_BASE_FAILPOINT_H
#define ARB_BASE_FAILPOINT_H

#include "base/error.h"
#include "base/text.h"

/* X(NAME, "name", what it can do beside the process's signals and delays) */
#define ARB_FAILPOINT_LIST(X)                                                                                        \
    X(STATE_BEFORE_COMMIT, "state.before_commit", ARB_POINT_FAILS)         /* a batch of the store is about to be */ \
    X(STATE_AFTER_COMMIT, "state.after_commit", ARB_POINT_NO_MORE)         /* it is on the disk, nobody knows */     \
    X(STATE_BEFORE_BLOB, "state.before_blob", ARB_POINT_FAILS)             /* a blob is written, without a name */   \
    X(STATE_AFTER_BLOB, "state.after_blob", ARB_POINT_NO_MORE)             /* it has its name */                     \
    X(SCHEDULER_BEFORE_LAUNCH, "scheduler.before_launch", ARB_POINT_FAILS) /* a LAUNCH is about to go */             \
    X(SCHEDULER_AFTER_LAUNCH, "scheduler.after_launch", ARB_POINT_NO_MORE)                                           \
    X(SCHEDULER_DONE_RECEIVED, "scheduler.done_received", ARB_POINT_NO_MORE) /* a task says that it is done */       \
    X(EXECUTOR_LAUNCH_RECEIVED, "executor.launch_received", ARB_POINT_NO_MORE)                                       \
    X(EXECUTOR_TASK_START, "executor.task_start", ARB_POINT_FAILS)                                                   \
    X(EXECUTOR_BEFORE_COMMIT, "executor.before_commit", ARB_POINT_NO_MORE) /* all is sealed, nobody knows */         \
    X(EXECUTOR_AFTER_COMMIT, "executor.after_commit", ARB_POINT_NO_MORE)   /* the scheduler is told */               \
    X(EXECUTOR_OUTPUT_READ, "executor.output_read", ARB_POINT_FAILS)       /* somebody is sent a block */            \
    X(EXECUTOR_DRAINING, "executor.draining", ARB_POINT_NO_MORE)                                                     \
    X(EXCHANGE_LAST_ROW, "exchange.last_row", ARB_POINT_FAILS)   /* before the last blocks are made */               \
    X(EXCHANGE_SEALED, "exchange.sealed", ARB_POINT_HAS_BYTES)   /* a block has its checksum */                      \
    X(EXCHANGE_ARRIVED, "exchange.arrived", ARB_POINT_HAS_BYTES) /* one has come over the network */

typedef enum arb_point_kind { ARB_POINT_NO_MORE, ARB_POINT_FAILS, ARB_POINT_HAS_BYTES } arb_point_kind;

typedef enum arb_failpoint {
#define X(name, text, kind) ARB_POINT_##name,
    ARB_FAILPOINT_LIST(X)
#undef X
        ARB_FAILPOINT_COUNT
} arb_failpoint;

#ifdef ARB_FAILPOINTS
/* What the environment says; ARB_CONFIGURATION for what is not understood. Once, before there are threads. Each part of
 * a process with a copy of this library asks for itself. */
ARB_NODISCARD arb_code arb_failpoints_read(arb_error *error);
bool arb_failpoints_variable(arb_str name);
/* From any thread. */
ARB_NODISCARD arb_code arb_failpoint_pass(arb_failpoint at, arb_error *error);
void arb_failpoint_damage(arb_failpoint at, uint8_t *bytes, size_t size);

#define ARB_FAILPOINTS_READ(error) arb_failpoints_read(error)
/* Is it (without ARBALEST_) a variable of this? */
#define ARB_FAILPOINTS_VARIABLE(name) arb_failpoints_variable(name)
/* A statement; of places that cannot fail. */
#define ARB_FAILPOINT(name) (void)!arb_failpoint_pass(ARB_POINT_##name, NULL)
/* An arb_code; of places that can. */
#define ARB_FAILPOINT_CODE(name, error) arb_failpoint_pass(ARB_POINT_##name, error)
/* A statement; of places that have bytes. */
#define ARB_FAILPOINT_DAMAGE(name, bytes, size) arb_failpoint_damage(ARB_POINT_##name, bytes, size)
#else
#define ARB_FAILPOINTS_READ(error) ARB_OK
#define ARB_FAILPOINTS_VARIABLE(name) false
#define ARB_FAILPOINT(name) ((void)0)
#define ARB_FAILPOINT_CODE(name, error) ARB_OK
#define ARB_FAILPOINT_DAMAGE(name, bytes, size) ((void)0)
#endif

#endif
