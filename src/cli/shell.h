/* shell.h: the interactive shell: lines with history and completion, statements over several lines. */
#ifndef ARB_CLI_SHELL_H
#define ARB_CLI_SHELL_H

#include <signal.h>

#include "cli/statement_runner.h"

/* Until the end of input or `quit`; `interrupts` is set by Ctrl-C, which ends the line or the statement, not the shell,
 * `ending` by a signal that ends the shell. Returns the exit status. */
int arb_shell_run(arb_statement_runner *runner, volatile sig_atomic_t *interrupts, const volatile sig_atomic_t *ending);

#endif
