/* help.h: `arbalest help`. */
#ifndef ARB_CLI_HELP_H
#define ARB_CLI_HELP_H

#include <stdio.h>

#include "cli/options.h"

/* All three return or mean the exit status of having helped: 0, or 2 when there is no such command. */
int arb_help_command(const arb_options *options);
int arb_help_of(const arb_command *command, FILE *to);
void arb_help_overview(FILE *to);

#endif
