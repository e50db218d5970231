/* Blocks of a spill file: what was written comes back; a file that was damaged on disk is noticed.
 *
 * Input: sizes of blocks, then damages (where, which bits), then the blocks' bytes, over and over. */
#include <unistd.h>

#include "base/alloc.h"
#include "fuzz_input.h"
#include "io/codec.h"
#include "io/spill_file.h"

enum { BLOCKS = 4, SIZE_MOST = 5000 };

static bool read_is(const arb_spill_file *file, const arb_spill_block *block, const uint8_t *expected,
                    arb_code *out_code)
{
    arb_error error = {0};
    uint8_t *to = arb_alloc((size_t)block->size + ARB_CODEC_PADDING);
    FUZZ_REQUIRE(to != NULL);
    *out_code = arb_spill_file_read(file, block, to, &error);
    bool same = *out_code == ARB_OK && memcmp(to, expected, block->size) == 0;
    arb_free(to);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    arb_spill_file file;
    arb_spill_block blocks[BLOCKS];
    uint8_t *bytes[BLOCKS];
    arb_error error = {0};
    arb_code code;
    uint64_t damages = fuzz_number(&in, 4);
    unsigned flip = fuzz_byte(&in);
    size_t sizes[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        sizes[i] = (size_t)fuzz_number(&in, 2) % SIZE_MOST;
    arb_str content = fuzz_take(&in, SIZE_MAX);
    arb_spill_file_init(&file, "/tmp");
    for (size_t i = 0; i < BLOCKS; i++) {
        bytes[i] = arb_alloc_zeroed(sizes[i]);
        FUZZ_REQUIRE(bytes[i] != NULL);
        for (size_t j = 0; j < sizes[i] && content.size != 0; j++)
            bytes[i][j] = (uint8_t)content.data[(j * (i + 1)) % content.size];
        FUZZ_REQUIRE(arb_spill_file_write(&file, bytes[i], sizes[i], &blocks[i], &error) == ARB_OK);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        FUZZ_REQUIRE(read_is(&file, &blocks[i], bytes[i], &code));
    /* Blocks do not take each other's place, unless they are the same. */
    arb_spill_block moved = blocks[0];
    moved.offset = blocks[1].offset;
    if (moved.stored != 0 && read_is(&file, &moved, bytes[0], &code))
        FUZZ_REQUIRE(false);
    uint64_t end = atomic_load(&file.next);
    if (end != 0 && flip != 0) {
        uint64_t place = damages % end;
        uint8_t byte;
        FUZZ_REQUIRE(pread(file.descriptor, &byte, 1, (off_t)place) == 1);
        byte ^= (uint8_t)flip;
        FUZZ_REQUIRE(pwrite(file.descriptor, &byte, 1, (off_t)place) == 1);
        for (size_t i = 0; i < BLOCKS; i++) {
            bool hit = place >= blocks[i].offset && place < blocks[i].offset + blocks[i].stored;
            FUZZ_REQUIRE(read_is(&file, &blocks[i], bytes[i], &code) == !hit);
            FUZZ_REQUIRE(!hit || code == ARB_CORRUPT_DATA);
        }
        FUZZ_REQUIRE(ftruncate(file.descriptor, (off_t)(end - 1)) == 0);
        for (size_t i = 0; i < BLOCKS; i++)
            if (blocks[i].stored != 0 && blocks[i].offset + blocks[i].stored == end)
                FUZZ_REQUIRE(!read_is(&file, &blocks[i], bytes[i], &code) && code == ARB_CORRUPT_DATA);
    }
    arb_spill_file_reset(&file);
    for (size_t i = 0; i < BLOCKS; i++)
        arb_free(bytes[i]);
    return 0;
}
