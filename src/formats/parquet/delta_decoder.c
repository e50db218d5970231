#include "formats/parquet/delta_decoder.h"

#include "io/codec.h"

enum {
    MAX_BLOCK_VALUES = 1 << 16,
    MAX_MINIBLOCKS = 512,
    MAX_STRING_BYTES = 1 << 30 /* of one page: prefixes can make much out of little */
};

typedef struct cursor {
    const uint8_t *at, *end;
    bool failed;
} cursor;

static uint64_t varint(cursor *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->at == in->end)
            break;
        uint8_t byte = *in->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
    in->failed = true;
    return 0;
}

static uint64_t zigzag(cursor *in)
{
    uint64_t value = varint(in);
    return value >> 1 ^ (0 - (value & 1));
}

static arb_code damaged(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a delta-encoded page is damaged");
}

/* `width` (0 to 64) bits of each of `count` values; adds them up, each with `base`. */
static uint64_t add_up(const uint8_t *from, unsigned width, size_t count, uint64_t base, uint64_t last, bool is_32,
                       int64_t *out)
{
    uint64_t mask = width == 0 ? 0 : UINT64_MAX >> (64 - width);
    for (size_t i = 0; i < count; i++) {
        uint64_t bit = (uint64_t)i * width, delta = 0;
        if (width != 0) {
            delta = arb_load_u64(from + bit / 8) >> (bit % 8);
            if (width + bit % 8 > 64)
                delta |= (uint64_t)from[bit / 8 + 8] << (64 - bit % 8);
        }
        last += base + (delta & mask);
        out[i] = is_32 ? (int32_t)(uint32_t)last : (int64_t)last;
    }
    return last;
}

arb_code arb_delta_integers(const uint8_t *from, size_t size, size_t max_count, bool is_32, arb_padded_buffer *out,
                            size_t *out_count, size_t *out_used, arb_error *error)
{
    cursor in = {from, from + size, false};
    uint64_t block_values = varint(&in), miniblocks = varint(&in), total = varint(&in), last = zigzag(&in);
    *out_count = 0;
    if (in.failed || block_values == 0 || block_values > MAX_BLOCK_VALUES || miniblocks == 0 ||
        miniblocks > MAX_MINIBLOCKS || block_values % miniblocks != 0 || block_values / miniblocks % 8 != 0)
        return damaged(error);
    if (total > max_count)
        return arb_fail(error, ARB_CORRUPT_DATA, "a delta-encoded page holds %llu values where at most %zu fit",
                        (unsigned long long)total, max_count);
    size_t miniblock_values = (size_t)(block_values / miniblocks), count = 0;
    ARB_TRY(arb_padded_buffer_reserve(out, 8 * (size_t)ARB_MIN(total, 4096), error));
    if (total != 0)
        ((int64_t *)out->data)[count++] = is_32 ? (int32_t)(uint32_t)last : (int64_t)last;
    while (count < total) {
        uint64_t base = zigzag(&in);
        const uint8_t *widths = in.at;
        if (in.failed || (uint64_t)(in.end - in.at) < miniblocks)
            return damaged(error);
        in.at += miniblocks;
        for (uint64_t i = 0; i < miniblocks && count < total; i++) {
            unsigned width = widths[i];
            size_t bytes = miniblock_values / 8 * width, here = (size_t)ARB_MIN(miniblock_values, total - count);
            size_t available = (size_t)(in.end - in.at);
            if (width > 64 || (here * width + 7) / 8 > available)
                return damaged(error);
            ARB_TRY(arb_padded_buffer_grow(out, 8 * (count + here), 8 * count, error));
            last = add_up(in.at, width, here, base, last, is_32, (int64_t *)out->data + count);
            count += here;
            in.at += ARB_MIN(bytes, available); /* the last block may be cut short */
        }
    }
    *out_count = count;
    *out_used = (size_t)(in.at - from);
    return ARB_OK;
}

arb_code arb_delta_lengths(const uint8_t *from, size_t size, size_t max_count, arb_padded_buffer *scratch,
                           arb_padded_buffer *out, size_t *out_count, arb_error *error)
{
    size_t count, used;
    ARB_TRY(arb_delta_integers(from, size, max_count, true, scratch, &count, &used, error));
    ARB_TRY(arb_padded_buffer_reserve(out, count * sizeof(arb_string), error));
    const int64_t *lengths = (const int64_t *)scratch->data;
    arb_string *strings = (arb_string *)out->data;
    const char *at = (const char *)from + used;
    size_t left = size - used;
    for (size_t i = 0; i < count; i++) {
        if (lengths[i] < 0 || (uint64_t)lengths[i] > left)
            return damaged(error);
        strings[i] = arb_string_of(at, (size_t)lengths[i]);
        at += lengths[i];
        left -= (size_t)lengths[i];
    }
    *out_count = count;
    return ARB_OK;
}

arb_code arb_delta_bytes(const uint8_t *from, size_t size, size_t max_count, arb_padded_buffer *scratch,
                         arb_padded_buffer *bytes, arb_padded_buffer *out, size_t *out_count, arb_error *error)
{
    arb_padded_buffer prefixes = {0};
    size_t prefix_count, used, count;
    arb_code code = ARB_OK;
    ARB_TRY_GOTO(code, arb_delta_integers(from, size, max_count, true, &prefixes, &prefix_count, &used, error), done);
    ARB_TRY_GOTO(code, arb_delta_lengths(from + used, size - used, max_count, scratch, out, &count, error), done);
    if (count != prefix_count) {
        code = damaged(error);
        goto done;
    }
    const int64_t *prefix = (const int64_t *)prefixes.data;
    arb_string *strings = (arb_string *)out->data;
    uint64_t total = 0, before = 0;
    for (size_t i = 0; i < count; i++) {
        if (prefix[i] < 0 || (uint64_t)prefix[i] > before) {
            code = damaged(error);
            goto done;
        }
        before = (uint64_t)prefix[i] + strings[i].size;
        total += before;
        if (total > MAX_STRING_BYTES) {
            code = arb_fail(error, ARB_LIMIT_EXCEEDED, "a page of delta-encoded text holds more than 1 GiB");
            goto done;
        }
    }
    ARB_TRY_GOTO(code, arb_padded_buffer_reserve(bytes, (size_t)total, error), done);
    char *at = (char *)bytes->data;
    const char *previous = at;
    for (size_t i = 0; i < count; i++) {
        size_t kept = (size_t)prefix[i], added = strings[i].size;
        char *start = at;
        if (kept != 0)
            memcpy(at, previous, kept);
        memcpy(at + kept, arb_string_data(&strings[i]), added);
        at += kept + added;
        previous = start;
        strings[i] = arb_string_of(start, kept + added);
    }
    *out_count = count;
done:
    arb_padded_buffer_reset(&prefixes);
    return code;
}
