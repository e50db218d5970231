/* copy_statement.c: COPY … TO a file or, as rows, to whoever asked. */
#include "engine/session_internal.h"
#include "formats/row_writer.h"
#include "io/byte_sink.h"

enum { ENOUGH_BYTES = 256 << 10 };

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

static arb_code make_writer(const copy_options *options, const arb_result_columns *columns, arb_row_writer **out_writer,
                            arb_error *error)
{
    *out_writer = NULL;
    bool tsv = arb_str_equal_nocase(options->format, ARB_STR("tsv"));
    if (tsv || arb_str_equal_nocase(options->format, ARB_STR("csv"))) {
        char delimiter = options->delimiter != 0 ? options->delimiter : tsv ? '\t' : ',';
        return arb_csv_writer_create(columns->names, columns->types, columns->column_count, delimiter, options->header,
                                     out_writer, error);
    }
    bool lines = arb_str_equal_nocase(options->format, ARB_STR("ndjson")) ||
                 arb_str_equal_nocase(options->format, ARB_STR("jsonl"));
    if (lines || arb_str_equal_nocase(options->format, ARB_STR("json")))
        return arb_json_writer_create(columns->names, columns->types, columns->column_count, lines, out_writer, error);
    return arb_fail(error, ARB_NOT_SUPPORTED, "files of format \"%.*s\" cannot be written yet",
                    ARB_STR_ARGS(options->format));
}

static arb_code write_buffer(arb_byte_sink *sink, arb_text *buffer, arb_error *error)
{
    arb_code code = arb_byte_sink_write(sink, buffer->data, buffer->size, error);
    arb_text_clear(buffer);
    return code;
}

static arb_code write_rows(arb_result *result, arb_row_writer *writer, arb_byte_sink *sink, arb_text *buffer,
                           arb_error *error)
{
    const arb_batch *batch;
    int64_t rows = 0;
    ARB_TRY(writer->vtable->begin(writer, buffer, error));
    for (;;) {
        ARB_TRY(arb_result_query_next(result, &batch, error));
        if (batch == NULL)
            break;
        rows += batch->selected;
        ARB_TRY(writer->vtable->batch(writer, batch, buffer, error));
        if (buffer->size >= ENOUGH_BYTES)
            ARB_TRY(write_buffer(sink, buffer, error));
    }
    ARB_TRY(writer->vtable->end(writer, buffer, error));
    ARB_TRY(write_buffer(sink, buffer, error));
    result->affected = rows;
    return ARB_OK;
}

static arb_code copy_to_file(arb_result *result, arb_str path, const copy_options *options, arb_error *error)
{
    arb_row_writer *writer = NULL;
    arb_byte_sink *sink = NULL;
    arb_text buffer = {0};
    arb_code code;
    if ((path = arb_str_copy(&result->arena, path)).data == NULL)
        return arb_fail_memory(error, "a path", 0);
    if (path.size == 0 || memchr(path.data, '\0', path.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a path is empty or holds a zero byte");
    ARB_TRY_GOTO(code, make_writer(options, &result->columns, &writer, error), done);
    ARB_TRY_GOTO(code, arb_result_start(result, error), done);
    ARB_TRY_GOTO(code, arb_byte_sink_create_local(path.data, true, &sink, error), done);
    ARB_TRY_GOTO(code, write_rows(result, writer, sink, &buffer, error), done);
    code = arb_byte_sink_finish(sink, error);

done:
    arb_result_stop(result);
    arb_byte_sink_destroy(sink);
    arb_row_writer_destroy(writer);
    arb_text_reset(&buffer);
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
