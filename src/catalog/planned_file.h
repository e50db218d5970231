/* planned_file.h: a file as a plan names it: where it lies in a root, and which version of it was planned.
 *
 * A plan is made of what files say about themselves: counts, ranges, splits. With another version of a file it would give
 * wrong rows, so an executor looks whether the file is the planned one before it reads any of it. */
#ifndef ARB_CATALOG_PLANNED_FILE_H
#define ARB_CATALOG_PLANNED_FILE_H

#include "catalog/root.h"
#include "io/byte_source.h"

/* The same on all machines that have the same file: size and time as they are copied or shared, and what footer_hash.h
 * says. */
typedef struct arb_file_version {
    uint64_t size;
    int64_t modified_ns;
    uint64_t footer_hash;
} arb_file_version;

/* All is borrowed. */
typedef struct arb_planned_file {
    const arb_root *root;
    int folder;   /* the root's, open: open_beneath.h */
    arb_str path; /* the folder's and then that in it, which is sound (root.h); ends with NUL */
    arb_file_version version;
} arb_planned_file;

/* Open it, never outside of its root, and look whether it has the planned size and time. ARB_FILE_CHANGED says what was
 * planned and what is there, also when nothing is; ARB_ACCESS_DENIED: it lies outside. */
ARB_NODISCARD arb_code arb_planned_file_open(const arb_planned_file *planned, arb_byte_source **out_source,
                                             arb_error *error);
/* Has what was opened the planned end? ARB_FILE_CHANGED. */
ARB_NODISCARD arb_code arb_planned_file_check_hash(const arb_planned_file *planned, uint64_t hash, arb_error *error);

#endif
