/* Parquet's hybrid of runs and packed bits, which holds levels and codes, and the delta encodings: each way of taking the
 * same values gives the same ones.
 *
 * Input: the width in bits, how many values, how they are taken; then the bytes. */
#include "base/alloc.h"
#include "base/bitmap.h"
#include "formats/parquet/delta_decoder.h"
#include "formats/parquet/rle_decoder.h"
#include "fuzz_input.h"
#include "io/codec.h"

enum { VALUES_MOST = 1000, PIECE_MOST = 90 };

static void check_bits(arb_rle_decoder decoder, const uint32_t *all, size_t count)
{
    uint64_t bits[(VALUES_MOST + 7) / 64 + 2];
    size_t ones = 0, expected = 0;
    memset(bits, 0, sizeof bits);
    FUZZ_REQUIRE(arb_rle_decoder_bits(&decoder, count, bits, 7, &ones) == count);
    for (size_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(arb_bitmap_get(bits, 7 + i) == (all[i] != 0));
        expected += all[i];
    }
    FUZZ_REQUIRE(ones == expected);
}

static void check_runs(arb_rle_decoder decoder, size_t wanted, fuzz_input *how)
{
    const arb_parquet_kernels *kernels = arb_parquet_kernels_get();
    uint32_t all[VALUES_MOST + 8], some[PIECE_MOST + 8], largest = 0, largest_seen = 0;
    arb_rle_decoder other = decoder, third = decoder;
    size_t count = arb_rle_decoder_get(&other, kernels, wanted, all, &largest), at = 0;
    FUZZ_REQUIRE(count <= wanted);
    for (size_t i = 0; i < count; i++)
        largest_seen = ARB_MAX(largest_seen, all[i]);
    FUZZ_REQUIRE(largest >= largest_seen && (decoder.width == 32 || largest_seen < (uint64_t)1 << decoder.width));
    if (decoder.width == 1)
        check_bits(decoder, all, count);
    while (at < count) {
        uint8_t choice = fuzz_byte(how);
        size_t span = 1 + (size_t)fuzz_byte(how) % PIECE_MOST, picked = 0;
        span = ARB_MIN(span, count - at);
        uint16_t indices[PIECE_MOST];
        for (size_t i = choice % 9; i < span; i += 1 + choice % 4)
            indices[picked++] = (uint16_t)i;
        uint32_t piece_largest = 0;
        if (choice % 3 == 0) {
            FUZZ_REQUIRE(arb_rle_decoder_skip(&third, span) == span);
        } else if (choice % 3 == 1) {
            FUZZ_REQUIRE(arb_rle_decoder_pick(&third, kernels, span, indices, picked, some, &piece_largest) == span);
            for (size_t i = 0; i < picked; i++)
                FUZZ_REQUIRE(some[i] == all[at + indices[i]] && some[i] <= piece_largest);
        } else {
            FUZZ_REQUIRE(arb_rle_decoder_get(&third, kernels, span, some, &piece_largest) == span);
            FUZZ_REQUIRE(memcmp(some, all + at, span * sizeof *some) == 0);
        }
        at += span;
    }
}

static void check_deltas(const uint8_t *bytes, size_t size, size_t wanted)
{
    arb_padded_buffer numbers = {0}, texts = {0}, scratch = {0};
    size_t count, used;
    arb_error error = {0};
    for (int is_32 = 0; is_32 < 2; is_32++)
        if (arb_delta_integers(bytes, size, wanted, is_32, &numbers, &count, &used, &error) == ARB_OK)
            FUZZ_REQUIRE(count <= wanted && used <= size);
    if (arb_delta_lengths(bytes, size, wanted, &scratch, &texts, &count, &error) == ARB_OK) {
        FUZZ_REQUIRE(count <= wanted);
        for (size_t i = 0; i < count; i++)
            FUZZ_REQUIRE(((const arb_string *)texts.data)[i].size <= size);
    }
    if (arb_delta_bytes(bytes, size, wanted, &scratch, &numbers, &texts, &count, &error) == ARB_OK) {
        FUZZ_REQUIRE(count <= wanted);
        for (size_t i = 0; i < count; i++) { /* every byte is there */
            const arb_string *text = (const arb_string *)texts.data + i;
            FUZZ_REQUIRE(text->size == 0 || memchr(arb_string_data(text), -1, text->size) != text);
        }
    }
    arb_padded_buffer_reset(&numbers);
    arb_padded_buffer_reset(&texts);
    arb_padded_buffer_reset(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    uint8_t form = fuzz_byte(&in);
    unsigned width = fuzz_byte(&in) % 33;
    size_t wanted = (size_t)fuzz_number(&in, 2) % (VALUES_MOST + 1);
    arb_str ways = fuzz_take(&in, 12), bytes = fuzz_take(&in, SIZE_MAX);
    fuzz_input how = fuzz_input_over((const uint8_t *)ways.data, ways.size);
    uint8_t *padded = arb_alloc(bytes.size + ARB_CODEC_PADDING);
    FUZZ_REQUIRE(padded != NULL);
    memset(padded + bytes.size, 0xEE, ARB_CODEC_PADDING);
    memcpy(padded, bytes.data, bytes.size);
    if (form % 3 == 0)
        check_deltas(padded, bytes.size, wanted);
    else if (form % 3 == 1)
        check_runs(arb_rle_decoder_over(padded, bytes.size, width), wanted, &how);
    else if (width != 0)
        check_runs(arb_rle_decoder_packed(padded, width, bytes.size * 8 / width), wanted, &how);
    arb_free(padded);
    return 0;
}
