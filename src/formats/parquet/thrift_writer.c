#include "formats/parquet/thrift_writer.h"

void arb_varint_append(arb_text *out, uint64_t value)
{
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (char)(value | 0x80);
    bytes[size++] = (char)value;
    arb_text_append(out, bytes, size);
}

/* The number as a difference to the one before where that fits four bits, which it nearly always does. */
static void field(arb_thrift_writer *writer, int32_t id, arb_thrift_type type)
{
    int32_t step = id - writer->last;
    assert(step > 0);
    if (step <= 15) {
        arb_text_append_char(writer->out, (char)(step << 4 | (int)type));
    } else {
        arb_text_append_char(writer->out, (char)type);
        arb_varint_append(writer->out, arb_zigzag(id));
    }
    writer->last = id;
}

void arb_thrift_put_integer(arb_thrift_writer *writer, int32_t id, arb_thrift_type type, int64_t value)
{
    field(writer, id, type);
    if (type == ARB_THRIFT_I8)
        arb_text_append_char(writer->out, (char)value);
    else
        arb_varint_append(writer->out, arb_zigzag(value));
}

void arb_thrift_put_bool(arb_thrift_writer *writer, int32_t id, bool value)
{
    field(writer, id, value ? ARB_THRIFT_TRUE : ARB_THRIFT_FALSE);
}

void arb_thrift_put_binary(arb_thrift_writer *writer, int32_t id, arb_str value)
{
    field(writer, id, ARB_THRIFT_BINARY);
    arb_thrift_item_binary(writer->out, value);
}

arb_thrift_writer arb_thrift_put_struct(arb_thrift_writer *writer, int32_t id)
{
    field(writer, id, ARB_THRIFT_STRUCT);
    return arb_thrift_writer_to(writer->out);
}

void arb_thrift_put_empty(arb_thrift_writer *writer, int32_t id)
{
    arb_thrift_writer inner = arb_thrift_put_struct(writer, id);
    arb_thrift_end(&inner);
}

void arb_thrift_put_made(arb_thrift_writer *writer, int32_t id, arb_str bytes)
{
    field(writer, id, ARB_THRIFT_STRUCT);
    arb_text_append_str(writer->out, bytes);
}

void arb_thrift_put_list(arb_thrift_writer *writer, int32_t id, arb_thrift_type type, size_t count)
{
    field(writer, id, ARB_THRIFT_LIST);
    if (count < 15) {
        arb_text_append_char(writer->out, (char)(count << 4 | type));
    } else {
        arb_text_append_char(writer->out, (char)(0xF0 | type));
        arb_varint_append(writer->out, count);
    }
}

void arb_thrift_item_integer(arb_text *out, int64_t value)
{
    arb_varint_append(out, arb_zigzag(value));
}

void arb_thrift_item_bool(arb_text *out, bool value)
{
    arb_text_append_char(out, value ? ARB_THRIFT_TRUE : ARB_THRIFT_FALSE);
}

void arb_thrift_item_binary(arb_text *out, arb_str value)
{
    arb_varint_append(out, value.size);
    arb_text_append_str(out, value);
}

void arb_thrift_end(const arb_thrift_writer *writer)
{
    arb_text_append_char(writer->out, ARB_THRIFT_STOP);
}
