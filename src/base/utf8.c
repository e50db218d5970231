#include "base/utf8.h"

bool arb_utf8_is_ascii(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t seen = 0;
    size_t i = 0;
    for (; i + 8 <= size; i += 8)
        seen |= arb_load_u64(bytes + i);
    for (; i < size; i++)
        seen |= bytes[i];
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

static bool continues(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the character that starts at `at`, or 0. */
static size_t character_size(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return left >= 2 && continues(at[1]) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (left < 3 || !continues(at[1]) || !continues(at[2]))
            return 0;
        bool overlong = lead == 0xE0 && at[1] < 0xA0, surrogate = lead == 0xED && at[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (left < 4 || !continues(at[1]) || !continues(at[2]) || !continues(at[3]))
            return 0;
        bool overlong = lead == 0xF0 && at[1] < 0x90, too_large = lead == 0xF4 && at[1] > 0x8F;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

bool arb_utf8_is_valid(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t i = 0;
    while (i < size) {
        if (i + 8 <= size && (arb_load_u64(bytes + i) & UINT64_C(0x8080808080808080)) == 0) {
            i += 8;
            continue;
        }
        size_t step = character_size(bytes + i, size - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}
