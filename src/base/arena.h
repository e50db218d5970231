/* arena.h: memory that lives and dies together.
 *
 * A syntax tree, a plan, a batch's scratch: what shares a lifetime is allocated from one arena and freed at once. An
 * arena is passed explicitly; there is no current one. It may hold other resources by a callback that runs at reset,
 * newest first. Blocks grow by doubling up to 1 MiB; a request larger than that gets a block of its own.
 *
 * A zeroed arb_arena is empty and usable. Not thread-safe: one owner at a time. Under AddressSanitizer a gap behind
 * every allocation is poisoned, and everything at reset. */
#ifndef ARB_BASE_ARENA_H
#define ARB_BASE_ARENA_H

#include "base/compiler.h"
#include "base/error.h"

typedef struct arb_arena_block arb_arena_block;
typedef struct arb_arena_hook arb_arena_hook;

typedef struct arb_arena {
    arb_arena_block *blocks; /* newest first; the head is the one in use */
    arb_arena_hook *hooks;   /* newest first */
    char *next, *end;        /* free part of the head block */
    size_t total;            /* bytes taken from the allocator */
    size_t limit;            /* most bytes to take; 0 = no limit */
    size_t first;            /* bytes of the first block, where many arenas hold little; 0 = 4096 */
} arb_arena;

/* `size` bytes aligned to 16, uninitialised; NULL when memory or the limit is spent. Valid until reset. */
ARB_NODISCARD void *arb_arena_alloc(arb_arena *arena, size_t size);
ARB_NODISCARD void *arb_arena_alloc_zeroed(arb_arena *arena, size_t size);
/* A copy that ends with NUL. */
ARB_NODISCARD char *arb_arena_copy(arb_arena *arena, const char *text, size_t size);
/* Run `hook(context)` at reset. On failure the hook is not registered. */
ARB_NODISCARD arb_code arb_arena_on_reset(arb_arena *arena, void (*hook)(void *), void *context, arb_error *error);
/* Free everything; the arena is empty and usable again. */
void arb_arena_reset(arb_arena *arena);
/* Free everything but the newest block, for scratch that is refilled at once. */
void arb_arena_rewind(arb_arena *arena);

/* One zeroed object, or an array of them, of a type. */
#define ARB_ARENA_NEW(arena, type) ((type *)arb_arena_alloc_zeroed((arena), sizeof(type)))
#define ARB_ARENA_ARRAY(arena, type, count) ((type *)arb_arena_alloc_zeroed((arena), sizeof(type) * (size_t)(count)))

#endif
