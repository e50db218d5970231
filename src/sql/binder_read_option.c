/* binder_read_option.c: how files are read: the options of read_csv, read_parquet, COPY … FROM, CREATE EXTERNAL TABLE. */
#include "sql/binder_option.h"

typedef struct reading {
    arb_file_options *options;
    bool types_said, columns_said, guess_nothing;
} reading;

static arb_csv_options *csv_of(void *target)
{
    return &((reading *)target)->options->csv;
}

/* ---- how a CSV file is written -------------------------------------------------------------------------------------- */
static arb_code take_delimiter(arb_binder *b, const arb_option *option, void *target)
{
    ARB_TRY(arb_option_byte(b, option, &csv_of(target)->delimiter));
    return csv_of(target)->delimiter != '\0' ? ARB_OK : arb_option_fail(b, option, "one character");
}

static arb_code take_quote(arb_binder *b, const arb_option *option, void *target)
{
    ARB_TRY(arb_option_byte(b, option, &csv_of(target)->quote));
    csv_of(target)->no_quotes = csv_of(target)->quote == '\0';
    return ARB_OK;
}

static arb_code take_escape(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_byte(b, option, &csv_of(target)->escape);
}

static arb_code take_comment(arb_binder *b, const arb_option *option, void *target)
{
    ARB_TRY(arb_option_byte(b, option, &csv_of(target)->comment));
    csv_of(target)->no_comments = csv_of(target)->comment == '\0';
    return ARB_OK;
}

static arb_code take_header(arb_binder *b, const arb_option *option, void *target)
{
    bool yes;
    ARB_TRY(arb_option_flag(b, option, &yes));
    csv_of(target)->header = yes ? ARB_CSV_YES : ARB_CSV_NO;
    return ARB_OK;
}

static arb_code take_skip(arb_binder *b, const arb_option *option, void *target)
{
    int64_t lines;
    ARB_TRY(arb_option_integer(b, option, 0, INT64_MAX, &lines));
    csv_of(target)->skip_lines = (uint64_t)lines;
    return ARB_OK;
}

static arb_code take_null_texts(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_texts(b, option, &csv_of(target)->null_texts, &csv_of(target)->null_text_count);
}

static arb_code take_quoted_nulls(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_flag(b, option, &csv_of(target)->quoted_nulls);
}

static arb_code take_never_null(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_texts(b, option, &csv_of(target)->never_null, &csv_of(target)->never_null_count);
}

static arb_code take_padding(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_flag(b, option, &csv_of(target)->null_padding);
}

static arb_code take_ignore_errors(arb_binder *b, const arb_option *option, void *target)
{
    bool yes;
    ARB_TRY(arb_option_flag(b, option, &yes));
    csv_of(target)->on_error = yes ? ARB_CSV_SKIP_ROW : ARB_CSV_FAIL;
    return ARB_OK;
}

static arb_code take_on_error(arb_binder *b, const arb_option *option, void *target)
{
    static const char *const words[] = {"stop", "ignore", "set_null"};
    static const arb_csv_on_error choices[] = {ARB_CSV_FAIL, ARB_CSV_SKIP_ROW, ARB_CSV_NULL_CELL};
    size_t at;
    ARB_TRY(arb_option_word(b, option, words, ARB_COUNT_OF(words), "stop, ignore or set_null", &at));
    csv_of(target)->on_error = choices[at];
    return ARB_OK;
}

static arb_code take_date_format(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_text(b, option, &csv_of(target)->date_format);
}

static arb_code take_timestamp_format(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_text(b, option, &csv_of(target)->timestamp_format);
}

/* What a file is compressed with is seen from its content. */
static arb_code take_compression(arb_binder *b, const arb_option *option, void *target)
{
    static const char *const words[] = {"auto", "auto_detect", "none", "uncompressed", "gzip", "gz", "zstd", "zst"};
    size_t at;
    (void)target;
    return arb_option_word(b, option, words, ARB_COUNT_OF(words), "auto, none, gzip or zstd", &at);
}

static arb_code take_encoding(arb_binder *b, const arb_option *option, void *target)
{
    static const char *const words[] = {"utf-8", "utf8"};
    size_t at;
    (void)target;
    return arb_option_word(b, option, words, ARB_COUNT_OF(words), "utf-8", &at);
}

/* ---- which columns it has ------------------------------------------------------------------------------------------- */
static arb_code take_columns(arb_binder *b, const arb_option *option, void *target)
{
    const arb_csv_column_type *columns;
    size_t count;
    ARB_TRY(arb_option_types(b, option, &columns, &count));
    arb_str *names = ARB_ARENA_ARRAY(b->arena, arb_str, count + 1);
    arb_type *types = ARB_ARENA_ARRAY(b->arena, arb_type, count + 1);
    ARB_MADE_IF(b, names != NULL && types != NULL);
    for (size_t i = 0; i < count; i++) {
        names[i] = columns[i].name;
        types[i] = columns[i].type;
        if (names[i].size == 0)
            return arb_option_fail(b, option, "the names of all columns with their types, {'a': 'INTEGER'}");
        for (size_t k = 0; k < i; k++)
            if (arb_str_equal_nocase(names[k], names[i]))
                return arb_bind_fail(b, option->value->span, ARB_DUPLICATE_COLUMN,
                                     "column \"%.*s\" is given more than once", ARB_STR_ARGS(names[i]));
    }
    if (count == 0)
        return arb_option_fail(b, option, "at least one column");
    csv_of(target)->names = names;
    csv_of(target)->types = types;
    csv_of(target)->column_count = count;
    ((reading *)target)->columns_said = true;
    return ARB_OK;
}

static arb_code take_types(arb_binder *b, const arb_option *option, void *target)
{
    ((reading *)target)->types_said = true;
    return arb_option_types(b, option, &csv_of(target)->some_types, &csv_of(target)->some_type_count);
}

static arb_code take_names(arb_binder *b, const arb_option *option, void *target)
{
    ((reading *)target)->types_said = true;
    return arb_option_texts(b, option, &csv_of(target)->first_names, &csv_of(target)->first_name_count);
}

static arb_code take_all_text(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_flag(b, option, &csv_of(target)->all_text);
}

static arb_code take_sample_size(arb_binder *b, const arb_option *option, void *target)
{
    int64_t rows;
    ARB_TRY(arb_option_integer(b, option, -1, INT64_MAX, &rows));
    if (rows == 0)
        return arb_option_fail(b, option, "a number of rows, or -1 for all");
    csv_of(target)->sample_rows = (uint64_t)rows; /* -1 is more than there are */
    return ARB_OK;
}

static arb_code take_auto_detect(arb_binder *b, const arb_option *option, void *target)
{
    bool yes;
    ARB_TRY(arb_option_flag(b, option, &yes));
    ((reading *)target)->guess_nothing = !yes;
    return ARB_OK;
}

/* ---- files of any format -------------------------------------------------------------------------------------------- */
static arb_code take_file_name(arb_binder *b, const arb_option *option, void *target)
{
    arb_str *name = &((reading *)target)->options->file_name_column;
    bool yes = true;
    if (option->value != NULL && option->value->kind == ARB_AST_LITERAL &&
        arb_ast_as_literal(option->value)->type == ARB_AST_STRING)
        return arb_option_text(b, option, name);
    ARB_TRY(arb_option_flag(b, option, &yes));
    *name = yes ? ARB_STR("filename") : (arb_str){0};
    return ARB_OK;
}

static arb_code take_union(arb_binder *b, const arb_option *option, void *target)
{
    return arb_option_flag(b, option, &((reading *)target)->options->union_by_name);
}

static arb_code take_hive(arb_binder *b, const arb_option *option, void *target)
{
    bool yes;
    ARB_TRY(arb_option_flag(b, option, &yes));
    ((reading *)target)->options->hive = yes ? ARB_HIVE_YES : ARB_HIVE_NO;
    return ARB_OK;
}

static arb_code take_hive_types(arb_binder *b, const arb_option *option, void *target)
{
    arb_file_options *options = ((reading *)target)->options;
    ARB_TRY(arb_option_types(b, option, &options->hive_types, &options->hive_type_count));
    for (size_t i = 0; i < options->hive_type_count; i++)
        if (options->hive_types[i].name.size == 0)
            return arb_option_fail(b, option, "types by name, {'a': 'INTEGER'}");
    return ARB_OK;
}

static const arb_option_spec specs[] = {
    {"delim sep delimiter field_delimiter", ARB_READING_CSV, take_delimiter},
    {"quote", ARB_READING_CSV, take_quote},
    {"escape", ARB_READING_CSV, take_escape},
    {"comment", ARB_READING_CSV, take_comment},
    {"header has_header", ARB_READING_CSV, take_header},
    {"skip", ARB_READING_CSV, take_skip},
    {"nullstr null null_value", ARB_READING_CSV, take_null_texts},
    {"allow_quoted_nulls", ARB_READING_CSV, take_quoted_nulls},
    {"force_not_null", ARB_READING_CSV, take_never_null},
    {"null_padding", ARB_READING_CSV, take_padding},
    {"ignore_errors", ARB_READING_CSV, take_ignore_errors},
    {"on_error", ARB_READING_CSV, take_on_error},
    {"dateformat date_format", ARB_READING_CSV, take_date_format},
    {"timestampformat timestamp_format", ARB_READING_CSV, take_timestamp_format},
    {"compression", ARB_READING_CSV, take_compression},
    {"encoding", ARB_READING_CSV, take_encoding},
    {"columns", ARB_READING_COLUMNS, take_columns},
    {"types dtypes column_types", ARB_READING_COLUMNS, take_types},
    {"names column_names", ARB_READING_COLUMNS, take_names},
    {"all_varchar", ARB_READING_COLUMNS, take_all_text},
    {"sample_size", ARB_READING_COLUMNS, take_sample_size},
    {"auto_detect", ARB_READING_COLUMNS, take_auto_detect},
    {"filename", ARB_READING_FILES, take_file_name},
    {"union_by_name", ARB_READING_FILES, take_union},
    {"hive_partitioning", ARB_READING_FILES, take_hive},
    {"hive_types", ARB_READING_FILES, take_hive_types},
};

/* Without guesses a file is what RFC 4180 says, has no header, and columns of text unless they are said. */
static void guess_nothing(arb_csv_options *csv)
{
    csv->delimiter = csv->delimiter != '\0' ? csv->delimiter : ',';
    csv->quote = csv->quote != '\0' || csv->no_quotes ? csv->quote : '"';
    csv->escape = csv->escape != '\0' ? csv->escape : csv->quote;
    csv->no_comments = csv->comment == '\0';
    csv->header = csv->header == ARB_CSV_AUTO ? ARB_CSV_NO : csv->header;
    csv->all_text = true;
}

arb_code arb_bind_file_options(arb_binder *b, const char *what, uint32_t uses, const arb_option_list *options,
                               arb_file_options **out)
{
    *out = NULL;
    if (options->size == 0)
        return ARB_OK;
    reading read = {.options = ARB_ARENA_NEW(b->arena, arb_file_options)};
    ARB_MADE(b, read.options);
    ARB_TRY(arb_take_options(b, what, specs, ARB_COUNT_OF(specs), uses, options, &read));
    if (read.columns_said && read.types_said)
        return arb_bind_fail(b, options->data[0].span, ARB_INVALID_PARAMETER,
                             "\"columns\" says all names and types; \"names\" and \"types\" cannot be given with it");
    if (read.guess_nothing)
        guess_nothing(&read.options->csv);
    read.options->csv.may_lack_columns = read.options->union_by_name; /* the table must have them */
    *out = read.options;
    return ARB_OK;
}

/* ---- formats -------------------------------------------------------------------------------------------------------- */
bool arb_file_format_is_csv(const arb_file_format *format)
{
    return strcmp(format->name, "csv") == 0 || strcmp(format->name, "tsv") == 0;
}

arb_code arb_bind_file_format(arb_binder *b, arb_str name, arb_ast_span span, const arb_file_format **out)
{
    *out = NULL;
    if (name.size == 0)
        return ARB_OK;
    *out = arb_file_format_find(arb_catalog_formats(b->catalog), name);
    return *out != NULL ? ARB_OK
                        : arb_bind_fail(b, span, ARB_NOT_SUPPORTED, "there is no format \"%.*s\"", ARB_STR_ARGS(name));
}
