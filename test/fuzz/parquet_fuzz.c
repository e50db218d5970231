/* Parquet files: opened, every column read; then again as queries do, with dictionaries kept, whole numbers narrowed to
 * what the footer claims, and conditions on two columns.
 *
 * Input: a file. How it is read the second time depends on its bytes. */
#include "formats/parquet.h"
#include "fuzz_table.h"

static bool is_refusal(arb_code code)
{
    return code == ARB_CORRUPT_DATA || code == ARB_NOT_SUPPORTED || code == ARB_LIMIT_EXCEEDED ||
           code == ARB_OUT_OF_RANGE || code == ARB_DATETIME_OVERFLOW || code == ARB_INVALID_ENCODING;
}

/* A condition on one of the columns that can be read, made of what the footer says of it. */
static void add_condition(const arb_table_file *file, uint64_t random, fuzz_reading *how)
{
    uint32_t source = (uint32_t)(random % file->column_count);
    const arb_table_column *column = &file->columns[source];
    arb_scan_column alone = {.source = source, .physical = arb_type_physical(column->type)};
    if (!fuzz_readable(file, &alone))
        return;
    scan_condition *c = &how->conditions[how->condition_count];
    *c = (scan_condition){.kind = SCAN_CONDITION_THERE, .low = -100, .high = 100, .text = ARB_STR("a")};
    if (column->statistics.has_range) {
        c->low = column->statistics.low;
        c->high = random & 64 ? c->low : c->low + (column->statistics.high / 2 - c->low / 2);
    }
    if (arb_physical_is_integer(alone.physical) && random & 128)
        c->kind = SCAN_CONDITION_RANGE;
    else if (alone.physical == ARB_PHYS_STRING && random & 128)
        c->kind = SCAN_CONDITION_EQUAL;
    how->sources[how->condition_count++] = source;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arb_byte_source *source;
    arb_table_file *file;
    arb_error error = {0};
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), data, size, &source, &error) == ARB_OK);
    arb_code code = arb_parquet_open(source, &file, &error);
    FUZZ_REQUIRE(code == ARB_OK || is_refusal(code));
    if (code != ARB_OK)
        return 0;
    fuzz_reading plain = {0}, other = {.codes = true};
    fuzz_rows rows, again;
    bool whole, whole_again;
    code = fuzz_read_table(file, &plain, &rows, &whole, &error);
    FUZZ_REQUIRE(code == ARB_OK || is_refusal(code));
    FUZZ_REQUIRE(!whole || rows.count == file->rows || file->column_count == 0);
    uint64_t random = arb_hash_bytes(data, size);
    other.narrow = random & 1;
    other.late = random & 2;
    if (random & 4 && file->column_count > 0) {
        add_condition(file, random >> 8, &other);
        if (random & 8)
            add_condition(file, random >> 24, &other);
    }
    arb_error_clear(&error);
    arb_code code_again = fuzz_read_table(file, &other, &again, &whole_again, &error);
    FUZZ_REQUIRE(code_again == ARB_OK || is_refusal(code_again));
    /* Without conditions and claims that may be false it is the same table. */
    if (!other.narrow && other.condition_count == 0) {
        FUZZ_REQUIRE(code == code_again);
        FUZZ_REQUIRE(code != ARB_OK || (rows.count == again.count && rows.hash == again.hash));
    }
    file->vtable->destroy(file);
    return 0;
}
