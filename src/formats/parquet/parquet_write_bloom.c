/* parquet_write_bloom.c: split-block Bloom filters, as the format defines them.
 *
 * The upper half of a value's hash (XXH64 of its plain bytes) chooses a block of 256 bits, the lower half one bit in
 * each of the block's eight words. Ten bits a value make about one false answer in a hundred. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "formats/parquet/parquet_write_chunk.h"
#include "formats/parquet/thrift_writer.h"

enum { BITS_A_VALUE = 10, BLOCK_BYTES = 32, BYTES_MOST = 1 << 20 };

static void append_header(arb_text *out, size_t bytes)
{
    arb_thrift_writer header = arb_thrift_writer_to(out);
    arb_thrift_put_integer(&header, 1, ARB_THRIFT_I32, (int64_t)bytes);
    for (int32_t id = 2; id <= 4; id++) { /* algorithm, hash, compression: the first choice of each */
        arb_thrift_writer choice = arb_thrift_put_struct(&header, id);
        arb_thrift_put_empty(&choice, 1);
        arb_thrift_end(&choice);
    }
    arb_thrift_end(&header);
}

static void insert(uint8_t *filter, uint64_t blocks, uint64_t hash)
{
    static const uint32_t salts[8] = {0x47B6137Bu, 0x44974D91u, 0x8824AD5Bu, 0xA2B7289Du,
                                      0x705495C7u, 0x2DF1424Bu, 0x9EFC4947u, 0x5C6BFB31u};
    uint8_t *block = filter + ((hash >> 32) * blocks >> 32) * BLOCK_BYTES;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t bit = ((uint32_t)hash * salts[i]) >> 27;
        arb_store_u32(block + 4 * i, arb_load_u32(block + 4 * i) | (uint32_t)1 << bit);
    }
}

void arb_parquet_write_bloom(const arb_parquet_write_column *column, arb_text *out)
{
    bool is_text = column->kept == ARB_PARQUET_KEPT_TEXT;
    if (column->values == 0 ||
        (!is_text && column->kept != ARB_PARQUET_KEPT_I32 && column->kept != ARB_PARQUET_KEPT_I64))
        return;
    size_t bytes = (size_t)arb_next_power_of_two(column->values * BITS_A_VALUE / 8);
    bytes = ARB_MIN(ARB_MAX(bytes, (size_t)BLOCK_BYTES), (size_t)BYTES_MOST);
    append_header(out, bytes);
    uint8_t *filter = (uint8_t *)arb_text_room(out, bytes);
    if (filter == NULL)
        return;
    memset(filter, 0, bytes);
    size_t size = arb_parquet_kept_size(column->kept);
    for (size_t i = 0; i < column->values; i++) {
        arb_str value = {column->data.data + i * size, size};
        if (is_text)
            value = arb_string_view((const arb_string *)(const void *)value.data);
        insert(filter, bytes / BLOCK_BYTES, XXH64(value.data, value.size, 0));
    }
    arb_text_added(out, bytes);
}
