/* CSV: what the sniffer finds, what the reader makes of it. The rows are the same however the file is cut into ranges.
 *
 * Input: a file. Options depend on its bytes, so that half of the files are read with none. */
#include "formats/csv.h"
#include "fuzz_table.h"

enum { RANGES_MOST = 20 };

static bool is_refusal(arb_code code)
{
    return code == ARB_BAD_COPY_FORMAT || code == ARB_INVALID_ENCODING || code == ARB_INVALID_TEXT ||
           code == ARB_CORRUPT_DATA || code == ARB_LIMIT_EXCEEDED || code == ARB_OUT_OF_RANGE ||
           code == ARB_INVALID_DATETIME || code == ARB_DATETIME_OVERFLOW || code == ARB_INVALID_PARAMETER;
}

static arb_csv_options choose_options(uint64_t random)
{
    static const char delimiters[] = {0, 0, ',', ';', '\t', '|', ' ', 'a'}, quotes[] = {0, 0, '"', '\''},
                      escapes[] = {0, 0, '\\', '"'}, comments[] = {0, 0, '#', '-'};
    arb_csv_options options = {0};
    if (random & 1)
        return options;
    options.delimiter = delimiters[random >> 1 & 7];
    options.quote = quotes[random >> 4 & 3];
    options.escape = escapes[random >> 6 & 3];
    options.comment = comments[random >> 8 & 3];
    options.no_quotes = (random >> 10 & 7) == 0 && options.quote == 0 && options.escape == 0;
    options.header = (arb_csv_choice)((random >> 13 & 3) % 3);
    options.skip_lines = (random >> 15 & 7) == 0 ? random >> 18 & 3 : 0;
    options.all_text = (random >> 20 & 3) == 0;
    options.null_padding = random >> 22 & 1;
    options.on_error = (arb_csv_on_error)((random >> 23 & 3) % 3);
    options.sample_bytes = (random >> 25 & 3) == 0 ? 20 : 0;
    return options;
}

static arb_code read(const uint8_t *data, size_t size, const arb_csv_options *options, fuzz_rows *rows, bool *whole)
{
    arb_byte_source *source;
    arb_table_file *file;
    arb_error error = {0};
    fuzz_reading how = {0};
    *rows = (fuzz_rows){0};
    *whole = true;
    FUZZ_REQUIRE(arb_byte_source_open_memory(ARB_STR("input"), data, size, &source, &error) == ARB_OK);
    arb_code code = arb_csv_open(source, options, &file, &error);
    if (code == ARB_OK) {
        code = fuzz_read_table(file, &how, rows, whole, &error);
        file->vtable->destroy(file);
    }
    FUZZ_REQUIRE(code == ARB_OK || is_refusal(code));
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t random = arb_hash_bytes(data, size);
    arb_csv_options options = choose_options(random);
    fuzz_rows rows, again;
    bool whole, whole_again;
    arb_code code = read(data, size, &options, &rows, &whole);
    options.range_bytes = ARB_MAX(1 + (random >> 40) % 50, size / RANGES_MOST);
    arb_code code_again = read(data, size, &options, &again, &whole_again);
    if (whole && (whole_again || code_again != ARB_OK)) {
        FUZZ_REQUIRE(code == code_again);
        FUZZ_REQUIRE(code != ARB_OK || (rows.count == again.count && rows.hash == again.hash));
    }
    return 0;
}
