/* Round trips with the reference libraries as oracles; damaged blocks must be refused without a sanitizer's report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <libdeflate.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdio.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "io/byte_source.h"
#include "io/codec.h"

static uint64_t seed = 42;

static uint64_t next_random(void)
{
    return seed = arb_hash_u64(seed);
}

enum { KINDS = 6 };

/* Data of several natures: noise, columns of numbers, text, runs, few values, zeros. */
static void fill(uint8_t *to, size_t size, unsigned kind)
{
    static const char *const words[] = {"carefully ", "final ", "deposits ", "x", "quickly regular ", "aa"};
    for (size_t i = 0; i < size;) {
        uint8_t piece[64];
        size_t piece_size = 8;
        if (kind == 0 || kind == 1) {
            arb_store_u64(piece, kind == 0 ? next_random() : next_random() % 9000000);
        } else if (kind == 2) {
            const char *word = words[next_random() % ARB_COUNT_OF(words)];
            piece_size = strlen(word);
            memcpy(piece, word, piece_size);
        } else if (kind == 3) {
            piece_size = 1 + next_random() % 64;
            memset(piece, (int)(next_random() % 5), piece_size);
        } else {
            arb_store_u64(piece, kind == 4 ? next_random() % 3 : 0);
        }
        piece_size = ARB_MIN(piece_size, size - i);
        memcpy(to + i, piece, piece_size);
        i += piece_size;
    }
}

static uint8_t *padded(size_t size)
{
    uint8_t *block = arb_alloc_zeroed(size + ARB_CODEC_PADDING);
    assert_non_null(block);
    return block;
}

static void snappy_gives_what_the_library_packed(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 15, 60, 61, 79, 80, 81, 200, 257, 4096, 65535, 65536, 65537, 300000};
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; i < ARB_COUNT_OF(sizes); i++) {
            size_t size = sizes[i], packed_size = snappy_max_compressed_length(size);
            uint8_t *data = padded(size), *packed = padded(packed_size), *out = padded(size);
            fill(data, size, kind);
            assert_int_equal(snappy_compress((char *)data, size, (char *)packed, &packed_size), SNAPPY_OK);
            assert_int_equal(arb_codec_decode(ARB_CODEC_SNAPPY, packed, packed_size, out, size, NULL), ARB_OK);
            assert_memory_equal(data, out, size);
            arb_error error = {0};
            assert_int_equal(arb_codec_decode(ARB_CODEC_SNAPPY, packed, packed_size, out, size + 1, &error),
                             ARB_CORRUPT_DATA);
            arb_free(data);
            arb_free(packed);
            arb_free(out);
        }
    }
}

/* Whatever bytes are changed, the decoder agrees with the library on whether the block is valid and what it holds. */
static void snappy_agrees_with_the_library_on_damaged_blocks(void **state)
{
    (void)state;
    enum { SIZE = 2000, ROUNDS = 30000 };
    size_t capacity = snappy_max_compressed_length(SIZE), valid = 0, refused = 0;
    uint8_t *data = padded(SIZE), *packed = padded(capacity), *out = padded(SIZE), *expected = padded(SIZE);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t size = 1 + next_random() % SIZE, packed_size = capacity;
        fill(data, size, round % KINDS);
        assert_int_equal(snappy_compress((char *)data, size, (char *)packed, &packed_size), SNAPPY_OK);
        for (unsigned change = (unsigned)(next_random() % 4) + 1; change != 0; change--)
            packed[2 + next_random() % packed_size] = (uint8_t)next_random();
        if (next_random() % 4 == 0)
            packed_size = 1 + next_random() % packed_size;
        /* An exact copy, so that AddressSanitizer sees each byte read behind the padding. */
        uint8_t *exact = padded(packed_size);
        memcpy(exact, packed, packed_size);
        size_t claimed;
        bool has_size = snappy_uncompressed_length((char *)exact, packed_size, &claimed) == SNAPPY_OK;
        size_t room = SIZE;
        bool library = has_size && claimed == size &&
                       snappy_uncompress((char *)exact, packed_size, (char *)expected, &room) == SNAPPY_OK;
        bool ours = arb_snappy_decode(exact, packed_size, out, size, NULL) == ARB_OK;
        assert_int_equal(ours, library);
        if (library)
            assert_memory_equal(out, expected, size);
        valid += library;
        refused += !library;
        arb_free(exact);
    }
    assert_true(valid > 100 && refused > 1000);
    arb_free(data);
    arb_free(packed);
    arb_free(out);
    arb_free(expected);
}

static void other_codecs_round_trip_and_refuse(void **state)
{
    (void)state;
    enum { SIZE = 100000, ROOM = 200000 };
    uint8_t *data = padded(SIZE), *packed = padded(ROOM), *out = padded(SIZE);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        fill(data, SIZE, kind);
        for (arb_codec codec = ARB_CODEC_NONE; codec < ARB_CODEC_BROTLI; codec++) {
            size_t packed_size = SIZE;
            if (codec == ARB_CODEC_SNAPPY)
                continue;
            if (codec == ARB_CODEC_NONE) {
                memcpy(packed, data, SIZE);
            } else if (codec == ARB_CODEC_GZIP) { /* two members */
                packed_size = libdeflate_gzip_compress(compressor, data, SIZE / 3, packed, ROOM);
                packed_size += libdeflate_gzip_compress(compressor, data + SIZE / 3, SIZE - SIZE / 3,
                                                        packed + packed_size, ROOM - packed_size);
            } else if (codec == ARB_CODEC_ZSTD) {
                packed_size = ZSTD_compress(packed, ROOM, data, SIZE, 1);
            } else {
                packed_size = (size_t)LZ4_compress_default((char *)data, (char *)packed, SIZE, ROOM);
            }
            arb_error error = {0};
            assert_int_equal(arb_codec_decode(codec, packed, packed_size, out, SIZE, &error), ARB_OK);
            assert_memory_equal(data, out, SIZE);
            assert_int_equal(arb_codec_decode(codec, packed, packed_size - 1, out, SIZE, &error), ARB_CORRUPT_DATA);
            assert_int_equal(arb_codec_decode(codec, packed, packed_size, out, SIZE - 1, &error), ARB_CORRUPT_DATA);
            assert_non_null(strstr(error.message, arb_codec_name(codec)));
        }
    }
    libdeflate_free_compressor(compressor);
    arb_free(data);
    arb_free(packed);
    arb_free(out);
}

static void crc_is_that_of_gzip(void **state)
{
    (void)state;
    assert_int_equal(arb_crc32(0, "123456789", 9), 0xCBF43926u);
    assert_int_equal(arb_crc32(arb_crc32(0, "1234", 4), "56789", 5), 0xCBF43926u);
}

static void sources_read_within_their_bounds(void **state)
{
    (void)state;
    arb_error error = {0};
    arb_byte_source *source;
    char bytes[4];
    assert_int_equal(arb_byte_source_open_memory(ARB_STR("name"), "0123456789", 10, &source, &error), ARB_OK);
    assert_int_equal(arb_byte_source_read(source, 6, bytes, 4, &error), ARB_OK);
    assert_memory_equal(bytes, "6789", 4);
    assert_int_equal(arb_byte_source_read(source, 7, bytes, 4, &error), ARB_CORRUPT_DATA);
    assert_int_equal(arb_byte_source_read(source, UINT64_MAX, bytes, 4, &error), ARB_CORRUPT_DATA);
    arb_byte_source_destroy(source);

    arb_error_clear(&error);
    assert_int_equal(arb_byte_source_open_local("/no/such/file", &source, &error), ARB_FILE_NOT_FOUND);
    assert_non_null(strstr(error.message, "/no/such/file"));
    assert_int_equal(arb_byte_source_open_local("/", &source, &error), ARB_WRONG_OBJECT_TYPE);
    assert_int_equal(arb_byte_source_open_local(ARB_SOURCE_DIR "/CMakeLists.txt", &source, &error), ARB_OK);
    assert_int_equal(arb_byte_source_read(source, 0, bytes, 4, &error), ARB_OK);
    assert_memory_equal(bytes, "cmak", 4);
    assert_true(source->identity.modified_ns > 0 && source->identity.size > 100);
    arb_byte_source_destroy(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snappy_gives_what_the_library_packed),
        cmocka_unit_test(snappy_agrees_with_the_library_on_damaged_blocks),
        cmocka_unit_test(other_codecs_round_trip_and_refuse),
        cmocka_unit_test(crc_is_that_of_gzip),
        cmocka_unit_test(sources_read_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
