/* Our Snappy decoder beside the library's: what one takes the other takes, and both give the same bytes.
 *
 * Input: the size that is asked for, less the one that the block says (a signed byte), then a block. */
#include <snappy-c.h>

#include "base/alloc.h"
#include "fuzz_input.h"
#include "io/codec.h"

enum { LARGEST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    int8_t off = (int8_t)fuzz_byte(&in);
    arb_str block = fuzz_take(&in, SIZE_MAX);
    size_t claimed = 0;
    if (snappy_uncompressed_length(block.data, block.size, &claimed) != SNAPPY_OK || claimed > LARGEST)
        claimed = 100;
    size_t wanted = off < 0 && (size_t)-off > claimed ? 0 : claimed + (size_t)(ptrdiff_t)off;
    /* Exactly as much memory as the contract says, so that a byte beyond is seen. */
    uint8_t *from = arb_alloc(block.size + ARB_CODEC_PADDING), *to = arb_alloc(wanted + ARB_CODEC_PADDING);
    char *expected = arb_alloc(claimed);
    FUZZ_REQUIRE(from != NULL && to != NULL && expected != NULL);
    memset(from, 0xEE, block.size + ARB_CODEC_PADDING);
    memcpy(from, block.data, block.size);
    arb_error error = {0};
    arb_code code = arb_codec_decode(ARB_CODEC_SNAPPY, from, block.size, to, wanted, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA);
    size_t got = claimed;
    bool sound = snappy_uncompress(block.data, block.size, expected, &got) == SNAPPY_OK && got == wanted;
    /* To the library a literal of 2^32 bytes has none. */
    bool wraps = memmem(block.data, block.size, "\xFC\xFF\xFF\xFF\xFF", 5) != NULL;
    FUZZ_REQUIRE(sound == (code == ARB_OK) || (sound && wraps));
    FUZZ_REQUIRE(code != ARB_OK || memcmp(expected, to, wanted) == 0);
    arb_free(from);
    arb_free(to);
    arb_free(expected);
    return 0;
}
