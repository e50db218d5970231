/* Files that are compressed as a whole: gzip and zstd are found by their first bytes and held in memory.
 *
 * Input: the file. */
#include "fuzz_input.h"
#include "io/decoded_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_byte_source *source;
    arb_error error = {0};
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), data, size, &source, &error) == ARB_OK);
    arb_code code = arb_byte_source_decode(&source, NULL, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED);
    uint64_t all = source->identity.size;
    char piece[512];
    for (uint64_t at = 0; at < all && at < 1 << 20; at += sizeof piece) {
        size_t here = (size_t)ARB_MIN(all - at, (uint64_t)sizeof piece);
        FUZZ_REQUIRE(arb_byte_source_read(source, at, piece, here, &error) == ARB_OK);
    }
    FUZZ_REQUIRE(arb_byte_source_read(source, all, piece, 1, &error) == ARB_CORRUPT_DATA);
    arb_byte_source_destroy(source);
    return 0;
}
