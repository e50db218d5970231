/* folder_walk.h: what a folder holds. */
#ifndef ARB_CATALOG_FOLDER_WALK_H
#define ARB_CATALOG_FOLDER_WALK_H

#include "base/stop.h"
#include "base/text.h"
#include "base/vec.h"

typedef enum arb_folder_kind {
    ARB_FOLDER_OTHER,
    ARB_FOLDER_FILE,
    ARB_FOLDER_FOLDER,
    ARB_FOLDER_LINK /* to a folder */
} arb_folder_kind;

typedef ARB_VEC(arb_str) arb_paths; /* arena */

/* Deeper folders are a mistake. */
enum { ARB_FOLDER_DEPTH_MOST = 32 };

/* Of something in the folder: links are followed. `path` ends with NUL and is the arena's, `name` its last part. */
typedef arb_code (*arb_folder_visit)(void *context, arb_folder_kind kind, arb_str name, arb_str path, arb_error *error);

/* Call `visit` for all that is in the folder, in no order, until it fails or the flag is set; not for names that begin
 * with a dot. The folder's name ends with NUL; "" is the current one, whose paths are then bare names. */
ARB_NODISCARD arb_code arb_folder_each(arb_arena *arena, arb_str folder, arb_folder_visit visit, void *context,
                                       arb_stop_flag *stop, arb_error *error);
/* Sort by bytes. */
void arb_paths_sort(arb_paths *paths);

#endif
