/* copy_statement.c: COPY … TO a file or, as rows, to whoever asked. */
#include "catalog/file_access.h"
#include "engine/session_internal.h"
#include "formats/writer.h"
#include "io/encoded_sink.h"

/* Takes the sink over, also on failure. */
static arb_code make_writer(const arb_bound_statement *statement, arb_byte_sink *sink, const arb_table_schema *schema,
                            arb_table_writer **out_writer, arb_error *error)
{
    arb_str format = statement->copy.format;
    if (arb_str_equal(format, ARB_STR("csv")) || arb_str_equal(format, ARB_STR("tsv")))
        return arb_csv_table_writer_create(sink, schema, &statement->copy.csv, out_writer, error);
    if (arb_str_equal(format, ARB_STR("parquet")))
        return arb_parquet_writer_create(sink, schema, &statement->copy.parquet, out_writer, error);
    return arb_json_table_writer_create(sink, schema, !arb_str_equal(format, ARB_STR("json")), out_writer, error);
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

static arb_code copy_to_file(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    arb_str path = statement->copy.path;
    arb_table_schema schema = {
        .column_count = result->columns.column_count, .names = result->columns.names, .types = result->columns.types};
    arb_table_writer *writer = NULL;
    arb_byte_sink *sink;
    if (path.size == 0 || memchr(path.data, '\0', path.size) != NULL)
        return arb_fail(error, ARB_INVALID_PARAMETER, "a path is empty or holds a zero byte");
    ARB_TRY(arb_file_access_create(arb_runtime_write_roots(result->session->runtime), path, &sink, error));
    arb_code code = ARB_OK;
    if (statement->copy.codec != ARB_CODEC_NONE)
        code = arb_byte_sink_encode(&sink, statement->copy.codec, statement->copy.level, error);
    if (code != ARB_OK) {
        arb_byte_sink_destroy(sink);
        return code;
    }
    ARB_TRY(make_writer(statement, sink, &schema, &writer, error));
    writer->stop = &result->session->cancelled;
    code = arb_result_start(result, error);
    if (code == ARB_OK)
        code = write_rows(result, writer, error);
    arb_result_stop(result);
    arb_table_writer_destroy(writer);
    return code;
}

arb_code arb_statement_copy_to(arb_result *result, const arb_bound_statement *statement, arb_error *error)
{
    if (statement->copy.partition_count > 0)
        return arb_fail(error, ARB_NOT_SUPPORTED, "COPY cannot write folders that are columns yet");
    if (statement->copy.console) /* the rows are the result; whoever asked writes them */
        return arb_result_query(result, &statement->plan, error);
    ARB_TRY(arb_columns_of_plan(&statement->plan, &result->arena, &result->columns, error));
    ARB_TRY(arb_result_plan(result, &statement->plan, NULL, error));
    arb_code code = copy_to_file(result, statement, error);
    result->columns = (arb_result_columns){0};
    return code;
}
