/* module_loader.h: the cluster's part of the program. */
#ifndef ARB_CLI_MODULE_LOADER_H
#define ARB_CLI_MODULE_LOADER_H

#include "engine/cluster_module.h"

/* Beside the command's own file, or in ../lib/arbalest from there. Loaded once, for as long as the process lives. ARB_FILE_NOT_FOUND
 * when it is not there, ARB_CONFIGURATION when it is of another version. */
ARB_NODISCARD arb_code arb_module_load(const arb_cluster_module **out_module, arb_error *error);
/* The command's own file; in the arena. */
ARB_NODISCARD arb_code arb_program_path(arb_arena *arena, arb_str *out_path, arb_error *error);

#endif
