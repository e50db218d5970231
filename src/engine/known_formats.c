#include "engine/known_formats.h"

#include "formats/csv.h"
#include "formats/parquet.h"

/* Reading a footer takes no time worth stopping. */
static arb_code open_parquet(arb_byte_source *source, arb_stop_flag *stop, arb_table_file **out_file, arb_error *error)
{
    (void)stop;
    return arb_parquet_open(source, out_file, error);
}

static arb_code open_csv(arb_byte_source *source, arb_stop_flag *stop, arb_table_file **out_file, arb_error *error)
{
    const arb_csv_options options = {.stop = stop};
    return arb_csv_open(source, &options, out_file, error);
}

static arb_code open_tsv(arb_byte_source *source, arb_stop_flag *stop, arb_table_file **out_file, arb_error *error)
{
    const arb_csv_options options = {.delimiter = '\t', .stop = stop};
    return arb_csv_open(source, &options, out_file, error);
}

static const arb_file_format formats[] = {
    {"parquet", ".parquet .parq", open_parquet},
    {"csv", ".csv .csv.gz .csv.zst", open_csv},
    {"tsv", ".tsv", open_tsv},
    {"json", ".json .ndjson .jsonl", NULL},
    {"avro", ".avro", NULL},
    {"arrow", ".arrow .feather", NULL},
};

const arb_file_formats arb_known_formats = {formats, ARB_COUNT_OF(formats)};
