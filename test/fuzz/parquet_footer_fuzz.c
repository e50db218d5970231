/* What Parquet says about itself in Thrift: the footer, with the tables that are made of it; page headers, the indexes
 * over pages, the header of a Bloom filter.
 *
 * Input: a structure of any of these kinds. */
#include "formats/parquet.h"
#include "formats/parquet/page_metadata.h"
#include "fuzz_input.h"

/* As the footer of a file that has nothing else. */
static void as_footer(const uint8_t *data, size_t size)
{
    arb_text text = {0};
    arb_error error = {0};
    uint32_t footer_size = (uint32_t)size;
    arb_text_append_str(&text, ARB_STR("PAR1"));
    arb_text_append(&text, (const char *)data, size);
    arb_text_append(&text, (const char *)&footer_size, sizeof footer_size);
    arb_text_append_str(&text, ARB_STR("PAR1"));
    arb_byte_source *source;
    arb_table_file *file;
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), text.data, text.size, &source, &error) == ARB_OK);
    arb_code code = arb_parquet_open(source, &file, &error);
    FUZZ_REQUIRE(code == ARB_OK || code == ARB_CORRUPT_DATA || code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED);
    if (code == ARB_OK) {
        uint64_t rows = 0;
        for (size_t i = 0; i < file->split_count; i++) {
            FUZZ_REQUIRE(file->splits[i].number == i && file->splits[i].first_row == rows);
            rows += file->splits[i].rows;
        }
        FUZZ_REQUIRE(rows == file->rows);
        for (size_t i = 0; i < file->column_count; i++) {
            const arb_column_statistics *statistics = &file->columns[i].statistics;
            FUZZ_REQUIRE(!statistics->has_range || statistics->low <= statistics->high);
        }
        file->vtable->destroy(file);
    }
    arb_text_reset(&text);
}

static void as_indexes(const uint8_t *data, size_t size)
{
    arb_held_arena arena = {0};
    arb_error error = {0};
    arb_parquet_offset_index offsets;
    arb_parquet_column_index columns;
    if (arb_parquet_offset_index_parse(data, size, &arena, &offsets, &error) == ARB_OK)
        for (uint32_t i = 0; i < offsets.count; i++)
            FUZZ_REQUIRE(offsets.pages[i].offset >= 0 && offsets.pages[i].size >= 0 && offsets.pages[i].first_row >= 0);
    if (arb_parquet_column_index_parse(data, size, &arena, &columns, &error) == ARB_OK)
        for (uint32_t i = 0; i < columns.count; i++)
            FUZZ_REQUIRE(columns.null_pages[i] <= 1 && columns.mins[i].size <= size && columns.maxs[i].size <= size);
    arb_held_arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_footer(data, size);
    as_indexes(data, size);
    arb_parquet_page_header header;
    size_t used = 0;
    if (arb_parquet_page_header_parse(data, size, &header, &used)) {
        FUZZ_REQUIRE(used <= size && header.uncompressed_size >= 0 && header.compressed_size >= 0);
        FUZZ_REQUIRE(header.value_count >= 0);
    }
    if (arb_parquet_bloom_header_parse(data, size, &used) != 0)
        FUZZ_REQUIRE(used <= size);
    return 0;
}
