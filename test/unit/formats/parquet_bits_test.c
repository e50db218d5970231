/* Bit packing of every width, the hybrid of runs and packed bits, the delta encodings, lookups and conversions: at each
 * processor level that this machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bitmap.h"
#include "base/hash.h"
#include "formats/parquet/column_reader.h"
#include "formats/parquet/delta_decoder.h"
#include "formats/parquet/rle_decoder.h"
#include "io/codec.h"

enum { COUNT = 1000 };

static uint64_t seed = 11;

static uint64_t next_random(void)
{
    return seed = arb_hash_u64(seed);
}

/* From 1 to `most`, but not more than `left`. */
static size_t random_step(size_t most, size_t left)
{
    size_t step = 1 + next_random() % most;
    return ARB_MIN(step, left);
}

/* Bytes with the padding that decoders ask for. */
static uint8_t *padded(size_t size)
{
    uint8_t *block = arb_alloc_zeroed(size + ARB_CODEC_PADDING);
    assert_non_null(block);
    return block;
}

static void put_bits(uint8_t *to, size_t *at, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++, ++*at)
        to[*at / 8] |= (uint8_t)((value >> i & 1) << (*at % 8));
}

static void bits_of_every_width_are_unpacked(void **state)
{
    (void)state;
    const arb_parquet_kernels *kernels = arb_parquet_kernels_get();
    for (unsigned width = 1; width <= 32; width++) {
        uint32_t values[COUNT], out[COUNT + 8];
        uint8_t *packed = padded(COUNT * width / 8 + 1);
        size_t at = 0;
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = (uint32_t)next_random() & (UINT32_MAX >> (32 - width));
            put_bits(packed, &at, values[i], width);
        }
        for (size_t first = 0; first < 20; first++) {
            size_t count = COUNT - 2 * first - first % 3;
            uint32_t largest = 0;
            for (size_t i = 0; i < count; i++)
                largest = ARB_MAX(largest, values[first + i]);
            assert_int_equal(kernels->unpack(packed, width, first, count, out), largest);
            assert_memory_equal(out, values + first, count * sizeof *out);
        }
        uint16_t indices[COUNT];
        size_t picked = 0;
        for (size_t i = 0; i + 5 < COUNT; i += 1 + next_random() % 9)
            indices[picked++] = (uint16_t)i;
        kernels->unpack_picked(packed, width, 5, indices, picked, out);
        for (size_t i = 0; i < picked; i++)
            assert_int_equal(out[i], values[5 + indices[i]]);
        arb_free(packed);
    }
}

static void put_varint(uint8_t *to, size_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        to[(*at)++] = (uint8_t)(value | 0x80);
    to[(*at)++] = (uint8_t)value;
}

/* Random runs of both kinds; returns the bytes. */
static size_t write_hybrid(uint8_t *to, unsigned width, uint32_t *values, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count;) {
        if (next_random() % 2 == 0) {
            size_t run = random_step(100, count - i);
            uint32_t value = width == 0 ? 0 : (uint32_t)next_random() & (UINT32_MAX >> (32 - width));
            put_varint(to, &at, run << 1);
            memcpy(to + at, &value, (width + 7) / 8);
            at += (width + 7) / 8;
            for (size_t j = 0; j < run; j++)
                values[i++] = value;
        } else {
            size_t groups = 1 + next_random() % 8;
            put_varint(to, &at, groups << 1 | 1);
            size_t bit = at * 8;
            for (size_t j = 0; j < groups * 8; j++) {
                uint32_t value = width == 0 ? 0 : (uint32_t)next_random() & (UINT32_MAX >> (32 - width));
                put_bits(to, &bit, value, width);
                if (i < count)
                    values[i++] = value;
            }
            at = bit / 8;
        }
    }
    return at;
}

static void runs_are_read_picked_and_skipped(void **state)
{
    (void)state;
    const arb_parquet_kernels *kernels = arb_parquet_kernels_get();
    for (unsigned width = 0; width <= 32; width++) {
        uint32_t values[COUNT], out[COUNT + 8], largest = 0;
        uint8_t *bytes = padded(COUNT * 8);
        size_t size = write_hybrid(bytes, width, values, COUNT);
        arb_rle_decoder in = arb_rle_decoder_over(bytes, size, width);
        assert_int_equal(arb_rle_decoder_get(&in, kernels, COUNT, out, &largest), COUNT);
        assert_memory_equal(out, values, sizeof values);
        in = arb_rle_decoder_over(bytes, size, width);
        for (size_t i = 0; i < COUNT;) { /* by turns, in steps of any size */
            size_t step = random_step(77, COUNT - i);
            unsigned how = next_random() % 3;
            if (how == 0) {
                assert_int_equal(arb_rle_decoder_skip(&in, step), step);
            } else if (how == 1) {
                assert_int_equal(arb_rle_decoder_get(&in, kernels, step, out, &largest), step);
                assert_memory_equal(out, values + i, step * sizeof *out);
            } else {
                uint16_t indices[80];
                size_t picked = 0;
                for (size_t j = next_random() % 3; j < step; j += 1 + next_random() % 4)
                    indices[picked++] = (uint16_t)j;
                assert_int_equal(arb_rle_decoder_pick(&in, kernels, step, indices, picked, out, &largest), step);
                for (size_t j = 0; j < picked; j++)
                    assert_int_equal(out[j], values[i + indices[j]]);
            }
            i += step;
        }
        for (size_t cut = 0; cut < size; cut += 1 + size / 50) { /* fewer values, never others */
            in = arb_rle_decoder_over(bytes, cut, width);
            size_t got = arb_rle_decoder_get(&in, kernels, COUNT, out, &largest);
            assert_true(got <= COUNT);
            assert_memory_equal(out, values, got * sizeof *out);
        }
        arb_free(bytes);
    }
}

static void levels_become_bits(void **state)
{
    (void)state;
    uint32_t values[COUNT];
    uint8_t *bytes = padded(COUNT * 8);
    size_t size = write_hybrid(bytes, 1, values, COUNT), ones = 0, expected = 0;
    uint64_t bits[COUNT / 64 + 2] = {0};
    arb_rle_decoder in = arb_rle_decoder_over(bytes, size, 1);
    for (size_t i = 0; i < COUNT;) {
        size_t step = random_step(150, COUNT - i);
        assert_int_equal(arb_rle_decoder_bits(&in, step, bits, 3 + i, &ones), step);
        i += step;
    }
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(arb_bitmap_get(bits, 3 + i), values[i]);
        expected += values[i];
    }
    assert_int_equal(ones, expected);
    arb_free(bytes);
}

static void put_zigzag(uint8_t *to, size_t *at, int64_t value)
{
    put_varint(to, at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

/* DELTA_BINARY_PACKED with blocks of 128 in 4 miniblocks. */
static size_t write_delta(uint8_t *to, const int64_t *values, size_t count)
{
    size_t at = 0;
    put_varint(to, &at, 128);
    put_varint(to, &at, 4);
    put_varint(to, &at, count);
    put_zigzag(to, &at, count == 0 ? 0 : values[0]);
    for (size_t i = 1; i < count; i += 128) {
        uint64_t deltas[128] = {0};
        size_t here = ARB_MIN(128, count - i);
        int64_t least = INT64_MAX;
        for (size_t j = 0; j < here; j++) {
            deltas[j] = (uint64_t)values[i + j] - (uint64_t)values[i + j - 1];
            least = ARB_MIN(least, (int64_t)deltas[j]);
        }
        put_zigzag(to, &at, least);
        size_t widths_at = at;
        at += 4;
        for (size_t mini = 0; mini < 4; mini++) {
            unsigned width = 0;
            for (size_t j = mini * 32; j < ARB_MIN((mini + 1) * 32, here); j++)
                width = ARB_MAX(width, arb_bit_width(deltas[j] - (uint64_t)least));
            to[widths_at + mini] = (uint8_t)width;
            size_t bit = at * 8;
            for (size_t j = mini * 32; j < (mini + 1) * 32; j++)
                put_bits(to, &bit, j < here ? deltas[j] - (uint64_t)least : 0, width);
            at = bit / 8;
        }
    }
    return at;
}

static void deltas_add_up(void **state)
{
    (void)state;
    arb_padded_buffer out = {0};
    for (unsigned bits = 0; bits <= 64; bits++) {
        int64_t values[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            values[i] = bits == 0 ? 7 : (int64_t)(next_random() >> (64 - bits));
        uint8_t *bytes = padded(COUNT * 16);
        size_t count = bits == 3 ? 0 : bits == 4 ? 1 : COUNT - bits, got, used;
        size_t size = write_delta(bytes, values, count);
        assert_int_equal(arb_delta_integers(bytes, size, COUNT, false, &out, &got, &used, NULL), ARB_OK);
        assert_int_equal(got, count);
        assert_int_equal(used, size);
        assert_memory_equal(out.data, values, count * 8);
        if (count > 1) {
            assert_int_equal(arb_delta_integers(bytes, size, count - 1, false, &out, &got, &used, NULL),
                             ARB_CORRUPT_DATA);
            for (size_t cut = 0; cut < size / 2; cut += 7)
                assert_int_not_equal(arb_delta_integers(bytes, cut, COUNT, false, &out, &got, &used, NULL), ARB_OK);
        }
        arb_free(bytes);
    }
    arb_padded_buffer_reset(&out);
}

static void noise_is_no_delta_page(void **state)
{
    (void)state;
    arb_padded_buffer scratch = {0}, bytes_out = {0}, out = {0};
    for (unsigned round = 0; round < 5000; round++) {
        size_t size = round % 200, got, used;
        uint8_t *bytes = padded(size);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)next_random();
        if (size > 4 && round % 2 == 0)
            memcpy(bytes, (uint8_t[]){0x80, 0x01, 0x04, 0x40}, 4);
        if (arb_delta_integers(bytes, size, COUNT, round % 3 == 0, &out, &got, &used, NULL) == ARB_OK)
            assert_true(got <= COUNT && used <= size);
        if (arb_delta_bytes(bytes, size, COUNT, &scratch, &bytes_out, &out, &got, NULL) == ARB_OK)
            assert_true(got <= COUNT);
        arb_free(bytes);
    }
    arb_padded_buffer_reset(&scratch);
    arb_padded_buffer_reset(&bytes_out);
    arb_padded_buffer_reset(&out);
}

static void values_outside_of_the_bounds_are_seen(void **state)
{
    (void)state;
    const arb_parquet_kernels *kernels = arb_parquet_kernels_get();
    int64_t values[COUNT], out[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (int64_t)(next_random() % 1000) - 500;
    arb_parquet_target target = arb_parquet_target_make(ARB_PHYS_INT32, true, -500, 499);
    arb_parquet_convert *convert = kernels->convert[ARB_PARQUET_SOURCE_I64][ARB_PHYS_INT32];
    assert_true(convert(values, COUNT, out, target.bounds));
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(((int32_t *)out)[i], values[i]);
    static const int64_t bad[] = {-501, 500, INT64_MIN, INT64_MAX, ((int64_t)1 << 32) + 3};
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++) {
        size_t at = next_random() % COUNT;
        int64_t good = values[at];
        values[at] = bad[i];
        assert_false(convert(values, COUNT, out, target.bounds));
        values[at] = good;
    }
    /* A width alone is a bound, too. */
    target = arb_parquet_target_make(ARB_PHYS_INT16, false, 0, 0);
    convert = kernels->convert[ARB_PARQUET_SOURCE_I64][ARB_PHYS_INT16];
    assert_true(convert(values, COUNT, out, target.bounds));
    values[9] = 32768;
    assert_false(convert(values, COUNT, out, target.bounds));
}

static void text_is_judged(void **state)
{
    (void)state;
    static const char *const good[] = {"", "abc", "äöü€", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"};
    static const char *const bad[] = {"\x80",         "\xC0\x80", "a\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                      "\xE0\x80\x80", "\xFF"};
    for (size_t i = 0; i < ARB_COUNT_OF(good); i++)
        assert_true(arb_utf8_valid((const uint8_t *)good[i], strlen(good[i])));
    for (size_t i = 0; i < ARB_COUNT_OF(bad); i++)
        assert_false(arb_utf8_valid((const uint8_t *)bad[i], strlen(bad[i])));
    uint8_t bytes[200];
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_true(arb_parquet_kernels_get()->is_ascii(bytes, sizeof bytes));
        bytes[i] = 0x80;
        assert_false(arb_parquet_kernels_get()->is_ascii(bytes, sizeof bytes));
        assert_true(arb_parquet_kernels_get()->is_ascii(bytes, i));
        bytes[i] = 'x';
    }
}

static void nulls_make_gaps(void **state)
{
    (void)state;
    uint64_t validity[4] = {0};
    uint32_t from[200], to[200];
    size_t ones = 0;
    for (size_t i = 0; i < 200; i++) {
        from[i] = (uint32_t)i + 1000;
        if (next_random() % 3 != 0) {
            arb_bitmap_set(validity, i);
            ones++;
        }
    }
    from[ones] = 0;
    arb_parquet_spread(to, from, sizeof *to, validity, 200);
    for (size_t i = 0, next = 0; i < 200; i++)
        if (arb_bitmap_get(validity, i))
            assert_int_equal(to[i], 1000 + next++);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_of_every_width_are_unpacked),
        cmocka_unit_test(runs_are_read_picked_and_skipped),
        cmocka_unit_test(levels_become_bits),
        cmocka_unit_test(deltas_add_up),
        cmocka_unit_test(noise_is_no_delta_page),
        cmocka_unit_test(values_outside_of_the_bounds_are_seen),
        cmocka_unit_test(text_is_judged),
        cmocka_unit_test(nulls_make_gaps),
    };
    static const char *const levels[] = {"v2", "v3", "v4"};
    int failed = 0;
    for (size_t i = 0; i < ARB_COUNT_OF(levels); i++)
        if (arb_cpu_choose(levels[i], NULL) == ARB_OK)
            failed += cmocka_run_group_tests_name(levels[i], tests, NULL, NULL);
    return failed;
}
