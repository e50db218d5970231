/* binder_write_option.c: which file COPY … TO writes, in which format, and how. */
#include "sql/binder_option.h"

/* What writes files, as bits. */
enum { WRITING_CSV = 1, WRITING_PARQUET = 2, WRITING_JSON = 4 };

typedef struct writing {
    arb_bound_statement *out;
    const arb_logical_plan *plan;
} writing;

static arb_csv_write_options *csv_of(void *target)
{
    return &((writing *)target)->out->copy.csv;
}

static arb_parquet_write_options *parquet_of(void *target)
{
    return &((writing *)target)->out->copy.parquet;
}

/* ---- CSV ------------------------------------------------------------------------------------------------------------ */
static arb_code take_byte(arb_binder *b, const arb_option *option, char *out)
{
    ARB_TRY(arb_option_byte(b, option, out));
    return *out != '\0' ? ARB_OK : arb_option_fail(b, option, "one character");
}

static arb_code take_header(arb_binder *b, const arb_option *option, void *target)
{
    bool yes;
    ARB_TRY(arb_option_flag(b, option, &yes));
    csv_of(target)->no_header = !yes;
    return ARB_OK;
}

static arb_code take_delimiter(arb_binder *b, const arb_option *option, void *target)
{
    return take_byte(b, option, &csv_of(target)->delimiter);
}

static arb_code take_quote(arb_binder *b, const arb_option *option, void *target)
{
    return take_byte(b, option, &csv_of(target)->quote);
}

static arb_code take_escape(arb_binder *b, const arb_option *option, void *target)
{
    return take_byte(b, option, &csv_of(target)->escape);
}

static arb_code take_null_text(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_text(b, option, &csv_of(target)->null_text);
}

static arb_code take_date_format(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_text(b, option, &csv_of(target)->date_format);
}

static arb_code take_timestamp_format(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_text(b, option, &csv_of(target)->timestamp_format);
}

/* FORCE_QUOTE *, FORCE_QUOTE (a, b) */
static arb_code take_force_quote(arb_binder *b, const arb_option *option, void *target)
{
    const arb_logical_plan *plan = ((writing *)target)->plan;
    const arb_str *names;
    size_t count;
    ARB_TRY(arb_option_texts(b, option, &names, &count));
    bool *forced = ARB_ARENA_ARRAY(b->arena, bool, plan->column_count + 1);
    ARB_MADE(b, forced);
    for (size_t i = 0; i < count; i++) {
        bool all = arb_str_equal(names[i], ARB_STR("*")), found = all;
        for (size_t k = 0; k < plan->column_count; k++) {
            bool same = all || arb_str_equal_nocase(plan->names[k], names[i]);
            forced[k] = forced[k] || same;
            found = found || same;
        }
        if (!found)
            return arb_bind_fail(b, option->value->span, ARB_UNDEFINED_COLUMN,
                                 "column \"%.*s\" is not among those copied", ARB_STR_ARGS(names[i]));
    }
    csv_of(target)->force_quote = forced;
    return ARB_OK;
}

static arb_code take_file_compression(arb_binder *b, const arb_option *option, void *target)
{
    static const char *const words[] = {"auto", "none", "uncompressed", "gzip", "gz", "zstd", "zst"};
    static const arb_codec codecs[] = {ARB_CODEC_NONE, ARB_CODEC_NONE, ARB_CODEC_NONE, ARB_CODEC_GZIP,
                                       ARB_CODEC_GZIP, ARB_CODEC_ZSTD, ARB_CODEC_ZSTD};
    size_t at;
    ARB_TRY(arb_option_word(b, option, words, ARB_COUNT_OF(words), "none, gzip or zstd", &at));
    if (at != 0) /* else the path's name says it */
        ((writing *)target)->out->copy.codec = codecs[at];
    return ARB_OK;
}

static arb_code take_file_level(arb_binder *b, const arb_option *option, void *target)
{
    int64_t level;
    ARB_TRY(arb_option_integer(b, option, 1, 22, &level));
    ((writing *)target)->out->copy.level = (int)level;
    return ARB_OK;
}

/* ---- Parquet -------------------------------------------------------------------------------------------------------- */
static arb_code take_compression(arb_binder *b, const arb_option *option, void *target)
{
    static const char *const words[] = {"zstd", "snappy", "gzip", "lz4", "lz4_raw", "none", "uncompressed"};
    static const arb_write_codec codecs[] = {ARB_WRITE_ZSTD,    ARB_WRITE_SNAPPY, ARB_WRITE_GZIP, ARB_WRITE_LZ4_RAW,
                                             ARB_WRITE_LZ4_RAW, ARB_WRITE_NONE,   ARB_WRITE_NONE};
    size_t at;
    ARB_TRY(arb_option_word(b, option, words, ARB_COUNT_OF(words), "zstd, snappy, gzip, lz4 or none", &at));
    parquet_of(target)->codec = codecs[at];
    return ARB_OK;
}

static arb_code take_level(arb_binder *b, const arb_option *option, void *target)
{
    int64_t level;
    ARB_TRY(arb_option_integer(b, option, 1, 22, &level));
    parquet_of(target)->level = (int)level;
    return ARB_OK;
}

static arb_code take_group_rows(arb_binder *b, const arb_option *option, void *target)
{
    int64_t rows;
    ARB_TRY(arb_option_integer(b, option, 1, INT32_MAX, &rows));
    parquet_of(target)->row_group_rows = (uint64_t)rows;
    return ARB_OK;
}

static arb_code take_group_bytes(arb_binder *b, const arb_option *option, void *target)
{
    int64_t bytes;
    ARB_TRY(arb_option_integer(b, option, 1, INT64_MAX, &bytes));
    parquet_of(target)->row_group_bytes = (uint64_t)bytes;
    return ARB_OK;
}

static const arb_option_spec specs[] = {
    {"header", WRITING_CSV, take_header},
    {"delimiter delim sep", WRITING_CSV, take_delimiter},
    {"quote", WRITING_CSV, take_quote},
    {"escape", WRITING_CSV, take_escape},
    {"null nullstr null_value", WRITING_CSV, take_null_text},
    {"force_quote", WRITING_CSV, take_force_quote},
    {"dateformat date_format", WRITING_CSV, take_date_format},
    {"timestampformat timestamp_format", WRITING_CSV, take_timestamp_format},
    {"compression", WRITING_CSV | WRITING_JSON, take_file_compression},
    {"compression_level", WRITING_CSV | WRITING_JSON, take_file_level},
    {"compression codec", WRITING_PARQUET, take_compression},
    {"compression_level", WRITING_PARQUET, take_level},
    {"row_group_size", WRITING_PARQUET, take_group_rows},
    {"row_group_size_bytes", WRITING_PARQUET, take_group_bytes},
};

/* ---- all ------------------------------------------------------------------------------------------------------------ */
static const struct {
    const char *name;
    uint32_t writing;
} formats[] = {{"csv", WRITING_CSV},   {"tsv", WRITING_CSV},     {"parquet", WRITING_PARQUET},
               {"json", WRITING_JSON}, {"ndjson", WRITING_JSON}, {"jsonl", WRITING_JSON}};

static arb_codec codec_of_path(arb_str *path)
{
    static const struct {
        const char *suffix;
        arb_codec codec;
    } suffixes[] = {{".gz", ARB_CODEC_GZIP}, {".zst", ARB_CODEC_ZSTD}};
    for (size_t i = 0; i < ARB_COUNT_OF(suffixes); i++)
        if (arb_str_ends_with(*path, arb_str_of(suffixes[i].suffix))) {
            path->size -= strlen(suffixes[i].suffix);
            return suffixes[i].codec;
        }
    return ARB_CODEC_NONE;
}

/* What is said, or else what the path's name says; CSV when it says nothing. */
static arb_str choose_format(arb_binder *b, arb_str said, arb_str path)
{
    if (said.size != 0)
        return said;
    (void)codec_of_path(&path);
    if (arb_str_ends_with(path, ARB_STR(".ndjson")) || arb_str_ends_with(path, ARB_STR(".jsonl")))
        return ARB_STR("ndjson");
    const arb_file_format *format = arb_file_format_of_path(arb_catalog_formats(b->catalog), path, NULL);
    return format != NULL ? arb_str_of(format->name) : ARB_STR("csv");
}

/* The bytes that mean something must be told apart. */
static arb_code check_csv(arb_binder *b, const arb_ast_copy *copy, const arb_csv_write_options *csv)
{
    char delimiter = csv->delimiter, quote = csv->quote != '\0' ? csv->quote : '"';
    bool clash = quote == delimiter || csv->escape == delimiter;
    for (size_t i = 0; i < csv->null_text.size; i++) {
        char c = csv->null_text.data[i];
        clash = clash || c == delimiter || c == quote || c == '\n' || c == '\r';
    }
    return !clash ? ARB_OK
                  : arb_bind_fail(b, copy->base.span, ARB_INVALID_PARAMETER,
                                  "the delimiter, the quote and what stands for NULL cannot be told apart");
}

arb_code arb_bind_write_options(arb_binder *b, const arb_ast_copy *copy, arb_bound_statement *out)
{
    arb_option_list options;
    arb_str format = copy->format.text;
    ARB_TRY(arb_list_options(b, &copy->options, &options));
    ARB_TRY(arb_take_format_option(b, &options, &format));
    format = choose_format(b, format, copy->path.text);
    size_t at = 0;
    while (at < ARB_COUNT_OF(formats) && !arb_str_equal_nocase(format, arb_str_of(formats[at].name)))
        at++;
    if (at == ARB_COUNT_OF(formats))
        return arb_bind_fail(b, copy->base.span, ARB_NOT_SUPPORTED, "files of format \"%.*s\" cannot be written yet",
                             ARB_STR_ARGS(format));
    out->copy.console = copy->console;
    out->copy.path = copy->path.text;
    out->copy.format = arb_str_of(formats[at].name);
    writing target = {.out = out, .plan = &out->plan};
    arb_str path = copy->path.text;
    if (formats[at].writing != WRITING_PARQUET)
        out->copy.codec = codec_of_path(&path);
    ARB_TRY(arb_take_options(b,
                             formats[at].writing == WRITING_CSV       ? "COPY to CSV"
                             : formats[at].writing == WRITING_PARQUET ? "COPY to Parquet"
                                                                      : "COPY to JSON",
                             specs, ARB_COUNT_OF(specs), formats[at].writing, &options, &target));
    if (formats[at].writing != WRITING_CSV)
        return ARB_OK;
    if (out->copy.csv.delimiter == '\0')
        out->copy.csv.delimiter = strcmp(formats[at].name, "tsv") == 0 ? '\t' : ',';
    return check_csv(b, copy, &out->copy.csv);
}
