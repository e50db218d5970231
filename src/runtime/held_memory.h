/* held_memory.h: memory of those who cannot spill, counted before it is taken.
 *
 * A reader of files gives no row without a page and a window of its file, and has nothing to write to disk instead. So
 * each is granted a little whatever others hold (they see that memory is short, and spill). What goes beyond must fit
 * into the budget: a file that claims gigabytes in a few bytes ends in ARB_OUT_OF_MEMORY, not with the process. */
#ifndef ARB_RUNTIME_HELD_MEMORY_H
#define ARB_RUNTIME_HELD_MEMORY_H

#include "runtime/memory.h"

enum { ARB_HELD_ALWAYS = 32 << 20 };

/* `held` is the reservation of one reader; NULL, or one without an account: nothing is counted, all is granted. */
ARB_NODISCARD arb_code arb_held_take(arb_reservation *held, uint64_t bytes, arb_error *error);
void arb_held_give(arb_reservation *held, uint64_t bytes);
/* Is so little left that what lies idle should be freed, and nothing be read ahead? */
bool arb_held_is_short(const arb_reservation *held);

#endif
