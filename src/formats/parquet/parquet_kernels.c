#include "formats/parquet/parquet_kernels.h"

ARB_KERNELS_DEFINE(arb_parquet_kernels)

bool arb_utf8_valid(const uint8_t *from, size_t size)
{
    const uint8_t *end = from + size;
    while (from < end) {
        uint8_t first = *from;
        if (first < 0x80) {
            from++;
            continue;
        }
        unsigned more;
        uint8_t second_low = 0x80, second_high = 0xBF;
        if (first >= 0xC2 && first <= 0xDF) {
            more = 1;
        } else if (first >= 0xE0 && first <= 0xEF) {
            more = 2;
            second_low = first == 0xE0 ? 0xA0 : 0x80;
            second_high = first == 0xED ? 0x9F : 0xBF;
        } else if (first >= 0xF0 && first <= 0xF4) {
            more = 3;
            second_low = first == 0xF0 ? 0x90 : 0x80;
            second_high = first == 0xF4 ? 0x8F : 0xBF;
        } else {
            return false;
        }
        if ((size_t)(end - from) <= more || from[1] < second_low || from[1] > second_high)
            return false;
        for (unsigned i = 2; i <= more; i++)
            if ((from[i] & 0xC0) != 0x80)
                return false;
        from += more + 1;
    }
    return true;
}
