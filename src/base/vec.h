/* vec.h: growable lists of one type.
 *
 *     ARB_VEC(int) numbers = {0};
 *     if (!ARB_VEC_PUSH(&numbers, 7)) return arb_fail_memory(error, "the list", sizeof(int));
 *     for (size_t i = 0; i < numbers.size; i++) use(numbers.data[i]);
 *     ARB_VEC_RESET(&numbers);
 *
 * A zeroed list is empty and usable. Pointers to elements are valid until the next push. ARB_ARENA_PUSH grows in an
 * arena instead (old storage stays until the arena is reset); never mix the two on one list. */
#ifndef ARB_BASE_VEC_H
#define ARB_BASE_VEC_H

#include "base/alloc.h"
#include "base/arena.h"

#define ARB_VEC(type)          \
    struct {                   \
        type *data;            \
        size_t size, capacity; \
    }

/* All yield true, or false when there is no memory (the list is then unchanged). A value that is pushed may refer to the
 * list's size: it is the one before. */
#define ARB_VEC_RESERVE(vec, count)        \
    ((vec)->capacity >= (size_t)(count) || \
     arb_vec_grow((void **)&(vec)->data, &(vec)->capacity, (size_t)(count), sizeof *(vec)->data, NULL, (vec)->size))
#define ARB_VEC_PUSH(vec, ...) \
    (ARB_VEC_RESERVE((vec), (vec)->size + 1) && ((vec)->data[(vec)->size] = (__VA_ARGS__), (vec)->size++, true))
#define ARB_ARENA_RESERVE(arena, vec, count)                                                                      \
    ((vec)->capacity >= (size_t)(count) || arb_vec_grow((void **)&(vec)->data, &(vec)->capacity, (size_t)(count), \
                                                        sizeof *(vec)->data, (arena), (vec)->size))
#define ARB_ARENA_PUSH(arena, vec, ...)                    \
    (ARB_ARENA_RESERVE((arena), (vec), (vec)->size + 1) && \
     ((vec)->data[(vec)->size] = (__VA_ARGS__), (vec)->size++, true))

#define ARB_VEC_RESET(vec) (arb_free((vec)->data), (vec)->data = NULL, (vec)->size = (vec)->capacity = 0)

/* The common growth step: doubles, at least to `wanted` elements. Use the macros. */
ARB_NODISCARD bool arb_vec_grow(void **data, size_t *capacity, size_t wanted, size_t element_size, arb_arena *arena,
                                size_t size);

#endif
