/* wire.h: messages in Protocol Buffers' encoding, from and to bytes.
 *
 * proto/ describes the messages; protoc-c makes structs of them when the project is built (NAME.pb-c.h). Bytes from outside
 * are checked against the message's description before they are unpacked: protobuf-c follows nesting as deep as it goes and
 * allocates whatever lengths say. So depth is limited here, lengths must fit, and what unpacking will allocate is known and
 * limited beforehand. Unpacked messages live in an arena and are never freed one by one; their texts and bytes are copies.
 *
 * A single message that comes twice, which Protocol Buffers would merge, is refused.
 *
 * Unknown fields are kept by unpacking, and packed again. */
#ifndef ARB_WIRE_WIRE_H
#define ARB_WIRE_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

enum {
    ARB_WIRE_DEPTH_MOST = 64,
    ARB_WIRE_MEMORY_MOST = 256 << 20, /* bytes that one message may become */
};

/* Is this a message of that kind, as far as structure goes? ARB_CORRUPT_DATA names the field that is not. */
ARB_NODISCARD arb_code arb_wire_check(const ProtobufCMessageDescriptor *kind, const void *data, size_t size,
                                      arb_error *error);
/* Check and unpack. *out_message lives in the arena; cast it to the kind's struct. */
ARB_NODISCARD arb_code arb_wire_unpack(const ProtobufCMessageDescriptor *kind, arb_arena *arena, const void *data,
                                       size_t size, ProtobufCMessage **out_message, arb_error *error);
/* For who fills messages to be packed: initialised ones of a kind, in the arena: one, or the pointers to `count` of them.
 * NULL when memory is short. */
ARB_NODISCARD void *arb_wire_message(arb_arena *arena, const ProtobufCMessageDescriptor *kind);
ARB_NODISCARD void *arb_wire_messages(arb_arena *arena, const ProtobufCMessageDescriptor *kind, size_t count);
/* Both borrow. */
ARB_INLINE ProtobufCBinaryData arb_wire_bytes(arb_str text)
{
    return (ProtobufCBinaryData){text.size, (uint8_t *)(uintptr_t)text.data};
}
ARB_INLINE arb_str arb_wire_text(ProtobufCBinaryData bytes)
{
    return (arb_str){(const char *)bytes.data, bytes.len};
}
/* Append the message's bytes to `out`. */
ARB_NODISCARD arb_code arb_wire_pack(const ProtobufCMessage *message, arb_text *out, arb_error *error);

#endif
