#include "flight_sql/sql_handle.h"

#include <openssl/rand.h>

#include "proto/sql_handle.pb-c.h"
#include "wire/wire.h"

arb_code arb_sql_id_make(arb_sql_id *out_id, arb_error *error)
{
    if (RAND_bytes(out_id->bytes, sizeof out_id->bytes) != 1)
        return arb_fail(error, ARB_INTERNAL, "no random bytes could be had for a name");
    return ARB_OK;
}

/* ---- sealing ------------------------------------------------------------------------------------------------------------- */

static arb_code seal(const arb_sql_sealer *sealer, arb_str user, Arbalest__Sql__Handle *handle, arb_text *out,
                     arb_error *error)
{
    arb_text packed = {0};
    arb_arena arena = {0};
    handle->has_cluster_high = handle->has_cluster_low = true;
    handle->cluster_high = sealer->cluster.high;
    handle->cluster_low = sealer->cluster.low;
    handle->user = (char *)(uintptr_t)arb_str_copy(&arena, user).data; /* packing only reads it */
    arb_code code = handle->user == NULL ? arb_fail_memory(error, "a handle", user.size)
                                         : arb_wire_pack(&handle->base, &packed, error);
    if (code == ARB_OK)
        code = arb_bytes_seal(sealer->key, arb_text_view(&packed), out, error);
    arb_text_reset(&packed);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_sql_seal_job(const arb_sql_sealer *sealer, arb_str user, arb_sql_id job, arb_text *out, arb_error *error)
{
    Arbalest__Sql__Handle handle = ARBALEST__SQL__HANDLE__INIT;
    handle.has_job = true;
    handle.job = (ProtobufCBinaryData){sizeof job.bytes, job.bytes};
    return seal(sealer, user, &handle, out, error);
}

arb_code arb_sql_seal_session(const arb_sql_sealer *sealer, arb_str user, arb_sql_id session, arb_text *out,
                              arb_error *error)
{
    Arbalest__Sql__Handle handle = ARBALEST__SQL__HANDLE__INIT;
    arb_text sealed = {0};
    handle.has_session = true;
    handle.session = (ProtobufCBinaryData){sizeof session.bytes, session.bytes};
    arb_code code = seal(sealer, user, &handle, &sealed, error);
    for (size_t i = 0; code == ARB_OK && i < sealed.size; i++)
        arb_text_printf(out, "%02x", (uint8_t)sealed.data[i]);
    arb_text_reset(&sealed);
    return code == ARB_OK ? arb_text_check(out, error) : code;
}

arb_code arb_sql_seal_prepared(const arb_sql_sealer *sealer, arb_str user, Arbalest__Sql__PreparedStatement *prepared,
                               arb_text *out, arb_error *error)
{
    Arbalest__Sql__Handle handle = ARBALEST__SQL__HANDLE__INIT;
    handle.prepared = prepared;
    return seal(sealer, user, &handle, out, error);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

static arb_code refused(arb_error *error)
{
    (void)arb_fail(error, ARB_ACCESS_DENIED, "the handle is not valid here");
    arb_error_hint(error, "Handles belong to their user and end with the server that gave them. Ask for a new one.");
    return ARB_ACCESS_DENIED;
}

static arb_code unseal(const arb_sql_sealer *sealer, arb_str user, arb_str bytes, arb_arena *arena,
                       const Arbalest__Sql__Handle **out_handle, arb_error *error)
{
    bool ours;
    arb_str body;
    ProtobufCMessage *message;
    ARB_TRY(arb_bytes_unseal(sealer->key, bytes, arena, &ours, &body, error));
    if (!ours)
        return refused(error);
    ARB_TRY(arb_wire_unpack(&arbalest__sql__handle__descriptor, arena, body.data, body.size, &message, error));
    const Arbalest__Sql__Handle *handle = (const Arbalest__Sql__Handle *)message;
    if (handle->cluster_high != sealer->cluster.high || handle->cluster_low != sealer->cluster.low ||
        handle->user == NULL || !arb_str_equal(arb_str_of(handle->user), user))
        return refused(error);
    *out_handle = handle;
    return ARB_OK;
}

static arb_code read_id(bool there, ProtobufCBinaryData bytes, arb_sql_id *out_id, arb_error *error)
{
    if (!there || bytes.len != sizeof out_id->bytes)
        return refused(error);
    memcpy(out_id->bytes, bytes.data, sizeof out_id->bytes);
    return ARB_OK;
}

arb_code arb_sql_open_job(const arb_sql_sealer *sealer, arb_str user, arb_str bytes, arb_sql_id *out_job,
                          arb_error *error)
{
    arb_arena arena = {0};
    const Arbalest__Sql__Handle *handle;
    arb_code code = unseal(sealer, user, bytes, &arena, &handle, error);
    if (code == ARB_OK)
        code = read_id(handle->has_job, handle->job, out_job, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_sql_open_session(const arb_sql_sealer *sealer, arb_str user, arb_str hex, arb_sql_id *out_session,
                              arb_error *error)
{
    arb_arena arena = {0};
    const Arbalest__Sql__Handle *handle;
    char *bytes = arb_arena_alloc(&arena, hex.size / 2 + 1);
    arb_code code = bytes == NULL ? arb_fail_memory(error, "a cookie", hex.size) : ARB_OK;
    for (size_t i = 0; code == ARB_OK && i + 1 < hex.size; i += 2) {
        int high = arb_hex_digit(hex.data[i]), low = arb_hex_digit(hex.data[i + 1]);
        if (high < 0 || low < 0)
            code = refused(error);
        else
            bytes[i / 2] = (char)(high << 4 | low);
    }
    if (code == ARB_OK)
        code = unseal(sealer, user, (arb_str){bytes, hex.size / 2}, &arena, &handle, error);
    if (code == ARB_OK)
        code = read_id(handle->has_session, handle->session, out_session, error);
    arb_arena_reset(&arena);
    return code;
}

arb_code arb_sql_open_prepared(const arb_sql_sealer *sealer, arb_str user, arb_str bytes, arb_arena *arena,
                               const Arbalest__Sql__PreparedStatement **out_prepared, arb_error *error)
{
    const Arbalest__Sql__Handle *handle;
    ARB_TRY(unseal(sealer, user, bytes, arena, &handle, error));
    if (handle->prepared == NULL || handle->prepared->query == NULL)
        return refused(error);
    *out_prepared = handle->prepared;
    return ARB_OK;
}
