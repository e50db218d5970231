#include "wire/wire.h"

/* ---- checking ----------------------------------------------------------------------------------------------------------- */

enum {
    a_field = 96,   /* bytes that unpacking takes for any field, about */
    short_most = 5, /* bytes of a tag or a length; protobuf-c takes no longer ones */
};
enum { WIRE_VARINT, WIRE_FIXED64, WIRE_BYTES, WIRE_GROUP, WIRE_GROUP_END, WIRE_FIXED32 };

typedef struct checker {
    uint64_t memory; /* that unpacking will take, about */
    arb_error *error;
} checker;

static arb_code damaged(const checker *c, const ProtobufCMessageDescriptor *kind, uint32_t field, const char *what)
{
    return arb_fail(c->error, ARB_CORRUPT_DATA, "field %u of %s %s", field, kind->name, what);
}

static arb_code take_memory(checker *c, const ProtobufCMessageDescriptor *kind, uint64_t bytes)
{
    c->memory += bytes;
    if (c->memory > ARB_WIRE_MEMORY_MOST)
        return arb_fail(c->error, ARB_LIMIT_EXCEEDED, "%s is too large to be unpacked", kind->name);
    return ARB_OK;
}

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* The same for tags and lengths. */
static bool read_short(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    const uint8_t *begin = *at;
    return read_varint(at, end, out) && *at - begin <= short_most;
}

/* The wire type that a single value of the field has. */
static unsigned wire_type_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_FIXED32;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_FIXED64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    default:
        return WIRE_VARINT;
    }
}

static arb_code check_message(checker *c, const ProtobufCMessageDescriptor *kind, const uint8_t *at, const uint8_t *end,
                              unsigned depth);

static arb_code check_packed(checker *c, const ProtobufCMessageDescriptor *kind, const ProtobufCFieldDescriptor *field,
                             const uint8_t *at, const uint8_t *end)
{
    unsigned wire = wire_type_of(field);
    size_t size = (size_t)(end - at), width = wire == WIRE_FIXED32 ? 4 : 8;
    if (wire == WIRE_VARINT) {
        uint64_t unused, count = 0;
        for (; at < end; count++)
            if (!read_varint(&at, end, &unused))
                return damaged(c, kind, field->id, "holds a number that does not end");
        return take_memory(c, kind, count * 8);
    }
    if (size % width != 0)
        return damaged(c, kind, field->id, "holds a part of a number");
    return take_memory(c, kind, size);
}

static arb_code check_bytes(checker *c, const ProtobufCMessageDescriptor *kind, const ProtobufCFieldDescriptor *field,
                            const uint8_t *at, const uint8_t *end, unsigned depth)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (wire_type_of(field) != WIRE_BYTES) /* numbers, packed */
        return repeated ? check_packed(c, kind, field, at, end)
                        : damaged(c, kind, field->id, "has a length where it is a number");
    ARB_TRY(take_memory(c, kind, (uint64_t)(end - at) + sizeof(ProtobufCBinaryData) + 1));
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return ARB_OK;
    if (depth == ARB_WIRE_DEPTH_MOST)
        return damaged(c, kind, field->id, "is nested too deeply");
    return check_message(c, field->descriptor, at, end, depth + 1);
}

/* A single message that came before is merged with the next by protobuf-c, whose lists are then copied each time: what that
 * takes grows with the square. Nobody sends such, so it is refused. */
static bool comes_once(const ProtobufCMessageDescriptor *kind, const ProtobufCFieldDescriptor *field, uint64_t *seen)
{
    if (field == NULL || field->label == PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    size_t place = (size_t)(field - kind->fields);
    assert(place < 64);
    bool first = (*seen >> place & 1) == 0;
    *seen |= UINT64_C(1) << place;
    return first;
}

static arb_code check_message(checker *c, const ProtobufCMessageDescriptor *kind, const uint8_t *at, const uint8_t *end,
                              unsigned depth)
{
    uint64_t seen = 0; /* single messages, by the place of their field */
    ARB_TRY(take_memory(c, kind, kind->sizeof_message));
    while (at < end) {
        uint64_t tag, value;
        if (!read_short(&at, end, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
            return damaged(c, kind, 0, "is none: its number is damaged");
        uint32_t number = (uint32_t)(tag >> 3);
        unsigned wire = tag & 7;
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(kind, number);
        ARB_TRY(take_memory(c, kind, a_field)); /* also for fields that are unknown, which are kept */
        if (wire == WIRE_VARINT) {
            if (!read_varint(&at, end, &value))
                return damaged(c, kind, number, "is a number that does not end");
        } else if (wire == WIRE_FIXED64 || wire == WIRE_FIXED32) {
            size_t width = wire == WIRE_FIXED32 ? 4 : 8;
            if ((size_t)(end - at) < width)
                return damaged(c, kind, number, "is cut off");
            at += width;
        } else if (wire == WIRE_BYTES) {
            if (!read_short(&at, end, &value) || value > (uint64_t)(end - at))
                return damaged(c, kind, number, "is longer than the message");
            if (!comes_once(kind, field, &seen))
                return damaged(c, kind, number, "comes twice");
            if (field != NULL)
                ARB_TRY(check_bytes(c, kind, field, at, at + value, depth));
            else
                ARB_TRY(take_memory(c, kind, value));
            at += value;
        } else {
            return damaged(c, kind, number, "is of a kind that is not used any more");
        }
        if (field != NULL && wire != WIRE_BYTES && wire != wire_type_of(field))
            return damaged(c, kind, number, "is encoded as another type");
    }
    return ARB_OK;
}

arb_code arb_wire_check(const ProtobufCMessageDescriptor *kind, const void *data, size_t size, arb_error *error)
{
    checker c = {.error = error};
    const uint8_t *bytes = size != 0 ? data : (const uint8_t *)""; /* no bytes are a message, wherever they are not */
    return check_message(&c, kind, bytes, bytes + size, 0);
}

/* ---- unpacking, packing ------------------------------------------------------------------------------------------------- */

static void *allocate(void *arena, size_t size)
{
    return arb_arena_alloc(arena, size);
}

static void keep(void *arena, void *memory)
{
    (void)arena, (void)memory;
}

arb_code arb_wire_unpack(const ProtobufCMessageDescriptor *kind, arb_arena *arena, const void *data, size_t size,
                         ProtobufCMessage **out_message, arb_error *error)
{
    *out_message = NULL;
    ARB_TRY(arb_wire_check(kind, data, size, error));
    ProtobufCAllocator allocator = {.alloc = allocate, .free = keep, .allocator_data = arena};
    *out_message = protobuf_c_message_unpack(kind, &allocator, size, data);
    /* After the check only memory, required fields and text that is no UTF-8 are left; the first is the likely one. */
    return *out_message != NULL ? ARB_OK : arb_fail_memory(error, kind->name, size);
}

void *arb_wire_message(arb_arena *arena, const ProtobufCMessageDescriptor *kind)
{
    ProtobufCMessage *message = arb_arena_alloc_zeroed(arena, kind->sizeof_message);
    if (message != NULL)
        protobuf_c_message_init(kind, message);
    return message;
}

void *arb_wire_messages(arb_arena *arena, const ProtobufCMessageDescriptor *kind, size_t count)
{
    ProtobufCMessage **list = ARB_ARENA_ARRAY(arena, ProtobufCMessage *, count + 1);
    for (size_t i = 0; list != NULL && i < count; i++)
        if ((list[i] = arb_wire_message(arena, kind)) == NULL)
            return NULL;
    return list;
}

arb_code arb_wire_pack(const ProtobufCMessage *message, arb_text *out, arb_error *error)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    char *room = arb_text_room(out, size);
    if (room != NULL)
        arb_text_added(out, protobuf_c_message_pack(message, (uint8_t *)room));
    return arb_text_check(out, error);
}
