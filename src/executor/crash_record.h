/* crash_record.h: what an executor leaves in its work folder when it crashes: which tasks ran.
 *
 * The process that comes after it in the same folder tells the scheduler, which then runs those tasks with nothing beside them, and
 * ends the job of one that goes on crashing: otherwise such a task would bring down one executor after the other, for ever.
 *
 * Signals belong to a process, so there is one record in each. Whoever runs tasks says so by add and remove, which only write to
 * memory; a handler of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT writes the file, and the process then ends by that signal as it
 * would have. A process that is killed leaves nothing, and nor does one whose stack has overflowed: there is no room for a handler. */
#ifndef ARB_EXECUTOR_CRASH_RECORD_H
#define ARB_EXECUTOR_CRASH_RECORD_H

#include "scheduler/control.h"

enum { ARB_CRASH_PLACES = 256, ARB_CRASH_NO_PLACE = ARB_CRASH_PLACES };

/* What a process before this one left. */
typedef struct arb_crash_found {
    arb_uuid process; /* the executor that crashed; zero: none did */
    arb_uuid cluster; /* whose attempts these are */
    size_t attempt_count;
    const arb_attempt *attempts;
} arb_crash_found;

/* Take what is in the folder (into the arena) and be ready to leave something there. Before there are tasks, and once until
 * arb_crash_record_end. */
ARB_NODISCARD arb_code arb_crash_record_begin(arb_str folder, arb_uuid process, arb_arena *arena,
                                              arb_crash_found *out_found, arb_error *error);
/* Crashes are nobody's business any more. A no-op when it had not begun. */
void arb_crash_record_end(void);
/* Throw away what is there. */
void arb_crash_record_forget(arb_str folder);

/* A task may crash from now on; ARB_CRASH_NO_PLACE when there is no record, or none for so many. On one thread, as remove. */
unsigned arb_crash_record_add(arb_uuid cluster, const arb_attempt *attempt);
void arb_crash_record_remove(unsigned place); /* ARB_CRASH_NO_PLACE is a no-op */

#endif
