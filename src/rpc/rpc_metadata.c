#include "rpc/rpc_metadata.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool may_be_named(arb_str name)
{
    if (name.size == 0 || (name.size >= 5 && arb_str_equal_nocase((arb_str){name.data, 5}, ARB_STR("grpc-"))))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = lower(name.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return true;
}

static bool is_printable(arb_str value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] < 0x20 || value.data[i] > 0x7E)
            return false;
    return true;
}

arb_code arb_rpc_metadata_add_unchecked(arb_rpc_metadata *metadata, arb_arena *arena, arb_str name, arb_str value,
                                        arb_error *error)
{
    arb_rpc_pair pair = {arb_str_copy(arena, name), arb_str_copy(arena, value)};
    if (pair.name.data == NULL || pair.value.data == NULL || !ARB_ARENA_PUSH(arena, metadata, pair))
        return arb_fail_memory(error, "metadata of a call", name.size + value.size);
    return ARB_OK;
}

arb_code arb_rpc_metadata_add(arb_rpc_metadata *metadata, arb_arena *arena, arb_str name, arb_str value,
                              arb_error *error)
{
    if (!may_be_named(name))
        return arb_fail(error, ARB_INVALID_PARAMETER, "\"%.*s\" cannot name metadata of a call", ARB_STR_ARGS(name));
    if (!arb_str_ends_with(name, ARB_STR("-bin")) && !is_printable(value))
        return arb_fail(error, ARB_INVALID_PARAMETER, "the value of \"%.*s\" has characters that cannot travel",
                        ARB_STR_ARGS(name));
    ARB_TRY(arb_rpc_metadata_add_unchecked(metadata, arena, name, value, error));
    char *copied = (char *)metadata->data[metadata->size - 1].name.data;
    for (size_t i = 0; i < name.size; i++)
        copied[i] = lower(copied[i]);
    return ARB_OK;
}

arb_str arb_rpc_metadata_find(const arb_rpc_metadata *metadata, arb_str name)
{
    for (size_t i = 0; i < metadata->size; i++)
        if (arb_str_equal(metadata->data[i].name, name))
            return metadata->data[i].value;
    return (arb_str){0};
}

size_t arb_rpc_metadata_size(const arb_rpc_metadata *metadata)
{
    size_t size = 0;
    for (size_t i = 0; i < metadata->size; i++)
        size += metadata->data[i].name.size + metadata->data[i].value.size + 32;
    return size;
}
