#include "columnar/arrow_buffer.h"

#include <stdatomic.h>

#include "base/alloc.h"

void arb_arrow_memory_init(arb_arrow_memory *memory, void (*release)(arb_arrow_memory *))
{
    atomic_init(&memory->references, 1);
    memory->release = release;
}

arb_arrow_memory *arb_arrow_memory_ref(arb_arrow_memory *memory)
{
    if (memory != NULL)
        atomic_fetch_add_explicit(&memory->references, 1, memory_order_relaxed);
    return memory;
}

void arb_arrow_memory_unref(arb_arrow_memory *memory)
{
    if (memory != NULL && atomic_fetch_sub_explicit(&memory->references, 1, memory_order_acq_rel) == 1)
        memory->release(memory);
}

typedef struct own_memory {
    arb_arrow_memory base;
    uint8_t *data;
} own_memory;

static void own_release(arb_arrow_memory *memory)
{
    arb_free(((own_memory *)memory)->data);
    arb_free(memory);
}

/* Takes `data`, also on failure. */
static arb_code own(uint8_t *data, size_t size, arb_arrow_buffer *out_buffer, arb_error *error)
{
    own_memory *memory = arb_alloc(sizeof *memory);
    if (memory == NULL) {
        arb_free(data);
        return arb_fail_memory(error, "a buffer", sizeof *memory);
    }
    arb_arrow_memory_init(&memory->base, own_release);
    memory->data = data;
    *out_buffer = (arb_arrow_buffer){data, size, &memory->base};
    return ARB_OK;
}

static uint8_t *allocate(size_t size)
{
    if (size > PTRDIFF_MAX - ARB_ARROW_ALIGNMENT)
        return NULL;
    uint8_t *data = arb_alloc_aligned(size + ARB_ARROW_ALIGNMENT, ARB_ARROW_ALIGNMENT);
    if (data != NULL)
        memset(data + size, 0, ARB_ARROW_ALIGNMENT);
    return data;
}

arb_code arb_arrow_buffer_create(size_t size, arb_arrow_buffer *out_buffer, uint8_t **out_data, arb_error *error)
{
    *out_buffer = (arb_arrow_buffer){0};
    *out_data = allocate(size);
    if (*out_data == NULL)
        return arb_fail_memory(error, "a buffer", size);
    return own(*out_data, size, out_buffer, error);
}

arb_arrow_buffer arb_arrow_buffer_slice(const arb_arrow_buffer *buffer, size_t offset, size_t size)
{
    assert(offset <= buffer->size && size <= buffer->size - offset);
    if (size == 0)
        return (arb_arrow_buffer){0};
    return (arb_arrow_buffer){buffer->data + offset, size, arb_arrow_memory_ref(buffer->memory)};
}

void arb_arrow_buffer_reset(arb_arrow_buffer *buffer)
{
    arb_arrow_memory_unref(buffer->memory);
    *buffer = (arb_arrow_buffer){0};
}

/* ---- growing -------------------------------------------------------------------------------------------------- */

arb_code arb_arrow_growing_reserve(arb_arrow_growing *growing, size_t more, arb_error *error)
{
    if (more <= growing->capacity - growing->size)
        return ARB_OK;
    size_t wanted;
    if (__builtin_add_overflow(growing->size, more, &wanted) || wanted > PTRDIFF_MAX / 2)
        return arb_fail_memory(error, "a column", SIZE_MAX);
    wanted = ARB_MAX(ARB_MAX(wanted, growing->capacity * 2), (size_t)256);
    uint8_t *grown = allocate(wanted);
    if (grown == NULL)
        return arb_fail_memory(error, "a column", wanted);
    if (growing->size != 0)
        memcpy(grown, growing->data, growing->size);
    arb_free(growing->data);
    growing->data = grown;
    growing->capacity = wanted;
    return ARB_OK;
}

arb_code arb_arrow_growing_append(arb_arrow_growing *growing, const void *data, size_t size, arb_error *error)
{
    ARB_TRY(arb_arrow_growing_reserve(growing, size, error));
    if (size != 0)
        memcpy(growing->data + growing->size, data, size);
    growing->size += size;
    return ARB_OK;
}

arb_code arb_arrow_growing_finish(arb_arrow_growing *growing, arb_arrow_buffer *out_buffer, arb_error *error)
{
    *out_buffer = (arb_arrow_buffer){0};
    arb_arrow_growing taken = *growing;
    *growing = (arb_arrow_growing){0};
    if (taken.size == 0) {
        arb_free(taken.data);
        return ARB_OK;
    }
    memset(taken.data + taken.size, 0, ARB_MIN(taken.capacity - taken.size, (size_t)ARB_ARROW_ALIGNMENT));
    return own(taken.data, taken.size, out_buffer, error);
}

void arb_arrow_growing_reset(arb_arrow_growing *growing)
{
    arb_free(growing->data);
    *growing = (arb_arrow_growing){0};
}
