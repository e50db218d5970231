#include "formats/parquet/thrift_reader.h"

enum { MAX_SKIP_DEPTH = 32 };

void arb_thrift_fail(arb_thrift_reader *reader)
{
    reader->failed = true;
    reader->at = reader->end;
}

static uint8_t next_byte(arb_thrift_reader *reader)
{
    if (reader->at == reader->end) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t varint(arb_thrift_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = next_byte(reader);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    arb_thrift_fail(reader);
    return 0;
}

static int64_t zigzag(arb_thrift_reader *reader)
{
    uint64_t value = varint(reader);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

bool arb_thrift_next_field(arb_thrift_reader *reader, arb_thrift_field *field)
{
    uint8_t head = next_byte(reader);
    field->type = head & 15;
    if (reader->failed || field->type == ARB_THRIFT_STOP)
        return false;
    if (field->type > ARB_THRIFT_STRUCT) {
        arb_thrift_fail(reader);
        return false;
    }
    int64_t id = head >> 4 != 0 ? (int64_t)field->id + (head >> 4) : zigzag(reader);
    if (id < INT16_MIN || id > INT16_MAX)
        arb_thrift_fail(reader);
    field->id = (int32_t)id;
    return !reader->failed;
}

int64_t arb_thrift_integer(arb_thrift_reader *reader, uint8_t type)
{
    switch (type) {
    case ARB_THRIFT_I8:
        return (int8_t)next_byte(reader);
    case ARB_THRIFT_I16:
    case ARB_THRIFT_I32:
    case ARB_THRIFT_I64:
        return zigzag(reader);
    default:
        arb_thrift_fail(reader);
        return 0;
    }
}

bool arb_thrift_bool(arb_thrift_reader *reader, uint8_t type)
{
    if (type != ARB_THRIFT_TRUE && type != ARB_THRIFT_FALSE)
        arb_thrift_fail(reader);
    return type == ARB_THRIFT_TRUE;
}

bool arb_thrift_list_bool(arb_thrift_reader *reader)
{
    return next_byte(reader) == ARB_THRIFT_TRUE;
}

arb_str arb_thrift_binary(arb_thrift_reader *reader, uint8_t type)
{
    uint64_t size = varint(reader);
    if (type != ARB_THRIFT_BINARY || size > (uint64_t)(reader->end - reader->at)) {
        arb_thrift_fail(reader);
        return (arb_str){"", 0};
    }
    arb_str text = {(const char *)reader->at, (size_t)size};
    reader->at += size;
    return text;
}

bool arb_thrift_struct(arb_thrift_reader *reader, uint8_t type)
{
    if (type != ARB_THRIFT_STRUCT)
        arb_thrift_fail(reader);
    return !reader->failed;
}

uint32_t arb_thrift_list(arb_thrift_reader *reader, uint8_t type, uint8_t *out_element_type)
{
    *out_element_type = ARB_THRIFT_STOP;
    if (type != ARB_THRIFT_LIST && type != ARB_THRIFT_SET) {
        arb_thrift_fail(reader);
        return 0;
    }
    uint8_t head = next_byte(reader);
    uint64_t count = head >> 4 == 15 ? varint(reader) : head >> 4;
    *out_element_type = head & 15;
    if (count > (uint64_t)(reader->end - reader->at) || count > UINT32_MAX ||
        (count != 0 && (*out_element_type == ARB_THRIFT_STOP || *out_element_type > ARB_THRIFT_STRUCT))) {
        arb_thrift_fail(reader);
        return 0;
    }
    return (uint32_t)count;
}

static void skip_element(arb_thrift_reader *reader, uint8_t type)
{
    if (type == ARB_THRIFT_TRUE || type == ARB_THRIFT_FALSE)
        next_byte(reader);
    else
        arb_thrift_skip(reader, type);
}

void arb_thrift_skip(arb_thrift_reader *reader, uint8_t type)
{
    if (reader->failed || reader->depth >= MAX_SKIP_DEPTH) {
        arb_thrift_fail(reader);
        return;
    }
    reader->depth++;
    switch (type) {
    case ARB_THRIFT_TRUE:
    case ARB_THRIFT_FALSE:
        break;
    case ARB_THRIFT_I8:
    case ARB_THRIFT_I16:
    case ARB_THRIFT_I32:
    case ARB_THRIFT_I64:
        arb_thrift_integer(reader, type);
        break;
    case ARB_THRIFT_DOUBLE:
        if (reader->end - reader->at < 8)
            arb_thrift_fail(reader);
        else
            reader->at += 8;
        break;
    case ARB_THRIFT_BINARY:
        arb_thrift_binary(reader, type);
        break;
    case ARB_THRIFT_LIST:
    case ARB_THRIFT_SET: {
        uint8_t element;
        uint32_t count = arb_thrift_list(reader, type, &element);
        for (uint32_t i = 0; i < count && !reader->failed; i++)
            skip_element(reader, element);
        break;
    }
    case ARB_THRIFT_MAP: {
        uint64_t count = varint(reader);
        uint8_t types = count == 0 ? 0 : next_byte(reader);
        for (uint64_t i = 0; i < count && !reader->failed; i++) {
            skip_element(reader, types >> 4);
            skip_element(reader, types & 15);
            if (reader->at == reader->end)
                arb_thrift_fail(reader); /* a struct around the map must still end */
        }
        break;
    }
    case ARB_THRIFT_STRUCT: {
        arb_thrift_field field = {0};
        while (arb_thrift_next_field(reader, &field))
            arb_thrift_skip(reader, field.type);
        break;
    }
    default:
        arb_thrift_fail(reader);
    }
    reader->depth--;
}
