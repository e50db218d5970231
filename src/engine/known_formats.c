#include "engine/known_formats.h"

#include "formats/csv.h"
#include "formats/parquet.h"

/* The file says all, and reading a footer takes no time worth stopping. */
static arb_code open_parquet(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                             arb_table_file **out_file, arb_error *error)
{
    (void)options, (void)stop;
    return arb_parquet_open(source, out_file, error);
}

static arb_code open_csv(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                         arb_table_file **out_file, arb_error *error)
{
    arb_csv_options csv = options != NULL ? options->csv : (arb_csv_options){0};
    csv.stop = stop;
    return arb_csv_open(source, &csv, out_file, error);
}

static arb_code open_tsv(arb_byte_source *source, const arb_file_options *options, arb_stop_flag *stop,
                         arb_table_file **out_file, arb_error *error)
{
    arb_csv_options csv = options != NULL ? options->csv : (arb_csv_options){0};
    csv.stop = stop;
    if (csv.delimiter == '\0')
        csv.delimiter = '\t';
    return arb_csv_open(source, &csv, out_file, error);
}

static arb_type common_type(const arb_file_options *options, arb_type a, arb_type b)
{
    return arb_csv_common_type(options != NULL ? &options->csv : NULL, a, b);
}

static const arb_file_format formats[] = {
    {"parquet", ".parquet .parq", open_parquet, NULL},
    {"csv", ".csv .csv.gz .csv.zst", open_csv, common_type},
    {"tsv", ".tsv .tsv.gz .tsv.zst", open_tsv, common_type},
    {"json", ".json .ndjson .jsonl", NULL, NULL},
    {"avro", ".avro", NULL, NULL},
    {"arrow", ".arrow .feather", NULL, NULL},
};

const arb_file_formats arb_known_formats = {formats, ARB_COUNT_OF(formats)};
