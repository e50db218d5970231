/* alloc.h: every small allocation of the project.
 *
 * One door, so that tests can fail the n-th allocation and so that the allocator below (mimalloc, or the C library's
 * under the sanitizers, which must see each block) can be changed in one place. Column buffers and other blocks of
 * 64 KiB and more come from runtime/'s pool instead, which is accounted and gives memory back.
 *
 * All functions are safe to call from any thread. None aborts: they return NULL, and the caller reports it. */
#ifndef ARB_BASE_ALLOC_H
#define ARB_BASE_ALLOC_H

#include "base/compiler.h"

/* Uninitialised bytes, aligned to 16. Zero bytes gives a block that may be freed but not used. Free with arb_free. */
ARB_NODISCARD void *arb_alloc(size_t size);
ARB_NODISCARD void *arb_alloc_zeroed(size_t size);
/* Aligned to `alignment`, a power of two up to 4096. Free with arb_free. */
ARB_NODISCARD void *arb_alloc_aligned(size_t size, size_t alignment);
/* Grow or shrink; on failure the old block stays valid. */
ARB_NODISCARD void *arb_realloc(void *block, size_t size);
void arb_free(void *block); /* NULL is a no-op */

/* A new copy that ends with NUL, or NULL. */
ARB_NODISCARD char *arb_strndup(const char *text, size_t size);

/* Torture switch, in builds with ARB_FAILPOINTS: the n-th allocation from now on (1 = the next) fails once, and with
 * `all_after` each later one too; 0 turns it off. Counts over all threads. */
void arb_alloc_fail_at(uint64_t n, bool all_after);
/* Allocations asked for since the switch was last set, so that a test knows when it has failed each. */
uint64_t arb_alloc_count(void);
/* Let the allocator give what it holds unused back to the system. */
void arb_alloc_trim(void);
/* From now on what is freed goes back to the system at once, not a moment later: for a process that may hold little, in which
 * threads free by the megabyte. */
void arb_alloc_hold_little(void);
/* Called by other sources of memory (the buffer pool) to take part in the torture switch: true = fail this one. */
bool arb_alloc_should_fail(void);

#endif
