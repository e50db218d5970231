/* thrift_writer.h: Thrift's compact protocol, written: the other direction of thrift_reader.h.
 *
 * One arb_thrift_writer stands for one struct: fields are put in the order of their numbers, then arb_thrift_end. All
 * bytes go to a text of the owner, which keeps a failure to grow until it is asked for. */
#ifndef ARB_FORMATS_PARQUET_THRIFT_WRITER_H
#define ARB_FORMATS_PARQUET_THRIFT_WRITER_H

#include "formats/parquet/thrift_reader.h"

typedef struct arb_thrift_writer {
    arb_text *out;
    int32_t last; /* number of the field before */
} arb_thrift_writer;

ARB_INLINE arb_thrift_writer arb_thrift_writer_to(arb_text *out)
{
    return (arb_thrift_writer){.out = out};
}

void arb_thrift_put_integer(arb_thrift_writer *writer, int32_t id, arb_thrift_type type, int64_t value);
void arb_thrift_put_bool(arb_thrift_writer *writer, int32_t id, bool value);
void arb_thrift_put_binary(arb_thrift_writer *writer, int32_t id, arb_str value);
/* A struct as a field: put its fields with the result, then end it. */
arb_thrift_writer arb_thrift_put_struct(arb_thrift_writer *writer, int32_t id);
/* A struct without fields. */
void arb_thrift_put_empty(arb_thrift_writer *writer, int32_t id);
/* A struct as a field whose bytes (with its end) were made before. */
void arb_thrift_put_made(arb_thrift_writer *writer, int32_t id, arb_str bytes);
/* `count` elements of `type` follow: each by arb_thrift_item_… or a struct by arb_thrift_writer_to and arb_thrift_end. */
void arb_thrift_put_list(arb_thrift_writer *writer, int32_t id, arb_thrift_type type, size_t count);
void arb_thrift_item_integer(arb_text *out, int64_t value);
void arb_thrift_item_bool(arb_text *out, bool value);
void arb_thrift_item_binary(arb_text *out, arb_str value);
void arb_thrift_end(const arb_thrift_writer *writer);
/* A number in groups of seven bits, the lowest first. */
void arb_varint_append(arb_text *out, uint64_t value);

ARB_INLINE uint64_t arb_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

#endif
