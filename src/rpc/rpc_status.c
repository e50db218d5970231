#include "rpc/rpc_status.h"

#include "base/arena.h"
#include "proto/status.pb-c.h"
#include "wire/wire.h"

static const char fields_url[] = "type.googleapis.com/arbalest.ErrorFields";

arb_code arb_rpc_code_of_status(int status)
{
    static const arb_code codes[] = {
        ARB_OK,                  /* OK */
        ARB_CANCELLED,           /* CANCELLED */
        ARB_INTERNAL,            /* UNKNOWN */
        ARB_INVALID_PARAMETER,   /* INVALID_ARGUMENT */
        ARB_DEADLINE_EXCEEDED,   /* DEADLINE_EXCEEDED */
        ARB_UNDEFINED_OBJECT,    /* NOT_FOUND */
        ARB_DUPLICATE_OBJECT,    /* ALREADY_EXISTS */
        ARB_ACCESS_DENIED,       /* PERMISSION_DENIED */
        ARB_RESOURCES_EXHAUSTED, /* RESOURCE_EXHAUSTED */
        ARB_NOT_READY,           /* FAILED_PRECONDITION */
        ARB_CONFLICT,            /* ABORTED */
        ARB_OUT_OF_RANGE,        /* OUT_OF_RANGE */
        ARB_NOT_SUPPORTED,       /* UNIMPLEMENTED */
        ARB_INTERNAL,            /* INTERNAL */
        ARB_CONNECTION_FAILED,   /* UNAVAILABLE */
        ARB_CORRUPT_DATA,        /* DATA_LOSS */
        ARB_NOT_AUTHENTICATED,   /* UNAUTHENTICATED */
    };
    return status >= 0 && (size_t)status < ARB_COUNT_OF(codes) ? codes[status] : ARB_INTERNAL;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

arb_code arb_rpc_details_write(const arb_error *error_to_send, arb_text *out, arb_error *error)
{
    Arbalest__ErrorFields fields = ARBALEST__ERROR_FIELDS__INIT;
    Arbalest__Any any = ARBALEST__ANY__INIT;
    Arbalest__Any *details[] = {&any};
    Arbalest__Status status = ARBALEST__STATUS__INIT;
    fields.sqlstate = (char *)arb_code_sqlstate(error_to_send->code);
    fields.detail = bytes_of(error_to_send->detail);
    fields.hint = bytes_of(error_to_send->hint);
    fields.origin = bytes_of(error_to_send->origin);
    fields.position = error_to_send->position;
    arb_text packed = {0};
    arb_code code = arb_wire_pack(&fields.base, &packed, error);
    if (code == ARB_OK) {
        any.type_url = (char *)fields_url;
        any.value = (ProtobufCBinaryData){packed.size, (uint8_t *)packed.data};
        status.code = arb_code_grpc_status(error_to_send->code);
        status.message = (char *)error_to_send->message;
        status.details = details;
        status.n_details = 1;
        code = arb_wire_pack(&status.base, out, error);
    }
    arb_text_reset(&packed);
    return code;
}

static arb_str text_of(ProtobufCBinaryData from)
{
    return (arb_str){from.len != 0 ? (const char *)from.data : "", from.len};
}

static bool read_fields(int status, const char *text, const Arbalest__Any *any, arb_arena *arena, arb_error *out_error)
{
    ProtobufCMessage *message;
    if (strcmp(any->type_url, fields_url) != 0 ||
        arb_wire_unpack(&arbalest__error_fields__descriptor, arena, any->value.data, any->value.len, &message, NULL) !=
            ARB_OK)
        return false;
    const Arbalest__ErrorFields *fields = (const Arbalest__ErrorFields *)message;
    arb_code code = arb_code_of_sqlstate(fields->sqlstate, strlen(fields->sqlstate));
    if (code == ARB_OK || arb_code_grpc_status(code) != status)
        return false;
    (void)arb_fail(out_error, code, "%s", text);
    (void)arb_error_at(out_error, code, fields->position);
    arb_error_detail(out_error, "%.*s", ARB_STR_ARGS(text_of(fields->detail)));
    arb_error_hint(out_error, "%.*s", ARB_STR_ARGS(text_of(fields->hint)));
    arb_error_origin(out_error, "%.*s", ARB_STR_ARGS(text_of(fields->origin)));
    return true;
}

static bool read_details(int status, arb_str details, arb_error *out_error)
{
    arb_arena arena = {.limit = 64 << 10};
    ProtobufCMessage *message;
    bool ours = false;
    if (arb_wire_unpack(&arbalest__status__descriptor, &arena, details.data, details.size, &message, NULL) == ARB_OK) {
        const Arbalest__Status *read = (const Arbalest__Status *)message;
        for (size_t i = 0; i < read->n_details && !ours; i++) /* its text: gRPC's own may have been cut or escaped */
            ours = read_fields(status, read->message, read->details[i], &arena, out_error);
    }
    arb_arena_reset(&arena);
    return ours;
}

arb_code arb_rpc_error_read(int status, arb_str message, arb_str details, arb_error *out_error)
{
    arb_error_clear(out_error);
    if (status == 0)
        return ARB_OK;
    if (details.size != 0 && read_details(status, details, out_error))
        return out_error->code;
    return arb_fail(out_error, arb_rpc_code_of_status(status), "%.*s", ARB_STR_ARGS(message));
}
