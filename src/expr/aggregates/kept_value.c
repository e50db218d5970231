#include "expr/aggregates/kept_value.h"

arb_code arb_kept_value_set(arb_arena *arena, arb_physical physical, const void *from, void *to, arb_error *error)
{
    memcpy(to, from, arb_kept_value_width(physical));
    if (physical != ARB_PHYS_STRING)
        return ARB_OK;
    arb_string text;
    memcpy(&text, from, sizeof text);
    if (text.size <= ARB_STRING_INLINE)
        return ARB_OK;
    char *bytes = arb_arena_alloc(arena, text.size);
    if (bytes == NULL) {
        memset(to, 0, sizeof text);
        return arb_fail_memory(error, "the text of an aggregate", text.size);
    }
    memcpy(bytes, text.far.data, text.size);
    text.far.data = bytes;
    memcpy(to, &text, sizeof text);
    return ARB_OK;
}

/* Text travels as its size and all of its bytes, whether it was inline or not. */
uint64_t arb_kept_value_packed_size(arb_physical physical, const void *value)
{
    if (physical != ARB_PHYS_STRING)
        return arb_kept_value_width(physical);
    return sizeof(uint32_t) + (uint64_t)arb_load_u32(value);
}

char *arb_kept_value_pack(arb_physical physical, const void *value, char *to)
{
    size_t width = arb_kept_value_width(physical);
    if (physical != ARB_PHYS_STRING) {
        memcpy(to, value, width);
        return to + width;
    }
    arb_string text;
    memcpy(&text, value, sizeof text);
    arb_store_u32(to, text.size);
    memcpy(to + sizeof(uint32_t), arb_string_data(&text), text.size);
    return to + sizeof(uint32_t) + text.size;
}

arb_code arb_kept_value_unpack(arb_physical physical, const char **from, const char *end, void *to, arb_error *error)
{
    size_t left = (size_t)(end - *from), width = arb_kept_value_width(physical);
    if (physical != ARB_PHYS_STRING) {
        if (left < width)
            return arb_packed_state_damaged(error);
        memcpy(to, *from, width);
        *from += width;
        return ARB_OK;
    }
    if (left < sizeof(uint32_t) || left - sizeof(uint32_t) < arb_load_u32(*from))
        return arb_packed_state_damaged(error);
    uint32_t size = arb_load_u32(*from);
    arb_string text = arb_string_of(*from + sizeof(uint32_t), size);
    memcpy(to, &text, sizeof text);
    *from += sizeof(uint32_t) + size;
    return ARB_OK;
}

arb_code arb_packed_state_damaged(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "the state of an aggregate is damaged");
}
