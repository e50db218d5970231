/* node_folder.h: folders of a process's own: for state, for what does not fit into memory. Readable by their owner alone. */
#ifndef ARB_NODE_NODE_FOLDER_H
#define ARB_NODE_NODE_FOLDER_H

#include "base/error.h"
#include "base/text.h"

/* The folder, made with those above it if need be; in the arena. With data NULL: $XDG_STATE_HOME/arbalest or ~/.local/state/arbalest.
 * ARB_CONFIGURATION when it belongs to somebody else or others may write there. */
ARB_NODISCARD arb_code arb_state_folder_make(arb_arena *arena, arb_str said, arb_str *out_folder, arb_error *error);
/* Likewise; with data NULL a new one in $TMPDIR or /tmp. */
ARB_NODISCARD arb_code arb_work_folder_make(arb_arena *arena, arb_str said, arb_str *out_folder, arb_error *error);
/* FOLDER/NAME; in the arena. */
ARB_NODISCARD arb_code arb_folder_entry(arb_arena *arena, arb_str folder, const char *name, arb_str *out_path,
                                        arb_error *error);
#endif
