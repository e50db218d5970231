/* node_command.h: `arbalest scheduler`, `executor` and `server`. */
#ifndef ARB_CLI_NODE_COMMAND_H
#define ARB_CLI_NODE_COMMAND_H

#include "cli/options.h"

/* Runs until it is asked to end; returns the exit status. */
int arb_node_command(arb_arena *arena, const arb_options *options);

#endif
