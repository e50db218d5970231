/* file_cache.h: files that are open and validated, kept while their bytes stay the same.
 *
 * Keyed by path; an entry belongs to one identity (size, time, inode). Whoever asks again gets the same open file while
 * the identity on disk is still that one, else the new version is opened; users of the old version keep it. Entries that
 * nobody uses are dropped, oldest first, once the cache is over its limit. What open files hold is counted on one account,
 * not on those of the queries that use them. Thread-safe. */
#ifndef ARB_CATALOG_FILE_CACHE_H
#define ARB_CATALOG_FILE_CACHE_H

#include "catalog/file_format.h"
#include "catalog/planned_file.h"

typedef struct arb_file_cache arb_file_cache;

/* One version of a file: counted. */
typedef struct arb_cached_file {
    arb_table_file *file;
    arb_source_identity identity;
    arb_str path;
    /* the cache's */
    const arb_file_format *format;
    arb_file_cache *cache;
    struct arb_cached_file *newer, *older; /* of those that nobody uses */
    uint64_t bytes;                        /* that it takes while it is open */
    uint32_t users;
    bool listed; /* found by its path: false once a newer version is there */
    bool hashed;
    uint64_t footer_hash; /* once `hashed` */
} arb_cached_file;

/* `memory` is the account of what open files take; it outlives the cache. */
ARB_NODISCARD arb_code arb_file_cache_create(uint64_t limit, arb_memory *memory, arb_file_cache **out_cache,
                                             arb_error *error);
/* From now on what is opened has descriptors of this pool (descriptor_pool.h), which outlives the cache: a file that was removed
 * or replaced, whose users read the old version, may then be ARB_FILE_CHANGED. Before the cache is used. */
void arb_file_cache_pool(arb_file_cache *cache, arb_descriptor_pool *descriptors);
/* From now on files are opened by path beneath these roots alone (file_access.h); they outlive the cache. Before it is used. */
void arb_file_cache_restrict(arb_file_cache *cache, const arb_roots *roots);
const arb_roots *arb_file_cache_roots(const arb_file_cache *cache); /* NULL: everything may be opened */
/* Nobody may use a file any more. NULL is a no-op. */
void arb_file_cache_destroy(arb_file_cache *cache);

/* The current version of the file, whose path ends with NUL; the caller releases it. With options (NULL: none) it is opened
 * for the caller alone. ARB_FILE_NOT_FOUND, ARB_CORRUPT_DATA, …; ARB_NOT_SUPPORTED when the format cannot be read. */
ARB_NODISCARD arb_code arb_file_cache_get(arb_file_cache *cache, arb_str path, const arb_file_format *format,
                                          const arb_file_options *options, arb_stop_flag *stop,
                                          arb_cached_file **out_file, arb_error *error);
/* The same of a file that was planned: never another version (ARB_FILE_CHANGED), never one outside of its root
 * (ARB_ACCESS_DENIED), and nothing of another file is read but its end. */
ARB_NODISCARD arb_code arb_file_cache_get_planned(arb_file_cache *cache, const arb_planned_file *planned,
                                                  const arb_file_format *format, const arb_file_options *options,
                                                  arb_stop_flag *stop, arb_cached_file **out_file, arb_error *error);
/* Which version this is, for a plan. The hash is computed when it is first asked for, from the path: ARB_FILE_CHANGED when
 * that leads to another version by then. */
ARB_NODISCARD arb_code arb_cached_file_version(arb_cached_file *file, arb_file_version *out_version, arb_error *error);
void arb_file_cache_release(arb_cached_file *file); /* NULL is a no-op */
/* The account of what open files take. */
arb_memory *arb_file_cache_memory(arb_file_cache *cache);
/* Is this version still what the path leads to? One system call. */
bool arb_cached_file_is_current(const arb_cached_file *file);

#endif
