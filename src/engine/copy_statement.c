/* copy_statement.c: COPY … TO a file or, as rows, to whoever asked. */
#include "engine/session_internal.h"
#include "formats/writer.h"

typedef struct copy_options {
    arb_str format;
    bool header;
    char delimiter; /* 0: the format's own */
} copy_options;

static arb_code bad_option(const arb_bound_option *option, arb_error *error)
{
    return arb_fail(error, ARB_INVALID_PARAMETER, "COPY's option %.*s cannot have this value",
                    ARB_STR_ARGS(option->name));
}

static arb_code read_flag(const arb_bound_option *option, bool *out, arb_error *error)
{
    const arb_value *value = &option->value;
    *out = true;
    if (!option->has_value)
        return ARB_OK;
    if (value->is_null || (value->type.id != ARB_TYPE_BOOLEAN && !arb_type_is_integer(value->type)))
        return bad_option(option, error);
    *out = value->type.id == ARB_TYPE_BOOLEAN ? value->boolean : value->integer != 0;
    return ARB_OK;
}

static arb_code read_text(const arb_bound_option *option, arb_str *out, arb_error *error)
{
    if (!option->has_value || option->value.is_null || option->value.type.id != ARB_TYPE_VARCHAR)
        return bad_option(option, error);
    *out = option->value.text;
    return ARB_OK;
}

static arb_code read_options(const arb_bound_statement *statement, copy_options *options, arb_error *error)
{
    *options = (copy_options){.format = statement->copy.format, .header = true};
    for (size_t i = 0; i < statement->copy.options.size; i++) {
        const arb_bound_option *option = &statement->copy.options.data[i];
        if (arb_str_equal_nocase(option->name, ARB_STR("format"))) {
            ARB_TRY(read_text(option, &options->format, error));
        } else if (arb_str_equal_nocase(option->name, ARB_STR("header"))) {
            ARB_TRY(read_flag(option, &options->header, error));
        } else if (arb_str_equal_nocase(option->name, ARB_STR("delimiter")) ||
                   arb_str_equal_nocase(option->name, ARB_STR("delim")) ||
                   arb_str_equal_nocase(option->name, ARB_STR("sep"))) {
            arb_str text;
            ARB_TRY(read_text(option, &text, error));
            if (text.size != 1 || strchr("\"\n\r", text.data[0]) != NULL)
                return bad_option(option, error);
            options->delimiter = text.data[0];
        } else {
            return arb_fail(error, ARB_INVALID_PARAMETER, "COPY has no option \"%.*s\"", ARB_STR_ARGS(option->name));
        }
    }
    return ARB_OK;
}

/* Takes the sink over, also on failure. */
static arb_code make_writer(const copy_options *options, arb_byte_sink *sink, const arb_table_schema *schema,
                            arb_table_writer **out_writer, arb_error *error)
{
    arb_str format = options->format;
    bool tsv = arb_str_equal_nocase(format, ARB_STR("tsv"));
    if (tsv || arb_str_equal_nocase(format, ARB_STR("csv"))) {
        char delimiter = options->delimiter != 0 ? options->delimiter : tsv ? '\t' : ',';
        arb_csv_write_options csv = {.delimiter = delimiter, .no_header = !options->header};
        return arb_csv_table_writer_create(sink, schema, &csv, out_writer, error);
    }
    bool lines = arb_str_equal_nocase(format, ARB_STR("ndjson")) || arb_str_equal_nocase(format, ARB_STR("jsonl"));
    if (lines || arb_str_equal_nocase(format, ARB_STR("json")))
        return arb_json_table_writer_create(sink, schema, lines, out_writer, error);
    if (arb_str_equal_nocase(format, ARB_STR("parquet")))
        return arb_parquet_writer_create(sink, schema, NULL, out_writer, error);
    arb_byte_sink_destroy(sink);
    return arb_fail(error, ARB_NOT_SUPPORTED, "files of format \"%.*s\" cannot be written yet", ARB_STR_ARGS(format));
}

static arb_code write_rows(arb_result *result, arb_table_writer *writer, arb_error *error)
{
    const arb_batch *batch;
    int64_t rows = 0;
    for (;;) {
        ARB_TRY(arb_result_query_next(result, &batch, error));
        if (batch == NULL)
            break;
        rows += batch->selected;
        ARB_TRY(arb_table_writer_append(writer, batch, error));
    }
    ARB_TRY(arb_table_writer_finish(writer, error));
    result->affected = rows;
    return ARB_OK;
}

static arb_code copy_to_file(arb_result *result, arb_str path, const copy_options *options, arb_error *error)
{
    arb_table_schema schema = {
        .column_count = result->columns.column_count, .names = result->columns.names, .types = result->columns.types};
    arb_table_writer *writer = NULL;
    arb_byte_sink *sink;
    if ((path = arb_str_copy(&result->arena, path)).data == NULL)
        return arb_fail_memory(error, "a path", 0);
    if (path.size == 0 || memchr(path.data, '\0', path.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a path is empty or holds a zero byte");
    ARB_TRY(arb_byte_sink_create_local(path.data, true, &sink, error));
    ARB_TRY(make_writer(options, sink, &schema, &writer, error));
    writer->stop = &result->session->cancelled;
    arb_code code = arb_result_start(result, error);
    if (code == ARB_OK)
        code = write_rows(result, writer, error);
    arb_result_stop(result);
    arb_table_writer_destroy(writer);
    return code;
}

/* The format that the path's name says when no option does. */
static void choose_format(const arb_result *result, arb_str path, copy_options *options)
{
    if (options->format.size > 0)
        return;
    const arb_file_format *format = arb_file_format_of_path(arb_runtime_formats(result->session->runtime), path, NULL);
    if (arb_str_ends_with(path, ARB_STR(".ndjson")) || arb_str_ends_with(path, ARB_STR(".jsonl")))
        options->format = ARB_STR("ndjson");
    else
        options->format = format != NULL ? arb_str_of(format->name) : ARB_STR("csv");
}

arb_code arb_statement_copy_to(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    copy_options options;
    if (statement->copy.partition_count > 0)
        return arb_fail(error, ARB_NOT_SUPPORTED, "COPY cannot write folders that are columns yet");
    ARB_TRY(read_options(statement, &options, error));
    if (statement->copy.console) /* the rows are the result; whoever asked writes them */
        return arb_result_query(result, &statement->plan, error);
    ARB_TRY(arb_result_columns_of(result, &statement->plan, error));
    ARB_TRY(arb_result_plan(result, &statement->plan, NULL, error));
    choose_format(result, statement->copy.path, &options);
    arb_code code = copy_to_file(result, statement->copy.path, &options, error);
    result->columns = (arb_result_columns){0};
    return code;
}
