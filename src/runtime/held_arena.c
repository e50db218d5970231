#include "runtime/held_arena.h"

/* Let so many bytes be counted. */
static arb_code count(arb_held_arena *self, size_t bytes, arb_error *error)
{
    if (bytes > self->counted)
        ARB_TRY(arb_held_take(self->held, bytes - self->counted, error));
    else
        arb_held_give(self->held, self->counted - bytes);
    self->counted = bytes;
    return ARB_OK;
}

/* What is not there does not count. */
static void shrink(arb_held_arena *self)
{
    size_t less = self->counted - ARB_MIN(self->counted, self->arena.total);
    arb_held_give(self->held, less);
    self->counted -= less;
}

void *arb_held_arena_take(arb_held_arena *self, size_t size, const char *what, arb_error *error)
{
    if (size > (size_t)(self->arena.end - self->arena.next) && count(self, self->arena.total + size, error) != ARB_OK)
        return NULL;
    void *taken = arb_arena_alloc_zeroed(&self->arena, size);
    if (taken == NULL) {
        arb_fail_memory(error, what, size);
        shrink(self);
        return NULL;
    }
    return arb_held_arena_settle(self, error) == ARB_OK ? taken : NULL; /* a block may be larger */
}

arb_code arb_held_arena_settle(arb_held_arena *self, arb_error *error)
{
    return count(self, self->arena.total, error);
}

void arb_held_arena_rewind(arb_held_arena *self)
{
    arb_arena_rewind(&self->arena);
    shrink(self);
}

void arb_held_arena_reset(arb_held_arena *self)
{
    arb_arena_reset(&self->arena);
    shrink(self);
}
