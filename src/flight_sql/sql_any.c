/* sql_any.c: the protocol's messages, each in an Any that names it. */
#include "flight_sql/sql_service_internal.h"
#include "proto/flight_sql.pb-c.h"

#define TYPE_PREFIX "type.googleapis.com/"

static const ProtobufCMessageDescriptor *const kinds[] = {
#define X(name, symbol) &arrow__flight__protocol__sql__##symbol##__descriptor,
    ARB_SQL_MESSAGES(X)
#undef X
};

/* Whatever stands before the last slash: a type's full name follows it. */
static arb_str type_name(arb_str url)
{
    for (size_t i = url.size; i > 0; i--)
        if (url.data[i - 1] == '/')
            return (arb_str){url.data + i, url.size - i};
    return url;
}

arb_code arb_any_read(arb_str bytes, arb_arena *arena, arb_sql_message *out_message, arb_error *error)
{
    ProtobufCMessage *unpacked;
    arb_code code = arb_wire_unpack(&arrow__flight__protocol__sql__any__descriptor, arena, bytes.data, bytes.size,
                                    &unpacked, error);
    const Arrow__Flight__Protocol__Sql__Any *any = (const Arrow__Flight__Protocol__Sql__Any *)unpacked;
    if (code == ARB_OUT_OF_MEMORY)
        return code;
    if (code != ARB_OK || any->type_url == NULL) {
        arb_error_clear(error);
        return arb_fail(error, ARB_INVALID_PARAMETER, "this is no command of Flight SQL");
    }
    arb_str name = type_name(arb_str_of(any->type_url));
    for (size_t i = 0; i < ARB_COUNT_OF(kinds); i++) {
        if (!arb_str_equal(name, arb_str_of(kinds[i]->name)))
            continue;
        out_message->kind = (arb_sql_message_kind)i;
        arb_str value = arb_wire_text(any->value);
        code = arb_wire_unpack(kinds[i], arena, value.data, value.size, &unpacked, error);
        out_message->message = unpacked;
        if (code == ARB_OK || code == ARB_OUT_OF_MEMORY)
            return code;
        arb_error_clear(error);
        return arb_fail(error, ARB_INVALID_PARAMETER, "a %s cannot be read", kinds[i]->short_name);
    }
    return arb_fail(error, ARB_NOT_SUPPORTED, "\"%.*s\" is not offered here", (int)ARB_MIN(name.size, (size_t)200),
                    name.data);
}

arb_code arb_any_write(const ProtobufCMessage *message, arb_text *out, arb_error *error)
{
    arb_text value = {0}, url = {0};
    arb_text_printf(&url, TYPE_PREFIX "%s", message->descriptor->name);
    arb_code code = arb_text_check(&url, error);
    if (code == ARB_OK)
        code = arb_wire_pack(message, &value, error);
    if (code == ARB_OK) {
        Arrow__Flight__Protocol__Sql__Any any = ARROW__FLIGHT__PROTOCOL__SQL__ANY__INIT;
        any.type_url = url.data;
        any.has_value = true;
        any.value = arb_wire_bytes(arb_text_view(&value));
        code = arb_wire_pack(&any.base, out, error);
    }
    arb_text_reset(&value);
    arb_text_reset(&url);
    return code;
}
