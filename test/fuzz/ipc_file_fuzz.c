/* Arrow's file format. Input: a file. */
#include "columnar/ipc/ipc_file_reader.h"
#include "fuzz_arrow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_byte_source *source;
    arb_ipc_file *file = NULL;
    arb_error error = {0};
    bool is_file;
    const arb_ipc_options options = {.memory_limit = 16 << 20};
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), data, size, &source, &error) == ARB_OK);
    FUZZ_REQUIRE(arb_ipc_file_detect(source, &is_file, &error) == ARB_OK);
    arb_code code = arb_ipc_file_open(source, &options, &file, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED || code == ARB_NOT_SUPPORTED);
    /* The last first: batches do not depend on each other. */
    size_t batches = code == ARB_OK ? ARB_MIN(arb_ipc_file_batch_count(file), (size_t)8) : 0;
    for (size_t i = batches; i-- > 0;) {
        int64_t rows;
        uint64_t bytes;
        arb_arrow_array *array;
        arb_error_clear(&error);
        arb_code counted = arb_ipc_file_batch_rows(file, i, &rows, &bytes, &error);
        code = arb_ipc_file_read_batch(file, i, &array, &error);
        if (code != ARB_OK)
            continue;
        FUZZ_REQUIRE(counted == ARB_OK && rows == arb_arrow_array_length(array) && bytes <= size);
        fuzz_use_arrow_array(array);
        arb_arrow_array_unref(array);
    }
    arb_ipc_file_destroy(file);
    arb_byte_source_destroy(source);
    return 0;
}
