/* file_glob.h: the files that a pattern stands for.
 *
 * In each part of the path `*` is any text, `?` a byte, `[abc]` and `[a-z]` one of several, `[*]` a star; a part `**` is
 * any number of folders, also none. Names that begin with a dot are found only where they are written out. A `**` does
 * not follow links to folders: they may lead back, and each file would be found once a way to it. */
#ifndef ARB_CATALOG_FILE_GLOB_H
#define ARB_CATALOG_FILE_GLOB_H

#include "catalog/folder_walk.h"

bool arb_path_is_pattern(arb_str path);
/* Add the files, sorted by path. Finding none is ARB_FILE_NOT_FOUND; a folder that must be listed and cannot be is an
 * error, too. The pattern holds no zero byte. */
ARB_NODISCARD arb_code arb_file_glob(arb_arena *arena, arb_str pattern, arb_paths *paths, arb_stop_flag *stop,
                                     arb_error *error);

#endif
