/* data_option.h: folders as the command line names them: DIR or ROOT=DIR. */
#ifndef ARB_CLI_DATA_OPTION_H
#define ARB_CLI_DATA_OPTION_H

#include "catalog/root.h"
#include "cli/options.h"

/* What the flag (`data`, `write-root`) names, in the arena: folders as written, each with its name, by default the folder's last
 * part. Prints what is wrong and returns the exit status, or 0: a name may come once. */
ARB_NODISCARD int arb_data_option_read(arb_arena *arena, const arb_options *options, const char *flag,
                                       arb_roots *out_roots);

#endif
