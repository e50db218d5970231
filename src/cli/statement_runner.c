#include "cli/statement_runner.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/error_report.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/table_writer.h"

static const struct {
    const char *name;
    arb_output_format format;
} format_names[] = {{"table", ARB_OUTPUT_TABLE}, {"csv", ARB_OUTPUT_CSV},       {"tsv", ARB_OUTPUT_TSV},
                    {"json", ARB_OUTPUT_JSON},   {"ndjson", ARB_OUTPUT_NDJSON}, {"arrow", ARB_OUTPUT_ARROW}};

bool arb_output_format_find(arb_str name, arb_output_format *out_format)
{
    for (size_t i = 0; i < ARB_COUNT_OF(format_names); i++) {
        if (!arb_str_equal(name, arb_str_of(format_names[i].name)))
            continue;
        *out_format = format_names[i].format;
        return true;
    }
    return false;
}

void arb_statement_runner_init(arb_statement_runner *runner, arb_statement_host *host, arb_output_format format,
                               bool timing)
{
    *runner = (arb_statement_runner){
        .host = host, .format = format, .timing = timing, .error_terminal = isatty(STDERR_FILENO) == 1};
    arb_output_init(&runner->output, STDOUT_FILENO);
}

void arb_statement_runner_reset(arb_statement_runner *runner)
{
    arb_output_reset(&runner->output);
}

static arb_code make_writer(arb_output_format format, const arb_result_columns *columns, arb_row_writer **out_writer,
                            arb_error *error)
{
    size_t count = columns->column_count;
    switch (format) {
    case ARB_OUTPUT_TABLE:
        return arb_table_writer_create(columns->names, columns->types, count, out_writer, error);
    case ARB_OUTPUT_CSV:
        return arb_csv_writer_create(columns->names, columns->types, count, NULL, out_writer, error);
    case ARB_OUTPUT_TSV:
        return arb_csv_writer_create(columns->names, columns->types, count, &(arb_csv_write_options){.delimiter = '\t'},
                                     out_writer, error);
    case ARB_OUTPUT_JSON:
    case ARB_OUTPUT_NDJSON:
        return arb_json_writer_create(columns->names, columns->types, count, format == ARB_OUTPUT_NDJSON, out_writer,
                                      error);
    case ARB_OUTPUT_ARROW:
        break;
    }
    return arb_arrow_row_writer_create(columns->names, columns->types, count, out_writer, error);
}

/* Every row of the result to standard output. The bar gives way to rows on the same terminal. */
static arb_code show(arb_statement_runner *runner, arb_hosted_result *result, arb_progress_bar **bar, uint64_t *rows,
                     arb_error *error)
{
    const arb_result_columns *columns = result->vtable->describe(result);
    arb_output *output = &runner->output;
    arb_row_writer *writer;
    const arb_batch *batch;
    arb_code code;
    if (runner->format == ARB_OUTPUT_ARROW && runner->results > 0)
        return arb_fail(error, ARB_NOT_SUPPORTED, "one stream of arrow holds one result: this would be a second");
    ARB_TRY(make_writer(runner->format, columns, &writer, error));
    /* The first batch comes before the first byte, so that a statement that fails at once leaves no header behind. */
    ARB_TRY_GOTO(code, result->vtable->next(result, &batch, error), done);
    bool spaced =
        runner->format == ARB_OUTPUT_CSV || runner->format == ARB_OUTPUT_TSV || runner->format == ARB_OUTPUT_TABLE;
    if (runner->results++ > 0 && spaced)
        arb_text_append_char(&output->buffer, '\n');
    ARB_TRY_GOTO(code, writer->vtable->begin(writer, &output->buffer, error), done);
    if (output->terminal) {
        arb_progress_bar_stop(*bar);
        *bar = NULL;
    }
    while (batch != NULL) {
        *rows += batch->selected;
        ARB_TRY_GOTO(code, writer->vtable->batch(writer, batch, &output->buffer, error), done);
        ARB_TRY_GOTO(code, arb_output_tick(output, error), done);
        ARB_TRY_GOTO(code, result->vtable->next(result, &batch, error), done);
    }
    ARB_TRY_GOTO(code, writer->vtable->end(writer, &output->buffer, error), done);

done:
    arb_row_writer_destroy(writer);
    return code;
}

static void append_json_string(arb_text *out, const char *text)
{
    arb_text_append_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            arb_text_append_char(out, '\\');
        if ((unsigned char)*text < 0x20)
            arb_text_printf(out, "\\u%04x", (unsigned char)*text);
        else
            arb_text_append_char(out, *text);
    }
    arb_text_append_char(out, '"');
}

static void append_timing(arb_text *out, uint64_t statement, uint64_t rows, int64_t ns, uint64_t memory,
                          const arb_error *error)
{
    arb_text_printf(out, "{\"statement\":%llu,\"rows\":%llu,\"seconds\":%.6f,\"peak_memory_bytes\":%llu",
                    (unsigned long long)statement, (unsigned long long)rows, (double)ns / 1e9,
                    (unsigned long long)memory);
    if (error->code != ARB_OK) {
        char text[sizeof error->message + 16];
        snprintf(text, sizeof text, "%s: %s", arb_code_sqlstate(error->code), error->message);
        arb_text_append_str(out, ARB_STR(",\"error\":"));
        append_json_string(out, text);
    }
    arb_text_append_str(out, ARB_STR("}\n"));
}

static void write_error_text(arb_text *text)
{
    arb_output errors;
    arb_output_init(&errors, STDERR_FILENO);
    errors.buffer = *text;
    *text = (arb_text){0};
    (void)!arb_output_flush(&errors, NULL);
    arb_output_reset(&errors);
}

arb_code arb_statement_run(arb_statement_runner *runner, arb_str source, size_t begin, size_t end, int64_t arrived_ns)
{
    arb_error error = {0}, flush_error = {0};
    arb_hosted_result *result = NULL;
    uint64_t rows = 0, memory = 0;
    arb_progress_bar *bar = runner->error_terminal ? arb_progress_bar_start(runner->host) : NULL;
    arb_code code =
        runner->host->vtable->execute(runner->host, (arb_str){source.data + begin, end - begin}, &result, &error);
    int64_t affected = -1;
    arb_text messages = {0};
    if (code == ARB_OK) {
        affected = result->vtable->affected(result);
        if (result->vtable->describe(result)->has_rows)
            code = show(runner, result, &bar, &rows, &error);
        else if (affected >= 0)
            rows = (uint64_t)affected;
        memory = result->vtable->peak_memory(result);
        if (code == ARB_OK && runner->error_terminal && affected >= 0)
            arb_text_printf(&messages, "%s %lld\n", result->vtable->tag(result), (long long)affected);
    }
    arb_code flushed = arb_output_flush(&runner->output, &flush_error); /* also what came before an error */
    if (code == ARB_OK && flushed != ARB_OK) {
        code = flushed;
        error = flush_error;
    }
    int64_t took = arb_clock_monotonic_ns() - arrived_ns;
    arb_progress_bar_stop(bar);
    arb_hosted_result_destroy(result);
    runner->statements++;
    if (code != ARB_OK && !runner->output.reader_gone)
        arb_error_report(&messages, &error, source, begin);
    if (runner->timing)
        append_timing(&messages, runner->statements, rows, took, memory, &error);
    write_error_text(&messages);
    return code;
}

int arb_statement_exit_status(const arb_statement_runner *runner, arb_code code)
{
    if (code == ARB_OK)
        return ARB_EXIT_OK;
    if (runner->output.reader_gone)
        return ARB_EXIT_READER_GONE;
    return code == ARB_CANCELLED ? ARB_EXIT_INTERRUPTED : ARB_EXIT_FAILED;
}
