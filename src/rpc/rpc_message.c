#include "rpc/rpc_message.h"

#include "base/alloc.h"

arb_code arb_rpc_message_create(size_t slice_count, size_t own_size, void (*release)(void *), void *context,
                                arb_rpc_message **out_message, uint8_t **out_own, arb_error *error)
{
    size_t head = sizeof(arb_rpc_message) + slice_count * sizeof(arb_rpc_slice), size;
    *out_message = NULL;
    if (__builtin_add_overflow(head, own_size, &size) || slice_count > SIZE_MAX / sizeof(arb_rpc_slice) / 2)
        return arb_fail_memory(error, "a message", SIZE_MAX);
    arb_rpc_message *message = arb_alloc(size);
    if (message == NULL)
        return arb_fail_memory(error, "a message", size);
    memset(message, 0, head);
    atomic_init(&message->references, 1);
    message->release = release;
    message->context = context;
    message->slice_count = slice_count;
    if (out_own != NULL)
        *out_own = (uint8_t *)message + head;
    *out_message = message;
    return ARB_OK;
}

arb_code arb_rpc_message_copy(arb_str bytes, arb_rpc_message **out_message, arb_error *error)
{
    uint8_t *own;
    ARB_TRY(arb_rpc_message_create(1, bytes.size, NULL, NULL, out_message, &own, error));
    if (bytes.size != 0)
        memcpy(own, bytes.data, bytes.size);
    (*out_message)->slices[0] = (arb_rpc_slice){own, bytes.size};
    (*out_message)->size = bytes.size;
    return ARB_OK;
}

arb_rpc_message *arb_rpc_message_ref(arb_rpc_message *message)
{
    atomic_fetch_add_explicit(&message->references, 1, memory_order_relaxed);
    return message;
}

void arb_rpc_message_unref(arb_rpc_message *message)
{
    if (message == NULL || atomic_fetch_sub_explicit(&message->references, 1, memory_order_acq_rel) != 1)
        return;
    if (message->release != NULL)
        message->release(message->context);
    arb_free(message);
}

arb_code arb_rpc_message_bytes(const arb_rpc_message *message, arb_arena *arena, arb_str *out_bytes, arb_error *error)
{
    *out_bytes = (arb_str){"", 0};
    if (message->slice_count == 1 && message->size != 0)
        *out_bytes = (arb_str){(const char *)message->slices[0].data, message->size};
    if (message->slice_count <= 1)
        return ARB_OK;
    char *copy = arb_arena_alloc(arena, message->size + 1);
    if (copy == NULL)
        return arb_fail_memory(error, "a message in one piece", message->size);
    size_t at = 0;
    for (size_t i = 0; i < message->slice_count; i++) {
        if (message->slices[i].size != 0)
            memcpy(copy + at, message->slices[i].data, message->slices[i].size);
        at += message->slices[i].size;
    }
    *out_bytes = (arb_str){copy, message->size};
    return ARB_OK;
}
