#include "formats/parquet/page_values.h"

#include "base/bitmap.h"
#include "formats/parquet/delta_decoder.h"

void arb_parquet_values_memory_reset(arb_parquet_values_memory *memory)
{
    arb_padded_buffer_reset(&memory->array);
    arb_padded_buffer_reset(&memory->bytes);
    arb_padded_buffer_reset(&memory->scratch);
    arb_padded_buffer_reset(&memory->converted);
}

arb_parquet_target arb_parquet_target_make(arb_physical physical, bool check_range, arb_int128 low, arb_int128 high)
{
    arb_parquet_target target = {.physical = physical, .check = check_range};
    arb_int128 least = ARB_INT128_MIN, most = ARB_INT128_MAX;
    if (arb_physical_is_integer(physical) && physical != ARB_PHYS_INT128) {
        most = ((arb_int128)1 << (8 * arb_physical_size(physical) - 1)) - 1;
        least = -most - 1;
    }
    if (check_range) {
        least = ARB_MAX(least, low);
        most = ARB_MIN(most, high);
    }
    if (least > most) /* nothing is allowed; one value is as near as bounds come to that */
        most = least;
    target.wide_bounds = (arb_parquet_bounds){least, (arb_uint128)most - (arb_uint128)least};
    least = ARB_MIN(ARB_MAX(least, (arb_int128)INT64_MIN), (arb_int128)INT64_MAX);
    most = ARB_MIN(ARB_MAX(most, (arb_int128)INT64_MIN), (arb_int128)INT64_MAX);
    target.bounds = (arb_parquet_bounds){least, (arb_uint128)(most - least)};
    return target;
}

static arb_code damaged(const char *what, arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a page of %s values is damaged", what);
}

static arb_code invalid_text(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "text is not valid UTF-8");
}

static void set_array(arb_parquet_values *values, arb_parquet_values_kind kind, const void *data, size_t value_size,
                      uint64_t count)
{
    *values = (arb_parquet_values){.kind = kind, .data = data, .value_size = value_size, .count = count};
}

/* ---- encodings --------------------------------------------------------------------------------------------------- */

static arb_code prepare_plain(const arb_parquet_leaf *leaf, const uint8_t *data, size_t size,
                              arb_parquet_values *values)
{
    switch (leaf->physical) {
    case ARB_PARQUET_BOOLEAN:
        *values = (arb_parquet_values){.kind = ARB_PARQUET_VALUES_BITS,
                                       .runs = arb_rle_decoder_packed(data, 1, (uint64_t)size * 8)};
        break;
    case ARB_PARQUET_INT32:
        set_array(values, ARB_PARQUET_VALUES_I32, data, 4, size / 4);
        break;
    case ARB_PARQUET_INT64:
        set_array(values, ARB_PARQUET_VALUES_I64, data, 8, size / 8);
        break;
    case ARB_PARQUET_INT96:
        set_array(values, ARB_PARQUET_VALUES_FIXED, data, 12, size / 12);
        break;
    case ARB_PARQUET_FLOAT:
        set_array(values, ARB_PARQUET_VALUES_F32, data, 4, size / 4);
        break;
    case ARB_PARQUET_DOUBLE:
        set_array(values, ARB_PARQUET_VALUES_F64, data, 8, size / 8);
        break;
    case ARB_PARQUET_FIXED:
        set_array(values, ARB_PARQUET_VALUES_FIXED, data, leaf->fixed_size, size / leaf->fixed_size);
        break;
    default:
        *values = (arb_parquet_values){.kind = ARB_PARQUET_VALUES_PLAIN, .data = data, .end = data + size};
    }
    return ARB_OK;
}

/* The bytes of each value lie `count` apart; bring them together, then they are plain ones. */
static arb_code prepare_split(const arb_parquet_leaf *leaf, const uint8_t *data, size_t size,
                              arb_parquet_values_memory *memory, arb_parquet_values *values, arb_error *error)
{
    static const uint8_t widths[ARB_PARQUET_PHYSICAL_COUNT] = {
        [ARB_PARQUET_INT32] = 4, [ARB_PARQUET_INT64] = 8, [ARB_PARQUET_FLOAT] = 4, [ARB_PARQUET_DOUBLE] = 8};
    size_t width = leaf->physical == ARB_PARQUET_FIXED ? leaf->fixed_size : widths[leaf->physical];
    if (width == 0 || size % width != 0)
        return damaged("byte-stream-split", error);
    ARB_TRY(arb_padded_buffer_reserve(&memory->array, size, error));
    size_t count = size / width;
    uint8_t *out = memory->array.data;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < width; j++)
            out[i * width + j] = data[j * count + i];
    return prepare_plain(leaf, out, size, values);
}

static arb_code prepare_delta(const arb_parquet_leaf *leaf, int32_t encoding, const uint8_t *data, size_t size,
                              size_t max_count, const arb_parquet_kernels *kernels, arb_parquet_values_memory *memory,
                              arb_parquet_values *values, arb_error *error)
{
    size_t count = 0, used;
    if (encoding == ARB_PARQUET_DELTA_BINARY_PACKED) {
        if (leaf->physical != ARB_PARQUET_INT32 && leaf->physical != ARB_PARQUET_INT64)
            return damaged("delta-encoded", error);
        ARB_TRY(arb_delta_integers(data, size, max_count, leaf->physical == ARB_PARQUET_INT32, &memory->array, &count,
                                   &used, error));
        set_array(values, ARB_PARQUET_VALUES_I64, memory->array.data, 8, count);
        return ARB_OK;
    }
    bool is_fixed = leaf->physical == ARB_PARQUET_FIXED;
    if (leaf->physical != ARB_PARQUET_BYTE_ARRAY && !is_fixed)
        return damaged("delta-encoded", error);
    if (encoding == ARB_PARQUET_DELTA_LENGTH_BYTE_ARRAY)
        ARB_TRY(arb_delta_lengths(data, size, max_count, &memory->scratch, &memory->array, &count, error));
    else
        ARB_TRY(
            arb_delta_bytes(data, size, max_count, &memory->scratch, &memory->bytes, &memory->array, &count, error));
    const arb_string *strings = (const arb_string *)memory->array.data;
    bool check = leaf->type.id == ARB_TYPE_VARCHAR && !kernels->is_ascii(data, size);
    for (size_t i = 0; i < count; i++) {
        if (is_fixed && strings[i].size != leaf->fixed_size)
            return damaged("delta-encoded", error);
        if (check && !arb_utf8_valid((const uint8_t *)arb_string_data(&strings[i]), strings[i].size))
            return invalid_text(error);
    }
    set_array(values, ARB_PARQUET_VALUES_STRINGS, strings, sizeof(arb_string), count);
    return ARB_OK;
}

static arb_code prepare_codes(const uint8_t *data, size_t size, arb_parquet_values *values, arb_error *error)
{
    unsigned width = size == 0 ? 0 : data[0];
    if (width > 32)
        return arb_fail(error, ARB_CORRUPT_DATA, "dictionary codes of %u bits", width);
    *values = (arb_parquet_values){.kind = ARB_PARQUET_VALUES_CODES,
                                   .runs = size == 0 ? arb_rle_decoder_over(data, 0, 0)
                                                     : arb_rle_decoder_over(data + 1, size - 1, width)};
    return ARB_OK;
}

static arb_code prepare_boolean_runs(const arb_parquet_leaf *leaf, const uint8_t *data, size_t size,
                                     arb_parquet_values *values, arb_error *error)
{
    if (leaf->physical != ARB_PARQUET_BOOLEAN || size < 4 || arb_load_u32(data) > size - 4)
        return damaged("boolean", error);
    *values = (arb_parquet_values){.kind = ARB_PARQUET_VALUES_BITS,
                                   .runs = arb_rle_decoder_over(data + 4, arb_load_u32(data), 1)};
    return ARB_OK;
}

/* ---- conversions --------------------------------------------------------------------------------------------- */

/* The next plain text; false when it does not lie within the page. */
ARB_INLINE bool next_plain(arb_parquet_values *values, const uint8_t **out_data, uint32_t *out_size)
{
    size_t left = (size_t)(values->end - values->data);
    if (ARB_UNLIKELY(left < 4))
        return false;
    uint32_t size = arb_load_u32(values->data);
    if (ARB_UNLIKELY(size > left - 4))
        return false;
    *out_data = values->data + 4;
    *out_size = size;
    values->data += 4 + (size_t)size;
    return true;
}

/* Bytes, most significant first, in two's complement; false when they need more than 128 bits. */
static bool big_endian(const uint8_t *from, size_t size, arb_int128 *out)
{
    uint8_t sign = size != 0 && from[0] >= 0x80 ? 0xFF : 0;
    for (; size > 16; from++, size--)
        if (*from != sign || ((from[1] ^ sign) & 0x80) != 0)
            return false;
    arb_uint128 value = sign != 0 ? ~(arb_uint128)0 : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | from[i];
    *out = (arb_int128)value;
    return true;
}

static arb_code convert_decimals(arb_parquet_values *values, size_t max_count, arb_parquet_values_memory *memory,
                                 arb_error *error)
{
    static const char too_wide[] = "a decimal needs more than 38 digits";
    size_t capacity = 0, count = 0;
    bool is_plain = values->kind == ARB_PARQUET_VALUES_PLAIN;
    if (!is_plain)
        capacity = (size_t)ARB_MIN(values->count, max_count);
    else /* each has its size in front */
        capacity = ARB_MIN((size_t)(values->end - values->data) / 4, max_count);
    ARB_TRY(arb_padded_buffer_reserve(&memory->converted, capacity * 16, error));
    arb_int128 *out = (arb_int128 *)memory->converted.data;
    for (; count < capacity; count++) {
        const uint8_t *from = values->data + count * values->value_size;
        uint32_t size = (uint32_t)values->value_size;
        if (is_plain) {
            if (values->data == values->end)
                break;
            if (!next_plain(values, &from, &size))
                return damaged("decimal", error);
        } else if (values->kind == ARB_PARQUET_VALUES_STRINGS) {
            size = ((const arb_string *)from)->size;
            from = (const uint8_t *)arb_string_data((const arb_string *)from);
        }
        if (!big_endian(from, size, &out[count]))
            return arb_fail(error, ARB_OUT_OF_RANGE, too_wide);
    }
    set_array(values, ARB_PARQUET_VALUES_I128, out, 16, count);
    return ARB_OK;
}

/* What whole numbers, of 32 or 64 bits, mean. */
static arb_code convert_integers(const arb_parquet_leaf *leaf, arb_parquet_values *values, size_t max_count,
                                 arb_parquet_values_memory *memory, arb_error *error)
{
    size_t count = (size_t)ARB_MIN(values->count, max_count);
    bool is_32 = values->kind == ARB_PARQUET_VALUES_I32, is_unsigned = leaf->conversion == ARB_PARQUET_UNSIGNED;
    bool is_wide = is_unsigned && leaf->physical == ARB_PARQUET_INT64;
    ARB_TRY(arb_padded_buffer_reserve(&memory->converted, count * (is_wide ? 16 : 8), error));
    int64_t *out = (int64_t *)memory->converted.data;
    for (size_t i = 0; i < count; i++) {
        int64_t value = is_32 ? arb_load_i32(values->data + 4 * i) : arb_load_i64(values->data + 8 * i);
        if (is_wide) {
            ((arb_int128 *)memory->converted.data)[i] = (uint64_t)value;
        } else if (is_unsigned) {
            out[i] = (uint32_t)value;
        } else if (leaf->conversion == ARB_PARQUET_OVER_1000) {
            out[i] = value / 1000 - (value % 1000 < 0);
        } else if (__builtin_mul_overflow(value, (int64_t)1000, &out[i])) {
            return arb_fail(error, ARB_DATETIME_OVERFLOW, "a time of %lld milliseconds has no microseconds",
                            (long long)value);
        }
    }
    set_array(values, is_wide ? ARB_PARQUET_VALUES_I128 : ARB_PARQUET_VALUES_I64, out, is_wide ? 16 : 8, count);
    return ARB_OK;
}

/* INT96: nanoseconds of the day, then the Julian day. Microseconds, since nanoseconds would leave 64 bits for years that
 * Spark writes. The sums wrap, as they do where Spark writes days beyond 32 bits. */
static int64_t julian_micros(const uint8_t *from)
{
    int64_t days = (int64_t)arb_load_i32(from + 8) - 2440588, nanos = arb_load_i64(from);
    return (int64_t)((uint64_t)days * 86400000000u + (uint64_t)(nanos / 1000 - (nanos % 1000 < 0)));
}

static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else { /* zero or subnormal: fraction * 2^-24 */
        float value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, 4);
        bits |= sign;
    }
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

static void uuid_text(const uint8_t *from, char *to)
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *to++ = '-';
    }
}

/* Values of a fixed size that are neither numbers nor bytes. */
static arb_code convert_fixed(const arb_parquet_leaf *leaf, arb_parquet_values *values, size_t max_count,
                              arb_parquet_values_memory *memory, arb_error *error)
{
    enum { UUID_TEXT_SIZE = 36 };
    size_t count = (size_t)ARB_MIN(values->count, max_count);
    bool is_uuid = leaf->conversion == ARB_PARQUET_UUID_TEXT;
    ARB_TRY(arb_padded_buffer_reserve(&memory->converted, count * (is_uuid ? UUID_TEXT_SIZE : 16), error));
    if (is_uuid)
        ARB_TRY(arb_padded_buffer_reserve(&memory->scratch, count * sizeof(arb_string), error));
    uint8_t *out = memory->converted.data;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = values->data + i * values->value_size;
        if (values->kind == ARB_PARQUET_VALUES_STRINGS) /* delta-encoded; sizes were checked */
            from = (const uint8_t *)arb_string_data((const arb_string *)from);
        switch (leaf->conversion) {
        case ARB_PARQUET_JULIAN:
            ((int64_t *)out)[i] = julian_micros(from);
            break;
        case ARB_PARQUET_HALF_FLOAT:
            ((float *)out)[i] = half_to_float(arb_load_u16(from));
            break;
        case ARB_PARQUET_INTERVAL_LE:
            ((arb_interval *)out)[i] = (arb_interval){(int32_t)arb_load_u32(from), (int32_t)arb_load_u32(from + 4),
                                                      (int64_t)arb_load_u32(from + 8) * 1000};
            break;
        default:
            uuid_text(from, (char *)out + i * UUID_TEXT_SIZE);
            ((arb_string *)memory->scratch.data)[i] = arb_string_of((char *)out + i * UUID_TEXT_SIZE, UUID_TEXT_SIZE);
        }
    }
    switch (leaf->conversion) {
    case ARB_PARQUET_JULIAN:
        set_array(values, ARB_PARQUET_VALUES_I64, out, 8, count);
        break;
    case ARB_PARQUET_HALF_FLOAT:
        set_array(values, ARB_PARQUET_VALUES_F32, out, 4, count);
        break;
    case ARB_PARQUET_INTERVAL_LE:
        set_array(values, ARB_PARQUET_VALUES_INTERVALS, out, sizeof(arb_interval), count);
        break;
    default:
        set_array(values, ARB_PARQUET_VALUES_STRINGS, memory->scratch.data, sizeof(arb_string), count);
    }
    return ARB_OK;
}

arb_code arb_parquet_values_prepare(const arb_parquet_leaf *leaf, int32_t encoding, const uint8_t *data, size_t size,
                                    size_t max_count, const arb_parquet_kernels *kernels,
                                    arb_parquet_values_memory *memory, arb_parquet_values *out_values, arb_error *error)
{
    switch (encoding) {
    case ARB_PARQUET_PLAIN:
        ARB_TRY(prepare_plain(leaf, data, size, out_values));
        break;
    case ARB_PARQUET_PLAIN_DICTIONARY:
    case ARB_PARQUET_RLE_DICTIONARY:
        return prepare_codes(data, size, out_values, error);
    case ARB_PARQUET_RLE:
        return prepare_boolean_runs(leaf, data, size, out_values, error);
    case ARB_PARQUET_DELTA_BINARY_PACKED:
    case ARB_PARQUET_DELTA_LENGTH_BYTE_ARRAY:
    case ARB_PARQUET_DELTA_BYTE_ARRAY:
        ARB_TRY(prepare_delta(leaf, encoding, data, size, max_count, kernels, memory, out_values, error));
        break;
    case ARB_PARQUET_BYTE_STREAM_SPLIT:
        ARB_TRY(prepare_split(leaf, data, size, memory, out_values, error));
        break;
    default:
        return arb_fail(error, ARB_NOT_SUPPORTED, "encoding %d is not supported", encoding);
    }
    switch (leaf->conversion) {
    case ARB_PARQUET_AS_IS:
        if (out_values->kind == ARB_PARQUET_VALUES_PLAIN && leaf->type.id == ARB_TYPE_VARCHAR)
            out_values->check_text = !kernels->is_ascii(data, size);
        return ARB_OK;
    case ARB_PARQUET_BIG_ENDIAN:
        return convert_decimals(out_values, max_count, memory, error);
    case ARB_PARQUET_UNSIGNED:
    case ARB_PARQUET_TIMES_1000:
    case ARB_PARQUET_OVER_1000:
        return convert_integers(leaf, out_values, max_count, memory, error);
    default:
        return convert_fixed(leaf, out_values, max_count, memory, error);
    }
}

/* ---- taking values ------------------------------------------------------------------------------------------- */

static arb_code too_few(arb_error *error)
{
    return arb_fail(error, ARB_CORRUPT_DATA, "a page holds fewer values than it says");
}

static arb_code outside(arb_error *error)
{
    arb_fail(error, ARB_CORRUPT_DATA, "a value lies outside of the range that the file's statistics claim");
    arb_error_hint(error, "The file was written with wrong statistics; write it again.");
    return ARB_CORRUPT_DATA;
}

/* Texts of up to 12 bytes are read with two wide loads (the page is padded) and what is too much cut off. */
ARB_INLINE arb_string string_at(const uint8_t *data, uint32_t size)
{
    if (size > ARB_STRING_INLINE)
        return arb_string_of((const char *)data, size);
    uint64_t first = arb_load_u64(data) & (size >= 8 ? UINT64_MAX : ((uint64_t)1 << (8 * size)) - 1);
    uint64_t rest = size <= 8 ? 0 : arb_load_u32(data + 8) & (((uint64_t)1 << (8 * (size - 8))) - 1);
    uint64_t words[2] = {size | first << 32, first >> 32 | rest << 32};
    arb_string string;
    memcpy(&string, words, sizeof string);
    return string;
}

/* Walk over `span` plain texts; those at `indices` (all when NULL) go to `to`. */
static arb_code walk_plain(arb_parquet_values *values, size_t span, const uint16_t *indices, size_t index_count,
                           arb_string *to, arb_error *error)
{
    size_t picked = 0;
    for (size_t i = 0; i < span; i++) {
        const uint8_t *data;
        uint32_t size;
        if (ARB_UNLIKELY(!next_plain(values, &data, &size)))
            return too_few(error);
        if (indices != NULL) {
            if (picked == index_count || indices[picked] != i)
                continue;
            picked++;
        }
        if (ARB_UNLIKELY(values->check_text) && !arb_utf8_valid(data, size))
            return invalid_text(error);
        *to++ = string_at(data, size);
    }
    return ARB_OK;
}

/* Values of an array at `indices`, or all `count` from the position on when NULL. */
static bool take_array(const arb_parquet_values *values, const arb_parquet_kernels *kernels, const uint16_t *indices,
                       size_t count, const arb_parquet_target *target, void *to)
{
    const uint8_t *from = values->data + values->position * values->value_size;
    if (values->kind == ARB_PARQUET_VALUES_FIXED) {
        for (size_t i = 0; i < count; i++)
            ((arb_string *)to)[i] =
                string_at(from + (indices == NULL ? i : indices[i]) * values->value_size, (uint32_t)values->value_size);
        return true;
    }
    bool is_integer = values->kind <= ARB_PARQUET_VALUES_I128;
    bool same_size = !is_integer || arb_physical_size(target->physical) == values->value_size;
    if (same_size && !(is_integer && target->check)) {
        if (indices == NULL) {
            memcpy(to, from, count * values->value_size);
            return true;
        }
        for (size_t i = 0; i < count && values->value_size == 4; i++)
            arb_store_u32((char *)to + 4 * i, arb_load_u32(from + 4 * indices[i]));
        for (size_t i = 0; i < count && values->value_size == 8; i++)
            arb_store_u64((char *)to + 8 * i, arb_load_u64(from + 8 * indices[i]));
        for (size_t i = 0; i < count && values->value_size == 16; i++)
            memcpy((char *)to + 16 * i, from + 16 * indices[i], 16);
        return true;
    }
    arb_parquet_bounds bounds = values->kind == ARB_PARQUET_VALUES_I128 ? target->wide_bounds : target->bounds;
    return indices == NULL ? kernels->convert[values->kind][target->physical](from, count, to, bounds)
                           : kernels->pick[values->kind][target->physical](from, indices, count, to, bounds);
}

arb_code arb_parquet_values_read(arb_parquet_values *values, const arb_parquet_kernels *kernels, size_t count,
                                 const arb_parquet_target *target, void *to, arb_error *error)
{
    size_t ones = 0;
    switch (values->kind) {
    case ARB_PARQUET_VALUES_PLAIN:
        return walk_plain(values, count, NULL, 0, to, error);
    case ARB_PARQUET_VALUES_BITS:
        return arb_rle_decoder_bits(&values->runs, count, to, 0, &ones) == count ? ARB_OK : too_few(error);
    case ARB_PARQUET_VALUES_CODES:
        return arb_fail(error, ARB_INTERNAL, "dictionary codes were read as values");
    default:
        break;
    }
    if (count > values->count - values->position)
        return too_few(error);
    if (!take_array(values, kernels, NULL, count, target, to))
        return outside(error);
    values->position += count;
    return ARB_OK;
}

arb_code arb_parquet_values_pick(arb_parquet_values *values, const arb_parquet_kernels *kernels, size_t span,
                                 const uint16_t *indices, size_t index_count, const arb_parquet_target *target,
                                 void *to, arb_error *error)
{
    switch (values->kind) {
    case ARB_PARQUET_VALUES_PLAIN:
        return walk_plain(values, span, indices, index_count, to, error);
    case ARB_PARQUET_VALUES_BITS: {
        uint64_t bits[65536 / 64];
        size_t ones = 0;
        if (arb_rle_decoder_bits(&values->runs, span, bits, 0, &ones) != span)
            return too_few(error);
        for (size_t i = 0; i < index_count; i++)
            arb_bitmap_put(to, i, arb_bitmap_get(bits, indices[i]));
        return ARB_OK;
    }
    case ARB_PARQUET_VALUES_CODES:
        return arb_fail(error, ARB_INTERNAL, "dictionary codes were read as values");
    default:
        break;
    }
    if (span > values->count - values->position)
        return too_few(error);
    if (!take_array(values, kernels, indices, index_count, target, to))
        return outside(error);
    values->position += span;
    return ARB_OK;
}

static arb_code check_codes(size_t got, size_t expected, uint32_t largest, uint32_t limit, arb_error *error)
{
    if (got != expected)
        return too_few(error);
    if (expected != 0 && largest >= limit)
        return arb_fail(error, ARB_CORRUPT_DATA, "code %u, the dictionary has %u entries", largest, limit);
    return ARB_OK;
}

arb_code arb_parquet_codes_read(arb_parquet_values *values, const arb_parquet_kernels *kernels, size_t count,
                                uint32_t limit, uint32_t *to, arb_error *error)
{
    uint32_t largest = 0;
    size_t got = arb_rle_decoder_get(&values->runs, kernels, count, to, &largest);
    return check_codes(got, count, largest, limit, error);
}

arb_code arb_parquet_codes_pick(arb_parquet_values *values, const arb_parquet_kernels *kernels, size_t span,
                                const uint16_t *indices, size_t index_count, uint32_t limit, uint32_t *to,
                                arb_error *error)
{
    uint32_t largest = 0;
    size_t got = arb_rle_decoder_pick(&values->runs, kernels, span, indices, index_count, to, &largest);
    if (got != span)
        return too_few(error);
    return check_codes(index_count, index_count, largest, limit, error);
}

arb_code arb_parquet_values_skip(arb_parquet_values *values, uint64_t count, arb_error *error)
{
    switch (values->kind) {
    case ARB_PARQUET_VALUES_PLAIN:
        for (uint64_t i = 0; i < count; i++) {
            const uint8_t *data;
            uint32_t size;
            if (!next_plain(values, &data, &size))
                return too_few(error);
        }
        return ARB_OK;
    case ARB_PARQUET_VALUES_BITS:
    case ARB_PARQUET_VALUES_CODES:
        return arb_rle_decoder_skip(&values->runs, count) == count ? ARB_OK : too_few(error);
    default:
        if (count > values->count - values->position)
            return too_few(error);
        values->position += count;
        return ARB_OK;
    }
}
