#include "base/arena.h"

#include "base/alloc.h"
#include "base/sanitizer.h"

struct arb_arena_block {
    arb_arena_block *older;
    size_t size; /* of the whole block, this head included */
};

struct arb_arena_hook {
    arb_arena_hook *older;
    void (*run)(void *);
    void *context;
};

enum { block_least = 4096, block_most = 1 << 20, head_size = 16 };
static_assert(sizeof(struct arb_arena_block) <= head_size, "allocations start aligned behind the head");

static bool add_block(arb_arena *arena, size_t wanted)
{
    size_t first = arena->first != 0 ? arena->first : block_least;
    size_t size = arena->blocks == NULL ? first : ARB_MIN(arena->blocks->size * 2, (size_t)block_most);
    size = ARB_MAX(size, wanted + head_size);
    if (arena->limit != 0 && arena->total + size > arena->limit) {
        size = wanted + head_size;
        if (arena->total + size > arena->limit)
            return false;
    }
    arb_arena_block *block = arb_alloc(size);
    if (block == NULL)
        return false;
    *block = (arb_arena_block){.older = arena->blocks, .size = size};
    arena->blocks = block;
    arena->next = (char *)block + head_size;
    arena->end = (char *)block + size;
    arena->total += size;
    ARB_POISON(arena->next, (size_t)(arena->end - arena->next));
    return true;
}

void *arb_arena_alloc(arb_arena *arena, size_t size)
{
    if (ARB_UNLIKELY(size > PTRDIFF_MAX / 2))
        return NULL;
    size_t taken = arb_round_up(ARB_MAX(size, (size_t)1) + ARB_RED_ZONE, 16); /* NULL means failure, also for 0 bytes */
    if (ARB_UNLIKELY((size_t)(arena->end - arena->next) < taken) && !add_block(arena, taken))
        return NULL;
    void *result = arena->next;
    arena->next += taken;
    ARB_UNPOISON(result, size);
    return result;
}

void *arb_arena_alloc_zeroed(arb_arena *arena, size_t size)
{
    void *result = arb_arena_alloc(arena, size);
    if (result != NULL)
        memset(result, 0, size);
    return result;
}

char *arb_arena_copy(arb_arena *arena, const char *text, size_t size)
{
    char *copy = arb_arena_alloc(arena, size + 1);
    if (copy != NULL) {
        if (size != 0)
            memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

arb_code arb_arena_on_reset(arb_arena *arena, void (*hook)(void *), void *context, arb_error *error)
{
    arb_arena_hook *entry = arb_arena_alloc(arena, sizeof *entry);
    if (entry == NULL)
        return arb_fail_memory(error, "an arena", sizeof *entry);
    *entry = (arb_arena_hook){.older = arena->hooks, .run = hook, .context = context};
    arena->hooks = entry;
    return ARB_OK;
}

static void run_hooks(arb_arena *arena)
{
    for (arb_arena_hook *hook = arena->hooks; hook != NULL; hook = hook->older)
        hook->run(hook->context);
    arena->hooks = NULL;
}

static void free_blocks(arb_arena *arena, arb_arena_block *block)
{
    while (block != NULL) {
        arb_arena_block *older = block->older;
        arena->total -= block->size;
        ARB_UNPOISON(block, block->size);
        arb_free(block);
        block = older;
    }
}

void arb_arena_reset(arb_arena *arena)
{
    run_hooks(arena);
    free_blocks(arena, arena->blocks);
    arena->blocks = NULL;
    arena->next = arena->end = NULL;
    assert(arena->total == 0);
}

void arb_arena_rewind(arb_arena *arena)
{
    run_hooks(arena);
    if (arena->blocks == NULL)
        return;
    free_blocks(arena, arena->blocks->older);
    arena->blocks->older = NULL;
    arena->next = (char *)arena->blocks + head_size;
    ARB_POISON(arena->next, (size_t)(arena->end - arena->next));
}
