/* file_set.h: which files a table is made of, and how they are read. */
#ifndef ARB_CATALOG_FILE_SET_H
#define ARB_CATALOG_FILE_SET_H

#include "catalog/file_cache.h"
#include "catalog/table.h"

typedef struct arb_file_set {
    /* Files, folders (then all files in them, recursive) and patterns (file_glob.h), without zero bytes. What exists
     * under a name is that, though it looks like a pattern. */
    const arb_str *paths;
    size_t path_count;
    const arb_file_format *format;   /* NULL: by suffix */
    const arb_file_options *options; /* NULL: nothing is said */
} arb_file_set;

/* ARB_INVALID_PARAMETER when there is no path, or one that cannot be. */
ARB_NODISCARD arb_code arb_file_set_check(const arb_file_set *set, arb_error *error);
/* Could its paths be opened with this cache? ARB_ACCESS_DENIED (file_access.h). Opens nothing. */
ARB_NODISCARD arb_code arb_file_set_check_access(const arb_file_set *set, const arb_file_cache *cache,
                                                 arb_error *error);
/* Paths and options are copied, too. False when memory is short. */
ARB_NODISCARD bool arb_file_set_copy(arb_arena *arena, const arb_file_set *from, arb_file_set *to);
/* A new reference to the table of the files as they are now; `current`, which may be NULL, is given again while it is
 * that. Finding no file is ARB_FILE_NOT_FOUND, a name that tells no format ARB_NOT_SUPPORTED, files of several formats
 * ARB_INVALID_TABLE_DEFINITION; ARB_ACCESS_DENIED: not with this cache. */
ARB_NODISCARD arb_code arb_file_set_open(const arb_file_set *set, arb_str name, const arb_file_formats *formats,
                                         arb_file_cache *cache, arb_stop_flag *stop, arb_table *current,
                                         arb_table **out_table, arb_error *error);

#endif
