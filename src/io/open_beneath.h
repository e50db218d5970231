/* open_beneath.h: opening what lies beneath a folder, and nothing else.
 *
 * Paths that come from others (in a plan, say) are opened this way: whatever a path says and wherever links lead, nothing
 * outside of the folder is reached. */
#ifndef ARB_IO_OPEN_BENEATH_H
#define ARB_IO_OPEN_BENEATH_H

#include "base/error.h"

/* The folder's descriptor, which is good for this alone; the caller closes it. */
ARB_NODISCARD arb_code arb_open_folder(const char *path, int *out_folder, arb_error *error);
/* A descriptor, or -1 and errno: EXDEV where the path leads out of the folder, being absolute, by "..", or by a link. Links
 * that stay beneath it are followed, but for an old kernel (before 5.6), which follows none. `flags` as open's, without
 * O_CREAT; O_CLOEXEC is added. */
ARB_NODISCARD int arb_open_beneath(int folder, const char *path, int flags);
/* Only what the system finds without waiting, having all of the path in its cache: else -1 and EAGAIN, also where a kernel cannot
 * tell (before 5.12). Beneath the folder, as above; with AT_FDCWD wherever the path leads. */
ARB_NODISCARD int arb_open_at_once(int folder, const char *path, int flags);

#endif
