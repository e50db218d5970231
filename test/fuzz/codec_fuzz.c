/* Every codec: a damaged block is refused and nothing beyond the buffers is touched; what we compress comes back.
 *
 * Input: the codec, the size that is asked for (two bytes), then a block. */
#include "base/alloc.h"
#include "fuzz_input.h"
#include "io/codec_encode.h"

/* From and to buffers that are as long as the contract says, so that a byte beyond is seen. */
static arb_code decode(arb_codec codec, const void *block, size_t size, uint8_t *to, size_t wanted)
{
    arb_error error = {0};
    uint8_t *from = arb_alloc(size + ARB_CODEC_PADDING);
    FUZZ_REQUIRE(from != NULL);
    memset(from, 0xEE, size + ARB_CODEC_PADDING);
    memcpy(from, block, size);
    arb_code code = arb_codec_decode(codec, from, size, to, wanted, &error);
    arb_free(from);
    return code;
}

static void round_trip(arb_codec codec, arb_str text)
{
    arb_codec_encoder *encoder;
    arb_error error = {0};
    if (arb_codec_encoder_create(codec, 0, &encoder, &error) != ARB_OK) {
        FUZZ_REQUIRE(error.code == ARB_NOT_SUPPORTED);
        return;
    }
    size_t bound = arb_codec_encode_bound(encoder, text.size), packed = 0;
    uint8_t *block = arb_alloc(bound), *back = arb_alloc(text.size + ARB_CODEC_PADDING);
    FUZZ_REQUIRE(block != NULL && back != NULL);
    FUZZ_REQUIRE(arb_codec_encode(encoder, text.data, text.size, block, &packed, &error) == ARB_OK && packed <= bound);
    FUZZ_REQUIRE(decode(codec, block, packed, back, text.size) == ARB_OK);
    FUZZ_REQUIRE(memcmp(back, text.data, text.size) == 0);
    arb_free(block);
    arb_free(back);
    arb_codec_encoder_destroy(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = fuzz_input_over(data, size);
    arb_codec codec = (arb_codec)(fuzz_byte(&in) % ARB_CODEC_COUNT);
    size_t wanted = (size_t)fuzz_number(&in, 2);
    arb_str block = fuzz_take(&in, SIZE_MAX);
    uint8_t *to = arb_alloc(wanted + ARB_CODEC_PADDING);
    FUZZ_REQUIRE(to != NULL);
    arb_code code = decode(codec, block.data, block.size, to, wanted);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA);
    arb_free(to);
    round_trip(codec, block);
    return 0;
}
