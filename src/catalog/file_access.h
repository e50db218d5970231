/* file_access.h: which files may be opened by their paths, where statements come from others.
 *
 * A server's sessions read beneath its folders of data and write beneath those that are for that, and nowhere else. A path
 * that a statement names is found first: links and ".." in its folders are followed, and where that leads to must lie in a
 * root; so what is listed and looked at lies there. It is then opened beneath that root by the kernel (open_beneath.h), so
 * what is linked or moved meanwhile leads nowhere else. A relative path may begin with the name of a root. What lies outside
 * is ARB_ACCESS_DENIED whether it is there or not.
 *
 * Roots that are NULL let everything be opened: an embedded session's. */
#ifndef ARB_CATALOG_FILE_ACCESS_H
#define ARB_CATALOG_FILE_ACCESS_H

#include "catalog/root.h"
#include "io/byte_sink.h"
#include "io/byte_source.h"

/* The path, or pattern (file_glob.h), as it is to be opened, in the arena; ends with NUL. */
ARB_NODISCARD arb_code arb_file_access_find(const arb_roots *roots, arb_arena *arena, arb_str path, arb_str *out_path,
                                            arb_error *error);
/* A path that was found. */
ARB_NODISCARD arb_code arb_file_access_open(const arb_roots *roots, const char *path, arb_byte_source **out_source,
                                            arb_error *error);
/* A path as it is written; a file that is there is replaced. What is no regular file is written to directly only without
 * roots. */
ARB_NODISCARD arb_code arb_file_access_create(const arb_roots *roots, arb_str path, arb_byte_sink **out_sink,
                                              arb_error *error);

#endif
