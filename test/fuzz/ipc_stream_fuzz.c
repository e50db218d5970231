/* Arrow's stream format. Input: a stream. */
#include "fuzz_arrow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_byte_source *source;
    arb_arrow_stream *stream;
    arb_arrow_array *array = NULL;
    arb_error error = {0};
    const arb_ipc_options options = {.memory_limit = 16 << 20};
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), data, size, &source, &error) == ARB_OK);
    arb_code code = arb_ipc_stream_open_source(source, &options, &stream, &error);
    for (int batches = 0; code == ARB_OK && batches < 8; batches++) {
        code = arb_arrow_stream_next(stream, &array, &error);
        if (code != ARB_OK || array == NULL)
            break;
        fuzz_use_arrow_array(array);
        arb_arrow_array_unref(array);
    }
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED || code == ARB_NOT_SUPPORTED);
    arb_arrow_stream_destroy(stream);
    arb_byte_source_destroy(source);
    return 0;
}
