#include "engine/known_formats.h"

#include "formats/parquet.h"

static const arb_file_format formats[] = {
    {"parquet", ".parquet .parq", arb_parquet_open}, {"csv", ".csv", NULL},   {"tsv", ".tsv", NULL},
    {"json", ".json .ndjson .jsonl", NULL},          {"avro", ".avro", NULL}, {"arrow", ".arrow .feather", NULL},
};

const arb_file_formats arb_known_formats = {formats, ARB_COUNT_OF(formats)};
