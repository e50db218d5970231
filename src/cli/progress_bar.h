/* progress_bar.h: how far a statement is, on a terminal, once it takes more than half a second; of what several executors carry
 * out, also its stages. */
#ifndef ARB_CLI_PROGRESS_BAR_H
#define ARB_CLI_PROGRESS_BAR_H

#include "engine/statement_host.h"

typedef struct arb_progress_bar arb_progress_bar;

/* NULL when there is no thread or memory for it: then there is no bar. */
arb_progress_bar *arb_progress_bar_start(arb_statement_host *host);
/* Takes the bar off the screen. NULL is a no-op. */
void arb_progress_bar_stop(arb_progress_bar *bar);

#endif
