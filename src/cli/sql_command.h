/* sql_command.h: `arbalest sql`. */
#ifndef ARB_CLI_SQL_COMMAND_H
#define ARB_CLI_SQL_COMMAND_H

#include "cli/options.h"

/* Returns the exit status. */
int arb_sql_command(arb_arena *arena, const arb_options *options);

#endif
