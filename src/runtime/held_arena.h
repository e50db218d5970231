/* held_arena.h: an arena whose bytes are counted, for those who cannot spill (held_memory.h). */
#ifndef ARB_RUNTIME_HELD_ARENA_H
#define ARB_RUNTIME_HELD_ARENA_H

#include "base/arena.h"
#include "runtime/held_memory.h"

/* Zeroed but for `held`: empty. Not thread-safe. */
typedef struct arb_held_arena {
    arb_arena arena;
    arb_reservation *held; /* of whoever has the arena; NULL: nothing is counted */
    size_t counted;        /* bytes of it that are */
} arb_held_arena;

/* Zeroed memory, counted before it is taken. NULL: `error` is ARB_OUT_OF_MEMORY and says what it is for. */
ARB_NODISCARD void *arb_held_arena_take(arb_held_arena *self, size_t size, const char *what, arb_error *error);
/* Count what was taken from the arena itself, in pieces that are small or of a known size; a rewound one holds less. */
ARB_NODISCARD arb_code arb_held_arena_settle(arb_held_arena *self, arb_error *error);
/* As of an arena; what is freed counts no more. */
void arb_held_arena_rewind(arb_held_arena *self);
void arb_held_arena_reset(arb_held_arena *self);

#endif
