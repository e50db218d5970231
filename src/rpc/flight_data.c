#include "rpc/flight_data.h"

#include "base/alloc.h"

enum { FIELD_DESCRIPTOR = 1, FIELD_HEADER = 2, FIELD_APP_METADATA = 3, FIELD_BODY = 1000 };
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static size_t varint_size(uint64_t value)
{
    return (arb_bit_width(value | 1) + 6) / 7;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static size_t field_size(unsigned field, uint64_t size)
{
    return size == 0 ? 0 : varint_size(field << 3) + varint_size(size);
}

static uint8_t *put_field(uint8_t *at, unsigned field, uint64_t size)
{
    return size == 0 ? at : put_varint(put_varint(at, field << 3 | WIRE_BYTES), size);
}

static uint8_t *put_text(uint8_t *at, unsigned field, arb_str text)
{
    at = put_field(at, field, text.size);
    if (text.size != 0)
        memcpy(at, text.data, text.size);
    return at + text.size;
}

arb_code arb_flight_data_write(const arb_flight_parts *parts, void (*release)(void *), void *context,
                               arb_rpc_message **out_message, arb_error *error)
{
    size_t body = 0;
    for (size_t i = 0; i < parts->body_count; i++)
        body += parts->body[i].size;
    size_t head = field_size(FIELD_DESCRIPTOR, parts->descriptor.size) + parts->descriptor.size +
                  field_size(FIELD_HEADER, parts->header.size) + parts->header.size +
                  field_size(FIELD_APP_METADATA, parts->app_metadata.size) + parts->app_metadata.size +
                  field_size(FIELD_BODY, body);
    uint8_t *own;
    ARB_TRY(arb_rpc_message_create(parts->body_count + 1, head, release, context, out_message, &own, error));
    arb_rpc_message *message = *out_message;
    uint8_t *at = put_text(own, FIELD_DESCRIPTOR, parts->descriptor);
    at = put_text(at, FIELD_HEADER, parts->header);
    at = put_text(at, FIELD_APP_METADATA, parts->app_metadata);
    at = put_field(at, FIELD_BODY, body);
    assert((size_t)(at - own) == head);
    message->slices[0] = (arb_rpc_slice){own, head};
    if (parts->body_count != 0)
        memcpy(message->slices + 1, parts->body, parts->body_count * sizeof *parts->body);
    message->size = head + body;
    return ARB_OK;
}

/* The counts that a message of IPC buffers holds. */
typedef struct counted_buffers {
    size_t count;
    arb_arrow_buffer buffers[];
} counted_buffers;

static void let_go(void *context)
{
    counted_buffers *held = context;
    for (size_t i = 0; i < held->count; i++)
        arb_arrow_buffer_reset(&held->buffers[i]);
    arb_free(held);
}

arb_code arb_flight_data_write_ipc(const arb_ipc_encoded *encoded, arb_str app_metadata, arb_rpc_message **out_message,
                                   arb_error *error)
{
    static const uint8_t zeros[64];
    const arb_ipc_body *body = encoded->body;
    size_t count = body != NULL ? body->buffers.size : 0, pieces = 0;
    *out_message = NULL;
    counted_buffers *held = arb_alloc_zeroed(sizeof *held + count * sizeof *held->buffers);
    arb_rpc_slice *slices = arb_alloc(2 * count * sizeof *slices);
    arb_code code = ARB_OK;
    if (held == NULL || slices == NULL)
        code = arb_fail_memory(error, "a batch to be sent", 2 * count * sizeof *slices);
    for (size_t i = 0; code == ARB_OK && i < count; i++) {
        const arb_arrow_buffer *buffer = &body->buffers.data[i];
        size_t padding = arb_round_up(buffer->size, body->alignment) - buffer->size;
        held->buffers[held->count++] = arb_arrow_buffer_ref(buffer);
        if (buffer->size != 0)
            slices[pieces++] = (arb_rpc_slice){buffer->data, buffer->size};
        if (padding != 0)
            slices[pieces++] = (arb_rpc_slice){zeros, padding};
    }
    const arb_flight_parts parts = {
        .header = encoded->metadata, .app_metadata = app_metadata, .body = slices, .body_count = pieces};
    if (code == ARB_OK)
        code = arb_flight_data_write(&parts, let_go, held, out_message, error);
    if (code != ARB_OK && held != NULL)
        let_go(held);
    arb_free(slices);
    return code;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* A place in a message's pieces. */
typedef struct cursor {
    const arb_rpc_message *message;
    size_t slice, at; /* at < size of the slice, or slice == slice_count */
    size_t left;      /* bytes up to the end */
    arb_error *error;
} cursor;

static void settle(cursor *c)
{
    while (c->slice < c->message->slice_count && c->at == c->message->slices[c->slice].size)
        c->slice++, c->at = 0;
}

static arb_code damaged(const cursor *c, const char *what)
{
    return arb_fail(c->error, ARB_CORRUPT_DATA, "a FlightData message is damaged: %s", what);
}

static arb_code read_varint(cursor *c, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->left == 0)
            return damaged(c, "it ends within a number");
        uint8_t byte = c->message->slices[c->slice].data[c->at++];
        c->left--;
        settle(c);
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return ARB_OK;
    }
    return damaged(c, "a number does not end");
}

/* Pass over `size` bytes, at most what is left, copying them to `to` unless it is NULL. */
static void pass(cursor *c, size_t size, uint8_t *to)
{
    c->left -= size;
    while (size > 0) {
        const arb_rpc_slice *slice = &c->message->slices[c->slice];
        size_t part = ARB_MIN(size, slice->size - c->at);
        if (to != NULL) {
            memcpy(to, slice->data + c->at, part);
            to += part;
        }
        c->at += part;
        size -= part;
        settle(c);
    }
}

/* The next `size` bytes where they lie, or NULL when they lie in several pieces. */
static const uint8_t *in_one_piece(const cursor *c, size_t size)
{
    const arb_rpc_slice *slice = &c->message->slices[c->slice];
    return c->slice < c->message->slice_count && slice->size - c->at >= size ? slice->data + c->at : NULL;
}

static arb_code read_text(cursor *c, size_t size, arb_arena *arena, arb_str *out)
{
    const uint8_t *view = in_one_piece(c, size);
    if (view != NULL || size == 0) {
        *out = (arb_str){view != NULL ? (const char *)view : "", size};
        pass(c, size, NULL);
        return ARB_OK;
    }
    char *copy = arb_arena_alloc(arena, size);
    if (copy == NULL)
        return arb_fail_memory(c->error, "a message's metadata", size);
    pass(c, size, (uint8_t *)copy);
    *out = (arb_str){copy, size};
    return ARB_OK;
}

/* A body that stays in its message. */
typedef struct message_memory {
    arb_arrow_memory base;
    arb_rpc_message *message;
} message_memory;

static void release_message(arb_arrow_memory *memory)
{
    message_memory *m = (message_memory *)memory;
    arb_rpc_message_unref(m->message);
    arb_free(m);
}

static arb_code read_body(cursor *c, size_t size, arb_rpc_message *message, arb_arrow_buffer *out)
{
    const uint8_t *view = in_one_piece(c, size);
    arb_arrow_buffer_reset(out);
    if (size == 0)
        return ARB_OK;
    if (view == NULL || (uintptr_t)view % 8 != 0) {
        uint8_t *copy;
        ARB_TRY(arb_arrow_buffer_create(size, out, &copy, c->error));
        pass(c, size, copy);
        return ARB_OK;
    }
    message_memory *memory = arb_alloc(sizeof *memory);
    if (memory == NULL)
        return arb_fail_memory(c->error, "a message's body", sizeof *memory);
    arb_arrow_memory_init(&memory->base, release_message);
    memory->message = arb_rpc_message_ref(message);
    *out = (arb_arrow_buffer){.data = view, .size = size, .memory = &memory->base};
    pass(c, size, NULL);
    return ARB_OK;
}

static arb_code skip(cursor *c, unsigned wire)
{
    uint64_t size = wire == WIRE_FIXED64 ? 8 : 4;
    if (wire == WIRE_VARINT)
        return read_varint(c, &size);
    if (wire == WIRE_BYTES)
        ARB_TRY(read_varint(c, &size));
    else if (wire != WIRE_FIXED64 && wire != WIRE_FIXED32)
        return damaged(c, "a field is of a kind that is not used any more");
    if (size > c->left)
        return damaged(c, "a field is longer than the message");
    pass(c, size, NULL);
    return ARB_OK;
}

static arb_code read_field(cursor *c, arb_rpc_message *message, arb_flight_data *data)
{
    uint64_t tag, size;
    ARB_TRY(read_varint(c, &tag));
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
        return damaged(c, "a field has no number");
    unsigned field = (unsigned)(tag >> 3), wire = tag & 7;
    bool known = field <= FIELD_APP_METADATA || field == FIELD_BODY;
    if (!known)
        return skip(c, wire);
    if (wire != WIRE_BYTES)
        return damaged(c, "a field is of another type");
    ARB_TRY(read_varint(c, &size));
    if (size > c->left)
        return damaged(c, "a field is longer than the message");
    if (field == FIELD_BODY)
        return read_body(c, size, message, &data->body);
    return read_text(c, size, &data->arena,
                     field == FIELD_DESCRIPTOR ? &data->descriptor
                     : field == FIELD_HEADER   ? &data->header
                                               : &data->app_metadata);
}

arb_code arb_flight_data_read(arb_rpc_message *message, arb_flight_data *out_data, arb_error *error)
{
    cursor c = {.message = message, .left = message->size, .error = error};
    arb_code code = ARB_OK;
    *out_data = (arb_flight_data){.message = arb_rpc_message_ref(message)};
    settle(&c);
    while (c.left > 0 && code == ARB_OK)
        code = read_field(&c, message, out_data);
    if (code != ARB_OK)
        arb_flight_data_reset(out_data);
    return code;
}

void arb_flight_data_reset(arb_flight_data *data)
{
    arb_arrow_buffer_reset(&data->body);
    arb_rpc_message_unref(data->message);
    arb_arena_reset(&data->arena);
    *data = (arb_flight_data){0};
}
