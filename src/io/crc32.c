/* crc32.c: the CRC is libdeflate's, which uses carry-less multiplication where the processor has it. */
#include <libdeflate.h>

#include "io/codec.h"

uint32_t arb_crc32(uint32_t so_far, const void *data, size_t size)
{
    return libdeflate_crc32(so_far, data, size);
}
