#include "engine/known_formats.h"

#include "formats/csv.h"
#include "formats/parquet.h"

static arb_code open_csv(arb_byte_source *source, arb_table_file **out_file, arb_error *error)
{
    return arb_csv_open(source, NULL, out_file, error);
}

static arb_code open_tsv(arb_byte_source *source, arb_table_file **out_file, arb_error *error)
{
    static const arb_csv_options tabs = {.delimiter = '\t'};
    return arb_csv_open(source, &tabs, out_file, error);
}

static const arb_file_format formats[] = {
    {"parquet", ".parquet .parq", arb_parquet_open},
    {"csv", ".csv .csv.gz .csv.zst", open_csv},
    {"tsv", ".tsv", open_tsv},
    {"json", ".json .ndjson .jsonl", NULL},
    {"avro", ".avro", NULL},
    {"arrow", ".arrow .feather", NULL},
};

const arb_file_formats arb_known_formats = {formats, ARB_COUNT_OF(formats)};
