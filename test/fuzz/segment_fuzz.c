/* Segments of tables in memory: what comes out of any bytes is a chunk of the types and rows that were asked for, and its own
 * bytes give the same chunk again.
 *
 * Input: a byte for the types (below), one for the number of rows, then the segment. */
#include "catalog/segment.h"
#include "fuzz_input.h"

enum { ROWS_MOST = 255 };

/* 2 and 3 are columns of test/sql/data/nested.parquet. */
static size_t make_types(arb_arena *arena, unsigned which, arb_type types[5])
{
    arb_str names[] = {ARB_STR("a"), ARB_STR("b")};
    arb_type fields[] = {ARB_TYPE(INTEGER), ARB_TYPE(VARCHAR)};
    switch (which % 4) {
    case 0:
        types[0] = ARB_TYPE(BIGINT);
        types[1] = ARB_TYPE(VARCHAR);
        return 2;
    case 1:
        types[0] = ARB_TYPE(BOOLEAN);
        types[1] = ARB_TYPE(BLOB);
        types[2] = ARB_TYPE(INTERVAL);
        types[3] = arb_type_decimal(38, 4);
        types[4] = ARB_TYPE(DOUBLE);
        return 5;
    case 2:
        types[0] = arb_type_list(arena, ARB_TYPE(INTEGER));
        types[1] = arb_type_map(arena, ARB_TYPE(VARCHAR), ARB_TYPE(DOUBLE));
        return 2;
    default:
        types[0] = arb_type_struct(arena, names, fields, 2);
        fields[0] = ARB_TYPE(VARCHAR);
        fields[1] = arb_type_list(arena, ARB_TYPE(DATE));
        types[1] = arb_type_list(arena, arb_type_list(arena, arb_type_struct(arena, names, fields, 2)));
        return 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_error error = {0};
    arb_arena arena = {0};
    arb_text bytes = {0}, again = {0};
    arb_type types[5];
    arb_memory_chunk *chunk, *second;
    if (size < 2)
        return 0;
    arb_segment_wanted wanted = {.rows = data[1], .types = types};
    wanted.column_count = make_types(&arena, data[0], types);
    arb_code code = arb_segment_decode((arb_str){(const char *)data + 2, size - 2}, &wanted, NULL, &chunk, &error);
    FUZZ_REQUIRE(code != ARB_INTERNAL && (code == ARB_OK) == (chunk != NULL));
    if (code == ARB_OK) {
        FUZZ_REQUIRE(chunk->rows == wanted.rows && wanted.rows <= ROWS_MOST);
        FUZZ_REQUIRE(arb_memory_chunk_fits(chunk, types, wanted.column_count));
        FUZZ_REQUIRE(arb_segment_encode(chunk, &bytes, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_segment_decode(arb_text_view(&bytes), &wanted, NULL, &second, &error) == ARB_OK);
        FUZZ_REQUIRE(arb_segment_encode(second, &again, &error) == ARB_OK);
        FUZZ_REQUIRE(second->bytes == chunk->bytes && arb_str_equal(arb_text_view(&bytes), arb_text_view(&again)));
        arb_memory_chunk_unref(second);
    }
    arb_memory_chunk_unref(chunk);
    arb_text_reset(&bytes);
    arb_text_reset(&again);
    arb_arena_reset(&arena);
    return 0;
}
