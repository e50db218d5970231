/* crash_record.h: what a process leaves in a folder when it crashes, for the one that comes after it: entries of one size, whatever
 * they mean.
 *
 * Signals belong to a process, so there is one record in each. Entries are only written to memory; a handler of SIGSEGV, SIGBUS,
 * SIGFPE, SIGILL and SIGABRT writes those that are there to a file, and the process then ends by that signal as it would have. A
 * process that is killed leaves nothing, and nor does one whose stack has overflowed: there is no room for a handler. */
#ifndef ARB_BASE_CRASH_RECORD_H
#define ARB_BASE_CRASH_RECORD_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

enum { ARB_CRASH_PLACES = 256, ARB_CRASH_NO_PLACE = ARB_CRASH_PLACES, ARB_CRASH_ENTRY_MOST = 128 };

/* What is in the folder: entries one behind the other, in the arena; none when no process has crashed there, or its entries were of
 * another size. They stay there until they have been told. And be ready to leave some there. Once until arb_crash_record_end. */
ARB_NODISCARD arb_code arb_crash_record_begin(arb_str folder, size_t entry_size, arb_arena *arena, arb_str *out_left,
                                              arb_error *error);
/* Whom they are for knows of the entries that begin has found: throw them away. Any number of times. */
void arb_crash_record_told(void);
/* Crashes are nobody's business any more. A no-op when it had not begun. */
void arb_crash_record_end(void);
/* Throw away what is there. */
void arb_crash_record_forget(arb_str folder);

/* An entry that a crash would leave from now on. ARB_CRASH_NO_PLACE when there is no record, or none for so many. On one thread,
 * as remove. */
unsigned arb_crash_record_add(const void *entry);
void arb_crash_record_remove(unsigned place); /* ARB_CRASH_NO_PLACE is a no-op */

#endif
