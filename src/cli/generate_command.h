/* generate_command.h: `arbalest generate`. */
#ifndef ARB_CLI_GENERATE_COMMAND_H
#define ARB_CLI_GENERATE_COMMAND_H

#include "cli/options.h"

/* Returns the exit status. */
int arb_generate_command(const arb_options *options);

#endif
